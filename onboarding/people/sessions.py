"""Ending sessions: one, all others, all of a person. What ends them: docs/security/sessions.md."""

from __future__ import annotations

from typing import cast

from django.db.models import QuerySet
from django.http import HttpRequest

from onboarding.models import SecurityEvent, Session, User
from onboarding.models.sessions import SessionStore, key_hash
from onboarding.monitoring import security_log


def sessions_of(user: User) -> QuerySet[Session]:
    """The sessions of this person that live, the one used last first."""
    rows = Session.objects.filter(user=user).order_by("-last_seen_at")
    ended = [row.pk for row in rows if row.why_ended(is_staff=user.is_staff)]
    return rows.exclude(pk__in=ended)


def is_of(request: HttpRequest, session: Session) -> bool:
    """Whether this is the session of the browser that asks."""
    key = request.session.session_key
    return bool(key) and session.key_hash == key_hash(str(key))


def end_all(user: User, why: str, request: HttpRequest | None = None) -> int:
    """End all sessions of this person: their next request leads to the sign-in. Returns how many ended.

    `why`: for the security log. `request`: of whoever does it.
    """
    return _end(Session.objects.filter(user=user), user, why, request)


def end_others(request: HttpRequest, why: str) -> int:
    """End all sessions of who is signed in but this one, which gets a new key. Returns how many ended."""
    user = request.user
    if not isinstance(user, User):
        return 0
    # Before the others end: the key of this one may be what somebody else has got hold of.
    request.session.cycle_key()
    own = key_hash(str(request.session.session_key))
    return _end(Session.objects.filter(user=user).exclude(key_hash=own), user, why, request)


def end_after_change(user: User, why: str, request: HttpRequest | None = None) -> int:
    """Something about how this person signs in, or what they may do, has changed: their sessions end, but
    the one in which they changed it themselves."""
    if request is not None and request.user == user:
        return end_others(request, why)
    return end_all(user, why, request)


def end_one(user: User, session_id: int, request: HttpRequest) -> int:
    """End this session of this person, if it is theirs and lives."""
    return _end(Session.objects.filter(user=user, pk=session_id), user, "one session", request)


def _end(rows: QuerySet[Session], user: User, why: str, request: HttpRequest | None) -> int:
    count, _ = rows.delete()
    if count:
        detail = f"{why}: {count}"
        security_log.record(SecurityEvent.Kind.SESSIONS_ENDED, request, user=user, detail=detail)
    return count


def store_of(request: HttpRequest) -> SessionStore:
    """The session of a request, as what it is."""
    return cast(SessionStore, request.session)

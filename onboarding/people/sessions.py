"""Sessions of a person: in words, and ending one, all others, or all. What ends them by itself:
signals.py, and docs/security/sessions.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext

from onboarding.models import SecurityEvent, Session, User
from onboarding.models.sessions import Ended, SessionStore, key_hash
from onboarding.monitoring import security_log

from . import browsers


def store_of(request: HttpRequest) -> SessionStore:
    """The session of this request, with what Django's type does not say of it."""
    return cast(SessionStore, request.session)


def sessions_of(user: User) -> list[Session]:
    """The sessions of this person that live, the one used last first."""
    rows = Session.objects.filter(user=user).defer("session_data").order_by("-last_seen_at", "-pk")
    return [row for row in rows if not row.why_ended(is_staff=user.is_staff)]


# -- ending ----------------------------------------------------------------------------------------


def end_all(user: User, why: str, request: HttpRequest | None = None) -> int:
    """End all sessions of this person: their next request leads to the sign-in. Returns how many ended.

    `why`: for the security log. `request`: of whoever does it.
    """
    return _end(Session.objects.filter(user=user), user, why, request)


def end_others(request: HttpRequest, why: str) -> int:
    """End all sessions of who is signed in but this one, which gets a new key. Returns how many ended."""
    if not isinstance(user := request.user, User):
        return 0
    # Before the others end: the key of this one may be what somebody else has got hold of.
    request.session.cycle_key()
    own = key_hash(str(request.session.session_key))
    return _end(Session.objects.filter(user=user).exclude(key_hash=own), user, why, request)


def end_after_change(user: User, why: str, request: HttpRequest | None = None) -> int:
    """How this person signs in, or what they may do, has changed: their sessions end, but the one in
    which they changed it themselves."""
    if request is not None and request.user == user:
        return end_others(request, why)
    return end_all(user, why, request)


def end_one(user: User, session_id: str, request: HttpRequest) -> int:
    """End the session of this id, if it is this person's. Any text may come as an id."""
    if not (session_id.isdecimal() and len(session_id) <= 18):
        return 0
    return _end(Session.objects.filter(user=user, pk=int(session_id)), user, "one", request)


def _end(rows: QuerySet[Session], user: User, why: str, request: HttpRequest | None) -> int:
    count, _ = rows.delete()
    if count:
        detail = f"{why}: {count}"
        security_log.record(SecurityEvent.Kind.SESSIONS_ENDED, request, user=user, detail=detail)
    return count


# -- in words --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SessionInWords:
    """What a page says of a session. `is_this`: of the browser that asks."""

    id: int
    browser: str
    method: str
    address: str
    signed_in_at: datetime
    last_seen_at: datetime
    is_this: bool


def in_words(request: HttpRequest, session: Session) -> SessionInWords:
    key = request.session.session_key
    return SessionInWords(
        id=session.pk,
        browser=browsers.in_words(session.browser),
        method=method_in_words(session.method),
        address=session.address or "",
        signed_in_at=session.created_at,
        last_seen_at=session.last_seen_at,
        is_this=bool(key) and session.key_hash == key_hash(str(key)),
    )


def method_in_words(method: str) -> str:
    """Of the ways that were used to sign in, those that we know: "a code by email, a recovery code"."""
    names = {
        "code": gettext("a code by email"),
        "email_verification": gettext("a code by email"),
        "password": gettext("a password"),
        "password_reset": gettext("a new password"),
        "mfa:webauthn": gettext("a passkey"),
        "mfa:totp": gettext("an authenticator app"),
        "mfa:recovery_codes": gettext("a recovery code"),
    }
    return ", ".join(dict.fromkeys(names[each] for each in method.split() if each in names))


def why_signed_out(request: HttpRequest) -> str:
    """Why the session of this browser's cookie is none any more; empty if there was none."""
    sentences = {
        Ended.UNUSED: gettext("You were signed out because you were away for a while."),
        Ended.TOO_OLD: gettext("You were signed out because your sign-in was a long time ago."),
        Ended.UNKNOWN: gettext("You were signed out of this browser. Sign in again to continue."),
    }
    ended = store_of(request).ended_as
    return sentences[ended] if ended else ""

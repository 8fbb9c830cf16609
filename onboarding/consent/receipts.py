"""A consent as a receipt: who agreed to what, when, for which shop, and what disconnecting did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext, override

from onboarding import clock
from onboarding.models import Connection, Consent, Event, User
from onboarding.models.status import Status

from .signing import FORMAT, Json

SENTENCES = 3  # of an end: here, at the vendor, and what is left to do


@dataclass(frozen=True)
class End:
    """What disconnecting did: when, by whom, and its sentences as (what it is about, sentence)."""

    at: datetime
    by: str
    sentences: list[tuple[str, str]]


def of_shop(connection: Connection) -> QuerySet[Consent]:
    """The consents of a shop, the newest first."""
    rows = Consent.objects.filter(attempt__connection=connection)
    return rows.select_related("attempt__connection__account__merchant", "user")


def end_of(consent: Consent) -> End | None:
    """How the connection ended that this consent began; None while it lasts, or if a later one followed it.

    A later consent of the same shop has an end of its own.
    """
    events = _events_until_the_next(consent)
    first = events.filter(status=Status.DISCONNECTED).order_by("at", "pk").first()
    if first is None:
        return None
    same = events.filter(status=Status.DISCONNECTED, attempt=first.attempt_id).order_by("at", "pk")
    found = list(islice(same.select_related("user", "attempt__user"), SENTENCES))
    return End(at=first.at, by=_who(found[0], consent), sentences=_labelled(consent, found))


def _events_until_the_next(consent: Consent) -> QuerySet[Event]:
    connection = consent.attempt.connection
    events = connection.events.filter(at__gte=consent.at)
    later = of_shop(connection).filter(pk__gt=consent.pk).order_by("pk").first()
    return events.filter(at__lt=later.at) if later else events


def _labelled(consent: Consent, events: Iterable[Event]) -> list[tuple[str, str]]:
    """A Done's sentences come in this order (journey/settlement.py)."""
    there = gettext("At %(vendor)s") % {"vendor": consent.about["vendor"]["name"]}
    labels = (gettext("Here"), there, gettext("Left for you to do"))
    return [(label, str(event)) for label, event in zip(labels, events, strict=False)]


def _who(event: Event, consent: Consent) -> str:
    """The name of a member. Merchants do not learn the names of staff."""
    user = event.user or (event.attempt.user if event.attempt else None)
    if user is None:
        return ""
    return gettext("our staff") if _is_staff(user, consent) else user.get_full_name()


def _is_staff(user: User, consent: Consent) -> bool:
    merchant = consent.attempt.connection.account.merchant
    return user.is_staff and not merchant.memberships.filter(user=user).exists()


def document(consent: Consent, *, end: End | None = None) -> Json:
    """The receipt as JSON, ready to be signed (docs/receipts.md)."""
    return {
        "format": FORMAT,
        "site": settings.SITE_URL,
        "operator": settings.BRAND_NAME,
        "made_at": clock.now().isoformat(),
        "reference": consent.reference,
        "agreed_at": consent.at.isoformat(),
        "person": {"name": "", "email": "", **consent.person},
        "business": {},
        "shop": {},
        **consent.about,
        "language": consent.language,
        "version": consent.version,
        "words": consent.words,
        "ended": _end_as_json(end),
    }


def _end_as_json(end: End | None) -> Json | None:
    if end is None:
        return None
    sentences = [{"about": about, "sentence": sentence} for about, sentence in end.sentences]
    return {"at": end.at.isoformat(), "by": end.by, "sentences": sentences}


def in_its_language(consent: Consent) -> Json:
    """The document with its end, in the language of the consent; for files and commands."""
    with override(consent.language):
        return document(consent, end=end_of(consent))

"""Hops: one redirect each; the link out is taken once, the state of the return is spent once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from onboarding import registry
from onboarding.models import Attempt, Hop, User
from onboarding.models.memo import opened
from onboarding.models.status import Answer
from vendors.contract import Redirect, text

from . import transitions

LINK_LASTS = timedelta(minutes=60)  # when the vendor names no expiry
SIZES = 20, 100, 4000  # of a return: parameters, letters of a name, letters of a value


def digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def blank(attempt: Attempt) -> str:
    """The state that goes into the next link; made once, so that a repeated call reuses it."""
    hops = Hop.objects.filter(attempt=attempt, user=attempt.user, minted=None, spent=None)
    if hop := hops.exclude(state=None).first():
        return str(hop.state)
    state = secrets.token_urlsafe(32)
    Hop.objects.create(attempt=attempt, user=attempt.user, state=state, digest=digest(state))
    return state


def mint(attempt: Attempt, state: str, step: Redirect) -> None:
    """Keep the link that a vendor gave, encrypted, until somebody takes it."""
    Hop.objects.filter(attempt=attempt, state=state).update(
        url=step.url,
        expires_at=step.expires_at,
        returns=step.returns,
        bare=step.bare,
        keep_params=step.keep_params,
        returned_by=_id_digest(*step.returned_by) if step.returned_by else "",
        minted=timezone.now(),
    )


def fresh(attempt: Attempt, now: datetime | None = None) -> Hop | None:
    """The newest hop if its link still waits to be taken."""
    now = now or timezone.now()
    unexpired = Q(expires_at=None, minted__gt=now - LINK_LASTS) | Q(expires_at__gt=now)
    hop = attempt.hops.exclude(minted=None).order_by("-minted").first()
    if hop is None or not Hop.objects.filter(unexpired, pk=hop.pk, taken=None).exists():
        return None
    return hop if attempt.answer == Answer.REDIRECT and attempt.ended is None else None


def take_link(attempt: Attempt, user: User) -> str | None:
    """The link, once: whoever asks second gets None. The link is forgotten as it is taken.

    A hop is bound to the user it was made for: another member has to mint one of their own.
    """
    hop = fresh(attempt)
    url = opened(hop.url) if hop and hop.user_id == user.pk else None
    if hop is None or not url:
        return None
    return str(url) if _taken(attempt, hop, user) else None


@transaction.atomic
def _taken(attempt: Attempt, hop: Hop, user: User) -> bool:
    if not Hop.objects.filter(pk=hop.pk, taken=None).update(taken=timezone.now(), url=None):
        return False
    shop = attempt.connection
    went = text("Went to %(vendor)s.", vendor=registry.vendor_name(shop.vendor))
    transitions.record(shop, went, attempt=attempt, user=user)
    return True


def find_hop(vendor: str, state: str) -> Hop | None:
    """The hop that a return belongs to, spent or not; None for a made-up or missing state."""
    if not state:
        return None
    hops = Hop.objects.select_related("attempt__connection__account__merchant")
    return hops.filter(digest=digest(state), attempt__connection__account__vendor=vendor).first()


def _id_digest(name: str, value: str) -> str:
    return digest(f"{name}={value}")


def find_hop_by_id(vendor: str, user: User, params: Mapping[str, str]) -> Hop | None:
    """The hop of this user that the vendor's own id among the parameters names, spent or not.

    Only for its user: an id of the vendor's may be easy to guess, a state is not. Open attempts
    first, because a vendor may use an id again.
    """
    given = [_id_digest(name, value) for name, value in bounded(params).items() if value]
    hops = Hop.objects.select_related("attempt__connection__account__merchant").filter(
        attempt__connection__account__vendor=vendor, user=user, returned_by__in=given
    )
    return _only(hops.filter(attempt__ended=None)) or _only(hops)


def find_bare_hop(vendor: str, user: User) -> Hop | None:
    """The hop of this user's open attempt that comes back without a state, spent or not."""
    hops = Hop.objects.select_related("attempt__connection__account__merchant").filter(
        attempt__connection__account__vendor=vendor, attempt__ended=None, user=user, bare=True
    )
    return _only(hops)


def _only(hops: QuerySet[Hop]) -> Hop | None:
    """None if several attempts wait for such a return: it does not say for which it is.

    Of an attempt's links to the same page the newest counts.
    """
    taken = hops.exclude(taken=None).order_by("pk")
    newest = {hop.attempt_id: hop for hop in taken}.values()
    found = [hop for hop in newest if hop.spent is None] or list(newest)
    return found[0] if len(found) == 1 else None


def spend(hop: Hop, params: Mapping[str, str]) -> bool:
    """Spend the state and keep what came with it; False when it was spent before."""
    return bool(
        Hop.objects.filter(pk=hop.pk, state__isnull=False).update(
            state=None, spent=timezone.now(), params=bounded(params)
        )
    )


def claim(hop: Hop) -> bool:
    """The bound user is here: True once for each hop."""
    return bool(
        Hop.objects.filter(pk=hop.pk, claimed=None)
        .exclude(spent=None)
        .update(claimed=timezone.now())
    )


def unclaimed(attempt: Attempt, user: User) -> Hop | None:
    """A return that came while nobody was signed in."""
    return attempt.hops.filter(user=user, claimed=None).exclude(spent=None).first()


def bounded(params: Mapping[str, str]) -> dict[str, str]:
    """Anybody may open the return address: only so much of it is kept, the state first."""
    count, name, value = SIZES
    kept = sorted(params.items(), key=lambda each: each[0] != "state")[:count]
    return {key: text[:value] for key, text in kept if len(key) <= name}

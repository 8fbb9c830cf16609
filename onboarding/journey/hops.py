"""Hops: one redirect to a vendor's pages each. The link out and the `state` of the return work once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare, get_random_string, salted_hmac

from onboarding import clock, registry
from onboarding.models import Attempt, Hop, User
from onboarding.models.memo import opened
from onboarding.models.status import Answer
from vendors.contract import Redirect, text

from . import notices, transitions

LINK_LASTS = timedelta(minutes=60)  # when the vendor names no expiry
# Of a return; lengths in characters. The web server reads at most 8,190 of its address.
MOST_PARAMS, LONGEST_NAME, LONGEST_VALUE = 20, 100, 8190


def digest(state: str) -> str:
    """SHA-256 in hex: with it a spent state is found again without being stored."""
    return hashlib.sha256(state.encode()).hexdigest()


def unused_state(attempt: Attempt) -> str:
    """The `state` for the next link; created once, so that a repeated call gets the same one."""
    hops = Hop.objects.filter(attempt=attempt, user=attempt.user, minted=None, spent=None)
    if hop := hops.exclude(state=None).first():
        return str(hop.state)
    state = get_random_string(43)  # 256 bits of letters and digits: nothing that is cut from a link
    Hop.objects.create(attempt=attempt, user=attempt.user, state=state, digest=digest(state))
    return state


def mint(attempt: Attempt, state: str, step: Redirect) -> None:
    """Store the link that a vendor gave, encrypted, until its user takes it."""
    Hop.objects.filter(attempt=attempt, state=state).update(
        url=step.url,
        expires_at=step.expires_at,
        returns=step.returns,
        bare=step.bare,
        keep_params=step.keep_params,
        returned_by=_id_digest(*step.returned_by) if step.returned_by else "",
        minted=clock.now(),
    )


def note_how_to_return(attempt: Attempt, state: str, step: Redirect) -> None:
    """There is no link yet; whether its page opens beside ours is known already."""
    Hop.objects.filter(attempt=attempt, state=state).update(returns=step.returns)


def opens_beside(attempt: Attempt) -> bool:
    """Whether the vendor's page opens in a tab of its own: this vendor sends nobody back."""
    if attempt.ended or attempt.answer != Answer.REDIRECT:
        return False
    newest = attempt.hops.order_by("-pk").values_list("returns", flat=True).first()
    return newest is False


def _hop_with_link(attempt: Attempt) -> Hop | None:
    """The newest hop, if its link is neither taken nor expired and the attempt still offers it."""
    now = clock.now()
    unexpired = Q(expires_at=None, minted__gt=now - LINK_LASTS) | Q(expires_at__gt=now)
    hop = attempt.hops.exclude(minted=None).order_by("-minted").first()
    if hop is None or not Hop.objects.filter(unexpired, pk=hop.pk, taken=None).exists():
        return None
    return hop if attempt.answer == Answer.REDIRECT and attempt.ended is None else None


def take_link(attempt: Attempt, user: User, *, browser: str, beside: bool = False) -> str | None:
    """The vendor's link, once: a second request gets None, and the link is deleted when it is taken.

    A hop is bound to the user it was minted for: another member needs a link of their own. It is bound
    to the browser that leaves, too; `browser` is the value of its cookie. `beside`: the answer opens in
    a tab beside our page. Only there is a vendor's page opened that sends nobody back.
    """
    hop = _hop_with_link(attempt)
    url = opened(hop.url) if hop and hop.user_id == user.pk else None
    if hop is None or not url or not (hop.returns or beside):
        return None
    return str(url) if _take(attempt, hop, user, browser) else None


@transaction.atomic
def _take(attempt: Attempt, hop: Hop, user: User, browser: str) -> bool:
    """False when another request has taken it."""
    away = {"taken": clock.now(), "url": None, "browser": browser_hash(hop, browser)}
    if not Hop.objects.filter(pk=hop.pk, taken=None).update(**away):
        return False
    connection = attempt.connection
    note = text("Opened %(vendor)s.", vendor=registry.vendor_name(connection.vendor))
    transitions.record(connection, note, attempt=attempt, user=user)
    transitions.touch(attempt)
    if attempt.connects and not hop.returns:
        notices.way_back(attempt, user)
    return True


def find_hop(vendor: str, state: str) -> Hop | None:
    """The hop that a return belongs to, spent or not; None for a made-up or missing state."""
    if not state:
        return None
    hops = Hop.objects.select_related("attempt__connection__account__merchant")
    return hops.filter(digest=digest(state), attempt__connection__account__vendor=vendor).first()


def browser_hash(hop: Hop, browser: str) -> str:
    """A keyed hash, of its own for each hop: rows do not tell which of them left from one browser."""
    value = f"{hop.digest} {browser}"
    return salted_hmac("onboarding.hop.browser", value, algorithm="sha256").hexdigest()


def left_from(hop: Hop, browser: str) -> bool:
    """Whether the browser with this cookie took the hop's link.

    A hop without a hash was taken before hops were bound to browsers (any browser may bring its return),
    or was not taken at all.
    """
    if not hop.browser:
        return hop.taken is not None
    return bool(browser) and constant_time_compare(hop.browser, browser_hash(hop, browser))


def note_stray(hop: Hop) -> bool:
    """Note that another browser has opened this return. True once for each hop that is not spent."""
    unspent = Hop.objects.filter(pk=hop.pk, state__isnull=False, strayed=None)
    return bool(unspent.update(strayed=clock.now()))


def _id_digest(name: str, value: str) -> str:
    return digest(f"{name}={value}")


def find_hop_by_id(vendor: str, user: User, params: Mapping[str, str]) -> Hop | None:
    """This user's hop that is named by the vendor's own id among the parameters, spent or not.

    Only the hop's own user finds it: a vendor's id may be easy to guess, a state is not. Open attempts
    come first, because a vendor may use an id again.
    """
    digests = [_id_digest(name, value) for name, value in bounded(params).items() if value]
    hops = Hop.objects.select_related("attempt__connection__account__merchant").filter(
        attempt__connection__account__vendor=vendor, user=user, returned_by__in=digests
    )
    return _unambiguous(hops.filter(attempt__ended=None)) or _unambiguous(hops)


def find_bare_hop(vendor: str, user: User) -> Hop | None:
    """The hop of this user's open attempt that comes back without a state, spent or not."""
    hops = Hop.objects.select_related("attempt__connection__account__merchant").filter(
        attempt__connection__account__vendor=vendor, attempt__ended=None, user=user, bare=True
    )
    return _unambiguous(hops)


def _unambiguous(hops: QuerySet[Hop]) -> Hop | None:
    """The one hop that such a return can belong to; None if it may belong to several attempts.

    Of an attempt's hops the newest counts.
    """
    taken = hops.exclude(taken=None).order_by("pk")
    newest = {hop.attempt_id: hop for hop in taken}.values()
    candidates = [hop for hop in newest if hop.spent is None] or list(newest)
    return candidates[0] if len(candidates) == 1 else None


def spend(hop: Hop, params: Mapping[str, str]) -> bool:
    """Spend the state and store the parameters that came with it; False when it was spent before."""
    return bool(
        Hop.objects.filter(pk=hop.pk, state__isnull=False).update(
            state=None, spent=clock.now(), params=bounded(params)
        )
    )


def claim(hop: Hop) -> bool:
    """Claim a return for its user, who is signed in. Returns True once for each hop."""
    return bool(
        Hop.objects.filter(pk=hop.pk, claimed=None).exclude(spent=None).update(claimed=clock.now())
    )


def unclaimed(attempt: Attempt, user: User) -> Hop | None:
    """A return of this user that came while nobody was signed in."""
    return attempt.hops.filter(user=user, claimed=None).exclude(spent=None).first()


def bounded(params: Mapping[str, str]) -> dict[str, str]:
    """What is stored of a return, the state first: anybody may open that address with anything."""
    state_first = sorted(params.items(), key=lambda each: each[0] != "state")[:MOST_PARAMS]
    return {name: v[:LONGEST_VALUE] for name, v in state_first if len(name) <= LONGEST_NAME}

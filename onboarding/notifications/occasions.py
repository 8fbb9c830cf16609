"""Whether a notice is still true when its turn comes: what has been seen, or is over, mails nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from django.db.models import Q

from onboarding import clock
from onboarding.availability.breaker import outages
from onboarding.models import Attempt, Connection, Membership, Notice
from onboarding.models.status import SET_UP, Answer, Ending, Status, Turn

from . import choices, expiry_warnings, reminders

Kind, Why = Notice.Kind, Notice.Why
LOOK_AGAIN = timedelta(minutes=10)  # while a vendor is down, or another mail is being sent


@dataclass(frozen=True)
class Drop:
    """It is not sent."""

    why: Notice.Why


@dataclass(frozen=True)
class Wait:
    """Its turn comes later. None: when what its reader waits for has happened."""

    until: datetime | None


Obstacle = Drop | Wait | None


def obstacle(notice: Notice) -> Obstacle:
    """What speaks against sending it now. Staff who have it sent again know that it has been seen."""
    merchant = notice.connection.account.merchant
    members = Membership.objects.filter(merchant=merchant, user=notice.user)
    if not notice.user.is_active or not members.exists():
        return Drop(Why.LEFT)
    if not choices.wants(notice.user, merchant, notice.group):
        return Drop(Why.NOT_WANTED)
    match Kind(notice.kind):
        case Kind.READY | Kind.ACTION_NEEDED | Kind.STAFF_DONE | Kind.CONNECTED:
            return _of_a_turn(notice)
        case Kind.WAY_BACK:
            return Drop(Why.OVER) if _of(notice).ended else None
        case Kind.BROKEN:
            return _broken(notice)
        case Kind.HEALED:
            return _healed(notice)
        case Kind.ENDS:
            return _ends(notice)
        case Kind.UNFINISHED:
            return _unfinished(notice)
        case kind:
            assert_never(kind)


def _of(notice: Notice) -> Attempt:
    if notice.attempt is None:
        raise ValueError(f"a notice of an attempt has none: {notice.pk}")
    return notice.attempt


def _is_down(connection: Connection) -> bool:
    return bool(outages([connection.vendor]))


# -- somebody's turn -------------------------------------------------------------------------------


def _of_a_turn(notice: Notice) -> Obstacle:
    attempt = _of(notice)
    if _has_seen(notice, attempt):
        return Drop(Why.SEEN)
    if notice.kind == Kind.CONNECTED:
        is_connected = notice.connection.status == Status.CONNECTED
        return None if is_connected else Drop(Why.OVER)
    if attempt.ended and notice.kind != Kind.STAFF_DONE:
        return Drop(Why.OVER)
    still_waits = attempt.turn != Turn.MERCHANT or attempt.answer == Answer.PROGRESS
    return Wait(None) if attempt.ended is None and still_waits else None


def _has_seen(notice: Notice, attempt: Attempt) -> bool:
    """Whether they have looked at the page since, or have gone on to the vendor from another one."""
    if notice.asked_again:
        return False
    if attempt.seen_at and attempt.seen_at >= notice.at:
        return True
    return attempt.hops.filter(user=notice.user, taken__gte=notice.at).exists()


# -- a shop ----------------------------------------------------------------------------------------


def _broken(notice: Notice) -> Obstacle:
    """An outage of the vendor is not the shop’s; whoever reconnects the shop knows already."""
    connection = notice.connection
    if connection.status != Status.ACTION_NEEDED:
        return Drop(Why.OVER)
    if notice.asked_again:
        return None
    if connection.attempts.filter(Q(created__gte=notice.at) | Q(ended=None)).exists():
        return Drop(Why.SEEN)
    return Wait(clock.now() + LOOK_AGAIN) if _is_down(connection) else None


def _healed(notice: Notice) -> Obstacle:
    """Only who was told that it broke is told that it works again."""
    if notice.asked_again:
        return None if notice.connection.status in SET_UP else Drop(Why.OVER)
    told = notice.connection.notices.filter(kind=Kind.BROKEN, user=notice.user, at__lte=notice.at)
    broken = told.order_by("-at").first()
    if broken is None or broken.dropped or notice.connection.status not in SET_UP:
        return Drop(Why.OVER)
    if broken.mailed:
        return None
    is_being_sent = Notice.unsent().filter(pk=broken.pk).exists()
    return Wait(clock.now() + LOOK_AGAIN) if is_being_sent else Drop(Why.OVER)


def _ends(notice: Notice) -> Obstacle:
    connection, now = notice.connection, clock.now()
    least, _ = expiry_warnings.DAYS[notice.step]
    is_right = connection.status in SET_UP and connection.expires_at == notice.at
    if notice.asked_again:
        least = 0
    is_late = notice.at <= now + timedelta(days=least)  # the next warning is due
    return None if is_right and not is_late else Drop(Why.OVER)


# -- a connection that is not finished -------------------------------------------------------------


def _unfinished(notice: Notice) -> Obstacle:
    attempt, now = _of(notice), clock.now()
    if attempt.ended or attempt.turn != Turn.MERCHANT or attempt.user_id != notice.user_id:
        return Drop(Why.OVER)
    if notice.asked_again:
        return None
    _, longest = reminders.STEPS[notice.step]
    if now >= notice.at + longest:
        return Drop(Why.OVER)  # the next reminder is due
    if _has_gone_on(attempt, notice.at) or _team_has_gone_on(attempt, notice.at):
        return Drop(Why.SEEN)
    return Wait(now + LOOK_AGAIN) if _is_down(notice.connection) else None


def _has_gone_on(attempt: Attempt, at: datetime) -> bool:
    moments = (attempt.since, attempt.seen_at)
    return any(each and each > at for each in moments)


def _team_has_gone_on(attempt: Attempt, at: datetime) -> bool:
    """Whether anybody of the business has taken a step with the same platform since."""
    connector, merchant = attempt.connection.connector, attempt.connection.account.merchant_id
    same = Q(connector=connector)
    if connector.platform:
        same |= Q(connector__platform=connector.platform)
    shops = Connection.objects.filter(same, account__merchant=merchant)
    others = Attempt.objects.filter(connection__in=shops).exclude(pk=attempt.pk)
    steps = Q(created__gt=at) | Q(seen_at__gt=at) | Q(ended__gt=at, ending=Ending.CONNECTED)
    connected = shops.filter(status__in=SET_UP, connected_at__gt=attempt.created)
    return others.filter(steps).exists() or connected.exists()

"""Brakes: when a mail that nobody asked for may be sent, and how many of them somebody gets.

What answers somebody's own wait, or what staff send again, goes out at once. The others keep to two a day
and seven a week for each person; reminders keep to the day of their reader; problems of one business keep an
hour's distance.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.db.models import Q, QuerySet

from onboarding import clock
from onboarding.models import MailGroup, Notice

from .readers import Reader

MORNING, EVENING = time(8), time(21)  # of the reader's day
HOUR = timedelta(hours=1)
SOON = timedelta(minutes=10)  # it is known by then what became of a mail
ASKED = [kind for kind, group in Notice.GROUPS.items() if group == MailGroup.TURN]
MOST = ((2, timedelta(days=1)), (7, timedelta(days=7)))  # so many mails in so long


def free_from(notice: Notice) -> datetime | None:
    """When it may be sent; None: now."""
    if notice.group == MailGroup.TURN or notice.asked_again:
        return None
    times = [_morning(notice), _after_an_hour(notice), _within_bounds(notice)]
    return max((each for each in times if each), default=None)


def _morning(notice: Notice) -> datetime | None:
    """Nobody is reminded at night."""
    if notice.group != MailGroup.REMINDERS:
        return None
    local = clock.now().astimezone(Reader(notice.user).zone)
    if MORNING <= local.time() < EVENING:
        return None
    day = local.date() + timedelta(days=local.time() >= EVENING)
    return datetime.combine(day, MORNING, tzinfo=local.tzinfo)


def _after_an_hour(notice: Notice) -> datetime | None:
    """What breaks within an hour of the last mail about the same business is told in one more."""
    if notice.kind != Notice.Kind.BROKEN:
        return None
    merchant = notice.connection.account.merchant_id
    mails = _mails(notice).filter(kind=notice.kind, connection__account__merchant=merchant)
    last = mails.filter(mailed__gt=clock.now() - HOUR).order_by("-mailed").first()
    return last.mailed + HOUR if last and last.mailed else None


def _within_bounds(notice: Notice) -> datetime | None:
    """When there is room for one more. A mail that is on its way counts until it is known to have failed."""
    now, (_, longest) = clock.now(), MOST[-1]
    mails = _mails(notice).filter(mailed__gt=now - longest).values_list("mailed", flat=True)
    sent = sorted((each for each in mails if each), reverse=True)
    under_way = _under_way(notice).count()
    if under_way and any(_count(sent, now - length) + under_way >= most for most, length in MOST):
        return now + SOON
    times = [sent[most - 1] + length for most, length in MOST if len(sent) >= most]
    return max((each for each in times if each > now), default=None)


def _count(sent: list[datetime], since: datetime) -> int:
    return sum(each > since for each in sent)


def _under_way(notice: Notice) -> QuerySet[Notice]:
    """Other mails to this person that some process has begun to send, or will try again."""
    rows = Notice.unsent().filter(user=notice.user, mail_retry_at__gt=clock.now())
    merchant = notice.connection.account.merchant_id
    same_mail = Q(kind=notice.kind, connection__account__merchant=merchant)
    if notice.kind in Notice.TOLD_TOGETHER:
        rows = rows.exclude(same_mail)
    return rows.exclude(kind__in=ASKED).exclude(pk=notice.pk)


def _mails(notice: Notice) -> QuerySet[Notice]:
    """The mails to this person that nobody asked for. Several rows may be one mail."""
    return Notice.objects.filter(user=notice.user, told_in=None).exclude(kind__in=ASKED)

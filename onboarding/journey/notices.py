"""Which change of an attempt or a shop leads to which mail, to whom.

Rows are written in the transaction that changes the state. `notifications/notices.py` sends them when their
turn comes, if they are still true then: merchants who see it on their page get no mail.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from onboarding import clock
from onboarding.models import Attempt, Connection, Membership, Notice, User
from onboarding.models.outbox import WANTED
from onboarding.models.status import Answer, Ending, Status, Turn

Kind, Why = Notice.Kind, Notice.Why
# Promises that outlive their attempt: of a shop that is set up, and of a task of staff.
CONFIRMED, TASK = "confirmed", "task"


# -- an attempt: ready, action needed, staff have done their part, connected ----------------------


def follow(attempt: Attempt) -> None:
    """Promise a mail while the attempt waits, and make it due when its merchant has something to do or to
    know. The caller holds the attempt's lock."""
    if _waits(attempt):
        promise(attempt, Kind.STAFF_DONE if attempt.turn == Turn.STAFF else Kind.READY)
    elif attempt.ended and attempt.ending not in {Ending.CONNECTED, Ending.DONE, Ending.EXPIRED}:
        forget(Attempt.objects.filter(pk=attempt.pk))
    elif attempt.answer != Answer.PROGRESS:
        _occur(attempt)


def _waits(attempt: Attempt) -> bool:
    if attempt.ended:
        return False
    asks_vendor = attempt.answer in {Answer.WAITING, Answer.UNAVAILABLE}
    return attempt.turn == Turn.STAFF or (attempt.connects and asks_vendor)


def promise(attempt: Attempt, kind: Notice.Kind, step: str = "") -> None:
    """Promise the attempt's user a mail. What was due and is not sent yet waits again."""
    row = _open(attempt, step)
    if row is None:
        _write(attempt, kind, None, step)
        return
    kept = Kind.STAFF_DONE if row.kind == Kind.STAFF_DONE else kind
    if (row.kind, row.user_id, row.not_before) != (kept, attempt.user_id, None):
        _change(row, kind=kept, user=attempt.user_id, not_before=None)


def _occur(attempt: Attempt) -> None:
    """The wait is over. Without a wait only word of a shop that is being connected is of use."""
    row, key, now = _open(attempt), _key(attempt), clock.now()
    kind = _occasion(attempt, row)
    if kind is None or Notice.objects.filter(key=key).exists():
        return
    not_before = now + settings.NOTICE_AFTER
    if row:
        _change(row, key=key, kind=kind, user=attempt.user_id, at=now, not_before=not_before)
    else:
        _write(attempt, kind, not_before, key=key)


def _key(attempt: Attempt) -> str:
    """Of what the page says now: the vendor is asked again and again, and may say the same."""
    said = f"{attempt.ending} {attempt.answer} {attempt.note.get('id', '')}"
    digest = hashlib.sha256(said.encode()).hexdigest()[:20]
    return f"turn:{attempt.pk}:{(attempt.since or attempt.created).isoformat()}:{digest}"


def _occasion(attempt: Attempt, promised: Notice | None) -> Notice.Kind | None:
    if attempt.ending == Ending.CONNECTED and attempt.status == Status.CONNECTED:
        return Kind.CONNECTED
    if attempt.answer == Answer.TASK:
        return None  # it is done once staff have done their task
    if attempt.ended:
        return Kind.STAFF_DONE if promised else None
    if attempt.turn != Turn.MERCHANT or not (promised or attempt.connects):
        return None
    if promised and promised.kind == Kind.STAFF_DONE:
        return Kind.STAFF_DONE
    return Kind.READY if attempt.answer == Answer.REDIRECT else Kind.ACTION_NEEDED


def tell(attempt: Attempt, kind: Notice.Kind, step: str) -> None:
    """What was promised has happened, after the attempt has ended: staff did a task or confirmed a shop."""
    row, now = _open(attempt, step), clock.now()
    if row is None:
        row = _write(attempt, kind, now, step)
    _change(row, kind=kind, at=now, not_before=now, user=_who_is_there(attempt))


def _who_is_there(attempt: Attempt) -> int:
    """Who began it, or an owner if they have left."""
    active = Membership.active(attempt.connection.account.merchant_id)
    if active.filter(user=attempt.user_id).exists():
        return attempt.user_id
    owner = active.filter(role=Membership.Role.OWNER).order_by("pk").first()
    return owner.user_id if owner else attempt.user_id


def way_back(attempt: Attempt, user: User) -> None:
    """The link to the attempt's page, at once, to who leaves for a vendor that sends nobody back."""
    _add(_row(attempt, Kind.WAY_BACK, f"way_back:{attempt.pk}", clock.now(), user.pk))


def hand_over(attempt: Attempt) -> None:
    """Whoever the attempt belongs to now gets its mail."""
    Notice.unsent().filter(attempt=attempt).update(user=attempt.user_id)


def forget(attempts: QuerySet[Attempt]) -> None:
    """What these attempts were about is over."""
    rows = Notice.unsent().filter(attempt__in=attempts)
    rows.update(dropped=clock.now(), why=Why.OVER)


def _open(attempt: Attempt, step: str = "") -> Notice | None:
    rows = Notice.unsent().filter(attempt=attempt, kind__in=Notice.OF_A_TURN, step=step)
    return rows.order_by("pk").first()


def _write(
    attempt: Attempt,
    kind: Notice.Kind,
    not_before: datetime | None,
    step: str = "",
    key: str = "",
) -> Notice:
    key = key or f"{step or 'promise'}:{attempt.pk}:{clock.now().isoformat()}"
    row = _row(attempt, kind, key, not_before, attempt.user_id)
    row.step = step
    row.save()
    return row


def _row(
    attempt: Attempt, kind: Notice.Kind, key: str, not_before: datetime | None, user_id: int
) -> Notice:
    return Notice(
        kind=kind,
        user_id=user_id,
        connection_id=attempt.connection_id,
        attempt=attempt,
        not_before=not_before,
        key=key,
    )


def _add(*rows: Notice) -> None:
    """Each key once, whoever else writes it."""
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def _change(row: Notice, **values: object) -> None:
    """Also while it is being sent: whoever sends it then finds that it has changed, and leaves it."""
    Notice.objects.filter(pk=row.pk).update(**WANTED, asked_again=None, **values)


def came_back(attempt: Attempt) -> None:
    """The team goes on: the reminders that were sent have helped."""
    reminders = attempt.notices.filter(kind=Kind.UNFINISHED, came_back=None)
    reminders.exclude(mailed=None).update(came_back=clock.now())


# -- a shop: it broke, it healed by itself ---------------------------------------------------------


def broke(connection: Connection) -> None:
    """A check has taken the shop's status away. All members hear of it if it stays so for a while."""
    now = clock.now()
    rows = [
        Notice(
            kind=Kind.BROKEN,
            user_id=member.user_id,
            connection=connection,
            at=now,
            not_before=now + settings.BROKEN_NOTICE_AFTER,
            key=f"broken:{connection.pk}:{now.isoformat()}:{member.user_id}",
        )
        for member in Membership.active(connection.account.merchant_id)
    ]
    _add(*rows)


def healed(connection: Connection) -> None:
    """A check has found the shop working again: whoever was told that it broke is told so."""
    now = clock.now()
    latest = connection.notices.filter(kind=Kind.BROKEN).order_by("-at").first()
    if latest is None:
        return
    of_this_time = connection.notices.filter(kind=Kind.BROKEN, at=latest.at, dropped=None)
    told = of_this_time.exclude(mailed=None, mail_tries=0)  # or is being told now
    rows = [
        Notice(
            kind=Kind.HEALED,
            user_id=row.user_id,
            connection=connection,
            at=now,
            not_before=now,
            key=f"healed:{row.pk}",
        )
        for row in told
    ]
    _add(*rows)
    of_this_time.filter(mailed=None, mail_tries=0).update(dropped=now, why=Why.OVER)

"""Talking to the vendor: outside any transaction, under the account's lease."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from vendors.contract import Garbled, Unavailable, VendorError, text

from ..models import Attempt, Connection
from ..situation import dumped
from . import hops, orders, records
from .leases import LEASE, Lease, LeaseLost, alone, leased
from .orders import Trip
from .outcomes import Outcome, blocked, write
from .settle import settle

log = logging.getLogger(__name__)
ROUNDS = 40  # of Progress in one go: more than any flow needs
BUSY = timedelta(seconds=1)  # until the account's other conversation is asked about again
SWITCHED_OFF = timedelta(hours=1)


def carry(attempt_id: int, *, present: bool = False) -> None:
    """Carry an attempt on until somebody else has to act. Safe at any time, from anywhere."""
    attempt = Attempt.objects.select_related("connection").get(pk=attempt_id)
    with leased(attempt.connection.account_id) as lease:
        if lease is None:
            _later(Attempt, attempt_id)
            return
        for _ in range(ROUNDS):
            trip = _prepare(attempt_id, lease, present)
            if trip is None or not _step(trip):
                return
        if trip := _prepare(attempt_id, lease, present):
            trip.order = replace(trip.order, announced="", unsure="")  # nothing was asked
            settled(trip, Garbled(f"{trip.call} made no headway in {ROUNDS} rounds"))


def refresh(connection_id: int) -> None:
    """Ask the vendor whether a shop is (still) connected."""
    account_id = Connection.objects.values_list("account_id", flat=True).get(pk=connection_id)
    with leased(account_id) as lease:
        if lease is None:
            _later(Connection, connection_id)
            return
        for _ in range(ROUNDS):
            trip = _prepare_check(connection_id, lease)
            if trip is None or not _step(trip):
                return


def _step(trip: Trip) -> bool:
    """Ask and write. Where a limit is shared, from counting to the saved creation nobody else makes."""
    if not (trip.vendor.serial and trip.order.announced):
        return settled(trip, ask(trip))
    with alone(trip.vendor.slug) as mine:
        queue = text(
            "One moment: another shop is being prepared at %(vendor)s.", vendor=trip.vendor.name
        )
        return settled(
            trip, ask(trip) if mine else Unavailable("another creation goes on", note=queue)
        )


def _later(model: type[Attempt] | type[Connection], pk: int) -> None:
    rows = model._default_manager.filter(pk=pk).exclude(due_at=None)
    rows.update(due_at=timezone.now() + BUSY)


@transaction.atomic
def _prepare(attempt_id: int, lease: Lease, present: bool) -> Trip | None:
    """The next call, or None when nothing is to be done. Counts the try before the call is made."""
    lease.renew()
    attempt = records.attempt(attempt_id)
    account = attempt.connection.account
    if attempt.ended or attempt.due_at is None:
        return None
    if attempt.deadline <= timezone.now():
        records.expire(attempt)
        return None
    vendor = orders.vendor_of(account.vendor)
    if vendor is None:
        _switched_off(attempt)
        return None
    if account.unsure and account.creator_id != attempt.pk and attempt.purpose != "end":
        row = blocked(vendor, f"unsure-{account.unsure}")
        records.tell(attempt, write(attempt, row))
        return None
    attempt.tries += 1
    attempt.due_at = timezone.now() + LEASE
    attempt.save(update_fields=["tries", "due_at"])
    return Trip(
        lease=lease,
        vendor=vendor,
        connection=attempt.connection,
        attempt=attempt,
        order=orders.for_attempt(attempt, state=hops.blank(attempt), present=present),
        call=attempt.call["name"],
        argument=attempt.call.get("argument"),
        number=attempt.call_number,
    )


@transaction.atomic
def _prepare_check(connection_id: int, lease: Lease) -> Trip | None:
    lease.renew()
    connection = records.connection(connection_id)
    vendor = orders.vendor_of(connection.account.vendor)
    if connection.due_at is None or vendor is None:
        Connection.objects.filter(pk=connection_id, due_at__isnull=False).update(
            due_at=timezone.now() + SWITCHED_OFF
        )
        return None
    connection.tries += 1
    connection.due_at = timezone.now() + LEASE
    connection.save(update_fields=["tries", "due_at"])
    order = orders.for_connection(connection, "check")
    return Trip(
        lease=lease,
        vendor=vendor,
        connection=connection,
        attempt=None,
        order=order,
        call="check",
    )


def _switched_off(attempt: Attempt) -> None:
    attempt.due_at = timezone.now() + SWITCHED_OFF
    note = dumped(text("This service is switched off at the moment. Your place is kept."))
    attempt.note, told = note, attempt.note != note
    records.tell(attempt, told)


def ask(trip: Trip) -> Outcome:
    """With no transaction and no database connection held. Catches the contract's errors alone."""
    if not database.in_atomic_block:
        database.close()
    vendor, order, argument = trip.vendor, trip.order, trip.argument
    try:
        match trip.call:
            case "start":
                return vendor.start(order)
            case "returned":
                return vendor.returned(order, argument)
            case "answered":
                return vendor.answered(order, argument)
            case "check":
                return vendor.check(order)
            case "enter":
                return vendor.enter(order)
            case "end":
                return vendor.end(order)
            case "pause":
                return vendor.pause(order)
            case "resume":
                return vendor.resume(order)
            case "resolve":
                return vendor.resolve(order, argument)
            case "act":
                return vendor.act(order, argument["key"], argument["answers"])
    except VendorError as error:
        log.info("%s %s: %s %s", vendor.slug, trip.call, type(error).__name__, error.detail)
        return error
    raise TypeError(f"{trip.call} is no call of the contract")


def settled(trip: Trip, outcome: Outcome) -> bool:
    """Write what the vendor answered; True when the journey goes on at once."""
    try:
        with transaction.atomic():
            trip.lease.renew()
            return settle(trip, outcome)
    except LeaseLost:
        log.warning("%s %s: took longer than the lease", trip.vendor.slug, trip.call)
        return False

"""Run the steps of an attempt and the checks of a shop against the scripted vendor, without waiting."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from onboarding import journey
from onboarding.models import Attempt, Connection, User
from onboarding.models.memo import readable
from tests.support.people import People, connector
from tests.support.scripted import Answer, Scripted
from vendors.contract import Connected, Waiting, text

CONNECTED = Connected(shop_id="shop-1", evidence=text("The vendor lists it."))
WAIT = Waiting(note=text("…"), poll_every=timedelta(minutes=1), give_up_after=timedelta(hours=1))


def begin_attempt(people: People, name: str = "My shop", user: User | None = None) -> Attempt:
    """Alice, or somebody else, begins a shop of this name, whatever else she has begun."""
    shop = people.acme.accounts.first()
    found = shop.connections.first() if shop else None
    return journey.begin(
        merchant=people.acme,
        connector=found.connector if found else connector("scripted"),
        user=user or people.alice,
        name=name,
        answers={},
        another=True,
    )


def run_step(attempt: Attempt, vendor: Scripted, *answers: Answer, present: bool = True) -> Attempt:
    """Advance the attempt with these answers, all of which must be used."""
    vendor.script.extend(answers)
    Attempt.objects.filter(pk=attempt.pk, ended=None).update(due_at=timezone.now())
    journey.advance(attempt.pk, present=present)
    assert not vendor.script
    return reloaded(attempt)


def reloaded(attempt: Attempt) -> Attempt:
    return Attempt.objects.select_related("connection__account", "user").get(pk=attempt.pk)


def run_check(connection: Connection, vendor: Scripted, *answers: Answer) -> Connection:
    """Check a shop now, with these answers of the vendor."""
    vendor.script.extend(answers)
    Connection.objects.filter(pk=connection.pk).update(due_at=timezone.now())
    journey.check(connection.pk)
    assert not vendor.script
    return Connection.objects.select_related("account").get(pk=connection.pk)


def close_pages() -> None:
    """No merchant is waiting at the page of an attempt any more."""
    for row in Attempt.objects.filter(ended=None):
        row.call = readable(row.call) | {"asked": None}
        row.save(update_fields=["call"])

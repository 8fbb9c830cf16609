"""A vendor's outage as its circuit breaker records it, and a merchant who joins the waitlist."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from onboarding.models import Breaker, User
from tests.support.people import People
from tests.support.visit import browser, offer


def begin_outage(cause: str = "silent", vendor: str = "scripted") -> None:
    now = timezone.now()
    Breaker.objects.create(
        vendor=vendor,
        host="vendor.example",
        failures=3,
        cause=cause,
        opened=now - timedelta(minutes=5),
        retry_at=now + timedelta(minutes=1),
    )


def end_outage() -> None:
    Breaker.objects.update(failures=0, cause="", opened=None, retry_at=None)


def page(people: People, name: str = "connect") -> str:
    return reverse(name, args=[people.acme.reference, offer().slug])


def join_waitlist(people: People, user: User | None = None, **typed: str) -> Any:
    """A member of Acme presses "Leave it with us". Returns the page that follows."""
    data = {"name": "Ann’s shop", **typed}
    return browser(user or people.alice).post(page(people, "leave-it"), data, follow=True)

"""Scenes: how the site comes to make one documented call, and how people continue afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from onboarding import journey
from onboarding.models import Account, Attempt, Connection, Connector
from tests.contract.fixtures import resolve, travel
from tests.contract.row import State, contracts
from tests.faults.kinds import FAULTS, Call, Fault, Injector
from tests.faults.rules import Code, Sort
from tests.support import staff
from tests.support.attempts import close_pages
from tests.support.merchant import Browser
from tests.support.registry import declared, required
from vendors.contract import Vendor, VendorError


@dataclass
class Driver:
    """The test driver: one merchant, one member of staff and one vendor.

    `staff_text` is the last page that staff read, `next_url` what the merchant opens next.
    """

    slug: str
    injector: Injector
    browser: Browser
    staff: Client
    staff_text: str = ""
    next_url: str = ""

    @property
    def vendor(self) -> Vendor:
        vendor: Vendor = settings.VENDORS.offered[self.slug]
        return vendor

    @property
    def connection(self) -> Connection:
        return Connection.objects.select_related("account").latest("pk")

    @property
    def attempt(self) -> Attempt:
        return Attempt.objects.select_related("connection__account").latest("pk")

    # -- merchants -------------------------------------------------------------------------------

    def connect(self, name: str = "My shop", *press: str, slug: str = "") -> None:
        travel(self.browser, self.leave(name, slug), *press)

    def leave(self, name: str = "My shop", slug: str = "") -> str:
        """Press Connect. Returns the vendor's link."""
        connector = slug or contracts()[self.slug].connector
        return self.browser.connect(Connector.objects.get(slug=connector), name)

    def come_back(self) -> None:
        """Open `next_url`, and go on from there."""
        travel(self.browser, self.next_url)

    def press(self, button: str, *press: str) -> None:
        """Press a button of the shop's page, and go through the vendor's pages."""
        travel(
            self.browser,
            self.browser.press(f"{self.connection.get_absolute_url()}{button}/"),
            *press,
        )

    def try_again(self) -> None:
        """Press the button of the attempt's page."""
        page = self.attempt.get_absolute_url()
        travel(self.browser, self.browser.press(f"{page}continue/"))

    def go_on(self) -> None:
        """The vendor works again: staff do their part, time passes, the merchant goes on."""
        account = Account.objects.latest("pk")
        if account.unsure:
            resolve(self.injector.stage, account)
        if self.connection.task:
            journey.complete_task(self.connection.pk)
        advance_due()
        for _ in range(3):
            attempt = Attempt.objects.filter(ended=None).last()
            if attempt is None:
                return
            travel(self.browser, self.browser.press(f"{attempt.get_absolute_url()}continue/"))

    # -- staff -----------------------------------------------------------------------------------

    def submit_admin(self, name: str, *args: object, **answers: str) -> None:
        """POST a form of the admin, and read the page that follows."""
        answer = self.staff.post(
            reverse(f"admin:onboarding_{name}", args=args), answers, follow=True
        )
        self.read_staff_page(answer)

    def read_staff_page(self, answer: Any) -> None:
        assert isinstance(answer, HttpResponse)
        self.staff_text = staff.page_text(answer)

    def compare(self) -> None:
        address = reverse("admin:onboarding_connector_vendor", args=[self.slug])
        self.read_staff_page(self.staff.get(f"{address}?compare=1"))

    def probe(self) -> None:
        """Probe the vendor, and word the result as the admin would."""
        try:
            self.vendor.probe()
        except VendorError as error:
            self.staff_text = f"{type(error).__name__}: {error.detail}"
        else:
            self.staff_text = "accepted"

    def check(self) -> None:
        """Check the shop, as the sweep does when it is due."""
        connection = self.connection
        Connection.objects.filter(pk=connection.pk).update(due_at=timezone.now())
        journey.check(connection.pk)


def advance_due() -> None:
    """Advance every scheduled attempt, as a sweep does when no page is open any more."""
    close_pages()
    rows = Attempt.objects.filter(ended=None).exclude(due_at=None)
    rows.update(due_at=timezone.now())
    for pk in rows.values_list("pk", flat=True):
        journey.advance(pk)


def nothing(driver: Driver) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`act` makes the call, after `ready`. At the end the vendor has exactly `after`.

    `retried`: before the faults, `act` runs once up to this call, which is answered with 429; each
    fault then meets the merchant's retry. Otherwise `act` runs again for each fault.
    `says` is what people read when nothing fails; `during` the status while we wait; `but` the outcomes
    that differ from other calls of its sort, and `why` the reason.
    """

    route: str
    when: str
    sort: Sort
    act: Callable[[Driver], None]
    says: str
    after: Mapping[str, int]
    ready: Callable[[Driver], None] = nothing
    retried: bool = False
    skip: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    during: str = "in_progress"
    but: Mapping[str, Code] = field(default_factory=dict)
    why: str = ""
    recover: Callable[[Driver], None] | None = None
    ends: str = "connected"

    def call(self, vendor: str, skip: int | None = None) -> Call:
        spared = 0 if self.retried else self.skip
        return Call(vendor, self.route, spared if skip is None else skip)


def no_counts(state: State) -> Mapping[str, int]:
    return {}


def nothing_cached() -> None:
    """The client caches nothing in its process."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """What one vendor adds to the matrix of faults. `MATRIX` in tests/vendors/<slug>/faults.py."""

    MODULE: ClassVar[str] = "faults"
    NAME: ClassVar[str] = "MATRIX"

    slug: str = required("the vendor's slug")
    name: str = required("the vendor's name, a heading of docs/faults.md")
    scenes: Sequence[Scene] = required("a Scene for each documented call that the site makes")
    # Further faults that the vendor's documents name.
    own: Sequence[Fault] = ()
    # Documented calls that the site never makes: route → why.
    not_made: Mapping[str, str] = field(default_factory=dict)
    # Secrets of the vendor that we store nowhere in plain text: kind in its sandbox → fields.
    opens: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # What `after` of a scene counts besides created things: count(state) → kind → how many.
    count: Callable[[State], Mapping[str, int]] = no_counts
    # Clears the client's caches, or a later cell would make fewer calls.
    forget: Callable[[], None] = nothing_cached

    @property
    def faults(self) -> tuple[Fault, ...]:
        return (*FAULTS, *self.own)


def matrices() -> tuple[Matrix, ...]:
    return tuple(declared(Matrix).values())

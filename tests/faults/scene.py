"""A scene: how the site comes to make one documented call, and how people go on afterwards."""

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
from tests.contract.row import State, contracts
from tests.contract.stage import resolve, travel
from tests.faults.kinds import FAULTS, Call, Fault, Ground
from tests.faults.rules import Code, Sort
from tests.support import staff
from tests.support.attempts import close_pages
from tests.support.merchant import Browser
from tests.support.registry import declared, required
from vendors.contract import Vendor, VendorError


@dataclass
class Play:
    """One merchant, a browser of staff, and one vendor. `said` is what staff read last, `ahead` the
    address that the merchant's browser opens next."""

    slug: str
    ground: Ground
    browser: Browser
    staff: Client
    said: str = ""
    ahead: str = ""

    @property
    def vendor(self) -> Vendor:
        vendor: Vendor = settings.VENDORS.offered[self.slug]
        return vendor

    @property
    def shop(self) -> Connection:
        return Connection.objects.select_related("account").latest("pk")

    @property
    def attempt(self) -> Attempt:
        return Attempt.objects.select_related("connection__account").latest("pk")

    # -- merchants -------------------------------------------------------------------------------

    def connect(self, name: str = "My shop", *press: str, slug: str = "") -> None:
        travel(self.browser, self.leave(name, slug), *press)

    def leave(self, name: str = "My shop", slug: str = "") -> str:
        """The vendor's link."""
        connector = slug or contracts()[self.slug].connector
        return self.browser.connect(Connector.objects.get(slug=connector), name)

    def come_back(self) -> None:
        """Open what lies ahead, and go on from there."""
        travel(self.browser, self.ahead)

    def press(self, button: str, *press: str) -> None:
        """A button of the shop's page, and on through the vendor's pages."""
        travel(self.browser, self.browser.press(f"{self.shop.get_absolute_url()}{button}/"), *press)

    def try_again(self) -> None:
        """The button of the attempt's page."""
        page = self.attempt.get_absolute_url()
        travel(self.browser, self.browser.press(f"{page}continue/"))

    def go_on(self) -> None:
        """The vendor works again: staff do their part, time passes, the merchant goes on."""
        account = Account.objects.latest("pk")
        if account.unsure:
            resolve(self.ground.stage, account)
        carry_due()
        for _ in range(3):
            attempt = Attempt.objects.filter(ended=None).last()
            if attempt is None:
                return
            travel(self.browser, self.browser.press(f"{attempt.get_absolute_url()}continue/"))

    # -- staff -----------------------------------------------------------------------------------

    def at_desk(self, name: str, *args: object, **answers: str) -> None:
        """POST a form of the admin; what staff read then."""
        answer = self.staff.post(
            reverse(f"admin:onboarding_{name}", args=args), answers, follow=True
        )
        self.hear(answer)

    def hear(self, answer: Any) -> None:
        assert isinstance(answer, HttpResponse)
        self.said = staff.page_text(answer)

    def compare(self) -> None:
        address = reverse("admin:onboarding_connector_vendor", args=[self.slug])
        self.hear(self.staff.get(f"{address}?compare=1"))

    def probe(self) -> None:
        """In words of the admin, so that it is judged like anything else that staff ask for."""
        try:
            self.vendor.probe()
        except VendorError as error:
            self.said = f"{type(error).__name__}: {error.detail}"
        else:
            self.said = "accepted"

    def check(self) -> None:
        """The vendor is asked about the shop, as the sweep does when it is due."""
        shop = self.shop
        Connection.objects.filter(pk=shop.pk).update(due_at=timezone.now())
        journey.check(shop.pk)


def carry_due() -> None:
    """Whatever waits for its time is due now, as in a sweep when nobody is at a page any more."""
    close_pages()
    rows = Attempt.objects.filter(ended=None).exclude(due_at=None)
    rows.update(due_at=timezone.now())
    for pk in rows.values_list("pk", flat=True):
        journey.advance(pk)


def nothing(play: Play) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`act` makes the call, after `ready`. In the end there is `after` at the vendor, never more.

    `brink`: `act` has gone as far as to this call, which was answered with 429 and did nothing; the
    merchant tries again. Else what leads to the call is done anew for each fault.
    `says` is what is read when nothing goes wrong; `during` the status while we wait; `but` what this
    call does otherwise than others of its sort, and `why` is where that stands.
    """

    route: str
    when: str
    sort: Sort
    act: Callable[[Play], None]
    says: str
    after: Mapping[str, int]
    ready: Callable[[Play], None] = nothing
    brink: bool = False
    skip: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    during: str = "in_progress"
    but: Mapping[str, Code] = field(default_factory=dict)
    why: str = ""
    mend: Callable[[Play], None] | None = None
    ends: str = "connected"

    def call(self, vendor: str, skip: int | None = None) -> Call:
        spared = 0 if self.brink else self.skip
        return Call(vendor, self.route, spared if skip is None else skip)


def no_counts(state: State) -> Mapping[str, int]:
    return {}


def nothing_kept() -> None:
    """The client keeps nothing in its process."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """What one vendor adds to the matrix of faults. `MATRIX` in tests/vendors/<slug>/faults.py."""

    MODULE: ClassVar[str] = "faults"
    NAME: ClassVar[str] = "MATRIX"

    slug: str = required("the vendor's slug")
    name: str = required("the vendor's name, a heading of docs/faults.md")
    scenes: Sequence[Scene] = required("a Scene for each documented call that the site makes")
    # Ways of failing that the vendor's documents name beside the common ones.
    own: Sequence[Fault] = ()
    # Documented calls that the site never makes: route → why.
    not_made: Mapping[str, str] = field(default_factory=dict)
    # What opens something at the vendor, and stands nowhere with us: kind in its sandbox → fields.
    opens: Mapping[str, Sequence[str]] = field(default_factory=dict)
    # What `after` of a scene counts beside what was made: count(state) → kind → how many.
    count: Callable[[State], Mapping[str, int]] = no_counts
    # Forgets what the client keeps in its process, or a later cell would call less.
    forget: Callable[[], None] = nothing_kept

    @property
    def faults(self) -> tuple[Fault, ...]:
        return (*FAULTS, *self.own)


def matrices() -> tuple[Matrix, ...]:
    return tuple(declared(Matrix).values())

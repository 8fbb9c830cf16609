"""The same form or button sent twice at the same moment makes one thing, and neither answer is an error."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core import mail
from django.db.models import QuerySet
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from onboarding.journey import merchant_actions
from onboarding.models import (
    Attempt,
    ClosingMail,
    Connection,
    Connector,
    ConnectorRequest,
    Consent,
    Invitation,
    Membership,
    Merchant,
    User,
    WaitlistEntry,
)
from onboarding.views.start import business
from tests.support.at_once import at_once, meeting
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.factors import add_app, app_code, shown_secret
from tests.support.outages import begin_outage
from tests.support.people import People, person
from tests.support.people import business as business_of
from tests.support.recent import just_signed_in
from tests.support.scripted import Scripted
from tests.support.staff import staff_client
from tests.support.visit import OPEN, browser, offer, start_attempt, url
from vendors.contract import Connected, Declined, Done, text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
DONE = Done(here=text("We no longer use it."), there=text("It stays there."))
BY_STAFF = replace(DONE, staff_task="Pause it there.")  # the shop stays connected until they did
OTHER = replace(CONNECTED, shop_id="shop-2")
MANY = 20  # presses: ten tabs, and each presses again at once


@dataclass(frozen=True)
class Press:
    """A form that is sent twice: by whom, where to, with what, and the rows of which one is made."""

    client: Client
    path: str
    form: dict[str, str]
    made: QuerySet[Any]


@dataclass
class Scene:
    people: People
    scripted: Scripted

    @property
    def alice(self) -> Client:
        return browser(self.people.alice)

    def team(self, name: str, *args: Any) -> str:
        return reverse(name, args=[self.people.acme.reference, *args])

    def connected(self) -> Connection:
        connection = run_step(begin_attempt(self.people), self.scripted, CONNECTED).connection
        return Connection.objects.select_related("account__merchant").get(pk=connection.pk)


def welcome(scene: Scene) -> Press:
    dora = browser(person("dora@example.org", "Dora"))
    return Press(
        dora, reverse("welcome"), {"name": "Twice GmbH"}, Merchant.objects.filter(name="Twice GmbH")
    )


def begin_as_newcomer(scene: Scene) -> Press:
    """One form names the business and begins, with the shop's name left open."""
    scene.scripted.script.append(OPEN)
    page = reverse("platform", args=[offer().platform])
    form = {"business": "Twice GmbH", "name": "", "seen": ""}
    return Press(browser(person("dora@example.org", "Dora")), page, form, made_by_newcomer())


def made_by_newcomer() -> QuerySet[Any]:
    return Connection.objects.filter(account__merchant__name="Twice GmbH")


def leave_it_as_newcomer(scene: Scene) -> Press:
    begin_outage()
    page = reverse("platform", args=[offer().platform])
    form = {"business": "Twice GmbH", "seen": "", "leave-it": "1"}
    entries = WaitlistEntry.objects.filter(merchant__name="Twice GmbH")
    return Press(browser(person("dora@example.org", "Dora")), page, form, entries)


def begin_for_one_of_two(scene: Scene) -> Press:
    """A shop is there already, and the vendor connects this one before the second press is read."""
    start_attempt(scene.people, scene.scripted, CONNECTED, name="eBay")
    second = business_of("Second", owner=scene.people.alice)
    known = Attempt.objects.get().reference
    scene.scripted.script.append(CONNECTED)
    page = reverse("platform", args=[offer().platform])
    form = {"business": second.reference, "name": "", "seen": known}
    shops = Connection.objects.filter(account__merchant=second)
    return Press(scene.alice, page, form, shops)


def begin_unnamed(scene: Scene) -> Press:
    """Another shop whose name is left open: the second press must not take the next free name."""
    start_attempt(scene.people, scene.scripted, OPEN, name="eBay")
    scene.scripted.script.append(CONNECTED)
    page = scene.team("connect", offer().slug)
    form = {"name": "", "another": "1", "seen": Attempt.objects.get().reference}
    return Press(scene.alice, page, form, Connection.objects.exclude(name="eBay"))


def begin(scene: Scene) -> Press:
    scene.scripted.script.append(OPEN)
    page = scene.team("connect", offer().slug)
    return Press(scene.alice, page, {"name": "eBay"}, Connection.objects.all())


def begin_another(scene: Scene) -> Press:
    start_attempt(scene.people, scene.scripted, OPEN, name="eBay")
    scene.scripted.script.append(OPEN)
    page = scene.team("connect", offer().slug)
    form = {"name": "eBay 2", "another": "1", "seen": Attempt.objects.get().reference}
    return Press(scene.alice, page, form, Connection.objects.filter(name="eBay 2"))


def begin_and_agree(scene: Scene) -> Press:
    """What was agreed to is kept once."""
    return replace(begin(scene), made=Consent.objects.all())


def begin_and_connect(scene: Scene) -> Press:
    """The vendor connects the shop at once, before the second press is read."""
    scene.scripted.script.append(CONNECTED)
    page = scene.team("connect", offer().slug)
    return Press(scene.alice, page, {"name": "eBay", "seen": ""}, Connection.objects.all())


def leave_it(scene: Scene) -> Press:
    begin_outage()
    page = scene.team("leave-it", offer().slug)
    return Press(scene.alice, page, {"name": "eBay"}, WaitlistEntry.objects.all())


def ask(scene: Scene) -> Press:
    form = {"name": "Shopware", "email": "new@example.org", "country": "Germany"}
    return Press(browser(), reverse("ask"), form, ConnectorRequest.objects.all())


def both(scene: Scene) -> Press:
    first = scene.connected()
    again = start_again(scene, first, OTHER)
    scene.scripted.script.append(OTHER)
    shops = Connection.objects.filter(name="Second")
    return Press(scene.alice, url("both", again), {"name": "Second"}, shops)


def start_again(scene: Scene, connection: Connection, answer: Connected) -> Attempt:
    attempt = merchant_actions.reconnect(connection, scene.people.alice)
    return run_step(attempt, scene.scripted, answer)


def on_shop(name: str, purpose: str, answer: Any) -> Callable[[Scene], Press]:
    def press(scene: Scene) -> Press:
        shop = scene.connected()
        seen = shop.attempts.get().reference
        scene.scripted.script.extend([answer] * MANY)
        rows = Attempt.objects.filter(purpose=purpose)
        return Press(scene.alice, url(name, shop), {"seen": seen}, rows)

    return press


def resume(scene: Scene) -> Press:
    shop = scene.connected()
    scene.scripted.script.extend([DONE, DONE])
    scene.alice.post(url("pause", shop))
    return Press(scene.alice, url("resume", shop), {}, Attempt.objects.filter(purpose="resume"))


def act(scene: Scene) -> Press:
    shop = scene.connected()
    scene.scripted.script.append(DONE)
    path = reverse("act", args=[scene.people.acme.reference, shop.reference, "mine"])
    form = {"seen": shop.attempts.get().reference}
    return Press(scene.alice, path, form, Attempt.objects.filter(purpose="act"))


def invite(scene: Scene) -> Press:
    form = {"email": "dora@example.org", "role": "member"}
    return Press(scene.alice, scene.team("invite"), form, Invitation.objects.all())


def accept(scene: Scene) -> Press:
    dora = person("dora@example.org", "Dora")
    made = scene.people.acme.invitations.create(email=dora.email, invited_by=scene.people.alice)
    rows = Membership.objects.filter(user=dora)
    return Press(browser(dora), made.get_absolute_url(), {}, rows)


def sign_up(scene: Scene) -> Press:
    rows = User.objects.filter(email="new@example.org")
    return Press(browser(), reverse("account_login"), {"email": "new@example.org"}, rows)


def confirm_sign_up(scene: Scene) -> Press:
    newcomer = browser()
    newcomer.post(reverse("account_login"), {"email": "new@example.org"})
    rows = EmailAddress.objects.filter(email="new@example.org", verified=True)
    return Press(newcomer, reverse("account_confirm_login_code"), {"code": mailed_code()}, rows)


def further_address(scene: Scene) -> Press:
    alice = scene.alice
    alice.post(reverse("account_email"), {"action_add": "", "email": "second@example.org"})
    rows = EmailAddress.objects.filter(email="second@example.org")
    page = reverse("account_email_verification_sent")
    return Press(alice, page, {"code": mailed_code()}, rows)


def mailed_code() -> str:
    """The code in the newest mail, alone on its line."""
    found = re.search(r"^[0-9A-Z]{4}-?[0-9A-Z]{2,4}$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found.group()


def passkey(scene: Scene) -> Press:
    alice = scene.alice
    record_authentication(alice, scene.people.alice)
    form = {"name": "Phone", "credential": json.dumps({"id": "abc", "type": "public-key"})}
    return Press(alice, reverse("mfa_add_webauthn"), form, Authenticator.objects.all())


def app(scene: Scene) -> Press:
    alice = scene.alice
    record_authentication(alice, scene.people.alice)
    secret = shown_secret(alice.get(reverse("mfa_activate_totp")).content.decode())
    rows = Authenticator.objects.filter(type="totp")
    return Press(alice, reverse("mfa_activate_totp"), {"code": app_code(secret)}, rows)


def new_codes(scene: Scene) -> Press:
    alice = scene.alice
    record_authentication(alice, scene.people.alice)
    add_app(scene.people.alice)
    alice.post(reverse("mfa_reauthenticate"), {"code": app_code()})
    rows = Authenticator.objects.filter(type="recovery_codes")
    return Press(alice, reverse("mfa_generate_recovery_codes"), {}, rows)


def record_authentication(client: Client, user: User) -> None:
    """As if she had just signed in."""
    session = client.session
    session["account_authentication_methods"] = [{"method": "code", "at": time.time()}]
    session.save()


def close_account(scene: Scene) -> Press:
    bob = just_signed_in(browser(scene.people.bob))
    return Press(bob, reverse("close-account"), {}, ClosingMail.objects.all())


def close_business(scene: Scene) -> Press:
    alice = just_signed_in(scene.alice)
    receipts = ClosingMail.objects.filter(kind=ClosingMail.Kind.BUSINESS_CLOSED)
    return Press(alice, scene.team("close-business"), {"name": "Acme"}, receipts)


def staff_adds(
    model: str, form: dict[str, str], made: Callable[[], QuerySet[Any]]
) -> Callable[[Scene], Press]:
    def press(scene: Scene) -> Press:
        staff, page = staff_client(), reverse(f"admin:{model}_add")
        filled_in = {**shown_form(staff, page), **form}
        return Press(staff, page, filled_in, made())

    return press


def shown_form(client: Client, page: str) -> dict[str, str]:
    """The hidden id of the form on a page."""
    found = re.search(r'name="form_id" value="([^"]+)"', client.get(page).content.decode())
    return {"form_id": found[1]} if found else {}


def staff_adds_a_connector(scene: Scene) -> Press:
    opens = offer()
    form = {"opens": str(opens.pk), "name": "Profile", "platform": "shop", "category": "shop"}
    form |= {"description": "", "visible": "on", "position": "5", "options": "{}"}
    rows = Connector.objects.filter(name="Profile")
    return staff_adds("onboarding_connector", form, lambda: rows)(scene)


def staff_acts(scene: Scene) -> Press:
    shop = scene.connected()
    scene.scripted.script.append(DONE)
    page = reverse("admin:onboarding_connection_act", args=[shop.pk, "tidy"])
    staff = staff_client()
    entries = LogEntry.objects.filter(change_message__contains="Tidy")
    return Press(staff, page, shown_form(staff, page), entries)


NO_MEMBERS = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}

# Every address at which a POST creates something, by its name, and how it is sent twice.
CREATES: dict[str, list[Callable[[Scene], Press]]] = {
    "welcome": [welcome],
    "ask": [ask],
    "platform": [begin_as_newcomer, leave_it_as_newcomer, begin_for_one_of_two],
    "connect": [begin, begin_another, begin_unnamed, begin_and_agree, begin_and_connect],
    "leave-it": [leave_it],
    "both": [both],
    "reconnect": [
        on_shop("reconnect", "reconnect", OPEN),
        on_shop("reconnect", "reconnect", CONNECTED),
    ],
    "enter": [on_shop("enter", "enter", OPEN)],
    "pause": [on_shop("pause", "pause", BY_STAFF), on_shop("pause", "pause", DONE)],
    "resume": [resume],
    "disconnect": [on_shop("disconnect", "end", DONE)],
    "act": [act],
    "invite": [invite],
    "invitation": [accept],
    "account_login": [sign_up],
    "account_confirm_login_code": [confirm_sign_up],
    "account_email_verification_sent": [further_address],
    "mfa_add_webauthn": [passkey],
    "close-account": [close_account],
    "close-business": [close_business],
    "mfa_activate_totp": [app],
    "mfa_generate_recovery_codes": [new_codes],
    "admin:onboarding_user_add": [
        staff_adds(
            "onboarding_user",
            {"email": "u@example.org", "name": "U", "language": "en"},
            lambda: User.objects.filter(email="u@example.org"),
        )
    ],
    "admin:onboarding_merchant_add": [
        staff_adds(
            "onboarding_merchant",
            {"name": "New", "language": "en", **NO_MEMBERS},
            lambda: Merchant.objects.filter(name="New"),
        )
    ],
    "admin:onboarding_connector_add": [staff_adds_a_connector],
    "admin:onboarding_connection_act": [staff_acts],
    "admin:auth_group_add": [
        staff_adds("auth_group", {"name": "Helpers"}, lambda: Group.objects.all())
    ],
}


@pytest.fixture
def scene(people: People, scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> Scene:
    for name in ("parse_registration_response", "complete_registration"):
        monkeypatch.setattr(auth, name, lambda credential: None)  # a browser's own work
    return Scene(people, scripted)


def twice(press: Press, times: int = 2) -> list[Any]:
    """The answers to the same form, sent by one browser from several tabs at the same moment."""
    tabs = min(times, MANY // 2)
    answers = at_once(*[partial(in_a_tab, press, times // tabs)] * tabs)
    return [each for of_a_tab in answers for each in of_a_tab]


def in_a_tab(press: Press, times: int) -> list[Any]:
    tab = Client()
    tab.cookies.load({name: each.value for name, each in press.client.cookies.items()})
    return [tab.post(press.path, press.form) for _ in range(times)]


CASES = [
    pytest.param(press, id=f"{name}-{number}")
    for name, presses in CREATES.items()
    for number, press in enumerate(presses)
]


@pytest.mark.parametrize("case", CASES)
def test_two_at_once_make_one(scene: Scene, case: Callable[[Scene], Press]) -> None:
    press = case(scene)
    answers = twice(press)
    assert press.made.count() == 1
    assert {answer.status_code for answer in answers} <= {200, 302, 303, 422}


@pytest.mark.parametrize("name", ["reconnect", "enter", "pause", "resume", "disconnect", "act"])
def test_twenty_presses_make_one_attempt(scene: Scene, name: str) -> None:
    press = CREATES[name][-1](scene)
    twice(press, MANY)
    assert press.made.count() == 1


@pytest.mark.parametrize("name", ["continue", "check-again"])
def test_twenty_presses_go_on_with_one_attempt(scene: Scene, name: str) -> None:
    attempt = start_attempt(scene.people, scene.scripted, Declined())
    scene.scripted.script.extend([OPEN] * MANY)
    twice(Press(scene.alice, url(name, attempt), {}, Attempt.objects.all()), MANY)
    assert Attempt.objects.get().answer == "redirect"


def test_who_looks_at_the_same_moment_makes_one_business(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    press = welcome(scene)
    meeting(monkeypatch, business, "memberships")
    first, second = twice(press)
    assert first["Location"] == second["Location"] == press.made.get().get_absolute_url()


# -- the table above is whole ----------------------------------------------------------------------

# A POST there creates nothing that could be there twice, or there is no POST.
NOTHING_IS_MADE = {
    "language",
    *("account_inactive", "account_login_password", "account_logout", "account_signup"),
    *("account_change_password", "account_set_password", "account_reauthenticate"),
    *(
        "account_request_login_code",
        "account_email",
        "account_reset_password",
        "account_reauthenticate_code",
        "",
        "security_txt",
    ),
    *("account_complete_password_reset", "account_confirm_password_reset_code"),
    *("account_password_reset_completed", "answer", "attempt", "attempt-status", "brand_css"),
    *(
        "catalogue",
        "change-role",
        "change-rights",
        "take-back",
        "check-again",
        "connection",
        "connection-status",
        "continue",
    ),
    *(
        "demo_mail_html",
        "demo_mails",
        "finish",
        "go",
        "go-back",
        "home",
        "leave-team",
        "mfa_authenticate",
    ),
    *("mfa_edit_webauthn", "mfa_index", "mfa_list_webauthn", "mfa_login_webauthn"),
    *("mfa_set_up", "mfa_deactivate_totp", "mfa_view_recovery_codes"),
    *("mfa_download_recovery_codes", "mfa_confirm_recovery_codes"),
    "admin:onboarding_user_reset_factors",
    *("mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn"),
    *(
        "own-name",
        "remove",
        "remove-member",
        "rename",
        "rename-business",
        "return",
        "return-elsewhere",
        "return-here",
    ),
    *("account_events", "team-events"),
    *("mails", "own-mails", "address-works"),  # one row for what is switched off, by its key
    *("return-lost", "reveal", "reveal-download"),
    *("reveal-kept", "revoke", "send-again", "shops", "start", "team", "use-found"),
    *("admin:", "admin:app_list", "admin:autocomplete", "admin:index", "admin:jsi18n"),
    *("admin:login", "admin:logout", "admin:password_change", "admin:password_change_done"),
    *("admin:view_on_site", "admin:onboarding_account_know", "admin:onboarding_account_resolve"),
    *("admin:onboarding_connection_ask", "admin:onboarding_connection_done"),
    *("admin:onboarding_connector_plan", "admin:onboarding_connector_vendor"),
    # the same code as of "admin:onboarding_connection_act"
    *("admin:onboarding_account_act", "admin:onboarding_connector_act"),
    "admin:onboarding_connector_run",
    "admin:onboarding_connection_confirm",
    "forget-it",
    *("sessions", "admin:onboarding_user_sessions"),
    *("shop-receipt", "shop-receipt-older", "shop-receipt-download", "receipt-keys"),
    *("own-data", "own-data-download", "business-data", "business-data-download", "receipt"),
    # the same code as of "close-account" and "close-business"
    *("admin:onboarding_user_close", "admin:onboarding_merchant_close"),
    *("admin:onboarding_user_export", "admin:onboarding_merchant_export"),
    "admin:onboarding_erasuretask_done",
}
LISTS = re.compile(r"admin:(onboarding|auth)_[a-z]+_(changelist|change|delete|history)")
ONLY_READ = {
    "account",
    "alert",
    "attempt",
    "connection",
    "connectorrequest",
    "erasuretask",
    "hourlycalls",
    "mailrecord",
    "refusedaddress",
    "securityevent",
    "waitlistentry",
}


def url_names(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    for each in resolver.url_patterns:
        if isinstance(each, URLPattern):
            yield f"{namespace}{each.name or ''}"
        else:
            inner = f"{each.namespace}:" if each.namespace else ""
            yield from url_names(each, namespace + inner)


def test_every_address_says_whether_it_creates_something() -> None:
    """A new address belongs into CREATES or into NOTHING_IS_MADE."""
    names = {name for name in url_names(get_resolver()) if not LISTS.fullmatch(name)}
    never = {f"admin:onboarding_{model}_add" for model in ONLY_READ}
    assert names - never == CREATES.keys() | NOTHING_IS_MADE

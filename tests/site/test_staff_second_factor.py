"""With STAFF_MFA, no page opens for staff until their session has shown a second factor."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.doctor import people as doctor_people
from onboarding.management.commands.staff import make_staff
from onboarding.models import SecurityEvent, Session, User
from tests.support.codes import signed_in
from tests.support.factors import (
    STEP,
    STILL_YOU,
    add_app,
    add_recovery_codes,
    app_code,
    enter_mailed_code,
    kinds_of,
    shown_codes,
    shown_secret,
    sign_in,
)
from tests.support.passkeys import add_passkey
from tests.support.people import People, person
from tests.support.scripted import offered
from tests.support.site_map import Obliging, World, addresses, build, forms
from tests.support.staff import every_page, limited_client
from tests.support.visit import visible_text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]
ERIN = "erin@example.org"
SET_UP, CODES = reverse("mfa_set_up"), reverse("mfa_view_recovery_codes")
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def world(people: People, settings: Settings) -> World:
    """Rows for every page of the admin, and Erin, who is staff."""
    vendor = Obliging()
    settings.VENDORS = offered(vendor)
    return build(people, vendor)


@pytest.fixture
def erin(transactional_db: None) -> User:
    return make_staff(ERIN)


@pytest.fixture
def asked(settings: Settings) -> None:
    settings.STAFF_MFA = True


def of_before(user: User) -> Client:
    """A session from before STAFF_MFA was on: signed in by a mailed code alone."""
    client = Client()
    client.force_login(user, BACKEND)
    return client


def admin_addresses(world: World) -> list[str]:
    found = {path for path in addresses(world) if path.startswith("/admin/")} | set(every_page())
    return sorted(found - {reverse("admin:logout")})


# -- what is closed --------------------------------------------------------------------------------


@pytest.mark.parametrize("has", ["nothing", "app", "passkey"])
def test_every_address_of_the_admin_is_closed_to_a_session_without_it(
    world: World, asked: None, has: str
) -> None:
    {"nothing": lambda user: None, "app": add_app, "passkey": add_passkey}[has](world.staff)
    way = {"nothing": SET_UP, "app": STILL_YOU, "passkey": reverse("mfa_reauthenticate_webauthn")}
    client, paths = of_before(world.staff), admin_addresses(world)
    assert len(paths) > 60
    for path in paths:
        for method in ("get", "post", "head", "put"):
            answer = getattr(client, method)(path)
            assert answer.status_code == 302, (method, path)
            assert answer.headers["Location"].startswith(way[has]), (method, path)


def test_no_form_of_the_admin_changes_anything_without_it(world: World, settings: Settings) -> None:
    client = of_before(world.staff)
    pages = {path: client.get(path) for path in every_page()}
    settings.STAFF_MFA = True
    found = [form for path, page in pages.items() if page.status_code == 200
             for form in forms("staff", path, page.content.decode())]  # fmt: skip
    assert len(found) > 10
    for form in found:
        if form.action != reverse("admin:logout"):
            assert client.post(form.action, dict(form.fields))["Location"] == SET_UP, form.action


def test_the_merchants_pages_of_staff_are_closed_too(
    people: People, erin: User, asked: None
) -> None:
    people.acme.memberships.create(user=erin)
    client = of_before(erin)
    for path in ("/", "/shops/", people.acme.get_absolute_url(), reverse("account_email")):
        assert client.get(path)["Location"] == SET_UP


def test_staff_with_few_rights_are_asked_too(world: World, asked: None) -> None:
    assert limited_client("view_account").get("/admin/")["Location"] == SET_UP


@pytest.mark.parametrize("on", [True, False])
def test_merchants_notice_nothing(people: People, settings: Settings, on: bool) -> None:
    settings.STAFF_MFA = on
    client = Client()
    enter_mailed_code(client, people.alice.email)
    assert client.get(people.acme.get_absolute_url()).status_code == 200


def test_on_loopback_staff_sign_in_by_code_alone(client: Client, erin: User) -> None:
    assert enter_mailed_code(client, ERIN, to="/admin/") == "/admin/"
    assert client.get("/admin/").status_code == 200


# -- setting it up ---------------------------------------------------------------------------------


def test_staff_are_led_to_an_app_and_then_where_they_were_heading(
    client: Client, world: World, asked: None
) -> None:
    target = "/admin/onboarding/connection/"
    assert enter_mailed_code(client, ERIN, to=target) == target
    assert client.get(target)["Location"] == SET_UP
    assert "Set up a second step" in visible_text(client.get(SET_UP))
    activate = reverse("mfa_activate_totp")
    secret = shown_secret(client.get(activate).content.decode())
    assert client.post(activate, {"code": app_code(secret)})["Location"] == CODES
    assert client.get(target)["Location"] == CODES  # not before the codes are saved
    assert len(shown_codes(client.get(CODES).content.decode())) == 10
    seen = client.get(CODES).context["seen"]
    answer = client.post(reverse("mfa_confirm_recovery_codes"), {"seen": seen})
    assert answer.headers["Location"] == target
    assert client.get(target).status_code == 200


def test_an_address_that_was_never_confirmed_is_no_dead_end(
    client: Client, erin: User, asked: None
) -> None:
    EmailAddress.objects.create(user=erin, email="old@example.org", verified=False)
    enter_mailed_code(client, ERIN)
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


@pytest.mark.parametrize("what", ["app", "recovery"])
def test_staff_sign_in_with_both_steps(client: Client, erin: User, asked: None, what: str) -> None:
    add_app(erin)
    codes = add_recovery_codes(erin)
    assert enter_mailed_code(client, ERIN, to="/admin/") == STEP
    code = app_code() if what == "app" else codes[9]
    assert client.post(STEP, {"code": code})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_staff_with_a_passkey_are_asked_for_it_after_a_code(
    client: Client, erin: User, asked: None
) -> None:
    add_passkey(erin)
    assert enter_mailed_code(client, ERIN) == STEP
    assert "Use the passkey" in visible_text(client.get(STEP))
    assert not signed_in(client)


def test_an_old_session_shows_the_second_factor_and_goes_on(erin: User, asked: None) -> None:
    add_app(erin)
    client = of_before(erin)
    asked_at = client.get("/admin/")["Location"]
    assert client.post(asked_at, {"code": app_code()})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_an_old_session_cannot_add_a_factor_in_place_of_the_one_that_is_there(
    erin: User, asked: None
) -> None:
    add_passkey(erin)
    client = of_before(erin)
    for name in ("mfa_activate_totp", "mfa_add_webauthn", "mfa_set_up"):
        assert client.get(reverse(name))["Location"].startswith("/accounts/2fa/")
        assert client.post(reverse(name), {"code": "1"}).status_code == 302
    assert kinds_of(erin) == ["webauthn"]


def test_a_mailed_code_does_not_answer_for_staff_who_have_a_passkey(
    erin: User, asked: None
) -> None:
    add_passkey(erin)
    code_page = reverse("account_reauthenticate_code")
    assert of_before(erin).post(code_page, {"send": ""})["Location"].startswith("/accounts/2fa/")
    assert mail.outbox == []


def test_who_removes_the_last_one_has_to_set_one_up_again(
    client: Client, erin: User, asked: None, clock: time_machine.Traveller
) -> None:
    add_app(erin)
    sign_in(client, erin)
    clock.shift(60)
    client.post(f"{STILL_YOU}?next=/", {"code": app_code()})
    client.post(reverse("mfa_deactivate_totp"))
    assert kinds_of(erin) == []
    assert client.get("/admin/")["Location"] == SET_UP


# -- when all is lost ------------------------------------------------------------------------------


def lost(user: User) -> tuple[User, Client]:
    """Somebody with all of it, and a browser where they are signed in."""
    add_app(user)
    add_passkey(user)
    add_recovery_codes(user)
    client = Client()
    sign_in(client, user)
    cache.clear()
    return user, client


def events() -> list[Any]:
    reset = SecurityEvent.objects.filter(kind=SecurityEvent.Kind.FACTOR_RESET)
    return [*reset.values_list("user__email", "by__email", "detail")]


def test_a_command_resets_a_member_of_staff(erin: User, people: People, asked: None) -> None:
    user, browser = lost(erin)
    alice = of_before(people.alice)
    EmailAddress.objects.create(user=user, email="erin@home.example", verified=True)
    call_command("staff", ERIN, "--reset-factors", stdout=StringIO())
    assert kinds_of(user) == []
    assert not signed_in(browser)
    assert alice.get(people.acme.get_absolute_url()).status_code == 200
    assert events() == [(ERIN, None, "by a command")]
    told = {each.to[0] for each in mail.outbox if "was removed" in each.subject}
    assert told == {ERIN, "erin@home.example"}
    user.refresh_from_db()
    assert user.is_staff


def test_the_command_says_when_there_is_nothing_to_reset(erin: User) -> None:
    with pytest.raises(CommandError, match="no second step"):
        call_command("staff", ERIN, "--reset-factors")
    with pytest.raises(CommandError, match="Nobody has an account"):
        call_command("staff", "nobody@example.org", "--reset-factors")
    assert User.objects.count() == 1


def reset_by(client: Client, user: User, **form: str) -> Any:
    return client.post(reverse("admin:onboarding_user_reset_factors", args=[user.pk]), form)


def test_staff_reset_a_merchant_and_say_how_they_know_them(
    client: Client, erin: User, people: People
) -> None:
    alice, browser = lost(people.alice)
    enter_mailed_code(client, ERIN)
    page = client.get(reverse("admin:onboarding_user_change", args=[alice.pk]))
    assert "Remove their second step" in visible_text(page)
    assert reset_by(client, alice).status_code == 422
    assert len(kinds_of(alice)) == 3
    assert reset_by(client, alice, proof="called").status_code == 302
    assert kinds_of(alice) == []
    assert not browser.get("/shops/").wsgi_request.user.is_authenticated
    assert events() == [(alice.email, ERIN, "proof: called")]


def test_only_superusers_reset_staff_and_nobody_themselves(
    client: Client, erin: User, people: People
) -> None:
    colleague = person("gus@example.org", "Gus")
    User.objects.filter(pk=colleague.pk).update(is_staff=True)
    add_passkey(colleague)
    limited = limited_client("view_user", "change_user")
    assert reset_by(limited, colleague, proof="met").status_code in {302, 403}
    assert kinds_of(colleague) == ["webauthn"]
    add_passkey(erin)
    enter_mailed_code(client, ERIN)
    assert reset_by(client, erin, proof="met").status_code == 403
    assert reset_by(client, colleague, proof="met").status_code == 302
    assert (kinds_of(erin), kinds_of(colleague)) == (["webauthn"], [])


def test_sessions_of_others_stay(erin: User, people: People) -> None:
    of_before(people.alice)
    lost(erin)
    before = Session.objects.count()
    call_command("staff", ERIN, "--reset-factors", stdout=StringIO())
    assert Session.objects.count() < before
    assert Session.objects.exists()


# -- what operators read ---------------------------------------------------------------------------


def test_doctor_says_which_staff_have_no_second_step(
    erin: User, asked: None, settings: Settings
) -> None:
    add_app(make_staff("gus@example.org"))
    found = doctor_people.staff_factors()
    assert (found.level, "1 of 2 staff" in found.message) == ("note", True)
    add_passkey(erin)
    assert doctor_people.staff_factors().level == "ok"
    settings.STAFF_MFA = False
    assert "mailed code alone" in doctor_people.staff_factors().message

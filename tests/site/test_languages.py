"""Whose language pages and mails are in, and the choice of another one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django.fixtures import Settings

from onboarding.models import Session, User
from onboarding.views import errors
from tests.support.codes import newest_code
from tests.support.people import People
from tests.support.visit import browser

CHOOSE = reverse("language")
COOKIE = "gangway_language"


@pytest.fixture(autouse=True)
def _three_languages(settings: Settings) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("sv", "Svenska")]


def language_of(answer: Any) -> str:
    """The language of a page, which says it twice."""
    found = re.search(r'<html lang="([\w-]+)"', answer.content.decode())
    assert found
    assert found[1] == answer["Content-Language"]
    return found[1]


def asking_for(*languages: str) -> dict[str, str]:
    return {"Accept-Language": ",".join(languages)}


# -- whose language --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("person", "cookie", "asked", "spoken"),
    [
        ("", "", ["sv-SE", "en"], "sv"),
        ("", "", ["pt", "de-AT;q=0.5"], "de"),
        ("", "", ["pt"], "en"),
        ("", "de", ["sv"], "de"),
        ("", "xx", ["sv"], "sv"),
        ("", "de" * 900, ["sv"], "sv"),
        ("sv", "de", ["en"], "sv"),
        ("xx", "de", ["sv"], "de"),
    ],
)
def test_the_person_comes_before_the_cookie_and_the_cookie_before_the_browser(
    people: People, person: str, cookie: str, asked: list[str], spoken: str
) -> None:
    User.objects.filter(pk=people.alice.pk).update(language=person)
    client = browser(people.alice) if person else Client()
    client.cookies[COOKIE] = cookie
    page = client.get(reverse("catalogue"), headers=asking_for(*asked))
    assert language_of(page) == spoken


@pytest.mark.parametrize("path", ["/nowhere/", "/?q=%00", "/connect/nothing/", "/language/"])
def test_an_error_is_in_the_reader_s_language(db: None, path: str) -> None:
    assert language_of(Client().get(path, headers=asking_for("sv"))) == "sv"


def test_an_error_of_somebody_signed_in_is_in_their_language(people: People) -> None:
    User.objects.filter(pk=people.alice.pk).update(language="de")
    answer = browser(people.alice, strict=True).post(reverse("welcome"), headers=asking_for("sv"))
    assert answer.status_code == 403
    assert language_of(answer) == "de"


def test_what_fails_before_anything_is_known_of_the_reader_has_their_language(db: None) -> None:
    """The language of this thread's last page is nobody's any more."""
    with translation.override("de"):
        long = Client().post("/", "x" * 300_000, "text/plain", headers=asking_for("sv"))
    assert (long.status_code, language_of(long)) == (413, "sv")


def test_what_is_no_request_is_answered_in_the_language_of_the_site() -> None:
    with translation.override("de"):
        answer = errors.unread(400)
        assert '<html lang="en"' in answer.content.decode()
        assert translation.get_language() == "de"


def test_a_failure_of_ours_is_in_the_reader_s_language(db: None) -> None:
    with translation.override("sv"):
        assert '<html lang="sv"' in errors._alone(500, "", "", "").content.decode()


def test_caches_keep_languages_apart(db: None) -> None:
    page = Client().get(reverse("start"))
    assert {"Accept-Language", "Cookie"} <= {each.strip() for each in page["Vary"].split(",")}
    assert "Accept-Language" not in Client().get(reverse("brand_css")).get("Vary", "")


# -- the choice ------------------------------------------------------------------------------------


def test_each_page_offers_the_languages_in_their_own_words(db: None) -> None:
    for path in (reverse("start"), reverse("account_login"), "/nowhere/"):
        page = Client().get(path, headers=asking_for("de")).content.decode()
        assert re.findall(r'value="\w+"\s+lang="(\w+)"[^>]*>(\w+)</button>', page) == [
            *(("en", "English"), ("de", "Deutsch"), ("sv", "Svenska")),
        ]
        assert re.findall(r'lang="(\w+)"\s+aria-current="true"', page) == ["de"]


def test_one_language_is_no_choice(db: None, settings: Settings) -> None:
    settings.LANGUAGES = [("en", "English")]
    assert CHOOSE not in Client().get(reverse("start")).content.decode()


def test_who_chooses_comes_back_to_the_page(db: None) -> None:
    visitor = Client()
    page = reverse("catalogue") + "?q=shop"
    answer = visitor.post(CHOOSE, {"language": "de", "next": page})
    assert (answer.status_code, answer["Location"]) == (303, page)
    assert language_of(visitor.get(page, headers=asking_for("sv"))) == "de"


@pytest.mark.parametrize(
    ("target", "led"),
    [
        ("https://evil.example/a", "/"),
        ("//evil.example/", "/"),
        ("", "/"),
        ("/" * 3000, "/"),
        ("/connectors/nothing/at/all/", "/connectors/"),
        ("/accounts/2fa/recovery-codes/download/?a=1", "/accounts/2fa/recovery-codes/"),
    ],
)
def test_a_page_that_cannot_be_opened_leads_to_one_above_it(
    db: None, target: str, led: str
) -> None:
    answer = Client().post(CHOOSE, {"language": "sv", "next": target})
    assert answer["Location"] == led
    assert answer.cookies[COOKIE].value == "sv"


@pytest.mark.parametrize("code", ["xx", "", "DE", "de\n"])
def test_what_is_not_offered_cannot_be_chosen(people: People, code: str) -> None:
    User.objects.filter(pk=people.alice.pk).update(language="sv")
    answer = browser(people.alice).post(CHOOSE, {"language": code})
    assert COOKIE not in answer.cookies
    people.alice.refresh_from_db()
    assert people.alice.language == "sv"


def test_a_choice_holds_for_the_person_in_every_browser(people: People) -> None:
    browser(people.alice).post(CHOOSE, {"language": "sv", "next": "/shops/"})
    people.alice.refresh_from_db()
    assert people.alice.language == "sv"
    elsewhere = Client()
    elsewhere.force_login(people.alice)
    assert language_of(elsewhere.get(people.acme.get_absolute_url())) == "sv"


def test_another_site_cannot_choose(people: People) -> None:
    answer = browser(people.alice, strict=True).post(CHOOSE, {"language": "sv"})
    assert answer.status_code == 403


# -- signing up and in -----------------------------------------------------------------------------


def sign_in(client: Client, email: str, **headers: Any) -> User:
    client.post(reverse("account_login"), {"email": email}, **headers)
    code = {"code": newest_code()}
    assert client.post(reverse("account_confirm_login_code"), code, **headers).status_code == 302
    return User.objects.get(email=email)


def test_who_signs_up_keeps_the_language_of_the_browser(transactional_db: None) -> None:
    newcomer = sign_in(Client(), "nora@example.org", headers=asking_for("sv"))
    assert newcomer.language == "sv"
    assert mail.outbox[-1].to == ["nora@example.org"]


def test_what_was_chosen_before_signing_in_stays(people: People) -> None:
    User.objects.filter(pk=people.alice.pk).update(language="de")
    client = Client()
    client.post(CHOOSE, {"language": "sv"})
    assert sign_in(client, people.alice.email).language == "sv"


def test_a_stranger_s_choice_makes_no_session(db: None) -> None:
    visitor = Client()
    visitor.post(CHOOSE, {"language": "sv"})
    assert not Session.objects.exists()


def test_who_changes_their_mind_later_keeps_that(people: People) -> None:
    client = Client()
    client.post(CHOOSE, {"language": "sv"})
    sign_in(client, people.alice.email)
    client.post(CHOOSE, {"language": "de"})
    client.post(reverse("account_logout"))
    assert sign_in(client, people.alice.email).language == "de"


def test_a_browser_with_another_language_changes_nothing(people: People) -> None:
    User.objects.filter(pk=people.alice.pk).update(language="de")
    client = Client()
    client.cookies[COOKIE] = "sv"
    assert sign_in(client, people.alice.email).language == "de"


def test_whose_language_is_unknown_gets_that_of_the_browser(people: People) -> None:
    User.objects.filter(pk=people.alice.pk).update(language="")
    found = sign_in(Client(), people.alice.email, headers=asking_for("sv"))
    assert found.language == "sv"


def test_a_code_is_mailed_in_the_language_of_the_account(people: People) -> None:
    User.objects.filter(pk=people.alice.pk).update(language="de", last_login="2026-01-01T00:00Z")
    Client().post(reverse("account_login"), {"email": people.alice.email})
    message = mail.outbox[-1]
    assert isinstance(message, mail.EmailMultiAlternatives)
    assert '<html lang="de"' in str(message.alternatives[0][0])


def test_a_business_has_the_language_of_its_first_member(transactional_db: None) -> None:
    client = Client()
    newcomer = sign_in(client, "nora@example.org", headers=asking_for("sv"))
    client.post(reverse("welcome"), {"name": "Nora’s Nuts"})
    assert newcomer.merchants.get().language == "sv"

"""Cookies of the site: names of our own, bound to this host with https, beside those of any other app."""

from __future__ import annotations

import re
from http.cookies import SimpleCookie

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from onboarding.conf.message_storage import MessageCookie
from tests.support.people import People
from tests.support.visit import visible_text

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
# Another Django app's, of a parent domain: with values that it understands and we do not.
THEIRS = {
    "sessionid": "8f2k1c0q9w7e5r3t1y2u4i6o8p0a9s7d",
    "csrftoken": "t" * 32,
    "messages": '[["__json_message",0,25,"Theirs"]]:1rPk2o:bm90IG91cnM',
    "django_language": "de",
}


class Neighbour(Client):
    """A browser that also sends the other app's cookies, before ours or after them."""

    def __init__(self, theirs_first: bool) -> None:
        super().__init__(enforce_csrf_checks=True)
        self.theirs_first = theirs_first

    def _base_environ(self, **request: object) -> dict[str, object]:
        environ: dict[str, object] = super()._base_environ(**request)  # type: ignore[misc]
        theirs = "; ".join(f"{name}={value}" for name, value in THEIRS.items())
        both = [theirs, str(environ.get("HTTP_COOKIE", ""))]
        both = both if self.theirs_first else both[::-1]
        return environ | {"HTTP_COOKIE": "; ".join(filter(None, both))}


def token(response: object) -> str:
    assert isinstance(response, HttpResponse)
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', response.content.decode())
    assert found
    return found[1]


@pytest.mark.parametrize("theirs_first", [True, False])
def test_cookies_of_another_app_neither_sign_out_nor_break_a_form(
    people: People, settings: Settings, theirs_first: bool
) -> None:
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    alice = Neighbour(theirs_first)
    alice.force_login(people.alice, BACKEND)
    page = alice.get(f"/m/{people.acme.reference}/team/invite/")
    assert b'lang="en"' in page.content
    form = {"email": "dan@example.org", "role": "member", "csrfmiddlewaretoken": token(page)}
    assert alice.post(f"/m/{people.acme.reference}/team/invite/", form).status_code in {302, 303}
    said = alice.get(f"/m/{people.acme.reference}/team/")
    assert "dan@example.org is invited." in visible_text(said)
    assert "Theirs" not in visible_text(said)
    assert not set(THEIRS) & set(alice.cookies)


@pytest.mark.parametrize("theirs_first", [True, False])
def test_signing_out_touches_our_cookies_only(people: People, theirs_first: bool) -> None:
    alice = Neighbour(theirs_first)
    alice.force_login(people.alice, BACKEND)
    form = {"csrfmiddlewaretoken": token(alice.get("/accounts/logout/"))}
    assert not set(alice.post("/accounts/logout/", form).cookies) & set(THEIRS)
    assert alice.get("/shops/").status_code == 302


def set_everywhere(client: Client, people: People, secure: bool) -> SimpleCookie:
    """The cookies that a visit sets: session, CSRF token, a message and a language."""
    client.force_login(people.alice, BACKEND)
    client.get("/accounts/logout/", secure=secure)
    client.post("/accounts/logout/", secure=secure)
    client.post("/accounts/login/", {"email": "dan@example.org"}, secure=secure)
    client.post("/language/", {"language": "en"}, secure=secure)
    return client.cookies


def test_every_cookie_has_a_name_of_our_own(people: People) -> None:
    found = set_everywhere(Client(), people, secure=False)
    names = ("session", "csrf", "messages", "language", "chosen")
    assert set(found) == {f"gangway_{name}" for name in names}


def test_with_https_every_cookie_belongs_to_this_host_alone(
    people: People, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SESSION", "CSRF", "LANGUAGE", "CHOSEN", "MESSAGES"):
        setattr(settings, f"{name}_COOKIE_NAME", f"__Host-gangway_{name.lower()}")
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.LANGUAGE_COOKIE_SECURE = True
    monkeypatch.setattr(MessageCookie, "cookie_name", settings.MESSAGES_COOKIE_NAME)
    found = set_everywhere(Client(), people, secure=True)
    assert len(found) == 5
    for name, cookie in found.items():
        assert name.startswith("__Host-")
        assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", "")

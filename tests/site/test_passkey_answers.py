"""What is sent in place of a browser's answer about a passkey is refused, and is never an error."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from tests.support.people import People
from tests.support.visit import browser

pytestmark = pytest.mark.both
ADD, LOGIN = reverse("mfa_add_webauthn"), reverse("mfa_login_webauthn")
ODD = [
    "", " ", "null", "1", "[]", "{}", '"x"', "[" * 5_000, '{"a":' * 5_000, '{"id": "\\ud800"}',
    '{"id": "\\u0000"}', "\0", "\ud800", "9" * 5_000, "NaN", "1e999", "x" * 200_000,
]  # fmt: skip
# Base64url of nothing, of text, of bytes that CBOR reads as a map, an array, a text without its end.
WORDS = [
    "",
    "x",
    "eA",
    "oA",
    "gA",
    "eQ__",
    "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVgA",
    "=",
    "ä",
    "e30",
]
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.sampled_from(WORDS)
)
NAMES = ["id", "rawId", "type", "response", "clientDataJSON", "attestationObject", "signature"]
NAMES += ["authenticatorData", "userHandle", "clientExtensionResults", "transports"]
OBJECTS = st.recursive(
    LEAVES,
    lambda inner: st.dictionaries(st.sampled_from(NAMES), inner) | st.lists(inner, max_size=3),
    max_leaves=8,
)
PARTS = st.one_of(st.sampled_from(WORDS), OBJECTS)
NEARLY = st.fixed_dictionaries(
    {"id": PARTS, "rawId": PARTS, "type": st.sampled_from(["public-key", "x", None, 1])},
    optional={
        "response": st.one_of(
            PARTS, st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, PARTS))
        ),
        "clientExtensionResults": PARTS,
        "authenticatorAttachment": PARTS,
    },
)


@pytest.fixture(autouse=True)
def _unlimited(settings: Settings) -> None:
    settings.MFA_RATE_LIMITS = False


@pytest.fixture
def alice(people: People) -> Client:
    """Alice's browser, that was asked to make a passkey."""
    client = browser(people.alice)
    assert client.get(ADD).status_code == 200
    return client


@pytest.fixture
def nobody(transactional_db: None) -> Client:
    """A browser that was asked to sign in with a passkey."""
    client = browser()
    response = client.get(LOGIN, headers={"X-Requested-With": "XMLHttpRequest"})
    assert response.status_code == 200
    return client


def refused(client: Client, path: str, answer: str) -> None:
    form = urlencode({"credential": answer, "name": "Key"}, errors="surrogatepass")
    response = client.post(path, form, content_type="application/x-www-form-urlencoded")
    assert response.status_code == (200 if path == ADD else 302)
    assert not Authenticator.objects.exists()
    assert path == ADD or "_auth_user_id" not in client.session


@pytest.mark.parametrize("answer", ODD)
def test_an_answer_that_is_no_answer_makes_no_passkey(alice: Client, answer: str) -> None:
    refused(alice, ADD, answer)


@pytest.mark.parametrize("answer", ODD)
def test_an_answer_that_is_no_answer_signs_nobody_in(nobody: Client, answer: str) -> None:
    refused(nobody, LOGIN, answer)


@pytest.mark.parametrize("path", [ADD, LOGIN])
def test_what_nearly_is_an_answer_is_refused_too(alice: Client, nobody: Client, path: str) -> None:
    @bounded(
        max_examples=120, deadline=None, database=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(st.one_of(NEARLY, NEARLY, OBJECTS))
    def never_an_error(answer: object) -> None:
        refused(alice if path == ADD else nobody, path, json.dumps(answer))

    never_an_error()

"""Causes in words: staff read what happened and what to do, never a key such as "refused-404"."""

from __future__ import annotations

import pytest

import vendors
from onboarding.models import Alert
from onboarding.models.status import Cause
from onboarding.notifications.causes import explain
from tests.support.scripted import Scripted
from tests.support.staff import listed, page, page_text, staff_client
from vendors.contract import Vendor

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "cause", [*Cause.values, "credentials", "unavailable", "garbled", "unsure"]
)
def test_each_cause_of_ours_is_a_sentence_with_advice(scripted: Scripted, cause: str) -> None:
    explanation = explain("scripted", cause)
    assert explanation.what.endswith(".")
    assert explanation.to_do.endswith(".")
    assert "%" not in explanation.what + explanation.to_do
    assert cause not in explanation.what.split()


@pytest.mark.parametrize(
    ("cause", "what"),
    [
        ("refused-404", "Scripted refused a request of ours (HTTP 404)."),
        ("refused-no_such_shop", "Scripted refused a request of ours (no_such_shop)."),
        ("unsure-room", "We do not know whether Scripted carried out a request."),
        ("garbled-list", "We do not understand an answer of Scripted."),
    ],
)
def test_a_cause_with_a_code_is_explained_by_its_kind(
    scripted: Scripted, cause: str, what: str
) -> None:
    assert explain("scripted", cause).what == what


@pytest.mark.parametrize("kind", vendors.ALL, ids=lambda kind: kind.slug)
def test_the_causes_of_a_vendor_are_whole_sentences(kind: type[Vendor]) -> None:
    for note in kind.cause_notes.values():
        assert str(note.what).endswith(".")
        assert str(note.to_do).endswith(".")


def test_the_list_of_alerts_says_what_happened(scripted: Scripted) -> None:
    Alert.open("scripted", "refused-404")
    shown = page_text(staff_client().get(listed("alert")))
    assert "Scripted refused a request of ours (HTTP 404)." in shown


def test_an_alert_says_what_to_do(scripted: Scripted) -> None:
    Alert.open("mail", Cause.UNDELIVERED)
    shown = page_text(staff_client().get(page(Alert.objects.get())))
    assert "manage.py doctor` tries the mail server" in shown

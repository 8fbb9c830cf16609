"""The export: every column that refers to a person or a business is in a document, or has a reason."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import models

from onboarding.models import (
    Account,
    Attempt,
    Connection,
    Connector,
    Merchant,
    SecurityEvent,
    User,
    WaitlistEntry,
)
from onboarding.models.memo import columns
from onboarding.rights import export
from tests.support.attempts import CONNECTED, begin_attempt, run_step
from tests.support.people import People
from tests.support.scripted import Scripted

pytestmark = pytest.mark.both

COVERED = {name for section in (*export.PERSON, *export.BUSINESS) for name in section.covers}
OF_A_BUSINESS = (Merchant, Account, Connection, Attempt)


def label(field: models.Field[object, object]) -> str:
    return f"{field.model._meta.app_label}.{field.model.__name__}.{field.name}"


def referring(*subjects: type[models.Model]) -> Iterator[str]:
    """The columns of all models that lead to one of these."""
    for model in apps.get_models(include_auto_created=False):
        for field in model._meta.get_fields():
            if field.concrete and field.remote_field and field.related_model in subjects:
                yield label(field)


def email_columns() -> Iterator[str]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.EmailField) or "email" in field.name:
                yield label(field)


def test_everything_about_a_person_is_in_their_document() -> None:
    wanted = {*referring(User), *email_columns(), "onboarding.Session.session_data"}
    through = {"onboarding.Merchant.members"}  # of memberships
    assert wanted - COVERED - export.NOT_EXPORTED.keys() == through


def test_everything_about_a_business_is_in_its_document() -> None:
    assert set(referring(*OF_A_BUSINESS)) - COVERED - export.NOT_EXPORTED.keys() == set()


def test_no_section_covers_what_is_not_there() -> None:
    fields = {
        label(field)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.concrete
    }
    assert COVERED | export.NOT_EXPORTED.keys() <= fields


@pytest.fixture
def connection(people: People, scripted: Scripted) -> Connection:
    connection = run_step(begin_attempt(people), scripted, CONNECTED).connection
    for model, column in columns():
        model._default_manager.filter(pk__gt=0).exclude(**{column: None}).update(
            **{column: {"token": "canary-secret"}}
        )
    return connection


def test_a_person_gets_what_they_are_and_did(people: People, connection: Connection) -> None:
    SecurityEvent.objects.create(kind="signed_in", user=people.alice, address="192.0.2.7")
    document = export.person(people.alice)
    assert document["format"] == "gangway-person/1"
    assert document["profile"]["email"] == "alice@example.org"
    assert document["memberships"][0]["business"] == "Acme"
    assert document["attempts"][0]["shop"] == connection.name
    assert document["security_events"][0]["ip_address"] == "192.0.2.7"


def test_a_document_has_no_secret(people: People, connection: Connection) -> None:
    data = {"name": "Phone", "credential": {"key": "canary-secret"}}
    Authenticator.objects.create(user=people.alice, type="webauthn", data=data)
    text = json.dumps([export.person(people.alice), export.business(people.acme)])
    assert "canary-secret" not in text
    assert "Phone" in text
    assert export.ENCRYPTED in text


def test_a_person_gets_nothing_of_another(people: People, connection: Connection) -> None:
    text = json.dumps(export.person(people.charlie))
    assert "alice" not in text
    assert "Acme" not in text


def test_a_business_gets_its_team_and_shops(people: People, connection: Connection) -> None:
    document = export.business(people.acme)
    assert [row["email"] for row in document["team"]] == ["alice@example.org", "bob@example.org"]
    assert document["shops"][0]["reference"] == connection.reference
    assert document["timeline"][0]["by"] == "alice@example.org"


def test_what_somebody_entered_while_they_wait_is_theirs(
    people: People, connection: Connection
) -> None:
    WaitlistEntry.objects.create(
        user=people.bob,
        merchant=people.acme,
        connector=Connector.objects.get(),
        typed={"name": "Bob's"},
    )
    assert export.person(people.bob)["waiting_list"][0]["entered"] == {"name": "Bob's"}

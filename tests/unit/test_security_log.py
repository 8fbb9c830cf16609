"""Lines and counts of the security log, and the alerts that come of them."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import RequestFactory
from django.utils import timezone
from pytest_django.fixtures import Settings

from onboarding.background import runner, schedule
from onboarding.models import Alert, SecurityEvent, User
from onboarding.monitoring import logs, security_log
from onboarding.notifications import security_alerts, staff_alerts
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.sweep import sweep

pytestmark = pytest.mark.both
Kind = SecurityEvent.Kind


@pytest.fixture(autouse=True)
def _told(settings: Settings) -> None:
    settings.STAFF_EMAIL = ["staff@example.org"]
    settings.SITE_URL = "https://shops.example.org"


def request_of(user: User) -> Any:
    request = RequestFactory().get("/", REMOTE_ADDR="203.0.113.7")
    request.user = user
    return request


def events(number: int, kind: str, **fields: Any) -> None:
    rows = [
        SecurityEvent(kind=kind, **{"address": f"203.0.113.{n}", **fields}) for n in range(number)
    ]
    SecurityEvent.objects.bulk_create(rows)


def open_alerts() -> list[str]:
    return [str(alert) for alert in Alert.objects.filter(cleared=None)]


# -- lines -------------------------------------------------------------------------------------------


def line(people: People, caplog: pytest.LogCaptureFixture, formatter: logging.Formatter) -> str:
    with caplog.at_level("INFO", "onboarding.security"):
        security_log.record(
            Kind.ROLE_CHANGED, request_of(people.alice), user=people.bob, merchant=people.acme,
            detail="owner now",
        )  # fmt: skip
    record = caplog.records[-1]
    record.reference = "7K3Q-9M2P"
    return formatter.format(record)


def test_a_line_of_text_has_every_part(people: People, caplog: pytest.LogCaptureFixture) -> None:
    said = line(people, caplog, logs.Text(logs.TEXT, style="{"))
    assert said.endswith(
        f"INFO onboarding.security [7K3Q-9M2P] role_changed: person {people.bob.pk}, by {people.alice.pk},"
        f" business {people.acme.reference}, address 203.0.113.7, detail owner now"
    )


def test_a_line_of_json_has_a_field_for_each_part(
    people: People, caplog: pytest.LogCaptureFixture
) -> None:
    said = json.loads(line(people, caplog, logs.Json()))
    assert {name: said[name] for name in ("event", "person", "by", "business", "address")} == {
        "event": "role_changed",
        "person": people.bob.pk,
        "by": people.alice.pk,
        "business": people.acme.reference,
        "address": "203.0.113.7",
    }
    assert (said["reference"], said["detail"]) == ("7K3Q-9M2P", "owner now")


@pytest.mark.parametrize("lines", [logs.Json(), logs.Text(logs.TEXT, style="{")])
def test_a_line_has_no_email_address_and_no_name(
    people: People, caplog: pytest.LogCaptureFixture, lines: logging.Formatter
) -> None:
    said = line(people, caplog, lines)
    for personal in ("Alice", "Bob", "Acme", "@"):
        assert personal not in said


# -- alerts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "kind", "cause"),
    [
        (51, Kind.WRONG_CODE, "wrong codes and passwords"),
        (51, Kind.WRONG_PASSWORD, "wrong codes and passwords"),
        (51, Kind.WRONG_FACTOR, "wrong codes and passwords"),
        (21, Kind.REFUSED, "refused networks"),
        (21, Kind.FOREIGN_RETURN, "foreign returns"),
        (1, Kind.STAFF_CHANGED, "changes of staff accounts"),
    ],
)
@pytest.mark.django_db
def test_one_more_than_the_limit_is_an_alert(number: int, kind: str, cause: str) -> None:
    events(number - 1, kind)
    security_alerts.update()
    assert open_alerts() == []
    events(1, kind, address="198.51.100.1")
    security_alerts.update()
    assert open_alerts() == [f"security: {cause}"]


@pytest.mark.django_db
def test_many_refusals_of_one_network_are_no_alert() -> None:
    events(100, Kind.REFUSED, address="203.0.113.7")
    for number in range(100):
        events(1, Kind.REFUSED, address=f"2001:db8:1:2::{number:x}")
    security_alerts.update()
    assert open_alerts() == []


@pytest.mark.django_db
def test_what_is_older_than_an_hour_is_no_alert() -> None:
    events(60, Kind.WRONG_CODE, at=timezone.now() - timedelta(minutes=61))
    security_alerts.update()
    assert open_alerts() == []


def test_a_second_factor_of_staff_that_goes_is_an_alert(people: People) -> None:
    events(3, Kind.FACTOR_RESET, user=people.bob)
    security_alerts.update()
    assert open_alerts() == []
    User.objects.filter(pk=people.bob.pk).update(is_staff=True)
    security_alerts.update()
    assert open_alerts() == ["security: changes of staff accounts"]


def test_what_the_operator_does_by_a_command_is_no_alert(people: People) -> None:
    security_log.record(Kind.STAFF_CHANGED, user=people.bob)
    security_alerts.update()
    assert open_alerts() == []


def test_staff_get_one_mail_with_the_numbers_and_the_alert_clears_by_itself(
    people: People, scripted: Scripted, mailoutbox: list[EmailMessage]
) -> None:
    events(60, Kind.WRONG_CODE)
    for _ in range(2):
        security_alerts.update()
        schedule.mail()
    (mail,) = mailoutbox
    assert mail.subject == "[Gangway] Security: wrong codes and passwords"
    assert "second factors were entered: 60 within an hour." in mail.body
    assert "https://shops.example.org/admin/onboarding/securityevent/\n" in mail.body
    SecurityEvent.objects.update(at=timezone.now() - timedelta(hours=2))
    security_alerts.update()
    assert open_alerts() == []


@pytest.mark.django_db
def test_an_alert_stays_open_until_its_mail_was_sent() -> None:
    Alert.open(security_alerts.VENDOR, security_alerts.CAUSES[0])
    security_alerts.update()
    staff_alerts.clear_resolved()
    assert open_alerts() == ["security: wrong codes and passwords"]


def test_the_sweep_applies_the_rules(people: People, scripted: Scripted) -> None:
    events(60, Kind.WRONG_CODE)
    sweep()
    runner.executor.idle()
    assert "security: wrong codes and passwords" in open_alerts()

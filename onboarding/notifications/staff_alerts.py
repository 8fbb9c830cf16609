"""Alerts to staff: one mail for each vendor and cause until the alert clears."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from onboarding import bounds, clock
from onboarding.availability.breaker import Outage, outages
from onboarding.bounds import Bound
from onboarding.models import Alert, Attempt, Breaker, Connection, ErasureTask, memo_key
from onboarding.models.notifications import TASK
from onboarding.models.status import Cause, Status
from onboarding.registry import vendor_name, vendor_of

from . import outbox, security_alerts
from .causes import explain
from .mail import Mail, compose, quoted

SHOWN = 5  # rows that a mail lists
MAIL, UNDELIVERED, NOT_SENT = "mail", "undelivered", "not sent"
SIGN_IN, WRONG_CODES = "sign-in", "wrong codes"
WRONG_CODES_FOR = timedelta(days=1)  # how long one wave of guesses keeps its alert open
NOT_SENT_FOR = timedelta(hours=1)  # how long one failed mail keeps its alert open
MEMO_KEYS = Cause.MEMO_KEYS
BOUND_FOR = timedelta(days=1)  # how long a bound that was nearly reached keeps its alert open
# Causes of alerts that are cleared elsewhere.
NOT_OF_A_ROW = (UNDELIVERED, NOT_SENT, MEMO_KEYS, WRONG_CODES, *Bound.values)
ONCE = "You get no second email about this until it has cleared."


def mail_due() -> None:
    """Send the mails of open alerts that have not been sent yet."""
    if settings.STAFF_EMAIL:
        outbox.send_due(Alert.objects.filter(cleared=None), _compose)


def clear_resolved() -> None:
    """Clear alerts whose cause no row of their vendor has any more, and whose outage is over."""
    of_rows = Alert.objects.exclude(vendor=security_alerts.VENDOR).exclude(cause__in=NOT_OF_A_ROW)
    alerts = list(of_rows.filter(cleared=None))
    outage_of = outages(_offered(alerts))
    for alert in alerts:
        if not _is_outage(alert, outage_of.get(alert.vendor)) and not _concerns_somebody(alert):
            Alert.objects.filter(pk=alert.pk).update(cleared=clock.now())


def _offered(alerts: list[Alert]) -> set[str]:
    """Their vendors, without those that are switched off: nobody probes these."""
    return {alert.vendor for alert in alerts if vendor_of(alert.vendor)}


def _is_outage(alert: Alert, outage: Outage | None) -> bool:
    """Whether the alert is about an outage that goes on: merchants are let in when it clears."""
    if outage is None:
        return False
    is_refused = outage.cause == Breaker.Cause.CREDENTIALS
    return alert.cause == ("credentials" if is_refused else "unavailable")


def _concerns_somebody(alert: Alert) -> bool:
    if alert.cause == Cause.ERASURE:
        return ErasureTask.objects.filter(vendor=alert.vendor, done=None).exists()
    rows = Attempt.objects.filter(vendor=alert.vendor, cause=alert.cause, ended=None)
    return rows.exists() or _waiting(alert).exists()


def _waiting(alert: Alert) -> QuerySet[Connection]:
    shops = Connection.objects.filter(vendor=alert.vendor)
    if alert.cause == Cause.UNCONFIRMED:
        return shops.filter(status=Status.REPORTED)
    return shops.exclude(task="") if alert.cause == TASK else shops.filter(cause=alert.cause)


def open_for_undelivered_mails() -> None:
    """Open an alert while there are undelivered mails: staff may reach their readers in another way."""
    if outbox.undelivered():
        Alert.open(MAIL, UNDELIVERED)
    else:
        Alert.objects.filter(cause=UNDELIVERED, cleared=None).update(cleared=clock.now())


def open_for_memo_keys() -> None:
    """A process found a key missing. It may be the only one that runs, so it sends the mail itself."""
    Alert.objects.get_or_create(vendor=MEMO_KEYS, cause=MEMO_KEYS, cleared=None)
    mail_due()


def clear_for_memo_keys() -> None:
    Alert.objects.filter(cause=MEMO_KEYS, cleared=None).update(cleared=clock.now())


def open_for_failed_mail() -> None:
    """Open an alert: a mail that somebody is waiting for, such as a sign-in code, could not be sent."""
    Alert.objects.get_or_create(vendor=MAIL, cause=NOT_SENT, cleared=None)


def open_for_wrong_codes() -> None:
    """Open an alert: strangers have guessed wrong so often that the site nearly refuses them all."""
    Alert.open(SIGN_IN, WRONG_CODES)


def clear_told() -> None:
    """Clear alerts of a moment once staff have had time to read them. If it goes on, the next time opens
    another: a mail that failed after an hour, a bound or a wave of guesses after a day."""
    now = clock.now()
    passing = (
        Q(cause=NOT_SENT, opened__lt=now - NOT_SENT_FOR)
        | Q(cause=WRONG_CODES, opened__lt=now - WRONG_CODES_FOR)
        | Q(cause__in=Bound.values, opened__lt=now - BOUND_FOR)
    )
    told = Q() if not settings.STAFF_EMAIL else ~Q(mailed=None) | Q(mail_refused=True)
    Alert.objects.filter(passing, told, cleared=None).update(cleared=now)


def _compose(alert: Alert) -> Mail:
    url = settings.SITE_URL + reverse("admin:onboarding_connection_changelist")
    bodies = {
        TASK: _tasks,
        UNDELIVERED: _undelivered,
        NOT_SENT: _not_sent,
        MEMO_KEYS: _memo_keys,
        WRONG_CODES: _wrong_codes,
        Cause.UNCONFIRMED.value: _unconfirmed,
        **dict.fromkeys(security_alerts.CAUSES, _security),
        Cause.ERASURE.value: _erasures,
        **dict.fromkeys(Bound.values, _bound),
    }
    body = bodies.get(alert.cause, _staffs_turn)
    context = {
        "what": explain(alert.vendor, alert.cause).what.rstrip("."),
        "body": "\n".join([*body(alert, url), "", ONCE]),
    }
    return compose("onboarding/email/alert", settings.STAFF_EMAIL, context, settings.LANGUAGE_CODE)


def _security(alert: Alert, url: str) -> list[str]:
    return security_alerts.body(alert)


def _staffs_turn(alert: Alert, url: str) -> list[str]:
    waiting = _waiting(alert)
    explanation = explain(alert.vendor, alert.cause)
    return [
        explanation.what,
        explanation.to_do,
        f"Shops that wait for this now: {waiting.count()}.",
        "",
        *{row.detail for row in waiting.exclude(detail="")[:SHOWN]},
        "",
        "Open these shops:",
        f"{url}?status__exact=on_it",
    ]


def _undelivered(alert: Alert, url: str) -> list[str]:
    rows = outbox.undelivered()
    return [
        f"Mails that could not be sent: {len(rows)}.",
        "",
        *(f"{type(row)._meta.verbose_name}: {row}" for row in rows[:SHOWN]),
        "",
        "We have stopped trying: three days have passed, or the mail server refuses the address."
        " The log says why, and `manage.py doctor` tries the mail server.",
    ]


def _not_sent(alert: Alert, url: str) -> list[str]:
    return [
        "A mail that somebody was waiting for, such as a sign-in code, could not be sent.",
        "The page asked them to try again in a minute.",
        "",
        "The log says why, and `manage.py doctor` tries the mail server.",
    ]


def _wrong_codes(alert: Alert, url: str) -> list[str]:
    most = settings.LIMITS["wrong codes"]["site"].partition("/")[0]
    return [
        "Unusually many wrong sign-in codes were entered in browsers that nobody has signed in with before."
        " Somebody may be guessing.",
        f"After {most} in a day we refuse codes in such browsers for the rest of that day. Known browsers,"
        " passkeys and passwords still work.",
        "",
        "The security log has the IP addresses. Your proxy or firewall can refuse them.",
    ]


def _memo_keys(alert: Alert, url: str) -> list[str]:
    return [
        memo_key.MISSING,
        memo_key.FIX,
        "",
        "Until then these processes do not start, and every shop stays as it is.",
    ]


def _bound(alert: Alert, url: str) -> list[str]:
    bound = Bound(alert.cause)
    nearly = bounds.nearly_reached(bound)
    name = "Business" if bound == Bound.OPEN_SHOPS else "Person"
    return [
        f"Somebody is close to the limit of {bound.most} {alert.cause}.",
        "",
        *(f"{name} {who}: {count}" for who, count in nearly[:SHOWN]),
        "",
        "If they need more, raise the limit (MAX_… in the README). If not, look at what they do:",
        url,
    ]


def _unconfirmed(alert: Alert, url: str) -> list[str]:
    waiting = _waiting(alert)
    return [
        f"Merchants have set up shops at {vendor_name(alert.vendor)} that nobody has confirmed yet.",
        f"Shops to confirm now: {waiting.count()}.",
        "",
        *(str(quoted(row.name)) for row in waiting[:SHOWN]),
        "",
        "Enter on the account’s page what only staff know, so that we can ask the vendor,",
        "or check at the vendor and confirm each shop on its page:",
        f"{url}?status__exact=reported",
    ]


def _erasures(alert: Alert, url: str) -> list[str]:
    tasks = ErasureTask.objects.filter(vendor=alert.vendor, done=None).order_by("pk")
    page = reverse("admin:onboarding_erasuretask_changelist")
    return [
        f"Please ask {vendor_name(alert.vendor)} to delete what it holds of people or businesses that"
        " have left.",
        f"Open tasks now: {tasks.count()}.",
        "",
        *(task.text for task in tasks[:SHOWN]),
        "",
        "When a task is done, mark it as done on its page:",
        f"{settings.SITE_URL}{page}?open=1",
    ]


def _tasks(alert: Alert, url: str) -> list[str]:
    waiting = _waiting(alert)
    return [
        f"Shops at {vendor_name(alert.vendor)} need something done by hand.",
        f"Shops with such a task now: {waiting.count()}.",
        "",
        *(f"{quoted(row.name)}: {row.task}" for row in waiting[:SHOWN]),
        "",
        "When a task is done, mark it as done on the shop’s page:",
        f"{url}?task=1",
    ]

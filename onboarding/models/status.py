"""Status: where a connection or an attempt stands, whose turn it is and why, as columns and enums."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypedDict

from django.db import models
from django.utils.translation import gettext, gettext_lazy

from onboarding import moments
from vendors.contract import Text

from .coordination import Leased


class Status(models.TextChoices):
    NOT_STARTED = "not_started", gettext_lazy("Not started")
    IN_PROGRESS = "in_progress", gettext_lazy("In progress")
    CHECKING = "checking", gettext_lazy("Checking")
    ACTION_NEEDED = "action_needed", gettext_lazy("Action needed")
    ON_IT = "on_it", gettext_lazy("We’re on it")
    REPORTED = "reported", gettext_lazy("Set up, not confirmed yet")
    CONNECTED = "connected", gettext_lazy("Connected")
    PAUSED = "paused", gettext_lazy("Paused")
    DISCONNECTED = "disconnected", gettext_lazy("Disconnected")


# The shop is set up, and stays so until a check, a pause or a disconnect changes it.
SET_UP = frozenset({Status.REPORTED, Status.CONNECTED})


class Turn(models.TextChoices):
    NOBODY = "", "–"
    MERCHANT = "merchant", gettext_lazy("you")
    VENDOR = "vendor", gettext_lazy("the vendor")
    US = "us", gettext_lazy("us")
    STAFF = "staff", gettext_lazy("our staff")


class Answer(models.TextChoices):
    """What led to the status: a step of the contract, one of its errors, or our own decision."""

    NONE = "", "–"
    PROGRESS = "progress", "progress"
    REDIRECT = "redirect", "redirect"
    WAITING = "waiting", "waiting"
    ASK = "ask", "ask"
    NEEDS_MERCHANT = "needs", "needs the merchant"
    GO_ON = "go_on", "the merchant goes on at the vendor"
    DECLINED = "declined", "declined"
    REPORTED = "reported", "set up, as the merchant says"
    CONNECTED = "connected", "connected"
    DONE = "done", "done"
    TASK = "task", "done once staff have done their task"
    UNAVAILABLE = "unavailable", "unavailable"
    REFUSED = "refused", "refused"
    UNSURE = "unsure", "unsure"
    GARBLED = "garbled", "garbled"
    START_OVER = "start_over", "begins from the start"
    WRONG_SHOP = "wrong_shop", "another shop than was meant"
    BLOCKED = "blocked", "another shop of the account waits for staff"
    UNREADABLE = "unreadable", "no key opens what the vendor gave us"
    POISON = "poison", "its workers died"
    EXPIRED = "expired", "not finished in time"


class Ending(models.TextChoices):
    """Why an attempt has ended. Its page says this, whatever its last answer was."""

    CONNECTED = "connected", gettext_lazy("the shop is set up")
    DONE = "done", gettext_lazy("done")
    EXPIRED = "expired", gettext_lazy("not finished in time")
    REPLACED = "replaced", gettext_lazy("a newer attempt took its place")
    KEPT_SIBLING = "kept_sibling", gettext_lazy("the shop has another connection, which was kept")
    UNREADABLE = "unreadable", gettext_lazy("no key opens what the vendor gave us")
    ACCOUNT_DELETED = "account_deleted", gettext_lazy("the account at the vendor was deleted")
    REMOVED = "removed", gettext_lazy("the merchant removed the shop")


class Cause(models.TextChoices):
    """Why it is staff's turn, for one alert for each vendor and cause.

    These are ours. A vendor's error brings a cause of its own (`VendorError.cause`), so the column takes
    any text: "credentials", "unsure-tenant", "refused-404".
    """

    WAITING = "waiting", "the vendor takes too long"
    NO_PROGRESS = "no_progress", "the vendor's module goes in circles"
    POISON = "poison", "its workers died"
    TASK = "task", "something is to be done by hand"
    UNCONFIRMED = "unconfirmed", "set up, and the vendor cannot be asked about it"
    UNDELIVERED = "undelivered", "mails could not be sent"
    MEMO_KEYS = "memo_keys", "a key of MEMO_KEYS is missing"
    ERASURE = "erasure", "the vendor is to be asked to delete what it holds"


class StoredText(TypedDict, total=False):
    """A `Text` as JSON: its msgid and its parameters, or nothing for no text.

    A moment among the parameters is stored as {"at": ISO 8601}.
    """

    id: str
    params: dict[str, str | dict[str, str]]


def dumped(note: Text | None) -> StoredText:
    """A text as it is stored. It is translated when it is shown."""
    if note is None:
        return {}
    params = {key: _stored_param(value) for key, value in note.params.items()}
    return {"id": note.id, "params": params}


def _stored_param(value: str | datetime) -> str | dict[str, str]:
    return {"at": value.isoformat()} if isinstance(value, datetime) else value


def shown(note: StoredText, moment: Callable[[datetime], str] = moments.in_words) -> str:
    """A stored text in the reader's language and time zone; "" for no text.

    `moment` writes the times in it; a mail has them `in_full`.
    """
    if not note:
        return ""
    params = {
        key: value if isinstance(value, str) else moment(datetime.fromisoformat(value["at"]))
        for key, value in note["params"].items()
    }
    return gettext(note["id"]) % params if params else gettext(note["id"])


class StatusMixin(Leased):
    """The status that people read, its sentence, whose turn it is, and when the vendor is asked again.

    `heading` stands above the sentence where the answer's own heading would not be true.
    `answer` names the step or error that led here ("redirect", "unavailable"). `due_at` is when the
    vendor is asked again (None: nothing happens until a person acts); `tries` counts the calls since the
    last answer. A worker that has claimed the row holds its lease; `due_at` stays as it is until the answer
    is settled, so the row of a dead worker comes first again.
    `call_started_at` is set while a process makes a call; when the next process finds it set, that one has
    died, and `crashes` grows by one (`journey/crash_guard.py`).
    """

    status = models.CharField(max_length=20, choices=Status, default=Status.NOT_STARTED)
    turn = models.CharField(max_length=10, choices=Turn, default=Turn.MERCHANT, blank=True)
    answer = models.CharField(max_length=20, blank=True)  # of Answer
    heading = models.JSONField(default=dict, blank=True)
    note = models.JSONField(default=dict, blank=True)
    cause = models.CharField(max_length=100, blank=True, help_text="why it is staff's turn")
    detail = models.TextField(blank=True, help_text="the facts, for staff")
    link = models.URLField(max_length=500, blank=True)
    questions = models.JSONField(default=list, blank=True)
    version = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    call_started_at = models.DateTimeField(null=True, blank=True, editable=False)
    crashes = models.PositiveIntegerField(default=0, editable=False)
    since = models.DateTimeField(null=True, blank=True, help_text="when this wait or outage began")

    class Meta:
        abstract = True

    @property
    def sentence(self) -> str:
        return shown(self.note)

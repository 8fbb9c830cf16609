"""Accounts at vendors, connections (shops), attempts to connect them, redirects, and the timeline."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.db.models import Index, Q
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy

from onboarding import clock, moments, shop_addresses
from vendors.contract.characters import name_key

from .catalogue import Connector
from .coordination import Leased
from .memo import MemoField, opened
from .merchants import Merchant
from .references import reference
from .status import SET_UP, Answer, Ending, Status, StatusMixin, Turn, shown

ATTEMPT_DAYS = 7
LONGEST_LABEL = 250  # characters


def attempt_deadline() -> datetime:
    return clock.now() + timedelta(days=ATTEMPT_DAYS)


class Account(Leased):
    """A merchant's account at a vendor. Its lease lets one worker at a time call the vendor for it.

    `announced`: a creation that was announced and has no answer yet. `unsure`: one whose answer was lost;
    while it is set, nothing else may be created there, and `unsure_why` says how the answer was lost (of
    `vendors.contract.Why`). `creator` is the attempt that announced it. `found`: ids of creations that
    staff entered, until a call to the vendor has proved them. `label`: whose account it is, as the vendor
    says, such as an email address.
    """

    merchant = models.ForeignKey(Merchant, models.PROTECT, related_name="accounts")
    vendor = models.SlugField(max_length=40, db_index=False)
    key = models.CharField(max_length=200, blank=True, help_text="its id at the vendor")
    label = models.CharField(
        max_length=LONGEST_LABEL, blank=True, help_text="whose it is, as the vendor says"
    )
    memo = MemoField(default=dict, editable=False)
    staff_answers = MemoField(default=dict, editable=False)
    announced = models.CharField(max_length=60, blank=True, editable=False)
    unsure = models.CharField(max_length=60, blank=True, editable=False)
    unsure_why = models.CharField(max_length=20, blank=True, editable=False)
    found = models.JSONField(default=dict, blank=True, editable=False)
    creator = models.ForeignKey(
        "Attempt", models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )

    class Meta:
        # In Meta, without the second index for LIKE that PostgreSQL else gets beside each.
        indexes = [
            Index(fields=["vendor"], name="account_vendor"),
            Index(fields=["key"], name="account_key"),
        ]
        constraints = [models.UniqueConstraint(fields=["merchant", "vendor"], name="one_account")]

    def __str__(self) -> str:
        return f"{self.merchant} · {self.vendor}"


def identity_texts(address: str, account_label: str) -> list[str]:
    """What is known of a shop at its vendor, in short texts."""
    account = gettext("Account: %(account)s") % {"account": account_label} if account_label else ""
    return [known for known in (address, account) if known]


def shop_name_key(merchant_id: int, name: str) -> str:
    """The key of a shop's name among the shops of one merchant.

    A digest, because compatibility forms can make a name of 100 characters too long for an index.
    """
    return hashlib.sha256(f"{merchant_id} {name_key(name)}".encode()).hexdigest()


if TYPE_CHECKING:  # Any: what a form or a query may set
    KeyColumn = models.CharField[Any, Any]
else:
    KeyColumn = models.CharField


class ShopNameKeyField(KeyColumn):
    """The `shop_name_key` of the row's name, computed whenever the column is saved."""

    # Any: a Connection, or what a migration has in its place
    def pre_save(self, model_instance: Any, add: bool) -> str:
        key = shop_name_key(model_instance.account.merchant_id, model_instance.name)
        setattr(model_instance, self.attname, key)
        return key


class Connection(StatusMixin):
    """One shop of one merchant, connected through one connector.

    `removed_at`: the merchant removed it before it was ever connected. It is Disconnected, and only staff
    still see it in their lists.
    `address` and `account_label` tell which shop it is (`identity`): its address on the web, as the vendor
    tells it or the merchant entered it, and the label of the account through which it is connected. Until
    then the label is that of the account that is expected, because the merchant used it before.
    """

    reference = models.CharField(max_length=20, default=reference, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="connections")
    connector = models.ForeignKey(Connector, models.PROTECT, related_name="connections")
    name = models.CharField(max_length=100)
    name_key = ShopNameKeyField(max_length=64, editable=False)
    address = models.CharField(
        max_length=shop_addresses.LONGEST, blank=True, help_text="the shop's address on the web"
    )
    account_label = models.CharField(
        max_length=LONGEST_LABEL, blank=True, help_text="whose account at the vendor it is"
    )
    answers = MemoField(default=dict, editable=False)
    memo = MemoField(default=dict, editable=False)
    key = models.CharField(max_length=200, blank=True, help_text="its id at the vendor")
    vendor = models.SlugField(max_length=40, editable=False, db_index=False)
    shop_id = models.CharField(max_length=250, blank=True, help_text="the shop's id at the vendor")
    reveal = MemoField(null=True, default=None, editable=False)  # type: ignore[misc]
    created = models.DateTimeField(default=clock.now, editable=False)
    evidence = models.JSONField(default=dict, blank=True)
    returned_at = models.DateTimeField("came back", null=True, blank=True)
    merchant_finished_at = models.DateTimeField("merchant said finished", null=True, blank=True)
    connected_at = models.DateTimeField("connected", null=True, blank=True)
    confirmed_at = models.DateTimeField("confirmed", null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        help_text="of staff; empty if the vendor confirmed it",
    )
    checked_at = models.DateTimeField("last checked", null=True, blank=True)
    expires_at = models.DateTimeField("ends", null=True, blank=True)
    task = models.TextField(blank=True, help_text="what staff still have to do for it")
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created"]
        # Each check moves `due_at`, and then PostgreSQL writes into every index. So there are few, and
        # those of columns of text are here: PostgreSQL else gets a second one for LIKE beside each.
        indexes = [
            Index(fields=["key"], name="connection_key"),
            # the admin's filters, the newest first
            Index(fields=["status", "-id"], name="connection_status"),
            Index(fields=["turn", "-id"], name="connection_turn"),
            Index(fields=["-created"], name="connection_created"),
            Index(fields=["vendor"], condition=~Q(task=""), name="connection_task"),
            # what a worker claims next (journey/claims.py)
            Index(
                fields=["vendor", "due_at"],
                condition=Q(due_at__isnull=False),
                name="connection_due",
            ),
            # the last first connects of a connector (catalogue/durations.py)
            Index(
                fields=["connector", "-connected_at"],
                condition=Q(connected_at__isnull=False),
                name="connection_connected",
            ),
            # whether an alert may clear; whom to warn of an end
            Index(fields=["vendor", "cause"], name="connection_cause"),
            Index(
                fields=["vendor"],
                condition=Q(status=Status.REPORTED),
                name="connection_reported",
            ),
            Index(
                fields=["expires_at"],
                condition=Q(expires_at__isnull=False),
                name="connection_expires",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="connection_reference"),
            models.UniqueConstraint(
                fields=["vendor", "shop_id"],
                condition=~Q(shop_id="") & ~Q(status=Status.DISCONNECTED),
                name="one_connection_a_shop",
            ),
            models.UniqueConstraint(
                fields=["name_key"],
                condition=~Q(status=Status.DISCONNECTED),
                name="one_shop_a_name",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def merchant(self) -> Merchant:
        return self.account.merchant

    @property
    def is_set_up(self) -> bool:
        """Whether it is connected, as the vendor, staff or at least the merchant says."""
        return self.status in SET_UP

    @property
    def waits_for_task(self) -> bool:
        """Whether a pause or a resume is done once staff have done their task. The status changes then."""
        return self.answer == Answer.TASK

    @property
    def task_attempt(self) -> Attempt | None:
        """The pause or the resume that waits for staff."""
        return self.attempts.filter(answer=Answer.TASK).first() if self.waits_for_task else None

    @property
    def secret_waits(self) -> bool:
        """Whether secrets that are shown only once wait for the merchant's confirmation."""
        return bool(opened(self.reveal))

    @property
    def has_receipt(self) -> bool:
        """Whether somebody agreed to something when it began, which a receipt shows."""
        return self.attempts.filter(consent__isnull=False).exists()

    @property
    def proof(self) -> str:
        """The evidence: what we know and how, in the reader's language."""
        return shown(self.evidence)

    @property
    def identity(self) -> list[str]:
        """Which shop it is, in short texts: its address, the account at the vendor, when it was added."""
        added = gettext("Added %(date)s") % {"date": moments.calendar_day(self.created)}
        return [*self.known_there, added]

    @property
    def known_there(self) -> list[str]:
        """The part of its identity that the vendor or the merchant has said."""
        return identity_texts(self.address, self.account_label)

    def get_absolute_url(self) -> str:
        return reverse("connection", args=[self.account.merchant.reference, self.reference])


class Attempt(StatusMixin):
    """One attempt to connect, reconnect, open, pause, resume, disconnect or change a connection.

    `call` is the call of the contract that is to be made (`journey/vendor_call.py`): {"name": "returned",
    "argument": {...}}, whether it last led to a Redirect without a link ("linkless"), and why the answer
    of a creation got lost ("lost"). `call_number` grows with each call, so that the outcome of an older
    one never overwrites a newer request.
    `account_memo` and `connection_memo` are drafts, which become the live memos when a step promotes them.
    `found_account`: the label of the account at the vendor that this attempt has led to.
    `vendor` is its connection's. `seen_at`: when its user last looked at its page; written once a minute, and
    when they see something new.
    """

    class Purpose(models.TextChoices):
        CONNECT = "connect", gettext_lazy("Connect")
        RECONNECT = "reconnect", gettext_lazy("Reconnect")
        ENTER = "enter", gettext_lazy("Open again")
        PAUSE = "pause", gettext_lazy("Pause")
        RESUME = "resume", gettext_lazy("Resume")
        END = "end", gettext_lazy("Disconnect")
        ACT = "act", gettext_lazy("Change")

    reference = models.CharField(max_length=20, unique=True, default=reference, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="attempts")
    vendor = models.SlugField(max_length=40, default="", editable=False, db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="attempts")
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.CONNECT)
    call = MemoField(default=dict, editable=False)
    call_number = models.PositiveIntegerField(default=0, editable=False)
    account_memo = MemoField(null=True, default=None, editable=False)  # type: ignore[misc]
    connection_memo = MemoField(default=dict, editable=False)
    ticks = models.JSONField(default=list, blank=True)
    found_shop_id = models.CharField(
        max_length=250, blank=True, help_text="another shop than was meant"
    )
    found_evidence = models.JSONField(default=dict, blank=True)
    found_address = models.CharField(
        max_length=shop_addresses.LONGEST, blank=True, help_text="of the shop that was found"
    )
    found_account = models.CharField(
        max_length=LONGEST_LABEL, blank=True, help_text="whose account at the vendor was used"
    )
    accepted_shop_id = models.CharField(
        max_length=250, blank=True, help_text="it is meant after all"
    )
    created = models.DateTimeField(default=clock.now, editable=False)
    deadline = models.DateTimeField(default=attempt_deadline)
    ended = models.DateTimeField(null=True, blank=True)
    ending = models.CharField(max_length=20, choices=Ending, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created"]
        indexes = [
            Index(fields=["deadline"], condition=Q(ended=None), name="attempt_open_deadline"),
            Index(fields=["cause"], condition=Q(ended=None), name="attempt_open_cause"),
            Index(fields=["ended"], condition=Q(ended__isnull=False), name="attempt_ended"),
            # what a worker claims next (journey/claims.py); of those that have returned, and of all
            Index(
                fields=["vendor", "due_at"],
                condition=Q(ended=None, status=Status.CHECKING, answer=Answer.PROGRESS),
                name="attempt_returned",
            ),
            Index(fields=["vendor", "due_at"], condition=Q(ended=None), name="attempt_due"),
            # whom to remind (notifications/reminders.py)
            Index(
                fields=["since"],
                condition=Q(ended=None, turn=Turn.MERCHANT),
                name="attempt_merchants_turn",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(ended=None) & ~Q(purpose="enter"),
                name="one_open_attempt",
            ),
            models.CheckConstraint(
                condition=Q(ended=None) | ~Q(ending=""), name="an_ended_attempt_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} · {self.connection}"

    def save(self, *args: object, **options: object) -> None:
        self.vendor = self.vendor or self.connection.vendor
        super().save(*args, **options)  # type: ignore[arg-type]  # Django's own arguments

    @property
    def connects(self) -> bool:
        """Whether its goal is a connected shop."""
        return self.purpose in {self.Purpose.CONNECT, self.Purpose.RECONNECT}

    @property
    def found_identity(self) -> list[str]:
        """What tells the shop that was found from others: its address, and the account that was used."""
        return identity_texts(self.found_address, self.found_account)

    def get_absolute_url(self) -> str:
        merchant = self.connection.account.merchant
        return reverse("attempt", args=[merchant.reference, self.reference])


class Hop(models.Model):
    """One redirect of the browser to a vendor's page, and its return.

    `state` works once: it is NULL when it is spent, and `digest` still finds the hop if the return is
    opened a second time. `url` is the vendor's link, which works once too: NULL before it is minted and
    after it was taken. `returned_by` is the digest of the vendor's own id that a return may bring
    instead of the state. `claimed`: the return was processed for its user, who was signed in.
    `browser`: a keyed hash of the cookie of the browser that left; empty before it left, and where it
    left before there was such a cookie. `strayed`: another browser has opened the return.
    """

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="hops")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    state = models.CharField(max_length=64, unique=True, null=True)
    digest = models.CharField(max_length=64, db_index=True)
    url = MemoField(null=True, default=None)  # type: ignore[misc]
    expires_at = models.DateTimeField(null=True)
    returns = models.BooleanField(default=True)
    bare = models.BooleanField(default=False)
    keep_params = models.BooleanField(default=False)
    returned_by = models.CharField(max_length=64, blank=True, default="", db_index=True)
    params = MemoField(null=True, default=None)  # type: ignore[misc]
    created = models.DateTimeField(default=clock.now)
    minted = models.DateTimeField(null=True)
    taken = models.DateTimeField(null=True)
    spent = models.DateTimeField(null=True)
    claimed = models.DateTimeField(null=True)
    browser = models.CharField(max_length=64, blank=True, default="")
    strayed = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(state=""), name="a_missing_state_is_null"),
        ]


class Event(models.Model):
    """One entry of a connection's timeline. `note` is a StoredText, translated when it is shown."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="events")
    attempt = models.ForeignKey(Attempt, models.SET_NULL, null=True, related_name="events")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    status = models.CharField(max_length=20, choices=Status, blank=True)
    note = models.JSONField(default=dict)
    reference = models.CharField(max_length=20, blank=True, help_text="of the request, to quote")

    class Meta:
        ordering = ["at", "pk"]
        indexes = [Index(fields=["at"], name="event_at")]

    def __str__(self) -> str:
        return shown(self.note)

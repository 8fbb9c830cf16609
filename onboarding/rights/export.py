"""Everything that we hold about a person or a business, as one JSON document (docs/export.md).

Each section of a document covers columns of the database. `tests/unit/test_export.py` walks over all models:
a column that refers to a person or a business is covered here, or `NOT_EXPORTED` says why it is not.
Secrets are left out: of what is stored encrypted, a document says that it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db.models import Model, Q, QuerySet

from onboarding import clock
from onboarding.catalogue import any_shop
from onboarding.models import (
    AddedAddress,
    Attempt,
    Call,
    Connection,
    ConnectorRequest,
    Consent,
    ErasureTask,
    Event,
    GuessWarning,
    Hop,
    Invitation,
    MailRecord,
    Merchant,
    Notice,
    SecurityEvent,
    User,
    WaitlistEntry,
)
from onboarding.models.memo import opened
from onboarding.models.status import shown
from onboarding.registry import vendor_of

from . import erasure

Json = dict[str, Any]  # Any: a document's values are JSON
Subject = User | Merchant
Row = Any  # of the section's own model
ENCRYPTED = "stored encrypted, and left out"
TODAY = "1"  # version of the shape

# Columns that refer to a person or a business, and are in no document.
NOT_EXPORTED = {
    "onboarding.ClosingMail.merchant": "a receipt is sent to its reader and holds nothing else",
    "onboarding.ErasureTask.user": "what staff ask a vendor once the account is closed",
    "onboarding.ErasureTask.done_by": "which of our staff did it",
    "onboarding.Connection.confirmed_by": "which of our staff did it",
    "account.EmailConfirmation.email_address": "not in use: addresses are confirmed by codes",
    "onboarding.MailRecord.merchant": "each mail is in the document of the person who got it",
    "onboarding.User.groups": "rights of our staff",
    "onboarding.User.user_permissions": "rights of our staff",
}


@dataclass(frozen=True)
class Section:
    """One list of a document. `covers`: the columns through which its rows belong to the subject."""

    key: str
    covers: tuple[str, ...]
    rows: Callable[[Any], QuerySet[Any] | Iterator[Any]]  # Any: a subject, and rows of one model
    fields: Mapping[str, str | Callable[[Row], object]]

    def of(self, subject: Subject) -> list[Json]:
        return [
            {name: _plain(_value(row, read)) for name, read in self.fields.items()}
            for row in _each(self.rows(subject))
        ]


def _each(rows: QuerySet[Model] | Iterator[Row]) -> Iterator[Row]:
    return rows.iterator(1000) if isinstance(rows, QuerySet) else rows


def _value(row: Row, read: str | Callable[[Row], object]) -> object:
    if callable(read):
        return read(row)
    for name in read.split("."):
        row = getattr(row, name) if row is not None else None
    return row


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _note(row: Row) -> str:
    return shown(row.note, datetime.isoformat)


def _who(row: Row) -> str | None:
    """The email address of who did it, or “a former member”."""
    return str(row.user) if row.user else None


# -- a person --------------------------------------------------------------------------------------


def person(user: User) -> Json:
    """Everything about one person."""
    profile = {
        "email": user.email,
        "name": user.name,
        "language": user.language,
        "time_zone": user.time_zone,
        "joined": _plain(user.date_joined),
        "last_sign_in": _plain(user.last_login),
        "is_active": user.is_active,
        "is_staff": user.is_staff,
        "has_password": user.has_usable_password(),
    }
    return {**_head("person"), "profile": profile, **_sections(PERSON, user)}


def _head(about: str) -> Json:
    return {
        "format": f"gangway-{about}/{TODAY}",
        "site": settings.SITE_URL,
        "made_at": clock.now().isoformat(),
        "kept_for_days": settings.RETENTION_DAYS,
    }


def _sections(sections: tuple[Section, ...], subject: Subject) -> Json:
    return {section.key: section.of(subject) for section in sections}


SHOP = {
    "shop": "connection.name",
    "shop_reference": "connection.reference",
    "business": "connection.account.merchant.name",
}
SHOP_OF_ATTEMPT = {
    key: read.replace("connection", "attempt.connection", 1) for key, read in SHOP.items()
}
OF_SHOP = ("connection__account__merchant",)
ATTEMPT: dict[str, str | Callable[[Row], object]] = {
    "reference": "reference",
    **SHOP,
    "purpose": "purpose",
    "begun": "created",
    "ended": "ended",
    "ending": "ending",
    "status": "status",
    "says": _note,
    "answers": lambda _: ENCRYPTED,
}
INVITATION = {
    "business": "merchant.name",
    "email": "email",
    "role": "role",
    "sent": "created",
    "expires": "expires_at",
    "accepted": "accepted",
    "revoked": "revoked",
}
CONSENT: dict[str, str | Callable[[Row], object]] = {
    "reference": "reference",
    **SHOP_OF_ATTEMPT,
    "agreed": "at",
    "language": "language",
    "version": "version",
    "words": "words",
    "person": "person",
    "about": "about",
}
NOTICE: dict[str, str | Callable[[Row], object]] = {
    **SHOP,
    "kind": "kind",
    "step": "step",
    "at": "at",
    "not_before": "not_before",
    "sent": "mailed",
    "not_sent": "dropped",
    "why_not_sent": "why",
    "came_back": "came_back",
    "asked_again": "asked_again",
}
EVENT: dict[str, str | Callable[[Row], object]] = {"at": "at", **SHOP, "says": _note}


def _security_events(user: User) -> QuerySet[SecurityEvent]:
    rows = SecurityEvent.objects.filter(Q(user=user) | Q(by=user))
    return rows.select_related("merchant").order_by("at", "pk")


def _waitlist(**whose: Subject) -> QuerySet[WaitlistEntry]:
    rows = WaitlistEntry.objects.filter(**whose)
    return rows.select_related("merchant", "connector").order_by("pk")


def _notices(**whose: Subject) -> QuerySet[Notice]:
    rows = Notice.objects.filter(**whose)
    return rows.select_related("user", *OF_SHOP).order_by("pk")


def _of_attempts(model: type[Consent] | type[Hop], **whose: Subject) -> QuerySet[Model]:
    rows = model._default_manager.filter(**whose)
    return rows.select_related(OF_MERCHANT).order_by("pk")


def _mails(user: User) -> QuerySet[MailRecord]:
    theirs = Q(user=user) | Q(to__in=erasure.addresses_of(user))
    return MailRecord.objects.filter(theirs).select_related("merchant").order_by("pk")


def _invitations(query: Q) -> QuerySet[Invitation]:
    return Invitation.objects.filter(query).select_related("merchant").order_by("pk")


OF_MERCHANT = "attempt__connection__account__merchant"  # the way from a row of an attempt
PERSON = (
    Section(
        "email_addresses",
        ("account.EmailAddress.user", "account.EmailAddress.email", "onboarding.User.email"),
        lambda user: EmailAddress.objects.filter(user=user).order_by("pk"),
        {"email": "email", "confirmed": "verified", "main": "primary"},
    ),
    Section(
        "added_addresses",
        ("onboarding.AddedAddress.user", "onboarding.AddedAddress.email"),
        lambda user: AddedAddress.objects.filter(user=user).order_by("pk"),
        {"email": "email", "added": "at"},
    ),
    Section(
        "former_addresses",
        ("onboarding.FormerAddress.user", "onboarding.FormerAddress.email"),
        lambda user: user.former_addresses.order_by("pk"),
        {
            "email": "email",
            "removed": "was_removed",
            "at": "at",
            "link_works_until": "expires_at",
            "link_used": "ended",
            "told": "mailed",
        },
    ),
    Section(
        "passkeys",
        ("mfa.Authenticator.user",),
        lambda user: Authenticator.objects.filter(user=user).order_by("pk"),
        {
            "type": "type",
            "name": lambda row: row.data.get("name", ""),
            "added": "created_at",
            "last_used": "last_used_at",
            "key": lambda _: "left out",
        },
    ),
    Section(
        "sessions",
        ("onboarding.Session.user", "onboarding.Session.session_data"),
        lambda user: user.sessions.order_by("pk"),
        {
            "signed_in": "created_at",
            "last_seen": "last_seen_at",
            "ip_address": "address",
            "browser": "browser",
            "method": "method",
        },
    ),
    Section(
        "memberships",
        ("onboarding.Membership.user",),
        lambda user: user.memberships.select_related("merchant").order_by("pk"),
        {
            "business": "merchant.name",
            "business_reference": "merchant.reference",
            "role": "role",
            "since": "created",
        },
    ),
    Section(
        "invitations_sent",
        ("onboarding.Invitation.invited_by",),
        lambda user: _invitations(Q(invited_by=user)),
        INVITATION,
    ),
    Section(
        "invitations_received",
        ("onboarding.Invitation.email",),
        lambda user: _invitations(Q(email__in=erasure.addresses_of(user))),
        INVITATION,
    ),
    Section(
        "attempts",
        ("onboarding.Attempt.user",),
        lambda user: (
            Attempt.objects.filter(user=user)
            .select_related(*OF_SHOP)
            .defer("call", "account_memo", "connection_memo")
            .order_by("pk")
        ),
        ATTEMPT,
    ),
    Section(
        "visits_to_vendors",
        ("onboarding.Hop.user",),
        lambda user: _of_attempts(Hop, user=user),
        {
            **SHOP_OF_ATTEMPT,
            "vendor": "attempt.connection.vendor",
            "left": "taken",
            "returned": "spent",
            "what_came_back": lambda row: ENCRYPTED if row.params is not None else None,
        },
    ),
    Section(
        "consents",
        ("onboarding.Consent.user",),
        lambda user: _of_attempts(Consent, user=user),
        CONSENT,
    ),
    Section(
        "timeline",
        ("onboarding.Event.user",),
        lambda user: Event.objects.filter(user=user).select_related(*OF_SHOP).order_by("at", "pk"),
        EVENT,
    ),
    Section(
        "security_events",
        ("onboarding.SecurityEvent.user", "onboarding.SecurityEvent.by"),
        _security_events,
        {
            "at": "at",
            "what": str,
            "ip_address": "address",
            "detail": "detail",
            "business": "merchant.name",
        },
    ),
    Section(
        "warnings_of_wrong_codes",
        ("onboarding.GuessWarning.user",),
        lambda user: GuessWarning.objects.filter(user=user).order_by("pk"),
        {"at": "at", "sent": "mailed"},
    ),
    Section(
        "mails",
        ("onboarding.MailRecord.user", "onboarding.MailRecord.to"),
        _mails,
        {
            "to": "to",
            "kind": "kind",
            "language": "language",
            "business": "merchant.name",
            "asked": "asked",
            "tries": "tries",
            "sent": "sent",
            "outcome": "outcome",
            "reason": "reason",
        },
    ),
    Section(
        "mails_not_wanted",
        ("onboarding.MailChoice.user", "onboarding.MailChoice.merchant"),
        lambda user: user.mail_choices.select_related("merchant").order_by("pk"),
        {"group": "group", "business": "merchant.name"},
    ),
    Section(
        "refused_addresses",
        ("onboarding.RefusedAddress.user", "onboarding.RefusedAddress.email"),
        lambda user: user.refused_addresses.order_by("pk"),
        {"email": "email", "at": "at", "answer": "answer"},
    ),
    Section(
        "mails_about_shops",
        ("onboarding.Notice.user",),
        lambda user: _notices(user=user),
        NOTICE,
    ),
    Section(
        "waiting_list",
        ("onboarding.WaitlistEntry.user",),
        lambda user: _waitlist(user=user),
        {
            "business": "merchant.name",
            "platform": "connector.slug",
            "asked": "asked",
            "mailed": "mailed",
            "not_mailed": "dropped",
            "entered": lambda row: opened(row.typed),
        },
    ),
    Section(
        "shop_systems_asked_for",
        ("onboarding.ConnectorRequest.user", "onboarding.ConnectorRequest.email"),
        lambda user: ConnectorRequest.objects.filter(erasure.asked_by(user)).order_by("pk"),
        {
            "name": "name",
            "email": "email",
            "country": "country",
            "asked": "created",
            "mailed": "mailed",
        },
    ),
    Section(
        "staff_log",
        ("admin.LogEntry.user",),
        lambda user: LogEntry.objects.filter(user=user).order_by("pk"),
        {"at": "action_time", "about": "object_repr", "what": "change_message"},
    ),
)


# -- a business ------------------------------------------------------------------------------------


def business(merchant: Merchant) -> Json:
    """Everything about one business."""
    profile = {
        "reference": merchant.reference,
        "name": merchant.name,
        "language": merchant.language,
        "created": _plain(merchant.created),
        "closing_since": _plain(merchant.closing_since),
        "closed_at": _plain(merchant.closed_at),
    }
    return {**_head("business"), "profile": profile, **_sections(BUSINESS, merchant)}


def _answers(connection: Connection) -> Json:
    """What was entered for a shop, without answers that are secret, or that nobody can tell to be none."""
    vendor = vendor_of(connection.vendor)
    asked = vendor.questions(connection.connector.key) if vendor else ()
    asked = (*asked, *any_shop.questions(connection.connector))
    secret = {each.key: each.secret for each in asked}
    answers = opened(connection.answers) or {}
    return {key: ENCRYPTED if secret.get(key, True) else value for key, value in answers.items()}


def _there(row: Row, *columns: str) -> str | None:
    return ENCRYPTED if any(opened(getattr(row, column)) for column in columns) else None


BUSINESS = (
    Section(
        "team",
        ("onboarding.Membership.merchant",),
        lambda merchant: merchant.memberships.select_related("user").order_by("pk"),
        {"name": "user.name", "email": "user.email", "role": "role", "since": "created"},
    ),
    Section(
        "invitations",
        ("onboarding.Invitation.merchant",),
        lambda merchant: _invitations(Q(merchant=merchant)),
        INVITATION,
    ),
    Section(
        "accounts_at_vendors",
        ("onboarding.Account.merchant",),
        lambda merchant: merchant.accounts.order_by("pk"),
        {
            "vendor": "vendor",
            "id_there": "key",
            "whose_it_is": "label",
            "memo": lambda row: _there(row, "memo"),
            "answers_of_staff": lambda row: _there(row, "staff_answers"),
        },
    ),
    Section(
        "shops",
        ("onboarding.Connection.account", "onboarding.Connection.connector"),
        lambda merchant: (
            Connection.objects.filter(account__merchant=merchant)
            .select_related("connector", "account")
            .order_by("pk")
        ),
        {
            "reference": "reference",
            "name": "name",
            "platform": "connector.slug",
            "vendor": "vendor",
            "id_there": "key",
            "shop_id_there": "shop_id",
            "address": "address",
            "account_there": "account_label",
            "status": "status",
            "says": _note,
            "evidence": "proof",
            "created": "created",
            "connected": "connected_at",
            "checked": "checked_at",
            "ends": "expires_at",
            "removed": "removed_at",
            "answers": _answers,
            "memo": lambda row: _there(row, "memo"),
            "key_and_secret": lambda row: _there(row, "reveal"),
            "task_of_staff": "task",
        },
    ),
    Section(
        "attempts",
        ("onboarding.Attempt.connection", "onboarding.Account.creator"),
        lambda merchant: (
            Attempt.objects.filter(connection__account__merchant=merchant)
            .select_related("user", *OF_SHOP)
            .defer("call", "account_memo", "connection_memo")
            .order_by("pk")
        ),
        {
            **ATTEMPT,
            "by": _who,
            "found_address": "found_address",
            "found_account": "found_account",
        },
    ),
    Section(
        "visits_to_vendors",
        ("onboarding.Hop.attempt",),
        lambda merchant: (
            Hop.objects.filter(attempt__connection__account__merchant=merchant)
            .select_related("user", "attempt__connection__account__merchant")
            .defer("url", "params")
            .order_by("pk")
        ),
        {**SHOP_OF_ATTEMPT, "by": _who, "left": "taken", "returned": "spent"},
    ),
    Section(
        "consents",
        ("onboarding.Consent.attempt",),
        lambda merchant: _of_attempts(Consent, **{OF_MERCHANT: merchant}),
        CONSENT,
    ),
    Section(
        "timeline",
        ("onboarding.Event.connection", "onboarding.Event.attempt"),
        lambda merchant: (
            Event.objects.filter(connection__account__merchant=merchant)
            .select_related("user", *OF_SHOP)
            .order_by("at", "pk")
        ),
        {**EVENT, "by": _who},
    ),
    Section(
        "calls_to_vendors",
        ("onboarding.Call.connection", "onboarding.Call.attempt"),
        lambda merchant: Call.objects.filter(connection__account__merchant=merchant).order_by("pk"),
        {
            "at": "at",
            "vendor": "vendor",
            "host": "host",
            "call": "call",
            "outcome": "outcome",
            "milliseconds": "ms",
        },
    ),
    Section(
        "mails_about_shops",
        ("onboarding.Notice.connection", "onboarding.Notice.attempt"),
        lambda merchant: _notices(connection__account__merchant=merchant),
        {"to": _who, **NOTICE},
    ),
    Section(
        "waiting_list",
        ("onboarding.WaitlistEntry.merchant", "onboarding.WaitlistEntry.connector"),
        lambda merchant: _waitlist(merchant=merchant).select_related("user"),
        {
            "by": _who,
            "platform": "connector.slug",
            "asked": "asked",
            "mailed": "mailed",
            "not_mailed": "dropped",
            "entered": lambda row: opened(row.typed),
        },
    ),
    Section(
        "security_events",
        ("onboarding.SecurityEvent.merchant",),
        lambda merchant: merchant.security_events.select_related("user").order_by("at", "pk"),
        {
            "at": "at",
            "what": str,
            "person": _who,
            "ip_address": "address",
            "detail": "detail",
        },
    ),
    Section(
        "asked_of_vendors",
        ("onboarding.ErasureTask.merchant",),
        lambda merchant: ErasureTask.objects.filter(merchant=merchant).order_by("pk"),
        {"vendor": "vendor", "what": "text", "since": "created", "done": "done"},
    ),
)

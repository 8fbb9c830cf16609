"""The database models. Rows outlive vendors, so a vendor is a slug here, and no vendor is named."""

from __future__ import annotations

from .account_mails import AccountMail
from .addresses import AddedAddress, FormerAddress
from .calls import Call, HourlyCalls
from .catalogue import Connector
from .connections import Account, Attempt, Connection, Event, Hop
from .consents import Agreement, Consent, ReceiptKey
from .coordination import Breaker, Leased, Operator, Slot, Worker
from .limits import RateLimit
from .mails import MailChoice, MailGroup, MailOutcome, MailRecord, RefusedAddress
from .memo_key import MemoKey
from .merchants import Invitation, Membership, Merchant
from .notifications import (
    Alert,
    GuessWarning,
    Notice,
    WaitlistEntry,
)
from .requests import ConnectorRequest
from .rights import ClosingMail, ErasureTask
from .security import SecurityEvent
from .sessions import Session
from .users import User

__all__ = [
    "Account",
    "AccountMail",
    "AddedAddress",
    "Agreement",
    "Alert",
    "Attempt",
    "Breaker",
    "Call",
    "ClosingMail",
    "Connection",
    "Connector",
    "ConnectorRequest",
    "Consent",
    "ErasureTask",
    "Event",
    "FormerAddress",
    "GuessWarning",
    "Hop",
    "HourlyCalls",
    "Invitation",
    "Leased",
    "MailChoice",
    "MailGroup",
    "MailOutcome",
    "MailRecord",
    "Membership",
    "MemoKey",
    "Merchant",
    "Notice",
    "Operator",
    "RateLimit",
    "ReceiptKey",
    "RefusedAddress",
    "SecurityEvent",
    "Session",
    "Slot",
    "User",
    "WaitlistEntry",
    "Worker",
]

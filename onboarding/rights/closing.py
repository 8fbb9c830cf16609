"""Closing a business: access ends at once, its shops are disconnected, vendors are asked, then it is erased.

`begin` is short; `proceed` does the rest in the background and may be repeated, by any number of workers.
Nothing can be undone: the rows that stay are empty, and the business's reference is never used again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest

from onboarding import clock, journey
from onboarding.models import (
    Account,
    Alert,
    Attempt,
    ClosingMail,
    Connection,
    ErasureTask,
    MailChoice,
    Merchant,
    SecurityEvent,
    User,
    WaitlistEntry,
)
from onboarding.models.memo import readable
from onboarding.models.merchants import OPEN
from onboarding.models.status import Cause, Status
from onboarding.monitoring import security_log
from onboarding.notifications import closing_mails
from onboarding.registry import vendor_name, vendor_of
from vendors.contract import Vendor

log = logging.getLogger(__name__)
CLOSED = "a closed business"  # in the log of what staff did


@transaction.atomic
def begin(
    merchant: Merchant, *, by: User | None = None, request: HttpRequest | None = None
) -> ClosingMail | None:
    """Close the business: from now on nobody has access, and `proceed` does the rest.

    `by`: one of its owners, who gets the receipt when everything is erased. Without them (staff, a
    command) all owners get it. Returns a receipt, whose page says how far it is; None if the business
    was being closed already.
    """
    merchant = Merchant.objects.select_for_update().get(pk=merchant.pk)
    if merchant.closing_since:
        return None
    now = clock.now()
    Merchant.objects.filter(pk=merchant.pk).update(closing_since=now)
    receipts = _tell(merchant, by)
    merchant.invitations.filter(OPEN).update(revoked=now)
    WaitlistEntry.objects.filter(merchant=merchant).delete()
    merchant.memberships.all().delete()
    kind = SecurityEvent.Kind.ACCOUNT_CLOSED
    security_log.record(kind, request, merchant=merchant, detail="business")
    return receipts[0] if receipts else None


def receipt_of(reference: str, user: User) -> ClosingMail | None:
    """The receipt of the business with this reference, if it is this user who is closing it."""
    kind = ClosingMail.Kind.BUSINESS_CLOSED
    rows = ClosingMail.objects.filter(kind=kind, merchant__reference=reference).exclude(reader=None)
    return next((row for row in rows if readable(row.reader).get("email") == user.email), None)


def _tell(merchant: Merchant, by: User | None) -> list[ClosingMail]:
    """A mail to each member; a receipt to who closed it, or else to all owners. Returns the receipts."""
    receipts = []
    members = merchant.memberships.select_related("user").order_by("pk")
    for membership in members:
        user = membership.user
        language = user.language or merchant.language
        if user == by or (by is None and membership.owns):
            kind = ClosingMail.Kind.BUSINESS_CLOSED
            receipts.append(
                closing_mails.tell(kind, user.email, language=language, merchant=merchant)
            )
        if user != by:
            kind = ClosingMail.Kind.CLOSING
            closing_mails.tell(kind, user.email, language=language, merchant=merchant)
    return receipts


# -- how far it is ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """What is still to be done before a business can be erased."""

    shops: int  # not disconnected yet
    tasks: int  # of staff

    @property
    def is_done(self) -> bool:
        return not self.shops and not self.tasks


def progress(merchant: Merchant) -> Progress:
    shops = Connection.objects.filter(account__merchant=merchant)
    tasks = merchant.erasure_tasks.filter(done=None).count() + shops.exclude(task="").count()
    return Progress(shops=shops.exclude(status=Status.DISCONNECTED).count(), tasks=tasks)


# -- in the background -----------------------------------------------------------------------------


def proceed_all() -> None:
    """Go on with every business that is being closed, unless staff have been asked to do something.

    A bug with one does not stop the others.
    """
    asked = ErasureTask.objects.filter(merchant=OuterRef("pk"), user=None, done=None)
    waiting = Merchant.objects.exclude(closing_since=None).filter(closed_at=None)
    for merchant in waiting.exclude(Exists(asked)):
        try:
            proceed(merchant)
        except Exception:
            log.exception("closing a business met a bug: %s", merchant.reference)


def proceed(merchant: Merchant) -> None:
    """Disconnect what is still connected, ask the vendors, and erase when all is done. Idempotent."""
    shops = Connection.objects.filter(account__merchant=merchant)
    rows = shops.select_related("account__merchant", "connector")
    for connection in rows.exclude(status=Status.DISCONNECTED):
        journey.stop(connection, _acting_user(connection))
    if shops.exclude(status=Status.DISCONNECTED).exists():
        return
    for account in merchant.accounts.select_related("merchant"):
        _ask_vendor(account)
    if progress(merchant).is_done:
        finish(merchant)


def _acting_user(connection: Connection) -> User | None:
    """Whose attempt it is: a business that is being closed has no members any more."""
    newest = connection.attempts.select_related("user").order_by("-created").first()
    return newest.user if newest else None


def _ask_vendor(account: Account) -> None:
    """A task for staff, unless there is one, or nothing of this business is at the vendor."""
    facts = journey.facts_at_vendor(account)
    if facts:
        vendor = vendor_of(account.vendor)
        words = (vendor or Vendor).erase_business
        about = f"The business {account.merchant.reference} is closed."
        ask_vendor(account, f"{vendor_name(account.vendor)}: {about} {words} {facts}")


def ask_vendor(account: Account, words: str, user: User | None = None) -> None:
    """A task for staff: what to ask of this vendor. A second time changes nothing."""
    _, is_new = ErasureTask.objects.get_or_create(
        merchant=account.merchant, vendor=account.vendor, user=user, defaults={"text": words}
    )
    if is_new:
        Alert.open(account.vendor, Cause.ERASURE)


def complete_task(task: ErasureTask, by: User) -> bool:
    """Staff have asked the vendor. The text goes: it has the ids that the vendor knew. False: done before."""
    rows = ErasureTask.objects.filter(pk=task.pk, done=None)
    return bool(rows.update(done=clock.now(), done_by=by, text=""))


@transaction.atomic
def finish(merchant: Merchant) -> None:
    """Erase everything of a business whose shops have ended and whose vendors were asked."""
    merchant = Merchant.objects.select_for_update().get(pk=merchant.pk)
    if merchant.closed_at or not progress(merchant).is_done:
        return
    _empty_staff_log(merchant)
    for connection in Connection.objects.filter(account__merchant=merchant):
        journey.end_open_attempts(connection)
    journey.forget_business(merchant)
    merchant.invitations.all().delete()
    WaitlistEntry.objects.filter(merchant=merchant).delete()
    MailChoice.objects.filter(merchant=merchant).delete()
    now = clock.now()
    Merchant.objects.filter(pk=merchant.pk).update(name="", language="en", closed_at=now)
    kind = SecurityEvent.Kind.ACCOUNT_CLOSED
    security_log.record(kind, merchant=merchant, detail="business erased")


def _empty_staff_log(merchant: Merchant) -> None:
    """Staff's log keeps who did something to which row, and no name."""
    shops = Connection.objects.filter(account__merchant=merchant)
    attempts = Attempt.objects.filter(connection__in=shops)
    rows: tuple[QuerySet[Model], ...] = (
        Merchant.objects.filter(pk=merchant.pk),
        merchant.accounts.all(),
        shops.order_by(),
        attempts.order_by(),
    )
    about = Q()
    for each in rows:
        kind = ContentType.objects.get_for_model(each.model)
        ids = [str(pk) for pk in each.values_list("pk", flat=True)]
        about |= Q(content_type=kind, object_id__in=ids)
    LogEntry.objects.filter(about).update(object_repr=CLOSED, change_message="")

"""Undo of a removed or replaced address: whoever reads its mailbox may take the account back for 7 days.

A thief with an open session adds an address, makes it the main one and removes the owner's. So each address
that is removed or replaced gets a mail with a link. The link needs no sign-in: it stands for the mailbox,
like a code. A GET spends nothing. The undo makes the address the main one again, ends all sessions, and
removes what was added to the sign-in since seven days before the change: a thief may have begun earlier.
For the same reason, an address that is younger gets no link: it could be the thief's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth import logout
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache

from onboarding import clock
from onboarding.methods import require_read_or_post
from onboarding.models import AddedAddress, FormerAddress, SecurityEvent, User
from onboarding.models.addresses import UNDO_DAYS
from onboarding.monitoring.security_log import record
from onboarding.notifications import address_mails, outbox

from . import sessions

REACH = timedelta(days=UNDO_DAYS)


class AddressTaken(Exception):
    """Another account has the address now."""


def note_added(address: EmailAddress) -> None:
    """Remember when an address was added. The first one of an account belongs to whoever made it."""
    others = EmailAddress.objects.filter(user_id=address.user_id).exclude(pk=address.pk)
    if others.exists():
        AddedAddress.objects.update_or_create(
            user_id=address.user_id, email=address.email, defaults={"at": clock.now()}
        )


def tell(address: EmailAddress, *, was_removed: bool) -> None:
    """Mail the address that it was removed or replaced. Whoever never confirmed it lost nothing."""
    young = AddedAddress.objects.filter(
        user_id=address.user_id, email=address.email, at__gt=clock.now() - REACH
    )
    if not address.verified or young.exists():
        return
    former = FormerAddress.objects.create(
        user_id=address.user_id, email=address.email, was_removed=was_removed
    )
    outbox.send(former, address_mails.compose)


# -- the page --------------------------------------------------------------------------------------


@require_read_or_post
@never_cache
def take_back(request: HttpRequest, reference: str) -> HttpResponse:
    """What the link does, and its button. The POST does it."""
    former = FormerAddress.objects.select_related("user").filter(reference=reference).first()
    key = request.POST.get("key") or request.GET.get("key", "")
    if former is None or not constant_time_compare(key, former.key):
        return _page(request, "unknown", 404)
    if former.ended or former.expires_at <= clock.now() or not former.user.is_active:
        return _page(request, "ended", 404)
    if request.method != "POST":
        return _page(request, "", former=former)
    try:
        undone = undo(former, request)
    except AddressTaken:
        return _page(request, "taken", 409)
    return _page(request, "ended", 404) if undone is None else _page(request, "done", undone=undone)


def _page(request: HttpRequest, state: str, status: int = 200, **context: object) -> HttpResponse:
    return render(request, "account/take_back.html", {"state": state, **context}, status=status)


# -- the undo --------------------------------------------------------------------------------------


@transaction.atomic
def undo(former: FormerAddress, request: HttpRequest) -> list[str] | None:
    """Give the account back to this address; what was undone, in sentences. None: too late.

    Raises AddressTaken, with nothing changed.
    """
    user = User.objects.select_for_update().get(pk=former.user_id)
    now = clock.now()
    open_links = FormerAddress.objects.filter(user=user, ended=None)
    if not open_links.filter(pk=former.pk, expires_at__gt=now).update(ended=now):
        return None
    if request.user.is_authenticated:  # in a session that ends now, or as the account that is freed
        logout(request)
    _free(former.email, user)
    undone = list(_remove_added(user, former.email, former.at - REACH))
    _make_main(user, former.email)
    open_links.filter(email=former.email).update(ended=now)
    sessions.end_all(user, "address restored", request)
    record(SecurityEvent.Kind.ADDRESS_RESTORED, request, user=user)
    return undone


def _free(email: str, user: User) -> None:
    """Delete an account that is there only because somebody signed in with this address meanwhile."""
    has_it = Q(email=email) | Q(emailaddress__email=email, emailaddress__verified=True)
    for other in User.objects.filter(has_it).exclude(pk=user.pk).distinct():
        more = EmailAddress.objects.filter(user=other, verified=True).exclude(email=email)
        if other.is_staff or other.memberships.exists() or other.attempts.exists() or more.exists():
            raise AddressTaken
        other.delete()


def _remove_added(user: User, email: str, since: datetime) -> Iterator[str]:
    added = AddedAddress.objects.filter(user=user, at__gte=since).exclude(email=email)
    addresses = EmailAddress.objects.filter(user=user, email__in=added.values("email"))
    for address in addresses.order_by("email"):
        yield gettext("The address %(email)s was removed.") % {"email": address.email}
        address.delete()
    AddedAddress.objects.filter(Q(user=user) & (Q(at__gte=since) | Q(email=email))).delete()
    yield from _remove_factors(user, since)
    if user.has_usable_password():  # a thief may have set it, and a code signs in without one
        user.set_unusable_password()
        yield gettext("The password no longer works. You can set a new one.")


def _remove_factors(user: User, since: datetime) -> Iterator[str]:
    kinds = Authenticator.Type
    factors = Authenticator.objects.filter(user=user)
    new = factors.filter(created_at__gte=since)
    if new.filter(type=kinds.WEBAUTHN).exists():
        yield gettext("New passkeys were removed.")
    if new.filter(type__in=[kinds.TOTP, kinds.RECOVERY_CODES]).exists():
        yield gettext("The new second step was removed.")
    new.delete()
    if not factors.exclude(type=kinds.RECOVERY_CODES).exists():
        factors.delete()  # they belong to a factor that is gone


def _make_main(user: User, email: str) -> None:
    EmailAddress.objects.filter(user=user, primary=True).update(primary=False)
    EmailAddress.objects.update_or_create(
        user=user, email=email, defaults={"verified": True, "primary": True}
    )
    user.email = email
    user.save(update_fields=["email", "password"])

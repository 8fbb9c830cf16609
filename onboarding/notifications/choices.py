"""Which mails a person wants: a group of them can be switched off, for one business or for all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.http import urlencode

from onboarding.models import MailChoice, MailGroup, Merchant, RefusedAddress, User

SALT = "onboarding.mail-choices"


def wants(user: User, merchant: Merchant | None, group: str) -> bool:
    """Whether this person is to get mails of this group about this business. Without a group: always.

    Nothing of a group goes to an address that a mail server has refused.
    """
    if not group:
        return True
    if RefusedAddress.objects.filter(user=user, email=user.email.lower()).exists():
        return False
    about_it = Q(merchant=merchant) | Q(merchant=None)
    refused = MailChoice.objects.filter(about_it, user=user, group=group)
    return user.is_active and not refused.exists()


def wanted(user: User, merchants: Iterable[Merchant]) -> dict[Merchant, list[str]]:
    """The groups that this person gets, for each of these businesses."""
    rows = set(MailChoice.objects.filter(user=user).values_list("merchant", "group"))
    return {
        each: [group for group in MailGroup.values if not rows & {(each.pk, group), (None, group)}]
        for each in merchants
    }


def want(user: User, groups: Mapping[Merchant, Collection[str]]) -> None:
    """The person wants these groups of mails about these businesses, and no others about them."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one form at a time
        for group in MailGroup.values:
            _want(user, group, {each: group in chosen for each, chosen in groups.items()})


def stop(user: User, merchant: Merchant | None, groups: Iterable[str] = MailGroup.values) -> None:
    """The person wants no mails of these groups about this business; without one, about any."""
    rows = [MailChoice(user=user, merchant=merchant, group=group) for group in groups]
    MailChoice.objects.bulk_create(rows, ignore_conflicts=True)


def _want(user: User, group: str, is_wanted: Mapping[Merchant, bool]) -> None:
    rows = MailChoice.objects.filter(user=user, group=group)
    if any(is_wanted.values()) and rows.filter(merchant=None).delete()[0]:
        for other in set(user.merchants.all()) - set(is_wanted):
            stop(user, other, [group])
    for merchant, is_on in is_wanted.items():
        if is_on:
            rows.filter(merchant=merchant).delete()
        else:
            stop(user, merchant, [group])


# -- the link in a mail ----------------------------------------------------------------------------


def link(user: User, merchant: Merchant | None, group: str) -> str:
    """The address of the page for these choices, without a sign-in. The key is in the query, which no log
    contains."""
    business = merchant.pk if merchant else 0
    key = _signer().sign(f"{user.pk}-{business}-{group}")
    return f"{settings.SITE_URL}{reverse('mails')}?{urlencode({'key': key})}"


def read(key: str) -> tuple[User, Merchant | None, str] | None:
    """Whose choices, and which business and group the mail was about; None: such a link was never sent, or
    its reader has closed their account."""
    try:
        person, business, group = _signer().unsign(key).split("-", 2)
    except (BadSignature, ValueError):
        return None
    user = User.objects.filter(pk=person, is_active=True, erased_at=None).first()
    merchant = Merchant.objects.filter(pk=business).first() if business != "0" else None
    return (user, merchant, group) if user else None


def _signer() -> Signer:
    return Signer(salt=SALT, sep=".")

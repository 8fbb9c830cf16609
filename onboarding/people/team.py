"""What owners and members do with their team: invite, accept, change roles, remove, leave."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from onboarding.models import Invitation, Membership, Merchant, User
from onboarding.models.merchants import OPEN, invitation_expiry
from onboarding.notifications import invitations, outbox


class LastOwner(Exception):
    """A business without an owner could never be run again by its own people."""


class InvitedAlready(Exception):
    """The address has an open invitation: that one can be sent again."""


def invite(merchant: Merchant, by: User, email: str, role: str) -> Invitation:
    """A new invitation, mailed at once; one that has expired makes room. Raises InvitedAlready."""
    now = timezone.now()
    address = email.strip().lower()
    old = merchant.invitations.filter(OPEN, email=address, expires_at__lte=now)
    try:
        with transaction.atomic():
            old.update(revoked=now)
            made = merchant.invitations.create(email=address, role=role, invited_by=by)
    except IntegrityError as error:
        raise InvitedAlready(address) from error
    outbox.send(made, invitations.compose)
    return made


def send_again(invitation: Invitation) -> bool:
    """The same invitation once more, with all its days; False when it is no longer open."""
    anew = {
        "expires_at": invitation_expiry(),
        "mailed": None,
        "mail_retry_at": None,
        "mail_tries": 0,
    }
    if not Invitation.objects.filter(OPEN, pk=invitation.pk).update(**anew):
        return False
    invitation.refresh_from_db()
    outbox.send(invitation, invitations.compose)
    return True


def revoke(invitation: Invitation) -> bool:
    """Withdraw it; False when it was accepted meanwhile."""
    same = Invitation.objects.filter(pk=invitation.pk, accepted=None)
    return bool(same.update(revoked=timezone.now()))


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether the user has proven to read the mail of the invited address."""
    mine = EmailAddress.objects.filter(user=user, verified=True)
    return bool(mine.filter(email__iexact=invitation.email).exists())


@transaction.atomic
def accept(invitation: Invitation, user: User) -> bool:
    """Once, while it is open: makes the user a member. Whoever is one already keeps their role."""
    now = timezone.now()
    valid = Invitation.objects.filter(OPEN, pk=invitation.pk, expires_at__gt=now)
    if not is_for(invitation, user) or not valid.update(accepted=now):
        return False
    Membership.objects.get_or_create(
        merchant=invitation.merchant, user=user, defaults={"role": invitation.role}
    )
    return True


def open_invitations(user: User) -> QuerySet[Invitation]:
    """What the user may accept, the newest first."""
    mine = EmailAddress.objects.filter(user=user, verified=True).values("email")
    rows = Invitation.objects.filter(OPEN, email__in=mine, expires_at__gt=timezone.now())
    return rows.select_related("merchant", "invited_by").order_by("-created")


def has_member(merchant: Merchant, email: str) -> bool:
    people = User.objects.filter(memberships__merchant=merchant)
    verified = Q(emailaddress__email__iexact=email, emailaddress__verified=True)
    return people.filter(Q(email__iexact=email) | verified).exists()


@transaction.atomic
def change_role(membership: Membership, role: str) -> None:
    """Raises LastOwner when nobody would be left to run the business."""
    if role != Membership.Role.OWNER:
        _give_up(membership)
    Membership.objects.filter(pk=membership.pk).update(role=role)


@transaction.atomic
def remove(membership: Membership) -> None:
    """The person goes, their attempts stay with the business. Raises LastOwner."""
    _give_up(membership)
    membership.delete()


def is_last_owner(membership: Membership) -> bool:
    owners = membership.merchant.memberships.filter(role=Membership.Role.OWNER)
    return membership.owns and not owners.exclude(pk=membership.pk).exists()


def _give_up(membership: Membership) -> None:
    """Before an owner ceases to be one: another must stay, and their open invitations end.

    Else an owner who has to go could have invited another address of their own.
    """
    Merchant.objects.select_for_update().get(pk=membership.merchant_id)  # two owners, at once
    now = Membership.objects.filter(pk=membership.pk).first()
    if now and is_last_owner(now):
        raise LastOwner
    sent = membership.merchant.invitations.filter(OPEN, invited_by=membership.user)
    sent.update(revoked=timezone.now())

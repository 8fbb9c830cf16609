"""Team of a merchant: invite, accept, change roles, remove or leave."""

from __future__ import annotations

from collections.abc import Iterable

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from onboarding import clock
from onboarding.models import Invitation, Membership, Merchant, User
from onboarding.models.merchants import OPEN, invitation_expiry
from onboarding.models.outbox import WANTED
from onboarding.notifications import closing_mails, invitations, outbox
from onboarding.notifications.mail import AddressRefused


class LastOwner(Exception):
    """The last owner cannot go: nobody else could manage the team."""


class InvitedAlready(Exception):
    """The address has an open invitation already, which can be sent again."""


def invite(merchant: Merchant, by: User, email: str, role: str) -> Invitation:
    """Create an invitation and mail it at once; `email` is normalised. A mail that fails is tried again.

    An expired invitation of the same address is revoked first. Raises InvitedAlready if another one is
    open, and AddressRefused, with nothing created, if the mail server refuses the address for good.
    """
    now = clock.now()
    old = merchant.invitations.filter(OPEN, email=email, expires_at__lte=now)
    try:
        with transaction.atomic():
            old.update(revoked=now)
            made = merchant.invitations.create(email=email, role=role, invited_by=by)
    except IntegrityError as error:
        raise InvitedAlready(email) from error
    outbox.send_now(made, invitations.compose(made))
    made.refresh_from_db()
    if made.mail_refused:
        made.delete()
        raise AddressRefused
    return made


def send_again(invitation: Invitation) -> bool:
    """Send the invitation again, with a new expiry; False if it is no longer open.

    Afterwards its `mail_state` says whether the mail was sent.
    """
    restarted = {"expires_at": invitation_expiry(), **WANTED}
    if not Invitation.objects.filter(OPEN, pk=invitation.pk).update(**restarted):
        return False
    invitation.refresh_from_db()
    outbox.send_now(invitation, invitations.compose(invitation))
    invitation.refresh_from_db()
    return True


def revoke(invitation: Invitation) -> bool:
    """Revoke the invitation; False if it has been accepted already."""
    unaccepted = Invitation.objects.filter(pk=invitation.pk, accepted=None)
    return bool(unaccepted.update(revoked=clock.now()))


def is_for(invitation: Invitation, user: User) -> bool:
    """Whether the user has verified the invited address."""
    verified = EmailAddress.objects.filter(user=user, verified=True)
    return bool(verified.filter(email__iexact=invitation.email).exists())


@transaction.atomic
def accept(invitation: Invitation, user: User) -> bool:
    """Make the user a member; False if the invitation is not for them or not open. It works once.

    A user who is a member already keeps their role. The lock: they may be closing their account.
    """
    now = clock.now()
    if not User.objects.select_for_update(no_key=True).filter(pk=user.pk, is_active=True).exists():
        return False
    here = OPEN & Q(merchant__closing_since=None)
    valid = Invitation.objects.filter(here, pk=invitation.pk, expires_at__gt=now)
    if not is_for(invitation, user) or not valid.update(accepted=now):
        return False
    Membership.objects.get_or_create(
        merchant=invitation.merchant, user=user, defaults={"role": invitation.role}
    )
    return True


def open_invitations(user: User) -> QuerySet[Invitation]:
    """Invitations that the user can accept, the newest first."""
    verified = EmailAddress.objects.filter(user=user, verified=True).values("email")
    rows = Invitation.objects.filter(OPEN, email__in=verified, expires_at__gt=clock.now())
    return rows.select_related("merchant", "invited_by").order_by("-created")


def has_member(merchant: Merchant, email: str) -> bool:
    """Whether a member has this address, as their main address or a verified one."""
    people = User.objects.filter(memberships__merchant=merchant)
    verified = Q(emailaddress__email__iexact=email, emailaddress__verified=True)
    return people.filter(Q(email__iexact=email) | verified).exists()


@transaction.atomic
def change_role(membership: Membership, role: str) -> None:
    """Change the role. Raises LastOwner if the team would have no owner left.

    Whoever is no longer an owner sees secrets again when an owner gives them that right.
    """
    if role != Membership.Role.OWNER:
        _end_ownership(membership)
    Membership.objects.filter(pk=membership.pk).update(role=role, may_see_secrets=False)


def change_rights(membership: Membership, *, may_see_secrets: bool) -> bool:
    """Give a member the right to see secrets, or take it; False if nothing changed."""
    other = Membership.objects.filter(pk=membership.pk, may_see_secrets=not may_see_secrets)
    return bool(other.update(may_see_secrets=may_see_secrets))


@transaction.atomic
def remove(membership: Membership, told: Iterable[User] = ()) -> None:
    """Remove the member; their attempts stay with the merchant. Raises LastOwner.

    When an owner goes, the other owners hear of it, but those whom the caller has `told`.
    """
    _end_ownership(membership)
    owned, merchant = membership.owns, membership.merchant
    membership.delete()
    if owned:
        closing_mails.tell_owners(merchant, but=told)


def is_last_owner(membership: Membership) -> bool:
    """Whether this member is the only owner of the team."""
    owners = membership.merchant.memberships.filter(role=Membership.Role.OWNER)
    return membership.owns and not owners.exclude(pk=membership.pk).exists()


def _end_ownership(membership: Membership) -> None:
    """Raise LastOwner if no other owner stays. Revoke the open invitations that this member sent.

    Otherwise an owner who has to go could come back through an invitation to another address of theirs.
    """
    # The lock: two owners may leave at the same time.
    Merchant.objects.select_for_update().get(pk=membership.merchant_id)
    current = Membership.objects.filter(pk=membership.pk).first()
    if current and is_last_owner(current):
        raise LastOwner
    sent = membership.merchant.invitations.filter(OPEN, invited_by=membership.user)
    sent.update(revoked=clock.now())

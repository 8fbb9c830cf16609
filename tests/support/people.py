"""Test users: Alice owns a business, Bob is her colleague, Charlie has another business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress

from onboarding.models import Connector, Merchant, User

OWNER, MEMBER = "owner", "member"


def person(email: str, name: str) -> User:
    user = User.objects.create_user(email, name=name)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def business(name: str, **roles: User) -> Merchant:
    """A merchant with its members: business("Acme", owner=alice, member=bob)."""
    merchant = Merchant.objects.create(name=name)
    for role, user in roles.items():
        merchant.memberships.create(user=user, role=role)
    return merchant


def connector(vendor: str, key: str = "shop", **fields: Any) -> Connector:
    given = {"vendor_name": f"{vendor} {key}", "platform": key, "slug": f"{vendor}-{key}", **fields}
    return Connector.objects.create(vendor=vendor, key=key, **given)


@dataclass
class People:
    alice: User
    bob: User
    charlie: User
    acme: Merchant
    other: Merchant


def everybody() -> People:
    alice = person("alice@example.org", "Alice")
    bob = person("bob@example.org", "Bob")
    charlie = person("charlie@example.org", "Charlie")
    acme = business("Acme", owner=alice, member=bob)
    return People(alice, bob, charlie, acme, business("Charlie & Co", owner=charlie))

"""The user: an email address, no username, a password only for those who want one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext

from onboarding import alphabet, clock
from onboarding.email_addresses import normalised
from onboarding.fields import check_address

if TYPE_CHECKING:
    from . import Merchant


class UserManager(BaseUserManager["User"]):
    """Creates users by their email address, which is stored in lower case."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> User:
        if not email:
            raise ValueError("A user needs an email address.")
        user = self.model(email=normalised(email, local=True), **fields)
        user.set_password(password)  # None: no password works, users sign in with a code by mail
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person: a member of merchants' teams, or of staff.

    `time_zone`: a name such as Europe/Berlin, "" while it is unknown. It follows the browser until the person
    has chosen one. `erased_at`: they have closed their account. The row stays, without anything that tells
    who it was, because timelines and the security log refer to it.
    """

    email = models.EmailField(unique=True, validators=[check_address])
    name = models.CharField(max_length=150, blank=True)
    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    time_zone_chosen = models.BooleanField(default=False, editable=False)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=clock.now)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        app_label = "onboarding"

    def __str__(self) -> str:
        return gettext("a former member") if self.erased_at else self.email

    @cached_property
    def businesses(self) -> list[Merchant]:
        """The merchants of this user, in the order of their names; one query for each request."""
        return sorted(self.merchants.all(), key=lambda merchant: alphabet.sort_key(merchant.name))

    def get_full_name(self) -> str:
        return self.name or str(self)

    def get_short_name(self) -> str:
        return self.name or str(self)

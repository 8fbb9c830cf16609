"""Who reads a mail: their address, their language and their time zone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone, translation

from onboarding import moments
from onboarding.models import Merchant, User


@dataclass(frozen=True)
class Reader:
    """A person, and the business that a mail is about."""

    user: User
    merchant: Merchant | None = None

    @property
    def email(self) -> str:
        return self.user.email

    @property
    def language(self) -> str:
        """The person's; else that of the business; else English."""
        of_business = self.merchant.language if self.merchant else ""
        known = dict(settings.LANGUAGES)
        return next((each for each in (self.user.language, of_business) if each in known), "en")

    @property
    def zone(self) -> tzinfo:
        """The person's time zone; else the site's."""
        key = str(getattr(self.user, "time_zone", ""))
        return moments.zone_called(key) or ZoneInfo(settings.TIME_ZONE)


@contextmanager
def reading_as(reader: Reader) -> Iterator[None]:
    """Words and times within this block are in the reader's language and time zone."""
    with translation.override(reader.language), timezone.override(reader.zone):
        yield

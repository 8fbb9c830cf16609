"""Connectors: the entries of the catalogue that merchants choose from."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models import QuerySet
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy

from vendors.contract.characters import is_plain


def validate_link(link: str) -> None:
    """A link that merchants may be led to: an http or https address, or a path of this site."""
    is_path = link.startswith("/") and not link.startswith("//") and "\\" not in link
    if is_path and is_plain(link) and " " not in link:
        return
    wrong = ValidationError(
        gettext("Enter an address such as https://www.example.com/next, or a path such as /next.")
    )
    try:
        URLValidator(schemes=["http", "https"])(link)
    except ValidationError:
        raise wrong from None
    if "@" in urlsplit(link).netloc:
        raise wrong


class Connector(models.Model):
    """An entry of the catalogue. The sweep refreshes the vendor's columns, never those that staff set.

    `usual_seconds` is counted by the sweep, too (`catalogue/durations.py`); None: too few shops yet.
    """

    slug = models.SlugField(max_length=120, unique=True)
    vendor = models.SlugField(max_length=40)
    key = models.CharField(max_length=100)
    vendor_name = models.CharField(max_length=200, help_text="as the vendor calls it")
    platform = models.SlugField(max_length=60, db_index=True)
    category = models.SlugField(max_length=40, default="shop")
    description = models.TextField(blank=True)
    gone = models.DateTimeField(null=True, blank=True, help_text="the vendor stopped offering it")
    staff_made = models.BooleanField(default=False, editable=False)
    visible = models.BooleanField(default=True)
    name = models.CharField(
        max_length=200, blank=True, help_text="shown instead of the vendor's name"
    )
    position = models.IntegerField(default=100, help_text="lower comes first")
    options = models.JSONField(default=dict, blank=True, help_text="handed to the vendor, as JSON")
    next_words = models.CharField(
        gettext_lazy("what happens next"),
        max_length=300,
        blank=True,
        help_text=gettext_lazy(
            "Shown when a shop is connected: “Your products appear in the dashboard within an hour.”"
        ),
    )
    next_link = models.CharField(
        gettext_lazy("link below it"),
        max_length=500,
        blank=True,
        validators=[validate_link],
        help_text=gettext_lazy("An address such as https://www.example.com/next, or a path."),
    )
    next_label = models.CharField(
        gettext_lazy("words of the link"),
        max_length=60,
        blank=True,
        help_text=gettext_lazy("What its button says: “Open the dashboard”."),
    )
    usual_seconds = models.PositiveIntegerField(null=True, editable=False)
    consent = models.JSONField(
        default=dict,
        blank=True,
        help_text="what merchants agree to, in staff's words; a part that is missing has its default",
    )
    ready = models.BooleanField(
        default=True, editable=False, help_text="staff have set what the vendor asks of them"
    )
    takes_any = models.BooleanField(
        default=False,
        editable=False,
        help_text="it takes every shop system: it is not named as one",
    )
    uses = models.PositiveIntegerField(
        default=0, editable=False, help_text="shops that were connected through it"
    )

    class Meta:
        ordering = ["position", "vendor_name"]

    def __str__(self) -> str:
        """A name is the same in every language; what stands for any shop system is no name."""
        if self.name or not self.takes_any:
            return self.name or self.vendor_name
        return gettext(self.vendor_name)

    @property
    def title(self) -> str:
        """Its name where it stands first or alone: what stands for any shop system is made for sentences."""
        return capfirst(str(self)) if self.takes_any else str(self)

    @property
    def about(self) -> str:
        """Its description, in the reader's language where the vendor or we have it."""
        return gettext(self.description) if self.description else ""

    @property
    def usual_minutes(self) -> int | None:
        """What connecting a shop usually takes, in whole minutes; None: there are too few to say."""
        if self.usual_seconds is None:
            return None
        return max(math.ceil(self.usual_seconds / 60), 1)


def offered() -> QuerySet[Connector]:
    """The connectors that merchants may choose: visible, set up, and still offered by an enabled vendor."""
    vendors = list(settings.VENDORS.offered)
    return Connector.objects.filter(visible=True, ready=True, gone=None, vendor__in=vendors)


def vendors_with_shops() -> set[str]:
    """The slugs of all vendors that may have shops, offered or not: each shop has a connector."""
    return set(Connector.objects.order_by().values_list("vendor", flat=True).distinct())

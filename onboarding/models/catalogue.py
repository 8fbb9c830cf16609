"""Connectors: the entries of the catalogue that merchants choose from."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import QuerySet


class Connector(models.Model):
    """An entry of the catalogue. The sweep refreshes the vendor's columns, never those that staff set."""

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
        return self.name or self.vendor_name


def offered() -> QuerySet[Connector]:
    """The connectors that merchants may choose: visible, set up, and still offered by an enabled vendor."""
    vendors = list(settings.VENDORS.offered)
    return Connector.objects.filter(visible=True, ready=True, gone=None, vendor__in=vendors)

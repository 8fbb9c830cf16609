"""Warnings before a licence or a trial ends: 30 days, 7 days and one day before, to all members."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, F, OuterRef

from onboarding import clock
from onboarding.models import Connection, Membership, Notice
from onboarding.models.status import SET_UP

# step → days before the end: more than the first, at most the second
DAYS = {"30 days": (7, 30), "7 days": (1, 7), "1 day": (0, 1)}
LIMIT = 200  # shops in a sweep
FRESH = timedelta(days=31)  # a shop that was connected for less is not warned a month before


def write() -> None:
    """Write the warnings that have become due. Any number of workers may do so."""
    for step in DAYS:
        _write(step)


def _write(step: str) -> None:
    """Those of shops that are set up. A renewal has another end, so it has its own warnings."""
    now, (least, most) = clock.now(), DAYS[step]
    members = Membership.objects.filter(
        merchant=OuterRef("account__merchant"), user__is_active=True
    )
    written = Notice.objects.filter(
        connection=OuterRef("pk"), kind=Notice.Kind.ENDS, step=step, at=OuterRef("expires_at")
    )
    shops = Connection.objects.filter(
        status__in=SET_UP,
        expires_at__gt=now + timedelta(days=least),
        expires_at__lte=now + timedelta(days=most),
    )
    if step == "30 days":  # whoever has just begun such a term knows its end
        shops = shops.filter(expires_at__gt=F("connected_at") + FRESH)
    due = shops.filter(Exists(members)).exclude(Exists(written))
    rows = [row for shop in due.select_related("account").order_by("expires_at")[:LIMIT]
            for row in _rows(shop, step)]  # fmt: skip
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def _rows(shop: Connection, step: str) -> list[Notice]:
    end = shop.expires_at
    if end is None:
        return []
    return [
        Notice(
            kind=Notice.Kind.ENDS,
            step=step,
            user_id=member.user_id,
            connection=shop,
            at=end,
            not_before=clock.now(),
            key=f"ends:{shop.pk}:{step}:{end.isoformat()}:{member.user_id}",
        )
        for member in Membership.active(shop.account.merchant_id)
    ]

"""Requests for shop systems that are not offered: noting one, counting others, and one mail when it is."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import get_language

from onboarding import clock
from onboarding.models import ConnectorRequest, User
from onboarding.models.outbox import WANTED
from onboarding.notifications import outbox
from onboarding.notifications.mail import Mail
from onboarding.notifications.mail import compose as compose_mail

from . import cards, names


def ask(name: str, email: str, country: str = "", user: User | None = None) -> None:
    """Note the request. A second time changes its country alone; if the mail was sent, it is wanted again."""
    row, is_new = ConnectorRequest.objects.get_or_create(
        key=names.key(name),
        email=email,
        defaults={
            "name": name,
            "country": country,
            "user": user,
            "language": get_language() or "en",
            "platform": _platform_of(names.key(name)),
        },
    )
    if not is_new:
        again = {**WANTED, "created": clock.now()} if row.mailed else {}
        ConnectorRequest.objects.filter(pk=row.pk).update(country=country or row.country, **again)


def _platform_of(key: str) -> str:
    """What staff have said this name stands for, when somebody else asked for it."""
    known = ConnectorRequest.objects.filter(key=key).exclude(platform="")
    return known.values_list("platform", flat=True).first() or ""


def count(name: str) -> int:
    """How many people have asked for it."""
    key = names.key(name)
    return ConnectorRequest.objects.filter(key=key).count() if key else 0


def stands_for(request: ConnectorRequest, platform: str) -> None:
    """Staff say which shop system a name stands for: for everybody who asked by that name."""
    ConnectorRequest.objects.filter(key=request.key).update(platform=platform)


# -- the mail when it can be connected -------------------------------------------------------------


def mail_due() -> None:
    """Mail everybody who asked for a shop system that is offered now. Any number of workers may call it."""
    waiting = ConnectorRequest.objects.filter(mailed=None)
    wanted = set(waiting.order_by().values_list("key", "platform").distinct())
    if not wanted:
        return
    asked = {(key, platform): names.key(platform or key) for key, platform in wanted}
    for card in cards.load().cards:
        meant = [pair for pair, name in asked.items() if name in card.keys]
        if meant:
            _mail(waiting.filter(_any_of(meant)), card)


def _any_of(pairs: Iterable[tuple[str, str]]) -> Q:
    found = Q()
    for key, platform in pairs:
        found |= Q(key=key, platform=platform)
    return found


def _mail(rows: QuerySet[ConnectorRequest], card: cards.Card) -> None:
    """One mail to an address, by whatever names it asked for this shop system."""
    first: set[str] = set()
    more = []
    for pk, email in rows.order_by("pk").values_list("pk", "email"):
        (more.append(pk) if email in first else first.add(email))
    ConnectorRequest.objects.filter(pk__in=more).update(mailed=clock.now())
    outbox.send_due(rows, lambda row: _compose(row, card))


def _compose(row: ConnectorRequest, card: cards.Card) -> Mail:
    """It names the shop system as we do: what was typed may have been chosen to advertise."""
    page = reverse("platform", args=[card.platform])
    context = {"name": card.name, "address": settings.SITE_URL + page}
    return compose_mail("onboarding/email/request", [row.email], context, row.language)

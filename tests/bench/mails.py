"""A month of merchants, hour by hour: which mails they get, and that nobody gets too many.

    python -m tests.bench.mails [--merchants 1000] [--days 30] [--seed 1]

The rules are the product's own: attempts and checks run through the journey with a scripted vendor, and the
sweep sends what is due into a recorder, on a SQLite file that is thrown away. Only the merchants, what their
vendor answers and the clock are made up. In the month the vendor is down for six hours, a third of all shops
break within one hour, and one business in ten has six shops whose connections end on one day.

Exit status 1: somebody got more than two mails in a day or seven in a week that they did not ask for, a
reminder at night, or a mail twice.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from django.core.mail import EmailMessage

    from onboarding.models import Attempt, Connection, Connector, Merchant, User
    from tests.support.scripted import Answer, Scripted

BEGIN = datetime(2026, 3, 1, tzinfo=ZoneInfo("UTC"))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OUTAGE_DAY, WAVE_DAY = 0.4, 0.6  # of the whole time
BOUNDS = ((2, DAY), (7, 7 * DAY))
DAYLIGHT = range(8, 21)


@dataclass
class Result:
    """What was sent, by kind and person. `most`: to one person, in a day and in a week, by whether they had
    asked for it. `dropped`: what was not sent, by reason. `faults`: what must not happen."""

    each: Counter[tuple[str, str]] = field(default_factory=Counter)  # (kind, address)
    dropped: Counter[str] = field(default_factory=Counter)
    most: dict[str, tuple[int, int]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    mails: int = 0

    @property
    def kinds(self) -> set[str]:
        return {kind for kind, _ in self.each}

    def table(self) -> str:
        lines = [f"{'kind':15} {'mails':>7} {'people':>7} {'most to one':>12}"]
        for kind in sorted(self.kinds):
            counts = [count for (of, _), count in self.each.items() if of == kind]
            lines.append(f"{kind:15} {sum(counts):7} {len(counts):7} {max(counts):12}")
        lines += ["", "most to one person        in a day  in a week"]
        lines += [f"{asked:24} {day:9} {week:10}" for asked, (day, week) in self.most.items()]
        lines += ["", "not sent: " + ", ".join(f"{why} {n}" for why, n in self.dropped.items())]
        return "\n".join(lines)


class World:
    """The businesses, their shops and what they are doing."""

    def __init__(self, merchants: int, days: int, seed: int, vendor: Scripted) -> None:
        self.chance, self.vendor = random.Random(seed), vendor  # so that it can be repeated
        self.days = days
        self.shops: list[int] = []
        self.attempts: list[int] = []
        self.merchants = [self._business(number) for number in range(merchants)]

    def _business(self, number: int) -> tuple[Merchant, list[User]]:
        from tests.support.people import business, person

        owner = person(f"owner{number}@example.org", f"Owner {number}")
        merchant, people = business(f"Business {number}", owner=owner), [owner]
        if self.happens(0.4):
            people.append(person(f"member{number}@example.org", f"Member {number}"))
            merchant.memberships.create(user=people[-1], role="member")
        self._connected_shops(merchant, number)
        return merchant, people

    def _connected_shops(self, merchant: Merchant, number: int) -> None:
        """Some have shops already; those of a trial end within the month, all on one day."""
        from onboarding.models import Account, Connection

        account = Account.objects.create(merchant=merchant, vendor="scripted")
        on_trial = number % 10 == 0
        end = BEGIN + timedelta(days=self.chance.uniform(8, 40)) if on_trial else None
        for each in range(6 if on_trial else self.chance.randrange(4)):
            shop = Connection.objects.create(
                account=account, connector=self.connector(), vendor="scripted", name=f"Shop {each}",
                shop_id=f"{number}-{each}", status="connected", answer="connected", turn="",
                connected_at=BEGIN - 90 * DAY, confirmed_at=BEGIN, expires_at=end,
                due_at=BEGIN + 999 * DAY,
            )  # fmt: skip
            self.shops.append(shop.pk)

    def connector(self) -> Connector:
        from onboarding.models import Connector
        from tests.support.people import connector

        return Connector.objects.first() or connector("scripted")

    def happens(self, chance: float) -> bool:
        return self.chance.random() < chance

    # -- an hour ---------------------------------------------------------------------------------

    def hour(self, number: int) -> None:
        """What happens in this hour, at its beginning."""
        from onboarding.models import Breaker

        share = number / (24 * self.days)
        if abs(share - OUTAGE_DAY) * 24 * self.days < 0.5:
            Breaker.objects.create(
                vendor="scripted", host="vendor.example", cause="silent", failures=5,
                opened=BEGIN + number * HOUR, retry_at=BEGIN + 999 * DAY,
            )  # fmt: skip
        if abs(share - OUTAGE_DAY) * 24 * self.days - 6 < 0.5 and share > OUTAGE_DAY:
            Breaker.objects.filter(opened__lte=BEGIN + (number - 6) * HOUR).delete()
        is_wave = abs(share - WAVE_DAY) * 24 * self.days < 0.5
        self._shops(is_wave=is_wave)
        self._attempts()
        self._begin(24 * self.days)

    def _shops(self, *, is_wave: bool) -> None:
        for pk in self.shops:
            if self.happens(1 / 3 if is_wave else 0.0005):
                self._check(pk, _gone())
        for shop in self._broken():
            if self.happens(0.08):
                self._check(shop.pk, _connected(shop.shop_id))

    def _broken(self) -> list[Connection]:
        from onboarding.models import Connection

        return list(Connection.objects.filter(pk__in=self.shops, status="action_needed"))

    def _check(self, pk: int, answer: Answer) -> None:
        from django.utils import timezone

        from onboarding import journey
        from onboarding.models import Connection

        Connection.objects.filter(pk=pk).update(due_at=timezone.now())
        self.vendor.script[:] = [answer]
        journey.check(pk)
        Connection.objects.filter(pk=pk).update(due_at=BEGIN + 999 * DAY)
        self.vendor.script.clear()

    def _begin(self, hours: int) -> None:
        """Each business begins two shops in the whole time."""
        from onboarding import journey

        for merchant, people in self.merchants:
            if self.happens(2 / hours):
                user = self.chance.choice(people)
                attempt = journey.begin(
                    merchant=merchant, connector=self.connector(), user=user,
                    name=f"New {self.chance.random()}", answers={}, another=True,
                )  # fmt: skip
                self.attempts.append(attempt.pk)
                self._advance(attempt.pk)
                self._look(attempt.pk)

    def _attempts(self) -> None:
        """What goes on by itself, who comes back, and who gives up."""
        from onboarding.models import Attempt

        rows = Attempt.objects.filter(pk__in=self.attempts, ended=None).values_list("pk", "turn")
        for pk, turn in list(rows):
            chance = 0.02 if turn == "merchant" else 0.3
            if self.happens(chance):
                self._advance(pk)
                if turn == "merchant" or self.happens(0.3):
                    self._look(pk)

    def _advance(self, pk: int) -> None:
        from django.utils import timezone

        from onboarding import journey
        from onboarding.models import Attempt

        Attempt.objects.filter(pk=pk, ended=None).update(due_at=timezone.now())
        self.vendor.script[:] = [self.chance.choice(_answers(f"new-{pk}"))]
        journey.advance(pk, present=False)
        self.vendor.script.clear()

    def _look(self, pk: int) -> None:
        from onboarding import journey

        journey.note_look(attempt := _attempt(pk), attempt.user)


def _attempt(pk: int) -> Attempt:
    from onboarding.models import Attempt

    return Attempt.objects.select_related("user", "connection").get(pk=pk)


def _answers(shop_id: str) -> list[Answer]:
    from tests.support.attempts import WAIT
    from vendors.contract import Garbled, NeedsMerchant, Redirect, Unavailable, text

    install = NeedsMerchant(code="app", note=text("Install the app."))
    link = Redirect(url="https://vendor.example/authorize")
    return [WAIT, link, link, install, Garbled("odd"), Unavailable(), _connected(shop_id)]


def _gone() -> Answer:
    from vendors.contract import NeedsMerchant, text

    return NeedsMerchant(code="gone", note=text("Your key was deleted."))


def _connected(shop_id: str) -> Answer:
    from vendors.contract import Connected, text

    return Connected(shop_id=shop_id, evidence=text("The vendor lists it."))


# -- the month -------------------------------------------------------------------------------------


class Recorder:
    """A mail server that writes down who got what when."""

    def __init__(self) -> None:
        self.received: list[tuple[datetime, str, str]] = []

    def send(self, message: EmailMessage, fail_silently: bool = False) -> int:
        from django.utils import timezone

        for to in message.to:
            self.received.append((timezone.now(), to, str(message.subject)))
        return 1


def simulate(merchants: int, days: int, seed: int = 1, sweeps: int = 4) -> Result:
    """Let so many merchants live for so many days, in the current database. `sweeps`: of an hour."""
    import time_machine
    from django.conf import settings
    from django.core.mail import EmailMessage
    from django.test.utils import override_settings

    from onboarding.notifications import notices
    from tests.support.scripted import Scripted, offered

    vendor, recorder = Scripted(), Recorder()
    send, EmailMessage.send = EmailMessage.send, lambda mail, **_: recorder.send(mail)  # type: ignore[method-assign]
    try:
        with (
            time_machine.travel(BEGIN, tick=True) as clock,
            override_settings(VENDORS=offered(vendor)),
        ):
            world = World(merchants, days, seed, vendor)
            for number in range(24 * days):
                clock.move_to(BEGIN + number * HOUR)
                world.hour(number)
                for sweep in range(sweeps):
                    clock.move_to(BEGIN + (number + (sweep + 0.3) / sweeps) * HOUR)
                    notices.write_due()
                    notices.mail_due()
    finally:
        EmailMessage.send = send  # type: ignore[method-assign]
    return judge(recorder, ZoneInfo(settings.TIME_ZONE))


def judge(recorder: Recorder, zone: ZoneInfo) -> Result:
    """Count what was sent, and find what must not be."""
    from onboarding.models import Notice

    result = Result(mails=len(recorder.received))
    rows = Notice.objects.exclude(mailed=None).filter(told_in=None).select_related("user")
    times: dict[tuple[str, str], list[datetime]] = {}
    for row in rows.order_by("mailed"):
        who, at = row.user.email, row.mailed or BEGIN
        result.each[row.kind, who] += 1
        asked = "asked for" if row.group == "turn" else "not asked for"
        times.setdefault((asked, who), []).append(at)
        if row.group == "reminders" and at.astimezone(zone).hour not in DAYLIGHT:
            result.faults.append(f"{who} was reminded at night: {at}")
    result.dropped = Counter(Notice.objects.exclude(dropped=None).values_list("why", flat=True))
    _find_too_many(result, times)
    if result.mails != result.each.total():
        result.faults.append(f"{result.mails} mails were sent for {result.each.total()}")
    return result


def _find_too_many(result: Result, times: dict[tuple[str, str], list[datetime]]) -> None:
    for (asked, who), sent in times.items():
        counts = [_most_within(sent, length) for _, length in BOUNDS]
        day, week = result.most.get(asked, (0, 0))
        result.most[asked] = (max(day, counts[0]), max(week, counts[1]))
        if asked == "asked for":
            continue
        for (most, length), count in zip(BOUNDS, counts, strict=True):
            if count > most:
                result.faults.append(f"{who} got {count} mails within {length.days} days")


def _most_within(sent: list[datetime], length: timedelta) -> int:
    """The most of them within any such time."""
    return max(sum(at <= each < at + length for each in sent) for at in sent)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--merchants", type=int, default=1000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from django.core.management import call_command

    logging.disable(logging.INFO)
    call_command("migrate", verbosity=0)
    result = simulate(options.merchants, options.days, options.seed)
    print(result.table())
    print(
        "\n".join(result.faults) or "Nobody got too many mails, a reminder at night, or one twice."
    )
    return int(bool(result.faults))


if __name__ == "__main__":
    sys.exit(main())

"""The tables of limits and odds in docs/security/limits.md, computed from the settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from allauth.core.internal.ratelimit import Rate, parse_rates
from django.conf import settings

DOC = Path(settings.BASE_DIR) / "docs" / "security" / "limits.md"
DAY, CODES = 86_400, 10 ** int(settings.ACCOUNT_LOGIN_BY_CODE_FORMAT["length"])
PERIODS = {60: "a minute", 300: "in 5 minutes", 3600: "an hour", DAY: "a day"}
# Whoever guesses, and the limit that stops them first.
ATTACKERS = {
    "from one network, at one given email address": "address+network",
    "from any number of networks, at one given email address": "address",
    "from one IP address, at any email addresses": "ip",
    "from one network, at any email addresses": "network",
    "from all networks together, at any email addresses": "site",
    "in a browser that is known to the owner, at their email address": "browser",
}


def words(rates: str) -> str:
    said = [f"{rate.amount:,} {PERIODS[int(rate.duration)]}" for rate in parse_rates(rates)]
    return ", ".join(said) or "–"


def limit_rows() -> list[str]:
    """A row for each limit: what, for whom, elsewhere, on this machine."""
    return [
        f"| {subject} | {scope} | {words(rates)} |"
        f" {words(settings.LOOPBACK_LIMITS[subject].get(scope, ''))} |"
        for subject, scopes in settings.LIMITS.items()
        for scope, rates in scopes.items()
    ]


def allauth_rows() -> list[str]:
    return [
        f"| `{action}` | {_with_scopes(rates)} |"
        for action, rates in (settings.ACCOUNT_RATE_LIMITS | settings.MFA_RATE_LIMITS).items()
        if rates
    ]


def _with_scopes(rates: str) -> str:
    def one(rate: Rate) -> str:
        return f"{rate.amount:,} {PERIODS[int(rate.duration)]} for each {rate.per}"

    return ", ".join(map(one, parse_rates(rates)))


def guesses_a_day(scope: str) -> int:
    rates = parse_rates(settings.LIMITS["wrong codes"][scope])
    return min(int(rate.amount * DAY / rate.duration) for rate in rates)


def odds_rows() -> list[str]:
    return [odds_row(who, guesses_a_day(scope)) for who, scope in ATTACKERS.items()]


def odds_row(who: str, guesses: int) -> str:
    """Two periods of a day may touch: in any 24 hours there may be nearly twice as many guesses."""
    year = 1 - (1 - 1 / CODES) ** (365 * guesses)
    one_day, any_day = round(CODES / guesses), round(CODES / (2 * guesses - 1))
    return f"| {who} | {guesses:,} | 1 in {one_day:,} | 1 in {any_day:,} | {year:.1%} |"


@pytest.mark.parametrize("rows", [limit_rows, allauth_rows, odds_rows])
def test_the_tables_are_those_of_the_settings(rows: object) -> None:
    said = DOC.read_text(encoding="utf-8")
    missing = [row for row in rows() if row not in said]  # type: ignore[operator]
    assert not missing, "Write into docs/security/limits.md:\n" + "\n".join(missing)


def test_one_address_is_hit_less_than_once_in_ten_thousand_days() -> None:
    assert (2 * guesses_a_day("address") - 1) / CODES < 1 / 10_000


def test_what_is_narrower_for_strangers_stays_narrower_than_the_whole() -> None:
    for scopes in settings.LIMITS.values():
        of_a_day = {name: parse_rates(rates)[-1].amount for name, rates in scopes.items()}
        assert of_a_day["address+ip"] <= of_a_day["address+network"] < of_a_day["address"]
        if "ip" in of_a_day:
            assert of_a_day["ip"] < of_a_day["network"] < of_a_day.get("site", 10**9)


def test_on_this_machine_nothing_is_narrower() -> None:
    for subject, scopes in settings.LOOPBACK_LIMITS.items():
        for scope, rates in scopes.items():
            elsewhere = parse_rates(settings.LIMITS[subject][scope])
            for wide, narrow in zip(parse_rates(rates), elsewhere, strict=False):
                assert wide.amount >= narrow.amount


def test_codes_live_ten_minutes() -> None:
    assert settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT == 600
    assert settings.ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT == 600
    assert settings.ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT == 600

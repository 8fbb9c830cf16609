"""Migrations preserve the existing rows, forwards and backwards, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps.registry import Apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from onboarding.models import memo_key

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]
FIRST, WORDS, RETURNS, RATE_LIMITS, NAMES, REPORTED, KEYS, OUTAGES, REFUSED, SECURITY = (
    "0001_initial", "0002_words", "0003_hop_returns", "0004_rate_limits",
    "0005_shop_names_and_endings", "0006_reported", "0007_memo_keys", "0008_outages",
    "0009_mail_refused", "0010_security_events",
)  # fmt: skip
LIMITS, SESSIONS, RIGHTS, MAILS, BROWSER, CLOSING, REQUESTS, WHICH_SHOP = (
    "0011_limits_of_strangers", "0012_sessions", "0013_rights_and_former_addresses", "0014_account_mails",
    "0015_hop_browser", "0016_closing", "0017_connector_requests", "0018_which_shop",
)  # fmt: skip
CONSENTS, NEXT, STAFF_WORDS, LEASES, HOURLY, NOTICES, SEEN, SENT_AGAIN = (
    "0019_consents", "0020_next_and_durations", "0021_staff_words", "0023_leases", "0024_hourly_calls",
    "0027_notices", "0028_seen", "0029_sent_again",
)  # fmt: skip
MAIL_CHOICES, MAIL_LOG = "0025_mail_choices", "0026_mail_log"
MIGRATIONS = "django_migrations"
NOW = timezone.now()


@pytest.fixture(autouse=True)
def _empty_afterwards() -> Iterator[None]:
    """The next test begins with the schema of this one, so its tables are emptied by the names of now."""
    yield
    tables = [name for name in connection.introspection.table_names() if name != MIGRATIONS]
    statements = connection.ops.sql_flush(no_style(), tables)
    connection.ops.execute_sql_flush(statements)


@pytest.fixture(scope="module", autouse=True)
def _newest_schema_afterwards(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    yield
    with django_db_blocker.unblock():
        call_command("migrate", "onboarding", verbosity=0)


def migrate_to(name: str) -> Apps:
    executor = MigrationExecutor(connection)
    executor.migrate([("onboarding", name)])
    return MigrationExecutor(connection).loader.project_state([("onboarding", name)]).apps


def rows_of_the_first_release(apps: Apps) -> None:
    """One row in every table that a later migration renames."""

    def model(name: str) -> Any:
        return apps.get_model("onboarding", name).objects

    user = model("User").create(email="ann@example.org")
    merchant = model("Merchant").create(name="Acme", reference="acme")
    account = model("Account").create(
        merchant=merchant, vendor="v", key="a-1", memo={"t": 1}, doing="tenant"
    )
    connector = model("Connector").create(slug="v-shop", vendor="v", key="shop", vendor_name="Shop")
    shop = model("Connection").create(
        account=account, connector=connector, vendor="v", name="Shop", reference="shop-1", shop="s-1",
        memo={"k": 2}, told_at=NOW, expires=NOW, claimed=NOW, deaths=3, answer="lost",
    )  # fmt: skip
    attempt = model("Attempt").create(
        connection=shop, user=user, reference="attempt-1", call={"name": "start"}, found="s-2",
        accepted="s-3", claimed=NOW, deaths=4, cause="circles", answer="garbled",
    )  # fmt: skip
    model("Hop").create(attempt=attempt, user=user, state="x", digest="d", expires=NOW)
    model("Invitation").create(merchant=merchant, email="bob@example.org", mailing=NOW)
    model("Alert").create(vendor="v", cause="circles", mailing=NOW)
    model("Notice").create(connection=shop, kind="week", expires=NOW, mailing=NOW)
    model("Standby").create(user=user, merchant=merchant, connector=connector, typed={"n": 1})
    model("Breaker").create(vendor="v", host="h", until=NOW)


def only(apps: Apps, name: str) -> Any:
    return apps.get_model("onboarding", name).objects.get()


def test_renaming_the_columns_keeps_every_row() -> None:
    rows_of_the_first_release(migrate_to(FIRST))
    apps = migrate_to(WORDS)
    shop, attempt = only(apps, "Connection"), only(apps, "Attempt")
    assert (shop.shop_id, shop.merchant_finished_at, shop.expires_at) == ("s-1", NOW, NOW)
    assert (shop.call_started_at, shop.crashes, shop.answer) == (NOW, 3, "unreadable")
    assert (shop.memo, only(apps, "Account").memo) == ({"k": 2}, {"t": 1})
    assert (attempt.found_shop_id, attempt.accepted_shop_id) == ("s-2", "s-3")
    assert (attempt.call_started_at, attempt.crashes, attempt.cause) == (NOW, 4, "no_progress")
    assert (only(apps, "Account").announced, only(apps, "Hop").expires_at) == ("tenant", NOW)
    assert only(apps, "Alert").cause == "no_progress"
    assert only(apps, "Invitation").mail_retry_at == only(apps, "Alert").mail_retry_at == NOW
    warning, entry = only(apps, "ExpiryWarning"), only(apps, "WaitlistEntry")
    assert (warning.connection_id, warning.expires_at, entry.typed) == (shop.pk, NOW, {"n": 1})
    assert only(apps, "Breaker").retry_at == NOW


def test_a_mail_that_waits_is_not_refused_after_the_migration() -> None:
    rows_of_the_first_release(migrate_to(FIRST))
    apps = migrate_to(REFUSED)
    for name in ("Alert", "ExpiryWarning", "Invitation", "WaitlistEntry"):
        assert only(apps, name).mail_refused is False
    apps.get_model("onboarding", "Invitation").objects.update(mail_refused=True)
    apps = migrate_to(OUTAGES)
    invitation, user = only(apps, "Invitation"), only(apps, "User")
    assert (invitation.email, invitation.mail_retry_at) == ("bob@example.org", NOW)
    assert user.email == "ann@example.org"


def test_going_back_gives_the_old_columns_their_values_again() -> None:
    rows_of_the_first_release(migrate_to(FIRST))
    migrate_to(WORDS)
    apps = migrate_to(FIRST)
    shop, attempt = only(apps, "Connection"), only(apps, "Attempt")
    assert (shop.shop, shop.told_at, shop.expires) == ("s-1", NOW, NOW)
    assert (shop.claimed, shop.deaths, shop.answer) == (NOW, 3, "lost")
    assert (attempt.found, attempt.accepted, attempt.cause) == ("s-2", "s-3", "circles")
    assert (only(apps, "Account").doing, only(apps, "Alert").cause) == ("tenant", "circles")
    assert (only(apps, "Notice").expires, only(apps, "Standby").typed) == (NOW, {"n": 1})


def test_a_shop_is_still_connected_once_only_after_the_renaming() -> None:
    """The constraint that a renamed column belongs to holds in the database."""
    rows_of_the_first_release(migrate_to(FIRST))
    apps = migrate_to(WORDS)
    shop = only(apps, "Connection")
    twin = {"account": shop.account, "connector": shop.connector, "vendor": "v", "name": "Twin"}
    with pytest.raises(IntegrityError):
        apps.get_model("onboarding", "Connection").objects.create(
            **twin, reference="shop-2", shop_id="s-1"
        )


def test_counts_of_rate_limits_come_and_go_and_every_other_row_stays() -> None:
    rows_of_the_first_release(migrate_to(FIRST))
    migrate_to(RETURNS)
    apps = migrate_to(RATE_LIMITS)
    count = {"key": "ip:x", "ends_at": NOW}
    apps.get_model("onboarding", "RateLimit").objects.create(**count)
    with pytest.raises(IntegrityError):
        apps.get_model("onboarding", "RateLimit").objects.create(**count)
    apps = migrate_to(RETURNS)
    assert (only(apps, "User").email, only(apps, "Connection").shop_id) == (
        "ann@example.org",
        "s-1",
    )
    assert "ratelimit" not in apps.all_models["onboarding"]


def test_the_table_of_keys_begins_empty_and_goes_without_a_trace() -> None:
    """Memos that are there prove MEMO_KEYS at the first start; going back touches none of them."""
    rows_of_the_first_release(migrate_to(FIRST))
    apps = migrate_to(KEYS)
    assert not apps.get_model("onboarding", "MemoKey").objects.exists()
    call_command("migrate", "onboarding", verbosity=0)  # a process starts on the newest schema
    assert memo_key.are_proven()
    memo_key.prove()
    assert only(apps, "MemoKey").lost_at is None
    apps = migrate_to(REPORTED)
    assert "onboarding_memokey" not in connection.introspection.table_names()
    assert only(apps, "Account").memo == {"t": 1}


def test_outages_keep_their_rows_and_are_silent_to_older_code() -> None:
    rows_of_the_first_release(migrate_to(FIRST))
    migrate_to(KEYS)
    apps = migrate_to(OUTAGES)
    breaker, attempt = only(apps, "Breaker"), only(apps, "Attempt")
    assert (breaker.retry_at, breaker.failing, breaker.asked_until) == (NOW, [], None)
    assert (only(apps, "Account").unsure_why, attempt.heading) == ("", {})
    breaker.cause = "busy"
    breaker.save()
    promised: Any = apps.get_model("onboarding", OLD_MAILS[0])
    promised.objects.create(attempt=attempt)
    apps = migrate_to(KEYS)
    assert (only(apps, "Breaker").cause, only(apps, "Attempt").reference) == ("silent", "attempt-1")


# -- shops that nobody has confirmed ---------------------------------------------------------------


def shop_of(apps: Apps, name: str, **fields: Any) -> Any:
    """A shop with its attempt and an entry of its timeline, each with the shop's status and answer."""

    def model(name: str) -> Any:
        return apps.get_model("onboarding", name).objects

    user, _ = model("User").get_or_create(email="ann@example.org")
    merchant, _ = model("Merchant").get_or_create(name="Acme", reference="acme")
    account, _ = model("Account").get_or_create(merchant=merchant, vendor="v")
    connector, _ = model("Connector").get_or_create(slug="v-shop", vendor="v", key="shop")
    shop = model("Connection").create(
        account=account, connector=connector, vendor="v", name=name, reference=name, **fields
    )
    stands = {"status": fields["status"]}
    attempt = model("Attempt").create(
        connection=shop, user=user, reference=name, answer=fields["answer"], **stands
    )
    model("Event").create(
        connection=shop, attempt=attempt, note={"id": "…", "params": {}}, **stands
    )
    return shop


def stand(apps: Apps, name: str) -> tuple[str, str, str, str, str]:
    """(status, answer) of the shop, (status, answer) of its attempt, status of its timeline's entry."""
    shop = apps.get_model("onboarding", "Connection").objects.get(name=name)
    attempt, event = shop.attempts.get(), shop.events.get()
    return shop.status, shop.answer, attempt.status, attempt.answer, event.status


def test_a_connected_shop_that_nobody_has_confirmed_becomes_reported_and_back() -> None:
    apps = migrate_to(RATE_LIMITS)
    shop_of(apps, "word", status="connected", answer="connected")
    shop_of(apps, "doubted", status="connected", answer="refused")
    shop_of(apps, "sure", status="connected", answer="connected", confirmed_at=NOW)
    shop_of(apps, "begun", status="in_progress", answer="redirect")
    before = {name: stand(apps, name) for name in ("word", "doubted", "sure", "begun")}
    apps = migrate_to(REPORTED)
    assert stand(apps, "word") == ("reported",) * 5
    assert stand(apps, "doubted") == ("reported", "refused", "reported", "refused", "reported")
    assert {name: stand(apps, name) for name in ("sure", "begun")} == {
        name: before[name] for name in ("sure", "begun")
    }
    apps = migrate_to(RATE_LIMITS)
    assert {name: stand(apps, name) for name in before} == before


def test_going_back_leaves_no_state_that_the_earlier_release_does_not_know() -> None:
    apps = migrate_to(REPORTED)
    shop_of(apps, "pausing", status="reported", answer="task")
    shop_of(apps, "resuming", status="paused", answer="task")
    shop_of(apps, "going on", status="action_needed", answer="go_on")
    apps = migrate_to(RATE_LIMITS)
    assert stand(apps, "pausing")[:2] == ("paused", "done")
    assert stand(apps, "resuming")[:2] == ("paused", "done")
    assert stand(apps, "going on")[1::2] == ("needs", "needs")


# -- names of shops, and why attempts ended ----------------------------------------------------------


def shops_of_one_merchant(apps: Apps, *rows: tuple[str, str]) -> None:
    """Shops with these names and statuses, the oldest first."""

    def model(name: str) -> Any:
        return apps.get_model("onboarding", name).objects

    merchant = model("Merchant").create(name="Acme", reference="acme")
    account = model("Account").create(merchant=merchant, vendor="v")
    connector = model("Connector").create(slug="v-shop", vendor="v", key="shop", vendor_name="Shop")
    for number, (name, status) in enumerate(rows):
        model("Connection").create(
            account=account, connector=connector, vendor="v", name=name, status=status,
            reference=f"shop-{number}",
        )  # fmt: skip


def names_of(apps: Apps) -> list[str]:
    rows = apps.get_model("onboarding", "Connection").objects.order_by("reference")
    return list(rows.values_list("name", flat=True))


def test_shops_of_one_name_get_numbers() -> None:
    shops_of_one_merchant(
        migrate_to(RETURNS),
        *(("eBay", "disconnected"), ("Магазин", "connected"), ("МАГАЗИН", "on_it")),
        *(("МАГАЗИН 2", "connected"), ("EBAY", "paused"), ("x" * 100, "connected")),
        ("X" * 100, "connected"),
    )
    apps = migrate_to(NAMES)
    assert names_of(apps) == [
        *("eBay", "Магазин", "МАГАЗИН 3", "МАГАЗИН 2", "EBAY", "x" * 100, "X" * 98 + " 2"),
    ]
    row = apps.get_model("onboarding", "Connection").objects.get(name="EBAY")
    row.name, row.pk, row.reference = "магазин", None, "new"
    with pytest.raises(IntegrityError):
        row.save()


def attempts_that_ended(apps: Apps) -> None:
    """One attempt for each way to end, each of a shop of its own, named like the ending."""
    shops_of_one_merchant(
        apps,
        *(("connected", "connected"), ("done", "paused"), ("expired", "action_needed")),
        *(("unreadable", "action_needed"), ("kept_sibling", "disconnected")),
        *(("account_deleted", "disconnected"), ("replaced", "in_progress"), ("", "in_progress")),
    )
    user = apps.get_model("onboarding", "User").objects.create(email="ann@example.org")
    for shop in apps.get_model("onboarding", "Connection").objects.all():
        answer = {"kept_sibling": "wrong_shop", "account_deleted": "redirect", "": "redirect"}
        purpose = "pause" if shop.name == "unreadable" else "connect"
        attempt = shop.attempts.create(
            user=user, reference=shop.reference, purpose=purpose, ended=NOW if shop.name else None,
            answer=answer.get(shop.name, shop.name),
        )  # fmt: skip
        if shop.name == "kept_sibling":
            kept = "You kept the connection that this shop already has."
            shop.events.create(attempt=attempt, note={"id": kept, "params": {}})


def test_ended_attempts_say_why() -> None:
    attempts_that_ended(migrate_to(RETURNS))
    apps = migrate_to(NAMES)
    rows = apps.get_model("onboarding", "Attempt").objects.all()
    for name, ending in rows.values_list("connection__name", "ending"):
        assert ending == name
    assert rows.count() == 8


def test_names_and_attempts_survive_the_way_back() -> None:
    attempts_that_ended(migrate_to(RETURNS))
    before = names_of(migrate_to(NAMES))
    apps = migrate_to(RETURNS)
    assert names_of(apps) == before
    assert apps.get_model("onboarding", "Attempt").objects.count() == 8


def test_a_person_survives_the_security_log() -> None:
    user = migrate_to(REFUSED).get_model("onboarding", "User").objects.create(email="a@example.org")
    migrate_to(SECURITY).get_model("onboarding", "SecurityEvent").objects.create(
        kind="signed_in", user_id=user.pk
    )
    assert only(migrate_to(REFUSED), "User").email == "a@example.org"


def test_after_the_upgrade_only_owners_see_secrets() -> None:
    apps = migrate_to(SECURITY)
    user = apps.get_model("onboarding", "User").objects.create(email="a@example.org")
    merchant = apps.get_model("onboarding", "Merchant").objects.create(name="Acme", reference="a")
    merchant.memberships.create(user=user, role="member")
    apps = migrate_to(RIGHTS)
    assert only(apps, "Membership").may_see_secrets is False
    apps.get_model("onboarding", "Membership").objects.update(may_see_secrets=True)
    former = apps.get_model("onboarding", "FormerAddress").objects
    former.create(user_id=user.pk, email="old@example.org", was_removed=True)
    assert only(migrate_to(SECURITY), "Membership").role == "member"


def tables() -> set[str]:
    with connection.cursor() as cursor:
        return set(connection.introspection.table_names(cursor))


def test_the_keys_of_the_old_sessions_are_gone_after_the_migration() -> None:
    apps = migrate_to(SECURITY)
    user = apps.get_model("onboarding", "User").objects.create(email="ann@example.org")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (%s, %s, %s)",
            ["k" * 32, "data", NOW],
        )
    apps = migrate_to(SESSIONS)
    assert "django_session" not in tables()
    sessions = apps.get_model("onboarding", "Session").objects
    assert not sessions.exists()
    sessions.create(user_id=user.pk, key_hash="h" * 64, session_data="", expire_date=NOW)
    migrate_to(SECURITY)
    assert "django_session" in tables()
    assert "onboarding_session" not in tables()


def test_a_new_database_never_had_the_old_sessions() -> None:
    migrate_to(SECURITY)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE django_session")
    migrate_to(SESSIONS)
    assert "onboarding_session" in tables()


def test_counts_survive_the_limits_of_strangers() -> None:
    apps = migrate_to(SECURITY)
    apps.get_model("onboarding", "RateLimit").objects.create(key="k", used=3, ends_at=NOW)
    user = apps.get_model("onboarding", "User").objects.create(email="a@example.org")
    apps = migrate_to(LIMITS)
    assert (only(apps, "RateLimit").used, only(apps, "RateLimit").refused) == (3, False)
    apps.get_model("onboarding", "GuessWarning").objects.create(user_id=user.pk)
    apps = migrate_to(SECURITY)
    assert (only(apps, "RateLimit").used, only(apps, "User").email) == (3, "a@example.org")


def test_who_left_before_the_upgrade_is_bound_to_no_browser() -> None:
    """They come back as before; going back forgets the browsers and keeps the hops."""
    rows_of_the_first_release(migrate_to(FIRST))
    apps = migrate_to(BROWSER)
    hop = only(apps, "Hop")
    assert (hop.browser, hop.strayed, hop.state) == ("", None, "x")
    apps.get_model("onboarding", "Hop").objects.update(browser="b" * 64, strayed=NOW)
    assert only(migrate_to(SECURITY), "Hop").digest == "d"


def test_people_and_businesses_survive_what_closes_them() -> None:
    apps = migrate_to(SECURITY)
    user = apps.get_model("onboarding", "User").objects.create(email="a@example.org")
    merchant = apps.get_model("onboarding", "Merchant").objects.create(name="Acme", reference="r")
    apps = migrate_to(CLOSING)
    assert only(apps, "User").erased_at is None
    assert only(apps, "Merchant").closing_since is None
    apps.get_model("onboarding", "ErasureTask").objects.create(
        merchant_id=merchant.pk, user_id=user.pk, vendor="v", text="Ask them."
    )
    apps.get_model("onboarding", "ClosingMail").objects.create(kind="account_closed")
    apps = migrate_to(SECURITY)
    assert (only(apps, "User").email, only(apps, "Merchant").name) == ("a@example.org", "Acme")


def test_a_person_survives_the_mails_of_accounts_and_a_mail_on_its_way_does_not() -> None:
    user = (
        migrate_to(SECURITY).get_model("onboarding", "User").objects.create(email="a@example.org")
    )
    migrate_to(MAILS).get_model("onboarding", "AccountMail").objects.create(
        content={"to": [user.email]}, expires_at=NOW
    )
    assert only(migrate_to(SECURITY), "User").email == "a@example.org"
    assert not migrate_to(MAILS).get_model("onboarding", "AccountMail").objects.exists()


def test_shops_and_connectors_survive_what_comes_next_and_usual_times() -> None:
    rows_of_the_first_release(migrate_to(FIRST))
    apps = migrate_to(NEXT)
    connector = only(apps, "Connector")
    assert (connector.next_words, connector.next_link, connector.next_label) == ("", "", "")
    assert connector.usual_seconds is None
    apps.get_model("onboarding", "Connector").objects.update(next_link="/next", usual_seconds=90)
    apps = migrate_to(CLOSING)
    assert (only(apps, "Connector").slug, only(apps, "Connection").name) == ("v-shop", "Shop")


def test_shops_have_no_address_after_the_upgrade_and_survive_the_way_back() -> None:
    shop_of(migrate_to(CLOSING), "My shop", status="connected", answer="connected")
    apps = migrate_to(WHICH_SHOP)
    shop, attempt = only(apps, "Connection"), only(apps, "Attempt")
    assert (shop.address, shop.account_label, only(apps, "Account").label) == ("", "", "")
    assert (attempt.found_address, attempt.found_account) == ("", "")
    apps.get_model("onboarding", "Connection").objects.update(address="shop.example")
    assert only(migrate_to(CLOSING), "Connection").name == "My shop"


def test_shops_and_connectors_survive_the_consents() -> None:
    """Going back forgets what was agreed to, and nothing else."""
    rows_of_the_first_release(migrate_to(FIRST))
    migrate_to(CLOSING)
    apps = migrate_to(CONSENTS)
    attempt = only(apps, "Attempt")
    assert only(apps, "Connector").consent == {}
    apps.get_model("onboarding", "Consent").objects.create(
        attempt_id=attempt.pk, user_id=attempt.user_id, language="en", version="1", words={"a": 1}
    )
    apps.get_model("onboarding", "Connector").objects.update(consent={"reads": "Orders."})
    apps = migrate_to(CLOSING)
    assert only(apps, "Attempt").reference == attempt.reference
    assert only(apps, "Connector").slug == "v-shop"
    assert "onboarding_consent" not in tables()


def test_connectors_survive_what_is_counted_and_asked_for() -> None:
    apps = migrate_to(CLOSING)
    given = {
        "slug": "v-shop",
        "vendor": "v",
        "key": "shop",
        "vendor_name": "Shop",
        "platform": "shop",
    }
    apps.get_model("onboarding", "Connector").objects.create(**given)
    apps = migrate_to(REQUESTS)
    assert (only(apps, "Connector").takes_any, only(apps, "Connector").uses) == (False, 0)
    apps.get_model("onboarding", "ConnectorRequest").objects.create(
        name="Oxid", key="oxid", email="a@example.org"
    )
    assert only(migrate_to(CLOSING), "Connector").slug == "v-shop"
    assert not migrate_to(REQUESTS).get_model("onboarding", "ConnectorRequest").objects.exists()


def test_attempts_know_their_vendor_and_what_is_under_way_goes_on_after_the_leases() -> None:
    rows_of_the_first_release(migrate_to(FIRST))
    migrate_to(STAFF_WORDS)
    apps = migrate_to(LEASES)
    attempt, shop = only(apps, "Attempt"), only(apps, "Connection")
    assert (attempt.vendor, attempt.call_started_at, attempt.lease_until) == ("v", NOW, None)
    assert (shop.vendor, shop.call_started_at, shop.lease_token) == ("v", NOW, "")
    for name in ("Attempt", "Connection"):
        apps.get_model("onboarding", name).objects.update(lease_until=NOW, due_at=NOW)
    apps = migrate_to(STAFF_WORDS)
    assert (only(apps, "Attempt").due_at, only(apps, "Connection").due_at) == (NOW, NOW)


def test_calls_survive_their_hourly_counts() -> None:
    """Going back forgets the counts. The shop's reference is unique before and after."""
    apps = migrate_to(LEASES)
    shop = shop_of(apps, "Shop", status="connected", answer="connected")
    given = {"vendor": "v", "host": "h", "call": "GET /x", "outcome": "200", "ms": 5, "at": NOW}
    apps.get_model("onboarding", "Call").objects.create(**given, connection=shop)
    apps = migrate_to(HOURLY)
    kept: dict[str, object] = {**apps.get_model("onboarding", "Call").objects.values().get()}
    assert {name: kept[name] for name in given} == given
    counts = apps.get_model("onboarding", "HourlyCalls").objects
    counted = {"hour": NOW, "vendor": "v", "host": "h", "call": "GET /x", "outcome": "200"}
    counts.create(**counted, calls=3)
    is_refused(counts, **counted)
    is_refused(apps.get_model("onboarding", "Connection").objects, **second(shop))
    apps = migrate_to(LEASES)
    assert apps.get_model("onboarding", "Call").objects.values().get() == kept
    assert "onboarding_hourlycalls" not in tables()
    is_refused(apps.get_model("onboarding", "Connection").objects, **second(shop))


def second(shop: Any) -> dict[str, object]:
    """Another shop with the same reference."""
    same = {name: getattr(shop, name) for name in ("account_id", "connector_id", "reference")}
    return {**same, "vendor": "v", "name": "Other", "name_key": "other"}


def is_refused(rows: Any, **fields: object) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.create(**fields)


def test_people_survive_their_choices_and_the_mail_log() -> None:
    """Going back forgets both."""
    apps = migrate_to(HOURLY)
    apps.get_model("onboarding", "User").objects.create(email="ann@example.org", language="de")
    apps = migrate_to(MAIL_LOG)
    user = only(apps, "User")
    assert (user.language, user.time_zone, user.time_zone_chosen) == ("de", "", False)
    choices = apps.get_model("onboarding", "MailChoice").objects
    choices.create(user=user, group="turn")
    is_refused(choices, user=user, group="turn")
    apps.get_model("onboarding", "MailRecord").objects.create(
        to=user.email, kind="code", user=user, source="AccountMail", row=1
    )
    refused = apps.get_model("onboarding", "RefusedAddress").objects
    refused.create(user=user, email=user.email)
    is_refused(refused, user=user, email=user.email)
    apps = migrate_to(MAIL_CHOICES)
    assert apps.get_model("onboarding", "MailChoice").objects.count() == 1
    assert only(migrate_to(HOURLY), "User").email == "ann@example.org"
    assert not tables() & {"onboarding_mailchoice", "onboarding_mailrecord"}


def old_mails(apps: Apps) -> Any:
    """A promise, a way back, a confirmation and a warning, of a shop with two members."""

    def model(name: str) -> Any:
        return apps.get_model("onboarding", name).objects

    shop = shop_of(apps, "Shop", status="connected", answer="connected")
    attempt, ann = shop.attempts.get(), model("User").get()
    bob = model("User").create(email="bob@example.org")
    for user in (ann, bob):
        model("Membership").create(merchant=shop.account.merchant, user=user)
    model("PromisedMail").create(attempt=attempt, promised=NOW)
    model("AttemptMail").create(attempt=attempt, kind="way_back", user=ann, mailed=NOW)
    model("AttemptMail").create(attempt=attempt, kind="confirmed", mail_tries=2)
    model("ExpiryWarning").create(connection=shop, kind="week", expires_at=NOW, mailed=NOW)
    return shop


OLD_MAILS = ("PromisedMail", "AttemptMail", "ExpiryWarning")


def mails_of(apps: Apps) -> list[dict[str, object]]:
    rows = [apps.get_model("onboarding", name).objects for name in OLD_MAILS]
    kept = [{**row} for each in rows for row in each.order_by("pk").values()]
    return [{name: value for name, value in row.items() if name != "id"} for row in kept]


def test_mails_become_notices_and_come_back_sent_or_not() -> None:
    old_mails(apps := migrate_to(HOURLY))
    before = mails_of(apps)
    apps = migrate_to(NOTICES)
    notices = apps.get_model("onboarding", "Notice").objects.order_by("pk")
    assert [(row.kind, row.user.email, row.mailed, row.mail_tries) for row in notices] == [
        ("staff_done", "ann@example.org", None, 0),
        ("way_back", "ann@example.org", NOW, 0),
        ("connected", "ann@example.org", None, 2),
        ("connected", "bob@example.org", None, 2),
        ("ends", "ann@example.org", NOW, 0),
        ("ends", "bob@example.org", NOW, 0),
    ]
    assert mails_of(migrate_to(HOURLY)) == before


def test_attempts_keep_their_rows_when_it_is_noted_who_looks() -> None:
    old_mails(apps := migrate_to(HOURLY))
    before = {**apps.get_model("onboarding", "Attempt").objects.values().get()}
    apps = migrate_to(SEEN)
    after = {**apps.get_model("onboarding", "Attempt").objects.values().get()}
    assert after == {**before, "seen_at": None}
    assert not {f"onboarding_{name.lower()}" for name in OLD_MAILS} & tables()
    apps = migrate_to(HOURLY)
    assert {**apps.get_model("onboarding", "Attempt").objects.values().get()} == before
    assert len(mails_of(apps)) == 4


def test_notices_and_the_waitlist_survive_what_staff_send_again() -> None:
    shop = old_mails(apps := migrate_to(HOURLY))
    whose = {"user_id": shop.attempts.get().user_id, "merchant_id": shop.account.merchant_id}
    apps.get_model("onboarding", "WaitlistEntry").objects.create(
        **whose, connector_id=shop.connector_id
    )
    before = notices_and_waitlist(migrate_to(SEEN))
    after = notices_and_waitlist(migrate_to(SENT_AGAIN))
    assert [row.pop(new) for row, new in after] == [None] * 7
    assert [row for row, _ in after] == [row for row, _ in before]
    assert notices_and_waitlist(migrate_to(SEEN)) == before


def notices_and_waitlist(apps: Apps) -> list[tuple[dict[str, Any], str]]:
    """The rows, each with the name of its new column."""
    new = {"Notice": "asked_again", "WaitlistEntry": "dropped"}
    return [
        ({**row}, column)
        for name, column in new.items()
        for row in apps.get_model("onboarding", name).objects.order_by("pk").values()
    ]

"""The Redis cache: an outage breaks no page, and after it no stale value is served."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from django.core.cache import caches
from django.test import Client
from pytest_django.fixtures import Settings

from onboarding.conf import service_urls
from onboarding.conf.cache_backend import RedisOrDatabase, outage
from tests.support.people import People
from tests.support.site import Site
from tests.support.workers import PASSWORD, Redis
from vendors import sandbox


@pytest.fixture
def cache(transactional_db: None, broker: Redis, settings: Settings) -> RedisOrDatabase:
    """The site's cache, on Redis."""
    settings.CACHES = {**settings.CACHES, "default": service_urls.cache(broker.url)}
    caches["database"].clear()
    found = caches["default"]
    assert isinstance(found, RedisOrDatabase)
    return found


def comes_back(broker: Redis) -> None:
    broker.start()
    outage.retry_at = 0.0001  # the pause is over


def test_it_is_on_redis(cache: RedisOrDatabase, broker: Redis) -> None:
    cache.set("a", 1)
    assert cache.get("a") == 1
    with broker.client() as client:
        assert client.dbsize() == 1


def test_without_redis_it_is_in_the_database(cache: RedisOrDatabase, broker: Redis) -> None:
    broker.stop()
    cache.set("a", 1)
    assert (cache.get("a"), cache.incr("a"), "a" in cache, cache.add("a", 5)) == (1, 2, True, False)
    assert cache.get_many(["a", "b"]) == {"a": 2}
    cache.delete("a")
    assert cache.get("a", "gone") == "gone"


def test_values_from_before_the_outage_are_not_used(cache: RedisOrDatabase, broker: Redis) -> None:
    broker.stop()
    cache.delete("count")
    comes_back(broker)
    with broker.client() as client:  # with what it had saved before
        client.set(cache.make_and_validate_key("count"), 1)
    assert cache.get("count") is None
    assert not outage.changed


def test_who_is_signed_in_stays_so_without_redis_and_after_it(
    cache: RedisOrDatabase, broker: Redis, people: People
) -> None:
    client, home = Client(), f"/m/{people.acme.reference}/"
    client.force_login(people.alice, "allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(home).status_code == 200
    broker.stop()
    assert client.get(home).status_code == 200
    comes_back(broker)
    assert client.get(home).status_code == 200


def test_a_signed_out_session_never_comes_back_whatever_redis_remembers(
    cache: RedisOrDatabase, broker: Redis, people: People
) -> None:
    client, home = Client(), f"/m/{people.acme.reference}/"
    client.force_login(people.alice, "allauth.account.auth_backends.AuthenticationBackend")
    assert client.get(home).status_code == 200
    saved = everything(broker)
    thief = Client()
    thief.cookies.update(client.cookies)
    broker.stop()
    client.post("/accounts/logout/")
    outage.changed.clear()  # this process ends; another one knows nothing of the outage
    comes_back(broker)
    restore(broker, saved)
    assert thief.get(home).status_code == 302


def everything(broker: Redis) -> dict[bytes, bytes]:
    with broker.client() as client:
        return {key: client.dump(key) for key in client.scan_iter()}


def restore(broker: Redis, saved: dict[bytes, bytes]) -> None:
    """Redis is back with the data that it had saved before."""
    with broker.client() as client:
        for key, value in saved.items():
            client.restore(key, 0, value)


def test_signing_in_and_out_works_without_redis(
    cache: RedisOrDatabase, broker: Redis, people: People
) -> None:
    broker.stop()
    client = Client()
    asked = client.post(
        "/accounts/login/", {"login": people.alice.email, "email": people.alice.email}
    )
    assert asked.status_code in {200, 302, 303}
    client.force_login(people.alice, "allauth.account.auth_backends.AuthenticationBackend")
    client.logout()
    comes_back(broker)
    assert client.get("/shops/").status_code == 302


def test_the_entries_of_a_crowd_stay_in_the_cache(transactional_db: None) -> None:
    cache = caches["default"]
    keys = [f"count-{number}" for number in range(400)]
    for key in keys:
        cache.set(key, "somebody", timeout=1000)
    assert len(cache.get_many(keys)) == len(keys)


def test_the_whole_site_runs_with_redis_and_without_it(tmp_path: Path, broker: Redis) -> None:
    """RUNNER=celery is of an older release, and stops nothing."""
    stage = sandbox.start(tmp_path / "sandbox", vendors=["celigo"])
    site = Site(tmp_path, stage, extra_env={"RUNNER": "celery", "REDIS_URL": broker.url})
    site.prepare()
    try:
        site.start()
        for path in ("/connectors/", "/accounts/login/"):
            broker.stop()
            assert requests.get(site.url + path, timeout=30).ok
            broker.start()
            assert requests.get(site.url + path, timeout=30).ok
    finally:
        site.stop()
        stage.stop()
    assert "RUNNER=celery has no effect" in site.logs()
    assert PASSWORD not in site.logs()

"""System checks. An error stops `manage.py`, the worker and the web server; ids are for good.

E001 a setting cannot be read · E002 a key is missing · E003 a key of MEMO_KEYS is no Fernet key ·
E004 sessions in cookies · E005 demo mails, E006 sandbox, E007 DEBUG on a public address ·
E008 no EMAIL_URL · E009 a vendor's settings · E010 a cache that processes do not share ·
E011 Celery without Redis
W001 plain http on a public address · W002 https without a proxy · W003 nothing uses a setting yet ·
W004 nobody is told about staff's turns
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register, run_checks
from django.core.exceptions import ImproperlyConfigured

from .environment import SETTINGS

SIGNED_COOKIES = "django.contrib.sessions.backends.signed_cookies"
PRIVATE_CACHES = ("locmem.LocMemCache", "dummy.DummyCache")


@register()
def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """All of the site's own checks, in the order of their ids."""
    return [*_errors(), *_warnings()]


def refuse_to_start() -> None:
    """Raise ImproperlyConfigured with every error; gunicorn runs no system checks of its own."""
    errors = [message for message in run_checks() if message.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(f"({e.id}) {e.msg}" for e in errors))


def _errors() -> Iterator[CheckMessage]:
    for name, message in settings.ENVIRON.problems:
        yield Error(f"{name}: {message}.", id="onboarding.E001")
    yield from _keys()
    if settings.SESSION_ENGINE == SIGNED_COOKIES:
        hint = "A visitor could read the sign-in code that allauth keeps there: use cached_db."
        yield Error("Sessions must not be kept in cookies.", hint=hint, id="onboarding.E004")
    if not settings.LOOPBACK:
        yield from _only_on_loopback()
        if not settings.EMAIL_URL:
            yield Error("EMAIL_URL must be set: people sign in by mail.", id="onboarding.E008")
    for name, message in settings.VENDORS.problems:
        yield Error(f"{name}: {message}.", id="onboarding.E009")
    if settings.CACHES["default"]["BACKEND"].endswith(PRIVATE_CACHES):
        yield Error("The cache must be shared by all processes.", id="onboarding.E010")
    if settings.RUNNER == "celery" and not settings.REDIS_URL:
        hint = "Set REDIS_URL=redis://host:6379/0, or RUNNER=threads."
        yield Error("RUNNER=celery needs REDIS_URL.", hint=hint, id="onboarding.E011")


def _keys() -> Iterator[CheckMessage]:
    if not settings.ENVIRON.is_set("SECRET_KEY") and not settings.LOOPBACK:
        yield Error("SECRET_KEY must be set.", hint=MAKE_SECRET_KEY, id="onboarding.E002")
    if not settings.MEMO_KEYS:
        yield Error("MEMO_KEYS must be set.", hint=MAKE_MEMO_KEY, id="onboarding.E002")
    for number, key in enumerate(settings.MEMO_KEYS, start=1):
        if not _is_fernet(key):
            message = f"Key {number} of MEMO_KEYS is no Fernet key."
            yield Error(message, hint=MAKE_MEMO_KEY, id="onboarding.E003")


MAKE_SECRET_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(50))' makes one."
MAKE_MEMO_KEY = (
    "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())' "
    "makes one. Keep it: without it what vendors gave us cannot be read."
)


def _is_fernet(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _only_on_loopback() -> Iterator[CheckMessage]:
    only = "is only for a SITE_URL on a loopback address."
    if settings.DEMO_MAILS:
        yield Error(f"EMAIL_URL=demo: {only}", id="onboarding.E005")
    if settings.SANDBOX:
        yield Error(f"SANDBOX=1 {only}", id="onboarding.E006")
    if settings.DEBUG:
        yield Error(f"DEBUG=1 {only}", id="onboarding.E007")


def _warnings() -> Iterator[CheckMessage]:
    if not settings.LOOPBACK:
        yield from _public()
    for setting in SETTINGS:
        if setting.later and settings.ENVIRON.is_set(setting.name):
            yield checks.Warning(f"Nothing uses {setting.name} yet.", id="onboarding.W003")


def _public() -> Iterator[CheckMessage]:
    if not settings.HTTPS:
        message = "SITE_URL is plain http: cookies and codes travel in the clear."
        yield checks.Warning(message, id="onboarding.W001")
    elif not settings.PROXY_COUNT:
        hint = "Set PROXY_COUNT to the number of proxies that end TLS, or redirects will loop."
        message = "SITE_URL is https and PROXY_COUNT is 0."
        yield checks.Warning(message, hint=hint, id="onboarding.W002")
    if not settings.STAFF_EMAIL:
        message = "STAFF_EMAIL is not set: nobody is told when something becomes staff's turn."
        yield checks.Warning(message, id="onboarding.W004")

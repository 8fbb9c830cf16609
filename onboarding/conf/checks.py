"""Django system checks of the settings. An error stops `manage.py`, the worker and the web server.

An id never changes its meaning:
E001 an invalid setting · E002 a missing key · E003 a key in MEMO_KEYS that is not a Fernet key ·
E004 sessions elsewhere than in the database · E005 demo mails, E006 sandbox, E007 DEBUG on a public address ·
E008 no EMAIL_URL · E009 an invalid setting of a vendor · E010 a cache that processes do not share ·
E011 (no longer used) · E012 a SECRET_KEY that can be guessed · E013 a DATA_DIR that cannot be written
E014 a database that refuses us · E015 a key missing in MEMO_KEYS · E016 a database that does not answer
(these three: doctor/start.py)
W001 plain http on a public address · W002 https without a proxy · W003 (no longer used) ·
W004 no STAFF_EMAIL · W005 a variable that looks like a mistyped setting · W006 Redis, W007 the mail server
refuses us or does not answer (doctor/start.py) · W008 staff without a second step on a public address ·
W009 RUNNER=celery
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.core.checks.security.base import (
    SECRET_KEY_INSECURE_PREFIX,
    SECRET_KEY_MIN_LENGTH,
    SECRET_KEY_MIN_UNIQUE_CHARACTERS,
)

SESSIONS_IN_DATABASE = "onboarding.models.sessions"
PRIVATE_CACHES = ("locmem.LocMemCache", "dummy.DummyCache")


@register()
def check_settings(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """All errors, then all warnings, about the site's settings."""
    return [*_errors(), *_warnings()]


def _errors() -> Iterator[CheckMessage]:
    for name, message in settings.ENVIRON.problems:
        yield Error(_sentence(name, message), id="onboarding.E001")
    yield from _keys()
    if settings.SESSION_ENGINE != SESSIONS_IN_DATABASE:
        yield Error(
            "Sessions must be kept in the database.", hint=WHY_DATABASE, id="onboarding.E004"
        )
    if settings.DATA_DIR_FAULT:
        message = f"DATA_DIR ({settings.DATA_DIR}) cannot be written: {settings.DATA_DIR_FAULT}."
        hint = "It must belong to the user who runs Gangway, on a disk with free space."
        yield Error(message, hint=hint, id="onboarding.E013")
    if not settings.LOOPBACK:
        yield from _only_on_loopback()
        if _is_missing("EMAIL_URL"):
            yield Error("EMAIL_URL must be set: people sign in by mail.", id="onboarding.E008")
    for name, message in settings.VENDORS.problems:
        yield Error(_sentence(name, message), id="onboarding.E009")
    if settings.CACHES["default"]["BACKEND"].endswith(PRIVATE_CACHES):
        yield Error("The cache must be shared by all processes.", id="onboarding.E010")


def _sentence(name: str, message: str) -> str:
    return f"{name}: {message}" if message.endswith("?") else f"{name}: {message}."


def _is_missing(name: str) -> bool:
    """Whether a setting has no value at all. An invalid value is reported as E001."""
    return not getattr(settings, name) and not settings.ENVIRON.is_set(name)


def _keys() -> Iterator[CheckMessage]:
    if not settings.ENVIRON.is_set("SECRET_KEY") and not settings.LOOPBACK:
        yield Error("SECRET_KEY must be set.", hint=MAKE_SECRET_KEY, id="onboarding.E002")
    elif not settings.LOOPBACK and settings.SECRET_KEY and _is_guessable(settings.SECRET_KEY):
        yield Error(GUESSABLE, hint=MAKE_SECRET_KEY, id="onboarding.E012")
    if not settings.MEMO_KEYS and not (settings.LOOPBACK and settings.DATA_DIR_FAULT):
        yield Error("MEMO_KEYS must be set.", hint=MAKE_MEMO_KEY, id="onboarding.E002")
    for number, key in enumerate(settings.MEMO_KEYS, start=1):
        if not _is_fernet(key):
            message = f"Key {number} of MEMO_KEYS is not a Fernet key."
            yield Error(message, hint=MAKE_MEMO_KEY, id="onboarding.E003")


WHY_DATABASE = (
    "A visitor could read allauth’s sign-in code in a cookie. A cache that was away could bring "
    "back a session that has ended."
)
MAKE_SECRET_KEY = "python -c 'import secrets; print(secrets.token_urlsafe(50))' makes one."
MAKE_MEMO_KEY = (
    "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())' "
    "makes one. Keep it: without it, nobody can read what the vendors gave us."
)


GUESSABLE = (
    f"SECRET_KEY can be guessed: it must have at least {SECRET_KEY_MIN_LENGTH} characters, "
    f"{SECRET_KEY_MIN_UNIQUE_CHARACTERS} of them different, and must not be one of Django’s examples."
)


def _is_guessable(key: str) -> bool:
    """The rule of Django's own check (security.W009), which only warns, and only with --deploy."""
    return (
        len(key) < SECRET_KEY_MIN_LENGTH
        or len(set(key)) < SECRET_KEY_MIN_UNIQUE_CHARACTERS
        or key.startswith(SECRET_KEY_INSECURE_PREFIX)
    )


def _is_fernet(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _only_on_loopback() -> Iterator[CheckMessage]:
    rule = "is only for a SITE_URL on a loopback address."
    if settings.DEMO_MAILS:
        yield Error(f"EMAIL_URL=demo: {rule}", id="onboarding.E005")
    if settings.SANDBOX:
        yield Error(f"SANDBOX=1 {rule}", id="onboarding.E006")
    if settings.DEBUG:
        yield Error(f"DEBUG=1 {rule}", id="onboarding.E007")


def _warnings() -> Iterator[CheckMessage]:
    if not settings.LOOPBACK:
        yield from _on_public_address()
    for typo, message in settings.ENVIRON.typos:
        yield checks.Warning(_sentence(typo, message), id="onboarding.W005")
    if settings.RUNNER == "celery":
        message = "RUNNER=celery has no effect: workers share their work through the database."
        hint = "Leave RUNNER out. Redis is used for the cache alone (REDIS_URL)."
        yield checks.Warning(message, hint=hint, id="onboarding.W009")


def _on_public_address() -> Iterator[CheckMessage]:
    if not settings.HTTPS:
        message = "SITE_URL is plain http: cookies and codes are sent unencrypted."
        yield checks.Warning(message, id="onboarding.W001")
    elif not settings.PROXY_COUNT:
        hint = "Set PROXY_COUNT to the number of proxies that end TLS, or redirects will loop."
        message = "SITE_URL is https and PROXY_COUNT is 0."
        yield checks.Warning(message, hint=hint, id="onboarding.W002")
    if not settings.STAFF_EMAIL:
        message = "STAFF_EMAIL is not set: nobody is told when a shop needs staff."
        yield checks.Warning(message, id="onboarding.W004")
    if not settings.STAFF_MFA:
        message = (
            "STAFF_MFA=0: whoever reads the mail of one member of staff can do all that they can."
        )
        hint = (
            "Leave STAFF_MFA out: staff are then asked to set up a passkey or an authenticator app."
        )
        yield checks.Warning(message, hint=hint, id="onboarding.W008")

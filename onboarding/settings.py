"""Django's settings. Every value comes from the environment; the README's table lists them all.

A value that cannot be read is kept in `ENVIRON.problems`, and the system checks refuse it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.core.management.utils import get_random_secret_key

import vendors

from .conf import csp, service_urls
from .conf.environment import Environ
from .conf.local_keys import kept
from .monitoring.logs import logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRON = env = Environ(os.environ)

# -- where the site is -----------------------------------------------------------------------------

HOST = env.text("HOST")
PORT = env.number("PORT", 1, 65534)
_here = f"http://localhost:{PORT}"
_asked = (env.text("SITE_URL", default="") or _here).rstrip("/")
_site = env.parsed("SITE_URL", _asked, service_urls.site, service_urls.site(_here))
SITE_URL = _site.geturl()
SITE_HOST = _site.hostname or ""
LOOPBACK = service_urls.loopback(SITE_URL)
HTTPS = _site.scheme == "https"
DEBUG = env.flag("DEBUG")
ALLOWED_HOSTS = [SITE_HOST, *env.words("ALLOWED_HOSTS")]
if LOOPBACK:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
PROXY_COUNT = env.number("PROXY_COUNT", 0, 10)
DATA_DIR = (BASE_DIR / env.text("DATA_DIR")).resolve()

# -- keys: required, except on a loopback address, where they are made once and kept ---------------

SECRET_KEY = env.text("SECRET_KEY")
MEMO_KEYS = env.words("MEMO_KEYS")
if LOOPBACK:
    SECRET_KEY = SECRET_KEY or kept(DATA_DIR / "secret_key", get_random_secret_key)
    MEMO_KEYS = MEMO_KEYS or [kept(DATA_DIR / "memo_key", lambda: Fernet.generate_key().decode())]

# -- the parts -------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "onboarding.apps.OnboardingConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]
MIDDLEWARE = [
    "onboarding.middleware.reference",
    "onboarding.middleware.machines",
    "onboarding.middleware.proxies",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "onboarding.middleware.one_loopback_host",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "onboarding.urls"
WSGI_APPLICATION = "onboarding.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "onboarding.views.context.site",
            ]
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- database, cache, sessions, runner -------------------------------------------------------------

# What gunicorn.conf.py starts in each process. Enough for pages while some wait to write, and a quarter
# of them for a vendor (runner).
WEB_THREADS = 16
RUNNER = env.choice("RUNNER", "threads", "celery")
CHECK_PERIOD = env.duration("CHECK_PERIOD")
RETENTION_DAYS = env.number("RETENTION_DAYS", 1, 36500)
METRICS = env.flag("METRICS")
METRICS_DIR = DATA_DIR / "metrics"  # what the processes of this machine count

_own_file = service_urls.sqlite(str(DATA_DIR / "db.sqlite3"))
DATABASES = {"default": _own_file}
if _database := env.text("DATABASE_URL"):
    DATABASES["default"] = env.parsed(
        "DATABASE_URL", _database, lambda url: service_urls.database(url, WEB_THREADS), _own_file
    )
if DATABASES["default"] is _own_file:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
REDIS_URL = env.text("REDIS_URL")
CACHES = {
    "default": env.parsed("REDIS_URL", REDIS_URL, service_urls.cache, service_urls.cache("")),
    "database": service_urls.cache(""),  # what stands in while Redis is away
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

# -- mail and face ---------------------------------------------------------------------------------

EMAIL_URL = env.text("EMAIL_URL") or ("console:" if LOOPBACK else "")
_mail: dict[str, Any] = env.parsed("EMAIL_URL", EMAIL_URL or "console:", service_urls.mail, {})
EMAIL_BACKEND = _mail.get("EMAIL_BACKEND", service_urls.MAIL_BACKENDS["console"])
EMAIL_TIMEOUT = _mail.get("EMAIL_TIMEOUT")
EMAIL_FILE_PATH = _mail.get("EMAIL_FILE_PATH")
EMAIL_HOST = _mail.get("EMAIL_HOST", "localhost")
EMAIL_PORT = _mail.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
DEMO_MAILS = EMAIL_URL.startswith("demo:")

BRAND_NAME = env.text("BRAND_NAME")
BRAND_LOGO = env.matching(
    "BRAND_LOGO", r"https://[^\s\"';,]+|/static/[^\s\"';,]+", "must be https://… or /static/…"
)
BRAND_COLOUR = env.matching("BRAND_COLOUR", r"#[0-9a-fA-F]{6}", "must look like #1a2b3c")
LEGAL_LINKS: list[tuple[str, str]] = env.parsed(
    "LEGAL_LINKS", env.text("LEGAL_LINKS"), service_urls.links, []
)
SUPPORT_EMAIL = env.parsed("SUPPORT_EMAIL", env.text("SUPPORT_EMAIL"), service_urls.mailbox, "")
STAFF_EMAIL: list[str] = env.parsed(
    "STAFF_EMAIL", env.text("STAFF_EMAIL"), service_urls.mailboxes, []
)
EMAIL_FROM = env.text("EMAIL_FROM") or f"{BRAND_NAME} <no-reply@{SITE_HOST}>"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = EMAIL_FROM
EMAIL_SUBJECT_PREFIX = ""

# -- vendors ---------------------------------------------------------------------------------------

SANDBOX = env.flag("SANDBOX")
SANDBOX_URL = (env.text("SANDBOX_URL", default="") or f"http://127.0.0.1:{PORT + 1}").rstrip("/")
VENDORS = vendors.load({**os.environ, "SANDBOX_URL": SANDBOX_URL})

# -- headers and cookies ---------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {"DIRECTIVES": csp.directives(BRAND_LOGO)}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "onboarding.views.errors.csrf_failure"

# -- languages, static files, logs -----------------------------------------------------------------

LANGUAGE_CODE = "en"
LOCALE_PATHS = [BASE_DIR / "onboarding" / "locale"]
# A language without translations would mix Django's sentences with our English ones.
LANGUAGES = [("en", "English")] + [
    (code, name)
    for code, name in [("de", "Deutsch"), ("sv", "Svenska"), ("nl", "Nederlands")]
    if (LOCALE_PATHS[0] / code / "LC_MESSAGES" / "django.mo").exists()
]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
LOG_FORMAT = env.choice("LOG_FORMAT", "text", "json")
LOGGING = logging_settings(LOG_FORMAT)

# -- accounts (django-allauth) --------------------------------------------------------------------

AUTH_USER_MODEL = "onboarding.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/shops/"
STAFF_MFA = env.flag("STAFF_MFA")
ACCOUNT_ADAPTER = "onboarding.people.sign_in.Adapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1"]  # optional: password1 gives LoginForm its box
ACCOUNT_MAX_EMAIL_ADDRESSES = 5
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_LOGIN_BY_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# Those of allauth, with ten times as much for each IP address: an office sits behind one. Six
# digits, three tries a code: ten codes an hour for an address keep guessing hopeless. (The codes
# for a further address and for a new password are eight letters.)
ACCOUNT_RATE_LIMITS = {
    "send_code": "1/10s/key",
    "request_login_code": "200/m/ip,3/m/key,10/h/key",
    "signup": "200/m/ip",
    "invite": "30/h/key",
    "login": "300/m/ip",
    "login_failed": "100/m/ip,5/300s/key",
    "reset_password": "200/m/ip,5/m/key",
    "reset_password_from_key": "200/m/ip",
}
MFA_ADAPTER = "onboarding.people.sign_in.PasskeyAdapter"
MFA_SUPPORTED_TYPES = ["webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RATE_LIMITS = {"webauthn_login": "100/m/ip"}

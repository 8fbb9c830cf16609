"""Django settings, from environment variables. The README's tables list the variables.

An invalid value does not stop the import: its default is used instead. The system checks report all
problems (`ENVIRON.problems`) and refuse to start.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.management.utils import get_random_secret_key

import vendors
from vendors.reader import read

from . import email_addresses, languages
from .conf import csp, data_dir, service_urls
from .conf.environment import Site
from .conf.local_keys import load_or_create_key
from .monitoring.logs import logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRON = read(Site, os.environ)
site = ENVIRON.values

# -- where the site is -----------------------------------------------------------------------------

HOST = site.host
PORT = site.port
_site_parts = service_urls.site(site.site_url or f"http://localhost:{PORT}")
SITE_URL = _site_parts.geturl()
SITE_HOST = _site_parts.hostname or ""
LOOPBACK = service_urls.loopback(SITE_URL)
HTTPS = _site_parts.scheme == "https"
DEBUG = site.debug
ALLOWED_HOSTS = [SITE_HOST, *site.allowed_hosts]
if LOOPBACK:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
PROXY_COUNT = site.proxy_count
DATA_DIR = (BASE_DIR / site.data_dir).resolve()
_needs_data_dir = not site.database_url or site.metrics or (LOOPBACK and not site.memo_keys)
DATA_DIR_FAULT = data_dir.fault(DATA_DIR) if _needs_data_dir else ""  # a system check reports it

# -- keys: a site on a loopback address creates missing keys; any other site needs them ------------

SECRET_KEY = site.secret_key
MEMO_KEYS = [*site.memo_keys]
if LOOPBACK and not DATA_DIR_FAULT:
    SECRET_KEY = SECRET_KEY or load_or_create_key(DATA_DIR / "secret_key", get_random_secret_key)
    MEMO_KEYS = MEMO_KEYS or [
        load_or_create_key(DATA_DIR / "memo_key", lambda: Fernet.generate_key().decode())
    ]

# -- apps, middleware, templates -------------------------------------------------------------------

INSTALLED_APPS = [
    "onboarding.apps.OnboardingConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
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
    "onboarding.middleware.security_headers",
    "csp.middleware.CSPMiddleware",
    "onboarding.middleware.health_checks",
    "onboarding.people.language.of_browser",  # before any page is made, also one of an error
    "onboarding.middleware.small_bodies",
    "onboarding.middleware.proxies",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # files are compressed when they are collected
    "onboarding.middleware.Compression",
    "onboarding.middleware.readable_requests",
    "onboarding.middleware.one_address",
    "onboarding.middleware.Sessions",
    "onboarding.middleware.private_pages",
    "onboarding.middleware.reader_time_zone",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "onboarding.people.language.of_person",
    "onboarding.middleware.own_time_zone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "onboarding.middleware.http_methods",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "onboarding.middleware.still_you",
    "onboarding.middleware.MemoKeys",
    "onboarding.people.staff_gate.StaffGate",
    "onboarding.middleware.explained_errors",
    "onboarding.people.known_browsers.middleware",
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

# Threads of each web process: enough to serve pages while some wait for the write lock. At most a
# quarter of them wait for vendors (background/runner.py).
WEB_THREADS = 16
RUNNER = site.runner
CHECK_PERIOD = site.check_period
NOTICE_AFTER = site.notice_after
BROKEN_NOTICE_AFTER = site.broken_notice_after
RETENTION_DAYS = site.retention_days
CALL_DETAIL_DAYS = site.call_detail_days
MAIL_LOG_DAYS = site.mail_log_days
MAX_BUSINESSES = site.max_businesses
MAX_BUSINESSES_PER_DAY = site.max_businesses_per_day
MAX_OPEN_SHOPS = site.max_open_shops
MAX_OPEN_SHOPS_PER_PERSON = site.max_open_shops_per_person
MAX_ATTEMPTS_PER_HOUR = site.max_attempts_per_hour
METRICS = site.metrics
METRICS_DIR = DATA_DIR / "metrics"  # the counters of all processes on this machine

if site.database_url:
    DATABASES = {"default": service_urls.database(site.database_url, WEB_THREADS)}
else:
    DATABASES = {"default": service_urls.sqlite(str(DATA_DIR / "db.sqlite3"))}
REDIS_URL = site.redis_url
CACHES = {
    "default": service_urls.cache(REDIS_URL),
    "database": service_urls.cache(""),  # used while Redis does not answer
}
# In the database alone: a cache that was away could bring back a session that has ended (ADR 19). The
# table holds a keyed hash of the cookie (ADR 20).
SESSION_ENGINE = "onboarding.models.sessions"
# How long a session lives without being used, and in all. Merchants come back every few days while they
# connect a shop. Staff see every merchant, often on shared screens: a working day, and an hour's break. Who
# is not signed in has only a place to go back to. Asking for news, which a page does by itself, is no use.
SESSION_LIFETIMES = {
    "merchant": (timedelta(days=14), timedelta(days=90)),
    "staff": (timedelta(hours=1), timedelta(hours=12)),
    "anonymous": (timedelta(days=1), timedelta(days=1)),
}
# A use is noted at most this often, so that reading pages seldom writes. A session may end this much early.
SESSION_SEEN_INTERVAL = timedelta(minutes=2)

# -- mail and appearance ---------------------------------------------------------------------------

EMAIL_URL = site.email_url or ("console:" if LOOPBACK else "")
_mail = service_urls.mail(EMAIL_URL or "console:")
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_TIMEOUT = _mail["EMAIL_TIMEOUT"]
EMAIL_FILE_PATH = _mail.get("EMAIL_FILE_PATH")
EMAIL_HOST = _mail.get("EMAIL_HOST", "localhost")
EMAIL_PORT = _mail.get("EMAIL_PORT", 25)
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
DEMO_MAILS = EMAIL_URL.startswith("demo:")

BRAND_NAME = site.brand_name
BRAND_LOGO = site.brand_logo
BRAND_COLOUR = site.brand_colour
BRAND_URL = site.brand_url
LEGAL_LINKS = service_urls.links(site.legal_links)
SUPPORT_EMAIL = site.support_email[0] if site.support_email else ""
SECURITY_CONTACT = service_urls.contacts(site.security_contact or site.support_email[:1])
STAFF_EMAIL = [*site.staff_email]
EMAIL_FROM = site.email_from or email_addresses.mailbox(
    BRAND_NAME, f"no-reply@{email_addresses.domain_for(SITE_HOST)}"
)
DEFAULT_FROM_EMAIL = SERVER_EMAIL = EMAIL_FROM
EMAIL_SUBJECT_PREFIX = ""

# -- vendors ---------------------------------------------------------------------------------------

SANDBOX = site.sandbox
SANDBOX_URL = (site.sandbox_url or f"http://127.0.0.1:{PORT + 1}").rstrip("/")
VENDORS = vendors.load({**os.environ, "SANDBOX_URL": SANDBOX_URL})

# -- what a request may bring: our forms are short, and no page takes a file ------------------------

LONGEST_BODY = 256 * 1024  # bytes; the web server reads no more, and answers 413
DATA_UPLOAD_MAX_MEMORY_SIZE = LONGEST_BODY
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
FILE_UPLOAD_HANDLERS = ["onboarding.conf.uploads.RefuseFiles"]

# -- headers and cookies ---------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {"DIRECTIVES": csp.directives(BRAND_LOGO)}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_HOST = _site_parts.netloc
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = site.hsts_subdomains
# Lax, not Strict: a browser comes back from a vendor's page with a GET that another site began. A Strict
# CSRF cookie would be missing there, and the new one would break the forms of all other tabs.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True  # no script of ours reads them
# Names of our own: cookies of another app on a parent domain come along, and Django's default names
# would make them look like ours. With `__Host-`, browsers take such a cookie from this host alone.
COOKIE_PREFIX = "__Host-gangway_" if HTTPS else "gangway_"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}session"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrf"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}language"
CHOSEN_COOKIE_NAME = f"{COOKIE_PREFIX}chosen"  # a language, by somebody who then signs in
KNOWN_COOKIE_NAME = f"{COOKIE_PREFIX}known"
MESSAGES_COOKIE_NAME = f"{COOKIE_PREFIX}messages"
MESSAGE_STORAGE = "onboarding.conf.message_storage.MessageStorage"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "onboarding.views.errors.csrf_failure"

# -- languages, static files, logs -----------------------------------------------------------------

LANGUAGE_CODE = languages.SOURCE
LOCALE_PATHS = [BASE_DIR / "onboarding" / "locale"]
LANGUAGES = [(code, languages.NAMES[code]) for code in languages.OFFERED]
FORMAT_MODULE_PATH = ["onboarding.formats"]
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other site uses our files
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "onboarding.conf.static_files.StaticFiles"},
}
LOG_FORMAT = site.log_format
LOGGING = logging_settings(LOG_FORMAT)

# -- accounts (django-allauth) ---------------------------------------------------------------------

AUTH_USER_MODEL = "onboarding.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
# A long password of any characters: its length, and that nobody would guess it (people/password_rules.py).
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"onboarding.people.password_rules.{name}"}
    for name in ("LengthValidator", "ContextValidator", "BreachedValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/shops/"
STAFF_MFA = not LOOPBACK if site.staff_mfa is None else site.staff_mfa
ACCOUNT_ADAPTER = "onboarding.people.sign_in.Adapter"
ACCOUNT_FORMS = {
    "login": "onboarding.people.forms.PasswordForm",
    "add_email": "onboarding.people.forms.AddAddressForm",
    "change_email": "onboarding.people.forms.ChangeAddressForm",
    "reset_password": "onboarding.people.forms.ForgottenPasswordForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = [
    "email*",
    "password1",
]  # optional; password1 makes LoginForm show a password field
ACCOUNT_MAX_EMAIL_ADDRESSES = 5
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = True
ACCOUNT_LOGIN_BY_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 10 * 60
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60  # how long a sign-in counts as recent
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
# -- limits (docs/security/limits.md has them with the odds that follow) -----------------------------

GUESSES_PER_CODE = 3
# Counted in the database before anything is compared or mailed (people/askers.py). `browser`: one where
# the owner of the address has signed in before; only this limit counts for it. All others are strangers':
# `address+ip` and `address+network` for an address from there, `address` from anywhere, `ip` and `network`
# for all addresses, `site` for everybody. A network is a /24, or a /48 of IPv6.
LIMITS = {
    "mails": {
        "browser": "20/h,60/d",
        "address+ip": "10/h,15/d",
        "address+network": "10/h,20/d",
        "address": "40/h,100/d",
    },
    "wrong codes": {
        "browser": "12/h,36/d",
        "address+ip": "6/h,12/d",
        "address+network": "6/h,12/d",
        "address": "24/h,48/d",
        "ip": "30/h,60/d",
        "network": "50/h,100/d",
        "site": "1000/d",
    },
    "wrong passwords": {
        "browser": "10/300s,50/d",
        "address+ip": "5/300s,20/d",
        "address+network": "5/300s,30/d",
        "address": "60/h,200/d",
        "ip": "100/m,300/d",
        "network": "200/m,500/d",
    },
    "requests": {
        "browser": "10/h,20/d",
        "address+ip": "5/h,8/d",
        "address+network": "5/h,8/d",
        "address": "10/d",
        "ip": "20/h,60/d",
        "network": "60/h,200/d",
        "site": "2000/d",
    },
}
# For this machine's own addresses: development, and proxies on the same machine.
LOOPBACK_LIMITS = {
    "mails": {"browser": "20/h,60/d", "address+ip": "15/h", "address": "40/h,100/d"},
    "wrong codes": {
        "browser": "12/h,36/d",
        "address+ip": "12/h,36/d",
        "address": "24/h,48/d",
        "ip": "100/h,300/d",
        "site": "1000/d",
    },
    "wrong passwords": {
        "browser": "10/300s,50/d",
        "address+ip": "5/300s",
        "address": "60/h,200/d",
        "ip": "100/m",
    },
    "requests": {
        "browser": "10/h,20/d",
        "address+ip": "5/h,10/d",
        "address": "10/d",
        "ip": "200/h",
    },
}
WRONG_CODES_UNTIL_MAIL = 10  # of strangers at one address in a day; then its owner gets a mail
# Staff get a mail when more of these were recorded within an hour (notifications/security_alerts.py).
SECURITY_ALERTS = {
    # People mistype a code now and then; fifty in an hour on one site are somebody who guesses.
    "wrong codes and passwords": 50,
    # One office that forgot its brakes is one network; twenty at once are somebody who has many.
    "refused networks": 20,
    # A phone in the place of the desktop happens; twenty in an hour are somebody who holds states.
    "foreign returns": 20,
    # Each of them: whoever takes over an account of staff begins here.
    "changes of staff accounts": 0,
}
# allauth's own limits, which people/allauth_limits.py counts. An office of 200 people behind one IP address
# signs in within a minute. `login_failed` is left for second factors: wrong passwords have limits above.
ACCOUNT_RATE_LIMITS = {
    "request_login_code": "200/m/ip,3000/d/network",
    "signup": "200/m/ip,3000/d/network",
    "login": "200/m/ip,3000/d/network",
    "login_failed": "5/300s/key,20/d/key",
    "reset_password": "200/m/ip,1000/d/network",
    "reset_password_from_key": "200/m/ip,1000/d/network",
    "confirm_email": "",  # as every mail to an address
    "change_password": "5/m/user,30/d/user",
    "manage_email": "10/m/user,100/d/user",
    "reauthenticate": "10/m/user,100/d/user",
    "invite": "30/h/key",
    "invite_before_first_shop": "5/d/key",
}
MFA_ADAPTER = "onboarding.people.second_factor.MFAAdapter"
MFA_FORMS = {
    "authenticate": "onboarding.people.factor_forms.SecondStepForm",
    "authenticate_webauthn": "onboarding.people.passkey_forms.SecondStepForm",
    "reauthenticate": "onboarding.people.factor_forms.StillYouForm",
    "activate_totp": "onboarding.people.factor_forms.ActivateForm",
    "add_webauthn": "onboarding.people.passkey_forms.AddForm",
    "edit_webauthn": "onboarding.people.passkey_forms.EditForm",
    "login_webauthn": "onboarding.people.passkey_forms.LoginForm",
    "reauthenticate_webauthn": "onboarding.people.passkey_forms.ReauthenticateForm",
}
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # of a further address: whoever is signed in has confirmed one
# A code of the app is compared with that of now, and of the half minutes before and after: clocks differ,
# and people type. So a guess hits with 3 in a million, and all guesses of a day with 60 in a million.
MFA_TOTP_TOLERANCE = 1
WRONG_FACTOR_LIMITS = "5/5m/key,20/d/key"  # of one person, counted before a guess is compared
MFA_RATE_LIMITS = {"webauthn_login": "200/m/ip,3000/d/network"}

"""Django settings for tests: the product's own, without the environment's settings.

TEST_DATABASE_URL selects a PostgreSQL database (tests/support/postgres.py starts a server).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import vendors
from onboarding.conf.environment import SETTINGS

_NAMES = {setting.name for setting in SETTINGS}
_PREFIXES = tuple(f"{vendor.slug.upper()}_" for vendor in vendors.ALL)
for _name in list(os.environ):
    if _name.removesuffix("_FILE") in _NAMES or _name.startswith(_PREFIXES):
        del os.environ[_name]

_folder = tempfile.TemporaryDirectory(prefix="gangway-tests-")
os.environ |= {"SITE_URL": "http://localhost", "DATA_DIR": _folder.name}
POSTGRES = os.environ.get("TEST_DATABASE_URL", "")
os.environ |= {"DATABASE_URL": POSTGRES} if POSTGRES else {}

from onboarding.settings import *  # noqa: E402, F403
from onboarding.settings import DATA_DIR, DATABASES, STORAGES  # noqa: E402

if not POSTGRES:  # a file, not memory: the runner's threads open connections of their own
    DATABASES["default"]["TEST"] = {"NAME": str(Path(DATA_DIR) / "test.sqlite3")}
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
(DATA_DIR / "static").mkdir()

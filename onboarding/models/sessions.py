"""Sessions: a row for each browser, found by a keyed hash of its cookie. How long they live: settings.py.

`SESSION_ENGINE` is this module. Whoever reads the table can sign in with none of its rows.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY as USER_ID
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import DatabaseError, IntegrityError, models, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from onboarding import clock, write_lock

if TYPE_CHECKING:
    from .users import User

Data = dict[str, Any]  # what Django keeps in a session, and the columns of a row
log = logging.getLogger(__name__)

RECORDS = "account_authentication_methods"  # allauth's, in the session
PATIENCE = 200  # ms that a page waits for SQLite's write lock to note that a session is in use


class Ended(models.TextChoices):
    """Why the session of a cookie is none any more."""

    UNUSED = "unused"
    TOO_OLD = "too_old"
    UNKNOWN = "unknown"  # no row: it was ended, or the cookie is very old


def lifetimes(*, signed_in: bool, is_staff: bool) -> tuple[timedelta, timedelta]:
    """How long a session lives without being used, and in all."""
    who = ("staff" if is_staff else "merchant") if signed_in else "anonymous"
    unused, in_all = settings.SESSION_LIFETIMES[who]
    return unused, in_all


class Session(AbstractBaseSession):
    """What one browser's session remembers (`session_data`, signed), and whose it is.

    `created_at`: of somebody who is signed in, when they signed in. `method`: how, in allauth's words.
    `last_seen_at`, `address` (IP) and `browser` are of its last use, some minutes late. `expire_date`: when
    it ends unless it is used; only retention goes by it, `why_ended` decides.
    """

    session_key = None  # type: ignore[assignment]  # removes the field, as Django documents
    key_hash = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="sessions"
    )
    created_at = models.DateTimeField(default=clock.now)
    last_seen_at = models.DateTimeField(default=clock.now)
    address = models.GenericIPAddressField(null=True)
    browser = models.CharField(max_length=60, blank=True)
    method = models.CharField(max_length=60, blank=True)

    class Meta(AbstractBaseSession.Meta):
        abstract = False

    def __str__(self) -> str:
        return f"session {self.pk}"

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore

    def why_ended(self, *, is_staff: bool) -> Ended | None:
        """None while it lives. Whoever is staff now is under the rule for staff, whoever signed in then."""
        unused, in_all = lifetimes(signed_in=self.user_id is not None, is_staff=is_staff)
        now = clock.now()
        if now >= self.created_at + in_all:
            return Ended.TOO_OLD
        return Ended.UNUSED if now >= self.last_seen_at + unused else None


def key_hash(key: str) -> str:
    """What the table holds of a key: an HMAC with SECRET_KEY, from which no cookie can be made."""
    return salted_hmac("onboarding.sessions", key, algorithm="sha256").hexdigest()


class SessionStore(SessionBase):
    """Django's interface to a session. The middleware tells it `address` and `browser`, and whether the
    request `counts_as_use`.

    Built on Django's base class: its database store looks rows up by the key itself, in each method.
    """

    address: str | None = None
    browser = ""
    counts_as_use = True
    ended_as: Ended | None = None  # set by loading
    signed_out = False  # by this request
    is_staff = False
    began_at: datetime | None = None
    last_seen_at: datetime | None = None

    if TYPE_CHECKING:  # Django's stubs leave these out
        _session: Data

        def _get_session(self, no_load: bool = ...) -> Data: ...
        def _get_new_session_key(self) -> str: ...

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._key_of_cookie = session_key

    def load(self) -> Data:
        rows = Session.objects.annotate(is_staff=F("user__is_staff"))
        row = rows.filter(key_hash=key_hash(self._session_key or "")).first()
        over = row.why_ended(is_staff=bool(row.is_staff)) if row else Ended.UNKNOWN
        if row is None or over:
            self._session_key = None
            # An anonymous session that is over needs no word.
            self.ended_as = over if row is None or row.user_id else None
            return {}
        self.is_staff, self.began_at = bool(row.is_staff), row.created_at
        self.last_seen_at = row.last_seen_at
        found: Data = self.decode(row.session_data)
        return found

    def begin(self, user: User) -> None:
        """This user has just signed in here: a key that nobody knows yet, and a lifetime of its own."""
        self.is_staff, self.began_at = user.is_staff, clock.now()
        if (
            self._session_key == self._key_of_cookie
        ):  # Django keeps it for who was signed in already
            self.cycle_key()

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(key_hash=key_hash(session_key)).exists()

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        """Raises UpdateError when the session has ended meanwhile: it does not come back."""
        if self.session_key is None:
            return self.create()
        hashed = key_hash(self.session_key)
        columns = self._columns(self._get_session(no_load=must_create), is_new=must_create)
        if must_create:
            self._insert({"key_hash": hashed, **columns})
        elif not Session.objects.filter(key_hash=hashed).update(**columns):
            raise UpdateError
        return None

    def _insert(self, columns: Data) -> None:
        try:
            with transaction.atomic():
                Session.objects.create(**columns)
        except IntegrityError:
            if Session.objects.filter(key_hash=columns["key_hash"]).exists():
                raise CreateError from None
            raise

    def touch(self) -> None:
        """Note that the session is in use, at most once in SESSION_SEEN_INTERVAL.

        The page does not depend on it: while nothing can be written, the session just ages.
        """
        last, now = self.last_seen_at, clock.now()
        if not self.counts_as_use or last is None or USER_ID not in self._session:
            return
        if now - last < settings.SESSION_SEEN_INTERVAL:
            return
        rows = Session.objects.filter(key_hash=key_hash(self._session_key or ""), last_seen_at=last)
        try:
            with write_lock.short_wait(PATIENCE):
                rows.update(**self._use(signed_in=True))
        except DatabaseError as error:
            log.warning("cannot note that a session is in use: %s", type(error).__name__)

    def _columns(self, data: Data, *, is_new: bool) -> Data:
        user_id = int(data[USER_ID]) if USER_ID in data else None
        if self.began_at is None:
            self.began_at = clock.now()
        return {
            "session_data": self.encode(dict(data)),
            "created_at": self.began_at,
            "user_id": user_id,
            "method": _method(data),
            **(self._use(signed_in=bool(user_id)) if self.counts_as_use or is_new else {}),
        }

    def _use(self, *, signed_in: bool) -> Data:
        """What a use changes in the row."""
        now = clock.now()
        unused, in_all = lifetimes(signed_in=signed_in, is_staff=self.is_staff)
        ends_at = min(now + unused, (self.began_at or now) + in_all)
        seen = {"address": self.address, "browser": self.browser} if self.address else {}
        return {"last_seen_at": now, "expire_date": ends_at, **seen}

    def delete(self, session_key: str | None = None) -> None:
        if key := session_key or self.session_key:
            Session.objects.filter(key_hash=key_hash(key)).delete()

    def cycle_key(self) -> None:
        """A new key for the same row. Django inserts the data again: a session that has ended meanwhile
        would come back. Here, saving it raises UpdateError."""
        old, is_signed_in = self._session_key, USER_ID in self._session
        new = self._get_new_session_key()
        rows = Session.objects.filter(key_hash=key_hash(old or ""))
        if rows.update(key_hash=key_hash(new)) or (old and is_signed_in):
            self._session_key, self.modified = new, True
        else:
            self.create()

    def flush(self) -> None:
        super().flush()
        self.began_at = self.last_seen_at = None
        self.is_staff = False

    @classmethod
    def clear_expired(cls) -> None:
        Session.objects.filter(expire_date__lt=clock.now()).delete()

    # -- the cookie lives as long as the session could; the row decides whether the session does -----

    def get_expiry_age(self, **kwargs: object) -> int:
        """Seconds. allauth sets an age of its own with a password; ours holds for all."""
        _, in_all = lifetimes(signed_in=USER_ID in self._session, is_staff=self.is_staff)
        age = clock.now() - (self.began_at or clock.now())
        return max(int((in_all - age).total_seconds()), 0)

    def get_expiry_date(self, **kwargs: object) -> datetime:
        return clock.now() + timedelta(seconds=self.get_expiry_age())

    def get_expire_at_browser_close(self) -> bool:
        return False


def _method(data: Mapping[str, object]) -> str:
    """How somebody signed in, from allauth's records: "code", "mfa:webauthn", "code mfa:totp"."""
    records = data.get(RECORDS)
    known = (
        [each for each in records if isinstance(each, dict)] if isinstance(records, list) else []
    )
    signing_in = [each for each in known if not each.get("reauthenticated")]
    names = (
        ":".join(str(each[part]) for part in ("method", "type") if part in each)
        for each in signing_in
    )
    return " ".join(dict.fromkeys(filter(None, names)))[:60]

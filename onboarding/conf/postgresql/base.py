"""The database wrapper: our limits on statements, locks and idle transactions hold everywhere.

They are sent as a startup parameter, which costs nothing. A pooler such as PgBouncer refuses that parameter
or drops it. There each transaction sets them for itself: what is set for a session in transaction mode
would reach the transactions of others.
"""

from __future__ import annotations

import logging
from typing import Any

import psycopg
from django.db.backends.postgresql import base

from onboarding.conf.service_urls import LIMITS_AS_OPTIONS, POSTGRES_LIMITS

log = logging.getLogger(__name__)
UNSUPPORTED = "unsupported startup parameter"  # PgBouncer's words
PROBE_SECONDS = 10
SET_LOCAL = "SELECT " + ", ".join(
    f"set_config('{name}', '{value}', true)" for name, value in POSTGRES_LIMITS.items()
)
_pooled: dict[str, bool] = {}  # what this process knows of each alias: is it behind a pooler?


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:  # Any: Django's signature
        params: dict[str, Any] = super().get_connection_params()  # Any: as above
        if self._is_pooled(params):
            params["options"] = params["options"].replace(LIMITS_AS_OPTIONS, "").strip()
        return params

    def _is_pooled(self, params: dict[str, Any]) -> bool:  # Any: as above
        """Whether a pooler keeps our limits from the server. Tried once, by a connection of its own."""
        if self.alias not in _pooled and LIMITS_AS_OPTIONS in params.get("options", ""):
            with self.wrap_database_errors:
                _pooled[self.alias] = _drops_limits(params)
            if _pooled[self.alias]:
                log.info("the database is behind a pooler: limits are set in each transaction")
        return self.is_behind_pooler

    @property
    def is_behind_pooler(self) -> bool:
        """Whether the connections that were made so far lead to a pooler."""
        return _pooled.get(self.alias, False)

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]  # it is in no stub
        if not autocommit and self.is_behind_pooler:
            with self.wrap_database_errors:
                self.connection.execute(SET_LOCAL)


def _drops_limits(params: dict[str, Any]) -> bool:  # Any: as above
    """Raises OperationalError when no connection can be made."""
    try:
        with psycopg.connect(**{"connect_timeout": PROBE_SECONDS, **params}) as probe:
            row = probe.execute("SELECT current_setting('lock_timeout')").fetchone()
    except psycopg.OperationalError as error:
        if UNSUPPORTED in str(error):
            return True
        raise
    return row == ("0",)

"""What staff's pages call rows and columns, in the language of whoever reads them.

Django makes these names from the code's. Here each stands as a message; those of columns that nobody sees are
left out. It happens when the admin is loaded, not in the models: how a table is called in another language
is no part of it, and needs no migration.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy

Model = type[models.Model]

# One, and several.
ROWS = {
    "account": (gettext_lazy("account"), gettext_lazy("accounts")),
    "alert": (gettext_lazy("alert"), gettext_lazy("alerts")),
    "attempt": (gettext_lazy("attempt"), gettext_lazy("attempts")),
    "connection": (gettext_lazy("connection"), gettext_lazy("connections")),
    "connector": (gettext_lazy("connector"), gettext_lazy("connectors")),
    "connectorrequest": (gettext_lazy("connector request"), gettext_lazy("connector requests")),
    "erasuretask": (gettext_lazy("erasure task"), gettext_lazy("erasure tasks")),
    "hourlycalls": (gettext_lazy("hourly count of calls"), gettext_lazy("hourly counts of calls")),
    "mailrecord": (gettext_lazy("email"), gettext_lazy("emails")),
    "merchant": (gettext_lazy("merchant"), gettext_lazy("merchants")),
    "refusedaddress": (gettext_lazy("refused address"), gettext_lazy("refused addresses")),
    "securityevent": (gettext_lazy("security event"), gettext_lazy("security events")),
    "user": (gettext_lazy("user"), gettext_lazy("users")),
    "waitlistentry": (gettext_lazy("waitlist entry"), gettext_lazy("waitlist entries")),
}
COLUMNS = {
    "account label": gettext_lazy("account label"),
    "address": gettext_lazy("address"),
    "announced": gettext_lazy("announced"),
    "answer": gettext_lazy("answer"),
    "asked": gettext_lazy("asked"),
    "call": gettext_lazy("call"),
    "came back": gettext_lazy("came back"),
    "category": gettext_lazy("category"),
    "cause": gettext_lazy("cause"),
    "cleared": gettext_lazy("cleared"),
    "confirmed": gettext_lazy("confirmed"),
    "confirmed by": gettext_lazy("confirmed by"),
    "connected": gettext_lazy("connected"),
    "connection": gettext_lazy("connection"),
    "connector": gettext_lazy("connector"),
    "country": gettext_lazy("country"),
    "created": gettext_lazy("created"),
    "date joined": gettext_lazy("date joined"),
    "deadline": gettext_lazy("deadline"),
    "description": gettext_lazy("description"),
    "detail": gettext_lazy("detail"),
    "done": gettext_lazy("done"),
    "done by": gettext_lazy("done by"),
    "email": gettext_lazy("email"),
    "ended": gettext_lazy("ended"),
    "ending": gettext_lazy("ending"),
    "ends": gettext_lazy("ends"),
    "found account": gettext_lazy("found account"),
    "found address": gettext_lazy("found address"),
    "host": gettext_lazy("host"),
    "hour": gettext_lazy("hour"),
    "is active": gettext_lazy("is active"),
    "is staff": gettext_lazy("is staff"),
    "key": gettext_lazy("key"),
    "label": gettext_lazy("label"),
    "language": gettext_lazy("language"),
    "last checked": gettext_lazy("last checked"),
    "mailed": gettext_lazy("mailed"),
    "merchant": gettext_lazy("merchant"),
    "merchant said finished": gettext_lazy("merchant said finished"),
    "name": gettext_lazy("name"),
    "opened": gettext_lazy("opened"),
    "options": gettext_lazy("options"),
    "outcome": gettext_lazy("outcome"),
    "platform": gettext_lazy("platform"),
    "position": gettext_lazy("position"),
    "purpose": gettext_lazy("purpose"),
    "reason": gettext_lazy("reason"),
    "reference": gettext_lazy("reference"),
    "role": gettext_lazy("role"),
    "shop id": gettext_lazy("shop id"),
    "to": gettext_lazy("to"),
    "tries": gettext_lazy("tries"),
    "unsure": gettext_lazy("unsure"),
    "user": gettext_lazy("user"),
    "vendor": gettext_lazy("vendor"),
    "vendor name": gettext_lazy("vendor name"),
    "visible": gettext_lazy("visible"),
}
HELP = {
    "as the vendor calls it": gettext_lazy("as the vendor calls it"),
    "handed to the vendor, as JSON": gettext_lazy("handed to the vendor, as JSON"),
    "its id at the vendor": gettext_lazy("its id at the vendor"),
    "lower comes first": gettext_lazy("lower comes first"),
    "method and path": gettext_lazy("method and path"),
    "of staff; empty if the vendor confirmed it": gettext_lazy(
        "of staff; empty if the vendor confirmed it"
    ),
    "of the shop that was found": gettext_lazy("of the shop that was found"),
    "status": gettext_lazy("status"),
    "the facts, for staff": gettext_lazy("the facts, for staff"),
    "the shop system that this name stands for": gettext_lazy(
        "the shop system that this name stands for"
    ),
    "when it began": gettext_lazy("when it began"),
    "whose account at the vendor it is": gettext_lazy("whose account at the vendor it is"),
    "whose account at the vendor was used": gettext_lazy("whose account at the vendor was used"),
    "whose it is, as the vendor says": gettext_lazy("whose it is, as the vendor says"),
}


def translate(tables: Iterable[Model]) -> None:
    """Give these models and their columns a name in every language."""
    for table in tables:
        names = table._meta
        if rows := ROWS.get(str(names.model_name)):
            names.verbose_name, names.verbose_name_plural = rows
        for column in names.get_fields():
            if isinstance(column, models.Field):  # no other side of a relation, which has no name
                _translate_column(column)


def _translate_column(column: models.Field[object, object]) -> None:
    name, words = column.verbose_name, column.help_text
    column.verbose_name = COLUMNS.get(str(name), name)
    column.help_text = HELP.get(str(words), words)

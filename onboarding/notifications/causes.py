"""Causes in words: why it is staff's turn, and what they can do about it.

A cause is a short key that groups rows and alerts, such as "refused-404" (see `status.Cause`). Staff
read sentences instead: in the admin, and in the mails about alerts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from onboarding.models.status import Cause, dumped, shown
from onboarding.registry import vendor_name, vendor_of


class Explanation(NamedTuple):
    """Two sentences; "" for no advice."""

    what: str
    to_do: str = ""


READ_THE_FACTS = gettext_lazy("Open a shop that waits, and read the facts and its last calls.")
LOOK_THERE = gettext_lazy(
    "Check at %(vendor)s whether it exists, then say so on the account’s page."
)

# Causes that any vendor's shops can have, or that concern no vendor.
SENTENCES: Mapping[str, tuple[Promise, Promise]] = {
    "credentials": (
        gettext_lazy("%(vendor)s refuses our credentials."),
        gettext_lazy(
            "Compare the settings with what %(vendor)s gave you: `manage.py doctor` tries them. "
            "Then restart the web server and the workers."
        ),
    ),
    "unavailable": (
        gettext_lazy("%(vendor)s is not answering."),
        gettext_lazy("We keep trying. If it lasts, `manage.py doctor` says what goes wrong."),
    ),
    "garbled": (
        gettext_lazy("We do not understand an answer of %(vendor)s."),
        READ_THE_FACTS,
    ),
    "refused": (
        gettext_lazy("%(vendor)s refused a request of ours (%(code)s)."),
        READ_THE_FACTS,
    ),
    "refused-staff": (
        gettext_lazy("A setting for %(vendor)s is wrong or missing."),
        READ_THE_FACTS,
    ),
    "unsure": (
        gettext_lazy("We do not know whether %(vendor)s carried out a request."),
        LOOK_THERE,
    ),
    Cause.WAITING: (
        gettext_lazy("%(vendor)s takes longer than it should."),
        gettext_lazy("Ask %(vendor)s what it is waiting for. We keep asking."),
    ),
    Cause.NO_PROGRESS: (
        gettext_lazy("We cannot get any further with %(vendor)s."),
        gettext_lazy("This is a fault in Gangway: send the facts of a shop to its developers."),
    ),
    Cause.POISON: (
        gettext_lazy("Processes died while they worked on a shop at %(vendor)s."),
        gettext_lazy("Read the worker’s log of that time. Then press “Ask the vendor now”."),
    ),
    Cause.TASK: (
        gettext_lazy("Something is to be done by hand at %(vendor)s."),
        gettext_lazy("The shop’s page shows the task. When it is done, say so there."),
    ),
    Cause.UNCONFIRMED: (
        gettext_lazy("Shops are set up at %(vendor)s and not confirmed yet."),
        gettext_lazy("Check at %(vendor)s, then confirm each shop on its page."),
    ),
    Cause.ERASURE: (
        gettext_lazy("%(vendor)s is to be asked to delete what it holds."),
        gettext_lazy("The task says what to ask. When it is done, say so there."),
    ),
    Cause.UNDELIVERED: (
        gettext_lazy("Emails could not be sent."),
        gettext_lazy("The log says why: `manage.py doctor` tries the mail server."),
    ),
    "not sent": (
        gettext_lazy("An email that somebody was waiting for could not be sent."),
        gettext_lazy("The log says why: `manage.py doctor` tries the mail server."),
    ),
    "wrong codes": (
        gettext_lazy("Unusually many wrong sign-in codes were entered."),
        gettext_lazy(
            "The security log has the IP addresses: your proxy or firewall can refuse them."
        ),
    ),
    Cause.MEMO_KEYS: (
        gettext_lazy("A key of MEMO_KEYS is missing."),
        gettext_lazy("Put it back, and restart the web server and the workers."),
    ),
}


def explain(vendor: str, cause: str) -> Explanation:
    """A cause in words. `vendor`: its slug, or what an alert has in its place."""
    words = {"vendor": vendor_name(vendor)}
    if note := _own_note(vendor, cause):
        return note
    if sentences := SENTENCES.get(cause):
        return _filled(sentences, words)
    kind, _, code = cause.partition("-")
    if sentences := SENTENCES.get(kind):
        shown = f"HTTP {code}" if code.isdecimal() else code
        return _filled(sentences, words | {"code": shown})
    return Explanation(f"{words['vendor']}: {cause}") if cause else Explanation("")


def _own_note(vendor: str, cause: str) -> Explanation | None:
    """What the vendor's module says about a cause of its own."""
    found = vendor_of(vendor)
    note = found.cause_notes.get(cause) if found else None
    return Explanation(shown(dumped(note.what)), shown(dumped(note.to_do))) if note else None


def _filled(sentences: tuple[Promise, Promise], words: Mapping[str, str]) -> Explanation:
    what, to_do = sentences
    return Explanation(str(what) % words, str(to_do) % words)

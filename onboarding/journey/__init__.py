"""The journey: what people do and what vendors answer becomes rows and events.

    verbs.py     what people do: begin, go on, answer, finish, arrive, disconnect …
    carry.py     talking to the vendor, outside any transaction, under the account's lease
    settle.py    an outcome → rows, in one transaction
    outcomes.py  the table: step or error → status, whose turn, sentence, when again
    orders.py    rows → `Order`          records.py  rows, timeline, alerts
    hops.py      links and returns       leases.py   one conversation at a time

A verb writes what somebody wants (`call`, `due_at`); `carry` makes the call and writes the answer.
A process may die between any two lines: the row says what is due, and anybody may carry it on.
"""

from __future__ import annotations

from .carry import carry, refresh, resolve
from .verbs import (
    NameTaken,
    answer,
    arrive,
    begin,
    claim,
    disconnect,
    enter,
    finish,
    go_on,
    reconnect,
    went_without_return,
)

__all__ = [
    "NameTaken",
    "answer",
    "arrive",
    "begin",
    "carry",
    "claim",
    "disconnect",
    "enter",
    "finish",
    "go_on",
    "reconnect",
    "refresh",
    "resolve",
    "went_without_return",
]

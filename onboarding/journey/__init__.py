"""The journey: what people do and what vendors answer becomes rows and events.

    verbs.py     what merchants do: begin, go on, answer, disconnect …; arrivals.py come back
    choices.py   which shop it shall be, when another was found than was meant
    desk.py      what staff do: resolve, act, know
    carry.py     talking to the vendor, outside any transaction, under the account's lease
    settle.py    an outcome → rows, in one transaction; shops.py the shop's own row
    outcomes.py  the table: step or error → status, whose turn, sentence, when again
    orders.py    rows → `Order`          records.py  rows, timeline, alerts
    hops.py      links and returns       leases.py   one conversation at a time
    names.py     what tells a merchant's shops apart

A verb writes what somebody wants (`call`, `due_at`); `carry` makes the call and writes the answer.
A process may die between any two lines: the row says what is due, and anybody may carry it on.
"""

from __future__ import annotations

from .engine import ROUNDS, advance, check
from .merchant_actions import (
    NameTaken,
    answer,
    arrive,
    begin,
    both,
    claim,
    disconnect,
    enter,
    finish,
    found_elsewhere,
    free_name,
    go_back,
    go_on,
    have_done,
    pause,
    reconnect,
    resume,
    revealed,
    use_found,
    went_without_return,
)
from .staff_actions import act, resolve, save_staff_answers, task_done

__all__ = [
    "ROUNDS",
    "NameTaken",
    "act",
    "advance",
    "answer",
    "arrive",
    "begin",
    "both",
    "check",
    "claim",
    "disconnect",
    "enter",
    "finish",
    "found_elsewhere",
    "free_name",
    "go_back",
    "go_on",
    "have_done",
    "pause",
    "reconnect",
    "resolve",
    "resume",
    "revealed",
    "save_staff_answers",
    "task_done",
    "use_found",
    "went_without_return",
]

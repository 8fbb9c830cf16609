"""The journey: the engine that turns what people do and what vendors answer into rows and events.

This module is its whole face: nothing else of the journey is imported from outside.

    merchant_actions  what merchants do: begin, continue, answer, come back, disconnect …
    staff_actions     what staff do: settle unsure creations, run actions, ask now
    engine            makes the calls to the vendor, under the account's lease
    settlement        writes what a call answered, in one transaction
    outcomes          the table: step or error → status, whose turn, sentence, retry
    transitions       the only door through which attempts and connections are changed
    orders            rows → `Order`                vendor_call   which call is made, and with what
    hops              links out and returns         leases        one conversation at a time
    crash_guard       rows that kill their workers  unreadable    memos that no key opens

An action writes what somebody wants (`call`, `due_at`); `advance` makes the call and writes the answer. A
process may die between any two lines: the row says what is due, and any process goes on with it.
"""

from __future__ import annotations

from .engine import ROUNDS, OnlyIf, advance, check
from .hops import find_bare_hop, find_hop, find_hop_by_id, take_link
from .merchant_actions import (
    LONGEST_NAME,
    NameTaken,
    begin,
    claim_return,
    confirm_secrets_received,
    connect_both,
    continue_attempt,
    disconnect,
    enter,
    found_elsewhere,
    free_name,
    is_away_without_return,
    named,
    pause,
    reconnect,
    record_return,
    reject_found_shop,
    rename,
    report_finished,
    resume,
    run_action,
    submit_answers,
    use_found_shop,
)
from .orders import verified_addresses
from .outcomes import Outcome, ready_note
from .staff_actions import act, ask_now, look_now, resolve, save_staff_answers, task_done
from .transitions import forget_calls, record, wake_after_outage, wake_expired
from .vendor_call import asks_about_the_shop

__all__ = [
    "LONGEST_NAME",
    "ROUNDS",
    "NameTaken",
    "OnlyIf",
    "Outcome",
    "act",
    "advance",
    "ask_now",
    "asks_about_the_shop",
    "begin",
    "check",
    "claim_return",
    "confirm_secrets_received",
    "connect_both",
    "continue_attempt",
    "disconnect",
    "enter",
    "find_bare_hop",
    "find_hop",
    "find_hop_by_id",
    "forget_calls",
    "found_elsewhere",
    "free_name",
    "is_away_without_return",
    "look_now",
    "named",
    "pause",
    "ready_note",
    "reconnect",
    "record",
    "record_return",
    "reject_found_shop",
    "rename",
    "report_finished",
    "resolve",
    "resume",
    "run_action",
    "save_staff_answers",
    "submit_answers",
    "take_link",
    "task_done",
    "use_found_shop",
    "verified_addresses",
    "wake_after_outage",
    "wake_expired",
]

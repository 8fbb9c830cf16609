"""The journey: the state machine that leads a merchant from "Connect" to a connected shop and beyond.

This module is its public interface: no other module of the package is imported from outside.

    merchant_actions  what merchants do: begin, continue, answer, come back, disconnect …
    staff_actions     what staff do: settle unsure creations, run actions, ask now
    engine            makes the calls to the vendor, under the account's lease
    settlement        writes the outcome of a call into rows, in one transaction
    outcomes          the table: step or error → status, whose turn, sentence, retry
    transitions       state transitions: the only place where attempts and connections are changed
    orders            rows → `Order`                vendor_call   which call is made, and with what
    hops              redirects out and returns     leases        one worker at a time per account
    removal           of shops never connected       departure     of a member or a whole business
    crash_guard       rows that kill their workers  unreadable    memos that no key decrypts
    claims            rows that are due, for workers
    notices           which change leads to which mail

An action writes what somebody wants (`call`, `due_at`); `advance` makes the call and writes the outcome. A
process may die between any two lines: the row says what is due, and any other process can continue.
"""

from __future__ import annotations

from .claims import LINES, RETURNED, claim, next_due
from .claims import release as release_claim
from .departure import (
    end_open_attempts,
    facts_at_vendor,
    forget_business,
    hand_over_attempts,
    stop,
    vendors_that_know,
)
from .engine import ROUNDS, advance, check
from .hops import (
    find_bare_hop,
    find_hop,
    find_hop_by_id,
    left_from,
    note_stray,
    opens_beside,
    take_link,
)
from .leases import LEASE, leased
from .merchant_actions import (
    LONGEST_NAME,
    NameTaken,
    StatusChanged,
    begin,
    claim_return,
    confirm_secrets_received,
    connect_both,
    connection_of_found_shop,
    continue_attempt,
    disconnect,
    enter,
    free_name,
    is_at_vendor_without_return,
    may_begin,
    newest_attempt,
    newest_begun,
    pause,
    reconnect,
    record_return,
    reject_found_shop,
    rename,
    report_finished,
    resume,
    run_action,
    submit_answers,
    unfinished,
    use_found_shop,
)
from .orders import known_account, verified_addresses
from .outcomes import Outcome, ready_note
from .removal import can_remove, remove, stays_at_vendor
from .staff_actions import (
    act,
    ask_now,
    check_now,
    complete_task,
    confirm,
    discard_staff_answers,
    resolve,
    save_staff_answers,
)
from .transitions import (
    forget_calls,
    note_look,
    record,
    wake_after_outage,
    wake_expired,
    wake_for_trial,
)
from .unreadable import wake_readable
from .vendor_call import asks_about_the_shop

__all__ = [
    "LEASE",
    "LINES",
    "LONGEST_NAME",
    "RETURNED",
    "ROUNDS",
    "NameTaken",
    "Outcome",
    "StatusChanged",
    "act",
    "advance",
    "ask_now",
    "asks_about_the_shop",
    "begin",
    "can_remove",
    "check",
    "check_now",
    "claim",
    "claim_return",
    "complete_task",
    "confirm",
    "confirm_secrets_received",
    "connect_both",
    "connection_of_found_shop",
    "continue_attempt",
    "discard_staff_answers",
    "disconnect",
    "end_open_attempts",
    "enter",
    "facts_at_vendor",
    "find_bare_hop",
    "find_hop",
    "find_hop_by_id",
    "forget_business",
    "forget_calls",
    "free_name",
    "hand_over_attempts",
    "is_at_vendor_without_return",
    "known_account",
    "leased",
    "left_from",
    "may_begin",
    "newest_attempt",
    "newest_begun",
    "next_due",
    "note_look",
    "note_stray",
    "opens_beside",
    "pause",
    "ready_note",
    "reconnect",
    "record",
    "record_return",
    "reject_found_shop",
    "release_claim",
    "remove",
    "rename",
    "report_finished",
    "resolve",
    "resume",
    "run_action",
    "save_staff_answers",
    "stays_at_vendor",
    "stop",
    "submit_answers",
    "take_link",
    "unfinished",
    "use_found_shop",
    "vendors_that_know",
    "verified_addresses",
    "wake_after_outage",
    "wake_expired",
    "wake_for_trial",
    "wake_readable",
]

"""What a vendor is. Read this file and you can write one.

A vendor is a folder `vendors/<slug>/` with a frozen dataclass whose fields are its settings. Its
methods are **calls**: each takes an `Order` of plain values, talks HTTP to the vendor's servers, and
answers with one **step**, or raises one of four errors. It knows no database, no request, no template.

    start(order)              begin connecting (or reconnecting) a shop
    returned(order, params)   the merchant came back, or says "I have finished" (params == {})
    answered(order, answers)  the merchant answered the questions of an `Ask`
    check(order)              is the shop connected? asked any time, changes nothing
    enter(order)              open the vendor's pages again for a connected shop
    pause(order)              let the shop rest; `resume` wakes it
    resume(order)
    end(order)                disconnect the shop
    act(order, key, answers)  one of `actions()` on an account or a connection
    run(key, answers, …)      one of `actions()` on the vendor or a connector; no merchant is meant
    resolve(order, found)     staff looked at an unsure creation: its id there, or None: it does not exist

    Step
    ├── Redirect       send the merchant to the vendor
    ├── Progress       save the memos and make the same call again at once
    ├── Waiting        the vendor is not done yet
    ├── Ask            the merchant must choose or type something
    ├── NeedsMerchant  a normal state: something is to be done elsewhere
    ├── Connected      done
    ├── Declined       the merchant said no at the vendor: an outcome, not an error
    └── Done           what `pause`, `resume`, `end`, `act` achieved

    VendorError
    ├── Unavailable    nothing happened, or nothing that matters: try later
    ├── Refused        the vendor said no: somebody must change something
    ├── Unsure         a creating call got no clear answer: look before trying again
    └── Garbled        an answer that its documentation does not allow: we must change something

**The call is remembered.** After `Progress`, a retry or the takeover of a dead process, the journey
repeats the same call with the saved memos, so a flow decides from its memos first: what is noted
there is not done again.

**A creation** (a call that makes something at the vendor and has no idempotency key) takes three
calls: `Progress(announce="tenant")` announces it; the next call comes with `order.announced == "tenant"`
and makes it, as its last act, answering `Progress(done=("tenant",), account={...})`. If its answer was
lost, the next call comes with `order.unsure == "tenant"`: the flow looks, or raises `Unsure` when the
vendor has no way to look; then staff decide through `resolve`.

**Answers that must survive** (a creation, a code exchange, a rotated token) are the last act of their
call: `Progress` at once.

**Memos.** An attempt works on drafts. `order.memos.account` is the draft of the account's memo (the
live one until a step replaces it), `order.memos.connection` a draft that starts empty with each
attempt. `order.live` holds the memos of the working shop. A step's `account=` / `connection=` replaces the
draft; `promote=True` also makes the account's draft live at once (created objects, a rotated token of the
same vendor user). `Connected` promotes both.
"""

from __future__ import annotations

from .actions import Action, Item, Rows
from .errors import Garbled, Refused, Unavailable, Unsure, VendorError
from .order import (
    Business,
    Entry,
    Holder,
    Memo,
    Memos,
    Order,
    Person,
    Purpose,
    Question,
    Text,
    Who,
    text,
)
from .steps import Ask, Connected, Declined, Done, NeedsMerchant, Progress, Redirect, Step, Waiting
from .vendor import Vendor

__all__ = [
    "Action", "Ask", "Business", "Connected", "Declined", "Done", "Entry", "Garbled", "Holder", "Item",
    "Memo", "Memos", "NeedsMerchant", "Order", "Person", "Progress", "Purpose", "Question", "Redirect",
    "Refused", "Rows", "Step", "Text", "Unavailable", "Unsure", "Vendor", "VendorError", "Waiting",
    "Who", "text",
]  # fmt: skip

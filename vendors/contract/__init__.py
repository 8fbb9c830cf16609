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
    ├── StartOver      this trip leads nowhere any more; nobody refused anything
    └── Done           what `pause`, `resume`, `end`, `act` achieved

    VendorError
    ├── Unavailable    nothing happened, or nothing that matters: try later
    ├── Refused        the vendor said no: somebody must change something
    ├── Unsure         a creating call got no clear answer: look before trying again
    └── Garbled        an answer that its documentation does not allow: we must change something

**The call is remembered.** After `Progress`, a retry or the takeover of a dead process, the journey
repeats the same call with the saved memos, so a flow decides from its memos first: what is noted
there is not done again. "The same call" below is the same method with the same params, answers and
`order.state`; the state is replaced only when a link was made with it, or another member goes on.

    step or error          what the merchant sees                      the next call
    ---------------------  ------------------------------------------  -----------------------------------
    Redirect(url)          In progress, sent to the vendor's page;     back: returned(order, params)
                           "Everything is ready" if nobody waited      "Continue": the same call, new state
      returns=False        In progress, "I have finished"              returned(order, {})
    Redirect("")           In progress, "Everything is ready"          "Continue": the same call, `present`
    Progress               In progress, "Checking with …"; after       the same call, at once
                           `start`: what is being prepared
    Waiting                Checking, "… is still working"              the same call, by itself or by
                                                                       "Check again now"
    Ask                    Action needed, the questions                answered(order, answers)
    NeedsMerchant          Action needed, "One thing to do at …"       the same call, by itself or by
                                                                       "I have done it: check again"
      questions=(…)        Action needed, the same and the questions   answered(order, answers)
    Declined               Action needed, "You stopped half-way"       start, by "Start again"
    Refused(merchant)      Action needed, "… did not accept this"      start, by "Try again"
    StartOver              Action needed, "Please begin again at …"    start, by "Begin again"
    Connected              Connected; the attempt has ended            check, every CHECK_PERIOD
    Done                   Paused, Connected or Disconnected; ended    –
    Unavailable            "… is not answering"                        the same call, by itself or by
                                                                       "Try again now"
    Refused(staff)         "We're on it"; staff get a mail             the same call, by itself
    Garbled                "We're on it"; staff get a mail             the same call, by itself
    Unsure                 "We're on it"; staff get a mail             resolve(order, found), by staff

**Beginning again.** After Declined and Refused(merchant) `start` gets the account's live memo, for the
account's draft is dropped, and the draft of the connection as it is: a flow that must ask again removes
from it what led to the refusal. After `StartOver` it gets the drafts that this step describes. This holds for
connecting and reconnecting; `enter`, `pause`, `resume`, `end` and `act` have no `start`, so the same call
is made again. A check that answers Declined or StartOver leaves a connected shop connected;
Refused(merchant) lowers it, as Ask and NeedsMerchant do.

**No link.** `Redirect("")` says that the flow mints a link as soon as `order.present`. From `returned` it
is right only where the flow goes on from its memos, for Continue brings the old params again. A flow that
has nothing to mint there answers `StartOver`. A flow that answers `Redirect("")` twice in a row with a
merchant present is treated as Garbled, because Continue would repeat that for ever.

**A return proves nothing.** Ask the vendor. A return with our state, or with the vendor's id that
`Redirect(returned_by=…)` names, is bound to its user and spent once; the id counts only while that user is
signed in, since it may be easy to guess. A bare return is worse: anybody can lead a signed-in merchant to
our return address with params of their choosing. `keep_params=True` hands them over as a hint, such as
`error=denied`; a flow may show a note or ask the vendor because of them, and must neither exchange a code
nor write an id from them.

**A creation** (a call that makes something at the vendor and has no idempotency key) takes three
calls: `Progress(announce="tenant")` announces it; the next call comes with `order.announced == "tenant"`
and makes it, as its last act, answering `Progress(done=("tenant",), account={...})`. If its answer was
lost, the next call comes with `order.unsure == "tenant"`: the flow looks, or raises `Unsure` when the
vendor has no way to look; then staff decide through `resolve`.

**A call with an idempotency key**, or PUT to an id that is ours, is no creation: it is neither announced
nor sent with `creates=True`. Note the key in a draft by a `Progress` of its own before the first call, and
send the same one each time; a lost answer is then Unavailable, and the retry makes nothing twice. Where
the second answer is no longer the first one (no body, no url), read the object, or take its id from the
documented refusal: `Api.send(refused={409: Model})` and `Refused.reply`.

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
from .errors import CallError, Garbled, Refused, Unavailable, Unsure, VendorError, wrong_answer
from .order import (
    Business,
    Entry,
    Holder,
    Json,
    JsonObject,
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
from .steps import (
    Ask,
    Connected,
    Declined,
    Done,
    NeedsMerchant,
    Progress,
    Redirect,
    StartOver,
    Step,
    Waiting,
)
from .vendor import Vendor, named_problems

__all__ = [
    "Action",
    "Ask",
    "Business",
    "CallError",
    "Connected",
    "Declined",
    "Done",
    "Entry",
    "Garbled",
    "Holder",
    "Item",
    "Json",
    "JsonObject",
    "Memo",
    "Memos",
    "NeedsMerchant",
    "Order",
    "Person",
    "Progress",
    "Purpose",
    "Question",
    "Redirect",
    "Refused",
    "Rows",
    "StartOver",
    "Step",
    "Text",
    "Unavailable",
    "Unsure",
    "Vendor",
    "VendorError",
    "Waiting",
    "Who",
    "named_problems",
    "text",
    "wrong_answer",
]

"""The contract between a vendor and the site. Read this docstring and you can write a vendor.

A vendor is a folder `vendors/<slug>/` with a frozen dataclass whose fields are its settings. Its
methods are **calls**: each takes an `Order` of plain values, talks HTTP to the vendor's servers, and
returns one **step**, or raises one of four errors. It knows no database, no HTTP request, no template.

    start(order)              begin connecting (or reconnecting) a shop
    returned(order, params)   the merchant came back, or says "I have finished" (params == {})
    answered(order, answers)  the merchant answered the questions of an `Ask`
    check(order)              is the shop connected? called at any time, changes nothing
    enter(order)              open the vendor's pages again for a connected shop
    pause(order)              stop the data of a connected shop for a while
    resume(order)             end the pause
    end(order)                disconnect the shop
    act(order, key, answers)  one of `actions()` on an account or a connection
    run(key, answers, …)      one of `actions()` of staff on the vendor or a connector, for no merchant
    resolve(order, found)     staff searched for an unsure creation: its id, or None if there is none

    Step
    ├── Redirect       send the merchant to the vendor
    ├── Progress       save the memos, then make the same call again at once
    ├── Waiting        the vendor is not done yet
    ├── Ask            the merchant must choose or type something
    ├── NeedsMerchant  the merchant must do something elsewhere
    ├── Connected      done
    ├── Declined       the merchant said no at the vendor: an outcome, not an error
    ├── StartOver      this attempt cannot continue, although nobody refused anything
    └── Done           `pause`, `resume`, `end` or an action is done

    VendorError
    ├── Unavailable    nothing happened, or nothing that matters: retry later
    ├── Refused        the vendor said no: the merchant or staff must change something
    ├── Unsure         a creation got no clear reply: search for it before you repeat it
    └── Garbled        a reply that the vendor's documentation does not allow: we must change something

**The call is remembered.** After `Progress`, a retry or the takeover of a dead process, the journey
repeats the same call with the saved memos, so a flow reads its memos first and does not do again what
is noted there. "The same call" below is the same method with the same params, answers and `order.state`;
the state is replaced only when a link was made with it, or when another member of the team continues.

    step or error          what the merchant sees                      the next call
    ---------------------  ------------------------------------------  -----------------------------------
    Redirect(url)          In progress, sent to the vendor's page;     back: returned(order, params)
                           "Everything is ready" if nobody waited      "Continue": the same call, new state
      returns=False        In progress, the page in a new tab; once    returned(order, {})
                           it was opened, "I have finished"
    Redirect("")           In progress, "Everything is ready"          "Continue": the same call, `present`
    Progress               In progress, "Checking with …"; after       the same call, at once
                           `start`: what is being prepared
    Waiting                Checking, "… is still working"              the same call, by itself or by
                                                                       "Check again now"
    Ask                    Action needed, the questions                answered(order, answers)
    NeedsMerchant          Action needed, "One more step at …"         the same call, by itself or by
                                                                       "I have done it: check again"
      questions=(…)        Action needed, the same and the questions   answered(order, answers)
      goes_on=True         Action needed, "One more step at …"         the same call, by itself or by
                                                                       "Continue at …", `present`
    Declined               Action needed, "you cancelled at …"         start, by "Start again"
    Refused(merchant)      Action needed, its `heading`, or            start, by "Try again"
                           "… did not accept this"
    StartOver              Action needed, "start again at …"           start, by "Start again"
    Connected              Connected; the attempt has ended            check, every CHECK_PERIOD
      confirmed=False      Set up, not confirmed yet; ended            check, every CHECK_PERIOD
    Done                   Paused, Connected or Disconnected; ended    –
    Unavailable            "Waiting for …", and why                    the same call, by itself or by
                                                                       "Try again now"
    Refused(staff)         "We're on it"; staff get a mail             the same call, by itself
    Garbled                "We're on it"; staff get a mail             the same call, by itself
    Unsure                 "We're on it"; staff get a mail             resolve(order, found), by staff

**Confirmed.** `Connected(confirmed=False)` is for a vendor that cannot be asked: the shop is Connected at
the first `Connected` that confirms it, or when staff do, and then stays so. A pause or a resume that
returns `Done(staff_task=…)` is done when staff say so: until then the shop has the status that it had.

**Starting again.** After Declined and Refused(merchant), `start` gets the account's live memo, because the
account's draft is dropped, and the unchanged draft of the connection: a flow that must ask again removes
from it what led to the refusal. After `StartOver`, it gets the drafts that this step describes. This is so
for connecting and reconnecting; `enter`, `pause`, `resume`, `end` and `act` have no `start`, so the same
call is made again. A check that returns Declined or StartOver leaves a connected shop connected; after
Refused(merchant), Ask and NeedsMerchant the shop needs its merchant.

**No link yet.** `Redirect("")` says that the flow requests a link as soon as `order.present` is true. From
`returned` it is right only if the flow then continues from its memos, because Continue repeats the call
with the old params. A flow that has no link to request there returns `StartOver`. A flow that returns
`Redirect("")` twice in a row with a merchant present is treated as Garbled: Continue would repeat it for
ever.

**A return proves nothing.** Ask the vendor. A return with our state, or with the vendor's id that
`Redirect(returned_by=…)` names, belongs to one user and works once; the id works only while that user is
signed in, because it may be easy to guess. A bare return proves even less: anybody can send a signed-in
merchant to our return address with params of their own. `keep_params=True` passes them to `returned` as a
hint, such as `error=denied`. A flow may show a note or ask the vendor because of them; it must neither
exchange a code from them nor store an id from them.

**A creation** (a call that makes something at the vendor and has no idempotency key) takes two calls of
the flow. The first returns `Progress(announce="tenant")`. The second has `order.announced == "tenant"`,
sends the request with `creates=True` as the last thing that it does, and returns
`Progress(done=("tenant",), account={...})`. If the vendor's reply was lost, the next call has
`order.unsure == "tenant"`: the flow searches at the vendor, or raises `Unsure` if the vendor offers no
search; then staff decide through `resolve`. An id that staff entered is not believed before the vendor
knows it: `resolve` asks the vendor and ticks the creation (`done`), or, where nothing can be asked, the
next call on that id decides. `order.found` has the creation until a step ticks it. If that call is refused,
the flow raises `Unsure(creation="tenant")`, and staff correct the id.

**A call with an idempotency key**, or PUT to an id that is ours, is no creation: it is neither announced
nor sent with `creates=True`. Save the key in a draft with a `Progress` of its own before the first request,
and send the same key each time. A lost reply is then Unavailable, and the retry makes nothing twice. Where
the reply to the retry differs from the first one (no body, no URL), read the object, or take its id from
the documented refusal: `Api.send(refused={409: Model})` and `Refused.reply`.

**Replies that must not be lost** (a creation, a code exchange, a rotated token): return `Progress` with the
new memo at once, and request nothing else in the same call. A flow that has to know at the retry that a
reply was lost (`Unavailable.lost`) sets `connection` of that error to the draft that says so.

**Memos** are JSON objects that the site stores, encrypted, for the vendor. The account's memo is shared by
all shops of a merchant at this vendor, the connection's memo is for one shop. An attempt works on drafts:
`order.memos.account` is the draft of the account's memo (the live one until a step replaces it),
`order.memos.connection` is a draft that is empty when an attempt starts. `order.live` has the memos of the
connected shop. A step's `account=` / `connection=` replaces the draft; `promote=True` also makes the
account's draft live at once (created objects, a rotated token of the same vendor user). `Connected`
promotes both.

**Which shop it is.** A merchant with two shops has to tell them apart. `Connected(address=…)` is the address
of the shop on the web, if the vendor tells it; with `tells_address` it always does, and merchants are not
asked for it. `account_label` of any step says whose account at the vendor it is; it is saved at once. Another
address than the merchant entered, or another account than their shops were connected through before, is
asked about before the shop is connected: "Is this the shop you meant?" A question that offers shops tells
them apart by all that is known, `order.known_shop` included, and never by a number.

**Where things are.** `vendor.py` has the base class with all settings, texts and calls; `order.py` what a
call gets; `steps.py` and `errors.py` what it returns and raises; `actions.py` what people may do beside the
journey; `backoff.py` pauses between creations. `vendors.http.api.Api` makes the HTTP calls and raises the
four errors. CONTRIBUTING.md, "Add a vendor", lists the files and the tests.
"""

from __future__ import annotations

from .actions import Action, Item, Rows
from .errors import (
    CallError,
    Garbled,
    Refused,
    Unavailable,
    Unsure,
    VendorError,
    Why,
    wrong_answer,
)
from .order import (
    Business,
    Entry,
    Holder,
    Json,
    JsonObject,
    KnownShop,
    Memo,
    Memos,
    Order,
    Person,
    Purpose,
    Question,
    Text,
    Who,
    is_secret_name,
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
from .vendor import CauseNote, ChecklistItem, UnsureNotes, Vendor, named_problems

__all__ = [
    "Action",
    "Ask",
    "Business",
    "CallError",
    "CauseNote",
    "ChecklistItem",
    "Connected",
    "Declined",
    "Done",
    "Entry",
    "Garbled",
    "Holder",
    "Item",
    "Json",
    "JsonObject",
    "KnownShop",
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
    "UnsureNotes",
    "Vendor",
    "VendorError",
    "Waiting",
    "Who",
    "Why",
    "is_secret_name",
    "named_problems",
    "text",
    "wrong_answer",
]

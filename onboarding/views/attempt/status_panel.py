"""The status panel of an attempt's page: icon, heading, sentence and main button for each `Answer`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypedDict, assert_never

from django.utils.translation import gettext

from onboarding import journey, registry
from onboarding.background import runner
from onboarding.models import Attempt, Connection, Hop, User
from onboarding.models.status import Answer, Ending, Status, Turn, dumped, shown
from onboarding.notifications import notices
from onboarding.questions import StoredQuestion
from onboarding.views.polling import Pace
from vendors.contract import ChecklistItem, Vendor, text

from .patience import NextTry, Patience, next_try, patience

SETTLED_TURNS = frozenset({Turn.MERCHANT, Turn.NOBODY})  # in which nothing changes by itself


PanelAction = Literal["", "continue", "check", "answer", "choose", "reconnect"]


@dataclass(frozen=True, kw_only=True)
class StatusPanel:
    """`kind` is a key of OUTCOME_ICONS (templatetags/icons.py): it chooses icon and colour.

    `patience`: what stands below the sentence while somebody waits. `action` chooses what the main button
    posts ("": there is none), `label` is its text. `finish` offers "I have finished" beside it.
    `checklist` shows the vendor's checklist.
    """

    kind: str
    heading: str
    sentence: str
    more: str = ""
    patience: Patience | None = None
    action: PanelAction = ""
    label: str = ""
    finish: bool = False
    checklist: bool = False

    @property
    def style(self) -> str:
        """The main button's style: quiet where nothing is left for the merchant to do."""
        return "quiet" if self.kind in {"checking", "staff", "waiting"} else ""


# -- one for each answer ---------------------------------------------------------------------------


def _progress(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    if journey.asks_about_the_shop(attempt):
        return _checking(attempt, words)
    headings = {
        Attempt.Purpose.ENTER: gettext("Opening %(vendor)s"),
        Attempt.Purpose.PAUSE: gettext("Pausing “%(shop)s”"),
        Attempt.Purpose.RESUME: gettext("Resuming “%(shop)s”"),
        Attempt.Purpose.END: gettext("Disconnecting “%(shop)s”"),
        Attempt.Purpose.ACT: gettext("Changing “%(shop)s” at %(vendor)s"),
    }
    preparing = gettext("Preparing your connection to %(vendor)s")
    return StatusPanel(
        kind="preparing",
        heading=headings.get(Attempt.Purpose(attempt.purpose), preparing) % words,
        sentence=gettext("You don’t need to do anything: we continue automatically."),
        patience=_how_long(attempt, words),
        checklist=attempt.connects,
    )


def _how_long(attempt: Attempt, words: dict[str, str]) -> Patience:
    if runner.is_crowded(attempt.connection.vendor):
        crowd = gettext(
            "Many shops are being connected to %(vendor)s right now, so this may take a few"
            " minutes. You can close this page, and we’ll continue."
        )
        return patience(attempt.since, crowd % words, longer=crowd % words)
    return patience(attempt.since, gettext("This takes a few seconds."))


def _checking(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    return StatusPanel(
        kind="checking",
        heading=gettext("Checking with %(vendor)s") % words,
        sentence=gettext("We are asking %(vendor)s whether “%(shop)s” is connected.") % words,
        patience=_how_long(attempt, words),
    )


def _redirect(attempt: Attempt, user: User, words: dict[str, str]) -> StatusPanel:
    finish = journey.is_at_vendor_without_return(attempt)
    hop = _taken_hop(attempt)
    if hop is None:
        return _ready(attempt, finish, words)
    if hop.user_id != user.pk:
        return _colleague_at_vendor(words | {"person": str(hop.user.get_short_name())}, finish)
    if attempt.purpose == Attempt.Purpose.ENTER:
        heading = gettext("%(vendor)s is open")
        sentence = gettext("What you change there shows here after the next check.")
    elif finish:
        return _set_up_beside(attempt, words)
    else:
        heading = gettext("Finish at %(vendor)s")
        sentence = gettext("When you are done, %(vendor)s sends you back here.")
    return StatusPanel(
        kind="at-vendor",
        heading=heading % words,
        sentence=sentence % words,
        more=gettext("Closed the %(vendor)s page? Reopen it. Your progress is saved.") % words,
        action="continue",
        label=gettext("Reopen %(vendor)s") % words,
        checklist=attempt.connects,
    )


def _set_up_beside(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    """The vendor's page is open in a tab beside this one, and sends nobody back."""
    sentence = gettext(
        "Set up “%(shop)s” in the %(vendor)s tab. Then come back here and tell us that you have finished."
    )
    return StatusPanel(
        kind="at-vendor",
        heading=gettext("Finish the set-up on %(vendor)s") % words,
        sentence=sentence % words,
        more=gettext("Closed the %(vendor)s page? Reopen it. Your progress is saved.") % words,
        action="continue",
        label=gettext("Reopen %(vendor)s") % words,
        finish=True,
        checklist=attempt.connects,
    )


def _taken_hop(attempt: Attempt) -> Hop | None:
    """The hop of this Redirect whose link somebody has taken."""
    hops = attempt.hops.select_related("user").filter(taken__gte=attempt.since)
    return hops.order_by("-taken").first()


def _ready(attempt: Attempt, finish: bool, words: dict[str, str]) -> StatusPanel:
    default_sentence = gettext("%(vendor)s opens in this tab. Come back here at any time.")
    if journey.opens_beside(attempt):
        default_sentence = gettext("%(vendor)s opens in a new tab. This page stays open.")
    has_default_note = attempt.note.get("id") == journey.ready_note(words["vendor"]).id
    return StatusPanel(
        kind="ready",
        heading=gettext("Everything is ready"),
        sentence=default_sentence % words if has_default_note else attempt.sentence,
        action="continue",
        label=gettext("Continue to %(vendor)s") % words,
        finish=finish,
        checklist=attempt.connects,
    )


def _colleague_at_vendor(words: dict[str, str], finish: bool) -> StatusPanel:
    return StatusPanel(
        kind="at-vendor",
        heading=gettext("%(person)s is at %(vendor)s") % words,
        sentence=gettext("They can finish it there. You can also continue yourself.") % words,
        action="continue",
        label=gettext("Continue at %(vendor)s yourself") % words,
        finish=finish,
    )


def _waiting(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    if attempt.turn == Turn.STAFF:
        return _overdue(attempt, words)
    return StatusPanel(
        kind="checking",
        heading=gettext("%(vendor)s is still working") % words,
        sentence=attempt.sentence,
        patience=_until_it_answers(
            attempt, gettext("We keep checking. You don’t need to do anything."), words
        ),
        action="check",
        label=gettext("Check again now"),
        checklist=attempt.connects,
    )


def _until_it_answers(attempt: Attempt, first: str, words: dict[str, str]) -> Patience:
    """A mail is promised only to who will get it."""
    if not words["email"]:
        return patience(attempt.since, first)
    now = gettext(
        "You can close this page: we’ll email %(email)s when it’s your turn or when it is done."
    )
    late = gettext(
        "This is taking longer than usual. You can close this page: we’ll email %(email)s when it’s your"
        " turn or when it is done."
    )
    return patience(attempt.since, now % words, longer=late % words, long=late % words)


def _overdue(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    late = gettext("This is taking longer than it should. Our staff know and are looking into it.")
    mail = gettext(
        "This is taking longer than it should. Our staff know and are looking into it. We’ll email"
        " %(email)s when it’s your turn again."
    )
    return StatusPanel(
        kind="staff",
        heading=gettext("We’re on it"),
        sentence=attempt.sentence,
        more=mail % words if words["email"] else late,
        action="check",
        label=gettext("Check again now"),
    )


def _needs_merchant(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    heading = gettext("One more step at %(vendor)s") % words
    if questions_of(attempt):
        done = gettext("I have done it: continue")
        return replace(_ask(attempt, words), heading=heading, label=done)
    return StatusPanel(
        kind="stopped",
        heading=heading,
        sentence=attempt.sentence,
        more=gettext("When you have done this, come back to this page."),
        action="check",
        label=gettext("I have done it: check again"),
        checklist=attempt.connects,
    )


def _go_on(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    return StatusPanel(
        kind="stopped",
        heading=gettext("One more step at %(vendor)s") % words,
        sentence=attempt.sentence,
        action="continue",
        label=gettext("Continue at %(vendor)s") % words,
        checklist=attempt.connects,
    )


def _ask(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    """A single question is the heading itself: “Which eBay shop?”."""
    labels = [shown(question["label"]) for question in attempt.questions]
    several = gettext("A few questions about “%(shop)s”") % words
    return StatusPanel(
        kind="asking",
        heading=shown(attempt.heading) or (labels[0] if len(labels) == 1 else several),
        sentence=attempt.sentence,
        action="answer",
        label=gettext("Save and continue"),
    )


def _wrong_shop(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    """The merchant decides between three answers, drawn by _choice.html."""
    stays = gettext("“%(shop)s” stays as it is until you decide.") % words
    return StatusPanel(
        kind="choosing",
        heading=gettext("Is this the shop you meant?"),
        sentence=attempt.sentence,
        more=stays if attempt.connection.is_set_up else "",
        action="choose",
    )


def _declined(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    new = gettext("Not connected yet: you cancelled at %(vendor)s")
    known = gettext("You cancelled at %(vendor)s")
    return StatusPanel(
        kind="stopped",
        heading=(new if _is_new(attempt) else known) % words,
        sentence=attempt.sentence,
        more=gettext("You can continue whenever you like."),
        action="continue",
        label=gettext("Start again at %(vendor)s") % words,
    )


def _is_new(attempt: Attempt) -> bool:
    """Whether the shop is not connected yet, so that this is what the heading says first."""
    return attempt.connects and not attempt.connection.is_set_up


def _start_over(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    new = gettext("Not connected yet: start again at %(vendor)s")
    known = gettext("Start again at %(vendor)s")
    return StatusPanel(
        kind="stopped",
        heading=(new if _is_new(attempt) else known) % words,
        sentence=attempt.sentence,
        more=gettext("You can do it now, or come back later."),
        action="continue",
        label=gettext("Start again at %(vendor)s") % words,
    )


def _refused(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    if attempt.turn == Turn.STAFF:
        return _on_it(attempt, words)
    write = gettext("If it happens again, write to us and quote the reference below.")
    choose = gettext("To change what you entered, open the page of this shop and choose it again.")
    return StatusPanel(
        kind="refused",
        heading=shown(attempt.heading) or gettext("%(vendor)s did not accept this") % words,
        sentence=attempt.sentence,
        more=choose if attempt.purpose == Attempt.Purpose.ACT else write,
        action="continue",
        label=gettext("Try again"),
    )


def _on_it(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    nothing = gettext(
        "You don’t need to do anything. If you have a question, write to us and quote the reference below."
    )
    mail = gettext(
        "You don’t need to do anything. We’ll email %(email)s when it’s your turn again. If you"
        " have a question, write to us and quote the reference below."
    )
    return StatusPanel(
        kind="staff",
        heading=gettext("We’re on it"),
        sentence=attempt.sentence,
        more=mail % words if words["email"] else nothing,
    )


def _unreadable(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    return StatusPanel(
        kind="stopped",
        heading=gettext("Connect “%(shop)s” again") % words,
        sentence=attempt.sentence,
        more=gettext("Nothing has changed at %(vendor)s.") % words,
        action="continue",
        label=gettext("Connect “%(shop)s” again") % words,
    )


def _unavailable(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    return StatusPanel(
        kind="waiting",
        heading=gettext("Waiting for %(vendor)s") % words,
        sentence=attempt.sentence,
        patience=_until_it_answers(
            attempt, gettext("Nothing is lost, and you don’t need to do anything."), words
        ),
        action="check",
        label=gettext("Try again now"),
    )


# -- when the attempt has ended, or cannot continue ------------------------------------------------


def _reached(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    """It did what it was for. If the shop has another status since, the page says so."""
    if attempt.purpose == Attempt.Purpose.ACT:
        return _changed(attempt, words)
    if attempt.answer == Answer.TASK:
        return _waits_for_task(attempt, words)
    if attempt.answer == Answer.REPORTED and attempt.connection.is_set_up:
        return _reported(attempt, words)
    if attempt.connection.status != attempt.status:
        return _reached_before(attempt, words)
    match Status(attempt.status):
        case Status.PAUSED:
            return _paused(attempt, words)
        case Status.DISCONNECTED:
            return _disconnected(attempt, words)
        case Status.CONNECTED:
            return _connected(attempt, words)
        case (
            Status.NOT_STARTED
            | Status.IN_PROGRESS
            | Status.CHECKING
            | Status.ACTION_NEEDED
            | Status.ON_IT
            | Status.REPORTED
        ):
            return _reached_before(attempt, words)
        case status:
            assert_never(status)


def _reached_before(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    headings = {
        Status.PAUSED: gettext("“%(shop)s” was paused"),
        Status.DISCONNECTED: gettext("“%(shop)s” was disconnected"),
        Status.REPORTED: gettext("“%(shop)s” was set up"),
    }
    connected = gettext("“%(shop)s” was connected")
    since = gettext("Its status has changed since then. Open its page to see where it stands.")
    return StatusPanel(
        kind="ended",
        heading=headings.get(Status(attempt.status), connected) % words,
        sentence=since,
    )


def _connected(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    return StatusPanel(
        kind="connected",
        heading=gettext("“%(shop)s” is connected") % words,
        sentence=attempt.sentence,
    )


def _reported(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    """Set up, as the merchant says. The page may be read again when it has been confirmed since."""
    if attempt.connection.status == Status.CONNECTED:
        return replace(_connected(attempt, words), sentence=attempt.connection.proof)
    again = gettext("Not finished after all? Open %(vendor)s again from the page of this shop.")
    mail = gettext(
        "We’ll email %(email)s as soon as it is confirmed. Not finished after all? Open %(vendor)s again"
        " from the page of this shop."
    )
    return StatusPanel(
        kind="reported",
        heading=gettext("“%(shop)s” is set up, but not confirmed yet") % words,
        sentence=attempt.sentence,
        more=(mail if words["email"] else again) % words,
    )


def _waits_for_task(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    """A pause or a resume is done once staff have done their task."""
    if not attempt.connection.waits_for_task:
        return _replaced(words)
    pausing = attempt.purpose == Attempt.Purpose.PAUSE
    heading = gettext("Pausing “%(shop)s”") if pausing else gettext("Resuming “%(shop)s”")
    mail = gettext("We’ll email %(email)s when it is done.")
    return StatusPanel(
        kind="staff",
        heading=heading % words,
        sentence=attempt.sentence,
        more=mail % words if words["email"] else "",
    )


def _changed(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    """An action of the vendor has run; the shop is set up as before."""
    heading = gettext("“%(shop)s” was updated") % words
    return StatusPanel(kind="connected", heading=heading, sentence=attempt.sentence)


def _disconnected(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    heading = gettext("“%(shop)s” is disconnected") % words
    return StatusPanel(kind="ended", heading=heading, sentence=attempt.sentence)


def _paused(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    heading = gettext("“%(shop)s” is paused") % words
    return StatusPanel(kind="paused", heading=heading, sentence=attempt.sentence)


def _kept_sibling() -> StatusPanel:
    sentence = gettext("You kept the connection that this shop already has.")
    heading = gettext("Nothing was connected twice")
    return StatusPanel(kind="ended", heading=heading, sentence=sentence)


def _expired(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    new, known = gettext("“%(shop)s” is not connected yet"), gettext("“%(shop)s” stays as it was")
    return StatusPanel(
        kind="expired",
        heading=(new if _is_new(attempt) else known) % words,
        sentence=attempt.sentence,
        action="reconnect" if attempt.connects else "",
        label=gettext("Start again at %(vendor)s") % words,
    )


def _replaced(words: dict[str, str]) -> StatusPanel:
    newer = gettext(
        "Something newer was started after this. Open the page of “%(shop)s” to see where it stands."
    )
    heading = gettext("This page is out of date")
    return StatusPanel(kind="stopped", heading=heading, sentence=newer % words)


def _account_deleted(words: dict[str, str]) -> StatusPanel:
    return StatusPanel(
        kind="ended",
        heading=gettext("Your account at %(vendor)s was deleted") % words,
        sentence=gettext("“%(shop)s” was disconnected with it.") % words,
        more=gettext("You can connect the shop again at any time."),
        action="reconnect",
        label=gettext("Connect “%(shop)s” again") % words,
    )


def _removed(words: dict[str, str]) -> StatusPanel:
    return StatusPanel(
        kind="ended",
        heading=gettext("“%(shop)s” was removed from your list") % words,
        sentence=gettext("It was never connected. You can start again at any time."),
        action="reconnect",
        label=gettext("Connect “%(shop)s” again") % words,
    )


def _ended_unreadable(attempt: Attempt, words: dict[str, str]) -> StatusPanel:
    panel = _unreadable(attempt, words)
    return replace(panel, action="reconnect")


def _switched_off(words: dict[str, str]) -> StatusPanel:
    return StatusPanel(
        kind="staff",
        heading=gettext("%(vendor)s is not available at the moment") % words,
        sentence=gettext("We have switched it off for now. Nothing is lost."),
        more=gettext("You can continue here when it is back."),
    )


# -- the vendor's questions ------------------------------------------------------------------------


def questions_of(attempt: Attempt) -> list[StoredQuestion]:
    """The questions to show. NeedsMerchant: a choice between addresses only if there is a choice."""
    emails = (
        journey.verified_addresses(attempt.connection.merchant) if wants_address(attempt) else ()
    )
    questions: list[StoredQuestion] = attempt.questions
    current = [_with_current_addresses(q, emails) if q.get("addresses") else q for q in questions]
    if attempt.answer != Answer.NEEDS_MERCHANT:
        return current
    return [question for question in current if not _has_no_alternative(question)]


def wants_address(attempt: Attempt) -> bool:
    """Whether it asks for an address of a member: then the page says how to add another one."""
    return attempt.ended is None and any(each.get("addresses") for each in attempt.questions)


def _with_current_addresses(question: StoredQuestion, emails: tuple[str, ...]) -> StoredQuestion:
    """The choices are the addresses of now. One that was added since the vendor asked is preselected."""
    current = {email.casefold(): email for email in reversed(emails)}
    offered_before = {value.casefold() for value, _ in question["choices"]}
    added = [email for key, email in current.items() if key not in offered_before]
    initial = added[0] if len(added) == 1 else current.get(question["initial"].casefold(), "")
    choices = [
        (email, dumped(text("%(email)s", email=email))) for email in reversed(current.values())
    ]
    return {**question, "choices": choices, "initial": initial, "added": bool(added)}


def _has_no_alternative(question: StoredQuestion) -> bool:
    return len(question["choices"]) < 2 and question.get("added") is False


# -- which panel it is -----------------------------------------------------------------------------


def panel_of(attempt: Attempt, user: User) -> StatusPanel:
    """The panel of an attempt, for this reader."""
    slug, answer = attempt.connection.vendor, Answer(attempt.answer)
    words = {
        "vendor": registry.vendor_name(slug),
        "shop": attempt.connection.name,
        "email": notices.promised_to(attempt, user),
    }
    if attempt.ended:
        return _ended(attempt, Ending(attempt.ending), words)
    if registry.vendor_of(slug) is None:
        return _switched_off(words)
    if answer == Answer.REDIRECT:
        return _redirect(attempt, user, words)
    return _open(attempt, answer, words)


def _open(attempt: Attempt, answer: Answer, words: dict[str, str]) -> StatusPanel:
    match answer:
        case Answer.NONE | Answer.PROGRESS:
            return _progress(attempt, words)
        case Answer.WAITING:
            return _waiting(attempt, words)
        case Answer.ASK:
            return _ask(attempt, words)
        case Answer.NEEDS_MERCHANT:
            return _needs_merchant(attempt, words)
        case Answer.GO_ON:
            return _go_on(attempt, words)
        case Answer.WRONG_SHOP:
            return _wrong_shop(attempt, words)
        case Answer.DECLINED:
            return _declined(attempt, words)
        case Answer.START_OVER:
            return _start_over(attempt, words)
        case Answer.REFUSED:
            return _refused(attempt, words)
        case Answer.UNAVAILABLE:
            return _unavailable(attempt, words)
        case Answer.UNREADABLE:
            return _unreadable(attempt, words)
        case Answer.GARBLED | Answer.POISON | Answer.UNSURE | Answer.BLOCKED:
            return _on_it(attempt, words)
        case (
            Answer.REDIRECT
            | Answer.REPORTED
            | Answer.CONNECTED
            | Answer.DONE
            | Answer.TASK
            | Answer.EXPIRED
        ):
            raise ValueError(f"“{answer}” is drawn elsewhere")
    assert_never(answer)


def _ended(attempt: Attempt, why: Ending, words: dict[str, str]) -> StatusPanel:
    match why:
        case Ending.CONNECTED | Ending.DONE:
            return _reached(attempt, words)
        case Ending.EXPIRED:
            return _expired(attempt, words)
        case Ending.REPLACED:
            return _replaced(words)
        case Ending.KEPT_SIBLING:
            return _kept_sibling()
        case Ending.UNREADABLE:
            return _ended_unreadable(attempt, words)
        case Ending.ACCOUNT_DELETED:
            return _account_deleted(words)
        case Ending.REMOVED:
            return _removed(words)
    assert_never(why)


def tab_title(attempt: Attempt, panel: StatusPanel) -> str:
    """The title of the tab: one that is not in front says when somebody is wanted there."""
    if attempt.ended or attempt.turn != Turn.MERCHANT:
        return panel.heading
    return gettext("(1) Your turn · %(heading)s") % {"heading": panel.heading}


def whose_turn(attempt: Attempt) -> str:
    """Whose turn it is, in words; "" when the attempt has ended."""
    if attempt.ended:
        return ""
    match Turn(attempt.turn):
        case Turn.MERCHANT:
            return gettext("It is your turn")
        case Turn.VENDOR:
            words = {"vendor": registry.vendor_name(attempt.connection.vendor)}
            return gettext("%(vendor)s is working on it") % words
        case Turn.US:
            return gettext("We are working on it")
        case Turn.STAFF:
            return gettext("Our staff are working on it")
        case Turn.NOBODY:
            return ""
        case turn:
            assert_never(turn)


def next_try_of(attempt: Attempt) -> NextTry | None:
    """When we ask the vendor again by ourselves; None where the page does not say it."""
    is_waiting = attempt.answer in {Answer.UNAVAILABLE, Answer.WAITING} and attempt.ended is None
    return next_try(attempt.due_at) if is_waiting else None


def link(row: Attempt | Connection) -> str:
    """The page that the vendor wants opened; "" for none, or for an unsafe scheme."""
    return row.link if row.link.startswith(("https://", "http://")) else ""


def needs_polling(attempt: Attempt) -> bool:
    """Whether the page may change without the merchant. A page with a form does not change."""
    is_due_later = attempt.due_at is not None and not questions_of(attempt)
    return attempt.ended is None and (attempt.turn not in SETTLED_TURNS or is_due_later)


def pace_of(attempt: Attempt) -> Pace | None:
    """How often the page asks for news. What the merchant does in the vendor's tab is rare news."""
    if needs_polling(attempt):
        return Pace.LIVELY
    return Pace.QUIET if journey.opens_beside(attempt) else None


# -- the steps ---------------------------------------------------------------------------------------


def step_of(attempt: Attempt) -> str:
    """`current` for the step line; "" where the shop was connected before, so that there is no line."""
    if attempt.purpose != Attempt.Purpose.CONNECT:
        return ""
    if attempt.ending != Ending.CONNECTED:
        return "vendor"
    return "done" if attempt.connection.status != Status.REPORTED else "connected"


ItemState = Literal["done", "doing", "yours", "todo"]


class ChecklistRow(TypedDict):
    """A row for components/checklist.html."""

    text: str
    state: ItemState


def checklist(attempt: Attempt, vendor: Vendor | None) -> list[ChecklistRow]:
    """The merchant's steps; a tick is a committed checkpoint, and the next one is somebody's turn."""
    items = vendor.checklist if vendor else ()
    account = attempt.connection.account
    found = {key for key in account.found if key != account.unsure}  # by staff
    still_open = [item for item in items if not set(item.keys) <= {*attempt.ticks, *found}]
    announced = [item for item in still_open if account.announced in item.keys]
    current = next(iter([*announced, *still_open]), None)
    return [
        {
            "text": shown(dumped(item.label)),
            "state": _item_state(item, still_open, current, attempt.turn),
        }
        for item in items
    ]


def _item_state(
    item: ChecklistItem, still_open: list[ChecklistItem], current: ChecklistItem | None, turn: str
) -> ItemState:
    if item not in still_open:
        return "done"
    if item != current:
        return "todo"
    states: dict[str, ItemState] = {Turn.US: "doing", Turn.VENDOR: "doing", Turn.MERCHANT: "yours"}
    return states.get(turn, "todo")

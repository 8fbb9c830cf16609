"""Mailed codes: how one is typed, how many guesses are compared, and the pages that say so.

allauth compares a guess and then counts it, in the session, where guesses that come at once do not see
each other. Here every guess is counted in the database before it is compared: for its code, for the
address the code went to, and for the IP address it comes from. docs/design/people.md has the odds.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from allauth.core.internal import ratelimit
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from .limits import Limit, give_back, take_each, too_many_requests

log = logging.getLogger(__name__)
SALT = "onboarding.people.codes"
KEPT = timedelta(days=1)  # how long a code's count stays: longer than any code works
INCORRECT, SPENT, TOO_MANY = "incorrect_code", "code_spent", "too_many_codes"  # of form errors


class CodeField(forms.CharField):
    """A code as people type and paste it: only its letters and digits count.

    Blanks and dashes of all kinds, characters that cannot be seen and wide letters come along with a
    copied code. A box with nothing else in it is empty.
    """

    def to_python(self, value: object) -> str:
        text = unicodedata.normalize("NFKC", super().to_python(value) or "")
        return "".join(letter for letter in text if letter.isalnum())


class Guesses:
    """The guesses of one mailed code. `kind` and `state` (allauth's) say which code it is."""

    def __init__(self, request: HttpRequest, kind: str, state: Mapping[str, Any]) -> None:
        # Any: allauth's state is JSON of its own.
        self.kind, self.state = kind, state
        self.ip = ratelimit.get_ip(request)
        address = str(state.get("email", ""))
        this_code = _digest(kind, address, state.get("at"), state.get("code"))
        self.of_code = Limit(f"code:{this_code}", settings.GUESSES_PER_CODE, KEPT)
        self.bounds = _bounds(self.ip, address)

    def take(self) -> None:
        """Count a guess that is about to be compared. ValidationError: it must not be."""
        refused = take_each([self.of_code, *self.bounds])
        if refused is self.of_code:
            raise ValidationError(gettext_lazy("This code no longer works."), code=SPENT)
        if refused:
            self._log("a code was not compared, after too many wrong ones")
            raise ValidationError(gettext_lazy("There were too many wrong codes."), code=TOO_MANY)

    def were_right(self) -> None:
        """The guess was right: it counts only for its code."""
        give_back(self.bounds)

    def were_wrong(self) -> None:
        self._log("a wrong code")

    def are_used_up(self) -> bool:
        return self.of_code.seconds_left() > 0

    def _log(self, what: str) -> None:
        user = self.state.get("user_id") or "nobody"
        log.warning("%s (%s), user %s, from %s", what, self.kind, user, self.ip)


class CodeFormMixin:
    """A form with a code, in front of allauth's. It counts the guess, and allauth compares it."""

    label = gettext_lazy("Code")
    widget_attrs = {"autocomplete": "one-time-code", "spellcheck": "false"}

    def __init__(self, *args: object, guesses: Guesses, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.guesses = guesses
        fields: dict[str, forms.Field] = self.fields  # type: ignore[attr-defined]  # allauth has no types
        fields["code"] = CodeField(
            label=self.label,
            error_messages={"required": gettext_lazy("Enter the code from the mail.")},
            widget=forms.TextInput(attrs=self.widget_attrs),
        )

    def clean_code(self) -> str:
        self.guesses.take()
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except ValidationError as error:
            if error.code == INCORRECT:
                self.guesses.were_wrong()
            raise
        self.guesses.were_right()
        return code


class SixDigitsMixin(CodeFormMixin):
    label = gettext_lazy("Six-digit code")
    widget_attrs = CodeFormMixin.widget_attrs | {"inputmode": "numeric"}


class CodePageMixin:
    """A page where a code is entered, in front of allauth's view of it.

    `kind`: of the code, for the log. `new_code`: what the button on the page of a spent code does.
    """

    kind: str
    request: HttpRequest

    def new_code(self) -> dict[str, str]:
        """Its form: `action`, and perhaps `button_name`, `go_next`. Another way: `back_url`, `back_label`."""
        raise NotImplementedError

    @cached_property
    def guesses(self) -> Guesses:
        return Guesses(self.request, self.kind, self._process.state)  # type: ignore[attr-defined]

    def get_form_kwargs(self) -> dict[str, object]:
        given: dict[str, object] = super().get_form_kwargs()  # type: ignore[misc]
        code = self._process.code  # type: ignore[attr-defined]
        return given | {"code": code, "guesses": self.guesses}

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if self.guesses.are_used_up():
            return self.spent()
        page: HttpResponse = super().get(request, *args, **kwargs)  # type: ignore[misc]
        return page

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        if form.has_error("code", TOO_MANY):
            return too_many_requests(self.request, longest_wait(self.guesses.bounds))
        if self.guesses.are_used_up():
            return self.spent()
        details = self.get_context_data(form=form)  # type: ignore[attr-defined]
        page: HttpResponse = self.render_to_response(details)  # type: ignore[attr-defined]
        return page

    def spent(self) -> HttpResponse:
        """The page of a code that was entered wrong too often, with a button for a new one."""
        details = {"email": self.guesses.state.get("email"), **self.new_code()}
        return render(self.request, "account/code_spent.html", details)


def seconds_to_wait(request: HttpRequest, email: str) -> int:
    """Seconds until guesses for this address, from where this request comes, are compared again.

    While it is not 0, a new code would be of no use.
    """
    return longest_wait(_bounds(ratelimit.get_ip(request), email))


def longest_wait(limits: list[Limit]) -> int:
    return max(limit.seconds_left() for limit in limits)


def _bounds(ip: str, email: str) -> list[Limit]:
    """What one address, and one IP address, may guess wrong in an hour and in a day."""
    keys = {"key": f"address:{_digest(email.lower())}", "ip": f"ip:{_digest(ip)}"}
    return [
        Limit(
            f"{keys[rate.per]}:{rate.duration:.0f}",
            rate.amount,
            timedelta(seconds=rate.duration),
        )
        for rate in ratelimit.parse_rates(settings.WRONG_CODE_LIMITS)
    ]


def _digest(*parts: object) -> str:
    """Stands for the parts in a key that nobody can read."""
    return salted_hmac(SALT, "\n".join(map(str, parts)), algorithm="sha256").hexdigest()

"""Mailed codes: how one is stored and typed, how many guesses are compared, and the pages that say so.

allauth keeps a code in the session as it was mailed, and compares a guess and then counts it, in the session,
where guesses that come at once do not see each other. Here a code is stored as a keyed hash, and every guess
is counted in the database before it is compared. docs/security/limits.md has the limits and the odds.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from allauth.account.internal.userkit import str_to_user_id
from allauth.core.internal import ratelimit
from allauth.core.internal.cryptokit import normalize_user_code
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import get_random_string, salted_hmac
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy

from onboarding.models import SecurityEvent, User
from onboarding.monitoring import security_log

from . import guess_alarms, limits
from .askers import WRONG_CODES, limits_for
from .limits import (
    Limit,
    digest,
    give_back,
    note_refusal,
    take_each,
    too_many_requests,
)

log = logging.getLogger(__name__)
SALT = "onboarding.people.codes"
KEPT = timedelta(days=1)  # how long a code's count stays: longer than any code works
INCORRECT, SPENT, TOO_MANY = "incorrect_code", "code_spent", "too_many_codes"  # of form errors
SIGN_IN, ADDRESS, NEW_PASSWORD, STILL_YOU = (
    "sign-in",
    "address",
    "new password",
    "still you",
)  # kinds


class StoredCode(str):
    """A new code as allauth stores it: a keyed hash. Only the mail has the code itself, `mailed`."""

    mailed: str

    @classmethod
    def of(cls, kind: str, code: str) -> StoredCode:
        made = cls(as_stored(kind, code, get_random_string(22)))
        made.mailed = code
        return made

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """Copies are hashes alone."""
        return str, (str(self),)


def as_stored(kind: str, code: str, salt: str) -> str:
    """The salt, and the hash of a code of this kind as it is typed or mailed."""
    text = "\n".join([kind, salt, normalize_user_code(code)])
    return f"{salt}:{salted_hmac(SALT, text, algorithm='sha256').hexdigest()}"


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
        self.request, self.kind, self.state = request, kind, state
        self.email = str(state.get("email", ""))
        this_code = digest(kind, self.email, state.get("at"), state.get("code"))
        self.of_code = Limit(f"code:{this_code}", settings.GUESSES_PER_CODE, KEPT)

    @cached_property
    def bounds(self) -> list[Limit]:
        return limits_for(self.request, WRONG_CODES, self.email)

    def take(self) -> None:
        """Count a guess that is about to be compared. ValidationError: it must not be."""
        refused = take_each([self.of_code, *self.bounds])
        if refused is self.of_code:
            raise ValidationError(gettext_lazy("This code no longer works."), code=SPENT)
        if refused:
            self._log("a code was not compared, after too many wrong ones")
            note_refusal(self.request, refused, self.user())
            raise ValidationError(gettext_lazy("Too many wrong codes were entered."), code=TOO_MANY)

    def were_right(self) -> None:
        """The guess was right: it counts only for its code."""
        give_back(self.bounds)

    def were_wrong(self) -> None:
        self._log("a wrong code")
        kind = SecurityEvent.Kind.WRONG_CODE
        security_log.record(kind, self.request, user=self.user(), detail=self.kind)
        guess_alarms.after_wrong_code(self.email, self.bounds)

    def are_used_up(self) -> bool:
        return self.of_code.seconds_left() > 0

    def user(self) -> User | None:
        """Who signs in with this code, if that is known."""
        found = self.state.get("user_id")
        return User.objects.filter(pk=str_to_user_id(found)).first() if found else None

    def _log(self, what: str) -> None:
        user, ip = self.state.get("user_id") or "nobody", ratelimit.get_ip(self.request)
        log.warning("%s (%s), user %s, from %s", what, self.kind, user, ip)


class CodeFormMixin:
    """A form with a code, in front of allauth's. It counts the guess, and allauth compares the hashes."""

    expected_code: str
    cleaned_data: dict[str, str]

    label = gettext_lazy("Code")
    widget_attrs: Mapping[str, str] = {
        "autocomplete": "one-time-code",
        "spellcheck": "false",
        "autofocus": "",
    }

    def __init__(self, *args: object, guesses: Guesses, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.guesses = guesses
        fields: dict[str, forms.Field] = self.fields  # type: ignore[attr-defined]  # allauth has no types
        fields["code"] = CodeField(
            label=self.label,
            error_messages={"required": gettext_lazy("Enter the code from our email.")},
            widget=forms.TextInput(attrs=dict(self.widget_attrs)),
        )

    def clean_code(self) -> str:
        self.guesses.take()
        salt = (self.expected_code or "").partition(":")[0]
        typed = self.cleaned_data["code"]
        self.cleaned_data["code"] = as_stored(self.guesses.kind, typed, salt)
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
    widget_attrs = {**CodeFormMixin.widget_attrs, "inputmode": "numeric"}


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
            return too_many_requests(self.request)
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
    return limits.seconds_to_wait(request, limits_for(request, WRONG_CODES, email))

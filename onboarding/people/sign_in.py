"""Sign-up and sign-in: one email form and one page for the code, for new and known addresses alike.

Built on django-allauth's login by code. For a new address, a user is created at once, unverified, and
gets the same code as everybody else. So neither URLs nor texts tell who has an account (no user
enumeration), somebody who stopped half-way just asks for a code again, and entering it verifies the address.
"""

from __future__ import annotations

from allauth.account import signals
from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.forms import ConfirmLoginCodeForm, RequestLoginCodeForm
from allauth.account.models import EmailAddress
from allauth.account.stages import (
    EmailVerificationStage,
    LoginByCodeStage,
    LoginStage,
    LoginStageController,
)
from allauth.account.utils import setup_user_email
from allauth.account.views import ConfirmLoginCodeView, LoginView, RequestLoginCodeView
from allauth.core import context
from allauth.mfa.stages import AuthenticateStage
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django import forms
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext, gettext_lazy
from django.views.decorators.cache import never_cache

from onboarding.fields import EmailField
from onboarding.local_paths import is_local_path, local_path, next_path
from onboarding.models import Invitation, SecurityEvent, User
from onboarding.monitoring import security_log
from onboarding.notifications import account_mails, mail
from onboarding.notifications.mail import AddressRefused, NotSent, TooManyMails

from . import code_mail, codes, guards, joining, mail_limits, second_factor, sessions
from .askers import WRONG_PASSWORDS, limits_for
from .codes import SIGN_IN, CodePageMixin, SixDigitsMixin, StoredCode
from .limits import Limit, give_back, note_refusal, take_each, too_many_requests, wait
from .unsent import SaysUnsentMail, ShowsCodeMail

# Keys in the session: where to go after signing in, and after confirming another address.
NEXT, AFTER_ADDRESS = "after_sign_in", "after_address"
JUST_SENT = "just_sent"  # the code of a form error


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """The site's policies in allauth's flows."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "This code is wrong. Use the code from our newest email, or ask for a new one."
        ),
        "email_password_mismatch": gettext_lazy(
            "This address and password do not match. You can sign in with a code instead."
        ),
        "too_many_login_attempts": gettext_lazy(
            "Too many tries. Wait a while, or sign in with a code instead."
        ),
        "rate_limited": gettext_lazy("We have just sent a code. Please wait a moment."),
    }

    def new_user(self, request: HttpRequest) -> User:
        return User(language=get_language() or "")

    def is_safe_url(self, url: str) -> bool:
        """Whether to redirect to this URL after sign-in: a path of this site, never a URL with a host."""
        return bool(url) and is_local_path(url)

    def get_login_stages(self) -> list[str]:
        """allauth's stages, with our own rule of who is asked for a second step."""
        stages: list[str] = super().get_login_stages()
        ours = {second_factor.ALLAUTH_STAGE: second_factor.STAGE}
        return [ours.get(stage, stage) for stage in stages]

    def pre_login(
        self, request: HttpRequest, user: User, *, email: str | None = None, **kwargs: object
    ) -> HttpResponseBase | None:
        """A code helps nobody once its address no longer belongs to the account."""
        addresses = EmailAddress.objects.filter(user=user)
        if email and not addresses.filter(email__iexact=email).exists():
            return code_expired(request)
        response: HttpResponseBase | None = super().pre_login(request, user, email=email, **kwargs)
        return response

    def post_login(
        self, request: HttpRequest, user: User, *, redirect_url: str | None, **kwargs: object
    ) -> HttpResponse:
        """Redirect to where the visitor was heading, even if they closed the tab in between.

        Whoever has pressed “Join” on the page of an invitation joins now.
        """
        remembered = request.session.pop(NEXT, None)
        target = redirect_url or next_path(request) or local_path(remembered)
        response: HttpResponse = super().post_login(request, user, redirect_url=target, **kwargs)
        if page := joining.after_sign_in(request, user):
            response["Location"] = page
        return response

    def get_email_verification_redirect_url(self, email_address: EmailAddress) -> str:
        """Return to the page that asked for another address."""
        usual: str = super().get_email_verification_redirect_url(email_address)
        return local_path(self.request.session.pop(AFTER_ADDRESS, None)) or usual

    def is_reauthentication_required(self, *, app: str, **kwargs: object) -> bool:
        """allauth's pages follow the rule of ours.

        Its own takes whoever has no password and no passkey as just authenticated, and forgets sign-ins.
        It would ask that rule after a True, so this one raises, as its callers do.
        """
        guards.require_recent(self.request)
        return False

    def get_reauthentication_methods(self, user: User | AnonymousUser) -> list[dict[str, str]]:
        """allauth's ways to answer “Is it still you?”, and a mailed code as the last.

        Whoever signs in with a second step answers with it: their mailbox or password alone is not enough.
        """
        methods: list[dict[str, str]] = super().get_reauthentication_methods(user)
        for method in methods:
            method["description"] = str(WAYS[method["id"]])
        if second_factor.has_one(user) and second_factor.is_required(user):
            return [each for each in methods if each["id"].startswith("mfa_")]
        code = {
            "id": "code",
            "description": gettext("Send me a code instead"),
            "url": reverse("account_reauthenticate_code"),
        }
        return [*methods, code] if user.is_authenticated else []

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def generate_login_code(self) -> str:
        return StoredCode.of(SIGN_IN, self.new_code())

    def generate_email_verification_code(self) -> str:
        return StoredCode.of(codes.ADDRESS, super().generate_email_verification_code())

    def generate_password_reset_code(self) -> str:
        return StoredCode.of(codes.NEW_PASSWORD, super().generate_password_reset_code())

    def new_code(self) -> str:
        """Six digits."""
        code: str = super().generate_login_code()
        return code

    tells = False  # the mail only tells what has happened

    def send_mail(self, template_prefix: str, email: str, context: dict[str, object]) -> None:
        """Send it while somebody waits. Raises NotSent if it fails at once; staff hear of it if it is
        theirs to mend. The page for the code says whether it has left."""
        users = User.objects.filter(emailaddress__email=email, last_login__isnull=False)
        known = users.only("language").first()
        if isinstance(code := context.get("code"), StoredCode):
            context = {**context, "code": code.mailed}
        context = {"first_time": known is None, **context}
        composed = mail.compose(template_prefix, [email], context, known.language if known else "")
        if self.tells:
            account_mails.tell(composed)
            return
        mail_limits.take(self.request, email)
        try:
            code_mail.remember(self.request, email, account_mails.send_code(composed))
        except mail.NotSent:
            mail_limits.was_not_sent(self.request, email)
            raise

    def send_notification_mail(self, template_prefix: str, *args: object, **kwargs: object) -> None:
        """What the mail tells has happened already, so the page does not depend on it.

        Ours to an address that was replaced can undo it (former_addresses.py).
        """
        if template_prefix == "account/email/email_changed":
            return
        self.tells = True
        super().send_notification_mail(template_prefix, *args, **kwargs)
        self.tells = False

    def pre_authenticate(self, request: HttpRequest, **credentials: str) -> None:
        """Count a password before it is compared, in the place of allauth's limits."""
        if refused := take_each(self._password_limits(request, credentials)):
            note_refusal(request, refused)
            said = gettext("Too many tries. %(wait)s You can also sign in with a code.")
            text = said % {"wait": wait(refused.seconds_left())}
            raise ValidationError(text, code="too_many_login_attempts")

    def authenticate(self, request: HttpRequest, **credentials: str) -> User | None:
        user: User | None = super().authenticate(request, **credentials)
        if user:
            give_back(self._password_limits(request, credentials))
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: str) -> None:
        email = credentials.get("email", "")
        user = User.objects.filter(emailaddress__email=email).first()
        security_log.record(SecurityEvent.Kind.WRONG_PASSWORD, request, user=user)

    def _password_limits(self, request: HttpRequest, credentials: dict[str, str]) -> list[Limit]:
        whose = credentials.get("email") or str(request.user.pk)
        return limits_for(request, WRONG_PASSWORDS, whose)


WAYS = {  # to answer “Is it still you?”, by allauth's id
    "reauthenticate": gettext_lazy("Use your password"),
    "mfa_reauthenticate": gettext_lazy("Use the authenticator app or a recovery code"),
    "mfa_reauthenticate:webauthn": gettext_lazy("Use the passkey"),
}


class EmailForm(RequestLoginCodeForm):  # type: ignore[misc]  # allauth has no types
    """The form that asks for the address. A browser gets at most one code for it in ten seconds."""

    email = EmailField(
        widget=forms.EmailInput(
            attrs={"autocomplete": "email", "spellcheck": "false", "autofocus": True}
        )
    )
    address = ""  # what was entered, once it is known to be an address

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        self.address = email
        if seconds_to_wait(context.request, email):
            raise ValidationError(gettext("Too many tries."), code=codes.TOO_MANY)
        found: str = super().clean_email()
        if not mail_limits.brake(context.request, email).take():
            raise ValidationError(gettext("We have just sent a code."), code=JUST_SENT)
        return found


def is_limited(form: EmailForm) -> bool:
    """Whether a limit refuses the code: the page of limits says for how long."""
    return any(
        form.has_error("email", code) for code in (codes.TOO_MANY, "too_many_login_attempts")
    )


def seconds_to_wait(request: HttpRequest, email: str) -> int:
    """Seconds until a code for this address may be asked for again, and would be of use."""
    return max(codes.seconds_to_wait(request, email), mail_limits.seconds_to_wait(request, email))


class CodeForm(SixDigitsMixin, ConfirmLoginCodeForm):  # type: ignore[misc]
    """The form that asks for the six-digit code."""


class AllowsPendingCode:
    """Mixin for views that stay usable while a code or a second step is pending: in another tab, for
    another address."""

    def _redirect_to_pending_stage(
        self, request: HttpRequest, stage: LoginStage
    ) -> HttpResponse | None:
        if stage.key in {LoginByCodeStage.key, EmailVerificationStage.key, AuthenticateStage.key}:
            return None
        response: HttpResponse | None = super()._redirect_to_pending_stage(request, stage)  # type: ignore[misc]
        return response


class RequestCodeView(SaysUnsentMail, AllowsPendingCode, RequestLoginCodeView):  # type: ignore[misc]
    """Asks for the address and sends the code."""

    template_name = "account/login.html"
    form_class = EmailForm
    created: User | None = None  # by this request
    address = ""

    def form_valid(self, form: EmailForm) -> HttpResponse:
        self.address = form.address
        known: User | None = form._user
        form._user = get_or_create_user(self.request, form)
        self.created = None if known else form._user
        if target := self.get_next_url():
            self.request.session[NEXT] = target
        response: HttpResponse = super().form_valid(form)
        return response

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        details: dict[str, object] = super().get_context_data(**kwargs)
        return {"why_signed_out": sessions.why_signed_out(self.request), **details}

    def after_unsent(self, error: NotSent) -> None:
        """Nobody can ever sign in with a refused address that is new. (A user whose mail did not leave for
        another reason stays: somebody may have got a code for the same address at the same moment.)"""
        mail_limits.brake(self.request, self.address).give_back()
        if isinstance(error, AddressRefused | TooManyMails) and self.created:
            unused = User.objects.filter(pk=self.created.pk, last_login=None, memberships=None)
            unused.delete()

    def form_invalid(self, form: EmailForm) -> HttpResponse:
        if form.has_error("email", JUST_SENT):
            return self.just_sent(form.address)
        if form.has_error("email", codes.TOO_MANY):
            return too_many_requests(self.request, seconds_to_wait(self.request, form.address))
        if form.has_error("email", "too_many_login_attempts"):
            return too_many_requests(self.request)
        response: HttpResponse = super().form_invalid(form)
        return response

    def just_sent(self, email: str) -> HttpResponse:
        """Redirect to the code page if this browser asked for the code; else show the form again."""
        if pending_address(self.request) == email:
            code_mail.say_just_sent(self.request, email)
            return redirect(self.passthrough_next_url(reverse("account_confirm_login_code")))
        form = self.form_class(initial={"email": email})
        details = self.get_context_data(form=form, just_sent=True)
        page: HttpResponse = self.render_to_response(details)
        return page


class CodeView(ShowsCodeMail, CodePageMixin, ConfirmLoginCodeView):  # type: ignore[misc]
    """Checks the code."""

    kind = SIGN_IN
    template_name = "account/code.html"
    form_class = CodeForm

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        details: dict[str, object] = super().get_context_data(**kwargs)
        if invitation := self.invitation:
            self.template_name = "account/code_invited.html"
            details |= {"email": joining.masked(invitation.email), "invitation": invitation}
        return details

    @property
    def invitation(self) -> Invitation | None:
        """Whose button has asked for this code."""
        return joining.wanted_by(self.request, self.guesses.email)

    def new_code(self) -> dict[str, str]:
        if invitation := self.invitation:
            page = invitation.get_absolute_url()
            return {"action": page, "email": joining.masked(invitation.email)}
        return {
            "action": reverse("account_login"),
            "go_next": next_path(self.request),
            "back_url": with_next("account_login", self.request),
            "back_label": gettext("Use another address"),
        }


class PasswordView(SaysUnsentMail, AllowsPendingCode, LoginView):  # type: ignore[misc]
    """Sign-in with a password, for users who have set one. An unverified address is mailed a code first."""

    template_name = "account/login_password.html"
    address_field = "login"


class PasskeyView(AllowsPendingCode, LoginWebAuthnView):  # type: ignore[misc]
    """Sign-in with a passkey, also by somebody who has asked for a code before."""


request_code = RequestCodeView.as_view()
enter_code = CodeView.as_view()
password = PasswordView.as_view()
passkey = PasskeyView.as_view()


@never_cache
def sign_up(request: HttpRequest) -> HttpResponseBase:
    """Redirect to the sign-in page: its form also signs up."""
    return redirect(with_next("account_login", request))


@never_cache
def code_expired(request: HttpRequest) -> HttpResponseBase:
    """Redirect to the sign-in page. allauth sends browsers here whose code has expired or was used."""
    if request.user.is_authenticated:  # the button was pressed twice, and the first press did it
        return redirect(with_next("account_login", request))
    if LoginStageController.enter(request, AuthenticateStage.key):  # the same, with a second step
        return redirect("mfa_authenticate")
    if invitation := joining.wanted(request):
        return redirect(invitation)
    text = gettext("That code no longer works. Enter your address to get a new one.")
    messages.info(request, text)
    return redirect(with_next("account_login", request))


def get_or_create_user(request: HttpRequest, form: EmailForm) -> User | None:
    """The user of this address, created if it is new; None if the account was closed."""
    email: str = form.cleaned_data["email"]
    user: User | None = form._user
    if user:
        EmailAddress.objects.get_or_create(user=user, email=email)
        return user
    closed = User.objects.filter(email=email) | User.objects.filter(emailaddress__email=email)
    if closed.exists():
        return None
    try:
        return create_user(request, form)
    except IntegrityError:  # the same address was sent twice at once
        return User.objects.get(email=email)


def create_user(request: HttpRequest, form: EmailForm) -> User:
    """A new user with an unverified address, created as in allauth's own sign-up."""
    adapter = get_adapter()
    with transaction.atomic():
        user: User = adapter.save_user(request, adapter.new_user(request), form)
        setup_user_email(request, user, [])
    signals.user_signed_up.send(sender=User, request=request, user=user)
    return user


def pending_address(request: HttpRequest) -> str:
    """The address whose code this browser is asked for; empty if no code that works is pending."""
    stage = LoginStageController.enter(request, LoginByCodeStage.key)
    if not stage or codes.Guesses(request, SIGN_IN, stage.state).are_used_up():
        return ""
    return str(stage.state.get("email", ""))


def with_next(name: str, request: HttpRequest) -> str:
    """The URL of that name, with the `next` parameter of this request."""
    target = next_path(request)
    return f"{reverse(name)}?{urlencode({'next': target})}" if target else reverse(name)

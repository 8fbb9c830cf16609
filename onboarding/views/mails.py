"""Which mails a person gets, in which language and time zone: their own page, and the one behind the link
of a mail, which needs no sign-in."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from onboarding import moments
from onboarding.local_paths import next_path
from onboarding.methods import require_post, require_read_or_post
from onboarding.models import MailGroup, User
from onboarding.notifications import choices, refused_addresses
from onboarding.questions import form_data
from onboarding.views.access import Request, signed_in
from onboarding.views.forms import MailsForm
from onboarding.views.vendor_trip.leaving import SeeOther

ONE_CLICK = "List-Unsubscribe"  # the field that mail programs send (RFC 8058)
STOP = "stop"  # the button that switches off the group that the mail belongs to
NONE = "none"  # the button that switches all groups off, for every business


@require_read_or_post
@signed_in
def own(request: Request) -> HttpResponse:
    user, proposed = request.user, request.COOKIES.get(moments.COOKIE, "")
    form = MailsForm(form_data(request), user, user.businesses, proposed)
    if _save(request, user, form):
        messages.success(request, gettext("Saved."))
        return SeeOther(reverse("own-mails"))
    return render(request, "account/mails.html", {"form": form})


@require_post
@signed_in
def works_again(request: Request) -> HttpResponse:
    """The button of somebody whose address was refused: we mail it again."""
    user = request.user
    refused_addresses.works_again(user, user.email)
    said = gettext("Thank you. We email %(email)s again.")
    messages.success(request, said % {"email": user.email})
    return SeeOther(next_path(request) or reverse("own-mails"))


@require_read_or_post
@never_cache
@csrf_exempt  # the key is what counts, and no cookie: who knows it needs no form of ours, nobody else has it
def by_link(request: HttpRequest) -> HttpResponse:
    """The same without a sign-in: whoever has the mail may change what its reader gets, and nothing else.

    A mail is forwarded to colleagues and accountants, so the page names no more than the mail did: the
    address is masked, and of the businesses only that of the mail is there. What else can be seen and
    changed, language and time zone, opens nothing and is of use to nobody else.
    """
    key = request.GET.get("key") or request.POST.get("key", "")
    found = choices.read(key)
    if found is None:
        return _page(request, {"state": "unknown"}, 404)
    user, merchant, group = found
    if request.POST.get(ONE_CLICK) == "One-Click":
        choices.stop(user, merchant, [group] if group else MailGroup.values)
        return HttpResponse(content_type="text/plain")
    theirs = [merchant] if merchant and merchant.members.filter(pk=user.pk).exists() else []
    form = MailsForm(form_data(request), user, theirs)
    details: dict[str, object] = {
        "form": form,
        "key": key,
        "email": masked(user.email),
        "has_language_field": True,
        "group": _label(group),
    }
    if STOP in request.POST:
        choices.stop(user, merchant, [group] if group else MailGroup.values)
    saved = STOP in request.POST or _save(request, user, form)
    if saved:
        details["form"] = MailsForm(None, user, theirs)
    with translation.override(user.language or translation.get_language()):
        return _page(request, {"state": "saved" if saved else "", **details})


def _page(request: HttpRequest, details: Mapping[str, object], status: int = 200) -> HttpResponse:
    page = render(request, "account/mails_by_link.html", details, status=status)
    page["Referrer-Policy"] = "no-referrer"  # the address of this page has the key
    return page


def _save(request: HttpRequest, user: User, form: MailsForm) -> bool:
    """Whether a form was sent, and is saved."""
    if request.method != "POST" or not form.is_valid():
        return False
    if NONE in request.POST:
        choices.stop(user, None)
        return True
    choices.want(user, form.groups)
    data = form.cleaned_data
    chosen = bool(data["time_zone"])
    user.language, user.time_zone, user.time_zone_chosen = (
        data["language"],
        data["time_zone"],
        chosen,
    )
    user.save(update_fields=["language", "time_zone", "time_zone_chosen"])
    return True


def _label(group: str) -> str:
    return str(MailGroup(group).label) if group in MailGroup.values else ""


def masked(email: str) -> str:
    """An address that its owner recognises, and nobody learns: “a…@example.org”."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}…@{domain}"

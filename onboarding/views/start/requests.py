"""Asking for a shop system that is not offered: its name, an email address, and one mail when it is."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext

from onboarding.catalogue import any_shop, cards, requests
from onboarding.methods import require_read_or_post
from onboarding.models import User
from onboarding.people import limits
from onboarding.people.askers import REQUESTS, limits_for
from onboarding.questions import form_data
from onboarding.views.forms import AskForm


@require_read_or_post
def ask(request: HttpRequest) -> HttpResponse:
    """The form. What is offered already is not asked for: the form leads there."""
    user = request.user if isinstance(request.user, User) else None
    name = any_shop.typed(request.GET.get("name", ""))
    initial = {"name": name, "email": user.email if user else ""}
    form = AskForm(form_data(request), initial)
    card = cards.load().called(form["name"].value() or "")
    if card and request.method == "POST":
        return redirect("platform", platform=card.platform)
    if form.is_valid():
        return _asked(request, form, user)
    context = {"form": form, "card": card, "name": name, "asked": requests.count(name)}
    return render(request, "onboarding/ask.html", context)


def _asked(request: HttpRequest, form: AskForm, user: User | None) -> HttpResponse:
    """The same answer to whoever asks again: it tells nobody which addresses have asked."""
    name, email = form.cleaned_data["name"], form.cleaned_data["email"]
    if refused := limits.take_each(limits_for(request, REQUESTS, email)):
        limits.note_refusal(request, refused)
        return limits.too_many_requests(request)
    requests.ask(name, email, form.cleaned_data["country"], user)
    messages.success(request, _thanks(name, requests.count(name) - 1))
    return redirect("catalogue")


def _thanks(name: str, others: int) -> str:
    if others < 1:
        text = gettext("We’ll email you when you can connect “%(name)s”. You are the first to ask.")
    else:
        text = ngettext(
            "We’ll email you when you can connect “%(name)s”. %(others)d other person has asked, too.",
            "We’ll email you when you can connect “%(name)s”. %(others)d other people have asked, too.",
            others,
        )
    return text % {"name": name, "others": others}

"""The page of all browsers in which somebody is signed in; each can be signed out there."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext, ngettext

from onboarding.methods import require_read_or_post
from onboarding.people import sessions
from onboarding.views.access import Request, signed_in


@require_read_or_post
@signed_in
def sessions_page(request: Request) -> HttpResponse:
    """A POST ends one session (`session`, its id) or all others (`others`)."""
    if request.method != "POST":
        rows = [sessions.in_words(request, each) for each in sessions.sessions_of(request.user)]
        rows.sort(key=lambda row: not row.is_this)
        return render(request, "account/sessions.html", {"sessions": rows})
    if "others" in request.POST:
        count = sessions.end_others(request, "by themselves")
    else:
        count = sessions.end_one(request.user, request.POST.get("session", ""), request)
    messages.success(request, _said(count))
    return redirect("sessions")


def _said(count: int) -> str:
    if not count:
        return gettext("You are not signed in anywhere else.")
    return ngettext(
        "Signed out of one other browser.", "Signed out of %(count)d other browsers.", count
    ) % {"count": count}

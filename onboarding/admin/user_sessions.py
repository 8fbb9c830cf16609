"""The sessions of a user, on the user's page; staff end one of them or all."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext

from onboarding.methods import require_post
from onboarding.models import User
from onboarding.people import sessions

from .base import BaseAdmin
from .tables import LISTED, NOTHING, Table, moment

FORM = "gw-end-sessions"  # the id of the form that the buttons send: a form cannot be within a form


class UserSessionsAdmin(BaseAdmin):
    """The user's page, with the sessions that live."""

    change_form_template = "admin/onboarding/user/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_post(self.sessions_view))
        route = "<path:object_id>/sessions/"
        return [path(route, view, name="onboarding_user_sessions"), *super().get_urls()]

    def page_context(self, request: HttpRequest, user: User) -> dict[str, object]:
        may_end = self.has_change_permission(request, user)
        table = sessions_table(request, user, may_end=may_end)
        shown = {"tables": [table], "may_end": may_end and bool(table.rows), "end_form": FORM}
        return {**super().page_context(request, user), **shown}

    def sessions_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ends the session with the id in `session`, or all."""
        user = self.object_to_act_on(request, object_id)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        if "session" in request.POST:
            count = sessions.end_one(user, request.POST["session"], request)
        else:
            count = sessions.end_all(user, "by staff", request)
        self.message_user(request, _said(count), messages.SUCCESS)
        return redirect("admin:onboarding_user_change", user.pk)


def _said(count: int) -> str:
    if not count:
        return gettext("This session has ended already.")
    return ngettext("One session has ended.", "%(count)d sessions have ended.", count) % {
        "count": count
    }


def sessions_table(request: HttpRequest, user: User, *, may_end: bool) -> Table:
    """The one used last first."""
    rows = [sessions.in_words(request, each) for each in sessions.sessions_of(user)]
    return Table(
        id="gw-sessions",
        title=gettext("Signed in"),
        columns=(
            gettext("Browser"),
            gettext("Signed in"),
            gettext("With"),
            gettext("Last seen"),
            gettext("IP address"),
            *([gettext("End")] if may_end else []),
        ),
        rows=[
            (
                row.browser,
                moment(row.signed_in_at),
                row.method or NOTHING,
                moment(row.last_seen_at),
                row.address or NOTHING,
                *([_button(row)] if may_end else []),
            )
            for row in rows[:LISTED]
        ],
        empty=gettext("Not signed in anywhere."),
        more=max(len(rows) - LISTED, 0),
    )


def _button(row: sessions.SessionInWords) -> str:
    return format_html(
        '<button type="submit" class="gw-button" form="{}" name="session" value="{}">{}'
        '<span class="visually-hidden"> {}</span></button>',
        FORM,
        row.id,
        gettext("End"),
        row.browser,
    )

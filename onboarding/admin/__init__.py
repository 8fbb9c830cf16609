"""The staff's pages: they read where things stand and act through buttons, and type no status.

    lists.py        what keeps a list fast with a million rows: search, filters, a capped count
    rows.py         what the pages show of accounts, connections and attempts, in plain words
    connections.py  connections, "ask the vendor now", tasks     attempts.py  attempts
    accounts.py     accounts, and the two buttons for a creation whose answer was lost
    desk.py         what a vendor offers to have done     knowledge.py  what only staff know
    merchants.py    merchants and users        connectors.py  the catalogue        alerts.py  alerts
    standbys.py     who waits to hear that a vendor is back  traffic.py    calls to vendors, their hosts

What is encrypted at rest (memos, answers, reveal, links) is not even read here, but for the page on
which staff enter what only they know: it says whether there is something.
"""

from __future__ import annotations

from typing import Any

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401  (both register what is taken out below)
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy

from . import accounts, alerts, attempts, connections, connectors, merchants, waitlist

__all__ = [
    "accounts",
    "alerts",
    "attempts",
    "connections",
    "connectors",
    "login",
    "merchants",
    "waitlist",
]


def login(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """The way in is the site's own sign-in, with its limits; a merchant's user reads why not."""
    if request.user.is_authenticated and not admin.site.has_permission(request):
        return render(request, "admin/not_staff.html", {"title": not_staff}, status=403)
    response: HttpResponse = _through_sign_in(request)
    return response


def _home(request: HttpRequest) -> HttpResponse:
    return redirect("admin:index")


_through_sign_in = secure_admin_login(_home)
not_staff = gettext_lazy("This address is not one of our staff’s")

admin.site.login = login  # type: ignore[method-assign]
admin.site.site_title = gettext_lazy("Staff")
admin.site.enable_nav_sidebar = False  # lists are wide; the way around stands in the header
admin.site.index_title = gettext_lazy("Staff’s pages")
admin.site.unregister([EmailAddress, Authenticator])

"""The admin: staff's pages, which show the status and the facts, and act through buttons.

    base.py               base classes of all pages       changelist.py  paginator, search, filters
    tables.py             tables, timelines, cells        columns.py     columns that models share
    accounts.py           accounts                        unsure.py      creations with a lost answer
    attempts.py           attempts                        connections.py connections, tasks, asking now
    vendor_actions.py     actions on accounts and connections
    vendor_page.py        a vendor's page, actions on vendors and connectors
    staff_answers.py      answers to a vendor's questions about an account
    connectors.py         the catalogue                   connector_options.py  options of a connector
    calls.py              calls to vendors, their hosts   inventory.py   what a vendor lists as ours
    merchants.py          merchants and users             waitlist.py    who is waiting for a vendor
    user_sessions.py      a user's sessions               alerts.py      alerts
    security_events.py    the security log                rights.py      export, erasing, what to ask vendors
    permission_changes.py changes of rights by staff, for the security log
    requests.py           shop systems that people asked for
    second_steps.py       second steps of users           mail_log.py    the mail log, refused addresses
    labels.py             names of rows and columns

Nobody edits a status. Columns that are encrypted at rest (memos, answers, reveal, links) are not loaded,
except on the page where staff enter answers, which shows whether a secret is on file.
"""

from __future__ import annotations

from typing import Any

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401  (both register what is unregistered below)
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy

from onboarding.models import SecurityEvent
from onboarding.monitoring.security_log import record

from . import (
    accounts,
    alerts,
    attempts,
    calls,
    connections,
    connectors,
    labels,
    mail_log,
    merchants,
    permission_changes,
    requests,
    rights,
    security_events,
    waitlist,
)
from .base import BaseAdmin, TolerantAdmin

__all__ = [
    "accounts",
    "alerts",
    "attempts",
    "calls",
    "connections",
    "connectors",
    "login",
    "mail_log",
    "merchants",
    "requests",
    "rights",
    "security_events",
    "waitlist",
]


def login(request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
    """Staff sign in on the site's own form, with its rate limits. Other users get a 403 that says why."""
    if request.user.is_authenticated and not admin.site.has_permission(request):
        return render(request, "admin/not_staff.html", {"title": not_staff}, status=403)
    response: HttpResponse = _through_sign_in(request)
    return response


def _home(request: HttpRequest) -> HttpResponse:
    return redirect("admin:index")


_through_sign_in = secure_admin_login(_home)
not_staff = gettext_lazy("This account is not a staff account")

admin.site.login = login  # type: ignore[method-assign]
admin.site.site_title = gettext_lazy("Staff")
admin.site.enable_nav_sidebar = False  # lists are wide; the header has the navigation
admin.site.index_title = gettext_lazy("Staff pages")
admin.site.unregister([EmailAddress, Authenticator, Group])


@admin.register(Group)
class GroupsAdmin(TolerantAdmin, GroupAdmin):  # type: ignore[misc]  # their stubs differ
    """Django's own pages of groups."""

    formfield_overrides = BaseAdmin.formfield_overrides

    def save_related(  # Any: Django's signature
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        permission_changes.record_group(request, form)

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        super().delete_model(request, obj)
        record(SecurityEvent.Kind.STAFF_CHANGED, request, detail="a group was deleted")


labels.translate(apps.get_app_config("onboarding").get_models())

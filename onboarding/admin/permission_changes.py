"""What staff change about people's rights, for the security log."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest

from onboarding.models import Membership, SecurityEvent, User
from onboarding.monitoring.security_log import record

Kind = SecurityEvent.Kind
RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


def record_user(request: HttpRequest, user: User, form: ModelForm[User]) -> None:
    """The rights of staff, and whether somebody may sign in at all."""
    new = {name: form.cleaned_data[name] for name in form.changed_data if name in RIGHTS}
    if new:
        record(Kind.STAFF_CHANGED, request, user=user, detail=_words(new))
    if "is_active" in form.changed_data:
        active = "may sign in" if user.is_active else "may no longer sign in"
        record(Kind.ACTIVE_CHANGED, request, user=user, detail=active)


def _words(new: dict[str, object]) -> str:
    """“is_staff: yes, groups: 2”"""
    return ", ".join(f"{name}: {_value(value)}" for name, value in new.items())


def _value(value: object) -> str:
    if isinstance(value, QuerySet):  # groups or permissions
        return str(value.count())
    return "yes" if value else "no"


def record_group(request: HttpRequest, form: ModelForm[Group]) -> None:
    """The permissions of a group are those of everybody in it."""
    if "permissions" in form.changed_data:
        number = form.cleaned_data["permissions"].count()
        detail = f"permissions of the group {form.instance.pk}: {number}"
        record(Kind.STAFF_CHANGED, request, detail=detail)


# Any: the formset of whatever model Django's signature names
def record_members(request: HttpRequest, formset: BaseModelFormSet[Any, Any]) -> None:
    """Members whom staff have added, removed, or given another role."""
    added = [(Kind.JOINED, row, f"as {row.role}") for row in formset.new_objects]
    changed = [(Kind.ROLE_CHANGED, row, f"{row.role} now") for row, _ in formset.changed_objects]
    removed = [(Kind.MEMBER_REMOVED, row, "") for row in formset.deleted_objects]
    for kind, member, detail in (*added, *changed, *removed):
        if isinstance(member, Membership):
            record(kind, request, user=member.user, merchant=member.merchant, detail=detail)

"""Staff in the admin: signed-in clients and the pages they open."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from onboarding.management.commands.staff import make_staff
from onboarding.models import User


def staff_client(email: str = "erin@example.org") -> Client:
    """A browser in which a member of staff who may do everything is signed in."""
    client = Client()
    client.force_login(make_staff(email))
    return client


def limited_client(*permissions: str) -> Client:
    """A client of a member of staff with only these permissions: `limited_client("view_account")`."""
    user = User.objects.create_user("frank@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def page(row: Any, what: str = "change") -> str:
    return reverse(f"admin:onboarding_{row._meta.model_name}_{what}", args=[row.pk])


def listed(model: str) -> str:
    return reverse(f"admin:onboarding_{model}_changelist")


def every_page() -> list[str]:
    """Every page of the admin that a GET opens, for every row."""
    found = [reverse("admin:index"), reverse("admin:app_list", args=["onboarding"])]
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found += [reverse(f"{name}_changelist"), reverse(f"{name}_add")]
        for row in model._default_manager.all():
            found += [reverse(f"{name}_{each}", args=[row.pk]) for each in PAGES]
    return found


PAGES = ("change", "history", "delete")


def page_text(response: Any) -> str:
    """The visible text of a page, with runs of blanks collapsed."""
    assert isinstance(response, HttpResponse)
    body = re.sub(r"<(script|style)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())

"""People's rights: exporting and erasing for somebody, and the tasks to ask vendors to delete."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, gettext_lazy

from onboarding.methods import require_post, require_read_or_post
from onboarding.models import ErasureTask, Merchant, User
from onboarding.questions import form_data
from onboarding.registry import vendor_name
from onboarding.rights import closing, download, erasure
from onboarding.rights.forms import CloseBusinessForm, HandOverForm

from .base import BaseAdmin, ReadOnlyAdmin, staff_user
from .changelist import AnyQuerySet, FixedFilter
from .tables import NOTHING, link, moment


class RightsAdmin(BaseAdmin):
    """Two more pages of a row: its export, a POST, and closing it, a form."""

    def get_urls(self) -> list[URLPattern]:
        views = {
            "export": require_post(self.export_view),
            "close": require_read_or_post(self.close_view),
        }
        urls = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{name}",
            )
            for name, view in views.items()
        ]
        return [*urls, *super().get_urls()]

    def export_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        raise NotImplementedError

    def close_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        raise NotImplementedError

    def to_row(self, row: User | Merchant) -> HttpResponse:
        return redirect(self.row_url(row))

    def row_url(self, row: User | Merchant) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])


class PersonRights(RightsAdmin):
    def _person(self, request: HttpRequest, object_id: str) -> User:
        """403 also for those who may not change this person, who has more rights than they."""
        user: User = self.object_to_act_on(request, object_id)
        if user.is_superuser and not staff_user(request).is_superuser:
            raise PermissionDenied
        return user

    def export_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        user = self._person(request, object_id)
        self.log_change(request, user, "Exported what is held about this person.")
        return download.of_person(request, user)

    def close_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Erase a person for them. The log of staff names nobody: the row has no name afterwards."""
        user = self._person(request, object_id)
        form = HandOverForm(erasure.plan(user), form_data(request))
        problem = ""
        if user.erased_at is None and form.is_valid():
            problem = self._erase(request, user, form)
            if not problem:
                return self.to_row(user)
        businesses = [each.merchant.name for each in erasure.plan(user)]
        explain = gettext(
            "Erases their name, addresses, passkeys and sessions. They leave: %(businesses)s. They get a"
            " receipt by email. This cannot be undone."
        ) % {"businesses": ", ".join(businesses) or NOTHING}
        context = {
            "title": gettext("Erase this person"),
            "explain": explain,
            "button": "" if user.erased_at else gettext("Erase"),
            "danger": True,
            "original": user,
            "vendor": user,
            "back": self.row_url(user),
            "problem": problem,
        }
        return self.render_form(request, form, context)

    def _erase(self, request: HttpRequest, user: User, form: HandOverForm) -> str:
        """What is in the way; "" when it is done."""
        try:
            receipt = erasure.erase(user, form.choices, request=request)
        except erasure.Busy:
            return gettext(
                "A vendor is being asked about one of their shops. Try again in a minute."
            )
        except erasure.ChoiceMissing:
            return gettext("The team has changed since you opened this page. Check it again.")
        if receipt:
            self.log_change(request, User.objects.get(pk=user.pk), "Erased.")
            self.message_user(request, gettext("The person is erased."), messages.SUCCESS)
        return ""

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, object]:  # Any: as its base
        context = super().page_context(request, row)
        return {**context, "may_act": self.may_act(request)}


class ClosingFilter(FixedFilter):
    title = gettext_lazy("closing")
    parameter_name = "closing"
    fixed_choices = (
        ("1", gettext_lazy("being closed")),
        ("2", gettext_lazy("closed")),
    )

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        match self.value():
            case "1":
                return queryset.filter(closing_since__isnull=False, closed_at=None)
            case "2":
                return queryset.exclude(closed_at=None)
        return queryset


class BusinessRights(RightsAdmin):
    @admin.display(description=gettext_lazy("closing"))
    def closing(self, merchant: Merchant) -> str:
        """How far the closing is."""
        if merchant.closing_since is None:
            return NOTHING
        if merchant.closed_at:
            return gettext("closed %(at)s") % {"at": moment(merchant.closed_at)}
        left = closing.progress(merchant)
        return gettext("closing (shops to disconnect: %(shops)s, tasks open: %(tasks)s)") % {
            "shops": left.shops,
            "tasks": left.tasks,
        }

    def export_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        merchant: Merchant = self.object_to_act_on(request, object_id)
        self.log_change(request, merchant, "Exported what is held about this business.")
        return download.of_business(request, merchant)

    def close_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        merchant: Merchant = self.object_to_act_on(request, object_id)
        form = CloseBusinessForm(merchant, form_data(request))
        if merchant.closing_since is None and form.is_valid():
            closing.begin(merchant, request=request)
            self.log_change(request, merchant, "Closed.")
            self.message_user(request, gettext("The business is being closed."), messages.SUCCESS)
            return self.to_row(merchant)
        explain = gettext(
            "Its members lose access at once and get an email. Its shops are disconnected; then you are"
            " asked to have the vendors delete what they hold, and the business is erased. This cannot be"
            " undone."
        )
        context = {
            "title": gettext("Close this business"),
            "explain": explain,
            "button": "" if merchant.closing_since else gettext("Close it"),
            "danger": True,
            "original": merchant,
            "vendor": merchant,
            "back": self.row_url(merchant),
        }
        return self.render_form(request, form, context)


class OpenFilter(FixedFilter):
    title = gettext_lazy("tasks")
    parameter_name = "open"
    fixed_choices = (("1", gettext_lazy("open tasks")),)

    def queryset(self, request: HttpRequest, queryset: AnyQuerySet) -> AnyQuerySet:
        return queryset.filter(done=None) if self.value() else queryset


@admin.register(ErasureTask)
class ErasureTaskAdmin(ReadOnlyAdmin):
    """What to ask vendors to delete."""

    list_display = ("text_or_done", "vendor_name", "merchant_link", "created", "done")
    list_filter = (OpenFilter,)
    list_select_related = ("merchant", "done_by", "user")
    fields = ("vendor_name", "merchant_link", "created", "done", "done_by")

    @admin.display(description=gettext_lazy("what to ask"))
    def text_or_done(self, task: ErasureTask) -> str:
        return task.text or gettext("Done: the text is erased.")

    @admin.display(description=gettext_lazy("vendor"))
    def vendor_name(self, task: ErasureTask) -> str:
        return vendor_name(task.vendor)

    @admin.display(description=gettext_lazy("merchant"))
    def merchant_link(self, task: ErasureTask) -> str:
        return link(task.merchant)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_post(self.done_view))
        url = path("<path:object_id>/done/", view, name="onboarding_erasuretask_done")
        return [url, *super().get_urls()]

    def done_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The button "The vendor was asked", a POST."""
        task: ErasureTask = self.object_to_act_on(request, object_id)
        if closing.complete_task(task, staff_user(request)):
            self.log_change(request, task, "Task done.")
            self.message_user(request, gettext("The task is done."), messages.SUCCESS)
        return redirect("admin:onboarding_erasuretask_change", task.pk)

    def page_context(self, request: HttpRequest, task: ErasureTask) -> dict[str, object]:
        return {"may_act": self.may_act(request)}

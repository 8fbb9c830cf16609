"""The mail log: which mail went to whom, when, and what became of it; and addresses that refuse mails."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin, messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy, ngettext

from onboarding.languages import NAMES
from onboarding.models import MailOutcome, MailRecord, RefusedAddress, User
from onboarding.notifications import refused_addresses, sent_again
from onboarding.notifications.kinds import KINDS, label_of
from onboarding.notifications.sent_again import CannotSendAgain

from .base import ReadOnlyAdmin
from .changelist import AnyQuerySet, FixedFilter, ids, merchants_like
from .security_events import PersonFilter
from .tables import NOTHING, exact_moment, link

MOST_AT_ONCE = 50  # mails


# Column headings are called “sent” and “refused”, too, which other languages do not say alike.
OUTCOMES = {
    MailOutcome.SENT: gettext_lazy("Sent"),
    MailOutcome.WAITING: gettext_lazy("Waiting for its next try"),
    MailOutcome.REFUSED: gettext_lazy("Refused"),
    MailOutcome.GIVEN_UP: gettext_lazy("Given up"),
    MailOutcome.NOT_WANTED: gettext_lazy("Not wanted any more"),
}


class KindFilter(FixedFilter):
    title = gettext_lazy("kind")
    parameter_name = "kind"
    fixed_choices = tuple((kind, row.label) for kind, row in KINDS.items())


class OutcomeFilter(FixedFilter):
    title = gettext_lazy("outcome")
    parameter_name = "outcome"
    fixed_choices = tuple((str(each), said) for each, said in OUTCOMES.items())


def mails_link(user: User) -> SafeString:
    """A link to the mails of a person."""
    page = reverse("admin:onboarding_mailrecord_changelist")
    return format_html('<a href="{}?user={}">{}</a>', page, user.pk, gettext("Emails"))


@admin.register(MailRecord)
class MailRecordAdmin(ReadOnlyAdmin):
    list_display = (
        *("asked_at", "to", "kind_of_mail", "language_of_mail", "what_became", "reason"),
        *("sent_at", "person", "business"),
    )
    list_display_links = ("asked_at",)
    list_filter = (KindFilter, OutcomeFilter, PersonFilter)
    list_select_related = ("user", "merchant")
    fields = (*list_display, "tries")
    readonly_fields = fields
    search_fields = ("to",)
    search_help_text = gettext_lazy("The start of an email address, or a merchant’s name.")
    actions = ("send_again", "bounced")

    def search_querysets(self, term: str) -> Iterable[AnyQuerySet]:
        people = ids(User.objects.filter(email__startswith=term.lower()))
        yield MailRecord.objects.filter(to__startswith=term.lower())
        yield MailRecord.objects.filter(user__in=people)
        if "@" not in term:  # otherwise it would find the mails of everybody in the person's teams
            yield MailRecord.objects.filter(merchant__in=merchants_like(term))

    @admin.display(description=gettext_lazy("asked for"))
    def asked_at(self, record: MailRecord) -> str:
        return exact_moment(record.asked)

    @admin.display(description=gettext_lazy("kind"))
    def kind_of_mail(self, record: MailRecord) -> str:
        return label_of(record.kind)

    @admin.display(description=gettext_lazy("language"))
    def language_of_mail(self, record: MailRecord) -> str:
        return NAMES.get(record.language, record.language) or NOTHING

    @admin.display(description=gettext_lazy("outcome"))
    def what_became(self, record: MailRecord) -> str:
        return str(OUTCOMES[MailOutcome(record.outcome)])

    @admin.display(description=gettext_lazy("sent"))
    def sent_at(self, record: MailRecord) -> str:
        return exact_moment(record.sent) if record.sent else NOTHING

    @admin.display(description=gettext_lazy("person"))
    def person(self, record: MailRecord) -> str:
        return link(record.user) if record.user else NOTHING

    @admin.display(description=gettext_lazy("business"))
    def business(self, record: MailRecord) -> str:
        return link(record.merchant) if record.merchant else NOTHING

    # -- actions ---------------------------------------------------------------------------------

    def has_act_permission(self, request: HttpRequest) -> bool:
        return self.may_act(request)

    @admin.action(description=gettext_lazy("Send again"), permissions=["act"])
    def send_again(self, request: HttpRequest, queryset: AnyQuerySet) -> None:
        """The sweep composes them anew. What cannot be composed is named, with its reason."""
        sent = 0
        for record in self._chosen(request, queryset):
            try:
                sent_again.send_again(record)
            except CannotSendAgain as error:
                self.message_user(
                    request, f"{label_of(record.kind)}, {record.to}: {error}", messages.WARNING
                )
            else:
                self.log_change(request, record, "Sent again.")
                sent += 1
        if sent:
            said = ngettext(
                "%(n)s email is sent again within a minute, if what it says is still true.",
                "%(n)s emails are sent again within a minute, if what they say is still true.",
                sent,
            )
            self.message_user(request, said % {"n": sent})

    @admin.action(description=gettext_lazy("Note that it bounced"), permissions=["act"])
    def bounced(self, request: HttpRequest, queryset: AnyQuerySet) -> None:
        """The mail provider has told that these addresses do not exist."""
        for record in self._chosen(request, queryset):
            known = refused_addresses.note(record.to, refused_addresses.BOUNCED)
            self.log_change(request, record, "Noted that it bounced.")
            if known:
                said = gettext(
                    "We no longer email %(email)s, and say so on the person’s next page."
                )
                level = messages.SUCCESS
            else:
                said = gettext("Nobody has confirmed %(email)s, so there is nothing to stop.")
                level = messages.WARNING
            self.message_user(request, said % {"email": record.to}, level)

    def _chosen(self, request: HttpRequest, queryset: AnyQuerySet) -> list[MailRecord]:
        records = list(MailRecord.objects.filter(pk__in=ids(queryset)[: MOST_AT_ONCE + 1]))
        if len(records) <= MOST_AT_ONCE:
            return records
        text = gettext("Choose at most %(most)s emails at once.") % {"most": MOST_AT_ONCE}
        self.message_user(request, text, messages.ERROR)
        return []


@admin.register(RefusedAddress)
class RefusedAddressAdmin(ReadOnlyAdmin):
    list_display = ("email", "person", "refused_at", "what_it_said")
    fields = list_display
    readonly_fields = fields
    list_select_related = ("user",)
    search_fields = ("email",)
    search_help_text = gettext_lazy("The start of an email address.")
    actions = ("works_again",)

    def search_querysets(self, term: str) -> Iterable[AnyQuerySet]:
        yield RefusedAddress.objects.filter(email__startswith=term.lower())

    @admin.display(description=gettext_lazy("person"))
    def person(self, row: RefusedAddress) -> str:
        return link(row.user)

    @admin.display(description=gettext_lazy("refused"))
    def refused_at(self, row: RefusedAddress) -> str:
        return exact_moment(row.at)

    @admin.display(description=gettext_lazy("answer"))
    def what_it_said(self, row: RefusedAddress) -> str:
        """The mail server's answer, or that there was none."""
        if row.answer == refused_addresses.BOUNCED:
            return gettext("It came back to us days later.")
        return row.answer or NOTHING

    def has_act_permission(self, request: HttpRequest) -> bool:
        return self.may_act(request)

    @admin.action(description=gettext_lazy("It works again"), permissions=["act"])
    def works_again(self, request: HttpRequest, queryset: AnyQuerySet) -> None:
        for row in RefusedAddress.objects.filter(pk__in=ids(queryset)).select_related("user"):
            refused_addresses.works_again(row.user, row.email)
            self.log_change(request, row.user, "An address works again.")
        self.message_user(request, gettext("We email these addresses again."))

"""The forms of merchants' pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext, gettext_lazy

from onboarding import journey, moments, registry
from onboarding.catalogue import any_shop, names
from onboarding.fields import EmailField, LineField, NameField, ShopAddressField
from onboarding.models import Connection, Connector, MailGroup, Membership, Merchant, User
from onboarding.notifications import choices
from onboarding.people import team
from onboarding.questions import FEW, Choices, QuestionsForm, StoredQuestion


def business_name_field(suggested: str = "") -> NameField:
    """The question for the name of a new business."""
    return NameField(
        label=gettext_lazy("What is your business called?"),
        help_text=gettext_lazy("As your colleagues know it. You can invite them later."),
        initial=suggested,
        max_length=200,
        error_messages={"required": gettext_lazy("Enter the name of your business.")},
        widget=forms.TextInput(attrs={"autocomplete": "organization", "autofocus": True}),
    )


def business_choice(merchants: Sequence[Merchant]) -> forms.ChoiceField:
    """The question which of the user's businesses is meant."""
    choose = gettext("Choose a business.")
    return forms.ChoiceField(
        label=gettext("Which business is it for?"),
        choices=[(each.reference, each.name) for each in merchants],
        widget=Choices if len(merchants) <= FEW else forms.Select,
        error_messages={"required": choose, "invalid_choice": choose},
    )


class BusinessForm(forms.Form):
    name = business_name_field()


class BusinessNameForm(forms.Form):
    name = NameField(
        label=gettext_lazy("Name of the business"),
        max_length=200,
        error_messages={"required": gettext_lazy("Enter the name of your business.")},
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )


class OwnNameForm(forms.Form):
    name = NameField(
        label=gettext_lazy("Your name"),
        help_text=gettext_lazy("Leave it empty to be shown by your email address."),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class MailsForm(forms.Form):
    """Language and time zone, and a box for each group of mails about each of these businesses.

    `proposed`: the time zone of the browser, while none is known.
    """

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        choices=settings.LANGUAGES,
        error_messages={"invalid_choice": gettext_lazy("Choose one of these languages.")},
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        help_text=gettext_lazy(
            "For the times in emails and on pages, and so that we don’t write at night."
        ),
        error_messages={"invalid_choice": gettext_lazy("Choose one of these time zones.")},
    )

    def __init__(
        self,
        data: QueryDict | None,
        user: User,
        businesses: Sequence[Merchant],
        proposed: str = "",
    ) -> None:
        zone = user.time_zone or (proposed if moments.zone_called(proposed) else "")
        known = dict(settings.LANGUAGES)
        language = user.language if user.language in known else translation.get_language()
        super().__init__(data, initial={"language": language, "time_zone": zone})
        self.businesses = {f"mails_{each.reference}": each for each in businesses}
        self.fields["time_zone"].choices = _zones(zone)  # type: ignore[attr-defined]
        for each, groups in choices.wanted(user, businesses).items():
            self.fields[f"mails_{each.reference}"] = _groups_field(each, groups)

    @property
    def groups(self) -> dict[Merchant, list[str]]:
        """The groups that were ticked, for each business."""
        return {each: self.cleaned_data[name] for name, each in self.businesses.items()}


def _groups_field(merchant: Merchant, groups: Sequence[str]) -> forms.Field:
    return forms.MultipleChoiceField(
        label=gettext("Emails about %(business)s") % {"business": merchant.name},
        choices=MailGroup.choices,
        initial=groups,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


def _zones(current: str) -> list[tuple[str, object]]:
    """Time zones by area, as a drop-down list shows them; also one that is no longer listed."""
    found: dict[str, list[tuple[str, str]]] = {}
    for key in dict.fromkeys([*moments.zones_to_choose(), *filter(None, [current])]):
        area, _, place = key.partition("/")
        found.setdefault(area if place else "", []).append((key, (place or area).replace("_", " ")))
    alone = [("", gettext("As in your browser")), *found.pop("", [])]
    return [*alone, *((area, places) for area, places in found.items())]


class AskForm(forms.Form):
    """Asking for a shop system that is not offered."""

    name = NameField(
        label=gettext_lazy("Which shop system do you use?"),
        max_length=any_shop.LONGEST,
        error_messages={"required": gettext_lazy("Enter the name of your shop system.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    email = EmailField()
    country = NameField(
        label=gettext_lazy("Country (optional)"),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "country-name"}),
    )

    def __init__(self, data: QueryDict | None, initial: Mapping[str, str]) -> None:
        super().__init__(data, initial=dict(initial))
        kept = gettext("We use it for this one email, and keep it for %(days)d days at most.")
        self.fields["email"].help_text = kept % {"days": settings.RETENTION_DAYS}

    def clean_name(self) -> str:
        """A name of signs alone could be compared with nothing."""
        name: str = self.cleaned_data["name"]
        if not names.key(name):
            raise forms.ValidationError(self.fields["name"].error_messages["required"])
        return name


class InviteForm(forms.Form):
    email = EmailField(
        help_text=gettext_lazy("They join with this address and no other."),
        error_messages={
            "required": gettext_lazy("Enter the email address of the person to invite."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("What may they do?"),
        choices=[
            (Membership.Role.MEMBER, gettext_lazy("Member: connects and repairs shops")),
            (
                Membership.Role.OWNER,
                gettext_lazy("Owner: also invites, removes people and disconnects shops"),
            ),
        ],
        initial=Membership.Role.MEMBER,
        widget=Choices,
        error_messages={"required": gettext_lazy("Choose what they may do.")},
    )

    def __init__(self, merchant: Merchant, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self.merchant = merchant

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if team.has_member(self.merchant, email):
            message = gettext("%(email)s is already in the team.")
            raise forms.ValidationError(message % {"email": email})
        return email


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Membership.Role)


class RightsForm(forms.Form):
    """A checkbox and its button: an unticked one takes the right."""

    may_see_secrets = forms.BooleanField(required=False)


class ActForm(QuestionsForm):
    """A merchant's action: the vendor's questions, and the choice of a connector.

    A single connector is not asked for, unless one was posted: if it is no longer offered, the form says so.
    """

    def __init__(
        self,
        questions: Sequence[StoredQuestion],
        connectors: Sequence[Connector],
        label: str,
        data: QueryDict | None = None,
    ) -> None:
        super().__init__(questions, data)
        self.connectors = {each.slug: each for each in connectors}
        if len(connectors) > 1 or (connectors and data and "connector" in data):
            self.fields["connector"] = _connector_field(connectors, label)

    @property
    def chosen(self) -> Connector | None:
        return self.connectors.get(self.cleaned_data.get("connector", ""))


ADDRESS = gettext_lazy("Address of your shop (optional)")
ADDRESS_HELP = gettext_lazy(
    "Such as shop.example.com. It tells your shops apart, and we check that the right one is connected."
)


class ShopForm(QuestionsForm):
    """The vendor's questions about a new shop, its address, and its name.

    `business` is asked first while it is open for which business it is. `free_name` is what the shop is
    called without a name. A vendor that tells the address itself (`tells_address`) is not asked for it.
    """

    name = LineField(
        label=gettext_lazy("Name of this shop"),
        help_text=gettext_lazy("Only you and your colleagues see it. It tells your shops apart."),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    address = ShopAddressField(label=ADDRESS, required=False, help_text=ADDRESS_HELP)

    def __init__(
        self,
        questions: Sequence[StoredQuestion],
        data: QueryDict | None = None,
        initial: Mapping[str, object] | None = None,
        *,
        business: forms.Field | None = None,
        free_name: str = "",
        asks_address: bool = True,
    ) -> None:
        super().__init__(questions, data, initial)
        if not asks_address:
            del self.fields["address"]
        if free_name:
            said = gettext(
                "Only you and your colleagues see it. Without one, we call it “%(name)s”."
            )
            self.fields["name"].help_text = said % {"name": free_name}
        if business:
            self.fields["business"] = business
            self.order_fields(["business"])

    @property
    def system(self) -> str:
        """Which shop system it is, where that is asked; "" for none."""
        return self.answers.get(any_shop.QUESTION.key, "")

    @property
    def shop_address(self) -> str:
        """The address that was entered; "" for none."""
        return str(self.cleaned_data.get("address", ""))


class NameForm(forms.Form):
    name = LineField(
        label=gettext_lazy("Name of this shop"),
        max_length=journey.LONGEST_NAME,
        error_messages={"required": gettext_lazy("Give this shop a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class NameAndAddressForm(NameForm):
    """How a shop is called, and where it is on the web, as its merchant says."""

    address = ShopAddressField(
        label=ADDRESS, required=False, help_text=gettext_lazy("Such as shop.example.com.")
    )

    def __init__(self, data: QueryDict | None, connection: Connection) -> None:
        initial = {"name": connection.name, "address": connection.address}
        super().__init__(data, initial=initial)
        vendor = registry.vendor_of(connection.vendor)
        if vendor and vendor.tells_address:
            del self.fields["address"]


def taken(name: str) -> str:
    """The error for a name that another shop of the merchant has."""
    message = gettext("You already have a shop called “%(name)s”. Choose another name.")
    return message % {"name": name}


def _connector_field(connectors: Sequence[Connector], label: str) -> forms.Field:
    """A choice of connectors; the first is the one that the shop has now."""
    now = gettext("%(connector)s (current)") % {"connector": connectors[0]}
    others = [(each.slug, str(each)) for each in connectors[1:]]
    return forms.ChoiceField(
        choices=[(connectors[0].slug, now), *others],
        initial=connectors[0].slug,
        label=label,
        widget=Choices if len(connectors) <= FEW else forms.Select,
        error_messages={
            "required": gettext("Choose one of these."),
            "invalid_choice": gettext("This is no longer offered. Choose one of these."),
        },
    )

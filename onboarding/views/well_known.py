"""What browsers, crawlers and researchers look for at fixed addresses of any site.

`/favicon.ico`, `/robots.txt`, `/.well-known/change-password` and `/.well-known/security.txt` (RFC 9116); and
`/.well-known/gangway-receipt-keys.json`, for whoever verifies a receipt.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control

from onboarding import clock
from onboarding.consent import signing
from onboarding.methods import require_read
from onboarding.models import User

TEXT = "text/plain; charset=utf-8"
# Pages of one visitor, and pages that lead to them. The start page and the catalogue are for everybody.
PRIVATE = ("accounts", "admin", "demo", "go", "invitations", "m", "return", "shops", "welcome")
PUBLIC = ("/accounts/login/$",)  # the sign-in itself is for everybody, too
VALID_FOR = timedelta(days=180)  # RFC 9116 recommends less than a year


@require_read
@cache_control(max_age=86400)
def favicon(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(static("icons/favicon.svg"))


@require_read
@cache_control(max_age=86400)
def nothing_here(request: HttpRequest) -> HttpResponse:
    """Something that is looked for everywhere, such as phones' icons: a 404 that no log need warn of."""
    return _nothing()


def _nothing() -> HttpResponse:
    response = HttpResponse(status=404)
    response._has_been_logged = True  # type: ignore[attr-defined]  # as Django marks it
    return response


@require_read
@cache_control(max_age=86400)
def robots(request: HttpRequest) -> HttpResponse:
    allowed = [f"Allow: {path}" for path in PUBLIC]
    lines = ["User-agent: *", *allowed, *(f"Disallow: /{name}/" for name in PRIVATE)]
    return HttpResponse("\n".join([*lines, ""]), content_type=TEXT)


@require_read
def change_password(request: HttpRequest) -> HttpResponse:
    """Where a password manager sends people who want another password."""
    user = request.user
    has_none = isinstance(user, User) and not user.has_usable_password()
    name = "account_set_password" if has_none else "account_change_password"
    return HttpResponseRedirect(reverse(name))


@require_read
@cache_control(max_age=86400)
def security(request: HttpRequest) -> HttpResponse:
    """Whom to tell about a weakness: SECURITY_CONTACT, else SUPPORT_EMAIL; 404 without either."""
    contacts = settings.SECURITY_CONTACT
    if not contacts:
        return _nothing()
    expires = (clock.now() + VALID_FOR).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        *(f"Contact: {contact}" for contact in contacts),
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Canonical: {settings.SITE_URL}{reverse('security_txt')}",
        f"Preferred-Languages: {settings.LANGUAGE_CODE}",  # of who reads it, not of the pages
        "",
    ]
    return HttpResponse("\n".join(lines), content_type=TEXT)


@require_read
@cache_control(max_age=3600)
def receipt_keys(request: HttpRequest) -> HttpResponse:
    """The public keys of all receipts of this site, also of those that no longer sign."""
    return JsonResponse(signing.published())

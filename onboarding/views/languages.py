"""The choice of a language, at the foot of each page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from onboarding.languages import is_offered
from onboarding.local_paths import local_path, next_path
from onboarding.methods import require_post
from onboarding.people import language
from onboarding.views.vendor_trip.leaving import SeeOther

UP = 3  # a page that only a form opens belongs to one above it


@require_post
def choose(request: HttpRequest) -> HttpResponse:
    """Back to the page where it was chosen, in the new language."""
    response = SeeOther(_page(request))
    code = request.POST.get("language", "")
    if is_offered(code):
        language.choose(request, response, code)
    return response


def _page(request: HttpRequest) -> str:
    found, target = next_path(request), request.POST.get("next", "").partition("?")[0]
    for _ in range(UP):
        if found:
            break
        target = target.rstrip("/").rpartition("/")[0] + "/"
        found = local_path(target)
    return found or "/"

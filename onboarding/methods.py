"""Which methods a view takes: whatever answers GET answers HEAD, and a 405 names the allowed methods.

Django's decorators do not tell from outside what a view takes; these leave it in `allowed_methods`.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponseBase
from django.views.decorators.http import require_http_methods

View = Callable[..., HttpResponseBase]


def require_methods(*methods: str) -> Callable[[View], View]:
    """Only these methods; all others get a 405."""

    def decorator(view: View) -> View:
        guarded: View = require_http_methods(list(methods))(view)
        guarded.allowed_methods = frozenset(methods)  # type: ignore[attr-defined]
        return guarded

    return decorator


require_read = require_methods("GET", "HEAD")
require_read_or_post = require_methods("GET", "HEAD", "POST")
require_post = require_methods("POST")

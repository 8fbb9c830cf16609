"""What Capillary's answers stand for: the body decides, whatever the status says.

v3 answers `{"data": …, "errors": null | [{"code": number, "message": text}]}`; an error with code 0
and no message is none. The gateway answers `{"response": {"status": {"success", "code", "message"}}}`,
where `success` may be "true" beside the code "401". 201 means "one or more requests have failed".
Source: https://github.com/Capillary/api-documentation (source/index.html.md), and
docs.capillarytech.com, "Authorization Flows".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from vendors.http.api import Reply

T = TypeVar("T")

EXPIRED = 498  # a token
PARTLY = 207  # neither a success nor a clear failure: what a creation did has to be looked up
FAILED = 422
BAD_KEY = "320001"  # "Invalid client key and secret"; its status is not documented
DENIED = "4000"  # by an access group, for good
BUSY = ("461", "521", "4001")  # busy, concurrent actions, authorisation not available: nothing done
MEANS = {BAD_KEY: 401, DENIED: 403, **dict.fromkeys(BUSY, 429)}


class Envelope(Reply, Generic[T]):
    data: T


def meaning(status: int, body: Any) -> int:
    """The status that an answer stands for."""
    code = machine_code(status, body)
    if status in (408, 429):
        return status
    if (code or str(status)) in MEANS:
        return MEANS[code or str(status)]
    if not code or status >= 500:
        return status
    if code.isdecimal() and 400 <= int(code) < 600:
        return int(code)
    if status >= 400:
        return status
    return FAILED if body.get("data") is None else PARTLY


def machine_code(_status: int, body: Any) -> str:
    """The code of the first error; "" if there is none, "unknown" for one without a code."""
    return next((code for code in _codes(body) if code), "") if isinstance(body, dict) else ""


def _codes(body: dict[str, Any]) -> Iterator[str]:
    errors = body.get("errors")
    for error in errors if isinstance(errors, list) else [errors]:
        yield _code(error)
    response = body.get("response")
    status = response.get("status") if isinstance(response, dict) else None
    if isinstance(status, dict):
        yield _gateway_code(status)


def _code(error: Any) -> str:
    if not isinstance(error, dict):
        return "unknown" if error else ""
    code = str(error.get("code") or "").strip()
    return code if code.strip("0") else "unknown" if error.get("message") else ""


def _gateway_code(status: dict[str, Any]) -> str:
    """`success` counts only where there is no code."""
    code = str(status.get("code") or "").strip()
    if code:
        return "" if code == "200" else code
    return "" if str(status.get("success")).lower() == "true" else "unknown"

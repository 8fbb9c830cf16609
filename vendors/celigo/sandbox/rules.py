"""Rules for every call of the Celigo sandbox: authentication, rate limit, errors, fields, pagination.

Reference: Celigo developer portal, "Authentication", "API conventions", "Errors", "Rate limits" and
"Pagination".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlencode

from vendors.sandbox import JsonObject, Refused, Request, Response, Row, Store, json_response
from vendors.sandbox.switches import Switch

TOKEN = "gangway-demo-celigo-token"
PARTNER = "5e03061cda20740022300f09"
PAGE = 100
LARGEST_PAGE = 1000
RETRY_AFTER = "2"
WHEN = "%Y-%m-%dT%H:%M:%S"

INVALID_USER = Switch(
    "invalid_user",
    "HTTP status of invalid_user",
    {"422": "422", "400": "400", "200": "200, as if it had worked"},
)
TOKEN_STATE = Switch(
    "token",
    "Our API token",
    {"full": "full access", "restricted": "without licences (403)", "revoked": "revoked (401)"},
)
LIMIT = Switch(
    "rate_limit", "Rate limit", {"no": "never", "once": "the next call", "all": "every call"}
)
PAGE_SIZE = Switch("page_size", "Items on a page", {str(PAGE): "100", "2": "2"})
NEXT_LINK = Switch(
    "next_link", "The link to the next page", {"ours": "ours", "foreign": "names another host"}
)
EMPTY = Switch("empty_list", "An empty list", {"204": "204 without a body", "200": "200 and []"})
PUSHED = Switch("push_answer", "Answer to a push", {"object": "{}", "empty": "200, no body"})
SWITCHES = (INVALID_USER, TOKEN_STATE, LIMIT, PAGE_SIZE, NEXT_LINK, EMPTY, PUSHED)

CODES = {
    400: "invalid_request",
    401: "access_restricted",
    403: "access_restricted",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_media_type",
}

Handler = Callable[[Request, Store], Response]
Check = Callable[[object], bool]
Error = dict[str, str]


class Wrong(Exception):
    """A refusal with one or several entries in `errors`."""

    def __init__(self, status: int, *errors: Error) -> None:
        super().__init__(status)
        self.response = json_response({"errors": list(errors)}, status)


def error(code: str, message: str, field: str = "") -> Error:
    return {"code": code, "message": message} | ({"field": field} if field else {})


def refuse(status: int, message: str) -> Response:
    return Wrong(status, error(CODES.get(status, "invalid_request"), message)).response


def guarded(handler: Handler) -> Handler:
    """`handler` behind rate limit and authentication. A refusal does not roll back what switches changed."""

    def call(request: Request, store: Store) -> Response:
        try:
            if LIMIT.take(store) != "no":
                limited = error("rate_limited", "Too many requests. Please slow down.")
                return json_response({"errors": [limited]}, 429, {"Retry-After": RETRY_AFTER})
            return _bearer(request, store) or handler(request, store)
        except Wrong as wrong:
            return wrong.response
        except Refused as no:
            return refuse(no.code, no.description)

    return call


def _bearer(request: Request, store: Store) -> Response | None:
    token, state = request.bearer(), TOKEN_STATE.value(store)
    if token.lower().startswith("bearer "):
        return Response("Bearer Authentication Failed", 400, mimetype="text/plain")
    if token != TOKEN or state == "revoked":
        raise Refused(401, "The API token is missing, wrong or revoked.")
    if state == "restricted" and request.path != "/v1/tokenInfo":
        raise Refused(403, "The API token does not have access to this resource.")
    return None


# -- what a body may hold --------------------------------------------------------------------------


def is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_string(value: object) -> bool:
    return isinstance(value, str)


def is_flag(value: object) -> bool:
    return isinstance(value, bool)


def is_object(value: object) -> bool:
    return isinstance(value, dict)


def is_list(value: object) -> bool:
    return isinstance(value, list)


def is_id(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{24}", value))


def is_ids(value: object) -> bool:
    return isinstance(value, list) and all(is_id(one) for one in value)


def is_texts(value: object) -> bool:
    return isinstance(value, list) and all(is_text(one) for one in value)


def is_time(value: object) -> bool:
    """ISO 8601 in UTC with milliseconds, as in every sample."""
    if not isinstance(value, str) or not re.fullmatch(r"[\dT:-]{19}\.\d{3}Z", value):
        return False
    try:
        datetime.strptime(value[:19], WHEN)
    except ValueError:
        return False
    return True


def validated(
    body: Mapping[str, object],
    fields: Mapping[str, Check],
    required: Sequence[str],
    ignored: Sequence[str] = (),
) -> JsonObject:
    """The body without the `ignored`; 422 names every field that is missing, wrong or unknown."""
    given = {name: value for name, value in body.items() if name not in ignored}
    # A real one has no message: {"errors": [{"field": "expires", "code": …}]}
    absent = [name for name in required if given.get(name) is None]
    missing = [{"field": name, "code": "missing_required_field"} for name in absent]
    wrong = [
        error("invalid_field", f"`{name}` is unknown or not valid.", name)
        for name, value in given.items()
        if name not in absent and not (name in fields and fields[name](value))
    ]
    if missing or wrong:
        raise Wrong(422, *missing, *wrong)
    return given


# -- times and lists -------------------------------------------------------------------------------


def now() -> str:
    moment = datetime.now(UTC)
    return f"{moment.strftime(WHEN)}.{moment.microsecond // 1000:03d}Z"


def listed(
    request: Request, store: Store, rows: Sequence[Row], shape: Callable[[Row], object]
) -> Response:
    """One page of `rows`, and a Link header to the pages before and after it."""
    args = request.args
    if set(args) - {"limit", "after"}:
        raise Wrong(400, error("invalid_query_params", "An unknown query parameter."))
    size = min(_limit(args), int(PAGE_SIZE.value(store)))
    begin = _begin(args.get("after", ""), rows)
    page = [shape(row) for row in rows[begin : begin + size]]
    if not page and EMPTY.value(store) == "204":
        return Response(status=204)
    link = ", ".join(_links(request, store, rows, begin, size))
    return json_response(page, headers={"Link": link} if link else None)


def _limit(args: Mapping[str, str]) -> int:
    given = args.get("limit", str(LARGEST_PAGE))
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= LARGEST_PAGE:
        raise Wrong(400, error("invalid_query_params", "limit is a number from 1 to 1000."))
    return int(given)


def _begin(after: str, rows: Sequence[Row]) -> int:
    if not after:
        return 0
    known = [_cursor(row) for row in rows]
    if after not in known:
        raise Wrong(400, error("invalid_query_params", "after is not one of our cursors."))
    return known.index(after) + 1


def _cursor(row: Row) -> str:
    return base64.urlsafe_b64encode(f"after:{row['id']}".encode()).decode()


def _links(request: Request, store: Store, rows: Sequence[Row], begin: int, size: int) -> list[str]:
    links = []
    if begin:
        links.append(_link(request, rows, max(0, begin - size), "prev"))
    if begin + size < len(rows):
        links.append(_link(request, rows, begin + size, "next"))
    if NEXT_LINK.value(store) == "foreign":
        links = [link.replace(request.host_url, "https://elsewhere.example/") for link in links]
    return links


def _link(request: Request, rows: Sequence[Row], begin: int, rel: str) -> str:
    args = {"limit": request.args["limit"]} if "limit" in request.args else {}
    args |= {"after": _cursor(rows[begin - 1])} if begin else {}
    query = f"?{urlencode(args)}" if args else ""
    return f'<{request.base_url}{query}>; rel="{rel}"'

"""Request validation of the Sharespine sandbox: headers, and the fields of each documented body."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from vendors.sandbox import JsonObject, Refused, Request

AGENT = re.compile(r"\S+/\S+ \([^()\s@]+@[^()\s@]+\.[^()\s@]+\)")

Check = Callable[[object], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[a-z0-9][a-z0-9_-]*", value))


def _is_email(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[^@\s]+@[^@\s]+", value))


def _is_language(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[a-z]{3}", value))


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _is_path(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"/[!-\[\]-~]*", value))


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(check(one) for one in value)


TENANT: dict[str, Check] = {
    "customerReference": _is_reference,
    "active": _is_flag,
    "fullName": _is_text,
    "email": _is_email,
    "defaultLanguage": _is_language,
    "languages": _list_of(_is_language),
    "options": _list_of(_is_text),
}
USER: dict[str, Check] = {
    "login": _is_text,
    "fullName": _is_text,
    "email": _is_email,
    "permissions": _list_of(_is_text),
    "defaultLanguage": _is_language,
}
CONNECTION: dict[str, Check] = {
    "active": _is_flag,
    "name": _is_text,
    "type": lambda value: value == "api",
    "configuration": _is_object,
}
LOGIN: dict[str, Check] = {"path": _is_path}


def validated(request: Request, fields: Mapping[str, Check]) -> JsonObject:
    """The JSON body, which must have exactly these fields. Raises Refused (400)."""
    body = request.json_object()
    missing = sorted(set(fields) - set(body))
    if missing:
        raise Refused(400, f"Missing: {', '.join(missing)}.")
    return partial_body(request, fields)


def partial_body(request: Request, fields: Mapping[str, Check]) -> JsonObject:
    """The JSON body of a PUT, which may have some of these fields and no others. Raises Refused (400)."""
    body = request.json_object()
    wrong = sorted(name for name in fields if name in body and not fields[name](body[name]))
    unknown = sorted(set(body) - set(fields))
    if wrong or unknown:
        raise Refused(400, f"Wrong or unknown: {', '.join(wrong + unknown)}.")
    return body


def require_user_agent(request: Request) -> None:
    if not AGENT.match(request.headers.get("user-agent", "")):
        raise Refused(400, "User-Agent must be like my-app/1.0 (you@example.com).")

"""Signed receipts: canonical JSON, signed with Ed25519 (docs/receipts.md).

A file is {"receipt": {…}, "signature": {"algorithm", "key", "value"}}. The signature covers the canonical
form of `receipt`: keys sorted, no blanks, UTF-8. Whoever has the public key can verify it without this site.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

from cryptography.exceptions import InvalidSignature
from django.conf import settings

from onboarding.models import ReceiptKey
from onboarding.models.consents import ALGORITHM

FORMAT = "gangway-receipt/1"
LONGEST = 1024 * 1024  # bytes of a file; ours are a few thousand
Json = dict[str, Any]  # Any: a receipt's values are JSON


class NotAReceipt(Exception):
    """A file that is no receipt of this kind, or has something beside it."""


class UnknownKey(Exception):
    """A receipt that was signed with a key of another site, or with none."""

    def __init__(self, key_id: str) -> None:
        super().__init__(key_id)
        self.key_id = key_id


def canonical(document: object) -> bytes:
    """The bytes that are signed, as in RFC 8785: our documents hold no numbers but whole ones."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def signed(receipt: Json) -> bytes:
    """The file: the receipt with its signature, itself in canonical form."""
    key = ReceiptKey.current()
    value = b64encode(key.sign(canonical(receipt))).decode()
    signature = {"algorithm": ALGORITHM, "key": key.key_id, "value": value}
    return canonical({"receipt": receipt, "signature": signature})


def parse(file: bytes) -> tuple[Json, dict[str, str]]:
    """The receipt and its signature. Raises NotAReceipt.

    Nothing may stand beside them, and no name twice: a program and a person must read the same.
    """
    try:
        whole = json.loads(file.decode(), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        raise NotAReceipt(str(error)) from None
    if not isinstance(whole, dict) or set(whole) != {"receipt", "signature"}:
        raise NotAReceipt("it must hold “receipt” and “signature”, and nothing else")
    receipt, signature = whole["receipt"], whole["signature"]
    if not isinstance(receipt, dict) or receipt.get("format") != FORMAT:
        raise NotAReceipt(f"its format is not {FORMAT}")
    if not isinstance(signature, dict) or set(signature) != {"algorithm", "key", "value"}:
        raise NotAReceipt("its signature must hold “algorithm”, “key” and “value”")
    return receipt, {name: str(value) for name, value in signature.items()}


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands in it twice")
    return found


def is_valid(receipt: Json, signature: dict[str, str]) -> bool:
    """Whether a key of this site signed exactly this. Raises UnknownKey."""
    key = ReceiptKey.objects.filter(key_id=signature["key"]).first()
    if key is None or signature["algorithm"] != key.algorithm:
        raise UnknownKey(signature["key"])
    try:
        value = b64decode(signature["value"], validate=True)
        key.public_key.verify(value, canonical(receipt))
    except (InvalidSignature, ValueError):
        return False
    return b64encode(value).decode() == signature["value"]  # there is one way to write it


def differences(kept: object, found: object, path: str = "") -> Iterator[str]:
    """What is not as it is kept here, one line each: `words.parts[0].title: “a” here, “b” in the file`."""
    if isinstance(kept, dict) and isinstance(found, dict):
        for key in sorted(kept.keys() | found.keys()):
            where = f"{path}.{key}" if path else key
            yield from differences(kept.get(key), found.get(key), where)
    elif isinstance(kept, list) and isinstance(found, list) and len(kept) == len(found):
        for number, (ours, theirs) in enumerate(zip(kept, found, strict=True)):
            yield from differences(ours, theirs, f"{path}[{number}]")
    elif kept != found:
        yield f"{path}: {_quoted(kept)} here, {_quoted(found)} in the file"


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def public_keys() -> list[dict[str, str | None]]:
    """All keys that this site has ever signed with, the oldest first."""
    return [
        {
            "algorithm": key.algorithm,
            "key": key.key_id,
            "public": key.public,
            "pem": key.pem,
            "since": key.since.isoformat(),
            "retired": key.retired.isoformat() if key.retired else None,
        }
        for key in ReceiptKey.objects.all()
    ]


def published() -> Json:
    return {"site": settings.SITE_URL, "format": FORMAT, "keys": public_keys()}

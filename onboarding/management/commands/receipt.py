"""`manage.py receipt show|verify|key|rotate`: the receipts of what merchants agreed to.

    show <shop>     the shop's receipts as JSON, the newest first; for staff
    verify <file>   whether the file is as this site signed it, and what was changed
    key             the public keys, with which anyone can verify a receipt without this site
    rotate          sign with a new key from now on; older receipts stay valid

Exit status: 0 valid, shown or done; 1 changed since it was signed; 2 no receipt, no such file or shop;
3 signed with a key that this site does not know.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from onboarding.consent import receipts, signing
from onboarding.models import Connection, Consent, ReceiptKey

# What differs without anybody's doing: when the file was made, and what happened to the shop since then.
LATER = ("made_at", "ended")


class Command(BaseCommand):
    help = "Show and verify the receipts of what merchants agreed to, and the keys that sign them."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        showing = actions.add_parser("show", help="a shop’s receipts as JSON, the newest first")
        showing.add_argument("shop", help="its reference")
        verifying = actions.add_parser("verify", help="whether a file is as it was signed")
        verifying.add_argument("file")
        actions.add_parser("key", help="the public keys, as at the well-known address")
        actions.add_parser("rotate", help="sign with a new key from now on")

    def handle(
        self, *args: object, action: str, shop: str = "", file: str = "", **options: object
    ) -> None:
        match action:
            case "show":
                self._show(shop)
            case "verify":
                self._verify(file)
            case "key":
                ReceiptKey.current()
                self._print(signing.published())
            case "rotate":
                self.stdout.write(f"New receipts are signed with {ReceiptKey.rotate().key_id}.")

    def _print(self, document: object) -> None:
        self.stdout.write(json.dumps(document, indent=2, ensure_ascii=False))

    def _show(self, reference: str) -> None:
        connection = Connection.objects.filter(reference=reference).first()
        if connection is None:
            raise CommandError(f"no shop has the reference {reference}", returncode=2)
        rows = receipts.of_shop(connection)
        self._print([receipts.in_its_language(consent) for consent in rows])

    def _verify(self, path: str) -> None:
        receipt, signature = _read(path)
        try:
            valid = signing.is_valid(receipt, signature)
        except signing.UnknownKey as error:
            self.stdout.write(f"UNKNOWN KEY: this site has never signed with {error.key_id}.")
            sys.exit(3)
        if not valid:
            lines = ["INVALID: it was changed after it was signed.", *_changes(receipt)]
            self.stdout.write("\n".join(lines))
            sys.exit(1)
        key = ReceiptKey.objects.get(key_id=signature["key"])
        state = f"retired {key.retired.isoformat()}" if key.retired else "in use"
        self.stdout.write(f"VALID: signed by {receipt['site']} with the key {key} ({state}).")
        self.stdout.write(
            f"Receipt {receipt.get('reference')}, agreed on {receipt.get('agreed_at')},"
            f" file made on {receipt.get('made_at')}."
        )


def _read(path: str) -> tuple[signing.Json, dict[str, str]]:
    try:
        file = Path(path).read_bytes()
        if len(file) > signing.LONGEST:
            raise signing.NotAReceipt("it is too long")
        return signing.parse(file)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", returncode=2) from None
    except signing.NotAReceipt as error:
        raise CommandError(f"NO RECEIPT: {path}: {error}", returncode=2) from None


def _changes(receipt: signing.Json) -> list[str]:
    """What is not as this site keeps it. A person who was erased since then is not compared."""
    reference = str(receipt.get("reference"))
    consent = Consent.objects.filter(reference=reference).first()
    if consent is None:
        return [f"This site keeps no receipt {reference} that it could be compared with."]
    kept = receipts.in_its_language(consent)
    emptied = [key for key in ("person", "business", "shop") if not _holds(kept.get(key))]
    left_out = {*LATER, *emptied}
    ours, theirs = (
        {key: value for key, value in each.items() if key not in left_out}
        for each in (kept, receipt)
    )
    found = list(signing.differences(ours, theirs))
    return found or [
        "What this site keeps of it is the same: the end or the signature was changed."
    ]


def _holds(value: object) -> bool:
    return isinstance(value, dict) and any(value.values())

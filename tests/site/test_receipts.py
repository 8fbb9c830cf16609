"""Receipts: a page that prints, a signed file that anyone can verify, and how it ended."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.core.management import CommandError, call_command
from django.urls import reverse

from onboarding.consent import receipts, signing
from onboarding.models import Connection, Consent, ReceiptKey, memo
from onboarding.models.memo import readable
from tests.site.test_consent import DONE, begin
from tests.support.people import People
from tests.support.scripted import Scripted
from tests.support.visit import OPEN, browser, url, visible_text

pytestmark = [pytest.mark.both, pytest.mark.usefixtures("inline_executor")]


@pytest.fixture
def consent(people: People, scripted: Scripted) -> Consent:
    return begin(people, scripted)


def address(consent: Consent, name: str) -> str:
    shop = consent.attempt.connection
    merchant = shop.account.merchant.reference
    return reverse(name, args=[merchant, shop.reference, consent.reference])


def downloaded(people: People, consent: Consent) -> bytes:
    answer = browser(people.alice).get(address(consent, "shop-receipt-download"))
    assert answer["Content-Disposition"].startswith("attachment")
    return answer.content


def verdict(path: Path) -> tuple[int, str]:
    """The exit status and what the command says."""
    out = StringIO()
    try:
        call_command("receipt", "verify", str(path), stdout=out)
    except SystemExit as error:
        return int(str(error.code)), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


# -- the page --------------------------------------------------------------------------------------


def test_the_receipt_says_who_agreed_to_what_for_which_shop(
    people: People, consent: Consent
) -> None:
    answer = browser(people.bob).get(url("shop-receipt", consent.attempt.connection))
    said = visible_text(answer)
    for words in ("Alice alice@example.org", "Acme", "eBay", "Scripted", "It is still in effect."):
        assert words in said
    for part in consent.words["parts"]:
        assert all(line in said for line in [part["title"], *part["lines"], *part["more"]])


def test_it_prints_without_javascript(people: People, consent: Consent) -> None:
    html = browser(people.alice).get(url("shop-receipt", consent.attempt.connection))
    whole = html.content.decode()
    receipt = whole[whole.index("<article") : whole.index("</article>")]
    assert "<details" not in receipt
    assert "hidden" not in receipt
    assert all(line in receipt for line in [consent.reference, consent.version])
    css = Path("static/css/media.css").read_text()
    assert ".no-print" in css[css.index("@media print") :]


def test_links_lead_to_it_from_the_shop_and_only_where_there_is_one(
    people: People, consent: Consent
) -> None:
    shop, alice = consent.attempt.connection, browser(people.alice)
    link = f'href="{url("shop-receipt", shop)}"'
    assert link in alice.get(shop.get_absolute_url()).content.decode()
    Consent.objects.all().delete()
    assert link not in alice.get(shop.get_absolute_url()).content.decode()
    assert "This shop has no receipt" in visible_text(alice.get(url("shop-receipt", shop)))


def test_older_receipts_are_listed_and_each_keeps_its_own_end(
    people: People, scripted: Scripted, consent: Consent
) -> None:
    shop, alice = consent.attempt.connection, browser(people.alice)
    scripted.script.append(DONE)
    alice.post(url("disconnect", shop))
    scripted.script.append(OPEN)
    alice.post(url("reconnect", shop), {"seen": "", "consent": consent.version})
    newest = visible_text(alice.get(url("shop-receipt", shop)))
    assert "All receipts of this shop" in newest
    assert "It is still in effect." in newest
    older = visible_text(alice.get(address(consent, "shop-receipt-older")))
    assert "by Alice. Here We no longer use it. At Scripted It stays." in older
    assert "Left for you to do Remove it." in older


def test_a_shop_that_is_disconnected_says_so_at_the_end_of_its_file(
    people: People, scripted: Scripted, consent: Consent
) -> None:
    scripted.script.append(DONE)
    browser(people.alice).post(url("disconnect", consent.attempt.connection))
    ended = json.loads(downloaded(people, consent))["receipt"]["ended"]
    assert ended["by"] == "Alice"
    assert [each["about"] for each in ended["sentences"]] == [
        *("Here", "At Scripted", "Left for you to do")
    ]


@pytest.mark.parametrize("name", ["shop-receipt", "shop-receipt-older", "shop-receipt-download"])
def test_nobody_else_sees_it(people: People, consent: Consent, name: str) -> None:
    is_newest = name == "shop-receipt"
    path = url(name, consent.attempt.connection) if is_newest else address(consent, name)
    assert browser(people.charlie).get(path).status_code == 404
    assert browser().get(path).status_code == 302
    assert browser(people.alice).get(path).status_code == 200


def test_a_receipt_of_another_shop_is_not_found(
    people: People, scripted: Scripted, consent: Consent
) -> None:
    other = begin(people, scripted, name="Second", another="1")
    shop = consent.attempt.connection
    args = [people.acme.reference, shop.reference, other.reference]
    for name in ("shop-receipt-older", "shop-receipt-download"):
        assert browser(people.alice).get(reverse(name, args=args)).status_code == 404


# -- the signature ---------------------------------------------------------------------------------


def test_anyone_verifies_the_file_with_the_published_key_alone(
    people: People, consent: Consent
) -> None:
    """As docs/receipts.md says, without this site's code."""
    whole = json.loads(downloaded(people, consent))
    keys = json.loads(browser().get(reverse("receipt-keys")).content)["keys"]
    [pem] = [key["pem"] for key in keys if key["key"] == whole["signature"]["key"]]
    message = json.dumps(
        whole["receipt"], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    public: Any = load_pem_public_key(pem.encode())
    public.verify(base64.b64decode(whole["signature"]["value"]), message.encode())
    assert whole["receipt"]["words"] == consent.words


def test_an_unchanged_file_is_valid_and_names_its_key(
    people: People, consent: Consent, tmp_path: Path
) -> None:
    file = tmp_path / "receipt.json"
    file.write_bytes(downloaded(people, consent))
    status, said = verdict(file)
    assert status == 0
    assert said.startswith("VALID")
    assert ReceiptKey.objects.get().key_id in said
    file.write_text(json.dumps(json.loads(file.read_text()), indent=2))  # read and saved again
    assert verdict(file)[0] == 0


def test_no_byte_can_be_changed(people: People, consent: Consent) -> None:
    """A third of them, which is enough to meet every part of the file."""
    file = downloaded(people, consent)
    for place in range(0, len(file), 3):
        changed = file[:place] + bytes([file[place] ^ 1]) + file[place + 1 :]
        try:
            receipt, signature = signing.parse(changed)
            assert not signing.is_valid(receipt, signature), place
        except (signing.NotAReceipt, signing.UnknownKey):
            continue


def test_a_changed_file_says_what_was_changed(
    people: People, consent: Consent, tmp_path: Path
) -> None:
    file = tmp_path / "receipt.json"
    file.write_bytes(downloaded(people, consent).replace(b"Acme", b"Acne"))
    status, said = verdict(file)
    assert status == 1
    assert said.startswith("INVALID")
    assert 'business.name: "Acme" here, "Acne" in the file' in said


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        (lambda whole: whole | {"more": 1}, 2, "nothing else"),
        (lambda whole: whole["receipt"], 2, "NO RECEIPT"),
        (lambda whole: [whole], 2, "NO RECEIPT"),
        (lambda whole: whole | {"signature": whole["signature"] | {"key": "0" * 16}}, 3, "UNKNOWN"),
    ],
)
def test_a_file_that_is_none_of_ours_says_so(
    people: People,
    consent: Consent,
    tmp_path: Path,
    change: Callable[[Any], Any],
    status: int,
    says: str,
) -> None:
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(change(json.loads(downloaded(people, consent)))))
    code, said = verdict(file)
    assert (code, says in said) == (status, True)
    assert verdict(tmp_path / "none.json")[0] == 2


def test_a_name_that_stands_twice_is_refused(people: People, consent: Consent) -> None:
    file = downloaded(people, consent).replace(b'{"receipt":', b'{"receipt":{},"receipt":', 1)
    with pytest.raises(signing.NotAReceipt, match="twice"):
        signing.parse(file)


def test_older_receipts_verify_after_a_new_key(
    people: People, consent: Consent, tmp_path: Path
) -> None:
    file = tmp_path / "receipt.json"
    file.write_bytes(downloaded(people, consent))
    call_command("receipt", "rotate", stdout=StringIO())
    status, said = verdict(file)
    assert (status, "retired" in said) == (0, True)
    newest = json.loads(downloaded(people, consent))["signature"]["key"]
    assert newest == ReceiptKey.objects.get(retired=None).key_id
    assert ReceiptKey.objects.exclude(retired=None).get().private is None


def test_a_key_that_memo_keys_no_longer_open_is_replaced(consent: Consent) -> None:
    old = ReceiptKey.objects.get()
    ReceiptKey.objects.update(private={})
    assert ReceiptKey.current().key_id != old.key_id
    assert ReceiptKey.objects.filter(retired=None).count() == 1


def test_the_private_key_is_encrypted_and_never_printed(consent: Consent) -> None:
    private = readable(ReceiptKey.objects.get().private)["key"]
    [(_, sealed)] = memo.sealed_rows(ReceiptKey, "private")
    assert private not in sealed
    out = StringIO()
    call_command("receipt", "key", stdout=out)
    assert json.loads(out.getvalue()) == signing.published()
    assert private not in out.getvalue()


def test_staff_see_the_receipts_of_a_shop(consent: Consent) -> None:
    out = StringIO()
    call_command("receipt", "show", consent.attempt.connection.reference, stdout=out)
    [shown] = json.loads(out.getvalue())
    assert shown["reference"] == consent.reference
    with pytest.raises(CommandError, match="no shop"):
        call_command("receipt", "show", "unknown", stdout=out)


def test_reading_writes_nothing(people: People, consent: Consent) -> None:
    before = [*ReceiptKey.objects.values()], [*Consent.objects.values()]
    downloaded(people, consent)
    browser(people.alice).get(url("shop-receipt", consent.attempt.connection))
    assert ([*ReceiptKey.objects.values()], [*Consent.objects.values()]) == before


def test_a_removed_shop_ends_its_receipt(people: People, consent: Consent) -> None:
    shop = Connection.objects.get(pk=consent.attempt.connection_id)
    browser(people.alice).post(url("remove", shop))
    end = receipts.end_of(consent)
    assert end is not None
    assert (end.by, end.sentences[0][0]) == ("Alice", "Here")

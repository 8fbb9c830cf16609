"""The rule of what is an email address, and the mailboxes that mails are sent from."""

from __future__ import annotations

from email import policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from django.core.mail.message import sanitize_address
from hypothesis import given
from hypothesis import strategies as st

from onboarding.email_addresses import (
    ascii_form,
    domain_for,
    mailbox,
    mailbox_of,
    normalised,
    one_mailbox,
    sender_domain,
)

LABEL = "b" * 60
LONGEST = f"{'k' * 68}@{LABEL}.{LABEL}.{LABEL}.co"  # 254 characters

ACCEPTED = {
    "kai@example.com": "kai@example.com",
    " Kai.O'Neil+shop@Example.COM\t": "kai.o'neil+shop@example.com",
    "\ufeffkai@example.com\u200b": "kai@example.com",
    "kai@bücher.example": "kai@bücher.example",
    "kai@BÜCHER.example": "kai@bücher.example",
    "kai@bu\u0308cher.example": "kai@bücher.example",
    "kai@пример.рф": "kai@пример.рф",
    "kai@例え.jp": "kai@例え.jp",
    "kai@xn--bcher-kva.example": "kai@xn--bcher-kva.example",
    LONGEST: LONGEST,
}
REFUSED = [
    "", "@", "kai", "kai@", "@example.com", "kai@example", "kai@example.com.", "kai@@example.com",
    "kai@a@example.com", "kai@ex..ample.com", "kai@-x.example", "kai example@example.com",
    "Kai <kai@example.com>", "kai@example.com,mia@example.com", "kai@example.com\nBcc: m@example.com",
    "käthe@example.com", "ка@example.com",
    "\u0130pek@example.com", "\u017fam@example.com", "\u212aai@example.com", "\uff4bai@example.com",
    "kai@\u0130zmir.example", "kai@\u017fhop.example", "kai@\u212aiosk.example",
    "kai@\uff45xample.com", "kai@exa\u3002mple.com", "kai@exa\uff0emple.com", "kai@\u2121.example",
    "kai@\U0001d41eample.com", "kai@\u00aab.example", "kai\uff20example.com",
    "kai@straße.example", "kai@σς.example",
    "k\u200bai@example.com", "kai@exam\u00adple.com", "kai@exam\u200dple.com", "k\u2060ai@example.com",
    "kai\u202e@example.com", "kai@ex\u0000ample.com", '"a b"@example.com', '"a\x01"@example.com',
    f"kai@{'ü' * 60}.example", f"k{LONGEST}",
    f"kai@{LABEL}.{LABEL}.{LABEL}.{LABEL}.{LABEL}.example",
    f"kai@{('ü' * 30 + '.') * 7}example",
]  # fmt: skip
OF_ONE_MACHINE = ["kai@localhost", "kai@LocalHost", "kai@a.localhost", "kai@[127.0.0.1]", "k@[::1]"]


@pytest.mark.parametrize("typed", ACCEPTED)
def test_an_address_is_stored_in_one_form(typed: str) -> None:
    assert normalised(typed, local=False) == ACCEPTED[typed]


@pytest.mark.parametrize("typed", REFUSED)
def test_what_is_none_or_would_become_another_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):
        normalised(typed, local=True)


@pytest.mark.parametrize("typed", OF_ONE_MACHINE)
def test_an_address_of_one_machine_is_none_for_others(typed: str) -> None:
    assert normalised(typed, local=True) == typed.lower()
    with pytest.raises(ValueError):
        normalised(typed, local=False)


@given(st.text(), st.text(min_size=1))
def test_whatever_is_taken_can_be_mailed_and_stays_as_it_is(name: str, domain: str) -> None:
    try:
        address = normalised(f"{name}@{domain}.example", local=False)
    except ValueError:
        return
    assert normalised(address, local=False) == address
    assert sanitize_address(address, "utf-8") == ascii_form(address)
    assert ascii_form(address).isascii()


# -- senders -------------------------------------------------------------------------------------

NAMES = [
    "Gangway", "Acme, Inc.", "Acme: shops", 'The "Best" Shop', "Acme [Berlin] (West)", "Acme <b>",
    "a@b.example", "Acme; more", "Back\\slash", "Brötchen, Köln", "名前" * 50, "Ünï " * 20 + "x",
    "Smile 😀", "x" * 300, "שלום, עולם",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_name_makes_a_mailbox(name: str) -> None:
    sender = mailbox(name, "no-reply@bücher.example")
    parsed = policy.default.header_factory("From", sender)
    [found] = parsed.addresses
    assert str(make_header(decode_header(parseaddr(sender)[0]))) == name
    assert parsed.defects == ()
    assert one_mailbox(sender) == found.addr_spec == "no-reply@xn--bcher-kva.example"
    assert all(len(word) <= 75 for word in sender.split()) or name == "x" * 300


@pytest.mark.parametrize(
    "text",
    [
        "Acme, Inc. <a@example.com>", "Acme: <a@example.com>", "a@example.com, b@example.com",
        "Shops: a@example.com;", "Acme; Inc <a@example.com>", "Acme [x] <a@example.com>",
        "Acme @ Home <a@example.com>", '"Acme <a@example.com>', "Acme <a@example.com", "Acme <>",
        "Acme <<a@example.com>>", "a@example.com b", "<a@example.com>,", "no-reply", "Acme",
        "Acme\n<a@example.com>", "ä@example.com", "Acme <\u212aai@example.com>", "a@example",
    ],
)  # fmt: skip
def test_a_sender_is_exactly_one_mailbox(text: str) -> None:
    with pytest.raises(ValueError, match="must be one mailbox"):
        one_mailbox(text)


@pytest.mark.parametrize(
    "text",
    [
        "a@example.com", "<a@example.com>", "Acme <a@example.com>", "Acme Inc. <a@example.com>",
        '"Acme, Inc." <a@example.com>', "Brötchen <a@example.com>", "a@example.com (Acme)",
    ],
)  # fmt: skip
def test_the_usual_senders_are_taken(text: str) -> None:
    assert one_mailbox(text) == "a@example.com"
    assert sender_domain(text) == "example.com"


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("shops.example", "shops.example"),
        ("localhost", "localhost"),
        ("127.0.0.1", "[127.0.0.1]"),
        ("::1", "[IPv6:::1]"),
    ],
)
def test_a_site_at_an_ip_address_has_a_sender_too(host: str, domain: str) -> None:
    assert domain_for(host) == domain
    assert sender_domain(mailbox("Acme", f"no-reply@{domain}")) == domain


# -- one mailbox, written in many ways -------------------------------------------------------------

LOCAL_PARTS = st.from_regex(r"[a-z0-9]([a-z0-9._-]{0,10}[a-z0-9])?", fullmatch=True)
DOMAINS = st.sampled_from(
    ["example.com", "gmail.com", "googlemail.com", "bücher.example", "xn--bcher-kva.example"]
)
TAGS = st.from_regex(r"(\+[a-z0-9+.-]{0,8})?", fullmatch=True)


@given(LOCAL_PARTS, TAGS, TAGS, DOMAINS)
def test_tags_and_case_make_no_other_mailbox(name: str, one: str, two: str, domain: str) -> None:
    found = mailbox_of(f"{name}{one}@{domain}")
    assert mailbox_of(f"{name.upper()}{two}@{domain.title()}") == found
    assert mailbox_of(found) == found


@given(LOCAL_PARTS, st.integers(0, 10), st.sampled_from(["gmail.com", "googlemail.com"]))
def test_dots_make_no_other_mailbox_at_gmail(name: str, where: int, domain: str) -> None:
    dotted = f"{name[:where]}.{name[where:]}@{domain}"
    assert mailbox_of(dotted) == mailbox_of(f"{name}@gmail.com")


@given(LOCAL_PARTS, LOCAL_PARTS, DOMAINS)
def test_another_name_is_another_mailbox(one: str, two: str, domain: str) -> None:
    """But for the dots at Gmail, which are none of the name."""
    at_gmail = domain in {"gmail.com", "googlemail.com"}
    plain = [name.replace(".", "") if at_gmail else name for name in (one, two)]
    assert (mailbox_of(f"{one}@{domain}") == mailbox_of(f"{two}@{domain}")) == (
        plain[0] == plain[1]
    )


def test_a_domain_is_one_in_letters_and_in_ascii() -> None:
    assert mailbox_of("kai@bücher.example") == mailbox_of("KAI+a@xn--bcher-kva.example")
    assert mailbox_of("k.ai@example.com") != mailbox_of("kai@example.com")
    assert mailbox_of("+kai@example.com") == "+kai@example.com"


@given(st.text())
def test_any_text_has_a_mailbox(text: str) -> None:
    assert isinstance(mailbox_of(text), str)

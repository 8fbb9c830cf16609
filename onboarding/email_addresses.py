"""Email addresses: the one rule of what is an address, and the mailboxes that mails are sent from.

Forms, commands and settings follow this rule. An address is stored as it is returned here, and two
spellings of one mailbox are never taken for two people: letters that only look like ASCII are refused, not
folded into somebody else's address.
"""

from __future__ import annotations

import ipaddress
import unicodedata
from email.errors import HeaderParseError, ObsoleteHeaderDefect
from email.header import Header
from email.policy import default
from email.utils import formataddr
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from vendors.contract.characters import is_plain, trimmed

LONGEST = 254  # characters, as the columns; SMTP carries no more octets either
DOTS = "\u3002\uff0e\uff61"  # they become a full stop when a domain is encoded


def normalised(typed: str, *, local: bool) -> str:
    """The address as it is stored, in lower case. Raises ValueError if it is not one.

    `local`: whether it may belong to this machine or to an IP address (`kai@localhost`, `kai@[127.0.0.1]`).
    """
    address = trimmed(typed)
    name, at, domain = address.rpartition("@")
    if not (at and name.isascii() and is_plain(name) and not name.startswith('"')):
        raise ValueError("is not an email address")
    address = f"{name.lower()}@{_domain(domain)}"
    try:
        validate_email(address)
    except ValidationError:
        raise ValueError("is not an email address") from None
    if len(address) > LONGEST or len(ascii_form(address)) > LONGEST:
        raise ValueError("is too long")
    if not local and _is_local(address.rpartition("@")[2]):
        raise ValueError("is an address of one machine")
    return address


def ascii_form(address: str) -> str:
    """The address as SMTP carries it: its domain in ASCII (punycode)."""
    name, _, domain = address.rpartition("@")
    return f"{name}@{domain if domain.isascii() else domain.encode('idna').decode()}"


# Their mailboxes have dots wherever one likes, and two domains.
DOTLESS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}


def mailbox_of(address: str) -> str:
    """One spelling for all addresses of one mailbox: what is counted for a mailbox is counted under it.

    Without a tag after a plus sign, in lower case, its domain in ASCII; at Gmail also without dots. Mail is
    never sent to it.
    """
    name, _, domain = address.strip().lower().rpartition("@")
    try:
        domain = ascii_form(f"@{domain}")[1:].lower()
    except UnicodeError:  # no address at all; whatever it is, it is one mailbox
        return address.lower()
    name = name.partition("+")[0] or name
    if domain in DOTLESS:
        return f"{name.replace('.', '') or name}@{DOTLESS[domain]}"
    return f"{name}@{domain}"


def _domain(typed: str) -> str:
    """The domain in lower case. Raises ValueError if its ASCII form would stand for another domain."""
    if any(char in DOTS or _looks_like_ascii(char) for char in typed):
        raise ValueError("has letters that only look like ASCII")
    domain = unicodedata.normalize("NFC", typed).lower()
    if domain.isascii():
        return domain
    encoded = domain.encode("idna")  # a UnicodeError is a ValueError
    if encoded.decode("idna") != domain:
        raise ValueError("has letters that another letter is written for")
    return domain


def _looks_like_ascii(char: str) -> bool:
    """Whether folding makes ASCII of a letter that is none: full-width letters, the Kelvin sign, İ."""
    if char.isascii():
        return False
    folded = unicodedata.normalize("NFKC", char)
    return folded.isascii() or folded.lower().isascii() or len(char.lower()) > 1


def _is_local(domain: str) -> bool:
    return domain == "localhost" or domain.endswith(".localhost") or domain.startswith("[")


# -- senders ---------------------------------------------------------------------------------------


def mailbox(name: str, address: str) -> str:
    """`Name <address>` for a header, with quotes or encoding where the name needs them."""
    if name.isascii():
        return formataddr((name, ascii_form(address)))
    encoded = Header(name, "utf-8", maxlinelen=75).encode(
        linesep=""
    )  # words of at most 75 characters
    return f"{encoded} <{ascii_form(address)}>"


def one_mailbox(text: str) -> str:
    """The bare address of a sender such as `"Acme, Inc." <no-reply@example.com>`.

    Raises ValueError unless the text is exactly one mailbox.
    """
    try:
        header = _header(text)
        broken = [each for each in header.defects if not isinstance(each, ObsoleteHeaderDefect)]
        [group], [found] = header.groups, header.addresses
        bare = found.addr_spec in text and text.strip(", ") == text.strip()
        if broken or group.display_name or not bare or not is_plain(text):
            raise ValueError(ONE_MAILBOX)
        return normalised(found.addr_spec, local=True)
    except (HeaderParseError, IndexError, ValueError):
        raise ValueError(ONE_MAILBOX) from None


# Any: HeaderRegistry makes the class of each header; it is an AddressHeader and a BaseHeader
def _header(text: str) -> Any:
    """The text as a parsed From header. Some broken ones raise errors, others have defects."""
    return default.header_factory("From", text)


ONE_MAILBOX = (
    'must be one mailbox such as no-reply@example.com or "Acme, Inc." <no-reply@example.com>: '
    "put a name with commas, colons, quotes or brackets into double quotes"
)


def sender_domain(sender: str) -> str:
    """The domain of a sender, in ASCII."""
    [found] = _header(sender).addresses
    return ascii_form(found.addr_spec).rpartition("@")[2]


def domain_for(host: str) -> str:
    """The domain of addresses at a host; an IP address is written in brackets."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[{ip}]" if ip.version == 4 else f"[IPv6:{ip}]"

"""Loading the vendors from the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pytest

import vendors
from vendors import loading
from vendors.contract import Vendor
from vendors.http.settings import address_problem
from vendors.loading import Loaded
from vendors.sharespine.flow import Sharespine

SHARESPINE = {
    "SHARESPINE_API_URL": "https://api.plugboard.example/prefix/",
    "SHARESPINE_USERNAME": "reseller",
    "SHARESPINE_PASSWORD": "pässword ",
    "SHARESPINE_RESELLER": "code",
    "SHARESPINE_CONTACT": "ops@operator.example",
}


@dataclass(frozen=True)
class Acme(Vendor):
    slug: ClassVar[str] = "acme"
    name: ClassVar[str] = "Acme"

    key: str = field(repr=False)
    on: bool = False
    count: int | None = None
    ratio: float = 0.5
    names: tuple[str, ...] = ()
    table: dict[str, Any] = field(default_factory=dict)

    def problems(self) -> tuple[tuple[str, str], ...]:
        return (("ACME_COUNT", "must be positive"),) if (self.count or 0) < 0 else ()


def acme(**settings: str) -> Loaded:
    return loading.load(
        (Acme,), {f"ACME_{name.upper()}": value for name, value in settings.items()}
    )


def test_nothing_set_offers_nothing_and_says_what_is_missing() -> None:
    loaded = vendors.load({})
    assert loaded.offered == {}
    assert loaded.problems == ()
    assert loaded.missing["sharespine"] == tuple(SHARESPINE)


def test_a_vendor_is_offered_when_all_it_needs_is_set() -> None:
    loaded = vendors.load(SHARESPINE)
    assert list(loaded.offered) == ["sharespine"]
    assert set(loaded.missing) == {vendor.slug for vendor in vendors.ALL} - {"sharespine"}
    vendor = loaded.offered["sharespine"]
    assert isinstance(vendor, Sharespine)
    assert vendor.api_url == "https://api.plugboard.example/prefix"
    assert vendor.password == "pässword "


def test_settings_are_converted_by_the_type_of_their_field() -> None:
    given = acme(key="k", on="Yes", count="7", ratio="2.5", names="a, b,", table='{"a": [1]}')
    made = Acme(key="k", on=True, count=7, ratio=2.5, names=("a", "b"), table={"a": [1]})
    assert given.offered == {"acme": made}


def test_an_empty_setting_is_unset() -> None:
    assert acme(key="k", on="", count=" ").offered == {"acme": Acme(key="k")}
    assert acme(key="").missing == {"acme": ("ACME_KEY",)}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("on", "1 or 0"),
        ("count", "a whole number"),
        ("ratio", "a number"),
        ("table", "a JSON object"),
    ],
)
def test_a_value_that_cannot_be_read_is_a_problem_and_not_quoted(name: str, words: str) -> None:
    loaded = acme(**{"key": "k", name: "[s3cr3t]"})
    assert loaded.offered == {}
    ((setting, problem),) = loaded.problems
    assert setting == f"ACME_{name.upper()}"
    assert problem.startswith(f"must be {words}")
    assert "s3cr3t" not in problem


def test_all_problems_of_a_vendor_are_found_at_once(tmp_path: Path) -> None:
    loaded = acme(key_file=str(tmp_path / "none"), on="s3cr3t", count="s3cr3t", names_fil="s3cr3t")
    assert loaded.problems == (
        ("ACME_NAMES_FIL", "is not a setting; did you mean ACME_NAMES_FILE?"),
        ("ACME_KEY_FILE", "name a file that can be read"),
        ("ACME_ON", "must be 1 or 0"),
        ("ACME_COUNT", "must be a whole number"),
    )
    assert loaded.missing == {}


@pytest.mark.parametrize(
    "value", ["{", "[1]", "null", "1", pytest.param("[" * 100_000, id="deeply nested")]
)
def test_a_mapping_must_be_a_json_object(value: str) -> None:
    ((setting, problem),) = acme(key="k", table=value).problems
    assert (setting, problem[:21]) == ("ACME_TABLE", "must be a JSON object")


def test_any_setting_of_a_vendor_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "names").write_text("a,b\n")
    made = Acme(key="k", names=("a", "b"))
    assert acme(key="k", names_file=str(tmp_path / "names")).offered == {"acme": made}


def test_a_vendor_with_problems_is_not_offered() -> None:
    loaded = acme(key="k", count="-1")
    assert (dict(loaded.offered), loaded.problems) == ({}, (("ACME_COUNT", "must be positive"),))


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from file\n")
    file = str(tmp_path / "key")
    assert acme(key_file=file).offered == {"acme": Acme(key="from file")}
    assert acme(key_file=file, key="k").problems == (
        ("ACME_KEY", "set either ACME_KEY or ACME_KEY_FILE, not both"),
    )


def test_a_file_that_is_not_there_or_empty_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    for name, words in (("none", "can be read"), ("empty", "is not empty")):
        loaded = acme(key_file=str(tmp_path / name))
        assert loaded.problems == (("ACME_KEY_FILE", f"name a file that {words}"),)
        assert loaded.offered == {}


def test_a_mistyped_setting_is_a_problem() -> None:
    loaded = vendors.load({**SHARESPINE, "SHARESPINE_LANGAUGE": "swe"})
    words = "is not a setting; did you mean SHARESPINE_LANGUAGE?"
    assert loaded.problems == (("SHARESPINE_LANGAUGE", words),)


def test_the_sandbox_serves_vendors_without_settings() -> None:
    sandbox = {"SANDBOX": "1", "SANDBOX_URL": "http://127.0.0.1:9/"}
    loaded = vendors.load({**SHARESPINE, **sandbox})
    assert list(loaded.offered) == [vendor.slug for vendor in vendors.ALL]
    addresses = [vendor.addresses()[0] for vendor in loaded.offered.values()]
    assert addresses[0].startswith("http://127.0.0.1:9/itembase")
    assert addresses[1] == "https://api.plugboard.example/prefix"


def test_some_settings_beside_the_sandbox_are_a_problem() -> None:
    some = {"SANDBOX": "1", "SANDBOX_URL": "http://127.0.0.1:9", "ITEMBASE_CLIENT_ID": "x"}
    loaded = vendors.load(some)
    words = "set ITEMBASE_CLIENT_SECRET too, or unset ITEMBASE_CLIENT_ID to use the sandbox"
    assert loaded.problems == (("ITEMBASE_CLIENT_SECRET", words),)
    assert list(loaded.offered) == [v.slug for v in vendors.ALL if v.slug != "itembase"]


def test_the_sandbox_needs_an_address() -> None:
    loaded = vendors.load({"SANDBOX": "yes"})
    assert {name for name, _ in loaded.problems} == {"SANDBOX_URL"}
    assert loaded.offered == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_URL", "http://api.plugboard.example"),
        ("CONTACT", "nobody"),
        ("CONTACT", "a@b (x)"),
        ("RESELLER", "ä"),
        ("LOGIN_HOSTS", "https://my.plugboard.example"),
        ("LOGIN_HOSTS", ","),
        ("USERNAME", "a:b"),
        ("PATH", "start"),
    ],
)
def test_sharespine_says_which_setting_is_wrong(name: str, value: str) -> None:
    loaded = vendors.load({**SHARESPINE, f"SHARESPINE_{name}": value})
    assert [setting for setting, _ in loaded.problems] == [f"SHARESPINE_{name}"]
    assert "sharespine" not in loaded.offered


@pytest.mark.parametrize(
    "url",
    ["https://a.example/x", "http://127.0.0.1:9/x", "http://localhost", "https://a.example:8443"],
)
def test_addresses_that_may_be_used(url: str) -> None:
    assert address_problem(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example", "a.example", "ftp://a.example", "https://", "https://u:p@a.example",
        "https://a.example/?q", "https://a.example/#f", "https://a.example:x", "https://a b",
        "http://127.0.0.1.evil.example", "http://[::1", "https://u@a.example",
    ],
)  # fmt: skip
def test_addresses_that_may_not_be_used(url: str) -> None:
    assert address_problem(url)


def test_secrets_are_not_in_the_repr_of_what_was_loaded() -> None:
    assert "pässword" not in repr(vendors.load(SHARESPINE))
    assert "SHARESPINE_PASSWORD" in vendors.settings(Sharespine)

"""Icons and colours: every icon exists, every status has one, and the operator's colour stays readable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from django.test import Client
from pytest_django import Settings

from onboarding import colours
from onboarding.models.status import Status
from onboarding.templatetags import icons
from onboarding.views import brand

ROOT = Path(__file__).resolve().parents[2]
SPRITE = (ROOT / "static/icons/sprite.svg").read_text()
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
COLOURS = ["#ffff00", "#ffffff", "#000000", "#e53238", "#7ab55c", "#1d4ed8"]


def named_in_templates() -> set[str]:
    texts = (path.read_text() for path in TEMPLATES)
    return {
        name for text in texts for name in re.findall(r'icon(?:_name)?[ =]"([a-z0-9-]+)"', text)
    }


def test_every_icon_that_is_named_is_in_the_sprite() -> None:
    tables = (icons.STATUS_ICONS, icons.OUTCOME_ICONS, icons.NOTICE_ICONS)
    names = {name for table in tables for name in table.values()} | named_in_templates()
    assert len(names) > 20
    assert not {name for name in names if f'id="{name}"' not in SPRITE}


@pytest.mark.parametrize("status", Status)
def test_every_status_has_an_icon_a_word_and_a_colour(status: Status) -> None:
    html = render_to_string("components/status.html", {"status": status})
    assert str(status.label) in html
    assert "<svg" in html


@pytest.mark.parametrize(
    ("platform", "expected"),
    [("ebay", "<path"), ("shopify-netsuite", "<path"), ("gambio", ">ga<"), ("my-shop", ">ms<")],
)
def test_a_platform_shows_its_mark_or_two_letters(platform: str, expected: str) -> None:
    assert expected in render_to_string("components/platform.html", {"platform": platform})


@pytest.mark.parametrize("path", sorted(icons.MARKS.glob("*.svg")), ids=lambda path: path.stem)
def test_a_mark_is_a_small_drawing_and_nothing_else(path: Path) -> None:
    shape = r'<svg xmlns="[^"]+" viewBox="0 0 24 24" fill="#[0-9a-f]{6}"><path d="[^"]+"/></svg>\n'
    assert re.fullmatch(shape, path.read_text())
    assert path.stat().st_size < 4_000


def test_the_colours_of_monograms_carry_their_letters() -> None:
    css = (ROOT / "static/css/components.css").read_text()
    found = re.findall(r"--tone-\d { background: (#\w{6}); color: (#\w{6}); }", css)
    assert len(found) == icons.TONES
    assert all(colours.contrast(ground, letters) >= 4.5 for ground, letters in found)


@pytest.mark.parametrize("colour", COLOURS)
def test_an_operators_colour_is_made_readable(colour: str) -> None:
    light, dark = re.findall(r"--accent: (#[0-9a-f]{6})", brand.style_sheet(colour))
    assert colours.contrast(light, "#ffffff") >= 4.5
    assert colours.contrast(light, colours.LIGHT_CANVAS) >= 4.5
    assert colours.contrast(dark, colours.DARK_SURFACE) >= 4.5
    assert colours.contrast(dark, colours.INK) >= 4.5


@pytest.mark.parametrize("colour", COLOURS)
def test_its_soft_shade_carries_text_in_its_strong_one(colour: str) -> None:
    sheet = brand.style_sheet(colour)
    strong = re.findall(r"--accent-strong: (#[0-9a-f]{6})", sheet)
    soft = re.findall(r"--accent-soft: (#[0-9a-f]{6})", sheet)
    assert all(colours.contrast(a, b) >= 4.5 for a, b in zip(strong, soft, strict=True))


@pytest.mark.django_db
def test_the_operators_face_is_on_every_page(client: Client, settings: Settings) -> None:
    settings.BRAND_NAME = "Nordwind & Söhne"
    settings.BRAND_COLOUR = "#e53238"
    settings.SUPPORT_EMAIL = "help@nordwind.example"
    settings.LEGAL_LINKS = [("Privacy", "https://nordwind.example/privacy")]
    html = client.get("/accounts/login/").content.decode()
    for expected in ("Nordwind &amp; Söhne", "mailto:help@nordwind.example", "/brand.css"):
        assert expected in html
    assert 'href="https://nordwind.example/privacy"' in html


def test_no_template_carries_inline_style_or_script() -> None:
    for path in TEMPLATES:
        text = path.read_text()
        is_mail = path.name == "html_part.html"  # a mail program loads no style sheet of ours
        assert not re.search(r"<[^>%]*\s(?:style|on\w+)=", text), path
        assert is_mail or "<style" not in text, path
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script or 'type="application/json"' in script, path


def test_nothing_comes_from_another_host() -> None:
    for path in [*TEMPLATES, *(ROOT / "static/css").glob("*.css")]:
        assert not re.search(r"""(?:src|href|url)[=(]["']?(?:https?:)?//""", path.read_text()), path

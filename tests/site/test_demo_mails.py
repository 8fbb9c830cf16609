"""The demo's mail page: mails as files that every process sees, and that exist only in the demo."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from pytest_django import Settings

from onboarding.notifications import demo_mail

PAGE = "/demo/mails/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DEMO_MAILS = True
    settings.DATA_DIR = tmp_path
    settings.EMAIL_BACKEND = "onboarding.notifications.demo_mail.MailBackend"
    return tmp_path / "mails"


def send(subject: str = "Hello", body: str = "Text") -> None:
    mail.send_mail(subject, body, "us@shop.example", ["anna@shop.example"])


def test_the_page_does_not_exist_outside_the_demo(client: Client) -> None:
    assert client.get(PAGE).status_code == 404
    assert "Read the emails here" not in client.get("/accounts/login/").content.decode()


def test_before_the_first_mail_the_page_says_so(client: Client, folder: Path) -> None:
    assert "No email yet" in client.get(PAGE).content.decode()


def test_the_code_of_a_sign_in_stands_on_the_page(client: Client, folder: Path) -> None:
    client.post("/accounts/login/", {"email": "anna@shop.example"})
    found = demo_mail.newest(folder)[0]
    assert len(found.code) == 6
    assert f'class="mail-code">{found.code}<' in client.get(PAGE).content.decode()


def test_the_newest_mail_comes_first(client: Client, folder: Path) -> None:
    for subject in ("Mail one", "Mail two", "Mail three"):
        send(subject)
    html = client.get(PAGE).content.decode()
    assert html.index("Mail three") < html.index("Mail two") < html.index("Mail one")


def test_links_can_be_followed_and_markup_is_only_text(client: Client, folder: Path) -> None:
    send("<b>Fett</b>", "See http://localhost/m/x/ <script>alert(1)</script>")
    html = client.get(PAGE).content.decode()
    assert 'href="http://localhost/m/x/"' in html
    assert "<script>alert" not in html
    assert "<b>" not in html


def test_a_subject_with_umlauts_and_an_html_part_are_read(client: Client, folder: Path) -> None:
    message = EmailMultiAlternatives("Grüße", "Schöner Text", to=["anna@shop.example"])
    message.attach_alternative("<p>Bunter Text</p>", "text/html")
    message.send()
    html = client.get(PAGE).content.decode()
    assert "Grüße" in html
    assert "Schöner Text" in html
    assert "Bunter" not in html


def test_a_poll_without_news_is_empty_and_with_news_is_the_page(
    client: Client, folder: Path
) -> None:
    assert client.get(f"{PAGE}?since=").status_code == 204
    send()
    assert client.get(f"{PAGE}?since=").status_code == 200
    newest = demo_mail.newest(folder)[0].key
    assert f"?since={newest}" in client.get(PAGE).content.decode()
    assert client.get(f"{PAGE}?since={newest}").status_code == 204


def test_many_senders_at_once_lose_no_mail_and_show_none_by_half(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: send(f"mail {number}"), range(40)))
    assert {m.subject for m in demo_mail.newest(folder)} == {f"mail {n}" for n in range(40)}
    assert not list(folder.glob("*.draft"))


def test_only_the_newest_two_hundred_are_kept(folder: Path) -> None:
    folder.mkdir()
    for number in range(demo_mail.STORED + 5):
        (folder / f"{number:020d}-0.eml").write_bytes(b"Subject: old\n\n")
    send("newest")
    remaining = sorted(folder.glob("*.eml"))
    assert len(remaining) == demo_mail.STORED
    assert demo_mail.newest(folder)[0].subject == "newest"

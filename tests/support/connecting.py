"""A merchant who connects a shop over HTTP, at a site of real processes with the sandbox as its vendor."""

from __future__ import annotations

import json
import subprocess
import sys
from urllib.parse import urljoin

import requests

from tests.kills.merchant import TOKEN, signed_in
from tests.support.site import ROOT, Site, wait_until


def merchant(site: Site) -> tuple[str, requests.Session]:
    """A business, and the browser of its owner."""
    command = [sys.executable, "-m", "tests.kills.seed", "ann"]
    said = subprocess.run(command, cwd=ROOT, env=site.env, stdout=subprocess.PIPE, check=True)
    known = json.loads(said.stdout)["ann"]
    return known["merchant"], signed_in(site, known["session"])


def travel(site: Site, ours: requests.Session, url: str) -> str:
    """Follow the links and press "approve" and "Continue" until a page of ours says how it ended."""
    there, text = requests.Session(), ""

    def arrived() -> bool:
        nonlocal url, text
        if url.startswith(site.stage.url):
            form = {"case": "approve", "user": "new", "email": "ann@example.org", "store": "Shop"}
            answer = there.post(
                there.get(url, timeout=20).url, form, timeout=20, allow_redirects=False
            )
        else:
            answer = ours.get(url, timeout=20, allow_redirects=False)
        text = answer.text
        if f"{url.removeprefix(site.url)}continue/" in text:
            answer = press(ours, f"{url}continue/")
        url = urljoin(url, answer.headers.get("Location", ""))
        return "is connected" in text

    wait_until("the shop is connected", arrived)
    return text


def press(ours: requests.Session, url: str, **form: str) -> requests.Response:
    data = {"csrfmiddlewaretoken": TOKEN, **form}
    return ours.post(url, data, timeout=20, allow_redirects=False)

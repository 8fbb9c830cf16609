"""A site whose processes can be stopped at a point, killed there, and started anew."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import requests
from cryptography.fernet import Fernet

from tests.kills.merchant import TOKEN, Merchant, signed_in
from tests.kills.sandboxes import look
from tests.support.books import Books
from tests.support.site import ROOT, WEB, WORKER, Site, until
from vendors import sandbox

KEY = Fernet.generate_key().decode()
PARKED = {
    "web": [*WEB[:-1], "tests.kills.parked:application"],
    "worker": [sys.executable, "-m", "tests.kills.parked"],
}


@dataclass
class Harness:
    site: Site
    plans: Path
    crowd: dict[str, dict[str, str]]

    @classmethod
    def made(cls, folder: Path, names: Iterable[str]) -> Harness:
        """With a merchant of each name, signed in."""
        plans = folder / "plans"
        plans.mkdir()
        more = {"PLANS": str(plans), "SHARESPINE_MANAGE": "1", "MEMO_KEYS": KEY}
        site = Site(folder, sandbox.start(folder / "sandbox"), more=more)
        site.prepare()
        operator = f"{site.stage.url}/sharespine/operator"
        requests.post(operator, data={"manage": "1"}, timeout=60).raise_for_status()
        command = [sys.executable, "-m", "tests.kills.crowd", *names]
        done = subprocess.run(command, cwd=ROOT, env=site.env, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return cls(site, plans, json.loads(done.stdout))

    @property
    def books(self) -> Books:
        return self.site.books

    def merchant(self, name: str, vendor: str) -> Merchant:
        known = self.crowd[name]
        return Merchant(
            site=self.site,
            vendor=vendor,
            email=f"{name}@example.org",
            reference=known["merchant"],
            session=known["session"],
            plans=self.plans,
        )

    # -- processes ---------------------------------------------------------------------------------

    def start_parked(self, *names: str) -> None:
        """Processes that stop where a plan says so."""
        self.site.commands = PARKED
        self.site.start(*names)

    def start(self) -> None:
        """The real ones, as in life."""
        self.site.commands = {"web": WEB, "worker": WORKER}
        self.site.start()

    def kill(self) -> None:
        self.site.kill()

    def end(self) -> None:
        self.site.stop()
        self.site.stage.stop()

    def let_go(self) -> None:
        """Wait until the sandbox has done what it held."""
        until("the barrier is empty", lambda: not self.site.stage.faults._waiting)

    def calls(self) -> list[list[str]]:
        """All calls of parked processes: [merchant, way, process, step, vendor, route]."""
        path = self.plans / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()]

    # -- people ------------------------------------------------------------------------------------

    def staff(self, page: str, **form: str) -> requests.Response:
        """A page of the admin, or the answer to its form."""
        browser = signed_in(self.site, self.crowd["staff"]["session"])
        url = f"{self.site.url}/admin/onboarding/{page}"
        if not form:
            return browser.get(url, timeout=60)
        data = {**form, "csrfmiddlewaretoken": TOKEN}
        return browser.post(url, data=data, allow_redirects=False, timeout=60)

    def decide(self, merchant: Merchant) -> None:
        """Staff look at the vendor, and say in the admin what is there."""
        account = self.books.account(merchant.reference)
        page = f"account/{account['id']}/resolve/"
        shown = re.search(r'name="seen" value="([^"]+)"', self.staff(page).text)
        assert shown, "nothing is unsure"
        found = look(self.site.stage, merchant, account["unsure"])
        answer = {"answer": "exists", "found": found} if found else {"answer": "missing"}
        said = self.staff(page, seen=html.unescape(shown[1]), **answer)
        # 422: the answer to that very call is being written just now; staff press again.
        assert said.status_code in {302, 422}, (said.status_code, found)

    def an_hour_later(self, merchant: Merchant) -> None:
        """The merchant's sign-in at itembase is not young any more."""
        account, cipher = self.books.account(merchant.reference), Fernet(KEY)
        memo = json.loads(cipher.decrypt(account["memo"]))
        aged = cipher.encrypt(json.dumps({**memo, "at": memo["at"] - 3600}).encode()).decode()
        self.books.change(
            "UPDATE onboarding_account SET memo = ? WHERE id = ?", aged, account["id"]
        )

    def make_room(self, merchants: Iterable[Merchant]) -> None:
        """Capillary has room for fifteen clients: those of shops that are done with go."""
        for merchant in merchants:
            tag = f"[gw:{merchant.shop()['reference']}]"
            for row in self.site.stage.state("capillary").get("clients", []):
                if row["description"].endswith(tag):
                    self.site.stage.change("capillary", "clients", {"id": row["id"]}, valid=False)

"""A site whose processes can be stopped at a point, killed there, and started anew."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from cryptography.fernet import Fernet

from tests.kills.merchant import TOKEN, Merchant, signed_in
from tests.kills.ways import Kills, Made, kills
from tests.support.database import Database
from tests.support.site import ROOT, WEB, WORKER, Site, wait_until
from vendors import sandbox

KEY = Fernet.generate_key().decode()
Memo = dict[str, Any]
PARKED = {
    "web": [*WEB[:-1], "tests.kills.parked:application"],
    "worker": [sys.executable, "-m", "tests.kills.parked"],
}


@dataclass
class Harness:
    site: Site
    plans: Path
    crowd: dict[str, dict[str, str]]
    kills: Mapping[str, Kills]

    @classmethod
    def made(cls, folder: Path, names: Iterable[str]) -> Harness:
        """With a merchant of each name, signed in."""
        plans = folder / "plans"
        plans.mkdir()
        vendors = kills()
        more = {"PLANS": str(plans), "MEMO_KEYS": KEY}
        for each in vendors.values():
            more |= each.settings
        site = Site(folder, sandbox.start(folder / "sandbox"), extra_env=more)
        site.prepare()
        for each in vendors.values():
            if each.permit:
                each.permit(site.stage)
        command = [sys.executable, "-m", "tests.kills.crowd", *names]
        done = subprocess.run(command, cwd=ROOT, env=site.env, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return cls(site, plans, json.loads(done.stdout), vendors)

    @property
    def database(self) -> Database:
        return self.site.database

    def merchant(self, name: str, vendor: str) -> Merchant:
        known = self.crowd[name]
        return Merchant(
            site=self.site,
            vendor=vendor,
            kills=self.kills[vendor],
            email=f"{name}@example.org",
            reference=known["merchant"],
            session=known["session"],
            plans=self.plans,
        )

    # -- processes ---------------------------------------------------------------------------------

    def start_parked(self, *names: str) -> None:
        """Processes that stop where a plan says so. What they ask at their start is over then."""
        ready = [self.plans / f"{name}.ready" for name in names]
        for file in ready:
            file.unlink(missing_ok=True)
        self.site.commands = PARKED
        self.site.start(*names)
        wait_until("the processes are prepared", lambda: all(file.exists() for file in ready))

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
        wait_until("the barrier is empty", lambda: not self.site.stage.faults._waiting)

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
        account = self.database.account(merchant.reference)
        page = f"account/{account['id']}/resolve/"
        shown = re.search(r'name="seen" value="([^"]+)"', self.staff(page).text)
        assert shown, "nothing is unsure"
        found = self._found(merchant, account["unsure"])
        answer = {"answer": "exists", "found": found} if found else {"answer": "missing"}
        said = self.staff(page, seen=html.unescape(shown[1]), **answer)
        # 422: the answer to that very call is being written just now; staff press again.
        assert said.status_code in {302, 422}, (said.status_code, found)

    def change_memo(self, merchant: Merchant, change: Callable[[Memo], Memo]) -> None:
        """What is kept of the merchant's account at the vendor."""
        account, cipher = self.database.account(merchant.reference), Fernet(KEY)
        memo = change(json.loads(cipher.decrypt(account["memo"])))
        kept = cipher.encrypt(json.dumps(memo).encode()).decode()
        self.database.execute(
            "UPDATE onboarding_account SET memo = ? WHERE id = ?", kept, account["id"]
        )

    # -- the vendors -------------------------------------------------------------------------------

    def _found(self, merchant: Merchant, doubt: str) -> str:
        found = merchant.kills.found
        assert found, f"{merchant.vendor} can list, so staff have nothing to decide: {doubt}"
        return found(self.site.stage.state(merchant.vendor), merchant, doubt)

    def things_of(self, merchant: Merchant) -> Made:
        """What the sandbox has of this merchant, and what our rows say of it."""
        there = self.site.stage.state(merchant.vendor)
        return merchant.kills.look(
            there, merchant, self.database.account(merchant.reference), merchant.shop()
        )

    def make_room(self, vendor: str, merchants: Iterable[Merchant]) -> None:
        """Where a vendor has room for few, what belongs to shops that are done with goes."""
        if room := self.kills[vendor].make_room:
            room(self.site.stage, merchants)

"""The harness of the kill tests: a site whose processes halt at breakpoints, are killed and restarted."""

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
from tests.kills.scenarios import Kills, Made, kills
from tests.support.database import Database
from tests.support.site import ROOT, WEB, WORKER, Site, wait_until
from vendors import sandbox

KEY = Fernet.generate_key().decode()
Memo = dict[str, Any]
INSTRUMENTED = {
    "web": [*WEB[:-1], "tests.kills.instrumented:application"],
    "worker": [sys.executable, "-m", "tests.kills.instrumented"],
}


@dataclass
class Harness:
    site: Site
    breakpoints: Path
    users: dict[str, dict[str, str]]
    kills: Mapping[str, Kills]

    @classmethod
    def create(cls, folder: Path, names: Iterable[str]) -> Harness:
        """Create a site without processes, with one signed-in merchant per name."""
        breakpoints = folder / "breakpoints"
        breakpoints.mkdir()
        vendors = kills()
        extra_env = {"BREAKPOINTS": str(breakpoints), "MEMO_KEYS": KEY}
        for each in vendors.values():
            extra_env |= each.settings
        site = Site(folder, sandbox.start(folder / "sandbox"), extra_env=extra_env)
        site.prepare()
        for each in vendors.values():
            if each.permit:
                each.permit(site.stage)
        command = [sys.executable, "-m", "tests.kills.seed", *names]
        done = subprocess.run(command, cwd=ROOT, env=site.env, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return cls(site, breakpoints, json.loads(done.stdout), vendors)

    @property
    def database(self) -> Database:
        return self.site.database

    def merchant(self, name: str, vendor: str) -> Merchant:
        known = self.users[name]
        return Merchant(
            site=self.site,
            vendor=vendor,
            kills=self.kills[vendor],
            email=f"{name}@example.org",
            reference=known["merchant"],
            session=known["session"],
            breakpoints=self.breakpoints,
        )

    # -- processes ---------------------------------------------------------------------------------

    def start_instrumented(self, *names: str) -> None:
        """Start processes that halt at breakpoints, and wait until their calls at the start are over."""
        ready = [self.breakpoints / f"{name}.ready" for name in names]
        for file in ready:
            file.unlink(missing_ok=True)
        self.site.commands = INSTRUMENTED
        self.site.start(*names)
        wait_until("the processes are instrumented", lambda: all(file.exists() for file in ready))

    def start(self) -> None:
        """Start the real processes."""
        self.site.commands = {"web": WEB, "worker": WORKER}
        self.site.start()

    def kill(self) -> None:
        self.site.kill()

    def stop(self) -> None:
        self.site.stop()
        self.site.stage.stop()

    def wait_for_held_calls(self) -> None:
        """Wait until the sandbox has executed the calls that it held."""
        wait_until("the barrier is empty", lambda: not self.site.stage.faults._waiting)

    def calls(self) -> list[list[str]]:
        """All calls of instrumented processes: [merchant, scenario, process, step, vendor, route]."""
        path = self.breakpoints / "calls"
        return [json.loads(line) for line in path.read_text().splitlines()]

    # -- people ------------------------------------------------------------------------------------

    def staff(self, page: str, **form: str) -> requests.Response:
        """GET a page of the admin, or POST its form."""
        browser = signed_in(self.site, self.users["staff"]["session"])
        url = f"{self.site.url}/admin/onboarding/{page}"
        if not form:
            return browser.get(url, timeout=60)
        data = {**form, "csrfmiddlewaretoken": TOKEN}
        return browser.post(url, data=data, allow_redirects=False, timeout=60)

    def decide(self, merchant: Merchant) -> None:
        """Staff look at the vendor and settle the unsure creation in the admin."""
        account = self.database.account(merchant.reference)
        page = f"account/{account['id']}/resolve/"
        shown = re.search(r'name="seen" value="([^"]+)"', self.staff(page).text)
        assert shown, "nothing is unsure"
        found = self._found(merchant, account["unsure"])
        answer = {"answer": "exists", "found": found} if found else {"answer": "missing"}
        response = self.staff(page, seen=html.unescape(shown[1]), **answer)
        # 422: the response to that call is just being saved; staff press the button again.
        assert response.status_code in {302, 422}, (response.status_code, found)

    def change_memo(self, merchant: Merchant, change: Callable[[Memo], Memo]) -> None:
        """Change the encrypted memo of the merchant's account."""
        account, cipher = self.database.account(merchant.reference), Fernet(KEY)
        memo = change(json.loads(cipher.decrypt(account["memo"])))
        encrypted = cipher.encrypt(json.dumps(memo).encode()).decode()
        self.database.execute(
            "UPDATE onboarding_account SET memo = ? WHERE id = ?", encrypted, account["id"]
        )

    # -- the vendors -------------------------------------------------------------------------------

    def _found(self, merchant: Merchant, doubt: str) -> str:
        found = merchant.kills.found
        assert found, f"{merchant.vendor} can list, so staff have nothing to decide: {doubt}"
        return found(self.site.stage.state(merchant.vendor), merchant, doubt)

    def things_of(self, merchant: Merchant) -> Made:
        """What the sandbox has of this merchant, compared with our rows."""
        there = self.site.stage.state(merchant.vendor)
        return merchant.kills.inspect(
            there, merchant, self.database.account(merchant.reference), merchant.connection()
        )

    def make_room(self, vendor: str, merchants: Iterable[Merchant]) -> None:
        """Remove the shops of finished merchants at a vendor with a limit."""
        if room := self.kills[vendor].make_room:
            room(self.site.stage, merchants)

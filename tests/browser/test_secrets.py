"""Secrets appear in no log, on no page, in no URL of ours, and in no byte of the database."""

from __future__ import annotations

from playwright.sync_api import Frame, Response

from tests.browser.conftest import Visit, Visitor
from tests.contract.row import contracts
from tests.support.site import Site
from vendors import sandbox

SECRET_SETTINGS = ("ITEMBASE_CLIENT_SECRET", "SHARESPINE_PASSWORD")
CONFIDED = {slug: contracts()[slug].confided for slug in ("itembase", "sharespine")}


def secrets(site: Site) -> set[str]:
    """All secrets that the vendors gave us, or we gave them."""
    settings = sandbox.environ(site.stage.url)
    found = {settings[name] for name in SECRET_SETTINGS}
    for vendor, kinds in CONFIDED.items():
        state = site.stage.state(vendor)
        found |= {
            str(row[f]) for kind, fields in kinds.items() for row in state[kind] for f in fields
        }
    return found


def connect_both(ann: Visitor) -> None:
    ann.sign_up("eBay", "Ann’s Antiques")
    ann.leave("itembase")
    ann.press("Connect the store")
    ann.press("Allow")
    ann.sees("is connected")
    ann.open("/connect/sharespine/")
    ann.leave_beside("Sharespine").get_by_role("button", name="Set up my shop").click()
    for path in ("/shops/", "/demo/mails/", "/return/itembase/?state=x&code=y"):
        ann.open(path)


def test_no_secret_is_left_anywhere(visit: Visit, site: Site) -> None:
    ann = visit("ann")
    pages: list[str] = []
    addresses: list[str] = []

    def seen(response: Response) -> None:
        if response.url.startswith(site.url) and "text/html" in response.headers.get(
            "content-type", ""
        ):
            pages.append(response.text())

    def went(frame: Frame) -> None:
        addresses.append(frame.url)

    ann.page.on("response", seen)
    ann.page.on("framenavigated", went)
    connect_both(ann)
    database = b"".join(path.read_bytes() for path in (site.folder / "data").glob("db.sqlite3*"))
    ours = [address for address in addresses if address.startswith(site.url)]
    assert len(pages) > 5
    assert len(ours) > 5
    confided = secrets(site)
    assert len(confided) >= 7
    for secret in confided:
        assert secret not in site.logs()
        assert secret.encode() not in database
        assert not [page for page in pages if secret in page]
        assert not [address for address in ours if secret in address]


def test_the_access_log_has_no_query_strings(visit: Visit, site: Site) -> None:
    visit("ann").open("/connectors/?q=canary-7781")
    assert "/connectors/" in site.logs()
    assert "canary-7781" not in site.logs()

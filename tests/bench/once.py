"""Many due shops and many workers: each shop is asked once in its period, and how long all of them take."""

from __future__ import annotations

import time

from .quick_vendor import QuickVendor
from .shops import Shops

SHOPS, WORKERS = 10_000, 8
ANSWER = 100  # milliseconds until the vendor answers, so that many calls are under way at once
PATIENCE = 600.0  # seconds
AFTERWARDS = 5.0  # seconds in which nobody may be asked again


def run(shops: Shops, vendor: QuickVendor) -> list[str]:
    """Returns the bounds that were missed."""
    shops.rest()
    vendor.begin(ANSWER)
    with shops.checkout.workers(WORKERS):
        due, began = shops.make_due(min(SHOPS, shops.count)), time.monotonic()
        while vendor.asked().shops < due and time.monotonic() - began < PATIENCE:
            time.sleep(0.1)
        seconds = time.monotonic() - began
        time.sleep(AFTERWARDS)
    asked, unsettled = vendor.asked(), shops.unsettled()
    rate = asked.shops / seconds
    print(
        f"{due} due, {WORKERS} workers, vendor {ANSWER} ms: {asked.shops} asked in {seconds:.0f} s,"
        f" {asked.twice} of them twice; {unsettled} not settled"
    )
    print(f"{rate:.0f} a second: a million would take {1_000_000 / rate / 3600:.1f} h (computed)")
    if failed := shops.failed_calls():
        print(f"calls that did not succeed, which are repeated: {failed}")
    if lost := shops.checkout.logged("took longer than the lease"):
        print(f"checks that took longer than the lease: {lost}")
    missed = []
    if asked.twice:
        missed.append(f"{asked.twice} of {due} shops were asked twice in a period")
    if asked.shops < due or unsettled:
        missed.append(f"{due - asked.shops} shops were not asked, {unsettled} not settled")
    return missed

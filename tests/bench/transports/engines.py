"""The engines that are compared: what a worker process of each is."""

from __future__ import annotations

from dataclasses import dataclass

from .checkout import Checkout

FOLDER = "tests.bench.transports"


@dataclass(frozen=True)
class Engine:
    name: str
    command: list[str]
    uses_redis: bool = False

    def prepare(self, checkout: Checkout) -> None:
        if self.name == "procrastinate":
            checkout.run("-m", f"{FOLDER}.procrastinate_worker", "schema")


ENGINES = {
    engine.name: engine
    for engine in (
        Engine("plain", ["manage.py", "worker"]),
        Engine("celery", ["-m", f"{FOLDER}.celery_worker"], uses_redis=True),
        Engine("procrastinate", ["-m", f"{FOLDER}.procrastinate_worker"]),
    )
}

"""Fault injection: every documented call of every vendor × every fault, over real HTTP.

A scene is prepared once. Each fault is then injected at the same moment and cleared, and people continue.
The results are docs/faults.md; `make faults` writes it.
"""

from __future__ import annotations

import ast
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.db import transaction
from pytest_django.fixtures import Settings

import vendors
from onboarding.background import runner, schedule
from onboarding.catalogue import refresh
from onboarding.models import Alert, Breaker, Connection
from onboarding.models.status import SET_UP
from tests.conftest import ROOT
from tests.contract.row import contracts
from tests.faults import client_faults
from tests.faults.client_faults import ClientFault, UnexpectedHost
from tests.faults.columns import Column
from tests.faults.fingerprints import fingerprint
from tests.faults.kinds import FAULTS, Fault, Injector
from tests.faults.leaks import leaks
from tests.faults.observation import observe
from tests.faults.report import REPORT, Place, differing, render
from tests.faults.rules import FINE
from tests.faults.scene import Driver, Matrix, Scene, matrices
from tests.support.merchant import Browser
from tests.support.people import everybody
from tests.support.staff import staff_client
from tests.support.visit import InlineExecutor
from vendors import sandbox
from vendors.http.api import Api

MATRICES = matrices()
SCENES = [
    pytest.param(matrix, scene, id=f"{matrix.slug}-{number}-{scene.route.split()[0]}")
    for matrix in MATRICES
    for number, scene in enumerate(matrix.scenes, 1)
]
MATRIX_TEST = "test_a_call_may_fail_in_every_way"
PATH = re.compile("/[a-z]")
FIRST = next(each for each in MATRICES if each.scenes[0].sort == "blind")
BUSY = next(fault for fault in FAULTS if fault.name == "429")
_observed: dict[Place, tuple[str, ...]] = {}
_started: set[Place] = set()


@pytest.fixture(scope="module")
def injector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Injector]:
    stage = sandbox.start(tmp_path_factory.mktemp("faults"))
    with (
        client_faults.closed_port() as closed,
        client_faults.full_port() as full,
        closing(UnexpectedHost()) as unexpected_host,
    ):
        yield Injector(stage, ClientFault(), unexpected_host, closed, full)
    stage.stop()


@pytest.fixture
def driver(
    request: pytest.FixtureRequest,
    db: None,
    injector: Injector,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Driver:
    """One vendor on offer, a merchant, and a member of staff."""
    matrix, scene = request.getfixturevalue("matrix"), request.getfixturevalue("scene")
    slug = matrix.slug
    injector.stage.reset()
    client_faults.install(monkeypatch, injector.client_fault)
    monkeypatch.setattr(runner, "executor", InlineExecutor())
    settings.STAFF_EMAIL = ["staff@example.com"]
    settings.VENDORS = vendors.load({**sandbox.environ(injector.stage.url, slug), **scene.settings})
    people = everybody()
    driver = Driver(slug, injector, Browser(people.charlie, people.other), staff_client())
    refresh.refresh_catalogue(driver.vendor)
    contracts()[slug].ready()
    scene.ready(driver)
    matrix.forget()
    if scene.retried:
        BUSY.inject(injector, scene.call(slug, scene.skip))
        scene.act(driver)
        injector.clear()
        assert driver.attempt.answer == "unavailable"
    return driver


@contextmanager
def rolled_back() -> Iterator[None]:
    """Roll back what the block writes to our database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize(("matrix", "scene"), SCENES)
def test_a_call_may_fail_in_every_way(
    matrix: Matrix, scene: Scene, driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    _started.add((matrix.slug, scene.route, scene.when))
    caplog.set_level(logging.INFO, "django.template")  # its DEBUG lines name missing variables
    caplog.set_level(logging.DEBUG)
    snapshot, column, continued = (
        driver.injector.stage.snapshot(),
        Column(matrix, scene),
        set[str](),
    )
    for fault in (None, *matrix.faults):
        driver.injector.stage.restore(snapshot)
        matrix.forget()
        mail.outbox.clear()
        caplog.clear()
        with rolled_back(), column.cell(fault) as cell:
            cell.code = _cell(matrix, driver, scene, fault, caplog)
            if not cell.differs and (left := f"{cell.code} {fingerprint(driver)}") not in continued:
                continued.add(left)
                _continue(matrix, driver, scene, cell.code)
        driver.injector.clear()
    column.judge()
    _observed[matrix.slug, scene.route, scene.when] = column.codes


def _cell(
    matrix: Matrix,
    driver: Driver,
    scene: Scene,
    fault: Fault | None,
    caplog: pytest.LogCaptureFixture,
) -> str:
    """Inject the fault, check everything except the code, and clear the fault. Returns the code."""
    injector, before, worked = driver.injector, _calls(driver, scene), _working()
    call = scene.call(driver.slug)
    if fault:
        fault.inject(injector, call)
    driver.try_again() if scene.retried else scene.act(driver)
    code, page = observe(driver, scene, fault)
    assert _calls(driver, scene) > before + call.skip or injector.client_fault.hits, (
        "it was never called"
    )
    assert not injector.unexpected_host.was_contacted()
    assert code in (FINE, "by hand") or worked <= _working(), "a working shop was broken"
    if alerts := Alert.objects.filter(cleared=None).count():
        schedule.mail()
    assert len([sent for sent in mail.outbox if sent.to == django_settings.STAFF_EMAIL]) == alerts
    assert not leaks(driver, matrix.opens, page, caplog.text)
    injector.clear()
    return code


def _continue(matrix: Matrix, driver: Driver, scene: Scene, code: str) -> None:
    """The vendor works again, and its circuit breaker is closed."""
    Breaker.objects.all().delete()
    _recover(driver, scene, code)
    assert _made(matrix, driver, scene) == scene.after
    if scene.ends:
        assert driver.connection.status == scene.ends


def _recover(driver: Driver, scene: Scene, code: str) -> None:
    """People continue: merchants with their attempt, staff by trying again."""
    if scene.recover:
        scene.recover(driver)
    elif scene.sort in ("desk", "desk-creates", "catalogue", "check"):
        if code != FINE:
            scene.act(driver)
    else:
        driver.go_on()


def _working() -> set[int]:
    return set(Connection.objects.filter(status__in=SET_UP).values_list("pk", flat=True))


def _calls(driver: Driver, scene: Scene) -> int:
    return driver.injector.stage.counts(driver.slug)["calls"].get(scene.route, 0)


def _made(matrix: Matrix, driver: Driver, scene: Scene) -> dict[str, int]:
    stage = driver.injector.stage
    made = {**stage.counts(driver.slug)["made"], **matrix.count(stage.state(driver.slug))}
    return {kind: made[kind] for kind in scene.after}


@pytest.mark.parametrize("matrix", MATRICES, ids=lambda matrix: matrix.slug)
def test_no_documented_call_is_missing(matrix: Matrix, injector: Injector) -> None:
    routes = [route for route in injector.stage.vendors[matrix.slug].routes if not route.page]
    played = {scene.route for scene in matrix.scenes}
    assert played <= {route.name for route in routes} <= {*played, *matrix.not_made}
    assert not played & set(matrix.not_made)


@pytest.mark.parametrize("matrix", MATRICES, ids=lambda matrix: matrix.slug)
def test_no_call_of_ours_is_missing(matrix: Matrix, injector: Injector) -> None:
    """Every path in a client's source belongs to a scene, or to a page that merchants open."""
    source = (ROOT / "vendors" / matrix.slug / "client.py").read_text()
    texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    ours = {text.rstrip("?") for text in texts if isinstance(text, str) and PATH.match(text)}
    pages = [route.name for route in injector.stage.vendors[matrix.slug].routes if route.page]
    known = tuple(
        client_faults.plain(name) for name in [*pages, *(row.route for row in matrix.scenes)]
    )
    assert ours
    assert [
        path for path in ours if not any(name.endswith(client_faults.plain(path)) for name in known)
    ] == []


def test_the_results_are_those_of_the_report(request: pytest.FixtureRequest) -> None:
    """Compares the scenes that ran with the report. FAULTS=write writes the report instead."""
    names = [getattr(each, "originalname", "") for each in request.session.items]
    assert len(_started) >= names.count(MATRIX_TEST), (
        "one process must play all scenes: --dist loadfile"
    )
    complete = len(_observed) == len(SCENES)
    if complete and os.environ.get("FAULTS") == "write":
        REPORT.write_text(render(_observed, MATRICES))
    report = REPORT.read_text()
    assert differing(_observed, MATRICES, report) == [], (
        "run `make faults`, and look at what changed"
    )
    assert not complete or report == render(_observed, MATRICES), "run `make faults`"


# -- proof that a regression fails ---------------------------------------------------------------


def unmarked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its mark, a creation is repeated after a lost answer."""
    send = Api.send

    def careless(api: Api, *given: Any, **more: Any) -> Any:
        return send(api, *given, **{**more, "creates": False})

    monkeypatch.setattr(Api, "send", careless)


def talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """A debug line that logs the credentials."""
    send = Api.send

    def logged(api: Api, *given: Any, **more: Any) -> Any:
        logging.getLogger("vendors").debug("asking as %s", api.auth)
        return send(api, *given, **more)

    monkeypatch.setattr(Api, "send", logged)


@pytest.mark.parametrize("damage", [unmarked, talkative], ids=lambda each: each.__name__)
@pytest.mark.parametrize(("matrix", "scene"), [(FIRST, FIRST.scenes[0])])
def test_a_careless_change_fails_the_matrix(
    damage: Callable[[pytest.MonkeyPatch], None],
    matrix: Matrix,
    scene: Scene,
    driver: Driver,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    damage(monkeypatch)
    with pytest.raises(AssertionError):
        test_a_call_may_fail_in_every_way(matrix, scene, driver, caplog)

"""Every documented call of every vendor × every way of failing, over real HTTP.

A scene is prepared once; each fault then strikes the same moment, is cleared, and people go on. What
was seen is docs/faults.md: `make faults` writes it anew.
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
from django.core import mail
from django.db import transaction
from pytest_django.fixtures import Settings

import vendors
from onboarding.background import runner, schedule
from onboarding.catalogue import refresh
from onboarding.models import Alert, Breaker, Connection
from tests.conftest import ROOT
from tests.contract.row import contracts
from tests.faults import bend
from tests.faults.bend import Bend, Stranger
from tests.faults.column import Column
from tests.faults.kinds import FAULTS, Fault, Ground
from tests.faults.leaks import leaks
from tests.faults.paper import PAPER, Place, differing, written
from tests.faults.rules import FINE
from tests.faults.scene import Matrix, Play, Scene, matrices
from tests.faults.seen import seen
from tests.faults.shape import shape
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
_seen: dict[Place, tuple[str, ...]] = {}
_begun: set[Place] = set()


class Here(InlineExecutor):
    def idle(self) -> None:
        """Everything was done at once."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    stage = sandbox.start(tmp_path_factory.mktemp("faults"))
    with bend.closed_port() as closed, bend.full_port() as full, closing(Stranger()) as stranger:
        yield Ground(stage, Bend(), stranger, closed, full)
    stage.stop()


@pytest.fixture
def play(
    request: pytest.FixtureRequest,
    db: None,
    ground: Ground,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Play:
    """One vendor on offer, a merchant, and a member of staff."""
    matrix, scene = request.getfixturevalue("matrix"), request.getfixturevalue("scene")
    slug = matrix.slug
    ground.stage.reset()
    bend.install(monkeypatch, ground.bend)
    monkeypatch.setattr(runner, "executor", Here())
    settings.STAFF_EMAIL = ["staff@example.com"]
    settings.VENDORS = vendors.load({**sandbox.environ(ground.stage.url, slug), **scene.settings})
    people = everybody()
    play = Play(slug, ground, Browser(people.charlie, people.other), staff_client())
    refresh.refresh_catalogue(play.vendor)
    contracts()[slug].ready()
    scene.ready(play)
    matrix.forget()
    if scene.brink:
        BUSY.plant(ground, scene.call(slug, scene.skip))
        scene.act(play)
        ground.clear()
        assert play.attempt.answer == "unavailable"
    return play


@contextmanager
def taken_back() -> Iterator[None]:
    """Nothing of the block stays in our database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize(("matrix", "scene"), SCENES)
def test_a_call_may_fail_in_every_way(
    matrix: Matrix, scene: Scene, play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    _begun.add((matrix.slug, scene.route, scene.when))
    caplog.set_level(logging.INFO, "django.template")  # below: of names that a template lacks
    caplog.set_level(logging.DEBUG)
    kept, column, gone_on = play.ground.stage.snapshot(), Column(matrix, scene), set[str]()
    for fault in (None, *matrix.faults):
        play.ground.stage.restore(kept)
        matrix.forget()
        mail.outbox.clear()
        caplog.clear()
        with taken_back(), column.cell(fault) as cell:
            cell.code = _cell(matrix, play, scene, fault, caplog)
            if not cell.differs and (left := f"{cell.code} {shape(play)}") not in gone_on:
                gone_on.add(left)
                _go_on(matrix, play, scene, cell.code)
        play.ground.clear()
    column.judge()
    _seen[matrix.slug, scene.route, scene.when] = column.codes


def _cell(
    matrix: Matrix, play: Play, scene: Scene, fault: Fault | None, caplog: pytest.LogCaptureFixture
) -> str:
    """The fault strikes, and everything but the code is as it should be; then it is over."""
    ground, before, worked = play.ground, _calls(play, scene), _working()
    call = scene.call(play.slug)
    if fault:
        fault.plant(ground, call)
    play.try_again() if scene.brink else scene.act(play)
    code, page = seen(play, scene, fault)
    assert _calls(play, scene) > before + call.skip or ground.bend.struck, "it was never called"
    assert not ground.stranger.visited()
    assert code in (FINE, "by hand") or worked <= _working(), "a working shop was broken"
    if alerts := Alert.objects.filter(cleared=None).count():
        schedule.mail()
    assert len(mail.outbox) == alerts
    assert not leaks(play, matrix.opens, page, caplog.text)
    ground.clear()
    return code


def _go_on(matrix: Matrix, play: Play, scene: Scene, code: str) -> None:
    """The vendor works again, and its rest is over."""
    Breaker.objects.all().delete()
    _mend(play, scene, code)
    assert _made(matrix, play, scene) == scene.after
    if scene.ends:
        assert play.shop.status == scene.ends


def _mend(play: Play, scene: Scene, code: str) -> None:
    """People go on: merchants with their trip, staff by trying again."""
    if scene.mend:
        scene.mend(play)
    elif scene.sort in ("desk", "desk-creates", "catalogue", "check"):
        if code != FINE:
            scene.act(play)
    else:
        play.go_on()


def _working() -> set[int]:
    return set(Connection.objects.filter(status="connected").values_list("pk", flat=True))


def _calls(play: Play, scene: Scene) -> int:
    return play.ground.stage.counts(play.slug)["calls"].get(scene.route, 0)


def _made(matrix: Matrix, play: Play, scene: Scene) -> dict[str, int]:
    stage = play.ground.stage
    made = {**stage.counts(play.slug)["made"], **matrix.count(stage.state(play.slug))}
    return {kind: made[kind] for kind in scene.after}


@pytest.mark.parametrize("matrix", MATRICES, ids=lambda matrix: matrix.slug)
def test_no_documented_call_is_missing(matrix: Matrix, ground: Ground) -> None:
    routes = [route for route in ground.stage.vendors[matrix.slug].routes if not route.page]
    played = {scene.route for scene in matrix.scenes}
    assert played <= {route.name for route in routes} <= {*played, *matrix.not_made}
    assert not played & set(matrix.not_made)


@pytest.mark.parametrize("matrix", MATRICES, ids=lambda matrix: matrix.slug)
def test_no_call_of_ours_is_missing(matrix: Matrix, ground: Ground) -> None:
    """Every path in a client's source is one that is played, or a page that merchants open."""
    source = (ROOT / "vendors" / matrix.slug / "client.py").read_text()
    texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    ours = {text.rstrip("?") for text in texts if isinstance(text, str) and PATH.match(text)}
    pages = [route.name for route in ground.stage.vendors[matrix.slug].routes if route.page]
    known = tuple(bend.plain(name) for name in [*pages, *(row.route for row in matrix.scenes)])
    assert ours
    assert [
        path for path in ours if not any(name.endswith(bend.plain(path)) for name in known)
    ] == []


def test_what_was_seen_stands_in_the_docs(request: pytest.FixtureRequest) -> None:
    """Of a run of some scenes, those. FAULTS=write writes them instead."""
    names = [getattr(each, "originalname", "") for each in request.session.items]
    assert len(_begun) >= names.count(MATRIX_TEST), (
        "one process must play all scenes: --dist loadfile"
    )
    complete = len(_seen) == len(SCENES)
    if complete and os.environ.get("FAULTS") == "write":
        PAPER.write_text(written(_seen, MATRICES))
    paper = PAPER.read_text()
    assert differing(_seen, MATRICES, paper) == [], "run `make faults`, and look at what changed"
    assert not complete or paper == written(_seen, MATRICES), "run `make faults`"


# -- that it bites -------------------------------------------------------------------------------


def unmarked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A creation that is called like any other is made again after a lost answer."""
    send = Api.send

    def careless(api: Api, *given: Any, **more: Any) -> Any:
        return send(api, *given, **{**more, "creates": False})

    monkeypatch.setattr(Api, "send", careless)


def talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody wants to see in the log what was asked for."""
    send = Api.send

    def told(api: Api, *given: Any, **more: Any) -> Any:
        logging.getLogger("vendors").debug("asking as %s", api.auth)
        return send(api, *given, **more)

    monkeypatch.setattr(Api, "send", told)


@pytest.mark.parametrize("damage", [unmarked, talkative], ids=lambda each: each.__name__)
@pytest.mark.parametrize(("matrix", "scene"), [(FIRST, FIRST.scenes[0])])
def test_a_careless_change_turns_it_red(
    damage: Callable[[pytest.MonkeyPatch], None],
    matrix: Matrix,
    scene: Scene,
    play: Play,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    damage(monkeypatch)
    with pytest.raises(AssertionError):
        test_a_call_may_fail_in_every_way(matrix, scene, play, caplog)

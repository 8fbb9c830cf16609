"""The control API below `/_control/` and the front page: for tests and for demo visitors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .http import (
    CASES,
    Answer,
    Html,
    Imitation,
    Refused,
    Request,
    join,
    markup,
    page,
    plain_refusal,
    redirect,
    reply,
)
from .stage import Stage

CSS = """
:root{color-scheme:light dark;--edge:#8886;--soft:#8881;--strong:#0b5cad}
*{box-sizing:border-box}body{margin:0 auto;max-width:46rem;padding:1rem;font:1rem/1.5 system-ui,
sans-serif}header{padding:.5rem 0;border-bottom:1px solid var(--edge)}h1{font-size:1.6rem;
line-height:1.25}.tag{border:1px solid;border-radius:1rem;padding:0 .6rem;font-size:.85rem}
form,fieldset,section{margin:1rem 0}fieldset{border:1px solid var(--edge);border-radius:.5rem}
label{display:block;margin:.4rem 0}input[type=text],input[type=email],select{display:block;
width:100%;max-width:26rem;padding:.5rem;font:inherit;border:1px solid #767676;
border-radius:.3rem}button{font:inherit;padding:.55rem 1rem;border-radius:.3rem;cursor:pointer;
border:1px solid #767676;background:var(--soft);color:inherit}button.main{background:var(--strong);
border-color:var(--strong);color:#fff}:focus-visible{outline:3px solid #f59e0b;outline-offset:2px}
.row{display:flex;flex-wrap:wrap;gap:.6rem}.hint,footer{opacity:.85;font-size:.9rem}
.wide{overflow-x:auto}table{border-collapse:collapse}th,td{border:1px solid var(--edge);
padding:.3rem .5rem;text-align:left;white-space:nowrap}details{margin:1.2rem 0;padding:.6rem;
border:1px dashed var(--edge);border-radius:.5rem}summary{cursor:pointer}
"""

VENDOR = """<section aria-labelledby="{slug}"><h2 id="{slug}">{name}</h2>{tables}
<form method="post" action="/"><input type="hidden" name="vendor" value="{slug}">
<fieldset><legend>Play a case on the next calls</legend>
<label>Calls <select name="route"><option value="*">any call</option>{routes}</select></label>
<p class="row">{cases}</p></fieldset></form></section>"""

FRONT = """<p>What the vendors would be in life, imitated on this machine.</p>{vendors}
<form method="post" action="/"><p class="row"><button name="do" value="clear">Everything works
again</button> <button name="do" value="reset">Forget everything</button></p></form>"""

LABELS = {"lost": "Lost answer after the deed"}


def control(stage: Stage, request: Request) -> Answer | None:
    """The answer to a request that is for the stage itself; None if it is for a vendor."""
    own = OWN.get((request.method, request.path))
    if own is None:
        if request.path.startswith("/_control/"):
            return plain_refusal(404, "Not found.")
        return None
    try:
        return own(stage, request)
    except Refused as no:
        return plain_refusal(no.status, no.message)
    except TimeoutError as late:
        return plain_refusal(408, str(late))
    except (ValueError, TypeError, LookupError) as wrong:
        return plain_refusal(400, str(wrong))


def _front(stage: Stage, _request: Request) -> Answer:
    vendors = join([_section(stage, imitation) for imitation in stage.imitations.values()])
    return page("the vendors", "The vendors", markup(FRONT, vendors=vendors))


def _section(stage: Stage, imitation: Imitation) -> Html:
    state = stage.state(imitation.slug)
    tables = [
        _table(imitation.name, kind, columns, state.get(kind, []))
        for kind, columns in imitation.shows.items()
    ]
    options = [
        markup('<option value="{name}">{name}</option>', name=route.name)
        for route in imitation.routes
        if not route.page
    ]
    buttons = [
        markup('<button name="case" value="{c}">{l}</button>', c=c, l=LABELS.get(c, c.title()))
        for c in CASES
    ]
    parts = {"tables": join(tables), "routes": join(options), "cases": join(buttons)}
    return markup(VENDOR, slug=imitation.slug, name=imitation.name, **parts)


def _table(vendor: str, kind: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> Html:
    if not rows:
        return markup("<p>No {kind} yet.</p>", kind=kind)
    head = join([markup('<th scope="col">{c}</th>', c=column) for column in columns])
    body = [
        markup("<tr>{cells}</tr>", cells=join([markup("<td>{v}</td>", v=row[c]) for c in columns]))
        for row in rows[-50:]
    ]
    table = '<div class="wide" tabindex="0" role="region" aria-label="{vendor} {kind}"><table>'
    table += (
        "<caption>{kind}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return markup(table, vendor=vendor, kind=kind, head=head, body=join(body))


def _front_post(stage: Stage, request: Request) -> Answer:
    form = request.form()
    if form.get("do") == "reset":
        stage.reset()
    elif form.get("do") == "clear":
        stage.clear()
    else:
        stage.play(form.get("vendor", ""), form.get("case", ""), form.get("route", "*"))
    return redirect("/")


def _css(_stage: Stage, _request: Request) -> Answer:
    return Answer(200, CSS.encode(), {"Content-Type": "text/css"})


def _no_icon(_stage: Stage, _request: Request) -> Answer:
    return Answer(204)


def _counts(stage: Stage, _request: Request) -> Answer:
    return reply({slug: stage.counts(slug) for slug in stage.imitations})


def _state(stage: Stage, _request: Request) -> Answer:
    return reply({slug: stage.state(slug) for slug in stage.imitations})


def _fault(stage: Stage, request: Request) -> Answer:
    body = request.json()
    params = body.pop("params", {})
    stage.fault(**body, **params)
    return reply({}, 201)


def _play(stage: Stage, request: Request) -> Answer:
    stage.play(**request.json())
    return reply({}, 201)


def _clear(stage: Stage, request: Request) -> Answer:
    stage.clear(**request.json())
    return reply({})


def _arrived(stage: Stage, request: Request) -> Answer:
    return reply({"arrived": stage.arrived(**request.json())})


def _release(stage: Stage, request: Request) -> Answer:
    return reply({"released": stage.release(**request.json())})


def _change(stage: Stage, request: Request) -> Answer:
    body = request.json()
    fields = body.pop("set", {})
    return reply({"changed": stage.change(**body, **fields)})


def _reset(stage: Stage, request: Request) -> Answer:
    request.json()
    stage.reset()
    return reply({})


OWN: dict[tuple[str, str], Callable[[Stage, Request], Answer]] = {
    ("GET", "/"): _front,
    ("POST", "/"): _front_post,
    ("GET", "/sandbox.css"): _css,
    ("GET", "/favicon.ico"): _no_icon,
    ("GET", "/_control/counts"): _counts,
    ("GET", "/_control/state"): _state,
    ("POST", "/_control/fault"): _fault,
    ("POST", "/_control/play"): _play,
    ("POST", "/_control/clear"): _clear,
    ("POST", "/_control/arrived"): _arrived,
    ("POST", "/_control/release"): _release,
    ("POST", "/_control/change"): _change,
    ("POST", "/_control/reset"): _reset,
}

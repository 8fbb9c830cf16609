"""Control API below `/_control/` for tests, and the front page for visitors of a demo."""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from .dispatch import Sandboxes
from .http import CASES, Request, Response, error_response, json_response, redirect
from .pages import page
from .routing import Sandbox
from .state import Row

CSS = """
:root{color-scheme:light dark;--canvas:#f6f4f1;--surface:#fff;--ink:#1d1a16;--quiet:#5f584f;
--edge:#8b8378;--line:#ddd6cc;--strong:#0b5cad;--on-strong:#fff}
@media (prefers-color-scheme:dark){:root{--canvas:#15130f;--surface:#201d18;--ink:#f3efe8;
--quiet:#b9b1a5;--edge:#8b8378;--line:#3a352d;--strong:#8cc4ff;--on-strong:#0a1a2b}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:46rem;padding:1rem;background:var(--canvas);color:var(--ink);
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header{display:flex;gap:.6rem;align-items:center;padding:.5rem 0 .9rem;
border-bottom:1px solid var(--line)}
main{margin:1.2rem 0;padding:1.2rem;border:1px solid var(--line);border-radius:.8rem;
background:var(--surface)}
h1{margin:0 0 .8rem;font-size:1.6rem;line-height:1.25}h2{font-size:1.2rem}
a{color:var(--strong)}
.tag{border:1px solid var(--edge);border-radius:1rem;padding:0 .6rem;color:var(--quiet);
font-size:.85rem}
form,fieldset,section{margin:1rem 0}
fieldset{min-width:0;border:1px solid var(--line);border-radius:.5rem}
label{display:block;margin:.4rem 0}
input[type=text],input[type=email],input[type=password],select{display:block;width:100%;
max-width:26rem;min-height:2.75rem;padding:.5rem .7rem;border:1px solid var(--edge);
border-radius:.5rem;background:var(--surface);color:inherit;font:inherit}
button{min-height:2.75rem;padding:.5rem 1rem;border:1px solid var(--edge);border-radius:.5rem;
background:var(--surface);color:var(--ink);font:inherit;font-weight:600;cursor:pointer}
button:hover{border-color:var(--ink)}
button.main{border-color:var(--strong);background:var(--strong);color:var(--on-strong)}
:focus-visible{outline:3px solid var(--strong);outline-offset:2px}
.row{display:flex;flex-wrap:wrap;gap:.6rem}
.hint,footer{color:var(--quiet);font-size:.9rem}
.wide{overflow-x:auto}table{border-collapse:collapse}
th,td{border:1px solid var(--line);padding:.3rem .5rem;text-align:left;white-space:nowrap}
details{margin:1.2rem 0;padding:.8rem;border:1px dashed var(--edge);border-radius:.5rem}
summary{min-height:1.5rem;cursor:pointer}
@media print{button{display:none}}
"""

VENDOR = Markup("""<section aria-labelledby="{slug}"><h2 id="{slug}">{name}</h2>{tables}
<form method="post" action="/"><input type="hidden" name="vendor" value="{slug}">
<fieldset><legend>Play a case on the next calls</legend>
<label>Calls <select name="route"><option value="*">any call</option>{routes}</select></label>
<p class="row">{cases}</p></fieldset></form></section>""")

FRONT = Markup("""<p>What the vendors would be in life, imitated on this machine.</p>{vendors}
<form method="post" action="/"><p class="row"><button name="do" value="clear">Everything works
again</button> <button name="do" value="reset">Forget everything</button></p></form>""")

TABLE = Markup(
    """<div class="wide" tabindex="0" role="region" aria-label="{vendor} {kind}"><table>
<caption>{kind}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"""
)
HEAD = Markup('<th scope="col">{text}</th>')
CELL = Markup("<td>{text}</td>")
OPTION = Markup('<option value="{name}">{name}</option>')
BUTTON = Markup('<button name="case" value="{case}">{label}</button>')

Handler = Callable[[Sandboxes, Request], Response]

LABELS = {"lost": "Lost answer after the deed"}


def control(sandboxes: Sandboxes, request: Request) -> tuple[str, Response]:
    """The route for the log, and the response of the control API or the front page.

    Errors: 404 and 405 for the route, 400 for wrong arguments, 408 if a wait takes too long.
    """
    try:
        own, _ = ROUTES.bind("").match(request.path, request.method)
    except HTTPException as no:
        return "-", error_response(no.code or 404, no.description or "")
    return request.path, _call(own, sandboxes, request)


def _call(own: Handler, sandboxes: Sandboxes, request: Request) -> Response:
    try:
        return own(sandboxes, request)
    except HTTPException as no:
        return error_response(no.code or 400, no.description or "")
    except TimeoutError as late:
        return error_response(408, str(late))
    except (ValueError, TypeError, LookupError) as wrong:
        return error_response(400, str(wrong))


def _front(sandboxes: Sandboxes, _request: Request) -> Response:
    sections = [_section(sandboxes, sandbox) for sandbox in sandboxes.vendors.values()]
    return page("the vendors", "The vendors", FRONT.format(vendors=Markup().join(sections)))


def _section(sandboxes: Sandboxes, sandbox: Sandbox) -> Markup:
    state = sandboxes.state(sandbox.slug)
    tables = [
        _table(sandbox.name, kind, columns, state.get(kind, []))
        for kind, columns in sandbox.shows.items()
    ]
    options = [OPTION.format(name=route.name) for route in sandbox.routes if not route.page]
    buttons = [BUTTON.format(case=case, label=LABELS.get(case, case.title())) for case in CASES]
    return VENDOR.format(
        slug=sandbox.slug,
        name=sandbox.name,
        tables=Markup().join(tables),
        routes=Markup().join(options),
        cases=Markup().join(buttons),
    )


def _table(vendor: str, kind: str, columns: tuple[str, ...], rows: list[Row]) -> Markup:
    if not rows:
        return Markup("<p>No {kind} yet.</p>").format(kind=kind)
    head = Markup().join([HEAD.format(text=column) for column in columns])
    body = Markup().join([_row([row[column] for column in columns]) for row in rows[-50:]])
    return TABLE.format(vendor=vendor, kind=kind, head=head, body=body)


def _row(values: list[object]) -> Markup:
    cells = [CELL.format(text=value) for value in values]
    return Markup("<tr>{cells}</tr>").format(cells=Markup().join(cells))


def _front_post(sandboxes: Sandboxes, request: Request) -> Response:
    form = request.form_fields()
    if form.get("do") == "reset":
        sandboxes.reset()
    elif form.get("do") == "clear":
        sandboxes.clear()
    else:
        sandboxes.play(form.get("vendor", ""), form.get("case", ""), form.get("route", "*"))
    return redirect("/")


def _css(_sandboxes: Sandboxes, _request: Request) -> Response:
    return Response(CSS, mimetype="text/css")


def _no_icon(_sandboxes: Sandboxes, _request: Request) -> Response:
    return Response(status=204)


def _counts(sandboxes: Sandboxes, _request: Request) -> Response:
    return json_response({slug: sandboxes.counts(slug) for slug in sandboxes.vendors})


def _state(sandboxes: Sandboxes, _request: Request) -> Response:
    return json_response({slug: sandboxes.state(slug) for slug in sandboxes.vendors})


def _fault(sandboxes: Sandboxes, request: Request) -> Response:
    body = request.json_object()
    params = body.pop("params", {})
    sandboxes.fault(**body, **params)
    return json_response({}, 201)


def _play(sandboxes: Sandboxes, request: Request) -> Response:
    sandboxes.play(**request.json_object())
    return json_response({}, 201)


def _clear(sandboxes: Sandboxes, request: Request) -> Response:
    sandboxes.clear(**request.json_object())
    return json_response({})


def _arrived(sandboxes: Sandboxes, request: Request) -> Response:
    return json_response({"arrived": sandboxes.wait_until_held(**request.json_object())})


def _release(sandboxes: Sandboxes, request: Request) -> Response:
    return json_response({"released": sandboxes.release(**request.json_object())})


def _change(sandboxes: Sandboxes, request: Request) -> Response:
    body = request.json_object()
    fields = body.pop("set", {})
    return json_response({"changed": sandboxes.change(**body, **fields)})


def _reset(sandboxes: Sandboxes, request: Request) -> Response:
    request.json_object()
    sandboxes.reset()
    return json_response({})


ROUTES = Map(
    [
        Rule("/", methods=["GET"], endpoint=_front),
        Rule("/", methods=["POST"], endpoint=_front_post),
        Rule("/sandbox.css", methods=["GET"], endpoint=_css),
        Rule("/favicon.ico", methods=["GET"], endpoint=_no_icon),
        Rule("/_control/counts", methods=["GET"], endpoint=_counts),
        Rule("/_control/state", methods=["GET"], endpoint=_state),
        Rule("/_control/fault", methods=["POST"], endpoint=_fault),
        Rule("/_control/play", methods=["POST"], endpoint=_play),
        Rule("/_control/clear", methods=["POST"], endpoint=_clear),
        Rule("/_control/arrived", methods=["POST"], endpoint=_arrived),
        Rule("/_control/release", methods=["POST"], endpoint=_release),
        Rule("/_control/change", methods=["POST"], endpoint=_change),
        Rule("/_control/reset", methods=["POST"], endpoint=_reset),
    ],
    merge_slashes=False,
)

"""HTML pages of the sandboxes. They work without JavaScript."""

from __future__ import annotations

from markupsafe import Markup

from .http import Response

PAGE = Markup("""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{heading} - {name} (sandbox)</title><link rel="stylesheet" href="/sandbox.css"></head>
<body><header><strong>{name}</strong> <span class="tag">sandbox</span></header>
<main><h1>{heading}</h1>{body}</main>
<footer><p>An imitation of {name}. Nothing here leaves this machine.</p></footer>
</body></html>""")

CASE_BUTTONS = Markup(
    """<details><summary>Play another case</summary>
<p>Choose what goes wrong from here on.</p>
<p class="row"><button name="case" value="expired">Expired</button>
<button name="case" value="slow">Slow</button>
<button name="case" value="dead">Dead</button>
<button name="case" value="garbled">Garbled</button>
<button name="case" value="lost">Lost answer after the deed</button></p>
<p class="hint">Slow, dead and garbled last a minute; the lost answer happens once.</p></details>"""
)


def page(name: str, heading: str, body: Markup, status: int = 200) -> Response:
    """A whole HTML page of the vendor called `name`."""
    html = PAGE.format(name=name, heading=heading, body=body)
    return Response(html, status, mimetype="text/html")

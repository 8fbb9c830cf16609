"""Page of the reseller's agreement in the Sharespine sandbox: may it manage tenants by the API?

Whether a reseller can deactivate and delete tenants by the API is not documented: here it cannot,
until somebody switches it on.
"""

from __future__ import annotations

from markupsafe import Markup

from vendors.sandbox import Refused, Request, Response, Store, page, redirect

PAGE = Markup("""<p>This reseller <strong>{state}</strong> deactivate and delete tenants by the API. Whether
yours can is not documented: ask Sharespine, then set <code>SHARESPINE_MANAGE</code>.</p>
<form method="post"><p class="row"><button class="main" name="manage" value="{to}">{label}</button>
</p></form>""")


def manages(store: Store) -> bool:
    row = store.get("agreements", "manage")
    return bool(row and row["on"])


def show(_request: Request, store: Store) -> Response:
    on = manages(store)
    words = ("can", "0", "Switch it off") if on else ("cannot", "1", "Switch it on")
    body = PAGE.format(state=words[0], to=words[1], label=words[2])
    return page("Sharespine", "What was agreed with the reseller", body)


def switch(request: Request, store: Store) -> Response:
    wanted = request.form_fields().get("manage")
    if wanted not in {"0", "1"}:
        raise Refused(400, "Choose one of the buttons.")
    if store.get("agreements", "manage") is None:
        store.add("agreements", "manage", on=False)
    store.change("agreements", "manage", on=wanted == "1")
    return redirect("/sharespine/operator")

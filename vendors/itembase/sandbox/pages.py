"""Merchants' pages of the itembase sandbox: connecting a store, and the OAuth consent."""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import quote, urlencode, urlsplit

from markupsafe import Markup

from vendors.sandbox import CASE_BUTTONS, Refused, Request, Response, Row, Store, page, redirect

from .accounts import CLIENT_ID, CODE_SECONDS, SCOPES, add_code, registered, signed_in
from .selfservice import COMPONENTS, activated, connected

NAME = "itembase"
COOKIE = "itembase_sandbox"
ANY_TOKEN_CALL = "* /accounts/oauth/v2/token"

PROCESS = Markup("""<form method="post">
<p><strong>{client}</strong> asks to connect: <strong>{connectors}</strong></p>
{who}{store}
<p class="row"><button class="main" name="case" value="approve">Connect the store</button>
<button name="case" value="decline">Cancel</button></p>{cases}
<details><summary>Connect in another way</summary>
<p class="row"><button name="case" value="unactivated">Connect, activate later</button>
<button name="case" value="several">Connect two stores</button>
<button name="case" value="pending">Connect, still being checked</button>
<button name="case" value="attention">Connect, with a problem</button></p>
</details></form>{desk}""")

STORE = Markup("""<label>Name of the store
<input type="text" name="store" value="{name}" required maxlength="80"></label>""")

CONSENT = Markup("""<form method="post">
<p><strong>{client}</strong> asks for access to your itembase account:</p><ul>{scopes}</ul>{who}
<p class="row"><button class="main" name="case" value="approve">Allow</button>
<button name="case" value="decline">Deny</button></p>{cases}</form>{desk}""")

DESK = Markup('<p><a href="/itembase/accounts/stores">Users and stores at itembase</a></p>')

PICKER = Markup("""<fieldset><legend>Sign in to itembase as</legend>{known}
<label><input type="radio" name="user" value="new"{chosen}> a new user</label>
<label>Email of the new user
<input type="email" name="email" value="{email}" autocomplete="off"></label></fieldset>""")

CHOICE = Markup("""<label><input type="radio" name="user" value="{id}"{chosen}> {email}</label>""")
BACK = Markup("""<p>{message}</p><p><a href="{url}">Back to {host}</a></p>""")
CHECKED = Markup(" checked")
STATUSES = {"pending": "connection.pending", "attention": "connection.invalid"}


def process(request: Request, store: Store) -> Response:
    """The page behind a token's `uri`, with `redirect_uri` as GET parameter."""
    token, back = _token(request, store), _back(request)
    over = _over(token, back)
    if over:
        return over
    names = ", ".join(_connectors(token, store))
    body = PROCESS.format(
        client=CLIENT_ID,
        connectors=names,
        who=_signed_in_as(token, store) or picker(request, store),
        store=Markup("") if token["instance_id"] else _store_name(names, store),
        cases=CASE_BUTTONS,
        desk=DESK,
    )
    return page(NAME, f"Connect {names}", body)


def process_done(request: Request, store: Store) -> Response:
    token, back = _token(request, store), _back(request)
    over = _over(token, back)
    if over:
        return over
    form = request.form_fields()
    case = form.get("case", "")
    if case == "expired":
        token = store.change("tokens", token["id"], expires_at=0)
        return _over(token, back) or Response(status=500)
    if case == "decline":
        store.change("tokens", token["id"], status="declined")
        return _leave(back, "Nothing was connected.", token, "The user has cancelled.")
    _known_case(case, "unactivated", "several", *STATUSES)
    user = signed_in(store, token["user"] or form.get("user", ""), form.get("email", "").strip())
    name, status = form.get("store", "").strip(), STATUSES.get(case, "connection.valid")
    names = [name, f"{name} (second)"] if case == "several" else [name]
    connected(store, token, user, names, status)
    if case != "unactivated":
        activated(store, user["id"])
    response = _leave(back, "The store is connected. You can close this page.", token)
    return _remember(response, user).then_play(case, user["id"], _route(case))


def _known_case(case: str, *more: str) -> None:
    if case not in {"approve", "slow", "dead", "garbled", "lost", *more}:
        raise Refused(400, "Choose one of the buttons.")


def _route(case: str) -> str:
    # What hurts most to lose is the answer that carries the tokens.
    return ANY_TOKEN_CALL if case == "lost" else "*"


def _token(request: Request, store: Store) -> Row:
    token = store.get("tokens", request.params["token"])
    if token is None:
        raise Refused(404, "This link does not exist.")
    return token


def _back(request: Request) -> str:
    """The caller's redirect_uri; "" if none was given."""
    url = request.args.get("redirect_uri", "")
    odd = any(sign <= " " or sign == "\\" for sign in url)
    if url and (odd or urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
        raise Refused(400, "redirect_uri is not a web address.")
    return url


def _over(token: Row, back: str) -> Response | None:
    """The page for a token that can no longer be used, or None."""
    if token["status"] != "new":
        heading, error, message = "Already finished", "", "This link has been used."
    elif token["expires_at"] <= time.time():
        heading, error = "This link has expired", "The token has expired."
        message = "It was only valid for a limited time. Start again where you came from."
    else:
        return None
    body = Markup("<p>{message}</p>").format(message=message)
    if back:
        url, host = _returned(back, token, error), urlsplit(back).hostname
        body = BACK.format(message=message, url=url, host=host)
    return page(NAME, heading, body, 410)


def _returned(back: str, token: Row, error: str = "") -> str:
    return merged(back, {"ibsstoken": token["id"]} | ({"error": error} if error else {}))


def merged(url: str, params: Mapping[str, str]) -> str:
    """`url` with `params` after the query that it already has."""
    parts = urlsplit(url)
    added = urlencode(params, quote_via=quote)
    return parts._replace(query=f"{parts.query}&{added}" if parts.query else added).geturl()


def _leave(back: str, message: str, token: Row, error: str = "") -> Response:
    if back:
        return redirect(_returned(back, token, error))
    return page(NAME, "Finished", Markup("<p>{message}</p>").format(message=message))


def _connectors(token: Row, store: Store) -> list[str]:
    if token["instance_id"]:
        held = store.get("connections", token["instance_id"])
        return [str(held["name"])] if held else []
    return [COMPONENTS[component] for component in token["component_ids"]]


def _store_name(names: str, store: Store) -> Markup:
    number = store.count().get("connections", 0) + 1
    return STORE.format(name=f"{names} store {number}")


def _signed_in_as(token: Row, store: Store) -> Markup:
    user = store.get("users", token["user"]) if token["user"] else None
    text = Markup("<p>Signed in to itembase as <strong>{email}</strong></p>")
    return text.format(email=user["email"]) if user else Markup("")


def picker(request: Request, store: Store) -> Markup:
    users, current = store.rows("users"), request.cookies.get(COOKIE, "")
    known = [
        CHOICE.format(id=u["id"], email=u["email"], chosen=_checked(u["id"] == current))
        for u in users
    ]
    new = _checked(current not in {user["id"] for user in users})
    email = f"merchant{len(users) + 1}@shop.example"
    return PICKER.format(known=Markup().join(known), chosen=new, email=email)


def _checked(yes: bool) -> Markup:
    return CHECKED if yes else Markup("")


def _remember(response: Response, user: Row) -> Response:
    response.set_cookie(COOKIE, user["id"], path="/itembase", httponly=True, samesite="Lax")
    return response


# Reference: "Authorization and authentication with OAuth 2.0", steps 1 to 3
def consent(request: Request, store: Store) -> Response:
    wrong = _wrong_request(request)
    if wrong:
        return wrong
    scopes = Markup().join(
        [Markup("<li>{s}</li>").format(s=s) for s in request.args["scope"].split()]
    )
    who = picker(request, store)
    body = CONSENT.format(client=CLIENT_ID, scopes=scopes, who=who, cases=CASE_BUTTONS, desk=DESK)
    return page(NAME, "Allow access", body)


def consent_done(request: Request, store: Store) -> Response:
    wrong = _wrong_request(request)
    if wrong:
        return wrong
    args, form = request.args, request.form_fields()
    case = form.get("case", "")
    if case == "decline":
        return _oauth_back(args, {"error": "access_denied"})
    _known_case(case, "expired")
    user = signed_in(store, form.get("user", ""), form.get("email", "").strip())
    lives = 0 if case == "expired" else CODE_SECONDS
    code = add_code(store, user, args["scope"], args["redirect_uri"], lives)
    response = _remember(_oauth_back(args, {"code": code}), user)
    return response.then_play(case, user["id"], _route(case))


def _wrong_request(request: Request) -> Response | None:
    """RFC 6749, 4.1.2.1: nobody is sent to an address that was not registered."""
    args = request.args
    if args.get("client_id") != CLIENT_ID:
        raise Refused(400, "client_id is missing or unknown.")
    if not registered(args.get("redirect_uri", "")):
        raise Refused(400, "redirect_uri is not registered.")
    if args.get("response_type") != "code":
        return _oauth_back(args, {"error": "unsupported_response_type"})
    scopes = set(args.get("scope", "").split())
    if "user.minimal" not in scopes or scopes - SCOPES:
        return _oauth_back(args, {"error": "invalid_scope"})
    return None


def _oauth_back(args: Mapping[str, str], params: dict[str, str]) -> Response:
    state = {"state": args["state"]} if "state" in args else {}
    return redirect(merged(args["redirect_uri"], params | state))

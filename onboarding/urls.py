"""URL patterns of the site, and its error handlers."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from .notifications import demo_mail
from .people import (
    addresses,
    factors,
    former_addresses,
    passkeys,
    passwords,
    reauthentication,
    second_step,
    security_events,
    sign_in,
)
from .views import brand, languages, mails, sessions, well_known
from .views.attempt import attempts, wrong_shop
from .views.rights import closing, data
from .views.shop import actions, home, receipts, reveal, shops, waiting
from .views.start import business, catalogue, connect, requests
from .views.team import events, invitations, members, names
from .views.vendor_trip import elsewhere, returns

MERCHANT = "m/<slug:merchant>"
ATTEMPT = f"{MERCHANT}/attempts/<slug:reference>"
SHOP = f"{MERCHANT}/shops/<slug:reference>"
TEAM = f"{MERCHANT}/team"
RECOVERY_CODES = "accounts/2fa/recovery-codes"

urlpatterns = [
    path("", catalogue.start, name="start"),
    path("connectors/", catalogue.catalogue, name="catalogue"),
    path("connectors/ask/", requests.ask, name="ask"),
    path("language/", languages.choose, name="language"),
    path("connect/<slug:platform>/", catalogue.platform, name="platform"),
    path("go/<slug:slug>/", connect.go, name="go"),
    path("welcome/", business.welcome, name="welcome"),
    path("shops/", business.shops, name="shops"),
    path(f"{MERCHANT}/", home.home, name="home"),
    path(f"{MERCHANT}/connect/<slug:slug>/", connect.connect, name="connect"),
    path(f"{MERCHANT}/connect/<slug:slug>/leave-it/", connect.join_waitlist, name="leave-it"),
    path(f"{MERCHANT}/connect/<slug:slug>/forget-it/", waiting.forget, name="forget-it"),
    path(f"{ATTEMPT}/", attempts.attempt, name="attempt"),
    path(f"{ATTEMPT}/status/", attempts.status, name="attempt-status"),
    path(f"{ATTEMPT}/continue/", attempts.continue_attempt, name="continue"),
    path(f"{ATTEMPT}/finish/", attempts.finish, name="finish"),
    path(f"{ATTEMPT}/answer/", attempts.answer, name="answer"),
    path(f"{ATTEMPT}/check/", attempts.check_again, name="check-again"),
    path(f"{ATTEMPT}/here/", elsewhere.here, name="return-here"),
    path(f"{ATTEMPT}/use/", wrong_shop.use_found, name="use-found"),
    path(f"{ATTEMPT}/back/", wrong_shop.reject_found, name="go-back"),
    path(f"{ATTEMPT}/both/", wrong_shop.connect_both, name="both"),
    path(f"{SHOP}/", shops.connection, name="connection"),
    path(f"{SHOP}/status/", shops.status, name="connection-status"),
    path(f"{SHOP}/reconnect/", shops.reconnect, name="reconnect"),
    path(f"{SHOP}/enter/", shops.enter, name="enter"),
    path(f"{SHOP}/pause/", shops.pause, name="pause"),
    path(f"{SHOP}/resume/", shops.resume, name="resume"),
    path(f"{SHOP}/disconnect/", shops.disconnect, name="disconnect"),
    path(f"{SHOP}/remove/", shops.remove, name="remove"),
    path(f"{SHOP}/rename/", shops.rename, name="rename"),
    path(f"{SHOP}/receipt/", receipts.newest, name="shop-receipt"),
    path(f"{SHOP}/receipt/<slug:consent>/", receipts.older, name="shop-receipt-older"),
    path(
        f"{SHOP}/receipt/<slug:consent>/download/",
        receipts.download,
        name="shop-receipt-download",
    ),
    path(f"{SHOP}/actions/<slug:key>/", actions.act, name="act"),
    path(f"{SHOP}/secrets/", reveal.show, name="reveal"),
    path(f"{SHOP}/secrets/download/", reveal.download, name="reveal-download"),
    path(f"{SHOP}/secrets/kept/", reveal.confirm, name="reveal-kept"),
    path(f"{TEAM}/", members.team, name="team"),
    path(f"{TEAM}/events/", events.events, name="team-events"),
    path(f"{TEAM}/invite/", members.invite, name="invite"),
    path(f"{TEAM}/invitations/<slug:invitation>/send/", members.send_again, name="send-again"),
    path(f"{TEAM}/invitations/<slug:invitation>/revoke/", members.revoke, name="revoke"),
    path(f"{TEAM}/members/<int:member>/role/", members.change_role, name="change-role"),
    path(f"{TEAM}/members/<int:member>/rights/", members.change_rights, name="change-rights"),
    path(f"{TEAM}/members/<int:member>/remove/", members.remove, name="remove-member"),
    path(f"{TEAM}/leave/", members.leave, name="leave-team"),
    path(f"{MERCHANT}/name/", names.rename_business, name="rename-business"),
    path(f"{MERCHANT}/data/", data.of_business, name="business-data"),
    path(f"{MERCHANT}/data/download/", data.download_business, name="business-data-download"),
    path(f"{MERCHANT}/close/", closing.close_business, name="close-business"),
    path("receipts/<slug:reference>/", closing.receipt, name="receipt"),
    path("invitations/<slug:reference>/", invitations.invitation, name="invitation"),
    path("return/<slug:vendor>", returns.arrive),  # as some vendors write it; never a redirect
    path("return/<slug:vendor>/", returns.arrive, name="return"),
    path("return/<slug:vendor>/lost/", returns.lost, name="return-lost"),
    path("return/<slug:vendor>/elsewhere/", elsewhere.signed_out, name="return-elsewhere"),
    path("admin/", admin.site.urls),
    path("accounts/login/", sign_in.request_code, name="account_login"),
    path("accounts/login/password/", sign_in.password, name="account_login_password"),
    path("accounts/login/code/", sign_in.code_expired, name="account_request_login_code"),
    path("accounts/login/code/confirm/", sign_in.enter_code, name="account_confirm_login_code"),
    path("accounts/signup/", sign_in.sign_up, name="account_signup"),
    path("accounts/sessions/", sessions.sessions_page, name="sessions"),
    path("mails/", mails.by_link, name="mails"),
    path("accounts/mails/works/", mails.works_again, name="address-works"),
    path("accounts/mails/", mails.own, name="own-mails"),
    path("accounts/name/", names.own_name, name="own-name"),
    path("accounts/events/", security_events.own_events, name="account_events"),
    path("accounts/email/", addresses.addresses, name="account_email"),
    path(
        "accounts/confirm-email/", addresses.confirm_address, name="account_email_verification_sent"
    ),
    path("accounts/take-back/<slug:reference>/", former_addresses.take_back, name="take-back"),
    path("accounts/password/reset/", passwords.forgotten_password, name="account_reset_password"),
    path(
        "accounts/password/reset/confirm/",
        passwords.enter_code,
        name="account_confirm_password_reset_code",
    ),
    path(
        "accounts/password/reset/complete/",
        passwords.choose_new,
        name="account_complete_password_reset",
    ),
    path(
        "accounts/reauthenticate/code/",
        reauthentication.enter_code,
        name="account_reauthenticate_code",
    ),
    path("accounts/data/", data.own, name="own-data"),
    path("accounts/data/download/", data.download_own, name="own-data-download"),
    path("accounts/close/", closing.close_account, name="close-account"),
    path("accounts/2fa/webauthn/login/", sign_in.passkey, name="mfa_login_webauthn"),
    path("accounts/2fa/webauthn/add/", passkeys.add_passkey, name="mfa_add_webauthn"),
    path("accounts/2fa/authenticate/", second_step.second_step, name="mfa_authenticate"),
    path("accounts/2fa/reauthenticate/", second_step.still_you, name="mfa_reauthenticate"),
    path("accounts/2fa/set-up/", factors.set_up, name="mfa_set_up"),
    path("accounts/2fa/totp/activate/", factors.activate_app, name="mfa_activate_totp"),
    path("accounts/2fa/totp/deactivate/", factors.remove_app, name="mfa_deactivate_totp"),
    path(f"{RECOVERY_CODES}/", factors.recovery_codes, name="mfa_view_recovery_codes"),
    path(
        f"{RECOVERY_CODES}/generate/",
        factors.new_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        f"{RECOVERY_CODES}/download/",
        factors.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path(
        f"{RECOVERY_CODES}/saved/",
        factors.confirm_recovery_codes,
        name="mfa_confirm_recovery_codes",
    ),
    path("accounts/", include("allauth.urls")),
    path("brand.css", brand.brand_css, name="brand_css"),
    path("favicon.ico", well_known.favicon),
    re_path(r"^apple-touch-icon[\w-]*\.png$", well_known.nothing_here),
    path("robots.txt", well_known.robots),
    path(".well-known/change-password", well_known.change_password),
    path(".well-known/security.txt", well_known.security, name="security_txt"),
    path(".well-known/gangway-receipt-keys.json", well_known.receipt_keys, name="receipt-keys"),
    path("security.txt", RedirectView.as_view(pattern_name="security_txt")),
    path("demo/mails/", demo_mail.demo_mails, name="demo_mails"),
    path("demo/mails/<slug:key>/", demo_mail.demo_mail_html, name="demo_mail_html"),
]

handler400 = "onboarding.views.errors.bad_request"
handler403 = "onboarding.views.errors.forbidden"
handler404 = "onboarding.views.errors.not_found"
handler500 = "onboarding.views.errors.server_error"
handler429 = "onboarding.people.limits.too_many_requests"

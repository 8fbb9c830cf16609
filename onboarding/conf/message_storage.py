"""Storage of one-time messages: Django's, with a cookie name of our own (`MESSAGES_COOKIE_NAME`)."""

from __future__ import annotations

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class MessageCookie(CookieStorage):
    cookie_name = settings.MESSAGES_COOKIE_NAME


class MessageStorage(FallbackStorage):
    """In a cookie; what does not fit into it, in the session."""

    storage_classes = (MessageCookie, SessionStorage)

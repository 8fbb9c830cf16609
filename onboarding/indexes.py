"""The indexes that the lists, the sweep and the retention need with a million shops."""

from __future__ import annotations

from django.db.models import Index, Q

CONNECTION = [
    # the admin's filters, the newest first
    Index(fields=["status", "-id"], name="connection_status"),
    Index(fields=["turn", "-id"], name="connection_turn"),
    Index(fields=["-created"], name="connection_created"),
    Index(fields=["vendor"], condition=~Q(task=""), name="connection_task"),
    # whether an alert may clear; whom to warn of an end
    Index(fields=["vendor", "cause"], name="connection_cause"),
    Index(fields=["expires"], condition=Q(expires__isnull=False), name="connection_expires"),
]
ATTEMPT = [
    Index(fields=["deadline"], condition=Q(ended=None), name="attempt_open_deadline"),
    Index(fields=["cause"], condition=Q(ended=None), name="attempt_open_cause"),
    Index(fields=["ended"], condition=Q(ended__isnull=False), name="attempt_ended"),
]
EVENT = [Index(fields=["at"], name="event_at")]
NOTICE = [Index(fields=["expires"], condition=Q(mailed=None), name="notice_unsent")]

"""gunicorn.conf.py with short time limits and little room, so that a test sees them at work."""

from __future__ import annotations

import runpy
import sys

from onboarding.web_server import worker
from tests.support.site import ROOT

sys.path.insert(0, str(ROOT))
globals().update(runpy.run_path(str(ROOT / "gunicorn.conf.py")))

worker.FOR_HEAD = 1.0
worker.FOR_BODY = 1.5
worker.FOR_ANSWER = 1.0
worker.LEAST_RATE = 1_000_000
worker.MOST_HELD = 1_000_000
keepalive = 1
workers = 1
worker_connections = 60

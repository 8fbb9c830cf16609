"""Management commands for operators: staff and worker; doctor: test_doctor.py."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from onboarding.background.shutdown import stop_on_signal
from onboarding.models import User
from tests.support.site import wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
def test_staff_makes_one_user_with_a_verified_address() -> None:
    for _ in range(2):
        call_command("staff", " Staff@Example.com ", stdout=StringIO())
    user = User.objects.get()
    assert (user.email, user.is_staff, user.is_superuser) == ("staff@example.com", True, True)
    assert not user.has_usable_password()
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.verified, address.primary) == (user.email, True, True)


@pytest.mark.django_db
def test_staff_raises_a_user_who_signed_up_as_a_merchant() -> None:
    user = User.objects.create_user("ann@example.com")
    EmailAddress.objects.create(user=user, email=user.email, verified=False, primary=False)
    call_command("staff", "ann@example.com", stdout=StringIO())
    user.refresh_from_db()
    assert user.is_staff
    assert EmailAddress.objects.get().verified


@pytest.mark.django_db
def test_staff_wants_an_address() -> None:
    with pytest.raises(CommandError, match="Enter an email address such as"):
        call_command("staff", "ann")
    assert not User.objects.exists()


def test_sigterm_asks_the_work_to_stop() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signal() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_worker_ends_at_sigterm_with_status_0(fresh_environment: dict[str, str]) -> None:
    manage = [sys.executable, "manage.py"]
    for command in (["migrate", "--verbosity", "0"], ["createcachetable"]):
        subprocess.run([*manage, *command], cwd=ROOT, env=fresh_environment, check=True)
    with subprocess.Popen(
        [*manage, "worker"], cwd=ROOT, env=fresh_environment, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout
        assert worker.stdout.readline() == "Worker started\n"
        wait_until(
            "Linux knows that it is a batch job",
            lambda: os.sched_getscheduler(worker.pid) == os.SCHED_BATCH,
        )
        worker.terminate()
        assert worker.stdout.read() == "Worker stopped\n"
    assert worker.returncode == 0

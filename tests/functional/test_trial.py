# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Profiles on trial against the real kernel: keys, files and limits of running processes, confirmed and taken back."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import Namespace, one_sentence

FIN, SOMAXCONN = "net.ipv4.tcp_fin_timeout", "net.core.somaxconn"
PID_FILE = "/run/program.pid"
PROCESS = {"process": PID_FILE, "item": "nofile"}
FIRST = {"sysctl": {FIN: 31}, "limits": [{**PROCESS, "soft": 2000}, {"domain": "@web", "item": "nofile", "soft": 2000}]}
SECOND = {"sysctl": {FIN: 32, SOMAXCONN: 5000}, "limits": [{**PROCESS, "soft": 2100}]}


@pytest.fixture
def program(ns: Namespace) -> Iterator[int]:
    """A program that runs on the host, whose id is in a file."""
    process = subprocess.Popen(["sleep", "300"])
    try:
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (1500, 4000))
        ns.write(PID_FILE, f"{process.pid}\n")
        yield process.pid
    finally:
        process.kill()
        process.wait()


def whole(ns: Namespace, program: int) -> tuple[object, ...]:
    return ns.snapshot(stamps=False), resource.prlimit(program, resource.RLIMIT_NOFILE)


@pytest.mark.parametrize("earlier", [False, True], ids=["first", "over an earlier one"])
def test_a_trial_is_taken_back_exactly(ns: Namespace, program: int, earlier: bool) -> None:
    if earlier:
        assert ns.profile(name="web", **FIRST).changed
    before = whole(ns, program)
    tried = ns.profile(name="web", trial=True, **SECOND)
    assert tried.changed and ns.live(FIN, SOMAXCONN) == {FIN: "32", SOMAXCONN: "5000"}
    assert resource.prlimit(program, resource.RLIMIT_NOFILE) == (2100, 4000)
    during = whole(ns, program)
    assert ns.profile(state="withdrawn", check_mode=True).changed and whole(ns, program) == during
    outcome = ns.profile(state="withdrawn", trial_id=tried.result["trial_id"])
    assert outcome.changed and outcome.warnings == []
    assert whole(ns, program) == before
    assert not ns.profile(state="withdrawn").changed


def test_a_confirmed_trial_is_a_profile_like_any_other(ns: Namespace, program: int) -> None:
    before = whole(ns, program)
    tried = ns.profile(name="web", trial=True, **SECOND)
    during = ns.live(FIN, SOMAXCONN)
    assert not ns.profile(state="confirmed", trial_id=tried.result["trial_id"]).changed
    assert ns.live(FIN, SOMAXCONN) == during
    assert not ns.profile(name="web", trial=True, **SECOND).changed
    one_sentence(ns.profile(state="confirmed", trial_id=tried.result["trial_id"]), "no longer on trial on this host")
    assert ns.profile(name="web", state="reverted").changed
    assert whole(ns, program) == before


def test_a_trial_that_nobody_confirmed_goes_with_the_next_run(ns: Namespace, program: int) -> None:
    before = whole(ns, program)
    ns.profile(name="web", trial=True, **SECOND)
    outcome = ns.profile(state="reverted")
    assert "was on trial here and was not confirmed; its changes were reverted first." in outcome.warnings[0]
    assert whole(ns, program) == before


def test_what_somebody_else_set_during_a_trial_stays(ns: Namespace, program: int) -> None:
    tried = ns.profile(name="web", trial=True, **SECOND)
    ns.set_live({FIN: "47"})
    resource.prlimit(program, resource.RLIMIT_NOFILE, (3000, 4000))
    outcome = ns.profile(state="withdrawn", trial_id=tried.result["trial_id"])
    assert ns.live(FIN)[FIN] == "47" and ns.live(SOMAXCONN)[SOMAXCONN] != "5000"
    assert resource.prlimit(program, resource.RLIMIT_NOFILE) == (3000, 4000)
    assert len(outcome.warnings) == 2 and sorted(outcome.warnings)[0].startswith("Limit ")
    assert sorted(outcome.warnings)[1].startswith(FIN + ": is 47 now, and we applied 32: ")
    assert all("it was changed externally and is kept." in text for text in outcome.warnings)

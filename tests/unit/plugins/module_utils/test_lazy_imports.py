# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What only some runs need is loaded by those alone, and never once something has been written: an undo must not depend on it."""

import json
import os
import subprocess
import sys

import pytest

# In a process of its own, for here everything is loaded already.
PROGRAM = """
import json, sys

from ansible_collections.tunefleet.linux.plugins.module_utils._core import result
from ansible_collections.tunefleet.linux.plugins.module_utils._module import options, run as module_run
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost, refuses

OPTIONS = dict(name="web", sysctl={"net.ipv4.tcp_fin_timeout": 30, "net.core.somaxconn": 8192}, limits=[], guard="refuse")
OPTIONS.update(accept_hazards=False, on_unavailable="warn", on_shadowed="warn", connections=None, memory_warn=50)
OPTIONS.update(memory_refuse=100, state="applied", trial=False)


def loaded():
    return {name.partition(".module_utils.")[2] for name in sys.modules if ".module_utils." in name} - {"_transaction"}


class Noting(FakeHost):
    # What was loaded when something was written for the first time.
    first = None

    def note(self):
        self.first = self.first or loaded()

    def write_live(self, *arguments):
        self.note()
        super().write_live(*arguments)

    def replace(self, *arguments):
        self.note()
        super().replace(*arguments)

    def write_private(self, *arguments):
        self.note()
        super().write_private(*arguments)


def run(host, check_mode=False, **more):
    before, host.first = loaded(), None
    try:
        changed = module_run.run(host, options.parse_profile_options(dict(OPTIONS, **more)), check_mode)[0]["changed"]
    except result.RequestFailed as failure:
        changed = bool(failure.result["undone"])
    late = [] if host.first is None else sorted(loaded() - host.first)
    return {"changed": changed, "more": sorted(loaded() - before), "late": late}


"""
APPLYING = ["_transaction.apply", "_transaction.commit"]
GOING_BACK = ["_transaction.%s" % name for name in ("merge3", "overlay", "recovery", "revert", "revert_plan")]


def outcome(steps):
    """What the last run of some steps reported."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    argv = [sys.executable, "-c", PROGRAM + steps + "\nprint(json.dumps(found))\n"]
    ran = subprocess.run(
        argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize(
    ("steps", "changed", "more"),
    [
        pytest.param("found = run(Noting(), check_mode=True)", True, [], id="check mode"),
        pytest.param("found = run(Noting())", True, APPLYING, id="first"),
        pytest.param("host = Noting()\nrun(host)\nfound = run(host)", False, [], id="unchanged"),
        pytest.param(
            "found = run(Noting(), state='reverted')",
            False,
            sorted(GOING_BACK + ["_transaction.apply"]),
            id="nothing to revert",
        ),
        pytest.param(
            "host = Noting()\nrun(host)\nfound = run(host, state='reverted')", True, GOING_BACK, id="reverted"
        ),
        pytest.param(
            "found = run(Noting(rules={'net/core/somaxconn': refuses('8192')}))",
            True,
            APPLYING,
            id="refused and undone",
        ),
        pytest.param(
            "host = Noting()\nrun(host, trial=True)\nfound = run(host, sysctl={'net.core.somaxconn': 4096})",
            True,
            GOING_BACK,
            id="a trial that nobody confirmed",
        ),
    ],
)
def test_what_a_run_loads(steps, changed, more):
    assert outcome(steps) == {"changed": changed, "more": sorted(more), "late": []}

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A request loads only what it needs, and nothing once something was written, because an undo must not depend on an import.

A host compiles everything that a module loads, in each run. So files and bytes are counted here, for each kind of request.
"""

import json
import os
import subprocess
import sys

import pytest

# In a process of its own, because this one has loaded everything.
PROGRAM = """
import importlib, json, os, sys

CORE = "ansible_collections.tunefleet.linux.plugins.module_utils."
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost, refuses

run_module = importlib.import_module(CORE + "_module.run")
result = importlib.import_module(CORE + "_core.result")
KEYS = {"net.ipv4.tcp_fin_timeout": 30, "net.core.somaxconn": 8192}
PROFILE = dict(name="web", sysctl=KEYS, limits=[], guard="refuse", accept_hazards=False, on_unavailable="warn")
PROFILE.update(on_shadowed="warn", connections=None, memory_warn=50, memory_refuse=100, state="applied", trial=False)
SYSCTL = dict(name=None, value=None, settings=None, state="present", sysctl_file="/etc/sysctl.d/99-tunefleet.conf", live=None)
SYSCTL.update(persist=True, on_unavailable="fail", on_shadowed="warn", reload=True, sysctl_set=False, ignoreerrors=False)
LIMITS = dict(domain=None, limit_type=None, limit_item=None, value=None, use_max=False, use_min=False, comment="")
LIMITS.update(state="present", limits=[], dest="/etc/security/limits.d/99-tunefleet.conf", backup=False, guard="refuse")


def loaded():
    return {name[len(CORE) :]: module.__file__ for name, module in list(sys.modules.items()) if name.startswith(CORE)}


class Noting(FakeHost):
    # What was loaded when something was written for the first time.
    first = None

    def note(self):
        self.first = self.first or set(loaded())

    def write_live(self, *arguments):
        self.note()
        super().write_live(*arguments)

    def replace(self, *arguments):
        self.note()
        super().replace(*arguments)

    def write_private(self, *arguments):
        self.note()
        super().write_private(*arguments)


def run(host, check_mode=False, kind="profile", **more):
    before, host.first = set(loaded()), None
    options = dict({"profile": PROFILE, "sysctl": SYSCTL, "limits": LIMITS}[kind], **more)
    parse = importlib.import_module(CORE + "_module." + kind + "_options").parse
    try:
        changed = run_module.run(host, parse(options), check_mode)[0]["changed"]
    except result.RequestFailed as failure:
        changed = bool(failure.result["undone"])
    late = [] if host.first is None else sorted(set(loaded()) - host.first)
    files = {name: path for name, path in loaded().items() if path and not path.endswith("__init__.py")}
    return {
        "changed": changed,
        "more": sorted(set(loaded()) - before),
        "late": late,
        "files": sorted(files),
        "bytes": sum(map(os.path.getsize, files.values())),
    }


"""
GOING_BACK = {"_transaction." + name for name in ("merge3", "overlay", "recovery", "revert", "revert_plan")}
DOMAINS = ("_limits.pam.", "_limits.systemd.", "_limits.process.", "_transaction.")


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
    ("steps", "changed", "goes_back"),
    [
        pytest.param("found = run(Noting(), check_mode=True)", True, False, id="check mode"),
        pytest.param("found = run(Noting())", True, False, id="first"),
        pytest.param("host = Noting()\nrun(host)\nfound = run(host)", False, False, id="unchanged"),
        pytest.param("found = run(Noting(), state='reverted')", False, True, id="nothing to revert"),
        pytest.param("host = Noting()\nrun(host)\nfound = run(host, state='reverted')", True, True, id="reverted"),
        pytest.param(
            "found = run(Noting(rules={'net/core/somaxconn': refuses('8192')}))", True, False, id="refused and undone"
        ),
        pytest.param(
            "host = Noting()\nrun(host, trial=True)\nfound = run(host, sysctl={'net.core.somaxconn': 4096})",
            True,
            True,
            id="a trial that nobody confirmed",
        ),
    ],
)
def test_nothing_is_loaded_after_the_first_write(steps, changed, goes_back):
    found = outcome(steps)
    assert (found["changed"], found["late"]) == (changed, [])
    assert GOING_BACK & set(found["files"]) == (GOING_BACK if goes_back else set())


UNIT = "{'unit': 'web.service', 'item': 'nofile', 'soft': 5000, 'hard': 5000}"
DOMAIN = "{'domain': '*', 'item': 'nofile', 'soft': 5000, 'hard': 5000}"
KEY = "kind='sysctl', name='net.ipv4.tcp_fin_timeout', value=30"


@pytest.mark.parametrize(
    ("steps", "domains", "most"),
    [
        pytest.param("found = run(Noting(), True, " + KEY + ")", (), 292000, id="one key"),
        pytest.param(
            "found = run(Noting(), True)", ("_limits.process.", "_transaction."), 345000, id="a profile of keys"
        ),
        pytest.param(
            "found = run(Noting(), True, kind='limits', limits=[" + DOMAIN + "])",
            ("_limits.pam.", "_limits.process.", "_limits.systemd."),
            450000,
            id="a rule of limits.conf",
        ),
        pytest.param(
            "found = run(Noting(), True, kind='limits', limits=[" + UNIT + "])",
            ("_limits.process.", "_limits.systemd."),
            450000,
            id="a unit",
        ),
    ],
)
def test_source_that_a_request_loads(steps, domains, most):
    found = outcome(steps)
    assert {domain for domain in DOMAINS if any(name.startswith(domain) for name in found["files"])} == set(domains)
    assert found["bytes"] <= most, found["bytes"]

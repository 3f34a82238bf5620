# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible.posix.sysctl and community.general.pam_limits, the modules that ours stand in for, run the same way as ours."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Mapping
from typing import Any

from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    ModuleRunner,
    Namespace,
    Outcome,
    environment,
)

MODULE = "ansible_collections.ansible.posix.plugins.modules.sysctl"
PAM_LIMITS = "ansible_collections.community.general.plugins.modules.pam_limits"
DEFAULT_FILE = "/etc/sysctl.conf"


def why_absent() -> str:
    """Why there is nothing to compare with on this machine, or nothing."""
    if importlib.util.find_spec("ansible_collections.ansible") is None or importlib.util.find_spec(MODULE) is None:
        return "the collection ansible.posix is not installed here"
    if shutil.which("sysctl", path=environment("/")["PATH"]) is None:
        return "ansible.posix.sysctl needs the program sysctl, which is not installed here"
    return ""


def why_no_pam_limits() -> str:
    """Why there is no community.general.pam_limits to compare with on this machine, or nothing."""
    for name in ("ansible_collections.community", "ansible_collections.community.general", PAM_LIMITS):
        if importlib.util.find_spec(name) is None:
            return "the collection community.general is not installed here"
    return ""


class Peer:
    """The other module, in a namespace."""

    def __init__(self, runner: ModuleRunner, ns: Namespace) -> None:
        self._runner = runner
        self._pid = ns.pid

    def sysctl(self, options: Mapping[str, Any], *, check_mode: bool = False) -> Outcome:
        return self._module(MODULE, options, check_mode)

    def pam_limits(self, options: Mapping[str, Any], *, check_mode: bool = False) -> Outcome:
        return self._module(PAM_LIMITS, options, check_mode)

    def _module(self, module: str, options: Mapping[str, Any], check_mode: bool) -> Outcome:
        stdin = json.dumps({"ANSIBLE_MODULE_ARGS": dict(options, _ansible_check_mode=check_mode)})
        done = self._runner.run(self._pid, module, stdin)
        text = done.stdout + done.stderr
        if "Traceback" in done.stderr:
            # What Ansible makes of a module that ends so.
            return Outcome(done.returncode, {"failed": True, "msg": "MODULE FAILURE: " + done.stderr}, text)
        return Outcome(done.returncode, json.loads(done.stdout), text)

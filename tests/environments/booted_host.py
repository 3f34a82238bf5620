# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Modules inside of a container whose process 1 is the real systemd, run there by its own Python."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.tunefleet.linux.tests.environments.namespace import PACKAGE, ROOT, Outcome
from ansible_collections.tunefleet.linux.tests.oracle.booted import BootedContainer

_LIBRARY = "/opt/tunefleet"
_MODULES = Path(__file__).with_name("module_runner.py").read_text(encoding="utf-8")
# To start a program in a container takes half a second; this one stays.
_SHELL = """
import json, os, subprocess, sys
for line in sys.stdin:
    request = json.loads(line)
    if "path" in request:
        os.makedirs(os.path.dirname(request["path"]), exist_ok=True)
        with open(request["path"], "w") as stream:
            stream.write(request["text"])
    done = subprocess.run(["/bin/sh", "-c", request.get("script", ":")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    answer = {"status": done.returncode, "stdout": done.stdout.decode(), "stderr": done.stderr.decode()}
    print(json.dumps(answer), flush=True)
"""


def _mounts() -> dict[Path, str]:
    spec = importlib.util.find_spec("ansible")
    assert spec is not None and spec.origin is not None
    return {
        Path(spec.origin).parent: f"{_LIBRARY}/ansible",
        ROOT / "plugins": f"{_LIBRARY}/ansible_collections/tunefleet/linux/plugins",
    }


class BootedHost:
    """A host with systemd of one generation.

    :raises NotHere: when it cannot be had.
    """

    def __init__(self, suite: str, folder: Path) -> None:
        self.container = BootedContainer(suite, folder, _mounts())
        self.suite = suite
        self._servers: dict[str, subprocess.Popen[str]] = {}

    def _ask(self, code: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of a program in there that takes a request a line; it is started with the first one."""
        if code not in self._servers:
            command = [
                "exec",
                "--interactive",
                "--env",
                f"PYTHONPATH={_LIBRARY}",
                self.container.name,
                "python3",
                "-c",
                code,
            ]
            self._servers[code] = subprocess.Popen(
                [self.container.engine, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=self.container.environment,
                encoding="utf-8",
            )
        server = self._servers[code]
        assert server.stdin is not None and server.stdout is not None
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        return dict(json.loads(server.stdout.readline()))

    def module(self, name: str, options: Mapping[str, Any], *, check_mode: bool = False) -> Outcome:
        """Run a module, in the way of Ansible's own debugging. One that is killed has no result."""
        arguments = dict(options, _ansible_check_mode=check_mode, _ansible_diff=True)
        stdin = json.dumps({"ANSIBLE_MODULE_ARGS": arguments})
        answer = self._ask(_MODULES, {"pid": 1, "module": PACKAGE + name, "stdin": stdin})
        text = answer["stdout"] + answer["stderr"]
        assert "Traceback" not in text, text
        return Outcome(answer["status"], json.loads(answer["stdout"]) if answer["status"] >= 0 else {}, text)

    def limits(self, *limits: Mapping[str, Any], check_mode: bool = False, **options: Any) -> Outcome:
        return self.module("limits", dict(options, limits=list(limits)), check_mode=check_mode)

    def sh(self, script: str) -> str:
        """Output of a shell script that must not fail."""
        answer = self._ask(_SHELL, {"script": script})
        assert answer["status"] == 0, f"exit {answer['status']} of {script}: {answer['stdout']}{answer['stderr']}"
        return str(answer["stdout"])

    def write(self, files: Mapping[str, str]) -> None:
        """Make files, with their directories."""
        for path, text in files.items():
            self._ask(_SHELL, {"path": path, "text": text})

    def files_of(self, unit: str, item: str = "open files") -> str:
        """Soft and hard limit of the main process of a unit."""
        script = f"grep -i 'max {item}' /proc/$(systemctl show -p MainPID --value {unit})/limits"
        words: Sequence[str] = self.sh(script).split()
        return ":".join(words[3:5])

    def restart(self) -> None:
        """A reboot, as far as a container has one."""
        self._stop_servers()
        self.container.restart()

    def _stop_servers(self) -> None:
        while self._servers:
            self._servers.popitem()[1].communicate(timeout=30)

    def close(self) -> None:
        self._stop_servers()
        self.container.close()

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The machines whose readers are asked: this one, and a container of each generation of the fleet."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DRIVERS = ROOT / "tests" / "oracle"
TOOLS = ("systemd", "procps")
# For the end of the run: how many cases each reader was asked, and why a machine is missing.
COUNTS: dict[str, int] = {}
MISSING: list[str] = []


class NotHere(Exception):
    """A machine cannot be had; the text says why."""


class Machine:
    """A driver process, to which cases are sent."""

    def __init__(
        self, name: str, command: Sequence[str], environment: dict[str, str], driver: str = "driver.py"
    ) -> None:
        self.name = name
        self.command = list(command)
        self.environment = environment
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        # As an argument, so that its standard input is free for cases.
        code = (DRIVERS / driver).read_text(encoding="utf-8")
        self._process = subprocess.Popen(
            [*command, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            text=True,
        )
        self.counts: dict[str, int] = {}
        self.hello = self.receive()
        self.versions = {name: tuple(version) for name, version in self.hello.get("versions", {}).items()}
        self.directories: list[str] = self.hello.get("directories", [])
        self.libraries: list[str] = self.hello.get("libraries", [])

    def count(self, what: str) -> None:
        """One more of something that it agreed about."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def send(self, case: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(case) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise NotHere(self._last_words())

    def receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise NotHere(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        problems = [answer["error"]] if "error" in answer else []
        problems += [one["error"] for one in answer.values() if isinstance(one, dict) and "error" in one]
        assert not problems, f"{self.name}: {problems}"
        return answer

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").splitlines()
        return f"{self.name}: {lines[-1] if lines else 'it ended without a word'}"

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()


def this_machine(driver: str = "driver.py") -> Machine:
    """:raises NotHere: when a namespace or a program cannot be had."""
    if os.geteuid() != 0:
        raise NotHere("this machine: only root may make namespaces to try files in")
    missing = [name for name in ("mount", "ip") if shutil.which(name) is None]
    if missing:
        raise NotHere(f"this machine: {' and '.join(missing)} is not installed")
    return Machine("this machine", [sys.executable], dict(os.environ), driver)


def _images(*arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "fleet_images.py"), *arguments],
        check=False,
        text=True,
        capture_output=True,
    )
    if ran.returncode != 0:
        lines = ran.stderr.splitlines()
        raise NotHere(lines[-1] if lines else "tools/fleet_images.py failed")
    return ran.stdout


def engine_for(suite: str, folder: Path) -> tuple[str, str, dict[str, str]]:
    """Engine, image and environment to start a container with.

    :raises NotHere: when the engine or the image cannot be had.
    """
    engine = os.environ.get("TUNEFLEET_ENGINE") or "podman"
    if os.geteuid() != 0:
        raise NotHere(f"{suite}: only root may run a privileged container")
    if shutil.which(engine) is None:
        raise NotHere(f"{suite}: {engine} is not installed")
    image = os.environ.get(f"TUNEFLEET_IMAGE_{suite.upper()}")
    try:
        if not image:
            image = _images("build", suite).split()[1]
        conf = folder / "containers.conf"
        _images("conf", str(conf))
    except NotHere as problem:
        raise NotHere(f"{suite}: {problem}")
    return engine, image, dict(os.environ, CONTAINERS_CONF=str(conf))


def container(suite: str, folder: Path, driver: str = "driver.py") -> Machine:
    """:raises NotHere: when the engine or the image cannot be had."""
    engine, image, environment = engine_for(suite, folder)
    options = ["run", "--rm", "--interactive", "--privileged", "--network", "none"]
    if engine == "podman":
        options.insert(1, "--pull=never")
    return Machine(suite, [engine, *options, image, "python3"], environment, driver)

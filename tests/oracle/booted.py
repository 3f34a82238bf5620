# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A container of the fleet that is booted: its process 1 is systemd."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.tunefleet.linux.tests.environments.containers import Machine, NotHere, engine_for


class BootedContainer:
    """A container whose process 1 is systemd. ``close`` removes it.

    :param mounts: directories of this machine that it sees read-only, and where.
    :raises NotHere: when the engine or the image cannot be had, or systemd does not come up.
    """

    def __init__(self, suite: str, folder: Path, mounts: Mapping[Path, str] | None = None) -> None:
        self.suite = suite
        self.engine, image, self.environment = engine_for(suite, folder)
        self.name = f"tunefleet-units-{suite}-{os.getpid()}"
        options = ["--privileged", "--network", "none", "--stop-signal", "SIGRTMIN+3", "--name", self.name]
        if self.engine == "podman":
            options += ["--pull=never", "--systemd=always"]
        else:
            options += ["--cgroupns=private", "--env=container=docker", "--tmpfs=/run", "--tmpfs=/run/lock"]
        for source, target in (mounts or {}).items():
            options.append(f"--volume={source}:{target}:ro")
        # The machine's own fs, kernel and vm keys are read-only for all that runs in there.
        init = (
            "for tree in fs kernel vm; do mount -o bind /proc/sys/$tree /proc/sys/$tree && "
            "mount -o remount,bind,ro /proc/sys/$tree || exit 1; done; exec /lib/systemd/systemd"
        )
        self._call("run", "--detach", *options, image, "/bin/sh", "-c", init)
        try:
            self.wait()
        except NotHere:
            self.close()
            raise

    def _call(self, *arguments: str) -> str:
        ran = subprocess.run(
            [self.engine, *arguments],
            check=False,
            text=True,
            capture_output=True,
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )
        if ran.returncode != 0:
            raise NotHere(f"{self.suite}: {(ran.stderr.strip().splitlines() or ['no message'])[-1]}")
        return ran.stdout

    def wait(self) -> None:
        """Until systemd has started everything."""
        self.run(
            "for i in $(seq 300); do case $(systemctl is-system-running) in running|degraded) exit;; esac; sleep 0.2; done; "
            "exit 1"
        )

    def run(self, script: str) -> str:
        """Output of a shell script in there; NotHere when it fails."""
        return self._call("exec", self.name, "/bin/sh", "-c", script)

    def restart(self) -> None:
        """A reboot, as far as a container has one."""
        self._call("restart", self.name)
        self.wait()

    def driven(self) -> Machine:
        """The far end of the oracle test of units."""
        command = [self.engine, "exec", "--interactive", self.name, "python3"]
        return Machine(self.suite, command, self.environment, "unit_driver.py")

    def close(self) -> None:
        subprocess.run(
            [self.engine, "rm", "--force", "--time", "0", self.name],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self.environment,
        )

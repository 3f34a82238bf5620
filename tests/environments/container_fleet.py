# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Several hosts for one run of ansible-playbook, each a container of the fleet with its own files, network and Python.

Ansible works on each through a Python that is started inside of the container by nsenter(1), which takes milliseconds where starting
something by the engine takes half a second.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.tunefleet.linux.tests.environments.containers import NotHere, engine_for
from ansible_collections.tunefleet.linux.tests.environments.namespace import PROGRAMS, Load, environment

# What belongs to the whole machine is read-only in there, and the clock goes on until the container is removed.
_INIT = (
    "for tree in fs kernel vm; do mount -o bind /proc/sys/$tree /proc/sys/$tree && "
    "mount -o remount,bind,ro /proc/sys/$tree || exit 1; done; exec sleep infinity"
)
_PYTHON = '#!/bin/sh\nexec nsenter --target {pid} --mount --net --pid --uts --ipc -- python3 "$@"\n'


class Host:
    """One container.

    :raises NotHere: when it cannot be had.
    """

    def __init__(self, name: str, suite: str, folder: Path) -> None:
        self.name = name
        self._engine, image, self._environment = engine_for(suite, folder)
        self._container = f"tunefleet-rollout-{name}-{os.getpid()}"
        options = ["--privileged", "--network", "none", "--name", self._container]
        options += ["--pull=never"] if self._engine == "podman" else []
        self._call("run", "--detach", *options, image, "/bin/sh", "-c", _INIT)
        self.pid = int(self._call("inspect", "--format", "{{.State.Pid}}", self._container))
        self.python = folder / f"{name}-python"
        self.python.write_text(_PYTHON.format(pid=self.pid))
        self.python.chmod(0o755)
        self._home = str(folder)
        self.sh("until grep -q ' /proc/sys/vm .*ro' /proc/mounts; do sleep 0.05; done; ip link set lo up")

    def _call(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._engine, *arguments],
            check=False,
            text=True,
            capture_output=True,
            env=self._environment,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise NotHere(f"{self.name}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
        return done.stdout.strip()

    def sh(self, script: str) -> str:
        """Output of a shell script in there, which must not fail."""
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--uts", "--ipc", "--"]
        done = subprocess.run([*enter, "/bin/sh", "-euc", script], check=False, text=True, capture_output=True)
        assert done.returncode == 0, f"exit {done.returncode} of {script}: {done.stdout}{done.stderr}"
        return done.stdout

    def state(self) -> str:
        """Every name and byte that a profile may change, the ledger with it, and all live values of the network."""
        places = "/etc/sysctl.d /etc/security /etc/systemd /var/lib/tunefleet"
        return self.sh(
            f"find {places} -printf '%p %y %m\\n' 2>/dev/null | sort; find {places} -type f -exec md5sum {{}} + 2>/dev/null "
            "| sort; grep -rHs '' /proc/sys/net | grep -v /stable_secret: | sort"
        )

    def live(self, key: str) -> str:
        return " ".join(self.sh(f"cat /proc/sys/{key.replace('.', '/')}").split())

    @contextlib.contextmanager
    def load(self) -> Iterator[Load]:
        """A program that puts the sockets of this host under pressure, see load.py."""
        load = Load(["nsenter", f"--target={self.pid}", "--net", "--"], self._home)
        try:
            yield load
        finally:
            load.close()

    def close(self) -> None:
        subprocess.run(
            [self._engine, "rm", "--force", "--time", "0", self._container],
            check=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
        )


class Fleet:
    """Hosts, and runs of ansible-playbook on them.

    :param suites: the generation of each host, by its name.
    :raises NotHere: when a host cannot be had.
    """

    def __init__(self, suites: Mapping[str, str], folder: Path) -> None:
        self.folder = folder
        self.hosts: dict[str, Host] = {}
        try:
            for name, suite in suites.items():
                self.hosts[name] = Host(name, suite, folder)
        except NotHere:
            self.close()
            raise
        (folder / "ansible.cfg").touch()

    def close(self) -> None:
        for host in self.hosts.values():
            host.close()

    def inventory(self, variables: Mapping[str, Mapping[str, Any]]) -> str:
        """A file with all hosts.

        :param variables: more of them for some hosts.
        """
        known = {
            name: {
                "ansible_connection": "local",
                "ansible_python_interpreter": str(host.python),
                # So that modules come through standard input: the containers do not see the files of this machine.
                "ansible_pipelining": True,
                **variables.get(name, {}),
            }
            for name, host in self.hosts.items()
        }
        path = self.folder / "hosts.json"
        path.write_text(json.dumps({"all": {"hosts": known}}))
        return str(path)

    def play(
        self,
        playbook: str,
        extra: Mapping[str, Any],
        *options: str,
        hosts: Mapping[str, Mapping[str, Any]] | None = None,
        **env: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the collection by its name, or a text.

        :param extra: variables of the run. :param hosts: variables of hosts.
        """
        if "\n" in playbook:
            path = self.folder / "play.yml"
            path.write_text(playbook)
            playbook = str(path)
        command: Sequence[str] = [
            *(str(PROGRAMS / "ansible-playbook"), "--inventory", self.inventory(hosts or {}), "--forks", "8"),
            *("--extra-vars", json.dumps(extra), *options, playbook),
        ]
        places = {
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "local"),
            "ANSIBLE_STDOUT_CALLBACK": "tunefleet.linux.summary",
            "COLUMNS": "140",
        }
        done = subprocess.run(
            command,
            env=environment(str(self.folder), **{**places, **env}),
            cwd=self.folder,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=180,
        )
        assert "Traceback" not in done.stdout, done.stdout
        return done

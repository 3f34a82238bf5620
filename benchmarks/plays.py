# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What whole runs of ansible-playbook cost: ours, a ping, and what one would use instead; on one host and on a fleet.

A host is a namespace of this machine, with network keys and an /etc of its own. A command reaches it by ssh, or through nsenter, which
costs next to nothing: then what both ends do is one figure of processor time. The ratios hold, not the times.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ssh

FIGURES = ("clock", "processor", "memory")
ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
# What a host writes to is its own, in memory. So are copies of the keys that the whole machine shares: those of net/core that a network
# namespace lacks have the kernel's defaults. And the user that sshd(8) wants to be there.
HOST = """
set -e
mount -t tmpfs tmpfs "$1"
for place in /etc /var/lib; do
    mkdir -p "$1/upper$place" "$1/work$place"
    mount -t overlay overlay -o "lowerdir=$place,upperdir=$1/upper$place,workdir=$1/work$place" "$place"
done
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
mkdir -p /run/sshd
grep -q ^sshd: /etc/passwd || echo sshd:x:105:65534::/run/sshd:/usr/sbin/nologin >>/etc/passwd
mkdir -p "$1/keys/net"
for place in fs vm kernel net/core; do
    # Some keys cannot be read.
    cp -r "/proc/sys/$place" "$1/keys/$place" 2>/dev/null || :
done
# A network namespace shows some of the machine's as read-only.
chmod -R u+w "$1/keys"
echo 1000 >"$1/keys/net/core/netdev_max_backlog"
echo 212992 >"$1/keys/net/core/rmem_max"
echo 212992 >"$1/keys/net/core/wmem_max"
for place in fs vm kernel net/core; do mount --bind "$1/keys/$place" "/proc/sys/$place"; done
echo ready
exec cat
"""
NAMESPACES = ("--net", "--mount", "--ipc")
PLAY = "- hosts: all\n  gather_facts: false\n"
NOTHING = PLAY + "  tasks:\n    - ansible.builtin.meta: noop\n"
PING = PLAY + "  tasks:\n    - ansible.builtin.ping:\n"
ROLE = PLAY + "  roles:\n    - role: tunefleet.linux.web_server\n"
LOOP = (
    PLAY + "  tasks:\n    - ansible.posix.sysctl:\n        name: '{{ item.key }}'\n        value: '{{ item.value }}'\n"
)
LOOP += "        sysctl_set: true\n        sysctl_file: /etc/sysctl.d/99-bench.conf\n      loop: '{{ wanted | dict2items }}'\n"
TEMPLATE = PLAY + "  tasks:\n    - ansible.builtin.template:\n        src: wanted.conf.j2\n"
TEMPLATE += "        dest: /etc/sysctl.d/99-bench.conf\n        mode: '0644'\n      register: written\n"
TEMPLATE += "    - ansible.builtin.command: sysctl --system\n      when: written is changed\n"
# Files of the machine set keys that a network namespace lacks, which it counts as a failure.
TEMPLATE += "      failed_when: false\n"
# With what Ansible calls pipelining, which our modules use by themselves.
PIPED_PING, PIPED_LOOP = (play.replace(PLAY, PLAY + "  vars:\n    ansible_pipelining: true\n") for play in (PING, LOOP))
CONF = "{% for key, value in wanted.items() %}\n{{ key }} = {{ value }}\n{% endfor %}\n"


class Host:
    """A namespace that lives until it is closed, or until this program ends."""

    def __init__(self, folder: Path, name: str, server: ssh.Server | None) -> None:
        self.name = name
        self._folder = folder / name
        self._folder.mkdir(parents=True)
        argv = ["unshare", *NAMESPACES, "sh", "-c", HOST, "sh", str(self._folder)]
        self._holder = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "ready\n":
            raise SystemExit("A namespace could not be made; the reason is above.")
        enter = ["nsenter", "--target", str(self._holder.pid), *NAMESPACES, "--"]
        if server is None:
            # Ansible runs "SHELL -c COMMAND" on a host; the shell of this one begins by going there.
            shell = folder / f"{name}.sh"
            shell.write_text(f'#!/bin/sh\nexec {" ".join(enter)} /bin/sh "$@"\n')
            shell.chmod(0o755)
            reached = f"ansible_connection=local ansible_shell_executable={shell}"
        else:
            reached = server.variables(enter)
        self.line = f"{name} {reached} ansible_python_interpreter={sys.executable} ansible_remote_tmp={folder}/tmp\n"

    def close(self) -> None:
        self._holder.communicate()
        self._folder.rmdir()


class Fleet:
    """Some hosts, and the playbooks to be run on them."""

    def __init__(
        self, folder: Path, count: int, variables: Mapping[str, Any], server: ssh.Server | None = None
    ) -> None:
        self._folder = folder
        folder.mkdir(parents=True)
        self._hosts = [Host(folder, f"h{number}", server) for number in range(count)]
        (folder / "hosts.ini").write_text("".join(host.line for host in self._hosts), encoding="utf-8")
        (folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        (folder / "wanted.conf.j2").write_text(CONF, encoding="utf-8")

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, *_reason: object) -> None:
        for host in self._hosts:
            host.close()

    def run(self, play: str, forks: int = 5) -> dict[str, Any]:
        """One run of a play: seconds by the clock, of the processors, and the memory of the controller in MiB."""
        book = self._folder / "play.yml"
        book.write_text(play, encoding="utf-8")
        argv = [str(PROGRAMS / "ansible-playbook"), "--inventory", str(self._folder / "hosts.ini")]
        argv += ["--forks", str(forks), "--extra-vars", f"@{self._folder}/variables.json", str(book)]
        env = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        env.update(ANSIBLE_COLLECTIONS_PATH=str(ROOT / ".cache"), ANSIBLE_LOCAL_TEMP=str(self._folder / "local"))
        env.update(ANSIBLE_STDOUT_CALLBACK="ansible.posix.json", LC_ALL="C.UTF-8", HOME=str(self._folder))
        start = time.perf_counter()
        with open(self._folder / "output", "wb") as output:
            process = subprocess.Popen(argv, env=env, stdout=output, stderr=subprocess.DEVNULL, cwd=self._folder)
            _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        took = time.perf_counter() - start
        ssh.hang_up(self._folder / ".ansible" / "cp")
        text = (self._folder / "output").read_text(encoding="utf-8")
        if process.returncode != 0:
            raise SystemExit(f"A run of ansible-playbook failed:\n{text[-3000:]}")
        return {
            "clock": took,
            "processor": usage.ru_utime + usage.ru_stime,
            "memory": usage.ru_maxrss / 1024,
            "results": json.loads(text[text.index("{") :]),
        }


def wanted_of(results: Mapping[str, Any]) -> dict[str, str]:
    """The keys that the role has set on its host, or found as good or better, with their values, for others to set as well."""
    found = {}
    for play in results["plays"]:
        for task in play["tasks"]:
            for host in task["hosts"].values():
                for one in host.get("settings", []):
                    if one["status"] in ("ok", "changed", "kept"):
                        found[one["key"]] = one["file"]["after"] or " ".join(one["live"]["after"].split())
    return found


def one_host(
    folder: Path, plays: Mapping[str, str], turns: int, seconds: float, server: ssh.Server | None = None
) -> tuple[dict[str, dict[str, list[dict[str, Any]]]], int]:
    """Each play on a host that never saw it, and once more where nothing is left to be done, in turns; and how many keys were set.

    :param seconds: how long each play is run in each turn at least, in rounds with the others, on a new host each time. The median of
        these runs counts, for those that take a second or two are disturbed most by what else the machine does.
    """
    with Fleet(folder / "trial", 1, {}) as trial:
        wanted = wanted_of(trial.run(ROLE)["results"])
    found: dict[str, dict[str, list[dict[str, Any]]]] = {name: {"first": [], "again": []} for name in plays}
    places = (folder / f"one-{number}" for number in itertools.count())
    for _turn in range(turns):
        samples: dict[str, list[dict[str, dict[str, Any]]]] = {name: [] for name in plays}
        pending = list(plays)
        while pending:
            for name in pending:
                with Fleet(next(places), 1, {"wanted": wanted}, server) as host:
                    samples[name].append({run: host.run(plays[name]) for run in ("first", "again")})
            pending = [name for name in pending if total(samples[name]) < seconds]
        for name, runs in found.items():
            for run, figures in runs.items():
                figures.append({of: statistics.median(one[run][of] for one in samples[name]) for of in FIGURES})
    return found, len(wanted)


def total(samples: Sequence[Mapping[str, Mapping[str, Any]]]) -> float:
    """Seconds that runs took by the clock."""
    return sum(float(one["clock"]) for runs in samples for one in runs.values())


def fleet(folder: Path, counts: Sequence[int], forks: Sequence[int], repeats: int) -> list[dict[str, Any]]:
    """Role, unchanged, and ping on fleets of several sizes, with several numbers of forks; in turns."""
    found = []
    for count in counts:
        with Fleet(folder / f"fleet-{count}", count, {}) as hosts:
            hosts.run(ROLE, max(forks))
            for fork in forks:
                for _turn in range(repeats):
                    for name, play in (("nothing", NOTHING), ("ping", PING), ("role", ROLE)):
                        figures = hosts.run(play, fork)
                        del figures["results"]
                        found.append({"hosts": count, "forks": fork, "play": name, **figures})
    return found

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the profile web_server means on the hosts of this fleet, and how to look at them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from testinfra.host import Host

SCENARIO = Path(__file__).resolve().parents[2] / "molecule" / "default"

SYSCTL_FILE = "/etc/sysctl.d/99-tunefleet.conf"
LIMITS_FILE = "/etc/security/limits.d/99-tunefleet.conf"

EXACTLY = {
    "net.ipv4.tcp_fin_timeout": "30",
    "net.ipv4.tcp_keepalive_intvl": "15",
    "net.ipv4.tcp_keepalive_probes": "5",
    "net.ipv4.tcp_keepalive_time": "1200",
    "net.ipv4.tcp_syncookies": "1",
    "net.ipv4.tcp_timestamps": "1",
    "net.ipv4.tcp_tw_reuse": "1",
}
AT_LEAST = {
    "net.core.somaxconn": (8192,),
    "net.ipv4.tcp_max_syn_backlog": (8192,),
    "net.ipv4.tcp_max_tw_buckets": (180000,),
    "net.ipv4.tcp_rmem": (4096, 131072, 16777216),
    "net.ipv4.tcp_wmem": (4096, 16384, 16777216),
}
# A new network namespace starts these from the kernel's own defaults, whatever the machine has, so the role has work to do.
CHANGED = (
    "net.core.somaxconn",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
)
# The machine's, not the container's: no file of a container can set them.
NOT_HERE = ("net.core.netdev_max_backlog", "net.core.rmem_max", "net.core.wmem_max")

# The inventory's tune_limits, see molecule.yml.
LIMITS = {"nofile": ("4096", "8192"), "nproc": ("3000", "6000")}

# Programs that run a command in a session of PAM, as a person's login does.
LOGINS = {
    "su": "su - alice -c '%s'",
    "login": "systemd-run --quiet --pipe --wait -p User=alice -p PAMName=login sh -c '%s'",
}


def live(host: Host) -> dict[str, str]:
    """Return what the running kernel has, numbers apart by one blank: all net keys, and those of fs that profiles name."""
    found = {}
    for line in host.check_output(
        "grep -Hrs . /proc/sys/net /proc/sys/fs/file-max /proc/sys/fs/nr_open || true"
    ).splitlines():
        path, _colon, value = line.partition(":")
        found[path.replace("/proc/sys/", "", 1).replace("/", ".")] = " ".join(value.split())
    return found


def is_met(key: str, value: str) -> bool:
    """Whether the profile is content with this value."""
    if key in EXACTLY:
        return value == EXACTLY[key]
    have = [int(word) for word in value.split()]
    return len(have) == len(AT_LEAST[key]) and all(one >= least for one, least in zip(have, AT_LEAST[key]))


def entries(text: str) -> list[str]:
    """Return the lines of a file that say something."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";"))]


def sysctl_entries(host: Host) -> dict[str, str]:
    pairs = (line.split("=", 1) for line in entries(host.file(SYSCTL_FILE).content_string))
    return {key.strip(): " ".join(value.split()) for key, value in pairs}


def limits_entries(host: Host) -> dict[tuple[str, str, str], str]:
    found = {}
    for line in entries(host.file(LIMITS_FILE).content_string):
        domain, kind, item, value = line.split()
        found[domain, kind, item] = value
    return found


def login_limits(host: Host, login: str) -> dict[str, tuple[str, str]]:
    """Log in as alice and return the (soft, hard) limits of her session."""
    text = host.check_output(LOGINS[login] % "id -un; cat /proc/self/limits")
    assert text.splitlines()[0] == "alice", text
    rows = {"Max open files": "nofile", "Max processes": "nproc"}
    found = {}
    for line in text.splitlines():
        for title, item in rows.items():
            if line.startswith(title):
                soft, hard = line[len(title) :].split()[:2]
                found[item] = (soft, hard)
    return found


def play(playbook: str, *options: str, status: int = 0) -> dict[str, dict[str, Any]]:
    """Run a playbook on the whole fleet, which ends with this status; return for each host what the module `profile` answered."""
    env = {
        **os.environ,
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }
    argv = ["ansible-playbook", "--inventory", os.environ["MOLECULE_INVENTORY_FILE"], *options, playbook]
    done = subprocess.run(
        argv, cwd=SCENARIO, env=env, text=True, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    report = json.loads(done.stdout[done.stdout.index("{") :])
    answers = [
        (name, answer)
        for run in report["plays"]
        for task in run["tasks"]
        for name, answer in task["hosts"].items()
        if "settings" in answer
    ]
    assert len(answers) == len(dict(answers)), "a host was visited more than once"
    return dict(answers)


def statuses(answer: dict[str, Any]) -> dict[str, str]:
    return {setting["key"]: setting["status"] for setting in answer["settings"]}


def differences(answer: dict[str, Any]) -> list[str]:
    """Return the names of all settings and limits that are not as the profile wants them."""
    fine = {"ok", "kept", "not_namespaced"}
    entries = [(setting["key"], setting["status"]) for setting in answer["settings"]]
    entries += [(limit["item"], limit["status"]) for limit in answer["limits"]]
    return [name for name, status in entries if status not in fine]

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The profile open_files on a machine with a kernel of its own, over ssh: every way in shows 65535, and so after a reboot.

The tests build on each other, in this order; molecule/README.md says how to run them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments import vm as machine

LEAST = 65535
PROGRAMS = Path(sys.executable).parent
# As somebody would write it in a group's variables: a service that does not raise its own limit, and one that runs already.
LIMITS = [
    {
        "unit": "proof.service",
        "item": "nofile",
        "soft": {"at_least": LEAST},
        "hard": {"at_least": LEAST},
        "restart": True,
    },
    {"process": "tf-before", "item": "nofile", "soft": {"at_least": LEAST}, "hard": {"at_least": LEAST}},
]
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: tunefleet.linux.open_files
      register: role
"""


@pytest.fixture(scope="module")
def vm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[machine.Machine]:
    try:
        found = machine.Machine(tmp_path_factory.mktemp("vm"))
    except machine.NotHere as problem:
        pytest.skip(str(problem))
    try:
        yield found
    finally:
        found.close()


def ansible(vm: machine.Machine, folder: Path, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run the play over ssh, as from anybody's machine."""
    host = {
        "ansible_host": "127.0.0.1",
        "ansible_port": vm.port,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(vm.key),
        "ansible_ssh_common_args": " ".join(vm.ssh_options()),
        "ansible_python_interpreter": "/usr/bin/python3",
        **variables,
    }
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": {"vm": host}}}), encoding="utf-8")
    (folder / "play.yml").write_text("---" + PLAY, encoding="utf-8")
    env = dict(
        os.environ, ANSIBLE_COLLECTIONS_PATH=str(machine.ROOT / ".cache"), ANSIBLE_NOCOLOR="1", ANSIBLE_TIMEOUT="60"
    )
    env["PATH"] = os.pathsep.join([str(PROGRAMS), env.get("PATH", os.defpath)])
    env.setdefault("LC_ALL", "C.UTF-8")
    return subprocess.run(
        [PROGRAMS / "ansible-playbook", "-v", "-i", folder / "hosts.json", folder / "play.yml", *arguments],
        check=False,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=machine.PATIENCE,
    )


def soft_and_hard(text: str) -> tuple[int, int]:
    """The numbers of two ulimits, or of a row of /proc/PID/limits."""
    soft, hard = [int(word) for word in text.split() if word.isdigit()][:2]
    return soft, hard


def ways_in(vm: machine.Machine) -> dict[str, tuple[int, int]]:
    """Soft and hard nofile of a new ssh login, of su in it, of the service, and of what was there before."""
    ask = "ulimit -Sn; ulimit -Hn"
    main = "grep 'open files' /proc/$(systemctl show -p MainPID --value {0})/limits"
    return {
        "ssh": soft_and_hard(vm.ssh(ask, user="alice")),
        "su": soft_and_hard(vm.ssh(f"su - alice -c '{ask}'")),
        "service": soft_and_hard(vm.ssh(main.format("proof"))),
        "bystander": soft_and_hard(vm.ssh(main.format("bystander"))),
    }


def daemon(vm: machine.Machine) -> tuple[int, int]:
    return soft_and_hard(vm.ssh("grep 'open files' /proc/$(pgrep -x tf-before)/limits"))


def start_daemon(vm: machine.Machine) -> None:
    """A process that belongs to no unit of ours, with the limits of a machine that nobody tuned."""
    vm.ssh(
        "cp /usr/bin/sleep /usr/local/bin/tf-before; "
        "systemd-run --quiet --unit tf-before -p LimitNOFILE=1024:4096 /usr/local/bin/tf-before infinity"
    )


def test_before(vm: machine.Machine) -> None:
    """Otherwise nothing below would prove anything: a kernel of its own, every capability, and the limits that nobody tuned."""
    assert vm.ssh("uname -r").strip() != os.uname().release
    everything = (1 << int(vm.ssh("cat /proc/sys/kernel/cap_last_cap")) + 1) - 1
    assert int(vm.ssh("grep CapBnd /proc/1/status").split()[1], 16) == everything
    start_daemon(vm)
    assert {way: soft for way, (soft, _hard) in ways_in(vm).items()} == dict.fromkeys(
        ("ssh", "su", "service", "bystander"), 1024
    )
    assert daemon(vm) == (1024, 4096)


def test_applied_over_ssh(vm: machine.Machine, tmp_path: Path) -> None:
    bystander = vm.ssh("systemctl show -p MainPID --value bystander")
    ran = ansible(vm, tmp_path, tune_limits=LIMITS)
    assert ran.returncode == 0, ran.stdout
    assert '"new_session"' in ran.stdout and "restart:proof.service" not in ran.stdout, ran.stdout
    found = ways_in(vm)
    for way in ("ssh", "su", "service"):
        assert min(found[way]) >= LEAST, found
    assert daemon(vm) == (LEAST, LEAST)
    # Not named, so not touched: its process is the same, and may raise its own soft limit that far.
    assert vm.ssh("systemctl show -p MainPID --value bystander") == bystander
    assert found["bystander"][0] == 1024 and found["bystander"][1] >= LEAST


def test_a_second_run_changes_nothing(vm: machine.Machine, tmp_path: Path) -> None:
    ran = ansible(vm, tmp_path, tune_limits=LIMITS)
    assert ran.returncode == 0 and "changed=0" in ran.stdout, ran.stdout


def test_a_limit_above_what_the_kernel_gives(vm: machine.Machine, tmp_path: Path) -> None:
    """Refused before anything is written, for sessions, units and processes alike; and every way in still works."""
    nr_open = int(vm.ssh("cat /proc/sys/fs/nr_open"))
    before = vm.ssh(
        "cat /etc/security/limits.d/* /etc/systemd/system/*.d/*.conf /var/lib/tunefleet/ledger.json | md5sum"
    )
    for target in ({"domain": "*"}, {"unit": "proof.service"}, {"process": "tf-before"}, {"manager": "system"}):
        ran = ansible(vm, tmp_path, tune_limits=[{**target, "item": "nofile", "hard": nr_open + 1}])
        assert ran.returncode != 0 and f"{nr_open + 1} is above fs.nr_open {nr_open}" in ran.stdout, ran.stdout
    after = vm.ssh(
        "cat /etc/security/limits.d/* /etc/systemd/system/*.d/*.conf /var/lib/tunefleet/ledger.json | md5sum"
    )
    assert after == before
    assert vm.ssh("su - alice -c id").startswith("uid=1000(alice)")
    assert vm.ssh("su - -c id; id").count("uid=0(root)") == 2
    assert vm.ssh("id", user="alice").startswith("uid=1000(alice)")
    assert vm.ssh("systemctl restart proof && systemctl is-active proof").strip() == "active"


def test_after_a_reboot(vm: machine.Machine, tmp_path: Path) -> None:
    vm.reboot()
    found = ways_in(vm)
    for way in ("ssh", "su", "service"):
        assert min(found[way]) >= LEAST, found
    assert found["bystander"][1] >= LEAST
    # What was set of a process ended with it; the same play sets the next one.
    start_daemon(vm)
    assert daemon(vm) == (1024, 4096)
    ran = ansible(vm, tmp_path, tune_limits=LIMITS)
    assert ran.returncode == 0 and "changed=1" in ran.stdout, ran.stdout
    assert daemon(vm) == (LEAST, LEAST)

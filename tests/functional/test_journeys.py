# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Long journeys of a host, see journey.py: one process in a namespace, whose reboot is a fresh network namespace, to which the real
systemd-sysctl or ``sysctl --system`` applies the files. Longer ones of an imagined host go through the same model in less time.

TUNEFLEET_JOURNEY_STEPS and TUNEFLEET_JOURNEY_SEED choose other journeys; the numbers of a run are printed at its end.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._module import profile_options
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.tests.environments import module_runner
from ansible_collections.tunefleet.linux.tests.environments.namespace import Namespace, path_of
from ansible_collections.tunefleet.linux.tests.functional.journey import (
    FILES,
    KEYS,
    OWN_DIRECTORIES,
    UNIT,
    Journey,
    State,
)
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost

STEPS = int(os.environ.get("TUNEFLEET_JOURNEY_STEPS") or 70)
SEED = int(os.environ.get("TUNEFLEET_JOURNEY_SEED") or 1)
READERS = (["/usr/lib/systemd/systemd-sysctl"], ["sysctl", "--system"])
OPTIONS: dict[str, Any] = {
    "accept_hazards": False,
    "on_unavailable": "warn",
    "on_shadowed": "warn",
    "guard": "refuse",
    "connections": None,
    "memory_warn": 50,
    "memory_refuse": 100,
}
CLONE_NEWNET = 0x40000000
BOOT_ID = "/proc/sys/kernel/random/boot_id"
# What the imagined kernel begins with.
DEFAULTS = {
    "net.core.somaxconn": 4096,
    "net.ipv4.tcp_fin_timeout": 60,
    "net.ipv4.tcp_keepalive_time": 7200,
    "net.ipv4.tcp_keepalive_probes": 9,
    "net.ipv4.tcp_syn_retries": 6,
    "net.ipv4.tcp_max_syn_backlog": 2048,
}


def read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


class Here:
    """The host that this process is on."""

    def __init__(self) -> None:
        self.boots = 0

    def state(self) -> State:
        live = {key: int(read(path_of(key)) or b"") for key in KEYS}
        return State(
            live, {path: read(path) for path in FILES}, [path for path in OWN_DIRECTORIES if os.path.exists(path)]
        )

    def write(self, path: str, data: bytes | None) -> None:
        if data is None:
            os.unlink(path)
            return
        with open(path, "wb") as stream:
            stream.write(data)

    def set_live(self, key: str, number: int) -> None:
        with open(path_of(key), "w", encoding="ascii") as stream:
            stream.write(f"{number}\n")

    def run(self, options: Mapping[str, Any], check_mode: bool) -> tuple[dict[str, Any], list[str]]:
        result, warnings = module_run.run(hosts.Host(), profile_options.parse({**OPTIONS, **options}), check_mode)
        return result, list(warnings)

    def reboot(self, dice: random.Random) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        self.boots += 1
        with open("/run/boot_id", "w", encoding="ascii") as stream:
            stream.write(f"{self.boots:08x}-0000-4000-8000-000000000000\n")
        subprocess.run(dice.choice(READERS), check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def compare(self, said: Mapping[str, int]) -> None:
        """There is no systemd here that could make anything of them."""


class Imagined:
    """A host made of dictionaries, which is quick enough for thousands of steps."""

    def __init__(self) -> None:
        self.host = FakeHost(
            live={key.replace(".", "/"): str(number) for key, number in DEFAULTS.items()},
            files={UNIT: b"[Service]\n", "/usr/lib/systemd/systemd": b""},
            texts={BOOT_ID: "0"},
        )

    def state(self) -> State:
        live = {key: int(self.host.values[key.replace(".", "/")]) for key in KEYS}
        return State(live, {path: self.host.files.get(path) for path in FILES}, [])

    def write(self, path: str, data: bytes | None) -> None:
        self.host.files.pop(path, None)
        self.host.files.update({} if data is None else {path: data})

    def set_live(self, key: str, number: int) -> None:
        self.host.values[key.replace(".", "/")] = str(number)

    def run(self, options: Mapping[str, Any], check_mode: bool) -> tuple[dict[str, Any], list[str]]:
        result, warnings = module_run.run(
            cast(hosts.Host, self.host), profile_options.parse({**OPTIONS, **options}), check_mode
        )
        return result, list(warnings)

    def reboot(self, dice: random.Random) -> None:
        self.host.texts[BOOT_ID] = str(dice.random())
        for key, number in {**DEFAULTS, **self.state().entries()}.items():
            self.set_live(key, number)

    def compare(self, said: Mapping[str, int]) -> None:
        """Nobody makes anything of them."""


@pytest.mark.parametrize("seed", range(SEED, SEED + 20))
def test_a_longer_journey_of_an_imagined_host(seed: int, note: Callable[[str], None]) -> None:
    counts = Journey(Imagined(), seed).run(3 * STEPS)
    note(f"imagined journeys: seed {seed}: {sum(counts.values())} steps")
    assert sum(counts.values()) == 3 * STEPS


@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_a_long_journey(ns: Namespace, seed: int, note: Callable[[str], None]) -> None:
    # Not booted by systemd, so that nobody is asked to read its files again; but with a unit, and a systemd that would read it.
    ns.sh("touch /run/boot_id && mount --bind /run/boot_id /proc/sys/kernel/random/boot_id; rmdir /run/systemd/system")
    ns.sh(f"mkdir -p /etc/systemd/system /usr/lib/systemd; echo [Service] >{UNIT}; touch /usr/lib/systemd/systemd")
    with tempfile.TemporaryFile("w+") as told:
        child = os.fork()
        if child == 0:
            try:
                module_runner._enter(ns.pid)
                json.dump(Journey(Here(), seed).run(STEPS), told)
            except BaseException:
                traceback.print_exc(file=told)
            told.flush()
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)
        told.seek(0)
        text = told.read()
    assert text.startswith("{"), text
    counts = json.loads(text)
    note(f"journeys: seed {seed}: " + ", ".join(f"{count} times {name}" for name, count in sorted(counts.items())))
    assert sum(counts.values()) == STEPS

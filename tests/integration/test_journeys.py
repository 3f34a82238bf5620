# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Long journeys: profiles are applied, changed, reverted and the host is rebooted, in random order, against a model.

The journey is one process in a namespace. A reboot is a fresh network namespace, whose kernel begins with its defaults, and to which the
real systemd-sysctl or ``sysctl --system`` applies the files. After each step every live value is compared with the model, and the
files with what it says they hold; whenever nothing is in force, every byte with the start.
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
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._change import _request
from ansible_collections.tunefleet.linux.plugins.module_utils._change._run import run
from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host
from ansible_collections.tunefleet.linux.tests.integration import module_runner
from ansible_collections.tunefleet.linux.tests.integration.namespace import LEDGER, LIMITS_FILE, SYSCTL_FILE, Namespace

STEPS = 75
KEYS = {
    "net.core.somaxconn": (1000, 20000),
    "net.ipv4.tcp_fin_timeout": (5, 90),
    "net.ipv4.tcp_keepalive_time": (100, 9000),
    "net.ipv4.tcp_keepalive_probes": (1, 20),
    "net.ipv4.tcp_syn_retries": (2, 20),
    "net.ipv4.tcp_max_syn_backlog": (64, 9000),
}
NAMES = ("a", "b", "c", "d")
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


def path_of(key: str) -> str:
    return "/proc/sys/" + key.replace(".", "/")


def read(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def live() -> dict[str, int]:
    return {key: int(read(path_of(key)) or b"") for key in KEYS}


def entries() -> dict[str, int]:
    lines = [
        line.partition("=") for line in (read(SYSCTL_FILE) or b"").decode().splitlines() if not line.startswith("#")
    ]
    return {key.strip(): int(value) for key, equals, value in lines if equals}


def rules() -> dict[str, int]:
    lines = [line.split() for line in (read(LIMITS_FILE) or b"").decode().splitlines() if not line.startswith("#")]
    return {words[0]: int(words[3]) for words in lines if words}


class Layer:
    """What was asked for under a name at one time."""

    def __init__(self, name: str, settings: dict[str, Any], limits: dict[str, int]) -> None:
        self.name, self.settings, self.limits = name, settings, limits


class Model:
    """What a person would expect: the host as it was, and what was asked for since, the latest on top."""

    def __init__(self) -> None:
        self.stack: list[Layer] = []
        self.before: dict[str, int] = {}
        self.entries = entries()
        self.rules = rules()
        self.files = [read(SYSCTL_FILE), read(LIMITS_FILE)]

    def applied(self, new: Layer, old: dict[str, int], changed: bool) -> None:
        if not changed and not self.stack:
            return
        for layer in self.stack:
            if layer.name == new.name:
                layer.settings = {key: wish for key, wish in layer.settings.items() if key not in new.settings}
                layer.limits = {key: number for key, number in layer.limits.items() if key not in new.limits}
        self.stack.append(new)
        now = live()
        self.before.update({key: old[key] for key in KEYS if now[key] != old[key] and key not in self.before})

    def reverted(self, names: set[str]) -> None:
        self.stack = [layer for layer in self.stack if layer.name not in names]
        self.before = {key: value for key, value in self.before.items() if key in self.wanted()}

    def wanted(self, *names: str) -> set[str]:
        return {key for layer in self.stack if not names or layer.name in names for key in layer.settings}

    def value(self, key: str, first: int) -> int:
        for layer in self.stack:
            wish = layer.settings.get(key)
            if isinstance(wish, dict):
                first = max(first, wish["at_least"])
            elif wish is not None:
                first = wish
        return first

    def expected_rules(self) -> dict[str, int]:
        found = dict(self.rules)
        for layer in self.stack:
            found.update(layer.limits)
        return found


def act(
    name: str | None, state: str, settings: dict[str, Any] | None = None, limits: dict[str, int] | None = None
) -> bool:
    wishes = [{"domain": domain, "item": "nofile", "hard": number} for domain, number in (limits or {}).items()]
    options = {**OPTIONS, "name": name, "state": state, "sysctl": settings, "limits": wishes}
    predicted, _warnings = run(Host(), _request.of_profile(options), True)
    result, warnings = run(Host(), _request.of_profile(options), False)
    assert predicted["settings"] == result["settings"] and predicted["changed"] == result["changed"]
    assert not [text for text in warnings if "somebody else" in text], warnings
    return bool(result["changed"])


class Journey:
    """A seeded sequence of steps on this host."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.boots = 0
        with open(SYSCTL_FILE, "w", encoding="utf-8") as stream:
            stream.write("# mine\nnet.ipv4.tcp_syn_retries = 7\nnet.core.somaxconn=4444")
        with open(path_of("net.ipv4.tcp_syn_retries"), "w", encoding="ascii") as stream:
            stream.write("7\n")
        self.model = Model()
        self.counts: dict[str, int] = {}

    def run(self, steps: int) -> dict[str, int]:
        for number in range(steps):
            step = self.dice.choice(
                [self.apply, self.apply, self.apply, self.revert, self.revert, self.reboot, self.revert_all]
            )
            if step == self.revert_all and self.dice.random() < 0.7:
                continue
            told = f"step {number}, {step.__name__}"
            self.counts[step.__name__] = self.counts.get(step.__name__, 0) + 1
            try:
                step()
                self.check()
            except BaseException as error:
                raise AssertionError(
                    f"{told}: {error!r}; stack {[vars(one) for one in self.model.stack]}, before {self.model.before}"
                ) from error
        return self.counts

    def apply(self) -> None:
        name = self.dice.choice(NAMES)
        keys = self.dice.sample(sorted(KEYS), self.dice.randint(1, 4))
        settings = {key: self.wish(key) for key in keys}
        limits = {
            domain: self.dice.randint(2000, 9000)
            for domain in self.dice.sample(["x", "@y", "z"], self.dice.randint(0, 2))
        }
        old = live()
        changed = act(name, "applied", settings, limits)
        self.model.applied(Layer(name, settings, limits), old, changed)
        now = live()
        for key in KEYS:
            wish = settings.get(key)
            expected = old[key] if wish is None else max(old[key], wish["at_least"]) if isinstance(wish, dict) else wish
            assert now[key] == expected, (key, now[key], expected)
        assert not act(name, "applied", settings, limits)

    def wish(self, key: str) -> Any:
        number = self.dice.randint(*KEYS[key])
        return {"at_least": number} if self.dice.random() < 0.4 else number

    def revert(self) -> None:
        name = self.dice.choice(NAMES)
        old, mine, first = live(), self.model.wanted(name), dict(self.model.before)
        known = name in [layer.name for layer in self.model.stack]
        changed = act(name, "reverted")
        assert known or not changed
        self.model.reverted({name})
        now = live()
        for key in KEYS:
            expected = self.model.value(key, first[key]) if key in mine and key in first else old[key]
            assert now[key] == expected, (key, now[key], expected)
        assert not act(name, "reverted")

    def revert_all(self) -> None:
        old, first = live(), dict(self.model.before)
        act(None, "reverted")
        self.model.reverted(set(NAMES))
        assert live() == {**old, **first}

    def reboot(self) -> None:
        written, old = entries(), live()
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        self.boots += 1
        with open("/run/boot_id", "w", encoding="ascii") as stream:
            stream.write(f"{self.boots:08x}-0000-4000-8000-000000000000\n")
        reader = self.dice.choice(READERS)
        subprocess.run(reader, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        now = live()
        for key, value in written.items():
            assert now[key] == value, (key, now[key], value)
        # All that was asked for holds after the boot, too; without an entry, because the kernel's own default will do.
        for key in self.model.wanted():
            assert now[key] == (old[key] if key in written else self.model.value(key, now[key])), (key, now[key])

    def check(self) -> None:
        assert rules() == self.model.expected_rules()
        if not self.model.stack:
            assert [read(SYSCTL_FILE), read(LIMITS_FILE)] == self.model.files
            assert read(LEDGER) is None and not os.path.exists(os.path.dirname(LEDGER))
        wanted = self.model.wanted()
        assert set(entries()) <= set(self.model.entries) | wanted
        for key in set(self.model.entries) - wanted:
            assert entries()[key] == self.model.entries[key]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_long_journey(ns: Namespace, seed: int, note: Callable[[str], None]) -> None:
    ns.sh("touch /run/boot_id && mount --bind /run/boot_id /proc/sys/kernel/random/boot_id")
    with tempfile.TemporaryFile("w+") as told:
        child = os.fork()
        if child == 0:
            try:
                module_runner._enter(ns.pid)
                json.dump(Journey(seed).run(STEPS), told)
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
    assert sum(counts.values()) > STEPS * 0.8

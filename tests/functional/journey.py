# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Random journeys of one host, and a model of what a person would expect of it.

Profiles are applied, changed, reverted and the host is rebooted, in random order; between the steps somebody else sets live values,
and writes, changes and removes lines and files of ours. After each step every live value and every file is compared with the model.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from ansible_collections.tunefleet.linux.tests.environments.namespace import LEDGER, LIMITS_FILE, SYSCTL_FILE

KEYS = {
    "net.core.somaxconn": (1000, 20000),
    "net.ipv4.tcp_fin_timeout": (5, 90),
    "net.ipv4.tcp_keepalive_time": (100, 9000),
    "net.ipv4.tcp_keepalive_probes": (1, 20),
    "net.ipv4.tcp_syn_retries": (2, 20),
    "net.ipv4.tcp_max_syn_backlog": (64, 9000),
}
NAMES = ("a", "b", "c", "d")
UNIT = "/etc/systemd/system/web.service"
UNIT_FILE = UNIT + ".d/99-tunefleet.conf"
MANAGER_FILE = "/etc/systemd/system.conf.d/99-tunefleet.conf"
FILES = (SYSCTL_FILE, LIMITS_FILE, UNIT_FILE, MANAGER_FILE)
START = {SYSCTL_FILE: b"# mine\nnet.ipv4.tcp_syn_retries = 7\nnet.core.somaxconn=4444"}
# What a limit is called here: its file, and what a line says of it, with the number left out.
LIMITS = {
    "x": (LIMITS_FILE, "x\thard\tnofile\t"),
    "@y": (LIMITS_FILE, "@y\thard\tnofile\t"),
    "z": (LIMITS_FILE, "z\thard\tnofile\t"),
    "unit nofile": (UNIT_FILE, "LimitNOFILE="),
    "unit nproc": (UNIT_FILE, "LimitNPROC="),
    "manager nofile": (MANAGER_FILE, "DefaultLimitNOFILE="),
}
# Lines that come and go with ours.
HEADS = ("# Written by", "[Service]", "[Manager]")


class Layer(NamedTuple):
    """What was asked for under a name at one time."""

    name: str
    settings: dict[str, Any]
    limits: dict[str, int]

    def without(self, other: Layer) -> Layer:
        """What is left of it when the same name asks for other things."""
        settings = {key: desired for key, desired in self.settings.items() if key not in other.settings}
        return Layer(self.name, settings, {name: one for name, one in self.limits.items() if name not in other.limits})


class State(NamedTuple):
    """What a host has: live values, the bytes of each file, and which directories for ours alone there are."""

    live: dict[str, int]
    files: dict[str, bytes | None]
    directories: list[str]

    def lines(self, path: str) -> list[str]:
        return (self.files[path] or b"").decode().splitlines()

    def entries(self) -> dict[str, int]:
        found = [line.partition("=") for line in self.lines(SYSCTL_FILE)]
        ours = [(key.strip(), value) for key, _equals, value in found if key.strip() in KEYS]
        assert len(dict(ours)) == len(ours), f"a key is said twice: {ours}"
        return {key: int(value) for key, value in ours}

    def limits(self, path: str) -> dict[str, int]:
        found = [
            (name, int(line[len(head) :]))
            for line in self.lines(path)
            for name, (where, head) in LIMITS.items()
            if where == path and line.startswith(head)
        ]
        assert len(dict(found)) == len(found), f"a limit is said twice: {found}"
        return dict(found)

    def others(self, path: str) -> list[str]:
        """Lines that are none of ours."""
        ours = [head for where, head in LIMITS.values() if where == path]
        ours += [*HEADS, *(KEYS if path == SYSCTL_FILE else ())]
        return sorted(line for line in self.lines(path) if not line.startswith(tuple(ours)))


OWN_DIRECTORIES = [path.rpartition("/")[0] for path in (UNIT_FILE, MANAGER_FILE, LEDGER)]


class Ground(Protocol):
    """A host to travel."""

    def state(self) -> State:
        """Everything that a journey compares."""

    def write(self, path: str, data: bytes | None) -> None:
        """As somebody else does it; None removes the file."""

    def set_live(self, key: str, number: int) -> None:
        """As somebody else does it."""

    def run(self, options: Mapping[str, Any], check_mode: bool) -> tuple[dict[str, Any], list[str]]:
        """Result and warnings of the module ``profile``."""

    def reboot(self, dice: random.Random) -> None:
        """Start anew, with the values of the boot files in force."""

    def compare(self, said: Mapping[str, int]) -> None:
        """What the host makes of the limits that our files say."""


class OneFile:
    """Limits in one file: before us (``first``), as we left them, and now. ``known``: whether the ledger knows the file."""

    def __init__(self) -> None:
        self.known = False
        self.first: dict[str, int] = {}
        self.left: dict[str, int] = {}
        self.now: dict[str, int] = {}

    def written(self, wanted: Mapping[str, int]) -> None:
        """We write it. What others did before belongs to what we go back to."""
        for name in [name for name in LIMITS if self.now.get(name) != self.left.get(name) or not self.known]:
            self.first.pop(name, None)
            self.first.update({name: self.now[name]} if name in self.now else {})
        self.known = True
        self.now.update(wanted)
        self.left = dict(self.now)

    def taken_back(self, goal: dict[str, int], is_there: bool) -> None:
        """We take something back; what others changed stays as they made it, and a file that they removed stays away."""
        for name in LIMITS if is_there or not self.left else ():
            if self.now.get(name) == self.left.get(name):
                self.now.pop(name, None)
                self.now.update({name: goal[name]} if name in goal else {})
        self.left = goal
        self.known = goal != self.first


class Model:
    """The host as it was, and what was asked for since, the latest on top."""

    def __init__(self, start: State) -> None:
        self.start = start
        self.stack: list[Layer] = []
        # Of each key that somebody of us changed: what it was before, what it was left as, and who changed it.
        self.first: dict[str, int] = {}
        self.left: dict[str, int] = {}
        self.keys_of: dict[str, set[str]] = {}
        self.files_of: dict[str, set[str]] = {}
        self.files = {path: OneFile() for path in FILES}
        self.theirs: dict[str, list[str]] = {path: [] for path in FILES}
        self.touched_by_others: set[str] = set()

    def wanted(self) -> set[str]:
        return {key for layer in self.stack for key in layer.settings}

    def applied(self, new: Layer, old: State, now: State, changed: bool) -> None:
        if not changed and not self.stack:
            return
        self.stack = [layer.without(new) if layer.name == new.name else layer for layer in self.stack] + [new]
        moved = {key for key in KEYS if now.live[key] != old.live[key]}
        for key in moved:
            self.first.setdefault(key, old.live[key])
            self.left[key] = now.live[key]
        self.keys_of.setdefault(new.name, set()).update(moved | (set(new.settings) & set(self.first)))
        written = {path for path in FILES if now.files[path] != old.files[path]}
        self.files_of.setdefault(new.name, set()).update(written)
        for path in written:
            self.files[path].written(of_file(new.limits, path))

    def reverted(self, names: set[str], old: State) -> tuple[dict[str, int], set[str]]:
        """What each key is expected to be then, and which of them keep what somebody else gave them."""
        live = old.live
        if not [layer for layer in self.stack if layer.name in names]:
            return dict(live), set()
        keys = {key for name in names for key in self.keys_of.pop(name, set())}
        paths = {path for name in names for path in self.files_of.pop(name, set())}
        self.stack = [layer for layer in self.stack if layer.name not in names]
        goal, moved = self._once_more()
        expected, foreign = dict(live), set()
        for key in self.first:
            if live[key] == self.left[key] and live[key] != goal[key]:
                expected[key] = goal[key]
                moved.add(key)
            elif live[key] != goal[key]:
                foreign.add(key)
        needed = {key for found in self.keys_of.values() for key in found} & set(self.first)
        self.left = {key: goal[key] if key in moved - foreign else self.left[key] for key in needed}
        self.first = {key: self.first[key] for key in needed}
        for path in paths:
            self.files[path].taken_back(self._limits_once_more(path), old.files[path] is not None)
        if not self.stack:
            for one in self.files.values():
                one.known = False
        return expected, foreign & keys

    def _once_more(self) -> tuple[dict[str, int], set[str]]:
        """What those who stay make of the values from before us, and which keys they move."""
        goal, moved = dict(self.first), set()
        for layer in self.stack:
            for key in set(layer.settings) & set(goal):
                value = met(layer.settings[key], goal[key])
                if value != goal[key]:
                    goal[key] = value
                    moved.add(key)
                    self.keys_of.setdefault(layer.name, set()).add(key)
        return goal, moved

    def _limits_once_more(self, path: str) -> dict[str, int]:
        goal = dict(self.files[path].first)
        for layer in self.stack:
            wanted = of_file(layer.limits, path)
            if {**goal, **wanted} != goal:
                goal.update(wanted)
                self.files_of.setdefault(layer.name, set()).add(path)
        return goal

    def check(self, now: State) -> None:
        """The files are as expected, line by line, and byte by byte where nobody else has touched one and nothing is in force."""
        for path in FILES:
            assert now.others(path) == sorted(self.start.others(path) + self.theirs[path]), path
            assert path == SYSCTL_FILE or now.limits(path) == self.files[path].now, path
            if not self.stack and path not in self.touched_by_others:
                assert now.files[path] == self.start.files[path], path
        if not self.stack:
            theirs = {path.rpartition("/")[0] for path in self.touched_by_others}
            assert set(now.directories) <= set(self.start.directories) | theirs
        entries, before, wanted = now.entries(), self.start.entries(), self.wanted()
        assert set(entries) <= set(before) | wanted
        for key in set(before) - wanted:
            assert entries[key] == before[key], key


def of_file(limits: Mapping[str, int], path: str) -> dict[str, int]:
    return {name: number for name, number in limits.items() if LIMITS[name][0] == path}


def met(desired: Any, number: int) -> int:
    """A number once a desired is met."""
    return max(number, desired["at_least"]) if isinstance(desired, dict) else int(desired)


def desired_limit(name: str, number: int) -> dict[str, Any]:
    kind, _blank, item = name.rpartition(" ")
    if kind == "unit":
        return {"unit": "web.service", "item": item, "soft": number, "hard": number}
    if kind == "manager":
        return {"manager": "system", "item": item, "soft": number, "hard": number}
    return {"domain": name, "item": "nofile", "hard": number}


class Journey:
    """A seeded sequence of steps on a host."""

    STEPS = ("apply",) * 4 + ("revert",) * 3 + ("revert_all", "reboot") + ("somebody_else",) * 3

    def __init__(self, ground: Ground, seed: int, steps: Iterable[str] = STEPS) -> None:
        self.dice = random.Random(seed)
        self.ground = ground
        self.steps = list(steps)
        for path, data in START.items():
            ground.write(path, data)
        ground.set_live("net.ipv4.tcp_syn_retries", 7)
        self.model = Model(ground.state())
        self.counts: dict[str, int] = {}
        self.written = 0
        self.told: list[str] = []

    def run(self, steps: int) -> dict[str, int]:
        while sum(self.counts.values()) < steps:
            name = self.dice.choice(self.steps)
            if name == "revert_all" and self.dice.random() < 0.5:
                continue
            self.counts[name] = self.counts.get(name, 0) + 1
            self.told.append(name)
            try:
                getattr(self, name)()
                now = self.ground.state()
                self.model.check(now)
                self.ground.compare({name: one for path in FILES for name, one in now.limits(path).items()})
            except BaseException as error:
                model = {name: value for name, value in vars(self.model).items() if name != "files"}
                model["files"] = {path: vars(one) for path, one in self.model.files.items()}
                raise AssertionError(
                    f"{error!r} after {self.told}; model {model}; host {self.ground.state()}"
                ) from error
        return self.counts

    # -- we -------------------------------------------------------------------------------------------------------------------

    def act(self, name: str | None, state: str, layer: Layer | None = None) -> tuple[bool, list[str]]:
        desired_settings = [desired_limit(*one) for one in layer.limits.items()] if layer else []
        options = {
            "name": name,
            "state": state,
            "sysctl": layer.settings if layer else None,
            "limits": desired_settings,
        }
        predicted, _warnings = self.ground.run(options, True)
        result, warnings = self.ground.run(options, False)
        assert [predicted[one] for one in ("changed", "settings", "limits")] == [
            result[one] for one in ("changed", "settings", "limits")
        ]
        again, _warnings = self.ground.run(options, False)
        assert not again["changed"], again
        return bool(result["changed"]), [text for text in warnings if "externally" in text]

    def apply(self) -> None:
        name, dice = self.dice.choice(NAMES), self.dice
        settings = {key: self.desired(key) for key in dice.sample(sorted(KEYS), dice.randint(1, 4))}
        limits = {one: dice.randint(2000, 9000) for one in dice.sample(sorted(LIMITS), dice.randint(0, 3))}
        self.told[-1] += f" {name} {settings} {limits}"
        old, layer = self.ground.state(), Layer(name, settings, limits)
        changed, warnings = self.act(name, "applied", layer)
        now = self.ground.state()
        self.model.applied(layer, old, now, changed)
        assert now.live == {
            key: met(settings[key], number) if key in settings else number for key, number in old.live.items()
        }
        assert not warnings, warnings

    def desired(self, key: str) -> Any:
        number = self.dice.randint(*KEYS[key])
        return {"at_least": number} if self.dice.random() < 0.4 else number

    def revert(self) -> None:
        self.take_back(self.dice.choice(NAMES))

    def revert_all(self) -> None:
        self.take_back(None)
        assert not self.model.stack

    def take_back(self, name: str | None) -> None:
        self.told[-1] += f" {name or 'everything'}"
        old = self.ground.state()
        known = {layer.name for layer in self.model.stack}
        strange = self.strange(old)
        changed, warnings = self.act(name, "reverted")
        assert known & ({name} if name else set(NAMES)) or not changed
        first = {**self.model.first}, {**self.model.left}, {**self.model.keys_of}
        expected, foreign = self.model.reverted({name} if name else set(NAMES), old)
        now = self.ground.state().live
        assert now == expected, f"{old.live} became {now}, expected {expected}; {first}; {warnings}"
        # What stays because somebody else changed it is named, and nothing else is.
        named = {text.split(":")[0].split(" ")[0] for text in warnings}
        assert named & set(KEYS) == foreign and named - set(KEYS) <= strange, (warnings, foreign, strange)

    def strange(self, state: State) -> set[str]:
        """The files that are not as we left them."""
        return {
            path
            for path, one in self.model.files.items()
            if self.model.theirs[path] or path in self.model.touched_by_others or one.now != one.left
        }

    # -- somebody else --------------------------------------------------------------------------------------------------------

    def reboot(self) -> None:
        written = self.ground.state().entries()
        self.ground.reboot(self.dice)
        now = self.ground.state()
        assert {key: now.live[key] for key in written} == written
        # All that was asked for holds after the boot, too; without an entry, because the kernel's own default will do.
        for key in self.model.wanted():
            desired = [layer.settings[key] for layer in self.model.stack if key in layer.settings][-1]
            assert now.live[key] == met(desired, now.live[key]), (key, desired, now.live[key])

    def somebody_else(self) -> None:
        what = self.dice.choice(
            [self.sets, self.sets, self.adds, self.adds, self.removes, self.edits, self.edits, self.deletes]
        )
        self.told[-1] += f" {what.__name__}"
        what()

    def sets(self) -> None:
        key = self.dice.choice(sorted(KEYS))
        self.ground.set_live(key, self.dice.randint(*KEYS[key]))

    def adds(self) -> None:
        """A comment or an entry of their own, anywhere in a file of ours."""
        path, lines = self.a_file()
        self.written += 1
        new = f"# theirs {self.written}"
        if path == SYSCTL_FILE and self.dice.random() < 0.5:
            new = f"net.ipv4.tcp_orphan_retries = {self.written}"
        lines.insert(self.dice.randint(0, len(lines)), new)
        self.model.theirs[path].append(new)
        self.put(path, lines)

    def removes(self) -> None:
        """What they had added."""
        path, lines = self.a_file()
        if self.model.theirs[path]:
            old = self.model.theirs[path].pop(self.dice.randrange(len(self.model.theirs[path])))
            self.put(path, [line for line in lines if line != old])

    def edits(self) -> None:
        """The number on a line of ours, or the whole line."""
        path, lines = self.a_file()
        now = self.model.files[path].now
        if not now:
            return
        name = self.dice.choice(sorted(now))
        head, number = LIMITS[name][1], self.dice.randint(2000, 9000)
        place = next(index for index, line in enumerate(lines) if line.startswith(head))
        if self.dice.random() < 0.5:
            del lines[place], now[name]
        else:
            lines[place], now[name] = head + str(number), number
        self.put(path, lines)

    def deletes(self) -> None:
        path, _lines = self.a_file()
        if path != SYSCTL_FILE:
            self.model.theirs[path], self.model.files[path].now = [], {}
            self.put(path, [])

    def a_file(self) -> tuple[str, list[str]]:
        state = self.ground.state()
        path = self.dice.choice([path for path in FILES if state.files[path] is not None])
        self.told[-1] += f" {path}"
        return path, state.lines(path)

    def put(self, path: str, lines: list[str]) -> None:
        self.model.touched_by_others.add(path)
        self.ground.write(path, "".join(line + "\n" for line in lines).encode() if lines else None)

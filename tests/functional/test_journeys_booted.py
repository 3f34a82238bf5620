# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Journeys of a container that systemd has booted, see journey.py: its restarts are real ones, and systemd says what it makes of our
drop-ins. TUNEFLEET_BOOTED_STEPS and TUNEFLEET_JOURNEY_SEED choose other journeys.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.tunefleet.linux.tests.environments.booted_host import BootedHost
from ansible_collections.tunefleet.linux.tests.environments.containers import NotHere
from ansible_collections.tunefleet.linux.tests.environments.namespace import path_of
from ansible_collections.tunefleet.linux.tests.functional.journey import (
    FILES,
    KEYS,
    LIMITS,
    OWN_DIRECTORIES,
    UNIT,
    UNIT_FILE,
    Journey,
    State,
)

STEPS = int(os.environ.get("TUNEFLEET_BOOTED_STEPS") or 12)
SEED = int(os.environ.get("TUNEFLEET_JOURNEY_SEED") or 1)
LOOK = """
import json, os, sys
keys, files, directories = json.loads(sys.argv[1])
read = lambda path: open(path, encoding="latin-1").read() if os.path.exists(path) else None
print(json.dumps([{key: int(read(path)) for key, path in keys.items()}, {path: read(path) for path in files},
                  [path for path in directories if os.path.exists(path)]]))
"""
# A property of systemd, and of which unit, for each of our limits; and the processes that have them.
SHOWN = {
    "unit nofile": "LimitNOFILE",
    "unit nproc": "LimitNPROC",
    "manager nofile": "DefaultLimitNOFILE",
}


class There:
    """A container."""

    def __init__(self, host: BootedHost) -> None:
        self.host = host
        self.host.write({UNIT: "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n", "/tmp/look.py": LOOK})
        self.host.sh("systemctl daemon-reload; systemctl start web")
        self.plain = self.shown()

    def state(self) -> State:
        asked = json.dumps([{key: path_of(key) for key in KEYS}, FILES, OWN_DIRECTORIES])
        live, files, directories = json.loads(self.host.sh(f"python3 /tmp/look.py '{asked}'"))
        return State(
            live,
            {path: None if text is None else text.encode("latin-1") for path, text in files.items()},
            directories,
        )

    def write(self, path: str, data: bytes | None) -> None:
        if data is None:
            self.host.sh(f"rm {path}")
        else:
            self.host.write({path: data.decode()})
        self.host.sh("systemctl daemon-reload")

    def set_live(self, key: str, number: int) -> None:
        self.host.sh(f"echo {number} >{path_of(key)}")

    def run(self, options: Mapping[str, Any], check_mode: bool) -> tuple[dict[str, Any], list[str]]:
        outcome = self.host.module("profile", options, check_mode=check_mode)
        assert not outcome.failed, outcome.text
        return outcome.result, outcome.warnings

    def reboot(self, dice: random.Random) -> None:
        self.host.restart()
        self.host.write({"/tmp/look.py": LOOK})
        self.host.sh("systemctl start web")
        # What has just been started has what our files say.
        said = self.state().limits(UNIT_FILE)
        for limit, row in (("unit nofile", "open files"), ("unit nproc", "processes")):
            assert limit not in said or self.host.files_of("web", row) == f"{said[limit]}:{said[limit]}"

    def shown(self) -> dict[str, str]:
        text = self.host.sh(
            "systemctl show -p LimitNOFILE -p LimitNPROC -p NeedDaemonReload web; systemctl show -p DefaultLimitNOFILE"
        )
        return {line.partition("=")[0]: line.partition("=")[2] for line in text.splitlines()}

    def compare(self, said: Mapping[str, int]) -> None:
        expected = {name: str(said[limit]) if limit in said else self.plain[name] for limit, name in SHOWN.items()}
        if "unit nofile" not in said:
            expected["LimitNOFILE"] = expected["DefaultLimitNOFILE"]
        assert self.shown() == {**expected, "NeedDaemonReload": "no"}
        assert set(SHOWN) == {name for name in LIMITS if " " in name}


@pytest.fixture
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    try:
        host = BootedHost("bookworm", tmp_path_factory.mktemp("journey"))
    except NotHere as problem:
        pytest.skip(str(problem))
    try:
        yield There(host)
    finally:
        host.close()


def test_a_journey_with_real_restarts(there: There, note: Callable[[str], None]) -> None:
    steps = [*Journey.STEPS, "reboot", "reboot"]
    journey = Journey(there, SEED, steps)
    counts = journey.run(STEPS)
    # In the end everything goes, and a last restart shows nothing of it.
    journey.revert_all()
    journey.reboot()
    journey.model.check(there.state())
    note(
        f"booted journey: seed {SEED}: " + ", ".join(f"{count} times {name}" for name, count in sorted(counts.items()))
    )
    assert sum(counts.values()) == STEPS and counts["reboot"] >= 2 and counts["apply"] >= 3

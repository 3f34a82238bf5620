# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules cost by themselves at 10, 100, 1,000 and 10,000 keys: processor time beyond Python's own start, and memory.

Each figure is measured in a process of its own, as a module runs in one, right after a bare loop there that reads, writes and reads
each key and does nothing else. The ratio of the two hardly depends on how busy or how fast the machine is.

It needs root, and a network namespace of its own, whose interfaces have the keys; it leaves nothing behind there but them.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COUNTS = (10, 100, 1000, 10000)
# Flags of an interface that mean nothing to one without an address, so that toggling them is harmless.
FLAGS = (
    *(
        "accept_local",
        "accept_redirects",
        "arp_accept",
        "arp_filter",
        "arp_notify",
        "bootp_relay",
        "drop_gratuitous_arp",
    ),
    *("log_martians", "secure_redirects", "send_redirects", "shared_media", "src_valid_mark", "route_localnet"),
)
# What is measured, in this order, so that each finds what the one before has left: whether it is a check, and what it changes.
RUNS = {"check": (True, True), "first": (False, True), "again": (False, False)}


def make_keys(count: int) -> list[str]:
    """Paths of that many keys, on interfaces that are made for them."""
    pairs = count // (2 * len(FLAGS)) + 1
    missing = [number for number in range(pairs) if not Path(f"/proc/sys/net/ipv4/conf/bench{number}").exists()]
    lines = "".join(f"link add bench{number} type veth peer peer{number}\n" for number in missing)
    subprocess.run(["ip", "-batch", "-"], input=lines, text=True, check=True)
    names = sorted(name for name in os.listdir("/proc/sys/net/ipv4/conf") if name.startswith(("bench", "peer")))
    return [f"net/ipv4/conf/{name}/{flag}" for name in names for flag in FLAGS][:count]


def bare_loop(keys: list[str], value: int) -> None:
    """The least that any program has to do."""
    for key in keys:
        path = "/proc/sys/" + key
        for _time in range(2):
            with open(path, "rb", buffering=0) as stream:
                stream.read()
        with open(path, "wb", buffering=0) as stream:
            stream.write(b"%d\n" % value)


def timed(action: Callable[..., None], *arguments: object) -> dict[str, float]:
    """Milliseconds by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    action(*arguments)
    return {"clock": (time.perf_counter() - clock) * 1000, "processor": (time.process_time() - processor) * 1000}


def run_once(keys: list[str], check_mode: bool, changes: bool) -> dict[str, Any]:
    """One run of the module's core in this process, beside the bare loop."""
    from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
    from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
    from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import settings as sysctl_settings
    from ansible_collections.tunefleet.linux.plugins.module_utils._transaction import commit

    del commit  # loaded by runs that change something; loading is no part of what is measured

    def apply(value: int) -> None:
        request = requests.Request(settings=sysctl_settings.parse(dict.fromkeys(keys, value)))
        result, _warnings = module_run.run(hosts.Host(), request, check_mode)
        assert result["changed"] is changes and len(result["settings"]) == len(keys)

    now = int(Path("/proc/sys/" + keys[-1]).read_text())
    found: dict[str, Any] = {"loop": timed(bare_loop, keys, now)}
    found["run"] = timed(apply, 1 - now if changes else now)
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def measure(count: int, repeats: int) -> dict[str, list[dict[str, Any]]]:
    """What each kind of run took, ``repeats`` times over."""
    keys = make_keys(count)
    bare_loop(keys, 0)
    env = dict(os.environ, PYTHONPATH=str(ROOT / ".cache"))
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in RUNS}
    for _turn in range(repeats):
        for name in RUNS:
            argv = [sys.executable, __file__, "--one", name]
            done = subprocess.run(argv, env=env, input=json.dumps(keys), check=True, capture_output=True, text=True)
            found[name].append(json.loads(done.stdout))
    return found


def ratios(figures: list[dict[str, Any]]) -> list[float]:
    """How much more processor time a run took than the bare loop in the same process, sorted."""
    return sorted(one["run"]["processor"] / one["loop"]["processor"] for one in figures)


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        print(json.dumps(run_once(json.load(sys.stdin), *RUNS[sys.argv[2]])))
    else:
        print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))

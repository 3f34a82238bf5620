# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules cost by themselves at 10, 100, 1,000 and 10,000 keys: time beyond Python's own start, and memory.

    make bench

Needs root: it works in a network namespace of its own, whose interfaces have the keys, with an /etc of its own, and leaves nothing
behind. Each figure is the median of several runs; the ratio is to a loop that reads, writes and reads each key and does nothing else.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COUNTS = (10, 100, 1000, 10000)
RUNS = 5
# Flags of an interface that mean nothing to one without an address, so that toggling them is harmless.
FLAGS = (
    "accept_local",
    "accept_redirects",
    "arp_accept",
    "arp_filter",
    "arp_notify",
    "bootp_relay",
    "drop_gratuitous_arp",
)
FLAGS += ("log_martians", "secure_redirects", "send_redirects", "shared_media", "src_valid_mark", "route_localnet")
# A mount namespace's own /etc, made of the machine's and of memory.
OWN_ETC = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
shift
exec "$@"
"""


def inside(folder: str) -> list[str]:
    """This program again, in namespaces of its own."""
    return ["unshare", "--net", "--mount", "sh", "-c", OWN_ETC, "sh", folder, sys.executable, __file__, "--inside"]


def make_keys(count: int) -> list[str]:
    for number in range(count // (2 * len(FLAGS)) + 1):
        if not Path(f"/proc/sys/net/ipv4/conf/bench{number}").exists():
            subprocess.run(["ip", "link", "add", f"bench{number}", "type", "veth", "peer", f"peer{number}"], check=True)
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


def timed(action: object, *arguments: object) -> float:
    start = time.perf_counter()
    action(*arguments)  # type: ignore[operator]
    return (time.perf_counter() - start) * 1000


def measure(count: int) -> dict[str, float]:
    from ansible_collections.tunefleet.linux.plugins.module_utils._change import _run, _wish
    from ansible_collections.tunefleet.linux.plugins.module_utils._host import Host

    keys = make_keys(count)

    def apply(value: int, check_mode: bool, expected: bool) -> None:
        request = _wish.Request(wishes=_wish.settings(dict.fromkeys(keys, value)))
        result, _warnings = _run.run(Host(), request, check_mode)
        assert result["changed"] is expected and len(result["settings"]) == count

    figures: dict[str, list[float]] = {"loop": [], "plan": [], "first": [], "again": []}
    for turn in range(RUNS):
        value = turn % 2
        figures["loop"].append(timed(bare_loop, keys, 1 - value))
        figures["plan"].append(timed(apply, value, True, True))
        figures["first"].append(timed(apply, value, False, True))
        figures["again"].append(timed(apply, value, False, False))
    return {name: statistics.median(values) for name, values in figures.items()}


def report(count: int) -> dict[str, float]:
    """One size in a process of its own, so that its memory is its own."""
    code = "import json, resource, sys; sys.path.insert(0, sys.argv[1]); import keys; figures = keys.measure(int(sys.argv[2])); "
    code += "figures['memory'] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024; print(json.dumps(figures))"
    argv = [sys.executable, "-c", code, str(Path(__file__).parent), str(count)]
    env = dict(os.environ, PYTHONPATH=str(ROOT / ".cache"))
    done = subprocess.run(argv, env=env, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def main() -> None:
    if os.geteuid() != 0:
        sys.exit("This benchmark makes a network namespace and needs root.")
    if "--inside" not in sys.argv:
        folder = ROOT / ".cache" / "bench-etc"
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(inside(str(folder)), check=False)
        folder.rmdir()
        sys.exit(done.returncode)
    print("keys     check mode      first run     second run      loop   first/loop   memory")
    for count in COUNTS:
        one = report(count)
        print(
            f"{count:6d} {one['plan']:10.1f} ms {one['first']:10.1f} ms {one['again']:11.1f} ms {one['loop']:7.1f} ms "
            f"{one['first'] / one['loop']:9.1f}x {one['memory']:6.0f} MB"
        )


if __name__ == "__main__":
    main()

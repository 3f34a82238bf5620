# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the collection costs, beside what one would use instead.

    make bench

Every part compares within one run and says the spread, for a time alone says as much about the machine as about the program. The
figures go to build/benchmarks as results.json and as plots. It needs root: everything happens in namespaces of its own, with an /etc
of its own, and nothing is left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keys
import plot

ROOT = Path(__file__).resolve().parent.parent
# A mount namespace's own /etc, made of the machine's and of memory, and the sign of a host that systemd has booted: sd_booted(3).
OWN_PLACES = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/upper,workdir=$1/work" /etc
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
shift
exec "$@"
"""

Spread = tuple[float, float, float]


def spread(values: Sequence[float]) -> Spread:
    """The least, the median and the greatest."""
    return min(values), statistics.median(values), max(values)


def told(one: Spread, form: str = ".2f") -> str:
    return f"{one[1]:{form}} ({one[0]:{form}} to {one[2]:{form}})"


def bench_keys(quick: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """What the module costs by itself, by the number of keys."""
    found: dict[str, Any] = {}
    print(
        "In the module, processor time in a process of its own: milliseconds, and how often a bare loop over the keys"
    )
    print(f"{'keys':>6}  {'loop':>8}  {'check mode':>18}  {'first run':>18}  {'second run':>18}  {'memory':>7}")
    for count in keys.COUNTS[:2] if quick else keys.COUNTS:
        figures = keys.measure(count, 2 if quick else 3 if count > 1000 else 7)
        one = {name: spread([run["run"]["processor"] for run in runs]) for name, runs in figures.items()}
        one["loop"] = spread([run["loop"]["processor"] for runs in figures.values() for run in runs])
        one["memory"] = spread([run["memory"] for run in figures["first"]])
        ratio = {name: spread(keys.ratios(runs)) for name, runs in figures.items()}
        found[str(count)] = {"milliseconds": one, "ratio": ratio}
        cells = [f"{one[name][1]:8.1f} = {ratio[name][1]:5.1f} x" for name in keys.RUNS]
        print(f"{count:6d}  {one['loop'][1]:8.1f}  " + "  ".join(cells) + f"  {one['memory'][1]:4.0f} MB")
    names = {"first": "first run", "again": "second run", "loop": "bare loop"}
    series = {
        label: [(float(count), *one["milliseconds"][name]) for count, one in found.items()]
        for name, label in names.items()
    }
    return found, {"keys": plot.lines("In-module cost", "keys", "processor milliseconds", series)}


PARTS = {"keys": bench_keys}


def inside(arguments: Sequence[str]) -> int:
    """This program again, in namespaces of its own."""
    folder = ROOT / ".cache" / f"bench-{os.getpid()}"
    folder.mkdir(parents=True)
    argv = ["unshare", "--net", "--mount", "--ipc", "sh", "-c", OWN_PLACES, "sh", str(folder)]
    try:
        return subprocess.run([*argv, sys.executable, __file__, "--inside", *arguments], check=False).returncode
    finally:
        folder.rmdir()


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure what the collection costs.")
    parser.add_argument("--quick", action="store_true", help="few and small: to see that it works")
    parser.add_argument("--output", default=str(ROOT / "build" / "benchmarks"), help="where figures and plots go")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; default: all")
    options = parser.parse_args()
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown:
        parser.error(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    if os.geteuid() != 0:
        parser.error("the benchmarks make namespaces, which needs root")
    if not options.inside:
        return inside(sys.argv[1:])
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    for name in options.parts or PARTS:
        results[name], plots = PARTS[name](options.quick)
        for title, text in plots.items():
            (output / f"{title}.svg").write_text(text, encoding="utf-8")
        print()
    (output / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"Figures and plots: {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

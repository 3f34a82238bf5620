# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet would take that nobody can measure here, worked out from the fleets that "make bench" measured.

    .venv/bin/python benchmarks/estimate.py --cores 16 10000 100000

A straight line through the processor time of whole runs says what the start costs and what each host adds; the same of memory. On the
measured fleets the hosts share the processors of the controller, so their own part is in the figure and it errs to the safe side;
what ssh takes is not in it. An estimate holds as long as enough forks keep the processors busy.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).resolve().parent.parent / "build" / "benchmarks" / "results.json"
HOUR = 3600


class Line(NamedTuple):
    """A number at no hosts, and what each host adds."""

    start: float
    each: float

    def at(self, hosts: int) -> float:
        return self.start + hosts * self.each


class Measured(NamedTuple):
    """The lines through what was measured: processor seconds and MiB of memory; and how far the worst point is off the first."""

    processor: Line
    memory: Line
    off: float
    sizes: Sequence[int]
    forks: int


def line(points: Sequence[tuple[float, float]]) -> Line:
    """The straight line with the least squares of relative distances, for the small fleets are as certain as the large ones."""
    weights = [1 / y**2 for _x, y in points]
    total = sum(weights)
    mean_x = sum(w * x for w, (x, _y) in zip(weights, points)) / total
    mean_y = sum(w * y for w, (_x, y) in zip(weights, points)) / total
    above = sum(w * (x - mean_x) * (y - mean_y) for w, (x, y) in zip(weights, points))
    each = above / sum(w * (x - mean_x) ** 2 for w, (x, _y) in zip(weights, points))
    return Line(mean_y - each * mean_x, each)


def measured(figures: Iterable[Mapping[str, Any]]) -> Measured:
    """What the part "fleet" of the benchmarks found about the role, with the most forks.

    :raises ValueError: when there are fewer than two sizes, through which there is no line.
    """
    runs = [one for one in figures if one["play"] == "role"]
    forks = max((one["forks"] for one in runs), default=0)
    runs = [one for one in runs if one["forks"] == forks]
    sizes = sorted({one["hosts"] for one in runs})
    if len(sizes) < 2:
        raise ValueError(f"fleets of at least two sizes are needed, found {len(sizes)}")

    def medians(name: str) -> list[tuple[float, float]]:
        return [(size, statistics.median(one[name] for one in runs if one["hosts"] == size)) for size in sizes]

    processor = line(medians("processor"))
    off = max(abs(processor.at(int(size)) / found - 1) for size, found in medians("processor"))
    return Measured(processor, line(medians("memory")), off, sizes, forks)


def duration(seconds: float) -> str:
    """As people say it: ``40 s``, ``74 min``, ``12 h``."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3 * HOUR else f"{seconds / HOUR:.1f} h"


def table(found: Measured, hosts: Sequence[int], cores: int, minutes: int) -> list[str]:
    """The estimate as lines.

    :param cores: of a controller. :param minutes: the window in which all shall be through.
    """
    sizes = f"{found.sizes[0]} to {found.sizes[-1]}"
    lines = [
        f"Measured on fleets of {sizes} hosts with {found.forks} forks: {found.processor.each:.2f} processor seconds and "
        f"{found.memory.each:.2f} MB for each host, beyond {found.processor.start:.1f} s and {found.memory.start:.0f} MB;",
        f"no fleet is further than {found.off:.0%} off this line.",
        "",
        f"{'hosts':>8}  {'processor time':>14}  {'one controller':>14}  {'its memory':>10}  controllers for {minutes} min",
    ]
    for count in hosts:
        processor = found.processor.at(count)
        # Each has its own start; what is left of the window goes to hosts.
        left = minutes * 60 * cores - found.processor.start
        needed = str(math.ceil(count * found.processor.each / left)) if left > 0 else "too short"
        lines.append(
            f"{count:8d}  {duration(processor):>14}  {duration(processor / cores):>14}  {found.memory.at(count):7.0f} MB  {needed:>8}"
        )
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description="Estimate what large fleets take from what the benchmarks measured.")
    parser.add_argument("--results", default=str(RESULTS), help='results.json of "make bench ARGS=fleet"')
    parser.add_argument("--cores", type=int, default=2, help="processor cores of a controller")
    parser.add_argument("--window", type=int, default=60, help="minutes in which all shall be through")
    parser.add_argument("hosts", nargs="*", type=int, default=[1000, 10000, 100000])
    options = parser.parse_args()
    if min([options.cores, options.window, *options.hosts]) < 1:
        parser.error("cores, minutes and hosts are at least 1")
    try:
        figures = json.loads(Path(options.results).read_text(encoding="utf-8"))["fleet"]["figures"]
        found = measured(figures)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        reason = f"there is no {problem} in it" if isinstance(problem, KeyError) else problem
        parser.error(f'{options.results} holds no measured fleets ({reason}); run: make bench ARGS="fleet"')
    print("\n".join(table(found, options.hosts, options.cores, options.window)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

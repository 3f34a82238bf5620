# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the collection costs, beside what one would use instead.

    make bench

Every part compares within one run and says the spread, for a time alone says as much about the machine as about the program. The
figures go to build/benchmarks as results.json and as plots, and the table of docs/performance.md as host.md. It needs root:
everything happens in namespaces of its own, with an /etc of its own, and nothing is left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keys
import plays
import plot
import ssh

ROOT = Path(__file__).resolve().parent.parent
# What a host writes to, made of the machine's and of memory, and the sign of a host that systemd has booted: sd_booted(3).
OWN_PLACES = """
set -e
mount -t tmpfs tmpfs "$1"
for place in /etc /var/lib; do
    mkdir -p "$1/upper$place" "$1/work$place"
    mount -t overlay overlay -o "lowerdir=$place,upperdir=$1/upper$place,workdir=$1/work$place" "$place"
done
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
shift
exec "$@"
"""

ROLE = "role `web_server`"
RUNS = {"first": "first", "again": "unchanged"}

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
    return found, {"keys.svg": plot.lines("In-module cost", "keys", "processor milliseconds", series)}


def marginal(runs: Sequence[dict[str, Any]], nothing: Sequence[dict[str, Any]], of: str) -> list[float]:
    """What runs took beyond a run without a task, which is what starting ansible-playbook takes."""
    start = statistics.median(one[of] for one in nothing)
    return [max(one[of] - start, 0.001) for one in runs]


def ratio(runs: Sequence[float], others: Sequence[float]) -> Spread:
    """The ratio turn by turn: what was measured one after the other is compared, so that a busy moment counts for both."""
    return spread([one / other for one, other in zip(runs, others)])


def plain(name: str) -> str:
    """The name of a play without the marks of Markdown."""
    return name.replace("`", "")


def host_ratios(figures: Mapping[str, Mapping[str, list[dict[str, Any]]]], of: str) -> dict[str, Spread]:
    """How the runs of each play on one host compare with a ping, and those of others with the role, by the clock or in processor time."""
    found = {}
    for name, runs in figures.items():
        for run in RUNS if name != "nothing" else ():
            nothing, whole = figures["nothing"][run], [one[of] for one in runs[run]]
            beyond = marginal(runs[run], nothing, of)
            for other, told_as in (("ping", "ping"), (ROLE, "the role")):
                others = figures[other][run]
                found[f"{name}, {run}, to {told_as}"] = ratio(beyond, marginal(others, nothing, of))
                found[f"{name}, {run}, whole run, to {told_as}"] = ratio(whole, [one[of] for one in others])
    return found


def readme_table(clock: Mapping[str, Spread], processor: Mapping[str, Spread], books: Iterable[str]) -> str:
    """The table of docs/performance.md, as Markdown."""
    lines = ["| | first run | unchanged | whole first run | whole unchanged run | processor time |", "|" + 6 * " --- |"]
    for name in books:
        if name not in ("nothing", "ping"):
            cells = [
                told(clock[f"{name}, {run}, {part}to ping"], ".1f") for part in ("", "whole run, ") for run in RUNS
            ]
            cells.append(told(processor[f"{name}, first, to ping"], ".1f"))
            lines.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(lines) + "\n"


def print_host(figures: Mapping[str, Any], ratios: Mapping[str, Spread], of: str) -> None:
    for name in figures:
        for run, label in RUNS.items():
            cells = f"{statistics.median(one[of] for one in figures[name][run]):8.2f} s"
            for kind in ("whole run, to ping", "to ping", "whole run, to the role"):
                cells += f"{told(ratios[f'{name}, {run}, {kind}']):>25}" if name != "nothing" else ""
            print(f"{f'{plain(name)}, {label}':44}{cells}")


def bench_host(quick: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """A whole run of ansible-playbook on one host: the role web_server, a ping, and what one would use instead."""
    books = {"nothing": plays.NOTHING, "ping": plays.PING, ROLE: plays.ROLE}
    if not quick:
        books.update({"template and `sysctl --system`": plays.TEMPLATE, "loop of `ansible.posix.sysctl`": plays.LOOP})
        books.update({"ping with pipelining": plays.PIPED_PING, "the loop with pipelining": plays.PIPED_LOOP})
    found: dict[str, Any] = {}
    plots: dict[str, str] = {}
    ratios: dict[str, dict[str, Spread]] = {}
    for reached, of in (("by ssh", "clock"), ("beside the controller", "processor")):
        with tempfile.TemporaryDirectory(prefix="tunefleet-bench-") as place:
            folder = Path(place)
            server = ssh.Server(folder / "ssh") if reached == "by ssh" else None
            figures, keys_set = plays.one_host(folder, books, 1 if quick else 5, 0 if quick else 12, server)
        ratios[of] = host_ratios(figures, of)
        seconds = {"clock": "by the clock", "processor": "of the processors"}[of]
        print(
            f"One host {reached}, {keys_set} keys: seconds {seconds} of a whole run; its ratio to that of a ping; the"
        )
        print("same beyond a run without a task; and the ratio of the whole run to that of the role")
        print_host(figures, ratios[of], of)
        print()
        bars = {
            f"{plain(name)}, {label}": spread([one[of] for one in figures[name][run]])
            for name in books
            for run, label in RUNS.items()
        }
        plots[f"host-{of}.svg"] = plot.bars(
            f"A run of ansible-playbook on one host {reached}, seconds {seconds}", "s", bars
        )
        found[of] = {"keys": keys_set, "figures": figures, **ratios[of]}
    return found, {**plots, "host.md": readme_table(ratios["clock"], ratios["processor"], books)}


def bench_fleet(quick: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Unchanged runs on fleets of several sizes."""
    counts, forks, repeats = ((2,), (2,), 1) if quick else ((1, 10, 50, 200), (5, 50), 2)
    with tempfile.TemporaryDirectory(prefix="tunefleet-bench-") as folder:
        figures = plays.fleet(Path(folder), counts, forks, repeats)
    found: dict[str, Any] = {"figures": figures}
    series: dict[str, list[plot.Point]] = {}
    print(
        "A fleet, unchanged: seconds for each host beyond a run without a task, the ratio of the processor time, and the memory of"
    )
    print("the controller")
    print(f"{'hosts':>6} {'forks':>6}  {'ping':>20}  {'role web_server':>20}  {'ratio':>20}  {'memory':>12}")
    for count in counts:
        for fork in forks:
            by_play = {
                play: [one for one in figures if (one["hosts"], one["forks"], one["play"]) == (count, fork, play)]
                for play in ("nothing", "ping", "role")
            }
            each = {
                play: [took / count for took in marginal(by_play[play], by_play["nothing"], "clock")]
                for play in ("ping", "role")
            }
            beside = ratio(*(marginal(by_play[play], by_play["nothing"], "processor") for play in ("role", "ping")))
            found[f"{count} hosts, {fork} forks"] = {
                "ratio": beside,
                "seconds": {k: spread(v) for k, v in each.items()},
            }
            memory = " / ".join(f"{max(one['memory'] for one in by_play[play]):.0f}" for play in ("ping", "role"))
            cells = [told(spread(each["ping"]), ".3f"), told(spread(each["role"]), ".3f"), told(beside)]
            print(f"{count:6d} {fork:6d}  {cells[0]:>20}  {cells[1]:>20}  {cells[2]:>20}  {memory:>9} MB")
            for play, values in each.items():
                series.setdefault(f"{play}, {fork} forks", []).append((float(count), *spread(values)))
    return found, {"fleet.svg": plot.lines("Cost of each host of a fleet", "hosts", "seconds", series)}


def bench_report(quick: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Rendering of audit reports, by the number of hosts, each with 60 settings."""
    from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import fleet as fleet_report
    from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import html, junit
    from ansible_collections.tunefleet.linux.tests.unit.plugins.plugin_utils._report import (
        fleets,
    )

    found: dict[str, Any] = {}
    series: dict[str, list[plot.Point]] = {}
    print("Reports of hosts with 60 settings each: seconds, and the size of fleet.html")
    for count in (5, 20) if quick else (10, 50, 200, 500, 1000):
        took: dict[str, list[float]] = {"build": [], "fleet.html": [], "junit.xml": []}
        for _turn in range(1 if quick else 5):
            outcomes = fleets.large(count, 60)
            start = time.perf_counter()
            document = fleet_report.build(outcomes)
            built = time.perf_counter()
            page = html.to_html(document)
            rendered = time.perf_counter()
            junit.to_junit(document)
            took["build"].append(built - start)
            took["fleet.html"].append(rendered - built)
            took["junit.xml"].append(time.perf_counter() - rendered)
        found[str(count)] = {name: spread(values) for name, values in took.items()}
        for name, values in took.items():
            series.setdefault(name, []).append((float(count), *spread(values)))
        cells = "  ".join(f"{name} {told(spread(values), '.3f')}" for name, values in took.items())
        print(f"{count:6d} hosts  {cells}  {len(page.encode()) / 1024:.0f} KiB")
    return found, {"report.svg": plot.lines("Rendering of an audit report", "hosts", "seconds", series)}


PARTS = {"keys": bench_keys, "host": bench_host, "fleet": bench_fleet, "report": bench_report}


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
    lacking = ssh.missing() if not options.parts or "host" in options.parts else []
    if lacking:
        parser.error(
            f"hosts are reached by ssh, which needs {', '.join(lacking)}; make bench unpacks them as root on Debian"
        )
    if not options.inside:
        return inside(sys.argv[1:])
    sys.path.insert(0, str(ROOT / ".cache"))
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {}
    for name in options.parts or PARTS:
        results[name], plots = PARTS[name](options.quick)
        for title, text in plots.items():
            (output / title).write_text(text, encoding="utf-8")
        print()
    (output / "results.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"Figures and plots: {output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

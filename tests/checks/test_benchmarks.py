# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The benchmarks run, compare what they say they compare, and leave the machine as it was."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

import bench
import plot
import pytest
from support import CACHE, ROOT, is_root, must_pass, run

SVG = "{http://www.w3.org/2000/svg}"
PLACES = (
    "/etc/sysctl.d",
    "/etc/security/limits.d",
    "/var/lib/tunefleet",
    "/proc/net/dev",
    "/proc/sys/net/core/somaxconn",
)


def looked_at() -> dict[str, object]:
    """What the benchmarks would change if they got out of their namespaces."""
    found: dict[str, object] = {}
    for place in map(Path, PLACES):
        if place.is_dir():
            found[str(place)] = {path.name: path.read_bytes() for path in sorted(place.iterdir()) if path.is_file()}
        elif place.name == "dev":
            found[str(place)] = [line for line in place.read_text().splitlines() if "bench" in line]
        else:
            found[str(place)] = place.read_text() if place.exists() else None
    return found


@pytest.mark.skipif(not is_root(), reason="the benchmarks make namespaces, which needs root")
@pytest.mark.skipif(not all(map(shutil.which, ("unshare", "nsenter", "ip"))), reason="needs util-linux and iproute2")
def test_a_quick_run(tmp_path: Path) -> None:
    before = looked_at()
    output = must_pass([sys.executable, ROOT / "benchmarks" / "bench.py", "--quick", "--output", tmp_path])
    assert looked_at() == before and not list(CACHE.glob("bench-*"))
    assert f"Figures and plots: {tmp_path}" in output
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert sorted(results) == ["fleet", "host", "keys", "report"]
    for count in ("10", "100"):
        low, median, high = results["keys"][count]["ratio"]["first"]
        assert 1 < low <= median <= high
    assert (
        results["host"]["ping, first, to ping"] == [1, 1, 1]
        and results["host"]["role web_server, first, to ping"][0] > 0
    )
    assert {one["play"] for one in results["fleet"]["figures"]} == {"nothing", "ping", "role"}
    assert all(one["memory"] > 10 and one["processor"] > 0 for one in results["fleet"]["figures"])
    for name in results:
        picture = ElementTree.parse(tmp_path / f"{name}.svg")
        shapes = picture.findall(f"{SVG}polyline") + picture.findall(f"{SVG}rect")
        assert len(shapes) > 2 and picture.findall(f"{SVG}text")


@pytest.mark.skipif(not is_root(), reason="says this only to root")
def test_an_unknown_part_is_named() -> None:
    done = run([sys.executable, ROOT / "benchmarks" / "bench.py", "nosuch"])
    assert done.returncode == 2 and "there is no part nosuch; there are keys, host, fleet, report" in done.stdout


def test_lines_are_where_the_values_are() -> None:
    text = plot.lines(
        "A < B", "keys", "ms", {"loop": [(1, 1, 1, 1), (10, 10, 10, 10)], "run": [(1, 1, 10, 100), (10, 10, 10, 10)]}
    )
    root = ElementTree.fromstring(text)
    loop, run_line = (one.get("points", "").split() for one in root.findall(f"{SVG}polyline"))
    left, right = plot.LEFT, plot.WIDTH - plot.RIGHT
    bottom, top = plot.HEIGHT - plot.BOTTOM, plot.TOP
    middle = (bottom + top) / 2
    assert loop == [f"{left:.1f},{bottom:.1f}", f"{right:.1f},{middle:.1f}"]
    assert run_line == [f"{left:.1f},{middle:.1f}", f"{right:.1f},{middle:.1f}"]
    spread = root.findall(f"{SVG}polygon")[1].get("points", "").split()
    assert f"{left:.1f},{top:.1f}" in spread and f"{left:.1f},{bottom:.1f}" in spread


def test_bars_are_as_long_as_their_values() -> None:
    root = ElementTree.fromstring(plot.bars("Runs", "s", {"one": (1, 2, 4), "other": (1, 1, 1)}))
    _paper, one, other = root.findall(f"{SVG}rect")
    assert float(one.get("width", 0)) == 2 * float(other.get("width", 0)) > 0


def test_ratios_compare_turn_by_turn() -> None:
    assert bench.ratio([2, 8, 3], [1, 4, 1]) == (2, 2, 3)
    runs = [{"clock": 3.0}, {"clock": 5.0}]
    assert bench.marginal(runs, [{"clock": 1.0}, {"clock": 2.0}, {"clock": 9.0}], "clock") == [1.0, 3.0]

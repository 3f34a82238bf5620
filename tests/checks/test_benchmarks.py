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
import estimate
import plays
import plot
import pytest
import ssh
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
@pytest.mark.skipif(bool(ssh.missing()), reason="the benchmarks reach hosts by ssh, which needs openssh-server")
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
    table = (tmp_path / "host.md").read_text()
    for of in ("clock", "processor"):
        one = results["host"][of]
        # Those that the whole machine shares as well: a network namespace alone has 16.
        assert one["keys"] > 18 and one["ping, first, to ping"] == [1, 1, 1]
        assert one["role `web_server`, first, to ping"][0] > 0 and one["ping, first, whole run, to the role"][0] > 0
    for of, kind in (
        ("clock", "first, to ping"),
        ("clock", "again, whole run, to ping"),
        ("processor", "first, to ping"),
    ):
        low, _median, high = results["host"][of][f"role `web_server`, {kind}"]
        assert f"({low:.1f} to {high:.1f}) |" in table
    assert {one["play"] for one in results["fleet"]["figures"]} == {"nothing", "ping", "role"}
    assert all(one["memory"] > 10 and one["processor"] > 0 for one in results["fleet"]["figures"])
    plots = {path.stem for path in tmp_path.glob("*.svg")}
    assert plots == {"keys", "host-clock", "host-processor", "fleet", "report"}
    for name in plots:
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


def figures(play: str = "role", forks: int = 50) -> list[dict[str, object]]:
    """Fleets of which each host takes a processor half a second and 2 MB, beyond 3 seconds and 60 MB; ten percent to and fro."""
    return [
        {"play": play, "forks": forks, "hosts": hosts, "processor": (3 + hosts / 2) * by, "memory": 60 + 2 * hosts}
        for hosts in (1, 10, 200)
        for by in (0.9, 1, 1.1)
    ]


def test_an_estimate_is_the_line_through_what_was_measured() -> None:
    found = estimate.measured([*figures(), *figures("ping"), *figures(forks=5)])
    assert (round(found.processor.each, 6), round(found.processor.start, 6)) == (0.5, 3)
    assert (round(found.memory.each, 6), round(found.memory.start, 6), found.forks, round(found.off, 6)) == (
        2,
        60,
        50,
        0,
    )
    *_head, small, large = estimate.table(found, [10000, 100000], cores=2, minutes=30)
    # 5003 seconds on two cores; half an hour of two cores has room for 7194 hosts.
    assert small.split() == ["10000", "83", "min", "42", "min", "20060", "MB", "2"]
    assert large.split() == ["100000", "13.9", "h", "6.9", "h", "200060", "MB", "14"]
    assert estimate.table(found, [1], cores=1, minutes=0)[-1].endswith("too short")


def test_an_estimate_says_how_far_it_is_off() -> None:
    bent = [*figures(), {"play": "role", "forks": 50, "hosts": 400, "processor": 406.0, "memory": 860}]
    assert estimate.measured(bent).off > 0.2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Expecting value"),
        ('{"keys": {}}', "there is no 'fleet' in it"),
        (json.dumps({"fleet": {"figures": figures()[:3]}}), "fleets of at least two sizes are needed, found 1"),
        ("[]", "list indices"),
    ],
    ids=["nothing", "other parts", "one size", "a list"],
)
def test_results_that_say_nothing_of_fleets(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(text)
    done = run([sys.executable, ROOT / "benchmarks" / "estimate.py", "--results", path])
    assert done.returncode == 2 and words in done.stdout and 'run: make bench ARGS="fleet"' in done.stdout
    assert "Traceback" not in done.stdout


def test_an_estimate_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"fleet": {"figures": figures()}}))
    output = must_pass(
        [sys.executable, ROOT / "benchmarks" / "estimate.py", "--results", path, "--cores", "16", "5000"]
    )
    assert "0.50 processor seconds and 2.00 MB for each host" in output and output.splitlines()[-1].split()[0] == "5000"


def test_the_table_of_the_readme_says_what_was_measured() -> None:
    took = {"nothing": (1.0, 1.0), "ping": (2.0, 2.0), bench.ROLE: (3.0, 4.0), "loop": (9.0, 9.0)}
    figures = {
        name: {run: [{"clock": one, "processor": 2 * one} for one in both] for run in bench.RUNS}
        for name, both in took.items()
    }
    clock, processor = (bench.host_ratios(figures, of) for of in ("clock", "processor"))
    assert clock["loop, again, to the role"] == (8 / 3, (8 / 3 + 4) / 2, 4)
    assert clock["loop, again, whole run, to the role"] == (9 / 4, (9 / 4 + 3) / 2, 3)
    assert bench.readme_table(clock, processor, figures).splitlines()[2:] == [
        f"| {' | '.join(['role `web_server`', *2 * [beyond], *2 * ['1.8 (1.5 to 2.0)'], beyond])} |"
        for beyond in ["2.5 (2.0 to 3.0)"]
    ] + [
        f"| {' | '.join(['loop', *2 * [beyond], *2 * ['4.5 (4.5 to 4.5)'], beyond])} |"
        for beyond in ["8.0 (8.0 to 8.0)"]
    ]


class Clockwork:
    """A fleet whose runs take what they are told, the second one on a host half of it."""

    log: list[str] = []

    def __init__(self, *_made_of: object) -> None:
        self._on_this_host = 0

    def __enter__(self) -> Clockwork:
        return self

    def __exit__(self, *_reason: object) -> None:
        pass

    def run(self, play: str) -> dict[str, object]:
        if not self._on_this_host:
            self.log.append(play)
        self._on_this_host += 1
        clock = {"quick": [1.0, 5.0, 2.0][self.log.count("quick") % 3 - 1], "slow": 40.0}.get(play, 0.0)
        return {"clock": clock / self._on_this_host, "processor": 1.0, "memory": 50.0, "results": {"plays": []}}


def test_short_runs_are_repeated_in_a_turn_and_the_median_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(plays, "Fleet", Clockwork)
    monkeypatch.setattr(Clockwork, "log", [])
    found, _keys = plays.one_host(tmp_path, {"a": "quick", "b": "slow"}, 2, 12)
    # The first is to find the keys.
    assert Clockwork.log[1:] == 2 * ["quick", "slow", "quick", "quick"]
    clocks = {(name, run): [one["clock"] for one in runs] for name, both in found.items() for run, runs in both.items()}
    assert clocks == {
        ("a", "first"): [2, 2],
        ("a", "again"): [1, 1],
        ("b", "first"): [40, 40],
        ("b", "again"): [20, 20],
    }


def test_a_machine_without_openssh_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ssh, "UNPACKED", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    server = tmp_path / "usr" / "sbin" / "sshd"
    files = tmp_path / "usr" / "lib" / "openssh" / "sftp-server"
    assert ssh.missing() == ["ssh", "ssh-keygen", str(server), str(files)]
    server.parent.mkdir(parents=True)
    server.touch()
    assert str(server) not in ssh.missing() and str(files) in ssh.missing()

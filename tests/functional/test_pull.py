# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosts that pull: the worked example of docs/ansible-pull, checked by systemd and really run once."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import PROGRAMS, ROOT, SYSCTL_FILE, Namespace

EXAMPLE = ROOT / "docs" / "ansible-pull"
STATE = Path("/var/lib/tunefleet-pull")
FIN = "net.ipv4.tcp_fin_timeout"


def command_line(unit: Path, variables: dict[str, str]) -> list[str]:
    """What systemd would start: ExecStart with its words split, and its variables and its host name put in."""
    (line,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
    line = re.sub(r"\$\{(\w+)\}", lambda found: variables[found.group(1)], line)
    return shlex.split(line.replace("%H", socket.gethostname()))


@pytest.mark.parametrize("name", ["tunefleet-pull.service", "tunefleet-pull.timer"])
def test_systemd_takes_the_units(name: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in EXAMPLE.glob("tunefleet-pull.*"):
        # The program lies elsewhere here, and systemd looks whether it is there.
        text = unit.read_text().replace("/usr/bin/ansible-pull", str(PROGRAMS / "ansible-pull"))
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)], text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_host_that_pulls_is_tuned_and_reports_under_its_own_name(ns: Namespace, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "group_vars").mkdir(parents=True)
    shutil.copy(EXAMPLE / "site.yml", repository)
    variables = {"tune_sysctl": {FIN: 27}, "tune_on_unavailable": "skip", "tune_guard": "warn"}
    (repository / "group_vars" / "all.yml").write_text(json.dumps(variables))
    git = ["git", "-C", str(repository), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Tune"]):
        subprocess.run([*git, *words], check=True)
    unit = EXAMPLE / "tunefleet-pull.service"
    program, *options = command_line(unit, {"TUNEFLEET_URL": str(repository), "TUNEFLEET_CHECKOUT": "main"})
    # As the unit says: StateDirectory=, WorkingDirectory=.
    ns.run("mkdir", "-m", "0700", str(STATE))
    start = ["sh", "-c", 'cd "$0" && exec "$@"', str(STATE), str(PROGRAMS / Path(program).name), *options]
    env = {"ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp")}
    done = ns.run(*start, env=env, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ns.live(FIN) == {FIN: "27"}
    assert f"{FIN}=27" in ns.text(SYSCTL_FILE).splitlines()
    (host,) = json.loads(ns.run("cat", str(STATE / "report" / "fleet.json")).stdout)["hosts"]
    assert host["host"] == socket.gethostname()
    assert host["time"] and [entry["drift"] for entry in host["settings"] if entry["key"] == FIN] == [[]]

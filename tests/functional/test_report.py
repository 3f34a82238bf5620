# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of an audit, through Ansible itself: who is in it, where it lies, and how the run ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import PROGRAMS, Namespace

FIN = "net.ipv4.tcp_fin_timeout"
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
# What each host asks of the one machine that all of them are; a rule for limits could not be written there.
CLEAN: dict[str, Any] = {**HERE, "tune_profiles": ["nothing"], "tune_sysctl": {"net.ipv4.tcp_sack": {"at_least": 0}}}
HOSTS: dict[str, dict[str, Any]] = {
    "web2": CLEAN,
    "web10": {**CLEAN, "tune_sysctl": {FIN: 47}},
    "<b>odd": {**CLEAN, "tune_sysctl": {FIN: {"value": 48, "why": "<i>why</i>", "source": ["guide_zh:3", "own:7"]}}},
    "senseless": {**CLEAN, "tune_guard": "perhaps"},
    "misnamed": {**CLEAN, "tune_profiles": ["nothin"]},
    "gone": {**CLEAN, "ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1},
}
PROFILE = """---
title: Nothing
summary: Nothing but what a host asks for itself.
sources:
  own: {title: Our handbook, address: "https://example.com/handbook"}
sysctl:
  net.ipv4.tcp_window_scaling: {at_least: 0, why: Of a test., source: ["own:3"]}
"""


class Audit:
    """Runs of ansible-playbook in one folder."""

    def __init__(self, ns: Namespace, folder: Path) -> None:
        self.ns = ns
        self.folder = folder
        (folder / "profiles").mkdir()
        (folder / "profiles" / "nothing.yml").write_text(PROFILE)
        (folder / "ansible.cfg").touch()
        hosts = {name: {**known, "tune_profile_paths": [str(folder / "profiles")]} for name, known in HOSTS.items()}
        (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))

    def play(self, playbook: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        places = {
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "local"),
            "ANSIBLE_REMOTE_TEMP": str(self.folder / "remote"),
        }
        program = [str(PROGRAMS / "ansible-playbook"), "--inventory", "hosts.json", playbook, *arguments]
        # A folder to start from, which nsenter would otherwise leave for that of this process.
        command = ["sh", "-c", 'cd "$0" && exec "$@"', str(self.folder), *program]
        done = self.ns.run(*command, env={**places, **env}, check=False, timeout=180)
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return done

    def read(self, name: str = "tunefleet-report/fleet.json") -> dict[str, Any]:
        return dict(json.loads((self.folder / name).read_text()))

    def states(self, name: str = "tunefleet-report/fleet.json") -> dict[str, str]:
        return {host["host"]: host["state"] for host in self.read(name)["hosts"]}


@pytest.fixture(scope="module")
def audit(shared: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    return Audit(shared, tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="module")
def first(audit: Audit) -> subprocess.CompletedProcess[str]:
    """An audit of all hosts, with the plugins that ansible-playbook uses by itself."""
    before = audit.ns.snapshot()
    done = audit.play("tunefleet.linux.audit")
    assert audit.ns.snapshot() == before, "an audit has written"
    return done


def test_every_host_is_in_the_report(audit: Audit, first: subprocess.CompletedProcess[str]) -> None:
    assert audit.states() == {
        "<b>odd": "drifted",
        "gone": "unreachable",
        "misnamed": "failed",
        "senseless": "failed",
        "web2": "clean",
        "web10": "drifted",
    }
    told = {host["host"]: host["message"] for host in audit.read()["hosts"] if host["message"]}
    assert sorted(told) == ["gone", "misnamed", "senseless"]
    assert "Connection refused" in told["gone"] and "perhaps" in told["senseless"]
    assert told["misnamed"].startswith("There is no profile 'nothin'; did you mean 'nothing'?")


def test_drift_is_told_with_its_reason_and_source(audit: Audit, first: subprocess.CompletedProcess[str]) -> None:
    document = audit.read()
    (odd,) = (host for host in document["hosts"] if host["host"] == "<b>odd")
    (drifted,) = (entry for entry in odd["settings"] if entry["drift"])
    live = audit.ns.live(FIN)[FIN]
    assert (drifted["key"], drifted["live"], drifted["drift"]) == (
        FIN,
        {"before": live, "after": "48"},
        ["live", "file", "boot"],
    )
    note = document["notes"][drifted["note"]]
    assert (drifted["wanted"], note["why"]) == ("48", "<i>why</i>")
    titles = [source["title"] for source in note["sources"]]
    assert titles[0].startswith("Chinese guide") and titles[1] == "Our handbook"
    page = (audit.folder / "tunefleet-report" / "fleet.html").read_text()
    assert "&lt;b&gt;odd" in page and "<b>odd" not in page and "&lt;i&gt;why" in page
    suites = ElementTree.parse(audit.folder / "tunefleet-report" / "junit.xml").getroot()
    assert {name: suites.get(name) for name in ("failures", "errors")} == {"failures": "2", "errors": "3"}


def test_a_run_that_could_not_audit_every_host_fails_and_says_so(
    audit: Audit, first: subprocess.CompletedProcess[str]
) -> None:
    assert first.returncode == 2
    assert "3 of 6 hosts could not be audited: see " in first.stdout
    assert '"Audit of 6 hosts: 1 as wanted, 2 drifted, 2 failed, 1 unreachable."' in first.stdout


def test_the_same_audit_gives_the_same_bytes_and_the_summary_names_the_files(
    audit: Audit, first: subprocess.CompletedProcess[str]
) -> None:
    options = ["-e", "tune_report_dir=again", "--check"]
    second = audit.play("tunefleet.linux.audit", *options, ANSIBLE_STDOUT_CALLBACK="tunefleet.linux.summary")
    assert second.returncode == 2
    names = ("fleet.html", "fleet.json", "junit.xml")
    for name in names:
        assert (audit.folder / "again" / name).read_bytes() == (audit.folder / "tunefleet-report" / name).read_bytes()
    end = second.stdout[second.stdout.index("\nReport\n") :].splitlines()
    files = [str(audit.folder / "again" / name) for name in names]
    assert end[2:5] == [f"  {name}" for name in files]
    # A long folder makes two lines of it.
    assert " ".join(" ".join(end[5:]).split()) == f"3 of 6 hosts could not be audited: see {files[0]}."


@pytest.mark.parametrize(
    ("inventory", "options", "profile"),
    [
        ({}, [], "web_server"),
        ({"tune_profiles": ["fast_fail"]}, [], "fast_fail"),
        ({"tune_profiles": ["fast_fail"]}, ["-e", "tune_profiles=redis"], "redis"),
    ],
    ids=["role default", "inventory", "command line"],
)
def test_origin_of_tune_profiles(audit: Audit, inventory: dict[str, Any], options: list[str], profile: str) -> None:
    (audit.folder / "one.json").write_text(json.dumps({"all": {"hosts": {"one": {**HERE, **inventory}}}}))
    options = ["--inventory", "one.json", "--limit", "one", "-e", "tune_report_dir=origin", *options]
    done = audit.play("tunefleet.linux.audit", *options)
    assert done.returncode == 0, done.stdout
    assert [host["profile"] for host in audit.read("origin/fleet.json")["hosts"]] == [profile]


@pytest.mark.parametrize(
    ("hosts", "fail_on_drift", "status"), [("web2", "true", 0), ("web2,web10", "true", 2), ("gone", "false", 2)]
)
def test_how_a_run_ends(audit: Audit, hosts: str, fail_on_drift: str, status: int) -> None:
    """--limit leaves the report in the run, and a single host that cannot be reached is no reason to write none."""
    options = ["--limit", hosts, "-e", f"tune_fail_on_drift={fail_on_drift}", "-e", "tune_report_dir=ends"]
    done = audit.play("tunefleet.linux.audit", *options)
    assert done.returncode == status, done.stdout
    assert list(audit.states("ends/fleet.json")) == hosts.split(",")


def test_a_folder_that_cannot_be_written_is_one_sentence(audit: Audit) -> None:
    (audit.folder / "file").touch()
    options = ["--limit", "web2", "-e", "tune_report_dir=file", "-e", "tune_report_time=2026-11-22T03:00:00Z"]
    done = audit.play("tunefleet.linux.audit", *options, ANSIBLE_STDOUT_CALLBACK="tunefleet.linux.summary")
    assert done.returncode == 2
    said = " ".join(done.stdout[done.stdout.index("\nReport\n") :].split())
    assert said == f"Report The report cannot be written to {audit.folder / 'file'}: that is no directory."


def test_reports_are_merged(audit: Audit, first: subprocess.CompletedProcess[str]) -> None:
    document = audit.read()
    for name in ("web2", "web10"):
        hosts = [host for host in document["hosts"] if host["host"] == name]
        (audit.folder / f"{name}.json").write_text(json.dumps({**document, "hosts": hosts}))
    options = [
        "-e",
        "tune_report_dir=merged",
        "-e",
        "tune_reports=web2.json,web10.json",
        "-e",
        "tune_fail_on_drift=true",
    ]
    both = audit.play("tunefleet.linux.report", *options)
    assert both.returncode == 2 and "1 of 2 hosts drifted: see " in both.stdout
    assert audit.states("merged/fleet.json") == {"web2": "clean", "web10": "drifted"}
    assert audit.read("merged/fleet.json")["summary"]["hosts"] == {
        "clean": 1,
        "drifted": 1,
        "failed": 0,
        "unreachable": 0,
    }
    none = audit.play("tunefleet.linux.report")
    assert none.returncode == 2 and "No report was named that could be merged" in none.stdout


def test_a_senseless_time_is_refused(audit: Audit) -> None:
    done = audit.play(
        "tunefleet.linux.audit", "--limit", "web2", "-e", "tune_report_time=yesterday", "-e", "tune_report_dir=never"
    )
    assert done.returncode == 2
    assert "The time of a report is ISO 8601, such as 2026-11-22T03:00:00Z, found 'yesterday'." in done.stdout
    assert not (audit.folder / "never").exists()

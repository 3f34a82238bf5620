# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The audit of a tuned fleet: clean, until somebody alters a value by hand on one host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import molecule_fleet as fleet
import pytest
import testinfra
from testinfra.host import Host

SUITE, KEY, BY_HAND = "bookworm", "net.ipv4.tcp_fin_timeout", "61"


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def clean(reports: Path) -> dict[str, dict[str, Any]]:
    return fleet.play(
        "tunefleet.linux.audit", "-e", f"tune_report_dir={reports / 'clean'}", "-e", "tune_fail_on_drift=true"
    )


@pytest.fixture(scope="module")
def altered(request: pytest.FixtureRequest, clean: dict[str, dict[str, Any]]) -> Iterator[Host]:
    (spec,) = (spec for spec in request.config.option.hosts.split(",") if spec.endswith(SUITE))
    host = testinfra.get_host(spec)
    before = fleet.live(host)[KEY]
    host.check_output(f"sysctl -w {KEY}={BY_HAND}")
    yield host
    host.check_output(f"sysctl -w {KEY}={before}")


@pytest.fixture(scope="module")
def drifted(altered: Host, reports: Path) -> dict[str, dict[str, Any]]:
    options = ["-e", f"tune_report_dir={reports / 'drifted'}", "-e", "tune_fail_on_drift=true"]
    return fleet.play("tunefleet.linux.audit", *options, status=2)


def test_a_tuned_host_is_clean(clean: dict[str, dict[str, Any]], name: str) -> None:
    assert clean[name]["changed"] is False
    assert fleet.differences(clean[name]) == []


def test_every_key_is_accounted_for(clean: dict[str, dict[str, Any]], name: str) -> None:
    found = fleet.statuses(clean[name])
    assert {found[key] for key in fleet.CHANGED} == {"ok"}
    assert {found[key] for key in [*fleet.EXACTLY, *fleet.AT_LEAST]} <= {"ok", "kept"}
    assert {found[key] for key in fleet.NOT_HERE} == {"not_namespaced"}
    assert {limit["item"]: limit["status"] for limit in clean[name]["limits"]} == dict.fromkeys(fleet.LIMITS, "ok")


def test_the_audit_names_what_was_altered_and_where(drifted: dict[str, dict[str, Any]], name: str) -> None:
    answer = drifted[name]
    here = name.endswith(SUITE)
    assert answer["changed"] is here
    assert fleet.differences(answer) == ([KEY] if here else [])
    if here:
        (setting,) = (setting for setting in answer["settings"] if setting["key"] == KEY)
        assert setting["live"] == {"before": BY_HAND, "after": fleet.EXACTLY[KEY]}
        assert setting["boot"]["value"] == fleet.EXACTLY[KEY]


def test_the_audit_put_nothing_right(drifted: dict[str, dict[str, Any]], altered: Host) -> None:
    assert fleet.live(altered)[KEY] == BY_HAND


def test_the_report_of_a_clean_fleet(clean: dict[str, dict[str, Any]], reports: Path) -> None:
    document = json.loads((reports / "clean" / "fleet.json").read_text())
    assert {host["host"]: host["state"] for host in document["hosts"]} == dict.fromkeys(clean, "clean")
    assert document["summary"]["drift"] == 0
    assert "Every host is as its profile wants." in (reports / "clean" / "fleet.html").read_text()


def test_the_report_names_the_altered_host_and_nothing_else(drifted: dict[str, dict[str, Any]], reports: Path) -> None:
    document = json.loads((reports / "drifted" / "fleet.json").read_text())
    found = [
        (host["host"], entry["key"], entry["drift"], entry["live"]["before"])
        for host in document["hosts"]
        for entry in host["settings"]
        if entry["drift"]
    ]
    (name,) = (host for host in drifted if host.endswith(SUITE))
    assert found == [(name, KEY, ["live"], BY_HAND)]
    assert [host["host"] for host in document["hosts"] if host["state"] != "clean"] == [name]
    cases = ElementTree.parse(reports / "drifted" / "junit.xml").getroot().iter("testcase")
    failures = [(case.get("classname"), case.get("name")) for case in cases if case.find("failure") is not None]
    assert failures == [(f"{name}.web_server", KEY)]
    assert "1 of 3 hosts is not as the profile wants, in 1 setting." in (reports / "drifted" / "fleet.html").read_text()

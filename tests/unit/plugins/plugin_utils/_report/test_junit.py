# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t
from xml.etree import ElementTree as ET

from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import junit
from ansible_collections.tunefleet.linux.tests.unit.plugins.plugin_utils._report import fleets
from ansible_collections.tunefleet.linux.tests.unit.plugins.plugin_utils._report.fleets import FACK, FIN, fleet


def parsed(document: dict[str, t.Any]) -> ET.Element:
    return ET.fromstring(junit.to_junit(document).encode("utf-8"))


def cases(root: ET.Element, host: str) -> dict[str, ET.Element]:
    return {str(case.get("name")): case for case in root.findall(f"testsuite[@name='{host}']/testcase")}


def test_a_host_is_a_suite_and_each_drifted_setting_a_failure() -> None:
    root = parsed(fleet())
    assert [suite.get("name") for suite in root] == ["db1", "db2", "web1", "web2", "web10"]
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "14", "failures": "2", "errors": "2", "skipped": "3"}
    suites = {suite.get("name"): (suite.get("tests"), suite.get("failures"), suite.get("errors")) for suite in root}
    assert suites["web10"] == ("4", "1", "0") and suites["db1"] == ("1", "0", "1") and suites["web1"] == ("4", "0", "0")
    failures = [
        (case.get("classname"), case.get("name")) for case in root.iter("testcase") if case.find("failure") is not None
    ]
    assert failures == [("web2.web_server", "* nofile"), ("web10.web_server", FIN)]


def test_a_failure_says_what_was_found_and_why_it_matters() -> None:
    failure = cases(parsed(fleet()), "web10")[FIN].find("failure")
    assert failure is not None
    assert failure.get("type") == "drift: live, file, boot"
    assert failure.get("message") == "wanted 30: live 60, file none, boot kernel default"
    assert str(failure.text).splitlines()[1:] == [f"why {FIN}", "Source: memo_ko:45, kernel_ip"]


def test_what_cannot_be_set_is_skipped_and_a_lost_host_is_an_error() -> None:
    root = parsed(fleet())
    skipped = cases(root, "web1")[FACK].find("skipped")
    assert skipped is not None and skipped.get("message") == "removed: removed in Linux 4.15"
    errors = {host: cases(root, host)["audit"].find("error") for host in ("db1", "db2")}
    told = {host: (error.get("type"), error.get("message")) for host, error in errors.items() if error is not None}
    assert told == {"db1": ("unreachable", "no route to host"), "db2": ("failed", "'abc' is not an integer.")}


def test_the_time_is_told_when_given_and_the_bytes_are_the_same_each_time() -> None:
    assert junit.to_junit(fleet()) == junit.to_junit(fleet(fleets.mixed()[::-1]))
    assert "timestamp" not in junit.to_junit(fleet())
    assert parsed(fleet(time="2026-11-22"))[0].get("timestamp") == "2026-11-22"


def test_nothing_that_a_host_says_breaks_the_file() -> None:
    root = parsed(fleet(fleets.hostile()))
    assert len(root) == 2 * len(fleets.HOSTILE)
    assert {element.tag for element in root.iter()} == {
        "testsuites",
        "testsuite",
        "testcase",
        "failure",
        "error",
        "skipped",
    }
    for element in root.iter():
        for text in [element.text or "", *element.attrib.values()]:
            assert text.replace("\n", "").isprintable(), repr(text)

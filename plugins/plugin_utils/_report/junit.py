# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A fleet as JUnit XML, for whatever runs the audit as a job. Pure. Private: not for use outside of ``tunefleet.linux``.

A host is a suite and a setting a test: drift is a failure, what cannot be set on the host is skipped, and a host that was not
audited is an error.
"""

from __future__ import annotations

import typing as t
from xml.etree import ElementTree as ET

from .._console import summary
from .._console import text as console_text
from . import fleet as fleet_report

_COUNTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def to_junit(document: fleet_report.Data) -> str:
    """The text of ``junit.xml``."""
    root = ET.Element("testsuites", name="tunefleet.linux audit")
    for host in document["hosts"]:
        suite = ET.SubElement(root, "testsuite", name=console_text.one_line(host["host"]))
        if host["time"]:
            suite.set("timestamp", console_text.one_line(host["time"]))
        if host["message"] is not None:
            error = ET.SubElement(_case(suite, host, "audit"), "error", type=host["state"])
            error.set("message", console_text.one_line(host["message"]))
        for entry in fleet_report.entries_of(host):
            _tell(_case(suite, host, fleet_report.name_of(entry)), entry, document["notes"][entry["note"]])
        _count(suite)
    _count(root)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _case(suite: ET.Element, host: fleet_report.Data, name: str) -> ET.Element:
    profile = console_text.one_line(host["profile"] or "audit")
    return ET.SubElement(
        suite,
        "testcase",
        classname=f"{console_text.one_line(host['host'])}.{profile}",
        name=console_text.one_line(name),
    )


def _tell(case: ET.Element, entry: fleet_report.Data, note: fleet_report.Data) -> None:
    found = f"wanted {entry['wanted']}: {fleet_report.explained(entry)}"
    if entry["drift"]:
        failure = ET.SubElement(
            case, "failure", type=f"drift: {', '.join(entry['drift'])}", message=console_text.one_line(found)
        )
        refs = ", ".join(source["ref"] for source in note["sources"])
        lines = [found, entry["reason"], note["why"], refs and f"Source: {refs}"]
        failure.text = console_text.visible("\n".join(line for line in lines if line))
    elif entry["status"] in summary.UNAVAILABLE:
        reason = entry["reason"] or summary.UNAVAILABLE[entry["status"]]
        ET.SubElement(case, "skipped", message=console_text.one_line(f"{entry['status']}: {reason}"))


def _count(element: ET.Element) -> None:
    found: dict[str, t.Any] = {"tests": sum(1 for _case in element.iter("testcase"))}
    found.update((name, sum(1 for _one in element.iter(tag))) for name, tag in _COUNTS.items())
    for name, number in found.items():
        element.set(name, str(number))

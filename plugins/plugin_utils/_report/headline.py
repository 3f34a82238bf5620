# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A fleet in a few lines, for a terminal or the output of a job. Pure. Private: not for use outside of ``tunefleet.linux``."""

from __future__ import annotations

from collections.abc import Sequence

from .._console import text as console_text
from . import fleet as fleet_report

# How many of many are named.
SETTINGS_NAMED = 5
HOSTS_NAMED = 3

_WORDS = {
    fleet_report.CLEAN: "as wanted",
    fleet_report.DRIFTED: "drifted",
    fleet_report.FAILED: "failed",
    fleet_report.UNREACHABLE: "unreachable",
}


def headline(document: fleet_report.Data) -> str:
    """``Audit of 500 hosts: 480 as wanted, 17 drifted, 3 unreachable.``"""
    states = document["summary"]["hosts"]
    parts = [f"{states[state]:,} {word}" for state, word in _WORDS.items() if states[state]]
    return f"Audit of {console_text.counted(len(document['hosts']), 'host')}: {', '.join(parts) or 'nothing was seen'}."


def lines(document: fleet_report.Data) -> list[str]:
    """The headline, then what drifted most and whom nothing is known of."""
    found: dict[str, list[str]] = {}
    for host in document["hosts"]:
        for entry in fleet_report.entries_of(host):
            if entry["drift"]:
                found.setdefault(fleet_report.name_of(entry), []).append(host["host"])
    ranked = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    drifted = [f"drift: {console_text.one_line(name)} on {_named(hosts)}" for name, hosts in ranked[:SETTINGS_NAMED]]
    if len(ranked) > SETTINGS_NAMED:
        drifted.append(f"drift: {console_text.counted(len(ranked) - SETTINGS_NAMED, 'more setting')}")
    lost = [
        f"{state}: {_named([host['host'] for host in document['hosts'] if host['state'] == state])}"
        for state in (fleet_report.FAILED, fleet_report.UNREACHABLE)
        if document["summary"]["hosts"][state]
    ]
    return [headline(document), *drifted, *lost]


def failure_message(document: fleet_report.Data, fail_on_drift: bool, fail_on_lost: bool) -> str:
    """Why a run shall end as failed, in one sentence, or nothing."""
    states = document["summary"]["hosts"]
    lost = states[fleet_report.FAILED] + states[fleet_report.UNREACHABLE]
    total = console_text.counted(len(document["hosts"]), "host")
    said = []
    if fail_on_drift and states[fleet_report.DRIFTED]:
        said.append(f"{states[fleet_report.DRIFTED]:,} of {total} drifted")
    if (fail_on_drift or fail_on_lost) and lost:
        said.append(f"{lost:,} of {total} could not be audited")
    return " and ".join(said)


def _named(hosts: Sequence[str]) -> str:
    shown = ", ".join(console_text.one_line(host) for host in hosts[:HOSTS_NAMED])
    rest = len(hosts) - HOSTS_NAMED
    return f"{shown} and {rest:,} more" if rest > 0 else shown

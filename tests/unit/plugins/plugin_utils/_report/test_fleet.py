# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import random
import typing as t
from pathlib import Path

import jsonschema
import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._console import summary
from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import fleet as fleet_report
from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import shapes
from ansible_collections.tunefleet.linux.tests.unit.plugins.plugin_utils._report import fleets
from ansible_collections.tunefleet.linux.tests.unit.plugins.plugin_utils._report.fleets import (
    FIN,
    fleet,
    host,
    limit,
    setting,
)

SCHEMA = json.loads(Path(fleet_report.__file__).with_name("fleet.schema.json").read_text(encoding="utf-8"))


def only(entry: dict[str, t.Any]) -> fleet_report.Data:
    """What becomes of one entry."""
    found = fleet_report.entries_of(fleet([host("a", entry)])["hosts"][0])
    assert len(found) == 1
    return found[0]


# The document


def test_the_document() -> None:
    document = fleet(time="2026-11-22T03:00:00Z")
    assert [one["host"] for one in document["hosts"]] == ["db1", "db2", "web1", "web2", "web10"]
    states = {one["host"]: one["state"] for one in document["hosts"]}
    assert states == {"db1": "unreachable", "db2": "failed", "web1": "clean", "web2": "drifted", "web10": "drifted"}
    assert document["summary"] == {
        "hosts": {"clean": 1, "drifted": 2, "failed": 1, "unreachable": 1},
        "drift": 2,
        "statuses": {"changed": 2, "kept": 2, "ok": 5, "removed": 3},
    }
    web2 = document["hosts"][3]
    assert (web2["needs"], web2["warnings"], web2["time"]) == (["new_session"], ["be careful"], "2026-11-22T03:00:00Z")
    assert document["hosts"][1]["message"] == "'abc' is not an integer."


def test_a_wish_is_told_once_with_its_reason_and_the_titles_of_its_sources() -> None:
    document = fleet()
    assert [note["name"] for note in document["notes"]] == [
        *("net.core.somaxconn", "net.ipv4.tcp_fack", "net.ipv4.tcp_fin_timeout"),
        "* nofile",
    ]
    assert document["notes"][2] == {
        "kind": "sysctl",
        "name": FIN,
        "why": f"why {FIN}",
        "sources": [
            {"ref": "memo_ko:45", "title": "Korean memo", "address": "memo.txt"},
            {"ref": "kernel_ip", "title": "IP sysctl", "address": "https://docs.kernel.org/ip"},
        ],
    }
    wanted = [entry["wanted"] for entry in fleet_report.entries_of(document["hosts"][4])]
    assert wanted == ["30", "30", "30", "soft >= 65535, hard >= 65535"]
    for one in document["hosts"]:
        assert all(
            document["notes"][entry["note"]]["name"] == fleet_report.name_of(entry)
            for entry in fleet_report.entries_of(one)
        )


def test_an_unknown_source_keeps_its_id() -> None:
    entry = setting(source=["mine:3"])
    assert fleet([host("a", entry)])["notes"][0]["sources"] == [{"ref": "mine:3", "title": None, "address": None}]


@pytest.mark.parametrize(
    ("entry", "places"),
    [
        (setting(), []),
        (setting(status="kept", found="99", live={"before": "99", "after": "99"}), []),
        (setting(status="changed", found="60"), ["live", "file", "boot"]),
        (setting(status="changed", live={"before": "60", "after": "30"}), ["live"]),
        (setting(status="changed", file={"path": "x", "before": None, "after": "30"}), ["file"]),
        (setting(status="changed", boot={"before": "60", "value": "30"}), ["boot"]),
        # What another file takes back at the next boot is drift, though there is nothing to be written.
        (setting(shadowed=True), ["boot"]),
        # Only bytes of the file would change, such as a line that is there twice.
        (setting(status="changed"), ["file"]),
        (setting(status="refused", found="60"), ["refused"]),
        (setting(status="removed", found=None), []),
        (setting(status="read_only", found="60"), []),
        (limit(), []),
        (limit("changed"), ["file"]),
        (limit(shadowed_by="/etc/security/limits.d/z.conf:3"), ["session"]),
        (limit("changed", shadowed_by="/etc/security/limits.d/z.conf:3"), ["file", "session"]),
        (limit("refused"), ["refused"]),
        (limit("not_namespaced"), []),
    ],
)
def test_where_a_host_drifted(entry: dict[str, t.Any], places: list[str]) -> None:
    assert only(entry)["drift"] == places


def test_a_failed_host_tells_nothing_but_what_was_refused() -> None:
    outcome = host("a", setting(), setting("k", "refused"), state=summary.FAILED, msg="no")
    (found,) = fleet([outcome])["hosts"]
    assert (found["state"], found["message"]) == ("failed", "no")
    assert [entry["key"] for entry in found["settings"]] == ["k"]


@pytest.mark.parametrize(
    "result",
    [
        {"settings": None, "limits": "x"},
        {"settings": ["x", 3, None, {}, {"key": None}], "limits": [{"item": 3}]},
        {"settings": [{"key": 5, "live": "x", "file": [], "boot": 3, "source": "x", "reason": ["x"]}], "name": ["x"]},
        {"settings": [], "needs": "x", "warnings": [{"event": {"msg": "said"}}, {"event": 3}, 7]},
    ],
)
def test_an_answer_of_any_shape_makes_a_valid_document(result: dict[str, t.Any]) -> None:
    document = fleet([summary.Outcome("a", "done", True, result), summary.Outcome("b", summary.FAILED, True, result)])
    assert shapes.problem(document, shapes.FLEET) == ""


def test_the_same_hosts_give_the_same_bytes() -> None:
    outcomes = fleets.large(20, 12)
    text = fleet_report.to_json(fleet(outcomes))
    shuffled = list(outcomes)
    random.Random(3).shuffle(shuffled)
    assert fleet_report.to_json(fleet(shuffled)) == text
    assert "2026" not in text


def test_a_host_is_a_line() -> None:
    document = fleet()
    text = fleet_report.to_json(document)
    assert json.loads(text) == document
    assert sum('"host":' in line for line in text.splitlines()) == 5
    assert json.loads(fleet_report.to_json(fleet([]))) == fleet([])


# The schema


@pytest.mark.parametrize("outcomes", [fleets.mixed(), fleets.hostile(), []])
def test_every_document_fits_the_schema(outcomes: list[summary.Outcome]) -> None:
    document = json.loads(fleet_report.to_json(fleet(outcomes, time="2026-11-22")))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert shapes.problem(document, shapes.FLEET) == ""


def test_the_published_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def damaged(document: t.Any, draw: random.Random) -> t.Any:
    """The document with something else in one place."""
    value: t.Any = document
    while True:
        key = draw.choice(list(value) if isinstance(value, dict) else range(len(value)))
        if not value[key] or not isinstance(value[key], (dict, list)) or draw.random() < 0.25:
            break
        value = value[key]
    what = draw.choice(["drop", "x", 1, -1, True, None, [], {}, 1.5, "add"])
    if what == "drop":
        del value[key]
    elif what == "add" and isinstance(value, dict):
        value["unknown"] = 1
    else:
        value[key] = what
    return document


def test_shapes_and_the_published_schema_agree() -> None:
    draw, validator = random.Random(5), jsonschema.Draft202012Validator(SCHEMA)
    text = fleet_report.to_json(fleet())
    verdicts = []
    for _round in range(600):
        document = damaged(json.loads(text), draw)
        valid = validator.is_valid(document)
        verdicts.append(valid)
        # The version has its own message, see read(). True equals 1, but is no version.
        version = document.get("schema_version")
        known = not isinstance(version, bool) and version == fleet_report.SCHEMA_VERSION
        assert (known and shapes.problem(document, shapes.FLEET) == "") == valid, document
    assert 40 < verdicts.count(True) < 560


# Reading


def changed(**fields: t.Any) -> str:
    return json.dumps({**fleet(), **fields})


HOSTS = fleet()["hosts"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "f.json is no JSON: Expecting value: line 1 column 1 (char 0)."),
        ("[]", "f.json is no fleet.json of tunefleet.linux: it has no schema_version."),
        ("[" * 100000, "f.json is no fleet.json of tunefleet.linux: it is nested too deeply."),
        (
            changed(schema_version=2),
            "f.json has the schema_version 2, and this release reads 1; use the same release of tunefleet.linux on all controllers.",
        ),
        (
            changed(schema_version=True),
            "f.json has the schema_version true, and this release reads 1; use the same release of tunefleet.linux on all controllers.",
        ),
        (changed(hosts={}), "f.json is no fleet.json of tunefleet.linux: hosts is no array."),
        (
            changed(hosts=[dict(HOSTS[0], state="well")]),
            'f.json is no fleet.json of tunefleet.linux: hosts[0].state is "well", none of '
            '["clean", "drifted", "failed", "unreachable"].',
        ),
        (
            changed(notes=[]),
            "f.json is no fleet.json of tunefleet.linux: the host 'web1' refers to a note that is not there.",
        ),
        (
            changed(hosts=HOSTS[:1] * 2),
            "f.json is no fleet.json of tunefleet.linux: it tells twice about the host 'db1'.",
        ),
        (changed(more=1), 'f.json is no fleet.json of tunefleet.linux: it has "more", which is not known.'),
    ],
)
def test_what_is_no_report_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(fleet_report.FleetProblem) as caught:
        fleet_report.read("f.json", text)
    assert str(caught.value) == sentence


# Merging


def test_parts_merge_to_the_whole() -> None:
    outcomes = fleets.mixed() + fleets.hostile()
    whole = fleet_report.to_json(fleet(outcomes))
    draw = random.Random(7)
    for _round in range(20):
        parts: list[list[summary.Outcome]] = [[] for _part in range(draw.randint(1, 4))]
        for outcome in outcomes:
            draw.choice(parts).append(outcome)
        read = [
            (str(number), fleet_report.read("x", fleet_report.to_json(fleet(part))))
            for number, part in enumerate(parts)
        ]
        draw.shuffle(read)
        assert fleet_report.to_json(fleet_report.merge(read)) == whole


def test_a_host_in_two_reports_is_refused() -> None:
    parts = [("east.json", fleet([host("a")])), ("west.json", fleet([host("b"), host("a")]))]
    with pytest.raises(fleet_report.FleetProblem) as caught:
        fleet_report.merge(parts)
    assert str(caught.value) == (
        "The host 'a' is in east.json and again in west.json. "
        "Leave one of the two out, or audit it under one name by one controller."
    )


def test_nothing_cannot_be_merged() -> None:
    with pytest.raises(fleet_report.FleetProblem, match="^No report was named"):
        fleet_report.merge([])


def test_each_host_keeps_the_time_of_its_audit() -> None:
    parts = [("1", fleet([host("b")], "2026-11-22")), ("2", fleet([host("a")], "2026-11-23"))]
    assert [one["time"] for one in fleet_report.merge(parts)["hosts"]] == ["2026-11-23", "2026-11-22"]

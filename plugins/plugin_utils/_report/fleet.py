# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state of a fleet as one document, ``fleet.json``: built from what hosts answered, merged, and written as text.

Pure. Private: not for use outside of ``tunefleet.linux``. The form is in ``shapes.py``; every report is
rendered from a document of this form and from nothing else, so a merged one looks like one that a single controller made.
"""

from __future__ import annotations

import json
import re
import typing as t
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ...module_utils import _errors
from .._console import summary
from .._console import text as console_text
from .._profiles import model as profile_model
from . import shapes

SCHEMA_VERSION: t.Final = 1

# What a host can be: as its profile wants, not so, not audited though it was reached, not reached.
CLEAN, DRIFTED, FAILED, UNREACHABLE = "clean", "drifted", "failed", "unreachable"
STATES: t.Final = (CLEAN, DRIFTED, FAILED, UNREACHABLE)

Data = dict[str, t.Any]

_SIDES = ("soft", "hard")


class FleetProblem(_errors.TuneError):
    """A document is none of ours, or does not fit to the others; one sentence."""


def build(
    outcomes: Iterable[summary.Outcome],
    sources: Mapping[str, profile_model.Source] | None = None,
    time: str | None = None,
) -> Data:
    """The document about hosts that were audited.

    :param outcomes: one for each host.
    :param sources: titles and addresses of what settings name as their source, by id.
    :param time: when the audit was, ISO 8601; told of no host when None.
    """
    notes = _Notes(sources or {})
    return _document([_host(outcome, notes, time) for outcome in outcomes], notes.found)


def merge(documents: Sequence[tuple[str, Data]]) -> Data:
    """One document of several, each with the name by which errors call it.

    :raises FleetProblem: when there is none, or when two of them tell about the same host: counted twice, or one dropped in
        silence, the result would be wrong.
    """
    if not documents:
        raise FleetProblem("No report was named that could be merged; name files fleet.json that audits have written.")
    notes: dict[str, Data] = {}
    hosts: list[Data] = []
    told_by: dict[str, str] = {}
    for name, document in documents:
        texts = [_compact(note) for note in document["notes"]]
        notes.update(zip(texts, document["notes"]))
        for host in document["hosts"]:
            if host["host"] in told_by:
                raise FleetProblem(
                    f"The host {console_text.one_line(host['host'])!r} is in {told_by[host['host']]} and again in {name}. "
                    "Leave one of the two out, or audit it under one name by one controller."
                )
            told_by[host["host"]] = name
            entries = {
                part: [dict(entry, note=texts[entry["note"]]) for entry in host[part]]
                for part in ("settings", "limits")
            }
            hosts.append(dict(host, **entries))
    return _document(hosts, notes)


def read(name: str, text: str) -> Data:
    """The document in a file.

    :raises FleetProblem: when it is none, or of a version that this code does not know.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise FleetProblem(f"{name} is no JSON: {error}.") from error
    except RecursionError as error:
        raise FleetProblem(f"{name} is no fleet.json of tunefleet.linux: it is nested too deeply.") from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version is None:
        raise FleetProblem(f"{name} is no fleet.json of tunefleet.linux: it has no schema_version.")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise FleetProblem(
            f"{name} has the schema_version {json.dumps(version)}, and this release reads {SCHEMA_VERSION}; "
            "use the same release of tunefleet.linux on all controllers."
        )
    wrong = shapes.problem(document, shapes.FLEET) or _loose_end(document)
    if wrong:
        raise FleetProblem(f"{name} is no fleet.json of tunefleet.linux: {wrong}.")
    return dict(document)


def to_json(document: Data) -> str:
    """The text of ``fleet.json``: one line for each note and each host, so that two of them can be compared line by line."""
    lines = []
    for name, value in document.items():
        if isinstance(value, list) and value:
            rows = ",\n".join(f"  {_compact(row)}" for row in value)
            lines.append(f" {json.dumps(name)}: [\n{rows}\n ]")
        else:
            lines.append(f" {json.dumps(name)}: {_compact(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def entries_of(host: Data) -> list[Data]:
    """Settings and limits of a host, together."""
    return [*host["settings"], *host["limits"]]


def name_of(entry: Mapping[str, t.Any]) -> str:
    """``net.core.somaxconn``, or ``* nofile`` for a limit."""
    if "key" in entry:
        return str(entry["key"])
    return " ".join([*map(str, entry["target"].values()), str(entry["item"])])


def sides(values: Mapping[str, t.Any] | None) -> str:
    """``soft 65535, hard 524288``; a side that is not there is not told."""
    values = values or {}
    return ", ".join(f"{side} {values[side]}" for side in _SIDES if values.get(side) is not None)


def explained(entry: Mapping[str, t.Any]) -> str:
    """What was found, for a person: the live value, our entry and the next boot."""
    if "key" not in entry:
        found = (
            f"rule {sides(entry['before']) or 'none'}; a new session would get {sides(entry['effective']) or 'unknown'}"
        )
        return f"{found}; overruled by {entry['shadowed_by']}" if entry["shadowed_by"] else found
    live, file, boot = entry["live"], entry["file"], entry["boot"]
    found = f"live {_shown(live['before'])}, file {_shown(file['before'])}, boot {booted(boot['before'], boot['winner_before'])}"
    if entry["shadowed"]:
        found += f"; after an apply the next boot would still give {booted(boot['value'], boot['winner'])}"
    return found


def booted(value: str | None, winner: str | None) -> str:
    """What the next boot gives, and by which line."""
    if value is None:
        return "kernel default"
    return f"{value} ({winner})" if winner else str(value)


def _document(hosts: Iterable[Data], notes: Mapping[str, Data]) -> Data:
    """Everything in its order, so that the same hosts always give the same bytes; notes that no entry has are left out.

    :param hosts: entries of them name their note by its text.
    """
    hosts = sorted(hosts, key=lambda host: console_text.natural(host["host"]))
    used = sorted(
        {entry["note"] for host in hosts for entry in entries_of(host)},
        key=lambda text: (notes[text]["kind"] == "limit", notes[text]["name"], text),
    )
    place = {text: index for index, text in enumerate(used)}
    for host in hosts:
        for part in ("settings", "limits"):
            host[part] = [dict(entry, note=place[entry["note"]]) for entry in host[part]]
    return {
        "schema_version": SCHEMA_VERSION,
        "summary": _summary_of(hosts),
        "notes": [notes[text] for text in used],
        "hosts": hosts,
    }


def _summary_of(hosts: Sequence[Data]) -> Data:
    states = Counter(host["state"] for host in hosts)
    entries = [entry for host in hosts for entry in entries_of(host)]
    statuses = Counter(entry["status"] for entry in entries)
    return {
        "hosts": {state: states[state] for state in STATES},
        "drift": sum(bool(entry["drift"]) for entry in entries),
        "statuses": {status: statuses[status] for status in sorted(statuses)},
    }


def _host(outcome: summary.Outcome, notes: _Notes, time: str | None) -> Data:
    result = outcome.result
    settings = [_setting(entry, notes) for entry in _mappings(result.get("settings")) if "key" in entry]
    limits = [_limit(entry, notes) for entry in _mappings(result.get("limits")) if "item" in entry]
    state, message = outcome.state, None
    if state == summary.DONE:
        state = DRIFTED if any(entry["drift"] for entry in settings + limits) else CLEAN
    else:
        message = summary.plain_message(result)
        # Of a run that came to nothing, nothing is told but what was refused; the rest was not looked at to the end.
        settings = [entry for entry in settings if entry["status"] == "refused"]
        limits = [entry for entry in limits if entry["status"] == "refused"]
    return {
        "host": outcome.host,
        "state": state,
        "profile": outcome.profile or None,
        "time": time,
        "message": message,
        "settings": settings,
        "limits": limits,
        "needs": [str(need) for need in _listed(result.get("needs"))],
        "warnings": [_warning(item) for item in _listed(result.get("warnings"))],
    }


def _setting(entry: Mapping[str, t.Any], notes: _Notes) -> Data:
    live, file, boot = _part(entry, "live"), _part(entry, "file"), _part(entry, "boot")
    shadowed = bool(entry.get("shadowed"))
    places = {
        "live": live.get("before") != live.get("after"),
        "file": file.get("before") != file.get("after"),
        "boot": boot.get("before") != boot.get("value") or shadowed,
    }
    return {
        "key": str(entry["key"]),
        "status": str(entry.get("status")),
        "drift": _drift(entry, places, shadowed, otherwise="file"),
        "wanted": _word(entry.get("wanted")) or "",
        "note": notes.text("sysctl", str(entry["key"]), entry),
        "reason": _word(entry.get("reason")),
        "live": _words(live, "before", "after"),
        "file": _words(file, "path", "before", "after"),
        "boot": _words(boot, "before", "winner_before", "value", "winner"),
        "shadowed": shadowed,
    }


def _limit(entry: Mapping[str, t.Any], notes: _Notes) -> Data:
    shadowed_by = _word(entry.get("shadowed_by"))
    limit = {
        "target": {str(name): str(value) for name, value in _part(entry, "target").items()},
        "item": str(entry["item"]),
        "status": str(entry.get("status")),
    }
    before, after = _words(_part(entry, "before"), *_SIDES), _words(_part(entry, "after"), *_SIDES)
    places = {"file": before != after, "session": bool(shadowed_by)}
    return {
        **limit,
        "drift": _drift(entry, places, bool(shadowed_by), otherwise="file"),
        "wanted": sides(_part(entry, "wanted")),
        "note": notes.text("limit", name_of(limit), entry),
        "reason": _word(entry.get("reason")),
        "before": before,
        "after": after,
        "effective": _words(_part(entry, "effective"), *_SIDES),
        "shadowed_by": shadowed_by,
    }


def _drift(entry: Mapping[str, t.Any], places: Mapping[str, bool], shadowed: bool, otherwise: str) -> list[str]:
    """Where a host is not as wanted. An entry that cannot be set here is no drift: nothing that anybody does would end it."""
    status = entry.get("status")
    if status == "changed" or (shadowed and status in ("ok", "kept")):
        return [place for place, differs in places.items() if differs] or [otherwise]
    return ["refused"] if status == "refused" else []


class _Notes:
    """Why something is wanted, and who says so: told once, however many hosts it is wanted of."""

    def __init__(self, sources: Mapping[str, profile_model.Source]) -> None:
        self.found: dict[str, Data] = {}
        self._known: dict[tuple[str, ...], str] = {}
        self._sources = sources

    def text(self, kind: str, name: str, entry: Mapping[str, t.Any]) -> str:
        """The text by which an entry names its note."""
        why, refs = str(entry.get("why") or ""), [str(ref) for ref in _listed(entry.get("source"))]
        key = (kind, name, why, *refs)
        if key not in self._known:
            sources = [self._source(ref) for ref in refs]
            note = {"kind": kind, "name": name, "why": why, "sources": sources}
            self._known[key] = _compact(note)
            self.found[self._known[key]] = note
        return self._known[key]

    def _source(self, ref: str) -> Data:
        """``memo_ko:45`` is line 45 of the text memo_ko."""
        known = self._sources.get(ref) or self._sources.get(re.sub(r":[0-9]+$", "", ref))
        return {"ref": ref, "title": known.title if known else None, "address": known.address if known else None}


def _loose_end(document: Data) -> str:
    """What the schema cannot say: every number of a note is one of the list, and no host is there twice."""
    hosts = Counter(host["host"] for host in document["hosts"])
    twice = [host for host, times in hosts.items() if times > 1]
    if twice:
        return f"it tells twice about the host {console_text.one_line(twice[0])!r}"
    known = len(document["notes"])
    for host in document["hosts"]:
        if any(entry["note"] >= known for entry in entries_of(host)):
            return f"the host {console_text.one_line(host['host'])!r} refers to a note that is not there"
    return ""


def _part(entry: Mapping[str, t.Any], name: str) -> Mapping[str, t.Any]:
    part = entry.get(name)
    return part if isinstance(part, Mapping) else {}


def _listed(value: t.Any) -> list[t.Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _mappings(value: t.Any) -> list[Mapping[str, t.Any]]:
    return [entry for entry in _listed(value) if isinstance(entry, Mapping)]


def _word(value: t.Any) -> str | None:
    return None if value is None or value == "" else str(value)


def _words(part: Mapping[str, t.Any], *names: str) -> Data:
    return {name: _word(part.get(name)) for name in names}


def _warning(given: t.Any) -> str:
    """A warning is a text; releases of ansible-core differ in what they wrap around it."""
    if isinstance(given, Mapping):
        return str(_part(given, "event").get("msg") or given.get("msg") or dict(given))
    return str(given)


def _shown(value: t.Any) -> str:
    return "none" if value is None else str(value)


def _compact(value: t.Any) -> str:
    return json.dumps(value, separators=(",", ":"))

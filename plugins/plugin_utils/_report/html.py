# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A fleet as one HTML page. Pure. Private: not for use outside of ``tunefleet.linux``.

The page needs nothing but itself: no script, no fetch (its Content-Security-Policy forbids both), so that it opens from a mail as
from a server, and what a host answered can do no harm in it. Here is decided what the page says; ``fleet.html.j2`` says how it is
built and ``fleet.css`` how it looks.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import typing as t
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from .._console import summary
from .._console import text as console_text
from . import fleet as fleet_report

_FOLDER: t.Final = Path(__file__).parent

# How many hosts a list names before it is folded, and how many a page shows unfolded.
HOSTS_NAMED = 8
HOSTS_OPEN = 3
# What a browser still opens: of how many hosts there are details, and how many names a folded list has. The rest is in fleet.json.
HOSTS_TOLD = 1000
HOSTS_LISTED = 200
WISHES_TOLD = 3

# Marks of an entry: the class that colours it, a sign, a word. Colour never stands alone.
DRIFT, REFUSED, OK, KEPT, ABSENT = "drift", "refused", "ok", "kept", "absent"
WORDS: t.Final[Mapping[str, str]] = {DRIFT: "drift", REFUSED: "refused", OK: "ok", KEPT: "kept", ABSENT: "n/a"}
STATE_WORDS: t.Final[Mapping[str, str]] = {
    fleet_report.CLEAN: "as wanted",
    fleet_report.DRIFTED: "drifted",
    fleet_report.FAILED: "failed",
    fleet_report.UNREACHABLE: "unreachable",
}
_BINS: t.Final = ((1, 1), (2, 2), (3, 5), (6, 10), (11, 20), (21, 0))


@dataclass
class Column:
    """One setting over all hosts."""

    name: str
    anchor: str = ""
    wanted: Counter[str] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)
    # For each value found, the hosts that have it.
    values: dict[str, list[str]] = field(default_factory=dict)
    drifted: dict[str, list[str]] = field(default_factory=dict)

    @property
    def wishes(self) -> list[str]:
        """What is wanted, of most hosts first; a number that depends on the host may differ on each of them."""
        ranked = sorted(self.wanted.items(), key=lambda item: (-item[1], console_text.natural(item[0])))
        rest = len(ranked) - WISHES_TOLD
        return [wanted for wanted, _times in ranked[:WISHES_TOLD]] + ([f"{rest:,} more"] if rest > 0 else [])

    @property
    def total(self) -> int:
        """How many hosts it is wanted of."""
        return sum(self.marks.values())

    @property
    def parts(self) -> list[tuple[str, int]]:
        """How many of them have which mark, in the order of ``WORDS``."""
        return [(mark, self.marks[mark]) for mark in WORDS]

    @property
    def usual(self) -> str | None:
        """The value of most hosts, where there is one."""
        ranked = sorted(self.values.items(), key=lambda item: (-len(item[1]), item[0]))
        if not ranked or (len(ranked) > 1 and len(ranked[0][1]) == len(ranked[1][1])):
            return None
        return ranked[0][0]

    @property
    def ranked(self) -> list[tuple[str, list[str], bool]]:
        """Each value with its hosts, and whether it is the usual one; the usual one first, then the rarest last."""
        ranked = sorted(self.values.items(), key=lambda item: (-len(item[1]), console_text.natural(item[0])))
        return [(value, hosts, value == self.usual) for value, hosts in ranked]

    @property
    def group(self) -> str:
        """What the settings of the whole matrix are grouped by."""
        if self.marks[DRIFT] or self.marks[REFUSED]:
            return "Drifted on some host"
        if self.marks[ABSENT]:
            return "Not to be set on some host"
        return "As wanted on every host"


def to_html(document: fleet_report.Data) -> str:
    """The text of ``fleet.html``."""
    page = Page(document)
    css = (_FOLDER / "fleet.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return str(_template().render(page=page, css=Markup(css), policy=_policy(digest)))


def _policy(digest: str) -> str:
    # The sheet by its digest, so that not even a style can be slipped in; an empty icon keeps browsers from asking for one.
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


@functools.cache
def _template() -> t.Any:
    env = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # The one place through which every text goes that is put into the page.
        finalize=lambda value: (
            console_text.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
        ),
    )
    env.filters.update(breakable=breakable, counted=console_text.counted, share=share)
    return env.from_string((_FOLDER / "fleet.html.j2").read_text(encoding="utf-8"))


def breakable(name: str) -> Markup:
    """A name that a line may break after each dot of."""
    return Markup(str(escape(console_text.visible(name))).replace(".", ".<wbr>"))


def share(number: int, total: int) -> str:
    """A per cent that is nothing only for nothing, and everything only for everything."""
    if number in (0, total):
        return "0 %" if not number else "100 %"
    return f"{min(max(100 * number / total, 0.1), 99.9):.1f} %"


def mark_of(entry: fleet_report.Data) -> str:
    """The mark of an entry; the words of ``WORDS``."""
    if entry["status"] == "refused":
        return REFUSED
    if entry["drift"]:
        return DRIFT
    return {"ok": OK, "kept": KEPT}.get(entry["status"], ABSENT)


def value_of(entry: fleet_report.Data) -> str:
    """What a host has: the live value of a key, and of a limit what a new session would get."""
    if "key" in entry:
        return str(entry["live"]["before"] or "none")
    return fleet_report.sides(entry["before"]) or "no rule"


class Page:
    """What the page says."""

    def __init__(self, document: fleet_report.Data) -> None:
        self.notes: list[fleet_report.Data] = document["notes"]
        self.hosts: list[fleet_report.Data] = document["hosts"]
        self.states: Mapping[str, int] = document["summary"]["hosts"]
        self.drift: int = document["summary"]["drift"]
        self._told = self._first(HOSTS_TOLD)
        self.anchors = {host["host"]: f"host-{number}" for number, host in enumerate(self._told, 1)}
        self.columns = self._columns()
        self.profiles = sorted({host["profile"] for host in self.hosts if host["profile"]})
        times = sorted({host["time"] for host in self.hosts if host["time"]})
        self.times = times[:1] + times[-1:] if len(times) > 1 else times

    # The summary

    @property
    def title(self) -> str:
        return f"Tuning audit of {console_text.counted(len(self.hosts), 'host')}"

    @property
    def verdict(self) -> tuple[str, str]:
        """The state that the whole is in, and the sentence."""
        total, states = len(self.hosts), self.states
        if not total:
            return fleet_report.FAILED, "No host was audited."
        lost = states[fleet_report.FAILED] + states[fleet_report.UNREACHABLE]
        not_seen = f" {console_text.counted(lost, 'host')} could not be audited." if lost else ""
        if states[fleet_report.DRIFTED]:
            settings = console_text.counted(len([column for column in self.columns if column.drifted]), "setting")
            hosts = f"{states[fleet_report.DRIFTED]:,} of {console_text.counted(total, 'host')}"
            verb = "is" if states[fleet_report.DRIFTED] == 1 else "are"
            return fleet_report.DRIFTED, f"{hosts} {verb} not as the profile wants, in {settings}.{not_seen}"
        if lost:
            seen = console_text.counted(total - lost, "audited host")
            return fleet_report.FAILED, f"{seen} as the profile wants.{not_seen}" if total > lost else not_seen.strip()
        return (
            fleet_report.CLEAN,
            "Every host is as its profile wants." if total > 1 else "The host is as its profile wants.",
        )

    @property
    def tiles(self) -> list[tuple[str, str, int]]:
        """State, word and number of hosts."""
        return [(state, STATE_WORDS[state], self.states[state]) for state in fleet_report.STATES]

    @property
    def bins(self) -> list[tuple[str, int]]:
        """How many hosts have how many drifted settings; ranges at the end that nobody is in are left out."""
        counts = [
            sum(bool(entry["drift"]) for entry in fleet_report.entries_of(host))
            for host in self.of_state(fleet_report.DRIFTED)
        ]
        bins = []
        for low, high in _BINS:
            label = str(low) if low == high else f"{low} to {high}" if high else f"{low} or more"
            bins.append((label, sum(low <= count and (not high or count <= high) for count in counts)))
        while bins and not bins[-1][1]:
            bins.pop()
        return bins

    # Hosts

    def of_state(self, *states: str) -> list[fleet_report.Data]:
        return [host for host in self.hosts if host["state"] in states]

    def told(self, *states: str) -> list[fleet_report.Data]:
        """Those of them that the page has details of."""
        return [host for host in self._told if host["state"] in states]

    def _first(self, most: int) -> list[fleet_report.Data]:
        """As many hosts as that in the order of the document; where there are more, clean ones are the first to be left out."""
        if len(self.hosts) <= most:
            return self.hosts
        chosen = sorted(self.hosts, key=lambda host: host["state"] == fleet_report.CLEAN)[:most]
        names = {host["host"] for host in chosen}
        return [host for host in self.hosts if host["host"] in names]

    @property
    def untold(self) -> int:
        """How many hosts there are no details of."""
        return len(self.hosts) - len(self._told)

    @property
    def not_audited(self) -> list[tuple[str, str, list[str]]]:
        """State, message and hosts, once for all that say the same; what befell most hosts first."""
        groups: dict[tuple[str, str], list[str]] = {}
        for host in self.of_state(fleet_report.FAILED, fleet_report.UNREACHABLE):
            groups.setdefault((host["state"], host["message"] or "no reason was given"), []).append(host["host"])
        ranked = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
        return [(state, message, hosts) for (state, message), hosts in ranked]

    @property
    def open_hosts(self) -> bool:
        """Whether the details of drifted hosts lie open from the start."""
        return self.states[fleet_report.DRIFTED] <= HOSTS_OPEN

    def counts(self, host: fleet_report.Data) -> list[tuple[str, int]]:
        """Mark and number of its entries, as far as there are any."""
        marks = Counter(map(mark_of, fleet_report.entries_of(host)))
        return [(mark, marks[mark]) for mark in WORDS if marks[mark]]

    def noted(self, host: fleet_report.Data) -> list[fleet_report.Data]:
        """Entries that need a line of their own, drift first."""
        order = list(WORDS)
        noted = [entry for entry in fleet_report.entries_of(host) if mark_of(entry) != OK]
        return sorted(noted, key=lambda entry: order.index(mark_of(entry)))

    def fine(self, host: fleet_report.Data) -> list[fleet_report.Data]:
        return [entry for entry in fleet_report.entries_of(host) if mark_of(entry) == OK]

    # Settings

    def _columns(self) -> list[Column]:
        """Settings by name: what most hosts drifted in first, then what some cannot have, then the rest."""
        found: dict[str, Column] = {}
        for note in self.notes:
            found.setdefault(note["name"], Column(note["name"], f"setting-{len(found) + 1}"))
        for host in self.hosts:
            for entry in fleet_report.entries_of(host):
                _count(found[fleet_report.name_of(entry)], host["host"], entry)
        order = ("Drifted on some host", "Not to be set on some host", "As wanted on every host")
        return sorted(
            found.values(),
            key=lambda one: (
                order.index(one.group),
                -one.marks[DRIFT] - one.marks[REFUSED],
                console_text.natural(one.name),
            ),
        )

    @property
    def drifting(self) -> list[Column]:
        return [column for column in self.columns if column.drifted]

    @property
    def differing(self) -> list[Column]:
        """Settings in which hosts differ from each other, and yet each is as wanted."""
        return [column for column in self.columns if not column.drifted and len(column.values) > 1]

    @property
    def groups(self) -> list[tuple[str, list[Column]]]:
        """The columns of the whole matrix."""
        groups: dict[str, list[Column]] = {}
        for column in self.columns:
            groups.setdefault(column.group, []).append(column)
        return list(groups.items())

    def row(self, host: fleet_report.Data, columns: Sequence[Column]) -> list[fleet_report.Data | None]:
        """The entries of a host in the order of the columns; None where nothing is wanted of it."""
        entries = {fleet_report.name_of(entry): entry for entry in fleet_report.entries_of(host)}
        return [entries.get(column.name) for column in columns]

    def notes_of(self, column: Column) -> list[fleet_report.Data]:
        return [note for note in self.notes if note["name"] == column.name]

    # Words for the template

    mark_of = staticmethod(mark_of)
    value_of = staticmethod(value_of)
    name_of = staticmethod(fleet_report.name_of)
    sides = staticmethod(fleet_report.sides)
    booted = staticmethod(fleet_report.booted)
    words = WORDS
    state_words = STATE_WORDS
    hosts_named = HOSTS_NAMED
    hosts_listed = HOSTS_LISTED

    @staticmethod
    def status(entry: fleet_report.Data) -> str:
        return str(entry["status"]).replace("_", " ")

    @staticmethod
    def reason(entry: fleet_report.Data) -> str:
        return str(entry["reason"] or summary.UNAVAILABLE.get(entry["status"], ""))

    @staticmethod
    def is_link(address: str | None) -> bool:
        return bool(address) and str(address).startswith(("https://", "http://"))

    def source(self, entry: fleet_report.Data) -> Iterable[fleet_report.Data]:
        return t.cast("Iterable[fleet_report.Data]", self.notes[entry["note"]]["sources"])

    def anchor(self, entry: fleet_report.Data) -> str:
        """Where the page says why this is wanted."""
        return self._anchors[fleet_report.name_of(entry)]

    @functools.cached_property
    def _anchors(self) -> Mapping[str, str]:
        return {column.name: column.anchor for column in self.columns}


def _count(column: Column, host: str, entry: fleet_report.Data) -> None:
    mark = mark_of(entry)
    column.marks[mark] += 1
    column.wanted[entry["wanted"]] += 1
    if mark == ABSENT:
        return
    value = value_of(entry)
    column.values.setdefault(value, []).append(host)
    if mark in (DRIFT, REFUSED):
        column.drifted.setdefault(value, []).append(host)

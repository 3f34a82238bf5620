# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The profiles that ship: what holds for all of them, and that both documents are in them line by line."""

from __future__ import annotations

import csv
import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._limits import items
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import catalog
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import values as sysctl_values
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import library as profile_library
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import model as profile_model

ROLES = Path(__file__).resolve().parents[4] / "roles"
LIBRARY = profile_library.Library()
NAMES = sorted(LIBRARY.places)
LITERAL = {"memo_ko": "memo_ko", "guide_zh": "guide_zh", "legacy_22": "memo_ko"}
CURATED = [name for name in NAMES if name not in LITERAL]
# How many lines the two documents have.
DOCUMENT_LINES = {"memo_ko": 165, "guide_zh": 121}
# What a host may have more of without harm. Everything else is a switch, a timeout or a share, and exact.
CAPACITIES = {
    "fs.file-max",
    "fs.nr_open",
    "net.core.netdev_max_backlog",
    "net.core.rmem_max",
    "net.core.somaxconn",
    "net.core.wmem_max",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.neigh.default.gc_thresh1",
    "net.ipv4.neigh.default.gc_thresh2",
    "net.ipv4.neigh.default.gc_thresh3",
    "net.ipv4.tcp_max_orphans",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.netfilter.nf_conntrack_max",
    "vm.max_map_count",
}
# What systemd gives since version 240: src/basic/def.h, HIGH_RLIMIT_NOFILE.
SYSTEMD_NOFILE = 524288


class Entry(t.NamedTuple):
    """What one profile says itself of a key, or of one side of a limit."""

    wish: profile_model.Wish
    reason: profile_model.Reason


def entries(name: str) -> dict[str, Entry]:
    """The entries of a profile and of what it extends, by key or by ``target item side``."""
    profiles = LIBRARY.load([name])
    found: dict[str, Entry] = {}
    for one in (*profiles[name].extends, name):
        found.update(entries(one) if one != name else {})
    profile = profiles[name]
    found.update({key: Entry(setting.wish, setting.reason) for key, setting in profile.sysctl.items()})
    for (target, item), limit in profile.limits.items():
        for side, wish in (("soft", limit.soft), ("hard", limit.hard)):
            if wish is not None:
                found[f"{target} {item} {side}"] = Entry(wish, limit.reason)
    return found


def test_what_ships() -> None:
    assert NAMES == [
        "bulk_transfer",
        "ddos_guard",
        "elasticsearch",
        "fast_fail",
        "guide_zh",
        "high_speed_10g",
        "kafka",
        "legacy_22",
        "memo_ko",
        "mongodb",
        "nat_gateway",
        "network_latency",
        "network_throughput",
        "open_files",
        "proxy",
        "redis",
        "web_server",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_is_a_whole_role(name: str) -> None:
    role = ROLES / name
    for file in ("README.md", "files/profile.yml", "meta/main.yml", "tasks/main.yml"):
        assert (role / file).is_file(), file
    # Ansible would make a task of it for each host.
    assert not (role / "meta/argument_specs.yml").exists()
    tasks = (role / "tasks/main.yml").read_text()
    assert f"tune_profiles: [{name}]" in tasks and "rolespec_validate: false" in tasks
    assert f"role_name: {name}\n" in (role / "meta/main.yml").read_text()
    readme = (role / "README.md").read_text()
    assert readme.startswith(f"# tunefleet.linux.{name}\n")
    assert f"tunefleet.linux.{name}\n" in readme.partition("## Example")[2]
    for heading in ("When to use it", "What it costs", "Requirements", "Variables", "Example", "Values"):
        assert f"\n## {heading}\n" in readme, heading


@pytest.mark.parametrize("name", NAMES)
def test_each_entry_says_why_and_cites_what_is_there(name: str) -> None:
    for entry in entries(name).values():
        assert entry.reason.why.endswith(".") and len(entry.reason.why.split()) > 2, entry
        assert not entry.reason.hazard or entry.reason.hazard.endswith("."), entry
        for citation in entry.reason.source:
            source, _colon, line = citation.partition(":")
            assert bool(line) == (source in DOCUMENT_LINES), citation
            assert not line or 1 <= int(line) <= DOCUMENT_LINES[source], citation


@pytest.mark.parametrize("name", CURATED)
def test_a_curated_profile_harms_no_host(name: str) -> None:
    assert profile_library.resolve(LIBRARY, name, allow_audit_only=False)
    for key, entry in entries(name).items():
        assert not entry.reason.hazard, key
        if " " in key:
            assert key.split()[-2] in items.ITEMS
            assert entry.wish.relation == profile_model.AT_LEAST and entry.wish.amount != profile_model.UNLIMITED, key
            continue
        assert entry.wish.relation == (profile_model.AT_LEAST if key in CAPACITIES else profile_model.VALUE), key
        facts = catalog.find(key)
        assert facts, f"{key} is not in the catalog"
        assert not facts.removed and not facts.no_effect and not facts.action, key


@pytest.mark.parametrize("name", LITERAL)
def test_a_literal_profile_is_the_document_and_nothing_else(name: str) -> None:
    document = LITERAL[name]
    for key, entry in entries(name).items():
        assert entry.wish.relation == profile_model.VALUE, key
        documents = {citation.partition(":")[0] for citation in entry.reason.source} & set(DOCUMENT_LINES)
        assert documents == {document}, key


@pytest.mark.parametrize("name", LITERAL)
def test_a_literal_value_that_lowers_what_a_host_has_by_itself_has_a_hazard(name: str) -> None:
    for key, entry in entries(name).items():
        if key.endswith(" nofile hard"):
            assert t.cast(int, entry.wish.amount) < SYSTEMD_NOFILE and entry.reason.hazard
        facts = None if " " in key else catalog.find(key)
        if facts is None or key not in CAPACITIES:
            continue
        defaults = [text for _since, text in facts.defaults]
        text = profile_model.amount_text(entry.wish.amount)
        if any(not sysctl_values.satisfies("at_least", text, default, facts.shape) for default in defaults):
            assert entry.reason.hazard, key


# The rest of what does harm, by the measurements and sources that its hazard names.
HARMFUL = {
    "memo_ko": "tcp_retries1 tcp_sack tcp_timestamps tcp_window_scaling",
    "legacy_22": "tcp_retries1 tcp_sack tcp_timestamps tcp_window_scaling",
    "guide_zh": "tcp_abort_on_overflow tcp_max_orphans tcp_max_tw_buckets tcp_orphan_retries tcp_retries2 tcp_syn_retries "
    "tcp_tw_recycle tcp_window_scaling ip_local_port_range",
}


@pytest.mark.parametrize("name", LITERAL)
def test_what_else_harms_has_a_hazard(name: str) -> None:
    found = entries(name)
    for key in HARMFUL[name].split():
        assert found[f"net.ipv4.{key}"].reason.hazard, key


def test_literal_profiles_keep_the_keys_that_are_gone() -> None:
    assert "fs.inode-max" in entries("memo_ko") and "fs.inode-max" in entries("legacy_22")
    assert {"net.ipv4.tcp_tw_recycle", "net.ipv4.tcp_fack"} < set(entries("guide_zh"))


def test_only_the_list_for_linux_2_2_is_never_applied() -> None:
    for name in NAMES:
        if name != "legacy_22":
            assert profile_library.resolve(LIBRARY, name, allow_audit_only=False)
    with pytest.raises(
        profile_model.ProfileProblem, match="'legacy_22' is there to compare hosts with and never to be applied"
    ):
        profile_library.resolve(LIBRARY, "legacy_22", allow_audit_only=False)


# Both documents, line by line. Kinds of rows: a value; a command for one shell, which nothing keeps; an advice, which has no
# number of its own on that line.


class Row(t.NamedTuple):
    """One recommendation of a document. ``homes`` are the profiles that carry it besides the literal one."""

    document: str
    line: int
    kind: str
    entry: str
    value: str
    homes: list[str]

    @property
    def citation(self) -> str:
        return f"{self.document}:{self.line}"


def _rows() -> list[Row]:
    with open(Path(__file__).with_name("document_values.csv"), encoding="utf-8", newline="") as file:
        return [
            Row(row["document"], int(row["line"]), row["kind"], row["entry"], row["value"], row["homes"].split())
            for row in csv.DictReader(file)
        ]


ROWS = _rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.citation} {row.entry}")
def test_each_value_of_the_documents_has_a_home(row: Row) -> None:
    literal = entries(row.document)[row.entry]
    assert row.citation in literal.reason.source
    if row.value and profile_model.amount_text(literal.wish.amount) != row.value:
        # Not the last word of the document: the reason names it with its line.
        assert re.search(rf"\b[Ll]ines? (\d+, )*(\d+ and )?{row.line}\b", literal.reason.why), literal.reason.why
        assert re.search(rf"\b{row.value}\b", literal.reason.why), literal.reason.why
    for home in row.homes:
        entry = entries(home)[row.entry]
        assert row.citation in entry.reason.source, home


def test_each_line_that_is_cited_is_quoted_and_no_other() -> None:
    """tools/check_quotes.py holds the quotes against the documents themselves, which are not in here."""
    cited: dict[str, set[int]] = {document: set() for document in DOCUMENT_LINES}
    for name in NAMES:
        for entry in entries(name).values():
            for citation in entry.reason.source:
                document, _colon, line = citation.partition(":")
                if line:
                    cited[document].add(int(line))
    assert {document: set(quotes) for document, quotes in LIBRARY.quotes.items()} == cited


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.citation} {row.entry}")
def test_the_quote_of_a_line_says_what_the_table_says(row: Row) -> None:
    text = LIBRARY.quotes[row.document][row.line].text
    if row.kind != "advice":
        assert re.search(rf"(?<![0-9]){row.value}(?![0-9])", text), text
    if "=" in text or "/proc/sys/" in text:
        assert row.entry.rpartition(".")[2] in text
    if "soft" in text or "hard" in text:
        assert text.split()[:3] == [row.entry.split()[index] for index in (0, 2, 1)]


@pytest.mark.parametrize("document", DOCUMENT_LINES)
def test_what_is_not_written_in_english_has_a_translation(document: str) -> None:
    for line, quote in LIBRARY.quotes[document].items():
        assert bool(quote.english) != quote.text.isascii(), line


@pytest.mark.parametrize("document", DOCUMENT_LINES)
def test_the_last_line_of_a_document_counts(document: str) -> None:
    last = {row.entry: row for row in ROWS if row.document == document and row.kind == "value"}
    found = entries(document)
    for entry, row in last.items():
        assert profile_model.amount_text(found[entry].wish.amount) == row.value, entry
    advised = {row.entry: row.value for row in ROWS if row.document == document and row.value}
    assert set(found) == set(advised), "a literal profile has what its document says, and nothing else"
    for entry in set(found) - set(last):
        assert profile_model.amount_text(found[entry].wish.amount) == advised[entry], entry


def test_the_list_for_linux_2_2_is_the_last_one_of_the_memo() -> None:
    rows = {row.entry: row for row in ROWS if row.document == "memo_ko" and 133 < row.line < 145}
    found = entries("legacy_22")
    assert set(found) == set(rows)
    for entry, row in rows.items():
        assert profile_model.amount_text(found[entry].wish.amount) == row.value, entry
        assert found[entry].reason.source[0] == row.citation


# What belongs together


def number(name: str, key: str) -> t.Any:
    return entries(name)[key].wish.amount


def test_values_that_depend_on_each_other() -> None:
    nofile = number("web_server", "* nofile hard")
    assert number("web_server", "fs.nr_open") >= nofile, "the kernel refuses a limit above fs.nr_open"
    assert number("web_server", "fs.file-max") >= 4 * nofile, "one process must not exhaust the host"
    for name in CURATED:
        wanted = {key: entry.wish.amount for key, entry in entries(name).items()}
        if "net.core.somaxconn" in wanted:
            backlog = wanted.get("net.ipv4.tcp_max_syn_backlog", 0)
            assert wanted["net.core.somaxconn"] >= backlog, "somaxconn caps the SYN queue"
        if "net.ipv4.tcp_tw_reuse" in wanted:
            assert wanted["net.ipv4.tcp_timestamps"] == 1, "tcp_tw_reuse needs timestamps"
        assert wanted.get("net.ipv4.tcp_window_scaling", 1) == 1, "buffers above 65535 bytes need scaling"
        for direction in "rw":
            largest = wanted.get(f"net.ipv4.tcp_{direction}mem", (0,))[-1]
            assert wanted.get(f"net.core.{direction}mem_max", largest) >= largest, "SO_RCVBUF shall reach as far"
    first, last = number("proxy", "net.ipv4.ip_local_port_range")
    assert first % 2 != last % 2, "the kernel warns of two ends of one parity"
    for piece in number("proxy", "net.ipv4.ip_local_reserved_ports").split(","):
        assert all(first <= int(port) < 32768 for port in piece.split("-")), "of what the range gains"
    assert [number("nat_gateway", f"net.ipv4.neigh.default.gc_thresh{place}") for place in (1, 2, 3)] == [
        8192,
        32768,
        65536,
    ]


@pytest.mark.parametrize("name", ["web_server", "ddos_guard", "proxy", "bulk_transfer", "open_files", "redis", "kafka"])
def test_what_is_meant_to_go_together_does(name: str) -> None:
    together = ["web_server", "open_files", "ddos_guard", "bulk_transfer", name]
    if name in ("redis", "kafka"):
        together = ["bulk_transfer", "ddos_guard", "open_files", name]
    assert profile_library.resolve(LIBRARY, together)


def test_every_shared_source_is_used() -> None:
    used = {
        citation.partition(":")[0]
        for name in NAMES
        for entry in entries(name).values()
        for citation in entry.reason.source
    }
    declared = {source for profile in LIBRARY.load(NAMES).values() for source in profile.sources}
    assert used == set(LIBRARY.shared_sources) | declared


def test_no_two_profiles_declare_one_source_differently() -> None:
    found: dict[str, t.Any] = {}
    for profile in LIBRARY.load(NAMES).values():
        for name, source in profile.sources.items():
            assert found.setdefault(name, source) == source, f"{name}: declare it in roles/tune/files/sources.yml"

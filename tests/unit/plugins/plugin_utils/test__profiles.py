# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._profile import AT_LEAST, UNLIMITED, VALUE, ProfileProblem
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import Library, resolve

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a profile: ours into roles, a user's into folders beside it."""
    (tmp_path / "roles/tune/files").mkdir(parents=True)
    (tmp_path / "roles/tune/files/sources.yml").write_text("memo: {title: T, address: A}\n")

    def _write(name: str, text: str = "", folder: str = "") -> None:
        path = tmp_path / folder / f"{name}.yml" if folder else tmp_path / "roles" / name / "files" / "profile.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"title: {name}\nsummary: Says {name}.\n{text}")

    return _write


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library([tmp_path / "mine", tmp_path / "more", tmp_path / "none"], roles=tmp_path / "roles")


def problem(library: Library, names: t.Any, **options: t.Any) -> str:
    with pytest.raises(ProfileProblem) as caught:
        resolve(library, names, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("one", "one"),
        (["one"], "one"),
        ("two, one,", "one,two"),
        ([["two"], "one,two"], "one,two"),
        (["one", "one"], "one"),
    ],
)
def test_names_in_every_form(write: Write, library: Library, names: t.Any, expected: str) -> None:
    write("one")
    write("two", folder="mine")
    assert resolve(library, names)["name"] == expected


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("", "No profile is named; name at least one, as in web_server."),
        ([], "No profile is named; name at least one, as in web_server."),
        (",", "No profile is named; name at least one, as in web_server."),
        ([None], "The name of a profile is letters, digits, '_' and '-', found None."),
        (7, "The name of a profile is letters, digits, '_' and '-', found 7."),
        ("../one", "The name of a profile is letters, digits, '_' and '-', found '../one'."),
        ({"one": 1}, "The name of a profile is letters, digits, '_' and '-', found {'one': 1}."),
    ],
)
def test_names_that_are_none(library: Library, names: t.Any, sentence: str) -> None:
    assert problem(library, names) == sentence


def test_an_unknown_profile(write: Write, library: Library, tmp_path: Path) -> None:
    write("web_server")
    write("proxy", "extends: [web_servr]", folder="mine")
    assert problem(library, "web_servr") == (
        "There is no profile 'web_servr'; did you mean 'web_server'? Known are proxy and web_server; looked in the "
        f"collection and in {tmp_path}/mine, {tmp_path}/more and {tmp_path}/none."
    )
    assert problem(library, "proxy").startswith("There is no profile 'web_servr', which 'proxy' extends; did you mean")
    assert problem(library, "nginx").startswith("There is no profile 'nginx'. Known are")


@pytest.mark.parametrize(("first", "second"), [("", "mine"), ("mine", "more")])
def test_a_name_that_two_claim(write: Write, library: Library, tmp_path: Path, first: str, second: str) -> None:
    write("one", folder=first)
    write("one", folder=second)
    sentence = problem(library, "one")
    assert sentence.startswith("The profile 'one' is ambiguous: ")
    assert f"{tmp_path}/{second}/one.yml" in sentence
    assert f"{tmp_path}/{first or 'roles'}/one" in sentence


def test_one_folder_named_twice_is_no_ambiguity(write: Write, tmp_path: Path) -> None:
    write("one", folder="mine")
    library = Library([tmp_path / "mine", tmp_path / "mine"], roles=tmp_path / "roles")
    assert resolve(library, "one")["name"] == "one"


def test_the_whole_circle_is_named(write: Write, library: Library) -> None:
    write("start", "extends: [a]")
    write("a", "extends: [b]")
    write("b", "extends: [c]")
    write("c", "extends: [a]")
    assert problem(library, "start") == (
        "Profiles extend each other in a circle: a -> b -> c -> a. Remove one 'extends' of it."
    )


def test_a_profile_that_extends_itself(write: Write, library: Library) -> None:
    write("a", "extends: [a]")
    assert "in a circle: a -> a." in problem(library, "a")


def test_a_diamond_is_no_circle(write: Write, library: Library) -> None:
    write("base", "sysctl: {a.b: {value: 1, why: w, source: [memo]}}")
    write("left", "extends: [base]")
    write("right", "extends: [base]")
    write("top", "extends: [left, right]")
    assert resolve(library, "top")["sysctl"]["a.b"]["value"] == 1


def test_prefer_must_be_one_of_them(write: Write, library: Library) -> None:
    write("one")
    write("two")
    assert problem(library, "one", prefer="onne") == "prefer names 'onne', which is not one of one; did you mean 'one'?"
    assert problem(library, "one", prefer="two") == "prefer names 'two', which is not one of one."


def test_audit_only(write: Write, library: Library) -> None:
    write("literal", "apply: audit_only")
    write("child", "extends: [literal]")
    assert resolve(library, "literal", allow_audit_only=True)["name"] == "literal"
    assert problem(library, "literal", allow_audit_only=False) == (
        "The profile 'literal' is there to compare hosts with and never to be applied: Says literal. "
        "Run it in check mode, for example with the playbook tunefleet.linux.audit."
    )
    assert "'literal' (extended by what was asked for, child) is" in problem(library, "child", allow_audit_only=False)


def test_overrides_are_checked(write: Write, library: Library) -> None:
    write("one")
    assert resolve(library, "one", sysctl={"a/b": 5})["sysctl"]["a.b"]["value"] == 5
    assert problem(library, "one", sysctl={"a.b": True}).startswith("sysctl > a.b: ")


def test_files_that_cannot_be_read(write: Write, library: Library, tmp_path: Path) -> None:
    write("latin", folder="mine")
    path = tmp_path / "mine/latin.yml"
    path.write_bytes(b"title: a\nsummary: caf\xe9\n")
    (tmp_path / "mine/folder.yml").mkdir()
    (tmp_path / "mine/gone.yml").symlink_to("nowhere")
    assert problem(library, "latin") == f"{path}:2: the file is not UTF-8 (byte 0xe9)."
    assert problem(library, "folder") == f"{tmp_path}/mine/folder.yml: the file cannot be read: Is a directory."
    assert problem(library, "gone") == f"{tmp_path}/mine/gone.yml: the file cannot be read: No such file or directory."


def test_a_broken_file_hurts_only_who_asks_for_it(write: Write, library: Library, tmp_path: Path) -> None:
    write("good", folder="mine")
    (tmp_path / "mine/bad.yml").write_text("a: [")
    assert resolve(library, "good")["name"] == "good"
    assert f"{tmp_path}/mine/bad.yml:" in problem(library, "bad")


# What ships

SHIPPED = Library()
SHIPPED_NAMES = sorted(SHIPPED.places)
# How many lines the two documents have.
DOCUMENT_LINES = {"memo_ko": 165, "guide_zh": 121}
# What a host may have more of without harm. Everything else is a switch or a timeout, and exact.
CAPACITIES = {
    "fs.file-max",
    "fs.nr_open",
    "net.core.netdev_max_backlog",
    "net.core.rmem_max",
    "net.core.somaxconn",
    "net.core.wmem_max",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
}
# What the research forbids: gone, or harmful whatever the value.
FORBIDDEN = {"net.ipv4.tcp_tw_recycle", "fs.inode-max", "net.ipv4.tcp_fack"}


def test_what_ships() -> None:
    assert SHIPPED_NAMES == ["open_files", "web_server"]


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_a_shipped_profile_is_sound(name: str) -> None:
    wanted = resolve(SHIPPED, name, allow_audit_only=False)
    for key, setting in wanted["sysctl"].items():
        assert (AT_LEAST if key in CAPACITIES else VALUE) in setting, key
        assert "hazard" not in setting, key
    for limit in wanted["limits"]:
        for side in ("soft", "hard"):
            assert limit[side][AT_LEAST] != UNLIMITED
    assert not FORBIDDEN & set(wanted["sysctl"])


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_each_shipped_entry_cites_a_line_that_is_there(name: str) -> None:
    wanted = resolve(SHIPPED, name)
    for entry in [*wanted["sysctl"].values(), *wanted["limits"]]:
        assert entry["why"].endswith(".")
        for citation in entry["source"]:
            source, _colon, line = citation.partition(":")
            assert bool(line) == (source in DOCUMENT_LINES), citation
            assert not line or 1 <= int(line) <= DOCUMENT_LINES[source], citation


def test_values_that_depend_on_each_other() -> None:
    wanted = resolve(SHIPPED, "web_server")
    sysctl = {key: setting.get(VALUE, setting.get(AT_LEAST)) for key, setting in wanted["sysctl"].items()}
    nofile = next(limit for limit in wanted["limits"] if limit["item"] == "nofile")["hard"][AT_LEAST]
    assert sysctl["fs.nr_open"] >= nofile, "the kernel refuses a limit above fs.nr_open"
    assert sysctl["fs.file-max"] >= 4 * nofile, "one process must not exhaust the host"
    assert sysctl["net.core.somaxconn"] >= sysctl["net.ipv4.tcp_max_syn_backlog"], "somaxconn caps the SYN queue"
    assert sysctl["net.ipv4.tcp_timestamps"] == 1, "tcp_tw_reuse and SYN cookies' options need timestamps"
    assert sysctl["net.ipv4.tcp_window_scaling"] == 1, "buffers above 65535 bytes need scaling"


def test_every_shared_source_is_used() -> None:
    used = {
        citation.partition(":")[0]
        for name in SHIPPED_NAMES
        for entries in [resolve(SHIPPED, name)]
        for entry in [*entries["sysctl"].values(), *entries["limits"]]
        for citation in entry["source"]
    }
    assert used == set(SHIPPED.shared_sources)

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import library as profile_library
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import model as profile_model

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
def library(tmp_path: Path) -> profile_library.Library:
    return profile_library.Library([tmp_path / "mine", tmp_path / "more", tmp_path / "none"], roles=tmp_path / "roles")


def problem(library: profile_library.Library, names: t.Any, **options: t.Any) -> str:
    with pytest.raises(profile_model.ProfileProblem) as caught:
        profile_library.resolve(library, names, **options)
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
def test_names_in_every_form(write: Write, library: profile_library.Library, names: t.Any, expected: str) -> None:
    write("one")
    write("two", folder="mine")
    assert profile_library.resolve(library, names)["name"] == expected


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
def test_names_that_are_none(library: profile_library.Library, names: t.Any, sentence: str) -> None:
    assert problem(library, names) == sentence


def test_an_unknown_profile(write: Write, library: profile_library.Library, tmp_path: Path) -> None:
    write("web_server")
    write("proxy", "extends: [web_servr]", folder="mine")
    assert problem(library, "web_servr") == (
        "There is no profile 'web_servr'; did you mean 'web_server'? Known are proxy and web_server; looked in the "
        f"collection and in {tmp_path}/mine, {tmp_path}/more and {tmp_path}/none."
    )
    assert problem(library, "proxy").startswith("There is no profile 'web_servr', which 'proxy' extends; did you mean")
    assert problem(library, "nginx").startswith("There is no profile 'nginx'. Known are")


@pytest.mark.parametrize(("first", "second"), [("", "mine"), ("mine", "more")])
def test_a_name_that_two_claim(
    write: Write, library: profile_library.Library, tmp_path: Path, first: str, second: str
) -> None:
    write("one", folder=first)
    write("one", folder=second)
    sentence = problem(library, "one")
    assert sentence.startswith("The profile 'one' is ambiguous: ")
    assert f"{tmp_path}/{second}/one.yml" in sentence
    assert f"{tmp_path}/{first or 'roles'}/one" in sentence


def test_one_folder_named_twice_is_no_ambiguity(write: Write, tmp_path: Path) -> None:
    write("one", folder="mine")
    library = profile_library.Library([tmp_path / "mine", tmp_path / "mine"], roles=tmp_path / "roles")
    assert profile_library.resolve(library, "one")["name"] == "one"


def test_the_whole_circle_is_named(write: Write, library: profile_library.Library) -> None:
    write("start", "extends: [a]")
    write("a", "extends: [b]")
    write("b", "extends: [c]")
    write("c", "extends: [a]")
    found = problem(library, "start")
    assert found.endswith(
        "/roles/c/files/profile.yml:3: profiles extend each other in a circle: a -> b -> c -> a. Remove one 'extends' of it."
    )
    assert "\n" not in found


def test_a_profile_that_extends_itself(write: Write, library: profile_library.Library) -> None:
    write("a", "extends: [a]")
    assert "in a circle: a -> a." in problem(library, "a")


def test_a_diamond_is_no_circle(write: Write, library: profile_library.Library) -> None:
    write("base", "sysctl: {a.b: {value: 1, why: w, source: [memo]}}")
    write("left", "extends: [base]")
    write("right", "extends: [base]")
    write("top", "extends: [left, right]")
    assert profile_library.resolve(library, "top")["sysctl"]["a.b"]["value"] == 1


def test_prefer_must_be_one_of_them(write: Write, library: profile_library.Library) -> None:
    write("one")
    write("two")
    assert problem(library, "one", prefer="onne") == "prefer names 'onne', which is not one of one; did you mean 'one'?"
    assert problem(library, "one", prefer="two") == "prefer names 'two', which is not one of one."


def test_audit_only(write: Write, library: profile_library.Library) -> None:
    write("literal", "apply: audit_only")
    write("child", "extends: [literal]")
    assert profile_library.resolve(library, "literal", allow_audit_only=True)["name"] == "literal"
    assert problem(library, "literal", allow_audit_only=False) == (
        "The profile 'literal' is there to compare hosts with and never to be applied: Says literal. "
        "Run it in check mode, for example with the playbook tunefleet.linux.audit."
    )
    assert "'literal' (extended by what was asked for, child) is" in problem(library, "child", allow_audit_only=False)


def test_what_was_loaded_before_is_none_of_it(write: Write, library: profile_library.Library) -> None:
    write("literal", "apply: audit_only")
    write("one")
    assert profile_library.resolve(library, "literal")["name"] == "literal"
    assert profile_library.resolve(library, "one", allow_audit_only=False)["name"] == "one"
    assert list(library.load(["one"])) == ["one"]
    assert problem(library, "one", prefer="literal") == "prefer names 'literal', which is not one of one."


def test_overrides_are_checked(write: Write, library: profile_library.Library) -> None:
    write("one")
    assert profile_library.resolve(library, "one", sysctl={"a/b": 5})["sysctl"]["a.b"]["value"] == 5
    assert problem(library, "one", sysctl={"a.b": True}).startswith("sysctl > a.b: ")


def test_files_that_cannot_be_read(write: Write, library: profile_library.Library, tmp_path: Path) -> None:
    write("latin", folder="mine")
    path = tmp_path / "mine/latin.yml"
    path.write_bytes(b"title: a\nsummary: caf\xe9\n")
    (tmp_path / "mine/folder.yml").mkdir()
    (tmp_path / "mine/gone.yml").symlink_to("nowhere")
    assert problem(library, "latin") == f"{path}:2: the file is not UTF-8 (byte 0xe9)."
    assert problem(library, "folder") == f"{tmp_path}/mine/folder.yml: the file cannot be read: Is a directory."
    assert problem(library, "gone") == f"{tmp_path}/mine/gone.yml: the file cannot be read: No such file or directory."


def test_a_broken_file_hurts_only_who_asks_for_it(
    write: Write, library: profile_library.Library, tmp_path: Path
) -> None:
    write("good", folder="mine")
    (tmp_path / "mine/bad.yml").write_text("a: [")
    assert profile_library.resolve(library, "good")["name"] == "good"
    assert f"{tmp_path}/mine/bad.yml:" in problem(library, "bad")

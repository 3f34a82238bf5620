# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import model as profile_model
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import yaml_lines


def test_data_and_lines() -> None:
    document = yaml_lines.read_document("f.yml", "a:\n  b: [1,\n      x y]\n# c\nc: yes\n")
    assert document.data == {"a": {"b": [1, "x y"]}, "c": True}
    assert document.place(()) == "f.yml:1"
    assert document.place(("a", "b")) == "f.yml:2"
    assert document.place(("a", "b", 1)) == "f.yml:3"
    assert document.place(("c",)) == "f.yml:5"


def test_a_place_that_is_not_there_is_the_one_around_it() -> None:
    assert yaml_lines.read_document("f.yml", "x: 1\na:\n  b: 1\n").place(("a", "z", 7)) == "f.yml:2"


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("0", 0),
        ("-5", -5),
        ("1.5", 1.5),
        ("null", None),
        ("'010'", "010"),
        ("{x: &a 1, y: *a}", {"x": 1, "y": 1}),
        ("8: eight", {"8": "eight"}),
    ],
)
def test_scalars(text: str, data: t.Any) -> None:
    assert yaml_lines.read_document("f.yml", text).data == data


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a: [1,\nb", 3, "this is not YAML: did not find expected ',' or ']'"),
        ("a: 1\n\tb: 2", 2, "this is not YAML"),
        ("a: *x", 1, "undefined alias"),
        ("a: 1\n--- \nb: 2", 2, "another document"),
        ("a: 1\nb: \x01", 2, "control character '\\x01'"),
        ("", 1, "the file is empty"),
        ("# nothing\n", 1, "the file is empty"),
        ("a: 1\nb: 2\na: 3", 3, "'a' is already given on line 1"),
        ("a: 1\nb:\n  c: 1\n  c: 1", 4, "'c' is already given on line 3"),
        ("a: 010", 1, "010 can be read as more than one number"),
        ("a: 0x10", 1, "0x10 can be read as more than one number"),
        ("a: 1_000", 1, "1_000 can be read"),
        ("a: 12:30", 1, "12:30 can be read"),
        ("? [a]\n: 1", 1, "cannot be the name of a field"),
        ("a: &x [*x]", 1, "contains itself"),
        ("a: 1\nb: !!python/name:os.system x", 2, "cannot be read as"),
        ("a: 2020-99-01", 1, "cannot be read as"),
    ],
)
def test_one_sentence_with_the_line(text: str, line: int, part: str) -> None:
    with pytest.raises(profile_model.ProfileProblem) as caught:
        yaml_lines.read_document("profiles/f.yml", text)
    (sentence,) = caught.value.problems
    assert sentence.startswith(f"profiles/f.yml:{line}: ")
    assert part in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence

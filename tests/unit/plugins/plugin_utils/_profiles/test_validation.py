# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import textwrap
import typing as t

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import formula
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import model as profile_model
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import validation, yaml_lines

SHARED = {"memo": profile_model.Source("Memo", "memo.txt")}
HEADER = "title: T\nsummary: S\n"
REASON = "why: Because., source: [memo]"


def check(text: str) -> profile_model.Profile:
    return validation.check_profile("mine", yaml_lines.read_document("mine.yml", textwrap.dedent(text)), SHARED)


def problems(text: str) -> list[str]:
    with pytest.raises(profile_model.ProfileProblem) as caught:
        check(text)
    return caught.value.problems


def test_a_whole_profile() -> None:
    profile = check("""\
        title: My  profile
        summary: >-
          Two
          lines.
        extends: [web_server, other]
        apply: audit_only
        sources:
          book: {title: Book, address: https://example.com/book}
        sysctl:
          net/core/somaxconn: {at_least: 8192, why: Queue., source: ["memo:45", book], hazard: None really.}
          net.ipv4.tcp_rmem: {value: [1, 2, 3], why: Buffer., source: [memo]}
        limits:
          - {domain: "*", item: nofile, soft: 10, hard: {at_least: unlimited}, why: Files., source: ["book:3"]}
    """)
    assert profile == profile_model.Profile(
        name="mine",
        path="mine.yml",
        title="My profile",
        summary="Two lines.",
        extends=("web_server", "other"),
        audit_only=True,
        sources={"book": profile_model.Source("Book", "https://example.com/book")},
        sysctl={
            "net.core.somaxconn": profile_model.Setting(
                profile_model.Wish(profile_model.AT_LEAST, 8192),
                profile_model.Reason("Queue.", ("memo:45", "book"), "None really."),
            ),
            "net.ipv4.tcp_rmem": profile_model.Setting(
                profile_model.Wish(profile_model.VALUE, (1, 2, 3)), profile_model.Reason("Buffer.", ("memo",))
            ),
        },
        limits={
            ("*", "nofile"): profile_model.Limit(
                profile_model.Wish(profile_model.VALUE, 10),
                profile_model.Wish(profile_model.AT_LEAST, "unlimited"),
                profile_model.Reason("Files.", ("book:3",)),
            )
        },
    )


@pytest.mark.parametrize(
    ("amount", "wish"),
    [
        ("value: 0", profile_model.Wish(profile_model.VALUE, 0)),
        ("value: '30'", profile_model.Wish(profile_model.VALUE, 30)),
        ("value: bbr", profile_model.Wish(profile_model.VALUE, "bbr")),
        ("value: '4096  131072 16777216'", profile_model.Wish(profile_model.VALUE, (4096, 131072, 16777216))),
        ('value: "1\\t2"', profile_model.Wish(profile_model.VALUE, (1, 2))),
        ("value: '007'", profile_model.Wish(profile_model.VALUE, "007")),
        ("value: [7]", profile_model.Wish(profile_model.VALUE, 7)),
        ("at_least: ['1', 2]", profile_model.Wish(profile_model.AT_LEAST, (1, 2))),
        ("at_most: -1", profile_model.Wish(profile_model.AT_MOST, -1)),
        (
            "at_least: {per_gib: 5, min: 1, max: 9}",
            profile_model.Wish(profile_model.AT_LEAST, formula.Formula("per_gib", 5, 1, 9)),
        ),
        ("value: {per_cpu: 2}", profile_model.Wish(profile_model.VALUE, formula.Formula("per_cpu", 2))),
        (
            "at_least: [1, {per_gib: '5'}]",
            profile_model.Wish(profile_model.AT_LEAST, (1, formula.Formula("per_gib", 5))),
        ),
        (
            "at_least: {largest: [3, {per_gib: 5}]}",
            profile_model.Wish(profile_model.AT_LEAST, formula.Choice("largest", [formula.Formula("per_gib", 5), 3])),
        ),
    ],
)
def test_amounts(amount: str, wish: profile_model.Wish) -> None:
    assert check(f"{HEADER}sysctl:\n  a.b: {{{amount}, {REASON}}}\n").sysctl["a.b"].wish == wish


@pytest.mark.parametrize(
    ("amount", "wish"),
    [
        ("at_least: 8080", profile_model.Wish(profile_model.AT_LEAST, "8080")),
        ("at_least: '8082,8080-8081'", profile_model.Wish(profile_model.AT_LEAST, "8080-8082")),
        ("at_least: [9000, 80-81]", profile_model.Wish(profile_model.AT_LEAST, "80-81,9000")),
        ("value: ''", profile_model.Wish(profile_model.VALUE, "")),
    ],
)
def test_lists_of_ports(amount: str, wish: profile_model.Wish) -> None:
    key = "net.ipv4.ip_local_reserved_ports"
    assert check(f"{HEADER}sysctl:\n  {key}: {{{amount}, {REASON}}}\n").sysctl[key].wish == wish


def test_a_list_of_ports_that_is_none() -> None:
    key = "net.ipv4.ip_local_reserved_ports"
    (sentence,) = problems(f"{HEADER}sysctl:\n  {key}: {{at_least: 80-, {REASON}}}\n")
    assert sentence.startswith("mine.yml:") and f"{key}: '80-' is not a list of ports; write ports" in sentence


@pytest.mark.parametrize(
    ("amount", "part"),
    [
        ("value: true", "a.b must be a number, a text or a list of numbers, found the boolean true; write 1 or 0."),
        ("value: off", "found the boolean false; write 1 or 0."),
        ("value: [1, yes]", "a.b must list whole numbers, found the boolean true; write 1 or 0."),
        ("value: 1.5", "found 1.5 (float)."),
        ("value: null", "found nothing."),
        ("value: ''", "found an empty text."),
        ("value: []", "found an empty list."),
        (
            "value: {a: 1}",
            "a.b: a formula takes exactly one of per_gib, per_cpu, largest and smallest",
        ),
        ("at_least: {per_gib: 0}", "a.b: per_gib takes an integer above zero; found 0."),
        (
            "at_least: [1, {per_cpu: 1, mni: 2}]",
            "'mni' is not a field of a per_cpu formula (known: per_cpu, min, max).",
        ),
        ("at_least: {per_gib: 1, min: 3, max: 2}", "a.b: min 3 is above max 2."),
        ("value: [bbr]", "must list whole numbers, found the text 'bbr'."),
        ('value: "a\\nb"', "a.b must be one line of text, found 'a\\nb'."),
        ("value: 2020-01-01", "found 2020-01-01 (date)."),
        ("at_least: bbr", "a.b compares numbers with 'at_least', found the text 'bbr'; use 'value' for a text."),
        ("value: 1, at_least: 1", "a.b needs exactly one of value, at_least or at_most, found value and at_least."),
        ("hazard: x", "a.b needs exactly one of value, at_least or at_most, found none."),
        ("at_leest: 1", "a.b has no field 'at_leest'; did you mean 'at_least'"),
    ],
)
def test_wrong_amounts(amount: str, part: str) -> None:
    found = problems(f"{HEADER}sysctl:\n  a.b:\n    {{{amount}, {REASON}}}\n")
    assert any(part in sentence for sentence in found), found
    assert all(sentence.startswith(("mine.yml:4: ", "mine.yml:5: ")) for sentence in found)


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("- 1", 1, "a profile must be a mapping, found a list."),
        (HEADER + "sysctls: {}", 3, "a profile has no field 'sysctls'; did you mean 'sysctl'? It may have "),
        ("summary: S", 1, "the profile has no 'title'; every one needs it."),
        ("title: [a]\nsummary: S", 1, "'title' must be a text, found a list."),
        ("title: ''\nsummary: S", 1, "'title' must be a text, found the text ''."),
        (HEADER + "extends: other", 3, "'extends' must be a list, found the text 'other'."),
        (HEADER + "extends: [../x]", 3, "'extends' must list names of profiles, found the text '../x'."),
        (HEADER + "apply: false", 3, "'apply' must be true or audit_only, found the boolean false."),
        (HEADER + "apply: 1", 3, "'apply' must be true or audit_only, found 1 (int)."),
        (HEADER + "sources: {Book: {title: T, address: A}}", 3, "must be named with small letters"),
        (HEADER + "sources: {memo: {title: T, address: A}}", 3, "'memo' is declared for every profile already"),
        (HEADER + "sources: {book: {title: T}}", 3, "the source 'book' has no 'address'; every one needs it."),
        (HEADER + "sysctl: []", 3, "'sysctl' must be a mapping, found a list."),
        (HEADER + "sysctl:\n  a.b: 1", 4, "a.b has no 'why'; every one needs it."),
        (HEADER + "sysctl:\n  a.b: 1", 4, "a.b has no 'source'; every one needs it."),
        (HEADER + "sysctl:\n  a.b: {value: 1, why: w, source: []}", 4, "has an empty 'source'"),
        (HEADER + "sysctl:\n  a.b: {value: 1, why: w, source: memo}", 4, "'source' must be a list, found the text"),
        (HEADER + "sysctl:\n  a.b: {value: 1, why: w, source: ['memo:0']}", 4, "(as in memo_ko:45), found the text"),
        (
            HEADER + "sysctl:\n  a.b: {value: 1, why: w, source: [meno]}",
            4,
            "not declared under 'sources'; did you mean",
        ),
        (HEADER + "sysctl:\n  ../x: {value: 1, why: w, source: [memo]}", 4, "The key '../x' "),
        (HEADER + f"sysctl:\n  a.b: {{value: 1, {REASON}}}\n  a/b: {{value: 1, {REASON}}}", 5, "a.b is given twice"),
        (
            HEADER + f"sysctl:\n  net.ipv4.tcp_sack: {{value: 256, {REASON}}}",
            4,
            "net.ipv4.tcp_sack: 256 is outside the kernel's range 0 .. 255 (legal: 0 .. 255 flag).",
        ),
        (
            HEADER + f"sysctl:\n  net.ipv4.tcp_rmem: {{at_least: [1, 2], {REASON}}}",
            4,
            "net.ipv4.tcp_rmem: '1 2' has 2 numbers; the key takes 3",
        ),
        (HEADER + f"sysctl:\n  net.ipv4.tcp_sack: {{value: bbr, {REASON}}}", 4, "'bbr' is not an integer"),
        (
            HEADER + f"sysctl:\n  net.ipv4.route.flush: {{value: 1, {REASON}}}",
            4,
            "triggers an action and leaves nothing",
        ),
        (
            HEADER + f"limits:\n- {{domain: a, item: nofiel, soft: 1, {REASON}}}",
            4,
            "limits.conf(5); did you mean 'nofile'",
        ),
        (
            HEADER + f"limits:\n- {{domain: 'a b', item: core, soft: 1, {REASON}}}",
            4,
            "the domain 'a b' contains white space",
        ),
        (
            HEADER + f"limits:\n- {{domain: a, item: nice, soft: 77, {REASON}}}",
            4,
            "77 is not a whole number from -20 to 19",
        ),
        (HEADER + "limits: {}", 3, "'limits' must be a list, found a mapping."),
        (HEADER + "limits: [x]", 3, "a limit must be a mapping, found the text 'x'."),
        (
            HEADER + f"limits:\n- {{item: nofile, soft: 1, {REASON}}}",
            4,
            "one of domain, unit, manager or process, found none.",
        ),
        (HEADER + f"limits:\n- {{unit: a, domain: b, item: nofile, soft: 1, {REASON}}}", 4, "found domain and unit."),
        (HEADER + f"limits:\n- {{unit: a b, item: nofile, soft: 1, {REASON}}}", 4, "write it escaped: a\\x20b."),
        (HEADER + f"limits:\n- {{manager: both, item: nofile, soft: 1, {REASON}}}", 4, "write system or user."),
        (HEADER + f"limits:\n- {{unit: a, item: nofile, soft: 1, restart: 2, {REASON}}}", 4, "true or false, found 2"),
        (HEADER + f"limits:\n- {{domain: a, item: nofile, soft: 1, restart: true, {REASON}}}", 4, "with a unit only"),
        (HEADER + f"limits:\n- {{domain: a, item: nofile, {REASON}}}", 4, "neither 'soft' nor 'hard'"),
        (HEADER + f"limits:\n- {{domain: a, item: nofile, sotf: 1, {REASON}}}", 4, "did you mean 'soft'"),
        (HEADER + f"limits:\n- {{domain: a, item: nofile, soft: no, {REASON}}}", 4, "boolean false; write 1 or 0."),
        (HEADER + f"limits:\n- {{domain: a, item: nofile, soft: -1, {REASON}}}", 4, "write 'unlimited' for no limit."),
        (HEADER + f"limits:\n- {{domain: a, item: nofile, soft: lots, {REASON}}}", 4, "a whole number or 'unlimited'"),
        (
            HEADER + f"limits:\n- {{domain: a, item: b, soft: {{x: 1}}, {REASON}}}",
            4,
            "'soft' needs exactly one of value",
        ),
    ],
)
def test_wrong_profiles(text: str, line: int, sentence: str) -> None:
    found = problems(text)
    assert any(problem.startswith(f"mine.yml:{line}: ") and sentence in problem for problem in found), found


def test_a_limit_is_given_once() -> None:
    entry = f"- {{domain: a, item: nofile, soft: 1, {REASON}}}\n"
    assert problems(HEADER + "limits:\n" + 2 * entry) == [
        "mine.yml:5: the limit a nofile is given twice; keep one entry with 'soft', 'hard' or both."
    ]


def test_every_mistake_of_a_file_is_named_at_once() -> None:
    found = problems(f"title: T\nsysctl:\n  a.b: {{value: true, {REASON}}}\n  c.d: {{at_least: x, {REASON}}}\n")
    assert [problem.split(": ")[0] for problem in found] == ["mine.yml:1", "mine.yml:3", "mine.yml:4"]


def test_negative_numbers_are_for_nice() -> None:
    profile = check(HEADER + f"limits:\n- {{domain: a, item: nice, soft: -5, {REASON}}}")
    assert profile.limits["a", "nice"].soft == profile_model.Wish(profile_model.VALUE, -5)


def test_a_limit_may_depend_on_the_host() -> None:
    bound = "{at_least: {per_gib: 8192, max: 1048576}}"
    profile = check(HEADER + f"limits:\n- {{domain: a, item: nofile, hard: {bound}, {REASON}}}")
    assert profile.limits["a", "nofile"].hard == profile_model.Wish(
        profile_model.AT_LEAST, formula.Formula("per_gib", 8192, None, 1048576)
    )
    found = problems(HEADER + f"limits:\n- {{domain: a, item: nofile, hard: {{at_least: {{per_gib: x}}}}, {REASON}}}")
    assert found == ["mine.yml:4: 'hard': per_gib takes an integer; found 'x'."]


def test_sources_file() -> None:
    assert validation.check_sources(yaml_lines.read_document("s.yml", "a_1: {title: T, address: A}")) == {
        "a_1": profile_model.Source("T", "A")
    }
    with pytest.raises(profile_model.ProfileProblem, match="s.yml:1: the source 'a' has no 'title'"):
        validation.check_sources(yaml_lines.read_document("s.yml", "a: {address: A}"))


def test_overrides_need_no_reason() -> None:
    settings, limits = validation.check_overrides(
        {"a/b": "30", "c.d": {"at_least": 5, "why": "Ours."}}, [{"domain": "x", "item": "nofile", "soft": "100"}]
    )
    assert settings == {
        "a.b": profile_model.Setting(profile_model.Wish(profile_model.VALUE, 30), profile_model.Reason("")),
        "c.d": profile_model.Setting(profile_model.Wish(profile_model.AT_LEAST, 5), profile_model.Reason("Ours.")),
    }
    assert limits == {
        ("x", "nofile"): profile_model.Limit(
            profile_model.Wish(profile_model.VALUE, 100), None, profile_model.Reason("")
        )
    }


@pytest.mark.parametrize(
    ("sysctl", "limits", "sentence"),
    [
        ({"a.b": True}, [], "sysctl > a.b: a.b must be a number, a text or a list of numbers, found the boolean true"),
        ({"a.b": None}, [], "sysctl > a.b: a.b must be a number, a text or a list of numbers, found nothing."),
        ([], {}, "limits: 'limits' must be a list, found a mapping."),
        ("x", [], "sysctl: 'sysctl' must be a mapping, found the text 'x'."),
        ({1: 2}, [], "sysctl > 1: The key 1 is not text"),
    ],
)
def test_wrong_overrides(sysctl: t.Any, limits: t.Any, sentence: str) -> None:
    with pytest.raises(profile_model.ProfileProblem) as caught:
        validation.check_overrides(sysctl, limits)
    assert any(problem.startswith(sentence) for problem in caught.value.problems), caught.value.problems


@pytest.mark.parametrize(
    ("name", "expected"),
    [("web_server", True), ("a-1", True), ("", False), ("../x", False), ("a b", False), ("-x", False), (1, False)],
)
def test_names(name: t.Any, expected: bool) -> None:
    assert validation.is_profile_name(name) is expected

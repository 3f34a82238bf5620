# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import itertools
import json
import typing as t

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._compose import compose, reconcile_wishes
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profile import (
    AT_LEAST,
    AT_MOST,
    VALUE,
    Amount,
    Limit,
    Profile,
    ProfileProblem,
    Reason,
    Setting,
    Wish,
)


def value(amount: Amount) -> Wish:
    return Wish(VALUE, amount)


def least(amount: Amount) -> Wish:
    return Wish(AT_LEAST, amount)


def most(amount: Amount) -> Wish:
    return Wish(AT_MOST, amount)


def profile(
    name: str,
    sysctl: dict[str, Wish] | None = None,
    extends: tuple[str, ...] = (),
    limits: dict[tuple[str, str], tuple[Wish | None, Wish | None]] | None = None,
) -> Profile:
    """A profile whose every entry says who stated it."""
    reason = Reason(f"Why {name}.", (f"src_{name}",))
    return Profile(
        name=name,
        path=f"{name}.yml",
        title=f"Title {name}",
        summary="S",
        extends=extends,
        sysctl={key: Setting(wish, reason) for key, wish in (sysctl or {}).items()},
        limits={key: Limit(soft, hard, reason) for key, (soft, hard) in (limits or {}).items()},
    )


def composed(*profiles: Profile, names: tuple[str, ...] = (), **options: t.Any) -> dict[str, t.Any]:
    return compose(names or [one.name for one in profiles], {one.name: one for one in profiles}, **options)


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ([value(1)], value(1)),
        ([least(1)], least(1)),
        ([most(1)], most(1)),
        ([value(1), value(1)], value(1)),
        ([value(1), value(2)], None),
        ([value("bbr"), value("bbr")], value("bbr")),
        ([value("bbr"), value("cubic")], None),
        ([value("bbr"), least(1)], None),
        ([least(1), least(2)], least(2)),
        ([least((1, 9, 3)), least((4, 2, 3))], least((4, 9, 3))),
        ([least((1, 2, 3)), least(5)], None),
        ([least(1), least("unlimited")], least("unlimited")),
        ([most(1), most(2)], most(1)),
        ([most((1, 9)), most((4, 2))], most((1, 2))),
        ([most(5), most("unlimited")], most(5)),
        ([value(5), least(5)], value(5)),
        ([value(5), least(6)], None),
        ([value((5, 5)), least((5, 4))], value((5, 5))),
        ([value((5, 5)), least((4, 6))], None),
        ([value("unlimited"), least(6)], value("unlimited")),
        ([value(5), most(5)], value(5)),
        ([value(5), most(4)], None),
        ([value(5), least(1), most(9), value(5)], value(5)),
        ([value(5), least(1), most(4)], None),
        ([least(1), most(9)], None),
        ([least(9), most(1)], None),
        ([least(5), most(5)], value(5)),
        ([], None),
    ],
)
def test_reconcile(wishes: list[Wish], expected: Wish | None) -> None:
    for order in itertools.permutations(wishes):
        assert reconcile_wishes(order) == expected


def test_the_shape_of_what_comes_out() -> None:
    result = composed(
        profile(
            "b",
            {"z.z": value((1, 2)), "a.a": least(3)},
            limits={("*", "nproc"): (None, least(7)), ("*", "nofile"): (value("unlimited"), least(5))},
        )
    )
    why = {"why": "Why b.", "source": ["src_b"]}
    assert result == {
        "name": "b",
        "title": "Title b",
        "sysctl": {"a.a": {"at_least": 3, **why}, "z.z": {"value": [1, 2], **why}},
        "limits": [
            {"domain": "*", "item": "nofile", "soft": {"value": "unlimited"}, "hard": {"at_least": 5}, **why},
            {"domain": "*", "item": "nproc", "hard": {"at_least": 7}, **why},
        ],
    }
    assert list(result["sysctl"]) == ["a.a", "z.z"]
    assert json.loads(json.dumps(result)) == result


def test_the_order_of_names_does_not_matter() -> None:
    profiles = [profile("a", {"k.k": least(1)}), profile("b", {"k.k": least(2)}), profile("c", {"k.k": value(3)})]
    results = [json.dumps(composed(*order)) for order in itertools.permutations(profiles)]
    assert len(set(results)) == 1
    assert json.loads(results[0]) == {
        "name": "a,b,c",
        "title": "Title a + Title b + Title c",
        "sysctl": {"k.k": {"value": 3, "why": "Why a. Why b. Why c.", "source": ["src_a", "src_b", "src_c"]}},
        "limits": [],
    }


def test_soft_and_hard_are_reconciled_apart() -> None:
    result = composed(
        profile("a", limits={("*", "nofile"): (least(10), least(50))}),
        profile("b", limits={("*", "nofile"): (least(20), None)}),
    )
    assert result["limits"] == [
        {
            "domain": "*",
            "item": "nofile",
            "soft": {"at_least": 20},
            "hard": {"at_least": 50},
            "why": "Why a. Why b.",
            "source": ["src_a", "src_b"],
        }
    ]


BASE = profile("base", {"k.k": least(10), "other.k": value(1)})


@pytest.mark.parametrize(
    ("profiles", "names", "expected"),
    [
        pytest.param([profile("child", {}, ("base",))], ("child",), least(10), id="inherits"),
        pytest.param([profile("child", {"k.k": value(1)}, ("base",))], ("child",), value(1), id="replaces"),
        pytest.param(
            [profile("child", {"k.k": value(1)}, ("base",))],
            ("base", "child"),
            value(1),
            id="replaces when both are named",
        ),
        pytest.param(
            [profile("child", {}, ("mid",)), profile("mid", {"k.k": most(3)}, ("base",))],
            ("child", "base"),
            most(3),
            id="the nearest counts",
        ),
        pytest.param(
            [profile("one", {}, ("base",)), profile("two", {"k.k": least(20)}, ("base",))],
            ("one", "two"),
            least(20),
            id="diamond, both can be met",
        ),
        pytest.param(
            [
                profile("p1", {"k.k": value(1)}),
                profile("p2", {"k.k": value(2)}),
                profile("child", {"k.k": value(3)}, ("p1", "p2")),
            ],
            ("child",),
            value(3),
            id="settles what its parents dispute",
        ),
    ],
)
def test_extends(profiles: list[Profile], names: tuple[str, ...], expected: Wish) -> None:
    result = composed(BASE, *profiles, names=names)
    assert result["sysctl"]["k.k"][expected.relation] == expected.amount
    assert result["name"] == ",".join(sorted(names))


def test_what_two_inherit_from_one_is_said_once() -> None:
    result = composed(BASE, profile("x", {}, ("base",)), profile("y", {}, ("base",)), names=("x", "y"))
    assert result["sysctl"]["k.k"] == {"at_least": 10, "why": "Why base.", "source": ["src_base"]}


def test_a_contradiction_names_both_sides() -> None:
    with pytest.raises(ProfileProblem) as caught:
        composed(
            profile("b", {"k.k": value(2), "l.l": most(1)}, limits={("*", "nofile"): (value(1), None)}),
            profile("a", {"k.k": least(3), "l.l": least(2)}, limits={("*", "nofile"): (value(2), None)}),
        )
    about_limit, about_key, about_other = caught.value.problems
    assert about_key.startswith(
        "The profiles a and b contradict each other about k.k: a wants >= 3 (Why a); b wants 2 (Why b). "
    )
    assert "prefer) to a or b" in about_key
    assert "about l.l: a wants >= 2 (Why a); b wants <= 1 (Why b)" in about_other
    assert "about * nofile soft: a wants 2 (Why a); b wants 1 (Why b)" in about_limit


def test_a_contradiction_is_between_those_who_state_it() -> None:
    with pytest.raises(ProfileProblem, match="The profiles base and rival contradict each other"):
        composed(BASE, profile("child", {}, ("base",)), profile("rival", {"k.k": value(1)}), names=("child", "rival"))


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("a", {"value": 1, "why": "Why a.", "source": ["src_a"]}),
        ("heir", {"value": 2, "why": "Why b.", "source": ["src_b"]}),
        ("b", {"value": 2, "why": "Why b.", "source": ["src_b"]}),
    ],
)
def test_prefer_decides(prefer: str, expected: dict[str, t.Any]) -> None:
    result = composed(
        profile("a", {"k.k": value(1), "m.m": least(1)}),
        profile("b", {"k.k": value(2), "m.m": least(2)}),
        profile("heir", {}, ("b",)),
        names=("a", "heir"),
        prefer=prefer,
    )
    assert result["sysctl"]["k.k"] == expected
    # Where both can be met there is nothing to decide.
    assert result["sysctl"]["m.m"]["at_least"] == 2


def test_prefer_decides_nothing_about_others() -> None:
    with pytest.raises(ProfileProblem, match="a and b contradict"):
        composed(profile("a", {"k.k": value(1)}), profile("b", {"k.k": value(2)}), profile("c"), prefer="c")


def test_overrides_replace_and_settle() -> None:
    result = composed(
        profile("a", {"k.k": value(1)}, limits={("*", "nofile"): (value(1), value(2))}),
        profile("b", {"k.k": value(2)}),
        sysctl={
            "k.k": Setting(least(5), Reason("")),
            "new.k": Setting(value(6), Reason("Ours.", ("ticket",), "Risky.")),
        },
        limits={("*", "nofile"): Limit(None, value(9), Reason(""))},
    )
    default = {"why": "Set by the play, in place of what a profile may say.", "source": []}
    assert result["sysctl"] == {
        "k.k": {"at_least": 5, **default},
        "new.k": {"value": 6, "why": "Ours.", "source": ["ticket"], "hazard": "Risky."},
    }
    assert result["limits"] == [{"domain": "*", "item": "nofile", "hard": {"value": 9}, **default}]

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import itertools
import json
import typing as t
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.tunefleet.linux.plugins.module_utils._core import formula
from ansible_collections.tunefleet.linux.plugins.module_utils._core import shape as shapes
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import values as sysctl_values
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import compose, validation
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import model as profile_model


def value(amount: profile_model.Amount) -> profile_model.Wish:
    return profile_model.Wish(profile_model.VALUE, amount)


def least(amount: profile_model.Amount) -> profile_model.Wish:
    return profile_model.Wish(profile_model.AT_LEAST, amount)


def most(amount: profile_model.Amount) -> profile_model.Wish:
    return profile_model.Wish(profile_model.AT_MOST, amount)


def profile(
    name: str,
    sysctl: dict[str, profile_model.Wish] | None = None,
    extends: tuple[str, ...] = (),
    limits: dict[tuple[str, str], tuple[profile_model.Wish | None, profile_model.Wish | None]] | None = None,
) -> profile_model.Profile:
    """A profile whose every entry says who stated it."""
    reason = profile_model.Reason(f"Why {name}.", (f"src_{name}",))
    return profile_model.Profile(
        name=name,
        path=f"{name}.yml",
        title=f"Title {name}",
        summary="S",
        extends=extends,
        sysctl={key: profile_model.Setting(wish, reason) for key, wish in (sysctl or {}).items()},
        limits={key: profile_model.Limit(soft, hard, reason) for key, (soft, hard) in (limits or {}).items()},
    )


def composed(*profiles: profile_model.Profile, names: tuple[str, ...] = (), **options: t.Any) -> dict[str, t.Any]:
    return compose.compose(names or [one.name for one in profiles], {one.name: one for one in profiles}, **options)


GIB = formula.Formula("per_gib", 1000, 500, 9000)
CPU = formula.Formula("per_cpu", 64)


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        # Which number is larger may be for the host to tell.
        ([least(GIB), least(CPU)], least(formula.Choice("largest", [GIB, CPU]))),
        ([least(GIB), least(GIB)], least(GIB)),
        ([least(GIB), least(600)], least(formula.Choice("largest", [GIB, 600]))),
        ([least(GIB), least(500)], least(GIB)),
        ([least(GIB), least(9000)], least(9000)),
        ([least(GIB), least(CPU), least(700), least(800)], least(formula.Choice("largest", [GIB, CPU, 800]))),
        ([least((1, GIB)), least((2, 600))], least((2, formula.Choice("largest", [GIB, 600])))),
        ([least(GIB), least("unlimited")], least("unlimited")),
        ([most(GIB), most(600)], most(formula.Choice("smallest", [GIB, 600]))),
        ([most(GIB), most(500)], most(500)),
        ([most(GIB), most("unlimited")], most(GIB)),
        ([value(9000), least(GIB)], value(9000)),
        ([value(8999), least(GIB)], None),
        ([value(GIB), least(500), most(9000)], value(GIB)),
        ([value(GIB), least(501)], None),
        ([value(GIB), value(CPU)], None),
        ([least(GIB), most(GIB)], value(GIB)),
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
def test_reconcile(wishes: list[profile_model.Wish], expected: profile_model.Wish | None) -> None:
    for order in itertools.permutations(wishes):
        assert compose.reconcile_wishes(order) == expected


def test_a_choice_for_the_host_comes_out_as_data_that_a_profile_may_hold() -> None:
    result = composed(
        profile("a", {"k.k": least((GIB, 7))}, limits={("*", "nofile"): (None, least(GIB))}),
        profile("b", {"k.k": least((CPU, 9))}, limits={("*", "nofile"): (None, least(700))}),
    )
    gib, cpu = {"per_gib": 1000, "min": 500, "max": 9000}, {"per_cpu": 64}
    assert result["sysctl"]["k.k"]["at_least"] == [{"largest": [gib, cpu]}, 9]
    assert result["limits"][0]["hard"] == {"at_least": {"largest": [700, gib]}}
    json.dumps(result)


def test_a_contradiction_names_a_number_that_depends_on_the_host() -> None:
    with pytest.raises(profile_model.ProfileProblem) as caught:
        composed(profile("a", {"k.k": value(8)}), profile("b", {"k.k": least(GIB)}))
    assert "a wants 8 (Why a); b wants >= 1000 per GiB (at least 500, at most 9000) (Why b)." in str(caught.value)


RANGE = shapes.Shape(shapes.INTEGERS, 2, interval=True)


@pytest.mark.parametrize(
    ("wishes", "shape", "expected"),
    [
        ([least((10, 20)), least((15, 25))], RANGE, least((10, 25))),
        ([most((10, 20)), most((15, 25))], RANGE, most((15, 20))),
        ([value((10, 30)), least((15, 25))], RANGE, value((10, 30))),
        ([value((16, 30)), least((15, 25))], RANGE, None),
        ([value((16, 24)), most((15, 25))], RANGE, value((16, 24))),
        ([least((15, 25)), most((10, 30))], RANGE, None),
        ([least((15, 25)), most((15, 25))], RANGE, value((15, 25))),
        ([value((1, 2)), value((1, 3))], RANGE, None),
        ([least((1, 2)), least(5)], RANGE, None),
        ([least("80,90"), least("91")], shapes.Shape(shapes.PORTS), least("80,90-91")),
        ([most("80-90"), most("85-95")], shapes.Shape(shapes.PORTS), most("85-90")),
        ([value("80-90"), least("85"), least("86")], shapes.Shape(shapes.PORTS), value("80-90")),
        ([value("80"), least("85")], shapes.Shape(shapes.PORTS), None),
        ([value("80"), value("80")], shapes.Shape(shapes.PORTS), value("80")),
    ],
)
def test_reconcile_ranges_and_lists_of_ports(
    wishes: list[profile_model.Wish], shape: shapes.Shape, expected: profile_model.Wish | None
) -> None:
    for order in itertools.permutations(wishes):
        assert compose.reconcile_wishes(order, shape) == expected


def test_a_key_is_compared_as_what_it_is() -> None:
    result = composed(
        profile(
            "a", {"net.ipv4.ip_local_port_range": least((10, 20)), "net.ipv4.ip_local_reserved_ports": least("8080")}
        ),
        profile(
            "b", {"net.ipv4.ip_local_port_range": least((15, 25)), "net.ipv4.ip_local_reserved_ports": least("90")}
        ),
    )
    assert result["sysctl"]["net.ipv4.ip_local_port_range"]["at_least"] == [10, 25]
    assert result["sysctl"]["net.ipv4.ip_local_reserved_ports"]["at_least"] == "90,8080"


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
def test_extends(profiles: list[profile_model.Profile], names: tuple[str, ...], expected: profile_model.Wish) -> None:
    result = composed(BASE, *profiles, names=names)
    assert result["sysctl"]["k.k"][expected.relation] == expected.amount
    assert result["name"] == ",".join(sorted(names))


def test_what_two_inherit_from_one_is_said_once() -> None:
    result = composed(BASE, profile("x", {}, ("base",)), profile("y", {}, ("base",)), names=("x", "y"))
    assert result["sysctl"]["k.k"] == {"at_least": 10, "why": "Why base.", "source": ["src_base"]}


def test_a_contradiction_names_both_sides() -> None:
    with pytest.raises(profile_model.ProfileProblem) as caught:
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
    with pytest.raises(profile_model.ProfileProblem, match="The profiles base and rival contradict each other"):
        composed(BASE, profile("child", {}, ("base",)), profile("rival", {"k.k": value(1)}), names=("child", "rival"))


def loser(name: str, wanted: str) -> dict[str, t.Any]:
    return {"profile": name, "wanted": wanted, "why": f"Why {name}.", "source": [f"src_{name}"]}


B_WINS = {"value": 2, "why": "Why b.", "source": ["src_b"], "instead_of": [loser("a", "1")]}


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("a", {"value": 1, "why": "Why a.", "source": ["src_a"], "instead_of": [loser("b", "2")]}),
        ("heir", B_WINS),
        ("b", B_WINS),
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
    # Where both can be met there is nothing to decide, and nobody loses.
    assert result["sysctl"]["m.m"] == {"at_least": 2, "why": "Why a. Why b.", "source": ["src_a", "src_b"]}


def test_prefer_decides_nothing_about_others() -> None:
    with pytest.raises(profile_model.ProfileProblem, match="a and b contradict"):
        composed(profile("a", {"k.k": value(1)}), profile("b", {"k.k": value(2)}), profile("c"), prefer="c")


def test_overrides_replace_and_settle() -> None:
    result = composed(
        profile("a", {"k.k": value(1)}, limits={("*", "nofile"): (value(1), value(2))}),
        profile("b", {"k.k": value(2)}),
        sysctl={
            "k.k": profile_model.Setting(least(5), profile_model.Reason("")),
            "new.k": profile_model.Setting(value(6), profile_model.Reason("Ours.", ("ticket",), "Risky.")),
        },
        limits={("*", "nofile"): profile_model.Limit(None, value(9), profile_model.Reason(""))},
    )
    default = {"why": "Set by the play, in place of what a profile may say.", "source": []}
    assert result["sysctl"] == {
        "k.k": {"at_least": 5, **default, "instead_of": [loser("a", "1"), loser("b", "2")]},
        "new.k": {"value": 6, "why": "Ours.", "source": ["ticket"], "hazard": "Risky."},
    }
    losers = [loser("a", "hard 2"), loser("a", "soft 1")]
    assert result["limits"] == [
        {"domain": "*", "item": "nofile", "hard": {"value": 9}, **default, "instead_of": losers}
    ]


def test_an_override_that_meets_a_profile_overrules_nobody() -> None:
    one = profile("a", {"k.k": least(3)}, limits={("*", "nofile"): (least(1), None)})
    limit = profile_model.Limit(value(2), value(2), profile_model.Reason("R."))
    result = composed(
        one,
        sysctl={"k.k": profile_model.Setting(value(5), profile_model.Reason("R."))},
        limits={("*", "nofile"): limit},
    )
    assert "instead_of" not in result["sysctl"]["k.k"]
    assert "instead_of" not in result["limits"][0]


def test_what_prefer_overrules_is_what_it_does_not_meet() -> None:
    result = composed(
        profile("a", {"k.k": least(5)}, limits={("*", "nofile"): (value(5), least(9))}),
        profile("b", {"k.k": value(3)}, limits={("*", "nofile"): (value(6), least(8))}),
        profile("c", {"k.k": least(4)}),
        profile("d", {"k.k": most(2)}),
        prefer="a",
    )
    assert result["sysctl"]["k.k"] == {
        "at_least": 5,
        "why": "Why a. Why c.",
        "source": ["src_a", "src_c"],
        "instead_of": [loser("b", "3"), loser("d", "<= 2")],
    }
    (limit,) = result["limits"]
    assert (limit["soft"], limit["hard"]) == ({"value": 5}, {"at_least": 9})
    assert limit["instead_of"] == [loser("b", "soft 6")]


def test_a_hazard_that_lost_is_no_hazard() -> None:
    risky = profile_model.Profile(
        "b",
        "b.yml",
        "T",
        "S",
        sysctl={"k.k": profile_model.Setting(value(2), profile_model.Reason("R.", ("x",), "Breaks."))},
    )
    assert "hazard" not in composed(profile("a", {"k.k": value(1)}), risky, prefer="a")["sysctl"]["k.k"]
    assert composed(profile("a", {"k.k": value(1)}), risky, prefer="b")["sysctl"]["k.k"]["hazard"] == "Breaks."


# Any profiles at all: what holds for every composition.

RELATIONS = st.sampled_from([profile_model.VALUE, profile_model.AT_LEAST, profile_model.AT_MOST])
TERMS = st.one_of(st.integers(0, 4), st.sampled_from([GIB, CPU, formula.Formula("per_cpu", 1, 0, 3)]))
WISHES = st.builds(profile_model.Wish, RELATIONS, st.one_of(TERMS, st.tuples(TERMS, TERMS)))
RANGES = st.builds(profile_model.Wish, RELATIONS, st.tuples(st.integers(1, 4), st.integers(5, 8)))
PORT_LISTS = st.builds(profile_model.Wish, RELATIONS, st.sets(st.integers(1, 4)).map(sysctl_values.ports_text))
ENTRIES = st.fixed_dictionaries(
    {"k.k": WISHES},
    optional={"net.ipv4.ip_local_port_range": RANGES, "net.ipv4.ip_local_reserved_ports": PORT_LISTS},
)
PROFILES = st.lists(ENTRIES, min_size=1, max_size=4).flatmap(
    lambda many: st.tuples(
        st.just(many),
        # Whom each profile extends: only such as come before it, so that there is no circle.
        st.tuples(
            *(st.sets(st.integers(0, place - 1), max_size=2) if place else st.just(set()) for place in range(len(many)))
        ),
    )
)


def outcome(profiles: list[profile_model.Profile], names: list[str], prefer: str) -> tuple[str, t.Any]:
    try:
        return "composed", compose.compose(names, {one.name: one for one in profiles}, prefer)
    except profile_model.ProfileProblem as problem:
        return "contradiction", problem.problems


@settings(deadline=None)
@given(PROFILES, st.randoms(use_true_random=False), st.integers(0, 4))
def test_no_order_of_profiles_matters(given_: t.Any, random: Random, preferred: int) -> None:
    many, extends = given_
    profiles = [
        profile(f"p{place}", wishes, tuple(f"p{parent}" for parent in parents))
        for place, (wishes, parents) in enumerate(zip(many, extends))
    ]
    names = [one.name for one in profiles]
    prefer = f"p{preferred}" if preferred < len(names) else ""
    expected = outcome(profiles, names, prefer)
    shuffled = [replace(one, extends=tuple(random.sample(one.extends, len(one.extends)))) for one in profiles]
    random.shuffle(shuffled)
    random.shuffle(names)
    assert json.dumps(outcome(shuffled, names, prefer)) == json.dumps(expected)


@settings(deadline=None)
@given(
    st.sampled_from(
        [("k.k", WISHES), ("net.ipv4.ip_local_port_range", RANGES), ("net.ipv4.ip_local_reserved_ports", PORT_LISTS)]
    ).flatmap(lambda choice: st.lists(st.fixed_dictionaries({choice[0]: choice[1]}), min_size=1, max_size=4)),
    st.integers(0, 4),
)
def test_each_wish_is_met_or_visibly_overruled_or_the_cause_of_a_refusal(
    many: list[dict[str, profile_model.Wish]], preferred: int
) -> None:
    (key,) = many[0]
    shape = compose.shape_of((key,))
    profiles = [profile(f"p{place}", wishes) for place, wishes in enumerate(many)]
    names = [one.name for one in profiles]
    prefer = f"p{preferred}" if preferred < len(names) else ""
    kind, found = outcome(profiles, names, prefer)
    if kind == "contradiction":
        assert not prefer and len(found) == 1
        for name, wishes in zip(names, many):
            assert f"{name} wants {wishes[key]} (Why {name})" in found[0]
        return
    setting = {name: field for name, field in found["sysctl"][key].items() if name != "instead_of"}
    settled = validation.check_overrides({key: setting}, [])[0][key].wish
    instead_of = {one["profile"] for one in found["sysctl"][key].get("instead_of", [])}
    assert prefer not in instead_of
    assert prefer or not instead_of
    for name, wishes in zip(names, many):
        if name not in instead_of:
            assert compose.reconcile_wishes([settled, wishes[key]], shape) == settled


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 9)] * 3), min_size=1, max_size=5))
def test_of_floors_the_larger_counts_number_by_number(floors: list[tuple[int, int, int]]) -> None:
    expected = tuple(max(column) for column in zip(*floors))
    assert compose.reconcile_wishes([least(floor) for floor in floors]) == least(expected)

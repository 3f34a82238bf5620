# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import itertools

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import bound as bounds
from ansible_collections.tunefleet.linux.plugins.module_utils._core import formula

GIB = 1 << 20  # KiB


@pytest.mark.parametrize(
    ("memory", "counted"),
    [
        (1, 0.25),
        (GIB // 4, 0.25),
        (GIB // 4 + 1, 0.5),
        (480000, 0.5),
        (980000, 1),
        (1950000, 2),
        (3 * GIB + GIB // 2, 3.5),
        (4 * GIB - 1, 4),
        (4 * GIB, 4),
        (4 * GIB + 1, 5),
        (7931000, 8),
        (16123456, 16),
        (527000000, 503),
    ],
)
def test_memory_counts_in_steps(memory, counted):
    assert formula.Resources(memory, None).quarters == counted * 4


@pytest.mark.parametrize(
    ("raw", "number", "text"),
    [
        ({"per_gib": 65536}, 524288, "65536 per GiB x 8 GiB"),
        ({"per_gib": 65536, "max": 524288}, 524288, "65536 per GiB x 8 GiB"),
        ({"per_gib": 65536, "max": 500000}, 500000, "65536 per GiB x 8 GiB, at most 500000"),
        ({"per_gib": 65536, "min": 600000}, 600000, "65536 per GiB x 8 GiB, at least 600000"),
        ({"per_gib": 65536, "min": None, "max": 600000}, 524288, "65536 per GiB x 8 GiB"),
        ({"per_cpu": "1024"}, 6144, "1024 per processor x 6"),
        ([4096, {"per_gib": 1}, 7], [4096, 8, 7], "number 2: 1 per GiB x 8 GiB"),
        (
            [{"per_gib": 1}, {"per_cpu": 1}],
            [8, 6],
            "number 1: 1 per GiB x 8 GiB; number 2: 1 per processor x 6",
        ),
        (
            {"largest": [{"per_gib": 1}, 7, {"per_cpu": 2}]},
            12,
            "largest of 7 and 1 per GiB x 8 GiB = 8 and 2 per processor x 6 = 12",
        ),
        ({"smallest": [{"per_gib": 1}, 7]}, 7, "smallest of 7 and 1 per GiB x 8 GiB = 8"),
        ({"largest": [1, {"smallest": [9, {"per_gib": 1}]}]}, 8, None),
    ],
)
def test_worked_out(raw, number, text):
    assert bounds.is_formula(raw)
    found = formula.evaluate(raw, formula.Resources(7931000, 6))
    assert found[0] == number
    assert text is None or found[1] == text


@pytest.mark.parametrize("raw", [5, "5", [1, 2], None, True, "bbr", []])
def test_plain_values_depend_on_nothing(raw):
    assert not bounds.is_formula(raw)
    formula.check(raw)


ONE_OF = "a formula takes exactly one of per_gib, per_cpu, largest and smallest; found "


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ({}, ONE_OF + "none"),
        ({"per_gb": 1}, ONE_OF + "per_gb"),
        ({"per_gib": 1, "per_cpu": 1}, ONE_OF + "per_gib and per_cpu"),
        ({"per_gib": 1, "step": 1}, "'step' is not a field of a per_gib formula (known: per_gib, min, max)"),
        ({"largest": [1, 2], "max": 1}, "'max' is not a field of a largest formula (known: largest)"),
        ({"per_gib": 0}, "per_gib takes an integer above zero; found 0"),
        ({"per_cpu": -5}, "per_cpu takes an integer above zero; found -5"),
        ({"per_gib": 1.5}, "per_gib takes an integer; found 1.5"),
        ({"per_gib": True}, "per_gib takes an integer; found True"),
        ({"per_gib": None}, "per_gib takes an integer; found None"),
        ({"per_gib": "64k"}, "per_gib takes an integer; found '64k'"),
        ({"per_gib": 1, "min": "x"}, "min takes an integer; found 'x'"),
        ({"per_gib": 1, "min": 3, "max": 2}, "min 3 is above max 2"),
        ({"largest": [1]}, "largest takes a list of at least two numbers; found [1]"),
        ({"largest": 1}, "largest takes a list of at least two numbers; found 1"),
        ({"smallest": [1, "x"]}, "smallest takes an integer; found 'x'"),
        ([1, {"per_gib": 0}], "per_gib takes an integer above zero; found 0"),
    ],
)
def test_what_is_no_formula_is_refused(raw, problem):
    with pytest.raises(_errors.ValueProblem) as caught:
        formula.check(raw)
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    "data",
    [
        {"per_gib": 5},
        {"per_cpu": 5, "min": 1},
        {"per_gib": 5, "min": 0, "max": 9},
        {"largest": [3, {"per_cpu": 5}]},
        {"smallest": [3, {"largest": [4, {"per_cpu": 5}]}]},
    ],
)
def test_there_and_back(data):
    assert formula.read(data).data() == data
    assert formula.read(data) == formula.read(data)


def test_as_people_read_it():
    assert str(formula.Formula("per_gib", 5)) == "5 per GiB"
    assert str(formula.Formula("per_cpu", 5, 1, 9)) == "5 per processor (at least 1, at most 9)"
    assert str(formula.Choice("largest", [formula.Formula("per_cpu", 5), 3])) == "the largest of 3 and 5 per processor"


LOW, HIGH, FREE = (
    formula.Formula("per_gib", 1, 5, 10),
    formula.Formula("per_cpu", 1, 10, 20),
    formula.Formula("per_gib", 9),
)


@pytest.mark.parametrize(
    ("which", "terms", "chosen"),
    [
        ("largest", [1, 2], 2),
        ("largest", [LOW, LOW], LOW),
        ("largest", [LOW, HIGH], HIGH),
        ("smallest", [LOW, HIGH], LOW),
        ("largest", [LOW, 5], LOW),
        ("largest", [LOW, 6], formula.Choice("largest", [LOW, 6])),
        ("largest", [LOW, 10], 10),
        ("smallest", [LOW, 5], 5),
        ("smallest", [LOW, 10], LOW),
        ("largest", [FREE, LOW], formula.Choice("largest", [FREE, LOW])),
        ("largest", [formula.Choice("largest", [FREE, 3]), 4], formula.Choice("largest", [FREE, 4])),
        ("largest", [formula.Choice("smallest", [FREE, 3]), 4], 4),
        ("smallest", [formula.Choice("largest", [FREE, 3]), 2], 2),
    ],
)
def test_what_is_decided_beforehand_and_what_is_left_to_the_host(which, terms, chosen):
    for order in itertools.permutations(terms):
        assert formula.choose(which, order) == chosen

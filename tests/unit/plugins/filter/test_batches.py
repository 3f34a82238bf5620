# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.tunefleet.linux.plugins.filter.batches import FilterModule, batches


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ("1,10%,100%", [1, "10%", "100%"]),
        (" 1 , 50 ", [1, 50]),
        ("007", [7]),
        (3, [3]),
        ([1, "25%"], [1, "25%"]),
        ("", []),
        ("  ", []),
        ([], []),
    ],
)
def test_sizes(sizes: t.Any, expected: list[t.Any]) -> None:
    assert batches(sizes) == expected
    assert FilterModule().filters()["batches"](sizes) == expected


@pytest.mark.parametrize(
    ("sizes", "named"),
    [
        *(("0", "0"), ("-1", "-1"), ("0%", "0%"), ("101%", "101%"), ("1,,2", ""), ("1,", ""), ("ten", "ten")),
        *(("1.5", "1.5"), ("10 %", "10 %"), ("1;2", "1;2"), ([None], "None"), (True, "True"), ("٣", "٣")),
    ],
)
def test_what_is_no_size_is_named(sizes: t.Any, named: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        batches(sizes)
    assert str(caught.value) == (
        f"tune_batches: {named!r} is no size of a batch; name numbers of hosts above zero and percentages up to 100%, with commas "
        "between them, as in 1,10%,100%. No host was touched."
    )

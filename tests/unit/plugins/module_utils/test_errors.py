# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors


@pytest.mark.parametrize(
    "kind", [_errors.NameProblem, _errors.ValueProblem, _errors.HostProblem, _errors.EntryProblems]
)
def test_one_family(kind):
    assert issubclass(kind, _errors.TuneError)


@pytest.mark.parametrize(
    ("problems", "text"),
    [
        pytest.param(["A is wrong."], "A is wrong. Nothing was written.", id="one"),
        pytest.param(
            ["A is wrong.", "B is wrong."],
            "2 entries are refused, nothing was written:\n- A is wrong.\n- B is wrong.",
            id="two",
        ),
    ],
)
def test_entry_problems(problems, text):
    error = _errors.EntryProblems(problems)
    assert (str(error), error.problems) == (text, problems)

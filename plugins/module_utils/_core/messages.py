# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of this package: what a user reads. Private to ``tunefleet.linux``."""

from .. import _messages

UNKNOWN_FIELD = _messages.Text("core.unknown_field", "{field!r} is not a field of {entry} (known: {known}){suggestion}")
ONE_OPERATOR = _messages.Text(
    "core.one_operator",
    "{entry} takes exactly one of value, at_least and at_most; found {found}",
)
OVERRIDDEN_NOT_A_LIST = _messages.Text("core.overridden_not_a_list", "instead_of takes a list of maps; found {found!r}")
MEMORY_UNKNOWN = _messages.Text(
    "core.memory_unknown",
    "the formula depends on the memory of the host, which /proc/meminfo does not show",
)
PROCESSORS_UNKNOWN = _messages.Text(
    "core.processors_unknown",
    "the formula depends on the number of processors, which neither /sys nor /proc shows",
)
ONE_FORMULA = _messages.Text(
    "core.one_formula",
    "a formula takes exactly one of per_gib, per_cpu, largest and smallest; found {found}",
)
UNKNOWN_FORMULA_FIELD = _messages.Text(
    "core.unknown_formula_field",
    "{field!r} is not a field of a {kind} formula (known: {known})",
)
RATE_NOT_POSITIVE = _messages.Text("core.rate_not_positive", "{kind} takes an integer above zero; found {found}")
MINIMUM_ABOVE_MAXIMUM = _messages.Text("core.minimum_above_maximum", "min {low} is above max {high}")
TOO_FEW_TERMS = _messages.Text("core.too_few_terms", "{kind} takes a list of at least two numbers; found {found!r}")
TERM_NOT_AN_INTEGER = _messages.Text("core.term_not_an_integer", "{field} takes an integer; found {found!r}")
HAZARD = _messages.Text("core.hazard", "{target} has a hazard: {hazard}.")
NOT_CHANGED_RUN_FAILED = _messages.Text("core.not_changed_run_failed", "not changed, because the run failed")

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""settings. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages
from .._core import bound as bounds
from .._core import request as requests
from .._core import shape as shapes
from . import messages
from . import names as sysctl_names
from . import values as sysctl_values


def parse_one(name: str, raw: t.Any) -> requests.SettingRequest:
    """Parse ``name: raw``, where raw is a plain value or a map with one operator.

    :raises NameProblem, ValueProblem: if it is not a setting.
    """
    key = sysctl_names.canonical_pattern(name)
    if not isinstance(raw, dict):
        if raw is None:
            raise _errors.ValueProblem(messages.VALUE_MISSING())
        return requests.SettingRequest(key, bounds.VALUE, raw)
    operator = bounds.operator_of(raw, bounds.OPERATORS + bounds.NOTE_FIELDS, "a setting")
    value = raw[operator]
    if bounds.is_formula(value):
        from .._core import formula

        formula.check(value)
    if operator != bounds.VALUE and isinstance(value, bool):
        raise _errors.ValueProblem(messages.OPERATOR_TAKES_NUMBER(operator=operator, found=value))
    return requests.SettingRequest(key, operator, value, bounds.parse_note(raw))


def _meaning(desired: requests.SettingRequest) -> t.Tuple[str, str]:
    """What a setting means, so that 0x10 and 16 do not contradict each other."""
    try:
        return desired.operator, sysctl_values.parse(t.cast(shapes.Raw, desired.raw), shapes.Shape(shapes.INTEGERS))
    except _errors.ValueProblem:
        return desired.operator, str(desired.raw)


def parse(entries: t.Mapping[str, t.Any]) -> t.List[requests.SettingRequest]:
    """The desired_settings of a map of settings, in its order.

    :raises EntryProblems: one sentence for each entry that cannot be meant, and for two that contradict each other.
    """
    found: t.Dict[str, requests.SettingRequest] = {}
    problems: t.List[str] = []
    for name, raw in entries.items():
        try:
            desired = parse_one(name, raw)
        except _errors.NameProblem as problem:
            problems.append(problem.message)
            continue
        except _errors.ValueProblem as problem:
            problems.append(_messages.about(name, problem.message))
            continue
        earlier = found.setdefault(desired.key, desired)
        if earlier is not desired and _meaning(earlier) != _meaning(desired):
            problems.append(
                messages.REQUESTED_TWICE(
                    key=desired.key,
                    first=bounds.describe(earlier.operator, repr(earlier.raw)),
                    second=bounds.describe(desired.operator, repr(desired.raw)),
                )
            )
    if problems:
        raise _errors.EntryProblems(problems)
    return list(found.values())


def expand(
    desired_settings: t.Sequence[requests.SettingRequest], matches: t.Mapping[str, t.Sequence[str]]
) -> t.List[requests.SettingRequest]:
    """The desired_settings with each pattern replaced by the keys that it matches.

    As in sysctl.d(5) a key that is named beats every pattern. A pattern that matches nothing stays, to be reported.

    :param matches: the keys of the host that each pattern matches.
    :raises EntryProblems: when two patterns want different things of one key.
    """
    named = {desired.key for desired in desired_settings}
    found: t.Dict[str, requests.SettingRequest] = {}
    problems: t.List[str] = []
    for desired in desired_settings:
        for key in matches.get(desired.key) or [desired.key]:
            if key != desired.key and key in named:
                continue
            earlier = found.setdefault(key, desired._replace(key=key))
            if _meaning(earlier) != _meaning(desired):
                problems.append(messages.PATTERNS_CONTRADICT(key=key, first=earlier.raw, second=desired.raw))
    if problems:
        raise _errors.EntryProblems(problems)
    return list(found.values())

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""evaluation. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages
from .._core import bound as bounds
from .._core import formula
from .._core import request as requests
from .._limits import items


def evaluated(request: requests.Request, resources: formula.Resources) -> requests.Request:
    """The request with every number that depends on the host.

    :raises EntryProblems: one message for each entry whose number cannot be computed here.
    """
    problems: t.List[str] = []
    desired_settings, limits = [], []
    for desired in request.settings:
        try:
            desired_settings.append(_evaluated_setting(desired, resources))
        except _errors.ValueProblem as problem:
            problems.append(_messages.about(desired.key, problem.message))
    for desired_limit in request.limits:
        try:
            limits.append(_evaluated_limit(desired_limit, resources))
        except _errors.ValueProblem as problem:
            problems.append(_messages.about("Limit " + desired_limit.name, problem.message))
    if problems:
        raise _errors.EntryProblems(problems)
    return request._replace(settings=desired_settings, limits=limits)


def _evaluated_setting(desired: requests.SettingRequest, resources: formula.Resources) -> requests.SettingRequest:
    if not bounds.is_formula(desired.raw):
        return desired
    raw, arithmetic = formula.evaluate(desired.raw, resources)
    return desired._replace(raw=raw, explanation=arithmetic)


def _evaluated_limit(desired: requests.LimitRequest, resources: formula.Resources) -> requests.LimitRequest:
    return desired._replace(
        soft=_evaluated_bound(desired.soft, desired.item, resources),
        hard=_evaluated_bound(desired.hard, desired.item, resources),
    )


def _evaluated_bound(
    bound: t.Optional[bounds.Bound], item: str, resources: formula.Resources
) -> t.Optional[bounds.Bound]:
    if bound is None or not bounds.is_formula(bound.value):
        return bound
    number, arithmetic = formula.evaluate(bound.value, resources)
    return bounds.Bound(bound.operator, items.number(number, item), arithmetic)

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""evaluation. Private to ``tunefleet.linux``."""

import typing as t

from .. import _errors
from .._core import bound as bounds
from .._core import formula
from .._core import request as requests
from .._core import text as texts
from .._limits import items


def depends_on_host(request: requests.Request) -> bool:
    """Whether a number of the request has to be worked out on the host."""
    values: t.List[t.Any] = [wish.raw for wish in request.wishes]
    values += [bound.value for wish in request.limits for bound in (wish.soft, wish.hard) if bound is not None]
    return any(formula.depends(value) for value in values)


def evaluated(request: requests.Request, resources: formula.Resources) -> requests.Request:
    """The request with every number that depends on the host.

    :raises EntryProblems: one sentence for each entry whose number cannot be told here.
    """
    problems: t.List[str] = []
    wishes, limits = [], []
    for wish in request.wishes:
        try:
            wishes.append(_evaluated_setting(wish, resources))
        except _errors.ValueProblem as problem:
            problems.append(texts.sentence(wish.key, str(problem)))
    for limit_wish in request.limits:
        try:
            limits.append(_evaluated_limit(limit_wish, resources))
        except _errors.ValueProblem as problem:
            problems.append(texts.sentence("Limit " + limit_wish.name, str(problem)))
    if problems:
        raise _errors.EntryProblems(problems)
    return request._replace(wishes=wishes, limits=limits)


def _evaluated_setting(wish: requests.SettingRequest, resources: formula.Resources) -> requests.SettingRequest:
    if not formula.depends(wish.raw):
        return wish
    raw, arithmetic = formula.evaluate(wish.raw, resources)
    return wish._replace(raw=raw, explanation=arithmetic)


def _evaluated_limit(wish: requests.LimitRequest, resources: formula.Resources) -> requests.LimitRequest:
    return wish._replace(
        soft=_evaluated_bound(wish.soft, wish.item, resources), hard=_evaluated_bound(wish.hard, wish.item, resources)
    )


def _evaluated_bound(
    bound: t.Optional[bounds.Bound], item: str, resources: formula.Resources
) -> t.Optional[bounds.Bound]:
    if bound is None or not formula.depends(bound.value):
        return bound
    number, arithmetic = formula.evaluate(bound.value, resources)
    return bounds.Bound(bound.operator, items.number(number, item), arithmetic)

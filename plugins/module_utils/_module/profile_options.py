# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options of the module ``profile`` -> a request. Pure; private to ``tunefleet.linux``."""

import typing as t

from .. import _errors
from .._core import request as requests
from .._sysctl import settings as sysctl_settings
from . import messages

Options = t.Mapping[str, t.Any]

# The ledger needs a name where none is given.
UNNAMED = "unnamed"
CONFIRMED, WITHDRAWN = "confirmed", "withdrawn"
_ENDINGS = (CONFIRMED, WITHDRAWN)


def _check_numbers(options: Options) -> None:
    for name in ("connections", "memory_warn", "memory_refuse"):
        if options[name] is not None and options[name] < 1:
            raise _errors.TuneError(messages.NOT_POSITIVE(option=name, found=options[name]))


def _both_parts(options: Options) -> t.Tuple[t.List[requests.SettingRequest], t.List[requests.LimitRequest]]:
    """The desired_settings of O(sysctl) and O(limits); the problems of both are named together."""
    problems: t.List[str] = []
    desired_settings: t.List[requests.SettingRequest] = []
    limits: t.List[requests.LimitRequest] = []
    try:
        desired_settings = sysctl_settings.parse(options["sysctl"] or {})
    except _errors.EntryProblems as found:
        problems.extend(found.problems)
    if options["limits"]:
        from .._limits import limits as limit_settings

        try:
            limits = limit_settings.parse(options["limits"])
        except _errors.EntryProblems as found:
            problems.extend(found.problems)
    if problems:
        raise _errors.EntryProblems(problems)
    return desired_settings, limits


def parse(options: Options, check_mode: bool = False) -> requests.Request:
    """The request of the module ``profile``.

    :param check_mode: whether nothing is written, so that hazards only warn.
    :raises TuneError: when an entry cannot be meant, or has a hazard that was not accepted.
    """
    name = (options["name"] or "").strip()
    if options.get("state") == "reverted":
        return requests.Request(
            what="the module profile, reverting " + (name or "everything"), history=requests.History(name, revert=True)
        )
    if options.get("state") in _ENDINGS:
        return requests.Request(
            what="the module profile, ending a trial",
            history=requests.History(
                name, ending=requests.TrialDecision(options["state"] == CONFIRMED, options.get("trial_id") or "")
            ),
        )
    _check_numbers(options)
    desired_settings, limits = _both_parts(options)
    policy = requests.Policy(
        on_unavailable=options["on_unavailable"],
        on_shadowed=options["on_shadowed"],
        guard=options["guard"],
        connections=options["connections"],
        memory_warn=options["memory_warn"],
        memory_refuse=options["memory_refuse"],
    )
    asked = {field: options[field] for field in ("sysctl", "limits", "guard")}
    history = requests.History(name or UNNAMED, asked, trial=bool(options.get("trial")))
    request = requests.Request(
        desired_settings, limits, policy, "the module profile, applying " + history.name, history
    )
    hazards = [] if options["accept_hazards"] else requests.hazards(request)
    if hazards and not check_mode:
        raise _errors.EntryProblems([messages.HAZARD_NOT_ACCEPTED(hazard=hazard) for hazard in hazards])
    # What can be applied only with its hazards accepted is compared as if they were.
    policy = policy._replace(strict=not options["accept_hazards"] and not hazards)
    return request._replace(policy=policy, warnings=tuple(hazards))

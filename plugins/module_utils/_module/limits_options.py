# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options of the module ``limits`` -> a request. Pure; private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages
from .._core import bound as bounds
from .._core import limit as limit_types
from .._core import request as requests
from .._limits import conversion, items, targets
from .._limits import limits as limit_settings
from . import messages

Options = t.Mapping[str, t.Any]


def _single_limit(options: Options) -> requests.LimitRequest:
    """The entry of O(domain), O(limit_type), O(limit_item) and O(value)."""
    if options["value"] is None:
        raise _errors.ValueProblem(messages.LIMIT_VALUE_MISSING())
    entry = {"domain": options["domain"], "item": options["limit_item"]}
    halves = {"soft": ["soft"], "hard": ["hard"], "-": ["soft", "hard"]}[options["limit_type"]]
    operator = bounds.AT_LEAST if options["use_max"] else bounds.AT_MOST if options["use_min"] else bounds.VALUE
    desired = limit_settings.parse_one(dict(entry, **{half: {operator: options["value"]} for half in halves}))
    return desired._replace(
        joined=options["limit_type"] == "-",
        file_only=True,
        comment=_comment(options["comment"]),
    )


def _comment(text: t.Optional[str]) -> str:
    if text and ("\n" in text or "\r" in text):
        raise _errors.ValueProblem(messages.COMMENT_WITH_LINE_BREAK())
    if text and "\0" in text:
        raise _errors.ValueProblem(messages.COMMENT_WITH_NUL())
    if text and len(text.encode("utf-8", "surrogateescape")) > items.LONGEST:
        # pam_limits before 1.6 takes what is beyond 1023 bytes for a line of its own.
        raise _errors.ValueProblem(messages.COMMENT_TOO_LONG(limit=items.LONGEST))
    return (text or "").strip()


def _without(desired: requests.LimitRequest, halves: t.Container[str]) -> requests.LimitRequest:
    gone = bounds.Bound(bounds.ABSENT)
    return desired._replace(soft=gone if "soft" in halves else None, hard=gone if "hard" in halves else None)


def _absent_limits(options: Options) -> t.List[requests.LimitRequest]:
    """The desired_settings that entries disappear; the halves that an entry of a list names, or both where it names none."""
    if options["domain"] is not None:
        halves = ["soft", "hard"] if options["limit_type"] == "-" else [options["limit_type"]]
        return [
            _without(
                requests.LimitRequest(items.domain(options["domain"]), options["limit_item"], file_only=True), halves
            )
        ]
    found: t.Dict[t.Tuple[str, str, str], requests.LimitRequest] = {}
    problems: t.List[str] = []
    for entry in options["limits"]:
        named = [half for half in ("soft", "hard") if entry.get(half) is not None]
        try:
            desired = _without(_bare(entry, named), named or ["soft", "hard"])
        except _errors.ValueProblem as problem:
            problems.append(_messages.about("Limit " + limit_settings.target_name(entry), problem.message))
            continue
        earlier = found.get(desired.identity, desired)
        found[desired.identity] = desired._replace(soft=desired.soft or earlier.soft, hard=desired.hard or earlier.hard)
    if problems:
        raise _errors.EntryProblems(problems)
    return list(found.values())


def _bare(entry: Options, halves: t.Sequence[str]) -> requests.LimitRequest:
    """The target and the item of an entry to remove."""
    kind, target = targets.parse_target(entry)
    if kind == limit_types.PROCESS:
        raise _errors.ValueProblem(messages.PROCESS_HAS_NO_ENTRY())
    if kind != limit_types.DOMAIN:
        conversion.check_item(entry["item"], kind)
        if len(halves) == 1:
            raise _errors.ValueProblem(messages.UNIT_HALVES_SHARE_A_LINE())
    return requests.LimitRequest(target, entry["item"], file_only=True, kind=kind, restart=bool(entry.get("restart")))


def parse(options: Options) -> requests.Request:
    """The request of the module ``limits``.

    :raises TuneError: when an option or an entry cannot be meant.
    """
    single = options["domain"] is not None
    if options["use_max"] and options["use_min"]:
        raise _errors.TuneError("Cannot use use_min and use_max at the same time.")
    try:
        if options["state"] == "absent":
            desired_limits = _absent_limits(options)
        elif single:
            desired_limits = [_single_limit(options)]
        else:
            desired_limits = limit_settings.parse(options["limits"])
    except _errors.ValueProblem as problem:
        name = "Limit {0} {1}".format(options["domain"], options["limit_item"])
        raise _errors.EntryProblems([_messages.about(name, problem.message)])
    policy = requests.Policy(limits_file=options["dest"], guard=options["guard"], backup=options["backup"])
    return requests.Request(limits=desired_limits, policy=policy, what="the module limits")

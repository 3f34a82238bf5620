# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From the options of a module to a request. Pure; private to ``tunefleet.linux``."""

import typing as t

from .. import _errors, _messages
from .._core import bound as bounds
from .._core import limit as limit_types
from .._core import request as requests
from .._core import shape as shapes
from .._limits import conversion, items, targets
from .._limits import limits as limit_settings
from .._sysctl import catalog
from .._sysctl import names as sysctl_names
from .._sysctl import settings as sysctl_settings
from . import messages

Options = t.Mapping[str, t.Any]

# Where no name is given, the ledger needs one all the same.
UNNAMED = "unnamed"
CONFIRMED, WITHDRAWN = "confirmed", "withdrawn"
_ENDINGS = (CONFIRMED, WITHDRAWN)


def _takes_numbers(name: str) -> bool:
    facts = catalog.find(sysctl_names.canonical_pattern(name))
    return facts is not None and facts.shape.kind == shapes.INTEGERS


def _single_setting(options: Options) -> t.Mapping[str, t.Any]:
    """The one entry that O(name) and O(value) stand for. The texts of its refusals are those of ansible.posix.sysctl."""
    name = str(options["name"]).strip()
    if not name:
        raise _errors.TuneError("name cannot be blank")
    if options["state"] == "present":
        if options["value"] is None:
            raise _errors.TuneError("value cannot be None")
        if options["value"] == "" and _takes_numbers(name):
            raise _errors.TuneError("value cannot be blank")
    return {name: options["value"]}


def _live(options: Options) -> bool:
    """Whether kernel values are set: said outright, or as ansible.posix.sysctl says it by O(reload) and O(sysctl_set)."""
    if options["live"] is not None:
        return bool(options["live"])
    return options["name"] is None or bool(options["reload"] or options["sysctl_set"])


def _absent_settings(entries: t.Iterable[str]) -> t.List[requests.SettingRequest]:
    """The desired_settings that entries disappear, one for a key that is there under two spellings."""
    found: t.Dict[str, requests.SettingRequest] = {}
    problems: t.List[str] = []
    for name in entries:
        try:
            key = sysctl_names.canonical(name)
            found[key] = requests.SettingRequest(key, bounds.ABSENT)
        except _errors.NameProblem as problem:
            problems.append(str(problem))
    if problems:
        raise _errors.EntryProblems(problems)
    return list(found.values())


def parse_sysctl_options(options: Options) -> requests.Request:
    """The request of the module ``sysctl``.

    :raises TuneError: when an option or an entry cannot be meant.
    """
    if not _live(options) and not options["persist"]:
        raise _errors.TuneError(messages.NOTHING_TO_DO())
    single = options["name"] is not None
    if not single and options["settings"] is None:
        # An explicit null passes for given in Ansible's own check of the options.
        raise _errors.TuneError("name cannot be blank")
    entries = _single_setting(options) if single else options["settings"]
    if options["state"] == "absent":
        desired_settings = _absent_settings(entries)
    else:
        desired_settings = sysctl_settings.parse(entries)
    policy = requests.Policy(
        sysctl_file=options["sysctl_file"],
        live=_live(options) and options["state"] == "present",
        persist=options["persist"],
        on_unavailable=requests.SKIP if options["ignoreerrors"] else options["on_unavailable"],
        on_shadowed=options["on_shadowed"],
        # A playbook that sets key after key breaks rules in between, as ansible.posix.sysctl lets it.
        strict=not single,
    )
    return requests.Request(settings=desired_settings, policy=policy, what="the module sysctl")


def _single_limit(options: Options) -> requests.LimitRequest:
    """The one entry that O(domain), O(limit_type), O(limit_item) and O(value) stand for."""
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
    """The target and the item of an entry that shall disappear."""
    kind, target = targets.parse_target(entry)
    if kind == limit_types.PROCESS:
        raise _errors.ValueProblem(messages.PROCESS_HAS_NO_ENTRY())
    if kind != limit_types.DOMAIN:
        conversion.check_item(entry["item"], kind)
        if len(halves) == 1:
            raise _errors.ValueProblem(messages.UNIT_HALVES_SHARE_A_LINE())
    return requests.LimitRequest(target, entry["item"], file_only=True, kind=kind, restart=bool(entry.get("restart")))


def parse_limits_options(options: Options) -> requests.Request:
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
    try:
        limits = limit_settings.parse(options["limits"] or [])
    except _errors.EntryProblems as found:
        problems.extend(found.problems)
    if problems:
        raise _errors.EntryProblems(problems)
    return desired_settings, limits


def parse_profile_options(options: Options, check_mode: bool = False) -> requests.Request:
    """The request of the module ``profile``.

    :param check_mode: whether nothing will be written, so that hazards are told and do not stop the comparison.
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

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether hosts are as well after a change as before. Pure. Private: not for use outside of ``tunefleet.linux``.

A host is read three times: some time before the change, right before it, and some time after it. What happened between the first two
readings is the *baseline* that the time after the change is held against. Traffic is never even, so a loss counts only when it is
at least one a second and more than twice the baseline's.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ..module_utils._network import advice as advice_catalog
from ..module_utils._network import counters as counter_catalog
from ..module_utils._network import netlink, procfs, snapshot
from ..module_utils._network import rules as advice_rules
from ._console import summary

Answer = Mapping[str, t.Any]

# A second.
LEAST_RATE = 1.0
TIMES_BASELINE = 2.0

# What is told of by a rate: for each counter of losses the advice that explains it.
_ACCEPT_QUEUE = (
    advice_catalog.ACCEPT_QUEUE_BACKLOG,
    advice_catalog.ACCEPT_QUEUE_SOMAXCONN,
    advice_catalog.ACCEPT_QUEUE_OPEN_FILES,
    advice_catalog.ACCEPT_QUEUE_UNKNOWN,
)
_SOFTNET = "packets that a processor core dropped"
LOSSES: t.Final[Mapping[str, tuple[advice_catalog.Kind, ...]]] = {
    "ListenOverflows": _ACCEPT_QUEUE,
    "ListenDrops": _ACCEPT_QUEUE,
    "TCPReqQFullDrop": (advice_catalog.SYN_QUEUE_DROPS,),
    "TCPReqQFullDoCookies": (advice_catalog.SYN_QUEUE_FULL, advice_catalog.SYN_FLOOD),
    "TCPTimeWaitOverflow": (advice_catalog.TIME_WAIT_OVERFLOW,),
    "TCPAbortOnMemory": (advice_catalog.ORPHANS,),
    "RcvPruned": (advice_catalog.RECEIVE_QUEUE,),
    "TCPRcvQDrop": (advice_catalog.RECEIVE_QUEUE,),
    "TCPBacklogDrop": (),
    "UdpRcvbufErrors": (advice_catalog.UDP_RECEIVE_BUFFER,),
    "Udp6RcvbufErrors": (advice_catalog.UDP_RECEIVE_BUFFER,),
    _SOFTNET: (advice_catalog.SOFTNET_DROPS,),
}
_COUNTED = {kind.id for kinds in LOSSES.values() for kind in kinds}


def regressions(first: Answer, second: Answer, third: Answer) -> list[str]:
    """What is worse between the last two of three answers of ``socket_info`` than between the first two, a sentence each."""
    readings = [reading(entry) for entry in (first, second, third)]
    if readings[2].at < readings[1].at:
        return ["The host was restarted meanwhile, and its counters began anew."]
    before, after = (advice_rules.Change(item, other, {}) for item, other in zip(readings, readings[1:]))
    return [*_loss_regressions(before, after), *_more_pressure(before, after)]


def _loss_regressions(before: advice_rules.Change, after: advice_rules.Change) -> list[str]:
    said: dict[str, None] = {}
    advice = advice_rules.advise(after)
    for name, kinds in LOSSES.items():
        count, was = _lost(after, name), _lost(before, name) / before.seconds
        rate = count / after.seconds
        if rate < LEAST_RATE or rate <= TIMES_BASELINE * was:
            continue
        explained = [entry for entry in advice if entry.kind.id in {kind.id for kind in kinds}]
        for entry in explained:
            said[f"{_sentence(entry)}; before the change {was:.1f}/s."] = None
        if not explained and not (name == "ListenDrops" and said):  # which counts every overflow as well
            said[f"{name}: {after.rate(count, 'more')}; before the change {was:.1f}/s."] = None
    return list(said)


def _lost(change: advice_rules.Change, name: str) -> int:
    if name != _SOFTNET:
        return change.grown(name)
    before = {entry.cpu: entry for entry in change.before.softnet}
    pairs = [(before[entry.cpu], entry) for entry in change.after.softnet if entry.cpu in before]
    lost = (
        advice_rules.grown(old.dropped, new.dropped) - advice_rules.grown(old.limited, new.limited)
        for old, new in pairs
    )
    return sum(max(0, count) for count in lost)


def _more_pressure(before: advice_rules.Change, after: advice_rules.Change) -> list[str]:
    """Advice that is new, or more severe, apart from what rates tell."""
    severity = {_about(entry): entry.severity for entry in advice_rules.advise(before)}
    return [
        f"{_sentence(entry)}; not so before the change."
        for entry in advice_rules.advise(after)
        if entry.kind.id not in _COUNTED and severity.get(_about(entry)) not in (entry.severity, advice_rules.LOSS)
    ]


def _about(advice: advice_rules.Advice) -> tuple[str, str]:
    # Which core it is is chance.
    return advice.kind.id, "" if advice.kind.id == advice_catalog.SOFTNET_SQUEEZED.id else advice.subject


def _sentence(advice: advice_rules.Advice) -> str:
    words = [f"{advice.kind.title} ({advice.kind.id})", advice.subject, advice.evidence]
    return ": ".join(word for word in words if word)


def reading(answer: Answer) -> snapshot.Snapshot:
    """The reading that ``socket_info`` told of."""
    files, conntrack = answer["files"], answer["conntrack"]
    return snapshot.Snapshot(
        float(answer["at"]),
        _sockets(answer),
        answer["sockstat"],
        {name: count for name, count in answer["counters"].items() if count is not None},
        [procfs.Cpu(**entry) for entry in answer["softnet"]],
        snapshot.Conntrack(**conntrack) if conntrack else None,
        (files["open"], files["maximum"]) if files else None,
        answer["settings"],
        answer["unseen"],
    )


def _sockets(answer: Answer) -> snapshot.Sockets | None:
    if not answer["source"]:
        return None
    numbers = {state.name: state.number for state in counter_catalog.STATES}
    states = {family: [0] * 16 for family in netlink.FAMILIES}
    for entry in answer["states"]:
        for family, counts in states.items():
            counts[numbers[entry["state"]]] = entry[family]
    listeners = [netlink.Listener(**listener) for listener in answer["listeners"]]
    uses = [netlink.PortUse(**destination) for destination in answer["ports"]["destinations"]]
    return snapshot.Sockets(answer["source"], states, listeners, uses)


# By which the role calls what it registers.
RECOVERED, FIRST, SECOND, THIRD = "__tune_recovered", "__tune_first", "__tune_second", "__tune_third"
# The user's own checks: before the change until it is applied, then after the change.
COMMAND, URL = "__tune_command", "__tune_url"
RESULT, CONFIRMED, WITHDRAWN = "tune_result", "__tune_confirmed", "__tune_withdrawn"
ANSWERS = (RECOVERED, FIRST, SECOND, THIRD, COMMAND, URL, RESULT, CONFIRMED, WITHDRAWN)
Answers = Mapping[str, Answer]


def before_problem(answers: Answers) -> str:
    """Why a host must not be changed; nothing when it may."""
    for name, doing in (
        (RECOVERED, "looking for an earlier trial"),
        (FIRST, "reading it"),
        (SECOND, "reading it again"),
    ):
        if problem := _problem(answers.get(name), doing):
            return problem
    for name in (COMMAND, URL):
        if problem := _check_problem(answers.get(name)):
            return f"the check fails already, so it could not tell what the change does: {problem}"
    return ""


def apply_problem(answers: Answers) -> str:
    """What went wrong while the profiles were applied; nothing when they were."""
    return _problem(answers.get(RESULT), "applying")


def after_problem(answers: Answers) -> str:
    """Why the change is not to stay on a host; nothing when it may."""
    if problem := apply_problem(answers):
        return problem
    if problem := _problem(answers.get(THIRD), "reading it after the change"):
        return problem
    readings = [answers.get(name) or {} for name in (FIRST, SECOND, THIRD)]
    if all("at" in entry for entry in readings) and (found := regressions(*readings)):
        return " ".join(found)
    for name in (COMMAND, URL):
        if problem := _check_problem(answers.get(name)):
            return f"the check passed before the change, and fails now: {problem}"
    return ""


def ending(answers: Answers, good: bool) -> tuple[str, str]:
    """How a host ended, and what has to be said about that.

    :param good: whether the batch passed.
    """
    applied = answers.get(RESULT) or {}
    if applied.get("unreachable"):
        return summary.NOT_REVERTED, "it could not be reached any more, and may have been changed"
    if not applied or applied.get("skipped") or applied.get("failed"):
        left = " ".join(str(entry) for entry in applied.get("not_undone") or ())
        return (summary.NOT_REVERTED if left else summary.UNTOUCHED), left
    if good:
        problem = _problem(answers.get(CONFIRMED), "confirming")
        return (summary.NOT_CONFIRMED, problem) if problem else (summary.APPLIED, "")
    problem = _problem(answers.get(WITHDRAWN), "taking the change back")
    if problem:
        return summary.NOT_REVERTED, problem
    # What somebody else changed meanwhile and so was left alone.
    notes = [
        entry if isinstance(entry, str) else str(entry)
        for entry in (answers.get(WITHDRAWN) or {}).get("warnings") or ()
    ]
    return (summary.REVERTED if applied.get("changed") else summary.UNTOUCHED), " ".join(notes)


def unseen(hosts: Mapping[str, Answers]) -> dict[str, list[str]]:
    """What could not be read after the change, each with the hosts where that is so."""
    found: dict[str, list[str]] = {}
    for host, answers in hosts.items():
        for text in (answers.get(THIRD) or {}).get("unseen") or ():
            found.setdefault(str(text), []).append(host)
    return found


def _problem(answer: Answer | None, doing: str) -> str:
    if not answer or answer.get("skipped"):
        return ""
    if answer.get("unreachable"):
        return f"{doing} failed, for it cannot be reached: {summary.plain_message(answer)}"
    return f"{doing} failed: {summary.plain_message(answer)}" if answer.get("failed") else ""


def _check_problem(answer: Answer | None) -> str:
    """What is wrong with the answer of the user's own check."""
    problem = _problem(answer, "it")
    if not problem or not answer or answer.get("unreachable"):
        return problem
    if answer.get("delta") is None:  # it did not even begin, or took too long
        command = answer.get("cmd") or ()
        what = f" ({command if isinstance(command, str) else ' '.join(map(str, command))})" if command else ""
        return f"{summary.plain_message(answer).rstrip('.')}{what}"
    output = str(answer.get("stderr") or answer.get("stdout") or "").strip().splitlines()[-1:]
    return ": ".join([f"the command ended with {answer.get('rc')}", *output])


def described(hosts: Sequence[str], endings: Mapping[str, str]) -> str:
    """``web1, web2: reverted; web3: not touched``."""
    groups: dict[str, list[str]] = {}
    for host in hosts:
        groups.setdefault(endings[host], []).append(host)
    return "; ".join(f"{', '.join(members)}: {ended}" for ended, members in groups.items())

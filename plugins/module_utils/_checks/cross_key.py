# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Cross-key rules: values that are legal alone and useless or harmful together. Pure; private to ``tunefleet.linux``.

A rule is asked when the request sets one of its keys, about all of them as they will be: those of the request, and the others as
the host has them, now and after the next boot. Whether a rule that is broken refuses the request or warns is decided here:

- It refuses where a desired would come to nothing or do harm, and only when a key of the rule really changes. So a host that breaks
  a rule already takes every other change, and a second run is not refused what the first one was given.
- It warns where the host works on with less than what was meant.

The names of rules are part of results and messages, and stay as they are.
"""

import typing as t

from .. import _messages
from .._core import limit as limit_types
from .._core import plan as plans
from .._core import request as requests
from .._core import status as statuses
from .._sysctl import catalog
from .._sysctl import values as sysctl_values
from . import messages, projection

TW_REUSE, TIMESTAMPS = "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_timestamps"
SCALING, RMEM, WMEM = "net.ipv4.tcp_window_scaling", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"
RMEM_MAX, WMEM_MAX = "net.core.rmem_max", "net.core.wmem_max"
SOMAXCONN, SYN_BACKLOG = "net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog"
RANGE, RESERVED, UNPRIVILEGED = catalog.PORT_RANGE, "net.ipv4.ip_local_reserved_ports", catalog.FIRST_PORT
NR_OPEN, FILE_MAX = "fs.nr_open", "fs.file-max"
NEIGH = tuple("net.ipv{0}.neigh.default.gc_thresh{1}".format(ip, number) for ip in (4, 6) for number in (1, 2, 3))

# A window that is not scaled has 16 bits: RFC 9293, section 3.1.
_UNSCALED = 65535
# Where automatic ports begin by default (net/ipv4/af_inet.c); below it services are used to listen.
_USUAL_FIRST = 32768

# What is wrong and what to do about it; None where the rule holds, or a value is unknown.
Problem = t.Optional[_messages.Message]


class Rule(t.NamedTuple):
    """One rule; ``refuses`` says whether it may refuse a request or only warns."""

    name: str
    refuses: bool
    keys: t.Sequence[str]
    broken: t.Callable[[projection.Projection], Problem]


def _tw_reuse(world: projection.Projection) -> Problem:
    # 2, the default, is for the loopback alone. What tells an old segment from a new one is its timestamp (RFC 6191).
    if world.number(TW_REUSE) != 1 or world.number(TIMESTAMPS) != 0:
        return None
    return messages.TW_REUSE_NEEDS_TIMESTAMPS(
        value=world.show(TW_REUSE), other=world.show(TIMESTAMPS), phase=world.when
    )


def _scaling(world: projection.Projection) -> Problem:
    large = [key for key in (RMEM, WMEM) if (world.number(key, 2) or 0) > _UNSCALED]
    if world.number(SCALING) != 0 or not large:
        return None
    return messages.LARGE_BUFFERS_NEED_WINDOW_SCALING(
        value=world.show(SCALING),
        buffers=" and ".join(map(world.show, large)),
        phase=world.when,
        keys=" and of ".join(large),
        highest=_UNSCALED,
    )


def _syn_backlog(world: projection.Projection) -> Problem:
    queue, backlog = world.number(SOMAXCONN), world.number(SYN_BACKLOG)
    if queue is None or backlog is None or queue >= backlog:
        return None
    return messages.SOMAXCONN_SERVES_SYN_BACKLOG(
        value=world.show(SOMAXCONN), backlog=world.show(SYN_BACKLOG), phase=world.when, lowest=backlog
    )


def _buffer_cap(tuple_key: str, cap_key: str) -> t.Callable[[projection.Projection], Problem]:
    def broken(world: projection.Projection) -> Problem:
        largest, cap = world.number(tuple_key, 2), world.number(cap_key)
        if largest is None or cap is None or largest <= cap:
            return None
        text = messages.RMEM_MAX_COVERS_TCP_RMEM if cap_key == RMEM_MAX else messages.WMEM_MAX_COVERS_TCP_WMEM
        return text(
            value=world.show(cap_key), buffers=world.show(tuple_key), phase=world.when, key=cap_key, lowest=largest
        )

    return broken


def _privileged_ports(world: projection.Projection) -> Problem:
    first, start = world.number(RANGE), world.number(UNPRIVILEGED)
    if first is None or start is None or first >= start:
        return None
    return messages.PORT_RANGE_ABOVE_PRIVILEGED_PORTS(
        value=world.show(RANGE), start=world.show(UNPRIVILEGED), phase=world.when, lowest=start, first=first
    )


def _reserved_in_range(world: projection.Projection) -> t.Optional[t.Tuple[int, int, int]]:
    """First and last automatic port, and how many of them are reserved."""
    ports, reserved = world.numbers(RANGE), sysctl_values.port_set(world.text(RESERVED) or "")
    if len(ports) != 2 or ports[0] > ports[1] or reserved is None or world.text(RESERVED) is None:
        return None
    return ports[0], ports[1], sum(ports[0] <= port <= ports[1] for port in reserved)


def _ports_left(world: projection.Projection) -> Problem:
    found = _reserved_in_range(world)
    if found is None or found[2] <= found[1] - found[0]:
        return None
    return messages.PORT_RANGE_NOT_ALL_RESERVED(
        reserved=world.show(RESERVED), range=world.show(RANGE), phase=world.when
    )


def _services_reserved(world: projection.Projection) -> Problem:
    found = _reserved_in_range(world)
    if found is None or found[0] >= _USUAL_FIRST or found[2]:
        return None
    return messages.PORT_RANGE_RESERVES_SERVICES(
        range=world.show(RANGE), usual=_USUAL_FIRST, phase=world.when, key=RESERVED
    )


def _neighbours(ip: str) -> t.Callable[[projection.Projection], Problem]:
    keys = [key for key in NEIGH if ip in key]

    def broken(world: projection.Projection) -> Problem:
        for low, high in zip(keys, keys[1:]):
            below, above = world.number(low), world.number(high)
            if below is not None and above is not None and below > above:
                return messages.NEIGHBOUR_THRESHOLDS_IN_ORDER(
                    low=world.show(low), high=world.show(high), phase=world.when, key=high, lowest=below
                )
        return None

    return broken


RULES = (
    Rule("tw_reuse_needs_timestamps", True, (TW_REUSE, TIMESTAMPS), _tw_reuse),
    Rule("large_buffers_need_window_scaling", True, (SCALING, RMEM, WMEM), _scaling),
    Rule("port_range_above_privileged_ports", True, (RANGE, UNPRIVILEGED), _privileged_ports),
    Rule("port_range_not_all_reserved", True, (RANGE, RESERVED), _ports_left),
    Rule("neighbour_thresholds_in_order", True, NEIGH[:3], _neighbours("ipv4")),
    Rule("neighbour_thresholds_in_order", True, NEIGH[3:], _neighbours("ipv6")),
    Rule("somaxconn_serves_syn_backlog", False, (SOMAXCONN, SYN_BACKLOG), _syn_backlog),
    Rule("rmem_max_covers_tcp_rmem", False, (RMEM, RMEM_MAX), _buffer_cap(RMEM, RMEM_MAX)),
    Rule("wmem_max_covers_tcp_wmem", False, (WMEM, WMEM_MAX), _buffer_cap(WMEM, WMEM_MAX)),
    Rule("port_range_reserves_services", False, (RANGE, RESERVED), _services_reserved),
)


def related_keys(keys: t.Iterable[str], nofile: bool = False) -> t.Set[str]:
    """The keys that have to be known to judge a request.

    :param keys: those that the request sets. :param nofile: whether it sets a limit of open files, too.
    """
    asked = set(keys)
    found = {key for rule in RULES if asked.intersection(rule.keys) for key in rule.keys}
    return (found | ({NR_OPEN, FILE_MAX} if nofile or FILE_MAX in asked else set())) - asked


def _of_keys(worlds: t.Sequence[projection.Projection], strict: bool) -> t.Iterator[plans.Violation]:
    for rule in RULES:
        for world in worlds:
            if not world.asked(rule.keys) or (world.fixed(rule.keys) and not rule.refuses):
                continue
            broken = rule.broken(world)
            if broken is not None:
                refused = rule.refuses and strict and world.changes(rule.keys)
                yield plans.Violation(rule.name, refused, broken)
                break


_HARM = {
    limit_types.DOMAIN: "logins would fail",
    limit_types.UNIT: "it could not start",
    limit_types.MANAGER: "services could not start",
}


def _highest(limits: t.Iterable[plans.LimitDecision], kinds: t.Container[str]) -> t.Optional[plans.NofileRule]:
    """The highest limit of open files that a request sets."""
    found = [
        plans.NofileRule(int(value), limit.name, _HARM.get(limit.kind, ""))
        for limit in limits
        if limit.item == "nofile" and limit.status in (statuses.OK, statuses.CHANGED) and limit.kind in kinds
        for value in (limit.after if limit.kind == limit_types.DOMAIN else limit.effective)
        if value is not None and value != limit_types.UNLIMITED
    ]
    return max(found) if found else None


def _of_file_max(
    worlds: t.Sequence[projection.Projection], limits: t.Sequence[plans.LimitDecision]
) -> t.Iterator[plans.Violation]:
    """One process may open as many files as the whole system: then the first one that leaks stops all."""
    highest = _highest(limits, [*_HARM, limit_types.PROCESS])
    for world in worlds:
        most = world.number(FILE_MAX)
        if highest and most is not None and highest.value > most:
            text = messages.NOFILE_BELOW_FILE_MAX(
                limit=highest.where, value=highest.value, file_max=world.show(FILE_MAX), phase=world.when
            )
            yield plans.Violation("nofile_below_file_max", False, text)
            return


def _of_nr_open(
    worlds: t.Sequence[projection.Projection],
    limits: t.Sequence[plans.LimitDecision],
    rules: t.Sequence[plans.NofileRule],
    guard: str,
) -> t.Iterator[plans.Violation]:
    """A limit above fs.nr_open makes pam_limits fail, with some releases every login, and systemd start no service that has it.

    What a request asks of limits is measured against the running kernel by the guard itself; here are the next boot, and limits
    that are there already when fs.nr_open is lowered.
    """
    highest = _highest(limits, _HARM)
    for world in worlds if guard != requests.OFF else []:
        most, found = world.value(NR_OPEN), world.number(NR_OPEN)
        if found is None:
            continue
        there = [rule for rule in rules if rule.value > found and most.asked and world.changes([NR_OPEN])]
        if world.when and most.by_file and highest and highest.value > found:
            there.append(highest)
        if there:
            worst = max(there)
            text = messages.NOFILE_BELOW_NR_OPEN(
                value=worst.value,
                limit=worst.where,
                nr_open=world.show(NR_OPEN),
                consequence=worst.harm,
                phase=world.when,
            )
            yield plans.Violation("nofile_below_nr_open", guard == requests.REFUSE, text)
            return


def check(
    plan: plans.Plan, policy: requests.Policy, nofile_rules: t.Iterable[plans.NofileRule] = ()
) -> t.List[plans.Violation]:
    """What is wrong with the values of a plan taken together with what the host has.

    :param nofile_rules: the limits of open files that the host has.
    """
    worlds = projection.projections(plan, policy)
    found = list(_of_keys(worlds, policy.strict))
    found.extend(_of_file_max(worlds, plan.limits))
    found.extend(_of_nr_open(worlds, plan.limits, list(nofile_rules), policy.guard))
    return found

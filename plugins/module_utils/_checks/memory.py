# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a number of TCP connections may cost in kernel memory, with the values of a request. Pure; private to ``tunefleet.linux``.

Two things are worked out, and the larger counts:

- What every connection may fill from its first moment on: the second numbers of tcp_rmem and tcp_wmem. The kernel promises them
  without looking at what others have; where they come to more than it has, connections starve.
- What all come to once their buffers have grown to the last numbers. The kernel holds that to the third number of tcp_mem, which is in
  pages and belongs to the whole machine (Documentation/networking/ip-sysctl.rst), and by default is 9 percent of the memory.

Both count what the kernel charges to a socket, which includes its own bookkeeping of each packet (socket(7), SO_RCVBUF).

Besides, as many sockets in TIME-WAIT may be there as tcp_max_tw_buckets allows, whatever the number of connections: each one that
ends on this side leaves one for 60 seconds. Nothing charges them to tcp_mem.
"""

import typing as t

from .._core import plan as plans
from .._core import request as requests
from . import messages, projection

RMEM, WMEM, MEM = "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem", "net.ipv4.tcp_mem"
TIME_WAITS = "net.ipv4.tcp_max_tw_buckets"
KEYS = (RMEM, WMEM, MEM, TIME_WAITS)

# Bytes for each connection besides its buffers: the socket (2560 for TCP over IPv6), its inode (832), file (256) and
# directory entry (192), its place in an epoll set (128) and in the table of open files (8) are 3976. From /proc/slabinfo of
# Linux 6.18 on x86-64, each the larger one of the kernels since 6.1; rounded up to a page, for slabs are never full.
CONNECTION = 4096
# Bytes of one in TIME-WAIT, tw_sock_TCP and tw_sock_TCPv6 there.
TIME_WAIT = 256

_UNITS = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


class Machine(t.NamedTuple):
    """What the cost is measured by: memory and the size of a page, in bytes; None for memory that is not known."""

    memory: t.Optional[int]
    page: int


def size(number: int) -> str:
    """A number of bytes as people read it: ``1.4 GiB``."""
    for unit, name in _UNITS:
        if number >= unit:
            count = number / float(unit)
            return "{0:.{1}f} {2}".format(count, 1 if count < 100 and round(count, 1) != round(count) else 0, name)
    return "{0} bytes".format(number)


def _buffers(world: projection.Projection, place: int) -> t.Optional[t.Tuple[int, int]]:
    receive, send = world.number(RMEM, place), world.number(WMEM, place)
    return None if receive is None or send is None else (receive, send)


class _Estimate(t.NamedTuple):
    """Bytes of all, those of TIME-WAIT among them, and how they come about."""

    needed: int
    waiting: int
    lines: str


def _in_world(world: projection.Projection, connections: int, machine: Machine) -> t.Optional[_Estimate]:
    """None where the buffers are not known."""
    first, last = _buffers(world, 1), _buffers(world, 2)
    if first is None or last is None:
        return None
    start, full = connections * sum(first), connections * sum(last)
    pages = world.number(MEM, 2)
    held = None if pages is None else min(full, pages * machine.page)
    structures = connections * CONNECTION
    lines = [
        "buffers to begin with, {0} x ({1} + {2}) bytes = {3}".format(connections, first[0], first[1], size(start)),
        "fully grown, {0} x ({1} + {2}) bytes = {3}".format(connections, last[0], last[1], size(full)),
        "sockets and descriptors, {0} x {1} bytes = {2}".format(connections, CONNECTION, size(structures)),
    ]
    if held is None:
        lines[1] += ", held back by {0} of the machine that this container runs on".format(MEM)
    elif held < full:
        lines[1] += ", held to {0} by the {1} pages of {2}".format(size(held), pages, MEM)
    most = world.number(TIME_WAITS) or 0
    if most > 0:
        lines.append(
            "in TIME-WAIT, {0} ({1}) x {2} bytes = {3}".format(most, TIME_WAITS, TIME_WAIT, size(most * TIME_WAIT))
        )
    waiting = max(most, 0) * TIME_WAIT
    return _Estimate(structures + max(start, held or 0) + waiting, waiting, "; ".join(lines))


def estimate(plan: plans.Plan, policy: requests.Policy, machine: t.Optional[Machine]) -> t.Optional[plans.Cost]:
    """The cost of the connections that a request names, with the values after the change; None where it names none.

    Where the running kernel and the next boot differ, the dearer one counts.
    """
    if policy.connections is None or machine is None:
        return None
    found = [
        (_in_world(world, policy.connections, machine), world.when) for world in projection.projections(plan, policy)
    ]
    known = [(entry, when) for entry, when in found if entry is not None]
    if not known or machine.memory is None:
        missing = "the memory of the host" if known else "{0} and {1}".format(RMEM, WMEM)
        text = messages.MEMORY_COST_UNKNOWN(connections=policy.connections, missing=missing)
        return plans.Cost(policy.connections, None, machine.memory, None, False, True, text)
    cost, when = max(known, key=lambda one: one[0].needed)
    percent = cost.needed * 100 // machine.memory
    refused = percent > policy.memory_refuse
    text = messages.MEMORY_COST(
        connections=policy.connections,
        needed=size(cost.needed),
        phase=when,
        percent=percent,
        memory=size(machine.memory),
        parts=cost.lines,
    )
    return plans.Cost(
        policy.connections,
        cost.needed,
        machine.memory,
        percent,
        refused and policy.strict,
        percent > policy.memory_warn,
        text,
        TIME_WAITS if cost.waiting * 2 > cost.needed else "the second numbers of {0} and {1}".format(RMEM, WMEM),
    )


def sentence(cost: plans.Cost, policy: requests.Policy) -> str:
    """What to say of a cost that is too high, and what to do about it."""
    if cost.percent is None:
        return cost.text
    share = policy.memory_refuse if cost.refused else policy.memory_warn
    return messages.MEMORY_COST_TOO_HIGH(cost=cost.text, share=share, mostly=cost.mostly)

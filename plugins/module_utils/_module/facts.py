# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""facts. Private to ``tunefleet.linux``."""

import typing as t

from .._checks import cross_key
from .._core import request as requests
from .._host import machine
from .._sysctl import facts as sysctl_facts

if t.TYPE_CHECKING:
    from .._checks import memory as tcp_memory
    from .._host import host as hosts
    from . import limits as request_limits


class HostFacts(t.NamedTuple):
    """Everything that a plan is made from; None where the request does not need it."""

    sysctl: t.Optional[sysctl_facts.SysctlFacts]
    limits: t.Optional["request_limits.LimitsFacts"] = None
    machine: t.Optional["tcp_memory.Machine"] = None


def gather(host: "hosts.Host", request: requests.Request) -> HostFacts:
    """What the host shows about everything that a request names, and about the keys that its rules need."""
    policy = request.policy
    keys = [desired.key for desired in request.settings]
    path = policy.sysctl_file if policy.persist and keys else None
    nofile = any(desired.item == "nofile" for desired in request.limits)
    more = sorted(cross_key.related_keys(keys, nofile))
    computer, limits = None, None
    if policy.connections is not None:
        from .._checks import memory as tcp_memory

        more += [key for key in tcp_memory.KEYS if key not in keys + more]
        memory = machine.resources(host).memory
        computer = tcp_memory.Machine(None if memory is None else memory * 1024, host.page_size())
    if request.limits or cross_key.NR_OPEN in keys:
        from . import limits as request_limits

        limits = request_limits.gather(host, request)
    return HostFacts(sysctl_facts.gather(host, keys + more, path) if keys + more else None, limits, computer)

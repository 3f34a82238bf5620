# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""facts. Private to ``tunefleet.linux``."""

import typing as t

from .._checks import cross_key
from .._checks import memory as tcp_memory
from .._core import bound as bounds
from .._core import limit as limit_types
from .._core import request as requests
from .._host import machine
from .._limits.pam import facts as pam_facts
from .._limits.systemd import facts as systemd_facts
from .._sysctl import facts as sysctl_facts

if t.TYPE_CHECKING:
    from .._host import host as hosts


class HostFacts(t.NamedTuple):
    """Everything that a plan is made from. ``sessions`` is what binds the managers of users, where a desired names those."""

    sysctl: t.Optional[sysctl_facts.SysctlFacts]
    limits: t.Optional[pam_facts.PamFacts]
    machine: t.Optional[tcp_memory.Machine] = None
    systemd: t.Optional[systemd_facts.SystemdFacts] = None
    nr_open: t.Optional[int] = None
    sessions: t.Optional[pam_facts.PamFacts] = None


def _memory_machine(host: "hosts.Host") -> tcp_memory.Machine:
    memory = machine.resources(host).memory
    return tcp_memory.Machine(None if memory is None else memory * 1024, host.page_size())


def gather(host: "hosts.Host", request: requests.Request) -> HostFacts:
    """What the host shows about everything that a request names, and about the keys that it is judged by."""
    policy = request.policy
    keys = [desired.key for desired in request.settings]
    path = policy.sysctl_file if policy.persist and keys else None
    nofile = any(desired.item == "nofile" for desired in request.limits)
    more = sorted(cross_key.related_keys(keys, nofile))
    if policy.connections is not None:
        more += [key for key in tcp_memory.KEYS if key not in keys + more]
    others = [desired for desired in request.limits if desired.kind != limit_types.DOMAIN]
    limits = _gather_pam(host, request)
    user_managers = any((desired.kind, desired.target) == (limit_types.MANAGER, limit_types.USER) for desired in others)
    return HostFacts(
        sysctl_facts.gather(host, keys + more, path) if keys + more else None,
        limits,
        machine=_memory_machine(host) if policy.connections is not None else None,
        systemd=systemd_facts.gather(host, others) if others else None,
        nr_open=machine.integer(host.sysctl("fs/nr_open").text) if request.limits else None,
        sessions=(limits or pam_facts.gather(host, None)) if user_managers else None,
    )


def _gather_pam(host: "hosts.Host", request: requests.Request) -> t.Optional[pam_facts.PamFacts]:
    """For limits, and for fs.nr_open, above which no nofile may be; a lower bound of it takes nothing from any unit."""
    desired_limits = [desired for desired in request.limits if desired.kind == limit_types.DOMAIN]
    nr_open = [desired.operator for desired in request.settings if desired.key == cross_key.NR_OPEN]
    if not desired_limits and not nr_open:
        return None
    path = request.policy.limits_file if desired_limits else None
    may_fall = any(operator != bounds.AT_LEAST for operator in nr_open)
    return pam_facts.gather(host, path, desired_limits, services=bool(nr_open), units=may_fall)

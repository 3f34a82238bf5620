# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""availability. Private to ``tunefleet.linux``."""

import typing as t

from .._core import status as statuses
from .._core import text as texts
from . import catalog
from . import facts as sysctl_facts
from . import names as sysctl_names


def _version(version: catalog.Version) -> str:
    return "Linux {0}.{1}".format(*version)


def _noted(facts: catalog.Parameter) -> str:
    return ": " + facts.note if facts.note else ""


def unavailable(key: str, seen: sysctl_facts.SysctlFacts) -> t.Optional[t.Tuple[str, str]]:
    """Status and reason of a key that cannot be set because it is not there, or because nothing reads it."""
    facts = catalog.find(key)
    if seen.live[key].exists:
        if facts and facts.no_effect and seen.machine.release >= facts.no_effect:
            ignored = "since {0} the kernel accepts and ignores it".format(_version(facts.no_effect))
            return statuses.NO_EFFECT, ignored + _noted(facts)
        return None
    if facts and facts.removed:
        return statuses.REMOVED, "gone since {0}{1}".format(_version(facts.removed), _noted(facts))
    if facts and facts.scope == catalog.INIT_NETNS and seen.child_netns:
        return statuses.NOT_NAMESPACED, "belongs to the host; a network namespace or container does not have it"
    if sysctl_names.is_pattern(key):
        return statuses.UNKNOWN, "no key on this kernel matches the pattern"
    interface = missing_interface(key, seen)
    if interface:
        return statuses.UNKNOWN, "there is no network interface {0} here".format(interface)
    module = catalog.module_of(key)
    if module:
        return statuses.NEEDS_MODULE, "appears once the kernel module {0} is loaded".format(module)
    if facts and facts.since and seen.machine.release < facts.since:
        here = _version(seen.machine.release)
        return statuses.UNKNOWN, "appeared in {0}, and this kernel is {1}".format(_version(facts.since), here)
    if facts:
        return statuses.UNKNOWN, "{0} as built here is without it".format(_version(seen.machine.release))
    return statuses.UNKNOWN, "no such key on this kernel" + texts.suggest(key, set(seen.known) | set(catalog.names()))


def missing_interface(key: str, seen: sysctl_facts.SysctlFacts) -> t.Optional[str]:
    """The network interface that a key waits for: others have such a key, and this one has none at all."""
    interface = sysctl_names.interface_of(key)
    if interface is None or sysctl_names.is_pattern(key):
        return None
    segments = key.split(".")
    above, last = ".".join(segments[:3]) + ".", segments[4]
    alike = [one for one in seen.known if one.startswith(above) and one.endswith("." + last)]
    its_own = any(one.startswith(above + interface + ".") for one in seen.known)
    return interface.replace("/", ".") if alike and not its_own else None


def unwritable(key: str, seen: sysctl_facts.SysctlFacts) -> t.Tuple[str, str]:
    """Status and reason of a key that is there and cannot be written."""
    facts = catalog.find(key)
    if seen.child_netns and facts and facts.scope in (catalog.NETNS_READ_ONLY, catalog.INIT_NETNS):
        return statuses.NOT_NAMESPACED, "belongs to the host; a network namespace or container may only read it"
    return statuses.READ_ONLY, "/proc/sys does not let it be written here, as in many containers"

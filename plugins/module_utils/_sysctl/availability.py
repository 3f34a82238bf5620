# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""availability. Private to ``tunefleet.linux``."""

import typing as t

from .._core import status as statuses
from .._core import text as texts
from . import catalog, messages
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
            release = _version(facts.no_effect)
            return statuses.NO_EFFECT, messages.NO_EFFECT(release=release, note=_noted(facts))
        return None
    if facts and facts.removed:
        return statuses.REMOVED, messages.REMOVED(release=_version(facts.removed), note=_noted(facts))
    if facts and facts.scope == catalog.INIT_NETNS and seen.child_netns:
        return statuses.NOT_NAMESPACED, messages.NOT_NAMESPACED()
    if sysctl_names.is_pattern(key):
        return statuses.UNKNOWN, messages.PATTERN_WITHOUT_MATCH()
    interface = missing_interface(key, seen)
    if interface:
        return statuses.UNKNOWN, messages.NO_INTERFACE(interface=interface)
    module = catalog.module_of(key)
    if module:
        return statuses.NEEDS_MODULE, messages.NEEDS_MODULE(module=module)
    if facts and facts.since and seen.machine.release < facts.since:
        here = _version(seen.machine.release)
        return statuses.UNKNOWN, messages.TOO_NEW(since=_version(facts.since), release=here)
    if facts:
        return statuses.UNKNOWN, messages.NOT_BUILT_IN(release=_version(seen.machine.release))
    return statuses.UNKNOWN, messages.UNKNOWN_KEY(suggestion=texts.suggest(key, set(seen.known) | set(catalog.names())))


def missing_interface(key: str, seen: sysctl_facts.SysctlFacts) -> t.Optional[str]:
    """The network interface that a key waits for: others have such a key, and this one has none at all."""
    interface = sysctl_names.interface_of(key)
    if interface is None or sysctl_names.is_pattern(key):
        return None
    segments = key.split(".")
    above, last = ".".join(segments[:3]) + ".", segments[4]
    alike = [entry for entry in seen.known if entry.startswith(above) and entry.endswith("." + last)]
    its_own = any(entry.startswith(above + interface + ".") for entry in seen.known)
    return interface.replace("/", ".") if alike and not its_own else None


def unwritable(key: str, seen: sysctl_facts.SysctlFacts) -> t.Tuple[str, str]:
    """Status and reason of a key that is there and cannot be written."""
    facts = catalog.find(key)
    if seen.child_netns and facts and facts.scope in (catalog.NETNS_READ_ONLY, catalog.INIT_NETNS):
        return statuses.NOT_NAMESPACED, messages.NOT_WRITABLE_IN_NAMESPACE()
    return statuses.READ_ONLY, messages.READ_ONLY()

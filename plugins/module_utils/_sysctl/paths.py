# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where paths with detours lead, such as ``net//ipv4/./x`` and ``net/cor*/../core/x``. Private: not for use outside of
``tunefleet.linux``.

The kernel walks a path name by name: what ``..`` follows has to be a directory that is there, and glob(3) tries every one that a
pattern matches. A path may even leave /proc/sys and come back.
"""

import functools
import typing as t

from . import glob as sysctl_glob
from . import names as sysctl_names

Place = t.Tuple[str, ...]
Directories = t.FrozenSet[str]

PARENT = ".."
_BASE = ("proc", "sys")
_NOWHERE_ELSE = ("", ".")
# Enough to find one that no other line spells out; a pattern such as */../*/../* has more than anybody can count.
_MOST = 50
# What every kernel has, for when nobody has looked.
USUAL: Directories = frozenset(
    [
        "fs",
        "kernel",
        "net",
        "net/core",
        "net/ipv4",
        "net/ipv4/conf",
        "net/ipv4/conf/all",
        "net/ipv4/conf/default",
        "net/ipv4/conf/lo",
        "net/ipv4/neigh",
        "net/ipv4/neigh/lo",
        "net/ipv4/route",
        "net/ipv6",
        "net/ipv6/conf",
        "net/ipv6/conf/all",
        "net/ipv6/conf/default",
        "net/ipv6/conf/lo",
        "net/ipv6/neigh",
        "net/ipv6/neigh/lo",
        "net/ipv6/route",
        "net/netfilter",
        "net/unix",
        "vm",
    ]
)


def above(paths: t.Iterable[str]) -> Directories:
    """The directories that hold some files below /proc/sys."""
    found: t.Set[str] = set()
    for path in paths:
        directory = path.rpartition("/")[0]
        while directory and directory not in found:
            found.add(directory)
            directory = directory.rpartition("/")[0]
    return frozenset(found)


@functools.lru_cache(maxsize=8)
def _children(directories: Directories) -> t.Mapping[Place, t.Set[str]]:
    """The names in each directory that has any, from the root on."""
    found: t.Dict[Place, t.Set[str]] = {(): {"proc"}, ("proc",): {"sys"}}
    for path in directories:
        parts = _BASE + tuple(path.split("/"))
        found.setdefault(parts[:-1], set()).add(parts[-1])
    return found


def _is_directory(place: Place, directories: Directories) -> bool:
    return place == _BASE[: len(place)] or place[-1] in _children(directories).get(place[:-1], ())


def resolved(path: str, directories: Directories) -> t.Optional[str]:
    """The one spelling of a path below /proc/sys, or None where it leads nowhere."""
    if not sysctl_names.has_detour(path):
        return path
    place: Place = _BASE
    for part in path.split("/"):
        if part == PARENT:
            if not _is_directory(place, directories):
                return None
            place = place[:-1]
        elif part not in _NOWHERE_ELSE:
            place += (part,)
    return "/".join(place[2:]) if place[:2] == _BASE else None


def spellings(pattern: str, path: str, directories: Directories) -> t.Sequence[str]:
    """What glob(3) makes of a pattern when it comes to a path: the path with the pattern's detours; none when it never does."""
    if not sysctl_names.has_detour(pattern):
        return (path,) if sysctl_glob.matches_path(pattern, path) else ()
    wanted = pattern.split("/")
    if PARENT in wanted:
        return _led_back(wanted, path, directories)
    if not sysctl_glob.matches_path("/".join(part for part in wanted if part not in _NOWHERE_ELSE), path):
        return ()
    segments = iter(path.split("/"))
    return ("/".join(part if part in _NOWHERE_ELSE else next(segments) for part in wanted),)


def _led_back(wanted: t.Sequence[str], path: str, directories: Directories) -> t.Sequence[str]:
    """For a pattern with ``..``: every way through the directories that ends at the path, up to a number of them."""
    target = _BASE + tuple(path.split("/"))
    reached: t.Dict[Place, t.List[str]] = {_BASE: [""]}
    for segment in wanted:
        further: t.Dict[Place, t.List[str]] = {}
        for place, texts in reached.items():
            for name, there in _steps(segment, place, target, directories):
                ways = further.setdefault(there, [])
                ways.extend(["{0}/{1}".format(text, name) for text in texts][: _MOST - len(ways)])
        reached = further
    return [text[1:] for text in reached.get(target, ())]


def _steps(segment: str, place: Place, target: Place, directories: Directories) -> t.Iterator[t.Tuple[str, Place]]:
    """The names that a segment may stand for in a place, and the place behind each."""
    if segment in _NOWHERE_ELSE:
        yield segment, place
    elif segment == PARENT:
        if _is_directory(place, directories) or (len(place) < len(target) and place == target[: len(place)]):
            yield segment, place[:-1]
    else:
        names = set(_children(directories).get(place, ()))
        if len(place) < len(target) and place == target[: len(place)]:
            names.add(target[len(place)])
        for name in sorted(names):
            if sysctl_glob.matches(segment, name):
                yield name, place + (name,)

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of sysctl keys and their paths below /proc/sys. Private: not for use outside of ``tunefleet.linux``.

sysctl.d(5), "KEY": when the first separator is a slash the name is a path; when it is a dot, dots and slashes swap. Inside
the collection a key has one spelling, the one ``sysctl -a`` prints: segments joined by dots, a dot inside of a segment
(``eth0.100``) written as a slash.
"""

import functools
import re
import typing as t

from .. import _errors
from . import messages

_GLOB = re.compile(r"[*?\[]")
_CONTROL_OR_BLANK = re.compile(r"[\x00-\x20\x7f]")
# Directories with one sub-directory per network interface, whose name may hold dots (Documentation/networking/ip-sysctl.rst).
INTERFACE_DIRECTORIES = (
    ("net", "ipv4", "conf"),
    ("net", "ipv4", "neigh"),
    ("net", "ipv6", "conf"),
    ("net", "ipv6", "neigh"),
    ("net", "mpls", "conf"),
)


def is_pattern(name: str) -> bool:
    """Whether the name is a glob(7) pattern rather than one key."""
    return _GLOB.search(name) is not None


def normalise(name: str) -> str:
    """The path below /proc/sys that systemd and procps read out of a name, with no judgement of it.

    Same rule as sysctl_normalize() in systemd's src/basic/sysctl-util.c.
    """
    dot, slash = name.find("."), name.find("/")
    return _swapped(name) if dot >= 0 and (dot < slash or slash < 0) else name


def has_detour(path: str) -> bool:
    """Whether a path spells a key with ``..``, ``.`` or an empty segment, as ``net//ipv4/./tcp_sack`` does."""
    if "//" not in path and "/." not in path and path[:1] not in ("/", ".") and path[-1:] != "/":
        return False
    return any(segment in ("", ".", "..") for segment in path.split("/"))


@functools.lru_cache(maxsize=None)  # a plan asks for the path of a key again and again
def _swapped(name: str) -> str:
    return name.replace("/", "\0").replace(".", "/").replace("\0", ".")


def from_path(path: str) -> str:
    """The canonical key of a path relative to /proc/sys."""
    return _swapped(path)


def to_path(key: str) -> str:
    """The path relative to /proc/sys of a canonical key."""
    return _swapped(key)


def _join_interface(segments: t.List[str]) -> t.List[str]:
    """``net.ipv4.conf.eth0.100.rp_filter`` means the interface eth0.100: no directory of these is deeper than that."""
    if len(segments) > 5 and tuple(segments[:3]) in INTERFACE_DIRECTORIES:
        return segments[:3] + [".".join(segments[3:-1]), segments[-1]]
    return segments


def interface_of(key: str) -> t.Optional[str]:
    """The interface that a canonical key belongs to, in the spelling of the key; None where there is none."""
    segments = key.split(".")
    return segments[3] if len(segments) == 5 and tuple(segments[:3]) in INTERFACE_DIRECTORIES else None


def _segments(name: str) -> t.List[str]:
    if _CONTROL_OR_BLANK.search(name):
        raise _errors.NameProblem(messages.KEY_WITH_WHITE_SPACE(key=name))
    segments = normalise(name).split("/")
    if "" in segments:
        raise _errors.NameProblem(messages.KEY_WITH_EMPTY_SEGMENT(key=name))
    if "." in segments or ".." in segments:
        raise _errors.NameProblem(messages.KEY_OUTSIDE_PROC_SYS(key=name))
    if "=" in name or name[0] in "#;-":
        raise _errors.NameProblem(messages.KEY_WITH_SPECIAL_CHARACTER(key=name))
    if len(segments) < 2:
        raise _errors.NameProblem(messages.KEY_WITHOUT_DIRECTORY(key=name))
    return segments


def canonical_pattern(name: str) -> str:
    """The one spelling of a key or of a pattern of keys.

    :param name: as for :func:`canonical`, with ``*``, ``?`` and ``[...]`` as in glob(7); each stays within one segment.
    :raises NameProblem: when it is neither.
    """
    if not isinstance(name, str):
        raise _errors.NameProblem(messages.KEY_NOT_TEXT(key=name))
    segments = _segments(name.strip(" "))
    if "/" not in name:
        segments = _join_interface(segments)
    return from_path("/".join(segments))


def canonical(name: str) -> str:
    """The one spelling of a key that the collection uses.

    :param name: the key as a user wrote it: ``net.core.somaxconn``, ``net/core/somaxconn``, and for an interface with dots
        ``net.ipv4.conf.eth0/100.rp_filter``, ``net/ipv4/conf/eth0.100/rp_filter`` or ``net.ipv4.conf.eth0.100.rp_filter``.
    :raises NameProblem: when it is no key.
    """
    key = canonical_pattern(name)
    if is_pattern(key):
        raise _errors.NameProblem(messages.KEY_IS_A_PATTERN(key=name))
    return key

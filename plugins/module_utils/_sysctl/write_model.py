# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the kernel makes of writes below /proc/sys, as far as it can be foretold. Private: not for use outside of ``tunefleet.linux``.

``written`` is one write to one key (kernel/sysctl.c). ``State`` is a few keys that depend on each other, and a series of
writes to them: ip_forward, net.ipv4.conf.default, the port ranges, keys of vm that are two views of one value.
"""

import functools
import re
import typing as t

from .._core import shape as shapes
from . import catalog
from . import names as sysctl_names
from . import readers as boot_readers
from . import values as sysctl_values

_NUMBER = re.compile(r"-?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_LONGEST_NUMBER = 20  # TMPBUFLEN - 2
_BLANKS = " \t\n\v\f\r\udca0"  # isspace() of the kernel, to which the byte 0xa0 is a blank too (lib/ctype.c)
_PAGE = 4096
_LONGEST_WORD = 15  # TCP_CA_NAME_MAX - 1
_ONE_WORD = re.compile(r"[\w-]+$")
_CONGESTION_CONTROL = "net/ipv4/tcp_congestion_control"
_INT_MIN = -2147483648
_ULONG_MAX = 18446744073709551615

Numbers = t.List[t.Optional[int]]


class _Words:
    """The words that a key takes; where they are not known, everything that is one word."""

    def __init__(self, known: t.Optional[t.Container[str]]) -> None:
        self._known = known

    def __contains__(self, word: object) -> bool:
        return _ONE_WORD.match(str(word)) is not None if self._known is None else word in self._known


class Written(t.NamedTuple):
    """The result of one write: the text that the key then has (None: unknown), and whether the kernel accepted it."""

    text: t.Optional[str]
    taken: bool


def written(
    shape: shapes.Shape,
    before: t.Optional[str],
    value: str,
    repeats: bool = True,
    words: t.Optional[t.Container[str]] = None,
) -> Written:
    """The effect of writing a value and a line end to a key.

    :param shape: what the kernel takes; a refused write leaves the key as it was, but for the first numbers of a list.
    :param before: the text that the key has; None where that is not known.
    :param repeats: whether the writer goes on with what the kernel left of a long text.
    :param words: for a key that takes one word, those that the kernel knows.
    """
    if shape.kind == shapes.INTEGERS:
        return _written_integers(shape, before, value)
    if shape.kind == shapes.PORTS:
        return _written_ports(shape, before, value, repeats)
    if words is not None:
        word = re.split("[\n\0]", value)[0][:_LONGEST_WORD]
        return Written(word, True) if word in words else Written(before, False)
    return Written(value, True)


def _take_number(text: str, separators: str) -> t.Tuple[t.Optional[int], str]:
    """proc_get_long(): the number in front, and what is behind it."""
    match = _NUMBER.match(text)
    if match is None or len(match.group()) > _LONGEST_NUMBER:
        return None, text
    rest = text[match.end() :]
    if rest and rest[0] not in separators:
        return None, text
    return sysctl_values.c_integer(match.group()), rest


def _bounds(shape: shapes.Shape) -> t.Tuple[int, int]:
    """What the kernel lets pass: the range that it checks, else what its type holds."""
    low = shape.low if shape.enforced else None
    high = shape.high if shape.enforced else None
    if shape.high is not None and shape.high > catalog.INT_MAX:
        return low or 0, _ULONG_MAX if high is None else high
    return _INT_MIN if low is None else low, catalog.INT_MAX if high is None else high


def _is_unsigned(shape: shapes.Shape) -> bool:
    """Whether not even ``-0`` is taken: proc_dou8vec_minmax() and those for larger unsigned numbers."""
    low, high = _bounds(shape)
    return low >= 0 and (shape.high is None or high <= 255 or high > catalog.INT_MAX)


def _written_integers(shape: shapes.Shape, before: t.Optional[str], value: str) -> Written:
    """do_proc_dointvec() and its relatives: a list is applied number by number, and what it does not say stays."""
    low, high = _bounds(shape)
    if (
        shape.length == 1
        and len(value) < _LONGEST_NUMBER
        and sysctl_values.ONE_NUMBER.match(value)
        and low <= int(value) <= high
    ):
        return Written(value, True)
    numbers: Numbers = [sysctl_values.c_integer(word) for word in (before or "").split()]
    length = shape.length or max(1, len(numbers))
    numbers += [None] * (length - len(numbers))
    left = value + "\n"
    for index in range(length):
        left = left.lstrip(_BLANKS)
        if not left:
            return _integers(numbers, index > 0)
        number, rest = _take_number(left, " \t\n")
        if number is None or not low <= number <= high:
            return _integers(numbers, False)
        if left[0] == "-" and _is_unsigned(shape):
            return _integers(numbers, False)
        numbers[index], left = number, rest
    return _integers(numbers, True)  # what is left is a short write, which no program notices


def _integers(numbers: Numbers, taken: bool) -> Written:
    digits = [str(number) for number in numbers if number is not None]
    return Written("\t".join(digits) if digits else None, taken)


def _written_ports(shape: shapes.Shape, before: t.Optional[str], value: str, repeats: bool) -> Written:
    """proc_do_large_bitmap(): one write is cut at one page; a second one on the same descriptor adds to the first."""
    ports: t.Set[int] = set()
    rest, first = value + "\n", True
    highest = sysctl_values.LAST_PORT if shape.high is None else shape.high
    while rest and (first or repeats):
        found, rest = _take_ports(rest, highest)
        if found is None:
            return Written(before if first else sysctl_values.ports_text(ports), False)
        ports, first = ports | found, False
    return Written(sysctl_values.ports_text(ports), True)


def _take_ports(text: str, highest: int) -> t.Tuple[t.Optional[t.Set[int]], str]:
    """The ports that one write sets (None: refused), and what it leaves unread."""
    left, behind = text[: _PAGE - 1], text[_PAGE - 1 :]
    ports: t.Set[int] = set()
    left = left.lstrip("\n")
    while left:
        saved = left
        first, left = _take_number(left, "-,\n")
        if len(left) <= 1 and behind:  # it may be half a number: leave it to the next write
            return ports, saved + behind
        if first is None or not 0 <= first <= highest or saved[0] == "-":
            return None, ""
        last, sign, left = first, left[:1], left[1:]
        if sign == "-":
            last_or_none, left = _take_number(left, ",\n\0")
            if not left and behind:
                return ports, saved + behind
            if last_or_none is None or not first <= last_or_none <= highest:
                return None, ""
            last, left = last_or_none, left[1:]
        ports.update(range(first, last + 1))
        left = left.lstrip("\n")
    return ports, behind


_CONF4 = "net/ipv4/conf/"
_CONF6 = "net/ipv6/conf/"
# All but net.mpls.conf: udev repeats the writes to these four (systemd's rules.d/99-systemd.rules.in).
_PER_INTERFACE = tuple(
    "/".join(directory) + "/" for directory in sysctl_names.INTERFACE_DIRECTORIES if directory[1] != "mpls"
)
_FORWARDING = sysctl_names.to_path(catalog.FORWARDING)
_REDIRECTS = sysctl_names.to_path(catalog.REDIRECTS)
_UNPRIVILEGED = sysctl_names.to_path(catalog.FIRST_PORT)
_RANGE = sysctl_names.to_path(catalog.PORT_RANGE)
_ALIASES = {sysctl_names.to_path(alias): sysctl_names.to_path(stored) for alias, stored in catalog.ALIASES.items()}
_EXCLUSIVE = {sysctl_names.to_path(key): sysctl_names.to_path(other) for key, other in catalog.EXCLUSIVE.items()}
# Lists that the kernel reads into a copy first, so that a refused one changes nothing (net/ipv4/sysctl_net_ipv4.c).
_ALL_OR_NOTHING = frozenset([_RANGE, "net/ipv4/ping_group_range"])
# net/ipv4/devinet.c: the handlers of these do not copy a default to the interfaces that are there.
_NOT_COPIED = frozenset(
    [
        "disable_policy",
        "disable_xfrm",
        "drop_unicast_in_l2_multicast",
        "forwarding",
        "mc_forwarding",
        "promote_secondaries",
        "route_localnet",
    ]
)
# net/ipv6/addrconf.c: a write to conf/all of these goes to conf/default and to every interface.
_FANNED_OUT = frozenset(["disable_ipv6", "forwarding", "ignore_routes_with_linkdown"])
# What the kernel starts with, where the effect of a write depends on it.
_AT_START = {_FORWARDING: "0", _REDIRECTS: "1", _UNPRIVILEGED: "1024", _RANGE: "32768\t60999"}


def storage(path: str) -> str:
    """The key that holds the value of a key."""
    return _ALIASES.get(path, path)


def _interface_key(path: str) -> t.Optional[t.Tuple[str, str, str]]:
    """``net/ipv4/conf/``, the interface (or all, or default), and the last part; None for another kind of key."""
    if not path.startswith(_PER_INTERFACE):
        return None
    parts = path.split("/")
    return ("/".join(parts[:3]) + "/", parts[3], parts[4]) if len(parts) == 5 else None


def is_of_interface(path: str) -> bool:
    """Whether a key belongs to one interface, so that udev applies the files once more when the interface appears.

    systemd's rules.d/99-systemd.rules.in: every interface but lo.
    """
    found = _interface_key(path)
    return found is not None and found[1] not in ("all", "default", "lo")


@functools.lru_cache(maxsize=None)  # the same keys before and after a change
def sources(path: str) -> t.Tuple[str, ...]:
    """The keys, by any of their names, whose writes decide what a key has in the end; itself among them."""
    path = storage(path)
    found = [path]
    place = _interface_key(path)
    if path in (_UNPRIVILEGED, _RANGE):
        found = [_UNPRIVILEGED, _RANGE]
    elif path in _EXCLUSIVE:
        found = [path, _EXCLUSIVE[path]]
    elif path == _REDIRECTS or (path != _FORWARDING and place and place[::2] == (_CONF4, "forwarding")):
        found = [path, _FORWARDING]
    elif place and place[0] == _CONF4 and place[1] not in ("all", "default") and place[2] not in _NOT_COPIED:
        found = [path, _CONF4 + "default/" + place[2]]
    elif place and place[0] == _CONF6 and place[1] != "all" and place[2] in _FANNED_OUT:
        found = [path, _CONF6 + "all/" + place[2]]
    return tuple(found + [alias for alias, target in _ALIASES.items() if target in found])


def _guessed(text: t.Optional[str]) -> shapes.Shape:
    """What a key takes that the catalog does not know, by a text that it has."""
    guess = sysctl_values.infer_shape(text) if text is not None else shapes.Shape()
    # No smaller number has ten digits.
    if text is None or len(text) < 10 or guess.kind != shapes.INTEGERS:
        return guess
    is_long = max(sysctl_values.c_integer(word) or 0 for word in text.split()) > catalog.INT_MAX
    return guess._replace(low=0, high=_ULONG_MAX) if is_long else guess


class KernelModel(t.NamedTuple):
    """What is known of the kernel that files are applied to.

    ``start`` holds texts that it has before the first write, by path; ``live`` texts that only show what kind of value a key
    has (None: it cannot be read). ``read_only`` are paths that cannot be written. ``settled`` are interfaces that had an address
    before, which do not follow conf/default any more: the loopback interface is up before anything is read. ``words`` are the
    congestion controls that there are (None: not known). ``replays`` says whether udev applies the files again to interfaces.
    """

    start: t.Mapping[str, str] = {}
    live: t.Mapping[str, t.Optional[str]] = {}
    read_only: t.Container[str] = ()
    settled: t.Container[str] = ("lo",)
    words: t.Optional[t.Container[str]] = None
    replays: bool = True

    def shape(self, path: str) -> shapes.Shape:
        """What the kernel takes for a key."""
        known = catalog.find(sysctl_names.from_path(path))
        return known.shape if known is not None else _guessed(self.live.get(path, self.start.get(path)))


NOTHING_KNOWN = KernelModel()


def _at_start(path: str, facts: KernelModel) -> t.Optional[str]:
    """The text that a key has before the first write."""
    if path in facts.start:
        return facts.start[path]
    if path in _AT_START:
        return _AT_START[path]
    place = _interface_key(path)
    return "0" if place and place[2] in _FANNED_OUT else None


def _is_spared(before: t.Optional[str], value: str, reader: boot_readers.BootReader) -> bool:
    return before is not None and value.rstrip("\n") == before and reader.skips_unchanged


def _effect(
    path: str, before: t.Optional[str], value: str, reader: boot_readers.BootReader, facts: KernelModel
) -> Written:
    words = _Words(facts.words) if path == _CONGESTION_CONTROL else None
    shape = facts.shape(path)
    return written(shape, before, value, shape.kind != shapes.PORTS or reader.repeats_writes, words)


def is_bounded(path: str) -> bool:
    """Whether what a key takes depends on what another one has."""
    return path in (_UNPRIVILEGED, _RANGE)


def written_once(
    line: boot_readers.Assignment, path: str, reader: boot_readers.BootReader, facts: KernelModel
) -> t.Optional[Written]:
    """The result of the only write to a key that is not bounded; None if it changes nothing."""
    target, value = storage(path), line.value or ""
    if path in facts.read_only or target in facts.read_only:
        return None
    before = _at_start(target, facts)
    if _is_spared(before, value, reader):
        return Written(before, True)
    effect = _effect(target, before, value, reader, facts)
    # A list that was read into a copy first, and refused, is as it was.
    return effect if effect.taken or (effect.text != before and target not in _ALL_OR_NOTHING) else None


class State:
    """Some keys that depend on each other: the text of each, and the line that gave it.

    :param paths: keys as ``sources`` gives them.
    """

    def __init__(self, paths: t.Sequence[str], facts: KernelModel) -> None:
        self._facts = facts
        self._paths = paths
        self._texts: t.Dict[str, t.Optional[str]] = {}  # of what was set here
        self._origins: t.Dict[str, t.Optional[boot_readers.Assignment]] = {}
        self._written: t.Set[str] = set()  # what was ever written by hand, even in vain

    def text(self, path: str) -> t.Optional[str]:
        """The text that a key has now; None where that is not known."""
        path = storage(path)
        return self._texts[path] if path in self._texts else _at_start(path, self._facts)

    def origin(self, path: str) -> t.Optional[boot_readers.Assignment]:
        """The line that gave a key its text; None when it is the kernel's own."""
        return self._origins.get(storage(path))

    def write(self, line: boot_readers.Assignment, path: str, reader: boot_readers.BootReader) -> None:
        """What a reader's write to a key changes here, for the value of a line."""
        target, value = storage(path), line.value or ""
        if path in self._facts.read_only or target in self._facts.read_only:
            return
        before = self.text(target)
        if _is_spared(before, value, reader):
            self._origins[target] = line
            return
        effect = _effect(target, before, value, reader, self._facts)
        if not self._fits(target, effect.text) or (target in _ALL_OR_NOTHING and not effect.taken):
            effect = Written(before, False)
        self._written.add(target)
        if effect.taken or effect.text != before:
            self._set(target, effect.text, line)
        self._follow(target, before, effect, line)

    def _set(self, path: str, text: t.Optional[str], line: t.Optional[boot_readers.Assignment]) -> None:
        self._texts[path] = text
        self._origins[path] = line

    def _fits(self, path: str, text: t.Optional[str]) -> bool:
        """net/ipv4/sysctl_net_ipv4.c: the local ports begin above the privileged ones, and do not end before they begin."""
        if path not in (_UNPRIVILEGED, _RANGE) or text is None:
            return True
        local = [
            sysctl_values.c_integer(word) for word in (text if path == _RANGE else self.text(_RANGE) or "").split()
        ]
        start = sysctl_values.c_integer((text if path == _UNPRIVILEGED else self.text(_UNPRIVILEGED)) or "")
        if len(local) != 2 or local[0] is None or local[1] is None or start is None:
            return True
        return start <= local[0] <= local[1]

    def _others(self, path: str) -> t.List[str]:
        return sorted({storage(entry) for entry in self._paths} - {path})

    def _follow(self, path: str, before: t.Optional[str], effect: Written, line: boot_readers.Assignment) -> None:
        """What else a write changes."""
        if path == _FORWARDING:
            if effect.text != before:
                self._forward(effect.text, line)
            return
        if path in _EXCLUSIVE:
            if effect.taken and effect.text != "0":
                self._set(_EXCLUSIVE[path], "0", line)
            return
        place = _interface_key(path)
        if place and place[:2] == (_CONF4, "default") and place[2] not in _NOT_COPIED:
            self._copy_default(path)
        elif place and place[:2] == (_CONF6, "all") and place[2] in _FANNED_OUT and effect.taken:
            for other in self._others(path):
                self._set(other, effect.text, line)

    def _forward(self, text: t.Optional[str], line: boot_readers.Assignment) -> None:
        """inet_forward_change() of net/ipv4/devinet.c; a value that is already there changes nothing."""
        for other in self._others(_FORWARDING):
            if other == _REDIRECTS:
                self._set(other, "1" if text == "0" else "0", line)
            elif other.endswith("/forwarding"):
                self._set(other, text, line)

    def _copy_default(self, path: str) -> None:
        """devinet_copy_dflt_conf(): to each interface that was never written to, refused writes included."""
        for other in self._others(path):
            place = _interface_key(other)
            settled = place is None or place[1] == "default" or place[1] in self._facts.settled
            if not settled and other not in self._written:
                self._set(other, self.text(path), self._origins.get(path))

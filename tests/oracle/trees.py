# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Random trees of sysctl.d files, and a reading of them as a host would give it.

Content is text in which each sign stands for one byte (Latin-1), so that a case travels as JSON and is shown as it is.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import NamedTuple

from hypothesis import strategies as st

DIRECTORIES = (
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
)
SYSCTL_CONF = "/etc/sysctl.conf"
LATER = "/run/later/sysctl.conf"
INTERFACES = ("v0", "v0.1")

# Orders that depend on bytes, hidden names, names that are patterns to glob(3), names that do not count.
NAMES = (
    "10-b.conf",
    "9-a.conf",
    "99-sysctl.conf",
    "B.conf",
    "_x.conf",
    "a.conf",
    "\xe9.conf",
    "zz.conf",
)
ODD_NAMES = (
    ".conf",
    ".hidden.conf",
    "*.conf",
    "?.conf",
    "[!z]*.conf",
    "[a].conf",
    "a b.conf",
    "a\\.conf",
    "{10-b,a}.conf",
    "{a.conf",
    "a",
    "a.conf.bak",
    "a.conf~",
    "README",
)

NUMBERS = (
    "net/core/somaxconn",
    "net/ipv4/tcp_base_mss",
    "net/ipv4/tcp_fin_timeout",
    "net/ipv4/tcp_keepalive_intvl",
    "net/ipv4/tcp_keepalive_probes",
    "net/ipv4/tcp_notsent_lowat",
    "net/ipv4/tcp_syn_retries",
)
VECTORS = ("net/ipv4/tcp_rmem", "net/ipv4/tcp_wmem")
RESERVED = "net/ipv4/ip_local_reserved_ports"
RANGE = "net/ipv4/ip_local_port_range"
UNPRIVILEGED = "net/ipv4/ip_unprivileged_port_start"
CONGESTION = "net/ipv4/tcp_congestion_control"
READ_ONLY = "net/core/rmem_max"
MISSING = ("net/ipv4/nosuch", "net/ipv4/tcp_tw_recycle", "net/ipv4/conf/nosuch/rp_filter", "net")
FORWARDING = (
    "net/ipv4/ip_forward",
    "net/ipv4/conf/all/forwarding",
    "net/ipv4/conf/default/forwarding",
    "net/ipv4/conf/lo/forwarding",
    "net/ipv4/conf/v0/forwarding",
    "net/ipv4/conf/v0.1/forwarding",
    "net/ipv4/conf/all/accept_redirects",
)
PER_INTERFACE = tuple(
    f"net/{family}/conf/{interface}/{name}"
    for family, names in (
        ("ipv4", ("accept_redirects", "promote_secondaries", "rp_filter")),
        ("ipv6", ("accept_ra", "disable_ipv6", "forwarding", "ignore_routes_with_linkdown")),
    )
    for name in names
    for interface in ("all", "default", "lo", *INTERFACES)
)
# Keys that say something only when several of them are set.
TOGETHER = (
    FORWARDING,
    (RANGE, UNPRIVILEGED),
    VECTORS,
    *(tuple(key for key in PER_INTERFACE if key.endswith(f"/{name}")) for name in ("rp_filter", "accept_redirects")),
    *(
        tuple(key for key in PER_INTERFACE if key.startswith("net/ipv6") and key.endswith(f"/{name}"))
        for name in ("forwarding", "disable_ipv6", "ignore_routes_with_linkdown")
    ),
)
OBSERVED = tuple(
    sorted({*NUMBERS, *VECTORS, RESERVED, RANGE, UNPRIVILEGED, CONGESTION, READ_ONLY, *FORWARDING, *PER_INTERFACE})
)


class Node(NamedTuple):
    """A path, what is there (file, link, directory), and the bytes or where the link leads."""

    path: str
    kind: str
    content: str


class Case(NamedTuple):
    """What is laid out, the interfaces that there are, and whether udev gets its turn."""

    tree: tuple[Node, ...]
    interfaces: tuple[str, ...]
    replay: bool


# -- values -----------------------------------------------------------------------------------------------------------------

_STRANGE = (
    "",
    '"5"',
    "'5'",
    "+5",
    "-0",
    "- 5",
    "-1",
    "0",
    "0b11",
    "0x",
    "08",
    "1.5",
    "1e3",
    "5,",
    "5;",
    "true",
    "\xa05",
)
_NUMERALS = (
    "1",
    "2",
    "3",
    "5",
    "5 6",
    "5 # c",
    "5junk",
    "0x10",
    "010",
    "50",
    "60",
    "99999999999",
    "9" * 21,
    "0" * 20 + "5",
)
_AROUND = ("5\v", "\v5", "5\f", "5\r6", "5\t6", "5\x006")
_TRIPLES = (
    "4096 131072 6291456",
    "4096\t131072\t6291456",
    "4096  16384 4194304",
    "8192 20000 junk",
    "8192 20000 300000 4",
    "8192 20000 300000 # c",
    "8192 0 300000",
    "8192 20000",
    "0x2000 020000 300000",
    "8192,20000,300000",
    "8192",
)
_RANGES = (
    "10000 65000",
    "1024 2000",
    "32768 60999",
    "32768\t60999",
    "40000",
    "40000 30000",
    "500 60000",
    "5000 6000 7000",
    "0 65535",
    "1 65536",
)
_STARTS = ("80", "0", "1024", "1025", "9999", "10001", "32768", "32769", "65536", "-1")
_PORTS = (
    "8080",
    "8081,8080,8082",
    "9000-9010,8080",
    "9010-9000",
    "8080-",
    "8080,",
    ",8080",
    "8080,,8081",
    "0x1f90",
    "010-020",
    "8080 8081",
    "65536",
    "65535",
    "-5",
    "1-5-9",
    "",
)
_CONTROLS = ("reno", "bbr", "cubic", "nosuch", "reno # c", '"reno"', "reno bbr", "RENO", "")


@st.composite
def _long_ports(draw: st.DrawFn) -> str:
    """A list that takes more than the one page that a write may have."""
    count = draw(st.integers(600, 1500))
    ports = [str(20000 + 2 * number) for number in range(count)]
    broken = draw(st.none() | st.integers(0, count - 1))
    if broken is not None:
        ports[broken] = draw(st.sampled_from(("x", "1-2-3", "", "7-9", "70000", "0" * 21)))
    return ",".join(ports)


def values(key: str) -> st.SearchStrategy[str]:
    """Values that the kernel takes, and such as it does not, or takes in part, or in another sense."""
    strange = st.sampled_from(_STRANGE + _AROUND)
    if key in VECTORS:
        return st.sampled_from(_TRIPLES) | st.sampled_from(_TRIPLES) | strange
    if key == RESERVED:
        return st.sampled_from(_PORTS) | st.sampled_from(_PORTS) | st.sampled_from(_PORTS) | _long_ports()
    if key == RANGE:
        return st.sampled_from(_RANGES) | strange
    if key == UNPRIVILEGED:
        return st.sampled_from(_STARTS)
    if key == CONGESTION:
        return st.sampled_from(_CONTROLS)
    if "/conf/" in key or key == "net/ipv4/ip_forward":
        usual = st.sampled_from(("0", "1", "2", "1", "0"))
        return usual | usual | usual | st.sampled_from(_STRANGE + _AROUND + ("01", "1 2", "0x1"))
    return st.sampled_from(_NUMERALS[:5]) | st.sampled_from(_NUMERALS) | st.sampled_from(_NUMERALS) | strange


# -- keys -------------------------------------------------------------------------------------------------------------------

PATTERNS = (
    ("net/ipv4/conf/*/rp_filter", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/v*/rp_filter", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/v?/rp_filter", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/v0.*/rp_filter", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/[!v]*/rp_filter", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/[^a-d]*/rp_filter", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/[[:alpha:]]0/rp_filter", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/{lo,v0}*/rp_filter", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/{lo,v0}/rp_filter", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/\\v*/rp_filter", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/[v0/rp_filter*", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/*/accept_redirects", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/*/forwarding", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/*/*", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/conf/*", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv6/conf/*/forwarding", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv[46]/conf/*/forwarding", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv6/conf/*/disable_ipv6", "net/ipv4/conf/all/rp_filter"),
    ("net/ipv4/tcp_[rw]mem", VECTORS[0]),
    ("net/ipv4/tcp_keepalive_*", NUMBERS[0]),
    ("net/*/somaxconn", NUMBERS[0]),
    ("net/ipv4/ip_*", UNPRIVILEGED),
    ("*/core/somaxconn", NUMBERS[0]),
)


def _swapped(path: str) -> str:
    return path.replace(".", "\0").replace("/", ".").replace("\0", "/")


@st.composite
def spelled(draw: st.DrawFn, path: str) -> str:
    """A way to write a key: mostly a sound one."""
    ways: list[Callable[[str], str]] = [_swapped, _swapped, _swapped, _swapped, str, str]
    odd = draw(st.integers(0, 11)) == 11
    if odd:
        ways = [
            lambda one: one.replace("/", "."),
            lambda one: one.replace("/", ".", 2),
            lambda one: _swapped(one).replace(".", "/", 1),
            lambda one: one.upper(),
            lambda one: '"' + _swapped(one) + '"',
            lambda one: "\xef\xbb\xbf" + _swapped(one),
            lambda one: _swapped(one).replace("net", "n\0et", 1),
        ]
    way = draw(st.sampled_from(ways))
    return way(path)


def _keys() -> st.SearchStrategy[str]:
    ports = (RESERVED, RANGE, UNPRIVILEGED, RANGE, UNPRIVILEGED)
    return st.one_of(
        st.sampled_from(NUMBERS),
        st.sampled_from(FORWARDING),
        st.sampled_from(PER_INTERFACE),
        st.sampled_from(PER_INTERFACE[:15]),
        st.sampled_from(VECTORS + ports),
        st.sampled_from((CONGESTION, READ_ONLY, *MISSING, *NUMBERS)),
    )


# -- files ------------------------------------------------------------------------------------------------------------------


@st.composite
def _setting(draw: st.DrawFn, focus: tuple[str, ...]) -> str:
    if draw(st.integers(0, 4)) == 4:
        pattern, like = draw(st.sampled_from(PATTERNS))
        name, value = draw(spelled(pattern)), draw(values(like))
    else:
        # A few keys that come again and again: only then does order matter.
        key = draw(st.sampled_from(focus))
        name, value = draw(spelled(key)), draw(values(key))
    dash = draw(st.sampled_from(("",) * 12 + ("-", "-", "--", "- ")))
    if draw(st.integers(0, 11)) == 11:
        return f"{draw(st.sampled_from(('-', '-', '-', '--', '- ')))}{name}"
    equals = draw(st.sampled_from((" = ", " = ", "=", "=", "=", "\t=\t", "= ", " =", "==", " \v=\f ")))
    return f"{dash}{name}{equals}{value}"


@st.composite
def _line(draw: st.DrawFn, focus: tuple[str, ...]) -> str:
    kind = draw(st.integers(0, 29))
    setting = draw(_setting(focus))
    if kind == 26:
        setting = draw(st.sampled_from(("# ", "#", ";", "; ", " #", "\t; ", "##"))) + setting
    elif kind == 27:
        setting = draw(
            st.sampled_from(("", " ", "garbage", "=", "=5", "-", "-=5", "\v", "\x00", "a", "# comment", "; x"))
        )
    elif kind == 28:
        setting = draw(st.sampled_from((" ", "\t", "\v", "\r", "\x00"))) + setting
    elif kind == 29:
        setting += draw(st.sampled_from((" ", "\t", "\v", " \\", "\x00x", " # c", " ; c")))
    end = draw(st.sampled_from(("\n",) * 14 + ("\r\n", "\r\n", "\r", "\n\n", "\n\r", "")))
    return f"{setting}{end}"


_LONG_LINES = ("#" + "x" * 1048574 + "\n", "#" + "x" * 1048575 + "\n", "x" * 70000 + "=1\n")


@st.composite
def _content(draw: st.DrawFn, focus: tuple[str, ...]) -> str:
    lines = draw(st.lists(_line(focus), min_size=1, max_size=8))
    rare = draw(st.integers(0, 59))
    if rare == 59:
        lines.insert(draw(st.integers(0, len(lines))), draw(st.sampled_from(_LONG_LINES)))
    elif rare >= 57:
        lines.insert(0, "\xef\xbb\xbf")
    return "".join(lines)


@st.composite
def _node(draw: st.DrawFn, path: str, focus: tuple[str, ...]) -> Node:
    kind = draw(st.integers(0, 24))
    if kind == 24:
        return Node(path, "file", "")
    if kind == 23:
        return Node(path, "link", "/dev/null")
    if kind == 22:
        target = draw(st.sampled_from(("../sysctl.conf", "/etc/sysctl.conf", "nowhere", "a.conf", "B.conf", path)))
        return Node(path, "link", target)
    if kind == 21:
        return Node(path, "directory", "")
    if kind >= 14 and path.endswith("/99-sysctl.conf"):
        return Node(path, "link", "../sysctl.conf")
    return Node(path, "file", draw(_content(focus)))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A tree and the interfaces that there are."""
    focus = tuple(draw(st.lists(_keys(), min_size=1, max_size=4)))
    if draw(st.booleans()):
        focus += draw(
            st.sampled_from((FORWARDING, PER_INTERFACE[10:15], (RANGE, UNPRIVILEGED), VECTORS, PER_INTERFACE[20:30]))
        )
    names = st.sampled_from(NAMES * 3 + ODD_NAMES)
    places = st.tuples(st.sampled_from(DIRECTORIES), names)
    chosen = draw(st.lists(places, min_size=1, max_size=5, unique=True))
    tree = [draw(_node("/".join(place), focus)) for place in chosen]
    if draw(st.booleans()):
        tree.append(draw(_node(SYSCTL_CONF, focus)))
        link = "/etc/sysctl.d/99-sysctl.conf"
        if draw(st.booleans()) and link not in [node.path for node in tree]:
            tree.append(Node(link, "link", "../sysctl.conf"))
    if draw(st.integers(0, 5)) == 0:
        tree.append(Node(LATER, "file", draw(_content(focus))))
    # Making an interface takes longer than everything else, so there are some only where they matter.
    about_interfaces = sum("/v0" in key for key in focus) > 1
    interfaces = draw(st.sampled_from((INTERFACES, INTERFACES, ()))) if about_interfaces else ()
    return Case(tuple(tree), interfaces, draw(st.booleans()))


# -- what a host would see --------------------------------------------------------------------------------------------------


class View:
    """The tree as the host object shows it: names in a directory, bytes behind a path.

    :param directories: those that the machine has; /lib may be a link to /usr/lib.
    """

    def __init__(self, tree: tuple[Node, ...], directories: list[str]) -> None:
        merged = "/lib/sysctl.d" not in directories
        self._nodes = {
            node.path: node for node in tree if posixpath.dirname(node.path) != "/lib/sysctl.d" or not merged
        }
        self._merged = merged

    def listing(self) -> dict[str, list[str]]:
        listed = {directory: self._names(directory) for directory in DIRECTORIES}
        if self._merged:
            listed["/lib/sysctl.d"] = listed["/usr/lib/sysctl.d"]
        listed["/etc"] = ["sysctl.conf"] if SYSCTL_CONF in self._nodes else []
        return listed

    def _names(self, directory: str) -> list[str]:
        return [posixpath.basename(path) for path in self._nodes if posixpath.dirname(path) == directory]

    def data(self, path: str, depth: int = 0) -> bytes | None:
        """None for a directory, and for a link that leads nowhere or round and round."""
        if path == "/dev/null":
            return b""
        if self._merged and path.startswith("/lib/"):
            path = "/usr" + path
        node = self._nodes.get(path)
        if node is None or node.kind == "directory" or depth > 8:
            return None
        if node.kind == "link":
            return self.data(posixpath.normpath(posixpath.join(posixpath.dirname(path), node.content)), depth + 1)
        return node.content.encode("latin-1")

    def dangling(self) -> set[str]:
        return {node.path for node in self._nodes.values() if node.kind == "link" and not self._leads(node)}

    def _leads(self, node: Node) -> bool:
        """Whether a link leads to something, a directory included."""
        for _turn in range(9):
            if node.kind != "link" or node.content == "/dev/null":
                return True
            path = posixpath.normpath(posixpath.join(posixpath.dirname(node.path), node.content))
            if path not in self._nodes:
                return False
            node = self._nodes[path]
        return False

    def files(self, paths: list[str]) -> list[tuple[str, bytes]]:
        found = [(path, self.data(path)) for path in paths]
        return [(path, data) for path, data in found if data is not None]

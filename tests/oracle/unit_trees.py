# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Random files of systemd about units: fragments, drop-ins of every kind, the manager's own configuration."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

Node = tuple[str, str, str]
"""Path, kind (file, link, directory), and bytes of the file as latin-1 or target of the link."""

PLACES = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/etc/systemd/system.control",
    "/run/systemd/transient",
)
CONF_PLACES = ("/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd")
NAMES = (
    "10-a.conf",
    "20-b.conf",
    "99-tunefleet.conf",
    "99-z.conf",
    "9-a.conf",
    "Z.conf",
    "a.conf",
    ".a.conf",
    "a.conf.bak",
    "a.txt",
    "a.conf~",
)
ITEMS = ("NOFILE", "NPROC", "SIGPENDING", "MEMLOCK", "CORE", "CPU", "RTTIME")
NUMBERS = [
    "1024",
    "4096",
    "8192",
    "20000",
    "19999",
    "0",
    "1",
    "3",
    "64",
    "65536",
    "1000000",
    "infinity",
    "0x400",
    "0X1f",
    "010",
    "09",
    "0b11",
    "0o17",
    "+512",
    "-1",
    "-0",
    "64K",
    "64k",
    "5M",
    "1.5K",
    "1G",
    "5G1M",
    "1e5",
    "65,535",
    "abc",
    "infinite",
    "unlimited",
    "18446744073709551614",
    "18446744073709551615",
    "99999999999999999999999",
    "1min",
    "90s",
    "2h",
    "1.5s",
    "5min20s",
    "200ms",
    "1.55us",
    ".5h",
    "1s 5",
    "1 2min",
    "1month",
    "2M",
    "1y2w",
    "1S",
    "2.5.5",
    "+.5",
    ".",
    "600000y",
]


class Unit(NamedTuple):
    """One unit of a case and everything that is about it alone."""

    name: str
    aliases: tuple[str, ...]
    nodes: tuple[Node, ...]


class Case(NamedTuple):
    """Units that are asked about in one go, and the files that they share."""

    units: tuple[Unit, ...]
    shared: tuple[Node, ...]

    @property
    def tree(self) -> list[Node]:
        """All nodes, the first of each path."""
        nodes = [node for unit in self.units for node in unit.nodes] + list(self.shared)
        return list({node[0]: node for node in reversed(nodes)}.values())[::-1]


words = st.one_of(st.sampled_from(NUMBERS), st.integers(0, 20000).map(str))
values = st.one_of(
    words,
    words,
    st.tuples(words, words).map(":".join),
    st.tuples(st.integers(0, 9000), st.integers(9000, 20000)).map(lambda pair: f"{pair[0]}:{pair[1]}"),
    st.sampled_from(["", ":", "1:", ":5", "1:2:3", "1024 # no comment", '"4096"', "1024 :4096", "1024: 4096"]),
)
blanks = st.sampled_from(["", "", "", " ", "\t", "  "])
breaks = st.sampled_from(["", "", "", "", "", "\\\n", "\\\n# said in between\n", "\\\\\n"])
ends = st.sampled_from(["\n"] * 8 + ["\r\n", "\r", "\n\r", "\0", "\n\n"])


def assignment(prefix: str) -> st.SearchStrategy[str]:
    keys = st.one_of(
        st.sampled_from(ITEMS).map(lambda item: prefix + item),
        st.just(prefix + "NOFILE"),
        st.just(prefix + "NOFILE"),
        st.sampled_from([prefix.lower() + "nofile", prefix + "NOFILESoft", prefix + "_NOFILE"]),
    )
    return st.tuples(blanks, keys, blanks, st.just("="), blanks, breaks, values, blanks).map("".join)


def lines(prefix: str, section: str, whole: bool) -> st.SearchStrategy[str]:
    """Lines of a file; ``whole`` leaves out what makes systemd stop reading."""
    header = st.sampled_from(
        [f"[{section}]"] * 6 + [f" [{section}] ", f"[{section.lower()}]", "[Unit]", "[X-Other]", "[Unknown]"]
    )
    harmless = st.sampled_from(
        ["# LimitNOFILE=7", "; LimitNOFILE=8", "", "Nonsense", "=5", "#\\", "Nice=0", "Nice=0\\"]
    )
    breaking = st.sampled_from([f"[{section}", "[]", "\xff", "LimitNOFILE=\xe9", "\xef\xbb\xbf[Unit]", "\xc3\xa9=1"])
    line = st.one_of(header, assignment(prefix), assignment(prefix), assignment(prefix), harmless)
    if not whole:
        line = st.one_of(line, line, line, line, line, breaking)
    body = st.lists(st.tuples(line, ends).map("".join), max_size=6).map("".join)
    start = st.sampled_from([f"[{section}]\n"] * 5 + ["", f"\xef\xbb\xbf[{section}]\n", f"[{section}]\r\n"])
    last = st.one_of(st.just(""), st.just(""), assignment(prefix))
    return st.tuples(start, body, last).map("".join)


@st.composite
def drop_in(draw: st.DrawFn, directory: str, prefix: str = "Limit", section: str = "Service") -> Node:
    path = f"{directory}/{draw(st.sampled_from(NAMES))}"
    kind = draw(st.sampled_from(["file"] * 9 + ["null", "nowhere", "directory"]))
    if kind == "null":
        return path, "link", "/dev/null"
    if kind == "nowhere":
        return path, "link", "/nowhere/at/all"
    if kind == "directory":
        return path, "directory", ""
    return path, "file", draw(lines(prefix, section, False))


def names_of(number: int, kind: int) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Name, other names, and all that directories of drop-ins may be called after."""
    base = f"tf{number}"
    if kind == 0:
        return f"{base}.service", (), (f"{base}.service",)
    if kind == 1:
        name = f"{base}-b-c.service"
        return name, (), (name, f"{base}-b-.service", f"{base}-.service", f"{base}.service")
    if kind == 2:
        name = f"{base}-b@i.service"
        return name, (), (name, f"{base}-b@.service", f"{base}-@.service", f"{base}-@i.service", f"{base}-.service")
    name, alias = f"{base}.service", f"{base}-also.service"
    return name, (alias,), (name, alias, f"{base}-.service")


@st.composite
def unit(draw: st.DrawFn, number: int) -> Unit:
    name, aliases, called = names_of(number, draw(st.integers(0, 3)))
    file = f"{name.partition('@')[0]}@.service" if "@" in name else name
    nodes: list[Node] = []
    for place in draw(st.lists(st.sampled_from(PLACES[:4]), min_size=1, max_size=2, unique=True)):
        more = draw(lines("Limit", "Service", True))
        nodes.append((f"{place}/{file}", "file", f"[Service]\nType=exec\nExecStart=/bin/sleep 300\n{more}"))
    for alias in aliases:
        nodes.append((f"/etc/systemd/system/{alias}", "link", nodes[0][0]))
    directories = st.tuples(st.sampled_from(PLACES), st.sampled_from(called)).map(lambda pair: f"{pair[0]}/{pair[1]}.d")
    for directory in draw(st.lists(directories, max_size=5)):
        nodes.append(draw(drop_in(directory)))
    return Unit(name, aliases, tuple(nodes))


@st.composite
def cases(draw: st.DrawFn, count: int = 20) -> Case:
    units = tuple(draw(unit(number)) for number in range(count))
    shared = [
        draw(drop_in(f"{place}/service.d"))
        for place in draw(st.lists(st.sampled_from(PLACES[:4]), max_size=2))
        if draw(st.integers(0, 2)) == 0
    ]
    for place in draw(st.lists(st.sampled_from(CONF_PLACES), max_size=3)):
        shared.append(draw(drop_in(f"{place}/system.conf.d", "DefaultLimit", "Manager")))
    return Case(units, tuple(shared))

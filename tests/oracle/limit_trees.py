# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Random trees of files of limits.conf(5), with users, groups and limits of the process that opens the sessions.

Content is text in which each sign stands for one byte (Latin-1), so that a case travels as JSON and is shown as it is. The numbers
stay within what a process without CAP_SYS_RESOURCE may go down to, or are such as the kernel refuses.
"""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

MAIN = "/etc/security/limits.conf"
DIRECTORY = "/etc/security/limits.d/"
NAMES = ("10-a.conf", "9-b.conf", "99-tunefleet.conf", "Z.conf", "a.conf", "a b.conf", "\xe9.conf")
ODD_NAMES = (".h.conf", "x.conf~", "README", "x.conf.bak", "[a].conf", "*.conf", ".conf")

# include/uapi/asm-generic/resource.h
NUMBERS = {
    "cpu": 0,
    "fsize": 1,
    "data": 2,
    "stack": 3,
    "core": 4,
    "rss": 5,
    "nproc": 6,
    "nofile": 7,
    "memlock": 8,
    "as": 9,
    "locks": 10,
    "sigpending": 11,
    "msgqueue": 12,
    "nice": 13,
    "rtprio": 14,
    "rttime": 15,
}
USERS = (("root", 0, 0), ("alice", 2000, 2000), ("carol", 2001, 3000))
DOMAINS = (
    *(
        "root",
        "alice",
        "carol",
        "bob",
        "Alice",
        "*",
        "%",
        "@",
        "@web",
        "@db",
        "@root",
        "@carols",
        "@3000",
        "%web",
        "%root",
    ),
    *(
        "2000",
        "2000:",
        "2000:2001",
        "1999:2000",
        ":2000",
        ":0",
        "0:",
        "0:100",
        "@:3000",
        "@3000:",
        "@3000:3999",
        "@2999:3000",
    ),
    *(
        "@:0",
        "@0:",
        "@0:5",
        "@:4000",
        "%:3000",
        "%:0",
        "%0:",
        "%0:5",
        "%3000:",
        "a:b",
        ":",
        "@:",
        "2000:x",
        "3000:1000",
    ),
    *(
        "1:2:3",
        "+2000:",
        "-1:",
        ":-0",
        "99999999999999999999:",
        "4294969296:",
        "@web:",
        "**",
        "\xe9",
        "\xef\xbb\xbfalice",
    ),
)
COMMON = ("root", "alice", "carol", "*", "@web", "@db", "2000:", ":2000", "@:3000", "@3000:")
TYPES = ("soft", "hard", "-")
ODD_TYPES = ("Soft", "HARD", "both", "--", "-x", "*", "softer")
FREE = (
    "nofile",
    "nproc",
    "core",
    "rss",
    "sigpending",
    "locks",
    "msgqueue",
    "rtprio",
    "rttime",
    "fsize",
    "memlock",
    "nice",
)
# A low one would end the process that has to tell what it got.
ROOMY = ("data", "stack", "as", "cpu")
SINGLE = ("maxlogins", "maxsyslogins", "priority", "nonewprivs")
CHROOTS = ("/etc", "/ETC", "/run", "/nowhere", "unlimited", "etc", "/etc junk", "/run/")
# Those that are there, of which a session tells in which one it is.
DIRECTORIES = {"/etc": "/etc", "/run": "/run", "/run/": "/run"}
ODD_ITEMS = ("NOFILE", "NoFile", "nofiles", "chroots", "-", "files")
WORDS = ("unlimited", "infinity", "-1", "-", "Unlimited", "INFINITY", "18446744073709551615", "9" * 22)
ODD_VALUES = (
    *(
        "64k",
        "65,535",
        "1e5",
        "0x1000",
        "010",
        "0777",
        "abc",
        "+5",
        "-5",
        "-0",
        "--5",
        '"500"',
        "10.5",
        "1 junk",
        "7#x",
    ),
    *("18446744073709551614", "-18446744073709551615", "-18446744073709551610", "-" + "9" * 22, "18014398509481983"),
    *(
        "18014398509481984",
        "307445734561825860",
        "9223372036854775807",
        "unlimitedx",
        "unlimited junk",
        "-1 junk",
        "\xb5",
    ),
    *("300\r", "unlimited\r", "-1\x0b", "\x0b5", "0" * 30 + "12", "0" * 4400 + "12"),
)
# What the caller has. Nothing below what Python needs to say what came of it.
CALLERS: tuple[dict[str, tuple[int, int]], ...] = (
    {},
    {"nofile": (777, 15000)},
    {"nofile": (256, 256), "nproc": (500, 900)},
    {"core": (1024, 4096), "nproc": (32, 32), "rtprio": (0, 0)},
)


class Node(NamedTuple):
    path: str
    kind: str  # file, link or directory
    content: str


class Case(NamedTuple):
    tree: tuple[Node, ...]
    groups: tuple[tuple[str, int, tuple[str, ...]], ...]
    caller: dict[str, tuple[int, int]]
    arguments: tuple[str, ...]


def mostly(common: tuple[str, ...], odd: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.one_of(*[st.sampled_from(common)] * 5, st.sampled_from(odd))


numbers = st.sampled_from(
    [0, 1, 5, 64, 100, 256, 900, 1023, 1024, 1025, 4096, 15000, 20000, 20001, 65535, 1048577]
).map(str)
small = st.integers(-25, 25).map(str)


@st.composite
def settings_of_a_line(draw: st.DrawFn) -> tuple[str, str]:
    """Item and value."""
    kind = draw(st.integers(0, 12))
    if kind == 12:
        # Seldom, for a session that is refused says nothing about the rest of its files.
        rare = draw(st.integers(0, 3)) == 0
        return ("chroot", draw(st.sampled_from(CHROOTS))) if rare else ("nproc", draw(numbers))
    if kind < 4:
        return "nofile", draw(st.one_of(numbers, numbers, st.sampled_from(WORDS + ODD_VALUES)))
    if kind < 8:
        return draw(st.sampled_from(FREE)), draw(st.one_of(numbers, numbers, st.sampled_from(WORDS + ODD_VALUES)))
    if kind == 8:
        return draw(st.sampled_from(ROOMY)), draw(st.sampled_from(WORDS + ("8388608", "99999999", "18014398509481983")))
    if kind == 9:
        return draw(st.sampled_from(SINGLE)), draw(st.one_of(small, st.sampled_from(WORDS + ODD_VALUES)))
    if kind == 10:
        return "nice", draw(small)
    return draw(st.sampled_from(ODD_ITEMS)), draw(numbers)


@st.composite
def lines(draw: st.DrawFn) -> str:
    form = draw(st.integers(0, 19))
    blank = (
        draw(st.sampled_from([" ", "\t", "  ", " \t "]))
        if form != 19
        else draw(st.sampled_from(["\x0b", "\xa0", "\r", "\x0c "]))
    )
    domain = draw(mostly(COMMON, DOMAINS))
    if form == 0:
        return draw(
            st.sampled_from(["", "# comment", "   ", "alice", "alice soft nofile", "\0", "alice - nofile\x005"])
        )
    if form == 1:
        return domain + blank + draw(st.sampled_from(["-", "- ", "-x", "soft", "-# all", "-\t"]))
    kind = draw(mostly(TYPES, ODD_TYPES))
    item, value = draw(settings_of_a_line())
    text = blank.join([domain, kind, item, value])
    if form == 2:
        text = draw(st.sampled_from([" ", "\t", "\x0b", "\r", "\xef\xbb\xbf", "-"])) + text
    elif form == 3:
        text += draw(st.sampled_from(["#x", " # c", " junk", "\r", " \r", "\t", "\x0b", " # alice - nofile 9"]))
    elif form == 4:
        text = "#" + "c" * draw(st.sampled_from([1000, 1021, 1022, 1023, 2044, 2045])) + text
    elif form == 5:
        text = text + " " * draw(st.sampled_from([990, 1005, 1010])) + draw(st.sampled_from(["9", "alice - nproc 7"]))
    return text


contents = st.builds(
    lambda found, end: "\n".join(found) + end,
    st.lists(lines(), max_size=7),
    st.sampled_from(["\n", "\n", "\n", "", "\r\n"]),
)


@st.composite
def trees(draw: st.DrawFn) -> tuple[Node, ...]:
    found: list[Node] = []
    kind = draw(st.integers(0, 15))
    if kind == 0:
        found.append(Node(MAIN, "directory", ""))
    elif kind == 1:
        found.append(Node(MAIN, "link", draw(st.sampled_from(["/nowhere", "limits.d/a.conf", "/dev/null"]))))
    elif kind > 2:
        found.append(Node(MAIN, "file", draw(contents)))
    for name in draw(st.lists(mostly(NAMES, ODD_NAMES), unique=True, max_size=3)):
        kind = draw(st.integers(0, 15))
        if kind == 0:
            found.append(
                Node(
                    DIRECTORY + name, "link", draw(st.sampled_from(["nowhere", "a.conf", "../limits.conf", "x.conf~"]))
                )
            )
        elif kind == 1:
            found.append(Node(DIRECTORY + name, "directory", ""))
        else:
            found.append(Node(DIRECTORY + name, "file", draw(contents)))
    return tuple(found)


members = st.lists(st.sampled_from([name for name, _uid, _gid in USERS]), unique=True, max_size=3).map(tuple)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    groups = [("root", 0, ()), ("alice", 2000, ()), ("web", 4001, draw(members)), ("db", 4002, draw(members))]
    # The primary group of carol may be one that nobody named.
    if draw(st.integers(0, 3)):
        groups.append(("carols", 3000, draw(members)))
    arguments = draw(st.sampled_from([(), (), (), ("set_all",), ("noaudit", "debug"), ("utmp_early",)]))
    return Case(draw(trees()), tuple(groups), draw(st.sampled_from(CALLERS)), arguments)

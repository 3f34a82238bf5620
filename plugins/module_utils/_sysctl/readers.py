# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The two programs that read sysctl.d files at boot, and how they differ. Private: not for use outside of ``tunefleet.linux``.

systemd-sysctl and procps' ``sysctl --system`` share a format and agree on ordinary files. On the others they do not, and neither
do their versions. Sources: systemd's src/sysctl/sysctl.c, src/basic/{conf-files,fileio,sysctl-util}.c and sysctl.d(5), versions
247, 252, 257 and 262; procps' sysctl.c of 3.3.17, and src/sysctl.c of 4.0.2, 4.0.4 and 4.0.6.
"""

import re
import typing as t

from . import glob as sysctl_glob
from . import names as sysctl_names

SYSTEMD = "systemd"
PROCPS = "procps"

# By falling precedence; /lib counts only where it is not a link to /usr/lib, and then holds the same names.
DIRECTORIES = (
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
)
SYSCTL_CONF = "/etc/sysctl.conf"

_ETC = "/etc"
_MAGIC = re.compile(r"[*?\[\\{]")
_LONGEST_LINE = 1024 * 1024  # LONG_LINE_MAX of systemd
_SYSTEMD_BLANKS = " \t\n\r"
_C_BLANKS = " \t\n\v\f\r"  # isspace(3)


class BootReader(t.NamedTuple):
    """A program that applies sysctl.d files, and its version."""

    name: str = SYSTEMD
    version: t.Tuple[int, ...] = (257,)

    def __str__(self) -> str:
        return "{0} {1}".format(self.name, ".".join(str(number) for number in self.version))

    def _systemd_since(self, *version: int) -> bool:
        return self.name == SYSTEMD and self.version >= version

    def _procps_since(self, *version: int) -> bool:
        return self.name == PROCPS and self.version >= version

    @property
    def expands(self) -> bool:
        """Whether a key may be a pattern, and a lone ``-key`` keeps patterns off."""
        return self._systemd_since(246) or self._procps_since(4)

    @property
    def first_position_wins(self) -> bool:
        """Whether a key has one value and one place among the writes: the last value, at the place where it was first said."""
        return self.name == SYSTEMD

    @property
    def skips_unchanged(self) -> bool:
        """Whether a value that the kernel has already is not written again, so that nothing follows from it."""
        return self._systemd_since(248)

    @property
    def repeats_writes(self) -> bool:
        """Whether what the kernel left of a long value is written too."""
        return self._systemd_since(248)

    @property
    def excludes_patterns(self) -> bool:
        """Whether a lone ``-pattern`` keeps other patterns off the keys that it matches, and not just a lone ``-key``."""
        return self._procps_since(4, 0, 5)

    @property
    def comments(self) -> str:
        """What a comment begins with; systemd reads sysctl.d with conf_file_read() since 258, which knows one sign only."""
        return "#" if self._systemd_since(258) else "#;"

    @property
    def directories(self) -> t.Sequence[str]:
        """Where it looks; systemd 255 gave up a /lib of its own."""
        return DIRECTORIES[:-1] if self._systemd_since(255) else DIRECTORIES


SYSTEMD_257 = BootReader()
# The candidates if the version is unknown: the newest that was tested, and the oldest of a supported host (RHEL 8).
_ANY_SYSTEMD = (BootReader(SYSTEMD, (262,)), BootReader(SYSTEMD, (239,)))
_ANY_PROCPS = (BootReader(PROCPS, (4, 0, 7)), BootReader(PROCPS, (3, 3, 15)))


class Assignment(t.NamedTuple):
    """One line that sets (or, with no value, excludes) a key or a pattern. ``path`` is as the reader spells it."""

    path: str
    value: t.Optional[str]
    file: str
    line: int

    @property
    def where(self) -> str:
        """``path:line``, as reports name it."""
        return "{0}:{1}".format(self.file, self.line)


# Names that process 1 has where it is an init program and not systemd.
_OTHER_INITS = frozenset(["busybox", "dinit", "finit", "init", "openrc-init", "runit", "s6-svscan"])
_LIBSYSTEMD = re.compile(r"libsystemd-shared-(\d+)")
_LIBPROC = re.compile(r"(libproc2|libprocps)\.so\.(\d+)")
# By the number of the library's interface; the exact version does not matter where the program behaves the same.
_PROCPS_BY_LIBRARY = {
    ("libprocps", 8): (3, 3, 17),
    ("libproc2", 0): (4, 0, 4),
    ("libproc2", 1): (4, 0, 7),
}


class BootFacts(t.NamedTuple):
    """What shows which reader a host has at boot.

    ``init`` is the name of process 1; ``libraries`` are names of files of shared libraries; the others say whether systemd is
    running, and whether there is systemd-sysctl and the ``sysctl`` of procps.
    """

    systemd_runs: bool = False
    init: str = ""
    systemd_sysctl: bool = False
    procps_sysctl: bool = False
    libraries: t.Sequence[str] = ()


def readers_of(facts: BootFacts) -> t.List[BootReader]:
    """The readers that a host may have at boot, the likeliest first: one where the mechanism and its version are known.

    A system that systemd does not run, but which has both programs, is a container, or the root of an image that is
    being built, and may boot either way.
    """
    systemd = list(_systemd_by_library(facts.libraries))
    if facts.systemd_runs:
        return systemd
    if facts.procps_sysctl:
        procps = list(procps_of(facts.libraries))
        return systemd + procps if facts.systemd_sysctl and facts.init not in _OTHER_INITS else procps
    return systemd if facts.systemd_sysctl else [SYSTEMD_257]


def _systemd_by_library(libraries: t.Iterable[str]) -> t.Sequence[BootReader]:
    found = [match for match in map(_LIBSYSTEMD.match, libraries) if match]
    return [BootReader(SYSTEMD, (max(int(match.group(1)) for match in found),))] if found else _ANY_SYSTEMD


def procps_of(libraries: t.Iterable[str]) -> t.Sequence[BootReader]:
    """What the ``sysctl`` of a host with these shared libraries may be."""
    found = [match for match in map(_LIBPROC.match, libraries) if match]
    versions = [_PROCPS_BY_LIBRARY.get((match.group(1), int(match.group(2)))) for match in found]
    known = [version for version in versions if version is not None]
    if known:
        return [BootReader(PROCPS, max(known))]
    if any(match.group(1) == "libprocps" for match in found):
        return _ANY_PROCPS[1:]
    return _ANY_PROCPS[:1] if found else _ANY_PROCPS


def reading_order(
    listing: t.Mapping[str, t.Iterable[str]], reader: BootReader = SYSTEMD_257, dangling: t.Container[str] = ()
) -> t.List[str]:
    """Paths of the files that count, in the order in which they are read.

    :param listing: names found in each directory of ``DIRECTORIES``, and in ``/etc`` where sysctl.conf is of interest.
    :param dangling: paths of links that lead nowhere.
    """
    chosen: t.Dict[bytes, t.Tuple[str, str]] = {}
    for directory in reader.directories:
        for name in listing.get(directory, ()):
            # systemd ignores hidden names: FOREACH_DIRENT in conf-files.c.
            if name.endswith(".conf") and (reader.name == PROCPS or not name.startswith(".")):
                chosen.setdefault(_bytes(name), (directory, name))
    in_order = [chosen[name] for name in sorted(chosen)]
    if reader.name == SYSTEMD:
        return ["/".join(place) for place in in_order]
    paths = [path for place in in_order for path in _preloaded(place, listing, dangling)]
    return paths + [SYSCTL_CONF] if "sysctl.conf" in listing.get(_ETC, ()) else paths


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _preloaded(
    place: t.Tuple[str, str], listing: t.Mapping[str, t.Iterable[str]], dangling: t.Container[str]
) -> t.Iterator[str]:
    """What procps reads for a file that it has listed: Preload() gives up at the first name that it cannot open."""
    for name in _expand_name(place[1], listing[place[0]]):
        path = "/".join((place[0], name))
        if path in dangling:
            return
        yield path


def _expand_name(name: str, listed: t.Iterable[str]) -> t.List[str]:
    """procps takes the name of a file for a pattern (Preload(): GLOB_BRACE, GLOB_NOCHECK), even one that it has just listed."""
    if not _MAGIC.search(name):
        return [name]
    for patterns in (sysctl_glob.braces(name), [name]):
        found = [
            entry for pattern in patterns for entry in sorted(listed, key=_bytes) if sysctl_glob.matches(pattern, entry)
        ]
        if found:
            return found
    return [name]


def assignments(path: str, data: bytes, reader: BootReader = SYSTEMD_257) -> t.Iterator[Assignment]:
    """What a file says to a reader, in its order."""
    if reader.name == PROCPS:
        return _procps_assignments(path, data, _procps_4_line if reader.expands else _procps_3_line)
    lines = _systemd_assignments(path, data, reader.comments)
    return lines if reader.expands else (line for line in lines if line.value is not None)


_LINE_END = re.compile(b"[\r\0]")


def _systemd_assignments(path: str, data: bytes, comments: str) -> t.Iterator[Assignment]:
    """parse_file() and parse_line() of sysctl.c on top of read_line_full(), to which CR and NUL end a line as well."""
    for number, line in enumerate(data.split(b"\n"), 1):
        for piece in _LINE_END.split(line):
            if len(piece) >= _LONGEST_LINE:  # -ENOBUFS: the rest of the file is lost
                return
            setting = parse_line(piece, comments)
            if setting is not None:
                yield Assignment(setting[0], setting[1], path, number)


def parse_line(line: bytes, comments: str = "#;") -> t.Optional[t.Tuple[str, t.Optional[str]]]:
    """The path and the value on a line, or None for a comment, a blank line or a line that is no assignment.

    As parse_line() in systemd's src/sysctl/sysctl.c reads it: a leading dash on an assignment only tolerates its failure. A lone
    ``-key`` has no value.
    """
    text = line.decode("utf-8", "surrogateescape").strip(_SYSTEMD_BLANKS)
    if not text or text[0] in comments:
        return None
    name, equals, value = text.partition("=")
    if text[0] == "-":
        name = name[1:]
    elif not equals:
        return None
    return sysctl_names.normalise(name.strip(_SYSTEMD_BLANKS)), value.strip(_SYSTEMD_BLANKS) if equals else None


_Configured = t.Optional[t.Tuple[str, t.Optional[str]]]


def _procps_assignments(path: str, data: bytes, parse: t.Callable[[str], _Configured]) -> t.Iterator[Assignment]:
    """Preload() of sysctl.c: lines as getline(3) gives them, of which C sees what is before a NUL."""
    for number, line in enumerate(data.split(b"\n"), 1):
        text = line.partition(b"\0")[0].decode("utf-8", "surrogateescape")
        assignment = parse(text)
        if assignment is not None:
            yield Assignment(sysctl_names.normalise(assignment[0]), assignment[1], path, number)


def _procps_4_line(line: str) -> _Configured:
    """parse_setting_line() and setting_new() of procps 4."""
    text = line.lstrip(_C_BLANKS)
    if not text or text[0] in "#;":
        return None
    name, equals, value = text.partition("=")
    if text[0] == "-":
        name = name[1:]
    elif not equals:
        return None
    # A second dash is dropped as well, and rstrip() never takes the first character.
    name = name[:1] + name[1:].rstrip(_C_BLANKS)
    return name[1:] if name[:1] == "-" else name, value.strip(_C_BLANKS) if equals else None


def _procps_3_line(line: str) -> _Configured:
    """Preload() and WriteSetting() of procps 3.3: an empty value is a syntax error; a line without an equals sign has the value ``=``.

    That is what its buffer holds once it has put an equals sign behind the name. The kernel refuses it nearly always, but then
    the key has been written to.
    """
    text = line.rstrip(_SYSTEMD_BLANKS).lstrip(" \t")
    if len(text) < 2 or text[0] in "#;":
        return None
    name, equals, rest = text.lstrip("=").partition("=")  # strtok(3) skips delimiters in front
    if equals:
        value = re.split("[\r\n]", rest.lstrip("\r\n"))[0]
    else:
        value = "=" if line.startswith(name) else ""
    name = name.rstrip(_SYSTEMD_BLANKS)
    if not name or not value:
        return None
    return name[1:] if name[0] == "-" else name, value.lstrip(" \t")

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which PAM services ask pam_limits, and how. Private: not for use outside of ``tunefleet.linux``.

pam.conf(5), and libpam/pam_handlers.c: a service is looked for in each directory in turn; ``include`` and ``substack`` take the
lines of one type from another file, ``@include`` takes all of them. Nothing here is ever written: the stacks belong to the
distribution and to its administrator.
"""

import fnmatch
import re
import typing as t

# Where libpam looks, in its order; the last one where it was built with a directory for vendors.
DIRECTORIES = ("/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d")
SSHD_CONFIGS = ("/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config")
# The services by which people and their jobs come in.
LOGINS = ("sshd", "login", "remote", "su", "su-l", "sudo", "sudo-i", "cron", "crond", "atd", "systemd-user")
# They check or change a password, and open no session to work in.
_NO_SESSIONS = frozenset(
    ["chfn", "chpasswd", "chsh", "groupadd", "groupdel", "groupmod", "newusers", "other", "passwd", "polkit-1"]
    + ["useradd", "userdel", "usermod", "vlock", "postlogin"]
)
DEEPEST = 16  # PAM_SUBSTACK_MAX_LEVEL, and of sshd SERVCONF_MAX_DEPTH
_INCLUDES = ("@include", "include", "substack")
_WORD = re.compile(r"\[(?:\\\]|[^\]])*\]|[^ \t]+")

Files = t.Mapping[str, bytes]


class Line(t.NamedTuple):
    """A line of a stack: its type, its control as written, the module or the file that is included, and the arguments."""

    kind: str
    control: str
    module: str
    arguments: t.Tuple[str, ...]
    where: str


class Stack(t.NamedTuple):
    """What a service does with pam_limits.

    ``limits`` are its lines with that module, in order. ``doubt`` is the place of a line that may jump over them, ``broken`` that
    of one that includes what is not there: every session is refused then.
    """

    service: str
    path: str
    limits: t.Tuple[Line, ...]
    doubt: t.Optional[str] = None
    broken: t.Optional[str] = None

    @property
    def arguments(self) -> t.Tuple[str, ...]:
        """The arguments of pam_limits."""
        return tuple(word for line in self.limits for word in line.arguments)

    @property
    def conf(self) -> t.Optional[str]:
        """The file that pam_limits reads in place of all others."""
        named = [word[5:] for word in self.arguments if word.startswith("conf=")]
        return named[-1] if named else None


def lines(path: str, data: bytes) -> t.List[Line]:
    """The lines of a file in pam.d. A backslash at the end joins lines, a ``#`` starts a comment."""
    found: t.List[Line] = []
    text, first = "", 0
    for number, raw in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        first = first or number
        bare = re.sub(r"(?<!\\)#.*", "", raw)
        if bare.endswith("\\"):
            text += bare[:-1] + " "
            continue
        words = _WORD.findall(text + bare.rstrip("\r"))
        where = "{0}:{1}".format(path, first)
        text, first = "", 0
        if len(words) >= 2 and words[0].lower() == "@include":
            found.append(Line("@include", "@include", words[1], (), where))
        elif len(words) >= 3:
            found.append(Line(words[0].lstrip("-").lower(), words[1].lower(), words[2], tuple(words[3:]), where))
    return found


def places(name: str, own: bool = False) -> t.List[str]:
    """Where a service, or a file that is included, may be; the first that is there counts. A name may lead into a directory.

    :param own: leave out directories of vendors.
    """
    directories = DIRECTORIES[:1] if own else DIRECTORIES
    return [name] if name.startswith("/") else [directory + "/" + name for directory in directories]


def find(name: str, files: Files, own: bool = False) -> t.Optional[str]:
    """The path of a service, or of a file that is included."""
    return next((path for path in places(name, own) if path in files), None)


def _names_included(files: Files) -> t.Set[str]:
    return {line.module for path, data in files.items() for line in lines(path, data) if line.control in _INCLUDES}


def included(files: Files, own: bool) -> t.List[str]:
    """Paths at which files may lie that others include."""
    return [path for name in sorted(_names_included(files)) for path in places(name, own)]


def _sessions(path: str, files: Files, own: bool, around: t.Tuple[str, ...] = ()) -> t.List[Line]:
    """The lines of type session of a file and of those that it includes; one stays that includes what cannot be had.

    :param around: the files that include this one; what includes itself comes to the deepest level, and to nothing.
    """
    found: t.List[Line] = []
    chain = around + (path,)
    for line in lines(path, files[path]):
        if line.kind == "session" and line.control not in _INCLUDES:
            found.append(line)
        elif line.kind in ("@include", "session"):
            target = find(line.module, files, own) if len(chain) < DEEPEST else None
            found += _sessions(target, files, own, chain) if target and target not in chain else [line]
    return found


def _reach(line: Line) -> int:
    """How many of the next lines a line may skip: a jump of that many, or everything."""
    if line.control == "sufficient" or re.search(r"=\s*done\b", line.control):
        return 1 << 16
    return max([int(number) for number in re.findall(r"=\s*([0-9]+)", line.control)] or [0])


def of_service(name: str, files: Files, own: bool = False) -> t.Optional[Stack]:
    """What a service does with pam_limits, None where there is no such service.

    :param own: what is included is looked for in /etc/pam.d alone.
    """
    path = find(name, files)
    if path is None:
        return None
    session = _sessions(path, files, own)
    broken = next((line.where for line in session if line.control in _INCLUDES), None)
    ours = [index for index, line in enumerate(session) if line.module.rpartition("/")[2] == "pam_limits.so"]
    doubt = None
    if ours:
        doubt = next((line.where for at, line in enumerate(session[: ours[0]]) if at + _reach(line) >= ours[0]), None)
    return Stack(name, path, tuple(session[index] for index in ours), doubt, broken)


def services(files: Files) -> t.List[str]:
    """The services that open sessions: not the files that others include, nor programs that only check a password."""
    inner = _names_included(files)
    names = {path.rpartition("/")[2] for path in files if path.rpartition("/")[0] in DIRECTORIES}
    # su-l includes su, which is a service all the same.
    return sorted(
        name
        for name in names
        if name in LOGINS
        or not (name in inner or name in _NO_SESSIONS or name.startswith(("common-", ".")) or "~" in name)
    )


def use_pam(files: Files) -> t.Tuple[t.Optional[bool], str]:
    """Whether sshd asks PAM, and the line that says so; None without a configuration of sshd.

    sshd_config(5): the first value counts, ``Include`` stands for the files that it names, and the value is no where none is given.
    """
    main = next((path for path in SSHD_CONFIGS if path in files), None)
    if main is None:
        return None, ""
    found = _first_use_pam(main, files, 0)
    return found if found is not None else (False, main)


def _sshd_words(data: bytes) -> t.Iterator[t.Tuple[int, str, t.List[str]]]:
    """Number, keyword and arguments of each line of a configuration of sshd."""
    for number, raw in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|[^\s="]+', raw.split("#")[0])]
        if words:
            yield number, words[0].lower(), words[1:]


def sshd_includes(data: bytes) -> t.List[str]:
    """Patterns of paths that a configuration of sshd includes; those that are relative lie in /etc/ssh."""
    return [
        _whole_pattern(word) for _number, keyword, words in _sshd_words(data) if keyword == "include" for word in words
    ]


def _whole_pattern(word: str) -> str:
    return word if word.startswith("/") else "/etc/ssh/" + word


def matching(pattern: str, names: t.Iterable[str]) -> t.List[str]:
    """The names that a pattern without directories names, in the order of glob(7); a hidden one only where it says so."""
    found = fnmatch.filter(names, pattern)
    return sorted(name for name in found if pattern.startswith(".") or not name.startswith("."))


def _first_use_pam(path: str, files: Files, depth: int) -> t.Optional[t.Tuple[bool, str]]:
    for number, keyword, words in _sshd_words(files[path]):
        if keyword == "match":
            return None
        if keyword == "usepam" and words:
            return words[0].lower() == "yes", "{0}:{1}".format(path, number)
        if keyword == "include" and depth < DEEPEST:
            for name in _included_by_sshd(words, files):
                found = _first_use_pam(name, files, depth + 1)
                if found is not None:
                    return found
    return None


def _included_by_sshd(words: t.Sequence[str], files: Files) -> t.List[str]:
    found = []
    for pattern in words:
        directory, _slash, last = _whole_pattern(pattern).rpartition("/")
        names = [path.rpartition("/")[2] for path in files if path.rpartition("/")[0] == directory]
        found += [directory + "/" + name for name in matching(last, names)]
    return found

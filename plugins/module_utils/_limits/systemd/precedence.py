# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which of the files about a unit decides. Private: not for use outside of ``tunefleet.linux``.

systemd.unit(5); src/shared/dropin.c and src/basic/conf-files.c: drop-ins are sorted by name over all directories, and of two with
one name that counts which lies in the earlier directory. The last assignment wins.
"""

import typing as t

from .. import conversion
from . import unit_file, unit_name

OWN_NAME = "99-tunefleet.conf"
OWN_DIRECTORY = "/etc/systemd/system"
# systemd.unit(5), table "Load path when running in system mode". /lib counts where it is no link to /usr/lib.
LOAD_PATH = (
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
)
# systemd-system.conf(5). The main file is read first, and only the first one that is there.
MANAGER_PATH = ("/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd")
MANAGER_SECTION = "Manager"

Files = t.Sequence[t.Tuple[str, bytes]]
Listing = t.Mapping[str, t.Sequence[str]]


class EffectiveLine(t.NamedTuple):
    """The line that decides a limit; without a file it is the manager's default."""

    pair: conversion.Pair
    file: str
    line: int

    @property
    def where(self) -> str:
        """``path:line``, as reports name it."""
        return "{0}:{1}".format(self.file, self.line)


def directories(names: t.Sequence[str], load_path: t.Sequence[str] = LOAD_PATH) -> t.List[str]:
    """Directories of drop-ins of a unit with all its names, those first whose files count before others of one name."""
    found = [place + "/" + entry for name in names for place in load_path for entry in unit_name.directory_names(name)]
    return list(dict.fromkeys(found + [place + "/" + unit_name.type_of(names[0]) + ".d" for place in load_path]))


def drop_ins(ordered: t.Sequence[str], listing: Listing) -> t.List[str]:
    """Paths of the drop-ins that count, in reading order.

    :param ordered: directories. :param listing: the names that each holds.
    """
    chosen: t.Dict[str, str] = {}
    for directory in ordered:
        for name in listing.get(directory, ()):
            if name.endswith(".conf") and not name.startswith("."):
                chosen.setdefault(name, directory + "/" + name)
    return [chosen[name] for name in sorted(chosen, key=lambda name: name.encode("utf-8", "surrogateescape"))]


def fragments(names: t.Sequence[str], load_path: t.Sequence[str] = LOAD_PATH) -> t.List[str]:
    """Paths where the file of a unit may be, the first one that is there counts; a template stands in for its instances."""
    found = [place + "/" + name for name in names for place in load_path]
    templates = [unit_name.template_of(name) for name in names]
    return found + [place + "/" + template for template in templates if template for place in load_path]


def effective_line(files: Files, section: str, item: str, prefix: str = "Limit") -> t.Optional[EffectiveLine]:
    """The line that sets a limit last, None where none does.

    A value that systemd does not understand counts for nothing, an empty one as well (config_parse_rlimit). A file of a unit at
    which it stops ends alone; with one of the manager all that come after it are passed over (config_parse_many_files).
    """
    key = prefix + conversion.ITEMS[item].name
    winner = None
    for path, data in files:
        for entry in unit_file.assignments(data):
            if entry.section == section and entry.key == key:
                pair = conversion.read(item, entry.value)
                if pair is not None:
                    winner = EffectiveLine(pair, path, entry.last)
        if section == MANAGER_SECTION and not unit_file.is_read_to_its_end(data):
            break
    return winner


def manager_directories(kind: str) -> t.List[str]:
    """Directories of drop-ins of a manager's own configuration."""
    return ["{0}/{1}.conf.d".format(place, kind) for place in MANAGER_PATH]


def manager_files(kind: str) -> t.List[str]:
    """Where the main file of a manager's configuration may be."""
    return ["{0}/{1}.conf".format(place, kind) for place in MANAGER_PATH]

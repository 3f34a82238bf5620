# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Finds and reads profile files; the one place of ``plugin_utils`` that touches the file system.

Private: not for use outside of ``tunefleet.linux``.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from . import compose, validation, yaml_lines
from . import model as profile_model

ROLES = Path(__file__).resolve().parents[3] / "roles"


class Library:
    """The profiles of the collection, and those of the user.

    :param folders: where the user's NAME.yml lie; one that is not there holds none.
    :param roles: where the collection's NAME/files/profile.yml lie.
    """

    def __init__(self, folders: Sequence[Path] = (), roles: Path = ROLES) -> None:
        self._folders = list(dict.fromkeys(folders))
        self._roles = roles
        self._loaded: dict[str, profile_model.Profile] = {}
        # Where each profile that was read says what it extends.
        self._extends: dict[str, str] = {}

    @cached_property
    def places(self) -> Mapping[str, Sequence[Path]]:
        """For each name, the files that claim it."""
        places: dict[str, list[Path]] = {}
        for path in sorted(self._roles.glob("*/files/profile.yml")):
            places.setdefault(path.parents[1].name, []).append(path)
        for folder in self._folders:
            for path in sorted(folder.glob("*.yml")):
                places.setdefault(path.stem, []).append(path)
        return places

    @cached_property
    def shared_sources(self) -> Mapping[str, profile_model.Source]:
        """The texts that every profile may refer to."""
        return validation.check_sources(_read(self._roles / "tune" / "files" / "sources.yml"))

    @cached_property
    def quotes(self) -> profile_model.Quotes:
        """What the two documents say on the lines that profiles name."""
        data: Mapping[str, Mapping[str, t.Any]] = _read(self._roles / "tune" / "files" / "quotes.yml").data
        return {
            source: {
                int(line): profile_model.Quote(**said) if isinstance(said, dict) else profile_model.Quote(str(said))
                for line, said in lines.items()
            }
            for source, lines in data.items()
        }

    def load(self, names: Iterable[str]) -> Mapping[str, profile_model.Profile]:
        """The named profiles and everything they extend, by name."""
        names = list(names)
        for name in names:
            self._load(name, asked_by=())
        wanted = set(names).union(*(compose.ancestors(self._loaded[name], self._loaded) for name in names))
        return {name: self._loaded[name] for name in sorted(wanted)}

    def _load(self, name: str, asked_by: tuple[str, ...]) -> None:
        if name in asked_by:
            circle = " -> ".join((*asked_by[asked_by.index(name) :], name))
            where = self._extends[asked_by[-1]]
            raise profile_model.ProfileProblem(
                f"{where}: profiles extend each other in a circle: {circle}. Remove one 'extends' of it."
            )
        if name in self._loaded:
            return
        document = _read(self._find(name, asked_by))
        self._extends[name] = document.place(("extends",))
        profile = validation.check_profile(name, document, self.shared_sources)
        for parent in profile.extends:
            self._load(parent, (*asked_by, name))
        self._loaded[name] = profile

    def _find(self, name: str, asked_by: Sequence[str]) -> Path:
        found = self.places.get(name, [])
        if len(found) == 1:
            return found[0]
        if found:
            claims = profile_model.listed([str(path) for path in found])
            raise profile_model.ProfileProblem(
                f"The profile {name!r} is ambiguous: {claims} claim the name. Rename one."
            )
        wanted_by = f", which {asked_by[-1]!r} extends" if asked_by else ""
        folders = profile_model.listed([str(folder) for folder in self._folders]) or "no further folder"
        raise profile_model.ProfileProblem(
            f"There is no profile {name!r}{wanted_by}{validation.suggest(name, self.places)} "
            f"Known are {profile_model.listed(sorted(self.places)) or 'none'}; looked in the collection and in {folders}."
        )


def resolve(
    library: Library,
    names: t.Any,
    prefer: str = "",
    sysctl: t.Any = None,
    limits: t.Any = None,
    allow_audit_only: bool = True,
) -> dict[str, t.Any]:
    """What the named profiles want together, as the module ``profile`` takes it.

    :param names: names, lists of names and comma-separated names.
    :param prefer: the profile that decides where two contradict each other.
    :param sysctl: overrides: what to want of a key in place of what the profiles say.
    :param limits: overrides: what to want of a target and item in place of what the profiles say.
    :param allow_audit_only: whether profiles that must never be applied are welcome.
    :raises ProfileProblem: whenever something about this is wrong, and nothing else.
    """
    wanted = _names(names)
    profiles = library.load(wanted)
    if prefer and prefer not in profiles:
        known = profile_model.listed(sorted(profiles))
        raise profile_model.ProfileProblem(
            f"prefer names {prefer!r}, which is not one of {known}{validation.suggest(prefer, profiles)}"
        )
    if not allow_audit_only:
        _refuse_audit_only(wanted, profiles)
    settings, rules = validation.check_overrides(sysctl or {}, limits or [])
    return compose.compose(wanted, profiles, prefer, settings, rules)


def _names(given: t.Any) -> list[str]:
    """The names in what a user gave, flat, in order, each once."""
    names: dict[str, None] = {}
    queue = [given]
    while queue:
        item = queue.pop(0)
        if isinstance(item, (list, tuple)):
            queue[:0] = item
        elif isinstance(item, str) and "," in item:
            queue[:0] = item.split(",")
        elif isinstance(item, str) and not item.strip():
            continue
        elif isinstance(item, str) and validation.is_profile_name(item.strip()):
            names[item.strip()] = None
        else:
            raise profile_model.ProfileProblem(
                f"The name of a profile is letters, digits, '_' and '-', found {item!r}."
            )
    if not names:
        raise profile_model.ProfileProblem("No profile is named; name at least one, as in web_server.")
    return list(names)


def _refuse_audit_only(names: Sequence[str], profiles: Mapping[str, profile_model.Profile]) -> None:
    # What is extended counts too: a profile built on one that must not be applied applies it.
    for name in sorted(profiles):
        if profiles[name].audit_only:
            through = (
                "" if name in names else f" (extended by what was asked for, {profile_model.listed(sorted(names))})"
            )
            raise profile_model.ProfileProblem(
                f"The profile {name!r}{through} is there to compare hosts with and never to be applied: {profiles[name].summary} "
                "Run it in check mode, for example with the playbook tunefleet.linux.audit."
            )


def _read(path: Path) -> yaml_lines.Document:
    """Read one YAML file, whatever state it is in."""
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise profile_model.ProfileProblem(f"{path}: the file cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise profile_model.ProfileProblem(f"{path}:{line}: the file is not UTF-8 (byte 0x{byte:02x}).") from error
    return yaml_lines.read_document(str(path), text)

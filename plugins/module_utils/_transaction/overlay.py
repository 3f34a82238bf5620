# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A hypothetical host: the real one after some changes, for planners. Private to ``tunefleet.linux``."""

import typing as t

from .._core import steps as step_types
from .._limits import conversion
from .._sysctl import names as sysctl_names

if t.TYPE_CHECKING:
    from .._host import host as hosts


class HostOverlay:
    """A host on which some kernel parameters, files and limits of processes differ from the real one. It can only be read."""

    def __init__(self, host: "hosts.Host") -> None:
        self._host = host
        # Texts of kernel parameters and limits of processes, by path below /proc.
        self._live: t.Dict[str, str] = {}
        self._limits: t.Dict[str, t.Dict[str, conversion.Pair]] = {}
        # Contents of files by the path behind all links (None: no such file), and those paths by path.
        self._files: t.Dict[str, t.Optional[bytes]] = {}
        self._paths: t.Dict[str, str] = {}

    def __getattr__(self, name: str) -> t.Any:
        """Everything else is as on the real host."""
        return getattr(self._host, name)

    def as_host(self) -> "hosts.Host":
        """The overlay itself, with the type that planners expect."""
        return t.cast("hosts.Host", self)

    # -- changes -----------------------------------------------------------------------------------------------------------

    def simulate(self, steps: t.Iterable[step_types.Step]) -> None:
        """Change the overlay as steps would change the host."""
        for step in steps:
            step.overlay(self)

    def set_sysctl(self, key: str, text: str) -> None:
        self._live[sysctl_names.to_path(key)] = text

    def write_file(self, path: str, real: str, data: t.Optional[bytes]) -> None:
        self._files[real] = data
        self._paths[path] = real

    def set_rlimit(self, pid: int, number: int, pair: conversion.Pair) -> None:
        self._limits.setdefault("/proc/{0}/limits".format(pid), {})[conversion.item_of(number)] = pair

    # -- what planners read from a host ---------------------------------------------------------------------------------------

    def sysctl(self, key_path: str) -> "hosts.Live":
        live = self._host.sysctl(key_path)
        return live._replace(text=self._live[key_path]) if key_path in self._live and live.exists else live

    def sysctl_text(self, key_path: str) -> t.Optional[str]:
        return self.sysctl(key_path).text

    def exists(self, path: str) -> bool:
        real = self._real(path)
        return self._files[real] is not None if real in self._files else self._host.exists(path)

    def read_text(self, path: str) -> t.Optional[str]:
        real = self._real(path)
        if real not in self._files:
            text = self._host.read_text(path)
            return text if text is None or path not in self._limits else conversion.rewritten(text, self._limits[path])
        data = self._files[real]
        return None if data is None else data.decode("utf-8", "surrogateescape").strip()

    def listdir(self, directory: str) -> t.List[str]:
        names = set(self._host.listdir(directory))
        for path, real in self._paths.items():
            parent, _slash, name = path.rpartition("/")
            if parent == directory:
                (names.discard if self._files[real] is None else names.add)(name)
        return sorted(names)

    def read_or_none(self, path: str) -> t.Optional[bytes]:
        real = self._real(path)
        return self._files[real] if real in self._files else self._host.read_or_none(path)

    def read_managed(self, path: str) -> "hosts.File":
        file = self._host.read_managed(path)
        return file._replace(data=self._files[file.real]) if file.real in self._files else file

    def _real(self, path: str) -> str:
        return self._paths[path] if path in self._paths else self._host.real(path)

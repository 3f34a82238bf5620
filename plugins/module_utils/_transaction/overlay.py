# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host as it would be after some changes, to plan on. Private to ``tunefleet.linux``."""

import typing as t

from .._core import steps as step_types
from .._limits import conversion
from .._sysctl import names as sysctl_names

if t.TYPE_CHECKING:
    from .._host import host as hosts


class HostOverlay:
    """A host on which some kernel parameters, files and limits of processes are different. Only for looking: writes go nowhere.

    :param live: text by key. :param files: the path behind all links and its bytes (None: no such file), by path.
    :param processes: steps that are taken as carried out.
    """

    def __init__(
        self,
        host: "hosts.Host",
        live: t.Mapping[str, str],
        files: t.Mapping[str, t.Tuple[str, t.Optional[bytes]]],
        processes: t.Iterable[step_types.SetRlimit] = (),
    ) -> None:
        self._host = host
        self._live = {sysctl_names.to_path(key): text for key, text in live.items()}
        self._files = dict(files.values())
        self._paths = {path: real for path, (real, _data) in files.items()}
        self._limits: t.Dict[str, t.Dict[str, conversion.Pair]] = {}
        self.carry_out(processes)

    def __getattr__(self, name: str) -> t.Any:
        """Everything else is as the host has it."""
        return getattr(self._host, name)

    def as_host(self) -> "hosts.Host":
        """The same, for those who ask for a host."""
        return t.cast("hosts.Host", self)

    def carry_out(self, steps: t.Iterable[t.Any]) -> None:
        """Become what the host would be after some steps."""
        for step in steps:
            if isinstance(step, step_types.SetSysctl):
                self._live[sysctl_names.to_path(step.key)] = step.after
            elif isinstance(step, step_types.WriteFile):
                self._files[step.real] = step.after
                self._paths[step.path] = step.real
            elif isinstance(step, step_types.SetRlimit):
                limits = self._limits.setdefault("/proc/{0}/limits".format(step.pid), {})
                limits[conversion.item_of(step.number)] = step.after

    # -- what the host is asked for ---------------------------------------------------------------------------------------

    def sysctl(self, key_path: str) -> "hosts.Live":
        found = self._host.sysctl(key_path)
        return found._replace(text=self._live[key_path]) if key_path in self._live and found.exists else found

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
        found = set(self._host.listdir(directory))
        for path, real in self._paths.items():
            parent, _slash, name = path.rpartition("/")
            if parent == directory:
                (found.discard if self._files[real] is None else found.add)(name)
        return sorted(found)

    def read_or_none(self, path: str) -> t.Optional[bytes]:
        real = self._real(path)
        return self._files[real] if real in self._files else self._host.read_or_none(path)

    def read_managed(self, path: str) -> "hosts.File":
        found = self._host.read_managed(path)
        return found._replace(data=self._files[found.real]) if found.real in self._files else found

    def _real(self, path: str) -> str:
        return self._paths[path] if path in self._paths else self._host.real(path)

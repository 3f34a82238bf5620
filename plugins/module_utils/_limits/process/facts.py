# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""facts. Private to ``tunefleet.linux``."""

import typing as t

from . import proc

if t.TYPE_CHECKING:
    from ..._host import host as hosts


def find_processes(host: "hosts.Host", name: str) -> t.List[proc.Process]:
    """The processes with a name, or the process of a pid file."""
    if name.startswith("/"):
        words = (host.read_text(name) or "").split()
        pids = words[:1] if words and words[0].isdigit() else []
    else:
        pids = [pid for pid in host.processes() if matches_name(host, pid, name)]
    found = [proc.read(host, pid) for pid in pids]
    return [entry for entry in found if entry is not None]


def matches_name(host: "hosts.Host", pid: str, name: str) -> bool:
    """The kernel keeps 15 bytes of a name (TASK_COMM_LEN), so a longer one is looked for in the command line as well."""
    short = name.encode("utf-8", "surrogateescape")[:15].decode("utf-8", "surrogateescape")
    if host.read_text("/proc/{0}/comm".format(pid)) != short:
        return False
    first = (host.read_text("/proc/{0}/cmdline".format(pid)) or "").partition("\0")[0]
    return short == name or first.rpartition("/")[2] == name

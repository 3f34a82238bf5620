# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hosts reached by ssh, as those of a fleet are: an OpenSSH server in the namespaces of each, and no network between.

The client starts the server and talks to it through pipes (ProxyCommand of ssh_config(5), -i of sshd(8)), so nothing listens anywhere,
and the time that a network would add is not there.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

# Where tools/setup unpacks the package of a machine that has no server installed.
UNPACKED = Path(__file__).resolve().parent.parent / ".cache" / "sshd"
CONFIGURATION = """
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user_key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
PrintLastLog no
Subsystem sftp {sftp}
"""


def programs() -> list[Path]:
    """The server and its part for files, where they are or where they would be expected."""
    root = UNPACKED if UNPACKED.is_dir() else Path("/")
    return [root / "usr/sbin/sshd", root / "usr/lib/openssh/sftp-server"]


def missing() -> list[str]:
    """What this machine lacks for a benchmark by ssh."""
    return [name for name in ("ssh", "ssh-keygen") if shutil.which(name) is None] + [
        str(path) for path in programs() if not path.exists()
    ]


class Server:
    """What starts a server, and keys that are good for one benchmark."""

    def __init__(self, folder: Path) -> None:
        program, sftp = programs()
        self._folder = folder
        folder.mkdir(parents=True)
        for name in ("host_key", "user_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        (folder / "sshd_config").write_text(CONFIGURATION.format(folder=folder, sftp=sftp), encoding="utf-8")
        libraries = [str(path.parent) for path in UNPACKED.glob("usr/lib/*/libwrap.so.0")]
        self._argv = ["env", f"LD_LIBRARY_PATH={':'.join(libraries)}"] if libraries else []
        self._argv += [str(program), "-i", "-f", str(folder / "sshd_config")]

    def variables(self, enter: Sequence[str]) -> str:
        """The connection variables of a host, which the command ``enter`` goes into."""
        proxy = shlex.join([*enter, *self._argv])
        options = (
            f'-o ProxyCommand="{proxy}" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR'
        )
        return (
            f"ansible_connection=ssh ansible_user=root ansible_ssh_private_key_file={self._folder / 'user_key'} "
            f"ansible_ssh_common_args='{options}'"
        )


def hang_up(sockets: Path) -> None:
    """End the connections that Ansible keeps for a minute, so that each run makes its own, as the first in a change window does."""
    for socket in sorted(sockets.glob("*")):
        argv = ["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "host"]
        subprocess.run(argv, check=False, capture_output=True)

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A Debian with a kernel of its own in an emulator, reached through ssh on a loopback port.

Unlike a container it has every capability, its own fs.nr_open and logins through a real sshd, and a reboot is a reboot.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STORE = ROOT / ".cache" / "vm"
PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "mmdebstrap": "mmdebstrap",
    "mke2fs": "e2fsprogs",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "tar": "tar",
}
# A change here makes a new image by itself.
RECIPE: dict[str, object] = {
    "format": 1,
    "suite": "bookworm",
    "packages": [
        "dbus",
        "iproute2",
        "libpam-modules",
        "libpam-systemd",
        "linux-image-cloud-amd64",
        "login",
        "openssh-server",
        "passwd",
        "procps",
        "python3",
        "systemd-sysv",
        "util-linux",
    ],
    "without": ["/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*"],
    "files": {
        "/etc/fstab": "/dev/vda / ext4 defaults 0 1\n",
        "/etc/hostname": "tunefleet-vm\n",
        "/etc/hosts": "127.0.0.1 localhost tunefleet-vm\n",
        "/etc/systemd/network/20-wired.network": "[Match]\nName=e*\n\n[Network]\nDHCP=yes\n",
        # A service that stays as it is until somebody names it, and one that is named.
        "/etc/systemd/system/proof.service": (
            "[Service]\nExecStart=/usr/bin/sleep infinity\n\n[Install]\nWantedBy=multi-user.target\n"
        ),
        "/etc/systemd/system/bystander.service": (
            "[Service]\nExecStart=/usr/bin/sleep infinity\n\n[Install]\nWantedBy=multi-user.target\n"
        ),
    },
    "commands": [
        "useradd --create-home --shell /bin/bash alice",
        "systemctl enable systemd-networkd ssh proof bystander",
        "systemctl mask systemd-networkd-wait-online apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer man-db.timer",
    ],
    "size": "1500M",
}
# An emulated processor is some twenty times slower than a real one.
PATIENCE = 900


class NotHere(Exception):
    """The machine cannot be had; the text says why, and what would help."""


def missing() -> str:
    """Why there can be no such machine here, or nothing."""
    if os.geteuid() != 0:
        return "only root may make the image of the virtual machine"
    if platform.machine() != "x86_64":
        return f"the emulated machine is made for x86_64, and this is {platform.machine()}"
    packages = sorted({package for program, package in PROGRAMS.items() if shutil.which(program) is None})
    return f"not installed: try 'apt-get install {' '.join(packages)}' as root" if packages else ""


def run(command: Sequence[str | Path], timeout: float = PATIENCE, **options: object) -> str:
    ran = subprocess.run(  # type: ignore[call-overload]
        [str(word) for word in command],
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        **options,
    )
    if ran.returncode != 0:
        lines = (ran.stderr or ran.stdout).strip().splitlines()
        raise NotHere(f"{command[0]} failed: {' | '.join(lines[-4:]) or 'no message'}")
    return str(ran.stdout)


def image() -> tuple[Path, Path, Path, Path]:
    """Disk, kernel, initrd and ssh key of an image that exists; built where it is missing."""
    name = hashlib.sha256(json.dumps(RECIPE, sort_keys=True).encode()).hexdigest()[:12]
    folder = STORE / name
    files = folder / "disk", folder / "kernel", folder / "initrd", folder / "key"
    if not folder.is_dir():
        STORE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="making-", dir=STORE) as making:
            _build(Path(making))
            (Path(making) / "tree").rename(STORE / f"{name}.tree")
            shutil.rmtree(STORE / f"{name}.tree")
            os.rename(making, folder)
            os.mkdir(making)  # for what removes it
    return files


def _build(folder: Path) -> None:
    tree = folder / "tree"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key"])
    packages, without, commands, files = (RECIPE[name] for name in ("packages", "without", "commands", "files"))
    assert isinstance(packages, list) and isinstance(without, list)
    assert isinstance(commands, list) and isinstance(files, dict)
    mirror = [os.environ["TUNEFLEET_MIRROR"]] if os.environ.get("TUNEFLEET_MIRROR") else []
    run(
        [
            "mmdebstrap",
            "--variant=minbase",
            f"--include={','.join(packages)}",
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in without),
            str(RECIPE["suite"]),
            folder / "tree.tar",
            *mirror,
        ]
    )
    tree.mkdir()
    run(["tar", "--extract", "--numeric-owner", "--file", folder / "tree.tar", "--directory", tree])
    (folder / "tree.tar").unlink()
    for path, text in files.items():
        target = tree / path[1:]
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for command in commands:
        run(["chroot", tree, *command.split()])
    for home, owner in (("root", "root"), ("home/alice", "alice")):
        keys = tree / home / ".ssh"
        keys.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(folder / "key.pub", keys / "authorized_keys")
        run(["chroot", tree, "chown", "-R", f"{owner}:{owner}", f"/{home}/.ssh"])
    for kind, pattern in (("kernel", "vmlinuz-*"), ("initrd", "initrd.img-*")):
        shutil.copy(next((tree / "boot").glob(pattern)), folder / kind)
    run(["mke2fs", "-q", "-t", "ext4", "-d", tree, folder / "disk", str(RECIPE["size"])])


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Machine:
    """A running machine. What it writes to its disk goes when it ends."""

    def __init__(self, folder: Path) -> None:
        reason = missing()
        if reason:
            raise NotHere(reason)
        disk, kernel, initrd, self.key = image()
        self.port = _free_port()
        self.console = folder / "console"
        self._known = folder / "known_hosts"
        self._process = subprocess.Popen(
            [
                *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024"),
                *("-display", "none", "-monitor", "none", "-serial", f"file:{self.console}"),
                *("-kernel", str(kernel), "-initrd", str(initrd)),
                *("-append", "root=/dev/vda rw console=ttyS0 quiet mitigations=off"),
                *("-drive", f"file={disk},format=raw,if=virtio,snapshot=on"),
                *("-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{self.port}-:22"),
                *("-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.wait()
        except NotHere:
            self.close()
            raise

    def ssh_options(self) -> list[str]:
        """Options of ssh(1): nothing of the caller's own configuration, and a fresh connection each time."""
        options = {
            "IdentityFile": str(self.key),
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": str(self._known),
            "StrictHostKeyChecking": "accept-new",
            "BatchMode": "yes",
            "ConnectTimeout": "60",
            "ControlPath": "none",
            "LogLevel": "ERROR",
        }
        return ["-F", "none", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]

    def ssh(self, command: str, user: str = "root") -> str:
        """Output of a command in a new login session.

        :raises NotHere: when the login or the command fails.
        """
        return run(["ssh", *self.ssh_options(), "-p", str(self.port), f"{user}@127.0.0.1", command])

    def wait(self, other_than: str = "") -> str:
        """Until it is up; returns the id of this boot, which is another one than that given."""
        until = time.monotonic() + PATIENCE
        reason = ""
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise NotHere(f"the emulator ended with status {self._process.returncode}")
            try:
                boot = self.ssh("cat /proc/sys/kernel/random/boot_id; systemctl is-system-running --wait >&2 || true")
            except NotHere as problem:
                reason = str(problem)
            else:
                if boot != other_than:
                    return boot
            time.sleep(2)
        raise NotHere(f"the machine did not come up within {PATIENCE} s: {reason}")

    def reboot(self) -> None:
        """Restart it, and wait until it is up again."""
        boot = self.ssh("cat /proc/sys/kernel/random/boot_id")
        try:
            self.ssh("systemctl reboot")
        except NotHere:
            pass  # the connection may end before the command does
        self.wait(other_than=boot)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

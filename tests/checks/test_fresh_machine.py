# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``make apply`` on a Debian that has Python, make and git and nothing else, not even the package that makes a .venv.

The machine is a folder with its own mounts, processes and network. Two things keep it from touching the real one: what
belongs to the kernel as a whole is read-only in its /proc/sys, and the network's keys belong to its own network namespace.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import CACHE, is_root, must_pass, run, source_files
from support import ROOT as CHECKOUT

SUITE = "bookworm"
PACKAGES = "ca-certificates,git,make,python3"
# Named by what is in it, so that a change here makes a new one.
ARCHIVE = CACHE / f"fresh-{SUITE}-{PACKAGES.replace(',', '-')}.tar"

# $1 is the folder, $2 the command. The last two mounts make the keys of the own network, and only these, writable again.
INSIDE = """\
set -e
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --bind "$1/proc/sys" "$1/proc/sys"
mount -o remount,bind,ro "$1/proc/sys"
mount --bind "$1/proc/sys/net" "$1/proc/sys/net"
mount -o remount,bind,rw "$1/proc/sys/net"
exec chroot "$1" sh -c "$2"
"""


class Machine:
    """The fresh machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, command: str, *, network: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command line in it; on a network of its own, with nothing behind it, unless it needs the real one."""
        namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts"]
        if not network:
            namespaces.append("--net")
        # The caller's environment, for a package index may only be reachable through what is in there.
        env = dict(os.environ, PATH="/usr/sbin:/usr/bin:/sbin:/bin", HOME="/root", LANG="en_US.UTF-8", TMPDIR="/tmp")
        for name in (
            "ANSIBLE_CONFIG",
            "ANSIBLE_COLLECTIONS_PATH",
            "MAKEFLAGS",
            "MAKELEVEL",
            "PYTHONPATH",
            "VIRTUAL_ENV",
        ):
            env.pop(name, None)
        return run(["unshare", *namespaces, "sh", "-c", INSIDE, "sh", self.folder, command], cwd=Path("/"), env=env)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if not is_root():
        pytest.skip("a machine of its own needs root")
    for program in ("mmdebstrap", "unshare"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if not ARCHIVE.is_file():
        building = ARCHIVE.with_suffix(".new.tar")
        must_pass(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", SUITE, building])
        building.replace(ARCHIVE)
    folder = tmp_path_factory.mktemp("fresh") / "machine"
    folder.mkdir()
    # Device files cannot be made everywhere, and /dev is mounted over anyway.
    must_pass(["tar", "-x", "-f", ARCHIVE, "-C", folder, "--exclude=./dev/*"])
    # What this machine needs to reach the package indexes, so does that one.
    for name in ("etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt"):
        if Path("/", name).is_file():
            (folder / name).unlink(missing_ok=True)
            shutil.copyfile(Path("/", name), folder / name)
    for path in source_files():
        target = folder / "srv" / "tunefleet" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / path, target)
    try:
        yield Machine(folder)
    finally:
        # The mounts went with the namespaces of each command.
        shutil.rmtree(folder, ignore_errors=True)


def passed(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_fresh_machine(machine: Machine) -> None:
    """In the order of a first visit: each step stands on the one before."""
    done = machine.run("python3 -c 'import ensurepip'")
    assert "ModuleNotFoundError" in done.stdout, "the machine is not as poor as this test wants it"

    # A user without root is told what to run, in one sentence.
    done = machine.run(
        "chown -R nobody /srv/tunefleet; cd /srv/tunefleet; setpriv --reuid nobody --clear-groups make audit"
    )
    assert done.returncode != 0
    assert done.stdout.splitlines()[0] == (
        "tunefleet: Python's venv module is missing here; run: sudo apt-get install python3-venv"
    )

    # "make audit" needs the package index the first time; nothing is set up by hand.
    first = passed(machine.run("chown -R root /srv/tunefleet; make -C /srv/tunefleet audit", network=True))
    assert "Installing python3-venv ..." in first
    assert "Setting up .venv (once) ..." in first
    assert "would change" in first
    assert not (machine.folder / "etc/sysctl.d/99-tunefleet.conf").exists(), "an audit has written"

    # Without a network from here on: what was set up stays set up. One shell, for the live values live as long as its namespace.
    report = passed(machine.run("cd /srv/tunefleet; make apply && echo == && make apply && echo == && make audit"))
    apply, again, audit = report.split("==\n")
    assert "Setting up" not in apply
    assert "1 changed" in apply, apply
    assert "1 already as wanted" in again, again
    assert "1 clean" in audit, audit
    assert "net.ipv4.tcp_fin_timeout" in (machine.folder / "etc/sysctl.d/99-tunefleet.conf").read_text(encoding="utf-8")

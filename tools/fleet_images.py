# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make what the container fleet of molecule/default stands on.

    fleet_images.py build [SUITE ...]   one image per Debian suite, built only where it is missing; prints "SUITE IMAGE"
    fleet_images.py conf FILE           a containers.conf for this machine (its limits, a runtime that works)

Environment: TUNEFLEET_ENGINE (podman or docker), TUNEFLEET_IMAGE_<SUITE> (use this image, build nothing),
TUNEFLEET_MIRROR (Debian mirror for mmdebstrap; without it mmdebstrap's own default, through the machine's apt configuration).
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

SUITES = ("bullseye", "bookworm", "trixie")
REPOSITORY = "localhost/tunefleet/fleet"

# A server in small: systemd as PID 1, D-Bus, PAM with pam_limits, the programs of a real login, Python for Ansible.
# A change here changes the hash in the image's name, so that everybody gets the new image by itself.
RECIPE: dict[str, object] = {
    "format": 1,
    "variant": "minbase",
    "packages": [
        "bsdutils",
        "dbus",
        "iproute2",
        "libpam-modules",
        "login",
        "passwd",
        "procps",
        "python3",
        "systemd-sysv",
        "util-linux",
    ],
    "without": ["/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*"],
}

# The highest limits that a host of the fleet gets: what a run sets must be below (see molecule/default/converge.yml).
MOST_FILES = 1048576
LEAST_FILES = 8192
MOST_PROCESSES = 32768


class FleetError(Exception):
    """Something is missing or went wrong; the message is one sentence for a person."""


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def engine() -> str:
    name = os.environ.get("TUNEFLEET_ENGINE") or "podman"
    if name not in ("podman", "docker"):
        raise FleetError(f"TUNEFLEET_ENGINE is {name!r}: it must be podman or docker")
    need(name, "podman runc" if name == "podman" else "docker.io")
    return name


def need(program: str, packages: str) -> None:
    if shutil.which(program) is None:
        raise FleetError(f"{program} is not installed: try 'apt-get install {packages}' as root")


def run(argv: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, check=False, text=True, stdin=subprocess.DEVNULL, **options)  # type: ignore[call-overload,no-any-return]


def image_name(suite: str) -> str:
    recipe = json.dumps([RECIPE, suite, platform.machine()], sort_keys=True)
    return f"{REPOSITORY}:{suite}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def has_image(name: str) -> bool:
    return run([engine(), "image", "inspect", name], capture_output=True).returncode == 0


def complaint(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "Err:", "Error"))]
    return " | ".join((errors or lines)[-4:]) or "no message"


@contextlib.contextmanager
def only_one_builder() -> Iterator[None]:
    """Two runs at once build one after the other; the second then finds the image made."""
    path = Path(tempfile.gettempdir()) / f"tunefleet-fleet-images.{os.getuid()}.lock"
    with open(path, "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(suite: str, name: str) -> None:
    need("mmdebstrap", "mmdebstrap")
    packages = RECIPE["packages"]
    without = RECIPE["without"]
    assert isinstance(packages, list) and isinstance(without, list)
    with tempfile.TemporaryDirectory(prefix="tunefleet-fleet-") as folder:
        archive = str(Path(folder) / f"{suite}.tar")
        made = run(
            [
                "mmdebstrap",
                f"--variant={RECIPE['variant']}",
                f"--include={','.join(packages)}",
                *(f"--dpkgopt=path-exclude={pattern}" for pattern in without),
                suite,
                archive,
                *filter(None, [os.environ.get("TUNEFLEET_MIRROR")]),
            ],
            capture_output=True,
        )
        if made.returncode != 0:
            raise FleetError(f"mmdebstrap could not make {suite}: {complaint(made.stderr)}")
        taken = run([engine(), "import", archive, name], capture_output=True)
        if taken.returncode != 0:
            raise FleetError(f"{engine()} could not import {suite}: {complaint(taken.stderr)}")


def image(suite: str) -> str:
    """Return the name of an image of this suite that exists (or that the user named)."""
    named = os.environ.get(f"TUNEFLEET_IMAGE_{suite.upper()}")
    if named:
        if not has_image(named):
            raise FleetError(
                f"TUNEFLEET_IMAGE_{suite.upper()} names {named}, which {engine()} does not have: pull it first"
            )
        progress(f"{suite}: {named}, as TUNEFLEET_IMAGE_{suite.upper()} says")
        return named
    name = image_name(suite)
    with only_one_builder():
        if has_image(name):
            progress(f"{suite}: {name} is there")
            return name
        progress(f"{suite}: building {name} from Debian packages (about a minute) ...")
        start = time.monotonic()
        build(suite, name)
        progress(f"{suite}: built in {time.monotonic() - start:.0f} s")
    return name


def below(limit: int, most: int) -> int:
    return most if limit == resource.RLIM_INFINITY else min(limit, most)


def containers_conf() -> str:
    """podman's stock limits may exceed what this machine may give; crun refuses mixed cgroup versions, runc does not."""
    files = below(resource.getrlimit(resource.RLIMIT_NOFILE)[1], MOST_FILES)
    if files <= LEAST_FILES:
        raise FleetError(
            f"the hard limit of open files here is {files} (ulimit -Hn): the fleet needs more than {LEAST_FILES}"
        )
    processes = below(resource.getrlimit(resource.RLIMIT_NPROC)[1], MOST_PROCESSES)
    lines = [
        "[containers]",
        f'default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]',
    ]
    if shutil.which("runc") or any(Path(folder, "runc").exists() for folder in ("/usr/sbin", "/usr/local/sbin")):
        lines += ["[engine]", 'runtime = "runc"']
    return "\n".join(lines) + "\n"


def write_conf(path: Path) -> None:
    wanted = containers_conf()
    if path.exists() and path.read_text(encoding="utf-8") == wanted:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(wanted, encoding="utf-8")
    new.replace(path)
    print(f"wrote {path}")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    actions = parser.add_subparsers(dest="action", required=True)
    builder = actions.add_parser("build", help="build the images that are missing, print their names")
    builder.add_argument("suites", nargs="*", metavar="SUITE", help=f"default: {' '.join(SUITES)}")
    conf = actions.add_parser("conf", help="write a containers.conf for this machine")
    conf.add_argument("file", type=Path)
    asked = parser.parse_args(arguments)
    try:
        if asked.action == "conf":
            write_conf(asked.file)
        else:
            for suite in asked.suites or SUITES:
                print(f"{suite} {image(suite)}", flush=True)
    except FleetError as error:
        progress(f"fleet_images.py: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The far end of the oracle test: lays out sysctl.d files, lets the real programs apply them, reads what the kernel has then.

Runs as root on this machine or inside of a container, under the Python that is there (3.9 at the least), and needs nothing but
its standard library. It reads one case per line from its standard input, as JSON, and answers with one line.

What it lays out is in memory, in a mount namespace of its own; each run of a program gets a fresh network namespace; the rest of
/proc/sys is read-only. So nothing is left behind, however it ends.
"""

from __future__ import annotations

import ctypes
import glob
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
DIRECTORIES = (
    "/etc/sysctl.d",
    "/run/sysctl.d",
    "/usr/local/lib/sysctl.d",
    "/usr/lib/sysctl.d",
    "/lib/sysctl.d",
)
SYSCTL_CONF = "/etc/sysctl.conf"
LATER = "/run/later/sysctl.conf"
SYSTEMD_SYSCTL = ("/usr/lib/systemd/systemd-sysctl", "/lib/systemd/systemd-sysctl")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
# udev's rules.d/99-systemd.rules, for each interface that appears.
PREFIXES = ("/net/ipv4/conf/", "/net/ipv4/neigh/", "/net/ipv6/conf/", "/net/ipv6/neigh/")

libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags: int) -> None:
    if libc.unshare(flags) != 0:
        number = ctypes.get_errno()
        raise OSError(number, "unshare: " + os.strerror(number))


def mount(*arguments: str) -> None:
    subprocess.run(("mount",) + arguments, check=True, stdout=subprocess.DEVNULL)


def prepare() -> None:
    """Put memory under every place that a case writes to, and make what belongs to the whole machine read-only."""
    unshare(CLONE_NEWNS)
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "-o", "mode=0755", "tunefleet", "/run")
    bases = ["/etc", "/usr/lib", "/usr/local/lib"] + ([] if os.path.islink("/lib") else ["/lib"])
    for number, base in enumerate(bases):
        upper, work = f"/run/upper{number}", f"/run/work{number}"
        os.mkdir(upper)
        os.mkdir(work)
        mount("-t", "overlay", "-o", f"lowerdir={base},upperdir={upper},workdir={work}", "tunefleet", base)
    for directory in directories():
        os.makedirs(directory, exist_ok=True)
        mount("-t", "tmpfs", "-o", "mode=0755", "tunefleet", directory)
    os.mkdir(os.path.dirname(LATER))
    for name in os.listdir("/proc/sys"):
        if name != "net":
            mount("--bind", "/proc/sys/" + name, "/proc/sys/" + name)
            mount("-o", "remount,bind,ro", "/proc/sys/" + name)


def directories() -> list[str]:
    """/lib is usually a link to /usr/lib."""
    return [path for path in DIRECTORIES if path != "/lib/sysctl.d" or not os.path.islink("/lib")]


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)


def lay_out(tree: Sequence[Sequence[str]]) -> None:
    """Make what a case asks for, and nothing else, of what the readers look at."""
    for directory in directories():
        for name in os.listdir(directory):
            remove(directory + "/" + name)
    remove(SYSCTL_CONF)
    remove(LATER)
    for path, kind, content in tree:
        if os.path.dirname(path) in DIRECTORIES and os.path.dirname(path) not in directories():
            continue
        if kind == "file":
            with open(path, "wb") as stream:  # each sign of the text stands for one byte
                stream.write(content.encode("latin-1"))
        elif kind == "link":
            os.symlink(content, path)
        else:
            os.mkdir(path)


def read(key: str) -> tuple[str | None, bool]:
    """Text of a key (None: there is none, or it cannot be read) and whether it can be written."""
    path = "/proc/sys/" + key
    try:
        writable = bool(os.stat(path).st_mode & stat.S_IWUSR)
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None, False
    try:
        return os.read(descriptor, 1 << 18).decode("latin-1").rstrip("\n"), writable
    except OSError:
        return None, writable
    finally:
        os.close(descriptor)


def quiet(*arguments: str) -> None:
    subprocess.run(
        arguments,
        check=False,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def make_interfaces(names: Sequence[str]) -> None:
    for kind in ("dummy", "bridge", "ifb"):
        batch = "".join(f"link add {name} type {kind}\n" for name in names)
        made = subprocess.run(
            ["ip", "-batch", "-"],
            check=False,
            env=ENVIRONMENT,
            input=batch.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        if made.returncode == 0:
            return
    raise RuntimeError("ip cannot add an interface: " + made.stderr.decode("utf-8", "replace"))


def apply(case: dict[str, Any], tool: str, programs: dict[str, str]) -> dict[str, Any]:
    """What the kernel has before and after one program applied the files; in a fresh network namespace."""
    unshare(CLONE_NEWNET)
    interfaces = case["interfaces"]
    if interfaces:
        make_interfaces(interfaces)
    before = {key: read(key) for key in case["keys"]}
    words = (read("net/ipv4/tcp_allowed_congestion_control")[0] or "").split()
    if tool == "systemd":
        quiet(programs["systemd"])
        if case["replay"]:
            for name in interfaces:
                quiet(programs["systemd"], *("--prefix=" + prefix + name for prefix in PREFIXES))
    else:
        quiet(programs["procps"], "--system")
    if any(path == LATER for path, _kind, _content in case["tree"]):
        quiet(programs["procps"], "-e", "-q", "-p", LATER)
    return {
        "before": {key: text for key, (text, _writable) in before.items() if text is not None},
        "read_only": [key for key, (text, writable) in before.items() if text is not None and not writable],
        "after": {key: read(key)[0] for key in case["keys"]},
        "words": words,
    }


def in_child(function: Callable[..., dict[str, Any]], *arguments: Any) -> Any:
    """The result of a function that runs in a process of its own, so that its namespace ends with it."""
    receiving, sending = os.pipe()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.close(receiving)
            with os.fdopen(sending, "w") as stream:
                try:
                    json.dump(function(*arguments), stream)
                    status = 0
                except Exception as error:
                    stream.write(json.dumps({"error": repr(error)}))
        finally:
            os._exit(status)
    os.close(sending)
    with os.fdopen(receiving) as stream:
        text = stream.read()
    os.waitpid(pid, 0)
    return json.loads(text or '{"error": "no answer"}')


def programs() -> tuple[dict[str, str], dict[str, list[int]]]:
    """The readers that are here, and their versions."""
    found: dict[str, str] = {}
    versions: dict[str, list[int]] = {}
    for path in SYSTEMD_SYSCTL:
        if os.path.exists(path) and "systemd" not in found:
            text = subprocess.run([path, "--version"], check=False, stdout=subprocess.PIPE).stdout.decode()
            found["systemd"] = path
            versions["systemd"] = [int(number) for number in re.findall(r"^systemd (\d+)", text)]
    program = shutil.which("sysctl", path=ENVIRONMENT["PATH"])
    if program:
        text = subprocess.run(
            [program, "--version"], check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        ).stdout.decode()
        match = re.search(r"procps-ng (\d+)\.(\d+)\.(\d+)", text)
        if match:
            found["procps"] = program
            versions["procps"] = [int(number) for number in match.groups()]
    return found, versions


def libraries() -> list[str]:
    """Names of the files by which a host is told its versions."""
    folders = ("/usr/lib", "/usr/lib64", "/usr/lib/*-linux-*", "/lib", "/lib64", "/lib/*-linux-*")
    patterns = [folder + rest for folder in folders for rest in ("/systemd/*.so", "/libproc*.so*")]
    return sorted(path for pattern in patterns for path in glob.glob(pattern))


def main() -> None:
    found, versions = programs()
    names = libraries()
    prepare()
    print(json.dumps({"versions": versions, "directories": directories(), "libraries": names}), flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        try:
            lay_out(case["tree"])
            answer = {tool: in_child(apply, case, tool, found) for tool in case["tools"] if tool in found}
        except Exception as error:
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

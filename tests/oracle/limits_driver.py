# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The far end of the oracle test for limits: lays out files of limits.conf(5) and opens sessions with the pam_limits that is there.

Runs as root on this machine or inside of a container, under the Python that is there (3.9 at the least), and needs nothing but
its standard library. It reads one case per line from its standard input, as JSON, and answers with one line.

Everything lies in memory, in a mount namespace of its own, and each session is a process of its own.
"""

from __future__ import annotations

import base64
import ctypes
import glob
import json
import os
import re
import resource
import subprocess
import sys
from typing import Any

CLONE_NEWNS = 0x00020000
PR_GET_NO_NEW_PRIVS = 39
MAIN = "/etc/security/limits.conf"
DIRECTORY = "/etc/security/limits.d"
SERVICES = "/run/tunefleet-pam.d"
LIMITS = range(16)
# Into which of these a session is locked is told.
DIRECTORIES = ("/etc", "/run")

libc = ctypes.CDLL(None, use_errno=True)


class Conversation(ctypes.Structure):
    _fields_ = (("function", ctypes.c_void_p), ("data", ctypes.c_void_p))


def mount(*arguments: str) -> None:
    subprocess.run(("mount",) + arguments, check=True, stdout=subprocess.DEVNULL)


def prepare() -> None:
    """Put memory under everything that a case writes to; messages of PAM go nowhere."""
    if libc.unshare(CLONE_NEWNS) != 0:
        number = ctypes.get_errno()
        raise OSError(number, "unshare: " + os.strerror(number))
    mount("--make-rprivate", "/")
    mount("-t", "tmpfs", "-o", "mode=0755", "tunefleet", "/run")
    os.mkdir("/run/upper")
    os.mkdir("/run/work")
    mount("-t", "overlay", "-o", "lowerdir=/etc,upperdir=/run/upper,workdir=/run/work", "tunefleet", "/etc")
    os.makedirs(DIRECTORY, exist_ok=True)
    mount("-t", "tmpfs", "-o", "mode=0755", "tunefleet", DIRECTORY)
    os.mkdir(SERVICES)
    for path in ("/dev/console", "/dev/log"):
        if os.path.exists(path):
            mount("--bind", "/dev/null", path)
    write("/etc/nsswitch.conf", b"passwd: files\ngroup: files\n")


def write(path: str, data: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(data)


def remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)


def lay_out(case: dict[str, Any]) -> None:
    """Make what a case asks for, and nothing else, of what pam_limits looks at."""
    remove(MAIN)
    for name in os.listdir(DIRECTORY):
        remove(DIRECTORY + "/" + name)
    for path, kind, content in case["tree"]:
        if kind == "file":
            write(path, content.encode("latin-1"))  # each sign of the text stands for one byte
        elif kind == "link":
            os.symlink(content, path)
        else:
            os.mkdir(path)
    users = "".join(f"{name}:x:{uid}:{gid}::/:/bin/sh\n" for name, uid, gid in case["users"])
    groups = "".join(f"{name}:x:{gid}:{','.join(members)}\n" for name, gid, members in case["groups"])
    write("/etc/passwd", users.encode())
    write("/etc/group", groups.encode())
    line = "session required pam_limits.so " + " ".join(case["arguments"])
    write(SERVICES + "/tunefleet", line.encode() + b"\n")


def session(user: str, caller: dict[str, list[int]]) -> dict[str, Any]:
    """What a session has; in a process of its own."""
    for number, (soft, hard) in caller.items():
        resource.setrlimit(int(number), (soft, hard))
    free = os.dup(0)  # the next descriptor
    os.close(free)
    known = {os.stat(path).st_dev: path for path in DIRECTORIES}  # each is a mount of its own
    pam = ctypes.CDLL("libpam.so.0")
    handle = ctypes.c_void_p()
    started = pam.pam_start_confdir(
        b"tunefleet", user.encode(), ctypes.byref(Conversation()), SERVICES.encode(), ctypes.byref(handle)
    )
    status = pam.pam_open_session(handle, 0) if started == 0 else -started
    return {
        "status": status,
        "descriptors": free,
        "limits": {number: resource.getrlimit(number) for number in LIMITS},
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "nonewprivs": libc.prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
        "directory": known.get(os.stat("/").st_dev),
    }


def in_child(user: str, caller: dict[str, list[int]]) -> Any:
    receiving, sending = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(receiving)
            try:
                text = json.dumps(session(user, caller))
            except Exception as error:
                text = json.dumps({"error": repr(error)})
            os.write(sending, text.encode())
        finally:
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving) as stream:
        text = stream.read()
    os.waitpid(pid, 0)
    return json.loads(text or '{"error": "no answer"}')


def hello() -> dict[str, Any]:
    """What this machine is: the module itself, and what the kernel allows."""
    places = ("/usr/lib/*-linux-*/security", "/lib/*-linux-*/security", "/usr/lib64/security", "/usr/lib/security")
    found = [path for place in places for path in glob.glob(place + "/pam_limits.so")]
    # Both stay loaded, so that no session has to load them.
    ctypes.CDLL("libpam.so.0")
    ctypes.CDLL(found[0])
    with open(found[0], "rb") as stream:
        module = stream.read()
    with open("/proc/self/status") as stream:
        capabilities = re.search(r"^CapEff:\s*(\w+)", stream.read(), re.MULTILINE)
    with open("/proc/1/limits") as stream:
        first = stream.read()
    with open("/proc/sys/fs/nr_open") as stream:
        nr_open = int(stream.read())
    return {
        "module": base64.b64encode(module).decode(),
        "may_raise": bool(int(capabilities.group(1), 16) & 1 << 24) if capabilities else False,
        "first": first,
        "nr_open": nr_open,
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "limits": {number: resource.getrlimit(number) for number in LIMITS},
    }


def main() -> None:
    prepare()
    print(json.dumps(hello()), flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        try:
            lay_out(case)
            answer: Any = {"sessions": [in_child(name, case["caller"]) for name, _uid, _gid in case["users"]]}
        except Exception as error:
            answer = {"error": repr(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

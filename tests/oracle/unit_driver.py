# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The far end of the oracle test of units: lays out files of systemd, lets the real manager read them, starts the units, reads limits.

Runs as root inside of a container whose process 1 is systemd, under the Python that is there (3.9 at the least). It reads one case
per line from its standard input, as JSON, and answers with one line. Everything it made goes before the next case.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
made: list[str] = []


def systemctl(*arguments: str) -> str:
    ran = subprocess.run(
        ["systemctl", *arguments],
        check=False,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return ran.stdout.decode("utf-8", "surrogateescape")


def blocks(text: str) -> list[dict[str, str]]:
    return [dict(line.partition("=")[::2] for line in block.splitlines()) for block in text.split("\n\n") if block]


def make_directory(path: str) -> None:
    if not os.path.isdir(path):
        make_directory(os.path.dirname(path))
        os.mkdir(path)
        made.append(path)


def lay_out(tree: Sequence[Sequence[str]]) -> None:
    while made:
        path = made.pop()
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)
    for path, kind, content in tree:
        make_directory(os.path.dirname(path))
        if kind == "file":
            with open(path, "wb") as stream:  # each sign of the text stands for one byte
                stream.write(content.encode("latin-1"))
        elif kind == "link":
            os.symlink(content, path)
        else:
            os.mkdir(path)
        made.append(path)


def limits_of(pid: str) -> str:
    try:
        with open(f"/proc/{pid}/limits") as stream:
            return stream.read()
    except OSError:
        return ""


def answer(case: dict[str, Any]) -> dict[str, Any]:
    lay_out(case["tree"])
    systemctl("daemon-reload")
    units = case["units"]
    properties = ",".join(case["properties"])
    # A failed start is an answer too: no process. Without waiting, for a unit that never gets ready would hold up all of them.
    systemctl("start", *units)
    shown = blocks(systemctl("show", "-p", "Id,LoadState,MainPID," + properties, "--", *units))
    manager = blocks(systemctl("show", "-p", ",".join("Default" + name for name in case["properties"])))
    running = {name: limits_of(one["MainPID"]) for name, one in zip(units, shown) if one.get("MainPID", "0") != "0"}
    systemctl("kill", "-s", "KILL", *units)
    systemctl("stop", *units)
    systemctl("reset-failed", *units)
    return {"units": dict(zip(units, shown)), "manager": manager[0], "running": running}


def main() -> None:
    version = re.findall(r"^systemd (\d+)", systemctl("--version"))[0]
    print(json.dumps({"version": int(version), "init": limits_of("1")}), flush=True)
    for line in sys.stdin:
        try:
            found = answer(json.loads(line))
        except Exception as error:
            found = {"error": repr(error)}
        print(json.dumps(found), flush=True)
    lay_out([])
    systemctl("daemon-reload")


if __name__ == "__main__":
    main()

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs modules inside of namespaces, for the tests. A program: one request a line on standard input, one answer a line back.

Each run is a process of its own that gets its arguments on standard input, as with Ansible's own debugging. It is forked
from a Python that has Ansible and what the modules import loaded already, because loading is most of what a run takes.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import pkgutil
import runpy
import signal
import sys
import tempfile
import traceback
from typing import Any

_MODULES = importlib.import_module("ansible_collections.tunefleet.linux.plugins.modules")
# Loaded once, so that no run has to wait for it; the module itself is executed anew by each.
for _module in pkgutil.iter_modules(_MODULES.__path__, _MODULES.__name__ + "."):
    importlib.import_module(_module.name)
    del sys.modules[_module.name]

_LONGEST_RUN = 30  # seconds; a run that takes longer is ended


def _enter(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    namespaces = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("net", "ipc", "mnt")]
    for descriptor in namespaces:
        if libc.setns(descriptor, 0) != 0:
            raise OSError(ctypes.get_errno(), f"setns to process {pid}")
        os.close(descriptor)


def _work(pid: int, module: str) -> int:
    """The child: enter the namespace and be the module."""
    signal.alarm(_LONGEST_RUN)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape")
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace")
    status = 0
    try:
        _enter(pid)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        given.write(request["stdin"].encode())
        given.seek(0)
        child = os.fork()
        if child == 0:
            for number, stream in enumerate((given, out, error)):
                os.dup2(stream.fileno(), number)
            os._exit(_work(request["pid"], request["module"]))
        _pid, ended = os.waitpid(child, 0)
        status = os.WEXITSTATUS(ended) if os.WIFEXITED(ended) else -os.WTERMSIG(ended)
        texts = []
        for stream in (out, error):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "surrogateescape"))
    return {"status": status, "stdout": texts[0], "stderr": texts[1]}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)

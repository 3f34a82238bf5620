# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Opens sessions with the installed pam_limits. Private: not for use outside of ``tunefleet.linux``.

A program of its own, which ``_host.Host.sessions`` starts with this very text: sessions that it opens change what a process may
do, and the module must not be that process. It gets its request as JSON on its standard input, and answers with one line.

No installed file is touched and no installed stack is used: pam_start_confdir(3), in Linux-PAM since 1.4.0, takes a directory of
its own, in which one stack has pam_limits and nothing else. Every session is a process of its own, which ends at once.
"""

import ctypes
import json
import os
import shutil
import signal
import sys
import tempfile
import typing as t

# A name service that does not answer must not keep the module waiting.
_LONGEST = 10  # seconds
_SERVICE = "tunefleet"
_NO_START = 255
_DIED = 254


class Conversation(ctypes.Structure):
    """struct pam_conv. Without a function PAM tells nobody anything: pam_vprompt(3)."""

    _fields_ = (("function", ctypes.c_void_p), ("data", ctypes.c_void_p))


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(data)


def _open(pam: t.Any, directory: str, user: str) -> int:
    """What pam_open_session(3) says; in a process of its own."""
    handle = ctypes.c_void_p()
    conversation = Conversation()
    started = pam.pam_start_confdir(
        _SERVICE.encode(), os.fsencode(user), ctypes.byref(conversation), os.fsencode(directory), ctypes.byref(handle)
    )
    return _NO_START if started else int(pam.pam_open_session(handle, 0))


def _session(pam: t.Any, directory: str, user: str) -> int:
    """The same, whatever becomes of the process."""
    child = os.fork()
    if child == 0:
        status = _DIED
        try:
            signal.alarm(_LONGEST)
            status = _open(pam, directory, user)
        finally:
            os._exit(status)
    ended = os.waitpid(child, 0)[1]
    return os.WEXITSTATUS(ended) if os.WIFEXITED(ended) else _DIED


def _view(pam: t.Any, base: str, number: int, view: t.Dict[str, t.Any], users: t.List[str]) -> t.Dict[str, int]:
    """The status for each user under one reading of the files."""
    directory = os.path.join(base, str(number))
    os.mkdir(directory, 0o700)
    words = ["session", "required", "pam_limits.so"] + view["arguments"]
    if view["data"] is not None:
        _write(os.path.join(directory, "limits"), view["data"].encode("latin-1"))
        words.append("conf=" + os.path.join(directory, "limits"))
    _write(os.path.join(directory, _SERVICE), " ".join(words).encode() + b"\n")
    _write(os.path.join(directory, "other"), b"session required pam_deny.so\n")
    found: t.Dict[str, int] = {}
    for user in users:
        # What keeps one session waiting, such as a FIFO among the files, keeps them all.
        found[user] = _DIED if _DIED in found.values() else _session(pam, directory, user)
    return found


def _answer(request: t.Dict[str, t.Any]) -> t.Dict[str, t.Any]:
    try:
        pam = ctypes.CDLL("libpam.so.0")
    except OSError as error:
        return {"unavailable": "libpam cannot be loaded: {0}".format(error)}
    if not hasattr(pam, "pam_start_confdir"):
        return {"unavailable": "libpam is older than 1.4.0"}
    base = tempfile.mkdtemp(prefix="tunefleet-", dir="/run" if os.access("/run", os.W_OK) else None)
    try:
        found = [_view(pam, base, number, view, request["users"]) for number, view in enumerate(request["views"])]
    finally:
        shutil.rmtree(base, ignore_errors=True)
    pam.pam_strerror.restype = ctypes.c_char_p
    statuses = {status for view in found for status in view.values() if 0 < status < _DIED}
    return {"views": found, "texts": {str(statuse): pam.pam_strerror(None, statuse).decode() for statuse in statuses}}


def main() -> None:
    """Read a request, print an answer."""
    signal.alarm(3 * _LONGEST)
    sys.stdout.write(json.dumps(_answer(json.load(sys.stdin))) + "\n")


if __name__ == "__main__":
    main()

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of configuration files as bytes. Private: not for use outside of ``tunefleet.linux``."""

import typing as t


def split(data: bytes) -> t.List[bytes]:
    """The lines of a file with their ends; only a newline ends a line, as for the programs that read these files."""
    pieces = data.split(b"\n")
    whole = [piece + b"\n" for piece in pieces[:-1]]
    return whole + [pieces[-1]] if pieces[-1] else whole


def end_of(line: bytes) -> bytes:
    """The line end for a line that takes the place of this one."""
    return b"\r\n" if line.endswith(b"\r\n") else b"\n"


def join(lines: t.List[bytes], added: t.List[bytes], header: bytes) -> bytes:
    """The file made of its lines and of new ones behind them.

    A new file begins with the header. A last line without an end gets one first: else the new line would be glued to it.
    """
    if added and not lines:
        lines = [header]
    if added and not lines[-1].endswith(b"\n"):
        lines = lines[:-1] + [lines[-1] + b"\n"]
    return b"".join(lines + added)


def undecodable(data: bytes) -> t.Optional[int]:
    """Number of the first line that is not UTF-8, or None."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    return None

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reads and writes report files on the controller; the one place of the reports that touches the file system.

Private: not for use outside of ``tunefleet.linux``.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from .._console import text as console_text
from . import fleet as fleet_report

# A report says what is weak about a fleet, so it is the business of whoever made it, until they decide otherwise.
FILE_MODE = 0o600
FOLDER_MODE = 0o700


def load(path: Path) -> fleet_report.Data:
    """The document in a file.

    :raises FleetProblem: when there is none.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise fleet_report.FleetProblem(f"{console_text.one_line(path)} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise fleet_report.FleetProblem(
            f"{console_text.one_line(path)} is no fleet.json of tunefleet.linux: it is not UTF-8."
        ) from error
    return fleet_report.read(console_text.one_line(path), text)


def write(folder: Path, texts: dict[str, str]) -> list[Path]:
    """Write files, each whole or not at all, and return their paths. A file that exists keeps its mode.

    :raises FleetProblem: when a file cannot be written.
    """
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        for name, text in texts.items():
            _write(folder / name, text.encode("utf-8"))
    except FileExistsError as error:
        raise fleet_report.FleetProblem(
            f"The report cannot be written to {console_text.one_line(folder)}: that is no directory."
        ) from error
    except OSError as error:
        raise fleet_report.FleetProblem(
            f"The report cannot be written to {console_text.one_line(folder)}: {error.strerror}; name another directory by tune_report_dir."
        ) from error
    return [folder / name for name in texts]


def _write(path: Path, data: bytes) -> None:
    real = Path(os.path.realpath(path))
    mode = FILE_MODE
    if real.exists():
        if not real.is_file():
            raise fleet_report.FleetProblem(
                f"The report cannot be written to {console_text.one_line(path)}: there is something that is no file."
            )
        mode = stat.S_IMODE(real.stat().st_mode)
    handle, beside = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(beside, real)
    except BaseException:
        os.unlink(beside)
        raise

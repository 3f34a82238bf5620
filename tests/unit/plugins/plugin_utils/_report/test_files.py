# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import files as report_files
from ansible_collections.tunefleet.linux.plugins.plugin_utils._report import fleet as fleet_report
from ansible_collections.tunefleet.linux.tests.unit.plugins.plugin_utils._report.fleets import fleet


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert report_files.write(folder, {"x": "é\n", "y": ""}) == [folder / "x", folder / "y"]
    assert (folder / "x").read_bytes() == b"\xc3\xa9\n"
    assert (mode(folder), mode(folder / "x")) == (0o700, 0o600)
    assert sorted(os.listdir(folder)) == ["x", "y"]


def test_a_file_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    (tmp_path / "x").chmod(0o644)
    report_files.write(tmp_path, {"x": "new"})
    assert ((tmp_path / "x").read_text(), mode(tmp_path / "x")) == ("new", 0o644)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "x").symlink_to("real")
    report_files.write(tmp_path, {"x": "new"})
    assert (tmp_path / "x").is_symlink() and (tmp_path / "real").read_text() == "new"


def test_what_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "x").mkdir(parents=True)
    (tmp_path / "loop").symlink_to("loop")
    for folder, sentence in (
        ("file", "The report cannot be written to {0}: that is no directory."),
        (
            "file/below",
            "The report cannot be written to {0}: Not a directory; name another directory by tune_report_dir.",
        ),
        ("folder", "The report cannot be written to {0}/x: there is something that is no file."),
    ):
        with pytest.raises(fleet_report.FleetProblem) as caught:
            report_files.write(tmp_path / folder, {"x": "new"})
        assert str(caught.value) == sentence.format(tmp_path / folder)


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "x").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        fleet_report.FleetProblem, match="No space left on device; name another directory by tune_report_dir"
    ):
        report_files.write(tmp_path, {"x": "new"})
    assert os.listdir(tmp_path) == ["x"] and (tmp_path / "x").read_text() == "old"


def test_load(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.write_text(fleet_report.to_json(fleet()))
    assert report_files.load(path) == fleet()
    path.write_bytes(b"\xff")
    for wrong, words in ((path, "it is not UTF-8"), (tmp_path, "Is a directory"), (tmp_path / "none", "No such file")):
        with pytest.raises(fleet_report.FleetProblem, match=words):
            report_files.load(wrong)

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The unit tests of the code for targets, under the oldest Python that a target may have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

from support import CACHE, ROOT, environment, must_pass, need_python, virtual_environment

# Runs on the controller only, whose Python is never that old.
CONTROLLER_ONLY = ("action", "callback", "filter", "lookup", "plugin_utils")


def test_unit_tests_under_python_3_6(tmp_path: Path, note: Callable[[str], None]) -> None:
    python = virtual_environment("venv-3.6", need_python("3.6"), ROOT / "requirements" / "python36.txt")
    report = tmp_path / "report.xml"
    output = must_pass(
        [
            python,
            *("-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml", report),
            *(f"--ignore=tests/unit/plugins/{folder}" for folder in CONTROLLER_ONLY),
            "tests/unit",
        ],
        # Its bytecode must not mix with that of the controller's Python; the folder is the collection for it as well.
        env=environment(PYTHONPATH=str(CACHE), PYTHONDONTWRITEBYTECODE="1"),
    )
    suite = ElementTree.parse(report).getroot().find("testsuite")
    assert suite is not None
    passed = int(suite.attrib["tests"]) - int(suite.attrib["skipped"])
    assert passed > 0, output
    note(f"{passed} unit tests passed under Python 3.6")

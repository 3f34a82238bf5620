# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documents that are written from data are as the data are now."""

import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the tools run on the controller's Python")
@pytest.mark.parametrize("tool", ["diagnose_page.py", "parameter_table.py", "profile_tables.py"])
def test_written_documents_are_current(tool):
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "tools", tool), "--check"], stdout=subprocess.PIPE, check=False
    )
    assert done.returncode == 0, done.stdout.decode()

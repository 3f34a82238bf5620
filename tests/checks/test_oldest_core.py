# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The playbooks with the oldest ansible-core, whose templates and keywords are not those of the newest. Nothing is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support import CACHE, ROOT, environment, is_root, must_pass, need_python, virtual_environment


@pytest.mark.parametrize(
    ("playbook", "options"),
    [
        ("apply", ["--check"]),
        ("apply", ["--check", "--extra-vars", "tune_batches=1,100%"]),
        ("revert", ["--check"]),
        ("revert", ["--check", "--extra-vars", "tune_state=withdrawn"]),
        ("audit", []),
    ],
    ids=["apply", "apply in batches", "revert", "end a trial", "audit"],
)
def test_playbooks_run_with_core_2_16(playbook: str, options: list[str], tmp_path: Path) -> None:
    if not (is_root() and shutil.which("unshare")):
        pytest.skip("a network of its own for the host needs root and unshare")
    python = virtual_environment(
        "venv-2.16", need_python("3.12", "3.11", "3.10"), ROOT / "requirements" / "core-2.16.txt"
    )
    command: list[str | Path] = ["unshare", "--net", "--mount", python.parent / "ansible-playbook"]
    command += ["--inventory", "localhost,", "--connection", "local", *options, f"tunefleet.linux.{playbook}"]
    interpreter = "ansible_python_interpreter={{ ansible_playbook_python }}"
    env = environment(ANSIBLE_COLLECTIONS_PATH=str(CACHE), ANSIBLE_NOCOLOR="1", HOME=str(tmp_path))
    output = must_pass([*command, "--extra-vars", interpreter], cwd=tmp_path, env=env)
    assert "failed=0" in output and "unreachable=0" in output, output

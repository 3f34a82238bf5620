# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documents that are written from data are as the data are now."""

import ast
import glob
import importlib
import os
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the tools run on the controller's Python")
@pytest.mark.parametrize(
    "tool",
    [
        "diagnose_page.py",
        "message_list.py",
        "parameter_table.py",
        "profile_schema.py",
        "profile_tables.py",
        "return_blocks.py",
    ],
)
def test_written_documents_are_current(tool):
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "tools", tool), "--check"], stdout=subprocess.PIPE, check=False
    )
    assert done.returncode == 0, done.stdout.decode()


PLUGINS = sorted(
    path
    for folder in ("modules", "lookup", "callback", "doc_fragments")
    for path in glob.glob(os.path.join(ROOT, "plugins", folder, "*.py"))
)


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the oldest Python of targets has no YAML")
@pytest.mark.parametrize("path", PLUGINS, ids=os.path.basename)
def test_documentation_is_yaml(path):
    """A colon or a brace in a sentence makes it something else, and the documentation disappears without a word."""
    yaml = importlib.import_module("yaml")
    with open(path, encoding="utf-8") as file:
        assigned = [node for node in ast.walk(ast.parse(file.read())) if isinstance(node, ast.Assign)]
    texts = {node.targets[0].id: node.value.value for node in assigned if _is_block(node)}
    assert texts
    for name, text in texts.items():
        assert isinstance(yaml.safe_load(text), (dict, list)), name


def _is_block(node):
    value = node.value
    return isinstance(node.targets[0], ast.Name) and isinstance(value, ast.Constant) and "\n" in str(value.value)

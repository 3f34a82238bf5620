# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import json
import os
import subprocess
import sys
import zipfile

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _ansiballz

# Packed as Ansible packs a module: source text alone.
FILES = {
    "helpers/__init__.py": "",
    "helpers/one.py": "from helpers.inner import two\n\n\ndef fail():\n    raise ValueError('as it must')\n",
    "helpers/inner/__init__.py": "",
    "helpers/inner/two.py": "",
}
OTHERS = {"others.py": ""}
# The names of an archive's files that were compiled, in the order of their compilation, and what the modules then are.
PROGRAM = """
import json, sys, traceback
compiled = []
def heard(event, said):
    if event == "compile" and ".zip" in str(said[1]):
        compiled.append(said[1])
if hasattr(sys, "addaudithook"):
    sys.addaudithook(heard)
sys.path[:0] = sys.argv[1:3]
import _archive
if sys.argv[3] == "once":
    _archive.cache_zip_filenames()
import helpers.one, others
try:
    import helpers.nothing
except ModuleNotFoundError as error:
    missing = str(error)
try:
    helpers.one.fail()
except ValueError:
    lines = traceback.format_exc().splitlines()
found = [helpers, helpers.one, helpers.inner, helpers.inner.two, others]
print(json.dumps({
    "compiled": compiled,
    "files": [one.__file__ for one in found],
    "paths": [list(getattr(one, "__path__", [])) for one in found],
    "packages": [one.__package__ for one in found],
    "loaders": [type(one.__loader__).__name__ for one in found],
    "missing": missing,
    "lines": lines[-2:],
}))
"""


@pytest.fixture
def imported(tmp_path):
    """What comes of imports from an archive, with and without the help of this module."""

    def run(how):
        archive, other = str(tmp_path / "module.zip"), str(tmp_path / "other.zip")
        with zipfile.ZipFile(archive, "w") as pack:
            pack.write(_ansiballz.__file__, "_archive.py")
            for name, text in FILES.items():
                pack.writestr(name, text)
        with zipfile.ZipFile(other, "w") as pack:
            for name, text in OTHERS.items():
                pack.writestr(name, text)
        return json.loads(subprocess.check_output([sys.executable, "-c", PROGRAM, archive, other, how]).decode())

    return run


def test_each_module_of_the_archive_is_compiled_once(imported):
    ours = [path for path in imported("once")["compiled"] if "module.zip" in path and "_archive" not in path]
    # Python tells what it compiles since 3.8; before 3.10 it compiles once of its own accord.
    expected = sorted(FILES) if hasattr(sys, "addaudithook") else []
    assert sorted(path.partition("module.zip" + os.sep)[2] for path in ours) == expected


def test_nothing_else_differs(imported):
    plain, once = imported("plain"), imported("once")
    assert set(plain.pop("compiled")) == set(once.pop("compiled"))
    kinds, plain_kinds = once.pop("loaders"), plain.pop("loaders")
    assert once == plain
    assert once["lines"] == ["    raise ValueError('as it must')", "ValueError: as it must"]
    assert set(plain_kinds) == {"zipimporter"}
    # Another archive is left to Python.
    assert kinds[-1] == "zipimporter"


def test_without_an_archive_nothing_happens():
    before = list(sys.path_hooks), dict(sys.path_importer_cache)
    _ansiballz.cache_zip_filenames()
    assert (list(sys.path_hooks), dict(sys.path_importer_cache)) == before

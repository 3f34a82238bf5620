# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ansible-test sanity, without an ignore file, with the controller's ansible-core, the oldest and the newest supported one."""

from __future__ import annotations

import ast
import configparser
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import (
    CACHE,
    PROGRAMS,
    ROOT,
    copy_sources,
    environment,
    find_python,
    must_pass,
    need_python,
    virtual_environment,
)

# ansible-test keeps virtual environments below the home folder; ours is not the person's.
HOME = CACHE / "home"
# ansible-test follows symbolic links and then wants to be inside of a folder of this form: a copy is the only way.
COPY = CACHE / "build" / "ansible_collections" / "tunefleet" / "linux"

# ansible-test gets pip into its virtual environments by a script from a server of its own, which not every network lets
# through; but it takes what lies in its cache. This one gets pip from Python itself and the rest from the package index.
# ensurepip runs in a process of its own, because it switches pip's configuration off where it runs. Also for Python 2.7.
PIP_BOOTSTRAP = """\
import subprocess
import sys

subprocess.check_output([sys.executable, "-m", "ensurepip"], stderr=subprocess.STDOUT)
wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install"] + wanted))
"""


@pytest.fixture(scope="module")
def collection() -> Path:
    copy_sources(COPY)
    # Otherwise ansible-test asks the checkout's repository, which ignores the whole copy, and has nothing to test.
    must_pass(["git", "init", "--quiet"], cwd=COPY)
    ignore_files = sorted(COPY.glob("tests/sanity/ignore*"))
    assert not ignore_files, "sanity must pass without an ignore file"
    return COPY


@pytest.fixture(scope="module")
def python_2_16() -> Path:
    """A virtual environment with ansible-core 2.16, which runs on Python 3.10 to 3.12."""
    return virtual_environment(
        "venv-2.16", need_python("3.12", "3.11", "3.10"), ROOT / "requirements" / "core-2.16.txt"
    )


def test_sanity_with_the_controllers_core(collection: Path, note: Callable[[str], None]) -> None:
    sanity(PROGRAMS / "python", collection, note)


def test_sanity_with_the_newest_core(collection: Path, note: Callable[[str], None]) -> None:
    newest = virtual_environment("venv-newest", need_python("3.14", "3.13", "3.12"), ROOT / "requirements" / "run.txt")
    if core_version(newest) == core_version(PROGRAMS / "python"):
        pytest.skip("the controller's ansible-core is the newest, and was tested by itself")
    sanity(newest, collection, note)


def test_sanity_with_core_2_16(collection: Path, python_2_16: Path, note: Callable[[str], None]) -> None:
    sanity(python_2_16, collection, note)


def test_python_3_6_compiles_and_imports(collection: Path, python_2_16: Path, note: Callable[[str], None]) -> None:
    """Part of the test before, but one that must not be left out silently: there it is, where Python 3.6 is missing."""
    if find_python("3.6") is None:
        pytest.skip("no Python 3.6 is installed")
    sanity(python_2_16, collection, note, "--python", "3.6", "--test", "compile", "--test", "import")


def sanity(python: Path, collection: Path, note: Callable[[str], None], *options: str) -> None:
    prepare_home(python)
    output = must_pass(
        [python.parent / "ansible-test", "sanity", "--venv", "--color", "no", *options],
        cwd=collection,
        env=environment(HOME=str(HOME), PATH=os.pathsep.join([str(python.parent), environment()["PATH"]])),
        timeout=1200,
    )
    # "Running sanity test "import" on Python 3.6" and 'Running sanity test "pep8"'
    executed = re.findall(r'^Running sanity test "([\w-]+)"', output, re.MULTILINE)
    assert executed, output
    what = f" ({' '.join(options)})" if options else ""
    note(f"ansible-core {core_version(python)}: {len(executed)} runs of sanity tests passed{what}")


def core_version(python: Path) -> str:
    return must_pass([python, "-c", "import ansible.release; print(ansible.release.__version__)"]).strip()


def prepare_home(python: Path) -> None:
    bootstraps = HOME / ".ansible" / "test" / "cache"
    bootstraps.mkdir(parents=True, exist_ok=True)
    for version in pip_versions(python):
        (bootstraps / f"get_pip_{version.replace('.', '_')}.py").write_text(PIP_BOOTSTRAP, encoding="utf-8")
    write_pip_configuration(HOME / ".config" / "pip" / "pip.conf")


def pip_versions(python: Path) -> set[str]:
    """The versions of pip that this ansible-test would fetch, read out of its own table."""
    source = must_pass(
        [python, "-c", "import ansible_test._internal.python_requirements as table; print(table.__file__)"],
        env=environment(PYTHONWARNINGS="ignore"),
    )
    text = Path(source.strip().splitlines()[-1]).read_text(encoding="utf-8")
    versions = set(re.findall(r"\bpip='([\d.]+)'", text))
    assert versions, f"no version of pip is named in {source}"
    return versions


def write_pip_configuration(path: Path) -> None:
    """Let pip find its index from the other home as well; ansible-test hands no PIP_ variable down."""
    configuration = configparser.RawConfigParser()
    pip = [sys.executable, "-m", "pip"]
    listing = subprocess.run([*pip, "config", "list"], capture_output=True, encoding="utf-8", check=True).stdout
    lines = [line for line in listing.splitlines() if "=" in line and not line.startswith(":env:.config-file=")]
    # The variables (":env:") come last, for they win over the files.
    for line in sorted(lines, key=lambda line: line.startswith(":env:")):
        name, value = line.split("=", 1)
        section, option = name.rsplit(".", 1)
        section = "global" if section == ":env:" else section
        if not configuration.has_section(section):
            configuration.add_section(section)
        configuration.set(section, option, ast.literal_eval(value).replace("\n", "\n    "))
    if not configuration.has_section("global"):
        configuration.add_section("global")
    usual = {
        "cert": os.environ.get("REQUESTS_CA_BUNDLE"),
        "proxy": os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"),
        "cache-dir": subprocess.run(
            [*pip, "cache", "dir"], capture_output=True, encoding="utf-8", check=False
        ).stdout.strip(),
    }
    for option, found in usual.items():
        if found and not configuration.has_option("global", option):
            configuration.set("global", option, found)
    # Its progress would bury what the tests have to say; errors are still shown.
    configuration.set("global", "quiet", "2")
    path.parent.mkdir(parents=True, exist_ok=True)
    # It may hold the password of an index.
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8") as file:
        configuration.write(file)

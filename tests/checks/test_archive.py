# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The archive that users install: it holds what they need, nothing else, and works once installed."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest
from support import PROGRAMS, ROOT, environment, is_root, must_pass

FOLDERS = {"docs", "meta", "playbooks", "plugins", "roles"}
FILES = {"CHANGELOG.md", "FILES.json", "LICENSE", "MANIFEST.json", "README.md"}
PLUGIN_KINDS = {"modules": "module", "lookup": "lookup", "filter": "filter", "callback": "callback"}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the checkout as it is, with .venv and all, as ``make build`` does."""
    folder = tmp_path_factory.mktemp("archive")
    must_pass([PROGRAMS / "ansible-galaxy", "collection", "build", "--output-path", folder])
    (archive,) = folder.glob("tunefleet-linux-*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def installed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the installed archive is the only collection."""
    home = tmp_path_factory.mktemp("home")
    env = environment(
        HOME=str(home),
        ANSIBLE_HOME=str(home / ".ansible"),
        ANSIBLE_COLLECTIONS_PATH=str(home / "collections"),
        # Nor shall the collections of the PyPI package "ansible" stand in for a dependency that is not declared.
        ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false",
    )
    must_pass(
        [PROGRAMS / "ansible-galaxy", "collection", "install", "--offline", "-p", home / "collections", archive],
        cwd=home,
        env=env,
    )
    return env


def test_archive_holds_only_what_users_need(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
    names = [member.name for member in members]
    unwanted = [
        name
        for name in names
        if name.split("/")[0] not in FOLDERS | FILES or "__pycache__" in name or name.endswith((".pyc", ".orig", "~"))
    ]
    assert not unwanted, "not for users (see build_ignore in galaxy.yml):\n" + "\n".join(unwanted)
    missing = {name for name in FOLDERS | FILES | {"meta/runtime.yml"} if name not in names}
    assert not missing, f"missing from the archive: {sorted(missing)}"
    links = [member.name for member in members if member.issym() or member.islnk()]
    assert not links, f"links do not survive every installation: {links}"


def test_archive_holds_every_plugin_and_role(archive: Path) -> None:
    with tarfile.open(archive) as tar:
        names = set(tar.getnames())
    wanted = {
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert not wanted - names, f"missing from the archive: {sorted(wanted - names)}"


def test_installed_playbook_runs(installed: dict[str, str]) -> None:
    command: list[str | Path] = [PROGRAMS / "ansible-playbook", "--inventory", "localhost,", "--connection", "local"]
    command += ["--extra-vars", "ansible_python_interpreter={{ ansible_playbook_python }}", "tunefleet.linux.audit"]
    # The audit writes nothing; a network and a mount namespace of its own make sure of that for the network's keys.
    if is_root() and shutil.which("unshare"):
        command = ["unshare", "--net", "--mount", *command]
    output = must_pass(command, cwd=Path(installed["HOME"]), env=installed)
    assert "failed=0" in output, output
    assert "unreachable=0" in output, output


def test_installed_playbook_explains_itself_with_the_summary(installed: dict[str, str]) -> None:
    """The callback is found by its full name, as a user of the archive would set it."""
    env = dict(installed, ANSIBLE_STDOUT_CALLBACK="tunefleet.linux.summary")
    command: list[str | Path] = [PROGRAMS / "ansible-playbook", "--inventory", "localhost,", "--syntax-check"]
    output = must_pass([*command, "tunefleet.linux.audit"], cwd=Path(installed["HOME"]), env=env)
    assert "WARNING" not in output, output


@pytest.mark.parametrize("folder", [folder for folder in PLUGIN_KINDS if (ROOT / "plugins" / folder).is_dir()])
def test_installed_plugins_are_documented(installed: dict[str, str], folder: str) -> None:
    plugins = sorted(path.stem for path in (ROOT / "plugins" / folder).glob("[!_]*.py"))
    names = [f"tunefleet.linux.{plugin}" for plugin in plugins]
    env = dict(installed, COLUMNS="160")
    output = must_pass([PROGRAMS / "ansible-doc", "--type", PLUGIN_KINDS[folder], *names], env=env)
    assert "WARNING" not in output, output
    for name in names:
        assert name in output, output


def test_installed_roles_are_documented(installed: dict[str, str]) -> None:
    output = must_pass([PROGRAMS / "ansible-doc", "--type", "role", "--list"], env=dict(installed, COLUMNS="160"))
    for role in sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir()):
        assert f"tunefleet.linux.{role}" in output, output

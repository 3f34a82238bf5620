# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the checks share: running a tool readably, the tracked files, other Pythons and their virtual environments."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache"
PROGRAMS = Path(sys.executable).parent

# Options of the outer run would select among, or break, what pytest runs inside of a check.
_NOT_INHERITED = ("PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_ARGS", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL")
_LONGEST_OUTPUT = 20_000


def environment(**changes: str) -> dict[str, str]:
    """The environment of a tool: the programs of .venv first, the checkout as a collection, no options of the outer run."""
    env = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    env["PATH"] = os.pathsep.join(_search_path(env.get("PATH", os.defpath)))
    env["ANSIBLE_COLLECTIONS_PATH"] = str(CACHE)
    env["ANSIBLE_NOCOLOR"] = "1"
    env.update(changes)
    return env


def _search_path(path: str) -> list[str]:
    """PATH with the real interpreters of pyenv in the place of its shims, which are found and then exit 127."""
    folders = [folder for folder in path.split(os.pathsep) if folder]
    shims = [folder for folder in folders if Path(folder).name == "shims" and "pyenv" in folder]
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    real = sorted(str(folder) for folder in versions.glob("*/bin")) if versions.is_dir() else []
    return [str(PROGRAMS), *(folder for folder in folders if folder not in shims), *real]


def run(
    command: Sequence[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None, timeout: int = 900
) -> subprocess.CompletedProcess[str]:
    """Run a tool to its end; stdout and stderr come together, in the order a person would see them."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment() if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )


def must_pass(
    command: Sequence[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None, timeout: int = 900
) -> str:
    """The tool's output; where the tool fails, the test fails with that output and nothing else."""
    done = run(command, cwd=cwd, env=env, timeout=timeout)
    if done.returncode != 0:
        output = done.stdout.strip()
        if len(output) > _LONGEST_OUTPUT:
            output = "[...]\n" + output[-_LONGEST_OUTPUT:]
        line = " ".join(str(word) for word in command)
        pytest.fail(f"exit {done.returncode} of: {line}\n\n{output}", pytrace=False)
    return done.stdout


@functools.cache
def source_files() -> tuple[Path, ...]:
    """Every file that belongs to the checkout (tracked, or new and not ignored), relative to it."""
    listing = must_pass(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard", "-z"])
    paths = (Path(name) for name in listing.split("\0") if name)
    # A tracked file that was deleted in the working tree is still listed.
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def copy_sources(target: Path) -> None:
    """Make ``target`` an exact copy of the source files."""
    shutil.rmtree(target, ignore_errors=True)
    for path in source_files():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, target / path)


def is_root() -> bool:
    return os.geteuid() == 0


@functools.cache
def find_python(version: str) -> Path | None:
    """An interpreter of this version (``"3.6"``) that really runs and can make a virtual environment, or None."""
    for folder in environment()["PATH"].split(os.pathsep):
        python = Path(folder) / f"python{version}"
        if python.is_file() and run([python, "-c", "import ensurepip, venv"]).returncode == 0:
            return python
    return None


def need_python(*versions: str) -> Path:
    """The first of these Pythons that is installed; the test is skipped where none is."""
    for version in versions:
        python = find_python(version)
        if python is not None:
            return python
    pytest.skip(f"no Python {' or '.join(versions)} with venv is installed")


def virtual_environment(name: str, python: Path, requirements: Path) -> Path:
    """The Python of ``.cache/NAME``, made anew when the interpreter or the requirements changed."""
    folder = CACHE / name
    stamp = folder / "made-from"
    made_from = f"{folder}\n{python}\n{requirements.read_text(encoding='utf-8')}"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != made_from:
        shutil.rmtree(folder, ignore_errors=True)
        must_pass([python, "-m", "venv", folder])
        must_pass([folder / "bin" / "python", "-m", "pip", "install", "--no-input", "--requirement", requirements])
        stamp.write_text(made_from, encoding="utf-8")
    return folder / "bin" / "python"

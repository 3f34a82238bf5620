# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Namespaces for the tests against the real kernel."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    ModuleRunner,
    Namespace,
    NotPossible,
    why_impossible,
)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "generations(*suites): the fixture host of these is enough, for others do not differ"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what a test says that it need not be tried on."""
    items[:] = [item for item in items if _is_wanted(item)]


def _is_wanted(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("generations")
    return mark is None or item.callspec.params["host"] in mark.args  # type: ignore[attr-defined]


_why_impossible = functools.lru_cache(maxsize=None)(why_impossible)


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleRunner]:
    reason = _why_impossible()
    if reason:
        pytest.skip(reason)
    process = ModuleRunner(tmp_path_factory.mktemp("home"))
    try:
        yield process
    finally:
        process.close()


def _namespace(folder: Path, runner: ModuleRunner, files: str = "empty") -> Iterator[Namespace]:
    try:
        namespace = Namespace(folder, runner, files)
    except NotPossible as problem:
        pytest.skip(str(problem))
    try:
        yield namespace
    finally:
        namespace.close()


@pytest.fixture
def ns(tmp_path: Path, runner: ModuleRunner) -> Iterator[Namespace]:
    """A fresh namespace for one test, without any sysctl.d or limits file."""
    yield from _namespace(tmp_path / "ns", runner)


@pytest.fixture
def machine(tmp_path: Path, runner: ModuleRunner) -> Iterator[Namespace]:
    """A fresh namespace for one test that shows the machine's own files."""
    yield from _namespace(tmp_path / "ns", runner, files="own")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, runner: ModuleRunner) -> Iterator[Namespace]:
    """One namespace for the tests of a file, which leave it as they found it."""
    yield from _namespace(tmp_path_factory.mktemp("shared") / "ns", runner)

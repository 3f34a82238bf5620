# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The machines, started once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.tunefleet.linux.tests.environments import containers as machines
from ansible_collections.tunefleet.linux.tests.oracle import booted

# TUNEFLEET_ORACLE_SUITES adds others that tools/fleet_images.py, or TUNEFLEET_IMAGE_<SUITE>, can give.
SUITES = (os.environ.get("TUNEFLEET_ORACLE_SUITES") or "bullseye bookworm trixie").split()


def _machines(folder: Path, driver: str) -> Iterator[list[machines.Machine]]:
    """Every machine that can be had."""
    found: list[machines.Machine] = []
    missing: list[str] = []
    try:
        for make in (
            lambda: machines.this_machine(driver),
            *(lambda suite=suite: machines.container(suite, folder, driver) for suite in SUITES),
        ):
            try:
                found.append(make())
            except machines.NotHere as problem:
                missing.append(str(problem))
        machines.MISSING.extend(one for one in missing if one not in machines.MISSING)
        if not found:
            pytest.skip("; ".join(missing))
        yield found
    finally:
        for machine in found:
            machine.close()


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[machines.Machine]]:
    """The machines that say what their readers make of sysctl.d files."""
    yield from _machines(tmp_path_factory.mktemp("oracle"), "driver.py")


@pytest.fixture(scope="session")
def pam_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[machines.Machine]]:
    """The machines that say what their pam_limits makes of files of limits.conf(5)."""
    yield from _machines(tmp_path_factory.mktemp("oracle"), "limits_driver.py")


@pytest.fixture(scope="session")
def unit_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[machines.Machine]]:
    """The systemd of every generation that can be had, as process 1 of a container."""
    containers: list[booted.BootedContainer] = []
    found: list[machines.Machine] = []
    folder = tmp_path_factory.mktemp("units")
    missing: list[str] = []
    try:
        for suite in SUITES:
            try:
                containers.append(booted.BootedContainer(suite, folder))
                found.append(containers[-1].driven())
            except machines.NotHere as problem:
                missing.append(str(problem))
        machines.MISSING.extend(one for one in missing if one not in machines.MISSING)
        if not found:
            pytest.skip("; ".join(missing))
        yield found
    finally:
        for machine in found:
            machine.close()
        for one in containers:
            one.close()

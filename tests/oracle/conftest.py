# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The machines, started once."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ansible_collections.tunefleet.linux.tests.oracle import machines

# TUNEFLEET_ORACLE_SUITES adds others that tools/fleet_images.py, or TUNEFLEET_IMAGE_<SUITE>, can give.
SUITES = (os.environ.get("TUNEFLEET_ORACLE_SUITES") or "bullseye bookworm trixie").split()


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[machines.Machine]]:
    """Every machine that can be had."""
    found: list[machines.Machine] = []
    folder = tmp_path_factory.mktemp("oracle")
    try:
        for make in (
            machines.this_machine,
            *(lambda suite=suite: machines.container(suite, folder) for suite in SUITES),
        ):
            try:
                found.append(make())
            except machines.NotHere as problem:
                machines.MISSING.append(str(problem))
        if not found:
            pytest.skip("; ".join(machines.MISSING))
        yield found
    finally:
        for machine in found:
            machine.close()

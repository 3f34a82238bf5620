# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fixtures for all phases."""

from __future__ import annotations

import molecule_fleet as fleet
import pytest
from testinfra.host import Host


@pytest.fixture(scope="module")
def values(host: Host) -> dict[str, str]:
    """What the running kernel has for each key."""
    return fleet.live(host)


@pytest.fixture(scope="module")
def name(host: Host) -> str:
    """The host's name in the inventory, which is its container's name too."""
    return str(host.backend.name)

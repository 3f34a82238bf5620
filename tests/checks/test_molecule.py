# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The container scenarios of molecule/, each as one test."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable

import pytest
from support import PROGRAMS, ROOT, environment, is_root, must_pass

SCENARIOS = sorted(path.parent.name for path in (ROOT / "molecule").glob("*/molecule.yml"))
ENGINE = os.environ.get("TUNEFLEET_ENGINE") or "podman"


def missing() -> str:
    """Why the containers cannot run here, or nothing."""
    if shutil.which(ENGINE) is None:
        return f"{ENGINE} is not installed (TUNEFLEET_ENGINE=podman|docker chooses the engine)"
    if ENGINE == "podman":
        if not is_root():
            return "hosts with a systemd of their own in podman need root"
        if shutil.which("runc") is None:
            return "runc is not installed"
    # An image for each suite may also be given by name; then nothing has to be built (see tools/fleet_images.py).
    if shutil.which("mmdebstrap") is None and not any(name.startswith("TUNEFLEET_IMAGE_") for name in os.environ):
        return "mmdebstrap is not installed, and no TUNEFLEET_IMAGE_<SUITE> names an image"
    return ""


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_molecule(scenario: str, note: Callable[[str], None]) -> None:
    reason = missing()
    if reason:
        pytest.skip(reason)
    output = must_pass(
        [PROGRAMS / "molecule", "test", "--scenario-name", scenario],
        env=environment(NO_COLOR="1", PY_COLORS="0", TUNEFLEET_ENGINE=ENGINE),
        timeout=1200,
    )
    verified = [int(count) for count in re.findall(r"\b(\d+) passed\b", output)]
    assert verified, f"no verification has run:\n{output}"
    note(f"molecule {scenario}: {sum(verified)} verifications passed in its containers")

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The host made of dictionaries stands in for the real one, so it must not fall behind it."""

import inspect

from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost


def _surface(kind):
    return {
        name: list(inspect.signature(member).parameters)
        for name, member in inspect.getmembers(kind, callable)
        if not name.startswith("_")
    }


def test_fake_host_has_what_the_real_one_has():
    real, fake = _surface(hosts.Host), _surface(FakeHost)
    for name, parameters in real.items():
        assert [one for one in fake[name] if one != "self"] == [one for one in parameters if one != "self"], name

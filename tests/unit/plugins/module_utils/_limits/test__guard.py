# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _guard
from ansible_collections.tunefleet.linux.plugins.module_utils._limits._conf import Limit

ABOVE = (
    "nofile {0} is above fs.nr_open 1048576, the kernel would refuse it and logins would fail; "
    "raise fs.nr_open first, or ask for 1048576 at the most."
)
UNLIMITED = (
    "nofile takes no 'unlimited': older pam_limits then refuses every login; write the number, up to fs.nr_open."
)


@pytest.mark.parametrize(
    ("item", "limit", "nr_open", "found"),
    [
        pytest.param("nofile", Limit(65535, 1048576), 1048576, [], id="as high as may be"),
        pytest.param("nofile", Limit(65535, 1048577), 1048576, [ABOVE.format(1048577)], id="hard above"),
        pytest.param("nofile", Limit(2000000, None), 1048576, [ABOVE.format(2000000)], id="soft above"),
        pytest.param("nofile", Limit(1, 1048577), None, [], id="fs.nr_open cannot be read"),
        pytest.param("nofile", Limit(1, "unlimited"), 1048576, [UNLIMITED], id="hard without a limit"),
        pytest.param("nofile", Limit("unlimited", None), None, [UNLIMITED], id="soft without a limit"),
        pytest.param("nofile", Limit(), 1048576, [], id="nothing said"),
        pytest.param("nproc", Limit("unlimited", 9999999), 1048576, [], id="another item"),
    ],
)
def test_objections(item, limit, nr_open, found):
    assert _guard.objections(item, limit, nr_open) == found

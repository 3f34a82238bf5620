# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import limit as limit_types
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.process import rlimits

PAGE = """\
Limit                     Soft Limit           Hard Limit           Units
Max cpu time              120                  unlimited            seconds
Max file size             4096                 unlimited            bytes
Max stack size            8388608              unlimited            bytes
Max core file size        0                    1048576              bytes
Max data size             2048                 unlimited            bytes
Max resident set          4096                 unlimited            bytes
Max processes             96365                96365                processes
Max open files            1024                 524288               files
Max locked memory         8388608              8388608              bytes
Max address space         4096                 unlimited            bytes
Max file locks            unlimited            unlimited            locks
Max pending signals       96365                96365                signals
Max msgqueue size         819200               819200               bytes
Max nice priority         0                    0
Max realtime priority     0                    0
Max realtime timeout      unlimited            unlimited            us
"""


def test_parse():
    assert rlimits.parse(PAGE) == {
        "cpu": limit_types.Limit(2, "unlimited"),
        "fsize": limit_types.Limit(4, "unlimited"),
        "stack": limit_types.Limit(8192, "unlimited"),
        "core": limit_types.Limit(0, 1024),
        "data": limit_types.Limit(2, "unlimited"),
        "rss": limit_types.Limit(4, "unlimited"),
        "rtprio": limit_types.Limit(0, 0),
        "rttime": limit_types.Limit("unlimited", "unlimited"),
        "nice": limit_types.Limit(20, 20),
        "nproc": limit_types.Limit(96365, 96365),
        "nofile": limit_types.Limit(1024, 524288),
        "memlock": limit_types.Limit(8192, 8192),
        "as": limit_types.Limit(4, "unlimited"),
        "locks": limit_types.Limit("unlimited", "unlimited"),
        "sigpending": limit_types.Limit(96365, 96365),
        "msgqueue": limit_types.Limit(819200, 819200),
    }


@pytest.mark.parametrize("text", ["", "junk\n", "Max open files\n", "Max open files            5\n"])
def test_parse_of_something_else(text):
    assert rlimits.parse(text) == {}


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        pytest.param([], {}, id="nothing known"),
        pytest.param([{"nproc": limit_types.Limit(5, 9)}], {"nproc": limit_types.Limit(5, 9)}, id="process 1 alone"),
        pytest.param(
            [
                {"nproc": limit_types.Limit(5, 9)},
                {"nproc": limit_types.Limit(7, 8)},
                {"nproc": limit_types.Limit(6, "unlimited")},
            ],
            {"nproc": limit_types.Limit(5, 8)},
            id="the least of each half",
        ),
        pytest.param(
            [{"nproc": limit_types.Limit("unlimited", "unlimited")}],
            {"nproc": limit_types.Limit("unlimited", "unlimited")},
            id="no limit",
        ),
        pytest.param(
            [{"nofile": limit_types.Limit(65536, 524288)}],
            {"nofile": limit_types.Limit(1024, 524288)},
            id="a session begins with soft nofile 1024",
        ),
        pytest.param(
            [{"nofile": limit_types.Limit(512, 600)}], {"nofile": limit_types.Limit(512, 600)}, id="or with less"
        ),
        pytest.param(
            [{"nproc": limit_types.Limit(1, 2)}, {"core": limit_types.Limit(0, 0)}],
            {"nproc": limit_types.Limit(1, 2), "core": limit_types.Limit(0, 0)},
            id="items",
        ),
    ],
)
def test_lowest(limits, found):
    assert rlimits.lowest(limits) == found


FIRST = "         0          0 4294967295"
FULL = "Name:\tsystemd\nCapBnd:\t000001ffffffffff\n"
BOUND = "Name:\tsh\nCapEff:\t000001ffffffffff\nCapBnd:\t00000000a80425fb\n"


@pytest.mark.parametrize(
    ("status", "uid_map", "expected"),
    [
        pytest.param(FULL, FIRST, True, id="a machine"),
        pytest.param(BOUND, FIRST, False, id="a container without CAP_SYS_RESOURCE"),
        pytest.param(FULL, "         0     100000      65536", False, id="a user namespace"),
        pytest.param(FULL, "         0          0 4294967295\n 1 1 1", False, id="a map of several lines"),
        pytest.param(FULL, None, True, id="no map to be read"),
        pytest.param(None, FIRST, True, id="no status to be read"),
        pytest.param("Name:\tx\n", FIRST, True, id="no CapBnd"),
        pytest.param("CapBnd:\t0000000001000000\n", FIRST, True, id="CAP_SYS_RESOURCE alone"),
        pytest.param("CapBnd:\t0000000000800000\n", FIRST, False, id="the capability beside it"),
        pytest.param("CapBnd:\t00000000feffffff\n", FIRST, False, id="all but CAP_SYS_RESOURCE"),
        pytest.param("CapBnd:\t0000000fffffffff\n", FIRST, True, id="fewer capabilities, as of an older kernel"),
    ],
)
def test_may_raise(status, uid_map, expected):
    assert rlimits.may_raise(status, uid_map) is expected

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._limits import _process
from ansible_collections.tunefleet.linux.plugins.module_utils._limits._conf import Limit

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
    assert _process.parse(PAGE) == {
        "cpu": Limit(2, "unlimited"),
        "fsize": Limit(4, "unlimited"),
        "stack": Limit(8192, "unlimited"),
        "core": Limit(0, 1024),
        "data": Limit(2, "unlimited"),
        "rss": Limit(4, "unlimited"),
        "rtprio": Limit(0, 0),
        "rttime": Limit("unlimited", "unlimited"),
        "nice": Limit(20, 20),
        "nproc": Limit(96365, 96365),
        "nofile": Limit(1024, 524288),
        "memlock": Limit(8192, 8192),
        "as": Limit(4, "unlimited"),
        "locks": Limit("unlimited", "unlimited"),
        "sigpending": Limit(96365, 96365),
        "msgqueue": Limit(819200, 819200),
    }


@pytest.mark.parametrize("text", ["", "junk\n", "Max open files\n", "Max open files            5\n"])
def test_parse_of_something_else(text):
    assert _process.parse(text) == {}


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        pytest.param([], {}, id="nothing known"),
        pytest.param([{"nproc": Limit(5, 9)}], {"nproc": Limit(5, 9)}, id="process 1 alone"),
        pytest.param(
            [{"nproc": Limit(5, 9)}, {"nproc": Limit(7, 8)}, {"nproc": Limit(6, "unlimited")}],
            {"nproc": Limit(5, 8)},
            id="the least of each half",
        ),
        pytest.param(
            [{"nproc": Limit("unlimited", "unlimited")}], {"nproc": Limit("unlimited", "unlimited")}, id="no limit"
        ),
        pytest.param(
            [{"nofile": Limit(65536, 524288)}],
            {"nofile": Limit(1024, 524288)},
            id="a session begins with soft nofile 1024",
        ),
        pytest.param([{"nofile": Limit(512, 600)}], {"nofile": Limit(512, 600)}, id="or with less"),
        pytest.param(
            [{"nproc": Limit(1, 2)}, {"core": Limit(0, 0)}], {"nproc": Limit(1, 2), "core": Limit(0, 0)}, id="items"
        ),
    ],
)
def test_lowest(limits, found):
    assert _process.lowest(limits) == found


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
    assert _process.may_raise(status, uid_map) is expected

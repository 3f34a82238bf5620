# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import limit as limit_types
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import conversion

NO = conversion.INFINITY


@pytest.mark.parametrize(
    ("item", "text", "pair"),
    [
        ("nofile", "65535", (65535, 65535)),
        ("nofile", "1024:65535", (1024, 65535)),
        ("nofile", "1024:infinity", (1024, NO)),
        ("nofile", "0x100", (256, 256)),
        ("nofile", "010", (8, 8)),
        ("nofile", "0b11:0o17", (3, 15)),
        ("nofile", "+5", (5, 5)),
        ("nofile", "64K", None),
        ("nofile", "9:5", None),
        ("nofile", "1:", None),
        ("nofile", "1:2:3", None),
        ("nofile", "", None),
        ("nofile", "-1", None),
        ("nofile", "09", None),
        ("nofile", "18446744073709551615", None),
        ("memlock", "64K", (65536, 65536)),
        ("memlock", "1G5M:infinity", ((1024 + 5) << 20, NO)),
        ("memlock", "5M1G", None),
        ("memlock", "1.5K", (1536, 1536)),
        ("cpu", "1min 30s", (90, 90)),
        ("cpu", "1.5", (2, 2)),
        ("cpu", "5parsecs", None),
        ("cpu", "1 2min", (121, 121)),
        ("cpu", "2.5.5", None),
        ("cpu", ".5h", (1800, 1800)),
        ("cpu", "1M", (2629800, 2629800)),
        ("cpu", "-5", None),
        ("cpu", "-0", None),
        ("cpu", "5.", None),
        ("cpu", ".", None),
        ("cpu", " infinity", (NO, NO)),
        ("cpu", "600000y", None),
        ("rttime", "200000", (200000, 200000)),
        ("rttime", "200ms:1s", (200000, 1000000)),
        ("rttime", "1.5us:\u00b5s", None),
        ("rttime", "7\u03bcs", (7, 7)),
        ("rttime", "1s 5", (1000005, 1000005)),
    ],
)
def test_as_systemd_reads_it(item, text, pair):
    assert conversion.read(item, text) == pair


@pytest.mark.parametrize(
    ("pair", "text"), [((5, 5), "5"), ((5, 9), "5:9"), ((5, NO), "5:infinity"), ((NO, NO), "infinity")]
)
def test_as_we_write_it(pair, text):
    assert conversion.render(pair) == text
    assert conversion.read("nofile", text) == pair


@pytest.mark.parametrize(
    ("item", "limit", "pair"),
    [
        ("nofile", limit_types.Limit(5, "unlimited"), (5, NO)),
        ("memlock", limit_types.Limit(64, 128), (65536, 131072)),
        ("cpu", limit_types.Limit(1, 2), (60, 120)),
        ("rttime", limit_types.Limit(200000, "unlimited"), (200000, NO)),
    ],
)
def test_units_of_limits_conf(item, limit, pair):
    assert conversion.pair(item, limit) == pair
    assert conversion.limit(item, pair) == limit


def test_what_a_process_has():
    text = (
        "Limit                     Soft Limit           Hard Limit           Units     \n"
        "Max cpu time              unlimited            unlimited            seconds   \n"
        "Max open files            1024                 524288               files     \n"
    )
    assert conversion.running(text) == {"cpu": (NO, NO), "nofile": (1024, 524288)}


@pytest.mark.parametrize("item", ["nice", "maxlogins", "nonewprivs", "locks"])
def test_items_of_sessions_alone(item):
    with pytest.raises(_errors.ValueProblem) as problem:
        conversion.check_item(item, "unit")
    assert "a unit takes: as, core" in str(problem.value)

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import limit as limit_types
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import items

NO_LIMIT = limit_types.UNLIMITED


@pytest.mark.parametrize(
    ("raw", "item", "number"),
    [
        pytest.param(65535, "nofile", 65535, id="number"),
        pytest.param("65535", "nofile", 65535, id="text"),
        pytest.param(" 65535 ", "nofile", 65535, id="blanks around"),
        pytest.param(0, "core", 0, id="nought"),
        pytest.param(2**63 - 1, "memlock", 2**63 - 1, id="the largest"),
        pytest.param("unlimited", "nproc", NO_LIMIT, id="unlimited"),
        pytest.param("infinity", "nproc", NO_LIMIT, id="infinity"),
        pytest.param("-1", "nproc", NO_LIMIT, id="minus one"),
        pytest.param(-1, "nproc", NO_LIMIT, id="minus one as a number"),
        pytest.param("-", "nproc", NO_LIMIT, id="dash"),
        pytest.param(-1, "nice", -1, id="minus one is a nice value"),
        pytest.param("-20", "nice", -20, id="lowest nice"),
        pytest.param(19, "priority", 19, id="highest priority"),
        pytest.param("1", "nonewprivs", 1, id="flag"),
    ],
)
def test_number(raw, item, number):
    assert items.number(raw, item) == number


COUNT = "a whole number from 0 to 9223372036854775807, or unlimited"
MISREAD = "{0} is not " + COUNT + "; pam_limits would read something else, systemd nothing"


@pytest.mark.parametrize(
    ("raw", "item", "text"),
    [
        pytest.param("64k", "nofile", MISREAD.format("'64k'"), id="suffix"),
        pytest.param("65,535", "nofile", MISREAD.format("'65,535'"), id="thousands"),
        pytest.param("1e5", "nofile", MISREAD.format("'1e5'"), id="exponent"),
        pytest.param("0x1000", "nofile", MISREAD.format("'0x1000'"), id="hexadecimal"),
        pytest.param("10.5", "nofile", MISREAD.format("'10.5'"), id="fraction"),
        pytest.param(10.5, "nofile", MISREAD.format("10.5"), id="fraction as a number"),
        pytest.param(1e5, "nofile", MISREAD.format("100000.0"), id="float"),
        pytest.param("", "nofile", MISREAD.format("''"), id="empty"),
        pytest.param("010", "nofile", MISREAD.format("'010'"), id="leading zero"),
        pytest.param('"500"', "nofile", MISREAD.format("'\"500\"'"), id="quotes"),
        pytest.param("5 # c", "nofile", MISREAD.format("'5 # c'"), id="comment"),
        pytest.param("5\n* - core 0", "nofile", MISREAD.format("'5\\n* - core 0'"), id="injected line"),
        pytest.param(True, "nofile", MISREAD.format("True"), id="boolean"),
        pytest.param(None, "nofile", MISREAD.format("None"), id="nothing"),
        pytest.param([5], "nofile", MISREAD.format("[5]"), id="list"),
        pytest.param("\u0665", "nofile", MISREAD.format("'\u0665'"), id="other digits"),
        pytest.param("9" * 5000, "nofile", MISREAD.format("'" + "9" * 5000 + "'"), id="endless digits"),
        pytest.param("-2", "nofile", "-2 is not " + COUNT, id="negative"),
        pytest.param(2**63, "nofile", "9223372036854775808 is not " + COUNT, id="too large"),
        pytest.param(20, "nice", "20 is not a whole number from -20 to 19", id="nice too high"),
        pytest.param(2, "nonewprivs", "2 is not a whole number from 0 to 1", id="flag out of range"),
        pytest.param(
            "unlimited",
            "nice",
            "'unlimited' is not a whole number from -20 to 19; pam_limits would read something else, systemd nothing",
            id="nice has no unlimited",
        ),
    ],
)
def test_refused_number(raw, item, text):
    with pytest.raises(_errors.ValueProblem) as caught:
        items.number(raw, item)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("text", "item", "number"),
    [
        # What pam_limits makes of these, measured with Linux-PAM 1.5.2 and 1.7.0.
        ("65535", "nofile", 65535),
        ("65,535", "nofile", 65),
        ("64k", "nofile", 64),
        ("6553x", "nofile", 6553),
        ("1e5", "nofile", 1),
        ("010", "nofile", 10),
        ("0777", "nofile", 777),
        ("0x1000", "nofile", 0),
        ("+5", "nofile", 5),
        ("junk", "nofile", None),
        ("unlimited", "nofile", NO_LIMIT),
        ("infinity", "nproc", NO_LIMIT),
        ("-1", "nproc", NO_LIMIT),
        ("-", "nproc", NO_LIMIT),
        ("-5", "nofile", 2**64 - 5),
        ("-" + "9" * 22, "nofile", NO_LIMIT),
        ("-18446744073709551615", "nofile", 1),
        ("18446744073709551614", "nofile", 2**64 - 2),
        ("18014398509481983", "core", NO_LIMIT),
        ("18014398509481982", "core", 18014398509481982),
        ("-5", "maxlogins", NO_LIMIT),
        ("3", "maxlogins", 3),
        ("7", "nonewprivs", 0),
        ("1", "nonewprivs", 1),
        ("30", "nice", 19),
        ("-", "nice", None),
        ("18446744073709551616", "nofile", NO_LIMIT),
        ("9" * 5000, "nofile", NO_LIMIT),
        ("-1", "nice", -1),
        ("-5", "nice", -5),
        ("-5", "priority", -5),
    ],
)
def test_read(text, item, number):
    assert items.read(text, item) == number


@pytest.mark.parametrize(
    "text",
    [
        "alice",
        "@web",
        "*",
        "1000:",
        "1000:2000",
        "2000:2000",
        ":2000",
        "@3000:3999",
        "@:3000",
        "%web",
        "%",
        "DOM\\bob",
        "2000",
        "a.b-c$",
    ],
)
def test_domain(text):
    assert items.domain(text) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param("", "'' is not a domain; write a user, @group, *, or a range of ids as in 1000:2000", id="empty"),
        pytest.param(
            None, "None is not a domain; write a user, @group, *, or a range of ids as in 1000:2000", id="nothing"
        ),
        pytest.param(
            1000, "1000 is not a domain; write a user, @group, *, or a range of ids as in 1000:2000", id="number"
        ),
        pytest.param("a" * 401, "the domain is longer than 400 bytes and matches nobody", id="overlong"),
        pytest.param(
            "a b",
            "the domain 'a b' contains white space, a '#' or a control character and would never match",
            id="blank",
        ),
        pytest.param(
            "1000 :",
            "the domain '1000 :' contains white space, a '#' or a control character and would never match",
            id="blank in a range",
        ),
        pytest.param(
            "a\n* hard nofile 1",
            (
                "the domain 'a\\n* hard nofile 1' contains white space, a '#' or a control character and would never "
                "match"
            ),
            id="injected line",
        ),
        pytest.param(
            "a#b",
            "the domain 'a#b' contains white space, a '#' or a control character and would never match",
            id="hash",
        ),
        pytest.param("@", "the domain '@' matches nobody; write @group or a range of ids", id="group without a name"),
        pytest.param(":", "the domain ':' matches nobody; write @group or a range of ids", id="range without an end"),
        pytest.param(
            "3000:1000", "the range '3000:1000' ends before it begins and would never match", id="range upside down"
        ),
        pytest.param(
            "@9:1", "the range '@9:1' ends before it begins and would never match", id="group range upside down"
        ),
    ],
)
def test_refused_domain(raw, text):
    with pytest.raises(_errors.ValueProblem) as caught:
        items.domain(raw)
    assert str(caught.value) == text


@pytest.mark.parametrize(("low", "high"), [(0, 1), (1, 65535), (-20, 19), (2**63 - 1, NO_LIMIT), (0, NO_LIMIT)])
def test_rank(low, high):
    assert items.rank(low) < items.rank(high)

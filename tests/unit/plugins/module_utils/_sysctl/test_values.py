# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._core import shape as shapes
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import values as sysctl_values

ONE = shapes.Shape(shapes.INTEGERS, 1)
THREE = shapes.Shape(shapes.INTEGERS, 3)
ANY = shapes.Shape(shapes.INTEGERS)
BYTE = shapes.Shape(shapes.INTEGERS, 1, 0, 255)
SANE = shapes.Shape(shapes.INTEGERS, 1, 1, 600, False)
FROM_ZERO = shapes.Shape(shapes.INTEGERS, 1, 0, None)
PORTS = shapes.Shape(shapes.PORTS)
RANGE = shapes.Shape(shapes.INTEGERS, 2, 1, 65535, interval=True)
WORDS = shapes.Shape(shapes.WORDS)
TEXT = shapes.Shape(shapes.TEXT)
RISING = shapes.Shape(shapes.INTEGERS, 3, ascending=True)
SPELLED = shapes.Shape(shapes.TEXT, canonicalize=lambda text: text.upper() if text != "zz" else None)


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("0", 0),
        ("5", 5),
        ("-5", -5),
        ("-0", 0),
        ("0x10", 16),
        ("0XfF", 255),
        ("-0x10", -16),
        ("010", 8),
        ("00", 0),
        ("4294967295", 4294967295),
        ("18446744073709551615", 18446744073709551615),
        ("", None),
        ("+5", None),
        ("- 5", None),
        ("1.5", None),
        ("1e3", None),
        ("5junk", None),
        ("5,", None),
        ("08", None),
        ("0x", None),
        ("0b11", None),
        ("true", None),
        ("\u0665", None),
        # proc_get_long() takes no more than 20 characters.
        ("9" * 21, None),
        ("9" * 5000, None),
    ],
)
def test_c_integer(word, number):
    assert sysctl_values.c_integer(word) == number


@pytest.mark.parametrize(
    ("raw", "shape", "text"),
    [
        pytest.param(30, ONE, "30", id="number"),
        pytest.param("30", ONE, "30", id="text"),
        pytest.param(" 30 ", ONE, "30", id="blanks around"),
        pytest.param("30\n", ONE, "30", id="newline at the end"),
        pytest.param(-1, ONE, "-1", id="negative"),
        pytest.param(30.0, ONE, "30", id="whole float"),
        pytest.param("0x10", ONE, "16", id="hexadecimal"),
        pytest.param(True, ONE, "1", id="true"),
        pytest.param(False, ONE, "0", id="false"),
        pytest.param("yes", ONE, "1", id="yes"),
        pytest.param("No", ONE, "0", id="No"),
        pytest.param("on", ONE, "1", id="on"),
        pytest.param("OFF", ONE, "0", id="OFF"),
        pytest.param("t", ONE, "1", id="t"),
        pytest.param("f", ONE, "0", id="f"),
        pytest.param("1.0", ONE, "1", id="1.0"),
        pytest.param("0.0", ONE, "0", id="0.0"),
        pytest.param([4096, 131072, 16777216], THREE, "4096 131072 16777216", id="list"),
        pytest.param((4096, "131072", "0x1000"), THREE, "4096 131072 4096", id="tuple of numbers and text"),
        pytest.param("4096 \t 131072  16777216", THREE, "4096 131072 16777216", id="blanks between"),
        pytest.param([5], ONE, "5", id="list of one"),
        pytest.param("1 2 3 4", ANY, "1 2 3 4", id="any count"),
        pytest.param(0, BYTE, "0", id="low end"),
        pytest.param(255, BYTE, "255", id="high end"),
        pytest.param(2**63, FROM_ZERO, str(2**63), id="no upper bound"),
        pytest.param(8080, PORTS, "8080", id="one port"),
        pytest.param("8080,9000-9010", PORTS, "8080,9000-9010", id="ports and a range"),
        pytest.param("8082,8080,8081", PORTS, "8080-8082", id="ports as the kernel merges them"),
        pytest.param("9000-9010, 8080", PORTS, "8080,9000-9010", id="blank after a comma"),
        pytest.param([8081, "9000-9010", 8080], PORTS, "8080-8081,9000-9010", id="list of ports"),
        pytest.param("0-65535", PORTS, "0-65535", id="every port"),
        pytest.param("", PORTS, "", id="no port at all"),
        pytest.param([], PORTS, "", id="empty list of ports"),
        pytest.param("reno  cubic", WORDS, "reno cubic", id="words"),
        pytest.param(["reno", "cubic"], WORDS, "reno cubic", id="list of words"),
        pytest.param("|/usr/lib/core %P  %u", TEXT, "|/usr/lib/core %P  %u", id="text keeps inner blanks"),
        pytest.param(" on ", TEXT, "on", id="text is no switch"),
        pytest.param("", TEXT, "", id="empty text"),
        pytest.param("010", TEXT, "010", id="text that looks like a number"),
        pytest.param(5, TEXT, "5", id="number for a text"),
        pytest.param(True, TEXT, "1", id="true for a text"),
        pytest.param("5 5 6", RISING, "5 5 6", id="ascending"),
        pytest.param("5 5", RANGE, "5 5", id="range of one"),
        pytest.param("x" * 4094, TEXT, "x" * 4094, id="text that fills a page"),
        pytest.param("0-255", shapes.Shape(shapes.PORTS, high=255), "0-255", id="list up to its end"),
        pytest.param(" a b", SPELLED, "A B", id="spelling of the kernel"),
        pytest.param("a$HOME 'b'", TEXT, "a$HOME 'b'", id="nothing is expanded"),
    ],
)
def test_normal(raw, shape, text):
    assert sysctl_values.parse(raw, shape) == text
    assert sysctl_values.parse(text, shape) == text


@pytest.mark.parametrize(
    ("raw", "shape", "text"),
    [
        pytest.param("abc", ONE, "'abc' is not an integer", id="word"),
        pytest.param("5junk", ONE, "'5junk' is not an integer", id="junk behind"),
        pytest.param("1e5", ONE, "'1e5' is not an integer", id="exponent"),
        pytest.param("64k", ONE, "'64k' is not an integer", id="suffix"),
        pytest.param("65,535", ONE, "'65,535' is not an integer", id="thousands"),
        pytest.param(1.5, ONE, "1.5 is not an integer", id="fraction"),
        pytest.param(float("inf"), ONE, "inf is not an integer", id="infinity"),
        pytest.param(float("nan"), ONE, "nan is not an integer", id="not a number"),
        pytest.param(
            "9" * 5000,
            ONE,
            "'" + "9" * 5000 + "' has 5000 characters; the kernel reads at most 20",
            id="endless digits",
        ),
        pytest.param("", ONE, "value cannot be blank", id="empty"),
        pytest.param("  ", ONE, "value cannot be blank", id="blanks"),
        pytest.param([], ONE, "value cannot be blank", id="empty list"),
        pytest.param(
            "010",
            ONE,
            "'010' has a leading zero, which the kernel reads as octal; write the decimal number",
            id="octal",
        ),
        pytest.param(
            [4096, "0131072", 5],
            THREE,
            (
                "'4096 0131072 5': '0131072' has a leading zero, which the kernel reads as octal; write the decimal "
                "number"
            ),
            id="octal in a list",
        ),
        pytest.param(256, BYTE, "256 is outside the kernel's range 0 .. 255", id="above the kernel's range"),
        pytest.param(-1, BYTE, "-1 is outside the kernel's range 0 .. 255", id="below the kernel's range"),
        pytest.param(601, SANE, "601 is outside the sane range 1 .. 600", id="above the sane range"),
        pytest.param(-1, FROM_ZERO, "-1 is outside the kernel's range 0 or more", id="half a range"),
        pytest.param(
            [4096, 131072],
            THREE,
            "'4096 131072' has 2 numbers; the key takes 3, and the kernel would write any other list in part",
            id="too few",
        ),
        pytest.param(
            "1 2 3 4",
            THREE,
            "'1 2 3 4' has 4 numbers; the key takes 3, and the kernel would write any other list in part",
            id="too many",
        ),
        pytest.param(
            "5",
            THREE,
            "'5' has 1 number; the key takes 3, and the kernel would write any other list in part",
            id="one for a vector",
        ),
        pytest.param("5 # why", ONE, "'5 # why': '#' is not an integer", id="comment"),
        pytest.param([1, 2.5], ANY, "2.5 in the list [1, 2.5] is not an integer", id="fraction in a list"),
        pytest.param([1, None], ANY, "None in the list [1, None] is not an integer", id="nothing in a list"),
        pytest.param([True], ANY, "True in the list [True] is not an integer", id="boolean in a list"),
        pytest.param({"a": 1}, ONE, "{'a': 1} is not a number, not text and not a list of numbers", id="map"),
        pytest.param(
            "9" * 21, ONE, "'" + "9" * 21 + "' has 21 characters; the kernel reads at most 20", id="too many digits"
        ),
        pytest.param("3 2 9", RISING, "'3 2 9': each has to be at least the one before it", id="falling"),
        pytest.param([5, 4], RANGE, "'5 4': the last one is below the first", id="range that ends before it begins"),
        pytest.param(
            "a\rkernel.panic=1", TEXT, "'a\\rkernel.panic=1' contains a line break or a NUL byte", id="carriage return"
        ),
        pytest.param(
            "x" * 4095,
            TEXT,
            "'" + "x" * 20 + "'... has 4095 characters; the kernel takes less than 4096 bytes in a write",
            id="more than a page",
        ),
        pytest.param(
            "\xe4" * 2048,
            TEXT,
            "'" + "\xe4" * 20 + "'... has 2048 characters; the kernel takes less than 4096 bytes in a write",
            id="more than a page of bytes",
        ),
        pytest.param(
            "1,256",
            shapes.Shape("ports", high=255),
            (
                "'1,256' is not a list of numbers; write numbers and ranges from 0 to 255, with commas and without "
                "spaces, as in 0,2-5"
            ),
            id="number above the end of a list",
        ),
        pytest.param("zz", SPELLED, "'zz' does not have the form that the key takes", id="form"),
        pytest.param("5\n6", ONE, "'5\\n6' contains a line break or a NUL byte", id="line break"),
        pytest.param("a\0b", TEXT, "'a\\x00b' contains a line break or a NUL byte", id="NUL"),
        pytest.param("a\nvm.x=1", TEXT, "'a\\nvm.x=1' contains a line break or a NUL byte", id="injected line"),
        pytest.param(
            ["a\0b"], TEXT, "'a\\x00b' in the list ['a\\x00b'] contains a line break or a NUL byte", id="NUL in a list"
        ),
    ],
)
def test_refused(raw, shape, text):
    with pytest.raises(_errors.ValueProblem) as caught:
        sysctl_values.parse(raw, shape)
    assert str(caught.value) == text


@pytest.mark.parametrize(
    "raw",
    ["9010-9000", "9000-70000", "8080-", "-8080", "65536", "8080;9000", "x", "8080,,,9000", ",", "0x1f90", "9" * 5000],
)
def test_refused_ports(raw):
    with pytest.raises(_errors.ValueProblem) as caught:
        sysctl_values.parse(raw, PORTS)
    assert str(caught.value) == (
        (
            "{0!r} is not a list of ports; write ports and ranges from 0 to 65535, with commas and without "
            "spaces, as in 8080,9000-9010"
        ).format(raw)
    )


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        pytest.param("5", shapes.Shape(shapes.INTEGERS, 1), id="one"),
        pytest.param("4096\t131072\t6291456", shapes.Shape(shapes.INTEGERS, 3), id="three"),
        pytest.param("-1", shapes.Shape(shapes.INTEGERS, 1), id="negative"),
        pytest.param("cubic", shapes.Shape(shapes.TEXT), id="word"),
        pytest.param("5 a", shapes.Shape(shapes.TEXT), id="mixed"),
        pytest.param("", shapes.Shape(shapes.TEXT), id="empty"),
    ],
)
def test_guess(text, shape):
    assert sysctl_values.infer_shape(text) == shape


@pytest.mark.parametrize(
    ("text", "shape", "tidied"),
    [
        pytest.param("4096\t131072\t6291456", THREE, "4096 131072 6291456", id="tabs"),
        pytest.param("0x10", ONE, "16", id="hexadecimal"),
        pytest.param("010", ONE, "8", id="octal, as the kernel reads it"),
        pytest.param("5 # why", ONE, "5 # why", id="junk stays"),
        pytest.param(" a  b ", TEXT, "a  b", id="text keeps inner blanks"),
        pytest.param("a   b", WORDS, "a b", id="words"),
        pytest.param("", ONE, "", id="empty"),
    ],
)
def test_tidy(text, shape, tidied):
    assert sysctl_values.normalize(text, shape) == tidied


@pytest.mark.parametrize(
    ("one", "other", "shape", "expected"),
    [
        pytest.param("4096\t131072\t5", "4096 131072 5", THREE, True, id="tabs and blanks"),
        pytest.param("0x10", "16", ONE, True, id="hexadecimal"),
        pytest.param("5", "6", ONE, False, id="different"),
        pytest.param("5", "5 5", ANY, False, id="different count"),
        pytest.param(None, "5", ONE, False, id="absent and present"),
        pytest.param("5", None, ONE, False, id="present and absent"),
        pytest.param(None, None, ONE, True, id="both absent"),
        pytest.param("8080,8081", "8081,8080", PORTS, True, id="ports in another order"),
        pytest.param("8080-8082", "8080,8081,8082", PORTS, True, id="a range and its ports"),
        pytest.param("8080", "8081", PORTS, False, id="other ports"),
        pytest.param("x", "y", PORTS, False, id="no ports at all"),
        pytest.param("x", "x ", PORTS, False, id="no ports, nearly the same text"),
        pytest.param("", "", PORTS, True, id="no ports on both sides"),
        pytest.param("reno cubic", "cubic reno", WORDS, True, id="words in another order"),
        pytest.param("reno", "reno cubic", WORDS, False, id="another word"),
        pytest.param("a b", "b a", TEXT, False, id="text has an order"),
        pytest.param("a ", "a", TEXT, True, id="blanks around text"),
        pytest.param("010", "8", TEXT, False, id="text is no number"),
        pytest.param("ab", "AB", SPELLED, True, id="two spellings of one text"),
        pytest.param("zz", "zz\t", SPELLED, True, id="a text that has no other spelling"),
    ],
)
def test_same(one, other, shape, expected):
    assert sysctl_values.equivalent(one, other, shape) is expected


@pytest.mark.parametrize(
    ("have", "desired", "shape", "at_least", "at_most", "larger", "smaller"),
    [
        pytest.param("5", "5", ANY, True, True, "5", "5", id="equal"),
        pytest.param("6", "5", ANY, True, False, "6", "5", id="above"),
        pytest.param("4", "5", ANY, False, True, "5", "4", id="below"),
        pytest.param("10", "9", ANY, True, False, "10", "9", id="numbers, not text"),
        pytest.param(
            "4096\t131072\t9", "4096 9 131072", ANY, False, False, "4096 131072 131072", "4096 9 9", id="mixed vector"
        ),
        pytest.param("2 2 2", "1 1 1", ANY, True, False, "2 2 2", "1 1 1", id="vector above"),
        pytest.param("2 2", "1 1 1", ANY, False, False, "1 1 1", "1 1 1", id="other length"),
        pytest.param(None, "5", ANY, False, False, "5", "5", id="absent"),
        pytest.param("cubic", "5", ANY, False, False, "5", "5", id="text"),
        pytest.param("", "5", ANY, False, False, "5", "5", id="empty"),
        pytest.param("-1", "0x10", ANY, False, True, "16", "-1", id="negative and hexadecimal"),
        pytest.param("10 20", "12 18", RANGE, True, False, "10 20", "12 18", id="a range around"),
        pytest.param("12 18", "10 20", RANGE, False, True, "10 20", "12 18", id="a range within"),
        pytest.param("10 18", "12 20", RANGE, False, False, "10 20", "12 18", id="ranges that overlap"),
        pytest.param("10 20", "10 20", RANGE, True, True, "10 20", "10 20", id="the same range"),
        pytest.param("10", "10 20", RANGE, False, False, "10 20", "10 20", id="no range"),
        pytest.param("80,90-95", "91-93", PORTS, True, False, "80,90-95", "91-93", id="more ports"),
        pytest.param("91-93", "80,90-95", PORTS, False, True, "80,90-95", "91-93", id="fewer ports"),
        pytest.param("80-82", "82-84", PORTS, False, False, "80-84", "82", id="other ports"),
        pytest.param("", "80", PORTS, False, True, "80", "", id="no ports"),
        pytest.param("8080", "80", PORTS, False, False, "80,8080", "", id="ports are no amounts"),
        pytest.param(None, "80", PORTS, False, False, "80", "80", id="ports absent"),
        pytest.param("x", "80", PORTS, False, False, "80", "80", id="ports that are none"),
    ],
)
def test_bounds(have, desired, shape, at_least, at_most, larger, smaller):
    assert sysctl_values.satisfies("at_least", have, desired, shape) is at_least
    assert sysctl_values.satisfies("at_most", have, desired, shape) is at_most
    assert sysctl_values.stricter("at_least", have, desired, shape) == larger
    assert sysctl_values.stricter("at_most", have, desired, shape) == smaller


def test_what_can_be_larger():
    assert [shape.ordered for shape in (ANY, RANGE, PORTS, TEXT, shapes.Shape("words"))] == [True] * 3 + [False] * 2


@pytest.mark.parametrize(
    ("raw", "is_text", "kind"),
    [
        ("yes", False, "integers"),
        ("Off", False, "integers"),
        (True, False, "integers"),
        ("5", False, "integers"),
        ("word", False, "text"),
        ("yes", True, "text"),
    ],
)
def test_guess_of_wish(raw, is_text, kind):
    """A word for a switch is text only for a key that is there and empty."""
    assert sysctl_values.infer_shape_from_request(raw, is_text).kind == kind


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        pytest.param(BYTE, "0 .. 255", id="both ends"),
        pytest.param(FROM_ZERO, "0 or more", id="low end"),
        pytest.param(shapes.Shape(shapes.INTEGERS, 1, None, 5), ".. 5", id="high end"),
        pytest.param(ONE, "", id="none"),
    ],
)
def test_span(shape, text):
    assert sysctl_values.span(shape) == text

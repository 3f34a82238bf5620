# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils import _textfile


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        pytest.param(b"", [], id="empty"),
        pytest.param(b"a\nb\n", [b"a\n", b"b\n"], id="two lines"),
        pytest.param(b"a\nb", [b"a\n", b"b"], id="last line without an end"),
        pytest.param(b"\n\n", [b"\n", b"\n"], id="blank lines"),
        pytest.param(b"a\r\nb\r\n", [b"a\r\n", b"b\r\n"], id="CRLF"),
        pytest.param(b"a\x0bb\x0cc\x85d\xe2\x80\xa8e\n", [b"a\x0bb\x0cc\x85d\xe2\x80\xa8e\n"], id="only newline ends"),
        pytest.param(b"a\rb\n", [b"a\rb\n"], id="a lone CR ends nothing"),
        pytest.param(b"\xff\xfe\n\0\n", [b"\xff\xfe\n", b"\0\n"], id="any bytes"),
    ],
)
def test_split(data, lines):
    assert _textfile.split(data) == lines
    assert b"".join(lines) == data


@pytest.mark.parametrize(
    ("line", "end"),
    [
        pytest.param(b"a\n", b"\n", id="LF"),
        pytest.param(b"a\r\n", b"\r\n", id="CRLF"),
        pytest.param(b"a", b"\n", id="none"),
        pytest.param(b"a\r", b"\n", id="lone CR"),
    ],
)
def test_end_of(line, end):
    assert _textfile.end_of(line) == end


@pytest.mark.parametrize(
    ("lines", "added", "joined"),
    [
        pytest.param([], [], b"", id="nothing"),
        pytest.param([], [b"a\n"], b"# head\na\n", id="a new file gets the header"),
        pytest.param([b"x\n"], [], b"x\n", id="unchanged"),
        pytest.param([b"x\n"], [b"a\n"], b"x\na\n", id="an old file gets no header"),
        pytest.param([b"x"], [b"a\n"], b"x\na\n", id="an unended last line is ended first"),
        pytest.param([b"y\n", b"x"], [], b"y\nx", id="an unended last line stays when nothing follows"),
        pytest.param([b"# c"], [b"a\n", b"b\n"], b"# c\na\nb\n", id="not glued to a comment"),
    ],
)
def test_join(lines, added, joined):
    before = list(lines)
    assert _textfile.join(lines, added, b"# head\n") == joined
    assert lines == before


@pytest.mark.parametrize(
    ("data", "line"),
    [
        pytest.param(b"", None, id="empty"),
        pytest.param("# \u00fcber\n".encode("utf-8"), None, id="UTF-8"),
        pytest.param(b"\xff\n", 1, id="first line"),
        pytest.param(b"\n\xff\n", 2, id="behind a blank line"),
        pytest.param(b"a\nb\n# caf\xe9\nc\n", 3, id="third line"),
    ],
)
def test_undecodable(data, line):
    assert _textfile.undecodable(data) == line

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Our lines are removed from a file that was changed externally."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._transaction import merge3

HEAD = b"# Written\n"
SECTION = HEAD + b"[Service]\n"


@pytest.mark.parametrize(
    ("left", "now", "goal", "expected"),
    [
        pytest.param(b"a=2\n", b"a=2\n", b"a=1\n", b"a=1\n", id="untouched"),
        pytest.param(None, None, b"a=1\n", b"a=1\n", id="no file, as we left it"),
        pytest.param(b"a=2\n", None, b"a=1\n", None, id="removed by others"),
        pytest.param(None, b"x=1\n", b"a=1\n", b"x=1\n", id="made by others"),
        pytest.param(b"a=2\n", b"a=1\n", b"a=1\n", b"a=1\n", id="there already"),
        pytest.param(b"a=2\nb=2\n", b"a=2\nb=3\n", b"a=1\nb=1\n", b"a=1\nb=3\n", id="a line that others changed"),
        pytest.param(b"a=2\nb=2\n", b"b=2\n", b"a=1\nb=1\n", b"b=1\n", id="a line that others removed"),
        pytest.param(b"a=2\n", b"# c\na=2\nx=1\n", b"a=1\n", b"# c\na=1\nx=1\n", id="lines that others added"),
        pytest.param(b"a=2\n", b"a=2\n# c\n", b"a=1", b"a=1\n# c\n", id="behind a line that had no end"),
        pytest.param(
            b"a=2\nb=2\nc=2\n",
            b"a=3\nb=2\nc=2\n",
            b"b=2\nc=2\na=2\n",
            b"a=3\nb=2\nc=2\n",
            id="what others changed is not said twice",
        ),
        pytest.param(b"a=2\n", b"", b"a=1\nb=1\n", b"b=1\n", id="beside a line that others removed"),
        pytest.param(b"a/x=2\n", b"a.x=3\n", b"b=1\na.x=1\n", b"b=1\na.x=3\n", id="said by others with dots"),
        pytest.param(b"b=2\n", b"b=2\n-a.x=3\n", b"b=2\na/x=1\n", b"b=2\n-a.x=3\n", id="said by others besides"),
        pytest.param(
            b"x hard nofile 2\n",
            b"x - nofile 3\n",
            b"x soft nofile 1\ny hard nofile 1\n",
            b"y hard nofile 1\nx - nofile 3\n",
            id="a limit of another type",
        ),
        pytest.param(
            b"a=2\nz=2\nx=2\n# theirs\n",
            b"z=2\nx=2\n# theirs\n",
            b"a=1\n# theirs\nz=2\nx=2\n",
            b"z=2\nx=2\n# theirs\n",
            id="a line of others that comes elsewhere stays",
        ),
        pytest.param(b"a=2\n", b"x=1\na=2\n", None, b"x=1\n", id="only theirs are left"),
        pytest.param(b"a=2\nb=2\n", b"b=2\na=2\n", b"a=1\nb=1\n", b"b=1\na=1\n", id="sorted by others"),
        pytest.param(SECTION + b"A=1\n", SECTION + b"A=1\n# x\n", None, b"# x\n", id="a section with a comment goes"),
        pytest.param(SECTION + b"A=1\n", SECTION + b"A=9\n", None, b"[Service]\nA=9\n", id="a section of others stays"),
        pytest.param(SECTION + b"A=1\n", SECTION + b"A=1\n[Unit]\nB=1\n", None, b"[Unit]\nB=1\n", id="another section"),
    ],
)
def test_merged(left, now, goal, expected):
    assert merge3.merge(left, now, goal)[0] == expected

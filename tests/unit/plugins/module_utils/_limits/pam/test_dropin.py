# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import limit as limit_types
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import dropin as pam_dropin
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import variant as pam_variant

HEAD = pam_dropin.HEADER


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        pytest.param(b"* soft nofile 65535\n", pam_dropin.Rule("*", "soft", "nofile", 65535), id="plain"),
        pytest.param(b"\t*\thard  nproc\t5", pam_dropin.Rule("*", "hard", "nproc", 5), id="tabs, no newline"),
        pytest.param(b"@web - nofile 7\r\n", pam_dropin.Rule("@web", "-", "nofile", 7), id="both, CRLF"),
        pytest.param(b"* HARD NoFile 5\n", pam_dropin.Rule("*", "hard", "nofile", 5), id="type and item in any case"),
        pytest.param(
            b"Alice soft core 0\n", pam_dropin.Rule("Alice", "soft", "core", 0), id="the domain keeps its case"
        ),
        pytest.param(
            b"* soft nofile 3000#x y\n", pam_dropin.Rule("*", "soft", "nofile", 3000, "x y"), id="glued comment"
        ),
        pytest.param(
            b"* soft nofile 3000 # why # so\n", pam_dropin.Rule("*", "soft", "nofile", 3000, "why # so"), id="comment"
        ),
        pytest.param(b"* soft nofile 3000 junk\n", pam_dropin.Rule("*", "soft", "nofile", 3000), id="a fifth field"),
        pytest.param(b"* soft nproc unlimited\n", pam_dropin.Rule("*", "soft", "nproc", "unlimited"), id="unlimited"),
        pytest.param(b"bob - nice -1\n", pam_dropin.Rule("bob", "-", "nice", -1), id="minus one is a nice value"),
        pytest.param(b"alice -\n", pam_dropin.Rule("alice", "-", ""), id="exempt"),
        pytest.param(b"alice - # all\n", pam_dropin.Rule("alice", "-", ""), id="exempt, with a comment"),
        pytest.param(b"# * soft nofile 1\n", None, id="comment line"),
        pytest.param(b"\n", None, id="blank line"),
        pytest.param(b"* soft nofile\n", None, id="three fields"),
        pytest.param(b"soft * nofile 5\n", None, id="wrong order"),
        pytest.param(b"* both nofile 5\n", None, id="unknown type"),
        pytest.param(b"* soft files 5\n", None, id="unknown item"),
        pytest.param(b"www - chroot /srv\n", None, id="an item that only Debian knows"),
        pytest.param(b"\xff soft nofile 5\n", pam_dropin.Rule("\udcff", "soft", "nofile", 5), id="not UTF-8"),
    ],
)
def test_parse_line(line, rule):
    assert pam_dropin.parse_line(line) == rule


def test_exempts():
    assert pam_dropin.Rule("alice", "-", "").exempts
    assert not pam_dropin.Rule("alice", "-", "nofile").exempts


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        pytest.param(b"", limit_types.Limit(), id="nothing"),
        pytest.param(b"* soft nofile 1\n* hard nofile 2\n", limit_types.Limit(1, 2), id="both halves"),
        pytest.param(b"* - nofile 3\n", limit_types.Limit(3, 3), id="dash"),
        pytest.param(b"* - nofile 3\n* soft nofile 1\n", limit_types.Limit(1, 3), id="soft after a dash"),
        pytest.param(b"* soft nofile 1\n* - nofile 3\n", limit_types.Limit(3, 3), id="dash after soft"),
        pytest.param(b"* soft nofile 1\n* soft nofile 2\n", limit_types.Limit(2, None), id="the last line"),
        pytest.param(b"* soft nproc 1\nalice soft nofile 2\n* -\n", limit_types.Limit(), id="others"),
    ],
)
def test_get(data, limit):
    assert pam_dropin.ConfFile(data).get("*", "nofile") == limit


def change(soft=None, hard=None, domain="*", item="nofile", joined=False, comment=""):
    return pam_dropin.Change(domain, item, limit_types.Limit(soft, hard), joined, comment)


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        pytest.param(b"", [change(5, 9)], HEAD + b"*\tsoft\tnofile\t5\n*\thard\tnofile\t9\n", id="a new file"),
        pytest.param(b"", [change(5)], HEAD + b"*\tsoft\tnofile\t5\n", id="soft alone"),
        pytest.param(b"", [change(hard=5)], HEAD + b"*\thard\tnofile\t5\n", id="hard alone"),
        pytest.param(b"", [change(5, 5)], HEAD + b"*\tsoft\tnofile\t5\n*\thard\tnofile\t5\n", id="equal, two lines"),
        pytest.param(b"", [change(5, 5, joined=True)], HEAD + b"*\t-\tnofile\t5\n", id="equal, one line asked for"),
        pytest.param(
            b"", [change(5, 9, joined=True)], HEAD + b"*\tsoft\tnofile\t5\n*\thard\tnofile\t9\n", id="unequal needs two"
        ),
        pytest.param(b"", [change("unlimited", item="nproc")], HEAD + b"*\tsoft\tnproc\tunlimited\n", id="unlimited"),
        pytest.param(b"", [change(5, comment="why")], HEAD + b"*\tsoft\tnofile\t5\t#why\n", id="comment"),
        pytest.param(b"", [], b"", id="nothing to do"),
        pytest.param(b"", [change()], b"", id="nothing to remove"),
        pytest.param(
            b"*  soft  nofile 5 # c\n* HARD NOFILE 9",
            [change(5, 9)],
            b"*  soft  nofile 5 # c\n* HARD NOFILE 9",
            id="says it already, in another writing",
        ),
        pytest.param(
            b"# c\n* soft nofile 1",
            [change(5, 9, "alice")],
            b"# c\n* soft nofile 1\nalice\tsoft\tnofile\t5\nalice\thard\tnofile\t9\n",
            id="last line without newline",
        ),
        pytest.param(b"x\n* soft nofile 1\ny\n", [change(5)], b"x\n*\tsoft\tnofile\t5\ny\n", id="in place"),
        pytest.param(
            b"* - nofile 3\n", [change(5, 3)], b"*\tsoft\tnofile\t5\n*\thard\tnofile\t3\n", id="a dash is split"
        ),
        pytest.param(
            b"* soft nofile 1\n* hard nofile 2\n",
            [change(5, 5)],
            b"*\tsoft\tnofile\t5\n*\thard\tnofile\t5\n",
            id="two lines stay two",
        ),
        pytest.param(b"* - nofile 3\n", [change(5, 5)], b"*\t-\tnofile\t5\n", id="a dash stays a dash"),
        pytest.param(
            b"* soft nofile 1\n* hard nofile 2\n* - nofile 3\n",
            [change(5, 9)],
            b"*\tsoft\tnofile\t5\n*\thard\tnofile\t9\n",
            id="dash, soft and hard reconciled",
        ),
        pytest.param(
            b"* soft nofile 1\n* - nofile 3\n",
            [change(5, 5, joined=True)],
            b"*\t-\tnofile\t5\n",
            id="reconciled into a dash",
        ),
        pytest.param(b"* - nofile 3\n", [change(3, None)], b"*\tsoft\tnofile\t3\n", id="half of a dash removed"),
        pytest.param(b"* - nofile 3\nx\n", [change()], b"x\n", id="removed"),
        pytest.param(HEAD + b"* - nofile 3\n", [change()], HEAD, id="the header is left"),
        pytest.param(
            b"* soft nofile 1 # soft why\n* hard nofile 2 # hard why\n",
            [change(5, 9)],
            b"*\tsoft\tnofile\t5\t#soft why\n*\thard\tnofile\t9\t#hard why\n",
            id="each comment stays with its line",
        ),
        pytest.param(
            b"* - nofile 1 # why\n",
            [change(5, 9)],
            b"*\tsoft\tnofile\t5\t#why\n*\thard\tnofile\t9\t#why\n",
            id="comment of a dash",
        ),
        pytest.param(
            b"alice soft nofile 7 # hers\n* soft nofile 1\n",
            [change(5)],
            b"alice soft nofile 7 # hers\n*\tsoft\tnofile\t5\n",
            id="no comment of others is copied",
        ),
        pytest.param(
            b"* soft nofile 5 # old\n", [change(5, comment="new")], b"*\tsoft\tnofile\t5\t#new\n", id="a new comment"
        ),
        pytest.param(
            b"* soft nofile 5\t#why\n", [change(5, comment="why")], b"* soft nofile 5\t#why\n", id="the same comment"
        ),
        pytest.param(b"* soft nofile 1\r\n# c\r\n", [change(5)], b"*\tsoft\tnofile\t5\r\n# c\r\n", id="CRLF in place"),
        pytest.param(
            b"# caf\xe9\nwww - chroot /srv\n* soft nofile 1\n",
            [change(5)],
            b"# caf\xe9\nwww - chroot /srv\n*\tsoft\tnofile\t5\n",
            id="foreign bytes stay",
        ),
        pytest.param(
            b"* soft nofile 1 # caf\xe9\n",
            [change(5)],
            b"*\tsoft\tnofile\t5\t#caf\xe9\n",
            id="a comment that is not UTF-8 stays",
        ),
        pytest.param(
            b"* soft nofile 1\n* soft nproc 1\n",
            [change(5), change(6, item="nproc"), change(7, domain="alice")],
            b"*\tsoft\tnofile\t5\n*\tsoft\tnproc\t6\nalice\tsoft\tnofile\t7\n",
            id="several",
        ),
    ],
)
def test_with_changes(before, changes, after):
    assert pam_dropin.ConfFile(before).with_changes(changes) == after
    again = pam_dropin.ConfFile(after)
    assert all(again.says(one) for one in changes)
    assert again.with_changes(changes) == after


def test_rules_have_their_line_numbers():
    data = b"# c\n* soft nofile 1\n\nalice -\n"
    assert pam_dropin.ConfFile(data).rules() == [
        (2, pam_dropin.Rule("*", "soft", "nofile", 1)),
        (4, pam_dropin.Rule("alice", "-", "")),
    ]


@pytest.mark.parametrize(
    ("data", "asked", "says"),
    [
        pytest.param(b"* - nofile 5\n", change(5, 5), True, id="dash for both"),
        pytest.param(b"* - nofile 5\n", change(5), False, id="dash says more than soft"),
        pytest.param(b"* soft nproc -1\n", change("unlimited", item="nproc"), True, id="no limit in another spelling"),
        pytest.param(b"* soft nofile 1\n* soft nofile 5\n", change(5), True, id="the losing duplicate does not matter"),
        pytest.param(b"* soft nofile 5\n", change(5, comment="x"), False, id="comment missing"),
        pytest.param(b"* soft nofile 5 # y\n", change(5), True, id="comment not asked for"),
    ],
)
def test_says(data, asked, says):
    assert pam_dropin.ConfFile(data).says(asked) is says


OLD = pam_variant.PamVariant(splits_long_lines=True, nonewprivs=False)


@pytest.mark.parametrize(
    ("line", "old", "new"),
    [
        pytest.param(b"* - nofile 3000 junk", 3000, 3000, id="a fifth field"),
        pytest.param(b"* - nofile unlimited junk", "unlimited", None, id="a word with a fifth field"),
        pytest.param(b"* - nofile unlimited\r", "unlimited", None, id="a word with CRLF"),
        pytest.param(b"* - nofile 3000\r", 3000, 3000, id="CRLF"),
        pytest.param(b"*\x0b-\x0cnofile 3000", 3000, None, id="odd blanks"),
        pytest.param(b"\xef\xbb\xbf* - nofile 3000", 3000, 3000, id="a byte order mark is part of the domain"),
        pytest.param(b"*\xc2\xa0- nofile 3000", None, None, id="a no-break space is no blank"),
        pytest.param(b"* - nofile 3000\x00 9", 3000, 3000, id="a zero byte ends the line"),
        pytest.param(b'* - nofile "500"', None, None, id="quotes"),
        pytest.param(b"* both nofile 500", None, None, id="an unknown type"),
        pytest.param(b"* both maxlogins 500", 500, 500, id="logins take any type"),
        pytest.param(b"* - nonewprivs 1", None, 1, id="nonewprivs is younger"),
        pytest.param(b"# " + b"c" * 1021 + b"* - nofile 3000", 3000, None, id="the tail of a long comment"),
        pytest.param(b"* - nofile 30" + b" " * 1010 + b"* - nofile 7", 7, 30, id="the tail of a long line"),
    ],
)
def test_what_each_release_reads(line, old, new):
    found = [pam_dropin.read(line + b"\n", variant) for variant in (OLD, pam_variant.PLAIN)]
    assert [rules[-1][1].value if rules else None for rules in found] == [old, new]

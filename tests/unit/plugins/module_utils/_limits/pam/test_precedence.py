# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import limit as limit_types
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import precedence as pam_precedence
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import variant as pam_variant

MAIN = "/etc/security/limits.conf"
A, B = "/etc/security/limits.d/10-a.conf", "/etc/security/limits.d/20-b.conf"
ALICE = pam_precedence.User("alice", 2000, 2000, {2000: "alice", 3000: "web", 3005: "db"})
CAROL = pam_precedence.User("carol", 2001, 3000, {3000: "web"})
ROOT = pam_precedence.User("root", 0, 0, {0: "root"})
BASE = limit_types.Limit(1024, 524288)


@pytest.mark.parametrize(
    ("names", "order"),
    [
        pytest.param([], [], id="main file only"),
        pytest.param(
            ["a.conf", "Z.conf", "9-a.conf", "10-a.conf"],
            ["10-a.conf", "9-a.conf", "Z.conf", "a.conf"],
            id="byte order",
        ),
        pytest.param(
            [".x.conf", "x.conf~", "README", "x.conf.bak", "y.conf"], ["y.conf"], id="names that are not read"
        ),
    ],
)
def test_reading_order(names, order):
    assert pam_precedence.reading_order(names) == [MAIN] + ["/etc/security/limits.d/" + name for name in order]


def choose(files, user=ALICE, item="nofile", star_excludes_root=False):
    choice = pam_precedence.for_user(pam_precedence.placed_rules(files), user, item, star_excludes_root)
    return pam_precedence.session(choice, item, BASE, BASE, True, None, pam_variant.PamVariant())[0], [
        one.where if one else None for one in choice
    ]


@pytest.mark.parametrize(
    ("files", "limit", "soft", "hard"),
    [
        pytest.param([], BASE, None, None, id="no rule"),
        pytest.param([(MAIN, b"* - nofile 5\n")], limit_types.Limit(5, 5), MAIN + ":1", MAIN + ":1", id="everybody"),
        pytest.param([(MAIN, b"bob - nofile 5\n")], BASE, None, None, id="somebody else"),
        pytest.param([(MAIN, b"Alice - nofile 5\n")], BASE, None, None, id="case of the domain"),
        pytest.param([(MAIN, b"2000 - nofile 5\n")], BASE, None, None, id="a number is a name"),
        pytest.param(
            [(MAIN, b"alice - nofile 3\n"), (A, b"@web - nofile 4\n"), (B, b"* - nofile 5\n")],
            limit_types.Limit(3, 3),
            MAIN + ":1",
            MAIN + ":1",
            id="user beats group beats everybody, wherever they stand",
        ),
        pytest.param(
            [(MAIN, b"@web - nofile 4\n"), (B, b"* - nofile 5\n")],
            limit_types.Limit(4, 4),
            MAIN + ":1",
            MAIN + ":1",
            id="group beats everybody",
        ),
        pytest.param(
            [(MAIN, b"* - nofile 4\n"), (B, b"* - nofile 5\n")],
            limit_types.Limit(5, 5),
            B + ":1",
            B + ":1",
            id="the last file",
        ),
        pytest.param(
            [(A, b"* - nofile 4\n* - nofile 5\n")], limit_types.Limit(5, 5), A + ":2", A + ":2", id="the last line"
        ),
        pytest.param(
            [(A, b"@web - nofile 3002\n@db - nofile 3005\n")],
            limit_types.Limit(3005, 3005),
            A + ":2",
            A + ":2",
            id="the last of two groups",
        ),
        pytest.param(
            [(A, b"alice - nofile 3\n1000: - nofile 4\n")],
            limit_types.Limit(4, 4),
            A + ":2",
            A + ":2",
            id="a range is as strong as a name",
        ),
        pytest.param(
            [(A, b"1000: - nofile 4\nalice - nofile 3\n")],
            limit_types.Limit(3, 3),
            A + ":2",
            A + ":2",
            id="a name after a range",
        ),
        pytest.param(
            [(A, b"alice soft nofile 9\n* hard nofile 5\n")],
            limit_types.Limit(5, 5),
            A + ":1",
            A + ":2",
            id="soft and hard apart, soft is cut",
        ),
        pytest.param(
            [(A, b"alice soft nofile 7\n* - nofile 9\n")],
            limit_types.Limit(7, 524288),
            A + ":1",
            None,
            id="a dash that is beaten by half is left at that half",
        ),
        pytest.param(
            [(A, b"* - nofile 9\nalice soft nofile 7\n")],
            limit_types.Limit(7, 9),
            A + ":2",
            A + ":1",
            id="half of a dash is beaten later",
        ),
        pytest.param(
            [(A, b"alice hard nofile 7\n* - nofile 5\n")],
            limit_types.Limit(5, 7),
            A + ":2",
            A + ":1",
            id="hard half of a dash is beaten",
        ),
        pytest.param(
            [(A, b"* - nofile 9\n* soft nofile 7\n")],
            limit_types.Limit(7, 9),
            A + ":2",
            A + ":1",
            id="soft after a dash",
        ),
        pytest.param(
            [(A, b"* soft nofile 9999999\n")],
            limit_types.Limit(524288, 524288),
            A + ":1",
            None,
            id="soft above what is inherited",
        ),
        pytest.param(
            [(A, b"* - nofile unlimited\n")],
            limit_types.Limit("unlimited", "unlimited"),
            A + ":1",
            A + ":1",
            id="no limit",
        ),
        pytest.param([(A, b"* - nproc 9\n")], BASE, None, None, id="another item"),
        pytest.param([(A, b"%web - nofile 9\n")], BASE, None, None, id="% is for logins"),
    ],
)
def test_for_user(files, limit, soft, hard):
    assert choose(files) == (limit, [soft, hard, None])


@pytest.mark.parametrize(
    ("domain", "alice", "carol"),
    [
        ("1000:", True, True),
        ("2000:2001", True, True),
        ("2001:2001", False, True),
        ("2001:", False, True),
        (":2000", True, False),
        ("1000:1999", False, False),
        ("@web", True, True),
        ("@db", True, False),
        ("@3000", False, False),
        ("@:3000", True, True),
        ("@:3005", True, False),
        ("@3000:", False, True),
        ("@3000:3999", False, True),
        ("@2000:2000", True, False),
        ("x:y", False, False),
        (":", False, False),
        ("\u00b2:", False, False),
        ("@:\u00b2", False, False),
    ],
)
def test_whom_a_domain_names(domain, alice, carol):
    files = [(A, (domain + " - nofile 5\n").encode("utf-8"))]
    assert (choose(files)[0] == limit_types.Limit(5, 5), choose(files, CAROL)[0] == limit_types.Limit(5, 5)) == (
        alice,
        carol,
    )


@pytest.mark.parametrize(
    ("domain", "debian", "others"),
    [
        ("root", True, True),
        ("*", False, True),
        ("@root", False, True),
        (":0", True, True),
        ("0:", True, True),
        ("0:100", True, True),
        # Debian's patch lets these fall through to the test of the user id.
        ("@:0", True, True),
        ("@0:", True, True),
        ("@1:", False, False),
        ("alice", False, False),
    ],
)
def test_what_binds_root(domain, debian, others):
    files = [(A, (domain + " - nofile 5\n").encode("utf-8"))]
    bound = [choose(files, ROOT, star_excludes_root=spares)[0] == limit_types.Limit(5, 5) for spares in (True, False)]
    assert bound == [debian, others]


@pytest.mark.parametrize("domain", ["*", "@web", "@:3000", "@2000:", "alice", "1000:"])
def test_what_binds_others_on_debian(domain):
    files = [(A, (domain + " - nofile 5\n").encode("utf-8"))]
    assert choose(files, star_excludes_root=True)[0] == limit_types.Limit(5, 5)


@pytest.mark.parametrize(
    ("files", "exempt"),
    [
        pytest.param([(MAIN, b"alice -\n"), (A, b"alice - nofile 5\n")], MAIN + ":1", id="before the rule"),
        pytest.param([(MAIN, b"alice - nofile 5\n"), (A, b"\nalice -\n")], A + ":2", id="after the rule"),
        pytest.param([(A, b"* - nofile 5\n@web -\n")], A + ":2", id="by group"),
        pytest.param([(A, b"* - nofile 5\n1000: -\n")], A + ":2", id="by range"),
    ],
)
def test_exempt(files, exempt):
    limit, places = choose(files)
    assert (limit, places[2]) == (BASE, exempt)


@pytest.mark.parametrize(
    ("domain", "exempt"),
    [("root", True), ("@root", True), (":0", True), ("0:5", True), ("%0:5", True), ("%:0", True), ("%", False)]
    + [("*", False), ("1:", False), ("a:b", False)],
)
def test_root_is_not_spared_where_it_is_exempt(domain, exempt):
    choice = pam_precedence.for_user(
        pam_precedence.placed_rules([(A, (domain + " -\n").encode("ascii"))]), ROOT, "nofile", True
    )
    assert (choice.exempt is not None) == exempt


@pytest.mark.parametrize(
    ("lines", "maxlogins", "maxsyslogins"),
    [
        ("alice - maxlogins 0\nalice - maxsyslogins 50\n", None, 50),
        ("alice - maxsyslogins 50\nalice - maxlogins 0\n", 0, None),
        ("alice - maxlogins 5\n* - maxsyslogins 3\n", None, 5),
        ("%web - maxlogins 4\n* - maxlogins 3\n", 4, None),
        ("% - maxlogins 4\n%:3000 - maxlogins 3\n", 3, None),
        ("%3000: - maxlogins 4\n% - maxsyslogins 4\n", None, None),
        ("alice whatever maxlogins 4\n", 4, None),
    ],
)
def test_logins_are_one_number(lines, maxlogins, maxsyslogins):
    rules = pam_precedence.placed_rules([(A, lines.encode("ascii"))])
    found = [pam_precedence.for_user(rules, ALICE, item, False).soft for item in ("maxlogins", "maxsyslogins")]
    assert [placed.rule.value if placed else None for placed in found] == [maxlogins, maxsyslogins]


@pytest.mark.parametrize("line", [b"* -\n", b"bob -\n", b"@other -\n"])
def test_not_exempt(line):
    assert choose([(A, line + b"* - nofile 5\n")]) == (limit_types.Limit(5, 5), [A + ":2", A + ":2", None])


@pytest.mark.parametrize("item", ["priority", "nonewprivs"])
def test_items_without_classes(item):
    files = [(A, "alice - {0} 1\n* - {0} 0\n".format(item).encode("ascii"))]
    assert choose(files, item=item)[1] == [A + ":2", A + ":2", None]


@pytest.mark.parametrize(
    ("files", "domain", "places"),
    [
        pytest.param(
            [(A, b"* - nofile 4\n"), (B, b"* soft nofile 5\n")], "*", [B + ":1", A + ":1", None], id="over all files"
        ),
        pytest.param([(A, b"alice - nofile 4\n* - nproc 3\n")], "*", [None, None, None], id="other domain and item"),
        pytest.param([(A, b"alice - nofile 4\nalice -\n")], "alice", [A + ":1", A + ":1", A + ":2"], id="exempt"),
        pytest.param([(A, b"* -\n* - nofile 4\n")], "*", [A + ":2", A + ":2", None], id="a plain '* -' is ignored"),
    ],
)
def test_for_domain(files, domain, places):
    choice = pam_precedence.for_domain(pam_precedence.placed_rules(files), domain, "nofile")
    assert [one.where if one else None for one in choice] == places


DEBIAN = pam_variant.PamVariant(star_excludes_root=True, ignores_setrlimit_errors=True)
OLD = pam_variant.PamVariant(unlimited_means_nr_open=False)
FIRST = {"nofile": limit_types.Limit(4096, 1048576), "nproc": limit_types.Limit(500, 500)}


@pytest.mark.parametrize(
    ("lines", "variant", "may_raise", "expected"),
    [
        # The recipe of the documents, above the hard limit of the login: measured with Linux-PAM 1.3.1, 1.5.1 and 1.7.2 as released,
        # and with Debian's.
        pytest.param(
            "* - nofile 65535\n",
            pam_variant.PamVariant(),
            True,
            (limit_types.Limit(65535, 65535), False),
            id="may raise",
        ),
        pytest.param(
            "* - nofile 65535\n",
            pam_variant.PamVariant(),
            False,
            (limit_types.Limit(777, 20000), True),
            id="may not raise",
        ),
        pytest.param("* - nofile 65535\n", DEBIAN, False, (limit_types.Limit(777, 20000), True), id="nor on Debian"),
        pytest.param(
            "* - nofile 1048576\n",
            pam_variant.PamVariant(),
            True,
            (limit_types.Limit(1048576, 1048576), False),
            id="fs.nr_open",
        ),
        pytest.param(
            "* - nofile 1048577\n",
            pam_variant.PamVariant(),
            True,
            (limit_types.Limit(777, 20000), True),
            id="above fs.nr_open",
        ),
        pytest.param(
            "* - nofile unlimited\n",
            pam_variant.PamVariant(),
            True,
            (limit_types.Limit(1048576, 1048576), False),
            id="word, 1.7.2",
        ),
        pytest.param("* - nofile unlimited\n", OLD, True, (limit_types.Limit(777, 20000), True), id="word, 1.3.1"),
        pytest.param(
            "* - nofile " + "9" * 22 + "\n", OLD, True, (limit_types.Limit(777, 20000), True), id="22 digits, 1.3.1"
        ),
        pytest.param(
            "* - nofile -5\n", pam_variant.PamVariant(), True, (limit_types.Limit(777, 20000), True), id="negative"
        ),
        pytest.param(
            "* soft nofile 65535\n",
            pam_variant.PamVariant(),
            False,
            (limit_types.Limit(20000, 20000), False),
            id="soft is cut",
        ),
        pytest.param(
            "* hard nofile 500\n",
            pam_variant.PamVariant(),
            False,
            (limit_types.Limit(500, 500), False),
            id="hard lowers soft",
        ),
        pytest.param(
            "alice -\n",
            pam_variant.PamVariant(starts_from_pid1=True),
            True,
            (limit_types.Limit(777, 20000), False),
            id="exempt: nothing is reset",
        ),
        pytest.param("", pam_variant.PamVariant(), True, (limit_types.Limit(777, 20000), False), id="no rule"),
        pytest.param(
            "",
            DEBIAN._replace(starts_from_pid1=True),
            True,
            (limit_types.Limit(1024, 1048576), False),
            id="no rule, reset",
        ),
        pytest.param(
            "",
            pam_variant.PamVariant(starts_from_pid1=True),
            True,
            (limit_types.Limit(4096, 1048576), False),
            id="set_all does not cap",
        ),
        pytest.param(
            "",
            DEBIAN._replace(starts_from_pid1=True),
            False,
            (limit_types.Limit(777, 20000), True),
            id="reset is refused",
        ),
        pytest.param(
            "* soft nofile 900\n",
            DEBIAN._replace(starts_from_pid1=True),
            False,
            (limit_types.Limit(777, 20000), True),
            id="and takes soft along",
        ),
    ],
)
def test_session(lines, variant, may_raise, expected):
    choice = pam_precedence.for_user(
        pam_precedence.placed_rules([(A, lines.encode("ascii"))], variant), ALICE, "nofile", variant.star_excludes_root
    )
    before = {"nofile": limit_types.Limit(777, 20000)}
    begin = pam_precedence.start(before, FIRST, variant)["nofile"]
    assert pam_precedence.session(choice, "nofile", before["nofile"], begin, may_raise, 1048576, variant) == expected


def test_without_fs_nr_open_the_word_stays():
    choice = pam_precedence.for_user(
        pam_precedence.placed_rules([(A, b"* - nofile unlimited\n")]), ALICE, "nofile", False
    )
    expected = (limit_types.Limit("unlimited", "unlimited"), False)
    assert pam_precedence.session(choice, "nofile", BASE, BASE, True, None, pam_variant.PamVariant()) == expected


def test_nice_is_counted_down():
    choice = pam_precedence.for_user(
        pam_precedence.placed_rules([(A, b"* soft nice -5\n* hard nice 0\n")]), ALICE, "nice", False
    )
    found = [
        pam_precedence.session(
            choice, "nice", limit_types.Limit(20, 20), limit_types.Limit(20, 20), may, None, pam_variant.PamVariant()
        )
        for may in (True, False)
    ]
    assert found == [(limit_types.Limit(0, 0), False), (limit_types.Limit(20, 20), True)]

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A playbook changes the name of the module and nothing else: community.general.pam_limits and ours do the same, task by task.

Both run the same tasks on a file with the same content. Whatever a playbook can see of it is compared; where we mean to differ,
a table says in what and why, and nothing else may differ there either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import dropin as pam_dropin
from ansible_collections.tunefleet.linux.tests.environments.namespace import (
    LIMITS_FILE,
    ModuleRunner,
    Namespace,
    Outcome,
)
from ansible_collections.tunefleet.linux.tests.environments.peer import Peer, why_no_pam_limits

# Where no PAM looks, so that the two do not count as each other's rules.
THEIRS, OURS = "/etc/theirs/limits.conf", "/etc/ours/limits.conf"
HEADER = pam_dropin.HEADER.decode()
CONTENT = "# <domain> <type> <item> <value>\n\n@student\thard\tnproc\t2000\njoe   soft  nofile   4000\n# End of file\n"
Facts = dict[str, Any]


class Case(NamedTuple):
    """Tasks that are run one after the other on a file with this content; ``unlike`` names what differs, each with the reason."""

    name: str
    tasks: list[dict[str, Any]]
    content: str | bytes | None = None
    unlike: Mapping[str, str] = {}


def task(
    value: Any = 5000, kind: str = "soft", item: str = "nofile", domain: str = "joe", **more: Any
) -> dict[str, Any]:
    return dict(more, domain=domain, limit_type=kind, limit_item=item, value=value)


def checked(one: dict[str, Any]) -> dict[str, Any]:
    return dict(one, check_mode=True)


def _numbers() -> Iterator[Case]:
    """Every option on a limit that is there, is larger or smaller, or is missing."""
    for entry in (None, "4000", "6000", "5000", "unlimited"):
        for use in ({}, {"use_max": True}, {"use_min": True}):
            content = None if entry is None else f"# c\njoe\tsoft\tnofile\t{entry}\n"
            one = task(**use)
            yield Case(f"{'-'.join(use) or 'plain'}-{entry}", [checked(one), one, one], content)


SAME = [
    *_numbers(),
    Case("a file with other lines", [task(), task(kind="hard"), task()], CONTENT),
    Case("each type", [task(kind="hard"), task(4000, kind="soft"), task(6000, "-", "nproc")]),
    Case(
        "every item",
        [task(70000, "hard", item) for item in ("core", "data", "fsize", "memlock", "rss", "stack", "cpu")],
    ),
    Case("more items", [task(70000, "hard", item) for item in ("nproc", "as", "locks", "sigpending", "msgqueue")]),
    Case("logins", [task(4, "-", "maxlogins"), task(9, "-", "maxsyslogins"), task(5, "-", "maxlogins")]),
    Case(
        "nice",
        [task(-5, "soft", "nice"), task("-5", "soft", "nice"), task(19, "soft", "nice"), task(0, "-", "priority")],
    ),
    Case("nice out of range", [task(20, "soft", "nice"), task(-21, "-", "priority"), task("x", "soft", "nice")]),
    Case("rtprio", [task(0, "hard", "rtprio")]),
    Case("unlimited", [task("unlimited", "hard", "locks"), task("unlimited", "hard", "locks")]),
    Case("a comment", [task(comment="why"), task(comment="why"), task(6000, comment="why")]),
    Case("a comment stays", [task(6000)], "joe\tsoft\tnofile\t5000\t#why\n"),
    Case("the same in another writing", [task("5000")], "joe  soft  nofile  5000\n"),
    Case("a backup", [task(backup=True)], CONTENT),
    Case("groups, all, ranges", [task(domain=one) for one in ("@web", "*", "1000:2000", ":1000", "@:1000")]),
    Case("logins of a group", [task(3, "-", "maxlogins", domain="%web")]),
    Case("both at once", [task(use_max=True, use_min=True)]),
    Case("words that are no number", [task("abc"), task(""), task("64k"), task("1.5"), task("-2")]),
    Case("a wrong type", [task(kind="both")]),
    Case("a wrong item", [task(item="files")]),
    Case("item chroot with a path (row 34)", [task("/srv", "-", "chroot")], "www - chroot /srv\n"),
    Case("no value", [{"domain": "joe", "limit_type": "soft", "limit_item": "nofile"}]),
    Case("no type", [{"domain": "joe", "limit_item": "nofile", "value": 5000}]),
    Case("a line that is commented out", [task()], "#joe soft nofile 9\n"),
    Case("a line with too few fields", [task()], "joe soft nofile\nbob -\n"),
    Case("a blank line at the end", [task()], "bob soft nofile 9000\n\n"),
    Case("another case of the domain", [task()], "Joe soft nofile 9000\n"),
]

UNLIKE = [
    Case(
        "a backup in check mode",
        [checked(task(backup=True))],
        CONTENT,
        {"names the backup": "theirs names a file that is not there"},
    ),
    Case(
        "other words for no limit",
        [task("infinity", "hard", "locks"), task("-1", "hard", "locks")],
        unlike={"text": "one word is written for them", "changed": "they mean the same", "msg": "as in the file"},
    ),
    Case(
        "a last line without its end (row 30)",
        [task(), task()],
        "bob soft nofile 900",
        {
            "text": "theirs glues the new line to it, and adds it again",
            "changed": "so that a second run changes the file again",
        },
    ),
    Case(
        "the comment of another line (row 31)",
        [task()],
        "bob soft nofile 900 # bob's\n",
        {"text": "theirs copies it"},
    ),
    Case(
        "a new comment on the same value (row 32)",
        [task(comment="new")],
        "joe\tsoft\tnofile\t5000\t#old\n",
        {"text": "theirs ignores it", "changed": "theirs ignores it"},
    ),
    Case(
        "a line that it cannot judge (row 33)",
        [task()],
        "www - chroot /srv\n",
        {"failed": "lines of others are none of our business", "text": "so ours goes on", "changed": "so ours goes on"},
    ),
    Case(
        "item chroot without a path (row 34)",
        [task(5, "-", "chroot")],
        None,
        {
            "failed": "theirs writes a number where the directory belongs, and no session opens any more",
            "text": "so nothing is written",
            "changed": "so nothing is written",
        },
    ),
    Case(
        "soft and hard where a dash stands (row 35)",
        [task(4000)],
        "joe - nofile 5000\n",
        {"text": "ours makes soft and hard of it; theirs adds a line"},
    ),
    Case(
        "a dash where soft and hard stand (row 35)",
        [task(6000, "-")],
        "joe soft nofile 4000\njoe hard nofile 5000\n",
        {"text": "ours replaces both; theirs adds a line"},
    ),
    Case(
        "soft above hard (row 36)",
        [task(6000)],
        "joe hard nofile 5000\n",
        {"failed": "pam_limits would cut it", "text": "so nothing is written", "changed": "so nothing is written"},
    ),
    Case(
        "files above fs.nr_open (row 37)",
        [task(2147483000)],
        None,
        {"failed": "no login would be left", "text": "so nothing is written", "changed": "so nothing is written"},
    ),
    Case(
        "a duplicate that does not count (row 39)",
        [task(5000)],
        "joe soft nofile 900\njoe soft nofile 5000\n",
        {"text": "the last one is in force", "changed": "the last one is in force"},
    ),
    Case(
        "a line break in the comment (row 42)",
        [task(comment="x\n* hard nofile 1")],
        None,
        {
            "failed": "it would be a line of its own",
            "text": "so nothing is written",
            "changed": "so nothing is written",
        },
    ),
    Case(
        "a blank in the domain (row 42)",
        [task(domain="joe x")],
        None,
        {"failed": "it would never match", "text": "so nothing is written", "changed": "so nothing is written"},
    ),
    Case(
        "an empty domain (row 42)",
        [task(domain="")],
        None,
        {"failed": "it matches nobody", "text": "so nothing is written", "changed": "so nothing is written"},
    ),
    Case(
        "the larger of two nice values (row 43)",
        [task(5, "soft", "nice", use_max=True)],
        "joe soft nice -1\n",
        {
            "text": "theirs takes -1 for no limit",
            "changed": "theirs takes -1 for no limit",
            "msg": "theirs takes -1 for no limit",
        },
    ),
    Case(
        "CRLF (row 44)",
        [task()],
        b"joe soft nofile 900\r\n",
        {"text": "theirs gives the line another end than the file has"},
    ),
    Case(
        "bytes that are no UTF-8 (row 44)",
        [task()],
        b"# caf\xe9\n",
        {"failed": "theirs ends in a traceback", "text": "so it writes nothing", "changed": "so it writes nothing"},
    ),
    Case(
        "too few files for a login",
        [task(100)],
        None,
        {
            "failed": "nothing works in such a login",
            "text": "so nothing is written",
            "changed": "so nothing is written",
        },
    ),
    Case(
        "a number that PAM reads otherwise",
        [task("010")],
        None,
        {
            "failed": "it is not octal to PAM, whoever wrote it may think so",
            "text": "nothing is written",
            "changed": "nothing is written",
        },
    ),
]


@pytest.fixture(scope="module")
def peer(shared: Namespace, runner: ModuleRunner) -> Peer:
    reason = why_no_pam_limits()
    if reason:
        pytest.skip(reason)
    shared.sh("mkdir -p /etc/theirs /etc/ours")
    return Peer(runner, shared)


def rules_of(data: bytes | None) -> list[str]:
    """The lines as far as a reader minds them: no blank ones, our header and how many blanks there are left out.

    Soft and hard limit of one domain may stand in either order.
    """
    text = (data or b"").decode("utf-8", "backslashreplace").replace(HEADER, "")
    return sorted(plain(line) for line in re.findall(r"[^\n]*\n|[^\n]+$", text) if line.strip())


def plain(line: str) -> str:
    return re.sub(r"# ", "#", re.sub(r"[ \t]+", " ", line))


def facts(ns: Namespace, path: str, outcome: Outcome) -> Facts:
    return {
        "failed": outcome.failed,
        "changed": outcome.changed,
        "text": rules_of(ns.read(path)),
        "msg": "" if outcome.failed else plain(outcome.result["msg"]).split("#")[0].strip(),
        "backup": len([name for name in ns.path(str(Path(path).parent)).iterdir() if name.name.endswith("~")]),
        "names the backup": bool(outcome.result.get("backup_file")),
    }


def play(ns: Namespace, peer: Peer | None, case: Case) -> list[Facts]:
    """What each task of a case comes to; by the peer, or by ours."""
    path = OURS if peer is None else THEIRS
    folder = str(Path(path).parent)
    ns.sh(f"rm -rf {folder} && mkdir {folder}")
    if case.content is not None:
        ns.write(path, case.content)
    found = []
    for one in case.tasks:
        options = dict(one, dest=path)
        check_mode = bool(options.pop("check_mode", False))
        if peer is None:
            outcome = ns.limits(check_mode=check_mode, **options)
        else:
            outcome = peer.pam_limits(options, check_mode=check_mode)
        found.append(facts(ns, path, outcome))
    return found


@pytest.mark.parametrize("case", SAME + UNLIKE, ids=lambda case: case.name.replace(" ", "_"))
def test_both_do_the_same(shared: Namespace, peer: Peer, case: Case) -> None:
    theirs, ours = play(shared, peer, case), play(shared, None, case)
    differing = {
        name: (number, theirs[number][name], ours[number][name])
        for number in range(len(case.tasks))
        for name in theirs[number]
        if theirs[number][name] != ours[number][name]
        # What a failed task says is its own affair.
        and not (name == "msg" and (theirs[number]["failed"] or ours[number]["failed"]))
    }
    unexpected = {name: found for name, found in differing.items() if name not in case.unlike}
    assert not unexpected, unexpected
    if case in UNLIKE:
        # A table that names what does not differ is out of date.
        assert set(case.unlike) == set(differing), (case.unlike, differing)


def test_the_default_file_differs(ns: Namespace, runner: ModuleRunner) -> None:
    """Ours leaves the file of the distribution alone, which is read first, and keeps its rules where an update keeps them."""
    reason = why_no_pam_limits()
    if reason:
        pytest.skip(reason)
    assert (
        Peer(runner, ns).pam_limits(task()).changed
        and ns.text("/etc/security/limits.conf") == "joe\tsoft\tnofile\t5000\n"
    )
    assert ns.limits(**task(6000)).changed
    assert ns.text("/etc/security/limits.conf") == "joe\tsoft\tnofile\t5000\n"
    assert ns.text(LIMITS_FILE) == HEADER + "joe\tsoft\tnofile\t6000\n"


def test_what_theirs_cannot_do(ns: Namespace) -> None:
    """Rows 40 and 41, and removal: an unchanged file is not replaced, a link stays one, an entry goes."""
    ns.sh("mkdir -p /etc/ours && : >/etc/ours/real && ln -s real /etc/ours/limits.conf")
    assert ns.limits(dest=OURS, **task()).changed
    assert ns.path(OURS).is_symlink() and "nofile\t5000" in ns.text("/etc/ours/real")
    stamp = ns.stamp("/etc/ours/real")
    assert not ns.limits(dest=OURS, **task()).changed and ns.stamp("/etc/ours/real") == stamp
    gone = {"domain": "joe", "limit_type": "soft", "limit_item": "nofile", "state": "absent", "dest": OURS}
    first, second = ns.limits(**gone), ns.limits(**gone)
    assert (first.changed, second.changed, first.result["msg"]) == (True, False, "")
    assert "nofile" not in ns.text("/etc/ours/real")

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a desired comes to: arguments and what the host shows -> status, exact file, limits in force, problems and warnings."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import bound as bounds
from ansible_collections.tunefleet.linux.plugins.module_utils._core import limit as limit_types
from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import limits as limit_settings
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import plan as pam_plan
from ansible_collections.tunefleet.linux.plugins.module_utils._module import facts as host_facts
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import settings as sysctl_settings
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import LIMITS_FILE as OWN
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import LIMITS_HEADER as HEAD
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost, proc_limits

MAIN = "/etc/security/limits.conf"
EARLY, LATE = "/etc/security/limits.d/20-nproc.conf", "/etc/security/limits.d/99-z.conf"
GONE = "gone"
WEAK = {
    "/proc/1/status": "CapBnd:\t00000000a80425fb\n",
    "/proc/1/limits": proc_limits(nofile=(1024, 20000), nproc=(500, 500)),
}


def least(number):
    return {"at_least": number}


def most(number):
    return {"at_most": number}


def limit(soft=None, hard=None, domain="*", item="nofile"):
    return {"domain": domain, "item": item, "soft": soft, "hard": hard}


def look(desired_limits, policy, host):
    fake = FakeHost(**host)
    if desired_limits and isinstance(desired_limits[0], dict):
        desired_limits = limit_settings.parse(desired_limits)
    request = requests.Request(limits=desired_limits, policy=requests.Policy(**policy))
    seen = host_facts.gather(fake, request).limits.pam
    plan = pam_plan.plan(request.limits, seen, request.policy, seen.nr_open)
    assert fake.log == []
    return plan


def outcome(plan):
    (one,) = plan.limits
    return {
        "status": one.status,
        "reason": one.reason,
        "file": [GONE if step.after is None else step.after for step in plan.steps],
        "after": one.after,
        "effective": one.effective,
        "shadowed_by": one.shadowed_by,
        "problems": list(plan.problems),
        "warnings": list(plan.warnings),
        "needs": list(plan.needs),
    }


def expect(status, effective, reason="", file=None, after=None, shadowed_by=None, problems=(), warnings=()):
    return {
        "status": status,
        "reason": reason,
        "file": [] if file is None else [file],
        "after": after if after is not None else limit_types.Limit(),
        "effective": effective,
        "shadowed_by": shadowed_by,
        "problems": list(problems),
        "warnings": list(warnings),
        "needs": [] if file is None else ["new_session"],
    }


def case(name, desired_limits, expected, policy=None, **host):
    return pytest.param(desired_limits, policy or {}, host, expected, id=name)


def check(desired_limits, policy, host, expected):
    assert outcome(look(desired_limits, policy, host)) == expected


def line(kind, number, domain="*", item="nofile", end=b"\n"):
    return "{0}\t{1}\t{2}\t{3}".format(domain, kind, item, number).encode("ascii") + end


def lines(soft, hard):
    return line("soft", soft) + line("hard", hard)


@pytest.mark.parametrize(
    ("desired_limits", "policy", "host", "expected"),
    [
        case(
            "new",
            [limit(5000, 9000)],
            expect(
                "changed",
                limit_types.Limit(5000, 9000),
                file=HEAD + lines(5000, 9000),
                after=limit_types.Limit(5000, 9000),
            ),
        ),
        case(
            "soft alone",
            [limit(5000)],
            expect(
                "changed",
                limit_types.Limit(5000, 524288),
                file=HEAD + line("soft", 5000),
                after=limit_types.Limit(5000),
            ),
        ),
        case(
            "hard alone",
            [limit(hard=5000)],
            expect(
                "changed",
                limit_types.Limit(1024, 5000),
                file=HEAD + line("hard", 5000),
                after=limit_types.Limit(None, 5000),
            ),
        ),
        case(
            "hard below the soft limit at hand",
            [limit(hard=500)],
            expect(
                "changed",
                limit_types.Limit(500, 500),
                file=HEAD + line("hard", 500),
                after=limit_types.Limit(None, 500),
            ),
        ),
        case(
            "written by hand in another writing",
            [limit(5000, 5000)],
            expect("ok", limit_types.Limit(5000, 5000), after=limit_types.Limit(5000, 5000)),
            files={OWN: b"  *   -  NOFILE 5000 # mine"},
        ),
        case(
            "another value",
            [limit(5000, 9000)],
            expect(
                "changed",
                limit_types.Limit(5000, 9000),
                file=b"# c\n" + lines(5000, 9000) + b"x\n",
                after=limit_types.Limit(5000, 9000),
            ),
            files={OWN: b"# c\n* soft nofile 1\n* hard nofile 9000\nx\n"},
        ),
        case(
            "soft beside a dash",
            [limit(5000)],
            expect(
                "changed", limit_types.Limit(5000, 9000), file=lines(5000, 9000), after=limit_types.Limit(5000, 9000)
            ),
            files={OWN: b"* - nofile 9000\n"},
        ),
        case(
            "comments stay with their lines",
            [limit(5000, 9000)],
            expect(
                "changed",
                limit_types.Limit(5000, 9000),
                file=b"*\tsoft\tnofile\t5000\t#a\n*\thard\tnofile\t9000\t#b\n",
                after=limit_types.Limit(5000, 9000),
            ),
            files={OWN: b"* soft nofile 1 #a\n* hard nofile 2 # b\n"},
        ),
        case(
            "last line without newline",
            [limit(5000)],
            expect(
                "changed",
                limit_types.Limit(5000, 524288),
                file=b"# End of file\n" + line("soft", 5000),
                after=limit_types.Limit(5000),
            ),
            files={OWN: b"# End of file"},
        ),
        case(
            "CRLF",
            [limit(5000)],
            expect(
                "changed",
                limit_types.Limit(5000, 524288),
                file=b"# c\r\n" + line("soft", 5000, end=b"\r\n"),
                after=limit_types.Limit(5000),
            ),
            files={OWN: b"# c\r\n* soft nofile 1\r\n"},
        ),
        case(
            "not UTF-8",
            [limit(5000)],
            expect(
                "changed",
                limit_types.Limit(5000, 524288),
                file=b"# ok\n# caf\xe9\n" + line("soft", 5000),
                after=limit_types.Limit(5000),
                warnings=[OWN + " line 2 is not UTF-8; it is kept byte for byte."],
            ),
            files={OWN: b"# ok\n# caf\xe9\n"},
        ),
        case(
            "not UTF-8, and nothing to do",
            [limit(5000)],
            expect(
                "ok",
                limit_types.Limit(5000, 524288),
                after=limit_types.Limit(5000),
                warnings=[OWN + " line 1 is not UTF-8; it is kept byte for byte."],
            ),
            files={OWN: b"# caf\xe9\n* soft nofile 5000\n"},
        ),
        case(
            "a foreign line that cannot be judged",
            [limit(5000)],
            expect(
                "changed",
                limit_types.Limit(5000, 524288),
                file=b"www - chroot /srv\n" + line("soft", 5000),
                after=limit_types.Limit(5000),
            ),
            files={OWN: b"www - chroot /srv\n"},
        ),
        case(
            "no limit for nproc",
            [limit("infinity", "infinity", item="nproc")],
            expect(
                "ok",
                limit_types.Limit("unlimited", "unlimited"),
                after=limit_types.Limit("unlimited", "unlimited"),
            ),
            files={OWN: b"* - nproc -1\n"},
        ),
        case(
            "in the main file itself",
            [limit(5000)],
            expect(
                "changed",
                limit_types.Limit(5000, 524288),
                file=b"# main\n" + line("soft", 5000),
                after=limit_types.Limit(5000),
            ),
            policy={"limits_file": MAIN},
            files={MAIN: b"# main\n"},
        ),
        case(
            "behind a link",
            [limit(5000)],
            expect("changed", limit_types.Limit(5000, 524288), file=line("soft", 5000), after=limit_types.Limit(5000)),
            files={"/srv/limits": b"* soft nofile 1\n"},
            links={OWN: "/srv/limits"},
        ),
    ],
)
def test_value(desired_limits, policy, host, expected):
    check(desired_limits, policy, host, expected)


KEPT = "sessions satisfy it without a rule of ours"


@pytest.mark.parametrize(
    ("desired_limits", "policy", "host", "expected"),
    [
        case(
            "soft raised, hard had already",
            [limit(least(65535), least(65535))],
            expect(
                "changed",
                limit_types.Limit(65535, 524288),
                file=HEAD + line("soft", 65535),
                after=limit_types.Limit(65535),
            ),
        ),
        case(
            "met by what sessions begin with",
            [limit(least(1024), least(4096))],
            expect("kept", limit_types.Limit(1024, 524288), KEPT),
        ),
        case(
            "nproc met by the kernel's default",
            [limit(least(65535), least(65535), item="nproc")],
            expect("kept", limit_types.Limit(96000, 96000), KEPT),
        ),
        case(
            "met by a rule of another file",
            [limit(least(65535), least(65535))],
            expect("kept", limit_types.Limit(100000, 200000), KEPT),
            files={EARLY: b"* soft nofile 100000\n* hard nofile 200000\n"},
        ),
        case(
            "hard met by a rule, soft not",
            [limit(least(65535), least(65535))],
            expect(
                "changed",
                limit_types.Limit(65535, 200000),
                file=HEAD + line("soft", 65535),
                after=limit_types.Limit(65535),
            ),
            files={MAIN: b"* hard nofile 200000\n"},
        ),
        case(
            "lowered by another file: hard no lower than what process 1 has",
            [limit(least(65535), least(65535))],
            expect(
                "changed",
                limit_types.Limit(65535, 524288),
                file=HEAD + lines(65535, 524288),
                after=limit_types.Limit(65535, 524288),
            ),
            files={EARLY: b"* - nofile 4096\n"},
        ),
        case(
            "hard above what process 1 has",
            [limit(hard=least(600000))],
            expect(
                "changed",
                limit_types.Limit(1024, 600000),
                file=HEAD + line("hard", 600000),
                after=limit_types.Limit(None, 600000),
            ),
        ),
        case(
            "a daemon starts sessions with less",
            [limit(hard=least(65535))],
            expect(
                "changed",
                limit_types.Limit(1024, 524288),
                file=HEAD + line("hard", 524288),
                after=limit_types.Limit(None, 524288),
            ),
            daemons={"77": "sshd"},
            texts={"/proc/77/limits": proc_limits(nofile=(1024, 4096))},
        ),
        case(
            "another daemon does not matter",
            [limit(hard=least(65535))],
            expect("kept", limit_types.Limit(1024, 524288), KEPT),
            daemons={"77": "nginx"},
            texts={"/proc/77/limits": proc_limits(nofile=(1024, 4096))},
        ),
        case(
            "own entry kept",
            [limit(least(5000), least(6000))],
            expect("ok", limit_types.Limit(7000, 8000), after=limit_types.Limit(7000, 8000)),
            files={OWN: b"* soft nofile 7000\n* hard nofile 8000\n"},
        ),
        case(
            "own entry too low",
            [limit(least(5000))],
            expect("changed", limit_types.Limit(5000, 524288), file=line("soft", 5000), after=limit_types.Limit(5000)),
            files={OWN: b"* soft nofile 10\n"},
        ),
        case(
            "own entry, overridden by a later file with more",
            [limit(least(5000))],
            expect("ok", limit_types.Limit(9000, 524288), after=limit_types.Limit(10)),
            files={OWN: b"* soft nofile 10\n", LATE: b"* soft nofile 9000\n"},
        ),
        case(
            "no limit meets every bound",
            [limit(hard=least(5), item="nproc")],
            expect("kept", limit_types.Limit(96000, "unlimited"), KEPT),
            files={EARLY: b"* hard nproc unlimited\n"},
        ),
        case(
            "no limit asked for at least",
            [limit(hard=least("unlimited"), item="nproc")],
            expect(
                "changed",
                limit_types.Limit(96000, "unlimited"),
                file=HEAD + line("hard", "unlimited", item="nproc"),
                after=limit_types.Limit(None, "unlimited"),
            ),
        ),
        case(
            "at most, met",
            [limit(hard=most(100000), item="nproc")],
            expect("kept", limit_types.Limit(96000, 96000), KEPT),
        ),
        case(
            "at most, not met",
            [limit(hard=most(500), item="nproc")],
            expect(
                "changed",
                limit_types.Limit(500, 500),
                file=HEAD + line("hard", 500, item="nproc"),
                after=limit_types.Limit(None, 500),
            ),
        ),
        case(
            "at most, no limit does not meet it",
            [limit(hard=most(500), item="nproc")],
            expect(
                "changed",
                limit_types.Limit(500, 500),
                file=HEAD + line("hard", 500, item="nproc"),
                after=limit_types.Limit(None, 500),
            ),
            files={EARLY: b"* hard nproc unlimited\n"},
        ),
        case(
            "nothing known about the item",
            [limit(hard=least(64), item="memlock")],
            expect(
                "changed",
                limit_types.Limit(None, 64),
                file=HEAD + line("hard", 64, item="memlock"),
                after=limit_types.Limit(None, 64),
            ),
        ),
    ],
)
def test_bounds(desired_limits, policy, host, expected):
    check(desired_limits, policy, host, expected)


def refused(reason, effective=None, **more):
    return expect(
        "refused",
        effective or limit_types.Limit(1024, 524288),
        reason,
        problems=["Limit * nofile: " + reason + ("" if reason.endswith(".") else ".")],
        **more,
    )


ABOVE = (
    "rule nr_open: nofile {0} is above fs.nr_open 1048576; the kernel would reject it and logins would "
    "fail. Raise fs.nr_open first, or request at most 1048576."
)
UNLIMITED = (
    "rule unlimited: this pam_limits (before 1.5.2) refuses every login if nofile is 'unlimited'; write "
    "the number, up to fs.nr_open."
)
CUT = "soft {0} is above the hard limit {1}, so pam_limits would cut it; request hard too"


@pytest.mark.parametrize(
    ("desired_limits", "policy", "host", "expected"),
    [
        case("above fs.nr_open", [limit(65535, 1048577)], refused(ABOVE.format(1048577))),
        case("soft above fs.nr_open", [limit(least(2000000), least(2000000))], refused(ABOVE.format(2000000))),
        case("without a limit", [limit(65535, "unlimited")], refused(UNLIMITED)),
        case(
            "let pass with a warning",
            [limit(hard=1048577)],
            expect(
                "changed",
                limit_types.Limit(1024, 524288),
                file=HEAD + line("hard", 1048577),
                after=limit_types.Limit(None, 1048577),
                warnings=["Limit * nofile: " + ABOVE.format(1048577)],
            ),
            policy={"guard": "warn"},
        ),
        case(
            "guard off",
            [limit(hard="unlimited")],
            expect(
                "changed",
                limit_types.Limit(1024, 524288),
                file=HEAD + line("hard", "unlimited"),
                after=limit_types.Limit(None, "unlimited"),
            ),
            policy={"guard": "off"},
        ),
        case(
            "there already",
            [limit(hard=1048577)],
            expect("ok", limit_types.Limit(1024, 524288), after=limit_types.Limit(None, 1048577)),
            files={OWN: b"* hard nofile 1048577\n"},
        ),
        case(
            "as high as fs.nr_open",
            [limit(hard=1048576)],
            expect(
                "changed",
                limit_types.Limit(1024, 1048576),
                file=HEAD + line("hard", 1048576),
                after=limit_types.Limit(None, 1048576),
            ),
        ),
        case(
            "refused, whatever another file says",
            [limit(hard=1048577)],
            refused(ABOVE.format(1048577), limit_types.Limit(100, 100), after=limit_types.Limit(None, 4000)),
            files={OWN: b"* hard nofile 4000\n", LATE: b"* hard nofile 100\n"},
        ),
        case("soft above what sessions may have", [limit(600000)], refused(CUT.format(600000, 524288))),
        case(
            "soft above the hard limit of another file",
            [limit(5000)],
            refused(CUT.format(5000, 4000), limit_types.Limit(1024, 4000)),
            files={MAIN: b"* hard nofile 4000\n"},
        ),
        case(
            "soft above our own hard limit",
            [limit(5000)],
            refused(CUT.format(5000, 4000), limit_types.Limit(1024, 4000), after=limit_types.Limit(None, 4000)),
            files={OWN: b"* hard nofile 4000\n"},
        ),
        case(
            "soft above our own hard limit, also with the guard off",
            [limit(5000)],
            refused(CUT.format(5000, 4000), limit_types.Limit(1024, 4000), after=limit_types.Limit(None, 4000)),
            policy={"guard": "off"},
            files={OWN: b"* hard nofile 4000\n"},
        ),
    ],
)
def test_guard(desired_limits, policy, host, expected):
    check(desired_limits, policy, host, expected)


UNREACHABLE = "belongs to the host of this container: sessions here cannot have more than {0}"


@pytest.mark.parametrize(
    ("desired_limits", "policy", "host", "expected"),
    [
        case(
            "more than the container has",
            [limit(least(65535), least(65535))],
            expect(
                "not_namespaced",
                limit_types.Limit(1024, 20000),
                UNREACHABLE.format(20000),
                problems=["Limit * nofile: " + UNREACHABLE.format(20000) + "."],
            ),
            texts=WEAK,
        ),
        case(
            "more than the container has, with a warning",
            [limit(least(65535), least(65535))],
            expect(
                "not_namespaced",
                limit_types.Limit(1024, 20000),
                UNREACHABLE.format(20000),
                warnings=["Limit * nofile: " + UNREACHABLE.format(20000) + "."],
            ),
            policy={"on_unavailable": "warn"},
            texts=WEAK,
        ),
        case(
            "more than the container has, skipped",
            [limit(least(65535), least(65535))],
            expect("not_namespaced", limit_types.Limit(1024, 20000), UNREACHABLE.format(20000)),
            policy={"on_unavailable": "skip"},
            texts=WEAK,
        ),
        case(
            "as much as the container has",
            [limit(least(20000), least(20000))],
            expect(
                "changed",
                limit_types.Limit(20000, 20000),
                file=HEAD + line("soft", 20000),
                after=limit_types.Limit(20000),
            ),
            texts=WEAK,
        ),
        case(
            "no limit where the container has one",
            [limit("unlimited", "unlimited", item="nproc")],
            expect(
                "not_namespaced",
                limit_types.Limit(500, 500),
                UNREACHABLE.format(500),
                problems=["Limit * nproc: " + UNREACHABLE.format(500) + "."],
            ),
            texts=WEAK,
        ),
        case(
            "in a user namespace",
            [limit(hard=600000)],
            expect(
                "not_namespaced",
                limit_types.Limit(1024, 524288),
                UNREACHABLE.format(524288),
                problems=["Limit * nofile: " + UNREACHABLE.format(524288) + "."],
            ),
            texts={"/proc/self/uid_map": "         0     100000      65536\n"},
        ),
        case(
            "guard told to warn",
            [limit(hard=30000)],
            expect(
                "changed",
                limit_types.Limit(1024, 30000),
                file=HEAD + line("hard", 30000),
                after=limit_types.Limit(None, 30000),
                warnings=["Limit * nofile: " + UNREACHABLE.format(20000) + "."],
            ),
            policy={"guard": "warn"},
            texts=WEAK,
        ),
    ],
)
def test_container(desired_limits, policy, host, expected):
    check(desired_limits, policy, host, expected)


@pytest.mark.parametrize(
    ("desired_limits", "policy", "host", "expected"),
    [
        case(
            "by a later file",
            [limit(5000, 9000)],
            expect(
                "changed",
                limit_types.Limit(4096, 9000),
                LATE + ":2 takes precedence",
                file=HEAD + lines(5000, 9000),
                after=limit_types.Limit(5000, 9000),
                shadowed_by=LATE + ":2",
                warnings=["Limit * nofile: " + LATE + ":2 takes precedence."],
            ),
            files={LATE: b"#\n* soft nofile 4096\n"},
        ),
        case(
            "by a later file, which shall fail",
            [limit(hard=9000)],
            expect(
                "ok",
                limit_types.Limit(4096, 4096),
                LATE + ":1 takes precedence",
                after=limit_types.Limit(None, 9000),
                shadowed_by=LATE + ":1",
                problems=["Limit * nofile: " + LATE + ":1 takes precedence."],
            ),
            policy={"on_shadowed": "fail"},
            files={LATE: b"* - nofile 4096\n", OWN: b"* hard nofile 9000\n"},
        ),
        case(
            "by a later file that says the same",
            [limit(5000)],
            expect(
                "changed",
                limit_types.Limit(5000, 524288),
                file=HEAD + line("soft", 5000),
                after=limit_types.Limit(5000),
            ),
            files={LATE: b"* soft nofile 5000\n"},
        ),
        case(
            "by an earlier file not at all",
            [limit(5000)],
            expect(
                "changed",
                limit_types.Limit(5000, 524288),
                file=HEAD + line("soft", 5000),
                after=limit_types.Limit(5000),
            ),
            files={EARLY: b"* soft nofile 4096\n", MAIN: b"* soft nofile 1\n"},
        ),
        case(
            "a bound below a later file",
            [limit(least(5000))],
            expect(
                "changed",
                limit_types.Limit(4096, 524288),
                LATE + ":1 takes precedence",
                file=HEAD + line("soft", 5000),
                after=limit_types.Limit(5000),
                shadowed_by=LATE + ":1",
                warnings=["Limit * nofile: " + LATE + ":1 takes precedence."],
            ),
            files={LATE: b"* soft nofile 4096\n"},
        ),
        case(
            "by a line that exempts",
            [limit(5000, 6000, domain="alice")],
            expect(
                "changed",
                limit_types.Limit(1024, 524288),
                MAIN + ":2 takes precedence",
                file=HEAD + line("soft", 5000, "alice") + line("hard", 6000, "alice"),
                after=limit_types.Limit(5000, 6000),
                shadowed_by=MAIN + ":2",
                warnings=["Limit alice nofile: " + MAIN + ":2 takes precedence."],
            ),
            files={MAIN: b"\nalice -\n"},
        ),
        case(
            "the half that is not asked for may be overridden",
            [limit(5000)],
            expect(
                "changed",
                limit_types.Limit(5000, 9000),
                file=line("hard", 7000).join([line("soft", 5000), b""]),
                after=limit_types.Limit(5000, 7000),
            ),
            files={OWN: b"* hard nofile 7000\n", LATE: b"* hard nofile 9000\n"},
        ),
        case(
            "a plain '* -' exempts nobody",
            [limit(5000)],
            expect(
                "changed",
                limit_types.Limit(5000, 524288),
                file=HEAD + line("soft", 5000),
                after=limit_types.Limit(5000),
            ),
            files={MAIN: b"* -\n"},
        ),
        case(
            "our file sorts before",
            [limit(5000)],
            expect(
                "changed",
                limit_types.Limit(4096, 524288),
                EARLY + ":1 takes precedence",
                file=HEAD + line("soft", 5000),
                after=limit_types.Limit(5000),
                shadowed_by=EARLY + ":1",
                warnings=["Limit * nofile: " + EARLY + ":1 takes precedence."],
            ),
            policy={"limits_file": "/etc/security/limits.d/10-x.conf"},
            files={EARLY: b"* soft nofile 4096\n"},
        ),
    ],
)
def test_shadowed(desired_limits, policy, host, expected):
    check(desired_limits, policy, host, expected)


@pytest.mark.parametrize("name", ["tune", "tune.cfg", ".tune.conf", "tune.conf~"])
def test_name_that_is_never_read(name):
    path = "/etc/security/limits.d/" + name
    plan = look([limit(5000)], {"limits_file": path}, {})
    assert list(plan.problems) == [
        path
        + (" would never be read: pam_limits reads names in limits.d that end in .conf and do not begin with a dot.")
    ]


@pytest.mark.parametrize("path", ["/etc/security/limits.d/tune.conf", MAIN, "/srv/limits"])
def test_name_that_is_read(path):
    assert look([limit(5000)], {"limits_file": path}, {}).problems == []


def gone(soft=True, hard=True, domain="*", item="nofile"):
    absent = bounds.Bound("absent")
    return [requests.LimitRequest(domain, item, absent if soft else None, absent if hard else None, file_only=True)]


@pytest.mark.parametrize(
    ("desired_limits", "policy", "host", "expected"),
    [
        case("no file", gone(), expect("ok", limit_types.Limit(1024, 524288))),
        case("no rule", gone(), expect("ok", limit_types.Limit(1024, 524288)), files={OWN: b"* soft nproc 5\n"}),
        case(
            "both",
            gone(),
            expect("changed", limit_types.Limit(1024, 524288), file=b"#\n"),
            files={OWN: b"* soft nofile 5\n#\n* hard nofile 6\n"},
        ),
        case(
            "soft of both",
            gone(hard=False),
            expect("changed", limit_types.Limit(6, 6), file=line("hard", 6), after=limit_types.Limit(None, 6)),
            files={OWN: b"* soft nofile 5\n* hard nofile 6\n"},
        ),
        case(
            "hard of a dash",
            gone(soft=False),
            expect("changed", limit_types.Limit(6, 524288), file=line("soft", 6), after=limit_types.Limit(6)),
            files={OWN: b"* - nofile 6\n"},
        ),
        case(
            "the last rule of a file of ours",
            gone(),
            expect("changed", limit_types.Limit(1024, 524288), file=GONE),
            files={OWN: HEAD + b"* - nofile 6\n"},
        ),
        case(
            "the last rule of another file",
            gone(),
            expect("changed", limit_types.Limit(1024, 524288), file=b""),
            files={OWN: b"* - nofile 6\n"},
        ),
        case(
            "the last rule behind a link, which must not lead nowhere",
            gone(),
            expect("changed", limit_types.Limit(1024, 524288), file=HEAD),
            files={"/srv/limits": HEAD + b"* - nofile 6\n"},
            links={OWN: "/srv/limits"},
        ),
        case(
            "a rule of another file stays",
            gone(),
            expect("changed", limit_types.Limit(7, 7), file=b"#\n"),
            files={OWN: b"#\n* - nofile 6\n", EARLY: b"* - nofile 7\n"},
        ),
    ],
)
def test_absent(desired_limits, policy, host, expected):
    check(desired_limits, policy, host, expected)


def file_only(operator, number, halves="soft", comment="", joined=False, item="nofile", domain="*"):
    bound = bounds.Bound(operator, number)
    return [
        requests.LimitRequest(
            domain,
            item,
            bound if halves in ("soft", "-") else None,
            bound if halves in ("hard", "-") else None,
            joined=joined,
            file_only=True,
            comment=comment,
        )
    ]


@pytest.mark.parametrize(
    ("desired_limits", "policy", "host", "expected"),
    [
        case(
            "use_max, no rule",
            file_only("at_least", 512),
            expect(
                "changed", limit_types.Limit(512, 524288), file=HEAD + line("soft", 512), after=limit_types.Limit(512)
            ),
        ),
        case(
            "use_max, file has more",
            file_only("at_least", 512),
            expect("ok", limit_types.Limit(700, 524288), after=limit_types.Limit(700)),
            files={OWN: b"* soft nofile 700\n"},
        ),
        case(
            "use_max, file has less",
            file_only("at_least", 512),
            expect("changed", limit_types.Limit(512, 524288), file=line("soft", 512), after=limit_types.Limit(512)),
            files={OWN: b"* soft nofile 100\n"},
        ),
        case(
            "use_min, file has less",
            file_only("at_most", 512),
            expect("ok", limit_types.Limit(100, 524288), after=limit_types.Limit(100)),
            files={OWN: b"* soft nofile 100\n"},
        ),
        case(
            "use_min, file has more",
            file_only("at_most", 512),
            expect("changed", limit_types.Limit(512, 524288), file=line("soft", 512), after=limit_types.Limit(512)),
            files={OWN: b"* soft nofile 700\n"},
        ),
        case(
            "use_max compares with the file alone",
            file_only("at_least", 512),
            expect(
                "changed", limit_types.Limit(512, 524288), file=HEAD + line("soft", 512), after=limit_types.Limit(512)
            ),
            files={MAIN: b"* soft nofile 700\n"},
        ),
        case(
            "use_max for hard is no more than asked for",
            file_only("at_least", 4096, "hard"),
            expect(
                "changed",
                limit_types.Limit(1024, 4096),
                file=HEAD + line("hard", 4096),
                after=limit_types.Limit(None, 4096),
            ),
        ),
        case(
            "use_max, minus one is a small nice value",
            file_only("at_least", 5, "-", item="nice", joined=True),
            expect("changed", limit_types.Limit(5, 5), file=line("-", 5, item="nice"), after=limit_types.Limit(5, 5)),
            files={OWN: b"* - nice -1\n"},
        ),
        case(
            "a dash",
            file_only("value", 512, "-", joined=True),
            expect(
                "changed", limit_types.Limit(512, 512), file=HEAD + line("-", 512), after=limit_types.Limit(512, 512)
            ),
        ),
        case(
            "a dash for soft and hard lines",
            file_only("value", 512, "-", joined=True),
            expect("changed", limit_types.Limit(512, 512), file=line("-", 512), after=limit_types.Limit(512, 512)),
            files={OWN: b"* soft nofile 1\n* hard nofile 2\n"},
        ),
        case(
            "a dash said by two lines",
            file_only("value", 512, "-", joined=True),
            expect("ok", limit_types.Limit(512, 512), after=limit_types.Limit(512, 512)),
            files={OWN: b"* soft nofile 512\n* hard nofile 512\n"},
        ),
        case(
            "a comment is added",
            file_only("value", 512, comment="why"),
            expect(
                "changed",
                limit_types.Limit(512, 524288),
                file=b"*\tsoft\tnofile\t512\t#why\n",
                after=limit_types.Limit(512),
            ),
            files={OWN: b"* soft nofile 512\n"},
        ),
    ],
)
def test_drop_in(desired_limits, policy, host, expected):
    check(desired_limits, policy, host, expected)


@pytest.mark.parametrize(
    ("desired", "wanted"),
    [
        (limit(5000, least(6000)), ("5000", ">= 6000")),
        (limit(hard=most("unlimited"), item="nproc"), (None, "<= unlimited")),
    ],
)
def test_wanted(desired, wanted):
    (one,) = look([desired], {}, {}).limits
    assert one.wanted == wanted


def test_wanted_gone():
    (one,) = look(gone(hard=False), {}, {}).limits
    assert one.wanted == ("absent", None)


def test_several_limits_make_one_file_step():
    plan = look(
        [
            limit(5000),
            limit(6000, item="nproc"),
            limit(7000, domain="alice"),
            limit(least(1000), item="nproc", domain="bob"),
        ],
        {},
        {},
    )
    (step,) = plan.steps
    assert step.after == HEAD + line("soft", 5000) + line("soft", 6000, item="nproc") + line("soft", 7000, "alice")
    assert [one.status for one in plan.limits] == ["changed", "changed", "changed", "kept"]


@pytest.mark.parametrize(
    ("nr_open", "nofile", "statuses", "problems"),
    [
        pytest.param(2000000, 1500000, ["changed", "changed"], [], id="raised in the same request"),
        pytest.param({"at_least": 2000000}, 2000000, ["changed", "changed"], [], id="raised by a bound"),
        pytest.param(
            1200000,
            1500000,
            ["changed", "refused"],
            ["Limit * nofile: " + ABOVE.format(1500000).replace("1048576", "1200000")],
            id="raised, but not far enough",
        ),
        pytest.param(
            500000,
            600000,
            ["changed", "refused"],
            ["Limit * nofile: " + ABOVE.format(600000).replace("1048576", "500000")],
            id="lowered in the same request",
        ),
    ],
)
def test_fs_nr_open_of_the_same_request(nr_open, nofile, statuses, problems):
    request = requests.Request(
        sysctl_settings.parse({"fs.nr_open": nr_open}), limit_settings.parse([limit(hard=nofile)])
    )
    plan = module_run.make_plan(request, host_facts.gather(FakeHost(), request))
    assert [one.status for one in list(plan.settings) + list(plan.limits)] == statuses
    assert list(plan.problems) == problems


def test_fs_nr_open_on_file_only_does_not_count():
    request = requests.Request(
        sysctl_settings.parse({"fs.nr_open": 2000000}),
        limit_settings.parse([limit(hard=1500000)]),
        requests.Policy(live=False),
    )
    plan = module_run.make_plan(request, host_facts.gather(FakeHost(), request))
    assert list(plan.problems) == ["Limit * nofile: " + ABOVE.format(1500000)]

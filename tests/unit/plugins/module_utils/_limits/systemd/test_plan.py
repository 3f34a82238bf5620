# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is to be said of a unit or manager: pure parts, without a systemd; tests/functional/test_units.py has the real ones."""

import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import bound as bounds
from ansible_collections.tunefleet.linux.plugins.module_utils._core import limit as limit_types
from ansible_collections.tunefleet.linux.plugins.module_utils._core import request as requests
from ansible_collections.tunefleet.linux.plugins.module_utils._core import steps as step_types
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._limits import limits as limit_settings
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.systemd import plan as systemd_plan
from ansible_collections.tunefleet.linux.plugins.module_utils._module import facts as host_facts
from ansible_collections.tunefleet.linux.plugins.module_utils._module import run as module_run
from ansible_collections.tunefleet.linux.tests.unit.plugins.module_utils.fake_host import FakeHost, proc_limits

NO = 2**64 - 1


def desired(soft=None, hard=None, item="nofile", **target):
    return limit_settings.parse_one(dict(target or {"unit": "web.service"}, item=item, soft=soft, hard=hard))


def least(number):
    return {"at_least": number}


def most(number):
    return {"at_most": number}


@pytest.mark.parametrize(
    ("asked", "have", "reached", "pair"),
    [
        pytest.param(desired(5, 9), None, None, (5, 9), id="nothing is said"),
        pytest.param(desired(5, 9), (1, 2), (1, 2), (5, 9), id="something else is said"),
        pytest.param(desired(5), (1, 20), (1, 20), (5, 20), id="the other half stays"),
        pytest.param(desired(hard=9), (7, 20), (7, 20), (7, 9), id="so does a soft limit below it"),
        pytest.param(desired(hard=9), (15, 20), (15, 20), (9, 9), id="one above it comes down with it"),
        pytest.param(desired(25), (1, 20), (1, 20), (25, 20), id="above the hard limit that is said: refused later"),
        pytest.param(desired(least(5), least(9)), (10, 20), (10, 20), (10, 20), id="more than enough"),
        pytest.param(desired(least(5), least(9)), (4, 20), (4, 20), (5, 20), id="half of it is enough"),
        pytest.param(desired(least(5), least(9)), (NO, NO), (20, 20), (NO, NO), id="cut, and still enough"),
        pytest.param(desired(least(5), least(9)), (2, NO), (2, 7), (5, 9), id="cut to less than was asked for"),
        pytest.param(desired(most(5), most(9)), (10, 20), (10, 20), (5, 9), id="too much"),
        pytest.param(desired(most(5), most(9)), (4, 8), (4, 8), (4, 8), id="little enough"),
        pytest.param(desired(5), None, None, (5, NO), id="a user manager: PAM sets the hard limit"),
        pytest.param(desired(hard=5000), None, None, (1024, 5000), id="a user manager: the soft limit of systemd"),
        pytest.param(desired(hard=500), None, None, (500, 500), id="a user manager: not above hard"),
        pytest.param(
            desired(hard=500, item="nproc"), None, None, (500, 500), id="other items have no soft limit of their own"
        ),
        pytest.param(desired(1, 2, "memlock"), None, None, (1024, 2048), id="in the units of the kernel"),
        pytest.param(desired(least(3), item="memlock"), (2049, NO), (2049, NO), (3072, NO), id="which are finer"),
        pytest.param(desired("unlimited", "unlimited", "core"), (0, NO), (0, NO), (NO, NO), id="no limit"),
    ],
)
def test_wanted_pair(asked, have, reached, pair):
    assert systemd_plan.wanted_pair(asked, have, reached) == pair


@pytest.mark.parametrize(
    ("asked", "have", "is_met"),
    [
        (desired(5, 9), (5, 9), True),
        (desired(5, 9), (5, 10), False),
        (desired(5), (5, 1), True),
        (desired(least(5), least(9)), (5, 9), True),
        (desired(least(5), least(9)), (5, 8), False),
        (desired(most(5), least(9)), (6, 9), False),
        (desired(least(5)), None, False),
        (desired(hard=least("unlimited")), (1, NO), True),
        (desired(hard=least("unlimited")), (1, NO - 1), False),
    ],
)
def test_met(asked, have, is_met):
    assert systemd_plan.satisfies(asked, have) is is_met


@pytest.mark.parametrize(
    ("shown", "item", "limit", "said"),
    [
        ({}, "nofile", limit_types.Limit(5, 9), []),
        (
            {"PAMName": "login", "User": "web"},
            "nofile",
            limit_types.Limit(5, 9),
            ["unit_opens_pam_session"],
        ),
        ({"PAMName": "login"}, "nofile", limit_types.Limit(5, 9), []),
        (
            {"User": "web", "TasksMax": "8"},
            "nproc",
            limit_types.Limit(9, 9),
            ["tasks_max_is_lower"],
        ),
        ({"User": "web", "TasksMax": "9"}, "nproc", limit_types.Limit(9, 20), []),
        ({"User": "web", "TasksMax": "infinity"}, "nproc", limit_types.Limit("unlimited", "unlimited"), []),
        ({"TasksMax": "8"}, "nproc", limit_types.Limit(None, None), ["unit_runs_as_root"]),
        ({"User": "0", "TasksMax": "8"}, "nofile", limit_types.Limit(9, 9), []),
    ],
)
def test_hints(shown, item, limit, said):
    found = systemd_plan.hints(shown, item, limit)
    assert [one.id for one in found] == ["systemd." + name for name in said]


WEB = "/etc/systemd/system/web.service"
OWN = WEB + ".d/99-tunefleet.conf"
SYSTEM = "/etc/systemd/system.conf.d/99-tunefleet.conf"
USER = "/etc/systemd/user.conf.d/99-tunefleet.conf"


def host_with(loaded="1024:524288", default="1024:524288", files=None, **more):
    """A host with systemd, and what that says of web.service and of itself."""
    base = {"/usr/lib/systemd/systemd": b"", "/run/systemd/system": b"", WEB: b"[Service]\nExecStart=/bin/x\n"}
    texts = {"/proc/1/limits": proc_limits(nofile=(1024, 524288), nproc=(500, 500))}
    host = FakeHost(files=dict(base, **(files or {})), texts=dict(texts, **more.pop("texts", {})), **more)

    def shown(name, pair):
        soft, hard = pair.split(":")
        return "{0}={1}\n{0}Soft={2}\n".format(name, hard, soft)

    def programs(words):
        if "web.service" in words:
            return hosts.Completed(
                0, "Id=web.service\nLoadState=loaded\nMainPID=0\n" + shown("LimitNOFILE", loaded), ""
            )
        if any("DefaultLimit" in word for word in words):
            return hosts.Completed(0, shown("DefaultLimitNOFILE", default), "")
        return hosts.Completed(0, "", "")

    host.programs = programs
    return host


def plan(host, *desired_limits, **policy):
    request = requests.Request(limits=list(desired_limits), policy=requests.Policy(**policy))
    return module_run.make_plan(request, host_facts.gather(host, request))


def reloads(found):
    return [step.expected for step in found.steps if isinstance(step, step_types.DaemonReload)]


ABSENT = bounds.Bound(bounds.ABSENT)
MANAGER = {"manager": "system"}


@pytest.mark.parametrize(
    ("host", "desired_limits", "statuses", "expected"),
    [
        pytest.param(
            host_with(loaded="3000:6000", files={OWN: b"[Service]\nLimitNOFILE=3000:6000\n"}),
            [desired(3000, 6000)],
            ["ok"],
            [],
            id="all is well",
        ),
        pytest.param(
            host_with(files={OWN: b"[Service]\nLimitNOFILE=3000:6000\n"}),
            [desired(3000, 6000)],
            ["changed"],
            [(("web.service", "LimitNOFILE", (3000, 6000)),)],
            id="a line that was not read",
        ),
        pytest.param(
            host_with(loaded="3000:6000"),
            [desired(1, 2)._replace(soft=ABSENT, hard=ABSENT)],
            ["changed"],
            [()],
            id="a line that is gone, and was read",
        ),
        pytest.param(
            host_with(default="1500:524288"),
            [desired(1, 2, **MANAGER)._replace(soft=ABSENT, hard=ABSENT)],
            ["changed"],
            [(("", "DefaultLimitNOFILE", (1024, 524288)),)],
            id="a default that is gone, and was read",
        ),
        pytest.param(
            host_with(),
            [desired(least(1024)), desired(2000, 524288, **MANAGER)],
            ["kept", "changed"],
            [(("", "DefaultLimitNOFILE", (2000, 524288)),)],
            id="a default that changes is no unread file of a unit",
        ),
    ],
)
def test_what_systemd_has_not_read(host, desired_limits, statuses, expected):
    found = plan(host, *desired_limits)
    assert [one.status for one in found.limits] == statuses and reloads(found) == expected


@pytest.mark.parametrize(("name", "refused"), [("10-a.conf", True), ("99-z.conf", False)])
def test_a_file_at_which_systemd_stops_before_it_comes_to_ours(name, refused):
    path = "/etc/systemd/system.conf.d/" + name
    found = plan(host_with(files={path: b"[Oops\n"}), desired(2000, 9000, **MANAGER))
    assert bool(found.problems) == refused
    assert not refused or found.problems[0].startswith(
        "Limit manager system nofile: systemd stops reading {0} before our line".format(path)
    )
    drop_in = "/etc/systemd/system/web.service.d/" + name
    assert not plan(host_with(files={drop_in: b"[Oops\n"}), desired(2000, 9000)).problems


def test_a_default_of_the_same_request_counts_for_a_unit():
    found = plan(host_with(), desired(least(1024)), desired(2000, 9000, **MANAGER))
    assert [one.effective for one in found.limits] == [limit_types.Limit(2000, 9000)] * 2
    assert found.limits[1].before == limit_types.Limit(1024, 524288)


PAM = {"/usr/lib64/security/pam_limits.so": b"/proc/sys/fs/nr_open\0nonewprivs\0invalid line %llu\0"}
STACK = {"/usr/lib/pam.d/systemd-user": b"session required pam_limits.so\n"}
RULES = "/etc/security/limits.d/a.conf"


@pytest.mark.parametrize(
    ("files", "effective", "shadow"),
    [
        pytest.param(dict(PAM, **STACK), limit_types.Limit(20000, 90000), None, id="enough"),
        pytest.param(
            dict(PAM, **dict(STACK, **{RULES: b"* hard nofile 30000\n"})),
            limit_types.Limit(20000, 30000),
            RULES + ":1",
            id="cut",
        ),
        pytest.param(
            dict(PAM, **dict(STACK, **{RULES: b"* - nofile 9000\n"})),
            limit_types.Limit(9000, 9000),
            RULES + ":1",
            id="both cut",
        ),
        pytest.param(
            dict(PAM, **{RULES: b"* - nofile 9000\n"}), limit_types.Limit(20000, 90000), None, id="a stack without PAM"
        ),
        pytest.param(
            dict(PAM, **dict(STACK, **{RULES: b"alice - nofile 9000\n"})),
            limit_types.Limit(20000, 90000),
            None,
            id="of one user alone",
        ),
    ],
)
def test_managers_of_users_get_what_pam_gives(files, effective, shadow):
    """S11 of what was measured: user.conf.d 20000:90000 under a PAM hard limit of 30000 gave 20000/30000."""
    (one,) = plan(host_with(files=files), desired(20000, 90000, manager="user")).limits
    assert (one.effective, one.shadowed_by, one.after) == (effective, shadow, limit_types.Limit(20000, 90000))
    assert bool(one.notes) == (effective != limit_types.Limit(20000, 90000))


def test_a_manager_of_users_and_the_rule_of_the_same_request():
    files = dict(PAM, **dict(STACK, **{"/etc/security/limits.d/99-tunefleet.conf": b"* hard nofile 30000\n"}))
    rule = limit_settings.parse_one({"domain": "*", "item": "nofile", "hard": 50000})
    found = plan(host_with(files=files), desired(20000, 90000, manager="user"), rule)
    assert found.limits[0].effective == limit_types.Limit(20000, 50000)

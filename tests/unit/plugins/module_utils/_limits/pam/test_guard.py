# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._core import limit as limit_types
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import guard
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import variant as pam_variant

ABOVE = (
    "rule nr_open: nofile {0} is above fs.nr_open 1048576; the kernel would reject it and logins would "
    "fail. Raise fs.nr_open first, or request at most 1048576."
)
WORD = (
    "rule unlimited: this pam_limits (before 1.5.2) refuses every login if nofile is 'unlimited'; write "
    "the number, up to fs.nr_open."
)
LOW = (
    "rule floor: {0} {1} leaves a login in which nothing works; request at least {2}, or name a domain "
    "that nobody logs in with."
)
NEW = pam_variant.PamVariant()
PLAIN = guard.GuardContext(1048576, NEW)
SUDO = (
    "rule floor: nonewprivs 1 disables sudo and su for an administrator who becomes root through them; "
    "name users who do not."
)
THREADS = (
    "rule threads: nproc 39 is below the 40 threads that user alice runs now, so no other could start; "
    "request more than 40."
)


@pytest.mark.parametrize(
    ("item", "limit", "facts", "found"),
    [
        pytest.param("nofile", limit_types.Limit(65535, 1048576), PLAIN, [], id="as high as may be"),
        pytest.param("nofile", limit_types.Limit(65535, 1048577), PLAIN, [ABOVE.format(1048577)], id="hard above"),
        pytest.param("nofile", limit_types.Limit(2000000, None), PLAIN, [ABOVE.format(2000000)], id="soft above"),
        pytest.param(
            "nofile", limit_types.Limit(256, 1048577), guard.GuardContext(), [], id="fs.nr_open cannot be read"
        ),
        pytest.param(
            "nofile",
            limit_types.Limit(256, "unlimited"),
            guard.GuardContext(1048576),
            [WORD],
            id="hard without a limit, unknown PAM",
        ),
        pytest.param(
            "nofile",
            limit_types.Limit("unlimited", None),
            guard.GuardContext(None, NEW._replace(unlimited_means_nr_open=False)),
            [WORD],
            id="soft, old PAM",
        ),
        pytest.param(
            "nofile", limit_types.Limit("unlimited", "unlimited"), PLAIN, [], id="the word is fs.nr_open since 1.5.2"
        ),
        pytest.param("nofile", limit_types.Limit(), PLAIN, [], id="nothing said"),
        pytest.param("nproc", limit_types.Limit("unlimited", 9999999), PLAIN, [], id="another item"),
        pytest.param(
            "nofile", limit_types.Limit(255, 4096), PLAIN, [LOW.format("nofile", 255, 256)], id="soft too low"
        ),
        pytest.param("nofile", limit_types.Limit(None, 8), PLAIN, [LOW.format("nofile", 8, 256)], id="hard too low"),
        pytest.param("nofile", limit_types.Limit(8, 8), PLAIN._replace(people=False), [], id="nobody logs in"),
        pytest.param("nproc", limit_types.Limit(31, 31), PLAIN, [LOW.format("nproc", 31, 32)], id="nproc"),
        pytest.param("as", limit_types.Limit(None, 100), PLAIN, [LOW.format("as", 100, 65536)], id="as"),
        pytest.param("stack", limit_types.Limit(100, None), PLAIN, [LOW.format("stack", 100, 256)], id="stack"),
        pytest.param("memlock", limit_types.Limit(0, 0), PLAIN, [LOW.format("memlock", 0, 64)], id="memlock"),
        pytest.param("fsize", limit_types.Limit(0, None), PLAIN, [LOW.format("fsize", 0, 1024)], id="fsize"),
        pytest.param("cpu", limit_types.Limit(None, 0), PLAIN, [LOW.format("cpu", 0, 1)], id="cpu"),
        pytest.param("data", limit_types.Limit(None, 1), PLAIN, [LOW.format("data", 1, 16384)], id="data"),
        pytest.param("maxlogins", limit_types.Limit(0, 0), PLAIN, [LOW.format("maxlogins", 0, 1)], id="maxlogins"),
        pytest.param(
            "maxsyslogins", limit_types.Limit(0, 0), PLAIN, [LOW.format("maxsyslogins", 0, 1)], id="maxsyslogins"
        ),
        pytest.param("core", limit_types.Limit(0, 0), PLAIN, [], id="no core is fine"),
        pytest.param("nice", limit_types.Limit(-5, -20), PLAIN, [], id="a negative number may be meant"),
        pytest.param(
            "nproc", limit_types.Limit(39, 50), PLAIN._replace(threads=("alice", 40)), [THREADS], id="threads"
        ),
        pytest.param(
            "nproc", limit_types.Limit(40, 50), PLAIN._replace(threads=("alice", 40)), [], id="enough threads"
        ),
        pytest.param("nonewprivs", limit_types.Limit(1, 1), PLAIN._replace(sudo=True), [SUDO], id="sudo"),
        pytest.param("nonewprivs", limit_types.Limit(0, 0), PLAIN._replace(sudo=True), [], id="sudo allowed"),
        pytest.param("nonewprivs", limit_types.Limit(1, 1), PLAIN, [], id="no sudo"),
    ],
)
def test_objections(item, limit, facts, found):
    assert guard.rejections(item, limit, facts) == found


@pytest.mark.parametrize(
    ("item", "limit", "facts", "said"),
    [
        pytest.param("nofile", limit_types.Limit(1024, "unlimited"), PLAIN, True, id="the word"),
        pytest.param("nofile", limit_types.Limit(1024, 4096), PLAIN, False, id="numbers"),
        pytest.param("nproc", limit_types.Limit(None, "unlimited"), PLAIN, False, id="another item"),
        pytest.param(
            "nofile",
            limit_types.Limit(None, "unlimited"),
            guard.GuardContext(1048576),
            False,
            id="it was refused already",
        ),
    ],
)
def test_remarks(item, limit, facts, said):
    assert ["1048576" in text for text in guard.warnings(item, limit, facts)] == [True] * said

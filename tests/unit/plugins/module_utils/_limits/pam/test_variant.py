# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
import pytest

from ansible_collections.tunefleet.linux.plugins.module_utils._limits.pam import variant as pam_variant

MAIN = b"\0/etc/security/limits.conf\0/etc/security/limits.d/*.conf\0"
OLD_TEXTS = b"invalid line '%s' - skipped\0cannot read settings from %s: %m\0using PAM default\0"
NEW_TEXTS = b"invalid line %llu in '%s' - skipped\0cannot read settings from %s: %s\0"
DEBIAN = b"chroot\0Could not set limit for '%s' to soft=%d, hard=%d: %m; uid=%lu,euid=%lu\0"
WORD = b"/proc/sys/fs/nr_open\0"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(
            MAIN + OLD_TEXTS,
            pam_variant.PamVariant(
                splits_long_lines=True, needs_files=True, unlimited_means_nr_open=False, nonewprivs=False, rttime=False
            ),
            id="1.4.0 as released",
        ),
        pytest.param(
            MAIN + OLD_TEXTS + b"nonewprivs\0",
            pam_variant.PamVariant(
                splits_long_lines=True, needs_files=True, unlimited_means_nr_open=False, rttime=False
            ),
            id="1.5.1 as released",
        ),
        pytest.param(
            MAIN + OLD_TEXTS + DEBIAN + WORD + b"nonewprivs\0",
            pam_variant.PamVariant(
                star_excludes_root=True,
                ignores_setrlimit_errors=True,
                starts_from_pid1=True,
                splits_long_lines=True,
                needs_files=True,
                rttime=False,
                chroot=True,
                includes_from_etc_only=True,
            ),
            id="1.5.2 of Debian",
        ),
        pytest.param(
            MAIN + NEW_TEXTS + b"using PAM default\0nonewprivs\0rttime\0" + WORD,
            pam_variant.PamVariant(),
            id="1.7.2 as released",
        ),
        pytest.param(
            MAIN + NEW_TEXTS + DEBIAN + WORD + b"using default\0nonewprivs\0sd_get_sessions\0",
            pam_variant.PamVariant(
                star_excludes_root=True,
                ignores_setrlimit_errors=True,
                logind=True,
                rttime=False,
                chroot=True,
                includes_from_etc_only=True,
            ),
            id="1.7.0 of Debian",
        ),
        pytest.param(
            MAIN + NEW_TEXTS + WORD + b"nonewprivs\0/usr/etc/security/limits.conf\0/usr/etc/security/limits.d/*.conf\0",
            pam_variant.PamVariant(vendor="/usr/etc/security", rttime=False),
            id="with a vendor directory",
        ),
        pytest.param(b"", pam_variant.UNKNOWN, id="empty"),
        pytest.param(None, pam_variant.UNKNOWN, id="not installed"),
    ],
)
def test_of_module(data, expected):
    assert pam_variant.of_module(data) == expected


def test_what_is_not_known_is_taken_for_the_worst():
    unknown = pam_variant.UNKNOWN
    assert not unknown.installed and unknown.needs_files
    assert (
        not unknown.ignores_setrlimit_errors and not unknown.star_excludes_root and not unknown.unlimited_means_nr_open
    )


@pytest.mark.parametrize(
    ("module", "item", "since"),
    [
        (MAIN + OLD_TEXTS, "nonewprivs", "1.5.0"),
        (MAIN + OLD_TEXTS + b"nonewprivs\0", "nonewprivs", ""),
        (MAIN + NEW_TEXTS, "rttime", "1.7.1"),
        (MAIN + NEW_TEXTS + b"rttime\0", "rttime", ""),
        (MAIN + OLD_TEXTS, "nofile", ""),
    ],
)
def test_items_that_are_younger(module, item, since):
    found = pam_variant.of_module(module)
    assert found.lacks(item) == since
    assert pam_variant.editing(found).lacks(item) == ""


@pytest.mark.parametrize(
    ("given", "starts_from_pid1"), [((), False), (("debug", "noaudit"), False), (("set_all",), True)]
)
def test_arguments(given, starts_from_pid1):
    assert pam_variant.arguments(pam_variant.PamVariant(), given).starts_from_pid1 == starts_from_pid1

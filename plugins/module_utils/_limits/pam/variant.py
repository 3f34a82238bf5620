# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""In what the pam_limits of one host differs from that of another. Private: not for use outside of ``tunefleet.linux``.

The installed module itself is asked: releases and patches leave texts in it that others have not. So no package manager is
needed, and a module that was built locally is recognized too. Releases are those of Linux-PAM, modules/pam_limits/pam_limits.c.
"""

import re
import typing as t

# Directories in which libpam of the usual distributions looks for modules; those of Debian have a part for the architecture.
DIRECTORIES = ("/usr/lib64/security", "/lib64/security", "/usr/lib/security", "/lib/security")
LIBRARIES = ("/usr/lib", "/lib")
MODULE = "pam_limits.so"
ETC = "/etc/security"


class PamVariant(t.NamedTuple):
    """How an installed pam_limits behaves.

    ``star_excludes_root``: ``*``, ``@group`` and ``%`` do not apply to uid 0.
    ``ignores_setrlimit_errors``: a limit that the kernel refuses is ignored; other variants end the session.
    ``starts_from_pid1``: a session starts with the limits of process 1, not with those of its caller.
    ``splits_long_lines``: lines are read in pieces of 1023 bytes and split at any white space (before 1.6).
    ``needs_files``: a missing limits.conf, or a dangling link, ends every session (before 1.5.3).
    ``unlimited_means_nr_open``: ``unlimited`` means fs.nr_open (since 1.5.2).
    ``nonewprivs``, ``rttime``, ``chroot``: the item is known (since 1.5.0, since 1.7.1, in Debian).
    ``vendor``: directory of the distribution's own limits.conf.
    ``includes_from_etc_only``: includes of a stack are searched in /etc/pam.d alone, not in the vendor's directory (Debian's libpam).
    """

    installed: bool = True
    star_excludes_root: bool = False
    ignores_setrlimit_errors: bool = False
    starts_from_pid1: bool = False
    splits_long_lines: bool = False
    needs_files: bool = False
    unlimited_means_nr_open: bool = True
    nonewprivs: bool = True
    rttime: bool = True
    chroot: bool = False
    logind: bool = False
    vendor: t.Optional[str] = None
    includes_from_etc_only: bool = False

    def lacks(self, item: str) -> str:
        """Since which release of Linux-PAM an item is known that is not known here, or nothing."""
        known = {"nonewprivs": (self.nonewprivs, "1.5.0"), "rttime": (self.rttime, "1.7.1")}.get(item, (True, ""))
        return "" if known[0] else known[1]


# The present release, without the patches of any distribution.
PLAIN = PamVariant()
# What is assumed of a module that cannot be read: the one that locks out soonest.
UNKNOWN = PamVariant(
    installed=False, splits_long_lines=True, needs_files=True, unlimited_means_nr_open=False, rttime=False
)


def of_module(data: t.Optional[bytes]) -> PamVariant:
    """The variant of a pam_limits.so.

    :param data: its bytes, None where there is none.
    """
    if not data:
        return UNKNOWN
    # Debian's patches 027, 032 and 040 come together; the last one leaves this text.
    debian = b"uid=%lu,euid=%lu" in data
    vendors = [path for path in re.findall(rb"(/[ -~]+)/limits\.conf\0", data) if path != ETC.encode("ascii")]
    return PamVariant(
        star_excludes_root=debian,
        ignores_setrlimit_errors=debian,
        # 1.7.0-1 of Debian changed this text together with the behaviour.
        starts_from_pid1=debian and b"using PAM default\0" in data,
        splits_long_lines=b"invalid line '%s'" in data,
        needs_files=b"cannot read settings from %s: %m" in data,
        unlimited_means_nr_open=b"/proc/sys/fs/nr_open" in data,
        nonewprivs=b"nonewprivs" in data,
        rttime=b"rttime" in data,
        chroot=b"chroot" in data,
        logind=b"sd_get_sessions" in data,
        vendor=vendors[0].decode("ascii") if vendors else None,
        includes_from_etc_only=debian,
    )


def editing(variant: PamVariant) -> PamVariant:
    """The variant for our own file: a line that this release does not understand is ours all the same."""
    return variant._replace(nonewprivs=True, rttime=True)


def arguments(variant: PamVariant, given: t.Iterable[str]) -> PamVariant:
    """The variant under the arguments of a line in a PAM stack."""
    return variant._replace(starts_from_pid1=True) if "set_all" in given else variant

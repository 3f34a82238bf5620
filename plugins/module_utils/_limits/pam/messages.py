# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of this package: what a user reads. Private to ``tunefleet.linux``."""

from ... import _messages

FLOOR_NONEWPRIVS = _messages.Text(
    "pam.floor_nonewprivs",
    "rule floor: nonewprivs 1 disables sudo and su for an administrator who becomes root through them; name "
    "users who do not.",
)
UNLIMITED_NOFILE = _messages.Text(
    "pam.unlimited_nofile",
    "rule unlimited: this pam_limits (before 1.5.2) refuses every login if nofile is 'unlimited'; write the "
    "number, up to fs.nr_open.",
)
NOFILE_ABOVE_NR_OPEN = _messages.Text(
    "pam.nofile_above_nr_open",
    "rule nr_open: nofile {value} is above fs.nr_open {nr_open}; the kernel would reject it and logins would "
    "fail. Raise fs.nr_open first, or request at most {nr_open}.",
)
FLOOR = _messages.Text(
    "pam.floor",
    "rule floor: {item} {value} leaves a login in which nothing works; request at least {floor}, or name a "
    "domain that nobody logs in with.",
)
UNLIMITED_BECOMES_NR_OPEN = _messages.Text(
    "pam.unlimited_becomes_nr_open",
    "unlimited becomes fs.nr_open, here {nr_open}; a very large soft limit slows some programs.",
)
EXEMPT_FROM_ALL = _messages.Text("pam.exempt_from_all", "exempt from all limits by {rule}")
NO_SUCH_USER = _messages.Text(
    "pam.no_such_user",
    "Reading the limits of user {user!r} failed: this host has no such user.",
)
SESSION_REFUSED_INCLUDE_MISSING = _messages.Text(
    "pam.session_refused_include_missing",
    "{file} includes a missing file, so the session is refused",
)
MAY_SKIP_PAM_LIMITS = _messages.Text("pam.may_skip_pam_limits", "{rule} may skip pam_limits")
CONF_MISSING = _messages.Text("pam.conf_missing", "{path}, named in {rule}, is missing, so the session is refused")
NO_PAM_LIMITS_HERE = _messages.Text("pam.no_pam_limits_here", "this host has no pam_limits")
SSHD_WITHOUT_PAM = _messages.Text("pam.sshd_without_pam", "sshd does not use PAM: {rule}")
STACK_WITHOUT_PAM_LIMITS = _messages.Text("pam.stack_without_pam_limits", "{path} does not use pam_limits")
DOMAIN_IS_A_USER_NAME = _messages.Text(
    "pam.domain_is_a_user_name",
    "{domain} is a user of that name; write the user with the id {domain} as :{domain}.",
)
DOMAIN_IS_ONE_ID = _messages.Text("pam.domain_is_one_id", "{domain} is the user id {uid} alone, not the ids up to it.")
PRIMARY_GROUPS_ONLY = _messages.Text("pam.primary_groups_only", "{domain} matches primary groups only.")
DOMAIN_IS_A_GROUP_NAME = _messages.Text(
    "pam.domain_is_a_group_name",
    "{domain} is a group of that name; write the group with the id {gid} as @:{gid}.",
)
USER_MISSING = _messages.Text("pam.user_missing", "This host has no user {user}.")
SERVICES_DO_NOT_READ_IT = _messages.Text(
    "pam.services_do_not_read_it",
    "systemd services that run as {user} do not read it; limit their unit.",
)
NPROC_OF_ROOT = _messages.Text(
    "pam.nproc_of_root",
    "The kernel does not enforce nproc for root; use TasksMax= of a unit or slice.",
)
STAR_EXCLUDES_ROOT = _messages.Text(
    "pam.star_excludes_root",
    "* does not apply to root on this distribution; use the domain root.",
)
STAR_INCLUDES_ROOT = _messages.Text("pam.star_includes_root", "* applies to root too on this distribution.")
OVERRIDDEN_FOR = _messages.Text(
    "pam.overridden_for",
    "Not for {users}{more}, for whom a more specific rule takes precedence.",
)
PAM_LIMITS_MISSING = _messages.Text(
    "pam.pam_limits_missing",
    "This host has no pam_limits; without it no session reads limits files.",
)
SSHD_KEEPS_ITS_LIMITS = _messages.Text(
    "pam.sshd_keeps_its_limits",
    "sshd does not use PAM ({rule} has no UsePAM yes), so ssh sessions keep the limits of sshd.",
)
SESSIONS_REFUSED_INCLUDE_MISSING = _messages.Text(
    "pam.sessions_refused_include_missing",
    "{file} includes a missing file, so sessions of {service} are refused.",
)
SESSIONS_NOT_LIMITED = _messages.Text(
    "pam.sessions_not_limited",
    "{path} does not use pam_limits, so sessions of {service} are not limited.",
)
STACK_READS_ANOTHER_FILE = _messages.Text(
    "pam.stack_reads_another_file",
    "{module} reads only {path} (conf= in {rule}) for sessions of {service}.",
)
STACK_MAY_SKIP = _messages.Text("pam.stack_may_skip", "{rule} may skip pam_limits in sessions of {service}.")
FILE_ORDER = _messages.Text(
    "pam.file_order",
    "{path} is read {order}: files are sorted byte by byte, so 10- sorts before 9-.",
)
CANNOT_BE_OPENED = _messages.Text(
    "pam.cannot_be_opened",
    "{path} cannot be opened (symlink loop?), and pam_limits then refuses every login; remove it.",
)
DANGLING_LINK = _messages.Text(
    "pam.dangling_link",
    "{path} is a dangling link, and this pam_limits then refuses every login; remove it.",
)
FILE_MISSING = _messages.Text(
    "pam.file_missing",
    "{path} is missing, and this pam_limits then refuses every login; an empty file is enough.",
)
BYTE_ORDER_MARK = _messages.Text(
    "pam.byte_order_mark",
    "{path} begins with a byte order mark, so pam_limits ignores its first rule.",
)
LINE_TOO_LONG = _messages.Text(
    "pam.line_too_long",
    "{path} line {line} is longer than 1022 bytes; this pam_limits reads its end as another line.",
)
ITEM_TOO_NEW = _messages.Text(
    "pam.item_too_new",
    "the pam_limits of this host ignores {item}, which needs Linux-PAM {release}",
)
SESSIONS_SATISFY = _messages.Text("pam.sessions_satisfy", "sessions satisfy it without a rule of ours")
SOFT_ABOVE_RULE = _messages.Text(
    "pam.soft_above_rule",
    "soft {soft} is above the hard limit {hard}, so pam_limits would cut it; request hard too",
)
CONTAINER_CEILING = _messages.Text(
    "pam.container_ceiling",
    "belongs to the host of this container: sessions here cannot have more than {hard}",
)
OVERRIDDEN_BY = _messages.Text("pam.overridden_by", "{rule} takes precedence")
NAME_IGNORED = _messages.Text(
    "pam.name_ignored",
    "{path} would never be read: pam_limits reads names in limits.d that end in .conf and do not begin with a dot.",
)
FILE_IGNORED = _messages.Text(
    "pam.file_ignored",
    "{path} is not among the files that pam_limits reads ({main} and {directory}/*.conf); its rules have no "
    "effect unless a link or conf= in a PAM stack leads there.",
)
LINE_NOT_UTF8 = _messages.Text("pam.line_not_utf8", "{path} line {line} is not UTF-8; it is kept byte for byte.")
CHECK_UNAVAILABLE = _messages.Text(
    "pam.check_unavailable",
    "PAM session check unavailable ({error}); only the static guard rules were applied.",
)
ALREADY_REFUSED = _messages.Text(
    "pam.already_refused",
    "Sessions of {users} are already refused without any change; search the cause in the files that pam_limits reads.",
)
SESSION_REFUSED = _messages.Text(
    "pam.session_refused",
    "rule sessions: pam_limits refuses a session of {users} with the new files; request less.",
)
THREADS = _messages.Text(
    "pam.threads",
    "rule threads: nproc {value} is below the {threads} threads that user {user} runs now, so no other could "
    "start; request more than {threads}.",
)
RULES_IGNORED = _messages.Text(
    "pam.rules_ignored", "the kernel rejects what the rules request, so the session keeps its limits"
)
RULES_END_THE_SESSION = _messages.Text(
    "pam.rules_end_the_session", "the kernel rejects what the rules request, so pam_limits refuses the session"
)

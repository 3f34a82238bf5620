# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    """Documentation that modules share. Private: not for use outside of ``tunefleet.linux``."""

    DOCUMENTATION = r"""
options: {}
attributes:
  platform:
    description: Systems that the module works on.
    support: full
    platforms: linux
notes:
  - Needs only Python 3.6 or newer on the host. It needs no C(sysctl) program and no facts.
  - Uses pipelining if the connection supports it and neither C(ansible_pipelining) nor C(pipelining) in C(ansible.cfg) is set. The module
    is then the input of the one command that runs it. This includes P(ansible.builtin.sudo#become) without a password.
  - Otherwise Ansible copies the module to a file on the host and runs it, as usual. It also does so if sudo needs a terminal (C(requiretty)
    in C(sudoers)), and before ansible-core 2.18 unless C(ansible_pipelining) is true.
"""

    CHANGES = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status prediction without modifying the host.
    support: full
    details:
      - Check mode cannot predict what only the kernel knows, such as the congestion controls of its build. The run then fails and
        restores everything.
  diff_mode:
    description: Returns what changed, or would change in check mode, when in diff mode.
    support: full
    details:
      - One diff shows the live kernel parameters, another each file.
  idempotent:
    description: When run twice in a row outside of check mode, with the same arguments, the second run reports no change.
    support: full
"""

    READS = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status prediction without modifying the host.
    support: full
    details:
      - The module never changes anything.
  diff_mode:
    description: Returns what changed, or would change in check mode, when in diff mode.
    support: N/A
    details:
      - The module never changes anything.
  idempotent:
    description: When run twice in a row outside of check mode, with the same arguments, the second run reports no change.
    support: full
    details:
      - The module never changes anything.
"""

    POLICY = r"""
options:
  on_shadowed:
    description:
      - What to do with an entry that has no effect at boot, because another file takes precedence or because its own file is not read.
      - V(fail) refuses the request before anything is written.
    type: str
    choices: [warn, fail]
    default: warn
"""

    LIMIT_LIST = r"""
options:
  limits:
    description: The limits to set.
    type: list
    elements: dict
    suboptions:
      domain:
        description:
          - A user, C(@group), C(*) for everyone, or a range of user ids such as C(1000:2000). Applies to new sessions.
          - On Debian C(*) and C(@group) do not apply to root.
          - An entry has exactly one of C(domain), C(unit), C(manager) and C(process).
        type: str
      unit:
        description:
          - A unit of systemd, such as C(nginx.service) or the template C(getty@.service). A service never reads limits.conf(5).
          - The module writes the drop-in C(/etc/systemd/system/UNIT.d/99-tunefleet.conf) and reloads systemd.
          - C(at_least) never lowers the present limit, over all drop-ins and the manager's default.
          - A name without a type is a service. Escape other characters as systemd-escape(1) does.
        type: str
      manager:
        description:
          - The default of all units without their own limit. V(system) is for services, V(user) for units below C(user@UID.service).
          - The module writes C(/etc/systemd/system.conf.d/99-tunefleet.conf), or the same in C(user.conf.d).
          - PAM sets the hard limit of a user manager. It is the upper bound of this default.
        type: str
        choices: [system, user]
      process:
        description:
          - Running processes, by name or by the path of a pid file. Set with prlimit(2) until the process ends.
        type: str
      restart:
        description:
          - Restart the C(unit) if its running process has another limit. Otherwise RV(needs) names the unit.
          - A stopped unit is not started. A unit that is not listed is never restarted.
        type: bool
        default: false
      item:
        description:
          - The limited resource, in the unit of limits.conf(5) for every kind of target.
          - Units, managers and processes take V(as), V(core), V(cpu), V(data), V(fsize), V(memlock), V(msgqueue), V(nofile),
            V(nproc), V(rss), V(rtprio), V(rttime), V(sigpending) and V(stack).
        type: str
        required: true
        choices: [as, core, cpu, data, fsize, locks, maxlogins, maxsyslogins, memlock, msgqueue, nice, nofile,
          nonewprivs, nproc, priority, rss, rtprio, rttime, sigpending, stack]
      soft:
        description:
          - The soft limit. A number, V(unlimited), or a map with exactly one of C(value), C(at_least) and C(at_most).
          - With C(at_least), nothing is written if sessions already have at least that limit, from a rule of any file or from the
            processes that start sessions.
          - "The number may be a formula, as in C({at_least: {per_gib: 8192, max: 1048576}}). See the option
            O(tunefleet.linux.sysctl#module:settings)."
        type: raw
      hard:
        description: The hard limit, as C(soft).
        type: raw
      why:
        description: The reason. The result repeats it.
        type: str
      source:
        description: The sources of the value. The result repeats them.
        type: list
        elements: str
      hazard:
        description: What the value may break. M(tunefleet.linux.profile) then needs O(tunefleet.linux.profile#module:accept_hazards).
        type: str
      instead_of:
        description:
          - Values of profiles that this one overrides, as P(tunefleet.linux.profile#lookup) lists them. The result repeats them.
        type: list
        elements: dict
"""

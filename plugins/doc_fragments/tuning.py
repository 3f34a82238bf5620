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
  - Needs nothing but Python 3.6 or newer on the host, no C(sysctl) program and no facts.
  - Gets to the host as the input of the one command that runs it, which Ansible calls pipelining, where the connection can do that and
    nobody has chosen (C(ansible_pipelining), or C(pipelining) in C(ansible.cfg)). To become root on this way,
    P(ansible.builtin.sudo#become) without a password will do. For every other way, and where sudo insists on a terminal
    (C(requiretty) of C(sudoers)), a file is sent, made executable, run and removed, as Ansible does with all modules. So it is before
    ansible-core 2.18, which cannot tell whether somebody has chosen, unless C(ansible_pipelining) is true.
"""

    CHANGES = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status prediction without modifying the host.
    support: full
    details:
      - What nobody but the kernel knows cannot be foretold, such as which modes of a key, or which congestion controls, its
        release takes. The run finds out, and then puts everything back.
  diff_mode:
    description: Returns what changed, or would change in check mode, when in diff mode.
    support: full
    details:
      - One page lists the live kernel parameters, another each file.
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
      - What to do about an entry that will not come into force at the next boot, because another file wins over it or because
        its own file is not read then.
      - V(fail) refuses the whole request before anything is written.
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
          - A user, C(@group), C(*) for everybody, or a range of user ids such as C(1000:2000). Holds for new sessions.
          - On Debian C(*) and C(@group) do not bind root.
          - An entry has exactly one of C(domain), C(unit), C(manager) and C(process).
        type: str
      unit:
        description:
          - A unit of systemd, such as C(nginx.service) or the template C(getty@.service). Its limit is kept in the drop-in
            C(/etc/systemd/system/UNIT.d/99-tunefleet.conf), which systemd is made to read; a service never reads limits.conf(5).
          - What it has already, over all drop-ins and the manager's default, is never lowered by C(at_least).
          - Without a type it is a service. A name with other signs is written as systemd-escape(1) does it.
        type: str
      manager:
        description:
          - The default of all units that have no limit of their own, V(system) for services, V(user) for what runs below
            C(user@UID.service). Kept in C(/etc/systemd/system.conf.d/99-tunefleet.conf) or C(user.conf.d).
          - The hard limit of a user manager comes from PAM, and cuts what is said here.
        type: str
        choices: [system, user]
      process:
        description:
          - Running processes, by name or by the path of a pid file. Set at once with prlimit(2), gone when the process ends.
        type: str
      restart:
        description:
          - Restart the C(unit) when its running process still has another limit. Otherwise RV(needs) names the unit.
          - A unit that does not run is not started. Nothing that was not named is ever restarted.
        type: bool
        default: false
      item:
        description:
          - What is limited, in the unit of limits.conf(5) for every kind of target.
          - Units, managers and processes take V(as), V(core), V(cpu), V(data), V(fsize), V(memlock), V(msgqueue), V(nofile),
            V(nproc), V(rss), V(rtprio), V(rttime), V(sigpending) and V(stack).
        type: str
        required: true
        choices: [as, core, cpu, data, fsize, locks, maxlogins, maxsyslogins, memlock, msgqueue, nice, nofile,
          nonewprivs, nproc, priority, rss, rtprio, rttime, sigpending, stack]
      soft:
        description:
          - The soft limit. A number, or V(unlimited), or a map with exactly one of C(value), C(at_least) and C(at_most).
          - With C(at_least) nothing is written where sessions have at least that already, by a rule of any file or by what the
            processes that start sessions have.
          - "The number may depend on the host, as in C({at_least: {per_gib: 8192, max: 1048576}}), see the option
            O(tunefleet.linux.sysctl#module:settings)."
        type: raw
      hard:
        description: The hard limit, as C(soft).
        type: raw
      why:
        description: Why it is wanted; comes back in the result.
        type: str
      source:
        description: Where the value comes from; comes back in the result.
        type: list
        elements: str
      hazard:
        description: What the value may break; M(tunefleet.linux.profile) then asks for it to be accepted.
        type: str
      instead_of:
        description:
          - Wishes of profiles that this one was preferred to, as P(tunefleet.linux.profile#lookup) lists them; they come back in
            the result.
        type: list
        elements: dict
"""

#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: limits_info
short_description: Read the limits of sessions, units and processes, and which layer set them last
version_added: 0.1.0
description:
  - Returns for users the limits that a new session gets over all files of limits.conf(5), and the line that decides each.
  - For each service that opens sessions, such as sshd, cron and su, tells what the session gets, and which layer set it last - a
    line of a file, the daemon, process 1 or the caller - by the PAM stack of that service.
  - The files are read as the pam_limits of the host reads them, whose bytes tell its release and whether it is Debian's. See
    C(docs/limits.md) of the collection.
  - For units and managers of systemd tells what they give, over all drop-ins, what the running process has, and who set that last;
    and what makes it less than it looks, such as C(PAMName=), or a C(TasksMax=) below nproc.
author:
  - The tunefleet.linux authors (@tunefleet)
extends_documentation_fragment:
  - tunefleet.linux.tuning
  - tunefleet.linux.tuning.reads
options:
  users:
    description:
      - Users to look at.
      - Without any, and without units, managers and processes, one entry for each domain and item that a rule names; besides, of
        nofile and nproc, what systemd gives its services, and each unit that a file gives a limit of its own.
    type: list
    elements: str
  units:
    description: Units of systemd to look at, such as C(nginx.service).
    type: list
    elements: str
  managers:
    description: Managers of systemd whose defaults to look at.
    type: list
    elements: str
    choices: [system, user]
  processes:
    description: Running processes to look at, by name or by the path of a pid file; one entry for each.
    type: list
    elements: str
seealso:
  - module: tunefleet.linux.limits
"""

EXAMPLES = r"""
---
- name: Read what the files say, of sessions and of services
  tunefleet.linux.limits_info:

- name: Read what a new session of a user gets
  tunefleet.linux.limits_info:
    users: [root, www-data]

- name: Read what nginx gets, what it has now, and why
  tunefleet.linux.limits_info:
    units: [nginx.service]
    managers: [system]
    processes: [nginx]
"""

RETURN = r"""
limits:
  description: One entry for each user, domain, unit, manager or process and item; of all but sessions nofile and nproc are told.
  returned: success
  type: list
  elements: dict
  contains:
    target:
      description: The user, domain, unit, manager or process; with a process its C(pid).
      type: dict
      returned: success
      sample: {user: www-data}
    item:
      description: The item of limits.conf(5).
      type: str
      returned: success
      sample: nofile
    status:
      description:
        - V(ok); V(unknown), there is no such unit or process; V(no_effect), the unit is masked or the host has no systemd.
      type: str
      returned: success
      sample: ok
    reason:
      description: Why the status is not V(ok), or the line that exempts a user from all limits.
      type: str
      returned: success
      sample: exempt from all limits by /etc/security/limits.conf:8
    effective:
      description:
        - What a new session gets, what a unit gets when it is started again, what a manager gives by default, or what a process has,
          in units of limits.conf(5). Null where nothing says.
      type: dict
      returned: success
      sample: {soft: 1024, hard: 524288}
    rule:
      description: The lines that decide. Null where none does, and a session keeps what it starts with, a unit takes the default.
      type: dict
      returned: success
      sample: {soft: '/etc/security/limits.d/99-tunefleet.conf:2', hard: null}
    services:
      description:
        - For each service in C(/etc/pam.d) and the directories of vendors that opens sessions, what the session gets (C(soft),
          C(hard)), which layer set each of them last (C(set_by)), and what else to know (C(note)).
        - A note tells of a stack without pam_limits, of C(UsePAM no), of a file that C(conf=) names or a stack includes and that is
          missing, of a line that may jump over pam_limits, of an exemption, and of what the kernel refuses.
      type: dict
      returned: O(users) is given
      sample:
        sshd:
          soft: 65535
          hard: 524288
          set_by: {soft: '/etc/security/limits.d/99-tunefleet.conf:2', hard: 'sshd (process 812)'}
          note: null
    live:
      description: What the main process of the unit, the running manager, or the process has now; null where none runs.
      type: dict
      returned: a unit, a manager or a process is named
      sample: {soft: 1024, hard: 524288}
    set_by:
      description:
        - Which layer set C(live) last - the line of a file, the default of systemd, limits.conf(5) through C(PAMName=), the unit's
          files as they were when it was started, or the process itself.
      type: str
      returned: a unit, a manager or a process is named
      sample: /etc/systemd/system/nginx.service.d/99-tunefleet.conf:3
    notes:
      description:
        - What makes the limit less than it looks, half a sentence each. Of the manager V(user) the hard limit of the sessions that PAM
          opens for it, by which C(effective) is cut.
      type: list
      elements: str
      returned: a unit, a manager or a process is named
      sample: ['TasksMax=512 of the unit is lower than nproc 65535, and ends it first']
notes:
  description:
    - Ways in for which limits files have no effect, files that pam_limits stumbles over, users whose slice allows fewer tasks than nproc,
      and users whom a rule of Debian's item C(chroot) locks into a directory; one sentence each.
  returned: success
  type: list
  elements: str
  sample: ['sshd does not ask PAM (/etc/ssh/sshd_config:3 has no UsePAM yes), so ssh sessions keep what sshd has.']
"""

from ansible_collections.tunefleet.linux.plugins.module_utils import _ansiballz

_ansiballz.cache_zip_filenames()

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._limits.systemd import info as systemd_info

ARGUMENT_SPEC = {
    "users": {"type": "list", "elements": "str"},
    "units": {"type": "list", "elements": "str"},
    "managers": {"type": "list", "elements": "str", "choices": ["system", "user"]},
    "processes": {"type": "list", "elements": "str"},
}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = systemd_info.everything(hosts.Host(), module.params)
    except _errors.TuneError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()

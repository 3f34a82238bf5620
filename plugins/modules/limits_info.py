#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: limits_info
short_description: Read the limits of sessions, units and processes, and their origin
version_added: 0.1.0
description:
  - Returns for each user the limits of a new session over all files of limits.conf(5), and the line that takes precedence.
  - For each service that opens sessions, such as sshd, cron and su, returns the limits of the session and their origin. The origin is
    a line of a file, the daemon, process 1 or the caller, according to the PAM stack of that service.
  - Reads the files as the host's pam_limits does. Its bytes show its release, and whether it is Debian's. See C(docs/limits.md).
  - For units and managers of systemd, returns the configured limit over all drop-ins, the limit of the running process and its origin.
    Notes name what makes it lower, such as C(PAMName=), or a C(TasksMax=) below nproc.
author:
  - The tunefleet.linux authors (@tunefleet)
extends_documentation_fragment:
  - tunefleet.linux.tuning
  - tunefleet.linux.tuning.reads
options:
  users:
    description:
      - Users to read.
      - If no option is set, the result has one entry for each domain and item of a rule. For nofile and nproc it adds the default of
        systemd, and each unit that a file gives its own limit.
    type: list
    elements: str
  units:
    description: Units of systemd to read, such as C(nginx.service).
    type: list
    elements: str
  managers:
    description: Managers of systemd whose defaults to read.
    type: list
    elements: str
    choices: [system, user]
  processes:
    description: Running processes to read, by name or by the path of a pid file. One entry for each.
    type: list
    elements: str
seealso:
  - module: tunefleet.linux.limits
"""

EXAMPLES = r"""
---
- name: Read every rule, and the limits of services
  tunefleet.linux.limits_info:

- name: Read the limits of a new session
  tunefleet.linux.limits_info:
    users: [root, www-data]

- name: Read the limits of nginx and their origin
  tunefleet.linux.limits_info:
    units: [nginx.service]
    managers: [system]
    processes: [nginx]
"""

RETURN = r"""
limits:
  description: One entry for each user, domain, unit, manager or process, and item. Only sessions have other items than nofile and nproc.
  returned: success
  type: list
  elements: dict
  contains:
    target:
      description: The user, domain, unit, manager or process. A process has its C(pid).
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
        - V(ok), the limit is known. V(unknown), there is no such unit or process.
        - V(no_effect), the unit is masked or the host has no systemd.
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
        - The limit of a new session, of a unit after its next start, of units without their own (manager), or of a process.
        - In units of limits.conf(5). Null if nothing sets it.
      type: dict
      returned: success
      sample: {soft: 1024, hard: 524288}
    rule:
      description: The lines that take precedence. Null if none does. A session then keeps its initial limit, a unit takes the default.
      type: dict
      returned: success
      sample: {soft: '/etc/security/limits.d/99-tunefleet.conf:2', hard: null}
    services:
      description:
        - Each service in C(/etc/pam.d) and in vendor directories that opens sessions. It has the limits of the session (C(soft),
          C(hard)), the origin of each (C(set_by)) and a C(note).
        - A note names a stack without pam_limits, C(UsePAM no), a missing file that C(conf=) or an include names, a line that may skip
          pam_limits, an exemption, or a limit that the kernel rejects.
      type: dict
      returned: O(users) is given
      sample:
        sshd:
          soft: 65535
          hard: 524288
          set_by: {soft: '/etc/security/limits.d/99-tunefleet.conf:2', hard: 'sshd (process 812)'}
          note: null
    live:
      description: The present limit of the unit's main process, the manager, or the process. Null if none runs.
      type: dict
      returned: a unit, a manager or a process is named
      sample: {soft: 1024, hard: 524288}
    set_by:
      description:
        - The origin of C(live). It is a line of a file, the default of systemd, limits.conf(5) through C(PAMName=), the unit's files at
          its start, or the process itself.
      type: str
      returned: a unit, a manager or a process is named
      sample: /etc/systemd/system/nginx.service.d/99-tunefleet.conf:3
    notes:
      description:
        - What makes the effective limit lower. For the manager V(user) it is the hard limit of the sessions that PAM opens for it.
      type: list
      elements: str
      returned: a unit, a manager or a process is named
      sample: ['TasksMax=512 of the unit is lower than nproc 65535 and takes effect first']
notes:
  description:
    - One sentence each on services that do not read limits files, on files that make pam_limits fail, on users whose slice allows fewer
      tasks than nproc, and on users with a rule of Debian's item C(chroot).
  returned: success
  type: list
  elements: str
  sample: ['sshd does not use PAM (/etc/ssh/sshd_config:3 has no UsePAM yes), so ssh sessions keep the limits of sshd.']
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

#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: sysctl_info
short_description: Read kernel parameters, live and after boot
version_added: 0.1.0
description:
  - Returns for each key the live value, our own entry and the effective value after boot with the line that takes precedence.
  - Lists every line of any file that sets the key, C(/etc/sysctl.conf) and the file of C(ufw) included.
author:
  - The tunefleet.linux authors (@tunefleet)
extends_documentation_fragment:
  - tunefleet.linux.tuning
  - tunefleet.linux.tuning.reads
options:
  names:
    description:
      - Keys to read, or patterns of keys such as C(net.ipv4.tcp_*). In a pattern C(*) matches within one segment of the key.
      - The default is every key that a file of sysctl.d(5) sets, by name or by pattern.
    type: list
    elements: str
seealso:
  - module: tunefleet.linux.sysctl
"""

EXAMPLES = r"""
---
- name: Read every key that a file sets
  tunefleet.linux.sysctl_info:
  register: kernel

- name: Show keys whose value will differ after boot
  ansible.builtin.debug:
    msg: "{{ kernel.settings | selectattr('reason') | map(attribute='key') }}"

- name: Read some keys
  tunefleet.linux.sysctl_info:
    names: [net.core.somaxconn, 'net.ipv4.tcp_keepalive_*']
"""

RETURN = r"""
settings:
  description: One entry for each key.
  returned: success
  type: list
  elements: dict
  contains:
    key:
      description: The key in its canonical spelling.
      type: str
      returned: success
      sample: net.core.somaxconn
    status:
      description: V(ok), or why the key cannot be set here, as in RV(tunefleet.linux.sysctl#module:settings[].status).
      type: str
      returned: success
      sample: ok
    reason:
      description: Why the key has this status, or how the effective value after boot differs.
      type: str
      returned: success
      sample: the live value 4096 differs from the effective value after boot, 8192
    live:
      description: The value in the running kernel; C(before) and C(after) are the same.
      type: dict
      returned: success
      sample: {before: '4096', after: '4096'}
    file:
      description: Our own entry and its file; C(before) and C(after) are the same.
      type: dict
      returned: success
      sample: {path: /etc/sysctl.d/99-tunefleet.conf, before: '8192', after: '8192'}
    boot:
      description:
        - The effective value after boot, and the line that takes precedence.
        - C(others) is present if the program that boots the host is unknown, as in many containers, and the results differ. It
          lists C(reader), C(value) and C(winner) of each other program.
      type: dict
      returned: success
      sample:
        before: null
        winner_before: kernel default
        value: '8192'
        winner: /etc/sysctl.d/99-tunefleet.conf:2
        ours: true
    files:
      description: Every line that sets the key, in reading order.
      type: list
      elements: str
      returned: success
      sample: ['/etc/sysctl.d/99-tunefleet.conf:2']
summary:
  description: The number of keys by status.
  returned: success
  type: dict
  sample: {ok: 12}
"""

from ansible_collections.tunefleet.linux.plugins.module_utils import _ansiballz

_ansiballz.cache_zip_filenames()

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._sysctl import info as sysctl_info

ARGUMENT_SPEC = {"names": {"type": "list", "elements": "str"}}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = sysctl_info.sysctl(hosts.Host(), module.params["names"])
    except _errors.TuneError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()

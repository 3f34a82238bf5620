#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: diagnose
short_description: Find network bottlenecks of a host, and what helps
version_added: 0.1.0
description:
  - Takes two samples of M(tunefleet.linux.socket_info), some seconds apart. Reports what the host dropped in between, or is about to
    exhaust.
  - Names the limiting setting, a value or profile that helps, and its cost. Says so if no kernel setting helps, for example if a
    program's own listen queue is too short.
  - A host without losses gets no advice, however busy it is. Run the module while the host is under load.
  - Nothing is ever written. C(docs/diagnose.md) explains every piece of advice.
author:
  - The tunefleet.linux authors (@tunefleet)
extends_documentation_fragment:
  - tunefleet.linux.tuning
  - tunefleet.linux.tuning.reads
options:
  seconds:
    description: Seconds between the two samples, from 0.1 to 3600.
    type: float
    default: 5
notes:
  - Works without root. Only root sees the program of a listening socket, and whether it ran out of files.
  - The C(timeout) or C(async) time of the task must be longer than O(seconds).
seealso:
  - module: tunefleet.linux.socket_info
"""

EXAMPLES = r"""
---
- name: Find bottlenecks of the host
  tunefleet.linux.diagnose:
    seconds: 10
  register: diagnosis

- name: Stop if the host loses connections
  ansible.builtin.assert:
    that: diagnosis.advice | selectattr('severity', 'eq', 'loss') | length == 0
    fail_msg: "{{ diagnosis.advice | map(attribute='evidence') | list }}"
"""

RETURN = r"""
advice:
  description: The bottlenecks. Empty if there is none.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The kind of bottleneck. An id keeps its meaning from release to release.
      type: str
      returned: success
      sample: accept_queue_backlog
    title:
      description: The same in words.
      type: str
      returned: success
      sample: A program's own listen queue overflows
    severity:
      description: V(loss) if the host lost something between the samples, V(near) if it is about to.
      type: str
      returned: success
      sample: loss
    subject:
      description: The affected object, such as a listening socket with its program. Empty if there can be only one.
      type: str
      returned: success
      sample: 127.0.0.1:8080 python (process 30594)
    evidence:
      description: The numbers behind the advice.
      type: str
      returned: success
      sample: 122 attempts to connect dropped in 5.0 s (24.4/s); 6 wait for accept(), limit 5, full at both looks
    kernel_helps:
      description: Whether a kernel setting helps.
      type: bool
      returned: success
      sample: false
    settings:
      description:
        - The limiting settings. Each has its C(key), its C(live) value (null if this namespace does not show it), a C(suggested) value
          and a C(profile) of this collection that sets it (null if there is none).
      type: list
      elements: dict
      returned: success
      sample:
        - {key: net.core.somaxconn, live: '4096', suggested: null, profile: null}
    meaning:
      description: What happens, and why.
      type: str
      returned: success
      sample: >-
        The queue of connections that wait for accept() was full, and attempts to connect were dropped. It is as long as the program
        asked for in listen(2), and net.core.somaxconn would allow more: no kernel setting helps.
    remedy:
      description: What to do.
      type: str
      returned: success
      sample: >-
        Raise the backlog in the program's own configuration (nginx: backlog= of listen, Apache: ListenBackLog, HAProxy: backlog) and
        restart it. If it asks for more already, it began to listen while net.core.somaxconn was lower: restart it. A queue that is full
        at both looks means that the program accepts too slowly: a longer one then only lets clients wait longer.
    cost:
      description: What the remedy costs.
      type: str
      returned: success
      sample: Some kilobytes of kernel memory for each connection that waits, and only while it waits.
grown:
  description: Counters of RV(tunefleet.linux.socket_info#module:counters) that grew between the samples, and by how much.
  returned: success
  type: dict
  sample: {ListenOverflows: 122, ListenDrops: 122}
seconds:
  description: Seconds between the samples.
  returned: success
  type: float
  sample: 5.0
unseen:
  description: What could not be read here, and why; nothing is said about it.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.tunefleet.linux.plugins.module_utils import _ansiballz

_ansiballz.cache_zip_filenames()

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.tunefleet.linux.plugins.module_utils import _errors
from ansible_collections.tunefleet.linux.plugins.module_utils._host import host as hosts
from ansible_collections.tunefleet.linux.plugins.module_utils._network import diagnose

ARGUMENT_SPEC = {"seconds": {"type": "float", "default": 5}}


def main() -> None:
    module = AnsibleModule(ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = diagnose.diagnose(hosts.Host(), module.params["seconds"])
    except _errors.TuneError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()

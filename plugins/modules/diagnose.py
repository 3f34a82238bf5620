#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: diagnose
short_description: Say what the network of a host is short of, and what would help
version_added: 0.1.0
description:
  - Reads what M(tunefleet.linux.socket_info) reads twice, some seconds apart, and says what was dropped in between or is nearly used
    up, which setting limits it, which value or profile would help and what that costs; and when no kernel setting helps, because a
    program's own listen queue is too short, for example.
  - A host that lost nothing gets no advice, however busy it is. It is judged by these seconds alone, so look while it is under load.
  - Nothing is ever written. C(docs/diagnose.md) explains every piece of advice.
author:
  - The tunefleet.linux authors (@tunefleet)
extends_documentation_fragment:
  - tunefleet.linux.tuning
  - tunefleet.linux.tuning.reads
options:
  seconds:
    description: How long to wait between the two readings, from 0.1 to 3600.
    type: float
    default: 5
notes:
  - Works without root. Which program a listening socket belongs to, and whether it ran out of files, is seen by root only.
  - Time that a task may take at most, as with C(async) or a C(timeout) of the task, has to be longer than O(seconds).
seealso:
  - module: tunefleet.linux.socket_info
"""

EXAMPLES = r"""
---
- name: See what the host is short of
  tunefleet.linux.diagnose:
    seconds: 10
  register: diagnosis

- name: Stop when connections are being lost
  ansible.builtin.assert:
    that: diagnosis.advice | selectattr('severity', 'eq', 'loss') | length == 0
    fail_msg: "{{ diagnosis.advice | map(attribute='evidence') | list }}"
"""

RETURN = r"""
advice:
  description: What is under pressure; empty when nothing is.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Which kind of trouble it is. Ids stay as they are from release to release.
      type: str
      returned: success
      sample: accept_queue_backlog
    title:
      description: The same in words.
      type: str
      returned: success
      sample: A program's own listen queue overflows
    severity:
      description: V(loss) when something was lost between the readings, V(near) when it was not lost yet.
      type: str
      returned: success
      sample: loss
    subject:
      description: What it is about, where there may be several, such as a listening socket with its program. Empty otherwise.
      type: str
      returned: success
      sample: 127.0.0.1:8080 python (process 30594)
    evidence:
      description: What was seen, in numbers.
      type: str
      returned: success
      sample: 122 attempts to connect dropped in 5.0 s (24.4/s); 6 wait for accept(), limit 5, full at both looks
    kernel_helps:
      description: Whether a kernel setting would help at all.
      type: bool
      returned: success
      sample: false
    settings:
      description:
        - The settings that limit it. C(key) with its C(live) value (null where this namespace does not show it), the value C(suggested),
          and the C(profile) of this collection that has it; null where there is none.
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
  description: Counters of RV(tunefleet.linux.socket_info#module:counters) that grew between the readings, and by how much.
  returned: success
  type: dict
  sample: {ListenOverflows: 122, ListenDrops: 122}
seconds:
  description: Seconds between the readings.
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

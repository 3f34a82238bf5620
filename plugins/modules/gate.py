#!/usr/bin/python
# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: gate
short_description: Decide whether a batch of hosts is as well after a change as before
version_added: 0.1.0
description:
  - The part of the entry point C(gated) of the role P(tunefleet.linux.tune#role) that decides. It reads what the tasks of that
    entry point have registered of each host of the batch, and is of no use without them.
  - Holds what M(tunefleet.linux.socket_info) read after the change against what it read before. A loss is worse when there is at least
    one a second and more than twice as many as before; so is a resource that is nearly used up now and was not before.
  - Runs on the controller, once for the batch. No connection is opened.
  - C(docs/rollout.md) tells about the whole.
author:
  - The tunefleet.linux authors (@tunefleet)
options:
  stage:
    description:
      - V(baseline) and V(settle) wait for O(seconds), or not at all when a host has failed already.
      - V(before) fails when a host of the batch must not be changed, because it cannot be reached, or because the user's own check
        fails already.
      - V(after) says whether every host of the batch is as well as before.
      - V(end) tells how each host ended, and fails when the batch did.
    type: str
    required: true
    choices: [baseline, before, settle, after, end]
  seconds:
    description: How long to wait.
    type: float
    default: 0
attributes:
  action:
    description: The whole of it runs as an action on the controller.
    support: full
  bypass_host_loop:
    description: Runs once for the batch, and so not under the strategy C(free).
    support: full
  check_mode:
    description: Nothing is ever changed.
    support: full
seealso:
  - module: tunefleet.linux.profile
  - module: tunefleet.linux.socket_info
"""

EXAMPLES = r"""
---
- name: Roll out in batches, with the tasks that this is made for
  ansible.builtin.import_role:
    name: tunefleet.linux.tune
    tasks_from: gated
"""

RETURN = r"""
good:
  description: Whether every host of the batch is well.
  returned: success
  type: bool
  sample: true
problems:
  description: What is wrong, by host.
  returned: O(stage=after)
  type: dict
  sample: {web1: 'the check passed before the change, and fails now: the command ended with 1'}
batch:
  description: For each C(host) of the batch how it C(ended), and what the C(problem) was, if any.
  returned: O(stage=end), and O(stage=before) when it fails
  type: list
  elements: dict
  sample:
    - {host: web1, ended: applied, problem: null}
"""

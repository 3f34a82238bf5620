# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lookup tunefleet.linux.explain."""

# Ansible's base classes are not typed throughout.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

DOCUMENTATION = r"""
name: explain
author:
  - The tunefleet.linux authors (@tunefleet)
short_description: Explain a kernel parameter or a limit
version_added: 0.1.0
description:
  - Tells what a sysctl key or an item of limits.conf(5) does, which lines of which document speak of it, what each profile wants and
    why, and what hosts have.
  - The playbook C(tunefleet.linux.explain) asks the hosts and prints it.
options:
  _terms:
    description: One name, such as C(net.ipv4.tcp_fin_timeout), in short C(tcp_fin_timeout), or C(nofile).
    type: list
    elements: str
    required: true
  hosts:
    description: What M(tunefleet.linux.sysctl_info) or M(tunefleet.linux.limits_info) returned, by host.
    type: dict
    default: {}
  paths:
    description: More directories that hold profiles, as for P(tunefleet.linux.profile#lookup).
    type: list
    elements: str
    default: []
  width:
    description: How many characters fit into a line.
    type: int
    default: 80
  want:
    description:
      - V(text) returns the lines of the explanation.
      - V(topic) returns what the name stands for, as C(kind) (V(sysctl) or V(limit)) and C(name).
    type: str
    choices: [text, topic]
    default: text
seealso:
  - plugin: tunefleet.linux.profile
    plugin_type: lookup
"""

EXAMPLES = r"""
---
- name: Explain a key
  ansible.builtin.debug:
    msg: "{{ query('tunefleet.linux.explain', 'net.ipv4.tcp_fin_timeout') }}"
"""

RETURN = r"""
_raw:
  description: The lines, or what the name stands for.
  type: list
  elements: raw
"""

import typing as t
from pathlib import Path

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ansible_collections.tunefleet.linux.plugins.plugin_utils._console import explain
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import library as profile_library
from ansible_collections.tunefleet.linux.plugins.plugin_utils._profiles import model as profile_model


class LookupModule(LookupBase):
    """A name to lines."""

    def run(self, terms: list[t.Any], variables: t.Any = None, **kwargs: t.Any) -> list[t.Any]:
        self.set_options(var_options=variables, direct=kwargs)
        playbook = Path((variables or {}).get("playbook_dir") or ".")
        try:
            if len(terms) != 1 or not isinstance(terms[0], str):
                raise profile_model.ProfileProblem(f"Name one key or limit to explain, found {terms!r}.")
            library = profile_library.Library([playbook / folder for folder in ("profiles", *self.get_option("paths"))])
            profiles = library.load(library.places)
            topic = explain.topic_of(terms[0], profiles)
            if self.get_option("want") == "topic":
                return [{"kind": topic.kind, "name": topic.name}]
            texts = explain.Texts(library.shared_sources, library.quotes)
            return list(explain.explain(topic, profiles, texts, self.get_option("hosts"), self.get_option("width")))
        except profile_model.ProfileProblem as problem:
            # On its own: newer releases of ansible-core append what an error was raised from.
            raise AnsibleLookupError(str(problem)) from None

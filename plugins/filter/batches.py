# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The filter tunefleet.linux.batches."""

from __future__ import annotations

DOCUMENTATION = r"""
name: batches
author:
  - The tunefleet.linux authors (@tunefleet)
short_description: Read the sizes of batches as a person types them
version_added: 0.1.0
description:
  - Makes of V(1,10%,100%) the list that C(serial) of a play takes. The last size counts for all batches that follow.
  - Anything else than numbers of hosts and percentages is refused.
options:
  _input:
    description: A text with sizes and commas between them, one size, or a list of sizes. An empty text means all hosts at once.
    type: raw
    required: true
"""

EXAMPLES = r"""
---
- name: Sizes for serial
  ansible.builtin.debug:
    msg: "{{ '1,10%,100%' | tunefleet.linux.batches }}"
"""

RETURN = r"""
_value:
  description: The sizes.
  type: list
  elements: raw
  sample: [1, 10%, 100%]
"""

import re
import typing as t

from ansible.errors import AnsibleFilterError

_SIZE = re.compile(r"0*([1-9][0-9]*)(%?)")


def batches(sizes: t.Any) -> list[int | str]:
    """The sizes of batches, as ``serial`` takes them.

    :raises AnsibleFilterError: when they are none.
    """
    words = (
        sizes if isinstance(sizes, (list, tuple)) else [word for word in str(sizes).split(",") if str(sizes).strip()]
    )
    return [_size(str(word).strip()) for word in words]


def _size(word: str) -> int | str:
    found = _SIZE.fullmatch(word)
    if not found or (found[2] and int(found[1]) > 100):
        raise AnsibleFilterError(
            f"tune_batches: {word!r} is no size of a batch; name numbers of hosts above zero and percentages up to 100%, with commas "
            "between them, as in 1,10%,100%. No host was touched."
        )
    return found[1] + "%" if found[2] else int(found[1])


class FilterModule:
    """What this file offers to templates."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"batches": batches}

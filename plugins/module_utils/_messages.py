# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages as data, and the only place that renders them. Private: not for use outside of ``tunefleet.linux``.

Each package has a ``messages.py`` with its texts. A text with its fields filled in is a ``Message``: code compares ids and fields,
people read the string. Nothing slices, joins or searches a rendered message; what needs another form calls a function of this file.
"""

import typing as t


class Message(str):
    """A rendered message that keeps its data.

    ``id`` names the text, as in ``sysctl.out_of_range``; ``fields`` holds what is filled in; ``subject`` is the key or the limit that
    the message is about, empty where the text names it itself.
    """

    id = ""
    subject = ""
    fields: t.Mapping[str, t.Any] = {}

    def as_data(self) -> t.Dict[str, t.Any]:
        """The message for a result: ``id``, ``subject`` and ``text``."""
        return {"id": self.id, "subject": self.subject, "text": str(self)}


def _message(text: str, id_: str, subject: str, fields: t.Mapping[str, t.Any]) -> Message:
    found = Message(text)
    found.id, found.subject, found.fields = id_, subject, fields
    return found


class Text(t.NamedTuple):
    """A text of a ``messages.py``: its id, and its template with the names of its fields."""

    id: str
    template: str

    def __call__(self, **fields: t.Any) -> Message:
        return _message(self.template.format(**fields), self.id, "", fields)


def about(subject: str, message: str) -> Message:
    """A message with the entry that it is about in front, as one sentence on one line even when the name has several."""
    name = " ".join(subject.split())
    text = "{0}: {1}{2}".format(name, message, "" if message.endswith((".", "?")) else ".")
    return _message(text, getattr(message, "id", ""), name, getattr(message, "fields", {}))


def with_legal(message: str, legal: str) -> Message:
    """A message followed by what its key or item takes."""
    fields = dict(getattr(message, "fields", {}), legal=legal)
    text = "{0} (legal: {1}).".format(message, legal)
    return _message(text, getattr(message, "id", ""), getattr(message, "subject", ""), fields)


def refused(problems: t.Sequence[str]) -> str:
    """What a failed request says: each of its problems, and that nothing was written."""
    if len(problems) == 1:
        return problems[0] + " Nothing was written."
    return "{0} entries are refused, nothing was written:\n- {1}".format(len(problems), "\n- ".join(problems))

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

    ``id`` names the text, as in ``sysctl.out_of_range``. ``fields`` holds what is filled in. ``subject`` is the key or the limit that
    the message is about, empty where the text names it itself. ``detail`` is the message without its subject.
    """

    id = ""
    template = ""
    subject = ""
    detail = ""
    fields: t.Mapping[str, t.Any] = {}


class Text(t.NamedTuple):
    """A text of a ``messages.py``: its id, and its template with the names of its fields."""

    id: str
    template: str

    def __call__(self, **fields: t.Any) -> Message:
        return _render(self.id, self.template, "", fields)


def _render(id_: str, template: str, subject: str, fields: t.Mapping[str, t.Any]) -> Message:
    detail = template.format(**fields)
    if "legal" in fields and "{legal}" not in template:
        detail = "{0} (legal: {1}).".format(detail, fields["legal"])
    found = Message(detail)
    if subject:
        detail = detail if detail.endswith((".", "?")) else detail + "."
        found = Message("{0}: {1}".format(subject, detail))
    found.id, found.template, found.subject, found.detail, found.fields = id_, template, subject, detail, fields
    return found


def as_message(text: str) -> Message:
    """A message, or one without an id for a text that comes from elsewhere, such as strerror(3)."""
    return text if isinstance(text, Message) else _render("", text.replace("{", "{{").replace("}", "}}"), "", {})


def about(subject: str, text: str) -> Message:
    """A message with the entry that it is about in front, as one sentence on one line even when the name has several."""
    message = as_message(text)
    return _render(message.id, message.template, " ".join(subject.split()), message.fields)


def with_legal(text: str, legal: str) -> Message:
    """A message followed by what its key or item takes."""
    message = as_message(text)
    return _render(message.id, message.template, message.subject, dict(message.fields, legal=legal))


def mapped(message: Message, change: t.Callable[[t.Any], t.Any]) -> Message:
    """A message with each of its fields changed, such as without secrets."""
    fields = {name: change(value) for name, value in message.fields.items()}
    return _render(message.id, message.template, message.subject, fields)


def joined(sentences: t.Sequence[str]) -> str:
    """Several messages as one text; each ends as a sentence."""
    return " ".join(sentence if sentence.endswith((".", "?")) else sentence + "." for sentence in sentences)


def refused(problems: t.Sequence[str]) -> str:
    """What a failed request says: each of its problems, and that nothing was written."""
    if len(problems) == 1:
        return problems[0] + " Nothing was written."
    return "{0} entries are refused, nothing was written:\n- {1}".format(len(problems), "\n- ".join(problems))

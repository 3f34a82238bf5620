# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys whose values nobody but root may know: they are blotted out of everything that is reported. Pure; private to
``tunefleet.linux``.
"""

import re
import typing as t

from .. import _messages

MASK = "********"
# Whoever knows the first can open connections without a handshake in somebody else's name: RFC 7413, section 5.1; the kernel shows
# it to root alone. From the second the addresses of the host can be guessed: RFC 7217, section 7.
_NAMES = ("tcp_fastopen_key", "stable_secret")
_LINE = re.compile(r"((?:{0})[ \t]*=[ \t]*)\S[^\r\n]*".format("|".join(_NAMES)))
# What is shorter is no secret, and may be a part of anything.
_SHORTEST = 8


def is_secret(key: str) -> bool:
    """Whether the value of a key, in any spelling, is for root alone."""
    name = key.strip()
    return name.endswith(_NAMES) and re.split(r"[./]", name)[-1] in _NAMES


def secrets_in_options(settings: t.Optional[t.Mapping[str, t.Any]]) -> t.List[str]:
    """The secret texts in requested settings, as ``key: value`` or ``key: {value: ...}``."""
    found = []
    for key, setting in (settings or {}).items():
        if is_secret(str(key)):
            value = setting.get("value") if isinstance(setting, dict) else setting
            found.append(str(value))
    return _long(found)


def secrets_in_result(result: t.Mapping[str, t.Any]) -> t.List[str]:
    """The secret texts in a result."""
    found: t.List[str] = []
    for entry in result.get("settings", ()):
        if is_secret(entry["key"]):
            parts = [value for part in ("live", "file", "boot") for value in (entry.get(part) or {}).values()]
            found.extend(part for part in parts + [entry.get("wanted")] if isinstance(part, str) and "/" not in part)
    return _long(found)


def _long(texts: t.Iterable[str]) -> t.List[str]:
    # The longest first, for one may be a part of another.
    return sorted({text for text in texts if len(text) >= _SHORTEST and " " not in text}, key=len, reverse=True)


def redact(value: t.Any, secrets: t.Sequence[str]) -> t.Any:
    """A result, or a part of it, without secrets: neither these texts, nor what a line of a file gives such a key."""
    # A result has many texts, and hardly ever one with such a name. In all of them at once that is soon seen.
    whole = "" if secrets else repr(value)
    return _redact(value, secrets) if secrets or any(name in whole for name in _NAMES) else value


def _redact(value: t.Any, secrets: t.Sequence[str]) -> t.Any:
    if isinstance(value, _messages.Message) and value.id:
        return _messages.mapped(value, lambda field: _redact(field, secrets))
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return _LINE.sub(r"\g<1>" + MASK, value)
    if isinstance(value, dict):
        return {key: _redact(item, secrets) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redact(entry, secrets) for entry in value]
    return value

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Messages of this package: what a user reads. Private to ``tunefleet.linux``."""

from .. import _messages

NO_EFFECT = _messages.Text("sysctl.no_effect", "the kernel accepts and ignores it since {release}{note}")
REMOVED = _messages.Text("sysctl.removed", "removed in {release}{note}")
NOT_NAMESPACED = _messages.Text(
    "sysctl.not_namespaced",
    "belongs to the host; this network namespace or container does not have it",
)
PATTERN_WITHOUT_MATCH = _messages.Text("sysctl.pattern_without_match", "no key on this kernel matches the pattern")
NO_INTERFACE = _messages.Text("sysctl.no_interface", "this host has no network interface {interface}")
NEEDS_MODULE = _messages.Text("sysctl.needs_module", "appears when the kernel module {module} is loaded")
TOO_NEW = _messages.Text("sysctl.too_new", "needs {since} or newer; this kernel is {release}")
NOT_BUILT_IN = _messages.Text("sysctl.not_built_in", "this build of {release} does not have it")
UNKNOWN_KEY = _messages.Text("sysctl.unknown_key", "no such key on this kernel{suggestion}")
NOT_WRITABLE_IN_NAMESPACE = _messages.Text(
    "sysctl.not_writable_in_namespace",
    "belongs to the host; this network namespace or container can only read it",
)
NOT_MODELLED = _messages.Text(
    "sysctl.not_modelled",
    "{where} spells the key {key!r} with '..', '.' or an empty segment; its effect at boot is not modelled. Write the key "
    "as in net.core.somaxconn.",
)
READ_ONLY = _messages.Text("sysctl.read_only", "/proc/sys is read-only here, as in many containers")
OVERRIDDEN_AT_BOOT = _messages.Text(
    "sysctl.overridden_at_boot",
    "{winner} takes precedence over {path}; the effective value after boot is {value}",
)
OVERRIDDEN_BY_PROGRAM = _messages.Text(
    "sysctl.overridden_by_program",
    "{winner} takes precedence over {path} if {program} reads the files at boot; the effective value after boot is "
    "then {value}",
)
NOT_READ_AT_BOOT = _messages.Text(
    "sysctl.not_read_at_boot",
    "{program} does not read {path} at boot, so the entry has no effect",
)
REJECTED_AT_BOOT = _messages.Text("sysctl.rejected_at_boot", "the kernel rejects the entry at {where} at boot")
EXCLUDED_AT_BOOT = _messages.Text(
    "sysctl.excluded_at_boot",
    "{where} takes precedence over {path}, so the entry has no effect at boot",
)
READER_UNKNOWN = _messages.Text(
    "sysctl.reader_unknown",
    "the program that reads the files at boot is unknown, and the effective value after boot depends on it: "
    "{alternatives}",
)
BOOT_ALTERNATIVE = _messages.Text("sysctl.boot_alternative", "{reader} sets {value} ({winner})")
DRIFT = _messages.Text("sysctl.drift", "the live value {live} differs from the effective value after boot, {boot}")
KEY_WITH_WHITE_SPACE = _messages.Text(
    "sysctl.key_with_white_space",
    "The key {key!r} contains white space or a control character; write one key, as in net.core.somaxconn.",
)
KEY_WITH_EMPTY_SEGMENT = _messages.Text(
    "sysctl.key_with_empty_segment",
    "The key {key!r} has an empty segment; write it as in net.core.somaxconn.",
)
KEY_OUTSIDE_PROC_SYS = _messages.Text(
    "sysctl.key_outside_proc_sys",
    "The key {key!r} leads outside /proc/sys; write it as in net.core.somaxconn.",
)
KEY_WITH_SPECIAL_CHARACTER = _messages.Text(
    "sysctl.key_with_special_character",
    "The key {key!r} contains a character that is special in sysctl.d(5): '=', or a leading '#', ';' or '-'.",
)
KEY_WITHOUT_DIRECTORY = _messages.Text(
    "sysctl.key_without_directory",
    "The key {key!r} is one word; a key names its directory too, as in net.core.somaxconn.",
)
KEY_NOT_TEXT = _messages.Text("sysctl.key_not_text", "The key {key!r} is not text; write it as in net.core.somaxconn.")
KEY_IS_A_PATTERN = _messages.Text("sysctl.key_is_a_pattern", "The key {key!r} is a pattern; name each key here.")
NOT_ORDERED = _messages.Text("sysctl.not_ordered", "{operator} compares numbers, and this key does not hold numbers")
ACTION_WITH_PERSIST = _messages.Text(
    "sysctl.action_with_persist",
    "a write to this key triggers an action and leaves no value to keep; set persist to false",
)
LIVE_SATISFIES = _messages.Text("sysctl.live_satisfies", "the live value {value} satisfies it")
BOOT_SATISFIES = _messages.Text("sysctl.boot_satisfies", "the effective value after boot, {value}, satisfies it")
ENTRY_MOVED = _messages.Text(
    "sysctl.entry_moved",
    "its entry moves after the keys that it depends on; the kernel would reject it earlier at boot",
)
EXCLUSIVE_KEYS = _messages.Text(
    "sysctl.exclusive_keys",
    "{key} and {other} exclude each other: a write to one sets the other to 0. Keep one.",
)
ALIASED_KEYS = _messages.Text(
    "sysctl.aliased_keys",
    "{key} and {other} are two names of one value, and different values are requested. Keep one.",
)
LINE_NOT_UTF8 = _messages.Text("sysctl.line_not_utf8", "{path} line {line} is not UTF-8; it is kept byte for byte.")
VALUE_MISSING = _messages.Text("sysctl.value_missing", "the value is missing")
OPERATOR_TAKES_NUMBER = _messages.Text("sysctl.operator_takes_number", "{operator} takes a number; found {found!r}")
REQUESTED_TWICE = _messages.Text(
    "sysctl.requested_twice",
    "{key} is requested twice, as {first} and as {second}; keep one.",
)
PATTERNS_CONTRADICT = _messages.Text(
    "sysctl.patterns_contradict",
    "two patterns match {key} and request {first!r} and {second!r}; name the key itself.",
)
ITEM_NOT_AN_INTEGER = _messages.Text("sysctl.item_not_an_integer", "{item!r} in the list {found!r} is not an integer")
ITEM_WITH_LINE_BREAK = _messages.Text(
    "sysctl.item_with_line_break",
    "{item!r} in the list {found!r} contains a line break or a NUL byte",
)
NOT_AN_INTEGER = _messages.Text("sysctl.not_an_integer", "{found!r} is not an integer")
NOT_A_VALUE = _messages.Text("sysctl.not_a_value", "{found!r} is not a number, not text and not a list of numbers")
TOO_MANY_CHARACTERS = _messages.Text(
    "sysctl.too_many_characters",
    "{found!r} has {length} characters; the kernel reads at most {limit}",
)
LEADING_ZERO = _messages.Text(
    "sysctl.leading_zero",
    "{found!r} has a leading zero, which the kernel reads as octal; write the decimal number",
)
OUT_OF_RANGE = _messages.Text("sysctl.out_of_range", "{found} is outside the {kind} {range}")
WRONG_LENGTH = _messages.Text(
    "sysctl.wrong_length",
    "{found!r} has {count} number{plural}; the key takes {expected}, and the kernel would write any other list in part",
)
NOT_A_PORT_LIST = _messages.Text(
    "sysctl.not_a_port_list",
    "{found!r} is not a list of {kind}; write {kind} and ranges from 0 to {highest}, with commas and without "
    "spaces, as in {example}",
)
PORT_LIST_TOO_LONG = _messages.Text(
    "sysctl.port_list_too_long",
    "the list has {length} bytes even with its ranges merged; the kernel takes less than {limit} in a write",
)
LINE_BREAK = _messages.Text("sysctl.line_break", "{found!r} contains a line break or a NUL byte")
TEXT_TOO_LONG = _messages.Text(
    "sysctl.text_too_long",
    "{found!r}... has {length} characters; the kernel takes less than {limit} bytes in a write",
)
WRONG_FORM = _messages.Text("sysctl.wrong_form", "{found!r} does not have the form that the key takes")

# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values of sysctl keys: what a text means to the kernel. Private: not for use outside of ``tunefleet.linux``.

A value travels as text in one normal form (decimal numbers, single blanks); this file alone knows how to make that form,
whether two texts mean the same, and which of two is larger. How the kernel reads numbers: kernel/sysctl.c, strtoul_lenient
(base 0: ``0x`` is hexadecimal, a leading zero is octal).
"""

import re
import typing as t

from .. import _errors
from .._core import bound as bounds
from .._core import shape as shapes
from . import messages

_C_INTEGER = re.compile(r"^-?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$")
ONE_NUMBER = re.compile(r"(0|[1-9][0-9]*)\Z")  # in its normal form already
_OCTAL = re.compile(r"^-?0[0-9]+$")
# systemd-sysctl ends a line at each of these (read_line_full() in src/basic/fileio.c), and what is behind would be another entry.
_LINE_BREAK = re.compile(r"[\n\r\0]")
_PORTS = re.compile(r"^(0|[1-9][0-9]{0,4})(-(0|[1-9][0-9]{0,4}))?$")
LAST_PORT = 65535
_LONGEST = 20  # characters of one number; the kernel refuses more (kernel/sysctl.c, proc_get_long)
# A write of more than a page is taken in part (fs/proc/proc_sysctl.c, proc_do_large_bitmap), and the smallest page is this.
_PAGE = 4096
# As ansible.module_utils.parsing.convert_bool reads a word, which is what ansible.posix.sysctl does to every value.
_TRUE = frozenset(["yes", "on", "true", "y", "t", "1.0"])
_FALSE = frozenset(["no", "off", "false", "n", "f", "0.0"])

_ANY_TEXT = shapes.Shape(shapes.TEXT)
_ANY_INTEGER = shapes.Shape(shapes.INTEGERS, 1)


def c_integer(word: str) -> t.Optional[int]:
    """The number that the kernel reads from a word, or None when it is none."""
    if len(word) > _LONGEST or not _C_INTEGER.match(word):
        return None
    digits = word.lstrip("-")
    base = 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10
    number = int(digits, base)
    return -number if word[0] == "-" else number


def _integers(text: str) -> t.Optional[t.Tuple[int, ...]]:
    numbers = tuple([c_integer(word) for word in text.split()])
    if not numbers or None in numbers:
        return None
    return t.cast(t.Tuple[int, ...], numbers)


def infer_shape(text: str) -> shapes.Shape:
    """The shape of a key that the catalog does not know, from a value that it has."""
    if len(text) <= _LONGEST and ONE_NUMBER.match(text):
        return _ANY_INTEGER
    numbers = _integers(text)
    return _ANY_TEXT if numbers is None else shapes.Shape(shapes.INTEGERS, len(numbers))


def infer_shape_from_request(raw: t.Any, is_text: bool) -> shapes.Shape:
    """The shape of a key that shows nothing of itself, from the requested value.

    :param is_text: whether the key is there and empty. Where it is not there a word for a switch is taken for one, because
        nearly every key takes numbers, and ansible.posix.sysctl does so with all of them.
    """
    text = str(raw).strip()
    return _ANY_INTEGER if not is_text and text.lower() in _TRUE | _FALSE else infer_shape(text)


def _words(raw: shapes.Raw, shape: shapes.Shape) -> t.List[str]:
    if isinstance(raw, bool):
        return ["1" if raw else "0"]
    if isinstance(raw, (list, tuple)):
        for item in raw:
            if isinstance(item, (bool, float)) or not isinstance(item, (int, str)):
                raise _errors.ValueProblem(messages.ITEM_NOT_AN_INTEGER(item=item, found=list(raw)))
            if "\0" in str(item):
                raise _errors.ValueProblem(messages.ITEM_WITH_LINE_BREAK(item=item, found=list(raw)))
        separator = "," if shape.kind == shapes.PORTS else " "
        return separator.join(str(item) for item in raw).split()
    if isinstance(raw, float) and not raw.is_integer():
        raise _errors.ValueProblem(messages.NOT_AN_INTEGER(found=raw))
    if isinstance(raw, float):
        return [str(int(raw))]
    if not isinstance(raw, (str, int)):
        raise _errors.ValueProblem(messages.NOT_A_VALUE(found=raw))
    return str(raw).split()


def _checked_integer(word: str, shape: shapes.Shape) -> int:
    if len(word) > _LONGEST:
        raise _errors.ValueProblem(messages.TOO_MANY_CHARACTERS(found=word, length=len(word), limit=_LONGEST))
    number = int(word) if ONE_NUMBER.match(word) else c_integer(word)
    if _OCTAL.match(word) and number != int(word):
        raise _errors.ValueProblem(messages.LEADING_ZERO(found=word))
    if number is None:
        raise _errors.ValueProblem(messages.NOT_AN_INTEGER(found=word))
    if (shape.low is not None and number < shape.low) or (shape.high is not None and number > shape.high):
        raise _errors.ValueProblem(
            messages.OUT_OF_RANGE(
                found=number, kind="kernel's range" if shape.enforced else "sane range", range=span(shape)
            )
        )
    return number


def span(shape: shapes.Shape) -> str:
    """The legal range as a person reads it: ``0 .. 255``, or nothing where there is none."""
    if shape.low is None and shape.high is None:
        return ""
    if shape.high is None:
        return "{0} or more".format(shape.low)
    return "{0} .. {1}".format("" if shape.low is None else shape.low, shape.high).strip()


def _parse_integers(words: t.List[str], shape: shapes.Shape) -> str:
    if len(words) == 1 and words[0].lower() in _TRUE:
        words = ["1"]
    elif len(words) == 1 and words[0].lower() in _FALSE:
        words = ["0"]
    try:
        numbers = [_checked_integer(word, shape) for word in words]
    except _errors.ValueProblem as problem:
        if len(words) == 1:
            raise
        raise _errors.ValueProblem("{0!r}: {1}".format(" ".join(words), problem))
    if shape.length is not None and len(numbers) != shape.length:
        raise _errors.ValueProblem(
            messages.WRONG_LENGTH(
                found=" ".join(words),
                count=len(numbers),
                plural="" if len(numbers) == 1 else "s",
                expected=shape.length,
            )
        )
    _check_order(numbers, shape)
    return " ".join(str(number) for number in numbers)


def _check_order(numbers: t.Sequence[int], shape: shapes.Shape) -> None:
    for number, following in zip(numbers, numbers[1:]):
        if (shape.ascending or shape.interval) and number > following:
            rule = "the last one is below the first" if shape.interval else "each has to be at least the one before it"
            raise _errors.ValueProblem("{0!r}: {1}".format(" ".join(map(str, numbers)), rule))


def port_set(text: str) -> t.Optional[t.FrozenSet[int]]:
    """The set of ports in ``8080,9000-9010``; hexadecimal is left out, for nobody writes ports so."""
    ports: t.Set[int] = set()
    for piece in text.split(",") if text else []:
        if not _PORTS.match(piece):
            return None
        first, _dash, last = piece.partition("-")
        if int(last or first) < int(first) or int(last or first) > LAST_PORT:
            return None
        ports.update(range(int(first), int(last or first) + 1))
    return frozenset(ports)


def _parse_ports(words: t.List[str], shape: shapes.Shape) -> str:
    """One spelling of a port list, the kernel's own: sorted, neighbours merged (proc_do_large_bitmap)."""
    ports = port_set(",".join(words).replace(",,", ","))
    highest = LAST_PORT if shape.high is None else shape.high
    if ports is None or max(ports or [0]) > highest:
        what, example = ("ports", "8080,9000-9010") if shape.high is None else ("numbers", "0,2-5")
        raise _errors.ValueProblem(
            messages.NOT_A_PORT_LIST(found=" ".join(words), kind=what, highest=highest, example=example)
        )
    text = ports_text(ports)
    if len(text) >= _PAGE - 1:
        raise _errors.ValueProblem(messages.PORT_LIST_TOO_LONG(length=len(text), limit=_PAGE))
    return text


def ports_text(ports: t.Iterable[int]) -> str:
    """A set of ports as the kernel shows it."""
    pieces: t.List[t.List[int]] = []
    for port in sorted(ports):
        if pieces and pieces[-1][1] == port - 1:
            pieces[-1][1] = port
        else:
            pieces.append([port, port])
    return ",".join(str(a) if a == b else "{0}-{1}".format(a, b) for a, b in pieces)


def parse(raw: shapes.Raw, shape: shapes.Shape) -> str:
    """The normal text of a requested value.

    :param raw: number, text, list of numbers, or boolean.
    :param shape: what the key takes.
    :raises ValueProblem: when the value cannot be meant for this key; the text is a half sentence about the value.
    """
    if isinstance(raw, str) and _LINE_BREAK.search(raw.strip()):
        raise _errors.ValueProblem(messages.LINE_BREAK(found=raw))
    text = _parse(raw, shape)
    if len(text) >= _PAGE // 4 and len(text.encode("utf-8", "surrogateescape")) >= _PAGE - 1:
        raise _errors.ValueProblem(messages.TEXT_TOO_LONG(found=text[:20], length=len(text), limit=_PAGE))
    if shape.canonicalize is None:
        return text
    spelled = shape.canonicalize(text)
    if spelled is None:
        raise _errors.ValueProblem(messages.WRONG_FORM(found=text))
    return spelled


def _parse(raw: shapes.Raw, shape: shapes.Shape) -> str:
    if shape.kind == shapes.TEXT and isinstance(raw, str):
        return raw.strip()
    words = _words(raw, shape)
    if shape.kind == shapes.INTEGERS:
        if not words:
            raise _errors.ValueProblem("value cannot be blank")
        return _parse_integers(words, shape)
    if shape.kind == shapes.PORTS:
        return _parse_ports(words, shape)
    return " ".join(words)


def normalize(text: str, shape: shapes.Shape) -> str:
    """The normal text of a value that was read from the kernel or from a file; odd ones come back as they are."""
    if shape.canonicalize is not None:
        text = shape.canonicalize(" ".join(text.split())) or text
    if shape.kind == shapes.TEXT:
        return text.strip()
    if shape.kind == shapes.INTEGERS:
        if ONE_NUMBER.match(text):
            return text
        numbers = _integers(text)
        if numbers is not None:
            return " ".join(str(number) for number in numbers)
    return " ".join(text.split())


def equivalent(entry: t.Optional[str], other: t.Optional[str], shape: shapes.Shape) -> bool:
    """Whether two texts mean the same value; an absent one (None) equals nothing but another absent one."""
    if entry is None or other is None or entry == other:
        return entry == other
    if shape.kind == shapes.PORTS:
        left, right = port_set(entry), port_set(other)
        return left is not None and left == right
    if shape.kind == shapes.WORDS:
        return set(entry.split()) == set(other.split())
    return normalize(entry, shape) == normalize(other, shape)


def matches_rounded(have: t.Optional[str], desired: t.Optional[str], shape: shapes.Shape) -> bool:
    """Whether a live text is what the kernel makes of a desired: the same value, or the one that it rounds it to."""
    if equivalent(have, desired, shape):
        return True
    pairs = None if have is None or desired is None or shape.rounds_to is None else _pairs(have, desired)
    return pairs is not None and shape.rounds_to is not None and all(a in shape.rounds_to(b) for a, b in pairs)


def _pairs(entry: str, other: str) -> t.Optional[t.List[t.Tuple[int, int]]]:
    left, right = _integers(entry), _integers(other)
    if left is None or right is None or len(left) != len(right):
        return None
    return list(zip(left, right))


def _turned(numbers: t.Sequence[int], shape: shapes.Shape) -> t.List[int]:
    """Numbers turned so that more is larger, and back again: a range is the larger, the lower it begins."""
    return [-numbers[0]] + list(numbers[1:]) if shape.interval else list(numbers)


def _compared(have: t.Optional[str], desired: str, shape: shapes.Shape) -> t.Optional[t.List[t.Tuple[int, int]]]:
    pairs = None if have is None else _pairs(have, desired)
    if pairs is None:
        return None
    return list(zip(_turned([a for a, _b in pairs], shape), _turned([b for _a, b in pairs], shape)))


def _port_sets(have: t.Optional[str], desired: str) -> t.Optional[t.Tuple[t.FrozenSet[int], t.FrozenSet[int]]]:
    mine, wanted = None if have is None else port_set(have), port_set(desired)
    return None if mine is None or wanted is None else (mine, wanted)


def _element_wise(choose: t.Callable[[int, int], int], have: t.Optional[str], desired: str, shape: shapes.Shape) -> str:
    pairs = _compared(have, desired, shape)
    if pairs is None:
        return desired
    return " ".join(str(number) for number in _turned([choose(a, b) for a, b in pairs], shape))


def satisfies(operator: str, have: t.Optional[str], desired: str, shape: shapes.Shape) -> bool:
    """Whether ``have`` satisfies ``operator desired``: each number, the whole range, every port. Values that cannot be compared do not."""
    if operator == bounds.VALUE:
        return equivalent(have, desired, shape)
    pairs: t.Optional[t.Iterable[t.Tuple[t.Any, t.Any]]]
    if shape.kind == shapes.PORTS:
        sets = _port_sets(have, desired)
        pairs = None if sets is None else [sets]
    else:
        pairs = _compared(have, desired, shape)
    if pairs is None:
        return False
    return all(a >= b if operator == bounds.AT_LEAST else a <= b for a, b in pairs)


def stricter(operator: str, have: t.Optional[str], desired: str, shape: shapes.Shape) -> str:
    """The value nearest to ``have`` that satisfies ``operator desired``; the desired value if they cannot be compared.

    ``at_least`` takes the larger of each pair of numbers, the range around both, or all ports; ``at_most`` the opposite.
    """
    if operator == bounds.VALUE:
        return desired
    if shape.kind == shapes.PORTS:
        sets = _port_sets(have, desired)
        if sets is None:
            return desired
        return ports_text(sets[0] | sets[1] if operator == bounds.AT_LEAST else sets[0] & sets[1])
    return _element_wise(max if operator == bounds.AT_LEAST else min, have, desired, shape)

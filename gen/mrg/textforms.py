"""The registry of presentation forms: `text FORM [(args)]`.

The front end asks `arity_problem` and `misfit`; the back ends look a form up
in `FORMS` for what it needs to know.  A form is a pair of functions, one from
tokens to wire bytes and one back; both live in gen/support/mrg_text.{h,c}.

A *token* is a run of characters without blanks, or a quoted string.  Forms
marked `tail` take every token up to the end of the record when their field is
the last one in presentation order, and one token otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Union

from . import ir

#: Kinds of things that a form can be put on.
KINDS = ("int", "enum", "bytes", "list", "switch", "chain", "sub", "packet")


@dataclass(frozen=True)
class Form:
    """One presentation form.

    args: kinds of arguments, in order: "enum" (an ir.Enum), "int", "name".
    fits: kinds (see KINDS) that it may be put on.
    bits: widths that an integer must have; empty: any.
    size: bytes that a byte field must always have; None: any.
    tail: takes the tokens up to the end of the record when last.
    partial: bytes that were accepted may have no such form.
    """

    name: str
    fits: tuple[str, ...]
    doc: str
    args: tuple[str, ...] = ()
    bits: tuple[int, ...] = ()
    size: Optional[int] = None
    tail: bool = False
    partial: bool = False


_LIST = [
    Form("dec", ("int", "enum"), "decimal number; of an enum: printed as a number, read as a number or a mnemonic"),
    Form("hex", ("bytes", "int"), "base 16, either case read, upper case printed", tail=True),
    Form("hex1", ("bytes",), 'base 16 in one token, "-" when empty (NSEC3 salt, RFC 5155 3.3)'),
    Form("base64", ("bytes",), "base 64 with padding (RFC 4648 section 4)", tail=True),
    Form("base32hex", ("bytes",), "base 32 with the extended hex alphabet, no padding, one token (RFC 5155 3.3)"),
    Form("string", ("bytes",), "character string with \\X and \\DDD escapes, printed quoted (RFC 1035 5.1)"),
    Form("word", ("bytes",), "like string, printed without quotes where that reads back the same (CAA tag, RFC 8659 4.1.1)"),
    Form("strings", ("list",), "the list's elements, one or more, up to the end of the record (TXT)", tail=True),
    Form("ip4", ("bytes", "int"), "dotted quad", bits=(32,), size=4),
    Form("ip6", ("bytes",), "IPv6 address, printed as RFC 5952 says", size=16),
    Form("eui48", ("bytes", "int"), "six pairs of hex digits joined by - (RFC 7043 3.2)", bits=(48,), size=6),
    Form("eui64", ("bytes", "int"), "eight pairs of hex digits joined by - (RFC 7043 4.2)", bits=(64,), size=8),
    Form("locator", ("bytes", "int"), "four groups of four hex digits joined by : (RFC 6742 2.1.2)", bits=(64,), size=8),
    Form("ttl", ("int",), "seconds, read with the units w d h m s too (1h30m), printed as a number", bits=(32,)),
    Form("time", ("int",), "YYYYMMDDHHmmSS or seconds since 1970 modulo 2^32 (RFC 4034 3.2)", bits=(32,)),
    Form("dotted", ("chain",), "domain name: labels joined by dots, \\X and \\DDD, relative to the origin, @ (RFC 1035 5.1)"),
    Form("mnemonic", ("enum",), "name of the enum's member, or the enum's `unknown` prefix and the number"),
    Form("windows", ("bytes", "list", "sub", "packet"), "set of members of an enum as window bitmaps (RFC 4034 4.1.2)", args=("enum",), tail=True),
    Form("params", ("list",), "key=value pairs from a list of { key, size, switch on key } (RFC 9460 2.1)", tail=True),
    Form("apl", ("sub", "packet"), "[!]family:address/prefix (RFC 3123 section 5)", partial=True),
    Form("loc", ("sub", "packet"), "position on Earth: degrees, altitude, precision (RFC 1876 section 3)", partial=True),
    Form("gateway", ("switch",), 'the arm\'s own form, "." for an arm that takes no bytes (RFC 4025 3.1)'),
    Form("none", ("int", "enum", "bytes"), "not in the text; read back as the smallest value allowed"),
    Form(
        "extern", ("int", "enum", "bytes", "list", "switch", "sub", "packet"), "two functions of the user's: NAME_get and NAME_put",
        args=("name",), partial=True,
    ),  # fmt: skip
]

FORMS: dict[str, Form] = {f.name: f for f in _LIST}


def arity_problem(name: str, given: list[str]) -> Optional[str]:
    """What is wrong with arguments of kinds `given` for form `name`, in words."""
    form = FORMS[name]
    if len(given) != len(form.args):
        want = "no argument" if not form.args else f"{len(form.args)} argument" + ("s" if len(form.args) > 1 else "")
        return f"text form '{name}' takes {want}, not {len(given)}"
    for want, have in zip(form.args, given):
        if want != have:
            return f"text form '{name}' takes {_ARG[want]}, not {_ARG.get(have, have)}"
    return None


_ARG = {"enum": "the name of an enum", "int": "a number", "name": "a name"}


def kind_of(what: Union[ir.Item, ir.Packet]) -> str:
    """Kind of an item or packet, from KINDS; "" for what has no text."""
    if isinstance(what, ir.Region):
        return kind_of(what.item)
    if isinstance(what, ir.Scalar):
        return "enum" if what.enum is not None else "int"
    table: list[tuple[type, str]] = [
        (ir.Varint, "int"),
        (ir.Bytes, "bytes"),
        (ir.List, "list"),
        (ir.Switch, "switch"),
        (ir.Chain, "chain"),
        (ir.Sub, "sub"),
        (ir.Packet, "packet"),
    ]
    for cls, kind in table:
        if isinstance(what, cls):
            return kind
    return ""


def misfit(name: str, what: Union[ir.Item, ir.Packet]) -> Optional[str]:
    """Why form `name` can't be put on `what`, in words; None when it can."""
    form = FORMS[name]
    if isinstance(what, ir.Region):
        what = what.item
    kind = kind_of(what)
    if kind not in form.fits:
        return f"text form '{name}' is for {_either(form.fits)}, not for {_A.get(kind, 'this')}"
    if isinstance(what, ir.Scalar) and form.bits and what.bits not in form.bits:
        return f"text form '{name}' is for integers of {form.bits[0]} bits, not {what.bits}"
    if isinstance(what, ir.Bytes) and form.size is not None and _fixed(what) != form.size:
        return f"text form '{name}' is for exactly {form.size} bytes"
    return None


_A = {
    "int": "an integer",
    "enum": "an enum",
    "bytes": "bytes",
    "list": "a list",
    "switch": "a switch",
    "chain": "a chain",
    "sub": "a packet",
    "packet": "a packet",
}


def _either(kinds: tuple[str, ...]) -> str:
    words = list(dict.fromkeys(_A[k] for k in kinds))
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _fixed(item: ir.Bytes) -> Optional[int]:
    if item.mode == "len" and isinstance(item.length, ir.Const):
        return item.length.value
    return None

"""The single mapping from names in a specification to names in C."""

from __future__ import annotations

import re

from . import ir, ir_machine

_KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if "
    "inline int long register restrict return short signed sizeof static struct switch typedef "
    "union unsigned void volatile while bool true false".split()
)
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """'Nsec3Param' -> 'nsec3_param', 'TCPHeader' -> 'tcp_header'."""
    return _BOUNDARY.sub("_", name).lower()


def proto(module: ir.Module) -> str:
    """The protocol a module belongs to: its first component, after `iana`."""
    first, *more = module.name.split(".")
    return more[0] if first == "iana" and more else first


def prefix(module: ir.Module) -> str:
    return f"mrg_{proto(module)}"


def packet(p: ir.Packet) -> str:
    return f"{prefix(p.module)}_{snake(p.name)}"


def grammar(g: ir.Grammar) -> str:
    return f"{prefix(g.module)}_{snake(g.name)}"


def machine(x: ir_machine.Machine) -> str:
    return f"{prefix(x.module)}_{snake(x.name)}"


def enum(e: ir.Enum) -> str:
    return f"{prefix(e.module)}_{snake(e.name)}"


def member(e: ir.Enum, m: ir.Member) -> str:
    return f"{enum(e)}_{m.name}".upper()


def const(c: ir.ConstDecl) -> str:
    return f"{prefix(c.module)}_{c.name}".upper()


def extern(e: ir.Extern) -> str:
    return f"{prefix(e.module)}_{snake(e.name)}"


def local(name: str) -> str:
    """A name for a variable or a struct member."""
    return name + "_" if name in _KEYWORDS else name


# what generated functions call their own variables and views their own members
_OWN = frozenset(
    "a at b big bits build cap count crc end env first found from head hole i in it item item_len jumps key left len "
    "lim msg_run n near next next_key out p pad part q r refs rest rj run s seen shift site size st start sum tag target to total unread value v w "
    "why zero".split()
)


def value(name: str) -> str:
    """The local that holds a field's value while its packet is read."""
    return local(name) + "_" if name in _OWN else local(name)


def param(name: str) -> str:
    """A packet parameter: in signatures and as a member of views and iterators."""
    return local(name) + "_" if name in _OWN else local(name)


def header(m: ir.Module) -> str:
    """'dns.rr' -> 'dns/rr.h'"""
    return m.name.replace(".", "/") + ".h"


def source(m: ir.Module) -> str:
    return m.name.replace(".", "/") + ".c"


def guard(path: str) -> str:
    return "MRG_GEN_" + re.sub(r"[^A-Za-z0-9]", "_", path).upper()


def c_string(text: str) -> str:
    out = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return '"' + out.replace("??", "?\\?") + '"'


def c_comment(text: str) -> str:
    """Text that can stand inside a comment."""
    return text.replace("*/", "* /").replace("/*", "/ *")


def uint_type(bits: int) -> str:
    for size in (8, 16, 32, 64):
        if bits <= size:
            return f"uint{size}_t"
    raise ValueError(f"no integer of {bits} bits")


def int_type(bits: int, signed: bool) -> str:
    return uint_type(bits)[1:] if signed else uint_type(bits)

"""`mrg json`: the IR as JSON, for other programs.

Every object has "kind", the name of its class in ir.py.  Where the IR refers
to a declaration (a packet, an enum, a parameter, an earlier item) the JSON has
its name, so that the output is a tree.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any, Sequence

from . import ir, ir_machine

#: Fields that refer to something declared elsewhere.
_REFERENCES = {
    "module", "packet", "enum", "param", "buffer", "extern", "spec", "imports", "path", "unique", "ascending",
}  # fmt: skip
_OF_MACHINES = {
    (ir_machine.Transition, "to"),
    (ir_machine.Transition, "event"),
    (ir_machine.Do, "target"),
    (ir_machine.Deed, "of"),
    (ir_machine.TestOf, "test"),
    (ir_machine.Never, "states"),
}
_NAMED_ITEMS = {(ir.SizeOf, "item"), (ir.CountOf, "item"), (ir.Sum, "first"), (ir.Sum, "last"), *_OF_MACHINES}


def dump(modules: Sequence[ir.Module]) -> str:
    return json.dumps([value(m) for m in modules], indent=1, ensure_ascii=False) + "\n"


def value(x: Any) -> Any:
    """A part of the IR as JSON has it."""
    if isinstance(x, (str, int, bool)) or x is None:
        return x
    if isinstance(x, bytes):
        return x.hex()
    if isinstance(x, (list, tuple)):
        return [value(v) for v in x]
    if isinstance(x, dict):
        return {name: value(v) for name, v in x.items()}
    if isinstance(x, ir.Loc):
        return f"{x.file}:{x.line}:{x.col}"
    if is_dataclass(x):
        return _object(x)
    raise TypeError(f"{type(x).__name__} has no JSON form")


def _object(x: Any) -> dict[str, Any]:
    out: dict[str, Any] = {"kind": type(x).__name__.rstrip("_").lower()}
    for f in fields(x):
        part = getattr(x, f.name)
        if f.name in _REFERENCES and not isinstance(part, str) or (type(x), f.name) in _NAMED_ITEMS:
            out[f.name] = _name(part)
        elif isinstance(x, ir.TextForm) and f.name == "args":
            out[f.name] = [v.name if isinstance(v, ir.Enum) else v for v in part]
        else:
            out[f.name] = value(part)
    return out


def _name(value: Any) -> Any:
    """The name of something that is written out elsewhere."""
    if value is None:
        return None
    if isinstance(value, (list, tuple)):
        return [_name(v) for v in value]
    return value.name

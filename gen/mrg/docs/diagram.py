"""`mrg diagram`: packets drawn in characters, grammars as ABNF, machines as graphs for `dot`."""

from __future__ import annotations

from typing import Optional

from .. import ast, ir, layout
from ..errors import meant
from ..resolve import Unit
from . import abnf, bits_text, dot


class Unknown(Exception):
    """There is nothing of that name."""


def diagram(module: ir.Module, unit: Unit, name: Optional[str]) -> str:
    """All packets, grammars and machines of a module, or those that a name means: a packet with what is written in place in
    it, a grammar, or a rule, which may have its grammar's name and a dot before it, a machine."""
    packets = sorted(module.packets, key=lambda p: (p.loc.line, p.loc.col))
    grammars = [d for d in unit.file.decls if isinstance(d, ast.GrammarDecl)]
    machines = [d for d in unit.file.decls if isinstance(d, ast.MachineDecl)]
    if name is None:
        return "\n".join([*map(_packet, packets), *(_grammar(d) for d in grammars), *map(dot.draw, machines)])
    found = [p for p in packets if p.name == name]
    if found:
        parts = {id(p) for p in layout.contained(found[0]) if p is found[0] or p.inline}
        return "\n".join(_packet(p) for p in packets if id(p) in parts)
    for d in grammars:
        if d.name.name == name:
            return _grammar(d)
    for machine in machines:
        if machine.name.name == name:
            return dot.draw(machine)
    for d, rule in ((d, r) for d in grammars for r in d.rules):
        if name in (rule.name.name, f"{d.name.name}.{rule.name.name}"):
            return abnf.text(abnf.grammar(d)[rule.name.name])
    names = [p.name for p in packets] + [d.name.name for d in [*grammars, *machines]] + [r.name.name for d in grammars for r in d.rules]
    raise Unknown(f"module '{module.name}' has no packet, grammar, rule or machine '{name}'{meant(name, names)}")


def _packet(p: ir.Packet) -> str:
    return f"{p.name}\n\n{bits_text.draw(p)}"


def _grammar(d: ast.GrammarDecl) -> str:
    rules = abnf.grammar(d)
    widest = max(len(x.name) for some in rules.values() for x in some)
    return f"; {d.name.name}\n\n" + "".join(abnf.text(some, widest) for some in rules.values())

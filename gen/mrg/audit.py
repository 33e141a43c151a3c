"""`mrg audit`: everything that a specification leaves to user code.

Externs and the tests of machines compute numbers; none of them decides a length or an offset (the
compiler refuses that), so a wrong one can't make a read go out of bounds.
"""

from __future__ import annotations

from typing import Iterator, Sequence

from . import ir, ir_machine, layout


def report(modules: Sequence[ir.Module]) -> str:
    lines: list[str] = []
    uses = list(_uses(modules))
    for m in modules:
        for e in m.externs:
            params = ", ".join(f"{p.name}: u{p.bits}" for p in e.params)
            lines.append(f"{_at(e.loc)}: extern {e.name}({params}) : u{e.bits}")
            mine = [(loc, what) for name, loc, what in uses if name is e]
            lines += [f"    {_at(loc)}: used by {what}" for loc, what in mine]
            if not mine:
                lines.append("    not used")
    lines += [_deed(x, d) for m in modules for x in m.machines if not x.part for d in x.deeds]
    lines += [f"{_at(loc)}: text extern({name}) of {what}" for name, loc, what in uses if isinstance(name, str)]
    if not lines:
        return "nothing is left to user code\n"
    return "\n".join(lines) + "\n"


def _deed(x: ir_machine.Machine, d: ir_machine.Deed) -> str:
    params = ", ".join(f"{p.name}: u{p.bits}" for p in d.params)
    of = f" on {d.of.name}" if d.of is not None else ""
    return f"{_at(d.loc)}: {d.kind} {d.name}({params}){of} of machine '{x.name}'"


def _at(loc: ir.Loc) -> str:
    return f"{loc.file}:{loc.line}:{loc.col}"


def _uses(modules: Sequence[ir.Module]) -> Iterator[tuple[object, ir.Loc, str]]:
    for m in modules:
        for p in m.packets:
            for item in layout.walk(p.items):
                yield from _text_uses(p, item)
            for e in layout.exprs(p.items):
                yield from ((x.extern, x.loc, f"packet '{p.name}'") for x in layout.refs(e) if isinstance(x, ir.Call))
        for machine in m.machines:
            for e in _exprs(machine):
                yield from ((x.extern, x.loc, f"machine '{machine.name}'") for x in layout.refs(e) if isinstance(x, ir.Call))


def _exprs(x: ir_machine.Machine) -> Iterator[ir.Expr]:
    for t in x.transitions:
        yield from (e for e in (t.guard, *(a for do in t.todo for a in do.args)) if e is not None)
    yield from (n.cond for n in x.nevers)


def _text_uses(p: ir.Packet, item: ir.Item) -> Iterator[tuple[object, ir.Loc, str]]:
    form = getattr(item, "text", None)
    if isinstance(form, ir.TextForm) and form.name == "extern":
        yield str(form.args[0]), item.loc, f"field '{item.name}' of packet '{p.name}'"

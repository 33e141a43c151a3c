"""The reader and the maker of a module's packets as code: what mrg_plan_walk.c and its like do for rows that are looked up, with the rows known.

Each packet, each item that stands alone, the items of each optional and each
expression become a C function, which is the walker's own for that row: a
compiler leaves out what the row does not ask for.  See mrg_plan_inside.h.
"""

from __future__ import annotations

from typing import Iterable, Sequence

from .. import ir
from ..layout import Run, Segment
from . import plan
from .writer import Writer


NODE = "&inner"  # which nobody asks for
BARE = {Run: "run", ir.Optional_: "optional", ir.Check: "check", ir.EndianSel: "endian_by"}
WITH_NODE = {
    ir.Scalar: "plan_scalar", ir.Bytes: "plan_octets", ir.Sub: "sub", ir.List: "plan_list", ir.Switch: "choice", ir.Chain: "plan_chain",
    ir.Varint: "plan_varint", ir.Region: "region", ir.Align: "plan_align", ir.Let: "let",
}  # fmt: skip


READ = "enum mrg_status {}_read(struct mrg_walk *w, uint32_t packet, struct mrg_span in, const uint64_t *args)"
MAKE = "size_t {}_make(struct mrg_walk *w, uint32_t packet, const uint64_t *args, size_t cap)"


def heads(module: ir.Module) -> tuple[str, str]:
    """What `struct mrg_plan` has as `read` and `make`, declared."""
    return READ.format(plan.name_of(module)), MAKE.format(plan.name_of(module))


def source(t: plan.Tables, header: str, makes: bool) -> str:
    """A C file that defines one of the heads; header: has the tables."""
    rows = {key: len(t.rows[key]) for key in ("items", "exprs")}
    alone, groups = sorted(t.alone), sorted(t.groups)
    w = Writer()
    w.comment(f"{t.module.path}: who {'makes' if makes else 'reads'} its packets as the tables say, as code.")
    w.line(f"#define PLAN_MAKES {int(makes)}")
    w.line(f'#include "{header}"')
    w.line()
    w.line("#ifdef MRG_PLAN_CODE")
    w.line("static const struct mrg_plan plan_tables = { PLAN_TABLES };")
    w.line("struct frame;")
    w.comment("Which of them a refusal comes to is no matter: all are on the way of what is not refused.")
    w.line("#define HOT __attribute__((hot))")
    _declare(w, "packet", "struct frame *f, uint32_t *node", range(len(t.order)), len(t.order))
    _declare(w, "alone", "struct frame *f, uint32_t *node", alone, rows["items"])
    _declare(w, "group", "struct frame *f", groups, rows["items"])
    _declare(w, "value", "const struct frame *f, uint64_t *value", t.values, rows["exprs"])
    w.line('#include "mrg_plan_code.h"')
    w.line()
    for i in t.values:
        _function(w, f"value_{i}(const struct frame *f, uint64_t *value)", [f"plan_value_of(f, &plan_tables.exprs[{i}], value)"])
    for i in alone:
        _function(w, f"alone_{i}(struct frame *f, uint32_t *node)", [_call(t.alone[i], i, "node")])
    for i in groups:
        _function(w, f"group_{i}(struct frame *f)", _parts(t.groups[i], t.parts[t.groups[i]]))
    for i, start in enumerate(t.starts):
        row = f"&plan_tables.packets[{i}]"
        calls = [f"plan_open(f, {row}, node)", *_parts(start, t.parts[start]), f"plan_close(f, {row}, *node)"]
        _function(w, f"packet_{i}(struct frame *f, uint32_t *node)", calls)
    head = heads(t.module)[makes]
    w.line(f"{head};")
    with w.block(head):
        w.line("return make_whole(w, packet, args, cap);" if makes else "return read_whole(w, packet, in, args);")
    w.line("#endif")
    return w.text()


def _declare(w: Writer, kind: str, params: str, rows: Iterable[int], count: int) -> None:
    rows = list(rows)
    for i in rows:
        w.line(f"static HOT bool {kind}_{i}({params});")
    with w.block(f"static bool (*const plan_{kind}s[])({params}) =", "};"):
        for i in rows:
            w.line(f"[{i}] = {kind}_{i},")
        if not rows or rows[-1] != count - 1:
            w.line(f"[{max(count, 1) - 1}] = NULL,")
    w.line()


def _function(w: Writer, head: str, calls: Sequence[str]) -> None:
    with w.block(f"static bool {head}"):
        if any(NODE in call for call in calls):
            w.line("uint32_t inner = 0;")
        if not calls:
            w.line("(void)f;")
        w.line(f"return {' && '.join(calls) or 'true'};")
    w.line()


def _parts(start: int, parts: Sequence[Segment]) -> list[str]:
    """Calls for rows side by side.  Octets of a run are there once it has said so, and it begins with a whole one."""
    calls: list[str] = []
    run = Run()
    for i, part in enumerate(parts, start):
        if isinstance(part, Run):
            run = part
        if isinstance(part, ir.Scalar) and id(part) in run.offsets:
            calls.append(f"plan_scalar_here(f, {i}, {run.offset(part) % 8}, {NODE})")
        else:
            calls.append(_call(part, i, NODE))
    return calls


def _call(part: Segment, row: int, node: str) -> str:
    if type(part) in BARE:
        return f"{BARE[type(part)]}(f, {row})"
    return f"{WITH_NODE[type(part)]}(f, {row}, {node})"

"""A text rule as code: what mrg_textplan.c and mrg_textplan_make.c do by the tables of any rule, with those of one known.

Who reads goes by instructions, each of which is a label; what it does is in mrg_textplan_walk.h, of which a compiler leaves out what the
instruction does not ask for. There are two functions: one notes all signs, one leaves them out; who asks for those that are new goes by the
tables. Who makes goes by nodes, each of which is a function, of what is in mrg_textplan_maker.h.
"""

from __future__ import annotations

from .text_tables import NONE, Tables
from .writer import Writer

WAYS_MAX = 32  # of a split: a bit each
TAKES = {"text": "take_text", "octet": "take_octet", "octets": "take_run", "counted": "take_counted", "count": "count"}


def can_be(t: Tables) -> bool:
    return all(len(op.ways) <= WAYS_MAX for op in t.ops)


def emit(w: Writer, name: str, t: Tables) -> None:
    """`<name>_walk`, `<name>_walk_all` and `<name>_make` of the rule whose tables are there already."""
    _Code(w, name, t, False).emit()
    _Code(w, name, t, True).emit()
    _make(w, name, t)


class _Code:
    def __init__(self, w: Writer, name: str, t: Tables, signs: bool) -> None:
        self.w, self.name, self.t, self.signs = w, name, t, signs

    def then(self, at: int) -> int:
        return at if self.signs else self.t.calm(at)

    def emit(self) -> None:
        w, name, t = self.w, self.name, self.t
        order = self.reached()
        splits = [i for i in order if t.ops[i].memo != NONE]  # of others only one way can be gone
        with w.function(f"static bool {name}_walk{'_all' if self.signs else ''}(struct mrg_text_walk *w)"):
            w.line(f"const struct mrg_text_plan *const plan = &{name}_plan;")
            w.line(f"const struct mrg_text_op *const ops = {name}_ops;")
            w.line("struct mrg_text_here h = mrg_text_begin(w);")
            if splits:
                w.line("const struct mrg_text_frame *kept;")
                w.line("uint32_t from;")
            if any(t.ops[i].ways for i in order):
                w.line("uint32_t ways;")
            w.line(f"goto op_{order[0]};")
            for i in order:
                w.line(f"op_{i}:")
                if t.ops[i].kind == "split":
                    self.split(i)
                else:
                    self.take(i)
            w.line("back:")
            if splits:
                self.back(splits)
            else:
                w.line("(void)mrg_text_back(w, h);")
                w.line("return false;")

    def reached(self) -> list[int]:
        """Instructions of the walk, the first first."""
        order: list[int] = []
        todo = [self.then(self.t.start)]
        while todo:
            at = todo.pop()
            if at in order:
                continue
            order.append(at)
            op = self.t.ops[at]
            if op.kind != "done":
                todo += [self.then(way) for way in reversed(op.ways or [op.to])]
        return order

    def take(self, i: int) -> None:
        w, op = self.w, self.t.ops[i]
        if op.kind == "done":
            w.line("if (mrg_text_ends(w, &h, plan))")
            w.line("\treturn true;")
            w.line("goto back;")
            return
        if op.kind == "reset":
            w.line(f"w->counts[{op.depth}] = 0;")
        else:
            does = f"mrg_text_{TAKES[op.kind]}(w, &h, plan, &ops[{i}])" if op.kind in TAKES else f"mrg_text_note(w, &h, &ops[{i}])"
            w.line(f"if (!{does})")
            w.line("\tgoto back;")
        w.line(f"goto op_{self.then(op.to)};")

    def split(self, i: int) -> None:
        w, op = self.w, self.t.ops[i]
        first = sum(len(o.ways) for o in self.t.ops[:i])  # of its ways in the table
        again = op.memo != NONE
        if again:
            w.line("from = 0;")
            w.line(f"split_{i}:")
        w.line("if (!mrg_text_spend(w))")
        w.line("\tgoto back;")
        if not self.signs:
            if again:
                w.line("if (from == 0)")
            w.line(f"{chr(9) * again}mrg_text_skip(w, &h, plan, &ops[{i}]);")
        bits = " | ".join(f"(uint32_t)mrg_text_viable(w, &h, plan, &{self.name}_ways[{first + k}]) << {k}" for k in range(len(op.ways)))
        w.line(f"ways = ({bits}) >> from << from;" if again else f"ways = {bits};")
        if again:
            w.line(f"if ((ways & (ways - 1)) != 0 && !mrg_text_keep(w, h, plan, &ops[{i}], (unsigned)__builtin_ctz(ways & (ways - 1)), from == 0))")
            w.line("\tgoto back;")
        for k, way in enumerate(op.ways):
            w.line(f"if ((ways & {1 << k}u) != 0)")
            w.line(f"\tgoto op_{self.then(way)};")
        w.line("goto back;")

    def back(self, splits: list[int]) -> None:
        w = self.w
        w.line("kept = mrg_text_back(w, h);")
        w.line("if (kept == NULL)")
        w.line("\treturn false;")
        w.line("mrg_text_resume(w, &h, kept);")
        w.line("from = kept->way;")
        with w.block("switch (kept->op)"):
            for i in splits:
                w.line(f"case {i}: goto split_{i};")
            w.line("default: return false;")


def _make(w: Writer, name: str, t: Tables) -> None:
    """A function for each node, those that it consists of first, and `<name>_make`, which takes its number."""
    for at in _inner_first(t):
        with w.function(f"static void {name}_make_{at}(struct mrg_text_maker *m)"):
            _node(w, name, t, at)
    with w.function(f"static void {name}_make(struct mrg_text_maker *m, unsigned node)"), w.block("switch (node)"):
        for at in range(len(t.rows)):
            w.line(f"case {at}: {name}_make_{at}(m); return;")
        w.line("default: return;")


def _inner_first(t: Tables) -> list[int]:
    order: dict[int, None] = {}
    todo = [t.top]
    while todo:
        inner = [kid for kid in t.rows[todo[-1]].kids if kid not in order]
        if inner:
            todo += inner
        else:
            order[todo.pop()] = None
    return list(order)


def _node(w: Writer, name: str, t: Tables, at: int) -> None:
    kind, kids, plan = t.rows[at].kind, t.rows[at].kids, f"&{name}_plan"
    if kind == "lit":
        w.line(f"mrg_text_put_text(m, {plan}, {at});")
    elif kind == "class":
        w.line(f"mrg_text_put_octets(m, {plan}, {at}, 1);")
    elif kind == "alt":
        with w.block(f"switch (mrg_text_choice(m, {plan}, {at}))"):
            for i, kid in enumerate(kids):
                w.line(f"{f'case {i}' if i + 1 < len(kids) else 'default'}: {name}_make_{kid}(m); return;")
    elif kind == "rep" and t.rows[kids[0]].kind == "class":
        w.line(f"mrg_text_put_octets(m, {plan}, {kids[0]}, mrg_text_times(m, {plan}, {at}, true));")
    elif kind == "rep":
        w.line(f"for (uint32_t times = mrg_text_times(m, {plan}, {at}, false); times != 0 && m->len < m->cap; times--)")
        w.line(f"\t{name}_make_{kids[0]}(m);")
    else:
        for kid in kids:
            w.line(f"{name}_make_{kid}(m);")

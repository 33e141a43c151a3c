"""A chain of a checked view written again with pointers, without gathering it first."""

from __future__ import annotations

from functools import partial

from .. import ir, names
from . import c_chain, c_expr, c_flat
from .c_shape import Shape
from .writer import Writer


def emit(w: Writer, shape: Shape) -> None:
    """X_copy_compressed: the items where they are, the last first, until one is known."""
    chain = c_chain.only_chain(shape.packet)
    assert chain is not None
    name, own = shape.cname, names.snake(shape.packet.name)
    w.comment(
        "Items are looked up where they are, the last first; where a pointer of the same message led before is\n"
        "known without looking."
    )
    with w.function(f"static void {own}_copy_compressed(struct mrg_w *w, const struct {name} *v)"):
        w.line("struct mrg_refs *const r = w->refs;")
        w.line(f"const uint8_t *item_at[{c_chain.flat_count(chain)}], *at = v->p;")
        w.line(f"{c_flat.off_type(chain)} item_len[{c_chain.flat_count(chain)}];")
        w.line("unsigned count = 0, slot = 0;")
        w.line("uint16_t next = 0; /* 1 + offset of what was found */")
        w.line("if (w->st != MRG_OK)")
        w.line("\treturn;")
        with w.block("for (;;)"):
            c_chain.step_arms(w, chain, "*at", partial(_gather, w, chain), None)
        _find(w, own)
        _write(w, shape, chain)
        c_flat.remember(w, shape, "left", "{ item_at[i - 1u], item_len[i - 1u] }")


def _gather(w: Writer, chain: ir.Chain, arm: ir.ChainArm) -> None:
    """One step of the walk that notes where the items are."""
    if arm.kind == "stop":
        w.line("break;")
        return
    if arm.kind == "item":
        size = c_flat.arm_size(w, arm, "at", "v->")
        w.line(f"const size_t n = {size};")
        w.line("item_at[count] = at;")
        w.line(f"item_len[count++] = ({c_flat.off_type(chain)})n;")
        w.line("at += n;")
        return
    assert arm.buffer is not None and arm.at is not None
    name, buffer = names.packet(arm.packet), f"v->{names.param(arm.buffer.name)}"
    w.line(f"struct {name} item;")
    w.line(f"{name}_view_(at, at + {arm.packet.size_max}{c_chain.arm_args(arm, 'v->')}, &item);")
    w.line(f"at = {buffer}.p + {c_expr.emit(arm.at, c_chain.ArmEnv(arm, 'v->'))};")
    w.line(f"if (r->from == {buffer}.p && (next = mrg_refs_recall(r, at)) != 0)")
    w.line("\tbreak;")


def _find(w: Writer, own: str) -> None:
    w.line("unsigned left = count;")
    with w.block("for (; left > 0; left--)"):
        w.line("const struct mrg_span item = { item_at[left - 1u], item_len[left - 1u] };")
        w.line(f"slot = {own}_ref_slot(w, next, item);")
        w.line("if (r->off[slot] == 0)")
        w.line("\tbreak;")
        w.line("next = r->off[slot];")
        w.line("mrg_refs_learn(r, item.p, next);")


def _write(w: Writer, shape: Shape, chain: ir.Chain) -> None:
    """The items that were not found, then a pointer to those that were, or the stop item."""
    goto = next(a for a in chain.arms if a.kind == "goto")
    pointer = c_flat.pointer_field(goto)
    assert pointer is not None
    w.line("const size_t found = next;")
    w.line("size_t end = w->len - r->base;")
    with w.block("for (unsigned i = 0; i < left; i++)"):
        w.line("mrg_w_put_few(w, (struct mrg_span){ item_at[i], item_len[i] });")
        w.line("end += item_len[i];")
    w.line("if (found == 0)")
    w.line("\tmrg_w_put(w, (struct mrg_span){ at, 1u }); /* the stop item */")
    w.line("else")
    c_flat.put_pointer(w, goto, pointer)
    w.line("if (w->st != MRG_OK)")
    w.line("\treturn;")

"""Chains: items chosen by their first byte, with pointers back (DNS names).

A packet that is just one chain also gets a flat form: its items, in order and
without pointers, as bytes with an index of where each item starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Optional

from .. import ir, layout, names
from . import acsl_loops, c_arm, c_expr, c_shape, c_view
from .c_common import path_value
from .c_shape import Shape, Slot
from .writer import Writer

if TYPE_CHECKING:
    from .c_scan import Scan


def only_chain(packet: ir.Packet) -> Optional[ir.Chain]:
    """The chain of a packet that is nothing but a chain."""
    items = [i for i in packet.items if not isinstance(i, (ir.Check, ir.Let))]
    return items[0] if len(items) == 1 and isinstance(items[0], ir.Chain) else None


def first_test(arm: ir.ChainArm, byte: str) -> str:
    """C condition that `byte` starts this arm."""
    parts = []
    for lo, hi in arm.first:
        if lo == hi:
            parts.append(f"{byte} == {lo:#x}" if lo > 9 else f"{byte} == {lo}")
        elif lo == 0:
            parts.append(f"{byte} <= {hi:#x}")
        elif hi == 255:
            parts.append(f"{byte} >= {lo:#x}")
        elif lo == 1:
            parts.append(f"(uint8_t)({byte} - 1) < {hi:#x}")
        else:
            parts.append(f"({byte} >= {lo:#x} && {byte} <= {hi:#x})")
    return " || ".join(parts)


def goto_params(chain: ir.Chain) -> list[ir.Param]:
    out: list[ir.Param] = []
    for arm in chain.arms:
        if arm.buffer is not None and arm.buffer not in out:
            out.append(arm.buffer)
    return out


def arm_args(arm: ir.ChainArm, prefix: str) -> str:
    return "".join(f", {prefix}{names.param(p.name)}" for p in arm.packet.params)


class ArmEnv(c_expr.Env):
    """Fields are those of the arm's view `item`."""

    def __init__(self, arm: ir.ChainArm, params: str, view: str = "item") -> None:
        self.arm = arm
        self.params = params
        self.view = view

    def field(self, ref: ir.FieldRef) -> str:
        return path_value(self.arm.packet, ref.path, self.view, False)

    def param(self, p: ir.Param) -> str:
        return self.params + names.param(p.name)

    def buflen(self, p: ir.Param) -> str:
        return f"{self.params}{names.param(p.name)}.len"


def step_arms(w: Writer, chain: ir.Chain, byte: str, body: Callable[[ir.ChainArm], None], other: Optional[str]) -> None:
    """if/else over the arms; the last is plain `else` when nothing else can be."""
    covered = sum(hi - lo + 1 for a in chain.arms for lo, hi in a.first) == 256
    for i, arm in enumerate(chain.arms):
        last = i + 1 == len(chain.arms)
        head = "" if i == 0 else "} else "
        exhaustive = last and (covered or other is None)
        w.line(f"{head}{'' if exhaustive and i else f'if ({first_test(arm, byte)}) '}{{")
        w.depth += 1
        body(arm)
        w.depth -= 1
    if other is not None and not covered:
        w.line("} else {")
        w.line(f"\t{other}")
    w.line("}")


# --- checking ----------------------------------------------------------------------


def emit_scan(scan: "Scan", chain: ir.Chain) -> None:
    w = scan.w
    if scan.sites is None:
        _skip(scan, chain)
        return
    bufs = goto_params(chain)
    w.comment(f"{chain.loc.file}:{chain.loc.line} {chain.name}")
    with w.block(""):
        w.line(f"const uint8_t *at = q, *lim = {scan.end}, *run = q;")
        w.line(f"size_t left = {chain.max_bytes}u; /* that items from run on may take */")
        if bufs:
            w.line("const uint8_t *rest = NULL; /* what follows the chain in place */")
            w.line("uint32_t jumps = 0;")
        for b in bufs:
            w.line(f"size_t {b.name}_run = mrg_off({names.param(b.name)}, q);")
        scan.reject("at == lim", "MRG_MORE", "at", 0, scan.site(chain, chain.loc, "does not end"))
        w.comment("an item that others follow ends before `near`")
        w.line(f"const uint8_t *near = {NEAR};")
        acsl_loops.chain(scan, chain, bufs)
        with w.block("for (;;)"):
            fail = f"return {scan.failure('MRG_E_TAG', 'at', 0, scan.site(chain, chain.loc, 'no arm for this first byte'))};"
            step_arms(w, chain, "*at", lambda arm: _check_arm(scan, chain, arm), fail)
        w.line("q = rest != NULL ? rest : at;" if bufs else "q = at;")


NEAR = "at + ((size_t)(lim - at) <= left ? (size_t)(lim - at) : left + 1u)"


def _check_arm(scan: "Scan", chain: ir.Chain, arm: ir.ChainArm) -> None:
    w = scan.w
    simple = c_arm.simple(arm)
    bounds: Optional[Callable[[], None]] = None
    if simple is not None:
        size, bounds = c_arm.emit(scan, chain, arm, simple)
    else:
        name = names.packet(arm.packet)
        w.line(f"struct {name} item;")
        w.line(f"const uint8_t *const next = {name}_scan_(at, lim{arm_args(arm, '')}, &item, rj);")
        scan.sub_failed("next", scan.site(chain, arm.loc, f"{arm.name} refused"))
        size = "item.len"
    if arm.kind == "goto":
        if bounds is not None:
            bounds()
        env = c_arm.LocalEnv(arm) if simple is not None else ArmEnv(arm, "")
        _check_goto(scan, chain, arm, env, size)
        return
    over = scan.site(chain, chain.loc, f"longer than {chain.max_bytes} bytes")
    if arm.kind == "stop":
        if bounds is not None:
            bounds()
        scan.reject(f"(size_t)(at - run) + {size} > left", "MRG_E_LIMIT", "at", 0, over)
        w.line(f"at += {size};")
        w.line("break;")
        return
    with w.block(f"if (MRG_UNLIKELY({size} >= (size_t)(near - at)))"):
        if bounds is not None:
            bounds()
        scan.reject(f"(size_t)(at - run) + {size} > left", "MRG_E_LIMIT", "at", 0, over)
        w.line(f"return {scan.failure('MRG_MORE', f'at + {size}', 0, scan.site(chain, chain.loc, 'does not end'))};")
    w.line(f"at += {size};")


def _check_goto(scan: "Scan", chain: ir.Chain, arm: ir.ChainArm, env: c_expr.Env, size: str) -> None:
    assert arm.buffer is not None and arm.at is not None
    w = scan.w
    buf = names.param(arm.buffer.name)
    run = f"{arm.buffer.name}_run"
    w.line("if (rest == NULL)")
    w.line(f"\trest = at + {size};")
    w.line(f"const size_t target = {c_expr.emit(arm.at, env)};")
    scan.reject(f"target >= {buf}.len", "MRG_E_RANGE", "at", 0, scan.site(chain, arm.loc, f"{arm.name} leaves {arm.buffer.name}"))
    scan.reject(f"target >= {run}", "MRG_E_LOOP", "at", 0, scan.site(chain, arm.loc, f"{arm.name} does not go strictly back"))
    scan.reject(f"++jumps > {arm.max_jumps}u", "MRG_E_LIMIT", "at", 0, scan.site(chain, arm.loc, f"more than {arm.max_jumps} jumps"))
    w.line(f"{run} = target;")
    w.line("left -= (size_t)(at - run);")
    w.line(f"at = run = {buf}.p + target;")
    w.line(f"lim = {buf}.p + {buf}.len;")
    w.line(f"near = {NEAR};")


def _skip(scan: "Scan", chain: ir.Chain) -> None:
    """The trusted twin: to the end of what the chain takes in place."""
    w = scan.w

    def arm_body(arm: ir.ChainArm) -> None:
        if arm.packet.fixed:
            w.line(f"q += {arm.packet.size_max};")
        else:
            name = names.packet(arm.packet)
            w.line(f"struct {name} item;")
            w.line(f"{name}_view_(q, {scan.end}{arm_args(arm, '')}, &item);")
            w.line("q += item.len;")
        if arm.kind != "item":
            w.line("break;")

    with w.block("for (;;)"):
        step_arms(w, chain, "*q", arm_body, None)


# --- iterating ----------------------------------------------------------------------


def emit_iterator(w: Writer, shape: Shape, slot: Slot, chain: ir.Chain) -> None:
    items = [a for a in chain.arms if a.kind == "item"]
    it = f"{shape.cname}_{chain.name}_it"
    params = shape.packet.params
    with w.block(f"struct {it}", "};"):
        w.line("const uint8_t *at;")
        for p in params:
            w.line(f"{'struct mrg_span' if p.kind == 'buffer' else names.uint_type(p.bits)} {names.param(p.name)};")
    w.line()
    init = "".join(f", .{names.param(p.name)} = v->{names.param(p.name)}" for p in params)
    with w.function(f"static inline struct {it} {shape.cname}_{chain.name}(const struct {shape.cname} *v)"):
        start = slot.start.pointer("v")
        if slot.group is not None:
            start = f"{shape.cname}_has_{chain.name}(v) ? {start} : NULL"
        w.line(f"return (struct {it}){{ .at = {start}{init} }};")
    out = _item_type(w, shape, chain, items)
    w.comment("The next item, through pointers; false at the end.")
    with w.function(f"static inline bool {shape.cname}_{chain.name}_next(struct {it} *it, {out} *out)"):
        if slot.group is not None:
            w.line("if (it->at == NULL)")
            w.line("\treturn false;")
        with w.block("for (;;)"):
            step_arms(w, chain, "*it->at", lambda arm: _next_arm(w, shape, chain, arm, len(items) > 1), None)


def _item_type(w: Writer, shape: Shape, chain: ir.Chain, items: list[ir.ChainArm]) -> str:
    if len(items) == 1:
        return f"struct {names.packet(items[0].packet)}"
    base = f"{shape.cname}_{chain.name}"
    with w.block(f"enum {base}_kind", "};"):
        for a in items:
            w.line(f"{base}_{a.name}".upper() + ",")
    with w.block(f"struct {base}_item", "};"):
        w.line(f"enum {base}_kind kind;")
        with w.block("union", "};"):
            for a in items:
                w.line(f"struct {names.packet(a.packet)} {names.local(a.name)};")
    w.line()
    return f"struct {base}_item"


def _next_arm(w: Writer, shape: Shape, chain: ir.Chain, arm: ir.ChainArm, tagged: bool) -> None:
    name = names.packet(arm.packet)
    if arm.kind == "stop":
        w.line("return false;")
    elif arm.kind == "item":
        out = f"&out->{names.local(arm.name)}" if tagged else "out"
        if tagged:
            w.line("out->kind = " + f"{shape.cname}_{chain.name}_{arm.name}".upper() + ";")
        w.line(f"{name}_view_(it->at, it->at + {arm.packet.size_max or 'SIZE_MAX'}{arm_args(arm, 'it->')}, {out});")
        w.line(f"it->at += {'out->' + names.local(arm.name) + '.len' if tagged else 'out->len'};")
        w.line("return true;")
    else:
        _follow(w, arm, "it->at", "it->")


def _follow(w: Writer, arm: ir.ChainArm, at: str, params: str) -> None:
    """Go where a goto arm points (trusted)."""
    assert arm.buffer is not None and arm.at is not None
    name = names.packet(arm.packet)
    w.line(f"struct {name} item;")
    w.line(f"{name}_view_({at}, {at} + {arm.packet.size_max}{arm_args(arm, params)}, &item);")
    w.line(f"{at} = {params}{names.param(arm.buffer.name)}.p + {c_expr.emit(arm.at, ArmEnv(arm, params))};")


# --- the flat form --------------------------------------------------------------------


def flat_count(chain: ir.Chain) -> int:
    smallest = min((a.packet.size_min for a in chain.arms if a.kind == "item"), default=1)
    return (chain.max_bytes - 1) // max(smallest, 1) + 1


def foldable(chain: ir.Chain) -> bool:
    return any(isinstance(i, ir.Bytes) and i.nocase for a in chain.arms for i in layout.walk(a.packet.items))


def block_fold(chain: ir.Chain) -> bool:
    """Whether folding every byte of a flat chain changes `nocase` bytes only:

    true when all other bytes of the arms are below 'A' (length octets are)."""
    for arm in chain.arms:
        if arm.kind == "goto":
            continue
        covered = 0
        for part in layout.segments(arm.packet.items):
            if isinstance(part, ir.Bytes) and part.nocase:
                continue
            if isinstance(part, layout.Run) and part.size <= 1:
                covered += 1
                continue
            return False
        if covered != 1 or any(hi >= ord("A") for _, hi in arm.first):
            return False
    return True

"""The flat form of a chain that is a whole packet: its struct and its functions."""

from __future__ import annotations

from .. import ir, layout, names
from . import c_arm, c_chain
from .c_shape import Shape
from .writer import Writer


def emit(w: Writer, shape: Shape, chain: ir.Chain) -> None:
    _gather(w, shape, chain, "flatten", False)
    _gather(w, shape, chain, "fold", True)
    _equal(w, shape, chain)
    _check(w, shape, chain)
    _fold_flat(w, shape, chain)
    _hash(w, shape)
    _flat_equal(w, shape, chain)
    _order(w, shape, chain)
    _join(w, shape, chain)
    _put(w, shape, chain)


def emit_header(w: Writer, shape: Shape, chain: ir.Chain) -> None:
    name = shape.cname
    size = "uint8_t" if chain.max_bytes <= 255 and c_chain.flat_count(chain) <= 255 else "uint16_t"
    w.comment(
        f"A {shape.packet.name} without pointers: `count` items, the last one included; item i starts at\n"
        f"b[off[i]].  b[0 .. len) is a valid {shape.packet.name} by itself."
    )
    with w.block(f"struct {name}_flat", "};"):
        w.line(f"{size} len, count;")
        w.line(f"{size} off[{c_chain.flat_count(chain)}];")
        w.line(f"uint8_t b[{chain.max_bytes}];")
    w.line()
    rows = [
        ("Follow pointers and gather the items. Cost: at most %d bytes." % chain.max_bytes,
         f"void {name}_flatten(const struct {name} *v, struct {name}_flat *out);"),
        ("The same with `nocase` bytes in lower case.", f"void {name}_fold(const struct {name} *v, struct {name}_flat *out);"),
        ("Equal, without regard to the case of `nocase` bytes.",
         f"bool {name}_equal(const struct {name} *a, const struct {name} *b);"),
        (f"Check and index a {shape.packet.name} without pointers at the start of `in`; out->len is what it takes.",
         f"MRG_MUST_USE enum mrg_status {name}_flat_check(struct mrg_span in, struct {name}_flat *out);"),
        ("`nocase` bytes in lower case; out may be in.",
         f"void {name}_flat_fold(const struct {name}_flat *in, struct {name}_flat *out);"),
        ("h[i]: hash of items i .. count-1, without regard to case; h has room for count numbers.",
         f"void {name}_flat_hash(const struct {name}_flat *f, uint64_t *h);"),
        ("Order by items from the last to the first, each by its folded content: <0, 0, >0.",
         f"int {name}_flat_order(const struct {name}_flat *a, const struct {name}_flat *b);"),
        ("How many trailing items are equal, the stop item included.",
         f"unsigned {name}_flat_common(const struct {name}_flat *a, const struct {name}_flat *b);"),
        ("The first `items` items of head, then tail. MRG_E_LIMIT when that is too long.",
         f"MRG_MUST_USE enum mrg_status {name}_flat_join(const struct {name}_flat *head, unsigned items, struct mrg_span tail, struct {name}_flat *out);"),
        ("Write a flat one, with pointers when w->refs is set.", f"void {name}_put_flat(struct mrg_w *w, struct mrg_span flat);"),
    ]
    for doc, proto in rows:
        w.comment(doc)
        w.raw(proto)
    emit_inline(w, shape, chain)
    w.line()
    with w.function(f"static inline struct mrg_span {name}_flat_from(const struct {name}_flat *f, unsigned i)"):
        w.line("return (struct mrg_span){ f->b + f->off[i], (size_t)(f->len - f->off[i]) };")
    with w.function(f"static inline struct mrg_span {name}_flat_item(const struct {name}_flat *f, unsigned i)"):
        w.line("const size_t end = i + 1u < f->count ? f->off[i + 1u] : f->len;")
        w.line("return (struct mrg_span){ f->b + f->off[i], end - f->off[i] };")


def _own(shape: Shape) -> str:
    """Prefix of the static functions of one packet."""
    return names.snake(shape.packet.name)


def arm_size(w: Writer, arm: ir.ChainArm, at: str, params: str) -> str:
    """C expression for the size of a checked item; may emit lines before it."""
    if arm.packet.fixed:
        return f"{arm.packet.size_max}u"
    name = names.packet(arm.packet)
    w.line(f"struct {name} item;")
    w.line(f"{name}_view_({at}, {at} + {arm.packet.size_max or 'SIZE_MAX'}{c_chain.arm_args(arm, params)}, &item);")
    return "item.len"


def _gather(w: Writer, shape: Shape, chain: ir.Chain, verb: str, fold: bool) -> None:
    name = shape.cname
    with w.function(f"void {name}_{verb}(const struct {name} *v, struct {name}_flat *out)"):
        w.line("const uint8_t *at = v->p;")
        w.line("size_t len = 0, count = 0;")

        def arm(a: ir.ChainArm) -> None:
            if a.kind == "goto":
                c_chain._follow(w, a, "at", "v->")
                w.line("continue;")
                return
            size = arm_size(w, a, "at", "v->")
            w.line(f"const size_t n = {size};")
            w.line(f"out->off[count++] = ({off_type(chain)})len;")
            if fold and c_chain.foldable(chain):
                _fold_item(w, chain, a)
            else:
                w.line("memcpy(out->b + len, at, n);")
            w.line("len += n;")
            w.line("at += n;")
            if a.kind == "stop":
                w.line("break;")

        with w.block("for (;;)"):
            c_chain.step_arms(w, chain, "*at", arm, None)
        w.line(f"out->len = ({off_type(chain)})len;")
        w.line(f"out->count = ({off_type(chain)})count;")


def off_type(chain: ir.Chain) -> str:
    return "uint8_t" if chain.max_bytes <= 255 and c_chain.flat_count(chain) <= 255 else "uint16_t"


def _fold_item(w: Writer, chain: ir.Chain, arm: ir.ChainArm) -> None:
    if c_chain.block_fold(chain):
        w.line("mrg_fold(out->b + len, at, n);")
        return
    w.line("memcpy(out->b + len, at, n);")
    for item in layout.walk(arm.packet.items):
        if isinstance(item, ir.Bytes) and item.nocase:
            w.line(f"const struct mrg_span s = {names.packet(arm.packet)}_{item.name}(&item);")
            w.line("mrg_fold(out->b + len + (s.p - at), s.p, s.len);")


def _equal(w: Writer, shape: Shape, chain: ir.Chain) -> None:
    name = shape.cname
    with w.function(f"bool {name}_equal(const struct {name} *a, const struct {name} *b)"):
        w.line(f"struct {name}_flat fa, fb;")
        w.line(f"{name}_fold(a, &fa);")
        w.line(f"{name}_fold(b, &fb);")
        w.line("return fa.len == fb.len && memcmp(fa.b, fb.b, fa.len) == 0;")


def _check(w: Writer, shape: Shape, chain: ir.Chain) -> None:
    name = shape.cname
    w.comment("Check a flat one and note where its items start; out->b stays as it is.")
    with w.function(f"static enum mrg_status {_own(shape)}_index(struct mrg_span in, struct {name}_flat *out)"):
        w.line("const uint8_t *at = in.p, *const end = in.p + in.len;")
        w.line("size_t len = 0, count = 0;")
        w.line("struct mrg_reject rj;")
        for p in shape.packet.params:
            w.line(f"const {'struct mrg_span' if p.kind == 'buffer' else names.uint_type(p.bits)} {names.param(p.name)} = {{ 0 }};")
            w.line(f"(void){names.param(p.name)};")

        def arm(a: ir.ChainArm) -> None:
            if a.kind == "goto":
                w.line("return MRG_E_TAG;")
                return
            n = names.packet(a.packet)
            w.line(f"struct {n} item;")
            if c_arm.certain(a):
                w.line(f"{n}_view_(at, end, &item);")
            else:
                w.line(f"if (MRG_UNLIKELY({n}_scan_(at, end{c_chain.arm_args(a, '')}, &item, &rj) == NULL))")
                w.line("\treturn rj.status;")
            w.line(f"if (MRG_UNLIKELY(len + item.len > {chain.max_bytes}u))")
            w.line("\treturn MRG_E_LIMIT;")
            w.line(f"out->off[count++] = ({off_type(chain)})len;")
            w.line("len += item.len;")
            w.line("at += item.len;")
            if a.kind == "stop":
                w.line("break;")

        with w.block("for (;;)"):
            w.line("if (MRG_UNLIKELY(at == end))")
            w.line("\treturn MRG_MORE;")
            c_chain.step_arms(w, chain, "*at", arm, "return MRG_E_TAG;")
        w.line(f"out->len = ({off_type(chain)})len;")
        w.line(f"out->count = ({off_type(chain)})count;")
        w.line("return MRG_OK;")
    with w.function(f"enum mrg_status {name}_flat_check(struct mrg_span in, struct {name}_flat *out)"):
        w.line(f"const enum mrg_status st = {_own(shape)}_index(in, out);")
        w.line("if (st == MRG_OK)")
        w.line("\tmemcpy(out->b, in.p, out->len);")
        w.line("return st;")


def _fold_flat(w: Writer, shape: Shape, chain: ir.Chain) -> None:
    name = shape.cname
    with w.function(f"void {name}_flat_fold(const struct {name}_flat *in, struct {name}_flat *out)"):
        if c_chain.block_fold(chain):
            w.line("if (out != in) {")
            w.line("\tout->len = in->len;")
            w.line("\tout->count = in->count;")
            w.line("\tmemcpy(out->off, in->off, in->count * sizeof in->off[0]);")
            w.line("}")
            w.line("mrg_fold(out->b, in->b, in->len);")
        else:
            args = ", ".join(["in->b", "in->len"] + [".%s = { 0 }" % names.param(p.name) for p in shape.packet.params])
            w.line(f"const struct {name} v = {{ {args} }};")
            w.line(f"struct {name}_flat folded;")
            w.line(f"{name}_fold(&v, &folded);")
            w.line("*out = folded;")


def _hash(w: Writer, shape: Shape) -> None:
    name = shape.cname
    with w.function(f"void {name}_flat_hash(const struct {name}_flat *f, uint64_t *h)"):
        w.line("size_t end = f->off[f->count - 1u];")
        w.line(f"uint64_t rest = {name}_hash_stop();")
        w.line("h[f->count - 1u] = rest;")
        with w.block("for (size_t i = f->count - 1u; i-- > 0;)"):
            w.line(f"rest = {name}_hash_item(rest, (struct mrg_span){{ f->b + f->off[i], end - f->off[i] }});")
            w.line("h[i] = rest;")
            w.line("end = f->off[i];")


def emit_inline(w: Writer, shape: Shape, chain: ir.Chain) -> None:
    """What look-ups do once a name: hashing and comparing, for the header."""
    name, fold = shape.cname, c_chain.block_fold(chain)
    w.comment("Hash of an item followed by items that hash to `rest`; of the stop item alone. Without regard to case.")
    with w.function(f"static inline uint64_t {name}_hash_stop(void)"):
        w.line("return 0x9e3779b97f4a7c15ull;")
    with w.function(f"static inline uint64_t {name}_hash_item(uint64_t rest, struct mrg_span item)"):
        w.line("uint64_t h = rest ^ 0xa0761d6478bd642full * (item.len + 1u);")
        w.line("size_t i = 0;")
        w.line("for (; i + 8 <= item.len; i += 8)")
        w.line(f"\th = mrg_hash_mix(h ^ {_word(fold, 'item.p + i', '8')}, 0xe7037ed1a0b428dbull);")
        w.line("if (i < item.len)")
        w.line(f"\th = mrg_hash_mix(h ^ {_word(fold, 'item.p + i', 'item.len - i')}, 0x8ebc6af09c88c6e3ull);")
        w.line("return mrg_hash_mix(h, 0x589965cc75374cc3ull);")
    w.comment("Two flat spans are equal, without regard to case.")
    if fold:
        with w.function(f"static inline bool {name}_flat_equal(struct mrg_span a, struct mrg_span b)"):
            w.line("return mrg_span_eq_nocase(a, b);")
    else:
        w.line(f"bool {name}_flat_equal(struct mrg_span a, struct mrg_span b);")


def _word(fold: bool, ptr: str, n: str) -> str:
    load = f"mrg_le64({ptr})" if n == "8" else f"mrg_le_upto8({ptr}, {n})"
    return f"mrg_lower8({load})" if fold else load


def _flat_equal(w: Writer, shape: Shape, chain: ir.Chain) -> None:
    name = shape.cname
    if c_chain.block_fold(chain):
        return
    with w.function(f"bool {name}_flat_equal(struct mrg_span a, struct mrg_span b)"):
        zero = "".join(", .%s = { 0 }" % names.param(p.name) for p in shape.packet.params)
        w.line(f"const struct {name} va = {{ .p = a.p, .len = a.len{zero} }}, vb = {{ .p = b.p, .len = b.len{zero} }};")
        w.line(f"return {name}_equal(&va, &vb);")


def _content(w: Writer, chain: ir.Chain) -> None:
    """Bytes of an item that count in the order: those after its fixed head."""
    heads = {c_chain_head(a) for a in chain.arms if a.kind == "item"}
    w.line(f"const size_t head = {heads.pop() if len(heads) == 1 else 0}u;")


def c_chain_head(arm: ir.ChainArm) -> int:
    first = layout.segments(arm.packet.items)[0]
    return first.size if isinstance(first, layout.Run) else 0


def _order(w: Writer, shape: Shape, chain: ir.Chain) -> None:
    name = shape.cname
    with w.function(f"static int {_own(shape)}_item_order(struct mrg_span a, struct mrg_span b)"):
        _content(w, chain)
        at = "mrg_lower({}.p[i])" if c_chain.foldable(chain) else "{}.p[i]"
        w.line("const size_t least = a.len < b.len ? a.len : b.len;")
        with w.block("for (size_t i = head; i < least; i++)"):
            w.line(f"const int d = (int){at.format('a')} - (int){at.format('b')};")
            w.line("if (d != 0)")
            w.line("\treturn d;")
        w.line("return a.len < b.len ? -1 : a.len > b.len;")
    with w.function(f"int {name}_flat_order(const struct {name}_flat *a, const struct {name}_flat *b)"):
        w.line("unsigned i = a->count, j = b->count;")
        with w.block("while (i > 0 && j > 0)"):
            w.line(f"const int d = {_own(shape)}_item_order({name}_flat_item(a, --i), {name}_flat_item(b, --j));")
            w.line("if (d != 0)")
            w.line("\treturn d;")
        w.line("return i > 0 ? 1 : j > 0 ? -1 : 0;")
    with w.function(f"unsigned {name}_flat_common(const struct {name}_flat *a, const struct {name}_flat *b)"):
        w.line("unsigned n = 0;")
        w.line(f"while (n < a->count && n < b->count &&")
        same = "mrg_span_eq_nocase" if c_chain.foldable(chain) else "mrg_span_eq"
        w.line(f"       {same}({name}_flat_item(a, a->count - 1u - n), {name}_flat_item(b, b->count - 1u - n)))")
        w.line("\tn++;")
        w.line("return n;")


def _join(w: Writer, shape: Shape, chain: ir.Chain) -> None:
    name = shape.cname
    head = f"enum mrg_status {name}_flat_join(const struct {name}_flat *head, unsigned items, struct mrg_span tail, struct {name}_flat *out)"
    with w.function(head):
        w.line("const size_t n = items < head->count ? head->off[items] : head->len;")
        w.line(f"uint8_t whole[{chain.max_bytes}];")
        w.line(f"if (tail.len > {chain.max_bytes}u - n)")
        w.line("\treturn MRG_E_LIMIT;")
        w.line("memcpy(whole, head->b, n);")
        w.line("memcpy(whole + n, tail.p, tail.len);")
        w.line(f"return {name}_flat_check((struct mrg_span){{ whole, n + tail.len }}, out);")


def compresses(packet: ir.Packet) -> bool:
    """Builders write pointers in this chain.

    All chains of it must end alike, since the table takes one end for another."""
    chain = c_chain.only_chain(packet)
    if chain is None:
        return False
    goto = next((a for a in chain.arms if a.kind == "goto"), None)
    stops = [a for a in chain.arms if a.kind == "stop"]
    alike = len(stops) == 1 and stops[0].packet.size_max == 1 and sum(hi - lo + 1 for lo, hi in stops[0].first) == 1
    return goto is not None and pointer_field(goto) is not None and alike


def _put(w: Writer, shape: Shape, chain: ir.Chain) -> None:
    name = shape.cname
    goto = next((a for a in chain.arms if a.kind == "goto"), None)
    pointer = pointer_field(goto) if goto is not None else None
    if goto is None or pointer is None or not compresses(shape.packet):
        with w.function(f"void {name}_put_flat(struct mrg_w *w, struct mrg_span flat)"):
            w.line("mrg_w_put(w, flat);")
        return
    _ref_slot(w, shape)
    _put_compressed(w, shape, goto, pointer)
    with w.function(f"void {name}_put_flat(struct mrg_w *w, struct mrg_span flat)"):
        w.line(f"struct {name}_flat f;")
        with w.block("if (w->refs == NULL)"):
            w.line("mrg_w_put(w, flat);")
            w.line("return;")
        with w.block(f"if ({_own(shape)}_index(flat, &f) != MRG_OK || f.len != flat.len)"):
            w.line("mrg_w_fail(w, MRG_E_VALUE);")
            w.line("return;")
        w.line(f"{_own(shape)}_put_compressed(w, flat.p, &f);")


def _ref_slot(w: Writer, shape: Shape) -> None:
    w.comment(
        "Where the table has this item, as it is spelled, before the item at `next`, or the free slot\n"
        "for it: a pointer to another spelling would change what the reader sees."
    )
    with w.function(f"static inline unsigned {_own(shape)}_ref_slot(const struct mrg_w *w, uint16_t next, struct mrg_span item)"):
        w.line("const struct mrg_refs *const r = w->refs;")
        w.line("const uint64_t head = mrg_le_upto8(item.p, item.len);")
        w.line("unsigned slot = (unsigned)(mrg_hash_mix(head ^ (uint64_t)next << 40, 0xe7037ed1a0b428dbull) >> 57);")
        with w.block("for (; r->off[slot] != 0; slot = (slot + 1u) % MRG_REFS_SLOTS)"):
            w.line("const size_t at = r->base + r->off[slot] - 1u;")
            w.line("if (r->next[slot] == next && item.len <= w->len - at && head == mrg_le_upto8(w->p + at, item.len) &&")
            w.line("    (item.len <= 8u || memcmp(w->p + at + 8, item.p + 8, item.len - 8u) == 0))")
            w.line("\tbreak;")
        w.line("return slot;")


def _put_compressed(w: Writer, shape: Shape, goto: ir.ChainArm, pointer: ir.Scalar) -> None:
    name = shape.cname
    w.comment("Item i of the flat chain whose bytes are elsewhere than in f.")
    with w.function(
        f"static inline struct mrg_span {_own(shape)}_item(const uint8_t *bytes, const struct {name}_flat *f, unsigned i)"
    ):
        w.line("const size_t end = i + 1u < f->count ? f->off[i + 1u] : f->len;")
        w.line("return (struct mrg_span){ bytes + f->off[i], end - f->off[i] };")
    with w.function(f"static void {_own(shape)}_put_compressed(struct mrg_w *w, const uint8_t *bytes, const struct {name}_flat *f)"):
        w.line("struct mrg_refs *const r = w->refs;")
        w.line("uint16_t next = 0; /* 1 + offset of what was found */")
        w.line("unsigned items = f->count - 1u, slot = 0;")
        w.line("if (w->st != MRG_OK)")
        w.line("\treturn;")
        with w.block("for (; items > 0; items--)"):
            w.line(f"slot = {_own(shape)}_ref_slot(w, next, {_own(shape)}_item(bytes, f, items - 1u));")
            w.line("if (r->off[slot] == 0)")
            w.line("\tbreak;")
            w.line("next = r->off[slot];")
        w.line("const size_t found = next;")
        w.line("const size_t len = f->off[items];")
        w.line("size_t end = w->len - r->base + len;")
        w.line("mrg_w_put(w, (struct mrg_span){ bytes, len });")
        w.line("if (found == 0)")
        w.line(f"\tmrg_w_put(w, {_own(shape)}_item(bytes, f, f->count - 1u));")
        w.line("else")
        put_pointer(w, goto, pointer)
        w.line("if (w->st != MRG_OK)")
        w.line("\treturn;")
        remember(w, shape, "items", f"{_own(shape)}_item(bytes, f, i - 1u)")


def put_pointer(w: Writer, goto: ir.ChainArm, pointer: ir.Scalar) -> None:
    put, ctype = names.packet(goto.packet), names.uint_type(pointer.bits)
    w.line(f"\t{put}_put(w, &(struct {put}_args){{ .{names.local(pointer.name)} = ({ctype})(found - 1u) }});")


def remember(w: Writer, shape: Shape, count: str, item: str) -> None:
    """Put the first `count` items, which end at `end` of the message, into the table; `slot` is that of the last."""
    chain = c_chain.only_chain(shape.packet)
    assert chain is not None
    pointer = pointer_field(next(a for a in chain.arms if a.kind == "goto"))
    assert pointer is not None
    w.comment("remember the items just written, the last first")
    with w.block(f"for (unsigned i = {count}; i > 0; i--)"):
        w.line(f"const struct mrg_span item = {item};")
        w.line("end -= item.len;")
        low = f"end < {pointer.lo}u || " if pointer.lo else ""
        w.line(f"if ({low}end > {(1 << pointer.bits) - 1}u || r->count >= MRG_REFS_SLOTS * 3u / 4u)")
        w.line("\treturn;")
        w.line(f"if (i < {count})")
        w.line(f"\tslot = {_own(shape)}_ref_slot(w, next, item);")
        w.line("r->off[slot] = (uint16_t)(end + 1u);")
        w.line("r->next[slot] = next;")
        w.line("r->count++;")
        w.line("next = (uint16_t)(end + 1u);")
        w.line("mrg_refs_learn(r, item.p, next);")


def pointer_field(goto: ir.ChainArm) -> ir.Scalar | None:
    """The field of a goto arm that is, as it stands, where it points to."""
    if isinstance(goto.at, ir.FieldRef) and len(goto.at.path) == 1 and isinstance(goto.at.path[0], ir.Scalar):
        return goto.at.path[0]
    return None

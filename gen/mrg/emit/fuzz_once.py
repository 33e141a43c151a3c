"""How `shared` packets are fetched, for fuzzers: one C file a module, apart from all that may read the memory as often as it likes.

It is compiled so that each load is seen (gen/support/fuzz/mrg_plan_once.h), and so is the generated C that it calls.

Reading order: source, fetcher.
"""

from __future__ import annotations

from .. import ir, names
from .tests_c import actual_args, unused_args, uses_extern
from .writer import Writer


def fetched(module: ir.Module) -> list[ir.Packet]:
    """Packets that are fetched, of those that the glue has."""
    return [p for p in module.packets if is_fetched(p)]


def is_fetched(packet: ir.Packet) -> bool:
    return packet.shared and not packet.inline and not uses_extern(packet)


def fetcher(packet: ir.Packet) -> str:
    """The name in C of how it is fetched."""
    return f"mrg_fetch_{packet.module.name.replace('.', '_')}_{names.snake(packet.name)}"


def source(module: ir.Module) -> str:
    w = Writer()
    w.comment(f"How a fuzzer fetches what is `shared` of {names.header(module)}: generated from {module.path}.")
    w.line('#include "mrg_plan_once.h"')
    w.line(f'#include "{names.header(module)}"')
    for packet in fetched(module):
        w.line()
        _packet(w, packet)
    return w.text()


def _packet(w: Writer, packet: ir.Packet) -> None:
    name, short = names.packet(packet), names.snake(packet.name)
    w.line(f"static struct {name}_fetched {short}_out;")
    head = f"static enum mrg_status {short}_fetch(const volatile void *from, struct mrg_span in, const uint64_t *args, struct mrg_span *view, "
    with w.function(head + "struct mrg_reject *rj)"):
        unused_args(w, packet)
        w.line(f"const enum mrg_status st = {name}_fetch(from, in.len{actual_args(packet)}, &{short}_out, rj);")
        w.line(f"*view = st == MRG_OK ? {name}_span(&{short}_out.view) : (struct mrg_span){{ {short}_out.view.p, 0 }};")
        w.line("return st;")
    w.line(f"extern const struct mrg_glue_fetch {fetcher(packet)};")
    w.line(f"const struct mrg_glue_fetch {fetcher(packet)} = {{ {short}_fetch, {packet.size_max}u, MRG_ONCE_COUNTED }};")

"""Subjects for a fuzzer: packets, texts and machines of modules, as tables and as generated C, to be held against each other.

A folder of its own that builds with make and nothing else: the generated C,
the subjects, and what drives them (gen/support/fuzz).

Reading order: files, programs, _subject.
"""

from __future__ import annotations

import json
from typing import Callable, Iterator, Mapping, NamedTuple, Optional, Sequence

from .. import ir, names
from ..prove_reach import Prover
from ..field_ids import own_items
from ..layout import Run, contained, refs, segments
from . import fuzz_glue, fuzz_once, machine, machine_subject, plan, plan_code, scope, streams, text_subject
from .tests_c import uses_extern
from .writer import Writer


class Place(NamedTuple):
    """A point of a specification, and where it is.  never: why no input comes to it, if none does."""

    name: str
    loc: ir.Loc
    never: str = ""

MAKEFILE = """\
# make: `fuzz`, the fuzzer in one process.  make libfuzzer, make afl (with mutator.so): the same inputs driven from outside.
# make engine.a: what is linked with support/mrg_fuzz_again.c, -DMRG_FUZZ_SUBJECT='"NAME"', to be a libFuzzer target of that subject.
# make streams.a: streams cut into messages, for AFLNet (aflnet_*.c; -DAFLNET -I its folder, in CFLAGS).
# dict/: for fuzzers that know nothing of the subject.
CC     ?= cc
CLANG  ?= clang
AFL_CC ?= afl-clang-fast
CFLAGS ?= -O2 -g
FLAGS  := -std=c11 -D_GNU_SOURCE -I. -Isupport
# Whether packets are walked by code instead of tables: some seconds to compile, and as much as twice the rate.
CODE   ?= $(filter -O2 -O3,$(CFLAGS))
MADE   := {spec}
PLAN   := $(addprefix support/mrg_plan_,make.c input.c change.c subject.c once.c) $(wildcard support/mrg_textplan*.c) support/mrg_machine_plan.c subjects.c
COMMON := support/mrg_fuzz_again.c support/mrg_fuzz_guard.c
RUNNER := $(addprefix support/mrg_fuzz_,run.c main.c loop.c find.c catch.c havoc.c exhaust.c files.c) $(COMMON)
ALL    := $(MADE) $(PLAN)
# What AFL++ is to see the ways through: what is under test, and who calls it, not what holds it against the specification.
MARKED := $(filter-out subjects_%-read.c subjects_%-make.c texts_% machines_%,$(MADE))
# What reads `shared` memory: support/mrg_plan_once.h sees each load, where no sanitizer is asked for.
ONCE   := {once}
ONCE_COUNTED := $(if $(findstring -fsanitize,$(CC) $(CFLAGS)),,-fsanitize=thread $(foreach f,cpy move chr cmp,-Dmem$(f)=mrg_once_mem$(f)))
$(patsubst %.c,obj/%.o,$(ONCE)): ONCE_FLAGS := $(ONCE_COUNTED)

obj/%.o obj-afl/%.o obj-so/%.o: FLAGS += $(if $(CODE),-DMRG_PLAN_CODE)
fuzz: $(patsubst %.c,obj/%.o,$(ALL) $(RUNNER))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(ONCE_FLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
-include $(shell find obj* -name '*.d' 2>/dev/null)
engine.a: $(patsubst %.c,obj/%.o,$(ALL) support/mrg_fuzz_libfuzzer.c support/mrg_fuzz_havoc.c support/mrg_fuzz_guard.c)
	$(AR) rcs $@ $^
streams.a: $(patsubst %.c,obj/%.o,$(MADE) $(wildcard aflnet_*.c) support/mrg_stream.c support/mrg_plan_once.c)
	$(AR) rcs $@ $^
libfuzzer: $(ALL) support/mrg_fuzz_libfuzzer.c support/mrg_fuzz_havoc.c $(COMMON)
	$(CLANG) $(FLAGS) -g -O1 -fsanitize=fuzzer,address,undefined -o $@ $(filter %.c,$^)
afl: $(patsubst %.c,obj-afl/%.o,$(ALL) support/mrg_fuzz_afl.c $(COMMON)) mutator.so
	AFL_QUIET=1 $(AFL_CC) $(CFLAGS) -o $@ $(filter %.o,$^)
$(patsubst %.c,obj-afl/%.o,$(MARKED) support/mrg_fuzz_afl.c): MARKING = AFL_QUIET=1 $(AFL_CC)
obj-afl/%.o: MARKING = $(CC)
obj-afl/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(MARKING) $(FLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
mutator.so: $(patsubst %.c,obj-so/%.o,$(ALL) support/mrg_fuzz_aflmut.c support/mrg_fuzz_havoc.c $(COMMON))
	$(CC) $(CFLAGS) -shared -o $@ $^
obj-so/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(CFLAGS) -fPIC -MMD -MP -c -o $@ $<
"""


def files(
    modules: Sequence[ir.Module], named: Sequence[str], emits: Sequence[Callable[[ir.Module], dict[str, str]]],
    texts: Mapping[str, str], paths: Sequence[str], prover: Optional[Prover] = None,
) -> dict[str, str]:  # fmt: skip
    """What goes into the folder, by path: generated C of all that the modules of these names need, and subjects of their packets.

    texts: of the specifications, by the names that are in places.  paths: of those that are asked for, as they were given.  prover: says of points
    that no input comes to them; without it, only sizes do."""
    wanted = [m for m in modules if m.name in named and can_be_fuzzed(m)]
    needed = _with_imports(wanted)
    out: dict[str, str] = {}
    for module in needed:
        for emit in emits:
            out.update(emit(module))
    for module in wanted:
        out.update(_machines(module))
    once = _once(wanted, emits)
    out.update(once)
    source = sorted(path for path in out if path.endswith(".c"))
    subjects: list[str] = []
    places: dict[str, list[Place]] = {}
    of_rules: dict[str, list[tuple[str, ir.Loc]]] = {}
    for module in wanted:
        if module.packets:
            out.update(programs(module, places, prover))
            subjects += [f"{listed(module)}_{names.snake(p.name)}" for p in _subjects_of(module)]
        if module.grammars:
            text, of_texts = text_subject.subjects(module, places=of_rules)
            out[f"texts_{module.name.replace('.', '_')}.c"] = text
            subjects += of_texts
        if machine_subject.machines_of(module):
            text, of_machines = machine_subject.subjects(module)
            out[f"machines_{module.name.replace('.', '_')}.c"] = text
            subjects += of_machines
    for module in _makers(wanted):
        out.update(programs(module))
    w = Writer()
    w.comment("All that can be fuzzed here.")
    w.line('#include "mrg_fuzz.h"')
    w.line()
    for subject in subjects:
        w.line(f"extern const struct mrg_fuzz_subject {subject};")
    w.line("extern const struct mrg_fuzz_subject *const mrg_fuzz_subjects[];")
    with w.block("const struct mrg_fuzz_subject *const mrg_fuzz_subjects[] =", "};"):
        for subject in subjects:
            w.line(f"&{subject},")
        w.line("NULL,")
    out["subjects.c"] = w.text()
    source += sorted(path for path in out if path.startswith(("subjects_", "texts_", "machines_")))
    for module in wanted:
        for packet in _subjects_of(module):
            words = scope.words_of_packet(packet, _hints(packet))
            out[f"dict/{module.name}.{packet.name}.dict"] = scope.dictionary(words)
        cut = streams.source(module)
        if cut is not None:
            out[f"aflnet_{module.name.replace('.', '_')}.c"] = cut
        for rule in text_subject.texts(module):
            out[f"dict/{rule.title}.dict"] = scope.dictionary(scope.words_of_nodes([rule.rule.node]))
    places |= {name: [Place(*point) for point in points] for name, points in of_rules.items()}
    out["points.json"] = _points(places, texts, paths)
    out["Makefile"] = MAKEFILE.format(spec=" ".join(source), once=" ".join(once))
    return out


def _points(places: dict[str, list[Place]], texts: Mapping[str, str], paths: Sequence[str]) -> str:
    """Of each subject, its points and where they are in which specification, whose text is there, too: for `mrg fuzz-report`."""
    files = sorted({p.loc.file for points in places.values() for p in points})
    subjects = {name: [[p.name, p.loc.file, p.loc.line, p.loc.col] for p in points if not p.never] for name, points in places.items()}
    never = {name: [[p.name, p.loc.file, p.loc.line, p.loc.col, p.never] for p in points if p.never] for name, points in places.items()}
    known = {"specs": list(paths), "files": {name: texts[name] for name in files}, "subjects": subjects, "never": {k: v for k, v in never.items() if v}}
    return json.dumps(known, indent=0, ensure_ascii=False) + "\n"


def can_be_fuzzed(module: ir.Module) -> bool:
    return bool(module.packets or module.grammars or machine_subject.machines_of(module))


def _makers(wanted: Sequence[ir.Module]) -> list[ir.Module]:
    """Modules whose packets are only brought by events of machines of others."""
    brought = [packet.module for module in wanted for packet in machine_subject.packets_of(module)]
    return [m for m in {id(m): m for m in brought}.values() if m not in wanted]


def _once(wanted: Sequence[ir.Module], emits: Sequence[Callable[[ir.Module], dict[str, str]]]) -> dict[str, str]:
    """The C that reads memory which others may change: how packets are fetched, and all that this calls."""
    sharing = [module for module in wanted if fuzz_once.fetched(module)]
    out = {f"once_{module.name.replace('.', '_')}.c": fuzz_once.source(module) for module in sharing}
    for module in _with_imports(sharing):
        for emit in emits:
            out.update({path: text for path, text in emit(module).items() if path.endswith(".c")})
    return out


def _machines(module: ir.Module) -> dict[str, str]:
    """Those that have a subject: of others nobody defines the deeds."""
    there = machine_subject.machines_of(module)
    header = {names.header(module): machine.header(module)} if there else {}
    return header | {machine.source_name(module, x): machine.source(module, x) for x in there}


def _with_imports(modules: Sequence[ir.Module]) -> list[ir.Module]:
    out: dict[str, ir.Module] = {}

    def add(module: ir.Module) -> None:
        if module.name not in out:
            for imported in module.imports:
                add(imported)
            out[module.name] = module

    for module in modules:
        add(module)
    return list(out.values())


def _subjects_of(module: ir.Module) -> list[ir.Packet]:
    return [p for p in module.packets if not p.inline and not uses_extern(p)]


def programs(module: ir.Module, places: Optional[dict[str, list[Place]]] = None, prover: Optional[Prover] = None) -> dict[str, str]:
    """C files with a subject for each packet of the module that is declared by name; link them with the generated C.

    places: where to put the points of each subject, those last that no input comes to."""
    stem = module.name.replace(".", "_")
    t = plan.Tables(module)
    return {
        f"plan_{stem}.h": t.text(),
        f"subjects_{stem}.c": _subjects(module, t, f"plan_{stem}.h", places, prover),
        f"subjects_{stem}-read.c": plan_code.source(t, f"plan_{stem}.h", makes=False),
        f"subjects_{stem}-make.c": plan_code.source(t, f"plan_{stem}.h", makes=True),
    }


def _subjects(
    module: ir.Module, t: plan.Tables, header: str, places: Optional[dict[str, list[Place]]], prover: Optional[Prover],
) -> str:  # fmt: skip
    w = Writer()
    rows = [p for p in module.packets if not uses_extern(p)]  # as in the glue's table
    w.line(fuzz_glue.glue(module))
    w.line(f'#include "{header}"')
    w.line()
    w.line("#ifdef MRG_PLAN_CODE")
    for head in plan_code.heads(module):
        w.line(f"{head};")
    name = plan.name_of(module)
    w.line(f"static const struct mrg_plan {name} = {{ PLAN_TABLES, .read = {name}_read, .make = {name}_make }};")
    w.line("#else")
    w.line(f"static const struct mrg_plan {name} = {{ PLAN_TABLES }};")
    w.line("#endif")
    w.line("static struct mrg_plan_room room;")
    for packet in fuzz_once.fetched(module):
        w.line(f"extern const struct mrg_glue_fetch {fuzz_once.fetcher(packet)};")
    w.line()
    for row, packet in enumerate(rows):
        if not packet.inline:
            points = _subject(w, module, t, packet, row, prover)
            if places is not None:
                places[f"{module.name}.{packet.name}"] = points
    return w.text()


def listed(module: ir.Module) -> str:
    """What the names of a module's subjects begin with."""
    return "mrg_fuzz_" + module.name.replace(".", "_")


def _subject(w: Writer, module: ir.Module, t: plan.Tables, packet: ir.Packet, row: int, prover: Optional[Prover]) -> list[Place]:
    """Its points."""
    short = names.snake(packet.name)
    offsets = ["0"] * len(t.order)  # of each packet, where its points begin among `every`
    every: list[int] = []
    for one in sorted(contained(packet), key=lambda p: t.packets[id(p)]):
        first, end = t.points_of[t.packets[id(one)]]
        offsets[t.packets[id(one)]] = str(len(every))
        every += range(first, end)
    shown = prover.never(packet) if prover is not None else set()
    never = {p: "by sizes" for p in by_sizes(t, packet)} | {p: WHY.get(t.keys[p][1], WHY[""]) + ", by z3" for p in every if t.keys[p] in shown}
    points = [p for p in every if p not in never]
    others = [p for p in every if p in never]
    order = {p: i for i, p in enumerate([*points, *others])}
    _numbers(w, f"static const uint32_t {short}_offsets[]", offsets)
    _numbers(w, f"static const uint32_t {short}_ranks[]", [str(order[p]) for p in every])
    _numbers(w, f"static const uint32_t {short}_points[]", list(map(str, points)))
    w.line(f"static uint8_t {short}_reached[{max(len(every), 1)}];")
    w.line(f"static uint16_t {short}_tries[{max(len(points), 1)}];")
    if others:
        with w.block(f"static const char *const {short}_never[] =", "};"):
            for p in others:
                w.line(f'{names.c_string(f"{t.points[p]}: cannot be reached: {never[p]}")},')
    with w.block(f"static struct mrg_plan_subject {short}_ctx =", "};"):
        w.line(f".plan = &{plan.name_of(module)}, .packet = {t.packets[id(packet)]}, .glue = &{fuzz_glue.table(module)}[{row}],")
        w.line(".room = &room,")
        if fuzz_once.is_fetched(packet):
            w.line(f".fetch = &{fuzz_once.fetcher(packet)},")
        w.line(f".reached = {short}_reached, .tries = {short}_tries, .point_n = {len(points)},")
        w.line(f".offsets = {short}_offsets, .ranks = {short}_ranks, .points = {short}_points,")
    tried = scope.emit(w, short, scope.of_packet(packet, _hints(packet)), scope.heads(packet))
    w.line(f"extern const struct mrg_fuzz_subject {listed(module)}_{short};")
    with w.block(f"const struct mrg_fuzz_subject {listed(module)}_{short} =", "};"):
        w.line(f".name = {names.c_string(module.name + '.' + packet.name)}, .ctx = &{short}_ctx, .len_max = {max(65536, (packet.max_bytes or 0) + 1024)},")
        for part in ("make", "mutate", "smaller", "run", "learn", "show"):
            w.line(f".{part} = mrg_plan_subject_{part},")
        w.line(f".point_count = {len(points)}, .point_name = mrg_plan_subject_point, .reached = {short}_reached,")
        if others:
            w.line(f".never = {short}_never, .never_count = {len(others)},")
        w.line(tried)
    w.line()
    return [Place(t.points[p], t.places[p], never.get(p, "")) for p in [*points, *others]]


def _hints(packet: ir.Packet) -> dict[int, list[int]]:
    return {key: values for one in contained(packet) for key, values in plan.hints(one).items()}


# Why no input comes to a point, by its word (prove_items.py).
WHY = {
    "": "what is read before it decides",
    "run": "what is read before makes sure of its octets", "cut": "what is read before makes sure of its octets",
    "const": "what is read before makes it hold", "closed": "what is read before makes it hold",
    "computed": "what says the size makes it hold", "broken": "what is read before makes it hold",
    "none": "what is read before asks for one", "many": "what is read before bounds its octets", "long": "what is read before bounds its octets",
    "longer": "what is read before bounds its octets", "left": "it takes all that there is", "jumps": "it begins too near to where pointers count from",
}  # fmt: skip


def points_of(t: plan.Tables, packet: ir.Packet) -> list[int]:
    """Of the packet and all in it."""
    return [p for one in sorted(contained(packet), key=lambda one: t.packets[id(one)]) for p in range(*t.points_of[t.packets[id(one)]])]


def by_sizes(t: plan.Tables, root: ir.Packet) -> set[int]:
    """Points that no message of `root` leads to: a cut where whoever uses the packet has made sure of the octets before."""
    never = set(t.impossible)
    sure: dict[int, list[int]] = {}  # id(packet) -> bits that each of its uses has made sure of
    for packet in contained(root):
        for segment in [s for items in _lists(packet.items) for s in segments(items)]:
            if isinstance(segment, Run):
                for item in segment.items:
                    if isinstance(item, ir.Sub):
                        sure.setdefault(id(item.packet), []).append(1 << 30)
            elif isinstance(segment, ir.Sub):
                sure.setdefault(id(segment.packet), []).append(0)
        for item in own_items(packet.items):
            if isinstance(item, ir.List) and isinstance(item.elem, ir.Sub):
                sure.setdefault(id(item.elem.packet), []).append(_before_element(item))
            elif isinstance(item, ir.Switch):
                for arm in item.arms:
                    if isinstance(arm.item, ir.Sub):
                        sure.setdefault(id(arm.item.packet), []).append(0)
            elif isinstance(item, ir.Region) and isinstance(item.item, ir.Sub):
                sure.setdefault(id(item.item.packet), []).append(0)
            elif isinstance(item, ir.Chain):
                for one in item.arms:
                    sure.setdefault(id(one.packet), []).append(8)
    for packet in contained(root):
        bits = min(sure.get(id(packet), [0])) if packet is not root else 0
        runs = t.runs.get(id(packet), [])
        if bits >= 1 << 30:
            never |= {point for point, _ in runs}
        elif runs and runs[0][1] <= bits and isinstance(segments(packet.items)[0], Run):
            never.add(runs[0][0])
    return never


def _lists(items: list[ir.Item]) -> Iterator[list[ir.Item]]:
    """A packet's items, and those of its optional groups."""
    yield items
    for item in items:
        if isinstance(item, ir.Optional_):
            yield from _lists(item.items)


def _before_element(item: ir.List) -> int:
    """Bits that are there when an element is begun."""
    if item.mode in ("bytes", "rest"):
        return 8
    if item.mode == "while":
        peeks = [e.bits for e in refs(item.expr) if isinstance(e, ir.Peek)]
        return max([8 if any(isinstance(e, ir.Avail) for e in refs(item.expr)) else 0, *peeks])
    return 0


def _numbers(w: Writer, head: str, values: list[str]) -> None:
    with w.block(f"{head} =", "};"):
        for i in range(0, max(len(values), 1), 16):
            w.line(", ".join(values[i : i + 16] or ["0"]) + ",")

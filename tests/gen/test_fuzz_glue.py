#!/usr/bin/env python3
"""The glue of fuzzers against the interpreter: what walks of generated views tell of messages, drawn and mutated, of every packet.

All modules of specs/, linked with the libraries of the build, and those of tests/gen/interp, whose C is generated here.
The program stays in the build folder, so that only what changed is compiled again.
"""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent), str(ROOT / "gen")]
from report import BUILD, OUT, Report, clean_environment  # noqa: E402

from mrg import ir, names  # noqa: E402
from mrg.emit import c_module, fuzz_glue  # noqa: E402
from mrg.emit.tests_c import given, is_choosy, uses_extern  # noqa: E402
from mrg.emit.writer import write_if_changed  # noqa: E402
from mrg.field_ids import Event, Ids, events, field_ids, own_items  # noqa: E402
from mrg.interp import parse  # noqa: E402
from mrg.interp_build import BuildError, build, values_of  # noqa: E402
from mrg.layout import contained  # noqa: E402
from mrg.load import load  # noqa: E402
from mrg.values import Node, Rejection, Status  # noqa: E402
from mrg.vectors import messages  # noqa: E402

DRAWN = 3  # messages of a packet
MUTATED = 5  # of each
SEED = 1
FLAGS = "-std=c11 -O0 -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Wmissing-prototypes -Wstrict-prototypes -Werror".split()
LIBRARIES = "dns http tcpip archive".split()
ANSWER = struct.Struct("=iiQIIII")
NO_BUILDER = 1


@dataclass(frozen=True)
class Case:
    """A message for a packet; `drawn`: it is valid by construction."""

    table: int
    row: int
    packet: ir.Packet
    args: tuple[int, ...]
    data: bytes
    drawn: bool


@dataclass(frozen=True)
class Answer:
    """What generated C says of a message."""

    status: int
    at: int  # octets used, or the bit of the rejection
    events: list[Event]
    lost: int
    args: int
    again: int
    written: bytes


# --- the program ----------------------------------------------------------------


def modules() -> tuple[list[ir.Module], list[ir.Module]]:
    """Modules with packets: of specs/, and of the tests of the interpreter."""
    own = sorted(map(str, (HERE / "interp").glob("*.mrg")))
    ours = load(sorted(map(str, (ROOT / "specs").rglob("*.mrg"))), [str(ROOT / "specs")])
    others = load(own, [str(HERE / "interp"), str(ROOT / "specs")])
    known = {m.name for m in ours}
    return [m for m in ours if m.packets], [m for m in others if m.packets and m.name not in known]


def compiled(ours: list[ir.Module], others: list[ir.Module]) -> Path:
    """Make the program; its path.  What went wrong is printed, and then there is no such file."""
    folder = (ROOT / BUILD / "tests/gen/glue").resolve()
    files = {f"glue_{m.name.replace('.', '_')}.c": fuzz_glue.glue(m) for m in [*ours, *others]}
    sources = [*files, "tables.c"]
    for m in others:
        files[names.header(m)], files[names.source(m)] = c_module.header(m), c_module.source(m)
        sources.append(names.source(m))
    tables = [fuzz_glue.table(m) for m in [*ours, *others]]
    files["tables.c"] = '#include "mrg_glue.h"\n\n' + "".join(f"extern const struct mrg_glue {t}[];\n" for t in tables)
    files["tables.c"] += "extern const struct mrg_glue *const glue_tables[];\n"
    files["tables.c"] += "const struct mrg_glue *const glue_tables[] = { " + ", ".join(tables) + " };\n"
    files["Makefile"] = makefile([s.replace(".c", ".o") for s in sources])
    for name, text in files.items():
        write_if_changed(str(folder / name), text)
    done = subprocess.run(["make", "-C", str(folder), "-j2", "-s"], capture_output=True, text=True, env=clean_environment())
    if done.returncode != 0:
        print((done.stdout + done.stderr)[-6000:])
        (folder / "glue").unlink(missing_ok=True)
    return folder / "glue"


def makefile(objects: list[str]) -> str:
    support, generated = ROOT / "gen/support", (ROOT / OUT / "gen").resolve()
    libraries = [str((ROOT / BUILD / f"lib/libmrg{name}.a").resolve()) for name in ["", *(f"-{n}" for n in LIBRARIES)]]
    return "\n".join([
        "MAKEFLAGS += --no-builtin-rules",
        f"CC := {os.environ.get('CC', 'gcc')}",
        f"OBJECTS := {' '.join(objects)} glue_driver.o",
        f"VPATH := {HERE}",
        f"glue: $(OBJECTS) {' '.join(libraries)}",
        "\t$(CC) -o $@ $(OBJECTS) -Wl,--start-group " + " ".join(libraries) + " -Wl,--end-group",
        "%.o: %.c Makefile",
        f"\t$(CC) {' '.join(FLAGS)} -MMD -MP -I. -I{support} -I{support}/fuzz -I{generated} -c -o $@ $<",
        "-include $(OBJECTS:.o=.d)",
        "",
    ])


def answers(program: Path, cases: list[Case]) -> Iterator[Answer]:
    """What the program says of each case, in order; fewer when it dies."""
    asked = b"".join(
        struct.pack(f"=IIII{len(c.args)}Q", c.table, c.row, len(c.args), len(c.data), *c.args) + c.data for c in cases
    )
    done = subprocess.run([str(program)], input=asked, capture_output=True)
    said, at = done.stdout, 0
    if done.returncode != 0:
        print(f"the program ended with {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
    while at + ANSWER.size <= len(said):
        status, again, where, count, lost, args, again_len = ANSWER.unpack_from(said, at)
        at += ANSWER.size
        numbers = struct.unpack_from(f"={2 * count}Q", said, at)
        at += 16 * count
        yield Answer(status, where, list(zip(numbers[::2], numbers[1::2])), lost, args, again, said[at : at + again_len])
        at += again_len


# --- the messages -----------------------------------------------------------------


def cases_of(table: int, module: ir.Module) -> Iterator[Case]:
    packets = [p for p in module.packets if not uses_extern(p)]
    for row, packet in enumerate(packets):
        rng = random.Random(f"{module.name}.{packet.name}.{SEED}")
        for m in messages(packet, DRAWN, SEED):
            yield Case(table, row, packet, m.args, m.data, True)
            for how in range(MUTATED):
                yield Case(table, row, packet, m.args, mutated(rng, how, m.data), False)


def mutated(rng: random.Random, how: int, data: bytes) -> bytes:
    """Bits flipped, one of the first octets another, cut, more behind it, octets taken out."""
    out = bytearray(data)
    at = rng.randrange(len(out)) if out else 0
    if how == 3 or not out:
        return data + rng.randbytes(rng.randint(1, 20))
    if how == 0:
        out[at] ^= 1 << rng.randrange(8)
    elif how == 1:
        out[min(at, rng.randrange(8))] = rng.randrange(256)
    elif how == 2:
        del out[at:]
    else:
        del out[at : at + rng.randint(1, 4)]
    return bytes(out)


# --- comparing ---------------------------------------------------------------------


def told_of(module: ir.Module, ids: Ids) -> dict[int, str]:
    """What each number is the number of, for people."""
    out: dict[int, str] = {}
    for root in module.packets:
        for packet in contained(root):
            out[ids[id(packet)]] = packet.name
            out.update((ids[id(item)], f"{packet.name}.{item.name or type(item).__name__}") for item in own_items(packet.items))
    return out


def differs(module: ir.Module, ids: Ids, case: Case, said: Answer) -> str:
    """How the C differs from the interpreter; "" when it does not."""
    node: Optional[Node] = None
    status, at, want = Status.OK, 0, list[Event]()
    try:
        node = parse(case.packet, case.data, given(case.packet, case.data, case.args))
        at, want = node.bit_len // 8, list(events(ids, node))
    except Rejection as rejection:
        status, at = rejection.status, rejection.bit_off
    if said.args != len(case.args):
        return f"takes {len(case.args)} numbers, in C {said.args}"
    if (said.status, said.at) != (status, at):
        return f"{status} at {at}, in C {Status(said.status)} at {said.at}"
    if said.lost or said.events != want:
        same = next((i for i, (a, b) in enumerate(zip(want, said.events)) if a != b), min(len(want), len(said.events)))
        word = told_of(module, ids)
        rows = [[f"{word[i]} {value:#x}" for i, value in part[same : same + 3]] for part in (want, said.events)]
        return f"event {same} of {len(want)}: {rows[0]}, in C {rows[1]} of {len(said.events)}, {said.lost} lost"
    return written(case, node, said) if node is not None and case.drawn else ""


def written(case: Case, node: Node, said: Answer) -> str:
    """A drawn message is written again as the interpreter does."""
    if said.again == NO_BUILDER:
        return ""
    try:
        want = build(case.packet, values_of(node), given(case.packet, b"", case.args))
    except BuildError as why:
        return "" if said.again != Status.OK else f"written again, but {why}"
    if said.again == Status.E_VALUE and is_choosy(case.packet):
        return ""
    return "" if (said.again, said.written) == (Status.OK, want) else f"written {want.hex()}, in C {said.again}: {said.written.hex()}"


def numbered(report: Report, module: ir.Module) -> None:
    """Numbers are from 1 without a gap; a packet's are in a row, after those of what it is made of."""
    ids = field_ids(module)
    report.check(f"{module.name}: each number once", sorted(ids.values()) == list(range(1, len(ids) + 1)))
    report.check(f"{module.name}: the same again", list(field_ids(module).values()) == list(ids.values()))
    faults = []
    for root in module.packets:
        for packet in contained(root):
            first, items = ids[id(packet)], list(own_items(packet.items))
            if [ids[id(i)] for i in items] != list(range(first + 1, first + 1 + len(items))):
                faults.append(f"{packet.name} is not in a row")
            if any(ids[id(inner)] > first for inner in contained(packet)):
                faults.append(f"{packet.name} is before what it is made of")
    report.none(f"{module.name}: packets in a row", faults)


def main() -> int:
    report = Report()
    ours, others = modules()
    every = [*ours, *others]
    for module in every:
        numbered(report, module)
    program = compiled(ours, others)
    if not report.check("the glue of all modules compiles", program.exists()):
        return report.finish()
    cases = [case for table, module in enumerate(every) for case in cases_of(table, module)]
    said = list(answers(program, cases))
    report.check("each case is answered", len(said) == len(cases), f"{len(said)} of {len(cases)}")
    ids = [field_ids(module) for module in every]
    accepted = 0
    for case, answer in zip(cases, said):
        how = differs(every[case.table], ids[case.table], case, answer)
        what = f"{every[case.table].name}:{case.packet.name}{list(case.args)}"
        report.check(what, not how, f"{case.data.hex()}\n{how}")
        accepted += not case.drawn and answer.status == Status.OK
    report.check("mutated messages are accepted, too", accepted * 4 > len(cases), f"{accepted} of {len(cases)}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

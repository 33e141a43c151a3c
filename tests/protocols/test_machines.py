#!/usr/bin/env python3
"""Connections of HTTP, streams and transfers of DNS, held against their machines while they are busy.

The tests of both, those that do anything at any time among them, are linked once more, with something between the machine and
who runs it: it keeps what came and what was done, for `mrg watch`, and tells the watch in C (MRG_WATCH) of it at once.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "gen"), str(ROOT / "tests")]

from mrg import ir, ir_machine, names, trace, watch  # noqa: E402
from mrg.emit import machine, machine_watch  # noqa: E402
from mrg.emit.machine_step import event_head  # noqa: E402
from mrg.errors import Failed  # noqa: E402
from mrg.load import load  # noqa: E402
from report import BUILD, OUT, Report, run  # noqa: E402

# specification, machine, program, fewest different lives that are seen of it
BUSY = [
    ("http/connection", "ConnectionServer", "http/test_server_random", 100),
    ("http/connection", "ConnectionServer", "http/test_server_time", 20),
    ("http/connection", "ConnectionClient", "http/test_client_random", 300),
    ("http/connection", "ConnectionClient", "http/test_client_out", 20),
    ("dns/stream", "StreamServer", "dns/test_stream", 10),
    ("dns/stream", "StreamServer", "dns/test_stream_transfer", 5),
    ("dns/transfer", "TransferOrder", "dns/test_transfer_in", 20),
    ("dns/stream", "StreamClient", "dns/test_transfer_both", 5),
]
LINES = 400_000  # of a trace that are kept

KEEP = """
#include <stdio.h>
#include <stdlib.h>
struct life { const void *m; struct %(name)s_watch w; };
static struct life lives[256];
static FILE *out;
static unsigned long lines;
static struct life *life(const void *m)
{
	for (size_t i = 0; i < 256; i++)
		if (lives[i].m == m)
			return &lives[i];
	abort();
}
static void good(const void *m, enum mrg_watch verdict)
{
	const struct mrg_watch_note *const n = &life(m)->w.note;
	if (verdict == MRG_WATCH_OK)
		return;
	(void)fprintf(stderr, "in state %%s, on %%s: %%s came, and %%s was to (%%s)\\n", n->state, n->event, n->did, n->expected, n->where);
	abort();
}
#define SAY(m, ...) (out == NULL ? out = fopen(getenv("TRACE"), "w") : NULL, \\
	lines++ < %(lines)d ? (void)(fprintf(out, "%%d ", (int)(life(m) - lives)), fprintf(out, __VA_ARGS__), fflush(out)) : (void)0)
void __real_%(name)s_begin(struct %(name)s *m);
void __wrap_%(name)s_begin(struct %(name)s *m);
void __wrap_%(name)s_begin(struct %(name)s *m)
{
	size_t i = 0, none = 256;
	for (; i < 256 && lives[i].m != m; i++)
		if (lives[i].m == NULL && none == 256)
			none = i;
	if (i == 256)
		i = none;
	lives[i].m = m;
	%(name)s_watch_begin(&lives[i].w);
	SAY(m, "begin\\n");
	__real_%(name)s_begin(m);
}
"""


def said(params: list[ir.Param]) -> tuple[str, str]:
    """printf's format and arguments for what is told."""
    if not params:
        return "", ""
    return f"({', '.join(f'{p.name}=%u' for p in params)})", "".join(f", (unsigned){names.local(p.name)}" for p in params)


def between(m: ir_machine.Machine) -> tuple[str, list[str]]:
    """C between a machine and its user, and the functions in whose place it stands."""
    name = names.machine(m)
    out = [f'#include "{names.header(m.module)}"', KEEP % {"name": name, "lines": LINES}]
    wrapped = [f"{name}_begin"]
    for e in m.events:
        head, (text, args) = event_head(m, e), said(e.params)
        given = "".join(f", {names.local(p.name)}" for p in e.params)
        function = f"{name}_on_{e.name}"
        wrapped.append(function)
        for way in ("__real_", "__wrap_"):
            out.append(head.replace(function, way + function) + ";")
        out.append(head.replace(function, "__wrap_" + function) + "\n{\n"
                   f'\tSAY(m, "{e.name}{text}\\n"{args});\n\tgood(m, {name}_watch_on_{e.name}(&life(m)->w{given}));\n'
                   f"\tconst enum mrg_step step = __real_{function}(m, ctx{given});\n"
                   f"\tgood(m, {name}_watch_end(&life(m)->w));\n\treturn step;\n}}")
    for verb, what, params in machine_watch.told(m):
        function = f"{name}_{verb}_{what}"
        wrapped.append(function)
        typed = "".join(f", {names.uint_type(p.bits)} {names.local(p.name)}" for p in params)
        given = "".join(f", {names.local(p.name)}" for p in params)
        text, args = said(params)
        for way in ("__real_", "__wrap_"):
            out.append(f"void {way}{function}(const struct {name} *m, void *ctx{typed});")
        spoken = f"{what}{text}" if verb == "do" else f"{verb} {what}"
        out.append(f"void __wrap_{function}(const struct {name} *m, void *ctx{typed})\n{{\n"
                   f'\tSAY(m, "> {spoken}\\n"{args});\n\tgood(m, {name}_watch_{verb}_{what}(&life(m)->w{given}));\n'
                   f"\t__real_{function}(m, ctx{given});\n}}")
    return "\n".join(out) + "\n", wrapped


def linked(m: ir_machine.Machine, program: str, room: Path) -> Path:
    text, wrapped = between(m)
    (room / "between.c").write_text(text, encoding="utf-8")
    flags = ["gcc", "-std=c11", "-O1", "-w", "-DMRG_WATCH", "-D_GNU_SOURCE", "-I", str(ROOT / OUT / "gen"), "-I", str(ROOT / "gen/support"), "-c"]
    subprocess.run([*flags, "between.c", str(ROOT / OUT / "gen" / machine.source_name(m.module, m))], cwd=room, check=True)
    libs = sorted(str(p) for p in (ROOT / BUILD / "lib").glob("lib*.a"))
    needed = subprocess.run(["pkg-config", "--libs", "check", "nettle"], check=True, text=True, capture_output=True).stdout.split()
    subprocess.run(["gcc", "-o", "busy", str(ROOT / BUILD / "obj/tests/protocols" / (program + ".o")), *sorted(p.name for p in room.glob("*.o")),
                    *(f"-Wl,--wrap={w}" for w in wrapped), "-Wl,--start-group", *libs, "-Wl,--end-group", *needed], cwd=room, check=True)
    return room / "busy"


def lives(text: str) -> list[str]:
    """Different ones, each from `begin` on."""
    now: dict[str, list[str]] = {}
    whole: dict[str, None] = {}
    for line in text.splitlines():
        who, _, what = line.partition(" ")
        if what == "begin":
            whole["\n".join(now.pop(who, []))] = None
            now[who] = []
        else:
            now[who].append(what)
    whole.update(("\n".join(seen), None) for seen in now.values())
    return [life for life in whole if life]


def verdict(m: ir_machine.Machine, life: str) -> str:
    """What is wrong with a life; empty: nothing."""
    try:
        seen = trace.read(m, "life", life)
        _, found = watch.watch(m, seen)
    except Failed as failed:
        return failed.render()
    return "" if found is None else watch.said(m, seen, found)


def check_busy(report: Report, spec: str, name: str, program: str, fewest: int) -> set[str]:
    """The events that were seen."""
    m = next(x for x in load([str(ROOT / f"specs/{spec}.mrg")], [str(ROOT / "specs")])[-1].machines if x.name == name)
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        done = run(linked(m, program, room), CK_FORK="no", TRACE=str(room / "trace"), cwd=room)
        report.check(f"{program}: well, and the watch in C sees nothing wrong", done.returncode == 0, done.stdout[-1500:])
        seen = lives((room / "trace").read_text(encoding="utf-8"))
    report.check(f"{program}: {fewest} different lives at least", len(seen) >= fewest, f"{len(seen)}")
    wrong = [(life, said) for life in seen if (said := verdict(m, life))]
    report.none(f"{program}: mrg watch sees nothing wrong", [f"{said}\n{life[:2000]}" for life, said in wrong[:3]])
    longest = max((life for life in seen if "\n> " in life), key=len).splitlines()
    deed = next(i for i, line in enumerate(longest) if line.startswith("> "))
    report.check(f"{program}: a deed that is left out is seen", verdict(m, "\n".join(longest[:deed] + longest[deed + 1 :])) != "")
    return {line.partition("(")[0] for life in seen for line in life.splitlines() if not line.startswith("> ")}


def main() -> int:
    report = Report()
    events: dict[tuple[str, str], set[str]] = {}
    for spec, name, program, fewest in BUSY:
        events.setdefault((spec, name), set()).update(check_busy(report, spec, name, program, fewest))
    for (spec, name), seen in events.items():
        m = next(x for x in load([str(ROOT / f"specs/{spec}.mrg")], [str(ROOT / "specs")])[-1].machines if x.name == name)
        report.none(f"{name}: events that never came", sorted({e.name for e in m.events} - seen))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

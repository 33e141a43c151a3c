#!/usr/bin/env python3
"""Machines that are watched: the C beside the reference, on traces that are right and on such as something was done to."""

from __future__ import annotations

import ctypes
import random
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Optional

import machine_driver
from machine_driver import ROOT, files_of
from test_machine import HERE, Event

from mrg import ir, ir_machine, machine_ref, names, trace, watch
from mrg.emit import machine_watch
from mrg.errors import Failed
from mrg.load import load
from report import Report, run

SPECS = [*sorted((HERE / "machines" / "made").glob("*.mrg")), *sorted((ROOT / "specs").glob("**/*.mrg"))]
KINDS = ["ok", "refused", "idle", "missing", "unexpected", "never"]  # of enum mrg_watch
TRACES, EVENTS = 150, 30
FLAGS = "-std=c11 -O1 -Wall -Wextra -Wconversion -Wshadow -Werror -fPIC -DMRG_WATCH".split()
Line = tuple[str, Optional[Event], int, tuple[int, ...]]  # text; an event, or the number of a deed and its arguments


def driver(m: ir_machine.Machine) -> str:
    """C that hands events and deeds on."""
    name = names.machine(m)
    out = [f'#include "{names.header(m.module)}"', f"static struct {name}_watch w;", f"void begin(void) {{ {name}_watch_begin(&w); }}",
           f"int end(void) {{ return (int){name}_watch_end(&w); }}"]
    out += [f"const char *note_{part}(void) {{ return w.note.{part}; }}" for part in ("state", "event", "expected", "did", "where")]
    tests = [d.name for d in m.deeds if d.kind == "test"]
    for e in m.events:
        lines, args = "", ["&w"]
        for i, v in enumerate(e.views):
            p = names.packet(v.packet)
            lines += f"struct {p} view{i}; struct mrg_span in{i} = {{ octets[{i}], lengths[{i}] }}; if ({p}_check(in{i}, &view{i}, NULL) != MRG_OK) return -1; "
            args.append(f"&view{i}")
        args += [f"({names.uint_type(p.bits)})values[{i}]" for i, p in enumerate(e.params)]
        args += [f"answers[{tests.index(t)}] != 0" for t in machine_watch.asked(m, e)]
        out.append(f"int on_{e.name}(const uint8_t *const *octets, const size_t *lengths, const unsigned long long *values, const unsigned char *answers) "
                   f"{{ (void)octets; (void)lengths; (void)values; (void)answers; {lines}return (int){name}_watch_on_{e.name}({', '.join(args)}); }}")
    for i, (verb, what, params) in enumerate(machine_watch.told(m)):
        given = "".join(f", ({names.uint_type(p.bits)})values[{k}]" for k, p in enumerate(params))
        out.append(f"int did_{i}(const unsigned long long *values) {{ (void)values; return (int){name}_watch_{verb}_{what}(&w{given}); }}")
    return "\n".join(out) + "\n"


def library(m: ir_machine.Machine, modules: list[ir.Module], room: Path, cc: str) -> ctypes.CDLL:
    folder = room / cc
    for path, text in files_of(modules).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    (folder / "watch.c").write_text(driver(m), encoding="utf-8")
    (folder / "deeds.c").write_text(machine_driver.driver(m), encoding="utf-8")  # of the machine itself, which does not run here
    for source in folder.rglob("*.c"):
        strict = ["-Wmissing-prototypes"] if source.name.endswith("_machine.c") else []
        command = [cc, *FLAGS, *strict, "-I", str(folder), "-I", str(ROOT / "gen/support"), "-c", "-o", str(source) + ".o", str(source)]
        subprocess.run(command, check=True)
    subprocess.run([cc, "-shared", "-o", str(folder / "watch.so"), *map(str, folder.rglob("*.o"))], check=True)
    return ctypes.CDLL(str(folder / "watch.so"))


# --- traces ---------------------------------------------------------------------------------


def deed_text(m: ir_machine.Machine, what: str, args: tuple[int, ...]) -> str:
    verb, name = what.split(" ")
    if verb != "do":
        return f"> {what}"
    params = next(d for d in m.deeds if d.name == name and d.kind != "test").params
    return f"> {name}({', '.join(f'{p.name}={a}' for p, a in zip(params, args))})"


def lines_of(m: ir_machine.Machine, rng: random.Random) -> list[Line]:
    """What a machine does, with mostly nothing done to it."""
    reference = machine_ref.Machine(m)
    numbers = {f"{verb} {what}": i for i, (verb, what, _) in enumerate(machine_watch.told(m))}
    out: list[Line] = []
    for _ in range(EVENTS):
        e = Event(reference, rng)
        if e.event.kind == "timer" and e.event.name not in reference.running and rng.random() < 0.95:
            continue
        before = reference.state, dict(reference.vars), set(reference.running)
        step = e.step(reference)
        if step.kind == "refuse" and e.event.kind != "timer" and rng.random() < 0.95:
            reference.state, reference.vars, reference.running = before
            continue
        given = ", ".join(f"{n}={v}" for n, v in e.values.items())
        out.append((f"{e.event.name}({given})", e, 0, ()))
        out += [(f"? {t} = {a}", None, -1, ()) for t, a in e.answers.items()]
        out += [(deed_text(m, what, args), None, numbers[what], args) for what, args in step.did]
    return out


def harmed(m: ir_machine.Machine, lines: list[Line], rng: random.Random) -> list[Line]:
    """One deed less, one more, another one, or two the other way round."""
    deeds = [i for i, line in enumerate(lines) if line[1] is None and line[2] >= 0]
    how = rng.randrange(5)
    if not deeds or how == 0:
        return lines
    i = rng.choice(deeds)
    told = machine_watch.told(m)
    n = rng.randrange(len(told))
    args = tuple(rng.randint(p.lo, p.hi) for p in told[n][2])
    other: Line = (deed_text(m, f"{told[n][0]} {told[n][1]}", args), None, n, args)
    if how == 4:
        j = rng.choice(deeds)
        lines[i], lines[j] = lines[j], lines[i]
        return lines
    return lines[:i] + ([other] if how != 1 else []) + lines[i + (how != 3) :]


def beginning(lines: list[Line], events: int) -> list[Line]:
    """The first few events and what was done on them."""
    begins = [i for i, line in enumerate(lines) if line[1] is not None]
    return lines[: begins[events]] if events < len(begins) else lines


def in_c(c: ctypes.CDLL, m: ir_machine.Machine, lines: list[Line]) -> tuple[str, int]:
    """The verdict, and the line at which it came; one behind the last: at the end."""
    tests = [d.name for d in m.deeds if d.kind == "test"]
    c.begin()
    for i, (_, e, number, args) in enumerate(lines):
        got = 0
        if e is not None:
            texts = (ctypes.c_char_p * max(len(e.octets), 1))(*e.octets)
            lengths = (ctypes.c_size_t * max(len(e.octets), 1))(*map(len, e.octets))
            values = (ctypes.c_ulonglong * max(len(e.numbers), 1))(*e.numbers)
            got = c[f"on_{e.event.name}"](texts, lengths, values, bytes(e.answers[t] for t in tests))
        elif number >= 0:
            got = c[f"did_{number}"]((ctypes.c_ulonglong * max(len(args), 1))(*args))
        if got != 0:
            return KINDS[got], i + 1
    return KINDS[c.end()], len(lines) + 1


def compare(report: Report, c: ctypes.CDLL, m: ir_machine.Machine, lines: list[Line]) -> str:
    text = "\n".join(line[0] for line in lines)
    _, found = watch.watch(m, trace.read(m, "t", text))
    kind, at = in_c(c, m, lines)
    want = found.kind if found is not None else "ok"
    if not report.check(f"{m.name}: C says {kind}, the reference {want}", kind == want, text) or found is None:
        return want
    got = {}
    for part in ("state", "event", "expected", "did", "where"):
        note = c[f"note_{part}"]
        note.restype = ctypes.c_char_p
        got[part] = note().decode()
    told = {"state": found.state, "event": found.event, "expected": found.expected[0].removeprefix("do ") if found.expected else "",
            "did": found.did[0].removeprefix("do ") if found.did else "", "where": f"{found.loc.file}:{found.loc.line}" if found.loc is not None else ""}
    report.check(f"{m.name}: C tells {got}, the reference {told}", got == told, text)
    if found.kind in ("refused", "idle", "unexpected"):
        report.check(f"{m.name}: C says so at line {at}, the reference at {found.line}", at == found.line, text)
    return want


def check_machine(report: Report, m: ir_machine.Machine, modules: list[ir.Module], room: Path) -> None:
    for cc in ("gcc", "clang"):
        c = library(m, modules, room, cc)
        rng = random.Random(m.name)
        seen = {compare(report, c, m, harmed(m, lines_of(m, rng), rng)) for _ in range(TRACES)}
        seen |= {compare(report, c, m, beginning(lines_of(m, rng), 1 + i % 3)) for i in range(TRACES // 10)}
        wanted = {"ok", "missing", "unexpected"} | {"refused" for t in m.transitions if t.kind == "refuse"}
        wanted |= {"idle" for e in m.events if e.kind == "timer"} | {"never" for _ in m.nevers if m.name == "Lamp"}
        report.none(f"{m.name}: was never wrong in this way", sorted(wanted - seen))


# --- by hand ------------------------------------------------------------------------------------

GOOD = "use\n> solicit(0)  # asked\n> set retry\n\nadvert(a.solicited=1, a.override=0, a.router=1)\n> cancel retry\n> learn\n> deliver\n> set age\n"
ASKED = GOOD + "advert(1, 0)\n? same = 1\n"
# what is seen, and what is said of it
SAID = {
    GOOD: "t: ok (2 events, then in state 'Reachable', where it may not stay)",
    "": "t: ok (0 events, then in state 'Absent')",
    ASKED + "> learn": "t: ok (3 events, then in state 'Reachable', where it may not stay)",
    ASKED: "t:10: in state 'Reachable', on 'advert' (made/machines.mrg:40): 'learn' did not come",
    ASKED + "use\n": "t:12: in state 'Reachable', on 'advert' (made/machines.mrg:40): 'learn' did not come",
    "> drop": "t:1: in state 'Absent', before anything has come: 'drop' came, and nothing more was to",
    "use\n> solicit(1)": "t:2: in state 'Absent', on 'use' (made/machines.mrg:29): 'solicit(unicast=1)' came, and 'solicit(unicast=0)' was to",
    "advert(0, 0)\n> learn": "t:2: in state 'Absent', on 'advert' (made/machines.mrg:30): 'learn' came, and nothing more was to",
    "retry": "t:1: in state 'Absent': timer 'retry' goes off, and does not run (made/machines.mrg:18)",
}
# traces that can't be read
UNREAD = {
    "age(3)": "t:1:5: error: event 'age' takes no parameters, and this is one more",
    "usee": "t:1:1: error: unknown event 'usee' (did you mean 'use'?)",
    "use\n> solict(0)": "t:2:3: error: unknown deed 'solict' (did you mean 'solicit'?)",
    "use\n> solicit(unicast=2)": "t:2:19: error: 'unicast' is 0..1, not 2",
    "use\n> solicit": "t:2:3: error: 'solicit' takes 1 parameter, not 0: unicast is missing",
    "use\n> solicit(0, 1)": "t:2:14: error: 'solicit' takes 1 parameter, and this is one more",
    "use\n> solicit(unicst=1)": "t:2:11: error: 'solicit' has no parameter 'unicst' (did you mean 'unicast'?)",
    "use\n> solicit(unicast=1, unicast=1)": "t:2:22: error: 'unicast' is given twice",
    "use\n> solicit(unicast=ALL)": "t:2:19: error: expected a number for 'unicast', found 'ALL'",
    "use\n> set retrie": "t:2:7: error: unknown timer 'retrie' (did you mean 'retry'?)",
    "advert(a.solicited=1)": "t:1:1: error: event 'advert' takes 2 parameters, not 1: a.override is missing",
    "advert(a.solicited=1, a.override=0, a.lladdr=1)": "t:1:37: error: event 'advert' has no parameter 'a.lladdr'",
    "use\n? some = 1": "t:2:3: error: unknown test 'some' (did you mean 'same'?)",
    "use\n? same = 2": "t:2:10: error: a test says 0 or 1, not 2",
    "? same = 1": "t:1:3: error: nothing has come that a test could be asked of",
    "use use": "t:1:5: error: expected the end of the line, found 'use'",
    "advert(": "t:1:8: error: expected a number for 'a.solicited', found the end of the line",
    "advert(1, 0": "t:1:12: error: expected ',' or ')', found the end of the line",
    "%": "t:1:1: error: expected an event, '>' and a deed, or '?' and a test, found '%'",
    GOOD + "advert(1, 0)": "t:10: what test 'same' said of 'advert' is not told: '? same = 0' or 1",
}


def check_said(report: Report) -> None:
    spec = HERE / "machines/made/machines.mrg"
    with tempfile.TemporaryDirectory() as room:
        for cases, status in ((SAID, None), (UNREAD, 2)):
            for text, want in cases.items():
                Path(room, "t").write_text(text, encoding="utf-8")
                done = run(ROOT / "bin/mrg", "watch", spec, "Entry", "t", cwd=Path(room))
                wanted = status if status is not None else int(": ok (" not in want)
                first = done.stdout.split("\n")[0]
                report.check(f"watch: {text!r}", (want in done.stdout if status == 2 else first == want) and done.returncode == wanted, done.stdout)
    done = run(ROOT / "bin/mrg", "watch", spec, "Entri", "t")
    report.check("a machine that is not there", done.returncode == 2 and "did you mean 'Entry'" in done.stdout, done.stdout)


def check_page(report: Report) -> None:
    """The example of LANGUAGE.md."""
    page = (ROOT / "specs/LANGUAGE.md").read_text(encoding="utf-8")
    machine = next(text for text in re.findall(r"^```mrg\n(.*?)^```$", page, re.M | re.S) if "\nmachine Neighbour" in text)
    shown = re.search(r"^```trace\n(.*?)^```\n\n```text\n(.*?)^```$", page, re.M | re.S)
    if not report.check("there is a trace on the page", shown is not None) or shown is None:
        return
    with tempfile.TemporaryDirectory() as room:
        Path(room, "example.mrg").write_text(machine, encoding="utf-8")
        Path(room, "trace.txt").write_text(shown[1], encoding="utf-8")
        done = run(ROOT / "bin/mrg", "watch", "example.mrg", "Neighbour", "trace.txt", cwd=Path(room))
        report.check("what is said of it", done.stdout == shown[2] and done.returncode == 1, done.stdout)


def main() -> int:
    report = Report()
    check_said(report)
    check_page(report)
    for spec in SPECS:
        if "\nmachine " not in spec.read_text(encoding="utf-8"):
            continue
        modules = load([str(spec)], [str(HERE / "machines"), str(ROOT / "specs")])
        for m in (m for m in modules[-1].machines if not m.part):
            with tempfile.TemporaryDirectory() as room:
                check_machine(report, m, modules, Path(room))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

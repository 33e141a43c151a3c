"""Generated machines, compiled with deeds that write down what they are told, and called through ctypes."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path
from typing import Mapping

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gen"))

from mrg import ir, ir_machine, main, names  # noqa: E402

FLAGS = "-std=c11 -O1 -Wall -Wextra -Wconversion -Wshadow -Wmissing-prototypes -Werror -fPIC -ffreestanding -DMRG_COVERAGE".split()
RESULTS = ("on", "ignore", "refuse")


def driver(m: ir_machine.Machine) -> str:
    """C that runs one machine: deeds write into `told`, tests answer from `answers`, packets are checked here."""
    name = names.machine(m)
    out = [
        f'#include "{names.header(m.module)}"',
        "#include <stdio.h>",
        f"struct {name} machine; char told[4096]; size_t told_len; unsigned char answers[64];",
        "static void tell(const char *what) { while (*what != 0 && told_len + 1 < sizeof told) told[told_len++] = *what++; told[told_len] = 0; }",
        "static void number(unsigned long long v) { char b[32]; (void)snprintf(b, sizeof b, \" %llu\", v); tell(b); }",
        f"void restart(void) {{ (void)number; {name}_begin(&machine); }}",
        f"int holds(void) {{ return {f'{name}_holds(&machine)' if m.nevers else '1'}; }}",
        "unsigned state(void) { return machine.state; }",
    ]
    out += [f"unsigned long long var_{v.name}(void) {{ return machine.{names.local(v.name)}; }}" for v in m.vars]
    tests = [d for d in m.deeds if d.kind == "test"]
    for d in m.deeds:
        told = "".join(f" number({_c(p.name)});" for p in d.params)
        heard = "".join(f" (void){_c(n)};" for n in ([v.name for v in d.of.views] + [p.name for p in d.of.params] if d.of is not None else []))
        if d.kind == "test":
            heard += "".join(f" (void){_c(p.name)};" for p in d.params)
            out.append(f"bool {name}_is_{d.name}({_formal(m, d)}) {{ (void)m; (void)ctx;{heard} return answers[{tests.index(d)}] != 0; }}")
        else:
            out.append(f"void {name}_do_{d.name}({_formal(m, d)}) {{ (void)m; (void)ctx;{heard} tell(\"do {d.name}\");{told} tell(\";\"); }}")
    for e in m.events:
        for verb in ("set", "cancel"):
            if any(do.kind == verb and do.target is e for t in m.transitions for do in t.todo):
                out.append(f"void {name}_{verb}_{e.name}(const struct {name} *m, void *ctx) {{ (void)m; (void)ctx; tell(\"{verb} {e.name};\"); }}")
    out += [_step(m, e) for e in m.events]
    out += [line for other in m.module.machines if other is not m and not other.part for line in _silent(other)]
    return "\n".join(out) + "\n"


def _silent(m: ir_machine.Machine) -> list[str]:
    """Deeds of a machine that does not run here."""
    name = names.machine(m)
    out = []
    for d in m.deeds:
        result, verb, back = ("bool", "is", " return false;") if d.kind == "test" else ("void", "do", "")
        heard = " ".join(f"(void){text.rsplit(' ', 1)[1].lstrip('*')};" for text in _formal(m, d).split(", "))
        out.append(f"{result} {name}_{verb}_{d.name}({_formal(m, d)}) {{ {heard}{back} }}")
    for e in m.events:
        for verb in ("set", "cancel"):
            if any(do.kind == verb and do.target is e for t in m.transitions for do in t.todo):
                out.append(f"void {name}_{verb}_{e.name}(const struct {name} *m, void *ctx) {{ (void)m; (void)ctx; }}")
    return out


def _c(name: str) -> str:
    return name + "_" if name in ("m", "ctx") else names.local(name)


def _formal(m: ir_machine.Machine, d: ir_machine.Deed) -> str:
    views = d.of.views if d.of is not None else []
    params = [*(d.of.params if d.of is not None else []), *d.params]
    out = [f"const struct {names.machine(m)} *m", "void *ctx", *(f"const struct {names.packet(v.packet)} *{_c(v.name)}" for v in views)]
    return ", ".join(out + [f"{names.uint_type(p.bits)} {_c(p.name)}" for p in params])


def _step(m: ir_machine.Machine, e: ir_machine.Event) -> str:
    """`step_E(octets of its packets, values)`; below 0: a packet is refused."""
    name = names.machine(m)
    lines = ["told_len = 0; told[0] = 0;"]
    args = ["&machine", "NULL"]
    for i, v in enumerate(e.views):
        p = names.packet(v.packet)
        lines.append(f"struct {p} view{i}; struct mrg_span in{i} = {{ octets[{i}], lengths[{i}] }};")
        lines.append(f"if ({p}_check(in{i}, &view{i}, NULL) != MRG_OK) return -1;")
        args.append(f"&view{i}")
    args += [f"({names.uint_type(p.bits)})values[{i}]" for i, p in enumerate(e.params)]
    head = f"int step_{e.name}(const uint8_t *const *octets, const size_t *lengths, const unsigned long long *values)"
    body = " ".join(lines)
    return f"{head} {{ (void)octets; (void)lengths; (void)values; {body} return (int){name}_on_{e.name}({', '.join(args)}); }}"


class Driver:
    def __init__(self, m: ir_machine.Machine, files: Mapping[str, str], room: Path, cc: str) -> None:
        self.m = m
        folder = room / cc
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        (folder / "driver.c").write_text(driver(m), encoding="utf-8")
        strict = [f for f in FLAGS if f not in ("-Wmissing-prototypes", "-ffreestanding")]
        sources = [str(folder / path) for path in files if path.endswith(".c")]
        includes = ["-I", str(folder), "-I", str(ROOT / "gen/support")]
        objects = []
        for i, source in enumerate([*sources, str(folder / "driver.c")]):
            objects.append(str(folder / f"{i}.o"))
            flags = FLAGS if source in sources else strict
            subprocess.run([cc, *flags, *includes, "-c", "-o", objects[-1], source], check=True)
        library = folder / "machine.so"
        subprocess.run([cc, "-shared", "-o", str(library), *objects], check=True)
        self.c = ctypes.CDLL(str(library))
        self.tests = [d.name for d in m.deeds if d.kind == "test"]
        self.answers = (ctypes.c_ubyte * 64).in_dll(self.c, "answers")
        self.c.restart()

    def step(self, event: ir_machine.Event, octets: list[bytes], values: list[int], answers: Mapping[str, int]) -> tuple[str, list[str]]:
        for i, name in enumerate(self.tests):
            self.answers[i] = answers[name]
        texts = (ctypes.c_char_p * max(len(octets), 1))(*octets)
        lengths = (ctypes.c_size_t * max(len(octets), 1))(*map(len, octets))
        numbers = (ctypes.c_ulonglong * max(len(values), 1))(*values)
        got = self.c[f"step_{event.name}"](texts, lengths, numbers)
        assert got >= 0, "the packet was refused"
        told = ctypes.string_at(ctypes.addressof((ctypes.c_char * 4096).in_dll(self.c, "told"))).decode()
        return RESULTS[got], told.split(";")[:-1]

    def state(self) -> tuple[str, list[int]]:
        out = []
        for v in self.m.vars:
            self.c[f"var_{v.name}"].restype = ctypes.c_ulonglong
            out.append(int(self.c[f"var_{v.name}"]()))
        return self.m.states[self.c.state()].name, out

    def taken(self) -> list[int]:
        name = names.machine(self.m)
        return list((ctypes.c_uint64 * len(self.m.transitions)).in_dll(self.c, f"{name}_taken"))


def files_of(modules: list[ir.Module]) -> dict[str, str]:
    """Everything that is generated for them."""
    return {path: text for m in modules for emit in main.back_ends() for path, text in emit(m).items()}

"""The command line.  Each command is one function; `c` runs the back ends.

A back end is a function from a module to files (path under the output folder
to text).  It sees the IR only.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from typing import Callable, Optional, Sequence

from . import ir
from .errors import Failed, meant
from .load import default_roots, find_module, load_named, load_written, load_written

VERSION = "0.1.0"  # as in mk/config.mk

BackEnd = Callable[[ir.Module], dict[str, str]]


def main(argv: Sequence[str]) -> int:
    options = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = options.run
    try:
        return command(options)
    except Failed as failed:
        sys.stderr.write(failed.render())
        return 1
    except BrokenPipeError:
        # The reader of our output has gone; don't let the interpreter's shutdown complain about that.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as problem:
        sys.stderr.write(f"mrg: {problem.filename}: {problem.strerror}\n")
        return 1


def _of_prove(prove: argparse.ArgumentParser) -> None:
    prove.add_argument("--c", action="store_true", help="prove the generated C itself, by Frama-C, z3 and cvc4")
    prove.add_argument("-o", metavar="DIR", default="", dest="out", help="with --c: where the C goes, and what was proved before")
    prove.add_argument("--as-is", action="store_true", help="with --c: the C that is in DIR already")
    prove.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="with --c: how many parts of its functions at once")
    prove.add_argument("--timeout", type=int, default=20, metavar="S", help="with --c: a solver's seconds for a goal that is hard, about (default: 20)")
    prove.add_argument("--solvers", default="z3,cvc4", metavar="LIST", help="with --c: who is asked (default: z3,cvc4)")
    prove.add_argument("--only", default="", metavar="WORD", help="with --c: only functions whose names have it")
    prove.add_argument("--support", action="store_true", help="with --c: prove mrg.h as well")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mrg", description="Compiler for protocol specifications (.mrg files).")
    parser.add_argument("--version", action="version", version=f"mrg {VERSION}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    roots = argparse.ArgumentParser(add_help=False)
    roots.add_argument("-I", metavar="ROOT", action="append", default=[], dest="roots", help="folder to look for imports in")
    files = argparse.ArgumentParser(add_help=False, parents=[roots])
    files.add_argument("files", metavar="FILE.mrg", nargs="+")

    check = commands.add_parser("check", parents=[files], help="report errors, generate nothing")
    check.set_defaults(run=run_check)

    c = commands.add_parser("c", parents=[files], help="generate C")
    c.add_argument("-o", metavar="DIR", default=".", dest="out", help="output folder (default: .)")
    c.add_argument("--deps", metavar="FILE", help="write a make dependency file")
    c.add_argument("--only", action="store_true", help="nothing for imported modules that are not named")
    c.add_argument("--support", action="store_true", help="copy mrg.h and the like, also for installed specifications")
    c.add_argument("--acsl", action="store_true", help="with contracts for Frama-C; only the C of packets")
    c.set_defaults(run=run_c)

    fmt = commands.add_parser("fmt", help="print in canonical form")
    fmt.add_argument("files", metavar="FILE.mrg", nargs="+")
    fmt.add_argument("-w", action="store_true", dest="write", help="rewrite the files instead of printing")
    fmt.add_argument("--check", action="store_true", help="print the names of files not in canonical form; exit 1 if any")
    fmt.set_defaults(run=run_fmt)

    json = commands.add_parser("json", parents=[files], help="print the intermediate representation as JSON")
    json.set_defaults(run=run_json)

    prove = commands.add_parser("prove", parents=[files], help="prove by z3 what generated code relies on, imports included")
    _of_prove(prove)
    prove.set_defaults(run=run_prove)

    diff = commands.add_parser("diff", parents=[roots], help="find messages that one specification accepts and another refuses")
    diff.add_argument("old", metavar="OLD.mrg")
    diff.add_argument("new", metavar="NEW.mrg")
    diff.set_defaults(run=run_diff)

    audit = commands.add_parser("audit", parents=[files], help="list what is left to user code, and where it is used")
    audit.set_defaults(run=run_audit)

    vectors = commands.add_parser("vectors", parents=[files], help="generate test programs for the generated C")
    vectors.add_argument("-o", metavar="DIR", default=".", dest="out", help="output folder (default: .)")
    vectors.set_defaults(run=run_vectors)

    fuzz = commands.add_parser("fuzz", parents=[files], help="write a fuzzer of packets, texts and machines: a folder to be built with make")
    fuzz.add_argument("-o", metavar="DIR", required=True, dest="out", help="output folder")
    fuzz.set_defaults(run=run_fuzz)

    fuzzed = commands.add_parser("fuzz-report", help="write a page: what runs of fuzzers reached of the specifications")
    fuzzed.add_argument("folders", metavar="DIR", nargs="+", help="that `mrg fuzz` wrote, with what runs added (--points-out DIR/reached.jsonl)")
    fuzzed.add_argument("-o", metavar="FILE.html", required=True, dest="out", help="the page")
    fuzzed.set_defaults(run=run_fuzz_report)

    docs = commands.add_parser("docs", parents=[files], help="write the reference of the specifications, and of what they import, as pages")
    docs.add_argument("-o", metavar="DIR", required=True, dest="out", help="output folder")
    docs.add_argument("--link", metavar="NAME=URL", action="append", default=[], dest="links", type=_link, help="a link on each page")
    docs.set_defaults(run=run_docs)

    diagram = commands.add_parser("diagram", parents=[roots], help="draw packets in characters, print grammars as ABNF, machines for dot")
    diagram.add_argument("file", metavar="FILE.mrg")
    diagram.add_argument("name", metavar="NAME", nargs="?", help="a packet, a grammar, a rule or a machine; all of the file without it")
    diagram.set_defaults(run=run_diagram)

    promela = commands.add_parser("promela", parents=[roots], help="print a model of two machines over a bad channel, for SPIN")
    promela.add_argument("file", metavar="FILE.mrg")
    promela.add_argument("ends", metavar="MACHINE[:CALL,...]", nargs="+", help="one for both ends, or two; what the user of it calls, 'CALL?' perhaps")
    promela.add_argument("--messages", type=int, default=2, help="under way at most, each way (default: 2)")
    promela.add_argument("--calls", type=int, default=1, help="of each user event, at an end whose calls are not said (default: 1)")
    promela.add_argument("--faults", type=int, default=2, help="messages lost or repeated, timers too early (default: 2)")
    promela.add_argument("--in-order", action="store_true", help="over a channel that loses and repeats nothing, as TCP is")
    promela.add_argument("--last", metavar="TIMER", action="append", default=[], help="so long that all other timers go off before")
    promela.add_argument("--reach", metavar="STATE", action="append", default=[], help="both ends must come to stay there (default: final states)")
    promela.set_defaults(run=run_promela)

    watch = commands.add_parser("watch", parents=[roots], help="hold what was seen of a machine against its specification")
    watch.add_argument("file", metavar="FILE.mrg")
    watch.add_argument("name", metavar="MACHINE")
    watch.add_argument("trace", metavar="TRACE", help="events, '> deed', '? test = 1', one a line; - is the standard input")
    watch.set_defaults(run=run_watch)

    dissect = commands.add_parser("dissect", parents=[roots], help="print the messages of a capture file")
    dissect.add_argument("file", metavar="FILE.pcap")
    dissect.add_argument("--spec", metavar="MODULE:PACKET", default="dns.message:Message")
    dissect.add_argument("--port", type=int, default=53)
    dissect.set_defaults(run=run_dissect)
    return parser


def _link(text: str) -> tuple[str, str]:
    """`NAME=URL`; the URL leads somewhere, and is no program."""
    name, _, url = text.partition("=")
    if not name or not url or ":" in url.split("/")[0] and not url.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=URL with a path or an http URL")
    return name, url


def run_check(options: argparse.Namespace) -> int:
    modules, named, _ = load_named(options.files, options.roots)
    for m in modules:
        if m.name in named:
            counts = [(len(m.packets), "packet"), (len(m.enums), "enum"), (len(m.grammars), "grammar"), (len(m.machines), "machine")]
            words = [f"{n} {what}{'s' * (n != 1)}" for n, what in counts if n]
            print(f"{m.name}: ok" + (f" ({', '.join(words)})" if words else ""))
    return 0


# --- generation -----------------------------------------------------------------


def back_ends() -> list[BackEnd]:
    from .emit import c_header, c_source, c_text, grammars, machine

    return [c_header.emit, c_source.emit, c_text.emit, grammars.emit, machine.emit]


def _annotated() -> list[BackEnd]:
    from .emit import c_module

    return [c_module.annotated]


def run_c(options: argparse.Namespace) -> int:
    from .emit.tool import ToolError
    from .emit.writer import write_if_changed

    modules, named, sources = load_named(options.files, options.roots)
    wanted = [m for m in modules if not options.only or m.name in named]
    files: dict[str, str] = {}
    emits = _annotated() if options.acsl else back_ends()
    try:
        for module in wanted:
            for emit in emits:
                files.update(emit(module))
    except ToolError as why:
        sys.stderr.write(f"mrg: {why}\n")
        return 1
    if options.support or _of_an_outsider(options.files):
        files.update(support_files(files))
    for path in sorted(files):
        write_if_changed(os.path.join(options.out, path), files[path])
    if options.deps:
        outputs = [os.path.join(options.out, path) for path in sorted(files)]
        write_if_changed(options.deps, depfile(outputs, sources))
    return 0


def _of_an_outsider(files: Sequence[str]) -> bool:
    """Whether a file is not one of the specifications that come with the compiler."""
    own = [os.path.realpath(root) + os.sep for root in default_roots()]
    return any(not os.path.realpath(f).startswith(tuple(own)) for f in files)


def support_files(files: dict[str, str]) -> dict[str, str]:
    """What generated files include that is not generated: mrg.h and what goes with it."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support")
    there = sorted(os.listdir(folder))
    todo = ["mrg.h"]
    for text in files.values():
        todo += re.findall(r'#include "(mrg_?\w*\.h)"', text)
    out: dict[str, str] = {}
    while todo:
        name = todo.pop()
        if name in out or name not in there:
            continue
        stem = name[:-2]
        for one in [name] + [f for f in there if f.endswith(".c") and (f == stem + ".c" or f.startswith(stem + "_")) and stem != "mrg"]:
            with open(os.path.join(folder, one), encoding="utf-8") as f:
                out[one] = f.read()
            todo += re.findall(r'#include "(mrg_?\w*\.h)"', out[one])
    return out


def depfile(outputs: Sequence[str], sources: Sequence[str]) -> str:
    """A make rule, and an empty one for each source so that a removed one is no error."""
    escaped = [s.replace(" ", "\\ ").replace("#", "\\#").replace("$", "$$") for s in sources]
    targets = " ".join(o.replace(" ", "\\ ") for o in outputs)
    return f"{targets}: {' '.join(escaped)}\n" + "".join(f"\n{s}:\n" for s in escaped)


def run_vectors(options: argparse.Namespace) -> int:
    """One program for each module; mrg_vectors.h, which they include, beside them."""
    from .emit.tests_c import program
    from .emit.writer import write_if_changed

    modules, named, _ = load_named(options.files, options.roots)
    files = {m.name.replace(".", "/") + "_vectors.c": program(m) for m in modules if m.name in named and m.packets}
    files.update(support_files(files))
    for path in sorted(files):
        write_if_changed(os.path.join(options.out, path), files[path])
    return 0


def run_fuzz(options: argparse.Namespace) -> int:
    """A folder that needs make, a C compiler, and nothing else."""
    from . import prove_reach
    from .emit import c_header, c_source, fuzz, grammars
    from .emit.tool import ToolError
    from .emit.writer import write_if_changed

    resolver, modules, named = load_written(options.files, options.roots)
    if not any(fuzz.can_be_fuzzed(m) for m in modules if m.name in named):
        sys.stderr.write(f"mrg fuzz: neither a packet nor a grammar nor a machine in {', '.join(options.files)}\n")
        return 2
    try:
        texts = {s.name: s.text for s in resolver.sources}
        files = fuzz.files(modules, named, [c_header.emit, c_source.emit, grammars.emit], texts, options.files, prove_reach.prover())
    except ToolError as why:
        sys.stderr.write(f"mrg: {why}\n")
        return 1
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support", "fuzz")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            files[f"support/{name}"] = f.read()
    files.update(support_files(files))
    for path in sorted(files):
        write_if_changed(os.path.join(options.out, path), files[path])
    return 0


def run_fuzz_report(options: argparse.Namespace) -> int:
    from . import fuzz_report

    try:
        text = fuzz_report.page(options.folders)
    except (ValueError, KeyError, TypeError) as why:
        sys.stderr.write(f"mrg fuzz-report: not as `mrg fuzz` and its runs write it: {why}\n")
        return 1
    with open(options.out, "w", encoding="utf-8") as f:
        f.write(text)
    return 0


# --- other commands -----------------------------------------------------------------


def run_fmt(options: argparse.Namespace) -> int:
    from .fmt import format_file

    changed = 0
    for path in options.files:
        before, after = format_file(path)
        if options.check:
            changed += before != after
            if before != after:
                print(path)
        elif not options.write:
            sys.stdout.write(after)
        elif before != after:
            with open(path, "w", encoding="utf-8") as f:
                f.write(after)
    return 1 if changed else 0


def run_json(options: argparse.Namespace) -> int:
    from .json_out import dump

    modules, named, _ = load_named(options.files, options.roots)
    sys.stdout.write(dump([m for m in modules if m.name in named]))
    return 0


def run_prove(options: argparse.Namespace) -> int:
    """0: all is proved; 1: something is not; 2: there is no z3, or no Frama-C."""
    if options.c:
        return _prove_c(options)
    from . import prove_goals, prove_z3

    try:
        return prove_z3.run(options.files, options.roots, sys.stdout, sys.stderr)
    except prove_goals.Missing as missing:
        sys.stderr.write(f"mrg prove: {missing}\n")
        return 2


def _prove_c(options: argparse.Namespace) -> int:
    from . import prove_c

    try:
        solvers = options.solvers.split(",")
        how = prove_c.Options(options.out, options.jobs, options.timeout, solvers, options.as_is, options.support, options.only)
        return prove_c.run(options.files, options.roots, sys.stdout, how)
    except prove_c.Missing as missing:
        sys.stderr.write(f"mrg prove --c: {missing}\n")
        return 2


def run_diff(options: argparse.Namespace) -> int:
    """0: no difference was found; 1: there is one; 2: there is no z3."""
    from . import prove_diff, prove_goals

    try:
        return prove_diff.run(options.old, options.new, options.roots, sys.stdout)
    except prove_goals.Missing as missing:
        sys.stderr.write(f"mrg diff: {missing}\n")
        return 2


def run_audit(options: argparse.Namespace) -> int:
    from .audit import report

    modules, _, _ = load_named(options.files, options.roots)
    sys.stdout.write(report(modules))
    return 0


def run_docs(options: argparse.Namespace) -> int:
    from .docs.pages import files
    from .emit.writer import write_if_changed

    resolver, modules, _ = load_written(options.files, options.roots)
    for name, text in sorted(files(modules, resolver.units, options.links).items()):
        write_if_changed(os.path.join(options.out, name), text)
    return 0


def run_diagram(options: argparse.Namespace) -> int:
    from .docs.diagram import Unknown, diagram

    resolver, modules, named = load_written([options.file], options.roots)
    module, unit = next((m, u) for m, u in zip(modules, resolver.units) if m.name == named[0])
    try:
        sys.stdout.write(diagram(module, unit, options.name))
    except Unknown as unknown:
        sys.stderr.write(f"mrg diagram: {unknown}\n")
        return 2
    return 0


def run_promela(options: argparse.Namespace) -> int:
    from .emit import promela

    modules, named, _ = load_named([options.file], options.roots)
    machines = [x for m in modules if m.name in named for x in m.machines]
    bounds = promela.Bounds(options.messages, options.calls, options.faults, options.in_order, frozenset(options.last), options.reach)
    try:
        sys.stdout.write(promela.model(promela.ends(options.file, machines, options.ends, bounds), bounds))
    except promela.Unfit as why:
        sys.stderr.write(f"mrg promela: {why}\n")
        return 2
    return 0


def run_watch(options: argparse.Namespace) -> int:
    """0: it is as specified; 1: it is not; 2: the trace can't be read."""
    from . import trace, watch

    modules, named, _ = load_named([options.file], options.roots)
    machines = {x.name: x for m in modules if m.name in named for x in m.machines}
    machine = machines.get(options.name)
    if machine is None:
        sys.stderr.write(f"mrg watch: {options.file} has no machine '{options.name}'{meant(options.name, machines)}\n")
        return 2
    try:
        if options.trace == "-":
            seen = trace.read(machine, "-", sys.stdin.read())
        else:
            with open(options.trace, encoding="utf-8", errors="replace") as f:
                seen = trace.read(machine, options.trace, f.read())
        behind, found = watch.watch(machine, seen)
    except Failed as failed:
        sys.stderr.write(failed.render())
        return 2
    if found is not None:
        sys.stdout.write(watch.said(machine, seen, found) + "\n")
        return 1
    may_stay = "" if behind.state.final else ", where it may not stay"
    sys.stdout.write(f"{options.trace}: ok ({len(seen.events)} event{'s' * (len(seen.events) != 1)}, then in state '{behind.state.name}'{may_stay})\n")
    return 0


def run_dissect(options: argparse.Namespace) -> int:
    from . import dissect

    def find(spec: str) -> ir.Packet:
        packet = find_packet(spec, options.roots)
        if packet is None:
            sys.stderr.write(f"mrg dissect: there is no packet {spec} (as MODULE:PACKET)\n")
            raise SystemExit(2)
        return packet

    return dissect.run(options.file, options.spec, options.port, find, sys.stdout, sys.stderr)


def find_packet(spec: str, roots: Sequence[str]) -> Optional[ir.Packet]:
    """ "dns.message:Message" to the packet."""
    module, _, name = spec.partition(":")
    path = find_module(module, roots)
    if path is None:
        return None
    modules, _, _ = load_named([path], roots)
    return next((p for m in modules if m.name == module for p in m.packets if p.name == name), None)

#!/usr/bin/env python3
"""`mrg c --acsl` and `mrg prove --c`: contracts change no line of C, a small header is proved whole, and faults planted in its C are not.

Frama-C is a gigabyte with what it needs and no part of `make test`'s packages; without it the proofs are not applicable.
"""

from __future__ import annotations

import difflib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "gen"))
import report as common  # noqa: E402
from mrg import prove_c, prove_calls, prove_library, prove_solvers, prove_table, prove_work  # noqa: E402
from mrg.emit import acsl_arms, acsl_text, c_module, whole  # noqa: E402
from mrg.load import load_named  # noqa: E402
from mrg.prove_solvers import Answer  # noqa: E402

SPEC = """/// Of a test.
module small;

/// A length, and what has it.  RFC 768
packet Small {
  length: u8 in 1..;
  body: bytes(length - 1);
}
"""
TEXT = """/// Of a test.
module line;

grammar Text {
  /// A name.  RFC 9112
  message Line = name:1*ALPHA CRLF;
}
"""
# A list of elements of varying size that something follows.
LIST = """/// Of a test.
module records;

/// A record, as long as it says.  RFC 768
packet Record {
  length: u8 := size body;
  body: bytes(length);
}

/// Records, and what follows them.  RFC 768
packet Records {
  number: u8 := count records;
  records: list Record count number;
  more: rest;
}
"""
# More arms than WP gets along with at once.
MANY = """/// Of a test.
module many;

/// A name, and what is of its kind.  RFC 1035
packet Many {
  name: bytes until 0;
  kind: u8;
  length: u8 := size body;
  body: switch kind {
%s    _ => other: rest;
  } within length;
}

/// An octet that says something.  RFC 1035
packet One {
  a: u8 in 1..;
}
""" % "".join(f"    {kind} => one{kind}: One;\n" for kind in range(1, 18))
SAMPLES = ["net/tcp.mrg", "dns/edns.mrg"]
FAULTS = [
    ("one octet less is asked for", r"\(end - q\) < 1u", "(end - q) < 0u"),
    ("the length may be one too many", r"\(length - 1u\) > \(size_t\)\(end - q\)", "(length - 1u) > (size_t)(end - q) + 1u"),
]
TEXT_FAULTS = [
    ("a state that takes nothing", "s0", r"(from = p;\n)\t\tp\+\+;\n", r"\1"),
    ("a state that does not ask whether there is room", "s1", r"if \(mrg_rare\(left == 0\)\)\n\t\t\tgoto full;", ""),
    ("a state that does not ask whether the input ends", "s2", r"if \(mrg_rare\(p == end\)\)\n\t\tgoto more;\n(\tif \(\*p == 10u\))", r"\1"),
]
ARM_FAULTS = [
    ("a region that is not held against what there is", "before", r"length > \(size_t\)\(end - q\)", "length > (size_t)(end - q) + 1u"),
    ("an arm that takes an octet too many", "arm3", r"q = one4_after;", "q = one4_after + 1;"),
    ("a view that is one octet too long", "after", r"v->len = \(size_t\)\(q - p\);", "v->len = (size_t)(q - p) + 1u;"),
]
# That f gives 7 is in the definition of g; that a number is small is said of g, and so is what is left of a division; nothing is asked of h.
THEORY = """theory G
  use int.Int
  use int.ComputerDivision
  type pair = Pair int int
  constant most : int = 255
  function g int : int
  function f int : int
  function h int : int
  function first pair : int
  predicate small int
  axiom g_def : forall x. g x = x + 1
  axiom f_def : forall x. f x = g (x + 1)
  axiom small_def : forall x. small x <-> 0 <= x <= most
  axiom both : forall x. g x < f x
  axiom tells : forall x. small x -> g x <= 256
  axiom rest : forall x. 0 <= x -> mod x 16 <= g x
  axiom another : forall x. h x = f x
  axiom pairs : forall p. first p < f 5
  goal wp_goal : f 5 = 7
end
"""
GOAL = """;; f
(declare-fun f (Int) Int)

;; f_def
(assert (forall ((x Int)) (= (f x) (+ x 2))))

;; Goal wp_goal
(assert (not (= (f 5) 7)))

(check-sat)
"""
# No b is spoken of, without which nothing is said of a.
LOSS = """(declare-fun a () (Array Int Int))
(declare-fun b () (Array Int Int))
(assert (forall ((x Int)) (! (= (select a (* x x)) (select b (+ x 1))) :pattern ((select b (+ x 1))) )))
(assert (not (= (select a 4) 3)))
(check-sat)
"""
LIBRARY = {
    "one": "(* of numbers *)\n\nmodule A\n  use two.C as K\n  use B\n  let a = 1\nend\n\nmodule B\nend\n\nmodule E\n  use three.F\nend\n",
    "two": "module C\nend\nmodule G\nend\nmodule D\nend\n",
    "three": "module F\nend\n",
}
# As WP has them: what an element takes, how many a list has, and what has that list.
LIST_GOAL = "".join(
    f";; {name}\n(assert ({text}))\n\n"
    for name, text in (
        ("L_l_mrg_one_size'def", "is L_l_mrg_one_size"),
        ("L_l_mrg_two_size_def", "is L_l_mrg_two_size"),
        ("L_l_mrg_all_ones_list_def", "L_l_mrg_all_ones_list L_l_mrg_one_size"),
        ("L_l_mrg_all_size'def", "L_l_mrg_all_size L_l_mrg_all_ones_list"),
    )
)
# Were what is taken for granted of bits contradictory, this would be proved.
NOTHING = """/*@ terminates \\true; assigns \\nothing; ensures \\false; */
static inline void mrg_small_scan_nothing(void)
{
}

enum { MRG_SMALL"""


def plain(text: str) -> list[str]:
    """Without what ACSL is: `/*@ ... */`, and lines that say why a packet has none."""
    return [line for line in re.sub(r"/\*@.*?\*/", "", text, flags=re.S).split("\n") if line.strip()]


def annotations(report: common.Report, room: Path) -> None:
    """The C with contracts is the C that is compiled."""
    for sample in SAMPLES:
        for out, extra in ((room / "with", ["--acsl"]), (room / "without", [])):
            done = common.run("bin/mrg", "c", f"specs/{sample}", "-o", out, *extra)
            report.check(f"{sample} {extra}", done.returncode == 0, done.stdout)
    written = sorted((room / "with").rglob("*.[ch]"))
    with_contracts = [p for p in written if "/*@ requires" in p.read_text()]
    report.check("there are contracts", len(with_contracts) >= len(SAMPLES), str(written))
    for path in written:
        name = path.relative_to(room / "with")
        other = (room / "without" / name).read_text()
        report.check(f"{name}: the same but for contracts", plain(path.read_text()) == plain(other))
        report.check(f"{name}: none unless asked for", "/*@" not in other)


def states(report: common.Report) -> None:
    """What is proved of readers of text, state by state, is what is compiled, line by line."""
    modules, named, _ = load_named([str(ROOT / "specs/http/message.mrg")], [str(ROOT / "specs")])
    module = next(m for m in modules if m.name in named)
    compiled, proved = whole.source(module), acsl_text.source(module)
    bodies = re.findall(r"MRG_FOR\((\w+_read)\)\([^;{]*\)\n\{(.*?)\n\}", compiled, flags=re.S)
    report.check("readers are found", len(bodies) >= 7, str(len(bodies)))
    for name, body in bodies:
        first, *states = re.split(r"\ns(\d+):\n", re.sub(r"\nmore:\n.*", "", body, flags=re.S))
        whole_states = dict(zip(states[::2], states[1::2]))
        if "0" not in whole_states:
            whole_states["0"] = re.split(r"\t\*code = 0;\n", first, maxsplit=1)[1]
        split = dict(re.findall(rf"\b{name}_s(\d+)\([^;{{]*\)\n\{{(.*?)\n(?:more:.*?)\n\}}", proved, flags=re.S))
        report.check(f"{name}: all states", set(whole_states) == set(split), f"{sorted(whole_states)}\n{sorted(split)}")
        for state, text in whole_states.items():
            found = split.get(state, "").split("enum mrg_status st = MRG_OK;\n", 1)[-1]
            found = re.sub(r"/\*@.*?\*/\n?", "", found, flags=re.S)
            report.check(f"{name}: state {state}", re.sub(r"goto s\d+;", "return st;", text).split() == found.split(), f"{text}\n---\n{found}")


def arms(report: common.Report) -> None:
    """So are the parts of a check with many arms."""
    modules, named, _ = load_named([str(ROOT / "specs/dns/rr.mrg")], [str(ROOT / "specs")])
    module = next(m for m in modules if m.name in named)
    report.check("checks that are proved in parts", acsl_arms.split(module) == ["mrg_dns_rr_scan_"], str(acsl_arms.split(module)))
    compiled = re.search(r"\nconst uint8_t \*mrg_dns_rr_scan_\([^;{]*\)\n\{\n(.*?)\n\}\n", c_module.source(module), flags=re.S)
    proved = re.findall(r"\nconst uint8_t \*mrg_dns_rr_scan_(\w+)\([^;{]*\)\n\{\n(.*?)\n\}\n", acsl_arms.source(module), flags=re.S)
    lines = [line.strip() for line in re.sub(r"\t+(case .*|default):.*\n", "", compiled[1] if compiled else "").split("\n")]
    shown: list[str] = []
    for name, text in proved:
        body = [line.strip() for line in re.sub(r"(/\*@.*?\*/\n)+return NULL;", "break;", text).split("\n")]
        shown += body[:-1] if name == "before" else ["{", *body, "}"] if name.startswith("arm") else body
        shown += ["switch (shape) {"] if name == "before" else []
    last = max(i for i, line in enumerate(lines) if line == "if (MRG_UNLIKELY(q != rdata_lim))")
    report.check("there is no default but an arm", lines[last - 2 : last] == ["}", "}"], str(lines[last - 3 : last]))
    del lines[last - 1]
    report.check("parts of a check: all of its lines", shown == lines and len(proved) > 70, "\n".join(difflib.unified_diff(lines, shown, n=1)))


def closure(report: common.Report) -> None:
    """What is called by what is asked about is asked about, too."""
    text = "static int f(int a)\n{\n\treturn g(a) + 1;\n}\n\nint g(int a)\n{\n\treturn g(a);\n}\n\nint h(void)\n{\n\treturn f(1);\n}\n"
    report.check("what is called", prove_c.called(text, ["f"]) == {"f", "g"}, str(prove_c.called(text, ["f"])))


def loads(report: common.Report, room: Path) -> None:
    """Numbers as mrg.h has them loaded for gcc and clang, and for any other compiler: the latter is what is proved."""
    source = room / "loads.c"
    names = [f"mrg_{order}{bits}" for order in ("be", "le") for bits in (16, 32, 64)]
    calls = "".join(f'printf("%llx\\n", (unsigned long long){name}(b + i));\n' for name in names)
    source.write_text(f'''#include <stdio.h>
#include <string.h>
#ifdef ANY_COMPILER
#undef __GNUC__
#endif
#include "mrg.h"
int main(void)
{{
uint8_t b[264];
for (unsigned i = 0; i < sizeof b; i++) b[i] = (uint8_t)(i * 167u + i / 13u);
for (unsigned i = 0; i < 256; i++) {{
{calls}}}
return 0;
}}
''')
    out: list[str] = []
    for flags in ([], ["-DANY_COMPILER"]):
        made = common.run("gcc", "-std=c11", "-w", *flags, "-I", "gen/support", "-o", room / "loads", source)
        out.append(common.run(room / "loads").stdout if report.check(f"loads are compiled {flags}", made.returncode == 0, made.stdout) else "")
    report.check("both ways to load numbers agree", out[0] == out[1] and out[0].count("\n") == 256 * len(names))


def slices(report: common.Report, room: Path) -> None:
    """What is left out before a goal is what it doesn't speak of, and never the goal or what defines its words."""
    prover = prove_c.Prover(str(room), 0, 1, ("z3",))
    theory, conf = room / "g.why", room / "slice.conf"
    theory.write_text(THEORY)
    made = common.run("ocamlopt", "-shared", "-I", "+why3", "-o", room / "mrg_goals.cmxs", room / "mrg_goals.ml")
    report.check("Why3's module is compiled", made.returncode == 0, made.stdout)
    conf.write_text(f'[main]\nmagic = 14\nplugin = "{room}/mrg_goals"\n')
    env = dict(prover.env, WHY3CONFIG=str(conf), MRG_GOALS=str(room))
    done = subprocess.run(["why3", "prove", "-D", room / "mrg_goals.drv", theory], env=env, capture_output=True, text=True, check=False)
    report.check("a goal is kept, and told of", "Mrg_goals.Kept(1)" in done.stderr, done.stdout + done.stderr)
    text = (room / "1.smt2").read_text()
    said = (";; both\n", ";; tells\n", ";; small_def\n", ";; rest\n", ";; Div_mod\n")
    for part in ("(declare-fun g ", "(declare-fun f ", ";; g_def\n", ";; f_def\n", *said, "(not (= (f 5) 7))"):
        report.check(f"needed: {part.strip()}", text.count(part) == 1, text)
    report.check("not needed: h", "(h " not in text and "fun h" not in text, text)
    report.check("not needed: pairs", "pair" not in text and "first" not in text, text)
    report.check("it is shown", prove_solvers.asks("z3", text, 1)[0] is Answer.SHOWN, text)
    subprocess.run(["why3", "prove", "-D", room / "mrg_goals.drv", theory], env=dict(env, MRG_WHOLE="1"), capture_output=True, check=False)
    report.check("and nothing is left out where all is asked for", ";; another\n" in (room / "1.smt2").read_text(), (room / "1.smt2").read_text())


def thin(report: common.Report) -> None:
    """A goal of a list without what its elements take, and nothing else."""
    left = prove_solvers.thinner(LIST_GOAL)
    report.check("an element's size is left out", "one_size'def" not in left and "is L_l_mrg_one_size" not in left, left)
    report.check("and nothing else", left.strip() == LIST_GOAL.split("\n\n", 1)[1].strip(), left)
    report.check("a goal of no list is as it was", prove_solvers.thinner(GOAL) == GOAL)


def solvers(report: common.Report, room: Path) -> None:
    """Each shows what is true, and nothing else."""
    del room
    wrong = GOAL.replace("(f 5) 7", "(f 5) 8")
    for solver in prove_c.SOLVERS:
        report.check(f"{solver} shows it", prove_solvers.asks(solver, GOAL, 1)[0] is Answer.SHOWN)
        report.check(f"{solver} doesn't show what is wrong", prove_solvers.asks(solver, wrong, 1)[0] is not Answer.SHOWN)
        unread = prove_solvers.asks(solver, "(assert false) (assert k) (check-sat)", 1)[0]
        report.check(f"{solver} shows nothing of what it can't read", unread is not Answer.SHOWN)
        report.check(f"{solver} has no more effort", prove_solvers.asks(solver, GOAL, 1e-5)[0] is Answer.SPENT)
    for solver in prove_solvers.QUICK:
        goals = [GOAL, wrong, GOAL, GOAL.replace("(f 5)", "(k 5)"), GOAL]
        shown, _ = prove_solvers.together(solver, goals, 1)
        report.check(f"{solver} forgets one goal before the next", shown == [True, False, True, False, True], str(shown))
    odd = GOAL.replace(";; Goal", "(assert (forall ((x Int)) (! (<= x (f x)) :pattern ((f 5)) )))\n;; Goal")
    report.check("z3 may wonder", prove_solvers.asks("z3", odd, 1)[0] is Answer.SHOWN and prove_solvers.together("z3", [odd], 1)[0] == [True])


def losses(report: common.Report, room: Path) -> None:
    """More effort is of no use to who says that it has not all that it would need."""
    del room
    report.check("cvc4 is at a loss", prove_solvers.asks("cvc4", LOSS, 1)[0] is Answer.AT_A_LOSS)
    kept = prove_calls.call
    why = 'unknown\n(:reason-unknown "smt tactic failed to show goal to be sat/unsat (incomplete quantifiers)")\n'
    prove_calls.call = lambda *_, **__: prove_calls.Done(0, why, 0.0)
    report.check("z3 is at a loss", prove_solvers.asks("z3", GOAL, 1)[0] is Answer.AT_A_LOSS)
    prove_calls.call = kept


def efforts(report: common.Report) -> None:
    """Who is at a loss is not asked again, and who is asked when another has shown a goal has no more time for it than that is worth."""
    asked: list[tuple[str, float, int]] = []
    said = {"z3": [Answer.SPENT, Answer.SHOWN], "cvc4": [Answer.AT_A_LOSS]}

    def asks(solver: str, goal: str, seconds: float, late: int) -> tuple[Answer, float]:
        del goal
        asked.append((solver, seconds, late))
        return said[solver].pop(0), 0.0

    kept, prove_solvers.asks = prove_solvers.asks, asks
    each = prove_c.Asks(("z3", "cvc4"), GOAL, set())
    who = [each.who(prove_table.Outcome(""), seconds) for seconds in (1, 4)]
    said["cvc4"].append(Answer.SPENT)
    who.append(prove_c.Asks(("z3", "cvc4"), GOAL, {"z3"}).who(prove_table.Outcome(""), 20))
    prove_solvers.asks = kept
    late = prove_solvers.LATE
    report.check("who shows it", who == [set(), {"z3"}, {"z3"}], str(who))
    report.check("who is asked for how long", asked == [("z3", 1, late), ("cvc4", 1, late), ("z3", 4, late), ("cvc4", prove_c.SECOND, 1)], str(asked))


def library(report: common.Report, room: Path) -> None:
    """Of Why3's library what is needed, to the letter, and what that needs."""
    for name, text in LIBRARY.items():
        (room / f"{name}.mlw").write_text(text)
    wp = room / "wp"
    wp.mkdir()
    for name in prove_library.FILES:
        (wp / f"{name}.mlw").write_text("module M use one.A end\n" if name == "qed" else "")
    out = room / "library"
    out.mkdir()
    prove_library.write(str(out), str(room), str(wp), ["theory two.D\n  syntax function d \"d\"\nend\n"])
    got = {path.stem: path.read_text() for path in out.iterdir()}
    want = {"one": "module A\n  use two.C as K\n  use B\n  let a = 1\nend\n\nmodule B\nend\n\n", "two": "module C\nend\n\nmodule D\nend\n\n"}
    report.check("what is needed of a library", got == want, str(got))


def workers(report: common.Report) -> None:
    """What is most urgent is done first, and what has not begun when they stop is left."""
    begun, go, done = threading.Event(), threading.Event(), []
    few = prove_work.Workers(1)
    few.submit(1, begun.set)
    few.submit(1, go.wait)
    begun.wait()
    few.submit(3, done.append, "last")
    few.submit(2, done.append, "first")
    few.submit(2, done.append, "second")
    ended = threading.Event()
    few.submit(4, ended.set)
    go.set()
    ended.wait()
    few.stop()
    few.submit(1, done.append, "never")
    report.check("in their order", done == ["first", "second", "last"], str(done))


def is_whole(done: "subprocess.CompletedProcess[str]", what: str) -> bool:
    """Each goal of something is proved."""
    count = re.search(rf"^{what}: (\d+)/(\d+) goals", done.stdout, re.M)
    return done.returncode == 0 and count is not None and count[1] == count[2]


def proofs(report: common.Report, room: Path) -> None:
    spec, out = room / "small.mrg", room / "out"
    spec.write_text(SPEC)
    command = ("bin/mrg", "prove", "--c", spec, "-o", out)
    done = common.run(*command, "--solvers", "cvc4")
    report.check("a small header is proved whole", is_whole(done, "small.mrg") and "goals of 7 functions" in done.stdout, done.stdout)
    done = common.run(*command, "--only", "_scan_")
    # functions, goals, simplified, by z3, by cvc4, by all, open
    row = re.search(r"^small.mrg +1 +\d+ +\d+ +(\d+) +(\d+) +(\d+) +0 ", done.stdout, re.M)
    all_by_each = row is not None and row[1] == row[2] == row[3] and int(row[1]) >= 3
    report.check("its check by both solvers", done.returncode == 0 and all_by_each, done.stdout)
    header = out / "small.h"
    good = header.read_text()
    for what, find, wrong in FAULTS:
        bad, times = re.subn(find, wrong, good)
        header.write_text(bad.replace("enum { MRG_SMALL", NOTHING, 1))
        done = common.run(*command, "--as-is", "--solvers", "cvc4", "--only", "_scan_")
        named = re.search(r"^  small.mrg:\d+: not proved: typed_mrg_small_small_scan", done.stdout, re.M)
        report.check(f"{what}: not proved", times == 1 and done.returncode == 1 and named is not None, f"{times} places\n{done.stdout}")
        report.check(f"{what}: nor what is false", "not proved: typed_mrg_small_scan_nothing_ensures" in done.stdout, done.stdout)


def lists(report: common.Report, room: Path) -> None:
    spec, out = room / "records.mrg", room / "lists"
    spec.write_text(LIST)
    command = ("bin/mrg", "prove", "--c", spec, "-o", out, "--solvers", "z3")
    done = common.run(*command)
    report.check("a list that octets follow is proved", is_whole(done, "records.mrg") and "goals of 15 functions" in done.stdout, done.stdout)
    header = out / "records.h"
    bad, times = re.subn(r"(it\.left = .*);", r"\1 + 1u;", header.read_text())
    header.write_text(bad)
    done = common.run(*command, "--as-is", "--timeout", "2", "--only", "mrg_records_records_records")
    named = re.search(r"^  records.mrg:13: not proved: typed_mrg_records_records_records_ensures", done.stdout, re.M)
    report.check("an iterator over an element too many: not proved", times == 1 and done.returncode == 1 and named is not None, done.stdout)


def texts(report: common.Report, room: Path) -> None:
    spec, out = room / "line.mrg", room / "text"
    spec.write_text(TEXT)
    command = ("bin/mrg", "prove", "--c", spec, "-o", out, "--solvers", "cvc4")
    done = common.run(*command)
    count = re.search(r"^line.mrg: text: (\d+)/(\d+) goals", done.stdout, re.M)
    report.check("a reader of text is proved whole", done.returncode == 0 and count is not None and count[1] == count[2], done.stdout)
    again = common.run(*command)
    report.check("and what is proved is kept", again.returncode == 0 and f"{count[2] if count else ''} kept from before" in again.stdout, again.stdout)
    source = out / "line_read_prove.c"
    bad = source.read_text()
    for what, _, find, wrong in TEXT_FAULTS:
        bad, times = re.subn(find, wrong, bad)
        report.check(f"{what}: planted", times == 1, f"{times} places")
    source.write_text(bad)
    done = common.run(*command, "--as-is", "--timeout", "2")
    report.check("faults: not proved", done.returncode == 1, done.stdout)
    for what, state, _, _ in TEXT_FAULTS:
        named = re.search(rf"^  line.mrg:6: not proved: typed_mrg_line_text_line_read_{state}_", done.stdout, re.M)
        report.check(f"{what}: not proved", named is not None, done.stdout)


def parts(report: common.Report, room: Path) -> None:
    spec, out = room / "many.mrg", room / "many"
    spec.write_text(MANY)
    command = ("bin/mrg", "prove", "--c", spec, "-o", out, "--solvers", "z3")
    done = common.run(*command, "--only", "mrg_many_many_scan_")
    report.check("a check of many arms is proved", is_whole(done, "many.mrg: arms") and "goals of 20 functions" in done.stdout, done.stdout)
    source = out / "many_arms_prove.c"
    bad = source.read_text()
    for what, _, find, wrong in ARM_FAULTS:
        bad, times = re.subn(find, wrong, bad)
        report.check(f"{what}: planted", times == 1, f"{times} places")
    source.write_text(bad)
    for what, part, _, _ in ARM_FAULTS:
        done = common.run(*command, "--as-is", "--timeout", "2", "--only", f"mrg_many_many_scan_{part}")
        named = re.search(rf"^  many.mrg:\d+: not proved: typed_mrg_many_many_scan_{part}_", done.stdout, re.M)
        report.check(f"{what}: not proved", done.returncode == 1 and named is not None, done.stdout)


def main() -> int:
    report = common.Report()
    with tempfile.TemporaryDirectory() as name:
        annotations(report, Path(name))
        states(report)
        arms(report)
        closure(report)
        loads(report, Path(name))
        thin(report)
        efforts(report)
        library(report, Path(name))
        workers(report)
        by_tools = (slices, solvers, losses, proofs, lists, texts, parts)
        if all(shutil.which(tool) for tool in ("frama-c", "why3", "ocamlopt", "cvc4", "z3")):
            for each in by_tools:
                each(report, Path(name))
        else:
            print(f"{len(by_tools)} not applicable")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

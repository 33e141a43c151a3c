#!/usr/bin/env python3
"""`mrg prove`: all specifications are proved; faults put into the IR are found, and the interpreter sees them in the counterexample."""

from __future__ import annotations

import random
import re
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "gen"))
sys.path.insert(0, str(ROOT / "tests"))

from report import Report, run  # noqa: E402

from mrg import ir, layout, load, prove_goals  # noqa: E402
from mrg.prove_items import Walk  # noqa: E402
from mrg.prove_z3 import Failure, prove  # noqa: E402
from mrg.values import operate  # noqa: E402

T = TypeVar("T", bound=ir.Item)
SPECS = sorted((ROOT / "specs").glob("**/*.mrg"))
MADE = [*sorted((HERE / "interp").glob("*.mrg")), *sorted((HERE / "machines" / "made").glob("*.mrg"))]
MORE, FINDS, READS = "refuses: MRG_MORE", "the interpreter finds", "the interpreter reads"


def module(body: str) -> ir.Module:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.mrg")
        path.write_text(f"module t;\n{body}")
        return load.load([str(path)], [str(ROOT / "specs")])[-1]


def packet(body: str, name: str = "P") -> ir.Packet:
    return next(p for p in module(body).packets if p.name == name)


def of_spec(spec: str, name: str) -> ir.Packet:
    modules = load.load([str(ROOT / "specs" / f"{spec}.mrg")])
    return next(p for p in modules[-1].packets if p.name == name)


def item(p: ir.Packet, name: str, kind: type[T]) -> T:
    return next(i for i in layout.walk(p.items) if i.name == name and isinstance(i, kind))


def without(p: ir.Packet, kind: type[ir.Item]) -> ir.Packet:
    p.items = [i for i in p.items if not isinstance(i, kind)]
    return p


# --- faults --------------------------------------------------------------------------


def udp_unchecked() -> ir.Packet:
    """Nothing holds the length against 8 and the datagram."""
    return without(of_spec("net/udp", "Udp"), ir.Check)


def ip4_unchecked() -> ir.Packet:
    return without(of_spec("net/ip4", "Ip4"), ir.Check)


def claim_too_narrow() -> ir.Packet:
    p = of_spec("net/udp", "Udp")
    length = item(p, "data_octets", ir.Bytes).length
    assert length is not None
    length.hi = 100
    return p


def field_too_narrow() -> ir.Packet:
    p = of_spec("net/tcp", "Tcp")
    item(p, "source_port", ir.Scalar).hi = 1023
    return p


def size_max_too_small() -> ir.Packet:
    p = of_spec("net/udp", "Udp")
    p.size_max = 40
    return p


def size_min_too_large() -> ir.Packet:
    p = of_spec("net/udp", "Udp")
    p.size_min = 9
    return p


def rr_size_max() -> ir.Packet:
    p = of_spec("dns/rr", "Rr")
    assert p.size_max is not None
    p.size_max -= 1
    return p


def sure_octets() -> ir.Packet:
    p = packet("/// P.\npacket P { n: u8; data: bytes(n); }")
    item(p, "data", ir.Bytes).sure = True
    return p


def sure_region() -> ir.Packet:
    p = packet("/// P.\npacket P { n: u8; data: { all: rest; } within n; }")
    item(p, "data", ir.Region).sure = True
    return p


def sure_list() -> ir.Packet:
    p = packet("/// P.\npacket P { n: u8; data: list u16 bytes n; }")
    item(p, "data", ir.List).sure = True
    return p


def sure_in_region() -> ir.Packet:
    """The region ends before the packet does."""
    p = packet("/// P.\npacket P { n: u8 in 4..; data: { a: bytes(4); b: { m: u8; c: bytes(m); } within 2; } within n; }", "PDataB")
    item(p, "c", ir.Bytes).sure = True
    return p


def empty_elements(how: str) -> ir.Packet:
    p = packet(f"/// E.\npacket E {{ n: u8; }}\n/// P.\npacket P {{ l: list E {how}; }}")
    elem = item(p, "l", ir.List).elem
    assert isinstance(elem, ir.Sub)
    elem.packet.items, elem.packet.size_min, elem.packet.size_max = [], 0, 0
    return p


def many_empty_elements() -> ir.Packet:
    p = packet("/// E.\npacket E { n: u8; }\n/// P.\npacket P { n: u32; l: list E count n; }")
    elem = item(p, "l", ir.List).elem
    assert isinstance(elem, ir.Sub)
    elem.packet.items, elem.packet.size_min, elem.packet.size_max = [], 0, 0
    return p


def name() -> tuple[ir.Packet, ir.Chain]:
    p = of_spec("dns/name", "Name")
    return p, next(i for i in p.items if isinstance(i, ir.Chain))


def chain_of_nothing() -> ir.Packet:
    p, chain = name()
    chain.arms[0].packet.size_min = 0
    return p


def chain_jumps_on() -> ir.Packet:
    p, chain = name()
    next(a for a in chain.arms if a.kind == "goto").max_jumps = 0
    return p


def chain_without_stop() -> ir.Packet:
    p, chain = name()
    chain.arms = [a for a in chain.arms if a.kind != "stop"]
    return p


def chain_of_two_minds() -> ir.Packet:
    p, chain = name()
    chain.arms[1].first = list(chain.arms[0].first)
    return p


def chain_too_long() -> ir.Packet:
    p, chain = name()
    chain.max_bytes += 1
    return p


def argument_outside() -> ir.Packet:
    p = packet("/// Q.\npacket Q(n: u8 in 1..9) { x: bytes(n - 1); }\n/// P.\npacket P { n: u8 in 1..9; q: Q(n); }")
    sub = item(p, "q", ir.Sub)
    sub.packet.params[0].lo = 2
    return p


def argument_missing() -> ir.Packet:
    p = packet("/// Q.\npacket Q(n: u8) { x: bytes(n); }\n/// P.\npacket P { n: u8; q: Q(n); }")
    item(p, "q", ir.Sub).args = []
    return p


def parameter_not_kept() -> ir.Packet:
    p = packet("/// Q.\npacket Q(n: u8 in 1..9) { x: bytes(n - 1); }", "Q")
    p.params[0].lo = 0
    return p


def used_before_read() -> ir.Packet:
    p = packet("/// P.\npacket P { n: u8; m: u8; data: bytes(n); }")
    data = p.items.pop()
    p.items.insert(0, data)
    return p


def used_when_absent() -> ir.Packet:
    p = packet("/// P.\npacket P { f: u8; n: u8 if f == 1; data: bytes(n) if f == 1; }")
    second = [i for i in p.items if isinstance(i, ir.Optional_)][1]
    p.items = [*p.items[:-1], *second.items]
    return p


def implied_without_cause() -> ir.Packet:
    p = packet("/// P.\npacket P { n: u8 := size b; f: u8; b: bytes(n) if f; }")
    item(p, "n", ir.Scalar).implied = True
    return p


def contradiction() -> ir.Packet:
    p = packet("/// P.\npacket P { a: u8 = 1; b: u8; }")
    item(p, "a", ir.Scalar).const = 300
    return p


def inside_a_byte() -> ir.Packet:
    p = packet("/// P.\npacket P { a: 4; b: 4; c: bytes(1); }")
    p.items = [i for i in p.items if i.name != "b"]
    return p


def sum_of_what_may_lack() -> ir.Packet:
    p = packet("/// P.\npacket P { f: u8; c: u8; s: u16 := inet16(f..tail_end); tail_end: u16; }")
    last = p.items.pop()
    cond = ir.Bin(last.loc, 0, 1, "==", ir.FieldRef(last.loc, 0, 255, (p.items[0],)), ir.Const(last.loc, 1, 1, 1))
    p.items.append(ir.Optional_(last.loc, "", last.name, cond, [last]))
    p.size_min -= 2
    return p


def arm_without_value() -> ir.Packet:
    """An arm that is taken for values which its length does not allow."""
    p = packet("/// P.\npacket P { n: u8; x: switch n { 4..255 => a: { y: bytes(n - 4); }; _ => none: empty; }; }")
    switch = item(p, "x", ir.Switch)
    switch.arms[0].pats[0].lo = 3
    return p


def guard_dropped() -> ir.Packet:
    p = packet("/// P.\npacket P { n: u8; data: bytes(n > 3 ? n - 3 : 0); }")
    length = item(p, "data", ir.Bytes).length
    assert isinstance(length, ir.Cond) and isinstance(length.c, ir.Bin)
    length.c.op = ">="
    length.c.b = ir.Const(length.loc, 2, 2, 2)
    return p


Case = tuple[Callable[[], ir.Packet], str, int, str]  # the fault, what is not proved, at which line, how the interpreter sees it
FAULTS: list[Case] = [
    (udp_unchecked, "'length' is in 8..65535", 21, FINDS),
    (udp_unchecked, "'data_octets' ends in its region", 21, MORE),
    (ip4_unchecked, "'ihl' is in 5..15", 62, FINDS),
    (ip4_unchecked, "'total_length - (ihl * 4)' is not negative", 63, FINDS),
    (claim_too_narrow, "'length - 8' is in 0..100", 21, FINDS),
    (field_too_narrow, "'source_port' is in 0..1023", 0, READS),
    (size_max_too_small, "it takes at most 40 octets", 14, READS),
    (size_min_too_large, "it takes at least 9 octets", 14, READS + ", 8 of it"),
    (rr_size_max, "it takes at most", 0, ""),
    (sure_octets, "'data' ends in its region", 3, MORE),
    (sure_region, "'data' ends in its region", 3, MORE),
    (sure_list, "'data' ends in its region", 3, MORE),
    (sure_in_region, "'c' ends in its region", 3, ""),
    (lambda: empty_elements("rest"), "an element of 'l' takes at least one octet", 5, "an element of l takes no bytes"),
    (lambda: empty_elements("while peek u8 == 0"), "an element of 'l' takes at least one octet", 5, "an element of l takes no bytes"),
    (many_empty_elements, "'l' has at most 65535 elements", 5, ""),
    (chain_of_nothing, "takes at least one octet", 0, ""),
    (chain_jumps_on, "jumps at most 1..65535 times", 0, ""),
    (chain_without_stop, "something ends chain", 0, ""),
    (chain_of_two_minds, "the first octet tells the arms", 0, ""),
    (chain_too_long, "it takes at most 256 octets", 0, ""),
    (argument_outside, "'n of Q' is in 2..9", 5, READS),  # the interpreter does not look at parameters
    (argument_missing, "'Q' gets an argument for each parameter", 5, ""),
    (parameter_not_kept, "'n' is in 1..9", 3, FINDS),
    (used_before_read, "'n' was read before it is used", 3, ""),
    (used_when_absent, "'n' is there", 3, ""),
    (implied_without_cause, "'n' is size b without a check", 3, READS),
    (contradiction, "there is a message", 3, ""),
    (inside_a_byte, "'c' is at a byte's edge", 3, ""),
    (sum_of_what_may_lack, "'tail_end' of inet16 is there", 3, FINDS),
    (arm_without_value, "'n' is in 4..255", 3, FINDS),
    (guard_dropped, "'n' is in 4..255", 3, FINDS),
]


def test_faults(report: Report, z3: Any) -> None:
    for make, what, line, seen in FAULTS:
        name = f"{make.__name__}: {what}"
        p = make()
        failures = prove(p, z3).failures
        found: Optional[Failure] = next((f for f in failures if what in f.what), None)
        told = "\n".join(f"{f.loc} {f.text()} {f.witness.packet()}" for f in failures)
        if not report.check(f"found: {name}", found is not None, told) or found is None:
            continue
        report.check(f"place: {name}", (not line or found.loc.line == line) and found.loc.file.endswith(".mrg"), told)
        report.check(f"seen: {name}", seen in found.witness.packet(), told)


# --- operators -------------------------------------------------------------------------

OPERATORS = {
    "+": "a + b", "-": "a >= b ? a - b : 0", "*": "a * b", "/": "a / (b + 1)", "%": "a % (b + 1)", "<<": "a << (b & 31)", ">>": "a >> (b & 7)",
    "&": "a & b", "|": "a | b", "^": "a ^ b", "mask": "a & 0x5a", "or": "a | 0x18", "xor": "0x18 ^ a", "~": "~a & 0xff", "in": "(a in {3..7, 200})",
    "cond": "a > b && b > 3 || !(a == 9) ? 5 : b", "min": "min(a, b)", "shift": "a << 3", "down": "a >> 3", "mixed": "(a << 8 | b) / 4",
}  # fmt: skip
TIGHT = {"+": 510, "*": 65025, "/": 255, "<<": 255 << 31, ">>": 255, "&": 255, "|": 255, "^": 255, "mask": 0x5A, "~": 255, "cond": 255,
         "min": 255, "shift": 2040, "down": 31, "mixed": 16383}  # the most that there can be; fmt: skip


def value_of(e: ir.Expr, a: int, b: int) -> int:
    """What the interpreter makes of the expression."""
    if isinstance(e, ir.FieldRef):
        return {"a": a, "b": b}[e.path[0].name]
    if isinstance(e, ir.Const):
        return e.value
    if isinstance(e, ir.Un):
        return ((1 << 64) - 1 - value_of(e.a, a, b)) if e.op == "~" else int(not value_of(e.a, a, b))
    if isinstance(e, ir.Cond):
        return value_of(e.a if value_of(e.c, a, b) else e.b, a, b)
    if isinstance(e, ir.In):
        return int(any(value_of(lo, a, b) <= value_of(e.e, a, b) <= value_of(hi, a, b) for lo, hi in e.ranges))
    assert isinstance(e, ir.Bin)
    if e.op in ("&&", "||"):
        x, y = value_of(e.a, a, b) != 0, value_of(e.b, a, b) != 0
        return int(x and y if e.op == "&&" else x or y)
    return operate(e.op, value_of(e.a, a, b), value_of(e.b, a, b))


def test_terms_mean_what_the_interpreter_says(report: Report, z3: Any) -> None:
    """No value but the interpreter's is possible for given operands."""
    rng = random.Random(1)
    for name, text in OPERATORS.items():
        p = packet(f"/// P.\npacket P {{ a: u8; b: u8; let x = {text}; }}")
        goals = prove_goals.Goals(z3)
        walk = Walk(goals, p)
        walk.whole()
        fields = {i.name: walk.values[(id(i),)] for i in p.items}
        for _ in range(6):
            a, b = rng.choice([0, 1, 3, 9, 200, 255, rng.randrange(256)]), rng.choice([0, 1, 7, 255, rng.randrange(256)])
            want = value_of(item(p, "x", ir.Let).expr, a, b)
            operands = [fields["a"] == a, fields["b"] == b]
            report.check(f"{text} with {a}, {b} may be {want}", goals.example([*operands, fields["x"] == want]) is not None)
            report.check(f"{text} with {a}, {b} is nothing else", goals.example([*operands, fields["x"] != want]) is None)


def test_tight_claims(report: Report, z3: Any) -> None:
    """The most that an operation gives may be claimed; one less is found."""
    for name, most in TIGHT.items():
        p = packet(f"/// P.\npacket P {{ a: u8; b: u8; let x = {OPERATORS[name]}; }}")
        e = item(p, "x", ir.Let).expr
        e.hi = most
        report.check(f"{OPERATORS[name]} is at most {most}", not prove(p, z3).failures)
        e.hi = most - 1
        failures = prove(p, z3).failures
        told = "\n".join(f"{f.text()} {f.witness.packet()}" for f in failures)
        report.check(f"{OPERATORS[name]} is not at most {most - 1}", len(failures) == 1 and FINDS in failures[0].witness.packet(), told)


def test_operators_that_wrap(report: Report, z3: Any) -> None:
    """An operator put in the place of a harmless one."""
    wide = "/// P.\npacket P {{ a: u64; b: u32; let x = {}; }}"
    for text, op, what in [
        ("a - (a & 7)", "+", "fits in 64 bits"), ("a / 2", "*", "fits in 64 bits"), ("a >> 3", "<<", "fits in 64 bits"),
        ("a & b", "-", "is not negative"), ("a & b", "*", "fits in 64 bits"), ("a & b", "/", "is not 0"), ("a & b", "%", "is not 0"),
        ("a & b", ">>", "is by less than 64"),
    ]:  # fmt: skip
        p = packet(wide.format(text))
        e = item(p, "x", ir.Let).expr
        assert isinstance(e, ir.Bin)
        e.op, e.lo, e.hi = op, 0, (1 << 64) - 1
        failures = prove(p, z3).failures
        report.check(f"'{text}' with {op}", any(what in f.what for f in failures), "\n".join(f.text() for f in failures))


# --- specifications, the command -----------------------------------------------------------


def test_all_specifications(report: Report, z3: Any) -> None:
    """What the front end takes is proved once more."""
    goals = 0
    for m in load.load([str(p) for p in [*SPECS, *MADE]], [str(ROOT / "specs")]):
        results = [prove(p, z3) for p in m.packets]
        goals += sum(r.goals for r in results)
        report.none(f"{m.name} is proved", [f"{f.loc} {f.text()}" for r in results for f in r.failures])
    report.check("there are obligations", goals > 4000, str(goals))


def test_solver_without_time(report: Report, z3: Any) -> None:
    """What the solver can't tell is a failure that says so."""
    p = packet("/// P.\npacket P { a: u64 in 1..1000000; b: u64 in 1..1000000; let x = a * b % 1000; }")
    e = item(p, "x", ir.Let).expr
    e.hi = 998
    outer, prove_goals.Goals._ask = prove_goals.Goals._ask, lambda self, *terms: (z3.unknown, None)  # type: ignore[method-assign]
    try:
        failures = prove(p, z3).failures
    finally:
        prove_goals.Goals._ask = outer  # type: ignore[method-assign]
    report.check("the solver can't tell", bool(failures) and all("the solver can't tell" in f.text() for f in failures))


def test_command(report: Report) -> None:
    done = run(sys.executable, ROOT / "bin/mrg", "prove", "specs/net/udp.mrg")
    report.check("one line a specification", done.returncode == 0 and done.stdout.startswith("specs/net/udp.mrg: ") and " proved\n" in done.stdout, done.stdout)
    done = run(sys.executable, "-c", "import sys; sys.path.insert(0, 'gen')\nfrom mrg import prove_goals, main\nprove_goals.DEBIAN = '/nonexistent'\n"
               "sys.modules['z3'] = None\nsys.exit(main.main(['prove', 'specs/net/udp.mrg']))")
    report.check("without z3", done.returncode == 2 and "mrg prove: z3 is not installed: 'apt-get install python3-z3'" in done.stdout, done.stdout)
    done = run(sys.executable, "-c", "import sys; sys.path.insert(0, 'gen')\nfrom mrg import main, prove_z3, ir\nold = prove_z3.Walk\n"
               "def walk(goals, p):\n    p.items = [i for i in p.items if not isinstance(i, ir.Check)]\n    return old(goals, p)\n"
               "prove_z3.Walk = walk\nsys.exit(main.main(['prove', 'specs/net/udp.mrg']))")
    want = [r"^specs/net/udp\.mrg:21:22: error: in packet 'Udp': that 'length' is in 8\.\.65535 is not proved: counterexample source_port = \d+, ",
            r"^    data_octets: bytes\(length - 8\);\n +\^~~~~~$", r"^specs/net/udp\.mrg: \d+ obligations, \d+ proved$",
            r"^specs/net/udp\.mrg:14:8: note: the packet [0-9a-f]{8}000[0-7][0-9a-f]+ \(\d+ octets\), on which the interpreter finds: "]
    report.none("errors have a place and a packet",
                [f"{w} in\n{done.stdout}" for w in want if not re.search(w, done.stdout, re.M)] + (["exit code"] if done.returncode != 1 else []))


def main() -> int:
    report = Report()
    z3 = prove_goals.load()
    test_command(report)
    tests: list[Callable[[Report, Any], None]] = [
        test_faults, test_terms_mean_what_the_interpreter_says, test_tight_claims, test_operators_that_wrap, test_all_specifications,
        test_solver_without_time,
    ]  # fmt: skip
    for test in tests:
        try:
            test(report, z3)
        except Exception:
            report.check(test.__name__, False, traceback.format_exc())
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

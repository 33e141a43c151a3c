#!/usr/bin/env python3
"""`mrg diff`: pairs of packets whose difference is found, or that are proved to take the same messages."""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "gen"))
sys.path.insert(0, str(ROOT / "tests"))

from report import Report, run  # noqa: E402

from mrg import ir, load, prove_goals  # noqa: E402
from mrg.interp import parse  # noqa: E402
from mrg.prove_diff import differ  # noqa: E402
from mrg.values import Rejection  # noqa: E402

MESSAGES = 300  # at random, for a pair that is proved the same
SAME, OLD, NEW, NONE = "proved", "the old one refuses", "the new one refuses", "no difference found"
ENUM = "/// E.\nenum E : u8 closed {\n  /// A.\n  A = 1;\n  /// B.\n  B = 2;\n  /// C.\n  C = 7;\n}\n"

# (what it is about, the old packet, the new one, what is found)
PAIRS = [
    ("a range", "a: u8 in 1..9;", "a: u8 in 1..10;", OLD + " 0a"),
    ("a range, the other way", "a: u8 in 1..9;", "a: u8 in 2..9;", NEW + " 01"),
    ("one field or two", "a: u16;", "hi: u8; lo: u8;", SAME),
    ("one field or two, constrained", "a: u16 in 0x100..0x1ff;", "hi: u8 = 1; lo: u8;", SAME),
    ("one field or two, one value apart", "a: u16 in 0x100..0x1fe;", "hi: u8 = 1; lo: u8;", OLD + " 01ff"),
    ("bit fields", "a: 4; b: 4 in 1..3;", "x: u8; where x & 15 in 1..3;", SAME),
    ("bit fields over octets", "a: 3; b: 10 in 5..; c: 3;", "x: u16; where (x >> 3 & 1023) > 4;", SAME),
    ("byte order", "a: u16le = 1;", "a: u16 = 256;", SAME),
    ("byte order that differs", "a: u16le = 1;", "a: u16 = 1;", NEW + " 0100"),
    ("signs", "a: i8; where a < 0;", "a: u8 in 128..;", SAME),
    ("signs that differ", "a: i8; where a < 1;", "a: u8 in 128..;", NEW + " 00"),
    ("too few octets", "a: u8; b: u8;", "a: u8;", OLD),
    ("lengths", "n: u8; d: bytes(n);", "n: u8; d: bytes(n); e: u8;", NEW),
    ("lengths, written in another way", "n: u8 in 2..; d: bytes(n - 2);", "m: u8; where m > 1; e: bytes(m - 2);", SAME),
    ("a longer length", "n: u8; d: bytes(n);", "n: u8; d: bytes(n); where n <= 200;", NEW),
    ("a field behind a length", "n: u8 in 0..9; d: bytes(n); e: u8 in 1..3;", "n: u8 in 0..9; d: bytes(n); e: u8 in 1..4;", OLD),
    ("a checksum", "a: u8; b: u8 in 0..5; s: u16 := inet16(a..s);", "a: u8; b: u8 in 0..4; s: u16 := inet16(a..s);", NEW),
    ("a list", "l: list { k: u8 in 0..9; } rest;", "l: list { k: u8 in 0..8; } rest;", NEW + " 09"),
    ("a list that is the same", "l: list { k: u8 in 0..9; } rest;", "l: list { j: u8 in 0..9; } rest;", NONE),
    ("a tag", "t: u8; b: switch t { 1 => x: u8; 2 => y: u16; };", "t: u8; b: switch t { 1 => x: u8; };", NEW + " 02"),
    ("a tag, arms in another order", "t: u8; b: switch t { 1 => x: u8; 2 => y: u16; };", "t: u8; b: switch t { 2 => y: u16; 1 => x: u8; };", SAME),
    ("what is optional", "f: u8; a: u8 if f & 1 == 1;", "f: u8; a: u8 if f & 3 == 1;", OLD),
    ("what is optional, written in another way", "f: u8; a: u8 if f & 1 == 1;", "f: u8; a: bytes(1) if f % 2 != 0;", SAME),
    ("a region", "n: u8; r: { a: u8; } within n tail;", "n: u8; r: { a: u8; } within n;", NEW),
    ("a region, or octets", "n: u8; r: { a: rest; } within n;", "n: u8; r: bytes(n);", SAME),
    ("members", "e: E;", "e: u8; where e in {1, 2, 7};", SAME),
    ("a member more", "e: E;", "e: u8; where e in {1, 2, 6, 7};", OLD + " 06"),
    ("what comes next", "l: u8 if peek u8 == 4; m: u8;", "l: u8 if peek u8 == 5; m: u8;", ""),
    ("a sub-packet that both have", "q: Q; a: u8 in 0..4;", "p: Q; a: u8 in 0..4;", SAME),
    ("behind a sub-packet that both have", "q: Q; a: u8 in 0..4;", "q: Q; a: u8 in 0..5;", OLD),
    ("fields of a sub-packet", "q: Q; a: bytes(q.n);", "q: Q; a: bytes(q.n / 2);", OLD),
    ("a sub-packet at another place", "a: u8; q: Q;", "q: Q; a: u8;", ""),
    ("most octets", "n: u8; d: bytes(n);", "n: u8; where n < 100; d: bytes(n);", NEW),
    ("what is computed", "n: u8 := size d; d: rest;", "n: u8; d: rest;", OLD),
    ("a warning", "a: u8 in 1..9 warn;", "a: u8;", SAME),
]  # fmt: skip


def packet(body: str) -> ir.Packet:
    q = "/// Q.\npacket Q { n: u8; more: bytes(n & 3); }\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.mrg")
        path.write_text(f"module t;\n{ENUM if ' E;' in body else ''}{q if 'Q;' in body else ''}/// P.\npacket P {{ {body} }}\n")
        return next(p for p in load.load([str(path)])[-1].packets if p.name == "P")


def accepts(p: ir.Packet, data: bytes) -> bool:
    try:
        parse(p, data)
    except Rejection:
        return False
    return True


def test_pairs(report: Report, z3: Any) -> None:
    rng = random.Random(1)
    for name, before, after, want in PAIRS:
        old, new = packet(before), packet(after)
        d = differ(old, new, z3)
        said = d.text or (SAME if d.exact else NONE)
        report.check(name, bool(want in said and (want or d.text)), said)
        if said == SAME:
            data = [bytes(rng.choice([0, 1, 2, 3, 7, 128, 255, rng.randrange(256)]) for _ in range(rng.randrange(12))) for _ in range(MESSAGES)]
            report.none(f"{name}: random messages", [x.hex() for x in data if accepts(old, x) != accepts(new, x)])
        back = differ(new, old, z3)
        report.check(f"{name}: the other way", bool(back.text) == bool(d.text) and back.exact == d.exact, back.text)


def test_parameters(report: Report, z3: Any) -> None:
    one, other = (packet(f"x: u8; }}\n/// R.\npacket R(n: u8) {{ a: u8; where a {op} n;").module for op in ("<", "<="))
    old, new = (next(p for p in m.packets if p.name == "R") for m in (one, other))
    d = differ(old, new, z3)
    report.check("a parameter", "n = " in d.text and d.text.startswith(OLD), d.text)
    new.params.append(ir.Param("m", "int", 8, None, 0, 255))
    report.check("other parameters", differ(old, new, z3).text == "the parameters differ")


def edited(folder: Path, spec: str, before: str, after: str) -> Path:
    """A specification of the tree with one change."""
    text = (ROOT / "specs" / spec).read_text()
    path = folder / spec
    path.parent.mkdir(parents=True, exist_ok=True)
    assert before in text
    path.write_text(text.replace(before, after))
    return path


def test_command(report: Report) -> None:
    cases = [
        ("net/udp.mrg", "length: u16 in 8..", "length: u16 in 9..", ["Udp: the new one refuses ", ": MRG_E_VALUE at bit 32: length: must be in 9..",
                                                                      "UdpHeader: the same messages (proved)"]),
        ("net/ip4.mrg", "ihl: 4 in 5..", "ihl: 4 in 6..", ["Ip4: the new one refuses 45", "Ip4Plain: the same messages (proved)"]),
        ("dns/name.mrg", "MAX_LABEL = 63", "MAX_LABEL = 62", ["NameLabel: the new one refuses 3f", "PlainNameRoot: the same messages (proved)"]),
    ]
    with tempfile.TemporaryDirectory() as room:
        for spec, before, after, wants in cases:
            new = edited(Path(room), spec, before, after)
            done = run(sys.executable, ROOT / "bin/mrg", "diff", f"specs/{spec}", new)
            report.none(f"{spec} with {after}", [f"no '{w}' in:\n{done.stdout}" for w in wants if w not in done.stdout])
            report.check(f"{spec} with {after}: exit code", done.returncode == 1)
    done = run(sys.executable, ROOT / "bin/mrg", "diff", "specs/dns/rr.mrg", "specs/dns/rr.mrg")
    report.check("a file and itself", done.returncode == 0 and all(x.endswith(": the same messages (proved)") for x in done.stdout.splitlines()), done.stdout)


def main() -> int:
    report = Report()
    z3 = prove_goals.load()
    test_pairs(report, z3)
    test_parameters(report, z3)
    test_command(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

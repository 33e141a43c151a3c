#!/usr/bin/env python3
"""Points that no input comes to (gen/mrg/prove_reach.py): of each kind one that is proved, beside one that is nearly the same and can be reached."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "gen"))
sys.path.insert(0, str(ROOT / "tests"))

from report import Report  # noqa: E402

from mrg import load, prove_reach  # noqa: E402
from mrg.emit import fuzz, plan  # noqa: E402

BEFORE = """/// T.
module t;
/// E.
packet Pair { kind: u8 in {1, 2}; more: u8; }
/// E.
packet Sized(n: u8) { a: u16 if n == 2; left: rest; }
/// E.
packet Name(msg: buffer) {
  chain labels max 40 {
    Label { 0b00: 2; len: 6 in 1..9; octets: bytes(len); }
    Root { 0: u8; } stop
    Pointer { 0b11: 2; at: 14 in 4..; } goto msg[at] back max 7
  }
}
"""

# (what it is about, items of P, points that can't be reached)
CASES = [
    ("octets that a length makes sure of", "n: u8 in 3..; r: { a: u16; b: rest; } within n;", ["P.r: octets left over", "PR.a: cut"]),
    ("octets that it does not", "n: u8 in 1..; r: { a: u16; } within n;", []),
    ("a check that octets make sure of", "where avail >= 2; a: u16;", ["P: must hold: avail >= 2: broken"]),
    ("octets that a check makes sure of", "n: u8; r: { l: list u16 rest; } within n; where avail >= 2; a: list u8 rest;",
     ["P.a: none", "P.a: one", "P.r: octets left over"]),
    ("a list with something in it", "where avail > 0; l: list u8 rest;", ["P.l: none"]),
    ("a list that may be empty", "l: list u8 rest;", []),
    ("elements that there is no room for", "n: u8 in 0..8; l: list u16 bytes n & 6 max 3;", ["P.l: more than 3 elements"]),
    ("elements that there is just room for", "n: u8 in 0..8; l: list u16 bytes n & 6 max 2;", []),
    ("one octet behind the last element", "n: u8; r: { l: list u16 rest max 3; } within n & 7;", ["P.r: octets left over"]),
    ("half an element", "n: u8; where n % 2 == 0; l: list { a: u16; align 2; } bytes n;", ["PLItem.a: cut", "PLItem: padding is cut"]),
    ("half an element, of another length", "n: u8; l: list { a: u16; } bytes n;", []),
    ("octets that are too many", "n: u8; r: { a: bytes(2) if n == 9; b: rest; } within n; ", ["P.r: octets left over", "PR.a: cut"]),
    ("octets that a length can't say", "n: u8 in 0..16; d: bytes(n); where size d < 17;", ["P: must hold: size d < 17: broken"]),
    ("octets that it can", "n: u8 in 0..16; d: bytes(n); where size d < 16;", []),
    ("a number that is what the size is", "n: u8 := (size l + 1) / 2; l: list u16 bytes n * 2;", ["P.n: not what is computed"]),
    ("a number whose octets are swapped",
     "n: u16 := (size d + 3 & 0xff) << 8 | size d + 3 >> 8; let m = (n & 0xff) << 8 | n >> 8; where m in 3..99; d: bytes(m - 3);",
     ["P.n: not what is computed"]),
    ("a number whose octets are swapped once too often",
     "n: u16 := (size d + 3 & 0xff) << 8 | size d + 3 >> 8; let m = n; where m in 3..99; d: bytes(m - 3);", []),
    ("a number that may be another", "n: u8 := size l / 2; l: list u8 rest;", []),
    ("a number that was looked at before", "l: list Pair while peek u8 == 1 || peek u8 == 2;", ["Pair.kind: must be in {1, 2}: broken"]),
    ("a number that was looked at, and another", "l: list Pair while peek u8 == 1 || peek u8 == 3;", []),
    ("an arm of what was looked at", "where peek u8 != 7; s: switch peek u8 { 7 => a: u8; _ => b: u16; };", ["P.s: a"]),
    ("octets that a parameter tells of", "n: u8; s: Sized(n) within n;", ["Sized.a: cut", "P.s: octets left over"]),
    ("octets that it tells of the wrong way", "n: u8 in 0..9; s: Sized(n) within n / 2;", ["P.s: octets left over"]),
    ("jumps from too near", "a: u32; n: Name(this);", ["Name.labels: too many jumps"]),
    ("jumps from just far enough", "a: bytes(12); n: Name(this);", []),
    ("a packet that is short", "n: u8 in 0..7; d: bytes(n);", ["P: longer than 9 octets"]),
    ("a packet that may be long", "n: u8 in 0..9; d: bytes(n);", []),
]


def unreachable(prover: prove_reach.Prover, room: Path, body: str) -> list[str]:
    """Of packet P, by what it is called."""
    spec = room / "t.mrg"
    limit = " max 9" if "0..7" in body or "0..9; d" in body else ""
    spec.write_text(f"{BEFORE}/// P.\npacket P{limit} {{ {body} }}\n")
    modules, _, _ = load.load_named([str(spec)], [])
    packet = next(p for p in modules[0].packets if p.name == "P")
    never = prover.never(packet)
    tables = plan.Tables(modules[0])
    points = fuzz.points_of(tables, packet)
    said = {p for p in points if tables.keys[p] in never}
    wrong = [tables.points[p] for p in points if p in fuzz.by_sizes(tables, packet) - said]
    return sorted(tables.points[p] for p in said) + [f"not proved, but said by sizes: {w}" for w in wrong]


def main() -> int:
    report = Report()
    prover = prove_reach.Prover()
    with tempfile.TemporaryDirectory() as room:
        for what, body, want in CASES:
            have = unreachable(prover, Path(room), body)
            report.check(what, have == sorted(want), f"{body}\nhave {have}\nwant {sorted(want)}")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

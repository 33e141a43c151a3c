#!/usr/bin/env python3
"""Segments to streams (tcp_streams.py): any order, any overlap, gaps, contradictions, numbers that wrap, ports used again."""

from __future__ import annotations

import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[3] / "gen"), str(HERE.parent)]
from report import Report  # noqa: E402
from tcp_streams import LONGEST, REACH, Connections, Direction, signed  # noqa: E402

from mrg.frames import Transport  # noqa: E402

WHOLE = bytes(range(200))


def segment(seq: int, data: bytes = b"", syn: bool = False, fin: bool = False, client: bool = True) -> Transport:
    ends = ("a", 1, "b", 80) if client else ("b", 80, "a", 1)
    return Transport("TCP", *ends, data, 0, seq & 0xFFFF_FFFF, syn, fin)


def direction(parts: list[Transport]) -> Direction:
    found = Direction()
    for number, part in enumerate(parts, 1):
        found.feed(number, part)
    return found


def any_order(report: Report) -> None:
    rng = random.Random(5)
    for start in (0, 1234, 0xFFFF_FFC0):
        for trial in range(100):
            parts = [segment(start + 1 + (a := rng.randrange(200)), WHOLE[a:a + rng.randrange(1, 60)]) for _ in range(30)]
            parts += [segment(start + 1 + a, WHOLE[a:a + 20]) for a in range(0, 200, 20)]
            rng.shuffle(parts)
            found = direction([segment(start, b"", True), *parts, segment(start + 201, b"", fin=True)])
            pieces = found.pieces()
            good = [bytes(p.octets) for p in pieces] == [WHOLE] and pieces[0].ended and not pieces[0].torn and found.opened and not found.gap
            report.check(f"any order, {start} {trial}", good, str(pieces))


def gaps(report: Report) -> None:
    found = direction([segment(9, b"abc"), segment(14, b"fg"), segment(12, b"d"), segment(16, b"", fin=True)])
    pieces = found.pieces()
    report.check("two pieces", [(p.offset, bytes(p.octets), p.ended) for p in pieces] == [(0, b"abcd", False), (5, b"fg", True)], str(pieces))
    report.check("a gap is known, and that there was no beginning", found.gap and not found.opened)
    report.check("where segments begin", pieces[0].starts == [0, 3] and [pieces[0].frame(at) for at in range(4)] == [1, 1, 1, 3], str(pieces))
    cut = Direction()
    cut.feed(1, Transport("TCP", "a", 1, "b", 2, b"ab", 3, 5, False, True))
    cut.feed(2, Transport("TCP", "a", 1, "b", 2, b"f", 0, 10, False, False))
    report.check("what was not captured is a gap", [bytes(p.octets) for p in cut.pieces()] == [b"ab", b"f"] and cut.fin is None, str(cut))


def contradictions(report: Report) -> None:
    for what, parts, torn in (
            ("the same again", [(0, b"abcd"), (1, b"bc")], False), ("another content", [(0, b"abcd"), (1, b"bx")], True),
            ("another content in what overlaps", [(0, b"abcd"), (2, b"xdef")], True), ("a probe of one octet", [(0, b"abcd"), (3, b"x")], False)):
        pieces = direction([segment(at, octets) for at, octets in parts]).pieces()
        report.check(what, len(pieces) == 1 and pieces[0].torn == torn and pieces[0].octets.startswith(b"abcd"), str(pieces))


def limits(report: Report) -> None:
    found = direction([segment(0, b"a"), segment(REACH + 1, b"b")])
    report.check("what is far away is dropped", [bytes(p.octets) for p in found.pieces()] == [b"a"] and found.gap)
    found = direction([segment(0, b"a"), Transport("TCP", "a", 1, "b", 80, bytes(LONGEST), 0, 1)])
    report.check("what is too much is dropped", len(found.pieces()[0].octets) == 1 and found.gap)
    for number, want in ((0, 0), (1, 1), (-1, -1), (0x7FFF_FFFF, 0x7FFF_FFFF), (0x8000_0000, -0x8000_0000), (0xFFFF_FFFF, -1), (-0xFFFF_FFFF, 1)):
        report.check(f"signed {number}", signed(number) == want, str(signed(number)))


def ports_used_again(report: Report) -> None:
    streams = Connections()
    sent = [segment(5, syn=True), segment(5, syn=True), segment(70, syn=True, client=False), segment(6, b"one"), segment(71, b"ONE", client=False),
            segment(900, syn=True), segment(950, syn=True, client=False), segment(901, b"two"), segment(951, b"TWO", client=False)]
    for number, t in enumerate(sent, 1):
        streams.feed(number, t)
    said = [[bytes(p.octets) for d in c.directions.values() for p in d.pieces()] for c in streams.all]
    report.check("a connection each", said == [[b"one", b"ONE"], [b"two", b"TWO"]], str(said))
    report.check("where a frame belongs", streams.where[4] is streams.where[1] is not streams.where[8] is streams.where[6])


def main() -> int:
    report = Report()
    for part in (any_order, gaps, contradictions, limits, ports_used_again):
        part(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

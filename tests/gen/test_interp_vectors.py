#!/usr/bin/env python3
"""Generated C against the interpreter, for specifications that use every construct (tests/gen/interp/)."""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from vector_suite import HERE, suite  # noqa: E402

from mrg.emit.tests_c import Sample  # noqa: E402

# Keys that repeat, fall, or are absent: messages drawn as valid have none of these.
KEYS = {
    "Options": ["", "01010000", "0102040102", "02040001030301fe02fe0200", "0204000102040001", "fd02fe02fd02"],
    "Excepted": [
        "020101026464023f3f0200000007000000070101", "020202", "03000100", "00026363", "0002ffff", "00020202", "0002639d", "0003640164",
        "0000026f6f", "0000022f2f", "0000025253", "00000002fffffefffffffeff", "00000002ffffffffffffffff", "000000020000000600000006",
        "000000000101020102", "0000000001010202", "00000000c801c801",
    ],
    "Wide": [
        "0280000000000000018000000000000001", "0200000000000000018000000000000001", "000200ffffffff01ffffffff", "000200ffffffff017fffffff",
        "000002000000630000006300", "000002000000630000006200", "0000000600000100000200", "000000060000010000010000", "00000000020101", "0000000002810101",
        "000000000081ffffffffffffffff7f07", "00000000000781ffffffffffffffff7f", "00000000000000",
        "000000000c0102030405060708090a0b0c", "0000000a000001000002000003000000", "0000000900000100000200000300",
    ],
    "Names": [
        "026162616200000000", "026162616300000000", "00026261000000", "00026162000000", "00026161000000", "000002016a014a0000", "000002016a02614a0000",
        "000002000000", "0000020101000000", "0000026a2e006a2e01", "000000026a2e006a2e01", "000000026a2e004a2e00", "000000022e002e00",
        "000000000001610261610142", "000000000142026161", "000000000261610141", "0000000001610141", "000000000000", "0000000000",
        "00000000026162026141", "00000000026141026162", "0000000001ff0180", "00000000018001ff",
    ],
    "Prefixes": ["", "00", "0000", "0001410161026161", "0261610161", "016102616101620261ff", "01610161", "0161026161026161"],
    "Perhaps": [
        "00030101000500010100060000",
        "020100000201010008010100090201010000010100000000", "020101000001010000", "030101000100010100010000", "0003010100050001010005",
        "00030101000500010100060000", "00030101000501000101000500", "0000020101000301010003", "00000201010000010100000000",
        "0000000162000161", "0000000161000162", "00000000000000", "00000001610161",
    ],
}  # fmt: skip


def samples() -> list[Sample]:
    """The messages above, and some of bytes that are often keys."""
    rng = random.Random(1)
    out = [Sample(packet, bytes.fromhex(text)) for packet, texts in KEYS.items() for text in texts]
    for packet in KEYS:
        for _ in range(40):
            counts = bytes(rng.choice((0, 0, 2, 3)) for _ in range(rng.randrange(5)))
            out.append(Sample(packet, counts + bytes(rng.choice((0, 1, 1, 2, 0x41, 0x61, 0x2E)) for _ in range(rng.randrange(14)))))
    return out


if __name__ == "__main__":
    sys.exit(suite(sys.argv[1:] or sorted(p.stem for p in (HERE / "interp").glob("*.mrg")), samples()))

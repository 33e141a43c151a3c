"""Two names, the second of which leads through as many pointers in the first as there is room for.

The first name can't lead anywhere: it is 254 octets of labels and the root. A pointer of the second leads to octets of those labels, from
HEADER on, as if an item began there, and on from that one, always to lower ones. Such octets are, from the lowest on:

- pointers one behind the other, each to the one before: two octets for a jump. The octet that a label begins with is none of a pointer's first, and
  of a pointer's second one only if that says as many octets as the label has: below 64 that can be.
- single octets at the end, each of which begins a label that ends behind both names, where a pointer leads to the octet before: an octet for a
  jump, but those labels count among the 255 octets of the second name, and 13 of them are too many.

So there are 126 jumps where the first name begins with the packet, and 127 where it begins two octets later. That is all that there is: of pointers that
share an octet the second is to be 0xC0xx for the first to lead to 0xC0, which there is only one of.
"""

from __future__ import annotations

from typing import Sequence

HEADER = 12  # octets that no pointer leads into
LABELS = 254  # octets of the first name but for its root
SINGLE = 12  # octets at its end that begin labels


def crowded(start: int, lowest: int, labels: Sequence[int]) -> bytes:
    """Octets of both names, the first of which begins at `start`, its labels at `labels`; the lowest pointer is at `lowest`."""
    root = start + LABELS
    out = bytearray(b"a" * (root + 3 + 2 * SINGLE))
    for at, behind in zip(labels, [*labels[1:], root]):
        out[at] = behind - at - 1
    out[root] = out[HEADER] = 0
    last, at = HEADER, lowest
    while at < root - SINGLE:
        shared = at + 1 in labels and out[at + 1] == last
        if at in labels or at + 1 in labels and not shared:
            at += 1
            continue
        _lead(out, at, last)
        last, at = at, at + 2
    for n, at in enumerate(range(root - SINGLE, root)):
        behind = root + 3 + 2 * n
        out[at] = behind - at - 1
        _lead(out, behind, last)
        last = at
    _lead(out, root + 1, last)
    return bytes(out)


def _lead(out: bytearray, at: int, to: int) -> None:
    out[at : at + 2] = (0xC000 | to).to_bytes(2, "big")


SOA = crowded(0, 14, (0, 2, 65, 128, 191))  # 126 jumps; octets behind the names are all that a SOA record has more
PX = crowded(2, 13, (2, 66, 130, 193))  # 127, behind a preference

"""Words that mean a value: which member a word means, and a perfect hash over the words of an enum.

A word is hashed by its length and its ends, the first and the last 8 octets; by all octets where
those don't tell all words apart.  Its length and last octet choose a multiplier; the upper bits of
the product are its slot.  Multipliers are found here so that no two words have the same slot.
mrg_words.h does the same at run time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Optional

from . import ir

LONGEST = 255  # octets of a word
_SPARSE = 0xDFDFDFDFDFDFDFDF  # letters of both cases are the same under it, and a few other octets too
_MASK = (1 << 64) - 1
_MIX = 0x9E3779B97F4A7C15
_ATTEMPTS = 2000  # multipliers that are tried for a group
_A_GROUP = 4  # words that share a multiplier, about
_UPPER = bytes(range(ord("A"), ord("Z") + 1))
_LOWER = bytes.maketrans(_UPPER, _UPPER.lower())


@dataclass(frozen=True)
class Word:
    octets: bytes  # as they are compared
    member: ir.Member


@dataclass(frozen=True)
class Table:
    words: list[Word]
    slots: list[Optional[Word]]
    multipliers: list[int]
    whole: bool  # hashed by all octets

    @property
    def shift(self) -> int:
        return 64 - (len(self.slots) - 1).bit_length()


def rotate(v: int, n: int) -> int:
    return (v << n | v >> (64 - n)) & _MASK


def multipliers() -> Iterator[int]:
    """A fixed series of odd numbers."""
    mul = _MIX
    while True:
        yield mul
        mul = (mul * 6364136223846793005 + 1442695040888963407) & _MASK | 1


# --- what a word means ------------------------------------------------------------------------


def folded(e: ir.Enum, word: bytes) -> bytes:
    """A word as it is compared: ASCII letters in lower case if the enum says so."""
    return word.translate(_LOWER) if e.words == "nocase" else word


def listed(e: ir.Enum) -> list[Word]:
    return [Word(folded(e, text.encode()), m) for m in e.members for text in m.words]


def meanings(e: ir.Enum) -> dict[bytes, ir.Member]:
    """What each word means, when folded: what the generated X_of is to find."""
    return {w.octets: w.member for w in listed(e)}


# --- the hash ----------------------------------------------------------------------------------


def ends(word: bytes) -> tuple[int, int]:
    """The first and the last 8 octets; in words of 4 to 7 some of them twice, of 1 to 3 all in the first."""
    n = len(word)
    if n < 4:
        return word[0] | word[n // 2] << 8 | word[n - 1] << 16, word[n - 1] << 56
    step = min(n - 4, 4)
    a, b, c, d = (int.from_bytes(word[i : i + 4], "little") for i in (0, step, n - 4 - step, n - 4))
    return a | b << 32, c | d << 32


def middle(word: bytes) -> list[int]:
    """What is between the ends of more than 16 octets, 8 at a time; the last may have some of the end."""
    return [int.from_bytes(word[i : i + 8], "little") for i in range(8, len(word) - 8, 8)]


def hashed(word: bytes, nocase: bool, whole: bool) -> tuple[int, int]:
    """What is multiplied, and what chooses the multiplier.  `word` is folded already."""
    first, last = ends(word)
    if nocase and not whole:
        first, last = first & _SPARSE, last & _SPARSE
    h = (first + len(word) & _MASK) ^ rotate(last, 29)
    for piece in middle(word) if whole else ():
        h = h * _MIX & _MASK ^ piece
    return h, (last >> 56) + 4 * len(word)


def table(e: ir.Enum) -> Table:
    """The smallest table that is found for an enum's words; the same on every machine."""
    words = listed(e)
    nocase = e.words == "nocase"
    whole = len({hashed(w.octets, nocase, False)[0] for w in words}) < len(words)
    keys = [hashed(w.octets, nocase, whole) for w in words]
    bits = max(1, (len(words) - 1).bit_length())
    while True:
        muls = [1] * (1 << max(0, bits - _A_GROUP.bit_length() + 1))
        groups: list[list[int]] = [[] for _ in muls]
        for i, (_, choice) in enumerate(keys):
            groups[choice & len(muls) - 1].append(i)
        slots = _place([h for h, _ in keys], groups, bits, muls)
        if slots is not None:
            return Table(words, [words[i] if i is not None else None for i in slots], muls, whole)
        bits += 1


def _place(keys: list[int], groups: list[list[int]], bits: int, muls: list[int]) -> Optional[list[Optional[int]]]:
    """Find `muls` with which no two keys have the same slot; which key is in each slot."""
    slots: list[Optional[int]] = [None] * (1 << bits)
    for g in sorted(range(len(groups)), key=lambda g: (-len(groups[g]), g)):
        for mul, _ in zip(multipliers(), range(_ATTEMPTS)):
            mine = {(keys[i] * mul & _MASK) >> 64 - bits: i for i in groups[g]}
            if len(mine) == len(groups[g]) and all(slots[s] is None for s in mine):
                break
        else:
            return None
        muls[g] = mul
        for slot, i in mine.items():
            slots[slot] = i
    return slots

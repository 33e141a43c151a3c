"""Sets of words: the table of one, the lookup in it, and the way back."""

from __future__ import annotations

from .. import ir, names, words
from .writer import Writer


def declare(w: Writer, e: ir.Enum) -> None:
    name = names.enum(e)
    t = words.table(e)
    lengths = [len(x.octets) for x in t.words]
    long = max(lengths) > 16
    w.comment("Internal: the words, and what leads to them.")
    w.line(f"extern const struct mrg_words_entry {name}_entries[{len(t.slots)}];")
    if long:
        w.line(f"extern const struct mrg_words_piece {name}_middle[];")
    w.line(f"extern const uint64_t {name}_multipliers[{len(t.multipliers)}];")
    w.line()
    how = "in any case" if e.words == "nocase" else "octet by octet"
    w.comment(f"What a word means, compared {how}; {name.upper()}_UNKNOWN: it is none of these.")
    with w.function(f"static inline enum {name} {name}_of(struct mrg_span word)"):
        with w.block("const struct mrg_words set =", "};"):
            w.line(f".entries = {name}_entries,")
            w.line(f".middle = {f'{name}_middle' if long else 'NULL'},")
            w.line(f".multipliers = {name}_multipliers,")
            w.line(f".shift = {t.shift},")
            w.line(f".groups_mask = {len(t.multipliers) - 1},")
            w.line(f".least = {min(lengths)},")
            w.line(f".most = {max(lengths)},")
            w.line(f".nocase = {str(e.words == 'nocase').lower()},")
            w.line(f".whole = {str(t.whole).lower()},")
        w.line(f"return (enum {name})mrg_words_find(&set, word);")
    w.comment("How a value is written; empty when it is not known.  Lives as long as the program.")
    w.line(f"struct mrg_span {name}_word(uint64_t value);")


def define(w: Writer, e: ir.Enum) -> None:
    name = names.enum(e)
    t = words.table(e)
    rest: list[str] = []
    with w.block(f"const struct mrg_words_entry {name}_entries[{len(t.slots)}] =", "};"):
        for i, word in enumerate(t.slots):
            if word is None:
                continue
            cases = bytes(0x20 * (e.words == "nocase" and 0x61 <= c <= 0x7A) for c in word.octets)
            first, last = map(_piece, words.ends(word.octets), words.ends(cases))
            w.line(f"[{i}] = {{ {first}, {last}, {len(rest)}, {word.member.lo}, {len(word.octets)} }}, {_comment(word)}")
            rest += map(_piece, words.middle(word.octets), words.middle(cases))
    w.line()
    if rest:
        _rows(w, f"const struct mrg_words_piece {name}_middle[]", rest, 2)
    _rows(w, f"const uint64_t {name}_multipliers[{len(t.multipliers)}]", [f"{v:#x}u" for v in t.multipliers], 4)
    with w.function(f"struct mrg_span {name}_word(uint64_t value)"):
        with w.block("switch (value)"):
            for m in e.members:
                text = names.c_string(m.text)
                w.line(f"case {names.member(e, m)}: return (struct mrg_span){{ (const uint8_t *){text}, {len(m.text.encode())} }};")
            w.line("default: return (struct mrg_span){ NULL, 0 };")


def _piece(octets: int, cases: int) -> str:
    return f"{{ {octets:#x}u, {cases:#x}u }}"


def _comment(word: words.Word) -> str:
    text = "".join(chr(c) if 0x20 <= c < 0x7F else "." for c in word.octets)
    return f"/* {names.c_comment(text)} */"


def _rows(w: Writer, head: str, values: list[str], a_row: int) -> None:
    with w.block(f"{head} =", "};"):
        for i in range(0, len(values), a_row):
            w.line(", ".join(values[i : i + a_row]) + ",")
    w.line()

"""`unique PATH [except VALUES]` and `ascending PATH`: the key of a list's elements."""

from __future__ import annotations

from . import ast, ir, keys
from .errors import meant
from .lower_expr import ExprLowerer
from .lower_util import fields_of, kind_of
from .source import Span


class KeyClause:
    """One of the two clauses, of a list whose elements and measure are known."""

    def __init__(self, lowerer: ExprLowerer, item: ir.List, clause: ast.Key) -> None:
        self.lowerer = lowerer
        self.errors = lowerer.errors
        self.item = item
        self.clause = clause

    def lower(self) -> None:
        item, clause = self.item, self.clause
        if item.unique or item.ascending:
            raise self.errors.error(clause.span, "a list has one key; keys that rise strictly don't repeat either")
        path = self.path()
        last = path[-1]
        if not isinstance(last, (ir.Scalar, ir.Varint, ir.Bytes)):
            raise self.errors.error(clause.span, f"'{clause.word}' needs an integer or bytes, not {kind_of(last)}")
        if clause.exempt is not None:
            item.exempt = self.exempt(clause.exempt, last)
        if clause.word == "ascending":
            item.ascending = tuple(path)
            return
        item.unique = tuple(path)
        most = keys.elements_max(item)
        if keys.bitmap_bits(last) is None and (most is None or most > keys.COMPARED_MAX):
            self.too_many(last)

    def path(self) -> list[ir.Item]:
        """From an element to its key."""
        path: list[ir.Item] = []
        current = self.item.elem
        for ident in self.clause.path:
            if ident.name == "item" and not path:
                path.append(self.item.elem)
                continue
            fields = fields_of(current.packet.items) if isinstance(current, ir.Sub) else {}
            found = fields.get(ident.name)
            if found is None:
                raise self.errors.error(ident.span, f"the elements have no field '{ident.name}'{meant(ident.name, fields)}")
            path.append(found)
            current = found
        return path

    def too_many(self, key: keys.Key) -> None:
        """Every key would be compared with every other one."""
        what = "bytes" if isinstance(key, ir.Bytes) else f"keys of more than {keys.BITMAP_BITS} bits"
        text = f"'unique' over {what} compares each with each: bound the list by 'max' or a count of at most {keys.COMPARED_MAX}"
        if isinstance(key, ir.Varint) or isinstance(key, ir.Scalar) and not key.signed:
            text += f", or the key by 'in 0..{(1 << keys.BITMAP_BITS) - 1}'"
        self.errors.error(self.clause.span, text + "; of sorted keys 'ascending' needs no bound")

    # --- except -----------------------------------------------------------------------

    def exempt(self, ranges: tuple[ast.Range, ...], key: keys.Key) -> list[tuple[int, int]]:
        """The keys that may repeat, in order."""
        clause = self.clause
        if clause.word == "ascending":
            raise self.errors.error(clause.span, "'except' is for 'unique': keys that rise strictly can't repeat")
        if isinstance(key, ir.Bytes):
            raise self.errors.error(clause.span, "'except' needs integer keys, not bytes")
        if not ranges:
            raise self.errors.error(clause.span, "'except' names no key")
        seen: list[tuple[int, int, Span]] = []
        for r in ranges:
            lo, hi = self.values(r, key)
            if lo > hi:
                raise self.errors.error(r.span, f"range '{r.span.text()}' is empty")
            if lo < key.lo or hi > key.hi:
                raise self.errors.error(r.span, f"'{r.span.text()}' is no key: '{key.name}' is {key.lo}..{key.hi}")
            old = next((where for a, b, where in seen if a <= hi and lo <= b), None)
            if old is not None:
                raise self.errors.error(r.span, f"'{r.span.text()}' is excepted twice", [(old, "first here")])
            seen.append((lo, hi, r.span))
        if sum(hi - lo + 1 for lo, hi, _ in seen) == key.hi - key.lo + 1:
            raise self.errors.error(clause.span, "every key may repeat; leave 'unique' out")
        return sorted((lo, hi) for lo, hi, _ in seen)

    def values(self, r: ast.Range, key: ir.Scalar | ir.Varint) -> tuple[int, int]:
        """Bounds of a value, a range or an enum's member."""
        enum, what = key.enum if isinstance(key, ir.Scalar) else None, "a key that may repeat"
        outer, self.lowerer.hint = self.lowerer.hint, enum
        member = self.lowerer.member_of(r.lo) if r.hi is r.lo else None
        self.lowerer.hint = outer
        if member is not None:
            return member.lo, member.hi
        lo = self.lowerer.const(r.lo, what, enum)
        if r.hi is None:
            return lo, key.hi
        return lo, lo if r.hi is r.lo else self.lowerer.const(r.hi, what, enum)

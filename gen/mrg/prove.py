"""What is known about the numbers of a packet, and what follows from it.

Values are brought to linear normal form (`Lin`): a sum of atoms with integer
factors.  An atom is a field, a parameter, the size of an item of varying size,
or a term that is not linear (x & 3, x / 4, x * y).  Each atom has an interval;
constraints that bind the parser add facts, `Lin >= 0`.  A lower bound of a
form is found from the intervals, helped by at most `DEPTH` facts, each used to
cancel one atom.  That settles `len - ihl*4 >= 0` from `len in ihl*4..`, and is
cheap; what it can't settle has to be said as a constraint in the spec.

Reading order: Lin, Facts.least, Facts.assume, Facts.binary.
"""

from __future__ import annotations

from typing import Hashable, Optional

from . import ir

U64_MAX = (1 << 64) - 1
SIZE_MAX = (1 << 48) - 1  # no buffer is longer
DEPTH = 3

Atom = tuple[Hashable, ...]


class Unproved(Exception):
    """An obligation that does not follow; `why` in words, ranges included."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Lin:
    """const + sum of factor * atom; factors are never 0."""

    __slots__ = ("terms", "const")

    def __init__(self, const: int = 0, terms: Optional[dict[Atom, int]] = None) -> None:
        self.const = const
        self.terms: dict[Atom, int] = terms or {}

    def plus(self, other: Lin, factor: int = 1) -> Lin:
        """self + factor * other"""
        terms = dict(self.terms)
        for atom, k in other.terms.items():
            total = terms.get(atom, 0) + factor * k
            if total:
                terms[atom] = total
            else:
                terms.pop(atom, None)
        return Lin(self.const + factor * other.const, terms)

    def times(self, factor: int) -> Lin:
        if factor == 0:
            return Lin()
        return Lin(self.const * factor, {a: k * factor for a, k in self.terms.items()})

    def over(self, divisor: int) -> Optional[Lin]:
        """self / divisor, when that is exact whatever the atoms are."""
        if self.const % divisor or any(k % divisor for k in self.terms.values()):
            return None
        return Lin(self.const // divisor, {a: k // divisor for a, k in self.terms.items()})

    def key(self) -> Hashable:
        return (self.const, frozenset(self.terms.items()))

    @property
    def value(self) -> Optional[int]:
        return None if self.terms else self.const


class Facts:
    """Facts at one point of a packet; `child` for a branch with more of them."""

    def __init__(self, parent: Optional[Facts] = None) -> None:
        self.bounds: dict[Atom, tuple[int, int]] = dict(parent.bounds) if parent else {}
        self.known: list[Lin] = list(parent.known) if parent else []
        self.held: set[Hashable] = set(parent.held) if parent else set()
        # normal forms of expression nodes, by identity; the node is kept so that its id stays its own
        self.forms: dict[int, tuple[ir.Expr, Lin]] = parent.forms if parent else {}

    def child(self) -> Facts:
        return Facts(self)

    # --- normal forms -----------------------------------------------------------

    def lin(self, e: ir.Expr) -> Lin:
        found = self.forms.get(id(e))
        if found is not None:
            return found[1]
        return Lin(e.value) if isinstance(e, ir.Const) else Lin(0, {("node", id(e)): 1})

    def define(self, e: ir.Expr, lin: Lin) -> None:
        self.forms[id(e)] = (e, lin)

    def atom(self, atom: Atom, lo: int, hi: int) -> Lin:
        """The form of one atom, known to lie in lo..hi here."""
        old = self.bounds.get(atom)
        self.bounds[atom] = (max(lo, old[0]), min(hi, old[1])) if old else (lo, hi)
        return Lin(0, {atom: 1})

    # --- bounds -----------------------------------------------------------------

    def plain(self, lin: Lin) -> tuple[int, int]:
        """Bounds from the intervals alone."""
        lo = hi = lin.const
        for atom, k in lin.terms.items():
            a, b = self.bounds.get(atom, (0, U64_MAX))
            lo += k * (a if k > 0 else b)
            hi += k * (b if k > 0 else a)
        return lo, hi

    def least(self, lin: Lin, goal: Optional[int] = None, depth: int = DEPTH) -> int:
        """A lower bound of `lin`; the search ends once `goal` is reached."""
        best = self.plain(lin)[0]
        if depth == 0 or not lin.terms or (goal is not None and best >= goal):
            return best
        for fact in self.known:
            for atom, f in fact.terms.items():
                k = lin.terms.get(atom, 0)
                if k * f <= 0:
                    continue
                # lin = (|f| lin - |k| fact) / |f| + (|k|/|f|) fact, and the last part is not negative
                rest = lin.times(abs(f)).plus(fact, -abs(k))
                inner = None if goal is None else goal * abs(f)
                best = max(best, -(-self.least(rest, inner, depth - 1) // abs(f)))
                if goal is not None and best >= goal:
                    return best
        return best

    def most(self, lin: Lin, goal: Optional[int] = None, depth: int = DEPTH) -> int:
        return -self.least(lin.times(-1), None if goal is None else -goal, depth)

    def add(self, lin: Lin) -> None:
        """Learn `lin >= 0`."""
        if not lin.terms:
            return
        if len(lin.terms) > 1:
            self.known.append(lin)
        _, top = self.plain(lin)
        for atom, k in lin.terms.items():
            a, b = self.bounds.get(atom, (0, U64_MAX))
            rest = top - k * (b if k > 0 else a)  # most that the others can give
            if k > 0:
                a = max(a, -(rest // k))
            else:
                b = min(b, rest // -k)
            self.bounds[atom] = (a, b)

    # --- conditions --------------------------------------------------------------

    def assume(self, e: ir.Expr, truth: bool = True) -> None:
        """Learn that a condition holds (or not)."""
        self.held.add((key(e), truth))
        if isinstance(e, ir.Un) and e.op == "!":
            self.assume(e.a, not truth)
        elif isinstance(e, ir.Bin) and e.op == ("&&" if truth else "||"):
            self.assume(e.a, truth)
            self.assume(e.b, truth)
        elif isinstance(e, ir.Bin) and e.op in _NEGATED:
            self._compare(e.op if truth else _NEGATED[e.op], self.lin(e.a), self.lin(e.b))
        elif isinstance(e, ir.In):
            self._assume_in(e, truth)
        elif isinstance(e, ir.Bin) and e.op in ("&&", "||"):
            return
        else:
            lin = self.lin(e)
            self.add(lin.plus(Lin(-1)) if truth else lin.times(-1))

    def _compare(self, op: str, a: Lin, b: Lin) -> None:
        if op in (">", ">="):
            op, a, b = {">": "<", ">=": "<="}[op], b, a
        diff = b.plus(a, -1)
        if op == "<":
            self.add(diff.plus(Lin(-1)))
        elif op == "<=":
            self.add(diff)
        elif op == "==":
            self.add(diff)
            self.add(diff.times(-1))
        else:
            self._differ(diff)

    def _differ(self, diff: Lin) -> None:
        """diff != 0: of use when 0 is at the edge of what it may be."""
        lo, hi = self.plain(diff)
        if lo == 0:
            self.add(diff.plus(Lin(-1)))
        elif hi == 0:
            self.add(diff.times(-1).plus(Lin(-1)))

    def _assume_in(self, e: ir.In, truth: bool) -> None:
        value = self.lin(e.e)
        if truth and len(e.ranges) == 1:
            lo, hi = e.ranges[0]
            self._compare("<=", self.lin(lo), value)
            self._compare("<=", value, self.lin(hi))
        elif truth:
            self._compare("<=", Lin(min(lo.lo for lo, _ in e.ranges)), value)
            self._compare("<=", value, Lin(max(hi.hi for _, hi in e.ranges)))
        elif len(e.ranges) == 1:
            lo, hi = e.ranges[0]
            if e.e.lo >= lo.hi:
                self._compare(">", value, self.lin(hi))
            elif e.e.hi <= hi.lo:
                self._compare("<", value, self.lin(lo))

    # --- operators -----------------------------------------------------------------

    def binary(self, loc: ir.Loc, op: str, a: ir.Expr, b: ir.Expr) -> ir.Expr:
        """`a op b` with its proved range; raises Unproved."""
        if op in _NEGATED or op in ("&&", "||"):
            return self._logic(loc, op, a, b)
        for side in (a, b):
            if side.lo < 0:
                raise Unproved("a signed value may only be compared")
        form, lo, hi = getattr(self, _METHODS[op])(a, b)
        if lo == hi and isinstance(a, ir.Const) and isinstance(b, ir.Const):
            return ir.Const(loc, lo, hi, lo)
        node = ir.Bin(loc, lo, hi, op, a, b)
        self.define(node, form if form is not None else self._opaque(op, a, b, lo, hi))
        self._facts_of(op, node, a, b)
        return node

    def _logic(self, loc: ir.Loc, op: str, a: ir.Expr, b: ir.Expr) -> ir.Expr:
        lo, hi = 0, 1
        if op == "&&":
            lo, hi = int(a.lo > 0 and b.lo > 0), int(a.hi > 0 and b.hi > 0)
        elif op == "||":
            lo, hi = int(a.lo > 0 or b.lo > 0), int(a.hi > 0 or b.hi > 0)
        elif op in ("<", "<="):
            lo, hi = _order(op, a, b)
        elif op in (">", ">="):
            lo, hi = _order({">": "<", ">=": "<="}[op], b, a)
        else:
            apart = a.hi < b.lo or b.hi < a.lo
            same = a.lo == a.hi == b.lo == b.hi
            lo, hi = (int(same), int(not apart)) if op == "==" else (int(apart), int(not same))
        return ir.Bin(loc, lo, hi, op, a, b)

    def _opaque(self, op: str, a: ir.Expr, b: ir.Expr, lo: int, hi: int) -> Lin:
        return self.atom(("op", op, self.lin(a).key(), self.lin(b).key()), lo, hi)

    def _facts_of(self, op: str, node: ir.Bin, a: ir.Expr, b: ir.Expr) -> None:
        """How a term that is not linear stands to its operands."""
        q, x = self.lin(node), self.lin(a)
        if op in ("%", "&"):
            self.add(x.plus(q, -1))
        divisor = b.lo if op == "/" and b.lo == b.hi else 1 << b.lo if op == ">>" and b.lo == b.hi else 0
        if divisor:
            rest = x.plus(q, -divisor)
            self.add(rest)
            self.add(rest.times(-1).plus(Lin(divisor - 1)))

    def _plus(self, a: ir.Expr, b: ir.Expr) -> tuple[Optional[Lin], int, int]:
        form = self.lin(a).plus(self.lin(b))
        return form, *self._within_64(form, a.lo + b.lo, a.hi + b.hi, "the sum")

    def _minus(self, a: ir.Expr, b: ir.Expr) -> tuple[Optional[Lin], int, int]:
        form = self.lin(a).plus(self.lin(b), -1)
        lo = max(a.lo - b.hi, self.least(form, 0))
        if lo < 0:
            raise Unproved(f"the difference may be negative ({span(a)} minus {span(b)})")
        return form, lo, min(a.hi - b.lo, self.most(form, None, 1))

    def _times(self, a: ir.Expr, b: ir.Expr) -> tuple[Optional[Lin], int, int]:
        form: Optional[Lin] = None
        if self.lin(b).value is not None:
            form = self.lin(a).times(self.lin(b).const)
        elif self.lin(a).value is not None:
            form = self.lin(b).times(self.lin(a).const)
        return form, *self._within_64(form, a.lo * b.lo, a.hi * b.hi, "the product")

    def _divide(self, a: ir.Expr, b: ir.Expr) -> tuple[Optional[Lin], int, int]:
        if b.lo == 0:
            raise Unproved(f"the divisor may be 0 (it is {span(b)})")
        form = self.lin(a).over(b.lo) if b.lo == b.hi else None
        return form, a.lo // b.hi, a.hi // b.lo

    def _modulo(self, a: ir.Expr, b: ir.Expr) -> tuple[Optional[Lin], int, int]:
        if b.lo == 0:
            raise Unproved(f"the divisor may be 0 (it is {span(b)})")
        if a.hi < b.lo:
            return self.lin(a), a.lo, a.hi
        return None, 0, min(a.hi, b.hi - 1)

    def _shift_left(self, a: ir.Expr, b: ir.Expr) -> tuple[Optional[Lin], int, int]:
        self._shift(b)
        form = self.lin(a).times(1 << b.lo) if b.lo == b.hi else None
        return form, *self._within_64(form, a.lo << b.lo, a.hi << b.hi, "the shifted value")

    def _shift_right(self, a: ir.Expr, b: ir.Expr) -> tuple[Optional[Lin], int, int]:
        self._shift(b)
        form = self.lin(a).over(1 << b.lo) if b.lo == b.hi else None
        return form, a.lo >> b.hi, a.hi >> b.lo

    def _shift(self, b: ir.Expr) -> None:
        if b.hi > 63:
            raise Unproved(f"the shift may be 64 or more (it is by {span(b)})")

    def _and(self, a: ir.Expr, b: ir.Expr) -> tuple[Optional[Lin], int, int]:
        return None, 0, min(a.hi, b.hi)

    def _or(self, a: ir.Expr, b: ir.Expr) -> tuple[Optional[Lin], int, int]:
        return None, max(a.lo, b.lo), (1 << max(a.hi, b.hi).bit_length()) - 1

    def _xor(self, a: ir.Expr, b: ir.Expr) -> tuple[Optional[Lin], int, int]:
        return None, 0, (1 << max(a.hi, b.hi).bit_length()) - 1

    def _within_64(self, form: Optional[Lin], lo: int, hi: int, what: str) -> tuple[int, int]:
        if hi > U64_MAX and form is not None:
            hi = self.most(form, U64_MAX)
        if hi > U64_MAX:
            raise Unproved(f"{what} may be {shown(hi)}, which does not fit in 64 bits")
        return lo, hi


_NEGATED = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_METHODS = {
    "+": "_plus", "-": "_minus", "*": "_times", "/": "_divide", "%": "_modulo", "<<": "_shift_left",
    ">>": "_shift_right", "&": "_and", "|": "_or", "^": "_xor",
}  # fmt: skip


def _order(op: str, a: ir.Expr, b: ir.Expr) -> tuple[int, int]:
    """Whether a < b (or <=) holds always, and whether ever."""
    if op == "<":
        return int(a.hi < b.lo), int(a.lo < b.hi)
    return int(a.hi <= b.lo), int(a.lo <= b.hi)


def shown(n: int) -> str:
    """A number in words that can be read: 2^48-1 rather than 281474976710655."""
    for bits in (64, 48):
        if n == (1 << bits) - 1:
            return f"2^{bits}-1"
    return str(n) if n < 1 << 53 else f"about 2^{n.bit_length() - 1}"


def span(e: ir.Expr) -> str:
    return shown(e.lo) if e.lo == e.hi else f"{shown(e.lo)}..{shown(e.hi)}"


def key(e: ir.Expr) -> Hashable:
    """Equal for expressions that have the same value whatever the message is."""
    if isinstance(e, ir.Const):
        return ("const", e.value)
    if isinstance(e, ir.FieldRef):
        return ("field", *(id(i) for i in e.path))
    if isinstance(e, ir.ParamRef):
        return ("param", id(e.param))
    if isinstance(e, ir.Un):
        return ("un", e.op, key(e.a))
    if isinstance(e, ir.Bin):
        return ("bin", e.op, key(e.a), key(e.b))
    if isinstance(e, ir.In):
        return ("in", key(e.e), *((key(lo), key(hi)) for lo, hi in e.ranges))
    return ("node", id(e))

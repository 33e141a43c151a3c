"""Chains of items, as names are: flat ones checked, folded, hashed, ordered, joined, and written with pointers to what was written before.

The reference is the list of a chain's items, as the interpreter reads them. Without chains in it a module has nothing here.
"""

from __future__ import annotations

import ctypes
from typing import Any, Optional, Sequence

import inputs
from build import Build
from capi import Api, span
from mrg import ir, names
from mrg.emit import c_chain
from mrg.interp import parse
from mrg.values import Rejection
from references import References
from report import Report

ROOM = 1 << 17
FAR = 17000  # where no pointer leads to
PAIRS = 26  # flat ones that are held against each other
MANY = 140  # items that are written one after the other: more than are remembered

Items = list[bytes]


class Chains:
    def __init__(self, of: Build, api: Api, report: Report) -> None:
        self.of = of
        self.api = api
        self.report = report

    def run(self) -> None:
        for module in self.of.modules:
            for packet in module.packets:
                chain = c_chain.only_chain(packet)
                if chain is not None and self.api.has(f"{names.packet(packet)}_flat_check"):
                    one = Chain(self.api, packet, chain)
                    one.run()
                    self.report.none(f"{module.name}.{packet.name}: flat", one.faults)
                    self.report.none(f"{module.name}.{packet.name}: pointers", References(self.api, packet, chain).run())


class Chain:
    def __init__(self, api: Api, packet: ir.Packet, chain: ir.Chain) -> None:
        self.api = api
        self.packet = packet
        self.chain = chain
        self.name = names.packet(packet)
        self.faults: list[str] = []
        self.keep: list[Any] = []
        self.out = ctypes.create_string_buffer(ROOM)

    def call(self, verb: str, *args: Any) -> Any:
        call = self.api.find(f"{self.name}_{verb}")
        assert call is not None, verb
        return call(*args)

    def items(self, data: bytes, message: Optional[bytes] = None) -> Optional[Items]:
        """A chain's items, wherever they are; None: it is none."""
        whole = message if message is not None else data
        base = len(whole) - len(data)
        try:
            root = parse(self.packet, whole, [whole for p in self.packet.params], base)
        except Rejection:
            return None
        gotos = {arm.name for arm in self.chain.arms if arm.kind == "goto"}
        node = next(n for n in root.children if n.item is self.chain)
        out = []
        for child in node.children:
            if child.arm not in gotos:
                at = child.bit_off // 8
                out.append(whole[at : at + child.bit_len // 8])
        return out

    def flat(self, data: bytes) -> Any:
        """Checked by the C; None: refused."""
        record = self.api.new(f"{self.name}_flat")
        status = self.call("flat_check", span(self.api, data, self.keep), ctypes.addressof(record))
        return record if status == 0 else None

    def run(self) -> None:
        every = list(self.made())
        flats: list[tuple[Items, Any]] = []
        for data in every:
            found = self.items(data, data) if not self._leads_elsewhere(data) else None
            flat = self.flat(data)
            if (flat is None) != (found is None):
                self.faults.append(f"{data.hex()} flat: {flat is not None}, but the interpreter reads {found}")
            self._viewed(data)
            if flat is not None and found is not None:
                self.one(found, flat)
                flats.append((found, flat))
        step = max(1, len(flats) // PAIRS)
        some = [*flats[::step], *flats[-2:]]
        for a in some:
            for b in some:
                self.pair(a, b)
        self.written([items for items, _ in flats])

    def _leads_elsewhere(self, data: bytes) -> bool:
        try:
            root = parse(self.packet, data, [data for p in self.packet.params])
        except Rejection:
            return True
        gotos = {arm.name for arm in self.chain.arms if arm.kind == "goto"}
        return any(child.arm in gotos for child in root.children[0].children)

    def made(self) -> list[bytes]:
        """Flat chains: those of messages, with fewer items and more, in other cases, longest ones; and what is none."""
        out: dict[bytes, None] = {}
        stop = b""
        for m in inputs.drawn(self.packet):
            found = self.items(m.data, m.data)
            if found is None:
                continue
            stop = found[-1]
            for i in range(len(found)):
                out.setdefault(b"".join(found[i:]))
                out.setdefault(b"".join(found[:i]))
                out.setdefault(b"".join([found[i], *found]))
            out.setdefault(b"".join(found).swapcase() if len(found) < 2 else b"".join(x[:1] + x[1:].swapcase() for x in found))
            out.setdefault(b"".join(found) + b"x")
            out.setdefault(m.data)
            for at in range(min(len(m.data), 4)):
                out.setdefault(m.data[:at] + b"\xc0" + m.data[at:])
                out.setdefault(m.data[:at] + b"\x40" + m.data[at:])
        letters = [bytes([n]) + b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"[:n] for n in (1, 2, 3, 7, 8, 9, 16, 17, 62, 63)]
        for a in letters:
            out.setdefault(a + stop)
            for b in letters:
                out.setdefault(a + b + stop)
        for times in (1, 2, 3, 4):
            for last in (1, 60, 61, 62):
                out.setdefault(letters[-1] * times + bytes([last]) + b"z" * last + stop)
        out.setdefault(b"\x01a" * 127 + stop)
        out.setdefault(b"\x01a" * 128 + stop)
        out.setdefault(stop)
        out.setdefault(b"")
        return list(out)

    # --- one, and two ---------------------------------------------------------------------------------------

    def one(self, found: Items, flat: Any) -> None:
        address = ctypes.addressof(flat)
        data = b"".join(found)
        if bytes(flat.b[: flat.len]) != data or flat.count != len(found):
            self.faults.append(f"{data.hex()} is {flat.count} items, {bytes(flat.b[: flat.len]).hex()}")
        folded = self.api.new(f"{self.name}_flat")
        self.call("flat_fold", address, ctypes.addressof(folded))
        again = self.flat(data)
        self.call("flat_fold", ctypes.addressof(again), ctypes.addressof(again))
        for what in (folded, again):
            if bytes(what.b[: what.len]) != data.lower():
                self.faults.append(f"{data.hex()} is folded to {bytes(what.b[: what.len]).hex()}")
        for i, item in enumerate(found):
            got, rest = self.call("flat_item", address, i), self.call("flat_from", address, i)
            if ctypes.string_at(got.p, got.len) != item or ctypes.string_at(rest.p, rest.len) != b"".join(found[i:]):
                self.faults.append(f"item {i} of {data.hex()} is another")

    def pair(self, a: tuple[Items, Any], b: tuple[Items, Any]) -> None:
        (xs, fa), (ys, fb) = a, b
        pa, pb = ctypes.addressof(fa), ctypes.addressof(fb)
        folded = [[x[1:].lower() for x in reversed(items)] for items in (xs, ys)]
        order = self.call("flat_order", pa, pb)
        if (order > 0) - (order < 0) != (folded[0] > folded[1]) - (folded[0] < folded[1]):
            self.faults.append(f"{xs} and {ys}: order {order}")
        same = next((i for i, (x, y) in enumerate(zip(reversed(xs), reversed(ys))) if x.lower() != y.lower()), min(len(xs), len(ys)))
        if (have := self.call("flat_common", pa, pb)) != same:
            self.faults.append(f"{xs} and {ys}: {have} are common, not {same}")
        hashes = [(ctypes.c_uint64 * 256)(), (ctypes.c_uint64 * 256)()]
        for flat, room in zip((fa, fb), hashes):
            self.call("flat_hash", ctypes.addressof(flat), ctypes.addressof(room))
        if (hashes[0][0] == hashes[1][0]) != (b"".join(xs).lower() == b"".join(ys).lower()):
            self.faults.append(f"{xs} and {ys}: hashes")
        datas = [b"".join(xs), b"".join(ys)]
        if self.call("flat_equal", *(span(self.api, d, self.keep) for d in datas)) != (datas[0].lower() == datas[1].lower()):
            self.faults.append(f"{xs} and {ys}: equal")
        views = [self._view(d) for d in datas]
        if all(views) and self.call("equal", *map(ctypes.addressof, views)) != (datas[0].lower() == datas[1].lower()):
            self.faults.append(f"{xs} and {ys}: views are equal")
        for items in {0, 1, len(xs) - 1, len(xs)}:
            joined = self.api.new(f"{self.name}_flat")
            status = self.call("flat_join", pa, items, span(self.api, datas[1], self.keep), ctypes.addressof(joined))
            want = b"".join(xs[:items]) + datas[1]
            good = self.items(want, want)
            fits = len(want) <= self.chain.max_bytes and good is not None and not self._leads_elsewhere(want)
            size = len(b"".join(good)) if good is not None and fits else None
            if (status == 0) != (size is not None) or (size is not None and bytes(joined.b[: joined.len]) != want[:size]):
                self.faults.append(f"{items} of {xs} and {ys} joined: {status}")
        if len(self.keep) > 5000:
            self.keep.clear()

    def _viewed(self, data: bytes) -> None:
        """Checked where it stands."""
        if (self._view(data) is not None) != (self.items(data, data) is not None):
            self.faults.append(f"{data.hex()}: a view is made: {self._view(data) is not None}")

    def _view(self, data: bytes) -> Any:
        view = self.api.new(self.name)
        given = span(self.api, data, self.keep)
        args = {"in": given, "out": ctypes.addressof(view), "rj": None} | {names.param(p.name): given for p in self.packet.params}
        status = self.call("check", *(args[n] for _, n in self.api.functions[f"{self.name}_check"].args))
        return view if status == 0 else None

    # --- writing ----------------------------------------------------------------------------------------------

    def written(self, every: Sequence[Items]) -> None:
        """One after the other, with pointers: each reads as what it was; where there is no room, that is told."""
        use = self.api.find("mrg_w_use_refs")
        stop = next((items[-1] for items in every), b"")
        many = [[bytes([2, 65 + n // 26, 65 + n % 26]), stop] for n in range(MANY)]
        some = [e for e in every if e and e[-1] == stop]
        for start in (0, 12, FAR):
            refs = self.api.new("mrg_refs")
            w = self.api.records["mrg_w"](ctypes.addressof(self.out), ROOM, 0, 0, None)
            use(ctypes.addressof(w), ctypes.addressof(refs))
            w.len = start
            ctypes.memset(self.out, 0, start)
            for items in [*some[:40], *some[:40], *many, *many]:
                self._put(w, items)
        for cap in range(40):
            refs = self.api.new("mrg_refs")
            w = self.api.records["mrg_w"](ctypes.addressof(self.out), 12 + cap, 0, 0, None)
            use(ctypes.addressof(w), ctypes.addressof(refs))
            w.len = 12
            for items in (some[-1], some[-1], some[len(some) // 2]):
                self.call("put_flat", ctypes.addressof(w), span(self.api, b"".join(items), self.keep))
            if w.len > 12 + cap:
                self.faults.append(f"{w.len} octets are written into {12 + cap}")
        for data in (b"", b"\x01", b"".join(some[0]) + b"x", b"\x40"):
            w = self.api.records["mrg_w"](ctypes.addressof(self.out), ROOM, 0, 0, None)
            refs = self.api.new("mrg_refs")
            use(ctypes.addressof(w), ctypes.addressof(refs))
            self.call("put_flat", ctypes.addressof(w), span(self.api, data, self.keep))
            if w.st == 0 and self.api.has(f"{self.name}_pointer_put"):
                self.faults.append(f"{data.hex()} is written")

    def _put(self, w: Any, items: Items) -> None:
        before = w.len
        data = b"".join(items)
        self.call("put_flat", ctypes.addressof(w), span(self.api, data, self.keep))
        if w.st != 0:
            self.faults.append(f"{data.hex()} at {before}: {w.st}")
            w.st = 0
            return
        whole = self.out.raw[: w.len]
        if self.items(whole[before:], whole) != items and b"".join(self.items(whole[before:], whole) or []) != data:
            self.faults.append(f"{data.hex()} at {before} is written as {whole[before:].hex()}")

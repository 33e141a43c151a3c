"""Chains that go on elsewhere, as compressed names do: read wherever their pointers lead, and copied into another message.

Without arms that go to another place a packet has nothing here. The reference is the interpreter's list of items.
"""

from __future__ import annotations

import ctypes
from typing import Any, Iterator, Optional

import lookups
from capi import Api
from mrg import ir, names
from mrg.interp import parse
from mrg.values import Rejection

HEADER = bytes(12)
ROOM = 1 << 15
FAR = 17000  # where no pointer leads to


class References:
    def __init__(self, api: Api, packet: ir.Packet, chain: ir.Chain) -> None:
        self.api = api
        self.packet = packet
        self.chain = chain
        self.name = names.packet(packet)
        self.gotos = {arm.name for arm in chain.arms if arm.kind == "goto"}
        self.faults: list[str] = []
        self.out = ctypes.create_string_buffer(FAR + ROOM)

    def run(self) -> list[str]:
        if self.gotos and self.packet.params:
            for whole, at in self.made():
                self.one(whole, at)
            self.copied()
        return self.faults

    def made(self) -> Iterator[tuple[bytes, int]]:
        """Messages, and where in them the chain begins."""
        for jumps in (1, 2, 3, 125, 126, 127, 128):
            whole, at = HEADER + b"\x01a\x00", 12
            for _ in range(jumps):
                whole, at = whole + self.pointer(at), len(whole)
            yield whole, at
        for target in (0, 11, 12, 13, 14, 15, 16, 17, 18, 0x3FFF):
            whole = HEADER + b"\x01a\x00\x01b" + self.pointer(target)
            yield from ((whole, at) for at in (12, 15, 17))
            yield whole[:-1], 15
            yield whole[:-1], 17
        long = b"".join(bytes([63]) + bytes([97 + n]) * 63 for n in range(3))
        for last in (1, 58, 59, 60, 61, 62, 63):  # with what is before the pointer up to the longest, and beyond it
            tail = long + bytes([last]) + b"z" * last
            for end in (b"\x00", b"", b"\x40", b"\x80", b"\xc0"):
                for before in (b"", b"\x01a", b"\x02ab"):
                    whole = HEADER + tail + end + b"\x00" * (end == b"\xc0")
                    yield whole + before + self.pointer(12), len(whole)
                    yield whole + before + self.pointer(12 + 64), len(whole)
        for size in range(1, 5):  # the run that a pointer leads to is cut by the end of the message
            yield HEADER + self.pointer(14) + b"\x04abcd"[:size], 12
            yield HEADER + b"\x03abc\x01d" + self.pointer(12)[:size], 16

    def pointer(self, at: int) -> bytes:
        return (0xC000 | at).to_bytes(2, "big")

    def items(self, whole: bytes, at: int) -> Optional[bytes]:
        """The octets of all items, wherever they are; None: it is no chain."""
        try:
            root = parse(self.packet, whole, [whole for _ in self.packet.params], at)
        except Rejection:
            return None
        node = next(n for n in root.children if n.item is self.chain)
        there = (child for child in node.children if child.arm not in self.gotos)
        return b"".join(whole[c.bit_off // 8 : (c.bit_off + c.bit_len) // 8] for c in there)

    def view(self, room: Any, size: int, at: int) -> Optional[Any]:
        view, span = self.api.new(self.name), self.api.records["mrg_span"]
        start = ctypes.addressof(room)
        by_name = {"in": span(start + at, size - at), "out": ctypes.addressof(view), "rj": None}
        by_name |= {names.param(p.name): span(start, size) for p in self.packet.params}
        check = self.api.find(f"{self.name}_check")
        assert check is not None
        return view if check(*(by_name[n] for _, n in self.api.functions[f"{self.name}_check"].args)) == 0 else None

    def one(self, whole: bytes, at: int) -> None:
        room = ctypes.create_string_buffer(whole, len(whole))
        view, want = self.view(room, len(whole), at), self.items(whole, at)
        if (view is None) != (want is None):
            self.faults.append(f"{whole.hex()} at {at}: accepted: {view is not None}, the interpreter reads {want!r}")
        elif view is not None and want is not None:
            flat = self.api.new(f"{self.name}_flat")
            self.call("flatten", ctypes.addressof(view), ctypes.addressof(flat))
            if bytes(flat.b[: flat.len]) != want:
                self.faults.append(f"{whole.hex()} at {at}: {bytes(flat.b[: flat.len]).hex()}, not {want.hex()}")
            self.call("fold", ctypes.addressof(view), ctypes.addressof(flat))
            if bytes(flat.b[: flat.len]) != want.lower():
                self.faults.append(f"{whole.hex()} at {at}: folded {bytes(flat.b[: flat.len]).hex()}, not {want.lower().hex()}")
            self.walked(view, want, whole, at)
            given = {"in": self.api.records["mrg_span"](ctypes.addressof(room) + at, len(whole) - at)}
            given |= {names.param(p.name): self.api.records["mrg_span"](ctypes.addressof(room), len(whole)) for p in self.packet.params}
            self.faults += [f"{whole.hex()} at {at}: {fault}" for fault in lookups.viewed(self.api, self.packet, view, given)]

    def walked(self, view: Any, want: bytes, whole: bytes, at: int) -> None:
        """Item by item, but for the last."""
        it, item = self.call(self.chain.name, ctypes.addressof(view)), self.api.new(names.packet(next(a.packet for a in self.chain.arms if a.kind == "item")))
        have = b""
        while self.call(f"{self.chain.name}_next", ctypes.addressof(it), ctypes.addressof(item)):
            have += ctypes.string_at(item.p, item.len)
        if have != want[: len(have)] or len(want) - len(have) > max(a.packet.size_max or 0 for a in self.chain.arms if a.kind == "stop"):
            self.faults.append(f"{whole.hex()} at {at}: items {have.hex()}, not those of {want.hex()}")

    def call(self, verb: str, *args: Any) -> Any:
        call = self.api.find(f"{self.name}_{verb}")
        assert call is not None, verb
        return call(*args)

    # --- copying ------------------------------------------------------------------------------------------

    def copied(self) -> None:
        """Each chain of a message into another one, more than once, with pointers to what was written before."""
        whole, places = self.message()
        room = ctypes.create_string_buffer(whole, len(whole))
        views = [(at, self.view(room, len(whole), at)) for at in places]
        for start in (0, 12, FAR):
            for known in (False, True):
                w = self.writer(start, ROOM + start, room if known else None)
                for at, view in [*views, *views[::-1], *views]:
                    self.copy(w, whole, at, view, start)
        for cap in range(40):
            w = self.writer(12, 12 + cap, room)
            for at, view in (views[0], views[1], views[-1], views[0]):
                self.call("copy", ctypes.addressof(w), ctypes.addressof(view))
            if w.len > 12 + cap:
                self.faults.append(f"{w.len} octets are copied into {12 + cap}")
        w = self.writer(0, ROOM, None)
        w.refs = None
        self.copy(w, whole, places[0], views[0][1], 0)

    def message(self) -> tuple[bytes, list[int]]:
        """One with chains that share their ends, and so many that not all can be remembered."""
        whole, places = HEADER, []
        for n in range(150):
            places.append(len(whole))
            tail = self.pointer(places[n // 3]) if n % 5 else b"\x07example\x03org\x00"
            whole += bytes([2, 65 + n // 26, 97 + n % 26]) + (b"\x0cLonger-" + b"%05d" % n) * (n % 2) + tail
        return whole, places

    def writer(self, start: int, cap: int, source: Optional[Any]) -> Any:
        w = self.api.records["mrg_w"](ctypes.addressof(self.out), cap, 0, 0, None)
        self.refs = self.api.new("mrg_refs")
        use = self.api.find("mrg_w_use_refs")
        assert use is not None
        use(ctypes.addressof(w), ctypes.addressof(self.refs))
        if source is not None:
            come_from = self.api.find("mrg_refs_from")
            assert come_from is not None
            come_from(ctypes.addressof(self.refs), ctypes.addressof(source))
        ctypes.memset(self.out, 0, start)
        w.len = start
        return w

    def copy(self, w: Any, whole: bytes, at: int, view: Any, start: int) -> None:
        before = w.len
        self.call("copy", ctypes.addressof(w), ctypes.addressof(view))
        if w.st != 0 or self.items(self.out.raw[: w.len], before) != self.items(whole, at):
            self.faults.append(f"the chain at {at} is copied to {before} as {self.out.raw[before : w.len].hex()} ({w.st})")

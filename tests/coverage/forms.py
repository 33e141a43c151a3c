"""Presentation formats: what is printed of enumerated messages, read again, and read with each of its words changed.

What is printed is read as the interpreter's message again, where the format has all of it; what is read of any other line is a message
that the interpreter accepts, or nothing is written. Each line is read and printed into every room, and what stands for a tag (TYPE12,
\\# 4 01020304) with every tag that a union has.
"""

from __future__ import annotations

import ctypes
from typing import Any, Iterator, Optional, Sequence

import inputs
from build import Build
from capi import Api, span
from mrg import ir, layout, names
from mrg.emit import text_enum, text_params, text_plan
from mrg.emit.tests_c import given, uses_extern
from mrg.interp import parse
from mrg.interp_build import BuildError, build, values_of
from mrg.values import Broken, Node, Rejection, Status
from report import Report

ROOM = 1 << 18
MESSAGES = 40  # of a packet
LINES = 12  # of those, whose words are changed
ROOMS = 70
# What stands for a word: numbers around powers of two, and one of each form, some of them broken.
WORDS = [
    *rb"""
0 1 3 4 7 8 15 16 31 32 33 63 64 127 128 129 255 256 65535 65536 4294967295 4294967296 99999999999999999999 - x a.b. a..b . \ \300 A
TYPE65535 TYPE65536 1.2.3.4 ::1 1:2:3:4:5:6:7:8 ab abc AQ== AQ= \# a=1 a= =1 alpn=h2 1:1.2.3.4/8 !1:1.2.3.4/33 20260101000000 1w2d ( 0-
12345678
""".split(),
    b'""', b'"a b"', b'"', b'\\# 0', b'\\# 1 00', b'\\# 2 0000', b'\\# 4 00000000', b'\\# 65536 00', b'key1="x"',
    b"a" * 64, b"00" * 256, b"00" * 65537, b"AAAA" * 22000,
]  # fmt: skip
# What stands for the value of a pair.
VALUES = [
    *rb"""
1 65536 1,2 2,1 1,1 h2 h2,h3 h\\,2 , alpn alpn,port alpn,alpn port,alpn 192.0.2.1 192.0.2.1,192.0.2.2 ::1 ::1,::2 AQ== /dns-query{?dns} x
""".split(),
    b"", b'""', b'"a b"', b'"h2,h3"', b'"\\300"', b"a" * 256, b"a" * 70000, b"A" * 90000, b",".join([b"1"] * 33000),
]  # fmt: skip
ORIGIN = b"\x07example\x00"


class Forms:
    def __init__(self, of: Build, api: Api, report: Report) -> None:
        self.of = of
        self.api = api
        self.report = report
        self.out = ctypes.create_string_buffer(ROOM)
        self.text = api.new("mrg_text")
        self.line = api.find("mrg_text_line")

    def run(self) -> None:
        for module in self.of.modules:
            for packet in module.packets:
                if not uses_extern(packet):
                    self.report.none(f"{module.name}.{packet.name}: presentation", Form(self, packet).run())

    def writer(self, cap: int) -> Any:
        return self.api.records["mrg_w"](ctypes.addressof(self.out), cap, 0, 0, None)

    def written(self, w: Any) -> Optional[bytes]:
        return ctypes.string_at(self.out, w.len) if w.st == 0 else None


class Form:
    """One packet's."""

    def __init__(self, all_: Forms, packet: ir.Packet) -> None:
        self.a = all_
        self.api = all_.api
        self.packet = packet
        self.name = names.packet(packet)
        self.print = self.api.find(f"{self.name}_to_text")
        self.read = self.api.find(f"{self.name}_from_text")
        self.check = self.api.find(f"{self.name}_check")
        self.faults: list[str] = []

    def run(self) -> list[str]:
        unions = [i for i in layout.walk(self.packet.items) for i in [_inner(i)] if isinstance(i, ir.Switch) and self.api.has(f"{self.name}_{i.name}_to_text")]
        if self.print is None and self.read is None and not unions:
            return []
        lines: list[bytes] = []
        for i, m in enumerate(inputs.drawn(self.packet)):
            if self.print is not None and self.check is not None:
                line = self.printed(m.data, m.args)
                if line is not None:
                    lines.append(line)
                for other in self._refused_by_forms(m.data) if i < MESSAGES else ():
                    self.printed(other, m.args)
            for item in unions:
                self.union(item, m.data, m.args, i < LINES)
        if self.read is not None:
            seen = set()
            for line in [*_spread(lines), b"", b"-"]:
                for text in _changes(line):
                    if text not in seen:
                        seen.add(text)
                        self.tried(text)
            for text in self._pairs(lines):
                self.tried(text)
                octets = self.taken(text, ROOM)
                if octets is not None and self.print is not None:
                    self.printed(octets, [])
        for item in unions:
            self.tags(item)
        return self.faults

    def _pairs(self, lines: list[bytes]) -> Iterator[bytes]:
        """Lines whose pairs of key and value are one or two: each key that has a name, and its number, with each word as its value."""
        params = next((text_params.Params(i) for i in text_params.lists(self.packet)), None)
        good: dict[bytes, bytes] = {}
        head = min((line.split(b" ")[:2] for line in lines), key=len, default=[])
        keys = [key for m in (params.enum.members if params is not None else []) for key in (text_enum.word(m).encode(), b"key%d" % m.lo)]
        for key in keys:
            for pair in (key, *(key + b"=" + value for value in VALUES)):
                yield b" ".join([*head, pair])
                if self.taken(b" ".join([*head, pair]), ROOM) is not None:
                    good.setdefault(key, pair)
        yield from (b" ".join([*head, key + b"=" + other, pair]) for key in keys for other, pair in good.items())

    def _refused_by_forms(self, data: bytes) -> Iterator[bytes]:
        """Messages with other octets: some have no presentation format."""
        for at in range(min(len(data), 48)):
            for octet in {0, 0x7F, 0x80, 0xFF, data[at] ^ 1, data[at] + 1 & 255, 0x22, 0x5C}:
                yield data[:at] + bytes([octet]) + data[at + 1 :]

    def view(self, data: bytes, args: Sequence[int], keep: list[Any]) -> Optional[Any]:
        try:
            parse(self.packet, data, given(self.packet, data, args))
        except Rejection:
            return None
        given_ = span(self.api, data, keep)
        view = self.api.new(self.name)
        numbers = iter(args)
        by_name: dict[str, Any] = {"in": given_, "out": ctypes.addressof(view), "rj": None}
        for p in self.packet.params:
            by_name[names.param(p.name)] = given_ if p.kind == "buffer" else next(numbers)
        assert self.check(*(by_name[n] for _, n in self.api.functions[f"{self.name}_check"].args)) == 0
        keep.append(view)
        return view

    # --- printing -----------------------------------------------------------------------------------------

    def printed(self, data: bytes, args: Sequence[int]) -> Optional[bytes]:
        """A message's line, in just as much room as it takes, read again; None: it has none."""
        keep: list[Any] = []
        view = self.view(data, args, keep)
        if view is None:
            return None
        line = self._into_rooms(lambda w: self.print(ctypes.addressof(view), w), f"printing {data.hex()}")
        if line is not None and self.read is not None:
            self._again(data, args, line)
        return line

    def _into_rooms(self, call: Any, what: str) -> Optional[bytes]:
        w = self.a.writer(ROOM)
        call(ctypes.addressof(w))
        line = self.a.written(w)
        if line is None:
            if w.st != E_TEXT:
                self.faults.append(f"{what}: {w.st}")
            return None
        for cap in [*range(min(len(line), ROOMS)), *([len(line) - 1] if line else [])]:
            w = self.a.writer(cap)
            call(ctypes.addressof(w))
            if w.st != Status.E_SPACE:
                self.faults.append(f"{what} into {cap} of {len(line)} octets: {w.st}")
        w = self.a.writer(ROOM)
        w.st = Status.E_VALUE
        call(ctypes.addressof(w))
        if w.st != Status.E_VALUE:
            self.faults.append(f"{what} behind a failure: {w.st}")
        return line

    def _again(self, data: bytes, args: Sequence[int], line: bytes) -> None:
        """What was printed is read as the same line's message."""
        octets = self.taken(line, ROOM)
        if octets is None:
            if not _wants_more(parse(self.packet, data, given(self.packet, data, args))):
                self.faults.append(f"{line!r} of {data.hex()} can't be read")
            return
        try:
            want = build(self.packet, values_of(parse(self.packet, data, given(self.packet, data, args))), given(self.packet, b"", args))
        except (BuildError, Rejection):
            return
        if octets != want:
            keep: list[Any] = []
            view = self.view(octets, args, keep)
            w = self.a.writer(ROOM)
            if view is not None:
                self.print(ctypes.addressof(view), ctypes.addressof(w))
            if view is None or self.a.written(w) != line:
                self.faults.append(f"{line!r} of {want.hex()} is read as {octets.hex()}")

    # --- reading -----------------------------------------------------------------------------------------------

    def taken(self, line: bytes, cap: int, call: Any = None) -> Optional[bytes]:
        """What a line is read as; None: it is refused, and nothing is left of it."""
        keep: list[Any] = []
        w = self.a.writer(cap)
        self.a.line(ctypes.addressof(self.a.text), span(self.api, line, keep), span(self.api, ORIGIN, keep))
        call = call or self.read
        status = call(ctypes.addressof(self.a.text), ctypes.addressof(w), None)
        if status != 0 and w.len != 0:
            self.faults.append(f"{line!r} is refused ({status}), but {w.len} octets are written")
        return ctypes.string_at(self.a.out, w.len) if status == 0 else None

    def tried(self, line: bytes) -> None:
        """Any line: what it is read as is a message. Each room that is too small is too small."""
        octets = self.taken(line, ROOM)
        if octets is None:
            return
        args = [p.lo for p in self.packet.params if p.kind != "buffer"]
        if not args:
            self._is_message(octets, line)
        for cap in {0, 1, len(octets) // 2, len(octets) - 1, *range(min(len(octets), 24))}:
            if 0 <= cap < len(octets) and self.taken(line, cap) is not None:
                self.faults.append(f"{line!r} is read into {cap} of {len(octets)} octets")

    def _is_message(self, octets: bytes, line: bytes) -> None:
        try:
            size = parse(self.packet, octets, given(self.packet, octets, [])).bit_len // 8
            if size != len(octets):
                self.faults.append(f"{line!r} is read as {octets.hex()}, of which {size} are one")
        except Rejection as rejection:
            self.faults.append(f"{line!r} is read as {octets.hex()}: {rejection}")

    # --- unions ----------------------------------------------------------------------------------------------------

    def union(self, item: ir.Switch, data: bytes, args: Sequence[int], first: bool) -> None:
        """What stands in a union, by its tag; of the first messages, by every tag."""
        node = parse(self.packet, data, given(self.packet, data, args))
        found = node.fields.get(id(item))
        if found is None:
            return
        own = [p.lo & p.mask for arm in item.arms if arm.name == found.arm for p in arm.pats]
        tags = _tags(item) if first else own
        raw = data[found.bit_off // 8 : (found.bit_off + found.bit_len) // 8]
        for tag in tags:
            for octets in (raw, raw + b"\0", raw[:-1]):
                self._one(item, tag, octets)

    def tags(self, item: ir.Switch) -> None:
        for tag in _tags(item):
            for raw in (b"", b"\0", bytes(4), bytes(16), b"\xff" * 24):
                self._one(item, tag, raw)
            call = self.api.find(f"{self.name}_{item.name}_from_text")
            if call is not None:
                for line in (b"\\# 0", b"\\# 1 00", b"\\# 4 00000000", b"\\# 2 00", b"1 2 3 4", b"a.b. 1 2", b"", b"\\# 1", b"\\# x"):
                    self.taken(line, ROOM, lambda t, w, rj: call(tag, t, w, rj))

    def _one(self, item: ir.Switch, tag: int, raw: bytes) -> None:
        base = f"{self.name}_{item.name}"
        keep: list[Any] = []
        check, to_text, from_text = (self.api.find(f"{base}_{verb}") for verb in ("check", "to_text", "from_text"))
        fits = check(tag, span(self.api, raw, keep), None) == 0 if check is not None else True
        w = self.a.writer(ROOM)
        to_text(tag, span(self.api, raw, keep), ctypes.addressof(w))
        line = self.a.written(w)
        failed = self.a.writer(ROOM)
        failed.st = Status.E_VALUE
        to_text(tag, span(self.api, raw, keep), ctypes.addressof(failed))
        if (failed.st, failed.len) != (Status.E_VALUE, 0):
            self.faults.append(f"{item.name} {tag} behind a failure: {failed.st}")
        if line is None or from_text is None:
            return
        octets = self.taken(line, ROOM, lambda t, w, rj: from_text(tag, t, w, rj))
        if fits and octets is not None and check is not None and check(tag, span(self.api, octets, keep), None) != 0:
            self.faults.append(f"{item.name} {tag}: {line!r} is read as {octets.hex()}")
        for cap in range(min(len(line), 20)):
            w = self.a.writer(cap)
            to_text(tag, span(self.api, raw, keep), ctypes.addressof(w))
        for cap in range(min(len(octets or b""), 20)):
            self.taken(line, cap, lambda t, w, rj: from_text(tag, t, w, rj))


E_TEXT = -10


def _wants_more(node: Node) -> bool:
    """Whether the last field prints nothing, for which its reader wants a word, or is of keys of which some must be there (RFC 9460 section 8)."""
    assert node.packet is not None
    item = _inner(text_plan.visible(node.packet)[-1])
    last, form = node.fields.get(id(item)), text_plan.form_of(item)
    if last is not None and last.packet is not None:
        return _wants_more(last)
    return last is None or last.bit_len == 0 or (form is not None and form.name == "params")


def _tags(item: ir.Switch) -> list[int]:
    """Those of its arms, and one that no arm has."""
    tags = {v for arm in item.arms for p in arm.pats for v in (p.lo & p.mask,)}
    return sorted(tags | {max(tags, default=0) + 1, 65432})


def _inner(item: ir.Item) -> ir.Item:
    return item.item if isinstance(item, ir.Region) else item


def _spread(lines: list[bytes]) -> list[bytes]:
    """Some of them, the longest too."""
    every = sorted(dict.fromkeys(lines), key=len)
    return every if len(every) <= LINES else [*every[:: max(1, len(every) // (LINES - 1))], every[-1]]


def _changes(line: bytes) -> Iterator[bytes]:
    """A line, with each word left out, said twice, cut, or another one; and with more behind it."""
    yield line
    yield line + b" x"
    yield line + b" x y z"
    words = line.split(b" ")
    for at, word in enumerate(words[:24]):
        before, behind = words[:at], words[at + 1 :]
        yield b" ".join(before)
        yield b" ".join([*before, *behind])
        yield b" ".join([*before, word, word, *behind])
        for cut in {1, len(word) // 2, len(word) - 1}:
            yield b" ".join([*before, word[:cut], *behind])
        for other in (*WORDS, word + b"0", word + b"x", word.lower(), word.upper(), b"-" + word, b'"' + word + b'"'):
            yield b" ".join([*before, other, *behind])
        yield b" ".join([*before, *[word] * 300, *behind])

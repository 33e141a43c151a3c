"""Packets: everything that is generated of them, on enumerated messages, against the reference interpreter.

The glue of fuzzers (mrg/emit/fuzz_glue.py) tells what a message says and writes it again. What it leaves out is called by name here:
checks and scans without a place for what they find, accessors of what is absent, the arms that a message has not, setters, and builders with
arguments that do not fit, and too little room.

Reading order: Packets.run, _case, then one method a kind of function.
"""

from __future__ import annotations

import ctypes
import mmap
from typing import Any, Iterator, Optional, Sequence, Union

import arguments
import inputs
import lookups
from arguments import FAR, HUGE, MAP_NORESERVE
from build import Build
from capi import Api, span
from mrg import ir, layout, names, settable
from mrg.emit import c_chain, c_plan, c_shape, fuzz_glue
from mrg.emit.tests_c import given, has_builder, is_choosy, uses_extern
from mrg.field_ids import Ids, events, field_ids
from mrg.interp import parse
from mrg.interp_build import BuildError, build, values_of
from mrg.values import Node, Rejection, Status
from mrg.vectors import Message
from report import Report

EVENTS = 1 << 16
ROOM = 1 << 19
CHANGED = 600  # changes of one packet that are tried
WORK = 30000  # octets in all changes of a message
ROOMS = 80  # rooms that a message is written into
AROUND = 4  # messages whose parts are written in every size


class Event(ctypes.Structure):
    _fields_ = [("id", ctypes.c_uint32), ("value", ctypes.c_uint64)]


class Events(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("cap", ctypes.c_size_t), ("count", ctypes.c_size_t), ("lost", ctypes.c_size_t)]


class Row(ctypes.Structure):
    """struct mrg_glue"""

    _fields_ = [
        ("packet", ctypes.c_char_p), ("check", ctypes.c_void_p), ("walk", ctypes.c_void_p), ("again", ctypes.c_void_p),
        ("built", ctypes.c_void_p), ("misfits", ctypes.c_void_p), ("choosy", ctypes.c_bool), ("arg_count", ctypes.c_size_t),
    ]  # fmt: skip


class Outcome:
    """What the interpreter says of a message."""

    def __init__(self, packet: ir.Packet, data: bytes, args: Sequence[int]) -> None:
        self.node: Optional[Node] = None
        try:
            self.node = parse(packet, data, given(packet, data, args))
            self.status, self.at = Status.OK, self.node.bit_len // 8
        except Rejection as rejection:
            self.status, self.at = rejection.status, rejection.bit_off


class Packets:
    def __init__(self, of: Build, api: Api, report: Report) -> None:
        self.of = of
        self.api = api
        self.report = report
        self.Span = api.records["mrg_span"]
        self.Reject = api.records["mrg_reject"]
        self.Writer = api.records["mrg_w"]
        self.events = (Event * EVENTS)()
        self.out = ctypes.create_string_buffer(ROOM)
        self.far_room = mmap.mmap(-1, FAR, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE)
        self.far = ctypes.addressof(ctypes.c_char.from_buffer(self.far_room))
        self.check_t = ctypes.CFUNCTYPE(ctypes.c_int, self.Span, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
        self.walk_t = ctypes.CFUNCTYPE(None, self.Span, ctypes.c_void_p, ctypes.c_void_p)
        self.write_t = ctypes.CFUNCTYPE(ctypes.c_int, self.Span, ctypes.c_void_p, ctypes.c_void_p)
        self.faults: list[str] = []

    def run(self) -> None:
        for module in self.of.modules:
            packets = [p for p in module.packets if not uses_extern(p)]
            if not packets:
                continue
            rows = (Row * (len(packets) + 1)).in_dll(self.api.c, fuzz_glue.table(module))
            ids = field_ids(module)
            for row, packet in zip(rows, packets):
                self.faults = []
                Packet(self, packet, row, ids).run()
                self.report.none(f"{module.name}.{packet.name}", self.faults)


class Packet:
    """One packet's functions."""

    def __init__(self, all_: Packets, packet: ir.Packet, row: Row, ids: Ids) -> None:
        self.a = all_
        self.api = all_.api
        self.packet = packet
        self.ids = ids
        self.name = names.packet(packet)
        self.shape = c_shape.build(packet)
        self.check = all_.check_t(row.check)
        self.walk = all_.walk_t(row.walk)
        self.again = all_.write_t(row.again) if row.again else None
        self.built = all_.write_t(row.built) if row.built else None
        self.misfits = all_.write_t(row.misfits) if row.misfits else None
        self.builder = has_builder(packet)
        self.choosy = is_choosy(packet)
        self.direct = self.api.find(f"{self.name}_check")
        self.scan = self.api.find(f"{self.name}_scan_")
        self.accessors = self._accessors()
        self.told_of: set[object] = set()  # what a change was made for before

    def wrong(self, data: bytes, args: Sequence[int], what: str) -> None:
        self.a.faults.append(f"{data.hex()} {list(args)}: {what}")

    def run(self) -> None:
        self.movable()
        drawn = inputs.drawn(self.packet)
        budget = CHANGED
        for m in drawn:
            node = self.message(m.data, m.args, True)
            if node is None:
                continue
            self.for_a_reason(m, node)
            if budget > 0:
                budget -= self.changed(m.data, m.args, node, budget // 2)
            self.setters(m.data, m.args, node)
            self.arguments(m.data, m.args, node)
        for _ in () if drawn else (0,):
            for data in [*(bytes(n) for n in range(40)), *(b"\xff" * n for n in range(40)), *inputs.put_together(self.packet)]:
                self.message(data, [p.lo for p in self.packet.params if p.kind != "buffer"], False)

    def movable(self) -> None:
        """What can be copied as it stands: all but what has names that may be compressed, by the tag of each alternative."""
        for item in (i.item if isinstance(i, ir.Region) else i for i in layout.walk(self.packet.items)):
            call = self.api.find(f"{self.name}_{item.name}_movable") if isinstance(item, ir.Switch) else None
            for arm in item.arms if isinstance(item, ir.Switch) and call is not None else ():
                bound = arm.item is not None and c_plan.bound(arm.item)
                for tag in {p.lo for p in arm.pats} | {0xFFFF0000} if not arm.pats else {p.lo for p in arm.pats}:
                    if call is not None and call(tag) == bound:
                        self.a.faults.append(f"{self.packet.name}: {item.name} for {tag} is{' not' * bound} to be movable")

    def for_a_reason(self, m: Message, node: Node) -> None:
        """Changes that one message is enough for; fields are set in those with another sum."""
        sums = {id(i) for i in layout.walk(self.packet.items) if isinstance(i, ir.Scalar) and isinstance(i.computed, ir.Sum)}
        for about, other in inputs.telling(self.packet, m, node, self.told_of):
            if about not in self.told_of:
                self.told_of.add(about)
                found = self.message(other, m.args, False)
                if found is not None and isinstance(about, tuple) and about[0] in sums and self._normal(other, m.args, found):
                    self.setters(other, m.args, found)

    def _normal(self, data: bytes, args: Sequence[int], node: Node) -> bool:
        """Whether a message is as it would be built again."""
        try:
            return build(self.packet, values_of(node), given(self.packet, b"", args)) == data
        except BuildError:
            return False

    def changed(self, data: bytes, args: Sequence[int], node: Node, most: int) -> int:
        """Changes of a message; how many."""
        every = list(inputs.variants(self.packet, data, node))
        step = max(1, len(every) // max(min(most, WORK // (len(data) + 20)), 100))
        some = every[::step]
        for other in some:
            self.message(other, args, False)
        for i, p in enumerate(q for q in self.packet.params if q.kind != "buffer"):
            for value in sorted({p.lo, p.hi or (1 << p.bits) - 1, 0, 1, args[i] + 1, max(args[i] - 1, 0)}):
                if p.lo <= value <= (p.hi or (1 << p.bits) - 1):
                    self.message(data, [*args[:i], value, *args[i + 1 :]], False)
        return len(some)

    # --- reading ------------------------------------------------------------------------------------------------

    def message(self, data: bytes, args: Sequence[int], drawn: bool) -> Optional[Node]:
        """Check, walk, look: the same as the interpreter does. Its tree, if the message is accepted."""
        keep: list[Any] = []
        want = Outcome(self.packet, data, args)
        given_ = span(self.api, data, keep)
        numbers = (ctypes.c_uint64 * max(len(args), 1))(*args)
        reject, used = self.a.Reject(), ctypes.c_size_t()
        status = self.check(given_, numbers, ctypes.byref(used), ctypes.byref(reject))
        at = used.value if status == 0 else reject.bit_off
        if (status, at) != (want.status, want.at):
            self.wrong(data, args, f"{want.status} at {want.at}, in C {Status(status)} at {at}")
            return None
        if self.check(given_, numbers, ctypes.byref(used), None) != status:
            self.wrong(data, args, "another status when there is no place for the rejection")
        self.scanned(given_, args, want)
        if want.node is None:
            return None
        self.told(data, args, given_, numbers, want.node)
        self.looked(data, args, given_, want.node)
        if self.builder:
            self.written(data, args, given_, numbers, want.node, drawn)
        return want.node

    def _given(self, call: Any, function: str, given_: Any, args: Sequence[int], more: dict[str, Any]) -> list[Any]:
        """Arguments of a generated function, by their names."""
        by_name = self._by_name(given_, args) | more
        return [by_name[name] for _, name in self.api.functions[function].args]

    def _by_name(self, given_: Any, args: Sequence[int]) -> dict[str, Any]:
        numbers = iter(args)
        params = {names.param(p.name): given_ if p.kind == "buffer" else next(numbers) for p in self.packet.params}
        return {"in": given_, **params}

    def scanned(self, given_: Any, args: Sequence[int], want: Outcome) -> None:
        """The scan that lists and enclosing packets call: it ends where the check does, with a view to fill and without."""
        function = f"{self.name}_scan_"
        if self.scan is None:
            return
        start = given_.p
        for view in (None, self.api.new(self.name)):
            address = None if view is None else ctypes.addressof(view)
            ends = {"p": start, "end": start + given_.len, "v": address, "rj": ctypes.addressof(self.a.Reject())}
            reject = self.a.Reject()
            ends["rj"] = ctypes.addressof(reject)
            try:
                stop = self.scan(*self._given(self.scan, function, given_, args, ends))
            except KeyError:
                return
            if (stop is not None) != (want.status == Status.OK) or (stop is not None and stop - start != want.at):
                self.wrong(ctypes.string_at(start, given_.len), args, f"a scan ends at {stop and stop - start}")

    def told(self, data: bytes, args: Sequence[int], given_: Any, numbers: Any, node: Node) -> None:
        ev = Events(ctypes.addressof(self.a.events), EVENTS, 0, 0)
        self.walk(given_, numbers, ctypes.byref(ev))
        have = [(e.id, e.value) for e in self.a.events[: ev.count]]
        if have != list(events(self.ids, node)):
            self.wrong(data, args, "a walk tells something else")

    def view(self, given_: Any, args: Sequence[int]) -> Any:
        """A view of a message that is accepted; None: the packet has no check of its own."""
        if self.direct is None:
            return None
        view = self.api.new(self.name)
        more = {"out": ctypes.addressof(view), "rj": None}
        assert self.direct(*self._given(self.direct, f"{self.name}_check", given_, args, more)) == 0
        return view

    def _accessors(self) -> list[tuple[str, Any, str]]:
        """Functions of a view alone, and of a view and a place for what an arm has."""
        view, out = f"struct {self.name}*", []
        for f in self.api.functions.values():
            types = [t for t, _ in f.args]
            if types[:1] == [view] and f.name.startswith(self.name + "_") and not f.name.endswith(("_copy", "_view_", "_index")):
                call = self.api.find(f.name)
                if call is not None and (len(types) == 1 or (len(types) == 2 and "_as_" in f.name and f.args[1][1] == "out")):
                    out.append((f.name[len(self.name) + 1 :], call, "" if len(types) == 1 else types[1]))
        return out

    def looked(self, data: bytes, args: Sequence[int], given_: Any, node: Node) -> None:
        """Accessors one by one: of what is absent they say zero or nothing."""
        view = self.view(given_, args)
        if view is None:
            return
        address = ctypes.addressof(view)
        viewed = lookups.viewed(self.api, self.packet, view, self._by_name(given_, args))
        for fault in (*viewed, *lookups.found(self.api, self.packet, address, given_.p, node)):
            self.wrong(data, args, fault)
        items = {slot.item.name: slot.item for slot in self.shape.slots}
        for short, call, out in self.accessors:
            if out:
                self._arm(data, args, node, items, short, call, address, out)
                continue
            have = call(address)
            want = self._expected(items, node, short)
            if want is not None:
                have = ctypes.string_at(have.p, have.len) if isinstance(have, self.a.Span) and have.len else b"" if isinstance(have, self.a.Span) else have
                if have != want:
                    self.wrong(data, args, f"{short} is {have!r}, not {want!r}")

    def _expected(self, items: dict[str, ir.Item], node: Node, short: str) -> Union[int, bytes, bool, None]:
        """What an accessor says, of those whose answer is a number or octets."""
        item = items.get(short.removeprefix("has_"))
        if item is None:
            return None
        found = node.fields.get(id(item))
        if short.startswith("has_"):
            return found is not None
        if isinstance(item, (ir.Scalar, ir.Varint)):
            return found.value if found is not None and found.value is not None else 0
        if isinstance(item, ir.Bytes):
            return found.value if found is not None and found.value is not None else b""
        return None

    def _arm(
        self, data: bytes, args: Sequence[int], node: Node, items: dict[str, ir.Item], short: str, call: Any, view: int, out: str
    ) -> None:
        """The accessor of an arm: there is something if and only if the message has this arm."""
        name, _, arm = short.partition("_as_")
        kind = self.api.type(out[:-1])
        room = (kind or ctypes.c_uint64)() if kind is not ctypes.c_void_p else ctypes.c_uint64()
        have = call(view, ctypes.addressof(room))
        item = items.get(name)
        found = node.fields.get(id(item)) if item is not None else None
        if have != (found is not None and found.arm == arm):
            self.wrong(data, args, f"{short} is {have}")

    # --- writing --------------------------------------------------------------------------------------------------

    def writer(self, cap: int) -> Any:
        return self.a.Writer(ctypes.addressof(self.a.out), cap, 0, 0, None)

    def written(self, data: bytes, args: Sequence[int], given_: Any, numbers: Any, node: Node, drawn: bool) -> None:
        """Copied and built again: the interpreter's octets, in just as much room as they take and in no less."""
        try:
            want: Optional[bytes] = build(self.packet, values_of(node), given(self.packet, b"", args))
        except BuildError:
            want = None
        for what, call in (("copied", self.again), ("built", self.built)):
            if call is None:
                continue
            w = self.writer(ROOM)
            call(given_, numbers, ctypes.byref(w))
            have = ctypes.string_at(self.a.out, w.len) if w.st == 0 else None
            if have != want and not (self.choosy and have is None) and (drawn or want is not None and have is not None):
                self.wrong(data, args, f"{what}: {have and have.hex()} ({w.st}), not {want and want.hex()}")
            if have is None or not drawn:
                continue
            sizes = range(len(have)) if len(have) <= ROOMS else [*range(ROOMS - 20), *range(len(have) - 20, len(have))]
            for cap in sizes:
                w = self.writer(cap)
                call(given_, numbers, ctypes.byref(w))
                if w.st != Status.E_SPACE:
                    self.wrong(data, args, f"{what} in room for {cap} of {len(have)}: {w.st}")
            w = self.writer(len(have))
            w.st = Status.E_VALUE
            call(given_, numbers, ctypes.byref(w))
            if (w.st, w.len) != (Status.E_VALUE, 0):
                self.wrong(data, args, f"{what} behind a failure: {w.st}, {w.len} octets")
        if drawn and c_plan.is_buffer(self.packet):
            self._compressed(data, args, given_, numbers, want)
        if drawn and self.misfits is not None:
            w = self.writer(ROOM)
            took = self.misfits(given_, numbers, ctypes.byref(w))
            if took:
                self.wrong(data, args, f"argument {took} that does not fit was taken")

    def _compressed(self, data: bytes, args: Sequence[int], given_: Any, numbers: Any, want: Optional[bytes]) -> None:
        """Written with pointers to what was written before, it says the same."""
        for what, call in (("copied", self.again), ("built", self.built)):
            if call is None or want is None:
                continue
            w, refs = self.writer(ROOM), self.api.new("mrg_refs")
            self.api.find("mrg_w_use_refs")(ctypes.addressof(w), ctypes.addressof(refs))
            call(given_, numbers, ctypes.byref(w))
            if w.st != 0:
                self.wrong(data, args, f"{what} with pointers: {w.st}")
                continue
            made = ctypes.string_at(self.a.out, w.len)
            again = Outcome(self.packet, made, args)
            if again.node is None or build(self.packet, values_of(again.node), given(self.packet, b"", args)) != want:
                self.wrong(data, args, f"{what} with pointers: {made.hex()}")

    def setters(self, data: bytes, args: Sequence[int], node: Node) -> None:
        """Fields set in place: the octets of the interpreter's message with another value, or a refusal that changes none."""
        for slot in self.shape.slots:
            item = slot.item
            call = self.api.find(f"{self.name}_set_{item.name}")
            if call is None or not isinstance(item, (ir.Scalar, ir.Bytes)):
                continue
            for value in self._values(item):
                self._set(call, item, value, data, args)

    def _values(self, item: ir.Item) -> Iterator[Any]:
        """At the limits of a field, and beyond them as far as its C type goes."""
        if isinstance(item, ir.Bytes):
            size = (layout.fixed_bits(item) or 0) // 8
            yield from (bytes(range(1, n + 1)) for n in (size, size + 1, max(size - 1, 0)))
            return
        assert isinstance(item, ir.Scalar)
        room = names.int_type(item.bits, item.signed)
        wide = ctypes.sizeof(self.api.type(room)) * 8
        low, high = (-(1 << wide - 1), (1 << wide - 1) - 1) if item.signed else (0, (1 << wide) - 1)
        edges = {0, 1, item.lo, item.hi, low, high, (1 << item.bits) - 1, -(1 << item.bits - 1), (1 << item.bits - 1) - 1}
        hints = inputs.Maker(inputs.random.Random(0)).interesting(self.packet).get(id(item), [])
        edges |= {*hints, *([m.lo for m in item.enum.members[:40]] if item.enum is not None else [])}
        yield from sorted({v + by for v in edges for by in (-1, 0, 1) if low <= v + by <= high})

    def _set(self, call: Any, item: Union[ir.Scalar, ir.Bytes], value: Any, data: bytes, args: Sequence[int]) -> None:
        status, want = self._after(item, value, data, args)
        if status is None:
            return
        keep: list[Any] = []
        given_ = span(self.api, data, keep)
        view = self.view(given_, args)
        have = call(ctypes.addressof(view), given_.p, span(self.api, value, keep) if isinstance(value, bytes) else value)
        if have != status or (have == 0) != (status == 0):
            self.wrong(data, args, f"{item.name} set to {value!r}: {have}, not {status}")
        now = ctypes.string_at(given_.p, given_.len)
        if now != want:
            self.wrong(data, args, f"{item.name} set to {value!r} makes {now.hex()}, not {want.hex()}")

    def _after(self, item: Union[ir.Scalar, ir.Bytes], value: Any, data: bytes, args: Sequence[int]) -> tuple[Optional[int], bytes]:
        """The status and the octets that setting a field is to have; no status: the interpreter can't tell."""
        root = parse(self.packet, data, given(self.packet, data, args))
        if id(item) not in root.fields:
            return Status.E_VALUE, data
        if isinstance(value, bytes):
            if len(value) * 8 != layout.fixed_bits(item):
                return Status.E_RANGE, data
        else:
            assert isinstance(item, ir.Scalar)
            low = -(1 << (item.bits - 1)) if item.signed else 0
            if not low <= value < low + (1 << item.bits):
                return Status.E_RANGE, data
        values = values_of(root)
        if item.name not in values:
            return None, data
        values[item.name] = value
        try:
            return Status.OK, build(self.packet, values, given(self.packet, b"", args))
        except BuildError:
            return Status.E_VALUE, data

    # --- arguments of builders ----------------------------------------------------------------------------------------

    def arguments(self, data: bytes, args: Sequence[int], node: Node) -> None:
        """The builder, one argument at a time at each limit: it writes what the interpreter builds of such values, or refuses as that does.

        Around parts that are the caller's each is written with some octets, and with as many as no length has."""
        name = f"{self.name}_args"
        if not self.builder or c_chain.only_chain(self.packet) is not None or name not in self.api.records:
            return
        plan = c_plan.plan(self.packet)
        values = values_of(node)
        numbers = iter(args)
        base = {names.param(p.name): next(numbers) for p in self.packet.params if p.kind != "buffer"} | arguments.given(node, data)
        members = [m for m in c_plan.members(plan) if isinstance(m, (ir.Scalar, ir.Bytes, ir.Varint))]
        about = ("parts", len(self.told_of & {("parts", k) for k in range(AROUND)}))
        if plan.holes and about[1] < AROUND:
            self.told_of.add(about)
            self._around(plan, base)
        self._huge(plan, base)
        for sub in (m for m in c_plan.members(plan) if isinstance(m, ir.Sub) and isinstance(base[names.local(m.name)], dict)):
            derived = {id(d.path[-1]) for d in plan.derived}
            for item in (m for m in c_plan.members(c_plan.plan(sub.packet)) if isinstance(m, ir.Scalar) and id(m) not in derived):
                for value in self._values(item):
                    inner = {**base[names.local(sub.name)], names.local(item.name): value}
                    told = {**values[sub.name], item.name: value}
                    self._build(plan, {**base, names.local(sub.name): inner}, {**values, sub.name: told}, item, data, args)
        for item in members:
            if item.name not in values:
                continue
            for value in self._argument_values(item, values[item.name]):
                alike = {o.name: (value * 2)[: len(value)] for o in members if arguments.as_long(o, item)}
                self._build(plan, {**base, names.local(item.name): value}, {**values, item.name: value}, item, data, args)
                if alike:
                    both = {**alike, item.name: value}
                    self._build(plan, base | {names.local(n): v for n, v in both.items()}, values | both, item, data, args)

    def _argument_values(self, item: ir.Item, value: Any) -> Iterator[Any]:
        if isinstance(item, ir.Scalar):
            yield from self._values(item)
        elif isinstance(item, ir.Varint):
            yield from sorted({0, 1, item.lo, item.hi or item.spec.hi, (item.hi or item.spec.hi) + 1, max(item.lo - 1, 0), (1 << 64) - 1})
        elif isinstance(item, ir.Bytes):
            most = {ref.path[-1].hi + 1 for ref in [item.length] if isinstance(ref, ir.FieldRef) and isinstance(ref.path[-1], ir.Scalar)}
            for n in {0, 1, len(value) + 1, max(len(value) - 1, 0), 255, 256, 65535, 65536, *(n for n in most if n < ROOM)}:
                yield (value * (n // max(len(value), 1) + 1))[:n] if value else b"a" * n
            if item.mode == "until":
                yield value + bytes([item.until])

    def _build(self, plan: c_plan.Plan, members: dict[str, Any], values: dict[str, Any], item: ir.Item, data: bytes, args: Sequence[int]) -> None:
        keep: list[Any] = []
        record = self.api.new(f"{self.name}_args")
        self._set_members(record, members, keep)
        w = self.writer(ROOM)
        try:
            want: Optional[bytes] = build(self.packet, values, given(self.packet, b"", args))
        except BuildError:
            want = None
        put = self.api.find(f"{self.name}_put")
        if put is not None:
            put(ctypes.addressof(w), ctypes.addressof(record))
            have = ctypes.string_at(self.a.out, w.len) if w.st == 0 else None
            if have is not None and want is None and not self._forbids(item, have, args):
                return
            if have != want and not (self.choosy and have is None) and not isinstance(item, ir.Bytes):
                self.wrong(data, args, f"built with {item.name} of {values!r}: {have and have.hex()} ({w.st}), not {want and want.hex()}")
            return
        begin = self.api.find(f"{self.name}_begin")
        if begin is not None:
            state = self.api.new(f"{self.name}_build")
            begin(ctypes.addressof(w), ctypes.addressof(state), ctypes.addressof(record))
            if w.st != 0 and want is not None and not self.choosy:
                self.wrong(data, args, f"begun with {item.name} of {values!r}: {w.st}, but there is such a message")
            elif w.st == 0:
                self._written_around(plan, record, plan.holes[0], 0, 0, ctypes.addressof(self.a.out), ROOM)
                if len(plan.holes) == 1:
                    self._filled(plan.holes[0], record, args)

    def _set_members(self, record: Any, members: dict[str, Any], keep: list[Any]) -> None:
        for field, _ in record._fields_:
            value = members.get(field)
            if isinstance(value, dict):
                self._set_members(getattr(record, field), value, keep)
            elif value is not None:
                setattr(record, field, span(self.api, value, keep) if isinstance(value, bytes) else value)

    def _around(self, plan: c_plan.Plan, members: dict[str, Any]) -> None:
        """Each part of the caller's with octets in it, and elements counted: too many for a length or a count are refused, as is too little room."""
        keep: list[Any] = []
        record = self.api.new(f"{self.name}_args")
        self._set_members(record, members, keep)
        summed = any(isinstance(e, ir.Sum) for i in plan.computed for e in layout.refs(i.computed))
        for hole in plan.holes:
            sizes = [(0, 0), (1, 1), (300, 5), (1 << 16, 1), (0, 1 << 16), (0, HUGE), *((n, 1) for n in self._limits())]
            for octets, elements in sizes + ([(HUGE, 1)] if not summed else []):
                w = self._written_around(plan, record, hole, octets, elements, self.a.far, FAR)
                if octets == HUGE and w.st == 0 and arguments.measured(plan, hole):
                    self.a.faults.append(f"{self.packet.name} with 4 GiB of {hole.name} is built")
            for octets in (5, 300):
                whole = self._written_around(plan, record, hole, octets, 1, self.a.far, FAR).len
                for cap in (*range(ROOMS), *range(max(whole - 3, ROOMS), whole)):
                    w = self._written_around(plan, record, hole, octets, 1, self.a.far, cap)
                    if w.len > cap:
                        self.a.faults.append(f"{self.packet.name} is built in {w.len} octets of {cap}")

    def _limits(self) -> list[int]:
        """Numbers in constraints, and one more, that messages don't come to otherwise."""
        checks = [e for i in layout.walk(self.packet.items) if isinstance(i, ir.Check) for e in layout.refs(i.expr)]
        return sorted({e.value + by for e in checks if isinstance(e, ir.Const) and 1 << 16 < e.value < 1 << 26 for by in (0, 1)})

    def _huge(self, plan: c_plan.Plan, members: dict[str, Any]) -> None:
        """Octets whose number no length can hold, and more than a constraint allows: of those there is one page of memory, again and again."""
        put = self.api.find(f"{self.name}_put")
        for item in c_plan.members(plan):
            if not isinstance(item, ir.Bytes) or not arguments.measured(plan, item) or id(item) in self.told_of:
                continue
            self.told_of.add(id(item))
            for size in (*self._limits(), HUGE):
                keep: list[Any] = []
                record = self.api.new(f"{self.name}_args")
                self._set_members(record, members, keep)
                setattr(record, names.local(item.name), self.a.Span(self.a.far, size))
                w = self.a.Writer(arguments.again(), FAR, 0, 0, None)
                if put is not None:
                    put(ctypes.addressof(w), ctypes.addressof(record))
                else:
                    w = self._written_around(plan, record, plan.holes[0], 0, 0, arguments.again(), FAR)
                if w.st == 0 and size == HUGE:
                    self.a.faults.append(f"{self.packet.name} with 4 GiB of {item.name} is built")

    def _written_around(self, plan: c_plan.Plan, record: Any, hole: ir.Item, octets: int, elements: int, start: int, cap: int) -> Any:
        """What the builder writes with so many octets as one part, and nothing as the others."""
        w, state = self.a.Writer(start, cap, 0, 0, None), self.api.new(f"{self.name}_build")
        self.api.find(f"{self.name}_begin")(ctypes.addressof(w), ctypes.addressof(state), ctypes.addressof(record))
        for part in plan.holes:
            if part is hole and w.st == 0:
                w.len += min(octets, cap - w.len)
                if hasattr(state, f"{part.name}_count"):
                    setattr(state, f"{part.name}_count", elements)
            last = part is plan.holes[-1]
            self.api.find(f"{self.name}_{'' if last else part.name + '_'}end")(ctypes.addressof(w), ctypes.addressof(state))
        return w

    def _filled(self, hole: ir.Item, record: Any, args: Sequence[int]) -> None:
        """Some octets as the part that is the caller's: what is built is a message, but for what may be wrong in them."""
        begin, end = self.api.find(f"{self.name}_begin"), self.api.find(f"{self.name}_end")
        if isinstance(hole, ir.List) or end is None or len(self.api.functions[f"{self.name}_end"].args) != 2:
            return
        for size in (0, 1, 2, 5, 300):
            w, state = self.writer(ROOM), self.api.new(f"{self.name}_build")
            begin(ctypes.addressof(w), ctypes.addressof(state), ctypes.addressof(record))
            start = w.len
            ctypes.memset(ctypes.addressof(self.a.out) + start, 0, size)
            w.len += size
            end(ctypes.addressof(w), ctypes.addressof(state))
            if w.st != 0:
                continue
            made = ctypes.string_at(self.a.out, w.len)
            try:
                parse(self.packet, made, given(self.packet, made, args))
            except Rejection as rejection:
                if rejection.bit_off // 8 < start and rejection.status != Status.MORE:
                    self.wrong(made, args, f"built with {size} octets as {hole.name}: {rejection}")

    def _forbids(self, item: ir.Item, data: bytes, args: Sequence[int]) -> bool:
        """Whether a constraint of the field itself refuses the message: those across fields are left to the caller of a builder."""
        own = {c.loc for c in layout.walk(self.packet.items) if isinstance(c, ir.Check) and settable.own(c) is item and len(arguments.fields(c.expr)) < 2}
        try:
            parse(self.packet, data, given(self.packet, data, args))
        except Rejection as rejection:
            return rejection.loc in own
        return False

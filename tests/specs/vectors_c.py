"""Vectors to a C program that asks the generated C for the same things.

Each accept vector becomes a function that checks the packet and then goes from view to view
through the public functions, field by field; which arm a switch has to be comes from the
interpreter's reading.  A function gives the line of the vector that does not hold, or 0.

Reading order: program, _Vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence, Union

from mrg import ir, layout, names
from mrg.values import Node

import vectors

HEAD = """\
/* Made by tests/specs/vectors_c.py from the vectors beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

{includes}

struct vector {{
	const char *place, *name;
	const uint8_t *data;
	size_t len, at;
	unsigned (*run)(struct mrg_span in, struct mrg_span msg, struct mrg_reject *rj);
	int status; /* wanted */
	size_t off; /* of the offending byte, when it is to be rejected */
}};

static bool bytes_are(struct mrg_span s, const char *want, size_t len)
{{
	return s.len == len && (len == 0 || memcmp(s.p, want, len) == 0);
}}
"""

TAIL = """\
/* A copy that ends where memory does, so that one octet too far is seen. */
static uint8_t *guarded(const uint8_t *data, size_t len, uint8_t *pages, size_t size)
{
	uint8_t *const at = pages + size - len;
	if (len > 0)
		memcpy(at, data, len);
	return at;
}

int main(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = 32 * page;
	uint8_t *const pages = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED || mprotect(pages + size, page, PROT_NONE) != 0)
		return 2;
	unsigned passed = 0, failed = 0;
	for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
		const struct vector *const v = &vectors[i];
		const uint8_t *const data = guarded(v->data, v->len, pages, size);
		const size_t at = v->at == (size_t)-1 ? 0 : v->at;
		struct mrg_reject rj = { .status = MRG_OK };
		const struct mrg_span in = { data + at, v->len - at };
		const struct mrg_span msg = { data, v->at == (size_t)-1 ? 0 : v->len };
		const unsigned line = v->run(in, msg, &rj);
		const size_t off = rj.status == MRG_OK ? 0 : (size_t)(rj.at - data);
		if (line == 0 && (int)rj.status == v->status && off == v->off) {
			passed++;
			continue;
		}
		failed++;
		printf("%s: %s: line %u, status %d (%s) at octet %zu, wanted %d at %zu\\n", v->place, v->name, line,
			(int)rj.status, rj.status == MRG_OK ? "" : rj.site->path, off, v->status, v->off);
	}
	printf("%u passed, %u failed\\n", passed, failed);
	return failed != 0;
}
"""

STATUS = {"MRG_OK": 0, "MRG_MORE": 1, "MRG_E_VALUE": -1, "MRG_E_TAG": -2, "MRG_E_LENGTH": -3, "MRG_E_SHORT": -4,
          "MRG_E_LIMIT": -5, "MRG_E_LOOP": -6, "MRG_E_RANGE": -7, "MRG_E_SUM": -8}


@dataclass(frozen=True)
class Place:
    """Where a path has come to: the C variable (a view's is a struct), the item, the interpreter's node."""

    var: str
    item: Optional[ir.Item]
    packet: Optional[ir.Packet]
    node: Node
    outer: str = ""  # the variable and packet that the item is a field of
    owner: Optional[ir.Packet] = None


class Unsaid(Exception):
    """A line that has no counterpart in C."""


def program(given: Sequence[tuple[vectors.Vector, ir.Packet, Optional[Node]]]) -> str:
    """The C text.  Node: what the interpreter read, None when it is to be rejected."""
    headers = sorted({names.header(packet.module) for _, packet, _ in given})
    out = [HEAD.format(includes="\n".join(f'#include "{h}"' for h in headers))]
    table: list[str] = []
    for number, (vector, packet, node) in enumerate(given):
        data = ", ".join(str(b) for b in vector.data) or "0"
        out.append(f"static const uint8_t data_{number}[] = {{ {data} }};\n")
        out.append(_Vector(number, vector, packet, node).text())
        status, off, _ = vector.reject or ("MRG_OK", 0, "")
        at = "(size_t)-1" if vector.at is None else str(vector.at)
        table.append(f'\t{{ "{vector.file}:{vector.line}", "{vector.name}", data_{number}, {len(vector.data)}, '
                     f"{at}, run_{number}, {STATUS[status]}, {off} }},\n")
    return "\n".join(out) + "\nstatic const struct vector vectors[] = {\n" + "".join(table) + "};\n\n" + TAIL


class _Vector:
    """The function for one vector."""

    def __init__(self, number: int, vector: vectors.Vector, packet: ir.Packet, node: Optional[Node]) -> None:
        self.number, self.vector, self.packet, self.node = number, vector, packet, node
        self.lines: list[str] = []
        self.vars = 0
        self.places: dict[tuple[str, ...], Place] = {}  # paths that have a variable already

    def text(self) -> str:
        head = f"static unsigned run_{self.number}(struct mrg_span in, struct mrg_span msg, struct mrg_reject *rj)\n{{\n"
        name = names.packet(self.packet)
        args = "".join(", msg" if p.kind == "buffer" else ", 0" for p in self.packet.params)
        self.lines = ["(void)msg;", f"struct {name} v;", f"if ({name}_check(in{args}, &v, rj) != MRG_OK)", "\treturn 0;"]
        if self.packet.shared:  # what is wrong is in the copy
            self.lines = ["(void)msg;", f"struct {name}_fetched f;", f"if ({name}_fetch(in.p, in.len{args}, &f, rj) != MRG_OK) {{",
                          "\trj->at = in.p + (rj->at - f.bytes);", "\treturn 0;", "}", f"const struct {name} v = f.view;", "(void)v;"]
        if self.node is not None:
            self.lines.append("rj->status = MRG_OK;")
            self.accept(self.node)
        self.lines.append("return 0;")
        return head + "".join(f"\t{line}\n" for line in self.lines) + "}\n"

    def fresh(self) -> str:
        self.vars += 1
        return f"v{self.vars}"

    def fail(self, line: int, condition: str) -> None:
        self.lines += [f"if ({condition})", f"\treturn {line}u;"]

    def accept(self, root: Node) -> None:
        name = names.packet(self.packet)
        start = Place("v", None, self.packet, root)
        warned = False
        for line, text in self.vector.lines:
            if text.startswith("warn "):
                warned = warned or text[5:].startswith(self.packet.name + ".")
            elif text.startswith("size = "):
                self.fail(line, f"v.len != {text[7:]}u")
            else:
                try:
                    self.line(line, text, start)
                except Unsaid:
                    pass
        if any(isinstance(i, ir.Check) and i.severity == "warn" for i in layout.walk(self.packet.items)):
            self.fail(self.vector.line, f"({name}_warnings(&v) != 0) != {int(warned)}")

    def line(self, number: int, text: str, start: Place) -> None:
        if text.endswith(" absent"):
            *way, last = text[: -len(" absent")].split(".")
            place = self.go(start, way, number)
            self.fail(number, f"{names.packet(self.view(place))}_has_{last}(&{place.var})")
            return
        if " is " in text and " = " not in text:
            path, arm = text.split(" is ")
            place = self.go(start, path.split("."), number, stay=True)
            assert place.owner is not None and place.item is not None
            which = f"{names.packet(place.owner)}_{place.item.name}_which(&{place.outer})"
            enum = f"{names.packet(place.owner)}_{place.item.name}_{arm}".upper()
            self.fail(number, f"{which} != {enum}")
            return
        path, _, right = text.partition(" = ")
        place = self.go(start, path.split("."), number)
        if right.endswith((" element", " elements")):
            self.count(number, place, int(right.split()[0]))
        else:
            self.equal(number, place, right)

    @staticmethod
    def view(place: Place) -> ir.Packet:
        if place.packet is None:
            raise Unsaid
        return place.packet

    # --- from view to view --------------------------------------------------------

    def go(self, place: Place, way: Sequence[str], line: int, stay: bool = False) -> Place:
        """Follow a path; `stay`: stop at a switch instead of entering its arm."""
        for i, step in enumerate(way):
            known = self.places.get(tuple(way[: i + 1]))
            if known is None:
                known = self.element(place, int(step), line) if step.isdigit() else self.field(place, step)
                self.places[tuple(way[: i + 1])] = known
            place = known
            if isinstance(place.item, ir.Switch) and not (stay and i == len(way) - 1):
                arm = (*way[: i + 1], f"=> {place.node.arm}")  # which no field is called
                known = self.places.get(arm)
                if known is None:
                    known = self.arm(place, line)
                    self.places[arm] = known
                place = known
        return place

    def field(self, place: Place, name: str) -> Place:
        packet = self.view(place)
        item = next(i for i in layout.named(packet.items) if i.name == name and not isinstance(i, ir.Check))
        node = next(c for c in place.node.inner.children if c.name == name)
        while isinstance(node.item, ir.Region):
            node = node.children[0]
        if isinstance(item, (ir.List, ir.Switch, ir.Chain)):
            return Place("", item, None, node, place.var, packet)
        return self.value(item, f"{names.packet(packet)}_{name}(&{place.var})", node)

    def value(self, item: ir.Item, call: str, node: Node) -> Place:
        """A variable for what an accessor gives."""
        var = self.fresh()
        if isinstance(item, ir.Sub):
            self.lines.append(f"const struct {names.packet(item.packet)} {var} = {call};")
            return Place(var, item, item.packet, node)
        kind = "struct mrg_span" if isinstance(item, ir.Bytes) else "uint64_t"
        if isinstance(item, ir.Scalar) and item.signed:
            call = f"(uint64_t){call}"  # compared as bits
        self.lines.append(f"const {kind} {var} = {call};")
        return Place(var, item, None, node)

    def element(self, place: Place, index: int, line: int) -> Place:
        item, owner = place.item, place.owner
        if not isinstance(item, ir.List) or owner is None:
            raise Unsaid
        it, var = self.fresh(), self.fresh()
        base = f"{names.packet(owner)}_{item.name}"
        self.lines += [f"struct {base}_it {it} = {base}(&{place.outer});", f"{self.ctype(item.elem)} {var};",
                       f"for (unsigned i = 0; i <= {index}u; i++)", f"\tif (!{base}_next(&{it}, &{var}))", f"\t\treturn {line}u;"]
        return self.known(item.elem, var, place.node.children[index])

    def arm(self, place: Place, line: int) -> Place:
        item, owner = place.item, place.owner
        assert isinstance(item, ir.Switch) and owner is not None
        arm = next(a for a in item.arms if a.name == place.node.arm)
        call = f"{names.packet(owner)}_{item.name}_as_{arm.name}(&{place.outer}"
        if arm.item is None:
            self.fail(line, f"!{call})")
            raise Unsaid
        inner = arm.item.item if isinstance(arm.item, ir.Region) else arm.item
        var = self.fresh()
        self.lines.append(f"{self.ctype(inner)} {var};")
        self.fail(line, f"!{call}, &{var})")
        return self.known(inner, var, place.node.inner)

    @staticmethod
    def known(item: ir.Item, var: str, node: Node) -> Place:
        return Place(var, item, item.packet if isinstance(item, ir.Sub) else None, node)

    @staticmethod
    def ctype(item: ir.Item) -> str:
        if isinstance(item, ir.Sub):
            return f"struct {names.packet(item.packet)}"
        if isinstance(item, ir.Bytes):
            return "struct mrg_span"
        if isinstance(item, ir.Varint):
            return "uint64_t"
        assert isinstance(item, ir.Scalar)
        return names.int_type(item.bits, item.signed)

    # --- values ---------------------------------------------------------------------

    def count(self, line: int, place: Place, want: int) -> None:
        item, owner = place.item, place.owner
        if not isinstance(item, ir.List) or owner is None:
            raise Unsaid
        it, var, n = self.fresh(), self.fresh(), self.fresh()
        base = f"{names.packet(owner)}_{item.name}"
        self.lines += [f"struct {base}_it {it} = {base}(&{place.outer});", f"{self.ctype(item.elem)} {var};",
                       f"unsigned {n} = 0;", f"while ({base}_next(&{it}, &{var}))", f"\t{n}++;"]
        self.fail(line, f"{n} != {want}u")

    def equal(self, line: int, place: Place, right: str) -> None:
        name = self.name_of(place)
        if name is not None:
            var = self.fresh()
            packet, view = name
            self.lines += [f"struct {names.packet(packet)}_flat {var};", f"{names.packet(packet)}_flatten(&{view}, &{var});"]
            wire = _wire(place.node)
            self.fail(line, f"!bytes_are((struct mrg_span){{ {var}.b, {var}.len }}, {_literal(wire)}, {len(wire)})")
            return
        want = number(place.item, right)
        if isinstance(want, bytes):
            self.fail(line, f"!bytes_are({place.var}, {_literal(want)}, {len(want)})")
        else:
            self.fail(line, f"{place.var} != {want}u{'ll' if want >> 32 else ''}")

    @staticmethod
    def name_of(place: Place) -> Optional[tuple[ir.Packet, str]]:
        """The packet that is one chain, and the variable of its view."""
        if isinstance(place.item, ir.Chain) and place.owner is not None:
            return place.owner, place.outer
        if place.packet is not None and len(place.packet.items) == 1 and isinstance(place.packet.items[0], ir.Chain):
            return place.packet, place.var
        return None


def number(item: Optional[ir.Item], right: str) -> Union[int, bytes]:
    """A value in the form that the item's C accessor gives."""
    want = vectors.value(right)
    if isinstance(want, str):
        enum = item.enum if isinstance(item, ir.Scalar) else None
        want = next((m.lo for m in enum.members if right in (m.text, m.name)), -1) if enum is not None else -1
        if want < 0:
            raise Unsaid
    if isinstance(want, bytes) and isinstance(item, (ir.Scalar, ir.Let)):
        return int.from_bytes(want, "big")
    return want


def _literal(data: bytes) -> str:
    return '"' + "".join(f"\\{b:03o}" for b in data) + '"'


def _wire(node: Node) -> bytes:
    """The flat form of the name that the interpreter read; run_vectors.py holds it against the vector."""
    chain = node
    while not isinstance(chain.item, ir.Chain):
        chain = chain.children[0]
    kinds = {arm.name: arm.kind for arm in chain.item.arms}
    out = b""
    for child in chain.children:
        if kinds[child.arm] == "item":
            text = next(c.value for c in child.children if isinstance(c.value, bytes))
            out += bytes([len(text)]) + text
    return out + b"\0"

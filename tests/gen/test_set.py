#!/usr/bin/env python3
"""Setters: random values set in random messages, compared with the interpreter's rebuild of the message.

What can be set and what can't is listed for each packet. Every set runs under the sanitizers, over memory of just the
message's size; a refused one must change no byte.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, Optional, Union

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent.parent), str(HERE.parents[2] / "gen")]
from report import ROOT, Report, run  # noqa: E402

from mrg import ir, layout, names, settable  # noqa: E402
from mrg.interp import parse  # noqa: E402
from mrg.interp_build import BuildError, build, values_of  # noqa: E402
from mrg.load import load  # noqa: E402

SPEC = """/// What setters are asked.
module own;

/// Protocols.
enum Protocol : u8 closed { ICMP = 1; TCP = 6; UDP = 17; }

/// A bit field of a registry that is complete.
enum Colour : 3 closed { RED = 1; BLUE = 6; }

/// RFC 791.
packet Ip {
  version: 4 = 4;  ihl: 4 in 5..15 := (20 + size options) / 4;
  dscp: 6;  ecn: 2;  length: u16 in ihl*4..here + avail := size this;
  id: u16;  reserved: 1 = 0 send;  df: 1;  mf: 1;  fragment: 13;
  ttl: u8 != 0;  protocol: u8 Protocol;
  checksum: u16 := inet16(version..options);
  source: bytes(4);
  destination: bytes(4);
  options: bytes(ihl*4 - 20);
  payload: bytes(length - ihl*4);
}

/// RFC 768, and fields at places that depend on the message.
packet Udp(source: u32, destination: u32, protocol: u8) {
  source_port: u16;
  destination_port: u16 != 0 send;
  length: u16 in 17.. := size this;
  checksum: u16 := inet16(source_port..trailer, pseudo(source: u32, destination: u32, protocol: u16, length: u16));
  n: u8;
  data: bytes(n);
  tag: u16;
  mark: bytes(3);
  odd: u8;
  where length >= 17 + n;
  more: bytes(length - 17 - n);
  trailer: u16;
}

/// The one goes into the other's checksum: its addresses can be set all the same.
packet Datagram {
  source: u32;
  destination: u32;
  sum: u16 := inet16(source..destination);
  udp: Udp(source, destination, 17);
}

/// Little-endian, at odd places, signed, over bytes; a checksum after a part that may be absent.
packet Odd(limit: u16) endian little {
  n: u8;
  a: i24;
  b: u64be;
  c: Colour; d: 18; e: i3;
  flag: 1; low: 7 in {1, 5..9, 0x7f};
  x: i16 in -300..300 if flag;
  sum: u16 := inet16(a..z);
  some: bytes(n);
  y: u16 in 0..limit;
  z: u40;
  beyond: u24;
}

/// All of it may be zero.
packet Zeros { a: u16; b: u8; c: u8; sum: u16 := inet16(a..sum); }

/// The same over another packet's words.
packet Pseudo(word: u32) { a: u16; sum: u16 := inet16(a..sum, pseudo(word: u32)); }

/// Checksums over checksums, in the order that they are computed in.
packet Nested {
  a: u16;
  n: u8;
  inner: u16 := inet16(a..n);
  b: u8;
  outer: u16le := inet16(n..b);
  body: bytes(n);
  c: u16;
  crc: u32le := crc32c(a..c);
  d: u8;
  all: u32 := crc32(a..d);
}

/// A checksum that may be wrong.
packet Warned { a: u16; sum: u16 := inet16(a..b) warn; b: u8 in 1.. warn; }

/// The message chooses the byte order.
packet Chosen {
  magic: u16;
  where magic in {0x1234, 0x3412};
  endian big if magic == 0x1234 else little;
  a: u16;
  b: u24;
  sum: u16 if magic == 0x1234;
  late: u16 := inet16(magic..b);
}

/// A checksum that may be absent.
packet Maybe {
  flags: u8;
  a: u16;
  sum: u16 := inet16(flags..a) if flags & 1;
  crc: u32 := crc32(flags..a) if flags & 2;
}

/// Asks for setters. What depends on what decides.
packet Plain mutable {
  free: u8;
  derived: u8;
  let twice = derived * 2;
  used: u8;
  let more = used + 1;
  size: u8;
  body: bytes(size);
  left: u8;
  right: u8;
  where left < right;
  soft: u8;
  hard: u8;
  where soft != hard warn;
  next: bytes(more);
  gate: u8;
  late: u8 in 4.. if gate > 3;
}

/// Elements by key, by their end and by what comes next.
packet Lists mutable {
  version: u8 = 1;
  keyed: list Keyed count 2 unique key;
  marked: list Marked until last == 1;
  head: Head;
  kind: u8;
  body: switch kind { 1 => one: u16; _ => two: u8; };
  extra: bytes(head.length);
}

/// An element with a key.
packet Keyed mutable { key: u8; value: u8; }

/// An element that says whether it is the last.
packet Marked mutable { last: 1; value: 7; }

/// A packet whose field another one uses.
packet Head mutable { length: u8; other: u8; }

/// A packet that looks ahead at its parts.
packet Peeks mutable { first: u8; parts: list Peeked while peek u8 == 7; }

/// Looked at from outside.
packet Peeked mutable { code: u8; value: u8; }

/// Pointers lead into it.
packet Message mutable { id: u16; name: Name(this); }

/// With pointers.
packet Name(msg: buffer) {
  chain labels max 255 {
    Label   { 0b00: 2; len: 6 in 1..63; octets: bytes(len); }
    Root    { 0: u8; } stop
    Pointer { 0b11: 2; at: 14; } goto msg[at] back max 126
  }
}

/// Somebody else may write.
packet Ring shared { a: u16; sum: u16 := inet16(a..a); }

/// Each checksum is over the other.
packet Mutual { a: u16; one: u16 := inet16(a..two); two: u16 := inet16(a..one); }

/// A checksum that covers one that may be absent.
packet Covering { a: u8; n: u8; crc: u32 := crc32(a..n) if n; sum: u16 := inet16(a..sum); }
"""

#: The fields with a setter; "" with why there is none.
EXPECTED = {
    "Ip": "dscp ecn id df mf fragment ttl protocol source destination",
    "Udp": "source_port destination_port tag mark odd trailer",
    "Datagram": "source destination",
    "Odd": "a b c d e low x y z beyond",
    "Zeros": "a b c",
    "Pseudo": "a",
    "Nested": "a b c d",
    "Warned": "a b",
    "Chosen": "a b sum",
    "Maybe": "a",
    "Plain": "free derived soft hard late",
    "Lists": "",
    "Keyed": "value",
    "Marked": "value",
    "Head": "other",
    "Peeks": "'peek'",
    "Peeked": "'peek'",
    "Message": "pointers",
    "Name": "pointers",
    "Ring": "others",
    "Mutual": "",
    "Covering": "",
}

PROGRAM = """
#include <stdio.h>
#include <stdlib.h>
#include "own.h"

static size_t octets(const char *hex, uint8_t *to)
{
	size_t n = 0;
	unsigned byte;
	for (; hex[0] != '\\0' && hex[0] != '-' && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		to[n++] = (uint8_t)byte;
	return n;
}

int main(void)
{
	static char line[8192], hex[4096], text[512];
	unsigned which;
	unsigned long long number, arg[3];
	while (fgets(line, sizeof line, stdin) != NULL &&
	       sscanf(line, "%u %llu %llu %llu %llu %511s %4095s", &which, &arg[0], &arg[1], &arg[2], &number, text, hex) == 7) {
		uint8_t some[256];
		uint8_t *const bytes = malloc(strlen(hex) / 2);
		const struct mrg_span in = { bytes, octets(hex, bytes) };
		const struct mrg_span span = { some, octets(text, some) };
		int st = 99, accepted = 0, read = 0;
		switch (which) {
CASES
		}
		printf("%d %d %d ", st, accepted, read);
		for (size_t i = 0; i < in.len; i++)
			printf("%02x", bytes[i]);
		printf("\\n");
		free(bytes);
		(void)span;
	}
	return 0;
}
"""

FLAGS = "-std=c11 -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Werror -I out".split()
OK, VALUE, RANGE = 0, -1, -7
Value = Union[int, bytes]
Field = Union[ir.Scalar, ir.Bytes]
Case = tuple[ir.Packet, Field]


def case_c(number: int, packet: ir.Packet, field: Field) -> str:
    """Set, then look: does the check accept it, do the old view and the new one read the value?"""
    name = names.packet(packet)
    args = "".join(f", ({names.uint_type(p.bits)})arg[{i}]" for i, p in enumerate(packet.params))
    value, same = "span", f"mrg_span_eq({name}_{field.name}(&X), span)"
    if isinstance(field, ir.Scalar):
        ctype = names.int_type(field.bits, field.signed)
        value, same = f"({ctype})number", f"{name}_{field.name}(&X) == ({ctype})number"
    return f"""		case {number}: {{
			struct {name} v, w;
			if ({name}_check(in{args}, &v, NULL) != MRG_OK)
				break;
			st = {name}_set_{field.name}(&v, bytes, {value});
			accepted = {name}_check(in{args}, &w, NULL) == MRG_OK && w.len == v.len;
			read = accepted && {same.replace("&X", "&v")} && {same.replace("&X", "&w")};
			break;
		}}
"""


# --- messages ---------------------------------------------------------------------------------------------


def octets(r: random.Random, least: int, most: int) -> bytes:
    return r.randbytes(r.randint(least, most))


def few(r: random.Random, bits: int) -> int:
    """A number, often one at an edge."""
    return r.choice([0, 0, 1, (1 << bits) - 1, r.getrandbits(bits)])


def udp(r: random.Random) -> dict[str, Any]:
    return {"source_port": few(r, 16), "destination_port": r.randint(1, 65535), "data": octets(r, 0, 9), "tag": few(r, 16), "mark": r.randbytes(3),
            "odd": few(r, 8), "more": octets(r, 0, 9), "trailer": few(r, 16)}


def odd(r: random.Random) -> dict[str, Any]:
    out = {"a": r.randint(-1 << 23, (1 << 23) - 1), "b": few(r, 64), "c": r.choice([1, 6]), "d": few(r, 18), "e": r.randint(-4, 3), "flag": r.randint(0, 1),
           "low": r.choice([1, 5, 9, 127]), "some": octets(r, 0, 5), "y": r.randint(0, 1000), "z": few(r, 40), "beyond": few(r, 24)}
    return out | ({"x": r.randint(-300, 300)} if out["flag"] else {})


def chosen(r: random.Random) -> dict[str, Any]:
    out = {"magic": r.choice([0x1234, 0x3412]), "a": few(r, 16), "b": few(r, 24)}
    return out | ({"sum": few(r, 16)} if out["magic"] == 0x1234 else {})


def plain(r: random.Random) -> dict[str, Any]:
    used, gate, left = r.randint(0, 3), r.choice([0, 9]), r.randint(0, 100)
    out = {"free": few(r, 8), "derived": few(r, 8), "used": used, "body": octets(r, 0, 3), "left": left, "right": left + r.randint(1, 9), "soft": few(r, 8),
           "hard": few(r, 8), "next": r.randbytes(used + 1), "gate": gate}
    return out | ({"late": r.randint(4, 255)} if gate > 3 else {})


MESSAGES: dict[str, Callable[[random.Random], dict[str, Any]]] = {
    "Ip": lambda r: {
        "dscp": few(r, 6), "ecn": few(r, 2), "id": few(r, 16), "df": few(r, 1), "mf": few(r, 1), "fragment": few(r, 13), "ttl": r.randint(1, 255),
        "protocol": r.choice([1, 6, 17]), "source": r.randbytes(4), "destination": r.randbytes(4), "options": r.randbytes(4 * r.randint(0, 10)),
        "payload": octets(r, 0, 20)},
    "Udp": udp,
    "Datagram": lambda r: {"source": few(r, 32), "destination": few(r, 32), "udp": udp(r)},
    "Odd": odd,
    "Zeros": lambda r: {"a": few(r, 16), "b": r.choice([0, few(r, 8)]), "c": r.choice([0, few(r, 8)])},
    "Pseudo": lambda r: {"a": few(r, 16)},
    "Nested": lambda r: {"a": few(r, 16), "b": few(r, 8), "body": octets(r, 0, 6), "c": few(r, 16), "d": few(r, 8)},
    "Warned": lambda r: {"a": r.randint(0, 65534), "b": r.randint(1, 255)},
    "Chosen": chosen,
    "Maybe": lambda r: {"flags": r.randint(0, 3), "a": few(r, 16)},
    "Plain": plain,
    "Keyed": lambda r: {"key": few(r, 8), "value": few(r, 8)},
    "Marked": lambda r: {"last": few(r, 1), "value": few(r, 7)},
    "Head": lambda r: {"length": few(r, 8), "other": few(r, 8)},
}  # fmt: skip


def with_flags(packet: ir.Packet, values: dict[str, Any]) -> dict[str, Any]:
    """Checksums of optional groups are there when the flag says so: the builder asks for a value, then computes it."""
    if packet.name != "Maybe":
        return values
    return values | ({"sum": 0} if values["flags"] & 1 else {}) | ({"crc": 0} if values["flags"] & 2 else {})


def new_value(r: random.Random, field: Field) -> Value:
    """Often allowed, sometimes a little too large or of another length."""
    if isinstance(field, ir.Bytes):
        size = (layout.fixed_bits(field) or 0) // 8
        return r.choice([r.randbytes(size), bytes(size), r.randbytes(size + r.choice([-1, 0, 1]))])
    room = max(8, 1 << (field.bits - 1).bit_length())
    bits = r.choice([field.bits, field.bits, min(field.bits + 1, room)])
    value = few(r, bits)
    if field.signed:
        value = r.choice([value >> 1, ~(value >> 1), -(1 << (field.bits - 1)), r.randint(-400, 400)])
        return max(-(1 << (room - 1)), min((1 << (room - 1)) - 1, value))
    return value


def fits(field: Field, value: Value) -> bool:
    if isinstance(value, bytes):
        return len(value) * 8 == layout.fixed_bits(field)
    assert isinstance(field, ir.Scalar)
    low = -(1 << (field.bits - 1)) if field.signed else 0
    return low <= value < low + (1 << field.bits)


def expected(packet: ir.Packet, field: Field, data: bytes, args: list[int], value: Value) -> tuple[int, bytes]:
    """By the interpreter: the message with another value, built again."""
    values = values_of(parse(packet, data, args))
    if field.name not in values:
        return VALUE, data
    if not fits(field, value):
        return RANGE, data
    values[field.name] = value
    try:
        return OK, build(packet, values, args)
    except BuildError:
        return VALUE, data


def wrong(r: random.Random, data: bytes, want: bytes, status: int) -> tuple[bytes, bytes]:
    """A checksum that is off: it stays off by as much, in one's complement."""
    by = r.randint(1, 65000)
    off = (int.from_bytes(data[2:4], "big") + by) % 65535
    then = off if status != OK else (int.from_bytes(want[2:4], "big") + by) % 65535
    return data[:2] + off.to_bytes(2, "big") + data[4:], want[:2] + then.to_bytes(2, "big") + want[4:]


# --- the run -------------------------------------------------------------------------------------------------


def lines(cases: list[Case], r: random.Random) -> list[tuple[str, str, int, bytes]]:
    """What the program is given; what it is about; the status and the bytes that are expected."""
    out = []
    for number, (packet, field) in enumerate(cases):
        for _ in range(150):
            args = [r.choice([0, few(r, p.bits)]) for p in packet.params]
            if packet.name == "Odd":
                args = [1000]
            data = build(packet, with_flags(packet, MESSAGES[packet.name](r)), args)
            value = new_value(r, field)
            status, want = expected(packet, field, data, args, value)
            if packet.name == "Warned":
                data, want = wrong(r, data, want, status)
            if packet.name == "Datagram" and status == OK:
                want = want[:16] + data[16:18] + want[18:]  # the checksum of another packet is the caller's
            shown = (0, value.hex() or "-") if isinstance(value, bytes) else (value % (1 << 64), "-")
            three = [*args, 0, 0, 0][:3]
            text = f"{number} {three[0]} {three[1]} {three[2]} {shown[0]} {shown[1]} {data.hex()}"
            out.append((text, f"{packet.name}.{field.name} = {value!r} in {data.hex()} {args}", status, want))
    return out


def compare(report: Report, folder: Path, cc: str, more: list[str], asked: list[tuple[str, str, int, bytes]]) -> None:
    built = run(cc, *FLAGS, *more, "-o", "program", "program.c", "out/own.c", cwd=folder)
    if not report.check(f"it builds with {cc} {' '.join(more)}", built.returncode == 0, built.stdout):
        return
    done = subprocess.run([str(folder / "program")], input="\n".join(a[0] for a in asked) + "\n", capture_output=True, text=True)
    report.check(f"{cc}: no fault", done.returncode == 0, done.stderr[:3000])
    answers = done.stdout.splitlines()
    report.check(f"{cc}: all are answered", len(answers) == len(asked), f"{len(answers)} of {len(asked)}")
    for (_, what, status, want), answer in zip(asked, answers):
        st, accepted, read, data = answer.split(" ")
        foreign = what.startswith("Datagram.") and status == OK
        good = int(st) == status and data == want.hex() and (accepted == "1" or foreign) and (status != OK or read == "1" or foreign)
        report.check(f"{cc}: {what}", good, f"want {status} 1 1 {want.hex()}\ngot  {answer}")


def listed(report: Report, module: ir.Module) -> list[Case]:
    """Which fields have setters, and why others don't."""
    cases: list[Case] = []
    for packet in module.packets:
        plan: Optional[settable.Plan] = settable.plan(packet)
        if packet.name not in EXPECTED:
            report.check(f"{packet.name}: no setters", plan is None or bool(plan.why_not) or packet.inline)
            continue
        want = EXPECTED[packet.name]
        if packet.name == "Name":
            report.check("Name: has no checksum and does not ask", plan is None)
            continue
        assert plan is not None
        if want and plan.why_not:
            report.check(f"{packet.name}: why there are none", plan.why_not.startswith(want), plan.why_not)
            continue
        have = " ".join(f.name for f in plan.fields)
        report.check(f"{packet.name}: what can be set", have == want and not plan.why_not, f"want {want}\nhave {have} {plan.why_not}")
        cases += [(packet, f) for f in plan.fields if packet.name in MESSAGES]
    return cases


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "own.mrg").write_text(SPEC)
        made = run(sys.executable, ROOT / "bin" / "mrg", "c", "own.mrg", "-o", "out", cwd=folder)
        if report.check("it is compiled", made.returncode == 0, made.stdout):
            cases = listed(report, load([str(folder / "own.mrg")], [])[-1])
            program = "".join(case_c(i, *case) for i, case in enumerate(cases))
            (folder / "program.c").write_text(PROGRAM.replace("CASES\n", program))
            asked = lines(cases, random.Random(1624))
            compare(report, folder, "gcc", ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover"], asked)
            if shutil.which("clang"):
                compare(report, folder, "clang", ["-O3"], asked)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

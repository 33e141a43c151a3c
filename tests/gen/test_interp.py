#!/usr/bin/env python3
"""The interpreter against answers worked out by hand, over the specifications in tests/gen/interp/."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Union

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent), str(HERE.parents[2] / "gen")]
from interp_specs import packet  # noqa: E402
from report import Report  # noqa: E402

from mrg.errors import Failed  # noqa: E402
from mrg.interp import parse  # noqa: E402
from mrg.interp_build import BuildError, build, values_of  # noqa: E402
from mrg.show import show, show_rejection  # noqa: E402
from mrg.values import Node, Rejection, Status, crc32c, inet16  # noqa: E402

S = Status


def read(spec: str, text: str, args: Any = None, base: int = 0) -> Union[Node, Rejection]:
    try:
        return parse(packet(spec), bytes.fromhex(text), args, base)
    except Rejection as rejection:
        return rejection


class Table:
    """Checks with one line each."""

    def __init__(self, report: Report) -> None:
        self.report = report

    def accepts(self, spec: str, text: str, size: int, /, args: Any = None, warnings: int = 0, **fields: Any) -> None:
        """It is read, takes `size` bytes, and the fields (a__b for a.b) have these values."""
        got = read(spec, text, args)
        if isinstance(got, Rejection):
            self.report.check(f"{spec} {text}", False, str(got))
            return
        have = {name: self.value(got, name.replace("__", ".")) for name in fields}
        good = have == fields and got.bit_len == size * 8 and len(got.warnings) == warnings
        self.report.check(f"{spec} {text}", good, f"want {fields}, {size} bytes, {warnings} warnings\n{have}\n{show(got)}")

    @staticmethod
    def value(node: Node, path: str) -> Any:
        if path.endswith(".count"):
            return len(node.get(path[:-6]).inner.children)
        if path.endswith(".arm"):
            return node.get(path[:-4]).arm
        try:
            found = node.get(path)
        except KeyError:
            return None
        inner = found.inner
        return [c.value for c in inner.children] if inner.children else inner.value

    def refuses(self, spec: str, text: str, status: Status, bit: int, path: str, args: Any = None) -> None:
        got = read(spec, text, args)
        if isinstance(got, Node):
            self.report.check(f"{spec} {text}", False, f"want {status}\n{show(got)}")
            return
        good = (got.status, got.bit_off, got.path) == (status, bit, path) and got.loc.line > 0
        self.report.check(f"{spec} {text}", good, f"want {status} at bit {bit} in {path}\n{got}\n{show_rejection(got)}")

    def builds(self, spec: str, text: str, /, **values: Any) -> None:
        """These values give these bytes, and reading them and building again gives the same."""
        try:
            data = build(packet(spec), values)
        except BuildError as problem:
            self.report.check(f"{spec} {text}", False, str(problem))
            return
        again = build(packet(spec), values_of(parse(packet(spec), data)))
        good = data == bytes.fromhex(text) == again
        self.report.check(f"{spec} {text}", good, f"built {data.hex()}, again {again.hex()}")

    def unbuildable(self, spec: str, why: str, /, **values: Any) -> None:
        try:
            data = build(packet(spec), values)
        except BuildError as problem:
            self.report.check(f"{spec}: {why}", why in str(problem), str(problem))
            return
        self.report.check(f"{spec}: {why}", False, f"built {data.hex()}")


def bits(t: Table) -> None:
    t.accepts("bits:Flags", "95fffd80000000ff", 8, qr=1, opcode=2, aa=1, tc=0, rd=1, wide=0x1FFF, odd=0x100000001, rest_bits=0x7F)
    t.refuses("bits:Flags", "95fff980000000ff", S.E_VALUE, 21, "")
    t.refuses("bits:Flags", "95fffd80000000", S.MORE, 0, "qr")
    t.accepts(
        "bits:Widths",
        "01 0102 010203 01020304 010203040506 0102030405060708"
        "0201 030201 04030201 060504030201 0807060504030201 0102030405 07060504030201",
        1 + 2 + 3 + 4 + 6 + 8 + 2 + 3 + 4 + 6 + 8 + 5 + 7,
        a=1, b=0x102, c=0x10203, d=0x1020304, e=0x10203040506, f=0x102030405060708,
        g=0x102, h=0x10203, i=0x1020304, j=0x10203040506, k=0x102030405060708, l=0x102030405, m=0x1020304050607,
    )  # fmt: skip
    t.accepts("bits:Signed", "ff fffe 800000 fdffffff fffffffffffc 7fffffffffffffff", 24,
              a=-1, b=-2, c=-0x800000, d=-3, e=-4, f=2**63 - 1)
    t.refuses("bits:Signed", "05" + "00" * 23, S.E_VALUE, 24 * 8, "")
    t.accepts("bits:Chosen", "01 0002 00000003 0102 0304", 11, a=2, b=3, values=[0x102, 0x304])
    t.accepts("bits:Chosen", "00 0200 03000000 0201 0403", 11, a=2, b=3, values=[0x102, 0x304])
    t.refuses("bits:Chosen", "02 0200 03000000", S.E_VALUE, 0, "order")


GOOD_BOUNDS = "cafe 0b 0003 46 07 06 00 00 03e8 05 c8"


def bounds(t: Table) -> None:
    t.accepts("bits:Bounds", GOOD_BOUNDS, 14, colour=11, size=3, version=4, ihl=6, kind=7, one_of=6, high=1000, low=5, top=200)
    for at, bad, bit, path, status in [
        (0, "ca", 0, "", None), (0, "cb", 0, "", S.E_VALUE), (2, "03", 16, "colour", S.E_VALUE), (2, "15", 16, "colour", S.E_VALUE),
        (5, "56", 40, "version", S.E_VALUE), (5, "44", 44, "ihl", S.E_VALUE), (6, "00", 48, "kind", S.E_VALUE),
        (7, "02", 56, "one_of", S.E_VALUE), (7, "0a", 56, "one_of", S.E_VALUE), (10, "00", 80, "high", S.E_VALUE),
        (13, "04", 104, "top", S.E_VALUE), (13, "c9", 104, "top", S.E_VALUE),
    ]:  # fmt: skip
        data = bytearray.fromhex(GOOD_BOUNDS)
        data[at] = int(bad, 16)
        if status is not None:
            t.refuses("bits:Bounds", data.hex(), status, bit, path)
    data = bytearray.fromhex(GOOD_BOUNDS)
    data[8] = 9  # `send` binds builders only
    t.accepts("bits:Bounds", data.hex(), 14, reserved=9)
    data[9] = 1
    t.accepts("bits:Bounds", data.hex(), 14, warnings=1, zero=1)
    t.builds("bits:Bounds", GOOD_BOUNDS, colour=11, size=3, ihl=6, kind=7, one_of=6, high=1000, low=5, top=200)
    t.unbuildable("bits:Bounds", "bits", colour=11, size=3, ihl=16, kind=7, one_of=6, high=1000, low=5, top=200)
    t.unbuildable("bits:Bounds", "colour", colour=9, size=3, ihl=6, kind=7, one_of=6, high=1000, low=5, top=200)
    t.accepts("bits:Derived", "07 07 0100", 4, sum=14, mixed=(7 * 3 + 7) // 7 << 2 | 7, big=7)
    t.accepts("bits:Derived", "07 08 0100", 4, warnings=1, big=8)
    t.refuses("bits:Derived", "ff 2d 0100", S.E_VALUE, 16, "")
    t.refuses("bits:Derived", "07 00 0100", S.E_VALUE, 8, "b")
    t.refuses("bits:Derived", "10 10 001f", S.E_VALUE, 16, "c")


def presence(t: Table) -> None:
    t.accepts("parts:Maybe", "00 09", 2, a=None, b=None, last=9)
    t.accepts("parts:Maybe", "01 0102 09", 4, a=0x102, last=9)
    t.accepts("parts:Maybe", "02 03 616263 09", 6, b=3, c=b"abc", last=9)
    t.accepts("parts:Maybe", "0c 0102 01000000 09", 8, d__x=1, d__y=2, e=1, last=9)
    t.accepts("parts:Maybe", "08 09", 2, e=None, last=9)
    t.refuses("parts:Maybe", "0c 01", S.MORE, 8, "d")
    t.builds("parts:Maybe", "02 03 616263 09", flags=2, c=b"abc", last=9)
    t.builds("parts:Maybe", "0d 0007 0102 0a000000 09", flags=13, a=7, d={"x": 1, "y": 2}, e=10, last=9)
    t.accepts("parts:Strings", "02 6162 01020304 7a00 0a 7879", 12,
              short=b"ab", fixed=b"\1\2\3\4", until_zero=b"z", until_lf=b"", remainder=b"xy")
    t.refuses("parts:Strings", "02 61", S.MORE, 8, "short")
    t.refuses("parts:Strings", "00 01020304" + "61" * 21 + "00", S.E_LIMIT, 40, "until_zero")
    t.refuses("parts:Strings", "00 01020304" + "61" * 20, S.MORE, 40, "until_zero")
    t.accepts("parts:Strings", "00 01020304" + "61" * 20 + "00 0a", 27, remainder=b"")
    t.accepts("parts:Available", "01 0203", 3, long=None, body=b"\2\3")
    t.accepts("parts:Available", "01 02030405", 5, long=0x2030405, body=b"")
    t.refuses("parts:Available", "01 020304", S.E_VALUE, 8, "")


def regions(t: Table) -> None:
    good = "0002 0102 04 03040000 05 01 61 0000 0007"
    t.accepts("parts:Regions", "0002 0102 03 030499 0a 07 00010203 04 00 0a eeff 09", 20,
              pair__x=1, tailed__y=4, body__n=7, body__deep__remainder=b"", body__left=b"\xee\xff", last=9)
    t.refuses("parts:Regions", "0003 010203" + good, S.E_LENGTH, 32, "pair")
    t.refuses("parts:Regions", "0001 01", S.E_SHORT, 16, "pair.x")
    t.refuses("parts:Regions", "0002 01", S.MORE, 16, "pair")
    t.refuses("parts:Regions", "0002 0102 01 0304", S.E_SHORT, 40, "tailed.x")
    t.refuses("parts:Regions", "0002 0102 02 0304 02 07 00", S.E_SHORT, 72, "body.deep")
    t.accepts("parts:Padded", "01 ff 0000 00000007 01 ee 0009", 12, value=7, one=1, tail=9)
    t.refuses("parts:Padded", "01 ff 0001 00000007 01 ee 0009", S.E_VALUE, 24, "")
    t.refuses("parts:Padded", "01 ff 00", S.MORE, 16, "")
    t.builds("parts:Padded", "01 ff 0000 00000007 01 00 0009", data=b"\xff", value=7, one=1, tail=9)


def lists(t: Table) -> None:
    good = "02 00010002 04 01020304 0101 616200 02 010203040506 0501aa 0600"
    t.accepts("parts:Lists", good, 27, counted=[1, 2], sized__count=2, ones=[1, 1], text__count=3, fixed=[b"\1\2\3", b"\4\5\6"],
              remaining__count=2, remaining__0__value=b"\xaa", remaining__1__key=6)
    t.refuses("parts:Lists", "06" + "0000" * 6, S.E_LIMIT, 88, "counted")
    t.refuses("parts:Lists", "02 0001 00", S.MORE, 24, "counted[1]")
    t.refuses("parts:Lists", "00 03 010203 00 00", S.E_SHORT, 32, "sized[1].x")
    t.refuses("parts:Lists", "00 00 01010101010101 00 00", S.E_LIMIT, 64, "ones")
    t.refuses("parts:Lists", "00 00 6162", S.MORE, 32, "text[2].c")
    t.refuses("parts:Lists", "00 00 00 00 0501", S.MORE, 48, "remaining[0].value")
    t.builds("parts:Lists", good, counted=[1, 2], sized=[{"x": 1, "y": 2}, {"x": 3, "y": 4}], ones=[1, 1],
             text=[{"c": 0x61}, {"c": 0x62}, {"c": 0}], k=2, fixed=[b"\1\2\3", b"\4\5\6"],
             remaining=[{"key": 5, "value": b"\xaa"}, {"key": 6, "value": b""}])
    t.accepts("parts:Keyed", "02 0100 0200 0500 0400", 9, rising__count=2, once__count=2)
    t.refuses("parts:Keyed", "02 0200 0200", S.E_VALUE, 24, "rising[1]")
    t.refuses("parts:Keyed", "00 0100 0200 0100", S.E_VALUE, 40, "once[2]")


def keys(t: Table) -> None:
    t.accepts("keys:Options", "01 02 04 05b4 01 01 03 03 07 fe 02 fe 02 00 00", 16, options__count=9)
    t.refuses("keys:Options", "01 02 04 05b4 01 02 04 05b4", S.E_VALUE, 48, "options[3]")
    t.refuses("keys:Options", "fd 02 fe 02 fd 02", S.E_VALUE, 32, "options[2]")
    t.accepts("keys:Excepted", "02 0101 02 6464 02 3f3f 02 00000007 00000007 01 01", 20, wide__count=2, varint__count=2)
    t.refuses("keys:Excepted", "02 0202", S.E_VALUE, 16, "low[1]")
    t.refuses("keys:Excepted", "00 02 6363", S.E_VALUE, 24, "signed[1]")
    t.refuses("keys:Excepted", "00 00 02 6f6f", S.E_VALUE, 32, "middle[1]")
    t.refuses("keys:Excepted", "00 00 00 02 fffffeff fffffeff", S.E_VALUE, 64, "wide[1]")
    t.refuses("keys:Excepted", "00 00 00 00 01 01 02 02", S.E_VALUE, 56, "varint[3]")
    t.refuses("keys:Wide", "02 8000000000000001 8000000000000001", S.E_VALUE, 72, "long[1]")
    t.refuses("keys:Wide", "00 02 00 ffffffff 01 ffffffff", S.E_VALUE, 56, "signed[1]")
    t.refuses("keys:Wide", "00 00 00 00 00 81ffffffffffffffff7f 07", S.E_VALUE, 120, "rising[1]")
    t.refuses("keys:Names", "02 6162 6162", S.E_VALUE, 24, "once[1]")
    t.refuses("keys:Names", "00 02 62 61", S.E_VALUE, 24, "rising[1]")
    t.refuses("keys:Names", "00 00 02 016a 014a", S.E_VALUE, 40, "names[1]")
    t.accepts("keys:Names", "00 00 00 02 6a2e00 4a2e00 00 0161 026161 0142", 18, ended__count=2, sorted__count=4)
    t.refuses("keys:Names", "00 00 00 02 6a2e00 6a2e01", S.E_VALUE, 56, "ended[1]")
    t.refuses("keys:Names", "00 00 00 00 0142 026161", S.E_VALUE, 48, "sorted[1]")
    t.refuses("keys:Names", "00 00 00 00 026161 0141", S.E_VALUE, 56, "sorted[1]")
    t.accepts("keys:Prefixes", "00 0141 0161 026161 0162", 10, names__count=5)
    t.refuses("keys:Prefixes", "026161 0161", S.E_VALUE, 24, "names[1]")
    t.accepts("keys:Perhaps", "00 03 01010005 00 01010006 00", 12, rising__count=3, named__count=0)
    t.accepts("keys:Perhaps", "02 0100 00 02 01010008 01010009 02 01010000 01010000 00 00", 24, named__count=2)
    t.refuses("keys:Perhaps", "02 01010000 01010000", S.E_VALUE, 40, "once[1]")
    t.refuses("keys:Perhaps", "00 03 01010005 00 01010005", S.E_VALUE, 56, "rising[2]")
    t.refuses("keys:Perhaps", "00 00 00 0162 00 0161", S.E_VALUE, 48, "named[2]")


def choices(t: Table) -> None:
    t.accepts("parts:Options", "00 01 02 04 05b4 05 0007 81 03 0102 99 03 aa", 16, options__count=6, options__0__body__arm="nothing",
              options__2__body__mss=0x5B4, options__3__body=7, options__4__body__value=b"\1\2", options__5__body__data=b"\xaa")
    t.refuses("parts:Options", "02 05 05b4", S.E_VALUE, 8, "options[0].body")
    t.refuses("parts:Options", "81 04 0102", S.E_VALUE, 8, "options[0].body.len")
    t.refuses("parts:Options", "99 01", S.E_VALUE, 8, "options[0].body.len")
    t.refuses("parts:Options", "00" * 11, S.E_LIMIT, 80, "options")
    t.accepts("tags:Outer", "01 01 00000007 09", 7, body__content__value=7, body__after=9)
    t.accepts("tags:Outer", "02 03 616263 09", 6, body__content=b"abc", body__after=9)
    t.accepts("tags:Outer", "03 03 09", 3, body__content__arm="nothing", body__after=9)
    t.refuses("tags:Outer", "04 03 09", S.E_TAG, 16, "body.content")
    t.refuses("absent:Perhaps", "01 07 02 61", S.MORE, 24, "pair.value")
    t.accepts("tags:Body", "616263 09", 4, [2, 3], content=b"abc", after=9)
    t.builds("tags:Outer", "02 03 616263 09", kind=2, width=3, body={"content": ("text", b"abc"), "after": 9})
    t.unbuildable("tags:Outer", "refused", kind=2, width=4, body={"content": ("text", b"abc"), "after": 9})
    t.accepts("tags:Peeked", "0102 0304", 4, body__value=0x1020304)
    t.accepts("tags:Peeked", "02ff", 2, body=0x2FF)
    t.accepts("tags:Peeked", "0300ff", 3, body=b"\x03\x00\xff")
    t.refuses("tags:Peeked", "01", S.MORE, 0, "body")


def chains(t: Table) -> None:
    t.accepts("tags:Path", "0161 026262 ff", 6, [b""], steps__count=3)
    t.accepts("tags:Path", "c1", 1, [b""], steps__0__mark=1)
    t.refuses("tags:Path", "0161", S.MORE, 16, "steps", [b""])
    t.refuses("tags:Path", "0161 80", S.E_TAG, 16, "steps", [b""])
    t.refuses("tags:Path", "036161", S.E_TAG, 0, "steps", [b""])
    t.refuses("tags:Path", "0261", S.MORE, 8, "steps.step[0].data", [b""])
    t.refuses("tags:Path", "0161" * 11 + "ff", S.E_LIMIT, 160, "steps", [b""])
    t.accepts("tags:Path", "0161" * 9 + "ff", 19, [b""], steps__count=10)
    t.accepts("tags:Path", "0161 42", 3, [bytes.fromhex("0000 0162 ff")], steps__count=4)
    t.refuses("tags:Path", "0161 45", S.E_RANGE, 16, "steps", [bytes.fromhex("0000 0162 ff")])
    t.accepts("tags:Table", "03 0161ff 0162 41 44", 8, paths__count=3, paths__2__steps__count=5)
    t.refuses("tags:Table", "01 41", S.E_LOOP, 8, "paths[0].steps")
    t.refuses("tags:Table", "01 42", S.E_RANGE, 8, "paths[0].steps")
    t.refuses("tags:Table", "05 ff 41 42 43 44", S.E_LIMIT, 16, "paths[4].steps")
    path = {"steps": [("step", {"data": b"a"}), ("stop", {})]}
    t.builds("tags:Table", "02 0161ff 0161ff", paths=[path, path])
    data = build(packet("tags:Table"), {"paths": [path, path]}, compress=True)
    t.report.check("compressed", data.hex() == "020161ff41", data.hex())
    other = {"steps": [("step", {"data": b"A"}), ("stop", {})]}
    data = build(packet("tags:Table"), {"paths": [path, other]}, compress=True)
    t.report.check("another spelling is kept", data.hex() == "020161ff0141ff", data.hex())


def sums(t: Table) -> None:
    t.report.check("inet16 of RFC 1071 section 3", inet16(b"", bytes.fromhex("0001f203f4f5f6f7")) == 0x220D)
    t.report.check("inet16 odd", inet16(b"", b"\1") == 0xFEFF)
    t.report.check("crc32c of RFC 3720 B.4", crc32c(bytes(32)) == 0x8A9136AA)
    body = bytes.fromhex("0001 0000 03 616263")
    total = inet16(b"", body)
    t.builds("sums:Summed", f"0001 {total:04x} 03 616263", a=1, data=b"abc")
    t.refuses("sums:Summed", f"0001 {total ^ 1:04x} 03 616263", S.E_SUM, 16, "sum")
    t.refuses("sums:Summed", f"0001 {total:04x} 03 616264", S.E_SUM, 16, "sum")
    total = inet16(bytes.fromhex("00110007"), bytes.fromhex("0007 0000 616263"))
    t.accepts("sums:Pseudo", f"0007 {total:04x} 616263", 7, [17], sum=total)
    t.refuses("sums:Pseudo", f"0007 {total:04x} 616263", S.E_SUM, 16, "sum", [6])
    t.refuses("sums:Pseudo", f"0006 {total:04x} 616263", S.E_VALUE, 0, "len", [17])
    t.builds("sums:Crcs", crcs(), data=b"abc")
    t.builds("sums:Counts", counts(), entries=[{"octets": b"a"}, {"octets": b"bb"}], last=b"12345")
    t.refuses("sums:Counts", "0010" + counts()[4:], S.E_VALUE, 0, "total")
    t.accepts("sums:Lenient", "03 03 616263", 5)
    t.accepts("sums:Lenient", "04 09 616263", 5, warnings=1)
    t.builds("sums:Lenient", "03 03 616263", body=b"abc")
    t.accepts("more:Deltas", "09 00 0000 0012", 6, doubled=18)  # `send` binds builders only
    t.builds("more:Deltas", "08 ff 0001 0010", base=8, delta=-1, up=1, scaled=16)
    t.unbuildable("more:Deltas", "nine is for others", base=9, delta=0, up=0, scaled=18)


def crcs() -> str:
    import zlib

    before = zlib.crc32(b"abc").to_bytes(4, "big") + b"\3abc"
    return (before + crc32c(before).to_bytes(4, "little")).hex()


def counts() -> str:
    body = bytes.fromhex("02 02 0161 026262") + b"12345"
    return ((len(body) + 2).to_bytes(2, "big") + body).hex()


ALL = "01 4002 ac02 8001 8768 3f9a0a 820102"


def varints(t: Table) -> None:
    t.refuses("numbers:All", "01 4002" + "00" * 9, S.E_VALUE, 8, "b")
    t.accepts("numbers:All", "7bbd 25 ac02 8001 8768 820102", 12, a=15293, b=37, c=300, d=128, e=1000, g=0x102)
    t.accepts("numbers:All", "c2197c5eff14e88c 00 00 00 00 00", 13, a=151288809941952652)
    t.refuses("numbers:All", "00 00" + "80" * 10 + "00", S.E_RANGE, 16, "c")
    t.refuses("numbers:All", "00 00 00 8000 00", S.E_VALUE, 24, "d")
    t.refuses("numbers:All", "00 00 00 80808080", S.E_RANGE, 24, "d")
    t.refuses("numbers:All", "00 00 00 00 bd8441", S.E_RANGE, 32, "e")
    t.accepts("numbers:All", "00 00 00 00 bd8440 00", 8, e=1000000)
    t.refuses("numbers:All", "00 00 00 00 00 80", S.E_RANGE, 40, "g")
    t.refuses("numbers:All", "00 00 00 00 00 84", S.E_RANGE, 40, "g")
    t.refuses("numbers:All", "00 00 00 00 00 817f", S.E_VALUE, 40, "g")
    t.refuses("numbers:All", "00 00 00 00 00 82", S.MORE, 40, "g")
    t.builds("numbers:All", "7bbd 25 ac02 8001 8768 820102", a=15293, b=37, c=300, d=128, e=1000, g=0x102)
    t.builds("numbers:Sized", "01 8180" + "61" * 128, tag=1, body=b"a" * 128)
    t.accepts("numbers:Many", "02 8001 05 4001 07", 7, values=[128, 5], others=[1, 7])


def prefixes(t: Table) -> None:
    t.accepts("prefix:Literal", "07 5f9a0a 83 616263", 8, flags=2, size=1337, huffman=1, len=3, body=b"abc")
    t.refuses("prefix:Literal", "07 1f80808080", S.E_RANGE, 11, "size")
    t.refuses("prefix:Literal", "07 1f808080", S.MORE, 11, "size")
    t.refuses("prefix:Literal", "07 00 ff8000", S.E_VALUE, 17, "len")
    t.builds("prefix:Literal", "07 5f9a0a 83 616263", kind=7, flags=2, size=1337, huffman=1, body=b"abc")


def names(t: Table) -> None:
    """Paths and printing."""
    node = read("parts:Lists", "00 00 00 00 0501aa")
    assert isinstance(node, Node)
    text = show(node)
    t.report.check("printed", "      4    remaining: 1 in 3 bytes\n      4      [0]: 3 bytes\n      4        key: 5\n" in text, text)
    node = read("bits:Bounds", GOOD_BOUNDS)
    assert isinstance(node, Node)
    text = show(node)
    t.report.check("enums and bits printed", "    5.4    ihl: 6\n" in text and "size: unknown (3)\n" in text, text)


def main() -> int:
    report = Report()
    table = Table(report)
    for part in (bits, bounds, presence, regions, lists, keys, choices, chains, sums, varints, prefixes, names):
        try:
            part(table)
        except Failed as failed:
            report.check(part.__name__, False, failed.render())
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What the front end makes of specifications: ranges, sizes, facts, implied fields."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Callable, TypeVar

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "gen"))

from mrg import errors, ir, layout, load  # noqa: E402

T = TypeVar("T", bound=ir.Item)
IPV4 = """
/// IPv4.
packet P {
  version: 4 = 4;  ihl: 4 in 5..15 := (20 + size options) / 4;
  tos: u8;  length: u16 in ihl*4..here + avail := size this;
  rest_of: bytes(6);
  checksum: u16 := inet16(version..options) warn;
  addresses: bytes(8);
  options: bytes(ihl*4 - 20);
  payload: bytes(length - ihl*4);
}
"""


def module(body: str, name: str = "t") -> ir.Module:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"{name}.mrg")
        Path(path).write_text(f"module {name};\n{body}")
        return load.load([path], [str(ROOT / "specs")])[-1]


def packet(body: str, name: str = "P") -> ir.Packet:
    return next(p for p in module(body).packets if p.name == name)


def item(p: ir.Packet, name: str, kind: type[T]) -> T:
    found = next(i for i in layout.walk(p.items) if i.name == name and isinstance(i, kind))
    return found


def same(got: object, want: object) -> None:
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r}")


def refused(body: str, part: str) -> None:
    try:
        module(body)
    except errors.Failed as failed:
        if part not in failed.render():
            raise AssertionError(f"the error is another one: {failed.render()}") from None
        return
    raise AssertionError("compiled, but must not")


# --- the tests ------------------------------------------------------------------


def test_ipv4_lengths_follow_from_reading() -> None:
    p = packet(IPV4)
    same(item(p, "ihl", ir.Scalar).implied, True)
    same(item(p, "length", ir.Scalar).implied, True)
    ihl = item(p, "ihl", ir.Scalar)
    same((ihl.lo, ihl.hi), (5, 15))
    same((p.size_min, p.size_max), (20, 20 + 40 + 65515))


def test_lengths_are_proved_not_negative() -> None:
    p = packet(IPV4)
    for name, hi in (("options", 40), ("payload", 65515)):
        length = item(p, name, ir.Bytes).length
        assert length is not None
        same((length.lo, length.hi), (0, hi))


def test_a_checksum_that_warns_is_a_check_at_the_end() -> None:
    p = packet(IPV4)
    same(item(p, "checksum", ir.Scalar).implied, True)
    last = p.items[-1]
    assert isinstance(last, ir.Check)
    same((last.severity, last.name), ("warn", "checksum"))


def test_size_of_a_region_and_count_of_a_list_are_implied() -> None:
    p = packet("/// P.\npacket P { n: u16 := size b; b: { x: rest; } within n; c: u8 := count l; l: list u8 count c; }")
    same(item(p, "n", ir.Scalar).implied, True)
    same(item(p, "c", ir.Scalar).implied, True)


def test_size_of_what_may_be_absent_is_not_implied() -> None:
    p = packet("/// P.\npacket P { n: u8 := size b; f: u8; b: bytes(n) if f; }")
    same(item(p, "n", ir.Scalar).implied, False)


def test_size_of_a_region_with_a_tail_is_not_implied() -> None:
    p = packet("/// P.\npacket P { n: u8 in 2.. := size b; b: Q within n tail; }\n/// Q.\npacket Q { x: u8; y: u8 if x; }")
    same(item(p, "n", ir.Scalar).implied, False)


def test_severities_of_constants() -> None:
    p = packet("/// P.\npacket P { a: u8 = 1; b: u8 = 2 send; c: u8 = 3 warn; 4: 8 send; }")
    a, b, c = (item(p, n, ir.Scalar) for n in "abc")
    same((a.const, a.computed), (1, None))
    assert isinstance(b.computed, ir.Const) and isinstance(c.computed, ir.Const)
    same((b.const, b.computed.value, b.implied), (None, 2, True))
    same([(k.name, k.severity) for k in p.items if isinstance(k, ir.Check)], [("c", "warn")])


def test_name_chain_first_bytes() -> None:
    name = next(m for m in load.load([str(ROOT / "specs/dns/name.mrg")]) if m.name == "dns.name")
    p = next(p for p in name.packets if p.name == "Name")
    chain = item(p, "labels", ir.Chain)
    same([(a.name, a.kind, a.first) for a in chain.arms], [
        ("label", "item", [(1, 63)]), ("root", "stop", [(0, 0)]), ("pointer", "goto", [(192, 255)]),
    ])  # fmt: skip
    same((p.size_min, p.size_max), (1, 256))


def test_an_inline_packet_takes_outer_values_as_parameters() -> None:
    p = packet("/// P.\npacket P(m: buffer) { n: u8 in 2..9; h: { k: u8; b: bytes(n + k); c: Q(m); }; }\n/// Q.\npacket Q(m: buffer) { x: u8; }")
    h = item(p, "h", ir.Sub)
    same(h.packet.name, "PH")
    same([(x.name, x.kind, x.lo, x.hi) for x in h.packet.params], [("n", "int", 2, 9), ("m", "buffer", 0, 0)])
    assert isinstance(h.args[0], ir.FieldRef) and isinstance(h.args[1], ir.BufArg)
    same(h.args[0].path, (item(p, "n", ir.Scalar),))
    same(h.args[1].param, p.params[0])


def test_a_chosen_byte_order_reaches_inline_packets() -> None:
    p = packet("/// P.\npacket P { o: u8; endian little if o == 1 else big; a: u16; b: { c: u32; }; d: u16be; }")
    same([item(p, n, ir.Scalar).endian for n in "ad"], ["dyn", "big"])
    inner = item(p, "b", ir.Sub).packet
    same([type(i).__name__ for i in inner.items], ["EndianSel", "Scalar"])
    same(len(inner.params), 1)
    sel = next(i for i in p.items if isinstance(i, ir.EndianSel))
    assert isinstance(sel.cond, ir.Un)  # big-endian iff the condition for little does not hold


def test_a_field_of_a_group_under_its_condition_again() -> None:
    packet("/// P.\npacket P { f: u8; n: u8 if f == 1; b: bytes(n) if f == 1; c: u8 if f == 1 && n > 3; }")
    refused("/// P.\npacket P { f: u8; n: u8 if f == 1; b: bytes(n) if f == 2; }", "'n' may be absent here")
    packet("/// P.\npacket P { f: u8; if f { n: u8; } else { m: u8; } let k = f ? n : m; }".replace("f ? n : m", "f != 0 ? 1 : 0"))


def test_conditions_narrow_what_they_guard() -> None:
    packet("/// P.\npacket P { n: u8; b: bytes(n - 2) if n >= 2; let k = n > 4 ? n - 4 : 0; where n < 3 || n - 3 < 9; }")
    refused("/// P.\npacket P { n: u8; b: bytes(n - 2) if n >= 1; }", "may be negative")
    refused("/// P.\npacket P { n: u8; where n >= 2 warn; b: bytes(n - 2); }", "may be negative")


def test_division_masks_and_minimum_are_bounded_by_their_operands() -> None:
    for length in ("n - n / 4 * 4", "n - (n & 7)", "n - min(n, 20)", "max(n, 9) - n", "n - n % 8", "(n >> 3) * 9 - (n >> 3)"):
        packet(f"/// P.\npacket P {{ n: u16; a: bytes({length}); }}")


def test_facts_chain() -> None:
    packet("/// P.\npacket P { a: u16; b: u16 in a..; c: u16 in b..; d: bytes(c - a); }")


def test_arms_narrow_the_value_they_are_chosen_by() -> None:
    packet("/// P.\npacket P { n: u8; s: switch n { 4..9 => x: bytes(n - 4); _ => y: empty; }; }")
    refused("/// P.\npacket P { n: u8; s: switch n { 3..9 => x: bytes(n - 4); _ => y: empty; }; }", "may be negative")


def test_paths_of_list_conditions_and_keys() -> None:
    p = packet("/// P.\npacket P { a: list Q until k == 0 max 9; b: list u8 until item == 0; c: list Q rest unique k; }\n/// Q.\npacket Q { k: u8; v: u8; }")
    a, b, c = (item(p, n, ir.List) for n in "abc")
    key = a.elem.packet.items[0] if isinstance(a.elem, ir.Sub) else None
    refs = [e.path for x in (a, b) for e in layout.refs(x.expr) if isinstance(e, ir.FieldRef)]
    same(refs, [(a.elem, key), (b.elem,)])
    same(c.unique, (key,))


def test_keys_that_may_repeat() -> None:
    text = "packet P { c: list Q rest unique k except {200.., B, 5..6, A}; d: list i8 rest unique item except -3; e: list u8 rest unique item; }"
    p = packet(f"/// P.\n{text}\n/// Q.\npacket Q {{ k: u8 K; }}\n/// K.\nenum K : u8 {{ A = 9; B = 20..30; }}")
    same([item(p, n, ir.List).exempt for n in "cde"], [[(5, 6), (9, 9), (20, 30), (200, 255)], [(-3, -3)], []])


def test_packets_come_after_what_they_use() -> None:
    m = module("/// A.\npacket A { b: B; c: C; }\n/// B.\npacket B { c: C; }\n/// C.\npacket C { x: u8; }")
    same([p.name for p in m.packets], ["C", "B", "A"])


def test_a_switch_keeps_the_spelling_of_its_patterns() -> None:
    p = packet("/// K.\nenum K : u8 { A = 1; R = 16..31; }\n/// P.\n"
               "packet P { k: u8 K; s: switch k { A => a: u8; R => r: u8; 0b11xx_xxxx => m: u8; _ => d: empty; }; }")
    pats = [(q.lo, q.hi, q.text) for a in item(p, "s", ir.Switch).arms for q in a.pats]
    same(pats, [(1, 1, "A"), (16, 31, "R"), (192, 192, "0b11xx_xxxx")])


def test_prefix_varints_share_a_byte() -> None:
    p = packet("varint V = prefix 5 max 3;\n/// P.\npacket P { f: 3; v: V; g: 3; w: V; x: u8; }")
    same((p.size_min, p.size_max), (3, 9))


def test_single_characters_join_to_classes() -> None:
    g = module('/// G.\ngrammar G { a = "x" / "-" / DIGIT; token T = 1*a; token U = VCHAR - "A"; }').grammars[0]
    rep = g.rules[0].node
    assert isinstance(rep, ir.Rep) and isinstance(rep.node, ir.Class)
    same(rep.node.ranges, [(45, 45), (48, 57), (88, 88), (120, 120)])
    same(g.rules[1].node.ranges if isinstance(g.rules[1].node, ir.Class) else None, [(33, 64), (66, 96), (98, 126)])


def test_the_digest_is_of_tokens_and_docs() -> None:
    one = module("/// P.\npacket P { a: u8; }").digest
    same(module("/// P.\n// remark\npacket P {\n  a: u8;\n}").digest, one)
    if module("/// Q.\npacket P { a: u8; }").digest == one:
        raise AssertionError("a changed doc comment must change the digest")


def test_the_digest_covers_imports() -> None:
    with tempfile.TemporaryDirectory() as folder:
        base, user = Path(folder, "base.mrg"), Path(folder, "user.mrg")
        user.write_text("module user;\nimport base;\n")
        digests = []
        for value in (1, 2):
            base.write_text(f"module base;\nconst A = {value};\n")
            digests.append(load.load([str(user)])[-1].digest)
        assert digests[0] != digests[1]


def test_output_is_the_same_everywhere() -> None:
    """Two places, two hash seeds: the same bytes."""
    outs = []
    for seed in ("0", "1"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "t.mrg")
            path.write_text("module t;\nimport dns.name;\n" + IPV4)
            env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
            cmd = [sys.executable, str(ROOT / "bin/mrg"), "json", "-I", str(ROOT / "specs"), str(path)]
            done = subprocess.run(cmd, env=env, capture_output=True, text=True, check=True)
            outs.append(done.stdout)
            assert folder not in done.stdout
    same(outs[0], outs[1])


def main() -> int:
    tests: list[tuple[str, Callable[[], None]]] = [(n, f) for n, f in globals().items() if n.startswith("test_")]
    failed = 0
    for name, test in tests:
        try:
            test()
            print(f"ok {name}")
        except Exception:
            failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())

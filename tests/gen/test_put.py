#!/usr/bin/env python3
"""Text written from its captures: what is written must be read as just those captures, and all that can be must be written.

Which captures can be written is found out here from the rule's tree, without any
automaton. Captures are those of texts that fit, and of the same spoilt: left out,
doubled, in another order, with other octets in them.
"""

from __future__ import annotations

import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gen"))

from message_reader import Putter, compiled  # noqa: E402
from mrg import ir, message_dfa, names  # noqa: E402
from mrg.emit import put, ragel  # noqa: E402
from mrg.grammar_ref import Message, Reference  # noqa: E402
from mrg.load import load  # noqa: E402
from test_message import MADE_UP, sample  # noqa: E402
from test_message_random import NOWHERE, made  # noqa: E402
from test_value import FIELDS  # noqa: E402

PUT = """\
/// Made up for the test.
module made.put;

/// Rules that say what is put in them, and others.
grammar Put {
  tchar  = "-" / DIGIT / ALPHA;
  time   = hour:2DIGIT ":" minute:2DIGIT;
  /// a line's end as the first alternative has it, blanks as they are wanted
  message Field max 40 = name:1*tchar ":" *WSP put SP [value:(VCHAR *(*WSP VCHAR))] *WSP (CRLF / LF);
  /// the first form, whatever was read
  value Date = ((1*ALPHA put "Mon") ", " day:2DIGIT SP time / (1*ALPHA) SP time SP day:2DIGIT) put (%s"Mon" ", " day:2DIGIT SP time);
  /// with a blank behind each comma
  value List = ([item:1*tchar] *(*WSP "," *WSP [item:1*tchar])) put ([item:1*tchar] *(", " item:1*tchar));
  /// two ways that are told from each other by what they hold
  value Either = name:1*tchar "=" (value:1*tchar / DQUOTE value:*(%x20-21 / %x23-7E) DQUOTE);
  /// the first way is wide enough
  value Wide = x:1*ALPHA / x:"a" "+";
  /// what follows tells, not what comes first
  value Pair = one:1*DIGIT ["/" two:1*DIGIT] / one:1*ALPHA "+" two:1*ALPHA;
  /// counted: none is allowed, and no more than three
  value None = *2("a" / "b") *WSP x:"x" *3(";" x:"x") else 5;
  /// longer than it may be by one octet at most, and never
  message Over max 8 = a:1*3DIGIT "." b:*3DIGIT LF LF;
  message Enough max 9 = a:1*3DIGIT "." b:*3DIGIT LF LF;
  /// the same of one that comes again, in as many states as there may be of it, and without end
  value Some max 8 = *3(x:1*2DIGIT ";");
  value Any max 8 = *(x:1*2DIGIT ";");
  match Range = start:1*DIGIT "-" stop:1*DIGIT ["/" step:1*DIGIT];
  match EitherOr = "<" a:1*DIGIT ">" / b:*ALPHA;
  match Fixed = 2*3%x61-63 1*WSP "b";
}
"""
RANDOM = 60  # rules made at random
VECTORS = {"": 40, "avx2": 10}  # what the C is built for, where this CPU has it, and how many samples are tried
ROOM = 1 << 15  # octets: enough for any text here
Parts = list[tuple[str, bytes]]
EXAMPLES: dict[str, list[tuple[str, str]]] = {  # captures as name=text
    "Put.Field": [
        ("name=a|value=b c", "a: b c\r\n"),
        ("name=a", "a: \r\n"),
        ("name=a|value=b\r\nc: d", "bad"),
        ("value=b", "order"),
        ("name=a|value=b|value=c", "order"),
        ("name=", "bad"),
        ("name=a|value=" + "b" * 35, "a: " + "b" * 35 + "\r\n"),
        ("name=a|value=" + "b" * 36, "limit"),
    ],
    "Put.Date": [
        ("day=06|hour=08|minute=49", "Mon, 06 08:49"),
        ("hour=08|minute=49|day=06", "order"),
    ],
    "Put.List": [
        ("item=a|item=b", "a, b"),
        ("", ""),
    ],
    "Put.Either": [
        ("name=a|value=b", "a=b"),
        ("name=a|value=b c", 'a="b c"'),
        ('name=a|value="', "bad"),
    ],
    "Put.Wide": [
        ("x=a", "a"),
    ],
    "Put.Pair": [
        ("one=1|two=2", "1/2"),
        ("one=a|two=b", "a+b"),
        ("one=a", "order"),
        ("one=a|two=1", "bad"),
    ],
    "Put.None": [
        ("x=x", "x"),
        ("x=x|x=x|x=x|x=x", "x;x;x;x"),
        ("x=x|x=x|x=x|x=x|x=x", "limit"),
    ],
    "Put.Over": [
        ("a=12|b=345", "12.345\n\n"),
        ("a=123|b=345", "limit"),
    ],
    "Put.Enough": [
        ("a=123|b=345", "123.345\n\n"),
        ("a=1234|b=345", "bad"),
    ],
    "Put.Some": [
        ("x=12|x=34|x=5", "12;34;5;"),
        ("x=12|x=34|x=56", "limit"),
    ],
    "Put.Any": [
        ("x=1|x=2|x=3|x=4", "1;2;3;4;"),
        ("x=1|x=2|x=3|x=4|x=5", "limit"),
    ],
    "Put.Range": [
        ("start=1|stop=2", "1-2"),
        ("start=1|stop=2|step=3", "1-2/3"),
        ("start=1", "order"),
    ],
    "Put.EitherOr": [
        ("a=1", "<1>"),
        ("b=x", "x"),
        ("", "order"),
    ],
    "Put.Fixed": [
        ("", "aa b"),
    ],
    "Fields.Tags": [
        ("any=*", "*"),
        ("etag=x|weak=W/|etag=", '"x",W/""'),
        ("", ""),
        ("weak=W/", "order"),
    ],
    "Fields.Media": [
        ("type=a|subtype=b|name=c|quoted=d e|name=f|value=g", 'a/b;c="d e";f=g'),
    ],
    "Fields.Credentials": [
        ("scheme=Basic|token68=YQ==", "Basic YQ=="),
        ("scheme=B|name=a|value=b|name=c|value=d", "B a=b,c=d"),
    ],
    "Http1.Request": [
        ("method=GET|target=/|major=1|minor=1|name=Host|value=a|name=X", "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"),
        ("method=GET|target=/ HTTP/1.1\r\n|major=1|minor=1", "bad"),
        ("method=" + "G" * 33 + "|target=/|major=1|minor=1", "limit"),
        ("method=GET|target=/|major=1|minor=1" + "|name=X" * 101, "limit"),
    ],
    "Http1.ChunkEnd": [
        ("", "\r\n"),
    ],
}
NOT_PUT = {"Text.Pairs": "depends on how many there were", "Fields.Date": "depends on what comes later"}


# --- what can be written ----------------------------------------------------------------------


def fits(content: ir.Node, data: bytes) -> bool:
    return Message(ir.Rule("", "value", NOWHERE, "", content)).read(data).status == "ok"


def behind(node: ir.Node, parts: Parts, froms: frozenset[int]) -> frozenset[int]:
    """How many of the captures may be written when a node is, begun at each of `froms`."""
    if isinstance(node, ir.Seq):
        for n in node.nodes:
            froms = behind(n, parts, froms)
        return froms
    if isinstance(node, ir.Alt):
        return frozenset(j for n in node.nodes for j in behind(n, parts, froms))
    if isinstance(node, ir.Capture):
        return frozenset(i + 1 for i in froms if i < len(parts) and parts[i][0] == node.name and fits(node.node, parts[i][1]))
    if isinstance(node, ir.Rep):
        out = froms if node.min == 0 else frozenset()
        times, seen = 0, set()
        while froms and (node.max is None or times < node.max) and (times < node.min or froms not in seen):
            seen.add(froms)
            times, froms = times + 1, behind(node.node, parts, froms)
            out |= froms if times >= node.min else frozenset()
        return out
    return froms


def possible(rule: ir.Rule, parts: Parts) -> bool:
    return len(parts) in behind(rule.put or rule.node, parts, frozenset([0]))


# --- captures ---------------------------------------------------------------------------------


def read(rule: ir.Rule, text: bytes) -> Parts | None:
    if rule.kind != "match":
        got = Message(rule).read(text)
        return [(name, text[start:end]) for name, start, end in got.parts] if (got.status, got.end) == ("ok", len(text)) else None
    grammar = ir.Grammar("G", ir.Module("m", "", "", "", []), NOWHERE, "", [rule])
    found = Reference(grammar).match(rule.name, text)
    names = list(message_dfa.captures(rule.node))
    return [(n, text[slice(*found[n])]) for n in names if n in found] if found is not None else None


def spoilt(rule: ir.Rule, parts: Parts, rng: random.Random) -> Parts:
    parts = list(parts)
    names = list(message_dfa.captures(rule.node))
    at = rng.randrange(len(parts) + 1)
    kind = rng.randrange(5)
    if kind == 0 or at == len(parts):
        parts.insert(at, (rng.choice(names), rng.choice(parts)[1] if parts else b"a"))
    elif kind == 1:
        del parts[at]
    elif kind == 2:
        other = rng.randrange(len(parts))
        parts[at], parts[other] = parts[other], parts[at]
    else:
        name, data = parts[at]
        where = rng.randrange(len(data) + 1)
        more = rng.choice([b"\r\n", b"\r\nx: y", b" ", b"a", b'"', b"\x00", b"\xff", b"1"])
        parts[at] = (name, data[:where] + more + data[where + rng.randrange(2) :] if kind == 3 else data[:where])
    if rule.kind == "match":  # a struct has each once, in order
        parts = [(n, dict(parts)[n]) for n in names if n in dict(parts)]
    return parts


def put_is_good(putter: Putter, rule: ir.Rule, parts: Parts) -> bool:
    """Captures are written as a text that reads as them, in just as much room; or they are refused, and there is no such text."""
    status, text = putter.put(parts, ROOM)
    if status == "ok":
        good = read(rule, text) == parts and putter.put(parts, len(text)) == ("ok", text)
        return good and all(putter.put(parts, room) == ("full", b"") for room in {0, len(text) // 2, len(text) - 1} if 0 <= room < len(text))
    return status in ("order", "bad", "limit") and (not possible(rule, parts) or (status == "limit" and rule.max is not None))


def check_rule(putter: Putter, rule: ir.Rule, samples: int) -> tuple[int, list[str]]:
    rng = random.Random(rule.name)
    passed, wrong = 0, []

    def check(parts: Parts) -> None:
        nonlocal passed
        good = put_is_good(putter, rule, parts)
        passed += good
        if not good:
            said = putter.put(parts, ROOM)
            wrong.append(f"{rule.name}: {parts}: C says {said}; possible: {possible(rule, parts)}; read: {read(rule, said[1])}")

    for _ in range(samples):
        parts = read(rule, sample(rule.node, rng))
        if parts is None:
            continue
        if rule.put is None:
            status = putter.put(parts, ROOM)[0]
            passed += status == "ok"
            if status != "ok":
                wrong.append(f"{rule.name}: {parts} were read, but C says {status}")
        check(parts)
        for _ in range(2 if putter.captures else 0):
            parts = spoilt(rule, parts, rng)
            check(parts)
    return passed, wrong


def check_examples(putter: Putter, name: str) -> list[str]:
    wrong = []
    for given, want in EXAMPLES.get(name, []):
        parts = [(p.split("=", 1)[0], p.split("=", 1)[1].encode()) for p in given.split("|") if p]
        status, text = putter.put(parts, ROOM)
        got = text.decode() if status == "ok" else status
        if got != want:
            wrong.append(f"{name}: of {parts} C makes {got!r}, not {want!r}")
    return wrong


def random_module() -> ir.Module:
    """Rules made at random that can be read and written."""
    rng = random.Random(5234)
    module = ir.Module("made.random", "made/random.mrg", "Made at random.", "", [])
    grammar = ir.Grammar("Random", module, NOWHERE, "", [])
    module.grammars.append(grammar)
    i = 0
    while len(grammar.rules) < RANDOM:
        rule = made(rng, i)
        i += 1
        try:
            d = message_dfa.dfa(rule)
        except message_dfa.Conflict:
            continue
        if d.captures and len(d.states) > 2 and isinstance(put.automaton(rule), put.PutDfa):
            rule.name = f"R{len(grammar.rules)}"
            grammar.rules.append(rule)
    return module


def check_module(module: ir.Module, room: Path, vectors: str, samples: int) -> tuple[int, list[str]]:
    passed = 0
    wrong: list[str] = []
    library = compiled(module, room, vectors, ("_put.c",))
    header = (room / names.header(module)).read_text(encoding="utf-8")
    for g in module.grammars:
        for rule in (r for r in g.rules if r.kind in put.KINDS):
            name = f"{g.name}.{rule.name}"
            d = put.automaton(rule)
            if isinstance(d, str):
                if NOT_PUT.get(name, "?") not in d or f"There is no {ragel.cname(g, rule)}_put: {d}." not in header:
                    wrong.append(f"{name}: not written: {d}")
                continue
            putter = Putter(library, g, rule)
            more, bad = check_rule(putter, rule, samples)
            bad += check_examples(putter, name)
            passed, wrong = passed + more, wrong + bad
    return passed, wrong


def main() -> int:
    passed = 0
    wrong: list[str] = []
    cpu = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    with tempfile.TemporaryDirectory() as room_name:
        room = Path(room_name)
        paths = []
        for name, text in (("up", MADE_UP), ("fields", FIELDS), ("put", PUT)):
            path = room / "specs" / "made" / f"{name}.mrg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            paths.append(str(path))
        specs = sorted(str(p) for p in (ROOT / "specs").rglob("*.mrg") if "\ngrammar " in p.read_text(encoding="utf-8"))
        modules = load([*specs, *paths], [str(ROOT / "specs"), str(room / "specs")]) + [random_module()]
        for module in modules:
            for vectors, samples in VECTORS.items():
                if put.written(module) and vectors in cpu:
                    more, bad = check_module(module, room, vectors, samples)
                    passed, wrong = passed + more, wrong + bad
    for line in wrong[:20]:
        print(line[:400])
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

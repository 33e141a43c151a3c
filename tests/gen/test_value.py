#!/usr/bin/env python3
"""Generated readers of values against the reference of gen/mrg/grammar_ref.py.

Values as HTTP's fields have them, some made up and some made at random are compiled
to C. Texts that fit, nearly fit and don't are read with room for any number of
captures, before memory that can't be read: the outcome must be the reference's.
"""

from __future__ import annotations

import ctypes
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gen"))

from message_reader import STATUS, CCapture, Span, ValueReader, compiled  # noqa: E402
from mrg import ir, message_dfa  # noqa: E402
from mrg.emit.value import values  # noqa: E402
from mrg.grammar_ref import Message, Outcome  # noqa: E402
from mrg.load import load  # noqa: E402
from test_message import ROOM, VECTORS, texts  # noqa: E402
from test_message_random import NOWHERE, made  # noqa: E402

FIELDS = """\
/// Made up for the test.
module made.fields;

/// Values as HTTP's fields have them.  RFC 9110 section 5.6.
grammar Fields {
  tchar  = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA;
  text   = %x80-FF;
  quoted = DQUOTE quoted:*(WSP / %x21 / %x23-5B / %x5D-7E / text / "\\\\" (WSP / VCHAR / text)) DQUOTE;
  etag   = [weak:%s"W/"] DQUOTE etag:*(%x21 / %x23-7E / text) DQUOTE;
  range  = first:1*DIGIT "-" [last:1*DIGIT] / "-" suffix:1*DIGIT;
  coding = coding:1*tchar [*WSP ";" *WSP "q=" weight:("0" ["." *3DIGIT] / "1" ["." *3"0"])];
  param  = name:1*tchar "=" (value:1*tchar / quoted);
  auth   = name:1*tchar *WSP "=" *WSP (value:1*tchar / quoted);
  month  = month:(%s"Jan" / %s"Feb" / %s"Mar" / %s"Apr" / %s"May" / %s"Jun" / %s"Jul" / %s"Aug" / %s"Sep" / %s"Oct" / %s"Nov" / %s"Dec");
  time   = hour:2DIGIT ":" minute:2DIGIT ":" second:2DIGIT;
  /// a list of tokens, with empty elements
  value Tokens = *WSP [token:1*tchar] *(*WSP "," *WSP [token:1*tchar]) *WSP;
  /// If-Match
  value Tags = *WSP (any:"*" / [etag] *(*WSP "," *WSP [etag])) *WSP;
  /// Range
  value Range = "bytes=" *(*WSP ",") *WSP range *(*WSP "," *WSP [range]) *WSP;
  /// Content-Type
  value Media max 40 else 413 = type:1*tchar "/" subtype:1*tchar *WSP *3(";" *WSP [param] *WSP) else 400;
  /// Accept-Encoding
  value Codings = *WSP [coding] *(*WSP "," *WSP [coding]) *WSP;
  /// Authorization: which it is, is only known behind a token
  value Credentials = scheme:1*tchar
      [1*SP (token68:(1*(ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/") *"=") / [auth] *(*WSP "," *WSP [auth]) *WSP)];
  /// the three forms of dates
  value Date =
      (%s"Mon" / %s"Tue" / %s"Wed" / %s"Thu" / %s"Fri" / %s"Sat" / %s"Sun") (", " day:2DIGIT SP month SP year:4DIGIT SP time %s" GMT" /
      SP month SP (day:2DIGIT / SP day:DIGIT) SP time SP year:4DIGIT) /
      (%s"Monday" / %s"Tuesday" / %s"Wednesday" / %s"Thursday" / %s"Friday" / %s"Saturday" / %s"Sunday") ", "
      day:2DIGIT "-" month "-" short_year:2DIGIT SP time %s" GMT";
  /// Host, in the main
  value Host max 30 = [name:1*(ALPHA / DIGIT / "." / "-") / "[" address:1*(HEXDIG / ":" / ".") "]"] [":" port:*5DIGIT else 421];
}

/// Others.
grammar Others {
  /// nothing is captured
  value Plain = *("ab" / %x00) "c";
  /// which of two it is, the end tells
  value Late = number:1*DIGIT / word:(*DIGIT 1*ALPHA) / stop:(1*DIGIT ".");
  /// the same, with blanks behind it
  value LateBlank = (number:1*DIGIT / word:(1*DIGIT "x")) *WSP;
  /// where it ends, too
  value Blanks = value:(VCHAR *(*WSP VCHAR)) *WSP;
  /// three captures at one octet, and at the end
  value Empty = 1*(a:*"a" b:*"b" c:"c") / d:*"d";
  /// passed over from the first octet on
  value Open = *DIGIT;
  /// counted octets
  value Counted = 1*(name:1*20ALPHA else 7 ";");
}
"""
RANDOM = 40  # grammars made at random
SAMPLES = {("fields", ""): 60, ("fields", "ssse3"): 20, ("fields", "avx2"): 20, ("random", ""): 12}
EXAMPLES: dict[str, list[tuple[str, str, list[str]]]] = {
    "Tokens": [
        ("", "ok", []),
        (",, a ,\t, bc,", "ok", ["token a", "token bc"]),
        ("a b", "bad", ["token a"]),
    ],
    "Tags": [
        ("*", "ok", ["any *"]),
        ('"xyzzy", W/"r2d2xxxx" ,, ""', "ok", ["etag xyzzy", "weak W/", "etag r2d2xxxx", "etag "]),
        ('"xyzzy', "bad", []),
        ('*, "a"', "bad", []),
    ],
    "Range": [
        ("bytes=0-499, -500, 9500-", "ok", ["first 0", "last 499", "suffix 500", "first 9500"]),
        ("bytes=,", "bad", []),
    ],
    "Media": [
        ("text/html;charset=UTF-8", "ok", ["type text", "subtype html", "name charset", "value UTF-8"]),
        ('a/b ; c="d\\"e" ;;; f=g ', "limit", ["type a", "subtype b", "name c", 'quoted d\\"e']),
        ('a/b ; c="d\\"e" ; f=g ', "ok", ["type a", "subtype b", "name c", 'quoted d\\"e', "name f", "value g"]),
        ("a/" + "b" * 99, "limit", ["type a"]),
    ],
    "Codings": [
        ("gzip;q=1.0, identity; q=0.5, *;q=0", "ok", ["coding gzip", "weight 1.0", "coding identity", "weight 0.5", "coding *", "weight 0"]),
        ("gzip;q=1.001", "bad", ["coding gzip"]),
    ],
    "Credentials": [
        ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "ok", ["scheme Basic", "token68 QWxhZGRpbjpvcGVuIHNlc2FtZQ=="]),
        ('Digest realm="a", nc = 1', "ok", ["scheme Digest", "name realm", "quoted a", "name nc", "value 1"]),
        ("Negotiate", "ok", ["scheme Negotiate"]),
        ("Bearer abc", "ok", ["scheme Bearer", "token68 abc"]),
        ("Bearer a=b", "ok", ["scheme Bearer", "name a", "value b"]),
    ],
    "Date": [
        ("Sun, 06 Nov 1994 08:49:37 GMT", "ok", ["day 06", "month Nov", "year 1994", "hour 08", "minute 49", "second 37"]),
        ("Sunday, 06-Nov-94 08:49:37 GMT", "ok", ["day 06", "month Nov", "short_year 94", "hour 08", "minute 49", "second 37"]),
        ("Sun Nov  6 08:49:37 1994", "ok", ["month Nov", "day 6", "hour 08", "minute 49", "second 37", "year 1994"]),
        ("Sun Nov 16 08:49:37 1994", "ok", ["month Nov", "day 16", "hour 08", "minute 49", "second 37", "year 1994"]),
    ],
    "Host": [
        ("[::1]:80", "ok", ["address ::1", "port 80"]),
        ("a:123456", "limit", ["name a"]),
        ("", "ok", []),
    ],
    "LateBlank": [("12  ", "ok", ["number 12"]), ("12x ", "ok", ["word 12x"])],
}


def value_ways(reader: ValueReader, want: Outcome, text: bytes) -> list[tuple[str, bool]]:
    """The ways to read a text, and whether each comes to what the reference says."""
    checked = reader.check(text)
    ways = [("check", (checked.status, checked.end, checked.code) == (want.status, want.end, want.code))]
    if reader.dfa.captures:
        ways.append(("whole", reader.read_whole(text, ROOM) == want))
        ways += [(f"cap {cap}", reader.read_on(text, cap) == want) for cap in {reader.least, reader.least + 1, 7, ROOM}]
        ways += [(f"whole, cap {cap}", too_little(reader, text, want, cap)) for cap in {0, len(want.parts) // 2, len(want.parts) - 1}]
    return ways


def check_value(reader: ValueReader, rule: ir.Rule, samples: int) -> tuple[int, list[str]]:
    reference = Message(rule)
    passed, wrong = 0, []
    for text in texts(rule, samples):
        want = reference.read(text)
        ways = value_ways(reader, want, text)
        passed += sum(good for _, good in ways)
        wrong += [f"{rule.name}: {text!r} {way}: C does not say {want}" for way, good in ways if not good]
    return passed, wrong


def too_little(reader: ValueReader, text: bytes, want: Outcome, cap: int) -> bool:
    """Whether reading with room for less captures than there are does what it should."""
    if cap < 0 or not want.parts:
        return reader.read_whole(text, 0) == want
    got = reader.read_whole(text, cap)
    return got.status == "full" and cap - reader.least < len(got.parts) <= cap and got.parts == want.parts[: len(got.parts)]


def check_too_long(reader: ValueReader) -> list[str]:
    """More octets than a capture's length has bits for: refused at once, whatever they are; nothing of them is read."""
    at, code, count = ctypes.c_size_t(), ctypes.c_uint(), ctypes.c_size_t()
    if reader.rule.max is not None:
        return []
    span, refs = Span(reader.memory.put(b""), 1 << 32), [ctypes.byref(x) for x in (at, code)]
    said = [(STATUS[reader.check_c(span, *refs)], at.value)]
    if reader.dfa.captures:
        out = (CCapture * (reader.least + 1))()
        said.append((STATUS[reader.read(span, out, ctypes.c_size_t(reader.least + 1), ctypes.byref(count), *refs)], at.value))
    return [] if all(one == ("limit", (1 << 32) - 1) for one in said) else [f"{reader.rule.name}: of 4 GiB C says {said}"]


def check_examples(reader: ValueReader, rule: ir.Rule) -> list[str]:
    wrong = []
    for text, status, parts in EXAMPLES.get(rule.name, []):
        data = text.encode()
        got = reader.read_whole(data, ROOM)
        said = [f"{name} {data[start:end].decode()}" for name, start, end in got.parts]
        if (got.status, said) != (status, parts):
            wrong.append(f"{rule.name}: {text!r}: C says {got.status} {said}, not {status} {parts}")
    return wrong


def check_long(reader: ValueReader) -> list[str]:
    """Thousands of captures in a small array."""
    tags = [b"%d" % i for i in range(20000)]
    got = reader.read_on(b", ".join(b'"' + t + b'"' for t in tags), 5)
    same = got.status == "ok" and len(got.parts) == len(tags) and all(end - start == len(t) for (_, start, end), t in zip(got.parts, tags))
    return [] if same else [f"a list of {len(tags)} tags is not read to its end"]


def random_module() -> ir.Module:
    """Rules made at random that are no conflict."""
    rng = random.Random(9110)
    module = ir.Module("made.random", "made/random.mrg", "Made at random.", "", [])
    grammar = ir.Grammar("Random", module, NOWHERE, "", [])
    module.grammars.append(grammar)
    i = 0
    while len(grammar.rules) < RANDOM:
        rule = made(rng, i % 2)  # values
        i += 1
        try:
            d = message_dfa.dfa(rule)
        except message_dfa.Conflict:
            continue
        if d.captures and len(d.states) > 2:
            rule.name = f"R{len(grammar.rules)}"
            grammar.rules.append(rule)
    return module


def main() -> int:
    passed = 0
    wrong: list[str] = []
    cpu = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    with tempfile.TemporaryDirectory() as room_name:
        room = Path(room_name)
        path = room / "specs" / "made" / "fields.mrg"
        path.parent.mkdir(parents=True)
        path.write_text(FIELDS, encoding="utf-8")
        modules = {"fields": load([str(path)], [str(room / "specs")])[0], "random": random_module()}
        for (which, vectors), samples in SAMPLES.items():
            if vectors not in cpu:
                continue
            library = compiled(modules[which], room, vectors, ("_value.c",))
            for g in modules[which].grammars:
                for rule in values(g):
                    reader = ValueReader(library, g, rule)
                    more, bad = check_value(reader, rule, samples)
                    bad += check_examples(reader, rule) if which == "fields" else []
                    bad += check_long(reader) if rule.name == "Tags" else []
                    bad += check_too_long(reader)
                    passed, wrong = passed + more, wrong + bad
    for line in wrong[:20]:
        print(line[:1000])
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

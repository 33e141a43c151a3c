#!/usr/bin/env python3
"""Presentation format of packets that are not the DNS's: what the generated readers and printers do.

A specification made up here is compiled with a small program around it; each case is a packet, a text, and the
bytes it reads as and the text that is printed of those, or the message that refuses it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SPEC = """\
/// Made up for the test.
module made;

/// open, with a prefix
enum Kind : u16 unknown "KIND" {
  /// one
  ONE = 1;
  /// with another spelling
  TWO_B = 2 as "two-b";
  /// of two words
  THREE = 3 as "number three";
  /// a long name
  A_RATHER_LONG_NAME = 300;
  /// a range has no name
  SPARE = 1000..2000;
}

/// closed, without a prefix
enum Mode : u8 closed {
  /// off
  OFF = 0;
  /// on
  ON = 1;
}

/// Bit fields, signed, both byte orders, a derived length.
packet Mixed {
  0b10: 2;
  flag: 1;
  low: 5 in 0..20;
  little: u32le;
  signed: i16 in -100..100;
  len: u8 in 2..5 := size name;
  name: bytes(len) text string;
}

/// Not in the order of the wire, and a field that the text leaves out.
packet Order text (b, a, c) {
  a: u8;
  hidden: u8 in 3..9;
  b: u16 text hex;
  c: bytes(2) text hex;
}

/// Enums in each form.
packet Enums {
  kind: Kind;
  number: Kind text dec;
  mode: Mode;
  moded: Mode text dec;
}

/// A constant with a name is in the text, and must be right.
packet Fixed {
  version: u8 = 4;
  kind: u8;
}

/// What is there depends on a flag, and on what is left.
packet Maybe {
  has: u8 in 0..1;
  extra: u16 if has == 1;
  more: u32 text ip4 if avail > 0;
}

/// Counts and lists.
packet Lists {
  count: u8 in 1..3 := count items;
  items: list u16 count count;
}

/// Tags without a default.
packet Choice {
  tag: u8;
  value: switch tag {
    1 => small: u8;
    2 => pair: Enums;
    3 => none: empty;
    4..6 => raw: bytes(3) text hex;
  } text gateway;
}

/// Things of other protocols.
packet Hardware {
  mac: bytes(6) text eui48;
  when: u32 text time;
  every: u32 text ttl;
  at: bytes(16) text ip6;
}

/// Constraints across fields are the packet's own check's.
packet Across {
  a: u8;
  b: u8;
  where b >= a "b is not below a";
}

/// Constants in a run of bits that is wider than a literal.
packet Wide {
  0b1010: 4;
  high: 20;
  3: 2;
  low: 38;
}

/// Bytes up to a terminator.
packet Until {
  name: bytes until 0x00 max 4 text string;
  tail: rest text base64;
}

/// Two fields of the same length.
packet Alike {
  len: u8;
  a: bytes(len) text hex;
  b: bytes(len) text hex;
  c: u8;
}

/// All words that there are, of which there is one.
packet Words {
  len: u8 in 1..3 := size octets;
  octets: bytes(len) text hex;
}

/// The same, or nothing, of which the length is out of range.
packet Perhaps {
  len: u8 in 1..3 := size octets;
  has: u8 in 0..1;
  octets: bytes(len) text hex if has == 1;
}

/// One word, which says that there are none by a dash.
packet Dash {
  len: u8 in 1..3 := size octets;
  octets: bytes(len) text hex;
  last: u8;
}
"""
PACKETS = "Mixed Order Enums Fixed Maybe Lists Choice Hardware Across Wide Until Alike Words Perhaps Dash".split()

# packet, text, bytes, what is printed (None: the text); or packet, text, "!", message
CASES: list[tuple[str, str, str, str | None]] = [
    ("Mixed", '1 20 305419896 -100 "abc"', "b478563412ff9c03616263", None),
    ("Mixed", "0 0 0 100 \\065b", "80000000000064024162", '0 0 0 100 "Ab"'),
    ("Alike", "0102 03F4 5", "02010203f405", None),
    ("Alike", "0102 03 5", "!", "b: octets must be in 2..2: '03'"),
    ("Alike", "- - 5", "0005", None),
    ("Words", "01", "0101", None),
    ("Words", "0102 03", "03010203", "010203"),
    ("Words", "0102 0304", "!", "octets: octets must be in 1..3: '0102'"),
    ("Words", "", "!", "octets: missing"),
    ("Words", '""', "!", "octets: must not be quoted"),
    ("Words", "0", "!", "octets: an odd number"),
    ("Perhaps", "1 01", "010101", None),
    ("Perhaps", "1 01020304", "!", "octets: octets must be in 1..3"),
    ("Perhaps", "0", "!", "octets: octets must be in 1..3"),
    ("Dash", "0102 5", "02010205", None),
    ("Dash", "- 5", "!", "octets: octets must be in 1..3"),
    ("Enums", "number-three 3 ON 1", "0003" "0003" "01" "01", None),
    ("Mixed", "0 21 0 0 ab", "!", "low: must be in 0..20: '21'"),
    ("Mixed", "0 1 0 101 ab", "!", "signed: number out of range: '101'"),
    ("Mixed", "0 1 0 1 a", "!", "name: octets must be in 2..5: 'a'"),
    ("Mixed", "0 1 0 1 abcdef", "!", "name: octets must be in 2..5: 'abcdef'"),
    ("Mixed", "0 1 0 1", "!", "name: missing"),
    ("Mixed", "0 1 0 1 ab c", "!", "more than this record has: 'c'"),
    ("Mixed", "2 1 0 1 ab", "!", "flag: must be in 0..1: '2'"),
    ("Order", "00FF 7 abcd", "070300ffabcd", "00FF 7 ABCD"),
    ("Order", "x 7 abcd", "!", "b: not a hexadecimal number: 'x'"),
    ("Order", "0 7 ab", "!", "c: octets must be in 2..2: 'ab'"),
    ("Enums", "ONE 2 OFF 1", "0001000200" + "01", None),
    ("Enums", "TWO-B two-b on ON", "00020002" + "0101", "two-b 2 ON 1"),
    ("Enums", "a_rather_long_name 300 OFF OFF", "012c012c" + "0000", "A_RATHER_LONG_NAME 300 OFF 0"),
    ("Enums", "KIND7 KIND65535 OFF 0", "0007ffff" + "0000", "KIND7 65535 OFF 0"),
    ("Enums", "KIND1000 7 OFF 0", "03e80007" + "0000", None),
    ("Enums", "SPARE 7 OFF 0", "!", "kind: not a known name: 'SPARE'"),
    ("Enums", "KIND65536 7 OFF 0", "!", "kind: not a known name: 'KIND65536'"),
    ("Enums", "ONE 2 MAYBE 0", "!", "mode: not a known name: 'MAYBE'"),
    ("Enums", "ONE 2 OFF 2", "!", "moded: "),
    ("Fixed", "4 9", "0409", None),
    ("Fixed", "5 9", "!", "version: "),
    ("Maybe", "0", "00", None),
    ("Maybe", "1 258", "010102", None),
    ("Maybe", "1 258 1.2.3.4", "01010201020304", None),
    ("Maybe", "0 1.2.3.4", "0001020304", None),
    ("Maybe", "1", "!", "extra: missing"),
    ("Lists", "1 2 3", "03000100020003", None),
    ("Lists", "1 2 3 4", "!", "items: the number of them must be in 1..3"),
    ("Lists", "", "!", "items: the number of them must be in 1..3"),
    ("Choice", "1 255", "01ff", None),
    ("Choice", "2 ONE 2 OFF 1", "02000100020001", None),
    ("Choice", "3 .", "03", None),
    ("Choice", "3 x", "!", "value: must be .: 'x'"),
    ("Choice", "5 010203", "05010203", None),
    ("Choice", "5 0102", "!", "value: octets must be in 3..3"),
    ("Choice", "7 0102", "!", "value: no alternative for this value"),
    ("Choice", "2 ONE 2 NEVER 1", "!", "value.mode: not a known name: 'NEVER'"),
    ("Hardware", "00-1B-c6-01-02-03 20010909014640 1h 2001:db8:0:0:1::", "001bc60102033b9aca00" + "00000e10" + "20010db8000000000001000000000000",
     "00-1b-c6-01-02-03 20010909014640 3600 2001:db8:0:0:1::"),
    ("Hardware", "00-1B-c6-01-02 0 0 ::", "!", "mac: not six pairs"),
    ("Hardware", "00-1B-c6-01-02-03 20010229000000 0 ::", "!", "when: not a time"),
    ("Across", "1 1", "0101", None),
    ("Across", "2 1", "!", "b is not below a"),
    ("Wide", "74565 68719476736", "a12345d0" + "00000000", None),
    ("Until", "abcd AAAA", "6162636400000000", '"abcd" AAAA'),
    ("Until", "abcde AAAA", "!", ""),
    ("Until", "a\\000b AAAA", "!", "name: has in it the octet that ends it"),
]

PROGRAM_HEAD = """\
#include <stdio.h>
#include <string.h>
#include "made_text.h"

static struct mrg_span line_span(char *line)
{
	line[strcspn(line, "\\n")] = '\\0';
	return (struct mrg_span){ (const uint8_t *)line, strlen(line) };
}
"""
PROGRAM_PACKET = """\

static void one_%(snake)s(char *line)
{
	uint8_t b[512], text[2048];
	char why[300];
	struct mrg_text t;
	struct mrg_w w;
	struct mrg_reject rj;
	mrg_w_init(&w, b, sizeof b);
	mrg_text_line(&t, line_span(line), (struct mrg_span){ 0 });
	if (%(name)s_from_text(&t, &w, &rj) != MRG_OK) {
		printf("!|%%s\\n", mrg_text_message(&t, why, sizeof why));
		return;
	}
	for (size_t i = 0; i < w.len; i++)
		printf("%%02x", b[i]);
	for (size_t cap = 0; cap < w.len; cap++) {
		uint8_t little[512];
		struct mrg_w less;
		mrg_w_init(&less, little, cap);
		mrg_text_line(&t, line_span(line), (struct mrg_span){ 0 });
		if (%(name)s_from_text(&t, &less, NULL) != MRG_E_SPACE || less.len != 0) {
			printf("|room for %%zu octets: %%zu are left\\n", cap, less.len);
			return;
		}
	}
	struct %(name)s v;
	if (%(name)s_check(mrg_w_span(&w, 0), &v, NULL) != MRG_OK || v.len != w.len) {
		printf("|does not check\\n");
		return;
	}
	mrg_w_init(&w, text, sizeof text);
	%(name)s_to_text(&v, &w);
	printf("|%%.*s\\n", (int)w.len, (const char *)text);
}
"""
FLAGS = "-std=c11 -O1 -g -Wall -Wextra -Wconversion -Wshadow -Wcast-qual -Wvla -Werror -fsanitize=address,undefined".split()


def program() -> str:
    out = PROGRAM_HEAD
    for p in PACKETS:
        out += PROGRAM_PACKET % {"snake": p.lower(), "name": f"mrg_made_{p.lower()}"}
    out += "\nint main(void)\n{\n\tchar line[1000];\n\twhile (fgets(line, sizeof line, stdin) != NULL) {\n"
    out += "\t\tchar *rest = strchr(line, ' ');\n\t\tif (rest == NULL)\n\t\t\treturn 1;\n\t\t*rest++ = '\\0';\n"
    for p in PACKETS:
        out += f'\t\tif (strcmp(line, "{p}") == 0)\n\t\t\tone_{p.lower()}(rest);\n'
    return out + "\t}\n\treturn 0;\n}\n"


def build(room: Path) -> Path:
    spec = room / "made.mrg"
    spec.write_text(SPEC, encoding="utf-8")
    out = room / "out"
    subprocess.run([sys.executable, str(ROOT / "bin" / "mrg"), "c", "-o", str(out), str(spec)], check=True)
    (out / "main.c").write_text(program(), encoding="utf-8")
    sources = sorted(str(p) for p in out.glob("*.c"))
    subprocess.run(["cc", *FLAGS, "-I", str(out), "-o", str(room / "made"), *sources], check=True)
    return room / "made"


def main() -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as room_name:
        binary = build(Path(room_name))
        lines = "".join(f"{packet} {text}\n" for packet, text, _, _ in CASES)
        done = subprocess.run([str(binary)], input=lines, capture_output=True, text=True, check=False)
        got = done.stdout.splitlines()
        if done.returncode != 0 or len(got) != len(CASES):
            print(done.stderr[:2000])
            print(f"the program stopped after {len(got)} of {len(CASES)} cases")
            failed += 1
        for (packet, text, want, shown), line in zip(CASES, got):
            data, _, rest = line.partition("|")
            right = data == want and (rest.startswith(shown or "") if want == "!" else rest == (text if shown is None else shown))
            if not right:
                failed += 1
                print(f"{packet}: {text!r}: got {line!r}, not {want!r} and {shown!r}")
    print(f"{len(CASES) - min(failed, len(CASES))} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

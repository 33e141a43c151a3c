#!/usr/bin/env python3
"""Streams cut for AFLNet: where each message of a stream ends is known here; and whatever the stream, its regions cover it."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import BUILD, OUT, ROOT, Report, run  # noqa: E402

sys.path.insert(0, str(ROOT / "gen"))
from mrg import load  # noqa: E402
from mrg.emit import streams  # noqa: E402

LITTLE = """/// A length of two octets, the lowest first.
module little;

/// What an answer is
enum Answer: u8 {
  /// good
  YES = 1;
  /// bad
  NO = 2;
}

/// The octets
packet Body { answer: u8 Answer; rest_of_it: rest; }

/// Five octets before them, which the length does not count
packet Frame { magic: u16 = 0x4d52; length: u16le := size body; flags: u8; body: Body within length; }

/// Octets that say nothing of a state are of no use.
packet Plain { length: u16 := size octets; octets: bytes(length); }
"""

DRIVER = r"""
#include "mrg_aflnet.h"
#include "mrg_fuzz_guard.h"
#include "mrg_fuzz.h"
#include <stdio.h>
#define KIND(x) { #x, extract_requests_##x, extract_response_codes_##x },
#define DECLARE(x) region_t *extract_requests_##x(unsigned char *, unsigned, unsigned *); \
	unsigned *extract_response_codes_##x(unsigned char *, unsigned, unsigned *);
DECLARE(dns_message_tcp_message) DECLARE(http_message_http1) DECLARE(little_frame)
static const struct kind {
	const char *name;
	region_t *(*requests)(unsigned char *, unsigned, unsigned *);
	unsigned *(*states)(unsigned char *, unsigned, unsigned *);
} kinds[] = { KIND(dns_message_tcp_message) KIND(http_message_http1) KIND(little_frame) };

/* Regions in their order cover all. */
static int covered(const region_t *r, unsigned count, unsigned len)
{
	unsigned at = 0;
	for (unsigned i = 0; i < count; at = (unsigned)r[i++].end_byte + 1)
		if ((unsigned)r[i].start_byte != at || r[i].end_byte < r[i].start_byte)
			return 0;
	return at == len;
}

int main(int argc, char **argv)
{
	static uint8_t in[1 << 16], changed[1 << 16];
	struct mrg_guard g;
	const unsigned len = (unsigned)fread(in, 1, sizeof in, stdin);
	struct mrg_rng rng = mrg_rng_of(5);
	unsigned n, bad = 0;
	if (argc != 2 || !mrg_guard_open(&g, sizeof in))
		return 2;
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		if (strcmp(kinds[k].name, argv[1]) != 0)
			continue;
		uint8_t *p = (uint8_t *)(uintptr_t)mrg_guard_end(&g, in, len);
		region_t *const r = kinds[k].requests(p, len, &n);
		printf("regions");
		for (unsigned i = 0; i < n; i++)
			printf(" %d", r[i].end_byte - r[i].start_byte + 1);
		bad += !covered(r, n, len);
		free(r);
		unsigned *const s = kinds[k].states(p, len, &n);
		printf("\nstates");
		for (unsigned i = 0; i < n; i++)
			printf(" %u", s[i]);
		free(s);
		for (unsigned t = 0; t < 3000 && len > 0; t++) {
			const unsigned cut = (unsigned)mrg_rng_below(&rng, len) + 1;
			memcpy(changed, in, cut);
			for (unsigned i = 0; i < 3; i++)
				changed[mrg_rng_below(&rng, cut)] = (uint8_t)(t % 2 ? mrg_rng_next(&rng) : (uint64_t)"\r\n0:; "[mrg_rng_below(&rng, 6)]);
			p = (uint8_t *)(uintptr_t)mrg_guard_end(&g, changed, cut);
			region_t *const c = kinds[k].requests(p, cut, &n);
			bad += !covered(c, n, cut);
			free(c);
			free(kinds[k].states(p, cut, &n));
		}
		printf("\nbad %u\n", bad);
		return 0;
	}
	return 2;
}
"""


def dns(flags: int, octets: bytes = b"") -> bytes:
    message = struct.pack(">HHHHHH", 77, flags, 0, 0, 0, 0) + octets
    return struct.pack(">H", len(message)) + message


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\ncontent-LENGTH: 5\r\nHost: a\r\n\r\nhello"
CHUNKED = (b"PUT /y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n"
           b"4\r\n\r\n\r\n\r\n" b"1a;x=y\r\n" + b"z" * 26 + b"\r\n" b"0\r\nTrailer: x\r\n\r\n")  # fmt: skip
BROKEN = b"GET\x00/ HTTP/1.1\r\nHost: a\r\n\r\n"
TWO_LENGTHS = b"GET / HTTP/1.1\r\nContent-Length: 3x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"
NONE = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PIECES = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
TO_THE_END = b"HTTP/1.0 404 Not Found\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"


def frame(answer: int, octets: bytes = b"") -> bytes:
    return struct.pack(">H", 0x4D52) + struct.pack("<H", 1 + len(octets)) + b"\0" + bytes([answer]) + octets


# kind, messages, states of them as answers; None: not asked
SPLIT = [
    ("dns_message_tcp_message", [dns(0x0100), dns(0x8003, b"x" * 300), dns(0x8180), dns(0x2805)], [0, 0x100, 0x103, 0x100, 0x155]),
    ("dns_message_tcp_message", [dns(0x8002), dns(0x8183)[:-3]], [0, 0x102, 0x103]),  # the last is cut
    ("dns_message_tcp_message", [b"\0\0", b"\0\1a", dns(0x8001), b"\0"], [0, 0x101]),  # messages of nothing, and of too little
    ("little_frame", [frame(1), frame(2, b"abc"), frame(1)], [0, 0x101, 0x102, 0x101]),
    ("http_message_http1", [GET, POST, CHUNKED, GET, b"\r\n" + GET], None),
    ("http_message_http1", [GET, BROKEN, POST, TWO_LENGTHS, GET], None),
    ("http_message_http1", [GET, POST[:-2]], None),
    ("http_message_http1", [CHUNKED[:-30]], None),
    ("http_message_http1", [GET, b"GET / HT"], None),
]
ANSWERS = [
    ([CONTINUE, OK, NONE, PIECES, TO_THE_END], [0, 100, 200, 304, 201, 404]),
    ([OK, b"no answer\r\n\r\n", OK], [0, 200, 200]),
    ([], [0]),
]  # fmt: skip


def build(report: Report, room: Path) -> Path | None:
    (room / "little.mrg").write_text(LITTLE)
    folder, program, support = room / "made", room / "driver", ROOT / "gen" / "support"
    told = run(ROOT / "bin/mrg", "fuzz", room / "little.mrg", "-o", folder)
    report.check("mrg fuzz", told.returncode == 0, told.stdout)
    # Those of our own have their C in the libraries already.
    for module in load.load([str(ROOT / "specs" / f) for f in ("dns/message.mrg", "http/message.mrg", "net/udp.mrg")]):
        text = streams.source(module)
        if text is not None and module.name in ("dns.message", "http.message", "net.udp"):
            (folder / f"aflnet_{module.name.replace('.', '_')}.c").write_text(text)
    files = sorted(p.name for p in folder.glob("aflnet_*.c"))
    report.check("those that have streams", files == ["aflnet_dns_message.c", "aflnet_http_message.c", "aflnet_little.c"], str(files))
    text = "".join((folder / f).read_text() for f in files)
    report.check("and of those what tells of a state", "plain" not in text and "tcp_frame" not in text)
    (room / "driver.c").write_text(DRIVER)
    done = run("gcc", *"-std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -Wall -Wextra -Wconversion -Werror".split(),
               "-I", folder, "-I", ROOT / OUT / "gen", "-I", support, "-I", support / "fuzz", "-o", program, room / "driver.c",
               *(folder / f for f in files), support / "fuzz/mrg_stream.c", support / "fuzz/mrg_fuzz_guard.c",
               "-Wl,--start-group", *sorted((BUILD / "lib").glob("libmrg-*.a")), BUILD / "lib/libmrg.a", "-Wl,--end-group")  # fmt: skip
    return program if report.check("it builds", done.returncode == 0, done.stdout) else None


def cut(program: Path, kind: str, octets: bytes) -> dict[str, list[int]]:
    done = subprocess.run([program, kind], input=octets, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout.decode(errors="replace")
    return {m[1]: [int(n) for n in m[2].split()] for m in re.finditer(r"^(regions|states|bad)(.*)$", said, re.M)} or {said: []}


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        program = build(report, Path(name))
        if program is not None:
            for kind, messages, states in SPLIT:
                told = cut(program, kind, b"".join(messages))
                label = f"{kind}: {[len(m) for m in messages]}"
                report.check(label, told.get("regions") == [len(m) for m in messages] and told.get("bad") == [0], str(told))
                if states is not None:
                    report.check(f"{label}: {states}", told.get("states") == states, str(told))
            for messages, states in ANSWERS:
                told = cut(program, "http_message_http1", b"".join(messages))
                report.check(f"answers: {states}", told.get("states") == states and told.get("bad") == [0], str(told))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Work grows as the input does: blocks of code that run, counted by the calls that -fsanitize-coverage=trace-pc puts into each.

For every shape of input, which may be one that tempts a reader to go back, and for each of three lengths, the whole text is read, or
is given octet by octet. Twice the octets may take twice the blocks, and a few more; and there is a number that no octet may cost.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parents[2]))
from report import OUT, ROOT, Report  # noqa: E402

PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include "http/message.h"
#include "protocols/http/body.h"
#include "protocols/http/coding.h"
#include "protocols/http/condition.h"
#include "protocols/http/path.h"
#include "protocols/http/range.h"
#include "protocols/http/request.h"
#include "protocols/http/response.h"

static unsigned long blocks;
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void) { blocks++; }

static uint8_t in[1 << 20], out[1 << 20];
static struct mrg_http_request r;

static int body(struct mrg_span all, size_t piece)
{
	struct mrg_http_body_reader b;
	struct mrg_http_body_got got;
	enum mrg_status st = MRG_MORE;
	mrg_http_body_begin(&b, MRG_HTTP_BODY_CHUNKED, 0, UINT64_MAX);
	while (st == MRG_MORE && all.len != 0) {
		struct mrg_span some = { all.p, all.len < piece ? all.len : piece };
		const size_t len = some.len;
		do
			st = mrg_http_body_next(&b, &some, &got);
		while (st == MRG_MORE && some.len != 0);
		all = (struct mrg_span){ all.p + len, all.len - len };
	}
	return st;
}

static int drip(struct mrg_span all)
{
	static struct mrg_http_http1_request_stream s;
	enum mrg_status st = MRG_MORE;
	mrg_http_http1_request_begin(&s);
	for (size_t i = 0; i < all.len && st == MRG_MORE; i++) {
		struct mrg_span one = { all.p + i, 1 };
		struct mrg_part parts[8];
		size_t count;
		st = mrg_http_http1_request_feed(&s, &one, parts, 8, &count);
	}
	return st;
}

static int read_it(const char *kind, struct mrg_span all)
{
	size_t len;
	if (strcmp(kind, "body") == 0)
		return body(all, all.len);
	if (strcmp(kind, "body-drip") == 0)
		return body(all, 1);
	if (strcmp(kind, "drip") == 0)
		return drip(all);
	if (strcmp(kind, "response") == 0) {
		static struct mrg_http_response a;
		return mrg_http_response_read(all, MRG_HTTP_METHOD_GET, &a, &len);
	}
	if (strcmp(kind, "path") == 0) {
		struct mrg_w w;
		bool folder;
		mrg_w_init(&w, out, sizeof out);
		return mrg_http_path_names(all, &w, &folder) ? MRG_OK : MRG_E_TEXT;
	}
	const int st = mrg_http_request_read(all, &r, &len);
	if (strcmp(kind, "fields") == 0 && st == MRG_OK) { /* all that looks at them */
		static const struct mrg_http_validators v = { { (const uint8_t *)"\"x\"", 3 }, true, 5, 9 };
		struct mrg_http_codings codings;
		struct mrg_http_range ranges[MRG_HTTP_RANGES_MAX];
		size_t count;
		mrg_http_codings(&r, &codings);
		(void)mrg_http_condition(&r, &v);
		(void)mrg_http_condition_range(&r, &v);
		const struct mrg_http_field_line *const f = mrg_http_request_field(&r, MRG_HTTP_FIELD_RANGE, NULL);
		if (f != NULL)
			(void)mrg_http_ranges(f->value, 100000, ranges, &count);
	}
	return st;
}

/* Its kind, how many octets there are, then these. */
int main(void)
{
	char kind[20];
	size_t len;
	while (scanf("%19s %zu", kind, &len) == 2 && getchar() == '\n' && fread(in, 1, len, stdin) == len) {
		blocks = 0;
		const int st = read_it(kind, (struct mrg_span){ in, len });
		printf("%d %lu\n", st, blocks);
	}
	return 0;
}
"""

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"
AN_OCTET = 45  # blocks; the most that one may cost

# kind, what repeats between what is before and behind it, and how often at most
SHAPES: list[tuple[str, bytes, bytes, bytes, int]] = [
    ("request", b"GET /", b"a", b" HTTP/1.1\r\nHost: a\r\n\r\n", 7900), ("request", b"GET /", b"%41", b" HTTP/1.1\r\nHost: a\r\n\r\n", 2600),
    ("request", b"GET http://", b"a", b"/ HTTP/1.1\r\nHost: a\r\n\r\n", 7900), ("request", b"GET /?", b"?", b" HTTP/1.1\r\nHost: a\r\n\r\n", 7900),
    ("request", b"GET / HTTP/1.1\r\nHost: ", b"a", b"\r\n\r\n", 60000), ("request", b"GET / HTTP/1.1\r\nHost: ", b"1.", b"\r\n\r\n", 30000),
    ("request", b"GET / HTTP/1.1\r\nHost: ", b"%41", b"\r\n\r\n", 20000),
    ("request", HEAD + b"X: ", b"y", b"\r\n\r\n", 60000), ("request", HEAD + b"X: ", b"y ", b"z\r\n\r\n", 30000),
    ("request", HEAD + b"X:", b" ", b"\r\n\r\n", 60000),
    ("request", HEAD, b"Y", b": z\r\n\r\n", 60000), ("request", HEAD, b"Content-Lengtx: 1\r\n", b"\r\n", 96),
    ("request", HEAD, b"a:\r\n", b"\r\n", 96),
    ("request", HEAD + b"Connection: ", b"a,", b"close\r\n\r\n", 30000), ("request", HEAD + b"Connection: ", b" ,\t", b"\r\n\r\n", 20000),
    ("request", HEAD + b"Transfer-Encoding: ", b",", b"chunked\r\n\r\n", 60000), ("request", HEAD + b"Content-Length: ", b"0", b"5\r\n\r\n", 60000),
    ("request", HEAD, b"Connection: " + b"a," * 300 + b"\r\n", b"\r\n", 96), ("request", HEAD + b"Expect: ", b"100-continue, ", b"\r\n\r\n", 4000),
    ("drip", HEAD + b"X: ", b"y", b"\r\n\r\n", 60000), ("drip", HEAD + b"X:", b" ", b"\r\n\r\n", 60000), ("drip", HEAD, b"Y", b": z\r\n\r\n", 60000),
    ("drip", HEAD + b"X: ", b"y ", b"z\r\n\r\n", 30000), ("drip", HEAD, b"a:\r\n", b"\r\n", 96), ("drip", b"GET /", b"a", b" HTTP/1.1\r\n\r\n", 7900),
    ("response", b"HTTP/1.1 200 ", b"a ", b"\r\n\r\n", 30000), ("response", b"HTTP/1.1 200 OK\r\nX: ", b"y ", b"\r\n\r\n", 30000),
    ("response", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: ", b"a;b=\"c\" ,", b"chunked\r\n\r\n", 6000),
    *[(kind, *text) for kind in ("body", "body-drip") for text in (
        (b"", b"1\r\nx\r\n", b"0\r\n\r\n", 20000), (b"", b"1;a=\"\\\"\"\r\nx\r\n", b"0\r\n\r\n", 9000), (b"0;a=\"", b"\\a", b"\"\r\n\r\n", 2000),
        (b"0;", b"a", b"\r\n\r\n", 4000), (b"0", b" ", b";a\r\n\r\n", 4000), (b"0\r\nA: ", b"b ", b"\r\n\r\n", 30000),
    (b"0\r\n", b"A:\r\n", b"\r\n", 96),
        (b"ffff\r\n", b"x", b"", 60000))],
    ("fields", HEAD + b"Range: bytes=", b"0-0,", b"1-1\r\n\r\n", 15000), ("fields", HEAD + b"Range: bytes=", b",", b"1-1\r\n\r\n", 60000),
    ("fields", HEAD + b"Range: bytes=", b"9", b"-\r\n\r\n", 60000), ("fields", HEAD + b"If-None-Match: ", b'"a", ', b'"x"\r\n\r\n', 12000),
    ("fields", HEAD + b"If-Match: ", b'W/"x",', b'"x"\r\n\r\n', 10000), ("fields", HEAD, b'If-None-Match: "' + b"a" * 500 + b'"\r\n', b"\r\n", 96),
    ("fields", HEAD + b'If-None-Match: "', b"a", b'"\r\n\r\n', 60000), ("fields", HEAD + b"Accept-Encoding: ", b"a;q=0.1,", b"gzip\r\n\r\n", 7500),
    ("fields", HEAD, b"Accept-Encoding: " + b"a," * 200 + b"\r\n", b"\r\n", 96), ("fields", HEAD + b"If-Modified-Since: ", b" a", b"\r\n\r\n", 30000),
    ("path", b"/", b"a/../", b"", 12000), ("path", b"/", b"%2e%2e/", b"", 8000), ("path", b"/", b"a", b"", 60000), ("path", b"", b"/", b"", 60000),
    ("path", b"/", b"%41", b"", 20000), ("path", b"/a/b/c/d/e/f/g/h/", b"i/../", b"", 12000),
]


def built(room: Path) -> Path:
    """The program: what is counted, and what counts."""
    (room / "cost.c").write_text(PROGRAM)
    (room / "protocols").symlink_to(ROOT / "protocols")
    (room / "mrg_rt.h").symlink_to(ROOT / "runtime/mrg_rt.h")
    flags = ["gcc", "-std=c11", "-O2", "-w", "-I", str(ROOT / "gen/support"), "-I", str(ROOT / OUT / "gen"), "-I", str(room), "-c"]
    subprocess.run([*flags, "cost.c"], cwd=room, check=True)
    names = [f"protocols/http/{n}.c" for n in ("request", "response", "framing", "body", "coding", "condition", "range", "path", "date")]
    made = [p for p in sorted((ROOT / OUT / "gen/http").glob("*.c")) if not p.stem.endswith("_machine")]  # their deeds are nobody's here
    sources = [ROOT / n for n in names] + made + [ROOT / OUT / "gen/iana/http.c"]
    subprocess.run([*flags, "-fsanitize-coverage=trace-pc", *map(str, sources)], cwd=room, check=True)
    subprocess.run(["gcc", "-o", "cost", *[p.name for p in room.glob("*.o")]], cwd=room, check=True)
    return room / "cost"


def main() -> int:
    report = Report()
    texts = [(kind, before + again * (most // part) + behind) for kind, before, again, behind, most in SHAPES for part in (4, 2, 1)]
    if not report.check("gcc is installed (make deps)", shutil.which("gcc") is not None):
        return report.finish()
    with tempfile.TemporaryDirectory() as room:
        told = b"".join(f"{kind} {len(text)}\n".encode() + text for kind, text in texts)
        done = subprocess.run([built(Path(room))], input=told, capture_output=True, check=True)
    rows = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    report.check("all were read", len(rows) == len(texts), f"{len(rows)} of {len(texts)}")
    for i, (kind, before, again, _, most) in enumerate(SHAPES):
        (a, few), (b, twice), (c, four) = rows[i * 3:i * 3 + 3]
        what = f"{kind}: {before[-30:]!r} {again[:20]!r} * {most}"
        report.check(f"{what}: the same comes of it", a == b == c, f"{a} {b} {c}")
        report.check(f"{what}: twice the work at most", four - twice <= 2.1 * (twice - few) + 200, f"blocks: {few}, {twice}, {four}")
        size = len(texts[i * 3 + 2][1])
        report.check(f"{what}: of an octet", 0 < four <= AN_OCTET * size, f"{four} blocks for {size} octets")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

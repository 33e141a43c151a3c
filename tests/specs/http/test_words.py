#!/usr/bin/env python3
"""The registries of specs/iana/http.mrg against the tables of the RFCs, and the fields that a server meets."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "gen")]

from mrg import ir, words  # noqa: E402
from mrg.load import load  # noqa: E402
from report import Report  # noqa: E402

# RFC 9110 section 18.2
METHODS = "CONNECT 9.3.6, DELETE 9.3.5, GET 9.3.1, HEAD 9.3.2, OPTIONS 9.3.7, POST 9.3.3, PUT 9.3.4, TRACE 9.3.8"
# the registry that it leads to, beside those
MORE_METHODS = """ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE
MOVE ORDERPATCH PATCH PRI PROPFIND PROPPATCH QUERY REBIND REPORT SEARCH UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL"""
# RFC 9110 section 18.3 without what is unused; sections 15.2 to 15.6 in order
STATUSES = {
    2: "100 Continue, 101 Switching Protocols",
    3: "200 OK, 201 Created, 202 Accepted, 203 Non-Authoritative Information, 204 No Content, 205 Reset Content, 206 Partial Content",
    4: "300 Multiple Choices, 301 Moved Permanently, 302 Found, 303 See Other, 304 Not Modified, 305 Use Proxy, 306 -, "
    "307 Temporary Redirect, 308 Permanent Redirect",
    5: "400 Bad Request, 401 Unauthorized, 402 Payment Required, 403 Forbidden, 404 Not Found, 405 Method Not Allowed, 406 Not Acceptable, "
    "407 Proxy Authentication Required, 408 Request Timeout, 409 Conflict, 410 Gone, 411 Length Required, 412 Precondition Failed, "
    "413 Content Too Large, 414 URI Too Long, 415 Unsupported Media Type, 416 Range Not Satisfiable, 417 Expectation Failed, 418 -, "
    "421 Misdirected Request, 422 Unprocessable Content, 426 Upgrade Required",
    6: "500 Internal Server Error, 501 Not Implemented, 502 Bad Gateway, 503 Service Unavailable, 504 Gateway Timeout, 505 HTTP Version Not Supported",
}
MORE_STATUSES = "102 103 104 207 208 226 423 424 425 428 429 431 451 506 507 508 510 511"
# RFC 9110 section 18.4, RFC 9111 section 8.1, RFC 9112 section 12.1
FIELDS = {
    9110: "Accept 12.5.1, Accept-Charset 12.5.2, Accept-Encoding 12.5.3, Accept-Language 12.5.4, Accept-Ranges 14.3, Allow 10.2.1, "
    "Authentication-Info 11.6.3, Authorization 11.6.2, Connection 7.6.1, Content-Encoding 8.4, Content-Language 8.5, Content-Length 8.6, "
    "Content-Location 8.7, Content-Range 14.4, Content-Type 8.3, Date 6.6.1, ETag 8.8.3, Expect 10.1.1, From 10.1.2, Host 7.2, If-Match 13.1.1, "
    "If-Modified-Since 13.1.3, If-None-Match 13.1.2, If-Range 13.1.5, If-Unmodified-Since 13.1.4, Last-Modified 8.8.2, Location 10.2.2, "
    "Max-Forwards 7.6.2, Proxy-Authenticate 11.7.1, Proxy-Authentication-Info 11.7.3, Proxy-Authorization 11.7.2, Range 14.2, Referer 10.1.3, "
    "Retry-After 10.2.3, Server 10.2.4, TE 10.1.4, Trailer 6.6.2, Upgrade 7.8, User-Agent 10.1.5, Vary 12.5.5, Via 7.6.3, WWW-Authenticate 11.6.1",
    9111: "Age 5.1, Cache-Control 5.2, Expires 5.3, Pragma 5.4, Warning 5.5",
    9112: "Close 9.6, Transfer-Encoding 6.1",
}
MORE_FIELDS = """Content-Digest Repr-Digest Want-Content-Digest Want-Repr-Digest Cookie Set-Cookie Strict-Transport-Security Alt-Svc Alt-Used Accept-CH
CDN-Cache-Control Priority Early-Data Forwarded Content-Disposition Link Origin Keep-Alive Proxy-Connection HTTP2-Settings Last-Event-ID
Access-Control-Allow-Credentials Access-Control-Allow-Headers Access-Control-Allow-Methods Access-Control-Allow-Origin Access-Control-Expose-Headers
Access-Control-Max-Age Access-Control-Request-Headers Access-Control-Request-Method Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User
Cross-Origin-Resource-Policy Content-Security-Policy Content-Security-Policy-Report-Only X-Content-Type-Options X-Frame-Options X-Forwarded-For
X-Forwarded-Host X-Forwarded-Proto X-Real-IP X-Request-ID X-Requested-With DNT Upgrade-Insecure-Requests Save-Data Sec-CH-UA Sec-CH-UA-Mobile
Sec-CH-UA-Platform Sec-WebSocket-Accept Sec-WebSocket-Extensions Sec-WebSocket-Key Sec-WebSocket-Protocol Sec-WebSocket-Version Traceparent Tracestate"""
# RFC 9110 section 18.6, RFC 9112 section 12.3
CODINGS = {"compress": "compress", "x-compress": "compress", "gzip": "gzip", "x-gzip": "gzip"} | {n: n for n in ("deflate", "identity", "chunked", "trailers")}
# RFC 9111 section 8.3
DIRECTIVES = """max-age max-stale min-fresh must-revalidate must-understand no-cache no-store no-transform only-if-cached private proxy-revalidate
public s-maxage"""
MEDIA = {
    "html": "text/html; charset=utf-8",
    "HTM": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "json": "application/json",
    "jpeg": "image/jpeg",
    "JPG": "image/jpeg",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
    "gz": "application/gzip",
    "mp4": "video/mp4",
    "wasm": "application/wasm",
}


class Registry:
    """An enum as the C has it: words to members."""

    def __init__(self, enum: ir.Enum) -> None:
        self.enum = enum
        self.meanings = words.meanings(enum)

    def member(self, word: str) -> ir.Member | None:
        return self.meanings.get(words.folded(self.enum, word.encode()))

    def wrong(self, word: str, text: str, ref: str = "", value: int | None = None) -> str:
        """What is not as it is to be; nothing: all is."""
        m = self.member(word)
        if m is None:
            return f"{word} is not in {self.enum.name}"
        right = m.text == text and ref in m.ref.split(", ") + [""] and value in (m.lo, None)
        return "" if right else f'{word}: {m.lo} "{m.text}" "{m.ref}", expected {value} "{text}" "{ref}"'


def pairs(table: str) -> list[tuple[str, str]]:
    """(name, section)"""
    return [(one.rsplit(" ", 1)[0].strip(), one.rsplit(" ", 1)[1]) for one in table.split(", ")]


def main() -> int:
    report = Report()
    module = next(m for m in load([str(ROOT / "specs/iana/http.mrg")], [str(ROOT / "specs")]) if m.name == "iana.http")
    of = {e.name: Registry(e) for e in module.enums}

    def all_right(what: str, wrong: list[str]) -> None:
        report.passed += len(wrong) - 1
        report.none(what, [w for w in wrong if w])

    methods, statuses, fields = of["Method"], of["Status"], of["Field"]
    all_right("methods of RFC 9110", [methods.wrong(name, name, f"RFC 9110 section {section}") for name, section in pairs(METHODS)])
    all_right("other methods", [methods.wrong(name, name) for name in MORE_METHODS.split()])
    all_right("the case of methods counts", ["" if methods.member(m.text.lower()) is None else m.text for m in methods.enum.members])
    report.check("no more methods", len(methods.enum.members) == len(pairs(METHODS)) + len(MORE_METHODS.split()))
    known = set(map(int, MORE_STATUSES.split()))
    for section, table in STATUSES.items():
        rows = [(n, int(row[:3]), row[4:]) for n, row in enumerate(table.split(", "), 1) if not row.endswith("-")]
        # 421 follows 418 in the sections, 426 follows 422
        all_right(f"statuses of 15.{section}", [statuses.wrong(text, text, f"RFC 9110 section 15.{section}.{n}", code) for n, code, text in rows])
        known |= {code for _, code, _ in rows}
    report.check("no other statuses, none missing", {m.lo for m in statuses.enum.members} == known)
    for rfc, table in FIELDS.items():
        all_right(f"fields of RFC {rfc}", [fields.wrong(name, name, f"RFC {rfc} section {section}") for name, section in pairs(table)])
        mine = {m.text for m in fields.enum.members if any(r.startswith(f"RFC {rfc} section") for r in m.ref.split(", ")[:1])}
        report.check(f"no other fields of RFC {rfc}", mine == {name for name, _ in pairs(table)}, str(mine))
    all_right("other fields", [fields.wrong(name.upper(), name) for name in MORE_FIELDS.split()])
    all_right("codings", [of["Coding"].wrong(word, text) for word, text in CODINGS.items()])
    all_right("cache directives", [of["CacheDirective"].wrong(name, name) for name in DIRECTIVES.split()])
    all_right("extensions of caching", [of["CacheDirective"].wrong(*case) for case in (("immutable", "immutable", "RFC 8246 section 2"),
              ("stale-if-error", "stale-if-error", "RFC 5861 section 4"), ("stale-while-revalidate", "stale-while-revalidate", "RFC 5861 section 3"))])
    all_right("range units", [of["RangeUnit"].wrong("bytes", "bytes"), of["RangeUnit"].wrong("none", "none")])
    all_right("authentication", [of["AuthScheme"].wrong(name.lower(), name) for name in ("Basic", "Bearer", "Digest", "Negotiate")])
    all_right("an expectation", [of["Expectation"].wrong("100-Continue", "100-continue")])
    all_right("upgrades", [of["UpgradeToken"].wrong("WebSocket", "websocket"), of["UpgradeToken"].wrong("h2c", "h2c")])
    media = of["MediaType"]
    all_right("media types", [media.wrong(extension, text) for extension, text in MEDIA.items()])
    texts = [m.text for m in media.enum.members]
    report.none("text has its charset, nothing else has one", [t for t in texts if t.startswith("text/") != t.endswith("; charset=utf-8")])
    report.check("many extensions are known", len(media.meanings) > 100)
    for r in of.values():
        values = [m.lo for m in r.enum.members]
        report.check(f"{r.enum.name} is numbered without gaps", r.enum.name == "Status" or values == list(range(1, len(values) + 1)))
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""What is counted: the page is in the format that Prometheus reads, with nothing twice, and its figures are those of what was asked. Rates
and cookies, whose effect is seen there."""

from __future__ import annotations

import re
import struct
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness import PATIENCE_S, ZONE, Files, Server, check, equal, main, run  # noqa: E402

LINE = re.compile(r"# HELP (\w+) \S.*|# TYPE (\w+) (counter|gauge|histogram)|"
                  r"(\w+)(\{\w+=\"(?:[^\"\\]|\\[\\\"n])*\"(?:,\w+=\"[^\"]*\")*\})? (\d+(?:\.\d+)?)")
PARTS = ("_bucket", "_sum", "_count")  # of a histogram
COOKIE = 10


def page(server: Server) -> str:
    host, port = server.addresses_of("metrics")[0]
    with urllib.request.urlopen(f"http://{host}:{port}/metrics") as reply:
        equal(reply.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        return str(reply.read().decode())


def figures(text: str) -> dict[str, float]:
    """Each series; what is not as it should be is a failure."""
    typed: dict[str, str] = {}
    out: dict[str, float] = {}
    last = ""
    for line in text.splitlines():
        found = LINE.fullmatch(line)
        assert found is not None, line
        if found.group(2):
            check(found.group(2) not in typed, f"{line}: once")
            typed[found.group(2)] = found.group(3)
            last = found.group(2)
        elif found.group(4):
            name, series = found.group(4), found.group(4) + (found.group(5) or "")
            if typed[last] == "histogram":
                check(name in [last + part for part in PARTS], f"{line}: a part of a histogram")
                check((found.group(5) or "").startswith("{le=") == name.endswith("_bucket"), f"{line}: buckets have bounds")
                name = last
            equal(name, last, f"{line}: behind its type")
            check(name.endswith("_total") == (typed[name] == "counter"), f"{line}: the name of a {typed[name]}")
            check(series not in out, f"{line}: once")
            out[series] = float(found.group(6)) if "." in found.group(6) else int(found.group(6))
    for name in (name for name, kind in typed.items() if kind == "histogram"):
        buckets = [(float(series.split('"')[1]), value) for series, value in out.items() if series.startswith(name + "_bucket")]
        check(buckets == sorted(buckets) and buckets == sorted(buckets, key=lambda b: b[1]), f"{name}: bounds and buckets rise")
        equal(buckets[-1], (float("inf"), out[name + "_count"]), f"{name}: the last bucket has all")
    return out


def turns(found: dict[str, float]) -> dict[str, float]:
    """The figures that grow by themselves, since others look at them: each look is a turn of a loop."""
    return {name: value for name, value in found.items() if name.startswith("mrg_dns_loop_turn_seconds")}


def served(files: Files, *arguments: str) -> tuple[str, ...]:
    zone = files.write("a.zone", ZONE)
    return ("--zone", f"example.org={zone}", "--metrics", "127.0.0.1:0", *arguments)


def test_figures_are_those_of_what_was_asked() -> None:
    with Files() as files, Server(*served(files), "--zone", f"quo\\\"te.example={files.path}/a.zone") as server:
        before = figures(page(server))
        for name, qtype in (("www.example.org", wire.A), ("www.example.org", wire.AAAA), ("none.example.org", wire.A), ("www.example.com", wire.A),
                            ("www.example.org", 257)):
            server.udp(wire.query(name, qtype))
        server.tcp(wire.with_opt(wire.query("www.example.org", wire.A)))
        want = {'mrg_dns_queries_total{transport="udp"}': 5, 'mrg_dns_queries_total{transport="tcp"}': 1,
                'mrg_dns_responses_total{transport="udp"}': 5, 'mrg_dns_responses_total{transport="tcp"}': 1,
                "mrg_dns_connections_total": 1, 'mrg_dns_queries_by_type_total{type="A"}': 4, 'mrg_dns_queries_by_type_total{type="AAAA"}': 1,
                'mrg_dns_queries_by_type_total{type="other"}': 1, 'mrg_dns_responses_by_rcode_total{rcode="NOERROR"}': 4,
                'mrg_dns_responses_by_rcode_total{rcode="NXDOMAIN"}': 1, 'mrg_dns_responses_by_rcode_total{rcode="REFUSED"}': 1,
                "mrg_dns_queries_edns_total": 1}
        end = time.monotonic() + PATIENCE_S
        while True:  # a worker counts behind its answer
            after = figures(page(server))
            grown = {name: after[name] - before.get(name, 0) for name in after
                     if after[name] != before.get(name, 0) and name not in turns(after)}
            for name in ("process_resident_memory_bytes", "mrg_dns_connections"):
                grown.pop(name, None)
            if grown == want or time.monotonic() > end:
                break
        equal(grown, want)
        equal((after['mrg_dns_zone_serial{zone="example.org."}'], after['mrg_dns_zone_records{zone="example.org."}']), (7, 8))


def test_turns_of_loops_are_timed() -> None:
    """As many as there are; all of them together took no longer than the server has run."""
    with Files() as files:
        began = time.monotonic()
        with Server(*served(files), "--workers", "2") as server:
            before = turns(figures(page(server)))
            after = turns(figures(page(server)))
            took = time.monotonic() - began
    check(after["mrg_dns_loop_turn_seconds_count"] > before["mrg_dns_loop_turn_seconds_count"] > 0, "each page takes some")
    check(2 * took > after["mrg_dns_loop_turn_seconds_sum"] > before["mrg_dns_loop_turn_seconds_sum"] > 0, f"{after} of {took} s")
    equal(len(after), 8, "five bounds, and one for all that is above them; a sum and a count")


def cookie_of(message: bytes) -> bytes:
    """The option's data in a reply."""
    opt = next(r for r in wire.read(message).additional if r.type == wire.OPT)
    at = 0
    while at < len(opt.rdata):
        code, length = struct.unpack("!2H", opt.rdata[at:at + 4])
        if code == COOKIE:
            return opt.rdata[at + 4:at + 4 + length]
        at += 4 + length
    return b""


def with_cookie(message: bytes, cookie: bytes) -> bytes:
    return wire.with_opt(message, options=struct.pack("!2H", COOKIE, len(cookie)) + cookie)


def test_over_a_rate_replies_are_held_back() -> None:
    """Who shows a cookie is not counted, nor is who asks over TCP."""
    query = wire.query("www.example.org")
    with Files() as files, Server(*served(files, "--rate", "10", "--rate-slip", "1")) as server:
        cookie = cookie_of(server.udp(with_cookie(query, b"12345678")))
        equal(len(cookie), 24)
        flags = {wire.read(server.udp(query)).flags & wire.TC for _ in range(100)}
        equal(flags, {0, wire.TC}, "a few are answered, all others are cut short")
        check(figures(page(server))['mrg_dns_rate_limited_total{how="truncated"}'] >= 10, "and counted")
        for message in (server.udp(with_cookie(query, cookie)), server.tcp(query)):
            equal(wire.read(message).rdata(wire.A), [bytes((192, 0, 2, 80))])


def test_a_rate_alone_counts_many_names_and_cuts_every_second_reply() -> None:
    """What --rate-networks and --rate-slip are where they are not said."""
    names, rounds = 20, 25
    zone = ZONE + "".join(f"n{i} A 192.0.2.{i}\n" for i in range(names))
    with Files() as files:
        path = files.write("a.zone", zone)
        with Server("--zone", f"example.org={path}", "--metrics", "127.0.0.1:0", "--rate", "1") as server, server.udp_socket() as s:
            for n in range(1, rounds + 1):
                for i in range(names):
                    s.send(wire.query(f"n{i}.example.org"))
                end = time.monotonic() + PATIENCE_S
                while (found := figures(page(server)))['mrg_dns_queries_total{transport="udp"}'] != n * names and time.monotonic() < end:
                    pass  # sockets have no room for all at once
    cut, dropped = (found[f'mrg_dns_rate_limited_total{{how="{how}"}}'] for how in ("truncated", "dropped"))
    check(cut + dropped > names * rounds / 2, f"{cut} cut short, {dropped} not sent")
    check(0 <= dropped - cut <= names, f"{cut} cut short, {dropped} not sent: of each name every second one")


def test_servers_that_share_a_secret_know_each_others_cookies() -> None:
    secret, new = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"
    query = wire.query("www.example.org")

    def taken(server: Server, cookie: bytes) -> bool:
        """A cookie that is good is not made anew."""
        return cookie_of(server.udp(with_cookie(query, cookie))) == cookie

    with Files() as files:
        arguments = served(files)
        with Server(*arguments, "--cookie-secret", secret) as one, Server(*arguments, "--cookie-secret", new, "--cookie-secret", secret) as two, \
                Server(*arguments) as other, Server(*arguments, "--no-cookies") as none:
            cookie = cookie_of(one.udp(with_cookie(query, b"abcdefgh")))
            check(taken(one, cookie), "by who has made it")
            renewed = cookie_of(two.udp(with_cookie(query, cookie)))
            check(renewed[:8] == cookie[:8] and taken(two, renewed), "by who has the old secret, too")
            check(not taken(other, cookie), "not by who has another")
            equal(cookie_of(none.udp(with_cookie(query, cookie))), b"")
    for bad in ("", "00", "0" * 31, "0" * 33, "x" * 32):
        equal(run("--cookie-secret", bad, "--zone", "a=b").returncode, 2, bad)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

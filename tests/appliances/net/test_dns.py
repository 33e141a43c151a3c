#!/usr/bin/env python3
"""mrg-dns on its own TCP/IP: dig by UDP and TCP, big answers, reload, ending, rights, figures."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from stack import OURS, OURS6, Dns, Files, Packets, Taps, check, equal, main, need  # noqa: E402


def test_dig() -> None:
    for kind in (Taps, Packets):
        with kind() as host, Files() as files, Dns(host, files) as server:
            for at in (OURS, OURS6):
                equal(server.dig("www.example.org", at=at), "192.0.2.80", "by UDP")
                equal(server.dig("+tcp", "www.example.org", "AAAA", at=at), "2001:db8::80", "by TCP")
                long = server.dig("long.example.org", "TXT", at=at)  # truncated by UDP, so again by TCP
                equal(sorted(line[1:5] for line in long.splitlines()), [f"{i:04d}" for i in range(200)], "200 records")
                big = server.dig("+edns=0", "+bufsize=4096", "+ignore", "www.example.org", at=at)
                equal(big, "192.0.2.80", "with EDNS")


def test_answers_in_fragments() -> None:
    """A reply of 8,000 octets is longer than a frame: it goes in fragments, which the kernel joins."""
    with Taps() as host, Files() as files:
        records = "".join(f"some TXT \"{i:03d}{'y' * 180}\"\n" for i in range(40))
        with Dns(host, files, "--udp-max", "16000") as server:
            server.zone.write_text(server.zone.read_text() + records)
            server.reload()
            for at in (OURS, OURS6):
                out = server.dig("+edns=0", "+bufsize=16000", "+ignore", "+notcp", "some.example.org", "TXT", at=at)
                equal(len(out.splitlines()), 40, f"records in one datagram from {at}")


def test_it_listens_where_it_is_told() -> None:
    with Taps() as host, Files() as files, Dns(host, files, listen=(f"{OURS}:5300",)) as server:
        equal(server.dig("-p", "5300", "www.example.org"), "192.0.2.80", "at the port")
        refused = host.space.attempt("dig", f"@{OURS}", "+time=1", "+tries=1", "www.example.org")
        check(refused.returncode != 0, f"an answer at port 53: {refused.stdout}")


def test_a_reload_is_taken_up() -> None:
    with Taps() as host, Files() as files, Dns(host, files) as server:
        server.zone.write_text(server.zone.read_text() + "new A 192.0.2.99\n")
        server.reload()
        equal(server.dig("new.example.org"), "192.0.2.99", "the new record")


def test_rights_are_given_up() -> None:
    with Taps() as host, Files() as files, Dns(host, files) as server:
        equal(server.user_ids(), {"65534"}, "user")
        equal(server.dig("www.example.org"), "192.0.2.80", "an answer without rights")


def test_it_ends_when_it_is_told() -> None:
    with Taps() as host, Files() as files, Dns(host, files) as server:
        equal(server.dig("+tcp", "www.example.org"), "192.0.2.80", "an answer")
        equal(server.end(), 0, "exit status")
        check("tap0" not in host.space.ip("link"), "the device stays")


def test_a_device_that_goes_is_told() -> None:
    with Taps() as host, Files() as files, Dns(host, files) as server:
        host.space.ip("link", "del", "tap0")
        server.wait_for("level=error event=link_gone device=tap0")
        equal(server.end(), 0, "exit status")


def test_a_device_that_is_set_down_and_up_again() -> None:
    for kind in (Taps, Packets):
        with kind() as host, Files() as files, Dns(host, files) as server:
            equal(server.dig("www.example.org"), "192.0.2.80", "before")
            host.space.ip("link", "set", host.device, "down")
            host.space.ip("link", "set", host.device, "up")
            equal(server.dig("www.example.org"), "192.0.2.80", "after")


def test_figures() -> None:
    with Taps() as host, Files() as files, Dns(host, files) as server:
        for _ in range(5):
            server.dig("www.example.org")
        server.dig("+tcp", "www.example.org")  # behind the others: what they count is counted
        figures = host.figures()
        equal(figures['mrg_dns_queries_total{transport="udp"}'], 5, "queries by UDP")
        equal(figures['mrg_dns_responses_total{transport="udp"}'], 5, "answers by UDP")
        equal(figures['mrg_dns_queries_total{transport="tcp"}'], 1, "queries by TCP")
        counts = host.counts()
        check(counts["link.frames_in"] >= 6 and counts["link.frames_out"] >= 6, counts)
        equal(counts["tcp.passive_opens"], 1, "connections")


def test_a_load_of_queries() -> None:
    need("dnsperf")
    with Taps() as host, Files() as files, Dns(host, files):
        queries = files.write("queries", "www.example.org A\nns1.example.org A\nnone.example.org A\n")
        out = host.space.run("dnsperf", "-s", OURS, "-d", queries, "-n", "2000", "-q", "50", "-c", "4", timeout=120)
        found = re.search(r"Queries completed:\s+(\d+) \(([\d.]+)%\)", out)
        check(found is not None and found.group(2) == "100.00", out)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

#!/usr/bin/env python3
"""Many requests at once: wrk and h2load, with and without pipelining. Each is answered, and with success."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import Files, Server, check, client, equal, main, small_site  # noqa: E402

PATHS = ("/", "/letters.txt", "/empty.txt", "/long", "/sub/", "/page.html", "/bare/file")


def mixed(files: Files, *args: str) -> Server:
    """Files from memory and by descriptor, with figures."""
    files.write("long", bytes(range(256)) * 400)  # more than what is kept in memory
    return Server("--root", small_site(files), "--metrics", "127.0.0.1:0", *args)


def h2load(server: Server, *options: object) -> None:
    """Over IPv4: it writes an IPv6 address into Host without its brackets, which is 400 (RFC 3986 3.2.2)."""
    count = 4000
    urls = [server.url(path) for path in PATHS]
    out = client("h2load", "--h1", "-n", count, "-c", 20, *options, *urls).stdout.decode()
    found = re.search(r"requests: .*?(\d+) succeeded, (\d+) failed, (\d+) errored", out)
    check(found is not None and found.groups() == (str(count), "0", "0"), out)
    # It counts an answer once more whose reason phrase comes in two pieces; check_figures has the right number.
    codes = re.search(r"status codes: (\d+) 2xx, 0 3xx, 0 4xx, 0 5xx", out)
    check(codes is not None and int(codes.group(1)) >= count, out)


def test_h2load_gets_every_octet() -> None:
    """Each file by itself, so that what all answers hold together is known; one that is kept in memory, one that is not, one of nothing."""
    sizes = {"/letters.txt": 1040, "/long": 102400, "/empty.txt": 0}
    with Files() as files, mixed(files) as server:
        for path, size in sizes.items():
            for options in ((), ("-m", 16), ("-m", 50, "-t", 2)):
                out = client("h2load", "--h1", "-n", 600, "-c", 12, *options, server.url(path)).stdout.decode()
                found = re.search(r"traffic: .* headers .*\((\d+)\) data", out)
                check("600 succeeded, 0 failed" in out and found is not None and int(found.group(1)) == 600 * size, f"{path} {options}: {out}")
        check_figures(server, 600 * 9)


def check_figures(server: Server, requests: int) -> None:
    server.shows({"mrg_http_requests_total": requests, 'mrg_http_responses_total{class="2xx"}': requests, "mrg_http_connections_broken_total": 0})


def test_h2load() -> None:
    with Files() as files, mixed(files) as server:
        h2load(server)
        h2load(server, "-t", 2)
        check_figures(server, 8000)


def test_h2load_pipelined() -> None:
    with Files() as files, mixed(files) as server:
        h2load(server, "-m", 16)
        h2load(server, "-m", 100)
        check_figures(server, 8000)


def test_several_workers() -> None:
    with Files() as files, mixed(files, "--workers", "3") as server:
        h2load(server, "-m", 16)
        h2load(server)
        check_figures(server, 8000)


def test_wrk() -> None:
    script = "\n".join(["local paths = {" + ", ".join(f'"{p}"' for p in PATHS) + "}", "local at = 0",
                        "init = function(args) all = {} for i = 1, 16 do all[i] = wrk.format(nil, paths[i % #paths + 1]) end all = table.concat(all) end",
                        "request = function() return all end"])
    with Files() as files, mixed(files) as server:
        for options in ((), ("-s", files.write("mix.lua", script))):
            out = client("wrk", "-t1", "-c20", "-d1s", *options, server.url("/letters.txt")).stdout.decode()
            check("Non-2xx" not in out and "Socket errors" not in out, out)
            found = re.search(r"(\d+) requests in", out)
            check(found is not None and int(found.group(1)) > 100, out)
        server.shows({'mrg_http_responses_total{class="2xx"}': server.figures()["mrg_http_requests_total"]})


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

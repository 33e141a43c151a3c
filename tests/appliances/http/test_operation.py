#!/usr/bin/env python3
"""Running it: signals under load, reload, drain, workers, privileges, wrong options, the page of metrics."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import (GET, INDEX, LETTERS, PATIENCE_S, ROOT, Connection, Files, Server, check, equal, main, request, run, small_site, status_of,  # noqa: E402
                     threads, until)

SIZE = 6 << 20  # more than sockets hold


def served(files: Files, *args: str) -> Server:
    files.write("big", b"b" * SIZE)
    return Server("--root", small_site(files), "--metrics", "127.0.0.1:0", *args)


def download(server: Server) -> Connection:
    """A GET whose answer has begun, and waits to be taken."""
    c = server.connection()
    c.hold_back()
    c.send(request("GET", "/big"))
    while not c.held:
        c.more()
    return c


def check_download(c: Connection, closes: bool) -> None:
    c.let_come()
    a = c.answer()
    check(a.body == b"b" * SIZE, "the whole file")
    if closes:
        c.end()
    else:
        equal(c.ask(GET).status, 200, "and the connection goes on")


# ---- SIGHUP ----


def test_reload_while_a_download_runs() -> None:
    """The root is a link that is moved, as deployments do: who has begun gets the old, who asks now the new."""
    with Files() as files:
        for release, size in (("one", SIZE), ("two", 100)):
            files.write(f"{release}/big", release[:1] * size)
            files.write(f"{release}/index.html", release)
        link = files.path / "current"
        link.symlink_to("one")
        with Server("--root", str(link), "--workers", "2") as server:
            downloads = [download(server) for _ in range(4)]
            kept = server.connection()
            equal(kept.ask(GET).body, b"one")
            (files.path / "new").symlink_to("two")
            (files.path / "new").rename(link)
            equal(server.get("/").body, b"one", "not yet")
            server.reload()
            until(lambda: server.get("/").body == b"two", "the new content")
            until(lambda: kept.ask(GET).body == b"two", "on old connections too")
            for c in downloads:
                c.let_come()
                check(c.answer().body == b"o" * SIZE, "the old file to its end")
                until(lambda: c.ask(request("GET", "/big")).body == b"t" * 100, "then the new one")
            for c in (kept, *downloads):
                c.socket.close()
            equal(server.end(), 0)


def test_many_reloads_leave_nothing() -> None:
    with Files() as files, served(files) as server:
        c = download(server)
        server.reload()
        pid = server.process.pid
        before = int(status_of(pid, "VmRSS").split()[0])
        for _ in range(50):
            server.reload()
            equal(server.get("/letters.txt").body, LETTERS)
        check(int(status_of(pid, "VmRSS").split()[0]) < before + 4096, f"{before} KiB, then {status_of(pid, 'VmRSS')}")
        check(len(os.listdir(f"/proc/{pid}/fd")) < 30, "descriptors")
        check_download(c, closes=False)


def test_a_reload_that_fails_changes_nothing() -> None:
    with Files() as files:
        site = files.path / "site"
        files.write("site/index.html", INDEX)
        with Server("--root", str(site)) as server:
            site.rename(files.path / "away")
            check("away" not in server.reload("event=reload_failed"), "told")
            check(any("No such file" in line for line in server.lines), "why")
            equal(server.get("/").body, INDEX, "served as before")
            (files.path / "away").rename(site)
            server.reload()
            equal(server.get("/").body, INDEX)


def test_a_configuration_is_read_again() -> None:
    with Files() as files:
        for name in ("one", "two"):
            files.write(f"{name}/index.html", name)
        conf = files.write("conf", f"listen 127.0.0.1:0\nroot {files.path}/one\n")
        with Server("--config", str(conf), listen=()) as server:
            equal(server.get("/").body, b"one")
            files.write("conf", f"listen 127.0.0.1:0\nroot {files.path}/two\ncache * no-cache\n")
            server.reload()
            until(lambda: server.get("/").body == b"two", "the new root")
            equal(server.get("/").get("cache-control"), "no-cache")
            files.write("conf", f"listen 127.0.0.1:0\nroot {files.path}/one\ncolour blue\n")
            server.reload("event=reload_failed")
            check(any(f"{conf}:3:1: " in line and "colour" in line for line in server.lines), "which line")
            equal(server.get("/").body, b"two", "as before")


# ---- SIGTERM ----


def test_sigterm_finishes_what_is_under_way() -> None:
    for how in (signal.SIGTERM, signal.SIGINT):
        with Files() as files, served(files, "--workers", "2") as server:
            idle = [server.connection() for _ in range(5)]
            for c in idle[1:]:
                equal(c.ask(GET).status, 200)
            half = server.connection()
            half.send(GET[:20])
            downloads = [download(server) for _ in range(3)]
            downloads[1].send(request("GET", "/letters.txt"))
            equal(server.get("/").status, 200, "all that was sent has been seen")
            server.process.send_signal(how)
            server.wait_for("event=stopping")
            for c in idle:
                c.end()
            half.send(GET[20:])
            a = half.answer()
            equal((a.body, a.closes), (INDEX, True), "a request that had begun")
            half.end()
            check_download(downloads[0], closes=True)
            downloads[1].let_come()
            check(downloads[1].answer().body == b"b" * SIZE, "the whole file")
            a = downloads[1].answer()
            equal((a.body, a.closes), (LETTERS, True), "a request that was sent behind it")
            downloads[1].end()
            refused = 0
            try:
                server.connection().socket.close()
            except ConnectionRefusedError:
                refused = 1
            equal(refused, 1, "new connections are refused")
            check_download(downloads[2], closes=True)
            equal(server.wait_end(), 0, "exit status")
            check("event=stopped" in server.lines[-1], "the log tells")


def test_sigterm_answers_what_the_kernel_holds() -> None:
    """A request that was sent before the signal is answered, on old connections as on new ones."""
    with Files() as files, served(files) as server:
        old = server.connection()
        equal(old.ask(GET).status, 200)
        server.process.send_signal(signal.SIGSTOP)
        until(lambda: status_of(server.process.pid, "State").startswith("T"), "stopped")
        new = server.connection()
        old.send(GET)
        new.send(GET)
        server.process.send_signal(signal.SIGTERM)
        server.process.send_signal(signal.SIGCONT)
        for what, c in (("an old connection", old), ("a new one", new)):
            equal(c.answer().body, INDEX, what)
            c.end()
        equal(server.wait_end(), 0)


def test_sigterm_ends_with_the_last_client() -> None:
    """Who breaks off is not waited for."""
    with Files() as files, served(files) as server:
        c = download(server)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("event=stopping")
        c.socket.close()
        equal(server.wait_end(), 0)


def test_sigterm_without_anybody() -> None:
    with Files() as files, served(files, "--workers", "4") as server:
        equal(server.end(), 0)


# ---- metrics ----

LINE = re.compile(r"# HELP (\w+) \S.*|# TYPE (\w+) (counter|gauge)|(\w+)(\{\w+=\"[^\"]*\"(,\w+=\"[^\"]*\")*\})? \d+")


def test_the_page_of_metrics() -> None:
    with Files() as files, served(files) as server:
        metrics = server.addresses_of("metrics")[0]
        with Connection(metrics, PATIENCE_S) as c:
            a = c.ask(request("GET", "/metrics"))
            equal((a.status, a.get("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"))
            h = c.ask(request("HEAD", "/metrics?x=y"))
            equal((h.status, h.body), (200, b""))
            lengths = (c.ask(request(method, "/metrics?x=y")).get("content-length") for method in itertools.cycle(("HEAD", "GET")))
            until(lambda: next(lengths) == next(lengths), "the length of the page")  # a figure may have got one more digit
            equal(c.ask(request("GET", "/")).status, 404)
            equal(c.ask(request("GET", "/index.html")).status, 404, "no files there")
            equal((c.ask(request("POST", "/metrics", "Content-Length: 0")).get("allow")), "GET, HEAD")
        text = a.body.decode()
        check(text.endswith("\n"), "the last line ends")
        typed: dict[str, str] = {}
        for line in text.splitlines():
            found = LINE.fullmatch(line)
            check(found is not None, f"line {line!r}")
            assert found is not None
            if found.group(2):
                check(found.group(2) not in typed, f"{line}: once")
                typed[found.group(2)] = found.group(3)
            elif found.group(4):
                check(found.group(4) in typed, f"{line}: before its type")
                check(found.group(4).endswith("_total") == (typed[found.group(4)] == "counter"), f"{line}: the name of a {typed[found.group(4)]}")
        equal(server.get("/metrics").status, 404, "not where files are")


def test_figures_count_what_was_done() -> None:
    with Files() as files, served(files, "--workers", "2") as server:
        before = server.figures()
        for method, target, *fields in (("GET", "/"), ("HEAD", "/"), ("GET", "/sub"), ("GET", "/none"), ("POST", "/", "Content-Length: 0"),
                                        ("BREW", "/"), ("GET", "/letters.txt", "Range: bytes=0-1"), ("GET", "/", "If-None-Match: *")):
            server.ask(method, target, *fields)
        with server.connection() as c:
            c.send(b"\0")
            c.answer()
            c.end()
        with server.connection() as c:
            sent = GET * 10
            c.send(sent)
            received = sum(len(a.head) + len(a.body) for a in (c.answer() for _ in range(10)))
            server.shows({"mrg_http_connections": 1})
        by_class = {f'mrg_http_responses_total{{class="{n}xx"}}': want for n, want in ((2, 13), (3, 2), (4, 3), (5, 1))}
        grown = {"mrg_http_requests_total": 19, "mrg_http_connections_total": 10, **by_class}
        server.shows({name: before[name] + more for name, more in grown.items()})
        after = server.figures()
        check(after["mrg_http_received_bytes_total"] - before["mrg_http_received_bytes_total"] >= len(sent), "octets in")
        check(after["mrg_http_sent_bytes_total"] - before["mrg_http_sent_bytes_total"] >= received, "octets out")


# ---- workers, privileges ----


def test_several_workers() -> None:
    with Files() as files, served(files, "--workers", "3") as server:
        for _ in range(60):
            equal(server.get("/letters.txt").body, LETTERS)
        equal(threads(server.process.pid), 4, "the control and three workers")
        server.shows({'mrg_http_responses_total{class="2xx"}': 60})
        equal(server.end(), 0)


def test_root_becomes_somebody_else() -> None:
    if os.geteuid() != 0:
        return
    with Files() as files:
        mine = f"127.78.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"  # nobody else's in a run of several suites
        for user, ids in ((None, (65534, 65534)), ("1234:99", (1234, 99)), ("root", (0, 0))):
            args = ["--user", user] if user else []
            with Server("--root", small_site(files), "--workers", "2", *args, listen=("127.0.0.1:0", f"{mine}:80")) as server:
                for task in os.listdir(f"/proc/{server.process.pid}/task"):
                    equal(status_of(int(task), "Uid").split(), [str(ids[0])] * 4, "uid")
                    equal(status_of(int(task), "Gid").split(), [str(ids[1])] * 4, "gid")
                    if user != "root":
                        equal(status_of(int(task), "Groups").split(), [], "groups")
                        equal(int(status_of(int(task), "CapPrm"), 16), 0, "capabilities")
                    equal(status_of(int(task), "NoNewPrivs"), "1", "no_new_privs")
                with Connection((mine, 80), PATIENCE_S) as c:
                    equal(c.ask(GET).body, INDEX, "from a privileged port")
                server.reload()


# ---- starting ----


def check_refused(code: int, text: str, *args: object) -> None:
    done = run(*args)
    equal(done.returncode, code, f"{args}: {done.stderr}")
    check(text in done.stderr, f"{args}: '{text}' in {done.stderr!r}")
    equal(done.stdout, "", f"{args}: stdout")
    check(all(line.startswith("mrg-http: ") or ":" in line for line in done.stderr.splitlines()), done.stderr)


def test_wrong_options() -> None:
    with Files() as files:
        root = small_site(files)
        whole = ("--listen", "127.0.0.1:0", "--root", root)
        for text, *args in (
                ("no --root FOLDER and no --archive FILE; see mrg-http --help",),
                ("no --listen ADDRESS:PORT; see mrg-http --help", "--root", root),
                ("no --root FOLDER", "--listen", "127.0.0.1:0"),
                ("unknown option '--rot' (did you mean '--root'?)", "--rot", root),
                ("unknown option 'site'; see mrg-http --help", "site"),
                ("--root needs a value", "--root"),
                ("--check takes no value", "--check=1"),
                ("--listen localhost:80: not an address", *whole, "--listen", "localhost:80"),
                ("--listen 127.0.0.1:65536: not an address", *whole, "--listen", "127.0.0.1:65536"),
                ("--listen ::1:: not an address", *whole, "--listen", "::1:"),
                ("--metrics x: not an address", *whole, "--metrics", "x"),
                (f"--root b: the files are to be in {root} already", *whole, "--root", "b"),
                ("--vhost a: expected NAME=PLACE", *whole, "--vhost", "a"),
                ("--vhost =b: expected NAME=PLACE", *whole, "--vhost", "=b"),
                ("--vhost A=c: there is one with this name already", *whole, "--vhost", f"a={root}", "--vhost", "A=c"),
                ("--index a/b: not the name of a file", *whole, "--index", "a/b"),
                ("--index : not the name of a file", *whole, "--index", ""),
                ("--index ..: not the name of a file", *whole, "--index", ".."),
                ("--error-page 404: expected STATUS=PATH", *whole, "--error-page", "404"),
                ("--error-page 200=a: expected STATUS=PATH", *whole, "--error-page", "200=a"),
                ("--error-page 600=a: expected STATUS=PATH", *whole, "--error-page", "600=a"),
                ("--error-page 404=../a: expected STATUS=PATH", *whole, "--error-page", "404=../a"),
                ("--error-page 404=/a: expected STATUS=PATH", *whole, "--error-page", "404=/a"),
                ("--cache a: expected PATTERN=VALUE", *whole, "--cache", "a"),
                ("--cache a=b: expected PATTERN=VALUE", *whole, "--cache", "a=b"),
                ("--cache *=a b: not a value of Cache-Control", *whole, "--cache", "*=a b"),
                ("X: y: not a value of Cache-Control", *whole, "--cache", "*=a\r\nX: y"),
                ("--access-log long: expected common, combined or none", *whole, "--access-log", "long"),
                ("--workers 0: expected a number, 1 to 256", *whole, "--workers", "0"),
                ("--workers 257: expected a number, 1 to 256", *whole, "--workers", "257"),
                ("--workers x: expected a number", *whole, "--workers", "x")):
            check_refused(2, text, *args)


def test_what_is_not_there() -> None:
    with Files() as files:
        root = small_site(files)
        for check_only in ((), ("--check",)):
            for text, *args in ((f"{root}/none: No such file or directory", "--root", f"{root}/none"),
                                (f"{root}/index.html: not an archive", "--root", f"{root}/index.html"),
                                (f"{root}/none: No such file or directory", "--root", root, "--vhost", f"a={root}/none")):
                check_refused(1, text, *check_only, "--listen", "127.0.0.1:0", *args)
        done = run("--check", "--root", root)
        equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "--check with all there")
        if os.geteuid() == 0:
            check_refused(4, "--user no-such-user: ", "--listen", "127.0.0.1:0", "--root", root, "--user", "no-such-user")


def test_help_and_version() -> None:
    done = run("--help")
    equal((done.returncode, done.stderr), (0, ""))
    page = (ROOT / "docs/man/mrg-http.8").read_text()
    for option in re.findall(r"^  (--[a-z-]+)", done.stdout, re.M):
        check(f"Fl {option[1:]}" in page, f"{option} in the manual page")
    for option in re.findall(r"^\.It Fl (-[a-z-]+)", page, re.M):
        check(f"-{option}" in done.stdout, f"-{option} in the help")
    version = re.search(r"^VERSION := (\S+)", (ROOT / "mk" / "config.mk").read_text(), re.M)
    check(version is not None and run("--version").stdout == f"mrg-http {version.group(1)}\n", "version")


def test_address_in_use() -> None:
    with Files() as files:
        root = small_site(files)
        for workers in ("1", "2"):
            with Server("--root", root, "--workers", workers, "--metrics", "127.0.0.1:0") as server:
                metrics = server.addresses_of("metrics")[0][1]
                for others in ("1", "2"):
                    address = f"127.0.0.1:{server.port}"
                    check_refused(3, f"--listen {address}: TCP: Address already in use", "--listen", address, "--root", root, "--workers", others)
                check_refused(3, f"--metrics 127.0.0.1:{metrics}: TCP: Address already in use", "--listen", "127.0.0.1:0", "--root", root,
                              "--metrics", f"127.0.0.1:{metrics}")
        check_refused(3, "Cannot assign requested address", "--listen", "192.0.2.1:8080", "--root", root)


def test_a_restart_at_the_same_port() -> None:
    """Connections of before that still wait in the kernel are no obstacle."""
    with Files() as files:
        root = small_site(files)
        with Server("--root", root) as server:
            port = server.port
            with server.connection() as c:
                c.ask(request("GET", "/", "Connection: close"))
                c.end()
            equal(server.end(), 0)
        with Server("--root", root, listen=(f"127.0.0.1:{port}",)) as server:
            equal(server.get("/").body, INDEX)


def test_without_standard_descriptors() -> None:
    """Closed ones must not be taken for a socket or a file of the site."""
    with Files() as files:
        root = small_site(files)
        for closed in ((0,), (1,), (0, 1)):
            def close(which: tuple[int, ...] = closed) -> None:
                for fd in which:
                    os.close(fd)
            with Server("--root", root, "--access-log", "combined", before=close) as server:
                for _ in range(20):
                    equal(server.get("/letters.txt").body, LETTERS)
                equal(server.end(), 0)
        gone = subprocess.Popen(["true"], stdin=subprocess.PIPE)
        gone.wait()
        with Server("--root", root, "--access-log", "common", stdout=gone.stdin or 0) as server:
            for _ in range(2000):
                equal(server.get("/letters.txt").status, 200, "with a log that nobody reads any more")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

#!/usr/bin/env python3
"""mrg-http on its own TCP/IP: curl of files of all sizes, both ways, many at once, over good links and bad ones."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from bad import EVILS, Bad  # noqa: E402
from stack import OURS, OURS6, PATIENCE_S, Files, Host, Http, Packets, Taps, check, equal, main, need  # noqa: E402
from running import Running  # noqa: E402

BIG = 20_000_000
SIZES = (0, 1, 535, 536, 537, 1447, 1448, 1449, 2896, 16384, 65535, 65536, 65537, 1_000_003)


def site(files: Files) -> Path:
    """Files of all sizes, and one that is sent from its descriptor, not from memory."""
    for size in (*SIZES, BIG):
        files.write(f"www/{size}", os.urandom(size))
    files.write("www/index.html", "<p>hello\n")
    return files.path / "www"


def digest(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def fetch(host: Host, at: str, name: object, *args: object) -> str:
    """The digest of what curl gets."""
    need("curl")
    got = subprocess.run([*host.space.prefix, "curl", "-sS", "--noproxy", "*", "-m", str(PATIENCE_S * 2), *map(str, args),
                          f"http://{at}/{name}"], capture_output=True, timeout=PATIENCE_S * 3)
    equal((got.returncode, got.stderr), (0, b""), f"curl of {name} at {at}")
    return hashlib.md5(got.stdout).hexdigest()


def test_files_of_all_sizes() -> None:
    for kind in (Taps, Packets):
        with kind() as host, Files() as files, Http(host, "--root", str(site(files))):
            for at in (OURS, f"[{OURS6}]"):
                equal(host.curl(f"http://{at}/"), "<p>hello\n", "the index")
                for size in (*SIZES, BIG):
                    equal(fetch(host, at, size), digest(files.path / "www" / str(size)), f"{size} octets at {at}")


def test_one_connection_for_many() -> None:
    with Taps() as host, Files() as files, Http(host, "--root", str(site(files))):
        urls = [f"http://{OURS}/{size}" for size in SIZES] * 10
        out = host.space.run("curl", "-sS", "--noproxy", "*", "-m", PATIENCE_S, "-w", "%{num_connects} %{size_download}\n",
                             *(a for url in urls for a in ("-o", "/dev/null", url)), timeout=PATIENCE_S * 2)
        rows = [tuple(map(int, row.split())) for row in out.splitlines()]
        equal([size for _, size in rows], list(SIZES) * 10, "sizes")
        equal(sum(connects for connects, _ in rows), 1, "connections")


def test_many_at_once() -> None:
    with Taps() as host, Files() as files, Http(host, "--root", str(site(files))):
        want = digest(files.path / "www" / "1000003")
        got: list[str] = []
        threads = [threading.Thread(target=lambda: got.append(fetch(host, OURS, 1_000_003))) for _ in range(20)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        equal(got, [want] * 20, "digests")


def test_ranges() -> None:
    with Taps() as host, Files() as files, Http(host, "--root", str(site(files))):
        whole = (files.path / "www" / str(BIG)).read_bytes()
        for first, last in ((0, 0), (1_000_000, 3_999_999), (BIG - 10, BIG - 1)):
            got = fetch(host, OURS, BIG, "-r", f"{first}-{last}")
            equal(got, hashlib.md5(whole[first:last + 1]).hexdigest(), f"{first}-{last}")


def test_a_reader_that_is_slow_and_one_that_goes() -> None:
    with Taps() as host, Files() as files, Http(host, "--root", str(site(files))):
        slow = """
import hashlib, socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect((sys.argv[1], 80))
s.sendall(b"GET /1000003 HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
got = b""
for i in range(10**9):
    if i < 20:
        time.sleep(0.02)  # the window closes, and opens again
    b = s.recv(3000)
    if not b:
        break
    got += b
print(hashlib.md5(got.split(b"\\r\\n\\r\\n", 1)[1]).hexdigest())
"""
        equal(host.space.run(sys.executable, "-c", slow, OURS).strip(), digest(files.path / "www" / "1000003"), "what a slow reader got")
        gone = """
import socket, struct, sys
for i in range(20):
    s = socket.create_connection((sys.argv[1], 80))
    s.sendall(b"GET /20000000 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
    s.recv(1000)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", i % 2, 0))
    s.close()
"""
        host.space.run(sys.executable, "-c", gone, OURS)
        equal(fetch(host, OURS, 1448), digest(files.path / "www" / "1448"), "the next reader")
        until_none_are_left(host)


def until_none_are_left(host: Host) -> None:
    for _ in range(600):
        if host.figures()["mrg_http_connections"] == 0:
            return
        threading.Event().wait(0.05)
    check(False, f"connections that stay: {host.figures()['mrg_http_connections']}")


def test_a_drain_lets_answers_end() -> None:
    with Taps() as host, Files() as files, Http(host, "--root", str(site(files))) as server:
        part = host.space.start("curl", "-sS", "--noproxy", "*", "--limit-rate", "10M", f"http://{OURS}/{BIG}", "-o",
                                files.path / "got", "-w", "%{size_download}")
        host.wait_for_count("tcp.out_bytes", 100_000)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("event=stopping")
        out, err = part.communicate(timeout=PATIENCE_S)
        equal((out, err), (str(BIG), ""), "what was under way")
        equal(digest(files.path / "got"), digest(files.path / "www" / str(BIG)), "digest")
        equal(server.wait_end(), 0, "exit status")


def test_a_reload_while_it_is_read() -> None:
    with Taps() as host, Files() as files, Http(host, "--root", str(site(files))) as server:
        part = host.space.start("curl", "-sS", "--noproxy", "*", "--limit-rate", "20M", f"http://{OURS}/{BIG}", "-o",
                                files.path / "got")
        host.wait_for_count("tcp.out_bytes", 100_000)
        server.reload()
        equal(part.communicate(timeout=PATIENCE_S), ("", ""), "what was under way")
        equal(digest(files.path / "got"), digest(files.path / "www" / str(BIG)), "digest")
        equal(host.curl(f"http://{OURS}/"), "<p>hello\n", "afterwards")


def test_a_configuration_may_name_the_net() -> None:
    with Taps() as host, Files() as files:
        root = site(files)
        conf = files.write("conf", f"net {host.net('mtu=1400')}\nroot {root}\nmetrics 127.0.0.1:9100\n")
        with Configured(host, conf) as server:
            equal(host.curl(f"http://{OURS}/"), "<p>hello\n", "the index")
            equal(fetch(host, OURS, 65536), digest(files.path / "www" / "65536"), "a file")
            server.reload()
            check(not any("need_restart" in line for line in server.lines), server.lines)
            files.write("conf", conf.read_text().replace("mtu=1400", "mtu=1300"))
            server.reload("event=addresses_and_workers_need_restart")
            equal(host.curl(f"http://{OURS}/"), "<p>hello\n", "the index, still")


class Configured(Running):
    program = "mrg-http"

    def __init__(self, host: Taps, conf: Path) -> None:
        super().__init__("--config", str(conf), listen=(), prefix=host.space.prefix)
        host.up()

    def __enter__(self) -> Configured:
        return self


def test_rights_are_given_up() -> None:
    with Taps() as host, Files() as files, Http(host, "--root", str(site(files))) as server:
        equal(server.user_ids(), {"65534"}, "user")


def test_a_load_of_requests() -> None:
    need("wrk")
    with Taps() as host, Files() as files, Http(host, "--root", str(site(files))):
        out = host.space.run("wrk", "-t", "1", "-c", "32", "-d", "1", f"http://{OURS}/1448", timeout=60)
        check("Socket errors" not in out and "Non-2xx" not in out, out)


def test_bad_links_and_the_right_bytes() -> None:
    for seed, evils in enumerate(EVILS):
        with Files() as files, Bad("--seed", str(seed + 1), *evils) as bad, Http(bad, "--root", str(site(files))):
            for at in (OURS, f"[{OURS6}]"):
                equal(fetch(bad, at, 1_000_003), digest(files.path / "www" / "1000003"), f"{' '.join(evils)}: from {at}")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

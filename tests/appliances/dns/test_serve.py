#!/usr/bin/env python3
"""The running server: answers over UDP and TCP, IPv4 and IPv6, its options, its end."""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness import ROOT, ZONE, Files, Server, check, equal, main, receive, receive_end, run  # noqa: E402

BOTH = ("127.0.0.1:0", "[::1]:0")


def serve(files: Files, *args: str, zone: str = ZONE, listen: tuple[str, ...] = ("127.0.0.1:0",)) -> Server:
    return Server("--zone", f"example.org={files.write('zone', zone)}", *args, listen=listen)


def check_www(message: wire.Message) -> None:
    equal(message.rcode, wire.NOERROR, "rcode")
    check(bool(message.flags & wire.QR and message.flags & wire.AA), f"flags {message.flags:#x}")
    equal(message.questions, [("www.example.org.", wire.A, wire.IN)], "question")
    equal(message.rdata(wire.A), [bytes([192, 0, 2, 80])], "address")
    equal(message.ident, 0x1234, "id")


def test_udp_and_tcp_over_both_families() -> None:
    with Files() as files, serve(files, listen=BOTH) as server:
        equal(len(server.addresses), 2, "addresses")
        for index in range(2):
            check_www(wire.read(server.udp(wire.query("www.example.org"), index)))
            check_www(wire.read(server.tcp(wire.query("www.example.org"), index)))


def test_wildcard_addresses_reply_from_the_asked_one() -> None:
    with Files() as files, serve(files, listen=("0.0.0.0:0", "[::]:0")) as server:
        for host, index in server.own_addresses():
            with socket.socket((socket.AF_INET, socket.AF_INET6)[index], socket.SOCK_DGRAM) as s:
                s.settimeout(30)
                s.connect((host, server.addresses[index][1]))  # a reply from elsewhere would not arrive
                s.send(wire.query("www.example.org"))
                check_www(wire.read(s.recv(4096)))


def test_several_workers_share_the_address() -> None:
    with Files() as files, serve(files, "--workers", "3", listen=BOTH) as server:
        for _ in range(40):
            check_www(wire.read(server.udp(wire.query("www.example.org"))))
            check_www(wire.read(server.tcp(wire.query("www.example.org"), 1)))
        equal(len(os.listdir(f"/proc/{server.process.pid}/task")), 4, "threads: the control and three workers")
        equal(server.end(), 0, "exit")


def test_several_zones_longest_match() -> None:
    with Files() as files:
        parent = files.write("parent", ZONE + "sub NS ns1\n")
        child = files.write("child", "@ 60 SOA a b 1 2 3 4 5\n@ 60 NS a\n@ 60 TXT child\na 60 A 192.0.2.7\n")
        with Server("--zone", f"example.org={parent}", "--zone", f"sub.example.org.={child}", "--zone", f"other.test={child}") as server:
            check(bool(server.ask("sub.example.org", wire.TXT).flags & wire.AA), "the child answers")
            equal(server.ask("a.other.test").rdata(wire.A), [bytes([192, 0, 2, 7])])
            equal(server.ask("elsewhere.test").rcode, wire.REFUSED)
            check_www(server.ask("www.example.org"))


def test_a_thousand_datagrams_at_once() -> None:
    with Files() as files, serve(files) as server, server.udp_socket() as s:
        seen = set()
        for start in range(0, 1000, 100):
            for i in range(start, start + 100):
                s.send(wire.query("www.example.org", ident=i))
            for _ in range(100):
                seen.add(wire.read(s.recv(4096)).ident)
        equal(len(seen), 1000, "answers")


def test_truncated_over_udp_whole_over_tcp() -> None:
    many = "".join(f'big TXT "{i:03} {"x" * 90}"\n' for i in range(30))
    with Files() as files, serve(files, zone=ZONE + many) as server:
        small = wire.read(server.udp(wire.query("big.example.org", wire.TXT)))
        check(bool(small.flags & wire.TC), "TC over UDP")
        equal(len(wire.read(server.tcp(wire.query("big.example.org", wire.TXT))).answer), 30, "records over TCP")


def test_udp_max_limits_replies() -> None:
    many = "".join(f'big TXT "{i:03} {"x" * 90}"\n' for i in range(12))
    ask = wire.with_opt(wire.query("big.example.org", wire.TXT), size=4096)
    with Files() as files:
        with serve(files, "--udp-max", "4000", zone=ZONE + many) as server:
            check(not wire.read(server.udp(ask)).flags & wire.TC, "fits 4000")
        with serve(files, "--udp-max", "512", zone=ZONE + many) as server:
            reply = server.udp(ask)
            check(bool(wire.read(reply).flags & wire.TC), "does not fit 512")
            check(len(reply) <= 512, f"{len(reply)} octets")


def test_chaos_texts_and_nsid() -> None:
    with Files() as files:
        with serve(files, "--version-text", "morgana 1", "--identity=here", "--nsid", "n1") as server:
            for qname, text in (("version.bind", b"morgana 1"), ("id.server", b"here")):
                reply = wire.read(server.udp(wire.query(qname, wire.TXT, wire.CH)))
                equal(reply.rdata(wire.TXT), [bytes([len(text)]) + text], qname)
            reply = wire.read(server.udp(wire.with_opt(wire.query("www.example.org"), options=struct.pack("!HH", 3, 0))))
            equal(next(r.rdata for r in reply.additional if r.type == wire.OPT), struct.pack("!HH", 3, 2) + b"n1", "NSID")
        with serve(files) as server:
            equal(wire.read(server.udp(wire.query("version.bind", wire.TXT, wire.CH))).rcode, wire.REFUSED, "not told by default")


def test_sigterm_and_sigint_end_it() -> None:
    for how in (signal.SIGTERM, signal.SIGINT):
        with Files() as files, serve(files) as server:
            equal(server.end(how), 0, "exit status")
            check(any("event=stopped" in line for line in server.lines), "the log tells")


def test_sigterm_answers_what_was_asked() -> None:
    """Queries that the kernel already holds are answered, and the connection then ends in good order."""
    with Files() as files, serve(files) as server:
        with server.tcp_socket() as busy, server.tcp_socket() as idle, server.tcp_socket() as partial:
            busy.sendall(wire.frame(wire.query("www.example.org")))
            check_www(wire.read(receive(busy)))  # accepted by now
            for s in (idle, partial):
                s.sendall(wire.frame(wire.query("www.example.org")))
                receive(s)
            partial.sendall(b"\0")
            server.process.send_signal(signal.SIGSTOP)
            busy.sendall(wire.frame(wire.query("www.example.org")) * 500)
            server.process.send_signal(signal.SIGTERM)
            server.process.send_signal(signal.SIGCONT)
            for _ in range(500):
                check_www(wire.read(receive(busy)))
            for s in (busy, idle, partial):
                receive_end(s)
        equal(server.wait_end(), 0, "exit status")


def test_sigterm_is_not_held_up_for_ever_by_a_slow_reader() -> None:
    many = "".join(f'big TXT "{i:03} {"x" * 200}"\n' for i in range(250))
    with Files() as files, serve(files, zone=ZONE + many) as server, server.tcp_socket() as s:
        s.setblocking(False)
        asked = 0
        try:
            while asked < 5000:  # until the server no longer reads because its replies are not taken
                asked += s.send(wire.frame(wire.query("big.example.org", wire.TXT)) * 10)
        except BlockingIOError:
            pass
        equal(server.end(), 0, "exit status")


def test_a_second_signal_does_no_harm() -> None:
    with Files() as files, serve(files, "--workers", "2") as server:
        for _ in range(3):
            server.process.send_signal(signal.SIGTERM)
        equal(server.wait_end(), 0, "exit status")


def test_starts_small_and_says_so_in_one_line_each() -> None:
    with Files() as files, serve(files) as server:
        for line in server.lines:
            check(line.startswith("time=") and " level=" in line and " event=" in line, f"log line: {line}")
        ready = next(line for line in server.lines if "event=ready" in line)
        check("zones=1 records=8 workers=1 took_us=" in ready, ready)
        zone = next(line for line in server.lines if "event=zone" in line)
        check("origin=example.org. serial=7 records=8" in zone, zone)


def test_closed_standard_files_are_not_taken_by_sockets() -> None:
    with Files() as files:
        zone = f"example.org={files.write('zone', ZONE)}"
        with Server("--zone", zone, prefix=("sh", "-c", 'exec "$0" "$@" <&- >&-')) as server:
            for fd in (0, 1):
                equal(os.readlink(f"/proc/{server.process.pid}/fd/{fd}"), "/dev/null", f"descriptor {fd}")
            check_www(server.ask("www.example.org"))


# ---- what does not start ----


def check_refused(code: int, text: str, *args: object) -> None:
    done = run(*args)
    equal(done.returncode, code, f"exit status of {args} ({done.stderr.strip()})")
    check(text in done.stderr, f"'{text}' in: {done.stderr.strip()}")
    equal(len(done.stderr.strip().splitlines()), 1, "lines of message")


def test_usage_errors_say_what_is_wrong() -> None:
    with Files() as files:
        zone = f"example.org={files.write('zone', ZONE)}"
        for text, *args in (
            ("no --zone", "--listen", "127.0.0.1:0"),
            ("no --listen", "--zone", zone),
            ("unknown option '--lisen' (did you mean '--listen'?)", "--lisen", "127.0.0.1:0"),
            ("unknown option '--zones=x' (did you mean '--zone'?)", "--zones=x"),
            ("unknown option '-x'; see mrg-dns --help", "-x"),
            ("unknown option 'serve'; see mrg-dns --help", "serve"),
            ("--zone needs a value", "--zone"),
            ("--check takes no value", "--check=1"),
            ("--listen localhost:53: not an address", "--listen", "localhost:53", "--zone", zone),
            ("--listen 127.0.0.1:65536: not an address", "--listen", "127.0.0.1:65536", "--zone", zone),
            ("--zone nofile: expected ORIGIN=FILE", "--zone", "nofile"),
            ("--zone a..b=x", "--zone", "a..b=x"),
            ("--workers 0: expected a number, 1 to 256", "--workers", "0"),
            ("--workers x: expected a number", "--workers", "x"),
            ("--workers 99999999999: expected a number", "--workers", "99999999999"),
            ("--udp-max 511: expected a number, 512 to 65535", "--udp-max", "511"),
            ("--nsid: longer than 255 octets", "--nsid", "x" * 256),
        ):
            check_refused(2, text, *args)


def test_help_and_version() -> None:
    done = run("--help")
    equal(done.returncode, 0)
    for word in ("--listen", "--zone", "--workers", "--check", "--print", "HUP", "Exit status"):
        check(word in done.stdout, f"{word} in the help")
    version = re.search(r"^VERSION := (\S+)", (ROOT / "mk" / "config.mk").read_text(), re.M)
    check(version is not None and run("--version").stdout == f"mrg-dns {version.group(1)}\n", "version")


def test_address_in_use() -> None:
    with Files() as files:
        zone = f"example.org={files.write('zone', ZONE)}"
        for workers in ("1", "2"):
            with Server("--zone", zone, "--workers", workers) as server:
                for others in ("1", "2"):
                    address = f"127.0.0.1:{server.port}"
                    check_refused(3, f"--listen {address}: UDP: Address already in use", "--listen", address, "--zone", zone,
                                  "--workers", others)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            check_refused(3, "TCP: Address already in use", "--listen", f"127.0.0.1:{s.getsockname()[1]}", "--zone", zone)


def test_address_that_is_not_ours() -> None:
    with Files() as files:
        zone = f"example.org={files.write('zone', ZONE)}"
        check_refused(3, "Cannot assign requested address (no interface", "--listen", "192.0.2.1:5353", "--zone", zone)


def test_bad_zone_and_absent_zone() -> None:
    with Files() as files:
        bad = files.write("bad", ZONE + "mx MX ten mail\n")
        check_refused(1, f"{bad}:10:7: error: MX preference", "--listen", "127.0.0.1:0", "--zone", f"example.org={bad}")
        check_refused(1, "No such file or directory", "--listen", "127.0.0.1:0", "--zone", f"example.org={files.path}/none")


def test_unknown_user() -> None:
    if os.geteuid() != 0:
        return
    with Files() as files:
        zone = f"example.org={files.write('zone', ZONE)}"
        done = run("--listen", "127.0.0.1:0", "--zone", zone, "--user", "no-such-user")
        equal(done.returncode, 4)
        check("--user no-such-user: " in done.stderr, done.stderr)


# ---- privileges ----


def status(pid: int) -> dict[str, str]:
    rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (row.partition(":") for row in rows)}


def check_unprivileged(pid: int, uid: int, gid: int) -> None:
    for task in os.listdir(f"/proc/{pid}/task"):
        row = status(int(task))
        equal(row["Uid"].split(), [str(uid)] * 4, "uid")
        equal(row["Gid"].split(), [str(gid)] * 4, "gid")
        equal(row["Groups"], "", "groups")
        equal(int(row["CapEff"], 16) | int(row["CapPrm"], 16), 0, "capabilities")
        equal(row["NoNewPrivs"], "1", "no_new_privs")


def test_root_becomes_nobody_after_binding() -> None:
    if os.geteuid() != 0:
        return
    with Files() as files:
        mine = f"127.77.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"  # nobody else's in a run of several suites
        with serve(files, "--workers", "2", listen=("127.0.0.1:0", f"{mine}:53")) as server:
            check_unprivileged(server.process.pid, 65534, 65534)
            check_www(wire.read(server.udp(wire.query("www.example.org"), 1)))
            server.reload()
        with serve(files, "--user", "1234:99") as server:
            check_unprivileged(server.process.pid, 1234, 99)


def test_a_zone_that_cannot_be_reloaded_is_told_at_start() -> None:
    if os.geteuid() != 0:
        return
    with Files() as files:
        zone = files.write("zone", ZONE)
        zone.chmod(0o600)
        with Server("--zone", f"example.org={zone}") as server:
            check(any("event=reload_will_fail" in line and "user=nobody" in line for line in server.lines), "a warning")
            check("serving=\"old zones\"" in server.reload("event=reload_failed"), "reload fails")
            check_www(server.ask("www.example.org"))
        with Server("--zone", f"example.org={zone}", "--user", "root") as server:
            server.reload()


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

#!/usr/bin/env python3
"""Lines about queries: all that is to be seen in them, whatever names are asked for; one of so many; what finds no room is counted."""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness import PATIENCE_S, ZONE, Files, Server, check, equal, main, receive, run  # noqa: E402
from peers import KEY, SECRET, dig  # noqa: E402
from running import run_program  # noqa: E402
from test_update import NOTIFY, UPDATE, nsupdate  # noqa: E402

LINE = re.compile(r'level=info event=(?P<event>query|transfer|notify|update) time=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z peer=\S+:\d+ '
                  r'via=(?P<via>udp|tcp)(?: opcode=(?P<opcode>\S+))? rcode=(?P<rcode>\S+) flags=(?P<flags>\S+) size=(?P<size>\d+)'
                  r'(?: messages=(?P<messages>\d+))? took_us=\d+(?: key=(?P<key>\S+))?(?: class=(?P<class>\S+) type=(?P<type>\S+) '
                  r'name=(?P<name>[!-~]+|"(?:[^"\\]|\\["\\])*"))?')
COOKIE = 10
IXFR, AXFR = 251, 252


def lines(text: bytes) -> list[dict[str, str]]:
    """Each line has all that it is to have."""
    out = []
    check(text.endswith(b"\n") or not text, "whole lines")
    for line in text.decode("ascii").splitlines():
        found = LINE.fullmatch(line)
        assert found is not None, line
        out.append(found.groupdict())
    return out


def until(path: Path, count: int) -> list[dict[str, str]]:
    """So many lines, which come a moment behind the replies."""
    end = time.monotonic() + PATIENCE_S
    while len(found := lines(whole(path))) < count and time.monotonic() < end:
        pass
    equal(len(found), count, "lines")
    return found


def whole(path: Path) -> bytes:
    text = path.read_bytes()
    return text[:text.rfind(b"\n") + 1]


def figure(server: Server, name: str) -> int:
    host, port = server.addresses_of("metrics")[0]
    with urllib.request.urlopen(f"http://{host}:{port}/metrics") as reply:
        found = re.findall(rf"^{re.escape(name)} (\d+)$", reply.read().decode(), re.MULTILINE)
    equal(len(found), 1, name)
    return int(found[0])


def served(files: Files, *arguments: str) -> tuple[str, ...]:
    return ("--zone", f"example.org={files.write('a.zone', ZONE)}", "--user", str(os.getuid()), *arguments)


def test_what_is_in_a_line() -> None:
    cookie = wire.with_opt(wire.query("www.example.org", wire.AAAA), options=bytes((0, COOKIE, 0, 8)) + b"12345678")
    with Files() as files:
        log = files.path / "log"
        big = ZONE + "".join(f"big TXT \"{i:0200}\"\n" for i in range(9))
        with Server("--zone", f"example.org={files.write('a.zone', big)}", "--query-log", str(log), "--user", str(os.getuid())) as server:
            sizes = [len(server.udp(wire.query("www.example.org"))), len(server.udp(cookie)),
                     len(server.tcp(wire.with_opt(wire.query("none.example.org"), flags=0x8000))), len(server.udp(wire.query("big.example.org", wire.TXT))),
                     len(server.udp(wire.query("example.com", 65280)))]
            with server.udp_socket() as s:
                s.send(b"\0" * 4)  # no header, no reply
            found = until(log, 6)
            equal(server.end(), 0)
    nothing = {"event": "query", "opcode": "QUERY", "messages": None, "key": None}
    for line, size, want in zip(found, [*sizes, 0], (
            {"via": "udp", "rcode": "NOERROR", "flags": "-", "class": "IN", "type": "A", "name": "www.example.org."},
            {"via": "udp", "rcode": "NOERROR", "flags": "edns,cookie", "class": "IN", "type": "AAAA", "name": "www.example.org."},
            {"via": "tcp", "rcode": "NXDOMAIN", "flags": "edns,do", "class": "IN", "type": "A", "name": "none.example.org."},
            {"via": "udp", "rcode": "NOERROR", "flags": "tc", "class": "IN", "type": "TXT", "name": "big.example.org."},
            {"via": "udp", "rcode": "REFUSED", "flags": "-", "class": "IN", "type": "TYPE65280", "name": "example.com."},
            {"via": "udp", "rcode": "-", "flags": "-", "opcode": None, "class": None, "type": None, "name": None})):
        equal(line, {**nothing, **want, "size": str(size)})


def test_rcodes_have_their_upper_bits() -> None:
    with Files() as files:
        log = files.path / "log"
        with Server(*served(files, "--query-log", str(log))) as server:
            server.udp(wire.with_opt(wire.query("www.example.org"), version=1))
            equal(until(log, 1)[0]["rcode"], "BADVERS")


def test_names_with_any_octets_are_one_word_of_one_line() -> None:
    labels = [b"a\nlevel=error b", b'"', b"\\", b"=", b"\0\xff\x7f", b"\t \r"]
    longest = [bytes(range(128, 191)), b"\n" * 63, b'"' * 63, b"\\" * 61]
    with Files() as files:
        log = files.path / "log"
        with Server(*served(files, "--query-log", str(log))) as server:
            for name in (labels, longest):
                message = wire.query("example.org")
                flat = b"".join(bytes((len(label),)) + label for label in name) + b"\0"
                server.udp(message[:12] + flat + message[12 + len(b"\7example\3org\0"):])
            found = until(log, 2)
    equal(found[0]["name"], '"a\\\\010level=error\\\\032b.\\\\\\".\\\\\\\\.=.\\\\000\\\\255\\\\127.\\\\009\\\\032\\\\013."')
    equal(len(found[1]["name"].replace("\\\\", "\\").replace('\\"', '"')), 2 + 4 * (63 + 63) + 2 * (63 + 61) + 4, "nothing of the longest is left out")


def telling(files: Files, count: int = 3) -> tuple[str, ...]:
    """A zone that may be transferred and changed by who has the key, and another one's that its primary, who is nowhere, tells of."""
    files.path.chmod(0o777)
    files.write("a.zone", ZONE + "".join(f"n{i} TXT {'x' * 200}\n" for i in range(count))).chmod(0o666)
    return ("--config", str(files.write("conf", f"""
        key {KEY} {{
            secret {SECRET}
        }}
        zone example.org {{
            file {files.path}/a.zone
            allow-transfer any {KEY}
            allow-update {KEY} *.example.org
        }}
        zone other.example {{
            primary 127.0.0.2:1
            allow-notify 127.0.0.1
        }}
        query-log {files.path}/log
        query-log-sample 1000
        dnstap {files.path}/tap
        """)))


def with_soa(message: bytes, serial: int) -> bytes:
    """A request for what has changed since."""
    soa = wire.name("example.org") + struct.pack("!HHIH", wire.SOA, wire.IN, 0, 22) + b"\0\0" + struct.pack("!5I", serial, 1, 1, 1, 1)
    return message[:8] + b"\0\1" + message[10:] + soa


def test_what_is_no_question() -> None:
    """Whoever may has a line each, whatever else is sampled; how much was sent is known when all was."""
    with Files() as files:
        with Server(*telling(files, 1000)) as server:
            whole_zone = dig(server.port, "axfr", "example.org", "+noall", "+answer")
            check(whole_zone.count("TXT") > 1000, "the zone")
            changes = server.udp(with_soa(wire.query("example.org", IXFR), 6))  # not signed, which is refused
            notify = server.udp(wire.query("other.example", wire.SOA, flags=NOTIFY))
            equal(nsupdate(server, "update add new.example.org 60 A 192.0.2.99"), "")
            equal(nsupdate(server, "prereq nxdomain www.example.org", "update delete new.example.org A", tcp=True), "update failed: YXDOMAIN")
            found = until(files.path / "log", 4)
            equal(server.end(), 0)
        check(wire.read(changes).rcode == wire.REFUSED and wire.read(notify).rcode == 0, "replies")
        axfr, notified, *updated = found
        equal({key: axfr[key] for key in ("event", "via", "opcode", "rcode", "key", "class", "type", "name")},
              {"event": "transfer", "via": "tcp", "opcode": "QUERY", "rcode": "NOERROR", "key": f"{KEY}.", "class": "IN", "type": "AXFR",
               "name": "example.org."})
        check("tsig" in axfr["flags"] and int(axfr["messages"]) > 3 and int(axfr["size"]) > 200 * 1000, str(axfr))
        equal(notified, {"event": "notify", "via": "udp", "opcode": "NOTIFY", "rcode": "NOERROR", "flags": "-", "size": str(len(notify)),
                         "messages": None, "key": None, "class": "IN", "type": "SOA", "name": "other.example."})
        for line, via, code in zip(updated, ("udp", "tcp"), ("NOERROR", "YXDOMAIN")):
            equal({key: line[key] for key in ("event", "via", "opcode", "rcode", "flags", "messages", "key", "class", "type", "name")},
                  {"event": "update", "via": via, "opcode": "UPDATE", "rcode": code, "flags": "tsig", "messages": None, "key": f"{KEY}.",
                   "class": "IN", "type": "SOA", "name": "example.org."})
            check(int(line["size"]) > 12, "the reply has a signature")


def test_what_is_refused_is_one_of_so_many() -> None:
    """Anybody can send it, as often as he likes; its key is whatever he says."""
    with Files() as files:
        arguments = telling(files)
        conf = Path(arguments[1])
        conf.write_text(conf.read_text().replace("sample 1000", "sample 1"))
        with Server(*arguments) as server:
            for message in (wire.query("none.example", wire.SOA, flags=NOTIFY), wire.query("example.org", wire.SOA, flags=UPDATE),
                            with_soa(wire.query("example.org", IXFR), 6), wire.query("example.org", wire.SOA, flags=2 << 11)):
                server.udp(message)
            server.tcp(wire.query("example.org", AXFR))
            said = nsupdate(server, "zone example.org", "update add new.example.org 60 A 192.0.2.99", key=f"stranger. {SECRET}")
            check("update failed: NOTAUTH" in said, said)
            found = until(files.path / "log", 6)
        equal([(line["event"], line["opcode"], line["rcode"], line["messages"], line["key"]) for line in found],
              [("notify", "NOTIFY", "NOTAUTH", None, None), ("update", "UPDATE", "REFUSED", None, None), ("transfer", "QUERY", "REFUSED", "1", None),
               ("query", "STATUS", "NOTIMP", None, None), ("transfer", "QUERY", "REFUSED", "1", None),
               ("update", "UPDATE", "NOTAUTH", None, "stranger.")])
        conf.write_text(conf.read_text().replace("sample 1", "sample 3"))
        (files.path / "log").unlink()
        with Server(*arguments) as server:
            for i in range(6):
                server.udp(wire.query(f"n{i}.example", wire.SOA, flags=NOTIFY))
            equal([line["name"] for line in until(files.path / "log", 2)], ["n2.example.", "n5.example."])


def test_a_transfer_that_nobody_takes_to_its_end() -> None:
    with Files() as files:
        arguments = telling(files, 40000)
        conf = Path(arguments[1])
        conf.write_text(conf.read_text().replace("allow-transfer", "allow-transfer any\nallow-transfer"))
        with Server(*arguments) as server:
            with socket.create_connection(server.addresses[0], PATIENCE_S) as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.sendall(wire.frame(wire.query("example.org", AXFR)))
                check(len(receive(s)) > 10000, "the beginning")
            found = until(files.path / "log", 1)[0]
            check(0 < int(found["messages"]) < 40000 * 200 / 65535, str(found))
            equal((found["event"], found["flags"], found["rcode"]), ("transfer", "cut", "NOERROR"))
            equal(server.end(), 0)


def test_one_of_so_many() -> None:
    with Files() as files:
        log = files.path / "log"
        conf = files.write("conf", f"query-log {log}\nquery-log-sample 10\nmetrics 127.0.0.1:0\n")
        with Server(*served(files, "--config", str(conf))) as server:
            for i in range(100):
                server.udp(wire.query(f"n{i}.example.org"))
            found = until(log, 10)
            equal([line["name"] for line in found], [f"n{i}.example.org." for i in range(9, 100, 10)])
            equal(figure(server, "mrg_dns_log_queries_total"), 10)
            equal(figure(server, 'mrg_dns_log_dropped_total{where="worker"}'), 0)


def test_standard_output_has_all_when_the_server_ends() -> None:
    with Files() as files, Server(*served(files, "--query-log", "-", "--workers", "2"), stdout=subprocess.PIPE) as server:
        for i in range(200):
            server.udp(wire.query(f"n{i}.example.org"))
        server.process.send_signal(signal.SIGTERM)
        assert server.process.stdout is not None
        found = lines(server.process.stdout.read())
        equal(server.wait_end(), 0)
    equal(sorted(line["name"] for line in found), sorted(f"n{i}.example.org." for i in range(200)))


def test_who_reads_no_pipe_holds_nothing_up_and_loses_what_finds_no_room() -> None:
    """What was there is told, in order; the rest is counted; that is all of it, and each query had its reply."""
    with Files() as files:
        pipe = files.path / "pipe"
        os.mkfifo(pipe)
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        with Server(*served(files, "--query-log", str(pipe), "--metrics", "127.0.0.1:0")) as server:
            lost = 'mrg_dns_log_dropped_total{where="query-log"}'
            asked = 0
            with server.tcp_socket() as s:
                while asked < 1000000 and figure(server, lost) == 0:
                    for i in range(asked, asked + 500):
                        s.sendall(wire.frame(wire.query(f"n{i}." + "x" * 60 + ".example.org")))
                        receive(s)
                    asked += 500
            equal(figure(server, "mrg_dns_log_queries_total"), asked)
            os.set_blocking(reader, True)
            server.process.send_signal(signal.SIGTERM)
            text = b""
            while piece := os.read(reader, 1 << 20):
                text += piece
            equal(server.wait_end(), 0)
        os.close(reader)
        found = [int(line["name"][1:].split(".")[0]) for line in lines(text)]
        check(0 < len(found) < asked and found == sorted(set(found)), f"{len(found)} of {asked}, each once")
        equal(found[:100], list(range(100)), "what was there first is kept")


def test_a_file_that_was_moved_away_is_opened_anew() -> None:
    with Files() as files:
        log = files.path / "log"
        with Server(*served(files, "--query-log", str(log))) as server:
            server.ask("one.example.org")
            until(log, 1)
            server.reload()  # the same file stays
            server.ask("two.example.org")
            until(log, 2)
            log.rename(files.path / "old")
            server.reload()
            end = time.monotonic() + PATIENCE_S
            while not log.exists() and time.monotonic() < end:
                pass
            server.ask("three.example.org")
            equal([line["name"] for line in until(log, 1)], ["three.example.org."])
            equal(len(lines(whole(files.path / "old"))), 2)


def test_what_cannot_be_opened_is_said() -> None:
    with Files() as files:
        zone = files.write("a.zone", ZONE)
        for option in ("--query-log", "--dnstap"):
            bad = f"{files.path}/none/log"
            done = run_program("mrg-dns", "--listen", "127.0.0.1:0", "--zone", f"example.org={zone}", option, bad)
            equal((done.returncode, done.stderr), (4, f"mrg-dns: {option} {bad}: No such file or directory\n"))
        for option, value in (("query-log", ""), ("query-log-sample", "0"), ("query-log-sample", "x"), ("dnstap", "unix:"), ("dnstap", ""), ("dnstap", "-"),
                              ("dnstap", "unix:/" + "x" * 107)):
            equal(run(f"--{option}={value}", "--zone", "a=b").returncode, 2, f"{option} {value}")
            conf = files.write("conf", f'listen 127.0.0.1:0\n{option} "{value}"\n')
            done = run("--config", conf)
            check(done.returncode == 1 and done.stderr.startswith(f"{conf}:2:"), done.stderr)


def test_in_a_sandbox() -> None:
    """Files are written on, by a thread of its own; sockets can't be connected to."""
    with Files() as files:
        zone = files.write("a.zone", ZONE)
        done = run("--sandbox", "--listen", "127.0.0.1:0", "--zone", f"example.org={zone}", "--dnstap", "unix:/nowhere")
        if "sanitizers" in done.stderr:
            return
        equal(done.returncode, 2)
        check("--dnstap unix: can't be had with --sandbox" in done.stderr, done.stderr)
        log, tap = files.path / "log", files.path / "tap"
        for workers in ("1", "3"):
            with Server(*served(files, "--sandbox", "--workers", workers, "--query-log", str(log), "--dnstap", str(tap))) as server:
                for i in range(20):
                    server.udp(wire.query(f"n{i}.example.org"))
                equal(server.end(), 0)
            equal(len(lines(log.read_bytes())), 20)
            check(tap.read_bytes().endswith(bytes((0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 3))), "the end is written")
            log.unlink()


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

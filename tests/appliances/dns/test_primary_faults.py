#!/usr/bin/env python3
"""Primaries that do all that they should not, and some that die: the zone that was there is served throughout, the log says why."""

from __future__ import annotations

import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterable
from itertools import chain, repeat
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness import Files, Server, check, equal, main  # noqa: E402
from peers import KEY, ORIGIN, SECRET  # noqa: E402
from running import PATIENCE_S, run_program  # noqa: E402

SOA, NS, A, ZONEMD = 6, 2, 1, 63
RESPONSE = 0x8400


def soa(serial: int, expire: int = 1209600) -> bytes:
    return record("", SOA, wire.name("ns1." + ORIGIN) + wire.name("h." + ORIGIN) + struct.pack("!5I", serial, 3600, 900, expire, 300))


def record(owner: str, rtype: int, rdata: bytes, rclass: int = 1, ttl: int = 300) -> bytes:
    full = owner if owner.endswith(".") else f"{owner}.{ORIGIN}" if owner else ORIGIN
    return wire.name(full.rstrip(".")) + struct.pack("!HHIH", rtype, rclass, ttl, len(rdata)) + rdata


NS1 = record("", NS, wire.name("ns1." + ORIGIN))
GLUE = record("ns1", A, bytes((192, 0, 2, 53)))


def host(last: int) -> bytes:
    return record("www", A, bytes((192, 0, 2, last)))


class Primary:
    """Answers SOA queries with `serial`, and transfers with what `transfer` makes of the query: messages, or None to hang up."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.serial = 1
        self.transfer: Callable[[bytes, int], Iterable[bytes | None]] = self.good
        self.tcp = socket.create_server((address, 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind((address, self.port))
        for serve in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def __enter__(self) -> Primary:
        return self

    def __exit__(self, *_: object) -> None:
        self.tcp.close()
        self.udp.close()

    def serve_udp(self) -> None:
        while True:
            try:
                query, peer = self.udp.recvfrom(4096)
                self.udp.sendto(self.message(query, [soa(self.serial)]), peer)
            except OSError:
                return

    def serve_tcp(self) -> None:
        while True:
            try:
                s, _ = self.tcp.accept()
            except OSError:
                return
            with s:
                s.settimeout(PATIENCE_S)
                length = struct.unpack("!H", s.recv(2, socket.MSG_WAITALL))[0]
                query = s.recv(length, socket.MSG_WAITALL)
                qtype = struct.unpack("!H", question(query)[-4:-2])[0]
                try:
                    for message in self.transfer(query, qtype):
                        if message is None:
                            break
                        s.sendall(wire.frame(message))
                    else:
                        s.recv(1)  # until the other side ends
                except OSError:
                    pass

    @staticmethod
    def message(query: bytes, records: list[bytes], flags: int = RESPONSE, ident: int | None = None) -> bytes:
        head = query[:2] if ident is None else struct.pack("!H", ident)
        return head + struct.pack("!5H", flags, 1, len(records), 0, 0) + question(query) + b"".join(records)

    def good(self, query: bytes, qtype: int) -> Iterable[bytes | None]:
        return [self.message(query, [soa(self.serial), NS1, GLUE, host(self.serial), soa(self.serial)])]


def question(query: bytes) -> bytes:
    end = 12
    while query[end]:
        end += query[end] + 1
    return query[12:end + 5]


def kept(files: Files, primary: Primary, *key: str, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    files.path.chmod(0o777)
    config = files.write("mrg.conf", f"control {files.path}/control\nkey {KEY} {{\nsecret {SECRET}\n}}\nzone {ORIGIN} {{\nprimary 127.0.0.1:"
                                     f"{primary.port} {' '.join(key)}\n" + "".join(line + "\n" for line in more) + "}\n")
    return ("--config", str(config))


def check_now(files: Files) -> None:
    equal(run_program("mrg-dnsctl", "--control", f"{files.path}/control", "transfer", ORIGIN).returncode, 0)


def served(server: Server) -> int:
    return wire.read(server.udp(wire.query("www." + ORIGIN))).rdata(wire.A)[0][3]


def faults(p: Primary) -> dict[str, tuple[Callable[[bytes, int], Iterable[bytes | None]], str]]:
    """What a primary of version 2 may say, and what the log says of it."""
    new, old = soa(2), soa(1)
    whole = [NS1, GLUE, host(2)]

    def says(*records: bytes, flags: int = RESPONSE, ident: int | None = None) -> Callable[[bytes, int], Iterable[bytes | None]]:
        return lambda query, qtype: [p.message(query, list(records), flags, ident)]

    return {
        "no SOA first": (says(NS1, new), "no SOA record at the beginning"),
        "a record of another zone": (says(new, *whole, record("x.example.net.", A, b"1234"), new), "not in the zone"),
        "an SOA below the top": (says(new, *whole, wire.name("a." + ORIGIN) + new[len(wire.name(ORIGIN)):], new), "not in the zone"),
        "another SOA at the end": (says(new, *whole, soa(3)), "SOA"),
        "more behind the end": (says(new, *whole, new, host(9)), "behind"),
        "no end, then it dies": (lambda query, qtype: [p.message(query, [new, *whole]), None], ""),
        "nothing, then it dies": (lambda query, qtype: [None], ""),
        "half a message": (lambda query, qtype: [p.message(query, [new, *whole, new])[:-7]], "not a message"),
        "another class": (says(new, *whole, record("c", A, b"1234", rclass=3), new), "class"),
        "refused": (says(flags=RESPONSE | 5), "REFUSED"),
        "truncated": (says(new, *whole, new, flags=RESPONSE | 0x200), "cut"),
        "no response": (says(new, *whole, new, flags=0x0400), "not a response to what was asked"),
        "another identifier": (
            lambda query, qtype: [p.message(query, [new, *whole, new], ident=struct.unpack("!H", query[:2])[0] ^ 1)], "not a response to what was asked"),
        "a difference from another version": (says(new, soa(7), host(1), new, host(2), new), "differences from another version"),
        "a difference that deletes what is not there": (says(new, old, host(77), new, host(2), new), "record to be deleted is not there: www.example.org. A"),
        "a difference that leads back": (says(new, old, host(1), soa(0), host(2), new), ""),
        "an older version": (says(soa(0), *whole, soa(0)), "an older version than the one that is there"),
        "the version that is there": (says(old, *whole, old), ""),
        "a CNAME beside other data": (says(new, *whole, record("www", 5, wire.name(ORIGIN)), new), "CNAME"),
        "no NS at the top": (says(new, GLUE, host(2), new), "NS"),
        "a digest of another zone": (says(new, *whole, record("", ZONEMD, struct.pack("!I2B", 2, 1, 1) + bytes(48)), new), "digest"),
        "RDATA that is none": (says(new, *whole, record("y", A, b"12345"), new), ""),
        "unasked octets": (lambda query, qtype: [b"\xff" * 40], ""),
        "a short message": (lambda query, qtype: [b"\x00"], ""),
    }


def test_what_is_wrong_is_told_and_the_old_zone_stays() -> None:
    with Files() as files, Primary() as primary, Server(*kept(files, primary)) as server:
        server.wait_for("event=transfer_received")
        server.wait_for("event=zone ")
        equal(served(server), 1)
        primary.serial = 2
        for name, (transfer, why) in faults(primary).items():
            primary.transfer = transfer
            check_now(files)
            line = server.wait_for("event=transfer_failed")
            check(why in line, f"{name}: {line}")
            if name != "nothing, then it dies":  # who says something wrong about changes is asked for the whole zone at once
                server.wait_for("event=transfer_failed")
            equal(served(server), 1, name)
        primary.transfer = primary.good
        check_now(files)
        server.wait_for("event=transfer_received")
        server.wait_for("event=zone ")
        equal(served(server), 2, "and a good one is taken")


def test_an_older_version_is_not_taken() -> None:
    with Files() as files, Primary() as primary:
        primary.serial = 5
        with Server(*kept(files, primary)) as server:
            server.wait_for("event=transfer_received")
            server.wait_for("event=zone ")
            primary.serial = 4
            check_now(files)
            primary.serial = 6
            check_now(files)
            line = server.wait_for("event=transfer_received")
            check("serial=6" in line, line)
            server.wait_for("event=zone ")
            equal(served(server), 6)


def test_endless_transfers_end() -> None:
    with Files() as files, Primary() as primary, Server(*kept(files, primary, more=("size-limit 2",))) as server:
        server.wait_for("event=transfer_received")
        server.wait_for("event=zone ")
        primary.serial = 2
        bulk = [record(f"h{i}", A, bytes((10, 0, i // 256, i % 256))) for i in range(500)]
        primary.transfer = lambda query, qtype: chain([primary.message(query, [soa(2), NS1, GLUE])], repeat(primary.message(query, bulk)))
        check_now(files)
        line = server.wait_for("event=transfer_failed")
        check("longer than is allowed" in line, line)
        equal(served(server), 1)


def test_without_the_key_nothing_is_taken() -> None:
    with Files() as files, Primary() as primary, Server(*kept(files, primary, KEY)) as server:
        line = server.wait_for("event=primary_refuses")
        check("not signed" in line, line)
        reply = wire.read(server.udp(wire.query("www." + ORIGIN)))
        equal(reply.rcode, 2, "SERVFAIL: nothing is there")


def test_what_has_expired_is_served_no_more() -> None:
    with Files() as files, Primary() as primary:
        primary.transfer = lambda query, qtype: [primary.message(query, [soa(1, expire=1), NS1, GLUE, host(1), soa(1, expire=1)])]
        with Server(*kept(files, primary)) as server:
            server.wait_for("event=transfer_received")
            server.wait_for("event=zone ")
            equal(served(server), 1)
            primary.udp.close()
            primary.tcp.close()
            server.wait_for("event=zone_expired")
            message = wire.read(server.udp(wire.query("www." + ORIGIN)))
            while message.rcode == 0:  # the workers take it up behind the line of the log
                message = wire.read(server.udp(wire.query("www." + ORIGIN)))
            equal(message.rcode, 2)


def test_what_was_written_is_served_after_a_restart() -> None:
    with Files() as files, Primary() as primary:
        primary.serial = 9
        arguments = kept(files, primary, more=(f"file {files.path}/kept.zone",))
        with Server(*arguments) as server:
            server.wait_for("event=zone ")
            equal(run_program("mrg-dnsctl", "--control", f"{files.path}/control", "write", ORIGIN).returncode, 0)
        primary.tcp.close()
        primary.udp.close()
        with Server(*arguments) as server:
            equal(served(server), 9, "without a primary")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

#!/usr/bin/env python3
"""mrg-dns on its own TCP/IP as primary and as secondary of servers of other makes on the kernel's: AXFR, NOTIFY, IXFR, all signed, and
from its own address; members of a catalog, and updates."""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "dns")]
import wire  # noqa: E402
from peers import KEY, ORIGIN, SECRET, Knotd, Net, Nsd, Peer, dig, records, wait_for_serial  # noqa: E402
from stack import KERNEL, KERNEL6, OURS, OURS6, PATIENCE_S, Files, OnStack, Packets, Taps, check, equal, main, need  # noqa: E402
from test_primary_faults import GLUE, NS1, A, Primary, host, record, soa  # noqa: E402

PORT = 53
HEAD = "$TTL 3600\n@ SOA ns1 hostmaster {serial} {refresh} 1 {expire} 300\n@ NS ns1\nns1 A 192.0.2.53\n"


def zone(serial: int, *lines: str, count: int = 300, refresh: int = 7200, expire: int = 1209600) -> str:
    return HEAD.format(serial=serial, refresh=refresh, expire=expire) + "".join(
        f"host{i} A 192.0.2.{i % 256}\nhost{i} TXT \"text {i}\"\n" for i in range(count)) + "".join(line + "\n" for line in lines)


def place(address: str) -> str:
    return f"[{address}]" if ":" in address else address


class Server(OnStack):
    """Of one zone, and what the configuration says of it."""

    program = "mrg-dns"

    def __init__(self, space: Standing | Cabled, files: Files, *lines: str, at: str = OURS, origin: str = ORIGIN) -> None:
        need("dig")
        self.on = space
        self.at = at
        text = f"key {KEY} {{\nsecret {SECRET}\n}}\nzone {origin} {{\n" + "".join(line + "\n" for line in lines) + "}\n"
        super().__init__(space, "--config", str(files.write("mrg.conf", text)))

    def __enter__(self) -> Server:
        return self

    def records(self) -> list[str]:
        return records(PORT, self.at, self.on.space.prefix)

    def wait_for_serial(self, serial: int) -> None:
        wait_for_serial(PORT, serial, self.at, self.on.space.prefix)

    def ask(self, *words: str) -> str:
        return dig(PORT, *words, at=self.at, prefix=self.on.space.prefix)

    def update(self, *lines: str, tcp: bool = False) -> str:
        """What nsupdate says: nothing, or why not."""
        text = "".join(f"{line}\n" for line in (f"server {self.at}", f"key hmac-sha256:{KEY} {SECRET}", *lines, "send"))
        done = subprocess.run([*self.on.space.prefix, "nsupdate", *(["-v"] if tcp else [])], input=text, capture_output=True, text=True,
                              timeout=PATIENCE_S)
        return (done.stdout + done.stderr).strip()


class Standing(Taps):
    """The device is there before the server, so that the kernel's side has its addresses: others are asked as soon as it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.space.ip("tuntap", "add", "dev", "tap0", "mode", "tap", "vnet_hdr")
        super().up()

    def up(self) -> None:
        pass


class Cabled(Packets):
    def __init__(self) -> None:
        super().__init__()
        super().up()

    def up(self) -> None:
        pass


class Kernel:
    """The kernel's side."""

    def __init__(self, space: Standing | Cabled, six: bool) -> None:
        self.net = Net(KERNEL6 if six else KERNEL, OURS6 if six else OURS, space.space.prefix)

    def records(self) -> list[str]:
        return records(PORT, self.net.peer, self.net.prefix)

    def wait_for_serial(self, serial: int) -> None:
        wait_for_serial(PORT, serial, self.net.peer, self.net.prefix)


def primary_of_others(make: type[Peer], kind: type[Standing] | type[Cabled], six: bool = False) -> None:
    with kind() as space, Files() as files:
        kernel = Kernel(space, six)
        there = kernel.net.peer
        files.write("ours.zone", zone(1))
        with Server(space, files, f"file {files.path}/ours.zone", f"allow-transfer {there} {KEY}", f"notify {place(there)} {KEY}",
                    at=kernel.net.ours) as server, \
                make(files.path / make.name, PORT, primary=PORT, net=kernel.net):
            kernel.wait_for_serial(1)
            equal(kernel.records(), server.records(), "the whole zone")
            files.write("ours.zone", zone(2, "new A 192.0.2.99"))
            server.reload()
            kernel.wait_for_serial(2)  # told by NOTIFY: nobody would ask for two hours
            equal(kernel.records(), server.records(), "what has changed")


def secondary_of_others(make: type[Peer], kind: type[Standing] | type[Cabled], six: bool = False) -> None:
    with kind() as space, Files() as files:
        kernel = Kernel(space, six)
        there = kernel.net.peer
        folder = files.path / make.name
        folder.mkdir()
        (folder / "zone").write_text(zone(1))
        with make(folder, PORT, secondaries=(PORT,), net=kernel.net) as peer, \
                Server(space, files, f"primary {place(there)} {KEY}", f"allow-transfer any {KEY}", at=kernel.net.ours) as server:
            line = server.wait_for("event=transfer_received")
            check("serial=1" in line and "kind=axfr" in line, line)
            server.wait_for_serial(1)
            equal(server.records(), kernel.records(), "the whole zone")
            (folder / "zone").write_text(zone(2, "new A 192.0.2.99"))
            peer.reload(expect="")
            server.wait_for("event=notified")
            line = server.wait_for("event=transfer_received")
            check("serial=2" in line and "kind=ixfr" in line, line)
            server.wait_for_serial(2)
            equal(server.records(), kernel.records(), "what has changed")


def test_primary_of_nsd() -> None:
    primary_of_others(Nsd, Standing)


def test_primary_of_knotd() -> None:
    primary_of_others(Knotd, Cabled)


def test_secondary_of_nsd() -> None:
    secondary_of_others(Nsd, Cabled)


def test_secondary_of_knotd() -> None:
    secondary_of_others(Knotd, Standing)


def test_primary_of_nsd_by_ipv6() -> None:
    primary_of_others(Nsd, Standing, six=True)


def test_secondary_of_knotd_by_ipv6() -> None:
    secondary_of_others(Knotd, Cabled, six=True)


def test_updates() -> None:
    with Standing() as space, Files() as files:
        kernel = Kernel(space, six=False)
        files.path.chmod(0o777)
        files.write("ours.zone", zone(1)).chmod(0o666)
        with Server(space, files, f"file {files.path}/ours.zone", f"allow-update {KEY} *.{ORIGIN} A", f"allow-transfer {KERNEL} {KEY}",
                    f"notify {KERNEL} {KEY}") as server, Nsd(files.path / "nsd", PORT, primary=PORT, net=kernel.net):
            kernel.wait_for_serial(1)
            for tcp in (False, True):
                equal(server.update(f"update add new{tcp:d}.{ORIGIN} 60 A 192.0.2.99", tcp=tcp), "")
                equal(server.ask("+short", f"new{tcp:d}.{ORIGIN}").strip(), "192.0.2.99")
            equal(server.update(f"update add new.{ORIGIN} 60 TXT x"), "update failed: REFUSED")
            equal(server.update(f"prereq yxdomain new.{ORIGIN}", f"update add new.{ORIGIN} 60 A 192.0.2.1"), "update failed: NXDOMAIN")
            kernel.wait_for_serial(3)
            equal(kernel.records(), server.records(), "who keeps a copy has been told")


class Faulty:
    """A primary in the kernel's side that does as it is told, and ours as its secondary."""

    def __init__(self, files: Files) -> None:
        self.space = Standing()
        self.primary = self.space.space.inside(lambda: Primary(KERNEL))
        self.files = files

    def __enter__(self) -> Faulty:
        return self

    def __exit__(self, *_: object) -> None:
        self.primary.__exit__()
        self.space.__exit__()

    def server(self) -> Server:
        return Server(self.space, self.files, f"primary {KERNEL}:{self.primary.port}")


CATALOG, TXT, PTR = "cat.example", 16, 12


def test_members_of_a_catalog() -> None:
    """They are asked for, come, and go by our own stack."""
    members = {1: (ORIGIN,), 2: (), 3: (ORIGIN,)}

    def catalog(query: bytes) -> list[bytes]:
        own = wire.name(CATALOG)
        apex = own + soa(p.serial)[len(wire.name(ORIGIN)):]
        return [p.message(query, [apex, record(CATALOG + ".", 2, wire.name("invalid")), record(f"version.{CATALOG}.", TXT, b"\x012"),
                                  *(record(f"m{p.serial}.zones.{CATALOG}.", PTR, wire.name(name)) for name in members[p.serial]), apex])]

    def until(what: Callable[[], bool], told: str) -> None:
        end = time.monotonic() + PATIENCE_S
        while not what():
            check(time.monotonic() < end, told)

    with Files() as files, Faulty(files) as faulty:
        p = faulty.primary
        p.transfer = lambda query, qtype: catalog(query) if wire.name(CATALOG) in query else p.good(query, qtype)
        with Server(faulty.space, files, f"primary {KERNEL}:{p.port}", "catalog", origin=CATALOG) as server:
            for serial in members:
                if serial != 1:
                    p.serial = serial
                    p.udp.sendto(struct.pack("!6H", 7, 4 << 11, 1, 0, 0, 0) + wire.name(CATALOG) + struct.pack("!2H", 6, 1), (OURS, PORT))
                wanted = f"192.0.2.{serial}" if members[serial] else ""
                until(lambda: server.ask("+short", "www." + ORIGIN).strip() == wanted, f"version {serial} of the catalog")  # noqa: B023
            check("REFUSED" in server.ask("version." + CATALOG), "the catalog is not told")


def test_nobody_listens() -> None:
    with Files() as files, Faulty(files) as faulty:
        faulty.primary.tcp.shutdown(socket.SHUT_RDWR)
        faulty.primary.tcp.close()
        with faulty.server() as server:
            line = server.wait_for("event=transfer_failed")
            check("why=\"connection refused\"" in line, line)
            check("SERVFAIL" in server.ask("www." + ORIGIN), "there is nothing yet")


def test_it_dies_in_the_middle() -> None:
    """More than the relay holds, then the end; and once more, all of it."""
    with Files() as files, Faulty(files) as faulty:
        p = faulty.primary
        bulk = [record(f"h{i}", A, bytes((10, 0, i // 256, i % 256))) for i in range(1000)]
        p.transfer = lambda query, qtype: [p.message(query, [soa(1), NS1, GLUE]), *[p.message(query, bulk)] * 9, None]
        with faulty.server() as server:
            line = server.wait_for("event=transfer_failed")
            check("the primary has ended the connection" in line, line)
            p.transfer = lambda query, qtype: [p.message(query, [soa(1), NS1, GLUE, host(1)]), *[p.message(query, bulk)] * 9,
                                               p.message(query, [soa(1)])]
            line = server.wait_for("event=transfer_received")
            check("records=9005" in line, line)
            server.wait_for("event=zone ")
            equal(server.ask("+short", "h999." + ORIGIN).strip(), "10.0.3.231")


def test_it_ends_while_a_transfer_waits() -> None:
    with Files() as files, Faulty(files) as faulty:
        p, begun, over = faulty.primary, threading.Event(), threading.Event()

        def stall(query: bytes, _qtype: int) -> Iterator[bytes]:
            yield p.message(query, [soa(1), NS1, GLUE])
            begun.set()
            over.wait(PATIENCE_S)

        p.transfer = stall
        with faulty.server() as server:
            check(begun.wait(PATIENCE_S), "it has begun")
            equal(server.end(), 0, "exit status")
        over.set()


def test_what_has_expired_is_served_no_more() -> None:
    with Files() as files, Faulty(files) as faulty:
        p = faulty.primary
        p.transfer = lambda query, qtype: [p.message(query, [soa(1, expire=1), NS1, GLUE, host(1), soa(1, expire=1)])]
        with faulty.server() as server:
            server.wait_for("event=transfer_received")
            server.wait_for("event=zone ")
            p.udp.close()
            p.tcp.close()
            server.wait_for("event=zone_expired")
            end = time.monotonic() + PATIENCE_S
            while "SERVFAIL" not in server.ask("www." + ORIGIN):  # the worker takes it up behind the line of the log
                check(time.monotonic() < end, "it is served on")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

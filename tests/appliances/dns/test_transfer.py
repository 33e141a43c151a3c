#!/usr/bin/env python3
"""Transfers with servers of other makes, both ways, signed: the zone whole, then what has changed in it, told by NOTIFY."""

from __future__ import annotations

import re
import socket
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness import Files, Server, check, equal, main, receive  # noqa: E402
from peers import KEY, ORIGIN, PEERS, SECRET, Peer, dig, free_port, records, wait_for_serial  # noqa: E402
from running import run_program  # noqa: E402

HEAD = "$TTL 3600\n@ SOA ns1 hostmaster {serial} 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.53\n"
KEY_BLOCK = f"key {KEY} {{\nsecret {SECRET}\n}}\n"


def zone(serial: int, *lines: str, count: int = 300) -> str:
    """Some hundreds of records, so that a difference is smaller than the whole."""
    return HEAD.format(serial=serial) + "".join(f"host{i} A 192.0.2.{i % 256}\nhost{i} TXT \"text {i}\"\n" for i in range(count)) + "".join(
        line + "\n" for line in lines)


def ours(files: Files, port: int, *lines: str) -> tuple[str, ...]:
    files.path.chmod(0o777)
    config = files.write("mrg.conf", f"listen 127.0.0.1:{port}\ncontrol {files.path}/control\n{KEY_BLOCK}zone {ORIGIN} {{\n"
                                     + "".join(line + "\n" for line in lines) + "}\n")
    return ("--config", str(config))


CHANGES = ("new A 192.0.2.99", "host7.below TXT \"below a name\"", "*.wild MX 10 mail", "alias CNAME host1")


def from_peer(make: type[Peer]) -> None:
    """The other one is the primary."""
    with Files() as files:
        port, own = free_port(), free_port()
        folder = files.path / make.name
        folder.mkdir()
        (folder / "zone").write_text(zone(1))
        with make(folder, port, secondaries=(own,)) as peer, \
                Server(*ours(files, own, f"primary 127.0.0.1:{port} {KEY}", f"allow-transfer any {KEY}"), listen=()) as server:
            server.wait_for("event=transfer_received")
            server.wait_for("event=zone ")
            equal(records(own), records(port), "the whole zone")
            (folder / "zone").write_text(zone(2, *CHANGES).replace("host5 A", "host5 AAAA 2001:db8::5\nhost5 A").replace("host9 TXT", "host9x TXT"))
            peer.reload(expect="")
            server.wait_for("event=notified")
            line = server.wait_for("event=transfer_received")
            check("serial=2" in line and "kind=ixfr" in line, line)
            server.wait_for("event=zone ")
            equal(records(own), records(port), "what has changed")
            equal(len(records(own)), 3 + 600 + len(CHANGES) + 1)


def sent(server: Server, serial: int) -> str:
    """The line of the log, which may have come before that of the reload."""
    while True:
        for line in server.lines:
            if "event=transfer_sent" in line and f"serial={serial} " in line:
                return line
        server.wait_for("event=transfer_sent")


def to_peer(make: type[Peer]) -> None:
    """Ours is the primary."""
    with Files() as files:
        port, own = free_port(), free_port()
        files.write("ours.zone", zone(1))
        with Server(*ours(files, own, f"file {files.path}/ours.zone", f"allow-transfer 127.0.0.0/8 {KEY}", f"notify 127.0.0.1:{port} {KEY}"),
                    listen=()) as server, make(files.path / make.name, port, primary=own):
            wait_for_serial(port, 1)
            equal(records(port), records(own), "the whole zone")
            files.write("ours.zone", zone(2, *CHANGES).replace("host5 A", "host5 AAAA 2001:db8::5\nhost5 A").replace("host9 TXT", "host9x TXT"))
            server.reload()
            wait_for_serial(port, 2)
            line = sent(server, 2)
            check(int(line.rpartition("octets=")[2]) < 2000, f"only what has changed: {line}")
            equal(records(port), records(own), "what has changed")


def test_named_to_ours() -> None:
    from_peer(PEERS[0])


def test_knotd_to_ours() -> None:
    from_peer(PEERS[1])


def test_nsd_to_ours() -> None:
    from_peer(PEERS[2])


def test_ours_to_named() -> None:
    to_peer(PEERS[0])


def test_ours_to_knotd() -> None:
    to_peer(PEERS[1])


def test_ours_to_nsd() -> None:
    to_peer(PEERS[2])


def told_expiry(port: int, rtype: int) -> int:
    """The seconds of the EXPIRE option (RFC 7314) in the first message of the answer."""
    axfr, code = 252, 9
    message = wire.with_opt(wire.query(ORIGIN, rtype), options=struct.pack("!2H", code, 0))
    if rtype != axfr:  # the version that is there: RFC 1995 3
        soa = b"\0\0" + struct.pack("!5I", 1, 0, 0, 0, 0)
        record = wire.name(ORIGIN) + struct.pack("!HHIH", wire.SOA, wire.IN, 0, len(soa)) + soa
        opt = len(message) - 15
        message = message[:8] + struct.pack("!2H", 1, 1) + message[12:opt] + record + message[opt:]
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(wire.frame(message))
        reply = wire.read(receive(s))
    equal(reply.rcode, wire.NOERROR)
    options = next(record.rdata for record in reply.additional if record.type == wire.OPT)
    equal(options[:4], struct.pack("!2H", code, 4))
    return int(struct.unpack("!I", options[4:])[0])


def test_a_transfer_tells_when_the_zone_expires() -> None:
    """Longer than a secondary keeps any zone, so that its answer is unlike its primary's; also of a catalog, which nobody else is told of."""
    expire, kept = 100_000_000, 365 * 86400
    with Files() as files:
        port = free_port()
        files.write("ours.zone", zone(1, 'version TXT "2"', count=3).replace("1209600", str(expire)))
        with Server(*ours(files, port, f"file {files.path}/ours.zone", "allow-transfer 127.0.0.1"), listen=()):
            for more in ((), ("catalog",)):
                with Files() as others:
                    own, beside = free_port(), f"beside.example={others.write('beside.zone', zone(1, count=1))}"
                    lines = (f"primary 127.0.0.1:{port}", "allow-transfer 127.0.0.1", *more)
                    with Server("--zone", beside, *ours(others, own, *lines), listen=()) as server:
                        server.wait_for("event=zone origin=example.org. serial=1")  # it is served
                        for rtype in (251, 252):  # IXFR, AXFR
                            equal(told_expiry(port, rtype), expire)
                            left = told_expiry(own, rtype)
                            check(kept - 3600 < left <= kept, f"{left} seconds left")


def test_nothing_is_lost_while_a_zone_changes() -> None:
    """Questions go on while versions come: each is answered, and none with an error."""
    with Files() as files:
        port, own = free_port(), free_port()
        folder = files.path / "named"
        folder.mkdir()
        (folder / "zone").write_text(zone(1))
        names = files.write("queries", "".join(f"host{i}.{ORIGIN} A\n" for i in range(300)))
        with PEERS[0](folder, port, secondaries=(own,)) as peer, \
                Server(*ours(files, own, f"primary 127.0.0.1:{port} {KEY}"), listen=()) as server:
            server.wait_for("event=zone ")
            load = subprocess.Popen(["dnsperf", "-s", "127.0.0.1", "-p", str(own), "-d", str(names), "-n", "40", "-Q", "3000", "-t", "20"],
                                    stdout=subprocess.PIPE, text=True)
            versions = 0
            while load.poll() is None:
                versions += 1
                (folder / "zone").write_text(zone(1 + versions, *(f"added{n} A 192.0.2.1" for n in range(versions))))
                peer.reload(expect="")
                line = server.wait_for("event=transfer_received")
                check("kind=ixfr" in line, line)
                server.wait_for("event=zone ")
            said = load.stdout.read() if load.stdout else ""
            check(versions >= 5, f"{versions} versions")
            counts = dict(re.findall(r"(Queries \w+): +(\d+)", said))
            equal((counts["Queries sent"], counts["Queries completed"], counts["Queries lost"]), ("12000", "12000", "0"))
            equal(re.findall(r"Response codes: +(.*)", said), ["NOERROR 12000 (100.00%)"])


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

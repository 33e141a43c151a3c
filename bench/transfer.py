"""Transfers of a large zone: how long a server takes to send it, to take it in, and to take in what has changed."""

from __future__ import annotations

import re
import shutil
import socket
import struct
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

from bench import peers
from bench.peers import ORIGIN, Absent, Places
from bench.table import Row, Sample, Table, progress
from bench.timing import Effort

RECORDS = 1_000_000
CHANGES = 1_000
PATIENCE_S = 120.0

KNOT_ACL = "acl:\n  - id: all\n    address: 127.0.0.1\n    action: [transfer, notify]\n"

OURS = """\
listen 127.0.0.1:{port}
no-cookies
zone {origin} {{
{role}
allow-transfer 127.0.0.1
}}
"""


@dataclass(frozen=True)
class Kind:
    name: str
    command: Callable[[Places, Path, dict[str, str], int], list[str]]  # of a secondary of that port; 0: a primary


def nsd(places: Places, work: Path, values: dict[str, str], primary: int) -> list[str]:
    of_zone = "  provide-xfr: 127.0.0.1 NOKEY\n"
    if primary:
        of_zone += f"  request-xfr: 127.0.0.1@{primary} NOKEY\n  allow-notify: 127.0.0.1 NOKEY\n"
    return peers.nsd(places, work, {**values, "of_zone": of_zone})


def knot(places: Places, work: Path, values: dict[str, str], primary: int) -> list[str]:
    remote = f"remote:\n  - id: primary\n    address: 127.0.0.1@{primary}\n" if primary else ""
    of_zone = "    acl: all\n" + ("    master: primary\n" if primary else "")
    return peers.knot(places, work, {**values, "sections": remote + KNOT_ACL, "of_zone": of_zone})


def ours(places: Places, work: Path, values: dict[str, str], primary: int) -> list[str]:
    role = f"primary 127.0.0.1:{primary}" if primary else f"file {values['zone']}"
    return [str(places.build / "bin" / "mrg-dns"), "--config", str(peers.write(work / "mrg.conf", OURS, {**values, "role": role}))]


KINDS = (Kind("mrg-dns", ours), Kind("nsd", nsd), Kind("knot", knot))


class At:
    """A server at work on one core, in a folder of its own."""

    def __init__(self, places: Places, kind: Kind, core: int, zone: Path, primary: int = 0) -> None:
        self.port = peers.free_port()
        work = places.work("transfer") / f"{kind.name}-{'secondary' if primary else 'primary'}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        values = {"port": str(self.port), "dir": str(work), "zone": str(work / "kept" if primary else zone.resolve()), "origin": ORIGIN}
        self.log = work / "output"
        command = ["taskset", "-c", str(core), *kind.command(places, work, values, primary)]
        self.begun = time.perf_counter()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, env=places.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self) -> At:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait(self, serial: int) -> float:
        """Seconds since it was started until it answers with that version."""
        query = question(6)
        while time.perf_counter() - self.begun < PATIENCE_S:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(0.05)
                s.connect(("127.0.0.1", self.port))
                try:
                    s.send(query)
                    reply = s.recv(4096)
                except OSError:
                    continue
                if reply[3] & 15 == 0 and struct.pack("!I", serial) in reply:
                    return time.perf_counter() - self.begun
        raise Absent(f"{self.log}: no answer within the time limit: " + self.log.read_text(errors="replace")[-300:])


def question(qtype: int) -> bytes:
    name = b"".join(bytes([len(label)]) + label.encode() for label in ORIGIN.split(".")) + b"\0"
    return struct.pack("!6H", 1, 0, 1, 0, 0, 0) + name + struct.pack("!2H", qtype, 1)


def drain(port: int) -> float:
    """Seconds that the whole zone takes to arrive: to the last message, which alone has an SOA beside the first."""
    message = question(252)
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as s:
        start = time.perf_counter()
        s.sendall(struct.pack("!H", len(message)) + message)
        got, at, tail = bytearray(), 0, b""
        seen = 0
        while seen < 2:
            part = s.recv(1 << 20)
            if not part:
                raise Absent("the transfer breaks off")
            got += part
            while len(got) - at >= 2 and len(got) - at - 2 >= (size := got[at] << 8 | got[at + 1]):
                tail = bytes(got[at + 2:at + 2 + size])
                at += 2 + size
                seen += tail.count(b"\x00\x06\x00\x01")
            del got[:at]
            at = 0
        return time.perf_counter() - start


def serial_of(zone: Path) -> int:
    with zone.open() as text:
        found = re.search(r"SOA\s+\S+\s+\S+\s+\(?\s*(\d+)", text.read(4096))
    if found is None:
        raise Absent(f"{zone}: no SOA record at its beginning")
    return int(found.group(1))


def rows(table: Table, item: str, unit: str, taken: dict[str, list[float]], limit: float) -> None:
    """Ours beside each of the others; the target is the better one's time."""
    mine = Sample(tuple(taken["mrg-dns"]))
    others = {name: Sample(tuple(values)) for name, values in taken.items() if name != "mrg-dns" and values}
    best = min(others, key=lambda name: others[name].median, default="")
    for name, sample in others.items():
        row = Row(item, unit, mine, name, sample)
        table.add(row.ratio_at_most(limit) if name == best else row)


def whole(places: Places, effort: Effort, table: Table, zone: Path) -> None:
    serial = serial_of(zone)
    sent: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
    received: dict[str, list[float]] = {kind.name: [] for kind in KINDS}
    for _ in range(effort.start_rounds):
        for kind in KINDS:
            with At(places, kind, effort.core, zone) as primary:
                primary.wait(serial)
                sent[kind.name].append(drain(primary.port))
    with At(places, KINDS[2], effort.client_core, zone) as primary:
        primary.wait(serial)
        for _ in range(effort.start_rounds):
            for kind in KINDS:
                with At(places, kind, effort.core, zone, primary.port) as secondary:
                    received[kind.name].append(secondary.wait(serial))
    rows(table, f"AXFR of {RECORDS:,} records, sent", "s", sent, 1.5)
    rows(table, "the same received from knot, from exec on", "s", received, 1.5)


def changes(places: Places, effort: Effort, table: Table, zone: Path) -> None:
    """Our secondary under load, while the primary's zone changes."""
    serial = serial_of(zone)
    own = places.work("transfer") / "changing.zone"
    shutil.copyfile(zone, own)
    took: list[float] = []
    with At(places, KINDS[0], effort.client_core, own) as primary:
        primary.wait(serial)
        with At(places, KINDS[0], effort.core, zone, primary.port) as secondary:
            secondary.wait(serial)
            queries = places.work("transfer") / "queries"
            queries.write_text(f"{ORIGIN} SOA\n{ORIGIN} NS\nnot-there.{ORIGIN} A\n")
            load = subprocess.Popen(["dnsperf", "-s", "127.0.0.1", "-p", str(secondary.port), "-d", str(queries), "-l", "20", "-Q", "20000", "-t", "1"],
                                    stdout=subprocess.PIPE, text=True)
            for n in range(1, effort.start_rounds + 1):
                text = own.read_text()
                own.write_text(text.replace(str(serial + n - 1), str(serial + n), 1)
                               + "".join(f"change-{n}-{i} IN A 192.0.2.1\n" for i in range(CHANGES)))
                primary.process.send_signal(1)
                primary.wait(serial + n)
                secondary.begun = time.perf_counter()
                notify(secondary.port)
                secondary.wait(serial + n)
            said = load.communicate()[0]
            found = re.findall(r"kind=ixfr .*took_us=(\d+)", secondary.log.read_text())
            took = [int(us) / 1000 for us in found]
    if not took:
        raise Absent("no difference was transferred")
    lost = re.search(r"Queries lost:\s+(\d+)", said)
    progress("  " + " ".join(said.split()[-40:]))
    note = f"under load: {lost.group(1) if lost else '?'} queries lost"
    table.add(replace(Row(f"IXFR of {CHANGES:,} changes, from connection to version", "ms", Sample(tuple(took))).at_most(20), note=note))


def notify(port: int) -> None:
    message = bytearray(question(6))
    message[2] = 4 << 3
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(bytes(message), ("127.0.0.1", port))


def transfers(places: Places, effort: Effort, table: Table, zone: Path) -> None:
    for part in (whole, changes):
        try:
            part(places, effort, table, zone)
        except Absent as why:
            table.skip(part.__name__, why)

#!/usr/bin/env python3
"""mrg-dns as an image of a virtual machine, under QEMU with its own network before it: what dig gets, and what is said of zones that won't do."""

from __future__ import annotations

import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(ROOT / "tests"), str(ROOT / "tests" / "runtime" / "vm")]
from qemu import TIMEOUT_S, TSC_WORD, start  # noqa: E402
import configured  # noqa: E402
import wire  # noqa: E402
from harness import Files, Server  # noqa: E402
from peers import KEY, ORIGIN, SECRET, Knotd, Nsd, Peer, free_port, records, wait_for_serial  # noqa: E402
from peers import dig as dig_signed  # noqa: E402
from report import BUILD, Report  # noqa: E402
from test_card import Machine  # noqa: E402
from test_catalog import CATALOG, KnotCatalog, KnotConsumer, catalog_text  # noqa: E402
from test_primary_faults import GLUE, NS1, A, Primary, host, record, soa  # noqa: E402

ZONE = ROOT / "appliances" / "dns" / "example.org.zone"
NET = "ip=10.0.2.15/24 gw=10.0.2.2"
NSEC = 47
SORT_PIECES = 40  # of 20,000 names in no order: comparisons by 4,096
CARD = ("-netdev", "user,id=n", "-device", "virtio-net-device,netdev=n")


def zone_text(serial: int, *lines: str) -> str:
    """Some hundreds of records, so that a difference is smaller than the whole."""
    return (f"$TTL 3600\n@ SOA ns1 hostmaster {serial} 7200 900 1209600 300\n@ NS ns1\nns1 A 192.0.2.53\n"
            + "".join(f"host{i} A 192.0.2.{i % 256}\nhost{i} TXT \"text {i}\"\n" for i in range(300)) + "".join(f"{line}\n" for line in lines))


def dig(m: Machine, *what: str) -> str:
    port = m.tcp if "+tcp" in what else m.udp
    command = ["dig", "@127.0.0.1", "-p", str(port), "+time=5", "+tries=6", *what]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout


def check_answers(report: Report) -> None:
    with Machine(f"{NET} -- --zone example.org", name="mrg-dns", port=53, more=("-initrd", str(ZONE))) as m:
        ready = m.until("ready")
        report.check("the zone is read", ready.of("zone").get("records") == "27", m.text)
        for how in ("+notcp", "+tcp"):
            report.check(f"an address {how}", dig(m, "www.example.org", "A", "+short", how).strip() == "192.0.2.80", m.text)
            report.check(f"no such name {how}", "NXDOMAIN" in dig(m, "nothing.example.org", how), m.text)
            report.check(f"not ours {how}", "REFUSED" in dig(m, "example.net", how), m.text)


def check_limits(report: Report) -> None:
    """Rates and cookies, as a process has them."""
    machine = Machine(f"{NET} -- --zone example.org --rate 1 --rate-slip 1", name="mrg-dns", port=53, more=("-initrd", str(ZONE)))
    machine.command = [word.replace("rtc=off", "rtc=on") for word in machine.command]  # cookies have a time
    with machine as m:
        m.until("ready")
        query = ("www.example.org", "A", "+notcp", "+ignore")
        report.check("who shows nothing is held back", any(" tc" in dig(m, *query, "+nocookie") for _ in range(20)), m.text)
        cookie = re.search(r"COOKIE: ([0-9a-f]{48}) \(good\)", dig(m, *query))
        report.check("a cookie", cookie is not None, m.text)
        if cookie:
            told = [dig(m, *query, f"+cookie={cookie[1]}") for _ in range(20)]
            report.check("who shows it is not", all("192.0.2.80" in text for text in told), "\n".join(told))


def check_refusals(report: Report) -> None:
    for what, event, code in (("", "no_zone", 1), (" -- --zone", "said", 2), (" -- --zone a..b", "no_zone", 2),
                              (" -- --zone a=a --zone A.=b", "no_zone", 1)):
        wrong = start("mrg-dns", line=f"{TSC_WORD} {NET}{what}", more=(*CARD, "-initrd", str(ZONE)))
        report.check(f"'{what}' is no origin", wrong.of(event) != {} and wrong.code == code, wrong.text)
        order = [wrong.text.find(f"event={e}") for e in ("card", "net", event)]
        report.check("lines are in order", -1 < order[0] < order[1] < order[2], wrong.text)
    none = start("mrg-dns", line=f"{TSC_WORD} {NET} -- --zone example.org", more=CARD)
    report.check("no zone", none.of("no_zone") != {} and none.code == 1, none.text)
    with tempfile.NamedTemporaryFile(suffix=".zone") as f:
        f.write(b"@ 3600 IN SOA ns1 hostmaster 1 2 3 4 5\n@ IN NS ns1\nns1 IN A 192.0.2.300\n")
        f.flush()
        bad = start("mrg-dns", line=f"{TSC_WORD} {NET} -- --zone example.org", more=(*CARD, "-initrd", f.name))
    report.check("a bad zone", bad.of("zone_fault").get("line") == "3" and bad.code == 1, bad.text)


BULK = tuple(f"more{i} TXT \"{'x' * 200}\"" for i in range(8000))


class Pair:
    """An image with a configuration, and a server of another make on this machine, which the image knows as its router."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="mrg-test-")
        self.path = Path(self.folder.name)
        self.own, self.port = free_port(), free_port()

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_: object) -> None:
        self.folder.cleanup()

    def image(self, *lines: str, text: str = "", words: str = "", memory: int = 32, clock: bool = True, blocks: tuple[str, ...] = (),
              whole: int = 1, other: str = "") -> Machine:
        """lines: of the zone; or blocks: all but the key. The configuration has a multiple of `whole` octets."""
        packed = self.path / "packed"
        packed.mkdir()
        blocks = blocks or (f"zone {ORIGIN} {{", *lines, "}")
        config = "".join(f"{line}\n" for line in (f"key {KEY} {{", f"secret {SECRET}", "}", *blocks))
        (packed / "mrg.conf").write_text(config + "\n" * (-len(config) % whole))
        (packed / "zone").write_text(text)
        (packed / "other").write_text(other)
        subprocess.run([ROOT / BUILD / "bin" / "mrg-pack", packed, self.path / "archive"], check=True, stdout=subprocess.DEVNULL)
        m = Machine(f"{NET} -- --config mrg.conf {words}", name="mrg-dns", port=53, at=self.own, memory=memory,
                    more=("-initrd", str(self.path / "archive")))
        if clock:
            m.command = [word.replace("rtc=off", "rtc=on") for word in m.command]  # signatures have a time
        return m


def check_secondary(report: Report, make: type[Peer]) -> None:
    """AXFR at the start, then NOTIFY and IXFR, all signed."""
    with Pair() as pair:
        folder = pair.path / make.name
        folder.mkdir()
        (folder / "zone").write_text(zone_text(1))
        with make(folder, pair.port, secondaries=(pair.own,)) as peer, \
                pair.image(f"primary 10.0.2.2:{pair.port} {KEY}", f"allow-transfer any {KEY}") as m:
            line = m.until("transfer_received").lines[-1]
            report.check(f"{make.name}: all of it", line.get("kind") == "axfr" and line.get("serial") == "1", m.text)
            m.until("zone origin=example.org. serial=1")
            report.check(f"{make.name}: an answer", dig(m, "host7.example.org", "A", "+short").strip() == "192.0.2.7", m.text)
            report.check(f"{make.name}: the zone is as it was", records(pair.own) == records(pair.port), m.text)
            (folder / "zone").write_text(zone_text(2, "new A 192.0.2.99"))
            peer.reload(expect="")
            m.until("notified")
            line = m.until("transfer_received").lines[-1]
            report.check(f"{make.name}: what has changed", line.get("kind") == "ixfr" and line.get("serial") == "2", m.text)
            m.until("zone origin=example.org. serial=2")
            report.check(f"{make.name}: the new answer", dig(m, "new.example.org", "A", "+short", "+tcp").strip() == "192.0.2.99", m.text)
            report.check(f"{make.name}: the zone is as it is", records(pair.own) == records(pair.port), m.text)


def check_primary(report: Report, make: type[Peer]) -> None:
    """It tells of its zone when it starts, and sends it."""
    with Pair() as pair, make(pair.path / make.name, pair.port, primary=pair.own), \
            pair.image("file zone", f"allow-transfer 10.0.2.2 {KEY}", f"notify 10.0.2.2:{pair.port} {KEY}", text=zone_text(3)) as m:
        m.until("transfer_sent")
        wait_for_serial(pair.port, 3)
        report.check(f"{make.name}: the zone has come", records(pair.port) == records(pair.own) and len(records(pair.own)) == 603, m.text)
        unsigned = dig(m, "example.org", "axfr", "+tcp")
        report.check(f"{make.name}: without the key nothing is sent", "Transfer failed" in unsigned, unsigned)


def check_told(report: Report) -> None:
    """Whom the configuration names hears of the zone when the machine starts, signed."""
    with Pair() as pair, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", pair.port))
        s.settimeout(TIMEOUT_S)
        with pair.image("file zone", f"notify 10.0.2.2:{pair.port} {KEY}", text=zone_text(3)) as m:
            message = s.recv(4096)
            notify, records_in_it = message[2] >> 3, message[6:12]
            report.check("NOTIFY with the SOA record and a signature", notify == 4 and records_in_it == bytes((0, 1, 0, 0, 0, 1)), f"{message!r} {m.text}")


def check_bound(report: Report) -> None:
    """A version that is more than may be is refused, and the one before it served on."""
    with Pair() as pair:
        folder = pair.path / Nsd.name
        folder.mkdir()
        (folder / "zone").write_text(zone_text(1))
        with Nsd(folder, pair.port, secondaries=(pair.own,)) as peer, \
                pair.image(f"primary 10.0.2.2:{pair.port} {KEY}", words="--zone-memory 1") as m:
            m.until("zone origin=example.org. serial=1")
            (folder / "zone").write_text(zone_text(2, *BULK))
            peer.reload(expect="")
            m.until("transfer_failed")
            line = m.until("transfer_failed").lines[-1]  # of the whole zone, which is asked for at once
            report.check("it is told why", "memory" in line.get("why", ""), m.text)
            soa = dig(m, "example.org", "SOA", "+short").split()
            report.check("the old zone is there", soa[2:3] == ["1"], m.text)
            (folder / "zone").write_text(zone_text(3))
            peer.reload(expect="")
            m.until("zone origin=example.org. serial=3")
            report.check("a smaller one is taken", dig(m, "example.org", "SOA", "+short").split()[2:3] == ["3"], m.text)
    with Pair() as pair:
        folder = pair.path / Nsd.name
        folder.mkdir()
        (folder / "zone").write_text(zone_text(2, *BULK))
        with Nsd(folder, pair.port), pair.image(f"primary 10.0.2.2:{pair.port} {KEY}", words="--zone-memory 4") as m:
            line = m.until("transfer_").lines[-1]
            report.check("where there is more room it is taken", line.get("event") == "transfer_received", m.text)


def signed_zone(serial: int, count: int) -> list[bytes]:
    """Records, those of all names in no order: each name has an NSEC record, which nobody verifies."""
    nsec = [record(f"h{n * 7919 % count}", NSEC, wire.name(f"h{n}.{ORIGIN}") + bytes((0, 6, 0x40, 0, 0, 0, 0, 3))) for n in range(count)]
    hosts = [record(f"h{n}", A, bytes((10, serial, n // 256 % 256, n % 256))) for n in range(count)]
    return [NS1, GLUE, host(serial), record("", NSEC, wire.name(f"h0.{ORIGIN}") + bytes((0, 6, 0x22, 0, 0, 0, 0, 3))), *hosts, *nsec]


def check_meanwhile(report: Report) -> None:
    """A large zone in large messages from a primary that takes its time: the old one is served until all is there, and is put together in pieces."""
    count, per_message = 20000, 1000
    gate, left = threading.Semaphore(0), threading.Semaphore(0)

    def slowly(query: bytes, qtype: int) -> Iterator[bytes]:
        whole = [soa(p.serial), *signed_zone(p.serial, count), soa(p.serial)]
        for at in range(0, len(whole), per_message):
            left.release()
            gate.acquire(timeout=TIMEOUT_S)
            yield p.message(query, whole[at:at + per_message])
        left.release()

    with Pair() as pair, Primary() as p, \
            pair.image(f"primary 10.0.2.2:{p.port}", f"allow-transfer any {KEY}", memory=128, words="--zone-memory 16") as m:
        m.until("zone origin=example.org. serial=1")
        p.transfer = slowly
        for serial in (2, 3):
            p.serial = serial
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.sendto(struct.pack("!6H", serial, 4 << 11, 1, 0, 0, 0) + wire.name(ORIGIN) + struct.pack("!2H", 6, 1), ("127.0.0.1", m.udp))
            answers = []
            for _ in range(0, 2 * count + 6, per_message):
                left.acquire(timeout=TIMEOUT_S)
                answers.append(address(m, f"www.{ORIGIN}"))
                gate.release()
            report.check(f"version {serial}: the old one is served", set(answers) == {f"192.0.2.{serial - 1}"}, f"{answers}")
            line = m.until("transfer_received").lines[-1]
            report.check(f"version {serial}: in pieces", int(line["pieces"]) > 2 * count // 4096 + SORT_PIECES, m.text)
            m.until(f"zone origin=example.org. serial={serial}")
            report.check(f"version {serial}: it is served", (serial_of(m), address(m, "h77.example.org")) == (str(serial), f"10.{serial}.0.77"), m.text)
            left.acquire(timeout=TIMEOUT_S)
        report.check("it is sent on", len(records(pair.own)) == 2 * count + 5, m.text)


def check_expiry(report: Report) -> None:
    with Pair() as pair, Primary() as p:
        p.transfer = lambda query, qtype: [p.message(query, [soa(1, expire=1), NS1, GLUE, host(1), soa(1, expire=1)])]
        with pair.image(f"primary 10.0.2.2:{p.port}") as m:
            m.until("zone origin=example.org. serial=1")
            p.udp.close()
            p.tcp.close()
            m.until("zone_expired")
            report.check("what has expired is served no more", "SERVFAIL" in dig(m, "www.example.org"), m.text)


def check_configurations(report: Report) -> None:
    for lines, text, said in ((("file nowhere",), "", "no such file in the archive"), (("file zone", "catalog"), "", "expected a primary"),
                              (("file zone", "}", f"zone {ORIGIN}. {{", "file zone"), zone_text(1), "two zones have the same origin"),
                              (("fil zone",), "", "fil")):
        with Pair() as pair, pair.image(*lines, text=text) as m:
            m.until("nothing of the kind")
            report.check(f"{lines}", said in m.text and "event=ready" not in m.text, m.text)
    with Pair() as pair, pair.image("file zone", text=zone_text(1), whole=4096) as m:
        m.until("ready")
        report.check("the next file begins where the configuration ends", address(m, f"host7.{ORIGIN}") == "192.0.2.7", m.text)


def until(what: Callable[[], bool]) -> bool:
    """Whether it has come about in time."""
    end = time.monotonic() + TIMEOUT_S
    while not what():
        if time.monotonic() > end:
            return False
    return True


def address(m: Machine, name: str) -> str:
    """As dig says it, many times in a second; empty when there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.connect(("127.0.0.1", m.udp))
        for _ in range(6):
            s.send(wire.query(name))
            try:
                found = wire.read(s.recv(4096)).rdata(wire.A)
            except TimeoutError:
                continue
            return socket.inet_ntoa(found[0]) if found else ""
    return ""


def is_refused(m: Machine, name: str) -> bool:
    return "status: REFUSED" in dig(m, name, "A")


def check_catalog(report: Report) -> None:
    """Members come, change and go as knotd lists them; nothing is told of the catalog itself."""
    with Pair() as pair:
        folder = pair.path / "producer"
        folder.mkdir()

        def produce(serial: int, *names: str) -> None:
            KnotCatalog.members = names
            for n, name in enumerate(names):
                (folder / f"{name}.zone").write_text(configured.zone_text(serial + n))

        produce(10, "a.example", "b.example")
        with KnotCatalog(folder, pair.port, secondaries=(pair.own,)) as peer, \
                pair.image(blocks=(f"zone {CATALOG} {{", f"primary 10.0.2.2:{pair.port} {KEY}", "catalog", "}")) as m:
            m.until("ready")
            for name, octet in (("www.a.example", 10), ("www.b.example", 11)):
                report.check(f"{name} has come", until(lambda: address(m, name) == f"192.0.2.{octet}"), m.text)  # noqa: B023
            report.check("the catalog is not told", is_refused(m, f"version.{CATALOG}"))
            produce(20, "b.example", "c.example")
            (folder / "config").write_text(peer.config(pair.port, None, (pair.own,)))
            peer.reload(expect="")
            report.check("one is there", until(lambda: address(m, "www.c.example") == "192.0.2.21"), m.text)
            report.check("one has changed", until(lambda: address(m, "www.b.example") == "192.0.2.20"), m.text)
            report.check("one is gone", until(lambda: is_refused(m, "www.a.example")), m.text)


def check_producer(report: Report) -> None:
    """A catalog of the archive, and its member: knotd serves what it lists."""
    with Pair() as pair, KnotConsumer(pair.path / "consumer", pair.port, primary=pair.own) as peer:
        told = (f"allow-transfer any {KEY}", f"notify 10.0.2.2:{pair.port} {KEY}", "}")
        blocks = (f"zone {CATALOG} {{", "file zone", *told, "zone a.example {", "file other", *told)
        with pair.image(blocks=blocks, text=catalog_text(1, {"x": "a.example"}), other=configured.zone_text(5)) as m:
            there = until(lambda: dig_signed(pair.port, "+short", "www.a.example", "A").strip() == "192.0.2.5")
            report.check("knotd serves the member", there, m.text + "\n".join(peer.lines))


def primary_of(files: Files, names: tuple[str, ...]) -> Server:
    """Ours as a process: each zone has the number of its place as serial number."""
    own = configured.Config(files, "primary")
    lines = [line for n, name in enumerate(names) for line in own.zone(name, 1 + n % 250, "allow-transfer any")]
    return Server(*own.write(*lines))


def check_members(report: Report) -> None:
    """Hundreds of them, by a catalog of the archive and a template; who may has them from here. One that is too large is not there."""
    names = tuple(f"m{n}.example" for n in range(300))
    with Files() as files, Pair() as pair, primary_of(files, names) as primary:
        files.write("m7.example.zone", configured.zone_text(8) + "".join(f"{line}\n" for line in BULK))
        primary.reload()
        blocks = ("template t {", f"primary 10.0.2.2:{primary.addresses[0][1]}", f"allow-transfer any {KEY}", "file kept/%s.zone", "}",
                  f"zone {CATALOG} {{", "file zone", "catalog t", "}")
        with pair.image(blocks=blocks, text=catalog_text(1, {name[:-8]: name for name in names}), words="--zone-memory 1") as m:
            ready = m.until("ready")
            report.check("what is not kept is told", ready.of("not_kept").get("template") == "t", m.text)
            report.check("all are listed", sum(line["event"] == "member_added" for line in ready.lines) == len(names), m.text[:1000])
            there = [until(lambda: address(m, f"www.{name}") == f"192.0.2.{1 + n % 250}")  # noqa: B023
                     for n, name in enumerate(names) if n != 7]
            report.check("all are there", all(there), f"{there} {m.text}")
            report.check("one is not", "SERVFAIL" in dig(m, "www.m7.example", "A"), m.text)
            sent = dig_signed(pair.own, "axfr", names[-1], "+noall", "+answer", "+onesoa")
            report.check("they are as the template says", sent.count("SOA") == 1, sent)


def update(m: Machine, *lines: str, key: str = f"hmac-sha256:{KEY} {SECRET}", tcp: bool = False) -> str:
    """What nsupdate says: nothing, or why not."""
    text = f"server 127.0.0.1 {m.tcp}\ncheck-names off\n" + (f"key {key}\n" if key else "") + "".join(f"{line}\n" for line in lines) + "send\n"
    done = subprocess.run(["nsupdate", *(["-v"] if tcp else [])], input=text, capture_output=True, text=True, timeout=TIMEOUT_S)
    return (done.stdout + done.stderr).strip()


def serial_of(m: Machine) -> str:
    return dig(m, ORIGIN, "SOA", "+short").split()[2]


def check_updates(report: Report) -> None:
    """What is changed is served, told, and sent as a difference; who may not changes nothing."""
    with Pair() as pair, Nsd(pair.path / "nsd", pair.port, primary=pair.own), \
            pair.image("file zone", f"allow-update {KEY} *.{ORIGIN} A TXT", f"allow-transfer any {KEY}",
                       f"notify 10.0.2.2:{pair.port} {KEY}", text=zone_text(7)) as m:
        ready = m.until("ready")
        report.check("it is told that nothing is kept", ready.of("not_kept").get("zone") == ORIGIN, m.text)
        for tcp in (False, True):
            said = update(m, f"update add new{tcp:d}.{ORIGIN} 60 A 192.0.2.99", tcp=tcp)
            report.check(f"an update, TCP: {tcp}", (said, address(m, f"new{tcp:d}.{ORIGIN}")) == ("", "192.0.2.99"), f"{said} {m.text}")
        said = update(m, f"prereq nxdomain new0.{ORIGIN}", f"update delete new0.{ORIGIN} A")
        report.check("what must not be there is", said == "update failed: YXDOMAIN", said)
        said = update(m, f"prereq yxdomain new0.{ORIGIN}", f"update delete new0.{ORIGIN} A")
        report.check("what must be there is", (said, address(m, f"new0.{ORIGIN}")) == ("", ""), said)
        for what, said in (("a type that may not be", update(m, f"update add new2.{ORIGIN} 60 AAAA 2001:db8::1")),
                           ("a name that may not be", update(m, f"update add {ORIGIN} 60 TXT x")),
                           ("without a key", update(m, f"update add new2.{ORIGIN} 60 A 192.0.2.66", key=""))):
            report.check(f"{what} is refused", said == "update failed: REFUSED", said)
        said = update(m, f"update add new2.{ORIGIN} 60 A 192.0.2.66", key=f"hmac-sha256:{KEY} b3RoZXIgc2VjcmV0IG9mIDE2")
        report.check("another secret", "NOTAUTH" in said, said)
        report.check("each change is a version", serial_of(m) == "10", m.text)
        wait_for_serial(pair.port, 10)
        report.check("who keeps a copy has it", records(pair.port) == records(pair.own), m.text)
        difference = dig_signed(pair.own, "ixfr=7", ORIGIN, "+tcp", "+noall", "+answer")
        report.check("by differences", len(re.findall(r"SOA", difference)) == 8 and "host7" not in difference, difference)


MANY = 700  # of 2 KiB each: more than memory has room for, and than is remembered


def check_many_updates(report: Report) -> None:
    """The memory of a version does for any number of them; what does not fit is not done, and all is as it was."""
    with Pair() as pair, pair.image("file zone", f"allow-update {KEY} *.{ORIGIN}", text=zone_text(1), words="--zone-memory 1") as m:
        m.until("ready")
        pieces = " ".join(["x" * 250] * 8)
        changes = "".join(f"update delete m{n % 7}.{ORIGIN} TXT\nupdate add m{n % 7}.{ORIGIN} 60 TXT {n} {pieces}\nsend\n" for n in range(MANY))
        said = update(m, *changes.removesuffix("send\n").splitlines(), tcp=True)
        report.check("one after the other", (said, serial_of(m)) == ("", str(MANY + 1)), f"{said} {m.text[-2000:]}")
        report.check("the last one is there", f'"{MANY - 1}"' in dig(m, f"m{(MANY - 1) % 7}.{ORIGIN}", "TXT", "+short", "+tcp"), m.text[-2000:])
        added, said = 0, ""
        while said == "" and added < 10000:
            names = range(added, added + 100)
            said = update(m, *(f"update add more{n}.{ORIGIN} 60 TXT \"{'x' * 200}\"" for n in names), tcp=True)
            added += 100
        report.check("some time it is full", "SERVFAIL" in said and added > 500, f"{said} after {added}")
        report.check("what was done is there", "xxx" in dig(m, f"more{added - 101}.{ORIGIN}", "TXT", "+short"), m.text[-2000:])
        report.check("what was not is not", dig(m, f"more{added - 100}.{ORIGIN}", "TXT", "+short") == "", m.text[-2000:])
        said = update(m, *(f"update delete more{n}.{ORIGIN}" for n in range(10)))
        report.check("something goes", (said, dig(m, f"more0.{ORIGIN}", "TXT", "+short")) == ("", ""), f"{said} {m.text[-2000:]}")
        said = update(m, f"update add again.{ORIGIN} 60 A 192.0.2.1")
        report.check("and then something comes", said == "", f"{said} {m.text[-2000:]}")


def check_clock(report: Report) -> None:
    for clock in (True, False):
        with Pair() as pair, pair.image("file zone", text=zone_text(1), clock=clock) as m:
            ready = m.until("ready")
            report.check(f"a clock: {clock}", (ready.of("no_clock") == {}) == clock, m.text)


def main() -> int:
    report = Report()
    check_answers(report)
    check_limits(report)
    check_refusals(report)
    check_configurations(report)
    for make in (Nsd, Knotd):
        check_secondary(report, make)
        check_primary(report, make)
    check_told(report)
    check_expiry(report)
    check_clock(report)
    check_bound(report)
    check_meanwhile(report)
    check_catalog(report)
    check_producer(report)
    check_members(report)
    check_updates(report)
    check_many_updates(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

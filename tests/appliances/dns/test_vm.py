#!/usr/bin/env python3
"""mrg-dns as an image of a virtual machine, under QEMU with its own network before it: what dig gets, and what is said of zones that won't do."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(ROOT / "tests"), str(ROOT / "tests" / "runtime" / "vm")]
from qemu import TIMEOUT_S, TSC_WORD, start  # noqa: E402
from peers import KEY, ORIGIN, SECRET, Knotd, Nsd, Peer, free_port, records, wait_for_serial  # noqa: E402
from report import BUILD, Report  # noqa: E402
from test_card import Machine  # noqa: E402
from test_primary_faults import GLUE, NS1, Primary, host, soa  # noqa: E402

ZONE = ROOT / "appliances" / "dns" / "example.org.zone"
NET = "ip=10.0.2.15/24 gw=10.0.2.2"
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

    def image(self, *lines: str, text: str = "", words: str = "", memory: int = 32, clock: bool = True, whole: int = 1) -> Machine:
        """The configuration has a multiple of `whole` octets."""
        packed = self.path / "packed"
        packed.mkdir()
        config = f"key {KEY} {{\nsecret {SECRET}\n}}\nzone {ORIGIN} {{\n" + "".join(f"{line}\n" for line in lines) + "}\n"
        (packed / "mrg.conf").write_text(config + "\n" * (-len(config) % whole))
        (packed / "zone").write_text(text)
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
        report.check("the next file begins where the configuration ends", dig(m, f"host7.{ORIGIN}", "+short").strip() == "192.0.2.7", m.text)


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
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

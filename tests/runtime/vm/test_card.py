#!/usr/bin/env python3
"""A network card in a virtual machine: mrg-echo as an image under QEMU, with QEMU's own network before it (no root, no device)."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from qemu import MICROVM, Q35, TIMEOUT_S, TSC_WORD, Outcome, command, outcome, start  # noqa: E402
from report import Report  # noqa: E402

IMAGE = "mrg-echo"
STATIC = "ip=10.0.2.15/24 gw=10.0.2.2"
FEATURES = {  # as QEMU's card has it, with less, and with segments that are joined or cut, which its network neither makes nor wants
    "usual": "",
    "plain": ",mrg_rxbuf=off,event_idx=off",
    "no events": ",event_idx=off",
    "one buffer": ",mrg_rxbuf=off",
    "short queues": ",rx_queue_size=256,tx_queue_size=256,host_mtu=1400",
}
FEATURES_PCI = {  # as a machine with firmware has it; and where 64 bits of an address are needed
    "by PCI": "",
    "by PCI, modern only": ",disable-legacy=on,mrg_rxbuf=off,host_mtu=1400",
}
HIGH = ("-object", "memory-backend-ram,id=big,size=4G,reserve=off", "-device", "ivshmem-plain,memdev=big")


class Machine:
    """An image, until the end of the block; ports of this machine lead to one of its own."""

    def __init__(self, words: str, card: str = "", memory: int = 32, name: str = IMAGE, port: int = 7, more: tuple[str, ...] = (),
                 pci: bool = False, at: int = 0) -> None:
        """at: the port of this machine for both; 0: any two."""
        self.udp, self.tcp = at or free_port(socket.SOCK_DGRAM), at or free_port(socket.SOCK_STREAM)
        net = f"user,id=n,hostfwd=udp:127.0.0.1:{self.udp}-:{port},hostfwd=tcp:127.0.0.1:{self.tcp}-:{port}"
        more = ("-netdev", net, "-device", f"virtio-net-{'pci' if pci else 'device'},netdev=n,mac=52:54:00:12:34:56{card}", *more)
        self.command = command(name, line=f"{TSC_WORD} {words}", machine=Q35 if pci else MICROVM, more=more)
        self.command[self.command.index("-m") + 1] = str(memory)
        self.text = ""

    def __enter__(self) -> Machine:
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        self.watchdog = threading.Timer(TIMEOUT_S, self.process.kill)
        self.watchdog.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.watchdog.cancel()
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def until(self, event: str) -> Outcome:
        """Read the console until a line of this event, or its end."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.text += line
            if f"event={event}" in line:
                break
        return outcome(self.text, None)

    def cpu_s(self) -> float:
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def datagrams(m: Machine, count: int) -> int:
    """How many of so many come back as they were; each is asked for up to ten times, since anybody may lose one."""
    good = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", m.udp))
        s.settimeout(1)
        for i in range(count):
            octets = random.Random(i).randbytes(1 + i * 37 % 1400)
            for _ in range(10):
                s.send(octets)
                try:
                    while (got := s.recv(2000)) != octets:
                        pass
                except (TimeoutError, ConnectionError):
                    continue
                good += got == octets
                break
    return good


def stream(m: Machine, size: int) -> bool:
    """So many octets there and back."""
    octets = random.Random(size).randbytes(size)
    with socket.create_connection(("127.0.0.1", m.tcp), timeout=TIMEOUT_S) as c:
        def send() -> None:
            c.sendall(octets)
            c.shutdown(socket.SHUT_WR)
        sender = threading.Thread(target=send)
        sender.start()
        got = bytearray()
        while piece := c.recv(1 << 16):
            got += piece
        sender.join()
    return bytes(got) == octets


def check_cards(report: Report, cards: dict[str, str], pci: bool, more: tuple[str, ...] = ()) -> None:
    for name, card in cards.items():
        with Machine(STATIC, card, pci=pci, more=more) as m:
            o = m.until("ready")
            report.check(f"{name}: found where it is", o.of("card").get("by") == ("pci" if pci else "mmio"), o.text)
            report.check(f"{name}: ready", bool(o.of("ready")), o.text)
            report.check(f"{name}: its address", o.of("net").get("mac") == "52:54:00:12:34:56", o.text)
            features = o.of("card").get("features", "").split(",")
            report.check(f"{name}: what it has is used", ("MRG_RXBUF" in features, "EVENT_IDX" in features, "MTU" in features)
                         == ("mrg_rxbuf" not in card, "event_idx" not in card, "host_mtu" in card), o.text)
            report.check(f"{name}: datagrams", datagrams(m, 50) == 50)
            report.check(f"{name}: a stream", stream(m, 1_000_003))


def check_mtu(report: Report) -> None:
    with Machine(STATIC, ",host_mtu=1400") as m:
        report.check("the MTU of the card", m.until("ready").of("net").get("mtu") == "1400", m.text)


def check_memory(report: Report) -> None:
    with Machine(STATIC, memory=4) as m:
        o = m.until("ready")
        report.check("4 MiB do", bool(o.of("ready")) and datagrams(m, 20) == 20 and stream(m, 300_000), o.text)


def check_dhcp(report: Report) -> None:
    with Machine("ip=dhcp") as m:
        o = m.until("lease")
        report.check("a lease", o.of("lease").get("address") == "10.0.2.15/24", o.text)
        report.check("and it is used", datagrams(m, 5) == 5)


def check_idle(report: Report) -> None:
    """Nothing to do, nothing done: what a machine takes beyond its start is little; twenty times as much is still a sleep."""
    for pci in (False, True):
        with Machine(STATIC, pci=pci) as m:
            m.until("ready")
            datagrams(m, 1)
            before = m.cpu_s()
            time.sleep(2)
            report.check("an idle machine sleeps", m.cpu_s() - before < 0.8, f"{m.cpu_s() - before} s of 2")


def check_refusals(report: Report) -> None:
    o = start(IMAGE, line=f"{TSC_WORD} {STATIC}")
    report.check("without a card", o.code == 3 and o.of("no_card").get("level") == "error", o.text)
    with Machine("ip=10.0.2.15/33 log=error") as m:
        o = m.until("word_wrong")
        report.check("a wrong word", o.of("word_wrong").get("word") == "ip" and m.process.wait(TIMEOUT_S) == 2 * 2 + 1, o.text)
    with Machine(STATIC + " log=warn gibberish") as m:
        o = m.until("word_unknown")
        report.check("a machine that says little still answers", datagrams(m, 5) == 5)
        report.check("lines below the level are left out", not o.of("net") and o.of("word_unknown").get("word") == "gibberish", o.text)


def main() -> int:
    report = Report()
    check_cards(report, FEATURES, pci=False)
    check_cards(report, FEATURES_PCI, pci=True)
    check_cards(report, {"by PCI, above 4 GiB": ",disable-legacy=on"}, pci=True, more=HIGH)
    check_mtu(report)
    check_memory(report)
    check_dhcp(report)
    check_idle(report)
    check_refusals(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

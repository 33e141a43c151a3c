#!/usr/bin/env python3
"""mrg-dns as an image of a virtual machine, under QEMU with its own network before it: what dig gets, and what is said of zones that won't do."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "runtime" / "vm")]
from qemu import TSC_WORD, start  # noqa: E402
from report import Report  # noqa: E402
from test_card import Machine  # noqa: E402

ZONE = ROOT / "appliances" / "dns" / "example.org.zone"
NET = "ip=10.0.2.15/24 gw=10.0.2.2"
CARD = ("-netdev", "user,id=n", "-device", "virtio-net-device,netdev=n")


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


def main() -> int:
    report = Report()
    check_answers(report)
    check_refusals(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

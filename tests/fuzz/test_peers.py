#!/usr/bin/env python3
"""What is generated against other libraries: no difference that is not known, and one that is forgotten is found."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
from packets_folder import FOLDER, built  # noqa: E402
from report import ROOT, Report, make  # noqa: E402

CASES = 30_000
SUMMARY = re.compile(r"^(\S+): \d+ execs, ([\d.]+) % accepted, spec (\d+)/(\d+).*?, (\d+) finds, 0 crashes, 0 hangs", re.M)
STACK = "tcpip.stack-lwip"
PEERS = ["dns.message.Message-ldns", "dns.message.Message-knot", "http.message.Request-http_parser", STACK]

# Faults of the stack that lwIP does not have, all in one program: file, what stands there, what then, and of which packets it is told.
FAULTS = [
    ("tcp_ack.c", "g->rst ? 0 : g->len", "g->len", r"TCP (open|ended) F?RA? data seq<"),
    ("udp.c", "if (!in->to_many)\n\t\t\ticmp_port_unreachable", "if (in->to_many)\n\t\t\ticmp_port_unreachable", r"UDP"),
    ("tcp_data.c", "{ data->p + skip, data->len - skip };\n\t\tseq", "{ data->p, data->len - skip };\n\t\tseq", r"TCP open P?A data seq<"),
    ("icmp_in.c", "icmp_echo_send(s, &way, reply, identifier,", "icmp_echo_send(s, &way, reply, (uint16_t)(identifier + 1),", r"ICMP6? (8|128)"),
]  # fmt: skip
SPOILT = FOLDER.parent / "peers-spoilt"


def spoilt(report: Report) -> list[Path]:
    SPOILT.mkdir(parents=True, exist_ok=True)
    for path, there, instead, _ in FAULTS:
        text = (ROOT / "protocols/tcpip" / path).read_text()
        report.check(f"{path}: '{there}' is there to be spoilt", text.count(there) == 1)
        (SPOILT / path).write_text(text.replace(there, instead))
    return [SPOILT / path for path, _, _, _ in FAULTS]


def main() -> int:
    report = Report()
    if not built(report):
        return report.finish()
    folder = f"PEERS_FOLDER={FOLDER}"
    done = make("fuzz-peers", f"E={CASES}", folder)
    rows = {m[1]: m for m in SUMMARY.finditer(done.stdout)}
    report.check("all are held against each other", done.returncode == 0 and sorted(rows) == sorted(PEERS), done.stdout[-3000:])
    for peer in PEERS:
        row = rows.get(peer)
        report.check(f"{peer}: nothing that is not known", row is not None and row[5] == "0", done.stdout[-3000:])
        report.check(f"{peer}: much is accepted, and some of the differences are met", row is not None and float(row[2]) > 50 and
                     int(row[3]) > 1, done.stdout[-3000:])
    forgetful = make("fuzz-peers", f"E={CASES}", folder, "PEERS_FLAGS=-DPEERS_FORGET=100", f"ONLY={PEERS[0]}")
    report.check("a difference that nobody knows of is a find", forgetful.returncode != 0 and "only ldns accepts" in forgetful.stdout, forgetful.stdout[-3000:])
    done = make("fuzz-peers", f"E={CASES}", folder, f"PEERS_MORE={' '.join(map(str, spoilt(report)))}", f"ONLY={STACK}")
    for path, _, instead, packets in FAULTS:
        seen = re.search(rf"^find {STACK}: IPv[46] {packets}", done.stdout, re.M) is not None
        report.check(f"{path}: '{instead}' is found", done.returncode != 0 and seen, done.stdout[-3000:])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Clients and servers of HTTP and DNS over what TCP gives (specs/http/connection.mrg, specs/dns/stream.mrg), as SPIN tries them.

Nobody sends what the other refuses, each request is answered or known not to be, and both ends close.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from spin_run import ROOT, Report, in_state, machines, promela, sound, tried

STUCK, WRONG = "acceptance cycle", "assertion violated"
CLOSED = promela.Bounds(messages=3, faults=1, in_order=True, reach=["Closed"])
WIDE = promela.Bounds(messages=5, faults=1, in_order=True, reach=["Closed"])  # room for all, so that nobody waits for who waits
LONG = promela.Bounds(messages=2, faults=0, in_order=True, reach=["Closed"], last=frozenset(["linger"]))
Ends = tuple[list[str], promela.Bounds]

HTTP: Ends = (["ConnectionClient:opened,ask,sent?,ask,begins?,sent?,ask,finish", "ConnectionServer:answer,answer,answer"], CLOSED)
HTTP_DROP: Ends = (["ConnectionClient:opened,ask,sent?,ask,sent?,finish", "ConnectionServer:drop?,answer,answer"], LONG)
DNS: Ends = (["StreamClient:ask,ask,ask,finish", "StreamServer:answer,answer,answer"], CLOSED)
DNS_FAIL: Ends = (["StreamClient:ask,ask,finish", "StreamServer:answer,fail,drop?"], CLOSED)
DNS_DROP: Ends = (["StreamClient:ask,ask,finish", "StreamServer:drop?,answer,answer,fail?"], LONG)
DNS_TRANSFER: Ends = (["StreamClient:ask,ask,finish", "StreamServer:more,more,answer,drop?,answer"], LONG)
DNS_CUT: Ends = (["StreamClient:ask,finish", "StreamServer:more,more,fail"], CLOSED)
HTTP_BROKEN: Ends = (["ConnectionClient:opened,ask,deaf?,sent?,ask,abort?,finish", "ConnectionServer:go_on?,answer,abort?,answer"], WIDE)
SOUND = {"http/connection": (HTTP, HTTP_DROP, HTTP_BROKEN), "dns/stream": (DNS, DNS_FAIL, DNS_DROP, DNS_TRANSFER, DNS_CUT)}
# which specification, in which state (' of the server), what is changed to what, where that shows, and what SPIN must say
BROKEN = {
    "asked behind the last": ("http/connection", "Waiting", "&& close -> Last do", "&& close do", HTTP, WRONG),
    "answered once more": ("http/connection", "Answering", "do asked = asked - 1, response(0);", "do response(0);", HTTP, STUCK),
    "gone without a word": ("http/connection", "Ending", "-> Lingering do end, set", "-> Lingering do set", HTTP_DROP, STUCK),
    "not heard of after the end": ("http/connection", "Lingering", "ignore request, rest, drop;", "refuse request; ignore rest, drop;", HTTP_DROP, WRONG),
    "who has all does not end": ("http/connection", "Last", "on response -> Closed do answered, end,", "on response -> Closed do answered,", HTTP, STUCK),
    "answered before all is sent": ("http/connection", "Waiting", "on response if close || unsent ->", "on response if close ->", HTTP, WRONG),
    "a body that nobody sends": ("http/connection", "Skipping", "on end, abort -> Closed do unread = 0, end;", "ignore end, abort;", HTTP, STUCK),
    "asked with a body on its way": ("http/connection", "Waiting", "refuse ask if unsent || single;", "refuse ask if single;", HTTP, WRONG),
    "no reply and no end": ("dns/stream", "Reading", "on fail -> Ending do owed = 0, set taken;", "ignore fail;", DNS_FAIL, STUCK),
    "a query that comes late": ("dns/stream", "Owing", "ignore query, end, drop;", "refuse query; ignore end, drop;", DNS_DROP, WRONG),
    "replies that are owed are lost": (
        *("dns/stream", "Owing", "on answer if owed > 1 do owed = owed - 1, reply;", "ignore answer if owed > 1;"),
        *(DNS_DROP, STUCK),
    ),
    "a transfer without its end": (
        *("dns/stream", "Sending", "on fail -> Ending do owed = 0, release, set taken;", "on fail -> Idle do owed = 0, release, cancel taken;"),
        *(DNS_CUT, STUCK),
    ),
    "a message of a transfer taken for all of it": (
        *("dns/stream", "Waiting", "on part do continued;", "on part -> Idle do continued, waiting = 0;"),
        *(DNS_TRANSFER, STUCK),
    ),
}


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        texts = {spec: (ROOT / f"specs/{spec}.mrg").read_text(encoding="utf-8") for spec in SOUND}
        for spec, cases in SOUND.items():
            for ends, bounds in cases:
                sound(report, f"{spec}: {' and '.join(ends)}", tried(machines(texts[spec], room, f"{spec}.mrg"), ends, bounds, room))
        for what, (spec, state, old, new, (ends, bounds), wanted) in BROKEN.items():
            changed = in_state(report, what, texts[spec], state, old, new)
            said = tried(machines(changed, room, f"{spec}.mrg"), ends, bounds, room)
            report.check(f"{what}: is found", wanted in said, said[:1500])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

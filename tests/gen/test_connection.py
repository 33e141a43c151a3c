#!/usr/bin/env python3
"""Two ends of TCP (specs/net/connection.mrg) over a channel that loses, repeats and reorders, as SPIN tries them.

Each transition is taken, both ends come to where they may stay, and where both close and nobody breaks off, neither is told
of a reset.  Machines that were broken are found out.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from spin_run import ROOT, Report, in_state, lines_taken, machines, promela, sound, tried

SPEC = ROOT / "specs/net/connection.mrg"
CLOSED = ["Closed"]


def ends(a: str, b: str) -> list[str]:
    return [f"Connection:{calls}" for calls in (a, b)]


def bounds(faults: int, reach: list[str]) -> promela.Bounds:
    """The time that a connection lingers is longer than a peer tries to send again."""
    return promela.Bounds(faults=faults, last=frozenset(["linger"]), reach=reach)


# what users call, how much may go wrong, and where both must end; whenever they call, so both orders of close are in it
PASSIVE = (ends("connect,close", "listen,close"), bounds(2, CLOSED))
BOTH = (ends("connect,close", "connect,close"), bounds(2, CLOSED))
HALF = (ends("connect,close", "listen"), bounds(2, []))
STAY = (ends("connect", "listen"), bounds(2, []))
MEET = (ends("connect", "connect"), bounds(1, []))
OFF = (ends("connect,give_up?,close,abort?", "listen,abort?,close,give_up?"), bounds(1, []))
SOUND = {
    "one listens": PASSIVE,
    "both connect": BOTH,
    "one closes": HALF,
    "the other closes": (ends("connect", "listen,close"), bounds(2, [])),
    "they break off": OFF,
    "the way is lost": (ends("connect,unreachable?,abort?", "connect,unreachable?,close"), bounds(2, [])),
    "one comes again": (ends("connect,abort,listen,close", "connect,close"), bounds(1, [])),
}
# in which state, what is changed to what, where that shows, and what SPIN must say
STUCK, WRONG = "acceptance cycle", "assertion violated"
BROKEN = {
    "an RST for a SYN of old is believed": ("LastAck", "ignore segment if blind;", "", PASSIVE, WRONG),
    "a SYN that comes again is not answered": ("Established", "on segment if syn do segment(0, 0, 0, 1, 0, 0);", "", STAY, STUCK),
    "a SYN is not sent again": ("SynSent", "on retransmit do segment(1, 0, 0, 0, 0, 0), set", "on retransmit do set", STAY, STUCK),
    "a SYN of both does not meet": ("SynSent", "on segment if syn -> SynReceived do segment(1, 0, 0, 1, 0, 0), set retransmit;", "", MEET, STUCK),
    "a close is forgotten": ("SynReceived", "on close do closing = 1;", "ignore close;", PASSIVE, STUCK),
    "a close breaks off": ("SynReceived", "on close do closing = 1;", "on close -> Closed do cancel retransmit, segment(0, 0, 1, 1, 0, 0);", PASSIVE, WRONG),
    "no Closing": ("FinWait1", "on segment if fin -> Closing", "on segment if fin && !acks_syn -> Closing", PASSIVE, STUCK),
    "a FIN is not heard": ("FinWait2", "on segment if fin -> TimeWait do segment(0, 0, 0, 1, 1, 0), set linger, ended;", "", PASSIVE, STUCK),
    "a FIN is not sent again": ("LastAck", "on retransmit do segment(0, 1, 0, 1, 1, 0), set", "on retransmit do set", PASSIVE, STUCK),
    "a FIN that comes again is not acknowledged": ("CloseWait", "on segment if syn || fin do", "on segment if syn do", HALF, STUCK),
    "not by who lingers": ("TimeWait", "on segment if fin do segment(0, 0, 0, 1, 1, 0), set linger;", "", PASSIVE, STUCK),
    "who is not there is silent": ("Closed", "on segment do segment(0, 0, 1, syn, fin, !acks_syn);", "ignore segment;", OFF, STUCK),
    "a segment is refused": ("Closing", "on segment if syn || fin do segment(0, 0, 0, 1, 1, 0);", "refuse segment if syn || fin;", BOTH, WRONG),
}


def noting_resets(text: str) -> str:
    """A connection that never is reset."""
    text = text.replace("gone(Why.RESET)", "gone(Why.RESET), broken = 1")
    return text.replace("  var closing: 1;\n", "  var closing: 1;\n  var broken: 1;\n  never (broken == 1);\n")


def main() -> int:
    report = Report()
    text = SPEC.read_text(encoding="utf-8")
    taken: set[int] = set()
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        whole = machines(text, room, "net/connection.mrg")
        for what, (calls, limits) in SOUND.items():
            said = tried(whole, calls, limits, room, "-O1", "-DPRINTF")
            sound(report, what, said)
            taken |= lines_taken(said)
        report.none("each transition is taken", [t.text for t in whole[0].transitions if t.kind == "on" and t.loc.line not in taken])
        for what, (calls, limits) in {"one listens": PASSIVE, "both connect": BOTH}.items():
            sound(report, f"{what}: no reset", tried(machines(noting_resets(text), room, "net/connection.mrg"), calls, limits, room))
        for what, (state, old, new, (calls, limits), wanted) in BROKEN.items():
            changed = in_state(report, what, noting_resets(text) if limits.reach else text, state, old, new)
            said = tried(machines(changed, room, "net/connection.mrg"), calls, limits, room)
            report.check(f"{what}: is found", wanted in said, said[:1500])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

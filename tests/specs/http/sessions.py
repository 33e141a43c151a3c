"""Sessions of HTTP/1.1 that nobody had, as captures: for comparing two readings of them.

A session is a list of what goes which way; packets are made of it, and may be disturbed as networks do it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

Said = list[tuple[bool, bytes]]  # by the client?, octets

CLIENT, SERVER = b"\x0a\0\0\1", b"\x0a\0\0\2"
OTHER_PORT = 18180  # one that is nobody's
FIN, SYN, ACK = 1, 2, 16
FIRST = {True: 0xFFFF_FF00, False: 7}  # the client's numbers pass 2^32
SEGMENT = 500


@dataclass(frozen=True)
class Packet:
    client: bool
    seq: int
    ack: int
    flags: int
    payload: bytes = b""
    port: int = 80

    def frame(self, client_port: int) -> bytes:
        """With Ethernet and IPv4; the checksums are left to a card that isn't there."""
        ends = (CLIENT, client_port), (SERVER, self.port)
        (src, sport), (dst, dport) = ends if self.client else ends[::-1]
        tcp = sport.to_bytes(2, "big") + dport.to_bytes(2, "big") + (self.seq & 0xFFFF_FFFF).to_bytes(4, "big") + (self.ack & 0xFFFF_FFFF).to_bytes(4, "big")
        tcp += bytes([0x50, self.flags]) + b"\xff\xff\0\0\0\0" + self.payload
        ip = b"\x45\0" + (20 + len(tcp)).to_bytes(2, "big") + b"\0\0\x40\0\x40\6\0\0" + src + dst
        return bytes(12) + b"\x08\0" + ip + tcp


def packets(said: Said, sizes: Callable[[], int] = lambda: SEGMENT, ended: bool = True) -> list[Packet]:
    at = dict(FIRST)
    out = [Packet(True, at[True], 0, SYN), Packet(False, at[False], at[True] + 1, SYN | ACK)]
    at = {side: seq + 1 for side, seq in at.items()}
    out.append(Packet(True, at[True], at[False], ACK))
    for client, octets in said:
        while octets:
            size = sizes()
            out.append(Packet(client, at[client], at[not client], ACK, octets[:size]))
            at[client] += len(octets[:size])
            octets = octets[size:]
    if ended:
        out += [Packet(side, at[side], at[not side], FIN | ACK) for side in (False, True)]
    return out


def pcap(frames: Iterable[bytes]) -> bytes:
    out = bytes.fromhex("a1b2c3d40002000400000000000000000004000000000001")
    for i, frame in enumerate(frames):
        out += (1_700_000_000).to_bytes(4, "big") + (i * 1000).to_bytes(4, "big") + len(frame).to_bytes(4, "big") * 2 + frame
    return out


def disturbed(said: Said, seed: int) -> list[Packet]:
    """Sizes of all kinds; neighbours change places, and some packets come twice."""
    rng = random.Random(seed)
    sent = packets(said, lambda: rng.choice((1, 3, 40, 500)))
    for i in range(4, len(sent) - 3):
        if sent[i].client == sent[i + 1].client and rng.random() < 0.2:
            sent[i], sent[i + 1] = sent[i + 1], sent[i]
    return [p for p in sent for _ in range(1 + (rng.random() < 0.1))]


@dataclass(frozen=True)
class Session:
    name: str
    messages: int
    said: Said
    skipped: tuple[str, int] = ("", 0)
    seed: int = 0  # disturbed, if not 0
    change: Callable[[list[Packet]], list[Packet]] = lambda sent: sent

    def packets(self) -> list[Packet]:
        return disturbed(self.said, self.seed) if self.seed else self.change(packets(self.said))


def write(path: Path, sessions: list[Session]) -> list[int]:
    """One after the other into a capture file; returns how many packets each has."""
    sent = [session.packets() for session in sessions]
    path.write_bytes(pcap(p.frame(40000 + i) for i, part in enumerate(sent) for p in part))
    return [len(part) for part in sent]


def get(path: bytes, method: bytes = b"GET") -> bytes:
    return method + b" " + path + b" HTTP/1.1\r\nHost: www.example.org\r\nX-Empty:\r\nX-Many:  a\t, b \r\n\r\n"


def ok(kind: bytes, body: bytes, *fields: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + b"".join(f + b"\r\n" for f in fields) + b"Content-Type: " + kind + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


OCTETS = bytes(range(256)) * 5
CHUNKS = b'5;a="b"\r\n12345\r\n00a\r\n\0\1\2\3\4\5\6\7\x08\x09\r\n0\r\nT: v\r\n\r\n'
PLAIN: Said = [
    (True, get(b"/")), (False, ok(b"text/plain", b"hello")),
    (True, get(b"/a?b=%20c")), (False, ok(b"application/octet-stream", OCTETS)),
    (True, get(b"/none", b"HEAD")), (False, b"HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\n"),
    (True, get(b"/same")), (False, b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 5\r\n\r\n"),
    (True, get(b"/nothing", b"DELETE")), (False, b"HTTP/1.1 204 No Content\r\n\r\n"),
    (True, get(b"*", b"OPTIONS")), (False, b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"),
]
BODIES: Said = [
    (True, b"POST /form HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\r\na=b&c=d"),
    (False, b"HTTP/1.1 201 Created\r\nLocation: /x\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS),
    (True, b"PUT /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"),
    (False, b"HTTP/1.1 100 Continue\r\n\r\n"), (True, CHUNKS), (False, ok(b"text/html", b"<p>done</p>")),
    (True, get(b"/coded")), (False, ok(b"text/plain", b"\x1f\x8b not gzip at all", b"Content-Encoding: gzip")),
    (True, get(b"/parts")), (False, ok(b"multipart/byteranges; boundary=x", b"--x\r\nContent-Range: bytes 0-1/9\r\n\r\nab\r\n--x--\r\n")),
    (True, get(b"/picture")), (False, ok(b"image/png", b"\x89PNG\r\n\x1a\n" + OCTETS)),
    (True, get(b"/json")), (False, ok(b"application/json", b'{"a": [1, 2]}')),
    (True, b"GET /old HTTP/1.0\r\n\r\n"), (False, b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + OCTETS),
]
PIPELINED: Said = [
    (True, b"".join(get(b"/%d" % i) for i in range(20)) + b"\r\n" + get(b"/last")),
    (False, b"".join(ok(b"text/plain", b"x" * i) for i in range(21))),
]
SWITCHED: Said = [
    (True, b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"),
    (False, b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"), (True, b"\x81\x02ab"), (False, b"\x81\x02cd"),
]


def lost(which: int) -> Callable[[list[Packet]], list[Packet]]:
    """The packet of that number isn't in the capture."""
    return lambda sent: sent[:which] + sent[which + 1:]


def shortened(sent: list[Packet]) -> list[Packet]:
    """Of the third answer only the beginning of its head was kept, and nothing behind it."""
    at = [i for i, p in enumerate(sent) if p.payload.startswith(b"HTTP/1.1 404")][0]
    return sent[:at] + [replace(sent[at], payload=sent[at].payload[:30])]


def torn(sent: list[Packet]) -> list[Packet]:
    """One comes again with another content, before anything else follows."""
    return sent[:4] + [replace(sent[4], payload=sent[4].payload.replace(b"hello", b"HELLO"))] + sent[4:]


def moved(sent: list[Packet]) -> list[Packet]:
    return [replace(p, port=OTHER_PORT) for p in sent]


def again(sent: list[Packet]) -> list[Packet]:
    """A second connection between the same ends."""
    return sent + [replace(p, seq=p.seq + 99999, ack=p.ack + 99999) for p in sent]


def kept_alive(sent: list[Packet]) -> list[Packet]:
    """With probes of one octet that is none of the stream's (RFC 9293 3.8.4)."""
    return sent[:6] + [replace(sent[5], seq=sent[5].seq + len(sent[5].payload) - 1, payload=b"\0")] + sent[6:]


UNKNOWN = "which of them answers HEAD or CONNECT is not known"
SESSIONS = [
    Session("plain", 12, PLAIN), Session("bodies", 15, BODIES), Session("pipelined", 42, PIPELINED), Session("switched", 2, SWITCHED),
    *[Session(f"disturbed plain {seed}", 12, PLAIN, seed=seed) for seed in (1, 2)],
    *[Session(f"disturbed bodies {seed}", 15, BODIES, seed=seed) for seed in (3, 4)],
    Session("another port", 12, PLAIN, change=moved), Session("two connections", 24, PLAIN, change=again),
    Session("kept alive", 12, PLAIN, change=kept_alive),
    Session("from the middle", 5, PLAIN, (UNKNOWN, 5), change=lambda sent: sent[5:]),
    Session("from within a body", 4, PLAIN, (UNKNOWN, 4), change=lambda sent: sent[7:]),
    Session("from the middle, no HEAD", 13, BODIES, change=lambda sent: sent[5:]),
    Session("only what was answered", 5, [PLAIN[1], PLAIN[3], PLAIN[7], PLAIN[9], PLAIN[11]], change=lambda sent: [p for p in sent if not p.client]),
    Session("a gap in a body", 7, PLAIN, ("the body is not whole, and tshark shows nothing of it", 1), change=lost(7)),
    Session("a gap at the beginning", 6, PLAIN, ("a direction that begins with a gap", 1), change=lost(4)),
    Session("cut by the capture", 5, PLAIN, change=shortened),
    Session("a gap in a head", 28, PIPELINED, change=lost(4)),
    Session("two contents", 6, PLAIN, ("segments contradict each other", 6), change=torn),
]

POST = b"POST / HTTP/1.1\r\nHost: a\r\n"

# What tshark takes, and we do not, because of this clause.
REFUSED = [
    ("RFC 9112 2.2", b"GET / HTTP/1.1\nHost: a\n\n"),
    ("RFC 9112 5.2", b"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n"),
    ("RFC 9112 5.1", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    ("RFC 9112 6.3", POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    ("RFC 9112 6.3", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("RFC 9112 6.1", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    ("RFC 9112 3.2", b"GET / HTTP/1.1\r\n\r\n"),
    ("RFC 9112 3", b"GET /% HTTP/1.1\r\nHost: a\r\n\r\n"),
]

OK = b"HTTP/1.1 200 OK\r\n"
CODED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
# side, octets, in the body?, clause
EXCUSED = [
    *[("request", octets, False, clause) for clause, octets in REFUSED],
    ("request", POST + b"A: \x7f\r\n\r\n", False, "RFC 9112 5.1"), ("request", POST + b"Expect: x\r\n\r\n", False, "RFC 9110 10.1.1"),
    ("request", POST + b"Host: a\r\n\r\n", False, "RFC 9112 3.2"), ("request", b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n", False, "RFC 9112 3.2"),
    ("request", b"A" * 33 + b" / HTTP/1.0\r\n\r\n", False, "RFC 9110 15.6.2"), ("request", POST + b"A: b\r\n" * 101 + b"\r\n", False, "RFC 9110 5.4"),
    ("request", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", False, "RFC 9110 15.6.2"),
    ("request", POST + b"Connection: a b\r\n\r\n", False, "RFC 9110 7.6.1"), ("request", b"CONNECT a HTTP/1.0\r\n\r\n", False, "RFC 9112 3"),
    ("request", b"CONNECT a:1 HTTP/1.0\r\n\r\n", False, ""), ("request", b"GET http://[::1]:8/?a HTTP/1.0\r\nHost: [::1]:8\r\n\r\n", False, ""),
    ("response", b"HTTP/1.1 200\r\n\r\n", False, "RFC 9112 4"), ("response", OK + b"Content-Length: -1\r\n\r\n", False, "RFC 9112 6.3"),
    ("response", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", False, "RFC 9112 6.1"), ("response", OK + b"A: b\rc\r\n\r\n", False, "RFC 9112 2.2"),
    ("response", CODED + b"x\r\n", True, "RFC 9112 7.1"), ("response", CODED + b"1\r\nab\r\n", True, "RFC 9112 7.1"),
    ("response", CODED + b"1;a=\"\n\"\r\n", True, "RFC 9112 7.1"), ("response", CODED + b"0\r\nA\r\n\r\n", True, "RFC 9112 7.1.2"),
    ("response", CODED + b"1;a=\"b\"\r\nx\r\n0\r\nA: b\r\n\r\n", True, ""),
]

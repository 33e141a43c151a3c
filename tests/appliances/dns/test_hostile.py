#!/usr/bin/env python3
"""Bad input to the running server: malformed messages, framing, slow and broken peers. After each, it still serves."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness import ZONE, Files, Server, check, equal, main, receive, receive_end  # noqa: E402

WWW = wire.query("www.example.org")
HEADER = struct.Struct("!6H")


@contextmanager
def served(*args: str, zone: str = ZONE) -> Iterator[Server]:
    """A server that must still answer, over both transports, when the test is through with it."""
    with Files() as files:
        with Server("--zone", f"example.org={files.write('zone', zone)}", *args) as server:
            yield server
            # TCP first: behind the last segments of a thousand connections a device's full queue may lose a datagram, which nobody repeats.
            for reply in (server.tcp(WWW), server.udp(WWW)):
                equal(wire.read(reply).rdata(wire.A), [bytes([192, 0, 2, 80])], "an answer afterwards")
            equal(server.end(), 0, "exit status")


def header(ident: int = 0x1234, flags: int = 0, qd: int = 1, an: int = 0, ns: int = 0, ar: int = 0) -> bytes:
    return HEADER.pack(ident, flags, qd, an, ns, ar)


QUESTION = WWW[12:]
TAIL = struct.pack("!2H", wire.A, wire.IN)

# What must be answered, and how.
REPLIES: dict[str, tuple[bytes, int]] = {
    "header only, QDCOUNT 0": (header(qd=0), wire.FORMERR),
    "header only, QDCOUNT 1": (header(), wire.FORMERR),
    "QDCOUNT 2": (header(qd=2) + QUESTION * 2, wire.FORMERR),
    "QDCOUNT 65535": (header(qd=65535) + QUESTION, wire.FORMERR),
    "pointer to itself (18 octets)": (header() + b"\xc0\x0c" + TAIL, wire.FORMERR),
    "pointer forward": (header() + b"\xc0\x20" + TAIL + b"\0" * 20, wire.FORMERR),
    "pointer into the header": (header() + b"\xc0\x00" + TAIL, wire.FORMERR),
    "pointer past the end": (header() + b"\xff\xff" + TAIL, wire.FORMERR),
    "pointer as the last octet": (header() + b"\x01a\xc0", wire.FORMERR),
    "two pointers at each other": (header() + b"\xc0\x0e\xc0\x0c" + TAIL, wire.FORMERR),
    "label of type 0x40": (header() + b"\x41a\0" + TAIL, wire.FORMERR),
    "label of type 0x80": (header() + b"\x81a\0" + TAIL, wire.FORMERR),
    "label past the end": (header() + b"\x3fabc", wire.FORMERR),
    "name of 256 octets": (header() + (b"\x3f" + b"a" * 63) * 3 + b"\x3f" + b"a" * 63 + b"\0" + TAIL, wire.FORMERR),
    "question cut": (header() + QUESTION[:-1], wire.FORMERR),
    "ARCOUNT without a record": (header(ar=1) + QUESTION, wire.FORMERR),
    "two OPT": (header(ar=2) + QUESTION + (b"\0" + struct.pack("!HHIH", wire.OPT, 1232, 0, 0)) * 2, wire.FORMERR),
    "OPT with an owner": (header(ar=1) + QUESTION + b"\x01a\0" + struct.pack("!HHIH", wire.OPT, 1232, 0, 0), wire.FORMERR),
    "OPT option overrun": (wire.with_opt(WWW, options=struct.pack("!HH", 10, 9) + b"12345678"), wire.FORMERR),
    "OPT RDLENGTH overrun": (header(ar=1) + QUESTION + b"\0" + struct.pack("!HHIH", wire.OPT, 1232, 0, 5), wire.FORMERR),
    "EDNS version 1": (wire.with_opt(WWW, version=1), wire.BADVERS),
    "opcode 1": (header(flags=1 << 11) + QUESTION, wire.NOTIMP),
    "opcode 4, NOTIFY": (header(flags=4 << 11) + QUESTION, wire.NOTIMP),
    "opcode 5, UPDATE": (header(flags=5 << 11) + QUESTION, wire.FORMERR),  # no question of an update
    "opcode 15": (header(flags=15 << 11) + QUESTION, wire.NOTIMP),
    "another zone": (wire.query("www.example.net"), wire.REFUSED),
    "class CH, unknown name": (wire.query("www.example.org", wire.A, wire.CH), wire.REFUSED),
    "root": (wire.query("."), wire.REFUSED),
    "no such name": (wire.query("nothing.example.org"), wire.NXDOMAIN),
    "OPT of size 0": (wire.with_opt(WWW, size=0), wire.NOERROR),
    "OPT of size 65535": (wire.with_opt(WWW, size=65535), wire.NOERROR),
    "unknown option": (wire.with_opt(WWW, options=struct.pack("!HH", 65001, 2) + b"ab"), wire.NOERROR),
    "label of 63 octets, upper case": (wire.query("A" * 63 + ".WILD.EXAMPLE.ORG", wire.TXT), wire.NOERROR),
}

# What must not be answered at all.
SILENT: dict[str, bytes] = {
    "nothing": b"",
    "one octet": b"\0",
    "eleven octets": header()[:11],
    "a response": header(flags=wire.QR) + QUESTION,
    "a response with errors": header(flags=wire.QR | 15) + QUESTION[:3],
}


def test_malformed_over_udp() -> None:
    with served() as server, server.udp_socket() as s:
        for what, (message, rcode) in REPLIES.items():
            s.send(message)
            reply = wire.read(s.recv(65536))
            equal(reply.rcode, rcode, what)
            equal(reply.ident, 0x1234, what + ": id")
            check(bool(reply.flags & wire.QR), what + ": QR")


def test_malformed_over_tcp() -> None:
    with served() as server, server.tcp_socket() as s:
        for what, (message, rcode) in REPLIES.items():
            s.sendall(wire.frame(message))
            equal(wire.read(receive(s)).rcode, rcode, what)


def test_silence_over_udp() -> None:
    """The next question's answer comes first: before it nothing was sent."""
    with served() as server, server.udp_socket() as s:
        for what, message in SILENT.items():
            s.send(message)
            s.send(wire.query("www.example.org", ident=99))
            equal(wire.read(s.recv(4096)).ident, 99, what)


def test_every_truncation_and_every_bit_flip() -> None:
    messages = [WWW[:n] for n in range(12, len(WWW))]
    full = wire.with_opt(WWW, options=struct.pack("!HH", 10, 8) + b"12345678")
    messages += [full[:n] for n in range(12, len(full))]
    for bit in range(16, len(full) * 8):  # not the id
        flipped = bytearray(full)
        flipped[bit // 8] ^= 0x80 >> bit % 8
        messages.append(bytes(flipped))
    with served() as server, server.udp_socket() as s:
        for message in messages:
            s.send(message)
            if message[2] & 0x80:
                s.send(WWW)  # a response: no answer, so ask something that has one
            reply = wire.read(s.recv(65536))
            equal(reply.ident, 0x1234, message.hex())


def test_lengths_on_a_stream() -> None:
    """0, 1 and 11 octets have no header to answer to: the connection ends. 12 and 65,535 have."""
    with served() as server:
        for length in (0, 1, 11):
            with server.tcp_socket() as s:
                s.sendall(wire.frame(WWW) + wire.frame(b"\0" * length) + wire.frame(WWW))
                equal(wire.read(receive(s)).rcode, wire.NOERROR, f"the query before {length} octets")
                receive_end(s)
        with server.tcp_socket() as s:
            s.sendall(wire.frame(header(qd=0)))
            equal(wire.read(receive(s)).rcode, wire.FORMERR, "12 octets")
            for message in (WWW + b"\0" * (65535 - len(WWW)), wire.with_opt(WWW, options=struct.pack("!HH", 12, 65000) + bytes(65000))):
                s.sendall(wire.frame(message))
                check(wire.read(receive(s)).rcode in (wire.NOERROR, wire.FORMERR), f"{len(message)} octets")


def test_every_split_of_a_query() -> None:
    whole = wire.frame(WWW)
    with served() as server, server.tcp_socket() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for cut in range(1, len(whole)):
            s.sendall(whole[:cut])
            s.sendall(whole[cut:])
            equal(wire.read(receive(s)).rdata(wire.A), [bytes([192, 0, 2, 80])], f"split at {cut}")
        for octet in whole:
            s.sendall(bytes([octet]))
        equal(wire.read(receive(s)).rdata(wire.A), [bytes([192, 0, 2, 80])], "octet by octet")


def test_pipelining() -> None:
    with served() as server, server.tcp_socket() as s:
        s.sendall(b"".join(wire.frame(wire.query("www.example.org", ident=i)) for i in range(3000)))
        for i in range(3000):
            equal(wire.read(receive(s)).ident, i, "answers in order")


def test_half_close_still_gets_its_answers() -> None:
    with served() as server, server.tcp_socket() as s:
        s.sendall(wire.frame(WWW) * 3 + b"\0\x20abc")
        s.shutdown(socket.SHUT_WR)
        for _ in range(3):
            equal(wire.read(receive(s)).rcode, wire.NOERROR)
        receive_end(s)


def test_resets() -> None:
    hard = struct.pack("ii", 1, 0)
    with served() as server:
        for sent in (b"", b"\0", wire.frame(WWW), wire.frame(WWW) * 100 + b"\0\xff"):
            for _ in range(20):
                with server.tcp_socket() as s:
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, hard)
                    s.sendall(sent)


def test_a_reader_who_never_reads() -> None:
    many = "".join(f'big TXT "{i:03} {"x" * 200}"\n' for i in range(250))
    with served(zone=ZONE + many) as server:
        slow = [server.tcp_socket() for _ in range(5)]
        for s in slow:
            s.setblocking(False)
            try:
                for _ in range(1000):
                    s.send(wire.frame(wire.query("big.example.org", wire.TXT)) * 10)
            except BlockingIOError:
                pass
        equal(len(wire.read(server.tcp(wire.query("big.example.org", wire.TXT))).answer), 250, "others are served")
        # The one who reads in the end gets whole answers.
        slow[0].settimeout(30)
        for _ in range(20):
            equal(len(wire.read(receive(slow[0])).answer), 250, "records")
        for s in slow:
            s.close()


def test_a_thousand_idle_connections() -> None:
    with served() as server:
        idle = [server.tcp_socket() for _ in range(1000)]
        partial = [server.tcp_socket() for _ in range(50)]
        for s in partial:
            s.sendall(b"\0\x30half")
        equal(wire.read(server.tcp(WWW)).rcode, wire.NOERROR, "one more")
        before = server.memory_kib()
        for s in idle:
            s.sendall(wire.frame(WWW))
        for s in idle:
            equal(wire.read(receive(s)).rcode, wire.NOERROR, "each is served")
        check(before < 64 * 1024, f"{before} KiB")
        for s in idle + partial:
            s.close()


def test_more_connections_than_files() -> None:
    """With few files allowed, new connections push out the oldest ones instead of failing."""
    with Files() as files:
        with Server("--zone", f"example.org={files.write('zone', ZONE)}", prefix=("prlimit", "--nofile=110:110")) as server:
            sockets = [server.tcp_socket()]
            sockets[0].sendall(wire.frame(WWW))
            receive(sockets[0])  # so that it is the oldest for the server, too
            sockets += [server.tcp_socket() for _ in range(299)]
            for s in sockets[-20:]:
                s.sendall(wire.frame(WWW))
                equal(wire.read(receive(s)).rcode, wire.NOERROR, "the newest")
            receive_end(sockets[0])
            for s in sockets:
                s.close()
            equal(wire.read(server.udp(WWW)).rcode, wire.NOERROR, "UDP")
            equal(server.end(), 0)


def test_idle_connections_are_closed_after_a_while() -> None:
    """The one test that waits: 10 s, the server's own limit."""
    with served() as server, server.tcp_socket() as idle, server.tcp_socket() as dripping:
        for s in (idle, dripping):
            s.sendall(wire.frame(WWW))
            receive(s)
        dripping.sendall(b"\0")
        receive_end(idle)
        receive_end(dripping)


def test_oversized_datagrams() -> None:
    with served() as server, server.udp_socket() as s:
        for length in (1471, 1472, 1473, 4096, 9000, 60000):
            s.send(WWW + b"\0" * (length - len(WWW)))
            reply = wire.read(s.recv(65536))
            equal(reply.ident, 0x1234, f"{length} octets")


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

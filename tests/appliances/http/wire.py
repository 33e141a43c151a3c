"""HTTP/1.1 responses, read as strictly as RFC 9112 allows: what a lenient client would overlook is a failure here."""

from __future__ import annotations

import re
import select
import socket
from dataclasses import dataclass, field

TCHAR = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")  # RFC 9110 5.6.2
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5]\d\d) ([\t \x21-\x7e\x80-\xff]*)\Z")
FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([\x21-\x7e](?:[\t \x21-\x7e]*[\x21-\x7e])?)\Z")
DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT\Z")
ONCE = {"date", "content-length", "content-type", "etag", "last-modified", "location", "allow", "content-range", "connection"}


class Bad(AssertionError):
    """A response that no server may send."""


@dataclass
class Answer:
    status: int
    reason: str
    fields: list[tuple[str, str]]
    body: bytes = b""
    head: bytes = field(default=b"", repr=False)

    def all(self, name: str) -> list[str]:
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name: str) -> str:
        """The value of a field; empty when it is not there."""
        return ", ".join(self.all(name))

    @property
    def closes(self) -> bool:
        return "close" in self.get("connection").lower()


def read_head(head: bytes) -> Answer:
    """The octets up to and with the empty line."""
    lines = head.split(b"\r\n")
    if lines[-2:] != [b"", b""] or b"\n" in head.replace(b"\r\n", b"") or b"\r" in head.replace(b"\r\n", b""):
        raise Bad(f"line ends: {head!r}")
    first = STATUS_LINE.match(lines[0])
    if first is None:
        raise Bad(f"status line {lines[0]!r}")
    answer = Answer(int(first.group(1)), first.group(2).decode("latin-1"), [], head=head)
    for line in lines[1:-2]:
        found = FIELD_LINE.match(line)
        if found is None:
            raise Bad(f"field {line!r}")
        answer.fields.append((found.group(1).decode(), found.group(2).decode()))
    check_fields(answer)
    return answer


def check_fields(a: Answer) -> None:
    """RFC 9110: what each response has or must not have."""
    names = [n.lower() for n, _ in a.fields]
    twice = {n for n in names if n in ONCE and names.count(n) > 1}
    if twice:
        raise Bad(f"twice: {twice}")
    if a.status >= 200 and DATE.match(a.get("date")) is None:  # 6.6.1
        raise Bad(f"Date {a.get('date')!r}")
    if a.status in (100, 204) and a.get("content-length"):  # 8.6
        raise Bad(f"Content-Length in {a.status}")
    if a.get("content-length") and not re.match(r"(0|[1-9]\d*)\Z", a.get("content-length")):
        raise Bad(f"Content-Length {a.get('content-length')!r}")
    if a.status == 405 and "allow" not in names:  # 15.5.6
        raise Bad("405 without Allow")
    if a.status in (206, 416) and not a.get("content-range") and "multipart/byteranges" not in a.get("content-type"):  # 14.4
        raise Bad(f"{a.status} without Content-Range")
    if a.status == 206 and a.get("content-range") and "multipart" in a.get("content-type"):  # 15.3.7.2
        raise Bad("Content-Range beside parts")
    if a.status == 304 and a.get("content-type"):  # 15.4.5
        raise Bad("304 with Content-Type")


class Connection:
    """One connection to a server."""

    def __init__(self, address: tuple[str, int], patience_s: float) -> None:
        self.socket = socket.create_connection(address, timeout=patience_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.patience_s = patience_s
        self.held = bytearray()  # came and was not looked at; cheap to take from the front

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def send_all_it_takes(self, octets: bytes) -> None:
        """The same, to a server that may answer, and end, before it has all; answers are taken meanwhile."""
        rest = memoryview(octets)
        self.socket.setblocking(False)
        try:
            while rest:
                select.select([self.socket], [self.socket], [], self.patience_s)
                try:
                    rest = rest[self.socket.send(rest):]
                except BlockingIOError:
                    pass
                try:
                    if not self.more():
                        break
                except BlockingIOError:
                    pass
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            self.socket.settimeout(self.patience_s)

    def half_close(self) -> None:
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # the server has ended it already
            pass

    def drip(self, octets: bytes) -> None:
        """Octet by octet; stops when the server has reset the connection, since its answer has been sent."""
        try:
            for i in range(len(octets)):
                self.socket.send(octets[i:i + 1])
        except (BrokenPipeError, ConnectionResetError):
            pass

    def more(self) -> bool:
        piece = self.socket.recv(1 << 18)
        self.held += piece
        return bool(piece)

    def take(self, count: int) -> bytes:
        taken = bytes(memoryview(self.held)[:count])
        del self.held[:count]
        return taken

    def octets(self, count: int) -> bytes:
        while len(self.held) < count:
            if not self.more():
                raise EOFError(f"the connection ended after {len(self.held)} of {count} octets")
        return self.take(count)

    def head(self) -> Answer:
        while (end := self.held.find(b"\r\n\r\n")) < 0:
            if not self.more():
                raise EOFError(f"the connection ended in a head: {bytes(self.held[:200])!r}")
        return read_head(self.take(end + 4))

    def answer(self, method: str = "GET") -> Answer:
        """A whole response, RFC 9112 6.3."""
        a = self.head()
        if method == "HEAD" or a.status in (100, 204, 304):
            return a
        if a.get("transfer-encoding"):
            raise Bad("this server sends nothing in chunks")
        a.body = self.octets(int(a.get("content-length")))
        return a

    def ask(self, octets: bytes) -> Answer:
        self.send(octets)
        return self.answer(octets.lstrip().split(b" ", 1)[0].decode("latin-1"))

    def hold_back(self) -> None:
        """Let little come before it is taken."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)

    def let_come(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)

    def end(self) -> None:
        """The server's end of the connection, and nothing before it; then ours."""
        rest = bytes(self.held)
        try:
            rest += self.socket.recv(1)
        except ConnectionResetError:
            pass
        if rest:
            raise Bad(f"octets where the connection was to end: {rest[:200]!r}")
        self.socket.close()


def parts_of(a: Answer) -> list[tuple[str, str, bytes]]:
    """Content-Range, Content-Type and octets of each part of a multipart/byteranges answer (RFC 9110 14.6, RFC 2046 5.1.1)."""
    kind = re.match(r'multipart/byteranges; *boundary="?([^"]{1,70})"?\Z', a.get("content-type"))
    if kind is None:
        raise Bad(f"Content-Type {a.get('content-type')!r}")
    mark = b"--" + kind.group(1).encode()
    body = b"\r\n" + a.body.lstrip(b"\r\n")  # line ends may go before the first
    pieces = body.split(b"\r\n" + mark)
    if pieces[0] != b"" or not re.match(rb"--[ \t]*(\r\n|\Z)", pieces[-1]) or len(pieces) < 3:
        raise Bad(f"parts: {a.body[:300]!r}")
    out = []
    for piece in pieces[1:-1]:
        head, octets = piece.split(b"\r\n\r\n", 1)
        fields = dict(line.decode().split(": ", 1) for line in head.lstrip(b" \t").split(b"\r\n") if line)
        out.append((fields["Content-Range"], fields.get("Content-Type", ""), octets))
    return out

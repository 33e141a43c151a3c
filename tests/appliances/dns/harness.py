"""Asking the name server under test; starting and ending it is in ../running.py."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import wire  # noqa: E402
from running import PATIENCE_S, ROOT, Failure, Files, Running, check, equal, main, run_program  # noqa: E402

__all__ = ["ROOT", "Failure", "Files", "check", "equal", "main"]

ZONE = """$TTL 3600
@ SOA ns1 hostmaster 7 7200 900 1209600 300
@ NS ns1
ns1 A 192.0.2.53
www A 192.0.2.80
www AAAA 2001:db8::80
version A 192.0.2.1
alias CNAME www
*.wild TXT "made"
"""


class Server(Running):
    """mrg-dns, and ways to ask it."""

    program = "mrg-dns"

    def __enter__(self) -> Server:
        return self

    def udp(self, message: bytes, index: int = 0) -> bytes:
        with self.udp_socket(index) as s:
            s.send(message)
            return s.recv(65536)

    def udp_socket(self, index: int = 0) -> socket.socket:
        host, port = self.addresses[index]
        s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(PATIENCE_S)
        s.connect((host, port))
        return s

    def tcp_socket(self, index: int = 0) -> socket.socket:
        host, port = self.addresses[index]
        return socket.create_connection((host, port), timeout=PATIENCE_S)

    def tcp(self, message: bytes, index: int = 0) -> bytes:
        with self.tcp_socket(index) as s:
            s.sendall(wire.frame(message))
            return receive(s)

    @contextmanager
    def asked_meanwhile(self, query: bytes, take: Callable[[wire.Message], None]) -> Iterator[None]:
        """A client asks without pause; what is wrong with an answer, or that there is none, is a failure at the end."""
        trouble: list[str] = []
        done = threading.Event()

        def ask() -> None:
            try:
                with self.udp_socket() as s:
                    while not done.is_set():
                        s.send(query)
                        take(wire.read(s.recv(4096)))
            except Exception as e:  # noqa: BLE001  told below
                trouble.append(f"{type(e).__name__}: {e}")

        client = threading.Thread(target=ask)
        client.start()
        try:
            yield
        finally:
            done.set()
            client.join(PATIENCE_S)
        equal(trouble, [])

    def own_addresses(self) -> list[tuple[str, int]]:
        """All of them, when it listens at both wildcards; and which of the two it is."""
        return self.machine.own if self.machine else [("127.0.0.1", 0), ("127.9.8.7", 0), ("::1", 1)]

    def ask(self, name: str, rtype: int = wire.A) -> wire.Message:
        return wire.read(self.udp(wire.query(name, rtype)))


def receive_exactly(s: socket.socket, count: int) -> bytes:
    out = b""
    while len(out) < count:
        piece = s.recv(count - len(out))
        if not piece:
            raise EOFError(f"connection ended after {len(out)} of {count} octets")
        out += piece
    return out


def receive(s: socket.socket) -> bytes:
    """One framed message."""
    return receive_exactly(s, int.from_bytes(receive_exactly(s, 2), "big"))


def receive_end(s: socket.socket) -> None:
    """The peer's end of the connection, and nothing before it."""
    try:
        rest = s.recv(1)
    except ConnectionResetError:
        return
    check(rest == b"", f"octets where the connection was to end: {rest!r}")


def run(*args: object) -> subprocess.CompletedProcess[str]:
    """mrg-dns to its end."""
    return run_program("mrg-dns", *args)

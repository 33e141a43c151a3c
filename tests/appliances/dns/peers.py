"""Name servers of other makes as primaries and secondaries of ours: named, knotd and nsd, each in a folder and on a port of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from running import PATIENCE_S, Failure, Running, images  # noqa: E402

KEY = "transfers.example"
SECRET = "c2VjcmV0IG9mIHNpeHRlZW4="
ORIGIN = "example.org"


def free_port() -> int:
    """A port that is free for both transports now."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            try:
                tcp.bind(udp.getsockname())
            except OSError:
                continue
            return int(udp.getsockname()[1])


class Net(NamedTuple):
    """Where the two are, and what a command begins with that runs there."""

    peer: str = "127.0.0.1"
    ours: str = "127.0.0.1"
    prefix: tuple[str, ...] = ()


class Peer(Running):
    """One of them, serving ORIGIN: as a primary from `zone` in its folder, or as a secondary of `primary`, a port of ours."""

    name = ""
    ready = ""  # in its log

    def __init__(self, folder: Path, port: int, primary: int | None = None, secondaries: tuple[int, ...] = (), net: Net = Net()) -> None:
        self.machine: images.Machine | None = None
        self.folder = folder
        self.net = net
        self.addresses = [(net.peer, port)]
        folder.mkdir(exist_ok=True)
        self.zone = folder / "zone"
        config = folder / "config"
        config.write_text(self.config(port, primary, secondaries))
        self._start(subprocess.Popen([*net.prefix, *self.command(config)], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE, start_new_session=True))

    def __enter__(self) -> Peer:
        return self

    def wait_for(self, part: str) -> str:
        return super().wait_for(self.ready if part == "event=ready" else part)

    def config(self, port: int, primary: int | None, secondaries: tuple[int, ...]) -> str:
        raise NotImplementedError

    def command(self, config: Path) -> list[str]:
        raise NotImplementedError


class Named(Peer):
    name = "named"
    ready = "running"

    def config(self, port: int, primary: int | None, secondaries: tuple[int, ...]) -> str:
        told = "".join(f"{self.net.ours} port {p} key {KEY}; " for p in secondaries)
        kind = (f"type secondary; primaries {{ {self.net.ours} port {primary} key {KEY}; }}; masterfile-format text;" if primary
                else f"type primary; ixfr-from-differences yes; also-notify {{ {told}}};")
        return (f'options {{ directory "{self.folder}"; listen-on port {port} {{ {self.net.peer}; }}; listen-on-v6 {{ none; }}; recursion no; '
                f'pid-file none; session-keyfile none; dnssec-validation no; notify explicit; notify-delay 0; serial-query-rate 1000; '
                f'lock-file none; }};\ncontrols {{ }};\nkey {KEY} {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n'
                f'zone {ORIGIN} {{ {kind} file "{self.zone}"; allow-transfer {{ key {KEY}; }}; }};\n')

    def command(self, config: Path) -> list[str]:
        return ["named", "-g", "-n", "1", "-c", str(config)]


class Knotd(Peer):
    name = "knotd"
    ready = "server started"

    def config(self, port: int, primary: int | None, secondaries: tuple[int, ...]) -> str:
        others = "".join(f"  - id: p{p}\n    address: {self.net.ours}@{p}\n    key: {KEY}\n" for p in (*secondaries, *([primary] if primary else ())))
        role = f"    master: p{primary}\n" if primary else f"    notify: [{', '.join(f'p{p}' for p in secondaries)}]\n    zonefile-load: difference\n"
        return (f"server:\n    rundir: {self.folder}\n    listen: {self.net.peer}@{port}\n    user: root\n    automatic-acl: on\n"
                "log:\n  - target: stderr\n    any: info\n"
                f"database:\n    storage: {self.folder}\n"
                f"key:\n  - id: {KEY}\n    algorithm: hmac-sha256\n    secret: {SECRET}\n"
                + (f"remote:\n{others}" if others else "") +
                f"acl:\n  - id: keyed\n    key: {KEY}\n    action: [transfer, notify]\n"
                f"zone:\n  - domain: {ORIGIN}\n    file: {self.zone}\n    acl: keyed\n{role}")

    def command(self, config: Path) -> list[str]:
        return ["knotd", "-c", str(config)]


class Nsd(Peer):
    name = "nsd"
    ready = "nsd started"

    def config(self, port: int, primary: int | None, secondaries: tuple[int, ...]) -> str:
        role = (f"  request-xfr: {self.net.ours}@{primary} {KEY}\n  allow-notify: {self.net.ours} {KEY}\n" if primary else
                "".join(f"  notify: {self.net.ours}@{p} {KEY}\n" for p in secondaries) + "  store-ixfr: yes\n  create-ixfr: yes\n")
        return (f'server:\n  ip-address: {self.net.peer}@{port}\n  username: ""\n  zonesdir: "{self.folder}"\n  database: ""\n  pidfile: ""\n'
                f'  xfrdfile: "{self.folder}/xfrd"\n  zonelistfile: "{self.folder}/zones"\n  xfrdir: "{self.folder}"\n  verbosity: 2\n'
                f'  logfile: ""\n  server-count: 1\nremote-control:\n  control-enable: no\n'
                f'key:\n  name: {KEY}\n  algorithm: hmac-sha256\n  secret: "{SECRET}"\n'
                f'zone:\n  name: {ORIGIN}\n  zonefile: "{self.zone}"\n  provide-xfr: {self.net.ours} {KEY}\n'
                f'  provide-xfr: {self.net.peer} {KEY}\n{role}')

    def command(self, config: Path) -> list[str]:
        return ["nsd", "-d", "-c", str(config)]


PEERS: tuple[type[Peer], ...] = (Named, Knotd, Nsd)


def dig(port: int, *words: str, at: str = "127.0.0.1", prefix: tuple[str, ...] = ()) -> str:
    return subprocess.run([*prefix, "dig", f"@{at}", "-p", str(port), "-y", f"hmac-sha256:{KEY}:{SECRET}", "+tries=1", "+time=2", *words],
                          capture_output=True, text=True, timeout=PATIENCE_S).stdout


def records(port: int, at: str = "127.0.0.1", prefix: tuple[str, ...] = ()) -> list[str]:
    """The zone as a server transfers it, without its last SOA."""
    said = dig(port, "axfr", ORIGIN, "+noall", "+answer", "+onesoa", at=at, prefix=prefix)
    rows = [" ".join(line.split()) for line in said.splitlines()]
    return sorted(row for row in rows if row and "TSIG" not in row)


def wait_for_serial(port: int, serial: int, at: str = "127.0.0.1", prefix: tuple[str, ...] = ()) -> None:
    """Ask until the server has that version."""
    end = time.monotonic() + PATIENCE_S
    while dig(port, "+short", "soa", ORIGIN, at=at, prefix=prefix).split()[2:3] != [str(serial)]:
        if time.monotonic() > end:
            raise Failure(f"serial {serial} did not come to {port}")

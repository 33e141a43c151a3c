"""The servers that are measured: how each is configured, started and named.

Every one serves zones on one UDP port of 127.0.0.1 with one worker thread,
minimal responses where it knows them, and no limit on the rate of answers.
Configurations are written at run time into a folder of the run.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

ORIGIN = "bench.example"

NSD_CONF = """\
server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{dir}"
  database: ""
  pidfile: "{dir}/nsd.pid"
  logfile: "{dir}/nsd.log"
  xfrdfile: "{dir}/xfrd.state"
  xfrdir: "{dir}"
  zonelistfile: "{dir}/zone.list"
  cookie-secret-file: ""
  minimal-responses: {minimal}
  round-robin: no
  rrl-ratelimit: {rate}
  hide-version: yes
{server}remote-control:
  control-enable: no
zone:
  name: {origin}
  zonefile: "{zone}"
{of_zone}"""

KNOT_CONF = """\
server:
  rundir: "{dir}"
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: "{dir}"
log:
  - target: stderr
    any: error
{sections}template:
  - id: default
    storage: "{dir}"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
zone:
  - domain: {origin}
    file: "{zone}"
{of_zone}"""

BIND_CONF = """\
options {{
  directory "{dir}";
  managed-keys-directory "{dir}";
  pid-file "{dir}/named.pid";
  session-keyfile none;
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  minimal-responses yes;
  notify no;
  zone-statistics none;
{options}}};
controls {{ }};
logging {{ category default {{ null; }}; }};
zone "{origin}" {{ type primary; file "{zone}"; check-names ignore; check-integrity no; }};
"""

GDNSD_CONF = """\
options => {{
  listen => [ 127.0.0.1:{port} ]
  udp_threads => 1
  tcp_threads => 1
  run_dir => {dir}/run
  state_dir => {dir}/state
  http_listen => []
}}
"""


class Absent(Exception):
    """A server that isn't there: the message tells which and how to get it."""


@dataclass(frozen=True)
class Places:
    """Where things are: the tree, our programs, and what every build shares."""

    root: Path
    build: Path  # bin/ and bench/bin/ of one compiler
    out: Path  # peers/ and bench/ of all

    @property
    def peers(self) -> Path:
        return self.out / "peers" / "root"

    @property
    def data(self) -> Path:
        return self.out / "bench" / "data"

    def work(self, name: str) -> Path:
        """A folder for what a part of the run writes."""
        return self.out / "bench" / name

    def program(self, name: str) -> Path:
        """A program of bench/."""
        path = self.build / "bench" / "bin" / name
        if not path.exists():
            raise Absent(f"{name}: not built; run `make bench`")
        return path

    def tool(self, name: str) -> Path:
        """A program of the peers' packages."""
        for folder in ("usr/sbin", "usr/bin", "sbin"):
            path = self.peers / folder / name
            if path.exists():
                return path
        raise Absent(f"{name}: not unpacked below {self.peers}; run `make bench-deps`")

    def environment(self) -> dict[str, str]:
        env = dict(os.environ)
        libs = str(self.peers / "usr/lib/x86_64-linux-gnu")
        env["LD_LIBRARY_PATH"] = libs + (":" + env["LD_LIBRARY_PATH"] if env.get("LD_LIBRARY_PATH") else "")
        return env


Prepare = Callable[[Places, Path, dict[str, str]], list[str]]


@dataclass(frozen=True)
class Server:
    """A kind of server; `prepare` writes its configuration and gives its command line."""

    name: str
    prepare: Prepare
    version_args: tuple[str, ...]
    reload: bool = True  # SIGHUP makes it read its zone again
    all_types: bool = True  # knows every type of the mixed zone

    def command(self, places: Places, work: Path, zone: Path, port: int, origin: str = ORIGIN) -> list[str]:
        work.mkdir(parents=True, exist_ok=True)
        values = {"port": str(port), "dir": str(work), "zone": str(zone.resolve()), "origin": origin}
        return self.prepare(places, work, values)

    def version(self, places: Places) -> str:
        program = self.command(places, places.work("version"), Path("/dev/null"), 1)[0]
        done = subprocess.run(
            [program, *self.version_args], env=places.environment(), capture_output=True, text=True, check=False
        )
        lines = (done.stdout + done.stderr).strip().splitlines()
        lines = [line for line in lines if "invalid option" not in line]
        return next((line.strip() for line in lines if any(c.isdigit() for c in line)), "unknown")


# What may be put into a configuration beside what all have; lines end with a newline.
NSD_MORE = {"minimal": "yes", "rate": "0", "server": "", "of_zone": ""}
KNOT_MORE = {"sections": "", "of_zone": ""}
BIND_MORE = {"options": ""}


def write(path: Path, template: str, values: dict[str, str]) -> Path:
    path.write_text(template.format(**values))
    return path


def nsd(places: Places, work: Path, values: dict[str, str]) -> list[str]:
    conf = write(work / "nsd.conf", NSD_CONF, {**NSD_MORE, **values})
    return [str(places.tool("nsd")), "-d", "-c", str(conf)]


def nsd_full(places: Places, work: Path, values: dict[str, str]) -> list[str]:
    return nsd(places, work, {"minimal": "no", **values})


def knot(places: Places, work: Path, values: dict[str, str]) -> list[str]:
    conf = write(work / "knot.conf", KNOT_CONF, {**KNOT_MORE, **values})
    return [str(places.tool("knotd")), "-c", str(conf)]


def bind(places: Places, work: Path, values: dict[str, str]) -> list[str]:
    conf = write(work / "named.conf", BIND_CONF, {**BIND_MORE, **values})
    return [str(places.tool("named")), "-f", "-n", "1", "-c", str(conf)]


def gdnsd(places: Places, work: Path, values: dict[str, str]) -> list[str]:
    for folder in ("zones", "run", "state"):
        (work / folder).mkdir(exist_ok=True)
    write(work / "config", GDNSD_CONF, values)
    link = work / "zones" / values["origin"]
    link.unlink(missing_ok=True)
    link.symlink_to(values["zone"])
    return [str(places.tool("gdnsd")), "-c", str(work), "start"]


def ours(places: Places, work: Path, values: dict[str, str]) -> list[str]:
    program = places.build / "bin" / "mrg-dns"
    if not program.exists():
        raise Absent(f"{program}: not built; run `make`")
    listen, zone = f"127.0.0.1:{values['port']}", f"{values['origin']}={values['zone']}"
    return [str(program), "--listen", listen, "--zone", zone, "--workers", "1"]


SERVERS = {
    s.name: s
    for s in (
        Server("mrg-dns", ours, ("--version",)),
        Server("nsd", nsd, ("-v",)),
        Server("knot", knot, ("-V",)),
        Server("gdnsd", gdnsd, ("-h",), reload=False, all_types=False),
        Server("bind", bind, ("-v",)),
    )
}

# Not measured: gives answers with authority and additional sections for the captured mix.
NSD_FULL = Server("nsd-full", nsd_full, ("-v",))


@dataclass
class Running:
    """A server at work, on one core."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    log: Path
    pids: list[int] = field(default_factory=list)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def free_port(tcp: bool = False) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def answers(port: int, query: bytes, wait: float) -> bool:
    """Whether a right answer (rcode 0, AA, some answer) comes within `wait` seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.settimeout(wait)
        try:
            s.send(query)
            reply = s.recv(4096)
        except OSError:
            return False
    return len(reply) >= 12 and reply[2] & 0x84 == 0x84 and reply[3] & 15 == 0 and reply[6:8] != b"\0\0"


def launch(
    places: Places, name: str, command: list[str], work: Path, port: int, core: Optional[int], ready: Callable[[], bool]
) -> Running:
    """Start a server on `core` and wait until it is ready; its output goes to a file in `work`."""
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    log = work / "output"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=places.environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    running = Running(name, process, port, log)
    limit = time.monotonic() + 60
    while not ready():
        if process.poll() is not None or time.monotonic() > limit:
            running.stop()
            tail = log.read_text(errors="replace").splitlines()[-5:]
            raise Absent(f"{name}: gives no answer: " + " / ".join(tail))
        time.sleep(0.05)
    return running


def start(
    places: Places, server: Server, work: Path, zone: Path, query: bytes, core: Optional[int], origin: str = ORIGIN
) -> Running:
    """Start a server of DNS on `core` and wait until it answers `query`."""
    shutil.rmtree(work, ignore_errors=True)
    port = free_port()
    command = server.command(places, work, zone, port, origin)
    return launch(places, server.name, command, work, port, core, lambda: answers(port, query, 0.2))

"""The HTTP servers that are measured: how each is configured, started and named.

Every one serves the same folder on one port of 127.0.0.1 with one worker, without an access log, keeps connections for
as long as a run takes, and may hold more of them than a run opens. nginx keeps files open, sends them by sendfile, and has
`tcp_nopush` off, with which it stalls when requests are pipelined.
"""

from __future__ import annotations

import grp
import http.client
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from bench import peers
from bench.peers import Absent, Places, Running

FIXED = b"hello world\n"  # what nginx answers without a file

# The files of the folder, and their octets.
FILES = {"small.txt": len(FIXED), "1k.bin": 1 << 10, "64k.bin": 64 << 10, "1m.bin": 1 << 20}

# More connections than any run opens; each takes a descriptor.
CONNECTIONS = 16384

NGINX_CONF = """\
daemon off;
user {user} {group};
pid {dir}/nginx.pid;
error_log {dir}/error.log crit;
worker_processes 1;
worker_rlimit_nofile {files};
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  types {{ text/plain txt; application/octet-stream bin; }}
  sendfile on;
  tcp_nopush off;
  open_file_cache max=1000 inactive=600s;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  server {{
    listen 127.0.0.1:{port};
    root {root};
    location = /fixed {{ return 200 "hello world\\n"; }}
  }}
}}
"""

LIGHTTPD_CONF = """\
server.document-root = "{root}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{dir}/error.log"
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 600
server.max-connections = {connections}
server.max-fds = {files}
mimetype.assign = ( ".txt" => "text/plain", ".bin" => "application/octet-stream" )
"""

H2O_CONF = """\
user: {user}
num-threads: 1
max-connections: {connections}
pid-file: {dir}/h2o.pid
error-log: {dir}/error.log
http1-request-timeout: 600
temp-buffer-path: {dir}
hosts:
  default:
    listen:
      host: 127.0.0.1
      port: {port}
    paths:
      "/":
        file.dir: {root}
"""

Prepare = Callable[[Places, Path, dict[str, str]], list[str]]


@dataclass(frozen=True)
class Server:
    """A kind of server; `prepare` writes its configuration and gives its command line."""

    name: str
    prepare: Prepare
    version_args: tuple[str, ...]

    def command(self, places: Places, work: Path, port: int) -> list[str]:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        files = os.sysconf("SC_OPEN_MAX")
        values = {
            "port": str(port),
            "dir": str(work),
            "root": str(folder(places)),
            "user": pwd.getpwuid(os.geteuid()).pw_name,
            "group": grp.getgrgid(os.getegid()).gr_name,
            "files": str(files),
            "connections": str(min(CONNECTIONS, files - 512)),
        }
        return self.prepare(places, work, values)

    def version(self, places: Places) -> str:
        program = self.command(places, places.work("http-version"), 1)[0]
        done = subprocess.run(
            [program, *self.version_args], env=places.environment(), capture_output=True, text=True, check=False
        )
        return next((line.strip() for line in (done.stdout + done.stderr).splitlines()), "unknown")


def nginx(places: Places, work: Path, values: dict[str, str]) -> list[str]:
    conf = peers.write(work / "nginx.conf", NGINX_CONF, values)
    return [str(places.tool("nginx")), "-p", str(work), "-e", str(work / "error.log"), "-c", str(conf)]


def lighttpd(places: Places, work: Path, values: dict[str, str]) -> list[str]:
    conf = peers.write(work / "lighttpd.conf", LIGHTTPD_CONF, values)
    return [str(places.tool("lighttpd")), "-D", "-m", str(places.peers / "usr/lib/lighttpd"), "-f", str(conf)]


def h2o(places: Places, work: Path, values: dict[str, str]) -> list[str]:
    conf = peers.write(work / "h2o.conf", H2O_CONF, values)
    return [str(places.tool("h2o")), "-m", "worker", "-c", str(conf)]


def ours(places: Places, work: Path, values: dict[str, str]) -> list[str]:
    program = places.build / "bin" / "mrg-http"
    if not program.exists():
        raise Absent(f"{program}: not built; run `make`")
    listen = f"127.0.0.1:{values['port']}"
    return [str(program), "--listen", listen, "--root", values["root"], "--workers", "1", "--user", values["user"]]


SERVERS = {
    s.name: s
    for s in (
        Server("mrg-http", ours, ("--version",)),
        Server("nginx", nginx, ("-v",)),
        Server("h2o", h2o, ("--version",)),
        Server("lighttpd", lighttpd, ("-v",)),
    )
}


def folder(places: Places) -> Path:
    """What is served; made when it isn't there."""
    root = places.data / "site"
    root.mkdir(parents=True, exist_ok=True)
    for name, size in FILES.items():
        path = root / name
        if not path.exists() or path.stat().st_size != size:
            path.write_bytes(FIXED if size == len(FIXED) else bytes(i * 31 % 251 for i in range(size)))
    return root


def get(port: int, path: str) -> Optional[bytes]:
    """The body of a 200, or nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        return body if response.status == 200 else None
    except OSError:
        return None
    finally:
        connection.close()


def start(places: Places, server: Server, work: Path, core: Optional[int]) -> Running:
    """Start a server on `core`, and see that it serves every file as it is."""
    port = peers.free_port(tcp=True)
    command = server.command(places, work, port)
    running = peers.launch(
        places, server.name, command, work, port, core, lambda: get(port, "/small.txt") is not None
    )
    for name in FILES:
        if get(port, f"/{name}") != (folder(places) / name).read_bytes():
            running.stop()
            raise Absent(f"{server.name}: {name} is not served as it is")
    return running

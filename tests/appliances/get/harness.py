"""Running mrg-get, and servers for it to ask."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from running import BUILD, PATIENCE_S, ROOT, Failure, Files, Running, check, equal, main  # noqa: E402

__all__ = ["BUILD", "PATIENCE_S", "ROOT", "Failure", "Files", "Got", "Nginx", "Scripted", "Server", "check", "equal", "get", "main", "read_heads"]


@dataclass(frozen=True)
class Got:
    code: int
    out: bytes
    err: str


def get(*args: object, cwd: Path | None = None, stdout: int | None = None) -> Got:
    """mrg-get to its end. Whatever goes wrong is one line, and only then there is one."""
    done = subprocess.run([str(BUILD / "bin" / "mrg-get"), *map(str, args)], stdin=subprocess.DEVNULL, cwd=cwd, timeout=PATIENCE_S,
                          stdout=subprocess.PIPE if stdout is None else stdout, stderr=subprocess.PIPE)
    err = done.stderr.decode()
    if done.returncode not in (0, 1, 2):  # several statuses may be said of, and getopt says two lines at times
        check(err.startswith("mrg-get: ") and err.count("\n") == 1, f"{args}: {err}")
    check((err == "") == (done.returncode == 0), f"{args}: {done.returncode}: {err}")
    return Got(done.returncode, done.stdout or b"", err)


Head = tuple[int, dict[str, str]]


def read_head(head: bytes) -> Head:
    lines = head.decode("latin-1").split("\r\n")
    check(lines[0].startswith("HTTP/1."), lines[0])
    return int(lines[0].split(" ")[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:])}


def read_heads(out: bytes) -> list[Head]:
    """What -I writes."""
    check(out.endswith(b"\r\n\r\n"), repr(out[-40:]))
    return [read_head(head) for head in out.split(b"\r\n\r\n")[:-1]]


class Server(Running):
    """mrg-http."""

    program = "mrg-http"

    def __enter__(self) -> Server:
        return self

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


CONFIG = """daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events {{}}
http {{
  access_log access.log;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 0;
  types {{ text/html html; text/plain txt; }}
  server {{
    listen 127.0.0.1:{port};
    root {root};
    {server}
  }}
}}
"""


class Nginx:
    """On a port that nobody else has; `server` is what the configuration says of it."""

    def __init__(self, files: Files, server: str) -> None:
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        check(program is not None, "nginx is installed (make deps)")
        self.root = files.path / "root"
        while True:
            self.port = random.randrange(10_000, 30_000)  # below those that the kernel gives to clients meanwhile
            files.write("nginx/nginx.conf", CONFIG.format(port=self.port, root=self.root, server=server))
            if self._start(str(program), files.path / "nginx"):
                return

    def _start(self, program: str, place: Path) -> bool:
        """False: somebody has the port."""
        self.process = subprocess.Popen([program, "-p", str(place), "-c", "nginx.conf", "-e", "stderr"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=place)
        assert self.process.stderr is not None
        said = b""
        for line in self.process.stderr:  # its sockets are open when it says this
            said += line
            if b"event method" in line:
                self.reader = threading.Thread(target=self.process.stderr.read, daemon=True)
                self.reader.start()
                return True
            if b"Address already in use" in line:
                self.process.kill()
                self.process.wait()
                return False
        raise Failure(f"nginx: {said.decode()}")

    def __enter__(self) -> Nginx:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


class Scripted:
    """A server that says what it was told to, whatever it is asked: for each connection a list of answers, one a request, and then the end.
    `None` in place of an answer waits for the client to end the connection, and b"" ends it by a reset."""

    def __init__(self, *connections: list[bytes | None]) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.script = connections
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        for answers in self.script:
            try:
                connection, _ = self.listener.accept()
                connection.settimeout(PATIENCE_S)
                with connection:
                    for answer in answers:
                        self._answer(connection, answer)
            except OSError:  # the client went first, or the test is over
                pass

    def _answer(self, connection: socket.socket, answer: bytes | None) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            more = connection.recv(65536)
            if not more:
                return
            request += more
        self.requests.append(request)
        if answer is None:
            while connection.recv(65536):
                pass
        elif answer == b"":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        else:
            connection.sendall(answer)

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

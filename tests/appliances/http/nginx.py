"""nginx on a socket in a folder of its own, for tests in which it is a proxy or a peer."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path

from harness import PATIENCE_S, Failure, Files, check

CONFIG = """daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
"""


class Nginx:
    """Until the end of a `with`. http: what follows in its block of that name; it listens on unix:front."""

    def __init__(self, files: Files, name: str, http: str) -> None:
        self.place: Path = files.path / name
        self.front = self.place / "front"
        files.write(f"{name}/nginx.conf", CONFIG + http + "}\n")
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        check(program is not None, "nginx is installed (make deps)")
        self.process = subprocess.Popen([str(program), "-p", str(self.place), "-c", "nginx.conf", "-e", "stderr"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.place)
        assert self.process.stderr is not None
        said = b""
        for line in self.process.stderr:  # its sockets are open when it says this
            said += line
            if b"event method" in line:
                break
        else:
            raise Failure(f"nginx: {said.decode()}")
        self.reader = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.reader.start()

    def __enter__(self) -> Nginx:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def ask(self, octets: bytes) -> bytes:
        """All that comes of these octets and then the end of our half."""
        got = b""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(PATIENCE_S)
            s.connect(str(self.front))
            try:
                s.sendall(octets)
                s.shutdown(socket.SHUT_WR)
            except OSError:  # it has refused what it has
                pass
            try:
                while piece := s.recv(1 << 18):
                    got += piece
            except ConnectionResetError:
                pass
        return got

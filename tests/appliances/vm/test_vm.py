#!/usr/bin/env python3
"""`make image` and `make run SCALE=`: images with what they serve in them, started by hand and by the one command."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "runtime" / "vm")]
from qemu import TIMEOUT_S  # noqa: E402
from report import BUILD, OUT, Report, make, run  # noqa: E402
from test_card import Machine, free_port  # noqa: E402

NET = "ip=10.0.2.15/24 gw=10.0.2.2"
ZONE = "@ 3600 IN SOA ns1 hostmaster 1 2 3 4 5\n@ IN NS ns1\nns1 IN A 192.0.2.{}\n"


def image(folder: str, *words: str, name: str = "mrg-dns") -> subprocess.CompletedProcess[str]:
    return make("vm-image", f"IMAGE={name}", f"IMAGE_DIR={folder}", f"O={OUT}", *words)


def dig(port: int, name: str) -> str:
    command = ["dig", "@127.0.0.1", "-p", str(port), "+time=5", "+tries=6", "+short", name]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout.strip()


class Linked(Machine):
    """As a Machine, but with an image that was just made."""

    def __init__(self, file: Path, words: str, more: tuple[str, ...] = ()) -> None:
        super().__init__(words, name="mrg-dns", port=53, more=more)
        self.command[self.command.index("-kernel") + 1] = str(file)


def check_image(report: Report, folder: str) -> None:
    zone, other = Path(folder, "a.zone"), Path(folder, "b.zone")
    zone.write_text(ZONE.format(1), encoding="ascii")
    other.write_text(ZONE.format(2), encoding="ascii")
    done = image(folder, f"ZONE=example.net={zone}", f"WORDS=log=info {NET}")
    file = Path(folder, "mrg-dns-x86_64.elf")
    if not report.check("an image is made", done.returncode == 0 and file.exists(), done.stdout):
        return
    with Linked(file, "") as m:
        m.until("ready")
        report.check("its zone", dig(m.udp, "ns1.example.net") == "192.0.2.1", m.text)
    stored = Path(folder, "b.stored")
    done = run(ROOT / BUILD / "bin" / "mrg-dns", "--zone", f"example.com={other}", "--store", stored)
    if not report.check("a zone is stored", done.returncode == 0, done.stdout):
        return
    with Linked(file, NET, ("-initrd", str(stored))) as m:
        m.until("ready")
        report.check("another zone by initrd", dig(m.udp, "ns1.example.com") == "192.0.2.2", m.text)
        report.check("and not its own", dig(m.udp, "ns1.example.net") == "", m.text)
    octets = stored.read_bytes()
    for what, data in (("cut", octets[:-1]), ("empty of all but its head", octets[:64]), ("changed", octets[:99] + b"?" + octets[100:]),
                       ("longer", octets + b"more"), ("text", other.read_bytes())):
        stored.write_bytes(data)
        with Linked(file, NET, ("-initrd", str(stored))) as m:
            report.check(f"a zone that is {what} is refused", m.until("no_zone").of("no_zone") != {} and m.process.wait() == 3, m.text)


def take_interrupts() -> None:
    """What a shell runs in the background has them ignored, and a shell in it can't trap them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def check_run(report: Report, folder: str) -> None:
    """What `make run SCALE=vm` starts when it has made the images."""
    zone, pages = Path(folder, "run.zone"), Path(folder, "pages")
    pages.mkdir()
    (pages / "index.html").write_text("here", encoding="ascii")
    zone.write_text(ZONE.format(3), encoding="ascii")
    made = [image(folder, f"ZONE=example.net={zone}"), image(folder, f"ROOT={pages}", name="mrg-http")]
    if not report.check("both images are made", all(m.returncode == 0 for m in made), made[0].stdout + made[1].stdout):
        return
    dns, http = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_STREAM)
    command = [ROOT / "mk" / "run.sh", "bin", f"127.0.0.1:{dns}", f"example.net={zone}", "", f"127.0.0.1:{http}", pages, "", "vm", folder,
               OUT / "vm" / "x86_64" / "hello.elf"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          start_new_session=True, preexec_fn=take_interrupts) as run_sh:
        watchdog = threading.Timer(TIMEOUT_S, os.killpg, (run_sh.pid, signal.SIGKILL))
        watchdog.start()
        assert run_sh.stdout is not None
        text, ready = "", 0
        while ready < 2 and (line := run_sh.stdout.readline()):
            text += line
            ready += "event=ready" in line
        report.check("a zone is served", dig(dns, "ns1.example.net") == "192.0.2.3", text)
        got = run("curl", "-sS", "--retry", "5", "--max-time", "30", f"http://127.0.0.1:{http}/").stdout
        report.check("a page is served", got == "here", got + text)
        report.check("it is told how to ask", f"dig @127.0.0.1 -p {dns} example.net" in text and "accelerator" in text, text)
        os.killpg(run_sh.pid, signal.SIGINT)
        text += run_sh.stdout.read()
        status = run_sh.wait()
        report.check("it ends by Ctrl-C", status == 0, f"{status}\n{text}")
        watchdog.cancel()


def check_refusals(report: Report) -> None:
    for words, why in ((("APP=nothing",), "is one of"), ((), "is one of"), (("APP=dns", "ZONE=example.org=/nonexistent"), "/nonexistent")):
        done = make("image", f"O={OUT}", *words)
        report.check(f"make image {' '.join(words)}", done.returncode != 0 and why in done.stdout, done.stdout)
    done = make("run", f"O={OUT}", "SCALE=moon")
    report.check("make run SCALE=moon", done.returncode != 0 and "one of: process tap vm" in done.stdout, done.stdout)


def main() -> int:
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        check_image(report, folder)
        check_run(report, folder)
    check_refusals(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

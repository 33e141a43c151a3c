#!/usr/bin/env python3
"""What the README promises: `make run` serves the sample zone and the reference until Ctrl-C, `make help` lists the goals, links lead
somewhere."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from report import OUT, ROOT, Report, clean_environment, make, run  # noqa: E402

GOALS = ["run", "docs", "test", "bench", "lint", "format", "deps", "bench-deps", "clean", "dist", "install", "uninstall", "help"]
LINK = re.compile(r"\[[^\]]*\]\(([^)#:]+)(?:#[^)]*)?\)")
ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
START_S = 300  # it may have to build first


def free_port() -> int:
    """A port that neither UDP nor TCP uses now, below those that the kernel gives to clients meanwhile."""
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def answer(port: int) -> str:
    return run("dig", "+short", "+time=1", "+tries=1", "@127.0.0.1", "-p", port, "www.example.org").stdout.strip()


def fetch(url: str) -> str:
    return run("curl", "-sS", "--max-time", 5, "--retry", 20, "--retry-connrefused", "--retry-delay", 1, url).stdout


def check_make_run(report: Report) -> None:
    port, http, *metrics = (free_port() for _ in range(4))
    command = [os.environ.get("MAKE", "make"), "run", f"DNS_LISTEN=127.0.0.1:{port}", f"HTTP_LISTEN=127.0.0.1:{http}",
               f"DNS_METRICS=127.0.0.1:{metrics[0]}", f"HTTP_METRICS=127.0.0.1:{metrics[1]}", f"O={OUT}"]
    server = subprocess.Popen(command, cwd=ROOT, env=clean_environment(), text=True, start_new_session=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + START_S
        got = ""
        while time.monotonic() < end and server.poll() is None and not ADDRESS.fullmatch(got):
            time.sleep(0.1)
            got = answer(port)
        report.check("make run, then dig, answers", ADDRESS.fullmatch(got) is not None, got)
        page = fetch(f"http://127.0.0.1:{http}/")
        report.check("the reference is served", "<title>Morgana protocol reference</title>" in page, page)
        sources = json.loads(fetch(f"http://127.0.0.1:{http}/sources.json"))
        for source in sources:
            figures = fetch(f"http://127.0.0.1:{source['port']}/metrics")
            report.check(f"the status page finds {source['name']}", f"\nmrg_{source['kind']}_" in figures, figures)
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGINT)  # what Ctrl-C does: the whole foreground group
        output, _ = server.communicate(timeout=20)
        report.check("it printed where the pages are", f"http://127.0.0.1:{http}/status.html" in output, output)
        report.check("it printed the dig line", f"dig @127.0.0.1 -p {port} www.example.org" in output, output)
        report.check("Ctrl-C ends it, and the ports are free again", port_is_free(port) and port_is_free(http), output)
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def port_is_free(port: int) -> bool:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended may linger
        try:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def check_links(report: Report) -> None:
    pages = [p for p in ROOT.rglob("*.md") if not {"build", "generated", ".git"} & set(p.relative_to(ROOT).parts)]
    dead = [f"{p.relative_to(ROOT)}: {link}" for p in pages for link in LINK.findall(p.read_text())
            if not link.startswith("<") and not (p.parent / link).exists()]
    report.none(f"links between pages lead somewhere ({len(pages)} pages)", dead)


def check_folders(report: Report) -> None:
    """Every folder that holds hand-written parts says what lives there."""
    wanted = [p for p in ROOT.glob("*/") if p.is_dir() and p.name not in {"build", "bin", "generated"} and p.name[0] != "."]
    wanted += [p for p in [*ROOT.glob("protocols/*/"), *ROOT.glob("appliances/*/")] if p.is_dir()]
    report.none("every folder has a README.md", [str(p.relative_to(ROOT)) for p in wanted if not (p / "README.md").exists()])


def main() -> int:
    report = Report()
    text = make("help").stdout
    report.none("make help lists every goal", [g for g in GOALS if not re.search(rf"^  make {g}\b", text, re.M)])
    check_links(report)
    check_folders(report)
    check_make_run(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""mrg-http that has locked itself in, on the kernel's sockets: archives, the access log of many workers, bad clients, signals, its end."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import test_bad_clients as bad_clients  # noqa: E402
import test_bad_input as bad_input  # noqa: E402
from harness import INDEX, LETTERS, Files, Server, check, client, equal, request, run, run_program, small_site, until  # noqa: E402
from sandboxed import check_locked_in, main  # noqa: E402

CALLS = 9  # by TCP of the kernel's; see runtime/README.md


def archive(folder: str) -> str:
    packed = folder.rstrip("/") + ".mrg"
    equal(run_program("mrg-pack", folder, packed).returncode, 0, "mrg-pack")
    return packed


class LockedIn(Server):
    """It serves the files of its folder out of an archive."""

    def __init__(self, *args: str, **more: Any) -> None:
        place = args.index("--root")
        self.packed = Path(archive(args[place + 1]))
        super().__init__(*args[:place], "--archive", str(self.packed), *args[place + 2:], "--sandbox", **more)

    def __exit__(self, *what: Any) -> None:
        super().__exit__(*what)
        self.packed.unlink()


bad_clients.Server = LockedIn  # type: ignore[misc]
bad_input.Server = LockedIn  # type: ignore[misc]


def test_files() -> None:
    with Files() as files:
        files.write("long", bad_clients.LONG)
        with LockedIn("--root", small_site(files), "--error-page", "404=page.html") as server:
            check_locked_in(server, CALLS)
            check(client("curl", "-sS", "--noproxy", "*", server.url("/long")).stdout == bad_clients.LONG, "a long file")
            equal(server.get("/").body, INDEX, "the index")
            equal(server.get("/letters.txt", "Range: bytes=26-51").body, LETTERS[26:52], "a range")
            equal(server.get("/nothing").status, 404, "no such file")
            equal(server.get("/../../etc/passwd").status, 404, "above the root")
            equal(server.end(), 0, "exit status")
            check("event=stopped" in server.lines[-1], server.lines[-1])


def test_many_workers_and_their_access_log() -> None:
    """They wait for each other to write lines: one system call more."""
    with Files() as files, Files() as logs:
        path = logs.path / "log"
        with path.open("wb") as log:
            server = LockedIn("--root", small_site(files), "--access-log", "combined", "--workers", "3", "--metrics", "127.0.0.1:0",
                              listen=("127.0.0.1:0", "[::1]:0"), stdout=log)
        with server:
            check_locked_in(server, CALLS + 1)
            for i in range(60):
                with server.connection(i % 2) as c:
                    equal(c.ask(request("GET", f"/letters.txt?{i}")).body, LETTERS, "a file")
            until(lambda: path.read_bytes().count(b"\n") >= 60, "60 lines")
            check(server.figures()["mrg_http_connections"] >= 0, "figures")
            equal(server.end(signal.SIGINT), 0, "exit status")
        lines = path.read_text().splitlines()
        equal(sorted(line.split()[6] for line in lines), sorted(f"/letters.txt?{i}" for i in range(60)), "targets")
        equal({line.split()[0] for line in lines}, {"127.0.0.1", "::1"}, "who it was")


def test_what_it_can_no_more_it_says() -> None:
    with Files() as files, LockedIn("--root", small_site(files)) as server:
        server.reload("event=reload_refused why=sandbox")
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for("event=record_nothing")
        equal(server.get("/").body, INDEX, "the index")


def test_folders_are_refused() -> None:
    with Files() as files:
        site = small_site(files)
        packed = archive(site)
        for args in (("--root", site), ("--archive", packed, "--vhost", f"b.example={site}")):
            done = run("--listen", "127.0.0.1:0", *args, "--sandbox")
            equal(done.returncode, 1, "exit status")
            check(f"--sandbox: {site}: a folder" in done.stderr, done.stderr)
        Path(packed).unlink()


def test_by_a_configuration() -> None:
    with Files() as files, Files() as more:
        packed = archive(small_site(files))
        conf = more.write("conf", f'archive "{packed}"\nsandbox\n')
        with Server("--config", str(conf)) as server:
            check_locked_in(server, CALLS)
            equal(server.get("/").body, INDEX, "the index")
        Path(packed).unlink()


# Bad input and bad clients, as those that are not locked in have them.
ALL = {**{name: test for bad in (bad_input, bad_clients) for name, test in vars(bad).items() if name.startswith("test_")}, **globals()}

if __name__ == "__main__":
    sys.exit(main("mrg-http", ALL))

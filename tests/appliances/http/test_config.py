#!/usr/bin/env python3
"""The configuration file: the same options as on the command line, faults with their place, and what a reload makes of it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import Files, Server, check, equal, main, run_program, small_site  # noqa: E402


def configuration(files: Files, *lines: str) -> str:
    return str(files.write("mrg.conf", "".join(line + "\n" for line in (f"root {small_site(files)}", *lines))))


def test_options_are_those_of_the_command_line() -> None:
    with Files() as files:
        lines = ('# a comment', "", 'cache *.txt "max-age=60, public"   # another', "index letters.txt", "error-page 404 page.html",
                 f'vhost other.example "{files.path}/sub"')
        with Server("--config", configuration(files, *lines)) as server:
            equal(server.get("/letters.txt").get("Cache-Control"), "max-age=60, public")
            check(server.get("/").body.startswith(b"abc"), "the index is letters.txt")
            missing = server.get("/nowhere")
            equal((missing.status, missing.body[:12]), (404, b"<p>plain</p>"))
            equal(server.ask("GET", "http://other.example/index.html").body, b"<title>sub</title>\n")


def faults(files: Files, *lines: str) -> list[str]:
    """What is said of the lines behind the first."""
    path = configuration(files, *lines)
    done = run_program("mrg-http", "--check", "--config", path)
    equal(done.returncode, 1 if done.stderr else 0)
    return [line.removeprefix(path + ":") for line in done.stderr.splitlines()]


def test_each_fault_has_its_place() -> None:
    with Files() as files:
        for line, place, word in (
            ("listn 127.0.0.1:1", "2:1", "did you mean '--listen'"),
            ("  cache a b c", "2:13", "more than a name, a key and a value"),
            ('index "open', "2:7", "the quote has no end"),
            ("index \0", "2:7", "not a character of text"),
            ("listen", "2:1", "needs a value"),
            ("check now", "2:1", "takes no value"),
            ("help", "2:1", "is for command lines"),
            ("config other", "2:1", "one configuration can't name another"),
            ("workers 0", "2:1", "expected a number"),
            ("vhost a", "2:1", "expected NAME=PLACE"),
            ("cache *.css max-age=,=", "2:1", "not a value of Cache-Control"),
            ("error-page 200 index.html", "2:1", "expected STATUS=PATH"),
        ):
            said = faults(files, line)
            equal(len(said), 1, f"{line}: {said}")
            check(said[0].startswith(place + ": ") and word in said[0], f"{line}: {said}")
        several = faults(files, "root /elsewhere", "index ..", "# fine", "user")
        equal([line.split(":")[0] for line in several], ["2", "3", "5"], "all faults in one run")
        equal(faults(files, "index index.html", "cache * no-cache\r"), [])


def test_a_file_that_is_not_there() -> None:
    done = run_program("mrg-http", "--config", "/nonexistent/mrg.conf")
    equal(done.returncode, 2)
    check("/nonexistent/mrg.conf: No such file or directory" in done.stderr, done.stderr)


def test_archives_are_served_and_bad_ones_named() -> None:
    with Files() as files, Files() as other:
        small_site(files)
        packed = other.path / "site.arc"
        equal(run_program("mrg-pack", files.path, packed).returncode, 0)
        packed.chmod(0o644)
        with Server("--archive", str(packed), "--vhost", f"folder.example={files.path}") as server:
            equal(server.get("/letters.txt").body, files.path.joinpath("letters.txt").read_bytes())
            equal(server.get("/sub").status, 301)
            equal(server.get("/nowhere").status, 404)
            equal(server.ask("GET", "http://folder.example/sub/").body, b"<title>sub</title>\n")
            equal(server.get("/letters.txt").get("ETag"), server.ask("GET", "http://folder.example/letters.txt").get("ETag"), "tag of the content")
            server.reload()
            equal(server.get("/sub/").status, 200)
        whole = packed.read_bytes()
        for place, word in ((other.write("cut.arc", whole[:-9]), "not an archive"), (other.path / "none", "No such file"),
                            (other.path, "Is a directory")):
            done = run_program("mrg-http", "--check", "--archive", place)
            equal(done.returncode, 1)
            check(f"{place}: " in done.stderr and word in done.stderr, done.stderr)


def test_reload_takes_a_good_one_and_keeps_to_the_old_one_otherwise() -> None:
    with Files() as files:
        with Server("--config", configuration(files, "cache * no-cache"), "--workers", "2") as server:
            for n in range(1, 30):
                configuration(files, f"cache * max-age={n}")
                server.reload()
                for _ in range(4):  # whichever worker it is
                    equal(server.get("/letters.txt").get("Cache-Control"), f"max-age={n}")
            for bad in ("cache", f"vhost x {files.path}/nowhere"):
                configuration(files, bad)
                server.reload("event=reload_failed")
                equal(server.get("/letters.txt").get("Cache-Control"), "max-age=29")
            configuration(files, "listen 127.0.0.1:1")
            server.reload()
            check(any("need_restart" in line for line in server.lines), "addresses stay as they are")
            equal(server.end(), 0)


if __name__ == "__main__":
    sys.exit(main(globals()))

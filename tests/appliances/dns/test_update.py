#!/usr/bin/env python3
"""Dynamic updates by nsupdate and knsupdate, a certificate's dns-01 challenge, and everybody who may not change anything, or says it in a wrong way."""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from harness import ZONE, Files, Server, check, equal, main, run  # noqa: E402
from peers import KEY, ORIGIN, SECRET, Named, dig, free_port, records, wait_for_serial  # noqa: E402
from running import BUILD, PATIENCE_S  # noqa: E402

OTHER = "b3RoZXIgc2VjcmV0IG9mIDE2"
UPDATE, NOTIFY = 5 << 11, 4 << 11


def updated(files: Files, *lines: str) -> tuple[str, ...]:
    files.path.chmod(0o777)
    files.write("a.zone", ZONE).chmod(0o666)
    config = files.write("mrg.conf", f"control {files.path}/control\nkey {KEY} {{\nsecret {SECRET}\n}}\nkey other {{\nsecret {OTHER}\n}}\n"
                                     f"zone {ORIGIN} {{\nfile {files.path}/a.zone\n" + "".join(line + "\n" for line in lines) + "}\n")
    return ("--config", str(config))


def nsupdate(server: Server, *lines: str, key: str = f"hmac-sha256:{KEY} {SECRET}", tcp: bool = False,
             host: str = "127.0.0.1") -> str:
    """What it says: nothing, or why not."""
    text = f"server {host} {server.port}\ncheck-names off\n" + (f"key {key}\n" if key else "") + "".join(line + "\n" for line in lines) + "send\n"
    done = subprocess.run(["nsupdate", *(["-v"] if tcp else [])], input=text, capture_output=True, text=True, timeout=PATIENCE_S)
    return (done.stdout + done.stderr).strip()


def knsupdate(server: Server, *lines: str, tcp: bool = False) -> str:
    """The same by Knot's tool, which has other words for it."""
    text = f"server 127.0.0.1 {server.port}\nzone {ORIGIN}\n" + "".join(line + "\n" for line in lines) + "send\n"
    done = subprocess.run(["knsupdate", "-y", f"hmac-sha256:{KEY}:{SECRET}", *(["-v"] if tcp else [])], input=text,
                          capture_output=True, text=True, timeout=PATIENCE_S)
    return (done.stdout + done.stderr).strip()


def addresses(server: Server, name: str) -> list[str]:
    return sorted(dig(server.port, "+short", name).split())


ALL = f"allow-update {KEY} *.{ORIGIN}"


def test_what_is_changed_is_served_and_kept() -> None:
    with Files() as files:
        arguments = updated(files, ALL)
        with Server(*arguments) as server:
            for tcp in (False, True):
                equal(nsupdate(server, f"update add new{tcp:d}.{ORIGIN} 60 A 192.0.2.99", f"update add new{tcp:d}.{ORIGIN} 60 A 192.0.2.98", tcp=tcp), "")
                equal(addresses(server, f"new{tcp:d}.{ORIGIN}"), ["192.0.2.98", "192.0.2.99"])
            equal(nsupdate(server, f"update delete new0.{ORIGIN} A 192.0.2.98"), "")
            equal(addresses(server, f"new0.{ORIGIN}"), ["192.0.2.99"])
            equal(nsupdate(server, f"prereq nxdomain www.{ORIGIN}", f"update delete www.{ORIGIN}"), "update failed: YXDOMAIN")
            equal(nsupdate(server, f"prereq yxrrset www.{ORIGIN} A", f"update delete www.{ORIGIN} AAAA"), "")
            equal(dig(server.port, "+short", "soa", ORIGIN).split()[2], "11", "each change is a version, what fails is none")
        with Server(*arguments) as server:
            equal(addresses(server, f"new1.{ORIGIN}"), ["192.0.2.98", "192.0.2.99"], "it is in the file")


def test_another_client_changes_as_much() -> None:
    with Files() as files, Server(*updated(files, ALL)) as server:
        for tcp in (False, True):
            equal(knsupdate(server, f"add new{tcp:d}.{ORIGIN}. 60 A 192.0.2.99", f"add new{tcp:d}.{ORIGIN}. 60 A 192.0.2.98", tcp=tcp), "")
            equal(addresses(server, f"new{tcp:d}.{ORIGIN}"), ["192.0.2.98", "192.0.2.99"])
        equal(knsupdate(server, f"del new0.{ORIGIN}. A 192.0.2.98"), "")
        equal(addresses(server, f"new0.{ORIGIN}"), ["192.0.2.99"])
        refused = knsupdate(server, f"nxdomain www.{ORIGIN}.", f"del www.{ORIGIN}.")
        check(refused.endswith("update failed with error 'YXDOMAIN'"), refused)
        equal(knsupdate(server, f"yxrrset www.{ORIGIN}. A", f"del www.{ORIGIN}. AAAA"), "")
        equal(dig(server.port, "+short", "soa", ORIGIN).split()[2], "11", "each change is a version, what fails is none")


def test_the_reply_leaves_by_the_address_that_was_asked() -> None:
    """It comes later than the other replies; whoever has sent to one address takes none from another."""
    with Files() as files, Server(*updated(files, ALL), listen=("0.0.0.0:0",)) as server:
        for host in ("127.0.0.1", "127.0.0.2"):
            equal(nsupdate(server, f"update add new.{ORIGIN} 60 TXT {host}", host=host), "", host)
        equal(sorted(dig(server.port, "+short", "txt", f"new.{ORIGIN}").split()), ['"127.0.0.1"', '"127.0.0.2"'])


def test_a_certificate_authoritys_challenge() -> None:
    """RFC 8555 8.4: the value appears, is looked for at once, and goes again; nothing else can be changed with that key."""
    name = f"_acme-challenge.www.{ORIGIN}"
    with Files() as files, Server(*updated(files, f"allow-update other {name} TXT")) as server:
        key = f"hmac-sha256:other {OTHER}"
        for value in ("first", "second"):
            equal(nsupdate(server, f"update delete {name} TXT", f'update add {name} 60 TXT "{value}"', key=key), "")
            equal(dig(server.port, "+short", "txt", name).strip(), f'"{value}"')
        equal(nsupdate(server, f"update delete {name} TXT", key=key), "")
        equal(wire.read(server.udp(wire.query(name, wire.TXT))).rcode, 3, "the name is gone with its last record")
        for line in (f"update add {name} 60 A 192.0.2.1", f"update add x.{name} 60 TXT x", f"update delete www.{ORIGIN}", f"update delete {name}",
                     f"update add {ORIGIN} 60 TXT x"):
            equal(nsupdate(server, line, key=key), "update failed: REFUSED", line)


def test_strangers_change_nothing() -> None:
    add = f"update add bad.{ORIGIN} 60 A 192.0.2.66"
    with Files() as files, Server(*updated(files, ALL)) as server:
        equal(nsupdate(server, add, key=""), "update failed: REFUSED")
        equal(nsupdate(server, add, key=f"hmac-sha256:other {OTHER}"), "update failed: REFUSED", "a key that may not")
        check("NOTAUTH" in nsupdate(server, add, key=f"hmac-sha256:nobody {OTHER}"), "a key that nobody knows")
        check("NOTAUTH" in nsupdate(server, add, key=f"hmac-sha256:{KEY} {OTHER}"), "another secret")
        check("NOTAUTH" in nsupdate(server, add, key=f"hmac-sha512:{KEY} {SECRET}"), "another algorithm")
        check(f'record="bad.{ORIGIN}. A"' in server.wait_for("event=update"), "which record it is about")
        equal(nsupdate(server, "zone example.net", "update add x.example.net 60 A 192.0.2.1"), "update failed: NOTAUTH")
        equal(addresses(server, f"bad.{ORIGIN}"), [])
        equal(dig(server.port, "+short", "soa", ORIGIN).split()[2], "7")
    with Files() as files, Server(*updated(files)) as server:
        equal(nsupdate(server, add), "update failed: REFUSED", "a zone that nobody may change")


def test_notify_from_strangers_is_refused() -> None:
    message = struct.pack("!6H", 77, NOTIFY, 1, 0, 0, 0) + wire.name(ORIGIN) + struct.pack("!2H", wire.SOA, 1)
    with Files() as files, Server(*updated(files)) as server:
        equal(wire.read(server.udp(message)).rcode, 9, "NOTAUTH: it has no primary")
    with Files() as files:
        config = files.write("mrg.conf", f"zone {ORIGIN} {{\nprimary 192.0.2.1\n}}\n")
        with Server("--config", str(config)) as server:
            for ask in (server.udp, server.tcp):
                equal(wire.read(ask(message)).rcode, wire.REFUSED)
                equal(wire.read(ask(message.replace(b"\x07example", b"\x07another"))).rcode, 9)
                equal(wire.read(ask(message[:-4] + struct.pack("!2H", wire.A, 1))).rcode, wire.NOTIMP)
                equal(wire.read(ask(message[:4] + b"\0\2" + message[6:])).rcode, wire.FORMERR)


def test_broken_updates_are_answered_or_dropped() -> None:
    """Every octet of a good update changed by chance, and every length of it: there is an answer to each, and the zone stays."""
    good = struct.pack("!6H", 7, UPDATE, 1, 0, 1, 0) + wire.name(ORIGIN) + struct.pack("!2H", wire.SOA, 1) + wire.name("x." + ORIGIN) + struct.pack(
        "!HHIH4B", wire.A, 1, 60, 4, 192, 0, 2, 1)
    by_chance = random.Random(1)
    with Files() as files, Server(*updated(files, ALL)) as server:
        equal(wire.read(server.udp(good)).rcode, wire.REFUSED)
        for n in range(2000):
            message = bytearray(good[:by_chance.randrange(12, len(good) + 1)] if n % 2 else good)
            message[by_chance.randrange(3, len(message))] ^= 1 << by_chance.randrange(8)
            message[2] &= 0x7f
            server.udp(bytes(message))
        equal(dig(server.port, "+short", "soa", ORIGIN).split()[2], "7")


def test_the_file_is_whole_when_the_server_is_killed() -> None:
    with Files() as files:
        arguments = updated(files, ALL)
        for round_ in range(5):
            with Server(*arguments) as server:
                done = 0

                def change() -> None:
                    nonlocal done
                    while nsupdate(server, f"update add r{round_}-{done}.{ORIGIN} 60 A 192.0.2.1", tcp=True) == "":
                        done += 1

                changing = threading.Thread(target=change)
                changing.start()
                server.wait_for("event=update")
                server.wait_for("event=update")
                os.kill(server.process.pid, signal.SIGKILL)
                changing.join()
            printed = run("--print", "--zone", f"{ORIGIN}={files.path}/a.zone")
            equal(printed.returncode, 0, printed.stderr)
            check(all(f"r{round_}-{n}.{ORIGIN}. " in printed.stdout for n in range(done)), "what was acknowledged is there")


def test_memory_stays_as_it_is() -> None:
    """What a version no longer needs is given back: with the last who uses it, or when the zone is made compact."""
    with Files() as files, Server(*updated(files, ALL)) as server:

        def change(count: int) -> int:
            lines = "".join(f"update delete m{n % 7}.{ORIGIN} A\nupdate add m{n % 7}.{ORIGIN} 60 A 192.0.2.{n % 250}\nsend\n" for n in range(count))
            equal(nsupdate(server, *lines.rstrip("\n").removesuffix("\nsend").split("\n")), "")
            return server.memory_kib()

        before = change(60)
        after = change(300)
        most = 4096 if "address" in BUILD.name else 1024  # what is remembered and what is garbage are some 100 KiB, but for shadow memory
        check(after < before + most, f"{before} KiB, then {after}")


def test_changes_go_on_to_secondaries() -> None:
    with Files() as files:
        port = free_port()
        with Server(*updated(files, ALL, f"allow-transfer any {KEY}", f"notify 127.0.0.1:{port} {KEY}")) as server, \
                Named(files.path / "named", port, primary=server.port):
            wait_for_serial(port, 7)
            for n in range(8, 20):
                equal(nsupdate(server, f"update add n{n}.{ORIGIN} 60 A 192.0.2.{n}"), "")
            wait_for_serial(port, 19)
            equal(records(port), records(server.port))


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

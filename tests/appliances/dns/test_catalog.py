#!/usr/bin/env python3
"""Catalog zones (RFC 9432): members come and go with knotd, named and nsd as producers, knotd and named as consumers, and by files; what is
broken changes nothing."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import wire  # noqa: E402
from configured import NEW, OLD, Config, key, last_octet, rcode, secondary, zone_text  # noqa: E402
from harness import Files, Server, check, equal, main, run  # noqa: E402
from peers import KEY, SECRET, Knotd, Named, Nsd, Peer, dig, free_port  # noqa: E402
from running import PATIENCE_S, Failure  # noqa: E402

CATALOG = "cat.example"
KEY_BLOCK = (f"key {KEY} {{", f"secret {SECRET}", "}")


def until(what: Callable[[], bool], told: str, patience_s: float = PATIENCE_S) -> None:
    end = time.monotonic() + patience_s
    while not what():
        if time.monotonic() > end:
            raise Failure(told)


def served(server: Server, origin: str) -> bool:
    return server.ask(f"www.{origin}").rcode == 0


def refused(server: Server, origin: str) -> bool:
    return server.ask(f"www.{origin}").rcode == 5


def transferred(server: Server, origin: str) -> str:
    return subprocess.run(["dig", "@127.0.0.1", "-p", str(server.port), "axfr", origin, "+noall", "+answer"], capture_output=True, text=True,
                          timeout=PATIENCE_S).stdout


def catalog_text(serial: int, members: dict[str, str], *lines: str) -> str:
    """By the label of each."""
    return (f"$TTL 0\n@ SOA invalid. invalid. {serial} 3600 600 86400 1\n@ NS invalid.\nversion TXT \"2\"\n"
            + "".join(f"{label}.zones PTR {name}.\n" for label, name in members.items()) + "".join(line + "\n" for line in lines))


# ---- producers of other makes ----


class KnotCatalog(Knotd):
    """It makes the catalog itself, of zones that are its members."""

    members: tuple[str, ...] = ()

    def config(self, port: int, primary: int | None, secondaries: tuple[int, ...]) -> str:
        remote = "".join(f"  - id: p{p}\n    address: 127.0.0.1@{p}\n    key: {KEY}\n" for p in secondaries)
        notify = f"    notify: [{', '.join(f'p{p}' for p in secondaries)}]\n    acl: keyed\n"
        return (f"server:\n    rundir: {self.folder}\n    listen: 127.0.0.1@{port}\n    user: root\nlog:\n  - target: stderr\n    any: info\n"
                f"database:\n    storage: {self.folder}\nkey:\n  - id: {KEY}\n    algorithm: hmac-sha256\n    secret: {SECRET}\n"
                f"remote:\n{remote}acl:\n  - id: keyed\n    key: {KEY}\n    action: transfer\n"
                f"template:\n  - id: member\n    catalog-role: member\n    catalog-zone: {CATALOG}\n    zonefile-load: difference\n{notify}"
                f"zone:\n  - domain: {CATALOG}\n    catalog-role: generate\n{notify}"
                + "".join(f"  - domain: {m}\n    template: member\n    file: {self.folder}/{m}.zone\n" for m in self.members))


class NamedCatalog(Named):
    members: tuple[str, ...] = ()

    def config(self, port: int, primary: int | None, secondaries: tuple[int, ...]) -> str:
        told = "".join(f"127.0.0.1 port {p} key {KEY}; " for p in secondaries)
        return (f'options {{ directory "{self.folder}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; '
                f'pid-file none; session-keyfile none; dnssec-validation no; notify explicit; notify-delay 0; lock-file none; '
                f'allow-transfer {{ key {KEY}; }}; also-notify {{ {told}}}; notify-rate 1000; startup-notify-rate 1000; }};\n'
                f'controls {{ }};\nkey {KEY} {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n'
                + "".join(f'zone {z} {{ type primary; file "{self.folder}/{z}.zone"; }};\n' for z in (CATALOG, *self.members)))


class NsdCatalog(Nsd):
    members: tuple[str, ...] = ()

    def config(self, port: int, primary: int | None, secondaries: tuple[int, ...]) -> str:
        notify = "".join(f"  notify: 127.0.0.1@{p} {KEY}\n" for p in secondaries)
        return (super().config(port, None, secondaries).partition("zone:\n")[0]
                + "".join(f'zone:\n  name: {z}\n  zonefile: "{self.folder}/{z}.zone"\n  provide-xfr: 127.0.0.1 {KEY}\n{notify}'
                          for z in (CATALOG, *self.members)))


def from_producer(make: type[Peer], by_hand: bool) -> None:
    with Files() as files:
        port, own = free_port(), free_port()
        folder, config = files.path / "producer", Config(files)
        folder.mkdir()

        def produce(serial: int, *names: str) -> None:
            make.members = names  # type: ignore[attr-defined]
            for n, name in enumerate(names):
                (folder / f"{name}.zone").write_text(zone_text(serial + n))
            if by_hand:
                (folder / f"{CATALOG}.zone").write_text(catalog_text(serial, {f"u{name[0]}": name for name in names}))

        produce(10, "a.example", "b.example")
        head, here = (f"listen 127.0.0.1:{own}", *KEY_BLOCK), (f"zone {CATALOG} {{", f"primary 127.0.0.1:{port} {KEY}")
        with make(folder, port, secondaries=(own,)) as peer, Server(*config.write(*head, *here, "catalog", "}"), listen=()) as server:
            until(lambda: (last_octet(server, "a.example"), last_octet(server, "b.example")) == (10, 11), "both members")
            check(f" primary 127.0.0.1:{port} catalog {CATALOG}\n" in config.ctl("status").stdout, "status tells of the catalog")
            produce(20, "b.example", "c.example", "d.example")
            (folder / "config").write_text(peer.config(port, None, (own,)))
            peer.reload(expect="")
            until(lambda: served(server, "c.example") and served(server, "d.example") and refused(server, "a.example"), "others")
            until(lambda: last_octet(server, "b.example") == 20, "a member has changed")
            equal(rcode(server, f"version.{CATALOG}"), 5, "nobody is told what it lists")
            equal(transferred(server, "b.example").count("SOA"), 0)
            config.write(*head, "template t {", "allow-transfer any", "}", *here, "catalog t", "}")
            server.reload()
            equal(transferred(server, "b.example").count("SOA"), 2, "members are as the configuration says now")
            equal(transferred(server, CATALOG).count("SOA"), 0)


def test_knotd_generates_a_catalog() -> None:
    from_producer(KnotCatalog, by_hand=False)


def test_named_has_one_written_by_hand() -> None:
    from_producer(NamedCatalog, by_hand=True)


def test_nsd_has_one_written_by_hand() -> None:
    """It takes up no zones of a configuration that it reads again, so that all of them are there from the beginning."""
    with Files() as files:
        port, own = free_port(), free_port()
        folder, config = files.path / "producer", Config(files)
        folder.mkdir()
        NsdCatalog.members = ("a.example", "b.example")
        for n, name in enumerate(NsdCatalog.members):
            (folder / f"{name}.zone").write_text(zone_text(10 + n))
        (folder / f"{CATALOG}.zone").write_text(catalog_text(1, {"x": "a.example"}))
        with NsdCatalog(folder, port, secondaries=(own,)) as peer, Server(
                *config.write(f"listen 127.0.0.1:{own}", *KEY_BLOCK, f"zone {CATALOG} {{", f"primary 127.0.0.1:{port} {KEY}", "catalog", "}"),
                listen=()) as server:
            until(lambda: served(server, "a.example"), "a member")
            (folder / f"{CATALOG}.zone").write_text(catalog_text(2, {"y": "b.example"}))
            peer.reload(expect="")
            until(lambda: served(server, "b.example") and refused(server, "a.example"), "the other one")


# ---- consumers of other makes ----


class NamedConsumer(Named):
    def config(self, port: int, primary: int | None, secondaries: tuple[int, ...]) -> str:
        primaries = f"primaries {{ 127.0.0.1 port {primary} key {KEY}; }}"
        return (f'options {{ directory "{self.folder}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; '
                f'pid-file none; session-keyfile none; dnssec-validation no; notify no; lock-file none; serial-query-rate 1000; '
                f'catalog-zones {{ zone "{CATALOG}" default-{primaries} zone-directory "{self.folder}" min-update-interval 1; }}; }};\n'
                f'controls {{ }};\nkey {KEY} {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n'
                f'zone {CATALOG} {{ type secondary; {primaries}; file "{self.folder}/catalog"; }};\n')


class KnotConsumer(Knotd):
    def config(self, port: int, primary: int | None, secondaries: tuple[int, ...]) -> str:
        kept = f"    master: primary\n    acl: keyed\n    storage: {self.folder}\n"
        return (f"server:\n    rundir: {self.folder}\n    listen: 127.0.0.1@{port}\n    user: root\nlog:\n  - target: stderr\n    any: info\n"
                f"database:\n    storage: {self.folder}\nkey:\n  - id: {KEY}\n    algorithm: hmac-sha256\n    secret: {SECRET}\n"
                f"remote:\n  - id: primary\n    address: 127.0.0.1@{primary}\n    key: {KEY}\n"
                f"acl:\n  - id: keyed\n    key: {KEY}\n    action: notify\ntemplate:\n  - id: member\n{kept}"
                f"zone:\n  - domain: {CATALOG}\n{kept}    catalog-role: interpret\n    catalog-template: member\n")


def to_consumer(make: type[Peer]) -> None:
    """A catalog that we serve is a zone like others: its members come, change, begin anew and go there as it says."""
    with Files() as files:
        port, own = free_port(), free_port()
        config = Config(files)
        names = ("a.example", "b.example", "c.example")
        told = ("allow-transfer any " + KEY, f"notify 127.0.0.1:{port} {KEY}", "}")

        def produce(serial: int, members: dict[str, str]) -> None:
            files.write(f"{CATALOG}.zone", catalog_text(serial, members, 'group.ua.zones TXT "one"', 'own.ext.ub.zones TXT "passed over"'))

        def version(origin: str) -> str:
            return dig(port, "+short", f"www.{origin}", "A").strip()

        def is_refused(origin: str) -> bool:
            return "status: REFUSED" in dig(port, f"www.{origin}", "A")

        produce(1, {"ua": names[0], "ub": names[1]})
        lines = [line for i, name in enumerate(names) for line in (*config.zone(name, 10 + i)[:2], *told)]
        with Server(*config.write(f"listen 127.0.0.1:{own}", *KEY_BLOCK, *lines, f"zone {CATALOG} {{", f"file {files.path}/{CATALOG}.zone", *told),
                    listen=()) as server, make(files.path / "consumer", port, primary=own):
            until(lambda: (version(names[0]), version(names[1])) == ("192.0.2.10", "192.0.2.11"), "both members", 2 * PATIENCE_S)
            check(is_refused(names[2]), "and no other")
            config.zone(names[1], 21)
            produce(2, {"ub": names[1], "uc": names[2]})
            server.reload()
            until(lambda: is_refused(names[0]), "one is gone", 2 * PATIENCE_S)
            until(lambda: (version(names[1]), version(names[2])) == ("192.0.2.21", "192.0.2.12"), "one has changed, one is there", 2 * PATIENCE_S)
            config.zone(names[2], 5)
            produce(3, {"ub": names[1], "another": names[2]})
            server.reload()
            until(lambda: version(names[2]) == "192.0.2.5", "another label: an older version is taken", 2 * PATIENCE_S)


def test_named_serves_what_ours_lists() -> None:
    to_consumer(NamedConsumer)


def test_knotd_serves_what_ours_lists() -> None:
    to_consumer(KnotConsumer)


# ---- by files ----


class Farm:
    """Two primaries that have zones of the same names, and a consumer whose catalogs are files."""

    def __init__(self, files: Files, *names: str) -> None:
        self.files = files
        self.configs = [Config(files, f"primary{i}") for i in (0, 1)]
        self.own = Config(files)
        (files.path / "0").mkdir()
        (files.path / "1").mkdir()
        self.names = names
        self.primaries = [self.primary(i) for i in (0, 1)]

    def primary(self, i: int) -> Server:
        lines = [line for name in self.names for line in
                 (f"zone {name} {{", f"file {self.files.path}/{i}/{name}.zone", "allow-transfer any", "}")]
        for name in self.names:
            self.files.write(f"{i}/{name}.zone", zone_text(100 * (i + 1)))
        return Server(*self.configs[i].write(*lines))

    def templates(self) -> tuple[str, ...]:
        return tuple(line for i, p in enumerate(self.primaries)
                     for line in (f"template t{i} {{", f"primary 127.0.0.1:{p.port}", "}"))

    def catalog(self, name: str, template: str, *lines: str) -> tuple[str, ...]:
        return (f"zone {name} {{", f"file {self.files.path}/{name}.zone", f"catalog {template}", *lines, "}")

    def list(self, server: Server, name: str, text: str) -> None:
        """Another version of a catalog, once it has been looked at."""
        self.files.write(f"{name}.zone", text)
        equal(self.own.ctl("reload", name).stderr, "")
        until(lambda: self.seen(server, name, int(text.split()[6])), f"{name} was not read")

    @staticmethod
    def seen(server: Server, name: str, serial: int) -> bool:
        row = f"catalog={name}. serial={serial} "
        if not any(row in line + " " for line in server.lines):
            server.wait_for(row.rstrip())
        return True

    def __enter__(self) -> Farm:
        return self

    def __exit__(self, *_: object) -> None:
        for p in self.primaries:
            p.kill()


def test_what_is_broken_changes_nothing() -> None:
    with Files() as files, Farm(files, "a.example", "b.example") as farm:
        files.write("one.zone", catalog_text(1, {"x": "a.example"}))
        with Server(*farm.own.write(*farm.templates(), *farm.catalog("one", "t0"))) as server:
            until(lambda: served(server, "a.example"), "the member")
            good = catalog_text(2, {"y": "b.example"})
            for n, (text, why) in enumerate((
                    (good.replace("version TXT", "vers TXT"), "no TXT record with its version"),
                    (good.replace('TXT "2"', 'TXT "1"'), "a version that is not 2"),
                    (good + 'version TXT "3"\n', "more than one TXT record with its version"),
                    (good + "y.zones PTR a.example.\n", "more than one PTR record for a member"),
                    (good + "z.zones PTR B.example.\n", "two members are the same zone"),
                    (good + "coo.y.zones PTR p.\ncoo.y.zones PTR q.\n", "more than one PTR record for a change of ownership"))):
                farm.list(server, "one", text.replace(" 2 3600 ", f" {n + 2} 3600 "))
                check(any("event=catalog_broken" in line and why in line for line in server.lines), why)
                equal((served(server, "a.example"), refused(server, "b.example")), (True, True), why)
            farm.list(server, "one", good.replace(" 2 3600 ", " 20 3600 ") + 'unknown.y.zones TXT "1"\nother A 192.0.2.1\ny.zones TXT "2"\n')
            until(lambda: served(server, "b.example") and refused(server, "a.example"), "what is unknown is passed over")


def test_check_tells_of_a_broken_one() -> None:
    with Files() as files:
        config = Config(files)
        arguments = config.write("template t {", "primary 192.0.2.1", "}", "zone one {", f"file {files.path}/one.zone", "catalog t", "}")
        for text, code in ((catalog_text(1, {"x": "a.example"}), 0), (catalog_text(1, {"x": "a.example", "y": "a.example"}), 1)):
            files.write("one.zone", text)
            done = run("--check", *arguments)
            equal((done.returncode, done.stderr), (code, f"{files.path}/one.zone: error: catalog: two members are the same zone\n" * code))


def test_another_label_begins_the_zone_anew() -> None:
    with Files() as files, Farm(files, "a.example") as farm:
        files.write("one.zone", catalog_text(1, {"x": "a.example"}))
        with Server(*farm.own.write(*farm.templates(), *farm.catalog("one", "t0"))) as server:
            until(lambda: served(server, "a.example"), "the member")
            files.write("0/a.example.zone", zone_text(50))
            farm.primaries[0].reload()
            equal(farm.own.ctl("transfer", "a.example").stderr, "")
            farm.list(server, "one", catalog_text(2, {"X": "A.example"}))
            equal(last_octet(server, "a.example"), 100, "an older version is not taken, and a label has no case")
            farm.list(server, "one", catalog_text(3, {"y": "a.example"}))
            server.wait_for("event=member_reset")
            until(lambda: last_octet(server, "a.example") == 50, "anew")


def test_ownership_changes_as_the_owner_says() -> None:
    with Files() as files, Farm(files, "a.example", "b.example") as farm:
        files.write("one.zone", catalog_text(1, {"x": "a.example", "y": "b.example"}))
        files.write("two.zone", catalog_text(1, {}))
        with Server(*farm.own.write(*farm.templates(), *farm.catalog("one", "t0"), *farm.catalog("two", "t1"))) as server:
            until(lambda: served(server, "a.example") and served(server, "b.example"), "both")
            farm.list(server, "two", catalog_text(2, {"x": "a.example", "other": "b.example"}))
            for name in ("a.example", "b.example"):
                row = f'event=member_refused catalog=two. zone={name}. why="another catalog has it"'
                check(any(row in line for line in server.lines) or server.wait_for(row) != "", row)
            equal((last_octet(server, "a.example"), last_octet(server, "b.example")), (100, 100))
            farm.list(server, "one", catalog_text(2, {"x": "a.example", "y": "b.example"}, "coo.x.zones PTR elsewhere.", "coo.y.zones PTR two."))
            server.wait_for("event=member_moved catalog=two. zone=b.example.")
            server.wait_for("event=member_reset catalog=two. zone=b.example.")
            until(lambda: last_octet(server, "b.example") == 200, "of the other primary")
            equal(last_octet(server, "a.example"), 100, "this one goes to nobody who is known")
            farm.list(server, "one", catalog_text(3, {"x": "a.example", "y": "b.example"}, "coo.x.zones PTR two."))
            server.wait_for("event=member_moved catalog=two. zone=a.example.")
            until(lambda: last_octet(server, "a.example") == 200, "what was held was served until then: its label is the same")
            check(not any("event=member_reset catalog=two. zone=a.example." in line for line in server.lines), "no reset")
            farm.list(server, "one", catalog_text(4, {}))
            equal((last_octet(server, "a.example"), last_octet(server, "b.example")), (200, 200), "the old owner has no say any more")
            farm.list(server, "two", catalog_text(3, {}))
            until(lambda: refused(server, "a.example") and refused(server, "b.example"), "gone")


def test_what_is_released_goes_to_who_lists_it() -> None:
    with Files() as files, Farm(files, "a.example") as farm:
        files.write("one.zone", catalog_text(1, {"x": "a.example"}))
        files.write("two.zone", catalog_text(1, {"x": "a.example"}))
        catalogs = (*farm.templates(), *farm.catalog("one", "t0"), *farm.catalog("two", "t1"))
        mine = farm.own.zone("a.example", 33)
        with Server(*farm.own.write(*mine, *catalogs)) as server:
            row = 'why="the configuration has it"'
            server.wait_for(row)
            server.wait_for(row)
            equal(last_octet(server, "a.example"), 33)
            farm.own.write(*catalogs)
            server.reload()
            until(lambda: served(server, "a.example"), "of a catalog now")
            first = last_octet(server, "a.example")
            check(first in (100, 200), first)
            owner, other = ("one", "two") if first == 100 else ("two", "one")
            farm.list(server, owner, catalog_text(2, {}))
            until(lambda: last_octet(server, "a.example") == 300 - first, "of the other")
            farm.own.write(*mine, *catalogs)
            server.reload()
            equal(last_octet(server, "a.example"), 33, "what the configuration says counts more")
            farm.own.write(*mine)
            server.reload()
            equal(last_octet(server, "a.example"), 33)
            equal(farm.own.ctl("status").stdout.count("\n"), 1, f"{other} is gone, too")


def test_groups_have_templates_which_change() -> None:
    with Files() as files, Farm(files, "a.example", "b.example") as farm:
        members = {"x": "a.example", "y": "b.example"}
        files.write("one.zone", catalog_text(1, members, 'group.y.zones TXT "far"'))
        templates = farm.templates()
        with Server(*farm.own.write(*templates, *farm.catalog("one", "t0", "group far t1", "group near t0"))) as server:
            until(lambda: served(server, "a.example") and served(server, "b.example"), "both")
            equal((last_octet(server, "a.example"), last_octet(server, "b.example")), (100, 200))
            farm.list(server, "one", catalog_text(2, members, 'group.x.zones TXT "far"', 'group.y.zones TXT "unheard-of"'))
            until(lambda: last_octet(server, "a.example") == 200, "another group")
            farm.own.write(*templates, *farm.catalog("one", "t1", "group far t0"))
            server.reload()
            files.write("0/b.example.zone", zone_text(201))
            files.write("0/a.example.zone", zone_text(205))
            farm.primaries[0].reload()
            until(lambda: farm.own.ctl("transfer", "a.example").returncode == 0 and last_octet(server, "a.example") == 205,
                  "what the group has is configured otherwise")
            equal(last_octet(server, "b.example"), 200)


def test_catalogs_are_for_those_who_may_have_them() -> None:
    with Files() as files, Farm(files, "a.example") as farm:
        files.write("one.zone", catalog_text(1, {}))
        for line, expected in (("allow-transfer any", 5), ("allow-query any", 0)):
            with Server(*farm.own.write(*farm.templates(), *farm.catalog("one", "t0", line))) as server:
                equal([server.ask(name, rtype).rcode for name, rtype in (("one", wire.SOA), ("version.one", wire.TXT))], [expected] * 2)
                equal("version.one." in transferred(server, "one"), expected == 5, "transferred by those who may")
                check("one. serial 1 records 3 " in farm.own.ctl("status").stdout, "status")


def test_a_name_is_a_catalog_or_another_zone() -> None:
    with Files() as files:
        config = Config(files)
        files.write("one.zone", catalog_text(1, {}))
        one = ("zone one {", f"file {files.path}/one.zone", "}")
        lines = ("template t {", "primary 192.0.2.1", "}", *one, *one[:2], "catalog t", "}")
        equal(run("--check", *config.write(*lines)).returncode, 1)
        with Server(*config.write(*one)) as server:
            config.write(*lines)
            check("two zones have the same origin" in config.ctl("reload").stderr, "a fault")
            equal(server.ask("one", wire.SOA).rcode, 0)


def test_whatever_changes_what_is_listed_or_configured_is_served() -> None:
    """Zones come and go at random in the configuration, which has each of two catalogs or not, and in these, which change hands."""
    rng = random.Random(9432)
    names = [f"{c}.example" for c in "abcdefgh"]
    with Files() as files, Farm(files, *names) as farm:
        def listed(serial: int) -> dict[str, list[str]]:
            lists = {catalog: rng.sample(names, rng.randrange(len(names))) for catalog in ("one", "two")}
            for catalog, other in (("one", "two"), ("two", "one")):
                members = {f"u{rng.randrange(2)}{name[0]}": name for name in lists[catalog]}
                given = [f"coo.{label}.zones PTR {other}." for label in members if rng.randrange(2)]
                files.write(f"{catalog}.zone", catalog_text(serial, members, *given))
            return lists

        def configured() -> tuple[list[str], list[str], list[str]]:
            some = rng.sample(names, rng.randrange(1, 4))
            there = [c for c in ("one", "two") if rng.randrange(3)]
            zones = [line for name in some for line in
                     (farm.own.zone(name) if rng.randrange(2) else secondary(name, farm.primaries[rng.randrange(2)].port))]
            return some, there, [*farm.templates(), *zones, *(line for c in there for line in farm.catalog(c, f"t{rng.randrange(2)}"))]

        lists = listed(1)
        some, there, lines = configured()
        with Server(*farm.own.write(*lines)) as server:
            for step in range(2, 40):
                lists = listed(step)
                some, there, lines = configured()
                farm.own.write(*lines)
                server.reload()
                wanted = {*some, *(name for c in there for name in lists[c])}
                until(lambda: {name for name in names if not refused(server, name)} == wanted, f"step {step}: {sorted(wanted)}")  # noqa: B023
            until(lambda: all(served(server, name) for name in wanted), "all are there in the end")
            equal(server.end(), 0)


def test_hundreds_of_members() -> None:
    """All of them are there soon, though neither their queries nor their transfers go out at once; and half of them gone."""
    count = 400
    names = [f"m{i}.example" for i in range(count)]
    with Files() as files:
        producer, own = Config(files, "producer"), Config(files)
        port = free_port()
        files.write("m.zone", zone_text(7))

        def catalog(serial: int, some: list[str]) -> None:
            files.write(f"{CATALOG}.zone", catalog_text(serial, {name.partition(".")[0]: name for name in some}))

        catalog(1, names)
        zones = [line for name in names for line in (f"zone {name} {{", f"file {files.path}/m.zone", "allow-transfer any", "}")]
        own_lines = (f"listen 127.0.0.1:{port}", *key(OLD))
        with Server(*producer.write(*zones, f"zone {CATALOG} {{", f"file {files.path}/{CATALOG}.zone", "allow-transfer any",
                                    f"notify 127.0.0.1:{port}", "}")) as first, Server(
                *own.write(*own_lines, f"zone {CATALOG} {{", f"primary 127.0.0.1:{first.port}", "catalog", "}"), listen=()) as server:
            until(lambda: all(served(server, name) for name in names), "all members", 4 * PATIENCE_S)
            catalog(2, names[::2])
            first.reload()
            until(lambda: refused(server, names[-1]), "half of them")
            equal([served(server, name) for name in names], [True, False] * (count // 2))
            equal(own.ctl("status").stdout.count("\n"), count // 2 + 1)
            own.write(*own_lines, *key(NEW, "k2.example"), *secondary("x.example", first.port))
            server.reload()
            equal(own.ctl("status").stdout.count("\n"), 1)
            equal(server.end(), 0)


if __name__ == "__main__":
    sys.exit(main(dict(globals())))

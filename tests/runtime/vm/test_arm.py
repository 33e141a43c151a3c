#!/usr/bin/env python3
"""Images for AArch64 under QEMU's `virt`: that they start, what the monitor gives, that nobody gets past it, and that echo and DNS answer."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parent)]
import test_card  # noqa: E402
from qemu import TIMEOUT_S, Outcome, outcome  # noqa: E402
from report import BUILD, ROOT, Report  # noqa: E402
from test_boot import PANIC_LINE  # noqa: E402

OK, BOOT, PANIC = 0, 64, 65
COMMON = ["-m", "32", "-nodefaults", "-no-user-config", "-nographic", "-no-reboot", "-serial", "stdio",
          "-global", "virtio-mmio.force-legacy=off"]
HOST_EXIT = ("-semihosting-config", "enable=on,target=native")
RNG = ("-device", "virtio-rng-device")
NET = ("-netdev", "user,id=n", "-device", "virtio-net-device,netdev=n,mac=52:54:00:12:34:56")
ZONE = ROOT / "appliances" / "dns" / "example.org.zone"

# What each breach of the image `breach` is to end with: cause, and for pages the access. Those of calls are the same code as on x86-64,
# where test_boot.py commits them all.
PAGE, UNDEFINED, REGISTER, CALL = "page-fault", "invalid-opcode", "system-register", "bad-call"
BREACHES = {
    **{f"write_{what}": (PAGE, "write") for what in ("text", "constant", "boot", "monitor", "tables", "device")},
    **{f"read_{what}": (PAGE, "read") for what in ("monitor", "tables", "apic", "behind", "nowhere")},
    **{f"execute_{what}": (PAGE, "execute") for what in ("data", "constant", "monitor", "arena", "stack")},
    "read_null": ("null-page", "read"), "execute_null": ("null-page", "execute"),
    "overflow_stack": ("stack-overflow", "write"), "smash_stack": ("stack-smashed", ""),
    **{what: (UNDEFINED, "") for what in ("read_ttbr", "write_sctlr", "write_vbar", "flush_tlb", "hypervisor", "firmware", "semihosting",
                                          "to_ring0", "undefined")},
    **{what: (REGISTER, "") for what in ("off", "read_timer", "read_id")}, "halt": ("wait-for-interrupt", ""), "breakpoint": ("breakpoint", ""),
    "jump_odd": ("pc-alignment", ""),
    "call_number": (CALL, "number"), "call_write_monitor": (CALL, "write-address"), "call_queue_behind": (CALL, "queue-address"),
}


def image(name: str, kind: str = "img") -> Path:
    return ROOT / BUILD / "vm" / "aarch64" / f"{name}.{kind}"


def command(name: str, line: str = "", machine: str = "gic-version=2", cpu: str = "max", kind: str = "img",
            more: tuple[str, ...] = HOST_EXIT) -> list[str]:
    return ["qemu-system-aarch64", "-M", f"virt,accel=tcg,{machine}", "-cpu", cpu, *COMMON, "-kernel", str(image(name, kind)),
            "-append", line, *more]


def start(name: str, **how: object) -> Outcome:
    return run(command(name, **how))  # type: ignore[arg-type]


def run(words: list[str]) -> Outcome:
    """Run an image to its end; the status of the process is the machine's code."""
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired as late:
        return outcome((late.stdout or b"").decode(errors="replace"), None)
    o = outcome(done.stdout.decode(errors="replace"), done.returncode)
    return Outcome(o.lines, o.text, done.returncode, False)


class Machine(test_card.Machine):
    """An image whose network card is reached by ports of this machine."""

    def __init__(self, words: str, name: str, port: int, machine: str, more: tuple[str, ...] = ()) -> None:
        super().__init__(words, port=port)
        net = self.command[self.command.index("-netdev") + 1]
        self.command = command(name, line=words, machine=machine,
                               more=(*HOST_EXIT, "-netdev", net, "-device", "virtio-net-device,netdev=n", *more))


def check_machines(report: Report) -> None:
    hellos = []
    for machine, cpu, kind, code in (("gic-version=2", "cortex-a57", "img", 7), ("gic-version=3", "max", "img", 7),
                                     ("gic-version=2", "max", "elf", 7), ("gic-version=3,virtualization=on", "cortex-a57", "img", 7),
                                     ("gic-version=2", "max", "img", 0)):
        name = f"{machine} {cpu} {kind} {code}"
        o = start("hello", line=f"do=memory do=sleep do=exit{code}", machine=machine, cpu=cpu, kind=kind,
                  more=HOST_EXIT if code != 0 else ())
        hello, memory, sleep = o.of("hello"), o.of("memory"), o.of("sleep")
        report.check(f"{name}: ends by itself, with its code where the host takes one", o.code == code and not o.hung, o.text)
        report.check(f"{name}: knows the time", hello.get("clock") == "generic" and int(hello.get("wall_s", 0)) > 1_700_000_000, o.text)
        report.check(f"{name}: most of the memory is there", 28 << 10 <= int(hello.get("memory_kib", 0)) <= 32 << 10, o.text)
        report.check(f"{name}: the arena is zero and all of it can be used; there are vector registers",
                     memory.get("before") == "0" and memory.get("missing") == "0" and memory.get("ppm") == "333333", o.text)
        report.check(f"{name}: a sleep lasts as long as it was asked to",
                     int(sleep.get("slept_ns", 0)) >= int(sleep.get("asked_ns", 1)), o.text)
        hellos.append(hello.get("entropy", ""))
    moved = ["qemu-system-aarch64", "-M", "virt,accel=tcg", "-cpu", "max", *COMMON, *HOST_EXIT, "-device",
             f"loader,file={image('hello')},addr=0x40600000,cpu-num=0,force-raw=on"]
    hello = outcome(run(moved).text, None).of("hello")
    report.check("an image that is loaded elsewhere moves its addresses", hello.get("clock") == "generic", str(hello))
    hellos.append(hello.get("entropy", ""))
    report.check("each start has other entropy", len(set(hellos)) == len(hellos) and "" not in hellos, str(hellos))


def check_given(report: Report) -> None:
    with tempfile.NamedTemporaryFile() as module:
        module.write(b"what a module holds")
        module.flush()
        o = start("hello", line="some words", machine="gic-version=3", more=(*HOST_EXIT, *RNG, *NET, "-initrd", module.name))
    hello = o.of("hello")
    report.check("the command line is handed on", hello.get("command_line") == "some words", o.text)
    report.check("and so is the initrd", hello.get("initrd") == "what a module holds", o.text)
    report.check("devices are found", sorted(line.get("kind", "") for line in o.lines if line["event"] == "device") == ["1", "4"], o.text)
    report.check("a device answers three times, each with an interrupt",
                 re.search(r"queue=1 start=1 used=1 len=64 got=(\d) used=2 len=64 got=\1 used=3 len=64 got=\1", o.text) is not None, o.text)
    o = start("hello", machine="gic-version=2,dtb-randomness=off", cpu="cortex-a57", more=(*HOST_EXIT, *RNG))
    report.check("a device gives entropy where nobody else does", o.code == OK and o.of("hello").get("entropy", "") != "", o.text)
    cases = {"no-entropy": {"machine": "gic-version=2,dtb-randomness=off", "cpu": "cortex-a57"}, "command-line-length": {"line": "x" * 2100}}
    for why, how in cases.items():
        o = start("hello", **how)
        report.check(f"{why}: a clear line and an end", o.of("boot").get("why") == why and o.code == BOOT, o.text)


def check_breach(report: Report, name: str, o: Outcome) -> None:
    cause, more = BREACHES[name]
    lines = [line for line in o.text.splitlines() if "event=panic" in line]
    found = PANIC_LINE.fullmatch(lines[0]) if len(lines) == 1 else None
    if not report.check(f"{name}: one panic line, and an end", found is not None and not o.hung and "came back" not in o.text, o.text):
        return
    assert found is not None
    report.check(f"{name}: is caught as {cause} {more}, with the code, in ring 3", o.code == PANIC and found["cause"] == cause
                 and (found["access"] or found["what"] or "") == more and found["ring"] == "3", o.text)


def check_breaches(report: Report) -> None:
    listed = {n for n in start("breach").text.split() if re.fullmatch(r"[a-z_0-9]+", n)}
    report.check("each breach of the image is known here, but for those of calls", set(BREACHES) ==
                 {n for n in listed if not n.startswith("call_") or n in BREACHES}, str(set(BREACHES) ^ listed))
    with ThreadPoolExecutor(2) as pool:
        outcomes = pool.map(lambda n: start("breach", line=f"do={n}", more=(*HOST_EXIT, *RNG)), BREACHES)
        for name, o in zip(BREACHES, outcomes):
            check_breach(report, name, o)


def check_net(report: Report) -> None:
    for machine in ("gic-version=2", "gic-version=3"):
        with Machine(test_card.STATIC, "mrg-echo", 7, machine) as m:
            ready = m.until("ready")
            report.check(f"{machine}: ready", bool(ready.of("ready")), ready.text)
            report.check(f"{machine}: datagrams", test_card.datagrams(m, 20) == 20, m.text)
            report.check(f"{machine}: a stream", test_card.stream(m, 300_001), m.text)


def check_dns(report: Report) -> None:
    with Machine(f"{test_card.STATIC} -- --zone example.org", "mrg-dns", 53, "gic-version=2", ("-initrd", str(ZONE))) as m:
        ready = m.until("ready")
        report.check("the zone is read", ready.of("zone").get("records") == "27", m.text)
        for how, port in (("+notcp", m.udp), ("+tcp", m.tcp)):
            said = subprocess.run(["dig", "@127.0.0.1", "-p", str(port), "+time=5", "+tries=6", how, "www.example.org", "A", "+short"],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout
            report.check(f"an address {how}", said.strip() == "192.0.2.80", said)


def check_apart(report: Report) -> None:
    """A function of the application that the monitor called could not be executed."""
    text = subprocess.run(["nm", "-u", image("hello").parent / "monitor.o"], capture_output=True, text=True, check=True).stdout
    borders = set(re.findall(r"(\w+) = \.;", (ROOT / "runtime/vm/aarch64/image.ld").read_text()))
    report.none("the monitor needs nothing of the application but where it begins and ends, its canary and what its driver can do",
                sorted(set(text.split()) - {"U"} - borders - {"vm_app_start", "vm_app_smashed", "vm_app_guard", "vm_features_of_net"}))


def main() -> int:
    report = Report()
    check_machines(report)
    check_given(report)
    check_breaches(report)
    check_net(report)
    check_dns(report)
    check_apart(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

"""Servers as images of virtual machines, for suites that are run once more with MRG_SCALE=vm: one place that knows what differs.

The script's process is in a network namespace of its own. Each machine (QEMU without acceleration, see ../runtime/vm/qemu.py) has a
TAP device there, so what the suite's clients see is our own TCP/IP behind a card of virtio. A server's arguments become words of the
command line; what a machine has no use for is left out (LEFT_OUT).
"""

from __future__ import annotations

import ctypes
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "runtime" / "vm")]
from qemu import MICROVM, TSC_WORD, command  # noqa: E402
from report import BUILD, ROOT  # noqa: E402

BIN = ROOT / BUILD / "bin"

WANTED = os.environ.get("MRG_SCALE") == "vm"
MEMORY_MIB = {"mrg-dns": 48, "mrg-http": 192}
FEW_MIB = {"mrg-dns": 6, "mrg-http": 18}  # room for a hundred connections or less (and a site of 10 MiB), as few files are for a process
PORTS = {"mrg-dns": 53, "mrg-http": 80}
METRICS = 9100
MACHINE = [word.replace("rtc=off", "rtc=on") for word in MICROVM]  # it has to know the time

# Arguments with a value that say nothing to a machine: its ends are at its own addresses, it has one processor and no users.
LEFT_OUT = ("--listen", "--workers", "--user")

# ---- what an image by its nature has not: by suite and test, with the reason ----

_SIGNALS = "nobody sends signals to an image: it ends with its machine"
_RELOAD = "an image's files are those it has booted with: to change them is to boot again"
_FILES = "an archive has files: no links, no permissions, nothing that is no file"
_PROCESS = "of the process: its files, users, threads and system calls"
_USAGE = "messages of a command line in a terminal; test_words.c and test_vm.py have those of images"
_OPERATED = "by a control socket, figures or files that are written, which an image has not; test_vm.py has its transfers, catalogs and updates"
_PORTS = "all addresses and ports of a machine are its own"

NOT_APPLICABLE: dict[str, dict[str, str]] = {
    "dns/test_serve.py": {
        "test_several_workers_share_the_address": "one processor",
        "test_sigterm_and_sigint_end_it": _SIGNALS,
        "test_sigterm_answers_what_was_asked": _SIGNALS,
        "test_sigterm_is_not_held_up_for_ever_by_a_slow_reader": _SIGNALS,
        "test_a_second_signal_does_no_harm": _SIGNALS,
        "test_starts_small_and_says_so_in_one_line_each": "lines of a console have no time, and event=ready tells of memory",
        "test_closed_standard_files_are_not_taken_by_sockets": _PROCESS,
        "test_usage_errors_say_what_is_wrong": _USAGE,
        "test_help_and_version": _USAGE,
        "test_address_in_use": _PORTS,
        "test_address_that_is_not_ours": _PORTS,
        "test_bad_zone_and_absent_zone": _USAGE,
        "test_unknown_user": _PROCESS,
        "test_root_becomes_nobody_after_binding": _PROCESS,
        "test_a_zone_that_cannot_be_reloaded_is_told_at_start": _RELOAD,
    },
    "dns/test_reload.py": {"": _RELOAD},  # all of it
    **dict.fromkeys(("dns/test_config.py", "dns/test_control.py", "dns/test_container.py", "dns/test_notify.py", "dns/test_transfer.py",
                     "dns/test_primary_faults.py", "dns/test_update.py", "dns/test_figures.py", "dns/test_reconfigure.py", "dns/test_catalog.py",
                     "dns/test_query_log.py", "dns/test_dnstap.py", "dns/test_kept.py"),
                    {"": _OPERATED}),
    "http/test_clients.py": {
        "test_links_out_of_the_root": _FILES,
    },
    "http/test_repeated.py": {"test_vary_comes_and_goes_with_the_sibling": _RELOAD},
    "http/test_changing_files.py": {
        **dict.fromkeys(("test_changes_are_seen", "test_gone_while_it_is_sent", "test_replaced_while_it_is_sent", "test_shorter_while_it_is_sent",
                         "test_longer_while_it_is_sent", "test_a_tag_stands_for_one_content", "test_curl_tells_of_a_short_answer"), _RELOAD),
        **dict.fromkeys(("test_permissions", "test_what_is_no_file", "test_a_link_that_turns_around"), _FILES),
    },
    "http/test_config.py": {
        "": "options come from the command line; archives are what all suites of images serve, test_vm.py has the bad ones"},
    "http/test_operation.py": {
        **dict.fromkeys(("test_reload_while_a_download_runs", "test_many_reloads_leave_nothing", "test_a_reload_that_fails_changes_nothing",
                         "test_a_configuration_is_read_again"), _RELOAD),
        **dict.fromkeys(("test_sigterm_finishes_what_is_under_way", "test_sigterm_answers_what_the_kernel_holds",
                         "test_sigterm_ends_with_the_last_client", "test_sigterm_without_anybody"), _SIGNALS),
        "test_several_workers": "one processor",
        **dict.fromkeys(("test_root_becomes_somebody_else", "test_a_restart_at_the_same_port", "test_without_standard_descriptors"), _PROCESS),
        **dict.fromkeys(("test_wrong_options", "test_help_and_version"), _USAGE),
        "test_what_is_not_there": _FILES,
        "test_address_in_use": _PORTS,
    },
}


def reasons(script: str) -> dict[str, str]:
    """Of a suite, such as tests/appliances/dns/test_serve.py."""
    return NOT_APPLICABLE.get("/".join(Path(script).resolve().parts[-2:]), {})


# ---- the namespace ----


def impossible() -> str:
    """Why machines can't be had here with a network of their own; empty when they can."""
    if os.geteuid() != 0:
        return "not root"
    return "" if Path("/dev/net/tun").exists() else "no /dev/net/tun"


def enter() -> None:
    """Into a network namespace that ends with this process and its children."""
    clone_newnet = 0x40000000  # unshare(2)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(clone_newnet) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    _ip("link set lo up", "addr add 127.0.0.1/8 dev lo", "addr add ::1/128 dev lo")


def _ip(*lines: str) -> None:
    subprocess.run(["ip", "-force", "-batch", "-"], input="".join(line + "\n" for line in lines), check=False, text=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# ---- machines ----

_numbers = itertools.count(1)


def _words(args: tuple[str, ...]) -> tuple[list[tuple[str, str]], list[str]]:
    """Pairs of option and value, and words without a value."""
    pairs, alone, rest = [], [], list(args)
    while rest:
        word = rest.pop(0)
        option, equals, value = word.partition("=")
        if not equals and rest and not rest[0].startswith("--"):
            value, equals = rest.pop(0), "="
        if equals:
            pairs.append((option, value))
        else:
            alone.append(option)
    return pairs, alone


class Machine:
    """A command that starts a server's image, and where that is reached."""

    def __init__(self, program: str, args: tuple[str, ...], listen: tuple[str, ...], few: bool) -> None:
        memory_mib = (FEW_MIB if few else MEMORY_MIB)[program]
        number = next(_numbers)
        self.device = f"tap{number}"
        self.place = tempfile.TemporaryDirectory(prefix="mrg-test-")
        self.client, self.client6 = f"10.77.{number}.1", f"fd77:{number}::1"
        self.four, self.four_more, self.six = f"10.77.{number}.2", f"10.77.{number}.3", f"fd77:{number}::2"
        self.own = [(self.four, 0), (self.four_more, 0), (self.six, 1)]  # all its addresses, and the wildcard each belongs to
        self.memory_kib = memory_mib << 10
        pairs, alone = _words(args)
        listen += tuple(value for option, value in pairs if option == "--listen")
        self.addresses = [(self.six if "[" in a else self.four, PORTS[program]) for a in listen]
        self.program, self.pairs, self.alone = program, pairs, alone
        _ip(f"tuntap add {self.device} mode tap", f"addr add {self.client}/24 dev {self.device}",
            f"addr add {self.client6}/64 dev {self.device} nodad", f"link set {self.device} up")

    def command(self) -> list[str]:
        """With the files as they are now."""
        data = self.zones(self.pairs) if self.program == "mrg-dns" else self.site(self.pairs)
        options = [word for option, value in self.pairs if option not in LEFT_OUT for word in (option, f'"{value}"')]
        line = f"{TSC_WORD} ip={self.four}/24 ip={self.four_more}/24 ip6={self.six}/64 -- {' '.join([*options, *self.alone])}"
        card = ("-netdev", f"tap,id=n,ifname={self.device},script=no,downscript=no", "-device", "virtio-net-device,netdev=n")
        words = command(self.program, line=line, machine=MACHINE, more=(*card, "-initrd", data))
        words[words.index("-m") + 1] = str(self.memory_kib >> 10)
        return words

    def zones(self, pairs: list[tuple[str, str]]) -> str:
        """The file of the zone, or an archive with all of them; options then name those in it."""
        at = [i for i, (option, _) in enumerate(pairs) if option == "--zone"]
        zones = [pairs[i][1].partition("=") for i in at]
        for i, (origin, _, file) in zip(at, zones):
            pairs[i] = ("--zone", origin if len(zones) == 1 else f"{origin}={Path(file).name}")
        if len(zones) == 1:
            return zones[0][2]
        folder = Path(self.place.name) / "zones"
        folder.mkdir()
        for _, _, file in zones:
            shutil.copy(file, folder)
        return self.packed(folder)

    def site(self, pairs: list[tuple[str, str]]) -> str:
        """The folder as an archive, or the archive; figures are at a port of the machine's."""
        given = dict(pairs)
        hosts = [i for i, (option, _) in enumerate(pairs) if option == "--vhost"]
        if hosts:
            folder = Path(self.place.name) / "site"
            shutil.copytree(given["--root"], folder)
            given["--root"] = str(folder)
        for i in hosts:
            name, _, place = pairs[i][1].partition("=")
            pairs[i] = ("--vhost", f"{name}=host-{i}")
            shutil.copytree(place, folder / f"host-{i}")
        places = [i for i, (option, _) in enumerate(pairs) if option in ("--root", "--archive")]
        pairs[:] = [(o, f"{self.four}:{METRICS}" if o == "--metrics" else v) for i, (o, v) in enumerate(pairs) if i not in places]
        return self.packed(Path(given["--root"])) if "--root" in given else given["--archive"]

    def packed(self, folder: Path) -> str:
        archive = f"{self.place.name}/archive"
        subprocess.run([BIN / "mrg-pack", folder, archive], check=True, stdout=subprocess.DEVNULL)
        return archive

    def close(self) -> None:
        _ip(f"link del {self.device}")
        self.place.cleanup()

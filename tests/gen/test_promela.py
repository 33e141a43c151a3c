#!/usr/bin/env python3
"""Models of two machines, as SPIN tries them: a sound one passes, each that was broken is found out."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from spin_run import ROOT, Report, changed, machines, promela, sound, tried

SPEC = ROOT / "tests/gen/machines/made/ends.mrg"
IGNORING = "    ignore close;\n    refuse end;"
# what is changed, by what, and what SPIN must then say
BROKEN = {
    "who opens asks twice only": ("on again do open(0), set again", "on again do open(0)", "acceptance cycle"),
    "who closes asks twice only": ("on again do close(0), set again", "on again do close(0)", "acceptance cycle"),
    "a late answer is refused": ("ignore open;\n    on close if !reply do", "refuse open;\n    on close if !reply do", "assertion violated 0"),
    "nobody answers who closes": ("    on close if !reply do close(1);\n    ignore close;\n    refuse end;", IGNORING, "acceptance cycle"),
    "what is never": ("  Up final {", "  never (times > 0) in Up;\n  var times: u8 in 0..1;\n  Up final {", "assertion violated"),
}
# arguments of the command, and what it must say of them
WRONG = {
    ("Edn",): "has no machine 'Edn' (did you mean 'End'?)",
    ("End:conect",): "machine 'End' has no user event 'conect' (did you mean 'connect'?)",
    ("End:open",): "machine 'End' has no user event 'open'",
    ("End", "End", "End"): "two ends, not 3",
    ("End", "--last", "agin"): "'End': there is no timer 'agin' (did you mean 'again'?)",
    ("End", "--reach", "Upp"): "'End': there is no state 'Upp' (did you mean 'Up'?)",
}


def check_calls(report: Report, text: str, room: Path) -> None:
    """Users that call as they are told to, and where that leads."""
    end = machines(text, room, "made/ends.mrg")
    up = promela.Bounds(reach=["Up"])
    sound(report, "who connects comes up", tried(end, ["End:connect", "End:"], up, room))
    said = tried(end, ["End:connect?", "End:"], up, room)
    report.check("perhaps nobody connects", "acceptance cycle" in said, said[:1500])
    said = tried(end, ["End:connect,end", "End:"], up, room)
    report.check("who ends does not stay up", "acceptance cycle" in said, said[:1500])
    # a timer that is not the last to go off may do so before the other end is done
    hasty = changed(report, "a state that waits", text, "    on close -> Idle do cancel again, down;\n", "    on close -> Late do cancel again, set late;\n")
    late = "  Late {\n    refuse open;\n    on close if !reply do close(1);\n    ignore close;\n    on late -> Idle do down;\n"
    hasty = changed(report, "and what it does", hasty, "  Closing {\n", late + "    refuse connect, end;\n  }\n  Closing {\n")
    end = machines(hasty.replace("  timer again;", "  timer again;\n  timer late;"), room, "made/ends.mrg")
    ends = ["End:connect,end", "End:connect"]
    here = promela.Bounds(reach=["Idle", "Up"], faults=0)
    report.check("a timer is set", "assertion violated" in (said := tried(end, ends, here, room)), said[:1500])


#: Both ends ask in the same way, which is a machine of its own.
ASKING = """/// asks until there is an answer
machine Asking {
  rx open(reply: 1);
  rx close(reply: 1);
  timer again;
  tx open(reply: 1);
  Waiting start {
    on open -> Open do cancel again;
    on close -> Shut do cancel again;
    on again do open(0), set again;
  }
  Open { }
  Shut { }
}

/// A connection:"""
RUNS = "  Opening runs Asking {\n    ignore connect;\n    refuse end;\n    when Open -> Up do up;\n    when Shut -> Idle;\n  }\n  Up final {"


def check_parts(report: Report, text: str, room: Path) -> None:
    """A machine that runs in another one is tried in it."""
    start = text.index("  Opening {")
    whole = text[:start] + RUNS + text[text.index("  Up final {") + len("  Up final {") :]
    whole = changed(report, "a part", whole, "/// A connection:", ASKING)
    usual = promela.Bounds()
    sound(report, "an end with a part", tried(machines(whole, room, "made/ends.mrg"), ["End"], usual, room))
    broken = changed(report, "in the part", whole, "    on again do open(0), set again;\n  }\n  Open", "    on again do open(0);\n  }\n  Open")
    said = tried(machines(broken, room, "made/ends.mrg"), ["End"], usual, room)
    report.check("a part that asks twice only: is found", "acceptance cycle" in said, said[:1500])


def check_command(report: Report) -> None:
    for arguments, text in WRONG.items():
        done = subprocess.run([ROOT / "bin/mrg", "promela", SPEC, *arguments], capture_output=True, text=True, check=False)
        report.check(f"promela {' '.join(arguments)}", done.returncode == 2 and text in done.stderr and not done.stdout, done.stderr)


def main() -> int:
    report = Report()
    text = SPEC.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        room = Path(name)
        usual = promela.Bounds()
        sound(report, "two ends that keep to the specification", tried(machines(text, room, "made/ends.mrg"), ["End"], usual, room))
        for what, (old, new, wanted) in BROKEN.items():
            other = changed(report, what, text, old, new)
            if "var times" in new:
                other = other.replace("open(1), up;", "open(1), up, times = 1;")
            said = tried(machines(other, room, "made/ends.mrg"), ["End"], usual, room)
            report.check(f"{what}: is found", wanted in said, said[:1500])
        wide = text.replace("  user end;", "  user end;\n  var large: u32;").replace("open(1), up;", "open(1), up, large = large ^ 1;")
        refused = ""
        try:
            promela.model([promela.End(machines(wide, room, "made/ends.mrg")[0])] * 2, usual)
        except promela.Unfit as why:
            refused = str(why)
        report.check("numbers that Promela has no room for", "4294967295" in refused, refused)
        check_calls(report, text, room)
        check_parts(report, text, room)
    check_command(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

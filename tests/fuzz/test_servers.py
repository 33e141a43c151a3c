#!/usr/bin/env python3
"""Servers as subjects of fuzzing (fuzz/servers.c): they find nothing, come to all that they know of, and see planted faults.

The same cases each time: bounded by number, of one seed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
from packets_folder import FOLDER, SUMMARY, built  # noqa: E402
from report import BUILD, ROOT, Report, make, run  # noqa: E402

FUZZ = ROOT / BUILD / "fuzz"
PROGRAM = BUILD / "fuzz" / "servers"

# Of each subject: cases, accepted of each hundred at least, points that may be missing.
SUBJECTS = {
    "dns.server.message": (10_000, 30, 2),
    "dns.server.answer": (4_000, 25, 2),
    "dns.server.stream": (5_000, 50, 0),
    "dns.server.transfer": (5_000, 20, 0),
    "dns.server.catalog": (10_000, 40, 0),
    "http.server.requests": (10_000, 20, 0),
    "http.server.files": (10_000, 60, 0),
    "tcpip.stack": (12_000, 60, 4),
    "appliance.words": (100_000, 30, 0),
}

FAULT_CASES = 2_500  # by which each fault is seen
MORE_CASES = {"dns.server.message": 10_000, "http.server.files": 40_000, "appliance.words": 20_000}  # cheap ones

# A fault: file, what stands there, what stands there then; the subject that must tell, and what it says.
FAULTS = [
    ("protocols/dns/query.c", "mrg_dns_header_qr(h) != 0)", "mrg_dns_header_id(h) == 77)", "dns.server.message", "drop"),
    ("protocols/dns/query.c", "mrg_dns_header_qdcount(h) != 1)", "mrg_dns_header_qdcount(h) < 1)", "dns.server.message", "question"),
    ("protocols/dns/answer.c", "if (most > s->udp_max)", "if (most > 65000)", "dns.server.message", "too long"),
    ("protocols/dns/walk.c", "w->reply->rcode = MRG_DNS_RCODE_NXDOMAIN;", "", "dns.server.answer", "naive: rcode or AA"),
    ("protocols/dns/stream.c", "hold(t, c, &c->out, rest)", "hold(t, c, &c->out, (struct mrg_span){ rest.p, 1 })", "dns.server.stream", "other replies"),
    ("protocols/dns/stream.c", "\tdrop(t, &c->in);\n\tdrop(t, &c->out);\n", "\tdrop(t, &c->in);\n", "dns.server.stream", "left behind"),
    ("protocols/dns/stream.c", "e->t->answerer.done(e->t->answerer.ctx, transfer);", "(void)transfer;", "dns.server.stream", "left behind"),
    ("protocols/dns/transfer_in.c", "else if (!mrg_dns_name_within(&t->owner, &t->name))", "else if (false)", "dns.server.transfer", "outside"),
    ("protocols/dns/catalog.c", "owner->count == r->zones.count + 1u", "owner->count > r->zones.count", "dns.server.catalog", "count"),
    ("protocols/dns/catalog.c", "if (*slot != 0)", "if (*slot == UINT32_MAX)", "dns.server.catalog", "fault"),
    ("protocols/dns/catalog.c", "mrg_dns_name_flat_item(owner, 0), &m->label", "mrg_dns_name_flat_item(owner, 1), &m->label", "dns.server.catalog", "label"),
    ("protocols/http/server.c", "\tmrg_http_out_drop_(t, c);\n", "", "http.server.requests", "left behind"),
    ("protocols/http/server.c", "\tif (c->own != NULL)\n\t\tt->handler.end(", "\tif (c->old)\n\t\tt->handler.end(", "http.server.requests", "handler"),
    ("protocols/http/server_in.c", "answer(t, c, &x, !whole);", "answer(t, c, &x, false);", "http.server.requests", "other answers"),
    ("protocols/http/server_in.c", "c->own = NULL;\n\trefuse(", "refuse(", "http.server.requests", "ended twice"),
    ("protocols/http/server_out.c", "if (c->head_only || has_no", "if (has_no", "http.server.requests", "other answers"),
    ("protocols/http/files.c", "if (file->modified_s >= plain->modified_s)", "if (file->modified_s > plain->modified_s)", "http.server.files", "field "),
    ("protocols/http/files.c", "\tput_vary(a, f);\n\tif (wanted", "\tif (wanted", "http.server.files", "field Vary of 20"),
    ("protocols/http/files.c", "note->p[ETAG_LEN] == kind", "note->p[ETAG_LEN] != 0", "http.server.files", "field Content-"),
    ("protocols/http/files.c", "a->reply->no_length = true;", "", "http.server.files", "field Content-Length of 304"),
    ("protocols/http/files.c", "mrg_rt_tree_close(a->tree, f->file);\n\t\treturn;\n\tcase MRG_HTTP_FAILED", "return;\n\tcase MRG_HTTP_FAILED",
     "http.server.files", "files are left"),
    ("protocols/http/files.c", "f->file, ranges[i].first", "f->file, ranges[0].first", "http.server.files", "other octets"),
    ("protocols/http/files.c", "accepted.br >= accepted.gzip", "accepted.br > accepted.gzip", "http.server.files", "field "),
    ("protocols/http/condition.c", "if ((m->weakly || !m->weak) &&", "if (", "http.server.files", "status"),
    ("protocols/http/condition.c", "date == v->modified_s;", "date >= v->modified_s;", "http.server.files", "status"),
    ("protocols/http/range.c", "last < w->size ? last + 1u : w->size", "last < w->size ? last : w->size", "http.server.files", "field Content-"),
    ("protocols/http/coding.c", "w.identity, settle(w.other, 1));", "w.identity, 1);", "http.server.files", "field "),
    ("appliances/common/args.c", "v >= least && v <= most)", "v >= least)", "appliance.words", "told"),
    ("appliances/common/args.c", "equals != NULL ? equals + 1", "equals != NULL ? equals", "appliance.words", "told"),
    ("appliances/common/args.c", "if (d < best)", "if (d <= best)", "appliance.words", "told"),
    ("appliances/common/conf.c", "\tl->brace = NULL;\n\tl->bad = false;", "\tl->brace = NULL;", "appliance.words", "faults"),
    ("appliances/common/conf.c", "(size_t)(at - from) - 2u", "(size_t)(at - from) - 1u", "appliance.words", "told"),
    ("protocols/tcpip/if.c", "count->if_in_foreign++;", "", "tcpip.stack", "frames by kind"),
    ("protocols/tcpip/tcp.c", "\tring_free(&c->out, &t->buffers);\n\ttcp_work(c);", "\ttcp_work(c);", "tcpip.stack", "buffers are left"),
    ("protocols/tcpip/tcp_timer.c", "c->tries == KEEPALIVE_TRIES", "c->tries > 250", "tcpip.stack", "connections are left"),
    ("protocols/tcpip/tcp_out.c", "i < count; at += parts[i].len", "i < count && i < 1; at += parts[i].len", "tcpip.stack", "wrong checksum"),
]  # fmt: skip

# The same, of what is done too often: with libraries that count.
TOO_MUCH = [
    ("protocols/dns/stream.c", "\tstruct mrg_dns_held was = c->in;\n",
     "\tstruct mrg_dns_held was = c->in;\n\tfor (volatile size_t i = 0; i < rest.len; i++)\n\t\t;\n", "dns.server.stream", "operations"),
]  # fmt: skip


def program(report: Report) -> bool:
    done = make("-s", PROGRAM, f"FUZZ_SPEC={FOLDER.relative_to(ROOT)}")
    return report.check("the subjects build", done.returncode == 0, done.stdout[-3000:])


def fuzz(subject: str, cases: int, *options: object, by: Path = ROOT / PROGRAM) -> subprocess.CompletedProcess[str]:
    return run(by, "-q", "-S", 1, "-s", subject, "-E", cases, "-o", FUZZ / "servers-finds", *options)


def check_clean(report: Report) -> None:
    listed = run(ROOT / PROGRAM, "--list").stdout.split()
    report.check("all subjects are run", listed == list(SUBJECTS), str(listed))
    for subject, (cases, accepted, missing) in SUBJECTS.items():
        done = fuzz(subject, cases)
        told = SUMMARY.search(done.stdout)
        if not report.check(f"{subject}: runs to its end", told is not None and done.returncode == 0, done.stdout[-2000:]) or told is None:
            continue
        report.check(f"{subject}: nothing is found", told[7] == told[8] == told[9] == "0", done.stdout[-2000:])
        report.check(f"{subject}: {accepted} % are accepted", float(told[3]) >= accepted, told[0])
        report.check(f"{subject}: its points are reached", int(told[5]) - int(told[4]) <= missing, told[0])


def check_packets(report: Report) -> None:
    """The runner says how many packets a case of the stack had: what is made of nothing has up to ten."""
    told = re.search(r" octets, ([\d.]+) packets a case;", fuzz("tcpip.stack", 300, "--fresh").stdout)
    report.check("tcpip.stack: nine packets or so are made", told is not None and 8 <= float(told[1]) <= 10, str(told))


def check_same(report: Report) -> None:
    for subject in SUBJECTS:
        once, again = (re.sub(r"; \d+ MB; [\d.]+ s, \d+/s", "", fuzz(subject, 300).stdout) for _ in range(2))
        report.check(f"{subject}: the same seed does the same", once == again, once + again)


Fault = tuple[str, str, str, str, str]


def check_faults(report: Report, faults: list[Fault], name: str, *how: str) -> None:
    """Each fault in a copy of one file, which is linked before the libraries."""
    spoilt = [BUILD / "fuzz" / "spoilt" / f"{name}{number}" for number in range(len(faults))]
    (ROOT / BUILD / "fuzz" / "spoilt").mkdir(parents=True, exist_ok=True)
    for program, (path, there, instead, _, _) in zip(spoilt, faults):
        text = (ROOT / path).read_text()
        report.check(f"{path}: '{there}' is there to be spoilt", text.count(there) == 1)
        text = text.replace(there, instead)
        if path.startswith("appliances/"):  # it is a part of the subject's file
            text = re.sub(rf'^#include "{path}".*$', lambda _: text, (ROOT / "fuzz/words.c").read_text(), flags=re.M)
        (ROOT / f"{program}.c").write_text(text)
    done = make("-s", *spoilt, f"FUZZ_SPEC={FOLDER.relative_to(ROOT)}", *how)
    report.check("what is spoilt builds", done.returncode == 0, done.stdout[-3000:])
    for program, (path, there, instead, subject, said) in zip(spoilt, faults):
        shutil.rmtree(FUZZ / "servers-finds", ignore_errors=True)
        told = fuzz(subject, MORE_CASES.get(subject, FAULT_CASES), by=ROOT / program)
        seen = told.returncode == 1 and f"find {subject}: {said}" in told.stdout
        report.check(f"{path}: '{instead}' for '{there}' is found", seen, told.stdout[-1500:])


def main() -> int:
    report = Report()
    if built(report) and program(report):
        shutil.rmtree(FUZZ / "servers-finds", ignore_errors=True)
        check_clean(report)
        check_packets(report)
        check_same(report)
        check_faults(report, FAULTS, "fault")
        check_faults(report, TOO_MUCH, "slow", "OPS=yes")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())

"""Enums: each value and those next to it, there and back."""

from __future__ import annotations

from typing import Any

from build import Build
from capi import Api, span
from mrg import ir, names
from report import Report

import ctypes


class Words:
    def __init__(self, of: Build, api: Api, report: Report) -> None:
        self.of = of
        self.api = api
        self.report = report

    def run(self) -> None:
        for module in self.of.modules:
            for e in module.enums:
                self.report.none(f"{module.name}.{e.name}", self.enum(e))

    def enum(self, e: ir.Enum) -> list[str]:
        faults = []
        by_value: dict[int, ir.Member] = {}
        for m in e.members:
            if m.lo == m.hi:
                by_value.setdefault(m.lo, m)
        tried = {v + by for m in e.members for v in (m.lo, m.hi) for by in (-1, 0, 1)} | {0, (1 << e.bits) - 1}
        name = names.enum(e)
        text, known, word, of = (self.api.find(f"{name}_{verb}") for verb in ("str", "known", "word", "of"))
        for value in sorted(v for v in tried if 0 <= v < 1 << 64):
            member = by_value.get(value)
            want = member.text if member is not None else None
            if text is not None and (have := text(value)) != (want.encode() if want is not None else None):
                faults.append(f"{value} is called {have!r}")
            if known is not None and known(value) != any(m.lo <= value <= m.hi for m in e.members):
                faults.append(f"{value} is taken for a member, or a member for none")
            if word is not None:
                said = word(value)
                if ctypes.string_at(said.p, said.len) != (want or "").encode() if said.len else want:
                    faults.append(f"{value} is written otherwise")
        for m in e.members:
            for spelt in m.words if of is not None else ():
                keep: list[Any] = []
                if of(span(self.api, spelt.encode(), keep)) != m.lo:
                    faults.append(f"{spelt} is not {m.lo}")
        return faults

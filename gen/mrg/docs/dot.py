"""Machines as graphs, for `dot`: states, and what leads from one to another."""

from __future__ import annotations

from .. import ast


def draw(d: ast.MachineDecl) -> str:
    states = [i for i in d.items if isinstance(i, ast.MState)]
    always = [h for i in d.items if isinstance(i, ast.MAlways) for h in i.handlers]
    out = [f"digraph {d.name.name} {{", '  node [shape=box, style=rounded, fontname="sans-serif"];', '  edge [fontname="sans-serif", fontsize=10];']
    for s in states:
        marks = (["penwidth=2"] if s.start else []) + (["peripheries=2"] if s.final else [])
        if s.runs is not None:
            marks.append(f'label="{s.name.name}: {s.runs.name}"')
        out.append(f"  {s.name.name}" + (f" [{', '.join(marks)}]" if marks else "") + ";")
    for s in states:
        for h in s.handlers:
            if h.word in ("on", "when"):
                out.append(_edge(s.name.name, h.to.name if h.to is not None else s.name.name, h))
    leads = [h for h in always if h.to is not None]
    if leads:
        out.append('  always [shape=plaintext, label="in each state"];')
        out += [_edge("always", h.to.name, h) for h in leads if h.to is not None]
    return "\n".join([*out, "}"]) + "\n"


def _edge(of: str, to: str, h: ast.MHandler) -> str:
    lines = [("when " if h.word == "when" else "") + ", ".join(e.name for e in h.events)]
    if h.guard is not None:
        lines.append(f"[{_text(h.guard)}]")
    lines += [" ".join(do.span.text().split()) for do in h.todo]
    label = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return f'  {of} -> {to} [label="{label}"];'


def _text(e: ast.Expr) -> str:
    return " ".join(e.span.text().split())

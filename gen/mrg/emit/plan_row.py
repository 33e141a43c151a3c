"""A row of `items` in the tables of plan.py: others add to what it says, and it is spelled when all is known."""

from __future__ import annotations

from dataclasses import dataclass

from .. import ir, names

NONE = "MRG_PLAN_NONE"


@dataclass
class Row:
    """fields: members of struct mrg_plan_item, in order; None is that of an index that is none."""

    kind: str
    name: str
    line: int
    fields: dict[str, object]
    flags: list[str]

    def settle(self, member: str, index: int) -> None:
        """Say an index that was none until now."""
        if self.fields[member] is None:
            self.fields[member] = index

    def text(self) -> str:
        parts = [f".kind = MRG_PLAN_{self.kind}", f".name = {names.c_string(self.name)}", f".line = {self.line}"]
        parts += [f".{key} = {self._spelled(key, value)}" for key, value in self.fields.items()]
        return "{ " + ", ".join(parts) + " }"

    def _spelled(self, key: str, value: object) -> object:
        if key == "flags":
            return " | ".join(f"MRG_PLAN_{f}" for f in self.flags) or "0"
        if key in ("mode", "severity", "endian"):
            return f"MRG_PLAN_{str(value).upper()}"
        if key == "what":
            return names.c_string(str(value))
        return NONE if value is None else value


def row_of(kind: str, item: ir.Item, **fields: object) -> Row:
    flags = fields.get("flags", [])
    assert isinstance(flags, list)
    absent = {key: value for key, value in {"expr": None, "field": None, "steers": None, "flags": flags}.items() if key not in fields}
    return Row(kind, item.name, item.loc.line, fields | absent, flags)

"""Generated headers as ctypes has them: records and functions, found in their text.

Only forms that the emitter writes are known. A record with a member that is not known (a function pointer, a nested record) is memory of
enough octets: it can be passed by its address.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable, Optional

OPAQUE = 1 << 15  # octets of a record that is not known in full

PLAIN: dict[str, Any] = {
    "uint8_t": ctypes.c_uint8, "uint16_t": ctypes.c_uint16, "uint32_t": ctypes.c_uint32, "uint64_t": ctypes.c_uint64,
    "int8_t": ctypes.c_int8, "int16_t": ctypes.c_int16, "int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64,
    "size_t": ctypes.c_size_t, "bool": ctypes.c_bool, "unsigned": ctypes.c_uint, "int": ctypes.c_int, "char": ctypes.c_char, "void": None,
}  # fmt: skip
RECORD = re.compile(r"^struct (\w+) \{\n(.*?)^\};", re.M | re.S)
ENUM = re.compile(r"^enum (\w+) \{", re.M)
COMMENT = re.compile(r"/\*.*?\*/", re.S)
MEMBER = re.compile(r"^(?:const )?((?:struct |enum )?\w+) ((?:\*?\w+(?:\[\w+\])?(?:, )?)+);$")
PROTOTYPE = re.compile(
    r"^(?:static )?(?:inline )?(?:MRG_MUST_USE )?(?:const )?((?:struct |enum )?\w+) (\*?)(mrg_\w+)\((.*?)\)(?:;|\n\{| \{)", re.M
)
ARGUMENT = re.compile(r"^(?:const )?((?:struct |enum )?\w+) (\*?)(?:const )?(\w+)$")
SIZES = {"MRG_REJECT_DEPTH": 8}


@dataclass
class Function:
    """One that the library has."""

    name: str
    result: str  # as written, with a * if it is an address
    args: list[tuple[str, str]]  # type and name


class Api:
    def __init__(self, library: Path, headers: Iterable[Path]) -> None:
        self.c = ctypes.CDLL(str(library))
        self.records: dict[str, Any] = {}
        self.functions: dict[str, Function] = {}
        for header in headers:
            self._header(COMMENT.sub("", header.read_text()))

    def _header(self, text: str) -> None:
        text = "\n".join(line.rstrip() for line in text.splitlines() if line.strip())
        for found in RECORD.finditer(text):
            self.records.setdefault(found[1], self._record(found[1], found[2]))
        for found in PROTOTYPE.finditer(text):
            args = [ARGUMENT.match(a.strip()) for a in found[4].split(", ")] if found[4] != "void" else []
            if all(args):
                self.functions.setdefault(found[3], Function(found[3], found[1] + found[2], [(a[1] + a[2], a[3]) for a in args if a]))

    def _record(self, name: str, body: str) -> Any:
        fields: list[tuple[str, Any]] = []
        for line in body.splitlines():
            found = MEMBER.match(line.strip())
            if found is None:
                return self._opaque(name)
            for declared in found[2].split(", "):
                kind = ctypes.c_void_p if declared.startswith("*") else self.type(found[1])
                size = re.search(r"\[(\w+)\]", declared)
                if kind is None or (size is not None and not size[1].isdigit() and size[1] not in SIZES):
                    return self._opaque(name)
                if size is not None:
                    kind = kind * SIZES.get(size[1], 0 if not size[1].isdigit() else int(size[1]))
                fields.append((re.sub(r"\*|\[.*", "", declared), kind))
        return type(name, (ctypes.Structure,), {"_fields_": fields})

    def _opaque(self, name: str) -> Any:
        return type(name, (ctypes.Structure,), {"_fields_": [("octets", ctypes.c_uint64 * (OPAQUE // 8))], "opaque": True})

    def type(self, written: str) -> Any:
        """The ctypes type; None: it is not known."""
        if written.endswith("*"):
            return ctypes.c_char_p if written == "char*" else ctypes.c_void_p
        if written.startswith("enum "):
            return ctypes.c_int
        if written.startswith("struct "):
            return self.records.get(written[7:])
        return PLAIN.get(written)

    def has(self, name: str) -> bool:
        return name in self.functions and self.find(name) is not None

    def find(self, name: str) -> Optional[Any]:
        """The function, with its types; None: there is none."""
        known = self.functions.get(name)
        if known is None:
            return None
        try:
            call = self.c[name]
        except AttributeError:
            return None
        if call.argtypes is None:
            types = [self.type(t) for t, _ in known.args]
            if any(t is None for t in types):
                return None
            call.argtypes = types
            call.restype = self.type(known.result) if known.result != "void" else None
        return call

    def new(self, record: str) -> Any:
        return self.records[record]()


def span(api: Api, data: bytes, keep: list[Any]) -> Any:
    """Octets as a span; `keep` holds their memory."""
    room = ctypes.create_string_buffer(data, max(len(data), 1))
    keep.append(room)
    return api.records["mrg_span"](ctypes.addressof(room), len(data))

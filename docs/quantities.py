#!/usr/bin/env python3
"""Renders include/ecogov/quantity.def into docs/quantities.md and drivers/kit/quantity_index.inc.

Without arguments it writes both; with --check it writes nothing and exits 1 when one of them is stale.
The look-up table is made here and not at start-up because drivers keep no mutable state.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "include/ecogov/quantity.def"
PAGE = ROOT / "docs/quantities.md"
INDEX = ROOT / "drivers/kit/quantity_index.inc"
STRING = r'"((?:[^"\\]|\\.)*)"'
ENTRY = re.compile(
    r"EG_QUANTITY\(\s*(\w+),\s*" + STRING + r",\s*(-?[\d.]+),\s*(-?[\d.]+),\s*(\d+),\s*"
    + STRING + r",\s*" + STRING + r",\s*" + STRING + r"\s*\)")


def read():
    text = re.sub(r"/\*.*?\*/", "", SOURCE.read_text(encoding="utf-8"), flags=re.S)
    entries = ENTRY.findall(text)
    rest = ENTRY.sub("", text).strip()
    if rest:
        sys.exit(f"{SOURCE}: not understood: {rest[:80]!r}")
    owner = {}
    for number, entry in enumerate(entries):
        for name in [entry[0], *entry[5].split()]:
            if name != name.lower() or len(name.encode()) > 255:
                sys.exit(f"{SOURCE}: {name!r}: names are lower case and short")
            if name in owner:
                sys.exit(f"{SOURCE}: {name!r} means both {entries[owner[name]][0]} and {entry[0]}")
            owner[name] = number
    return entries, owner


def hash_name(name):
    value = 2166136261
    for byte in name.encode():
        value = ((value ^ (byte | 0x20)) * 16777619) & 0xFFFFFFFF
    return value ^ value >> 15


def render_index(entries, owner):
    slots = 1
    while slots < 3 * len(owner):
        slots *= 2
    table, names = [None] * slots, ""
    for name, quantity in sorted(owner.items()):
        at = hash_name(name) % slots
        while table[at]:
            at = (at + 1) % slots
        table[at] = (len(names.encode()), len(name.encode()), quantity)
        names += name
    cells = ["{%d, %d, %d}" % (cell or (0, 0, 0)) for cell in table]
    lines = ["    " + ", ".join(cells[i:i + 8]) + "," for i in range(0, slots, 8)]
    text = ["    \"" + names[i:i + 96] + "\"" for i in range(0, len(names), 96)]
    return "\n".join([
        "/* Made by docs/quantities.py from include/ecogov/quantity.def; do not edit. */",
        f"#define EG_INDEX_QUANTITIES {len(entries)}",
        f"#define EG_INDEX_SLOTS      {slots}U",
        f"#define EG_INDEX_LONGEST    {max(len(name.encode()) for name in owner)}",
        "static const char index_names[] =", *text]) + ";\n" + "\n".join([
            "static const struct slot index_slots[EG_INDEX_SLOTS] = {", *lines, "};", ""])


def render_page(entries, _owner):
    lines = [
        "# Quantities", "",
        "<!-- Made by docs/quantities.py from include/ecogov/quantity.def; do not edit. -->", "",
        "What can be measured: its name, its canonical unit, the range a working sensor can report at all (a value outside",
        "is refused as implausible; limits belong to rules), and the further names by which payloads may call it. ASCII case",
        "of names does not matter.", "",
        "| name | unit | from | to | decimals | means | 中文 | also called |",
        "|---|---|---:|---:|---:|---|---|---|"]
    for name, unit, low, high, decimals, aliases, english, chinese in entries:
        also = " ".join(f"`{alias}`" for alias in aliases.split())
        lines.append(f"| `{name}` | {unit} | {low} | {high} | {decimals} | {english} | {chinese} | {also} |")
    return "\n".join(lines) + "\n"


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit("usage: quantities.py [--check]")
    entries, owner = read()
    stale = 0
    for path, text in ((PAGE, render_page(entries, owner)), (INDEX, render_index(entries, owner))):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if sys.argv[1:]:
            print(f"{path.relative_to(ROOT)} is stale: run docs/quantities.py", file=sys.stderr)
            stale = 1
        else:
            path.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Renders include/ecogov/quantity.def into docs/quantities.md.

Without arguments it writes the page; with --check it writes nothing and exits 1 when the page is stale.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "include/ecogov/quantity.def"
PAGE = ROOT / "docs/quantities.md"
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
    for entry in entries:
        for name in [entry[0], *entry[5].split()]:
            if name != name.lower() or len(name.encode()) > 255:
                sys.exit(f"{SOURCE}: {name!r}: names are lower case and short")
            if name in owner:
                sys.exit(f"{SOURCE}: {name!r} means both {owner[name]} and {entry[0]}")
            owner[name] = entry[0]
    return entries


def render_page(entries):
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
    text = render_page(read())
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    if sys.argv[1:]:
        print(f"{PAGE.relative_to(ROOT)} is stale: run docs/quantities.py", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Renders include/ecogov/quantity.def into docs/quantities.md, and daemon/conf/quality.def into a table of docs/quality.md.

Without arguments it writes the pages; with --check it writes nothing and exits 1 when one is stale.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCE = ROOT / "include/ecogov/quantity.def"
PAGE = ROOT / "docs/quantities.md"
LIMITS = ROOT / "daemon/conf/quality.def"
QUALITY = ROOT / "docs/quality.md"
LIMIT = re.compile(r"EG_QUALITY\((\w+), ([^)]*)\)")
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


def hours(text):
    return "" if text == "NONE" else f"{int(text) // 24} d" if int(text) % 24 == 0 and int(text) > 24 else f"{text} h"


def render_quality(entries):
    units = {entry[0]: entry[1] for entry in entries}
    lines = ["", "| quantity | unit | usual from | to | rise in 1 min | fall | spike | and share | stuck | bad | stuck not asked | source |",
             "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|---|"]
    source = ""
    for line in LIMITS.read_text(encoding="utf-8").splitlines():
        comment = re.fullmatch(r"/\* (.*) \*/", line)
        source = comment[1] if comment else source
        found = LIMIT.fullmatch(line)
        if not found:
            continue
        low, high, rise, fall, spike, share, stuck, bad, calm, full = ("" if x == "NONE" else x for x in found[2].split(", "))
        part = share if spike and share != "0" else ""
        apart = ", ".join(([f"{calm}"] if calm and stuck else []) + ([f"from {full}"] if full and stuck else []))
        lines.append(f"| `{found[1]}` | {units[found[1]]} | {low} | {high} | {rise} | {fall} | {spike} | {part} | {hours(stuck or 'NONE')} | {hours(bad or 'NONE')} | {apart} | {source} |")
        source = ""
    page = QUALITY.read_text(encoding="utf-8")
    begin, end = page.index("-->") + 4, page.index("<!-- end -->")
    return page[:begin] + "\n".join(lines) + "\n\n" + page[end:]


def main():
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit("usage: quantities.py [--check]")
    entries = read()
    for page, text in ((PAGE, render_page(entries)), (QUALITY, render_quality(entries))):
        if page.exists() and page.read_text(encoding="utf-8") == text:
            continue
        if sys.argv[1:]:
            print(f"{page.relative_to(ROOT)} is stale: run docs/quantities.py", file=sys.stderr)
            return 1
        page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""Renders conf/sources.d/presets into docs/devices.md.

Without arguments it writes the page; with --check it writes nothing and exits 1 when the page is stale.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRESETS = ROOT / "conf/sources.d/presets"
PAGE = ROOT / "docs/devices.md"


def read():
    rows = []
    for path in sorted(PRESETS.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        keys = dict(re.findall(r"^    (about|topic|domain|driver|codec): (.+?)(?: #.*)?$", text, re.M))
        if set(keys) < {"about", "topic", "domain", "driver"}:
            sys.exit(f"{path}: a preset here says about, topic, domain and driver")
        rows.append((path.stem, keys["about"], keys["domain"], keys["topic"].strip("'\""),
                     keys["driver"] + (f", `codec: {keys['codec']}`" if keys.get("codec", path.stem) != path.stem else "")))
    return rows


def render_page(rows):
    lines = [
        "# Devices", "",
        "<!-- Made by docs/devices.py from conf/sources.d/presets; do not edit. -->", "",
        "What is read without writing a mapping: one line under `sources:`, such as", "",
        "```yaml",
        "sources: [{id: roof, preset: airgradient, site: shangtian}]",
        "```", "",
        "A preset's own file tells more: what its devices send, and what may have to be said besides. `topic:` and every other key of a",
        "source wins over the preset's. LoRaWAN devices come by way of ChirpStack; with The Things Stack add",
        "`driver: ttn, topic: 'v3/+/devices/{device}/up'`. Where the network server decodes already, `driver: chirpstack` or `ttn` without a",
        "codec reads what it has made of the bytes. Anything else: `ecogovctl try`, and a mapping ([ecogov.yaml(5)](man/ecogov.yaml.5.scd)).", "",
        "| preset | devices | domain | usual topic | read by |", "|---|---|---|---|---|",
    ]
    lines += [f"| `{name}` | {about} | {domain} | `{topic}` | {driver} |" for name, about, domain, topic, driver in rows]
    return "\n".join(lines) + "\n"


def main():
    page = render_page(read())
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        sys.exit("docs/devices.md is stale: run docs/devices.py")


if __name__ == "__main__":
    main()

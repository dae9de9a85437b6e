#!/usr/bin/python3
"""Measures the daemon against its targets: bench.py [--json] [--quick] [NAME...]. `./dev bench` builds and calls it.

Knows the names and the table. What each bench does, its file knows; it says it with report.add(). A missed target is exit code 1."""
import argparse
import json
import sys

import alerts
import api
import bed
import drivers
import flash
import ingest
import questions
import replay
import rules
import size
import store

BENCHES = {"ingest": ingest.run, "store": store.run, "api": api.run, "flash": flash.run, "questions": questions.run,
           "size": size.run, "drivers": drivers.run, "replay": replay.run, "rules": rules.run, "alerts": alerts.run}


class Report:
    def __init__(self, as_json):
        self.as_json, self.rows = as_json, []

    def add(self, what, measured, relation, target, unit, note=""):
        """relation: ">=" or "<=", or "" where there is no target."""
        met = {">=": measured >= target, "<=": measured <= target, "": True}[relation]
        self.rows.append({"what": what, "measured": round(measured, 3), "relation": relation, "target": target, "unit": unit,
                          "met": met, "note": note})
        if not self.as_json:
            goal = f"{relation} {target:g} {unit}" if relation else ""
            verdict = ("ok" if met else "missed") if relation else ""
            print(f"{what:<48} {goal:>12} {measured:>9.2f} {unit:<3} {verdict:<7} {note}", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measures as ratios within one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=" ".join(BENCHES) + " (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the table")
    parser.add_argument("--quick", action="store_true", help="shorter and rougher, to see that it works")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"no bench '{unknown[0]}': there are {', '.join(BENCHES)}")
    report = Report(options.json)
    try:
        for name in options.names or BENCHES:
            BENCHES[name](report, options.quick)
    except bed.Failure as fault:
        print(f"bench: {fault}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"rows": report.rows}, ensure_ascii=False))
    return 0 if all(row["met"] for row in report.rows) else 1


if __name__ == "__main__":
    sys.exit(main())

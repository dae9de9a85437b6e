"""How many messages a second each driver decodes on one core, by shapes of payload, and how many instructions a message takes (callgrind, so
whatever else the machine does). JSON, SenML, line protocol and Cayenne have a target; the others are told. Knows the lines of
bench_drivers.c."""
import re
import shutil
import subprocess

import bed

TARGET = 500_000
FEW, MANY = 200, 1200


def instructions(driver, shape):
    """What one message more takes, once everything is warm."""
    def total(count):
        done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", bed.BIN / "bench_drivers", "--count", str(count),
                               driver, shape], capture_output=True, text=True, check=False)
        found = re.search(r"refs:\s+([\d,]+)", done.stderr)
        if done.returncode or not found:
            raise bed.Failure(f"bench_drivers under callgrind: {done.stderr.strip()[-300:]}")
        return int(found.group(1).replace(",", ""))
    return (total(MANY) - total(FEW)) / (MANY - FEW)


def run(report, quick):
    seconds = 0.2 if quick else 1
    done = subprocess.run([bed.BIN / "bench_drivers", str(seconds)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise bed.Failure(f"bench_drivers: {done.stderr.strip()}")
    for line in done.stdout.splitlines():
        driver, shape, rate, readings, aimed, against = line.split("\t")
        notes = [] if quick or not shutil.which("valgrind") else [f"{instructions(driver, shape):,.0f} instructions"]
        if float(against):
            notes.append(f"{against} decoded in the time of one tree of cJSON's")
        report.add(f"{driver}: {shape}, {readings} readings", float(rate) / 1000, ">=" if aimed == "1" else "", TARGET / 1000, "k/s", ", ".join(notes))

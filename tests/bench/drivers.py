"""How many messages a second each driver decodes on one core, by shapes of payload. Those of JSON, SenML, line protocol and Cayenne have a
target; the others are told. Knows the lines of bench_drivers.c."""
import subprocess

import bed

TARGET = 500_000


def run(report, quick):
    seconds = 0.2 if quick else 1
    done = subprocess.run([bed.BIN / "bench_drivers", str(seconds)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise bed.Failure(f"bench_drivers: {done.stderr.strip()}")
    for line in done.stdout.splitlines():
        driver, shape, rate, readings, aimed = line.split("\t")
        report.add(f"{driver}: {shape}, {readings} readings", float(rate) / 1000, ">=" if aimed == "1" else "", TARGET / 1000, "k/s")

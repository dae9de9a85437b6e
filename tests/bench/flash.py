"""What `commit_interval` does to the card: bytes written in a day of 100 devices that send four readings every minute.

Knows bench_flash, which makes the day. Its table is the one of docs/operations.md."""
import json
import subprocess

from bed import BIN, Failure, folder

DEVICES = 100
INTERVALS = (("100ms", 100), ("1s", 1000), ("10s", 10000), ("60s", 60000))


def day(interval_ms, hours):
    with folder() as path:
        done = subprocess.run([BIN / "bench_flash", path, str(interval_ms), str(DEVICES), str(hours)],
                              capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(done.stderr)
    return json.loads(done.stdout)


def run(report, quick):
    hours = 2 if quick else 24
    default = None
    for name, interval_ms in INTERVALS:
        found = day(interval_ms, hours)
        written = found["bytes_written"] * 24 / hours / 1e6
        each = found["bytes_written"] / found["readings"]
        default = default or written
        report.add(f"written a day, commit_interval {name}", written, "", 0, "MB",
                   f"{each:.0f} bytes a reading, {found['commits'] * 24 // hours:,} commits")
    report.add("of that of 100ms, with 60s", written / default, "<=", 0.1, "", "commit_interval really changes it")

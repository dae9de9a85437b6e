"""What `commit_interval` does to the card: bytes written in a day of 100 devices that send four readings every minute.

Knows bench_flash, which makes the day. Its table is the one of docs/operations.md."""
import json
import subprocess

from bed import BIN, Failure, folder

DEVICES = 100
INTERVALS = (("100ms", 100), ("1s", 1000), ("10s", 10000), ("60s", 60000))


def day(interval_ms, hours, *readings):
    with folder() as path:
        done = subprocess.run([BIN / "bench_flash", path, str(interval_ms), str(DEVICES), str(hours), *map(str, readings)],
                              capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(done.stderr)
    return json.loads(done.stdout)


def run(report, quick):
    hours = 2 if quick else 24
    default = slowest = None
    for name, interval_ms in INTERVALS:
        found = day(interval_ms, hours)
        written = found["bytes_written"] * 24 / hours / 1e6
        each = found["bytes_written"] / found["readings"]
        default, slowest = default or written, written
        report.add(f"written a day, commit_interval {name}", written, "", 0, "MB",
                   f"{each:.0f} bytes a reading, {found['commits'] * 24 // hours:,} commits")
    for readings, target in ((20, 400), (500, 70)):
        found = day(600000, hours, readings)
        written = found["bytes_written"]
        report.add(f"written a reading, {readings} readings a commit", written / found["readings"], "<=", target, "B",
                   f"sealing and write-backs included; write(2) had {found['handed_over'] / written:.3f} of that, "
                   f"the kernel dirtied {found['dirtied'] / written:.1f} times as much")
        if not 0.97 <= found["handed_over"] / written <= 1.03:
            raise Failure(f"said are {written} bytes, written {found['handed_over']:.0f}")
    report.add("of that of 100ms, with 60s", slowest / default, "<=", 0.1, "", "commit_interval really changes it")

"""The socket while messages pour in: how long `summary` and `cases.list` take, on a good disk and on one whose fsync takes 2 s.

Knows one operator who asks again as soon as the answer is there."""
import time

from bed import BIN, Failure, broker, daemon, folder, p99

CALLS = (("summary", {}), ("cases.list", {"limit": 100}))
PAUSE_S = 0.005  # an operator reads; else the questions are the load


def ask(line, spent):
    for method, params in CALLS:
        spent[method].append(line.timed(method, **params)[1])


def measure(seconds, messages, fsync_ms=0):
    spent = {method: [] for method, _ in CALLS}
    with folder() as path, broker(messages) as fake:
        gate = path / "gate"
        environment = {"LD_PRELOAD": str(BIN / "slow_fsync.so"), "ECOGOV_FSYNC_MS": str(fsync_ms),
                       "ECOGOV_FSYNC_GATE": str(gate)} if fsync_ms else None
        with daemon(path, fake.port, environment) as house:
            line = house.line()
            fake.go()
            while line.call("cases.list")["cases"] == []:  # all devices are there, and some are in trouble: now it counts
                pass
            gate.touch()
            before = line.call("status")
            end = time.monotonic() + seconds
            while fake.process.poll() is None and time.monotonic() < end:
                ask(line, spent)
                time.sleep(PAUSE_S)
            after = line.call("status")
            fake.stop()
            line.close()
            gate.unlink()
    if len(spent["summary"]) < 100:
        raise Failure("too few calls for a 99th percentile: the messages ended early")
    stored = after["readings"]["stored"] - before["readings"]["stored"]
    return {method: p99(times) * 1000 for method, times in spent.items()}, len(spent["summary"]), stored


def run(report, quick):
    for fsync_ms, target, where in ((0, 10, "under load"), (2000, 50, "while an fsync takes 2 s")):
        times, calls, stored = measure(3 if quick else 10, 1_000_000, fsync_ms)
        for method, ms in times.items():
            report.add(f"{method} {where}, p99", ms, "<=", target, "ms", f"{calls} calls, {stored:,} readings stored meanwhile")

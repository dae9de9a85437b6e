"""How many bytes a reading takes once it is sealed: years of real hourly data, when they are there, and of a simulated mast's minutes.

Knows the recording format and the files of $ECOGOV_SHARED/data/air (by tests/village/air_csv.py); the daemon replays them into a fresh store.
What is measured is the file as it lies there: journal and free pages included."""
import contextlib
import datetime
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import time

from bed import BIN, ROOT, Failure, folder, running

sys.path.insert(0, str(ROOT / "tests" / "village"))
import air_csv  # noqa: E402  (beside the demo, which shows the same data)

REAL = pathlib.Path(os.environ.get("ECOGOV_SHARED", ROOT.parent / "shared")) / "data" / "air"
YEARS = 2000        # days: more than the files hold
START = datetime.datetime(2025, 11, 22, 16)
QUANTITIES = (("temperature", 15, 0.1), ("humidity", 60, 0.3), ("pm25", 40, 0.5), ("soil_moisture", 25, 0.02))

CONFIGURATION = """
mqtt: {{client_id: ecogov-bench, host: 127.0.0.1, port: 1}}
socket: {{path: {store}/s}}
store: {{path: {store}/ecogov.db, max_size: 8GB, retain_raw: 0s, retain_hour: 0s, retain_day: 0s}}
time_zone: Asia/Shanghai
"""
MAST = "sites: [{id: village}]\nsources: [{id: mast, topic: 'mast/{site}/{device}', domain: air, driver: json}]\n"


def measure(path):
    """The size of the file, of its raw chunks' bodies a reading, and how many readings it holds."""
    database = sqlite3.connect(path / "ecogov.db")
    stored = database.execute("SELECT r_stored FROM turn ORDER BY seq DESC LIMIT 1").fetchone()[0]
    points, body = database.execute("SELECT sum(n), sum(length(body)) FROM chunk").fetchone()
    database.close()
    return (path / "ecogov.db").stat().st_size, body / points, stored


@contextlib.contextmanager
def serving(path):
    """The daemon over that store, until the block ends."""
    with running([BIN / "ecogovd", "-c", path / "ecogov.yaml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 30
        while subprocess.run([BIN / "ecogovctl", "-s", path / "s", "status"], capture_output=True, check=False).returncode:
            if time.monotonic() > until:
                raise Failure("the daemon does not answer")
            time.sleep(0.05)
        yield
        process.terminate()
        process.wait(60)


def imported(configuration, table):
    """As measure(), of what `ecogovctl import` brings in over the socket."""
    with folder() as path:
        path = pathlib.Path(path)
        (path / "ecogov.yaml").write_text(CONFIGURATION.format(store=path) + configuration, encoding="utf-8")
        with serving(path):
            done = subprocess.run([BIN / "ecogovctl", "-s", path / "s", "import", table, "--domain", "air"], capture_output=True, text=True,
                                  check=False)
        if done.returncode != 0:
            raise Failure(done.stderr)
        return measure(path)


def replay(configuration, lines, table=None):
    """As measure(), of a recording; what was stored goes to the file `table`."""
    with folder() as path:
        path = pathlib.Path(path)
        (path / "ecogov.yaml").write_text(CONFIGURATION.format(store=path) + configuration, encoding="utf-8")
        with open(path / "recording.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line) + "\n" for line in lines)
        done = subprocess.run([BIN / "ecogovd", "-c", path / "ecogov.yaml", "--replay", path / "recording.jsonl"], capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise Failure(done.stderr)
        found = measure(path)
        if table:
            with serving(path), open(table, "w", encoding="utf-8") as file:
                subprocess.run([BIN / "ecogovctl", "-s", path / "s", "export", "--format", "csv"], stdout=file, check=True)
        return found


def minutes(days):
    rng = random.Random(20261124)
    levels = [level for _, level, _ in QUANTITIES]
    for minute in range(days * 1440):
        at = (START + datetime.timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        payload = {"time": at}
        for i, (name, middle, step) in enumerate(QUANTITIES):
            levels[i] += rng.gauss(0, step) + (middle - levels[i]) / 600
            payload[name] = max(0, round(levels[i], 1))
        yield {"time": at, "topic": "mast/village/m1", "payload": json.dumps(payload)}


def run(report, quick):
    files = sorted(REAL.glob("*.csv.gz"))
    if files:
        real = air_csv.Replay(files, 60 if quick else YEARS, 1793000000000)
        lines = ({"time": air_csv.rfc3339(message.at_ms), "topic": message.topic, "payload": message.payload.decode()}
                 for message in real.messages)
        with folder() as aside:
            table = pathlib.Path(aside) / "real.csv"
            size, chunk, stored = replay(real.sites() + real.sources(), lines, table)
            report.add("real hourly data, replayed, the whole file", size / stored, "<=", 3.9, "B", f"{stored:,} readings, {size:,} bytes")
            report.add("real hourly data, raw chunks", chunk, "<=", 2.0, "B")
            size, chunk, stored = imported(real.sites() + real.sources(), table)
            report.add("real hourly data, imported, the whole file", size / stored, "<=", 3.9, "B", f"{stored:,} readings, {size:,} bytes")
    else:
        print(f"real hourly data: skipped, {REAL} is not there")
    days = 20 if quick else 365
    size, chunk, stored = replay(MAST, minutes(days))
    report.add(f"{days} days of minutes, the whole file", size / stored, "<=", 2.0, "B", f"{stored:,} readings, {size:,} bytes")
    report.add(f"{days} days of minutes, raw chunks", chunk, "<=", 2.0, "B")

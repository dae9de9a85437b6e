"""A year of readings in virtual time: a hundred series, one reading a minute, through `ecogovd --replay` with its rules, journal and
sealing.

Knows how to write such a recording, into a pipe since it is 1.3 GB, and to ask the kernel for the seconds of processor that took."""
import datetime
import resource
import subprocess

from bed import BIN, Failure, configuration, folder

DEVICES, QUANTITIES = 10, ("pm25", "pm10", "no2", "so2", "o3", "co", "temperature", "humidity", "pressure", "noise")
START = 1767225600  # 2026-01-01


def lines(minutes):
    for minute in range(minutes):
        at = START + minute * 60
        time = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:00.000Z")
        for device in range(DEVICES):
            v = (minute * 7 + device * 13) % 97
            values = ",".join(f'\\"{name}\\":{(1000 if name == "pressure" else 10) + v * (i + 1) / 20}' for i, name in enumerate(QUANTITIES))
            yield f'{{"time":"{time}","topic":"ecogov/v{device}/air/a{device}","payload":"{{\\"ts\\":{at},{values}}}"}}\n'


def run(report, quick):
    days = 4 if quick else 365
    with folder() as path:
        file = configuration(path, 1, path / "s")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(path / "out.txt", "w+", encoding="utf-8") as told, subprocess.Popen(
                [BIN / "ecogovd", "-c", file, "--replay", "-"], stdin=subprocess.PIPE, stdout=told, stderr=told, text=True) as replayed:
            replayed.stdin.writelines(lines(days * 1440))
            replayed.stdin.close()
            replayed.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        out = (path / "out.txt").read_text(encoding="utf-8")
    stored = days * 1440 * DEVICES * len(QUANTITIES)
    if replayed.returncode != 0 or f"stored={stored} " not in out:
        raise Failure(f"the recording was not replayed: {out[-600:]}")
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    report.add("a year of minutes, 100 series, replayed", seconds * 365 / days, "<=", 60, "s",
               f"of processor, {days} days of it replayed; {seconds * 1e9 / stored:.0f} ns a reading")

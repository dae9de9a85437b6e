"""What lies on disk: how soon a daemon with a long past answers, and what a sealed reading costs.

Knows how to make a past: a recording, poured through `ecogovd --replay`, which commits and seals as the daemon does. Refuses to count the
time that takes."""
import datetime
import statistics
import subprocess
import time

from bed import BIN, Failure, broker, configuration, daemon, folder, running

DEVICES = 1250
QUANTITIES = (("pm25", 30), ("pm10", 60), ("pm1", 20), ("no2", 25), ("o3", 80), ("co", 1), ("temperature", 21), ("humidity", 60))
STEP_S = 600


def payloads(turn):
    """A hundred different ones a round: each device gets one of them."""
    for i in range(100):
        fields = ",".join(f'\\"{name}\\":{base + (turn * 7 + i * 13 + len(name)) % 97 / 10:.1f}' for name, base in QUANTITIES)
        yield f'"payload":"{{\\"ts\\":%d,{fields}}}"}}\n'


def pour(pipe, rounds):
    begin = int(time.time()) - rounds * STEP_S
    for turn in range(rounds):
        seconds = begin + turn * STEP_S
        at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        texts = [text % seconds for text in payloads(turn)]
        pipe.write("".join(f'{{"time":"{at}","topic":"ecogov/v{device % 10}/air/d{device:04}",{texts[device % 100]}'
                           for device in range(DEVICES)))
    pipe.close()


def make_past(path, rounds):
    file = configuration(path, 1, path / "s")
    with open(path / "said", "w+", encoding="utf-8") as said:
        with running([BIN / "ecogovd", "-c", file, "--replay", "-"], stdin=subprocess.PIPE, stdout=said, text=True) as process:
            pour(process.stdin, rounds)
            code = process.wait()
        said.seek(0)
        last = said.read()[-500:]
    if code != 0 or f"stored={rounds * DEVICES * len(QUANTITIES)} " not in last:
        raise Failure(f"the past could not be made: {last}")


def run(report, quick):
    rounds = 100 if quick else 1000
    starts = []
    with folder() as path, broker(1) as fake:
        make_past(path, rounds)
        for _ in range(3):
            with daemon(path, fake.port) as house:
                starts.append(house.ready_s)
                line = house.line()
                status = line.call("status")
                line.close()
                resident = house.proc("VmRSS") / 1024
    store = status["store"]
    report.add("start, until the socket answers", statistics.median(starts), "<=", 2, "s",
               f"{DEVICES * len(QUANTITIES):,} series, {store['readings']:,} readings, {store['journal']:,} of them unsealed")
    report.add("store, bytes a reading", store["bytes"] / store["readings"], "", 0, "B")
    report.add("memory after that start", resident, "", 0, "MB", "VmRSS")

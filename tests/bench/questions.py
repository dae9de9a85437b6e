"""Questions of a long past: that what is skipped costs nothing. Ratios of the same question asked of a day and of a year.

Knows how to make both: the same village for a day and for a year, ending now, poured through `ecogovd --replay`. One device sends every
minute, the others every hour."""
import datetime
import statistics
import subprocess
import time

from bed import BIN, Failure, broker, configuration, daemon, folder, running

HOURLY = 100
ROUNDS = 400


def at(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def line(seconds, device, value):
    return (f'{{"time":"{at(seconds)}","topic":"ecogov/v{device % 10}/air/d{device:03}",'
            f'"payload":"{{\\"ts\\":{seconds},\\"pm25\\":{value % 400 / 10},\\"humidity\\":{50 + value % 97 / 10}}}"}}\n')


def pour(pipe, days, end):
    for minute in range(days * 1440):
        seconds = end - days * 86400 + minute * 60
        pipe.write(line(seconds, 0, minute * 7919 % 311))
        if minute % 60 == 0:
            pipe.write("".join(line(seconds, device, minute // 60 + device * 13) for device in range(1, HOURLY)))
    pipe.close()


def make(path, days, end):
    file = configuration(path, 1, path / "s")
    with open(path / "said", "w+", encoding="utf-8") as said:
        with running([BIN / "ecogovd", "-c", file, "--replay", "-"], stdin=subprocess.PIPE, stdout=said, text=True) as process:
            pour(process.stdin, days, end)
            code = process.wait()
        said.seek(0)
        last = said.read()[-500:]
    if code != 0 or f"stored={days * 2 * (1440 + 24 * (HOURLY - 1))} " not in last:
        raise Failure(f"the past could not be made: {last}")


def ask(question, rounds=ROUNDS):
    """The median of many, in ms, and what the answers were like."""
    times = []
    for _ in range(rounds):
        answer, seconds = question()
        times.append(seconds * 1000)
    return statistics.median(times), answer


def questions(socket, end):
    """name → (ms, rows)"""
    hour = {"device": "d000", "quantity": "pm25", "resolution": "raw", "limit": 1000, "from": at(end - 7200), "to": at(end - 3600)}
    minutes, answer = ask(lambda: socket.timed("readings.history", **hour))
    found = {"history": (minutes, len(answer["points"]))}
    summary, answer = ask(lambda: socket.timed("summary"), ROUNDS // 4)
    found["summary"] = (summary, len(answer["sites"]))
    return found


def wide(report, socket, days, end):
    """A year in one question: by itself it becomes days, and a month hours."""
    for name, span, resolution in (("a day", 1, "raw"), ("a month", 30, "hour"), (f"{days} days", days, "day")):
        params = {"device": "d000", "quantity": "pm25", "limit": 1000, "from": at(end - span * 86400), "to": at(end)}
        ms, answer = ask(lambda p=params: socket.timed("readings.history", **p), 50)
        if answer["resolution"] != resolution:
            raise Failure(f"{name} was answered by {answer['resolution']}")
        report.add(f"history of {name}, by {resolution}", ms, "", 0, "ms", f"first page, {len(answer['points'])} rows")


def run(report, quick):
    days = 90 if quick else 365
    end = int(time.time()) // 60 * 60
    found = {}
    for span in (1, days):
        with folder() as path, broker(1) as fake:
            make(path, span, end)
            with daemon(path, fake.port) as house:
                socket = house.line()
                found[span] = questions(socket, end)
                journal = socket.call("status")["store"]["journal"]
                if span == days:
                    wide(report, socket, days, end)
                socket.close()
    for name, target, about in (("history", 2, "an hour of one series"), ("summary", 1.5, f"{HOURLY} devices")):
        short, rows = found[1][name]
        long, rows_of_long = found[days][name]
        if rows != rows_of_long or not rows:
            raise Failure(f"{name}: {rows} rows of a day, {rows_of_long} of {days} days")
        report.add(f"{name}: {days} days kept, to one", long / short, "<=", target, "",
                   f"{about}: {long:.2f} ms to {short:.2f} ms; {journal:,} readings unsealed")

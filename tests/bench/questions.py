"""Questions of a long past: that what is skipped costs nothing, and what they take out of a hundred million readings.

Knows how to make the pasts: the same village for a day and for a year, ending now, poured through `ecogovd --replay` (one device sends every
minute, the others every hour), for ratios; and, by bench_past, ten thousand series with more than a year of hours."""
import datetime
import random
import statistics
import subprocess
import time

from bed import BIN, Failure, broker, configuration, daemon, folder, running

HOURLY = 100
ROUNDS = 400
DEVICES, DAYS, MINUTELY = 1250, 380, 17  # of bench_past: eight quantities an hour each, and so many series that send every minute


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


def sweep(socket):
    """Every series' last 24 hours, page by page: what it took, the slowest page, how many pages and series."""
    began, slowest, pages, rows, cursor = time.perf_counter(), 0, 0, 0, {}
    while cursor is not None:
        answer, seconds = socket.timed("readings.statistics", limit=10000, **cursor)
        slowest, pages, rows = max(slowest, seconds), pages + 1, rows + len(answer["series"])
        cursor = {"cursor": answer["next"]} if answer["next"] else None
    return (time.perf_counter() - began) * 1000, slowest * 1000, pages, rows


def at_scale(report, quick):
    devices = DEVICES // 10 if quick else DEVICES
    end = int(time.time()) // 60 * 60
    with folder() as path, broker(1) as fake:
        done = subprocess.run([BIN / "bench_past", path, str(devices), str(DAYS), str(MINUTELY), str(end * 1000)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(done.stderr)
        stored, series = int(done.stdout), devices * 8 + MINUTELY
        with daemon(path, fake.port) as house:
            socket = house.line()
            if socket.call("status")["store"]["readings"] != stored:
                raise Failure("not every reading is there")
            chance = random.Random(20261126)

            def day():
                begin = end - chance.randrange(2, DAYS - 1) * 86400
                return socket.timed("readings.history", device=f"m{chance.randrange(MINUTELY):04}", quantity="pm25", resolution="raw",
                                    limit=5000, **{"from": at(begin), "to": at(begin + 86400)})

            def year():
                return socket.timed("readings.history", device=f"d{chance.randrange(devices):04}", quantity="no2", resolution="day",
                                    limit=5000, **{"from": at(end - 365 * 86400), "to": at(end)})

            of = f"of {stored:,} readings of {series:,} series"
            ms, answer = ask(day, 100)
            if len(answer["points"]) != 1440:
                raise Failure(f"a day of minutes has {len(answer['points'])} readings")
            report.add("a day of one series, by the minute", ms, "<=", 5, "ms", of)
            ms, answer = ask(year, 100)
            if len(answer["points"]) not in (365, 366):
                raise Failure(f"a year has {len(answer['points'])} days")
            report.add("a year of one series, by day", ms, "<=", 20, "ms", of)
            first_ms, slowest_ms, pages, rows = sweep(socket)
            times = [sweep(socket) for _ in range(10)]
            if rows != series or times[0][2:] != ((rows + 9999) // 10000, series):
                raise Failure(f"{rows} of {series} series have a mean")
            report.add("the 24 h mean of every series, at once", statistics.median(ms for ms, _, _, _ in times), "<=", 100, "ms",
                       f"{series:,} series; the first time {first_ms:.0f} ms in {pages} pages of {slowest_ms:.0f} ms at most")
            report.add("summary", ask(lambda: socket.timed("summary"), 20)[0], "", 0, "ms", f"{devices + MINUTELY:,} devices, {of}")
            socket.close()


def windows(report, quick):
    done = subprocess.run([BIN / "bench_window", "200000" if quick else "2000000"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure("bench_window failed")
    cost = {int(minutes): float(ns) for minutes, ns in (line.split() for line in done.stdout.splitlines())}
    hour, day, month = cost[60], cost[24 * 60], cost[30 * 24 * 60]
    report.add("a reading in a window of 30 d, to one of 1 h", month / hour, "<=", 2, "",
               f"a mean by the minute: {month:.0f} ns to {hour:.0f} ns; 24 h: {day:.0f} ns")


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
    for name, target, about in (("history", 1.5, "an hour of one series"), ("summary", 1.5, f"{HOURLY} devices")):
        short, rows = found[1][name]
        long, rows_of_long = found[days][name]
        if rows != rows_of_long or not rows:
            raise Failure(f"{name}: {rows} rows of a day, {rows_of_long} of {days} days")
        report.add(f"{name}: {days} days kept, to one", long / short, "<=", target, "",
                   f"{about}: {long:.2f} ms to {short:.2f} ms; {journal:,} readings unsealed")
    at_scale(report, quick)
    windows(report, quick)

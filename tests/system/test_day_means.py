"""The mean of a day is that of its hours, and the same wherever it is told: a device that reports by the hour, and each half minute in smoke. The
recording is played into the store, then the daemon is asked under a clock that shows the end of that day, and the next one."""
import collections
import csv
import datetime
import io
import itertools
import json
import sqlite3
import subprocess

import pytest

from clock import Clock
from house import BIN, ecogovd

SMOKE, LATE = 13, 3  # hours of the day: of the burst, and the one that comes at the end


def utc(ms):
    return f"{datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def burst(start, hours):
    """(ms, value) of a local day."""
    rows = []
    for hour in range(hours):
        at = start + hour * 3600000
        if hour == SMOKE:
            rows += [(at + half * 30000, round(300.1 + half / 7, 1)) for half in range(120)]
        else:
            rows.append((at + 300000, 20.3 + hour / 10))
    return [row for row in rows if (row[0] - start) // 3600000 != LATE] + [row for row in rows if (row[0] - start) // 3600000 == LATE]


def mean_of_hours(rows):
    hours = collections.defaultdict(list)
    for ms, value in rows:
        hours[ms // 3600000].append(value)
    return sum(sum(values) / len(values) for values in hours.values()) / len(hours)


def play(daemon, tmp_path, rows):
    recording = tmp_path / "rows.jsonl"
    arrived = itertools.accumulate((ms for ms, _ in rows), max)
    lines = [{"time": utc(at), "topic": f"ecogov/{where}", "payload": json.dumps({"ts": ms, "pm25": value})}
             for at, (ms, value) in zip(arrived, rows) for where in ("v1/air/a1", *(["v2/air/a2"] if value < 100 else []))]
    recording.write_text("\n".join(map(json.dumps, lines)) + "\n")
    done = ecogovd("-c", daemon.config, "--replay", recording)
    assert done.returncode == 0, done.stderr


def sql(daemon, query):
    done = subprocess.run(["sqlite3", "-readonly", "-csv", daemon.folder / "ecogov.db", "-cmd", f".load {BIN.parent}/lib/ecogov", query],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return list(csv.reader(io.StringIO(done.stdout)))


def summary_mean(daemon, site, **params):
    sites = {one["site"]: one for one in daemon.call("summary", **params)["sites"]}
    return next(one["mean"] for one in sites[site]["domains"]["air"]["day"] if one["quantity"] == "pm25")


def history_mean(daemon, start, end):
    points = daemon.call("readings.history", device="a1", quantity="pm25", resolution="day", **{"from": utc(start), "to": utc(end)})["points"]
    assert [point["time"] for point in points] == [utc(start)]
    return points[0]["mean"]


def statistics_mean(daemon, start, end):
    return daemon.call("series.statistics", device="a1", quantity="pm25", per="day", statistics="mean",
                       **{"from": utc(start), "to": utc(end)})["periods"][0]["mean"]


# of a year that is ahead: a clock that shows an earlier time than that of the program's making is not believed
@pytest.mark.parametrize("zone,start,hours", [("Asia/Shanghai", 1932134400000, 24), ("Europe/Berlin", 1932591600000, 23),
                                              ("Europe/Berlin", 1950732000000, 25)])
def test_the_mean_of_a_day_is_that_of_its_hours_wherever_it_is_told(house, tmp_path, zone, start, hours):
    daemon, clock, end = house(time_zone=zone), Clock(tmp_path / "clock"), start + hours * 3600000
    clock.under(daemon)
    rows = burst(start, hours)
    wanted = mean_of_hours(rows)
    assert 31 < wanted < 36 and 200 < sum(value for _, value in rows) / len(rows)
    play(daemon, tmp_path, burst(start - 86400000, 1) + rows)

    clock.set(wrong_s=end / 1000 - 600 - datetime.datetime.now().timestamp(), synchronised=True)
    daemon.start()
    mean = summary_mean(daemon, "v1")
    assert mean == pytest.approx(wanted, abs=1e-9)
    assert history_mean(daemon, start, end) == mean
    assert statistics_mean(daemon, start, end) == mean
    told = daemon.call("readings.statistics", device="a1", hours=hours - 1)["series"]
    assert [(row["mean"], row["hours"]) for row in told] == [(mean, hours)]
    other = summary_mean(daemon, "v2")
    assert summary_mean(daemon, "county") == pytest.approx((mean + other) / 2, abs=1e-9)  # of stations, not of their readings
    assert summary_mean(daemon, "v1", at=utc(end - 600001)) == mean
    daemon.stop()

    play(daemon, tmp_path, burst(end, 2))
    clock.set(wrong_s=end / 1000 + 3 * 3600 - datetime.datetime.now().timestamp())
    daemon.start()
    assert history_mean(daemon, start, end) == mean
    assert statistics_mean(daemon, start, end) == mean
    assert summary_mean(daemon, "v1", at=utc(end - 1)) == mean
    rows = sql(daemon, f"SELECT mean, sum/count, count FROM ecogov_days WHERE device='a1' AND start_ms={start}")
    assert [float(rows[0][0]), int(rows[0][2])] == [float(f"{mean:.15g}"), hours + 119] and float(rows[0][1]) > 200
    every = sql(daemon, "SELECT start_ms, mean FROM ecogov_days WHERE device='a1'")  # the hours are read along with the days
    assert [float(row[1]) for row in every if int(row[0]) == start] == [float(f"{mean:.15g}")] and len(every) == 2
    page = daemon.call("readings.history", device="a1", quantity="pm25", resolution="day", limit=1, **{"from": utc(start - 86400000), "to": utc(end)})
    assert len(page["points"]) == 1 and page["points"][0]["mean"] == pytest.approx(20.3)
    page = daemon.call("readings.history", device="a1", quantity="pm25", resolution="day", limit=1, cursor=page["next"],
                       **{"from": utc(start - 86400000), "to": utc(end)})
    assert [(point["time"], point["mean"]) for point in page["points"]] == [(utc(start), mean)] and page["next"] is None


def test_where_its_hours_are_gone_a_day_is_told_by_its_readings(house, tmp_path):
    """As after `store.retain_hour`."""
    start, daemon = 1750003200000, house()
    rows = burst(start, 24)
    play(daemon, tmp_path, rows + burst(start + 86400000, 2))
    with sqlite3.connect(daemon.folder / "ecogov.db") as db:
        for table in ("rollup", "bucket"):
            db.execute(f"DELETE FROM {table} WHERE period=0")  # noqa: S608
    db.close()
    daemon.start()
    told = history_mean(daemon, start, start + 86400000)
    assert told == pytest.approx(sum(value for _, value in rows) / len(rows))
    assert sql(daemon, f"SELECT mean=sum/count FROM ecogov_days WHERE device='a1' AND start_ms={start}") == [["1"]]

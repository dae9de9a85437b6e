"""How much of an hour and of a day is known is the same wherever it is told, for devices that report often or seldom, lose messages, stop for a while,
become faster or slower; and so many hours of each are valid as a monitoring centre would count."""
import datetime
import itertools
import json
import random

import pytest

from clock import Clock
from house import ecogovd
from test_day_means import utc

HOUR, MINUTE = 3600000, 60000
# The day before is the same, so at midnight "faster" becomes slower: two hours until it is believed.
WAYS = {  # device: (ms of its readings by the start and the hours of the day, hours of the day that are valid: from, to)
    "minute": (lambda start, hours: range(start, start + hours * HOUR, MINUTE), (0, 0)),
    "hourly": (lambda start, hours: range(start + 7 * MINUTE, start + hours * HOUR, HOUR), (0, 0)),
    "seldom": (lambda start, hours: range(start + 7 * MINUTE, start + hours * HOUR, 3 * HOUR), (23, 25)),
    "faster": (lambda start, hours: [*range(start, start + 12 * HOUR, 30 * MINUTE), *range(start + 12 * HOUR, start + hours * HOUR, MINUTE)], (2, 2)),
    "slower": (lambda start, hours: [*range(start, start + 12 * HOUR, MINUTE), *range(start + 12 * HOUR, start + hours * HOUR, 30 * MINUTE)], (2, 2)),
    "lossy": (lambda start, hours: [ms for n, ms in enumerate(range(start, start + hours * HOUR, 5 * MINUTE)) if n % 5], (0, 0)),
    "halves": (lambda start, hours: [ms for ms in range(start, start + hours * HOUR, MINUTE) if (ms - start) % HOUR < HOUR // 2], (23, 25)),
    "outage": (lambda start, hours: [ms for ms in range(start, start + hours * HOUR, MINUTE) if not 5 * HOUR <= ms - start - 30 * MINUTE < 3 * HOUR + 5 * HOUR],
               (4, 4)),
    "full": (lambda start, hours: [ms - 40 + 80 * (ms // MINUTE % 2) for ms in range(start + MINUTE, start + hours * HOUR, MINUTE)], (0, 0)),
    "twice": (lambda start, hours: sorted([*range(start, start + hours * HOUR, 10 * MINUTE), *range(start + 3000, start + hours * HOUR, 10 * MINUTE)]), (0, 0)),
    "alarm": (lambda start, hours: sorted({*range(start, start + hours * HOUR, 15 * MINUTE), *(ms for ms in range(start, start + hours * HOUR, MINUTE) if
                                            (ms - start) // HOUR % 6 < 3 and ms // MINUTE % 15 < 5)}), (0, 0)),
    "morning": (lambda start, hours: [start + 8 * HOUR - 2 * MINUTE, *range(start + 9 * HOUR, start + 18 * HOUR, MINUTE)], (14, 16)),
    "burst": (lambda start, hours: sorted({*range(start + 9 * MINUTE, start + hours * HOUR, HOUR), *range(start + 9 * HOUR, start + 11 * HOUR, 30000)}), (0, 0)),
}


def play(daemon, tmp_path, start, hours, chance):
    recording = tmp_path / "rows.jsonl"
    rows = [(ms, device) for device, (way, _) in WAYS.items() for day in (start - 24 * HOUR, start)
            for ms in way(day, 24 if day < start else hours)]
    rows.sort()
    late = [row for row in rows if chance.random() < 0.2]
    rows = [row for row in rows if row not in set(late)] + late
    arrived = itertools.accumulate((ms for ms, _ in rows), max)
    recording.write_text("\n".join(
        json.dumps({"time": utc(at), "topic": f"ecogov/v1/air/{device}", "payload": json.dumps({"ts": ms, "pm25": 10 + ms // MINUTE % 7})})
        for at, (ms, device) in zip(arrived, rows)) + "\n")
    done = ecogovd("-c", daemon.config, "--replay", recording)
    assert done.returncode == 0, done.stderr


def told(daemon, device, start, end):
    span = {"from": utc(start), "to": utc(end)}
    found = {}
    for per in ("hour", "day"):
        points = daemon.call("readings.history", device=device, quantity="pm25", resolution=per, **span)["points"]
        periods = daemon.call("series.statistics", device=device, quantity="pm25", per=per, statistics="count", **span)["periods"]
        for point, period in zip(points, periods, strict=True):
            assert (point["time"], point["valid"]) == (period["time"], period["valid"]), device
            assert point["completeness"] == pytest.approx(period["completeness"], abs=1e-4), (device, per, point["time"])
        found[per] = points
    return found


@pytest.mark.parametrize("zone,start,hours", [("Asia/Shanghai", 1932134400000, 24), ("Europe/Berlin", 1932591600000, 23),
                                              ("Europe/Berlin", 1950732000000, 25)])
def test_what_is_known_is_the_same_wherever_it_is_told(house, tmp_path, zone, start, hours):
    devices = [{"id": device, "site": "v1", "domain": "air"} for device in WAYS]
    daemon, clock, end = house(time_zone=zone, devices=devices), Clock(tmp_path / "clock"), start + hours * HOUR
    clock.under(daemon)
    play(daemon, tmp_path, start, hours, random.Random(hours))

    clock.set(wrong_s=end / 1000 - 30 - datetime.datetime.now().timestamp(), synchronised=True)
    daemon.start()
    for way in ("open", "after a restart", "at a past time"):
        found = {device: told(daemon, device, start, end) for device in WAYS}
        for device, (_, (least, most)) in WAYS.items():
            lost = hours - sum(point["valid"] for point in found[device]["hour"])
            assert least <= lost <= most, (way, device, [point["time"] for point in found[device]["hour"] if not point["valid"]])
            assert found[device]["day"][0]["valid"] == (hours - lost >= 20), (way, device)
        at = {"at": utc(end - 30000)} if way == "at a past time" else {}
        day = next(one for one in daemon.call("summary", site="v1", **at)["sites"][0]["domains"]["air"]["day"] if one["quantity"] == "pm25")
        assert day["completeness"] == pytest.approx(sum(one["day"][0]["completeness"] for one in found.values()) / len(WAYS), abs=0.002), way
        counts = {row["device"]: row["valid_hours"] for row in daemon.call("readings.statistics", hours=hours - 1)["series"]}
        assert counts == {device: sum(point["valid"] for point in one["hour"]) for device, one in found.items()}, way
        if way == "open":
            daemon.stop()
            daemon.start()

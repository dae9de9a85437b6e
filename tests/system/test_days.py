"""Local days and hours, where the zone's clocks change. Some days are played into the store; the store is then questioned."""
import datetime
import json
import subprocess

import pytest

from house import BIN, ecogovd

HOUR = datetime.timedelta(hours=1)


def played(house, tmp_path, zone, first, hours):
    """A reading of 1 on every full hour from `first` (UTC) on."""
    at = datetime.datetime.fromisoformat(first)
    recording = tmp_path / "hours.jsonl"
    lines = [json.dumps({"time": f"{at + n * HOUR:%Y-%m-%dT%H:%M:%SZ}", "topic": "ecogov/v1/air/a1", "payload": '{"pm25": 1}'})
             for n in range(hours)]
    recording.write_text("\n".join(lines) + "\n")
    daemon = house(time_zone=zone)
    done = ecogovd("-c", daemon.config, "--replay", recording)
    assert done.returncode == 0, done.stderr
    return daemon.start()


def buckets(daemon, resolution, since, until):
    answer = daemon.call("readings.history", device="a1", quantity="pm25", resolution=resolution, **{"from": since, "to": until})
    return [(point["time"], point["count"]) for point in answer["points"]]


@pytest.mark.parametrize("zone,first,days", [
    ("Asia/Shanghai", "2026-11-20T16:00:00",
     [("2026-11-20T16:00:00.000Z", 24), ("2026-11-21T16:00:00.000Z", 24), ("2026-11-22T16:00:00.000Z", 24)]),
    ("Europe/Berlin", "2026-10-23T22:00:00",
     [("2026-10-23T22:00:00.000Z", 24), ("2026-10-24T22:00:00.000Z", 25), ("2026-10-25T23:00:00.000Z", 24)]),
    ("Europe/Berlin", "2026-03-27T23:00:00",
     [("2026-03-27T23:00:00.000Z", 24), ("2026-03-28T23:00:00.000Z", 23), ("2026-03-29T22:00:00.000Z", 24)]),
    # clocks go forward at midnight: the day begins at one o'clock
    ("America/Santiago", "2026-09-05T04:00:00",
     [("2026-09-05T04:00:00.000Z", 24), ("2026-09-06T04:00:00.000Z", 23), ("2026-09-07T03:00:00.000Z", 24)]),
])
def test_days_where_clocks_change(house, tmp_path, zone, first, days):
    daemon = played(house, tmp_path, zone, first, sum(count for _, count in days) + 3)
    assert buckets(daemon, "day", days[0][0], days[-1][0]) == days[:2]  # `to` is exclusive
    assert buckets(daemon, "day", days[0][0], "2027-01-01T00:00:00Z")[:3] == days


def test_an_hour_that_is_there_twice_is_told_apart(house, tmp_path):
    """Where clocks are set back two hours have the same name; where they are set forward one is left out."""
    daemon = played(house, tmp_path, "Europe/Berlin", "2026-10-24T22:00:00", 6)
    shown = subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, "history", "v1/air/a1", "pm25", "--resolution", "hour", "--from",
                            "2026-10-24T22:00:00Z"], capture_output=True, text=True, check=True, timeout=60).stdout
    times = [line[:19].removeprefix("2026-").split("  ")[0].strip() for line in shown.splitlines() if "10-25 " in line]
    assert times == ["10-25 00:00", "10-25 01:00", "10-25 02:00 +02:00", "10-25 02:00 +01:00", "10-25 03:00", "10-25 04:00"], shown


def test_hours_of_a_zone_off_by_45_minutes(house, tmp_path):
    daemon = played(house, tmp_path, "Asia/Kathmandu", "2026-11-20T00:00:00", 6)
    assert buckets(daemon, "hour", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z")[:2] == [
        ("2026-11-19T23:15:00.000Z", 1), ("2026-11-20T00:15:00.000Z", 1)]


def test_a_reading_at_midnight_belongs_to_the_new_day(house, tmp_path):
    daemon = played(house, tmp_path, "Asia/Shanghai", "2026-11-20T15:00:00", 3)
    assert buckets(daemon, "day", "2026-11-19T16:00:00Z", "2026-11-25T00:00:00Z") == [
        ("2026-11-19T16:00:00.000Z", 1), ("2026-11-20T16:00:00.000Z", 2)]

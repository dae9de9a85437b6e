"""Quality control as a user sees it: what is found stands among the flags, what is bad is in no statistic, a late reading changes what is
found, nothing of it is lost or counted twice by a restart."""
import datetime
import json
import sqlite3
import time

from house import PM25_RULE

STRICT = {"set_aside": "suspect", "limits": [{"quantity": "pm25", "step": 100, "spike": 0}]}


def minutes_ago(minutes):
    return int((time.time() - 60 * minutes) * 1000) // 60000 * 60000


def tell(peer, ms, **values):
    peer.tell("ecogov/v1/air/a1", json.dumps({"ts": ms, **values}))


def raw(daemon):
    points = daemon.call("readings.history", device="a1", quantity="pm25", **{"from": "-3h"}, resolution="raw")["points"]
    return [(point["value"], point["flags"]) for point in points]


def today(daemon):
    cell = next(site for site in daemon.call("summary")["sites"] if site["site"] == "v1")["domains"]["air"]
    return next(row for row in cell["day"] if row["quantity"] == "pm25"), cell


def hours(daemon):
    points = daemon.call("readings.history", device="a1", quantity="pm25", **{"from": "-3h"}, resolution="hour")["points"]
    return sum(point["count"] for point in points), max(point["max"] for point in points)


def test_a_step_is_set_aside_and_comes_back(daemon, peer):
    daemon.configure(quality=STRICT)
    daemon.reload()
    start = minutes_ago(20)
    for minute, value in enumerate([10, 300, 12]):
        tell(peer, start + minute * 60000, pm25=value)
    daemon.stored(3)
    assert raw(daemon) == [(10, []), (300, ["step", "bad"]), (12, [])]
    assert hours(daemon) == (2, 12)
    # What came between makes it believable, and the fall from it no longer.
    tell(peer, start + 20000, pm25=100)
    tell(peer, start + 40000, pm25=200)
    daemon.stored(5)
    assert raw(daemon) == [(10, []), (100, []), (200, []), (300, ["requalified"]), (12, ["step", "bad", "requalified"])]
    assert hours(daemon) == (4, 300)
    status = daemon.status()["readings"]
    assert (status["decoded"], status["stored"], status["corrected"]) == (5, 5, 0)
    assert daemon.status()["store"]["readings"] == 5
    before = raw(daemon), hours(daemon)
    daemon.kill()
    daemon.start()
    assert (raw(daemon), hours(daemon)) == before
    exported = [(row[5], row[7]) for row in daemon.export(quantity="pm25")]
    assert exported[-1] == (12, ["step", "bad", "requalified"])
    daemon.stop()
    daemon.verify()


def test_a_fire_that_a_slow_sensor_sees_once(broker, house, peer):
    """Every quarter of an hour, and one reading of it: in doubt as soon as the next is there, and used; the case goes on. Set aside, it is in nothing, and people are told."""
    daemon = house(broker.port, rules=[PM25_RULE], parties=[]).start()
    daemon.connected()
    start = minutes_ago(120)
    for quarter, value in enumerate([30, 400]):
        tell(peer, start + quarter * 900000, pm25=value)
    daemon.stored(2)
    assert raw(daemon) == [(30, []), (400, [])]
    (case,) = daemon.cases()
    daemon.kill()
    daemon.start()
    daemon.connected()
    tell(peer, start + 2 * 900000, pm25=32)
    daemon.stored(3)
    assert raw(daemon) == [(30, []), (400, ["requalified", "spike"]), (32, [])]
    assert hours(daemon)[1] == 400
    (after,) = daemon.cases()
    assert (after["id"], after["handling"], after["peak"]["value"], after["condition"]) == (case["id"], "open", 400, "ok")
    daemon.configure(quality={"set_aside": "suspect"})
    daemon.reload()
    daemon.connected()
    for quarter, value in enumerate([31, 420, 29]):
        tell(peer, start + (3 + quarter) * 900000, pm25=value)
        daemon.stored(4 + quarter)
    assert raw(daemon)[4] == (420, ["bad", "requalified", "spike"])
    assert hours(daemon) == (5, 400)
    (period,) = daemon.call("series.statistics", device="a1", quantity="pm25", statistics="count,max", **{"from": "-3h"})["periods"]
    assert (period["count"], period["max"], period["suspect"], period["set_aside"]) == (5, 400, 1, 1)
    status = daemon.status()["readings"]
    assert (status["decoded"], status["stored"], status["corrected"], daemon.status()["store"]["readings"]) == (6, 6, 0, 6)
    before = raw(daemon), hours(daemon)
    daemon.kill()
    daemon.start()
    assert (raw(daemon), hours(daemon)) == before
    assert [row[7] for row in daemon.export(quantity="pm25")][4] == ["bad", "requalified", "spike"]
    daemon.stop()
    daemon.verify()


def test_within_a_message_and_in_the_summary(daemon, peer):
    tell(peer, minutes_ago(2), pm25=80, pm10=40, humidity=97)
    tell(peer, minutes_ago(1), pm25=30, pm10=40, humidity=50)
    daemon.stored(6)
    assert raw(daemon) == [(80, ["inconsistent", "humid"]), (30, [])]
    row, cell = today(daemon)
    if row["count"] == 2:  # else midnight has passed between
        assert (row["suspect"], row["set_aside"], row["max"]) == (1, 0, 80)
    assert cell["devices"]["suspect"] == 0
    period = daemon.call("series.statistics", device="a1", quantity="pm10", **{"from": "-3h"})["periods"][0]
    assert (period["count"], period["suspect"], period["set_aside"]) == (2, 1, 0)
    daemon.stop()
    daemon.verify()


def test_a_sensor_that_stands_still(daemon, peer):
    daemon.configure(quality={"limits": [{"quantity": "pm25", "stuck": "3h"}]})
    daemon.reload()
    start = minutes_ago(235)
    for minute in range(0, 235, 5):
        tell(peer, start + minute * 60000, pm25=17)
    daemon.stored(47)
    found = raw(daemon)
    assert found[-1] == (17, ["stuck"]) and found[0] == (17, [])
    cell = today(daemon)[1]
    assert cell["devices"]["suspect"] == 1 and cell["latest"][0]["flags"] == ["stuck"]
    assert hours(daemon)[1] == 17  # in doubt, and used
    tell(peer, minutes_ago(0), pm25=17.5)
    daemon.stored(48)
    assert today(daemon)[1]["devices"]["suspect"] == 0


def test_a_calibration_and_what_it_leaves_alone(daemon, peer):
    device = {"id": "a1", "site": "v1", "calibration": [{"quantity": "pm25", "scale": 1.5, "offset": -2}]}
    start = minutes_ago(20)
    tell(peer, start, pm25=20)
    daemon.stored(1)
    daemon.configure(devices=[device])
    daemon.reload()
    tell(peer, start, pm25=20)  # again: a duplicate, no correction
    tell(peer, start + 60000, pm25=20, pm10=30)
    daemon.stored(3)
    assert raw(daemon) == [(20, []), (28, ["calibrated"])]
    latest = {row["quantity"]: row for row in daemon.call("readings.latest", device="a1")}
    assert (latest["pm25"]["value"], latest["pm25"]["original"]) == (28, 20) and "original" not in latest["pm10"]
    device["calibration"][0]["scale"] = 2
    daemon.configure(devices=[device])
    daemon.kill()
    daemon.start()
    tell(peer, start + 60000, pm25=20)  # under another calibration, after a kill
    tell(peer, start + 120000, pm25=20)
    daemon.stored(4)
    points = daemon.call("readings.history", device="a1", quantity="pm25", **{"from": "-1h"}, resolution="raw")["points"]
    assert [(point["value"], point.get("original")) for point in points] == [(20, None), (28, 20), (38, 20)]
    readings = daemon.status()["readings"]
    assert (readings["duplicate"], readings["corrected"]) == (2, 0)
    with sqlite3.connect(daemon.folder / "ecogov.db") as db:
        assert db.execute("SELECT device, quantity, scale, offset FROM v_calibrations ORDER BY since_ms").fetchall() == [
            ("a1", "pm25", 1.5, -2), ("a1", "pm25", 2, -2)]
    daemon.stop()
    daemon.verify()


def test_what_is_valid(daemon, peer):
    """Ten minutes of an hour are no hour; asked of less, they are. The hour before last is whole for any zone of whole hours."""
    start = minutes_ago(0) // 3600000 * 3600000 - 2 * 3600000
    for minute in range(60):
        tell(peer, start + minute * 60000, pm25=20 + minute % 7)
    for minute in range(10):
        tell(peer, start + (60 + minute) * 60000, pm25=20 + minute % 7)
    daemon.stored(70)

    def told(**rest):
        points = daemon.call("readings.history", device="a1", quantity="pm25", **{"from": "-4h"}, resolution="hour")["points"]
        return [point["valid"] for point in points]

    assert told() == [True, False]
    row = daemon.call("readings.statistics", hours=4)["series"][0]
    assert (row["hours"], row["valid_hours"], row["valid"]) == (2, 1, False)
    day = daemon.call("series.statistics", device="a1", quantity="pm25", **{"from": "-4h"}, per="year")["periods"]
    assert [period["valid"] for period in day] == [False] * len(day) and len(day) in (1, 2)
    assert today(daemon)[0]["valid"] is False
    daemon.configure(validity={"hour": "10m", "day": 1})
    daemon.reload()
    assert told() == [True, True]
    row = daemon.call("readings.statistics", hours=4)["series"][0]
    assert (row["hours"], row["valid_hours"], row["valid"]) == (2, 2, True)


def hj212(ms, marked):
    """A frame of a station's values now, with a checksum."""
    shown = (datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc) + datetime.timedelta(hours=8)).strftime("%Y%m%d%H%M%S")
    segment = f"QN={shown}000;ST=22;CN=2011;PW=123456;MN=EG0001;Flag=5;CP=&&DataTime={shown};{marked}&&"
    crc = 0xFFFF
    for byte in segment.encode():
        crc = crc >> 8 ^ byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return f"##{len(segment):04d}{segment}{crc:04X}\r\n"


def test_what_a_station_doubts_itself_counts_and_is_judged(broker, house, peer):
    """An analyser over its range (T), a value entered by hand (S): stored, marked, told as doubtful, and a case; a mark stays when late readings have the series looked at again."""
    sources = [{"id": "stations", "topic": "ecogov/{site}/{domain}/{device}", "driver": "hj212"}]
    daemon = house(broker.port, rules=[PM25_RULE], sources=sources, parties=[]).start()
    daemon.connected()
    start = minutes_ago(20)

    def station(minute, marked):
        peer.tell("ecogov/v1/air/a1", hj212(start + minute * 60000, marked))

    station(0, "a34004-Rtd=20,a34004-Flag=N")
    station(4, "a34004-Rtd=400,a34004-Flag=T")
    station(5, "a34004-Rtd=410,a34004-Flag=D")
    station(6, "a34004-Rtd=280,a34004-Flag=S")
    daemon.stored(3)
    (case,) = daemon.cases()
    assert (case["peak"]["value"], case["last"]["value"]) == (400, 280)
    station(2, "a34004-Rtd=30,a34004-Flag=N")
    daemon.stored(4)
    kept = [(20, []), (30, []), (400, ["range"]), (280, ["inconsistent"])]
    assert raw(daemon) == kept
    (period,) = daemon.call("series.statistics", device="a1", quantity="pm25", statistics="count,max", **{"from": "-3h"})["periods"]
    assert (period["count"], period["max"], period["suspect"], period["set_aside"]) == (4, 400, 2, 0)
    assert daemon.call("devices.list")[0]["faults"] == 1
    daemon.kill()
    daemon.start()
    assert raw(daemon) == kept
    daemon.configure(quality={"set_aside": "suspect"})
    daemon.reload()
    daemon.connected()
    station(8, "a34004-Rtd=500,a34004-Flag=T")
    daemon.stored(5)
    assert raw(daemon)[-1] == (500, ["range", "bad"])
    daemon.stop()
    daemon.verify()

"""From a message to what an operator sees of it: readings, statistics, corrections, retained messages, times."""
import datetime
import json
import time

import pytest

import rpc


def now_ms():
    return int(time.time() * 1000)


def iso(ms):
    at = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def test_a_message_is_a_reading(daemon, peer):
    seconds = now_ms() // 1000 - 60  # a fixed time would be late one day
    peer.tell("ecogov/v1/air/a1", '{"pm2.5": 35.5, "temperature": "21.25", "ts": %d}' % seconds)
    daemon.stored(2)
    latest = daemon.call("readings.latest")
    assert latest == [{"site": "v1", "device": "a1", "domain": "air", "quantity": name, "channel": "", "value": value, "unit": unit,
                       "time": iso(seconds * 1000), "flags": []} for name, value, unit in
                      (("pm25", 35.5, "ug/m3"), ("temperature", 21.25, "Cel"))]
    assert daemon.export() == [[iso(seconds * 1000), "v1", "a1", "pm25", "", 35.5, "ug/m3", []],
                               [iso(seconds * 1000), "v1", "a1", "temperature", "", 21.25, "Cel", []]]
    (device,) = daemon.call("devices.list")
    assert (device["site"], device["domain"], device["device"], device["series"]) == ("v1", "air", "a1", 2)


def test_without_a_time_the_arrival_counts(daemon, peer):
    before = now_ms()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 35.5}')
    daemon.stored(1)
    (row,) = daemon.export()
    assert iso(before) <= row[0] <= iso(now_ms()) and row[7] == ["arrival"]


def test_hour_and_day_statistics_are_those_of_the_readings(daemon, peer):
    """Three readings within the hour that holds now."""
    now = now_ms()
    hour = now - now % 3600000
    for n, value in enumerate((10, 40, 25)):
        peer.publish("ecogov/v1/air/a1", json.dumps({"pm25": value, "ts": hour + n}))
    peer.publish("ecogov/v2/air/b1", json.dumps({"pm25": 125, "ts": hour}))
    peer.settle()
    daemon.stored(4)
    sites = {site["site"]: site["domains"].get("air") for site in daemon.call("summary")["sites"]}
    (row,) = sites["v1"]["hour"]
    if row["count"] == 0:
        pytest.skip("the hour has just ended")
    assert (row["quantity"], row["count"], row["mean"], row["min"], row["max"]) == ("pm25", 3, 25, 10, 40)
    (row,) = sites["county"]["day"]
    assert (row["count"], row["mean"], row["min"], row["max"], row["series"]) == (4, 75, 10, 125, 2)  # of two stations: 25 and 125
    assert sites["county"]["devices"]["total"] == 2
    points = daemon.call("readings.history", device="a1", quantity="pm25", resolution="hour", **{"from": iso(hour)})["points"]
    assert [(point["time"], point["count"], point["first"], point["last"]) for point in points] == [(iso(hour), 3, 10, 25)]


def test_a_correction_is_counted_and_the_newest_value_wins(daemon, peer):
    base = now_ms() // 1000 * 1000 - 60000
    for value, ts in ((10, base), (30, base + 1000), (20, base), (20, base)):
        peer.publish("ecogov/v1/air/a1", json.dumps({"pm25": value, "ts": ts}))
    peer.settle()
    status = daemon.until(lambda status: status["messages"]["received"] == 4 and status["store"]["readings"] == 2)
    assert status["readings"] == {"decoded": 4, "stored": 3, "duplicate": 1, "rejected": 0, "corrected": 1}
    rows = daemon.export()
    assert [(row[0], row[5]) for row in rows] == [(iso(base), 20), (iso(base + 1000), 30)]
    assert rows[0][7] == ["correction"]
    (latest,) = daemon.call("readings.latest")
    assert latest["value"] == 30
    daemon.stop()
    daemon.start()
    assert [(row[0], row[5]) for row in daemon.export()] == [(iso(base), 20), (iso(base + 1000), 30)]


def test_time_in_the_future_and_implausible_values_are_rejected_with_a_reason(daemon, peer):
    peer.publish("ecogov/v1/air/a1", json.dumps({"pm25": 10, "ts": now_ms() + 3600000}))
    peer.publish("ecogov/v1/air/a1", '{"pm25": 10, "temperature": 300}')
    peer.settle()
    status = daemon.until(lambda status: status["messages"]["received"] == 2 and status["store"]["readings"] == 1)
    rpc.check_sums(status)
    assert status["readings"]["rejected"] == 2
    reasons = [entry["reason"] for entry in daemon.call("quarantine.list")["entries"]]
    assert len(reasons) == 2 and "plausible range" in reasons[0] and "in the future" in reasons[1]


def test_an_unknown_site_is_quarantined(daemon, peer):
    peer.tell("ecogov/atlantis/air/a1", '{"pm25": 10}')
    status = daemon.until(lambda status: status["messages"]["quarantined"] == 1)
    rpc.check_sums(status)
    entries = daemon.until(lambda _: daemon.call("quarantine.list")["entries"]) and daemon.call("quarantine.list")["entries"]
    assert entries[0]["topic"] == "ecogov/atlantis/air/a1" and "atlantis" in entries[0]["reason"]
    assert daemon.call("devices.list") == []


def test_auto_register_off_takes_described_devices_only(broker, house, peer):
    daemon = house(broker.port, auto_register=False, devices=[{"id": "a1", "site": "v1"}]).start()
    daemon.connected()
    peer.publish("ecogov/v1/air/a1", '{"pm25": 10}')
    peer.publish("ecogov/v1/air/a2", '{"pm25": 10}')
    peer.settle()
    status = daemon.until(lambda status: status["messages"]["received"] == 2 and status["store"]["readings"] == 1)
    assert status["messages"]["quarantined"] == 1
    assert [row["device"] for row in daemon.call("devices.list")] == ["a1"]


def test_auto_register_off_keeps_to_the_described_domain(broker, house, peer):
    daemon = house(broker.port, auto_register=False, devices=[{"id": "a1", "site": "v1", "domain": "air"}]).start()
    daemon.connected()
    peer.publish("ecogov/v1/soil/a1", '{"soil_moisture": 10}')
    peer.publish("ecogov/v1/air/a1", '{"pm25": 10}')
    peer.settle()
    daemon.until(lambda status: status["messages"]["received"] == 2 and status["store"]["readings"] >= 1)
    assert [(row["domain"], row["device"]) for row in daemon.call("devices.list")] == [("air", "a1")]


def test_a_retained_message_without_a_time_is_not_taken(broker, house, peer):
    """It would look fresh."""
    peer.tell("ecogov/v1/air/a1", '{"pm25": 500}', retain=True)
    daemon = house(broker.port, rules=[{"id": "pm", "quantity": "pm25", "levels": {"warning": {"open": 75, "clear": 70}}}]).start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a2", '{"pm25": 5}')
    status = daemon.until(lambda status: status["messages"]["received"] == 2 and status["store"]["readings"] == 1)
    assert status["messages"]["ignored"] == 1 and status["cases"]["active"] == 0
    assert [row["device"] for row in daemon.call("readings.latest")] == ["a2"]


def test_a_retained_message_with_a_time_opens_no_case_and_does_not_look_fresh(broker, house, peer):
    peer.tell("ecogov/v1/air/a1", json.dumps({"pm25": 500, "ts": now_ms() - 7200000}), retain=True)
    daemon = house(broker.port, rules=[{"id": "pm", "quantity": "pm25", "levels": {"warning": {"open": 75, "clear": 70}}}]).start()
    daemon.connected()
    status = daemon.stored(1)
    assert status["cases"]["active"] == 0
    (latest,) = daemon.call("readings.latest")
    assert latest["flags"] == ["retained"] and latest["time"] < iso(now_ms() - 7000000)
    for _ in range(2):  # it is no sign of life, also for the daemon's next life
        (device,) = daemon.call("devices.list")
        assert device["state"] == "silent" and device["last_seen"] is None
        daemon.stop()
        daemon.start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", json.dumps({"pm25": 400, "ts": now_ms()}), retain=True)  # live, this time
    daemon.cases()


def test_the_other_shape_by_json_pointer(broker, house, peer):
    dusty = {"id": "dusty", "topic": "dusty/{site}/{device}/state", "domain": "air", "driver": "json", "time": "/when",
             "fields": [{"path": "/pm/fine", "quantity": "pm25"}, {"path": "/temp_f", "quantity": "temperature", "unit": "degF"}]}
    daemon = house(broker.port, sources=[dusty]).start()
    daemon.connected()
    peer.tell("dusty/v1/d7/state", '{"when": "2026-11-23T12:00:00+08:00", "pm": {"fine": 12}, "temp_f": 50}')
    daemon.stored(2)
    rows = daemon.export()
    assert [row[:5] for row in rows] == [["2026-11-23T04:00:00.000Z", "v1", "d7", "pm25", ""],
                                         ["2026-11-23T04:00:00.000Z", "v1", "d7", "temperature", ""]]
    assert rows[0][5] == 12 and abs(rows[1][5] - 10) < 1e-9

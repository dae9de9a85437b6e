"""Device health from the payloads themselves: battery and its trend, radio, uptime, confessed faults, losses and restarts by counters; and what of it a
restart of the daemon keeps."""
import base64
import datetime
import json
import os
import sqlite3
import subprocess

import pytest

from house import BIN, SANITIZER, SOURCES
from rpc import RpcError

LORA = {"id": "lora", "preset": "milesight-em300", "site": "v1"}
PROBES = {"id": "probes", "topic": "probe/{device}", "site": "v2", "domain": "soil", "driver": "json", "time": "/ts",
          "fields": [{"path": "/m", "quantity": "soil_moisture", "missing": [-999]}, {"path": "/bat", "quantity": "battery"},
                     {"path": "/up", "quantity": "uptime"}]}
EUI = "24e124136b502347"


def uplink(counter, rssi=-97, frame="01755f0367100104 6871"):
    return json.dumps({"deviceInfo": {"devEui": EUI, "deviceName": "em"}, "fCnt": counter, "fPort": 85, "data": base64.b64encode(
        bytes.fromhex(frame.replace(" ", ""))).decode(), "rxInfo": [{"gatewayId": "a", "rssi": rssi, "snr": 7.5}, {"gatewayId": "b", "rssi": -120, "snr": -3}]})


def text(daemon, *words, language="C.UTF-8"):
    done = subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, *words], capture_output=True, text=True, timeout=60, check=True,
                          env={**os.environ, "LANG": language, "LC_ALL": language, "LC_CTYPE": "C.UTF-8"})
    assert not any(word in done.stderr for word in SANITIZER), done.stderr
    return done.stdout


def one(daemon, device):
    (row,) = daemon.call("devices.list", device=device)
    return row


def test_radio_losses_and_restarts(broker, house, peer):
    daemon = house(broker.port, sources=[*SOURCES, LORA]).start()
    daemon.connected()
    topic = f"application/1/device/{EUI}/event/up"
    for counter in (10, 11, 14, 14, 15, 0, 1):  # 12 and 13 are lost, 14 came over two gateways' servers, then it started anew
        peer.tell(topic, uplink(counter))
    daemon.until(lambda status: status["messages"]["decoded"] == 7)
    row = one(daemon, EUI)
    assert (row["heard"], row["lost"], row["repeated"], row["restarts"]) == (6, 2, 1, 1)
    assert row["loss_rate"] == 0.25 and row["rssi"]["value"] == -97 and row["snr"]["value"] == 7.5
    assert row["battery"]["value"] == 95 and row["battery"]["unit"] == "%" and row["battery"]["per_day"] is None
    assert row["counted_since"] == daemon.status()["started_at"] and row["uptime"] is None and row["last_fault"] is None
    out = text(daemon, "devices")
    assert "95%" in out and "-97 dBm" in out and "25.0%" in out and "RSSI -97 dBm, SNR 7.5 dB" in out and "6 heard, 2 lost, 1 repeated" in out
    chinese = text(daemon, "devices", EUI, language="zh_CN.UTF-8")
    assert "收到 6，丢失 2，重复 1" in chinese and "电量" in chinese and "重启" in chinese
    daemon.stop()
    daemon.start()
    row = one(daemon, EUI)  # values are readings, and stay; counts begin anew, and say so
    assert (row["rssi"]["value"], row["battery"]["value"], row["heard"], row["lost"]) == (-97, 95, 0, 0)
    assert row["last_seen"] is not None and row["counted_since"] == daemon.status()["started_at"]


def test_battery_trend_uptime_and_faults(broker, house, peer):
    daemon = house(broker.port, sources=[*SOURCES, PROBES]).start()
    daemon.connected()
    now = datetime.datetime.now(datetime.timezone.utc)
    for age, battery, up in ((5, 92, 86400), (4, 90, 2 * 86400), (3, 88, 3 * 86400), (2, 86, 60), (1, 84, 86460), (0, 82, 2 * 86400)):
        at = (now - datetime.timedelta(days=age, seconds=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
        peer.tell("probe/p1", json.dumps({"ts": at, "bat": battery, "up": up, "m": 31 if age else -999}))
    peer.tell("ecogov/v1/air/plain", '{"pm25": 12}')
    daemon.until(lambda status: status["messages"]["decoded"] == 7)
    for _ in range(2):
        row = one(daemon, "p1")
        assert row["battery"]["value"] == 82 and abs(row["battery"]["per_day"] + 2) < 0.05 and 40 <= row["battery"]["days_left"] <= 42
        assert row["uptime"]["value"] == 2 * 86400
        daemon.stop()
        daemon.start()
    assert (row["restarts"], row["faults"]) == (0, 0)  # since this start
    peer.tell("probe/p1", json.dumps({"m": -999, "up": 30}))
    daemon.until(lambda status: status["readings"]["stored"] == 19)
    row = one(daemon, "p1")
    assert (row["restarts"], row["faults"], row["loss_rate"]) == (1, 1, None) and "-999" in row["last_fault"]["text"]
    out = text(daemon, "devices", "p1")
    assert "82% ↓, -2.00 a day, about 41 days left" in out and "-999" in out and "uptime" in out
    lines = text(daemon, "devices").splitlines()
    assert "BATTERY" in lines[0] and "SIGNAL" not in lines[0] and "NAME" not in lines[0]  # no column without a value
    assert one(daemon, "plain")["battery"] is None


def test_the_trend_of_a_battery_that_is_told_by_the_hour(daemon, peer):
    """The first and the last day are parts of days: the line goes through where their readings lie."""
    now = datetime.datetime.now(datetime.timezone.utc)
    for hour in range(-76, 1):
        at = (now + datetime.timedelta(hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")
        peer.publish("ecogov/v1/soil/s1", json.dumps({"ts": at, "battery": round(40 - (hour + 76) * 0.1, 1)}))
    peer.settle()
    daemon.stored(77)
    assert one(daemon, "s1")["battery"]["per_day"] == pytest.approx(-2.4, abs=0.05)


def hj212(body):
    crc = 0xFFFF
    for byte in body.encode():
        crc = (crc >> 8) ^ byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return f"##{len(body):04d}{body}{crc:04X}\r\n"


def test_marks_of_hj212_say_what_they_mean(broker, house, peer):
    """What is marked is no measurement, or one in doubt; the newest mark of a fault is told in words."""
    daemon = house(broker.port, sources=[{"id": "hj", "topic": "hj/{site}/{domain}/{device}", "driver": "hj212"}]).start()
    daemon.connected()
    marks = {"F": "stopped", "M": "under maintenance", "D": "out of order", "C": "being calibrated", "B": "no link to the instrument", "P": "no power"}
    for n, (mark, means) in enumerate(marks.items(), 1):
        peer.tell("hj/v1/air/h1", hj212(f"QN=20261124120000000;ST=22;CN=2011;PW=123456;MN=1;Flag=5;CP=&&DataTime=2026112412{n:02d}00;"
                                        f"a34004-Rtd={40 + n},a34004-Flag={mark};a34002-Rtd=80,a34002-Flag=N&&"))
        daemon.stored(n)
        row = one(daemon, "h1")
        assert row["faults"] == n and row["last_fault"]["text"] == f"pm25: the device says {mark} ({means})"
    assert {row[3] for row in daemon.export()} == {"pm10"}
    for n, mark in enumerate("ST", 1):
        peer.tell("hj/v1/air/h1", hj212(f"QN=20261124120000000;ST=22;CN=2011;PW=123456;MN=1;Flag=5;CP=&&DataTime=2026112413{n:02d}00;"
                                        f"a34004-Rtd={40 + n},a34004-Flag={mark}&&"))
        daemon.stored(len(marks) + n)
    assert one(daemon, "h1")["faults"] == len(marks)
    points = daemon.call("readings.history", site="v1", device="h1", quantity="pm25", **{"from": "2026-11-24T00:00:00Z", "to": "2026-11-25T00:00:00Z"})["points"]
    assert [[flag for flag in point["flags"] if flag != "late"] for point in points] == [["inconsistent"], ["range"]]


def test_doubt_and_calibration_are_told(broker, house, peer):
    """Why a device is suspect, since when, and when its calibration is due: in devices.list, devices, top's and the summary's count, doctor."""
    devices = [{"id": "a1", "site": "v1", "domain": "air", "calibration_due": "2020-01-01"}]
    daemon = house(broker.port, devices=devices, quality={"limits": [{"quantity": "pm25", "stuck": "3h"}]}).start()
    daemon.connected()
    now = datetime.datetime.now(datetime.timezone.utc)
    first = now - datetime.timedelta(minutes=235)
    for minute in range(0, 236, 5):
        at = first + datetime.timedelta(minutes=minute)
        peer.tell("ecogov/v1/air/a1", json.dumps({"ts": int(at.timestamp() * 1000), "pm25": 42.5, "temperature": 20 + minute / 100}))
    daemon.stored(96)
    for _ in range(2):
        row = one(daemon, "a1")
        assert row["state"] == "suspect" and not row["left"]
        (doubt,) = row["suspect"]
        assert (doubt["quantity"], doubt["channel"], doubt["reason"]) == ("pm25", "", "stuck")
        assert abs(datetime.datetime.fromisoformat(doubt["since"].replace("Z", "+00:00")) - first) < datetime.timedelta(seconds=1)
        assert row["calibration_due"] == {"time": "2020-01-01T00:00:00.000Z", "quantity": None, "overdue": True}
        assert [found["device"] for found in daemon.call("devices.list", state="suspect")] == ["a1"]
        assert daemon.call("devices.list", state="reporting") == []
        cell = next(site for site in daemon.call("summary")["sites"] if site["site"] == "v1")["domains"]["air"]
        assert cell["devices"]["suspect"] == 1
        daemon.kill()
        daemon.start()
    out = text(daemon, "devices")
    assert "pm25 stuck" in out and "since" in out and "good until" in out
    assert "读数不变" in text(daemon, "devices", language="zh_CN.UTF-8")
    report = subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, "doctor"], capture_output=True, text=True, timeout=60, check=False)
    assert "with a calibration that is due: v1/a1" in report.stdout and "in doubt: v1/a1" in report.stdout, report.stdout


def refusal(daemon, method, **params):
    with pytest.raises(RpcError) as refused:
        daemon.call(method, **params)
    return refused.value.code


def test_retired_across_kill(broker, house, peer):
    """Retired over the socket: acknowledged is on disk; nobody misses it; it speaks, and that is told; restored. Killed after each."""
    rules = [{"id": "quiet", "when": "silent", "hold": "0s"}]
    devices = [{"id": "a1", "site": "v1", "domain": "air", "silent_after": "3s"}]
    daemon = house(broker.port, devices=devices, device_rules=rules).start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 12}')
    daemon.stored(1)
    answer = daemon.call("devices.retire", device="v1/air/a1", note="taken to the workshop")
    assert answer["device"] == "a1" and answer["retired"]["note"] == "taken to the workshop" and answer["retired"]["heard"] is None
    daemon.kill()
    daemon.start()
    daemon.connected()
    row = one(daemon, "a1")
    assert row["state"] == "retired" and row["retired"] == answer["retired"]
    assert daemon.call("cases.list")["cases"] == []
    assert refusal(daemon, "devices.retire", device="a1", note="again") == -32003
    assert refusal(daemon, "devices.retire", device="b1", note="who?") == -32002
    assert refusal(daemon, "devices.restore", device="a1", note="x" * 300) == -32602
    peer.tell("ecogov/v1/air/a1", '{"pm25": 13}')
    daemon.stored(2)
    row = one(daemon, "a1")
    assert row["state"] == "retired" and row["retired"]["heard"] is not None
    daemon.kill()
    daemon.start()
    daemon.connected()
    assert one(daemon, "a1")["retired"] == row["retired"]
    assert "heard again" in text(daemon, "devices", "a1") and "又有上报" in text(daemon, "devices", "a1", language="zh_CN.UTF-8")
    report = subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, "doctor"], capture_output=True, text=True, timeout=60, check=False)
    assert "retired, and heard all the same: v1/a1" in report.stdout, report.stdout
    assert "in service again" in text(daemon, "device", "restore", "a1", "--note", "cleaned")
    daemon.kill()
    daemon.start()
    daemon.connected()
    row = one(daemon, "a1")
    assert row["state"] != "retired" and row["retired"] is None
    daemon.stop()
    daemon.verify()
    with sqlite3.connect(daemon.folder / "ecogov.db") as db:
        assert db.execute("SELECT device, kind, note FROM v_device_events").fetchall() == [
            ("a1", "retired", "taken to the workshop"), ("a1", "heard", "it is retired, and has spoken"), ("a1", "restored", "cleaned")]


def test_a_sensor_that_drifts_is_told(broker, house, peer):
    """Four sensors side by side, one of them far off: after the next look at their hours it is suspect, by name and date, over kills; a case is about the sensor."""
    daemon = house(broker.port, device_rules=[{"id": "doubt", "when": "suspect", "level": "notice", "title_zh": "传感器存疑"}]).start()
    daemon.connected()
    first = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0) - datetime.timedelta(days=8)
    for hour in range(8 * 24):
        at = int((first + datetime.timedelta(hours=hour)).timestamp() * 1000)
        for device, error in (("n1", 0), ("n2", 1.5), ("n3", -1), ("n4", 60)):
            peer.tell(f"ecogov/v1/air/{device}", json.dumps({"ts": at, "pm25": 30 + hour % 24 + error}))
    daemon.stored(4 * 8 * 24)
    for device in ("n1", "n2", "n3", "n4"):
        peer.tell(f"ecogov/v1/air/{device}", json.dumps({"pm25": 100 if device == "n4" else 40}))  # one that rules may judge
    daemon.stored(4 * 8 * 24 + 4)
    daemon.kill()
    daemon.start()  # which looks at the hours that are there
    daemon.until(lambda _: daemon.call("devices.list", state="suspect"))
    for _ in range(2):
        (row,) = daemon.call("devices.list", state="suspect")
        (doubt,) = row["suspect"]
        assert (row["device"], doubt["quantity"], doubt["reason"]) == ("n4", "pm25", "drifting")
        since = datetime.datetime.fromisoformat(doubt["since"].replace("Z", "+00:00"))
        assert first - datetime.timedelta(days=1) <= since <= first + datetime.timedelta(days=2)
        daemon.kill()
        daemon.start()
    (case,) = daemon.cases(1)
    assert (case["kind"], case["device"], case["rule"]) == ("maintenance", "n4", "doubt")
    assert "above all its neighbours" in daemon.call("cases.show", id=case["id"])["history"][0]["note"]
    assert "pm25 drifting" in text(daemon, "devices") and "偏离邻近设备" in text(daemon, "devices", "n4", language="zh_CN.UTF-8")
    daemon.stop()
    daemon.verify()

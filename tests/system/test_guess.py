"""`ecogovctl try --guess`: a mapping proposed for JSON that nobody has described. What it prints must pass --check as it is and read the payload."""
import json
import subprocess

import pytest

from house import BIN, SHARED

SITES = "sites: [{id: county}, {id: v1, parent: county}]\n"


def guess(payload, *words, code=0):
    payload = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
    done = subprocess.run([BIN / "ecogovctl", "try", "--guess", *words], input=payload, capture_output=True, timeout=30, check=False)
    assert done.returncode == code, (payload, done.stderr)
    return (done.stdout if code == 0 else done.stderr).decode()


def read(tmp_path, source, payload, topic):
    """What the proposed source makes of the payload, once it is pasted into a configuration."""
    payload = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
    path = tmp_path / "ecogov.yaml"
    path.write_text(SITES + "sources:\n" + source)
    check = subprocess.run([BIN / "ecogovd", "-c", path, "--check"], capture_output=True, text=True, timeout=30, check=False)
    assert check.returncode == 0, (check.stderr, source)
    done = subprocess.run([BIN / "ecogovctl", "--json", "try", "-c", path, "--topic", topic], input=payload, capture_output=True,
                          timeout=30, check=True)
    return json.loads(done.stdout)


CASES = {
    "units by name and by size": (
        {"soilMoisture": 0.31, "temp_f": 70, "baro": 101325, "bat": 3.61, "EC": 480, "co2 (ppm)": 640, "Luftfeuchte": 55, "风速": 2.2},
        {("soil_moisture", "", 31), ("temperature", "", 21.1111111111), ("pressure", "", 1013.25), ("voltage", "", 3.61),
         ("soil_ec", "", 0.48), ("co2", "", 640), ("humidity", "", 55), ("wind_speed", "", 2.2)}),
    "units beside": (
        {"env": {"temperature": {"value": 71.6, "unit": "°F"}, "humidity": {"value": "40.5 %"}}},
        {("temperature", "", 22), ("humidity", "", 40.5)}),
    "probes and error codes": (
        {"soil_temp_10cm": 12.5, "soil_temp_20cm": -999, "PM2.5": 12, "pm10_0": 20, "temp": 215},
        {("soil_temp", "10cm", 12.5), ("pm25", "", 12), ("pm10", "", 20), ("temperature", "", 21.5)}),
    "names beside values": (
        {"sensordatavalues": [{"value_type": "SDS_P1", "value": "4.3"}, {"value_type": "BME280_temperature", "value": "6.86"},
                              {"value_type": "BME280_pressure", "value": "100003.5"}, {"value_type": "samples", "value": "400"}]},
        {("pm10", "", 4.3), ("temperature", "", 6.86), ("pressure", "", 1000.035)}),
    "rows below a head": (
        {"cols": ["sensor_index", "pm2.5", "humidity"], "rows": [[7, 12.5, 40], [8, 13.5, 41]]},
        {("pm25", "", 12.5), ("humidity", "", 40), ("pm25", "", 13.5), ("humidity", "", 41)}),
    "elements with a depth": (
        {"rows": [{"depth": 10, "moisture": 21}, {"depth": 20, "moisture": 23}], "id": "p7"},
        {("soil_moisture", "10", 21), ("soil_moisture", "20", 23)}),
    "the same said twice": (
        {"temperature:0": {"tC": 20, "tF": 68}, "humidity:0": {"rh": 48.5}, "atmp": 21, "atmpCompensated": 20.5},
        {("temperature", "0", 20), ("temperature", "", 20.5), ("humidity", "", 48.5)}),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_read(tmp_path, name):
    payload, wanted = CASES[name]
    got = read(tmp_path, guess(payload, "--topic", "farm/node12/up", "--site", "v1"), payload, "farm/node12/up")
    assert {(row["quantity"], row["channel"], row["value"]) for row in got["readings"]} == wanted
    if "probes" in name:
        assert got["faults"] == 1


def test_time_device_and_topic(tmp_path):
    payload = {"devEUI": "a84041", "ts": "2026-11-23 15:00:00", "hum": 44, "lid": "open", "x": {"a/b": 1}}
    out = guess(payload, "--topic", "farm/a84041/up", "--site", "v1", "--domain", "waste")
    assert 'topic: "farm/{device}/up"' in out and 'device_path: "/devEUI"' in out and 'domain: "waste"' in out
    assert "says no zone" in out and '# /lid: "open"' in out and "# /x/a~1b: 1" in out
    (row,) = read(tmp_path, out, payload, "farm/a84041/up")["readings"]
    assert (row["device"], row["time"], row["site"], row["domain"]) == ("a84041", "2026-11-23T15:00:00.000Z", "v1", "waste")
    (tmp_path / "own.yaml").write_text("time_zone: Asia/Shanghai\n" + SITES)
    out = guess(payload, "-c", str(tmp_path / "own.yaml"))  # the configuration knows sites and the zone
    assert 'utc_offset: "+08:00"' in out and 'site: "v1"' in out
    several = [{"id": "a", "t": 1795435200, "hum": 44}, {"id": "b", "t": 1795435200, "hum": 45}]
    got = read(tmp_path, guess(several, "--topic", "gw/up", "--site", "v1"), several, "gw/up")["readings"]
    assert [(row["device"], row["value"], row["time"]) for row in got] == [("a", 44, "2026-11-23T12:00:00.000Z"), ("b", 45, "2026-11-23T12:00:00.000Z")]


def test_who_knows_the_format():
    assert "driver: influx" in guess(b"weather,site=a temp=21.4,humidity=40")
    assert "driver: senml" in guess([{"bn": "urn:dev:ow:10e2073a01080063:", "n": "temperature", "u": "Cel", "v": 23.1}])
    event = {"deviceInfo": {"devEui": "24e124136b502347"}, "fCnt": 4, "fPort": 85, "data": "AXVkA2cQAQ=="}
    assert "driver: chirpstack" in guess(event) and "codec" in guess(event)
    assert "preset: airgradient reads" in guess({"serialno": "84fce6", "wifi": -52, "rco2": 778, "pm02": 34, "atmp": 23.1, "rhum": 32})


# (announcement, a message of the topic it tells of, that topic, what is to be read of it)
ANNOUNCED = {
    "abbreviated, with a base": (
        {"name": "PM10", "stat_t": "~SENSOR", "~": "dom_PM2_2F8183/tele/", "unit_of_meas": " ", "uniq_id": "2F8183_PM10",
         "val_tpl": "{{value_json['SDS0X1'].PM10}}", "device": {"identifiers": ["2F8183"]}},
        {"Time": "2026-11-23T07:00:00", "SDS0X1": {"PM2.5": 3, "PM10": 7}}, "dom_PM2_2F8183/tele/SENSOR", ("pm10", 7, "2F8183", "air")),
    "a topic of its own": (
        {"name": "Yard Temperature", "state_topic": "yard/sensor/yard_temperature/state", "device_class": "temperature",
         "unit_of_measurement": "°F", "dev": {"ids": "node7"}},
        b"70.7", "yard/sensor/yard_temperature/state", ("temperature", 21.5, "node7", "air")),
    "filters and quotes": (
        {"state_topic": "garden/7~", "~": "/up", "dev_cla": "moisture", "unit_of_meas": "%", "dev": {"ids": ["bed 7"]},
         "value_template": '{{ value_json["probes"][1].vwc | float | round(1) }}'},
        {"probes": [{}, {"vwc": 31.25}]}, "garden/7/up", ("soil_moisture", 31.25, "bed 7", "soil")),
    "an everyday class": (
        {"state_topic": "a/b7/rssi", "device_class": "signal_strength", "unit_of_measurement": "dBm", "value_template": "{{ value }}"},
        b"-71", "a/b7/rssi", ("rssi", -71, "b7", "air")),
}


@pytest.mark.parametrize("name", ANNOUNCED)
def test_what_home_assistant_is_told(tmp_path, name):
    announcement, payload, topic, wanted = ANNOUNCED[name]
    out = guess(announcement, "--topic", "homeassistant/sensor/x/config", "--site", "v1")
    (row,) = read(tmp_path, out, payload, topic)["readings"]
    assert (row["quantity"], row["value"], row["device"], row["domain"]) == wanted


def test_an_announced_unit_that_is_none():
    assert '# the announced unit "Ω" is none of' in guess({"state_topic": "a/b/c", "device_class": "temperature", "unit_of_measurement": "Ω"})


@pytest.mark.parametrize("more, sentence", [
    ({"value_template": "{{ value_json.t * 1.8 + 32 }}"}, "nobody here runs templates"), ({"value_template": "{% if value %}1{% endif %}"}, "nobody here"),
    ({"value_template": "{{ value_json[0 }}"}, "nobody here"), ({"value_template": "{{ value_json.t | timestamp_custom('%H') }}"}, "nobody here"),
    ({"state_topic": "a/+/#"}, "none that could be subscribed to"), ({"state_topic": "~", "~": "x" * 300}, "none that could be"),
    ({"device_class": "energy", "name": "Kettle"}, "say a quantity")])
def test_an_announcement_of_nothing(more, sentence):
    announcement = {"state_topic": "a/b/c", "device_class": "temperature", **more}
    assert sentence in guess(announcement, code=1)


@pytest.mark.parametrize("payload, sentence", [
    (b"hello", "no driver reads it"), (b"", "no driver reads it"), (b"\xff\x00\x80\x01", "no driver reads it"), (b'{"a":', "no driver reads it"),
    (b'{"a": 1}', "no name in it"), (b"[]", "no name in it"), (b"{}", "no name in it"), (b"[" * 40 + b"]" * 40, "no name in it")])
def test_nothing_to_propose(payload, sentence):
    assert sentence in guess(payload, code=1)


@pytest.mark.parametrize("topic", ["a/+/b", "a/#", "{device}/x"])
def test_a_template_is_no_topic(topic):
    assert "a message's own topic" in guess(b'{"temp": 1}', "--topic", topic, code=2)


def test_hostile_names(tmp_path):
    """Whatever stands in keys and texts is quoted: it makes no YAML of its own."""
    payload = {'temp", x: "\n': 21, "hum \u2028\x7f~/é": 40, "pm25": 3, "note": "a\n- id: evil\u0007" * 50, "k" * 600: 1,
               **{f"temp{number}": number % 40 for number in range(400)}}
    out = guess(payload, "--topic", "a/b1", "--site", "v1")
    got = read(tmp_path, out, payload, "a/b1")
    assert {"pm25", "temperature", "humidity"} <= {row["quantity"] for row in got["readings"]}
    assert guess(json.dumps({"a": [[{"temp": 1}]] * 3000}).encode())


# What the samples' projects call by units of their own, in the dictionary's.
CONVERSIONS = (lambda v: v, lambda v: v / 100, lambda v: v * 100, lambda v: v * 10, lambda v: v / 10, lambda v: v / 1000, lambda v: v * 1000,
               lambda v: (v - 32) * 5 / 9, lambda v: v - 273.15)


@pytest.mark.skipif(not (SHARED / "payloads").exists(), reason=f"there are no shared payloads in {SHARED}")
def test_how_much_of_the_samples_is_guessed(tmp_path, capsys):
    found, all_of = {}, {}
    for path in sorted((SHARED / "payloads").glob("*/*.payload")):
        expect, payload = json.loads(path.with_suffix(".expect.json").read_text()), path.read_bytes()
        try:
            shape = json.loads(payload)
        except ValueError:
            continue
        numbers = [row["value"] for row in expect.get("readings", []) if isinstance(row["value"], (int, float))]
        if not isinstance(shape, (dict, list)) or not numbers or expect.get("needs_codec"):
            continue
        topic = expect.get("topic") or "("
        topic = "things/dev1/data" if topic.startswith("(") else topic
        done = subprocess.run([BIN / "ecogovctl", "try", "--guess", "--topic", topic, "--site", "v1"], input=payload, capture_output=True,
                              timeout=30, check=False)
        assert done.returncode in (0, 1), (path, done.stderr)
        values = []
        if done.returncode == 0:
            got = read(tmp_path, done.stdout.decode(), payload, topic)
            values = [row["value"] for row in got.get("readings", [])]
        name = path.parent.name
        all_of[name] = all_of.get(name, 0) + len(numbers)
        found[name] = found.get(name, 0) + sum(any(abs(value - change(number)) <= 1e-4 * max(1, abs(value)) for value in values
                                                   for change in CONVERSIONS) for number in numbers)
    with capsys.disabled():
        print("\nguessed:", ", ".join(f"{name} {found[name]}/{all_of[name]}" for name in all_of),
              f"- {sum(found.values())} of {sum(all_of.values())}")
    assert sum(found.values()) >= 0.6 * sum(all_of.values())

"""`ecogovctl try`: what a payload would become, said without a daemon and without storing anything."""
import json
import subprocess

import pytest

from house import BIN, ROOT

CONF = """
sites: [{id: v1}, {id: v2}]
devices: [{id: known, site: v1, domain: air}]
sources:
  - {id: std, topic: 'ecogov/{site}/{domain}/{device}', driver: json}
  - id: soil
    topic: field/+
    site: v2
    domain: soil
    driver: json
    readings: /rows
    channel: /depth
    device_path: /probe
    fields: [{path: /m, quantity: soil_moisture, unit: m3/m3, missing: [-999]}]
"""


@pytest.fixture
def attempt(tmp_path):
    def run(payload, *words, code=0, conf=CONF):
        path = tmp_path / "ecogov.yaml"
        path.write_text(conf)
        done = subprocess.run([BIN / "ecogovctl", "try", "-c", path, *words], input=payload, capture_output=True, timeout=20)
        assert done.returncode == code, done.stderr
        assert sorted(file.name for file in tmp_path.iterdir()) == ["ecogov.yaml"]  # nothing is stored
        return json.loads(done.stdout) if code == 0 else done.stderr.decode()
    return run


def test_what_would_be_stored(attempt):
    got = attempt(b'{"ts":1763881200,"pm25":12.5,"temp":21}', "--source", "std", "--topic", "ecogov/v1/air/a1")
    assert got == {"verdict": "decoded", "readings": [
        {"site": "v1", "domain": "air", "device": "a1", "quantity": quantity, "channel": "", "value": value, "unit": unit,
         "time": "2025-11-23T07:00:00.000Z", "flags": ["late"]}
        for quantity, value, unit in (("pm25", 12.5, "ug/m3"), ("temperature", 21, "Cel"))]}
    got = attempt(b'{"pm25":12.5}', "--topic=ecogov/v1/air/a1")  # the source is the one that takes the topic
    assert got["readings"][0]["flags"] == ["arrival"]


def test_devices_units_and_faults_of_a_mapping(attempt):
    payload = b'{"probe":"p7","rows":[{"depth":10,"m":0.31},{"depth":20,"m":-999}]}'
    got = attempt(payload, "--source", "soil", "--topic", "field/gateway")
    assert [(r["site"], r["device"], r["channel"], r["value"]) for r in got["readings"]] == [("v2", "p7", "10", 31)]
    assert got["faults"] == 1 and "soil_moisture" in got["fault"]


def test_what_would_be_refused(attempt):
    std = ("--source", "std", "--topic", "ecogov/v1/air/a1")
    assert attempt(b'{"pm25":', *std) == {"verdict": "malformed", "reason": "not JSON from byte 7 on"}
    assert attempt(b"\xff\x00\x80", *std)["verdict"] == "malformed"
    assert attempt(b"", *std)["verdict"] == "malformed"
    got = attempt(b'{"pm25":12,"temp":200}', *std)
    assert [r["quantity"] for r in got["readings"]] == ["pm25"] and "temperature 200" in got["rejected"]
    got = attempt(b'{"pm25":12}', "--topic", "ecogov/nowhere/air/a1")
    assert got["verdict"] == "implausible" and "'nowhere'" in got["reason"]
    strict = "auto_register: false\n" + CONF
    assert attempt(b'{"pm25":12}', "--topic", "ecogov/v1/air/known", conf=strict)["verdict"] == "decoded"
    assert "auto_register" in attempt(b'{"pm25":12}', "--topic", "ecogov/v1/air/a1", conf=strict)["reason"]
    assert attempt(b'{"pm25":12}', "--retain", "--topic", "ecogov/v1/air/a1")["readings"] == []


def test_a_topic_of_another_source(attempt):
    got = attempt(b'{"rows":[{"m":0.2}]}', "--source", "soil", "--topic", "ecogov/v1/soil/s1")
    assert "give it to source std" in got["note"] and got["readings"][0]["value"] == 20
    assert "ignore" in attempt(b'{"pm25":1}', "--source", "std", "--topic", "elsewhere")["note"]


@pytest.mark.parametrize("words, sentence", [
    (["--topic"], "misses the value"),
    (["--source", "std"], "needs the message's --topic"),
    (["--topic", "nobody/s"], "no source takes"),
    (["--source", "xx", "--topic", "t"], "it has: std soil"),
    (["--frobnicate"], "does not understand"),
])
def test_bad_words(attempt, words, sentence):
    assert sentence in attempt(b"{}", *words, code=2)


def test_faults_of_the_configuration_are_said_at_their_place(attempt):
    assert "ecogov.yaml:2:" in attempt(b"{}", "--topic", "t", code=2, conf="sites: [{id: a}]\nsauces: []\n")


def shipped(source, payload, *words, code=0):
    done = subprocess.run([BIN / "ecogovctl", "try", "--source", source, *words], input=payload, capture_output=True, timeout=20, check=False)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout) if code == 0 else done.stderr.decode()


def test_a_driver_or_a_preset_without_a_configuration():
    got = shipped("driver:json", b'{"pm25":3}', "--topic", "ecogov/v9/air/a1")
    assert [(row["site"], row["domain"], row["device"]) for row in got["readings"]] == [("v9", "air", "a1")]
    (row,) = shipped("driver:json", b'{"pm25":3}')["readings"]
    assert (row["site"], row["device"], row["value"]) == (None, None, 3)  # nobody has said where, nor who
    got = shipped("preset:airgradient", b'{"serialno":"84fce6","pm02":34,"atmp":21,"wifi":-50}', "--topic", "airgradient/readings/84fce6")
    assert {(row["device"], row["quantity"], row["value"]) for row in got["readings"]} >= {("84fce6", "pm25", 34), ("84fce6", "temperature", 21)}
    got = shipped("preset:airgradient", b'{"serialno":"84fce6","pm02":34}', "--topic", "some/other/topic")
    assert {(row["quantity"], row["value"]) for row in got["readings"]} == {("pm25", 34)}
    got = shipped("driver:lorawan", bytes.fromhex("01756403671001"), "--codec", "milesight-em300")
    assert [(row["quantity"], row["value"]) for row in got["readings"]] == [("battery", 100), ("temperature", 27.2)]


@pytest.mark.parametrize("source, words, sentence", [
    ("preset:nope", [], 'no preset "nope"'), ("driver:nope", [], 'no driver "nope"'), ("driver:lorawan", [], "say codec"),
    ("driver:json", ["-c", "x.yaml"], "not with -c"), ("driver:json", ["--topic", "a/#/b"], "may stand at the end only"),
    ("driver:json", ["--site", "v1"], "for --guess"), ("driver:json", ["--guess"], "goes without --source")])
def test_what_is_no_driver(source, words, sentence):
    assert sentence in shipped(source, b"{}", *words, code=2)


def stands_alone(path):
    """No mapping, nothing that came before (a case that a report names, either), no level that a template would name."""
    expect = path.with_suffix(".expect.json").read_text()
    if path.parent.name == "report" and b'"case"' in path.read_bytes():
        return False
    return path.parent.name != "template" and not path.with_suffix(".mapping.json").exists() and '"after"' not in expect and '"topic_quantity"' not in expect


PAIRS = sorted(path for folder in (ROOT / "tests/drivers").iterdir() for path in sorted(folder.glob("*.payload"))[:40]
               if stands_alone(path))


@pytest.mark.parametrize("driver", sorted({path.parent.name for path in PAIRS}))
def test_golden_pairs_as_a_user_would_try_them(driver):
    """The first few of each driver: what its golden pairs expect is what is said."""
    for path in [path for path in PAIRS if path.parent.name == driver][:8]:
        expect = json.loads(path.with_suffix(".expect.json").read_text())
        got = shipped(f"driver:{driver}", path.read_bytes(), *(["--topic", expect["topic"]] if "topic" in expect else []))
        assert got["verdict"] == expect["verdict"] or "rejected" in got, (path, got)
        if expect["verdict"] != "decoded":
            assert expect.get("reason_contains", "") in got["reason"], path
            continue
        wanted = {(row["quantity"], row.get("channel", ""), row["value"]) for row in expect["readings"]}
        found = {(row["quantity"], row["channel"], row["value"]) for row in got["readings"]}
        assert all(any(q == wq and c == wc and v == pytest.approx(wv, rel=1e-9) for wq, wc, wv in wanted) for q, c, v in found), path
        assert len(found) == len(wanted) or "rejected" in got, (path, got)
        assert got.get("faults", 0) == expect.get("faults", 0) and got.get("frame") == expect.get("frame", got.get("frame")), path


def test_a_bare_value_is_what_the_topic_says(attempt):
    conf = """
sites: [{id: v1}]
sources:
  - {id: esp, preset: esphome, site: v1}
  - {id: rows, topic: 'log/{device}/{channel}', site: v1, domain: soil, driver: csv, decimal: ',', separator: ';'}
"""
    got = attempt(b"70.7 \xc2\xb0F", "--topic", "yard/sensor/yard_temperature/state", conf=conf)
    assert [(r["device"], r["quantity"], r["channel"], r["value"]) for r in got["readings"]] == [("yard", "temperature", "yard", 21.5)]
    got = attempt(b"nan", "--topic", "yard/sensor/pm25/state", conf=conf)
    assert got["readings"] == [] and got["faults"] == 1
    assert attempt(b"99", "--topic", "yard/sensor/free_heap/state", conf=conf)["verdict"] == "not_mine"
    got = attempt("time;soil_moisture (m3/m3)\n2026-11-23 07:00;0,241\n".encode(), "--topic", "log/p1/10cm", conf=conf)
    assert [(r["device"], r["channel"], r["value"], r["time"]) for r in got["readings"]] == [("p1", "10cm", 24.1, "2026-11-23T07:00:00.000Z")]


def test_gases_in_the_airs_own_cubic_metres(attempt):
    conf = ("sites: [{id: v1}]\n"
            "sources: [{id: gas, driver: json, topic: 'g/{site}/{device}', domain: air, ambient: [no2]}]\n")
    words = ("--source", "gas", "--topic", "g/v1/a1")
    got = attempt(b'{"no2":100,"pressure":810.6,"temperature":-4.815}', *words, conf=conf)  # 0.8 of 1013.25 hPa, 0.9 of 298.15 K
    assert {r["quantity"]: r["value"] for r in got["readings"]} == {"no2": 112.5, "pressure": 810.6, "temperature": -4.815}
    got = attempt(b'{"no2":100,"temperature":-4.815}', *words, conf=conf)
    assert [r["quantity"] for r in got["readings"]] == ["temperature"] and "ambient_pressure" in got["rejected"]
    got = attempt(b'{"no2":100,"pressure":810.6,"temperature":-4.815}', "--source", "gas", "--topic", "other/v1/a1", conf=conf)
    assert [r["value"] for r in got["readings"]] == [112.5, 810.6, -4.815]

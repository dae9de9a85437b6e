"""`ecogovctl try`: what a payload would become, said without a daemon and without storing anything."""
import json
import subprocess

import pytest

from house import BIN

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

"""Drivers and presets as people see them: options, and what came by each, by verdict."""
import json
import pathlib
import subprocess

from house import BIN, SITES, SOURCES

MORE = [{"id": "readme", "topic": "field/{device}", "site": "v1", "domain": "air", "driver": "json",
         "fields": [{"path": "/p", "quantity": "pm25"}]},
        {"id": "stack", "preset": "milesight-em300", "site": "v2"}]


def test_counters_by_driver_and_by_source(broker, house, peer):
    daemon = house(broker.port, sources=SOURCES + MORE).start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a1", '{"pm25": 12}')
    peer.tell("field/d1", '{"p": 9}')
    peer.tell("field/d1", '{"p":')
    peer.tell("field/d1", '{"q": 9}')
    peer.tell("application/1/device/24e124136b502347/event/join", '{"deviceInfo":{"devEui":"24e124136b502347"}}')
    daemon.until(lambda status: status["messages"]["received"] == 5)
    drivers = {row["name"]: row for row in daemon.call("drivers.list")}
    assert drivers["json"]["messages"] == {"decoded": 2, "not_mine": 0, "malformed": 1, "checksum": 0, "implausible": 1}
    assert drivers["json"]["sources"] == ["json", "readme"] and "fields" in drivers["json"]["keys"]
    assert drivers["chirpstack"]["messages"]["not_mine"] == 1 and drivers["chirpstack"]["sources"] == ["stack"]
    assert "milesight-em300" in drivers["chirpstack"]["codecs"] and drivers["chirpstack"]["device_path"] == "dev_eui"
    assert "none" in drivers["hj212"]["checksums"] and drivers["hj212"]["sources"] == []
    (one,) = daemon.call("drivers.list", driver="json")
    sources = {row["id"]: row["messages"] for row in daemon.call("sources.list")}
    assert one["messages"]["decoded"] == sources["json"]["decoded"] + sources["readme"]["decoded"] == 2
    out = subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, "drivers", "chirpstack"], capture_output=True, text=True, timeout=30,
                         check=True).stdout
    assert "milesight-em300" in out and "device_path codec fields" in out and "influx" not in out


def test_presets_need_no_daemon():
    def presets(*words):
        done = subprocess.run([BIN / "ecogovctl", *words], capture_output=True, text=True, timeout=30, check=True)
        return done.stdout
    rows = json.loads(presets("--json", "presets"))
    assert {"id": "airgradient", "driver": "json", "domain": "air", "codec": None}.items() <= \
        next(row for row in rows if row["id"] == "airgradient").items()
    text = presets("presets", "MILESIGHT")
    assert "milesight-em300" in text and "airgradient" not in text
    assert len(presets("presets").splitlines()) == len(rows) + 1


def test_a_key_that_the_driver_passes_over_is_a_fault(house):
    daemon = house(sites=SITES, sources=[{**SOURCES[0], "driver": "influx", "value": "/v"}])
    done = subprocess.run([BIN / "ecogovd", "-c", daemon.config, "--check"], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 78 and "driver influx makes nothing of 'value'" in done.stderr


def test_a_sparkplug_node_is_born_speaks_by_alias_and_dies(broker, house, peer):
    source = {"id": "spb", "topic": "spBv1.0/#", "site": "v1", "domain": "soil", "driver": "sparkplug-b"}
    daemon = house(broker.port, sources=[*SOURCES, source]).start()
    daemon.connected()
    pairs = pathlib.Path(__file__).resolve().parents[1] / "drivers/sparkplug-b"
    for topic, pair in (("NBIRTH/gw1", "nbirth"), ("DBIRTH/gw1/soil7", "dbirth"), ("DDATA/gw1/soil7", "ddata-alias")):
        peer.tell(f"spBv1.0/village/{topic}", (pairs / f"{pair}.payload").read_bytes())
    daemon.until(lambda status: status["messages"]["decoded"] == 3)
    latest = {row["quantity"]: row["value"] for row in daemon.call("readings.latest", device="soil7")}
    assert latest["soil_moisture"] == 30.25 and latest["soil_temp"] == 15
    peer.tell("spBv1.0/village/DDATA/gw1/soil7", (pairs / "no-time.payload").read_bytes())
    daemon.until(lambda status: status["messages"]["decoded"] == 4)
    (device,) = daemon.call("devices.list", device="soil7")
    assert device["state"] == "suspect"  # the golden pairs' readings are of years ago: no rule may judge them
    assert {doubt["reason"] for doubt in device["suspect"]} == {"unjudged"}
    peer.tell("spBv1.0/village/NDEATH/gw1", (pairs / "ndeath.payload").read_bytes())
    daemon.until(lambda status: status["messages"]["decoded"] == 5)
    assert {row["device"]: row["state"] for row in daemon.call("devices.list")} == {"gw1": "silent", "soil7": "silent"}

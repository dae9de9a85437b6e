"""Home Assistant finds devices, readings and open cases by itself: what is announced holds against its documentation (device discovery, device
classes with the units they take), is said once, follows changes, and goes when a device retires. Nothing of it comes back to us."""
import json
import re

import house as houses
from broker import Peer

KEYS = {"mqtt": {"publish": True}, "rules": [houses.PM25_RULE],
        "sites": [{"id": "county", "name": "County"}, {"id": "v1", "name": "一村", "level": "village", "parent": "county"}],
        "home_assistant": {"enable": True, "language": "en", "interval": "1s"}}
# https://www.home-assistant.io/integrations/sensor/#device-class, of the classes we use; None: without a unit
MASS = {"µg/m³"}
CLASSES = {"pm1": MASS, "pm25": MASS, "pm10": MASS, "sulphur_dioxide": MASS, "nitrogen_dioxide": MASS, "nitrogen_monoxide": MASS, "ozone": MASS,
           "carbon_dioxide": {"ppm"}, "volatile_organic_compounds_parts": {"ppm", "ppb"}, "temperature": {"°C", "°F", "K"}, "humidity": {"%"},
           "moisture": {"%"}, "ph": {None}, "battery": {"%"}, "signal_strength": {"dB", "dBm"}, "conductivity": {"S/cm", "mS/cm", "µS/cm"},
           "wind_speed": {"m/s", "km/h", "kn", "mph", "ft/s", "Beaufort"}, "precipitation": {"mm", "cm", "in"},
           "precipitation_intensity": {"mm/h", "mm/d", "in/h", "in/d"}, "atmospheric_pressure": {"hPa", "kPa", "Pa", "mbar", "bar"},
           "pressure": {"hPa", "kPa", "Pa", "mbar", "bar"}, "irradiance": {"W/m²"}, "illuminance": {"lx"}, "sound_pressure": {"dB", "dBA"},
           "weight": {"kg", "g", "mg", "µg"}, "distance": {"km", "m", "cm", "mm"}, "volume_flow_rate": {"m³/h", "L/min", "L/s"},
           "voltage": {"V", "mV", "kV"}, "duration": {"d", "h", "min", "s", "ms"}}
DEVICE = {"identifiers", "name", "manufacturer", "model", "suggested_area"}
SHARED = {"device", "origin", "availability", "availability_mode", "state_topic", "qos", "components"}
SENSOR = {"platform", "unique_id", "name", "value_template", "device_class", "unit_of_measurement", "state_class", "suggested_display_precision"}


def check(topic, config):
    """What the documentation of MQTT discovery and of sensors asks for."""
    assert re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic)
    assert set(config) <= SHARED and {"device", "origin", "components"} <= set(config)
    assert set(config["device"]) <= DEVICE and config["device"]["identifiers"] and config["origin"]["name"] == "ecogov"
    assert config["availability_mode"] in ("all", "any", "latest") and config["availability"][0] == {"topic": "ecogov/state/daemon"}
    for key, part in config["components"].items():
        assert re.fullmatch(r"[a-zA-Z0-9_-]+", key) and part["unique_id"].endswith(key)
        assert set(part) <= SENSOR and part["platform"] in ("sensor", "binary_sensor")
        if part["platform"] == "sensor":
            assert part.get("state_class") in ("measurement", None)
            if "device_class" in part:
                assert part.get("unit_of_measurement") in CLASSES[part["device_class"]], key


def test_it_appears_by_itself_and_goes(broker, peer, house):
    daemon = house(broker.port, **KEYS).start()
    daemon.connected()
    peer.listen("homeassistant/#")
    peer.listen("ecogov/state/#")
    peer.tell("ecogov/v1/air/a1", json.dumps({"pm25": 38.5, "temp": 21.4, "humidity": 40, "soil_ec": 0.4, "battery": 90, "rssi": -70, "wind_dir": 90}))
    message = peer.hear(lambda topic, text: topic.endswith("-v1-air-a1/config") and text)
    config = json.loads(message.payload)
    check(message.topic, config)
    assert config["device"]["name"] == "一村 a1" and config["device"]["suggested_area"] == "一村"
    parts = config["components"]
    assert parts["pm25"]["device_class"] == "pm25" and parts["pm25"]["unit_of_measurement"] == "µg/m³" and parts["pm25"]["name"] == "Fine particles"
    assert parts["soil_ec"]["unit_of_measurement"] == "mS/cm" and "state_class" not in parts["wind_dir"]
    state = json.loads(peer.hear(lambda topic, text: topic == config["state_topic"]).payload)
    assert state["reporting"] is True and state["pm25"] == 38.5
    assert all(f"value_json['{key}']" in part["value_template"] and key in state for key, part in parts.items())
    peer.tell("ecogov/v1/air/a1", json.dumps({"pm25": 180}))
    peer.hear(lambda topic, text: topic == config["state_topic"] and json.loads(text)["pm25"] == 180)
    for site in ("county", "v1"):
        counts = peer.hear(lambda topic, text: topic == f"ecogov/state/{site}/cases/open" and json.loads(text)["open"] == 1)
        assert json.loads(counts.payload) == {"open": 1, "notice": 0, "warning": 0, "critical": 1}
        topic, payload = next((m.topic, m.payload) for m in peer.heard if m.topic.endswith(f"-site-{site}/config"))
        check(topic, json.loads(payload))
        assert json.loads(payload)["components"]["problem"] == {
            "platform": "binary_sensor", "unique_id": topic.split("/")[2] + "-problem", "name": "Problem", "device_class": "problem",
            "value_template": "{{ 'ON' if value_json.open > 0 else 'OFF' }}"}
    peer.tell("ecogov/v1/air/a1", json.dumps({"pm10": 20}))  # a new series: described anew, once
    peer.hear(lambda topic, text: topic == message.topic and "pm10" in text)
    configs = [m.topic for m in peer.heard if m.topic.startswith("homeassistant/")]
    assert configs.count(message.topic) == 2 and len(configs) == 4
    daemon.kill()  # what was announced lies with the broker
    with Peer(broker.port) as late:
        late.listen("homeassistant/#")
        late.hear(lambda topic, text: topic == message.topic and "pm10" in text)
    daemon.start()
    daemon.configure(home_assistant={"enable": False})
    daemon.reload()
    peer.hear(lambda topic, text: topic == message.topic and text == "")
    peer.hear(lambda topic, text: topic.endswith("-site-county/config") and text == "")


def test_a_device_that_retires_and_odd_names(broker, peer, house):
    daemon = house(broker.port, **{**KEYS, "home_assistant": {**KEYS["home_assistant"], "retire_after": "3s", "prefix": "ha"}}).start()
    daemon.connected()
    peer.listen("ha/#")
    peer.tell("ecogov/v1/air/a.1", json.dumps({"pm25": 20}))
    message = peer.hear(lambda topic, text: "-v1-air-a_1-" in topic and text)
    assert re.fullmatch(r"ha/device/[a-zA-Z0-9_-]+/config", message.topic)
    peer.hear(lambda topic, text: topic == message.topic and text == "")


def test_no_source_takes_it_for_a_reading(tmp_path):
    config = tmp_path / "ecogov.yaml"
    config.write_text(json.dumps({"sites": [{"id": "v1"}], "home_assistant": {"enable": True},
                                  "sources": [{"id": "all", "topic": "+/device/{device}/config", "site": "v1", "domain": "air", "driver": "json"}]}))
    done = houses.ecogovd("-c", config, "--check")
    assert done.returncode == 78 and "source 'all' subscribes what is announced below homeassistant" in done.stderr


def test_every_quantity_has_a_class_that_takes_its_unit_or_none(broker, peer, house):
    daemon = house(broker.port, **KEYS).start()
    daemon.connected()
    peer.listen("homeassistant/#")
    made_here = {"aqi_cn", "aqi_us", "waste_pressure", "soil_class", "soil_nemerow", "soil_factor", "salinity_class"}  # of a site's readings; no device brings them
    quantities = {row["name"]: row for row in daemon.call("quantities.list") if row["name"] not in made_here}
    peer.tell("ecogov/v1/air/all", json.dumps({name: (row["low"] + row["high"]) / 2 for name, row in quantities.items()}))
    message = peer.hear(lambda topic, text: topic.endswith("-v1-air-all/config") and text)
    config = json.loads(message.payload)
    check(message.topic, config)
    assert set(config["components"]) == set(quantities)
    assert len({part["name"] for part in config["components"].values()}) == len(quantities)
    assert sum("device_class" in part for part in config["components"].values()) > 30

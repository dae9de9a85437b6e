"""What cases of silence, of an index, of neighbours and of people stand on: shown, in words, and still there when the rule asks otherwise. Knows replay, the socket, ecogovctl."""
import json
import os
import pathlib
import subprocess

import pytest
import yaml

import house as houses

STORIES = pathlib.Path(__file__).parents[1] / "replay"


@pytest.fixture(name="served")
def _served(house, tmp_path):
    def serve(story, port=1, **keys):
        config = yaml.safe_load((STORIES / f"{story}.yaml").read_text())
        config.pop("mqtt", None)
        daemon = house(port, **{"parties": [], **config, **keys})
        done = houses.ecogovd("-c", daemon.config, "--replay", STORIES / f"{story}.jsonl")
        assert done.returncode == 0, done.stderr
        return daemon.start()
    return serve


def ctl(daemon, number, language="C.UTF-8"):
    environment = {key: value for key, value in os.environ.items() if key not in ("LC_ALL", "LC_MESSAGES", "NO_COLOR")}
    done = subprocess.run([houses.BIN / "ecogovctl", "-s", daemon.socket, "case", "show", str(number)], capture_output=True, text=True, timeout=60,
                          check=False, env={**environment, "LANG": language, "LC_CTYPE": "C.UTF-8"})
    assert done.returncode == 0, done.stderr
    return done.stdout.replace("2026-", "")  # times of this year are told without it


def values(series):
    return [reading["value"] for reading in series["readings"]]


def test_an_index_shows_the_hours_that_made_it(served):
    """150 ug/m3 is the mean of the two stations in the hour that opened the case, and 200 the index of it; what the other village measured has no part in it."""
    daemon = served("index-hour")
    shown = daemon.call("cases.show", id="1")
    assert [(one["device"], one["quantity"], one["period"], values(one)) for one in shown["evidence"]] == [
        ("a1", "pm25", "hour", [145]), ("a2", "pm25", "hour", [155]), ("a1", "pm10", "hour", [170]), ("a2", "pm10", "hour", [180])]
    index = shown["index"]
    assert (index["value"], index["primary"], index["sub"]) == (200, ["pm25"], {"pm10": 122, "pm25": 200})
    assert (index["from"], index["to"]) == ("2026-03-09T02:00:00.000Z", shown["opened_at"])
    said, chinese = ctl(daemon, 1), ctl(daemon, 1, language="zh_CN.UTF-8")
    assert "index it stands on\n  03-09 10:00 to 03-09 11:00: 200 (pm10 122, pm25 200)" in said
    assert "a1 pm25 (µg/m³, mean of the hour):  03-09 10:00 145.0\n" in said
    assert "立案依据的指数\n  03-09 10:00 至 03-09 11:00：200" in chinese and "小时均值" in chinese


def test_a_day_shows_its_hours(house, peer, broker):
    """The index of a local day: as many hours as it has, also when the rule has left the configuration."""
    sites = [{"id": "v"}]
    rule = {"id": "day", "domain": "air", "quantity": "aqi_cn", "window": "day", "levels": {"notice": {"open": 100, "clear": 90}}}
    daemon = house(broker.port, rules=[rule], sites=sites, parties=[], time_zone="UTC", late_limit="3d").start()
    daemon.connected()
    start = (int(houses.time.time()) // 86400 - 1) * 86400
    for quarter in range(4 * 24 + 1):
        peer.tell("ecogov/v/air/a1", f'{{"ts": {start + quarter * 900}, "pm25": {200 if quarter < 96 else 10}}}')
    (case,) = daemon.cases()
    (series,) = daemon.call("cases.show", id=case["id"])["evidence"]
    assert (series["count"], values(series)) == (24, [200] * 24)
    assert daemon.call("cases.show", id=case["id"])["index"]["value"] == case["peak"]["value"]
    daemon.configure(rules=[])
    daemon.reload()
    kept = daemon.call("cases.show", id=case["id"])
    assert [one["quantity"] for one in kept["evidence"]] == ["pm25"]
    daemon.stop()
    daemon.verify()


def test_silence_shows_who_and_since_when(served):
    daemon = served("outage")
    outage = daemon.call("cases.show", id="2")
    assert [(one["device"], one["last_seen"]) for one in outage["devices"]] == [
        (f"a{n}", f"2026-11-23T05:{54 + n}:00.000Z") for n in (1, 2, 3)]
    assert all(one["interval"] and one["silent_after"] for one in outage["devices"])
    assert [(one["device"], one["count"]) for one in outage["evidence"]] == [("a1", 1), ("a2", 1), ("a3", 1)]
    above = daemon.call("cases.show", id="4")  # of the county: of all its villages
    assert {one["site"] for one in above["devices"]} == {"shangtian", "xiatian", "far"} and {one["site"] for one in above["evidence"]} == {"shangtian", "xiatian", "far"}
    own = daemon.call("cases.show", id="1")
    assert [one["device"] for one in own["devices"]] == ["a3"] and "index" not in own
    said, chinese = ctl(daemon, 2), ctl(daemon, 2, language="zh_CN.UTF-8")
    assert "devices that are not heard\n  shangtian/air/a1  last heard 11-23 13:55, usually every 6 min, silent after 19 min\n" in said
    assert "失联设备\n  shangtian/air/a1  最后上报 11-23 13:55，通常每 6 分钟上报一次，超过 19 分钟未上报即判失联\n" in chinese
    assert "shangtian/a1 pm25" in ctl(daemon, 4)
    for number in (3, 5):  # of a device, of a site: no limit is broken
        chinese = ctl(daemon, number, language="zh_CN.UTF-8")
        assert "  状况         失联\n" in chinese and "超标" not in chinese, chinese
    kinds = [case["kind"] for case in daemon.call("cases.list", limit=100)["cases"]]
    assert daemon.call("cases.kpi")["cases"] == len(kinds) - kinds.count("outage") > 0 < kinds.count("outage")


def test_silence_has_a_name_where_no_rule_gives_it_one(served):
    """And the summary says of an outage, which has no domain, that it is of all."""
    daemon = served("outage", device_rules=[{"id": "device-silent", "when": "silent", "hold": "2h", "level": "notice"},
                                            {"id": "site-silent", "when": "outage", "hold": "10m"}])
    cases = daemon.call("cases.list")["cases"]
    assert {(case["kind"], case["title"], case["title_zh"]) for case in cases if case["kind"] in ("device", "outage")} == {
        ("device", "Device not heard", "设备失联"), ("outage", "No device of the site heard", "站点设备全部失联")}
    (outage,) = [case for case in cases if case["kind"] == "outage" and case["handling"] == "open"][:1]
    done = subprocess.run([houses.BIN / "ecogovctl", "-s", daemon.socket, "summary", "--site", outage["site"], "--at", outage["detected_at"]],
                          capture_output=True, text=True, timeout=60, check=True).stdout
    assert "  all domains  open cases: 1: 1 warning\n" in done and "0 devices, 0 reporting" not in done, done


def test_a_regional_case_shows_its_members(served):
    daemon = served("regional")
    shown = daemon.call("cases.show", id="4")
    assert [(one["case"], one["site"], values(one)) for one in shown["evidence"]] == [
        (child["id"], child["site"], [child["peak"]["value"]]) for child in reversed(shown["children"])]
    assert [child["level"] for child in shown["children"]] == ["critical"] + 4 * ["warning"]
    said = ctl(daemon, 4)
    assert f"holds        {shown['children'][0]['id']}  critical, unknown, closed, peak 160.0 µg/m³, 11-23 09:40\n" in said
    assert "  c/p1 pm25 (µg/m³):  11-23 09:40 160.0\n" in said


def test_what_people_measured_is_shown(served):
    """For the case of a sensor what they measured until it was over; for one that their value opened, that once."""
    daemon = served("reports")
    sensor, sour = daemon.call("cases.show", id="3")["evidence"], daemon.call("cases.show", id="2")["evidence"]
    assert [(one["device"], values(one)) for one in sensor] == [("a1", [90]), ("manual", [30, 72, 120, 25])]
    assert all(reading["flags"] == ["manual"] for reading in sensor[1]["readings"])
    assert [(one["device"], values(one)) for one in sour] == [("manual", [4.2])]


def test_what_a_rule_asked_is_shown_when_it_asks_no_more(house, broker, peer):
    straw = {"id": "straw", "domain": "air", "quantity": "pm25", "levels": {"warning": {"open": 75, "clear": 70}},
             "and": [{"quantity": "co", "of": "site", "above": 1, "within": "3h"}]}
    daemon = house(broker.port, rules=[straw], sites=[{"id": "v"}], parties=[]).start()
    daemon.connected()
    peer.tell("ecogov/v/air/a2", '{"co": 2.5}')
    peer.tell("ecogov/v/air/a1", '{"pm25": 90}')
    daemon.cases()
    before = daemon.call("cases.show", id="1")["evidence"]
    assert [(one["device"], values(one)) for one in before] == [("a1", [90]), ("a2", [2.5])]
    daemon.configure(rules=[{key: value for key, value in straw.items() if key != "and"}])
    daemon.reload()
    assert daemon.call("cases.show", id="1")["evidence"] == before
    daemon.kill()
    daemon.start()
    assert daemon.call("cases.show", id="1")["evidence"] == before


def test_what_people_enter_is_not_missed(house, broker):
    """A device made of manual readings never was heard, and nobody waits for it: also after a restart."""
    rule = {"id": "sour", "domain": "soil", "quantity": "soil_ph", "direction": "below", "levels": {"notice": {"open": 5, "clear": 5.5}}}
    daemon = house(broker.port, rules=[rule], sites=[{"id": "v"}], parties=[]).start()
    daemon.call("reports.submit", site="v", domain="soil", quantity="soil_ph", value=4, time="2026-01-01T00:00:00Z")
    for _ in range(2):
        assert {device["device"]: device["state"] for device in daemon.call("devices.list")} == {"manual": "reporting"}
        assert daemon.call("rules.explain", rule="sour")["series"][0]["silent"] is False
        (soil,) = daemon.call("summary", site="v")["sites"][0]["domains"].values()
        assert soil["devices"]["silent"] == 0 and soil["devices"]["total"] == 1
        daemon.kill()
        daemon.start()


def test_a_long_history_is_told_by_its_ends(house, broker):
    daemon = house(broker.port, rules=[], sites=[{"id": "v"}], parties=[]).start()
    number = daemon.call("reports.submit", site="v", domain="waste", text="rubbish")["number"]
    for n in range(60):
        daemon.call("cases.comment", id=str(number), note=f"note {n}")
    said = ctl(daemon, number).splitlines()
    assert "  … 18 more; --json tells all of them" in said
    assert "note 1”" in said[said.index("  … 18 more; --json tells all of them") - 1] and "note 59”" in said[-1]
    assert len([line for line in said if "“note" in line]) == 42


def test_a_regional_case_flaps_the_same_after_any_restart(house, tmp_path):
    """One of its own goes to and fro while nobody hears of the other: it is known and unknown in turns, and the county is told only a few times."""
    rule = {"id": "smoke", "domain": "air", "quantity": "pm25", "levels": {"warning": {"open": 75, "clear": 70}}, "regional": {"sites": 2, "within": "1h"}}
    sites = [{"id": "county"}, {"id": "east", "parent": "county"}, {"id": "west", "parent": "county"}]
    lines = []
    for minute in [*range(0, 10), *range(120, 180)]:
        for site in ("east", "west") if minute < 10 else ("east",):
            value = 20 if minute > 10 and minute % 2 else 95
            time = f"2026-11-23T{1 + minute // 60:02}:{minute % 60:02}:00.000Z"
            lines.append(json.dumps({"time": time, "topic": f"ecogov/{site}/air/a1", "payload": json.dumps({"pm25": value})}) + "\n")
    said = []
    for parts in (1, 9):
        daemon = house(1, store={"path": f"{parts}.db"}, rules=[rule], sites=sites, parties=[], devices=[{"id": "a1", "site": "east", "silent_after": "5d"}])
        told, recording = [], tmp_path / f"{parts}.jsonl"
        for part in range(parts):
            recording.write_text("".join(lines[len(lines) * part // parts:len(lines) * (part + 1) // parts]))
            done = houses.ecogovd("-c", daemon.config, "--replay", recording)
            assert done.returncode == 0, done.stderr
            told += [line for line in done.stdout.splitlines() if " case county-" in line]
        daemon.verify()
        said.append(told)
    assert said[0] == said[1]
    before = said[0][:[i for i, line in enumerate(said[0]) if " flapping " in line][0]]
    assert len([line for line in said[0] if " flapping " in line]) == 1 and 4 <= len(before) <= 10, said[0]


def test_who_tells_once_a_day_decides_with_the_next(house, tmp_path):
    """With a hold the reading behind it decided, and is shown, also when it came a day later; none after it is."""
    rule = {"id": "dry", "domain": "soil", "quantity": "soil_moisture", "direction": "below", "levels": {"notice": {"open": 18, "clear": 20}}, "hold": "12h"}
    daemon, recording = house(1, rules=[rule], sites=[{"id": "v"}], parties=[]), tmp_path / "days.jsonl"
    recording.write_text("".join(json.dumps({"time": f"2026-07-{day:02}T04:00:00.000Z", "topic": "ecogov/v/soil/s1",
                                             "payload": json.dumps({"soil_moisture": 25 if day < 8 else 15})}) + "\n" for day in range(1, 14)))
    assert houses.ecogovd("-c", daemon.config, "--replay", recording).returncode == 0
    daemon.start()
    shown = daemon.call("cases.show", id="1")
    (series,) = shown["evidence"]
    assert series["readings"][-1]["time"] == shown["detected_at"] > shown["opened_at"] == "2026-07-08T04:00:00.000Z"
    assert values(series) == [15] * len(series["readings"]) and len(series["readings"]) >= 2

"""Indices of a place in `summary`: of the stations' hours, over a restart, with late readings; waste and soil beside them."""
import csv
import datetime
import io
import json
import subprocess

import pytest

from house import BIN, PM25_RULE, ecogovd
from rpc import RpcError

HOUR = 3600
SIX = {"pm25": 40, "pm10": 90, "so2": 12, "no2": 35, "co": 0.8, "o3": 70}


def index(name, *words):
    done = subprocess.run([BIN / "ecogovctl", "--json", "index", name, *words], capture_output=True, text=True, timeout=20, check=True)
    return json.loads(done.stdout)


def sql(daemon, query):
    done = subprocess.run(["sqlite3", "-readonly", "-csv", daemon.folder / "ecogov.db", "-cmd", f".load {BIN.parent}/lib/ecogov", query],
                          capture_output=True, text=True, timeout=120, check=True)
    return list(csv.reader(io.StringIO(done.stdout)))


def export(daemon, *words):
    return subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, "export", *words], capture_output=True, text=True, timeout=60, check=True).stdout


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def stamp(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat()


def say_hours(peer, topic, newest_end, hours, values):
    """Six readings an hour of each; hour 0 is the newest. values(hour) → quantities."""
    for hour in reversed(range(hours)):
        for tenth in range(6):
            at = newest_end - (hour + 1) * HOUR + tenth * 600
            peer.tell(topic, json.dumps({"ts": stamp(at), **values(hour)}))


def whole_hour(daemon):
    return seconds(daemon.status()["now"]) // HOUR * HOUR


def air(daemon, site):
    answer = daemon.call("summary", site=site, domain="air")
    return next(entry for entry in answer["sites"] if entry["site"] == site)["domains"]["air"]["index"], answer["at"]


def test_air_of_two_stations(broker, house, peer):
    daemon = house(broker.port, late_limit="7d").start()
    daemon.connected()
    end = whole_hour(daemon)
    say_hours(peer, "ecogov/v1/air/a1", end, 25, lambda hour: {**SIX, "pm25": 60 + hour})
    say_hours(peer, "ecogov/v2/air/a1", end, 25, lambda hour: {**SIX, "pm25": 100 + hour})
    daemon.stored(2 * 25 * 36)

    got, at = air(daemon, "v1")
    cn = got["aqi_cn"]
    assert seconds(cn["hour"]) == end - HOUR
    words = [f"{name}={value}" for name, value in SIX.items() if name != "pm25"]
    expected = index("aqi_cn", "mode=hour", "pm25=60", *words)
    assert {key: cn[key] for key in ("aqi", "sub", "primary", "category", "category_zh", "level", "colour", "missing", "edition")} == \
           {key: expected[key] for key in ("aqi", "sub", "primary", "category", "category_zh", "level", "colour", "missing", "edition")}
    shift = (seconds(at) // HOUR * HOUR - end) // HOUR  # 1 where an hour ended meanwhile
    for back, said in zip(reversed(range(24)), cn["last_24h"]):
        if back >= shift:
            assert said == index("aqi_cn", "mode=hour", f"pm25={60 + back - shift}", *words)["aqi"]
    cast = index("nowcast", "pm25", ",".join(str(60 + hour) for hour in range(12)))
    assert got["aqi_us"]["sub"]["pm25"] == cast["aqi"]

    # the last 24 hours, or 8, against the WHO's guidelines
    if not shift:
        who = {one["quantity"]: one for one in got["who_2021"]}
        assert set(who) == set(SIX) and (who["pm25"]["mean"], who["pm25"]["guideline"], who["pm25"]["met"]) == (71.5, 15, False)
        assert who["pm25"]["interim_target"] == 1 and round(who["pm25"]["ratio"], 3) == 4.767
        assert (who["o3"]["average"], who["o3"]["met"], who["co"]["interim_target"]) == ("8h", True, None)
        shown = subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, "summary", "v1"], capture_output=True, text=True, timeout=20, check=True).stdout
        assert "WHO 2021: no2 1.4 ×, pm10 2.0 ×, pm25 4.8 × the guideline for a day" in shown

    # the county's air is the mean of its stations
    county, _ = air(daemon, "county")
    assert county["aqi_cn"]["sub"]["pm25"] == index("aqi_cn", "mode=hour", "pm25=80")["sub"]["pm25"]

    # a restart reads the hours again; late readings change the hour they belong to
    daemon.kill()
    daemon.start()
    daemon.connected()
    again, _ = air(daemon, "v1")
    assert again["aqi_cn"]["sub"] == cn["sub"] and again["aqi_us"]["sub"] == got["aqi_us"]["sub"]
    for minute in (5, 15, 25, 35, 45, 55):
        peer.tell("ecogov/v1/air/a1", json.dumps({"ts": stamp(end - HOUR + 60 * minute), "pm25": 120}))
    daemon.stored(2 * 25 * 36 + 6)
    later, _ = air(daemon, "v1")
    assert later["aqi_cn"]["sub"]["pm25"] == index("aqi_cn", "mode=hour", "pm25=90")["sub"]["pm25"]


def test_over_time(broker, house, peer):
    daemon = house(broker.port, late_limit="30d", time_zone="Asia/Shanghai").start()
    daemon.connected()
    end = whole_hour(daemon)
    midnight = (end + 8 * HOUR) // 86400 * 86400 - 8 * HOUR  # of today, in Shanghai
    say_hours(peer, "ecogov/v1/air/a1", midnight, 30, lambda hour: {**SIX, "pm25": 50 + hour})
    say_hours(peer, "ecogov/v2/air/a1", midnight, 30, lambda hour: {**SIX, "pm25": 70 + hour})
    daemon.stored(2 * 30 * 36)
    words = [f"{name}={value}" for name, value in SIX.items() if name != "pm25"]

    def ask(**params):
        return daemon.call("indices.history", **{"to": stamp(midnight), **params})

    hours = ask(site="v1", **{"from": stamp(midnight - 20 * HOUR)})
    assert hours["resolution"] == "hour" and len(hours["points"]) == 20
    assert {entry["quantity"] for entry in hours["made_of"]} == set(SIX) and {entry["site"] for entry in hours["made_of"]} == {"v1"}
    for back, point in zip(reversed(range(20)), hours["points"]):
        expected = index("aqi_cn", "mode=hour", f"pm25={50 + back}", *words)
        assert seconds(point["time"]) == midnight - (back + 1) * HOUR and point["edition"] == "2026"
        assert all(point[key] == expected[key] for key in ("aqi", "sub", "primary", "category", "level"))
    # page by page it is the same
    paged, cursor = [], None
    while True:
        page = ask(site="v1", limit=7, **{"from": stamp(midnight - 20 * HOUR)}, **({"cursor": cursor} if cursor else {}))
        paged += page["points"]
        cursor = page["next"]
        if not cursor:
            break
    assert paged == hours["points"]
    # by day, both stations: the mean of 24 hours of (50 + h + 70 + h) / 2
    days = ask(resolution="day", **{"from": stamp(midnight - 24 * HOUR)})["points"]
    expected = index("aqi_cn", "mode=day", f"pm25={60 + 11.5}", "o3=70", *(word for word in words if not word.startswith("o3")))
    assert [seconds(day["time"]) for day in days] == [midnight - 24 * HOUR]
    assert days[0]["sub"] == expected["sub"] and days[0]["aqi"] == expected["aqi"]
    american = ask(device="v2/air/a1", index="aqi_us", **{"from": stamp(midnight - 2 * HOUR)})["points"]
    assert american[-1]["sub"]["pm25"] == index("nowcast", "pm25", ",".join(str(70 + hour) for hour in range(12)))["aqi"]
    # with plain SQL beside the daemon, and to a file: the same, though nothing has come after it
    told = [[point["time"], "v1", str(point["value"]), str(point["aqi"]), point["category"], "|".join(point["primary"]), str(point["sub"]["pm25"])]
            for point in hours["points"]]
    query = "SELECT time,site,value,published,category,\"primary\",pm25 FROM ecogov_indices WHERE \"index\"='aqi_cn' AND resolution='hour' AND "
    assert sql(daemon, f"{query} site='v1' AND time_ms >= {(midnight - 20 * HOUR) * 1000}") == told
    assert sql(daemon, f"{query} time BETWEEN '{told[3][0]}' AND '{told[5][0]}' AND site LIKE 'v1%'") == told[3:6]
    assert [row[0] for row in sql(daemon, "SELECT DISTINCT \"index\"||resolution FROM ecogov_indices ORDER BY 1")] == ["aqi_cnday", "aqi_cnhour", "aqi_ushour"]
    day = ask(site="v1", resolution="day", **{"from": stamp(midnight - 24 * HOUR)})["points"][0]
    assert sql(daemon, f"SELECT value,o3 FROM ecogov_indices WHERE resolution='day' AND time='{day['time']}' AND site='v1'") == \
           [[str(day["value"]), str(day["sub"]["o3"])]]
    assert sql(daemon, "SELECT count(*) FROM ecogov_indices WHERE site='v3' OR resolution='week'") == [["0"]]
    exported = export(daemon, "--indices", "--site", "v1", "--resolution", "hour", "--from", stamp(midnight - 20 * HOUR), "--to", stamp(midnight))
    rows = list(csv.DictReader(io.StringIO(exported)))
    assert [[row[key] for key in ("time", "site", "value", "published", "category", "primary", "pm25")] for row in rows] == told
    assert {row["missing"] for row in rows} == {""} and {row["edition"] for row in rows} == {"2026"}
    lines = export(daemon, "--indices", "--site", "v1", "--format", "ndjson", "--from", stamp(midnight - 20 * HOUR), "--to", stamp(midnight)).splitlines()
    assert json.loads(lines[-1]) == {**hours["points"][-1], "site": "v1", "index": "aqi_cn", "resolution": "hour"}
    for params, sentence in (({"from": "-900d"}, "800 days"), ({"site": "county", "device": "none"}, "No device"),
                             ({"index": "aqi_us", "resolution": "day"}, "NowCast"), ({"from": "+1h"}, "before")):
        with pytest.raises(RpcError, match=sentence):
            daemon.call("indices.history", **params)


def test_a_past_moment(broker, house, peer):
    daemon = house(broker.port, late_limit="30d", rules=[PM25_RULE]).start()
    daemon.connected()
    end = whole_hour(daemon)
    say_hours(peer, "ecogov/v1/air/a1", end, 30, lambda hour: {**SIX, "pm25": 60 + hour})
    daemon.stored(30 * 36)
    [case] = daemon.cases(1)

    def at(moment, site="v1"):
        answer = daemon.call("summary", site=site, at=stamp(moment))
        assert seconds(answer["at"]) == moment
        return answer["sites"][0]["domains"].get("air")

    then = at(end - 10 * HOUR)
    assert then["devices"] == {"total": 1, "reporting": 1, "silent": 0, "suspect": 0}
    # the newest value then; of the running hour nothing has come yet, but the reading at its very start
    latest = next(entry for entry in then["latest"] if entry["quantity"] == "pm25")
    assert latest["value"] == 69 and seconds(latest["time"]) == end - 10 * HOUR
    assert then["index"]["aqi_cn"]["sub"]["pm25"] == index("aqi_cn", "mode=hour", "pm25=70")["sub"]["pm25"]
    assert seconds(then["index"]["aqi_cn"]["hour"]) == end - 11 * HOUR
    hour = next(entry for entry in then["hour"] if entry["quantity"] == "pm25")
    assert (hour["count"], hour["mean"]) == (1, 69)
    assert then["cases"]["open"] == 1 and at(end - 10 * HOUR, "county")["cases"]["warning"] == 1
    half = at(end - 10 * HOUR + 30 * 60)
    assert next(entry for entry in half["hour"] if entry["quantity"] == "pm25")["count"] == 4
    # before anything was heard there is nothing, and no case; the case stays open until somebody closes it
    assert at(end - 31 * HOUR) is None
    daemon.call("cases.reject", id=case["id"], note="an exercise")
    assert at(end)["cases"]["open"] == 1 and daemon.call("summary", site="v1")["sites"][0]["domains"]["air"]["cases"]["open"] == 0
    with pytest.raises(RpcError, match="future"):
        daemon.call("summary", at="+1h")


def test_a_station_that_says_nothing_more_is_in_sql(broker, house, peer):
    """Its last hour and its last day, which no reading has closed: as indices.history tells them, for the silent one, for both, and cut anywhere."""
    daemon = house(broker.port, late_limit="30d", time_zone="Asia/Shanghai").start()
    daemon.connected()
    end = whole_hour(daemon)
    midnight = (end + 8 * HOUR) // (24 * HOUR) * 24 * HOUR - 8 * HOUR
    say_hours(peer, "ecogov/v1/air/a1", midnight, 48, lambda hour: {"pm25": 40 + hour, "o3": 60})
    say_hours(peer, "ecogov/v1/air/a2", midnight - 30 * HOUR, 20, lambda hour: {"pm25": 90})
    say_hours(peer, "ecogov/v2/air/a1", midnight - 48 * HOUR, 24, lambda hour: {"pm25": 55})  # not one day was ever drawn
    for hour in range(48):  # a slow one, whose newest hour is open though the others have gone on
        peer.tell("ecogov/v1/air/slow", json.dumps({"ts": stamp(midnight - hour * HOUR - 600), "pm25": 120}))
    peer.tell("ecogov/v2/air/a9", '{"humidity": 50}')
    daemon.stored(48 * 12 + 44 * 6 + 48 + 1)
    for site in ("v1", "v2"):
        for resolution in ("hour", "day"):
            for start, stop in ((midnight - 96 * HOUR, midnight), (midnight - 48 * HOUR, midnight - 24 * HOUR), (midnight - 24 * HOUR, midnight)):
                told = daemon.call("indices.history", site=site, resolution=resolution, limit=1000, **{"from": stamp(start), "to": stamp(stop)})["points"]
                rows = sql(daemon, f"SELECT time,value,pm25 FROM ecogov_indices WHERE site='{site}' AND \"index\"='aqi_cn' AND resolution='{resolution}'"
                                   f" AND time_ms >= {start * 1000} AND time_ms < {stop * 1000}")
                assert rows == [[point["time"], str(point["value"]), str(point["sub"]["pm25"])] for point in told], (site, resolution, start - midnight)
                assert told or site == "v2"
    assert len(sql(daemon, "SELECT time FROM ecogov_indices WHERE \"index\"='aqi_cn' AND resolution='day'")) == 3


def test_a_place_that_fell_silent(house):
    """Its air has no index in hours in which nothing was measured, and the summary says since when and what it was; its full bin stays full."""
    rule = {"id": "us", "domain": "air", "quantity": "aqi_us", "levels": {"warning": {"open": 100, "clear": 90}}}
    full = {"id": "full", "domain": "waste", "quantity": "waste_pressure", "levels": {"warning": {"open": 200, "clear": 150}}}
    daemon = house(1, time_zone="Asia/Shanghai", rules=[rule, full])
    start, lines = seconds("2026-11-20T00:00:00+08:00"), []

    def say(at, topic, **values):
        lines.append({"time": stamp(at), "topic": topic, "payload": json.dumps({"ts": stamp(at), **values})})
    for minute in range(0, 24 * 60, 10):
        at = start + 60 * minute
        if minute < 20 * 60:
            say(at, "ecogov/v1/air/a1", pm25=40, o3=100, no2=20)
        if minute % 60 == 0:
            say(at, "ecogov/v1/waste/b1", fill_level=80, h2s=0.03)
        if minute % 60 == 0 and minute < 6 * 60:
            say(at, "ecogov/v1/waste/b2", fill_level=96)
    end = start + 24 * HOUR
    recording = daemon.folder / "recording.jsonl"
    recording.write_text("".join(json.dumps(line) + "\n" for line in [*lines, {"time": stamp(end)}]))
    done = ecogovd("-c", daemon.config, "--replay", recording)
    assert done.returncode == 0, done.stderr
    daemon.start()

    def points(name):
        return daemon.call("indices.history", site="v1", index=name, resolution="hour", **{"from": stamp(start), "to": stamp(end)})["points"]
    last = start + 19 * HOUR
    for name, value in (("aqi_us", 112), ("aqi_cn", 60)):
        told = points(name)[-1]
        assert (seconds(told["time"]), told["value"]) == (last, value)
        rows = sql(daemon, f"SELECT time,value FROM ecogov_indices WHERE site='v1' AND \"index\"='{name}' AND resolution='hour' ORDER BY time_ms DESC LIMIT 1")
        assert rows == [[told["time"], str(value)]]
        now = daemon.call("summary", site="v1", at=stamp(end))["sites"][0]["domains"]["air"]["index"][name]
        assert (now["aqi"], now["aqi_of_available"], now["hour"]) == (None, None, None)
        assert now["last_24h"][-5:] == [value, None, None, None, None]
        assert (seconds(now["last"]["hour"]), seconds(now["last"]["until"]), now["last"]["aqi_of_available"]) == (last, last + HOUR, value)
        soon = daemon.call("summary", site="v1", at=stamp(end - 2 * HOUR))["sites"][0]["domains"]["air"]["index"][name]
        assert (soon["aqi_of_available"], seconds(soon["hour"])) == (value, last) and "last" not in soon

    def shown(at, language="C.UTF-8"):
        return subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, "summary", "--site", "v1", "--at", stamp(at)], capture_output=True, text=True,
                              timeout=20, check=True, env={"LC_ALL": language, "LANGUAGE": "", "TZ": "Asia/Shanghai", "COLUMNS": "120"}).stdout
    assert "US AQI not known since 11-20 20:00; then 112 Unhealthy for Sensitive Groups" in shown(end) and "█···· last 24 h" in shown(end)
    assert "AQI 自 11-20 20:00 起未知；此前为 60" in shown(end, "zh_CN.UTF-8")
    assert "AQI not known for more than 24 h" in shown(end + 20 * HOUR + 60) and "no whole hour" not in shown(end + 20 * HOUR + 60)

    assert [point["value"] for point in points("waste_pressure")[-3:]] == [220] * 3
    def pressure(at):
        return daemon.call("summary", site="v1", at=stamp(at))["sites"][0]["domains"]["waste"]["index"].get("waste_pressure")
    assert pressure(end)["pressure"] == 220
    assert [(one["measure"], one["device"]) for one in pressure(end)["measures"]] == [("fill", "b2"), ("h2s", "b1")]
    # b2 spoke at 05:00 last: for 24 hours behind that hour, as the series of the index has it; then b1, which went on to 23:00
    for at, value in ((end + 6 * HOUR - 60, 220), (end + 6 * HOUR, 100), (end + 24 * HOUR - 60, 100)):
        whole = daemon.call("indices.history", site="v1", index="waste_pressure", resolution="hour",
                            **{"from": stamp(at // HOUR * HOUR), "to": stamp(at // HOUR * HOUR + HOUR)})["points"]
        assert pressure(at)["pressure"] == whole[0]["value"] == value, stamp(at)
    assert pressure(end + 24 * HOUR) is None
    assert [case["rule"] for case in daemon.call("cases.list", site="v1", domain="waste")["cases"]] == ["full"]


def test_what_is_not_measured_is_not_said(broker, house, peer):
    daemon = house(broker.port, late_limit="7d").start()
    daemon.connected()
    end = whole_hour(daemon)
    say_hours(peer, "ecogov/v1/air/a1", end, 2, lambda hour: {"pm25": 30})
    peer.tell("ecogov/v1/air/a2", json.dumps({"ts": stamp(end - HOUR), "pm25": 900}))  # one reading is no hour
    peer.tell("ecogov/v2/air/a1", json.dumps({"ts": stamp(end - 5 * HOUR), "humidity": 50}))
    daemon.stored(14)
    cn = air(daemon, "v1")[0]["aqi_cn"]
    # HJ 633-2026, 5.3.1: pollutants are missing and the rest is not above 100
    assert cn["aqi"] is None and cn["level"] is None and cn["primary"] == []
    assert cn["aqi_of_available"] == index("aqi_cn", "mode=hour", "pm25=30")["aqi_of_available"]
    assert set(cn["missing"]) == {"pm10", "so2", "no2", "co", "o3"}
    assert air(daemon, "v2")[0] == {}


def test_waste_and_soil(daemon, peer):
    peer.tell("ecogov/v1/waste/b1", '{"fill_level": 92, "h2s": 0.05}')
    peer.tell("ecogov/v1/waste/b2", '{"fill_level": 40, "bin_temp": 65}')
    peer.tell("ecogov/v2/soil/plot", '{"soil_ph": 6.2, "cd": 0.35, "pb": 60}')
    peer.tell("ecogov/v2/soil/probe", '{"soil_ph": 6.2, "soil_moisture": 30}')
    daemon.stored(9)
    sites = {entry["site"]: entry["domains"] for entry in daemon.call("summary")["sites"]}
    expected = index("waste", "fill=92", "h2s=0.05", "temperature=65")
    got = sites["v1"]["waste"]["index"]["waste_pressure"]
    assert got["pressure"] == expected["pressure"] and got["primary"] == expected["primary"]
    assert sites["county"]["waste"]["index"]["waste_pressure"] == got
    soil = sites["v2"]["soil"]["index"]["soil_gb15618"]
    expected = index("soil_gb15618", "land=other", "ph=6.2", "cd=0.35", "pb=60")
    assert soil["level"] == 2 and soil["above_screening"] == ["cd"] and abs(soil["nemerow"] - expected["nemerow"]) < 1e-12


def test_as_a_series_and_in_a_rule(broker, house, peer):
    """readings.history of a site's index is what indices.history says, with what it was made of; a rule over it opens a case of the site."""
    rule = {"id": "heavy", "domain": "air", "quantity": "aqi_cn",
            "levels": {"warning": {"open": 150, "clear": 100}, "critical": {"open": 200, "clear": 150}}}
    daemon = house(broker.port, late_limit="7d", rules=[rule]).start()
    daemon.connected()
    end = whole_hour(daemon)
    for tenth in range(24):
        for device, pm25 in (("a1", (60, 140, 170, 80)), ("a2", (60, 160, 190, 100))):
            peer.tell(f"ecogov/v1/air/{device}", json.dumps({"ts": stamp(end - 4 * HOUR + 600 * tenth), "pm25": pm25[tenth // 6], "pm10": 100}))
    for device in ("a1", "a2"):
        peer.tell(f"ecogov/v1/air/{device}", json.dumps({"ts": stamp(end), "pm25": 80, "pm10": 100}))
    daemon.stored(2 * 4 * 12 + 4)

    asked = {"site": "v1", "from": stamp(end - 4 * HOUR), "to": stamp(end)}
    series = daemon.call("readings.history", quantity="aqi_cn", **asked)
    assert series == daemon.call("indices.history", **asked)
    assert series["quantity"] == "aqi_cn" and series["resolution"] == "hour"
    # 60: 100; 150: 200; 180: 230, 90: 128; all beyond 100 are published though four pollutants are missing
    assert [(point["value"], point["aqi"]) for point in series["points"]] == [(100, None), (200, 200), (230, 230), (128, 128)]
    heavy = series["points"][2]
    assert heavy["primary"] == ["pm25"] and heavy["means"] == [
        {"pollutant": "pm10", "average": "1h", "value": 100, "unit": "ug/m3", "hours": 1},
        {"pollutant": "pm25", "average": "1h", "value": 180, "unit": "ug/m3", "hours": 1}]
    assert daemon.call("readings.history", quantity="aqi_cn", device="v1/air/a2", **asked)["points"][2]["value"] == 240
    american = daemon.call("readings.history", quantity="aqi_us", **asked)
    assert american["index"] == "aqi_us" and {mean["average"] for mean in american["points"][-1]["means"]} == {"24h"}
    for params, sentence in (({"quantity": "pm25"}, "needs the \"device\""), ({"quantity": "aqi_cn", "resolution": "raw"}, "hour or a day")):
        with pytest.raises(RpcError, match=sentence):
            daemon.call("readings.history", **asked | params)

    case = daemon.call("cases.list", site="v1")["cases"][0]
    assert (case["quantity"], case["device"], case["level"], case["condition"]) == ("aqi_cn", None, "warning", "breaching")
    assert case["peak"] == {"value": 230, "time": stamp(end - HOUR).replace("+00:00", ".000Z")} and case["last"]["value"] == 128
    shown = daemon.call("cases.show", id=case["id"])["history"]
    assert [(event["kind"], event["value"], event["note"]) for event in shown] == [
        ("opened", 200, "primary pollutant: pm25 200"), ("level", 230, "primary pollutant: pm25 230"),
        ("level", 128, "primary pollutant: pm25 128")] and shown[0]["at"] == stamp(end - 2 * HOUR).replace("+00:00", ".000Z")
    told = daemon.call("rules.explain", rule="heavy")
    assert [(one["site"], one["value"], one["level"], one["case"]["id"]) for one in told["series"]] == [("v1", 128, "warning", case["id"])]
    tried = daemon.call("rules.backtest", rule=json.dumps(rule), **{"from": asked["from"], "to": stamp(end + HOUR)})
    assert (tried["quantity"], tried["series"], tried["readings"], tried["count"]) == ("aqi_cn", 4, 2 * 4 * 12 + 4, 1)
    past = tried["cases"][0]
    assert (past["site"], past["device"], past["domain"], past["level"]) == ("v1", None, "air", "critical")
    assert (past["opened_at"], past["peak"], past["ended_at"], past["made_of"], past["overlaps"]) == (
        case["opened_at"], case["peak"], None, "primary pollutant: pm25 200", [case["id"]])
    # what a device says its index is, is not taken
    before = daemon.status()["readings"]
    peer.tell("ecogov/v1/air/a3", json.dumps({"aqi_cn": 57}))
    peer.tell("ecogov/v1/air/a3", json.dumps({"pm25": 57}))
    daemon.stored(before["stored"] + 1)
    assert daemon.status()["readings"]["decoded"] == before["decoded"] + 1

    daemon.kill()
    daemon.start()
    assert daemon.call("cases.list", site="v1")["cases"] == [case]
    assert daemon.call("rules.explain", rule="heavy")["series"] == told["series"]
    done = subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, "history", "-", "aqi_cn", "--site", "v1", "--from", stamp(end - 4 * HOUR)],
                          capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout.startswith("aqi_cn v1") and "230" in done.stdout

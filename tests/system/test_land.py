"""Soil, waste and salinity of a place as series: what they were by hour and day, of which bin and plot, at past times, in text, in files."""
import csv
import io
import json
import subprocess

import pytest

from house import BIN
from rpc import RpcError
from test_indices import HOUR, export, index, seconds, sql, stamp, whole_hour

DAY = 24 * HOUR
DEVICES = [{"id": "paddy1", "site": "v1", "domain": "soil", "land_use": "paddy"},
           {"id": "probe", "site": "v1", "domain": "soil", "calibration": [{"quantity": "soil_ec", "scale": 4}]}]


def history(daemon, quantity, start, end, **params):
    return daemon.call("readings.history", quantity=quantity, **{"site": "v1", "from": stamp(start), "to": stamp(end), **params})


def ctl(daemon, *words):
    return subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, *words], capture_output=True, text=True, timeout=20, check=True).stdout


def test_waste_by_the_hour(broker, house, peer):
    daemon = house(broker.port, late_limit="7d").start()
    daemon.connected()
    end = whole_hour(daemon)

    def bin_says(name, hour, minute=0, **values):
        peer.tell(f"ecogov/v1/waste/{name}", json.dumps({"ts": stamp(end - hour * HOUR + 60 * minute), **values}))

    bin_says("b1", 30, fill_level=60, bin_temp=20)
    bin_says("b1", 5, 10, fill_level=92)
    bin_says("b2", 5, 20, fill_level=40, h2s=0.05)
    bin_says("b2", 5, 40, fill_level=41, h2s=0.02)
    bin_says("b1", 2, 50, fill_level=5)
    daemon.stored(8)
    told = history(daemon, "waste_pressure", end - 31 * HOUR, end)
    assert (told["quantity"], told["unit"], told["resolution"]) == ("waste_pressure", "1", "hour")
    points = {(end - seconds(point["time"])) // HOUR: point for point in told["points"]}
    # a bin speaks for a day, then nobody knows; the highest of a gas counts in its hour, what it left behind afterwards
    assert sorted(points, reverse=True) == [*range(30, 0, -1)]
    assert points[30]["value"] == points[6]["value"] == index("waste", "fill=60", "temperature=20")["pressure"] == 50
    five = points[5]
    assert five["value"] == index("waste", "fill=92", "h2s=0.05")["pressure"] and five["primary"] == ["fill"]
    assert five["measures"] == [{"measure": "fill", "value": 92, "unit": "%", "site": "v1", "device": "b1"},
                                {"measure": "h2s", "value": 0.05, "unit": "mg/m3", "site": "v1", "device": "b2"}]
    assert points[4]["sub"] == index("waste", "fill=92", "h2s=0.02")["sub"]
    assert points[2]["value"] == index("waste", "fill=41", "h2s=0.02")["pressure"] and points[2]["measures"][0]["device"] == "b2"
    # of a day: its worst hour; one bin alone; all below
    days = history(daemon, "waste_pressure", end - 3 * DAY, end - 5 * HOUR, resolution="day")["points"]
    assert all(day["value"] in (50, five["value"]) for day in days)
    assert history(daemon, "waste_pressure", end - 6 * HOUR, end, device="v1/waste/b2")["points"][-1]["measures"][0]["device"] == "b2"
    assert history(daemon, "waste_pressure", end - 6 * HOUR, end, site="county")["points"][-1]["value"] == points[1]["value"]
    with pytest.raises(RpcError, match="No device of waste"):
        history(daemon, "waste_pressure", end - HOUR, end, site="v2")
    # late readings and corrections are in the next answer
    bin_says("b2", 4, 30, fill_level=97)
    daemon.stored(9)
    assert history(daemon, "waste_pressure", end - 4 * HOUR, end - 3 * HOUR)["points"][0]["value"] == index("waste", "fill=97")["pressure"]
    # page by page
    paged, cursor = [], None
    while True:
        page = history(daemon, "waste_pressure", end - 31 * HOUR, end, limit=7, **({"cursor": cursor} if cursor else {}))
        paged += page["points"]
        cursor = page["next"]
        if not cursor:
            break
    assert paged == history(daemon, "waste_pressure", end - 31 * HOUR, end)["points"]
    # with plain SQL beside the daemon, the hours that nothing has closed yet among them
    rows = sql(daemon, 'SELECT time,value,"primary",worst,category_zh,made_of FROM ecogov_indices WHERE site=\'v1\' AND "index"=\'waste_pressure\''
                       f" AND resolution='hour' AND time_ms < {end * 1000}")
    assert [(row[0], int(row[1]), row[2], row[4]) for row in rows] == \
           [(point["time"], point["value"], "|".join(point["primary"]), point["category_zh"]) for point in paged]
    assert next(row for row in rows if row[0] == five["time"])[3:6:2] == ["b1", "fill 92 of b1"]
    assert sql(daemon, f"SELECT time,value FROM ecogov_indices WHERE time_ms={(end - 5 * HOUR) * 1000} AND resolution='hour'") == [[five["time"], str(five["value"])]]
    daily = history(daemon, "waste_pressure", end - 3 * DAY, end, resolution="day")["points"]
    assert sql(daemon, "SELECT time,value FROM ecogov_indices WHERE resolution='day' AND \"index\"='waste_pressure'") == \
           [[day["time"], str(day["value"])] for day in daily]

    daemon.kill()
    daemon.start()
    assert history(daemon, "waste_pressure", end - 31 * HOUR, end)["points"] == paged

    shown = ctl(daemon, "history", "-", "waste_pressure", "--site", "v1", "--from", stamp(end - 5 * HOUR))
    assert shown.startswith("waste_pressure v1") and "fill 92 % v1/b1, h2s 0.05 mg/m³ v1/b2" in shown
    rows = list(csv.DictReader(io.StringIO(export(daemon, "--indices", "--index", "waste_pressure", "--site", "v1", "--from", stamp(end - 31 * HOUR)))))
    assert [(row["time"], row["value"], row["primary"]) for row in rows] == \
           [(point["time"], str(point["value"]), "|".join(point["primary"])) for point in paged]
    assert next(row for row in rows if row["time"] == five["time"])["made_of"] == "fill 92 % v1/b1|h2s 0.05 mg/m³ v1/b2"
    line = json.loads(export(daemon, "--indices", "--index", "waste_pressure", "--format", "ndjson", "--site", "v1", "--from", stamp(end - HOUR)).splitlines()[-1])
    assert line == {**paged[-1], "site": "v1", "index": "waste_pressure", "resolution": "hour"}


def test_soil_speaks_for_a_year(broker, house, peer):
    daemon = house(broker.port, late_limit="400d", devices=DEVICES, rules=[
        {"id": "worst", "quantity": "soil_class", "levels": {"warning": {"open": 1, "clear": 1}, "critical": {"open": 2, "clear": 2}}}]).start()
    daemon.connected()
    end = whole_hour(daemon)
    midnight = (end + 8 * HOUR) // DAY * DAY - 8 * HOUR  # of today, in Shanghai

    def sample(name, days, hours=0, **values):
        peer.tell(f"ecogov/v1/soil/{name}", json.dumps({"ts": stamp(midnight - days * DAY + hours * HOUR), **values}))

    sample("paddy1", 40, soil_ph=5.4, cd=0.2, pb=40)
    sample("paddy1", 10, 13, cd=0.45, zn=100)
    sample("field", 8, 3, soil_ph=6.2, hg=2.6)
    sample("probe", 2, soil_ph=6.2, soil_ec=0.6, soil_moisture=30)
    sample("other", 2, soil_ph=6.2, soil_ec=5)
    daemon.stored(12)
    days = {(midnight - seconds(point["time"])) // DAY: point
            for point in history(daemon, "soil_class", midnight - 45 * DAY, midnight, resolution="day")["points"]}
    assert sorted(days, reverse=True) == [*range(40, 0, -1)] and [days[n]["value"] for n in (40, 11, 10, 9, 8, 1)] == [1, 1, 2, 2, 3, 3]
    soil = index("soil_gb15618", "land=paddy", "ph=5.4", "cd=0.45", "pb=40", "zn=100")
    assert (days[9]["device"], days[9]["land"], days[9]["ph"], days[9]["primary"]) == ("paddy1", "paddy", 5.4, ["cd"])
    assert days[9]["factor"] == soil["factor"] and days[9]["nemerow"] == pytest.approx(soil["nemerow"]) and days[9]["mg_kg"] == {"cd": 0.45, "pb": 40, "zn": 100}
    assert (days[8]["device"], days[8]["above_intervention"], days[8]["category_zh"]) == ("field", ["hg"], "严格管控类")
    # the worst plot of each index: there is a greater Nemerow index where the class is no worse
    for quantity, key in (("soil_nemerow", "nemerow"), ("soil_factor", None)):
        told = history(daemon, quantity, midnight - 10 * DAY, midnight, resolution="day")["points"]
        for point in told:
            assert point["value"] == (point[key] if key else max(point["factor"].values()))
        assert told[1]["value"] == pytest.approx(soil["nemerow"] if key else 1.5)
        assert told[-1]["value"] == max(told[1]["value"], told[-1]["value"])
    nemerow = history(daemon, "soil_nemerow", midnight - 9 * DAY, midnight, resolution="day")["points"][0]
    assert (nemerow["category"], nemerow["category_zh"]) == (soil["grade"], soil["grade_zh"])
    # within a day by the hour: what the laboratory said before, and from then on what it says now
    hours = history(daemon, "soil_class", midnight - 10 * DAY, midnight - 9 * DAY)["points"]
    assert [point["value"] for point in hours] == [1] * 13 + [2] * 11

    # salinity is told of calibrated probes alone
    salinity = history(daemon, "salinity_class", midnight - 3 * DAY, midnight)["points"]
    assert len(salinity) == 25 and {(point["value"], point["ec"], point["device"], point["category"]) for point in salinity} == {
        (2, 2.4, "probe", "slightly saline")}
    cell = daemon.call("summary", site="v1", at=stamp(midnight - DAY))["sites"][0]["domains"]["soil"]["index"]
    assert cell["salinity"] == {"level": 2, "category": "slightly saline", "category_zh": "轻度盐渍化", "ec": 2.4, "site": "v1", "device": "probe"}
    assert cell["soil_gb15618"]["level"] == 3 and cell["soil_gb15618"]["device"] == "field"
    then = daemon.call("summary", site="v1", at=stamp(midnight - 9 * DAY + HOUR))["sites"][0]["domains"]["soil"]["index"]
    assert (then["soil_gb15618"]["level"], then["soil_gb15618"]["device"], "salinity" in then) == (2, "paddy1", False)
    peer.tell("ecogov/v1/soil/probe", '{"soil_ec": 1.3}')
    daemon.stored(13)
    shown = ctl(daemon, "summary", "v1")
    assert "salinity: moderately saline (5.2 dS/m, probe)\n" in shown and "strict control hg (Nemerow 1.44, field)" in shown
    shown = ctl(daemon, "rules", "explain", "worst")
    assert "looks at     soil_class hour" in shown and "made of      field: hg 2.6 mg/kg (1.44 × screening)" in shown
    shown = ctl(daemon, "aqi", "v1", "--index", "soil_nemerow", "--from", stamp(midnight - 10 * DAY), "--resolution", "day")
    assert "v1/paddy1: cd 0.45 mg/kg (1.50 ×), pH 5.4, paddy" in shown
    # with plain SQL: of days, with the land's use that the configuration says
    for quantity in ("soil_class", "soil_nemerow", "soil_factor", "salinity_class"):
        told = history(daemon, quantity, midnight - 45 * DAY, midnight, resolution="day")["points"]
        rows = sql(daemon, f"SELECT time,value,worst FROM ecogov_indices WHERE \"index\"='{quantity}' AND time_ms < {midnight * 1000}")
        assert [(row[0], row[2]) for row in rows] == [(point["time"], point["device"]) for point in told], quantity
        assert [float(row[1]) for row in rows] == pytest.approx([point["value"] for point in told]), quantity
    assert sql(daemon, f"SELECT made_of FROM ecogov_indices WHERE \"index\"='soil_factor' AND time_ms={(midnight - 9 * DAY) * 1000}") == [
        ["paddy1: cd 0.45 mg/kg (1.50 × screening), pH 5.4, paddy"]]
    daemon.configure(devices=[{**DEVICES[0], "land_use": "orchard"}, DEVICES[1]])
    daemon.reload()
    assert sql(daemon, f"SELECT value FROM ecogov_indices WHERE \"index\"='soil_class' AND time_ms={(midnight - 9 * DAY) * 1000}") == [
        [str(history(daemon, "soil_class", midnight - 9 * DAY, midnight - 8 * DAY, resolution="day")["points"][0]["value"])]]
    # out of service it tells nothing more
    daemon.call("devices.retire", device="field", note="paved over")
    assert history(daemon, "soil_class", midnight - 2 * DAY, midnight, resolution="day")["points"][-1]["value"] == 3
    assert sql(daemon, f"SELECT count(*) FROM ecogov_indices WHERE \"index\"='soil_class' AND time_ms >= {midnight * 1000}") == [["0"]]

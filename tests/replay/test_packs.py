"""The rules as they are shipped, on recorded data of the real world: a number of cases that people can believe, and the same to the byte after restarts anywhere.

Knows the files of $ECOGOV_SHARED/data and conf/rules.d. Eight bins in CI; with ECOGOV_WHOLE=1 all bins, soil and air, and what they come to (with -s it is printed)."""
import collections
import csv
import datetime
import gzip
import json
import subprocess
import zoneinfo

import pytest

from test_recorded import BIN, DATA, ROOT, WHOLE, rows, utc

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no recorded data at {DATA}")
whole_only = pytest.mark.skipif(not WHOLE, reason="ECOGOV_WHOLE=1 looks at all of it")
GASES = {"PM2.5": "pm25", "PM10": "pm10", "SO2": "so2", "NO2": "no2", "CO": "co", "O3": "o3", "TEMP": "temperature", "PRES": "pressure",
         "DEWP": "dew_point", "RAIN": "rain", "WSPM": "wind_speed"}


def bins(most=None):
    """(time, topic, values); the council's own verdicts by bin."""
    zone, taken, verdicts = zoneinfo.ZoneInfo("Australia/Melbourne"), [], collections.Counter()
    all_rows = list(rows("waste/wyndham_bins_daily_20180626-20200630.csv.gz"))
    names = {serial: f"b{i}" for i, serial in enumerate(sorted({row["serialNumber"].strip() for row in all_rows})[:most])}
    for row in all_rows:
        name = names.get(row["serialNumber"].strip())
        if name:
            moment = datetime.datetime.fromisoformat(row["timestamp"][:10]).replace(hour=12, tzinfo=zone)
            taken.append((utc(moment), f"ecogov/wyndham/waste/{name}", {"fill_level": float(row["latestFullness"]) * 10}))
            verdicts[name] += row["reason"] == "FULLNESS"
    return sorted(taken, key=lambda row: row[:2]), verdicts


def soil():
    taken, zone = [], datetime.timezone(datetime.timedelta(hours=-5))
    with gzip.open(DATA / "soil/TEMPEST_TEROS12_PNNL21_20200920-20201019.toa5.csv.gz", "rt", encoding="utf-8") as file:
        file.readline()
        names = next(csv.reader([file.readline()]))
        file.readline()
        file.readline()
        for words in csv.reader(file):
            row = dict(zip(names, words))
            moment = datetime.datetime.strptime(words[0], "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
            for i in range(1, 23):
                said = [row.get(f"Teros({i},{k})", "NAN") for k in (1, 2, 3)]
                if "NAN" not in said:
                    counts, celsius, ec = map(float, said)
                    taken.append((utc(moment), f"ecogov/woodland/soil/t{i}",
                                  {"soil_moisture": round((3.879e-4 * counts - 0.6956) * 100, 2), "soil_temperature": celsius, "soil_ec": ec / 1000}))
    zone = zoneinfo.ZoneInfo("America/Toronto")
    for row in rows("soil/cover_plots_state_vars_daily_20180701_20210630.csv.gz"):
        if row["Value"]:
            moment = datetime.datetime.fromisoformat(row["date"][:10]).replace(hour=12, tzinfo=zone)
            device = f"{row['Experimental Plot']}-{row['Sensor']}".lower().replace(" ", "-")
            taken.append((utc(moment), f"ecogov/cover/soil/{device}", {"soil_moisture" if "Water" in row["Variable"] else "soil_temperature": float(row["Value"])}))
    return sorted(taken, key=lambda row: row[:2])


def air():
    taken, zone = [], zoneinfo.ZoneInfo("Asia/Shanghai")
    for station in ("Huairou", "Dingling", "Changping"):
        for row in rows(f"air/PRSA_Data_{station}_20130301-20170228.csv.gz"):
            moment = datetime.datetime(int(row["year"]), int(row["month"]), int(row["day"]), int(row["hour"]), 30, tzinfo=zone)
            values = {name: float(row[key]) * (0.001 if key == "CO" else 1) for key, name in GASES.items() if row[key] != "NA"}
            if values:
                taken.append((utc(moment), f"ecogov/{station.lower()}/air/station", values))
    return sorted(taken, key=lambda row: row[:2])


def replay(folder, zone, taken, parts=1):
    """What was decided, told in so many parts, each by a daemon of its own."""
    folder.mkdir()
    sites = sorted({topic.split("/")[1] for _, topic, _ in taken})
    config, recording, said = folder / "ecogov.yaml", folder / "recording.jsonl", []
    config.write_text(f"time_zone: {zone}\nmqtt: {{client_id: recorded}}\nstore: {{path: {folder}/ecogov.db, retain_raw: 0}}\nsocket: {{path: {folder}/s}}\n"
                      f"include: ['{ROOT}/conf/rules.d/*.yaml']\nsites: [{', '.join(f'{{id: {site}}}' for site in sites)}]\n")
    for part in range(parts):
        lines = taken[len(taken) * part // parts:len(taken) * (part + 1) // parts]
        recording.write_text("".join(json.dumps({"time": time, "topic": topic, "payload": json.dumps({"ts": time, **values})}) + "\n"
                                     for time, topic, values in lines))
        done = subprocess.run([BIN / "ecogovd", "-c", config, "--replay", recording], capture_output=True, text=True, timeout=1800, check=False)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        said += done.stdout.splitlines()[:-3]
    return said


def by_rule(said):
    opened = collections.defaultdict(list)
    for line in said:
        words = line.split()
        if words[1] == "case" and words[3] == "opened":
            opened[words[5]].append(words[6].split("/")[2])
    return opened


def test_bins_are_full_where_the_council_says_so(tmp_path):
    """A case for each bin the council ever had emptied as full, and for no other; they stay open, since nobody handles them."""
    taken, verdicts = bins(None if WHOLE else 8)
    said = replay(tmp_path / "one", "Australia/Melbourne", taken)
    opened = by_rule(said)
    print({rule: len(devices) for rule, devices in opened.items()})
    assert sorted(opened["bin-full"]) == sorted(name for name, count in verdicts.items() if count) != []
    assert set(opened["bin-overdue"]) <= set(opened["bin-full"]) and set(opened) <= {
        "bin-full", "bin-overdue", "waste-pressure-lasting", "sensor-suspect", "site-silent"}
    assert opened["waste-pressure-lasting"] == [""]  # of the site, once: there are no two days without a full bin
    assert replay(tmp_path / "parts", "Australia/Melbourne", taken, 4) == said


# Nobody handles a case, so it is each series' first breach. Soil: plots of sand dry in summer, woodland in a wet autumn; devices and sites that do fall silent
# for days. Air: each pollutant of three stations that is ever beyond its limit, SO2 and NO2 of an hour at one only; the index of each, as a site.
@whole_only
@pytest.mark.parametrize("data, zone, expected", [
    (soil, "America/Toronto", {"soil-drought": 4, "soil-waterlogged": 15, "device-silent": 16, "site-silent": 3}),
    (air, "Asia/Shanghai", {"pm25-hour": 3, "pm10-hour": 3, "pm25-day": 3, "pm10-day": 3, "o3-hour": 3, "o3-eight-hours": 3, "no2-day": 3, "co-day": 3,
                            "so2-day": 1, "no2-hour": 1, "aqi-day": 3})])
def test_what_the_packs_make_of_the_rest(tmp_path, data, zone, expected):
    taken = data()
    said = replay(tmp_path / "one", zone, taken)
    assert {rule: len(devices) for rule, devices in by_rule(said).items()} == expected
    assert replay(tmp_path / "parts", zone, taken, 5) == said

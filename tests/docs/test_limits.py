"""The limits of conf/rules.d, each against the table of the standard it names. Knows the tables as they are printed, by hand; what no standard sets must say so in its basis."""
import pathlib

import pytest
import yaml

RULES = pathlib.Path(__file__).parents[2] / "conf/rules.d"
PACKS = {path.name.split(".")[0]: {rule["id"]: rule for key, rules in yaml.safe_load(path.read_text()).items() if key.endswith("rules") for rule in rules}
         for path in sorted(RULES.glob("*.yaml*"))}
LEVELS = ("notice", "warning", "critical")

# GB 3095-2026, 2026-03-01 to 2030-12-31, class 1 and class 2; ug/m3, CO mg/m3; 24h: day mean, 8h: daily maximum of 8 h means
GB3095 = {("so2", "24h"): (50, 150), ("so2", "1h"): (150, 500), ("no2", "24h"): (80, 80), ("no2", "1h"): (200, 200), ("co", "24h"): (4, 4), ("co", "1h"): (10, 10),
          ("o3", "8h"): (100, 160), ("o3", "1h"): (160, 200), ("pm10", "24h"): (50, 120), ("pm25", "24h"): (35, 60), ("tsp", "24h"): (120, 300),
          ("nox", "24h"): (100, 100), ("nox", "1h"): (250, 250)}
# HJ 633-2026 table 3: IAQI 100, 150, 200; particles of an hour (real-time report) by the same
HJ633 = {("so2", "24h"): (150, 475, 800), ("so2", "1h"): (500, 650, 800), ("no2", "24h"): (80, 180, 280), ("no2", "1h"): (200, 700, 1200), ("pm10", "24h"): (120, 250, 350),
         ("pm10", "1h"): (120, 250, 350), ("co", "24h"): (4, 14, 24), ("co", "1h"): (10, 35, 60), ("o3", "1h"): (200, 300, 400), ("o3", "8h"): (160, 215, 265),
         ("pm25", "24h"): (60, 115, 150), ("pm25", "1h"): (60, 115, 150)}
# WHO 2021: guideline, interim targets 2 and 1; what was kept from 2005 has none
WHO = {("pm25", "24h"): (15, 50, 75), ("pm10", "24h"): (45, 100, 150), ("o3", "8h"): (100, 120, 160), ("no2", "24h"): (25, 50, 120), ("no2", "1h"): (None, 200, None),
       ("so2", "24h"): (40, 50, 125), ("so2", "10m"): (None, 500, None), ("co", "24h"): (4, 7, None), ("co", "8h"): (None, 10, None)}
# EPA-454/B-24-002 table 6: the upper ends of AQI 51-100, 101-150, 151-200, as they are printed
EPA = {("pm25", "24h"): "35.4, 55.4, 125.4 ug/m3", ("pm10", "24h"): "154, 254, 354 ug/m3", ("o3", "8h"): "0.070, 0.085, 0.105 ppm", ("co", "8h"): "9.4, 12.4, 15.4 ppm",
       ("so2", "1h"): "75, 185, 304 ppb", ("no2", "1h"): "100, 360, 649 ppb"}
# GB 15618-2018 table 1, screening values by land and pH (<= 5.5, <= 6.5, <= 7.5, above), and table 3, intervention values; mg/kg
PH = (5.5, 6.5, 7.5, 14)
SCREENING = {"cd": {"paddy": (0.3, 0.4, 0.6, 0.8), "other": (0.3, 0.3, 0.3, 0.6)}, "hg": {"paddy": (0.5, 0.5, 0.6, 1.0), "other": (1.3, 1.8, 2.4, 3.4)},
             "as": {"paddy": (30, 30, 25, 20), "other": (40, 40, 30, 25)}, "pb": {"paddy": (80, 100, 140, 240), "other": (70, 90, 120, 170)},
             "cr": {"paddy": (250, 250, 300, 350), "other": (150, 150, 200, 250)}, "cu": {"orchard": (150, 150, 200, 200), "other": (50, 50, 100, 100)},
             "ni": {"other": (60, 70, 100, 190)}, "zn": {"other": (200, 200, 250, 300)}}
INTERVENTION = {"cd": (1.5, 2, 3, 4), "hg": (2, 2.5, 4, 6), "as": (200, 150, 120, 100), "pb": (400, 500, 700, 1000), "cr": (800, 850, 1000, 1300)}
# GB 14554-93 table 1, class 2 new; mg/m3, odour without a dimension
GB14554 = {"nh3": 1.5, "h2s": 0.06, "ch3sh": 0.007, "odour": 20}
GBT50493 = {"h2s": (10, 20), "nh3": (20, 40), "co": (20, 40)}  # GB/T 50493-2019: first and second alarm, mg/m3
FIELD_CAPACITY = 30  # % by volume, as the pack says; light, moderate, severe drought below 60, 50, 40 % of it (GB/T 20481), too wet above 95 %
SEEN = set()


def opens(levels):
    return tuple((levels.get(level) or {}).get("open") for level in LEVELS)


def check(pack, rule, expected, basis, statistic="mean", window=None, direction="above"):
    SEEN.add((pack, rule["id"]))
    assert opens(rule["levels"]) == expected, rule["id"]
    assert (rule.get("statistic", "last"), rule.get("window"), rule.get("direction", "above")) == (statistic, window, direction), rule["id"]
    for words in (basis, basis.replace(" table ", "表")):
        if words in rule["basis_zh"].replace(" 表", "表"):
            break
    else:
        raise AssertionError(f"{rule['id']}: {rule['basis_zh']}")
    assert basis in rule["basis"], rule["id"]
    for level in rule["levels"].values():
        assert level["clear"] >= level["open"] if direction == "below" else level["clear"] <= level["open"], rule["id"]


def by_place(pack):
    """Of rules over a mean: by quantity and window."""
    return {(rule["quantity"], rule["window"]): rule for rule in PACKS[pack].values() if rule.get("statistic") in ("mean", "aqi_us")}


def air():
    rules = by_place("air")
    assert set(rules) == set(GB3095) | set(HJ633)
    for place, rule in rules.items():
        limit, steps = GB3095.get(place, (None, None))[1], HJ633.get(place, (None, None, None))
        assert limit is None or steps[0] in (limit, None)
        check("air", rule, (limit or steps[0], *steps[1:]), "GB 3095-2026" if limit else "HJ 633-2026", window=place[1])
        if GB3095.get(place) and place in (("pm25", "24h"), ("pm10", "24h"), ("no2", "24h"), ("so2", "24h"), ("so2", "1h")):
            assert "2030-12-31" in rule["basis"] and "2030-12-31" in rule["basis_zh"]  # the final limits of 2031 are lower
    index = PACKS["air"]["aqi-day"]
    SEEN.add(("air", "aqi-day"))
    assert opens(index["levels"]) == (None, 150, 200) and index["quantity"] == "aqi_cn" and index["window"] == "day" and "HJ 633-2026 table 2" in index["basis"]


def class_1():
    rules = by_place("air-class1")
    assert set(rules) == {place for place in GB3095 if place[0] != "nox"}  # which knows no classes
    for place, rule in rules.items():
        first, second = GB3095[place]
        check("air-class1", rule, (first, second if second > first else HJ633[place][1], None), "GB 3095-2026", window=place[1])


def who():
    rules = by_place("air-who2021")
    assert set(rules) == set(WHO)
    for place, rule in rules.items():
        check("air-who2021", rule, WHO[place], "2021", window=place[1])


def epa():
    rules = by_place("air-us-epa")
    assert set(rules) == set(EPA)
    for place, rule in rules.items():
        check("air-us-epa", rule, (100, 150, 200), "EPA-454/B-24-002", statistic="aqi_us", window=place[1])
        assert EPA[place] in rule["basis"] and EPA[place] in rule["basis_zh"]
    index = PACKS["air-us-epa"]["epa-aqi"]
    SEEN.add(("air-us-epa", "epa-aqi"))
    assert opens(index["levels"]) == (None, 150, 200) and index["quantity"] == "aqi_us" and index["window"] == "hour"


def band_of(rule, land, ph):
    """The first that fits: low < x <= high."""
    for band in rule["bands"]:
        low, high = band["when"]["soil_ph"]
        lands = band["when"].get("land_use")
        if (lands is None or land in lands.split(", ")) and (low is None or ph > low) and (high is None or ph <= high):
            return band["levels"]
    raise AssertionError(f"{rule['id']}: no band for {land}, pH {ph}")


def metals():
    for element, lands in SCREENING.items():
        rule = PACKS["soil"][f"soil-{element}"]
        SEEN.add(("soil", rule["id"]))
        assert rule["quantity"] == element and "GB 15618-2018" in rule["basis"] and "GB 15618-2018" in rule["basis_zh"]
        for land in ("paddy", "other", "orchard", "rotation"):
            for i, ph in enumerate(PH):
                value = lands.get(land, lands["other"])[i]
                if land == "rotation":  # the stricter of the two columns
                    value = min(lands.get("paddy", lands["other"])[i], lands["other"][i])
                above = INTERVENTION[element][i] if element in INTERVENTION else None
                for at in (ph, ph - 0.9):
                    assert opens(band_of(rule, land, at)) == (None, value, above), (element, land, at)


def probes():
    soil = PACKS["soil"]
    check("soil", soil["soil-drought"], tuple(FIELD_CAPACITY * part / 100 for part in (60, 50, 40)), "GB/T 20481", window="6h", direction="below")
    check("soil", soil["soil-waterlogged"], (None, FIELD_CAPACITY * 0.95, None), "95", window="6h")
    check("soil", soil["soil-acid"], (5.5, 5.0, 4.5), "USDA", window="24h", direction="below")
    check("soil", soil["soil-alkaline"], (8.5, 9.0, None), "USDA", window="24h")
    for name, quantity, expected, basis in (("soil-salinity", "salinity_class", (1, 2, 3), "FAO"),  # classes 2, 3, 4: ECe from 2, 4, 8 dS/m
                                            ("soil-nemerow", "soil_nemerow", (None, 2, 3), "HJ/T 166-2004")):  # moderate above 2, heavy above 3
        assert soil[name]["quantity"] == quantity
        check("soil", soil[name], expected, basis, statistic="last", window="day")


def waste():
    rules = PACKS["waste"]
    for quantity, limit in GB14554.items():
        rule = rules["odour-concentration" if quantity == "odour" else f"odour-{quantity}"]
        assert rule["quantity"] == quantity
        check("waste", rule, (None, limit, None), "GB 14554-93 table 1", statistic="min", window=rule["window"])
    for quantity, alarms in GBT50493.items():
        assert rules[f"people-{quantity}"]["quantity"] == quantity
        check("waste", rules[f"people-{quantity}"], (None, *alarms), "GB/T 50493-2019", statistic="last")  # each reading counts
    check("waste", rules["methane"], (None, 1.25, 5), "40 CFR 258.23", statistic="last")  # a quarter of the lower explosive limit of 5 %, and that


TABLES = [air, class_1, who, epa, metals, probes, waste]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_limits_are_those_of_the_standard(table):
    table()


def test_what_no_standard_sets_says_so():
    """Each rule is in a table above, or its basis says that it is a guideline of ours (or what it stands on, of a sensor)."""
    for table in TABLES:
        table()
    for pack, rules in PACKS.items():
        for name, rule in rules.items():
            assert rule["basis"] and rule["basis_zh"], name
            if (pack, name) not in SEEN and name != "calibration-due":
                assert "guideline" in rule["basis"] and ("运行经验值" in rule["basis_zh"] or "农艺参考" in rule["basis_zh"]), name

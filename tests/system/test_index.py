"""`ecogovctl index`, as it is called: the shared vectors of HJ 633, the US EPA and NowCast, and what it says of bad words."""
import json
import subprocess

import pytest

import house
from house import BIN

SHARED = house.SHARED / "vectors"


def index(*words, code=0):
    done = subprocess.run([BIN / "ecogovctl", "--json", "index", *map(str, words)], capture_output=True, text=True, timeout=20)
    assert done.returncode == code, (words, done.stderr)
    return json.loads(done.stdout) if code == 0 else done.stderr


def vectors(name):
    path = SHARED / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{path} is not at hand")
    return json.loads(path.read_text())


def test_aqi_cn_of_the_shared_vectors():
    seen = 0
    for vector in vectors("aqi_cn")["vectors"]:
        name = f"{vector['pollutant']}_{vector['avg']}"
        got = index("aqi_cn", f"edition={vector['std']}", f"{name}={vector['c']}")
        assert got["sub"][name] == got["aqi_of_available"] == vector["iaqi"], vector
        if vector["iaqi"] is not None and got["aqi"] is not None:
            assert (got["level"], got["category"], got["category_zh"], got["colour"]) == (
                vector["level"], vector["category_en"], vector["category_cn"], vector["color"]), vector
        seen += 1
    assert seen > 100


def test_aqi_cn_of_the_shared_composites():
    for vector in vectors("aqi_cn")["composite"]:
        got = index("aqi_cn", f"edition={vector['std']}", f"mode={vector['mode']}", *(f"{k}={v}" for k, v in vector["inputs"].items()))
        assert got["sub"] == vector["sub_indices"], vector
        assert got["aqi_of_available"] == vector["aqi_of_available"], vector
        published = vector.get("published_aqi_5_3_1", vector["aqi_of_available"])
        assert got["aqi"] == (None if published == "NA" else published), vector
        assert got["primary"] == ([] if published == "NA" else vector["primary"]), vector
        if "missing" in vector:
            assert got["missing"] == vector["missing"], vector


def test_aqi_us_of_the_shared_vectors():
    whole = vectors("aqi_us")
    for vector in whole["vectors"]:
        name = f"{vector['pollutant']}_{vector['avg']}"
        got = index("aqi_us", f"{name}={vector['c']}")
        assert (got["aqi"], got["aqi_capped"], got["category"]) == (vector["aqi"], vector["aqi_capped"], vector["category"]), vector
    for vector in whole["composite"]:
        got = index("aqi_us", *(f"{k}={v}" for k, v in vector["inputs"].items()))
        assert (got["aqi"], got["category"], got["primary"]) == (vector["aqi"], vector["category"], vector["main_pollutant"]), vector
        assert got["sub"] == vector.get("sub_indices", got["sub"]), vector


def test_nowcast_of_the_shared_vectors():
    whole = vectors("nowcast")
    for vector in whole["pm"]:
        hours = ",".join("-" if hour is None else repr(hour) for hour in vector["hours"])
        got = index("nowcast", vector["pollutant"], hours)
        if vector["nowcast"] is None:
            assert got["value"] is None and got["aqi"] is None, vector
            continue
        assert got["value"] == pytest.approx(vector["nowcast"], abs=whole["tolerance"]), vector
        assert (got["weight"], got["truncated"]) == (pytest.approx(vector["weight"]), float(vector["conc_trunc"])), vector
        assert (got["aqi"], got["category"]) == (vector["aqi"], vector["category"]), vector
    for vector in whole["o3_surrogate"]:
        got = index("nowcast", "o3", vector.get("o3_1h_ppb", 0))
        assert got["value"] == pytest.approx(vector["nowcast_ppb"]) and got["method"] == "surrogate", vector


def test_soil_and_waste():
    got = index("soil_gb15618", "land=paddy", "ph=6.2", "cd=0.45", "pb=60")
    assert (got["category"], got["level"], got["above_screening"]) == ("safe use", 2, ["cd"])
    assert got["factor"] == {"cd": 1.125, "pb": 0.6}
    assert index("waste", "fill=85")["pressure"] == 125
    assert index("salinity", "ece=4")["level"] == 3


@pytest.mark.parametrize("words, sentence", [
    ([], "which index?"),
    (["aqi_xx"], "no such index"),
    (["aqi_cn", "pm25"], "no name=value"),
    (["aqi_cn", "pm25=-3"], "from 0 on"),
    (["aqi_cn", "pm25=nan"], "from 0 on"),
    (["aqi_cn", "pm25=1", "PM25=2"], "given twice"),
    (["aqi_cn", "pm25=1", "pm25_24h=2"], "the same mean"),
    (["aqi_cn", "dust=1"], "knows no dust"),
    (["aqi_cn", "edition=2020", "pm25=1"], "there is: 2012, 2026"),
    (["nowcast", "pm25"], "newest first"),
    (["nowcast", "pm25", "1,,2"], "from 0 on"),
    (["soil_gb15618", "cd=0.3"], "needs ph="),
    (["soil_gb15618", "ph=15", "cd=0.3"], "from 0 to 14"),
    (["soil_gb15618", "ph=7"], "at least one of"),
    (["waste", *(f"k{i}=1" for i in range(60))], "could still take"),
])
def test_bad_words(words, sentence):
    assert sentence in index(*words, code=2)

"""rules.explain says what the rule does, and why it does nothing; rules.backtest does the same with bands and conditions."""
import json
import os
import subprocess

import pytest

from house import BIN
from rpc import RpcError

CADMIUM = {"id": "cd", "domain": "soil", "quantity": "cd", "within": "2h", "title": "Cadmium", "title_zh": "镉", "basis": "GB 15618",
           "action": "Test the rice.", "action_zh": "检测稻米。",
           "bands": [{"when": {"land_use": "paddy", "soil_ph": [None, 5.5]}, "levels": {"warning": {"open": 0.3, "clear": 0.3}}},
                     {"when": {"land_use": "paddy", "soil_ph": [5.5, None]}, "levels": {"warning": {"open": 0.4, "clear": 0.4}}}]}
STRAW = {"id": "straw", "domain": "air", "quantity": "pm25", "hold": "10m", "levels": {"warning": {"open": 75, "clear": 60}},
         "and": [{"quantity": "co", "statistic": "change", "window": "30m", "above": 1}]}
DEVICES = [{"id": "s1", "site": "v1", "domain": "soil", "land_use": "paddy"}]
ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def stamp(minute):
    return f"2026-11-20T{minute // 60:02d}:{minute % 60:02d}:00.000Z"


@pytest.fixture
def lived(broker, house, peer):
    daemon = house(broker.port, rules=[CADMIUM, STRAW], devices=DEVICES, late_limit="3650d").start()
    daemon.connected()
    count = 0

    def tell(topic, minute, **values):
        nonlocal count
        count += len(values)
        peer.tell(f"ecogov/{topic}", json.dumps({"ts": stamp(minute), **values}))
        daemon.stored(count)

    daemon.tell = tell
    return daemon


def explain(daemon, rule, **params):
    return daemon.call("rules.explain", rule=rule, **params)


def test_a_band_and_what_is_missing(lived):
    lived.tell("v1/soil/s1", 0, cd=0.35)
    lived.tell("v1/soil/s2", 0, cd=0.9, soil_ph=5)
    got = explain(lived, "cd")
    assert got["count"] == 2 and got["rule"]["action_zh"] == "检测稻米。"
    assert [(row["device"], row["blind"]) for row in got["series"]] == [("s1", "missing"), ("s2", "land_use")]
    assert "soil_ph was never measured" in got["series"][0]["why"]
    lived.tell("v1/soil/s1", 10, soil_ph=6)
    lived.tell("v1/soil/s1", 20, cd=0.35)
    [row] = explain(lived, "cd", site="v1", device="s1")["series"]
    assert (row["blind"], row["band"], row["level"], row["case"]) == (None, {"land_use": ["paddy"], "soil_ph": [5.5, None]}, None, None)
    [level] = row["levels"]
    assert level["open"] == 0.4 and level["to_open"] == pytest.approx(0.05) and not level["holds"]
    assert [(one["quantity"], one["value"], one["fresh"]) for one in row["beside"]] == [("soil_ph", 6, True)]
    lived.tell("v1/soil/s1", 30, soil_ph=5.5, cd=0.35)
    [row] = explain(lived, "cd", device="s1")["series"]
    assert row["level"] == "warning" and row["case"]["condition"] == "breaching" and row["levels"][0]["open"] == 0.3
    lived.tell("v1/soil/s1", 300, cd=0.35)
    [row] = explain(lived, "cd", device="s1")["series"]
    assert row["blind"] == "stale" and row["level"] == "warning" and row["case"]  # neither a breach nor a recovery
    with pytest.raises(RpcError, match="There is no rule"):
        explain(lived, "none")


def test_a_hold_and_a_condition(lived):
    for minute, co in ((0, 1), (5, 1.5), (10, 2.5), (15, 3)):
        lived.tell("v1/air/a1", minute, co=co, pm25=80)
    [row] = explain(lived, "straw")["series"]
    assert row["conditions_hold"] is True and row["level"] is None
    [level] = row["levels"]
    assert level["hold"] == {"since": stamp(10), "observed_s": 300, "left_s": 300} and level["to_open"] == -5
    lived.tell("v1/air/a1", 20, co=3, pm25=80)
    [row] = explain(lived, "straw")["series"]
    assert row["level"] == "warning" and row["case"]["opened_at"] == stamp(10) and row["levels"][0]["holds"]
    span = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"}
    [tested] = lived.call("rules.backtest", rule=json.dumps(STRAW), **span)["cases"]
    assert (tested["opened_at"], tested["detected_at"]) == (stamp(10), stamp(20))
    alone = lived.call("rules.backtest", rule=json.dumps({**STRAW, "and": [{"quantity": "co", "above": 9}]}), **span)
    assert alone["cases"] == []


def test_the_client_shows_it(lived):
    lived.tell("v1/soil/s1", 0, cd=0.35, soil_ph=5)
    lived.tell("v1/soil/s2", 0, cd=0.9, soil_ph=5)

    def show(*words, **env):
        command = [BIN / "ecogovctl", "-s", lived.socket, *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env={**ENV, **env}).stdout

    said = show("rules", "explain", "cd", "--site", "v1")
    assert "Test the rice." in said and "v1/soil/s1" in said and "land_use paddy; soil_ph <= 5.5" in said and "> 0.3" in said
    assert "warning *" in said and "nobody said what the land is used for" in said
    chinese = show("rules", "explain", "cd", LC_ALL="zh_CN.UTF-8", LANG="zh_CN.UTF-8")
    assert "检测稻米。" in chinese and "适用档" in chinese and "未填写用地类型" in chinese
    assert json.loads(show("--json", "rules", "explain", "cd"))["count"] == 2
    assert "2 bands" in show("rules", "--rule", "cd")

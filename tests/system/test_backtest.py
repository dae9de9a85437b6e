"""rules.backtest: what a rule's text would have done is what the rule does."""
import json
import subprocess

import pytest

from house import BIN
from rpc import RpcError

RULE = {"id": "dust", "domain": "air", "quantity": "pm25", "statistic": "mean", "window": "30m", "hold": "10m", "clear_hold": "10m",
        "levels": {"warning": {"open": 75, "clear": 70}, "critical": {"open": 150, "clear": 140}}}
DAY = [(minute, 40 + (160 if 300 <= minute < 420 else 45 if 900 <= minute < 1000 else 0)) for minute in range(0, 1440, 5)]


def stamp(minute):
    return f"2026-11-20T{minute // 60:02d}:{minute % 60:02d}:00.000Z"


@pytest.fixture
def lived(broker, house, peer):
    """A day has come in live, under that rule."""
    daemon = house(broker.port, rules=[RULE], late_limit="3650d").start()
    daemon.connected()
    for minute, value in DAY:
        peer.tell("ecogov/v1/air/a1", json.dumps({"ts": stamp(minute), "pm25": value, "temp": 20}))
        peer.tell("ecogov/v2/air/a1", json.dumps({"ts": stamp(minute), "pm25": 10}))
    daemon.stored(3 * len(DAY))
    return daemon


def test_it_does_what_the_rule_does(lived):
    span = {"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"}
    got = lived.call("rules.backtest", rule=json.dumps(RULE), **span)
    assert (got["rule"], got["series"], got["readings"], got["count"]) == ("dust", 2, 2 * len(DAY), 2)
    [real] = lived.call("cases.list")["cases"]
    first, second = got["cases"]
    assert first["opened_at"] == real["opened_at"] and first["level"] == "critical" and first["peak"]["value"] == 200
    history = lived.call("cases.show", id=real["id"])["history"]
    conditions = [event["at"] for event in history if event["kind"] == "condition"]
    assert [first["ended_at"], second["detected_at"], second["ended_at"]] == conditions
    assert first["overlaps"] == second["overlaps"] == [real["id"]]  # it was never closed
    assert second["level"] == "warning" and 0 < second["seconds"] < 3 * 3600
    # another text, another story; nothing was changed by asking
    strict = lived.call("rules.backtest", rule="- id: all\n  quantity: pm25\n  sites: [v2]\n  levels:\n    notice: {open: 5, clear: 4}\n", **span)
    assert (strict["series"], strict["count"], strict["cases"][0]["ended_at"]) == (1, 1, None)
    assert len(lived.call("cases.list")["cases"]) == 1 and len(lived.call("rules.list")) == 1
    none = lived.call("rules.backtest", rule=json.dumps(RULE), **{**span, "to": "2026-11-20T04:00:00Z"})
    assert none["cases"] == [] and none["readings"] == 2 * 48


def test_what_is_no_rule_is_said(lived):
    for text, sentence in (("id: x", "quantity"), ("id: x\nquantity: dust\nlevels: {notice: {open: 1, clear: 1}}", "dust"), ("[", "rule"),
                           ("id: x\nquantity: pm25\nsites: [nowhere]\nlevels: {notice: {open: 1, clear: 1}}", "nowhere"),
                           ("rules: []", "0 rules"), ("include: [/etc/passwd]", ""),
                           # at its place in the text as it was given
                           ("id: x\nquantity: pm26\nlevels: {notice: {open: 1, clear: 1}}", "rule:2:11: there is no quantity 'pm26'"),
                           ("- id: x\n  quantity: pm26\n  levels: {notice: {open: 1, clear: 1}}", "rule:2:13: there is no quantity 'pm26'"),
                           ("rules:\n- id: x\n  quantity: pm26\n  levels: {notice: {open: 1, clear: 1}}", "rule:3:13: there is no quantity 'pm26'"),
                           ("id: x\nwhen: silent\nlevel: notice", "about devices")):
        with pytest.raises(RpcError, match=sentence):
            lived.call("rules.backtest", rule=text)
    with pytest.raises(RpcError, match="before"):
        lived.call("rules.backtest", rule=json.dumps(RULE), **{"from": "now", "to": "-1h"})


def test_the_client_shows_it(lived, tmp_path):
    text = tmp_path / "rule.yaml"
    text.write_text(json.dumps(RULE))
    command = [BIN / "ecogovctl", "-s", lived.socket, "backtest", text, "--from", "2026-11-20T00:00:00Z", "--to", "2026-11-21T00:00:00Z"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env={"LC_ALL": "C.UTF-8", "TZ": "UTC"})
    assert "dust: 2 cases" in done.stdout and "critical" in done.stdout and done.stdout.count("a1") >= 2
    done = subprocess.run([*command[:4], tmp_path / "none"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "none" in done.stderr

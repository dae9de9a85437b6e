"""Silences and maintenance windows from outside: who is told of what, when, over kills; what the socket and the client say of it."""
import json
import subprocess
import time

import pytest

import house as houses
from rpc import RpcError

PARTIES = [{"id": "grid", "sector": "society", "language": "en", "channels": [{"id": "radio"}]}]
KEYS = {"channels": [{"id": "radio", "kind": "mqtt"}], "parties": PARTIES, "sites": [{"id": "v1", "name": "V1", "parties": ["grid"]}],
        "rules": [houses.PM25_RULE], "mqtt": {"publish": True}}


def pm25(peer, value, device="a1"):
    peer.tell(f"ecogov/v1/air/{device}", json.dumps({"pm25": value}))


def told(peer):
    """What the party was told, by key, in order."""
    rows = [json.loads(m.payload) for m in peer.heard if m.topic == "ecogov/notify/grid"]
    return list({row["key"]: (row["why"], row["case"].rsplit("-", 1)[1]) for row in rows}.values())


def test_held_back_over_a_kill_and_told_when_removed(broker, peer, house):
    daemon = house(broker.port, **KEYS).start()
    daemon.connected()
    peer.listen("ecogov/notify/#")
    peer.listen("ecogov/events/#")
    silence = daemon.call("silences.add", site="v1", reason="the road is swept", expires="+4h")
    assert (silence["id"], silence["state"], silence["level"], silence["domain"]) == (1, "active", "warning", None)
    pm25(peer, 90)
    pm25(peer, 90, "a2")
    opened = json.loads(peer.hear(lambda topic, text: topic.startswith("ecogov/events/case/") and json.loads(text)["event"] == "opened").payload)
    assert opened["suppressed"] == "silence" and opened["told"] == []
    case = daemon.cases(2)[1]
    assert case["suppressed"]["by"] == "silence" and case["suppressed"]["id"] == "1" and case["suppressed"]["until"] == silence["expires"]
    daemon.kill()
    daemon.start()
    daemon.connected()
    daemon.call("cases.reject", id="2", note="a barbecue")
    pm25(peer, 30)
    daemon.until(lambda _: daemon.call("cases.show", id="1")["condition"] == "ok")
    shown = daemon.call("cases.show", id="1")
    assert [event["kind"] for event in shown["history"]] == ["opened", "suppressed", "condition"]
    assert shown["history"][1]["to"] == "silence 1" and shown["history"][1]["note"] == "the road is swept"
    assert told(peer) == []
    gone = daemon.call("silences.remove", id=1)
    assert gone["state"] == "removed" and gone["ended_by"]
    late = json.loads(peer.hear(lambda topic, text: topic == "ecogov/notify/grid").payload)
    assert late["why"] == "caught_up" and "told late, back to normal: " in late["line"]
    daemon.kill()
    daemon.start()
    daemon.connected()
    pm25(peer, 180)
    peer.hear(lambda topic, text: topic == "ecogov/notify/grid" and json.loads(text)["why"] == "level")
    assert told(peer) == [("caught_up", "1"), ("breaching", "1"), ("level", "1")]
    assert daemon.call("cases.show", id="1")["suppressed"] is None
    events = list({m.payload: json.loads(m.payload)["event"] for m in peer.heard if m.topic.startswith("ecogov/events/silence/1/")}.values())
    assert events == ["added", "removed"]
    assert daemon.call("silences.list")["silences"] == []
    assert [row["state"] for row in daemon.call("silences.list", all=True)["silences"]] == ["removed"]
    with pytest.raises(RpcError) as refused:
        daemon.call("silences.remove", id=1)
    assert refused.value.code == -32002
    daemon.stop()
    daemon.verify()


def test_expiry_tells_by_itself(broker, peer, house):
    daemon = house(broker.port, **KEYS).start()
    daemon.connected()
    peer.listen("ecogov/notify/#")
    daemon.call("silences.add", rule=houses.PM25_RULE["id"], level="critical", reason="trial",
                expires=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3)))
    pm25(peer, 300)
    late = json.loads(peer.hear(lambda topic, text: topic == "ecogov/notify/grid").payload)
    assert late["why"] == "caught_up" and late["level"] == "critical"
    (row,) = daemon.call("silences.list", all=True)["silences"]
    assert row["state"] == "expired" and row["ended_at"] == row["expires"]


def test_a_window_of_the_configuration(broker, peer, house):
    window = {"id": "always", "reason": "rebuilding", "site": "v1", "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}
    daemon = house(broker.port, **KEYS, maintenance={"windows": [window]}).start()
    daemon.connected()
    peer.listen("ecogov/notify/#")
    pm25(peer, 90)
    case = daemon.cases()[0]
    assert (case["suppressed"]["by"], case["suppressed"]["id"], case["suppressed"]["reason"]) == ("maintenance", "always", "rebuilding")
    daemon.configure(maintenance={})
    daemon.reload()
    assert json.loads(peer.hear(lambda topic, text: topic == "ecogov/notify/grid").payload)["why"] == "caught_up"


def test_the_client(daemon, tmp_path):
    def ctl(*words, code=0):
        done = subprocess.run([houses.BIN / "ecogovctl", "-s", daemon.socket, *words], capture_output=True, text=True, timeout=30, check=False,
                              env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin", "ASAN_OPTIONS": "detect_leaks=0"})
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    assert "silence 1: in force, until" in ctl("silence", "add", "--domain", "waste", "--expires", "+2h", "--reason", "bins are washed")
    assert "needs" in ctl("silence", "add", "--domain", "waste", "--expires", "+2h", "--reason", " ", code=1)
    text = ctl("silence", "list")
    assert "domain=waste" in text and "bins are washed" in text and "in force" in text
    assert "silence 1: removed" in ctl("silence", "rm", "1")
    assert "bins" not in ctl("silence", "list")
    assert "removed" in ctl("silence", "list", "--all")

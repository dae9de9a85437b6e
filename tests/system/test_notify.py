"""Parties are told: by the channels they have, once, and called off where it was raised, whatever is killed in between."""
import datetime
import hashlib
import hmac
import json
import re
import subprocess

import pytest

import house as houses
import rpc

CHANNELS = [{"id": "radio", "kind": "mqtt"}]
PARTIES = [{"id": "grid", "name": "网格员", "sector": "society", "channels": [{"id": "radio"}]},
           {"id": "bureau", "sector": "government", "language": "en", "channels": [{"id": "radio", "level": "critical"}]},
           {"id": "mute", "sector": "market"}]
SITES = [{"id": "v1", "name": "一村", "parties": ["grid", "bureau", "mute"]}]
KEYS = {"channels": CHANNELS, "parties": PARTIES, "sites": SITES, "rules": [houses.PM25_RULE], "mqtt": {"publish": True}}


def sign(secret, party, case, at, nonce, note=""):
    text = f"{party} acknowledge {case} {at} {nonce}" + (f" {note}" if note else "")
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"acknowledge {case} {at} {nonce} {signature}" + (f" {note}" if note else "")


def now(seconds=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def pm25(peer, value):
    peer.tell("ecogov/v1/air/a1", json.dumps({"pm25": value}))


def heard(peer, party, why):
    return json.loads(peer.hear(lambda topic, text: topic == f"ecogov/notify/{party}" and json.loads(text)["why"] == why).payload)


def test_told_and_called_off_over_a_kill(broker, peer, house):
    daemon = house(broker.port, **KEYS).start()
    daemon.connected()
    peer.listen("ecogov/notify/#")
    pm25(peer, 90)
    opened = heard(peer, "grid", "opened")
    assert opened["line"].startswith("【警告】一村a1") and opened["level"] == "warning"
    daemon.kill()
    daemon.start()
    daemon.connected()
    pm25(peer, 160)
    assert heard(peer, "bureau", "level")["line"].startswith("[critical] worse: 一村 a1: ")
    daemon.kill()
    daemon.start()
    daemon.connected()
    pm25(peer, 20)
    heard(peer, "grid", "recovered")
    heard(peer, "bureau", "recovered")
    case = daemon.cases()[0]["id"]
    daemon.call("cases.fix", id=case, party="grid")
    daemon.call("cases.verify", id=case, party="bureau")
    heard(peer, "bureau", "ended")
    by_key = {json.loads(m.payload)["key"]: json.loads(m.payload) for m in peer.heard}  # what was in flight at a kill comes again
    assert len(by_key) >= len(peer.heard) - 2 * 2  # two receivers, two kills
    told = [(message["party"], message["why"]) for message in by_key.values()]
    for party, whys in (("grid", ["opened", "level", "recovered"]), ("bureau", ["level", "recovered", "ended"])):
        assert [why for to, why in told if to == party and why in whys] == whys  # in order, once each
    entry = next(e for e in daemon.call("outbox.list", limit=200)["entries"] if e.get("why") == "level" and e["party"] == "bureau")
    assert entry["state"] == "delivered" and entry["level"] == "critical" and entry["channel"] == "radio" and entry["case"] == 1
    ways = {row["id"]: row["channels"] for row in daemon.call("parties.list")}
    assert ways == {"grid": ["radio"], "bureau": ["radio"], "mute": []}
    daemon.stop()
    daemon.verify()


def test_acknowledged_from_afar(broker, peer, house, tmp_path):
    secret = "a secret of sixteen"
    (tmp_path / "secret").write_text(secret + "\n")
    parties = [{**PARTIES[0], "secret_file": str(tmp_path / "secret")}, *PARTIES[1:]]
    daemon = house(broker.port, **{**KEYS, "parties": parties}).start()
    daemon.connected()
    peer.listen("ecogov/notify/#")
    pm25(peer, 90)
    message = heard(peer, "grid", "opened")
    case, topic = message["case"], "ecogov/commands/grid"
    token = re.search(r"acknowledge 1 (\w{16}) → ecogov/commands/grid", message["text"]).group(1)
    good = sign(secret, "grid", case, now(), "nonce-0001", "在路上")
    bad = ["", "acknowledge", "close 1 " + token, f"acknowledge 2 {token}", "acknowledge 1 " + "a" * 16, "acknowledge 1 " + token[:-1],
           sign(secret, "bureau", case, now(), "nonce-0002"), sign("another secret!!", "grid", case, now(), "nonce-0003"),
           sign(secret, "grid", case, now(-700), "nonce-0004"), sign(secret, "grid", case, now(700), "nonce-0005"),
           sign(secret, "grid", case, now(), "short"), good + "!", "x" * 2000]
    for text in bad:
        peer.tell(topic, text)
    assert daemon.until(lambda status: status["messages"]["quarantined"] == len(bad))["cases"]["open"] == 1
    peer.tell(topic, good)
    daemon.until(lambda _: daemon.call("cases.show", id=case)["history"][-1]["kind"] == "acknowledged")  # on disk
    event = daemon.call("cases.show", id=case)["history"][-1]
    assert event["actor"] == "party:grid" and event["note"] == "在路上"
    peer.tell(topic, good)  # again
    daemon.until(lambda status: status["messages"]["quarantined"] == len(bad) + 1)
    daemon.call("cases.fix", id=case, party="grid")
    daemon.call("cases.close", id=case, party="bureau")
    daemon.call("cases.reopen", id=case)
    peer.tell(topic, f"acknowledge 1 {token}")  # of the life before
    daemon.until(lambda status: status["messages"]["quarantined"] == len(bad) + 2)
    fresh = re.search(r"acknowledge 1 (\w{16}) →", heard(peer, "grid", "reopened")["text"]).group(1)
    peer.tell(topic, f"acknowledge 1 {fresh}")
    daemon.until(lambda status: status["cases"]["acknowledged"] == 1)
    peer.tell(topic, f"acknowledge 1 {fresh}")
    status = daemon.until(lambda status: status["messages"]["quarantined"] == len(bad) + 3)
    messages = status["messages"]
    assert messages["received"] == messages["decoded"] + messages["quarantined"] + messages["duplicate"] + messages["ignored"]
    assert secret not in daemon.errors.read_text() + json.dumps(daemon.status())


def test_a_preview_and_a_trial(broker, peer, house):
    daemon = house(broker.port, **KEYS).start()
    daemon.connected()
    peer.listen("ecogov/notify/#")
    assert daemon.call("notify.test", party="grid") == {"first": 1, "count": 1}
    assert "通知测试" in heard(peer, "grid", "trial")["text"]
    for party in ("mute", "nobody"):
        with pytest.raises(rpc.RpcError) as refused:
            daemon.call("notify.test", party=party)
        assert refused.value.code == -32002
    pm25(peer, 90)
    case = daemon.cases()[0]["id"]
    shown = daemon.call("notify.preview", id=case)
    assert [m["party"] for m in shown["messages"]] == ["grid", "bureau", "mute"] and shown["case"] == case
    assert shown["messages"][0]["text"] == heard(peer, "grid", "opened")["text"]
    assert daemon.call("notify.preview", id=1, party="bureau")["messages"][0]["title"] == "[warning] 一村: pm25"
    done = subprocess.run([houses.BIN / "ecogovctl", "-s", daemon.socket, "notify", "preview", "1"], capture_output=True, text=True, check=True)
    assert "【警告】一村 pm25" in done.stdout and "Where: 一村 a1" in done.stdout
    assert "\ufffd" not in done.stdout and len(done.stdout.splitlines()) > 5  # the lines of a message are lines


def test_a_replay_tells_nobody(broker, peer, house, tmp_path):
    daemon = house(broker.port, **KEYS)
    recording = tmp_path / "past.jsonl"
    recording.write_text(json.dumps({"time": "2026-11-23T07:00:00.000Z", "topic": "ecogov/v1/air/a1", "payload": '{"pm25": 90}'}) + "\n")
    done = houses.ecogovd("-c", daemon.config, "--replay", recording)
    assert done.returncode == 0 and "opened" in done.stdout, done.stdout + done.stderr
    daemon.start()
    assert daemon.cases() and daemon.call("outbox.list")["entries"] == []

"""Parties are told: by the channels they have, once, and called off where it was raised, whatever is killed in between."""
import json

import house as houses

CHANNELS = [{"id": "radio", "kind": "mqtt"}]
PARTIES = [{"id": "grid", "name": "网格员", "sector": "society", "channels": [{"id": "radio"}]},
           {"id": "bureau", "sector": "government", "language": "en", "channels": [{"id": "radio", "level": "critical"}]},
           {"id": "mute", "sector": "market"}]
SITES = [{"id": "v1", "name": "一村", "parties": ["grid", "bureau", "mute"]}]
KEYS = {"channels": CHANNELS, "parties": PARTIES, "sites": SITES, "rules": [houses.PM25_RULE], "mqtt": {"publish": True}}


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
    daemon.call("cases.close", id=case)
    heard(peer, "bureau", "ended")
    by_key = {json.loads(m.payload)["key"]: json.loads(m.payload) for m in peer.heard}  # what was in flight at a kill comes again
    assert len(by_key) >= len(peer.heard) - 2
    told = [(message["party"], message["why"]) for message in by_key.values()]
    for party, whys in (("grid", ["opened", "level", "recovered"]), ("bureau", ["level", "recovered", "ended"])):
        assert [why for to, why in told if to == party and why in whys] == whys  # in order, once each
    entry = next(e for e in daemon.call("outbox.list", limit=200)["entries"] if e.get("why") == "level" and e["party"] == "bureau")
    assert entry["state"] == "delivered" and entry["level"] == "critical" and entry["channel"] == "radio" and entry["case"] == 1
    ways = {row["id"]: row["channels"] for row in daemon.call("parties.list")}
    assert ways == {"grid": ["radio"], "bureau": ["radio"], "mute": []}
    daemon.stop()
    daemon.verify()

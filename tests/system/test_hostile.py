"""Payloads nobody meant to be read: between good ones, huge, deep, many; each quarantined with a reason, none in the way."""
import json
import random

import rpc

BROKEN = ["", "{", "[]", "null", "42", '"pm25"', "{}", '{"pm25":}', '{"pm25":1e400}', '{"pm25":NaN}', '{"pm25":1,"pm25":2}',
          '{"pm25":"a lot"}', '{"ts":"yesterday","pm25":1}', '{"nothing":"known"}', "[" * 200 + "]" * 200, "\x00\x01\x02",
          b'{"pm25":1,"\xff\xfe":2}', '{"pm25":01}', "pm25=12", "<xml/>", '{"pm25":1}}', '{"pm25":1 "pm10":2}', b"\xef\xbb\xbf{",
          '{"pm25":[1,2,3]}', '{"pm25":{"value":']


def test_10_000_malformed_payloads_between_good_ones(daemon, peer):
    chance = random.Random(7)
    for n in range(10000):
        peer.publish(f"ecogov/v1/air/d{n % 7}", json.dumps({"light": n}))
        broken = chance.choice(BROKEN)
        data = broken if isinstance(broken, bytes) else broken.encode()
        if n % 3 == 0 and len(data) > 2:
            at = chance.randrange(len(data))
            data = data[:at] + bytes([0x80 | chance.randrange(64)]) + data[at + 1:]  # never UTF-8, never a reading
        peer.publish(f"ecogov/v1/air/d{n % 7}", data)
    peer.settle()
    status = daemon.until(lambda status: status["messages"]["received"] == 20000 and status["store"]["readings"] == 10000, timeout=120)
    rpc.check_sums(status)
    assert status["messages"] == {"received": 20000, "decoded": 10000, "duplicate": 0, "quarantined": 10000, "ignored": 0}
    assert sorted(row[5] for row in daemon.export()) == list(range(10000))
    seen, cursor = 0, None
    while True:
        page = daemon.call("quarantine.list", limit=200, cursor=cursor)
        for entry in page["entries"]:
            assert entry["verdict"] in ("malformed", "implausible") and len(entry["reason"]) > 10, entry
        seen += len(page["entries"])
        cursor = page["next"]
        if cursor is None:
            break
    assert seen >= 1900  # the newest are kept
    assert daemon.status()["faults"] == []
    daemon.stop()
    daemon.verify()


def test_a_payload_of_10_megabytes_is_quarantined_and_cut(daemon, peer):
    peer.publish("ecogov/v1/air/a1", b'{"pm25": "' + b"9" * 10_000_000)
    peer.publish("ecogov/v1/air/a1", b"[" * 10_000_000)
    peer.publish("ecogov/v1/air/a1", '{"pm25": 3}')
    peer.settle()
    status = daemon.until(lambda status: status["messages"]["received"] == 3 and status["store"]["readings"] == 1)
    assert status["messages"]["quarantined"] == 2
    for entry in daemon.call("quarantine.list")["entries"]:
        assert entry["bytes"] >= 10_000_000 and len(entry["payload"]) <= 200
        assert daemon.call("quarantine.show", id=entry["id"])["stored_bytes"] == 16384


def test_bytes_that_are_no_text_come_back_whole(daemon, peer):
    data = bytes(range(256))
    peer.tell("ecogov/v1/air/a1", data)
    daemon.until(lambda _: daemon.call("quarantine.list")["entries"])
    (entry,) = daemon.call("quarantine.list")["entries"]
    shown = daemon.call("quarantine.show", id=entry["id"])
    import base64
    assert base64.b64decode(shown["payload_base64"]) == data


def test_names_in_topics_that_are_none_are_quarantined(daemon, peer):
    for topic in ("ecogov/v1/AIR QUALITY/a1", "ecogov/v1/air/" + "x" * 64, "ecogov/v1/air/", "ecogov//air/a1", "ecogov/v1//a1",
                  "ecogov/V1/air/a1", "ecogov/v1/air/" + "x" * 300, "ecogov/" + "v" * 200 + "/air/a1"):
        peer.publish(topic, '{"pm25": 3}')
    peer.publish("ecogov/v1/air/空气站", '{"pm25": 3}')
    peer.settle()
    status = daemon.until(lambda status: status["messages"]["received"] == 9 and status["store"]["readings"] == 1)
    assert status["messages"]["quarantined"] == 8
    assert [row["device"] for row in daemon.call("devices.list")] == ["空气站"]


def test_more_devices_than_are_taken_are_quarantined(broker, house, peer):
    daemon = house(broker.port, max_devices=10).start()
    daemon.connected()
    for n in range(30):
        peer.publish(f"ecogov/v1/air/d{n}", '{"pm25": 3}')
    peer.settle()
    status = daemon.until(lambda status: status["messages"]["received"] == 30 and status["store"]["readings"] == 10)
    assert status["messages"]["quarantined"] == 20
    assert "max_devices" in daemon.call("quarantine.list")["entries"][0]["reason"]


def test_topics_nobody_asked_for_are_ignored_and_counted(broker, house, peer):
    daemon = house(broker.port, sources=[{"id": "deep", "topic": "ecogov/{site}/{domain}/{device}/#", "driver": "json"}]).start()
    daemon.connected()
    peer.publish("ecogov/state/v1/summary/x", '{"pm25": 3}')
    peer.publish("ecogov/events/case/v1/x", '{"pm25": 3}')
    peer.publish("ecogov/v1/air/a1/more/levels", '{"pm25": 3}')
    peer.settle()
    status = daemon.until(lambda status: status["store"]["readings"] == 1 and status["messages"]["ignored"] >= 2)
    rpc.check_sums(status)
    assert status["messages"]["quarantined"] == 0

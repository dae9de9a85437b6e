"""A gateway that boots with a wrong clock, and learns later what time it is."""
import datetime
import json
import os
import signal
import subprocess
import time

import pytest
from broker import Peer
from clock import WEEK
from house import BIN, PM25_RULE, ecogovd
from rpc import RpcError

DEADLINE = {**PM25_RULE, "deadline": {"acknowledge": "1s"}}


def ms(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def faults(status):
    return [fault["key"] for fault in status["faults"]]


def asked(daemon, words, locale):
    return subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, *words.split()], capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": locale}, timeout=60).stdout


def day_of(summary, site="v1", domain="air"):
    (site,) = [row for row in summary["sites"] if row["site"] == site]
    (day,) = site["domains"][domain]["day"]
    return day


@pytest.fixture
def gateway(settled):
    """Three stations are known, and a reading of now is in its store."""
    return settled(3, ("ecogov/v1/air/a1", '{"pm25": 20}'), rules=[DEADLINE])


def test_in_doubt_then_ntp(gateway, clock, broker):
    clock.set(wrong_s=-WEEK, synchronised=False, boot=2)
    gateway.start()
    gateway.connected()
    status = gateway.status()
    assert "clock" in faults(status) and status["clock"]["trusted"] is False
    newest = max(ms(row[0]) for row in gateway.export())
    with Peer(broker.port) as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 96}')
        peer.tell("ecogov/v1/air/a1", '{"pm25": 97}')
        gateway.stored(6)
        (case,) = gateway.cases()
        assert case["level"] == "warning" and case["due_at"] is None and ms(case["opened_at"]) > newest
        marked = [row for row in gateway.export() if "clock" in row[7]]
        assert [row[5] for row in marked] == [96, 97] and all(newest < ms(row[0]) < newest + 3600 for row in marked)
        summary = gateway.call("summary")
        assert summary["clock"] == status["clock"] and day_of(summary)["clock"] == 2
        for locale, doubt, times in (("C.UTF-8", "clock is in doubt since", "times in doubt: 2 readings today"),
                                     ("zh_CN.UTF-8", "不可信", "时间存疑：今日 2 条读数")):
            for question in ("summary", "status"):
                shown = asked(gateway, question, locale)
                assert doubt in shown and "ecogovctl clock trust" in shown, shown
            assert times in asked(gateway, "summary", locale)
        assert ", 2 with a time in doubt" in asked(gateway, "stat v1/air/a1 pm25", "C.UTF-8")
        gateway.kill()  # in the middle of it: the line goes on
        gateway.start()
        gateway.connected()
        peer.tell("ecogov/v1/air/a1", '{"pm25": 98}')
        status = gateway.stored(7)
        assert status["clock"]["trusted"] is False
        before = time.time()
        clock.set(wrong_s=0, synchronised=True)
        status = gateway.until(lambda status: status["clock"]["trusted"])
        assert "clock" not in faults(status) and abs(ms(status["now"]) - time.time()) < 60
        summary = gateway.call("summary")
        assert summary["clock"]["trusted"] and day_of(summary)["clock"] == 0 and "clock" not in asked(gateway, "summary", "C.UTF-8")
        rows = {row[5]: row for row in gateway.export() if row[2] == "a1"}
        assert not [row for row in rows.values() if "clock" in row[7]]
        assert all(before - 60 < ms(rows[value][0]) <= time.time() for value in (96, 97, 98)), rows
        gateway.until(lambda _: gateway.call("cases.show", id=case["id"])["escalation"] or
                      [event for event in gateway.call("cases.show", id=case["id"])["history"] if event["kind"] == "missed"])
        shown = gateway.call("cases.show", id=case["id"])
        kinds = [event["kind"] for event in shown["history"]]
        assert kinds.index("clock") < kinds.index("missed")
        assert before - 60 < ms(shown["opened_at"]) < time.time()
        peer.tell("ecogov/v1/air/a1", '{"pm25": 99}')
        gateway.stored(8)
    gateway.stop()
    gateway.verify()


def test_devices_that_agree_are_believed(gateway, clock, broker):
    clock.in_1970()
    clock.set(boot=2)
    gateway.start()
    gateway.connected()
    ahead = time.time() + WEEK  # all of this is a week later
    with Peer(broker.port) as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 30}')
        peer.tell("ecogov/v1/soil/new1", json.dumps({"soil_moisture": 1, "ts": ahead + 90 * WEEK}))
        for n in range(2):
            peer.tell(f"ecogov/v1/soil/s{n}", json.dumps({"soil_moisture": 30 + n, "ts": ahead + n}))
        status = gateway.stored(8)
        assert status["clock"]["trusted"] is False  # two of three, and one that is new has no say
        peer.tell("ecogov/v1/soil/s2", json.dumps({"soil_moisture": 32, "ts": ahead + 2}))
        status = gateway.until(lambda status: status["clock"]["trusted"])
        assert abs(ms(status["now"]) - ahead) < 120
        rows = {(row[2], row[5]): row for row in gateway.export()}
        assert abs(ms(rows["a1", 30][0]) - ahead) < 120
        assert abs(ms(rows["s1", 31][0]) - ahead - 1) < 0.002 and rows["s1", 31][7] == []  # its own time, to the millisecond
        assert abs(ms(rows["new1", 1][0]) - ahead) < 120  # what says that it is of next year is dated by when it came
        gateway.kill()
        gateway.start()  # the wall clock is still in 1970
        gateway.connected()
        assert abs(ms(gateway.status()["now"]) - ahead) < 300 and gateway.status()["clock"]["trusted"]
        peer.tell("ecogov/v1/air/a1", '{"pm25": 31}')
        gateway.stored(10)
        clock.set(wrong_s=WEEK, synchronised=True)
        gateway.until(lambda _: "it was set" in gateway.errors.read_text())
        assert abs(ms(gateway.status()["now"]) - ahead) < 300
    gateway.stop()
    gateway.verify()


def test_started_anew_before_it_was_known_keeps_the_mark(gateway, clock, broker):
    clock.set(wrong_s=-WEEK, synchronised=False, boot=2)
    gateway.start()
    gateway.connected()
    with Peer(broker.port) as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 30}')
        gateway.stored(5)
        gateway.kill()
        clock.set(wrong_s=0, synchronised=True, boot=3)
        gateway.start()
        gateway.connected()
        assert gateway.status()["clock"]["trusted"] and "keeps" in gateway.errors.read_text()
        peer.tell("ecogov/v1/air/a1", '{"pm25": 31}')
        gateway.stored(6)
    assert [row[5] for row in gateway.export() if "clock" in row[7]] == [30]
    gateway.stop()
    gateway.verify()


def test_somebody_sets_it_by_hand(gateway, clock, broker):
    clock.in_1970()
    clock.set(boot=2)
    gateway.start()
    gateway.connected()
    with Peer(broker.port) as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 30}')
        gateway.stored(5)
    with pytest.raises(RpcError, match="set it first"):
        gateway.call("clock.trust")
    clock.set(wrong_s=0)
    told = gateway.call("clock.trust")
    assert told["by"] == "person" and abs(ms(told["is"]) - time.time()) < 60
    assert gateway.status()["clock"]["trusted"]
    assert not [row for row in gateway.export() if "clock" in row[7]]
    with pytest.raises(RpcError, match="not in doubt"):
        gateway.call("clock.trust")
    gateway.stop()
    gateway.verify()


def test_set_back_while_it_runs(gateway, clock, broker):
    """Nothing is dated by it before NTP says that it is right; then it goes on from there."""
    clock.set(synchronised=True)
    gateway.start()
    gateway.connected()
    clock.set(wrong_s=-3 * 3600, synchronised=False)
    with Peer(broker.port) as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 30}')
        gateway.stored(5)
        assert abs(ms(gateway.status()["now"]) - time.time()) < 60
        clock.set(synchronised=True)
        gateway.until(lambda status: abs(ms(status["now"]) - time.time() + 3 * 3600) < 60)
        peer.tell("ecogov/v1/air/a1", '{"pm25": 31}')
        gateway.stored(6)
    times = {row[5]: ms(row[0]) for row in gateway.export()}
    assert times[30] - times[31] > 2 * 3600 and gateway.status()["clock"]["trusted"]


def doubted(status):
    return not status["clock"]["trusted"]


def test_set_forward_by_ntp_while_it_runs(gateway, clock, broker):
    """It is followed, and nobody was silent for hours that never were."""
    clock.set(synchronised=True)
    gateway.start()
    gateway.connected()
    with Peer(broker.port) as peer:
        for value in (96, 97, 98):
            peer.tell("ecogov/v1/air/a1", json.dumps({"pm25": value}))
    (case,) = gateway.cases()
    clock.set(wrong_s=5 * 3600)
    status = gateway.until(lambda status: ms(status["now"]) - time.time() > 4 * 3600)
    assert status["clock"]["trusted"] and "set forward" in gateway.errors.read_text()
    with Peer(broker.port) as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 30}')
        gateway.stored(8)
    assert "unknown" not in [event["to"] for event in gateway.call("cases.show", id=case["id"])["history"]]
    assert abs(ms(gateway.export(device="a1")[-1][0]) - time.time() - 5 * 3600) < 60
    gateway.stop()
    gateway.verify()


def test_set_forward_by_nobody_knows_whom(gateway, clock, broker):
    """To 2099, say. Nothing is dated by that: it would be the newest of its series for ever."""
    gateway.start()
    gateway.connected()
    with Peer(broker.port) as peer:
        clock.set(wrong_s=70 * 365 * 86400, synchronised=False)
        peer.tell("ecogov/v1/air/a1", '{"pm25": 30}')
        gateway.stored(5)
        status = gateway.until(doubted)
        assert abs(ms(status["now"]) - time.time()) < 60
        peer.tell("ecogov/v1/air/a1", '{"pm25": 96}')
        gateway.stored(6)
        (case,) = gateway.cases()
        assert case["due_at"] is None
        gateway.kill()  # the line goes on
        gateway.start()
        gateway.connected()
        assert doubted(gateway.status()) and abs(ms(gateway.status()["now"]) - time.time()) < 60
        with pytest.raises(RpcError, match="twenty years.*set it first"):
            gateway.call("clock.trust")
        clock.set(wrong_s=0)
        assert gateway.call("clock.trust")["by"] == "person"
        assert gateway.status()["clock"]["trusted"]
    rows = {row[5]: row for row in gateway.export(device="a1")}
    assert all(abs(ms(rows[value][0]) - time.time()) < 120 and "clock" not in rows[value][7] for value in (30, 96))
    gateway.stop()
    gateway.verify()


def test_boots_in_2099(gateway, clock):
    clock.set(wrong_s=70 * 365 * 86400, synchronised=False, boot=2)
    gateway.start()
    status = gateway.status()
    assert doubted(status) and abs(ms(status["now"]) - time.time()) < 120
    assert "twenty years" in [fault["text"] for fault in status["faults"] if fault["key"] == "clock"][0]


def test_was_ahead_and_is_set_back_by_hand(gateway, clock, broker):
    """What was dated since lies where it belongs; nobody has to wait until the clock has caught up with what was dated before."""
    clock.set(wrong_s=3 * 3600, synchronised=True)
    gateway.start()
    gateway.connected()
    with Peer(broker.port) as peer:
        peer.tell("ecogov/v1/air/a1", '{"pm25": 30}')
        gateway.stored(5)
        clock.set(wrong_s=0, synchronised=False)
        gateway.until(doubted)
        peer.tell("ecogov/v1/air/a1", '{"pm25": 96}')
        gateway.stored(6)
        case = gateway.cases()[0]
        told = gateway.call("clock.trust")
        assert told["later_s"] == pytest.approx(-3 * 3600, abs=60)
        assert abs(ms(gateway.status()["now"]) - time.time()) < 60
        peer.tell("ecogov/v1/air/a1", '{"pm25": 97}')
        gateway.stored(7)
    times = {row[5]: ms(row[0]) for row in gateway.export(device="a1")}
    assert times[30] - times[96] > 2 * 3600 and abs(times[96] - time.time()) < 120 and times[96] < times[97]
    note = [event["note"] for event in gateway.call("cases.show", id=case["id"])["history"] if event["kind"] == "clock"]
    assert len(note) == 1 and note[0].endswith("s earlier")
    gateway.stop()
    gateway.verify()


def until_it_says(path, text):
    end = time.monotonic() + 60
    while time.monotonic() < end:  # nobody tells when a file has grown
        if text in path.read_text():
            return
        time.sleep(0.02)
    raise TimeoutError(path.read_text())


def test_a_recording_made_in_doubt_replays_to_the_same(gateway, clock, broker, house, tmp_path):
    """It says when the clock was in doubt, and since when it is right; a replay dates anew what a daemon would."""
    recording = tmp_path / "doubt.jsonl"
    clock.set(wrong_s=-WEEK, synchronised=False, boot=2)
    gateway.configure(clock={"rtc": "no"})  # the recorder has no store that would speak against its clock
    gateway.start()
    gateway.connected()
    recorder = clock.under(house(broker.port, name="recorder", mqtt={"client_id": "recorder"}, clock={"rtc": "no"}))
    process = subprocess.Popen([BIN / "ecogovd", "-c", recorder.config, "--record", recording], stderr=subprocess.PIPE, text=True,
                               env={**os.environ, **recorder.environment})
    try:
        assert process.stderr.readline()  # it says when it listens
        with Peer(broker.port) as peer:
            began = time.time()
            for n in range(20):
                peer.tell("ecogov/v1/air/r1", json.dumps({"pm25": 30 + n}))
                peer.tell("ecogov/v1/soil/r2", json.dumps({"soil_moisture": n, "ts": round(began) - 100 + n}))
            gateway.stored(44)
            until_it_says(recording, '49}')
            clock.set(wrong_s=0, synchronised=True)
            gateway.until(lambda status: not doubted(status))
            until_it_says(recording, '"trusted"')
            peer.tell("ecogov/v1/air/r1", json.dumps({"pm25": 70}))
            gateway.stored(45)
            until_it_says(recording, "70}")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    fresh = house(name="fresh")
    done = ecogovd("-c", fresh.config, "--replay", recording)
    assert done.returncode == 0, done.stderr
    assert "readings decoded=41 stored=41" in done.stdout
    fresh.start()
    assert fresh.status()["clock"]["trusted"]
    replayed, live = sorted(fresh.export(), key=lambda row: (row[2], row[5])), []
    for device in ("r1", "r2"):
        live += gateway.export(device=device)
    assert len(live) == 41 and [row[1:] for row in replayed] == [row[1:] for row in live] and not [row for row in live if "clock" in row[7]]
    assert [row[0] for row in replayed if row[2] == "r2"] == [row[0] for row in live if row[2] == "r2"]
    assert all(abs(ms(a[0]) - ms(b[0])) < 5 for a, b in zip(replayed, live))


def test_this_machine_is_not_doubted(daemon):
    """No battery, no device tree, perhaps no NTP, and a clock that is right: a container."""
    status = daemon.status()
    assert status["clock"] == {"trusted": True, "doubted_since": None} and "clock" not in faults(status)

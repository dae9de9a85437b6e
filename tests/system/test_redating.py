"""Dating anew, when something goes wrong in the middle of it: the daemon is killed, the disk is full, the disk breaks."""
import json
import shutil
import sqlite3
import subprocess
import time

import pytest
from broker import Peer
from clock import LIBRARY as CLOCK_LIBRARY
from clock import WEEK
from disk import LIBRARY as DISK_LIBRARY
from disk import Disk
from house import BIN, PM25_RULE
from test_clock import doubted, ms

DATING = 1  # table clock, column state
DYING_LIBRARY = BIN.parent / "lib" / "dying.so"
READINGS = 1500
DEVICES = 20
KILLS = (2, 4, 8, 12, 16, 20, 26, 32, 40, 48)


@pytest.fixture
def gateway(broker, settled, clock):
    """In doubt, with readings by the hundred: some that say themselves when they are of, some that do not; and killed."""
    daemon = settled(DEVICES, rules=[PM25_RULE])
    clock.set(wrong_s=-WEEK, synchronised=False, boot=2)
    daemon.start()
    daemon.connected()
    with Peer(broker.port) as peer:
        began = time.time() + WEEK  # so much later all of it is than the gateway thinks
        for n in range(READINGS // 2):
            peer.publish(f"ecogov/v1/air/a{n % DEVICES}", json.dumps({"pm25": n % 60}))
            peer.publish(f"ecogov/v1/soil/s{n % DEVICES}", json.dumps({"soil_moisture": n % 50, "ts": began - 60 + n / 100}))
        peer.settle()
        peer.publish("ecogov/v1/air/fire", json.dumps({"pm25": 96}))
        daemon.stored(DEVICES + READINGS + 1)
        daemon.cases(1)
    daemon.kill()
    daemon.began = began
    return daemon


def preload(daemon, library, **environment):
    daemon.environment = {**daemon.environment, "LD_PRELOAD": f"{CLOCK_LIBRARY}:{library}", **environment}


def same_as_ever(daemon):
    """All of it is there once, and lies where it belongs; so do its hours, and the case."""
    rows = [row for row in daemon.export() if ms(row[0]) > daemon.began - 120]
    assert not [row for row in rows if "clock" in row[7]]
    air = [row for row in rows if row[3] == "pm25" and row[2] != "fire"]
    soil = {(row[2], row[5], ms(row[0])) for row in rows if row[3] == "soil_moisture" and "arrival" not in row[7]}
    assert len(air) == READINGS // 2 and sorted(row[5] for row in air) == sorted(float(n % 60) for n in range(READINGS // 2))
    for n in range(READINGS // 2):
        assert any(device == f"s{n % DEVICES}" and value == n % 50 and abs(at - (daemon.began - 60 + n / 100)) < 0.002
                   for device, value, at in soil if value == n % 50), n
    day = daemon.call("series.statistics", site="v1", domain="air", device="a0", quantity="pm25", statistics="count", per="day")
    assert sum(period["count"] for period in day["periods"]) == len([row for row in air if row[2] == "a0"])
    (case,) = daemon.cases(1)
    assert abs(ms(case["opened_at"]) - daemon.began) < 300


def how_far(place, tmp_path):
    """State, turns and series that are dated, of a copy: whoever opens a store changes it."""
    copy = tmp_path / "look.db"
    for end in ("", "-wal", "-shm"):
        copy.with_name(copy.name + end).unlink(missing_ok=True)
        if place.with_name(place.name + end).exists():
            shutil.copy(place.with_name(place.name + end), copy.with_name(copy.name + end))
    with sqlite3.connect(copy) as store:
        return store.execute("SELECT state, ifnull(dated_seq,0), ifnull(dated_series,0) FROM clock ORDER BY id DESC LIMIT 1").fetchone()


def until_it_dies(daemon, peer):
    """Messages come until then, so that it has something to receive. How many came."""
    for sent in range(300):
        try:
            assert daemon.wait(0.2) == -9
            return sent
        except subprocess.TimeoutExpired:
            peer.tell("ecogov/v1/air/lamp", json.dumps({"light": sent}))
    raise AssertionError("it does not die")


def test_killed_in_the_middle(gateway, clock, broker, peer, tmp_path):
    """And again, and again: each start goes on from there."""
    dying = tmp_path / "dying"
    dying.mkdir()
    place = gateway.folder / "ecogov.db"
    kept = tmp_path / "kept"
    shutil.copytree(gateway.folder, kept)
    reached = set()
    for kill in KILLS:
        for end in ("", "-wal", "-shm"):
            place.with_name(place.name + end).unlink(missing_ok=True)
            if (kept / (place.name + end)).exists():
                shutil.copy(kept / (place.name + end), place.parent)
        clock.set(wrong_s=-WEEK, synchronised=False)
        preload(gateway, DYING_LIBRARY, ECOGOV_DYING=str(dying), ECOGOV_DYING_PORT=str(broker.port))
        gateway.start()
        gateway.connected()
        assert doubted(gateway.status())
        (dying / "armed").write_text(str(kill))
        clock.set(wrong_s=WEEK, synchronised=True)
        sent = until_it_dies(gateway, peer)
        (dying / "armed").unlink()
        reached.add(how_far(place, tmp_path))
        clock.under(gateway)
        gateway.start()
        gateway.stored(DEVICES + READINGS + 1 + sent)
        gateway.until(lambda status: not doubted(status))
        assert [row[5] for row in gateway.export(quantity="light")] == list(range(sent))
        same_as_ever(gateway)
        gateway.stop()
    gateway.verify()
    assert any(far[0] == DATING for far in reached), f"killed at {sorted(reached)}: none of that lies within dating anew"


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path / "disk")
    yield disk
    disk.close()


def spoiled_in_the_middle(gateway, clock, disk, how, peer):
    """The transaction that says that the clock is trusted is written; what it dated is not yet."""
    preload(gateway, DISK_LIBRARY, ECOGOV_DISK=str(disk.folder))
    gateway.start()
    gateway.connected()
    peer.tell("ecogov/v1/soil/first", json.dumps({"light": 0}))
    gateway.stored(DEVICES + READINGS + 2)  # what came with the start is written
    disk.hold()
    clock.set(wrong_s=WEEK, synchronised=True)
    disk.said_so("held")
    disk.spoil(how)
    disk.let_go()


def test_full_in_the_middle(gateway, clock, disk, peer, tmp_path):
    """It says so, answers questions, takes nothing, and goes on when there is room."""
    spoiled_in_the_middle(gateway, clock, disk, "full", peer)
    status = gateway.until(lambda status: any(fault["key"] == "store.full" for fault in status["faults"]))
    assert doubted(status) and how_far(gateway.folder / "ecogov.db", tmp_path)[0] == DATING
    peer.tell("ecogov/v1/soil/later", json.dumps({"light": 1}))
    assert gateway.call("cases.list")["cases"]
    assert gateway.status()["store"]["readings"] == DEVICES + READINGS + 2
    disk.mend("full")
    status = gateway.stored(DEVICES + READINGS + 3)
    assert not doubted(status) and not any(fault["key"] == "store.full" for fault in status["faults"])
    same_as_ever(gateway)
    gateway.stop()
    gateway.verify()


def test_broken_in_the_middle(gateway, clock, disk, peer, tmp_path):
    """It leaves with a sentence; the next start, on a disk that writes, goes on from there."""
    spoiled_in_the_middle(gateway, clock, disk, "broken", peer)
    assert gateway.wait() == 1
    assert "dating readings anew" in gateway.errors.read_text()
    assert how_far(gateway.folder / "ecogov.db", tmp_path)[0] == DATING
    disk.mend("broken")
    clock.under(gateway)
    gateway.start()
    assert not doubted(gateway.until(lambda status: not doubted(status)))
    same_as_ever(gateway)
    gateway.stop()
    gateway.verify()

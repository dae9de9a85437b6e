"""The copy of a store in use, and the way back from a damaged one (docs/backup.md), as their users see them."""
import json
import signal
import subprocess
import time

import pytest

import rpc
from disk import Disk
from house import BIN, PM25_RULE, ecogovd


def ctl(socket, *words):
    return subprocess.run([BIN / "ecogovctl", "-s", socket, *map(str, words)], capture_output=True, text=True, timeout=60, check=False)


def publish(peer, count, first=0):
    for n in range(first, first + count):
        peer.publish("ecogov/v1/air/a1", json.dumps({"light": n, "ts": 1763964000 + n}))
    peer.settle()


@pytest.fixture
def disk(tmp_path):
    disk = Disk(tmp_path / "disk")
    yield disk
    disk.close()


# --- backup ---

def test_a_copy_of_a_store_in_use_is_a_store(daemon, peer, house, tmp_path):
    publish(peer, 3000)
    daemon.stored(3000)
    copy = tmp_path / "copy.db"
    said = daemon.call("store.backup", file=str(copy))
    assert said["file"] == str(copy) and said["readings"] == 3000
    assert said["bytes"] == copy.stat().st_size > 4096 and said["seconds"] >= 0
    assert [path.name for path in tmp_path.glob("copy.db*")] == ["copy.db"]
    publish(peer, 100, 3000)
    daemon.stored(3100)
    other = house(name="other", store={"path": str(copy)})
    other.verify()
    other.start()
    assert sorted(row[5] for row in other.export()) == list(range(3000))
    assert other.status()["messages"] == {"received": 3000, "decoded": 3000, "duplicate": 0, "quarantined": 0, "ignored": 0}


def test_readings_go_on_during_backups(daemon, peer, tmp_path):
    """Each copy is of one moment: the readings 0 … n without a gap, whatever was committed meanwhile."""
    for round_number in range(5):
        for n in range(round_number * 400, round_number * 400 + 400):
            peer.publish("ecogov/v1/air/a1", json.dumps({"light": n, "ts": 1763964000 + n}))
        said = daemon.call("store.backup", file=str(tmp_path / f"{round_number}.db"))
        assert said["readings"] <= round_number * 400 + 400
    peer.settle()
    daemon.stored(2000)
    assert sorted(row[5] for row in daemon.export()) == list(range(2000))


def test_the_command_takes_a_name_as_the_shell_sees_it(daemon, tmp_path):
    folder = tmp_path / "here"
    folder.mkdir()
    words = [BIN / "ecogovctl", "-s", daemon.socket, "backup", "day.db"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "checked" in done.stdout, done.stderr
    assert (folder / "day.db").stat().st_size > 4096
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "is there already" in done.stderr
    assert json.loads(ctl(daemon.socket, "--json", "backup", folder / "two.db").stdout)["readings"] == 0


def test_the_command_exits_3_without_a_daemon(tmp_path):
    done = ctl(tmp_path / "nobody", "backup", tmp_path / "copy.db")
    assert done.returncode == 3 and not (tmp_path / "copy.db").exists()


@pytest.mark.parametrize("name,code", [("copy.db", -32602), ("/nowhere/at/all/copy.db", -32602), ("/", -32602), ("/tmp", -32003),
                                       ("/" + "x" * 1500, -32602)])
def test_names_that_are_none_are_refused(daemon, name, code):
    with pytest.raises(rpc.RpcError) as caught:
        daemon.call("store.backup", file=name)
    assert caught.value.code == code


def test_what_is_there_is_left_alone(daemon, tmp_path):
    for name in ("copy.db", "other.db.part"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "link.db").symlink_to(tmp_path / "nowhere")
    for name in ("copy.db", "other.db", "link.db"):
        with pytest.raises(rpc.RpcError) as caught:
            daemon.call("store.backup", file=str(tmp_path / name))
        assert caught.value.code == -32003
    assert (tmp_path / "copy.db").read_text() == (tmp_path / "other.db.part").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists() and not (tmp_path / "other.db").exists()


def test_a_store_with_faults_gives_no_backup(daemon, peer, tmp_path):
    publish(peer, 100)
    daemon.stored(100)
    store = daemon.folder / "ecogov.db"
    subprocess.run(["sqlite3", str(store), "UPDATE turn SET decoded=decoded+1 WHERE seq=1"], check=True, timeout=30)
    with pytest.raises(rpc.RpcError) as caught:
        daemon.call("store.backup", file=str(tmp_path / "copy.db"))
    assert "do not add up" in caught.value.message
    assert not list(tmp_path.glob("copy.db*"))


def test_one_at_a_time_and_the_socket_does_not_wait(house, disk, tmp_path):
    daemon = disk.under(house()).start()
    disk.hold()
    with daemon.client() as first:
        number = first.ask("store.backup", file=str(tmp_path / "one.db"))
        disk.said_so("held")
        assert daemon.status()["protocol"] == 1
        with pytest.raises(rpc.RpcError) as caught:
            daemon.call("store.backup", file=str(tmp_path / "two.db"))
        assert caught.value.code == -32004 and "one.db" in caught.value.message
        assert (tmp_path / "one.db.part").exists() and not (tmp_path / "one.db").exists()
        disk.let_go()
        assert first.answer(number)["file"].endswith("one.db")
    assert not (tmp_path / "one.db.part").exists()
    daemon.call("store.backup", file=str(tmp_path / "two.db"))


def test_leaving_in_the_middle_leaves_nothing_behind(house, disk, tmp_path):
    daemon = disk.under(house()).start()
    daemon.until(lambda status: status["turns"]["commits"])  # that there is no broker: no other commit is under way when the disk is held
    disk.hold()
    with daemon.client() as client:
        client.ask("store.backup", file=str(tmp_path / "copy.db"))
        disk.said_so("held")
        assert (tmp_path / "copy.db.part").exists()
        daemon.process.send_signal(signal.SIGTERM)
        while daemon.socket.exists():
            time.sleep(0.01)  # it goes when the socket closes; nobody tells
        disk.let_go()
        assert client.line()["error"]["code"] == -32004
    assert daemon.wait() == 0
    assert not list(tmp_path.glob("copy.db*"))
    daemon.verify()


# --- salvage ---

def lived(daemon, peer):
    """A stopped daemon whose store holds 3,000 readings and a case."""
    publish(peer, 3000)
    peer.tell("ecogov/v1/air/a2", '{"pm25": 100}')
    daemon.stored(3001)
    daemon.cases()
    daemon.stop()
    return daemon.folder / "ecogov.db"


@pytest.fixture
def ruled(broker, house):
    daemon = house(broker.port, rules=[PM25_RULE]).start()
    daemon.connected()
    return daemon


def spoil(store, page, data):
    with open(store, "r+b") as file:
        file.seek(page * 4096)
        file.write(data)


def faults(status):
    return {fault["key"]: fault["text"] for fault in status["faults"]}


@pytest.mark.parametrize("data", [bytes(4096), b"\x5a" * 4096], ids=["zeros", "noise"])
def test_a_store_without_its_first_page_is_salvaged_and_told(ruled, peer, data):
    daemon = ruled
    store = lived(daemon, peer)
    damaged = data + store.read_bytes()[4096:]
    store.write_bytes(damaged)
    daemon.start()
    status = daemon.connected()
    assert "the database was damaged: 3001 readings" in faults(status)["store.damaged"]
    assert status["store"]["readings"] == 3001 and status["messages"]["received"] == 3001
    rpc.check_sums(status)
    assert sorted(row[5] for row in daemon.export(quantity="light")) == list(range(3000))
    assert len(daemon.call("cases.list", handling="active")["cases"]) == 1
    aside = [path for path in daemon.folder.glob("ecogov.db.damaged-*") if path.suffix == ".000Z" or path.name.endswith("Z")]
    assert len(aside) == 1 and aside[0].read_bytes() == damaged
    lists = list(daemon.folder.glob("ecogov.db.damaged-*.txt"))
    assert len(lists) == 1 and "3000 of" not in lists[0].read_text()
    publish(peer, 10, 3000)
    daemon.stored(3011)
    daemon.stop()
    daemon.verify()
    daemon.start()
    assert "store.damaged" in faults(daemon.status())  # until somebody has read the list
    daemon.stop()
    lists[0].unlink()
    daemon.start()
    assert "store.damaged" not in faults(daemon.status())


def test_a_truncated_store_is_salvaged(ruled, peer):
    daemon = ruled
    store = lived(daemon, peer)
    with open(store, "r+b") as file:
        file.truncate(store.stat().st_size // 4096 // 2 * 4096 + 100)
    daemon.start()
    status = daemon.connected()
    assert "store.damaged" in faults(status)
    rpc.check_sums(status)
    publish(peer, 10, 5000)
    daemon.until(lambda status: status["readings"]["stored"] >= 10)
    daemon.stop()
    daemon.verify()


def test_an_emptied_store_does_not_pass_in_silence(ruled, peer):
    daemon = ruled
    store = lived(daemon, peer)
    store.write_bytes(b"")
    daemon.start()
    assert "the database was damaged: 0 readings" in faults(daemon.status())["store.damaged"]


def test_a_file_of_somebody_else_is_refused_and_left_alone(house):
    daemon = house()
    store = daemon.folder / "ecogov.db"
    diary = b"Dear diary, today the well was clear. " * 500
    store.write_bytes(diary)
    assert daemon.launch().wait() == 1
    assert "nothing that ecogovd wrote" in daemon.errors.read_text()
    assert store.read_bytes() == diary
    assert sorted(path.name for path in daemon.folder.glob("ecogov.db*")) == ["ecogov.db", "ecogov.db.lock"]


def test_salvage_by_hand(ruled, peer):
    daemon = ruled
    store = lived(daemon, peer)
    spoil(store, 0, bytes(4096))
    assert ecogovd("-c", daemon.config, "--verify").returncode == 1
    done = ecogovd("-c", daemon.config, "--salvage")
    assert done.returncode == 0 and "3001 readings" in done.stdout
    daemon.verify()


def test_a_commit_on_a_damaged_page_leaves_and_the_next_start_salvages(ruled, peer):
    """The index over the ids of cases is not looked at by a start; a commit that opens a case stumbles over it."""
    daemon = ruled
    store = lived(daemon, peer)
    query = "SELECT rootpage FROM sqlite_master WHERE name='sqlite_autoindex_cases_1'"
    root = int(subprocess.run(["sqlite3", str(store), query], capture_output=True, text=True, check=True, timeout=30).stdout)
    spoil(store, root - 1, b"\x5a" * 4096)
    daemon.start()
    daemon.connected()
    peer.tell("ecogov/v1/air/a3", '{"pm25": 120}')
    assert daemon.wait() == 1
    daemon.start()
    assert "store.damaged" in faults(daemon.status())
    daemon.cases(2)
    daemon.stop()
    daemon.verify()

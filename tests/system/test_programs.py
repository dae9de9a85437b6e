"""What the programs say without a daemon: versions, usage, --replay, --record."""
import json
import signal
import subprocess

from broker import Peer
from house import BIN, ecogovd


def test_version_and_help():
    for program in ("ecogovd", "ecogovctl"):
        done = subprocess.run([BIN / program, "--version"], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0 and done.stdout.startswith(f"{program} ")
    done = ecogovd("--help")
    assert done.returncode == 0 and "--replay FILE" in done.stdout


def test_wrong_usage_exits_2():
    assert ecogovd("--no-such-thing").returncode == 2
    assert ecogovd("extra").returncode == 2


def test_verify_of_a_store_that_is_not_there_fails(house):
    assert ecogovd("-c", house().config, "--verify").returncode == 1


def test_a_replayed_store_can_be_served_and_questioned(house, tmp_path):
    recording = tmp_path / "day.jsonl"
    recording.write_text("".join(json.dumps({"time": f"2026-11-23T07:00:0{n}.000Z", "topic": "ecogov/v1/air/a1",
                                             "payload": json.dumps({"pm25": n})}) + "\n" for n in range(5)))
    daemon = house()
    done = ecogovd("-c", daemon.config, "--replay", recording)
    assert done.returncode == 0 and "readings decoded=5 stored=5" in done.stdout
    daemon.verify()
    daemon.start()
    assert [row[5] for row in daemon.export()] == [0, 1, 2, 3, 4]


def test_replay_of_a_broken_recording_names_the_line(house, tmp_path):
    recording = tmp_path / "bad.jsonl"
    for bad in ('{"time":"2026-11-23T06:59:59.000Z"}', "nonsense", '{"topic":"x","payload":""}',
                '{"time":"2026-11-23T07:00:01Z","topic":"x"}', '{"time":"2026-11-23T07:00:01Z","call":"shutdown"}'):
        recording.write_text('{"time":"2026-11-23T07:00:00.000Z"}\n' + bad + "\n")
        done = ecogovd("-c", house(name=str(len(bad))).config, "--replay", recording)
        assert done.returncode == 1 and f"{recording}:2: " in done.stderr, (bad, done.stderr)


def test_a_recording_of_a_live_broker_replays_to_the_same(daemon, peer, house, tmp_path):
    """--record takes what the broker sends, --replay of it stores what the daemon stored."""
    recording = tmp_path / "live.jsonl"
    recorder = house(daemon.keys["mqtt"]["port"], name="recorder", mqtt={"client_id": "recorder"})
    peer.listen("$SYS/#")
    process = subprocess.Popen([BIN / "ecogovd", "-c", recorder.config, "--record", recording], stderr=subprocess.PIPE, text=True)
    try:
        with Peer(daemon.keys["mqtt"]["port"]) as device:
            line = process.stderr.readline()  # it says when it listens
            assert line
            for n in range(300):
                device.publish("ecogov/v1/air/a1", json.dumps({"light": n, "ts": 1795480000 + n}))
            device.publish("ecogov/v1/air/a1", b"\xff\x00")
            device.settle()
            daemon.stored(300)
            until_written(recording, 301)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0
    fresh = house(name="fresh")
    done = ecogovd("-c", fresh.config, "--replay", recording)
    assert done.returncode == 0, done.stderr
    assert "messages received=301 decoded=300 duplicate=0 quarantined=1 ignored=0" in done.stdout
    fresh.start()
    assert fresh.export() == daemon.export()


def until_written(path, lines):
    import time
    end = time.monotonic() + 60
    while time.monotonic() < end:  # nobody tells when a file has grown
        if path.exists() and path.read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.02)
    raise TimeoutError(path.read_text() if path.exists() else "there is no recording")

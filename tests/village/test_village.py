"""The demonstration's day through the real pipeline: what must be noticed is, what is ordinary is not; the same day for a seed.

Runs ecogovd (ECOGOV_BIN, default build/debug/bin) on recordings, and the demonstration itself against a real broker.
"""
import fcntl
import gzip
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
import unicodedata
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))

import air_csv      # noqa: E402
import post         # noqa: E402
import settings     # noqa: E402
import village      # noqa: E402

BIN = Path(os.environ.get("ECOGOV_BIN", ROOT / "build/debug/bin")).resolve()
SHARED_AIR = Path(os.environ.get("ECOGOV_SHARED", ROOT.parent / "shared")) / "data/air"
END = "2026-11-23T15:59:00Z"    # 23:59 in Shanghai
CASE = re.compile(r"(?P<time>\S+) case (?P<id>\S+) (?P<kind>\S+) (?P<to>\S+) (?P<rule>\S+) (?P<device>\S+/\S+/\S+) "
                  r"(?P<series>\S+) value=(?P<value>\S+)")


def ecogovd(*arguments):
    return subprocess.run([BIN / "ecogovd", *arguments], capture_output=True, text=True, check=False)


class Story:
    """What ecogovd --replay says of a recording."""

    def __init__(self, folder, recording, **configuration):
        done = ecogovd("-c", settings.write(folder, commit_interval="10m", **configuration), "--replay", str(recording))
        assert done.returncode == 0, done.stderr
        self.text = done.stdout
        self.cases = [match.groupdict() for match in map(CASE.match, self.text.splitlines()) if match]
        self.quarantined = [line.split(" quarantine ")[1] for line in self.text.splitlines() if " quarantine " in line]
        self.counters = {line.split()[0]: {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}
                         for line in self.text.splitlines()[-3:]}

    def steps(self, rule, device):
        """[(hour of the village's clock, "opened", "warning"), …]"""
        return [(hour_of(case["time"]), case["kind"], case["to"]) for case in self.cases if (case["rule"], case["device"]) == (rule, device)]

    def opened(self):
        return {(case["rule"], case["device"]) for case in self.cases if case["kind"] == "opened"}


def hour_of(text):
    time = datetime.fromisoformat(text.replace("Z", "+00:00")) + timedelta(hours=8)
    return time.hour + time.minute / 60


def record(folder, seed="7"):
    path = Path(folder) / "day.jsonl"
    subprocess.run([sys.executable, HERE / "village.py", "--recording", path, "--seed", seed, "--end", END], check=True, stdout=subprocess.DEVNULL)
    return path


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    folder = tmp_path_factory.mktemp("day")
    story = Story(folder, record(folder))
    story.folder = folder
    return story


def test_burning_opens_a_case_that_rises_and_ends(day):
    steps = day.steps("open-burning", "shangtian/air/a1")
    assert [step[1:] for step in steps] == [("opened", "warning"), ("level", "warning->critical"), ("level", "critical->warning"),
                                            ("condition", "breaching->ok")]
    assert 18.5 <= steps[0][0] < 19 and steps[-1][0] < 22
    peak = max(float(case["value"]) for case in day.cases if case["device"] == "shangtian/air/a1" and case["series"] == "pm25")
    assert 150 < peak < 300


def test_smoke_comes_to_the_neighbour_later_and_weaker(day):
    there, here = day.steps("open-burning", "kuotan/air/a1"), day.steps("open-burning", "shangtian/air/a1")
    assert there[0][0] > here[0][0] + 0.5
    assert "critical" not in str(there)


def test_overflowing_bin(day):
    assert [step[1:] for step in day.steps("bin-full", "kuotan/waste/b2")] == [("opened", "warning"), ("level", "warning->critical")]


def test_smouldering_bin_is_noticed_while_it_warms(day):
    heating, smouldering = day.steps("bin-heating", "kuotan/waste/b2"), day.steps("bin-smouldering", "kuotan/waste/b2")
    assert heating[0][1:] == ("opened", "notice") and heating[0][0] >= 21.25
    assert [step[1:] for step in smouldering] == [("opened", "warning"), ("level", "warning->critical")]
    assert heating[0][0] < smouldering[0][0]


def test_dry_topsoil_ends_with_the_shower(day):
    steps = day.steps("soil-dry", "kuotan/soil/s1")
    assert [step[1:] for step in steps] == [("opened", "notice"), ("condition", "breaching->ok")]
    assert 15 < steps[1][0] < 16.5


def test_a_sensor_that_stands_still_is_in_doubt_and_opens_nothing_about_the_village(day):
    (text,) = [line for line in day.text.splitlines() if " opened notice sensor-doubt " in line and " pm25 " in line]
    assert " qianchuan/air/a2 " in text and "pm25 has been" in text
    assert 11 <= hour_of(text.split(" known=")[-1].split()[0] if " known=" in text else text.split()[0]) < 11.5
    assert not [case for case in day.cases if case["device"] == "qianchuan/air/a2" and hour_of(case["time"]) > 11.5]


def test_nothing_in_the_quiet_village_nor_from_old_news(day):
    assert not [case for case in day.cases if case["device"].startswith("tashan/")]
    assert min(hour_of(case["time"]) for case in day.cases) > 9     # the retained 480 ug/m3 came at 00:00


def test_garbage_is_quarantined(day):
    verdicts = sorted(line.split(":")[0] for line in day.quarantined)
    assert verdicts == ["ecogov/kuotan/waste/b2 malformed", "ecogov/qianchuan/air/a1 rejected", "ecogov/shangtian/air/a2 malformed",
                        "ecogov/shangtian/waste/b1 malformed", "ecogov/tashan/air/a1 malformed", "ecogov/xiatian/air/a1 implausible"]


def test_every_message_is_counted(day):
    messages, readings = day.counters["messages"], day.counters["readings"]
    with open(day.folder / "day.jsonl", encoding="utf-8") as file:
        assert messages["received"] == sum(1 for _ in file)
    assert messages["received"] == messages["decoded"] + messages["quarantined"]
    assert readings["decoded"] == readings["stored"] + readings["duplicate"] + readings["rejected"]
    assert readings["rejected"] == 1 and readings["corrected"] == 0
    assert readings["duplicate"] > 100     # what the gateway sent twice


def test_same_seed_same_day_other_seed_same_story(day, tmp_path):
    again, other = tmp_path / "again", tmp_path / "other"
    again.mkdir()
    other.mkdir()
    assert record(again).read_bytes() == (day.folder / "day.jsonl").read_bytes()
    recording = record(other, seed="river")
    assert recording.read_bytes() != (day.folder / "day.jsonl").read_bytes()
    assert Story(other, recording).opened() == day.opened()


def test_the_day_ends_late_in_the_evening_whenever_it_is_shown():
    noon = int(datetime(2026, 3, 1, 12, 34, 56, tzinfo=timezone.utc).timestamp() * 1000)
    for hours in range(24):
        shown = village.day_ending(noon + hours * village.HOUR_MS)
        assert (shown.clock(shown.start_ms), shown.clock(shown.end_ms)) == ("00:00", "23:34")
        assert (Path("/usr/share/zoneinfo") / shown.zone).exists()


# --- at a glance ---

def columns(text):
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def on_a_terminal(path, words, locale):
    """What ecogovctl draws on 80 columns."""
    pid, end = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", LC_ALL=locale, NO_COLOR="1")
        os.execv(BIN / "ecogovctl", ["ecogovctl", "-s", str(path), *words.split()])
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 80, 0, 0))
    drawn = b""
    try:
        while more := os.read(end, 65536):
            drawn += more
    except OSError:     # it has left
        pass
    os.close(end)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, drawn
    return drawn.decode().replace("\r", "")


@pytest.fixture(scope="module")
def served(day):
    """The day's store, with a daemon over it."""
    with open(day.folder / "log", "wb") as log:
        daemon = subprocess.Popen([BIN / "ecogovd", "-c", day.folder / "ecogov.yaml"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    path = day.folder / "ecogov.sock"
    end = time.monotonic() + 60
    with socket.socket(socket.AF_UNIX) as caller:
        while caller.connect_ex(str(path)) and time.monotonic() < end:   # nobody tells when it listens, which is later than when it is there
            time.sleep(0.02)
    yield path
    daemon.terminate()
    assert daemon.wait(60) == 0


@pytest.mark.parametrize("locale, past, suspect", [("C.UTF-8", "As it was on ", ", 1 suspect"), ("zh_CN.UTF-8", " 的情况", "，1 台存疑")])
def test_the_summary_of_a_past_moment_fits_a_terminal(served, locale, past, suspect):
    shown = on_a_terminal(served, "summary --at 2026-11-23T15:58:00Z", locale).splitlines()
    assert past in shown[0] and any(suspect in line for line in shown), shown
    assert not [line for line in shown if columns(line) > 80]
    day = [line for line in shown if "last 24 h" in line or "近 24 小时" in line]
    assert len(day) == 10 and all(any(bar in line for bar in "▂▃▄▅▆▇█") for line in day)    # of two indices at five sites


# --- real data ---

HEADER = '"No","year","month","day","hour","PM2.5","CO","wd","station"\n'


def test_data_rows_become_messages(tmp_path):
    path = tmp_path / "x.csv.gz"
    rows = ['1,2017,2,28,21,95,1000,"NW","定陵 East"', '2,2017,2,28,22,NA,NA,NA,"定陵 East"', '3,2017,2,28,23,,900,"cv","定陵 East"']
    path.write_bytes(gzip.compress((HEADER + "\n".join(rows[:2]) + "\n").encode()))
    more = tmp_path / "more.csv"
    more.write_text("time,pm2.5\n2017-02-28 23:00,12.5\n", encoding="utf-8")
    replay = air_csv.Replay([str(path), str(more)], 30, 1_795_449_599_999)
    assert [message.topic for message in replay.messages] == ["hourly/east/station", "hourly/more/station"]
    assert [message.payload.decode() for message in replay.messages] == [
        '{"time":"2026-11-23T13:00:00.000Z","PM2.5":95.0,"CO":1000.0,"wd":315.0}', '{"time":"2026-11-23T15:00:00.000Z","PM2.5":12.5}']
    assert [message.retain for message in replay.messages] == [True, False]
    path.write_bytes(gzip.compress((HEADER + rows[2]).encode()))
    with pytest.raises(air_csv.Unreadable, match=r"x\.csv\.gz:2: this line does not fit"):
        air_csv.read(str(path))


@pytest.mark.parametrize("content, sentence", [
    (b"", "the file is empty"),
    (HEADER.encode(), "no rows"),
    (b"a,b,c\n1,2,3\n", 'its first line is "a,b,c"'),
    (b"time,depth\n2020-01-01,3\n", "hourly air data is expected"),
    (HEADER.encode() + b"1,2017,2,30,21,95,1,N,x\n", ":2: this line does not fit the first one"),
    (HEADER.encode() + b"1,2017\n", ":2: this line does not fit the first one"),
    (b"\x1f\x8b broken", "neither CSV text"),
    (gzip.compress(HEADER.encode() * 50)[:60], "neither CSV text"),
    (b"\xff\xfe\x00\x01", "neither CSV text"),
    (None, "No such file"),
])
def test_unreadable_data_gets_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "air.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(air_csv.Unreadable, match=re.escape(sentence)):
        air_csv.read(str(path))


@pytest.mark.skipif(not SHARED_AIR.is_dir(), reason=f"{SHARED_AIR} is not there")
def test_recorded_stations_through_the_pipeline(tmp_path):
    now_ms = village.parse_time("2026-11-24T01:20:00+00:00")
    replay = air_csv.Replay(sorted(map(str, SHARED_AIR.glob("*.csv.gz"))), 30, now_ms)
    count = post.write_recording(replay.messages, tmp_path / "air.jsonl")
    assert count > 3 * 30 * 24 * 0.95
    story = Story(tmp_path, tmp_path / "air.jsonl", sites=replay.sites(), sources=replay.sources(), late_limit="32d")
    assert story.counters["messages"]["decoded"] == count and not story.quarantined
    assert {device.split("/")[0] for rule, device in story.opened() if rule == "pm25-day"} == {"changping", "dingling", "huairou"}


# --- the demonstration itself ---

@pytest.fixture
def programs(tmp_path):
    """The real daemon, and a client that says what it was asked."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ecogovd").symlink_to(BIN / "ecogovd")
    (folder / "ecogovctl").write_text('#!/bin/sh\nshift 2\necho "asked: $*"\n')
    (folder / "ecogovctl").chmod(0o755)
    return folder


def demo(programs, tmp_path, *arguments):
    return subprocess.Popen([sys.executable, HERE / "demo.py", "--bin", programs, "--seconds", "0", *arguments],
                            env={**os.environ, "TMPDIR": str(tmp_path)},
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_demo_over_a_real_broker(programs, tmp_path):
    child = demo(programs, tmp_path)
    out, _ = child.communicate()
    assert child.returncode == 0, out
    asked = re.findall(r"^asked: (.*)$", out, re.MULTILINE)
    assert asked[:3] == ["status", "summary", "cases"] and asked[3].startswith("case show shangtian-")
    assert re.search(r"opened warning +bin-smouldering +kuotan/waste/b2", out)
    assert "\033[" not in out
    assert not list(tmp_path.glob("ecogov-demo-*"))


def test_kept_demo_ends_what_it_started(programs, tmp_path):
    child = demo(programs, tmp_path, "--keep")
    try:
        told = (re.search(r"should it be gone: kill (\d+) (\d+)", line) for line in child.stdout)
        pids = [int(pid) for pid in next(filter(None, told)).groups()]
        for pid in pids:
            os.kill(pid, 0)
    finally:
        child.send_signal(signal.SIGTERM)
        out, _ = child.communicate()
    assert child.returncode == 130 and "ended" in out
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert not list(tmp_path.glob("ecogov-demo-*"))


def test_demo_refuses_unreadable_data(programs, tmp_path):
    child = demo(programs, tmp_path, "--data", str(tmp_path / "nothing.csv"))
    out, _ = child.communicate()
    assert child.returncode == 1 and out.startswith(f"demo: {tmp_path}/nothing.csv: No such file")

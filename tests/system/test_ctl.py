"""ecogovctl against a running daemon: every command, its exit codes, its two languages, and that nothing harms a terminal."""
import contextlib
import csv
import fcntl
import io
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata

import pytest

from house import BIN, PM25_RULE, SANITIZER, SOURCES
from rpc import RpcError
from test_health import EUI, LORA, uplink

NAMED_RULE = {**PM25_RULE, "title": "Fine dust", "title_zh": "细颗粒物偏高", "basis": "GB 3095-2012", "action": "Look for burning straw."}


class Ctl:
    def __init__(self, socket):
        self.socket = socket

    def run(self, *words, language="C.UTF-8", **options):
        environment = {key: value for key, value in os.environ.items() if key not in ("LC_ALL", "LC_MESSAGES", "NO_COLOR")}
        done = subprocess.run([BIN / "ecogovctl", "-s", self.socket, *map(str, words)], capture_output=True, check=False, timeout=60,
                              env={**environment, "LANG": language, "LC_CTYPE": "C.UTF-8"}, **options)
        done.out, done.err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
        assert not any(word in done.err for word in SANITIZER), done.err
        return done

    def __call__(self, *words, **options):
        done = self.run(*words, **options)
        assert done.returncode == 0, (words, done.err)
        return done.out


@pytest.fixture
def watched(broker, house, peer):
    """A daemon that has seen a breach, a soil probe with depths, and garbage."""
    daemon = house(broker.port, rules=[NAMED_RULE], parties=[{"id": "committee", "name": "村委会", "sector": "government"}, {"id": "volunteers", "sector": "society"}],
                   socket={"supervisors": []}).start()
    daemon.connected()
    for value in (20, 80, 160, 90):
        peer.tell("ecogov/v1/air/a1", json.dumps({"pm25": value, "temp": 21.5}))
    peer.tell("ecogov/v1/soil/s1", '{"soil_moisture": 31.25}')
    peer.tell("ecogov/v1/air/a1", '{"pm25":')
    daemon.stored(9)
    daemon.until(lambda status: status["messages"]["quarantined"] == 1)
    daemon.until(lambda _: daemon.call("quarantine.list")["entries"])
    daemon.cases()
    daemon.ctl = Ctl(daemon.socket)
    return daemon


READING = ["status", "summary", "sites", "devices", "latest", "cases", "rules", "quantities", "drivers", "sources", "parties", "quarantine",
           "outbox"]


@pytest.mark.parametrize("language", ["C.UTF-8", "zh_CN.UTF-8"])
def test_every_reading_command_says_something(watched, language):
    for command in READING:
        out = watched.ctl(command, language=language)
        assert out.strip() and "\033" not in out, command  # not a terminal: no colours
    assert "a1" in watched.ctl("devices", language=language)
    assert ("80" in watched.ctl("history", "a1", "pm25", language=language)) and "160" in watched.ctl("history", "a1", "pm25")


def test_json_is_the_result_as_it_came(watched):
    for command, method in (("sites", "sites.list"), ("rules", "rules.list"), ("parties", "parties.list"), ("quantities", "quantities.list")):
        assert json.loads(watched.ctl("--json", command)) == watched.call(method)
        assert watched.ctl(command, "--json") == watched.ctl("--json", command)
    (case,) = json.loads(watched.ctl("--json", "cases"))["cases"]
    assert case["peak"]["value"] == 160


def test_a_case_from_the_first_look_to_its_end(watched):
    (case,) = watched.cases()
    name = case["id"]
    assert name in watched.ctl("cases", "--handling", "active") and "Fine dust" in watched.ctl("cases")
    assert "acknowledged (version 4)" in watched.ctl("case", "ack", name, "--version", 3, "--note", "on my way")
    assert watched.ctl.run("case", "ack", name, "--version", 3).returncode == 1
    assert "村委会" not in watched.ctl("case", "show", name)[:200]
    watched.ctl("case", "assign", name, "--party", "committee")
    watched.ctl("case", "start", name)
    watched.ctl("case", "comment", name, "--note=ashes are cold")
    watched.ctl("case", "fix", name)
    assert "does not verify alone" in watched.ctl.run("case", "verify", name).err
    assert "closed" in watched.ctl("case", "verify", name, "--party", "volunteers")
    shown = watched.ctl("case", "show", name)
    for piece in ("Look for burning straw.", "GB 3095-2012", "on my way", "ashes are cold", "村委会 (committee)", "160", "一村 (v1)"):
        assert piece in shown
    assert "细颗粒物偏高" in watched.ctl("case", "show", name, language="zh_CN.UTF-8")
    again = watched.ctl.run("case", "fix", name)
    assert again.returncode == 1 and "not allowed" in again.err and not again.out


def test_exit_codes_and_sentences(watched, tmp_path):
    for words, code, piece in ((["nonsense"], 2, "no command"), ([], 2, "Usage"), (["cases", "--levl", "x"], 2, "--levl"),
                               (["case", "show"], 2, "needs the id"), (["case", "show", "a", "b"], 2, '"b"'), (["cases", "--limit", "x"], 2, "number"),
                               (["cases", "--limit"], 2, "needs a value"), (["export", "--format", "xml"], 2, "csv or ndjson"),
                               (["cases", "--limit", 1, "--limit", 2], 2, "twice"),
                               (["case", "show", "none-such"], 1, "none-such"), (["cases", "--level", "bad"], 1, "level"),
                               (["history", "a1", "pm52"], 1, "pm52"), (["quarantine", "77"], 1, "77")):
        done = watched.ctl.run(*words)
        assert (done.returncode, piece in done.err) == (code, True), (words, done.returncode, done.err)
    away = Ctl(tmp_path / "nobody").run("status")
    assert away.returncode == 3 and "nobody" in away.err and "running" in away.err
    assert Ctl("x" * 200).run("status").returncode == 3
    for words in (["help"], ["--help"], ["help", "case", "ack"], ["--version"]):
        assert watched.ctl(*words)
    assert watched.ctl.run("help", "nonsense").returncode == 2


def test_export_csv_and_ndjson_hold_the_same(watched):
    rows = list(csv.DictReader(io.StringIO(watched.ctl("export"))))
    assert list(rows[0]) == ["time", "site", "device", "quantity", "channel", "value", "unit", "flags"]
    lines = [json.loads(line) for line in watched.ctl("export", "--format", "ndjson").splitlines()]
    assert len(rows) == len(lines) == 9
    for row, line in zip(rows, lines):
        assert (row["time"], row["device"], row["quantity"], float(row["value"]), row["flags"].split("|")) == (
            line["time"], line["device"], line["quantity"], line["value"], line["flags"])
    assert sorted(row["value"] for row in rows if row["quantity"] == "pm25") == ["160", "20", "80", "90"]
    only = watched.ctl("export", "--quantity", "soil_moisture").splitlines()
    assert len(only) == 2 and ",31.25," in only[1]
    assert watched.ctl("export", "--from", "2001-01-01T00:00:00Z", "--to", "2002-01-01T00:00:00Z").count("\n") == 1


def test_a_hostile_name_cannot_reach_the_terminal(watched, peer):
    peer.tell("ecogov/v1/air/\u202eevil\u2028", '{"pm25": 10}')
    watched.stored(10)
    for command in ("devices", "latest", "summary"):
        out = watched.ctl(command)
        assert not [c for c in out if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")], command
    assert "\N{REPLACEMENT CHARACTER}evil\N{REPLACEMENT CHARACTER}" in watched.ctl("devices")


def columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def test_columns_line_up_in_any_script(watched):
    """The parent stands in the same column behind a wide name and a narrow one."""
    for language in ("C.UTF-8", "zh_CN.UTF-8"):
        wide, narrow = watched.ctl("sites", language=language).splitlines()[2:]
        assert "一村" in wide and "一村" not in narrow
        assert columns(wide[:wide.index("county")]) == columns(narrow[:narrow.index("county")]), (wide, narrow)


def test_colours_on_a_terminal_only_and_without_no_color(watched):
    def on_terminal(**more):
        ours, theirs = pty.openpty()
        environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        done = subprocess.run([BIN / "ecogovctl", "-s", watched.socket, "cases"], stdout=theirs, check=True, timeout=60,
                              env={**environment, "TERM": "xterm", **more})
        os.close(theirs)
        out = b""
        while select.select([ours], [], [], 0)[0]:
            try:
                piece = os.read(ours, 65536)
            except OSError:
                break
            if not piece:
                break
            out += piece
        os.close(ours)
        assert done.returncode == 0 and b"pm25" in out or b"Fine dust" in out
        return out

    assert b"\033[31m" in on_terminal()
    assert b"\033" not in on_terminal(NO_COLOR="1")
    assert b"\033" not in on_terminal(TERM="dumb")


def drawn(daemon, word, language, width):
    """What a terminal of that width is sent."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", NO_COLOR="1", LC_ALL=language)
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 20, width, 0, 0))
        os.execv(BIN / "ecogovctl", ["ecogovctl", "-s", str(daemon.socket), word])
    sent = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error
        while piece := os.read(fd, 65536):
            sent += piece
    os.close(fd)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return sent.decode()


def test_a_table_fits_the_terminal(watched):
    """Titles are cut with an ellipsis, ids are not; no row is broken. Into a pipe all of it goes."""
    whole = watched.ctl("cases").splitlines()
    for language in ("C.UTF-8", "zh_CN.UTF-8"):
        rows = drawn(watched, "rules", language, 70).splitlines()
        assert len(rows) == len(watched.ctl("rules", language=language).splitlines())
        assert max(columns(row) for row in rows) <= 70 < max(columns(row) for row in watched.ctl("rules", language=language).splitlines())
        assert any("…" in row for row in rows)
    assert all("…" not in row for row in whole)


def test_cases_fit_eighty_columns(broker, house, peer):
    """With long names and titles: by their numbers, which the verbs take, in one row each. With room, or into a pipe, by their ids."""
    site = "kuotan-shangcun-beiduan"
    daemon = house(broker.port, rules=[{**NAMED_RULE, "title": "Fine dust above its limit for long"}], sites=[{"id": site}], parties=[]).start()
    daemon.connected()
    for device in ("a-station-by-the-road", "a2", "a3"):
        peer.tell(f"ecogov/{site}/air/{device}", json.dumps({"pm25": 987.5}))
    case = daemon.cases(3)[-1]
    daemon.call("cases.acknowledge", id=case["id"])
    ctl = Ctl(daemon.socket)
    for language in ("C.UTF-8", "zh_CN.UTF-8"):
        whole = ctl("cases", language=language)
        assert max(columns(row) for row in whole.splitlines()) > 80 and case["id"] in whole and "…" not in whole
        for room in (80, 160):
            seen = drawn(daemon, "cases", language, room)
            rows = seen.splitlines()
            assert len(rows) == len(whole.splitlines()) and max(columns(row) for row in rows) <= room, rows
            assert (case["id"] in seen) == (room > 80)
        assert [row.split()[0] for row in ctl("case", "show", case["number"], language=language).splitlines()[:1]] == [case["id"]]


def test_devices_fit_eighty_columns(broker, house, peer):
    """What all tell, and below what some tell: names, doubts, batteries, radios, faults, losses, none of it cut. With room in one table."""
    devices = [{"id": f"station-{n}", "site": "v1", "domain": "air", "name": f"村口空气站{n}"} for n in range(2)]
    daemon = house(broker.port, rules=[], devices=devices, sources=[*SOURCES, LORA], quality={"set_aside": "suspect"}).start()
    daemon.connected()
    for counter in (10, 13):
        peer.tell(f"application/1/device/{EUI}/event/up", uplink(counter))
    peer.tell("ecogov/v1/air/station-0", json.dumps({"pm25": 80, "pm10": 40, "battery": 12}))
    peer.tell("ecogov/v1/air/station-1", json.dumps({"pm25": 20, "pm10": -999}))
    peer.tell("ecogov/v1/waste/b1", json.dumps({"fill_level": 20}))
    daemon.until(lambda status: status["messages"]["decoded"] == 5)
    ctl = Ctl(daemon.socket)
    for language in ("C.UTF-8", "zh_CN.UTF-8"):
        whole = ctl("devices", language=language)
        assert len(whole.splitlines()) == 5 and max(columns(row) for row in whole.splitlines()) > 100
        cells = {cell for row in whole.splitlines() for cell in row.split()}
        for room in (80, 160):
            seen = drawn(daemon, "devices", language, room)
            rows = seen.splitlines()
            assert max(columns(row) for row in rows) <= room and "…" not in seen, seen
            assert {cell for row in rows for cell in row.split()} == cells, seen
            assert len(rows) == (5 if room > 80 else 5 + 1 + 4), seen


def test_watch_tells_each_thing_as_it_happens(watched, peer):
    watch = subprocess.Popen([BIN / "ecogovctl", "-s", watched.socket, "--json", "watch", "--topics", "readings,cases"], stdout=subprocess.PIPE)
    try:
        # Nothing says when it watches; so tell until it has heard.
        heard = []
        for value in range(1, 200):
            peer.tell("ecogov/v2/air/b1", json.dumps({"pm25": value % 70}))
            if select.select([watch.stdout], [], [], 0.1)[0]:
                heard.append(json.loads(watch.stdout.readline()))
                break
        assert heard and heard[0]["method"] == "readings" and heard[0]["params"]["device"] == "b1"
    finally:
        watch.send_signal(signal.SIGTERM)
        watch.wait(30)
        watch.stdout.close()


def test_the_daemon_leaving_in_the_middle_is_said(watched):
    watch = subprocess.Popen([BIN / "ecogovctl", "-s", watched.socket, "watch", "--topics", "status"], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    assert "broker" in watch.stdout.readline()  # the first status comes at once
    watched.stop()
    _, err = watch.communicate(timeout=60)
    assert watch.returncode == 3 and "hung up" in err


def screen_of(daemon, keys, locale):
    """What `top` draws in a terminal of 118 columns, until it leaves by `q`; its exit code."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", LC_ALL=locale)
        os.execv(BIN / "ecogovctl", ["ecogovctl", "-s", str(daemon.socket), "top"])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 118, 0, 0))
    drawn, keys, until = b"", list(keys), time.monotonic() + 60
    while time.monotonic() < until:
        if keys and b"ecogovctl case show" in drawn:  # the last row is there
            os.write(fd, keys.pop(0))
        if select.select([fd], [], [], 0.05)[0]:
            try:
                more = os.read(fd, 65536)
            except OSError:  # it has left
                break
            drawn += more
    os.close(fd)
    return drawn.decode(errors="replace"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_top_shows_the_village_on_one_screen(house):
    daemon = house(rules=[{**PM25_RULE, "title": "Fine dust", "title_zh": "细颗粒物超标"}]).start()
    daemon.call("reports.submit", site="v1", domain="air", quantity="pm25", value=99)
    daemon.cases(1)
    drawn, code = screen_of(daemon, [b"j", b"q"], "C.UTF-8")
    assert code == 0
    for text in ("not connected", "Fine dust", "99.0 µg/m³", "warning", "ecogovctl case show v1-"):
        assert text in drawn, drawn
    drawn, code = screen_of(daemon, [b"q"], "zh_CN.UTF-8")
    assert code == 0 and "细颗粒物超标" in drawn
    done = subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, "top"], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and "terminal" in done.stderr


def test_directions_have_no_mean_but_that_of_their_vectors(broker, house, peer):
    """350 and 10 degrees are not 178: no hour, day or summary says so; series.statistics knows the vectors, with as many names as it takes."""
    daemon = house(broker.port, rules=[], parties=[]).start()
    daemon.connected()
    ctl = Ctl(daemon.socket)
    for degrees in (350, 10, 351, 9):
        peer.tell("ecogov/v1/air/a1", json.dumps({"wind_dir": degrees, "wind_speed": 2}))
    daemon.stored(8)
    (cell,) = [site["domains"]["air"] for site in daemon.call("summary")["sites"] if site["site"] == "v1"]
    for period in ("hour", "day"):
        assert {row["quantity"]: row["mean"] for row in cell[period]} == {"wind_speed": 2, "wind_dir": None}
        assert [row["max"] for row in cell[period] if row["quantity"] == "wind_dir"] == [351]
        (point,) = daemon.call("readings.history", device="a1", quantity="wind_dir", resolution=period)["points"]
        assert (point["mean"], point["last"]) == (None, 9)
    means = {row["quantity"]: row["mean"] for row in daemon.call("readings.statistics")["series"]}
    assert means == {"wind_speed": 2, "wind_dir": None}
    words = next(line for line in ctl("summary").splitlines() if "wind_dir" in line).split()
    assert [word for word in words if word != "%"][1:4] == ["9", "-", "351"] and words.count("-") == 2  # now, the hour's mean and greatest; the day's, too
    assert next(line for line in ctl("history", "a1", "wind_dir", "--resolution", "day").splitlines() if " 351 " in line).split()[3] == "-"

    names = "last,mean,min,max,sum,count,rate,change,stddev,vector_mean,max_8h,p50,p95,p98,p99.9,above:1000000000000000.5"
    assert len(names) > 63
    (period,) = daemon.call("series.statistics", device="a1", quantity="wind_dir", statistics=names)["periods"]
    assert period["count"] == 4 and min(period["vector_mean"], 360 - period["vector_mean"]) < 0.01 and period["above"] == 0
    assert {name for name, value in period.items() if value is None} == {"mean", "sum", "rate", "change", "stddev", "max_8h", "p50", "p95", "p98", "p99.9"}
    assert daemon.call("series.statistics", device="a1", quantity="wind_dir")["periods"][0]["mean"] is None
    assert "vector_mean" in ctl("stat", "a1", "wind_dir", "--statistics", names)
    for wrong in (names + ",p97", "mean," * 120):
        with pytest.raises(RpcError) as refused:
            daemon.call("series.statistics", device="a1", quantity="wind_dir", statistics=wrong)
        assert refused.value.code == -32602
    daemon.stop()
    daemon.verify()

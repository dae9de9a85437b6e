"""Out and in again: the extension beside a running daemon, and `ecogovctl import`. The readings' details are tests/unit/store/test_extension.c's."""
import csv
import io
import json
import subprocess

import pytest

import rpc
from house import BIN, PM25_RULE

HEADER = "time,site,device,quantity,channel,value,unit,flags"


def ctl(daemon, *words, text=None):
    return subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, *map(str, words)], input=text, capture_output=True, text=True,
                          timeout=120, check=False)


def export(daemon):
    done = ctl(daemon, "export")
    assert done.returncode == 0, done.stderr
    return done.stdout


def sql(daemon, query):
    done = subprocess.run(["sqlite3", "-readonly", "-csv", daemon.folder / "ecogov.db", "-cmd", f".load {BIN.parent}/lib/ecogov", query],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return list(csv.reader(io.StringIO(done.stdout)))


@pytest.fixture
def filled(daemon, peer):
    for n in range(60):
        peer.tell("ecogov/v1/air/a1", json.dumps({"ts": 1750000000000 + n * 60000, "pm25": 2 * n + 0.1, "temperature": n / 7}))
    peer.tell("ecogov/v1/soil/s,\"1", json.dumps({"soil_moisture": 31.25}))
    peer.tell("ecogov/v2/air/a1", json.dumps({"pm25": 7}))
    daemon.stored(122)
    return daemon


def test_hours_of_directions_have_no_mean(daemon, peer):
    for n in range(61):
        peer.tell("ecogov/v1/air/a1", json.dumps({"ts": 1750000000000 + n * 60000, "wind_dir": 350 if n % 2 else 10, "wind_speed": 2}))
    daemon.stored(122)
    assert set(map(tuple, sql(daemon, "SELECT quantity, typeof(mean), min, max FROM ecogov_hours"))) == {
        ("wind_dir", "null", "10.0", "350.0"), ("wind_speed", "real", "2.0", "2.0")}



def test_sqlite3_reads_beside_the_daemon(filled):
    rows = sql(filled, "SELECT time,site,device,quantity,channel,value,unit,flags FROM ecogov_readings")
    told = list(csv.reader(io.StringIO(export(filled))))[1:]
    assert len(rows) == 122
    assert [row[:5] + [float(row[5])] + row[6:] for row in rows] == [row[:5] + [float(f"{float(row[5]):.15g}")] + row[6:] for row in told]
    assert sql(filled, "SELECT site FROM v_devices ORDER BY id") == [["v1"], ["v1"], ["v2"]]


def test_export_import_export_is_the_same_but_for_the_flag(filled, house):
    before = export(filled)
    fresh = house(name="fresh", rules=[PM25_RULE]).start()
    soil = HEADER + "\n" + "".join(line for line in before.splitlines(True) if "soil_moisture" in line)
    done = ctl(fresh, "import", "-", "--domain", "soil", text=soil)
    assert (done.returncode, done.stdout) == (0, "1 readings imported, 0 were there already\n"), done.stderr
    done = ctl(fresh, "import", "-", "--domain", "air", text=before)  # a device that is known keeps its domain
    assert (done.returncode, done.stdout) == (0, "121 readings imported, 1 were there already\n"), done.stderr
    rows = sorted(csv.reader(io.StringIO(export(fresh))))
    wanted = sorted(row[:7] + ["|".join(filter(None, [row[7], "imported"]))] if row[0] != "time" else row
                    for row in csv.reader(io.StringIO(before)))
    assert rows == wanted
    assert any(float(row[5]) > 75 for row in rows[:-1] if row[3] == "pm25")  # beyond the rule's limit
    status = fresh.status()
    rpc.check_sums(status)
    assert status["readings"]["stored"] == 122 and fresh.call("cases.list")["cases"] == []
    again = json.loads(ctl(fresh, "--json", "import", "-", "--domain", "air", text=before).stdout)
    assert again["imported"] == 0 and again["duplicate"] == 122
    assert sorted(csv.reader(io.StringIO(export(fresh)))) == rows
    fresh.kill()  # answered means on disk
    fresh.start()
    assert sorted(csv.reader(io.StringIO(export(fresh)))) == rows
    fresh.stop()
    fresh.verify()


def test_rows_that_cannot_be_taken_are_named(filled):
    good = "2020-01-01T00:00:00.000Z,v1,a9,pm25,,5,ug/m3,"
    before = export(filled)
    for row, piece in (("2020-01-01T00:00:00.000Z,nowhere,a1,pm25,,5,ug/m3,", "site 'nowhere'"), ("yesterday,v1,a1,pm25,,5,ug/m3,", "time"),
                       ("2020-01-01T00:00:00.000Z,v1,a1,phlogiston,,5,ug/m3,", "quantity"), ("2020-01-01T00:00:00.000Z,v1,a1,pm25,,-5,ug/m3,", "plausible"),
                       ("2020-01-01T00:00:00.000Z,v1,a1,pm25,,5,Cel,", "unit"), ("2020-01-01T00:00:00.000Z,v1,a1,pm25,,5,ug/m3,odd", "flags"),
                       ("2990-01-01T00:00:00.000Z,v1,a1,pm25,,5,ug/m3,", "future"), ("2020-01-01T00:00:00.000Z,v1,a1,pm25", "eight columns"),
                       ("2020-01-01T00:00:00.000Z,v1,a1,pm25,,inf,ug/m3,", "number"), ("1999-01-01T00:00:00.000Z,v1,a1,pm25,,5,ug/m3,", "2000")):
        done = ctl(filled, "import", "-", "--domain", "air", text=f"{HEADER}\n{good}\n{row}\n")
        assert done.returncode == 1 and piece in done.stderr and "row 3" in done.stderr, (row, done.stderr)
    done = ctl(filled, "import", "-", text=f"{HEADER}\n{good}\n")
    assert done.returncode == 1 and "row 2" in done.stderr and "domain" in done.stderr
    assert ctl(filled, "import", "-", text="a,b\n").returncode == 1
    assert ctl(filled, "import", "/nonexistent").returncode == 2
    assert export(filled) == before  # all rows of a call, or none
    assert ctl(filled, "import", "-", "--domain", "air", text=f"{HEADER}\n{good}\n").returncode == 0

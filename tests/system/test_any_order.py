"""The same readings in any order, any of them more than once, with kills anywhere: the same answers to the last digit, hours, days, statistics,
indices and what quality control found. The seed is printed with what it fails in."""
import json
import random
import time

import pytest

ZONE_MS = 8 * 3600000  # Asia/Shanghai
FOUND = {"range", "step", "spike", "stuck", "inconsistent", "humid", "bad"}
DEVICES = [{"id": "s1", "site": "v1", "domain": "soil", "land_use": "paddy", "calibration": [{"quantity": "soil_ec", "scale": 3.7}]}]
LAND = ("waste_pressure", "soil_class", "soil_nemerow", "soil_factor", "salinity_class")
QUALITY = {"limits": [{"quantity": "noise", "step": 8, "spike": 30, "stuck": "40m", "stuck_bad": "60m"}, {"quantity": "o3", "high": 150}]}


def local_midnight(days_ago):
    now = int(time.time() * 1000)
    return (now + ZONE_MS) // 86400000 * 86400000 - ZONE_MS - days_ago * 86400000


def readings(chance):
    """Two days, about every ten minutes, some left out, hours of bursts and of two readings: runs of one value, steps, fog, fine dust above coarse."""
    rows, noise = [], 30
    kinds = [chance.choice(["even", "even", "even", "lossy", "burst", "seldom"]) for _ in range(48)]
    times = sorted({n * 600000 + chance.randrange(0, 90000) for n in range(2 * 144)
                    if (kinds[n // 6] != "lossy" or chance.random() < 0.6) and (kinds[n // 6] != "seldom" or n % 3 == 0)}
                   | {hour * 3600000 + k * 30000 for hour in range(48) if kinds[hour] == "burst" for k in range(20)})
    for offset in times:
        if chance.random() < 0.35:
            noise = chance.choice([chance.randrange(10, 50), chance.randrange(10, 400) / 10])
        rows.append({"ts": local_midnight(3) + offset, "noise": noise if chance.random() > 0.03 else 150, "pm25": chance.randrange(20, 700) / 10,
                     "pm10": chance.randrange(20, 900) / 10, "o3": chance.randrange(100, 1600) / 10, "humidity": chance.randrange(40, 101)})
    return [("air/a1", row) for row in rows] + land(chance)


def land(chance):
    """Two bins and two plots, now and then, some of them telling the same."""
    rows = []
    for n in range(0, 2 * 144, 3):
        ts = local_midnight(3) + n * 600000
        rows.append((f"waste/b{1 + n % 2}", {"ts": ts, "fill_level": chance.choice([40, 82, 96]), "h2s": chance.randrange(0, 40) / 100}))
        if chance.random() < 0.3:
            rows.append((f"soil/s{1 + n % 2}", {"ts": ts, "soil_ph": chance.choice([5.2, 6.1]), "soil_ec": chance.randrange(1, 54) / 10,
                                               "cd": chance.randrange(1, 30) / 10, "zn": chance.randrange(10, 400)}))
    return rows


def answers(daemon):
    span = {"from": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(local_midnight(4) / 1000)),
            "to": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(local_midnight(0) / 1000))}
    told = {}
    for quantity in ("pm25", "o3", "noise"):
        for resolution in ("hour", "day"):
            told[quantity, resolution] = daemon.call("readings.history", device="a1", quantity=quantity, resolution=resolution, **span)["points"]
        told[quantity, "statistics"] = daemon.call("series.statistics", device="a1", quantity=quantity, per="day", **span,
                                                   statistics="count,mean,min,max,sum,stddev,p50,p98,above:60,max_8h,last")["periods"]
        points = daemon.call("readings.history", device="a1", quantity=quantity, resolution="raw", limit=1000, **span)["points"]
        told[quantity, "raw"] = [(point["time"], point["value"], sorted(FOUND & set(point["flags"]))) for point in points]
    for index in ("aqi_cn", "aqi_us"):
        told[index] = daemon.call("indices.history", site="v1", index=index, resolution="hour", limit=1000, **span)["points"]
    for index in LAND:
        for resolution in ("hour", "day"):
            told[index, resolution] = daemon.call("readings.history", site="v1", quantity=index, resolution=resolution, limit=1000, **span)["points"]
    told["day"] = daemon.call("indices.history", site="v1", index="aqi_cn", resolution="day", **span)["points"]
    told["summary"] = {domain: cell["index"] for domain, cell in daemon.call("summary", site="v1", at=span["to"])["sites"][0]["domains"].items()}
    return told


def send(daemon, peer, rows, chance, kills):
    sent = 0
    for n, row in enumerate(rows):
        for topic, one in [row] + ([rows[chance.randrange(n + 1)]] if chance.random() < 0.2 else []):
            peer.tell(f"ecogov/v1/{topic}", json.dumps(one))
        sent += len(row[1]) - 1
        if n in kills:
            daemon.stored(sent)
            daemon.kill()
            daemon.start()
    daemon.stored(sent)


@pytest.mark.parametrize("seed", [1, 2])
def test_any_order(broker, house, peer, seed):
    chance = random.Random(seed)
    rows = readings(chance)
    found = []
    for way in ("in order", "shuffled", "backwards"):
        daemon = house(broker.port, name=f"way{len(found)}", quality=QUALITY, devices=DEVICES).start()
        daemon.connected()
        order = sorted(rows, key=lambda row: row[1]["ts"], reverse=way == "backwards")
        if way == "shuffled":
            chance.shuffle(order)
        send(daemon, peer, order, chance, {chance.randrange(1, len(rows)) for _ in range(2)} if way != "in order" else set())
        found.append(answers(daemon))
        status = daemon.status()["readings"]
        assert status["corrected"] == 0 and status["stored"] == sum(len(row) - 1 for _, row in rows)
        daemon.stop()
        daemon.verify()
        for key, told in found[0].items():
            assert found[-1][key] == told, f"seed {seed}, {way}: {key}"
    flags = {flag for key in found[0] if key[1] == "raw" for _, _, flags in found[0][key] for flag in flags}
    assert flags == FOUND, seed
    assert any(point["aqi_of_available"] for point in found[0]["aqi_cn"])
    assert {point["valid"] for point in found[0]["pm25", "hour"]} == {True, False}, seed
    assert all(len({point["value"] for point in found[0][index, "hour"]}) > 1 for index in LAND), seed

"""kill -9 while readings are sealed, resealed and dropped: what was acknowledged is there once, or old enough to have gone.

A small max_size makes sealing begin early (a reading per 32 bytes of it), so that seconds bring several runs of it. ECOGOV_KILLS=40 for
the long run, a third of them at each store; ECOGOV_SEED for another one."""
import datetime
import json
import os
import random
import subprocess
import threading
import time

import pytest

import rpc
from house import BIN

KILLS = -(-int(os.environ.get("ECOGOV_KILLS", "10")) // 3)
SEED = int(os.environ.get("ECOGOV_SEED", "20261124"))
DEVICES, EACH = 8, 20  # readings of a message, a second apart
SHARE = min(2400, 2400 * 14 // KILLS)  # messages between two kills: all of the narrow ones have room in 2 MB, however many kills
COMMITS = 64  # of a daemon's life until it looks whether there is something to tidy


def value(number, wide):
    return number * 2654435761 % 100000000 / 1000 if wide else number % 10


def message(number, base_ms, wide):
    """The number-th message: which device, and its readings."""
    device, first = number % DEVICES, number // DEVICES * EACH
    rows = [{"ts": base_ms + 1000 * n, "light": value(n * DEVICES + device, wide)} for n in range(first, first + EACH)]
    return f"ecogov/v1/air/d{device}", json.dumps(rows)


def second_of(text, base_ms):
    moment = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    return round(moment.timestamp()) - base_ms // 1000


def wait(daemon, reached):
    """Asks again and again: who watches the readings of this flood is cut off."""
    until = time.monotonic() + 120
    with daemon.client() as client:
        while not reached(status := client.call("status")):
            assert time.monotonic() < until, status
            threading.Event().wait(0.003)
        return status


def trickle(daemon, peer):
    """Commits enough, and none of a reading, for the daemon to look whether there is something to tidy, however few the flood took."""
    received = daemon.status()["messages"]["received"]
    for number in range(received + 1, received + COMMITS + 2):
        peer.publish("ecogov/v1/air/d0", "no reading")
        wait(daemon, lambda status, number=number: status["messages"]["received"] >= number)


def check_rows(rows, messages, base_ms, wide):
    """Each once, with its value, and of each device none missing but the oldest; how many there are of each."""
    found = {device: {} for device in range(DEVICES)}
    for row in rows:
        device, second = int(row[2][1:]), second_of(row[0], base_ms)
        assert second not in found[device], f"d{device}, second {second} twice"
        assert row[5] == value(second * DEVICES + device, wide), f"d{device}, second {second}"
        found[device][second] = True
    for device, seconds in found.items():
        sent = len(range(device, messages, DEVICES)) * EACH
        assert seconds, f"nothing of d{device} is left"
        assert sorted(seconds) == list(range(min(seconds), sent)), f"d{device} has a gap"
    return [len(seconds) for seconds in found.values()]


# Of 1 MB the reserve is an eighth: values as wide as these fill the rest, and the oldest go. In 2 MB all of the narrow ones have room. The
# third store keeps but the last tenth of what will come: a pass over what is too old begins with each life, and finds all that was sealed.
@pytest.mark.parametrize(("max_size", "wide", "ages"), [("2MB", False, False), ("1MB", True, False), ("2MB", False, True)],
                         ids=["sealing", "sealing and dropping", "sealing and ageing"])
def test_kill_9_while_tidying_loses_and_doubles_nothing(broker, house, peer, max_size, wide, ages):
    chance = random.Random(SEED)
    base_ms = (int(time.time()) - 30 * 86400) * 1000
    span_s = KILLS * SHARE // DEVICES * EACH
    kept = {"retain_raw": f"{30 * 86400 - span_s * 9 // 10}s"} if ages else {}
    # small turns, and many
    daemon = house(broker.port, store={"max_size": max_size, "commit_interval": "1ms", **kept}).start()
    daemon.connected()
    sent = 0
    for _ in range(KILLS):
        for number in range(sent, sent + SHARE):
            peer.publish(*message(number, base_ms, wide))
        sent += SHARE
        # Most when it tidies, while the flood goes on; some before, or when all is in.
        commits = COMMITS + chance.choice((-40, 0, 0, 4, 8, 12))
        wait(daemon, lambda status, least=commits, upto=sent: status["turns"]["commits"] >= least or
             status["messages"]["received"] >= upto)
        threading.Event().wait(chance.random() * 0.08)
        daemon.kill()
        daemon.verify()
        daemon.start()
    peer.settle()
    status = wait(daemon, lambda status: status["messages"]["decoded"] >= sent)
    rpc.check_sums(status)
    assert status["readings"]["stored"] == sent * EACH and status["readings"]["corrected"] == 0
    trickle(daemon, peer)
    wait(daemon, lambda status: status["store"]["journal"] < sent * EACH)  # some of it was sealed
    there = check_rows(daemon.export(), sent, base_ms, wide)
    if not ages:  # when the last life's pass over what is too old comes by, is the clock's business; what is left has no gap
        assert (sum(there) == sent * EACH) == (not wide)
    daemon.stop()
    daemon.verify()


def test_a_history_that_is_imported_does_not_blow_up_the_file(house):
    """Each reading of it is an hour of its own: a row, until it is folded. Where they come faster than single bites fold them, the file would
    be made of free pages ever after (70 bytes a reading, once)."""
    daemon = house().start()
    hours, devices = 2500, 24
    first = datetime.datetime.now(datetime.timezone.utc).replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=hours + 48)
    times = [(first + datetime.timedelta(hours=n)).strftime("%Y-%m-%dT%H:00:00.000Z") for n in range(hours)]
    table = daemon.folder / "history.csv"
    with open(table, "w", encoding="utf-8") as file:
        file.write("time,site,device,quantity,channel,value,unit,flags\n")
        for at, time_ in enumerate(times):
            file.writelines(f"{time_},v1,d{d},pm25,,{(at * 7 + d * 13) % 90},ug/m3,\n" for d in range(devices))
    done = subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, "import", table, "--domain", "air"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    daemon.stored(hours * devices)
    daemon.stop()
    daemon.verify()
    assert (daemon.folder / "ecogov.db").stat().st_size < 45 * hours * devices

"""The flash budget: what `status` says was written, against what the kernel says of the process; and its line in `ecogovctl status`."""
import os
import subprocess

from house import BIN

MESSAGES = 150


def kernel(daemon):
    """What the kernel counted for the process."""
    with open(f"/proc/{daemon.process.pid}/io", encoding="ascii") as file:
        return {key: int(value) for key, value in (line.split(": ") for line in file)}


def in_memory(path):
    return subprocess.run(["stat", "-f", "-c", "%T", path], capture_output=True, text=True, check=True).stdout.strip() == "tmpfs"


def one_by_one(daemon, peer, first, count):
    """Each in a commit of its own: the next is sent when the one before is on disk."""
    for i in range(first, first + count):
        peer.tell("ecogov/v1/air/a1", '{"pm25": %d}' % (i % 50))
        daemon.stored(i + 1)


def test_bytes_written_against_the_kernel(daemon, peer):
    one_by_one(daemon, peer, 0, 10)
    before, counted = daemon.status()["store"], kernel(daemon)
    one_by_one(daemon, peer, 10, MESSAGES)
    after, recounted = daemon.status()["store"], kernel(daemon)
    said = after["bytes_written"] - before["bytes_written"]
    assert said >= MESSAGES * 4096
    # write(2) gets these bytes, too, and many more: the answers to `status` above.
    assert recounted["wchar"] - counted["wchar"] >= said
    # Dirtied pages of the page cache: a frame of 4120 bytes ends in the middle of a page, which the next one dirties again; and the
    # wal-index is a file, too. In memory there is no card.
    dirtied = recounted["write_bytes"] - counted["write_bytes"]
    print(f"{said} bytes said, {dirtied} dirtied")
    if not in_memory(daemon.folder):
        assert 0.9 * said <= dirtied <= 3 * said
        factor = after["card"]["kernel_factor"]  # of all it wrote since its start, from a megabyte on
        assert said < 2**20 if factor is None else 0.9 <= factor <= 3


def test_the_figures_of_status(broker, house, peer):
    daemon = house(broker.port, store={"endurance": "1GB"}).start()
    daemon.connected()
    store = daemon.status()["store"]
    assert store["bytes_per_reading"] is None and store["bytes_per_day"] is None
    assert store["card"]["endurance_bytes"] == 10**9 and store["card"]["years_left"] is None
    one_by_one(daemon, peer, 0, 20)
    store = daemon.status()["store"]
    assert store["card"]["written_bytes"] == store["bytes_written"]
    assert store["bytes_per_reading"] > 4096  # alone in its commit, a reading costs a page at the least
    assert store["bytes_per_day"] is None  # these are the first minutes
    daemon.stop()
    daemon.start()
    again = daemon.status()["store"]["bytes_written"]
    assert store["bytes_written"] < again < 2 * store["bytes_written"] + 2**20  # what the stop wrote is in it
    shown = subprocess.run([BIN / "ecogovctl", "-s", daemon.socket, "status"], capture_output=True, text=True, check=True,
                           env={**os.environ, "LC_ALL": "C.UTF-8"}).stdout
    line = [line for line in shown.splitlines() if line.startswith("card ")]
    assert len(line) == 1 and line[0].endswith("B written"), shown

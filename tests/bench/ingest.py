"""Ingest: how many messages a second ecogovd takes and puts on disk, against mosquitto_sub, which forgets them; and what memory that takes.

Knows what a round is. Refuses to trust a daemon that acknowledged: its counters must name every message and every reading."""
import shutil
import statistics
import subprocess
import time

from bed import Failure, broker, daemon, folder, running

IDLE_S = 5


def listener(messages, window):
    with broker(messages, window) as fake:
        command = ["mosquitto_sub", "-p", fake.port, "-V", "mqttv5", "-q", 1, "-t", "ecogov/#",
                   "-D", "connect", "receive-maximum", 65535]
        with running(command, stdout=subprocess.DEVNULL):
            fake.go()
            return fake.rate()


def ours(messages, window, program="ecogovd"):
    """(rate, peak kB): ecogovd on a fresh store."""
    with folder() as path, broker(messages, window) as fake, daemon(path, fake.port, program=program) as house:
        fake.go()
        rate = fake.rate()
        line = house.line()
        status = line.call("status")
        line.close()
        expected = {"received": messages, "decoded": messages, "duplicate": 0, "quarantined": 0, "ignored": 0}
        if status["messages"] != expected or status["readings"]["stored"] != 2 * messages:
            raise Failure(f"acknowledged is not stored: {status['messages']} {status['readings']}")
        if program != "ecogovd" and status["store"]["journal"] != 2 * messages:
            raise Failure(f"{program} seals")
        return rate, house.proc("VmHWM")


def compare(messages, window, rounds):
    """Interleaved, so that a neighbour's load falls on both; the median of the rounds' ratios."""
    pairs = []
    for _ in range(rounds):
        theirs = listener(messages, window)
        pairs.append((*ours(messages, window), theirs))
    return {"ratio": statistics.median(rate / theirs for rate, _, theirs in pairs),
            "ours": statistics.median(rate for rate, _, _ in pairs),
            "theirs": statistics.median(theirs for _, _, theirs in pairs),
            "peak_kb": max(peak for _, peak, _ in pairs)}


def sealing(messages, rounds):
    """The rate with sealing to the rate of a daemon that never seals; interleaved."""
    pairs = [(ours(messages, 65535)[0], ours(messages, 65535, "ecogovd_unsealed")[0]) for _ in range(rounds)]
    return (statistics.median(sealed / unsealed for sealed, unsealed in pairs), statistics.median(sealed for sealed, _ in pairs),
            statistics.median(unsealed for _, unsealed in pairs))


def idle():
    """(RSS in kB, wake-ups a second) of a fresh daemon with a broker that says nothing."""
    with folder() as path, broker(1) as fake, daemon(path, fake.port) as house:
        time.sleep(1)  # what starting stirs up settles; the seconds after it are the measurement
        before = house.proc("voluntary_ctxt_switches")
        time.sleep(IDLE_S)
        woken = house.proc("voluntary_ctxt_switches") - before
        return house.proc("VmRSS"), woken / IDLE_S


def run(report, quick):
    if not shutil.which("mosquitto_sub"):
        raise Failure("mosquitto_sub is missing: apt-get install mosquitto-clients")
    rounds = 1 if quick else 3
    wide = compare(100_000 if quick else 500_000, 65535, rounds)
    report.add("ingest, messages taken against mosquitto_sub", wide["ratio"], ">=", 1.0, "x",
               f"{wide['ours']:,.0f}/s against {wide['theirs']:,.0f}/s")
    narrow = compare(20_000 if quick else 500_000, 20, rounds)
    report.add("ingest, the same with a window of 20", narrow["ratio"], ">=", 0.3, "x",
               f"{narrow['ours']:,.0f}/s against {narrow['theirs']:,.0f}/s")
    ratio, sealed, unsealed = sealing(500_000 if quick else 1_000_000, rounds)
    report.add("ingest while sealing, to ingest without", ratio, ">=", 0.9, "x", f"{sealed:,.0f}/s against {unsealed:,.0f}/s")
    report.add("memory, peak under that load", wide["peak_kb"] / 1024, "<=", 24, "MB", "VmHWM")
    resident, wakeups = idle()
    report.add("memory, idle", resident / 1024, "<=", 12, "MB", "VmRSS")
    report.add("wake-ups, idle", wakeups, "<=", 1, "/s", f"over {IDLE_S} s")

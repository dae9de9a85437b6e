#!/usr/bin/python3
"""./dev demo: a private broker, ecogovd and a village for a day that ends now; then what an operator sees.

Puts the day together from village.py (or from real hourly data, air_csv.py) and stage.py, and prints what ecogovctl
answers. Knows what is worth looking at; does not know how anything is measured or stored.
"""
import argparse
import os
import signal
import subprocess
import sys
import threading
import time
import unicodedata
from datetime import datetime

import air_csv
import settings
import village as simulator
from stage import Stage, Trouble, Watcher
from post import Gone, Publisher

WIDTH = 100
LEVELS = ("notice", "warning", "critical")
PRINTING = threading.Lock()
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else ("", "", "")


def say(text=""):
    with PRINTING:
        print(text, flush=True)


def cells(text):
    """How wide it is on a terminal."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def heading(title, command=""):
    rule = "─" * max(3, WIDTH - cells(title) - cells(command) - (5 if command else 4))
    say(f"\n{BOLD}── {title} {rule} {command}{PLAIN}".rstrip())


def now_ms():
    return int(time.time() * 1000)


def to_ms(text):
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


class Show:
    """What is published: its messages, its configuration, its clock, what to look at."""

    keeps_on = False    # has more to publish when the day is over
    every_step = True   # of every case is told
    form = "%H:%M"

    def note_until(self, ms):
        """Called with the time of each message on its way: tells what happens in the village."""


class VillageShow(Show):
    title = "A day in Qianchuan (潜川镇), three villages"
    keeps_on = True
    late_limit = "48h"
    sites, sources = settings.VILLAGE_SITES, settings.VILLAGE_SOURCES
    look = [
        ("quarantine", "what could not be read: cut off, binary, an unknown site, a value no air can have"),
        ("history shangtian/air/a1 pm25 --from -6h", "the burning evening, minute by minute"),
        ("history kuotan/air/a1 pm25 --from -6h", "the same smoke, later and weaker, a village downwind"),
        ("history kuotan/waste/b2 bin_temp --from -3h", "hot ashes in a full bin"),
        ("devices qianchuan/air/a2", "a sensor whose fan has stopped: suspect, and why"),
        ("history tashan/air/a1 pm25 --resolution hour", "no gap from 13:00 to 15:00: the gateway sent it later"),
    ]

    def __init__(self, seed):
        self.village = simulator.Village(seed, simulator.day_ending(now_ms()))
        self.day = self.village.day
        self.first, self.rest = self.village.old_message(), self.village.messages()
        self.story = list(simulator.STORY)

    def note_until(self, ms):
        while self.story and self.day.start_ms + self.story[0][0] * simulator.MINUTE_MS <= ms:
            minute, text = self.story.pop(0)
            say(f"  {DIM}{minute // 60:02d}:{minute % 60:02d}  {text}{PLAIN}")

    def go_on(self, publisher, stop, check):
        simulator.live(self.village, publisher, stop, now_ms, check)


class DataShow(Show):
    every_step = False
    form = "%m-%d %H:%M"

    def __init__(self, paths, days):
        replay = air_csv.Replay(paths, days, now_ms())
        self.title = f"{', '.join(replay.sites_of)}: the {days} days to {replay.last:%Y-%m-%d %H:%M}, moved to end now"
        self.day = simulator.day_ending(replay.end_ms, replay.last_hour)
        self.first, self.rest = replay.messages[0], replay.messages[1:]
        self.late_limit = f"{days + 2}d"
        self.sites, self.sources = replay.sites(), replay.sources()
        site = next(iter(replay.sites_of.values()))
        self.look = [
            (f"history {site}/air/station pm25", "the last day, hour by hour"),
            (f"history {site}/air/station pm25 --from -{days}d --resolution day", "all days"),
            ("quarantine", "what could not be read, if anything"),
        ]


def tell_case(show, event):
    case = event["case"]
    steps = {"opened": f"opened {event['to']}", "level": f"now {event['to']}", "condition": f"{event['to']} again"}
    step = steps.get(event["kind"])
    if not step:    # somebody took it on, with --keep
        return
    if show.every_step or event["kind"] == "opened" or event["to"] == "critical":
        clock = show.day.clock(to_ms(event["at"]), show.form)
        where = f"{case['site']}/{case['domain']}/{case['device']}"
        value = f"{case['quantity']} {event['value']:.4g} {case['unit']}" if event["value"] is not None else event["note"] or case["quantity"]
        say(f"  {clock}  {step:<16} {case['rule']:<16} {where:<22} {value}")


def most_interesting(cases):
    """The one with most of a history, and of these the worst."""
    def worth(case):
        peak, limit = case["peak"]["value"], case["limit"]
        beyond = peak / limit if limit and peak > limit else limit / peak if limit and peak else 1
        return case["version"], LEVELS.index(case["level"]), beyond
    return max(cases, key=worth) if cases else None


class Operator:
    """Runs ecogovctl for the reader."""

    def __init__(self, stage, programs):
        self.stage = stage
        self.program = os.path.join(programs, "ecogovctl")

    def command(self, words):
        return f"{self.program} -s {self.stage.socket_path} {words}"

    def show(self, title, words):
        heading(title, f"ecogovctl {words}")
        try:
            status = subprocess.run([os.path.abspath(self.program), "-s", self.stage.socket_path, *words.split()],
                                    stdin=subprocess.DEVNULL, check=False).returncode
        except OSError as error:
            raise Trouble(f"{self.program} cannot be started: {error.strerror}") from error
        if status:
            raise Trouble(f"ecogovctl {words} ended with status {status}")


def publish(stage, show, publisher, watcher, seconds):
    stop = threading.Event()
    try:
        publisher.publish_all(show.rest, seconds, show.note_until, stop)
        publisher.drain()
    except Gone as gone:
        stage.check()
        raise Trouble(str(gone)) from gone
    watcher.wait_received(publisher.sent)
    stage.wait_committed()


def report(stage, show, operator, keep):
    operator.show("How the daemon stands", "status")
    operator.show("The village at a glance", "summary")
    operator.show("Cases", "cases")
    case = most_interesting(stage.call("cases.list", limit=500)["cases"])
    if case:
        operator.show(f"One of them: {case['title'] or case['rule']}", f"case show {case['id']}")
    heading("Where to look further")
    if not keep:
        say("Everything ends here. With ./dev demo --keep it stays, and you can ask:\n")
    for words, why in show.look + ([(f"case ack {case['id']}", "take it on, as an operator would")] if case else []):
        command = operator.command(words) if keep else f"ecogovctl {words}"
        say(f"  {DIM}# {why}{PLAIN}\n  {command}")


def stay(stage, show, publisher):
    """Until interrupted."""
    heading("It goes on", "Ctrl-C ends it")
    say(f"  directory  {stage.folder}    (removed at the end)")
    say(f"  broker     127.0.0.1:{stage.port}, pid {stage.broker.pid}")
    say(f"  daemon     {stage.socket_path}, pid {stage.daemon.pid}")
    say(f"  this       pid {os.getpid()}" + (", one reading of every device a minute" if show.keeps_on else ""))
    say(f"  to stop    Ctrl-C, or kill {os.getpid()}; should it be gone: kill {stage.daemon.pid} {stage.broker.pid}")
    stop = threading.Event()
    if show.keeps_on:
        show.go_on(publisher, stop, stage.check)
    while not stop.wait(5):
        stage.check()


def run(args):
    show = DataShow(args.data, args.days) if args.data else VillageShow(args.seed)
    with Stage(args.bin) as stage:
        operator = Operator(stage, args.bin)
        heading(show.title)
        say(f"  {1 + len(show.rest)} messages over MQTT, QoS 1, in {args.seconds:g} s; time zone {show.day.zone}, so that its day ends now\n")
        stage.start_broker()
        publisher = Publisher("127.0.0.1", stage.port)
        publisher.publish(show.first)     # retained: whoever has received it has subscribed
        publisher.drain()
        stage.start_daemon(settings.write(stage.folder, stage.port, show.day.zone, show.late_limit, sites=show.sites, sources=show.sources))
        watcher = Watcher(stage, lambda event: tell_case(show, event))
        watcher.wait_received(1)
        publish(stage, show, publisher, watcher, args.seconds)
        watcher.close()
        say(f"\n  {publisher.sent} messages published, acknowledged by the broker, received and committed by ecogovd")
        report(stage, show, operator, args.keep)
        if args.keep:
            stay(stage, show, publisher)
        publisher.close()


def interrupted(_number, _frame):
    raise KeyboardInterrupt


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description="Watch a village for a day that ends now.")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help="leave broker, daemon and village running until Ctrl-C")
    parser.add_argument("--data", metavar="FILE", nargs="+", action="extend", help="real hourly data as CSV or CSV.gz, instead of the village")
    parser.add_argument("--days", type=int, default=30, help="how many last days of the data (default 30)")
    parser.add_argument("--seconds", type=float, default=30, help="wall time of the day (default 30; 0: as fast as it goes)")
    parser.add_argument("--seed", default="7", help="another seed is another day")
    args = parser.parse_args()
    if args.days < 1 or args.days > 365 or args.seconds < 0:
        parser.error("--days is 1 to 365, --seconds is not negative")
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    try:
        run(args)
    except (Trouble, air_csv.Unreadable, Gone) as trouble:
        print(f"demo: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nended: the broker and the daemon are gone, the directory is removed")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

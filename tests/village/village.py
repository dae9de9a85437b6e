#!/usr/bin/python3
"""A village for a day: its devices, what they send and what goes wrong, as MQTT messages or as a recording.

The day begins at 00:00 of a clock that is set so that the day ends now; the same seed and the same end are the same
day to the byte. Knows devices, payload shapes and the story; what is measured comes from nature.py. Knows nothing of
ecogov beyond its topics and quantity names.
"""
import argparse
import json
import random
import sys
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from nature import COMPARTMENTS, DAY, Nature
from post import Message, Publisher, rfc3339, write_recording

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
NOON = 12 * 60
CLOGGED = 8 * 60 + 10
LINK_LOST, LINK_BACK = 13 * 60, 15 * 60      # the gateway of Tashan
DOUBLED = 9                                  # every so manieth message of its buffer is sent twice
OLD_MS = 30 * DAY * MINUTE_MS
GATEWAY_SITE = "tashan"

STORY = [
    (0, "the day begins"),
    (6 * 60 + 30, "bins are emptied; the lorry does not come to bin b2 in Kuotan (阔滩村)"),
    (CLOGGED, "the fan of the school's air station stops: its dust readings stand still"),
    (NOON, "soil probe s2 in Kuotan dies"),
    (LINK_LOST, "the gateway in Tashan (塔山村) loses its link"),
    (LINK_BACK, "the link is back: two hours are sent again, some of them twice"),
    (15 * 60 + 10, "a shower"),
    (17 * 60 + 30, "bins are emptied; again not b2 in Kuotan"),
    (18 * 60 + 30, "straw is burning behind Shangtian (上田村), the wind is from the east"),
    (20 * 60, "the fire is out"),
    (21 * 60 + 15, "hot ashes end up in the full bin b2"),
]


class Day(NamedTuple):
    start_ms: int
    end_ms: int
    offset_h: int      # of its clock against UTC

    @property
    def zone(self):
        """A name from the time zone database for that clock."""
        names = {8: "Asia/Shanghai", 0: "Etc/GMT"}
        return names.get(self.offset_h, f"Etc/GMT{-self.offset_h:+d}")

    def clock(self, ms, form="%H:%M"):
        return (datetime.fromtimestamp(ms // 1000, timezone.utc) + timedelta(hours=self.offset_h)).strftime(form)


def day_ending(end_ms, hour=23):
    """The day that ends at that moment: the clock with whole hours' offset on which it is past `hour` then."""
    ended_ms = end_ms // HOUR_MS * HOUR_MS
    offset = hour - ended_ms // HOUR_MS % 24
    offset += 24 if offset < -11 else -24 if offset > 12 else 0
    return Day(ended_ms - hour * HOUR_MS, end_ms, offset)


class Device(NamedTuple):
    path: str           # site/domain/device
    topic: str
    payload: object     # (nature, minutes, ms) -> bytes, or None when it sends nothing
    dies: float = float("inf")


def as_json(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def with_gaps(nature, path, t, values):
    """Sensors miss: a value in fifty is null, a whole message in a hundred is not sent (None)."""
    if nature.chance(f"miss {path}", int(t)) < 0.01:
        return None
    return {name: None if nature.chance(f"gap {path} {name}", int(t)) < 0.02 else value for name, value in values.items()}


# --- shapes of payloads ---

def flat_air(site, spot, time_key, time_of):
    """{"ts":…,"pm25":35.2,…}"""
    def payload(nature, t, ms):
        values = with_gaps(nature, site + spot, t, nature.air(site, t, spot))
        return values and as_json({time_key: time_of(ms), **values})
    return payload


def clogged_air(site, spot, since):
    """As flat_air(); from then on what it tells of dust is what it told then."""
    def payload(nature, t, ms):
        values = nature.air(site, t, spot)
        if t >= since:
            values.update({name: value for name, value in nature.air(site, since, spot).items() if name.startswith("pm")})
        values = with_gaps(nature, site + spot, t, values)
        return values and as_json({"ts": ms, **values})
    return payload


def dusty_air(site):
    """{"when":…,"pm":{"fine":…},"gas":{…},"temp_f":…}: mapped by `fields`, other units."""
    def payload(nature, t, ms):
        air = with_gaps(nature, site, t, nature.air(site, t))
        if not air:
            return None
        fahrenheit = None if air["temperature"] is None else round(air["temperature"] * 1.8 + 32, 1)
        return as_json({"when": rfc3339(ms), "pm": {"fine": air["pm25"], "coarse": air["pm10"]},
                        "gas": {"no2": air["no2"], "o3": air["o3"], "co": None if air["co"] is None else round(air["co"] * 1000)},
                        "temp_f": fahrenheit, "rh": air["humidity"], "db": air["noise"]})
    return payload


def soil_rows(field, dies=None):
    """{"at":…,"rows":[{"d":10,…},{"d":30,…}]}: a row is a depth in cm, mapped by `readings` and `channel`."""
    def payload(nature, t, ms):
        rows = []
        for depth in (10, 30):
            soil = nature.soil(field, depth, t)
            rows.append({"d": depth, "vwc": round(soil["moisture"] / 100, 3), "ec": soil["ec_us_cm"],
                         "st": soil["temperature"], "ph": soil["ph"]})
        charge = 88 - t / DAY if dies is None else max(1, 14 * (1 - t / dies))
        return as_json({"at": ms // 1000, "rows": rows, "bat": round(charge)})
    return payload


def bin_station(station):
    """[{"ts":…,"channel":"kitchen","fill_level":41,"bin_temp":15.1},…]: an array of readings at the top."""
    def payload(nature, t, ms):
        return as_json([{"ts": ms, "channel": name, "fill_level": nature.fill(station, name, t), "bin_temp": nature.bin_temperature(t)}
                        for name in COMPARTMENTS])
    return payload


def forgotten_bin(nature, t, ms):
    """{"timestamp":…,"fill_level":"97",…}: a flat object with numbers in strings."""
    return as_json({"timestamp": rfc3339(ms), "fill_level": str(nature.forgotten_fill(t)),
                    "bin_temp": str(nature.bin_temperature(t, smoulders=True)), "battery": 71})


def scale(nature, t, ms):
    """{"weight":412.5}: the weighing bridge has no clock; a load now and then."""
    if nature.chance("load", int(t)) > 0.02:
        return None
    return as_json({"weight": round(180 + 900 * nature.chance("weight", int(t)), 1)})


def plain(path):
    return "ecogov/" + path


DEVICES = [
    Device("qianchuan/air/a1", plain("qianchuan/air/a1"), flat_air("qianchuan", "", "time", rfc3339)),
    Device("shangtian/air/a1", plain("shangtian/air/a1"), flat_air("shangtian", "", "ts", rfc3339)),
    Device("shangtian/air/a2", plain("shangtian/air/a2"), flat_air("shangtian", "#2", "ts", lambda ms: ms // 1000)),
    Device("kuotan/air/a1", "dusty/kuotan/a1/state", dusty_air("kuotan")),
    Device("tashan/air/a1", plain("tashan/air/a1"), flat_air("tashan", "", "timestamp", lambda ms: ms)),
    Device("shangtian/soil/s1", "soil/shangtian/s1/up", soil_rows("shangtian/s1")),
    Device("kuotan/soil/s1", "soil/kuotan/s1/up", soil_rows("kuotan/s1")),
    Device("kuotan/soil/s2", "soil/kuotan/s2/up", soil_rows("kuotan/s2", NOON), dies=NOON),
    Device("tashan/soil/s1", "soil/tashan/s1/up", soil_rows("tashan/s1")),
    Device("shangtian/waste/b1", plain("shangtian/waste/b1"), bin_station("shangtian/b1")),
    Device("kuotan/waste/b1", plain("kuotan/waste/b1"), bin_station("kuotan/b1")),
    Device("kuotan/waste/b2", plain("kuotan/waste/b2"), forgotten_bin),
    Device("tashan/waste/b1", plain("tashan/waste/b1"), bin_station("tashan/b1")),
    Device("station/waste/scale", plain("station/waste/scale"), scale),
    Device("qianchuan/air/a2", plain("qianchuan/air/a2"), clogged_air("qianchuan", "#2", CLOGGED)),
]


class Village:
    def __init__(self, seed, day):
        self.day = day
        self.seed = seed
        self.nature = Nature(seed)

    def measured(self, minute):
        """What the devices send in a minute of the story: (device, message), with the time it is measured at."""
        for number, device in enumerate(DEVICES):
            second = (number * 17) % 60
            t = minute + second / 60
            ms = self.day.start_ms + minute * MINUTE_MS + second * 1000
            payload = device.payload(self.nature, t, ms) if t < device.dies else None
            if payload:
                yield device, Message(ms + 400 + int(1800 * self.nature.chance(device.path, minute)), device.topic, payload)

    def minute(self, minute):
        """The messages of one undisturbed minute."""
        return sorted(message for _, message in self.measured(minute))

    def old_message(self):
        """What a device left retained on the broker a month ago: it must neither look fresh nor open a case."""
        ms = self.day.start_ms - OLD_MS
        return Message(self.day.start_ms, plain("shangtian/air/a1"), as_json({"ts": rfc3339(ms), "pm25": 480.0, "pm10": 610.0}), True)

    def _incidents(self):
        """What should not be sent at all."""
        rng = random.Random(f"{self.seed}/garbage")
        noise = bytes(rng.randrange(256) for _ in range(48)) + b"\xff\xfe"
        for minute, path, payload in [
            (2 * 60 + 11, "shangtian/air/a2", b'{"ts":1763881200,"pm25":31.4,"pm10":5'),
            (4 * 60 + 45, "tashan/air/a1", noise),
            (9 * 60 + 20, "kuotan/waste/b2", b"fill_level=63;bin_temp=15.0"),
            (10 * 60 + 5, "shangtian/waste/b1", b""),
            (11 * 60 + 32, "xiatian/air/a1", None),
            (16 * 60 + 8, "qianchuan/air/a1", None),
        ]:
            ms = self.day.start_ms + minute * MINUTE_MS
            if payload is None:   # a site nobody has configured; a value no air can have
                payload = as_json({"ts": rfc3339(ms), "pm25": 33.0 if path.startswith("xiatian") else 9999.0})
            yield Message(ms + 500, plain(path), payload)

    def messages(self):
        """The whole day up to its end, ascending by time, without the old retained message."""
        out, buffer = list(self._incidents()), []
        lost, back = (self.day.start_ms + minute * MINUTE_MS for minute in (LINK_LOST, LINK_BACK))
        for minute in range((self.day.end_ms - self.day.start_ms) // MINUTE_MS):
            for device, message in self.measured(minute):
                held = device.path.startswith(GATEWAY_SITE + "/") and lost <= message.at_ms < back
                (buffer if held else out).append(message)
        at_ms = back
        for number, message in enumerate(sorted(buffer)):
            for _ in range(2 if number % DOUBLED == 0 else 1):
                at_ms += 50
                out.append(message._replace(at_ms=at_ms))
        return sorted(message for message in out if message.at_ms < self.day.end_ms)


def live(village, publisher, stop, now_ms, each_minute):
    """Goes on in real time, a minute at a time, until stop (a threading.Event) is set."""
    minute = (village.day.end_ms - village.day.start_ms) // MINUTE_MS
    while not stop.is_set():
        each_minute()
        for message in village.minute(minute):
            late = message.at_ms - now_ms()
            if late > 0 and stop.wait(late / 1000):
                return
            publisher.publish(message)
        minute += 1


def parse_time(text):
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("no time zone")
    return int(time.timestamp() * 1000)


def main():
    parser = argparse.ArgumentParser(description="A village for a day: over MQTT, or as a recording for ecogovd --replay.")
    parser.add_argument("--recording", metavar="FILE", help="write the day here instead of publishing it")
    parser.add_argument("--seed", default="7")
    parser.add_argument("--end", type=parse_time, metavar="TIME", help="when the day ends, RFC 3339 (default: now)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--seconds", type=float, default=30, help="wall time the day takes (0: as fast as it goes)")
    args = parser.parse_args()
    end_ms = args.end if args.end is not None else int(datetime.now(timezone.utc).timestamp() * 1000)
    village = Village(args.seed, day_ending(end_ms))
    messages = village.messages()
    if args.recording:
        count = write_recording([village.old_message(), *messages], args.recording)
        print(f"{args.recording}: {count} messages, {rfc3339(village.day.start_ms)} to {rfc3339(end_ms)}, time zone {village.day.zone}")
        return 0
    publisher = Publisher(args.host, args.port)
    publisher.publish_all(messages, args.seconds)
    publisher.drain()
    publisher.close()
    print(f"{publisher.sent} messages published to {args.host}:{args.port}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

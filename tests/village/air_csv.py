"""Real hourly air data as messages: CSV, plain or gzip, one row an hour, one station a file or a column.

  "No","year","month","day","hour","PM2.5","PM10","SO2","NO2","CO","O3","TEMP","PRES","DEWP","RAIN","wd","WSPM","station"
  1,2013,3,1,0,4,8,4,7,300,77,-0.7,1023,-18.8,0,"NNW",4.4,"Huairou"

(UCI data set 501, Beijing; gases and particles in ug/m3, CO too; local time.) Instead of year … hour a column time,
timestamp, datetime or date may hold an ISO 8601 time. Missing: NA, NaN, null, -, or nothing. Knows columns and units;
does not know brokers or rules.
"""
import csv
import gzip
import json
import os
import re
import zlib
from datetime import datetime, timedelta
from typing import NamedTuple

from post import Message, rfc3339

HOUR_MS = 3_600_000
MISSING = {"", "na", "nan", "null", "none", "-"}
TIME_COLUMNS = ("time", "timestamp", "datetime", "date")
# column: quantity, unit as the file has it
COLUMNS = {
    "PM2.5": ("pm25", "ug/m3"), "PM10": ("pm10", "ug/m3"), "SO2": ("so2", "ug/m3"), "NO2": ("no2", "ug/m3"),
    "CO": ("co", "ug/m3"), "O3": ("o3", "ug/m3"), "TEMP": ("temperature", "degC"), "PRES": ("pressure", "hPa"),
    "RAIN": ("rain", "mm"), "WSPM": ("wind_speed", "m/s"), "wd": ("wind_dir", "deg"),
}
COMPASS = ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
NAMES = {"Changping": "昌平", "Dingling": "定陵", "Huairou": "怀柔"}
EXPECTED = "hourly air data is expected, with columns year, month, day, hour (or time) and some of " + ", ".join(COLUMNS)


class Unreadable(Exception):
    """A sentence about a file."""


class Row(NamedTuple):
    time: datetime      # local, as in the file
    station: str
    values: dict        # by column


def _open(path):
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return (gzip.open if packed else open)(path, "rt", encoding="utf-8-sig", newline="")


def _plan(path, header):
    """Columns by number: (time parts, station or None, {number: our name})."""
    places = {name.strip().lower(): number for number, name in enumerate(header)}
    values = {places[name.lower()]: name for name in COLUMNS if name.lower() in places}
    parts = [places.get(name) for name in ("year", "month", "day", "hour")]
    if None in parts:
        parts = [places[name] for name in TIME_COLUMNS if name in places][:1]
    if not parts or not values:
        raise Unreadable(f"{path}: {EXPECTED}; its first line is \"{','.join(header)[:80]}\"")
    return parts, places.get("station"), values


def _time(cells, parts):
    if len(parts) == 4:
        return datetime(*(int(cells[number]) for number in parts))
    return datetime.fromisoformat(cells[parts[0]].strip()).replace(tzinfo=None)


def _number(name, text):
    """A cell's value, or None where it is missing."""
    text = text.strip()
    if text.lower() in MISSING:
        return None
    if name == "wd" and text.upper() in COMPASS:
        return COMPASS.index(text.upper()) * 22.5
    return float(text)


def _rows(path, file):
    reader = csv.reader(file)
    header = next(reader, None)
    if not header:
        raise Unreadable(f"{path}: the file is empty; {EXPECTED}")
    parts, station_at, columns = _plan(path, header)
    otherwise = re.sub(r"(\.csv)?(\.gz)?$", "", os.path.basename(path), flags=re.IGNORECASE)
    for cells in reader:
        if not cells:
            continue
        try:
            values = {name: _number(name, cells[number]) for number, name in columns.items()}
            station = cells[station_at].strip() if station_at is not None else otherwise
            yield Row(_time(cells, parts), station or otherwise, values)
        except (ValueError, IndexError) as error:
            raise Unreadable(f"{path}:{reader.line_num}: this line does not fit the first one ({error})") from error


def read(path):
    """All rows of a file."""
    try:
        with _open(path) as file:
            rows = list(_rows(path, file))
    except (UnicodeDecodeError, csv.Error, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Unreadable(f"{path}: neither CSV text in UTF-8 nor that in gzip ({error})") from error
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from error
    if not rows:
        raise Unreadable(f"{path}: there are no rows below its first line")
    return rows


def slug(name, taken):
    """A station's name as a site's id that nobody else has."""
    plain = re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")[:24] or "station"
    number, free = 1, plain
    while free in taken:
        number += 1
        free = f"{plain}-{number}"
    return free


class Replay:
    """The last days of some files, moved so that their last hour is now."""

    def __init__(self, paths, days, now_ms):
        rows = [row for path in paths for row in read(path)]
        last = max(row.time for row in rows)
        self.last_hour = last.hour
        self.end_ms = now_ms // HOUR_MS * HOUR_MS
        self.first, self.last = last - timedelta(days=days), last
        rows = sorted((row for row in rows if row.time > self.first), key=lambda row: (row.time, row.station))
        self.sites_of = {}      # station: id of its site
        for row in rows:
            if row.station not in self.sites_of:
                self.sites_of[row.station] = slug(row.station, self.sites_of.values())
        self.messages = [message for row in rows for message in self._message(row)]
        if not self.messages:
            raise Unreadable(f"{paths[0]}: its last {days} days hold no values")
        # Whoever counts this one knows that the daemon has subscribed; being the oldest, it decides nothing.
        self.messages[0] = self.messages[0]._replace(retain=True)

    def _message(self, row):
        values = {name: value for name, value in row.values.items() if value is not None}
        if not values:
            return
        at_ms = self.end_ms + round((row.time - self.last) / timedelta(milliseconds=1))
        payload = json.dumps({"time": rfc3339(at_ms), **values}, separators=(",", ":")).encode()
        yield Message(at_ms, f"hourly/{self.sites_of[row.station]}/station", payload)

    def sites(self):
        """The sites of the configuration, as YAML."""
        lines = ["sites:", "  - {id: region, name: 监测区, level: county}"]
        for station, site in self.sites_of.items():
            name = json.dumps(NAMES.get(station, station), ensure_ascii=False)
            lines.append(f"  - {{id: {site}, name: {name}, level: township, parent: region}}")
        return "\n".join(lines) + "\n"

    @staticmethod
    def sources():
        lines = ["sources:", "  - id: hourly", "    topic: hourly/{site}/{device}", "    domain: air", "    driver: json",
                 "    time: /time", "    fields:"]
        lines += [f"      - {{path: /{column}, quantity: {quantity}, unit: {unit}}}" for column, (quantity, unit) in COLUMNS.items()]
        return "\n".join(lines) + "\n"

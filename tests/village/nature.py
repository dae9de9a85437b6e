"""The village as nature sees it: what the air, the soil and the bins are like at a minute of the story.

Pure functions of a seed and of minutes since the story's first midnight; the same seed is the same day. Knows no
devices, payloads, topics or clocks. The incidents (burning, shower, missed collection, smouldering) happen on the first
day only, so that a demonstration that is left running has an ordinary second day.
"""
import math
import zlib

DAY = 1440
BURNING = (18 * 60 + 30, 20 * 60)       # straw burns behind the fields of Shangtian
SHOWER = (15 * 60 + 10, 15 * 60 + 50)
SHOWER_MM = 14.0
COLLECTIONS = (6 * 60 + 30, 17 * 60 + 30)
SMOULDERS_FROM = 21 * 60 + 15
SMOULDERS_TO = DAY + 60
MISSED_UNTIL = DAY + COLLECTIONS[0]     # the forgotten bin is emptied on the second morning

# site: background PM2.5, traffic (share of a busy road), smoke (share, minutes later)
PLACES = {
    "qianchuan": (31, 1.0, 0.14, 55),
    "shangtian": (27, 0.45, 1.0, 0),
    "kuotan": (26, 0.35, 0.40, 35),
    "tashan": (22, 0.25, 0.11, 75),
}
# field: moisture at midnight %, lost in a day, gained by the shower, pH
FIELDS = {
    "shangtian/s1": (34.0, 1.5, 9.0, 6.3),
    "kuotan/s1": (16.1, 2.3, 12.0, 4.9),    # tea likes it sour; its upper layer is dry by noon
    "kuotan/s2": (21.0, 1.8, 11.0, 5.1),
    "tashan/s1": (27.0, 1.6, 10.0, 6.0),
}
COMPARTMENTS = {"kitchen": 95, "recyclable": 60, "other": 78}   # per cent of its volume a day


def bump(hour, centre, width):
    """A bell over the hours of a day, round the clock."""
    away = (hour - centre + 12) % 24 - 12
    return math.exp(-(away / width) ** 2 / 2)


def _habits():
    """How much of a day's waste has been thrown away by each minute."""
    total, sums = 0.0, [0.0]
    for minute in range(DAY):
        hour = minute / 60
        total += 0.10 + bump(hour, 7.8, 1.3) + 0.8 * bump(hour, 12.3, 1.2) + bump(hour, 18.5, 1.5)
        sums.append(total)
    return [part / total for part in sums]


HABITS = _habits()


def thrown_away(t):
    """Days' worths of waste since the story began."""
    day, minute = divmod(t, DAY)
    return day + HABITS[int(minute)]


class Nature:
    def __init__(self, seed):
        self.seed = seed

    def chance(self, key, number):
        """0 … 1, the same for the same question."""
        return zlib.crc32(f"{self.seed}/{key}/{number}".encode()) / 0xFFFFFFFF

    def noise(self, key, t, minutes):
        """-1 … 1, wandering once in so many minutes."""
        step, part = divmod(t / minutes, 1)
        part = part * part * (3 - 2 * part)
        a, b = self.chance(key, int(step)), self.chance(key, int(step) + 1)
        return 2 * (a + (b - a) * part) - 1

    # --- weather ---

    def rain(self, t):
        """mm in this minute."""
        begin, end = SHOWER
        if not begin <= t < end:
            return 0.0
        return SHOWER_MM / (end - begin) * (1 + 0.6 * self.noise("rain", t, 6))

    def after_rain(self, t, minutes):
        """1 at the end of the shower, fading."""
        begin, end = SHOWER
        if t < begin:
            return 0.0
        return (t - begin) / (end - begin) if t < end else math.exp(-(t - end) / minutes)

    def temperature(self, t, key="air"):
        hour = t / 60 % 24
        return 14 + 6.5 * math.cos((hour - 14.5) / 24 * 2 * math.pi) - 2.5 * self.after_rain(t, 120) + 0.5 * self.noise(key, t, 40)

    # --- air ---

    def smoke(self, site, t):
        """ug/m3 of PM2.5 that the burning brings to a place: elsewhere later, weaker, blurred."""
        _, _, share, later = PLACES[site]
        begin, end = BURNING[0] + later, BURNING[1] + later
        rise, fall = 7 + later / 3, 28 + later / 2
        if t < begin:
            return 0.0
        level = 1 - math.exp(-(min(t, end) - begin) / rise)
        if t > end:
            level *= math.exp(-(t - end) / fall)
        return 225 * share * level * (1 + 0.13 * self.noise(f"smoke {site}", t, 9))

    def air(self, site, t, spot=""):
        background, traffic, _, _ = PLACES[site]
        key, hour = f"{site}{spot}", t / 60 % 24
        washed = 1 - 0.4 * self.after_rain(t, 90)
        smoke = self.smoke(site, t) * (0.82 if spot else 1)
        still = 7 * bump(hour, 7, 2) + 6 * bump(hour, 21.5, 2.5) - 6 * bump(hour, 14.5, 3)
        haze = max(3, (background + still + 4 * self.noise(f"haze {key}", t, 50)) * washed)
        pm25 = max(1, haze + smoke + 1.5 * self.noise(f"pm25 {key}", t, 2))
        dust = (7 + 16 * traffic * bump(hour, 8, 2) + 12 * traffic * bump(hour, 17.5, 2)) * washed
        pm10 = pm25 * (1.18 + 0.05 * self.noise(f"pm10 {key}", t, 12)) + dust
        jam = bump(hour, 7.6, 1.1) + 1.15 * bump(hour, 18.0, 1.4)
        no2 = max(2, 10 + 38 * traffic * jam + 0.06 * smoke + 3 * self.noise(f"no2 {key}", t, 20))
        o3 = max(3, 42 + 88 * bump(hour, 14.6, 2.9) - 0.85 * (no2 - 10) - 9 * bump(hour, 5.5, 2.5) + 5 * self.noise(f"o3 {key}", t, 25))
        temperature = self.temperature(t, key)
        wet = 72 - 3.1 * (temperature - 14) + 14 * self.after_rain(t, 100) + 3 * self.noise(f"rh {key}", t, 35)
        return {
            "pm25": round(pm25, 1), "pm10": round(pm10, 1), "no2": round(no2, 1), "o3": round(o3, 1),
            "co": round(0.45 + 0.35 * traffic * jam + 0.031 * smoke + 0.05 * self.noise(f"co {key}", t, 15), 2),
            "temperature": round(temperature, 1), "humidity": round(min(99, max(25, wet)), 1),
            "noise": round(36 + 13 * traffic + 11 * bump(hour, 12.5, 4.5) + 5 * traffic * jam + 3 * self.noise(f"db {key}", t, 3), 1),
            "rain": round(self.rain(t), 2),
        }

    # --- soil ---

    def soil(self, field, depth_cm, t):
        start, lost, gained, ph = FIELDS[field]
        key = f"{field} {depth_cm}"
        deep = depth_cm > 15
        seep = t - SHOWER[0] - (100 if deep else 12)
        drink = (1 - math.exp(-seep / (90 if deep else 18))) * math.exp(-seep / 900) if seep > 0 else 0.0
        moisture = start + (4 if deep else 0) - lost * (0.4 if deep else 1) * t / DAY
        moisture = max(8.0, moisture + gained * (0.45 if deep else 1) * drink + 0.1 * self.noise(key, t, 30))
        lag = 9 * 60 if deep else 3 * 60
        mean = 14 + (6.5 * (0.2 if deep else 0.5)) * math.cos(((t - lag) / 60 - 14.5) / 24 * 2 * math.pi)
        return {
            "moisture": round(moisture, 1),
            "ec_us_cm": round(90 + 7.5 * moisture + 4 * self.noise(f"ec {key}", t, 60)),
            "temperature": round(mean + 0.1 * self.noise(f"soil {key}", t, 60), 1),
            "ph": round(ph + (0.15 if deep else 0) - 0.12 * drink + 0.02 * self.noise(f"ph {key}", t, 90), 2),
        }

    # --- waste ---

    @staticmethod
    def _collected(t):
        """The last collection before t."""
        day, minute = divmod(t, DAY)
        morning, evening = COLLECTIONS
        return day * DAY + (evening if minute >= evening else morning if minute >= morning else evening - DAY)

    def fill(self, station, compartment, t):
        """Per cent, of a bin that is emptied as it should be."""
        per_day = COMPARTMENTS[compartment] * (0.85 + 0.3 * self.chance(f"{station} {compartment}", 0))
        fresh = thrown_away(t) - thrown_away(self._collected(t))
        return round(min(100, 4 + per_day * fresh + 0.7 * self.noise(f"{station} {compartment}", t, 20)))

    def forgotten_fill(self, t):
        """Per cent, of the bin the lorry does not come to on the first day."""
        if t >= MISSED_UNTIL:
            return self.fill("forgotten", "other", t)
        return round(min(100, max(0, 50 + 80 * thrown_away(t) + 0.6 * self.noise("forgotten", t, 20))))

    def bin_temperature(self, t, smoulders=False):
        heat = 0.0
        if smoulders and t >= SMOULDERS_FROM:
            heat = 86 * (1 - math.exp(-(min(t, SMOULDERS_TO) - SMOULDERS_FROM) / 32))
            heat *= math.exp(-max(0, t - SMOULDERS_TO) / 25)
        sun = max(0.0, math.sin((t / 60 % 24 - 6) / 12 * math.pi))
        return round(self.temperature(t, "bin") + 1.5 + 4 * sun + heat * (1 + 0.03 * self.noise("heat", t, 4)), 1)

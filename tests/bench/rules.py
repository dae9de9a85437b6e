"""How many rules there may be: ingest with 1,000 rules to ingest with ten, on 10,000 series; and what a rule costs, of concern to a reading or of none.

Knows which rules concern whom. The ten concern every series of their quantity, so that a series has five. Of the thousand of others each of the rest concerns a site without devices, or a quantity nobody measures;
of the thousand of a county each of its 100 villages has ten of its own, for two measured quantities and one that is not, of all statistics, with bands by hour and season: a series has about eight. Beyond, what it costs when each series has 10, 20 and 50."""
import json
import statistics

import bed
from bed import Failure, broker, folder, running

DEVICES = 5000  # two series each
SITES = 10


def rule(number, **keys):
    return json.dumps({"id": f"r{number}", "levels": {"warning": {"open": 900 + number % 7, "clear": 800}}, **keys})


def ten():
    shapes = [{"statistic": "last", "hold": "10m"}, {"statistic": "mean", "window": "1h"}, {"statistic": "max", "window": "30m"},
              {"statistic": "last", "clear_hold": "5m"}, {"statistic": "rate", "window": "20m"}]
    return [rule(i, quantity=("pm25", "temperature")[i % 2], **shapes[i // 2]) for i in range(10)]


def thousand():
    """The ten; the rest at sites of their own under the county, or of quantities that are not there."""
    others = ["pm10", "no2", "o3", "so2", "co", "humidity", "soil_moisture", "fill_level", "nh3", "h2s"]
    more = [rule(i, quantity=("pm25", "temperature")[i % 2], sites=[f"w{i % 300}"]) if i % 3 else rule(i, quantity=others[i % 10]) for i in range(10, 1000)]
    return ten() + more


KINDS = [{"statistic": "mean", "window": "1h", "hold": "10m"}, {"statistic": "mean", "window": "24h", "hold": "6h", "clear_hold": "3h"},
         {"statistic": "last", "hold": "10m"}, {"statistic": "mean", "window": "8h"}, {"statistic": "rate", "window": "20m", "hold": "10m"},
         {"statistic": "max", "window": "6h"}, {"statistic": "change", "window": "15m"}, {"statistic": "p95", "window": "hour", "valid": "standard"},
         {"statistic": "min", "window": "10m"}, {"statistic": "stddev", "window": "1h"}]
BANDS = [{"when": {"hours": "22:00-06:00"}, "levels": {"notice": {"open": 700, "clear": 650}}},
         {"when": {"season": "11-15..03-15"}, "levels": {"notice": {"open": 800, "clear": 750}}}, {"when": {}, "levels": {"warning": {"open": 900, "clear": 800}}}]


def own(number, **keys):
    """One as a village writes it."""
    shape = dict(KINDS[number % len(KINDS)])
    if number % 7 == 0:
        return json.dumps({"id": f"r{number}", **shape, "bands": BANDS, **keys})
    return rule(number, **shape, **keys)


def county():
    """The ten; and of 100 villages ten each, of which ten villages are those that measure."""
    villages = [f"v{i}" for i in range(10)] + [f"w{i}" for i in range(89)]
    return ten() + [own(i, quantity=("pm25", "temperature", "humidity")[i // 99 % 3], sites=[villages[i % 99]]) for i in range(10, 1000)]


def each(count):
    """So many for every series."""
    return [own(i, quantity=("pm25", "temperature")[i % 2]) for i in range(2 * count)]


def rate(rules, messages):
    head, _ = bed.CONFIGURATION.split("rules:")
    sites = "\n".join(f"  - {{{{id: w{i}, parent: county}}}}" for i in range(300))
    conf = head.replace("{sites}", "{sites}\n" + sites) + "rules:\n" + "\n".join(f"  - {one}" for one in rules).replace("{", "{{").replace("}", "}}")
    with folder() as path, broker(messages, 65535, ("--devices", DEVICES)) as fake, bed.daemon(path, fake.port, template=conf) as house:
        fake.go()
        got = fake.rate()
        line = house.line()
        status = line.call("status")
        line.close()
        if status["readings"]["stored"] != 2 * messages:
            raise Failure(f"acknowledged is not stored: {status['readings']}")
        return got


def run(report, quick):
    messages, rounds = 400_000, 1 if quick else 3  # 10,000 series are registered in the beginning: that is not what is asked
    found = [{"few": rate(ten(), messages), "others": rate(thousand(), messages), "county": rate(county(), messages)} for _ in range(rounds)]

    def median(name):
        return statistics.median(one[name] for one in found)

    for name, what in (("others", "ingest with 1,000 rules to that with ten"), ("county", "the same, a county's 1,000 rules")):
        report.add(what, statistics.median(one[name] / one["few"] for one in found), ">=", 0.7, "x", f"{median(name):,.0f}/s against {median('few'):,.0f}/s")
    base = median("few")
    for count in (10, 20, 50):
        got = rate(each(count), messages)
        cost = (1 / got - 1 / base) / (count - 5) / 2 * 1e9
        report.add(f"the same, {count} rules for every series", got / base, "", 0, "x", f"{got:,.0f}/s; {cost:,.0f} ns a rule and reading, beyond five")

"""How many rules there may be: ingest with 1,000 rules to ingest with ten, on 10,000 series; and what a rule costs that is of no concern to a reading.

Knows which rules concern whom. The ten concern every series of their quantity; of the thousand each concerns one site's, or a quantity nobody measures."""
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
    pairs = [(rate(thousand(), messages), rate(ten(), messages)) for _ in range(rounds)]
    ratio = statistics.median(many / few for many, few in pairs)
    report.add("ingest with 1,000 rules to that with ten", ratio, ">=", 0.7, "x",
               f"{statistics.median(many for many, _ in pairs):,.0f}/s against {statistics.median(few for _, few in pairs):,.0f}/s")

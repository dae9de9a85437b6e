"""Stories of indices, told at once by a gateway that comes back after a week: the cases of each rule are as they were live, with the same times, only detected
later. Knows replay."""
import json
import random
import sqlite3
import subprocess

import pytest

from test_replay import BIN, HERE



def cases(folder, story, lines):
    folder.mkdir()
    config = folder / "ecogov.yaml"
    config.write_text((HERE / f"{story}.yaml").read_text() + f"late_limit: 8d\nstore: {{path: {folder}/ecogov.db}}\nsocket: {{path: {folder}/s}}\n")
    (folder / "story.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = subprocess.run([BIN / "ecogovd", "-c", config, "--replay", folder / "story.jsonl"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    db = sqlite3.connect(folder / "ecogov.db")
    rows = db.execute("SELECT rule, site, level, opened_at, peak_value, peak_at, last_value, last_at, detected_at FROM cases ORDER BY rule").fetchall()
    db.close()
    return rows


@pytest.mark.parametrize("story", ["index-hour", "index-land"])
def test_told_at_once(story, tmp_path):
    lines = [json.loads(line) for line in (HERE / f"{story}.jsonl").read_text().splitlines()]
    told = [line for line in lines if "topic" in line]
    end = [{"time": "2026-03-15T12:00:00.000Z"}]
    live = cases(tmp_path / "live", story, told + end)
    assert live
    seed = random.randrange(1 << 30)
    for way in ("in order", "newest first", "shuffled"):
        order = told[::-1] if way == "newest first" else told[:]
        if way == "shuffled":
            random.Random(seed).shuffle(order)
        late = cases(tmp_path / way.replace(" ", "-"), story, [{**line, "time": "2026-03-15T00:00:00.000Z"} for line in order] + end)
        assert [row[:-1] for row in late] == [row[:-1] for row in live], f"{way}, seed {seed}"
        assert all(then[-1] > row[-1] for then, row in zip(late, live))

"""Stories: <story>.yaml is a configuration, <story>.jsonl a recording, <story>.txt what ecogovd --replay has to say of it.

A story's configuration names no store; it gets a fresh one. ECOGOV_REGOLD=1 writes the .txt anew: read what changed, and say why in the commit.
"""
import difflib
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent
BIN = pathlib.Path(os.environ.get("ECOGOV_BIN", HERE.parents[1] / "build/debug/bin")).resolve()
STORIES = sorted(path.stem for path in HERE.glob("*.jsonl"))


def replay(story, folder):
    config = folder / "ecogov.yaml"
    config.write_text((HERE / f"{story}.yaml").read_text() + f"store: {{path: {folder}/ecogov.db}}\nsocket: {{path: {folder}/s}}\n")
    done = subprocess.run([BIN / "ecogovd", "-c", config, "--replay", HERE / f"{story}.jsonl"], capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    checked = subprocess.run([BIN / "ecogovd", "-c", config, "--verify"], capture_output=True, text=True, timeout=120, check=False)
    assert checked.returncode == 0, checked.stderr
    return done.stdout


@pytest.mark.parametrize("story", STORIES)
def test_story(story, tmp_path):
    said = replay(story, tmp_path)
    golden = HERE / f"{story}.txt"
    if os.environ.get("ECOGOV_REGOLD"):
        golden.write_text(said)
    expected = golden.read_text()
    assert said == expected, "\n" + "".join(difflib.unified_diff(expected.splitlines(True), said.splitlines(True), golden.name, "said"))


def test_every_story_is_whole():
    for suffix in (".yaml", ".txt"):
        assert sorted(path.stem for path in HERE.glob(f"*{suffix}")) == STORIES


def test_a_story_told_twice_into_one_store_is_all_duplicates(tmp_path):
    """Readings with a time of their own are stored once, however often a recording is played."""
    first = replay("flapping", tmp_path)
    again = replay("flapping", tmp_path)
    assert "duplicate=0" in first.splitlines()[-2] and " stored=6 duplicate=6" in again.splitlines()[-2]
    assert not [line for line in again.splitlines() if " case " in line]


def test_a_line_written_otherwise_is_the_same_message(tmp_path):
    """Plain lines are read in one pass, others by the JSON reader: escapes, blanks, the order of the keys change nothing."""
    config = tmp_path / "ecogov.yaml"
    lines = [r'{"time":"2026-11-23T07:00:00.000Z","topic":"ecogov/v/air/a1","payload":"{\"pm25\":1,\"x\":\"a\\\\b\\n\"}"}',
             r'{ "payload" : "{\"pm25\"\u003a2,\"x\":\"\u4e0a\"}" , "topic":"ecogov\/v\/air\/a1","time":"2026-11-23T07:01:00.000Z"}  ',
             r'{"topic":"ecogov/v/air/a1","payload":"{\t\"pm25\":\/3}","time":"2026-11-23T07:02:00.000Z"}',
             r'{"time":"2026-11-23T07:03:00.000Z","topic":"ecogov/v/air/a1","payload_base64":"eyJwbTI1Ijo0fQ=="}',
             r'{"time":"2026-11-23T07:04:00.000Z","topic":"ecogov/v/air/a1","payload":"","retain":false}']
    (tmp_path / "lines.jsonl").write_text("\n".join(lines) + "\n")
    config.write_text(f"sites: [{{id: v}}]\nrules: [{{id: r, quantity: pm25, levels: {{notice: {{open: 0, clear: 0}}}}}}]\n"
                      f"store: {{path: {tmp_path}/ecogov.db}}\nsocket: {{path: {tmp_path}/s}}\n")
    done = subprocess.run([BIN / "ecogovd", "-c", config, "--replay", tmp_path / "lines.jsonl"], capture_output=True, text=True, timeout=60, check=True)
    assert "messages received=5 decoded=3 duplicate=0 quarantined=2 ignored=0" in done.stdout and "opened notice r v/air/a1 pm25 value=1" in done.stdout
    (tmp_path / "lines.jsonl").write_text(lines[0][:-1] + ',"topic":"twice"}\n')
    assert subprocess.run([BIN / "ecogovd", "-c", config, "--replay", tmp_path / "lines.jsonl"], capture_output=True, timeout=60, check=False).returncode == 0
    for broken in (lines[0][:-1], lines[0].replace("2026", "never"), lines[0].replace("time", "tine")):
        (tmp_path / "lines.jsonl").write_text(broken + "\n")
        assert subprocess.run([BIN / "ecogovd", "-c", config, "--replay", tmp_path / "lines.jsonl"], capture_output=True, timeout=60, check=False).returncode != 0

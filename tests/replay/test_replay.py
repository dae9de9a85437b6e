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

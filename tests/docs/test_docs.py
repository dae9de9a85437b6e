"""Holds the documents against the tree. Knows Markdown links, code spans, the table of methods and the constants; refuses to know
what the sentences mean. Nothing runs here but `ecogovd --check`."""
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("ECOGOV_BIN", ROOT / "build/debug/bin")).resolve()
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TOP = ("daemon/", "drivers/", "include/", "ctl/", "conf/", "systemd/", "docs/", "tests/", ".ci/")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def name_of(page):
    return str(page.relative_to(ROOT))


def prose(page):
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def blocks(path, language):
    return [text for kind, text in FENCE.findall(read(path)) if kind == language]


def anchors(page):
    """As GitHub makes them: lower case, blanks to hyphens, the rest of the punctuation gone."""
    heads = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} does not exist"
        if anchor:
            assert anchor in anchors(found), f"{target}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_paths_exist(page):
    for span in re.findall(r"`([^`\n]+)`", prose(page)):
        for word in span.split():
            if word.startswith(TOP) and not re.search(r"[<>*{}…]", word):
                assert (ROOT / word).exists(), f"{word} is named and does not exist"


def test_names_in_backticks_are_in_the_code():
    """Functions and constants that architecture and decisions name."""
    code = "\n".join(p.read_text(encoding="utf-8") for d in ("daemon", "drivers", "include") for p in (ROOT / d).rglob("*.[ch]"))
    for page in PAGES:
        for name in re.findall(r"`((?:eg|EG|mosquitto)_\w+)(?:\(\))?`", prose(page)):
            assert name in code, f"{name_of(page)} names {name}"


# --- the socket's page ---

def methods():
    """name → names of its parameters, from the table."""
    text = read("daemon/api/methods.c")
    shared = {"SITE": ["site"], "DOMAIN": ["domain"], "DEVICE": ["device"], "QUANTITY": ["quantity"], "CURSOR": ["cursor"],
              "FROM_TO": ["from", "to"]}
    params = {}
    for name, body in re.findall(r"eg_param (p_\w+)\[\] = \{(.*?)END\};", text, re.S):
        params[name] = re.findall(r'\.name = "(\w+)"', body)
        for macro, names in shared.items():
            if re.search(rf"\b{macro}\b", body):
                params[name] += names
    table = text[text.index("eg_method methods[] = {"):]
    found = {name: params.get(table_of, []) for name, table_of in
             re.findall(r'\{"([a-z.]+)", eg_m_\w+, \w+, \w+,\s*"[^"]*",\s*(\w+)\}', table)}
    found.update({"cases." + verb: params["p_verb"] for verb in re.findall(r'VERB\("(\w+)"', table)})
    return found


def sections():
    """name → text of its section, from the headings under "Methods"."""
    text = read("docs/protocol.md").split("\n## Methods\n")[1]
    found = {}
    for head, body in re.findall(r"^### (.+?)\n(.*?)(?=^### |\Z)", text, re.M | re.S):
        first = None
        for name in head.split(", "):
            first = first or name
            found[first.split(".")[0] + name if name.startswith(".") else name] = body
    return found


def test_headings_are_the_methods():
    assert len(methods()) >= 27
    assert set(sections()) == set(methods())


def test_parameters_are_told():
    told = sections()
    for name, params in methods().items():
        for param in params:
            assert re.search(rf"\b{param}\b", told[name]), f"{name} does not tell of {param}"


def json_values(text):
    """All values that stand in a text, one behind the other; … stands for what was left out."""
    text = text.replace("[…]", "[]").replace(",…", "")
    decoder, at, values = json.JSONDecoder(), 0, []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        values.append(value)
    return values


def test_json_parses_and_calls_what_there_is():
    page = read("docs/protocol.md")
    texts = blocks("docs/protocol.md", "json") + re.findall(r"`([{\[]\".*?)`", FENCE.sub("", page))
    assert len(texts) > 12
    for text in texts:
        for value in json_values(text):
            if isinstance(value, dict) and "method" in value and "id" in value:
                assert value["method"] in methods()
                assert set(value.get("params", {})) <= set(methods()[value["method"]])


def test_what_is_said_to_be_missing_is_missing():
    table = read("README.md").split("## What is not there yet")[1].split("\n## ")[0]
    row = dict(re.findall(r"^\| ([a-z]+) \| (.*) \|$", table, re.M))
    for name in re.findall(r"`([a-z]+\.[a-z*]+)`", row.get("calls", "")):
        assert not [m for m in methods() if m.startswith(name.rstrip("*"))], f"{name} is there: say so"
    commands = ROOT / "ctl/commands.c"
    if commands.exists():
        for name in "".join(re.findall(r"`([a-z ]+)`", row.get("client", ""))[:1]).split():
            assert f'{{"{name}' not in commands.read_text(encoding="utf-8"), f"ecogovctl {name} is there: say so"
    drivers = re.findall(r"EG_DRIVER\((\w+)\)", read("drivers/drivers.def"))
    assert re.findall(r"`([\w-]+)`", row["drivers"]) == [name.replace("_", "-") for name in drivers]


# --- numbers ---

@pytest.mark.parametrize("path,constant", [
    ("daemon/turn.c", "TURN_READINGS_MAX"), ("daemon/waiting.h", "EG_WAITING_MAX"), ("daemon/store/inside.h", "EG_SEAL_AT"),
    ("daemon/store/inside.h", "EG_SEAL_RUN"), ("daemon/store/inside.h", "EG_IDENTS_KEPT"), ("daemon/store/pack.h", "EG_CHUNK_POINTS"),
    ("daemon/store/inside.h", "EG_WAL_PAGES"), ("daemon/store/inside.h", "EG_WAL_PAGES_MAX"),
    ("daemon/store/inside.h", "EG_CHUNK_GROWN"), ("daemon/store/commit.c", "QUARANTINE_ROWS"), ("daemon/pipeline/window.h", "EG_WINDOW_RAW"),
    ("daemon/pipeline/window.h", "EG_WINDOW_PANES"), ("daemon/pipeline/state.h", "EG_SERIES_PER_DEVICE"),
    ("daemon/pipeline/suppress.h", "EG_CASES_MAX"), ("daemon/pipeline/suppress.h", "EG_SILENCES_MAX"), ("daemon/mqtt/teller.h", "EG_TELLER_IN_FLIGHT"), ("daemon/mqtt/taker.c", "BITE_PACKETS"),
    ("daemon/mqtt/taker.c", "WINDOW_LEAST"), ("drivers/kit/json_scan.h", "EG_JSON_DEPTH_MAX"),
    ("drivers/kit/json_scan.h", "EG_JSON_VALUES_MAX"), ("drivers/kit/json_scan.h", "EG_JSON_NUMBER_MAX"),
    ("include/ecogov/reading.h", "EG_SINK_MAX"), ("include/ecogov/reading.h", "EG_CHANNEL_MAX"), ("daemon/conf/files.h", "EG_CONF_FILES_MAX"),
    ("daemon/conf/faults.h", "EG_CONF_FAULTS_MAX"), ("daemon/base/fault.h", "EG_FAULT_MAX")])
def test_limits_are_the_codes(path, constant):
    value = re.search(rf"#define {constant}\s+(\d+)u?\b", read(path))
    assert value, f"{constant} is not in {path} any more"
    assert re.search(rf"(?<![\d,]){int(value.group(1)):,}(?![\d,]\d)", read("docs/architecture.md")), \
        f"architecture.md does not say {int(value.group(1)):,} ({constant})"


@pytest.mark.parametrize("path,constant,said", [
    ("daemon/api/server.c", "PEERS_MAX", "| connections | 64 |"), ("daemon/api/client.h", "EG_RPC_BATCH_MAX", "| calls in a batch | 32 |"),
    ("daemon/api/peer.h", "EG_PEER_STALL_S", "10 s; 60 s during an export"), ("daemon/api/call.h", "EG_CALL_EXPORT_MAX", "| 4 in all |")])
def test_limits_of_the_socket_are_the_codes(path, constant, said):
    value = re.search(rf"#define {constant}\s+(\d+)", read(path)).group(1)
    assert value in said and said in read("docs/protocol.md")


def test_quantities_page_is_fresh():
    subprocess.run([sys.executable, ROOT / "docs/quantities.py", "--check"], check=True)


def test_devices_page_is_fresh():
    subprocess.run([sys.executable, ROOT / "docs/devices.py", "--check"], check=True)


# --- configuration ---

@pytest.mark.parametrize("number,text", enumerate(blocks("README.md", "yaml"), 1))
def test_configurations_load(number, text, tmp_path):
    assert (BIN / "ecogovd").exists(), f"build first, or set ECOGOV_BIN: there is no {BIN}/ecogovd"
    path = tmp_path / f"block{number}.yaml"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run([BIN / "ecogovd", "-c", path, "--check"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")

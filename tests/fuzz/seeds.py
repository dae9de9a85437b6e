"""Makes the inputs of fuzz_drivers_registry of the golden pairs in tests/drivers: what a driver is known to read, and to refuse, is where the
search begins. Knows the harness's layout; called by run.py."""
import json
import re

KEYS = ("time", "readings", "channel", "device", "quantity", "value", "unit", "precision", "utc_offset", "codec", "checksum",
        "time_format", "separator", "decimal")
FIELD = ("path", "quantity", "unit", "channel")
LARGEST = 4096


def drivers(root):
    """Their folders' names in the order of the registry."""
    lines = re.findall(r"^EG_DRIVER\((\w+)\)", (root / "drivers/drivers.def").read_text(), re.M)
    return [line.replace("_", "-") for line in lines]


def seed(index, payload, expect, mapping):
    lines = [expect.get("topic", "ecogov/shangtian/air/a1")]
    if "topic_quantity" in expect:
        lines = [f"topic/{expect['topic_quantity']}"]  # the harness takes the second level for {quantity}
    if mapping is not None:
        lines += [str(mapping.get(key, "")) for key in KEYS]
        for field in mapping.get("fields", [])[:8]:
            lines += [str(field.get(key, "")) for key in FIELD] + [str((field.get("missing") or [""])[0])]
        if len(mapping.get("fields", [])) < 8:
            lines.append("")
    return bytes([index, mapping is not None]) + "".join(f"{line}\n" for line in lines).encode() + payload


def write(root, folder, driver=""):
    """One file a golden pair that is not too large; of one driver, if it is named."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(drivers(root)):
        if driver not in ("", name):
            continue
        for path in sorted((root / "tests/drivers" / name).glob("*.payload")):
            payload = path.read_bytes()
            given = path.with_suffix(".mapping.json")
            mapping = json.loads(given.read_text()) if given.exists() else None
            if len(payload) <= LARGEST:
                expect = json.loads(path.with_suffix(".expect.json").read_text())
                (folder / f"{name}-{path.stem}").write_bytes(seed(index, payload, expect, mapping))
    return folder

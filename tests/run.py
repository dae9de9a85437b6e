#!/usr/bin/python3
"""Runs every kind of test and says in one closing line how many passed. Called by ./dev test.

Knows which runners there are and how they report; refuses to know what they test. With a PATTERN only the tests whose name holds it run.
Everything runs with ASan and UBSan (build/debug); what preloads a library into the daemon takes build/release.
"""
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORES = str(min(4, os.cpu_count() or 2))
CI = bool(os.environ.get("CI"))
FUZZ_SECONDS = "60"
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}
# Of a unit test so much of what it freed is kept, to be missed: of the usual 256 MB every page is new, which costs a quarter of its time.
QUARANTINE = ":quarantine_size_mb=16"


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.broken = []  # stages that failed

    def add(self, stage, code, passed, failed, skipped=0):
        if code != 0 and failed == 0:
            failed = 1  # it broke before it could count
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        if failed:
            self.broken.append(stage)


def say(text):
    print(f"\n== {text}", flush=True)


def start(command, output=subprocess.PIPE, **more_env):
    path = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"  # where Debian has mosquitto, which only root looks into
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PATH": path, **more_env}, text=True, errors="replace",
                            stdout=output, stderr=subprocess.STDOUT)


def run(command, **more_env):
    """Runs a command, shows its output as it comes, gives (exit code, output)."""
    lines = []
    process = start(command, **more_env)
    for line in process.stdout:
        lines.append(line)
        print(line, end="", flush=True)
    return process.wait(), "".join(lines)


def figure(pattern, text):
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def build(preset, *options):
    log = ROOT / "build" / f"{preset}.log"
    log.parent.mkdir(exist_ok=True)
    werror = "ON" if CI else "OFF"
    with log.open("w") as out:
        for command in (["cmake", "--preset", preset, f"-DECOGOV_WERROR={werror}", *options],
                        ["cmake", "--build", f"build/{preset}"]):
            if subprocess.call(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT):
                print(log.read_text())
                print(f"the {preset} build failed; its output is above and in {log}")
                return False
    return True


def ctest(tally, pattern):
    say("unit and driver tests (ASan, UBSan)")
    only = ["-R", pattern] if pattern else []
    code, text = run(["ctest", "--test-dir", "build/debug", "--output-on-failure", "-j", CORES, "--timeout", "600", *only],
                     **{**SANITIZERS, "ASAN_OPTIONS": SANITIZERS["ASAN_OPTIONS"] + QUARANTINE})
    failed = figure(r"(\d+) tests? failed out of", text)
    total = figure(r"tests? failed out of (\d+)", text)
    skipped = len(re.findall(r"\*\*\*Skipped", text))
    tally.add("unit", code, total - failed - skipped, failed, skipped)


def pytest(tally, pattern):
    """In two shares side by side, a file of tests to each in turn: most of what they do is to wait."""
    say("replay, system, install, lint and document tests")
    command = ["/usr/bin/python3", "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--durations=5"]
    only = ["-k", pattern] if pattern else []
    env = {"ECOGOV_BIN": str(ROOT / "build/debug/bin"), "ECOGOV_BIN_RELEASE": str(ROOT / "build/release/bin"), "PYTHONDONTWRITEBYTECODE": "1",
           **SANITIZERS}
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py"))
    install = [file for file in files if "/install/" in file]  # out of one build folder, which installing writes into
    files = [file for file in files if file not in install]
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        other = start([*command, *only, *files[1::2]], output, **env)
        shares = [run([*command, *only, *install, *files[0::2]], **env)]
        code = other.wait()
        output.seek(0)
        shares.append((code, output.read()))
    print(shares[1][1], end="", flush=True)
    for code, text in shares:
        if code == 5:  # nothing matched the pattern
            code = 0
        failed = figure(r"(\d+) failed", text) + figure(r"(\d+) errors?\b", text)
        tally.add("pytest", code, figure(r"(\d+) passed", text), failed, figure(r"(\d+) skipped", text))


def simple(tally, stage, command):
    code, _ = run(command)
    tally.add(stage, code, 0 if code else 1, 1 if code else 0)


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    begun, tally = time.monotonic(), Tally()
    say("building: debug (ASan, UBSan), release" + ("" if pattern else ", fuzz"))
    built = build("debug", "-DECOGOV_TESTS=ON") and build("release", "-DECOGOV_TESTS=ON")
    if built:
        ctest(tally, pattern)
        pytest(tally, pattern)
    else:
        tally.add("build", 1, 0, 1)
    if built and not pattern:
        say("lint")
        simple(tally, "lint", ["/usr/bin/python3", "tests/lint/lint.py"])
        say(f"fuzzing, {FUZZ_SECONDS} s")
        if build("fuzz", "-DECOGOV_FUZZ=ON"):
            simple(tally, "fuzz", ["/usr/bin/python3", "tests/fuzz/run.py", "build/fuzz/bin", FUZZ_SECONDS])
        else:
            tally.add("fuzz build", 1, 0, 1)
    broken = f" ({', '.join(tally.broken)})" if tally.broken else ""
    print(f"\necogov tests: {tally.passed} passed, {tally.failed} failed{broken}, {tally.skipped} skipped "
          f"in {time.monotonic() - begun:.0f} s")
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()

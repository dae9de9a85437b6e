#!/usr/bin/env python3
"""Runs every libFuzzer harness in turn: run.py BIN_DIR SECONDS [DRIVER...].

Each gets an equal share of SECONDS, 5 at least. With drivers: only those, SECONDS each (`all`: every one). First the seeds alone, then the search. Knows where seeds and dictionaries lie;
what a harness demands is the harness's business. What is found goes to artifacts/ and what grows to corpus/ beside BIN_DIR,
never into the tree. Exit 1 when any of them stopped.
"""
import os
import pathlib
import re
import subprocess
import sys

import seeds

HERE = pathlib.Path(__file__).resolve().parent
LEAST_S = 5
RSS_MB = 1024
INPUT_S = 10
DRIVERS = "fuzz_drivers_registry"
# A life of the fold takes thousands of ways: to weigh inputs by how rare theirs are costs more than the lives.
OPTIONS = {"fuzz_pipeline_fold": ["-entropic=0"]}


def run(binary, driver, arguments, patience_s):
    environment = dict(os.environ, ECOGOV_FUZZ_DRIVER=driver, ASAN_OPTIONS="abort_on_error=0:allocator_may_return_null=1", UBSAN_OPTIONS="print_stacktrace=1")
    try:
        done = subprocess.run([str(binary), f"-timeout={INPUT_S}", f"-rss_limit_mb={RSS_MB}", *arguments], env=environment,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=patience_s)
        return done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired as late:
        return -1, (late.stdout or b"").decode("utf-8", "replace") + "\nit did not end when its time was over\n"


def figures(said):
    executions = re.findall(r"^Done (\d+) runs", said, re.M) or re.findall(r"^#(\d+)\s", said, re.M) or ["0"]
    coverage = re.findall(r" cov: (\d+) ", said) or ["0"]
    return int(executions[-1]), int(coverage[-1])


def search(binary, seconds, root, driver=""):
    """One harness, of the drivers' one a single driver if it is named; (ok, its line)."""
    name = f"{binary.name}-{driver}" if driver else binary.name
    artifacts, corpus = root / "artifacts", root / "corpus" / name
    artifacts.mkdir(parents=True, exist_ok=True)
    corpus.mkdir(parents=True, exist_ok=True)
    known = seeds.write(HERE.parents[1], root / "seeds" / name, driver) if binary.name == DRIVERS else HERE / "corpus" / name
    folders = [str(corpus)] + ([str(known)] if known.is_dir() else [])
    common = [f"-artifact_prefix={artifacts}/{name}-", *OPTIONS.get(binary.name, [])]
    dictionary = HERE / f"{binary.name}.dict"
    if dictionary.exists():
        common.append(f"-dict={dictionary}")

    code, said = run(binary, driver, [*common, "-runs=0", *reversed(folders)], 300)
    executions = figures(said)[0]
    coverage = figures(said)[1]
    if code == 0:
        code, said = run(binary, driver, [*common, f"-max_total_time={seconds}", *folders], seconds + 120)
        executions += figures(said)[0]
        coverage = max(coverage, figures(said)[1])
    if code == 0:
        return True, f"{name}: {executions} executions, coverage {coverage}, ok"
    sys.stdout.write("".join(f"  {line}\n" for line in said.splitlines()[-60:]))
    written = re.findall(r"Test unit written to (\S+)", said)
    return False, f"{name}: {executions} executions, coverage {coverage}, crash: {written[-1] if written else f'exit code {code}'}"


def main():
    if len(sys.argv) < 3 or not sys.argv[2].isdigit():
        sys.exit("usage: run.py BIN_DIR SECONDS [DRIVER...]")
    bin_dir = pathlib.Path(sys.argv[1]).resolve()
    known = seeds.drivers(HERE.parents[1])
    wanted = known if sys.argv[3:] == ["all"] else sys.argv[3:]
    unknown = [driver for driver in wanted if driver not in known]
    if unknown:
        sys.exit(f"run.py: no such driver: {' '.join(unknown)}")
    names = [DRIVERS] if wanted else sorted(path.stem for path in HERE.glob("fuzz_*.c"))
    missing = [name for name in names if not (bin_dir / name).exists()]
    if missing or not names:
        sys.exit(f"run.py: not built in {bin_dir}: {' '.join(missing) or 'anything'}")
    searches = [(DRIVERS, driver) for driver in wanted] or [(name, "") for name in names]
    share = max(LEAST_S, int(sys.argv[2]) // (1 if wanted else len(names)))
    stopped = 0
    for name, driver in searches:
        ok, line = search(bin_dir / name, share, bin_dir.parent, driver)
        stopped += not ok
        print(line, flush=True)
    print(f"fuzz: {len(searches)} searches, {share} s each, {stopped} stopped")
    return 1 if stopped else 0


if __name__ == "__main__":
    sys.exit(main())

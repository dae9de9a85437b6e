"""Where the build is and how it is installed. Refuses to know what is installed; the tests know.

The release build is what gets installed: ECOGOV_BIN_RELEASE, else ECOGOV_BIN, names the folder of its programs.
"""
import os
import pathlib
import shutil
import subprocess
import time

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("ECOGOV_BIN_RELEASE") or os.environ.get("ECOGOV_BIN") or SOURCE / "build/release/bin").resolve()
BUILD = BIN.parent


def install(prefix, destdir=None):
    """Installs the build; gives what cmake said."""
    environment = {**os.environ, "DESTDIR": str(destdir)} if destdir else {k: v for k, v in os.environ.items() if k != "DESTDIR"}
    done = subprocess.run(["cmake", "--install", str(BUILD), "--prefix", str(prefix)], env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return done.stdout


def need(program):
    """The program's path; the test is skipped where it is missing."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"{program} is not installed here")
    return path


def wait_for(what, question, seconds=30):
    """Asks until the answer is true: for what has no event to wait for."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")

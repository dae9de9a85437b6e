"""What the tests of the installation share: where the build is, an installation of it, a free port, a process that ends.

Refuses to know what is installed; the tests know. ECOGOV_BIN names the folder of the built programs.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("ECOGOV_BIN", SOURCE / "build/release/bin")).resolve()
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


@pytest.fixture(scope="session")
def built():
    if not (BUILD / "cmake_install.cmake").exists():
        pytest.skip(f"there is no build in {BUILD}")
    return BUILD


@pytest.fixture(scope="module")
def staged(built, tmp_path_factory):
    """What a package is made of: prefix /usr below a DESTDIR. Only read by the tests."""
    root = tmp_path_factory.mktemp("staged")
    install("/usr", root)
    return root


@pytest.fixture(scope="module")
def placed(built, tmp_path_factory):
    """An installation that runs where it lies. Only read by the tests."""
    prefix = tmp_path_factory.mktemp("placed") / "usr"
    install(prefix)
    return prefix


@pytest.fixture
def port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def spawn():
    """Starts processes; ends, by their id, those that are left."""
    running = []

    def start(arguments, **options):
        process = subprocess.Popen([str(a) for a in arguments], **options)
        running.append(process)
        return process

    yield start
    for process in reversed(running):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()

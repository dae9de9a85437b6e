"""The fixtures of the installation's tests: installations to look at, a free port, processes that end."""
import os
import pathlib
import signal
import socket
import subprocess

import pytest
from place import BUILD, install


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
            # A tracer that is ended lets go of whom it traced: those first.
            for child in pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                os.kill(int(child), signal.SIGTERM)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()

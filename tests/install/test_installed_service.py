"""The unit: that systemd understands it, that it is as tight as it says, and that the installed daemon keeps what the unit takes for
granted: notify, reload, watchdog, exit codes, and no system call beyond the filter.

Refuses to know how the daemon does it; systemd itself does not run here, so its side of the socket is played.
"""
import json
import os
import re
import signal
import socket
import subprocess

import pytest
from place import BUILD, need, wait_for

UNIT = "lib/systemd/system/ecogovd.service"


def settings(path):
    """[(key, value)] of the unit, in order."""
    lines = [line for line in path.read_text().splitlines() if line and line[0] not in "#["]
    return [tuple(line.split("=", 1)) for line in lines]


def test_systemd_understands_the_unit(placed):
    systemd_analyze = need("systemd-analyze")
    environment = {**os.environ, "MANPATH": str(placed / "share/man")}
    done = subprocess.run([systemd_analyze, "verify", placed / UNIT], env=environment, text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_would_say_what_is_wrong(placed, tmp_path):
    """The test above can fail: a key nobody knows and a program that is not there are told."""
    systemd_analyze = need("systemd-analyze")
    text = (placed / UNIT).read_text().replace("ProtectHome=", "ProtectHouse=").replace("/sbin/ecogovd ", "/sbin/nobody ")
    (tmp_path / "ecogovd.service").write_text(text)
    done = subprocess.run([systemd_analyze, "verify", "--man=no", tmp_path / "ecogovd.service"], text=True, capture_output=True)
    assert done.returncode != 0 and "ProtectHouse" in done.stderr and "nobody" in done.stderr


def test_exposure_is_below_two(placed):
    systemd_analyze = need("systemd-analyze")
    command = [systemd_analyze, "security", "--offline=yes", "--no-pager"]
    done = subprocess.run([*command, "--threshold=19", placed / UNIT], env={**os.environ, "LC_ALL": "C.UTF-8"}, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stdout[-400:]
    assert float(re.search(r"Overall exposure level for ecogovd.service: ([\d.]+)", done.stdout)[1]) < 2.0


def test_what_the_unit_promises(placed):
    unit = dict(settings(placed / UNIT))
    assert unit["Type"] == "notify" and unit["NotifyAccess"] == "main"
    assert unit["User"] == unit["StateDirectory"] == unit["RuntimeDirectory"] == "ecogov"
    assert unit["Restart"] == "always" and unit["RestartPreventExitStatus"] == "78"
    assert "mosquitto.service" in unit["After"].split()
    assert "PrivateUsers" not in unit  # SO_PEERCRED would say nobody


def test_users_can_be_made(staged, tmp_path):
    systemd_sysusers = need("systemd-sysusers")
    (tmp_path / "etc").mkdir()
    source = staged / "usr/lib/sysusers.d/ecogov.conf"
    done = subprocess.run([systemd_sysusers, f"--root={tmp_path}", "--dry-run", source], text=True, capture_output=True)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "group 'ecogov-supervisors'" in said and "user 'ecogov' (ecogov daemon)" in said


# --- systemd's side, played ---

class Manager:
    """The notify socket: what the daemon says, word by word."""

    def __init__(self, folder):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = str(folder / "notify")
        self.socket.bind(self.path)
        self.socket.settimeout(60)

    def expect(self, word):
        while True:
            if word in self.socket.recv(4096).decode().split("\n"):
                return


@pytest.fixture
def manager(tmp_path):
    one = Manager(tmp_path)
    yield one
    one.socket.close()


def configure(folder, port):
    path = folder / "ecogov.yaml"
    path.write_text(f"mqtt: {{host: 127.0.0.1, port: {port}, client_id: installed}}\n"
                    "store: {path: ecogov.db, commit_interval: 10ms}\n"
                    "socket: {path: ecogov.sock}\n"
                    "sites:\n  - {id: shangtian, level: village}\n")
    return path


def test_notify_reload_watchdog_stop(placed, manager, spawn, tmp_path, port):
    path = configure(tmp_path, port)  # nobody listens there: it starts all the same
    environment = {**os.environ, "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "2000000"}
    daemon = spawn([placed / "sbin/ecogovd", "-c", path], env=environment, stderr=subprocess.DEVNULL)
    manager.expect("READY=1")
    manager.expect("WATCHDOG=1")
    for text in (path.read_text() + "time_zone: UTC\n", "nonsense: 1\n"):  # a good one, and one that is refused
        path.write_text(text)
        daemon.send_signal(signal.SIGHUP)
        manager.expect("RELOADING=1")
        manager.expect("READY=1")
    manager.expect("WATCHDOG=1")
    daemon.send_signal(signal.SIGTERM)
    manager.expect("STOPPING=1")
    assert daemon.wait(60) == 0


def test_a_bad_configuration_is_78(placed, tmp_path):
    (tmp_path / "ecogov.yaml").write_text("nonsense: 1\n")
    done = subprocess.run([placed / "sbin/ecogovd", "-c", tmp_path / "ecogov.yaml"], text=True, capture_output=True, timeout=60)
    assert done.returncode == 78
    assert done.stderr.startswith(f"{tmp_path}/ecogov.yaml:1:1: unknown key 'nonsense'")


# --- the system call filter ---

def group(systemd_analyze, name):
    """The calls of a @group, groups in it opened."""
    listed = subprocess.run([systemd_analyze, "syscall-filter", name], text=True, capture_output=True, check=True).stdout
    calls = set()
    for word in re.findall(r"^ {4}(@?[a-z0-9_-]+)$", listed, flags=re.M):
        calls |= group(systemd_analyze, word) if word[0] == "@" else {word}
    return calls


def allowed(systemd_analyze, unit):
    calls = set()
    for key, value in settings(unit):
        if key != "SystemCallFilter":
            continue
        words = value.lstrip("~").split()
        named = set().union(*(group(systemd_analyze, word) if word[0] == "@" else {word} for word in words))
        calls = calls - named if value[0] == "~" else calls | named
    return calls


def sanitized():
    return "ECOGOV_SANITIZE:STRING=\n" not in (BUILD / "CMakeCache.txt").read_text()


def ask(path, method, **params):
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(30)
        one.connect(str(path))
        one.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        for line in one.makefile():
            answer = json.loads(line)
            if "id" in answer:
                return answer["result"]


def live(door, port, mosquitto, folder, spawn, publish):
    """What a daemon does in its life: broker, readings, a case, its closing, an export."""
    (folder / "broker.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    spawn([mosquitto, "-c", folder / "broker.conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("the broker is found", lambda: ask(door, "status")["broker"]["connected"], 60)

    def told():
        publish("ecogov/shangtian/air/a1", '{"pm25":80}', qos=1, hostname="127.0.0.1", port=port)
        return ask(door, "cases.list")["cases"]

    number = wait_for("a case", told)[0]["number"]
    assert ask(door, "cases.reject", id=str(number), note="a trial")["handling"] == "rejected"
    assert ask(door, "export")["rows"] >= 1


def test_a_life_fits_the_filter(placed, manager, spawn, tmp_path, port):
    systemd_analyze, strace, mosquitto = need("systemd-analyze"), need("strace"), need("mosquitto")
    if sanitized():
        pytest.skip("sanitizers make calls of their own: build/release shows the daemon's")
    if subprocess.run([strace, "-o", "/dev/null", "true"], capture_output=True).returncode:
        pytest.skip("strace may not trace here")
    mqtt = pytest.importorskip("paho.mqtt.publish")
    path, calls = configure(tmp_path, port), tmp_path / "calls"
    path.write_text(path.read_text() + "rules:\n  - {id: r, quantity: pm25, levels: {warning: {open: 10, clear: 5}}}\n")
    tracer = spawn([strace, "-f", "-qq", "-o", calls, placed / "sbin/ecogovd", "-c", path], stderr=subprocess.DEVNULL,
                   env={**os.environ, "NOTIFY_SOCKET": manager.path})
    manager.expect("READY=1")
    daemon = int(calls.read_text().split(None, 1)[0])  # strace writes the first process first
    try:
        live(tmp_path / "ecogov.sock", port, mosquitto, tmp_path, spawn, mqtt.single)
        os.kill(daemon, signal.SIGHUP)
        manager.expect("READY=1")
    finally:
        os.kill(daemon, signal.SIGTERM)  # a tracer that is ended would leave it running
    assert tracer.wait(60) == 0
    log = calls.read_text()
    made = set(re.findall(r"^\d+ +([a-z0-9_]+)\(", log, flags=re.M))
    assert {"epoll_wait", "epoll_pwait", "epoll_pwait2"} & made and "fdatasync" in made and "execve" in made
    beyond = made - allowed(systemd_analyze, placed / UNIT)
    assert not beyond, f"the unit's SystemCallFilter forbids {sorted(beyond)}"
    families = set(re.findall(r" socket\((AF_[A-Z0-9]+),", log))
    named = set(dict(settings(placed / UNIT))["RestrictAddressFamilies"].split())
    assert {"AF_UNIX", "AF_INET"} <= families <= named


def test_the_filter_is_read_rightly(placed):
    calls = allowed(need("systemd-analyze"), placed / UNIT)
    assert {"read", "openat", "chown", "connect"} <= calls
    assert not {"setuid", "chroot", "mount", "setpriority", "reboot", "ptrace", "kexec_load"} & calls

"""`cmake --install`: what lies where, that the configuration lying there is good, and that it stays the administrator's."""
import gzip
import os
import pathlib
import re
import shutil
import stat
import subprocess

import pytest
from place import SOURCE, install, need

CONFIGURATION = sorted(str(p.relative_to(SOURCE / "conf")) for p in (SOURCE / "conf").rglob("*") if p.is_file())
PAGES = ("man1/ecogovctl.1", "man5/ecogov.yaml.5", "man8/ecogovd.8")


def check(program, configuration):
    return subprocess.run([str(program), "--check", "-c", str(configuration)], text=True, capture_output=True)


def test_everything_lies_where_debian_expects_it(staged):
    there = {str(p.relative_to(staged)) for p in staged.rglob("*") if p.is_file()}
    headers = {f"usr/include/ecogov/{p.name}" for p in (SOURCE / "include/ecogov").iterdir()}
    documents = {f"usr/share/doc/ecogov/{p.relative_to(SOURCE / 'docs')}" for p in (SOURCE / "docs").rglob("*.md")
                 if "man" not in p.relative_to(SOURCE / "docs").parts}
    documents |= {f"usr/share/doc/ecogov/{name}" for name in ("README.md", "CHANGELOG.md", "LICENSE") if (SOURCE / name).exists()}
    pages = {f"usr/share/man/{page}.gz" for page in PAGES} if shutil.which("scdoc") else set()
    expected = {"usr/sbin/ecogovd", "usr/bin/ecogovctl", "usr/lib/ecogov/ecogov.so", "usr/lib/systemd/system/ecogovd.service",
                "usr/lib/sysusers.d/ecogov.conf", "etc/mosquitto/conf.d/ecogov.conf", "usr/share/ecogov/mosquitto/ecogov.conf"}
    expected |= {f"etc/ecogov/{name}" for name in CONFIGURATION} | {f"usr/share/ecogov/conf/{name}" for name in CONFIGURATION}
    assert len(headers) >= 6 and len(documents) >= 2 and len(CONFIGURATION) >= 8
    assert there == expected | headers | documents | pages


def test_modes(staged):
    for path in staged.rglob("*"):
        program = path.parent.name in ("sbin", "bin")
        wanted = 0o755 if program or path.is_dir() else 0o644
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == wanted, path


@pytest.mark.parametrize("prefix, etc", [("/usr", "/etc"), ("/usr/local", "/etc"), ("/usr/", "/etc"), ("/opt/ecogov", "/opt/ecogov/etc")])
def test_prefix_decides_the_paths(built, tmp_path, prefix, etc):
    install(prefix, tmp_path)
    assert (tmp_path / etc[1:] / "ecogov/ecogov.yaml").exists()
    assert (tmp_path / etc[1:] / "mosquitto/conf.d/ecogov.conf").exists()
    unit = (tmp_path / prefix.strip("/") / "lib/systemd/system/ecogovd.service").read_text()
    assert f"\nExecStart={prefix.rstrip('/')}/sbin/ecogovd -c {etc}/ecogov/ecogov.yaml\n" in unit
    assert "@" not in re.sub(r"=~?@[a-z-]+( @[a-z-]+)*|@chown", "", unit)


def test_installed_configuration_is_good(staged):
    done = check(staged / "usr/sbin/ecogovd", staged / "etc/ecogov/ecogov.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_sources_own_configuration_is_good_from_anywhere(staged, tmp_path):
    done = subprocess.run([staged / "usr/sbin/ecogovd", "--check", "-c", os.path.relpath(SOURCE / "conf/ecogov.yaml", tmp_path)],
                          cwd=tmp_path, text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_everything_switched_on_is_good(staged, tmp_path):
    """Each commented setting and each example taken into use, all at once."""
    folder = tmp_path / "ecogov"
    shutil.copytree(staged / "etc/ecogov", folder)
    switched = 0
    for path in sorted(folder.rglob("*.yaml*")):
        text, count = re.subn(r"^##?(?! [^ ])(?= *(- \{|(- )?[a-z0-9_]+:[ \n]))", "", path.read_text(), flags=re.M)
        switched += count
        path.unlink()
        path.with_name(path.name.replace(".example", "")).write_text(text)
        for secret in re.findall(r": (secrets/[a-z-]+)", text):  # as the administrator would have written them
            (path.parent / "secrets").mkdir(exist_ok=True)
            (path.parent / secret).write_text("https://robot.example.org/0123456789abcdef\n")
            (path.parent / secret).chmod(0o600)
    done = check(staged / "usr/sbin/ecogovd", folder / "ecogov.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert switched >= 45


def test_a_fault_in_it_is_told_with_its_place(staged, tmp_path):
    shutil.copytree(staged / "etc/ecogov", tmp_path / "ecogov")
    village = tmp_path / "ecogov/sites.d/village.yaml"
    village.write_text(village.read_text().replace("parent: baishi", "parent: baisi"))
    done = check(staged / "usr/sbin/ecogovd", tmp_path / "ecogov/ecogov.yaml")
    assert done.returncode == 78
    assert re.fullmatch(re.escape(str(village)) + r":\d+:\d+: there is no site 'baisi' \(did you mean 'baishi'\?\)\n", done.stderr)


def test_an_installation_again_keeps_what_was_changed_or_removed(built, tmp_path):
    install("/usr", tmp_path)
    conf = tmp_path / "etc/ecogov"
    (conf / "ecogov.yaml").write_text("time_zone: UTC\n")
    (conf / "ecogov.yaml").chmod(0o640)
    (conf / "sites.d/village.yaml").unlink()
    (conf / "sites.d/ours.yaml").write_text("sites: []\n")
    broker = tmp_path / "etc/mosquitto/conf.d/ecogov.conf"
    broker.write_text("max_queued_messages 5\n")
    said = install("/usr", tmp_path)
    assert (conf / "ecogov.yaml").read_text() == "time_zone: UTC\n"
    assert stat.S_IMODE((conf / "ecogov.yaml").stat().st_mode) == 0o640
    assert not (conf / "sites.d/village.yaml").exists()
    assert (conf / "sites.d/ours.yaml").exists()
    assert broker.read_text() == "max_queued_messages 5\n"
    for path in (conf / "ecogov.yaml", conf / "sites.d/village.yaml", broker):
        assert str(path) in said
    assert (tmp_path / "usr/share/ecogov/conf/sites.d/village.yaml").exists()


def test_an_installation_again_brings_up_to_date_what_was_not_touched(built, tmp_path):
    install("/usr", tmp_path)
    older = "# as shipped once\n"
    for name in ("etc/ecogov/rules.d/air.yaml", "usr/share/ecogov/conf/rules.d/air.yaml"):
        (tmp_path / name).write_text(older)
    (tmp_path / "usr/share/ecogov/conf/rules.d/soil.yaml").unlink()  # new in this version, as it were
    (tmp_path / "etc/ecogov/rules.d/soil.yaml").unlink()
    install("/usr", tmp_path)
    for name in ("rules.d/air.yaml", "rules.d/soil.yaml"):
        assert (tmp_path / "etc/ecogov" / name).read_text() == (SOURCE / "conf" / name).read_text()


def test_everything_removed_is_a_fresh_start(built, tmp_path):
    install("/usr", tmp_path)
    shutil.rmtree(tmp_path / "etc")
    install("/usr", tmp_path)
    assert (tmp_path / "etc/ecogov/ecogov.yaml").exists()
    assert (tmp_path / "etc/mosquitto/conf.d/ecogov.conf").exists()


@pytest.mark.parametrize("page", PAGES)
def test_manual_pages_are_clean(staged, tmp_path, page):
    need("scdoc")
    path = staged / f"usr/share/man/{page}.gz"
    source = SOURCE / "docs/man" / (pathlib.Path(page).name + ".scd")
    fresh = subprocess.run(["scdoc"], input=source.read_bytes(), capture_output=True)
    assert (fresh.returncode, fresh.stderr) == (0, b"")
    assert gzip.decompress(path.read_bytes()).count(b"\n.SH ") >= 5
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80"}
    if shutil.which("mandoc"):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "error", path], text=True, capture_output=True)
        assert done.returncode == 0, done.stdout
    done = subprocess.run([need("man"), "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path], env=environment,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    named = subprocess.run([need("lexgrog"), path], text=True, capture_output=True)
    assert named.returncode == 0 and " - " in named.stdout


def definitions(page):
    """{command: options} of ecogovctl.1.scd: lines that begin with a command in bold."""
    told = {}
    for line in (SOURCE / "docs/man" / page).read_text().split("# COMMANDS")[1].split("# EXIT STATUS")[0].splitlines():
        match = re.match(r"\*([a-z]+(?: [a-z]+)?)\*", line)
        if match:
            told.setdefault(match[1], set()).update(re.findall(r"\*--([a-z]+)\*", line))  # a command may have several forms
    return told


def test_manual_tells_the_clients_commands(staged):
    client = staged / "usr/bin/ecogovctl"
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"}
    done = subprocess.run([client, "help"], env=environment, text=True, capture_output=True)
    if not done.stdout:
        pytest.skip("this ecogovctl has no commands yet")
    commands = set(re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", done.stdout, flags=re.M))
    told = definitions("ecogovctl.1.scd")
    assert commands and commands == set(told)
    for command in sorted(commands):
        usage = subprocess.run([client, "help", *command.split()], env=environment, text=True, capture_output=True).stdout
        by_place = {word.lower() for word in re.findall(r"(?<![-a-z])\b[A-Z]+\b", usage)}
        options = set(re.findall(r"\[--([a-z]+)", usage)) - by_place
        of_steps = {"note", "version", "party", "until", "reason"} if command.startswith("case ") else set()
        assert options - of_steps == told[command] - of_steps - by_place, command


def test_manual_tells_the_daemons_options(staged):
    usage = subprocess.run([staged / "usr/sbin/ecogovd", "--help"], text=True, capture_output=True).stdout
    page = (SOURCE / "docs/man/ecogovd.8.scd").read_text().split("# OPTIONS")[1].split("# RECORDINGS")[0]
    options = set(re.findall(r"--[a-z]+", usage))
    assert len(options) >= 6
    assert options == set(re.findall(r"--[a-z]+", page))

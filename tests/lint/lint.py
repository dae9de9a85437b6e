#!/usr/bin/env python3
"""What the compiler does not check: lint.py [--root DIR].

Prints `file:line: sentence` for every finding and a closing line; exit 1 when there is one. Floors and words are read from the
sources' tokens (ctext.py), nothing is built. What a check lets pass stands in a list here, with its reason.
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import ctext  # noqa: E402

CODE_COLUMNS = 140      # clang-format breaks at 110; comments, texts and tables may be longer
FUNCTION_LINES = 80
FILE_LINES = 450

# --- floors (docs: ARCHITECTURE, "The rooms"): who may include whom; a room always sees itself ---

LOW = {"conf", "base", "include"}
EDGE = LOW | {"store", "pipeline"}
SEES = {
    "include": set(),
    "kit": {"include"},
    "drivers": {"kit", "include"},
    "base": {"include"},
    "index": set(),
    "conf": {"base", "include"},
    "pipeline": LOW | {"index"},
    "store": LOW | {"pipeline", "index"},
    "mqtt": EDGE, "api": EDGE | {"index"}, "notify": EDGE, "board": EDGE,
    "turn": EDGE | {"mqtt", "api", "notify", "board"},
    "main": EDGE | {"mqtt", "api", "notify", "board", "turn"},
    "ctl": LOW | {"index", "pipeline"},
}
ROOMS_OF_DAEMON = {"base", "index", "conf", "pipeline", "store", "mqtt", "api", "notify", "board"}
LIBRARY_ONLY_IN = {  # header (or its folder): rooms
    "sqlite3.h": {"store"},
    "mosquitto.h": {"mqtt"},
    "uv.h": {"mqtt", "api", "notify", "board", "turn", "main"},
    "cyaml": {"conf"},
    "yaml.h": {"conf"},
    "cjson": {"kit", "drivers", "api", "notify", "board", "turn", "main", "ctl"},
    "systemd": {"main"},
    "curl": {"notify"},
}
HEADER_NOT_IN = {  # header: rooms that must not see it, why
    "base/log.h": ({"conf", "pipeline", "store"}, "library code does not log"),
    "base/clock.h": ({"conf", "pipeline"}, "`now` comes in with the event"),
    "time.h": ({"kit", "drivers", "pipeline"}, "no time of day in here"),
    "sys/time.h": ({"kit", "drivers", "pipeline"}, "no time of day in here"),
    "syslog.h": ({"kit", "drivers", "base", "conf", "pipeline", "store"}, "library code does not log"),
}

# --- calls ---

BANNED = {
    "strcpy": "snprintf or memcpy with a length", "strcat": "snprintf or a struct eg_buf", "stpcpy": "snprintf",
    "sprintf": "snprintf", "vsprintf": "vsnprintf", "gets": "getline", "strtok": "strchr or strcspn",
    "strncpy": "snprintf: it may leave out the zero",
    "atoi": "strtol and look at its end", "atol": "strtol and look at its end", "atoll": "strtoll and look at its end",
    "atof": "strtod and look at its end",
    "scanf": "a parser that says where it stopped", "sscanf": "a parser that says where it stopped",
    "fscanf": "a parser that says where it stopped", "vscanf": "a parser", "vsscanf": "a parser", "vfscanf": "a parser",
    "system": "posix_spawn with an argument list", "popen": "posix_spawn with an argument list",
    "alloca": "the heap, or an array with a written maximum",
    "rand": "uv_random or getrandom", "srand": "uv_random or getrandom", "random": "uv_random or getrandom",
    "localtime": "localtime_r", "gmtime": "gmtime_r", "ctime": "eg_time_format", "asctime": "eg_time_format",
    "tmpnam": "mkstemp", "tempnam": "mkstemp", "mktemp": "mkstemp",
    "getpwuid": "getpwuid_r", "getpwnam": "getpwnam_r", "getgrgid": "getgrgid_r", "getgrnam": "getgrnam_r",
    "setjmp": "return an error", "longjmp": "return an error",
}
CLOCKS = {"time", "clock_gettime", "gettimeofday", "clock", "timespec_get", "ftime"}
CLOCK_FILE = "daemon/base/clock.c"
OUTPUT = {"printf", "vprintf", "fprintf", "vfprintf", "puts", "fputs", "putchar", "putc", "fputc", "fwrite", "perror",
          "dprintf", "syslog"}
STREAMS = {"stdout", "stderr", "stdin"}

# --- what is let pass: name → why ---

# cmocka's jumps; seeded, so that a failure comes again; texts of their own making
TESTS_MAY = ("setjmp", "longjmp", "srand", "rand", "strcat")
ALLOWED_CALLS = {  # (file, call)
}
ALLOWED_GLOBALS = {  # (file, variable)
    ("daemon/store/extension/readings.c", "sqlite3_api"): "how SQLite hands a loadable extension its functions",
    ("daemon/base/log.c", "most_wanted"): "set once by eg_log_init before anything is said",
    ("daemon/base/clock.c", "line"): "a process has one clock, as it has one time zone",
}
ALLOWED_LONG_FUNCTIONS = {  # (file, function)
}
ALLOWED_LONG_FILES = {  # file
    "drivers/json.c": "one payload format is one file; its shapes share the reader",
    "tests/fuzz/fuzz_pipeline_fold.c": "one life of the pipeline, with everything that must hold in it",
    "tests/unit": "cases of one matter stand together",
}
WORDS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b")


class Tree:
    def __init__(self, root):
        self.root = root
        self.findings = []
        self._sources = {}
        if (root / ".git").exists():
            listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                                    stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
            self.files = sorted({name for name in listed if name and (root / name).is_file()})
        else:
            self.files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    def say(self, name, line, sentence):
        self.findings.append((name, line, sentence))

    def named(self, *suffixes, under=("",)):
        return [name for name in self.files if name.endswith(suffixes) and name.startswith(tuple(under))]

    def c_files(self, *under):
        return self.named(".c", ".h", under=under or ("",))

    def product(self):
        return self.c_files("include/", "drivers/", "daemon/", "ctl/")

    def text(self, name):
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    def source(self, name):
        if name not in self._sources:
            self._sources[name] = ctext.Source(self.text(name))
        return self._sources[name]


def room_of(name):
    parts = name.split("/")
    if parts[0] == "daemon":
        if len(parts) > 2:
            return parts[1]
        return "turn" if parts[1].startswith(("turn.", "tidying.", "waiting.")) else "main"
    if parts[0] == "drivers":
        return "kit" if parts[1] == "kit" else "drivers"
    return parts[0]


def target_of(tree, name, quoted, header):
    """The file of this house that an include names, or None."""
    places = [pathlib.PurePosixPath("daemon") / header, pathlib.PurePosixPath("include") / header]
    if quoted:
        beside = (tree.root / name).parent / header
        if beside.is_file():
            return str(beside.resolve().relative_to(tree.root.resolve()))
    return next((str(place) for place in places if (tree.root / place).is_file()), None)


def check_floors(tree):
    """includes point down"""
    for name in tree.product():
        room = room_of(name)
        if room not in SEES:
            tree.say(name, 1, f"the room '{room}' has no floor: write it into tests/lint/lint.py and the architecture page")
            continue
        for line, quoted, header in tree.source(name).includes():
            target = target_of(tree, name, quoted, header)
            if target:
                other = room_of(target)
                if other != room and other not in SEES[room]:
                    tree.say(name, line, f"{room} must not see {other} ({header}): arrows point down")
            elif header.split("/")[0] in ROOMS_OF_DAEMON | {"ecogov", "kit", "drivers"}:
                tree.say(name, line, f"{header} is not there")


def check_libraries(tree):
    """each library has its room"""
    for name in tree.product():
        room = room_of(name)
        for line, _, header in tree.source(name).includes():
            rooms = LIBRARY_ONLY_IN.get(header) or LIBRARY_ONLY_IN.get(header.split("/")[0])
            if rooms and room not in rooms:
                tree.say(name, line, f"{header} belongs to {', '.join(sorted(rooms))}, not to {room}")
            rooms, why = HEADER_NOT_IN.get(header, (set(), ""))
            if room in rooms:
                tree.say(name, line, f"{room} must not include {header}: {why}")


def check_banned(tree):
    """banned calls"""
    for name in tree.c_files():
        for line, call in tree.source(name).calls():
            if call in BANNED and (name, call) not in ALLOWED_CALLS:
                if call in TESTS_MAY and name.startswith("tests/"):
                    continue
                tree.say(name, line, f"{call}() is not used here: {BANNED[call]}")


def check_clock(tree):
    """one clock"""
    for name in tree.c_files("daemon/", "drivers/"):
        for line, call in tree.source(name).calls():
            if call in CLOCKS and name != CLOCK_FILE:
                tree.say(name, line, f"{call}() is called outside {CLOCK_FILE}")


def check_output(tree):
    """drivers and the pipeline say nothing"""
    for name in tree.c_files("drivers/", "daemon/pipeline/"):
        source = tree.source(name)
        for line, call in source.calls():
            if call in OUTPUT:
                tree.say(name, line, f"{call}() in {room_of(name)}: it says nothing, it returns what it found")
        for line, word in source.words():
            if word in STREAMS:
                tree.say(name, line, f"{word} in {room_of(name)}: no streams in here")


def check_globals(tree):
    """no mutable globals"""
    for name in tree.c_files("drivers/", "daemon/"):
        for line, variable in tree.source(name).mutable():
            if (name, variable) not in ALLOWED_GLOBALS:
                tree.say(name, line, f"'{variable}' is a variable with static storage that can change: hand it in, or make it const")


def check_drivers(tree):
    """every driver has golden pairs, a reject among them"""
    if "drivers/drivers.def" not in tree.files:
        return
    for line, text in enumerate(tree.text("drivers/drivers.def").split("\n"), 1):
        for driver in re.findall(r"EG_DRIVER\(\s*(\w+)\s*\)", re.sub(r"/\*.*?\*/", "", text)):
            folder = f"tests/drivers/{driver.replace('_', '-')}/"  # EG_DRIVER(a_b) calls itself "a-b"
            expected = tree.named(".expect.json", under=(folder,))
            if f"drivers/{driver}.c" not in tree.files:
                tree.say("drivers/drivers.def", line, f"drivers/{driver}.c is not there")
            if not expected:
                tree.say("drivers/drivers.def", line, f"{folder} has no golden pair")
            elif all(verdict_of(tree, name) == "decoded" for name in expected):
                tree.say("drivers/drivers.def", line, f"{folder} has no reject among its golden pairs")


def verdict_of(tree, name):
    try:
        return json.loads(tree.text(name)).get("verdict")
    except (ValueError, AttributeError):
        tree.say(name, 1, "is no JSON object")
        return "decoded"


def check_quantities(tree):
    """the page of quantities is fresh"""
    script = tree.root / "docs/quantities.py"
    if "include/ecogov/quantity.def" not in tree.files:
        return
    if not script.exists():
        tree.say("include/ecogov/quantity.def", 1, "docs/quantities.py, which renders it, is not there")
        return
    done = subprocess.run([sys.executable, str(script), "--check"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        tree.say("docs/quantities.md", 1, " ".join(done.stdout.decode("utf-8", "replace").split()))


def check_openings(tree):
    """every file says what it knows"""
    for name in tree.named(".c"):
        if not tree.text(name).startswith("/*"):
            tree.say(name, 1, "a .c opens with a comment: what it knows, what it refuses to know")
    for name in tree.named(".py"):
        text = re.sub(r"\A#!.*\n", "", tree.text(name))
        if text.strip() and not text.startswith(('"""', 'r"""', "#")):
            tree.say(name, 1, "a .py opens with a sentence: what it knows, what it refuses to know")


def check_blanks(tree):
    """tabs, trailing blanks, widths"""
    kinds = (".c", ".h", ".def", ".py", ".txt", ".cmake", ".sh", ".yaml", ".yml", "/dev")
    for name in tree.files:
        if not (name.endswith(kinds) or name == "dev") or name.startswith("tests/fuzz/corpus/"):
            continue
        text = tree.text(name)
        if text and not text.endswith("\n"):
            tree.say(name, text.count("\n") + 1, "the last line has no end")
        for number, line in enumerate(text.split("\n"), 1):
            if "\t" in line:
                tree.say(name, number, "a tab")
            if line != line.rstrip():
                tree.say(name, number, "blanks at the end of the line")
            if name.endswith((".c", ".h")) and len(line) > CODE_COLUMNS:
                tree.say(name, number, f"{len(line)} columns, at most {CODE_COLUMNS}")


def check_words(tree):
    """nothing is left for later"""
    for name in tree.files:
        if not (name.endswith((".c", ".h", ".def", ".py", ".txt", ".cmake", ".sh", ".md", ".yaml", ".yml")) or name == "dev"):
            continue
        for number, line in enumerate(tree.text(name).split("\n"), 1):
            found = WORDS.search(line)
            if found:
                tree.say(name, number, f"{found.group()}: do it, or write an issue")


def check_guards(tree):
    """include guards"""
    owners = {}
    for name in tree.named(".h"):
        directives = [text for _, text in tree.source(name).directives]
        guard = re.match(r"#\s*ifndef\s+(\w+)$", directives[0]) if directives else None
        if not guard or len(directives) < 3 or not re.match(r"#\s*define\s+" + guard.group(1) + r"$", directives[1]) \
                or not re.match(r"#\s*endif", directives[-1]):
            tree.say(name, 1, "has no include guard around all of it")
            continue
        if guard.group(1) in owners:
            tree.say(name, 1, f"its guard {guard.group(1)} is that of {owners[guard.group(1)]} as well")
        owners[guard.group(1)] = name


def check_lengths(tree):
    """functions and files that are too long"""
    for name in tree.c_files():
        source = tree.source(name)
        lines = len(source.lines) - (source.lines[-1] == "")
        if lines > FILE_LINES and not any(name == path or name.startswith(path + "/") for path in ALLOWED_LONG_FILES):
            tree.say(name, FILE_LINES + 1, f"{lines} lines, at most {FILE_LINES}: it is two files")
        for function, first, last, _ in source.functions():
            table = name.startswith("tests/unit/")  # a test is a table and a loop: the table may be long
            if last - first + 1 > FUNCTION_LINES and not table and (name, function) not in ALLOWED_LONG_FUNCTIONS:
                tree.say(name, first, f"{function}() has {last - first + 1} lines, at most {FUNCTION_LINES}")


def check_allowed(tree):
    """what is let pass is there"""
    if not (tree.root / "tests/lint/lint.py").exists():
        return
    for name, what in list(ALLOWED_CALLS) + list(ALLOWED_GLOBALS) + list(ALLOWED_LONG_FUNCTIONS):
        if name not in tree.files or not re.search(rf"\b{what}\b", tree.text(name)):
            tree.say("tests/lint/lint.py", 1, f"lets '{what}' of {name} pass, which is not there any more")


def check_format(tree):
    """clang-format"""
    names = tree.c_files()
    if not names or not (tree.root / ".clang-format").exists():
        return
    if not shutil.which("clang-format"):
        tree.say(".clang-format", 1, "clang-format is not installed, the format was not checked")
        return
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", "--ferror-limit=1", *names], cwd=tree.root,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = {}
    for line in done.stdout.decode("utf-8", "replace").split("\n"):
        found = re.match(r"(.+?):(\d+):\d+: error: code should be clang-formatted", line)
        if found:
            said.setdefault(found.group(1), int(found.group(2)))
    for name, line in said.items():
        tree.say(name, line, "is not as clang-format writes it from here on: ./dev format")
    if done.returncode != 0 and not said:
        tree.say(".clang-format", 1, "clang-format: " + " ".join(done.stdout.decode("utf-8", "replace").split())[:300])


def check_shell(tree):
    """shell scripts parse"""
    for name in tree.files:
        if "." in name.rsplit("/", 1)[-1] and not name.endswith(".sh") or name.startswith("tests/fuzz/corpus/"):
            continue
        with open(tree.root / name, "rb") as file:
            first = file.readline(200)
        found = re.match(rb"#!\s*(?:/usr)?/bin/(?:env\s+)?(bash|sh|dash)\b", first)
        if not found:
            continue
        done = subprocess.run([found.group(1).decode(), "-n", str(tree.root / name)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            said = done.stdout.decode("utf-8", "replace").strip().split("\n")[0]
            line = re.search(r"(?:line )?(\d+): ", said)
            tree.say(name, int(line.group(1)) if line else 1, said.rsplit(": ", 1)[-1])


CHECKS = [value for key, value in sorted(globals().items()) if key.startswith("check_")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent.parent)
    tree = Tree(parser.parse_args().root.resolve())
    for check in CHECKS:
        check(tree)
    for name, line, sentence in sorted(set(tree.findings)):
        print(f"{name}:{line}: {sentence}")
    print(f"lint: {len(CHECKS)} checks, {len(set(tree.findings))} findings")
    return 1 if tree.findings else 0


if __name__ == "__main__":
    sys.exit(main())

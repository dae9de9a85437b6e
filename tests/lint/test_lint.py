"""The lint, linted: a small clean tree without a finding, then one fault at a time, each found at its place.

Knows the lint by its command line only."""
import pathlib
import shutil
import subprocess
import sys

import pytest

LINT = pathlib.Path(__file__).resolve().parent / "lint.py"
ROOT = LINT.parent.parent.parent
GUARD = "#ifndef EG_{0}_H\n#define EG_{0}_H\n{1}#endif\n"

CLEAN = {
    "include/ecogov/driver.h": GUARD.format("DRIVER", "struct eg_driver;\n"),
    "drivers/drivers.def": "/* one line a driver */\nEG_DRIVER(json)\n",
    "drivers/json.c": '/* json. */\n#include <ecogov/driver.h>\n#include "kit/twice.h"\nstatic const int table[2] = {1, 2};\n',
    "drivers/kit/twice.h": GUARD.format("TWICE", "int eg_twice(int value);\n"),
    "daemon/base/clock.c": "/* The clock. */\n#include <time.h>\nint now(void);\nint now(void)\n{\n    return (int)time(NULL);\n}\n",
    "daemon/base/clock.h": GUARD.format("CLOCK", "int now(void);\n"),
    "daemon/base/log.h": GUARD.format("LOG", "void eg_log(const char *text);\n"),
    "daemon/conf/conf.h": GUARD.format("CONF", "struct eg_conf;\n"),
    "daemon/pipeline/event.c": "/* Events. */\n#include <conf/conf.h>\n#include <ecogov/driver.h>\n",
    "daemon/store/store.h": GUARD.format("STORE", "#include <sqlite3.h>\n"),
    "daemon/mqtt/mqtt.h": GUARD.format("MQTT", "#include <mosquitto.h>\n#include <uv.h>\n"),
    "daemon/api/api.h": GUARD.format("API", "#include <store/store.h>\n"),
    "daemon/turn.h": GUARD.format("TURN", "#include <store/store.h>\n"),
    "daemon/main.c": '/* The house. */\n#include "turn.h"\n#include <api/api.h>\n#include <mqtt/mqtt.h>\n',
    "ctl/main.c": "/* The client. */\n#include <base/clock.h>\n",
    "tests/drivers/json/good.expect.json": '{"verdict":"decoded","readings":[]}\n',
    "tests/drivers/json/bad.expect.json": '{"verdict":"malformed","reason_contains":"x"}\n',
    "dev": "#!/bin/bash\necho yes\n",
    "tests/run.py": '"""Runs."""\n',
    "README.md": "# ecogov\n",
}


def lint(root):
    done = subprocess.run([sys.executable, str(LINT), "--root", str(root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def build(root, changes):
    for name, text in {**CLEAN, **changes}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_text(text, encoding="utf-8")
    return lint(root)


def test_clean_tree(tmp_path):
    code, said = build(tmp_path, {})
    assert said[:-1] == []
    assert code == 0
    assert said[-1].startswith("lint: ") and said[-1].endswith(" checks, 0 findings")


def pipeline(text):
    return {"daemon/pipeline/event.c": "/* Events. */\n" + text}


def driver(text):
    return {"drivers/json.c": "/* json. */\n" + text}


EVENT, JSON = "daemon/pipeline/event.c", "drivers/json.c"
FAULTS = {
    # floors
    "pipeline sees store": (pipeline("#include <store/store.h>\n"), EVENT, 2, "pipeline must not see store"),
    "base sees conf": ({"daemon/base/a.c": "/* A. */\n#include <conf/conf.h>\n"}, "daemon/base/a.c", 2, "base must not see conf"),
    "edges see each other": ({"daemon/api/a.c": "/* A. */\n#include <mqtt/mqtt.h>\n"}, "daemon/api/a.c", 2, "api must not see mqtt"),
    "an edge sees the turn": ({"daemon/api/a.c": '/* A. */\n#include "../turn.h"\n'}, "daemon/api/a.c", 2, "api must not see turn"),
    "turn sees main": ({"daemon/house.h": GUARD.format("HOUSE", ""), "daemon/turn.c": '/* T. */\n#include "house.h"\n'},
                       "daemon/turn.c", 2, "turn must not see main"),
    "ctl sees the store": ({"ctl/main.c": "/* C. */\n#include <store/store.h>\n"}, "ctl/main.c", 2, "ctl must not see store"),
    "a driver sees base": (driver("#include <base/log.h>\n"), JSON, 2, "drivers must not see base"),
    "include sees a driver": ({"include/ecogov/driver.h": GUARD.format("DRIVER", '#include "../../drivers/kit/twice.h"\n')},
                              "include/ecogov/driver.h", 3, "include must not see kit"),
    "a room without a floor": ({"daemon/attic/a.c": "/* A. */\n"}, "daemon/attic/a.c", 1, "has no floor"),
    "a header that is not there": (pipeline("#include <conf/gone.h>\n"), EVENT, 2, "is not there"),
    # libraries
    "SQLite outside": ({"daemon/api/a.c": "/* A. */\n#include <sqlite3.h>\n"}, "daemon/api/a.c", 2, "sqlite3.h belongs to store"),
    "mosquitto outside": ({"daemon/main.c": "/* M. */\n#include <mosquitto.h>\n"}, "daemon/main.c", 2, "belongs to mqtt"),
    "libuv in the pipeline": (pipeline("#include <uv.h>\n"), EVENT, 2, "not to pipeline"),
    "cJSON in the pipeline": (pipeline("#include <cjson/cJSON.h>\n"), EVENT, 2, "not to pipeline"),
    "the log in the pipeline": (pipeline("#include <base/log.h>\n"), EVENT, 2, "does not log"),
    "the clock in the pipeline": (pipeline("#include <base/clock.h>\n"), EVENT, 2, "comes in with the event"),
    "time.h in the pipeline": (pipeline("#include <time.h>\n"), EVENT, 2, "no time of day"),
    # calls
    "the clock elsewhere": ({"daemon/main.c": "/* M. */\nint f(void)\n{\n    return (int)time(NULL);\n}\n"}, "daemon/main.c", 4, "time()"),
    "the clock in a driver": (driver("int f(void)\n{\n    return clock_gettime(0, 0);\n}\n"), JSON, 4, "clock_gettime()"),
    "a call in a macro": (driver("#define COPY(a, b) \\\n    strcpy(a, b)\n"), JSON, 3, "strcpy()"),
    "output of a driver": (driver('int f(void)\n{\n    return printf("x");\n}\n'), JSON, 4, "printf()"),
    "a stream in a driver": (driver("#include <stdio.h>\nvoid *f(void)\n{\n    return stderr;\n}\n"), JSON, 5, "stderr"),
    # globals
    "a global": (driver("int count;\n"), JSON, 2, "'count'"),
    "a static with a value": (driver("static unsigned long long count = 3;\n"), JSON, 2, "'count'"),
    "a static array": (driver("static struct row rows[SIZE(2)];\n"), JSON, 2, "'rows'"),
    "a pointer that moves": (driver('static const char *name = "x";\n'), JSON, 2, "'name'"),
    "a function pointer": (driver("static void (*hook)(int a);\n"), JSON, 2, "'hook'"),
    "a type with its variable": (driver("static struct {\n    int a;\n} state;\n"), JSON, 2, "'state'"),
    "a static in a function": (driver("int f(void)\n{\n    static int calls = 0;\n    return ++calls;\n}\n"), JSON, 4, "'calls'"),
    # drivers and quantities
    "no golden pair": ({"drivers/drivers.def": "EG_DRIVER(json)\nEG_DRIVER(dust)\n", "drivers/dust.c": "/* Dust. */\n"},
                       "drivers/drivers.def", 2, "tests/drivers/dust/ has no golden pair"),
    "no golden pair of a hyphen": ({"drivers/drivers.def": "EG_DRIVER(json)\nEG_DRIVER(a_b)\n", "drivers/a_b.c": "/* A. */\n"},
                                   "drivers/drivers.def", 2, "tests/drivers/a-b/ has no golden pair"),
    "no reject": ({"tests/drivers/json/bad.expect.json": '{"verdict":"decoded"}\n'}, "drivers/drivers.def", 2, "no reject"),
    "no driver": ({"drivers/drivers.def": "EG_DRIVER(json)\nEG_DRIVER(gone)\n"}, "drivers/drivers.def", 2, "drivers/gone.c is not there"),
    "a stale page": ({"include/ecogov/quantity.def": "EG_QUANTITY(a)\n",
                      "docs/quantities.py": '"""Renders."""\nimport sys\nprint("the page is stale")\nsys.exit(1)\n'},
                     "docs/quantities.md", 1, "the page is stale"),
    "no renderer": ({"include/ecogov/quantity.def": "EG_QUANTITY(a)\n"}, "include/ecogov/quantity.def", 1, "docs/quantities.py"),
    # text
    "no opening": ({JSON: "#include <ecogov/driver.h>\n"}, JSON, 1, "opens with a comment"),
    "no opening in Python": ({"tests/run.py": "#!/usr/bin/env python3\nimport sys\n"}, "tests/run.py", 1, "opens with a sentence"),
    "a tab": (driver("enum {\n\tA\n};\n"), JSON, 3, "a tab"),
    "trailing blanks": (driver("enum { A }; \n"), JSON, 2, "blanks at the end"),
    "no last line end": (driver("enum { A };"), JSON, 2, "no end"),
    "a wide line": (driver("/* " + "x" * 140 + " */\n"), JSON, 2, "at most 140"),
    "left for later": (driver("/* TO" + "DO: later */\n"), JSON, 2, "do it"),
    "left for later in a page": ({"README.md": "# ecogov\n\nFIX" + "ME\n"}, "README.md", 3, "do it"),
    "no guard": ({"daemon/base/log.h": "void eg_log(const char *text);\n"}, "daemon/base/log.h", 1, "no include guard"),
    "a guard of another": ({"daemon/base/log.h": GUARD.format("CLOCK", "")}, "daemon/base/log.h", 1, "is that of"),
    "a long function": (driver("int f(void)\n{\n" + "    ;\n" * 90 + "}\n"), JSON, 2, "f() has 93 lines"),
    "a long file": ({"drivers/kit/long.c": "/* Long. */\n" + "enum { A };\n" * 460}, "drivers/kit/long.c", 451, "461 lines"),
    "a broken script": ({"dev": "#!/bin/bash\nif true; then\n"}, "dev", 3, "unexpected end of file"),
}
for call in ("strcpy", "strcat", "sprintf", "vsprintf", "gets", "strtok", "atoi", "atol", "atof", "system", "popen", "alloca", "scanf",
             "sscanf", "fscanf", "strncpy", "rand", "srand", "localtime", "gmtime", "ctime"):
    FAULTS[f"{call}()"] = (driver(f"int f(void)\n{{\n    return {call} (1);\n}}\n"), JSON, 4, f"{call}() is not used here")


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found(fault, tmp_path):
    changes, name, line, fragment = FAULTS[fault]
    code, said = build(tmp_path, changes)
    found = [text for text in said[:-1] if text.startswith(f"{name}:{line}: ") and fragment in text]
    assert len(found) == 1, "\n".join(said)
    assert code == 1
    assert said[-1].endswith(f" checks, {len(said) - 1} findings")


HARMLESS = {
    "in a comment": "/* strcpy(a, b); printf(); int count; */\n// system(1) \\\n   popen(2)\n",
    "in a text": 'const char *const eg_text = "strcpy(a, \\"b\\") /* " "system(\\"x\\")";\nconst char eg_quote = \'"\';\n',
    "a member": "int f(struct t *t)\n{\n    return t->time(1) + t->a.system(2);\n}\n",
    "prototypes": "int g(void (*each)(void *arg, int a), void *arg);\n__attribute__((noreturn)) void h(int a);\n",
    "types": "struct t;\nstruct u {\n    int a;\n};\ntypedef int (*f_t)(int a);\nenum { A, B = 2 };\nunion v {\n    int a;\n};\n",
    "constants": "static const struct t *const rows[] = {0};\nstatic int (*const steps[])(int a) = {0};\nextern const int there;\n",
    "a function with a static constant": "int f(int a)\n{\n    static const int table[] = {1, 2};\n    int b = a;\n    return table[b];\n}\n",
    "words within words": "enum { XXXX, TODOS };\n",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_is_let_pass(name, tmp_path):
    code, said = build(tmp_path, driver(HARMLESS[name]))
    assert said[:-1] == [] and code == 0


@pytest.mark.skipif(not shutil.which("clang-format"), reason="clang-format is not installed")
def test_format(tmp_path):
    style = {".clang-format": (ROOT / ".clang-format").read_text(encoding="utf-8")}
    code, said = build(tmp_path, {**style, JSON: "/* json. */\nint f(void)\n{\n    return 0;\n}\n"})
    assert (code, said[:-1]) == (0, [])
    code, said = build(tmp_path, {**style, JSON: "/* json. */\nint f(void)\n{\n  return 0;\n}\n"})
    assert code == 1 and [text for text in said if text.startswith(f"{JSON}:3: is not as clang-format")]


def test_untracked_files_count_and_ignored_ones_do_not(tmp_path):
    build(tmp_path, {".gitignore": "/build/\n", "build/a.c": "int no_comment;\n", "drivers/kit/new.c": "int count;\n"})
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    code, said = lint(tmp_path)
    assert code == 1
    assert [text.split(":")[0] for text in said[:-1]] == ["drivers/kit/new.c", "drivers/kit/new.c"]

"""Each check finds what it is there to find: the fault is planted in a scratch copy of the source."""

import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPIED = ["src", "include", "tools", "cmake", "README.md", ".clang-format", ".clang-tidy"]


class Scratch:
    """A copy of the source, to plant faults in."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)
        (folder / "tests").mkdir()

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def check(self, name: str, *args: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [self.folder / "tools" / f"check-{name}.sh", *args],
            capture_output=True,
            text=True,
            timeout=300,
        )


@pytest.fixture
def scratch(tmp_path):
    return Scratch(tmp_path)


def assert_found(done: subprocess.CompletedProcess, *words: str) -> None:
    said = done.stdout + done.stderr
    assert done.returncode == 1, f"exit code {done.returncode}: {said}"
    for word in words:
        assert word in said, f"{word!r} is not in: {said}"


GUARDED = "#ifndef PLANTED_H\n#define PLANTED_H\n{}\n#endif\n"


def test_layers_hold_in_the_copy(scratch):
    done = scratch.check("layers")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "path, include, word",
    [
        ("src/base/planted.c", '"core/ring.h"', "base must not include"),
        ("src/core/planted.c", '"pipeline/spool.h"', "core must not include"),
        ("src/upload/planted.c", '"pipeline/spool.h"', "upload must not include"),
        ("src/pipeline/planted.c", '"app/config.h"', "pipeline must not include"),
        ("include/timesource/planted.h", '"pipeline/spool.h"', "timesource must not include"),
        ("src/core/planted.c", '"nowhere.h"', "is not beside it"),
        ("src/core/planted.c", '"base/nowhere.h"', "no file include/base/nowhere.h"),
        ("src/newlayer/planted.c", '"base/log.h"', "is no layer"),
    ],
)
def test_an_include_in_the_wrong_direction_is_found(scratch, path, include, word):
    scratch.write(path, f"#include {include}\n")
    assert_found(scratch.check("layers"), path, word)


def test_a_cycle_of_modules_is_found(scratch):
    scratch.write("include/core/one.h", '#include "core/two.h"\n')
    scratch.write("include/core/two.h", "\n")
    scratch.write("src/core/two.c", '#include "core/one.h"\n#include "core/two.h"\n')
    assert_found(scratch.check("layers"), "cycle", "core/one", "core/two")


def test_a_private_header_belongs_to_its_module(scratch):
    scratch.write("include/core/big.h", "\n")
    scratch.write("src/core/big_private.h", '#include "core/big.h"\n')
    scratch.write("src/core/big.c", '#include "big_private.h"\n')
    scratch.write("src/core/big_part.c", '#include "big_private.h"\n')
    done = scratch.check("layers")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "header", ["<curl/curl.h>", "<cjson/cJSON.h>", "<sys/timex.h>", "<openssl/ssl.h>"]
)
def test_a_second_file_that_knows_an_outside_world_is_found(scratch, header):
    scratch.write("src/core/planted_one.c", f"#include {header}\n")
    scratch.write("src/core/planted_two.c", f"#  include {header}\n")
    assert_found(scratch.check("layers"), "planted_one.c", "planted_two.c")


@pytest.mark.parametrize(
    "text",
    [
        GUARDED.format("void planted(size_t n);"),
        GUARDED.format("struct planted { missing_type t; };"),
        "struct planted { int a; };\n",
    ],
    ids=["include missing", "unknown type", "no guard"],
)
def test_a_header_that_does_not_stand_alone_is_found(scratch, text):
    scratch.write("include/core/planted.h", text)
    assert_found(scratch.check("headers"), "include/core/planted.h does not compile alone")


def test_headers_stand_alone_in_the_copy(scratch):
    done = scratch.check("headers")
    assert done.returncode == 0, done.stderr


def test_bad_format_is_found_and_fixed(scratch):
    scratch.write("src/core/planted.c", "int  planted( void ){return 1 ;}\n")
    assert_found(scratch.check("format"), "src/core/planted.c")
    assert scratch.check("format", "--fix").returncode == 0
    done = scratch.check("format")
    assert done.returncode == 0, done.stderr
    planted = (scratch.folder / "src/core/planted.c").read_text()
    assert planted == "int planted(void)\n{\n    return 1;\n}\n"


def function_of(lines: int) -> str:
    return "int planted(int a)\n{\n" + "    a++;\n" * (lines - 4) + "    return a;\n}\n"


def test_function_length_is_bounded_at_80(scratch):
    scratch.write("src/core/planted.c", function_of(80))
    assert scratch.check("size").returncode == 0
    scratch.write("src/core/planted.c", function_of(81))
    assert_found(scratch.check("size"), "src/core/planted.c:1: function planted has 81 lines")


def test_python_functions_are_bounded_too(scratch):
    scratch.write("tools/planted.py", "def planted():\n" + "    print()\n" * 80)
    assert_found(scratch.check("size"), "tools/planted.py:1: function planted has 81 lines")


@pytest.mark.parametrize("path", ["src/core/p.c", "include/core/p.h", "tools/p.py", "tools/p.sh"])
def test_file_length_is_bounded_at_450(scratch, path):
    comment = "//\n" if path.endswith(("c", "h")) and not path.endswith("sh") else "#\n"
    scratch.write(path, comment * 450)
    assert scratch.check("size").returncode == 0
    scratch.write(path, comment * 451)
    assert_found(scratch.check("size"), f"{path}: 451 lines")


BUGS = {
    "clang-tidy": """#include <string.h>
int planted(const char *a, const char *b);
int planted(const char *a, const char *b)
{
    if (strcmp(a, b)) {
        return sizeof(a) / sizeof(a[0]) > 3;
    }
    return memcmp(a, b, sizeof(a)) == 0;
}
""",
    "cppcheck": """int planted(int index);
int planted(int index)
{
    int values[4] = {1, 2, 3, 4};
    if (index == 9) {
        return values[index];
    }
    return 0;
}
""",
    "gcc": """#include <stdlib.h>
int planted(int wanted);
int planted(int wanted)
{
    int *value = malloc(sizeof *value);
    if (value == NULL) {
        return -1;
    }
    *value = wanted;
    return *value + 1;
}
""",
}


@pytest.mark.parametrize("tool", BUGS)
def test_a_bug_is_found_by_static_analysis(scratch, tool):
    scratch.write("src/base/planted.c", BUGS[tool])
    done = scratch.check("static", "src/base/planted.c")
    assert_found(done, "planted.c")
    found_by = done.stderr.rpartition("findings of:")[2]
    assert tool in found_by, done.stdout + done.stderr


def test_a_clean_file_passes_static_analysis(scratch):
    scratch.write("src/base/planted.c", "int planted(void);\nint planted(void)\n{\n    return 1;\n}\n")
    done = scratch.check("static", "src/base/planted.c")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_careless_shell_script_is_found(scratch):
    scratch.write("tools/planted.sh", "#!/bin/bash\nrm -rf $1/*\n")
    assert_found(scratch.check("shell"), "tools/planted.sh", "SC2086")


def test_a_table_of_settings_that_is_not_the_programs_is_found_and_put_right(scratch):
    # stands in for the program: prints one setting as --print-settings does
    scratch.write("program", "#!/bin/sh\necho '| setting |'\necho '| `planted` |'\n")
    (scratch.folder / "program").chmod(0o755)
    program = str(scratch.folder / "program")
    assert_found(scratch.check("readme", program), "+| `planted` |", "another table")
    assert scratch.check("readme", "--write", program).returncode == 0
    assert scratch.check("readme", program).returncode == 0
    readme = (scratch.folder / "README.md").read_text()
    assert "| `planted` |" in readme and "`sample_interval_ms` |" not in readme

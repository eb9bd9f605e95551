"""The documentation is true: its programs print what it says, its names and links exist.

How a page marks its code:

- a ```c fence with an `int main` is a program: compiled with warnings as errors, and run. Words behind the
  `c` are compiler flags (```c -fopenmp). It is linked with what its headers belong to. A first line `/* NAME.c … */` names its file. ```cpp likewise.
- a ```text fence right below a program is what it prints, stdout and stderr together; … stands for any text.
- any other ```c fence is compiled at file scope, or as statements if it is marked ```c fragment. A comment
  <!-- what the fragments … --> on the page holds the declarations that they need.
"""

import csv
import io
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from libraries import flags_for

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [*GUIDES, *(ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"))]

# stdout line by line, as on a terminal, so that it mixes with stderr in the order of events
LINE_BUFFERED = """
#include <stdio.h>
__attribute__((constructor)) static void by_lines(void) { setvbuf(stdout, NULL, _IOLBF, 0); }
"""


# ---- reading pages ----


@dataclass
class Fence:
    page: Path
    line: int
    language: str
    words: list
    text: str
    output: str = ""  # of the text fence right below

    @property
    def is_program(self):
        return self.language in ("c", "cpp") and "int main" in self.text

    def __str__(self):
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def fences_of(page):
    fences, lines = [], page.read_text().splitlines()
    opened, end = None, None
    for number, line in enumerate(lines, 1):
        if opened:
            if line != "```":
                opened.text += line + "\n"
                continue
            below_program = fences and end and not "".join(lines[end : opened.line - 1]).strip()
            if opened.language == "text" and below_program and fences[-1].is_program:
                fences[-1].output = opened.text
            else:
                fences.append(opened)
            opened, end = None, number
        elif line.startswith("```"):
            language, *words = line[3:].split() or [""]
            opened = Fence(page, number, language, words, "")
    assert not opened, f"{page}: the fence of line {opened.line} has no end"
    return fences


FENCES = [fence for page in GUIDES for fence in fences_of(page)]
PROGRAMS = [fence for fence in FENCES if fence.is_program]
FRAGMENTS = [fence for fence in FENCES if fence.language == "c" and not fence.is_program]


def declarations_for_fragments(page):
    comment = re.search(r"<!-- what the fragments.*?\n(.*?)-->", page.read_text(), re.S)
    return comment[1] if comment else "#include <within.h>\n"


def expected(text):
    """The text as a pattern, in which … is anything."""
    return re.compile(".*?".join(re.escape(part) for part in text.split("…")), re.S)


# ---- compiling ----


def compile_text(folder, build, text, name="program.c", flags=()):
    """Compile a text as a user would; from inside the folder, so that messages have the bare file name."""
    (folder / name).write_text(text)
    (folder / "by_lines_.c").write_text(LINE_BUFFERED)
    cxx = name.endswith(".cpp")
    compiler = shlex.split(os.environ.get("CXX", "c++") if cxx else os.environ.get("CC", "cc"))
    standard = "-std=c++17" if cxx else "-std=gnu11"
    command = [*compiler, standard, "-O1", "-Wall", "-Wextra", "-Werror", "-fexceptions"]
    command += [f"-I{ROOT / 'include'}", *flags, name]
    if "-c" not in flags:
        command += [] if cxx else ["by_lines_.c"]
        command += ["-o", "program", *flags_for(text, build)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stderr}"
    return folder / "program"


def skip_without_openmp(folder):
    (folder / "trivial.c").write_text("int main(void) { return 0; }\n")
    compiler = shlex.split(os.environ.get("CC", "cc"))
    done = subprocess.run([*compiler, "-fopenmp", "trivial.c", "-o", "trivial"], cwd=folder, capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"{compiler[0]} has no OpenMP here")


def run_program(fence, folder, build):
    if "-fopenmp" in fence.words:
        skip_without_openmp(folder)
    named = re.match(r"(?:/\*|//) (\w+\.(?:c|cpp))\b", fence.text)
    name = named[1] if named else "program." + fence.language
    program = compile_text(folder, build, fence.text, name, ["-Wshadow", *fence.words])
    program = program.rename(folder / name.rsplit(".", 1)[0])
    return subprocess.run(
        [f"./{program.name}"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )


# ---- code ----


@pytest.mark.parametrize("fence", PROGRAMS, ids=str)
def test_every_program_prints_what_its_page_says(fence, tmp_path, build):
    done = run_program(fence, tmp_path, build)
    assert done.returncode in (0, 1), done.stdout
    if fence.output:
        as_it_says = expected(fence.output).fullmatch(done.stdout) is not None
        assert as_it_says, f"{fence} is printed otherwise:\n{done.stdout}"
    else:
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("fence", FRAGMENTS, ids=str)
def test_every_fragment_compiles(fence, tmp_path, build):
    text = fence.text
    flags = [word for word in fence.words if word != "fragment"]
    if "fragment" in fence.words:
        text = "void fragment(void);\nvoid fragment(void) {\n" + text + "}\n"
    text = declarations_for_fragments(fence.page) + text
    compile_text(tmp_path, build, text, flags=["-c", "-Wno-unused", *flags])


SAMPLE = """
#include <within.h>
int main(void) {
    within (wi_section("sweep")) {
        for (int i = 0; i < 3; i++) {
            within (wi_section("snr, \\"dB\\"")) {
                for (int j = 0; j < 5; j++) within (wi_section("block")) continue;
            }
        }
    }
    char name[] = "named at run time";
    within (wi_section(name)) continue;
    return 0;
}
"""


def test_the_python_reader_of_the_format_reads_a_record(tmp_path, build, within):
    (reader,) = [f for f in fences_of(ROOT / "docs/formats/record.md") if f.language == "python"]
    program = compile_text(tmp_path, build, SAMPLE)
    record = tmp_path / "sample.within"
    subprocess.run([str(program)], env={**os.environ, "WITHIN_RECORD": str(record)}, check=True)
    script = tmp_path / "reader.py"
    script.write_text(reader.text)
    read = subprocess.run([sys.executable, script, record], capture_output=True, text=True)
    assert read.returncode == 0, read.stderr
    found = {path: int(calls) for calls, path in (line.split(None, 1) for line in read.stdout.splitlines())}
    report = subprocess.run([within, "report", "--csv", record], capture_output=True, text=True, check=True)
    rows = csv.DictReader(io.StringIO(report.stdout))
    assert found == {row["path"]: int(row["calls"]) for row in rows}
    assert found["sweep > snr, \"dB\" > block"] == 15


def test_the_offsets_of_the_format_are_those_of_the_structs(tmp_path, build):
    """Each table row `| offset | bytes | `member` |` below a heading that names a struct is checked."""
    page, struct, checks = (ROOT / "docs/formats/record.md").read_text(), None, []
    for line in page.splitlines():
        if line.startswith("#"):
            named = re.search(r"`(wi__\w+)`", line)
            struct = named[1] if named else None
        row = re.match(r"\| *(\d+) \| *(\d+) \| `(\w+)`", line)
        if struct and row:
            offset, size, member = row.groups()
            checks.append((struct, member, int(offset), int(size)))
    assert {check[0] for check in checks} >= {"wi__header", "wi__region", "wi__node", "wi__hold", "wi__tally"}
    asserts = "".join(
        f'_Static_assert(offsetof({s}, {m}) == {o} && sizeof((({s} *)0)->{m}) == {n}, "{s}.{m}");\n'
        for s, m, o, n in checks
    )
    header = ROOT / "src/record/format.h"
    compile_text(tmp_path, build, f'#include <stddef.h>\n#include "{header}"\n{asserts}', flags=["-c", "-Wno-unused"])
    for struct in {check[0] for check in checks}:
        declared = re.search(rf"typedef struct {struct} \{{(.*?)\n\}} {struct};", header.read_text(), re.S)[1]
        members = set(re.findall(r"(\w+)(?:\[[^\]]+\])?[,;]", re.sub(r"/\*.*?\*/", "", declared, flags=re.S)))
        assert members == {m for s, m, _, _ in checks if s == struct}, f"docs/formats/record.md: {struct}"


def test_the_buckets_of_the_format_are_those_of_the_library(tmp_path, build):
    page = (ROOT / "docs/formats/record.md").read_text()
    table = page.split("| ticks | bucket |")[1].split("\n\n")[0]
    shown = [(int(ticks), int(bucket)) for ticks, bucket in re.findall(r"\| (\d+) \| (\d+) \|", table)]
    assert len(shown) > 5
    checks = "".join(
        f'    if (wi__bucket({t}) != {b}) printf("%d: %u\\n", {t}, wi__bucket({t}));\n' for t, b in shown
    )
    header = ROOT / "src/record/format.h"
    source = f'#include <stdio.h>\n#include "{header}"\nint main(void) {{\n{checks}    return 0;\n}}\n'
    run = subprocess.run([compile_text(tmp_path, build, source)], capture_output=True, text=True, check=True)
    assert run.stdout == "", f"the library says otherwise: {run.stdout}"


# ---- names ----


NOT_FOR_USERS = {"WI_API"}  # an attribute of declarations in the headers


def public_names():
    names = set()
    for header in (ROOT / "include").rglob("*.h"):
        code = re.sub(r"/\*.*?\*/|//[^\n]*|\"[^\"\n]*\"", " ", header.read_text(), flags=re.S)
        names |= set(re.findall(r"\b(?:wi|WI)_(?!_)\w+", code))
    return sorted(names - NOT_FOR_USERS) + ["within"]


@pytest.mark.parametrize("name", public_names())
def test_every_public_name_is_explained(name):
    assert any(re.search(rf"\b{name}\b", page.read_text()) for page in GUIDES), f"no page mentions {name}"


def help_of(within, *command):
    return subprocess.run([within, *command, "--help"], capture_output=True, text=True, check=True).stdout


def page_of(command):
    pages = dict.fromkeys(("run", "report", "clean"), "docs/record.md") | {"push": "docs/runs/push.md"}
    return ROOT / pages.get(command, "docs/runs/shell.md")


def test_every_option_of_the_command_is_explained(within):
    commands = re.findall(r"^  (\w+) ", help_of(within).split("\ncommands\n")[1], re.M)
    assert commands
    for command in commands:
        page = page_of(command).read_text()
        assert f"within {command}" in page
        shown = subprocess.run([within, command, "--help"], capture_output=True, text=True)
        if "this installation has none" in shown.stderr:
            continue
        options = set(re.findall(r"^  (--[\w-]+)", shown.stdout, re.M)) - {"--help"}
        missing = [option for option in options if not re.search(rf"{option}\b", page)]
        assert options and not missing, f"{page_of(command)} does not mention {missing} of within {command}"


def test_every_environment_variable_is_explained():
    page = (ROOT / "docs/record.md").read_text()
    used = set()
    for source in (ROOT / "src").rglob("*.c"):
        used |= set(re.findall(r"(?:getenv|setenv)\(\"(\w+)\"", source.read_text()))
    assert used and not [name for name in used if f"`{name}" not in page]


def test_the_reports_shown_have_the_columns_of_today(tmp_path, build, within):
    program = compile_text(tmp_path, build, SAMPLE)
    run = subprocess.run([within, "run", "--", str(program)], cwd=tmp_path, capture_output=True, text=True, check=True)
    title = next(line for line in run.stderr.splitlines() if line.startswith("section "))
    for page in (ROOT / "README.md", ROOT / "docs/record.md", ROOT / "docs/python.md"):
        shown = [line for line in page.read_text().splitlines() if re.match(r"section +calls ", line)]
        assert shown, f"{page.name} shows no report"
        for line in shown:
            assert line.split() == title.split(), f"{page.name}: {line}"


# ---- links ----


def anchors_of(page):
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link} leads nowhere"
        if anchor:
            assert anchor in anchors_of(target), f"{page.name}: {link}: there is no such heading"

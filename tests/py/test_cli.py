"""The command itself: help, version, manual pages, and command lines that are wrong."""

import re
import shutil
import subprocess

import pytest

COMMANDS = "run", "report", "clean"
# In an executable of their own, where SQLite is.
RUNS_COMMANDS = "runs", "show", "compare", "plot", "export", "close", "delete"


@pytest.fixture
def call(within, tmp_path):
    """A function that calls the command in an empty folder."""

    def call_within(*words, **options):
        return subprocess.run(
            [within, *words], capture_output=True, text=True, cwd=tmp_path, timeout=60, **options
        )

    return call_within


def test_help_names_every_command(call):
    done = call("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for command in COMMANDS + RUNS_COMMANDS:
        assert re.search(rf"^  {command} +\S", done.stdout, re.MULTILINE)
    assert call("help").stdout == call("-h").stdout == done.stdout


def test_without_a_command_the_help_goes_to_stderr(call):
    done = call()
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == call("--help").stdout


def test_version(call, root):
    version = re.search(r'WI_VERSION "(.*)"', (root / "include/within/version.h").read_text())[1]
    done = call("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"within {version}\n", "")


@pytest.fixture(params=COMMANDS + RUNS_COMMANDS)
def command(request, build):
    """Each command that is built here."""
    if request.param in RUNS_COMMANDS and not (build / "src/cli/within-runs").exists():
        pytest.skip("within-runs is not built here")
    return request.param


def test_each_command_has_help_in_80_columns(call, command):
    done = call(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: within {command} " in done.stdout
    for part in "options", "exit status", "examples", "--help":
        assert part in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 82
    assert call("help", command).stdout == call(command, "-h").stdout == done.stdout


def test_manual_pages_come_from_the_same_text_as_the_help(call, command):
    help_text = call(command, "--help").stdout
    page = call("--man", command).stdout
    assert page.startswith('.\\" ')
    for part in "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES", "SEE ALSO":
        assert f"\n.SH {part}\n" in page
    plain = re.sub(r"\\f[BIR]", "", page).replace("\\-", "-")
    for option in re.findall(r"^  (--[a-z-]+)", help_text, re.MULTILINE):
        assert option in plain
    assert f"within-{command} - {help_text.split(': ', 1)[1].splitlines()[0]}" in plain


def test_the_overview_manual_page_names_commands_and_environment(call):
    page = call("--man").stdout.replace("\\-", "-")
    words = [f"within-{command}" for command in COMMANDS + RUNS_COMMANDS]
    for word in *words, "WITHIN_RECORD", "WITHIN_DATABASE", "WITHIN_RUN", "TMPDIR", "NO_COLOR":
        assert word in page


REQUESTS = {"TH", "SH", "PP", "TP", "B", "I", "BR", "nf", "fi", "RS", "RE", '\\"'}


def test_no_line_of_a_manual_page_is_taken_for_a_request(call, command):
    for words in [], [command]:
        for line in call("--man", *words).stdout.splitlines():
            if line[:1] in (".", "'"):
                assert line.split()[0][1:] in REQUESTS, line


@pytest.mark.parametrize("words", [["runs"], ["help", "plot"], ["run", "--name", "x", "true"]])
def test_what_is_not_installed_is_said(within, tmp_path, words):
    """Commands that need more libraries are executables beside `within`; here it stands alone."""
    alone = shutil.copy(within, tmp_path)
    done = subprocess.run([alone, *words], capture_output=True, text=True, timeout=60)
    command = "run --name" if words[0] == "run" else words[-1]
    assert done.returncode in (1, 125)
    assert done.stderr == f"within {command}: this installation has none: it was built without SQLite\n"


@pytest.mark.parametrize(
    ("words", "message", "command"),
    [
        (["repot"], "within: unknown command repot; did you mean report?", ""),
        (["rnu"], "within: unknown command rnu; did you mean run?", ""),
        (["help", "rum"], "within: unknown command rum; did you mean run?", ""),
        (["--verison"], "within: unknown option --verison; did you mean --version?", ""),
        (["report", "--jsn"], "within report: unknown option --jsn; did you mean --json?", " report"),
        (["report", "--dept=3"], "within report: unknown option --dept; did you mean --depth?", " report"),
        (["report", "--hlep"], "within report: unknown option --hlep; did you mean --help?", " report"),
        (["report", "-j"], "within report: unknown option -j; options begin with --", " report"),
        (["report", "--json=yes"], 'within report: --json takes no value, and got "yes"', " report"),
        (["report", "--depth"], "within report: --depth needs a value: --depth N", " report"),
        (["report", "--json", "--csv"], "within report: --json and --csv exclude each other", " report"),
        (["report", "a", "b"], 'within report: "b" is one argument too many', " report"),
        (["claen"], "within: unknown command claen; did you mean clean?", ""),
        (["clean", "--dryrun"], "within clean: unknown option --dryrun; did you mean --dry-run?", " clean"),
        (["clean", ".", "--older-than"], "within clean: --older-than needs a value: --older-than AGE", " clean"),
        (["run"], "within run: the command to run is missing: within run -- COMMAND", " run"),
        (["run", "--"], "within run: the command to run is missing: within run -- COMMAND", " run"),
        (["run", "--recrod", "x", "true"], "within run: unknown option --recrod; did you mean --record?", " run"),
        (["run", "--record=", "true"], "within run: --record needs a path, and got an empty one", " run"),
        (["run", "--name=", "true"], "within run: --name needs a name, and got an empty one", " run"),
        (["run", "--database", "x.db", "true"], "within run: --database is for a run with a --name", " run"),
    ],
)
def test_a_wrong_command_line_is_named_and_ends_with_status_2(call, tmp_path, words, message, command):
    done = call(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{message}\ntype: within{command} --help\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", ["0", "-1", "x", "3x", "", "99999999999999999999", "1.5"])
def test_a_depth_that_is_no_number_of_levels_is_named(call, number):
    done = call("report", f"--depth={number}")
    assert done.returncode == 2
    assert f'--depth takes a number of levels from 1 on, and got "{number}"' in done.stderr


@pytest.mark.parametrize("number", ["-1", "101", "x", "1%", "nan", ""])
def test_a_percentage_out_of_range_is_named(call, number):
    done = call("report", f"--min-percent={number}")
    assert done.returncode == 2
    assert f'--min-percent takes a number from 0 to 100, and got "{number}"' in done.stderr


def test_an_unknown_sort_key_names_the_nearest(call):
    done = call("report", "--sort", "tota")
    assert done.returncode == 2
    assert 'takes total, self, calls or name, and got "tota"; did you mean total?' in done.stderr


def test_a_very_long_unknown_option_does_no_harm(call):
    done = call("report", "--" + "x" * 100000)
    assert done.returncode == 2
    assert "did you mean --" in done.stderr


def test_a_full_disk_is_said(within):
    with open("/dev/full", "w") as full:
        done = subprocess.run([within, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr == "within: cannot write the output: No space left on device\n"

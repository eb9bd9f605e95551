"""wi_environment as programs write it: in C++ too, with more variables than fit, and in a program that is killed."""

import json
import subprocess

import pytest

CXX = """
#include <cstdio>
#include <cstdlib>
#include <string>
#include <within.h>

int main() {
    std::string threads = std::to_string(4);
    within (wi_environment({"THREADS", threads.c_str()}, {"HOME", nullptr})) {
        within (wi_workdir("/")) within (wi_threads(2))
            std::printf("%s %d\\n", std::getenv("THREADS"), std::getenv("HOME") == nullptr);
    }
    wi_environment kept = wi_environment({"THREADS", "5"});
    within (&kept) std::printf("%s\\n", std::getenv("THREADS"));
    within (wi_environment()) setenv("THREADS", "6", 1);
    std::printf("%d\\n", std::getenv("THREADS") == nullptr);
    return 0;
}
"""


def test_it_is_written_so_in_cxx(compile_c, tmp_path):
    program = compile_c(tmp_path, CXX, "-xc++", "-Wshadow", "-Werror")
    done = subprocess.run([program], capture_output=True, text=True, check=True, env={"HOME": "/root"})
    assert done.stdout == "4 1\n5\n1\n"


@pytest.mark.parametrize("language", [[], ["-xc++"]])
def test_more_variables_than_fit_are_a_compile_error(compile_c, tmp_path, language):
    def listing(count):
        variables = ", ".join(f'{{"V{i}", "{i}"}}' for i in range(count))
        return f"#include <within.h>\nint main(void) {{\n    within (wi_environment({variables})) continue;\n}}\n"

    assert subprocess.run([compile_c(tmp_path, listing(16), *language)]).returncode == 0
    with pytest.raises(RuntimeError) as refused:
        compile_c(tmp_path, listing(17), *language)
    assert language or "wi_environment has room for 16 variables: use wi_environment_of" in str(refused.value)


KILLED = """
#include <signal.h>
#include <within.h>
int main(void) {
    within (wi_section("solve")) within (wi_environment({"TOKEN", "secret"})) within (wi_workdir("/"))
        within (wi_threads(3)) raise(SIGKILL);
    return 0;
}
"""


def test_the_report_of_a_killed_program_has_what_was_changed(compile_c, tmp_path, within):
    program, record = compile_c(tmp_path, KILLED), tmp_path / "record"
    subprocess.run([program], env={"WITHIN_RECORD": str(record)})
    report = subprocess.run([within, "report", "--json", record], capture_output=True, text=True, check=True)
    assert b"secret" not in record.read_bytes()
    held = {(each["kind"], each["what"]) for each in find_all(json.loads(report.stdout), "kind")}
    assert held >= {("environment", "TOKEN"), ("workdir", "/"), ("threads", "3")}


def find_all(value, key):
    """All objects in it that have this key."""
    if isinstance(value, list):
        return [found for each in value for found in find_all(each, key)]
    if not isinstance(value, dict):
        return []
    return ([value] if key in value else []) + find_all(list(value.values()), key)

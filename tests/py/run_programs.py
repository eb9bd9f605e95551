"""What the tests of runs share: whoever looks next."""

import subprocess

# It says nothing, but is a run itself.
LOOKER = r"""
#include <within.h>
#include <within/run.h>
int main(void) {
    within (wi_run("looker")) continue;
    return 0;
}
"""


def look(compiled, folder):
    """Begin and end a run in a folder's runs.db: those of dead processes are put right on the way."""
    done = subprocess.run([compiled(LOOKER)], cwd=folder, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

"""How large records become: as large as the paths and the threads at once need, however many calls there are."""

import json
import os
import subprocess

import pytest

# Opens and closes sections over 20 paths, in its own thread or each time 1,000 in a new one; prints how much
# memory the process used after the first 1,000 and in the end.
PROGRAM = r"""
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <within.h>

static void measure(long calls) {
    static const char *const names[20] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                          "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"};
    for (long i = 0; i < calls; i++) within (wi_section(names[i % 20])) continue;
}
static void *thread(void *arg) {
    measure(1000);
    return arg;
}
static long kilobytes(void) {
    char line[256];
    long kilobytes = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld kB", &kilobytes) == 1) break;
    fclose(file);
    return kilobytes;
}
int main(int count, char **arguments) {
    long calls = atol(arguments[1]);
    int in_threads = count > 2;
    pthread_t other;
    measure(1000);
    if (in_threads) pthread_create(&other, NULL, thread, NULL), pthread_join(other, NULL);
    long before = kilobytes();
    if (!in_threads) measure(calls - 1000);
    for (long done = 2000; in_threads && done < calls; done += 1000) {
        pthread_create(&other, NULL, thread, NULL);
        pthread_join(other, NULL);
    }
    printf("%ld %ld\n", before, kilobytes());
    return 0;
}
"""

MOST_FILE_BYTES = 256 << 10  # what a record begins with: none of these needs more
MOST_MORE_KILOBYTES = 512  # of memory: some noise of the C library


def measure(compile_c, within, folder, *arguments):
    """Run the program; the memory that it took on, in kilobytes, the size of the record and all calls in it."""
    program, record = compile_c(folder, PROGRAM, "-O2"), folder / "record"
    environment = {**os.environ, "WITHIN_RECORD": str(record)}
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    before, after = map(int, done.stdout.split())
    report = subprocess.run([within, "report", record, "--json"], capture_output=True, text=True, check=True)
    calls = sum(section["calls"] for section in json.loads(report.stdout)["sections"])
    return after - before, record.stat().st_size, calls


@pytest.mark.parametrize(
    "calls", [10**6, pytest.param(10**7, marks=pytest.mark.long), pytest.param(10**8, marks=pytest.mark.long)]
)
def test_more_calls_take_no_more_memory(compile_c, within, tmp_path, calls):
    more_kilobytes, file_bytes, counted = measure(compile_c, within, tmp_path, str(calls))
    assert counted == calls
    assert file_bytes <= MOST_FILE_BYTES
    assert more_kilobytes <= MOST_MORE_KILOBYTES


@pytest.mark.parametrize("threads", [1000, pytest.param(10_000, marks=pytest.mark.long)])
def test_more_short_threads_take_no_more_memory(compile_c, within, tmp_path, threads):
    more_kilobytes, file_bytes, counted = measure(compile_c, within, tmp_path, str(1000 * threads), "threads")
    assert counted == 1000 * threads
    assert file_bytes <= MOST_FILE_BYTES
    assert more_kilobytes <= MOST_MORE_KILOBYTES

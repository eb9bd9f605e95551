"""Killed with -9 at random moments while three threads open and close sections: nothing measured is lost."""

import json
import mmap
import os
import random
import signal
import struct
import subprocess
import time

import pytest

THREADS, PATHS = 3, 2  # a thread's paths: its own section, and one inside

# The truth is kept beside the record, in another shared map: [begun, ended] by thread and path, counted
# right before a section begins and right after it has ended.
VICTIM = r"""
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include <within.h>

typedef struct { volatile uint64_t begun, ended; } truth;
static truth (*truths)[2];

static void *work(void *arg) {
    truth *mine = truths[(intptr_t)arg];
    char name[] = {'t', (char)('0' + (intptr_t)arg), 0};
    for (;;) {
        mine[0].begun++;
        within (wi_section(name)) {
            for (int i = 0; i < 5; i++) {
                mine[1].begun++;
                within (wi_section("inner")) {}
                mine[1].ended++;
            }
        }
        mine[0].ended++;
    }
    return NULL;
}

int main(int argc, char **argv) {
    int file = open(argv[argc - 1], O_RDWR);
    truths = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    pthread_t threads[2];
    for (intptr_t i = 0; i < 2; i++) pthread_create(&threads[i], NULL, work, (void *)i);
    work((void *)2);
}
"""


@pytest.fixture(scope="module")
def victim(compile_c, tmp_path_factory):
    return compile_c(tmp_path_factory.mktemp("victim"), VICTIM)


def kill_one(victim, folder, life_s):
    """Run the victim for a while and kill it: the truth, and the record's path."""
    record, truth = folder / "record.within", folder / "truth"
    truth.write_bytes(bytes(4096))
    record.unlink(missing_ok=True)
    process = subprocess.Popen([victim, truth], env={**os.environ, "WITHIN_RECORD": str(record)})
    time.sleep(life_s)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    with open(truth, "rb") as file, mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ) as shared:
        numbers = struct.unpack_from(f"{THREADS * PATHS * 2}Q", shared)
    names = [path for thread in range(THREADS) for path in (f"t{thread}", f"t{thread} > inner")]
    return dict(zip(names, zip(numbers[::2], numbers[1::2]))), record


def check(within, truth, record):
    """The record against the truth: at most the call in flight is missing."""
    nothing_ended = not any(ended for _, ended in truth.values())
    done = subprocess.run([within, "report", record, "--json"], capture_output=True, text=True)
    if nothing_ended and done.returncode == 1:
        return 0  # killed before its record was whole, and before it had measured anything
    assert done.returncode == 0, done.stderr
    profile = json.loads(done.stdout)
    sections = {section["path"]: section for section in profile["sections"]}
    for path, (begun, ended) in truth.items():
        section = sections.get(path, {"calls": 0, "open": 0})
        calls = section["calls"] - section["open"]
        assert ended <= calls <= begun, (path, ended, calls, begun)
        assert begun - ended <= 1 and section["open"] <= 1
        if calls:
            assert section["min_s"] <= section["mean_s"] <= section["max_s"]
    assert profile["damaged"] == 0
    open_paths = [scope["what"] for scope in profile["open"]]
    assert len(open_paths) == len(set(open_paths)) <= THREADS * PATHS
    return sum(ended for _, ended in truth.values())


def kill_many(within, victim, folder, kills, seed):
    moments = random.Random(seed)
    return sum(check(within, *kill_one(victim, folder, moments.uniform(0.001, 0.03))) for _ in range(kills))


@pytest.mark.parametrize("part", range(6))
def test_a_record_is_whole_after_each_of_fifty_kills(within, victim, tmp_path, part):
    assert kill_many(within, victim, tmp_path, 50, part) > 0


@pytest.mark.long
def test_a_record_is_whole_after_three_thousand_kills(within, victim, tmp_path):
    assert kill_many(within, victim, tmp_path, 3000, 1000) > 0

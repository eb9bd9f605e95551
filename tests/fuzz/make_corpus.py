#!/usr/bin/env python3
"""Makes the fuzzer's corpus: small real records, cut to the cells in use. Run it when the format changes.

    tests/fuzz/make_corpus.py BUILD     (a build folder, for its libwithin)
"""

import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
USED_CELLS = 1288  # offset of the header's used_cells

PROGRAM = r"""
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <within.h>

static void *thread(void *arg) {
    (void)arg;
    within (wi_section("thread")) {}
    return NULL;
}

static void nest(int depth) {
    if (depth) within (wi_section("level")) nest(depth - 1);
}

int main(int argc, char **argv) {
    char kind = argc > 1 ? argv[1][0] : 'e';
    pthread_t other;
    if (kind == 'e') within (wi_section("empty")) {}
    if (kind == 'n') nest(6);
    if (kind == 's')
        for (int i = 0; i < 3; i++) within (wi_suppress(WI_ERROR)) within (wi_section("fails")) wi_raise(WI_OS_ERROR, "no. %d", i);
    if (kind == 't') pthread_create(&other, NULL, thread, NULL), pthread_join(other, NULL), thread(NULL);
    if (kind == 'l') within (wi_section("a very long name, öäü \x01 \xff …………………………………………………………………………………………………………………………………………………………………………………………")) {}
    if (kind == 'k')
        within (wi_section("open")) within (wi_section("further in")) {
            wi_hold("file", "data.h5");
            kill(getpid(), SIGKILL);
        }
    return 0;
}
"""

def anonymous(record, name):
    """Without the machine that it was made on: boot id, host and command (src/record/format.h)."""
    texts = bytes(40) + b"host".ljust(64, b"\0") + f"example {name}".encode().ljust(1024, b"\0")
    return record[:32] + texts + record[32 + len(texts) :]


def cut(record):
    """Without the room to grow at its end, and its header agreeing."""
    cells = (len(record.rstrip(b"\0")) + 63) // 64
    return record[:USED_CELLS] + struct.pack("=I", cells) + record[USED_CELLS + 4 : cells * 64]


def main():
    build = Path(sys.argv[1]).resolve()
    corpus = ROOT / "tests" / "fuzz" / "corpus"
    corpus.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "p.c"), Path(folder, "p")
        source.write_text(PROGRAM)
        library = build / "src"
        flags = ["-std=gnu11", "-fexceptions", f"-I{ROOT}/include", f"-L{library}", f"-Wl,-rpath,{library}"]
        subprocess.run(["cc", source, "-o", program, *flags, "-lwithin", "-pthread"], check=True)
        for name in ["empty", "nested", "suppressed", "threads", "long-name", "killed"]:
            record = Path(folder, name)
            subprocess.run([program, name], env={**os.environ, "WITHIN_RECORD": str(record)})
            bytes_ = record.read_bytes()
            (corpus / name).write_bytes(cut(anonymous(bytes_, name)))


if __name__ == "__main__":
    main()

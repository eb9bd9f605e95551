"""The example: the bit error rate of BPSK agrees with its closed form, and bad options are refused."""

import csv
import math
import os
import subprocess
from pathlib import Path

import pytest

BER = Path(os.environ["WITHIN_BUILD"]) / "examples/ber/ber"


def ber(folder, *options):
    return subprocess.run([BER, *options], cwd=folder, capture_output=True, text=True)


def test_rates_agree_with_the_closed_form(tmp_path):
    done = ber(tmp_path, "--bits", "400000", "--snr-max", "6", "--snr-step", "0.5")
    assert done.returncode == 0, done.stdout + done.stderr
    with open(tmp_path / "ber.csv", newline="") as file:
        rows = [(float(row["snr"]), float(row["ber"])) for row in csv.DictReader(file)]
    assert [snr for snr, _ in rows] == [i / 2 for i in range(13)]
    for snr, rate in rows:
        expected = 0.5 * math.erfc(math.sqrt(10 ** (snr / 10)))
        assert rate == pytest.approx(expected, abs=5 * math.sqrt(expected / 400000))


def test_the_same_seed_gives_the_same_file_and_another_does_not(tmp_path):
    files = []
    for name, seed in [("a", "7"), ("b", "7"), ("c", "8")]:
        ber(tmp_path, "--bits", "20000", "--seed", seed, "--csv", name)
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1] != files[2]


def test_a_table_is_printed_and_no_progress_without_a_terminal(tmp_path):
    done = ber(tmp_path, "--bits", "10000", "--snr-max", "2")
    assert len(done.stdout.splitlines()) == 2 + 3
    assert done.stderr == ""


@pytest.mark.parametrize(
    "options, says",
    [
        (["--bits", "0"], "--bits: 0 is not between 1 and"),
        (["--bits", "-5"], '--bits: "-5" is not a whole number'),
        (["--bits", "many"], '--bits: "many" is not a whole number'),
        (["--seed", "99999999999999999999"], "--seed: 99999999999999999999 is not between"),
        (["--snr-min", "x"], '--snr-min: "x" is not a number'),
        (["--snr-min", "nan"], "--snr-min: nan dB is not between -100 and 100"),
        (["--snr-max", "-3"], "--snr-max: -3 dB is below --snr-min, 0 dB"),
        (["--snr-step", "0"], "--snr-step: 0 dB is not above 0"),
        (["--snr-step", "1e-9"], "makes more than 10000 points"),
        (["--bist", "3"], "unrecognized option '--bist'"),
        (["extra"], '"extra" is no option'),
    ],
)
def test_a_bad_option_is_named_and_nothing_is_written(tmp_path, options, says):
    done = ber(tmp_path, *options)
    assert done.returncode == 2
    assert says in done.stderr and "try ber --help" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_csv_that_cannot_be_written_is_named(tmp_path):
    done = ber(tmp_path, "--bits", "1000", "--csv", "missing/ber.csv")
    assert done.returncode == 1
    assert "open missing/ber.csv: No such file or directory" in done.stderr


def test_a_full_disk_is_noticed(tmp_path):
    done = ber(tmp_path, "--bits", "1000", "--csv", "/dev/full")
    assert done.returncode == 1
    assert "write /dev/full: No space left on device" in done.stderr

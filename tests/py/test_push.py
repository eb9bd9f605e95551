"""within push: what arrives at a stand-in server that fails on demand, once each, whatever breaks or is killed."""

import json
import os
import random
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections import Counter

import pytest
import run_tables
from run_tables import START_MS, line
from tracking_server import TrackingServer

FAULTS = ["500", "503", "429", "close", "reset", "hang", "cut", "garbage"]
# Carried out before they fail; 429 says that it was not.
LATE_FAULTS = [f"late-{fault}" for fault in FAULTS if fault != "429"]


@pytest.fixture
def server():
    """A stand-in server without faults."""
    server = TrackingServer()
    yield server
    server.close()


@pytest.fixture
def database(tmp_path):
    """A connection to a new database of runs, runs.db in tmp_path."""
    db = run_tables.make(tmp_path / "runs.db")
    yield db
    db.close()


@pytest.fixture
def push(build, tmp_path, monkeypatch):
    """A function push(*words, status=0) that runs the command in tmp_path; the finished process."""
    program = build / "src/cli/within-push"
    if not program.exists():
        pytest.skip("within-push is not built here: it needs libcurl, Jansson and SQLite")
    for name in "WITHIN_DATABASE", "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME":
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.chdir(tmp_path)

    def run(*words, status=0):
        command = [program.with_name("within"), "push", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    run.program = program
    return run


def expected(metrics):
    """What TrackingServer.points() is when each point is there once."""
    return Counter((key, step, ms, value) for key, points in metrics.items() for step, ms, value in points)


# ---- what arrives ----


def test_a_run_arrives_whole(database, push, server):
    metrics = {"energy": line(2500), "λ": line(3), "train/loss": line(1)}
    run = run_tables.add_run(
        database, "lorenz", params={"sigma": "10.0"}, tags={"who": "Ä"}, metrics=metrics, user="me", command="./sim"
    )
    done = push("--mlflow", server.url, run[:8])
    there = server.only_run()
    assert server.points() == expected(metrics)
    assert there["params"] == {"sigma": "10.0"}
    assert there["tags"] == {
        "who": "Ä",
        "mlflow.user": "me",
        "mlflow.source.name": "./sim",
        "mlflow.source.type": "LOCAL",
        "within.run": run,
        "within.status": "FINISHED",
    }
    info = there["info"]
    assert (info["run_name"], info["status"]) == ("lorenz", "FINISHED")
    assert (info["start_time"], info["end_time"]) == (START_MS, START_MS + 9000)
    assert server.experiments == {"lorenz": "1"}
    link = f"{server.url}/#/experiments/1/runs/{info['run_id']}"
    assert done.stdout == f"{run[:8]} lorenz: 2504 points, 6 parameters and tags sent; FINISHED: {link}\n"
    assert done.stderr == ""


def test_many_points_arrive_in_requests_of_a_thousand(database, push, server):
    metrics = {f"metric {i}": line(4000) for i in range(5)}
    run_tables.add_run(database, "long", metrics=metrics)
    push("--mlflow", server.url, "last")
    assert server.points() == expected(metrics)
    assert server.count("runs/log-batch") == 21


def test_a_second_call_sends_what_is_new_and_nothing_else(database, push, server):
    run = run_tables.add_run(database, "grows", "RUNNING", params={"a": "1"}, metrics={"x": line(1500)})
    push("--mlflow", server.url, "grows")
    assert server.only_run()["info"]["status"] == "RUNNING"
    batches = server.count("runs/log-batch")
    assert "0 points, 0 parameters and tags" in push("--mlflow", server.url, "grows").stdout
    assert server.count("runs/log-batch") == batches
    row = run_tables.row_of(database, run)
    run_tables.add_points(database, row, "x", line(700, first=1500))
    run_tables.add_points(database, row, "y", line(2))
    database.execute("UPDATE run SET status = 'FAILED', ended_ms = ?, error = 'it broke' WHERE id = ?", (START_MS, row))
    database.commit()
    assert "702 points, 2 parameters and tags" in push("--mlflow", server.url, "grows").stdout
    assert server.points() == expected({"x": line(2200), "y": line(2)})
    assert server.only_run()["info"]["status"] == "FAILED"
    assert server.only_run()["tags"]["within.error"] == "it broke"


@pytest.mark.parametrize("ours, theirs", [("INTERRUPTED", "KILLED"), ("KILLED", "KILLED"), ("RUNNING", "RUNNING")])
def test_the_status_is_one_that_mlflow_knows(database, push, server, ours, theirs):
    run_tables.add_run(database, "ended", ours)
    push("--mlflow", server.url, "last")
    assert server.only_run()["info"]["status"] == theirs
    assert server.only_run()["tags"]["within.status"] == ours


def test_numbers_that_json_has_not_are_mlflows_words(database, push, server):
    inf = float("inf")
    points = [(0, START_MS, float("nan")), (1, START_MS, inf), (-2, START_MS, -inf), (2**62, -5, 5e-324)]
    run_tables.add_run(database, "odd", metrics={"x": points})
    push("--mlflow", server.url, "last")
    words = [("x", 0, START_MS, "NaN"), ("x", 1, START_MS, "Infinity"), ("x", -2, START_MS, "-Infinity")]
    assert server.points() == Counter([*words, ("x", 2**62, 0, 5e-324)])


def test_names_and_values_that_mlflow_refuses_are_changed_and_that_is_said(database, push, server):
    names = ["loss?", "loss!", "a//b", "../up", "/root", "dots..", ".", "x" * 300, "x" * 301, "Σ", "→", "tab\t"]
    run_tables.add_run(database, "names", params={"long": "ü" * 7000}, metrics={name: line(1) for name in names})
    done = push("--mlflow", server.url, "last")
    there = {key for key, *_ in server.points()}
    assert len(there) == len(names)
    assert {"dots..", "Σ"} <= there
    assert all(len(key) <= 250 and not key.startswith(("/", "..")) and "//" not in key for key in there)
    assert server.only_run()["params"]["long"] == "ü" * 6000
    assert "MLflow does not take as they are, and has changed or cut: long, " in done.stderr
    assert "and 7 more" in done.stderr


def test_bytes_that_are_no_utf8_are_replaced(database, push, server):
    run = run_tables.add_run(database, "bytes")
    database.execute("INSERT INTO param VALUES (?, 'p', CAST(x'61ff62' AS TEXT))", (run_tables.row_of(database, run),))
    database.commit()
    push("--mlflow", server.url, "last")
    assert server.only_run()["params"] == {"p": "a\ufffdb"}


def test_many_parameters_go_in_several_requests_within_the_limits(database, push, server):
    params = {f"p{i}": "\x01" * 6000 if i % 2 else "é" * 6000 for i in range(250)}
    run_tables.add_run(database, "texts", params=params)
    push("--mlflow", server.url, "last")
    assert server.only_run()["params"] == params


def test_a_child_is_told_its_parent(database, push, server):
    run_tables.add_run(database, "parent")
    parent = database.execute("SELECT id, uuid FROM run").fetchone()
    run_tables.add_run(database, "child", parent=parent[0])
    push("--mlflow", server.url, "child", "parent")
    runs = {run["info"]["run_name"]: run for run in server.runs.values()}
    assert runs["child"]["tags"]["mlflow.parentRunId"] == runs["parent"]["info"]["run_id"]
    assert runs["child"]["tags"]["within.parent"] == parent[1]


def test_runs_go_into_the_experiment_that_is_asked_for(database, push, server):
    server.experiments["mine"] = "7"
    run_tables.add_run(database, "a")
    run_tables.add_run(database, "b")
    push("--mlflow", server.url + "/", "--experiment", "mine", "a", "b", "a")
    assert [run["info"]["experiment_id"] for run in server.runs.values()] == ["7", "7"]


def test_again_makes_a_new_run(database, push, server):
    run_tables.add_run(database, "twice", metrics={"x": line(5)})
    push("--mlflow", server.url, "last")
    push("--mlflow", server.url, "--again", "last")
    assert [len(run["metrics"]) for run in server.runs.values()] == [5, 5]


def test_two_servers_are_two(database, push, server):
    run_tables.add_run(database, "both", metrics={"x": line(5)})
    other = TrackingServer()
    for each in server, other:
        push("--mlflow", each.url, "last")
    other.close()
    assert server.points() == other.points() == expected({"x": line(5)})


# ---- who asks ----


@pytest.mark.parametrize(
    "environment, header",
    [
        ({"MLFLOW_TRACKING_TOKEN": "secret"}, "Bearer secret"),
        ({"MLFLOW_TRACKING_USERNAME": "me", "MLFLOW_TRACKING_PASSWORD": "secret"}, "Basic bWU6c2VjcmV0"),
    ],
)
def test_credentials_are_those_of_mlflows_clients(database, push, server, monkeypatch, environment, header):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    run_tables.add_run(database, "mine")
    push("last")
    assert {headers["Authorization"] for _, _, headers in server.requests} == {header}
    assert "secret" not in "".join(database.iterdump())


def test_a_certificate_that_nobody_signed_is_refused_at_once(database, push, tmp_path):
    import ssl

    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "cert", "-days", "1"]
    if subprocess.run([*made, "-subj", "/CN=127.0.0.1"], capture_output=True, cwd=tmp_path).returncode != 0:
        pytest.skip("openssl is not installed here")
    server = TrackingServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    server.web.socket = context.wrap_socket(server.web.socket, server_side=True)
    run_tables.add_run(database, "safe")
    done = push("--mlflow", server.url.replace("http", "https"), "last", status=1)
    server.close()
    assert "certificate" in done.stderr
    assert not server.requests


@pytest.mark.parametrize(
    "words, message",
    [
        (["last"], "which server? give --mlflow URL, or set MLFLOW_TRACKING_URI"),
        (["--mlflow", "databricks", "last"], 'begins with http:// or https://, and "databricks" does not'),
        (["--mlflow", "http://me:secret@h/", "last"], "a password in the URL would be stored"),
        (["--mlflow", "http://h"], "which run?"),
        (["--mlflow", "http://h", "--timeout", "0", "last"], '--timeout takes a number of seconds, and got "0"'),
        (["--mlflow", "http://h", "--patience", "x", "last"], "--patience takes a number of seconds"),
        (["--mlflow", "http://h", "--experiment", "", "last"], "an experiment needs a name"),
    ],
)
def test_a_wrong_command_line_is_told(push, words, message):
    assert message in push(*words, status=2).stderr


def test_what_is_no_run_and_no_database_is_told(database, push, server, tmp_path):
    run_tables.add_run(database, "somebody")
    assert 'no run has the name or id "nobody"' in push("--mlflow", server.url, "nobody", status=1).stderr
    assert "none.db" in push("--mlflow", server.url, "--database", "none.db", "last", status=1).stderr
    assert not (tmp_path / "none.db").exists()
    assert not server.requests


# ---- faults ----


@pytest.mark.parametrize("fault", [*FAULTS, *LATE_FAULTS])
def test_a_request_that_fails_is_made_up_for_and_nothing_is_there_twice(database, push, server, fault):
    metrics = {"x": line(1500), "y": line(300), "same": [(0, START_MS, 1.0)] * 3}
    run_tables.add_run(database, "trouble", params={"a": "1"}, metrics=metrics)
    paths = "runs/create", "runs/log-batch", "points", "points", "runs/update"
    server.faults = [(path, fault) for path in paths]
    push("--mlflow", server.url, "--timeout", "0.25", "last")
    assert server.faults == []
    assert server.points() == expected(metrics)
    assert server.only_run()["info"]["status"] == "FINISHED"


@pytest.mark.parametrize("seed", [1, 2])
def test_many_faults_in_a_row_are_outlived(database, push, server, seed):
    rng = random.Random(seed)
    metrics = {"x": line(7000), "same": [(0, START_MS, 1.0)] * 1500}
    run_tables.add_run(database, "trouble", metrics=metrics)
    kinds = [fault for fault in FAULTS + LATE_FAULTS if "hang" not in fault]
    server.faults = [(rng.choice(["*", "points", "points"]), rng.choice(kinds)) for _ in range(8)]
    push("--mlflow", server.url, "--timeout", "1", "last")
    assert server.points() == expected(metrics)


@pytest.mark.parametrize("fault", ["close", "late-close"])
def test_a_point_that_was_there_before_is_not_taken_for_its_equal(database, push, server, fault):
    metrics = {"same": [(0, START_MS, 1.0)] * 1500}
    run_tables.add_run(database, "equal", metrics=metrics)
    server.faults = [("points", "fine"), ("points", fault)]
    push("--mlflow", server.url, "last")
    assert server.points() == expected(metrics)


def test_a_server_that_refuses_the_connection_is_waited_for(database, push):
    run_tables.add_run(database, "early", metrics={"x": line(3)})
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    late = []
    timer = threading.Timer(0.6, lambda: late.append(TrackingServer(port)))
    timer.start()
    push("--mlflow", f"http://127.0.0.1:{port}", "last")
    assert late[0].points() == expected({"x": line(3)})
    late[0].close()


def test_patience_ends_with_the_last_trouble_and_a_later_call_goes_on(database, push, server):
    run_tables.add_run(database, "down", metrics={"x": line(2500)})
    server.faults = [("points", "429"), ("points", "late-close")] + [("*", "503")] * 20
    done = push("--mlflow", server.url, "--patience", "0.5", "last", status=1)
    assert "metrics/get-history: given up after" in done.stderr
    assert "503" in done.stderr
    server.faults = []
    push("--mlflow", server.url, "last")
    assert server.points() == expected({"x": line(2500)})


def test_the_servers_own_words_are_told(database, push, server):
    run_tables.add_run(database, "gone", metrics={"x": line(5)})
    run_tables.add_run(database, "fine", metrics={"x": line(5)})
    push("--mlflow", server.url, "gone")
    server.runs.clear()
    done = push("--mlflow", server.url, "gone", "fine", status=1)
    assert "--again pushes it as a new one" in done.stderr
    assert server.points() == expected({"x": line(5)})
    server.faults = [("experiments/get-by-name", "403")]
    run_tables.add_run(database, "forbidden")
    done = push("--mlflow", server.url, "forbidden", status=1)
    assert "experiments/get-by-name: 403 TEMPORARILY_UNAVAILABLE: not now" in done.stderr


# ---- kills, interrupts, several at once ----


def kill_until_all_is_there(push, server, times, longest_s, seed):
    """Start and kill `times` times, then let one call end."""
    rng = random.Random(seed)
    for _ in range(times):
        process = subprocess.Popen([push.program, "push", "--mlflow", server.url, "last"], stdout=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, longest_s))
        process.kill()
        process.wait()
    push("--mlflow", server.url, "last")


def test_a_killed_push_is_gone_on_with_and_each_point_is_there_once(database, push, server):
    metrics = {"x": line(20_000), "y": line(2000), "same": [(0, START_MS, 1.0)] * 500}
    run_tables.add_run(database, "killed", params={"a": "1"}, metrics=metrics)
    server.pause_s = 0.01
    kill_until_all_is_there(push, server, times=16, longest_s=0.12, seed=1)
    assert server.points() == expected(metrics)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.long
def test_three_hundred_kills_double_and_lose_nothing(database, push, server):
    metrics = {"x": line(300_000), "same": [(0, START_MS, 1.0)] * 5000}
    run_tables.add_run(database, "killed", params={"a": "1"}, metrics=metrics)
    server.page = 10_000
    kill_until_all_is_there(push, server, times=300, longest_s=0.2, seed=2)
    assert server.points() == expected(metrics)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def follow(push, server, *words):
    """A push that follows the last run, in the background."""
    command = [push.program, "push", "--mlflow", server.url, "--follow", *words, "last"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition):
    """Wait until it holds, for half a minute at most."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_live_run_is_followed_to_its_end(database, push, server):
    run = run_tables.row_of(database, run_tables.add_run(database, "live", "RUNNING", metrics={"x": line(10)}))
    process = follow(push, server)
    wait_for(lambda: server.runs and len(server.only_run()["metrics"]) == 10)
    for i in range(2):
        run_tables.add_points(database, run, "x", line(100, first=10 + 100 * i))
        database.commit()
        wait_for(lambda: len(server.only_run()["metrics"]) == 110 + 100 * i)
    assert process.poll() is None
    run_tables.add_points(database, run, "last", line(2))
    database.execute("UPDATE run SET status = 'FINISHED', ended_ms = ? WHERE id = ?", (START_MS + 5, run))
    database.commit()
    assert process.communicate(timeout=30)[1] == "" and process.returncode == 0
    assert server.points() == expected({"x": line(210), "last": line(2)})
    assert server.only_run()["info"]["status"] == "FINISHED"


LIVE = r"""
#include <stdio.h>
#include <unistd.h>
#include <within.h>
#include <within/run.h>

int main(void) {
    within (run, wi_run("live")) {
        for (int step = 0; step < 5000; step++) wi_run_metric(run, "x", step, step * 0.5);
        puts("logged");
        fflush(stdout);
        pause();
    }
    return 0;
}
"""


def test_a_followed_run_that_is_killed_ends_there_too(database, push, server, compile_c, tmp_path):
    program = subprocess.Popen([compile_c(tmp_path, LIVE)], stdout=subprocess.PIPE, text=True)
    assert program.stdout.readline() == "logged\n"
    process = follow(push, server)
    wait_for(lambda: server.runs and len(server.only_run()["metrics"]) == 5000)
    assert server.only_run()["info"]["status"] == "RUNNING"
    program.kill()
    program.communicate()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert server.only_run()["info"]["status"] == "KILLED"
    assert sorted(step for _, step, _, _ in server.only_run()["metrics"]) == list(range(5000))


def test_ctrl_c_stops_it_at_once_and_a_later_call_goes_on(database, push, server):
    run_tables.add_run(database, "stopped", metrics={"x": line(3000)})
    server.faults = [("points", "late-hang")]
    process = follow(push, server)
    wait_for(lambda: server.runs and server.only_run()["metrics"])
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT
    assert errors == "within push: stopped; the same command goes on from here\n"
    push("--mlflow", server.url, "last")
    assert server.points() == expected({"x": line(3000)})


def test_a_run_is_pushed_by_one_process_at_a_time(database, push, server):
    run_tables.add_run(database, "live", "RUNNING", metrics={"x": line(10)})
    process = follow(push, server)
    wait_for(lambda: server.runs and len(server.only_run()["metrics"]) == 10)
    done = push("--mlflow", server.url, "last", status=1)
    assert f"it is being pushed there by process {process.pid}" in done.stderr
    process.kill()
    process.communicate()
    push("--mlflow", server.url, "last")
    assert server.points() == expected({"x": line(10)})


def test_another_hosts_push_holds_a_run_for_five_minutes(database, push, server):
    run = run_tables.row_of(database, run_tables.add_run(database, "shared"))
    for age_ms, status in (0, 1), (301_000, 0):
        state = {"owner": ".push.within-1-1-00000000-ffffffff-0", "ms": int(time.time() * 1000) - age_ms}
        database.execute(
            "INSERT OR REPLACE INTO pushed VALUES (?, ?, '', ?)", (run, server.url, json.dumps(state))
        )
        database.commit()
        done = push("--mlflow", server.url, "last", status=status)
        assert ("of another host" in done.stderr) == (status == 1)


def test_progress_is_for_a_terminal_alone(database, push, server):
    run_tables.add_run(database, "shown", metrics={"x": line(3000)})
    ours, theirs = os.openpty()
    command = [push.program, "push", "--mlflow", server.url, "last"]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "\rshown: 0 of 3000 points" in shown and shown.endswith("\r\x1b[K")


def test_a_push_waits_for_others_that_write_the_database(database, push, server):
    run_tables.add_run(database, "busy", metrics={"x": line(10)})
    other = sqlite3.connect("runs.db", check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, other.rollback)
    timer.start()
    push("--mlflow", server.url, "last")
    assert server.points() == expected({"x": line(10)})

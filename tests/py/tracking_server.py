"""A stand-in for an MLflow server: the calls of its REST API that within-push makes, and faults on demand.

It checks MLflow's limits, and stores a point as often as it is sent: so it shows what is sent twice, which MLflow's
own server on a database would drop.
"""

import json
import re
import socket
import struct
import threading
import time
import uuid
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

PREFIX = "/api/2.0/mlflow/"
NAME = re.compile(r"[/\w.\- :]+")


class Refused(Exception):
    """What the server answers in place of a result."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


def check(condition, message):
    """Refuse what MLflow refuses."""
    if not condition:
        raise Refused(400, "INVALID_PARAMETER_VALUE", message)


class TrackingServer:
    """Experiments and runs in memory. `faults` is a list of (path, kind), each used by one request; the path
    "points" is a runs/log-batch with metrics, "*" any.

    kinds: a status as "503", "hang", "close", "reset", "cut" (in the middle of the answer), "garbage" and "fine". With "late-" before
    it the request is carried out first.
    """

    def __init__(self, port=0):
        self.experiments, self.runs, self.faults, self.requests = {}, {}, [], []
        self.lock = threading.Lock()
        self.pause_s = 0
        self.page = 1000
        self.web = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.web.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.web.server_port}"
        threading.Thread(target=self.web.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        """Stop, and free the port."""
        self.web.shutdown()
        self.web.server_close()

    def only_run(self):
        """The one run that there is."""
        (run,) = self.runs.values()
        return run

    def points(self):
        """How often each point of the one run is there: {(key, step, ms, value): times}."""
        return Counter(self.only_run()["metrics"])

    def count(self, path):
        """How many requests went to a path."""
        return sum(asked == path for asked, _, _ in self.requests)

    # ---- the API ----

    def call(self, path, body):
        """Carry out a request; its answer."""
        with self.lock:
            return getattr(self, path.replace("/", "_").replace("-", "_"))(body)

    def experiments_get_by_name(self, body):
        name = body["experiment_name"]
        if name not in self.experiments:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Could not find experiment with name '{name}'")
        return {"experiment": {"experiment_id": self.experiments[name], "name": name}}

    def experiments_create(self, body):
        if body["name"] in self.experiments:
            raise Refused(400, "RESOURCE_ALREADY_EXISTS", f"Experiment(name={body['name']}) already exists.")
        self.experiments[body["name"]] = str(len(self.experiments) + 1)
        return {"experiment_id": self.experiments[body["name"]]}

    def runs_create(self, body):
        assert body["experiment_id"] in self.experiments.values()
        run = {"info": {"run_id": uuid.uuid4().hex, "status": "RUNNING", **body}, "metrics": [], "params": {}, "tags": {}}
        run["tags"].update({tag["key"]: tag["value"] for tag in body["tags"]})
        self.runs[run["info"]["run_id"]] = run
        return {"run": self.shown(run)}

    def runs_search(self, body):
        wanted = re.fullmatch(r"tags\.`within\.run` = '(\w+)'", body["filter"])[1]
        found = [run for run in self.runs.values() if run["tags"].get("within.run") == wanted]
        return {"runs": [self.shown(run) for run in found]} if found else {}

    def runs_get(self, body):
        return {"run": self.shown(self.run_of(body))}

    def runs_update(self, body):
        run = self.run_of(body)
        run["info"].update({key: body[key] for key in ("status", "end_time") if key in body})
        return {"run_info": run["info"]}

    def runs_log_batch(self, body):
        run = self.run_of(body)
        params, tags, metrics = (body.get(part, []) for part in ("params", "tags", "metrics"))
        check(len(metrics) <= 1000 and len(params) <= 100 and len(tags) <= 100, "too many")
        for item in params + tags + metrics:
            check(NAME.fullmatch(item["key"]) and len(item["key"]) <= 250, f"Invalid name: {item['key']}")
        for param in params:
            check(len(param["value"]) <= 6000, "too long")
            check(run["params"].get(param["key"], param["value"]) == param["value"], "changed")
        run["params"].update({param["key"]: param["value"] for param in params})
        run["tags"].update({tag["key"]: tag["value"] for tag in tags})
        run["metrics"] += [(m["key"], m["step"], m["timestamp"], m["value"]) for m in metrics]
        return {}

    def metrics_get_history(self, body):
        points = sorted((p for p in self.run_of(body)["metrics"] if p[0] == body["metric_key"]), key=lambda p: p[1:3])
        first = int(body.get("page_token", "0"))
        keys = "key", "step", "timestamp", "value"
        answer = {"metrics": [dict(zip(keys, point)) for point in points[first : first + self.page]]}
        if first + self.page < len(points):
            answer["next_page_token"] = str(first + self.page)
        return answer

    def run_of(self, body):
        if body["run_id"] not in self.runs:
            raise Refused(404, "RESOURCE_DOES_NOT_EXIST", f"Run with id={body['run_id']} not found")
        return self.runs[body["run_id"]]

    @staticmethod
    def shown(run):
        data = {part: [{"key": k, "value": v} for k, v in run[part].items()] for part in ("params", "tags")}
        return {"info": run["info"], "data": data}

    # ---- HTTP ----

    def fault_for(self, path):
        """The next fault, if it is for this path; it is used up."""
        with self.lock:
            if self.faults and self.faults[0][0] in (path, "*"):
                return self.faults.pop(0)[1].removeprefix("fine")
        return ""

    def _handler(server):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = urlsplit(self.path)
                self.serve(parts.path, dict(parse_qsl(parts.query)))

            def do_POST(self):
                text = self.rfile.read(int(self.headers["Content-Length"]))
                assert len(text) <= 1_000_000, len(text)
                self.serve(self.path, json.loads(text))

            def serve(self, path, body):
                assert path.startswith(PREFIX), path
                path = path[len(PREFIX) :]
                server.requests.append((path, body, dict(self.headers)))
                time.sleep(server.pause_s)
                fault = server.fault_for("points" if body.get("metrics") else path)
                answer = (200, {})
                if not fault or fault.startswith("late-"):
                    answer = self.carry_out(path, body)
                self.fail(fault.removeprefix("late-"), answer) if fault else self.answer(*answer)

            def carry_out(self, path, body):
                try:
                    return 200, server.call(path, body)
                except Refused as refused:
                    return refused.status, {"error_code": refused.code, "message": str(refused)}

            def answer(self, status, body):
                self.send(status, json.dumps(body).encode())

            def send(self, status, text, length=None):
                self.send_response(status)
                self.send_header("Content-Length", str(length or len(text)))
                self.end_headers()
                self.wfile.write(text)

            def fail(self, kind, answer):
                self.close_connection = True
                if kind == "garbage":
                    self.send(200, b"<html>Please log in</html>")
                elif kind == "cut":
                    self.send(200, b'{"run": {"info"', 1000)
                elif kind == "hang":
                    time.sleep(30)
                elif kind == "reset":
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif kind.isdigit():
                    self.answer(int(kind), {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "not now"})

            def log_message(self, *_):
                pass

        return Handler

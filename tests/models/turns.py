"""Turns of a running service with model servers that others wrote. Started by tests/models/run."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

PASSWORD = "correct horse battery"
TURN_SECS_MAX = 600
READY_SECS_MAX = 20
# Attempts, the pauses between them, and a slow machine.
MENDED_SECS_MAX = 60

# What llmock does to the turn, and how the turn may end; "answered" where the service can mend it.
REPLY = {"type": "reply", "text": "Two users: Ann and Bob."}
SCENARIOS = [
    ("a plain answer", [REPLY], "answered"),
    ("a call, then an answer", [{"type": "reply", "tool_calls": [{"name": "listUsers", "arguments": {}}]}, REPLY], "answered"),
    ("429 with Retry-After", [{"type": "fail", "status": 429, "retry_after": 1}, REPLY], "answered"),
    ("429 without", [{"type": "fail", "status": 429}, REPLY], "answered"),
    ("500", [{"type": "fail", "status": 500}, REPLY], "answered"),
    ("503 twice", [{"type": "fail", "status": 503, "times": 2}, REPLY], "answered"),
    ("529", [{"type": "fail", "status": 529}, REPLY], "answered"),
    ("400", [{"type": "fail", "status": 400}], "refused"),
    ("401", [{"type": "fail", "status": 401}], "refused"),
    ("404", [{"type": "fail", "status": 404}], "refused"),
    ("500 for ever", [{"type": "fail", "status": 500, "times": None}], "refused"),
    ("a slow answer", [{"type": "delay", "seconds": 1}, REPLY], "answered"),
    ("a slow first token", [{"type": "slow_first_token", "seconds": 1}, REPLY], "answered"),
    ("a connection that breaks", [{"type": "stream_fault", "kind": "disconnect", "after_chunks": 2}, dict(REPLY, times=2)], "answered"),
    ("a stream cut at once", [{"type": "stream_fault", "kind": "truncate", "after_chunks": 0}, dict(REPLY, times=2)], "answered"),
    ("a stream cut in its words", [{"type": "stream_fault", "kind": "truncate", "after_chunks": 3}, dict(REPLY, times=2)], "answered"),
    ("a stream cut twice", [{"type": "stream_fault", "kind": "truncate", "after_chunks": 3, "times": 2}, dict(REPLY, times=3)], "answered"),
    ("a chunk that is no JSON", [{"type": "stream_fault", "kind": "malformed", "after_chunks": 2}, dict(REPLY, times=2)], "answered"),
    ("a stream that stalls", [{"type": "stream_fault", "kind": "stall", "after_chunks": 2, "stall_seconds": 8}, REPLY], "any"),
    ("arguments that are no JSON", [{"type": "tool_fault", "kind": "malformed_arguments"}, REPLY], "answered"),
    ("a function that is not there", [{"type": "tool_fault", "kind": "unknown_tool"}, REPLY], "answered"),
]

failed = []
passed = 0


def check(what, holds, told=""):
    global passed
    if holds:
        passed += 1
    else:
        failed.append(what)
        print(f"FAILED: {what}: {str(told)[:2000]}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ask(url, body=None, token=None, method=None, accept="application/json"):
    headers = {"Content-Type": "application/json", "Accept": accept}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TURN_SECS_MAX) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def answers(url):
    end = time.monotonic() + READY_SECS_MAX
    while time.monotonic() < end:
        try:
            if ask(url)[0] == 200:
                return True
        except OSError:
            pass
        time.sleep(0.1)
    return False


class Running:
    """A program that runs until the block is left."""

    def __init__(self, command, log, **environment):
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=os.environ | environment, cwd=os.path.dirname(log))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Service(Running):
    def __init__(self, binary, directory, model_url, model, **more):
        self.url = f"http://127.0.0.1:{free_port()}"
        super().__init__(
            [binary],
            os.path.join(directory, "service.log"),
            SAA_SERVER__PORT=self.url.rsplit(":", 1)[1],
            SAA_STORE__DATA_DIR=os.path.join(directory, "data"),
            SAA_AUTH__ADMIN_USERNAME="admin",
            SAA_AUTH__ADMIN_PASSWORD=PASSWORD,
            SAA_LLM__URL=model_url,
            SAA_LLM__MODEL=model,
            SAA_LLM__API_KEY="sk-nobody",
            # What the model plans is sent at once.
            SAA_AGENT__CONFIRM="never",
            **more,
        )
        try:
            assert answers(f"{self.url}/health/live"), open(os.path.join(directory, "service.log")).read()[-3000:]
            status, told = ask(f"{self.url}/api/login", {"username": "admin", "password": PASSWORD})
            assert status == 200, told
        except BaseException:
            # Nobody leaves a block that was not entered.
            self.__exit__()
            raise
        self.token = json.loads(told)["token"]

    def turn(self, message, streamed):
        """How the turn ended: its last event or its answer, and the names of its events."""
        accept = "text/event-stream" if streamed else "application/json"
        status, told = ask(f"{self.url}/api/process", {"message": message}, self.token, accept=accept)
        if not streamed or not told.startswith(("event:", "id:", ":", "data:", "retry:")):
            return status, json.loads(told), []
        names, last = [], {}
        for event in told.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line and not line.startswith(":"))
            if "event" in fields:
                names.append(fields["event"])
                last = json.loads(fields.get("data", "{}"))
        return status, last, names


def with_llmock(binary, llmock, directory):
    mock = f"http://127.0.0.1:{free_port()}"
    command = [llmock, "serve", "--host", "127.0.0.1", "--port", mock.rsplit(":", 1)[1], "--log-level", "warning"]
    with Running(command, os.path.join(directory, "llmock.log")):
        assert answers(f"{mock}/_llmock/scenario"), "llmock does not answer"
        # One service a scenario would hide nothing either, but what it learns of a server is to be right afterwards, too.
        with Service(binary, directory, f"{mock}/v1", "gpt-4o", SAA_LLM__IDLE_TIMEOUT_MS="2000") as service:
            for streamed in [False, True]:
                for name, behaviours, end in SCENARIOS:
                    if not streamed and any(behaviour["type"] in ("stream_fault", "slow_first_token") for behaviour in behaviours):
                        continue
                    one(service, mock, f"{name} ({'stream' if streamed else 'whole'})", behaviours, end, streamed)


def one(service, mock, name, behaviours, end, streamed):
    # Without a history there is nothing to be summarised beside the turn.
    ask(f"{service.url}/api/session/reset", {}, service.token)
    ask(f"{mock}/_llmock/reset", {}, method="POST")
    status, told = ask(f"{mock}/_llmock/scenario", {"behaviors": behaviours})
    assert status == 201, told
    began = time.monotonic()
    status, last, names = service.turn("list all users", streamed)
    took = time.monotonic() - began
    ok = last.get("success") is True and last.get("state") == "answered"
    check(f"{name}: ends as it may", end == "any" or ok == (end == "answered"), (status, last, names))
    check(f"{name}: ends in time", took < MENDED_SECS_MAX, took)
    _, verdict = ask(f"{mock}/_llmock/verdict")
    verdict = json.loads(verdict)
    # Its warnings are shown, and do not count: that a stream was not read to its end is not always seen from the other side.
    check(f"{name}: llmock's verdict is ok", verdict["passed"], verdict["findings"])
    for finding in verdict["findings"]:
        print(f"{name}: {finding['severity']}: {finding['title']}")
    # Breakers may be open after a server that failed for ever.
    ask(f"{mock}/_llmock/reset", {}, method="POST")
    end_of_wait = time.monotonic() + MENDED_SECS_MAX
    while True:
        ask(f"{mock}/_llmock/scenario", {"behaviors": [{"type": "reply", "text": "Here I am."}]})
        _, last, _ = service.turn("are you there?", False)
        if last.get("message") == "Here I am." or time.monotonic() > end_of_wait:
            break
        ask(f"{mock}/_llmock/reset", {}, method="POST")
        time.sleep(1)
    check(f"{name}: the next turn works", last.get("message") == "Here I am.", last)
    print(f"{name}: {'answered' if ok else 'refused'} after {took:.2f} s, {verdict['attempts']} requests")


def with_a_real_model(binary, url, model, directory):
    patient = {"SAA_LLM__TIMEOUT_MS": "300000", "SAA_TURNS__DEADLINE_MS": "600000", "SAA_LLM__MAX_TOKENS": "200"}
    with Service(binary, directory, url, model, **patient) as service:
        began = time.monotonic()
        status, last, names = service.turn("list users page 2", True)
        kinds = sorted(set(names))
        print(f"a real model: {status}, {len(names)} events {kinds} in {time.monotonic() - began:.1f} s: {json.dumps(last, ensure_ascii=False)[:600]}")
        check("a real model: the stream begins and ends", names[:1] == ["accepted"] and names[-1:] == ["done"], names)
        check("a real model: its tokens are counted", (last.get("usage") or {}).get("total_tokens", 0) > 0, last)
        _, history = ask(f"{service.url}/api/history", token=service.token)
        check("a real model: the turn is in the history", "list users page 2" in history, history)


def main():
    binary, llmock, model_url, model = sys.argv[1:5]
    skipped = 0
    if os.path.exists(llmock):
        with tempfile.TemporaryDirectory() as directory:
            with_llmock(os.path.abspath(binary), llmock, directory)
    else:
        skipped += 1
        print("SKIPPED: llmock is not there")
    if model_url:
        with tempfile.TemporaryDirectory() as directory:
            with_a_real_model(os.path.abspath(binary), model_url, model, directory)
    else:
        skipped += 1
        print("SKIPPED: a real model, because MODEL_URL is not set")
    print(f"{passed} passed, {len(failed)} failed" + (f", {skipped} skipped" if skipped else ""))
    sys.exit(1 if failed else 0)


main()

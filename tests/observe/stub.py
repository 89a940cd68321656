"""A model and an API that do what they are told: answer, fail, be slow, or hang up. PUT /mode with JSON changes what is told.

Arguments: the port. `model`: `answer`, `down` (500), `slow` (answers after `seconds`); `api`: `ok`, `broken` (500), `gone` (reads a request and
hangs up).
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

mode = {"model": "answer", "api": "ok", "seconds": 0}
woken = threading.Event()


class Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")

    def say(self, status, answer):
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_PUT(self):
        mode.update(self.body())
        # Whoever is slow now is so no longer.
        woken.set()
        woken.clear()
        self.say(200, mode)

    def do_POST(self):
        self.body()
        if not self.path.endswith("/chat/completions"):
            return self.as_api()
        if mode["model"] == "down":
            return self.say(500, {"error": {"message": "down"}})
        if mode["model"] == "slow":
            until = time.monotonic() + mode["seconds"]
            while mode["model"] == "slow" and time.monotonic() < until:
                woken.wait(0.2)
        message = {"role": "assistant", "content": "It is done."}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        return self.say(200, {"id": "c", "object": "chat.completion", "created": 0, "model": "stub",
                              "choices": [{"index": 0, "finish_reason": "stop", "message": message}], "usage": usage})

    def do_GET(self):
        self.as_api()

    def as_api(self):
        if mode["api"] == "gone":
            self.close_connection = True
        elif mode["api"] == "broken":
            self.say(500, {"error": "broken"})
        else:
            self.say(200, {"users": [], "total": 0})


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Stub).serve_forever()

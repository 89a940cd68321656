"""A replica whose stream of events goes on only when it is told to, so that a proxy that holds an event back is found out.

Argument: a port of the loopback. A POST is answered with five events; before each but the first it waits for a `GET /next`. Any other
request is answered with 200.
"""

import http.server
import sys
import threading

# A stream that nobody tells to go on ends, unfinished.
WAITS = 5
go_on = threading.Semaphore(0)


class Drip(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/next":
            go_on.release()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for n in range(5):
            if n and not go_on.acquire(timeout=WAITS):
                break
            self.wfile.write(f"event: piece\ndata: {n}\n\n".encode())
        self.close_connection = True

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Drip).serve_forever()

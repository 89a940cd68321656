"""Replicas that die at the worst moment: every request is read to its end, and the connection closed without an answer.

Argument: a port of the loopback. Says "METHOD path" of each request.
"""

import socketserver
import sys


class Lost(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline().decode("latin-1").split()
        if len(line) < 2:
            return
        length = 0
        while (header := self.rfile.readline().strip()):
            name, _, value = header.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        self.rfile.read(length)
        print(line[0], line[1], flush=True)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Lost).serve_forever()

"""What is around the service in its namespace: a resolver that changes its mind, an API that answers what it is told to, and the firewall's
counters. All of it is at public addresses (TEST-NET-3) that nobody else has here."""
import http.server
import json
import re
import socket
import ssl
import struct
import subprocess
import threading
import urllib.parse

API, RESOLVER = "203.0.113.10", "203.0.113.53"
API_PORT, API_PORT_TLS = 8080, 443
#: Where the service itself listens, on the loopback.
SERVICE_PORT = 5000
#: The service runs as this user, and its packets alone are counted.
SERVICE_UID = 10001


class Names:
    """A resolver (RFC 1035). A name has answers for its first lookups, and others for those that follow."""

    def __init__(self, fixed):
        self.first, self.later, self.lookups = dict(fixed), {}, {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((RESOLVER, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def turns(self, name, first, later, after=1):
        """From the lookup behind the first `after` on, the name means something else."""
        self.first[name], self.later[name] = first, (after, later)

    def _addresses(self, name):
        after, later = self.later.get(name, (1, None))
        return self.first.get(name) if later is None or self.lookups.get(name, 0) <= after else later

    def _serve(self):
        while True:
            query, whence = self.socket.recvfrom(4096)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
                at += 1 + query[at]
            (kind,) = struct.unpack("!H", query[at + 1:at + 3])
            name = ".".join(labels).lower()
            if kind == 1:
                # A lookup asks for A first and for AAAA at once behind it.
                self.lookups[name] = self.lookups.get(name, 0) + 1
            addresses = self._addresses(name)
            family, wanted = {1: (socket.AF_INET, "."), 28: (socket.AF_INET6, ":")}.get(kind, (None, None))
            matching = [one for one in addresses or [] if wanted and (":" in one) == (wanted == ":")]
            records = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 0, len(data)) + data
                               for data in (socket.inet_pton(family, one) for one in matching))
            flags = 0x8580 if addresses is not None else 0x8583
            head = query[:2] + struct.pack("!HHHHH", flags, 1, len(matching), 0, 0)
            self.socket.sendto(head + query[12:at + 5] + records, whence)


class Upstream:
    """An API and a host of documents: `pages` by path, `/r/STATUS/N` leads to `targets[N]`, all else is `{}`. Closes after each answer, so that
    every call looks its name up again."""

    def __init__(self, targets, certificate, key):
        self.pages, self.seen = {}, []
        upstream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get("content-length") or 0)
                self.rfile.read(length)
                path = self.path.split("?")[0]
                upstream.seen.append((self.command, self.path, self.headers.get("host")))
                page = upstream.pages.get(path)
                redirect = re.fullmatch(r"/r/(\d{3})/(\d+)", path)
                if callable(page):
                    page = page()
                if redirect:
                    self.send_response(int(redirect.group(1)))
                    self.location(targets[int(redirect.group(2))])
                    body = b""
                elif isinstance(page, tuple):
                    self.send_response(page[0])
                    self.location(page[1])
                    body = b""
                else:
                    self.send_response(200)
                    body = json.dumps(page if page is not None else {}).encode()
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def location(self, target):
                # As bytes of UTF-8, which is what a server sends that does not care.
                plain = target.strip().translate({ord(one): None for one in "\r\n\t"})
                self.send_header("Location", plain.encode().decode("latin-1"))

            do_GET = do_POST = do_HEAD = answer

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            # A start with many APIs fetches all their documents at once.
            request_queue_size = 256

        def serve(port, context=None):
            server = Server((API, port), Handler)
            if context:
                server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        serve(API_PORT)
        serve(API_PORT_TLS, context)

    def take(self):
        seen, self.seen = self.seen, []
        return seen


class Firewall:
    """Lets the service's user look names up, call the API and answer those who called it. Whatever else it sends is counted and refused."""

    TABLES = (("iptables", API, RESOLVER), ("ip6tables", None, None))

    def __init__(self):
        for table, api, resolver in self.TABLES:
            rules = ["-N SERVICE", "-N COUNTED", f"-A OUTPUT -m owner --uid-owner {SERVICE_UID} -j SERVICE"]
            if api:
                rules += [f"-A SERVICE -p udp -d {resolver} --dport 53 -j ACCEPT"]
                rules += [f"-A SERVICE -p tcp -d {api} --dport {port} -j ACCEPT" for port in (API_PORT, API_PORT_TLS)]
            if api:
                # The doctor asks whether a server of its settings runs.
                rules += [f"-A SERVICE -p tcp -d 127.0.0.1 --dport {SERVICE_PORT} -j ACCEPT"]
            # An answer, or what follows in a connection whose beginning was let through.
            rules += ["-A SERVICE -p tcp ! --syn -j ACCEPT", "-A SERVICE -j COUNTED"]
            rules += ["-A COUNTED -p tcp -j REJECT --reject-with tcp-reset", "-A COUNTED -j DROP"]
            for rule in rules:
                subprocess.run([table, "-w", *rule.split()], check=True)

    def counted(self):
        """How many packets the service has sent where it may not."""
        total = 0
        for table, *_ in self.TABLES:
            listed = subprocess.run([table, "-w", "-vxnL", "SERVICE"], check=True, capture_output=True, text=True).stdout
            total += int(re.search(r"^\s*(\d+)\s+\d+\s+COUNTED", listed, re.MULTILINE).group(1))
        return total


def document(operations, servers=None, schemes=None):
    """A document with these operations: name → (path, method, what else there is to say)."""
    paths = {}
    for name, (path, method, more) in operations.items():
        in_path = re.findall(r"\{(\w+)\}", path)
        parameters = [{"name": one, "in": "path", "required": True, "schema": {"type": "string"}} for one in in_path]
        paths.setdefault(path, {})[method] = {"operationId": name, "parameters": parameters, "responses": {}, **more}
    made = {"openapi": "3.0.3", "info": {"title": "S", "version": "1"}, "paths": paths}
    if servers is not None:
        made["servers"] = [{"url": url} for url in servers]
    if schemes:
        made["components"] = {"securitySchemes": schemes}
    return made


def quoted(text):
    return urllib.parse.quote(text, safe="")

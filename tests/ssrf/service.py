"""The service as a process of its own user, and a client of it."""
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

from world import SERVICE_PORT, SERVICE_UID

PASSWORD = "correct-horse-battery"
STARTS_WITHIN_SECS = 60
STOPS_WITHIN_SECS = 30


class DoesNotStart(Exception):
    """What it said instead."""


class Service:
    def __init__(self, program, place, settings):
        self.home = tempfile.mkdtemp(dir=place)
        os.chown(self.home, SERVICE_UID, SERVICE_UID)
        self.environment = {
            "HOME": self.home, "SAA_SERVER__HOST": "127.0.0.1", "SAA_SERVER__PORT": str(SERVICE_PORT), "SAA_STORE__DATA_DIR": f"{self.home}/data",
            "SAA_ADMIN__LISTEN": "off", "WEB_API_USERNAME": "root", "WEB_API_PASSWORD": PASSWORD, "JWT_SECRET_KEY": "k" * 40,
            "SAA_LIMITS__REQUESTS_PER_MINUTE": "4000000", "SAA_LIMITS__TURNS_PER_MINUTE": "4000000", "SAA_SERVER__DRAIN_NOTICE_MS": "0",
            "SSL_CERT_FILE": f"{place}/ca.pem",
            **{name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()},
        }
        self.program, self.log_file, self.token = program, f"{self.home}/log", None

    def __enter__(self):
        with open(self.log_file, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([self.program, "serve"], env=self.environment, cwd=self.home, stdout=log, stderr=log,
                                            user=SERVICE_UID, group=SERVICE_UID, extra_groups=[])
        end = time.monotonic() + STARTS_WITHIN_SECS
        while self.request("GET", "/health/ready")[0] != 200:
            if self.process.poll() is not None or time.monotonic() > end:
                self.__exit__()
                raise DoesNotStart(self.said)
            time.sleep(0.05)
        self.token = json.loads(self.request("POST", "/api/login", {"username": "root", "password": PASSWORD})[1])["token"]
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOPS_WITHIN_SECS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.said = open(self.log_file, encoding="utf-8").read()
        shutil.rmtree(self.home, ignore_errors=True)

    def run(self, *arguments):
        """Another command of the program, with the same settings: what it said."""
        done = subprocess.run([self.program, *arguments], env=self.environment, cwd=self.home, capture_output=True, text=True, check=False,
                              user=SERVICE_UID, group=SERVICE_UID, extra_groups=[])
        return done.stdout + done.stderr

    def request(self, method, path, body=None, token=None):
        token = token or self.token
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{SERVICE_PORT}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:
            return 0, ""

    def call(self, function, **parameters):
        return self.request("POST", "/api/call", {"function_name": function, "parameters": parameters})

    def reload(self):
        return self.request("POST", "/api/admin/openapi/reload", {})

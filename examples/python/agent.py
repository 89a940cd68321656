"""A client of the service in the standard library alone: log in, say something, follow it, call, begin sessions.

    from agent import Agent
    ann = Agent.log_in("http://localhost:5000", "ann", "her password")
    print(ann.say("list the products")["message"])

Where the service is and who uses it: AGENT_URL, AGENT_USER, AGENT_PASSWORD.
"""

import contextlib
import json
import os
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ.get("AGENT_URL", "http://localhost:5000")
# A turn may take as long as turns.deadline_ms (120 s) allows.
TIMEOUT_SECS = 150
# How often a request is sent again that was told to come again.
TRIES = 5


class Refused(Exception):
    """An answer that is no success. `code` is for programs, `str()` for people."""

    def __init__(self, status, answer):
        super().__init__(answer.get("error", f"status {status}"))
        self.status, self.answer, self.code = status, answer, answer.get("code")


class Agent:
    """One user at the service."""

    def __init__(self, url, tokens, session=None):
        self.url, self.tokens, self.session = url.rstrip("/"), tokens, session

    @classmethod
    def log_in(cls, url, username, password):
        agent = cls(url, {})
        agent.tokens = agent.send("POST", "/api/login", {"username": username, "password": password})
        return agent

    def in_session(self, session):
        """The same user in another session."""
        return Agent(self.url, self.tokens, session)

    def open(self, method, path, body=None, headers=None):
        """Sends one request, and hands out the answer as it comes."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if "token" in self.tokens:
            sent["Authorization"] = f"Bearer {self.tokens['token']}"
        if self.session:
            sent["X-Session-Id"] = self.session
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=sent, method=method)
        try:
            return urllib.request.urlopen(request, timeout=TIMEOUT_SECS)
        except urllib.error.HTTPError as error:
            with error:
                refused = Refused(error.code, json.loads(error.read() or b"{}"))
            refused.retry_after = int(error.headers.get("Retry-After") or 0)
            raise refused from None

    def send(self, method, path, body=None, headers=None):
        """Sends a request until it is answered: with new tokens if they have expired, later if it is told to come again."""
        for attempt in range(TRIES):
            try:
                with self.open(method, path, body, headers) as answer:
                    return json.loads(answer.read())
            except Refused as refused:
                last = attempt == TRIES - 1
                if refused.code == "token_expired" and "refresh_token" in self.tokens and not last:
                    self.refresh()
                elif refused.status in (429, 503) and refused.retry_after and not last:
                    time.sleep(refused.retry_after)
                else:
                    raise
        raise AssertionError("the last try returns or raises")

    def refresh(self):
        """New tokens for the refresh token, which is used up by that."""
        with Agent(self.url, {}).open("POST", "/api/token/refresh", {"refresh_token": self.tokens["refresh_token"]}) as answer:
            self.tokens.update(json.loads(answer.read()))

    def say(self, message, **more):
        """One turn. The key makes it safe to send again when the answer was lost: nothing is done twice."""
        return self.send("POST", "/api/process", {"message": message, **more}, {"Idempotency-Key": secrets.token_hex(16)})

    def call(self, function, **parameters):
        """One operation, directly."""
        return self.send("POST", "/api/call", {"function_name": function, "parameters": parameters}, {"Idempotency-Key": secrets.token_hex(16)})

    def follow(self, message):
        """One turn as it happens: pairs of an event's name and its data. The last one is `done` or `error`."""
        with self.open("POST", "/api/process", {"message": message}, {"Accept": "text/event-stream"}) as stream:
            yield from events(stream)

    def decide(self, confirmation, decision):
        """`approve` or `reject` what an answer asked about."""
        return self.send("POST", f"/api/confirmations/{confirmation}", {"decision": decision}, {"Idempotency-Key": secrets.token_hex(16)})

    def history(self):
        """What was said: pairs of a role and a text, the oldest first."""
        return [(message["role"], message["content"]) for message in self.send("GET", "/api/history")["history"]]

    def session_info(self):
        return self.send("GET", "/api/session/info")["session_info"]


def events(stream):
    """Server-sent events of an answer."""
    name, data = "message", []
    for line in stream:
        line = line.decode().rstrip("\r\n")
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif not line and data:
            yield name, json.loads("\n".join(data))
            name, data = "message", []


def administrator():
    """Whoever AGENT_USER and AGENT_PASSWORD name."""
    if "AGENT_PASSWORD" not in os.environ:
        raise SystemExit("set AGENT_PASSWORD (and AGENT_USER, unless it is admin; and AGENT_URL, unless it is http://localhost:5000)")
    return Agent.log_in(URL, os.environ.get("AGENT_USER", "admin"), os.environ["AGENT_PASSWORD"])


@contextlib.contextmanager
def guests(admin, *names):
    """Users who are there for as long as an example runs, each with a password that nobody knows."""
    suffix, made, agents = secrets.token_hex(4), [], []
    try:
        for name in names:
            user, password = f"{name}-{suffix}", secrets.token_urlsafe(16)
            admin.send("POST", "/api/admin/users", {"username": user, "password": password})
            made.append(user)
            agents.append(Agent.log_in(admin.url, user, password))
        yield agents
    finally:
        for user in made:
            admin.send("DELETE", "/api/admin/users/" + urllib.parse.quote(user, safe=""))


def check(sentence, is_so):
    """Says what is so, or ends the program."""
    if not is_so:
        raise SystemExit(f"not so: {sentence}")
    print(f"  ok    {sentence}")

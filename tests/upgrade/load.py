"""The load that goes on while one release takes the place of another: users who talk, repeat themselves, look back and call.

Arguments: the base URL, a file of "user token" lines, a directory. Runs until there is a file `stop` in the directory; `progress` in it has
the number of requests answered so far. Then every user looks at the whole history, and what was found is printed as `name value` lines.
"""

import http.client
import json
import os
import sys
import threading
import time
import urllib.parse

ADDRESS = urllib.parse.urlsplit(sys.argv[1]).netloc
DIRECTORY = sys.argv[3]
# Longer than anything takes here; a request that is not answered by then is lost.
ANSWERS_WITHIN = 30
PAUSE = 0.02


class Load:
    def __init__(self):
        self.lock = threading.Lock()
        self.answered, self.turns, self.slowest = 0, 0, 0.0
        self.replicas, self.complaints = set(), []

    def complain(self, sentence):
        with self.lock:
            self.complaints.append(f"{time.strftime('%H:%M:%S')} {sentence}")

    def count(self, seconds, replica):
        with self.lock:
            self.answered += 1
            self.slowest = max(self.slowest, seconds)
            self.replicas.add(replica)


class User:
    def __init__(self, load, name, token):
        self.load, self.name, self.token = load, name, token
        # What was said and answered, in this order; each key with what was said under it and the answer.
        self.said, self.keyed = [], []

    def ask(self, method, path, body=None, key=None):
        """The body of a success, or None."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        began, what = time.monotonic(), f"{method} {path} of {self.name}"
        try:
            connection = http.client.HTTPConnection(ADDRESS, timeout=ANSWERS_WITHIN)
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            told = response.read()
            connection.close()
        except (OSError, http.client.HTTPException) as error:
            self.load.complain(f"{what}: {error!r}")
            return None
        if response.status != 200:
            self.load.complain(f"{what}: {response.status} {told[:200]!r}")
            return None
        self.load.count(time.monotonic() - began, response.headers.get("X-Replica"))
        return told

    def say(self, message, key=None):
        told = self.ask("POST", "/api/process", {"message": message}, key)
        if told:
            self.said.append(message)
        return told

    def round(self, n):
        self.say(f"list users page {n}")
        key = f"{self.name}-{n}"
        told = self.say(f"list orders page {n}", key)
        if told:
            self.keyed.append((key, f"list orders page {n}", told))
            self.repeat(*self.keyed[-1])
        # One that an earlier release may have answered.
        if self.keyed:
            self.repeat(*self.keyed[n * 7 % len(self.keyed)])
        self.ask("GET", "/api/history")
        user = {"name": f"{self.name} {n}", "email": f"{self.name}.{n}@example.com"}
        self.ask("POST", "/api/call", {"function_name": "createUser", "parameters": user})

    def repeat(self, key, message, told):
        again = self.ask("POST", "/api/process", {"message": message}, key)
        if again is not None and again != told:
            self.load.complain(f"the answer under the key {key} became another")

    def look_back(self):
        """Every turn that was answered stands in the history once, in order, and nothing else does."""
        found, before = [], ""
        while True:
            told = self.ask("GET", f"/api/history?limit=100{before}")
            if told is None:
                return
            page = json.loads(told)
            found = [m["content"] for m in page["history"] if m["role"] == "user"] + found
            if page.get("next_before") is None:
                break
            before = f"&before={page['next_before']}"
        with self.load.lock:
            self.load.turns += len(self.said)
        if found != self.said:
            lost = [m for m in self.said if m not in found]
            more = [m for m in found if found.count(m) != self.said.count(m)]
            self.load.complain(f"the history of {self.name}: {len(found)} turns for {len(self.said)}; lost {lost[:3]}, too many {more[:3]}")


def stopped():
    return os.path.exists(os.path.join(DIRECTORY, "stop"))


def live(user):
    n = 0
    while not stopped():
        n += 1
        user.round(n)
        time.sleep(PAUSE)
    user.look_back()


def progress(load):
    unfinished, file = os.path.join(DIRECTORY, "progress.new"), os.path.join(DIRECTORY, "progress")
    while True:
        with open(unfinished, "w", encoding="ascii") as out:
            out.write(str(load.answered))
        os.replace(unfinished, file)
        time.sleep(0.2)


def main():
    load = Load()
    with open(sys.argv[2], encoding="utf-8") as lines:
        users = [User(load, *line.split()) for line in lines]
    threading.Thread(target=progress, args=(load,), daemon=True).start()
    threads = [threading.Thread(target=live, args=(user,)) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("answered", load.answered)
    print("turns", load.turns)
    print("replicas", len(load.replicas))
    print("slowest_ms", round(load.slowest * 1000))
    print("complaints", len(load.complaints))
    for complaint in load.complaints[:20]:
        print("complaint", complaint)


main()

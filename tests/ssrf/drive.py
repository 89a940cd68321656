"""What tests/ssrf/run does inside its namespace: `drive.py PROGRAM PLACE`. Everybody whom the service listens to leads it to addresses that
it must not call, and the firewall counts. Prints a line for each thing that is checked, and `N passed, M failed` at the end."""
import base64
import json
import os
import re
import socket
import sys
import time

from service import DoesNotStart, Service
from urls import HOSTS, urls
from world import API, API_PORT, SERVICE_UID, Firewall, Names, Upstream, document, quoted

program, place = sys.argv[1:]
BASE = f"http://api.test:{API_PORT}"
NOBODY = 8081  # where nobody listens
URLS = urls(NOBODY)
APIS_MAX, ISSUERS_MAX = 100, 8
INSIDE = {
    "inside.test": ["127.0.0.1"], "private.test": ["10.1.2.3"], "meta.test": ["169.254.169.254"], "six.test": ["::1"],
    "mapped.test": ["::ffff:127.0.0.1"], "translated.test": ["64:ff9b::a9fe:a9fe"], "alias.test": ["0.0.0.0"], "xn--bcher-kva.test": ["192.168.7.7"],
    "127.0.0.1.nip.test": ["127.0.0.1"], "metadata.google.internal": ["169.254.169.254"],
}
passed = failed = 0


def check(sentence, wrong):
    global passed, failed
    passed, failed = passed + (not wrong), failed + bool(wrong)
    print(f"  FAIL  {sentence}: {str(wrong)[:500]}" if wrong else f"  ok    {sentence}", flush=True)


class Quiet:
    """Tells after which of its steps the service sent something where it may not."""

    def __init__(self):
        self.at, self.after, self.steps = firewall.counted(), [], 0

    def step(self, what):
        self.steps += 1
        now = firewall.counted()
        if now != self.at:
            self.after.append(what)
        self.at = now


def outcomes(tally):
    return ", ".join(f"{count} {what}" for what, count in sorted(tally.items()))


def noted(tally, text):
    text = text.lower()
    what = "not sent" if "not sent" in text or "nothing was sent" in text else "answered" if '"success":true' in text.replace(" ", "") else "no function"
    tally[what] = tally.get(what, 0) + 1


def connects_as_the_service(target):
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(SERVICE_UID)
            os.setuid(SERVICE_UID)
            socket.create_connection((target, NOBODY), timeout=1)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def controls():
    """The counter counts: strangers to the service as its user, and the service itself where its operator names an address inside."""
    before = firewall.counted()
    for target in ("127.0.0.1", "169.254.169.254", "10.1.2.3", "93.184.216.34", "::1", "fd00:ec2::254"):
        connects_as_the_service(target)
        now = firewall.counted()
        check(f"the counter counts a connection to {target}", now <= before and f"{now} as before")
        before = now
    upstream.pages["/o.json"] = document({"read": ("/read", "get", {})})
    with Service(program, place, {"OPENAPI_FILE": f"{BASE}/o.json", "API_BASE_URL": f"http://10.1.2.3:{NOBODY}"}) as service:
        service.call("read")
    check("and one of the service, where its operator names an address inside", firewall.counted() <= before and "none was counted")
    before = firewall.counted()
    upstream.take()
    with Service(program, place, {"OPENAPI_FILE": f"{BASE}/o.json", "API_BASE_URL": BASE}) as service:
        service.call("read")
    check("the API that it may call is called, and not counted", ("GET", "/read", f"api.test:{API_PORT}") not in upstream.take())
    check("nor is anything else", firewall.counted() != before and "something was")


def operations_and_arguments():
    operations = {f"op{n}": (f"/o/{n}", "get", {"servers": [{"url": url}]}) for n, url in enumerate(URLS)}
    operations["segment"] = ("/s/{p}", "get", {})
    upstream.pages["/o.json"] = document(operations, [f"{BASE}/v1"])
    quiet, tally = Quiet(), {}
    with Service(program, place, {"OPENAPI_FILE": f"{BASE}/o.json"}) as service:
        for n, url in enumerate(URLS):
            noted(tally, service.call(f"op{n}")[1])
            quiet.step(url)
        check(f"{quiet.steps} servers of operations lead nowhere ({outcomes(tally)})", quiet.after)
        quiet = Quiet()
        for url in URLS:
            service.call("segment", p=url)
            quiet.step(url)
        check(f"{quiet.steps} arguments lead nowhere", quiet.after)


def redirects():
    ways = {"read": ("/r/{status}/{n}", "get", {}), "change": ("/r/{status}/{n}", "post", {})}
    upstream.pages["/o.json"] = document(ways, [BASE])
    quiet, told = Quiet(), 0
    with Service(program, place, {"OPENAPI_FILE": f"{BASE}/o.json"}) as service:
        for n, url in enumerate(URLS):
            status = (301, 302, 303, 307, 308)[n % 5]
            for function in ways:
                told += f'"status_code":{status}' in service.call(function, status=str(status), n=str(n))[1].replace(" ", "")
            quiet.step(url)
        check(f"{quiet.steps} redirects of the API lead nowhere", quiet.after)
        check("and are told as they came", told != 2 * len(URLS) and f"{told} of {2 * len(URLS)}")
        quiet, refused = Quiet(), 0
        for url in URLS:
            upstream.pages["/o.json"] = (302, url)
            refused += service.reload()[0] == 422
            quiet.step(url)
        check(f"{quiet.steps} redirects of the document's host lead nowhere", quiet.after)
        check("and no document comes of them", refused != len(URLS) and f"{refused} of {len(URLS)} were refused")


def documents():
    """Each URL as the server of a whole document, of an API of its own; those that keep the service from starting are left out of the next try."""
    quiet, tally, no_start = Quiet(), {}, 0
    for n, url in enumerate(URLS):
        upstream.pages[f"/d/{n}.json"] = document({"read": ("/read", "get", {})}, [url])
    upstream.pages["/o.json"] = document({"read": ("/read", "get", {})}, [BASE])
    waiting = list(range(len(URLS)))
    while waiting:
        some = waiting[:APIS_MAX]
        apis = [{"name": f"u{n}", "file": f"{BASE}/d/{n}.json"} for n in some]
        try:
            with Service(program, place, {"OPENAPI_FILE": f"{BASE}/o.json", "SAA_APIS": apis}) as service:
                for n in some:
                    noted(tally, service.call(f"u{n}_read")[1])
                    quiet.step(URLS[n])
                waiting = waiting[APIS_MAX:]
        except DoesNotStart as error:
            refused = {int(n) for n in re.findall(r"\bu(\d+)\b", str(error))} & set(some)
            if not refused or "could not be loaded" in str(error):
                check("a service that does not start says which servers it cannot use", str(error)[-400:])
                return
            no_start += len(refused)
            waiting = [n for n in waiting if n not in refused]
            quiet.step(f"no start for {sorted(refused)}")
    check(f"{len(URLS)} documents lead nowhere ({no_start} are no start, {outcomes(tally)})", quiet.after)
    quiet = Quiet()
    for n in range(len(URLS)):
        Service(program, place, {"OPENAPI_FILE": f"{BASE}/d/{n}.json"}).run("doctor")
        quiet.step(URLS[n])
    check(f"nor does the doctor", quiet.after)


def references():
    quiet = Quiet()
    settings = {"OPENAPI_FILE": f"{BASE}/o.json", "API_BASE_URL": BASE, "SAA_OPENAPI__EXTERNAL_REFERENCES": "true"}
    upstream.pages["/o.json"] = document({"read": ("/read", "get", {})})
    with Service(program, place, settings) as service:
        for url in URLS:
            schema = {"requestBody": {"content": {"application/json": {"schema": {"$ref": f"{url}#/a"}}}}}
            upstream.pages["/o.json"] = {**document({"read": ("/read", "get", {}), "change": ("/change", "post", schema)}), "externalDocs": {"url": url}}
            service.reload()
            quiet.step(url)
    check(f"{quiet.steps} references of a document to other files lead nowhere", quiet.after)


def token_urls():
    """The client's secret goes where the document says that tokens are to be had, if the settings do not say it."""
    def flow(url):
        return {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": url, "scopes": {}}}}

    schemes = {f"s{n}": flow(url) for n, url in enumerate(URLS)}
    schemes["good"] = flow("https://api.test/token")
    operations = {f"op{n}": (f"/o/{n}", "get", {"security": [{f"s{n}": []}]}) for n in range(len(URLS))}
    operations["good"] = ("/good", "get", {"security": [{"good": []}]})
    upstream.pages["/o.json"] = document(operations, [BASE], schemes)
    upstream.pages["/token"] = {"access_token": "t0ken", "token_type": "bearer", "expires_in": 600}
    credentials = {name: {"client_id": "c", "client_secret": "s3cret-of-client"} for name in schemes}
    settings = {"OPENAPI_FILE": f"{BASE}/o.json", "SAA_UPSTREAM__CREDENTIALS": credentials}
    quiet, tally = Quiet(), {}
    try:
        with Service(program, place, settings):
            check("a client's secret that would go over an open line keeps the service from starting", "it started")
    except DoesNotStart as error:
        refused = set(re.findall(r"^upstream\.credentials\.(s\d+): ", str(error), re.MULTILINE))
        check(f"{len(refused)} token URLs that a secret is not sent to are no start", not refused and str(error))
        quiet.step("no start")
    for name in refused:
        del credentials[name]
    chosen = [n for n in range(len(URLS)) if f"s{n}" in credentials]
    with Service(program, place, settings) as service:
        upstream.take()
        service.call("good")
        asked = [path for _, path, _ in upstream.take()]
        check("a token is fetched from where a document may send the service", asked != ["/token", "/good"] and asked)
        for n in chosen:
            noted(tally, service.call(f"op{n}")[1])
            quiet.step(URLS[n])
        asked = upstream.take()
    check(f"{quiet.steps} token URLs of a document lead nowhere ({outcomes(tally)})", quiet.after)
    check("and none of those calls is sent without its token", [path for _, path, _ in asked if path.startswith("/o/")])


def issuers():
    """An issuer's discovery says where its keys are. Each start asks as many issuers as there may be."""
    upstream.pages["/o.json"] = document({"read": ("/read", "get", {})}, [BASE])
    chosen = [url for url in URLS if url.startswith("https://")][::2]
    chosen = chosen[:len(chosen) // ISSUERS_MAX * ISSUERS_MAX]
    quiet, asked = Quiet(), 0
    for first in range(0, len(chosen), ISSUERS_MAX):
        some = chosen[first:first + ISSUERS_MAX]
        listed = []
        for n, url in enumerate(some):
            issuer = f"https://api.test/i/{n}"
            listed.append({"id": f"i{n}", "issuer": issuer, "audience": "us"})
            upstream.pages[f"/i/{n}/.well-known/openid-configuration"] = {"issuer": issuer, "jwks_uri": url}
        with Service(program, place, {"OPENAPI_FILE": f"{BASE}/o.json", "SAA_AUTH__ISSUERS": listed}) as service:
            for n, url in enumerate(some):
                part = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in (
                    {"alg": "RS256", "kid": "k", "typ": "JWT"},
                    {"iss": f"https://api.test/i/{n}", "aud": "us", "sub": "ann", "exp": int(time.time()) + 600})]
                service.request("GET", "/api/info", token=".".join([*part, "c2lnbmF0dXJl"]))
                quiet.step(url)
        asked += sum(path.endswith("openid-configuration") for _, path, _ in upstream.take())
    check(f"{quiet.steps} places of keys that issuers name lead nowhere", quiet.after)
    check("and each issuer was asked where they are", asked < len(chosen) and f"{asked} of {len(chosen)} were")


def rebinding():
    """Names that mean the API when they are first looked up, and something inside from then on."""
    later = ["127.0.0.1", "127.0.0.2", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "100.100.100.200", "198.18.0.1",
             "::1", "::", "fc00::1", "fd00:ec2::254", "fe80::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::",
             "::127.0.0.1"]
    apis = []
    for n, address in enumerate(later):
        names.turns(f"turns{n}.test", [API], [address])
        upstream.pages[f"/t/{n}.json"] = document({"read": ("/read", "get", {})})
        apis.append({"name": f"t{n}", "file": f"{BASE}/t/{n}.json", "base_url": f"http://turns{n}.test:{API_PORT}"})
    # Of several addresses only those that may be called are.
    names.turns("both.test", [API], [API, "127.0.0.1", "169.254.169.254", "::1"])
    apis.append({"name": "both", "file": f"{BASE}/t/0.json", "base_url": f"http://both.test:{API_PORT}"})
    # The host of the document itself turns after the start.
    names.turns("doc.test", [API], ["127.0.0.1"])
    upstream.pages["/o.json"] = document({"read": ("/read", "get", {})}, [BASE])
    quiet, came, again = Quiet(), 0, 0
    with Service(program, place, {"OPENAPI_FILE": f"http://doc.test:{API_PORT}/o.json", "SAA_APIS": apis}) as service:
        upstream.take()
        for n, address in enumerate(later):
            service.call(f"t{n}_read")
            came += len(upstream.take())
            for _ in range(2):
                service.call(f"t{n}_read")
                again += len(upstream.take())
            quiet.step(address)
        looked = min(names.lookups.get(f"turns{n}.test", 0) for n in range(len(later)))
        check(f"{quiet.steps} names that turn inside behind the first look are not followed", quiet.after)
        check("the first call of each reached the API, no other did, and each name was looked up again",
              (came, again, looked >= 2) != (len(later), 0, True) and (came, again, looked))
        quiet = Quiet()
        for _ in range(3):
            service.call("both_read")
        quiet.step("both.test")
        check("of a name with addresses on both sides only the public one is called", quiet.after or (len(upstream.take()) != 3 and "not thrice"))
        quiet = Quiet()
        status = service.reload()[0]
        quiet.step("doc.test")
        check("a document whose host turned inside is not fetched again", quiet.after or (status != 422 and status))


fixed = {"api.test": [API], **INSIDE}
names = Names(fixed)
upstream = Upstream(URLS, f"{place}/server.pem", f"{place}/server.key")
firewall = Firewall()
print(f"ssrf: {len(HOSTS)} hosts, {len(URLS)} URLs")
began = time.monotonic()
for part in (controls, operations_and_arguments, redirects, documents, references, token_urls, issuers, rebinding):
    part()
    print(f"        {part.__name__}: {time.monotonic() - began:.0f} s", flush=True)
    if part is controls:
        before = firewall.counted()
check("behind the controls nothing was counted at all, however late", firewall.counted() != before and firewall.counted() - before)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)

"""Runs every example of docs/API.md, one after another in one shell, and holds what comes back to what stands there.

    BASE=http://… PASSWORD=… python3 tests/examples/reference.py

A line of an example that begins with `# {` says which fields come back, and whether it is a success; any other that begins with `# `, a text that does.
Prints a line for each, and at last `N passed, N failed`.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
MARK = "\x1e"
TIMEOUT_SECS = 120


def examples(text):
    """Pairs of a heading and the code below it."""
    heading, found, code = "", [], None
    for line in text.splitlines():
        if code is not None:
            if line == "```":
                found.append((heading, "\n".join(code)))
                code = None
            else:
                code.append(line)
        elif line == "```sh":
            code = []
        elif line.startswith("#"):
            heading = line.lstrip("# ")
    return found


def run(pieces):
    """What each piece prints."""
    script = "".join(f"{piece}\nprintf '{MARK}'\n" for piece in pieces)
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run(
            ["bash", "-c", script], cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_SECS, check=False, text=True
        )
    return done.stdout.split(MARK)[: len(pieces)]


def missing(code, printed):
    """What an example promises and has not kept."""
    promises = [line[2:] for line in code.splitlines() if line.startswith("# ")]
    if not promises:
        yield "it says nothing of what comes back"
    for promise in promises:
        if not promise.startswith("{"):
            if promise not in printed:
                yield promise
            continue
        told = re.search(r"\{.*\}", printed)
        try:
            answer = json.loads(told[0]) if told else {}
        except json.JSONDecodeError:
            answer = {}
        wanted = json.loads(promise)
        yield from fields_missing("", wanted, answer)


def fields_missing(place, wanted, answer):
    if isinstance(wanted, dict):
        if not isinstance(answer, dict):
            yield f"{place or 'the answer'} is no object"
            return
        for name, value in wanted.items():
            if name not in answer:
                yield f"{place}.{name}"
            else:
                yield from fields_missing(f"{place}.{name}", value, answer[name])
    elif isinstance(wanted, list):
        if not isinstance(answer, list) or len(answer) < len(wanted):
            yield f"{place} is no list of that many"
            return
        for n, value in enumerate(wanted):
            yield from fields_missing(f"{place}[{n}]", value, answer[n])
    elif isinstance(wanted, bool) or wanted is None:
        if answer is not wanted:
            yield f"{place} is {answer!r} and not {wanted!r}"
    elif isinstance(wanted, str) and re.fullmatch(r"[a-zA-Z_]+", wanted) and answer != wanted:
        yield f"{place} is {answer!r} and not {wanted!r}"


def main():
    found = examples((DOCS / "API.md").read_text(encoding="utf-8"))
    twin = examples((DOCS / "API.zh-CN.md").read_text(encoding="utf-8"))
    passed = failed = 0

    def say(sentence, problems):
        nonlocal passed, failed
        failed, passed = failed + bool(problems), passed + (not problems)
        print(f"  {'FAIL' if problems else 'ok  '}  {sentence}{': ' if problems else ''}{'; '.join(problems)}")

    say("both languages have the same examples", [] if [code for _, code in found] == [code for _, code in twin] else ["they differ"])
    # Where the service is and who asks is said from outside; the rest of the first one are the functions that all others use.
    preface = "\n".join(line for line in found[0][1].splitlines() if not line.startswith("BASE="))
    pieces = found[1:]
    shown = run([preface + "\nBASE=" + os.environ["BASE"] + " PASSWORD=" + os.environ["PASSWORD"]] + [code for _, code in pieces])[1:]
    shown += [""] * (len(pieces) - len(shown))
    for (heading, code), printed in zip(pieces, shown):
        problems = list(missing(code, printed))
        say(heading, problems)
        if problems:
            print(f"        {printed.strip()[:600]}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

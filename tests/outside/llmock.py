#!/usr/bin/env python3
"""Lets LLMock, a server of other people's that breaks answers on demand and judges clients by how they take it, break and
judge `aside act`.

    tests/outside/llmock.py LLMOCK PROGRAMS

LLMOCK is the program `llmock`, PROGRAMS the folder of `aside`. The last line is `N passed, N failed`.

LLMock sees requests, not users. Two of its findings say that a client went on with half an answer whenever it did not ask
again; Aside does not ask again once words came, since they are shown and paid for, and says that the answer broke off
instead. Where such a finding is expected it stands in the table, and the exit code and the error are what is looked at.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

CODE = "def one():\n    return 1\n"


def fail(status, **more):
    return {"type": "fail", "status": status, **more}


def stream(kind, after, **more):
    return {"type": "stream_fault", "kind": kind, "after_chunks": after, **more}


# What it does, how `aside act` ends, how often it asks, and what LLMock finds fault with.
ROWS = [
    ("a plain answer", [], "shown", 1, []),
    ("429 twice, with a wait", [fail(429, retry_after=1, times=2)], "shown", 3, []),
    ("529 once", [fail(529)], "shown", 2, []),
    ("503 without end", [fail(503, times=None)], "overloaded", 3, []),
    ("500 once, then 429 with a wait", [fail(500), fail(429, retry_after=1)], "shown", 3, []),
    ("429 that asks for ten minutes", [fail(429, retry_after=600)], "rate_limit", 1, ["gave_up"]),
    ("400", [fail(400)], "config", 1, []),
    ("401", [fail(401)], "credentials", 1, []),
    ("403", [fail(403)], "permission", 1, []),
    ("404", [fail(404)], "config", 1, []),
    ("cut short before a word", [stream("truncate", 1)], "shown", 2, []),
    ("cut short behind words", [stream("truncate", 5)], "network", 1, ["truncated_stream_accepted"]),
    ("disconnected before a word", [stream("disconnect", 1)], "shown", 2, []),
    ("disconnected behind words", [stream("disconnect", 5)], "network", 1, ["gave_up"]),
    ("stalled before a word", [stream("stall", 1, stall_seconds=6)], "shown", 2, []),
    ("stalled behind words", [stream("stall", 5, stall_seconds=6)], "timeout", 1, []),
    ("an event that is no JSON", [stream("malformed", 5)], "bad_answer", 1, ["malformed_chunk_ignored"]),
    ("slow to begin", [{"type": "slow_first_token", "seconds": 0.8}], "shown", 1, []),
]


class LLMock:
    def __init__(self, program):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [program, "serve", "--port", str(self.port), "--log-level", "error"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.ask("GET", "/_llmock/scenario")
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return json.loads(text) if text else None


def run(aside, home, llmock):
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "ASIDE_DATA_DIR": str(home / "data"),
        "ASIDE_CACHE_DIR": str(home / "cache"),
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{llmock.port}/anthropic",
        "ANTHROPIC_API_KEY": "sk-ant-test",
    }
    command = [aside, "act", "explain", "one.py", "--json"]
    output = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=120)
    try:
        return output.returncode, json.loads(output.stdout)
    except json.JSONDecodeError:
        return output.returncode, {"outcome": output.stdout + output.stderr}


def check(aside, home, llmock, behaviors, expected, attempts, findings):
    """What is wrong, if anything."""
    llmock.ask("POST", "/_llmock/reset")
    if behaviors:
        llmock.ask("POST", "/_llmock/scenario", {"behaviors": behaviors})
    code, result = run(aside, home, llmock)
    verdict = llmock.ask("GET", "/_llmock/verdict")
    kind = result.get("error", {}).get("kind", result["outcome"])
    found = sorted(finding["code"] for finding in verdict["findings"])
    wrong = []
    if kind != expected:
        wrong.append(f"{result} instead of {expected}")
    if (code == 0) != (expected == "shown"):
        wrong.append(f"exit code {code}")
    if verdict["attempts"] != attempts:
        wrong.append(f"{verdict['attempts']} attempts instead of {attempts}")
    if found != sorted(findings):
        wrong.append(f"findings {found} instead of {findings}")
    words_came = any(behavior.get("after_chunks", 0) > 3 for behavior in behaviors)
    if words_came and not result.get("explanation"):
        wrong.append("the words that came are lost")
    return wrong


def main():
    llmock_program, programs = sys.argv[1:]
    aside = str(Path(programs).resolve() / "aside")
    llmock = LLMock(llmock_program)
    passed = failed = 0
    try:
        with tempfile.TemporaryDirectory(prefix="aside-llmock-") as folder:
            home = Path(folder)
            (home / "one.py").write_text(CODE)
            (home / "config/aside").mkdir(parents=True)
            (home / "config/aside/config.toml").write_text("[api]\ntimeout_secs = 4\n")
            # What models there are is asked once a day, and LLMock counts that as well.
            run(aside, home, llmock)
            for name, *row in ROWS:
                wrong = check(aside, home, llmock, *row)
                passed += not wrong
                failed += bool(wrong)
                print("ok  " if not wrong else "FAIL", name, *wrong, sep="  ")
    finally:
        llmock.process.terminate()
        llmock.process.wait()
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())

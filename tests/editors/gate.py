#!/usr/bin/env python3
"""A gate in front of a simulated Messages API, so that a test types *while* an answer comes, not perhaps.

    gate.py FOLDER PROGRAM [ARGUMENT...]

Starts PROGRAM, which serves the API and prints its address, and prints the address of the gate. While the file
FOLDER/closed is there, the first words of a streamed answer pass and the rest waits; FOLDER/held then says so, and
FOLDER/gone that whoever asked did not wait for the end. What is posted is kept in FOLDER/requests, a line each. Ends with its
standard input.
"""

import http.client
import http.server
import re
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path

# How often a closed gate looks whether it may open, in seconds.
GLANCE = 0.02


class Gate(http.server.BaseHTTPRequestHandler):
    """One exchange; the end of its answer is the end of the connection."""

    folder: Path
    upstream: str

    def do_GET(self):
        self.pass_on()

    def do_POST(self):
        self.pass_on()

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if body:
            with (self.folder / "requests").open("ab") as kept:
                kept.write(body.replace(b"\n", b" ") + b"\n")
        upstream = http.client.HTTPConnection(self.upstream)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        upstream.request(self.command, self.path, body, headers)
        answer = upstream.getresponse()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("connection", "close")
        self.end_headers()
        try:
            self.stream(answer)
        except ConnectionError:
            (self.folder / "gone").touch()
        finally:
            upstream.close()

    def stream(self, answer):
        sent = b""
        held = False
        while line := answer.readline():
            self.wfile.write(line)
            sent += line
            # An empty line ends an event.
            if not held and line == b"\n" and b'"text_delta"' in sent:
                self.wfile.flush()
                self.wait()
                held = True

    def wait(self):
        while (self.folder / "closed").exists():
            (self.folder / "held").touch()
            readable, _, _ = select.select([self.connection], [], [], GLANCE)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise ConnectionAbortedError

    def log_message(self, *_):
        pass


def main():
    Gate.folder = Path(sys.argv[1])
    api = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, text=True)
    try:
        Gate.upstream = next(
            found[1] for line in api.stdout if (found := re.search(r"http://(127\.0\.0\.1:\d+)", line))
        )
        # What it says later is nobody's business here, but a full pipe would stop it.
        threading.Thread(target=api.stdout.read, daemon=True).start()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gate)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://127.0.0.1:{server.server_port}", flush=True)
        sys.stdin.read()
    finally:
        api.terminate()
        api.wait()


if __name__ == "__main__":
    main()

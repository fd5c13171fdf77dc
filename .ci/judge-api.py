"""Holds recorded requests and answers of the Messages API against JSON Schemas.

judge-api.py SCHEMAS TRAFFIC: every *.api.jsonl below TRAFFIC has lines {target, request, status, response: [...]}.
"""

import glob
import json
import os
import sys

from jsonschema import Draft202012Validator

schemas, traffic = sys.argv[1:]
validators = {}


def problems(name, value):
    if name not in validators:
        with open(os.path.join(schemas, name + ".json"), encoding="utf-8") as file:
            validators[name] = Draft202012Validator(json.load(file))
    return [f"{error.json_path}: {error.message[:200]}" for error in validators[name].iter_errors(value)]


REQUESTS = {
    "POST /v1/messages": "request.messages.create.closed",
    "POST /v1/messages/count_tokens": "request.messages.count_tokens.closed",
    "POST /v1/messages/batches": "request.batches.create.closed",
}
judged, bad = 0, 0
for path in sorted(glob.glob(os.path.join(traffic, "*.api.jsonl"))):
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        exchange = json.loads(line)
        found = []
        if exchange["target"] in REQUESTS:
            found += problems(REQUESTS[exchange["target"]], exchange["request"])
            judged += 1
        for body in exchange["response"]:
            if exchange["status"] >= 400:
                name = "response.error"
            elif isinstance(body, dict) and body.get("type") == "message":
                name = "response.message"
            elif exchange["target"] == "POST /v1/messages":
                name = "response.stream_event"
            elif exchange["target"].endswith("count_tokens"):
                name = "response.count_tokens"
            else:
                continue
            # An error event in a stream is an error body; `ping` is in every stream and no schema.
            if isinstance(body, dict) and body.get("type") == "ping":
                continue
            if isinstance(body, dict) and body.get("type") == "error":
                name = "response.error"
            found += problems(name, body)
            judged += 1
        for problem in found:
            bad += 1
            print(f"{os.path.basename(path)}:{number} {exchange['target']}: {problem}")
print(f"API: {judged} requests and answers judged, {bad} problems")
sys.exit(1 if bad or not judged else 0)

#!/usr/bin/env python3
"""Opens the page of `aside usage --html` in a real Chromium, in both themes, and holds it against `aside usage --json`.

    tests/browser/usage.py CHROMIUM PROGRAMS [--pictures FOLDER]

PROGRAMS is the folder of `aside`. Chromium has no network and is asked, over its debugging pipe, for everything it wanted
to fetch and everything it complained of. The last line is `N passed, N failed`.
"""

import base64
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

TOKENS = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output"]
PRICES = {
    "claude-sonnet-5-5": [2, 10, 2.5, 4, 0.1],
    "claude-haiku-5-5": [0.1, 0.5, 0.125, 0.2, 0.01],
    "claude-opus-5-5": [4, 20, 5, 8, 0.2],
}
HOSTILE = "</style></bdi><script>document.title='owned'</script><img src=http://127.0.0.1:9/x onerror=alert(1)>\u202e\x1b[31m"


class Browser:
    """A headless Chromium with a profile of its own, spoken to over two pipes."""

    def __init__(self, program, home):
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()
        os.set_inheritable(to_read, True)
        os.set_inheritable(from_write, True)

        def wire():
            # Above 9 first: one of the pipe's own numbers may be 3 or 4.
            os.dup2(to_read, 10)
            os.dup2(from_write, 11)
            os.dup2(10, 3)
            os.dup2(11, 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={home}/profile", "--no-first-run",
             "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
             "--disable-background-networking", "--disable-component-update", "--proxy-server=127.0.0.1:9",
             *(["--no-sandbox"] if os.geteuid() == 0 else []), "about:blank"],
            preexec_fn=wire, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(f"{home}/chromium.log", "wb"), env={**os.environ, "HOME": home})
        os.close(to_read)
        os.close(from_write)
        self.out, self.into = os.fdopen(to_write, "wb", 0), os.fdopen(from_read, "rb")
        self.count, self.events, self.rest, self.session = 0, [], b"", None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.call(f"{domain}.enable")
        self.call("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)

    def receive(self):
        while b"\0" not in self.rest:
            piece = self.into.read1(1 << 16)
            if not piece:
                raise SystemExit("Chromium ended:\n" + Path(self.process.args[3][16:]).parent.joinpath("chromium.log").read_text()[-2000:])
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **params):
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.out.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path, theme="light", width=1180, media="screen"):
        """Loads a page; what it asked the network for, and what it complained of."""
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        self.events = []
        url = path.resolve().as_uri()
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())
        # Whatever the page still wanted would have been asked for before this comes back.
        self.evaluate("new Promise(done => setTimeout(() => requestAnimationFrame(done), 50))")
        wanted = [event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"]
        said = [event for event in self.events if event["method"] in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")]
        return [other for other in wanted if other != url], said

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise SystemExit(answer["exceptionDetails"])
        return answer["result"].get("value")

    def picture(self, path, height=None, scale=1):
        """Keeps what the page shows, whole or down to a height, as a PNG."""
        height = height or self.evaluate("document.documentElement.scrollHeight")
        width = self.evaluate("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": scale}
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(data))

    def close(self):
        self.out.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def rows(count, hostile=False, seed=7):
    """Attempts of two months, as a busy user makes them."""
    chance = random.Random(seed)
    actions = ["explain", "add-type-hints", "document", "write-tests"]
    for number in range(count):
        model = chance.choices([*PRICES, "local/qwen"], [12, 4, 3, 1 if hostile else 0])[0]
        day = int(chance.triangular(0, 41, 34))
        began = 1795413600000 - (41 - day) * 86400000 + number % 30000000
        warm = chance.random() < 0.8
        size = chance.randrange(2000, 14000)
        tokens = [chance.randrange(200, 900), size if warm else 0, 0 if warm else size, 0, chance.randrange(100, 900)]
        if hostile and number % 3 == 0:
            action, project, miss = HOSTILE, f"/home/me/{HOSTILE}", HOSTILE
        else:
            action = chance.choices(actions, [6, 3, 2, 2])[0]
            project = chance.choice(["/home/me/shop", "/home/me/compiler", "/home/me/site", None])
            miss = None if warm else chance.choices(["first", "expired", "document", "settings"], [5, 4, 2, 1])[0]
        prices = PRICES.get(model)
        cost = saved = None
        if prices:
            each = [prices[0], prices[4], prices[2], prices[3], prices[1]]
            cost = sum(a * b for a, b in zip(tokens, each)) / 1e6
            saved = (sum(tokens[:4]) * prices[0] + tokens[4] * prices[1]) / 1e6 - cost
        yield (action, project, model, *tokens, cost, saved, began, miss)


def fill(program, data, count, hostile=False):
    """A ledger as Aside makes it, with rows."""
    data.mkdir(parents=True, exist_ok=True)
    source = data / "a.py"
    source.write_text("def f(a):\n    return a\n")
    environment = {**os.environ, "ASIDE_DATA_DIR": str(data), "ASIDE_CACHE_DIR": str(data), "HOME": str(data),
                   "XDG_CONFIG_HOME": str(data), "TZ": "Europe/Berlin"}
    subprocess.run([program, "act", "explain", source, "--simulate"], env=environment, check=True, capture_output=True)
    ledger = sqlite3.connect(data / "usage.sqlite3")
    with ledger:
        ledger.execute("DELETE FROM attempts")
        ledger.executemany(
            "INSERT INTO attempts (job, action, language, project, model, input, cache_read, cache_write_5m, cache_write_1h,"
            " output, thinking, cost_usd, saved_usd, started, duration_ms, outcome, miss_reason, partial, simulated, batch)"
            " VALUES ('j', ?, 'python', ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, 900, 'ok', ?, 0, 0, 0)", rows(count, hostile))
    ledger.close()
    return environment


def usage(program, environment, *arguments):
    done = subprocess.run([program, "usage", *arguments], env=environment, check=True, capture_output=True, text=True)
    return done.stdout


READ = """(id => [...document.querySelectorAll(`#${id} tbody tr`)].map(row => ({
    name: row.querySelector('th').textContent,
    numbers: [...row.querySelectorAll('data')].map(data => data.value)})))"""


def numbers(row):
    """The numbers of a row of the JSON, as the page has them."""
    known = [row["requests"], row["inputTokens"] + row["cacheReadTokens"] + row["cacheWriteTokens"], row["cacheHitRate"],
             row["outputTokens"], row["costUsd"], row["savedUsd"]]
    return ["null" if number is None else number for number in known]


def equal(shown, expected):
    same = lambda a, b: a == b if "null" in (a, b) else abs(float(a) - float(b)) < 1e-9
    return len(shown) == len(expected) and all(same(a, b) for a, b in zip(shown, expected))


class Checks:
    passed = failed = 0

    def __call__(self, what, holds, more=""):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"BAD: {what} {more}")


def compare(check, name, browser, program, environment):
    """Every number on the page is one of the JSON's, and none is missing."""
    for by in ["day", "action", "model", "project"]:
        report = json.loads(usage(program, environment, "--by", by, "--json"))
        shown = browser.evaluate(f"{READ}('{by}')")
        expected = sorted((numbers(row) for row in report["rows"]), key=str)
        got = sorted(([cell if cell == "null" else float(cell) for cell in row["numbers"]] for row in shown), key=str)
        check(f"{name}: a row for each {by}", len(shown) == len(expected), f"{len(shown)} {len(expected)}")
        for row in shown:
            check(f"{name}: {by} {row['name'][:40]}", any(equal(row["numbers"], other) for other in expected), row)
        check(f"{name}: all of {by}", len({str(row) for row in got}) == len({str([n if n == 'null' else float(n) for n in row]) for row in expected}))
    cards = browser.evaluate("[...document.querySelectorAll('#total data')].map(data => data.value)")
    total = numbers(report["total"])
    expected = [total[index] for index in (4, 5, 2, 0, 1, 3)]
    check(f"{name}: the totals", equal(cards, expected), f"{cards} {expected}")
    misses = {row["missReason"]: row["requests"] for row in report["misses"]}
    shown = browser.evaluate(f"{READ}('miss')")
    check(f"{name}: the misses", sorted(misses.values()) == sorted(int(row["numbers"][0]) for row in shown), shown)


def main():
    chromium, program = sys.argv[1], str(Path(sys.argv[2]).resolve() / "aside")
    pictures = Path(sys.argv[sys.argv.index("--pictures") + 1]) if "--pictures" in sys.argv else None
    check = Checks()
    home = tempfile.mkdtemp(prefix="aside-browser-")
    browser = Browser(chromium, home)
    try:
        for name, count, hostile in [("nothing", 0, False), ("two months", 420, False), ("hostile", 60, True), ("many", 100_000, False)]:
            folder = Path(home) / name.replace(" ", "-")
            environment = fill(program, folder, count, hostile)
            page = folder / "usage.html"
            usage(program, environment, "--html", str(page))
            for theme in ["light", "dark"]:
                wanted, said = browser.open(page, theme)
                check(f"{name}, {theme}: asks the network for nothing", wanted == [], wanted)
                check(f"{name}, {theme}: no complaints", said == [], said)
                background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
                light = sum(int(part) for part in background[4:-1].split(",")) > 384
                check(f"{name}, {theme}: has its colours", light == (theme == "light"), background)
                wide = browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
                check(f"{name}, {theme}: fits its window", wide)
                if pictures:
                    browser.picture(pictures / f"{name.replace(' ', '-')}-{theme}.png")
            check(f"{name}: nothing ran", browser.evaluate("document.title").startswith("Aside: usage"))
            check(f"{name}: no scripts, no pictures", browser.evaluate("document.querySelectorAll('script, img, link, iframe').length") == 0)
            if count:
                compare(check, name, browser, program, environment)
                nameless = browser.evaluate("[...document.querySelectorAll('svg')].filter(it => !it.getAttribute('aria-label') && !it.getAttribute('aria-hidden')).length")
                check(f"{name}: every picture has words", nameless == 0)
                small = browser.open(page, "light", width=390)
                check(f"{name}: fits a phone", browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), small)
                if pictures:
                    browser.picture(pictures / f"{name.replace(' ', '-')}-phone.png")
            browser.open(page, "dark", width=760, media="print")
            white = browser.evaluate("getComputedStyle(document.body).backgroundColor")
            check(f"{name}: prints on white", white == "rgb(255, 255, 255)", white)
            if count:
                tall = browser.evaluate("document.querySelector('#day').getBoundingClientRect().height")
                check(f"{name}: prints the table behind the chart", tall > 20, tall)
            if pictures:
                browser.picture(pictures / f"{name.replace(' ', '-')}-print.png")
    finally:
        browser.close()
        shutil.rmtree(home, ignore_errors=True)
    print(f"{check.passed} passed, {check.failed} failed")
    sys.exit(check.failed > 0)


if __name__ == "__main__":
    main()

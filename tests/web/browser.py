# SPDX-License-Identifier: GPL-2.0-or-later
"""browser - headless Chromium over the WebDriver protocol, with nothing but the standard library."""

import base64
import json
import subprocess
import time
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Tab": "\ue004", "Up": "\ue013", "Down": "\ue015", "Left": "\ue012",
        "Right": "\ue014", "PageDown": "\ue00f", "End": "\ue010", "Home": "\ue011", "Space": "\ue00d", "Shift": "\ue008"}
TASKS = "-*,disabled-by-default-devtools.timeline" # each task of a thread, with the CPU time that it took
LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Browser:
    """One window. A context manager: the browser is gone afterwards."""

    def __init__(self, port, profile, width=1280, height=900, traces=False):
        self.base = f"http://127.0.0.1:{port}"
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
        args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={profile}",
                f"--window-size={width},{height}", "--no-proxy-server", "--disable-background-networking", "--hide-scrollbars",
                "--lang=en"]
        options, logs = {"args": args}, {"browser": "ALL"}
        if traces:
            options["perfLoggingPrefs"] = {"enableNetwork": False, "enablePage": False, "traceCategories": TASKS}
            logs["performance"] = "ALL"
        self.page_threads = set()
        try:
            self._await_driver()
            answer = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
                "goog:chromeOptions": options, "goog:loggingPrefs": logs}}})
        except BaseException:
            self.driver.kill()
            raise
        self.session = f"/session/{answer['sessionId']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._ask("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait(10)

    def _await_driver(self):
        for _ in range(200):
            try:
                self._ask("GET", "/status")
                return
            except OSError:
                time.sleep(0.05)
        raise TimeoutError("chromedriver does not answer")

    def _ask(self, method, path, body=None):
        data = None if method != "POST" else json.dumps(body or {}).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with LOCAL.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"].splitlines()[0]) from None

    def go(self, url):
        self._ask("POST", f"{self.session}/url", {"url": url})

    def run(self, script, *args):
        """What the script returns."""
        return self._ask("POST", f"{self.session}/execute/sync", {"script": script, "args": list(args)})

    def run_async(self, script, *args):
        """What the script gives to its last argument."""
        return self._ask("POST", f"{self.session}/execute/async", {"script": script, "args": list(args)})

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.textContent ?? null", selector)

    def keys(self, *keys):
        """Press keys, whatever has the focus: names of KEYS, or text."""
        actions = []
        for key in keys:
            for char in [KEYS[key]] if key in KEYS else key:
                actions += [{"type": "keyDown", "value": char}, {"type": "keyUp", "value": char}]
        self._ask("POST", f"{self.session}/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def cdp(self, command, **params):
        return self._ask("POST", f"{self.session}/goog/cdp/execute", {"cmd": command, "params": params})

    def media(self, scheme):
        """Prefer "dark" or "light"."""
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def size(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def shot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._ask("GET", f"{self.session}/screenshot")))

    def log(self):
        """What the console said since the last time."""
        return self._ask("POST", f"{self.session}/se/log", {"type": "browser"})

    def _traced(self):
        said = [json.loads(line["message"])["message"] for line in self._ask("POST", f"{self.session}/se/log", {"type": "performance"})]
        return [item["params"] for item in said if item["method"] == "Tracing.dataCollected"]

    def tasks(self):
        """What pages have done since the last time, in a browser that traces: (CPU ms, ms) of each task. With go() in
        between nothing is certain: chromedriver ends a trace there, too."""
        events = []
        # To read a trace ends it; to read once more, where there is none, begins the next.
        while some := self._traced():
            events += some
        self.page_threads |= {(event["pid"], event["tid"]) for event in events
                              if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"}
        return [(event["tdur"] / 1000, event["dur"] / 1000) for event in events
                if event["name"] == "RunTask" and "tdur" in event and (event["pid"], event["tid"]) in self.page_threads]

    def until(self, script, *args, within=10.0):
        """Seconds until the script returns something true; TimeoutError."""
        start = time.monotonic()
        while True:
            if self.run(script, *args):
                return time.monotonic() - start
            if time.monotonic() - start > within:
                raise TimeoutError(f"not within {within} s: {script} {args}")
            time.sleep(0.02)

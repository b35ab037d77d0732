# SPDX-License-Identifier: GPL-2.0-or-later
"""world - the daemon, those who talk to it, its backends and their clients, each in its namespace."""

import http.client
import json
import mmap
import os
import signal
import socket
import subprocess
import sys
import time

from maps import Maps, address_of
from state import is_v6

HERE = os.path.dirname(__file__)
START_S = 30
JOB_S = 60
WHOLE_EVERY = 10  # looks at the maps


def enter(host):
    return ["nsenter", f"--net=/run/netns/{os.environ['NS_ID']}-{host}"]


class Killer:
    """Ends the daemon right before the Nth call by which something of it outlives it (tests/preload/killer.c)."""

    def __init__(self, path, build):
        with open(path, "w+b") as file:
            file.truncate(16)
            self.counts = memoryview(mmap.mmap(file.fileno(), 16)).cast("q")
        asan = f"{os.environ.get('ASAN_OPTIONS', '')}:verify_asan_link_order=0"
        self.environ = {"KILLER": path, "LD_PRELOAD": f"{build}/tests/preload/killer.so", "ASAN_OPTIONS": asan}

    def arm(self, calls):
        self.counts[0] = calls

    @property
    def seen(self):
        return self.counts[1]


class Daemon:
    def __init__(self, build, config, log, killer=None):
        self.build, self.config, self.log, self.killer = build, config, log, killer
        self.process = None
        self.api = Api(os.environ["SLUICE_SOCKET"])

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        command = enter("gateway") + [f"{self.build}/sluiced", "--foreground", "--config", self.config]
        environ = os.environ | (self.killer.environ if self.killer else {})
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=environ)
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.api.get("/v1/status")
                return
            except OSError:
                pass
            if self.process.poll() is not None:
                raise RuntimeError(f"sluiced ended with status {self.process.returncode} when it was to start")
            if time.monotonic() > deadline:
                raise RuntimeError(f"sluiced does not answer after {START_S} s")
            time.sleep(0.01)

    def has_ended(self):
        """By itself, or about to."""
        try:
            self.process.wait(START_S)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, signum):
        """Its exit status."""
        self.process.send_signal(signum)
        return self.process.wait(START_S)

    def files(self):
        """How many descriptors it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cli(self, *words):
        command = enter("gateway") + [f"{self.build}/sluice", *words, "--json"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr


class Unanswered(Exception):
    """The daemon has gone before it could answer."""


class Api:
    """The socket that `sluice` talks to."""

    def __init__(self, path):
        self.path = path

    def ask(self, method, path, body=None):
        """Status, document."""
        connection = http.client.HTTPConnection("sluice", timeout=JOB_S)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(JOB_S)
        try:
            connection.sock.connect(self.path)
            connection.request(method, path, json.dumps(body) if body is not None else None)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except http.client.HTTPException as error:
            raise ConnectionResetError(str(error)) from error
        finally:
            connection.close()

    def get(self, path):
        return self.ask("GET", path)[1]

    def change(self, path, body):
        """What the daemon says of a change: (done, document). Raises Unanswered when it dies meanwhile."""
        try:
            status, document = self.ask("POST", path, body)
            if status != 202:
                return status == 200, document
            number, deadline = document["number"], time.monotonic() + JOB_S
            while time.monotonic() < deadline:
                status, document = self.ask("GET", f"/v1/jobs/{number}")
                if status != 200:
                    raise Unanswered(f"{status}: {document}")
                if "refused" in document:
                    return not document["refused"], document
                time.sleep(0.002)
        except (OSError, ValueError) as error:
            raise Unanswered(f"{type(error).__name__}: {error}") from error
        raise RuntimeError(f"job {number} takes more than {JOB_S} s")


class Helper:
    """A process that answers each line it is sent with one."""

    def __init__(self, host, script, *words):
        command = enter(host) + [sys.executable, f"{HERE}/{script}", *words]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def ask(self, *what):
        print(json.dumps(what), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args} has ended")
        return line.strip()

    def end(self):
        self.process.stdin.close()
        self.process.wait(START_S)


class World:
    """Backends are at 10.2.1.* and fd02:1::* (on b1), and at 10.2.2.* and fd02:2::* (on b2)."""

    def __init__(self, daemon, bpffs):
        self.daemon = daemon
        self.directory = f"{bpffs}/v1/maps"
        self.servers = {host: Helper(host, "server.py", host) for host in ("b1", "b2")}
        self.opened = set()
        self.client = None
        self.looks = 0

    @staticmethod
    def host_of(address):
        return "b" + (address[5] if is_v6(address) else address.split(".")[2])

    def open(self, address, port, host=None):
        self.servers[host or self.host_of(address)].ask("open", address, port)
        self.opened.add((address, port))

    def close(self, address, port):
        self.servers[self.host_of(address)].ask("close", address, port)
        self.opened.remove((address, port))

    def is_open(self, where):
        return where in self.opened

    def maps(self):
        self.looks += 1
        return Maps(self.directory, whole=self.looks % WHOLE_EVERY == 0)

    @staticmethod
    def source(address):
        """The gateway's address on the link to a backend."""
        return f"fd02:{address[5]}::1" if is_v6(address) else address.rpartition(".")[0] + ".1"

    @staticmethod
    def source_of(name):
        return address_of(name["source"])

    def connect(self, targets):
        self.client = Helper("client", "client.py", json.dumps(targets))

    def report(self):
        return json.loads(self.client.ask("report"))

    def try_once(self, address, port):
        return json.loads(self.client.ask("try", address, port))["answer"]

    def end(self):
        for helper in (self.client, *self.servers.values()):
            if helper:
                helper.end()
        if self.daemon.process and self.daemon.process.poll() is None:
            self.daemon.stop(signal.SIGKILL)

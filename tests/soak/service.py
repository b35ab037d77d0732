# SPDX-License-Identifier: GPL-2.0-or-later
"""service - the daemon as a service manager runs it, and the command that talks to it.

With the capabilities of etc/systemd/sluiced.service.in, until it says that it is ready; a daemon that ends without being told
to, or gives no sign of life for WATCHDOG_S, is a finding.
"""
import asyncio
import json
import os
import signal
import socket
import time

import scene

CAPABILITIES = "-all,+bpf,+net_admin,+perfmon,+net_raw,+chown"
WATCHDOG_S = 10  # a sixth of what the unit allows
START_S = STOP_S = 30
ANSWER_S = 20  # of a command


class Broken(Exception):
    """Nothing that follows would prove anything."""


class Service:
    def __init__(self, findings):
        self.findings = findings
        self.process = None
        self.starts = 0
        self.started_at = 0
        self.away_s = 0  # how long there was none, or one that stood still
        self.slowest_ms = 0, ""  # command
        self.quietest_s = 0  # between two signs of life
        self._away_since = time.monotonic()
        self._sign = 0
        self._ready = asyncio.Event()
        self._log = open(scene.OUT + "/sluiced.log", "ab")
        self._listen()

    def _listen(self):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(scene.WORK + "/notify")
        asyncio.get_running_loop().add_reader(self._socket, self._told)

    def _told(self):
        said = self._socket.recv(4096).decode()
        now = time.monotonic()
        if self._sign:
            self.quietest_s = max(self.quietest_s, now - self._sign)
        self._sign = now
        if said.startswith("READY=1"):
            self._ready.set()

    @property
    def is_up(self):
        return self._away_since is None

    def _set_away(self, away):
        now = time.monotonic()
        if away:
            self._away_since = now
        elif self._away_since is not None:
            self.away_s += now - self._away_since
            self._away_since = None
        self._sign = 0 if away else now

    def presence_s(self):
        """A clock that stands still while there is no daemon that could do anything."""
        now = time.monotonic()
        return now - self.away_s - (now - self._away_since if self._away_since is not None else 0)

    async def start(self):
        self._ready.clear()
        env = dict(os.environ, NOTIFY_SOCKET=scene.WORK + "/notify", WATCHDOG_USEC=str(WATCHDOG_S * 1000000))
        self.process = await asyncio.create_subprocess_exec(
            "nsenter", "--net=" + scene.NETNS + "gateway", "setpriv", "--bounding-set", CAPABILITIES, "--inh-caps=-all", "--no-new-privs",
            scene.BUILD + "/sluiced", "--foreground", "--config", scene.CONFIG,
            stdin=asyncio.subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=env, preexec_fn=join_cgroup)
        self.starts += 1
        self.started_at = time.monotonic()
        ended = asyncio.create_task(self.process.wait())
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait([ended, ready], timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if not self._ready.is_set():
            raise Broken(f"the daemon did not start: status {self.process.returncode}")
        self._set_away(False)

    async def stop(self, how):
        """SIGTERM, and its exit status is looked at; or SIGKILL."""
        self._set_away(True)
        process, self.process = self.process, None
        process.send_signal(how)
        try:
            status = await asyncio.wait_for(process.wait(), STOP_S)
        except asyncio.TimeoutError:
            raise Broken(f"the daemon did not stop in {STOP_S} s") from None
        if how == signal.SIGTERM and status != 0:
            self.findings.add(f"the daemon stopped with status {status}")

    async def pause(self, for_s):
        self.process.send_signal(signal.SIGSTOP)
        self._set_away(True)
        await asyncio.sleep(for_s)
        self.process.send_signal(signal.SIGCONT)
        self._set_away(False)

    async def watch(self):
        """For ever: it lives, and its main loop turns."""
        while True:
            await asyncio.sleep(0.5)
            if self.is_up and self.process.returncode is not None:
                raise Broken(f"the daemon has ended by itself: status {self.process.returncode}")
            if self.is_up and time.monotonic() - self._sign > WATCHDOG_S:
                self.findings.add(f"no sign of life for {WATCHDOG_S} s: a manager would have killed it")
                self._sign = time.monotonic()

    async def run(self, *words):
        """A command at the gateway: exit status, standard output, standard error."""
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            "nsenter", "--net=" + scene.NETNS + "gateway", *words,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        try:
            out, err = await asyncio.wait_for(process.communicate(), ANSWER_S)
        except asyncio.TimeoutError:
            process.kill()
            self.findings.add(f"no answer in {ANSWER_S} s: {' '.join(words)}")
            return None, "", ""
        self.slowest_ms = max(self.slowest_ms, (int((time.monotonic() - began) * 1000), " ".join(words[1:])))
        return process.returncode, out.decode(), err.decode()

    async def sluice(self, *words):
        return await self.run(scene.BUILD + "/sluice", *words)

    async def ask(self, *words):
        """The document of a command, or None."""
        status, out, _ = await self.sluice(*words, "--json")
        if status not in (0, 1):
            return None
        return json.loads(out)

    async def view(self):
        """{pool: {address: endpoint}} as the daemon says, with when a drain's time is over; None: it says nothing."""
        health = await self.ask("health")
        if not health or "pools" not in health:
            return None
        now = time.monotonic()
        view = {pool["name"]: {e["address"]: e for service in pool["services"] for e in service["endpoints"]}
                for pool in health["pools"]}
        for members in view.values():
            for endpoint in members.values():
                endpoint["deadline"] = now + endpoint.get("drain", {}).get("left_ms", 0) / 1000
        return view


def join_cgroup():
    if scene.CGROUP:
        with open(scene.CGROUP + "/cgroup.procs", "w", encoding="ascii") as procs:
            procs.write(str(os.getpid()))

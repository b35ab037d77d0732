# SPDX-License-Identifier: GPL-2.0-or-later
"""servers - nginx on each machine, and the clients: processes in namespaces of their own."""
import asyncio
import json
import os
import signal
import time

import scene

KNOWN_S = 5  # from what happens until it is read of


class Server:
    def __init__(self, machine):
        self.machine = machine
        self.sick = f"{scene.WORK}/{machine}/sick"
        self.process = None

    async def start(self):
        """Whatever was wrong with it: it serves, and is well."""
        if os.path.exists(self.sick):
            os.remove(self.sick)
        if self.process:
            return
        self.process = await asyncio.create_subprocess_exec(
            "nsenter", f"--net={scene.NETNS}{self.machine}", "nginx", "-c", f"{scene.WORK}/{self.machine}/nginx.conf", "-p",
            f"{scene.WORK}/{self.machine}", stdin=asyncio.subprocess.DEVNULL)

    async def kill(self):
        """Without a farewell: the master first, which would replace its worker."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            workers = [int(word) for word in file.read().split()]
        self.process.kill()
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        await self.process.wait()
        self.process = None

    def sicken(self):
        with open(self.sick, "w", encoding="ascii"):
            pass


class Clients:
    """The traffic of one host. failed() is called with what its connections failed of."""

    def __init__(self, host, failed):
        self.host, self.failed = host, failed
        self.sums = {}
        self.heard = time.monotonic()

    async def start(self, seed):
        self.process = await asyncio.create_subprocess_exec(
            "nsenter", f"--net={scene.NETNS}{self.host}", "/usr/bin/python3", os.path.dirname(__file__) + "/clients.py",
            scene.WORK + "/targets", str(seed), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE)

    async def read(self):
        """Until they end."""
        while line := await self.process.stdout.readline():
            said = json.loads(line)
            self.heard = time.monotonic()
            if "failed" in said:
                self.failed(said["failed"])
            else:
                self.sums = said["sums"]

    async def stop(self):
        self.process.terminate()
        await self.process.wait()


class Follower:
    """Somebody who follows the events all the time, over restarts; and what of them should not have been."""

    def __init__(self, findings, excuses):
        self.findings, self.excuses = findings, excuses
        self.events = self.starts = self.last = 0

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            "nsenter", f"--net={scene.NETNS}gateway", scene.BUILD + "/sluice", "events", "--follow", "--json", "--limit", "1",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, limit=1 << 20)

    async def read(self):
        while line := await self.process.stdout.readline():
            event = json.loads(line)
            self.events += 1
            if event["id"] <= self.last:
                self.findings.add(f"an event came twice, or too late: {event}")
            self.last = event["id"]
            self._look(event)

    def _look(self, event):
        if event["kind"] == "daemon" and event.get("after") == "started":
            self.starts += 1
        if event["kind"] != "health" or event.get("after") != "Unhealthy" or event["pool"] not in scene.KIND:
            return
        address = event["endpoint"].rsplit(":", 1)[0].strip("[]")
        if not self.excuses.is_out(event["pool"], address, time.monotonic() - KNOWN_S):
            self.findings.add(f"unhealthy, and nothing was wrong with it: {event['pool']} {address}: {event['text']}")


def write_targets():
    """Services by their addresses, and each machine behind the gate by its own."""
    targets = []
    for pool, kind in scene.KIND.items():
        for family in scene.families(pool):
            common = {"pool": pool, "port": kind.port, "tls": kind.tls,
                      "addresses": {m: scene.address_of(m, family) for m in scene.MACHINES}}
            if kind.forward:
                targets.append(dict(common, address=kind.listen(family), rate=4, lasting=3, downloads=1))
                continue
            for machine, address in common["addresses"].items():
                targets.append(dict(common, address=address, machine=machine, rate=1, lasting=1, downloads=0))
    with open(scene.WORK + "/targets", "w", encoding="ascii") as file:
        json.dump({"targets": targets, "ca": scene.WORK + "/ca.crt", "name": scene.NAME, "big": scene.WORK + "/big"}, file)

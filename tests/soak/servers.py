# SPDX-License-Identifier: GPL-2.0-or-later
"""servers - nginx on each machine, and the clients: processes in namespaces of their own."""
import asyncio
import json
import os
import signal
import time

import scene

START_S = 10


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

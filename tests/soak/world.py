# SPDX-License-Identifier: GPL-2.0-or-later
"""world - all that a soak is about, and what is known of it."""
import asyncio
import collections
import json
import time

import scene
from excuses import Excuses
from servers import Clients, Follower, Server, write_targets
from service import Service

POLL_S = 0.1
JUDGE_S = 3


class Findings:
    """What should not have been. Told at once."""

    def __init__(self, say):
        self.say = say
        self.all = []

    def add(self, text):
        self.all.append(text)
        self.say("NOT INTENDED: " + text)


class World:
    def __init__(self, rng, say):
        self.rng = rng
        self.findings = Findings(say)
        self.service = Service(self.findings)
        self.excuses = Excuses()
        self.file = scene.File()
        self.servers = {machine: Server(machine) for machine in scene.MACHINES}
        self.clients = [Clients(host, self._failed) for host in ("client", "other")]
        self.follower = Follower(self.findings, self.excuses)
        self.view = {}
        self.outage = self.out_of_order = None  # the one that goes on, and its machine
        self.acts = collections.Counter()
        self.changes = 0  # answered with "done"
        self.intended = collections.Counter()
        self.unintended = 0
        self._failures = []  # not judged yet
        self._failures_log = open(scene.OUT + "/failures", "w", encoding="ascii")

    async def begin(self, seed):
        for server in self.servers.values():
            await server.start()
        self.write_file()
        await self.service.start()
        await self.until(at_base, "not everything becomes healthy", self.service.presence_s(), 30)
        await self.follower.start()
        write_targets()
        for i, clients in enumerate(self.clients):
            await clients.start(seed + i)

    def write_file(self, more=""):
        with open(scene.CONFIG, "w", encoding="ascii") as file:
            file.write(self.file.text() + more)

    # --- orders -------------------------------------------------------------------------------

    async def fresh_view(self):
        for _ in range(50):
            view = await self.service.view()
            if view:
                self.view = view
                return view
            await asyncio.sleep(POLL_S)
        self.findings.add("the daemon does not say how its endpoints are")
        return self.view

    async def expect(self, wanted, *words):
        """A command, whose exit status must be this."""
        status, out, err = await self.service.sluice(*words)
        if status != wanted:
            self.findings.add(f"sluice {' '.join(words)}: status {status}, not {wanted}: {(err or out).strip()}")
        return status

    async def change(self, *words):
        """A command that is done, and what that means for clients."""
        before, began = self.view, time.monotonic()
        if await self.expect(0, *words) == 0:
            self.changes += 1
        self.excuses.note(before, await self.fresh_view(), began, time.monotonic())

    async def usable(self, pool, without=()):
        """Who of a pool can serve, besides those."""
        shown = await self.service.ask("pool", "show", pool)
        return [a for a, e in self.view[pool].items() if a not in without and e["admin"] == "enabled" and e["health"] == "Healthy"
                and shown["weights"].get(a, 0) and scene.machine_of(a) != self.out_of_order]

    async def outage_begins(self, machine, outage):
        """One at a time, and where others can serve."""
        gone = {scene.address_of(machine, family) for family in (4, 6)}
        if self.outage or not all([await self.usable(pool, gone) for pool in scene.FORWARDED]):
            outage.close()
            return None
        self.out_of_order = machine
        self.outage = asyncio.create_task(outage)
        self.outage.add_done_callback(self._outage_is_over)
        return f"{outage.__name__} of {machine}"

    def _outage_is_over(self, _):
        self.outage = self.out_of_order = None

    async def until(self, holds, complaint, since, limit_s):
        """Until it holds of the view; a finding, if that takes too long although there is a daemon."""
        complained = False
        while True:
            view = await self.service.view() if self.service.is_up else None
            if view and holds(view):
                return
            if not complained and self.service.presence_s() - since > limit_s:
                self.findings.add(f"{complaint}: for {limit_s} s")
                complained = True
            await asyncio.sleep(POLL_S)

    # --- rest ---------------------------------------------------------------------------------

    async def rest(self):
        """Everything as in the beginning."""
        if self.outage:
            await self.outage
        self.file = scene.File()
        self.write_file()
        for name in [name for name in self.view if name.startswith("spare")]:
            await self.change("pool", "remove", name)
        await self.change("reload", "--discard-runtime")
        await self.until(at_base, "the gateway does not come back to what the file says", self.service.presence_s(), 30)
        rows = (await self.service.ask("diff"))["changes"]
        if rows:
            self.findings.add(f"the file counts alone, and yet there are changes: {rows}")
        self.judge()

    # --- clients ------------------------------------------------------------------------------

    def _failed(self, failure):
        self._failures.append(failure)

    def judge(self, everything=False):
        """Whether what failed was intended: until a moment ago, since what an action means is known when it is done."""
        now = time.monotonic()
        due = [failure for failure in self._failures if everything or failure["ended"] < now - JUDGE_S]
        self._failures = [failure for failure in self._failures if failure not in due]
        for failure in due:
            why = self.excuses.why(failure)
            self._failures_log.write(json.dumps(dict(failure, why=why)) + "\n")
            if why:
                self.intended[why] += 1
                continue
            self.unintended += 1
            self.findings.add(f"{failure['what']} connection to {failure['pool']} ({failure['address'] or 'endpoint unknown'}): "
                              f"{failure['how']} ({failure['stage']}), from port {failure['port']}, begun {failure['began']:.2f}, ended {failure['ended']:.2f}")
        self._failures_log.flush()
        self.excuses.forget(time.monotonic() - 60)

    def sum(self, name):
        return sum(clients.sums.get(name, 0) for clients in self.clients)


def at_base(view):
    """The file's endpoints and no others, all in order."""
    base = scene.File().members
    return view.keys() == base.keys() | {"extra"} and not view["extra"] and all(
        view[pool].keys() == base[pool].keys() and all((e["health"], e["admin"]) == ("Healthy", "enabled") for e in view[pool].values())
        for pool in base)

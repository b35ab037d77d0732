# SPDX-License-Identifier: GPL-2.0-or-later
"""story MINUTES SEED: an hour in the life of a gateway, or less. Run by soak.sh, which makes the network.

Clients come all the time. In the first third of it the daemon is stopped, killed and started again and again; the rest is one life of it, in
which whatever leaks adds up. Between actions chosen at random there is a rest now and then, with everything as in the beginning:
that is when failures of clients are judged and gauges read. In the end the same few changes are made over and over again.
"""
import asyncio
import os
import random
import signal
import sys
import time

import actions
import gauges
import scene
from service import Broken
from world import World

ROUND_S = (25, 60)  # from one rest to the next
ROUNDS = 7  # at least
PACE_S = (0, 0.8)  # from one action to the next
REST_S = 5  # what a rest takes, about
SAME_BEFORE, SAME = 5, 30
SAME_S = 45  # what that takes
RESENT = 10, 2000  # segments that clients may have to send again: so many, and one for so many connections
RATE = 50  # connections per second, at least: about half of what is meant


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)
    note(text, time.monotonic())


def note(text, at):
    with open(scene.OUT + "/actions", "a", encoding="utf-8") as file:
        file.write(f"{at:.2f} {text}\n")


class Story:
    def __init__(self, minutes, seed):
        self.minutes, self.seed = minutes, seed
        self.world = World(random.Random(seed), say)
        self.rows = []

    async def play(self):
        w = self.world
        await w.begin(self.seed)
        jobs = [asyncio.create_task(job) for job in
                (w.service.watch(), w.follower.read(), *(clients.read() for clients in w.clients), self.acts())]
        done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        if not jobs[-1].done():
            raise Broken("clients, or those who follow the events, have ended")
        for clients in w.clients:
            await clients.stop()
        jobs[0].cancel()
        w.judge(everything=True)
        await self.ending()

    async def acts(self):
        began = time.monotonic()
        until = began + self.minutes * 60 - SAME_S
        round_s = min(max((until - began) / ROUNDS, ROUND_S[0]), ROUND_S[1])
        await self.rest("begin")
        while time.monotonic() < began + (until - began) / 3:
            await self.round(round_s, actions.CHANGES | actions.ENDS)
            await self.rest("lives")
        await actions.warm_up(self.world)
        act = "warm"
        while time.monotonic() < until - round_s / 2:
            await self.round(round_s, actions.CHANGES)
            await self.rest(act)
            act = "life"
        await self.same()

    async def same(self):
        """The same few changes, often: what one of them leaves behind is seen here even if it is little."""
        for _ in range(SAME_BEFORE):
            await actions.same_again(self.world)
        await self.rest("same")
        for _ in range(SAME):
            await actions.same_again(self.world)
        await self.rest("same")

    async def round(self, for_s, choices):
        w = self.world
        until = time.monotonic() + for_s - REST_S
        while time.monotonic() < until:
            action = w.rng.choices(list(choices), list(choices.values()))[0]
            await w.fresh_view()
            began = time.monotonic()
            did = await action(w)
            if did:
                w.acts[action.__name__] += 1
                note(f"{did} ({time.monotonic() - began:.1f} s)", began)
            await asyncio.sleep(w.rng.uniform(*PACE_S))

    async def rest(self, act):
        w = self.world
        await w.rest()
        row = await gauges.sample(w.service, act, w.changes)
        self.rows.append(row)
        gauges.write(self.rows)
        self.progress(row)

    def progress(self, row):
        w = self.world
        say(f"{row['rest']}: {sum(w.acts.values())} actions, {w.changes} changes, {w.service.starts} starts; "
            f"{w.sum('steady') + w.sum('lasting') + w.sum('download')} connections, {w.sum('bytes') >> 20} MiB, "
            f"{sum(w.intended.values())} failed as intended, {w.unintended} others; "
            f"rss {row['rss_kib']} KiB, kernel {row.get('kernel_kib', '-')} KiB, fds {row['fds']}, endpoints {row['endpoint_ids']}, flows {row['flows']}")

    async def ending(self):
        """It stops in order, and what was made in the kernel can be removed."""
        w = self.world
        await w.service.stop(signal.SIGTERM)
        await w.expect(0, "detach", "--all")
        left = [name for _, _, files in os.walk(scene.BPFFS) for name in files]
        if left:
            w.findings.add(f"detach --all leaves {left}")

    def judge(self):
        """What adds up only in the end."""
        w = self.world
        if w.sum("resent") > RESENT[0] + w.sum("steady") / RESENT[1]:
            w.findings.add(f"clients had to send {w.sum('resent')} segments again: packets were lost")
        if w.sum("steady") < RATE * self.minutes * 60:
            w.findings.add(f"{w.sum('steady')} connections in {self.minutes} minutes are too few to prove anything")
        if w.follower.starts < w.service.starts - 1:
            w.findings.add(f"who follows the events saw {w.follower.starts} of {w.service.starts - 1} restarts")

    def verdict(self):
        w = self.world
        print()
        for line in gauges.judge(self.rows, sum(w.acts.values()), w.findings) if self.rows else ():
            print(line)
        print(f"\n{w.service.starts} starts, {w.changes} changes; " + ", ".join(f"{name} {n}" for name, n in sorted(w.acts.items())))
        print(f"{w.sum('steady')} connections, {w.sum('lasting')} lasting ones, {w.sum('download')} downloads, {w.sum('requests')} requests; "
              f"slowest to connect {max(c.sums.get('slowest_ms', 0) for c in w.clients)} ms, {w.sum('resent')} segments sent again")
        for why, n in sorted(w.intended.items()):
            print(f"{n:7} failed as intended: {why}")
        print(f"{w.unintended:7} failed otherwise")
        print(f"{w.follower.events} events, {w.follower.starts} starts among them")
        print(f"slowest command {w.service.slowest_ms[0]} ms ({w.service.slowest_ms[1]}); longest without a sign of life {w.service.quietest_s:.1f} s")
        return not w.findings.all


async def main(minutes, seed):
    story = Story(minutes, seed)
    say(f"soak: {minutes} minutes, SEED={seed}, in {scene.OUT}")
    try:
        await story.play()
        story.judge()
    except Broken as broken:
        story.world.findings.add(str(broken))
    good = story.verdict()
    print("soak: all as intended" if good else f"soak: FAILED: {len(story.world.findings.all)} findings, SEED={seed}; see {scene.OUT}")
    return 0 if good else 1


sys.exit(asyncio.run(main(float(sys.argv[1]), int(sys.argv[2]))))

# SPDX-License-Identifier: GPL-2.0-or-later
"""story MINUTES SEED: an hour in the life of a gateway, or less. Run by soak.sh, which makes the network.

Clients come all the time. In the first third of it the daemon is stopped, killed and started again and again; the rest is one life of it, in
which whatever leaks adds up. Between actions chosen at random there is a rest now and then, with everything as in the beginning:
that is when failures of clients are judged and gauges read.
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
REST_S = 5


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
                (w.service.watch(), *(clients.read() for clients in w.clients), self.acts())]
        done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        if not jobs[-1].done():
            raise Broken("clients have ended")
        for clients in w.clients:
            await clients.stop()
        jobs[0].cancel()
        w.judge(everything=True)
        await self.ending()

    async def acts(self):
        began = time.monotonic()
        total_s = self.minutes * 60
        round_s = min(max(total_s / ROUNDS, ROUND_S[0]), ROUND_S[1])
        await self.rest("begin")
        n = 1
        while (now := time.monotonic() - began) < total_s - round_s / 2:
            many_lives = now < total_s / 3
            await self.round(round_s * n + began, actions.CHANGES | (actions.ENDS if many_lives else {}))
            await self.rest("lives" if many_lives else "life")
            n += 1

    async def round(self, until, choices):
        w = self.world
        # The rest takes its time, too.
        while time.monotonic() < until - REST_S:
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

    def verdict(self):
        w = self.world
        print()
        for line in gauges.judge(self.rows, w.findings):
            print(line)
        print(f"\n{w.service.starts} starts, {w.changes} changes; " + ", ".join(f"{name} {n}" for name, n in sorted(w.acts.items())))
        print(f"{w.sum('steady')} connections, {w.sum('lasting')} lasting ones, {w.sum('download')} downloads, {w.sum('requests')} requests; "
              f"slowest to connect {max(c.sums.get('slowest_ms', 0) for c in w.clients)} ms, {w.sum('resent')} segments sent again")
        print(f"failed as intended: {dict(w.intended)}; others: {w.unintended}")
        print(f"slowest command {w.service.slowest_ms[0]} ms ({w.service.slowest_ms[1]}); longest without a sign of life {w.service.quietest_s:.1f} s")
        return not w.findings.all


async def main(minutes, seed):
    story = Story(minutes, seed)
    say(f"soak: {minutes} minutes, SEED={seed}, in {scene.OUT}")
    try:
        await story.play()
    except Broken as broken:
        story.world.findings.add(str(broken))
    good = story.verdict()
    print("soak: all as intended" if good else f"soak: FAILED: {len(story.world.findings.all)} findings, SEED={seed}; see {scene.OUT}")
    return 0 if good else 1


sys.exit(asyncio.run(main(float(sys.argv[1]), int(sys.argv[2]))))

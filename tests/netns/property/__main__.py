# SPDX-License-Identifier: GPL-2.0-or-later
"""property changes|kills N SEED BUILD: N random changes of a live daemon, and the maps after each.

kills: it is killed in the middle of each, at one of the calls by which something of it outlives it. To be run by
test_property.sh, in whose network it is. SEED: the same changes again.
"""

import os
import signal
import sys
import time

import files
from compare import normal
from state import State
from walk import Failure, Walk
from world import Daemon, Killer, Unanswered, World

TOLD_EVERY = 500
MOST_CHANGES = 3  # for one that is cut off
FILES_MORE = 3  # descriptors that come and go


def open_backends(world):
    """Three quarters of the addresses answer."""
    for address in files.KEPT_BACKENDS:
        world.open(address, files.KEPT_PORT)
    for i, address in enumerate(files.HOSTS4 + files.HOSTS6):
        for port in files.PORTS if i % 4 else ():
            world.open(address, port)
    # A service that translates nothing arrives at its own address.
    for service in files.KEPT_SERVICES:
        if service.get("forward") == "dsr":
            address = service["listen"].rpartition(":")[0].strip("[]")
            for host in ("b1", "b2"):
                world.open(address, files.KEPT_PORT, host)


def as_if_new(walk):
    """A gateway that starts with the same configuration has the same in its maps, and no less."""
    world = walk.world
    report = world.report()
    world.client.end()
    world.client = None
    before, used = normal(world.maps()), world.daemon.files()
    leaving = set(walk.leaving)
    if world.daemon.stop(signal.SIGTERM) != 0:
        raise Failure("sluiced did not end well")
    world.daemon.cli("detach", "--all")
    began = time.monotonic()
    world.daemon.start()
    walk.memory.forget()
    walk.leaving = {}
    for order in walk.state.orders.values():
        order.impose(began, time.monotonic())
    walk.settle_alone()
    after = normal(world.maps())
    for key in leaving:
        before["words"].pop(key, None)
    for part in after:
        if before[part] != after[part]:
            raise Failure(f"{part}: {before[part]} after all changes, {after[part]} after a fresh start")
    if used > world.daemon.files() + FILES_MORE:
        raise Failure(f"{used} descriptors are open after all changes, {world.daemon.files()} after a fresh start")
    return report


def run(walk, n_changes):
    walk.settle()
    for n in range(1, n_changes + 1):
        walk.step(n)
        if n % TOLD_EVERY == 0:
            print(f"# {n} changes", flush=True)


def run_kills(walk, n_kills):
    walk.settle()
    for n in range(1, MOST_CHANGES * n_kills):
        walk.step(n)
        if walk.counts["killed at a call"] == n_kills:
            break
    else:
        raise Failure(f"only {walk.counts['killed at a call']} of {n} changes were cut off")
    for what, calls in sorted(walk.calls.items()):
        print(f"# {what}: up to {calls} calls")


def end(walk):
    walk.last.append("the end")
    walk.expire()
    return as_if_new(walk)


def main(what, n_changes, seed, build):
    patience = int(os.environ.get("SLUICE_PATIENCE", "1"))
    document = files.initial()
    state = State(document, files.render(document, "at first"))
    with open(os.environ["LOG"], "a") as log:
        killer = Killer(os.environ["KILLER"], build) if what == "kills" else None
        daemon = Daemon(build, os.environ["CONFIG"], log, killer)
        world = World(daemon, os.environ["SLUICE_BPFFS"])
        walk = Walk(world, state, seed, patience)
        print(f"# seed {seed}: {n_changes} {what}", flush=True)
        began = time.monotonic()
        try:
            open_backends(world)
            walk.write(state.text)
            daemon.start()
            walk.begin()
            (run_kills if killer else run)(walk, n_changes)
            report = end(walk)
        except (Failure, RuntimeError, Unanswered, OSError) as failure:
            print(f"# seed {seed}, change {len(walk.last) and walk.last[-1].partition(':')[0]}; the last of them:")
            for change in walk.last:
                print("#   " + change.replace("\n", "\n# "))
            print("# " + f"{type(failure).__name__}: {failure}".replace("\n", "\n# "))
            print(f"# sluiced: status {daemon.process and daemon.process.poll()}", flush=True)
            return 1
        finally:
            world.end()
    counts = ", ".join(f"{how} {n}" for how, n in sorted(walk.counts.items()))
    print(f"# {time.monotonic() - began:.0f} s; {counts}")
    print(f"# {report['messages']} messages over connections that nobody touched, the slowest took {report['slowest_ms']} ms")
    return 0


sys.exit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]))

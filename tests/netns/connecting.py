#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""connecting ADDRESS PORT EVERY_MS FOR_S: clients that connect, one every so often, and close. Prints when the first of those
that failed began, in milliseconds of the wall clock, how many succeeded, were refused, and got no answer in time, and
how much too late a client began, at worst, from shortly before the first failure to two seconds after it, in milliseconds.
Says "served" on stderr when the first few have succeeded."""
import asyncio
import sys
import time

PATIENCE_S = 0.6
FEW = 20
BEFORE_MS, AFTER_MS = 100, 2000  # of the first failure, when being late matters

results = {"first_failure_ms": None, "ok": 0, "refused": 0, "silent": 0}


async def connect(address, port):
    began_ms = time.time() * 1000
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), PATIENCE_S)
        writer.close()
        results["ok"] += 1
        if results["ok"] == FEW:
            print("served", file=sys.stderr, flush=True)
        return
    except (asyncio.TimeoutError, TimeoutError):
        results["silent"] += 1
    except OSError:
        results["refused"] += 1
    first = results["first_failure_ms"]
    results["first_failure_ms"] = began_ms if first is None else min(first, began_ms)


async def main(address, port, every_ms, for_s):
    until = time.monotonic() + for_s
    tasks, lateness = [], []
    while (began := time.monotonic()) < until:
        tasks.append(asyncio.create_task(connect(address, port)))
        await asyncio.sleep(every_ms / 1000)
        lateness.append((time.time() * 1000, (time.monotonic() - began) * 1000 - every_ms))
    await asyncio.gather(*tasks)
    first = results["first_failure_ms"] or 0
    late_ms = max((late for at, late in lateness if first - BEFORE_MS <= at <= first + AFTER_MS), default=0)
    print(int(first), results["ok"], results["refused"], results["silent"], int(late_ms))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))

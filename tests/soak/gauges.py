# SPDX-License-Identifier: GPL-2.0-or-later
"""gauges - what must not grow: sampled at every rest, when the configuration is the same and nothing else is asked."""
import asyncio
import collections
import contextlib
import glob
import json
import os
import statistics
import time

import scene

TRIES, PAUSE_S = 5, 0.2  # what is there for a moment only is not counted
SETTLE_S = max(kind.drain_s for kind in scene.KINDS) + 8
KIB = 1024


async def sample(service, rest, changes):
    """One row: a name, and a number. What was removed has left the kernel before."""
    await _settled(service)
    row = {"rest": rest, "at_s": int(time.monotonic()), "starts": service.starts, "changes": changes,
           "age_s": int(time.monotonic() - service.started_at)}
    looks = []
    for _ in range(TRIES):
        looks.append(_process(service.process.pid))
        await asyncio.sleep(PAUSE_S)
    row.update({name: min(look[name] for look in looks) for name in looks[0]})
    row.update(_files())
    row.update(_cgroup())
    row["pins"] = sum(len(files) for _, _, files in os.walk(scene.BPFFS))
    row.update(await _entries(service))
    return row


def _process(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = dict(line.split(":", 1) for line in file)
    with open(f"/proc/{pid}/maps", encoding="ascii") as file:
        regions = len(file.readlines())
    files = _open_files(pid)
    stored = sum(name.startswith(scene.STATE) for name in files)
    return {"rss_kib": int(status["VmRSS"].split()[0]), "anon_kib": int(status["RssAnon"].split()[0]),
            "threads": int(status["Threads"]), "fds": len(files) - stored, "store_fds": stored, "regions": regions}


def _open_files(pid):
    names = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            names.append(os.readlink(f"/proc/{pid}/fd/{fd}").split(":[")[0])
    # For whoever has to find out which one it is that was not closed.
    with open(scene.OUT + "/files", "a", encoding="ascii") as file:
        print(int(time.monotonic()), dict(sorted(collections.Counter(names).items())), file=file)
    return names


def _files():
    def size(pattern):
        return sum(os.path.getsize(path) for path in glob.glob(pattern)) // KIB

    return {"events_kib": size(scene.STATE + "/state.db*"), "changes_kib": size(scene.STATE + "/changes.db*"),
            "state_files": len(os.listdir(scene.STATE)), "log_kib": size(scene.OUT + "/sluiced.log")}


def _cgroup():
    """What the kernel keeps for the daemon, maps above all, in KiB."""
    for name in ("memory.kmem.usage_in_bytes", "memory.current"):
        path = f"{scene.CGROUP}/{name}"
        if scene.CGROUP and os.path.exists(path):
            with open(path, encoding="ascii") as file:
                return {"kernel_kib": int(file.read()) // KIB}
    return {}


async def _dump(service, name):
    _, out, _ = await service.run("bpftool", "-j", "map", "dump", "pinned", f"{scene.BPFFS}/v1/maps/{name}")
    return [entry["formatted"]["value"] for entry in json.loads(out)]


async def _ids(service):
    return sum(bool(name["key"]["port"]) for name in await _dump(service, "endpoint_names"))


async def _settled(service):
    """When what has been removed is gone, or has been given the time for it."""
    for _ in range(int(SETTLE_S / PAUSE_S)):
        if await _ids(service) == scene.endpoints_at_base():
            return
        await asyncio.sleep(PAUSE_S)


async def _entries(service):
    status = await service.ask("status")
    return {"targets": len(await _dump(service, "targets")),
            "endpoint_ids": await _ids(service),
            "service_ids": sum(bool(name["name"]) for name in await _dump(service, "service_names")),
            "flows": status["forwarding"]["flows"]["entries"], "half_open": status["forwarding"]["half_open"]["entries"]}


def write(rows):
    with open(scene.OUT + "/gauges.tsv", "w", encoding="ascii") as file:
        print(*rows[0], sep="\t", file=file)
        for row in rows:
            print(*row.values(), sep="\t", file=file)


# The same at every rest, since the configuration is: nothing that is made anew is forgotten.
SAME = ("fds", "threads", "pins", "targets", "endpoint_ids", "service_ids", "state_files")

# name: the most that there may be, and why so much
MOST = {
    "flows": (scene.MAX_FLOWS, "max_flows"),
    "half_open": (scene.MAX_HALF_OPEN, "max_half_open"),
    "events_kib": (8 * KIB, "events_max rows of half a KiB, and a log of 4 MiB that SQLite writes ahead, with room"),
    "changes_kib": (5 * KIB, "a few rows, and such a log"),
}

# name: how much more there may be at the end of the one life than when it had warmed up, and why
GROWTH = {
    "rss_kib": (4000 + KIB, "two caches of 2000 KiB that SQLite fills, and what the heap loses to fragments"),
    "kernel_kib": (KIB, "what CPUs set aside of a cgroup's account in advance"),
    "regions": (16, "heaps of threads"),
    "store_fds": (4, "SQLite keeps descriptors of a file that it has locked, for its next reader"),
}

# ... and after the same few changes, made over and over again at rest.
SAME_GROWTH = {"anon_kib": (512, "less than 4 KiB per change"), "kernel_kib": (512, "as above"), "store_fds": (2, "as above")}

LOG_KIB = 64, 4  # to begin with, and for each thing that was done


def judge(rows, acts, findings):
    """Lines of a table. What has grown is a finding."""
    lines = [f"{'GAUGE':14} {'FIRST':>8} {'LEAST':>8} {'MOST':>8} {'LAST':>8}  ALLOWED"]
    rests = [row for row in rows if row["rest"] != "same"]
    life = [row for row in rests if row["rest"] in ("warm", "life")]
    same = [row for row in rows if row["rest"] == "same"]

    def line(name, values, allowed, bad):
        lines.append(f"{name:14} {values[0]:8} {min(values):8} {max(values):8} {values[-1]:8}  {allowed}{'  <-- NOT SO' if bad else ''}")
        if bad:
            findings.add(f"{name}: {values}, allowed: {allowed}")

    for name in SAME:
        values = [row[name] for row in rests]
        line(name, values, "the same", len(set(values)) > 1)
    for name, (most, _) in MOST.items():
        values = [row[name] for row in rests]
        line(name, values, f"{most}", max(values) > most)
    for name, (growth, _) in GROWTH.items():
        values = [row[name] for row in life if name in row]
        if values:
            line(name, values, f"+{growth}", _late(values) - values[0] > growth)
    for name, (growth, _) in SAME_GROWTH.items():
        values = [row[name] for row in same if name in row]
        if values:
            line("same: " + name, values, f"+{growth}", values[-1] - values[0] > growth)
    log, done = rests[-1]["log_kib"], acts + rests[-1]["changes"] + rests[-1]["starts"]
    line("log_kib", [row["log_kib"] for row in rests], f"{LOG_KIB[0]}, and {LOG_KIB[1]} for each of {done}", log > LOG_KIB[0] + LOG_KIB[1] * done)
    return lines


def _late(values):
    """Of the last third: one that is high by chance is no growth."""
    return statistics.median(values[-max(1, len(values) // 3):])

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
    _note_files(pid)
    return {"rss_kib": int(status["VmRSS"].split()[0]), "anon_kib": int(status["RssAnon"].split()[0]),
            "threads": int(status["Threads"]), "fds": len(os.listdir(f"/proc/{pid}/fd")), "regions": regions}


def _note_files(pid):
    """For whoever has to find out which one it is that was not closed."""
    kinds = collections.Counter()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            kinds[os.readlink(f"/proc/{pid}/fd/{fd}").split(":[")[0]] += 1
    with open(scene.OUT + "/files", "a", encoding="ascii") as file:
        print(int(time.monotonic()), dict(sorted(kinds.items())), file=file)


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


def judge(rows, findings):
    return []

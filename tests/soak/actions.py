# SPDX-License-Identifier: GPL-2.0-or-later
"""actions - what may happen to the gateway in a soak.

An action is a coroutine of the world; it returns what it did, in words, or None where it would leave a pool without
anybody to serve, or cannot be done just now. Only that would make a client fail for whom nothing was intended.
"""
import asyncio
import os
import signal
import time

import scene
from excuses import Closed, Killed, Shut, Sick

NOTICE_S = 5  # from the death of a server to a closed gate, while there is a daemon
RETURN_S = 10


async def add(w):
    pool = w.rng.choice(list(scene.KIND))
    new = [a for a in scene.candidates(pool) if a not in w.view[pool]]
    if not new:
        return None
    address, weight = w.rng.choice(new), w.rng.randint(1, 5)
    await w.change("backend", "add", pool, address, "--weight", str(weight))
    return f"add {pool} {address}"


async def leave(w, *verb, options=()):
    """Somebody gets no new connections any more; others do."""
    pool = w.rng.choice(list(scene.KIND))
    address = w.rng.choice(list(w.view[pool]))
    if scene.KIND[pool].forward and not await w.usable(pool, {address}):
        return None
    if len(w.view[pool]) == 1:
        return None
    await w.change("backend", *verb, pool, address, *options)
    return f"{' '.join(verb)} {pool} {address}"


async def remove(w):
    return await leave(w, "remove")


async def drain(w):
    return await leave(w, "drain", options=("--timeout", f"{w.rng.randint(1, 5)}s"))


async def disable(w):
    return await leave(w, "disable")


async def enable(w):
    ordered = [(pool, a) for pool in scene.KIND for a, e in w.view[pool].items() if e["admin"] != "enabled"]
    if not ordered:
        return None
    pool, address = w.rng.choice(ordered)
    await w.change("backend", "enable", pool, address)
    return f"enable {pool} {address}"


async def weigh(w):
    pool = w.rng.choice(scene.FORWARDED)
    address, weight = w.rng.choice(list(w.view[pool])), w.rng.choice((0, 1, 1, 2, 3, 10, 256))
    if weight == 0 and not await w.usable(pool, {address}):
        return None
    await w.change("backend", "weight", pool, address, str(weight))
    return f"weight {pool} {address} {weight}"


async def spare_pool(w):
    """One that no service uses comes, with a backend, and goes."""
    name = f"spare{w.rng.randint(1, 3)}"
    if name in w.view:
        await w.change("pool", "remove", name)
        return f"pool remove {name}"
    await w.change("pool", "add", name)
    await w.change("backend", "add", name, scene.address_of("b1", 4))
    return f"pool add {name}"


async def refused(w):
    """What is wrong changes nothing."""
    pool = w.rng.choice(scene.FORWARDED)
    address = next(iter(w.view[pool]))
    before = await w.service.ask("diff")
    words = w.rng.choice((
        ("backend", "add", pool, address), ("backend", "remove", pool, "10.9.9.9"), ("backend", "add", "nowhere", address),
        ("pool", "remove", pool), ("pool", "add", pool), ("backend", "add", pool, "10.2.1.2:80"),
        ("backend", "weight", pool, address, "3", "--if-version", str(before["version"] + 1))))
    await w.expect(1, *words)
    if await w.service.ask("diff") != before:
        w.findings.add(f"a refused change has changed something: {' '.join(words)}")
    return "refused: " + " ".join(words)


async def rehearse(w):
    pool = w.rng.choice(list(scene.KIND))
    await w.expect(0, "backend", "remove", pool, next(iter(w.view[pool])), "--dry-run")
    return f"dry run {pool}"


async def two_at_once(w):
    pool = w.rng.choice(scene.FORWARDED)
    address = next(iter(w.view[pool]))
    words = ["backend", "weight", pool, address]
    results = await asyncio.gather(*(w.service.sluice(*words, str(n)) for n in (2, 3)), w.service.sluice("reload"))
    if any(status != 0 for status, _, _ in results):
        w.findings.add(f"changes at the same time: {results}")
    return "two changes and a reload at once"


# --- the file -----------------------------------------------------------------------------------


async def reload_unchanged(w):
    await w.change("reload")
    return "reload, unchanged"


async def reload_comment(w):
    w.file.comment = f"{w.rng.random()}"
    w.write_file()
    await w.change("reload")
    return "reload, another comment"


async def reload_changed(w):
    what = w.rng.choice(("members", "members", "weights", "service", "interval", "sizes"))
    pool = w.rng.choice(scene.FORWARDED)
    members = w.file.members[pool]
    last = scene.candidates(pool)[-1]
    if what == "members" and last in members:
        if last in w.view[pool] and not await w.usable(pool, {last}):
            return None
        del members[last]
    elif what == "members":
        members[last] = 1
    elif what == "weights":
        members[next(iter(members))] = w.rng.randint(1, 5)
    elif what == "service":
        w.file.extra = not w.file.extra
    elif what == "interval":
        w.file.interval_ms = w.rng.choice((400, 500, 600))
    else:
        # Other map sizes are other maps, and other programs over them.
        w.file.sizes = w.rng.choice((512, 640, 768))
    w.write_file()
    await w.change("reload")
    return f"reload, other {what}" + (f" of {pool}" if what in ("members", "weights") else "")


async def reload_wrong(w):
    w.write_file("nonsense: true\n")
    await w.expect(1, "reload")
    w.write_file()
    return "reload, refused"


async def many_reloads(w):
    for _ in range(10):
        await w.change("reload")
    return "ten reloads"


async def discard(w):
    await w.change("reload", "--discard-runtime")
    return "reload --discard-runtime"


# --- machines -----------------------------------------------------------------------------------


async def kill_server(w):
    machine = w.rng.choice(scene.MACHINES)
    return await w.outage_begins(machine, outage(w, machine, True))


async def sicken_server(w):
    machine = w.rng.choice(scene.MACHINES)
    return await w.outage_begins(machine, outage(w, machine, False))


async def outage(w, machine, killed):
    """The server of a machine dies, or answers probes with 503, until it is well again some seconds later."""
    why, began, present = "killed" if killed else "sick", time.monotonic(), w.service.presence_s()
    opened = []
    for pool, kind in scene.KIND.items():
        for family in scene.families(pool):
            where = (why, pool, scene.address_of(machine, family), began)
            w.excuses.add(Sick(*where))
            if killed:
                opened.append(w.excuses.add(Killed(*where)))
            if not kind.forward:
                w.excuses.add(Closed(*where))
            if kind.established == "reset":
                w.excuses.add(Shut(*where))
    if killed:
        await w.servers[machine].kill()
    else:
        w.servers[machine].sicken()

    def noticed(view):
        return all(view[pool][a]["health"] == "Unhealthy" for pool in scene.KIND for a in scene.candidates(pool, [machine])
                   if a in view[pool] and (killed or scene.KIND[pool].probe != "tcp"))

    await w.until(noticed, f"nobody noticed that {machine} was {why}", present, NOTICE_S)
    for excuse in opened:
        excuse.until = time.monotonic()
    await asyncio.sleep(w.rng.uniform(2, 6))
    present = w.service.presence_s()
    await w.servers[machine].start()
    await w.until(lambda view: all(view[pool][a]["health"] == "Healthy" for pool in scene.KIND
                                   for a in scene.candidates(pool, [machine]) if a in view[pool]),
                  f"{machine} was {why} and has returned, and is not healthy again", present, RETURN_S)
    now = time.monotonic()
    for excuse in w.excuses.all:
        if excuse.why == why and scene.machine_of(excuse.address) == machine:
            excuse.until = min(excuse.until, now)


# --- the daemon ---------------------------------------------------------------------------------


async def pause(w):
    since, for_s = time.monotonic(), w.rng.uniform(1, 6)
    await w.service.pause(for_s)
    w.excuses.note_absence(since, time.monotonic())
    return f"SIGSTOP for {for_s:.1f} s"


async def restarted(w, how, absent_s, meanwhile=None):
    """The daemon goes and comes back, with all that it was told."""
    before, rows = await w.fresh_view(), await w.service.ask("diff")
    since = time.monotonic()
    if meanwhile:
        task = asyncio.create_task(w.service.sluice(*meanwhile))
        await asyncio.sleep(w.rng.uniform(0, 0.04))
    await w.service.stop(how)
    if meanwhile:
        told = (await task)[0] == 0
    await asyncio.sleep(absent_s)
    await w.service.start()
    await w.fresh_view()
    w.excuses.note_absence(since, time.monotonic())
    w.excuses.note(before, w.view, since, time.monotonic())
    after = await w.service.ask("diff")
    if meanwhile:
        if told and after["version"] == rows["version"]:
            w.findings.add(f"a change that was said to be done is lost: {' '.join(meanwhile)}")
    elif (after["changes"], after["version"]) != (rows["changes"], rows["version"]):
        w.findings.add(f"after a restart the changes are others: {rows} -> {after}")


async def restart(w):
    await restarted(w, signal.SIGTERM, 0)
    return "restart"


async def stop_and_start(w):
    absent_s = w.rng.uniform(0.5, 4)
    await restarted(w, signal.SIGTERM, absent_s)
    return f"SIGTERM, start after {absent_s:.1f} s"


async def kill(w):
    absent_s = w.rng.choice((0, w.rng.uniform(0.5, 4)))
    await restarted(w, signal.SIGKILL, absent_s)
    return f"kill -9, start after {absent_s:.1f} s"


async def kill_amid_change(w):
    pool = w.rng.choice(scene.FORWARDED)
    address, weight = next(iter(w.view[pool])), w.rng.randint(1, 200)
    await restarted(w, signal.SIGKILL, 0, ("backend", "weight", pool, address, str(weight)))
    return f"kill -9 during weight {pool} {address} {weight}"


# --- those who look, and the disk ---------------------------------------------------------------


async def look(w):
    pool = w.rng.choice(scene.FORWARDED)
    address = next(iter(w.view[pool]))
    kind = scene.KIND[pool]
    source, target = ("10.1.0.2", kind.listen(4)) if scene.families(pool) == [4] else ("[fd01::2]:40000", f"[{kind.listen(6)}]")
    words = w.rng.choice((
        ("health",), ("health", "--azure"), ("stats",), ("flows", "--limit", "1000"), ("events", "--limit", "1000"), ("events", "--pool", pool),
        ("status",), ("pool", "list"), ("pool", "show", pool), ("why", pool, address), ("maps",), ("diff",),
        ("decide", source, f"{target}:{kind.port}")))
    form = w.rng.choice(((), ("--json",)))
    status, out, err = await w.service.sluice(*words, *form)
    if status not in (0, 1) or not out or err:
        w.findings.add(f"sluice {' '.join(words)}: status {status}, {err or out}")
    return "look: " + " ".join(words)


async def scrape(w):
    status, out, _ = await w.service.run("curl", "-sS", "--max-time", "10", "http://127.0.0.1:9477/metrics")
    if status != 0 or "sluice_endpoint_health" not in out:
        w.findings.add(f"metrics: status {status}, {len(out)} bytes")
    return "scrape"


async def fill_disk(w):
    """Nothing can be kept for a moment: changes are refused, or fit in; the rest goes on."""
    filler = scene.STATE + "/filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 16))
        except OSError:
            pass
    pool = w.rng.choice(scene.FORWARDED)
    before = await w.service.ask("diff")
    status, _, err = await w.service.sluice("backend", "weight", pool, next(iter(w.view[pool])), str(w.rng.randint(1, 200)))
    after = await w.service.ask("diff")
    if status not in (0, 1) or (status == 1 and (before != after or "kept" not in err)):
        w.findings.add(f"a change on a full disk: status {status}, {err.strip()}")
    await asyncio.sleep(w.rng.uniform(0.5, 3))
    os.remove(filler)
    return f"disk full, change {'refused' if status else 'kept'}"


async def warm_up(w):
    """What needs most memory: all maps and programs anew, and long answers."""
    for sizes in (640, 768, 512):
        w.file.sizes = sizes
        w.write_file()
        await w.change("reload")
    await many_reloads(w)
    for words in (("events", "--limit", "1000"), ("flows", "--limit", "1000"), ("health",), ("stats",)):
        await w.service.ask(*words)
    await scrape(w)


async def same_again(w):
    """What is done over and over again at rest, to see what is left of it."""
    pool, address = "web4", scene.address_of("b4", 4)
    for words in (("add", pool, address), ("weight", pool, address, "2"), ("drain", pool, address), ("remove", pool, address)):
        await w.change("backend", *words)
    await w.change("reload")
    await scrape(w)


# How often, of all.
CHANGES = {
    add: 8, remove: 6, drain: 6, disable: 4, enable: 6, weigh: 8, spare_pool: 3, refused: 6, rehearse: 2, two_at_once: 3,
    reload_unchanged: 5, reload_comment: 3, reload_changed: 10, reload_wrong: 3, many_reloads: 2, discard: 2,
    kill_server: 4, sicken_server: 4, pause: 2, look: 12, scrape: 4, fill_disk: 2,
}
ENDS = {restart: 4, stop_and_start: 3, kill: 6, kill_amid_change: 4}

# SPDX-License-Identifier: GPL-2.0-or-later
"""walk - one change after the other, each with what is to come of it; then the maps are looked at."""

import math
import os
import random
import signal
import threading
import time
from collections import Counter, deque

import changes
import files
from changes import Change
from compare import Comparison, Memory
from state import DRAIN_DEFAULT_MS, Leaving, Refused, State, difference, drain_ms, follow, key_text, saved, split_listen
from world import Unanswered

SETTLES_S = 10  # until everything has been probed
LOOK_AGAIN_S = 0.03
SHOWN = 10  # changes, of a run that failed


class Failure(Exception):
    pass


class Walk:
    def __init__(self, world, state, seed, patience):
        self.world, self.state, self.seed, self.patience = world, state, seed, patience
        self.leaving = {}
        self.memory = Memory()
        self.last = deque(maxlen=SHOWN)
        self.counts = Counter()
        self.is_kept = True  # what the version is now; a reload is made even if that cannot be written down
        self.calls = {}  # by the kind of a change: how many it makes that outlive the daemon

    # --- telling ----------------------------------------------------------------------------------

    def note(self, text):
        self.last[-1] += f"\n        {text}"

    def fail(self, text):
        raise Failure(text)

    def api(self, path):
        return self.world.daemon.api.get(path)

    def begin(self):
        """The daemon has started; connections begin when there is somebody to answer them."""
        self.last.append("0: start")
        self.state.version = self.layers()[0]
        self.settle_alone()
        self.world.connect([[address, files.KEPT_PORT, n] for address, n in files.KEPT_TARGETS])

    # --- one step ---------------------------------------------------------------------------------

    def step(self, n):
        """What is done depends on the seed, the number and the state; not on how long anything took."""
        rng = random.Random(f"{self.seed}/{n}")
        how = "killed" if self.world.daemon.killer else rng.choices(
            ["change", "dry", "stale", "killed", "full", "race", "restart", "other file", "save", "health", "wait"],
            [65, 8, 3, 4, 2, 3, 2, 1, 2, 6, 1],
        )[0]
        self.last.append(f"{n}: {how}")
        self.counts[how] += 1
        getattr(self, how.replace(" ", "_"))(rng)
        self.settle()
        if n % 3 == 0:
            self.connect(rng)

    def is_right(self):
        """Nothing is wrong now: None, or what is."""
        comparison = Comparison(self.state, self.leaving, self.world, self.world.maps(), self.memory)
        found = comparison.run()
        if not found:
            comparison.settled()
            gone = [key for key, how in self.leaving.items() if key not in comparison.maps.ids]
            for key in gone:
                del self.leaving[key]
        return found

    def settle(self):
        self.settle_alone()
        broken = self.world.report()["broken"]
        if broken:
            self.fail("connections through services that nobody touched have broken:\n" + "\n".join(broken))

    def settle_alone(self):
        """What a look finds wrong may be half of two moments; what health says comes with the next probe."""
        deadline = time.monotonic() + SETTLES_S * self.patience
        wrong_twice = 0
        while found := self.is_right():
            wrong_twice = wrong_twice + 1 if found.wrong else 0
            if wrong_twice > 1 or time.monotonic() > deadline:
                self.fail("\n".join(found.wrong + found.unsettled))
            time.sleep(LOOK_AGAIN_S)
        self.check_layers()

    def layers(self):
        said = self.api("/v1/changes")
        rows = {
            (row["pool"], row.get("address", "")): {k: row[k] for k in ("change", "weight", "admin") if k in row}
            for row in said["changes"]
        }
        return said["version"], rows

    def check_layers(self):
        version, rows = self.layers()
        wanted = self.state.overlay()
        if (version, rows) != (self.state.version, wanted):
            self.fail(f"sluice diff: version {version}, {rows}; the model has {self.state.version}, {wanted}")

    # --- files ------------------------------------------------------------------------------------

    def write(self, text):
        path = self.world.daemon.config
        with open(f"{path}.new", "w") as file:
            file.write(text)
        os.rename(f"{path}.new", path)

    def lay_out(self, change):
        if change.file:
            self.write(change.file[1])

    # --- changes ----------------------------------------------------------------------------------

    def enter(self, after, began, ended):
        self.is_kept = True
        after.date(began, ended)
        self.leaving = follow(self.leaving, self.state, after, began, ended)
        self.state = after

    def change(self, rng):
        change = changes.some_change(self.state, rng)
        self.carry_out(change, by_cli=rng.random() < 0.1)

    def carry_out(self, change, by_cli=False):
        wanted = change.wanted(self.state)
        words = change.words() if by_cli else None
        self.note(f"{change}{' by the CLI' if words else ''}: to be {'done' if wanted else f'refused: {change.why}'}")
        self.lay_out(change)
        began = time.monotonic()
        if words:
            status, out, err = self.world.daemon.cli(*words)
            done, answer = status == 0, out + err
            if status > 1:
                self.fail(f"sluice {' '.join(words)}: status {status}, {answer}")
        else:
            done, answer = self.world.daemon.api.change(*change.request())
        ended = time.monotonic()
        if done != (wanted is not None):
            self.fail(f"it was {'done' if done else 'refused'}: {answer}")
        self.note(f"{(ended - began) * 1000:.0f} ms")
        if wanted:
            self.enter(wanted, began, ended)
        else:
            self.counts["refused"] += 1
            self.write(self.state.text)

    def dry(self, rng):
        """A rehearsal says what would come of it, and changes nothing."""
        change = changes.some_change(self.state, rng)
        wanted = change.wanted(self.state)
        self.note(f"{change}: rehearsed")
        self.lay_out(change)
        path, body = change.request()
        done, answer = self.world.daemon.api.change(path, body | {"dry_run": True})
        self.write(self.state.text)
        # It attaches nothing, so that it cannot say what an interface will have to say.
        if "unattachable" in change.said or (change.file and not change.file[0]):
            return
        if done != (wanted is not None):
            self.fail(f"the rehearsal was {'done' if done else 'refused'}: {answer}")
        if wanted:
            self.check_rehearsal(change, wanted, answer)

    def check_rehearsal(self, change, wanted, answer):
        items, gone = difference(self.state, wanted)
        if not change.is_job:
            key = (change.pool, self.state.backend(change.pool, change.address))
            items = {("backend", "changed", *key)}
            gone = set()
            if change.what in ("drain", "disable"):
                gone = {
                    key_text(endpoint.key)
                    for endpoint in self.state.endpoints().values()
                    if change.pool in endpoint.pools
                    and endpoint.key[0] == key[1]
                    and self.state.admin_of(endpoint) == "enabled"
                }
        said = {
            (i["what"], i["change"], i.get("pool", i.get("name")), i.get("address"))
            for i in answer["changes"]
        }
        if said != items:
            self.fail(f"the rehearsal says {said}, the model {items}")
        if {e["endpoint"] for e in answer["draining"]} != gone:
            self.fail(f"the rehearsal has {answer['draining']} drain, the model {gone}")

    def stale(self, rng):
        change = changes.some_change(self.state, rng)
        self.note(f"{change}: for another version")
        self.lay_out(change)
        path, body = change.request()
        version = self.state.version + rng.choice((-1, 1, 1000))
        done, answer = self.world.daemon.api.change(path, body | {"if_version": max(0, version)})
        self.write(self.state.text)
        if done:
            self.fail(f"it was done: {answer}")

    def save(self, rng):
        """What was changed over the file is in it; orders are not of its kind, and nothing else changes."""
        status, out, err = self.world.daemon.cli("save")
        if status != 0:
            self.fail(f"sluice save: status {status}, {out}{err}")
        with open(self.world.daemon.config) as file:
            text = file.read()
        after = self.state.copy()
        after.load(saved(self.state.file, self.state.pools), text)
        after.version += text != self.state.text
        self.note(f"{len(self.state.overlay())} rows, then {len(after.overlay())}")
        self.state = after

    def race(self, rng):
        """Several at a time, all decided on the same version: it is one's, or nobody's."""
        several = []
        while len(several) < 3:
            change = changes.some_change(self.state, rng)
            if not change.file:
                several.append(change)
        wanted = [change.wanted(self.state) for change in several]
        answers = [None] * len(several)

        def ask(i):
            path, body = several[i].request()
            try:
                answers[i] = self.world.daemon.api.change(path, body | {"if_version": self.state.version})
            except Unanswered as error:
                answers[i] = error

        threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(several))]
        self.note(" | ".join(map(str, several)))
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended = time.monotonic()
        for change, answer in zip(several, answers):
            if isinstance(answer, Unanswered):
                self.fail(f"{change} was not answered: {answer}")
        done = [i for i, answer in enumerate(answers) if answer[0]]
        may = [i for i, after in enumerate(wanted) if after]
        if len(done) > 1 or not set(done) <= set(may) or (may and not done and "stopping" not in str(answers)):
            self.fail(f"of {may} one is to be done, not {done}: {answers}")
        if done:
            self.enter(wanted[done[0]], began, ended)

    # --- the daemon goes and comes ----------------------------------------------------------------

    def at_start(self, state, document, text):
        """What a daemon makes of a file: what lies over it, if the two go together."""
        for discards in (False, True):
            after = state.copy()
            try:
                after.load(document, text, discards)
                after.check()
                return after
            except Refused:
                pass
        return None

    def outcomes(self, change):
        """The states that there may be after a change that nobody was told of."""
        wanted = change.wanted(self.state)
        if not change.file:
            return [self.state, wanted] if wanted else [self.state]
        with_overlay = self.at_start(self.state, *change.file)
        return [with_overlay, wanted] if wanted and change.options else [with_overlay]

    def killed(self, rng):
        """At any moment of a change: there is the state before, or the one after."""
        change = changes.some_change(self.state, rng)
        # No daemon starts from a file that is none.
        while change.file and not (change.file[0] and self.at_start(self.state, *change.file)):
            change = changes.some_change(self.state, rng)
        wanted, possible = change.wanted(self.state), self.outcomes(change)
        self.lay_out(change)
        told = []

        def ask():
            try:
                told.append(self.world.daemon.api.change(*change.request())[0])
            except Unanswered:
                pass

        began = time.monotonic()
        if self.world.daemon.killer:
            self.end_at_a_call(change, ask, told, rng)
        else:
            self.end_at_a_time(ask, rng)
        self.note(f"{change}: told {told}")
        if told and told[0] != (wanted is not None):
            self.fail(f"it was {'done' if told[0] else 'refused'}")
        self.world.daemon.start()
        if told:
            possible = [wanted] if told[0] else possible[:1]
        self.find_out(possible, [wanted], began)

    def end_at_a_time(self, ask, rng):
        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(rng.random() * 0.08 * self.patience)
        self.world.daemon.stop(signal.SIGKILL)
        thread.join()

    def end_at_a_call(self, change, ask, told, rng):
        """The first of a kind is only counted."""
        daemon, before = self.world.daemon, self.world.daemon.killer.seen
        call = rng.randint(1, self.calls[change.what]) if change.what in self.calls else 0
        daemon.killer.arm(call)
        ask()
        if told:
            self.calls[change.what] = max(daemon.killer.seen - before, self.calls.get(change.what, 0))
            daemon.stop(signal.SIGKILL)
        elif not daemon.has_ended():
            self.fail(f"{change} was not answered")
        else:
            self.counts["killed at a call"] += 1
            self.note(f"at call {call} of about {self.calls.get(change.what)}")
        daemon.killer.arm(0)

    def full(self, rng):
        """The disk is full: what cannot be kept is refused, and nothing has changed."""
        change = changes.some_change(self.state, rng)
        wanted = change.wanted(self.state)
        filler = f"{self.state.file['gateway']['state_dir']}/filler"
        self.lay_out(change)
        with open(filler, "wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 20)):
                    pass
            except OSError:
                pass
        began = time.monotonic()
        done, answer = self.world.daemon.api.change(*change.request())
        os.unlink(filler)
        self.note(f"{change}: {'done' if done else 'refused'}")
        if done and not wanted:
            self.fail(f"it was done: {answer}")
        if not done:
            self.write(self.state.text)
        self.find_out([wanted if done else self.state], [wanted], began)
        self.is_kept = not done

    def find_out(self, possible, tried, began):
        """Which of the possible states it is; what was tried may have left somebody who leaves."""
        ended = time.monotonic()
        version, rows = self.layers()
        found = [state for state in possible if state.overlay() == rows]
        if not found:
            self.fail(f"after it there is {rows}, and none of {[state.overlay() for state in possible]}")
        # An order that is given again changes nothing but when it ends.
        state = found[-1] if version > self.state.version else found[0]
        if self.is_kept and not self.state.version <= version <= self.state.version + 2:
            self.fail(f"version {version} after {self.state.version}")
        self.note("after" if state is not self.state else "before")
        before, leaving = self.state, self.leaving
        if state is not before:
            self.enter(state, began, ended)
        self.state.version = version
        for other in tried:
            if other:
                self.may_leave(before, leaving, other, began, ended)
                self.impose_again(other, began, ended)
        self.forget(before, tried)

    def may_leave(self, before, leaving, tried, began, ended):
        """Who came with a change that was not kept, or was to go with it, may be on its way out."""
        now = self.state.endpoints()
        for key, endpoint in tried.endpoints().items():
            if key in now or (key in before.endpoints() and key in self.leaving):
                continue
            stays_s = {drain_ms(endpoint.settings), DRAIN_DEFAULT_MS}
            ranges = [(math.floor(began) + ms // 1000, math.ceil(ended) + ms // 1000 + 2) for ms in stays_s]
            ranges += leaving[key].ranges if key in leaving else []
            self.leaving[key] = Leaving(ranges, optional=True)
        # All of them at a time may have been more than there is room for.
        room = min(state.file["gateway"]["max_endpoints"] for state in (before, tried))
        if len(before.endpoints().keys() | tried.endpoints().keys() | self.leaving.keys() | leaving.keys()) > room:
            for how in self.leaving.values():
                how.optional = True

    def impose_again(self, tried, began, ended):
        """Who was to go, or to be taken back, and is not, may have been ordered once more what he was."""
        others = tried.endpoints()
        for key, endpoint in self.state.endpoints().items():
            if key not in others or tried.said_of(others[key]) != self.state.said_of(endpoint):
                for order in self.state.orders_of(endpoint):
                    order.impose(began, ended)

    def forget(self, before, tried):
        """Ids of those that had gone, and are back."""
        for other in tried:
            if not other:
                continue
            endpoints = other.endpoints()
            owners = self.memory.owners
            self.memory.owners = {key: owner for key, owner in owners.items() if key in endpoints}
            names = {(s["name"], split_listen(s["listen"]) if "listen" in s else None) for s, _ in other.forwarding()}
            ids = self.memory.service_ids
            self.memory.service_ids = {who: id_ for who, id_ in ids.items() if who in names}

    def restart(self, rng):
        signum = rng.choice((signal.SIGTERM, signal.SIGKILL))
        self.note(signum.name)
        status = self.world.daemon.stop(signum)
        if signum == signal.SIGTERM and status != 0:
            self.fail(f"sluiced ended with status {status}")
        self.world.daemon.start()

    def other_file(self, rng):
        """A start from another file, as after an editor and a reboot of the daemon."""
        document, said = files.edit(self.state.file, rng)
        text = files.render(document, rng.random())
        after = self.at_start(self.state, document, text)
        if not after:
            return
        self.note(said)
        self.world.daemon.stop(signal.SIGTERM)
        self.write(text)
        began = time.monotonic()
        self.world.daemon.start()
        after.version = after.version + 1 if self.is_kept else self.layers()[0]
        self.enter(after, began, time.monotonic())

    # --- the rest of the world --------------------------------------------------------------------

    def health(self, rng):
        """A backend's server goes, or comes."""
        address, port = rng.choice(files.HOSTS4 + files.HOSTS6), rng.choice(files.PORTS)
        is_open = self.world.is_open((address, port))
        self.note(f"{address} port {port} {'closes' if is_open else 'opens'}")
        (self.world.close if is_open else self.world.open)(address, port)

    def expire(self):
        """Somebody leaves, and nothing happens until he is gone."""
        document = files.with_one_more(self.state.file)
        self.carry_out(Change("reload", file=(document, files.render(document, "one more"))))
        if "last" not in self.state.pools:
            return
        self.settle()
        self.carry_out(Change("remove", "last", "10.2.1.2"))
        self.settle()
        while ("10.2.1.2", 8004, "tcp") in self.leaving:  # which is wrong at some time
            time.sleep(0.25)
            self.settle()

    def wait(self, rng):
        time.sleep(rng.random() * 2)

    def connect(self, rng):
        """Who answers a new connection is one of those that the model says."""
        services = [
            (service, settings)
            for service, settings in self.state.services()
            if service.get("forward", "nat") == "nat"
            and service.get("listen", "/udp").endswith("/tcp")
            and service["name"].startswith("v")
        ]
        if not services:
            return
        service, settings = rng.choice(services)
        endpoints = self.state.endpoints()
        members = self.state.members(service, settings)
        may = {
            f"{key[0]}:{key[1]}"
            for key, weight in members.items()
            if weight and self.state.admin_of(endpoints[key]) == "enabled" and self.world.is_open(key[:2])
        }
        if not may and settings.get("on_none_healthy", "reject") != "reject":
            return
        address, port, _ = split_listen(service["listen"])
        answer = self.world.try_once(address, port)
        if (answer.partition(" ")[2] not in may) if may else answer != "refused":
            self.fail(f"service {service['name']}: a connection was {answer}; it is to go to {may or 'nobody'}")

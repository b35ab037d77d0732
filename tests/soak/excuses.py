# SPDX-License-Identifier: GPL-2.0-or-later
"""excuses - which failures of clients are intended, and which are not.

An excuse is about one endpoint, for one time, and for one way to fail. A client knows whom it talks to once somebody has
answered; until then, a failure may be that of any endpoint of the pool.
"""
import dataclasses

import scene

LATE_S = 2.0  # a client that is busy learns late
PACKET_S = 3.0  # the longest that an open connection is silent, and some
ROUNDED_S = 1.0  # the kernel's deadlines are whole seconds
SWEPT_S = 4.0  # from the end of a drain until the daemon takes away what was removed
DEADLINE_S = 0.5  # the time left is told as of some moment ago
GONE = ("reset", "ended")
WHY = {"draining": "drained", "disabled": "disabled"}


@dataclasses.dataclass
class Excuse:
    """since, until: when it came in force, and when that was known to be over; CLOCK_MONOTONIC."""

    why: str
    pool: str
    address: str
    since: float
    until: float = float("inf")

    def covers(self, failure):
        return failure["pool"] == self.pool and self._is_it(failure)

    def _is_it(self, failure):
        raise NotImplementedError

    def _is_me(self, failure):
        return failure["address"] == self.address


class Killed(Excuse):
    """The server was killed: its connections end, and new ones are refused until the gate knows."""

    words = "met it before the gate knew"

    def _is_it(self, failure):
        if failure["address"] not in (None, self.address) or failure["how"] not in (*GONE, "refused"):
            return False
        # Whoever is connected learns of it when he has something to say.
        late = LATE_S + (PACKET_S if failure["how"] in GONE else 0)
        return self.since <= failure["ended"] <= self.until + late and failure["began"] <= self.until


class Drained(Excuse):
    """The time of a drain ran out: what was still open is reset, with its next packet."""

    words = "open when its time was over"

    def _is_it(self, failure):
        return (self._is_me(failure) and failure["how"] in GONE
                and self.since <= failure["ended"] <= self.until + PACKET_S + LATE_S)


class Closed(Excuse):
    """Nothing but the gate is in front of this endpoint, and it is closed: new connections are refused."""

    words = "refused by its gate"

    def _is_it(self, failure):
        return (self._is_me(failure) and failure["how"] == "refused"
                and self.since <= failure["ended"] and failure["began"] <= self.until)


class Sick(Excuse):
    """Probes fail and clients need not: nothing is intended but that the gate knows."""

    def _is_it(self, failure):
        return False


class Shut(Excuse):
    """And open ones are reset, for its settings want it."""

    words = "open, and reset as its settings want it"

    def _is_it(self, failure):
        return (self._is_me(failure) and failure["how"] in GONE
                and self.since <= failure["ended"] <= self.until + LATE_S)


class Excuses:
    def __init__(self):
        self.all = []

    def add(self, excuse):
        self.all.append(excuse)
        return excuse

    def why(self, failure):
        """The first that covers it, in words; None: it was not intended."""
        return next((f"{excuse.why}: {excuse.words}" for excuse in self.all if excuse.covers(failure)), None)

    def is_out(self, pool, address, since):
        """Whether its machine was out of order at some time since."""
        return any(excuse.why in ("killed", "sick") and (excuse.pool, excuse.address) == (pool, address) and excuse.until > since
                   for excuse in self.all)

    def forget(self, before):
        self.all = [excuse for excuse in self.all if excuse.until > before]

    def note(self, before, after, began, ended):
        """What a change means for clients: two views, and the times between which it came in force."""
        for pool, kind in scene.KIND.items():
            was, now = before.get(pool, {}), after.get(pool, {})
            for address in scene.candidates(pool):
                if address in now:
                    self._note_order((pool, address), kind, was.get(address), now[address], began, ended)
                elif address in was:
                    self._note_removal((pool, address), kind, began, ended)

    def note_absence(self, since, back):
        """What is removed leaves the gate when the daemon is there to take it away."""
        for excuse in self.all:
            if excuse.why == "removed" and isinstance(excuse, Closed) and since <= excuse.until < back + SWEPT_S:
                excuse.until = back + SWEPT_S

    def _end(self, where, at, *whys):
        for excuse in self.all:
            if (excuse.pool, excuse.address) == where and excuse.why in whys:
                excuse.until = min(excuse.until, at)

    def _note_removal(self, where, kind, began, ended):
        self.add(Drained("removed", *where, began + kind.drain_s, ended + kind.drain_s + ROUNDED_S))
        over = ended + kind.drain_s + SWEPT_S
        self._end(where, over, "drained", "disabled")
        if not kind.forward:
            self.add(Closed("removed", *where, began, over))

    def _note_order(self, where, kind, was, now, began, ended):
        if not was:
            self._end(where, ended, "removed", "drained", "disabled")
        old, new = was["admin"] if was else "enabled", now["admin"]
        if new == "draining" and (old != new or abs(was["deadline"] - now["deadline"]) > DEADLINE_S):
            self.add(Drained("drained", *where, now["deadline"] - DEADLINE_S, now["deadline"]))
        if new == "enabled" and old != new:
            self._end(where, ended, "drained", "disabled")
        if new == "enabled" or old == new:
            return
        if not kind.forward:
            self.add(Closed(WHY[new], *where, began))
        if new == "disabled" and kind.established == "reset":
            self.add(Shut(WHY[new], *where, began))

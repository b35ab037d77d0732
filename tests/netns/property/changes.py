# SPDX-License-Identifier: GPL-2.0-or-later
"""changes - what may be asked of the daemon: the request, and what the model makes of it."""

import files
from state import Refused, is_v6

BAD_ADDRESSES = ("10.2.1.2:80", "0.0.0.0", "224.0.0.1", "not an address")
JOBS = ("add", "remove", "add pool", "remove pool", "reload")


class Change:
    """One of those that `sluice` knows. file: (document, text) that is to be on the disk then; document None: spoilt."""

    def __init__(self, what, pool=None, address=None, file=None, said="", **options):
        self.what, self.pool, self.address, self.file, self.said = what, pool, address, file, said
        self.options = options
        self.why = "it is spoilt"  # it is refused, if it is

    def __str__(self):
        words = [self.what, self.pool, self.address, *(f"{k}={v}" for k, v in self.options.items())]
        return " ".join(str(word) for word in words if word) + (f" ({self.said})" if self.said else "")

    @property
    def is_job(self):
        return self.what in JOBS

    @property
    def is_order(self):
        return self.what in ("drain", "enable", "disable")

    def wanted(self, state):
        """What it would make of the state; None: it is to be refused."""
        after = state.copy()
        try:
            if self.what == "reload":
                if not self.file[0]:
                    return None
                after.load(*self.file, self.options.get("discard_runtime", False))
            elif self.address is None:
                getattr(after, self.what.replace(" ", "_"))(self.pool)
            else:
                getattr(after, self.what)(self.pool, self.address, **self.options)
            after.check()
        except Refused as refusal:
            self.why = str(refusal)
            return None
        # A file that says something else, and whatever changes what lies over it.
        if self.what != "reload" or after.text != state.text or len(after.overlay()) != len(state.overlay()):
            after.version += 1
        return after

    def request(self):
        """Path and body for the API."""
        if self.what == "reload":
            return "/v1/reload", dict(self.options)
        if self.address is None:
            return "/v1/pool", {"action": self.what.split()[0], "pool": self.pool}
        body = {"action": self.what, "pool": self.pool, "address": self.address, **self.options}
        return "/v1/backend", body

    def words(self):
        """For the CLI; None: what it is given there would be a matter of its usage."""
        if self.what == "reload":
            return ["reload"] + (["--discard-runtime"] if self.options.get("discard_runtime") else [])
        if self.address is None:
            return ["pool", self.what.split()[0], self.pool]
        weight, timeout = self.options.get("weight"), self.options.get("timeout_ms")
        if weight is not None and weight > 256 or timeout is not None and timeout % 1000:
            return None
        words = ["backend", self.what, self.pool, self.address]
        if self.what == "weight":
            return words + [str(weight)]
        words += ["--weight", str(weight)] if weight is not None else []
        return words + (["--timeout", f"{timeout // 1000}s"] if timeout is not None else [])


# --- what comes next: mostly about what is there, sometimes about what is not ------------------------


def some_pool(state, rng):
    there = sorted(set(files.POOLS) & state.pools.keys())
    return rng.choice(there) if there and rng.random() < 0.95 else rng.choice([*files.POOLS, "p9"])


def some_backend(state, rng):
    pool = some_pool(state, rng)
    there = sorted(state.pools.get(pool, {}))
    if there and rng.random() < 0.95:
        address = rng.choice(there)
        # The same, in other letters.
        return pool, address.upper() if is_v6(address) and rng.random() < 0.2 else address
    return pool, rng.choice(files.HOSTS4 + files.HOSTS6 + list(BAD_ADDRESSES))


def add(state, rng):
    pool = some_pool(state, rng)
    address = files.address_for(pool, rng) if rng.random() < 0.95 else rng.choice(BAD_ADDRESSES)
    options = {"weight": rng.choice((*files.WEIGHTS, 257))} if rng.random() < 0.5 else {}
    return Change("add", pool, address, **options)


def remove(state, rng):
    return Change("remove", *some_backend(state, rng))


def weight(state, rng):
    return Change("weight", *some_backend(state, rng), weight=rng.choice((*files.WEIGHTS, rng.randrange(257), 1000)))


def drain(state, rng):
    where = some_backend(state, rng)
    timeout = rng.choice((None, None, 1000, 2000, 3500, 60000))
    return Change("drain", *where, **({"timeout_ms": timeout} if timeout else {}))


def enable(state, rng):
    ordered = sorted(state.orders)
    if ordered and rng.random() < 0.7:
        return Change("enable", *rng.choice(ordered))
    return Change("enable", *some_backend(state, rng))


def disable(state, rng):
    return Change("disable", *some_backend(state, rng))


def add_pool(state, rng):
    return Change("add pool", rng.choice(files.POOLS))


def remove_pool(state, rng):
    return Change("remove pool", some_pool(state, rng))


def reload(state, rng):
    document, said = files.edit(state.file, rng)
    return Change("reload", file=(document, files.render(document, rng.random())), said=said)


def reload_same(state, rng):
    return Change("reload", file=(state.file, state.text), said="the same file")


def reload_discarding(state, rng):
    change = reload(state, rng) if rng.random() < 0.5 else reload_same(state, rng)
    change.options["discard_runtime"] = True
    return change


def reload_spoilt(state, rng):
    return Change("reload", file=(None, files.spoil(state.file, rng)), said="spoilt")


def reload_unattachable(state, rng):
    document, said = files.edit(state.file, rng)
    text = files.render(files.unattachable(document), "unattachable")
    return Change("reload", file=(None, text), said=f"unattachable; {said}")


KINDS = {add: 14, remove: 9, weight: 8, drain: 10, enable: 7, disable: 6, add_pool: 3, remove_pool: 3,
         reload: 16, reload_same: 1, reload_discarding: 3, reload_spoilt: 2, reload_unattachable: 3}  # fmt: skip


def some_change(state, rng):
    return rng.choices(list(KINDS), list(KINDS.values()))[0](state, rng)

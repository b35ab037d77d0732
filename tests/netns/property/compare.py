# SPDX-License-Identifier: GPL-2.0-or-later
"""compare - where the maps are not what the model says."""

import math
import time
from collections import Counter

from maps import AFFINITY, ANY, FORCED, LEAVING, ORDERED, RESET, SOURCE_NAT, SUSPECT, index_slot, NONE
from state import TABLE_MIN, forwards, is_v6, key_text, split_listen

GONE_AFTER_S = 4  # heartbeats see to it, one a second
ACTIONS = {"reject": "SL_ACTION_REJECT", "drop": "SL_ACTION_DROP", "redirect": "SL_ACTION_REDIRECT"}
NONE_ACTIONS = {
    "reject": "SL_ACTION_REJECT",
    "drop": "SL_ACTION_DROP",
    "pass": "SL_ACTION_PASS",
    "last": "SL_ACTION_REJECT",
}
SIGMAS = 6 # of what is spread by lot


class Found:
    """What is wrong. What follows from health may take until the next probe; everything else is there at once."""

    def __init__(self):
        self.wrong, self.unsettled = [], []

    def __bool__(self):
        return bool(self.wrong or self.unsettled)

    def expect(self, what, is_, wanted, settles=False):
        if is_ != wanted:
            (self.unsettled if settles else self.wrong).append(f"{what}: the maps say {is_!r}, the model {wanted!r}")

    def say(self, text, settles=False):
        (self.unsettled if settles else self.wrong).append(text)


class Memory:
    """What was seen before, and must not change by itself."""

    def __init__(self):
        self.owners = {}  # by key: id and generation
        self.service_ids = {}
        self.generations = {}  # by id, free ones too
        self.last_owners = {}  # by id: key and generation
        self.tables = {}  # by what a table follows from: its hash
        self.seen = {}  # the same, of the last look
        self.expiring = set()  # keys that may have gone, and come again

    def forget(self):
        self.owners, self.service_ids, self.generations, self.last_owners = {}, {}, {}, {}


class Comparison:
    def __init__(self, state, leaving, world, maps, memory):
        self.state, self.leaving, self.world, self.maps, self.memory = state, leaving, world, maps, memory
        self.found = Found()
        self.endpoints = state.endpoints()
        self.now = time.monotonic()
        self.tables = {}

    def run(self):
        self.check_ids()
        self.check_targets()
        self.check_index()
        for key, endpoint in self.endpoints.items():
            if key in self.maps.ids:
                self.check_name(endpoint)
                self.check_word(endpoint)
        self.check_services()
        self.check_min_servers()
        self.check_meta()
        self.check_memory()
        return self.found

    def settled(self):
        """To be called when nothing is wrong."""
        # A table may be looked at while it is stored: only what is seen twice is so.
        self.memory.tables.update({b: table for b, table in self.tables.items() if self.memory.seen.get(b) == table})
        self.memory.seen = self.tables
        self.memory.owners = {
            key: (id_, self.maps.names[id_]["generation"]) for key, id_ in self.maps.ids.items()
        }
        self.memory.last_owners |= {id_: (key, n) for key, (id_, n) in self.memory.owners.items()}
        self.memory.service_ids = dict(self.maps.service_ids)
        for id_, name in self.maps.names.items():
            self.memory.generations[id_] = max(name["generation"], self.memory.generations.get(id_, 0))
        self.memory.expiring = {key for key, how in self.leaving.items() if how.optional or how.first() <= self.now + 1}

    # --- endpoints --------------------------------------------------------------------------------

    def check_ids(self):
        found, names = self.found, self.maps.names
        owners = Counter(str(name["key"]) for name in names.values() if name["key"]["port"])
        for key, n in owners.items():
            if n > 1:
                found.say(f"{n} ids are {key}'s")
        for key in self.endpoints.keys() - self.maps.ids.keys():
            found.say(f"endpoint {key_text(key)} is not in endpoint_names")
        for key in self.maps.ids.keys() - self.endpoints.keys():
            self.check_leaving(key)
        for key, how in self.leaving.items():
            if key not in self.maps.ids and not how.optional and self.now < how.first():
                found.say(f"{key_text(key)} is gone {how.first() - self.now:.1f} s before its flows' time is over")
        for id_, name in names.items():
            if not name["key"]["port"] and (name["text"] or name["pool"] or name["settings"]):
                found.say(f"id {id_} is free, and has labels: {name}")

    def check_leaving(self, key):
        how, id_ = self.leaving.get(key), self.maps.ids[key]
        word, text = self.maps.words[id_], key_text(key)
        if not how:
            return self.found.say(f"{text} has id {id_}, and is not in the configuration; word: {word}")
        if self.now > how.last() + GONE_AFTER_S:
            self.found.say(f"{text} is there {self.now - how.last():.1f} s after its flows' time was over")
        self.found.expect(f"{text}, leaving: admin", word["admin"], "SL_DRAINING")
        self.found.expect(f"{text}, leaving: flags", word["flags"], LEAVING)
        self.check_deadline(f"{text}, leaving", word, how.ranges)
        return None

    def check_deadline(self, what, word, ranges):
        if not any(low <= word["deadline_s"] <= high for low, high in ranges):
            self.found.say(f"{what}: deadline {word['deadline_s']}, not in {ranges}; it is {self.now:.1f}")

    def check_targets(self):
        targets = self.maps.targets
        wanted = {key: ("SL_TARGET_ENDPOINT", self.maps.ids.get(key)) for key in self.endpoints}
        for service in self.state.file["services"]:
            if "listen" in service:
                key = split_listen(service["listen"])
                wanted[key] = ("SL_TARGET_SERVICE", self.maps.service_ids.get((service["name"], key)))
        for key in targets.keys() | wanted.keys():
            self.found.expect(f"target {key_text(key)}", targets.get(key), wanted.get(key))

    def check_index(self):
        """No target is hidden, and no slot leads to somebody who is not."""
        index, targets = self.maps.index, self.maps.targets
        bits = len(index).bit_length() - 1
        at = {}
        for key, target in targets.items():
            at.setdefault(index_slot(key, bits), []).append(target)
        for slot, (kind, id_) in enumerate(index):
            here = at.get(slot, [])
            if kind == "SL_TARGET_NONE" and here:
                self.found.say(f"target_index: slot {slot} hides {here}")
            if kind != "SL_TARGET_NONE" and (kind, id_) not in here:
                self.found.say(f"target_index: slot {slot} leads to {kind} {id_}, and not to {here}")

    def check_name(self, endpoint):
        name, text = self.maps.names[self.maps.ids[endpoint.key]], key_text(endpoint.key)
        redirects = endpoint.settings.get("on_unhealthy") == "redirect"
        self.found.expect(f"{text}: text", name["text"], text)
        self.found.expect(f"{text}: pool", name["pool"], endpoint.service["pool"])
        self.found.expect(f"{text}: settings", name["settings"], endpoint.settings["name"])
        self.found.expect(f"{text}: source", self.world.source_of(name), self.world.source(endpoint.key[0]))
        service = self.service_id(endpoint.service) if redirects else NONE
        self.found.expect(f"{text}: service", name["service"], service)

    def check_word(self, endpoint):
        state, text = self.state, key_text(endpoint.key)
        word = self.maps.words[self.maps.ids[endpoint.key]]
        admin = state.admin_of(endpoint)
        flags = ORDERED if admin != "enabled" else 0
        if endpoint.settings.get("established") == "reset" and admin != "draining":
            flags |= RESET
        self.found.expect(f"{text}: admin", word["admin"], "SL_" + admin.upper())
        self.found.expect(f"{text}: flags", word["flags"] & ~(FORCED | SUSPECT), flags)
        action = ACTIONS[endpoint.settings.get("on_unhealthy", "reject")]
        self.found.expect(f"{text}: action", word["action"], action)
        if admin == "draining":
            what = f"{text} of {endpoint.settings['name']}, {endpoint.pools}, {state.orders_of(endpoint)}"
            self.check_deadline(what, word, state.deadlines_of(endpoint))
        else:
            self.found.expect(f"{text}: deadline", word["deadline_s"], 0)
        health = "SL_HEALTHY" if self.world.is_open(state.probed_at(endpoint)) else "SL_UNHEALTHY"
        self.found.expect(f"{text}: health", word["health"], health, settles=True)

    # --- services ---------------------------------------------------------------------------------

    def service_id(self, service):
        key = split_listen(service["listen"]) if "listen" in service else None
        return self.maps.service_ids.get((service["name"], key))

    def check_services(self):
        taken = {}
        used = set()
        for service, settings in self.state.forwarding():
            id_ = self.service_id(service)
            if id_ is None:
                self.found.say(f"service {service['name']} is not in service_names")
                continue
            used.add(id_)
            self.check_service(service, settings, id_)
            slice_ = self.maps.services[id_]["slice"]
            for slot in range(slice_["start"], slice_["start"] + slice_["size"]):
                if taken.setdefault(slot, id_) != id_:
                    self.found.say(f"slot {slot} is service {id_}'s and service {taken[slot]}'s")
                    break
        for id_, name in self.maps.service_names.items():
            if id_ not in used and (any(name.values()) or self.maps.services[id_]["slice"]["size"]):
                self.found.say(f"service {id_} is not in the configuration: {name} {self.maps.services[id_]}")

    def check_service(self, service, settings, id_):
        name, entry, what = self.maps.service_names[id_], self.maps.services[id_], f"service {service['name']}"
        listen = service.get("listen", "").partition("/")[0]
        self.found.expect(f"{what}: text", name["text"], listen)
        self.found.expect(f"{what}: pool", name["pool"], service["pool"])
        self.found.expect(f"{what}: settings", name["settings"], service["settings"])
        self.found.expect(f"{what}: method", entry["method"], "SL_METHOD_" + service.get("forward", "nat").upper())
        self.found.expect(f"{what}: none", entry["none"], NONE_ACTIONS[settings.get("on_none_healthy", "reject")])
        flags = SOURCE_NAT if service.get("source_nat", True) else 0
        flags |= AFFINITY if service.get("source_affinity") else 0
        self.found.expect(f"{what}: flags", entry["flags"] & ~ANY, flags)
        members = self.state.members(service, settings)
        self.found.expect(f"{what}: slots", entry["slice"]["size"], table_size(service, len(members)))
        self.check_table(what, settings, members, entry, id_)

    def serving(self, members):
        """Endpoints that may get new flows, as far as orders and weights go."""
        return [
            key
            for key, weight in members.items()
            if weight and key in self.maps.ids and self.state.admin_of(self.endpoints[key]) == "enabled"
        ]

    def check_table(self, what, settings, members, entry, id_):
        words = {key: self.maps.words[self.maps.ids[key]] for key in self.serving(members)}
        chosen = {key for key, word in words.items() if word["health"] == "SL_HEALTHY" or word["flags"] & FORCED}
        if not chosen:
            chosen = {key for key, word in words.items() if word["health"] == "SL_UNKNOWN"}
        slots = self.maps.slots(id_)
        counts = Counter(slots)
        if not chosen and settings.get("on_none_healthy") == "last" and entry["flags"] & ANY:
            chosen = set(counts)
            for key in chosen - words.keys():
                self.found.say(f"{what}: {key} has {counts[key]} slots, and may get no flows", settles=True)
            return
        self.found.expect(f"{what}: ANY", entry["flags"] & ANY, 0, settles=True)
        for key in counts.keys() - (chosen or {None}):
            self.found.say(f"{what}: {key} has {counts[key]} of {len(slots)} slots, and is none of those "
                           f"that flows go to: {sorted(map(key_text, chosen))}", settles=True)
        self.check_shares(what, counts, members, chosen, len(slots))
        basis = (len(slots), frozenset((k, w) for k, w in members.items() if w), frozenset(chosen))
        self.tables[basis] = hash(tuple(slots))
        if self.memory.tables.get(basis, self.tables[basis]) != self.tables[basis]:
            self.found.say(f"{what}: its table is another one than before for the same members", settles=True)

    def check_shares(self, what, counts, members, chosen, size):
        """In proportion to the weights: within two slots if all are well, else what is left over falls by lot."""
        weights = {key: weight for key, weight in members.items() if weight}
        total, held = sum(weights.values()), sum(weights[key] for key in chosen)
        for key in chosen:
            part = size * weights[key] / held
            if len(chosen) == len(weights):
                low, high = max(1, part - len(weights) - 2), part + 2
            else:
                own = max(1, size * weights[key] / total)
                share = weights[key] / held
                error = SIGMAS * (part / math.sqrt(own) + math.sqrt(size * share * (1 - share))) + 2
                low, high = max(1, part - error), part + error
            if not low <= counts[key] <= high:
                self.found.say(f"{what}: {key_text(key)} has {counts[key]} of {size} slots, not {part:.0f} "
                               f"({low:.0f} to {high:.0f}); weights {weights}", settles=True)

    def check_min_servers(self):
        """Of each service so many are open, and nobody is forced without need."""
        needed, forced = 0, set()
        for service, settings in self.state.services():
            least = self.state.probe(settings).get("min_servers", 0)
            keys = [k for k in self.state.members(service, settings)
                    if k in self.maps.ids and self.state.admin_of(self.endpoints[k]) == "enabled"]
            words = [self.maps.words[self.maps.ids[k]] for k in keys]
            is_open = sum(w["health"] != "SL_UNHEALTHY" for w in words)
            mine = {k for k, w in zip(keys, words) if w["flags"] & FORCED}
            need = max(0, min(least, len(keys)) - is_open)
            if len(mine) < need:
                self.found.say(f"service {service['name']}: {len(mine)} are kept open, {need} have to be", settles=True)
            needed += need
            forced |= mine
        if len(forced) > needed:
            self.found.say(f"{len(forced)} endpoints are kept open, {needed} have to be: {forced}", settles=True)

    # --- all of it --------------------------------------------------------------------------------

    def check_meta(self):
        meta, gateway = self.maps.meta, self.state.file["gateway"]
        self.found.expect("meta: endpoints", meta["endpoints"], len(self.endpoints))
        self.found.expect("meta: services", meta["services"], len(self.state.forwarding()))
        self.found.expect("meta: daemon_pid", meta["daemon_pid"], self.world.daemon.pid)
        self.found.expect("meta: mode", meta["mode"], "SL_MODE_ENFORCE")
        loss_ns = int(gateway["daemon_loss_after"][:-1]) * 10**9
        self.found.expect("meta: daemon_loss_after_ns", meta["daemon_loss_after_ns"], loss_ns)
        self.found.expect("endpoint ids", len(self.maps.names), gateway["max_endpoints"])
        self.found.expect("service ids", len(self.maps.services), gateway["max_services"])

    def check_memory(self):
        """Flows name an endpoint by its id and generation: while it is there they stay, if the maps have as many."""
        for key, (id_, generation) in self.memory.owners.items():
            now = self.maps.ids.get(key)
            if now is None or key in self.memory.expiring or id_ >= len(self.maps.names):
                continue
            self.found.expect(f"{key_text(key)}: id", now, id_)
            self.found.expect(f"{key_text(key)}: generation", self.maps.names[now]["generation"], generation)
        for key, id_ in self.maps.ids.items():
            last, generation = self.memory.last_owners.get(id_, (key, None))
            if key != last and self.maps.names[id_]["generation"] == generation:
                self.found.say(f"id {id_} was {key_text(last)}'s with generation {generation}, and is {key_text(key)}'s")
        for id_, name in self.maps.names.items():
            if name["generation"] < self.memory.generations.get(id_, 0):
                self.found.say(f"id {id_} has generation {name['generation']} again, which flows of others may name")
        for who, id_ in self.memory.service_ids.items():
            if who in self.maps.service_ids and id_ < len(self.maps.services):
                self.found.expect(f"service {who[0]}: id", self.maps.service_ids[who], id_)


def table_size(service, n_members):
    size = TABLE_MIN
    if "table_size" not in service:
        return 4096 if n_members <= 10 else 16384
    while size < service["table_size"] or size < n_members:
        size *= 2
    return size


def normal(maps):
    """What the maps say without ids, generations, times: the same for the same configuration."""
    keys = {id_: key for key, id_ in maps.ids.items()}
    names = {id_: name for name, id_ in maps.service_ids.items()}
    words = {}
    for key, id_ in maps.ids.items():
        word, name = maps.words[id_], maps.names[id_]
        service = names.get(name["service"])
        words[key] = (word["health"], word["admin"], word["action"], word["flags"] & ~(SUSPECT | FORCED),
                      name["pool"], name["settings"], service, tuple(name["source"]))
    targets = {key: keys.get(id_) if "ENDPOINT" in kind else names.get(id_) for key, (kind, id_) in maps.targets.items()}
    tables = {names[id_]: (maps.slots(id_), maps.services[id_]["method"], maps.services[id_]["none"],
                           maps.services[id_]["flags"] & ~ANY) for id_ in names}
    filled = sum(kind != "SL_TARGET_NONE" for kind, _ in maps.index)
    return {"words": words, "targets": targets, "tables": tables, "index": filled}

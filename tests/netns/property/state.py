# SPDX-License-Identifier: GPL-2.0-or-later
"""state - what the gateway is to do, by the manual alone: the model that the maps are compared with.

A file (a document as in sluice.yaml), the pools as they are after what was changed over it, and the orders of
operators. A change makes another state of one, or raises Refused. Nothing here knows how sluiced works.
"""

import copy
import ipaddress
import math

DRAIN_DEFAULT_MS = 30000  # of settings that say nothing
TABLE_MIN = 256
WEIGHT_MAX = 256
STRICTNESS = {"enabled": 0, "draining": 1, "disabled": 2}


class Refused(Exception):
    pass


def transport(settings):
    return "udp" if settings["protocol"] == "udp" else "tcp"


def drain_ms(settings):
    draining = settings.get("draining", {})
    return int(draining["timeout"][:-1]) * 1000 if draining.get("enabled") else DRAIN_DEFAULT_MS


def split_listen(text):
    """"[fd00::1]:80/udp" as (address, port, transport)."""
    text, _, proto = text.partition("/")
    address, _, port = text.rpartition(":")
    return address.strip("[]"), int(port), proto or "tcp"


def canonical(address):
    """As it is kept; a name is none here. Raises Refused."""
    try:
        whole = ipaddress.ip_address(address)
    except ValueError:
        raise Refused(f"{address} is no address") from None
    if whole.is_unspecified or whole.is_multicast:
        raise Refused(f"{address} is nobody's address")
    return str(whole)


def need_weight(weight):
    if not 0 <= weight <= WEIGHT_MAX:
        raise Refused(f"weight {weight}")


def is_v6(address):
    return ":" in address


def key_text(key):
    address, port, _ = key
    return f"[{address}]:{port}" if is_v6(address) else f"{address}:{port}"


def forwards(service, settings):
    return "listen" in service or settings.get("on_unhealthy") == "redirect"


class Order:
    """What an operator ordered of a backend, and when a drain is to end: by the monotonic clock, in seconds."""

    def __init__(self, admin, began=0.0, ended=0.0, by_settings=None, longest_ms=0):
        self.admin = admin
        self.began, self.ended = began, ended  # the order was given between these two
        self.by_settings = by_settings or {}  # ms
        self.longest_ms = longest_ms  # of any service's settings: what an endpoint that comes later gets
        self.over = []  # when it was imposed on an endpoint that came when its time was over

    def __repr__(self):
        return f"{self.admin} at {self.began:.1f}..{self.ended:.1f} for {self.by_settings}, {self.longest_ms} ms; {self.over}"

    def deadlines(self, settings):
        """Ranges of seconds, of which the word's deadline has to be in one."""
        times = {self.longest_ms, self.by_settings.get(settings, self.longest_ms)}
        return self.over + [self.range_of(ms) for ms in times]

    def range_of(self, ms):
        return math.floor(self.began + ms / 1000), math.ceil(self.ended + ms / 1000) + 1

    def impose(self, began, ended):
        if self.admin == "draining" and self.range_of(self.longest_ms)[0] <= ended:
            self.over.append((math.floor(began), math.ceil(ended) + 1))


class Endpoint:
    """An address, port and transport that some service sends packets to."""

    def __init__(self, key, service, settings):
        self.key = key
        self.service = service  # the first one that names it: whose labels it has
        self.settings = settings
        self.pools = []  # that have it


class State:
    def __init__(self, document, text):
        self.file = document
        self.text = text
        self.pools = {name: dict(backends) for name, backends in self.file_pools(document).items()}
        self.orders = {}  # by (pool, address)
        self.stood = {}  # by key: ranges of deadlines that came with orders that other pools had
        self.version = None  # as the daemon counts

    def copy(self):
        return copy.deepcopy(self)

    # --- what follows from it ---------------------------------------------------------------------

    @staticmethod
    def file_pools(document):
        return {
            pool["name"]: {b["address"]: b.get("weight", 1) for b in pool.get("backends", [])}
            for pool in document["pools"]
        }

    def settings(self, name):
        return next((s for s in self.file["settings"] if s["name"] == name), None)

    def probe(self, settings):
        return next(p for p in self.file["probes"] if p["name"] == settings["probe"])

    def services(self):
        """Each with its settings."""
        return [(s, self.settings(s["settings"])) for s in self.file["services"]]

    def forwarding(self):
        return [(s, settings) for s, settings in self.services() if forwards(s, settings)]

    def members(self, service, settings):
        """Keys of a service's endpoints, with their weights."""
        return {
            (address, settings["port"], transport(settings)): weight
            for address, weight in self.pools[service["pool"]].items()
        }

    def endpoints(self):
        found = {}
        for service, settings in self.services():
            for key in self.members(service, settings):
                endpoint = found.setdefault(key, Endpoint(key, service, settings))
                endpoint.pools.append(service["pool"])
        return found

    def orders_of(self, endpoint):
        orders = (self.orders.get((pool, endpoint.key[0])) for pool in endpoint.pools)
        return [order for order in orders if order]

    def said_of(self, endpoint):
        return [(order.admin, order.began) for order in self.orders_of(endpoint)]

    def admin_of(self, endpoint):
        """Of several pools' orders the strictest holds, for there is one word."""
        return max((o.admin for o in self.orders_of(endpoint)), key=STRICTNESS.get, default="enabled")

    def deadlines_of(self, endpoint):
        draining = [o for o in self.orders_of(endpoint) if o.admin == "draining"]
        ranges = [range_ for o in draining for range_ in o.deadlines(endpoint.settings["name"])]
        return ranges + (self.stood.get(endpoint.key, []) if draining else [])

    def probed_at(self, endpoint):
        """Address and port that say whether it is well."""
        return endpoint.key[0], self.probe(endpoint.settings).get("port", endpoint.key[1])

    def overlay(self):
        """What differs from the file: rows as `sluice diff` has them, by (pool, address)."""
        rows = {}
        before = self.file_pools(self.file)
        for pool in before.keys() | self.pools.keys():
            if pool not in self.pools:
                rows[pool, ""] = {"change": "removed"}
                continue
            if pool not in before:
                rows[pool, ""] = {"change": "added"}
            was, now = before.get(pool, {}), self.pools[pool]
            for address in was.keys() | now.keys():
                row = {}
                if address not in now:
                    row["change"] = "removed"
                elif address not in was:
                    row.update(change="added", weight=now[address])
                elif now[address] != was[address]:
                    row.update(change="changed", weight=now[address])
                order = self.orders.get((pool, address))
                if order:
                    row.setdefault("change", "changed")
                    row["admin"] = order.admin
                if row:
                    rows[pool, address] = row
        return rows

    # --- what is allowed --------------------------------------------------------------------------

    def check(self):
        """Raise Refused unless all of it goes together."""
        for service, settings in self.services():
            if service["pool"] not in self.pools:
                raise Refused(f"service {service['name']}: no pool {service['pool']}")
            if "listen" in service:
                self.check_listen(service, settings)
        self.check_endpoints()

    def check_listen(self, service, settings):
        address, port, proto = split_listen(service["listen"])
        if proto != transport(settings):
            raise Refused(f"service {service['name']}: another transport")
        if service.get("forward", "nat") != "nat" and port != settings["port"]:
            raise Refused(f"service {service['name']}: dsr changes no port")
        for backend in self.pools[service["pool"]]:
            if is_v6(backend) != is_v6(address):
                raise Refused(f"service {service['name']}: {backend} is of the other family")

    def check_endpoints(self):
        endpoints = self.endpoints()
        listens = set()
        for service, settings in self.services():
            for key in self.members(service, settings):
                if endpoints[key].settings is not settings:
                    raise Refused(f"{key_text(key)} under two settings")
            if "listen" in service:
                listen = split_listen(service["listen"])
                if listen in listens or listen in endpoints:
                    raise Refused(f"service {service['name']}: {service['listen']} is taken")
                listens.add(listen)
        gateway = self.file["gateway"]
        if len(endpoints) > gateway["max_endpoints"]:
            raise Refused(f"{len(endpoints)} endpoints, more than {gateway['max_endpoints']}")
        if len(self.forwarding()) > gateway["max_services"]:
            raise Refused(f"{len(self.forwarding())} services, more than {gateway['max_services']}")

    # --- changes ----------------------------------------------------------------------------------

    def backend(self, pool, address):
        """Its address as it is kept."""
        if pool not in self.pools:
            raise Refused(f"no pool {pool}")
        address = canonical(address)
        if address not in self.pools[pool]:
            raise Refused(f"no backend {address} in {pool}")
        return address

    def add_pool(self, pool):
        if pool in self.pools:
            raise Refused(f"there is a pool {pool}")
        self.pools[pool] = dict(self.file_pools(self.file).get(pool, {}))

    def remove_pool(self, pool):
        if pool not in self.pools:
            raise Refused(f"no pool {pool}")
        if any(s["pool"] == pool for s in self.file["services"]):
            raise Refused(f"pool {pool} is used")
        del self.pools[pool]
        self.orders = {where: order for where, order in self.orders.items() if where[0] != pool}

    def add(self, pool, address, weight=1):
        need_weight(weight)
        if pool not in self.pools:
            raise Refused(f"no pool {pool}")
        address = canonical(address)
        if address in self.pools[pool]:
            raise Refused(f"{pool} has {address}")
        self.pools[pool][address] = weight

    def remove(self, pool, address):
        address = self.backend(pool, address)
        del self.pools[pool][address]
        self.orders.pop((pool, address), None)

    def weight(self, pool, address, weight):
        need_weight(weight)
        address = self.backend(pool, address)
        self.pools[pool][address] = weight

    def enable(self, pool, address):
        address = self.backend(pool, address)
        self.orders.pop((pool, address), None)

    def disable(self, pool, address):
        address = self.backend(pool, address)
        self.orders[pool, address] = Order("disabled")

    def drain(self, pool, address, timeout_ms=None):
        """When it was given is filled in by date()."""
        address = self.backend(pool, address)
        mine = [settings for service, settings in self.services() if service["pool"] == pool]
        by_settings = {s["name"]: timeout_ms or drain_ms(s) for s in mine}
        longest = timeout_ms or max(by_settings.values(), default=0)
        self.orders[pool, address] = Order("draining", by_settings=by_settings, longest_ms=longest)

    def date(self, began, ended):
        """The orders that have no date yet were given between these two moments."""
        for order in self.orders.values():
            if not order.ended:
                order.began, order.ended = began, ended

    def load(self, document, text, discards=False):
        """
        Another file, which has to be one by itself: what was changed over the one before is laid over it, where
        it still makes sense.
        """
        State(document, text).check()
        rows = {} if discards else self.overlay()
        orders = self.orders
        before = self.file_pools(self.file)
        self.file, self.text, self.orders = document, text, {}
        self.pools = self.file_pools(document)
        used = {s["pool"] for s in document["services"]}
        for (pool, address), row in sorted(rows.items()):
            if address == "":
                if row["change"] == "added":
                    self.pools.setdefault(pool, {})
                elif pool not in used:
                    self.pools.pop(pool, None)
                continue
            if pool not in self.pools:
                continue
            now, was = self.pools[pool], before.get(pool, {})
            if row["change"] == "removed":
                now.pop(address, None)
            elif address in now or address not in was:
                now[address] = row.get("weight", now.get(address))
                if (pool, address) in orders:
                    self.orders[pool, address] = orders[pool, address]


def saved(document, pools):
    """The file with what was changed over it."""
    document = copy.deepcopy(document)
    document["pools"] = [
        {"name": name, "backends": [{"address": a, "weight": w} for a, w in backends.items()]}
        for name, backends in pools.items()
    ]
    return document


def leaves_in_s(settings):
    """
    How long an endpoint that is in the configuration no more has its open flows, in seconds of which the first has
    begun; None: the settings are gone.
    """
    return math.ceil((drain_ms(settings) if settings else DRAIN_DEFAULT_MS) / 1000) + 1


class Leaving:
    """An endpoint that has gone, and that open flows may go on to until its deadline."""

    def __init__(self, ranges, optional=False):
        self.ranges = ranges  # of which the deadline is in one
        self.optional = optional  # it may have gone already

    def first(self):
        return min(low for low, _ in self.ranges)

    def last(self):
        return max(high for _, high in self.ranges)


def follow(leaving, before, after, began, ended):
    """Who is leaving after a change that was made between these two moments."""
    old, new = before.endpoints(), after.endpoints()
    for key, endpoint in new.items():
        said_anew = key not in old or before.said_of(old[key]) != after.said_of(endpoint)
        # An order for the backend of one pool, be it what it was already, has that of another imposed again.
        if said_anew or len(endpoint.pools) > 1:
            for order in after.orders_of(endpoint):
                order.impose(began, ended)
        if said_anew:
            # Which of several it was is not asked again as long as it drains.
            after.stood.pop(key, None)
            if key in old and before.admin_of(old[key]) == after.admin_of(endpoint) == "draining":
                after.stood[key] = before.deadlines_of(old[key])
    result = {key: how for key, how in leaving.items() if key not in new}
    for key in old.keys() - new.keys():
        endpoint = old[key]
        draining = before.admin_of(endpoint) == "draining"
        if draining:
            ranges = before.deadlines_of(endpoint)
        else:
            stay_s = leaves_in_s(after.settings(endpoint.settings["name"]))
            ranges = [(math.floor(began) + stay_s, math.floor(ended) + stay_s)]
        # A drain whose time is over leaves nothing to wait for.
        result[key] = Leaving(ranges, optional=draining and min(low for low, _ in ranges) <= ended)
    room = after.file["gateway"]["max_endpoints"]
    if len(new) + len(result) > room or room < before.file["gateway"]["max_endpoints"]:
        for how in result.values():
            how.optional = True
    return result


DEFAULTS = {
    "probes": {"min_servers": 0},
    "settings": {
        "on_unhealthy": "reject",
        "on_none_healthy": "reject",
        "established": "keep",
        "draining": {"enabled": False, "timeout": "60s"},
    },
    "services": {"forward": "nat", "source_nat": True, "source_affinity": False},
}


def difference(before, after):
    """What a rehearsal says: {(subject, change, name, address)} and the endpoints that would drain."""
    items = set()
    for subject, section in (("probe", "probes"), ("settings", "settings"), ("service", "services")):
        was = {item["name"]: DEFAULTS[section] | item for item in before.file[section]}
        now = {item["name"]: DEFAULTS[section] | item for item in after.file[section]}
        for name in was.keys() | now.keys():
            change = "added" if name not in was else "removed" if name not in now else "changed"
            if change != "changed" or was[name] != now[name]:
                items.add((subject, change, name, None))
    if before.file["gateway"] != after.file["gateway"]:
        items.add(("gateway", "changed", None, None))
    for pool in before.pools.keys() ^ after.pools.keys():
        items.add(("pool", "added" if pool in after.pools else "removed", pool, None))
    for pool in before.pools.keys() & after.pools.keys():
        was, now = before.pools[pool], after.pools[pool]
        for address in was.keys() | now.keys():
            change = "added" if address not in was else "removed" if address not in now else "changed"
            if change != "changed" or was[address] != now[address]:
                items.add(("backend", change, pool, address))
    gone = {key_text(key) for key in before.endpoints().keys() - after.endpoints().keys()}
    return items, gone

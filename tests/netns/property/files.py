# SPDX-License-Identifier: GPL-2.0-or-later
"""files - the configuration file that a run begins with, and what somebody with an editor does to it."""

import copy
import json
import os

from state import is_v6

KEPT_PORT = 7001
PORTS = (8001, 8002, 8003)
POOLS = ("p1", "p2", "p3", "p4", "p5", "p6")
MIXED = "p4"  # of both families: for services without an address
HOSTS4 = [f"10.2.{net}.{host}" for net in (1, 2) for host in range(2, 14)]
HOSTS6 = [f"fd02:{net}::{host:x}" for net in (1, 2) for host in range(2, 10)]
LISTENS4 = [f"192.0.2.{host}" for host in range(11, 15)]
LISTENS6 = [f"[2001:db8::{host}]" for host in range(11, 15)]
WEIGHTS = (0, 1, 1, 1, 2, 3, 10, 256)

# What nobody touches; clients' connections go through these.
KEPT_SERVICES = [
    {"name": "kept-nat4", "listen": f"192.0.2.1:{KEPT_PORT}", "pool": "kept4"},
    {"name": "kept-nat6", "listen": f"[2001:db8::1]:{KEPT_PORT}", "pool": "kept6"},
    {"name": "kept-plain4", "listen": f"192.0.2.3:{KEPT_PORT}", "pool": "kept4", "source_nat": False},
    {"name": "kept-dsr4", "listen": f"192.0.2.2:{KEPT_PORT}", "pool": "kept4", "forward": "dsr"},
    {"name": "kept-dsr6", "listen": f"[2001:db8::2]:{KEPT_PORT}", "pool": "kept6", "forward": "dsr"},
    {"name": "kept-gate4", "pool": "kept4"},
]
KEPT_BACKENDS = ["10.2.1.2", "10.2.2.2", "fd02:1::2", "fd02:2::2"]
KEPT_TARGETS = [("192.0.2.1", 3), ("2001:db8::1", 3), ("192.0.2.3", 2), ("192.0.2.2", 3), ("2001:db8::2", 3),
                ("10.2.1.2", 2), ("fd02:2::2", 2)]  # fmt: skip


def is_v6_pool(name):
    return name in ("p3", "p6")


def backends(addresses, weight=1):
    return [{"address": address, "weight": weight} for address in addresses]


def initial():
    """Endpoints that may be as many as MAX; some settings that exclude each other; services of each kind."""
    probe = {"protocol": "tcp", "interval": "400ms", "timeout": "1s", "unhealthy_threshold": 1}
    kept = [{"settings": "kept", **service} for service in KEPT_SERVICES]
    return {
        "gateway": {
            "interfaces": [{"name": device} for device in ("gc", "gb1", "gb2")],
            "api_socket": os.environ["SLUICE_SOCKET"],
            "bpffs": os.environ["SLUICE_BPFFS"],
            "state_dir": os.environ["STATE_DIR"],
            "listen": "none",
            "max_endpoints": 48,
            "max_services": 24,
            "max_flows": 4096,
            "max_half_open": 4096,
            "daemon_loss_after": "30s",
        },
        "probes": [{"name": "quick", **probe}, {"name": "at8001", "port": 8001, "min_servers": 1, **probe}],
        "settings": [
            {"name": "kept", "protocol": "tcp", "port": KEPT_PORT, "probe": "quick"},
            {"name": "a", "protocol": "tcp", "port": 8001, "probe": "quick", "draining": {"enabled": True, "timeout": "2s"}},
            {"name": "b", "protocol": "tcp", "port": 8002, "probe": "quick"},
            {"name": "c", "protocol": "udp", "port": 8001, "probe": "at8001", "draining": {"enabled": True, "timeout": "3s"}},
            {"name": "d", "protocol": "tcp", "port": 8001, "probe": "quick", "draining": {"enabled": True, "timeout": "4s"}},
            {"name": "e", "protocol": "tcp", "port": 8003, "probe": "quick", "on_unhealthy": "redirect",
             "draining": {"enabled": True, "timeout": "1s"}},
        ],
        "pools": [
            {"name": "kept4", "backends": backends(a for a in KEPT_BACKENDS if not is_v6(a))},
            {"name": "kept6", "backends": backends(a for a in KEPT_BACKENDS if is_v6(a))},
            {"name": "p1", "backends": backends(["10.2.1.2", "10.2.2.2", "10.2.1.3"])},
            {"name": "p2", "backends": backends(["10.2.1.4", "10.2.2.4"], 3)},
            {"name": "p3", "backends": backends(["fd02:1::3", "fd02:2::3"])},
            {"name": "p4", "backends": backends(["10.2.1.5", "fd02:1::5"])},
        ],
        "services": [
            *kept,
            {"name": "v1", "listen": "192.0.2.11:80/tcp", "pool": "p1", "settings": "a"},
            {"name": "v2", "listen": "192.0.2.12:8002/tcp", "pool": "p2", "settings": "b", "forward": "dsr"},
            {"name": "v3", "listen": "[2001:db8::11]:8001/udp", "pool": "p3", "settings": "c", "table_size": 256},
            {"name": "v4", "pool": "p4", "settings": "e"},
        ],
    }  # fmt: skip


def render(document, comment):
    """YAML, of which JSON is a part."""
    return f"# {comment}\n{json.dumps(document, indent=1)}\n"


# --- edits: each changes the document and says what it did -----------------------------------------


def touchable(document, section):
    return [item for item in document[section] if not item["name"].startswith("kept")]


def address_for(pool, rng):
    """One of the pool's family, as a rule."""
    if rng.random() < 0.04:
        return rng.choice(HOSTS4 + HOSTS6)
    if pool == MIXED:
        return rng.choice(HOSTS4 + HOSTS6)
    return rng.choice(HOSTS6 if is_v6_pool(pool) else HOSTS4)


def edit_pool(document, rng):
    present = [pool["name"] for pool in document["pools"]]
    name = rng.choice(POOLS)
    if name in present:
        document["pools"] = [pool for pool in document["pools"] if pool["name"] != name]
        if rng.random() < 0.9:
            document["services"] = [s for s in document["services"] if s["pool"] != name]
        return f"pool {name} gone"
    hosts = {address_for(name, rng) for _ in range(rng.randrange(4))}
    document["pools"].append({"name": name, "backends": backends(sorted(hosts), rng.choice(WEIGHTS))})
    return f"pool {name} with {sorted(hosts)}"


def edit_backend(document, rng):
    pools = touchable(document, "pools")
    if not pools:
        return "no pool"
    pool = rng.choice(pools)
    address, weight = address_for(pool["name"], rng), rng.choice(WEIGHTS)
    there = [b for b in pool["backends"] if b["address"] == address]
    if there and rng.random() < 0.6:
        pool["backends"].remove(there[0])
        return f"{pool['name']} without {address}"
    if there:
        there[0]["weight"] = weight
    else:
        pool["backends"].insert(rng.randrange(len(pool["backends"]) + 1), {"address": address, "weight": weight})
    return f"{pool['name']} with {address} * {weight}"


def edit_many(document, rng):
    """A pool for which there may be no room."""
    name = rng.choice([name for name in POOLS if name != MIXED])
    hosts = HOSTS6 if is_v6_pool(name) else HOSTS4
    some = rng.sample(hosts, rng.randrange(6, len(hosts)))
    document["pools"] = [pool for pool in document["pools"] if pool["name"] != name]
    document["pools"].append({"name": name, "backends": backends(some)})
    return f"pool {name} with {len(some)} backends"


def edit_service(document, rng):
    name = rng.choice(["v1", "v2", "v3", "v4", "v5", "v6"])
    there = [s for s in document["services"] if s["name"] == name]
    document["services"] = [s for s in document["services"] if s["name"] != name]
    if there and rng.random() < 0.4:
        return f"service {name} gone"
    # Half of what makes it stays, so that it is the same service with something else about it.
    old = there[0] if there and rng.random() < 0.5 else None
    service = make_service(document, rng, name, old)
    document["services"].insert(rng.randrange(len(document["services"]) + 1), service)
    return f"service {service}"


def make_service(document, rng, name, old):
    pools = [pool["name"] for pool in touchable(document, "pools")] or ["kept4"]
    pool = rng.choice(pools)
    settings = rng.choice(touchable(document, "settings"))
    port = settings["port"] if rng.random() < 0.7 else 80
    proto = "udp" if settings["protocol"] == "udp" else "tcp"
    service = {"name": name, "pool": pool, "settings": settings["name"]}
    listens = rng.random() < 0.7 and pool != MIXED
    forward, extra = rng.choice(["nat", "nat", "dsr"]), rng.random()
    address = rng.choice(LISTENS6 if is_v6_pool(pool) else LISTENS4)
    if rng.random() < 0.1:  # a backend's, which may be an endpoint's
        address = rng.choice([f"[{host}]" for host in HOSTS6] if is_v6_pool(pool) else HOSTS4)
    size = rng.choice([None, None, 256, 300, 4096, 16384])
    if not listens:
        return service
    service["listen"] = f"{address}:{port}/{proto}"
    if old and "listen" in old and rng.random() < 0.7:
        service["listen"] = old["listen"]
    if forward == "dsr":
        service["forward"] = "dsr"
    elif extra < 0.3:
        service["source_nat"] = False
    if extra > 0.8:
        service["source_affinity"] = True
    if size:
        service["table_size"] = size
    return service


def edit_shared(document, rng):
    """A pool and a service with the endpoints of another: what is ordered in the one is so in the other."""
    services = touchable(document, "services")
    if not services:
        return "no service"
    service = rng.choice(services)
    pool = next((pool for pool in document["pools"] if pool["name"] == service["pool"]), None)
    others = [name for name in POOLS if name != service["pool"] and is_v6_pool(name) == is_v6_pool(service["pool"])]
    name, other = rng.choice(["v1", "v2", "v3", "v4", "v5", "v6"]), rng.choice(others)
    if not pool or name == service["name"]:
        return "nobody to share with"
    shared = [copy.deepcopy(b) for b in pool["backends"] if rng.random() < 0.7]
    document["pools"] = [p for p in document["pools"] if p["name"] != other] + [{"name": other, "backends": shared}]
    document["services"] = [s for s in document["services"] if s["name"] != name and s["pool"] != other]
    document["services"].append({"name": name, "pool": other, "settings": service["settings"]})
    return f"service {name} with pool {other} of {len(shared)} of {service['pool']}"


def edit_settings(document, rng):
    settings = rng.choice(touchable(document, "settings"))
    key, value = rng.choice([
        ("on_unhealthy", rng.choice(["reject", "drop", "redirect"])),
        ("on_none_healthy", rng.choice(["reject", "drop", "pass", "last"])),
        ("established", rng.choice(["keep", "reset"])),
        ("draining", {"enabled": rng.random() < 0.8, "timeout": f"{rng.randrange(1, 5)}s"}),
        ("port", rng.choice(PORTS)),
    ])  # fmt: skip
    settings[key] = value
    return f"settings {settings['name']}: {key} {value}"


def edit_gateway(document, rng):
    key, value = rng.choice([
        ("max_endpoints", rng.choice([32, 48, 48, 64])),
        ("max_services", rng.choice([8, 10, 16, 24])),
        ("daemon_loss_after", rng.choice(["30s", "20s"])),
    ])  # fmt: skip
    document["gateway"][key] = value
    return f"{key} {value}"


def edit_order(document, rng):
    rng.shuffle(document["services"])
    rng.shuffle(document["pools"])
    return "another order"


def edit_nothing(document, rng):
    return "a comment"


EDITS = {edit_backend: 8, edit_service: 8, edit_pool: 4, edit_shared: 4, edit_settings: 4, edit_gateway: 3, edit_many: 3,
         edit_order: 1, edit_nothing: 1}  # fmt: skip


def edit(document, rng):
    """A copy, edited in one to four ways; and which."""
    document = copy.deepcopy(document)
    said = []
    for _ in range(rng.randrange(1, 5)):
        fn = rng.choices(list(EDITS), list(EDITS.values()))[0]
        said.append(fn(document, rng))
    return document, "; ".join(said)


def spoil(document, rng):
    """A text that is no configuration."""
    document = copy.deepcopy(document)
    how = rng.randrange(8)
    if how == 0:
        document["gateway"]["speed"] = "high"
    elif how == 1:
        document["services"][0]["pool"] = "nowhere"
    elif how == 2:
        document["pools"].append(document["pools"][0])
    elif how == 3:
        document["settings"][-1]["port"] = 70000
    elif how == 4:
        document["pools"][-1]["backends"] = backends(["10.2.1.2", "10.2.1.2"])
    elif how == 5:
        document["services"][-1]["settings"] = "none"
    elif how == 6:
        document["gateway"]["interfaces"] = [{"name": "nowhere0"}]
    text = render(document, "spoilt")
    return text[: len(text) // 2] if how == 7 else text


def with_one_more(document):
    """A pool and its service, with a backend whose flows have a second when it goes."""
    document = copy.deepcopy(document)
    draining = {"enabled": True, "timeout": "1s"}
    document["settings"].append(
        {"name": "last", "protocol": "tcp", "port": 8004, "probe": "quick", "draining": draining}
    )
    document["pools"].append({"name": "last", "backends": backends(["10.2.1.2"])})
    document["services"].append({"name": "last", "pool": "last", "settings": "last"})
    return document


def unattachable(document):
    """What is refused last of all, when everything else is in the maps: no NIC here takes programs itself."""
    document = copy.deepcopy(document)
    document["gateway"]["interfaces"].append({"name": "lo", "xdp": "offload"})
    return document

# SPDX-License-Identifier: GPL-2.0-or-later
"""scene - what there is in a soak: machines, kinds of services, the configuration file.

A kind has settings, and so a port, of its own: an endpoint belongs to one pool, and what happens to it there
happens to nobody else.
"""
import dataclasses
import os

WORK = os.environ["SOAK_WORK"]
BUILD = os.environ["SOAK_BUILD"]
OUT = os.environ["SOAK_DIR"]
CGROUP = os.environ["SOAK_CGROUP"]
NETNS = os.environ["SOAK_NS"]
CONFIG = WORK + "/sluice.yaml"
BPFFS = WORK + "/bpf/sluice"
STATE = WORK + "/state"

MACHINES = ("b1", "b2", "b3", "b4")
NAME = "soak.test"  # in the certificate
EVENTS_MAX = 2000
MAX_FLOWS = 32768  # so few that they are all in use after a few minutes
MAX_HALF_OPEN = 16384


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    protocol: str
    port: int
    probe: str
    drain_s: int
    forward: str = ""  # "": gate only
    vip: int = 0
    established: str = "keep"

    @property
    def pools(self):
        return [self.name + "4", self.name + "6"] if self.forward else [self.name]

    @property
    def tls(self):
        return self.protocol == "https"

    def listen(self, family):
        return f"192.0.2.{self.vip}" if family == 4 else f"2001:db8::{self.vip}"


KINDS = (
    Kind("web", "http", 80, "http", 2, "nat", 10),
    Kind("shop", "https", 443, "https", 2, "nat", 10),
    Kind("direct", "tcp", 8081, "tcp", 1, "dsr", 20),
    Kind("tunnel", "http", 8082, "http", 1, "ipip", 30),
    Kind("gate", "http", 8083, "http", 2),
    Kind("vault", "https", 8443, "https", 2, established="reset"),
)
KIND = {pool: kind for kind in KINDS for pool in kind.pools}
FORWARDED = [pool for pool, kind in KIND.items() if kind.forward]
GATES = [pool for pool, kind in KIND.items() if not kind.forward]


def family_of(address):
    return 6 if ":" in address else 4


def address_of(machine, family):
    i = machine[1:]
    return f"10.2.{i}.2" if family == 4 else f"fd02:{i}::2"


def machine_of(address):
    return next(m for m in MACHINES if address_of(m, family_of(address)) == address)


def families(pool):
    return [int(pool[-1])] if KIND[pool].forward else [4, 6]


def candidates(pool, machines=MACHINES):
    """Who may be a backend of a pool."""
    return [address_of(machine, family) for family in families(pool) for machine in machines]


def endpoints_at_base():
    return sum(len(members) for members in File().members.values())


class File:
    """The configuration. Without changes it is what every rest goes back to."""

    def __init__(self):
        self.members = {pool: {a: 1 for a in candidates(pool, MACHINES[:3])} for pool in KIND}
        self.sizes = 512
        self.extra = False  # a service that nobody uses comes and goes
        self.interval_ms = 500
        self.comment = ""

    def text(self):
        interfaces = [("gc", "auto"), ("go", "native"), ("gb1", "auto"), ("gb2", "auto"), ("gb3", "native"), ("gb4", "native")]
        lines = [
            f"# {self.comment}",
            "gateway:",
            f"  api_socket: {os.environ['SLUICE_SOCKET']}",
            f"  bpffs: {BPFFS}",
            f"  state_dir: {STATE}",
            f"  events_max: {EVENTS_MAX}",
            f"  max_endpoints: {self.sizes}",
            f"  max_flows: {MAX_FLOWS}",
            f"  max_half_open: {MAX_HALF_OPEN}",
            "  interfaces: [ " + ", ".join(f"{{ name: {n}, xdp: {x} }}" for n, x in interfaces) + " ]",
            "probes:",
        ]
        for protocol in ("http", "https", "tcp"):
            path = "" if protocol == "tcp" else "path: /healthz, "
            lines.append(f"  - {{ name: {protocol}, protocol: {protocol}, {path}interval: {self.interval_ms}ms, timeout: 5s, "
                         "unhealthy_threshold: 2 }")
        lines.append("settings:")
        for kind in KINDS:
            lines.append(self._settings(kind))
        lines.append("  - { name: extra, protocol: tcp, port: 8084, probe: tcp, draining: { enabled: true, timeout: 1s } }")
        lines.append("pools:")
        for pool, members in self.members.items():
            lines.append(f"  - {{ name: {pool}, backends: [ {self._backends(members)} ] }}")
        lines.append(f"  - {{ name: extra, backends: [ {self._backends(dict.fromkeys(candidates('web4'), 1))} ] }}")
        lines.append("services:")
        for pool, kind in KIND.items():
            listen = ""
            if kind.forward:
                address = kind.listen(int(pool[-1]))
                host = f"[{address}]" if ":" in address else address
                listen = f'listen: "{host}:{kind.port}", forward: {kind.forward}, '
            lines.append(f"  - {{ name: {pool}, {listen}pool: {pool}, settings: {kind.name} }}")
        if self.extra:
            lines.append("  - { name: extra, listen: 192.0.2.40:8084, pool: extra, settings: extra }")
        return "\n".join(lines) + "\n"

    @staticmethod
    def _settings(kind):
        trust = f", trusted_roots: [ {WORK}/ca.crt ], host_name: {NAME}" if kind.tls else ""
        return (f"  - {{ name: {kind.name}, protocol: {kind.protocol}, port: {kind.port}, probe: {kind.probe}, "
                f"established: {kind.established}, draining: {{ enabled: true, timeout: {kind.drain_s}s }}{trust} }}")

    @staticmethod
    def _backends(members):
        return ", ".join(f'{{ address: "{a}", weight: {w} }}' for a, w in members.items())

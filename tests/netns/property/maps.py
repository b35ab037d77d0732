# SPDX-License-Identifier: GPL-2.0-or-later
"""maps - what bpftool reads in the pinned maps, with ids, keys and numbers as Python has them.

Of selection, which has a hundred thousand slots, it prints five megabytes; every tenth look has these. The others read
the same memory, as the programs do.
"""

import array
import ctypes
import ipaddress
import json
import mmap
import os
import platform
import re
import subprocess

NONE = 0xFFFFFFFF  # SL_ID_NONE
SMALL = ("targets", "target_index", "endpoint_names", "endpoint_words", "services", "service_names", "meta")
MIX_A, MIX_B, MASK = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, (1 << 64) - 1

LEAVING, FORCED, RESET, ORDERED, SUSPECT = 0x04, 0x01, 0x02, 0x08, 0x10  # SL_WORD_*
SOURCE_NAT, AFFINITY, ANY = 0x01, 0x02, 0x04  # SL_SERVICE_*


BPF_OBJ_GET, NR_BPF = 7, {"x86_64": 321, "aarch64": 280}


def pinned(path):
    """A descriptor of a map."""

    class Attributes(ctypes.Structure):
        _fields_ = [("path", ctypes.c_uint64), ("fd", ctypes.c_uint32), ("flags", ctypes.c_uint32)]

    name = ctypes.create_string_buffer(path.encode())
    attributes = Attributes(path=ctypes.addressof(name))
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(NR_BPF[platform.machine()], BPF_OBJ_GET, ctypes.byref(attributes), ctypes.sizeof(attributes))
    if fd < 0:
        raise OSError(ctypes.get_errno(), f"{path} cannot be opened")
    return fd


def numbers_in(path, n):
    """The first n numbers of 32 bits in an array."""
    fd = pinned(path)
    try:
        length = -(-max(n, 1) * 4 // mmap.PAGESIZE) * mmap.PAGESIZE
        with mmap.mmap(fd, length, prot=mmap.PROT_READ) as memory:
            return array.array("I", memory[: n * 4])
    finally:
        os.close(fd)


def key_of(raw):
    """sl_target_key as (address, port, transport); None: nobody's."""
    if not raw["port"]:
        return None
    address = ipaddress.IPv6Address(bytes(raw["addr"]))
    return str(address.ipv4_mapped or address), raw["port"], raw["proto"].removeprefix("SL_").lower()


def address_of(raw):
    address = ipaddress.IPv6Address(bytes(raw))
    return str(address.ipv4_mapped or address) if any(raw) else None


def index_slot(key, bits):
    """sl_index_slot()."""
    address, port, proto = key
    whole = ipaddress.ip_address(address)
    number = int(whole) if whole.version == 6 else 0xFFFF << 32 | int(whole)
    data = number.to_bytes(16, "big")
    high, low = (int.from_bytes(data[i : i + 8], "little") for i in (0, 8))
    rest = port << 8 | {"tcp": 6, "udp": 17}[proto]
    return (low ^ (high * MIX_A & MASK) ^ (rest * MIX_B & MASK)) * MIX_A % (1 << 64) >> (64 - bits)


class Maps:
    """One look at all of them. Not at one moment: what changes meanwhile may be seen by half."""

    def __init__(self, directory, whole=False):
        self.directory = directory
        selection = whole and self.begin("map", "dump", "pinned", f"{directory}/selection")
        batch = self.begin("batch", "file", "-")
        lines = "".join(f"map dump pinned {directory}/{name}\n" for name in SMALL)
        small = json.loads(batch.communicate(lines)[0])
        for name, result in zip(SMALL, small):
            if "error" in result or "error" in (result["output"] or [{}])[0]:
                raise RuntimeError(f"bpftool cannot read {name}: {result}")
            setattr(self, name, [row["formatted"] for row in result["output"]])
        self.arrange()
        if whole:
            # To read all of it as JSON takes ten times as long.
            pairs = re.findall(r'"endpoint":\[(\d+),(\d+)\]', selection.communicate()[0])
            self.selection = [int(number) for pair in pairs for number in pair]
        else:
            slices = [service["slice"] for service in self.services.values()]
            n = max(slice_["start"] + slice_["size"] for slice_ in slices)
            self.selection = numbers_in(f"{directory}/selection", n)

    @staticmethod
    def begin(*words):
        return subprocess.Popen(["bpftool", "-j", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def arrange(self):
        self.targets = {key_of(row["key"]): (row["value"]["kind"], row["value"]["id"]) for row in self.targets}
        self.names = {row["key"]: row["value"] for row in self.endpoint_names}
        self.words = {row["key"]: row["value"] for row in self.endpoint_words}
        self.services = {row["key"]: row["value"] for row in self.services}
        self.service_names = {row["key"]: row["value"] for row in self.service_names}
        self.index = [(row["value"]["kind"], row["value"]["id"]) for row in self.target_index]
        self.meta = self.meta[0]["value"]
        self.ids = {key_of(name["key"]): id_ for id_, name in self.names.items() if name["key"]["port"]}
        self.service_ids = {
            (name["name"], key_of(self.services[id_]["key"])): id_
            for id_, name in self.service_names.items()
            if name["name"]
        }

    def slots(self, service_id):
        """Keys of the endpoints that the service's table names, slot by slot; None: nobody."""
        slice_ = self.services[service_id]["slice"]
        ids = self.selection[slice_["start"] : slice_["start"] + slice_["size"]]
        keys = {id_: key for key, id_ in self.ids.items()}
        return [None if id_ == NONE else keys.get(id_, f"id {id_}, nobody's") for id_ in ids]

    def dump(self, name):
        """All entries of another map."""
        out = self.begin("map", "dump", "pinned", f"{self.directory}/{name}").communicate()[0]
        return [row["formatted"] for row in json.loads(out)]

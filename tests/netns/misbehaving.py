#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""misbehaving DEVICE GATEWAY_MAC CLIENT ADDRESS PORT PER_S FOR_S: clients that connect, of which one in a hundred does not mean it:
it scans half-open, sends SYNs from addresses that are not its own, floods with RSTs, or makes up the endpoint's refusals.
Prints how many were well-behaved and served, how many of these failed, and how many misbehaved."""
import asyncio
import ipaddress
import random
import socket
import struct
import sys
import time

PATIENCE_S = 3
ONE_IN = 100
BURST = 50

SYN, RST, ACK = 0x02, 0x04, 0x10


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def tcp_packet(src, dst, sport, dport, seq, ack, flags):
    """An IP packet, from whomever it is said to be."""
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    tcp = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 65535, 0, 0)
    if src.version == 4:
        pseudo = src.packed + dst.packed + struct.pack("!BBH", 0, socket.IPPROTO_TCP, len(tcp))
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, socket.IPPROTO_TCP, 0) + src.packed + dst.packed
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    else:
        pseudo = src.packed + dst.packed + struct.pack("!II", len(tcp), socket.IPPROTO_TCP)
        ip = struct.pack("!IHBB", 6 << 28, len(tcp), socket.IPPROTO_TCP, 64) + src.packed + dst.packed
    return ip + tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]


class Wire:
    def __init__(self, device, gateway_mac, client, address, port):
        self.client, self.address, self.port = client, address, port
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((device, 0))
        own = self.socket.getsockname()[4]
        ether_type = 0x0800 if ipaddress.ip_address(address).version == 4 else 0x86DD
        self.header = bytes.fromhex(gateway_mac.replace(":", "")) + own + struct.pack("!H", ether_type)

    def send(self, src, dst, sport, dport, seq, ack, flags):
        self.socket.send(self.header + tcp_packet(src, dst, sport, dport, seq, ack, flags))

    def somebody(self):
        """An address that nobody here has."""
        if ipaddress.ip_address(self.address).version == 4:
            return str(ipaddress.ip_address("198.18.0.0") + random.randrange(1 << 16))
        return str(ipaddress.ip_address("2001:db8:ffff::") + random.randrange(1 << 16))

    def half_open(self):
        for port in random.sample(range(1024, 32000), 10):
            self.send(self.client, self.address, port, self.port, random.getrandbits(32), 0, SYN)

    def spoofed(self):
        for _ in range(10):
            self.send(self.somebody(), self.address, random.randrange(1024, 65536), self.port, random.getrandbits(32), 0, SYN)

    def resets(self):
        for _ in range(BURST):
            self.send(self.client, self.address, random.randrange(1024, 65536), self.port, random.getrandbits(32), 0, RST)

    def refusals(self):
        """As if the endpoint had refused: whoever sent the SYN knows its number."""
        for port in random.sample(range(1024, 32000), BURST):
            isn = random.getrandbits(32)
            self.send(self.client, self.address, port, self.port, isn, 0, SYN)
            self.send(self.address, self.client, self.port, port, 0, (isn + 1) & 0xFFFFFFFF, RST | ACK)


results = {"served": 0, "failed": 0, "misbehaved": 0}


async def connect(address, port):
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(address, port), PATIENCE_S)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
        writer.close()
        results["served" if answer.startswith(b"HTTP/1.1 200") else "failed"] += 1
    except (asyncio.TimeoutError, OSError):
        results["failed"] += 1


async def main(wire, per_s, for_s):
    until = time.monotonic() + for_s
    tasks = set()
    while time.monotonic() < until:
        if random.randrange(ONE_IN):
            task = asyncio.create_task(connect(wire.address, wire.port))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        else:
            random.choice([wire.half_open, wire.spoofed, wire.resets, wire.refusals])()
            results["misbehaved"] += 1
        await asyncio.sleep(1 / per_s)
    await asyncio.gather(*tasks)
    print(results["served"], results["failed"], results["misbehaved"])


asyncio.run(main(Wire(*sys.argv[1:5], int(sys.argv[5])), float(sys.argv[6]), float(sys.argv[7])))

# SPDX-License-Identifier: GPL-2.0-or-later
"""clients TARGETS SEED: traffic without a pause to what the file TARGETS lists, until SIGTERM.

To each target: new connections at a steady rate, whatever became of those before; connections that stay open
and ask now and then; downloads, one after the other. Prints an object per line: {"failed": ...} for each
connection that failed, and {"sums": ...} every second. Times are of CLOCK_MONOTONIC.
"""
import asyncio
import json
import os
import random
import signal
import socket
import ssl
import struct
import sys
import time
import zlib

PATIENCE_S = 15  # nothing takes longer
CONNECT_S = 0.5  # between one attempt of a lasting connection and the next
LIFE_S = (20, 90)  # of a lasting connection
PAUSE_S = (0.3, 1.5)  # in it, between requests
CHUNK = 65536
RESENT, RESENT_AT = struct.Struct("=I"), 100  # tcpi_total_retrans in struct tcp_info

rng = random.Random()
sums = {"steady": 0, "lasting": 0, "download": 0, "requests": 0, "bytes": 0, "failed": 0, "resent": 0, "slowest_ms": 0}
big_crc = 0
trust = None  # of TLS


class Wrong(Exception):
    """What came is not what was asked for."""


class Connection:
    """One connection, and what is known of it: whom it goes to, once somebody has answered."""

    def __init__(self, target, what):
        self.target, self.what = target, what
        self.began = time.monotonic()
        self.machine = target.get("machine")
        self.stage = "connect"
        self.writer = None
        self.port = 0  # the client's

    async def open(self):
        tls = trust if self.target["tls"] else None
        self.reader, self.writer = await asyncio.wait_for(
            asyncio.open_connection(self.target["address"], self.target["port"], ssl=tls,
                                    server_hostname=PLAN["name"] if tls else None), PATIENCE_S)
        self.socket = self.writer.get_extra_info("socket")
        self.port = self.writer.get_extra_info("sockname")[1]
        sums["slowest_ms"] = max(sums["slowest_ms"], int((time.monotonic() - self.began) * 1000))
        self.stage = "request"

    async def ask(self, path, last):
        how = "close" if last else "keep-alive"
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: {PLAN['name']}\r\nConnection: {how}\r\n\r\n".encode())
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).decode()
        status, *lines = head.split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines if line)
        if status != "HTTP/1.1 200 OK":
            raise Wrong(status)
        machine = fields["x-served-by"]
        if self.machine not in (None, machine):
            raise Wrong(f"{machine} answered instead of {self.machine}")
        self.machine = machine
        self.stage = "answer"
        sums["requests"] += 1
        body = await self.read(int(fields["content-length"]))
        if last:
            self.note_resent()
        return body

    async def read(self, size):
        """The body's length and checksum."""
        crc = n = 0
        while n < size:
            chunk = await asyncio.wait_for(self.reader.read(min(CHUNK, size - n)), PATIENCE_S)
            if not chunk:
                raise EOFError
            crc, n = zlib.crc32(chunk, crc), n + len(chunk)
        sums["bytes"] += n
        return n, crc

    def hello(self, body):
        text = f"hello from {self.machine}\n".encode()
        if body != (len(text), zlib.crc32(text)):
            raise Wrong("another body")

    def note_resent(self):
        """What the client had to send again; not known of a connection that is closed already."""
        try:
            info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
            sums["resent"] += RESENT.unpack_from(info, RESENT_AT)[0]
        except OSError:
            pass

    def close(self):
        if self.writer:
            self.writer.transport.abort()

    def failed(self, how):
        sums["failed"] += 1
        print(json.dumps({"failed": {
            "pool": self.target["pool"], "address": self.target["addresses"].get(self.machine), "what": self.what, "how": how,
            "stage": self.stage, "port": self.port, "began": self.began, "ended": time.monotonic()}}), flush=True)


def how_it_failed(error):
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return "reset"
    if isinstance(error, (EOFError, asyncio.IncompleteReadError)):
        return "ended"
    if isinstance(error, asyncio.TimeoutError):
        return "nothing came"
    # OpenSSL's words for a connection that ended.
    if isinstance(error, ssl.SSLError) and "EOF" in str(error):
        return "ended"
    return f"{type(error).__name__}: {error}"


async def attempt(target, what, talk):
    """One connection, from its beginning to its end; whether all was well."""
    connection = Connection(target, what)
    sums[what] += 1
    try:
        await connection.open()
        await talk(connection)
        return True
    except (OSError, EOFError, asyncio.TimeoutError, Wrong, KeyError, ValueError) as error:
        connection.failed(how_it_failed(error))
        return False
    finally:
        connection.close()


async def short(connection):
    connection.hello(await connection.ask("/", True))


async def lasting(connection):
    until = time.monotonic() + rng.uniform(*LIFE_S)
    while time.monotonic() < until:
        connection.hello(await connection.ask("/", False))
        await asyncio.sleep(rng.uniform(*PAUSE_S))


async def download(connection):
    _, crc = await connection.ask("/big", True)
    if crc != big_crc:
        raise Wrong("another file")


async def steadily(target):
    async with asyncio.TaskGroup() as group:
        while True:
            await asyncio.sleep(rng.uniform(0, 2) / target["rate"])
            group.create_task(attempt(target, "steady", short))


async def again_and_again(target, what, talk):
    await asyncio.sleep(rng.uniform(0, 2))
    while True:
        if not await attempt(target, what, talk):
            await asyncio.sleep(CONNECT_S)


async def report():
    while True:
        await asyncio.sleep(1)
        print(json.dumps({"sums": sums}), flush=True)


async def main(plan):
    """What a connection does not expect ends everything, for all to see."""
    async with asyncio.TaskGroup() as group:
        group.create_task(report())
        for target in plan["targets"]:
            group.create_task(steadily(target))
            for _ in range(target["lasting"]):
                group.create_task(again_and_again(target, "lasting", lasting))
            for _ in range(target["downloads"]):
                group.create_task(again_and_again(target, "download", download))


with open(sys.argv[1], encoding="ascii") as file:
    PLAN = json.load(file)
rng.seed(sys.argv[2])
trust = ssl.create_default_context(cafile=PLAN["ca"])
with open(PLAN["big"], "rb") as file:
    big_crc = zlib.crc32(file.read())
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # in the middle of everything
asyncio.run(main(PLAN))

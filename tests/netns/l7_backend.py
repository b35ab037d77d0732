#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A backend that tells what it sees: l7_backend.py NAME PORT SICK_FILE [CERTIFICATE]

Every answer is JSON: who answers, on which connection, and the request as it came. Paths that end so:
  /healthz     200, or 503 while SICK_FILE exists
  /slow-N      answers after N seconds (each request is counted in "slow"; "most" were waiting at a time)
  /held        answers once SICK_FILE.held is gone (counted so, too)
  /status-N    answers with that status
  /knock /in   an authentication of two steps that belongs to the connection: /in is 200 after /knock on it, else 401
  /ws          a WebSocket that echoes frames
A PROXY protocol header before the first request is told as "proxy", in the words of version 1: "PROXY TCP6 FROM TO PORT PORT";
of version 2 with "PROXY2". A broken one ends the connection.
"""
import asyncio
import base64
import hashlib
import ipaddress
import json
import os
import ssl
import struct
import sys

name, port, sick = sys.argv[1], int(sys.argv[2]), sys.argv[3]
connections = 0
slow = 0
waiting = 0
most = 0

PROXY2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
PROXY2_FAMILIES = {0x11: ("TCP4", 4), 0x21: ("TCP6", 16)}  # over streams: length of an address


async def websocket(reader, writer, key):
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    writer.write(
        f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    while True:
        head = await reader.readexactly(2)
        length = head[1] & 0x7F
        mask = await reader.readexactly(4)
        data = bytes(b ^ mask[i % 4] for i, b in enumerate(await reader.readexactly(length)))
        text = f"{name}:".encode() + data
        writer.write(bytes([0x81, len(text)]) + text)
        await writer.drain()


def check_tlvs(tlvs):
    while tlvs:
        _, length = struct.unpack_from("!BH", tlvs)
        if len(tlvs) < 3 + length:
            raise ValueError("a TLV is longer than the header")
        tlvs = tlvs[3 + length :]


async def read_proxy2(reader):
    """The binary header, of which the first line end has been read."""
    if await reader.readexactly(10) != PROXY2_SIGNATURE[2:]:
        raise ValueError("no signature")
    command, family, length = struct.unpack("!BBH", await reader.readexactly(4))
    body = await reader.readexactly(length)
    if command != 0x21:  # version 2, PROXY
        raise ValueError("another version or command")
    name, size = PROXY2_FAMILIES[family]
    source, target = (ipaddress.ip_address(body[i : i + size]) for i in (0, size))
    source_port, target_port = struct.unpack_from("!HH", body, 2 * size)
    check_tlvs(body[2 * size + 4 :])
    return f"PROXY2 {name} {source} {target} {source_port} {target_port}"


async def read_proxy(reader):
    """The PROXY protocol's header or None, and the line behind it."""
    line = await reader.readline()
    if line == PROXY2_SIGNATURE[:2]:
        return await read_proxy2(reader), await reader.readline()
    if line.startswith(b"PROXY "):
        return line.decode("latin-1").rstrip("\r\n"), await reader.readline()
    return None, line


async def read_head(reader, start=None):
    lines = []
    while True:
        line = (start or await reader.readline()).decode("latin-1")
        start = None
        if not line:
            return None
        if line in ("\r\n", "\n"):
            return lines
        lines.append(line.rstrip("\r\n"))


async def serve(reader, writer):
    global connections, slow, waiting, most
    connections += 1
    connection, knocked = connections, False
    try:
        proxy, start = await read_proxy(reader)
        while True:
            lines = await read_head(reader, start)
            start = None
            if not lines:
                break
            method, path, _ = lines[0].split(" ", 2)
            headers = [line.split(":", 1) for line in lines[1:]]
            headers = [[k.lower(), v.strip()] for k, v in headers]
            first = dict(reversed(headers))
            if "content-length" in first:
                await reader.readexactly(int(first["content-length"]))
            status, bare = 200, path.split("?")[0]
            if bare.endswith("/ws"):
                await websocket(reader, writer, first["sec-websocket-key"])
            if bare.endswith("/healthz") and os.path.exists(sick):
                status = 503
            if "/slow-" in bare or bare.endswith("/held"):
                slow += 1
                waiting += 1
                most = max(most, waiting)
                if "/slow-" in bare:
                    await asyncio.sleep(float(bare.rsplit("-", 1)[1]))
                while bare.endswith("/held") and os.path.exists(f"{sick}.held"):
                    await asyncio.sleep(0.05)
                waiting -= 1
            if "/status-" in bare:
                status = int(bare.rsplit("-", 1)[1])
            if bare.endswith("/in") and not knocked:
                status = 401
            knocked = knocked or bare.endswith("/knock")
            body = json.dumps(
                {
                    "name": name,
                    "connection": connection,
                    "method": method,
                    "path": path,
                    "host": first.get("host"),
                    "headers": headers,
                    "proxy": proxy,
                    "slow": slow,
                    "most": most,
                    "sni": writer.get_extra_info("sni"),
                }
            ) + "\n"
            writer.write(f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError, KeyError, struct.error):
        pass
    finally:
        writer.close()


async def main():
    context = None
    if len(sys.argv) > 4:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[4])
        # Asked for by which name: shown to the operator of a test on standard output.
        context.sni_callback = lambda sock, sni, _: print(f"{name} sni {sni}", flush=True)
    server = await asyncio.start_server(serve, ["0.0.0.0", "::"], port, ssl=context, reuse_address=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())

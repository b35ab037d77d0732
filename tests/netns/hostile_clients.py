# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of the API's socket that mean no good, one kind of them, until they are ended.

hostile_clients.py SOCKET KIND N: N connections, each made again when the daemon ends it.

  many      that say nothing, as many at once as there is room for
  header    that send a header byte by byte
  body      that send a body byte by byte
  oversized that send a header, or a body, without end
  noise     that send what is no HTTP
  deaf      that ask for much and read nothing
  busy      that ask for what costs the daemon most, and read it
  half      that ask and close their end

Once a second, a line: connections made so far, and answers by their status.
"""
import collections
import random
import selectors
import socket
import sys
import time

HEALTH = b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n"
DECIDE = b"GET /v1/decide?from=10.1.0.2&to=10.2.1.2:80 HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /v1/backend HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n"
CHUNKED = b"POST /v1/backend HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

path, kind, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
selector = selectors.DefaultSelector()
clients, made, answers = set(), 0, collections.Counter()


def first():
    """What a connection begins with."""
    if kind == "header":
        return b"GET /v1/status HTTP/1.1\r\nX: "
    if kind == "body":
        return POST
    if kind == "oversized":
        return random.choice((b"GET /" + b"a" * 65536, CHUNKED))
    if kind == "noise":
        return random.randbytes(random.randrange(1, 4096))
    if kind == "deaf":
        return HEALTH
    if kind == "busy":
        return random.choice((HEALTH, DECIDE))
    if kind == "half":
        return random.choice((HEALTH, b"GET /v1/maps HTTP/1.1\r\n\r\n", b"GET /v1/", b""))
    return b""


def more():
    """What follows while the connection is open."""
    if kind in ("header", "body", "deaf"):
        return b"x"
    if kind == "oversized":
        return b"10000\r\n" + b"a" * 65536 + b"\r\n"
    return random.randbytes(1024) if kind == "noise" else b""


def connect():
    global made
    client = socket.socket(socket.AF_UNIX)
    client.setblocking(False)
    try:
        client.connect(path)
    except BlockingIOError:
        client.close()
        return False
    made += 1
    clients.add(client)
    try:
        client.send(first())
        if kind == "half":
            client.shutdown(socket.SHUT_WR)
    except OSError:
        pass
    if kind != "deaf":
        selector.register(client, selectors.EVENT_READ, [True])
    return True


def end(client):
    if kind != "deaf":
        selector.unregister(client)
    client.close()
    clients.remove(client)


def read(client, fresh):
    try:
        data = client.recv(65536)
    except BlockingIOError:
        data = b"x"
    except OSError:
        data = b""
    if fresh[0] and data.startswith(b"HTTP/1.1 "):
        answers[data[9:12].decode()] += 1
    fresh[0] = False
    if not data:
        end(client)


def push():
    """A little more from all of them."""
    for client in list(clients):
        try:
            client.send(more())
        except BlockingIOError:
            pass
        except OSError:
            end(client)


said = pushed = time.monotonic()
while True:
    for _ in range(500):
        if len(clients) >= n or not connect():
            break
    for key, _ in selector.select(0.01):
        read(key.fileobj, key.data)
    now = time.monotonic()
    if kind in ("header", "body", "oversized", "noise", "deaf") and now - pushed > 0.1:
        push()
        pushed = now
    if now - said > 1:
        print(made, len(clients), dict(answers), flush=True)
        said = now

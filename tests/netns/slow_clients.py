# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that keep a server busy: silent ones, ones with half a request, ones that hardly read.

slow_clients.py ADDRESS PORT N: three times N connections, each made again when the server ends it. Says so when each
has tried once.
"""
import itertools
import socket
import sys
import time

HALF = b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
WHOLE = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


def connect(kind):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    client.settimeout(1)
    client.connect((sys.argv[1], int(sys.argv[2])))
    client.send((b"", HALF, WHOLE)[kind])
    client.setblocking(False)
    return client


def is_over(client, kind):
    try:
        if kind == 1:
            client.send(b"X")
        return not client.recv(1)
    except BlockingIOError:
        return False
    except OSError:
        return True


clients = [None] * (3 * int(sys.argv[3]))
for tour in itertools.count(1):
    for i, client in enumerate(clients):
        try:
            if client is None or is_over(client, i % 3):
                if client:
                    client.close()
                clients[i] = connect(i % 3)
        except OSError:
            clients[i] = None
    if tour == 1:
        print("all have come", flush=True)
    time.sleep(0.2)

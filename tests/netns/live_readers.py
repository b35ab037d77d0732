#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""live_readers PORT READERS SLOW SECONDS: open pages, so many that read and so many that do not.

Each that reads follows /v1/live as a page does, and asks for trails and events besides. Says on stderr when all that
read have all endpoints. Prints a JSON object: how long the slowest one waited for them, and how many statuses and
changes were seen.
"""
import json
import selectors
import socket
import sys
import time

PORT, READERS, SLOW, SECONDS = (int(arg) for arg in sys.argv[1:5])
ASK = b"GET /v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
EXTRA = b"GET /v1/events?limit=50 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def dial(request, small=False):
    sock = socket.socket()
    if small:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.connect(("127.0.0.1", PORT))
    sock.sendall(request)
    sock.setblocking(False)
    return sock


def main():
    began = time.monotonic()
    slow = [dial(ASK, small=True) for _ in range(SLOW)]
    pages = selectors.DefaultSelector()
    seen = {"complete": [], "statuses": 0, "changes": 0, "closed": 0, "extra": 0}
    for _ in range(READERS):
        pages.register(dial(ASK), selectors.EVENT_READ, {"tail": b"", "complete": False})
    next_extra = began + 1
    while time.monotonic() - began < SECONDS:
        for key, _ in pages.select(0.1):
            piece = key.fileobj.recv(1 << 16)
            state = key.data
            if not piece:
                seen["closed"] += state is not None
                pages.unregister(key.fileobj)
                key.fileobj.close()
                continue
            if state is None:
                seen["extra"] += piece.startswith(b"HTTP/1.1 200")
                continue
            text = state["tail"] + piece
            seen["statuses"] += text.count(b"event: status\n")
            done = text.count(b"event: complete\n")
            if done and not state["complete"]:
                state["complete"] = True
                seen["complete"].append(time.monotonic() - began)
                done -= 1
                if len(seen["complete"]) == READERS:
                    print("all are complete", file=sys.stderr, flush=True)
            seen["changes"] += done
            state["tail"] = text[-12:] if b"event: " not in text[-12:] else b""
        if time.monotonic() > next_extra:
            next_extra += 0.05
            pages.register(dial(EXTRA), selectors.EVENT_READ, None)
    for sock in slow:
        sock.close()
    print(json.dumps({**seen, "complete": len(seen["complete"]), "slowest_s": max(seen["complete"], default=-1)}))


main()

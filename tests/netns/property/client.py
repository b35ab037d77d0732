# SPDX-License-Identifier: GPL-2.0-or-later
"""client.py TARGETS: keeps connections open, and something going over them all the time.

TARGETS is a JSON list of [ADDRESS, PORT, CONNECTIONS]. What is asked on standard input is answered on standard output,
a JSON document a line:
  ["report"]              {"messages": N, "slowest_ms": N, "broken": ["...", ...]}
  ["try", ADDRESS, PORT]  {"answer": "who has answered a new connection" or "refused" or ...}
"""

import asyncio
import json
import sys
import time

EVERY_S = 0.05
PATIENCE_S = 20
TRY_S = 4
FILLER = "." * 900

report = {"messages": 0, "slowest_ms": 0, "broken": []}


async def ask(reader, writer, number):
    """Who has answered."""
    text = f"{number} {FILLER}"
    writer.write(text.encode() + b"\n")
    await writer.drain()
    line = await reader.readline()
    name, address, echo = line.decode().rstrip("\n").split(" ", 2)
    if echo != text:
        raise ValueError(f"message {number} came back as {echo[:20]}...")
    return f"{name} {address}"


async def keep(address, port):
    who, number = None, 0
    try:
        reader, writer = await asyncio.open_connection(address, port)
        while True:
            began = time.monotonic()
            answered = await asyncio.wait_for(ask(reader, writer, number), PATIENCE_S)
            took_ms = round((time.monotonic() - began) * 1000)
            if who and answered != who:
                raise ValueError(f"it was {who}, and {answered} from message {number} on")
            who = answered
            number += 1
            report["messages"] += 1
            report["slowest_ms"] = max(report["slowest_ms"], took_ms)
            await asyncio.sleep(EVERY_S)
    except (OSError, ValueError, asyncio.TimeoutError) as error:
        report["broken"].append(f"{address} port {port}, message {number}, to {who}: {type(error).__name__} {error}")


async def try_once(address, port):
    reader, writer = await asyncio.open_connection(address, port)
    try:
        return await ask(reader, writer, 0)
    finally:
        writer.close()


async def answer(what, *where):
    if what == "report":
        return report
    try:
        return {"answer": await asyncio.wait_for(try_once(*where), TRY_S)}
    except ConnectionRefusedError:
        return {"answer": "refused"}
    except (OSError, ValueError, asyncio.TimeoutError) as error:
        return {"answer": f"{type(error).__name__} {error}"}


async def main(targets):
    kept = [asyncio.create_task(keep(address, port)) for address, port, n in targets for _ in range(n)]
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        print(json.dumps(await answer(*json.loads(line))), flush=True)
    for task in kept:
        task.cancel()


asyncio.run(main(json.loads(sys.argv[1])))

# SPDX-License-Identifier: GPL-2.0-or-later
"""server.py NAME: answers each line with its name, the address it was called by, and the line.

Where it listens is said on standard input, a JSON list a line: ["open" or "close", ADDRESS, PORT]; "done" is the answer.
What is connected stays so when it listens no more.
"""

import asyncio
import json
import sys


async def main(name):
    listening = {}

    async def talk(reader, writer):
        address, port = writer.get_extra_info("sockname")[:2]
        try:
            while line := await reader.readline():
                writer.write(f"{name} {address}:{port} ".encode() + line)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        what, *where = json.loads(line)
        if what == "open":
            listening[tuple(where)] = await asyncio.start_server(talk, *where)
        else:
            listening.pop(tuple(where)).close()
        print("done", flush=True)


asyncio.run(main(sys.argv[1]))

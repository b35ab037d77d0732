#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A real gRPC server with the standard health service, for test_grpc.sh.

    grpc_server.py ADDRESS DIRECTORY KIND=PORT...

KIND is "health", or "bare" for a server that knows no health service; "tls-" before it: with
DIRECTORY/leaf.key, leaf.crt and int.crt. The service "flag" is down while DIRECTORY/sick exists.
The two messages have one field each, so they are written by hand here.
"""
import os
import sys
import threading
from concurrent import futures

import grpc

UNKNOWN, SERVING, NOT_SERVING = 0, 1, 2
STATUS = {"": SERVING, "up": SERVING, "down": NOT_SERVING, "undecided": UNKNOWN}


class Health(grpc.GenericRpcHandler):
    def __init__(self, directory):
        self.directory = directory

    def service(self, details):
        if details.method == "/grpc.health.v1.Health/Check":
            return grpc.unary_unary_rpc_method_handler(self.check)
        return None

    def check(self, request, context):
        name = request[2:].decode()  # behind tag and length
        if name == "slow":
            gone = threading.Event()
            context.add_callback(gone.set)
            gone.wait()
        if name == "secret":
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "not for you")
        if name == "flag":
            sick = os.path.exists(self.directory + "/sick")
            return bytes([0x08, NOT_SERVING if sick else SERVING])
        if name not in STATUS:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        # A status of 0 is the default, which is not written.
        return bytes([0x08, STATUS[name]]) if STATUS[name] else b""


def credentials(directory):
    def read(name):
        with open(f"{directory}/{name}", "rb") as file:
            return file.read()

    return grpc.ssl_server_credentials([(read("leaf.key"), read("leaf.crt") + read("int.crt"))])


def main():
    address, directory = sys.argv[1:3]
    servers = {kind: grpc.server(futures.ThreadPoolExecutor(32)) for kind in ("health", "bare")}
    servers["health"].add_generic_rpc_handlers((Health(directory),))
    for argument in sys.argv[3:]:
        kind, port = argument.split("=")
        where = f"{address}:{port}"
        if kind.startswith("tls-"):
            servers[kind[4:]].add_secure_port(where, credentials(directory))
        else:
            servers[kind].add_insecure_port(where)
    for server in servers.values():
        server.start()
    open(directory + "/serving", "w").close()
    servers["health"].wait_for_termination()


main()

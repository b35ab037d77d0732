# SPDX-License-Identifier: GPL-2.0-or-later
#
# manager.py SOCKET FILE: write what a service manager is told into a file, a datagram a line.
import socket
import sys

told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
told.bind(sys.argv[1])
with open(sys.argv[2], "a", buffering=1) as out:
    while True:
        print(told.recv(4096).decode().replace("\n", " "), file=out)

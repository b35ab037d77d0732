#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""links DIRECTORY: what is behind each pin there, as the kernel says: "NAME IFINDEX PROGRAM", one line each. A device that is
gone has the number 0. (Debian 12's bpftool does not know the links of tcx.)"""
import ctypes
import os
import platform
import sys

BPF_OBJ_GET = 7
BPF_NUMBER = {"x86_64": 321, "aarch64": 280}[platform.machine()]

libc = ctypes.CDLL(None, use_errno=True)


class Attr(ctypes.Structure):
    _fields_ = [("pathname", ctypes.c_uint64), ("bpf_fd", ctypes.c_uint32), ("file_flags", ctypes.c_uint32)]


def open_pin(path):
    name = ctypes.create_string_buffer(os.fsencode(path))
    attr = Attr(ctypes.addressof(name), 0, 0)
    fd = libc.syscall(BPF_NUMBER, BPF_OBJ_GET, ctypes.byref(attr), ctypes.sizeof(attr))
    if fd < 0:
        raise OSError(ctypes.get_errno(), path)
    return fd


for pin in sorted(os.listdir(sys.argv[1])):
    path = os.path.join(sys.argv[1], pin)
    if os.path.isdir(path):
        continue
    fd = open_pin(path)
    with open(f"/proc/self/fdinfo/{fd}") as file:
        info = dict(line.split(":", 1) for line in file if ":" in line)
    os.close(fd)
    print(pin, info.get("ifindex", "0").strip(), info["prog_id"].strip())

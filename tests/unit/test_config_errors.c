// SPDX-License-Identifier: GPL-2.0-or-later
/* Broken configurations: the file itself, its gateway, pools and services. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/config_rows.h"

/* One line each, as GATE. */
#define POOL "pools: [ { name: p, backends: [ { address: 10.0.0.5 } ] } ]\n"
#define WEB "settings: [ { name: w, protocol: http, port: 80 } ]\n"

static const struct row document_rows[] = {
	{ "",
	  "t.yaml:1:1: gateway.interfaces: missing (network interfaces to guard); allowed: a list of 1..64 mappings\n" },
	{ "# nothing\n",
	  "t.yaml:1:1: gateway.interfaces: missing (network interfaces to guard); allowed: a list of 1..64 mappings\n" },
	{ "- a\n", "t.yaml:1:1: the file is not a mapping; it must have a key gateway\n" },
	{ "text\n", "t.yaml:1:1: 'text': the file is not a mapping; it must have a key gateway\n" },
	{ "a: [\n",
	  "t.yaml:2:1: not valid YAML: did not find expected node content while parsing a flow node\n" },
	{ GATE "---\n"
	       "a: b\n",
	  "t.yaml:2:1: a second document starts here; one is allowed\n" },
	{ "a: &x b\n"
	  "c: *x\n",
	  "t.yaml:1:4: anchors, aliases and tags are not allowed\n" },
	{ "a: !!str b\n", "t.yaml:1:4: anchors, aliases and tags are not allowed\n" },
	{ "a: !t { }\n", "t.yaml:1:4: anchors, aliases and tags are not allowed\n" },
	{ "a: &x [ ]\n", "t.yaml:1:4: anchors, aliases and tags are not allowed\n" },
	{ "[a]: b\n", "t.yaml:1:1: a key must be a plain word\n" },
	{ "a:\n"
	  "\t- b\n",
	  "t.yaml:2:1: not valid YAML: found character that cannot start any token while scanning for the next token\n" },
	{ "a: \"\\0\"\n", "t.yaml:1:4: the text has a NUL byte in it\n" },
	{ "a: \001\n", "t.yaml:1:4: not valid YAML: control characters are not allowed\n" },
	{ "a: b\n"
	  "b: \377\n",
	  "t.yaml:2:4: not valid YAML: invalid leading UTF-8 octet\n" },
	{ "a: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n",
	  "t.yaml:1:19: lists and mappings are nested more than 16 deep\n" },
	{ "a: b\n"
	  "a b\n",
	  "t.yaml:3:1: not valid YAML: could not find expected ':' while scanning a simple key\n" },
	{ "null\n",
	  "t.yaml:1:1: gateway.interfaces: missing (network interfaces to guard); allowed: a list of 1..64 mappings\n" },
	{ "pools: [ ]\n",
	  "t.yaml:1:1: gateway.interfaces: missing (network interfaces to guard); allowed: a list of 1..64 mappings\n" },
	{ "gateway:\n",
	  "t.yaml:1:1: gateway.interfaces: missing (network interfaces to guard); allowed: a list of 1..64 mappings\n" },
	{ "gateway: eth0\n", "t.yaml:1:10: gateway: 'eth0': is a text; allowed: a mapping\n" },
	{ "gateway: [ ]\n", "t.yaml:1:10: gateway: is a list; allowed: a mapping\n" },
	{ "gateway: { interfaces: [ ] }\n",
	  "t.yaml:1:24: gateway.interfaces: has 0 entries; allowed: 1..64\n" },
	{ "gateway: { interfaces: }\n",
	  "t.yaml:1:10: gateway.interfaces: missing (network interfaces to guard); allowed: a list of 1..64 mappings\n" },
	{ "gateway: { interfaces: eth0 }\n",
	  "t.yaml:1:24: gateway.interfaces: 'eth0': is a text; allowed: a list of 1..64 mappings\n" },
	{ "gateway: { interfaces: { name: eth0 } }\n",
	  "t.yaml:1:24: gateway.interfaces: is a mapping; allowed: a list of 1..64 mappings\n" },
	{ "gateway: { interfaces: [ eth0 ] }\n",
	  "t.yaml:1:26: gateway.interfaces[0]: 'eth0': is a text; allowed: a mapping, as in '- name: ...'\n" },
};

static const struct row keys_rows[] = {
	{ GATE "pool: [ ]\n", "t.yaml:2:1: pool: unknown key; did you mean 'pools'?\n" },
	{ GATE "settings:\n"
	       "  - name: w\n"
	       "    protocol: http\n"
	       "    prot: 80\n"
	       "    port: 80\n",
	  "t.yaml:5:5: settings[0].prot: unknown key; did you mean 'port'?\n" },
	{ GATE "colour: blue\n",
	  "t.yaml:2:1: colour: unknown key; known here: gateway, probes, settings, pools, services\n" },
	{ GATE "Probes: [ ]\n", "t.yaml:2:1: Probes: unknown key; did you mean 'probes'?\n" },
	{ "gateway: { interfaces: [ { name: eth0, xpd: auto } ] }\n",
	  "t.yaml:1:40: gateway.interfaces[0].xpd: unknown key; did you mean 'xdp'?\n" },
	{ GATE "pools: [ { name: p, backend: [ ] } ]\n",
	  "t.yaml:2:21: pools[0].backend: unknown key; did you mean 'backends'?\n" },
	{ GATE "pools: [ { name: p, backends: [ { adress: 10.0.0.5 } ] } ]\n",
	  "t.yaml:2:33: pools[0].backends[0].address: missing (IP address or DNS name of the backend); allowed: an IPv4 or IPv6 address, or a host name\n"
	  "t.yaml:2:35: pools[0].backends[0].adress: unknown key; did you mean 'address'?\n" },
	{ GATE "probes: [ { name: p, protocol: tcp, un-healthy_threshold: 3 } ]\n",
	  "t.yaml:2:37: probes[0].un-healthy_threshold: unknown key; did you mean 'unhealthy_threshold'?\n" },
	{ GATE "<<: { }\n",
	  "t.yaml:2:1: <<: unknown key; known here: gateway, probes, settings, pools, services\n" },
	{ GATE "probes: [ ]\n"
	       "probes: [ ]\n",
	  "t.yaml:3:1: probes: the key is given twice; the first is on line 2\n" },
	{ GATE "probes:\n"
	       "  - name: a\n"
	       "    protocol: tcp\n"
	       "    port: 1\n"
	       "    port: 2\n",
	  "t.yaml:6:5: probes[0].port: the key is given twice; the first is on line 5\n" },
	{ GATE "gateway: { }\n",
	  "t.yaml:2:1: gateway: the key is given twice; the first is on line 1\n" },
	{ GATE "\"a\\tb\": 1\n",
	  "t.yaml:2:1: a?b: unknown key; known here: gateway, probes, settings, pools, services\n" },
};

static const struct row gateway_rows[] = {
	{ "gateway: { interfaces: [ { name: eth0 } ], mode: off }\n",
	  "t.yaml:1:50: gateway.mode: 'off': is none of the choices; allowed: enforce, observe\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], mode: [ ] }\n",
	  "t.yaml:1:50: gateway.mode: is a list; allowed: enforce, observe\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], mode: }\n",
	  "t.yaml:1:44: gateway.mode: has no value; allowed: enforce, observe\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], on_exit: stop }\n",
	  "t.yaml:1:53: gateway.on_exit: 'stop': is none of the choices; allowed: keep, detach\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], on_daemon_loss: close }\n",
	  "t.yaml:1:60: gateway.on_daemon_loss: 'close': is none of the choices; allowed: hold, open\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], daemon_loss_after: 500ms }\n",
	  "t.yaml:1:63: gateway.daemon_loss_after: '500ms': is out of range; allowed: 1s..86400s\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], daemon_loss_after: 86401 }\n",
	  "t.yaml:1:63: gateway.daemon_loss_after: '86401': is out of range; allowed: 1s..86400s\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], daemon_loss_after: soon }\n",
	  "t.yaml:1:63: gateway.daemon_loss_after: 'soon': is not a duration such as 500ms, 30s or 2m; allowed: 1s..86400s\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], daemon_loss_after: -1 }\n",
	  "t.yaml:1:63: gateway.daemon_loss_after: '-1': is not a duration such as 500ms, 30s or 2m; allowed: 1s..86400s\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], daemon_loss_after: 99999999999999999999 }\n",
	  "t.yaml:1:63: gateway.daemon_loss_after: '99999999999999999999': is out of range; allowed: 1s..86400s\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], probe_workers: 0 }\n",
	  "t.yaml:1:59: gateway.probe_workers: '0': is out of range; allowed: auto, 1..64\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], probe_workers: 65 }\n",
	  "t.yaml:1:59: gateway.probe_workers: '65': is out of range; allowed: auto, 1..64\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], probe_workers: many }\n",
	  "t.yaml:1:59: gateway.probe_workers: 'many': is not a whole number; allowed: auto, 1..64\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], probes_in_flight: 65537 }\n",
	  "t.yaml:1:62: gateway.probes_in_flight: '65537': is out of range; allowed: auto, 1..65536\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], max_endpoints: 65537 }\n",
	  "t.yaml:1:59: gateway.max_endpoints: '65537': is out of range; allowed: auto, 1..65536\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], max_endpoints: 0 }\n",
	  "t.yaml:1:59: gateway.max_endpoints: '0': is out of range; allowed: auto, 1..65536\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], reply_rate: 0 }\n",
	  "t.yaml:1:56: gateway.reply_rate: '0': is out of range; allowed: 1..10000000\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], reply_rate: 10000001 }\n",
	  "t.yaml:1:56: gateway.reply_rate: '10000001': is out of range; allowed: 1..10000000\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], reply_rate: 1.5 }\n",
	  "t.yaml:1:56: gateway.reply_rate: '1.5': is not a whole number; allowed: 1..10000000\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], reply_rate: { a: b } }\n",
	  "t.yaml:1:56: gateway.reply_rate: is a mapping; allowed: 1..10000000\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], api_socket: \"\" }\n",
	  "t.yaml:1:56: gateway.api_socket: is empty; allowed: 1..107 bytes without control characters\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], api_socket: \"/a\\nb\" }\n",
	  "t.yaml:1:56: gateway.api_socket: '/a?b': has control characters; allowed: 1..107 bytes without control characters\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], state_dir: \"\" }\n",
	  "t.yaml:1:55: gateway.state_dir: is empty; allowed: " FILES },
	{ "gateway: { interfaces: [ { name: eth0 } ], events_max: 99 }\n",
	  "t.yaml:1:56: gateway.events_max: '99': is out of range; allowed: 100..10000000\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], bpffs: [ /a ] }\n",
	  "t.yaml:1:51: gateway.bpffs: is a list; allowed: " FILES },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: 224.0.0.1:80 }\n",
	  "t.yaml:1:52: gateway.listen: '224.0.0.1:80': is a multicast address; allowed: none, ADDRESS:PORT, ports 1..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: 0.0.0.1:80 }\n",
	  "t.yaml:1:52: gateway.listen: '0.0.0.1:80': is in 0.0.0.0/8, which names no host; allowed: none, ADDRESS:PORT, ports 1..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: \"[fe80::1]:80\" }\n",
	  "t.yaml:1:52: gateway.listen: '[fe80::1]:80': is link-local: it names a host on one interface only; allowed: none, ADDRESS:PORT, ports 1..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: 127.0.0.1:0 }\n",
	  "t.yaml:1:52: gateway.listen: '127.0.0.1:0': port is out of range; allowed: none, ADDRESS:PORT, ports 1..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: 127.0.0.1:65536 }\n",
	  "t.yaml:1:52: gateway.listen: '127.0.0.1:65536': port is out of range; allowed: none, ADDRESS:PORT, ports 1..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: 127.0.0.1 }\n",
	  "t.yaml:1:52: gateway.listen: '127.0.0.1': is not an address and port; allowed: none, ADDRESS:PORT, ports 1..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: localhost:80 }\n",
	  "t.yaml:1:52: gateway.listen: 'localhost:80': is not an address and port; allowed: none, ADDRESS:PORT, ports 1..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: 10.0.0.1:80/tcp }\n",
	  "t.yaml:1:52: gateway.listen: '10.0.0.1:80/tcp': is not an address and port; allowed: none, ADDRESS:PORT, ports 1..65535\n" },
	{ "gateway: { interfaces: [ { } ] }\n",
	  "t.yaml:1:26: gateway.interfaces[0].name: missing (name of the network interface); allowed: 1..15 bytes without blanks, '/' and ':'\n" },
	{ "gateway: { interfaces: [ { name: \"\" } ] }\n",
	  "t.yaml:1:34: gateway.interfaces[0].name: is empty; allowed: 1..15 bytes without blanks, '/' and ':'\n" },
	{ "gateway: { interfaces: [ { name: abcdefghijklmnop } ] }\n",
	  "t.yaml:1:34: gateway.interfaces[0].name: 'abcdefghijklmnop': is too long; allowed: 1..15 bytes without blanks, '/' and ':'\n" },
	{ "gateway: { interfaces: [ { name: a/b } ] }\n",
	  "t.yaml:1:34: gateway.interfaces[0].name: 'a/b': has a character that is not allowed; allowed: 1..15 bytes without blanks, '/' and ':'\n" },
	{ "gateway: { interfaces: [ { name: \"a b\" } ] }\n",
	  "t.yaml:1:34: gateway.interfaces[0].name: 'a b': has a character that is not allowed; allowed: 1..15 bytes without blanks, '/' and ':'\n" },
	{ "gateway: { interfaces: [ { name: .. } ] }\n",
	  "t.yaml:1:34: gateway.interfaces[0].name: '..': is no name of an interface; allowed: 1..15 bytes without blanks, '/' and ':'\n" },
	{ "gateway: { interfaces: [ { name: eth0, xdp: fast } ] }\n",
	  "t.yaml:1:45: gateway.interfaces[0].xdp: 'fast': is none of the choices; allowed: auto, offload, native, generic, off\n" },
	{ "gateway: { interfaces: [ { name: eth0, egress: yes } ] }\n",
	  "t.yaml:1:48: gateway.interfaces[0].egress: 'yes': is neither true nor false; allowed: true, false\n" },
	{ "gateway: { interfaces: [ { name: eth0, egress: 1 } ] }\n",
	  "t.yaml:1:48: gateway.interfaces[0].egress: '1': is neither true nor false; allowed: true, false\n" },
	{ "gateway: { interfaces: [ { name: eth0 }, { name: eth1 }, { name: eth0 } ] }\n",
	  "t.yaml:1:66: gateway.interfaces[2].name: 'eth0': the same name is on line 1 already; it must be unique\n" },
	{ "gateway: { interfaces: [ { name: \"a\\tb\" } ] }\n",
	  "t.yaml:1:34: gateway.interfaces[0].name: 'a?b': has a character that is not allowed; "
	  "allowed: 1..15 bytes without blanks, '/' and ':'\n" },
};

static const struct row pools_rows[] = {
	{ GATE "pools: [ { name: p, backends: [ 10.0.0.5 ] } ]\n",
	  "t.yaml:2:33: pools[0].backends[0]: '10.0.0.5': is a text; allowed: a mapping, as in '- address: ...'\n" },
	{ GATE "pools: [ { name: p, backends: [ { } ] } ]\n",
	  "t.yaml:2:33: pools[0].backends[0].address: missing (IP address or DNS name of the backend); allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: } ] } ]\n",
	  "t.yaml:2:35: pools[0].backends[0].address: has no value; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: app..test } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: 'app..test': is neither an IP address nor a host name; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: 10.0.0.256 } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: '10.0.0.256': is neither an IP address nor a host name; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: a.test }, { address: A.Test. } ] } ]\n",
	  "t.yaml:2:65: pools[0].backends[1].address: 'A.Test.': the same address is on line 2 already; it must be unique\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: 10.0.0.5/24 } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: '10.0.0.5/24': is neither an IP address nor a host name; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: 10.0.0.5:80 } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: '10.0.0.5:80': has a port with it, which is a key of the settings; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: \"[fd00::5]:80\" } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: '[fd00::5]:80': has a port with it, which is a key of the settings; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: \"fe80::1%eth0\" } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: 'fe80::1%eth0': names an interface, as only link-local addresses do, which are refused; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: 0.0.0.0 } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: '0.0.0.0': is in 0.0.0.0/8, which names no host; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: 224.0.0.1 } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: '224.0.0.1': is a multicast address; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: 255.255.255.255 } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: '255.255.255.255': is the broadcast address; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: \"::\" } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: '::': is the unspecified address; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: fe80::1 } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: 'fe80::1': is link-local: it names a host on one interface only; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: ff02::1 } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: 'ff02::1': is a multicast address; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: \"10.0.0.5\\n\" } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: '10.0.0.5?': is neither an IP address nor a host name; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: 10.0.0.5, weight: 257 } ] } ]\n",
	  "t.yaml:2:62: pools[0].backends[0].weight: '257': is out of range; allowed: 0..256\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: 10.0.0.5, weight: x } ] } ]\n",
	  "t.yaml:2:62: pools[0].backends[0].weight: 'x': is not a whole number; allowed: 0..256\n" },
	{ GATE "pools: [ { name: p, backends: [ { address: [ 10.0.0.5 ] } ] } ]\n",
	  "t.yaml:2:44: pools[0].backends[0].address: is a list; allowed: an IPv4 or IPv6 address, or a host name\n" },
	{ GATE "pools: [ { backends: [ ] } ]\n",
	  "t.yaml:2:10: pools[0].name: missing (name of the pool); allowed: " NAMES },
	{ GATE "pools: { name: p }\n",
	  "t.yaml:2:8: pools: is a mapping; allowed: a list of 0..16384 mappings\n" },
	{ GATE "pools: [ { name: p, backends: { address: 10.0.0.5 } } ]\n",
	  "t.yaml:2:31: pools[0].backends: is a mapping; allowed: a list of 0..4096 mappings\n" },
	{ GATE "pools:\n"
	       "  - name: p\n"
	       "    backends:\n"
	       "      - address: fd00::5\n"
	       "      - address: 10.0.0.5\n"
	       "      - address: fd00:0::5\n"
	       "      - address: \"[fd00::5]\"\n"
	       "      - address: ::ffff:10.0.0.5\n"
	       "  - name: q\n"
	       "    backends: [ { address: 10.0.0.5 } ]\n"
	       "  - name: p\n",
	  "t.yaml:7:18: pools[0].backends[2].address: 'fd00:0::5': the same address is on line 5 already; it must be unique\n"
	  "t.yaml:8:18: pools[0].backends[3].address: '[fd00::5]': the same address is on line 5 already; it must be unique\n"
	  "t.yaml:9:18: pools[0].backends[4].address: '::ffff:10.0.0.5': the same address is on line 6 already; it must be unique\n"
	  "t.yaml:12:11: pools[2].name: 'p': the same name is on line 3 already; it must be unique\n" },
};

static const struct row services_rows[] = {
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, listen: 192.0.2.10:70000/tcp } ]\n",
	  "t.yaml:4:54: services[0].listen: '192.0.2.10:70000/tcp': port is out of range; allowed: ADDRESS:PORT[/tcp or /udp], ports 1..65535\n" },
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, listen: 192.0.2.10:443/sctp } ]\n",
	  "t.yaml:4:54: services[0].listen: '192.0.2.10:443/sctp': is not an address and port; allowed: ADDRESS:PORT[/tcp or /udp], ports 1..65535\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, listen: 192.0.2.10 } ]\n",
	  "t.yaml:4:54: services[0].listen: '192.0.2.10': is not an address and port; allowed: ADDRESS:PORT[/tcp or /udp], ports 1..65535\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, forward: nat } ]\n",
	  "t.yaml:4:55: services[0].forward: 'nat': is for services with a listen address\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, forward: x } ]\n",
	  "t.yaml:4:55: services[0].forward: 'x': is none of the choices; allowed: nat, dsr, ipip, l7\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, source_nat: true } ]\n",
	  "t.yaml:4:58: services[0].source_nat: 'true': is for services with a listen address\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, source_affinity: true } ]\n",
	  "t.yaml:4:63: services[0].source_affinity: 'true': is for services with a listen address\n" },
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, listen: 192.0.2.1:80, forward: dsr, source_nat: false } ]\n",
	  "t.yaml:4:94: services[0].source_nat: 'false': is for forward: nat; with dsr, backends see the client's address\n" },
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, listen: 192.0.2.1:81, forward: ipip } ]\n",
	  "t.yaml:4:54: services[0].listen: '192.0.2.1:81': has another port than the settings (80), and ipip changes no port; allowed: the same port, or forward: nat\n" },
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, listen: 192.0.2.1:80, table_size: 100 } ]\n",
	  "t.yaml:4:80: services[0].table_size: '100': is out of range; allowed: auto, 256..65536\n" },
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, listen: 192.0.2.1:80/udp } ]\n",
	  "t.yaml:4:54: services[0].listen: '192.0.2.1:80/udp': is for UDP, but the settings' protocol http runs over TCP\n" },
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, listen: \"[fd00::1]:80\" } ]\n",
	  "t.yaml:4:54: services[0].listen: '[fd00::1]:80': backend 10.0.0.5 of pool 'p' is of the other address family, which nat does not reach; allowed: backends of the listen address's family\n" },
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, listen: \"[fd00::1]:80\", forward: ipip } ]\n",
	  "t.yaml:4:54: services[0].listen: '[fd00::1]:80': backend 10.0.0.5 of pool 'p' is of the other address family, which ipip does not reach; allowed: backends of the listen address's family, or IPv6 backends for IPv4\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, listen: 224.0.0.1:80 } ]\n",
	  "t.yaml:4:54: services[0].listen: '224.0.0.1:80': is a multicast address; allowed: ADDRESS:PORT[/tcp or /udp], ports 1..65535\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, listen: 10.0.0.5:80 } ]\n",
	  "t.yaml: service 's' listens on 10.0.0.5:80, which is an endpoint of service 's'; an address and port can be one of both only\n" },
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, listen: 192.0.2.1:80 }, { name: t, pool: p, settings: w, listen: 192.0.2.1:80/tcp } ]\n",
	  "t.yaml: services 's' and 't' both listen on 192.0.2.1:80; an address and port can be of one service only\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], nat_ports: 2000-2001 }\n",
	  "t.yaml:1:55: gateway.nat_ports: '2000-2001': has too few ports; allowed: LOW-HIGH, at least 64 ports in 1024..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], nat_ports: 80-2001 }\n",
	  "t.yaml:1:55: gateway.nat_ports: '80-2001': is not a range of ports; allowed: LOW-HIGH, at least 64 ports in 1024..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], nat_ports: 2000 }\n",
	  "t.yaml:1:55: gateway.nat_ports: '2000': is not a range of ports; allowed: LOW-HIGH, at least 64 ports in 1024..65535\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, source_nat: x } ]\n",
	  "t.yaml:4:58: services[0].source_nat: 'x': is neither true nor false; allowed: true, false\n" },
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, hosts: [ \"a b\", c.test ] } ]\n",
	  "t.yaml:4:55: services[0].hosts[0]: 'a b': is neither a host name nor an IP address; allowed: " HOSTS },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, path_rule: a } ]\n",
	  "t.yaml:4:57: services[0].path_rule: 'a': does not start with '/'; allowed: " PATHS },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, tls: { http2: x } } ]\n",
	  "t.yaml:4:60: services[0].tls.http2: 'x': is neither true nor false; allowed: true, false\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, tls: { } } ]\n",
	  "t.yaml:4:51: services[0].tls: is for services with forward: l7\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: q, settings: w } ]\n",
	  "t.yaml:4:30: services[0].pool: 'q': names nothing in pools; allowed: the name of an entry there\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: x } ]\n",
	  "t.yaml:4:43: services[0].settings: 'x': names nothing in settings; allowed: the name of an entry there\n" },
	{ GATE POOL WEB "services: [ { name: s } ]\n",
	  "t.yaml:4:13: services[0].pool: missing (pool that is guarded); allowed: a name, 1..63 bytes of A-Z a-z 0-9 . _ -\n"
	  "t.yaml:4:13: services[0].settings: missing (settings that its backends are probed and gated under); allowed: a name, 1..63 bytes of A-Z a-z 0-9 . _ -\n" },
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w }, { name: s, pool: p, settings: w } ]\n",
	  "t.yaml:4:56: services[1].name: 's': the same name is on line 4 already; it must be unique\n" },
	{ GATE POOL
	  "settings: [ { name: w, protocol: http, port: 80 }, { name: x, protocol: http, port: 80 } ]\n"
	  "services: [ { name: s, pool: p, settings: w }, { name: t, pool: p, settings: x } ]\n",
	  "t.yaml: services 's' and 't' guard the same endpoint 10.0.0.5:80 with different settings ('w' and 'x'); one address and port can follow one only\n" },
	{ "services: [ { name: s, pool: q, settings: x } ]\n"
	  "gateway: { }\n"
	  "probes: [ { name: a, protocol: tcp, port: 0 } ]\n",
	  "t.yaml:1:30: services[0].pool: 'q': names nothing in pools; allowed: the name of an entry there\n"
	  "t.yaml:1:43: services[0].settings: 'x': names nothing in settings; allowed: the name of an entry there\n"
	  "t.yaml:2:10: gateway.interfaces: missing (network interfaces to guard); allowed: a list of 1..64 mappings\n"
	  "t.yaml:3:43: probes[0].port: '0': is out of range; allowed: 1..65535\n" },
};

TEST_TABLE(document_rows)
TEST_TABLE(keys_rows)
TEST_TABLE(gateway_rows)
TEST_TABLE(pools_rows)
TEST_TABLE(services_rows)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document_rows), cmocka_unit_test(test_keys_rows),
		cmocka_unit_test(test_gateway_rows),  cmocka_unit_test(test_pools_rows),
		cmocka_unit_test(test_services_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

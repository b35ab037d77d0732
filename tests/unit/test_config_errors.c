// SPDX-License-Identifier: GPL-2.0-or-later
/* Broken configurations and all that is said about them, word for word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/report.h"
#include "model/model.h"

/* Each takes one line, so that the row's own text starts on the next. */
#define GATE "gateway: { interfaces: [ { name: eth0 } ] }\n"
#define POOL "pools: [ { name: p, backends: [ { address: 10.0.0.5 } ] } ]\n"
#define WEB "settings: [ { name: w, protocol: http, port: 80 } ]\n"

/* What is allowed, where it takes many words. */
#define HOSTS "a host name or IP address, 1..253 bytes\n"
#define PATHS "1..2048 bytes from '/' on, without blanks and control characters\n"
#define CODES "1..32 codes or ranges in 100..599, as 200-399,401\n"
#define ESCAPED "0..1400 bytes, of which \\n \\r \\t \\\\ and \\xHH stand for one each\n"
#define NAMES "1..63 bytes of A-Z a-z 0-9 . _ -\n"
#define FILES "1..4095 bytes without control characters\n"

struct row {
	const char *yaml;
	const char *errors; /* one line each */
};

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
	{ "gateway: { interfaces: [ { name: eth0 } ], state_dir: /tmp }\n",
	  "t.yaml:1:55: gateway.state_dir: '/tmp': not available in this version; allowed: /var/lib/sluice\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], bpffs: [ /a ] }\n",
	  "t.yaml:1:51: gateway.bpffs: is a list; allowed: " FILES },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: 127.0.0.1:9477 }\n",
	  "t.yaml:1:52: gateway.listen: '127.0.0.1:9477': not available in this version; allowed: none\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: 127.0.0.1:0 }\n",
	  "t.yaml:1:52: gateway.listen: '127.0.0.1:0': port is out of range; allowed: none, ADDRESS:PORT, ports 1..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: 127.0.0.1:65536 }\n",
	  "t.yaml:1:52: gateway.listen: '127.0.0.1:65536': port is out of range; allowed: none, ADDRESS:PORT, ports 1..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: 127.0.0.1 }\n",
	  "t.yaml:1:52: gateway.listen: '127.0.0.1': is not an address and port; allowed: none, ADDRESS:PORT, ports 1..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: localhost:80 }\n",
	  "t.yaml:1:52: gateway.listen: 'localhost:80': is not an address and port; allowed: none, ADDRESS:PORT, ports 1..65535\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], listen: \"[::1]:80\" }\n",
	  "t.yaml:1:52: gateway.listen: '[::1]:80': not available in this version; allowed: none\n" },
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

static const struct row probes_rows[] = {
	{ GATE "probes: [ { name: w, protocol: ftp } ]\n",
	  "t.yaml:2:32: probes[0].protocol: 'ftp': is none of the choices; allowed: http, https, tcp, tls, udp, grpc\n" },
	{ GATE "probes: [ { name: w, protocol:  } ]\n",
	  "t.yaml:2:22: probes[0].protocol: has no value; allowed: http, https, tcp, tls, udp, grpc\n" },
	{ GATE "probes: [ { name: w, protocol: [ tcp ] } ]\n",
	  "t.yaml:2:32: probes[0].protocol: is a list; allowed: http, https, tcp, tls, udp, grpc\n" },
	{ GATE "probes: [ { name: w, protocol: http, host: \"a b\" } ]\n",
	  "t.yaml:2:44: probes[0].host: 'a b': is neither a host name nor an IP address; allowed: " HOSTS },
	{ GATE "probes: [ { name: w, protocol: http, host: \"a\\r\\nX: y\" } ]\n",
	  "t.yaml:2:44: probes[0].host: 'a??X: y': is neither a host name nor an IP address (ports are a key of their own); allowed: " HOSTS },
	{ GATE "probes: [ { name: w, protocol: http, host: \"\" } ]\n",
	  "t.yaml:2:44: probes[0].host: is empty; allowed: " HOSTS },
	{ GATE "probes: [ { name: w, protocol: http, host: a..b } ]\n",
	  "t.yaml:2:44: probes[0].host: 'a..b': is neither a host name nor an IP address; allowed: " HOSTS },
	{ GATE "probes: [ { name: w, protocol: http, host: -a.test } ]\n",
	  "t.yaml:2:44: probes[0].host: '-a.test': is neither a host name nor an IP address; allowed: " HOSTS },
	{ GATE "probes: [ { name: w, protocol: http, host: a.test:80 } ]\n",
	  "t.yaml:2:44: probes[0].host: 'a.test:80': is neither a host name nor an IP address (ports are a key of their own); allowed: " HOSTS },
	{ GATE "probes: [ { name: w, protocol: http, host: 10.0.0.300 } ]\n",
	  "t.yaml:2:44: probes[0].host: '10.0.0.300': is not an IP address; allowed: " HOSTS },
	{ GATE
	  "probes: [ { name: w, protocol: http, host: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test } ]\n",
	  "t.yaml:2:44: probes[0].host: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test': is neither a host name nor an IP address; allowed: " HOSTS },
	{ GATE "probes: [ { name: w, protocol: http, host: \"[fd00::5\" } ]\n",
	  "t.yaml:2:44: probes[0].host: '[fd00::5': is neither a host name nor an IP address (ports are a key of their own); allowed: " HOSTS },
	{ GATE "probes: [ { name: w, protocol: http, path: healthz } ]\n",
	  "t.yaml:2:44: probes[0].path: 'healthz': does not start with '/'; allowed: " PATHS },
	{ GATE "probes: [ { name: w, protocol: http, path: \"/a b\" } ]\n",
	  "t.yaml:2:44: probes[0].path: '/a b': has blanks or control characters; allowed: " PATHS },
	{ GATE "probes: [ { name: w, protocol: http, path: \"/a\\r\\nHost: b\" } ]\n",
	  "t.yaml:2:44: probes[0].path: '/a??Host: b': has blanks or control characters; allowed: " PATHS },
	{ GATE "probes: [ { name: w, protocol: http, path: /\303\244 } ]\n",
	  "t.yaml:2:44: probes[0].path: '/\303\244': has characters that must be percent-encoded; allowed: " PATHS },
	{ GATE "probes: [ { name: w, protocol: http, path: \"\" } ]\n",
	  "t.yaml:2:44: probes[0].path: is empty; allowed: " PATHS },
	{ GATE "probes: [ { name: w, protocol: http, port: 0 } ]\n",
	  "t.yaml:2:44: probes[0].port: '0': is out of range; allowed: 1..65535\n" },
	{ GATE "probes: [ { name: w, protocol: http, port: 65536 } ]\n",
	  "t.yaml:2:44: probes[0].port: '65536': is out of range; allowed: 1..65535\n" },
	{ GATE "probes: [ { name: w, protocol: http, port: http } ]\n",
	  "t.yaml:2:44: probes[0].port: 'http': is not a whole number; allowed: 1..65535\n" },
	{ GATE "probes: [ { name: w, protocol: http, port: -1 } ]\n",
	  "t.yaml:2:44: probes[0].port: '-1': is not a whole number; allowed: 1..65535\n" },
	{ GATE "probes: [ { name: w, protocol: http, interval: 99ms } ]\n",
	  "t.yaml:2:48: probes[0].interval: '99ms': is out of range; allowed: 100ms..86400s\n" },
	{ GATE "probes: [ { name: w, protocol: http, interval: 86401s } ]\n",
	  "t.yaml:2:48: probes[0].interval: '86401s': is out of range; allowed: 100ms..86400s\n" },
	{ GATE "probes: [ { name: w, protocol: http, interval: 2d } ]\n",
	  "t.yaml:2:48: probes[0].interval: '2d': is out of range; allowed: 100ms..86400s\n" },
	{ GATE "probes: [ { name: w, protocol: http, interval: 0 } ]\n",
	  "t.yaml:2:48: probes[0].interval: '0': is out of range; allowed: 100ms..86400s\n" },
	{ GATE "probes: [ { name: w, protocol: http, interval: 1w } ]\n",
	  "t.yaml:2:48: probes[0].interval: '1w': is not a duration such as 500ms, 30s or 2m; allowed: 100ms..86400s\n" },
	{ GATE "probes: [ { name: w, protocol: http, timeout: 99ms } ]\n",
	  "t.yaml:2:47: probes[0].timeout: '99ms': is out of range; allowed: 100ms..86400s\n" },
	{ GATE "probes: [ { name: w, protocol: http, timeout: 86401 } ]\n",
	  "t.yaml:2:47: probes[0].timeout: '86401': is out of range; allowed: 100ms..86400s\n" },
	{ GATE "probes: [ { name: w, protocol: http, timeout: 1.5s } ]\n",
	  "t.yaml:2:47: probes[0].timeout: '1.5s': is not a duration such as 500ms, 30s or 2m; allowed: 100ms..86400s\n" },
	{ GATE "probes: [ { name: w, protocol: http, unhealthy_threshold: 0 } ]\n",
	  "t.yaml:2:59: probes[0].unhealthy_threshold: '0': is out of range; allowed: 1..20\n" },
	{ GATE "probes: [ { name: w, protocol: http, unhealthy_threshold: 21 } ]\n",
	  "t.yaml:2:59: probes[0].unhealthy_threshold: '21': is out of range; allowed: 1..20\n" },
	{ GATE "probes: [ { name: w, protocol: http, healthy_threshold: 0 } ]\n",
	  "t.yaml:2:57: probes[0].healthy_threshold: '0': is out of range; allowed: 1..20\n" },
	{ GATE "probes: [ { name: w, protocol: http, healthy_threshold: 21 } ]\n",
	  "t.yaml:2:57: probes[0].healthy_threshold: '21': is out of range; allowed: 1..20\n" },
	{ GATE "probes: [ { name: w, protocol: http, fail_fast: maybe } ]\n",
	  "t.yaml:2:49: probes[0].fail_fast: 'maybe': is neither true nor false; allowed: true, false\n" },
	{ GATE "probes: [ { name: w, protocol: http, min_servers: 4097 } ]\n",
	  "t.yaml:2:51: probes[0].min_servers: '4097': is out of range; allowed: 0..4096\n" },
	{ GATE "probes: [ { name: w, protocol: http, min_servers: -1 } ]\n",
	  "t.yaml:2:51: probes[0].min_servers: '-1': is not a whole number; allowed: 0..4096\n" },
	{ GATE "probes: [ { name: w, protocol: http, proxy_protocol: 5 } ]\n",
	  "t.yaml:2:54: probes[0].proxy_protocol: '5': is none of the choices; allowed: false, true, v1, v2\n" },
	{ GATE "probes: [ { name: w, protocol: http, match: 200 } ]\n",
	  "t.yaml:2:45: probes[0].match: '200': is a text; allowed: a mapping\n" },
	{ GATE "probes: [ { name: w, protocol: http, match: { status: 99 } } ]\n",
	  "t.yaml:2:55: probes[0].match.status: '99': has a status code out of range; allowed: " CODES },
	{ GATE "probes: [ { name: w, protocol: http, match: { status: 600 } } ]\n",
	  "t.yaml:2:55: probes[0].match.status: '600': has a status code out of range; allowed: " CODES },
	{ GATE "probes: [ { name: w, protocol: http, match: { status: 399-200 } } ]\n",
	  "t.yaml:2:55: probes[0].match.status: '399-200': has a range that ends before it starts; allowed: " CODES },
	{ GATE "probes: [ { name: w, protocol: http, match: { status: \"200,\" } } ]\n",
	  "t.yaml:2:55: probes[0].match.status: '200,': is not a list of status codes; allowed: " CODES },
	{ GATE "probes: [ { name: w, protocol: http, match: { status: 200-399-401 } } ]\n",
	  "t.yaml:2:55: probes[0].match.status: '200-399-401': is not a list of status codes; allowed: " CODES },
	{ GATE "probes: [ { name: w, protocol: http, match: { status: 2xx } } ]\n",
	  "t.yaml:2:55: probes[0].match.status: '2xx': is not a list of status codes; allowed: " CODES },
	{ GATE "probes: [ { name: w, protocol: http, match: { status: \"\" } } ]\n",
	  "t.yaml:2:55: probes[0].match.status: is not a list of status codes; allowed: " CODES },
	{ GATE "probes: [ { name: w, protocol: http, match: { status: 1000 } } ]\n",
	  "t.yaml:2:55: probes[0].match.status: '1000': has a status code out of range; allowed: " CODES },
	{ GATE "probes: [ { name: w, protocol: http, match: { status: [ 200 ] } } ]\n",
	  "t.yaml:2:55: probes[0].match.status: is a list; allowed: " CODES },
	{ GATE "probes: [ { name: w, protocol: http, match: { header: x } } ]\n",
	  "t.yaml:2:47: probes[0].match.header: unknown key; known here: status, body\n" },
	{ GATE "probes: [ { name: w, protocol: http, host: a.test, host_from_settings: true } ]\n",
	  "t.yaml:2:72: probes[0].host_from_settings: 'true': conflicts with host on line 2; allowed: one of the two\n" },
	{ GATE "probes: [ { name: w, protocol: http, host_from_settings: 1 } ]\n",
	  "t.yaml:2:58: probes[0].host_from_settings: '1': is neither true nor false; allowed: true, false\n" },
	{ GATE "probes: [ { name: w, protocol: tcp, host: a.test } ]\n",
	  "t.yaml:2:43: probes[0].host: 'a.test': is for probes of protocol http, https, tls, grpc; this one's is tcp\n" },
	{ GATE "probes: [ { name: w, protocol: tcp, path: / } ]\n",
	  "t.yaml:2:43: probes[0].path: '/': is for probes of protocol http, https, grpc; this one's is tcp\n" },
	{ GATE "probes: [ { name: w, protocol: tcp, match: { status: 200 } } ]\n",
	  "t.yaml:2:44: probes[0].match: is for probes of protocol http, https, udp; this one's is tcp\n" },
	{ GATE "probes: [ { name: w, protocol: tcp, match: { } } ]\n",
	  "t.yaml:2:44: probes[0].match: is for probes of protocol http, https, udp; this one's is tcp\n" },
	{ GATE "probes: [ { name: w, protocol: tcp, host_from_settings: true } ]\n",
	  "t.yaml:2:57: probes[0].host_from_settings: 'true': is for probes of protocol http, https, tls, grpc; this one's is tcp\n" },
	{ GATE "probes: [ { protocol: tcp } ]\n",
	  "t.yaml:2:11: probes[0].name: missing (name of the probe); allowed: " NAMES },
	{ GATE "probes: [ { name: w } ]\n",
	  "t.yaml:2:11: probes[0].protocol: missing (what the probe speaks); allowed: http, https, tcp, tls, udp, grpc\n" },
	{ GATE "probes: [ { name: \"\", protocol: tcp } ]\n",
	  "t.yaml:2:19: probes[0].name: is empty; allowed: " NAMES },
	{ GATE "probes: [ { name: a b, protocol: tcp } ]\n",
	  "t.yaml:2:19: probes[0].name: 'a b': has a character that is not allowed; allowed: " NAMES },
	{ GATE "probes: [ { name: \303\274, protocol: tcp } ]\n",
	  "t.yaml:2:19: probes[0].name: '\303\274': has a character that is not allowed; allowed: " NAMES },
	{ GATE "probes: [ { name: [ w ], protocol: tcp } ]\n",
	  "t.yaml:2:19: probes[0].name: is a list; allowed: " NAMES },
	{ GATE "probes:\n"
	       "  - { name: a, protocol: tcp }\n"
	       "  - { name: b, protocol: tcp }\n"
	       "  - { name: a, protocol: http }\n"
	       "  - { name: a, protocol: tcp }\n",
	  "t.yaml:5:13: probes[2].name: 'a': the same name is on line 3 already; it must be unique\n"
	  "t.yaml:6:13: probes[3].name: 'a': the same name is on line 3 already; it must be unique\n" },
	{ GATE "probes: [ { name: w, protocol: udp, send: \"\\\\q\" } ]\n",
	  "t.yaml:2:43: probes[0].send: '\\q': has a backslash that begins none of the escapes; allowed: " ESCAPED },
	{ GATE "probes: [ { name: w, protocol: udp, send: 'a\\x0' } ]\n",
	  "t.yaml:2:43: probes[0].send: 'a\\x0': has a backslash that begins none of the escapes; allowed: " ESCAPED },
	{ GATE "probes: [ { name: w, protocol: udp, send: 'a\\x0g' } ]\n",
	  "t.yaml:2:43: probes[0].send: 'a\\x0g': has a backslash that begins none of the escapes; allowed: " ESCAPED },
	{ GATE "probes: [ { name: w, protocol: udp, send: 'a\\' } ]\n",
	  "t.yaml:2:43: probes[0].send: 'a\\': has a backslash that begins none of the escapes; allowed: " ESCAPED },
	{ GATE "probes: [ { name: w, protocol: udp, send: [ a ] } ]\n",
	  "t.yaml:2:43: probes[0].send: is a list; allowed: " ESCAPED },
	{ GATE "probes: [ { name: w, protocol: tcp, send: a } ]\n",
	  "t.yaml:2:43: probes[0].send: 'a': is for probes of protocol udp; this one's is tcp\n" },
	{ GATE "probes: [ { name: w, protocol: udp, proxy_protocol: true } ]\n",
	  "t.yaml:2:53: probes[0].proxy_protocol: 'true': is for probes of protocol http, https, tcp, tls, grpc; this one's is udp\n" },
	{ GATE "probes: [ { name: w, protocol: udp, match: { status: 200 } } ]\n",
	  "t.yaml:2:54: probes[0].match.status: '200': is for probes of protocol http, https; this one's is udp\n" },
	{ GATE "probes: [ { name: w, protocol: tls, path: / } ]\n",
	  "t.yaml:2:43: probes[0].path: '/': is for probes of protocol http, https, grpc; this one's is tls\n" },
	{ GATE "probes: [ { name: w, protocol: grpc, match: { } } ]\n",
	  "t.yaml:2:45: probes[0].match: is for probes of protocol http, https, udp; this one's is grpc\n" },
	{ GATE "probes: [ { name: w, protocol: http, host: a-.test } ]\n",
	  "t.yaml:2:44: probes[0].host: 'a-.test': is neither a host name nor an IP address; "
	  "allowed: " HOSTS },
	{ GATE "probes: [ { name: w, protocol: http, path: \"/a\\nb\" } ]\n",
	  "t.yaml:2:44: probes[0].path: '/a?b': has blanks or control characters; allowed: " PATHS },
};

static const struct row settings_rows[] = {
	{ GATE "settings: [ { name: w, protocol: grpc, port: 80 } ]\n",
	  "t.yaml:2:34: settings[0].protocol: 'grpc': is none of the choices; allowed: http, https, tcp, tls, udp\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 0 } ]\n",
	  "t.yaml:2:46: settings[0].port: '0': is out of range; allowed: 1..65535\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 65536 } ]\n",
	  "t.yaml:2:46: settings[0].port: '65536': is out of range; allowed: 1..65535\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: http } ]\n",
	  "t.yaml:2:46: settings[0].port: 'http': is not a whole number; allowed: 1..65535\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: [ 80 ] } ]\n",
	  "t.yaml:2:46: settings[0].port: is a list; allowed: 1..65535\n" },
	{ GATE "settings: [ { name: w, protocol: http, port:  } ]\n",
	  "t.yaml:2:40: settings[0].port: has no value; allowed: 1..65535\n" },
	{ GATE "settings: [ { } ]\n",
	  "t.yaml:2:13: settings[0].name: missing (name of the settings); allowed: " NAMES
	  "t.yaml:2:13: settings[0].protocol: missing (what the backends speak); allowed: http, https, tcp, tls, udp\n"
	  "t.yaml:2:13: settings[0].port: missing (port of the backends); allowed: 1..65535\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, probe: nope } ]\n",
	  "t.yaml:2:57: settings[0].probe: 'nope': names nothing in probes; allowed: the name of an entry there\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, probe: a b } ]\n",
	  "t.yaml:2:57: settings[0].probe: 'a b': has a character that is not allowed; allowed: a name, 1..63 bytes of A-Z a-z 0-9 . _ -\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, probe: [ ] } ]\n",
	  "t.yaml:2:57: settings[0].probe: is a list; allowed: a name, 1..63 bytes of A-Z a-z 0-9 . _ -\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, trusted_roots: ca.pem } ]\n",
	  "t.yaml:2:65: settings[0].trusted_roots: 'ca.pem': is a text; allowed: a list\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, trusted_roots: [ [ ] ] } ]\n",
	  "t.yaml:2:67: settings[0].trusted_roots[0]: is not a text; allowed: " FILES },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, trusted_roots: [ \"\" ] } ]\n",
	  "t.yaml:2:67: settings[0].trusted_roots[0]: is empty; allowed: " FILES },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, validate_sni: no } ]\n",
	  "t.yaml:2:64: settings[0].validate_sni: 'no': is neither true nor false; allowed: true, false\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, sni_name: a b } ]\n",
	  "t.yaml:2:60: settings[0].sni_name: 'a b': is neither a host name nor an IP address; allowed: " HOSTS },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, host_name: a b } ]\n",
	  "t.yaml:2:61: settings[0].host_name: 'a b': is neither a host name nor an IP address; allowed: " HOSTS },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, host_name: \"a\\nb\" } ]\n",
	  "t.yaml:2:61: settings[0].host_name: 'a?b': is neither a host name nor an IP address; allowed: " HOSTS },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, request_timeout: 20s } ]\n",
	  "t.yaml:2:67: settings[0].request_timeout: '20s': not available in this version; leave the key out\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, request_timeout: 0 } ]\n",
	  "t.yaml:2:67: settings[0].request_timeout: '0': is out of range; allowed: 1s..86400s\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, path_override: /a/ } ]\n",
	  "t.yaml:2:65: settings[0].path_override: '/a/': not available in this version; leave the key out\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, path_override: a } ]\n",
	  "t.yaml:2:65: settings[0].path_override: 'a': does not start with '/'; allowed: " PATHS },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, dedicated_connection: true } ]\n",
	  "t.yaml:2:72: settings[0].dedicated_connection: 'true': not available in this version; allowed: false\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, send_proxy_protocol: true } ]\n",
	  "t.yaml:2:71: settings[0].send_proxy_protocol: 'true': not available in this version; allowed: false\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, draining: { timeout: 0 } } ]\n",
	  "t.yaml:2:71: settings[0].draining.timeout: '0': is out of range; allowed: 1s..3600s\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, draining: { timeout: 3601 } } ]\n",
	  "t.yaml:2:71: settings[0].draining.timeout: '3601': is out of range; allowed: 1s..3600s\n" },
	{ GATE
	  "settings: [ { name: w, protocol: http, port: 80, draining: { enabled: true, timeout: 1h, x: 1 } } ]\n",
	  "t.yaml:2:90: settings[0].draining.x: unknown key; known here: enabled, timeout\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, draining: on } ]\n",
	  "t.yaml:2:60: settings[0].draining: 'on': is a text; allowed: a mapping\n" },
	{ GATE
	  "settings: [ { name: w, protocol: http, port: 80, cookie_affinity: { enabled: true } } ]\n",
	  "t.yaml:2:78: settings[0].cookie_affinity.enabled: 'true': not available in this version; allowed: false\n" },
	{ GATE
	  "settings: [ { name: w, protocol: http, port: 80, cookie_affinity: { name: a b } } ]\n",
	  "t.yaml:2:75: settings[0].cookie_affinity.name: 'a b': has a character that is not allowed; allowed: " NAMES },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, passive: { enabled: true } } ]\n",
	  "t.yaml:2:70: settings[0].passive.enabled: 'true': not available in this version; allowed: false\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, passive: { failures: 0 } } ]\n",
	  "t.yaml:2:71: settings[0].passive.failures: '0': is out of range; allowed: 1..1000000\n" },
	{ GATE
	  "settings: [ { name: w, protocol: http, port: 80, passive: { failures: 1000001 } } ]\n",
	  "t.yaml:2:71: settings[0].passive.failures: '1000001': is out of range; allowed: 1..1000000\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, passive: { window: 99ms } } ]\n",
	  "t.yaml:2:69: settings[0].passive.window: '99ms': is out of range; allowed: 100ms..3600s\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, on_unhealthy: close } ]\n",
	  "t.yaml:2:64: settings[0].on_unhealthy: 'close': is none of the choices; allowed: reject, drop, pass, redirect\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, on_none_healthy: x } ]\n",
	  "t.yaml:2:67: settings[0].on_none_healthy: 'x': is none of the choices; allowed: reject, drop, pass, last\n" },
	{ GATE "settings: [ { name: w, protocol: http, port: 80, established: close } ]\n",
	  "t.yaml:2:63: settings[0].established: 'close': is none of the choices; allowed: keep, reset\n" },
	{ GATE
	  "settings: [ { name: w, protocol: http, port: 80 }, { name: w, protocol: tcp, port: 81 } ]\n",
	  "t.yaml:2:60: settings[1].name: 'w': the same name is on line 2 already; it must be unique\n" },
	{ GATE "probes: [ { name: t, protocol: tcp } ]\n"
	       "settings: [ { name: w, protocol: http, port: 80, probe: t } ]\n",
	  "t.yaml:3:57: settings[0].probe: 't': is a probe of protocol tcp; allowed for settings of protocol http: a probe of protocol http, grpc, or none\n" },
	{ GATE "probes: [ { name: t, protocol: http, host_from_settings: true } ]\n"
	       "settings: [ { name: w, protocol: http, port: 80, probe: t } ]\n",
	  "t.yaml:3:57: settings[0].probe: 't': takes its host from the settings (host_from_settings), but these have neither host_name nor host_name_from_backend\n" },
	{ GATE "probes: { name: t }\n"
	       "settings: [ { name: w, protocol: http, port: 80, probe: t } ]\n",
	  "t.yaml:2:9: probes: is a mapping; allowed: a list of 0..4096 mappings\n" },
	/* One error at a time: a probe that is wrong itself is not blamed for not fitting. */
	{ GATE "probes: [ { name: t, protocol: tcp, port: 0 } ]\n"
	       "settings: [ { name: w, protocol: http, port: 80, probe: t } ]\n",
	  "t.yaml:2:43: probes[0].port: '0': is out of range; allowed: 1..65535\n" },
	{ GATE "probes: [ { name: t, protocol: https } ]\n"
	       "settings: [ { name: w, protocol: http, port: 80, probe: t } ]\n",
	  "t.yaml:3:57: settings[0].probe: 't': is a probe of protocol https; allowed for settings of protocol http: a probe of protocol http, grpc, or none\n" },
	{ GATE "probes: [ { name: t, protocol: http } ]\n"
	       "settings: [ { name: w, protocol: https, port: 80, probe: t } ]\n",
	  "t.yaml:3:58: settings[0].probe: 't': is a probe of protocol http; allowed for settings of protocol https: a probe of protocol https, grpc, or none\n" },
	{ GATE "probes: [ { name: t, protocol: udp } ]\n"
	       "settings: [ { name: w, protocol: tcp, port: 80, probe: t } ]\n",
	  "t.yaml:3:56: settings[0].probe: 't': is a probe of protocol udp; allowed for settings of protocol tcp: a probe of protocol http, https, tcp, tls, grpc, or none\n" },
	{ GATE "probes: [ { name: t, protocol: udp } ]\n"
	       "settings: [ { name: w, protocol: tls, port: 80, probe: t } ]\n",
	  "t.yaml:3:56: settings[0].probe: 't': is a probe of protocol udp; allowed for settings of protocol tls: a probe of protocol http, https, tcp, tls, grpc, or none\n" },
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
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, listen: 192.0.2.1:80, forward: l7 } ]\n",
	  "t.yaml:4:77: services[0].forward: 'l7': not available in this version; allowed: nat, dsr, ipip\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, forward: x } ]\n",
	  "t.yaml:4:55: services[0].forward: 'x': is none of the choices; allowed: nat, dsr, ipip\n" },
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
	  "services: [ { name: s, pool: p, settings: w, hosts: [ shop.example.test ] } ]\n",
	  "t.yaml:4:55: services[0].hosts: 'shop.example.test': not available in this version; allowed: an empty list\n" },
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, hosts: [ \"a b\", c.test ] } ]\n",
	  "t.yaml:4:55: services[0].hosts[0]: 'a b': is neither a host name nor an IP address; allowed: " HOSTS },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, path_rule: /a* } ]\n",
	  "t.yaml:4:57: services[0].path_rule: '/a*': not available in this version; leave the key out\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, path_rule: a } ]\n",
	  "t.yaml:4:57: services[0].path_rule: 'a': does not start with '/'; allowed: " PATHS },
	{ GATE POOL WEB
	  "services: [ { name: s, pool: p, settings: w, tls: { certificates: [ a.pem ], http2: true } } ]\n",
	  "t.yaml:4:51: services[0].tls: not available in this version; leave the key out\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, tls: { http2: x } } ]\n",
	  "t.yaml:4:51: services[0].tls: not available in this version; leave the key out\n"
	  "t.yaml:4:60: services[0].tls.http2: 'x': is neither true nor false; allowed: true, false\n" },
	{ GATE POOL WEB "services: [ { name: s, pool: p, settings: w, tls: { } } ]\n",
	  "t.yaml:4:51: services[0].tls: not available in this version; leave the key out\n" },
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

static void check_row(const struct row *row)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct report report;
	char errors[8192] = "";

	assert_int_equal(config_parse(&model, row->yaml, strlen(row->yaml), "t.yaml", &report),
			 -EINVAL);
	assert_null(model);
	for (size_t i = 0; i < report.n_items; i++) {
		size_t len = strlen(errors);

		report_format(errors + len, sizeof(errors) - len, &report, i);
		len = strlen(errors);
		snprintf(errors + len, sizeof(errors) - len, "\n");
	}
	if (strcmp(errors, row->errors) != 0)
		print_message("# in this file:\n%s\n", row->yaml);
	assert_string_equal(errors, row->errors);
	assert_int_equal(report.n_items, report.n_errors);
}

/* One test per table. */
#define TEST_TABLE(table)                                                       \
	static void test_##table(void **state)                                  \
	{                                                                       \
		(void)state;                                                    \
		for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) \
			check_row(&(table)[i]);                                 \
	}

TEST_TABLE(document_rows)
TEST_TABLE(keys_rows)
TEST_TABLE(gateway_rows)
TEST_TABLE(probes_rows)
TEST_TABLE(settings_rows)
TEST_TABLE(pools_rows)
TEST_TABLE(services_rows)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_document_rows), cmocka_unit_test(test_keys_rows),
		cmocka_unit_test(test_gateway_rows),  cmocka_unit_test(test_probes_rows),
		cmocka_unit_test(test_settings_rows), cmocka_unit_test(test_pools_rows),
		cmocka_unit_test(test_services_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

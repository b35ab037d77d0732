/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits - every bound that a user can meet, in one place.
 *
 * Error texts print these numbers, so that a refusal always says what is allowed.
 */
#ifndef SLUICE_MODEL_LIMITS_H
#define SLUICE_MODEL_LIMITS_H

#include "sluice/abi.h"

/* Configuration. */
#define LIMIT_FILE_BYTES (64u << 20)
#define LIMIT_POOLS 16384
#define LIMIT_BACKENDS_PER_POOL 4096
#define LIMIT_SERVICES 16384
#define LIMIT_SETTINGS 4096
#define LIMIT_PROBES 4096
#define LIMIT_INTERFACES 64
#define LIMIT_ENDPOINTS 65536
#define LIMIT_LIST_ITEMS 100 /* of a list of texts; as documented for allow-listed certificates */
#define LIMIT_NAME_BYTES (SL_NAME_LEN - 1)

/* Size of the kernel's maps when gateway.max_endpoints is auto and the pools are small. */
#define ENDPOINTS_AUTO_MIN 4096

/* Services that packets are forwarded for. */
#define LIMIT_WEIGHT 256
#define LIMIT_TABLE_MIN 256
#define LIMIT_TABLE_MAX 65536
#define SERVICES_AUTO_MIN 64 /* room, when gateway.max_services is auto and there are few */
#define SLOTS_AUTO_MIN (1u << 16) /* of the selection tables together */
#define LIMIT_FLOWS (1u << 24)
#define FLOWS_AUTO (1u << 18)
#define HALF_OPEN_AUTO (1u << 16)
#define ATTEMPTS_AUTO (1u << 16)
#define LIMIT_ATTEMPTS (1u << 22)
/* Below the ports that Linux gives to its own connections, so that neither takes the other's. */
#define NAT_PORT_LOW 16384
#define NAT_PORT_HIGH 32767
#define NAT_PORT_MIN 1024
#define NAT_PORTS_MIN 64
#define SLOW_START_MAX_MS (3600 * 1000)

/* Of HAProxy. */
#define LIMIT_L7_CONNECTIONS_MIN 16
#define LIMIT_L7_CONNECTIONS_MAX 1000000
#define LIMIT_L7_THREADS 64

/* Of the events that are kept. */
#define LIMIT_EVENTS_MIN 100
#define LIMIT_EVENTS_MAX 10000000

/* Of an export of another product that is turned into a configuration. */
#define LIMIT_IMPORT_BYTES (8u << 20)
#define LIMIT_IMPORT_DEPTH 32
#define LIMIT_IMPORT_VALUES (1u << 18)
#define LIMIT_IMPORT_PATH_BYTES (64u << 20) /* of the names of all properties, written out */
#define LIMIT_IMPORT_ITEMS 4096 /* of one kind, such as probes */

/* Probes. */
#define LIMIT_HOST_BYTES 253 /* RFC 1035, 2.3.4 */
#define LIMIT_PATH_BYTES 2048
#define LIMIT_MATCH_BODY_BYTES 4090
#define LIMIT_SEND_BYTES 1400 /* of a udp probe: fits into one packet of every usual link */
#define LIMIT_FULL_HANDSHAKE_EVERY 1000
#define LIMIT_STATUS_RANGES 32
#define LIMIT_INTERVAL_MIN_MS 100
#define LIMIT_INTERVAL_MAX_MS (86400 * 1000)
#define LIMIT_TIMEOUT_MIN_MS 100
#define LIMIT_TIMEOUT_MAX_MS (86400 * 1000)
#define LIMIT_THRESHOLD 20
#define LIMIT_WORKERS 64
#define LIMIT_PROBES_IN_FLIGHT 65536
#define LIMIT_NAME_ADDRESSES 16 /* of one DNS name; each is an endpoint */

/* How long open flows to an endpoint may go on that is removed, when settings say nothing. */
#define DRAIN_DEFAULT_MS 30000
#define LIMIT_DRAIN_MIN_MS 1000
#define LIMIT_DRAIN_MAX_MS (3600 * 1000)

/* What one probe reads of an HTTP answer: status line and header, and body. */
#define LIMIT_HTTP_HEADER_BYTES 65536
#define LIMIT_HTTP_BODY_BYTES (1u << 20)

#endif

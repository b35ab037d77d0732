/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dnsd - a DNS server on a thread, for tests: UDP and TCP on one port of loopback.
 *
 * It says exactly what it is told to, right or wrong. What is not in it does not exist.
 */
#ifndef SLUICE_TESTS_LIB_DNSD_H
#define SLUICE_TESTS_LIB_DNSD_H

#include <stdint.h>

enum dnsd_manner {
	DNSD_ANSWER,
	DNSD_NXDOMAIN,
	DNSD_SERVFAIL,
	DNSD_REFUSED,
	DNSD_SILENT,
	DNSD_GARBAGE, /* the header and question, then noise */
	DNSD_SHORT, /* an answer that ends in the middle */
	DNSD_TRUNCATED, /* over UDP: ask again over TCP */
	DNSD_SILENT_V6 /* answers A, and says nothing about AAAA */
};

struct dnsd_record {
	const char *name; /* static; lower case, without the last dot */
	enum dnsd_manner manner;
	uint32_t ttl_s;
	const char *addresses; /* "10.0.0.1 10.0.0.2 fd00::1"; static */
	const char *cname; /* static; NULL: none */
};

struct dnsd;

struct dnsd *dnsd_start(void);
void dnsd_stop(struct dnsd *dnsd);
uint16_t dnsd_port(const struct dnsd *dnsd);

/* Replace all that it knows. The records are borrowed until the next call. */
void dnsd_say(struct dnsd *dnsd, const struct dnsd_record *records, uint32_t n);

/* Questions received about A records, and how many of all came over TCP. */
uint32_t dnsd_asked(struct dnsd *dnsd);
uint32_t dnsd_asked_tcp(struct dnsd *dnsd);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics - all that is counted, as text for a scraper, made while it is sent.
 *
 * A family of metrics has to be in one piece, so the text goes through the endpoints once for each family
 * and reads them one by one: it holds one row at a time, and takes the board's lock for a row at a
 * time, however many there are and however slowly it is read. Which addresses sit in the seats of names is
 * noted at the start, so that no series is there twice.
 */
#ifndef SLUICE_CONTROL_METRICS_H
#define SLUICE_CONTROL_METRICS_H

#include <sys/types.h>

#include "control/api.h"
#include "control/exposition.h"

/* What a client may ask for alone: X(NAME, name). */
#define METRICS_PARTS(X)                \
	X(GATEWAY, "gateway")           \
	X(SERVICES, "services")         \
	X(HEALTH, "health")             \
	X(PROBES, "probes")             \
	X(CERTIFICATES, "certificates") \
	X(KERNEL, "kernel")             \
	X(L7, "l7")

#define METRICS_PART_ENUM_(NAME, name) PART_##NAME,
enum metrics_part { METRICS_PARTS(METRICS_PART_ENUM_) METRICS_PART_COUNT };

#define METRICS_ALL ((1u << METRICS_PART_COUNT) - 1)

/* The part of that name, or METRICS_PART_COUNT. */
enum metrics_part metrics_part(const char *name);

struct metrics;

/* parts: a bit (1 << part) for each that is wanted. The context is borrowed. NULL: out of memory. */
struct metrics *metrics_new(const struct api_context *context, enum exposition_form form,
			    unsigned int parts);
void metrics_free(struct metrics *metrics);
DEFINE_CLEANUP(struct metrics, metrics_free)

/* Write the next bytes. Returns how many; 0: the end; -ENOMEM. */
ssize_t metrics_read(struct metrics *metrics, char *buf, size_t size);

/* The i-th of all metrics, for those who document them; NULL: there are no more. */
const struct metric *metrics_describe(size_t i);

#endif

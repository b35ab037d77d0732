/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics_rows - the table of metrics; for control/metrics*.c only.
 *
 * Each file has the families of one kind: a new metric is a row there. What the kernel counts is read at
 * the row's offset, so that a new counter is a row and nothing else.
 */
#ifndef SLUICE_CONTROL_METRICS_ROWS_H
#define SLUICE_CONTROL_METRICS_ROWS_H

#include "control/metrics.h"

/* What a family has a row for. */
enum metrics_over { OVER_GATEWAY, OVER_SERVICES, OVER_ENDPOINTS };

struct metrics_row {
	const struct api_context *context;
	struct exposition *out; /* has the row's labels */
	uint32_t index; /* of the service or endpoint */
	const struct board_sheet *sheet; /* of families that want it */
};

struct family {
	struct metric metric;
	enum metrics_part part;
	enum metrics_over over;
	void (*render)(const struct metrics_row *row, const struct family *family);
	size_t offset; /* of a counter of the kernel, in its struct */
	bool sheet; /* over endpoints: render() wants it */
};

struct family_list {
	const struct family *families;
	size_t n;
};

extern const struct family_list metrics_process, metrics_gateway, metrics_services,
	metrics_endpoints, metrics_kernel, metrics_attempts, metrics_l7;

#define FAMILY_LIST(array)                                  \
	{                                                   \
		(array), sizeof(array) / sizeof((array)[0]) \
	}

/* "healthy", "unhealthy", "unknown". */
const char *metrics_health(enum sl_health health);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log_json - a line of the log as one JSON object, for programs that collect logs.
 *
 * {"at": TIME, "level": "warning", "program": "sluiced", "message": "…", "pool": "web-pool", …}
 */
#ifndef SLUICE_UTIL_LOG_JSON_H
#define SLUICE_UTIL_LOG_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "util/journal.h"

/* What a pipe takes in one piece. */
#define LOG_JSON_LEN 4096

struct log_json {
	const char *level, *program, *message;
	uint64_t at_us; /* wall clock */
	const struct journal_field *fields; /* named as the journal's, "SLUICE_POOL" */
	size_t n_fields;
};

/*
 * Write the object, without a line end. A message that is too long is cut, and a field for which there is no room is
 * left out: what is written is an object in any case. Bytes that are not UTF-8 become '?'. Returns the length.
 */
size_t log_json_format(char buf[LOG_JSON_LEN], const struct log_json *line);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exposition - metrics as text, in the two forms that scrapers read.
 *
 * OpenMetrics 1.0, and the Prometheus text format 0.0.4, which differ in what a family of metrics is called
 * and in what is said of it; samples have the same names and labels in both. Numbers are integers
 * or decimals of a fixed scale: no float is printed.
 *
 * A writer collects text in memory that grows. Once memory has run out it is lost, and stays so.
 */
#ifndef SLUICE_CONTROL_EXPOSITION_H
#define SLUICE_CONTROL_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum exposition_form { EXPOSITION_PROMETHEUS, EXPOSITION_OPENMETRICS };

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM, METRIC_INFO };

/* Constant; without what samples add to the name: "_total", "_info", "_bucket". */
struct metric {
	const char *name;
	enum metric_type type;
	const char *unit; /* the last word of the name; NULL: it has none */
	const char *help; /* one sentence without a full stop */
};

/* value / 10^decimals */
struct number {
	int64_t value;
	unsigned int decimals; /* 0..9 */
};

#define WHOLE(n) ((struct number){ (int64_t)(n), 0 })
#define MILLI(n) ((struct number){ (int64_t)(n), 3 })
#define MICRO(n) ((struct number){ (int64_t)(n), 6 })

/* Room for pool, settings and service, an endpoint and a certificate's name, every byte escaped. */
#define EXPOSITION_LABELS_MAX 2048

struct exposition {
	enum exposition_form form;
	char *text;
	size_t len, capacity;
	bool lost;
	char labels[EXPOSITION_LABELS_MAX]; /* what the samples of a row have in common */
	size_t labels_len;
};

/* Release the text. */
void exposition_done(struct exposition *e);

/* Forget the text, keep its memory. */
void exposition_clear(struct exposition *e);

/* What is said in front of the samples of a metric. */
void exposition_head(struct exposition *e, const struct metric *metric);

/* Begin another row: samples have no labels in common any more. */
void exposition_row(struct exposition *e);

/*
 * One more label that they have in common. Values may come from anywhere: what is not UTF-8 becomes a '?',
 * quotes, backslashes and line ends are escaped, and what is too long for a row is cut.
 */
void exposition_label(struct exposition *e, const char *name, const char *value);

/* A sample of a gauge, a counter or an info (whose value is 1), with one more label (NULL: none). */
void exposition_sample(struct exposition *e, const struct metric *metric, const char *name,
		       const char *value, struct number number);

/* A histogram's bucket; le: as "0.5". */
void exposition_bucket(struct exposition *e, const struct metric *metric, const char *le,
		       uint64_t count);
void exposition_sum(struct exposition *e, const struct metric *metric, struct number sum,
		    uint64_t count);

/* The end of all. */
void exposition_end(struct exposition *e);

/* The value of Content-Type. */
const char *exposition_content_type(enum exposition_form form);

/* What a client that sends this in Accept (NULL: nothing) is given. */
enum exposition_form exposition_choose(const char *accept);

#endif

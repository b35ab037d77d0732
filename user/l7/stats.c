// SPDX-License-Identifier: GPL-2.0-or-later
#include "l7/stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define COLUMNS_MAX 160

/* Which column is kept where. */
static const struct column {
	const char *name;
	size_t offset;
} columns[] = {
#define COLUMN(name, member)                              \
	{                                                 \
		name, offsetof(struct l7_numbers, member) \
	}
	COLUMN("qcur", queued),           COLUMN("scur", sessions),
	COLUMN("rtime", response_ms),     COLUMN("stot", requests),
	COLUMN("bin", bytes_in),          COLUMN("bout", bytes_out),
	COLUMN("econ", connect_errors),   COLUMN("eresp", response_errors),
	COLUMN("wretr", retries),         COLUMN("wredis", redispatches),
	COLUMN("hrsp_1xx", by_status[0]), COLUMN("hrsp_2xx", by_status[1]),
	COLUMN("hrsp_3xx", by_status[2]), COLUMN("hrsp_4xx", by_status[3]),
	COLUMN("hrsp_5xx", by_status[4]), COLUMN("hrsp_other", by_status[5]),
#undef COLUMN
};

#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

const uint32_t l7_times_ms[L7_TIMES] = { 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10000 };

/* Cut a line at its commas; none of the values that matter is quoted. */
static size_t split(char *fields[COLUMNS_MAX], char *line)
{
	size_t n = 0;

	for (char *field; n < COLUMNS_MAX && (field = strsep(&line, ",")); n++)
		fields[n] = field;
	return n;
}

/* Lines come in the order of the configuration, in which the search goes on. */
static const struct l7_line *find(const struct l7_plan *plan, uint32_t *at, const char *backend,
				  const char *server)
{
	size_t len = strlen(backend);

	for (uint32_t tried = 0; tried < plan->n_lines; tried++) {
		const struct l7_line *line = &plan->lines[*at];

		*at = (*at + 1) % plan->n_lines;
		if (!strncmp(line->name, backend, len) && line->name[len] == '/' &&
		    !strcmp(line->server, server))
			return line;
	}
	return NULL;
}

static void keep(struct l7_numbers *numbers, char *const fields[], size_t n,
		 const size_t index[N_COLUMNS])
{
	for (size_t i = 0; i < N_COLUMNS; i++)
		if (index[i] < n)
			*(uint64_t *)((char *)numbers + columns[i].offset) =
				strtoull(fields[index[i]], NULL, 10);
}

int stats_parse(struct l7_numbers *numbers, const struct l7_plan *plan, char *text)
{
	char *fields[COLUMNS_MAX], *line = strsep(&text, "\n");
	size_t index[N_COLUMNS], n;
	uint32_t at = 0;
	int found = 0;

	if (!line || strncmp(line, "# pxname,svname,", strlen("# pxname,svname,")) != 0)
		return -EINVAL;
	n = split(fields, line);
	for (size_t i = 0; i < N_COLUMNS; i++) {
		index[i] = SIZE_MAX;
		for (size_t j = 0; j < n; j++)
			if (!strcmp(fields[j], columns[i].name))
				index[i] = j;
	}
	while ((line = strsep(&text, "\n"))) {
		const struct l7_line *server;

		n = split(fields, line);
		server = n > 2 ? find(plan, &at, fields[0], fields[1]) : NULL;
		if (!server)
			continue;
		keep(&numbers[server - plan->lines], fields, n, index);
		found++;
	}
	return found;
}

static void keep_info(uint64_t *number, const char *text, const char *line)
{
	const char *at = strstr(text, line);

	if (at)
		*number = strtoull(at + strlen(line), NULL, 10);
}

void stats_parse_clients(struct l7_clients *clients, const char *text)
{
	keep_info(&clients->connected, text, "\nCurrConns: ");
	keep_info(&clients->allowed, text, "\nMaxconn: ");
}

uint64_t stats_parse_pid(const char *text)
{
	uint64_t pid = 0;

	keep_info(&pid, text, "\nPid: ");
	return pid;
}

/* "# table: BACKEND, type: ...": where its servers begin; INDEX_NONE: it has none, or the line is another. */
static uint32_t begin_table(const struct l7_plan *plan, uint32_t at, const char *line)
{
	static const char head[] = "# table: ";
	size_t len;

	if (strncmp(line, head, sizeof(head) - 1) != 0)
		return INDEX_NONE;
	line += sizeof(head) - 1;
	len = strcspn(line, ",");
	for (uint32_t tried = 0; tried < plan->n_lines; tried++) {
		uint32_t i = (at + tried) % plan->n_lines;
		const char *name = plan->lines[i].name;
		bool is_first = !i || strncmp(plan->lines[i - 1].name, name, len + 1) != 0;

		if (is_first && !strncmp(name, line, len) && name[len] == '/')
			return i;
	}
	return INDEX_NONE;
}

/* "0x...: key=2 use=0 exp=0 gpc0=7 gpc1=0 ...": servers count from 1 in their backend. */
static bool keep_times(struct l7_numbers *numbers, const struct l7_plan *plan, uint32_t first,
		       const char *line)
{
	const char *at = strstr(line, ": key=");
	unsigned long key = at ? strtoul(at + strlen(": key="), NULL, 10) : 0;
	uint64_t *slower;

	if (!key || key > plan->n_lines - first)
		return false;
	slower = numbers[first + key - 1].slower;
	for (at = strstr(at, " gpc"); at; at = strstr(at + 1, " gpc")) {
		char *equals;
		unsigned long i = strtoul(at + strlen(" gpc"), &equals, 10);

		if (i < L7_TIMES && *equals == '=')
			slower[i] = strtoull(equals + 1, NULL, 10);
	}
	return true;
}

int stats_parse_times(struct l7_numbers *numbers, const struct l7_plan *plan, uint32_t *at,
		      char *text)
{
	uint32_t first = INDEX_NONE;
	int found = 0;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		if (*line == '#') {
			first = begin_table(plan, *at, line);
			*at = first == INDEX_NONE ? *at : first;
		} else if (first != INDEX_NONE) {
			found += keep_times(numbers, plan, first, line);
		}
	}
	return found;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(const struct l7_line *const *)a)->name,
		      (*(const struct l7_line *const *)b)->name);
}

/* All may have other names than before, and others wait: each is looked for in an order. */
int stats_carry(struct l7_numbers *numbers, const struct l7_plan *plan,
		const struct l7_numbers *old_numbers, const struct l7_plan *old)
{
	CLEANUP(free_p) const struct l7_line **sorted = NULL;

	if (!plan || !old)
		return 0;
	sorted = calloc(old->n_lines + 1, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < old->n_lines; i++)
		sorted[i] = &old->lines[i];
	qsort(sorted, old->n_lines, sizeof(*sorted), compare_names);
	for (uint32_t i = 0; i < plan->n_lines; i++) {
		const struct l7_line *line = &plan->lines[i];
		const struct l7_line **found =
			bsearch(&line, sorted, old->n_lines, sizeof(*sorted), compare_names);

		if (found)
			numbers[i] = old_numbers[*found - old->lines];
	}
	return 0;
}

struct l7_numbers stats_add(const struct l7_numbers *before, const struct l7_numbers *since)
{
	struct l7_numbers sum = *since;

	sum.requests += before->requests;
	sum.bytes_in += before->bytes_in;
	sum.bytes_out += before->bytes_out;
	sum.connect_errors += before->connect_errors;
	sum.response_errors += before->response_errors;
	sum.retries += before->retries;
	sum.redispatches += before->redispatches;
	for (size_t i = 0; i < L7_STATUS_CLASSES; i++)
		sum.by_status[i] += before->by_status[i];
	for (size_t i = 0; i < L7_TIMES; i++)
		sum.slower[i] += before->slower[i];
	return sum;
}

struct l7_numbers stats_sum(const struct l7_numbers *a, const struct l7_numbers *b)
{
	struct l7_numbers sum = stats_add(a, b);

	sum.queued += a->queued;
	sum.sessions += a->sessions;
	sum.response_ms = a->response_ms > b->response_ms ? a->response_ms : b->response_ms;
	return sum;
}

uint64_t l7_numbers_within(const struct l7_numbers *numbers, size_t i)
{
	uint64_t all = 0, beyond = i < L7_TIMES ? numbers->slower[i] : 0;

	/* Not those of 1xx: another answer follows, or the connection becomes something else. */
	for (size_t class = 1; class < L7_STATUS_CLASSES; class ++)
		all += numbers->by_status[class];
	/* HAProxy counts while it tells, and tells the one before the other. */
	return beyond < all ? all - beyond : 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* supervisor_read - what HAProxy has counted: of each server, and of its clients. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "l7/supervisor_work.h"
#include "l7/talk.h"
#include "util/clock.h"

#define INFO_BYTES 8192
#define STATS_PER_LINE 1024
#define READ_SHARE 20 /* of the thread's time, one part in so many goes into reading of servers */

int supervisor_read_clients(struct supervisor *supervisor, const char *path, uint64_t *ret_worker)
{
	struct l7_clients clients = { .waiting = hold_waiting(&supervisor->hold) };
	char text[INFO_BYTES];
	int r = path ? talk(path, "show info\n", text, sizeof(text)) : 0;

	*ret_worker = 0;
	if (path && r == 0) {
		stats_parse_clients(&clients, text);
		*ret_worker = stats_parse_pid(text);
	}
	pthread_mutex_lock(&supervisor->lock);
	supervisor->status.clients = clients;
	pthread_mutex_unlock(&supervisor->lock);
	return r;
}

/* Ask for the tables of the backends that begin at *at, as many as commands may name; *at: the line after them. */
static void ask_times(FILE *out, const struct l7_plan *plan, uint32_t *at)
{
	const char *separator = "";

	while (*at < plan->n_lines && ftell(out) < TALK_COMMANDS_MAX - 2 * SL_NAME_LEN - 32) {
		const char *name = plan->lines[*at].name;
		int len = (int)strcspn(name, "/");

		fprintf(out, "%sshow table %.*s", separator, len, name);
		separator = ";";
		while (*at < plan->n_lines &&
		       !strncmp(plan->lines[*at].name, name, (size_t)len + 1))
			++*at;
	}
	fputc('\n', out);
}

/* Services of layer 4 have none. */
static int read_times(struct l7_numbers *since, const struct l7_plan *plan, const char *path,
		      char *text, size_t size)
{
	char commands[TALK_COMMANDS_MAX];
	uint32_t next = 0, at = 0;
	int r = 0; /* a plan without servers */

	while (next < plan->n_lines && r == 0) {
		CLEANUP(fclose_p) FILE *out = fmemopen(commands, sizeof(commands), "w");

		if (!out)
			return -ENOMEM;
		ask_times(out, plan, &next);
		fflush(out);
		r = talk(path, commands, text, size);
		if (r == 0)
			stats_parse_times(since, plan, &at, text);
	}
	return r;
}

/* Tens of thousands of servers take a good part of a second, in which nobody is told anything. */
void supervisor_read_numbers(struct supervisor *supervisor, const char *path)
{
	const struct l7_plan *plan = supervisor->wanted.plan;
	size_t size = (size_t)(plan->n_lines + 8) * STATS_PER_LINE;
	CLEANUP(free_p) struct l7_numbers *since = calloc(plan->n_lines + 1, sizeof(*since));
	CLEANUP(free_p) char *text = malloc(size);
	uint64_t began_ms = clock_mono_ms();
	int r;

	if (!since || !text)
		return;
	r = talk(path, "show stat -1 4 -1\n", text, size);
	if (r == 0)
		r = stats_parse(since, plan, text);
	if (r >= 0)
		r = read_times(since, plan, path, text, size);
	supervisor->read_ms = clock_mono_ms() + READ_SHARE * (clock_mono_ms() - began_ms);
	if (r < 0)
		return;
	pthread_mutex_lock(&supervisor->lock);
	for (uint32_t i = 0; i < plan->n_lines; i++)
		supervisor->numbers[i] = stats_add(&supervisor->before[i], &since[i]);
	pthread_mutex_unlock(&supervisor->lock);
}

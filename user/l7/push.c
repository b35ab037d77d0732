// SPDX-License-Identifier: GPL-2.0-or-later
#include "l7/push.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "l7/talk.h"

int push_init(struct push *push, uint32_t n_lines)
{
	push->told = calloc(n_lines + 1, sizeof(*push->told));
	push->known = calloc(n_lines + 1, sizeof(*push->known));
	return push->told && push->known ? 0 : -ENOMEM;
}

void push_done(struct push *push)
{
	free(take_ptr(push->told));
	free(take_ptr(push->known));
}

void push_forget(struct push *push, uint32_t n_lines)
{
	memset(push->known, 0, n_lines * sizeof(*push->known));
}

static bool same_addr(const struct addr *a, const struct addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static bool is_seat(const struct l7_line *line)
{
	static const struct addr none;

	return same_addr(&line->addr, &none);
}

/*
 * What it is to be, when it is somewhere else. A server in maintenance that is not well stays there: without
 * checks it would be up for a moment between the two.
 */
static void put_standing(FILE *out, const char *name, const struct l7_server *told,
			 enum l7_standing standing)
{
	bool rests = !told || told->standing == L7_DISABLED || told->standing == L7_DRAINED;

	switch (standing) {
	case L7_READY:
		fprintf(out, "set server %s health up;set server %s state ready;", name, name);
		break;
	case L7_DRAINING:
		fprintf(out, "set server %s health up;set server %s state drain;", name, name);
		break;
	case L7_DOWN:
		fprintf(out, rests ? "set server %s state maint;" : "set server %s health down;",
			name);
		break;
	case L7_DRAINED:
		fprintf(out, "set server %s state maint;shutdown sessions server %s;", name, name);
		break;
	case L7_DISABLED:
		fprintf(out, "set server %s state maint;", name);
		break;
	}
}

void push_commands(FILE *out, const struct l7_line *line, const struct l7_server *told,
		   const struct l7_server *server)
{
	static const struct addr none;
	char text[SL_TEXT_LEN];

	/* Before it serves, and after it does no more. */
	bool closes = server->standing != L7_READY && server->standing != L7_DRAINING;

	if (closes && (!told || told->standing != server->standing))
		put_standing(out, line->name, told, server->standing);
	if (is_seat(line) && !same_addr(&server->addr, &none) &&
	    (!told || !same_addr(&told->addr, &server->addr)))
		fprintf(out, "set server %s addr %s port %u;", line->name,
			addr_format(text, &server->addr), (unsigned int)line->port);
	if (!told || told->weight != server->weight)
		fprintf(out, "set server %s weight %u;", line->name, (unsigned int)server->weight);
	if (!closes && (!told || told->standing != server->standing))
		put_standing(out, line->name, told, server->standing);
}

static bool is_told(const struct push *push, uint32_t i, const struct l7_server *server)
{
	const struct l7_server *told = &push->told[i];

	return push->known[i] && told->standing == server->standing &&
	       told->weight == server->weight && same_addr(&told->addr, &server->addr);
}

/* Commands that do nothing say so, and changes of addresses are confirmed. */
static void note_complaint(const char *answer, char *complaint, size_t size)
{
	static const char *const harmless[] = { "no need to change", "changed from",
						"nothing changed" };

	while (*answer) {
		size_t len = strcspn(answer, "\n");
		/* What has no end was cut off. */
		bool fine = len == 0 || !answer[len];

		for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
			fine = fine || memmem(answer, len, harmless[i], strlen(harmless[i]));
		if (!fine && !complaint[0])
			snprintf(complaint, size, "%.*s", (int)len, answer);
		answer += len + (answer[len] == '\n');
	}
}

/* Lines [begin, end) have been written to commands, whose last ';' becomes the end of the line. */
struct batch {
	uint32_t begin, end;
	char text[TALK_COMMANDS_MAX]; /* longer ones may have been there before: it ends at len */
	size_t len;
};

static int flush(struct batch *batch, struct push *push, const struct l7_server *servers,
		 const char *path, char *complaint, size_t size)
{
	char answer[4096];
	int r;

	if (batch->len) {
		batch->text[batch->len - 1] = '\n';
		batch->text[batch->len] = '\0';
		r = talk(path, batch->text, answer, sizeof(answer));
		if (r < 0)
			return r;
		note_complaint(answer, complaint, size);
	}
	for (uint32_t i = batch->begin; i < batch->end; i++) {
		push->told[i] = servers[i];
		push->known[i] = true;
	}
	batch->begin = batch->end;
	batch->len = 0;
	return 0;
}

/* What one server may take: four times two names of services and one of a host. */
#define COMMANDS_MAX 2048
_Static_assert(TALK_COMMANDS_MAX > 2 * COMMANDS_MAX, "room for a server after a flush");

int push_servers(struct push *push, const struct l7_plan *plan, const struct l7_server *servers,
		 const char *path, uint32_t *ret_n, char *complaint, size_t size)
{
	struct batch batch = { 0 };
	int r;

	complaint[0] = '\0';
	*ret_n = 0;
	for (uint32_t i = 0; i < plan->n_lines; i++) {
		char text[COMMANDS_MAX];
		FILE *out;
		long len;

		batch.end = i;
		if (is_told(push, i, &servers[i])) {
			batch.end = i + 1;
			continue;
		}
		out = fmemopen(text, sizeof(text), "w");
		if (!out)
			return -ENOMEM;
		push_commands(out, &plan->lines[i], push->known[i] ? &push->told[i] : NULL,
			      &servers[i]);
		len = ftell(out);
		fclose(out);
		if (batch.len + (size_t)len + 1 > sizeof(batch.text)) {
			r = flush(&batch, push, servers, path, complaint, size);
			/* There is no room for this one. */
			if (r < 0)
				return r;
		}
		memcpy(batch.text + batch.len, text, (size_t)len);
		batch.len += (size_t)len;
		batch.end = i + 1;
		(*ret_n)++;
	}
	batch.end = plan->n_lines;
	return flush(&batch, push, servers, path, complaint, size);
}

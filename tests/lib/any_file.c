// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/any_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

uint32_t any_dice(struct any_file *f, uint32_t n)
{
	f->seed = f->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(f->seed >> 33) % n;
}

static void raw(struct any_file *f, const char *text)
{
	size_t len = strlen(text);

	assert_true(f->len + len < ANY_TEXT);
	memcpy(f->text + f->len, text, len + 1);
	f->len += len;
}

static struct any_piece *piece(struct any_file *f, const char *text)
{
	struct any_piece *p = &f->pieces[f->n_pieces++];

	assert_true(f->n_pieces < ANY_PIECES);
	*p = (struct any_piece){ .start = f->len, .pool = f->pool, .backend = f->backend };
	raw(f, text);
	p->end = f->len;
	return p;
}

static void blanks(struct any_file *f, uint32_t n)
{
	while (n--)
		raw(f, " ");
}

static void some_blanks(struct any_file *f)
{
	raw(f, !any_dice(f, 4) ? "\t" : any_dice(f, 2) ? " " : "  ");
}

static void comment(struct any_file *f)
{
	char text[64];

	snprintf(text, sizeof(text), "# %u: [ {, }] \xc3\xbc: ", f->n_comments++);
	piece(f, text);
}

/* The end of a line, with or without something more. */
static void newline(struct any_file *f)
{
	if (f->look.comments && !any_dice(f, 3)) {
		some_blanks(f);
		comment(f);
	} else if (!f->look.is_json && !any_dice(f, 8)) {
		raw(f, "  ");
	}
	raw(f, f->look.newline);
}

/* Lines between two items of a list in that column: nobody's. */
static void interlude(struct any_file *f, uint32_t column)
{
	int pool = f->pool, backend = f->backend;

	if (!any_dice(f, 6))
		raw(f, f->look.newline);
	if (!f->look.comments || any_dice(f, 3))
		return;
	f->pool = f->backend = -1;
	blanks(f, column);
	comment(f);
	raw(f, f->look.newline);
	f->pool = pool;
	f->backend = backend;
}

static void quoted(struct any_file *f, char quote, const char *text)
{
	char buf[64];

	snprintf(buf, sizeof(buf), "%.1s%s%.1s", quote ? &quote : "", text, quote ? &quote : "");
	piece(f, buf);
}

static void key(struct any_file *f, const char *name)
{
	if (strcmp(name, "address") != 0 && strcmp(name, "weight") != 0)
		f->backend = -1;
	quoted(f, f->look.key_quote, name);
	raw(f, ":");
	if (strcmp(name, "backends") != 0)
		raw(f, !f->look.is_json && !any_dice(f, 5) ? "  " : " ");
}

static void value(struct any_file *f, const char *text)
{
	static const char *const plain[] = { "10.", "app", "b-c", "x_", "p", "web", "a.b" };
	char quote = f->look.quote;
	bool is_plain = false;

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		is_plain = is_plain || !strncmp(text, plain[i], strlen(plain[i]));
	if (!is_plain && !quote)
		quote = any_dice(f, 2) ? '"' : '\'';
	quoted(f, quote, text);
}

static void weight(struct any_file *f, uint32_t number)
{
	char text[16];

	key(f, "weight");
	snprintf(text, sizeof(text), "%u", number);
	piece(f, text)->is_weight = true;
}

static void next_pair(struct any_file *f, bool is_flow, uint32_t column)
{
	if (is_flow) {
		raw(f, any_dice(f, 4) || f->look.is_json ? ", " : " ,  ");
		return;
	}
	newline(f);
	blanks(f, column);
}

static void write_one(struct any_file *f, const struct any_backend *b, uint32_t column)
{
	bool is_flow = f->look.flow_backends || f->look.flow_backend;
	bool has_weight = b->weight != 1 || !any_dice(f, 3), first = f->look.weight_first;
	const char *pad = f->look.pads ? " " : "";

	if (is_flow)
		raw(f, "{"), raw(f, pad);
	if (has_weight && first)
		weight(f, b->weight), next_pair(f, is_flow, column);
	key(f, "address");
	value(f, b->address);
	if (has_weight && !first)
		next_pair(f, is_flow, column), weight(f, b->weight);
	if (is_flow)
		raw(f, pad), raw(f, "}");
}

/* Behind "backends:", in a pool whose keys begin in that column; ends within the last line. */
static void write_backends(struct any_file *f, const struct any_pool *pool, uint32_t column)
{
	const struct any_look *look = &f->look;
	const char *pad = look->pads ? " " : "";
	bool flow = look->flow_backends;

	if (!pool->n && !look->is_json && !flow && any_dice(f, 2)) {
		raw(f, any_dice(f, 2) ? " ~" : "");
		return;
	}
	if (!pool->n) {
		raw(f, any_dice(f, 2) ? " []" : " [ ]");
		return;
	}
	if (flow)
		raw(f, " ["), raw(f, look->lines ? "" : pad);
	for (uint32_t j = 0; j < pool->n; j++) {
		if (!flow || look->lines)
			newline(f), interlude(f, column + look->backend_indent);
		else if (j)
			raw(f, " ");
		if (!flow || look->lines)
			blanks(f, column + look->backend_indent);
		if (!flow)
			raw(f, "-"), blanks(f, look->gap);
		f->backend = (int)j;
		write_one(f, &pool->backends[j], column + look->backend_indent + 1 + look->gap);
		if (flow && (j + 1 < pool->n || look->trailing))
			raw(f, ",");
	}
	/* What follows on the line of the last item goes with it. */
	if (flow && look->lines)
		newline(f), blanks(f, column);
	if (flow)
		f->backend = -1;
	if (flow)
		raw(f, look->lines ? "" : pad), raw(f, "]");
}

static void write_pool_of(struct any_file *f, const struct any_pool *pool, uint32_t column)
{
	bool is_flow = f->look.flow_pools || f->look.flow_pool;
	const char *pad = f->look.pads ? " " : "";
	bool has_list = pool->n || any_dice(f, 2), first = has_list && f->look.backends_first;

	if (is_flow)
		raw(f, "{"), raw(f, pad);
	if (first) {
		key(f, "backends");
		write_backends(f, pool, column);
		next_pair(f, is_flow, column);
	}
	key(f, "name");
	value(f, pool->name);
	if (has_list && !first) {
		next_pair(f, is_flow, column);
		key(f, "backends");
		write_backends(f, pool, column);
	}
	if (is_flow)
		raw(f, pad), raw(f, "}");
}

static void write_pools(struct any_file *f)
{
	const struct any_look *look = &f->look;
	bool flow = look->flow_pools;

	if (!f->n && any_dice(f, 2))
		return;
	if (look->is_json)
		raw(f, ",\n  ");
	quoted(f, look->key_quote, "pools");
	raw(f, ":");
	if (!f->n) {
		raw(f, look->is_json ? " []" : "");
		newline(f);
		return;
	}
	if (flow)
		raw(f, " [");
	for (uint32_t i = 0; i < f->n; i++) {
		if (!flow || look->lines)
			newline(f), interlude(f, look->indent);
		if (flow ? look->lines : true)
			blanks(f, look->indent);
		if (!flow)
			raw(f, "-"), blanks(f, look->gap);
		f->pool = (int)i;
		write_pool_of(f, &f->pools[i], look->indent + 1 + look->gap);
		if (flow && (i + 1 < f->n || look->trailing))
			raw(f, ", ");
	}
	if (!flow)
		newline(f);
	f->pool = f->backend = -1;
	if (flow)
		raw(f, look->lines ? look->newline : ""), raw(f, look->lines ? "  ]" : " ]");
	if (flow)
		raw(f, look->newline);
}

void any_file_choose_look(struct any_file *f)
{
	struct any_look *look = &f->look;

	*look = (struct any_look){
		.newline = any_dice(f, 4) ? "\n" : "\r\n",
		.indent = 2 * any_dice(f, 3),
		.gap = 1 + (any_dice(f, 4) ? 0 : any_dice(f, 3)),
		.backend_indent = 2 * any_dice(f, 3),
		.flow_pools = !any_dice(f, 4),
		.flow_pool = !any_dice(f, 4),
		.flow_backends = any_dice(f, 2),
		.flow_backend = any_dice(f, 2),
		.lines = any_dice(f, 2),
		.trailing = !any_dice(f, 3),
		.comments = any_dice(f, 2),
		.weight_first = !any_dice(f, 3),
		.backends_first = !any_dice(f, 3),
		.pads = any_dice(f, 2),
		.no_final_newline = !any_dice(f, 4),
		.is_json = !any_dice(f, 8),
	};
	look->quote = any_dice(f, 2) ? '\0' : any_dice(f, 2) ? '"' : '\'';
	look->key_quote = any_dice(f, 4) ? '\0' : '"';
	if (look->is_json) {
		look->quote = look->key_quote = '"';
		look->flow_pools = true;
		look->comments = look->trailing = false;
		look->newline = "\n";
	}
	if (look->flow_pools)
		look->flow_pool = true;
	if (look->flow_pool)
		look->flow_backends = true;
}

void any_file_write(struct any_file *f)
{
	f->pool = f->backend = -1;
	if (f->look.is_json) {
		piece(f, "{ \"gateway\": { \"interfaces\": [ { \"name\": \"lan0\" } ] }");
		write_pools(f);
		raw(f, "}");
		return;
	}
	piece(f, "gateway: { interfaces: [ { name: lan0 } ] }");
	newline(f);
	write_pools(f);
	if (any_dice(f, 2)) {
		interlude(f, 0);
		/* With a text that looks like what is changed. */
		piece(f, "probes:");
		raw(f, f->look.newline);
		piece(f, "- { name: x, protocol: udp, send: \"pools: [ # no comment\" }");
		newline(f);
	}
	if (f->look.no_final_newline)
		while (f->len && strchr("\r\n", f->text[f->len - 1]))
			f->text[--f->len] = '\0';
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any file and any change over it: the amended file says what both said together, and of what was not changed
 * not a byte was touched.
 *
 * Files are made of pieces, each of which belongs to a pool, to a backend, to its weight, or to nobody.
 */
#include "tests/unit/amend_run.h"

#define ROUNDS 2000
#define POOLS 4
#define BACKENDS 5
#define PIECES 2048
#define TEXT 32768

enum fate { STAYS, WEIGHED, GOES };

struct backend_fate {
	const char *address;
	uint32_t weight, becomes;
	enum fate fate;
};

struct pool_fate {
	char name[8];
	struct backend_fate backends[BACKENDS];
	uint32_t n, n_new; /* of backends there are, and behind them those that come */
	bool goes, comes;
};

/* How a file is written. */
struct look {
	const char *newline;
	uint32_t indent, backend_indent, gap;
	bool flow_pools, flow_pool, flow_backends, flow_backend, lines, trailing, comments,
		weight_first;
	bool no_final_newline, is_json, backends_first;
	char quote, key_quote;
	bool pads;
};

struct piece {
	size_t start, end;
	int pool, backend; /* -1: nobody's */
	bool is_weight;
};

struct world {
	uint64_t seed;
	struct pool_fate pools[POOLS];
	uint32_t n, n_new;
	struct look look;
	char text[TEXT];
	size_t len;
	struct piece pieces[PIECES];
	size_t n_pieces;
	int pool, backend; /* whose the next piece is */
	unsigned int n_comments;
	struct overlay overlay;
};

static uint32_t dice(struct world *w, uint32_t n)
{
	w->seed = w->seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(w->seed >> 33) % n;
}

/* --- what there is, and what becomes of it ----------------------------------------------------- */

static const char *const addresses[] = {
	"10.0.0.1", "10.0.0.2", "app.test", "fd00::1",  "10.0.0.40",
	"b-c.test", "::5",      "10.1.2.3", "x_y.test", "2001:db8::",
};
static const char *const names[] = { "p", "web-pool", "null", "7", "a.b", "no", "x_1", "-z" };

static void cast_backends(struct world *w, struct pool_fate *pool)
{
	uint32_t first = dice(w, 10);
	uint32_t all = dice(w, BACKENDS + 1);

	pool->n_new = dice(w, 2) ? 0 : dice(w, all + 1);
	pool->n = pool->comes ? 0 : all - pool->n_new;
	pool->n_new = all - pool->n;
	for (uint32_t i = 0; i < all; i++) {
		struct backend_fate *b = &pool->backends[i];

		b->address = addresses[(first + i) % 10];
		b->weight = dice(w, 2) ? 1 : dice(w, 257);
		b->becomes = b->weight;
		b->fate = dice(w, 2) ? STAYS : (enum fate)dice(w, 3);
		if (b->fate == WEIGHED)
			b->becomes = (b->weight + 1 + dice(w, 256)) % 257;
	}
}

static void cast(struct world *w)
{
	uint32_t all = dice(w, POOLS + 1), first = dice(w, 8);

	w->n_new = dice(w, 2) ? 0 : dice(w, all + 1);
	w->n = all - w->n_new;
	for (uint32_t i = 0; i < all; i++) {
		struct pool_fate *pool = &w->pools[i];

		snprintf(pool->name, sizeof(pool->name), "%.7s", names[(first + i) % 8]);
		pool->comes = i >= w->n;
		pool->goes = !pool->comes && !dice(w, 5);
		cast_backends(w, pool);
	}
}

static void put_change(struct world *w, const struct pool_fate *pool, const struct backend_fate *b,
		       enum overlay_presence presence, uint32_t weight)
{
	struct overlay_row row = row_of(pool->name, b ? b->address : "", presence);

	row.has_weight = b && presence != OVERLAY_REMOVED;
	row.weight = row.has_weight ? weight : 0;
	if (b && !dice(w, 4) && presence != OVERLAY_REMOVED)
		row.admin = SL_DISABLED;
	put(&w->overlay, row);
}

static void change(struct world *w)
{
	for (uint32_t i = 0; i < w->n + w->n_new; i++) {
		const struct pool_fate *pool = &w->pools[i];

		if (pool->goes || pool->comes)
			put_change(w, pool, NULL, pool->goes ? OVERLAY_REMOVED : OVERLAY_ADDED, 0);
		for (uint32_t j = 0; j < pool->n + pool->n_new && !pool->goes; j++) {
			const struct backend_fate *b = &pool->backends[j];

			if (j >= pool->n)
				put_change(w, pool, b, OVERLAY_ADDED, b->weight);
			else if (b->fate == GOES)
				put_change(w, pool, b, OVERLAY_REMOVED, 0);
			else if (b->fate == WEIGHED)
				put_change(w, pool, b, OVERLAY_AS_FILE, b->becomes);
		}
	}
}

/* --- what is to come of it --------------------------------------------------------------------- */

static int compare_new(const void *a, const void *b)
{
	return strcmp(((const struct backend_fate *)a)->address,
		      ((const struct backend_fate *)b)->address);
}

static int compare_new_pools(const void *a, const void *b)
{
	return strcmp(((const struct pool_fate *)a)->name, ((const struct pool_fate *)b)->name);
}

/* As pools_of() writes it. */
static const char *expected(struct world *w)
{
	static char text[4096];
	size_t len = 0;

	qsort(w->pools + w->n, w->n_new, sizeof(w->pools[0]), compare_new_pools);
	text[0] = '\0';
	for (uint32_t i = 0; i < w->n + w->n_new; i++) {
		struct pool_fate *pool = &w->pools[i];
		const char *between = "";

		if (pool->goes)
			continue;
		qsort(pool->backends + pool->n, pool->n_new, sizeof(pool->backends[0]),
		      compare_new);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s[", len ? " " : "",
					pool->name);
		for (uint32_t j = 0; j < pool->n + pool->n_new; j++) {
			const struct backend_fate *b = &pool->backends[j];

			if (j < pool->n && b->fate == GOES)
				continue;
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s*%u", between,
						b->address, j < pool->n ? b->becomes : b->weight);
			between = " ";
		}
		len += (size_t)snprintf(text + len, sizeof(text) - len, "]");
	}
	return text;
}

/* --- writing the file -------------------------------------------------------------------------- */

static void raw(struct world *w, const char *text)
{
	size_t len = strlen(text);

	assert_true(w->len + len < TEXT);
	memcpy(w->text + w->len, text, len + 1);
	w->len += len;
}

static struct piece *piece(struct world *w, const char *text)
{
	struct piece *p = &w->pieces[w->n_pieces++];

	assert_true(w->n_pieces < PIECES);
	*p = (struct piece){ .start = w->len, .pool = w->pool, .backend = w->backend };
	raw(w, text);
	p->end = w->len;
	return p;
}

static void blanks(struct world *w, uint32_t n)
{
	while (n--)
		raw(w, " ");
}

static void some_blanks(struct world *w)
{
	raw(w, !dice(w, 4) ? "\t" : dice(w, 2) ? " " : "  ");
}

static void comment(struct world *w)
{
	char text[64];

	snprintf(text, sizeof(text), "# %u: [ {, }] \xc3\xbc: ", w->n_comments++);
	piece(w, text);
}

/* The end of a line, with or without something more. */
static void newline(struct world *w)
{
	if (w->look.comments && !dice(w, 3)) {
		some_blanks(w);
		comment(w);
	} else if (!w->look.is_json && !dice(w, 8)) {
		raw(w, "  ");
	}
	raw(w, w->look.newline);
}

/* Lines between two items of a list in that column: nobody's. */
static void interlude(struct world *w, uint32_t column)
{
	int pool = w->pool, backend = w->backend;

	if (!dice(w, 6))
		raw(w, w->look.newline);
	if (!w->look.comments || dice(w, 3))
		return;
	w->pool = w->backend = -1;
	blanks(w, column);
	comment(w);
	raw(w, w->look.newline);
	w->pool = pool;
	w->backend = backend;
}

static void quoted(struct world *w, char quote, const char *text)
{
	char buf[64];

	snprintf(buf, sizeof(buf), "%.1s%s%.1s", quote ? &quote : "", text, quote ? &quote : "");
	piece(w, buf);
}

static void key(struct world *w, const char *name)
{
	if (strcmp(name, "address") != 0 && strcmp(name, "weight") != 0)
		w->backend = -1;
	quoted(w, w->look.key_quote, name);
	raw(w, ":");
	if (strcmp(name, "backends") != 0)
		raw(w, !w->look.is_json && !dice(w, 5) ? "  " : " ");
}

static void value(struct world *w, const char *text)
{
	static const char *const plain[] = { "10.", "app", "b-c", "x_", "p", "web", "a.b" };
	char quote = w->look.quote;
	bool is_plain = false;

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		is_plain = is_plain || !strncmp(text, plain[i], strlen(plain[i]));
	if (!is_plain && !quote)
		quote = dice(w, 2) ? '"' : '\'';
	quoted(w, quote, text);
}

static void weight(struct world *w, uint32_t number)
{
	char text[16];

	key(w, "weight");
	snprintf(text, sizeof(text), "%u", number);
	piece(w, text)->is_weight = true;
}

static void next_pair(struct world *w, bool is_flow, uint32_t column)
{
	if (is_flow) {
		raw(w, dice(w, 4) || w->look.is_json ? ", " : " ,  ");
		return;
	}
	newline(w);
	blanks(w, column);
}

static void write_one(struct world *w, const struct backend_fate *b, uint32_t column)
{
	bool is_flow = w->look.flow_backends || w->look.flow_backend;
	bool has_weight = b->weight != 1 || !dice(w, 3), first = w->look.weight_first;
	const char *pad = w->look.pads ? " " : "";

	if (is_flow)
		raw(w, "{"), raw(w, pad);
	if (has_weight && first)
		weight(w, b->weight), next_pair(w, is_flow, column);
	key(w, "address");
	value(w, b->address);
	if (has_weight && !first)
		next_pair(w, is_flow, column), weight(w, b->weight);
	if (is_flow)
		raw(w, pad), raw(w, "}");
}

/* Behind "backends:", in a pool whose keys begin in that column; ends within the last line. */
static void write_backends(struct world *w, const struct pool_fate *pool, uint32_t column)
{
	const struct look *look = &w->look;
	const char *pad = look->pads ? " " : "";
	bool flow = look->flow_backends;

	if (!pool->n && !look->is_json && !flow && dice(w, 2)) {
		raw(w, dice(w, 2) ? " ~" : "");
		return;
	}
	if (!pool->n) {
		raw(w, dice(w, 2) ? " []" : " [ ]");
		return;
	}
	if (flow)
		raw(w, " ["), raw(w, look->lines ? "" : pad);
	for (uint32_t j = 0; j < pool->n; j++) {
		if (!flow || look->lines)
			newline(w), interlude(w, column + look->backend_indent);
		else if (j)
			raw(w, " ");
		if (!flow || look->lines)
			blanks(w, column + look->backend_indent);
		if (!flow)
			raw(w, "-"), blanks(w, look->gap);
		w->backend = (int)j;
		write_one(w, &pool->backends[j], column + look->backend_indent + 1 + look->gap);
		if (flow && (j + 1 < pool->n || look->trailing))
			raw(w, ",");
	}
	/* What follows on the line of the last item goes with it. */
	if (flow && look->lines)
		newline(w), blanks(w, column);
	if (flow)
		w->backend = -1;
	if (flow)
		raw(w, look->lines ? "" : pad), raw(w, "]");
}

static void write_pool_of(struct world *w, const struct pool_fate *pool, uint32_t column)
{
	bool is_flow = w->look.flow_pools || w->look.flow_pool;
	const char *pad = w->look.pads ? " " : "";
	bool has_list = pool->n || dice(w, 2), first = has_list && w->look.backends_first;

	if (is_flow)
		raw(w, "{"), raw(w, pad);
	if (first) {
		key(w, "backends");
		write_backends(w, pool, column);
		next_pair(w, is_flow, column);
	}
	key(w, "name");
	value(w, pool->name);
	if (has_list && !first) {
		next_pair(w, is_flow, column);
		key(w, "backends");
		write_backends(w, pool, column);
	}
	if (is_flow)
		raw(w, pad), raw(w, "}");
}

static void write_pools(struct world *w)
{
	const struct look *look = &w->look;
	bool flow = look->flow_pools;

	if (!w->n && dice(w, 2))
		return;
	if (look->is_json)
		raw(w, ",\n  ");
	quoted(w, look->key_quote, "pools");
	raw(w, ":");
	if (!w->n) {
		raw(w, look->is_json ? " []" : "");
		newline(w);
		return;
	}
	if (flow)
		raw(w, " [");
	for (uint32_t i = 0; i < w->n; i++) {
		if (!flow || look->lines)
			newline(w), interlude(w, look->indent);
		if (flow ? look->lines : true)
			blanks(w, look->indent);
		if (!flow)
			raw(w, "-"), blanks(w, look->gap);
		w->pool = (int)i;
		write_pool_of(w, &w->pools[i], look->indent + 1 + look->gap);
		if (flow && (i + 1 < w->n || look->trailing))
			raw(w, ", ");
	}
	if (!flow)
		newline(w);
	w->pool = w->backend = -1;
	if (flow)
		raw(w, look->lines ? look->newline : ""), raw(w, look->lines ? "  ]" : " ]");
	if (flow)
		raw(w, look->newline);
}

static void choose_look(struct world *w)
{
	struct look *look = &w->look;

	*look = (struct look){
		.newline = dice(w, 4) ? "\n" : "\r\n",
		.indent = 2 * dice(w, 3),
		.gap = 1 + (dice(w, 4) ? 0 : dice(w, 3)),
		.backend_indent = 2 * dice(w, 3),
		.flow_pools = !dice(w, 4),
		.flow_pool = !dice(w, 4),
		.flow_backends = dice(w, 2),
		.flow_backend = dice(w, 2),
		.lines = dice(w, 2),
		.trailing = !dice(w, 3),
		.comments = dice(w, 2),
		.weight_first = !dice(w, 3),
		.backends_first = !dice(w, 3),
		.pads = dice(w, 2),
		.no_final_newline = !dice(w, 4),
		.is_json = !dice(w, 8),
	};
	look->quote = dice(w, 2) ? '\0' : dice(w, 2) ? '"' : '\'';
	look->key_quote = dice(w, 4) ? '\0' : '"';
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

static void write_file(struct world *w)
{
	w->pool = w->backend = -1;
	if (w->look.is_json) {
		piece(w, "{ \"gateway\": { \"interfaces\": [ { \"name\": \"lan0\" } ] }");
		write_pools(w);
		raw(w, "}");
		return;
	}
	piece(w, "gateway: { interfaces: [ { name: lan0 } ] }");
	newline(w);
	write_pools(w);
	if (dice(w, 2)) {
		interlude(w, 0);
		/* With a text that looks like what is changed. */
		piece(w, "probes:");
		raw(w, w->look.newline);
		piece(w, "- { name: x, protocol: udp, send: \"pools: [ # no comment\" }");
		newline(w);
	}
	if (w->look.no_final_newline)
		while (w->len && strchr("\r\n", w->text[w->len - 1]))
			w->text[--w->len] = '\0';
}

/* --- looking at what came of it ---------------------------------------------------------------- */

static bool stays(const struct world *w, const struct piece *p)
{
	const struct pool_fate *pool = p->pool < 0 ? NULL : &w->pools[p->pool];

	if (!pool)
		return true;
	if (pool->goes)
		return false;
	if (p->backend < 0)
		return true;
	return pool->backends[p->backend].fate != GOES &&
	       (!p->is_weight || pool->backends[p->backend].fate == STAYS);
}

/* Comments between the items of a pool that goes go with it. */
static bool is_inside_of_what_goes(const struct world *w, size_t at)
{
	for (uint32_t i = 0; i < w->n; i++) {
		size_t first = SIZE_MAX, last = 0;

		if (!w->pools[i].goes)
			continue;
		for (size_t j = 0; j < w->n_pieces; j++) {
			if (w->pieces[j].pool != (int)i)
				continue;
			first = w->pieces[j].start < first ? w->pieces[j].start : first;
			last = w->pieces[j].end;
		}
		if (at > first && at < last)
			return true;
	}
	return false;
}

/* A list in brackets of which nothing stays is written anew, unless its items had lines of their own. */
static bool is_in_list_that_empties(const struct world *w, size_t at)
{
	for (uint32_t i = 0; i < w->n; i++) {
		const struct pool_fate *pool = &w->pools[i];
		size_t first = SIZE_MAX, last = 0;
		bool any = false;

		for (uint32_t j = 0; j < pool->n; j++)
			any = any || pool->backends[j].fate != GOES;
		for (size_t j = 0; j < w->n_pieces; j++) {
			if (w->pieces[j].pool != (int)i)
				continue;
			first = w->pieces[j].start < first ? w->pieces[j].start : first;
			last = w->pieces[j].end;
		}
		if (!any && w->look.flow_backends && at > first && at <= last)
			return true;
	}
	return false;
}

static bool all_pools_go(const struct world *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		if (!w->pools[i].goes)
			return false;
	return w->look.flow_pools;
}

static void check_pieces(const struct world *w, const struct amendment *amendment)
{
	const struct patch_edit *edit = amendment->patch.edits;
	const struct patch_edit *end = edit + amendment->patch.n;

	for (size_t i = 0; i < w->n_pieces; i++) {
		const struct piece *p = &w->pieces[i];

		if (!stays(w, p))
			continue;
		if (w->text[p->start] == '#' &&
		    (is_inside_of_what_goes(w, p->start) || is_in_list_that_empties(w, p->start) ||
		     all_pools_go(w)))
			continue;
		for (const struct patch_edit *e = edit; e < end; e++)
			if (e->start < p->end && e->end > p->start)
				fail_msg("'%.*s' was touched:\n%s# and now\n%s",
					 (int)(p->end - p->start), w->text + p->start, w->text,
					 amendment->text);
	}
}

/* What is in the file no more was told. */
static void check_comments(const struct world *w, const struct amendment *amendment)
{
	for (size_t i = 0; i < w->n_pieces; i++) {
		const struct piece *p = &w->pieces[i];
		bool told = false;

		if (w->text[p->start] != '#')
			continue;
		for (uint32_t j = 0; j < amendment->n_comments; j++)
			told = told || amendment->comments[j].start == p->start;
		if (told == (memmem(amendment->text, amendment->len, w->text + p->start,
				    p->end - p->start) != NULL))
			fail_msg("'%.*s' was %s:\n%s# and now\n%s", (int)(p->end - p->start),
				 w->text + p->start, told ? "told, and is there" : "not told",
				 w->text, amendment->text);
	}
}

/* --- the difference, applied as patch(1) would ------------------------------------------------- */

struct applying {
	const char *text; /* what is left of it */
	char result[TEXT];
	size_t len;
};

/* The next line, with its line break if it has one. */
static size_t line_len(const char *text)
{
	size_t len = strcspn(text, "\n");

	return len + (text[len] == '\n');
}

static unsigned long lines_in(const char *text, size_t len)
{
	unsigned long n = 0;

	for (size_t at = 0; at < len; at += line_len(text + at))
		n++;
	return n;
}

static void give(struct applying *a, const char *line, size_t len)
{
	assert_true(a->len + len < sizeof(a->result));
	memcpy(a->result + a->len, line, len);
	a->len += len;
	a->result[a->len] = '\0';
}

static void take(struct applying *a, const char *line, size_t len, bool keeps)
{
	if (strncmp(a->text, line, len) != 0)
		fail_msg("'%.*s' is not what stands there", (int)len, line);
	if (keeps)
		give(a, a->text, len);
	a->text += len;
}

static void apply_head(struct applying *a, const char *line, const char *whole)
{
	unsigned long from, before, to, after;

	assert_int_equal(sscanf(line, "@@ -%lu,%lu +%lu,%lu @@", &from, &before, &to, &after), 4);
	from += !before;
	to += !after;
	while (lines_in(whole, (size_t)(a->text - whole)) + 1 < from)
		take(a, a->text, line_len(a->text), true);
	assert_int_equal(lines_in(a->result, a->len) + 1, to);
}

static const char *applied(const char *difference, const char *text)
{
	static struct applying a;
	size_t len;

	a = (struct applying){ .text = text };
	for (const char *line = difference; *line; line += len) {
		const char *next = line + line_len(line);
		/* A line that has no line break has one in the difference. */
		size_t shown = line_len(line) - 1 - (*next == '\\');

		len = line_len(line);
		if (*line == '@')
			apply_head(&a, line, text);
		else if (*line == '+' && strncmp(line, "+++ ", 4) != 0)
			give(&a, line + 1, shown);
		else if (*line == ' ' || (*line == '-' && strncmp(line, "--- ", 4) != 0))
			take(&a, line + 1, shown, *line == ' ');
	}
	give(&a, a.text, strlen(a.text));
	return a.result;
}

static void check_difference(const struct world *w, const struct amendment *amendment)
{
	CLEANUP(free_p) char *difference = NULL;
	size_t len;
	FILE *out = open_memstream(&difference, &len);

	assert_int_equal(patch_print(out, &amendment->patch, w->text, w->len, "x"), 0);
	fclose(out);
	if (strcmp(applied(difference, w->text), amendment->text) != 0)
		fail_msg("%s# does not lead from\n%s# to\n%s", difference, w->text,
			 amendment->text);
}

static void check(struct world *w)
{
	CLEANUP(model_free_p) struct model *file = layers_file(w->text);
	CLEANUP(model_free_p) struct model *after = NULL;
	CLEANUP(amendment_done) struct amendment amendment = { .len = 0 };
	struct err err = { "" };

	if (amend(&amendment, file, w->text, w->len, "test.yaml", &w->overlay, &err) < 0)
		fail_msg("%s:\n%s\n", err.text, w->text);
	after = layers_file(amendment.text);
	if (strcmp(pools_of(after), expected(w)) != 0)
		fail_msg("expected %s:\n%s# and now\n%s", expected(w), w->text, amendment.text);
	check_pieces(w, &amendment);
	check_comments(w, &amendment);
	check_difference(w, &amendment);
	if (w->look.no_final_newline && stays(w, &w->pieces[w->n_pieces - 1]))
		assert_null(strchr("\r\n", amendment.text[amendment.len - 1]));
	for (uint32_t i = 0; i < amendment.left.n; i++)
		assert_int_equal(amendment.left.rows[i].admin, SL_DISABLED);
}

static void any(void **state)
{
	static struct world w;

	(void)state;
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		w = (struct world){ .seed = round };
		choose_look(&w);
		cast(&w);
		write_file(&w);
		change(&w);
		check(&w);
		overlay_done(&w.overlay);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(any) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any file and any change over it: the amended file says what both said together, and of what was not changed
 * not a byte was touched.
 */
#include "tests/lib/any_file.h"
#include "tests/lib/patch_apply.h"
#include "tests/unit/amend_run.h"

#define ROUNDS 1000

/* --- what there is, and what becomes of it ----------------------------------------------------- */

static const char *const addresses[] = {
	"10.0.0.1", "10.0.0.2", "app.test", "fd00::1",  "10.0.0.40",
	"b-c.test", "::5",      "10.1.2.3", "x_y.test", "2001:db8::",
};
static const char *const names[] = { "p", "web-pool", "null", "7", "a.b", "no", "x_1", "-z" };

static void cast_backends(struct any_file *f, struct any_pool *pool)
{
	uint32_t first = any_dice(f, 10);
	uint32_t all = any_dice(f, ANY_BACKENDS + 1);

	pool->n_new = any_dice(f, 2) ? 0 : any_dice(f, all + 1);
	pool->n = pool->comes ? 0 : all - pool->n_new;
	pool->n_new = all - pool->n;
	for (uint32_t i = 0; i < all; i++) {
		struct any_backend *b = &pool->backends[i];

		b->address = addresses[(first + i) % 10];
		b->weight = any_dice(f, 2) ? 1 : any_dice(f, 257);
		b->becomes = b->weight;
		b->fate = any_dice(f, 2) ? STAYS : (enum any_fate)any_dice(f, 3);
		if (b->fate == WEIGHED)
			b->becomes = (b->weight + 1 + any_dice(f, 256)) % 257;
	}
}

static void cast(struct any_file *f)
{
	uint32_t all = any_dice(f, ANY_POOLS + 1), first = any_dice(f, 8);

	f->n_new = any_dice(f, 2) ? 0 : any_dice(f, all + 1);
	f->n = all - f->n_new;
	for (uint32_t i = 0; i < all; i++) {
		struct any_pool *pool = &f->pools[i];

		snprintf(pool->name, sizeof(pool->name), "%.7s", names[(first + i) % 8]);
		pool->comes = i >= f->n;
		pool->goes = !pool->comes && !any_dice(f, 5);
		cast_backends(f, pool);
	}
}

static void put_change(struct any_file *f, struct overlay *overlay, const struct any_pool *pool,
		       const struct any_backend *b, enum overlay_presence presence, uint32_t weight)
{
	struct overlay_row row = row_of(pool->name, b ? b->address : "", presence);

	row.has_weight = b && presence != OVERLAY_REMOVED;
	row.weight = row.has_weight ? weight : 0;
	if (b && !any_dice(f, 4) && presence != OVERLAY_REMOVED)
		row.admin = SL_DISABLED;
	put(overlay, row);
}

static void change(struct any_file *f, struct overlay *overlay)
{
	for (uint32_t i = 0; i < f->n + f->n_new; i++) {
		const struct any_pool *pool = &f->pools[i];

		if (pool->goes || pool->comes)
			put_change(f, overlay, pool, NULL,
				   pool->goes ? OVERLAY_REMOVED : OVERLAY_ADDED, 0);
		for (uint32_t j = 0; j < pool->n + pool->n_new && !pool->goes; j++) {
			const struct any_backend *b = &pool->backends[j];

			if (j >= pool->n)
				put_change(f, overlay, pool, b, OVERLAY_ADDED, b->weight);
			else if (b->fate == GOES)
				put_change(f, overlay, pool, b, OVERLAY_REMOVED, 0);
			else if (b->fate == WEIGHED)
				put_change(f, overlay, pool, b, OVERLAY_AS_FILE, b->becomes);
		}
	}
}

/* --- what is to come of it --------------------------------------------------------------------- */

static int compare_new(const void *a, const void *b)
{
	return strcmp(((const struct any_backend *)a)->address,
		      ((const struct any_backend *)b)->address);
}

static int compare_new_pools(const void *a, const void *b)
{
	return strcmp(((const struct any_pool *)a)->name, ((const struct any_pool *)b)->name);
}

/* As pools_of() writes it. */
static const char *expected(struct any_file *f)
{
	static char text[4096];
	size_t len = 0;

	qsort(f->pools + f->n, f->n_new, sizeof(f->pools[0]), compare_new_pools);
	text[0] = '\0';
	for (uint32_t i = 0; i < f->n + f->n_new; i++) {
		struct any_pool *pool = &f->pools[i];
		const char *between = "";

		if (pool->goes)
			continue;
		qsort(pool->backends + pool->n, pool->n_new, sizeof(pool->backends[0]),
		      compare_new);
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s[", len ? " " : "",
					pool->name);
		for (uint32_t j = 0; j < pool->n + pool->n_new; j++) {
			const struct any_backend *b = &pool->backends[j];

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

/* --- looking at what came of it ---------------------------------------------------------------- */

static bool stays(const struct any_file *f, const struct any_piece *p)
{
	const struct any_pool *pool = p->pool < 0 ? NULL : &f->pools[p->pool];

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
static bool is_inside_of_what_goes(const struct any_file *f, size_t at)
{
	for (uint32_t i = 0; i < f->n; i++) {
		size_t first = SIZE_MAX, last = 0;

		if (!f->pools[i].goes)
			continue;
		for (size_t j = 0; j < f->n_pieces; j++) {
			if (f->pieces[j].pool != (int)i)
				continue;
			first = f->pieces[j].start < first ? f->pieces[j].start : first;
			last = f->pieces[j].end;
		}
		if (at > first && at < last)
			return true;
	}
	return false;
}

/* A list in brackets of which nothing stays is written anew, unless its items had lines of their own. */
static bool is_in_list_that_empties(const struct any_file *f, size_t at)
{
	for (uint32_t i = 0; i < f->n; i++) {
		const struct any_pool *pool = &f->pools[i];
		size_t first = SIZE_MAX, last = 0;
		bool any = false;

		for (uint32_t j = 0; j < pool->n; j++)
			any = any || pool->backends[j].fate != GOES;
		for (size_t j = 0; j < f->n_pieces; j++) {
			if (f->pieces[j].pool != (int)i)
				continue;
			first = f->pieces[j].start < first ? f->pieces[j].start : first;
			last = f->pieces[j].end;
		}
		if (!any && f->look.flow_backends && at > first && at <= last)
			return true;
	}
	return false;
}

static bool all_pools_go(const struct any_file *f)
{
	for (uint32_t i = 0; i < f->n; i++)
		if (!f->pools[i].goes)
			return false;
	return f->look.flow_pools;
}

static void check_pieces(const struct any_file *f, const struct amendment *amendment)
{
	const struct patch_edit *edit = amendment->patch.edits;
	const struct patch_edit *end = edit + amendment->patch.n;

	for (size_t i = 0; i < f->n_pieces; i++) {
		const struct any_piece *p = &f->pieces[i];

		if (!stays(f, p))
			continue;
		if (f->text[p->start] == '#' &&
		    (is_inside_of_what_goes(f, p->start) || is_in_list_that_empties(f, p->start) ||
		     all_pools_go(f)))
			continue;
		for (const struct patch_edit *e = edit; e < end; e++)
			if (e->start < p->end && e->end > p->start)
				fail_msg("'%.*s' was touched:\n%s# and now\n%s",
					 (int)(p->end - p->start), f->text + p->start, f->text,
					 amendment->text);
	}
}

/* What is in the file no more was told. */
static void check_comments(const struct any_file *f, const struct amendment *amendment)
{
	for (size_t i = 0; i < f->n_pieces; i++) {
		const struct any_piece *p = &f->pieces[i];
		bool told = false;

		if (f->text[p->start] != '#')
			continue;
		for (uint32_t j = 0; j < amendment->n_comments; j++)
			told = told || amendment->comments[j].start == p->start;
		if (told == (memmem(amendment->text, amendment->len, f->text + p->start,
				    p->end - p->start) != NULL))
			fail_msg("'%.*s' was %s:\n%s# and now\n%s", (int)(p->end - p->start),
				 f->text + p->start, told ? "told, and is there" : "not told",
				 f->text, amendment->text);
	}
}

static void check_difference(const struct any_file *f, const struct amendment *amendment)
{
	CLEANUP(free_p) char *difference = NULL;
	size_t len;
	FILE *out = open_memstream(&difference, &len);

	assert_int_equal(patch_print(out, &amendment->patch, f->text, f->len, "x"), 0);
	fclose(out);
	if (strcmp(patch_applied(difference, f->text), amendment->text) != 0)
		fail_msg("%s# does not lead from\n%s# to\n%s", difference, f->text,
			 amendment->text);
}

static void check(struct any_file *f, const struct overlay *overlay)
{
	CLEANUP(model_free_p) struct model *file = layers_file(f->text);
	CLEANUP(model_free_p) struct model *after = NULL;
	CLEANUP(amendment_done) struct amendment amendment = { .len = 0 };
	struct err err = { "" };

	if (amend(&amendment, file, f->text, f->len, "test.yaml", overlay, &err) < 0)
		fail_msg("%s:\n%s\n", err.text, f->text);
	after = layers_file(amendment.text);
	if (strcmp(pools_of(after), expected(f)) != 0)
		fail_msg("expected %s:\n%s# and now\n%s", expected(f), f->text, amendment.text);
	check_pieces(f, &amendment);
	check_comments(f, &amendment);
	check_difference(f, &amendment);
	if (f->look.no_final_newline && stays(f, &f->pieces[f->n_pieces - 1]))
		assert_null(strchr("\r\n", amendment.text[amendment.len - 1]));
	for (uint32_t i = 0; i < amendment.left.n; i++)
		assert_int_equal(amendment.left.rows[i].admin, SL_DISABLED);
}

static void any(void **state)
{
	static struct any_file f;

	(void)state;
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		CLEANUP(overlay_done) struct overlay overlay = { .n = 0 };

		f = (struct any_file){ .seed = round };
		any_file_choose_look(&f);
		cast(&f);
		any_file_write(&f);
		change(&f, &overlay);
		check(&f, &overlay);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(any) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

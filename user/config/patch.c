// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/patch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define ROOM_MIN 16

int patch_init(struct patch *patch)
{
	*patch = (struct patch){ .n = 0 };
	patch->out = open_memstream(&patch->added, &patch->added_len);
	return patch->out ? 0 : -ENOMEM;
}

void patch_done(struct patch *patch)
{
	if (patch->out)
		fclose(patch->out);
	free(patch->added);
	free(patch->edits);
	*patch = (struct patch){ .n = 0 };
}

static bool make_room(struct patch *patch)
{
	size_t room = patch->room ? 2 * patch->room : ROOM_MIN;
	struct patch_edit *edits;

	if (patch->n < patch->room)
		return true;
	edits = realloc(patch->edits, room * sizeof(*edits));
	if (!edits)
		return false;
	patch->edits = edits;
	patch->room = room;
	return true;
}

/* How much has been written so far. */
static size_t written(struct patch *patch)
{
	long at = ftell(patch->out);

	if (at < 0)
		patch->lost = true;
	return at < 0 ? 0 : (size_t)at;
}

void patch_replace(struct patch *patch, uint32_t start, uint32_t end)
{
	if (!make_room(patch)) {
		patch->lost = true;
		return;
	}
	patch->edits[patch->n++] =
		(struct patch_edit){ .start = start, .end = end, .from = written(patch) };
}

/* By place, what only inserts first, else as collected, which from tells. */
static int compare_edits(const void *a, const void *b)
{
	const struct patch_edit *x = a, *y = b;
	bool takes_x = x->end > x->start, takes_y = y->end > y->start;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (takes_x != takes_y)
		return takes_x - takes_y;
	return (x->from > y->from) - (x->from < y->from);
}

int patch_settle(struct patch *patch)
{
	size_t end = written(patch);

	/* Closed, so that the stream no longer knows where the patch is: it may be moved from here on. */
	if (fclose(take_ptr(patch->out)) || patch->lost)
		return -ENOMEM;
	for (size_t i = patch->n; i-- > 0; end = patch->edits[i].from)
		patch->edits[i].to = end;
	if (patch->n)
		qsort(patch->edits, patch->n, sizeof(*patch->edits), compare_edits);
	for (size_t i = 1; i < patch->n; i++)
		if (patch->edits[i].start < patch->edits[i - 1].end)
			return -EINVAL;
	return 0;
}

int patch_apply(char **ret, size_t *ret_len, const struct patch *patch, const char *text,
		size_t len)
{
	char *result = malloc(len + patch->added_len + 1);
	size_t at = 0, n = 0;

	if (!result)
		return -ENOMEM;
	for (size_t i = 0; i < patch->n; i++) {
		const struct patch_edit *edit = &patch->edits[i];

		memcpy(result + n, text + at, edit->start - at);
		n += edit->start - at;
		memcpy(result + n, patch->added + edit->from, edit->to - edit->from);
		n += edit->to - edit->from;
		at = edit->end;
	}
	memcpy(result + n, text + at, len - at);
	n += len - at;
	result[n] = '\0';
	*ret = result;
	*ret_len = n;
	return 0;
}

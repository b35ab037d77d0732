// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/single.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/hint.h"
#include "config/value.h"
#include "model/overlay.h"
#include "util/err.h"

static int refuse(const struct key *key, const char *text, const char *problem, struct err *err)
{
	char allowed[HINT_LEN];

	return err_set(err, -EINVAL, "%s '%.*s' %s; allowed: %s", key->name, LIMIT_NAME_BYTES, text,
		       problem, hint_allowed(allowed, key));
}

int single_address(char ret[LIMIT_HOST_BYTES + 1], const char *text, struct err *err)
{
	const struct key *key = keys_find(SECTION_BACKEND, "address");
	struct backend backend = { .weight = 0 };
	struct value value;
	const char *problem = value_parse(&value, key, text, "");

	if (problem)
		return refuse(key, text, problem, err);
	if (value_store(&value, key, &backend) < 0)
		return err_set(err, -ENOMEM, "%s", strerror(ENOMEM));
	snprintf(ret, LIMIT_HOST_BYTES + 1, "%s", backend_text(&backend));
	free(backend.name);
	return 0;
}

static int check_name(enum section section, const char *text, struct err *err)
{
	const struct key *key = keys_find(section, "name");
	struct value value;
	const char *problem = value_parse(&value, key, text, "");

	return problem ? refuse(key, text, problem, err) : 0;
}

int single_name(const char *text, struct err *err)
{
	return check_name(SECTION_POOL, text, err);
}

int single_interface(const char *text, struct err *err)
{
	return check_name(SECTION_INTERFACE, text, err);
}

static int check_row(const struct overlay_row *row, struct err *err)
{
	char address[LIMIT_HOST_BYTES + 1];
	int r;

	if (overlay_kind_of(row) == OVERLAY_INTERFACE)
		return single_interface(row->interface, err);
	r = single_name(row->pool, err);
	if (r < 0 || !row->address[0])
		return r;
	r = single_address(address, row->address, err);
	if (r == 0 && strcmp(address, row->address) != 0)
		r = err_set(err, -EINVAL, "address '%s' is not written as it is kept",
			    row->address);
	return r;
}

int single_overlay(const struct overlay *overlay, struct err *err)
{
	for (uint32_t i = 0; i < overlay->n; i++) {
		int r = check_row(&overlay->rows[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

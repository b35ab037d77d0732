/* SPDX-License-Identifier: GPL-2.0-or-later */
/* assets - the files of the page in page/, as they are in the program. */
#ifndef SLUICE_CONTROL_ASSETS_H
#define SLUICE_CONTROL_ASSETS_H

#include <stdbool.h>
#include <stddef.h>

struct asset {
	const char *path; /* "/page.css" */
	const char *type; /* its Content-Type */
	const char *data; /* static, of len bytes */
	size_t len;
};

/* False: there is no such file. */
bool assets_find(struct asset *ret_asset, const char *path);

#endif

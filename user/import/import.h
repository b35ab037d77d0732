/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import - an exported Azure Application Gateway becomes a configuration, and an account of it.
 *
 * No I/O of its own: certificates that the export holds are handed to the caller. What is written
 * passes config_parse(), once the files that it names are there.
 */
#ifndef SLUICE_IMPORT_IMPORT_H
#define SLUICE_IMPORT_IMPORT_H

#include <stddef.h>

#include "import/prop.h"

struct err;

/*
 * Keep a certificate, which is PEM as it is to stand in a file. Sets *ret_path to the file's name as
 * the configuration is to have it (the caller of this function frees it), or returns -errno and says
 * in err what is wrong.
 */
typedef int import_keep_fn(void *arg, const char *name, const char *pem, char **ret_path,
			   struct err *err);

struct import_options {
	const char *gateway; /* which of several; NULL: there is only one */
	import_keep_fn *keep; /* NULL: certificates are not kept */
	void *arg;
};

/* What became of one property; the outcome is never OUTCOME_UNTOLD. */
struct import_row {
	char *path;
	enum outcome outcome;
	char *note; /* "" if there is nothing to say */
};

struct import {
	char *name; /* of the gateway */
	char *yaml;
	struct import_row *rows; /* every leaf of the file, once, in its order */
	size_t n_rows;
};

/*
 * Import from a document in memory. Returns 0 and sets *ret, or
 *   -EINVAL  it is no export of a gateway, or of several of which none is chosen; err says so
 *   -EFBIG   it is beyond a limit
 *   -ENOMEM
 */
int import_azure(struct import **ret, const char *text, size_t len,
		 const struct import_options *options, struct err *err);

/* NULL is fine. */
void import_free(struct import *import);
DEFINE_CLEANUP(struct import, import_free)

#endif

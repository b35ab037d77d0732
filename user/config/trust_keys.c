// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/trust_keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/cert_file.h"
#include "config/value.h"
#include "util/cleanup.h"
#include "util/err.h"

#define CERTS_ALLOWED "a file of certificates, PEM or DER"

static char *path_of(const struct value *item)
{
	char *path;

	return asprintf(&path, "%s%s", item->directory, item->text) < 0 ? NULL : path;
}

static int keep_certs(struct settings *settings, enum trust_mode mode, const struct value *item,
		      struct err *err)
{
	CLEANUP(free_p) char *path = path_of(item);
	struct err why = { "" };
	int r;

	if (!path)
		return -ENOMEM;
	/* Both lists at once are a conflict, which config/rules.c reports: the mode is then moot. */
	settings->trust.mode = mode;
	r = cert_file_load(&settings->trust, path, &why);
	if (r < 0 && r != -ENOMEM)
		return err_set(err, r, "%s; allowed: " CERTS_ALLOWED, why.text);
	return r;
}

int keep_trusted_root(void *record, const struct value *item, struct err *err)
{
	return keep_certs(record, TRUST_UPLOADED, item, err);
}

int keep_allow_listed(void *record, const struct value *item, struct err *err)
{
	return keep_certs(record, TRUST_ALLOW_LIST, item, err);
}

/* Whether it can be read is said by verdicts: lists come and go while the daemon runs. */
int keep_crl(void *record, const struct value *item, struct err *err)
{
	struct trust_spec *spec = &((struct settings *)record)->trust;
	CLEANUP(free_p) char *path = path_of(item);
	char **crls;

	(void)err;
	if (!path)
		return -ENOMEM;
	crls = reallocarray(spec->crls, spec->n_crls + 1, sizeof(*crls));
	if (!crls)
		return -ENOMEM;
	spec->crls = crls;
	crls[spec->n_crls++] = take_ptr(path);
	return 0;
}

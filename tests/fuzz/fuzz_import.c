// SPDX-License-Identifier: GPL-2.0-or-later
/* The importer on any bytes: what comes of them passes the check, and every leaf has an outcome. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/report.h"
#include "import/import.h"
#include "model/model.h"
#include "util/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int keep(void *arg, const char *name, const char *pem, char **ret_path, struct err *err)
{
	(void)arg;
	(void)ret_path;
	if (!*name || strlen(name) >= SL_NAME_LEN || strchr(name, '/') ||
	    !strstr(pem, "-----BEGIN"))
		abort();
	return err_set(err, -EINVAL, "not kept");
}

static size_t count_leaves(json_t *json)
{
	const char *key;
	json_t *value;
	size_t i, n = 0;

	if (!json_object_size(json) && !json_array_size(json))
		return 1;
	json_object_foreach(json, key, value) n += count_leaves(value);
	json_array_foreach(json, i, value) n += count_leaves(value);
	return n;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct import_row *)a)->path, ((const struct import_row *)b)->path);
}

static void check(struct import *import, const char *data, size_t size)
{
	size_t skip = size >= 3 && !memcmp(data, "\xef\xbb\xbf", 3) ? 3 : 0;
	json_t *json = json_loadb(data + skip, size - skip, 0, NULL);
	struct model *model = NULL;
	struct report report;

	if (config_parse(&model, import->yaml, strlen(import->yaml), "x.yaml", &report) < 0)
		abort();
	model_free(model);
	if (count_leaves(json) != import->n_rows)
		abort();
	json_decref(json);
	qsort(import->rows, import->n_rows, sizeof(*import->rows), compare_paths);
	for (size_t i = 0; i < import->n_rows; i++)
		if (import->rows[i].outcome == OUTCOME_UNTOLD ||
		    (i && !compare_paths(&import->rows[i - 1], &import->rows[i])))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct import_options options = { .keep = size & 1 ? keep : NULL };
	struct import *import = NULL;
	struct err err = { "" };
	int r;

	r = import_azure(&import, (const char *)data, size, &options, &err);
	if ((r == 0) != (import != NULL) || (r < 0 && r != -ENOMEM && !err.text[0]))
		abort();
	if (import)
		check(import, (const char *)data, size);
	import_free(import);
	return 0;
}

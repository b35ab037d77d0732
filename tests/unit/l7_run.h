/* SPDX-License-Identifier: GPL-2.0-or-later */
/* l7_run - a directory with certificates, and plans made from configurations in it. */
#ifndef SLUICE_TESTS_UNIT_L7_RUN_H
#define SLUICE_TESTS_UNIT_L7_RUN_H

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/report.h"
#include "l7/program.h"
#include "l7/quote.h"
#include "tests/lib/certs.h"
#include "util/err.h"

#define GATE "gateway: { interfaces: [ { name: eth0 } ] }\n"
#define POOL \
	"pools: [ { name: p, backends: [ { address: 127.0.0.2 }, { address: \"::1\", weight: 3 } ] } ]\n"

struct l7_run {
	char dir[64], file[128], l7[128];
	struct model *model;
	struct l7_key key;
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* A certificate with its key in one file, as HAProxy reads it. */
static void write_pem(const struct l7_run *run, const char *name, const struct test_cert *cert)
{
	const struct test_cert *const certs[] = { cert, NULL };
	char path[192], key[200], line[256];
	FILE *from, *to;

	snprintf(path, sizeof(path), "%s/%s", run->dir, name);
	snprintf(key, sizeof(key), "%s.only", path);
	test_certs_write(path, certs);
	test_key_write(key, cert);
	from = fopen(key, "re");
	to = fopen(path, "ae");
	assert_non_null(from);
	assert_non_null(to);
	while (fgets(line, sizeof(line), from))
		fputs(line, to);
	fclose(from);
	fclose(to);
}

static int l7_run_begin(void **state)
{
	struct l7_run *run = calloc(1, sizeof(*run));
	CLEANUP(test_cert_free_p) struct test_cert *root = test_root("Root");
	CLEANUP(test_cert_free_p) struct test_cert *leaf = test_leaf("shop.test", root);
	const struct test_cert *const roots[] = { root, NULL };
	char path[192];

	snprintf(run->dir, sizeof(run->dir), "/tmp/sluice-l7.XXXXXX");
	assert_non_null(mkdtemp(run->dir));
	snprintf(run->file, sizeof(run->file), "%s/t.yaml", run->dir);
	snprintf(run->l7, sizeof(run->l7), "%s/l7", run->dir);
	write_pem(run, "shop.pem", leaf);
	write_pem(run, "a b]#\"'$.pem", leaf);
	snprintf(path, sizeof(path), "%s/root.pem", run->dir);
	test_certs_write(path, roots);
	run->key.len = 32;
	memset(run->key.bytes, 7, run->key.len);
	*state = run;
	return 0;
}

static int l7_run_end(void **state)
{
	struct l7_run *run = *state;

	model_free(run->model);
	nftw(run->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(run);
	return 0;
}

/* The plan of a configuration that is in order. */
static inline struct l7_plan *l7_run_plan(struct l7_run *run, const char *yaml)
{
	struct l7_plan *plan = NULL;
	struct report report;
	struct err err;

	model_free(take_ptr(run->model));
	if (config_parse(&run->model, yaml, strlen(yaml), run->file, &report) < 0)
		fail_msg("%s: %s: %s", yaml, report.items[0].key, report.items[0].message);
	if (l7_plan_new(&plan, run->model, run->l7, &run->key, &err) < 0)
		fail_msg("%s: %s", yaml, err.text);
	return plan;
}

static inline char *l7_run_text(const struct l7_plan *plan, const struct l7_server *servers)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	l7_plan_write(out, plan, servers);
	fclose(out);
	return text;
}

#endif

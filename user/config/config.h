/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config - a YAML file becomes a checked model, or a list of what is wrong with it.
 *
 * Nothing is applied from a file with an error. All errors of a file are collected (up to
 * REPORT_MAX), each with file, line, column, key, the value read and what is allowed.
 */
#ifndef SLUICE_CONFIG_CONFIG_H
#define SLUICE_CONFIG_CONFIG_H

#include <stddef.h>
#include <stdint.h>

struct model;
struct report;

/*
 * Read and check the file. Returns 0 and sets *ret (owned by the caller, linked), or leaves *ret
 * alone, fills the report and returns
 *   -EINVAL  the file has errors
 *   -errno   it cannot be read (-ENOENT, -EACCES, -EFBIG past LIMIT_FILE_BYTES, …); the report says so
 *   -ENOMEM
 */
int config_load(struct model **ret, const char *path, struct report *report);

/* The same from memory. name stands for the file in errors; relative paths are relative to it. */
int config_parse(struct model **ret, const char *text, size_t len, const char *name,
		 struct report *report);

/* The text behind a descriptor; the caller frees it. -EFBIG past LIMIT_FILE_BYTES, -ENOMEM, -errno */
int config_read(char **ret, size_t *ret_len, int fd);

/* What tells the text from another: model->digest of what is read from it. */
uint64_t config_digest(const char *text, size_t len);

#endif

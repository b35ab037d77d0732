/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cert_file - reads the files that trusted roots and allow-listed certificates come from.
 *
 * A file holds one or several certificates as PEM, among which other PEM blocks are passed over,
 * or a single one as DER. What is kept is the DER of each; nothing is judged but that it can be
 * parsed.
 */
#ifndef SLUICE_CONFIG_CERT_FILE_H
#define SLUICE_CONFIG_CERT_FILE_H

#include "model/model.h"

#define CERT_FILE_BYTES_MAX (1u << 20)

struct err;

/*
 * Append copies of the file's certificates to spec->certs, all of them or none.
 *   -errno   of open() or read()
 *   -EFBIG   more than CERT_FILE_BYTES_MAX
 *   -EINVAL  it is no regular file, or it holds no certificate, or a damaged one
 *   -ENOMEM
 * err names the file and what it holds instead.
 */
int cert_file_load(struct trust_spec *spec, const char *path, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_certs - writes the certificates of an export into a directory. */
#ifndef SLUICE_CLI_IMPORT_CERTS_H
#define SLUICE_CLI_IMPORT_CERTS_H

struct err;

/*
 * An import_keep_fn; directory is a const char *. The directory is made where it is missing; a file
 * that is there is left alone and must say the same. The path that is returned is absolute, because
 * nobody knows where the configuration will be.
 *   -EEXIST  a file of that name holds something else
 *   -EINVAL  it is no certificate
 *   -errno   of making or writing the file
 */
int import_certs_keep(void *directory, const char *name, const char *pem, char **ret_path,
		      struct err *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain_facts - a server's certificates as plain data, for people and machines to read.
 */
#ifndef SLUICE_PROBE_CHAIN_FACTS_H
#define SLUICE_PROBE_CHAIN_FACTS_H

#include <openssl/x509.h>

#include "model/certs.h"

/*
 * Describe the first CERTS_MAX of n_sent certificates. One reference for the caller; NULL: out of
 * memory.
 */
struct certs *chain_facts(X509 *const *sent, uint32_t n, uint32_t n_sent);

#endif

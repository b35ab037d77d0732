/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust_keys - what settings trust, kept item by item while the configuration is read. */
#ifndef SLUICE_CONFIG_TRUST_KEYS_H
#define SLUICE_CONFIG_TRUST_KEYS_H

#include "config/keys.h"

/* See keep_item_fn; records are struct settings. */
int keep_trusted_root(void *record, const struct value *item, struct err *err);
int keep_allow_listed(void *record, const struct value *item, struct err *err);
int keep_crl(void *record, const struct value *item, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* l7_keys - lists of what a listener answers for, kept item by item while the configuration is read. */
#ifndef SLUICE_CONFIG_L7_KEYS_H
#define SLUICE_CONFIG_L7_KEYS_H

#include "config/keys.h"

/* See keep_item_fn; records are struct service. */
int keep_host(void *record, const struct value *item, struct err *err);
int keep_certificate(void *record, const struct value *item, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatemodel - models for tests of the data plane, without a configuration file.
 *
 * One pool "web" under settings "web", tcp port 80; backends 10.9.HIGH.LOW count up from 10.9.0.0
 * + first. One interface, changed at will through model->gateway.
 */
#ifndef SLUICE_TESTS_GATEMODEL_H
#define SLUICE_TESTS_GATEMODEL_H

#include "model/model.h"

/* Never NULL: without memory the test ends. */
struct model *gatemodel_new(const char *bpffs, const char *interface, uint32_t first, uint32_t n);

/* Guard one more interface. */
void gatemodel_add_interface(struct model *model, const char *name, enum xdp_mode xdp);

#endif

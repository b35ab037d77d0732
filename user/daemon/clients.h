/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clients - how clients of each endpoint fare, beside what its probes say.
 *
 * Sets the marks that what is counted now is compared with, tells when probes and clients begin to disagree, and lets the
 * interval be longer where clients fare well. All on the loop's thread.
 */
#ifndef SLUICE_DAEMON_CLIENTS_H
#define SLUICE_DAEMON_CLIENTS_H

#include "daemon/evidence.h"
#include "daemon/pipeline.h"

struct clients;

/* parts: borrowed until clients_free(). -ENOMEM. */
int clients_new(struct clients **ret, const struct evidence_parts *parts);
void clients_free(struct clients *clients);

/* Before each round of looks: reading counters costs a system call, and a round reads a part of them. */
void clients_begin(struct clients *clients);

/* disturbed: some attempt has failed since the last look, or waits for longer than usual. */
void clients_look(struct clients *clients, uint32_t endpoint,
		  const struct pipeline_standing *standing, bool disturbed, uint64_t now_ms);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon - everything started in order, the loop, and everything stopped in order.
 *
 * Start: listen on the socket, open the data plane, pipeline, workers, serve. What can be refused
 * is refused before the kernel is touched, and a failure after that undoes what was made.
 */
#ifndef SLUICE_DAEMON_DAEMON_H
#define SLUICE_DAEMON_DAEMON_H

#include "model/model.h"

struct err;

struct daemon_options {
	struct model *model; /* of the file; taken over */
	const char *config_path;
	void (*ready)(void *arg); /* called once everything runs */
	void *ready_arg;
};

/*
 * Run until SIGTERM or SIGINT, then stop as gateway.on_exit says. Returns 0 after an orderly stop,
 * or what start-up failed with, err set.
 */
int daemon_run(const struct daemon_options *options, struct err *err);

#endif

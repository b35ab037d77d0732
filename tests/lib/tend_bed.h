/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tend_bed - a gate that stays over what happens to one of its two interfaces, for tests; included by one .c
 * of each.
 */
#ifndef SLUICE_TESTS_TEND_BED_H
#define SLUICE_TESTS_TEND_BED_H

#include <time.h>

#include "tests/lib/dataplane_run.h"
#include "util/clock.h"

/* Beside NIC, which all this happens to. */
#define QUIET "gw1"
#define QUIET_FAR "far1"

static char news[2048]; /* "gw0 gone; gw0 attached; " */

static inline void note(void *arg, const struct attachment *attachment)
{
	size_t len = strlen(news);

	(void)arg;
	snprintf(news + len, sizeof(news) - len, "%s %s; ", attachment->interface,
		 attachment_state_name(attachment->state));
}

static inline void tend(struct dataplane *dp, const char *wanted)
{
	news[0] = '\0';
	dataplane_tend(dp, note, NULL);
	assert_string_equal(news, wanted);
}

static inline void rest(uint32_t ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS };

	nanosleep(&time, NULL);
}

static inline struct attachment at(const struct dataplane *dp, uint32_t i)
{
	struct attachment attachment;

	assert_true(dataplane_attachment(dp, i, &attachment));
	return attachment;
}

static inline int link_fd(const char *pin)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/v%d/links/%s", bpffs, SL_LAYOUT, pin);
	return bpf_obj_get(path);
}

static uint64_t syn, dropped; /* of endpoint 0, so far */

/* A SYN that comes in there is dropped, or passes without being counted. */
static inline void gate(struct dataplane *dp, const char *from, bool guards)
{
	dataplane_store_word(dp, 0, closed);
	netbed_send_syn(from, 1, PORT);
	syn += guards;
	dropped += guards;
	if (!guards)
		rest(20); /* what would be counted wrongly would be by now */
	must_count(dp, 0, syn, dropped);
}

/* Ways to guard NIC; QUIET is by tcx or clsact. */
static const struct way {
	const char *name;
	enum xdp_mode xdp;
	enum tc_kind tc;
	const char *pin;
} ways[] = {
	{ "tcx", XDP_AUTO, TC_ANY, "tcx-in-" NIC },
	{ "native", XDP_NATIVE, TC_ANY, "xdp-" NIC },
	{ "generic", XDP_GENERIC, TC_ANY, "xdp-" NIC },
	{ "clsact", XDP_OFF, TC_CLSACT, "clsact-in-" NIC },
};

#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

struct fixture {
	struct model *model;
	struct dataplane *dp;
};

static inline struct model *model_by(const struct way *way)
{
	struct model *model = gatemodel_new(bpffs, NIC, 1, 1);

	model->gateway.interfaces[0].xdp = way->xdp;
	gatemodel_add_interface(model, QUIET, XDP_OFF);
	return model;
}

static inline void begin(struct fixture *f, const struct way *way)
{
	struct err err = { "" };

	*f = (struct fixture){ .model = model_by(way) };
	netbed_veth(QUIET, QUIET_FAR);
	syn = dropped = 0;
	if (dataplane_open_as(&f->dp, f->model, way->tc, &err) < 0)
		fail_msg("%s: %s", way->name, err.text);
	gate(f->dp, FAR, true);
	gate(f->dp, QUIET_FAR, true);
	tend(f->dp, "");
}

static inline void end(struct fixture *f)
{
	gate(f->dp, QUIET_FAR, true);
	dataplane_close(f->dp);
	model_free(f->model);
	assert_int_equal(dataplane_detach_all(bpffs, NULL), 0);
	netbed_must("ip", "link", "del", QUIET);
}

static inline void remove_nic(void)
{
	netbed_must("ip", "link", "del", NIC);
}

#endif

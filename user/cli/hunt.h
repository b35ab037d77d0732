/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hunt - one run of `sluice troubleshoot`: what was asked, what was seen, step by step.
 *
 * Plain data with buffers of its own, but for the probing, which hunt_done() releases.
 */
#ifndef SLUICE_CLI_HUNT_H
#define SLUICE_CLI_HUNT_H

#include <stdint.h>

#include <jansson.h>

#include "cli/cli.h"
#include "cli/probing.h"
#include "diagnose/troubleshoot.h"

#define HUNT_STEPS_MAX 24
#define HUNT_NOTES_MAX 8
#define HUNT_TEXT_LEN 512
#define HUNT_TARGET_LEN (LIMIT_HOST_BYTES + LIMIT_PATH_BYTES + 32)

/* What a step came to. */
enum hunt_state { HUNT_GOOD, HUNT_BAD, HUNT_UNCLEAR, HUNT_SKIPPED };

struct hunt_step {
	const char *name;
	enum hunt_state state;
	char text[HUNT_TEXT_LEN];
	uint32_t ms;
};

struct hunt {
	const struct cli *cli;
	bool local; /* --local: this host is the target */
	bool show_progress;
	uint32_t count;
	uint64_t timeout_ms, start_ns, until_ns, step_ns;
	char target[HUNT_TARGET_LEN]; /* as a URL */
	char pool[LIMIT_NAME_BYTES + 1], address[LIMIT_HOST_BYTES + 1]; /* of an endpoint; "" */
	char probe_target[HUNT_TARGET_LEN]; /* of its probe, where that is another; "" */
	struct way probe_way;
	bool has_probing;
	struct probing probing; /* of the target */
	struct resolve_answer answer;
	struct filter *rules;
	struct trouble_evidence evidence;
	struct trouble_finding finding;
	uint32_t n_steps, n_notes;
	struct hunt_step steps[HUNT_STEPS_MAX];
	char notes[HUNT_NOTES_MAX][HUNT_TEXT_LEN]; /* what could not be looked at */
};

/* Say on a terminal what is looked at; the step's time begins. */
void hunt_begin(struct hunt *hunt, const char *name);

/* What it came to. */
void hunt_end(struct hunt *hunt, const char *name, enum hunt_state state, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* One sentence about what could not be looked at. */
void hunt_note(struct hunt *hunt, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* wanted_ms, or what is left of the time. */
uint32_t hunt_time(const struct hunt *hunt, uint32_t wanted_ms);

/* "good", "bad", "unclear", "skipped" */
const char *hunt_state_name(enum hunt_state state);

/* What the daemon counted of clients of the endpoint; endpoint: as GET /v1/why has it. */
void hunt_clients(struct hunt *hunt, const json_t *endpoint);

/* The steps. Each fills its part of the evidence. */
void hunt_name(struct hunt *hunt);
void hunt_route(struct hunt *hunt);
void hunt_gate(struct hunt *hunt);
void hunt_way(struct hunt *hunt);
void hunt_talk(struct hunt *hunt);
void hunt_filters(struct hunt *hunt);
void hunt_local(struct hunt *hunt);

/* Ask the daemon which endpoint is meant. STATUS_DONE, or the exit status after the reason was said. */
enum cli_status hunt_endpoint(struct hunt *hunt);

/* The endpoint of a bare address, if the daemon has one. */
bool hunt_find_endpoint(struct hunt *hunt, const char *address, uint16_t port);

void hunt_json(const struct hunt *hunt);
int hunt_text(const struct hunt *hunt);

#endif

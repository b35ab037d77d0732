// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "model/limits.h"
#include "sluice/hash.h"
#include "util/cleanup.h"
#include "util/clock.h"

#include "base.skel.h"
#include "tc.skel.h"
#include "xdp.skel.h"

#define REPEAT 50000 /* a few milliseconds: a round must fit between two moods of the machine */
#define SLOTS_PER_TARGET 8
#define HANDSHAKES 65536 /* as many as by default */
#define PATH_LEN 64
#define LINE_LEN 128

struct world {
	struct world_sizes sizes;
	uint32_t index_bits;
	struct xdp_bpf *xdp, *redirecting; /* the second with reply_by_redirect */
	struct tc_bpf *tc;
	struct base_bpf *base;
	int fds[BENCH_PROGRAMS];
};

static void check(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void check(bool ok, const char *fmt, ...)
{
	int os_errno = errno;
	va_list ap;

	if (ok)
		return;

	va_start(ap, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, ": %s\n", strerror(os_errno));
	va_end(ap);
	exit(EXIT_FAILURE);
}

static void set_size(const struct world *w, const char *map, uint32_t entries)
{
	check(!bpf_map__set_max_entries(bpf_object__find_map_by_name(w->xdp->obj, map),
					entries ?: 1),
	      "size map %s", map);
}

static void set_sizes(struct world *w)
{
	const struct world_sizes *sizes = &w->sizes;
	uint32_t targets = sizes->endpoints + sizes->services;

	while (1u << w->index_bits < targets * SLOTS_PER_TARGET)
		w->index_bits++;
	set_size(w, "targets", 2 * targets);
	set_size(w, "target_index", 1u << w->index_bits);
	set_size(w, "endpoint_words", sizes->endpoints);
	set_size(w, "endpoint_names", sizes->endpoints);
	set_size(w, "endpoint_stats", sizes->endpoints);
	set_size(w, "services", sizes->services);
	set_size(w, "service_names", sizes->services);
	set_size(w, "service_stats", sizes->services);
	set_size(w, "selection", sizes->slots / 2);
	set_size(w, "flows", sizes->flows);
	set_size(w, "half_open", sizes->flows);
	set_size(w, "handshakes", HANDSHAKES);
	set_size(w, "attempts", sizes->attempts ? sizes->attempts : 1);
	set_size(w, "attempt_stats", sizes->endpoints);
	set_size(w, "evidence", sizes->endpoints);
	set_size(w, "routes", sizes->services ? SL_ROUTE_SLOTS : 1);
}

/* Give an object the maps of the first. */
static void share_maps(const struct world *w, struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
	{
		const char *name = bpf_map__name(map);
		struct bpf_map *other = bpf_object__find_map_by_name(w->xdp->obj, name);

		if (other && !bpf_map__is_internal(map))
			check(!bpf_map__reuse_fd(map, bpf_map__fd(other)), "share map %s", name);
	}
}

static void set_options(struct world *w)
{
	bool has_services = w->sizes.services > 0;

	w->xdp->rodata->index_shift = SL_INDEX_SHIFT(w->index_bits);
	w->redirecting->rodata->index_shift = SL_INDEX_SHIFT(w->index_bits);
	w->tc->rodata->index_shift = SL_INDEX_SHIFT(w->index_bits);
	w->xdp->rodata->handshake_slots = HANDSHAKES;
	w->redirecting->rodata->handshake_slots = HANDSHAKES;
	w->tc->rodata->handshake_slots = HANDSHAKES;
	w->xdp->rodata->attempt_slots = w->sizes.attempts;
	w->redirecting->rodata->attempt_slots = w->sizes.attempts;
	w->tc->rodata->attempt_slots = w->sizes.attempts;
	w->redirecting->rodata->reply_by_redirect = true;
	w->xdp->rodata->has_services = w->xdp->rodata->has_source_nat = has_services;
	w->redirecting->rodata->has_services = has_services;
	w->redirecting->rodata->has_source_nat = has_services;
	w->tc->rodata->has_services = w->tc->rodata->has_source_nat = has_services;
}

static void load(struct world *w)
{
	w->xdp = xdp_bpf__open();
	w->redirecting = xdp_bpf__open();
	w->tc = tc_bpf__open();
	w->base = base_bpf__open();
	check(w->xdp && w->redirecting && w->tc && w->base, "open the programs");

	set_sizes(w);
	set_options(w);
	check(!xdp_bpf__load(w->xdp), "load the XDP program");
	share_maps(w, w->redirecting->obj);
	share_maps(w, w->tc->obj);
	share_maps(w, w->base->obj);
	check(!xdp_bpf__load(w->redirecting), "load the XDP program that redirects");
	check(!tc_bpf__load(w->tc), "load the tc programs");
	check(!base_bpf__load(w->base), "load the baselines");
	w->base->bss->random_mask = w->sizes.endpoints - 1;
}

static void set_slots(const struct world *w)
{
	const struct bpf_program *const slots[] = {
		w->base->progs.bench_pass,    w->base->progs.bench_hash, w->xdp->progs.sl_xdp,
		w->redirecting->progs.sl_xdp, w->base->progs.bench_tx,
	};

	for (uint32_t slot = 0; slot < sizeof(slots) / sizeof(slots[0]); slot++) {
		int fd = bpf_program__fd(slots[slot]);

		check(!bpf_map_update_elem(bpf_map__fd(w->base->maps.subjects), &slot, &fd,
					   BPF_ANY),
		      "fill slot %u", slot);
	}
}

static void set_fds(struct world *w)
{
	const struct bpf_program *const programs[BENCH_PROGRAMS] = {
		[BENCH_PASS] = w->base->progs.bench_pass,
		[BENCH_CLOCK] = w->base->progs.bench_clock,
		[BENCH_HASH] = w->base->progs.bench_hash,
		[BENCH_GATE] = w->xdp->progs.sl_xdp,
		[BENCH_TC_INGRESS] = w->tc->progs.sl_tc_ingress,
		[BENCH_TC_EGRESS] = w->tc->progs.sl_tc_egress,
		[BENCH_RESTORE_TX] = w->base->progs.restore_tx,
		[BENCH_RESTORE_GATE] = w->base->progs.restore_gate,
		[BENCH_RESTORE_REDIRECT] = w->base->progs.restore_redir,
		[BENCH_SHRINK_TX] = w->base->progs.shrink_tx,
		[BENCH_SHRINK_GATE] = w->base->progs.shrink_gate,
		[BENCH_CLIENTS_TX] = w->base->progs.clients_tx,
		[BENCH_CLIENTS_GATE] = w->base->progs.clients_gate,
		[BENCH_ANSWERS_GATE] = w->base->progs.answers_gate,
		[BENCH_RANDOM_PASS] = w->base->progs.random_pass,
		[BENCH_RANDOM_HASH] = w->base->progs.random_hash,
		[BENCH_RANDOM_GATE] = w->base->progs.random_gate,
	};

	for (int i = 0; i < BENCH_PROGRAMS; i++)
		w->fds[i] = bpf_program__fd(programs[i]);
}

static void add_endpoint(struct world *w, uint32_t id)
{
	const uint32_t words[] = { htonl(0xffff), htonl(WORLD_NET + id) };
	struct sl_endpoint_name name = { .key = { .port = WORLD_PORT, .proto = SL_TCP } };

	memcpy(&name.key.addr[8], words, sizeof(words));
	world_put(w, "endpoint_names", &id, &name);
	world_target(w, &name.key, (struct sl_target){ .kind = SL_TARGET_ENDPOINT, .id = id });
	world_word(w, id, (struct sl_word){ .health = SL_HEALTHY });
}

struct world *world_new_sized(const struct world_sizes *sizes)
{
	const struct sl_meta meta = { .layout = SL_LAYOUT,
				      .reply_window_ns = NS_PER_SEC,
				      .reply_budget = UINT64_MAX };
	struct world *w = calloc(1, sizeof(*w));
	uint32_t zero = 0;

	check(w, "allocate");
	w->sizes = *sizes;
	w->index_bits = 1;
	load(w);
	set_slots(w);
	set_fds(w);
	world_put(w, "meta", &zero, &meta);
	return w;
}

struct world *world_new_watching(uint32_t endpoints, uint32_t attempts)
{
	struct world *w = world_new_sized(
		&(struct world_sizes){ .endpoints = endpoints, .attempts = attempts });

	for (uint32_t id = 0; id < endpoints; id++)
		add_endpoint(w, id);
	return w;
}

struct world *world_new(uint32_t endpoints)
{
	return world_new_watching(endpoints, ATTEMPTS_AUTO);
}

void world_free(struct world *w)
{
	if (!w)
		return;

	base_bpf__destroy(w->base);
	tc_bpf__destroy(w->tc);
	xdp_bpf__destroy(w->redirecting);
	xdp_bpf__destroy(w->xdp);
	free(w);
}

int world_map(const struct world *w, const char *name)
{
	return bpf_object__find_map_fd_by_name(w->xdp->obj, name);
}

void world_put(struct world *w, const char *map, const void *key, const void *value)
{
	check(!bpf_map_update_elem(world_map(w, map), key, value, BPF_ANY), "write %s", map);
}

void world_word(struct world *w, uint32_t id, struct sl_word word)
{
	world_put(w, "endpoint_words", &id, &word);
}

void world_target(struct world *w, const struct sl_target_key *key, struct sl_target target)
{
	uint32_t slot = sl_index_slot(key, w->index_bits);

	world_put(w, "target_index", &slot, &target);
	world_put(w, "targets", key, &target);
}

void world_clients(struct world *w, uint32_t mask)
{
	w->base->bss->random_mask = mask;
	w->base->bss->random_next = 0;
}

double world_measure_runs(struct world *w, enum world_program program, const uint8_t *frame,
			  uint32_t retval, uint32_t runs)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = WORLD_FRAME_LEN,
		    .repeat = (int)runs);
	uint64_t start_ns, end_ns;
	int r;

	memcpy(&w->base->bss->template.first, frame, sizeof(uint16_t));
	memcpy(w->base->bss->template.words, frame + sizeof(uint16_t),
	       sizeof(w->base->bss->template.words));
	start_ns = clock_read_ns_(CLOCK_THREAD_CPUTIME_ID);
	r = bpf_prog_test_run_opts(w->fds[program], &run);
	end_ns = clock_read_ns_(CLOCK_THREAD_CPUTIME_ID);
	check(!r, "run program %d", program);
	check(run.retval == retval, "program %d returned %u instead of %u", program, run.retval,
	      retval);

	return (double)(end_ns - start_ns) / runs;
}

double world_measure(struct world *w, enum world_program program, const uint8_t *frame,
		     uint32_t retval)
{
	return world_measure_runs(w, program, frame, retval, REPEAT);
}

int world_program_fd(const struct world *w, enum world_program program)
{
	return w->fds[program];
}

uint32_t world_verified_insns(const struct world *w, enum world_program program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t len = sizeof(info);

	check(!bpf_obj_get_info_by_fd(w->fds[program], &info, &len), "read program info");
	return info.verified_insns;
}

static uint64_t map_bytes(const struct bpf_map *map)
{
	CLEANUP(fclose_p) FILE *file = NULL;
	char path[PATH_LEN], line[LINE_LEN];
	unsigned long long bytes;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_map__fd(map));
	file = fopen(path, "re");
	check(file, "open %s", path);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			return bytes;
	check(false, "find memlock in %s", path);
	return 0;
}

uint64_t world_map_bytes(const struct world *w)
{
	const struct bpf_map *map;
	uint64_t sum = 0;

	bpf_object__for_each_map(map, w->xdp->obj) sum += map_bytes(map);
	return sum;
}

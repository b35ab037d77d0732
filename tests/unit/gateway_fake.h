/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gateway_fake - a gateway without a kernel and without probes, for tests of what shows it.
 *
 * Defines the data plane's and the engine's readers themselves: the archives with the real ones are
 * then not linked. Included by one .c of a test program. Tests set fake_* and the board as they
 * like.
 */
#ifndef SLUICE_TESTS_GATEWAY_FAKE_H
#define SLUICE_TESTS_GATEWAY_FAKE_H

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "config/report.h"
#include "control/api.h"
#include "control/jobs.h"
#include "control/layers.h"
#include "dataplane/census.h"
#include "dataplane/decide.h"
#include "model/difference.h"
#include "model/weights.h"
#include "store/events.h"
#include "util/clock.h"
#include "util/err.h"

static struct sl_meta fake_meta;
static struct sl_endpoint_stats fake_stats;
static struct sl_decision_counts fake_decisions;
static unsigned int fake_removed_ifindex;
static bool fake_detached_all; /* no interface is attached */
static int fake_stats_result;
static int fake_detach_result;
static char fake_detached[128];
static bool fake_forwards; /* services forward packets, and have flows */
static int fake_census_known = true;
static uint32_t fake_n_flows; /* to the first endpoint, from as many clients */
static int fake_flows_result;
static struct change fake_changed; /* the last change that was asked for */
static int fake_change_result;
static unsigned int fake_reloads; /* so many orders meet one */
static struct fake_refusal { /* the last thing that was refused */
	unsigned int n;
	struct caller caller;
	bool was_change;
	struct change change;
	char what[192], why[256];
} fake_refused;

/* Groups that this host need not have; false: it has not. */
#define FAKE_READERS_GID 64001
#define FAKE_CHANGERS_GID 64002
static bool fake_has_groups = true;

struct group *getgrnam(const char *name)
{
	static char readers[] = ROLES_READERS, changers[] = ROLES_CHANGERS;
	static struct group groups[] = {
		{ .gr_name = readers, .gr_gid = FAKE_READERS_GID },
		{ .gr_name = changers, .gr_gid = FAKE_CHANGERS_GID },
	};

	for (size_t i = 0; fake_has_groups && i < 2; i++)
		if (!strcmp(name, groups[i].gr_name))
			return &groups[i];
	return NULL;
}

/* From here on, in a child of the test, for good: this user, with no group or one besides its own. */
static inline void become(uid_t uid, gid_t group)
{
	gid_t gid = (gid_t)uid;

	if (setgroups(group ? 1 : 0, &group) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		_exit(100);
}

int dataplane_endpoint_stats(const struct dataplane *dp, uint32_t endpoint,
			     struct sl_endpoint_stats *ret_stats)
{
	(void)dp;
	if (fake_stats_result < 0)
		return fake_stats_result;
	*ret_stats = fake_stats;
	ret_stats->syn += endpoint;
	return 0;
}

int dataplane_attempts(const struct dataplane *dp, uint32_t endpoint,
		       struct attempt_report *ret_report)
{
	(void)dp;
	(void)endpoint;
	if (fake_stats_result < 0)
		return fake_stats_result;
	*ret_report = (struct attempt_report){ .stats = { .sent = 3,
							  .answered = 1,
							  .refused = 1,
							  .times_ns = 20000,
							  .times = { [1] = 1 } },
					       .unanswered = 1 };
	return 0;
}

int dataplane_decisions(const struct dataplane *dp, struct sl_decision_counts *ret_counts)
{
	(void)dp;
	*ret_counts = fake_decisions;
	return 0;
}

int dataplane_service_stats(const struct dataplane *dp, uint32_t service,
			    struct sl_service_stats *ret_stats)
{
	(void)dp;
	if (!fake_forwards || service)
		return -ENOENT;
	*ret_stats = (struct sl_service_stats){ .packets = 7000, .flows = 50, .moved = 3 };
	return 0;
}

/* Of the first service: three quarters to the first endpoint, a quarter to the second. */
int dataplane_slots(const struct dataplane *dp, uint32_t service, uint32_t ret_slots[],
		    uint32_t *ret_size)
{
	(void)dp;
	if (!fake_forwards || service)
		return -ENOENT;
	ret_slots[0] = 3072;
	ret_slots[1] = 1024;
	*ret_size = 4096;
	return 0;
}

struct dataplane_fills dataplane_fills(const struct dataplane *dp)
{
	(void)dp;
	return (struct dataplane_fills){ 4, 8192, 5, 4096, 1, 64 };
}

bool dataplane_forwards(const struct dataplane *dp)
{
	(void)dp;
	return fake_forwards;
}

int census_start(struct census **ret, const struct dataplane *dp)
{
	(void)dp;
	*ret = NULL;
	return 0;
}

void census_stop(struct census *census)
{
	(void)census;
}

bool census_totals(struct census *census, struct census_totals *ret_totals)
{
	(void)census;
	*ret_totals = (struct census_totals){
		.fills = { .flows = { 12, 262144 }, .half_open = { 5, 65536 } },
		.flows = 6,
		.age_ms = 300,
	};
	return fake_census_known;
}

bool census_flows(struct census *census, uint32_t endpoint, uint32_t *ret_flows)
{
	(void)census;
	*ret_flows = endpoint + 1;
	return fake_census_known;
}

/* Gives a third of the flows each time. */
struct flow_list {
	uint32_t next;
};

int flow_list_new(struct flow_list **ret, const struct dataplane *dp)
{
	(void)dp;
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void flow_list_free(struct flow_list *list)
{
	free(list);
}

int flow_list_next(struct flow_list *list, flow_row_fn *fn, void *arg)
{
	uint32_t end = list->next + fake_n_flows / 3 + 1;

	if (fake_flows_result < 0)
		return fake_flows_result;
	for (; list->next < end && list->next < fake_n_flows; list->next++) {
		struct flow_row row = {
			.client = { .port = (uint16_t)(1000 + list->next) },
			.to = { .port = 80 },
			.source = { .port = 20000 },
			.proto = SL_TCP,
			.state = FLOW_OPEN,
			.idle_s = 90,
			.endpoint = list->next % 2, /* of the first service */
		};

		addr_parse(&row.client.addr, "198.51.100.7");
		addr_parse(&row.to.addr, "192.0.2.10");
		addr_parse(&row.source.addr, "10.0.0.1");
		fn(arg, &row);
	}
	return list->next < fake_n_flows;
}

const char *flow_state_name(enum flow_state state)
{
	return state == FLOW_OPEN ? "open" : "half_open";
}

/* What was asked last, and what is answered. */
static struct decide_packet fake_asked;
static struct decide_result fake_decided;
static int fake_decide_result;

int dataplane_decide(const struct dataplane *dp, const struct decide_packet *packet,
		     struct decide_result *ret_result, struct err *err)
{
	(void)dp;
	fake_asked = *packet;
	if (fake_decide_result < 0)
		return err_set(err, fake_decide_result, "the kernel said no");
	*ret_result = fake_decided;
	return 0;
}

const char *decision_name(enum sl_decision decision)
{
	return decision == SL_FORWARD_NAT ? "forward_nat" : "other";
}

const char *decision_text(enum sl_decision decision)
{
	return decision == SL_FORWARD_NAT ? "to an endpoint" : "otherwise";
}

static const char *fake_degraded;

bool dataplane_in_sight(const struct dataplane *dp)
{
	(void)dp;
	return !fake_degraded;
}

const char *dataplane_degraded(const struct dataplane *dp)
{
	(void)dp;
	return fake_degraded;
}

bool dataplane_in_force(const struct dataplane *dp)
{
	(void)dp;
	return true;
}

struct sl_meta dataplane_meta(const struct dataplane *dp)
{
	(void)dp;
	return fake_meta;
}

bool dataplane_attachment(const struct dataplane *dp, uint32_t i, struct attachment *ret)
{
	static const struct attachment attachments[] = {
		{ .interface = "lan0",
		  .ifindex = 7,
		  .ingress = ATTACH_TCX,
		  .egress = ATTACH_TCX,
		  .adopted = true,
		  .n_steps = 1,
		  .steps = { "xdp-native: passed over, the device is virtual" } },
		{ .interface = "lan1", .ifindex = 8, .ingress = ATTACH_XDP_NATIVE },
	};

	(void)dp;
	if (fake_detached_all || i >= sizeof(attachments) / sizeof(attachments[0]))
		return false;
	*ret = attachments[i];
	if (ret->ifindex != fake_removed_ifindex)
		return true;
	ret->state = ATTACHMENT_GONE;
	ret->returns = 3;
	snprintf(ret->why, sizeof(ret->why), "there is no such interface now");
	return true;
}

const char *attach_mode_name(enum attach_mode mode)
{
	static const char *const names[] = {
		[ATTACH_NONE] = "none",
		[ATTACH_XDP_OFFLOAD] = "xdp-offload",
		[ATTACH_XDP_NATIVE] = "xdp-native",
		[ATTACH_XDP_GENERIC] = "xdp-generic",
		[ATTACH_TCX] = "tcx",
		[ATTACH_CLSACT] = "clsact",
	};

	return names[mode];
}

const struct map_info *dataplane_maps(const struct dataplane *dp, uint32_t *ret_n)
{
	static const struct map_info maps[] = {
		{ "targets", "/sys/fs/bpf/sluice/v1/targets", "which destinations are guarded",
		  4096, 524288 },
		{ "endpoint_words", "/sys/fs/bpf/sluice/v1/endpoint_words",
		  "may this endpoint receive new flows", 4096, 32769 },
	};

	(void)dp;
	*ret_n = 2;
	return maps;
}

int dataplane_detach_all(const char *bpffs, struct err *err)
{
	snprintf(fake_detached, sizeof(fake_detached), "%s", bpffs);
	if (fake_detach_result < 0)
		return err_set(err, fake_detach_result, "detach: the kernel said no");
	return 0;
}

struct engine_stats engine_stats(const struct engine *engine)
{
	(void)engine;
	return (struct engine_stats){ .workers = 2,
				      .in_flight_max = 512,
				      .in_flight = 3,
				      .queued = 1,
				      .started = 104,
				      .finished = 101,
				      .overloaded = 5,
				      .loop_lag_ms = 4 };
}

/* Two pools with services (one of them with two), one without. */
static const char gateway_yaml[] =
	"gateway:\n"
	"  interfaces: [ { name: lan0 } ]\n"
	"probes:\n"
	"  - { name: quick, protocol: http, path: /healthz, host: shop.test, interval: 5s,\n"
	"      timeout: 2s, unhealthy_threshold: 3, healthy_threshold: 2 }\n"
	"settings:\n"
	"  - { name: web, protocol: http, port: 80, probe: quick }\n"
	"  - { name: db, protocol: tcp, port: 5432, on_unhealthy: drop, established: reset }\n"
	"pools:\n"
	"  - { name: web-pool, backends: [ { address: 10.0.0.5 }, { address: 10.0.0.6 },\n"
	"      { address: 'fd00::5' } ] }\n"
	"  - { name: db-pool, backends: [ { address: 10.0.1.1 } ] }\n"
	"  - { name: spare, backends: [ { address: 10.0.9.9 } ] }\n"
	"services:\n"
	"  - { name: shop, pool: web-pool, settings: web }\n"
	"  - { name: shop-db, pool: web-pool, settings: db }\n"
	"  - { name: store, pool: db-pool, settings: db }\n";

struct gateway_fake {
	struct model *model;
	struct plan *plans;
	struct board *board;
	struct weights *weights;
	struct jobs *jobs;
	struct layers *layers;
	struct events *events; /* kept in the directory */
	struct api_context context;
	char directory[64];
};

/* What the pipeline makes of an order. */
static int gateway_fake_change(void *arg, const struct change *change, struct difference **ret,
			       struct err *err)
{
	struct gateway_fake *gateway = arg;
	const struct model *model = gateway->model;
	const struct pool *pool = model_find_pool(model, change->pool);
	uint32_t backend = pool ? pool_find_backend(pool, change->address) : INDEX_NONE;
	uint64_t deadline_ms = clock_mono_ms() + (change->timeout_ms ? change->timeout_ms : 30000);

	if (fake_reloads && fake_reloads--)
		return err_set(err, -ESHUTDOWN, "the daemon is reloading: nothing was changed");
	fake_changed = *change;
	if (fake_change_result < 0)
		return err_set(err, fake_change_result, "no: the reason");
	if (backend == INDEX_NONE)
		return err_set(err, -ENOENT, "pool '%s' has no backend '%s'", change->pool,
			       change->address);
	if (change->is_rehearsal) {
		*ret = difference_new();
		(*ret)->version = 7;
		difference_add(*ret, &(struct difference_item){ .subject = DIFFERENCE_BACKEND,
								.kind = DIFFERENCE_REMOVED,
								.name = "web-pool",
								.address = "10.0.0.6",
								.before = "1" });
		return difference_add_leaving(*ret, 1);
	}
	if (change->action == CHANGE_WEIGHT)
		weights_set(gateway->weights, (uint32_t)(pool - model->pools), backend,
			    change->weight);
	for (uint32_t s = 0; s < model->n_services; s++)
		for (uint32_t i = 0; i < model->services[s].n_endpoints; i++)
			if (&model->pools[model->services[s].pool] == pool &&
			    model->services[s].owners[i] == backend &&
			    change->action != CHANGE_WEIGHT)
				board_set_admin(gateway->board, model->services[s].endpoints[i],
						change->action == CHANGE_DRAIN     ? SL_DRAINING
						: change->action == CHANGE_DISABLE ? SL_DISABLED
										   : SL_ENABLED,
						true,
						change->action == CHANGE_DRAIN ? deadline_ms : 0);
	return 0;
}

/* On several threads, one after the other. */
static void gateway_fake_refused(void *arg, const struct refusal *refusal)
{
	(void)arg;
	fake_refused.n++;
	fake_refused.caller = *refusal->caller;
	fake_refused.was_change = refusal->change != NULL;
	if (refusal->change)
		fake_refused.change = *refusal->change;
	snprintf(fake_refused.what, sizeof(fake_refused.what), "%s", refusal->what);
	snprintf(fake_refused.why, sizeof(fake_refused.why), "%s", refusal->why);
}

static inline int gateway_fake_start(struct gateway_fake *gateway, const char *yaml)
{
	struct report report = { .n_items = 0 };
	struct health health;
	char line[512];

	memset(gateway, 0, sizeof(*gateway));
	snprintf(gateway->directory, sizeof(gateway->directory), "/tmp/sluice-test-XXXXXX");
	if (!mkdtemp(gateway->directory))
		return -errno;
	if (config_parse(&gateway->model, yaml, strlen(yaml), "test.yaml", &report) < 0) {
		for (size_t i = 0; i < report.n_items; i++) {
			report_format(line, sizeof(line), &report, i);
			printf("# %s\n", line);
		}
		return -EINVAL;
	}
	snprintf(gateway->model->gateway.api_socket, sizeof(gateway->model->gateway.api_socket),
		 "%s/api.sock", gateway->directory);

	/* Tests run side by side; those that want it say where. */
	gateway->model->gateway.listen = (struct listen){ .key.port = 0 };

	gateway->plans = calloc(gateway->model->n_endpoints + 1, sizeof(*gateway->plans));
	gateway->board = board_new(gateway->model->n_endpoints);
	gateway->weights = weights_new(gateway->model);
	gateway->jobs = jobs_new();
	gateway->layers = layers_new();
	if (events_open(&gateway->events, &(struct events_options){ .directory = gateway->directory,
								    .max = 1000 }) < 0)
		return -ENOMEM;
	health_init(&health, SL_UNKNOWN, clock_wall_ms());
	for (uint32_t i = 0; i < gateway->model->n_endpoints; i++) {
		gateway->plans[i] = plan_endpoint(gateway->model, &gateway->model->endpoints[i]);
		board_set_health(gateway->board, i, &health, false);
	}
	gateway->context = (struct api_context){
		.model = gateway->model,
		.plans = gateway->plans,
		.board = gateway->board,
		.weights = gateway->weights,
		.change = gateway_fake_change,
		.change_arg = gateway,
		.refused = gateway_fake_refused,
		.config_path = "/etc/sluice/sluice.yaml",
		.jobs = gateway->jobs,
		.layers = gateway->layers,
		.events = gateway->events,
		.started_ms = clock_wall_ms() - 90 * MS_PER_SEC,
		.started_mono_ms = clock_mono_ms() - 90 * MS_PER_SEC,
	};

	fake_stats = (struct sl_endpoint_stats){ .packets = 1000, .bytes = 64000, .syn = 120 };
	fake_stats_result = fake_detach_result = fake_change_result = fake_flows_result = 0;
	fake_refused = (struct fake_refusal){ .n = 0 };
	fake_forwards = false;
	fake_decided = (struct decide_result){ .service = INDEX_NONE, .endpoint = INDEX_NONE };
	fake_decide_result = 0;
	fake_census_known = true;
	fake_n_flows = 0;
	fake_decisions = (struct sl_decision_counts){ .pass_healthy = 900, .reject_tcp = 12 };
	fake_meta = (struct sl_meta){ .layout = SL_LAYOUT,
				      .daemon_loss_after_ns = 30 * NS_PER_SEC,
				      .heartbeat_ns = clock_mono_ns() };
	return 0;
}

static inline void gateway_fake_stop(struct gateway_fake *gateway)
{
	char path[sizeof(gateway->directory) + 16];

	events_close(gateway->events);
	snprintf(path, sizeof(path), "%s/state.db", gateway->directory);
	unlink(path);
	rmdir(gateway->directory);
	board_free(gateway->board);
	weights_free(gateway->weights);
	jobs_free(gateway->jobs);
	layers_free(gateway->layers);
	free(gateway->plans);
	model_free(gateway->model);
}

/* The endpoint's index by its text ("10.0.0.5:80"). */
static inline uint32_t gateway_fake_index(const struct gateway_fake *gateway, const char *text)
{
	for (uint32_t i = 0; i < gateway->model->n_endpoints; i++)
		if (!strcmp(gateway->model->endpoints[i].text, text))
			return i;
	return INDEX_NONE;
}

/* Let a verdict arrive n times, as the pipeline would. */
static inline void gateway_fake_verdict(struct gateway_fake *gateway, const char *text,
					const struct verdict *verdict, int n)
{
	uint32_t i = gateway_fake_index(gateway, text);
	struct health_policy policy = { gateway->plans[i].unhealthy_threshold,
					gateway->plans[i].healthy_threshold };
	struct health health = board_health(gateway->board, i);

	for (; n > 0; n--) {
		health_step(&health, &policy, verdict->code, clock_wall_ms());
		board_add_verdict(gateway->board, i, verdict, clock_wall_ms());
	}
	board_set_health(gateway->board, i, &health, false);
}

#endif

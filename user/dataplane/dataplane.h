/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dataplane - the kernel's half: maps, programs and their attachment, opened, adopted or made.
 *
 * One instance per pin directory; a lock on that directory keeps a second daemon out. Everything
 * is pinned, so that closing the dataplane (or the death of the process) leaves the gate in force.
 * Endpoints are named by their index in the model; the kernel's ids are kept inside.
 *
 * Threads: dataplane_store_word(), dataplane_set_endpoint() and dataplane_heartbeat() may be called
 * from one thread while
 * others read counters; everything else belongs to the thread that opened it.
 */
#ifndef SLUICE_DATAPLANE_DATAPLANE_H
#define SLUICE_DATAPLANE_DATAPLANE_H

#include "model/model.h"
#include "model/traffic.h"
#include "util/cleanup.h"

struct dataplane;
struct err;
struct weights;

#define ATTACH_STEPS_MAX 6
#define ATTACH_STEP_LEN 160

enum attach_mode {
	ATTACH_NONE,
	ATTACH_XDP_OFFLOAD,
	ATTACH_XDP_NATIVE,
	ATTACH_XDP_GENERIC,
	ATTACH_TCX,
	ATTACH_CLSACT
};

/* What is known of the attempts to connect to an endpoint, by packets and by time. */
struct attempt_report {
	struct sl_attempt_stats stats; /* completed and abandoned include what time has told */
	uint64_t unanswered;
};

/* In the terms of what is compared over time. */
static inline struct traffic attempt_traffic(const struct attempt_report *report)
{
	return (struct traffic){
		.answered = (uint32_t)report->stats.answered,
		.refused = (uint32_t)report->stats.refused,
		.unreachable = (uint32_t)report->stats.unreachable,
		.unanswered = (uint32_t)report->unanswered,
		.reset = (uint32_t)report->stats.reset_endpoint,
	};
}

/* What speaks against an endpoint. The first three only ever grow, and wrap. */
struct attempt_evidence {
	uint32_t refused, unreachable, retransmitted;
	uint32_t late; /* attempts without an answer for longer than usual, now */
	bool seen; /* what it answers passes this host; else silence says nothing about it */
};

/* X(NAME, "name"): how it is with an interface that is to be guarded. */
#define ATTACHMENT_STATES(X)                                                           \
	X(ATTACHED, "attached")                                                        \
	X(GONE, "gone") /* there is no such interface; attached when there is */       \
	X(RENAMED, "renamed") /* its device is called otherwise now, the gate on it */ \
	X(STRIPPED, "stripped") /* somebody took programs off; attached again soon */  \
	X(REFUSED, "refused") /* it is there, but cannot be attached; tried again */

#define ATTACHMENT_STATE_ENUM(NAME, name) ATTACHMENT_##NAME,
enum attachment_state { ATTACHMENT_STATES(ATTACHMENT_STATE_ENUM) ATTACHMENT_STATES_N };

#define ATTACHMENT_WHY_LEN 256

/* How one interface is attached, and why that way: one step per mode that was passed over. */
struct attachment {
	char interface[IFNAMSIZ];
	enum attachment_state state;
	char why[ATTACHMENT_WHY_LEN]; /* it is not attached, a sentence; else "" */
	uint64_t since_ms; /* wall clock: in this state */
	uint64_t lost_ms; /* wall clock: when it was guarded last; 0: it never was not */
	uint32_t returns; /* how often it was attached again after that */
	unsigned int ifindex; /* as those that follow: when it was attached last */
	enum attach_mode ingress, egress;
	bool is_virtual; /* no hardware behind it, or not known */
	bool adopted; /* the ingress was in place already: its program was replaced atomically */
	uint32_t n_steps;
	char steps[ATTACH_STEPS_MAX][ATTACH_STEP_LEN];
};

/*
 * Whether this host and this process can have a data plane: -EPERM: no privilege; -EOPNOTSUPP: the
 * kernel is too old or has no BTF. err says what is needed and what is here.
 */
int dataplane_supported(struct err *err);

/*
 * Open the data plane for a model, which is borrowed until it is closed: mount bpffs where missing, lock the pin directory, load the
 * programs, adopt the pinned maps that fit or make new ones, give every endpoint an id (kept, where
 * it had one), bring targets and names in line with the model, attach or update all interfaces,
 * detach those no longer in the model. New endpoints start with word zero: Unknown.
 *
 * An interface that is not there is waited for if it was guarded before or may_wait; else opening fails.
 *
 * On failure everything is as it was before, with one sentence in err:
 *   -EBUSY   another daemon owns the pin directory, or an interface runs somebody else's XDP program
 *   -EPERM   no privilege   -ENODEV  no such interface   -EOPNOTSUPP  kernel too old or without BTF
 *   -E2BIG   a map is full (err names map, size and key)   other -errno from the kernel
 */
int dataplane_open(struct dataplane **ret, const struct model *model, struct err *err);

/*
 * Bring *dp in line with another model, as opening anew would, without ever letting go: *dp is
 * replaced. On failure it is as it was, with one sentence in err. The model before must live until
 * then, and model->gateway.bpffs must be the same. Interfaces that are not attached now may stay so; those
 * that the model before had not must be. trusts: what the maps hold is known rather than read anew, which is
 * faster and leaves alone what others have written into them meanwhile.
 */
int dataplane_change(struct dataplane **dp, const struct model *model, bool trusts,
		     struct err *err);

/* Release this process's hold; the gate stays in force. NULL is fine. */
void dataplane_close(struct dataplane *dp);
DEFINE_CLEANUP(struct dataplane, dataplane_close)

/*
 * Detach and unpin everything under bpffs, whether a daemon runs or not: its lock is no veto. On
 * success err->text is empty, or says that a daemon is still running and guards nothing now. Clsact
 * filters (kernels before 6.6) are found only from the network namespace that they are in.
 *   -ENOENT  nothing is there   -EPERM, -EOPNOTSUPP  as for dataplane_open()
 */
int dataplane_detach_all(const char *bpffs, struct err *err);

/* Detach and unpin all that this instance owns, then close it: on_exit: detach. */
int dataplane_destroy(struct dataplane *dp, struct err *err);

/* Whether no gate was in force before we opened: what a failed start may take away again. */
bool dataplane_is_new(const struct dataplane *dp);

/* Whether what we pinned is still there: false after somebody else's dataplane_detach_all(). */
bool dataplane_in_force(const struct dataplane *dp);

/*
 * Whether others find it where it is pinned: false once the BPF file system was unmounted, which takes nothing out
 * of force while this process lives. dataplane_renew_pins() pins all of it there again. -errno, err set.
 */
bool dataplane_in_sight(const struct dataplane *dp);
int dataplane_renew_pins(struct dataplane *dp, struct err *err);

/*
 * Look after every interface: find out which went away, or lost its programs to somebody, and attach those
 * again that can be: what comes back at once, what somebody meddles with less and less often. For whatever
 * became of one tell is called, once. To be called when devices change (dataplane/devwatch.h), and at least
 * every second; nothing happens once the gate was removed as a whole, or while it is out of sight.
 */
typedef void dataplane_tend_fn(void *arg, const struct attachment *attachment);
void dataplane_tend(struct dataplane *dp, dataplane_tend_fn *tell, void *arg);

/*
 * Whether an interface that is not guarded could be, as far as can be told without trying. -errno as
 * dataplane_open(), with a sentence.
 */
int dataplane_examine(const struct interface *interface, struct err *err);

/* Whether the model's maps have room for all of it. -E2BIG, with a sentence. */
int dataplane_fits(const struct model *model, struct err *err);

/*
 * What opening did that an operator should find in the log; i from 0, NULL: no more. A loss is of something that
 * was in force before.
 */
const char *dataplane_note(const struct dataplane *dp, uint32_t i);
bool dataplane_note_is_loss(const struct dataplane *dp, uint32_t i);

/*
 * Our programs were refused, and those of another daemon stay in force, over the same maps: why, in a sentence;
 * NULL: they are ours. dataplane_change() tries again.
 */
const char *dataplane_degraded(const struct dataplane *dp);

/* Whether the endpoint's id, and with it its word, was already in force when we opened. */
bool dataplane_was_adopted(const struct dataplane *dp, uint32_t endpoint);

/*
 * What the endpoint stands for in the kernel; false: it is a vacant seat. A seat that was adopted
 * has the address that was found under its name before; ret_stale (may be NULL): when another
 * configuration was in force.
 */
bool dataplane_key(const struct dataplane *dp, uint32_t endpoint, struct sl_target_key *ret_key,
		   bool *ret_stale);

/*
 * Give a seat an address, or none (key NULL). It starts with word zero: Unknown, enabled.
 *   -EEXIST  another endpoint has this key   -E2BIG  a map is full   other -errno from the kernel
 */
int dataplane_set_endpoint(struct dataplane *dp, uint32_t endpoint, const struct sl_target_key *key,
			   struct err *err);

/* The word in force: what a daemon that adopts starts from. */
struct sl_word dataplane_word(const struct dataplane *dp, uint32_t endpoint);

/* Change an endpoint's word: one store; the next packet sees it. */
void dataplane_store_word(struct dataplane *dp, uint32_t endpoint, struct sl_word word);

/*
 * Let new flows of a service go to its endpoints by these shares, 0..MAGLEV_SHARE_FULL, parallel to
 * the service's endpoints; any: even to those whose word speaks against it. A service that nothing
 * is forwarded for has no table: fine. -ENOMEM: nothing has changed.
 */
int dataplane_balance(struct dataplane *dp, uint32_t service, const uint16_t shares[], bool any);

/* The weights that tables are made by; borrowed for as long as tables are made. Before: those of the model. */
void dataplane_use_weights(struct dataplane *dp, const struct weights *weights);

/*
 * Readable when something has changed in this host's network that forwarding depends on; -1: nothing
 * is forwarded. dataplane_note_network() makes the programs look up their routes anew at once, and
 * returns whether dataplane_follow_network() is due, which takes longer: it finds this host's
 * addresses, VLAN devices and next hops. It may wait until a burst of changes is over.
 */
int dataplane_network_fd(const struct dataplane *dp);
bool dataplane_note_network(struct dataplane *dp);
void dataplane_follow_network(struct dataplane *dp);

/* Tell the kernel that the daemon lives; forget endpoints that have drained after a change. */
void dataplane_heartbeat(struct dataplane *dp, uint64_t now_ns);

/* The meta entry: mode, heartbeat, layout, versions. */
struct sl_meta dataplane_meta(const struct dataplane *dp);

/* How interface i of those in the model is attached now: a copy. false: there is no i. Any thread. */
bool dataplane_attachment(const struct dataplane *dp, uint32_t i, struct attachment *ret);

/* "xdp-native", "tcx", … */
const char *attach_mode_name(enum attach_mode mode);

/* "attached", "gone", … */
const char *attachment_state_name(enum attachment_state state);

/* Whether there is an interface of that name. */
bool attachment_is_present(const struct attachment *attachment);

/* Sum over the CPUs. -errno from the kernel. */
int dataplane_endpoint_stats(const struct dataplane *dp, uint32_t endpoint,
			     struct sl_endpoint_stats *ret_stats);
int dataplane_decisions(const struct dataplane *dp, struct sl_decision_counts *ret_counts);

/* Attempts to connect that were let through; all zero if they are not watched. -errno from the kernel. */
int dataplane_attempts(const struct dataplane *dp, uint32_t endpoint,
		       struct attempt_report *ret_report);

/*
 * Count attempts that nothing came of, or that nothing followed: to be called several times a second, with
 * CLOCK_MONOTONIC. What speaks against endpoints is as of then. false: attempts are not watched.
 */
bool dataplane_sweep(struct dataplane *dp, uint64_t now_ns);
struct attempt_evidence dataplane_evidence(const struct dataplane *dp, uint32_t endpoint);

/* -ENOENT: the service's packets are not forwarded. */
int dataplane_service_stats(const struct dataplane *dp, uint32_t service,
			    struct sl_service_stats *ret_stats);

/*
 * How many slots of the service's table each of its endpoints holds now; ret_slots is parallel to
 * them. *ret_size: of the table. -ENOENT: nothing of it is forwarded; -ENOMEM.
 */
int dataplane_slots(const struct dataplane *dp, uint32_t service, uint32_t ret_slots[],
		    uint32_t *ret_size);

/* Whether packets of any service are forwarded: whether there are flows. */
bool dataplane_forwards(const struct dataplane *dp);

/* How full the maps are that do not grow with traffic: entries in use, and room. Any thread. */
struct dataplane_fills {
	uint32_t targets, targets_max; /* addresses that packets are judged or forwarded by */
	uint32_t endpoints,
		endpoints_max; /* ids, those of vacant seats and of who drains included */
	uint32_t services, services_max; /* that packets are forwarded for */
};

struct dataplane_fills dataplane_fills(const struct dataplane *dp);

/* One row per pinned map, for `sluice maps`. Names are static; paths are owned by dp. */
struct map_info {
	const char *name;
	const char *path;
	const char *purpose; /* one line */
	uint32_t entries_max;
	uint64_t memory_bytes; /* what the kernel charges for it */
};

const struct map_info *dataplane_maps(const struct dataplane *dp, uint32_t *ret_n);

#endif

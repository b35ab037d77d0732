/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maps - what the daemon tells the programs, and what they tell it.
 *
 * max_entries given as 1 below is set by user/dataplane/ before loading, from the number of
 * endpoints: targets twice as many, so that its hash chains stay short, target_index 2^index_bits
 * with at least 8 slots per endpoint, the others as many. All maps are pinned under their names.
 */
#ifndef SLUICE_BPF_MAPS_H
#define SLUICE_BPF_MAPS_H

/*
 * targets - is this destination one of ours, and which?
 *   entry    struct sl_target_key -> struct sl_target
 *   writer   user/dataplane/, when endpoints come or go
 *   reader   every program, for what shares a slot of target_index with an endpoint
 *   absent   nothing of ours: pass
 *   full     writer gets -E2BIG and refuses the change whole; nothing is evicted
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct sl_target_key);
	__type(value, struct sl_target);
} targets SEC(".maps");

/*
 * target_index - which endpoint may this destination be? See sl_index_slot()
 *   entry    slot -> struct sl_target, all zero: nothing of ours; 2^index_bits slots
 *   writer   user/dataplane/, through mmap: before a target is added, after it is removed
 *   reader   every program, once per TCP or UDP packet
 *   absent   cannot be
 *   full     cannot be; endpoints that share a slot cost a lookup in targets
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_target);
} target_index SEC(".maps");

/*
 * endpoint_words - may this endpoint receive new flows?
 *   entry    endpoint id -> struct sl_word
 *   writer   user/dataplane/, through mmap, on every change of health: one store, no system call
 *   reader   every program, once per packet to an endpoint
 *   absent   cannot be
 *   full     cannot be: ids are given out up to max_entries
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_word);
} endpoint_words SEC(".maps");

/*
 * endpoint_names - which endpoint is this id?
 *   entry    endpoint id -> struct sl_endpoint_name
 *   writer   user/dataplane/, when endpoints come or go
 *   reader   every program, to confirm what target_index says; people with bpftool, and the daemon
 *            when it adopts the maps
 *   absent   cannot be; an id whose key has port 0 is free
 *   full     cannot be: ids are given out up to max_entries
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_endpoint_name);
} endpoint_names SEC(".maps");

/*
 * endpoint_stats - what was sent to each endpoint, and what became of it
 *   entry    endpoint id -> struct sl_endpoint_stats, per CPU
 *   writer   every program; user/dataplane/ clears an id before it is used again
 *   reader   user/dataplane/
 *   absent   cannot be
 *   full     cannot be: ids are given out up to max_entries
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_endpoint_stats);
} endpoint_stats SEC(".maps");

/*
 * decisions - how many packets left by each decision
 *   entry    0 -> struct sl_decision_counts, per CPU
 *   writer   decide(), once per packet
 *   reader   user/dataplane/
 *   absent   cannot be
 *   full     cannot be
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_decision_counts);
} decisions SEC(".maps");

/*
 * meta - what this pinned set is, how the programs shall behave, and whether the daemon lives
 *   entry    0 -> struct sl_meta
 *   writer   user/dataplane/, through mmap
 *   reader   the programs, only when a gate is closed
 *   absent   cannot be
 *   full     cannot be
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_meta);
} meta SEC(".maps");

/*
 * reply_budget - replies that each CPU may still send in its current window
 *   entry    0 -> struct sl_reply_budget, per CPU
 *   writer   the programs, once per reply
 *   reader   the programs
 *   absent   cannot be
 *   full     cannot be
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_reply_budget);
} reply_budget SEC(".maps");

#endif

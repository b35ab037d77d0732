/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maps - what the daemon tells the programs, and what they tell it.
 *
 * max_entries given as 1 below is set by user/dataplane/ before loading, from the number of
 * endpoints and services: targets twice as many, so that its hash chains stay short, target_index
 * 2^(64 - index_shift) with at least 8 slots per endpoint, the others as many; flows and half_open as configured,
 * handshakes as half_open, attempts as configured, fragments SL_FRAGMENTED_MAX, selection as the services need. All maps are pinned under their names.
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
 *   entry    slot -> struct sl_target, all zero: nothing of ours; 2^(64 - index_shift) slots
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
 * types - what are the entries of each of these maps?
 *   entry    0 -> struct sl_types
 *   writer   user/dataplane/, once
 *   reader   the daemon when it adopts the maps, which may be of another version
 *   absent   cannot be
 *   full     cannot be
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_types);
} types SEC(".maps");

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

/*
 * services - how are packets to this service dealt with?
 *   entry    service id -> struct sl_service
 *   writer   user/dataplane/, through mmap: the slice with one store, the rest before its target appears
 *   reader   every program, once per packet to a service
 *   absent   cannot be
 *   full     cannot be: ids are given out up to max_entries
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_service);
} services SEC(".maps");

/*
 * service_names - which service is this id?
 *   entry    service id -> struct sl_service_name
 *   writer   user/dataplane/, when services come or go
 *   reader   people with bpftool, and the daemon when it adopts the maps
 *   absent   cannot be; an id without a name is free
 *   full     cannot be: ids are given out up to max_entries
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_service_name);
} service_names SEC(".maps");

/*
 * service_stats - what was sent to each service, and what became of it
 *   entry    service id -> struct sl_service_stats, per CPU
 *   writer   every program; user/dataplane/ clears an id before it is used again
 *   reader   user/dataplane/
 *   absent   cannot be
 *   full     cannot be: ids are given out up to max_entries
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_service_stats);
} service_stats SEC(".maps");

/*
 * selection - which endpoint does a new flow go to?
 *   entry    slot / 2 -> struct sl_slots; each service has the slice that sl_service.slice says
 *   writer   user/dataplane/, through mmap: one store per slot that changes. Whatever mixture a
 *            packet meets, each slot names an endpoint of its service
 *   reader   every program, once per new flow
 *   absent   cannot be
 *   full     writer gets -ENOSPC and refuses the change whole
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_slots);
} selection SEC(".maps");

/*
 * flows - which endpoint does this flow go to, and how is it translated?
 *   entry    struct sl_tuple, as on the wire -> struct sl_flow
 *   writer   every program, once per flow and direction, when the client has proved that it is there
 *   reader   every program, once per packet of a service; user/dataplane/, to list and to count
 *   absent   a new flow, or one that has been forgotten: the selection decides again
 *   full     the flow unused for longest is forgotten
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct sl_tuple);
	__type(value, struct sl_flow);
} flows SEC(".maps");

/*
 * half_open - translated flows whose client has not yet proved that it is there
 *   entry    as in flows
 *   writer   every program, on a SYN or the first datagram; moved to flows by the client's answer
 *   reader   every program, for packets of no flow in flows
 *   absent   a new flow
 *   full     the one unused for longest is forgotten: a flood forgets only what is half open
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct sl_tuple);
	__type(value, struct sl_flow);
} half_open SEC(".maps");

/*
 * handshakes - which endpoint did the SYN of this flow, which is not translated, go to?
 *   entry    slot -> struct sl_handshake
 *   writer   every program, on a SYN: one store
 *   reader   every program, on a packet of a TCP flow that is not in flows
 *   absent   cannot be; a slot of another flow: the selection decides
 *   full     a SYN takes the slot of another: a flood can move only what is half open, and that only
 *            while the selection changes
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_handshake);
} handshakes SEC(".maps");

/*
 * attempts - what came of this attempt to connect?
 *   entry    slot -> struct sl_attempt; attempt_slots of them, 0: nothing is watched
 *   writer   every program, on packets that open or end a flow; user/dataplane/, through mmap, on what
 *            only time tells
 *   reader   both
 *   absent   cannot be; a slot of another attempt: nothing is known of this one
 *   full     an attempt takes the slot of another, which is counted as unsampled
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_attempt);
} attempts SEC(".maps");

/*
 * attempt_stats - what came of attempts to connect to each endpoint
 *   entry    endpoint id -> struct sl_attempt_stats, per CPU
 *   writer   every program; user/dataplane/ clears an id before it is used again
 *   reader   user/dataplane/
 *   absent   cannot be
 *   full     cannot be: ids are given out up to max_entries
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_attempt_stats);
} attempt_stats SEC(".maps");

/*
 * evidence - does anything speak against this endpoint?
 *   entry    endpoint id -> struct sl_evidence
 *   writer   every program, atomically, when an attempt fails; user/dataplane/, through mmap
 *   reader   user/dataplane/, through mmap
 *   absent   cannot be
 *   full     cannot be: ids are given out up to max_entries
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_evidence);
} evidence SEC(".maps");

/*
 * fragments - where did the first fragment of this datagram go?
 *   entry    struct sl_fragment_key -> struct sl_fragment
 *   writer   every program, when it forwards a first fragment
 *   reader   every program, for later fragments
 *   absent   nothing is known of the datagram: its fragment passes
 *   full     the one unused for longest is forgotten
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct sl_fragment_key);
	__type(value, struct sl_fragment);
} fragments SEC(".maps");

/*
 * flow_budget - flows that each CPU may still enter in its current window
 *   entry    0 -> struct sl_reply_budget, per CPU
 *   writer   the programs, once per flow
 *   reader   the programs
 *   absent   cannot be
 *   full     cannot be
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_reply_budget);
} flow_budget SEC(".maps");

/*
 * routes - where does what goes to this address leave?
 *   entry    hash of the address -> struct sl_route, per CPU
 *   writer   every program, from what the FIB says
 *   reader   every program, once per packet that is sent on
 *   absent   cannot be; a slot of another address, of another epoch or much used is filled anew
 *   full     cannot be; addresses that share a slot cost a lookup in the FIB
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sl_route);
} routes SEC(".maps");

/*
 * devices - which device carries this VLAN device, under which tag?
 *   entry    ifindex -> struct sl_device
 *   writer   user/dataplane/, when devices come or go
 *   reader   the XDP program, when it fills a slot of routes
 *   absent   the device is no VLAN's
 *   full     writer is refused: what goes out by that device is not sent on by XDP
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct sl_device);
} devices SEC(".maps");

#endif

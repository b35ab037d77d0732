// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/bench/scene.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "tests/lib/netbed.h"
#include "tests/lib/packet.h"
#include "util/clock.h"

#define FAR_MAC "02:00:00:00:99:02"
#define CLIENT_PORT 40000
#define SERVICE_PORT 443
#define ENDPOINT_PORT 8443
#define GENERATION 7
#define SEQ 1000
#define ACK 5001

#define PORT_LOW 1024
#define PORT_HIGH 65535
#define PORTS (PORT_HIGH - PORT_LOW + 1)
#define IDLE_S 3600

#define SLOTS_MIN 4096
#define SLOTS_PER_ENDPOINT 64 /* as maglev has them, about */
#define SLACK 4 /* a table that forgets nothing has room to spare */

/* Networks, to whose last four bytes a number is added. */
enum side { CLIENT, SERVICE, ENDPOINT, SOURCE };
static const char *const networks[][2] = {
	[CLIENT] = { "10.0.0.0", "2001:db8:c::" },
	[SERVICE] = { "198.18.0.0", "2001:db8:5::" },
	[ENDPOINT] = { "172.16.0.0", "fd00::" },
	[SOURCE] = { "192.0.2.1", "fd01::1" },
};

static const struct {
	enum sl_method method;
	bool v6;
} kinds[KINDS] = {
	[KIND_NAT] = { SL_METHOD_NAT, false },   [KIND_DSR] = { SL_METHOD_DSR, false },
	[KIND_IPIP] = { SL_METHOD_IPIP, false }, [KIND_NAT6] = { SL_METHOD_NAT, true },
	[KIND_DSR6] = { SL_METHOD_DSR, true },   [KIND_IPIP6] = { SL_METHOD_IPIP, true },
};

static bool is_v6(uint32_t service)
{
	return kinds[service % KINDS].v6;
}

static bool is_nat(uint32_t service)
{
	return kinds[service % KINDS].method == SL_METHOD_NAT;
}

/* The kernel's id of an endpoint of one family. */
static uint32_t endpoint_id(uint32_t endpoint, bool v6)
{
	return 2 * endpoint + v6;
}

static void address(uint8_t ret[SL_ADDR_LEN], enum side side, bool v6, uint32_t number)
{
	uint32_t words[SL_ADDR_LEN / sizeof(uint32_t)] = { 0, 0, htonl(0xffff), 0 };

	inet_pton(v6 ? AF_INET6 : AF_INET, networks[side][v6], v6 ? &words[0] : &words[3]);
	words[3] = htonl(ntohl(words[3]) + number);
	memcpy(ret, words, sizeof(words));
}

static struct sl_target_key key_of(enum side side, bool v6, uint32_t number)
{
	struct sl_target_key key = { .port = side == SERVICE ? SERVICE_PORT : ENDPOINT_PORT,
				     .proto = SL_TCP };

	address(key.addr, side, v6, number);
	return key;
}

/* --- the place -------------------------------------------------------------------------------- */

void scene_enter(void)
{
	netbed_enter();
	netbed_must("sysctl", "-qw", "net.ipv4.ip_forward=1");
	netbed_must("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
	netbed_veth(SCENE_DEVICE, SCENE_FAR);
	netbed_must("ip", "link", "set", SCENE_DEVICE, "mtu",
		    "3000"); /* room for a tunnel's header */
	netbed_must("ip", "addr", "add", "192.0.2.1/24", "dev", SCENE_DEVICE);
	netbed_must("ip", "addr", "add", "fd01::1/64", "dev", SCENE_DEVICE, "nodad");
	netbed_must("ip", "neigh", "add", "192.0.2.2", "lladdr", FAR_MAC, "dev", SCENE_DEVICE);
	netbed_must("ip", "neigh", "add", "fd01::2", "lladdr", FAR_MAC, "dev", SCENE_DEVICE);
	netbed_must("ip", "route", "add", "default", "via", "192.0.2.2");
	netbed_must("ip", "-6", "route", "add", "default", "via", "fd01::2");
}

/* --- what is configured ------------------------------------------------------------------------ */

static uint32_t slots_of(const struct scene_sizes *sizes)
{
	uint32_t slots = SLOTS_MIN;

	while (slots < sizes->endpoints * SLOTS_PER_ENDPOINT)
		slots *= 2;
	return slots;
}

static void add_endpoint(struct scene *scene, uint32_t endpoint, bool v6)
{
	uint32_t id = endpoint_id(endpoint, v6);
	struct sl_endpoint_name name = { .key = key_of(ENDPOINT, v6, endpoint),
					 .generation = GENERATION,
					 .service = SL_ID_NONE };

	address(name.source, SOURCE, v6, 0);
	world_put(scene->world, "endpoint_names", &id, &name);
	world_target(scene->world, &name.key,
		     (struct sl_target){ .kind = SL_TARGET_ENDPOINT, .id = id });
	world_word(scene->world, id, (struct sl_word){ .health = SL_HEALTHY });
}

static void add_service(struct scene *scene, uint32_t id)
{
	uint32_t slots = slots_of(&scene->sizes);
	bool v6 = is_v6(id);
	const struct sl_service service = { .key = key_of(SERVICE, v6, id),
					    .method = kinds[id % KINDS].method,
					    .none = SL_ACTION_REJECT,
					    .flags = SL_SERVICE_SOURCE_NAT,
					    .slice = { .start = v6 * slots, .size = slots } };

	world_put(scene->world, "services", &id, &service);
	world_target(scene->world, &service.key,
		     (struct sl_target){ .kind = SL_TARGET_SERVICE, .id = id });
}

/* One table for each family, which its services share. */
static void add_tables(struct scene *scene)
{
	uint32_t slots = slots_of(&scene->sizes);

	for (uint32_t slot = 0; slot < 2 * slots; slot += 2) {
		bool v6 = slot >= slots;
		struct sl_slots pair;
		uint32_t at = slot / 2;

		for (uint32_t i = 0; i < 2; i++)
			pair.endpoint[i] = endpoint_id((slot + i) % scene->sizes.endpoints, v6);
		world_put(scene->world, "selection", &at, &pair);
	}
}

static void set_meta(struct scene *scene)
{
	const struct sl_meta meta = { .layout = SL_LAYOUT,
				      .reply_window_ns = NS_PER_SEC,
				      .reply_budget = UINT64_MAX,
				      .services = scene->sizes.services,
				      .now_s = (uint32_t)(clock_mono_ns() / NS_PER_SEC),
				      .port_low = PORT_LOW,
				      .port_high = PORT_HIGH,
				      .half_open_s = IDLE_S,
				      .idle_tcp_s = IDLE_S,
				      .idle_udp_s = IDLE_S,
				      .closed_s = IDLE_S };
	uint32_t zero = 0;

	world_put(scene->world, "meta", &zero, &meta);
}

struct scene scene_new(const struct scene_sizes *sizes)
{
	struct scene scene = { .sizes = *sizes };

	scene.world = world_new_sized(&(struct world_sizes){ .endpoints = 2 * sizes->endpoints,
							     .services = sizes->services,
							     .slots = 2 * slots_of(sizes),
							     .flows = SLACK * sizes->flows });
	set_meta(&scene);
	for (uint32_t i = 0; i < sizes->endpoints; i++) {
		add_endpoint(&scene, i, false);
		add_endpoint(&scene, i, true);
	}
	for (uint32_t i = 0; i < sizes->services; i++)
		add_service(&scene, i);
	add_tables(&scene);
	return scene;
}

void scene_free(struct scene *scene)
{
	world_free(scene->world);
	scene->world = NULL;
}

/* --- flows ------------------------------------------------------------------------------------- */

static uint16_t port_of(const struct scene_flow *flow)
{
	return (uint16_t)(PORT_LOW + flow->client % PORTS);
}

struct entry {
	struct sl_tuple key;
	struct sl_flow value;
};

static struct sl_flow flow_value(const struct scene_flow *flow, enum sl_flow_kind kind)
{
	return (struct sl_flow){ .endpoint = endpoint_id(flow->endpoint, is_v6(flow->service)),
				 .service = flow->service,
				 .generation = GENERATION,
				 .seen_s = (uint32_t)(clock_mono_ns() / NS_PER_SEC),
				 .kind = kind };
}

static struct entry request_entry(const struct scene_flow *flow)
{
	bool v6 = is_v6(flow->service);
	struct entry entry = {
		.key = { .sport = CLIENT_PORT, .dport = SERVICE_PORT, .proto = SL_TCP },
		.value = flow_value(flow, SL_FLOW_TO_ENDPOINT),
	};

	address(entry.key.saddr, CLIENT, v6, flow->client);
	address(entry.key.daddr, SERVICE, v6, flow->service);
	if (is_nat(flow->service)) {
		entry.value.port = port_of(flow);
		address(entry.value.addr, SOURCE, v6, 0);
	}
	return entry;
}

static struct entry reply_entry(const struct scene_flow *flow)
{
	bool v6 = is_v6(flow->service);
	struct entry entry = {
		.key = { .sport = ENDPOINT_PORT, .dport = port_of(flow), .proto = SL_TCP },
		.value = flow_value(flow, SL_FLOW_TO_CLIENT),
	};

	address(entry.key.saddr, ENDPOINT, v6, flow->endpoint);
	address(entry.key.daddr, SOURCE, v6, 0);
	entry.value.port = CLIENT_PORT;
	address(entry.value.addr, CLIENT, v6, flow->client);
	return entry;
}

static void put_entry(struct scene *scene, const struct entry *entry)
{
	world_put(scene->world, "flows", &entry->key, &entry->value);
}

void scene_open(struct scene *scene, const struct scene_flow *flow)
{
	struct entry request = request_entry(flow), reply = reply_entry(flow);

	put_entry(scene, &request);
	if (is_nat(flow->service))
		put_entry(scene, &reply);
}

void scene_open_many(struct scene *scene, uint32_t service, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		scene_open(scene,
			   &(struct scene_flow){ i, service, i / PORTS % scene->sizes.endpoints });
}

/* --- packets ----------------------------------------------------------------------------------- */

static void text_of(char *text, const uint8_t addr[SL_ADDR_LEN], bool v6)
{
	inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? addr : addr + 12, text, INET6_ADDRSTRLEN);
}

/* An IPv4 SYN has its usual options, one of IPv6 none: both are as long. */
static void build(uint8_t *frame, const struct sl_tuple *tuple, bool v6, uint8_t flags)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	uint8_t whole[PACKET_MAX];
	struct packet_desc desc = { .src = src,
				    .dst = dst,
				    .sport = tuple->sport,
				    .dport = tuple->dport,
				    .tcp_flags = flags,
				    .seq = SEQ,
				    .ack = ACK,
				    .tcp_options = v6 ? 0 : 20 };

	text_of(src, tuple->saddr, v6);
	text_of(dst, tuple->daddr, v6);
	packet_build(whole, &desc);
	memcpy(frame, whole, WORLD_FRAME_LEN);
}

void scene_request(uint8_t *frame, const struct scene_flow *flow, uint8_t flags)
{
	struct entry entry = request_entry(flow);

	build(frame, &entry.key, is_v6(flow->service), flags);
}

void scene_reply(uint8_t *frame, const struct scene_flow *flow)
{
	struct entry entry = reply_entry(flow);

	build(frame, &entry.key, is_v6(flow->service), PACKET_ACK);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model - what the operator wants: gateway, probes, settings, pools and services, checked.
 *
 * Built once by config/, then read-only; any number of threads may read it. Plain data: the
 * arrays are owned by the model, indexes refer to them, and strings are NUL-terminated copies.
 * A model is complete: model_link() has resolved it into endpoints.
 */
#ifndef SLUICE_MODEL_MODEL_H
#define SLUICE_MODEL_MODEL_H

#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include "model/limits.h"
#include "util/addr.h"
#include "util/cleanup.h"

struct err;

/* An index that refers to nothing, for example settings without a custom probe. */
#define INDEX_NONE UINT32_MAX

enum protocol { PROTO_HTTP, PROTO_HTTPS, PROTO_TCP, PROTO_TLS, PROTO_UDP, PROTO_GRPC };

/* Of the PROXY protocol's header that a connection begins with. */
enum proxy_version { PROXY_NONE, PROXY_V1, PROXY_V2 };

enum xdp_mode { XDP_AUTO, XDP_OFFLOAD, XDP_NATIVE, XDP_GENERIC, XDP_OFF };

struct interface {
	char name[IFNAMSIZ];
	enum xdp_mode xdp;
	bool egress; /* gate and count what this host itself sends */
	bool may_wait; /* changed at runtime: a start goes on without it, see dataplane_open() */
};

struct port_range {
	uint16_t low, high; /* both included */
};

/* An address that clients connect to. */
struct listen {
	struct sl_target_key key; /* port 0: none */
	char text[SL_TEXT_LEN]; /* "192.0.2.10:443", or "" */
};

/* How HAProxy runs, which carries services with forward: l7. */
struct l7_gateway {
	bool configured; /* the file has the section, empty or not: services of layer 7 may come */
	char program[PATH_MAX];
	char user[SL_NAME_LEN]; /* and its group */
	char affinity_key[PATH_MAX]; /* file; "": one of its own in the state directory */
	char access_log[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* socket; "": none */
	uint32_t max_connections; /* 0: auto */
	uint32_t threads; /* 0: auto */
};

struct gateway {
	struct interface *interfaces;
	uint32_t n_interfaces;
	enum sl_mode mode;
	bool detach_on_exit; /* on_exit: detach */
	enum sl_loss on_daemon_loss;
	uint64_t daemon_loss_after_ms;
	uint32_t probe_workers; /* 0: auto */
	uint32_t probes_in_flight; /* 0: auto */
	uint32_t max_endpoints; /* 0: auto */
	uint32_t reply_rate; /* RST and ICMP replies per second and CPU */
	uint32_t max_services; /* 0: auto */
	uint32_t max_flows, max_half_open; /* entries of the maps of that name; 0: auto */
	bool watch; /* what comes of attempts to connect */
	uint32_t max_attempts; /* that are watched at a time; 0: auto */
	struct port_range nat_ports; /* that source ports are translated to */
	char api_socket[sizeof(((struct sockaddr_un *)0)->sun_path)];
	char state_dir[PATH_MAX];
	uint32_t events_max; /* that are kept there */
	char bpffs[PATH_MAX];
	char resolv_conf[PATH_MAX]; /* "": the system's */
	struct listen listen; /* of the metrics; none: they are off */
	struct l7_gateway l7;
};

struct status_range {
	uint16_t low, high; /* both included */
};

struct probe_match {
	struct status_range status[LIMIT_STATUS_RANGES];
	uint32_t n_status;
	char *body; /* substring that must appear; NULL: none */
};

enum trust_mode {
	TRUST_WELL_KNOWN, /* the system's store */
	TRUST_UPLOADED, /* the certificates of trusted_roots */
	TRUST_ALLOW_LIST /* the exact certificates of allow_listed */
};

/* A file that was named in the configuration, and one DER certificate that was in it. */
struct cert_file {
	char *path;
	uint8_t *der;
	uint32_t len;
};

/* Whom settings trust: what probe/trust.h makes its stores from. */
struct trust_spec {
	struct cert_file
		*certs; /* trusted roots or allow-listed certificates; a file may give several */
	uint32_t n_certs;
	char **crls; /* files, and URLs that begin with http:// */
	uint32_t n_crls;
	enum trust_mode mode;
};

/* What becomes of new flows to a service of which no endpoint is healthy. */
enum none_healthy {
	NONE_HEALTHY_REJECT,
	NONE_HEALTHY_DROP,
	NONE_HEALTHY_PASS,
	NONE_HEALTHY_LAST /* the endpoints that were healthy last */
};

/* A custom probe, or the default probe of settings that name none. */
struct probe_def {
	char name[SL_NAME_LEN];
	enum protocol protocol;
	char *host; /* NULL: none */
	bool host_from_settings;
	char *path;
	uint16_t port; /* 0: the settings' port */
	uint32_t interval_ms, timeout_ms;
	uint32_t unhealthy_threshold, healthy_threshold;
	bool fail_fast; /* after a failure, probe again at once instead of an interval later */
	struct probe_match match;
	uint32_t min_servers;
	enum proxy_version proxy_protocol;
	char *send; /* udp: the datagram, escapes resolved; NULL: an empty one */
	uint32_t send_len;
};

/* What somebody who reads HTTP, or speaks for the client, does with requests: forward: l7. */
struct l7_settings {
	const char *key; /* the first key of these that is not at its default, or NULL; constant */
	uint32_t request_timeout_ms; /* of tcp and tls: how long a connection may be idle */
	bool affinity;
	char cookie[SL_NAME_LEN]; /* its name */
	char *path_override; /* NULL: none */
	bool dedicated; /* each connection of a client has one of its own to the backend */
	enum proxy_version send_proxy; /* of tcp and tls */
};

struct settings {
	char name[SL_NAME_LEN];
	enum protocol protocol;
	uint16_t port;
	uint32_t probe; /* index into probes, or INDEX_NONE: the default probe */
	char *host_name; /* NULL: none */
	bool host_name_from_backend;
	struct trust_spec trust;
	bool validate_chain, validate_name; /* validate_chain_and_expiry, validate_sni */
	char *sni_name; /* of clients' connections (forward: l7); probes follow the host */
	uint32_t full_handshake_every;
	enum sl_action on_unhealthy;
	enum none_healthy on_none_healthy;
	bool reset_established; /* established: reset */
	bool drains; /* draining.enabled: for drain_ms, else for DRAIN_DEFAULT_MS */
	uint32_t drain_ms;
	bool passive; /* failing connections of clients start a probe: */
	uint32_t passive_failures, passive_window_ms; /* so many in so long */
	uint32_t
		passive_stretch; /* the most times that well-faring clients lengthen the interval */
	uint32_t passive_connect_ms; /* the least that such a probe waits for the handshake */
	uint32_t slow_start_ms; /* after recovery, until an endpoint has its whole share; 0: none */
	struct l7_settings l7;
};

/* A member as declared. A name stands for addresses that are found while the daemon runs. */
struct backend {
	struct addr addr;
	char text[SL_TEXT_LEN]; /* the address as people write it */
	char *name; /* NULL: addr it is; else a DNS name without trailing dot, and addr is zero */
	uint32_t weight; /* 0..256: share of the new flows; 0: none */
};

struct pool {
	char name[SL_NAME_LEN];
	struct backend *backends;
	uint32_t n_backends;
};

/* How packets to a listen address reach a backend. */
enum forward { FORWARD_NAT, FORWARD_DSR, FORWARD_IPIP, FORWARD_L7 };

/* Which requests to a listen address are a service's, and how its listener speaks. */
struct l7_listener {
	char **hosts; /* in lower case; none: any */
	uint32_t n_hosts;
	char *path_rule; /* "/exact", "/prefix*"; NULL: any path */
	char **certificates; /* files, each with its key; none: no TLS */
	uint32_t n_certificates;
	bool http2; /* with TLS */
};

struct service {
	char name[SL_NAME_LEN];
	struct listen listen; /* none: packets to the endpoints themselves are guarded */
	enum forward forward;
	bool source_nat; /* nat: backends see this host's address */
	bool source_affinity; /* all flows of a client's address go to one endpoint */
	uint32_t table_size; /* slots of its selection table, at least; 0: auto */
	uint32_t pool, settings;
	struct l7_listener l7; /* what it answers for; of FORWARD_L7 */
	/*
	 * Its endpoints in the order of the pool's backends: indexes into endpoints, and beside them
	 * the positions of the backends that they stand for. An address has one, a name
	 * LIMIT_NAME_ADDRESSES.
	 */
	uint32_t *endpoints, *owners;
	uint32_t n_endpoints;
};

/*
 * One address:port/proto of a backend under one settings: what is probed, gated and counted. A
 * name's endpoints are seats for the addresses that are found while the daemon runs; who sits in
 * them is not the model's to know.
 */
struct endpoint {
	struct sl_target_key key; /* unique in a model; of a seat: without address */
	char text[SL_TEXT_LEN]; /* "10.0.0.5:443"; of a seat: "" */
	const char *name; /* the backend's, borrowed from it; NULL: the backend is an address */
	uint32_t name_index; /* into model->names */
	uint32_t seat; /* 0..LIMIT_NAME_ADDRESSES - 1; those of a name follow each other */
	uint32_t settings;
	uint32_t service; /* the first that names it: whose names the data plane shows */
};

struct model {
	struct gateway gateway;
	struct probe_def *probes;
	struct settings *settings;
	struct pool *pools;
	struct service *services;
	struct endpoint *endpoints;
	uint32_t n_probes, n_settings, n_pools, n_services, n_endpoints;
	const char **names; /* the DNS names of all endpoints, each once; borrowed from backends */
	uint32_t n_names;
	uint64_t digest; /* of the configuration as it was written: tells one from another */
};

/* Release what the spec owns. */
void trust_spec_done(struct trust_spec *spec);

/* An empty model, or NULL: out of memory. */
struct model *model_new(void);

/* Free the model and all it owns. NULL is fine. */
void model_free(struct model *model);
DEFINE_CLEANUP(struct model, model_free)

/* A copy of all but what model_link() derives: it is not linked. -ENOMEM */
int model_copy(struct model **ret, const struct model *from);

/*
 * Derive the endpoints of all services and fill services[].endpoints. Called once, last.
 *   -EEXIST  two settings claim the same address:port/proto, or name (err names both services)
 *   -EINVAL  a service cannot use a backend of its pool (err names both)
 *   -ENOSPC  more than max_endpoints (or LIMIT_ENDPOINTS)
 *   -ENOMEM
 */
int model_link(struct model *model, struct err *err);

/* Take back what model_link() made: the model is one to copy. */
void model_unlink(struct model *model);

/* Entries that the data plane's maps need: max_endpoints, or what auto means for this model. */
uint32_t model_map_entries(const struct model *model);

/* The transport that settings of this protocol use. */
enum sl_proto protocol_transport(enum protocol protocol);

/* "http", "tcp", … */
const char *protocol_name(enum protocol protocol);

/* "auto", "native", … */
const char *xdp_mode_name(enum xdp_mode mode);

/* -ENOENT: no mode is called that. */
int xdp_mode_parse(enum xdp_mode *ret_mode, const char *name);

/* "v1", "v2"; "none". */
const char *proxy_version_name(enum proxy_version version);

/* Endpoints as the configuration counts them: a name is one. */
uint32_t model_declared(const struct model *model);

/* Whether the kernel forwards packets of the service: it has a listen address, or redirects. Never of FORWARD_L7. */
bool service_forwards(const struct model *model, const struct service *service);

/* Whether HAProxy carries it. */
bool service_is_l7(const struct service *service);

/* Whether its endpoints get shares of what is new: it forwards, or HAProxy does. */
bool service_balances(const struct model *model, const struct service *service);

/* Services that HAProxy carries. */
uint32_t model_l7(const struct model *model);

/* "nat", "dsr", "ipip", "l7". */
const char *forward_name(enum forward forward);

/* Services that forward. */
uint32_t model_forwarding(const struct model *model);

/* Endpoints of the service that has most, at least 1. */
uint32_t model_largest_service(const struct model *model);

/* Whether an endpoint at that address may get the service's packets: translation changes no family. */
bool service_takes(const struct service *service, const struct addr *addr);

/* How long open flows to an endpoint of these settings go on after it has begun to drain. */
uint32_t settings_drain_ms(const struct settings *settings);

/* The address of a backend as it was written. */
const char *backend_text(const struct backend *backend);

/* The position of the backend that was written so, or INDEX_NONE. A name may end with a dot. */
uint32_t pool_find_backend(const struct pool *pool, const char *address);

/* The pool of that name, or NULL. */
const struct pool *model_find_pool(const struct model *model, const char *name);

/* The interface of that name, or NULL. */
const struct interface *model_find_interface(const struct model *model, const char *name);

#endif

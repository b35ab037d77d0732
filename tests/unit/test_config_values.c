// SPDX-License-Identifier: GPL-2.0-or-later
/* Good configurations, and what the model holds after reading them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/report.h"
#include "model/model.h"
#include "tests/lib/fault.h"

#define GATE "gateway: { interfaces: [ { name: eth0 } ] }\n"
#define GATEWAY(keys) "gateway: { interfaces: [ { name: eth0 } ], " keys " }\n"
#define PROBE(keys) GATE "probes: [ { name: w, protocol: http, " keys " } ]\n"
#define SETTINGS(keys) GATE "settings: [ { name: w, protocol: http, port: 80, " keys " } ]\n"

#define TLS_SETTINGS(keys) GATE "settings: [ { name: w, protocol: https, port: 443, " keys " } ]\n"

#define DEFAULT_PATHS "/run/sluice/api.sock /sys/fs/bpf/sluice\n"

struct row {
	const char *yaml;
	const char *line; /* a line, or lines, of the model's dump */
};

static const struct row gateway_rows[] = {
	{ GATE,
	  "interface eth0 xdp 0 egress 1\n"
	  "gateway mode 0 detach 0 loss 0 after 30000 workers 0 flight 0 max 0 rate 10000 " DEFAULT_PATHS },
	{ "gateway:\n  interfaces:\n    - name: eth0\n    - { name: v.1-2_3, xdp: off, egress: false }\n",
	  "interface eth0 xdp 0 egress 1\ninterface v.1-2_3 xdp 4 egress 0\n" },
	{ "gateway: { interfaces: [ { name: abcdefghijklmno, xdp: offload } ] }\n",
	  "interface abcdefghijklmno xdp 1 egress 1\n" },
	{ "gateway: { interfaces: [ { name: a, xdp: native }, { name: b, xdp: generic } ] }\n",
	  "interface a xdp 2 egress 1\ninterface b xdp 3 egress 1\n" },
	{ GATEWAY("mode: observe, on_exit: detach, on_daemon_loss: open, daemon_loss_after: 2m"),
	  "gateway mode 1 detach 1 loss 1 after 120000 " },
	{ GATEWAY("daemon_loss_after: 1"), " after 1000 " },
	{ GATEWAY("daemon_loss_after: 86400"), " after 86400000 " },
	{ GATEWAY("probe_workers: 64, probes_in_flight: 65536, max_endpoints: 65536, "
		  "reply_rate: 10000000"),
	  " workers 64 flight 65536 max 65536 rate 10000000 " },
	{ GATEWAY("probe_workers: 1, probes_in_flight: 1, max_endpoints: 1, reply_rate: 1"),
	  " workers 1 flight 1 max 1 rate 1 " },
	{ GATEWAY("probe_workers: auto, probes_in_flight: auto, max_endpoints: auto"),
	  " workers 0 flight 0 max 0 " },
	/* Quotes do not change what a value is, and JSON is YAML. */
	{ "{\"gateway\": {\"interfaces\": [{\"name\": \"eth0\", \"egress\": false}], "
	  "\"reply_rate\": \"7\"}}",
	  " rate 7 " },
	/* Relative paths are relative to the file, which is dir/t.yaml. */
	{ GATEWAY("resolv_conf: r.conf"), "resolv_conf dir/r.conf\n" },
	{ GATEWAY("mode: enforce"), "resolv_conf /etc/resolv.conf\n" },
	{ GATEWAY("api_socket: run/api.sock, bpffs: /b"), " dir/run/api.sock /b\n" },
	{ GATEWAY("state_dir: state, events_max: 100"), "state dir/state 100\n" },
	{ GATEWAY("events_max: 10000000"), "state /var/lib/sluice 10000000\n" },
	/* Accepted because they ask for nothing that is not built yet. */
	{ GATEWAY("mode: enforce"), "metrics 127.0.0.1:9477 9477\n" },
	{ GATEWAY("listen: none"), "metrics  0\n" },
	{ GATEWAY("listen: 10.0.0.1:80"), "metrics 10.0.0.1:80 80\n" },
	{ GATEWAY("listen: 0.0.0.0:65535"), "metrics 0.0.0.0:65535 65535\n" },
	{ GATEWAY("listen: \"[0:0::1]:9477\""), "metrics [::1]:9477 9477\n" },
	{ GATEWAY("listen: \"[::]:9477\""), "metrics [::]:9477 9477\n" },
	{ GATE "probes:\nsettings: ~\npools: null\nservices: []\n", "interface eth0 " },
};

static const struct row probe_rows[] = {
	{ GATE "probes: [ { name: A.b_c-9, protocol: tcp } ]\n",
	  "probe A.b_c-9 tcp host - 0 path / port 0 interval 30000 timeout 30000 thresholds 3 1 "
	  "fast 0 status 200-399 body - min 0\n" },
	{ PROBE("host: www.example.test, path: \"/a?b=c&d=%20\", port: 8443"),
	  "probe w http host www.example.test 0 path /a?b=c&d=%20 port 8443 " },
	{ PROBE("host: under_score.test."), " host under_score.test. 0 " },
	{ PROBE("host: 1.example"), " host 1.example 0 " },
	{ PROBE("host: 192.0.2.1"), " host 192.0.2.1 0 " },
	{ PROBE("host: \"fd00::5\""), " host [fd00::5] 0 " },
	{ PROBE("host: \"[fd00::5]\""), " host [fd00::5] 0 " },
	{ PROBE("host_from_settings: true"), " host - 1 " },
	{ PROBE("host: a.test, host_from_settings: false"), " host a.test 0 " },
	{ PROBE("port: 1"), " port 1 " },
	{ PROBE("port: 65535"), " port 65535 " },
	{ PROBE("interval: 100ms, timeout: 100ms"), " interval 100 timeout 100 " },
	{ PROBE("interval: 1d, timeout: 86400"), " interval 86400000 timeout 86400000 " },
	{ PROBE("interval: 1500ms, timeout: 2m"), " interval 1500 timeout 120000 " },
	{ PROBE("unhealthy_threshold: 20, healthy_threshold: 20"), " thresholds 20 20 " },
	{ PROBE("unhealthy_threshold: 1, healthy_threshold: 1"), " thresholds 1 1 " },
	{ PROBE("fail_fast: true, min_servers: 4096"), " fast 1 status 200-399 body - min 4096\n" },
	{ PROBE("match: { status: \"200-399,401\", body: ready }"),
	  " status 200-399,401-401 body ready " },
	{ PROBE("match: { status: 100-599 }"), " status 100-599 body - " },
	{ PROBE("match: { status: 204 }"), " status 204-204 body - " },
	{ PROBE("match: { status: \" 200 - 204 , 301 \" }"), " status 200-204,301-301 " },
	{ PROBE("match: { body: \"\" }"), " status 200-399 body - " },
	{ PROBE("match: { body: \"two\\nlines\" }"), " body two\nlines " },
	{ PROBE("match: { }"), " status 200-399 body - " },
	{ PROBE("match:"), " status 200-399 body - " },
	{ PROBE("proxy_protocol: false"), "probe w " },
	{ GATE
	  "probes: [ { name: w, protocol: https }, { name: x, protocol: tls, host: a.test },\n"
	  "          { name: y, protocol: grpc, path: /pkg.Service }, { name: z, protocol: udp } ]\n",
	  "probe w https host - 0 path / port 0 interval 30000 timeout 30000 thresholds 3 1 "
	  "fast 0 status 200-399 body - min 0\n"
	  "probe x tls host a.test 0 path / port 0 interval 30000 timeout 30000 thresholds 3 1 "
	  "fast 0 status 200-399 body - min 0\n"
	  "probe y grpc host - 0 path /pkg.Service port 0 interval 30000 timeout 30000 "
	  "thresholds 3 1 fast 0 status 200-399 body - min 0\n"
	  "probe z udp host - 0 path / port 0 " },
	{ PROBE("proxy_protocol: true"), "probe w starts with a PROXY header v1\n" },
	{ PROBE("proxy_protocol: v1"), "probe w starts with a PROXY header v1\n" },
	{ PROBE("proxy_protocol: v2"), "probe w starts with a PROXY header v2\n" },
	{ GATE "probes: [ { name: w, protocol: udp, match: { body: pong },\n"
	       "            send: 'a\\n\\r\\t\\\\\\x00\\xfF' } ]\n",
	  "body pong min 0\nprobe w sends 61 0a 0d 09 5c 00 ff\n" },
	{ GATE "probes: [ { name: w, protocol: udp, send: \"a\\\\x41\\n\" } ]\n",
	  "probe w sends 61 41 0a\n" },
	{ GATE "probes: [ { name: w, protocol: udp, send: '' } ]\n", "body - min 0\n" },
	{ GATE "probes: [ { name: w, protocol: tcp, host_from_settings: false, port: 22 } ]\n",
	  "probe w tcp host - 0 path / port 22 " },
};

static const struct row settings_rows[] = {
	{ GATE "settings: [ { name: w, protocol: http, port: 80 } ]\n",
	  "settings w http port 80 probe - host - action 1 reset 0\n" },
	{ GATE "settings: [ { name: w, protocol: tcp, port: 65535 } ]\n",
	  "settings w tcp port 65535 probe - " },
	{ SETTINGS("on_unhealthy: drop, established: reset"), " action 2 reset 1\n" },
	{ SETTINGS("on_unhealthy: pass, established: keep"), " action 0 reset 0\n" },
	{ SETTINGS("on_unhealthy: reject"), " action 1 reset 0\n" },
	{ SETTINGS("host_name: www.example.test"), " host www.example.test " },
	{ SETTINGS("host_name: \"::1\""), " host [::1] " },
	{ SETTINGS("on_unhealthy: redirect"), " action 3 reset 0\n" },
	{ SETTINGS("on_none_healthy: last"), "flows w none 3 drain 30000 slow 0\n" },
	{ SETTINGS("on_none_healthy: drop, draining: { timeout: 5s }, slow_start: 30s"),
	  "flows w none 1 drain 30000 slow 30000\n" },
	{ SETTINGS("on_none_healthy: pass, draining: { enabled: true, timeout: 5s }"),
	  "flows w none 2 drain 5000 slow 0\n" },
	{ SETTINGS("draining: { enabled: true }"), "flows w none 0 drain 60000 slow 0\n" },
	/* Everything that later versions build, at its neutral value. */
	{ SETTINGS("trusted_roots: [ ], allow_listed: [ ], validate_chain_and_expiry: true, "
		   "validate_sni: true, host_name_from_backend: false, crl: [ ]"),
	  "settings w " },
	{ SETTINGS("draining: { enabled: false, timeout: 60s }, passive: { enabled: false, "
		   "failures: 5, window: 1s }, cookie_affinity: { enabled: false, name: Cookie }, "
		   "dedicated_connection: false, send_proxy_protocol: false, "
		   "on_none_healthy: reject"),
	  "settings w " },
	{ SETTINGS("on_unhealthy: reject"),
	  "trust w mode 0 chain 1 name 1 sni - backend 0 every 10 crls\n" },
	{ TLS_SETTINGS("validate_chain_and_expiry: false, validate_sni: false, sni_name: a.test, "
		       "full_handshake_every: 1"),
	  "trust w mode 0 chain 0 name 0 sni a.test backend 0 every 1 crls\n" },
	{ TLS_SETTINGS("host_name_from_backend: true, full_handshake_every: 1000"),
	  "trust w mode 0 chain 1 name 1 sni - backend 1 every 1000 crls\n" },
	/* Lists of revoked certificates need not be there yet. */
	{ TLS_SETTINGS(
		  "crl: [ a.crl, /b.crl, \"http://crl.test:8080/c?d\", \"http://[fd00::5]/\" ]"),
	  "every 10 crls dir/a.crl /b.crl http://crl.test:8080/c?d http://[fd00::5]/\n" },
	/* Keys about TLS go with the probe's protocol as well as with the settings'. */
	{ GATE "probes: [ { name: p, protocol: https } ]\n"
	       "settings: [ { name: w, protocol: tcp, port: 1, probe: p, validate_sni: false } ]\n",
	  "trust w mode 0 chain 1 name 0 " },
	{ GATE "settings: [ { name: w, protocol: tls, port: 1, validate_sni: false } ]\n",
	  "settings w tls port 1 probe - " },
	{ GATE "settings: [ { name: w, protocol: udp, port: 1 } ]\n",
	  "settings w udp port 1 probe - " },
	/* Every probe that fits. */
	{ GATE "probes: [ { name: h, protocol: http }, { name: s, protocol: https },\n"
	       "          { name: g, protocol: grpc }, { name: t, protocol: tls },\n"
	       "          { name: u, protocol: udp }, { name: c, protocol: tcp } ]\n"
	       "settings: [ { name: a, protocol: https, port: 1, probe: s },\n"
	       "            { name: b, protocol: https, port: 2, probe: g },\n"
	       "            { name: c, protocol: http, port: 3, probe: g },\n"
	       "            { name: d, protocol: tcp, port: 4, probe: g },\n"
	       "            { name: e, protocol: tcp, port: 5, probe: t },\n"
	       "            { name: f, protocol: tls, port: 6, probe: t },\n"
	       "            { name: g, protocol: tls, port: 7, probe: c },\n"
	       "            { name: h, protocol: udp, port: 8, probe: u } ]\n",
	  "settings h udp port 8 probe 4 " },
	/* The order of the sections is free, and references go by name. */
	{ "settings:\n"
	  "  - { name: a, protocol: tcp, port: 1, probe: tcp }\n"
	  "  - { name: b, protocol: tcp, port: 2, probe: http }\n"
	  "  - { name: c, protocol: udp, port: 3, probe: tcp }\n"
	  "  - { name: d, protocol: udp, port: 4, probe: http }\n"
	  "  - { name: e, protocol: tls, port: 5, probe: tcp }\n"
	  "  - { name: f, protocol: tls, port: 6, probe: http }\n"
	  "  - { name: g, protocol: http, port: 7, probe: http }\n"
	  "  - { name: h, protocol: http, port: 8, probe: from, host_name: h.test }\n"
	  "probes: [ { name: http, protocol: http }, { name: tcp, protocol: tcp },\n"
	  "          { name: from, protocol: http, host_from_settings: true } ]\n" GATE,
	  "settings a tcp port 1 probe 1 host - action 1 reset 0\n"
	  "settings b tcp port 2 probe 0 host - action 1 reset 0\n"
	  "settings c udp port 3 probe 1 host - action 1 reset 0\n"
	  "settings d udp port 4 probe 0 host - action 1 reset 0\n"
	  "settings e tls port 5 probe 1 host - action 1 reset 0\n"
	  "settings f tls port 6 probe 0 host - action 1 reset 0\n"
	  "settings g http port 7 probe 0 host - action 1 reset 0\n"
	  "settings h http port 8 probe 2 host h.test action 1 reset 0\n" },
};

#define FORWARDED(listen, keys)                                                                   \
	GATE "pools: [ { name: p, backends: [ { address: 10.0.0.5 }, { address: fd00::5 } ] },\n" \
	     "         { name: q, backends: [ { address: 10.0.0.5, weight: 0 } ] } ]\n"           \
	     "settings: [ { name: w, protocol: http, port: 80 }, "                                \
	     "{ name: u, protocol: udp, port: 53 } ]\n"                                           \
	     "services: [ { name: s, listen: \"" listen "\", " keys " } ]\n"

static const struct row service_rows[] = {
	{ FORWARDED("192.0.2.1:443", "pool: q, settings: w"),
	  "forward s to 192.0.2.1:443/6 by 0 source 1 affinity 0\n" },
	{ FORWARDED("192.0.2.1:443/tcp", "pool: q, settings: w, source_nat: false, "
					 "source_affinity: true"),
	  "forward s to 192.0.2.1:443/6 by 0 source 0 affinity 1\n" },
	{ FORWARDED("192.0.2.1:5353/udp", "pool: q, settings: u, forward: nat"),
	  "forward s to 192.0.2.1:5353/17 by 0 source 1 affinity 0\n" },
	{ FORWARDED("192.0.2.1:80", "pool: q, settings: w, forward: dsr"),
	  "forward s to 192.0.2.1:80/6 by 1 source 1 affinity 0\n" },
	/* In a tunnel, IPv4 reaches IPv6. */
	{ FORWARDED("192.0.2.1:80", "pool: p, settings: w, forward: ipip"),
	  "forward s to 192.0.2.1:80/6 by 2 source 1 affinity 0\n" },
	{ FORWARDED("192.0.2.1:80", "pool: q, settings: w"),
	  "pool p 10.0.0.5*1 fd00::5*1\npool q 10.0.0.5*0\n" },
	{ GATE, "room services 0 flows 0 half open 0 ports 16384-32767\n" },
	{ "gateway: { interfaces: [ { name: eth0 } ], nat_ports: 1024-1087, max_services: 5,\n"
	  "           max_flows: 1024, max_half_open: 16777216 }\n",
	  "room services 5 flows 1024 half open 16777216 ports 1024-1087\n" },
	{ GATE "pools: [ { name: p }, { name: q, backends: [ ] }, { name: r, backends: } ]\n",
	  "pool p\npool q\npool r\n" },
	{ GATE "pools:\n  - name: p\n    backends:\n      - address: 10.0.0.5\n"
	       "      - { address: fd00:0::5, weight: 1 }\n      - address: \"[fd00::6]\"\n"
	       "      - address: ::ffff:192.0.2.1\n",
	  "pool p 10.0.0.5*1 fd00::5*1 fd00::6*1 192.0.2.1*1\n" },
	{ "services: [ { name: s, pool: p, settings: w, hosts: [ ], tls: } ]\n"
	  "pools: [ { name: p, backends: [ { address: 10.0.0.5 }, { address: fd00::5 } ] } ]\n"
	  "settings: [ { name: w, protocol: http, port: 80 } ]\n" GATE,
	  "service s pool 0 settings 0 endpoints 0 1\n"
	  "endpoint 10.0.0.5:80\nendpoint [fd00::5]:80\n" },
	{ GATE
	  "settings: [ { name: w, protocol: http, port: 80 } ]\n"
	  "pools: [ { name: p, backends: [ { address: App.Internal.test. }, { address: localhost } ] } ]\n"
	  "services: [ { name: s, pool: p, settings: w } ]\n",
	  "pool p app.internal.test*1 localhost*1\nservice s pool 0 settings 0 endpoints 0 16\n"
	  "endpoint app.internal.test\nendpoint localhost\n" },
	/* Services that share a pool and settings share their endpoints. */
	{ GATE
	  "pools: [ { name: p, backends: [ { address: 10.0.0.5 } ] },\n"
	  "         { name: q, backends: [ { address: 10.0.0.6 }, { address: 10.0.0.5 } ] } ]\n"
	  "settings: [ { name: w, protocol: http, port: 80 } ]\n"
	  "services: [ { name: s, pool: p, settings: w }, { name: t, pool: q, settings: w } ]\n",
	  "service s pool 0 settings 0 endpoints 0\nservice t pool 1 settings 0 endpoints 1 0\n"
	  "endpoint 10.0.0.5:80\nendpoint 10.0.0.6:80\n" },
};

static const char *or_dash(const char *text)
{
	return text ? text : "-";
}

static void dump_probe(FILE *out, const struct probe_def *p)
{
	fprintf(out,
		"probe %s %s host %s %d path %s port %u interval %u timeout %u thresholds %u %u "
		"fast %d status ",
		p->name, protocol_name(p->protocol), or_dash(p->host), p->host_from_settings,
		or_dash(p->path), p->port, p->interval_ms, p->timeout_ms, p->unhealthy_threshold,
		p->healthy_threshold, p->fail_fast);
	for (uint32_t i = 0; i < p->match.n_status; i++)
		fprintf(out, "%s%u-%u", i ? "," : "", p->match.status[i].low,
			p->match.status[i].high);
	fprintf(out, " body %s min %u\n", or_dash(p->match.body), p->min_servers);
	if (p->proxy_protocol)
		fprintf(out, "probe %s starts with a PROXY header %s\n", p->name,
			proxy_version_name(p->proxy_protocol));
	if (p->send_len)
		fprintf(out, "probe %s sends", p->name);
	for (uint32_t i = 0; i < p->send_len; i++)
		fprintf(out, " %02x%s", (uint8_t)p->send[i], i + 1 == p->send_len ? "\n" : "");
}

static void dump_gateway(FILE *out, const struct gateway *g)
{
	for (uint32_t i = 0; i < g->n_interfaces; i++)
		fprintf(out, "interface %s xdp %d egress %d\n", g->interfaces[i].name,
			(int)g->interfaces[i].xdp, g->interfaces[i].egress);
	fprintf(out,
		"gateway mode %d detach %d loss %d after %" PRIu64
		" workers %u flight %u max %u rate %u %s %s\n"
		"resolv_conf %s\nstate %s %u\n"
		"metrics %s %u\n",
		g->mode, g->detach_on_exit, g->on_daemon_loss, g->daemon_loss_after_ms,
		g->probe_workers, g->probes_in_flight, g->max_endpoints, g->reply_rate,
		g->api_socket, g->bpffs, g->resolv_conf, g->state_dir, g->events_max,
		g->listen.text, g->listen.key.port);
}

static void dump_service(FILE *out, const struct model *m, const struct service *s)
{
	fprintf(out, "service %s pool %u settings %u endpoints", s->name, s->pool, s->settings);
	for (uint32_t i = 0; i < s->n_endpoints; i++)
		if (m->endpoints[s->endpoints[i]].seat == 0)
			fprintf(out, " %u", s->endpoints[i]);
	fprintf(out, "\n");
}

static void dump_forward(FILE *out, const struct service *s)
{
	fprintf(out, "forward %s to %s/%d by %d source %d affinity %d\n", s->name, s->listen.text,
		s->listen.key.proto, (int)s->forward, s->source_nat, s->source_affinity);
}

static void dump_trust(FILE *out, const struct settings *s)
{
	fprintf(out, "trust %s mode %d chain %d name %d sni %s backend %d every %u crls", s->name,
		(int)s->trust.mode, s->validate_chain, s->validate_name, or_dash(s->sni_name),
		s->host_name_from_backend, s->full_handshake_every);
	for (uint32_t i = 0; i < s->trust.n_crls; i++)
		fprintf(out, " %s", s->trust.crls[i]);
	fprintf(out, "\n");
}

static void dump(FILE *out, const struct model *m)
{
	dump_gateway(out, &m->gateway);
	for (uint32_t i = 0; i < m->n_probes; i++)
		dump_probe(out, &m->probes[i]);
	for (uint32_t i = 0; i < m->n_settings; i++) {
		const struct settings *s = &m->settings[i];

		char probe[16] = "-";

		if (s->probe != INDEX_NONE)
			snprintf(probe, sizeof(probe), "%u", s->probe);
		fprintf(out, "settings %s %s port %u probe %s host %s action %d reset %d\n",
			s->name, protocol_name(s->protocol), s->port, probe, or_dash(s->host_name),
			s->on_unhealthy, s->reset_established);
	}
	for (uint32_t i = 0; i < m->n_settings; i++) {
		const struct settings *s = &m->settings[i];

		dump_trust(out, s);
		fprintf(out, "flows %s none %d drain %u slow %u\n", s->name,
			(int)s->on_none_healthy, settings_drain_ms(s), s->slow_start_ms);
	}
	fprintf(out, "room services %u flows %u half open %u ports %u-%u\n",
		m->gateway.max_services, m->gateway.max_flows, m->gateway.max_half_open,
		m->gateway.nat_ports.low, m->gateway.nat_ports.high);
	for (uint32_t i = 0; i < m->n_pools; i++) {
		fprintf(out, "pool %s", m->pools[i].name);
		for (uint32_t j = 0; j < m->pools[i].n_backends; j++)
			fprintf(out, " %s*%u", backend_text(&m->pools[i].backends[j]),
				m->pools[i].backends[j].weight);
		fprintf(out, "\n");
	}
	for (uint32_t i = 0; i < m->n_services; i++)
		dump_service(out, m, &m->services[i]);
	for (uint32_t i = 0; i < m->n_endpoints; i++)
		if (m->endpoints[i].seat == 0)
			fprintf(out, "endpoint %s\n",
				m->endpoints[i].name ? m->endpoints[i].name : m->endpoints[i].text);
	for (uint32_t i = 0; i < m->n_services; i++)
		dump_forward(out, &m->services[i]);
}

static void check_row(const struct row *row)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct report report;
	char text[8192] = "";
	FILE *out;
	int r;

	r = config_parse(&model, row->yaml, strlen(row->yaml), "dir/t.yaml", &report);
	if (r < 0) {
		report_format(text, sizeof(text), &report, 0);
		fail_msg("%s\n%s", row->yaml, text);
	}
	assert_int_equal(report.n_errors, 0);

	out = fmemopen(text, sizeof(text), "w");
	assert_non_null(out);
	dump(out, model);
	fclose(out);
	if (!strstr(text, row->line))
		fail_msg("no '%s' in\n%s", row->line, text);
}

#define TEST_TABLE(table)                                                       \
	static void test_##table(void **state)                                  \
	{                                                                       \
		(void)state;                                                    \
		for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) \
			check_row(&(table)[i]);                                 \
	}

TEST_TABLE(gateway_rows)
TEST_TABLE(probe_rows)
TEST_TABLE(settings_rows)
TEST_TABLE(service_rows)

/* The file that is installed. */
static void test_default_file(void **state)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct report report;

	(void)state;
	assert_int_equal(config_load(&model, "etc/sluice.yaml", &report), 0);
	assert_int_equal(report.n_errors, 0);
	assert_string_equal(report.file, "etc/sluice.yaml");
}

static void check_unreadable(const char *path, int expected, const char *text)
{
	struct model *model = NULL;
	struct report report;
	char line[512];

	assert_int_equal(config_load(&model, path, &report), expected);
	assert_null(model);
	assert_int_equal(report.n_items, 1);
	report_format(line, sizeof(line), &report, 0);
	assert_string_equal(line, text);
}

static void test_unreadable_files(void **state)
{
	(void)state;
	check_unreadable("/nonexistent/x", -ENOENT,
			 "/nonexistent/x: cannot be read: No such file or directory");
	check_unreadable("/", -EISDIR, "/: cannot be read: Is a directory");
	check_unreadable("/dev/zero", -EFBIG,
			 "/dev/zero: the file is too large; allowed: at most 67108864 bytes");
	fault_after(FAULT_OPEN, 0, EACCES);
	check_unreadable("etc/sluice.yaml", -EACCES,
			 "etc/sluice.yaml: cannot be read: Permission denied");
	assert_true(fault_clear(FAULT_OPEN));
}

/* A pipe tells no size, and gives less than asked for. */
static void test_pipe(void **state)
{
	CLEANUP(model_free_p) struct model *model = NULL;
	struct report report;
	char path[32];
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], GATE, strlen(GATE)), strlen(GATE));
	close(fds[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	assert_int_equal(config_load(&model, path, &report), 0);
	assert_string_equal(model->gateway.interfaces[0].name, "eth0");
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gateway_rows),  cmocka_unit_test(test_probe_rows),
		cmocka_unit_test(test_settings_rows), cmocka_unit_test(test_service_rows),
		cmocka_unit_test(test_default_file),  cmocka_unit_test(test_unreadable_files),
		cmocka_unit_test(test_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tls_run - probes of a TLS server, and the certificates of all such tests; included by one .c of
 * each.
 */
#ifndef SLUICE_TESTS_TLS_RUN_H
#define SLUICE_TESTS_TLS_RUN_H

#include <string.h>

#include <openssl/ssl.h>

#include "probe/probe.h"
#include "probe/trust.h"
#include "tests/lib/certs.h"
#include "tests/lib/tls_peer.h"
#include "util/err.h"

#define PATIENT_MS 20000
#define BRIEF_MS 200
#define NAME "www.example.test"
#define OK "HTTP/1.1 200 OK\r\n"
#define BYTES(text) (text), .answer_len = sizeof(text) - 1

static const struct probe_match match_default = { .status = { { 200, 399 } }, .n_status = 1 };

/* The certificates of all tests, and whom the probes trust. */
static struct world {
	struct test_cert *root, *ca, *leaf, *rsa_leaf, *other_root;
	struct trust_spec spec, other_spec;
	struct trust *trust, *other_trust;
} world;

static struct test_cert *rsa_leaf(void)
{
	return test_cert_new(&(struct test_cert_spec){
		.cn = NAME, .issuer = world.ca, .key = TEST_KEY_RSA, .san = "DNS:" NAME });
}

static int set_up(void **state)
{
	struct err err;

	(void)state;
	world.root = test_root("root");
	world.ca = test_ca("ca", world.root);
	world.leaf = test_leaf(NAME, world.ca);
	world.rsa_leaf = rsa_leaf();
	world.other_root = test_root("other");
	world.spec.mode = world.other_spec.mode = TRUST_UPLOADED;
	test_trust_add(&world.spec, world.root);
	test_trust_add(&world.other_spec, world.other_root);
	return trust_new(&world.trust, &world.spec, &err) ||
	       trust_new(&world.other_trust, &world.other_spec, &err);
}

static int tear_down(void **state)
{
	(void)state;
	trust_free(world.trust);
	trust_free(world.other_trust);
	test_trust_clear(&world.spec);
	test_trust_clear(&world.other_spec);
	test_cert_free(world.root);
	test_cert_free(world.ca);
	test_cert_free(world.leaf);
	test_cert_free(world.rsa_leaf);
	test_cert_free(world.other_root);
	return 0;
}

static struct plan plan_of(enum protocol protocol)
{
	struct plan plan = {
		.protocol = protocol,
		.host = NAME,
		.path = "/",
		.match = &match_default,
		.timeout_ms = PATIENT_MS,
		.tls = { .enabled = true,
			 .trust = world.trust,
			 .sni = NAME,
			 .name = NAME,
			 .name_configured = true,
			 .check_chain = true,
			 .check_name = true,
			 .full_every = 1 },
	};

	assert_int_equal(addr_parse(&plan.addr, "127.0.0.1"), 0);
	return plan;
}

static void keep_verdict(void *arg, const struct verdict *verdict)
{
	*(struct verdict *)arg = verdict_keep(verdict);
}

static struct verdict probe_port(struct plan *plan, struct probe_state *state, uint16_t port)
{
	struct verdict v = { .elapsed_ms = UINT32_MAX };
	uv_loop_t loop;

	plan->port = port;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_non_null(probe_start(&loop, plan, state, keep_verdict, &v));
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_not_equal(v.elapsed_ms, UINT32_MAX);
	for (const char *c = v.detail; *c; c++)
		assert_true(*c >= ' ' && *c <= '~');
	return v;
}

static inline struct verdict probe_peer(struct plan *plan, const struct tls_peer_options *options)
{
	struct tls_peer *peer = tls_peer_new(options);
	struct verdict v = probe_port(plan, NULL, tls_peer_port(peer));

	tls_peer_free(peer);
	return v;
}

#endif

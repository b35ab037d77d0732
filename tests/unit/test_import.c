// SPDX-License-Identifier: GPL-2.0-or-later
/* An exported gateway as a configuration: what it comes to, and that every property is told of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "config/config.h"
#include "config/report.h"
#include "import/import.h"
#include "model/model.h"
#include "tests/unit/cli_run.h"
#include "util/err.h"

#define DATA "tests/unit/data/"
#define PATH_LEN 4096

struct imported {
	struct import *import;
	struct model *model;
	char *source;
};

static void imported_done(struct imported *imported)
{
	import_free(imported->import);
	model_free(imported->model);
	free(imported->source);
}

#define IMPORTED CLEANUP(imported_done) struct imported

static char *slurp(const char *path)
{
	CLEANUP(fclose_p) FILE *file = fopen(path, "re");
	char *text = calloc(1, 1 << 20);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	return text;
}

/* Import, and hold the result to the configuration language. */
static struct imported import_text(const char *text, const char *name)
{
	const struct import_options options = { .gateway = name };
	struct imported imported = { .source = strdup(text) };
	struct report report;
	struct err err = { "" };

	if (import_azure(&imported.import, text, strlen(text), &options, &err) < 0)
		fail_msg("%s", err.text);
	if (config_parse(&imported.model, imported.import->yaml, strlen(imported.import->yaml),
			 "x.yaml", &report) < 0)
		fail_msg("%u: %s: %s\n%s", report.items[0].line, report.items[0].key,
			 report.items[0].message, imported.import->yaml);
	return imported;
}

static struct imported import_file(const char *file, const char *name)
{
	CLEANUP(free_p) char *text = slurp(file);

	return import_text(text, name);
}

static const struct import_row *find_row(const struct imported *imported, const char *path)
{
	const struct import_row *found = NULL;

	for (size_t i = 0; i < imported->import->n_rows; i++) {
		if (strcmp(imported->import->rows[i].path, path) != 0)
			continue;
		if (found)
			fail_msg("%s is there twice", path);
		found = &imported->import->rows[i];
	}
	if (!found)
		fail_msg("%s is not there", path);
	return found;
}

/* Of the property at path that is the outcome, with these words in its note. */
static void expect(const struct imported *imported, const char *path, enum outcome outcome,
		   const char *words)
{
	const struct import_row *row = find_row(imported, path);

	if (row->outcome != outcome || !strstr(row->note, words))
		fail_msg("%s: %s: %s", path, outcome_name(row->outcome), row->note);
}

static void expect_yaml(const struct imported *imported, const char *words)
{
	if (!strstr(imported->import->yaml, words))
		fail_msg("no '%s' in\n%s", words, imported->import->yaml);
}

static const struct service *find_service(const struct imported *imported, const char *name)
{
	for (uint32_t i = 0; i < imported->model->n_services; i++)
		if (!strcmp(imported->model->services[i].name, name))
			return &imported->model->services[i];
	return NULL;
}

/* Walk the document as the report should have, in the simple names that the data has. */
static size_t count_leaves(const struct imported *imported, json_t *json, const char *path)
{
	char below[PATH_LEN];
	const char *key;
	json_t *value;
	size_t i, n = 0;

	if (!json_object_size(json) && !json_array_size(json)) {
		assert_true(find_row(imported, path)->outcome != OUTCOME_UNTOLD);
		return 1;
	}
	json_object_foreach(json, key, value)
	{
		bool quoted = strchr(key, ' ') != NULL;

		snprintf(below, sizeof(below), "%s%s%s%s", path,
			 quoted  ? "['"
			 : *path ? "."
				 : "",
			 key, quoted ? "']" : "");
		n += count_leaves(imported, value, below);
	}
	json_array_foreach(json, i, value)
	{
		snprintf(below, sizeof(below), "%s[%zu]", path, i);
		n += count_leaves(imported, value, below);
	}
	return n;
}

static void check_leaves(const struct imported *imported)
{
	json_t *json = json_loads(imported->source, 0, NULL);

	assert_non_null(json);
	assert_int_equal(count_leaves(imported, json, ""), imported->import->n_rows);
	json_decref(json);
}

static void test_every_leaf_once(void **state)
{
	IMPORTED v2 = import_file(DATA "azure_v2.json", NULL);
	IMPORTED l4 = import_file(DATA "azure_l4.json", NULL);
	IMPORTED template = import_file(DATA "azure_template.json", "two");

	(void)state;
	check_leaves(&v2);
	check_leaves(&l4);
	check_leaves(&template);
}

static void test_v2_probes(void **state)
{
	IMPORTED v2 = import_file(DATA "azure_v2.json", NULL);
	const struct probe_def *web = &v2.model->probes[0], *api = &v2.model->probes[1];

	(void)state;
	assert_int_equal(v2.model->n_probes, 2);
	assert_string_equal(web->name, "web-probe");
	assert_int_equal(web->protocol, PROTO_HTTP);
	assert_true(web->host_from_settings);
	assert_string_equal(web->path, "/health%20check?q=\"x\"");
	assert_int_equal(web->interval_ms, 86400 * 1000);
	assert_int_equal(web->timeout_ms, 30 * 1000);
	assert_int_equal(web->min_servers, 1);
	assert_int_equal(web->match.n_status, 2);
	assert_int_equal(web->match.status[1].low, 401);
	assert_string_equal(web->match.body, "it's \"ok\": \u00fc \u2028 #");
	assert_string_equal(api->host, "api.example.test");
	assert_int_equal(api->port, 8443);
	assert_int_equal(api->unhealthy_threshold, 1);

	expect(&v2, "probes[0].interval", OUTCOME_APPROXIMATED, "86401 is out of range");
	expect(&v2, "probes[0].path", OUTCOME_APPROXIMATED, "%20");
	expect(&v2, "probes[0].timeout", OUTCOME_CARRIED, "probes[].timeout");
	expect(&v2, "probes[0].match.statusCodes[2]", OUTCOME_NONE, "nonsense");
	expect(&v2, "probes[1].unhealthyThreshold", OUTCOME_APPROXIMATED, "1..20");
	expect(&v2, "probes[0].backendHttpSettings[0].id", OUTCOME_IGNORED, "");
}

static void test_v2_settings(void **state)
{
	IMPORTED v2 = import_file(DATA "azure_v2.json", NULL);
	const struct settings *web = &v2.model->settings[0], *api = &v2.model->settings[1];

	(void)state;
	assert_int_equal(v2.model->n_settings, 3);
	assert_int_equal(web->probe, 0);
	assert_int_equal(web->port, 80);
	assert_string_equal(web->host_name, "shop.example.test");
	assert_true(web->drains);
	assert_int_equal(web->drain_ms, 90 * 1000);
	assert_int_equal(api->protocol, PROTO_HTTPS);
	assert_true(api->host_name_from_backend);
	assert_string_equal(api->sni_name, "sni.example.test");
	assert_false(api->drains);

	expect(&v2, "backendHttpSettingsCollection[0].cookieBasedAffinity", OUTCOME_APPROXIMATED,
	       "source_affinity");
	expect(&v2, "backendHttpSettingsCollection[0].requestTimeout", OUTCOME_CARRIED,
	       "request_timeout");
	expect(&v2, "backendHttpSettingsCollection[0].path", OUTCOME_NONE, "forward: l7");
	expect(&v2, "backendHttpSettingsCollection[0].validateSNI", OUTCOME_IGNORED, "TLS");
	expect(&v2, "backendHttpSettingsCollection[1].dedicatedBackendConnection", OUTCOME_NONE,
	       "forward: l7");
	expect(&v2, "trustedRootCertificates[0].data", OUTCOME_NONE, "--certs");
	expect_yaml(&v2, "    request_timeout: 20s\n");
	expect_yaml(&v2, "    # trusted_roots: [ corp-root.pem ]  (");
}

static void test_v2_services(void **state)
{
	IMPORTED v2 = import_file(DATA "azure_v2.json", NULL);
	const struct service *http = find_service(&v2, "private-rule");
	const struct service *tls = find_service(&v2, "tls-through");
	const struct service *shop = find_service(&v2, "public-rule");

	(void)state;
	assert_int_equal(v2.model->n_pools, 2);
	assert_int_equal(v2.model->pools[0].n_backends, 2);
	assert_int_equal(v2.model->pools[1].n_backends, 1);
	/* By priority. */
	assert_ptr_equal(http, &v2.model->services[0]);
	assert_string_equal(http->listen.text, "10.1.0.10:80");
	assert_int_equal(http->forward, FORWARD_NAT);
	assert_true(http->source_affinity);
	assert_string_equal(tls->listen.text, "10.1.0.10:8443");
	assert_false(tls->source_affinity);
	assert_int_equal(shop->listen.key.port, 0);
	assert_int_equal(find_service(&v2, "public-rule-api")->settings, 1);
	assert_null(find_service(&v2, "public-rule-old"));
	assert_null(find_service(&v2, "clash"));

	expect(&v2, "requestRoutingRules[0].name", OUTCOME_APPROXIMATED, "public-rule");
	expect(&v2, "requestRoutingRules[3].name", OUTCOME_NONE, "under other settings");
	expect(&v2, "urlPathMaps[0].pathRules[1].name", OUTCOME_NONE, "redirects");
	expect(&v2, "urlPathMaps[0].pathRules[0].paths[1]", OUTCOME_NONE, "paths");
	expect(&v2, "frontendIPConfigurations[0].publicIPAddress.id", OUTCOME_NONE,
	       "give services one of your own");
	expect(&v2, "backendAddressPools[0].backendIPConfigurations[0].id", OUTCOME_NONE,
	       "network interface");
	expect(&v2, "backendAddressPools[0].backendAddresses[2].ipAddress", OUTCOME_NONE,
	       "already");
	expect(&v2, "sku.name", OUTCOME_NONE, "");
	expect(&v2, "tags['cost center']", OUTCOME_NONE, "");
	expect(&v2, "etag", OUTCOME_IGNORED, "");
	expect_yaml(&v2, "  # - name: clash\n");
	/* What is secret is not shown. */
	assert_null(strstr(v2.import->yaml, "MIIsecret"));
}

static void test_layer4(void **state)
{
	IMPORTED l4 = import_file(DATA "azure_l4.json", NULL);
	const struct service *db = find_service(&l4, "db"), *mq = find_service(&l4, "mq");

	(void)state;
	assert_int_equal(l4.model->settings[0].protocol, PROTO_TCP);
	assert_int_equal(l4.model->settings[1].protocol, PROTO_TLS);
	assert_int_equal(l4.model->probes[0].proxy_protocol, PROXY_V1);
	assert_true(l4.model->probes[1].host_from_settings);
	assert_string_equal(db->listen.text, "192.0.2.10:5432");
	assert_string_equal(mq->listen.text, "192.0.2.10:5671");
	assert_int_equal(find_service(&l4, "db6")->listen.key.port, 0);
	assert_int_equal(find_service(&l4, "twice")->listen.key.port, 0);
	assert_null(find_service(&l4, "dangling"));
	expect(&l4, "properties.routingRules[2].properties.listener.id", OUTCOME_APPROXIMATED,
	       "another address family");
	expect(&l4, "properties.routingRules[3].properties.backendAddressPool.id", OUTCOME_NONE,
	       "'gone', which is not in the file");
	expect(&l4, "properties.routingRules[4].properties.listener.id", OUTCOME_APPROXIMATED,
	       "service 'db' listens there");
	expect(&l4, "properties.backendSettingsCollection[0].properties.timeout", OUTCOME_NONE,
	       "idle");
	expect(&l4,
	       "properties.backendSettingsCollection[0].properties.enableL4ClientIpPreservation",
	       OUTCOME_NONE, "forward: l7");
}

static void test_template(void **state)
{
	IMPORTED one = import_file(DATA "azure_template.json", "ONE");
	IMPORTED two = import_file(DATA "azure_template.json", "two");

	(void)state;
	assert_string_equal(one.import->name, "one");
	assert_int_equal(one.model->settings[0].port, 8080);
	assert_string_equal(one.model->probes[0].path, "/healthz");
	assert_string_equal(one.model->probes[0].host, "www.example.test");
	assert_string_equal(one.model->services[0].listen.text, "10.3.1.10:80");
	expect(&one, "parameters.port.defaultValue", OUTCOME_CARRIED, "referred to");
	expect(&one, "resources[0].properties.ipAddress", OUTCOME_NONE, "another resource");
	expect(&one, "resources[2].name", OUTCOME_NONE, "another resource");
	expect(&one, "$schema", OUTCOME_IGNORED, "");
	/* An expression that cannot be told: its settings, and what uses them. */
	assert_int_equal(two.model->n_settings, 0);
	assert_int_equal(two.model->n_services, 0);
	expect(&two, "resources[2].properties.backendHttpSettingsCollection[0].properties.protocol",
	       OUTCOME_NONE, "expression");
}

/* A gateway with one rule and what is given of its parts, for the cases that follow. */
#define GATEWAY(settings, probe, pool, listener)                                               \
	"{\"name\":\"g\",\"backendAddressPools\":[{\"name\":\"p\",\"backendAddresses\":[" pool \
	"]}],\"backendHttpSettingsCollection\":[{\"name\":\"s\",\"port\":80," settings         \
	"}],\"probes\":[{\"name\":\"q\"," probe "}],"                                          \
	"\"frontendIPConfigurations\":[{\"name\":\"f\",\"privateIPAddress\":\"10.0.0.1\"}],"   \
	"\"frontendPorts\":[{\"name\":\"n\",\"port\":80}],\"httpListeners\":[{\"name\":\"l\"," \
	"\"frontendIPConfiguration\":{\"id\":\"f\"},\"frontendPort\":{\"id\":\"n\"}," listener \
	"}],\"requestRoutingRules\":[{\"name\":\"r\",\"httpListener\":{\"id\":\"/x/l\"},"      \
	"\"backendAddressPool\":{\"id\":\"/x/P\"},\"backendHttpSettings\":{\"id\":\"/x/s\"}}]}"

#define HTTP "\"protocol\":\"Http\""
#define HTTPS "\"protocol\":\"Https\""
#define ONE "{\"ipAddress\":\"10.0.0.5\"}"
#define SETTINGS "backendHttpSettingsCollection[0]."

static void test_listening(void **state)
{
	IMPORTED ends = import_text(GATEWAY(HTTP, HTTP, ONE, HTTPS), NULL);
	IMPORTED begins = import_text(GATEWAY(HTTPS, HTTPS, ONE, HTTP), NULL);
	IMPORTED own = import_text(GATEWAY(HTTP, HTTP, "{\"ipAddress\":\"10.0.0.1\"}", HTTP), NULL);
	IMPORTED good = import_text(GATEWAY(HTTP, HTTP, ONE, HTTP), NULL);

	(void)state;
	assert_string_equal(good.model->services[0].listen.text, "10.0.0.1:80");
	expect(&ends, "requestRoutingRules[0].httpListener.id", OUTCOME_APPROXIMATED, "ends TLS");
	expect(&begins, "requestRoutingRules[0].httpListener.id", OUTCOME_APPROXIMATED,
	       "speak TLS");
	expect(&own, "requestRoutingRules[0].httpListener.id", OUTCOME_APPROXIMATED,
	       "is an endpoint of 'r'");
	assert_int_equal(ends.model->services[0].listen.key.port, 0);
	assert_int_equal(begins.model->services[0].listen.key.port, 0);
	assert_int_equal(own.model->services[0].listen.key.port, 0);
}

#define HOST_LISTENER(name, host)                                           \
	"{\"name\":\"" name "\",\"protocol\":\"Http\",\"hostName\":\"" host \
	"\",\"frontendIPConfiguration\":{\"id\":\"f\"},\"frontendPort\":{\"id\":\"n\"}}"
#define HOST_RULE(name, rest) \
	"{\"name\":\"" name "\",\"httpListener\":{\"id\":\"" name "\"}," rest "}"
#define TO(pool) \
	"\"backendAddressPool\":{\"id\":\"" pool "\"},\"backendHttpSettings\":{\"id\":\"s\"}"
#define TWO_HOSTS(second)                                                                                                      \
	"{\"backendAddressPools\":[{\"name\":\"p\"},{\"name\":\"q\"}],"                                                        \
	"\"backendHttpSettingsCollection\":[{\"name\":\"s\",\"port\":80,\"protocol\":\"Http\"}],"                              \
	"\"frontendIPConfigurations\":[{\"name\":\"f\",\"privateIPAddress\":\"10.0.0.1\"}],"                                   \
	"\"frontendPorts\":[{\"name\":\"n\",\"port\":80}],\"httpListeners\":[" HOST_LISTENER("a", "a.test") "," HOST_LISTENER( \
		"b",                                                                                                           \
		"b.test") "],\"requestRoutingRules\":[" HOST_RULE("a",                                                         \
								  TO("p")) "," HOST_RULE("b",                                  \
											 second) "]}"

/* Clients of one host are not sent to the backends of another because they share an address. */
static void test_shared_address(void **state)
{
	IMPORTED apart = import_text(TWO_HOSTS(TO("q")), NULL);
	IMPORTED away = import_text(TWO_HOSTS("\"redirectConfiguration\":{\"id\":\"x\"}"), NULL);
	IMPORTED same = import_text(TWO_HOSTS(TO("p")), NULL);

	(void)state;
	assert_int_equal(apart.model->n_services, 2);
	assert_int_equal(apart.model->services[0].listen.key.port, 0);
	assert_int_equal(apart.model->services[1].listen.key.port, 0);
	expect(&apart, "requestRoutingRules[0].httpListener.id", OUTCOME_APPROXIMATED,
	       "rule 'b' has the same address and port and goes elsewhere");
	assert_int_equal(away.model->n_services, 1);
	assert_int_equal(away.model->services[0].listen.key.port, 0);
	assert_int_equal(same.model->services[0].listen.key.port, 80);
	assert_int_equal(same.model->services[1].listen.key.port, 0);
}

static void test_hosts(void **state)
{
	/* A host from backends' names needs names; the probe needs a host. */
	IMPORTED mixed = import_text(
		GATEWAY(HTTP ",\"pickHostNameFromBackendAddress\":true,\"probe\":{\"id\":\"q\"}",
			HTTP ",\"pickHostNameFromBackendHttpSettings\":true",
			ONE ",{\"fqdn\":\"a.example.test\"}", HTTP),
		NULL);
	IMPORTED both = import_text(
		GATEWAY(HTTP ",\"pickHostNameFromBackendAddress\":true,\"hostName\":\"h.test\"",
			HTTP ",\"host\":\"i.test\",\"pickHostNameFromBackendHttpSettings\":true",
			ONE, HTTP),
		NULL);

	(void)state;
	assert_string_equal(mixed.model->settings[0].host_name, "127.0.0.1");
	expect(&mixed, SETTINGS "pickHostNameFromBackendAddress", OUTCOME_NONE, "without a name");
	assert_string_equal(both.model->settings[0].host_name, "h.test");
	assert_string_equal(both.model->probes[0].host, "i.test");
	expect(&both, SETTINGS "pickHostNameFromBackendAddress", OUTCOME_NONE, "host name");
	expect(&both, "probes[0].pickHostNameFromBackendHttpSettings", OUTCOME_NONE, "of its own");
}

static void test_misfits(void **state)
{
	IMPORTED probe =
		import_text(GATEWAY(HTTPS ",\"probe\":{\"id\":\"q\"}", HTTP, ONE, HTTP), NULL);
	IMPORTED port =
		import_text(GATEWAY(HTTP ",\"PORT\":1", HTTP ",\"port\":70000", ONE, HTTP), NULL);
	IMPORTED tcp = import_text(
		GATEWAY(HTTP,
			"\"protocol\":\"Tcp\",\"path\":\"/\",\"host\":\"h\",\"match\":{\"body\":"
			"\"x\"}",
			"{\"ipAddress\":\"300.0.0.1\"},{\"fqdn\":\"-bad-\"},{\"fqdn\":\"::1%lo\"}",
			HTTP),
		NULL);

	(void)state;
	assert_int_equal(probe.model->settings[0].probe, INDEX_NONE);
	expect(&probe, SETTINGS "probe.id", OUTCOME_NONE, "another protocol");
	assert_int_equal(port.model->probes[0].port, UINT16_MAX);
	expect(&port, "probes[0].port", OUTCOME_APPROXIMATED, "70000");
	assert_int_equal(tcp.model->pools[0].n_backends, 0);
	expect(&tcp, "probes[0].path", OUTCOME_NONE, "no HTTP");
	expect(&tcp, "probes[0].host", OUTCOME_NONE, "no host");
	expect(&tcp, "probes[0].match.body", OUTCOME_NONE, "no HTTP");
	expect(&tcp, "backendAddressPools[0].backendAddresses[1].fqdn", OUTCOME_NONE, "neither");
}

static void test_names(void **state)
{
	IMPORTED names = import_text(
		"{\"backendAddressPools\":[{\"name\":\"a b\"},{\"name\":\"a-b\"},{\"name\":\"\u00fc\"},"
		"{\"name\":\"null\"},{},{\"name\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaa\"},{\"name\":\"12\"}],\"name\":\"x\\n- y: \u2028z\"}",
		NULL);

	(void)state;
	assert_int_equal(names.model->n_pools, 7);
	assert_string_equal(names.model->pools[0].name, "a-b");
	assert_string_equal(names.model->pools[1].name, "a-b-2");
	assert_string_equal(names.model->pools[2].name, "--");
	assert_string_equal(names.model->pools[3].name, "null");
	assert_string_equal(names.model->pools[4].name, "unnamed-5");
	assert_int_equal(strlen(names.model->pools[5].name), SL_NAME_LEN - 1);
	assert_string_equal(names.model->pools[6].name, "12");
	expect(&names, "backendAddressPools[0].name", OUTCOME_APPROXIMATED, "a-b");
}

/* Over the command line: statuses, both outputs, and certificates that are written. */
static void test_command(void **state)
{
	RESULT text = run("import azure " DATA "azure_v2.json");
	RESULT json = run("import azure --json " DATA "azure_v2.json");
	RESULT several = run("import azure " DATA "azure_template.json");
	RESULT other = run("import azure --name three " DATA "azure_template.json");
	RESULT missing = run("import azure /nonexistent");
	RESULT usage = run("import azure");
	json_t *document = json_loads(json.out, 0, NULL);

	(void)state;
	assert_int_equal(text.status, STATUS_DONE);
	assert_non_null(strstr(text.err, "probes[0].interval"));
	assert_non_null(strstr(text.err, "placeholder"));
	assert_int_equal(json.status, STATUS_DONE);
	assert_string_equal(json.err, "");
	assert_string_equal(json_string_value(json_object_get(document, "yaml")), text.out);
	assert_true(json_array_size(json_object_get(document, "properties")) > 100);
	json_decref(document);
	assert_int_equal(several.status, STATUS_REFUSED);
	assert_non_null(strstr(several.err, "2 Application Gateways (one, two); choose one"));
	assert_int_equal(other.status, STATUS_REFUSED);
	assert_non_null(strstr(other.err, "'three'"));
	assert_int_equal(missing.status, STATUS_REFUSED);
	assert_non_null(strstr(missing.err, "/nonexistent: No such file"));
	assert_int_equal(usage.status, STATUS_USAGE);
}

static void test_certs(void **state)
{
	char line[256], directory[] = "/tmp/sluice-import-XXXXXX", path[128];
	struct stat before, after;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(line, sizeof(line), "import azure %s --certs %s/new", DATA "azure_v2.json",
		 directory);
	snprintf(path, sizeof(path), "%s/new/corp-root.pem", directory);
	RESULT first = run(line);
	assert_int_equal(first.status, STATUS_DONE);
	assert_non_null(strstr(first.out, path));
	assert_int_equal(stat(path, &before), 0);
	/* Again: the file is there already, and left alone. */
	RESULT second = run(line);
	assert_string_equal(first.out, second.out);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(truncate(path, 10), 0);
	RESULT third = run(line);
	assert_non_null(strstr(third.err, "holds something else"));
	assert_non_null(strstr(third.out, "# trusted_roots"));
	unlink(path);
	snprintf(path, sizeof(path), "%s/new", directory);
	rmdir(path);
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_leaf_once), cmocka_unit_test(test_v2_probes),
		cmocka_unit_test(test_v2_settings),     cmocka_unit_test(test_v2_services),
		cmocka_unit_test(test_layer4),          cmocka_unit_test(test_template),
		cmocka_unit_test(test_listening),       cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_misfits),         cmocka_unit_test(test_names),
		cmocka_unit_test(test_shared_address),  cmocka_unit_test(test_command),
		cmocka_unit_test(test_certs),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Files that are no export, or mean harm: one sentence that says what is wrong, or a configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "config/config.h"
#include "config/report.h"
#include "import/emit.h"
#include "import/expr.h"
#include "import/import.h"
#include "model/model.h"
#include "tests/lib/fault.h"
#include "util/err.h"

static const struct import_options plain = { .gateway = NULL };

static void refuse(const char *text, size_t len, int code, const char *words)
{
	struct import *import = NULL;
	struct err err = { "" };

	assert_int_equal(import_azure(&import, text, len, &plain, &err), code);
	assert_null(import);
	if (!strstr(err.text, words))
		fail_msg("'%s' instead of '%s'", err.text, words);
}

/* What comes of it is a configuration. */
static struct import *import_good(const char *text)
{
	struct model *model = NULL;
	struct import *import = NULL;
	struct report report;
	struct err err = { "" };

	if (import_azure(&import, text, strlen(text), &plain, &err) < 0)
		fail_msg("%s", err.text);
	if (config_parse(&model, import->yaml, strlen(import->yaml), "x.yaml", &report) < 0)
		fail_msg("%u: %s\n%s", report.items[0].line, report.items[0].message, import->yaml);
	model_free(model);
	return import;
}

static void test_no_export(void **state)
{
	static const struct row {
		const char *text, *words;
	} rows[] = {
		{ "", "line 1" },
		{ "{", "line 1" },
		{ "not json", "line 1" },
		{ "[]", "no Application Gateway" },
		{ "{}", "no Application Gateway" },
		{ "3", "line 1" },
		{ "{\"resources\":3}", "no Application Gateway" },
		{ "{\"type\":3,\"backendAddressPools\":[]}", "no Application Gateway" },
		{ "{\"type\":\"Microsoft.Network/loadBalancers\"}", "no Application Gateway" },
		{ "{\"a\":1,\"a\":2}", "duplicate" },
		{ "{\"a\":99999999999999999999}", "too big" },
		{ "{\"a\":\"\\u0000\"}", "line 1" },
		{ "\xff\xfe{\0", "UTF-16" },
		{ "[{\"backendAddressPools\":[]},{\"backendAddressPools\":[]}]", "has 2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refuse(rows[i].text, strlen(rows[i].text), -EINVAL, rows[i].words);
}

/* "[[[…]]]", or "{"a":[0,0,…]}", each with n of what it repeats. */
static char *repeat(const char *before, const char *piece, size_t n, const char *after)
{
	size_t len = strlen(piece);
	char *text = malloc(strlen(before) + n * len + strlen(after) + 1), *end = text;

	assert_non_null(text);
	end = stpcpy(end, before);
	for (size_t i = 0; i < n; i++)
		end = stpcpy(end, piece);
	stpcpy(end, after);
	return text;
}

static void refuse_repeated(const char *before, const char *piece, size_t n, const char *after,
			    const char *words)
{
	char *text = repeat(before, piece, n, after);

	refuse(text, strlen(text), -EFBIG, words);
	free(text);
}

static void test_too_much(void **state)
{
	char *deep = repeat("", "[", 40, "");
	char *whole = repeat(deep, "]", 40, "");

	(void)state;
	refuse(whole, strlen(whole), -EFBIG, "32 levels");
	free(deep);
	free(whole);
	refuse_repeated("", " ", LIMIT_IMPORT_BYTES, "{}", "is larger than 8388608 bytes");
	refuse_repeated("[0", ",0", LIMIT_IMPORT_VALUES, "]", "262144 values");
	refuse_repeated("{\"backendAddressPools\":[{}", ",{}", LIMIT_IMPORT_ITEMS, "]}",
			"4097 backendAddressPools; at most 4096");
	refuse_repeated(
		"{\"backendAddressPools\":[],\"requestRoutingRules\":[{\"urlPathMap\":{\"id\":"
		"\"m\"}}],\"urlPathMaps\":[{\"name\":\"m\",\"pathRules\":[{}",
		",{}", LIMIT_IMPORT_ITEMS, "]}]}", "more than 4096 rules");
}

/* Members, and endpoints, beyond what a configuration may have. */
static void test_too_many_backends(void **state)
{
	char *gateway = NULL;
	struct import *import;
	size_t len;
	FILE *out = open_memstream(&gateway, &len);

	(void)state;
	fputs("{\"backendAddressPools\":[{\"name\":\"p\",\"backendAddresses\":[", out);
	for (int i = 0; i <= LIMIT_BACKENDS_PER_POOL; i++)
		fprintf(out, "%s{\"fqdn\":\"n%d.test\"}", i ? "," : "", i);
	fputs("]}],\"backendHttpSettingsCollection\":[{\"name\":\"s\",\"port\":80,"
	      "\"protocol\":\"Http\"}],\"requestRoutingRules\":[{\"name\":\"r\","
	      "\"backendAddressPool\":{\"id\":\"p\"},\"backendHttpSettings\":{\"id\":\"s\"}"
	      "}]}",
	      out);
	fclose(out);
	import = import_good(gateway);
	assert_non_null(strstr(import->yaml, "is one backend too many"));
	assert_non_null(strstr(import->yaml, "more than 65536 endpoints"));
	import_free(import);
	free(gateway);
}

/* Nothing that a text holds may become a line of its own. */
static void test_injection(void **state)
{
	struct import *import = import_good(
		"{\"name\":\"x\\ngateway: {}\\u2028y: \\u0085z\\u001b[31m\",\"backendAddressPools\":[{"
		"\"name\":\"p\\n  - name: evil\",\"backendAddresses\":[{\"fqdn\":\"a\\n      - b\"}]}],"
		"\"probes\":[{\"name\":\"q\",\"protocol\":\"Http\",\"path\":\"/\\n\\u00fc\\\"#\","
		"\"host\":\"\\\"h\",\"match\":{\"body\":\"\\n\\t\\u0001'\\\"\\\\{}[]#: \\ufeff\\ud83d\\ude00\"}}],"
		"\"\\nservices\":[1],\"backendHttpSettingsCollection\":[{\"name\":\"s\",\"port\":80,"
		"\"protocol\":\"Http\",\"x\\ny\":1,\"hostName\":\"a b: c\"}]}");

	(void)state;
	assert_null(strstr(import->yaml, "\n  - name: evil"));
	assert_null(strstr(import->yaml, "\nservices"));
	assert_null(strchr(import->yaml, '\x1b'));
	assert_non_null(strstr(import->yaml, "path: \"/%0A%C3%BC\\\"#\""));
	import_free(import);
}

/* Types that are not what they should be, everywhere. */
static void test_types(void **state)
{
	static const char *const texts[] = {
		"{\"backendAddressPools\":3}",
		"{\"backendAddressPools\":[1,null,[],{\"name\":{}}]}",
		"{\"backendAddressPools\":[{\"backendAddresses\":{\"a\":{\"fqdn\":[]}}}]}",
		"{\"backendAddressPools\":[],\"probes\":{\"a\":{\"interval\":1.5,\"timeout\":-3,"
		"\"unhealthyThreshold\":\"many\",\"protocol\":\"Http\",\"match\":[]}}}",
		"{\"backendAddressPools\":[],\"probes\":[{\"match\":{\"statusCodes\":{\"a\":\"200\"}}"
		"}]}",
		"{\"backendAddressPools\":[],\"requestRoutingRules\":[{\"httpListener\":\"x\"},3]}",
		"{\"backendAddressPools\":[],\"parameters\":[],\"variables\":3,\"name\":\"["
		"parameters('a')]\"}",
		"[null,3,{\"properties\":{\"backendAddressPools\":[]}}]",
		"{\"value\":[{\"backendAddressPools\":[]}]}",
		"\xef\xbb\xbf{\"backendAddressPools\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		import_free(import_good(texts[i]));
}

static void resolve(struct prop_tree *tree, const char *text, const char *expected)
{
	const struct expr_names names = { .tree = tree,
					  .parameters = prop_child(prop_root(tree), "parameters"),
					  .variables = prop_child(prop_root(tree), "variables") };
	char *resolved = NULL;
	int r = expr_resolve(&resolved, &names, text);

	if (!expected)
		assert_int_equal(r, -EINVAL);
	else
		assert_string_equal(r < 0 ? "" : resolved, expected);
	free(resolved);
}

static void test_expressions(void **state)
{
	static const char document[] =
		"{\"parameters\":{\"a\":{\"defaultValue\":\"A\"},\"n\":{\"defaultValue\":7},"
		"\"none\":{},\"loop\":{\"defaultValue\":\"[parameters('loop')]\"},"
		"\"twice\":{\"defaultValue\":\"[concat(parameters('more'),parameters('more'))]\"},"
		"\"more\":{\"defaultValue\":\"[concat(parameters('long'),parameters('long'))]\"},"
		"\"long\":{\"defaultValue\":\"[concat(variables('k'),variables('k'))]\"}},"
		"\"variables\":{\"v\":\"[concat('x', parameters('a'))]\",\"k\":\"%s\"}}";
	char *k = repeat("", "k", 1000, "");
	char text[4096];
	struct prop_tree tree;
	struct err err;

	(void)state;
	snprintf(text, sizeof(text), document, k);
	free(k);
	assert_int_equal(prop_tree_read(&tree, text, strlen(text), &err), 0);
	resolve(&tree, "plain", "plain");
	resolve(&tree, "[[plain]", "[plain]");
	resolve(&tree, "[concat('a', '''', \"\")]", NULL);
	resolve(&tree, "[ Concat( 'a' , '''' ) ]", "a'");
	resolve(&tree, "[parameters('A')]", "A");
	resolve(&tree, "[concat(parameters('n'), variables('v'))]", "7xA");
	resolve(&tree, "[concat(parameters('none'), '/x')]", "\x01/x");
	resolve(&tree, "[resourceId('T', 'a', variables('v'))]", "T/a/xA");
	resolve(&tree, "[format('{0}-{1}{9}', 'a', 'b')]", "a-b\x01");
	resolve(&tree, "[resourceGroup().location]", "\x01");
	resolve(&tree, "[concat(reference('x').list['a'], '/y')]", "\x01/y");
	resolve(&tree, "[parameters('loop')]", NULL);
	resolve(&tree, "[parameters('twice')]", NULL);
	resolve(&tree, "[concat('a']", NULL);
	resolve(&tree, "[concat('a') x]", NULL);
	resolve(&tree, "['a", "['a");
	resolve(&tree, "['a]", NULL);
	resolve(&tree, "[f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(f(1))))))))))))))))))]", NULL);
	prop_tree_done(&tree);
}

#define EIGHT(x) x "," x "," x "," x "," x "," x "," x "," x
#define OF(name) "parameters('" name "')"
#define LAUGH(name, of) "\"" name "\":{\"defaultValue\":\"[concat(" EIGHT(OF(of)) ")]\"}"

/* Texts that grow out of nothing take time, not room: that is bounded as well. */
static void test_expression_steps(void **state)
{
	static const char document[] =
		"{\"parameters\":{" LAUGH("a", "b") "," LAUGH("b", "c") "," LAUGH("c", "d") "," LAUGH(
			"d", "e") "," LAUGH("e",
					    "f") "," LAUGH("f",
							   "g") ",\"g\":{\"defaultValue\":\"\"}}}";
	struct prop_tree tree;
	struct err err;

	(void)state;
	assert_int_equal(prop_tree_read(&tree, document, sizeof(document) - 1, &err), 0);
	resolve(&tree, "[parameters('e')]", "");
	resolve(&tree, "[parameters('a')]", NULL);
	prop_tree_done(&tree);
}

/* Each allocation fails once; nothing may be lost or written. */
static void test_out_of_memory(void **state)
{
	static const char text[] =
		"{\"name\":\"[concat('g', 'w')]\",\"backendAddressPools\":[{\"name\":\"p\","
		"\"backendAddresses\":[{\"ipAddress\":\"10.0.0.5\"}]}],\"probes\":[{\"name\":\"q\","
		"\"protocol\":\"Http\",\"path\":\"/ x\",\"match\":{\"statusCodes\":[\"200\"]}}],"
		"\"backendHttpSettingsCollection\":[{\"name\":\"s\",\"port\":80,\"protocol\":\"Http\","
		"\"probe\":{\"id\":\"q\"}}],\"requestRoutingRules\":[{\"name\":\"r\","
		"\"backendAddressPool\":{\"id\":\"p\"},\"backendHttpSettings\":{\"id\":\"s\"}}]}";
	bool happened = true;

	(void)state;
	for (int n = 0; happened; n++) {
		struct import *import = NULL;
		struct err err = { "" };
		int r;

		fault_after(FAULT_MEMORY, n, ENOMEM);
		r = import_azure(&import, text, sizeof(text) - 1, &plain, &err);
		happened = fault_clear(FAULT_MEMORY);
		assert_int_equal(r, happened ? -ENOMEM : 0);
		import_free(import);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_export),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_injection),
		cmocka_unit_test(test_too_many_backends),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_expressions),
		cmocka_unit_test(test_expression_steps),
		cmocka_unit_test(test_out_of_memory),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("import_hostile", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Changes over the API: what is asked of the daemon, what is refused, and to whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>

#include "control/body.h"
#include "tests/unit/api_run.h"

#define NOBODY 65534

static struct api_answer *post(const char *path, const char *body, size_t len)
{
	return api_post(gateway.model->gateway.api_socket, path, body, len);
}

static void changes_are_made(void **state)
{
	static const char drain[] = "{\"action\": \"drain\", \"pool\": \"web-pool\", "
				    "\"address\": \"10.0.0.6\", \"timeout_ms\": 9000}";
	static const char weight[] = "{\"action\": \"weight\", \"pool\": \"web-pool\", "
				     "\"address\": \"10.0.0.6\", \"weight\": 7}";
	struct api_answer *answer;
	json_t *json;

	(void)state;
	answer = post("/v1/backend", drain, strlen(drain));
	assert_int_equal(answer->status, 200);
	assert_int_equal(fake_changed.action, CHANGE_DRAIN);
	assert_int_equal(fake_changed.timeout_ms, 9000);
	json = json_loads(answer->body, 0, NULL);
	assert_string_equal(json_text_at(json, "action"), "drain");
	assert_string_equal(json_text_at(json, "pool"), "web-pool");
	assert_int_equal(json_array_size(json_at(json, "endpoints")), 2);
	assert_string_equal(json_text_at(json, "endpoints.0.service"), "shop");
	assert_string_equal(json_text_at(json, "endpoints.1.service"), "shop-db");
	assert_int_equal(json_number_at(json, "endpoints.1.port"), 5432);
	assert_string_equal(json_text_at(json, "endpoints.0.admin"), "draining");
	assert_in_range(json_number_at(json, "endpoints.0.drain.left_ms"), 5000, 9000);
	json_decref(json);

	json = get("/v1/health", 200);
	assert_string_equal(json_text_at(json, "pools.0.services.0.endpoints.0.admin"), "enabled");
	assert_null(json_at(json, "pools.0.services.0.endpoints.0.drain"));
	assert_string_equal(json_text_at(json, "pools.0.services.0.endpoints.1.admin"), "draining");
	assert_in_range(json_number_at(json, "pools.0.services.0.endpoints.1.drain.left_ms"), 5000,
			9000);
	json_decref(json);

	answer = post("/v1/backend", weight, strlen(weight));
	assert_int_equal(answer->status, 200);
	json = json_loads(answer->body, 0, NULL);
	assert_int_equal(json_number_at(json, "weight"), 7);
	assert_int_equal(json_number_at(json, "services_balanced"), 0);
	json_decref(json);
}

static volatile sig_atomic_t hangups;

static void on_hangup(int signum)
{
	(void)signum;
	hangups++;
}

static void reload_is_asked_for(void **state)
{
	struct reloads *reloads = gateway.context.reloads;
	struct api_answer *answer;
	json_t *json;

	(void)state;
	signal(SIGHUP, on_hangup);
	json = get("/v1/status", 200);
	assert_null(json_at(json, "reload"));
	json_decref(json);
	answer = post("/v1/reload", "{}", 2);
	assert_int_equal(answer->status, 202);
	json = json_loads(answer->body, 0, NULL);
	assert_int_equal(json_number_at(json, "number"), 1);
	json_decref(json);
	assert_int_equal(hangups, 1);

	/* One that has begun may have read the file before it was changed. */
	reloads_begin(reloads);
	reloads_say(reloads, "t.yaml:1:1: no");
	reloads_say(reloads,
		    "t.yaml:2:1: \xe9 is no UTF-8"); /* which no text of the file need be */
	json = get("/v1/status", 200);
	assert_null(json_at(json, "reload"));
	json_decref(json);
	json = json_loads(post("/v1/reload", "", 0)->body, 0, NULL);
	assert_int_equal(json_number_at(json, "number"), 2);
	json_decref(json);
	reloads_end(reloads, true);
	json = get("/v1/status", 200);
	assert_int_equal(json_number_at(json, "reload.number"), 1);
	assert_true(json_is_true(json_at(json, "reload.refused")));
	assert_string_equal(json_text_at(json, "reload.errors.0"), "t.yaml:1:1: no");
	assert_int_equal(json_array_size(json_at(json, "reload.errors")), 2);
	json_decref(json);
	reloads_begin(reloads);
	reloads_end(reloads, false);
	json = get("/v1/status", 200);
	assert_int_equal(json_number_at(json, "reload.number"), 2);
	assert_false(json_is_true(json_at(json, "reload.refused")));
	assert_int_equal(json_array_size(json_at(json, "reload.errors")), 0);
	json_decref(json);
	assert_int_equal(ask("GET", "/v1/reload")->status, 405);
	signal(SIGHUP, SIG_DFL);
}

static void changes_are_refused(void **state)
{
	static const char enable[] = "{\"action\": \"enable\", \"pool\": \"web-pool\", "
				     "\"address\": \"10.0.0.6\"}";
	static const struct {
		int result;
		long status;
		const char *code;
	} rows[] = {
		{ -ENOENT, 404, "not_found" },     { -ENOLINK, 409, "gate_removed" },
		{ -ETIMEDOUT, 504, "timeout" },    { -ESHUTDOWN, 503, "stopping" },
		{ -ENOMEM, 500, "out_of_memory" }, { -EIO, 500, "failed" },
	};
	static char large[BODY_MAX + 1];
	struct api_answer *answer;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_change_result = rows[i].result;
		answer = post("/v1/backend", enable, strlen(enable));
		assert_int_equal(answer->status, rows[i].status);
		assert_non_null(strstr(answer->body, rows[i].code));
		assert_non_null(strstr(answer->body, "no: the reason"));
	}
	fake_change_result = 0;
	answer = post("/v1/backend", "{}", 2);
	assert_int_equal(answer->status, 400);
	assert_non_null(strstr(answer->body, "action is missing"));
	answer = post("/v1/backend", "", 0);
	assert_int_equal(answer->status, 400);

	memset(large, ' ', sizeof(large));
	memcpy(large, enable, strlen(enable));
	assert_int_equal(post("/v1/backend", large, BODY_MAX)->status, 200);
	memset(&fake_changed, 0, sizeof(fake_changed));
	answer = post("/v1/backend", large, BODY_MAX + 1);
	assert_int_equal(answer->status, 413);
	assert_non_null(strstr(answer->body, "allowed: 4096 bytes"));
	assert_string_equal(fake_changed.pool, "");

	answer = post("/v1/nothing", enable, strlen(enable));
	assert_int_equal(answer->status, 404);
	answer = ask("GET", "/v1/backend");
	assert_int_equal(answer->status, 405);
	assert_string_equal(answer->allow, "POST");
}

/* Who may read may not therefore change anything; what was sent is not even read. */
static void changes_are_not_for_all(void **state)
{
	static const char enable[] = "{\"action\": \"enable\", \"pool\": \"web-pool\", "
				     "\"address\": \"10.0.0.6\"}";
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(chmod(gateway.directory, 0755), 0);
	assert_int_equal(chmod(gateway.model->gateway.api_socket, 0666), 0);
	memset(&fake_changed, 0, sizeof(fake_changed));
	pid = fork();
	if (!pid) {
		struct api_answer *answer;

		if (setresuid(NOBODY, NOBODY, NOBODY) < 0)
			_exit(100);
		if (ask("GET", "/v1/status")->status != 200)
			_exit(101);
		answer = post("/v1/backend", enable, strlen(enable));
		_exit(answer->status == 403 && strstr(answer->body, "not_permitted") ? 0 : 102);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_string_equal(fake_changed.pool, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(changes_are_made),
		SERVED(reload_is_asked_for),
		SERVED(changes_are_refused),
		SERVED(changes_are_not_for_all),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("api_changes", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Changes over the API: what is asked of the daemon, what is refused, and to whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/wait.h>

#include "control/body.h"
#include "control/jobs.h"
#include "control/layers.h"
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

/* Who asks gets a number, and can ask what came of it. */
static void reload_is_asked_for(void **state)
{
	struct jobs *jobs = gateway.context.jobs;
	struct api_answer *answer;
	struct change change;
	json_t *json;

	(void)state;
	json = get("/v1/status", 200);
	assert_null(json_at(json, "reload"));
	json_decref(json);
	answer = post("/v1/reload", "{}", 2);
	assert_int_equal(answer->status, 202);
	json = json_loads(answer->body, 0, NULL);
	assert_int_equal(json_number_at(json, "number"), 1);
	json_decref(json);
	json = get("/v1/jobs/1", 200);
	assert_string_equal(json_text_at(json, "state"), "waiting");
	assert_string_equal(json_text_at(json, "action"), "reload");
	json_decref(json);

	/* One that has begun may have read the file before it was changed. */
	assert_true(jobs_begin(jobs, &change));
	assert_int_equal(change.action, CHANGE_RELOAD);
	assert_true(change.giver.known);
	jobs_say(jobs, "t.yaml:1:1: no");
	jobs_say(jobs, "t.yaml:2:1: \xe9 is no UTF-8"); /* which no text of the file need be */
	json = get("/v1/jobs/1", 200);
	assert_string_equal(json_text_at(json, "state"), "running");
	assert_null(json_at(json, "refused"));
	json_decref(json);
	json = get("/v1/status", 200);
	assert_null(json_at(json, "reload"));
	json_decref(json);
	json = json_loads(post("/v1/reload", "", 0)->body, 0, NULL);
	assert_int_equal(json_number_at(json, "number"), 2);
	json_decref(json);
	jobs_end(jobs, true, 5);
	json = get("/v1/status", 200);
	assert_int_equal(json_number_at(json, "reload.number"), 1);
	assert_true(json_is_true(json_at(json, "reload.refused")));
	assert_string_equal(json_text_at(json, "reload.errors.0"), "t.yaml:1:1: no");
	assert_int_equal(json_array_size(json_at(json, "reload.errors")), 2);
	json_decref(json);
	assert_true(jobs_begin(jobs, &change));
	jobs_say(jobs, "the file no longer has it");
	jobs_end(jobs, false, 6);
	assert_false(jobs_begin(jobs, &change));
	json = get("/v1/status", 200);
	assert_int_equal(json_number_at(json, "reload.number"), 2);
	assert_false(json_is_true(json_at(json, "reload.refused")));
	assert_int_equal(json_array_size(json_at(json, "reload.errors")), 0);
	json_decref(json);
	json = get("/v1/jobs/2", 200);
	assert_string_equal(json_text_at(json, "state"), "done");
	assert_int_equal(json_number_at(json, "version"), 6);
	assert_string_equal(json_text_at(json, "notes.0"), "the file no longer has it");
	json_decref(json);
	json_decref(get("/v1/jobs/3", 404));
	json_decref(get("/v1/jobs/x", 400));
	assert_int_equal(ask("GET", "/v1/reload")->status, 405);
}

/* Many may wait, not without end, and the outcome of a few is kept. */
static void jobs_have_bounds(void **state)
{
	static const char add[] = "{\"action\": \"add\", \"pool\": \"new\"}";
	struct jobs *jobs = gateway.context.jobs;
	struct api_answer *answer;
	struct change change;

	(void)state;
	for (int i = 0; i < JOBS_WAITING_MAX; i++)
		assert_int_equal(post("/v1/pool", add, strlen(add))->status, 202);
	answer = post("/v1/pool", add, strlen(add));
	assert_int_equal(answer->status, 503);
	assert_non_null(strstr(answer->body, "nothing was changed"));
	assert_true(jobs_begin(jobs, &change));
	assert_int_equal(change.action, CHANGE_ADD_POOL);
	assert_string_equal(change.pool, "new");
	/* It still runs, in the place that the next one would take. */
	assert_int_equal(post("/v1/pool", add, strlen(add))->status, 503);
	jobs_end(jobs, false, 1);
	assert_int_equal(post("/v1/pool", add, strlen(add))->status, 202);
	json_decref(get("/v1/jobs/1", 404));
	json_decref(get("/v1/jobs/2", 200));
}

static void rehearsals_are_answered(void **state)
{
	static const char remove[] = "{\"action\": \"remove\", \"pool\": \"web-pool\", "
				     "\"address\": \"10.0.0.6\", \"dry_run\": true}";
	struct api_answer *answer;
	json_t *json;

	(void)state;
	answer = post("/v1/backend", remove, strlen(remove));
	assert_int_equal(answer->status, 200);
	json = json_loads(answer->body, 0, NULL);
	assert_true(json_is_true(json_at(json, "dry_run")));
	assert_int_equal(json_number_at(json, "version"), 7);
	assert_string_equal(json_text_at(json, "changes.0.what"), "backend");
	assert_string_equal(json_text_at(json, "changes.0.change"), "removed");
	assert_string_equal(json_text_at(json, "changes.0.pool"), "web-pool");
	assert_string_equal(json_text_at(json, "draining.0.endpoint"),
			    gateway.model->endpoints[1].text);
	json_decref(json);
}

static void changes_are_listed(void **state)
{
	struct overlay overlay = { .version = 9, .file_digest = 0xabc };
	struct overlay_row row = { .pool = "web-pool",
				   .address = "10.0.0.9",
				   .presence = OVERLAY_ADDED,
				   .has_weight = true,
				   .weight = 3,
				   .admin = SL_DISABLED,
				   .at_ms = 1000 };
	json_t *json;

	(void)state;
	assert_int_equal(overlay_set(&overlay, &row), 0);
	layers_set(gateway.layers, &overlay);
	json = get("/v1/changes", 200);
	assert_int_equal(json_number_at(json, "version"), 9);
	assert_string_equal(json_text_at(json, "file"), "/etc/sluice/sluice.yaml");
	assert_string_equal(json_text_at(json, "file_digest"), "0000000000000abc");
	assert_string_equal(json_text_at(json, "changes.0.address"), "10.0.0.9");
	assert_string_equal(json_text_at(json, "changes.0.change"), "added");
	assert_int_equal(json_number_at(json, "changes.0.weight"), 3);
	assert_string_equal(json_text_at(json, "changes.0.admin"), "disabled");
	assert_null(json_at(json, "trouble"));
	json_decref(json);
	layers_set_trouble(gateway.layers, "the disk is full");
	json = get("/v1/changes", 200);
	assert_string_equal(json_text_at(json, "trouble"), "the disk is full");
	json_decref(json);
	json = get("/v1/status", 200);
	assert_int_equal(json_number_at(json, "config_version"), 9);
	json_decref(json);
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
		{ -ENOMEM, 500, "out_of_memory" }, { -EIO, 507, "not_kept" },
		{ -EEXIST, 409, "exists" },        { -ESTALE, 409, "stale" },
		{ -EPERM, 500, "failed" },
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
		SERVED(changes_are_made),        SERVED(reload_is_asked_for),
		SERVED(jobs_have_bounds),        SERVED(rehearsals_are_answered),
		SERVED(changes_are_listed),      SERVED(changes_are_refused),
		SERVED(changes_are_not_for_all),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("api_changes", tests, NULL, NULL);
}

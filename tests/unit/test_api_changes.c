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
	assert_null(json_at(json, "reload.read_us"));
	assert_int_equal(json_array_size(json_at(json, "reload.errors")), 2);
	json_decref(json);
	assert_true(jobs_begin(jobs, &change));
	jobs_have_read(jobs);
	jobs_say(jobs, "the file no longer has it");
	usleep(1000);
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
	assert_true(json_number_at(json, "took_us") >= json_number_at(json, "read_us") + 1000);
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

/* Runs in a child as somebody else; what it returns is the child's exit status. */
static int as(uid_t uid, gid_t group, int (*fn)(void))
{
	pid_t pid;
	int status;

	assert_int_equal(chmod(gateway.directory, 0755), 0);
	pid = fork();
	if (!pid) {
		become(uid, group);
		_exit(fn());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static const char enable[] = "{\"action\": \"enable\", \"pool\": \"web-pool\", "
			     "\"address\": \"10.0.0.6\"}";
static const char rehearsal[] = "{\"action\": \"enable\", \"pool\": \"web-pool\", "
				"\"address\": \"10.0.0.6\", \"dry_run\": true}";

static bool is_answered(const struct api_answer *answer, long status, const char *code)
{
	return answer->status == status && strstr(answer->body, code);
}

static int read_only(void)
{
	if (ask("GET", "/v1/status")->status != 200)
		return 1;
	if (!is_answered(post("/v1/backend", enable, strlen(enable)), 403, "read_only"))
		return 2;
	if (!is_answered(post("/v1/backend", rehearsal, strlen(rehearsal)), 403, "read_only"))
		return 3;
	if (!is_answered(post("/v1/backend", "{", 1), 403, "read_only"))
		return 4;
	if (!is_answered(post("/v1/reload", "", 0), 403, "read_only"))
		return 5;
	return is_answered(post("/v1/pool", "", 0), 403, "read_only") ? 0 : 6;
}

static int nothing(void)
{
	if (!is_answered(ask("GET", "/v1/status"), 403, "not_permitted"))
		return 1;
	if (!is_answered(ask("GET", "/there/is/nothing"), 403, "not_permitted"))
		return 2;
	return is_answered(post("/v1/backend", enable, strlen(enable)), 403, "not_permitted") ? 0
											      : 3;
}

static int everything(void)
{
	if (ask("GET", "/v1/status")->status != 200)
		return 1;
	return post("/v1/backend", enable, strlen(enable))->status == 200 ? 0 : 2;
}

/* Who may read may not therefore change anything; what he wanted to is told of. */
static void changes_are_not_for_all(void **state)
{
	(void)state;
	memset(&fake_changed, 0, sizeof(fake_changed));
	assert_int_equal(as(NOBODY, FAKE_READERS_GID, read_only), 0);
	assert_string_equal(fake_changed.pool, "");
	assert_int_equal(fake_refused.n, 5);
	assert_int_equal(fake_refused.caller.uid, NOBODY);
	assert_int_equal(fake_refused.caller.role, ROLE_READ);
	assert_string_equal(fake_refused.what, "POST /v1/pool");
	assert_non_null(strstr(fake_refused.why, "group 'sluice-admin' may change"));
	assert_false(fake_refused.was_change);

	assert_int_equal(as(NOBODY, 0, nothing), 0);
	assert_int_equal(fake_refused.n, 8);
	assert_int_equal(fake_refused.caller.role, ROLE_NONE);
	assert_string_equal(fake_refused.what, "a connection");
	assert_string_equal(fake_changed.pool, "");

	assert_int_equal(as(NOBODY, FAKE_CHANGERS_GID, everything), 0);
	assert_int_equal(fake_refused.n, 8);
	assert_string_equal(fake_changed.pool, "web-pool");
	assert_int_equal(fake_changed.giver.uid, NOBODY);
	assert_true(fake_changed.giver.pid > 0);

	/* Without the groups neither has what it came from; known at the next start or reload, not before. */
	fake_has_groups = false;
	assert_int_equal(as(NOBODY, FAKE_READERS_GID, read_only), 0);
	api_find_roles(api);
	assert_int_equal(as(NOBODY, FAKE_READERS_GID, nothing), 0);
	assert_int_equal(as(NOBODY, FAKE_CHANGERS_GID, nothing), 0);
	assert_int_equal(everything(), 0);
	fake_has_groups = true;
	api_find_roles(api);
	assert_int_equal(as(NOBODY, FAKE_READERS_GID, read_only), 0);
}

/* Of what who may was refused nothing is lost, but of rehearsals. */
static void refusals_are_told(void **state)
{
	static char large[BODY_MAX + 1];

	(void)state;
	fake_change_result = -ESTALE;
	assert_int_equal(post("/v1/backend", rehearsal, strlen(rehearsal))->status, 409);
	assert_int_equal(fake_refused.n, 0);
	assert_int_equal(post("/v1/backend", enable, strlen(enable))->status, 409);
	assert_int_equal(fake_refused.n, 1);
	assert_true(fake_refused.was_change);
	assert_int_equal(fake_refused.change.action, CHANGE_ENABLE);
	assert_string_equal(fake_refused.change.address, "10.0.0.6");
	assert_string_equal(fake_refused.why, "no: the reason");
	assert_int_equal(post("/v1/backend", "[]", 2)->status, 400);
	assert_int_equal(fake_refused.n, 2);
	assert_false(fake_refused.was_change);
	assert_int_equal(post("/v1/backend", large, sizeof(large))->status, 413);
	assert_int_equal(fake_refused.n, 3);
	assert_string_equal(fake_refused.what, "POST /v1/backend");
}

static int read_of_jobs(void)
{
	const char *path = "/v1/status";

	for (int i = 0; i < 2; i++, path = "/v1/jobs/1") {
		const struct api_answer *answer = ask("GET", path);

		if (answer->status != 200 || strstr(answer->body, "s3cret") ||
		    !strstr(answer->body, "\"withheld\": 2"))
			return 1 + i;
	}
	return 0;
}

/* What is wrong with a file is said in its words, and it may be a key that stands in the wrong place. */
static void the_file_is_not_quoted(void **state)
{
	struct jobs *jobs = gateway.context.jobs;
	struct change change;
	json_t *json;

	(void)state;
	assert_int_equal(post("/v1/reload", "{}", 2)->status, 202);
	assert_true(jobs_begin(jobs, &change));
	jobs_say(jobs, "t.yaml:1:1: 's3cret' is not allowed");
	jobs_say(jobs, "'t.yaml' has 1 errors");
	jobs_end(jobs, true, 5);
	assert_int_equal(as(NOBODY, FAKE_READERS_GID, read_of_jobs), 0);
	json = get("/v1/jobs/1", 200);
	assert_int_equal(json_array_size(json_at(json, "errors")), 2);
	assert_null(json_at(json, "withheld"));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(changes_are_made),        SERVED(reload_is_asked_for),
		SERVED(jobs_have_bounds),        SERVED(rehearsals_are_answered),
		SERVED(changes_are_listed),      SERVED(changes_are_refused),
		SERVED(changes_are_not_for_all), SERVED(refusals_are_told),
		SERVED(the_file_is_not_quoted),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("api_changes", tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* `sluice save`, in front of a daemon that loads a real file, refuses to, or is asked by somebody else as well. */
#include "tests/unit/amend_run.h"
#include "tests/unit/api_run.h"
#include "tests/unit/cli_run.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/xattr.h>

#include "diagnose/json.h"
#include "model/compose.h"

static const char before_yaml[] = "gateway: { interfaces: [ { name: lan0 } ] }\n"
				  "pools:\n"
				  "  - name: p # the first\n"
				  "    backends:\n"
				  "      - address: 10.0.0.1 # one\n"
				  "      - address: 10.0.0.2\n"
				  "# the end\n";
static const char after_yaml[] = "gateway: { interfaces: [ { name: lan0 } ] }\n"
				 "pools:\n"
				 "  - name: p # the first\n"
				 "    backends:\n"
				 "      - address: 10.0.0.2\n"
				 "        weight: 5\n"
				 "      - address: 10.0.0.3\n"
				 "# the end\n";
#define WORDS "-p/10.0.0.1 p/10.0.0.2*5!d +p/10.0.0.3"

/* The daemon: what it has, and who else asks it for something. */
static struct daemon_fake {
	char path[128]; /* of the file that it reads */
	struct overlay overlay;
	void (*meddle)(int round); /* before each reload */
	void (*meddle_rehearsal)(int round); /* before each rehearsal */
	int n_reloads, n_rehearsals;
	const char *refusal; /* of every reload */
	const struct difference_item *unexpected; /* that a reload would bring */
} fake;

static void show_layers(void)
{
	struct overlay copy;

	assert_int_equal(overlay_copy(&copy, &fake.overlay), 0);
	layers_set(gateway.layers, &copy);
}

/* Not through the CLI's own reader. */
static char *file_text(const char *path)
{
	static char text[65536];
	FILE *file = fopen(path, "re");
	size_t n;

	assert_non_null(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	return text;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void load_file(void)
{
	const char *text = file_text(fake.path);
	CLEANUP(model_free_p) struct model *file = layers_file(text);

	assert_int_equal(compose_prune(&fake.overlay, file, NULL, NULL), 0);
	fake.overlay.version += fake.overlay.file_digest != file->digest;
	fake.overlay.file_digest = file->digest;
	show_layers();
}

static void change_something(const char *words)
{
	struct overlay next = overlay_of(words);

	next.version = fake.overlay.version + 1;
	next.file_digest = fake.overlay.file_digest;
	overlay_done(&fake.overlay);
	fake.overlay = next;
	show_layers();
}

/* Called by the API's thread: the answer is there before it is asked for. */
static void run_jobs(void *arg)
{
	struct change change;

	(void)arg;
	while (jobs_begin(gateway.jobs, &change)) {
		bool stale;

		if (fake.meddle)
			fake.meddle(fake.n_reloads);
		fake.n_reloads++;
		stale = change.is_versioned && change.version != fake.overlay.version;
		if (stale || fake.refusal)
			jobs_say(gateway.jobs, stale ? "another version" : fake.refusal);
		else
			load_file();
		jobs_end(gateway.jobs, stale || fake.refusal, fake.overlay.version);
	}
}

static int rehearse(void *arg, const struct change *change, struct difference **ret,
		    struct err *err)
{
	(void)arg;
	(void)err;
	assert_true(change->is_rehearsal);
	if (fake.meddle_rehearsal)
		fake.meddle_rehearsal(fake.n_rehearsals);
	fake.n_rehearsals++;
	*ret = difference_new();
	if (fake.unexpected)
		difference_add(*ret, fake.unexpected);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	unsetenv("SLUICE_BPFFS");
	assert_int_equal(gateway_fake_start(&gateway, gateway_yaml), 0);
	fake = (struct daemon_fake){ .n_reloads = 0 };
	snprintf(fake.path, sizeof(fake.path), "%s/sluice.yaml", gateway.directory);
	write_file(fake.path, before_yaml);
	gateway.context.config_path = fake.path;
	gateway.context.change = rehearse;
	jobs_on_queued(gateway.jobs, run_jobs, NULL);
	fake.overlay = overlay_of(WORDS);
	fake.overlay.version = 7;
	fake.overlay.file_digest = config_digest(before_yaml, strlen(before_yaml));
	show_layers();
	assert_int_equal(start_api(&api, NULL), 0);
	setenv("SLUICE_SOCKET", gateway.model->gateway.api_socket, 1);
	return 0;
}

static int end(void **state)
{
	DIR *directory = opendir(gateway.directory);

	/* Whatever happened, no temporary file is left. */
	for (struct dirent *entry; (entry = readdir(directory));)
		assert_null(strstr(entry->d_name, ".sluice-save"));
	closedir(directory);
	overlay_done(&fake.overlay);
	return stop(state);
}

static json_t *parsed(const struct result *result)
{
	json_t *json = json_loads(result->out, 0, NULL);

	if (!json)
		fail_msg("no JSON: %s%s", result->out, result->err);
	return json;
}

static int status_of(const char *line)
{
	RESULT r = run(line);

	return r.status;
}

static void expect_refused(const char *line, const char *code, const char *why)
{
	RESULT r = run(line);
	CLEANUP(json_p) json_t *json = parsed(&r);

	assert_int_equal(r.status, STATUS_REFUSED);
	assert_string_equal(json_text_at(json, "error.code"), code);
	if (!strstr(json_text_at(json, "error.message"), why))
		fail_msg("%s", json_text_at(json, "error.message"));
	assert_string_equal(file_text(fake.path), before_yaml);
}

/* --- when all goes well ------------------------------------------------------------------------- */

static void changes_are_saved(void **state)
{
	RESULT r = run("save");

	(void)state;
	assert_int_equal(r.status, STATUS_DONE);
	assert_non_null(strstr(r.out, "sluice.yaml: 3 changes\n"));
	assert_string_equal(r.err,
			    "sluice: stays a runtime change, for which the file has no words: "
			    "p 10.0.0.2: disabled\n"
			    "sluice: taken out with what it stood beside: line 5: # one\n");
	assert_string_equal(file_text(fake.path), after_yaml);
	/* The order is all that is left over the file. */
	assert_int_equal(fake.overlay.n, 1);
	assert_int_equal(fake.overlay.rows[0].admin, SL_DISABLED);
	assert_false(fake.overlay.rows[0].has_weight);
}

static void it_is_told_as_json(void **state)
{
	RESULT r = run("save --json");
	CLEANUP(json_p) json_t *json = parsed(&r);

	(void)state;
	assert_int_equal(r.status, STATUS_DONE);
	assert_string_equal(r.err, "");
	assert_string_equal(json_text_at(json, "file"), fake.path);
	assert_true(json_is_true(json_at(json, "loaded")));
	assert_int_equal(json_array_size(json_at(json, "saved")), 3);
	assert_string_equal(json_text_at(json, "saved.0.change"), "removed");
	assert_int_equal(json_number_at(json, "saved.1.weight"), 5);
	assert_null(json_at(json, "saved.1.admin"));
	assert_int_equal(json_array_size(json_at(json, "not_saved")), 1);
	assert_string_equal(json_text_at(json, "not_saved.0.admin"), "disabled");
	assert_string_equal(json_text_at(json, "comments_removed.0.text"), "# one");
	assert_int_equal(json_number_at(json, "comments_removed.0.line"), 5);
	assert_non_null(strstr(json_text_at(json, "difference"), "\n+      - address: 10.0.0.3\n"));
}

static void a_rehearsal_shows_the_difference(void **state)
{
	char expected[2048];
	RESULT r = run("save --dry-run");

	(void)state;
	snprintf(expected, sizeof(expected),
		 "--- %s\n+++ %s\n"
		 "@@ -2,6 +2,7 @@\n"
		 " pools:\n"
		 "   - name: p # the first\n"
		 "     backends:\n"
		 "-      - address: 10.0.0.1 # one\n"
		 "       - address: 10.0.0.2\n"
		 "+        weight: 5\n"
		 "+      - address: 10.0.0.3\n"
		 " # the end\n",
		 fake.path, fake.path);
	assert_int_equal(r.status, STATUS_DONE);
	assert_string_equal(r.out, expected);
	assert_string_equal(file_text(fake.path), before_yaml);
	assert_int_equal(fake.n_reloads + fake.n_rehearsals, 0);
}

static void interfaces_are_saved(void **state)
{
	(void)state;
	change_something("@lan0:native- +@gc:off");
	{
		RESULT r = run("save");

		assert_int_equal(r.status, STATUS_DONE);
		assert_non_null(strstr(r.out, "sluice.yaml: 2 changes\n"));
		assert_string_equal(r.err, "");
	}
	assert_int_equal(fake.overlay.n, 0);
	assert_non_null(strstr(file_text(fake.path),
			       "interfaces: [ { name: lan0, xdp: native, egress: false }, "
			       "{ name: gc, xdp: \"off\" } ] }\n"));
}

/* A file names one interface at least. */
static void that_nothing_is_guarded_is_kept(void **state)
{
	static const char note[] = "sluice: stays a runtime change, since a file names one "
				   "interface at least: lan0 removed\n";

	(void)state;
	change_something("-@lan0");
	{
		RESULT r = run("save");

		assert_int_equal(r.status, STATUS_DONE);
		assert_non_null(strstr(r.out, "nothing to save: "));
		assert_string_equal(r.err, note);
	}
	assert_int_equal(fake.n_reloads, 0);
	assert_string_equal(file_text(fake.path), before_yaml);
	change_something("-@lan0 +p/10.0.0.3");
	{
		RESULT r = run("save --dry-run --json");
		CLEANUP(json_p) json_t *json = parsed(&r);

		assert_int_equal(json_array_size(json_at(json, "saved")), 1);
		assert_string_equal(json_text_at(json, "saved.0.address"), "10.0.0.3");
		assert_int_equal(json_array_size(json_at(json, "not_saved")), 1);
		assert_string_equal(json_text_at(json, "not_saved.0.interface"), "lan0");
		assert_string_equal(json_text_at(json, "not_saved.0.change"), "removed");
	}
	{
		RESULT r = run("save");

		assert_non_null(strstr(r.out, "sluice.yaml: 1 change\n"));
		assert_string_equal(r.err, note);
	}
	assert_int_equal(fake.n_reloads, 1);
	assert_int_equal(fake.overlay.n, 1);
}

static void nothing_is_nothing(void **state)
{
	(void)state;
	change_something("p/10.0.0.2!d");
	{
		RESULT r = run("save");

		assert_int_equal(r.status, STATUS_DONE);
		assert_non_null(strstr(r.out, "nothing to save: "));
		assert_non_null(strstr(r.err, "p 10.0.0.2: disabled\n"));
	}
	change_something("");
	{
		RESULT r = run("save --json");
		CLEANUP(json_p) json_t *json = parsed(&r);

		assert_int_equal(json_array_size(json_at(json, "saved")), 0);
		assert_string_equal(json_text_at(json, "difference"), "");
	}
	assert_int_equal(fake.n_reloads + fake.n_rehearsals, 0);
	assert_string_equal(file_text(fake.path), before_yaml);
}

/* --- somebody else ------------------------------------------------------------------------------ */

static void the_file_is_another(void **state)
{
	(void)state;
	fake.overlay.file_digest++;
	show_layers();
	expect_refused("save --json", "file_changed", "somebody has changed it since");
	expect_refused("save --json --dry-run", "file_changed", "'sluice reload' loads it");
	{
		RESULT r = run("diff");

		assert_non_null(strstr(r.out, "has been changed since it was loaded"));
	}
	assert_int_equal(fake.n_reloads, 0);
}

/* What was added is taken away again while it is saved: it must not be in the file then. */
static void take_away(int round)
{
	if (round == 0)
		change_something("-p/10.0.0.1 p/10.0.0.2*5!d");
}

static void somebody_is_faster(void **state)
{
	RESULT r = { 0 };

	(void)state;
	fake.meddle = take_away;
	r = run("save");
	assert_int_equal(r.status, STATUS_DONE);
	assert_int_equal(fake.n_reloads, 2);
	assert_null(strstr(file_text(fake.path), "10.0.0.3"));
	assert_non_null(strstr(file_text(fake.path), "weight: 5"));
	assert_int_equal(fake.overlay.n, 1);
}

static void a_version_was_asked_for(void **state)
{
	(void)state;
	expect_refused("save --json --if-version 6", "stale", "has version 7, not 6");
	fake.meddle = take_away;
	expect_refused("save --json --if-version 7", "not_loaded", "is as it was before");
	assert_int_equal(fake.n_reloads, 1);
	assert_int_equal(status_of("save --if-version new"), STATUS_USAGE);
}

static void always_something(int round)
{
	change_something(round % 2 ? "p/10.0.0.2*7" : "p/10.0.0.2*6");
}

static void somebody_is_always_faster(void **state)
{
	(void)state;
	fake.meddle = always_something;
	expect_refused("save --json", "stale", "each time");
}

static void the_daemon_refuses(void **state)
{
	(void)state;
	fake.refusal = "it is not to be";
	expect_refused("save --json", "not_loaded", "it is not to be");
	assert_int_equal(fake.overlay.n, 3);
}

/* It is stale for us because somebody else had it loaded. */
static void load_before(int round)
{
	if (round == 0)
		load_file();
}

static void somebody_else_has_it_loaded(void **state)
{
	RESULT r = { 0 };

	(void)state;
	fake.meddle = load_before;
	r = run("save");
	assert_int_equal(r.status, STATUS_DONE);
	assert_string_equal(file_text(fake.path), after_yaml);
	assert_int_equal(fake.overlay.n, 1);
}

/* The daemon has read the file already while it is put back. */
static void load_meanwhile(int round)
{
	if (round != 1)
		return;
	assert_string_equal(file_text(fake.path), before_yaml);
	overlay_done(&fake.overlay);
	fake.overlay = overlay_of("p/10.0.0.2!d");
	fake.overlay.version = 9;
	fake.overlay.file_digest = config_digest(after_yaml, strlen(after_yaml));
	show_layers();
}

static void somebody_else_loads_it_meanwhile(void **state)
{
	RESULT r = { 0 };

	(void)state;
	fake.refusal = "busy with another";
	fake.meddle_rehearsal = load_meanwhile;
	r = run("save");
	assert_int_equal(r.status, STATUS_DONE);
	assert_string_equal(file_text(fake.path), after_yaml);
}

static void other_files_have_changed(void **state)
{
	static const struct difference_item item = { .subject = DIFFERENCE_SETTINGS,
						     .kind = DIFFERENCE_CHANGED,
						     .name = "web" };

	(void)state;
	fake.unexpected = &item;
	expect_refused("save --json", "not_loaded", "for settings 'web'");
	assert_int_equal(fake.n_reloads, 0);
}

static void edit_file(int round)
{
	(void)round;
	write_file(fake.path, "# of somebody else\n");
}

static void the_file_changes_meanwhile(void **state)
{
	RESULT r = { 0 };

	(void)state;
	fake.meddle_rehearsal = edit_file;
	r = run("save --json");
	assert_int_equal(r.status, STATUS_REFUSED);
	assert_non_null(strstr(r.out, "\"file_changed\""));
	assert_string_equal(file_text(fake.path), "# of somebody else\n");
	assert_int_equal(fake.n_reloads, 0);
}

/* --- the file ----------------------------------------------------------------------------------- */

static void it_stays_the_file_that_it_was(void **state)
{
	char link[160], line[256], value[8] = "";
	struct stat before, after;

	(void)state;
	snprintf(link, sizeof(link), "%s/link.yaml", gateway.directory);
	assert_int_equal(symlink("sluice.yaml", link), 0);
	assert_int_equal(chown(fake.path, 12, 34), 0);
	assert_int_equal(chmod(fake.path, 0640), 0);
	assert_int_equal(setxattr(fake.path, "trusted.note", "mine", 4, 0), 0);
	assert_int_equal(stat(fake.path, &before), 0);
	snprintf(line, sizeof(line), "save --config %s", link);
	assert_int_equal(status_of(line), STATUS_DONE);
	assert_int_equal(lstat(link, &after), 0);
	assert_true(S_ISLNK(after.st_mode));
	assert_int_equal(stat(fake.path, &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_uid, 12);
	assert_int_equal(after.st_gid, 34);
	assert_int_equal(getxattr(fake.path, "trusted.note", value, sizeof(value)), 4);
	assert_string_equal(file_text(fake.path), after_yaml);
}

static void it_may_have_another_name(void **state)
{
	char other[160], line[256];

	(void)state;
	snprintf(other, sizeof(other), "%s/other.yaml", gateway.directory);
	write_file(other, before_yaml);
	snprintf(line, sizeof(line), "save --config %s --json", other);
	{
		RESULT r = run(line);
		CLEANUP(json_p) json_t *json = parsed(&r);

		assert_int_equal(r.status, STATUS_DONE);
		assert_true(json_is_false(json_at(json, "loaded")));
		assert_non_null(strstr(r.err, "does not say the same yet"));
	}
	assert_string_equal(file_text(other), after_yaml);
	assert_string_equal(file_text(fake.path), before_yaml);
	assert_int_equal(fake.overlay.n, 3);
}

static void it_cannot_be_written(void **state)
{
	const struct rlimit small = { 64, RLIM_INFINITY };
	struct rlimit usual;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	expect_refused("save --json", "file_not_written", "File too large");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
	assert_int_equal(fake.n_reloads, 0);
	assert_int_equal(fake.overlay.n, 3);
}

static void it_cannot_be_read(void **state)
{
	char line[256], pipe[160];

	(void)state;
	snprintf(pipe, sizeof(pipe), "%s/pipe", gateway.directory);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	snprintf(line, sizeof(line), "save --json --config %s", pipe);
	expect_refused(line, "file_unreadable", "is not a file that could be written");
	expect_refused("save --json --config /nonexistent/x", "file_unreadable",
		       "'/nonexistent/x' cannot be read: No such file");
	expect_refused("save --json --config /etc", "file_unreadable", "could be written");
}

static void names_are_not_believed(void **state)
{
	(void)state;
	put(&fake.overlay, row_of("a: b", "", OVERLAY_ADDED));
	show_layers();
	expect_refused("save --json", "not_savable", "name 'a: b'");
	assert_int_equal(fake.n_rehearsals, 0);
}

static void there_is_no_daemon(void **state)
{
	(void)state;
	assert_int_equal(status_of("save --socket /nonexistent"), STATUS_NO_DAEMON);
	assert_int_equal(status_of("save too many"), STATUS_USAGE);
}

#define SAVED(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAVED(changes_are_saved),
		SAVED(it_is_told_as_json),
		SAVED(a_rehearsal_shows_the_difference),
		SAVED(interfaces_are_saved),
		SAVED(that_nothing_is_guarded_is_kept),
		SAVED(nothing_is_nothing),
		SAVED(the_file_is_another),
		SAVED(somebody_is_faster),
		SAVED(a_version_was_asked_for),
		SAVED(somebody_is_always_faster),
		SAVED(the_daemon_refuses),
		SAVED(somebody_else_has_it_loaded),
		SAVED(somebody_else_loads_it_meanwhile),
		SAVED(other_files_have_changed),
		SAVED(the_file_changes_meanwhile),
		SAVED(it_stays_the_file_that_it_was),
		SAVED(it_may_have_another_name),
		SAVED(it_cannot_be_written),
		SAVED(it_cannot_be_read),
		SAVED(names_are_not_believed),
		SAVED(there_is_no_daemon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

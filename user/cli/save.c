// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * save - writes what was changed at runtime into the file.
 *
 * Here and not in the daemon, since the file is that of whoever calls this. The file is exchanged first, and loaded by
 * the daemon then, which drops what the file says by now; whatever comes in between, file and changes make the same
 * together as before. Where the daemon refuses to load it, the file is put back.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/config_file.h"
#include "cli/save_rows.h"
#include "cli/save_view.h"
#include "cli/text.h"
#include "config/config.h"
#include "config/report.h"
#include "diagnose/json.h"
#include "model/model.h"
#include "util/err.h"
#include "util/number.h"
#include "util/printable.h"

#define ROUNDS_MAX 5 /* somebody else changes something each time */
#define LINE_LEN 1024
#define DIGEST_LEN 17

struct saving {
	const struct cli *cli;
	json_t *answer; /* to /v1/changes */
	const char *name; /* of the file, as it was asked for or as the daemon says */
	uint64_t version;
	struct overlay overlay;
	struct config_file file;
	struct model *model; /* of the file */
	struct amendment amendment;
	bool again; /* something was changed in between, and undone here */
};

static void saving_done(struct saving *s)
{
	json_decref(s->answer);
	overlay_done(&s->overlay);
	config_file_done(&s->file);
	model_free(s->model);
	amendment_done(&s->amendment);
}

/* Of what has to do with the file. */
static enum cli_status refuse(const struct saving *s, int r, const char *code,
			      const struct err *err)
{
	bool forbidden = r == -EACCES || r == -EPERM;

	cli_fail(s->cli, STATUS_REFUSED, forbidden ? "not_permitted" : code, "%s", err->text);
	return forbidden ? STATUS_NOT_PERMITTED : STATUS_REFUSED;
}

static enum cli_status no_memory(const struct saving *s)
{
	return cli_fail(s->cli, STATUS_REFUSED, "out_of_memory", "out of memory");
}

/* --- what was changed ------------------------------------------------------------------------- */

static const json_t *changes_of(const struct saving *s)
{
	return json_object_get(s->answer, "changes");
}

static enum cli_status check_version(const struct saving *s)
{
	const char *text = s->cli->options[OPT_IF_VERSION];
	uint64_t wanted;

	if (!text)
		return STATUS_DONE;
	if (number_parse(&wanted, text, 0, INT64_MAX) < 0)
		return cli_fail(
			s->cli, STATUS_USAGE, "usage",
			"--if-version '%s' is not a whole number, as 'sluice diff' shows it", text);
	if (wanted == s->version)
		return STATUS_DONE;
	return cli_fail(s->cli, STATUS_REFUSED, "stale",
			"the configuration has version %" PRIu64 ", not %" PRIu64
			": somebody has changed it since",
			s->version, wanted);
}

static enum cli_status ask(struct saving *s)
{
	enum cli_status status = command_ask(&s->answer, s->cli, "/v1/changes");
	int r;

	if (status != STATUS_DONE)
		return status;
	s->version = text_get_uint(s->answer, "version");
	s->name = s->cli->options[OPT_CONFIG];
	if (!s->name)
		s->name = text_get(s->answer, "file");
	r = save_rows_read(&s->overlay, changes_of(s));
	if (r == -ENOMEM)
		return no_memory(s);
	if (r < 0)
		return cli_fail(s->cli, STATUS_REFUSED, "bad_answer",
				"what the daemon says of its changes is not understood");
	return check_version(s);
}

/* --- what the file is to be ------------------------------------------------------------------- */

static bool is_loaded(const json_t *answer, uint64_t digest)
{
	char text[DIGEST_LEN];

	snprintf(text, sizeof(text), "%016" PRIx64, digest);
	return !strcmp(text, text_get(answer, "file_digest"));
}

static enum cli_status parse(struct saving *s)
{
	struct report report = { .n_items = 0 };
	char line[LINE_LEN];
	int r;

	if (!config_file_is(&s->file, text_get(s->answer, "file_digest")))
		return cli_fail(
			s->cli, STATUS_REFUSED, "file_changed",
			"'%s' is not what the daemon has loaded: somebody has changed it since; "
			"'sluice reload' loads it, and can be followed by 'sluice save'",
			s->file.path);
	r = config_parse(&s->model, s->file.text, s->file.len, s->file.path, &report);
	if (r == 0)
		return STATUS_DONE;
	if (!report.n_items)
		return no_memory(s);
	report_format(line, sizeof(line), &report, 0);
	return cli_fail(s->cli, STATUS_REFUSED, "file_invalid", "the file has errors: %s", line);
}

static enum cli_status compose(struct saving *s)
{
	struct err err = { "out of memory" };
	enum cli_status status;
	int r = config_file_read(&s->file, s->name, &err);

	if (r < 0)
		return refuse(s, r, "file_unreadable", &err);
	status = parse(s);
	if (status != STATUS_DONE)
		return status;
	r = amend(&s->amendment, s->model, s->file.text, s->file.len, s->file.path, &s->overlay,
		  &err);
	if (r < 0)
		return cli_fail(s->cli, STATUS_REFUSED, "not_savable", "'%s': %s", s->file.path,
				err.text);
	return STATUS_DONE;
}

/* --- bringing it in --------------------------------------------------------------------------- */

/* What a reload would do. The daemon makes it after all that it was asked for before. */
static enum cli_status rehearse(json_t **ret, const struct saving *s)
{
	return command_post(ret, s->cli, "/v1/reload", json_pack("{s:b}", "dry_run", 1));
}

/*
 * Before anything is written: whether who asks may have it loaded, and whether that would change nothing else. A reload
 * reads certificates as well, which may be others by now.
 */
static enum cli_status check_reload(const struct saving *s)
{
	CLEANUP(json_p) json_t *json = NULL;
	enum cli_status status = rehearse(&json, s);
	const json_t *item;
	size_t i;

	if (status != STATUS_DONE)
		return status;
	json_array_foreach(json_object_get(json, "changes"), i, item)
	{
		const char *what = text_get(item, "what");

		/* Weights that were given at runtime: this is what is saved. */
		if (!strcmp(what, "backend"))
			continue;
		return cli_fail(
			s->cli, STATUS_REFUSED, "not_loaded",
			"a file that the configuration names has been changed since it was "
			"loaded, for %s '%s': 'sluice reload' loads it, and can be followed by "
			"'sluice save'",
			what, text_get(item, "name"));
	}
	return STATUS_DONE;
}

/* Whatever failed has said so; what it means for the file follows. */
static enum cli_status say_written(const struct saving *s, enum cli_status status)
{
	fprintf(s->cli->err,
		"sluice: '%s' is written; the changes are kept until the daemon loads it\n",
		s->file.path);
	return status;
}

/* Somebody else may have it loaded while it is put back: then it stays after all. */
static enum cli_status put_back(struct saving *s, bool *ret_loaded, struct err *err)
{
	CLEANUP(json_p) json_t *barrier = NULL;
	CLEANUP(json_p) json_t *after = NULL;
	enum cli_status status;
	int r;

	r = config_file_exchange(&s->file, s->file.text, s->file.len, err);
	if (r < 0)
		return say_written(s, refuse(s, r, "file_not_written", err));
	status = rehearse(&barrier, s);
	if (status == STATUS_DONE)
		status = command_ask(&after, s->cli, "/v1/changes");
	if (status != STATUS_DONE || !is_loaded(after, s->amendment.digest))
		return status;
	*ret_loaded = true;
	r = config_file_exchange(&s->file, s->amendment.text, s->amendment.len, err);
	return r < 0 ? refuse(s, r, "file_not_written", err) : STATUS_DONE;
}

/* All is as it was before, and will be tried again if somebody else was faster. */
static enum cli_status withdraw(struct saving *s, const json_t *job, bool was_stale,
				bool *ret_loaded)
{
	const char *why = json_string_value(json_array_get(json_object_get(job, "errors"), 0));
	struct err err = { "out of memory" };
	enum cli_status status = put_back(s, ret_loaded, &err);

	if (status != STATUS_DONE || *ret_loaded)
		return status;
	s->again = was_stale && !s->cli->options[OPT_IF_VERSION];
	if (s->again)
		return STATUS_REFUSED;
	return cli_fail(s->cli, STATUS_REFUSED, "not_loaded",
			"the daemon refused to load what was saved: %s; '%s' is as it was before",
			why ? why : "it did not say why", s->file.path);
}

static enum cli_status load(struct saving *s, bool *ret_loaded)
{
	CLEANUP(json_p) json_t *job = NULL;
	CLEANUP(json_p) json_t *after = NULL;
	json_t *body = json_pack("{s:I}", "if_version", (json_int_t)s->version);
	enum cli_status status = command_run_job(&job, s->cli, "/v1/reload", body);

	if (status == STATUS_DONE)
		status = command_ask(&after, s->cli, "/v1/changes");
	if (status != STATUS_DONE)
		return say_written(s, status);
	*ret_loaded = is_loaded(after, s->amendment.digest);
	if (*ret_loaded)
		return STATUS_DONE;
	if (json_is_true(json_object_get(job, "refused")))
		return withdraw(s, job, text_get_uint(after, "version") != s->version, ret_loaded);
	fprintf(s->cli->err,
		"sluice: the daemon reads '%s', which does not say the same yet: the changes are kept "
		"until it does\n",
		text_get(after, "file"));
	return STATUS_DONE;
}

static enum cli_status bring_in(struct saving *s, bool *ret_loaded)
{
	struct err err = { "out of memory" };
	enum cli_status status = check_reload(s);
	int r;

	if (status != STATUS_DONE)
		return status;
	r = config_file_exchange(&s->file, s->amendment.text, s->amendment.len, &err);
	if (r < 0 && s->file.is_exchanged)
		return say_written(s, refuse(s, r, "file_not_safe", &err));
	if (r < 0)
		return refuse(s, r, r == -ESTALE ? "file_changed" : "file_not_written", &err);
	return load(s, ret_loaded);
}

static enum cli_status save(struct saving *s)
{
	struct save_report report = { .is_rehearsal = s->cli->options[OPT_DRY_RUN] };
	enum cli_status status = ask(s);
	bool anything = status == STATUS_DONE && save_rows_count(changes_of(s)) > 0;
	int r;

	if (anything)
		status = compose(s);
	if (status == STATUS_DONE && s->amendment.patch.n && !report.is_rehearsal)
		status = bring_in(s, &report.is_loaded);
	if (status != STATUS_DONE)
		return status;
	report.changes = changes_of(s);
	report.name = anything ? s->file.path : s->name;
	report.file = anything ? &s->file : NULL;
	report.amendment = anything ? &s->amendment : NULL;
	r = save_print(s->cli, &report);
	return r < 0 ? command_print_failed(s->cli, r) : STATUS_DONE;
}

enum cli_status command_save(struct cli *cli)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		CLEANUP(saving_done) struct saving saving = { .cli = cli };
		enum cli_status status = save(&saving);

		if (!saving.again)
			return status;
	}
	return cli_fail(
		cli, STATUS_REFUSED, "stale",
		"the configuration was changed by somebody else each time that it was to be "
		"saved; the file is as it was before");
}

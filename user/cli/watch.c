// SPDX-License-Identifier: GPL-2.0-or-later
/* watch - health, shown again and again. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/signals.h"
#include "cli/text.h"
#include "diagnose/json.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/printable.h"

#define WATCH_PERIOD_MS 1000
#define HOME_AND_CLEAR "\033[H\033[J"

/* A whole screen is written at once, so that it does not flicker. */
static int redraw(const struct cli *cli, const json_t *json, const char *trouble)
{
	CLEANUP(free_p) char *text = NULL;
	struct view view = command_view(cli);
	char now[CLOCK_ISO_LEN];
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int r;

	if (!out)
		return -ENOMEM;
	view.out = out;
	fprintf(out, HOME_AND_CLEAR "%s  (end with Ctrl-C)\n", clock_iso(now, view.now_ms));
	if (trouble)
		fprintf(out, "%s\n", trouble);
	fputc('\n', out);
	r = json ? view_health(&view, json) : 0;
	fclose(out);
	if (r < 0)
		return r;
	fwrite(text, 1, len, cli->out);
	return fflush(cli->out) == 0 ? 0 : -errno;
}

static int print_block(const struct cli *cli, const json_t *json)
{
	struct view view = command_view(cli);
	char now[CLOCK_ISO_LEN];
	int r;

	fprintf(cli->out, "--- %s\n", clock_iso(now, view.now_ms));
	r = view_health(&view, json);
	if (r < 0)
		return r;
	return fflush(cli->out) == 0 ? 0 : -errno;
}

/* In a pipe: a block when health changed. */
static int print_change(const struct cli *cli, const json_t *json, char **signature)
{
	CLEANUP(free_p) char *next = view_signature(json);

	if (!next)
		return -ENOMEM;
	if (*signature && !strcmp(*signature, next))
		return 0;
	free(*signature);
	*signature = take_ptr(next);
	return print_block(cli, json);
}

/* The daemon may be restarted while we watch: what was shown last stays, the reason above it. */
static void refresh(json_t **shown, const struct cli *cli, const char *path, struct err *err)
{
	CLEANUP(json_p) json_t *json = NULL;
	int r;

	err->text[0] = '\0';
	r = client_get(&json, cli->socket, path, err);
	if (r) {
		if (!err->text[0])
			err_set(err, -EIO, "%s",
				r > 0 ? text_get(json_object_get(json, "error"), "message")
				      : strerror(-r));
		printable_clean(err->text);
		return;
	}
	json_decref(*shown);
	*shown = take_ptr(json);
}

enum cli_status watch_health(const struct cli *cli, const char *path)
{
	bool terminal = isatty(fileno(cli->out));
	CLEANUP(json_p) json_t *json = NULL;
	CLEANUP(free_p) char *signature = NULL;
	struct err err = { "" }, last = { "" };
	enum cli_status status;
	sigset_t set;
	int r;

	signals_block(&set);
	status = command_ask(&json, cli, path);
	if (status != STATUS_DONE)
		return status;

	for (;;) {
		r = terminal ? redraw(cli, json, err.text[0] ? err.text : NULL)
			     : print_change(cli, json, &signature);
		/* What could not be written is said once, at the end of main(). */
		if (r < 0)
			return ferror(cli->out) ? STATUS_REFUSED : command_print_failed(cli, r);
		if (!terminal && err.text[0] && strcmp(err.text, last.text) != 0)
			fprintf(cli->err, "sluice: %s\n", err.text);
		last = err;
		if (signals_wait(&set, WATCH_PERIOD_MS) || signals_reader_is_gone(cli))
			break;
		refresh(&json, cli, path, &err);
	}
	return view_all_healthy(json) ? STATUS_DONE : STATUS_REFUSED;
}

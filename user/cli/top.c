// SPDX-License-Identifier: GPL-2.0-or-later
/* top - health on a terminal: sorted, filtered, an endpoint in full, as it comes. */
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "cli/signals.h"
#include "cli/text.h"
#include "cli/top_feed.h"
#include "cli/top_screen.h"
#include "diagnose/json.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/printable.h"

#define TICK_MS 200 /* how soon what has come is shown */
#define KEY_ESCAPE 27
#define KEY_RETURN '\r'
#define KEY_RUBOUT 127

struct top {
	const struct cli *cli;
	struct top_feed *feed;
	struct top_rows rows;
	struct top_choice choice;
	struct top_screen screen;
	struct err trouble;
	char before[TOP_FILTER_LEN]; /* the filter, before it was being typed */
	char *list_path;
	size_t list_first; /* where the list was before an endpoint was opened */
};

/* --- what comes ------------------------------------------------------------------------------- */

/* Another choice begins at its top. */
static int choose(struct top *top)
{
	top->screen.cursor = 0;
	return top_rows_choose(&top->rows, &top->choice);
}

/* The cursor stays with its endpoint, whose texts are of the old document. */
static int take_list(struct top *top, json_t *json)
{
	CLEANUP(json_p) json_t *old = json_incref(top->rows.json);
	struct top_row was;
	bool had = top->screen.cursor < top->rows.n;
	int r;

	if (had)
		was = top->rows.rows[top->screen.cursor];
	top_rows_set(&top->rows, json);
	r = top_rows_choose(&top->rows, &top->choice);
	if (r == 0 && had)
		top->screen.cursor = top_rows_find(&top->rows, &was);
	return r;
}

static int take_detail(struct top *top, json_t *json)
{
	CLEANUP(json_p) json_t *owned = json;
	struct view view = command_view(top->cli);
	char *text = NULL;
	size_t len;
	int r;

	view.color = false;
	view.out = open_memstream(&text, &len);
	if (!view.out)
		return -ENOMEM;
	r = view_why(&view, owned);
	fclose(view.out);
	if (r < 0) {
		free(text);
		return r;
	}
	free(top->screen.detail);
	top->screen.detail = text;
	return 0;
}

static int take(struct top *top)
{
	json_t *json = NULL;

	if (top->screen.paused || !top_feed_take(top->feed, &json, &top->trouble))
		return 0;
	top->screen.trouble = json ? NULL : top->trouble.text;
	if (!json)
		return 0;
	return top->screen.detail ? take_detail(top, json) : take_list(top, json);
}

/* --- keys ------------------------------------------------------------------------------------- */

static char *path_of(const struct top_row *row)
{
	const char *const pairs[] = { "pool", row->pool, "address", row->address, NULL };

	return client_query("/v1/why", pairs);
}

static int open_endpoint(struct top *top)
{
	CLEANUP(free_p) char *path = NULL;

	if (top->screen.cursor >= top->rows.n)
		return 0;
	path = path_of(&top->rows.rows[top->screen.cursor]);
	free(top->screen.detail);
	top->screen.detail = strdup("asking ...\n");
	if (!path || !top->screen.detail)
		return -ENOMEM;
	top->list_first = top->screen.first;
	top->screen.first = 0;
	top->screen.paused = false;
	return top_feed_ask(top->feed, path);
}

static int close_endpoint(struct top *top)
{
	free(take_ptr(top->screen.detail));
	top->screen.first = top->list_first;
	top->screen.trouble = NULL;
	top->screen.paused = false;
	return top_feed_ask(top->feed, top->list_path);
}

static void go(size_t *at, long by, size_t end)
{
	if (by < 0)
		*at = *at > (size_t)-by ? *at - (size_t)-by : 0;
	else
		*at = *at + (size_t)by < end ? *at + (size_t)by : (end ? end - 1 : 0);
}

/* False: it is none that moves. */
static bool press_move(struct top *top, int key)
{
	size_t *at = top->screen.detail ? &top->screen.first : &top->screen.cursor;
	size_t end = top->screen.detail ? strlen(top->screen.detail) : top->rows.n;
	long page = (long)top_screen_height(&top->screen);

	switch (key) {
	case KEY_UP:
	case 'k':
		go(at, -1, end);
		return true;
	case KEY_DOWN:
	case 'j':
		go(at, 1, end);
		return true;
	case KEY_PPAGE:
		go(at, -page, end);
		return true;
	case KEY_NPAGE:
		go(at, page, end);
		return true;
	case KEY_HOME:
		*at = 0;
		return true;
	case KEY_END:
		*at = end ? end - 1 : 0;
		return true;
	default:
		return false;
	}
}

static int press_typing(struct top *top, int key)
{
	char *filter = top->choice.filter;
	size_t len = strlen(filter);

	if (key == KEY_RETURN || key == KEY_ENTER || key == KEY_ESCAPE) {
		top->screen.typing = false;
		if (key == KEY_ESCAPE)
			memcpy(filter, top->before, sizeof(top->before));
	} else if ((key == KEY_BACKSPACE || key == KEY_RUBOUT || key == '\b') && len) {
		filter[len - 1] = '\0';
	} else if (key < KEY_RUBOUT && printable_is_ascii((char)key) && len + 1 < TOP_FILTER_LEN) {
		filter[len] = (char)key;
		filter[len + 1] = '\0';
	}
	return choose(top);
}

static int press_list(struct top *top, int key)
{
	struct top_choice *choice = &top->choice;

	switch (key) {
	case KEY_RETURN:
	case KEY_ENTER:
		return open_endpoint(top);
	case 's':
		choice->sort = (choice->sort + 1) % TOP_SORTS_N;
		break;
	case 'r':
		choice->reversed = !choice->reversed;
		break;
	case 'u':
		choice->troubled = !choice->troubled;
		break;
	case '/':
		memcpy(top->before, choice->filter, sizeof(top->before));
		choice->filter[0] = '\0';
		top->screen.typing = true;
		break;
	default:
		return 0;
	}
	return choose(top);
}

/* 1: it is time to end. */
static int press(struct top *top, int key)
{
	if (top->screen.typing)
		return press_typing(top, key);
	if (press_move(top, key))
		return 0;
	if (key == 'p' || key == ' ') {
		top->screen.paused = !top->screen.paused;
		return 0;
	}
	if (key == 'q' || key == KEY_ESCAPE) {
		if (top->screen.detail)
			return close_endpoint(top);
		return key == 'q';
	}
	return top->screen.detail ? 0 : press_list(top, key);
}

/* --- the command ------------------------------------------------------------------------------ */

static int run(struct top *top, const sigset_t *set)
{
	int r = 0, key;

	while (r == 0) {
		r = take(top);
		if (r < 0)
			break;
		top_screen_draw(&top->screen);
		timeout(TICK_MS);
		key = getch();
		/* A burst of keys is drawn once. */
		timeout(0);
		for (; key != ERR && r == 0; key = getch())
			r = press(top, key);
		if (signals_wait(set, 0) || !isatty(STDIN_FILENO))
			return 1;
	}
	return r < 0 ? r : 0;
}

static void top_done(struct top *top)
{
	top_feed_stop(top->feed);
	top_rows_done(&top->rows);
	free(top->screen.detail);
	free(top->list_path);
}

static int prepare(struct top *top, json_t *first)
{
	const char *const pairs[] = { "pool", top->cli->n_args ? top->cli->args[0] : NULL, NULL };
	int r;

	top->screen.rows = &top->rows;
	top->screen.choice = &top->choice;
	r = take_list(top, first);
	if (r < 0)
		return r;
	top->list_path = client_query("/v1/health", pairs);
	if (!top->list_path)
		return -ENOMEM;
	r = top_feed_start(&top->feed, top->cli->socket);
	return r < 0 ? r : top_feed_ask(top->feed, top->list_path);
}

enum cli_status command_top(struct cli *cli)
{
	const char *const pairs[] = { "pool", cli->n_args ? cli->args[0] : NULL, NULL };
	CLEANUP(top_done) struct top top = { .cli = cli };
	CLEANUP(free_p) char *path = client_query("/v1/health", pairs);
	enum cli_status status;
	json_t *first = NULL;
	sigset_t set;
	int r;

	if (cli->json)
		return cli_fail(cli, STATUS_USAGE, "usage",
				"top is for people; 'sluice health --json' has it for programs");
	if (!isatty(STDIN_FILENO) || !isatty(fileno(cli->out)))
		return cli_fail(cli, STATUS_USAGE, "usage",
				"top needs a terminal; 'sluice health' prints to anywhere");
	if (!path)
		return command_print_failed(cli, -ENOMEM);
	/* What is wrong from the start is said on a screen that stays. */
	status = command_ask(&first, cli, path);
	if (status != STATUS_DONE)
		return status;
	signals_block(&set);
	r = prepare(&top, first);
	if (r < 0)
		return command_print_failed(cli, r);
	setlocale(LC_CTYPE, "");
	if (top_screen_begin(cli->color) < 0)
		return cli_fail(
			cli, STATUS_REFUSED, "terminal",
			"this terminal (TERM=%s) is not known to ncurses, or cannot do what top needs",
			getenv("TERM") ?: "");
	r = run(&top, &set);
	top_screen_end();
	return r < 0 ? command_print_failed(cli, r) : STATUS_DONE;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/top_screen.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "cli/text.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/duration.h"

#define LINE_LEN 1024
#define FOOT_LINES 1

enum pair { PAIR_PLAIN, PAIR_GREEN, PAIR_RED, PAIR_YELLOW };

static SCREEN *terminal;

int top_screen_begin(bool color)
{
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal)
		return -ENODEV;
	set_term(terminal);
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	if (color && has_colors()) {
		start_color();
		use_default_colors();
		init_pair(PAIR_GREEN, COLOR_GREEN, -1);
		init_pair(PAIR_RED, COLOR_RED, -1);
		init_pair(PAIR_YELLOW, COLOR_YELLOW, -1);
	}
	return 0;
}

void top_screen_end(void)
{
	endwin();
	delscreen(terminal);
	terminal = NULL;
}

/* --- lines ------------------------------------------------------------------------------------ */

/* At most width columns of the text; returns how many it took. What is no character is a question mark. */
static int put(int y, int x, const char *text, int width)
{
	mbstate_t state = { 0 };
	int used = 0;

	while (*text) {
		wchar_t c;
		size_t n = mbrtowc(&c, text, MB_CUR_MAX, &state);
		int columns;

		if (n == (size_t)-1 || n == (size_t)-2) {
			state = (mbstate_t){ 0 };
			c = L'?';
			n = 1;
		}
		columns = wcwidth(c);
		if (columns < 0) {
			c = L'?';
			columns = 1;
		}
		if (used + columns > width)
			break;
		mvaddnwstr(y, x + used, &c, 1);
		used += columns;
		text += n;
	}
	return used;
}

__attribute__((format(printf, 4, 5))) static void line(int y, int x, int width, const char *fmt,
						       ...)
{
	char text[LINE_LEN];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (width > 0)
		put(y, x, text, width);
}

/* How many endpoints there are, what is shown of them, what is not guarded if anything is not, and the columns. */
static int head_lines(const struct top_screen *screen)
{
	return json_array_size(top_rows_unguarded(screen->rows)) ? 4 : 3;
}

size_t top_screen_height(const struct top_screen *screen)
{
	int height = LINES - head_lines(screen) - FOOT_LINES;

	return height > 1 ? (size_t)height : 1;
}

/* --- the list --------------------------------------------------------------------------------- */

/* Where columns begin; the message has the rest. */
struct columns {
	int state, address, pool, since, time, message;
};

static struct columns columns_of(const struct top_rows *rows)
{
	int address = (int)strlen("ADDRESS"), pool = (int)strlen("POOL/SERVICE");
	int address_max = COLS / 3, pool_max = COLS / 4;
	struct columns c = { .state = 0 };

	for (size_t i = 0; i < rows->n; i++) {
		int a = (int)strlen(rows->rows[i].address);
		int p = (int)(strlen(rows->rows[i].pool) + strlen(rows->rows[i].service) + 1);

		address = a > address ? a : address;
		pool = p > pool ? p : pool;
	}
	c.address = c.state + 12;
	c.pool = c.address + (address < address_max ? address : address_max) + 1;
	c.since = c.pool + (pool < pool_max ? pool : pool_max) + 1;
	c.time = c.since + 8;
	c.message = c.time + 8;
	return c;
}

/* The state by a sign and a word, besides its color. */
static void draw_state(int y, const struct top_row *row, attr_t attributes)
{
	bool healthy = !strcmp(row->health, "Healthy"),
	     unhealthy = !strcmp(row->health, "Unhealthy");
	const char *admin = text_get(row->endpoint, "admin");
	bool enabled = !strcmp(admin, "enabled"), warned = top_row_is_warned(row);
	short pair = healthy     ? (enabled && !warned ? PAIR_GREEN : PAIR_YELLOW)
		     : unhealthy ? PAIR_RED
				 : PAIR_YELLOW;

	attr_set(attributes | (unhealthy ? A_BOLD : 0), pair, NULL);
	line(y, 0, 11, "%c %s",
	     unhealthy  ? '!'
	     : !healthy ? '?'
	     : !enabled ? '-'
	     : warned   ? '*'
			: ' ',
	     healthy && !enabled ? admin : row->health);
	attr_set(attributes, PAIR_PLAIN, NULL);
}

/* Where the message begins with the address, that is on the line already. */
static const char *reason_of(const struct top_row *row)
{
	size_t len = strlen(row->address);

	if (strncmp(row->message, row->address, len) != 0 || row->message[len] != ' ')
		return row->message;
	return row->message + len + 1;
}

/* What stands before the reason: a drain, or the first of the warnings. */
static void describe(char buf[LINE_LEN], const struct top_row *row, uint64_t now_ms)
{
	const json_t *warning = json_array_get(json_object_get(row->endpoint, "warnings"), 0);
	char text[VIEW_WARNING_LEN];

	buf[0] = '\0';
	if (json_object_get(row->endpoint, "drain"))
		view_drain(buf, row->endpoint);
	else if (json_is_string(warning))
		snprintf(buf, LINE_LEN, "Warning: %s",
			 view_warning(text, row->endpoint, json_string_value(warning), now_ms));
}

static void draw_row(int y, const struct columns *c, const struct top_row *row, bool chosen,
		     uint64_t now_ms)
{
	attr_t attributes = chosen ? A_REVERSE : A_NORMAL;
	char since[DURATION_LEN], took[TEXT_TIME_LEN], lead[LINE_LEN];

	attr_set(attributes, PAIR_PLAIN, NULL);
	mvhline(y, 0, ' ', COLS);
	draw_state(y, row, attributes);
	line(y, c->address, c->pool - c->address - 1, "%s", row->address);
	line(y, c->pool, c->since - c->pool - 1, "%s/%s", row->pool, row->service);
	duration_human(since, now_ms > row->since_ms ? now_ms - row->since_ms : 0);
	line(y, c->since, 7, "%s", since);
	line(y, c->time, 7, "%s", text_format_us(took, row->took_us));
	describe(lead, row, now_ms);
	line(y, c->message, COLS - c->message, "%s%s%s", lead, *lead ? ". " : "", reason_of(row));
	attr_set(A_NORMAL, PAIR_PLAIN, NULL);
}

static void draw_list(struct top_screen *screen)
{
	const struct top_rows *rows = screen->rows;
	const struct columns c = columns_of(rows);
	size_t height = top_screen_height(screen);
	int head = head_lines(screen);
	uint64_t now_ms = clock_wall_ms();

	if (rows->n && screen->cursor >= rows->n)
		screen->cursor = rows->n - 1;
	if (screen->cursor < screen->first)
		screen->first = screen->cursor;
	if (screen->cursor >= screen->first + height)
		screen->first = screen->cursor - height + 1;
	if (screen->first && screen->first + height > rows->n)
		screen->first = rows->n > height ? rows->n - height : 0;

	attr_set(A_REVERSE, PAIR_PLAIN, NULL);
	mvhline(head - 1, 0, ' ', COLS);
	line(head - 1, c.state, 11, "STATE");
	line(head - 1, c.address, c.pool - c.address - 1, "ADDRESS");
	line(head - 1, c.pool, c.since - c.pool - 1, "POOL/SERVICE");
	line(head - 1, c.since, 7, "SINCE");
	line(head - 1, c.time, 7, "TIME");
	line(head - 1, c.message, COLS - c.message, "REASON");
	attr_set(A_NORMAL, PAIR_PLAIN, NULL);
	for (size_t i = 0; i < height && screen->first + i < rows->n; i++)
		draw_row(head + (int)i, &c, &rows->rows[screen->first + i],
			 screen->first + i == screen->cursor, now_ms);
}

/* --- one endpoint ----------------------------------------------------------------------------- */

/* Where the next line of the screen begins in a text whose lines may be longer than it. */
static const char *next_line(const char *text)
{
	size_t len = strcspn(text, "\n"), width = COLS > 0 ? (size_t)COLS : 1;

	if (len > width) {
		len = width;
		/* Not within a character. */
		while (len > 1 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		return text + len;
	}
	return text[len] ? text + len + 1 : text + len;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text = next_line(text))
		n++;
	return n;
}

static void draw_detail(struct top_screen *screen)
{
	size_t height = top_screen_height(screen) + 1, n = count_lines(screen->detail);
	const char *text = screen->detail;
	int top = head_lines(screen) - 1, y = top;

	if (screen->first + height > n)
		screen->first = n > height ? n - height : 0;
	for (size_t i = 0; i < screen->first; i++)
		text = next_line(text);
	for (; *text && (size_t)(y - top) < height; y++) {
		const char *end = next_line(text);

		line(y, 0, COLS, "%.*s",
		     (int)strcspn(text, "\n") < end - text ? (int)strcspn(text, "\n")
							   : (int)(end - text),
		     text);
		text = end;
	}
}

/* --- all of it -------------------------------------------------------------------------------- */

static void draw_unguarded(const struct top_screen *screen)
{
	const json_t *unguarded = top_rows_unguarded(screen->rows),
		     *first = json_array_get(unguarded, 0);
	const char *name = text_get(first, "interface");
	size_t n = json_array_size(unguarded);
	char more[48] = "";

	if (!n)
		return;
	if (n > 1)
		snprintf(more, sizeof(more), " (and %zu more)", n - 1);
	attr_set(A_BOLD, PAIR_RED, NULL);
	line(2, 0, COLS, "! %s is %sguarded%s: %s", *name ? name : "nothing", *name ? "not " : "",
	     more, text_get(first, "why"));
	attr_set(A_NORMAL, PAIR_PLAIN, NULL);
}

static void draw_head(const struct top_screen *screen)
{
	const struct top_choice *choice = screen->choice;
	const struct top_rows *rows = screen->rows;
	char now[CLOCK_ISO_LEN];

	clock_iso(now, clock_wall_ms());
	attr_set(A_BOLD, PAIR_PLAIN, NULL);
	line(0, 0, COLS, "%zu endpoints: %zu Healthy, %zu Unhealthy, %zu Unknown   %.8sZ%s",
	     rows->healthy + rows->unhealthy + rows->unknown, rows->healthy, rows->unhealthy,
	     rows->unknown, now + 11, screen->paused ? "   PAUSED" : "");
	attr_set(A_NORMAL, PAIR_PLAIN, NULL);
	if (screen->trouble) {
		attr_set(A_BOLD, PAIR_RED, NULL);
		line(1, 0, COLS, "! %s", screen->trouble);
		attr_set(A_NORMAL, PAIR_PLAIN, NULL);
	} else if (screen->typing) {
		line(1, 0, COLS, "filter: %s_", choice->filter);
	} else {
		line(1, 0, COLS, "%zu shown, by %s%s%s%s%s", rows->n, top_sort_name(choice->sort),
		     choice->reversed ? ", reversed" : "", choice->troubled ? ", trouble only" : "",
		     choice->filter[0] ? ", filter: " : "", choice->filter);
	}
}

void top_screen_draw(struct top_screen *screen)
{
	erase();
	draw_head(screen);
	draw_unguarded(screen);
	if (screen->detail)
		draw_detail(screen);
	else
		draw_list(screen);
	attr_set(A_REVERSE, PAIR_PLAIN, NULL);
	mvhline(LINES - 1, 0, ' ', COLS);
	line(LINES - 1, 0, COLS, "%s",
	     screen->typing ? "type words   Enter keep   Esc drop"
	     : screen->detail
		     ? "q back   up/down scroll   p pause"
		     : "q quit   Enter open   s sort   r reverse   u trouble   / filter   p pause");
	attr_set(A_NORMAL, PAIR_PLAIN, NULL);
	refresh();
}

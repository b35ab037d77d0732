// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/hunt.h"

#include <stdarg.h>
#include <string.h>

#include "util/clock.h"
#include "util/printable.h"

/* To the beginning of the line, and clear it. */
#define LINE_AGAIN "\r\033[K"

void hunt_begin(struct hunt *hunt, const char *name)
{
	hunt->step_ns = clock_mono_ns();
	if (!hunt->show_progress)
		return;
	fprintf(hunt->cli->err, LINE_AGAIN "%s … (%llu of at most %llu s)", name,
		(unsigned long long)((hunt->step_ns - hunt->start_ns) / NS_PER_SEC),
		(unsigned long long)(hunt->timeout_ms / MS_PER_SEC));
	fflush(hunt->cli->err);
}

void hunt_end(struct hunt *hunt, const char *name, enum hunt_state state, const char *fmt, ...)
{
	struct hunt_step *step;
	va_list args;

	if (hunt->show_progress)
		fputs(LINE_AGAIN, hunt->cli->err);
	if (hunt->n_steps == HUNT_STEPS_MAX)
		return;
	step = &hunt->steps[hunt->n_steps++];
	step->name = name;
	step->state = state;
	step->ms = (uint32_t)((clock_mono_ns() - hunt->step_ns) / NS_PER_MS);
	va_start(args, fmt);
	vsnprintf(step->text, sizeof(step->text), fmt, args);
	va_end(args);
	printable_clean(step->text);
	hunt->step_ns = clock_mono_ns();
}

void hunt_note(struct hunt *hunt, const char *fmt, ...)
{
	va_list args;

	if (hunt->n_notes == HUNT_NOTES_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(hunt->notes[hunt->n_notes], HUNT_TEXT_LEN, fmt, args);
	va_end(args);
	printable_clean(hunt->notes[hunt->n_notes++]);
}

uint32_t hunt_time(const struct hunt *hunt, uint32_t wanted_ms)
{
	uint64_t now_ns = clock_mono_ns();
	uint64_t left_ms = hunt->until_ns > now_ns ? (hunt->until_ns - now_ns) / NS_PER_MS : 0;

	return left_ms < wanted_ms ? (uint32_t)left_ms : wanted_ms;
}

const char *hunt_state_name(enum hunt_state state)
{
	static const char *const names[] = {
		[HUNT_GOOD] = "good",
		[HUNT_BAD] = "bad",
		[HUNT_UNCLEAR] = "unclear",
		[HUNT_SKIPPED] = "skipped",
	};

	return names[state];
}

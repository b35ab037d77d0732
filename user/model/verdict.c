// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/verdict.h"

#include <stddef.h>
#include <string.h>

static const struct message_row {
	enum sl_message code;
	const char *id;
	bool passed, ours;
} rows[] = {
#define MESSAGE_ROW(NAME, code, id, passed, ours) { SL_MSG_##NAME, id, passed, ours },
	SL_MESSAGES(MESSAGE_ROW)
#undef MESSAGE_ROW
};

static const struct message_row *find_row(enum sl_message code)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].code == code)
			return &rows[i];
	return NULL;
}

struct verdict verdict_keep(const struct verdict *verdict)
{
	certs_ref(verdict->tls.certs);
	return *verdict;
}

void verdict_done(struct verdict *verdict)
{
	certs_unref(take_ptr(verdict->tls.certs));
}

const char *stage_name(enum stage stage)
{
	static const char *const names[] = {
		[STAGE_NONE] = "none",       [STAGE_QUEUE] = "queue",
		[STAGE_RESOLVE] = "resolve", [STAGE_CONNECT] = "connect",
		[STAGE_TLS] = "tls",         [STAGE_CERTIFICATE] = "certificate",
		[STAGE_REQUEST] = "request", [STAGE_HEADER] = "header",
		[STAGE_BODY] = "body",
	};

	return names[stage];
}

const char *message_id(enum sl_message code)
{
	const struct message_row *row = find_row(code);

	return row ? row->id : NULL;
}

bool message_parse(enum sl_message *ret_code, const char *id)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].id, id)) {
			*ret_code = rows[i].code;
			return true;
		}
	return false;
}

bool message_passed(enum sl_message code)
{
	const struct message_row *row = find_row(code);

	return row && row->passed;
}

bool message_ours(enum sl_message code)
{
	const struct message_row *row = find_row(code);

	return row && row->ours;
}

const char *warning_id(enum sl_warning warning)
{
	switch (warning) {
#define WARNING_CASE(NAME, bit, id) \
	case SL_WARN_##NAME:        \
		return id;
		SL_WARNINGS(WARNING_CASE)
#undef WARNING_CASE
	}
	return NULL;
}

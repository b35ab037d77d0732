// SPDX-License-Identifier: GPL-2.0-or-later
#include "import/expr.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define ARGS_MAX 32
#define DEPTH_MAX 16
#define STEPS_MAX 512 /* of one expression, with those of the parameters that it uses */
#define TEXT_MAX 4096
#define WORD_LEN 64

/* A buffer that keeps the end of a text that does not fit from being taken for the whole. */
struct text {
	char bytes[TEXT_MAX];
	size_t len;
	bool is_cut;
};

struct reading {
	const struct expr_names *names;
	const char *at;
	unsigned int depth;
	unsigned int *steps;
};

static void add(struct text *text, const char *bytes, size_t len)
{
	if (text->len + len >= sizeof(text->bytes)) {
		text->is_cut = true;
		return;
	}
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->bytes[text->len] = '\0';
}

static void add_unknown(struct text *text)
{
	static const char unknown = EXPR_UNKNOWN;

	add(text, &unknown, 1);
}

static void skip_blanks(struct reading *reading)
{
	while (isspace((unsigned char)*reading->at))
		reading->at++;
}

static bool take(struct reading *reading, char c)
{
	skip_blanks(reading);
	if (*reading->at != c)
		return false;
	reading->at++;
	return true;
}

/* A text in single quotes; two of them inside stand for one. */
static int read_quoted(struct text *text, struct reading *reading)
{
	for (reading->at++; *reading->at; reading->at++) {
		if (*reading->at == '\'' && *++reading->at != '\'')
			return 0;
		add(text, reading->at, 1);
	}
	return -EINVAL;
}

static int resolve_part(struct text *text, const struct reading *from, const char *source);

/* What a parameter or a variable stands for. */
static int add_named(struct text *text, struct reading *reading, struct prop *among,
		     const char *name, bool is_parameter)
{
	struct prop *value = prop_child(among, name);
	char number[32];

	if (is_parameter)
		value = prop_child(value, "defaultValue");
	if (!value || !prop_is_leaf(value)) {
		add_unknown(text);
		return 0;
	}
	prop_tell(reading->names->tree, value, OUTCOME_CARRIED, "where it is referred to");
	if (json_is_string(value->json))
		return resolve_part(text, reading, json_string_value(value->json));
	if (json_is_integer(value->json))
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(value->json));
	else if (json_is_boolean(value->json))
		snprintf(number, sizeof(number), "%s",
			 json_is_true(value->json) ? "true" : "false");
	else
		snprintf(number, sizeof(number), "%c", EXPR_UNKNOWN);
	add(text, number, strlen(number));
	return 0;
}

/* "{0}-{1}", the first argument, with the others in it. */
static void add_formatted(struct text *text, const struct text *args, size_t n_args)
{
	for (const char *c = args[0].bytes; *c; c++) {
		char *end;
		unsigned long i;

		if (*c != '{' || !isdigit((unsigned char)c[1])) {
			add(text, c, 1);
			continue;
		}
		i = strtoul(c + 1, &end, 10);
		if (*end == '}' && i + 1 < n_args)
			add(text, args[i + 1].bytes, args[i + 1].len);
		else
			add_unknown(text);
		c += strcspn(c, "}");
		if (!*c)
			return;
	}
}

static int call(struct text *text, struct reading *reading, const char *function,
		const struct text *args, size_t n_args)
{
	if (!strcasecmp(function, "parameters") && n_args == 1)
		return add_named(text, reading, reading->names->parameters, args[0].bytes, true);
	if (!strcasecmp(function, "variables") && n_args == 1)
		return add_named(text, reading, reading->names->variables, args[0].bytes, false);
	if (!strcasecmp(function, "format") && n_args) {
		add_formatted(text, args, n_args);
		return 0;
	}
	if (strcasecmp(function, "concat") != 0 && strcasecmp(function, "resourceId") != 0) {
		add_unknown(text);
		return 0;
	}
	for (size_t i = 0; i < n_args; i++) {
		if (i && !strcasecmp(function, "resourceId"))
			add(text, "/", 1);
		add(text, args[i].bytes, args[i].len);
	}
	return 0;
}

static int read_value(struct text *text, struct reading *reading);

static int read_args(struct text *args, size_t *ret_n, struct reading *reading)
{
	size_t n = 0;

	while (!take(reading, ')')) {
		int r;

		if (n == ARGS_MAX || (n && !take(reading, ',')))
			return -EINVAL;
		r = read_value(&args[n++], reading);
		if (r < 0)
			return r;
	}
	*ret_n = n;
	return 0;
}

/* ".id", "[0]": what is taken out of a function's answer, which is not known then. */
static int skip_access(struct reading *reading, bool *ret_any)
{
	*ret_any = false;
	for (;; *ret_any = true) {
		struct text text = { .len = 0 };
		int r;

		if (take(reading, '.')) {
			while (isalnum((unsigned char)*reading->at) || *reading->at == '_')
				reading->at++;
		} else if (take(reading, '[')) {
			r = read_value(&text, reading);
			if (r < 0)
				return r;
			if (!take(reading, ']'))
				return -EINVAL;
		} else {
			return 0;
		}
	}
}

static int read_call(struct text *text, struct reading *reading, const char *function)
{
	CLEANUP(free_p) struct text *args = calloc(ARGS_MAX, sizeof(*args));
	size_t n_args, before = text->len;
	bool is_accessed;
	int r;

	if (!args)
		return -ENOMEM;
	r = read_args(args, &n_args, reading);
	if (r < 0)
		return r;
	r = call(text, reading, function, args, n_args);
	if (r < 0)
		return r;
	r = skip_access(reading, &is_accessed);
	if (r >= 0 && is_accessed) {
		text->len = before;
		add_unknown(text);
	}
	for (size_t i = 0; i < n_args; i++)
		text->is_cut = text->is_cut || args[i].is_cut;
	return r;
}

static int read_value(struct text *text, struct reading *reading)
{
	char word[WORD_LEN];
	size_t len = 0;
	int r;

	skip_blanks(reading);
	if (++*reading->steps > STEPS_MAX || reading->depth == DEPTH_MAX)
		return -EINVAL;
	if (*reading->at == '\'')
		return read_quoted(text, reading);
	while (isalnum((unsigned char)reading->at[len]) || strchr("_-.", reading->at[len])) {
		if (!reading->at[len])
			break;
		len++;
	}
	if (!len || len >= sizeof(word))
		return -EINVAL;
	memcpy(word, reading->at, len);
	word[len] = '\0';
	reading->at += len;
	if (!take(reading, '(')) {
		add(text, word, len); /* a number, true or false */
		return 0;
	}
	reading->depth++;
	r = read_call(text, reading, word);
	reading->depth--;
	return r;
}

bool expr_is(const char *text)
{
	size_t len = strlen(text);

	return len > 2 && text[0] == '[' && text[1] != '[' && text[len - 1] == ']';
}

static int resolve_part(struct text *text, const struct reading *from, const char *source)
{
	struct reading reading = *from;
	int r;

	if (!expr_is(source)) {
		source += !strncmp(source, "[[", 2); /* that is how a bracket itself is written */
		add(text, source, strlen(source));
		return 0;
	}
	reading.at = source + 1;
	r = read_value(text, &reading);
	if (r < 0)
		return r;
	return take(&reading, ']') && !*reading.at ? 0 : -EINVAL;
}

int expr_resolve(char **ret, const struct expr_names *names, const char *text)
{
	CLEANUP(free_p) struct text *resolved = calloc(1, sizeof(*resolved));
	unsigned int steps = 0;
	struct reading reading = { .names = names, .steps = &steps };
	char *copy;
	int r;

	if (!resolved)
		return -ENOMEM;
	if (!expr_is(text)) {
		copy = strdup(text + !strncmp(text, "[[", 2));
	} else {
		r = resolve_part(resolved, &reading, text);
		if (r < 0 || resolved->is_cut)
			return r < 0 ? r : -EINVAL;
		copy = strdup(resolved->bytes);
	}
	if (!copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

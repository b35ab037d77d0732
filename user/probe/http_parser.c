// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/http_parser.h"

#include <string.h>
#include <strings.h>

#include "model/limits.h"

#define STRINGIFY_(x) #x
#define STRINGIFY(x) STRINGIFY_(x)

#define STATUS_SWITCHING 101
#define STATUS_NO_CONTENT 204
#define STATUS_NOT_MODIFIED 304
#define STATUS_MIN 100
#define STATUS_FINAL_MIN 200

static const char error_not_http[] = "status line is not HTTP/1.x";

/* Positions in "HTTP/1.1 200 OK". */
#define PREFIX "HTTP/1."
enum { POS_MINOR = sizeof(PREFIX) - 1, POS_BLANK, POS_STATUS, POS_REASON = POS_STATUS + 3 };

/* Within a chunk's size line. */
enum chunk_step { CHUNK_NO_DIGIT, CHUNK_DIGITS, CHUNK_BLANK, CHUNK_EXTENSION };

static void bad(struct http_parser *p, const char *error)
{
	p->state = HTTP_BAD;
	p->error = error;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static bool is_control(uint8_t c)
{
	return (c < ' ' && c != '\t') || c == 0x7f;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool is_token(uint8_t c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* --- status line ------------------------------------------------------------------------------ */

static void start_line_byte(struct http_parser *p, uint8_t c)
{
	uint32_t pos = p->line_pos;
	bool ok;

	if (pos < POS_MINOR) {
		ok = c == (uint8_t)PREFIX[pos];
	} else if (pos == POS_MINOR) {
		ok = is_digit(c);
		p->minor = (uint8_t)(c - '0');
	} else if (pos == POS_BLANK) {
		ok = c == ' ';
		p->line_status = 0;
	} else if (pos < POS_REASON) {
		ok = is_digit(c);
		p->line_status = (uint16_t)(p->line_status * 10 + (c - '0'));
	} else if (pos == POS_REASON) {
		ok = c == ' ';
	} else {
		ok = !is_control(c);
	}

	if (!ok)
		bad(p, error_not_http);
}

static void start_line_end(struct http_parser *p)
{
	if (p->line_pos < POS_REASON || p->line_status < STATUS_MIN) {
		bad(p, error_not_http);
		return;
	}
	p->section = HTTP_FIELDS;
	p->has_field = false;
	p->has_length = false;
	p->has_coding = false;
}

/* --- fields ----------------------------------------------------------------------------------- */

static bool name_is(const struct http_parser *p, const char *name)
{
	return !p->name_long && p->name_len == strlen(name) &&
	       !strncasecmp(p->name, name, p->name_len);
}

/* Read one number at *text. false: not a number, or more than 64 bits. */
static bool take_number(const char **text, const char *end, uint64_t *ret_number)
{
	const char *at = *text;
	uint64_t number = 0;

	for (; at < end && is_digit((uint8_t)*at); at++)
		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
			return false;
	if (at == *text)
		return false;

	*text = at;
	*ret_number = number;
	return true;
}

static const char *skip_blanks(const char *at, const char *end)
{
	while (at < end && is_blank((uint8_t)*at))
		at++;
	return at;
}

/* "5", or "5, 5" where something on the way merged two fields that agree (RFC 9110, 8.6). */
static void finish_length(struct http_parser *p)
{
	const char *at = p->value, *end = p->value + p->value_len;
	uint64_t length = 0;

	while (!p->value_long) {
		at = skip_blanks(at, end);
		if (!take_number(&at, end, &length))
			break;
		if (p->has_length && p->length != length) {
			bad(p, "conflicting Content-Length");
			return;
		}
		p->has_length = true;
		p->length = length;
		at = skip_blanks(at, end);
		if (at == end)
			return;
		if (*at++ != ',')
			break;
	}
	bad(p, "Content-Length is not a number");
}

/* Empty list elements around the one coding are legal (RFC 9110, 5.6.1). */
static void finish_coding(struct http_parser *p)
{
	static const char chunked[] = "chunked";
	const char *at = p->value, *end = p->value + p->value_len;

	while (at < end && (is_blank((uint8_t)*at) || *at == ','))
		at++;
	while (end > at && (is_blank((uint8_t)end[-1]) || end[-1] == ','))
		end--;

	if (p->value_long || p->has_coding || (size_t)(end - at) != strlen(chunked) ||
	    strncasecmp(at, chunked, strlen(chunked)) != 0)
		bad(p, "transfer coding is not chunked");
	p->has_coding = true;
}

/* A field ends where the next line turns out not to continue it. Trailers decide nothing. */
static void finish_field(struct http_parser *p)
{
	if (p->has_field && p->section == HTTP_FIELDS) {
		if (name_is(p, "content-length"))
			finish_length(p);
		else if (name_is(p, "transfer-encoding"))
			finish_coding(p);
	}
	p->name_len = 0;
	p->value_len = 0;
	p->name_long = false;
	p->value_long = false;
}

static void value_byte(struct http_parser *p, uint8_t c)
{
	if (is_control(c))
		bad(p, "control character in a header field");
	else if (p->value_len < sizeof(p->value))
		p->value[p->value_len++] = (char)c;
	else if (!is_blank(c))
		p->value_long = true;
}

static void name_byte(struct http_parser *p, uint8_t c)
{
	if (c == ':' && p->line_pos > 0)
		p->in_value = true;
	else if (!is_token(c))
		bad(p, "header field name is not a token");
	else if (p->name_len < sizeof(p->name))
		p->name[p->name_len++] = (char)c;
	else
		p->name_long = true;
}

static void field_byte(struct http_parser *p, uint8_t c)
{
	if (p->line_pos > 0) {
		if (p->in_value)
			value_byte(p, c);
		else
			name_byte(p, c);
		return;
	}

	if (is_blank(c)) {
		if (!p->has_field)
			bad(p, "white space before the first header field");
		/* A folded line: the fold counts as one blank of the value. */
		p->in_value = true;
		value_byte(p, ' ');
		return;
	}
	finish_field(p);
	p->has_field = true;
	p->in_value = false;
	if (p->state != HTTP_BAD)
		name_byte(p, c);
}

/* --- between header and body ------------------------------------------------------------------ */

static void interim_end(struct http_parser *p)
{
	if (p->line_status == STATUS_SWITCHING)
		bad(p, "101 switching protocols");
	else if (++p->n_interim > HTTP_INTERIM_MAX)
		bad(p, "more than " STRINGIFY(HTTP_INTERIM_MAX) " interim answers");
	p->section = HTTP_START_LINE;
}

static void header_end(struct http_parser *p)
{
	if (p->line_status < STATUS_FINAL_MIN) {
		interim_end(p);
		return;
	}
	if (p->has_coding && p->has_length) {
		bad(p, "both Transfer-Encoding and Content-Length");
		return;
	}
	if (p->has_coding && !p->minor) {
		bad(p, "Transfer-Encoding in an HTTP/1.0 answer");
		return;
	}

	p->status = p->line_status;
	p->state = HTTP_BODY;
	if (p->status == STATUS_NO_CONTENT || p->status == STATUS_NOT_MODIFIED ||
	    (p->has_length && !p->length))
		p->state = HTTP_DONE;
	else if (p->has_coding)
		p->section = HTTP_CHUNK_SIZE;
	else
		p->section = p->has_length ? HTTP_DATA_LENGTH : HTTP_DATA_UNTIL_CLOSE;
	p->chunk_step = CHUNK_NO_DIGIT;
}

static void field_line_end(struct http_parser *p)
{
	if (p->line_pos > 0) {
		if (!p->in_value)
			bad(p, "header field without colon");
		return;
	}

	finish_field(p);
	if (p->state == HTTP_BAD)
		return;
	if (p->section == HTTP_TRAILERS)
		p->state = HTTP_DONE;
	else
		header_end(p);
}

/* --- chunks ----------------------------------------------------------------------------------- */

static int hex_value(uint8_t c)
{
	if (is_digit(c))
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void chunk_digit(struct http_parser *p, uint8_t c)
{
	int digit = hex_value(c);

	if (digit < 0) {
		bad(p, "chunk size is not hexadecimal");
		return;
	}
	if (p->chunk_step == CHUNK_NO_DIGIT)
		p->length = 0;
	p->chunk_step = CHUNK_DIGITS;
	if (__builtin_mul_overflow(p->length, 16, &p->length))
		bad(p, "chunk size has more than 64 bits");
	p->length += (uint64_t)digit;
}

/* Blanks between size and extensions, or behind the size, are "bad whitespace": taken. */
static void chunk_size_byte(struct http_parser *p, uint8_t c)
{
	if (p->line_pos >= HTTP_CHUNK_LINE_MAX)
		bad(p, "chunk size line longer than " STRINGIFY(HTTP_CHUNK_LINE_MAX) " bytes");
	else if (p->chunk_step == CHUNK_EXTENSION && is_control(c))
		bad(p, "control character in a chunk extension");
	else if (p->chunk_step == CHUNK_EXTENSION)
		return;
	else if (p->chunk_step != CHUNK_NO_DIGIT && c == ';')
		p->chunk_step = CHUNK_EXTENSION;
	else if (p->chunk_step != CHUNK_NO_DIGIT && is_blank(c))
		p->chunk_step = CHUNK_BLANK;
	else if (p->chunk_step == CHUNK_BLANK)
		bad(p, "chunk size is not hexadecimal");
	else
		chunk_digit(p, c);
}

static void chunk_size_end(struct http_parser *p)
{
	if (p->chunk_step == CHUNK_NO_DIGIT) {
		bad(p, "chunk size is not hexadecimal");
		return;
	}
	p->chunk_step = CHUNK_NO_DIGIT;
	p->section = p->length ? HTTP_CHUNK_DATA : HTTP_TRAILERS;
	p->has_field = false;
}

/* --- lines ------------------------------------------------------------------------------------ */

static void line_byte(struct http_parser *p, uint8_t c)
{
	switch (p->section) {
	case HTTP_START_LINE:
		start_line_byte(p, c);
		break;
	case HTTP_FIELDS:
	case HTTP_TRAILERS:
		field_byte(p, c);
		break;
	case HTTP_CHUNK_SIZE:
		chunk_size_byte(p, c);
		break;
	case HTTP_CHUNK_END:
		bad(p, "chunk is longer than its size");
		break;
	case HTTP_DATA_LENGTH:
	case HTTP_DATA_UNTIL_CLOSE:
	case HTTP_CHUNK_DATA:
		break;
	}
	p->line_pos++;
}

static void line_end(struct http_parser *p)
{
	switch (p->section) {
	case HTTP_START_LINE:
		start_line_end(p);
		break;
	case HTTP_FIELDS:
	case HTTP_TRAILERS:
		field_line_end(p);
		break;
	case HTTP_CHUNK_SIZE:
		chunk_size_end(p);
		break;
	case HTTP_CHUNK_END:
		p->section = HTTP_CHUNK_SIZE;
		break;
	case HTTP_DATA_LENGTH:
	case HTTP_DATA_UNTIL_CLOSE:
	case HTTP_CHUNK_DATA:
		break;
	}
	p->line_pos = 0;
	p->seen_cr = false;
}

static bool is_chunk_line(const struct http_parser *p)
{
	return p->section == HTTP_CHUNK_SIZE || p->section == HTTP_CHUNK_END;
}

/* Count a byte of a line against the bound of its part of the answer. */
static void count_line_byte(struct http_parser *p)
{
	if (p->state == HTTP_BODY)
		p->body_bytes++;
	if (is_chunk_line(p))
		return;
	if (++p->header_bytes > LIMIT_HTTP_HEADER_BYTES)
		bad(p, "header larger than " STRINGIFY(LIMIT_HTTP_HEADER_BYTES) " bytes");
}

static void take_line_byte(struct http_parser *p, uint8_t c)
{
	count_line_byte(p);
	if (p->state == HTTP_BAD)
		return;

	if (c == '\n' && !p->seen_cr && is_chunk_line(p))
		bad(p, "chunk line ends without carriage return");
	else if (c == '\n')
		line_end(p);
	else if (p->seen_cr)
		bad(p, "carriage return without line feed");
	else if (c == '\r')
		p->seen_cr = true;
	else
		line_byte(p, c);
}

/* --- body data -------------------------------------------------------------------------------- */

static bool in_data(const struct http_parser *p)
{
	return p->section == HTTP_DATA_LENGTH || p->section == HTTP_DATA_UNTIL_CLOSE ||
	       p->section == HTTP_CHUNK_DATA;
}

static size_t take_data(struct http_parser *p, const uint8_t *data, size_t len)
{
	uint64_t room = LIMIT_HTTP_BODY_BYTES - p->body_bytes;

	if (len > room)
		len = (size_t)room;
	if (p->section != HTTP_DATA_UNTIL_CLOSE && len > p->length)
		len = (size_t)p->length;

	if (p->on_body)
		p->on_body(p->arg, data, len);
	p->body_bytes += len;
	p->data_bytes += len;
	if (p->section == HTTP_DATA_UNTIL_CLOSE)
		return len;

	p->length -= len;
	if (!p->length && p->section == HTTP_DATA_LENGTH)
		p->state = HTTP_DONE;
	else if (!p->length)
		p->section = HTTP_CHUNK_END;
	return len;
}

void http_parser_init(struct http_parser *parser, http_body_fn *on_body, void *arg)
{
	*parser = (struct http_parser){ .on_body = on_body, .arg = arg };
}

enum http_state http_parser_feed(struct http_parser *parser, const uint8_t *data, size_t len)
{
	const uint8_t *end = data + len;

	while (data < end && (parser->state == HTTP_HEADER || parser->state == HTTP_BODY)) {
		if (parser->body_bytes >= LIMIT_HTTP_BODY_BYTES)
			parser->state = HTTP_CUT;
		else if (in_data(parser))
			data += take_data(parser, data, (size_t)(end - data));
		else
			take_line_byte(parser, *data++);
	}
	return parser->state;
}

enum http_state http_parser_end(struct http_parser *parser)
{
	if (parser->state == HTTP_BODY && parser->section == HTTP_DATA_UNTIL_CLOSE)
		parser->state = HTTP_DONE;
	return parser->state;
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "survey/filter_expr.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#define V4_BITS 32
#define ADDR_BITS 128

/* What an expression comes to for a packet. */
struct value {
	enum {
		VALUE_UNKNOWN,
		VALUE_ABSENT,
		VALUE_TEXT,
		VALUE_NUMBER,
		VALUE_ADDR,
		VALUE_FLAGS
	} kind;
	const char *text;
	uint64_t number;
	const struct addr *addr;
};

static const struct value unknown = { .kind = VALUE_UNKNOWN };
/* The packet has no such field: a rule that asks for it is not about this packet. */
static const struct value absent = { .kind = VALUE_ABSENT };

static struct value number_value(uint64_t number)
{
	return (struct value){ .kind = VALUE_NUMBER, .number = number };
}

static struct value text_value(const char *text)
{
	return (struct value){ .kind = VALUE_TEXT, .text = text };
}

static struct value addr_value(const struct addr *addr)
{
	return (struct value){ .kind = VALUE_ADDR, .addr = addr };
}

static const char *get(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

/* --- the left side ----------------------------------------------------------------------------- */

static uint64_t protocol_of(const struct filter_packet *packet)
{
	return packet->udp ? IPPROTO_UDP : IPPROTO_TCP;
}

static struct value port_value(uint16_t port)
{
	return port ? number_value(port) : unknown;
}

static struct value ip_value(const struct filter_packet *packet, const char *field)
{
	if (!strcmp(field, "saddr"))
		return packet->from_unknown ? unknown : addr_value(&packet->from);
	if (!strcmp(field, "daddr"))
		return addr_value(&packet->to);
	if (!strcmp(field, "protocol") || !strcmp(field, "nexthdr"))
		return number_value(protocol_of(packet));
	return unknown;
}

static struct value tcp_flags(const struct filter_packet *packet)
{
	return (struct value){ .kind = VALUE_FLAGS,
			       .number = packet->is_answer ? TH_SYN | TH_ACK : TH_SYN };
}

static struct value payload_value(const struct filter_packet *packet, const json_t *payload)
{
	const char *protocol = get(payload, "protocol"), *field = get(payload, "field");
	bool v4 = addr_is_v4(&packet->to);

	if (!strcmp(protocol, "ip"))
		return v4 ? ip_value(packet, field) : absent;
	if (!strcmp(protocol, "ip6"))
		return v4 ? absent : ip_value(packet, field);
	if (!strcmp(protocol, "icmp") || !strcmp(protocol, "icmpv6"))
		return absent;
	if ((!strcmp(protocol, "tcp") && packet->udp) || (!strcmp(protocol, "udp") && !packet->udp))
		return absent;
	if (!strcmp(field, "dport"))
		return port_value(packet->to_port);
	if (!strcmp(field, "sport"))
		return port_value(packet->from_port);
	if (!strcmp(protocol, "tcp") && !strcmp(field, "flags"))
		return tcp_flags(packet);
	return unknown;
}

static struct value meta_value(const struct filter_packet *packet, const char *key)
{
	if (!strcmp(key, "iifname") || !strcmp(key, "iif"))
		return packet->in_unknown ? unknown : text_value(packet->in);
	if (!strcmp(key, "oifname") || !strcmp(key, "oif"))
		return text_value(packet->out);
	if (!strcmp(key, "l4proto"))
		return number_value(protocol_of(packet));
	if (!strcmp(key, "nfproto"))
		return text_value(addr_is_v4(&packet->to) ? "ipv4" : "ipv6");
	if (!strcmp(key, "protocol"))
		return text_value(addr_is_v4(&packet->to) ? "ip" : "ip6");
	return unknown;
}

static struct value ct_value(const struct filter_packet *packet, const char *key)
{
	if (!strcmp(key, "state"))
		return text_value(packet->is_answer ? "established" : "new");
	return unknown;
}

static uint64_t flags_of(const json_t *json);

static struct value value_of(const struct filter_packet *packet, const json_t *left)
{
	const json_t *inner = json_object_get(left, "payload"), *mask = json_object_get(left, "&");
	struct value value;

	if (inner)
		return payload_value(packet, inner);
	inner = json_object_get(left, "meta");
	if (inner)
		return meta_value(packet, get(inner, "key"));
	inner = json_object_get(left, "ct");
	if (inner)
		return ct_value(packet, get(inner, "key"));
	if (json_array_size(mask) == 2) {
		value = value_of(packet, json_array_get(mask, 0));
		if (value.kind != VALUE_FLAGS)
			return value.kind == VALUE_ABSENT ? absent : unknown;
		value.number &= flags_of(json_array_get(mask, 1));
		return value;
	}
	return unknown;
}

/* --- the right side ---------------------------------------------------------------------------- */

/* "syn", {"|": ["syn", "ack"]} or ["syn", "ack"] */
static uint64_t flags_of(const json_t *json)
{
	static const struct {
		const char *name;
		uint64_t bit;
	} names[] = { { "fin", TH_FIN },  { "syn", TH_SYN }, { "rst", TH_RST },
		      { "psh", TH_PUSH }, { "ack", TH_ACK }, { "urg", TH_URG } };
	const json_t *list = json_is_object(json) ? json_object_get(json, "|") : json;
	uint64_t flags = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		flags |= flags_of(json_array_get(list, i));
	for (size_t i = 0; json_is_string(list) && i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].name, json_string_value(list)))
			flags |= names[i].bit;
	return flags;
}

static bool in_prefix(const struct addr *addr, const struct addr *prefix, uint64_t bits)
{
	uint64_t whole = bits / 8, rest = bits % 8;

	if (memcmp(addr->bytes, prefix->bytes, whole) != 0)
		return false;
	return !rest || !((addr->bytes[whole] ^ prefix->bytes[whole]) >> (8 - rest));
}

static enum holds is_text(const struct value *value, const char *text)
{
	size_t len = strlen(text);
	struct addr addr;

	switch (value->kind) {
	case VALUE_TEXT:
		/* Names of devices may end with a star. */
		if (len && text[len - 1] == '*')
			return strncmp(value->text, text, len - 1) ? HOLDS_NO : HOLDS_YES;
		return strcmp(value->text, text) ? HOLDS_NO : HOLDS_YES;
	case VALUE_ADDR:
		if (addr_parse(&addr, text) < 0)
			return HOLDS_MAYBE;
		return memcmp(&addr, value->addr, sizeof(addr)) ? HOLDS_NO : HOLDS_YES;
	case VALUE_NUMBER:
		if (!strcmp(text, "tcp") || !strcmp(text, "udp"))
			return value->number == (text[0] == 't' ? IPPROTO_TCP : IPPROTO_UDP)
				       ? HOLDS_YES
				       : HOLDS_NO;
		return HOLDS_MAYBE;
	default:
		return HOLDS_MAYBE;
	}
}

static enum holds is_prefix(const struct value *value, const json_t *prefix)
{
	json_int_t len = json_integer_value(json_object_get(prefix, "len"));
	struct addr addr;

	if (value->kind != VALUE_ADDR || addr_parse(&addr, get(prefix, "addr")) < 0 || len < 0 ||
	    len > (addr_is_v4(&addr) ? V4_BITS : ADDR_BITS))
		return HOLDS_MAYBE;
	if (addr_is_v4(&addr))
		len += ADDR_BITS - V4_BITS;
	return in_prefix(value->addr, &addr, (uint64_t)len) ? HOLDS_YES : HOLDS_NO;
}

static enum holds is_range(const struct value *value, const json_t *range)
{
	const json_t *low = json_array_get(range, 0), *high = json_array_get(range, 1);
	struct addr first, last;

	if (value->kind == VALUE_NUMBER && json_is_integer(low) && json_is_integer(high))
		return value->number >= (uint64_t)json_integer_value(low) &&
				       value->number <= (uint64_t)json_integer_value(high)
			       ? HOLDS_YES
			       : HOLDS_NO;
	if (value->kind != VALUE_ADDR || addr_parse(&first, json_string_value(low) ?: "") < 0 ||
	    addr_parse(&last, json_string_value(high) ?: "") < 0)
		return HOLDS_MAYBE;
	return memcmp(value->addr->bytes, first.bytes, sizeof(first.bytes)) >= 0 &&
			       memcmp(value->addr->bytes, last.bytes, sizeof(last.bytes)) <= 0
		       ? HOLDS_YES
		       : HOLDS_NO;
}

static enum holds is_one(const struct filter_scope *scope, const struct value *value,
			 const json_t *right);

static enum holds is_any(const struct filter_scope *scope, const struct value *value,
			 const json_t *list)
{
	enum holds best = HOLDS_NO;

	for (size_t i = 0; i < json_array_size(list) && best != HOLDS_YES; i++) {
		enum holds holds = is_one(scope, value, json_array_get(list, i));

		if (holds > best)
			best = holds;
	}
	return best;
}

static enum holds is_in_set(const struct filter_scope *scope, const struct value *value,
			    const char *name)
{
	for (size_t i = 0; i < json_array_size(scope->objects); i++) {
		const json_t *set = json_object_get(json_array_get(scope->objects, i), "set");

		if (set && !strcmp(get(set, "name"), name) &&
		    !strcmp(get(set, "family"), scope->family) &&
		    !strcmp(get(set, "table"), scope->table))
			return is_any(scope, value, json_object_get(set, "elem"));
	}
	return HOLDS_MAYBE;
}

static enum holds is_object(const struct filter_scope *scope, const struct value *value,
			    const json_t *right)
{
	const json_t *inner = json_object_get(right, "prefix");

	if (inner)
		return is_prefix(value, inner);
	inner = json_object_get(right, "range");
	if (inner)
		return is_range(value, inner);
	inner = json_object_get(right, "set");
	if (inner)
		return json_is_array(inner) ? is_any(scope, value, inner)
					    : is_one(scope, value, inner);
	/* An element with a timeout or a comment. */
	inner = json_object_get(json_object_get(right, "elem"), "val");
	return inner ? is_one(scope, value, inner) : HOLDS_MAYBE;
}

static enum holds is_one(const struct filter_scope *scope, const struct value *value,
			 const json_t *right)
{
	if (value->kind == VALUE_ABSENT)
		return HOLDS_NO;
	if (value->kind == VALUE_UNKNOWN)
		return HOLDS_MAYBE;
	if (json_is_object(right))
		return is_object(scope, value, right);
	if (json_is_array(right))
		return is_any(scope, value, right);
	if (json_is_integer(right))
		return value->kind != VALUE_NUMBER                            ? HOLDS_MAYBE
		       : value->number == (uint64_t)json_integer_value(right) ? HOLDS_YES
									      : HOLDS_NO;
	if (!json_is_string(right))
		return HOLDS_MAYBE;
	if (json_string_value(right)[0] == '@')
		return is_in_set(scope, value, json_string_value(right) + 1);
	return is_text(value, json_string_value(right));
}

enum holds filter_is(const struct filter_scope *scope, const json_t *left, const json_t *right)
{
	struct value value = value_of(scope->packet, left);

	return is_one(scope, &value, right);
}

static enum holds not(enum holds holds) {
	return holds == HOLDS_MAYBE ? HOLDS_MAYBE
	       : holds == HOLDS_YES ? HOLDS_NO
				    : HOLDS_YES;
}

static enum holds compare_flags(uint64_t flags, const char *op, uint64_t wanted)
{
	if (!strcmp(op, "in"))
		return flags & wanted ? HOLDS_YES : HOLDS_NO;
	if (!strcmp(op, "=="))
		return flags == wanted ? HOLDS_YES : HOLDS_NO;
	if (!strcmp(op, "!="))
		return flags != wanted ? HOLDS_YES : HOLDS_NO;
	return HOLDS_MAYBE;
}

enum holds filter_holds(const struct filter_scope *scope, const json_t *match)
{
	const json_t *left = json_object_get(match, "left"),
		     *right = json_object_get(match, "right");
	struct value value = value_of(scope->packet, left);
	const char *op = get(match, "op");

	if (value.kind == VALUE_ABSENT)
		return HOLDS_NO;
	if (value.kind == VALUE_FLAGS)
		return compare_flags(value.number, op, flags_of(right));
	if (!strcmp(op, "==") || !strcmp(op, "in"))
		return is_one(scope, &value, right);
	if (!strcmp(op, "!="))
		return not(is_one(scope, &value, right));
	if (value.kind != VALUE_NUMBER || !json_is_integer(right))
		return HOLDS_MAYBE;
	if (!strcmp(op, "<"))
		return value.number < (uint64_t)json_integer_value(right) ? HOLDS_YES : HOLDS_NO;
	if (!strcmp(op, ">"))
		return value.number > (uint64_t)json_integer_value(right) ? HOLDS_YES : HOLDS_NO;
	if (!strcmp(op, "<="))
		return value.number <= (uint64_t)json_integer_value(right) ? HOLDS_YES : HOLDS_NO;
	if (!strcmp(op, ">="))
		return value.number >= (uint64_t)json_integer_value(right) ? HOLDS_YES : HOLDS_NO;
	return HOLDS_MAYBE;
}

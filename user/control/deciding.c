// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/deciding.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "control/render.h"
#include "dataplane/decide.h"
#include "util/clock.h"
#include "util/err.h"

/* Of a client, when nobody says which: the first of those that are given to nobody for good. */
#define CLIENT_PORT 49152

/* What was asked, as text; NULL: not given. */
struct question {
	const char *from, *to, *proto, *flags, *interface;
};

static const char *parameter(const struct request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

static const char *or_none(const char *text)
{
	return text ? text : "";
}

static int parse_from(struct decide_packet *packet, const char *text, struct err *err)
{
	packet->from_port = CLIENT_PORT;
	if (text && (addr_parse(&packet->from, text) == 0 ||
		     addr_port_parse(&packet->from, &packet->from_port, text) == 0))
		return 0;
	return err_set(err, -EINVAL, "source '%.*s' is not an IP address, with or without a port",
		       ANSWER_NAMED_MAX, or_none(text));
}

static int parse_to(struct decide_packet *packet, const char *text, struct err *err)
{
	if (!text || addr_port_parse(&packet->to, &packet->to_port, text) < 0)
		return err_set(err, -EINVAL,
			       "destination '%.*s' is not an IP address with a port, as "
			       "192.0.2.10:80 or [2001:db8::10]:80",
			       ANSWER_NAMED_MAX, or_none(text));
	if (addr_is_v4(&packet->from) != addr_is_v4(&packet->to))
		return err_set(err, -EINVAL,
			       "source and destination are of different address families");
	return 0;
}

static int parse_kind(struct decide_packet *packet, const struct question *question,
		      struct err *err)
{
	bool is_udp = question->proto && !strcmp(question->proto, "udp");

	if (question->proto && !is_udp && strcmp(question->proto, "tcp") != 0)
		return err_set(err, -EINVAL, "proto '%.*s' is not tcp or udp", ANSWER_NAMED_MAX,
			       question->proto);
	packet->proto = is_udp ? SL_UDP : SL_TCP;
	if (!question->flags)
		return 0;
	if (is_udp)
		return err_set(err, -EINVAL, "flags are for tcp");
	packet->flags = strcmp(question->flags, "ack") == 0 ? DECIDE_ACK : DECIDE_SYN;
	if (packet->flags == DECIDE_SYN && strcmp(question->flags, "syn") != 0)
		return err_set(err, -EINVAL, "flags '%.*s' are not syn or ack", ANSWER_NAMED_MAX,
			       question->flags);
	return 0;
}

static int parse_interface(struct decide_packet *packet, const char *name, struct err *err)
{
	if (!name)
		return 0;
	packet->ifindex = if_nametoindex(name);
	if (!packet->ifindex)
		return err_set(err, -EINVAL, "there is no interface '%.*s'", ANSWER_NAMED_MAX,
			       name);
	return 0;
}

static int parse(struct decide_packet *packet, const struct question *question, struct err *err)
{
	int r;

	r = parse_from(packet, question->from, err);
	if (r < 0)
		return r;
	r = parse_to(packet, question->to, err);
	if (r < 0)
		return r;
	r = parse_kind(packet, question, err);
	if (r < 0)
		return r;
	return parse_interface(packet, question->interface, err);
}

static json_t *render_packet(const struct decide_packet *packet)
{
	json_t *json = json_object();
	char name[IF_NAMESIZE];

	json_put(&json, "from", render_end(&packet->from, packet->from_port));
	json_put(&json, "to", render_end(&packet->to, packet->to_port));
	json_put_text(&json, "proto", packet->proto == SL_UDP ? "udp" : "tcp");
	if (packet->proto == SL_TCP)
		json_put_text(&json, "flags", packet->flags == DECIDE_ACK ? "ack" : "syn");
	if (packet->ifindex && if_indextoname(packet->ifindex, name))
		json_put_text(&json, "interface", name);
	return json;
}

/* The endpoint as one of the services that have it shows it. */
static void put_endpoint(json_t **json, const struct api_context *context, uint32_t endpoint)
{
	const struct model *model = context->model;
	struct render_row row = { .service = model->endpoints[endpoint].service,
				  .now_ms = clock_wall_ms() };
	const struct service *service = &model->services[row.service];

	while (row.member < service->n_endpoints && service->endpoints[row.member] != endpoint)
		row.member++;
	if (row.member < service->n_endpoints)
		json_put(json, "endpoint", render_standing(context, &row));
}

static json_t *render_result(const struct api_context *context, const struct decide_packet *packet,
			     const struct decide_result *result)
{
	const struct model *model = context->model;
	json_t *json = json_object();

	json_put(&json, "packet", render_packet(packet));
	json_put_text(&json, "decision", decision_name(result->decision));
	json_put_text(&json, "meaning", decision_text(result->decision));
	json_put_bool(&json, "known_flow", result->known);
	if (result->service != INDEX_NONE) {
		const struct service *service = &model->services[result->service];

		json_put_text(&json, "service", service->name);
		json_put_text(&json, "pool", model->pools[service->pool].name);
		json_put_bool(&json, "moved", result->moved);
	}
	if (result->endpoint != INDEX_NONE)
		put_endpoint(&json, context, result->endpoint);
	return json;
}

void deciding_answer(const struct request *request, const char *rest, struct answer *answer)
{
	const struct question question = {
		.from = parameter(request, "from"),
		.to = parameter(request, "to"),
		.proto = parameter(request, "proto"),
		.flags = parameter(request, "flags"),
		.interface = parameter(request, "interface"),
	};
	struct decide_packet packet = { .ifindex = 0 };
	struct err err = { "out of memory" };
	struct decide_result result;
	int r;

	(void)rest;
	r = parse(&packet, &question, &err);
	if (r < 0) {
		answer_refuse(answer, MHD_HTTP_BAD_REQUEST, "bad_request", "%s", err.text);
		return;
	}
	r = dataplane_decide(request->context->dataplane, &packet, &result, &err);
	if (r < 0) {
		answer_refuse(answer, MHD_HTTP_INTERNAL_SERVER_ERROR, "failed", "%s", err.text);
		return;
	}
	answer->json = render_result(request->context, &packet, &result);
}

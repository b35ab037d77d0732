// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe/exchange.h"

#include <errno.h>

int exchange_init(struct exchange *exchange, const struct plan *plan)
{
	exchange->grpc = plan->protocol == PROTO_GRPC;
	exchange->asked = false;
	if (!exchange->grpc)
		return http_init(&exchange->http, plan);

	/* Large, and most probes have none. */
	exchange->call = calloc(1, sizeof(*exchange->call));
	return exchange->call ? grpc_init(exchange->call, plan) : -ENOMEM;
}

int exchange_use_h2(struct exchange *exchange, const struct plan *plan)
{
	return exchange->grpc ? 0 : http_use_h2(&exchange->http, plan);
}

void exchange_done(struct exchange *exchange)
{
	if (!exchange->grpc) {
		http_done(&exchange->http);
		return;
	}
	if (exchange->call)
		grpc_done(exchange->call);
	free(take_ptr(exchange->call));
}

static int speak_h2(struct h2 *h2, struct stream *stream)
{
	const uint8_t *data;
	ssize_t n;
	int r;

	/* More is taken when this is gone: a server that does not read cannot make it pile up. */
	if (stream_has_output(stream) && h2_status(h2))
		return 0;
	while ((n = h2_output(h2, &data)) > 0) {
		r = stream_put(stream, data, (size_t)n);
		if (r < 0)
			return r;
	}
	return (int)n;
}

int exchange_speak(struct exchange *exchange, const struct plan *plan, struct stream *stream)
{
	struct h2 *h2 = exchange->grpc ? exchange->call->h2 : exchange->http.h2;
	char request[HTTP_REQUEST_MAX];
	int len;

	if (h2)
		return speak_h2(h2, stream);
	if (exchange->asked)
		return 0;
	exchange->asked = true;
	len = http_request(request, plan);
	return len < 0 ? len : stream_put(stream, request, (size_t)len);
}

enum stage exchange_stage(const struct exchange *exchange)
{
	return exchange->grpc ? grpc_stage(exchange->call) : http_stage(&exchange->http);
}

bool exchange_receive(struct exchange *exchange, const uint8_t *data, size_t len,
		      struct verdict *ret_verdict)
{
	return exchange->grpc ? grpc_receive(exchange->call, data, len, ret_verdict)
			      : http_receive(&exchange->http, data, len, ret_verdict);
}

void exchange_end(struct exchange *exchange, enum stream_end end, int os_errno,
		  struct verdict *ret_verdict)
{
	if (exchange->grpc)
		grpc_end(exchange->call, end, os_errno, ret_verdict);
	else
		http_end(&exchange->http, end, os_errno, ret_verdict);
}

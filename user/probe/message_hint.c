// SPDX-License-Identifier: GPL-2.0-or-later
/* message_hint - remedies that depend on the data of a verdict. */
#include <errno.h>

#include "probe/message.h"

/* Numbers of TLS alerts, as registered. */
#define ALERT_HANDSHAKE_FAILURE 40
#define ALERT_PROTOCOL_VERSION 70
#define ALERT_INTERNAL_ERROR 80
#define ALERT_MISSING_EXTENSION 109
#define ALERT_UNRECOGNIZED_NAME 112
#define ALERT_CERTIFICATE_REQUIRED 116
#define ALERT_NO_APPLICATION_PROTOCOL 120

#define GRPC_UNIMPLEMENTED 12
#define GRPC_NOT_FOUND 5

static const struct hint {
	enum sl_message code;
	int value; /* HTTP or gRPC status, alert, or errno */
	const char *text;
} hints[] = {
	{ SL_MSG_HTTP_STATUS_MISMATCH, 400,
	  "the server dislikes the request: set the host name that it expects on "
	  "the probe" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 401,
	  "the path asks for credentials, which probes cannot give: accept 401 "
	  "in match.status, or "
	  "probe a path that is open" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 403,
	  "access to the path is forbidden: probe a path that is open to this "
	  "host, or accept 403" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 404,
	  "the server does not serve this path under this host: correct the "
	  "probe's path or host" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 405,
	  "the path does not allow GET, and probes send nothing else: probe one "
	  "that does" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 500,
	  "the application failed at the request: look into its log" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 502,
	  "the server is itself a proxy and got no good answer: check what is "
	  "behind it" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 503,
	  "the service says that it is unavailable: check that it runs and is "
	  "not in maintenance" },
	{ SL_MSG_HTTP_STATUS_MISMATCH, 504,
	  "the server is itself a proxy and got no answer in time: check what is "
	  "behind it" },
	{ SL_MSG_TCP_CONNECT_FAILED, ECONNREFUSED,
	  "on the server, look for a listener on the port (ss -ltn) and for "
	  "firewall rules that "
	  "reject" },
	{ SL_MSG_TCP_CONNECT_FAILED, ETIMEDOUT,
	  "check that the server is up, and look for filters that drop packets, "
	  "on the way and on "
	  "the server" },
	{ SL_MSG_TCP_CONNECT_FAILED, EHOSTUNREACH,
	  "check that the server is up and its address right: ip neigh, ip route "
	  "get ADDRESS" },
	{ SL_MSG_TCP_CONNECT_FAILED, ENETUNREACH,
	  "this host has no route to that network: ip route get ADDRESS" },
	{ SL_MSG_LOCAL_RESOURCE, EMFILE,
	  "raise the daemon's limit of open files (LimitNOFILE=), or lower the "
	  "probes in flight" },
	{ SL_MSG_LOCAL_RESOURCE, ENFILE,
	  "raise the host's limit of open files: sysctl fs.file-max" },
	{ SL_MSG_LOCAL_RESOURCE, ENOMEM, "free memory on this host, or raise the daemon's limit" },
	{ SL_MSG_LOCAL_RESOURCE, ENOBUFS, "free memory on this host, or raise the daemon's limit" },
	{ SL_MSG_LOCAL_RESOURCE, EADDRNOTAVAIL,
	  "no local port or address is left: widen net.ipv4.ip_local_port_range, "
	  "and check that "
	  "this host has an address of that family" },
	{ SL_MSG_LOCAL_RESOURCE, EPERM,
	  "give the daemon CAP_NET_ADMIN, and look for output filters of this "
	  "host: nft list "
	  "ruleset" },
	{ SL_MSG_LOCAL_RESOURCE, EACCES,
	  "a policy or prohibiting route of this host forbids the connection: ip "
	  "route get ADDRESS" },
	{ SL_MSG_LOCAL_RESOURCE, EAFNOSUPPORT, "this host's kernel does not do IPv6" },
	{ SL_MSG_LOCAL_RESOURCE, EINVAL,
	  "the probe's host and path must be free of blanks and control "
	  "characters" },
	{ SL_MSG_TLS_HANDSHAKE_FAILED, ALERT_HANDSHAKE_FAILURE,
	  "compare the server's cipher suites, groups and certificate type with "
	  "what TLS 1.2 and 1.3 clients offer, and see whether it demands client "
	  "certificates" },
	{ SL_MSG_TLS_HANDSHAKE_FAILED, ALERT_PROTOCOL_VERSION,
	  "enable TLS 1.2 or 1.3 on the server: probes speak nothing older" },
	{ SL_MSG_TLS_HANDSHAKE_FAILED, ALERT_INTERNAL_ERROR,
	  "read the server's error log: it often has no certificate or key for "
	  "the name asked for" },
	{ SL_MSG_TLS_HANDSHAKE_FAILED, ALERT_MISSING_EXTENSION,
	  "give the probe a host name: the server wants one as SNI" },
	{ SL_MSG_TLS_HANDSHAKE_FAILED, ALERT_UNRECOGNIZED_NAME,
	  "the server does not know the name sent as SNI: correct the probe's "
	  "host or the settings' host_name or sni_name, or the server's list of "
	  "names" },
	{ SL_MSG_TLS_HANDSHAKE_FAILED, ALERT_CERTIFICATE_REQUIRED,
	  "the server demands a client certificate, which probes do not have: "
	  "let it not do so on the probed port" },
	{ SL_MSG_TLS_HANDSHAKE_FAILED, ALERT_NO_APPLICATION_PROTOCOL,
	  "the server speaks another protocol over TLS: a tls probe asks for none" },
	{ SL_MSG_GRPC_NOT_SERVING, GRPC_UNIMPLEMENTED,
	  "the server has no health service: register grpc.health.v1.Health in "
	  "it, or use a tcp or tls probe" },
	{ SL_MSG_GRPC_NOT_SERVING, GRPC_NOT_FOUND,
	  "the server does not know the service: correct the name in the probe's "
	  "path" },
	{ SL_MSG_UDP_UNREACHABLE, ECONNREFUSED,
	  "on the server, look for a listener on the port (ss -lnu) and for "
	  "firewall rules that reject" },
};

static int value_of(const struct verdict *verdict)
{
	switch (verdict->code) {
	case SL_MSG_HTTP_STATUS_MISMATCH:
		return verdict->http_status;
	case SL_MSG_GRPC_NOT_SERVING:
		return verdict->grpc_status;
	case SL_MSG_TLS_HANDSHAKE_FAILED:
		return verdict->tls.alert;
	default:
		return verdict->os_errno;
	}
}

const char *message_hint(const struct verdict *verdict)
{
	int value = value_of(verdict);

	/* The errno of an ICMP error says less than its type, which the sentence holds. */
	if (verdict->has_icmp)
		return NULL;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].code == verdict->code && hints[i].value == value)
			return hints[i].text;
	return NULL;
}

const char *message_chain_hint(const struct verdict *verdict)
{
	return verdict->tls.certs ? verdict->tls.certs->hint : NULL;
}

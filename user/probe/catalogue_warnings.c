// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of the catalogue: what a verdict may mention beside it. */
#include "probe/catalogue_rows.h"

const struct catalogue_row catalogue_warning_CHAIN_ORDER = {
	OF_WARNING(CHAIN_ORDER),
	.meaning = "The certificates after the first are not sent in the order of the "
		   "chain, or others are among them. Sluice sorts them out; other clients "
		   "may not.",
	.causes = { "the chain file was put together in another order, or holds a "
		    "certificate twice",
		    "certificates of an older chain were left in the file" },
	.remedies = { "put the chain file in this order: server's own certificate, then each "
		      "one's issuer",
		      "remove certificates that do not belong to the chain" },
};

const struct catalogue_row catalogue_warning_CERT_EXPIRES_SOON = {
	OF_WARNING(CERT_EXPIRES_SOON),
	.meaning = "A certificate of the chain expires within 30 days.",
	.causes = { "the certificate is about to run out, and has not been renewed yet",
		    "automatic renewal has stopped working",
		    "it was renewed, but the server still shows the old one" },
	.remedies = { "renew the certificate now, while everything works",
		      "look at what renews it: its timer, its log, its access to the "
		      "authority",
		      "reload the server after renewing, and look again: sluice probe TARGET "
		      "--show-certs" },
};

const struct catalogue_row catalogue_warning_ROOT_SENT_UNNEEDED = {
	OF_WARNING(ROOT_SENT_UNNEEDED),
	.meaning = "The server sends its root certificate along, which clients have to "
		   "know anyway.",
	.causes = { "the chain file holds the root beside the intermediates" },
	.remedies = { "leave it as it is, or remove the root from the chain file: handshakes "
		      "get shorter" },
};

const struct catalogue_row catalogue_warning_OCSP_STAPLE_MISSING = {
	OF_WARNING(OCSP_STAPLE_MISSING),
	.meaning = "The certificate demands a stapled revocation answer (OCSP "
		   "must-staple), and the server sent none.",
	.causes = { "stapling is switched off on the server",
		    "the server cannot reach the authority's OCSP responder, or has only "
		    "just started" },
	.remedies = { "switch stapling on: ssl_stapling in nginx, SSLUseStapling in Apache "
		      "httpd",
		      "let the server reach the responder that its certificate names: "
		      "openssl x509 -noout -ocsp_uri",
		      "or have the certificate issued without must-staple" },
};

const struct catalogue_row catalogue_warning_OCSP_STAPLE_BAD = {
	OF_WARNING(OCSP_STAPLE_BAD),
	.meaning = "The server stapled a revocation answer that cannot be used: it is "
		   "malformed, out of date, for another certificate, or not signed by the "
		   "issuer.",
	.causes = { "the server serves an old answer from its cache because it cannot get "
		    "a new one",
		    "the answer belongs to the certificate before the last renewal",
		    "the clock of this host or of the responder is wrong" },
	.remedies = { "look at the answer: openssl s_client -connect ADDRESS:PORT "
		      "-servername NAME -status",
		      "reload the server, and let it reach the responder that its "
		      "certificate names",
		      "check this host's clock: timedatectl" },
};

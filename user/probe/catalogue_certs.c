// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of the catalogue: what is wrong with certificates. */
#include "probe/catalogue_rows.h"

const struct catalogue_row catalogue_row_CERT_NAME_MISMATCH = {
	OF_MESSAGE(CERT_NAME_MISMATCH),
	.meaning = "The server's certificate is not for the name that the probe verifies.",
	.causes = { "no host name is configured, so that the default host 127.0.0.1 is "
		    "verified",
		    "the host name in the probe or the settings is not one of the "
		    "certificate's names",
		    "the server chose another certificate because it does not know the "
		    "name sent as SNI",
		    "a wildcard in the certificate covers one label only: *.example.test "
		    "is not for a.b.example.test",
		    "the backend is addressed by IP, and the certificate names no IP "
		    "address" },
	.remedies = { "set the name that the certificate is for: host on the probe, or "
		      "host_name or sni_name in the settings",
		      "look at the names that come back: sluice probe https://HOST/ "
		      "--connect ADDRESS --show-certs",
		      "have a certificate issued whose subject alternative names hold the "
		      "name in use",
		      "set validate_sni: false if the name does not matter for this backend" },
};

const struct catalogue_row catalogue_row_CERT_DATE_INVALID = {
	OF_MESSAGE(CERT_DATE_INVALID),
	.meaning = "A certificate of the chain has expired or is not valid yet.",
	.causes = { "the server's certificate was not renewed in time",
		    "the certificate was renewed, but the server was not restarted and "
		    "still shows the old one",
		    "an intermediate or root certificate of the chain ran out",
		    "the clock of this host, or of the host that issued the certificate, "
		    "is wrong" },
	.remedies = { "renew the certificate that the message names, and install the full "
		      "chain: server's first, then intermediates",
		      "reload or restart the server, and look at what it shows: sluice probe "
		      "TARGET --show-certs",
		      "if a root of one's own ran out: put the new root under trusted_roots",
		      "if the certificate is allow-listed: put the new one under allow_listed",
		      "check this host's clock: timedatectl" },
};

const struct catalogue_row catalogue_row_CERT_INTERMEDIATE_MISSING = {
	OF_MESSAGE(CERT_INTERMEDIATE_MISSING),
	.meaning = "The server's certificate was issued by an authority whose certificate "
		   "the server did not send, and which is not trusted by itself; or it is "
		   "signed by itself without being an authority.",
	.causes = { "the server was given its own certificate only, without the "
		    "intermediate ones",
		    "the chain file holds certificates of another chain, or only the root",
		    "a home-made certificate signs itself and is not marked as an authority",
		    "the server's certificate itself was put under trusted_roots instead "
		    "of its root" },
	.remedies = { "build the chain file in this order: server's certificate, "
		      "intermediates, root; then reload the server",
		      "get the missing intermediate from the authority; the message says "
		      "where, if the certificate does",
		      "put the root that really signs the chain under trusted_roots",
		      "for a home-made certificate: create a root of one's own, sign a "
		      "server certificate with it, and trust the root",
		      "to accept exactly this certificate, put it under allow_listed" },
};

const struct catalogue_row catalogue_row_CERT_LEAF_MISSING = {
	OF_MESSAGE(CERT_LEAF_MISSING),
	.meaning = "The server sent certificates of authorities only; none is for the "
		   "server itself.",
	.causes = { "only the authority's bundle was installed on the server",
		    "the server's own certificate got lost when the chain file was put "
		    "together",
		    "an authority's certificate is used as the server's own" },
	.remedies = { "put the server's own certificate first in the chain file, then the "
		      "intermediates, and reload the server",
		      "look at what is sent: sluice probe TARGET --show-certs, or openssl "
		      "s_client -showcerts",
		      "have a server certificate issued, not one of an authority" },
};

const struct catalogue_row catalogue_row_CERT_SERVER_NOT_WELL_KNOWN_CA = {
	OF_MESSAGE(CERT_SERVER_NOT_WELL_KNOWN_CA),
	.meaning = "The chain ends at a root that the server sent along, and that is not "
		   "among the authorities this host trusts.",
	.causes = { "the certificate comes from a private authority, and the settings "
		    "trust the well-known ones only",
		    "the certificate signs itself", "this host's list of authorities is outdated" },
	.remedies = { "put the private root under trusted_roots of the settings",
		      "or use a certificate from a well-known authority on the server",
		      "or accept exactly this certificate: allow_listed",
		      "update this host's authorities: apt install --only-upgrade "
		      "ca-certificates" },
};

const struct catalogue_row catalogue_row_CERT_INTERMEDIATE_NOT_WELL_KNOWN_CA = {
	OF_MESSAGE(CERT_INTERMEDIATE_NOT_WELL_KNOWN_CA),
	.meaning = "The chain ends at an intermediate certificate whose issuer the server "
		   "did not send, and who is not among the authorities this host trusts.",
	.causes = { "the certificate comes from a private authority, and the settings "
		    "trust the well-known ones only",
		    "a second intermediate certificate is missing from the server's chain "
		    "file",
		    "this host's list of authorities is outdated" },
	.remedies = { "put the private root under trusted_roots of the settings",
		      "install the full chain on the server: its own certificate, all "
		      "intermediates, root",
		      "look up the issuer that the message names; it is the certificate that "
		      "is missing",
		      "update this host's authorities: apt install --only-upgrade "
		      "ca-certificates" },
};

const struct catalogue_row catalogue_row_CERT_ROOT_MISMATCH_ROOT_ABSENT = {
	OF_MESSAGE(CERT_ROOT_MISMATCH_ROOT_ABSENT),
	.meaning = "The last certificate of the chain was not signed by any of the "
		   "trusted roots, and the server did not send the root that signed it.",
	.causes = { "another root than the one that signed the chain is under trusted_roots",
		    "an intermediate certificate is under trusted_roots instead of the root",
		    "the server moved to another authority",
		    "a second intermediate certificate is missing from the server's chain "
		    "file" },
	.remedies = { "put the root under trusted_roots whose subject is the issuer that the "
		      "message names",
		      "install the full chain on the server: its own certificate, all "
		      "intermediates, root",
		      "compare the two by hand: openssl x509 -in ROOT -noout -subject -ext "
		      "subjectKeyIdentifier" },
};

const struct catalogue_row catalogue_row_CERT_ROOT_MISMATCH_ROOT_PRESENT = {
	OF_MESSAGE(CERT_ROOT_MISMATCH_ROOT_PRESENT),
	.meaning = "The server sent its root along, and it is none of the trusted roots.",
	.causes = { "another root than the one that signed the chain is under trusted_roots",
		    "the root was renewed with a new key: the same name, another "
		    "certificate",
		    "the certificate signs itself and is not under trusted_roots" },
	.remedies = { "compare the fingerprints in the message with the files under "
		      "trusted_roots: openssl x509 -in ROOT -noout -fingerprint -sha256",
		      "put the root that the server really uses under trusted_roots; keep "
		      "the old one until all servers have moved",
		      "do not take the root from the connection unseen: have the authority "
		      "confirm its fingerprint" },
};

const struct catalogue_row catalogue_row_CERT_LEAF_NOT_TOPMOST = {
	OF_MESSAGE(CERT_LEAF_NOT_TOPMOST),
	.meaning = "The server sent its own certificate, but not as the first one, where "
		   "TLS requires it.",
	.causes = { "the chain file was put together in the wrong order",
		    "the server joins its certificate and its chain the wrong way round" },
	.remedies = { "put the chain file in this order and reload the server: server's own "
		      "certificate, intermediates, root",
		      "look at the order that is sent: sluice probe TARGET --show-certs" },
};

const struct catalogue_row catalogue_row_CERT_VERIFY_FAILED = {
	OF_MESSAGE(CERT_VERIFY_FAILED),
	.meaning = "The chain does not pass verification for another reason, which the "
		   "message names.",
	.causes = { "a signature is wrong: the file was damaged, or certificates of two "
		    "chains with the same names were mixed",
		    "the certificate is not meant for servers (extended key usage), or its "
		    "key usage forbids what TLS does with it",
		    "an authority was used beyond its limits: path length or name "
		    "constraints",
		    "a key or digest is too weak: RSA below 2048 bits, SHA-1",
		    "the certificate was revoked" },
	.remedies = { "verify by hand: openssl verify -purpose sslserver -CAfile ROOT "
		      "-untrusted CHAIN CERTIFICATE",
		      "have the certificate issued anew with what the message names put right",
		      "if it was revoked: replace certificate and key, and find out why",
		      "look at every certificate that is sent: sluice probe TARGET "
		      "--show-certs" },
};

const struct catalogue_row catalogue_row_CERT_NOT_ALLOW_LISTED = {
	OF_MESSAGE(CERT_NOT_ALLOW_LISTED),
	.meaning = "The certificate that the server showed is none of those that are "
		   "allow-listed.",
	.causes = { "the server's certificate was renewed, and the new one is not "
		    "allow-listed yet",
		    "no name or another one was sent as SNI, and the server showed its "
		    "default certificate",
		    "a root or an intermediate was allow-listed: the list is for the "
		    "servers' own certificates" },
	.remedies = { "look at the certificate that really comes back, and compare "
		      "fingerprints: sluice probe TARGET --show-certs",
		      "put that certificate under allow_listed, if it is the right one; keep "
		      "the old one until all servers have moved",
		      "set the name that the server needs to choose it: host on the probe, "
		      "host_name or sni_name in the settings",
		      "use trusted_roots instead, which outlives renewals" },
};

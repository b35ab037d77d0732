// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/lib/dnsd.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX 16384
#define HEADER_LEN 12
#define TYPE_A 1
#define TYPE_CNAME 5
#define TYPE_AAAA 28
#define FLAGS_ANSWER 0x8580 /* response, authoritative, recursion desired and available */
#define FLAG_TRUNCATED 0x0200

struct dnsd {
	pthread_t thread;
	pthread_mutex_t lock;
	int udp, tcp, stop[2];
	uint16_t port;
	const struct dnsd_record *records;
	uint32_t n, asked, asked_tcp;
};

struct message {
	uint8_t bytes[MESSAGE_MAX];
	size_t len;
};

static void put(struct message *m, const void *bytes, size_t len)
{
	assert(m->len + len <= sizeof(m->bytes));
	memcpy(m->bytes + m->len, bytes, len);
	m->len += len;
}

static void put16(struct message *m, uint16_t value)
{
	uint16_t wire = htons(value);

	put(m, &wire, sizeof(wire));
}

static void put_name(struct message *m, const char *name)
{
	while (*name) {
		uint8_t len = (uint8_t)strcspn(name, ".");

		put(m, &len, 1);
		put(m, name, len);
		name += len + (name[len] == '.');
	}
	put(m, "", 1);
}

static void put_record(struct message *m, const char *name, uint16_t type, uint32_t ttl_s,
		       const struct message *data)
{
	put_name(m, name);
	put16(m, type);
	put16(m, 1);
	put16(m, (uint16_t)(ttl_s >> 16));
	put16(m, (uint16_t)ttl_s);
	put16(m, (uint16_t)data->len);
	put(m, data->bytes, data->len);
}

static void put_addresses(struct message *m, const struct dnsd_record *record, uint16_t type,
			  uint16_t *n)
{
	int family = type == TYPE_A ? AF_INET : AF_INET6;
	char text[1024], *rest, *word;

	snprintf(text, sizeof(text), "%s", record->addresses ? record->addresses : "");
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		struct message data = { .len = type == TYPE_A ? 4 : 16 };

		if (inet_pton(family, word, data.bytes) != 1)
			continue;
		put_record(m, record->name, type, record->ttl_s, &data);
		(*n)++;
	}
}

/* The name and type that are asked for. Returns the end of the question. */
static size_t read_question(char name[256], uint16_t *ret_type, const struct message *query)
{
	size_t at = HEADER_LEN, n = 0;

	while (query->bytes[at]) {
		size_t len = query->bytes[at++];

		assert(at + len < query->len && n + len + 1 < 256);
		for (size_t i = 0; i < len; i++)
			name[n++] = (char)(query->bytes[at + i] | 0x20);
		name[n++] = '.';
		at += len;
	}
	name[n ? n - 1 : 0] = '\0';
	*ret_type = (uint16_t)(query->bytes[at + 1] << 8 | query->bytes[at + 2]);
	return at + 5;
}

static const struct dnsd_record *find(const struct dnsd *dnsd, const char *name)
{
	for (uint32_t i = 0; i < dnsd->n; i++)
		if (!strcmp(dnsd->records[i].name, name))
			return &dnsd->records[i];
	return NULL;
}

static uint16_t rcode_of(const struct dnsd_record *record)
{
	if (!record || record->manner == DNSD_NXDOMAIN)
		return 3;
	if (record->manner == DNSD_SERVFAIL)
		return 2;
	return record->manner == DNSD_REFUSED ? 5 : 0;
}

static void put_answers(const struct dnsd *dnsd, struct message *reply,
			const struct dnsd_record *record, uint16_t type, uint16_t *n)
{
	for (int links = 0; record && record->cname && links < 16; links++) {
		struct message data = { .len = 0 };

		put_name(&data, record->cname);
		put_record(reply, record->name, TYPE_CNAME, record->ttl_s, &data);
		(*n)++;
		record = find(dnsd, record->cname);
	}
	if (record)
		put_addresses(reply, record, type, n);
}

static bool answer(struct dnsd *dnsd, const struct message *query, struct message *reply, bool tcp)
{
	const struct dnsd_record *record;
	uint16_t type, n = 0, flags;
	char name[256];
	size_t end = read_question(name, &type, query);

	record = find(dnsd, name);
	dnsd->asked += type == TYPE_A;
	dnsd->asked_tcp += tcp;
	if (record && (record->manner == DNSD_SILENT ||
		       (record->manner == DNSD_SILENT_V6 && type == TYPE_AAAA)))
		return false;

	flags = (uint16_t)(FLAGS_ANSWER | rcode_of(record));
	if (record && record->manner == DNSD_TRUNCATED && !tcp)
		flags |= FLAG_TRUNCATED;
	reply->len = 0;
	put(reply, query->bytes, 2);
	put16(reply, flags);
	put(reply, "\0\1\0\0\0\0\0\0", 8);
	put(reply, query->bytes + HEADER_LEN, end - HEADER_LEN);
	if (!(flags & (FLAG_TRUNCATED | 0xf)))
		put_answers(dnsd, reply, record, type, &n);
	reply->bytes[7] = (uint8_t)n;
	if (record && record->manner == DNSD_GARBAGE)
		memset(reply->bytes + HEADER_LEN, 0xc0, reply->len - HEADER_LEN);
	if (record && record->manner == DNSD_SHORT)
		reply->len -= 3;
	return true;
}

static void serve_udp(struct dnsd *dnsd)
{
	static struct message query, reply;
	struct sockaddr_in peer;
	socklen_t peer_len = sizeof(peer);
	ssize_t n = recvfrom(dnsd->udp, query.bytes, sizeof(query.bytes), 0,
			     (struct sockaddr *)&peer, &peer_len);

	if (n < HEADER_LEN)
		return;
	query.len = (size_t)n;
	if (answer(dnsd, &query, &reply, false))
		sendto(dnsd->udp, reply.bytes, reply.len, 0, (struct sockaddr *)&peer, peer_len);
}

/* One question per connection, which is all that a stub asks. */
static void serve_tcp(struct dnsd *dnsd)
{
	static struct message query, reply;
	int fd = accept(dnsd->tcp, NULL, NULL);
	uint16_t len;

	if (fd < 0)
		return;
	if (recv(fd, &len, sizeof(len), MSG_WAITALL) == sizeof(len) &&
	    ntohs(len) <= sizeof(query.bytes) &&
	    recv(fd, query.bytes, ntohs(len), MSG_WAITALL) == ntohs(len)) {
		query.len = ntohs(len);
		if (answer(dnsd, &query, &reply, true)) {
			len = htons((uint16_t)reply.len);
			send(fd, &len, sizeof(len), MSG_MORE);
			send(fd, reply.bytes, reply.len, 0);
		}
	}
	close(fd);
}

static void *serve(void *arg)
{
	struct dnsd *dnsd = arg;

	for (;;) {
		struct pollfd fds[] = { { dnsd->stop[0], POLLIN, 0 },
					{ dnsd->udp, POLLIN, 0 },
					{ dnsd->tcp, POLLIN, 0 } };

		poll(fds, 3, -1);
		if (fds[0].revents)
			return NULL;
		pthread_mutex_lock(&dnsd->lock);
		if (fds[1].revents)
			serve_udp(dnsd);
		if (fds[2].revents)
			serve_tcp(dnsd);
		pthread_mutex_unlock(&dnsd->lock);
	}
}

struct dnsd *dnsd_start(void)
{
	struct dnsd *dnsd = calloc(1, sizeof(*dnsd));
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);

	assert(dnsd && !pipe(dnsd->stop));
	pthread_mutex_init(&dnsd->lock, NULL);
	dnsd->udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	dnsd->tcp = socket(AF_INET, SOCK_STREAM, 0);
	assert(dnsd->udp >= 0 && dnsd->tcp >= 0);
	/* The port of the one has to be free for the other as well. */
	do {
		addr.sin_port = 0;
		close(dnsd->tcp);
		dnsd->tcp = socket(AF_INET, SOCK_STREAM, 0);
		assert(!bind(dnsd->tcp, (struct sockaddr *)&addr, len));
		assert(!getsockname(dnsd->tcp, (struct sockaddr *)&addr, &len));
	} while (bind(dnsd->udp, (struct sockaddr *)&addr, len));
	assert(!listen(dnsd->tcp, 16));
	dnsd->port = ntohs(addr.sin_port);
	assert(!pthread_create(&dnsd->thread, NULL, serve, dnsd));
	return dnsd;
}

void dnsd_stop(struct dnsd *dnsd)
{
	close(dnsd->stop[1]);
	pthread_join(dnsd->thread, NULL);
	close(dnsd->stop[0]);
	close(dnsd->udp);
	close(dnsd->tcp);
	free(dnsd);
}

uint16_t dnsd_port(const struct dnsd *dnsd)
{
	return dnsd->port;
}

void dnsd_say(struct dnsd *dnsd, const struct dnsd_record *records, uint32_t n)
{
	pthread_mutex_lock(&dnsd->lock);
	dnsd->records = records;
	dnsd->n = n;
	pthread_mutex_unlock(&dnsd->lock);
}

uint32_t dnsd_asked(struct dnsd *dnsd)
{
	uint32_t n;

	pthread_mutex_lock(&dnsd->lock);
	n = dnsd->asked;
	pthread_mutex_unlock(&dnsd->lock);
	return n;
}

uint32_t dnsd_asked_tcp(struct dnsd *dnsd)
{
	uint32_t n;

	pthread_mutex_lock(&dnsd->lock);
	n = dnsd->asked_tcp;
	pthread_mutex_unlock(&dnsd->lock);
	return n;
}

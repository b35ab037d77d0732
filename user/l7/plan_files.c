// SPDX-License-Identifier: GPL-2.0-or-later
/* plan_files - what lies beside the configuration: certificates, trusted roots, answers. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "l7/plan_work.h"

#define CERTIFICATE_MAX (1u << 20)

static void file_done(struct l7_file *file)
{
	free(file->name);
	free(file->bytes);
	free(file->target);
	free(file->key);
}

static int add_file(struct making *m, const struct l7_file *file)
{
	struct l7_plan *plan = m->plan;
	struct l7_file copy = { .name = strdup(file->name), .len = file->len };
	struct l7_file *files = reallocarray(plan->files, plan->n_files + 1, sizeof(*files));

	if (files)
		plan->files = files;
	if (file->target)
		copy.target = strdup(file->target);
	else
		copy.bytes = malloc(file->len + 1);
	if (file->key)
		copy.key = strdup(file->key);
	if (!files || !copy.name || (!copy.target && !copy.bytes) || (file->key && !copy.key)) {
		file_done(&copy);
		return -ENOMEM;
	}
	if (copy.bytes)
		memcpy(copy.bytes, file->bytes, file->len);
	files[plan->n_files++] = copy;
	return 0;
}

static bool is_there(const struct making *m, const char *name)
{
	for (uint32_t i = 0; i < m->plan->n_files; i++)
		if (!strcmp(m->plan->files[i].name, name))
			return true;
	return false;
}

int making_bytes(struct making *m, const char *name, char *bytes, size_t len)
{
	char own[NAME_MAX + 1];

	if (is_there(m, name))
		return 0;
	snprintf(own, sizeof(own), "%s", name);
	return add_file(m, &(struct l7_file){ .name = own, .bytes = bytes, .len = len });
}

/* --- answers ---------------------------------------------------------------------------------- */

int making_answers(struct making *m)
{
	static const struct answer {
		const char *name, *status, *text;
	} answers[] = {
		{ "502.http", "502 Bad Gateway", "no backend is able to answer" },
		{ "504.http", "504 Gateway Timeout", "the backend did not answer in time" },
	};
	int r = 0; /* the table could be empty */

	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]) && r == 0; i++) {
		const struct answer *a = &answers[i];
		CLEANUP(free_p) char *text = NULL;
		size_t len = strlen(a->status) + strlen(a->text) + strlen(": \n");

		if (asprintf(
			    &text,
			    "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nCache-Control: no-cache\r\n"
			    "Content-Length: %zu\r\n\r\n%s: %s\n",
			    a->status, len, a->status, a->text) < 0)
			return -ENOMEM;
		r = making_bytes(m, a->name, text, strlen(text));
	}
	return r;
}

/* --- certificates of listeners ---------------------------------------------------------------- */

static void hash_name(char ret[33], const void *bytes, size_t len)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	SHA256(bytes, len, hash);
	for (size_t i = 0; i < 16; i++)
		snprintf(ret + 2 * i, 3, "%02x", hash[i]);
}

/* What is in the file now, so that a plan with another certificate is another plan. */
static int hash_file(char ret[33], const char *path)
{
	CLEANUP(close_p) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	CLEANUP(free_p) char *bytes = malloc(CERTIFICATE_MAX);
	struct stat st;
	ssize_t len;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!bytes)
		return -ENOMEM;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	len = read(fd, bytes, CERTIFICATE_MAX);
	if (len < 0)
		return -errno;
	hash_name(ret, bytes, (size_t)len);
	return 0;
}

/* Where it is from anywhere. Links on the way are not resolved: a renewal may have them lead elsewhere. */
static char *absolute(const char *path)
{
	CLEANUP(free_p) char *here = path[0] == '/' ? strdup("") : getcwd(NULL, 0);
	char *text;

	if (!here || asprintf(&text, "%s%s%s", here, here[0] ? "/" : "", path) < 0)
		return NULL;
	return text;
}

/* The line of a list for one certificate: a link of a harmless name, since lists know no quotes. */
static int add_certificate(struct making *m, const struct service *service, const char *path,
			   FILE *list, struct err *err)
{
	CLEANUP(free_p) char *target = absolute(path);
	char hash[33], name[64], key[ORIGIN_LEN];
	int r = hash_file(hash, path);

	if (r < 0)
		return err_set(err, r, "service '%s': tls.certificates: %s: cannot be read: %s",
			       service->name, path,
			       r == -EINVAL ? "it is no regular file" : strerror(-r));
	if (!target)
		return -ENOMEM;
	fprintf(list, "# ");
	quote_comment(list, path);
	fprintf(list, ", content %s\n", hash);
	hash_name(hash, path, strlen(path));
	snprintf(name, sizeof(name), "listener-%s.pem", hash);
	fprintf(list, "%s\n", name);
	if (is_there(m, name))
		return 0;
	origin_service(key, service, "tls.certificates");
	return add_file(m, &(struct l7_file){ .name = name, .target = target, .key = key });
}

int making_certificates(struct making *m, const struct service *first, char ret_list[64],
			struct err *err)
{
	CLEANUP(free_p) char *text = NULL;
	size_t len;
	FILE *list = open_memstream(&text, &len);
	int r = list ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < m->model->n_services && r == 0; i++) {
		const struct service *s = &m->model->services[i];

		if (!service_is_l7(s) ||
		    memcmp(&s->listen.key, &first->listen.key, sizeof(s->listen.key)) != 0)
			continue;
		for (uint32_t j = 0; j < s->l7.n_certificates && r == 0; j++)
			r = add_certificate(m, s, s->l7.certificates[j], list, err);
	}
	if (list && fclose(list) != 0)
		return -ENOMEM;
	if (r < 0)
		return r;
	snprintf(ret_list, 64, "certificates-%u.list", (unsigned int)(first - m->model->services));
	return making_bytes(m, ret_list, text, len);
}

/* --- trusted roots ---------------------------------------------------------------------------- */

static int put_pem(FILE *out, const struct cert_file *cert)
{
	size_t room = (size_t)(cert->len + 2) / 3 * 4 + 1, len;
	CLEANUP(free_p) uint8_t *text = malloc(room);

	if (!text)
		return -ENOMEM;
	len = (size_t)EVP_EncodeBlock(text, cert->der, (int)cert->len);
	fputs("-----BEGIN CERTIFICATE-----\n", out);
	for (size_t at = 0; at < len; at += 64)
		fprintf(out, "%.*s\n", (int)(len - at < 64 ? len - at : 64), text + at);
	fputs("-----END CERTIFICATE-----\n", out);
	return 0;
}

int making_roots(struct making *m, const struct settings *settings, char ret_name[128])
{
	CLEANUP(free_p) char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int r = out ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < settings->trust.n_certs && r == 0; i++)
		r = put_pem(out, &settings->trust.certs[i]);
	if (out && fclose(out) != 0)
		return -ENOMEM;
	snprintf(ret_name, 128, "roots-%s.pem", settings->name);
	return r < 0 ? r : making_bytes(m, ret_name, text, len);
}

// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/tree.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "config/report.h"

#define NONE UINT32_MAX /* no such node */
#define ROOM_MIN 64 /* nodes, and bytes of text, to start with */

struct tree {
	struct node *nodes;
	uint32_t n_nodes, nodes_room;
	char *text; /* offset 0 is the text "" of lists and maps */
	size_t text_len, text_room;
};

/* A tree that grows. Nodes move while it does, so everything here is an index. */
struct builder {
	struct tree *tree;
	struct report *report;
	const char *input;
	size_t len;
	size_t at, at_characters; /* a place in the input, by bytes and as libyaml counts */
	struct open {
		uint32_t node, last; /* the list or map, and its last child so far */
	} open[TREE_DEPTH_MAX];
	unsigned int depth, n_documents;
	bool done;
};

static int fail(struct report *report, unsigned int line, unsigned int column, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int fail(struct report *report, unsigned int line, unsigned int column, const char *fmt, ...)
{
	struct report_item *item = report_add(report, line, column);
	char message[sizeof(item->message)];
	va_list args;

	if (!item)
		return -EINVAL;
	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	report_copy(item->message, sizeof(item->message), message);

	return -EINVAL;
}

static int fail_at(struct builder *b, const yaml_event_t *event, const char *message)
{
	return fail(b->report, (unsigned int)event->start_mark.line + 1,
		    (unsigned int)event->start_mark.column + 1, "%s", message);
}

static int add_text(struct tree *tree, const char *text, size_t len, uint32_t *ret)
{
	size_t room = tree->text_room;
	char *grown;

	while (room - tree->text_len < len + 1)
		room *= 2;
	if (room != tree->text_room) {
		grown = realloc(tree->text, room);
		if (!grown)
			return -ENOMEM;
		tree->text = grown;
		tree->text_room = room;
	}

	*ret = (uint32_t)tree->text_len;
	memcpy(tree->text + tree->text_len, text, len);
	tree->text[tree->text_len + len] = '\0';
	tree->text_len += len + 1;
	return 0;
}

static int make_room(struct tree *tree)
{
	struct node *grown;

	if (tree->n_nodes < tree->nodes_room)
		return 0;
	grown = realloc(tree->nodes, 2 * (size_t)tree->nodes_room * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	tree->nodes = grown;
	tree->nodes_room *= 2;
	return 0;
}

/* Whether the next node of the innermost map is a key. */
static bool expects_key(const struct builder *b)
{
	const struct node *parent;

	if (!b->depth)
		return false;
	parent = &b->tree->nodes[b->open[b->depth - 1].node];
	return parent->kind == NODE_MAP && parent->n_children % 2 == 0;
}

static void link_node(struct builder *b, uint32_t index)
{
	struct open *open = &b->open[b->depth - 1];
	struct node *nodes = b->tree->nodes;

	if (open->last == NONE)
		nodes[open->node].first = index;
	else
		nodes[open->last].next = index;
	open->last = index;
	nodes[open->node].n_children++;
}

static bool is_inside_character(const struct builder *b, size_t at)
{
	return at < b->len && ((unsigned char)b->input[at] & 0xc0) == 0x80;
}

/* Where a mark is in bytes. Marks come in the order of the text, nearly. */
static uint32_t offset_of(struct builder *b, const yaml_mark_t *mark)
{
	for (; b->at_characters < mark->index && b->at < b->len; b->at_characters++)
		do
			b->at++;
		while (is_inside_character(b, b->at));
	for (; b->at_characters > mark->index && b->at > 0; b->at_characters--)
		do
			b->at--;
		while (is_inside_character(b, b->at));
	return (uint32_t)b->at;
}

/* Block scalars are read with the lines after them. */
static uint32_t end_of(struct builder *b, const yaml_event_t *event, uint32_t start)
{
	uint32_t end = offset_of(b, &event->end_mark);

	while (end > start && strchr(" \t\r\n", b->input[end - 1]))
		end--;
	return end;
}

static int add_node(struct builder *b, const yaml_event_t *event, enum node_kind kind,
		    uint32_t text)
{
	struct tree *tree = b->tree;
	uint32_t start = offset_of(b, &event->start_mark);
	int r;

	if (tree->n_nodes == TREE_NODES_MAX)
		return fail(b->report, (unsigned int)event->start_mark.line + 1,
			    (unsigned int)event->start_mark.column + 1,
			    "the file has more than %u values", TREE_NODES_MAX);
	if (expects_key(b)) {
		if (kind != NODE_TEXT)
			return fail_at(b, event, "a key must be a plain word");
		kind = NODE_KEY;
	}
	r = make_room(tree);
	if (r < 0)
		return r;

	tree->nodes[tree->n_nodes] = (struct node){
		.kind = kind,
		.line = (uint32_t)event->start_mark.line + 1,
		.column = (uint32_t)event->start_mark.column + 1,
		.text = text,
		.first = NONE,
		.next = NONE,
		.start = start,
		.end = end_of(b, event, start),
	};
	if (b->depth)
		link_node(b, tree->n_nodes);
	tree->n_nodes++;
	return 0;
}

static bool is_null(const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	return !*text || !strcmp(text, "~") || !strcmp(text, "null");
}

static int add_scalar(struct builder *b, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	uint32_t offset;
	int r;

	if (event->data.scalar.anchor || event->data.scalar.tag)
		return fail_at(b, event, "anchors, aliases and tags are not allowed");
	if (memchr(text, '\0', len))
		return fail_at(b, event, "the text has a NUL byte in it");
	r = add_text(b->tree, text, len, &offset);
	if (r < 0)
		return r;
	return add_node(b, event, is_null(event) ? NODE_NULL : NODE_TEXT, offset);
}

static int open_node(struct builder *b, const yaml_event_t *event, enum node_kind kind)
{
	uint32_t index = b->tree->n_nodes;
	int r;

	if (b->depth == TREE_DEPTH_MAX)
		return fail(b->report, (unsigned int)event->start_mark.line + 1,
			    (unsigned int)event->start_mark.column + 1,
			    "lists and mappings are nested more than %d deep", TREE_DEPTH_MAX);
	r = add_node(b, event, kind, 0);
	if (r < 0)
		return r;

	b->open[b->depth++] = (struct open){ index, NONE };
	return 0;
}

static int open_list(struct builder *b, const yaml_event_t *event)
{
	uint32_t index = b->tree->n_nodes;
	int r;

	if (event->data.sequence_start.anchor || event->data.sequence_start.tag)
		return fail_at(b, event, "anchors, aliases and tags are not allowed");
	r = open_node(b, event, NODE_LIST);
	if (r == 0)
		b->tree->nodes[index].is_flow =
			event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
	return r;
}

static int open_map(struct builder *b, const yaml_event_t *event)
{
	uint32_t index = b->tree->n_nodes;
	int r;

	if (event->data.mapping_start.anchor || event->data.mapping_start.tag)
		return fail_at(b, event, "anchors, aliases and tags are not allowed");
	r = open_node(b, event, NODE_MAP);
	if (r == 0)
		b->tree->nodes[index].is_flow =
			event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	return r;
}

/* What has no bracket of its own ends with its last child: libyaml would have it go on to what follows. */
static void close_node(struct builder *b, const yaml_event_t *event)
{
	const struct open *open = &b->open[--b->depth];
	struct node *nodes = b->tree->nodes;
	bool has_bracket = event->end_mark.index > event->start_mark.index;

	if (nodes[open->node].is_flow && has_bracket)
		nodes[open->node].end = offset_of(b, &event->end_mark);
	else if (open->last != NONE)
		nodes[open->node].end = nodes[open->last].end;
}

static int take_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	case YAML_STREAM_END_EVENT:
		b->done = true;
		return 0;
	case YAML_DOCUMENT_START_EVENT:
		if (b->n_documents++)
			return fail_at(b, event, "a second document starts here; one is allowed");
		return 0;
	case YAML_ALIAS_EVENT:
		return fail_at(b, event, "anchors, aliases and tags are not allowed");
	case YAML_SCALAR_EVENT:
		return add_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_list(b, event);
	case YAML_MAPPING_START_EVENT:
		return open_map(b, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		close_node(b, event);
		return 0;
	}
	return 0;
}

/* libyaml says where a broken character is only as an offset in bytes. */
static int fail_at_offset(struct report *report, const char *text, size_t len, size_t offset,
			  const char *problem)
{
	unsigned int line = 1, column = 1;

	for (size_t i = 0; i < len && i < offset; i++) {
		if (text[i] == '\n') {
			line++;
			column = 1;
		} else {
			column += ((unsigned char)text[i] & 0xc0) != 0x80;
		}
	}
	return fail(report, line, column, "not valid YAML: %s", problem);
}

static int explain(const yaml_parser_t *parser, const char *text, size_t len, struct report *report)
{
	const char *problem = parser->problem ? parser->problem : "cannot be read";
	const char *context = parser->context;

	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (parser->error == YAML_READER_ERROR)
		return fail_at_offset(report, text, len, parser->problem_offset, problem);
	return fail(report, (unsigned int)parser->problem_mark.line + 1,
		    (unsigned int)parser->problem_mark.column + 1, "not valid YAML: %s%s%s",
		    problem, context ? " " : "", context ? context : "");
}

static int build(struct builder *b, yaml_parser_t *parser, const char *text, size_t len)
{
	yaml_event_t event;
	int r;

	while (!b->done) {
		if (!yaml_parser_parse(parser, &event))
			return explain(parser, text, len, b->report);
		r = take_event(b, &event);
		yaml_event_delete(&event);
		if (r < 0)
			return r;
	}
	return 0;
}

static struct tree *new_tree(void)
{
	CLEANUP(tree_free_p) struct tree *tree = calloc(1, sizeof(*tree));

	if (!tree)
		return NULL;
	tree->nodes = malloc(ROOM_MIN * sizeof(*tree->nodes));
	tree->text = calloc(ROOM_MIN, 1);
	if (!tree->nodes || !tree->text)
		return NULL;
	tree->nodes_room = ROOM_MIN;
	tree->text_room = ROOM_MIN;
	tree->text_len = 1;
	return take_ptr(tree);
}

int tree_parse(struct tree **ret, const char *text, size_t len, struct report *report)
{
	CLEANUP(tree_free_p) struct tree *tree = new_tree();
	struct builder b = { .tree = tree, .report = report, .input = text, .len = len };
	const yaml_event_t nothing = { 0 };
	yaml_parser_t parser;
	int r;

	if (!tree || !yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	r = build(&b, &parser, text, len);
	yaml_parser_delete(&parser);
	if (r < 0)
		return r;

	if (!tree->n_nodes)
		r = add_node(&b, &nothing, NODE_NULL, 0);
	if (r < 0)
		return r;
	*ret = take_ptr(tree);
	return 0;
}

void tree_free(struct tree *tree)
{
	if (!tree)
		return;
	free(tree->nodes);
	free(tree->text);
	free(tree);
}

const struct node *tree_root(const struct tree *tree)
{
	return &tree->nodes[0];
}

const struct node *tree_first(const struct tree *tree, const struct node *node)
{
	return node->first == NONE ? NULL : &tree->nodes[node->first];
}

const struct node *tree_next(const struct tree *tree, const struct node *node)
{
	return node->next == NONE ? NULL : &tree->nodes[node->next];
}

const char *tree_text(const struct tree *tree, const struct node *node)
{
	return tree->text + node->text;
}

const char *node_kind_name(enum node_kind kind)
{
	static const char *const names[] = {
		[NODE_NULL] = "nothing", [NODE_KEY] = "a key",     [NODE_TEXT] = "a text",
		[NODE_LIST] = "a list",  [NODE_MAP] = "a mapping",
	};

	return names[kind];
}

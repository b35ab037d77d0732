// SPDX-License-Identifier: GPL-2.0-or-later
#include "model/maglev.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "sluice/hash.h"

#define WORD_BITS 64

/*
 * A sequence begins with this many slots from all over the table and goes on with the neighbours of
 * the last. More of them spread the load better when most members are out; neighbours are found in
 * one step, so that the last resort costs no more than the first.
 */
#define JUMPS 4

/* As many members as leave a removal below its bound; see the measurements in the header. */
static const struct size {
	uint32_t slots, members;
} sizes[] = {
	{ 4096, 10 },
	{ 16384, 128 },
	{ MAGLEV_SIZE_MAX, UINT32_MAX },
};

struct slot {
	uint32_t owner; /* in the base */
	uint32_t rank; /* how many its owner took before it */
};

struct word {
	uint64_t held; /* bits: whether the slot is held by its owner */
	uint32_t next; /* the first word behind this one, and around, with a bit set */
};

struct share {
	uint32_t n_slots; /* in the base */
	uint32_t n_held; /* of them, the first ones */
};

struct maglev {
	uint32_t size, n_members, n_words;
	struct slot *slots;
	/* The last table put in force: working memory of maglev_fill(). */
	struct share *shares;
	struct word *words;
};

/* A member while the base is built. */
struct turn {
	uint64_t key;
	uint32_t member, weight;
	uint32_t n_tried; /* slots of its permutation */
	uint32_t factor[2], term[2]; /* the permutation; see slot_at() */
};

/* The members of one weight: they have their turns in the same rounds. */
struct group {
	uint32_t first, end; /* in the array of turns */
	uint32_t weight;
	uint32_t credit; /* grows by the weight every round; the heaviest weight buys a turn */
};

/* Every bit of the result depends on every bit of x. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 32) * SL_MIX_B;
	x = (x ^ x >> 32) * SL_MIX_B;
	return x ^ x >> 32;
}

/*
 * The i-th slot of a member's permutation. Odd factors and shifted exclusive ors can be undone, so
 * that every i has a slot of its own. Equal steps through the table, as they are common, would be
 * cheaper; but two members whose steps happen to be alike run after one another, and one that leaves
 * may then move a third of everybody's slots.
 */
static uint32_t slot_at(const struct turn *turn, uint32_t i, uint32_t size)
{
	const uint32_t half = ((uint32_t)__builtin_ctz(size) + 1) / 2;

	for (int pass = 0; pass < 2; pass++) {
		i = (i * turn->factor[pass] + turn->term[pass]) & (size - 1);
		i ^= i >> half;
	}
	return i;
}

static struct turn turn_of(const struct maglev_member *member, uint32_t index)
{
	const uint64_t first = mix(member->key + SL_MIX_A), second = mix(first + SL_MIX_A);

	return (struct turn){
		.key = member->key,
		.member = index,
		.weight = member->weight,
		.factor = { (uint32_t)first | 1, (uint32_t)second | 1 },
		.term = { (uint32_t)(first >> 32), (uint32_t)(second >> 32) },
	};
}

static int by_key(const void *a, const void *b)
{
	const struct turn *left = a, *right = b;

	return (left->key > right->key) - (left->key < right->key);
}

/* The heaviest first, and in the order of their keys. */
static int by_weight(const void *a, const void *b)
{
	const struct turn *left = a, *right = b;

	if (left->weight != right->weight)
		return left->weight < right->weight ? 1 : -1;
	return by_key(a, b);
}

/* Fill in who takes turns, and in which order. Whoever has no weight comes last. */
static int turns_init(struct turn turns[], const struct maglev_member members[], uint32_t n_members)
{
	for (uint32_t i = 0; i < n_members; i++) {
		if (members[i].weight > MAGLEV_WEIGHT_MAX)
			return -EINVAL;
		turns[i] = turn_of(&members[i], i);
	}

	qsort(turns, n_members, sizeof(*turns), by_key);
	for (uint32_t i = 1; i < n_members; i++) {
		if (turns[i].key == turns[i - 1].key)
			return -EEXIST;
	}
	qsort(turns, n_members, sizeof(*turns), by_weight);
	return 0;
}

/*
 * Everybody with a weight has a turn in the first round, so that the lightest has a slot too, and
 * then in as many rounds as its weight is a part of the heaviest. Returns the number of groups.
 */
static uint32_t groups_init(struct group groups[], const struct turn turns[], uint32_t n_turns)
{
	uint32_t n_groups = 0;

	for (uint32_t i = 0; i < n_turns && turns[i].weight; i++) {
		if (!i || turns[i].weight != turns[i - 1].weight)
			groups[n_groups++] = (struct group){
				.first = i,
				.weight = turns[i].weight,
				.credit = turns[0].weight - turns[i].weight,
			};
		groups[n_groups - 1].end = i + 1;
	}
	return n_groups;
}

/* Take the first free slot of the permutation. There must be one. */
static void take(struct maglev *maglev, struct turn *turn)
{
	struct slot *slot;

	do {
		slot = &maglev->slots[slot_at(turn, turn->n_tried++, maglev->size)];
	} while (slot->owner != MAGLEV_NONE);

	slot->owner = turn->member;
	slot->rank = maglev->shares[turn->member].n_slots++;
}

/* Rounds, until nothing is free. */
static void build(struct maglev *maglev, struct turn turns[])
{
	struct group groups[MAGLEV_WEIGHT_MAX];
	const uint32_t n_groups = groups_init(groups, turns, maglev->n_members);
	uint32_t n_free = n_groups ? maglev->size : 0;

	for (uint32_t i = 0; n_free; i = (i + 1) % n_groups) {
		struct group *group = &groups[i];

		group->credit += group->weight;
		if (group->credit < groups[0].weight)
			continue;
		group->credit -= groups[0].weight;
		for (uint32_t k = group->first; k < group->end && n_free; k++, n_free--)
			take(maglev, &turns[k]);
	}
}

/* Mark what is held. Returns whether anything is. */
static bool mark_held(struct maglev *maglev, const uint16_t shares[])
{
	uint32_t next = MAGLEV_NONE;

	for (uint32_t i = 0; i < maglev->n_members; i++) {
		struct share *share = &maglev->shares[i];

		share->n_held =
			(uint32_t)(((uint64_t)share->n_slots * shares[i] + MAGLEV_SHARE_FULL - 1) /
				   MAGLEV_SHARE_FULL);
	}
	for (uint32_t i = 0; i < maglev->n_words; i++) {
		const uint32_t first = i * WORD_BITS;
		const uint32_t n = maglev->size - first;
		uint64_t held = 0;

		for (uint32_t bit = 0; bit < WORD_BITS && bit < n; bit++) {
			const struct slot *slot = &maglev->slots[first + bit];

			held |= (uint64_t)(slot->rank < maglev->shares[slot->owner].n_held) << bit;
		}
		maglev->words[i].held = held;
		if (held && next == MAGLEV_NONE)
			next = i;
	}
	for (uint32_t i = maglev->n_words; i-- > 0;) {
		maglev->words[i].next = next;
		next = maglev->words[i].held ? i : next;
	}
	return next != MAGLEV_NONE;
}

/* The first held slot from this one on, around the table. There must be one. */
static uint32_t held_from(const struct maglev *maglev, uint32_t slot)
{
	const struct word *word = &maglev->words[slot / WORD_BITS];
	const uint64_t held = word->held >> slot % WORD_BITS;

	if (held)
		return slot + (uint32_t)__builtin_ctzll(held);
	return word->next * WORD_BITS + (uint32_t)__builtin_ctzll(maglev->words[word->next].held);
}

static bool is_held(const struct maglev *maglev, uint32_t slot)
{
	return maglev->words[slot / WORD_BITS].held >> slot % WORD_BITS & 1;
}

/* The first held slot in the sequence that belongs to this one. */
static uint32_t holder(const struct maglev *maglev, uint32_t slot)
{
	uint64_t random = slot;

	for (int i = 0; i < JUMPS && !is_held(maglev, slot); i++) {
		random = mix(random + SL_MIX_A);
		slot = (uint32_t)random & (maglev->size - 1);
	}
	return held_from(maglev, slot);
}

uint32_t maglev_size(uint32_t n_members, uint32_t at_least)
{
	const struct size *size = sizes;

	while (size->members < n_members ||
	       (size->slots < at_least && size->slots < MAGLEV_SIZE_MAX))
		size++;
	return size->slots;
}

int maglev_new(struct maglev **ret, const struct maglev_member members[], uint32_t n_members,
	       uint32_t size)
{
	CLEANUP(maglev_free_p) struct maglev *maglev = NULL;
	CLEANUP(free_p) struct turn *turns = NULL;
	int r;

	if (size > MAGLEV_SIZE_MAX || __builtin_popcount(size) != 1)
		return -EINVAL;
	if (n_members > size)
		return -E2BIG;

	/* Never of zero bytes, for which calloc() may return NULL. */
	turns = calloc(n_members + 1, sizeof(*turns));
	if (!turns)
		return -ENOMEM;
	r = turns_init(turns, members, n_members);
	if (r < 0)
		return r;

	maglev = calloc(1, sizeof(*maglev));
	if (!maglev)
		return -ENOMEM;
	maglev->size = size;
	maglev->n_members = n_members;
	maglev->n_words = (size + WORD_BITS - 1) / WORD_BITS;
	maglev->slots = malloc(size * sizeof(*maglev->slots));
	maglev->shares = calloc(n_members + 1, sizeof(*maglev->shares));
	maglev->words = calloc(maglev->n_words, sizeof(*maglev->words));
	if (!maglev->slots || !maglev->shares || !maglev->words)
		return -ENOMEM;

	for (uint32_t i = 0; i < size; i++)
		maglev->slots[i] = (struct slot){ .owner = MAGLEV_NONE };
	build(maglev, turns);

	*ret = take_ptr(maglev);
	return 0;
}

void maglev_free(struct maglev *maglev)
{
	if (!maglev)
		return;
	free(maglev->slots);
	free(maglev->shares);
	free(maglev->words);
	free(maglev);
}

void maglev_fill(struct maglev *maglev, const uint16_t shares[], uint32_t ret_slots[])
{
	/* Either all slots have an owner, or none has. */
	const bool any = maglev->slots[0].owner != MAGLEV_NONE && mark_held(maglev, shares);

	for (uint32_t i = 0; i < maglev->size; i++)
		ret_slots[i] = any ? maglev->slots[holder(maglev, i)].owner : MAGLEV_NONE;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules_l7 - what services with forward: l7 may ask for, and what only they may.
 *
 * HAProxy carries them. What it cannot do exactly as the key says is refused here, by the key.
 */
#ifndef SLUICE_CONFIG_RULES_L7_H
#define SLUICE_CONFIG_RULES_L7_H

struct pool;
struct reader;
struct record;
struct settings;

/* Note in the gateway whether it has a section about layer 7. */
void rules_l7_gateway(struct record *record);

/* Check the section, and note in the settings whether it asks for something; before rules_l7_settings(). */
void rules_l7_affinity(struct reader *reader, struct record *record);

/* Check the keys of settings, which are in order one by one. */
void rules_l7_settings(struct reader *reader, struct record *record);

/* Check a service of any sort against its settings and pool, which are in order. */
void rules_l7_service(struct reader *reader, struct record *record, const struct settings *settings,
		      const struct pool *pool);

#endif

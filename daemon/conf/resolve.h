/* From raw files to struct eg_conf: what the strings mean. Private to the room. */
#ifndef EG_CONF_RESOLVE_H
#define EG_CONF_RESOLVE_H

#include <conf/conf.h>
#include <conf/files.h>

struct eg_loaded {       /* what a struct eg_conf really is */
    struct eg_conf conf; /* first: eg_conf_destroy() finds the rest behind it */
    struct eg_conf_files files;
    bool from_disk; /* else no file is opened */
    void **blocks;
    size_t block_count, block_capacity;
};
struct eg_resolve {
    struct eg_loaded *loaded;
    struct eg_conf_faults *faults;
    struct eg_conf_file *file; /* being resolved */
    unsigned index;
};

/* resolve.c */
void eg_resolve_all(struct eg_resolve *resolve);
void eg_resolve_fault(struct eg_resolve *resolve, const yaml_node_t *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void *eg_resolve_keep(struct eg_resolve *resolve, size_t count,
                      size_t size); /* zeroed, lives as long as the conf; NULL: no memory */
char *eg_resolve_text(struct eg_resolve *resolve, const char *text);
const yaml_node_t *eg_resolve_node(struct eg_resolve *resolve, const yaml_node_t *mapping, const char *key);
const yaml_node_t *eg_resolve_entry(struct eg_resolve *resolve, const char *list, size_t index);
int64_t eg_resolve_span(struct eg_resolve *resolve, const yaml_node_t *mapping, const char *key,
                        const char *text, int64_t otherwise);
/* Of what a device measures: an index (eg_quantity_derived()) is a fault. */
/* A fault where the statistic says nothing of a direction. */
void eg_resolve_turning(struct eg_resolve *resolve, const yaml_node_t *node, int quantity,
                        enum eg_statistic statistic);
int eg_resolve_measured(struct eg_resolve *resolve, const yaml_node_t *node, const char *name);
int eg_resolve_quantity(struct eg_resolve *resolve, const yaml_node_t *node, const char *name);
uint32_t eg_resolve_site(struct eg_resolve *resolve, const yaml_node_t *node,
                         const char *id); /* EG_CONF_NONE after a fault */
/* Those that the mapping `node` lists under "sites"; the ones that are not there are faults and left out. */
uint32_t *eg_resolve_sites(struct eg_resolve *resolve, const yaml_node_t *node, char **ids, unsigned count,
                           size_t *ret_count);
bool eg_resolve_slug(const char *text);
/* `text` may be NULL (not given); `node` is the mapping that holds the key "domain". */
void eg_resolve_domain(struct eg_resolve *resolve, const yaml_node_t *node, const char *text);

/* settings.c: what stands once in the current file */
void eg_resolve_settings(struct eg_resolve *resolve, const struct eg_raw *raw);

/* ambient.c: `raw` with what the preset adds */
void eg_resolve_ambient(struct eg_resolve *resolve, const struct eg_raw_mapping *raw, const yaml_node_t *node,
                        struct eg_conf_source *ret);

/* quality.c */
void eg_quality_defaults(struct eg_conf_quality *quality);
void eg_resolve_quality(struct eg_resolve *resolve, const struct eg_raw_quality *raw,
                        const yaml_node_t *node);

/* secrets.c: the first line of the file `text` names, or of the credential systemd handed over under that name ("credential:NAME").
 * NULL where `text` is, or after a fault. */
const char *eg_resolve_secret(struct eg_resolve *resolve, const yaml_node_t *mapping, const char *key,
                              const char *text);
/* settings.c: relative to the file that names it */
const char *eg_resolve_path(struct eg_resolve *resolve, const char *text);

/* templates.c: those in the folder, or the built-in ones where `folder` is NULL or has none */
void eg_resolve_templates(struct eg_resolve *resolve, const char *folder);

/* channels.c: a channel; what a party says of those it is told by */
void eg_resolve_channel(struct eg_resolve *resolve, const struct eg_raw_channel *raw, const yaml_node_t *node,
                        struct eg_conf_channel *ret);
void eg_resolve_routes(struct eg_resolve *resolve, const struct eg_raw_party *raw, const yaml_node_t *node,
                       struct eg_conf_party *ret);

/* windows.c: maintenance.windows and flapping of the current file, when sites and rules are known */
void eg_resolve_windows(struct eg_resolve *resolve, const struct eg_raw *raw);

/* home.c: home_assistant, when the sources are known */
void eg_resolve_home(struct eg_resolve *resolve, const struct eg_raw *raw);

/* "22:00-06:00"; from == to after a fault and where `text` is NULL (channels.c). Dates and spans of dates (calendars.c). */
struct eg_conf_hours eg_resolve_hours(struct eg_resolve *resolve, const yaml_node_t *node, const char *key,
                                      const char *text);
struct eg_conf_dates *eg_resolve_dates(struct eg_resolve *resolve, const yaml_node_t *list, char **texts,
                                       unsigned count, size_t *ret_count);

/* calendars.c: one entry of the current file into the array's next place; and deadlines by level, `node` their mapping */
void eg_resolve_calendar(struct eg_resolve *resolve, const struct eg_raw_calendar *raw,
                         const yaml_node_t *node, struct eg_conf_calendar *ret);
void eg_resolve_spans(struct eg_resolve *resolve, const struct eg_raw_spans *raw, const yaml_node_t *node,
                      struct eg_conf_terms *terms);
void eg_resolve_deadline(struct eg_resolve *resolve, const struct eg_raw_deadline *raw,
                         const yaml_node_t *node, struct eg_conf_terms *terms);

/* sources.c, rules.c: one entry of the current file into the array's next place */
void eg_resolve_source(struct eg_resolve *resolve, const struct eg_raw_source *raw, const yaml_node_t *node,
                       struct eg_conf_source *ret);
void eg_resolve_default_source(struct eg_resolve *resolve, struct eg_conf_source *ret);
/* device_rules.c: likewise, among the rules */
void eg_resolve_device_rule(struct eg_resolve *resolve, const struct eg_raw_device_rule *raw,
                            const yaml_node_t *node, struct eg_conf_rule *ret);
void eg_resolve_rule(struct eg_resolve *resolve, const struct eg_raw_rule *raw, const yaml_node_t *node,
                     struct eg_conf_rule *ret);

void eg_resolve_levels(struct eg_resolve *resolve, const struct eg_raw_levels *raw, const yaml_node_t *node,
                       bool below, struct eg_conf_limit ret[EG_LEVEL_COUNT]);

/* rules.c: of "hour", "day", "month" the longest there is; 0, and no calendar, for all else (and NULL) */
int64_t eg_resolve_calendar_window(const char *text, enum eg_calendar *ret_calendar);

/* bands.c: bands and conditions of a rule whose direction is known; what of them its version is made of */
void eg_resolve_circumstances(struct eg_resolve *resolve, const struct eg_raw_rule *raw,
                              const yaml_node_t *node, struct eg_conf_rule *rule);
uint64_t eg_resolve_circumstances_hash(const struct eg_conf *conf, const struct eg_conf_rule *rule,
                                       uint64_t hash);

#endif

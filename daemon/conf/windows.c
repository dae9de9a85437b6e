/* When nobody is told: maintenance windows, and from when on a case flaps. Knows what the keys mean; what follows from them,
 * pipeline/suppress.c knows. Called by resolve.c. */
#include <conf/resolve.h>

#include <stdio.h>
#include <string.h>

#define WINDOWS_MAX 1000
#define REASON_MAX 200

static const char *rule_name(const void *from, size_t index)
{
    const struct eg_conf *conf = from;
    return index < conf->rule_count ? conf->rules[index].id : NULL;
}

static void check_rule(struct eg_resolve *resolve, const yaml_node_t *node, const char *id)
{
    const struct eg_conf *conf = &resolve->loaded->conf;
    if (!id || eg_conf_rule_find(conf, id) || resolve->loaded->files.holes)
        return;
    const char *near = eg_faults_nearest(id, rule_name, conf);
    eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "rule"), "there is no rule '%.60s'%s%s%s", id,
                     near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
}

static struct eg_matcher take_matcher(struct eg_resolve *resolve, const struct eg_raw_window *raw,
                                      const yaml_node_t *node)
{
    struct eg_matcher matcher = {.quantity = EG_QUANTITY_NONE,
                                 .level = raw->level ? (enum eg_level) * raw->level : EG_LEVEL_WARNING};
    if (raw->site)
        eg_resolve_site(resolve, eg_resolve_node(resolve, node, "site"), raw->site);
    if (raw->quantity)
        matcher.quantity =
            eg_resolve_quantity(resolve, eg_resolve_node(resolve, node, "quantity"), raw->quantity);
    eg_resolve_domain(resolve, node, raw->domain);
    check_rule(resolve, node, raw->rule);
    if (!raw->site && !raw->domain && !raw->device && !raw->quantity && !raw->rule)
        eg_resolve_fault(
            resolve, node,
            "a window says what it is about: site, domain, device, quantity or rule (all of it: the "
            "topmost site)");
    if (raw->device && strlen(raw->device) >= sizeof matcher.device)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "device"), "a device has at most %zu bytes",
                         sizeof matcher.device - 1);
    snprintf(matcher.site, sizeof matcher.site, "%s", raw->site ? raw->site : "");
    snprintf(matcher.domain, sizeof matcher.domain, "%s", raw->domain ? raw->domain : "");
    snprintf(matcher.device, sizeof matcher.device, "%s", raw->device ? raw->device : "");
    snprintf(matcher.rule, sizeof matcher.rule, "%s", raw->rule ? raw->rule : "");
    return matcher;
}

static void take_window(struct eg_resolve *resolve, const struct eg_raw_window *raw, const yaml_node_t *node)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    struct eg_conf_window *window = &conf->windows[conf->window_count];
    if (!eg_resolve_slug(raw->id))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"),
                         "a window's id is a-z, 0-9, - and _: '%.60s' is not", raw->id);
    for (size_t i = 0; i < conf->window_count; i++)
        if (!strcmp(conf->windows[i].id, raw->id))
            eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "id"), "window '%.60s' is given twice",
                             raw->id);
    if (strlen(raw->reason) > REASON_MAX)
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "reason"), "a reason has at most %d bytes",
                         REASON_MAX);
    *window = (struct eg_conf_window){.id = raw->id,
                                      .reason = raw->reason,
                                      .matcher = take_matcher(resolve, raw, node),
                                      .hours = eg_resolve_hours(resolve, node, "hours", raw->hours),
                                      .days = raw->days_count ? 0 : EG_DAYS_ALL};
    for (unsigned i = 0; i < raw->days_count; i++)
        window->days |= 1u << raw->days[i];
    window->dates = eg_resolve_dates(resolve, eg_files_key(resolve->file, node, "dates"), raw->dates,
                                     raw->dates_count, &window->date_count);
    if (!raw->hours && !raw->days_count && !raw->dates_count)
        eg_resolve_fault(resolve, node, "window '%.60s' would never end: give it hours, days or dates",
                         raw->id);
    conf->window_count++;
}

static void take_flapping(struct eg_resolve *resolve, const struct eg_raw_flapping *raw,
                          const yaml_node_t *node)
{
    struct eg_conf_flapping *flapping = &resolve->loaded->conf.flapping;
    flapping->window_ms = eg_resolve_span(resolve, node, "window", raw->window, flapping->window_ms);
    flapping->high = raw->high ? *raw->high : flapping->high;
    flapping->low = raw->low ? *raw->low : flapping->low;
    if (flapping->window_ms && (flapping->window_ms < 60000 || flapping->window_ms > 604800000))
        eg_resolve_fault(resolve, eg_resolve_node(resolve, node, "window"),
                         "window may be 1m to 7d, or 0: flapping is not watched for");
    if (flapping->low < 1 || flapping->high > 100 || flapping->low >= flapping->high)
        eg_resolve_fault(resolve, node, "low and high are per cent, 1 to 100, and low is below high");
}

void eg_resolve_windows(struct eg_resolve *resolve, const struct eg_raw *raw)
{
    struct eg_conf *conf = &resolve->loaded->conf;
    const yaml_node_t *root = eg_files_root(resolve->file);
    if (raw->flapping)
        take_flapping(resolve, raw->flapping, eg_files_key(resolve->file, root, "flapping"));
    if (!raw->maintenance || !raw->maintenance->windows_count)
        return;
    const yaml_node_t *list =
        eg_files_key(resolve->file, eg_files_key(resolve->file, root, "maintenance"), "windows");
    if (conf->window_count + raw->maintenance->windows_count > WINDOWS_MAX) {
        eg_resolve_fault(resolve, list, "at most %d windows are taken", WINDOWS_MAX);
        return;
    }
    struct eg_conf_window *before = conf->windows; /* of other files */
    conf->windows =
        eg_resolve_keep(resolve, conf->window_count + raw->maintenance->windows_count, sizeof *conf->windows);
    if (conf->windows && before)
        memcpy(conf->windows, before, conf->window_count * sizeof *before);
    for (unsigned i = 0; conf->windows && i < raw->maintenance->windows_count; i++)
        take_window(resolve, &raw->maintenance->windows[i], eg_files_item(resolve->file, list, i));
}

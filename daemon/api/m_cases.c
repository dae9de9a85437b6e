/* Knows cases as the outside sees them: lists, one with its history, and the verbs people use on them.
 * Refuses to know which transition is allowed (the pipeline decides) and when it is on disk (server.c hands
 * the answer out). Called by the table in methods.c; the writers also by rpc.c and watch.c. */
#include <api/evidence.h>
#include <api/methods.h>
#include <base/clock.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_DEFAULT 100
#define KIN_MAX 1000
#define PARTIES_MAX ((size_t)64 * 1024)

static void put_name(struct eg_json *json, const char *key, const char *name)
{
    eg_json_put_string(json, key, name && name[0] ? name : NULL);
}

static const char *site_name(const struct eg_conf *conf, const char *id)
{
    uint32_t site = eg_conf_site_find(conf, id, strlen(id));
    return site == EG_CONF_NONE ? NULL : conf->sites[site].name;
}

static const char *party_name(const struct eg_conf *conf, const char *id)
{
    for (size_t i = 0; i < conf->party_count; i++)
        if (strcmp(conf->parties[i].id, id) == 0)
            return conf->parties[i].name;
    return NULL;
}

static void put_point(struct eg_json *json, const char *key, double value, int64_t ms)
{
    eg_json_key(json, key);
    eg_json_open(json, '{');
    eg_json_put_number(json, "value", value);
    eg_json_put_time(json, "time", ms);
    eg_json_close(json, '}');
}

/* The rule's, of an exercise at least its id; else what the kind of case is called, where it is not the quantity that says it. */
static const char *title_of(const struct eg_case *row, const struct eg_conf_rule *rule, bool zh)
{
    static const char *const kinds[EG_CASE_KIND_COUNT][2] = {
        [EG_CASE_REPORT] = {"Report", "群众上报"},
        [EG_CASE_MAINTENANCE] = {"Sensor to be looked at", "传感器待检修"},
        [EG_CASE_DEVICE] = {"Device not heard", "设备失联"},
        [EG_CASE_OUTAGE] = {"No device of the site heard", "站点设备全部失联"}};
    const char *own = !rule ? NULL : zh ? rule->title_zh : rule->title_en;
    if (row->kind == EG_CASE_DRILL && !zh && !(own && *own) && !(rule && *rule->title_zh))
        return row->rule;
    return own && *own ? own : row->kind < EG_CASE_KIND_COUNT ? kinds[row->kind][zh] : NULL;
}

/* Of another case; null for none. */
static void put_number(struct eg_json *json, uint32_t number)
{
    if (number)
        eg_json_int(json, number);
    else
        eg_json_null(json);
}

/* Why nobody is told of it now; null when they are, and of one that is over. */
static void put_suppressed(const struct eg_desk *desk, struct eg_json *json, const struct eg_case *row)
{
    struct eg_suppression now;
    eg_json_key(json, "suppressed");
    if (!desk->pipeline || row->handling == EG_CLOSED || row->handling == EG_REJECTED ||
        !eg_pipeline_suppression(desk->pipeline, row, eg_clock_now_ms(), &now)) {
        eg_json_null(json);
        return;
    }
    eg_json_open(json, '{');
    eg_json_put_string(json, "by", eg_suppressor_name(now.by));
    put_name(json, "id", now.id);
    eg_json_put_time(json, "until", now.until_ms);
    put_name(json, "reason", now.reason);
    eg_json_close(json, '}');
}

void eg_m_cases_write(const struct eg_desk *desk, struct eg_json *json, const struct eg_case *row)
{
    const struct eg_conf_rule *rule = eg_conf_rule_find(desk->conf, row->rule);
    const struct eg_quantity_info *info =
        (int)row->quantity < EG_QUANTITY_COUNT ? eg_quantity_info(row->quantity) : NULL;
    const struct eg_case *live = desk->pipeline ? eg_pipeline_case_active(desk->pipeline, row->number) : NULL;
    if (!live) /* the store hears of a case's events only; newest value and peak move between them */
        live = row;
    char version[24];
    snprintf(version, sizeof version, "%016" PRIx64,
             row->rule_version); /* as text: 64 bits do not fit a JSON number */

    eg_json_put_string(json, "id", row->id);
    eg_json_put_int(json, "number", row->number);
    eg_json_put_string(json, "site", row->site);
    put_name(json, "site_name", site_name(desk->conf, row->site));
    put_name(json, "device", row->device);
    eg_json_put_string(json, "domain", row->domain);
    eg_json_put_string(json, "quantity", info ? info->name : NULL);
    eg_json_put_string(json, "channel", row->channel);
    char unit[EG_UNIT_TEXT];
    eg_json_put_string(json, "unit", info ? eg_conf_rule_unit(rule, row->quantity, unit) : NULL);
    put_name(json, "rule", row->rule);
    eg_json_put_string(json, "rule_version", *row->rule ? version : NULL);
    eg_json_put_string(json, "kind", eg_case_kind_name((enum eg_case_kind)row->kind));
    put_name(json, "title", title_of(row, rule, false));
    put_name(json, "title_zh", title_of(row, rule, true));
    eg_json_put_string(json, "level", eg_level_name((enum eg_level)row->level));
    eg_json_put_string(json, "condition", eg_condition_name((enum eg_condition)row->condition));
    eg_json_put_string(json, "handling", eg_handling_name((enum eg_handling)row->handling));
    eg_json_put_time(json, "opened_at", row->opened_ms);
    eg_json_put_time(json, "detected_at", row->detected_ms);
    eg_json_put_time(json, "closed_at", row->closed_ms);
    put_point(json, "last", live->last_value, live->last_ms);
    put_point(json, "peak", live->peak_value, live->peak_ms);
    eg_json_put_number(json, "limit", row->limit);
    eg_json_put_string(json, "mode", eg_mode_name((enum eg_mode)row->mode));
    put_name(json, "lead", row->lead);
    put_name(json, "lead_name", party_name(desk->conf, row->lead));
    put_name(json, "assignee", row->assignee);
    put_name(json, "assignee_name", party_name(desk->conf, row->assignee));
    eg_json_put_time(json, "due_at", row->due_ms);
    eg_json_put_bool(json, "overdue", row->overdue);
    eg_json_put_time(json, "until", row->until_ms);
    eg_json_put_int(json, "escalation", row->escalation);
    put_name(json, "fixed_by", row->fixer);
    put_name(json, "repaired_by", row->repairer);
    eg_json_key(json, "follows");
    put_number(json, row->follows);
    eg_json_key(json, "parent");
    put_number(json, row->parent);
    if (row->kind == EG_CASE_DRILL)
        eg_json_put_int(json, "faster", row->faster ? row->faster : 1);
    eg_json_put_int(json, "reopened", row->reopened);
    eg_json_put_int(json, "version", row->version);
    put_suppressed(desk, json, row);
}

void eg_m_cases_event_write(struct eg_json *json, const struct eg_case_event *event)
{
    eg_json_put_int(json, "version", event->version);
    eg_json_put_time(json, "at", event->at_ms);
    eg_json_put_time(json, "known_at", event->known_ms);
    eg_json_put_string(json, "kind", event->kind);
    eg_json_put_string(json, "actor", event->actor);
    put_name(json, "from", event->from);
    put_name(json, "to", event->to);
    eg_json_put_number(json, "value", event->value);
    put_name(json, "note", event->note);
    put_name(json, "party", event->party);
}

/* --- cases.list --- */

struct listing {
    const struct eg_desk *desk;
    struct eg_json *json;
    size_t rows, most;
    uint32_t last;
    bool more;
};

static bool list_row(void *arg, const struct eg_case *row)
{
    struct listing *listing = arg;
    if (listing->rows ==
        listing->most) { /* one more than asked for was read, to know whether there is a next page */
        listing->more = true;
        return false;
    }
    listing->rows++;
    listing->last = row->number;
    eg_json_open(listing->json, '{');
    eg_m_cases_write(listing->desk, listing->json, row);
    eg_json_close(listing->json, '}');
    return !listing->json->out->failed;
}

/* The place of a word among `count` names; -1 when it is not given. */
static int place(const char *word, int count, const char *(*name)(int))
{
    for (int i = 0; word && i < count; i++)
        if (strcmp(word, name(i)) == 0)
            return i;
    return -1;
}
static const char *handling_at(int i)
{
    return eg_handling_name((enum eg_handling)i);
}
static const char *condition_at(int i)
{
    return eg_condition_name((enum eg_condition)i);
}
static const char *level_at(int i)
{
    return eg_level_name((enum eg_level)i);
}

/* The ids of a site and all below it; Owned. */
static const char **sites_below(const struct eg_conf *conf, uint32_t top, size_t *ret_count)
{
    const char **sites = calloc(conf->site_count + 1, sizeof *sites);
    size_t count = 0;
    for (size_t i = 0; sites && i < conf->site_count; i++)
        if (eg_conf_site_within(conf, (uint32_t)i, top))
            sites[count++] = conf->sites[i].id;
    *ret_count = count;
    return sites;
}

static int list(struct eg_call *call, struct eg_case_query *query)
{
    struct listing listing = {.desk = call->desk, .json = call->json, .most = query->limit};
    struct eg_err err = {0};
    query->limit++;
    eg_json_open(call->json, '{');
    eg_json_key(call->json, "cases");
    eg_json_open(call->json, '[');
    if (eg_reader_cases(call->desk->reader, query, list_row, &listing, &err) < 0)
        return eg_call_fail_err(call, &err);
    eg_json_close(call->json, ']');
    char next[16];
    snprintf(next, sizeof next, "%lu", (unsigned long)listing.last);
    eg_json_put_string(call->json, "next", listing.more ? next : NULL);
    eg_json_close(call->json, '}');
    return EG_CALL_DONE;
}

int eg_m_cases_list(struct eg_call *call)
{
    struct eg_scope scope;
    int code = eg_call_scope(call, &scope);
    if (code < 0)
        return code;
    if (!call->desk->reader)
        return eg_call_no_store(call);
    const char *handling = eg_call_text(call, "handling");
    int64_t below = eg_call_int(call, "cursor", 0);
    struct eg_case_query query = {
        .site = scope.all ? NULL : scope.name,
        .domain = eg_call_text(call, "domain"),
        .handling = place(handling, EG_HANDLING_COUNT, handling_at),
        .condition = place(eg_call_text(call, "condition"), EG_CONDITION_COUNT, condition_at),
        .level = place(eg_call_text(call, "level"), EG_LEVEL_COUNT, level_at),
        .open_only = handling && strcmp(handling, "active") == 0,
        .since_ms = eg_call_time(call, "since", EG_TIME_NONE),
        .below = below > UINT32_MAX ? UINT32_MAX : (uint32_t)below,
        .limit = (size_t)eg_call_int(call, "limit", LIST_DEFAULT),
    };
    const char **sites = NULL;
    if (!scope.all && scope.site != EG_CONF_NONE) {
        sites = sites_below(call->desk->conf, scope.site, &query.site_count);
        if (!sites)
            return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the answer.");
        query.site = NULL;
        query.sites = sites;
    }
    code = list(call, &query);
    free(sites);
    return code;
}

/* --- cases.show --- */

struct history {
    struct eg_json *json;
    const struct eg_conf *conf;
    char fixer[sizeof((struct eg_case *)0)->fixer]; /* who entered the repair that stands */
};

/* How people call a party or a site, where what is said names one. */
static void put_called(const struct history *history, const char *key, const char *id)
{
    if (!id || !*id)
        return;
    const char *name = party_name(history->conf, id);
    if (!name)
        name = site_name(history->conf, id);
    if (name && strcmp(name, id) != 0)
        eg_json_put_string(history->json, key, name);
}

static bool show_event(void *arg, const struct eg_case_event *event)
{
    struct history *history = arg;
    struct eg_json *json = history->json;
    eg_json_open(json, '{');
    eg_m_cases_event_write(json, event);
    put_called(history, "from_name", event->from);
    put_called(history, "to_name", event->to);
    put_called(history, "party_name", event->party);
    if (!strcmp(event->kind, "verified")) /* by a clerk: two parties, one hand */
        eg_json_put_bool(json, "same_hand", !strcmp(event->actor, history->fixer));
    eg_json_close(json, '}');
    if (!strcmp(event->kind, "fixed"))
        snprintf(history->fixer, sizeof history->fixer, "%s", event->actor);
    return !json->out->failed;
}

static bool kin_row(void *arg, const struct eg_case *row)
{
    const struct eg_call *call = arg;
    struct eg_json *json = call->json;
    const struct eg_case *live =
        call->desk->pipeline ? eg_pipeline_case_active(call->desk->pipeline, row->number) : NULL;
    eg_json_open(json, '{');
    eg_json_put_string(json, "id", row->id);
    eg_json_put_int(json, "number", row->number);
    eg_json_put_string(json, "site", row->site);
    put_name(json, "device", row->device);
    eg_json_put_string(json, "level", eg_level_name((enum eg_level)row->level));
    eg_json_put_string(json, "condition", eg_condition_name((enum eg_condition)row->condition));
    eg_json_put_string(json, "handling", eg_handling_name((enum eg_handling)row->handling));
    eg_json_put_time(json, "opened_at", row->opened_ms);
    put_point(json, "peak", live ? live->peak_value : row->peak_value, live ? live->peak_ms : row->peak_ms);
    eg_json_close(json, '}');
    return !json->out->failed;
}

/* Cases that hang on this one. */
static int write_kin(struct eg_call *call, const char *key, struct eg_case_query *query)
{
    query->handling = query->condition = query->level = -1;
    query->since_ms = EG_TIME_NONE;
    query->limit = KIN_MAX;
    eg_json_key(call->json, key);
    eg_json_open(call->json, '[');
    int code = eg_reader_cases(call->desk->reader, query, kin_row, call, NULL);
    eg_json_close(call->json, ']');
    return code;
}

int eg_m_cases_show(struct eg_call *call)
{
    struct eg_desk *desk = call->desk;
    if (!desk->reader)
        return eg_call_no_store(call);
    char digits[EG_CALL_NUMBER_MAX];
    struct eg_case row;
    struct eg_err err = {0};
    if (eg_reader_case(desk->reader, eg_call_path(call, "id", digits), &row, &err) < 0)
        return eg_call_fail_err(call, &err);
    const struct eg_conf_rule *rule = eg_conf_rule_find(desk->conf, row.rule);
    eg_json_open(call->json, '{');
    eg_m_cases_write(desk, call->json, &row);
    put_name(call->json, "basis", rule ? rule->basis : NULL);
    put_name(call->json, "basis_zh", rule ? rule->basis_zh : NULL);
    put_name(call->json, "action", rule ? rule->action : NULL);
    put_name(call->json, "action_zh", rule ? rule->action_zh : NULL);
    if (write_kin(call, "children", &(struct eg_case_query){.parent = row.number}) < 0 ||
        write_kin(call, "followed_by", &(struct eg_case_query){.follows = row.number}) < 0)
        return eg_call_no_store(call);
    if (eg_evidence_write(call, &row) < 0)
        return -1;
    eg_json_key(call->json, "history");
    eg_json_open(call->json, '[');
    struct history history = {.json = call->json, .conf = desk->conf};
    if (eg_reader_case_events(desk->reader, row.number, show_event, &history, &err) < 0)
        return eg_call_fail_err(call, &err);
    eg_json_close(call->json, ']');
    eg_json_close(call->json, '}');
    return EG_CALL_DONE;
}

/* --- the verbs --- */

int eg_m_cases_verb(struct eg_call *call)
{
    struct eg_desk *desk = call->desk;
    char digits[EG_CALL_NUMBER_MAX];
    struct eg_buf parties;
    eg_buf_init(&parties, PARTIES_MAX);
    eg_client_parties(desk, call->client, &parties);
    struct eg_command command = {
        .verb = call->method->name + strlen("cases."),
        .case_id = eg_call_path(call, "id", digits),
        .note = eg_call_text(call, "note"),
        .party = eg_call_text(call, "party"),
        .reason = eg_call_text(call, "reason"),
        .member_of = parties.data,
        .clerk = eg_client_is_clerk(desk, call->client),
        .until_ms = eg_call_time(call, "until", EG_TIME_NONE),
        .version = eg_call_int(call, "version", -1),
    };
    int code = eg_call_hand_over(call, &command);
    eg_buf_finish(&parties);
    return code;
}

int eg_m_cases_drill(struct eg_call *call)
{
    struct eg_command command = {
        .verb = "drill",
        .case_id = "",
        .rule = eg_call_text(call, "rule"),
        .site = eg_call_text(call, "site"),
        .level = eg_call_text(call, "level"),
        .faster = eg_call_int(call, "faster", 0),
        .until_ms = EG_TIME_NONE,
        .version = -1,
    };
    return eg_call_hand_over(call, &command);
}

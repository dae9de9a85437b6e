/* What the placeholders of a message stand for, in the reader's language: how bad, where, what, how much, since when, what to do,
 * who else knows, until when. Knows words and formats; which text they stand in, the configuration says (daemon/conf/templates.c).
 * Called by tell.c. */
#include <pipeline/phrase.h>
#include <pipeline/words.h>
#include <base/template.h>
#include <base/zone.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 159 /* an SMS, or two in Chinese */
#define NAME_BYTES 48
#define LIST_BYTES 400

static const char *const whys[EG_LANGUAGE_COUNT][EG_WHY_COUNT] = {
    {"",
     "级别升高：",
     "再次超标：",
     "恢复正常：",
     "重新立案：",
     "已结案：",
     "",
     "",
     "知会：",
     "指派给你们：",
     "逾期：",
     "下级逾期：",
     "请承接：",
     "转由你们牵头：",
     "已整改，待核实：",
     "知悉到期：",
     "数据中断，状况不明：",
     "数据恢复，仍超标：",
     "无法通知：",
     "补报：",
     "仍无人确认：",
     ""},
    {"",
     "worse: ",
     "beyond the limit again: ",
     "back to normal: ",
     "reopened: ",
     "ended: ",
     "",
     "",
     "for information: ",
     "yours: ",
     "overdue: ",
     "overdue below: ",
     "will you take it? ",
     "yours to lead: ",
     "fixed, to be looked at: ",
     "acknowledged until now: ",
     "no data, condition unknown: ",
     "data again, still beyond the limit: ",
     "cannot be reached: ",
     "told late: ",
     "nobody has acknowledged: ",
     ""},
};
static const char *const levels[EG_LANGUAGE_COUNT][EG_LEVEL_COUNT] = {
    {"", "提示", "警告", "严重"},
    {"", "notice", "warning", "critical"},
};
static const char *const handlings[EG_LANGUAGE_COUNT][EG_HANDLING_COUNT] = {
    {"待确认", "已知悉", "已指派", "处理中", "已整改", "已关闭", "不成立"},
    {"open", "acknowledged", "assigned", "in progress", "fixed", "closed", "rejected"},
};

/* What is told late says how it stands by now. */
static const char *const caught_up[EG_LANGUAGE_COUNT][EG_CONDITION_COUNT] = {
    {"补报，仍超标：", "补报，已恢复正常：", "补报："},
    {"told late, still so: ", "told late, back to normal: ", "told late: "},
};

struct words {
    const struct eg_conf *conf;
    const struct eg_case *row;
    const struct eg_case_event *event;
    const struct eg_conf_party *party;
    const struct eg_conf_rule *rule;
    const char *acknowledge;
    enum eg_why why;
    char text[LIST_BYTES]; /* of the value that was asked for last */
};

/* At most `most` bytes, without cutting a character in two. */
static size_t cut(const char *text, size_t most)
{
    size_t length = strlen(text);
    if (length > most)
        for (length = most; length && ((unsigned char)text[length] & 0xc0) == 0x80;)
            length--;
    return length;
}

static const char *short_name(struct words *words, const char *name)
{
    snprintf(words->text, sizeof words->text, "%.*s", (int)cut(name, NAME_BYTES), name);
    return words->text;
}

static const char *amount(struct words *words, double value)
{
    char unit[EG_UNIT_TEXT];
    if (!isfinite(value) || words->row->quantity >= EG_QUANTITY_COUNT)
        return "";
    snprintf(words->text, sizeof words->text, "%.*f %s", eg_quantity_info(words->row->quantity)->decimals,
             value, eg_conf_rule_unit(words->rule, words->row->quantity, unit));
    return words->text;
}

static const char *moment(struct words *words, int64_t ms)
{
    if (ms == EG_TIME_NONE)
        return "";
    char local[32];
    eg_zone_format(ms, local);
    snprintf(words->text, sizeof words->text, "%s", local + 5); /* "11-23 15:00" */
    return words->text;
}

static const struct eg_conf_site *site_of(const struct words *words)
{
    uint32_t site = eg_conf_site_find(words->conf, words->row->site, strlen(words->row->site));
    return site == EG_CONF_NONE ? NULL : &words->conf->sites[site];
}

static const char *say_site(struct words *words)
{
    const struct eg_conf_site *site = site_of(words);
    return short_name(words, site ? site->name : words->row->site);
}

static const struct eg_conf_device *described(const struct words *words)
{
    for (size_t i = 0; i < words->conf->device_count; i++) {
        const struct eg_conf_device *device = &words->conf->devices[i];
        if (!strcmp(device->id, words->row->device) &&
            !strcmp(words->conf->sites[device->site].id, words->row->site) &&
            (!device->domain || !strcmp(device->domain, words->row->domain)))
            return device;
    }
    return NULL;
}

static const char *say_device(struct words *words)
{
    const struct eg_conf_device *device = described(words);
    return short_name(words, device && device->name ? device->name : words->row->device);
}

static const char *say_position(struct words *words)
{
    const struct eg_conf_device *device = described(words);
    const struct eg_conf_site *site = site_of(words);
    double latitude = device ? device->latitude : NAN, longitude = device ? device->longitude : NAN;
    if (!isfinite(latitude) && site) {
        latitude = site->latitude;
        longitude = site->longitude;
    }
    if (!isfinite(latitude) || !isfinite(longitude))
        return "";
    snprintf(words->text, sizeof words->text, "%.5f,%.5f", latitude, longitude);
    return words->text;
}

/* What a case is about whose rule has no title, or that has no rule, and how an exercise is told from a case. */
static const char *const kinds[EG_LANGUAGE_COUNT][EG_CASE_KIND_COUNT] = {
    {"", "群众上报", "传感器待检修", "", "【演练】", "设备失联", "站点设备全部失联"},
    {"", "report", "sensor to be looked at", "", "exercise: ", "device not heard",
     "no device of the site heard"},
};

static const char *say_title(struct words *words)
{
    bool zh = words->party->language == EG_LANGUAGE_ZH_CN;
    const struct eg_conf_rule *rule = words->rule;
    const char *title = rule ? zh ? rule->title_zh : rule->title_en : "";
    if (!*title && rule)
        title = zh ? rule->title_en : rule->title_zh;
    const char *kind = kinds[words->party->language][words->row->kind];
    if (!*title && words->row->kind != EG_CASE_DRILL)
        title = kind;
    if (!*title)
        title = words->row->kind == EG_CASE_DRILL          ? words->row->rule
                : words->row->quantity < EG_QUANTITY_COUNT ? eg_case_quantity(words->row)
                                                           : "";
    if (words->row->kind != EG_CASE_DRILL)
        return short_name(words, title);
    snprintf(words->text, sizeof words->text, "%s%.*s", kind, (int)cut(title, NAME_BYTES), title);
    return words->text;
}

static const char *party_name(const struct words *words, const char *id)
{
    const struct eg_conf_party *party = eg_conf_party_find(words->conf, id);
    return party ? party->name : id;
}

static const char *say_lead(struct words *words)
{
    return short_name(words,
                      party_name(words, *words->row->assignee ? words->row->assignee : words->row->lead));
}

/* The other parties of the site that are told of anything. */
static const char *say_others(struct words *words)
{
    const struct eg_conf_site *site = site_of(words);
    size_t used = 0;
    *words->text = '\0';
    for (size_t i = 0; site && i < site->party_count; i++) {
        const struct eg_conf_party *other = &words->conf->parties[site->parties[i]];
        size_t length = cut(other->name, NAME_BYTES);
        if (other == words->party || !other->route_count || used + length + 4 > sizeof words->text)
            continue;
        used += (size_t)snprintf(words->text + used, sizeof words->text - used, "%s%.*s",
                                 !used                                         ? ""
                                 : words->party->language == EG_LANGUAGE_ZH_CN ? "、"
                                                                               : ", ",
                                 (int)length, other->name);
    }
    return words->text;
}

static const char *say_number(struct words *words)
{
    snprintf(words->text, sizeof words->text, "%u", words->row->number);
    return words->text;
}

static const char *say_level(struct words *words)
{
    return levels[words->party->language][words->row->level];
}

static const char *say_why(struct words *words)
{
    return words->why == EG_WHY_CAUGHT_UP ? caught_up[words->party->language][words->row->condition]
                                          : whys[words->party->language][words->why];
}

static const char *say_value(struct words *words)
{
    return amount(words, words->row->last_value);
}

static const char *say_limit(struct words *words)
{
    return amount(words, words->row->limit);
}

static const char *say_peak(struct words *words)
{
    return amount(words, words->row->peak_value);
}

static const char *say_since(struct words *words)
{
    return moment(words, words->row->opened_ms);
}

static const char *say_now(struct words *words)
{
    return moment(words, words->event->at_ms);
}

static const char *say_due(struct words *words)
{
    return words->why == EG_WHY_ENDED ? "" : moment(words, words->row->due_ms);
}

/* The party's language, where the rule has it. */
static const char *spoken(const struct words *words, const char *text, const char *text_zh)
{
    return (words->party->language == EG_LANGUAGE_ZH_CN && *text_zh) || !*text ? text_zh : text;
}

static const char *say_action(struct words *words)
{
    return words->rule && words->why != EG_WHY_ENDED && words->why != EG_WHY_RECOVERED
               ? spoken(words, words->rule->action, words->rule->action_zh)
               : "";
}

static const char *say_basis(struct words *words)
{
    return words->rule ? spoken(words, words->rule->basis, words->rule->basis_zh) : "";
}

/* What people wrote stays as they wrote it. */
static const char *say_note(struct words *words)
{
    if (strcmp(words->event->actor, "ecogovd") != 0)
        return words->event->note;
    eg_phrase_say(words->event->note, words->party->language == EG_LANGUAGE_ZH_CN, NULL, words->text,
                  sizeof words->text);
    return words->text;
}

static const char *say_actor(struct words *words)
{
    return strcmp(words->event->actor, "ecogovd") != 0 ? words->event->actor : "";
}

static const char *say_case(struct words *words)
{
    return words->row->id;
}

static const char *say_handling(struct words *words)
{
    return handlings[words->party->language][words->row->handling];
}

static const char *say_acknowledge(struct words *words)
{
    return words->row->handling == EG_OPEN ? words->acknowledge : "";
}

static const struct sayer {
    const char *name;
    const char *(*say)(struct words *words);
} sayers[] = {
    {"level", say_level},       {"why", say_why},
    {"site", say_site},         {"device", say_device},
    {"title", say_title},       {"value", say_value},
    {"limit", say_limit},       {"peak", say_peak},
    {"since", say_since},       {"now", say_now},
    {"action", say_action},     {"basis", say_basis},
    {"lead", say_lead},         {"others", say_others},
    {"due", say_due},           {"note", say_note},
    {"actor", say_actor},       {"case", say_case},
    {"number", say_number},     {"handling", say_handling},
    {"position", say_position}, {"acknowledge", say_acknowledge},
};

static const char *value(void *user, const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof sayers / sizeof *sayers; i++)
        if (strlen(sayers[i].name) == length && !memcmp(sayers[i].name, name, length)) {
            const char *text = sayers[i].say(user);
            return text ? text : "";
        }
    return "";
}

/* Blanks and line ends at the end go; a line is cut to what a telephone shows at once. */
static void trim(struct eg_buf *out, size_t most)
{
    if (out->length > most)
        out->length = cut(out->data, most);
    while (out->length && (out->data[out->length - 1] == '\n' || out->data[out->length - 1] == ' '))
        out->length--;
    if (out->data)
        out->data[out->length] = '\0';
}

void eg_words_write(const struct eg_words_of *of, struct eg_words *ret)
{
    struct words words = {.conf = of->conf,
                          .row = of->row,
                          .event = of->event,
                          .party = of->party,
                          .rule = eg_conf_rule_find(of->conf, of->row->rule),
                          .acknowledge = of->acknowledge ? of->acknowledge : "",
                          .why = of->why};
    const char *const *templates = of->conf->templates[of->party->language];
    eg_template_fill(templates[EG_TEMPLATE_LINE], value, &words, &ret->line);
    eg_template_fill(templates[EG_TEMPLATE_MESSAGE], value, &words, &ret->text);
    trim(&ret->line, LINE_BYTES);
    trim(&ret->text, SIZE_MAX);
    /* The message's first line is its title. */
    size_t length = ret->text.data ? strcspn(ret->text.data, "\n") : 0;
    eg_buf_add(&ret->title, ret->text.data ? ret->text.data : "", length);
    if (length)
        eg_buf_drop(&ret->text, length + (ret->text.data[length] == '\n'));
}

const char *eg_words_handling(enum eg_language language, enum eg_handling handling)
{
    return handlings[language][handling];
}

void eg_words_init(struct eg_words *words)
{
    struct eg_buf *const bufs[] = {&words->line, &words->title, &words->text};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) {
        eg_buf_init(bufs[i], EG_WORDS_MAX);
        eg_buf_text(bufs[i], "");
    }
}

void eg_words_finish(struct eg_words *words)
{
    eg_buf_finish(&words->line);
    eg_buf_finish(&words->title);
    eg_buf_finish(&words->text);
}

/* Knows how payload formats look to people: the drivers with their options and what came by them, sources, presets. */
#include "command.h"
#include "page.h"
#include "words.h"

#include <base/buf.h>
#include <base/json.h>
#include <conf/conf.h>

#include <math.h>
#include <string.h>

#define LIST_TEXT 2048
#define PRESETS_TEXT ((size_t)1 << 20)

/* The texts of an array, with blanks between. */
static const char *words_of(const cJSON *array, char out[LIST_TEXT])
{
    size_t used = 0;
    const cJSON *item;
    *out = '\0';
    cJSON_ArrayForEach(item, array)
    {
        const char *text = cJSON_GetStringValue(item);
        int more = snprintf(out + used, LIST_TEXT - used, "%s%s", used ? " " : "", text ? text : "?");
        if (more < 0 || (size_t)more >= LIST_TEXT - used)
            break;
        used += (size_t)more;
    }
    return used ? out : NULL;
}

static void add_messages(struct table *table, const cJSON *messages)
{
    static const char *const verdicts[] = {"decoded", "not_mine", "malformed", "checksum", "implausible"};
    char text[PAGE_TEXT];
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        double count = number_of(messages, verdicts[i]);
        bool bad = i >= 2 && count > 0;
        table_add(table, bad ? MILD : PLAIN, isfinite(count) ? page_count(count, text) : NULL);
    }
}

static void put_list(const char *label, const cJSON *array)
{
    char text[LIST_TEXT];
    const char *words = words_of(array, text);
    if (!words)
        return;
    printf("  ");
    page_label(DIM, word(label), 14);
    page_put(PLAIN, words);
    putchar('\n');
}

static void show_options(const cJSON *row)
{
    const char *name = text_of(row, "name"), *device = text_of(row, "device_path");
    page_put(BOLD, name ? name : "?");
    putchar('\n');
    put_list("keys", item_of(row, "keys"));
    if (device) {
        printf("  ");
        page_label(DIM, word("device in"), 14);
        page_put(PLAIN, device);
        putchar('\n');
    }
    put_list("codecs", item_of(row, "codecs"));
    put_list("checksums", item_of(row, "checksums"));
    put_list("sources", item_of(row, "sources"));
}

void show_drivers(const struct session *session, const cJSON *result)
{
    (void)session;
    static const char *const heads[] = {"DRIVER",    ">DECODED",     ">NOT MINE", ">MALFORMED",
                                        ">CHECKSUM", ">IMPLAUSIBLE", "MEANING",   NULL};
    struct table table;
    const cJSON *row;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, result)
    {
        table_add(&table, PLAIN, text_of(row, "name"));
        add_messages(&table, item_of(row, "messages"));
        table_add(&table, PLAIN, text_of(row, "about"));
    }
    table_print(&table, 0);
    cJSON_ArrayForEach(row, result)
    {
        putchar('\n');
        show_options(row);
    }
}

void show_sources(const struct session *session, const cJSON *result)
{
    (void)session;
    static const char *const heads[] = {"SOURCE",     "TOPIC",     "DRIVER",       ">DECODED", ">NOT MINE",
                                        ">MALFORMED", ">CHECKSUM", ">IMPLAUSIBLE", NULL};
    struct table table;
    const cJSON *row;
    table_init(&table, heads);
    cJSON_ArrayForEach(row, result)
    {
        table_add(&table, PLAIN, text_of(row, "id"));
        table_add(&table, PLAIN, text_of(row, "topic"));
        table_add(&table, PLAIN, text_of(row, "driver"));
        add_messages(&table, item_of(row, "messages"));
    }
    table_print(&table, 0);
}

/* --- presets --- */

struct presets {
    const char *word; /* NULL: all */
    bool as_json;
    struct table table;
    struct eg_buf text;
    struct eg_json json;
};

static bool holds(const char *text, const char *word)
{
    return text && strcasestr(text, word);
}

static void put_preset(struct eg_json *json, const struct eg_conf_preset *preset)
{
    eg_json_open(json, '{');
    eg_json_put_string(json, "id", preset->id);
    eg_json_put_string(json, "about", preset->about);
    eg_json_put_string(json, "driver", preset->driver);
    eg_json_put_string(json, "codec", preset->codec);
    eg_json_put_string(json, "domain", preset->domain);
    eg_json_put_string(json, "topic", preset->topic);
    eg_json_close(json, '}');
}

static void take_preset(void *user, const struct eg_conf_preset *preset)
{
    struct presets *presets = user;
    if (presets->word && !holds(preset->id, presets->word) && !holds(preset->about, presets->word) &&
        !holds(preset->driver, presets->word) && !holds(preset->domain, presets->word))
        return;
    if (presets->as_json) {
        put_preset(&presets->json, preset);
        return;
    }
    table_add(&presets->table, PLAIN, preset->id);
    table_add(&presets->table, PLAIN, preset->driver);
    table_add(&presets->table, PLAIN, preset->domain ? word(preset->domain) : NULL);
    table_add(&presets->table, PLAIN, preset->about);
}

int run_presets(struct session *session, cJSON *params)
{
    static const char *const heads[] = {"PRESET", "DRIVER", "DOMAIN", "MEANING", NULL};
    const cJSON *words = item_of(params, "words");
    struct presets presets = {.word = cJSON_GetStringValue(cJSON_GetArrayItem(words, 0)),
                              .as_json = session->json};
    if (cJSON_GetArraySize(words) > 1) {
        fputs("ecogovctl: presets takes one word at the most.\n", stderr);
        return EXIT_USAGE;
    }
    eg_buf_init(&presets.text, PRESETS_TEXT);
    eg_json_init(&presets.json, &presets.text);
    eg_json_open(&presets.json, '[');
    if (!session->json)
        table_init(&presets.table, heads);
    bool good = eg_conf_presets(take_preset, &presets) && !presets.text.failed;
    eg_json_close(&presets.json, ']');
    if (!session->json)
        table_print(&presets.table, 0);
    else if (good)
        puts(presets.text.data);
    eg_buf_finish(&presets.text);
    if (!good)
        fputs("ecogovctl: there is no memory for the presets.\n", stderr);
    return good ? EXIT_DONE : EXIT_USAGE;
}
